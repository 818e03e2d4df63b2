import pytest

from blackbox.backends import FakeBackend
from blackbox.errors import SettingError
from blackbox.spaces.start import DEFAULT_TOKENS, start_tokens


@pytest.mark.parametrize(("length", "text"), [(None, "abc"), (3, "abc"), (2, "ab"), (7, "abcabca"), (1, "a")])
def test_a_text_is_repeated_or_cut_to_the_length(length: int | None, text: str) -> None:
    backend = FakeBackend()
    assert start_tokens(backend, text="abc", length=length, seed=1) == backend.encode(text)


def test_without_a_text_tokens_are_drawn_from_the_whole_vocabulary() -> None:
    tokens = start_tokens(FakeBackend(), text=None, length=5000, seed=1)
    assert set(tokens) == set(range(256))
    assert len(start_tokens(FakeBackend(), text=None, length=None, seed=1)) == DEFAULT_TOKENS == 50


def test_the_seed_decides_the_drawn_tokens() -> None:
    first, again, other = (start_tokens(FakeBackend(), text=None, length=20, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(SettingError, match="at least one token"):
        start_tokens(FakeBackend(), text="", length=None, seed=1)
