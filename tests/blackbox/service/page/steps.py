"""Steps that several tests go, and a job whose texts all hold HTML."""

import json

from tests.blackbox.service.page.browser import Browser
from tests.blackbox.service.page.serving import Serving

EVIL = "<img src=x onerror='window.evil = true'>"
ROWS = "".join(
    json.dumps({"text": f"{EVIL} {word} number {number}", "label": label}) + "\n"
    for number in range(4)
    for word, label in (("great", "good"), ("bad", f"poor {EVIL}"))
)
TEXTS = {
    "space": "texts",
    "prompts": [f"{EVIL} Judge. ", "Say carefully. ", "Is it good? "],
    "label_words": {"good": "great", f"poor {EVIL}": "bad"},
    "evaluations": 20,
}


def hand_in_example(browser: Browser, service: Serving, *, name: str, evaluations: int = 300) -> str:
    """The id of the example's job, handed in by clicks; its page is seen then."""
    browser.open(f"{service.url}/#/new")
    browser.click("button", "Fill in a worked example")
    browser.until_text("feedback-test.jsonl: 8 rows")
    browser.fill("Name", name)
    browser.fill("Evaluations", str(evaluations))
    browser.click("button", "Start the search")
    browser.find("h1", name)
    return str(browser.run("return location.hash")).rpartition("/")[2]


def choose(browser: Browser, content: str, *, name: str = "rows.jsonl") -> None:
    """Choose a file with rows to learn from."""
    file = browser.downloads.parent / name
    file.write_text(content)
    browser.find("input[type=file]", "Rows to learn from").send_keys(str(file))
