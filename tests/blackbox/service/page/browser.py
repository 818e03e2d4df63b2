"""Headless Chromium, and what the tests do with it. Elements are found by what people see: names, labels, texts."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_DEADLINE = 120.0  # s; a machine that is busy is slow, not wrong
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMED = """
    const [scope, selector, text] = arguments;
    const seen = (node) => node.checkVisibility() && !node.closest('[hidden]');
    const name = (node) => node.getAttribute('aria-label') ?? (node.labels?.[0] ?? node).textContent.trim();
    const found = [...(scope ?? document).querySelectorAll(selector)];
    return found.find((node) => seen(node) && name(node).startsWith(text));
"""


class Browser:
    """A browser with a profile of its own."""

    def __init__(self, folder: Path) -> None:
        options = ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for argument in (*_ARGUMENTS, f"--user-data-dir={folder / 'profile'}", "--window-size=1200,900"):
            options.add_argument(argument)
        self.downloads = folder / "downloads"
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self._driver = Chrome(options=options, service=ChromeService(str(DRIVER)))
        self._driver.set_script_timeout(_DEADLINE)

    def close(self) -> None:
        self._driver.quit()

    def open(self, url: str) -> None:
        """Load a page, also where only what stands behind its # is new."""
        self.close_page()
        self._driver.get(url)

    def close_page(self) -> None:
        """Leave a page, and with it the streams that it watches and the token that it keeps."""
        self.run("if (location.protocol === 'http:') sessionStorage.clear()")
        self._driver.get("about:blank")

    def look(
        self, *, width: int = 1200, height: int = 900, colours: Literal["light", "dark"] = "light", still: bool = False
    ) -> None:
        """Have a window of a width, colours and, if `still`, a wish for no motion."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = {"prefers-color-scheme": colours, "prefers-reduced-motion": "reduce" if still else "no-preference"}
        wanted = [{"name": name, "value": value} for name, value in features.items()]
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def run(self, script: str, *arguments: object) -> Any:
        return self._driver.execute_script(script, *arguments)

    def imported(self, module: str, body: str, *arguments: object) -> Any:
        """What a function body returns that has a module of the page as `page` and `given` as its arguments."""
        script = f"""
            const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);
            import('/page/{module}').then(async (page) => {{ {body} }}).then(done, (error) => done('failed: ' + error));
        """
        return self._driver.execute_async_script(script, *arguments)

    def find(self, selector: str, text: str = "", *, inside: WebElement | None = None) -> WebElement:
        """What is seen, fits a CSS selector and is called so; waited for."""
        return self.until(lambda: self.run(_NAMED, inside, selector, text), f"{selector} {text!r}")

    def has(self, selector: str, text: str = "") -> bool:
        return self.run(_NAMED, None, selector, text) is not None

    def click(self, selector: str, text: str = "") -> None:
        self.find(selector, text).click()

    def fill(self, label: str, text: str) -> None:
        """Write into the field of a label, in place of what stands there."""
        field = self.find("input, textarea", label)
        field.clear()
        field.send_keys(text)

    def choose(self, label: str, option: str) -> None:
        """Choose an option of the select of a label."""
        Select(self.find("select", label)).select_by_visible_text(option)

    def press(self, *keys: str) -> None:
        """Press keys, whatever has the focus."""
        ActionChains(self._driver).send_keys(*keys).perform()

    def tab_to(self, text: str, *, most: int = 60) -> None:
        """Press Tab until what is called so has the focus, which is seen all the way."""
        for _ in range(most):
            self.press(Keys.TAB)
            name, outline = self.run(
                "const held = document.activeElement; const { outlineStyle, outlineWidth } = getComputedStyle(held);"
                "return [held.textContent.trim() || held.id, outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2];"
            )
            assert outline, f"the focus on {name!r} cannot be seen"
            if name.startswith(text):
                return
        raise AssertionError(f"Tab does not lead to {text!r}")

    def text(self, selector: str = "main") -> str:
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait for something that is true; its value."""
        end = time.monotonic() + _DEADLINE
        while True:
            try:
                if found := holds():
                    return found
            except StaleElementReferenceException:
                pass
            assert time.monotonic() < end, f"waited for {what}; the page says:\n{self.text('body')}"
            time.sleep(0.05)

    def until_text(self, text: str, selector: str = "main") -> None:
        self.until(lambda: text in self.text(selector), repr(text))

    def complaints(self) -> list[str]:
        """What the console was told since the last call, but for answers of the API that are no success."""
        lines = self._driver.get_log("browser")
        return [line["message"] for line in lines if line["source"] != "network" and line["level"] != "INFO"]
