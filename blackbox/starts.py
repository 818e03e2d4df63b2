"""The tokens that a search of vectors starts from, by the name of the setting `init`.

Source: The Power of Scale (Lester et al. 2021, arXiv 2104.08691, section 3.2), comparing random vectors, words from
a vocabulary's most common part, and label words. Here a start is always made of tokens, whose states are moved.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from blackbox.backends import VectorBackend
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.seeds import part_seed
from blackbox.spaces.general import GENERAL_FOR_LABELS, GENERAL_FOR_TARGETS
from blackbox.spaces.start import DEFAULT_TOKENS, common_tokens, random_tokens, repeated
from blackbox.task import Task
from blackbox.text_prompts import instructions

Tokens = tuple[int, ...]
INFORMATION = "mutual-information"
"""The name of the start that is chosen among several (`blackbox.opening`)."""

StartFactory = Callable[[VectorBackend, Task, Config], Tokens]


def make_start(backend: VectorBackend, task: Task, config: Config) -> Tokens:
    """The tokens that the settings name; without `init` those of the text `prompt`, or random ones where none is given.

    Raises:
        SettingError: the start needs what is not there, or `prompt` is given beside a start that is another.
    """
    name = config.init or ("random" if config.prompt is None else "text")
    if name in _OF_ITS_OWN and config.prompt is not None:
        raise SettingError(f"setting 'init': {name!r} starts from no text, got `prompt` as well; leave one out")
    if name not in STARTS:
        raise SettingError(f"setting 'init': {name!r} chooses among starts, which is done before a search")
    return STARTS[name](backend, task, config)


def pool(backend: VectorBackend, task: Task, config: Config) -> dict[str, Tokens]:
    """The `starts` starts that are compared, each by its text, none twice.

    They are `prompt` and `instructions` (where none are given a few general ones), the label words, then words drawn
    from the vocabulary's most common tokens.
    """
    general = GENERAL_FOR_LABELS if task.labels else GENERAL_FOR_TARGETS
    texts = instructions(config.instructions, start=config.prompt, general=[f"{text}\n" for text in general])
    found = [
        repeated(tokens, config.prompt_tokens, what="prompt") for text in texts if (tokens := backend.encode(text))
    ]
    if task.labels:
        found.append(_label_words(backend, task, config))
    length = config.prompt_tokens or max((len(tokens) for tokens in found), default=DEFAULT_TOKENS)
    for number in range(config.starts):
        seed = np.random.SeedSequence(part_seed(config.seed, "start"), spawn_key=(number,)).generate_state(1)[0]
        found.append(common_tokens(backend, length, seed=int(seed)))
    return {backend.decode(tokens): tokens for tokens in dict.fromkeys(found[: config.starts])}


def _text(backend: VectorBackend, task: Task, config: Config) -> Tokens:
    if config.prompt is None:
        raise SettingError("setting 'init': 'text' starts from the text `prompt`, which is not given")
    return repeated(backend.encode(config.prompt), config.prompt_tokens, what="prompt")


def _label_words(backend: VectorBackend, task: Task, config: Config) -> Tokens:
    """As they stand in a row: with a space in front of each."""
    words = task.form.blank.choices
    if not words:
        raise SettingError("setting 'init': 'label-words' needs label words; the task has targets")
    text = "".join(f" {word}" for word in words)
    return repeated(backend.encode(text), config.prompt_tokens or DEFAULT_TOKENS, what="label words")


def _drawn(
    draw: Callable[..., Tokens],
    backend: VectorBackend,
    task: Task,
    config: Config,
) -> Tokens:
    return draw(backend, config.prompt_tokens or DEFAULT_TOKENS, seed=part_seed(config.seed, "start"))


_OF_ITS_OWN = ("label-words", "random", "vocabulary")
STARTS: dict[str, StartFactory] = {
    "label-words": _label_words,
    "random": partial(_drawn, random_tokens),
    "text": _text,
    "vocabulary": partial(_drawn, common_tokens),
}
