from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from blackbox.evaluation import Evaluation
from blackbox.metrics import Measured
from blackbox.report.page import write_report
from blackbox.summary import Summary
from blackbox.tried import Tried

Make = Callable[..., tuple[Evaluation, ...]]
Measure = Callable[..., Measured]

NOTHING: dict[str, object] = {}
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What stands in a page: its tags with their attributes, and the text a reader sees."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture
def summary(measured: Measure) -> Summary:
    return Summary(
        status="succeeded",
        stop_reason="evaluations",
        evaluations=10,
        requests=720,
        prompt_tokens=28_800,
        completion_tokens=17,
        usd=0.0123,
        seconds=185.0,
        train_loss=0.6,
        dev=measured(0.75),
        test_before=measured(0.5, 200),
        test_after=measured(0.8, 200),
    )


@pytest.fixture
def page(tmp_path: Path, summary: Summary, small_history: Make) -> Callable[..., Page]:
    """The page of the small run; arguments replace its parts."""

    def write(**parts: object) -> Page:
        defaults: dict[str, object] = {"name": "reviews", "summary": summary, "history": small_history()}
        defaults |= {"config": NOTHING, "environment": NOTHING, "curve": None}
        write_report(tmp_path / "report.html", **(defaults | parts))  # type: ignore[arg-type]
        return Page(tmp_path / "report.html")

    return write


def test_prompts_that_a_model_wrote_are_counted(page: Callable[..., Page], summary: Summary) -> None:
    assert "different prompts" not in page().text
    text = page(summary=replace(summary, texts=7, refused=3)).text
    assert "different prompts among the candidates: equal ones are scored once; 3 candidates had none" in text


def test_the_page_loads_nothing_from_anywhere(page: Callable[..., Page]) -> None:
    tags = page(curve=b"picture").tags
    addresses = [value or "" for _, found in tags for key, value in found.items() if key in {"src", "href", "srcset"}]
    assert addresses == ["data:image/png;base64," + b64encode(b"picture").decode()]
    assert not {"script", "link", "iframe", "base"} & {tag for tag, _ in tags}


def test_the_browser_is_told_to_load_nothing(page: Callable[..., Page]) -> None:
    policies = [found["content"] for _, found in page().tags if found.get("http-equiv") == "Content-Security-Policy"]
    assert [policy and policy.startswith("default-src 'none'") for policy in policies] == [True]


def test_the_style_reaches_for_no_file(page: Callable[..., Page], tmp_path: Path) -> None:
    page()
    content = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "url(" not in content
    assert "@import" not in content
    assert "prefers-color-scheme: dark" in content


def test_every_tag_is_closed(page: Callable[..., Page], small_history: Make) -> None:
    assert page(history=small_history(blockwise=True), curve=b"picture").open == []


def test_the_outcome_stands_there_with_intervals_and_row_counts(page: Callable[..., Page], measured: Measure) -> None:
    text = page().text
    assert "50.0% → 80.0% accuracy on the test rows" in text
    assert f"starting prompt {measured(0.5, 200)}" in text
    assert f"prompt found {measured(0.8, 200)}" in text
    assert "30.0 percentage points more" in text
    assert "The search ended because the budget of evaluations is spent." in text


def test_losses_stand_in_place_of_metrics_where_there_are_none(page: Callable[..., Page], small_history: Make) -> None:
    found = page(
        summary=Summary("succeeded", "patience", test_loss_before=2.5, test_loss_after=1.75),
        history=[replace(evaluation, measured=None) for evaluation in small_history()],
    )
    assert "2.5000 → 1.7500 loss on the test rows" in found.text
    assert "0.7500 nats less" in found.text
    assert "5 1 0.6000 0.2000 0.6100 2 start" in found.text  # the dev loss is the last figure of its row
    assert "The marked row is the selected prompt: the lowest dev loss." in found.text
    for word in ("%", "dev metric"):
        assert word not in found.text
    assert found.open == []


@pytest.mark.parametrize(
    "cost",
    [
        "evaluations 10",
        "requests 720",
        "prompt tokens 28,800",
        "completion tokens 17",
        "price 0.0123 USD",
        "time 3 min 05 s",
        "rows without an answer 32",
    ],
)
def test_every_cost_stands_there(page: Callable[..., Page], cost: str) -> None:
    assert cost in page().text


def test_rows_without_an_answer_are_mentioned_only_where_there_are_any(
    page: Callable[..., Page], small_history: Make
) -> None:
    assert "rows without an answer" not in page(history=small_history()[:9]).text


def test_the_improvements_are_listed_latest_first(page: Callable[..., Page]) -> None:
    text = page().text
    rows = ["10 3 0.5000 0.1000 0.7000 68.8%", "5 1 0.6000 0.2000 0.6100 75.0%", "2 start 0.8000 – 0.8200 50.0%"]
    places = [text.find(row) for row in rows]
    assert -1 not in places
    assert places == sorted(places)


def test_the_selected_prompt_alone_is_marked(page: Callable[..., Page]) -> None:
    rows = [found.get("class") for tag, found in page().tags if tag == "tr" and found.get("class")]
    assert rows == ["selected"]


def test_gains_by_block_are_told_of_blockwise_runs_only(page: Callable[..., Page], small_history: Make) -> None:
    assert "Gains by block" not in page().text
    text = page(history=small_history(blockwise=True)).text
    assert "block training evaluations improvements training loss fell by 0 2 1 0.2000 1 4 1 0.1000" in text


def test_settings_and_environment_are_listed_whole(page: Callable[..., Page]) -> None:
    config = {"label_words": {"good": "great"}, "seconds": None, "layers": [0, 4], "model": "smollm2-135m"}
    text = page(config=config, environment={"packages": {"numpy": "2.3.1"}, "data_hash": "b94d27"}).text
    for line in ("label_words.good great", "seconds –", "layers [0, 4]", "model smollm2-135m"):
        assert line in text
    assert "packages.numpy 2.3.1" in text
    assert "data_hash b94d27" in text


def test_text_is_escaped_wherever_it_comes_from(page: Callable[..., Page]) -> None:
    attack = "<script>alert(1)</script>"
    summary = Summary("failed", attack)
    found = page(name=attack, summary=summary, config={attack: attack}, environment={attack: attack})
    assert "script" not in {tag for tag, _ in found.tags}
    assert found.text.count(attack) == 7  # title, headline, reason, and twice in each list


def test_a_run_that_failed_at_once_has_a_page_too(page: Callable[..., Page]) -> None:
    text = page(summary=Summary("failed", "BackendError: gone"), history=()).text
    assert "The search failed: BackendError: gone" in text
    assert "No prompt was scored." in text


def test_a_run_without_dev_and_test_rows_has_a_page_too(page: Callable[..., Page], small_history: Make) -> None:
    found = page(summary=Summary("succeeded", "patience"), history=small_history(dev=False, test=False))
    assert "training loss went from 0.8000 to 0.5000" in found.text
    assert "dev metric" not in found.text


def test_an_older_report_is_replaced_and_no_draft_is_left(page: Callable[..., Page], tmp_path: Path) -> None:
    page(name="first")
    assert "second" in page(name="second").text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_what_a_row_costs_and_what_was_tried_after_the_search_have_a_section_of_their_own(
    page: Callable[..., Page], summary: Summary, small_history: Make
) -> None:
    assert "The prompt in use" not in page().text
    known = replace(summary, row_prompt_tokens=40.25, row_completion_tokens=1.0)
    assert "A row takes 40.2 prompt tokens and 1.0 completion tokens." in page(summary=known).text
    dev = next(found for found in small_history() if (found.split, found.candidate) == ("dev", "a"))
    tried = Tried(("a", "c"))
    better = replace(dev, candidate=tried.digest, loss=0.1, tried=tried)
    text = page(summary=known, history=(*small_history(), better)).text
    assert "an average of 2 prompts" in text
    assert "the selected prompt" in text
