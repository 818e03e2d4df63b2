import pytest

from blackbox.errors import SettingError
from blackbox.spaces.layers import parse_layers


@pytest.mark.parametrize(
    ("text", "n_layers", "layers"),
    [
        ("all", 4, (0, 1, 2, 3)),
        ("upper-half", 4, (2, 3)),
        ("upper-half", 5, (2, 3, 4)),
        ("upper-half", 1, (0,)),
        ("2", 4, (2,)),
        ("1-3", 4, (1, 2, 3)),
        ("3-3", 4, (3,)),
        ("0,3", 4, (0, 3)),
        ("3, 0", 4, (0, 3)),
        ("0-1,4 - 5,9", 12, (0, 1, 4, 5, 9)),
    ],
)
def test_layers_are_named_by_words_ranges_and_lists(text: str, n_layers: int, layers: tuple[int, ...]) -> None:
    assert parse_layers(text, n_layers) == layers


@pytest.mark.parametrize("text", ["", "half", "1-", "-1", "a-b", "1;2", "1,,2", "1.5", "²"])
def test_another_form_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(SettingError, match="layers must be all, upper-half, a range"):
        parse_layers(text, 4)


@pytest.mark.parametrize("text", ["4", "0-4", "1,17"])
def test_a_layer_that_the_model_has_not_is_refused_with_those_it_has(text: str) -> None:
    with pytest.raises(SettingError, match="the model has layers 0 to 3"):
        parse_layers(text, 4)


@pytest.mark.parametrize("text", ["3-1", "1,1", "0-2,2"])
def test_no_layers_and_layers_named_twice_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match="at least one layer and none twice"):
        parse_layers(text, 4)
