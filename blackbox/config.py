"""The settings of a run: every one a key of the TOML file, an option of `blackbox tune` and an argument of `tune`."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat

from blackbox.checked import checked
from blackbox.errors import SettingError
from blackbox.presets import preset

NOBODY = "none"
PATHS = ("train", "dev", "test", "answers", "prompts", "instructions")
PATH_LISTS = ("warm_start", "bank")
_OF_SPACES: dict[str, dict[str, Any]] = {
    "texts": {"optimizer": "enumerate"},
    "low-rank": {"layers": "0"},
    "multi-space": {"layers": "0"},
    "choices": {"optimizer": "categorical", "population": 10},
    "projected-instruction": {
        "optimizer": "cma-es",
        "dimension": 10,
        "proposer_backend": "local",
        "proposer_model": "smollm2-135m",
        "proposal_tokens": 128,
    },
}
OF_WORKERS = ("workers", "gpus_per_worker", "ray_address", "ray_package")
LIMITS = ("max_requests", "max_prompt_tokens", "max_completion_tokens", "max_usd", "seconds")


def _label_words(value: Any) -> Any:
    """Command lines write `negative=bad,positive=great`; labels that are numbers are read as text."""
    if isinstance(value, Mapping):
        return {str(label): word for label, word in value.items()}
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",")]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError(f"must look like negative=bad,positive=great, got {value!r}")
    return {label.strip(): word.strip() for label, _, word in pairs}


def _texts(value: Any) -> Any:
    """Command lines write a JSON list: `["{text} All in all {label}.", "..."]`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError("must be a JSON list of texts") from error


def _class_weights(value: Any) -> Any:
    """Command lines write `negative=1,positive=3`, or a word."""
    return _label_words(value) if isinstance(value, Mapping) or (isinstance(value, str) and "=" in value) else value


def _path(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _paths(value: Any) -> Any:
    if isinstance(value, str | Path):
        return [str(value)]
    return [_path(one) for one in value] if isinstance(value, list | tuple) else value


Paths = Annotated[list[str], BeforeValidator(_paths)]
PathText = Annotated[str | None, BeforeValidator(_path)]


class TaskSettings(BaseModel):
    """What the prompt shall be good at."""

    train: PathText = Field(None, description="Training rows: a .jsonl or .csv file.")
    dev: PathText = Field(None, description="Rows that the prompt is selected on; sampled from train with `shots`.")
    test: PathText = Field(None, description="Rows that only report the start and the outcome.")
    shots: int | None = Field(
        None, ge=1, description="Sample this many rows of each label (with targets: in all) from train (and for dev)."
    )
    template: str = Field(
        "{text} It was {label}.", description="Text of a row: its fields and one {label}, for label word or target."
    )
    templates: Annotated[list[str], BeforeValidator(_texts)] = Field(
        default_factory=list,
        description="Further templates: after the search an average over all of them is tried; with `robust` the "
        "search goes by all.",
    )
    robust: bool = Field(
        False, description="Training rows take turns in `template` and `templates`, at no further evaluations (PAFT)."
    )
    augment: Literal["none", "mixpro"] = Field(
        "none",
        description="mixpro: as many training rows more, each mixed from two of one label; an evaluation costs twice "
        "the rows.",
    )
    label_words: Annotated[dict[str, str], BeforeValidator(_label_words)] = Field(
        default_factory=dict, description="The word that stands for each label: negative=bad,positive=great."
    )
    label_field: str = Field("label", description="The field of a row that holds its label.")
    target_field: str | None = Field(
        None,
        description="The field of a row that holds its target, a text of its own, or a list of which any will do; "
        "instead of label words.",
    )
    number_field: str | None = Field(
        None,
        description="The field of a row that holds its number, instead of a label; label words stand for numbers then, "
        "1=terrible,3=okay,5=great, and the expected one is the prediction.",
    )
    tags_field: str | None = Field(
        None,
        description="The field of a sentence that holds the list of its tags: each token is asked for on its own, by "
        "{token}, {text} (the sentence), {left} and {right}.",
    )
    tokens_field: str = Field("tokens", description="The field of a sentence that holds the list of its tokens.")
    loss: str | None = Field(
        None,
        description="cross-entropy (default), hinge, error-rate or, for labels in the order of a scale, "
        "ranked-probability; numbers have squared-error; targets have cross-entropy; with a metric "
        "error-rate (default) or cross-entropy: only dev and test rows are written to.",
    )
    class_weights: Annotated[dict[str, PositiveFloat] | Literal["balanced"] | None, BeforeValidator(_class_weights)] = (
        Field(
            None,
            description="How much the rows of a label count in the loss: balanced (all labels alike) or "
            "negative=1,positive=3; default: all rows alike.",
        )
    )
    margin: float = Field(2.0, gt=0, description="Margin of the hinge loss, nats.")
    metric: str | None = Field(
        None,
        description="accuracy (default) or macro-f1; for numbers mae (default), pearson or spearman; for tags also "
        "span-f1; for targets none "
        "(default: their likelihood is the loss) or, where the model shall write them, exact-match, numeric-match, "
        "contains or token-f1.",
    )


class ModelSettings(BaseModel):
    """What is queried."""

    backend: str = Field(
        "local",
        description="local (transformers, in this process), remote (a model that `blackbox serve-model` offers at "
        "`base_url`), vllm (soft prompts for a model behind vLLM, by its prompt embeddings), openai (any endpoint that "
        "speaks alike: vLLM, llama.cpp, Ollama, ...), anthropic, or fake (for trying things out).",
    )
    model: str = Field(
        "smollm2-135m",
        description="smollm2-135m (bundled), a folder, or a Hugging Face hub name; of an endpoint, its name there.",
    )
    revision: str | None = Field(None, description="Branch, tag or commit of a hub model.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="float32, bfloat16 or float16.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, ...")
    batch_tokens: int | None = Field(None, ge=1, description="Most tokens of a forward pass; default: what fits.")
    cache_bytes: int | None = Field(
        None,
        ge=0,
        description="Most memory for hidden states that prompts share; default: a sixteenth of the device's.",
    )
    cache_on: Literal["device", "host"] = Field("device", description="Where these states are kept: device or host.")
    answer_tokens: int = Field(
        16,
        ge=1,
        description="Most tokens of an answer that the model writes: of a target, or where an endpoint's label is read "
        "as text; thoughts count, a model that reasons needs hundreds.",
    )
    single_token_labels: bool = Field(False, description="Refuse label words that are more than one token.")


class EndpointSettings(BaseModel):
    """How a model behind an endpoint is asked (backends openai, anthropic, remote and vllm)."""

    base_url: str | None = Field(
        None, description="Where the endpoint is, e.g. http://localhost:8000/v1; default: the provider's own."
    )
    model_files: str | None = Field(
        None,
        description="Backend vllm: a folder or a Hugging Face hub name with the same model, whose tokenizer and table "
        "of embeddings are used here; default: `model`.",
    )
    key_variable: str | None = Field(
        None,
        description="The environment variable that holds the key; default: OPENAI_API_KEY, ANTHROPIC_API_KEY, "
        "VLLM_API_KEY or, of a model server, BLACKBOX_MODEL_TOKEN, where it is set. The key itself is never stored or "
        "shown.",
    )
    endpoint: Literal["auto", "chat", "completions"] = Field(
        "auto", description="auto (chat, where there is none completions), chat or completions."
    )
    scoring: Literal["auto", "log-probabilities", "choice", "text"] = Field(
        "auto",
        description="How answers become label scores: log-probabilities, a constrained choice, or text that is read; "
        "auto takes the first that the endpoint can do.",
    )
    parallel: int = Field(
        16,
        ge=1,
        description="Most calls in flight, of all runs of a sweep together; the endpoint's own limits may allow fewer.",
    )
    call_seconds: float = Field(60.0, gt=0, description="Most time of one call.")
    outage_seconds: float = Field(
        600.0, gt=0, description="How long an endpoint that fails for all is waited for before the run stops."
    )
    answers: PathText = Field(
        None,
        description="The file that paid answers are kept in, for several runs to share; default: in the run's folder.",
    )
    usd_per_million_prompt_tokens: float | None = Field(
        None, ge=0, description="Price; default: from a table of known models."
    )
    usd_per_million_completion_tokens: float | None = Field(
        None, ge=0, description="Price; default: from a table of known models."
    )
    max_requests: int | None = Field(None, ge=1, description="Budget: requests, those that fail included.")
    max_prompt_tokens: int | None = Field(None, ge=1, description="Budget: tokens read.")
    max_completion_tokens: int | None = Field(None, ge=1, description="Budget: tokens written.")
    max_usd: float | None = Field(None, gt=0, description="Budget: USD.")


class SpaceSettings(BaseModel):
    """What is searched."""

    space: str = Field(
        "deep",
        description="deep (vectors in many layers), soft (the input layer only), prefix (keys and values in many), "
        "low-rank (vectors that are products of two factors), multi-space (fused from several projections), "
        "decomposed (the input layer, of rows as well), "
        "texts (the best of `prompts`), choices (a text put together: instruction, shown rows, format, words) or "
        "projected-instruction (what a local model writes behind a soft prompt, for any model).",
    )
    prompts: list[dict[str, Any] | str] | str | None = Field(
        None,
        description="Text prompts to choose from, the start first: a .txt file with one a line, or a .jsonl file with "
        "objects of text, role, demonstrations, template and label_words.",
    )
    instructions: list[str] | str | None = Field(
        None,
        description="Instructions to choose from (space choices), the start first: a list or a .txt file with one a "
        "line; default: `prompt`, or none, and a few general ones.",
    )
    demonstrations: int = Field(6, ge=0, description="Training rows shown with their answers at most (space choices).")
    shown_from: int = Field(
        64, ge=1, description="Training rows that may be shown: a sample of as many, equally many of each label."
    )
    words: list[dict[str, str]] = Field(
        default_factory=list, description="Further label words to choose from (space choices), each as `label_words`."
    )
    role: Literal["user", "system"] = Field(
        "user", description="Who says a text prompt to a chat model: user or system."
    )
    layers: str = Field(
        "upper-half",
        description="Searched layers of a deep or prefix prompt: all, upper-half, 15-29 or 0,4,8 (spaces low-rank and "
        "multi-space: 0, the input).",
    )
    prompt: str | None = Field(None, description="Text that the search starts from, e.g. an instruction.")
    init: Literal["text", "random", "label-words", "vocabulary", "mutual-information"] | None = Field(
        None,
        description="Tokens that a search of vectors starts from: text (`prompt`), random, label-words, vocabulary "
        "(words drawn from its most common tokens) or mutual-information (of `starts` ones, which count in the budget, "
        "the one whose answers tell most of the training rows; no label is read); default: text if `prompt` is given, "
        "else random.",
    )
    starts: int = Field(
        16,
        ge=2,
        description="Starts that init mutual-information compares: `prompt` and `instructions` (default: general "
        "ones), the label words, then common words.",
    )
    prompt_tokens: int | None = Field(
        None,
        ge=1,
        description="Length of the prompt: a text is repeated or cut, label words are repeated; default: as long as "
        "the text, without one 50 (space projected-instruction: as many as its first sentence has).",
    )
    dimension: int = Field(100, ge=2, description="Numbers searched for each layer.")
    alpha: float = Field(
        1.0, gt=0, description="Scale of the space, in spreads of the layer's hidden states, or of its keys and values."
    )
    verbalizer: Literal["given", "search", "calibrated", "representative", "ridge"] = Field(
        "given",
        description="What tells the labels: the given label words, words that are searched on the training rows "
        "before the prompt is (search: LM-BFF), the given words with an offset for each label, fitted on the training "
        "rows behind each prompt (calibrated), or the hidden states at the blank, read behind each prompt by their "
        "distance to the mean of each label's training rows (representative: MetaPrompter) or by ridge regression on "
        "these rows (ridge); all but given need a model at hand.",
    )
    prompt_rank: int = Field(
        4, ge=1, description="Rank of the vectors (space low-rank; of those for rows, decomposed)."
    )
    row_positions: int = Field(64, ge=1, description="Positions of a row that are moved (space decomposed).")
    row_scale: float = Field(0.1, gt=0, description="Scale of the vectors for rows, in alphas (space decomposed).")
    subspaces: int = Field(4, ge=2, description="Projections that are fused (space multi-space).")
    projection: Literal["gaussian", "uniform", "hadamard", "identity", "vocabulary", "hidden-pca", "bank"] = Field(
        "gaussian",
        description="gaussian, uniform, hadamard (stores no matrix), identity (none: all of a prompt's numbers are "
        "searched, for es, zo-adam and spsa), made of the layer's states on the training rows: vocabulary "
        "(differences of two) or hidden-pca (principal directions), or bank (first along the prompts of `bank`, then "
        "gaussian).",
    )


class BankSettings(BaseModel):
    """Prompts of other runs that a search of vectors begins with: folders of runs, of saved prompts or of banks."""

    warm_start: Paths = Field(
        default_factory=list,
        description="Start from one of these prompts, tokens and vectors, or from the start that the other settings "
        "name: whichever has the lowest loss on the training rows; each counts an evaluation.",
    )
    bank: Paths = Field(
        default_factory=list, description="The prompts of projection bank; default: those of `warm_start`."
    )


class OptimizerSettings(BaseModel):
    """How it is searched."""

    optimizer: str = Field(
        "blockwise:cma-es",
        description="cma-es, es, zo-adam, spsa, random-search, nevergrad:NAME, islands:OPTIMIZER (several that restart "
        "and exchange their best) or blockwise:OPTIMIZER (BBTv2: layer by layer); of choices "
        "(spaces texts and choices) categorical, random-search, nevergrad:NAME or enumerate, which scores them all; "
        "where a model writes new instructions (space choices) evolution, evolution:de or reflective.",
    )
    population: int = Field(20, ge=2, description="Candidates of a generation; with islands, of each island.")
    schedule: Literal["turns", "sensitivity"] = Field(
        "turns",
        description="blockwise: turns (all layers as often) or sensitivity (after a short pass, layers in which losses "
        "differ more have more turns).",
    )
    elites: int = Field(
        0,
        ge=0,
        description="Best candidates of a generation that the model in float32 scores again, where dtype is another; "
        "looks at the dev and test rows are in float32 then.",
    )
    racing: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Candidates of a generation meet the first rows, then the likeliest to lead meet the next ones "
        "until one leads: on, off, or auto (on for text prompts).",
    )
    finalists: int = Field(3, ge=1, description="Best candidates of a race that are looked at on the dev rows.")
    select: Literal["best", "mean"] = Field(
        "best",
        description="What takes part in the selection: best (of the candidates) or mean (of the distribution that they "
        "are drawn from, scored once a generation more).",
    )
    rows_per_generation: int | None = Field(
        None,
        ge=1,
        description="Score each generation on as many training rows, others each time, and its best on all "
        "(vectors only); default: all rows.",
    )
    sigma: float = Field(
        1.0,
        gt=0,
        description="First step size, in units of the space; of es, zo-adam and spsa how far candidates are from the "
        "mean.",
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="es, zo-adam and spsa: length of a step of the mean in each number, in units of the space; "
        "default: 0.3 of `sigma`.",
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="es and zo-adam: share of the past in a step.")
    update: Literal["adam-mini", "adam", "momentum"] = Field(
        "adam-mini",
        description="es and zo-adam: adam-mini (one scale for all numbers), adam (one for each) or momentum (none).",
    )
    shaping: Literal["pair-ranks", "ranks", "differences"] = Field(
        "pair-ranks",
        description="es: what losses count by, pair-ranks (of the pairs' differences), ranks (of each) or differences.",
    )
    direction_rank: int | None = Field(
        None, ge=1, description="es: rank of its directions, where candidates are matrices; default: full."
    )
    directions: Literal["gaussian", "rademacher"] = Field(
        "gaussian", description="zo-adam: directions of the pairs, gaussian or rademacher (+1 or -1)."
    )
    covariance: Literal["full", "diagonal"] = Field("full", description="CMA-ES: full or diagonal.")
    step_size: Literal["csa", "tpa"] = Field("csa", description="CMA-ES: rule of the step size, csa or tpa.")
    islands: int = Field(
        4, ge=1, description="Optimizers that search side by side (islands:OPTIMIZER); 1: one, with restarts."
    )
    migration_interval: int = Field(
        10, ge=0, description="Generations after which each island is shown the best of the one before it; 0: never."
    )


class ProposerSettings(BaseModel):
    """Who writes new instructions (optimizers evolution and reflective, space projected-instruction)."""

    proposer_backend: str | None = Field(
        None, description="The backend that writes them, or none; default: the task's own, if its model writes text."
    )
    proposer_model: str | None = Field(None, description="The model that writes them; default: the task's own.")
    proposer_base_url: str | None = Field(
        None, description="Where its endpoint is; default: that of the task, for another backend the provider's own."
    )
    proposer_key_variable: str | None = Field(
        None, description="The environment variable that holds its key; default: as for `proposer_base_url`."
    )
    proposer_usd_per_million_prompt_tokens: float | None = Field(
        None, ge=0, description="Its price; default: from a table of known models, or that of the same model."
    )
    proposer_usd_per_million_completion_tokens: float | None = Field(
        None, ge=0, description="Its price; default: from a table of known models, or that of the same model."
    )
    proposal_tokens: int = Field(
        512, ge=1, description="Most tokens written for a new instruction, the steps on the way to it included."
    )
    proposal_length: int = Field(800, ge=1, description="Characters of a new instruction at most.")
    proposal_rows: int = Field(
        5, ge=1, description="Training rows from which instructions are written (space projected-instruction)."
    )


class FinishingSettings(BaseModel):
    """What is tried with the prompt that was found, for tasks with label words; kept where dev clearly favours it."""

    ensemble: int = Field(
        0,
        ge=0,
        le=5,
        description="Average the label probabilities of so many of the best prompts, 2 or more (each row is asked as "
        "often); 0: of none.",
    )
    readout: Literal["off", "calibrated", "representative", "ridge"] = Field(
        "off",
        description="Tell the labels as `verbalizer` does by the same names, in the place of the label words of "
        "the search; needs a model at hand.",
    )
    calibration: Literal["off", "contextual", "batch", "auto"] = Field(
        "off",
        description="Offsets of the labels' scores: off, contextual (by rows without content), batch (by the training "
        "rows, without their labels) or auto (both are tried).",
    )


class RunSettings(BaseModel):
    """How long, and from which seed."""

    evaluations: int = Field(1000, ge=1, description="Budget: candidates scored, looks at the dev rows included.")
    seconds: float | None = Field(None, gt=0, description="Budget: wall time.")
    target: float | None = Field(
        None,
        gt=0,
        description="Stop when the dev metric reaches this share; where there is none, when the dev loss is as low, "
        "nats.",
    )
    patience: int | None = Field(None, ge=1, description="Stop after so many evaluations without a lower loss.")
    track: list[str] = Field(
        default_factory=list,
        description="Where the run is drawn besides its folder: mlflow, tensorboard and wandb, each set up by its own "
        "environment variables.",
    )
    slice_size: int = Field(5, ge=1, description="Candidates of one call of the backend.")
    seed: int = Field(0, ge=0, description="Of everything random; the same seed gives the same run.")


class ExecutorSettings(BaseModel):
    """Where candidates are scored. It changes no result, but for `threads`: a sum's rounding depends on them."""

    executor: Literal["serial", "threads", "ray"] = Field(
        "serial",
        description="serial (in this process), threads (for a model that is waited for) or ray (worker processes, on "
        "this machine or a cluster).",
    )
    workers: int | None = Field(
        None, ge=1, description="Workers of executor threads or ray; default: as many as there are CPUs or GPUs for."
    )
    threads: int | None = Field(
        None,
        ge=1,
        description="Threads of a forward pass on the CPU; default: all of the machine, a worker of Ray has 1. Runs "
        "are the same bit for bit where these are.",
    )
    gpus_per_worker: float = Field(0.0, ge=0, description="GPUs of a worker of Ray; 0.5: two workers share one.")
    ray_address: str | None = Field(
        None,
        description="The cluster: host:port, auto (one on this machine) or local (one of this run alone); default: "
        "$RAY_ADDRESS, then auto, then local.",
    )
    ray_package: PathText = Field(
        None, description="A wheel of blackbox-prompts that workers are given; default: it is installed there."
    )
    worker_seconds: float = Field(
        600.0, gt=0, description="How long to wait for a worker of Ray, where none is left, before the run stops."
    )

    @property
    def threads_of_worker(self) -> int | None:
        """Threads of a forward pass; None leaves their number as it is."""
        return self.threads or (1 if self.executor == "ray" else None)


class Config(
    TaskSettings,
    ModelSettings,
    EndpointSettings,
    SpaceSettings,
    BankSettings,
    OptimizerSettings,
    ProposerSettings,
    FinishingSettings,
    RunSettings,
    ExecutorSettings,
):
    """All settings of a run. `make_config` checks them with errors of one line."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    preset: str | None = Field(
        None,
        description="Settings by name: bbt or bbtv2 (published), best (ours, for a model at hand and a task with "
        "labels and dev rows); other settings replace its own.",
    )


def make_config(values: Mapping[str, Any]) -> Config:
    """Settings from keys and values; a preset's come first.

    Raises:
        SettingError: an unknown key (with the nearest known one) or a value out of its range.
    """
    base = preset(values["preset"]) if values.get("preset") else {}
    return checked(Config, values, what="setting", defaults={**_of_space(values.get("space")), **base})


def _of_space(space: object) -> dict[str, Any]:
    """Settings that a space has where none are given."""
    return dict(_OF_SPACES.get(str(space), {}))


def read_settings(path: Path) -> dict[str, Any]:
    """The keys and values of a TOML file; paths in it count from its folder.

    Raises:
        SettingError: no such file, or it is no TOML.
    """
    return from_folder(read_toml(path), path.parent)


def read_toml(path: Path) -> dict[str, Any]:
    """The keys and values of a TOML file as they stand there.

    Raises:
        SettingError: no such file, or it is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: is no TOML: {error}") from error


def from_folder(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Settings with their paths counted from a folder."""
    paths = {key: str(folder / Path(values[key]).expanduser()) for key in PATHS if isinstance(values.get(key), str)}
    lists = {
        key: [str(folder / Path(path).expanduser()) for path in _paths(values[key])]
        for key in PATH_LISTS
        if isinstance(values.get(key), str | list)
    }
    return {**values, **paths, **lists}
