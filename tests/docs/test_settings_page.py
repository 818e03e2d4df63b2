from blackbox.config import Config
from blackbox.presets import PRESETS
from docs.settings_page import settings_page


def row(name: str) -> str:
    """The first line of a table that begins with a setting."""
    return next(line for line in settings_page().splitlines() if line.startswith(f"| `{name}` |"))


def test_every_setting_has_one_row_with_default_meaning_and_range() -> None:
    page = settings_page()
    for name in Config.model_fields:
        assert page.count(f"\n| `{name}` |") == 1 + any(name in preset for preset in PRESETS.values())
    assert row("dimension") == "| `dimension` | `100` | Numbers searched for each layer (at least 2). |"
    assert row("single_token_labels").startswith("| `single_token_labels` | `false` |")
    assert row("device").endswith(" auto, cpu, cuda, cuda:1, ... |")
    assert row("seconds").startswith("| `seconds` |  |")


def test_each_group_of_settings_has_its_heading() -> None:
    headings = [line for line in settings_page().splitlines() if line.startswith("## ")]
    assert len(headings) == len(Config.__bases__) + 1
    assert headings[0] == "## What the prompt shall be good at"


def test_presets_stand_side_by_side() -> None:
    assert "| `optimizer` | `cma-es` | `blockwise:cma-es` |" in settings_page()
