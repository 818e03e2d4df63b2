"""How the page looks: in narrow and wide windows, in the light and in the dark, and for those who want no motion."""

from typing import Literal

import pytest

from tests.blackbox.service.page.browser import Browser
from tests.blackbox.service.page.contrast import FAINT_TEXTS
from tests.blackbox.service.page.serving import Serving

VIEWS = ("", "#/new", "#/compare?jobs={}", "#/jobs/{}", "#/nowhere")


@pytest.mark.parametrize("width", [360, 1600])
def test_no_view_is_wider_than_the_window(browser: Browser, service: Serving, ended: str, width: int) -> None:
    browser.look(width=width)
    for view in VIEWS:
        show(browser, service, view.format(ended))
        wide, window = browser.run("return [document.scrollingElement.scrollWidth, innerWidth]")
        assert wide <= window, view


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, service: Serving, ended: str, colours: Literal["light", "dark"]
) -> None:
    browser.look(colours=colours)
    for view in VIEWS:
        show(browser, service, view.format(ended))
        assert browser.run(FAINT_TEXTS, 4.5) == [], view
    background = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(background) < 200) == (colours == "dark")


def show(browser: Browser, service: Serving, view: str) -> None:
    """A view with all that it has to show."""
    browser.open(f"{service.url}/{view}")
    browser.find("h1")
    if "new" in view:
        browser.click("button", "Fill in a worked example")
        browser.until_text("feedback-test.jsonl: 8 rows")
    elif "job" in view:
        browser.find("svg", "Lowest training loss")
    elif not view:
        browser.find("td")


@pytest.mark.parametrize("still", [False, True])
def test_nothing_moves_for_those_who_wish_so(browser: Browser, service: Serving, ended: str, still: bool) -> None:
    browser.look(still=still)
    browser.open(f"{service.url}/#/jobs/{ended}")
    browser.fill("text", "A great day.")
    browser.click("button", "Ask the model")
    browser.find(".bars dd")
    assert browser.run("return getComputedStyle(document.querySelector('.share i')).transitionDuration") == (
        "0s" if still else "0.3s"
    )
