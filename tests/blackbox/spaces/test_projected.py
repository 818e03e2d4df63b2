import json
import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from blackbox.backends import Prompt, SoftPrompt, TextPrompt
from blackbox.evaluation import candidate_digest
from blackbox.spaces import Induced, ProjectedInstructionSpace, SoftSpace, WrittenSpace, prompt_of

ZEROS = np.zeros((1, 4))
CANDIDATES = np.arange(12.0).reshape(3, 4)


class Writes:
    """Writes the texts that it is given, in turn; remembers the soft prompts of each call."""

    def __init__(self, *texts: Induced) -> None:
        self._texts = list(texts)
        self.calls: list[list[Prompt]] = []

    def __call__(self, prompts: Sequence[Prompt]) -> list[Induced]:
        self.calls.append(list(prompts))
        return [self._texts.pop(0) for _ in prompts]


def vectors(seed: int = 1) -> SoftSpace:
    return SoftSpace((1, 2), 0.5, 8, dimension=4, seed=seed)


def space(writes: Writes, start: str | None = "Judge it.") -> ProjectedInstructionSpace:
    return ProjectedInstructionSpace(vectors(), writes, source="a model", start=start)


def test_it_is_a_space_of_numbers_whose_prompts_are_written() -> None:
    of = space(Writes())
    assert isinstance(of, WrittenSpace)
    assert (of.dimension, of.blocks, of.sizes) == (4, (4,), None)


def test_zeros_are_the_given_instruction_and_nothing_is_written_for_them() -> None:
    writes = Writes()
    assert space(writes).decode(ZEROS) == [TextPrompt("Judge it.\n\n")]
    assert space(writes, start="").decode(ZEROS) == [TextPrompt("")]
    assert writes.calls == []


def test_without_a_given_one_zeros_are_what_the_model_writes_behind_no_change() -> None:
    writes = Writes(Induced("Say it."))
    assert space(writes, start=None).decode(ZEROS) == [TextPrompt("Say it.\n\n")]
    [[soft]] = writes.calls
    assert isinstance(soft, SoftPrompt)
    assert not soft.vectors.any()


def test_zeros_have_a_prompt_also_where_what_is_written_cannot_be_used(caplog: pytest.LogCaptureFixture) -> None:
    of = space(Writes(Induced(refusal="empty")), start=None)
    assert of.decode(ZEROS) == [TextPrompt("")]
    assert "starts from no instruction: what the model has written is empty" in caplog.text
    assert not of.refused


def test_the_model_is_asked_once_for_all_new_candidates_of_a_call() -> None:
    writes = Writes(*map(Induced, "abc"))
    of = space(writes)
    first = of.decode(CANDIDATES[:2])
    assert of.decode(np.vstack([CANDIDATES, ZEROS, CANDIDATES]))[:2] == first
    assert [len(call) for call in writes.calls] == [2, 1]
    soft = [prompt.vectors.tobytes() for call in writes.calls for prompt in call if isinstance(prompt, SoftPrompt)]
    expected = vectors().decode(CANDIDATES)
    assert soft == [prompt.vectors.tobytes() for prompt in expected if isinstance(prompt, SoftPrompt)]


def test_equal_texts_are_equal_prompts_and_refused_ones_are_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    of = space(Writes(Induced("Say it."), Induced(refusal="cut off"), Induced("Say it.")))
    assert of.decode(CANDIDATES) == [TextPrompt("Say it.\n\n"), None, TextPrompt("Say it.\n\n")]
    assert of.texts == {"Say it."}
    assert dict(of.refused) == {"cut off": 1}
    assert "1 different instructions for 3 candidates so far, 1 refused (1 cut off)" in caplog.text
    with pytest.raises(ValueError, match="has no prompt"):
        prompt_of(of, CANDIDATES[1])


def test_what_was_written_is_kept_in_its_state() -> None:
    of, silent = space(Writes(Induced("a"), Induced(refusal="empty"), Induced("b"))), Writes()
    prompts = of.decode(CANDIDATES)
    other = space(silent)
    other.load_state_dict(json.loads(json.dumps(of.state_dict())))
    assert other.decode(CANDIDATES) == prompts
    assert other.state_dict() == of.state_dict()
    assert silent.calls == []


def test_a_digest_tells_the_prompt_of_a_candidate_that_was_decoded() -> None:
    of = space(Writes(Induced("a"), Induced(refusal="empty")))
    of.decode(CANDIDATES[:2])
    assert [of.written_for(digest) for digest in digests(CANDIDATES)] == [TextPrompt("a\n\n"), None, None]


def digests(candidates: npt.NDArray[np.float64]) -> list[str]:
    return [candidate_digest(candidate) for candidate in candidates]
