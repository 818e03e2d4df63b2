"""One service and one browser for all tests of the page."""

from collections.abc import Iterator

import pytest

from tests.blackbox.service.page.browser import CHROMIUM, DRIVER, Browser
from tests.blackbox.service.page.serving import Serving, serving
from tests.blackbox.service.page.steps import EVIL, ROWS, TEXTS


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium and chromedriver here; on Debian: apt-get install chromium chromium-driver")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser, 1,200 pixels wide and light; at the end its console must have no complaints."""
    chromium.complaints()
    chromium.look()
    yield chromium
    assert chromium.complaints() == []
    chromium.close_page()


@pytest.fixture(scope="session")
def service(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service without tokens."""
    with serving(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="session")
def guarded(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that wants a token."""
    with serving(tmp_path_factory.mktemp("guarded")) as found:
        found.want_token()
        yield found


@pytest.fixture(scope="session")
def jobs(service: Serving) -> list[str]:
    """Two jobs of text prompts, whose names, rows, labels and prompts hold HTML."""
    file = service.upload(ROWS)
    return [service.submit(name=f"{EVIL} {number}", file=file, seed=number, **TEXTS) for number in (1, 2)]


@pytest.fixture
def ended(browser: Browser, service: Serving, jobs: list[str]) -> str:
    """One of them, which has ended."""
    path = f"/v1/tuning/jobs/{jobs[0]}"
    browser.until(lambda: service.get(path)["status"] == "succeeded", "the job's end")
    return jobs[0]
