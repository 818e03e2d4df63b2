from typing import Any

from blackbox import Measured, tune
from blackbox.backends import Demonstration, TextPrompt, Usage
from blackbox.evaluation import Evaluation
from blackbox.report.tried_prompts import tried_prompts
from blackbox.text_prompts import prompt_to_dict
from tests.blackbox.small import make_task

SEEN = Measured("accuracy", 0.5, 0.2, 0.8, 8)


def make_evaluation(number: int, *, candidate: str, loss: float = 1.0, **settings: Any) -> Evaluation:
    made = {"generation": number, "block": None, "rows": 8, "failed_rows": 0, "usage": Usage(), "elapsed": 0.0}
    parts = {**made, "split": "train", "measured": SEEN, **settings}
    return Evaluation(number, candidate=candidate, loss=loss, **parts)


def test_every_prompt_stands_once_the_selected_first_then_by_dev_and_loss() -> None:
    prompts = {name: prompt_to_dict(TextPrompt(name)) for name in "abc"}
    history = [
        make_evaluation(0, candidate="a", loss=2.0, prompt=prompts["a"]),
        make_evaluation(1, candidate="a", loss=2.0, split="dev"),
        make_evaluation(2, candidate="b", loss=1.0, prompt=prompts["b"]),
        make_evaluation(3, candidate="c", loss=1.5, prompt=prompts["c"]),
        make_evaluation(4, candidate="c", loss=1.2, prompt=prompts["c"]),
    ]
    found = tried_prompts(history, "b")
    assert [(one.text, one.loss) for one in found] == [("b", 1.0), ("a", 2.0), ("c", 1.2)]
    assert [one.selected for one in found] == [True, False, False]
    assert found[1].dev is not None


def test_what_a_prompt_is_made_of_is_shown() -> None:
    shown = Demonstration("A day. It was ", "bad", row=0)
    prompt = TextPrompt("Say it.\n\n", (shown,), "system", "{text}\n{label}", ("no", "yes"))
    (one,) = tried_prompts([make_evaluation(0, candidate="a", prompt=prompt_to_dict(prompt))], None)
    assert (one.text, one.shown) == ("Say it.", ("A day. It was bad",))
    assert one.form == r"rows: '{text}\n{label}'; labels: 'no, yes'; role: 'system'"


def test_a_run_keeps_its_text_prompts_and_no_vectors() -> None:
    texts = tune(make_task(), backend="fake", space="texts", prompts=["Say it. ", "classify "], evaluations=20)
    assert {one.text for one in tried_prompts(texts.history, None)} == {"Say it.", "classify"}
    assert all((one.prompt is not None) == (one.split == "train") for one in texts.history)
    vectors = tune(make_task(), backend="fake", space="soft", dimension=4, population=4, evaluations=20)
    assert tried_prompts(vectors.history, None) == []
