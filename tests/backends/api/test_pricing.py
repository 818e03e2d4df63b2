import pytest

from blackbox.backends.api.pricing import PER_MILLION, Price, price_of
from blackbox.backends.base import Usage
from blackbox.backends.errors import BackendSettingError


def test_a_usage_costs_its_tokens_with_the_cached_ones_cheaper() -> None:
    price = Price.per_million(2.0, 8.0, 0.5)
    usage = Usage(requests=1, prompt_tokens=1000, completion_tokens=100, cached_tokens=600)
    assert price.usd(usage) == pytest.approx((400 * 2.0 + 600 * 0.5 + 100 * 8.0) / 1e6, rel=1e-12)


def test_more_cached_tokens_than_prompt_tokens_make_nothing_cheaper_than_all_cached() -> None:
    assert Price.per_million(2.0, 8.0, 0.5).usd(Usage(prompt_tokens=10, cached_tokens=99)) == pytest.approx(5e-6)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-3-haiku@20240307", "claude-3-haiku"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("GPT-4.1", "gpt-4.1"),
    ],
)
def test_a_dated_snapshot_has_the_price_of_its_family(name: str, family: str) -> None:
    assert price_of(name) == Price.per_million(*PER_MILLION[family])


def test_a_snapshot_with_a_price_of_its_own_keeps_it() -> None:
    assert price_of("gpt-4o-2024-05-13") == Price.per_million(5.0, 15.0, 5.0)


@pytest.mark.parametrize("name", ["gpt-4o-mini-audio-preview", "llama-3", "", "gpt-4o-mini-2024"])
def test_another_variant_is_another_model_and_has_no_price_here(name: str) -> None:
    assert price_of(name) is None


@pytest.mark.parametrize(
    "figures", [(-1.0, 0.0, 0.0), (float("nan"), 1.0, 0.0), (1.0, 1.0, 2.0), (1.0, float("inf"), 0)]
)
def test_figures_that_are_no_prices_are_refused(figures: tuple[float, float, float]) -> None:
    with pytest.raises(BackendSettingError):
        Price(*figures)


def test_every_price_of_the_table_is_one() -> None:
    for figures in PER_MILLION.values():
        assert 0 < Price.per_million(*figures).usd_per_cached_token <= figures[0] / 1e6 < figures[1] / 1e6
