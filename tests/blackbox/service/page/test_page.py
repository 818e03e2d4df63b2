"""The page in a real browser, on a real service: what a click does, and what is seen then."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from selenium.webdriver.common.keys import Keys

from blackbox.report.words import counted
from blackbox.saved_prompt import SavedPrompt
from tests.blackbox.service.page.browser import Browser
from tests.blackbox.service.page.serving import Serving
from tests.blackbox.service.page.steps import EVIL, ROWS, TEXTS, choose, hand_in_example


def test_the_worked_example_is_handed_in_by_two_clicks_and_watched_to_its_end(
    browser: Browser, service: Serving
) -> None:
    job = hand_in_example(browser, service, name="example")
    browser.find(".badge", "succeeded")
    prompt = service.get(f"/v1/tuning/jobs/{job}/result")["prompt"]
    layers = len(prompt["layers"])
    vectors = layers * len(prompt["token_ids"])
    browser.until_text(f"A prompt of {vectors} vectors in the layers of the model ({layers} layers)")
    browser.find("svg", "Lowest training loss")
    browser.find("svg", "accuracy on the dev rows")
    browser.until_text("there are no more events", "[aria-label='What happened']")
    asked = service.get(f"/v1/tuning/jobs/{job}")
    assert f"{asked['progress']['evaluations']} of 300 evaluations" in browser.text()
    assert f"{asked['progress']['train_loss']:.4f}" in browser.text()
    assert f"{asked['summary']['test_after']['value']:.1%}" in browser.text(".figures")


def test_a_job_is_paused_resumed_and_cancelled_and_each_change_is_announced(browser: Browser, service: Serving) -> None:
    hand_in_example(browser, service, name="long", evaluations=30000)
    browser.until_text("Job long is searching.", "#announcements")
    browser.click("button", "Pause")
    browser.find(".badge", "paused")
    browser.until_text("Job long is paused.", "#announcements")
    browser.click("button", "Resume")
    browser.find(".badge", "running")
    browser.click("button", "Cancel")
    browser.click("dialog button", "Cancel the job")
    browser.find(".badge", "cancelled")
    browser.until_text("Job long was cancelled.", "#announcements")
    assert not browser.has("button", "Pause")
    assert not browser.has("button", "Resume")


def test_a_curve_is_read_with_the_arrow_keys(browser: Browser, service: Serving) -> None:
    words = {"good": "great", f"poor {EVIL}": "bad"}
    settings = {"space": "choices", "instructions": ["Answer. ", "Judge. "], "label_words": words, "evaluations": 60}
    job = service.submit(name="curve", file=service.upload(ROWS), **settings)
    browser.open(f"{service.url}/#/jobs/{job}")
    browser.find(".badge", "succeeded")
    browser.until_text("there are no more events", "[aria-label='What happened']")
    browser.find("svg", "Lowest training loss")
    events = service.get(f"/v1/tuning/jobs/{job}/events?limit=100")["data"]
    first, *_, last = (event["data"] for event in events if event["type"] == "generation")
    browser.run("document.querySelector('svg').focus()")
    for key, seen in ((Keys.HOME, first), (Keys.END, last)):
        browser.press(key)
        told = f"After {counted(seen['evaluations'], 'evaluation')}: {seen['train_loss']:.4f}"
        browser.until_text(told, "#announcements")


def test_a_job_that_fails_says_why(browser: Browser, service: Serving) -> None:
    job = service.submit(
        name="wrong", file=service.upload(ROWS), **{**TEXTS, "label_words": {"good": "great", "other": "bad"}}
    )
    browser.open(f"{service.url}/#/jobs/{job}")
    browser.find(".badge", "failed")
    browser.until_text(service.get(f"/v1/tuning/jobs/{job}")["error"])
    browser.until_text("None was found.")


def test_a_question_that_is_answered_no_changes_nothing(browser: Browser, service: Serving, ended: str) -> None:
    browser.open(f"{service.url}/#/jobs/{ended}")
    browser.click("button", "Delete")
    browser.find("dialog button", "Delete it")
    browser.press(Keys.ENTER)  # the first button keeps it
    browser.until(lambda: not browser.has("dialog"), "the end of the question")
    assert service.get(f"/v1/tuning/jobs/{ended}")["status"] == "succeeded"


def test_an_ended_job_is_deleted(browser: Browser, service: Serving) -> None:
    job = service.submit(name="to be deleted", file=service.upload(ROWS), **TEXTS)
    browser.open(f"{service.url}/#/jobs/{job}")
    browser.find(".badge", "succeeded")
    browser.click("button", "Delete")
    browser.click("dialog button", "Delete it")
    browser.find("h1", "Jobs")
    assert requests.get(f"{service.url}/v1/tuning/jobs/{job}", timeout=20).status_code == 404


def test_the_prompt_is_downloaded_as_the_library_reads_it(
    browser: Browser, service: Serving, ended: str, tmp_path: Path
) -> None:
    browser.open(f"{service.url}/#/jobs/{ended}")
    browser.click("button", "Download the prompt")
    file = browser.downloads / f"{ended}.zip"
    browser.until(file.exists, "the file")
    zipfile.ZipFile(file).extractall(tmp_path)
    assert SavedPrompt.load(tmp_path).text == service.get(f"/v1/tuning/jobs/{ended}/result")["prompt"]["text"]


def test_the_prompt_is_tried_on_a_text(browser: Browser, service: Serving, ended: str) -> None:
    browser.open(f"{service.url}/#/jobs/{ended}")
    browser.fill("text", "A great day.")
    browser.click("button", "Ask the model")
    browser.find(".bars dd")
    shares = browser.run("return [...document.querySelectorAll('.bars dd')].map((dd) => parseFloat(dd.textContent))")
    widths = browser.run("return [...document.querySelectorAll('.share i')].map((bar) => parseFloat(bar.style.width))")
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert widths == shares == sorted(shares, reverse=True)
    assert browser.text("form + div .lead") == browser.text(".bars dt")


def test_jobs_are_chosen_in_the_list_and_compared(browser: Browser, service: Serving, jobs: list[str]) -> None:
    browser.open(service.url)
    for number in (1, 2):
        browser.click("input[type=checkbox]", f"Choose {EVIL} {number}")
    browser.click("button", "Compare 2 jobs")
    browser.until(lambda: browser.run("return document.querySelectorAll('svg .line').length") == 4, "two lines twice")
    rows = browser.run("return [...document.querySelectorAll('.compared tbody a')].map((link) => link.textContent)")
    assert rows == [f"{EVIL} 1", f"{EVIL} 2"]


def test_the_list_shows_the_jobs_that_its_filters_name(browser: Browser, service: Serving, ended: str) -> None:
    browser.open(service.url)
    browser.find("a", f"{EVIL} 1")
    browser.choose("Status", "failed")
    browser.until(lambda: not browser.has("a", f"{EVIL} 1"), "the job's end in the list")
    browser.choose("Status", "succeeded")
    browser.find("a", f"{EVIL} 1")
    browser.fill("Tag", "team=nobody\n")
    browser.until_text("No job is like that.")


def test_a_job_is_handed_in_with_the_keyboard_alone_and_the_focus_is_always_seen(
    browser: Browser, service: Serving
) -> None:
    browser.open(f"{service.url}/#/new")
    browser.find("button", "Fill in")
    browser.tab_to("Start the search")
    browser.open(f"{service.url}/#/new")
    browser.find("button", "Fill in")
    browser.tab_to("Fill in a worked example")
    browser.press(Keys.ENTER)
    browser.until(lambda: browser.run("return document.activeElement.textContent") == "Start the search", "the focus")
    browser.press(Keys.ENTER)
    browser.find("h1", "customer feedback")


def test_text_of_users_stays_text(browser: Browser, service: Serving, ended: str) -> None:
    for view in ("", f"#/jobs/{ended}", f"#/compare?jobs={ended}"):
        browser.open(f"{service.url}/{view}")
        browser.until_text(EVIL)
    browser.open(f"{service.url}/#/jobs/{ended}")
    browser.until_text(f"{EVIL} Judge.", "[aria-label='Evaluations']")
    browser.open(f"{service.url}/#/new")
    choose(browser, ROWS)
    browser.until_text(f"{EVIL} great number 0", ".preview")
    browser.fill("Template", "{label} {<img>}")
    browser.until_text("{<img>} is no field name")
    assert browser.run("return window.evil === undefined && !document.querySelector('img')")


def test_no_script_can_make_elements_of_a_text(browser: Browser, service: Serving) -> None:
    browser.open(service.url)
    body = "try { document.body.innerHTML = given[0]; return 'made'; } catch (error) { return error.name; }"
    assert browser.imported("words.js", body, EVIL) == "TypeError"
    assert browser.complaints()  # the browser says so, too


def test_a_field_that_rows_lack_is_named_before_anything_is_handed_in(browser: Browser, service: Serving) -> None:
    browser.open(f"{service.url}/#/new")
    choose(browser, "sentence,label\nGood.,good\nBad.,bad\n", name="rows.csv")
    browser.until_text("Row 1 of training file has no field text; its fields are sentence, label.")
    browser.find("mark", "{text} is missing")
    browser.click("button", "Start the search")
    assert browser.run("return document.activeElement.value") == "{text} It was {label}."
    browser.fill("Template", "{sentence} It was {label}.")
    browser.until_text("Good. It was good.", ".preview")
    assert "has no field" not in browser.text()


def test_labels_with_the_same_word_are_refused_beside_the_words(browser: Browser, service: Serving) -> None:
    browser.open(f"{service.url}/#/new")
    choose(browser, ROWS)
    browser.fill("good", "bad")
    browser.fill(f"poor {EVIL}", "bad")
    browser.click("button", "Start the search")
    browser.until_text("Every label needs a word of its own.", "fieldset")
    assert browser.run("return document.activeElement.closest('fieldset') !== null")


def test_an_error_of_the_service_stands_beside_the_field_that_it_is_about(browser: Browser, service: Serving) -> None:
    browser.open(f"{service.url}/#/new")
    browser.click("button", "Fill in a worked example")
    browser.until_text("feedback-test.jsonl: 8 rows")
    browser.fill("Evaluations", "50000")
    browser.click("button", "Start the search")
    browser.until_text("allows at most 30000")
    assert browser.run("return document.activeElement.labels[0].textContent") == "Evaluations"
    assert browser.run("return document.activeElement.getAttribute('aria-invalid')") == "true"


def test_rows_that_cannot_be_read_are_refused_with_their_line(browser: Browser, service: Serving) -> None:
    browser.open(f"{service.url}/#/new")
    choose(browser, '{"text": "fine", "label": "a"}\n{"text": oh}\n')
    browser.until_text("line 2 is no JSON")


def test_a_tab_that_nobody_sees_gives_its_stream_back(browser: Browser, service: Serving) -> None:
    job = service.submit(name="unseen", file=service.upload(ROWS), **{**TEXTS, "evaluations": 30000})
    requests.post(f"{service.url}/v1/tuning/jobs/{job}/pause", timeout=20)
    browser.open(f"{service.url}/#/jobs/{job}")
    browser.until(lambda: open_streams(service) == 1, "a stream")
    for hidden, streams in (("true", 0), ("false", 1)):
        browser.run(
            f"Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }});"
            "document.dispatchEvent(new Event('visibilitychange'));"
        )
        browser.until(lambda wanted=streams: open_streams(service) == wanted, f"{streams} streams")
    browser.until_text("Live: new events appear by themselves.")


def open_streams(service: Serving) -> int:
    lines = requests.get(f"{service.url}/metrics", timeout=20).text.splitlines()
    return next(int(float(line.split()[-1])) for line in lines if line.startswith("blackbox_watchers "))


def test_a_token_is_asked_for_until_it_is_right_and_kept_in_the_session_only(
    browser: Browser, guarded: Serving
) -> None:
    browser.open(guarded.url)
    browser.fill("Token", "wrong")
    browser.click("dialog button", "Go on")
    browser.until_text("this token is not known or was revoked", "#token-reason")
    give_token(browser, guarded)
    browser.until_text("There are no jobs yet.")
    kept = browser.run("return [Object.values(sessionStorage), localStorage.length, document.cookie]")
    assert kept == [[guarded.token], 0, ""]
    browser.click("button", "Forget the token")
    browser.find("dialog button", "Go on")


def give_token(browser: Browser, service: Serving) -> None:
    browser.fill("Token", str(service.token))
    browser.click("dialog button", "Go on")


def test_the_watch_goes_on_where_it_was_when_a_service_that_was_killed_comes_back(
    browser: Browser, guarded: Serving
) -> None:
    browser.open(guarded.url)
    give_token(browser, guarded)
    job = hand_in_example(browser, guarded, name="long", evaluations=600)
    browser.find("svg", "Lowest training loss")
    guarded.kill()
    browser.until_text("The connection is lost; trying again.")
    guarded.start()
    browser.find(".badge", "succeeded")
    browser.until_text("there are no more events", "[aria-label='What happened']")
    kinds = browser.run("return [...document.querySelectorAll('.events b')].map((kind) => kind.textContent)")
    told = [event["type"].replace("_", " ") for event in all_events(guarded, job)]
    once = [kind for place, kind in enumerate(told) if kind != "generation" or told[place - 1] != "generation"]
    assert kinds == once[::-1]
    assert "handed back" in kinds


def test_older_jobs_stand_on_further_pages(browser: Browser, guarded: Serving) -> None:
    file = guarded.upload(ROWS)
    for number in range(25):
        guarded.submit(name=f"job {number}", file=file, **TEXTS)
    browser.open(guarded.url)
    give_token(browser, guarded)
    browser.find("a", "job 24")
    assert not browser.has("a", "job 4")
    browser.click("button", "Older")
    browser.find("a", "job 4")
    assert not browser.has("a", "job 24")
    browser.click("button", "Newer")
    browser.find("a", "job 24")


def all_events(service: Serving, job: str) -> Iterator[dict[str, str]]:
    after: str | None = "0"
    while after is not None:
        page = service.get(f"/v1/tuning/jobs/{job}/events?after={after}&limit=100")
        yield from page["data"]
        after = page["last_id"] if page["has_more"] else None
