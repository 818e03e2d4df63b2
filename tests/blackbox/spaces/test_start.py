import pytest

from blackbox.backends import FakeBackend
from blackbox.errors import SettingError
from blackbox.spaces.start import common_tokens, random_tokens, repeated


@pytest.mark.parametrize(
    ("length", "tokens"), [(None, (1, 2, 3)), (3, (1, 2, 3)), (2, (1, 2)), (7, (1, 2, 3) * 2 + (1,))]
)
def test_tokens_are_repeated_or_cut_to_the_length(length: int | None, tokens: tuple[int, ...]) -> None:
    assert repeated((1, 2, 3), length, what="prompt") == tokens


def test_a_text_without_tokens_is_refused() -> None:
    with pytest.raises(SettingError, match="prompt must be a text of at least one token"):
        repeated((), 5, what="prompt")


def test_random_tokens_come_from_the_whole_vocabulary() -> None:
    assert set(random_tokens(FakeBackend(), 5000, seed=1)) == set(range(256))


@pytest.mark.parametrize("draw", [random_tokens, common_tokens])
def test_the_seed_decides_what_is_drawn(draw: type[object]) -> None:
    first, again, other = (draw(FakeBackend(), 20, seed=seed) for seed in (1, 1, 2))  # type: ignore[call-arg]
    assert first == again != other


def test_common_tokens_are_words_below_a_number_each_once_while_there_are_any() -> None:
    letters = [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("d"))]  # the fake model's words are single letters
    assert sorted(common_tokens(FakeBackend(), len(letters), seed=1, common=ord("d"))) == letters
    longer = common_tokens(FakeBackend(), 2 * len(letters), seed=1, common=ord("d"))
    assert sorted(longer) == sorted(letters * 2)


def test_a_vocabulary_whose_most_common_part_has_no_word_is_refused() -> None:
    with pytest.raises(SettingError, match="most common part of the vocabulary"):
        common_tokens(FakeBackend(), 3, seed=1, common=ord("A"))
