import numpy as np

from benchmarks.token_labelling import GAIN, gained
from blackbox import Task
from blackbox.backends import FakeBackend, TextPrompt


def test_the_gain_is_the_difference_of_the_shares_and_its_interval_one_over_sentences() -> None:
    after, before, sentences = np.array([1, 1, 1, 0]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    gain = GAIN(after, before, sentences, ("a", "b"))
    assert (gain.value, gain.rows) == (0.25, 4)
    assert (gain.low, gain.high) == (0.0, 0.5)  # of one sentence alone 0 and 0.5


def test_a_prompt_gains_nothing_on_itself() -> None:
    rows = [{"tokens": ["a", "dog"], "tags": ["D", "N"]}, {"tokens": ["the", "cat"], "tags": ["D", "N"]}]
    words = {"D": "good", "N": "bad"}
    task = Task(rows, test=rows, template="{text} {token} is {label}", label_words=words, tags_field="tags")
    prompt = TextPrompt("Tag. ")
    gain = gained(FakeBackend(), task, prompt, prompt)
    assert (gain.value, gain.low, gain.high, gain.rows) == (0.0, 0.0, 0.0, 4)
