import numpy as np
import pytest

from blackbox import Task
from blackbox.backends import FakeBackend, Generations, Prompt, Query, SoftPrompt, TextPrompt, Usage, Writing, Written
from blackbox.backends.errors import UnsupportedPromptError
from blackbox.backends.writing import GREEDY
from blackbox.config import make_config
from blackbox.errors import SettingError
from blackbox.proposing.equipment import make_checks
from blackbox.proposing.inducing import Inducer, pair
from blackbox.proposing.meta_prompts import INDUCTION, LIMIT, induce
from blackbox.proposing.writers import make_vector_writer
from blackbox.spaces import Induced
from tests.blackbox.small import make_target_task, make_task

CONFIG = make_config({"space": "projected-instruction", "proposer_backend": "fake", "proposal_length": 60})


class Says(FakeBackend):
    """Writes one text behind all soft prompts, and remembers what it was asked."""

    def __init__(self, text: str, *, cut: bool = False) -> None:
        super().__init__()
        self._written = Written(text, cut)
        self.asked: list[tuple[list[Prompt], list[Query], Writing]] = []

    def generate(  # type: ignore[override]
        self, prompts: list[Prompt], queries: list[Query], writing: Writing = GREEDY
    ) -> Generations:
        self.asked.append((prompts, queries, writing))
        return Generations(((self._written,),) * len(prompts), (Usage(),) * len(prompts))


def induced(text: str, *, cut: bool = False) -> Induced:
    task = make_task()
    inducer = Inducer(Says(text, cut=cut), task, [0, 1], checks=make_checks(task, [], CONFIG), tokens=16)
    [one] = inducer([TextPrompt("")])
    return one


def test_the_model_goes_on_with_pairs_of_input_and_output_in_the_most_probable_way() -> None:
    task, says = make_task(), Says("judge the day.")
    prompts: list[Prompt] = [TextPrompt("a"), TextPrompt("b")]
    inducer = Inducer(says, task, [3, 0], checks=make_checks(task, [], CONFIG), tokens=16)
    assert inducer(prompts) == [Induced("Judge the day.")] * 2
    [(asked, [query], writing)] = says.asked
    assert asked == prompts
    assert writing == Writing(16, stop=("\n",))
    assert INDUCTION + query.before == (
        "I gave a friend an instruction. Based on the instruction they produced the following input-output pairs:\n\n"
        "Input: Day 3 was great.\nOutput: great\n\nInput: Day 0 was bad.\nOutput: bad\n\nThe instruction was to"
    )


def test_a_row_of_several_fields_names_them_and_a_target_is_its_output() -> None:
    assert pair(make_target_task(), 1) == ("What is 1 + 2?", "The sum is 3.")
    rows = [{"a": "x", "b": "y", "c": "not in the template", "label": "p"}, {"a": "v", "b": "w", "label": "n"}]
    task = Task(rows, template="{b} or {a}: {label}", label_words={"p": "yes", "n": "no"})
    assert pair(task, 0) == ("b: y\na: x", "yes")


def test_the_text_is_of_bounded_length() -> None:
    text = induce([("word " * 9000, "yes")] * 5)
    assert LIMIT - 100 <= len(INDUCTION + text) <= LIMIT
    assert text.endswith("The instruction was to")


@pytest.mark.parametrize(
    ("written", "instruction"),
    [
        ("classify the day", "Classify the day"),
        (": to classify the day", "Classify the day"),
        ('"write great or bad."', "Write great or bad."),
        ("write great or bad", "Write great or bad"),
    ],
)
def test_what_follows_becomes_an_instruction(written: str, instruction: str) -> None:
    assert induced(written) == Induced(instruction)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        ("...!", "empty"),
        ("say " * 30, "too long"),
        ("say: Day 3 was great", "copies a training row"),
        ("say that they produced the following input-output pairs", "repeats the request"),
        ("fill in [insert text]", "repeats the request"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(written: str, reason: str) -> None:
    assert induced(written) == Induced(refusal=reason)


def test_a_text_that_was_cut_off_is_refused() -> None:
    assert induced("classify the day by", cut=True) == Induced(refusal="cut off")


def test_what_tells_a_writer_from_others_are_its_model_its_rows_and_its_length() -> None:
    task, checks = make_task(), make_checks(make_task(), [], CONFIG)

    def source(backend: FakeBackend, rows: list[int], tokens: int) -> str:
        return Inducer(backend, task, rows, checks=checks, tokens=tokens).source

    others = [(FakeBackend(margin=3.0), [0], 8), (FakeBackend(), [1], 8), (FakeBackend(), [0], 9)]
    assert source(FakeBackend(), [0], 8) == source(FakeBackend(), [0], 8)
    assert len({source(*one) for one in [(FakeBackend(), [0], 8), *others]}) == 4


def test_the_writer_must_be_there_take_soft_prompts_and_write(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_vector_writer(CONFIG, FakeBackend()), FakeBackend)
    with pytest.raises(SettingError, match="needs a local model that writes; name one: proposer_backend"):
        make_vector_writer(CONFIG.model_copy(update={"proposer_backend": "none"}), FakeBackend())
    for lacking in ("soft prompts", "text that the model writes"):
        lacks = type("Lacks", (FakeBackend,), {"capabilities": FakeBackend().capabilities - {lacking}})
        monkeypatch.setattr("blackbox.build.FakeBackend", lacks)
        with pytest.raises(UnsupportedPromptError, match=f"has no {lacking}"):
            make_vector_writer(CONFIG, FakeBackend())


def test_the_fake_backend_writes_by_the_vectors() -> None:
    vectors = [np.full((1, 8), value, dtype=np.float32) for value in (0.0, 0.5, 1.0)]
    prompts = [SoftPrompt((1,), array) for array in vectors]
    written = FakeBackend().generate(prompts, [Query("The instruction was to", ())]).written
    assert len({one.text for (one,) in written if one is not None}) == 3
