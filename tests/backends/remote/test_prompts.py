import numpy as np
import pytest

from blackbox.backends import (
    DecomposedPrompt,
    DeepPrompt,
    Demonstration,
    MessageError,
    PrefixPrompt,
    Prompt,
    SoftPrompt,
    TextPrompt,
)
from blackbox.backends.prompts import vectors_of
from blackbox.backends.remote.container import packed, unpacked
from blackbox.backends.remote.messages import ScoreMessage, read
from blackbox.backends.remote.prompts import checked_vectors, parts_of, prompts_of
from tests.backends.local.candidates import TOKENS, deep_sweep, vectors


def there_and_back(prompts: list[Prompt]) -> list[Prompt]:
    """The prompts as a server has them."""
    parts, arrays = parts_of(prompts)
    message = ScoreMessage(model="some", prompts=parts, queries=[])
    values, tensors = unpacked(packed(message.model_dump(), arrays))
    return prompts_of(read(ScoreMessage, values).prompts, checked_vectors(tensors))


def test_prompts_of_every_kind_come_back() -> None:
    shown = (Demonstration("It was ", "good", "."), Demonstration("", "bad"))
    prefix = PrefixPrompt(TOKENS, {0: np.ones((2, 5, 4), np.float32), 3: np.zeros((2, 5, 4), np.float32)})
    prompts: list[Prompt] = [
        TextPrompt("Say it.", shown, "system"),
        SoftPrompt(TOKENS, vectors(1)),
        DeepPrompt(TOKENS, {2: vectors(2), 0: vectors(3)}),
        DeepPrompt((), {}),
        prefix,
        DecomposedPrompt(TOKENS, vectors(4, 7)),
    ]
    found = there_and_back(prompts)
    assert found[0] == prompts[0]
    for mine, theirs in zip(prompts[1:], found[1:], strict=True):
        assert type(theirs) is type(mine)
        assert theirs.token_ids == mine.token_ids  # type: ignore[union-attr]
        assert vectors_of(theirs).keys() == vectors_of(mine).keys()
        for layer, array in vectors_of(mine).items():
            assert vectors_of(theirs)[layer].tobytes() == array.tobytes()


def test_what_models_do_not_read_stays_at_home() -> None:
    own = TextPrompt("Say it.", (Demonstration("a", "b", row=7),), template="{text} {label}", label_words=("x", "y"))
    assert there_and_back([own]) == [TextPrompt("Say it.", (Demonstration("a", "b"),))]


def test_layers_that_prompts_share_are_sent_once_and_are_shared_again() -> None:
    for prompts in deep_sweep():
        parts, arrays = parts_of(prompts)
        different = {id(array) for prompt in prompts for array in vectors_of(prompt).values()}
        assert len(arrays) == len(different) == 3 + 3  # three layers of all, and one of each
        found = there_and_back(prompts)
        for layer in range(4):
            mine = [vectors_of(prompt)[layer] is vectors_of(prompts[0])[layer] for prompt in prompts]
            assert [vectors_of(prompt)[layer] is vectors_of(found[0])[layer] for prompt in found] == mine
        del parts


def test_arrays_that_are_two_stay_two_however_alike() -> None:
    one, other = DeepPrompt(TOKENS, {0: vectors(1)}), DeepPrompt(TOKENS, {0: vectors(1)})
    found = there_and_back([one, other])
    assert vectors_of(found[0])[0] is not vectors_of(found[1])[0]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"kind": "soft", "tokens": [1], "vectors": "1"}, "names tensor '1', which is not in the file"),
        ({"kind": "soft", "tokens": [1, 2], "vectors": "0"}, r"prompt 0: prompt vectors must have shape"),
        ({"kind": "prefix", "tokens": [1], "vectors": {}}, "prompt 0: a prefix prompt must have keys and values"),
        ({"kind": "prefix", "tokens": [1], "vectors": {"0": "0"}}, "prompt 0: keys and values must have shape"),
        ({"kind": "deep", "tokens": [1], "vectors": {}}, "no prompt names tensor '0'"),
        ({"kind": "deep", "tokens": [1], "vectors": {"01": "0"}}, r"prompts.0.deep.vectors.01"),
        ({"kind": "deep", "tokens": [1], "vectors": {"-1": "0"}}, r"prompts.0.deep.vectors.-1"),
        ({"kind": "deep", "tokens": [-1], "vectors": {"0": "0"}}, r"prompts.0.deep.tokens.0: .*greater than or equal"),
        ({"kind": "deep", "tokens": [1.0], "vectors": {"0": "0"}}, r"prompts.0.deep.tokens.0: .*valid integer"),
        ({"kind": "deep", "tokens": [True], "vectors": {"0": "0"}}, r"prompts.0.deep.tokens.0: .*valid integer"),
        ({"kind": "soft", "tokens": [1], "vectors": "0", "more": 1}, r"prompts.0.soft.more: extra inputs"),
        ({"kind": "pickle", "tokens": [1]}, "prompts.0: .*does not match any of the expected tags"),
        ({"kind": "text", "text": 7}, "prompts.0.text.text: .*valid string"),
        ({"kind": "text", "text": "a", "role": "assistant"}, "prompts.0.text.role"),
    ],
)
def test_a_prompt_that_is_none_is_refused_by_its_place(part: dict[str, object], said: str) -> None:
    values = {"version": 1, "model": "some", "prompts": [part], "queries": []}
    with pytest.raises(MessageError, match=said):
        prompts_of(read(ScoreMessage, values).prompts, {"0": vectors(1, n_tokens=1)})


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((1, 2)), "must be of F32, got float64"),
        (np.array([[1, np.nan]], np.float32), "finite numbers"),
        (np.array([[np.inf, 0]], np.float32), "finite numbers"),
    ],
)
def test_vectors_are_finite_numbers_of_float32(array: np.ndarray, said: str) -> None:
    with pytest.raises(MessageError, match=said):
        checked_vectors({"0": array})


def test_another_version_of_the_protocol_is_refused_before_all_else() -> None:
    with pytest.raises(MessageError, match="this is version 1 of the protocol, got 2"):
        read(ScoreMessage, {"version": 2, "what": "ever"})
