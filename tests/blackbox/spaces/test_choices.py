from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from blackbox import Task
from blackbox.backends import TextPrompt
from blackbox.errors import SettingError
from blackbox.spaces import ChoicesSpace
from blackbox.spaces.general import label_words_of, sample_of_rows
from tests.blackbox.small import make_target_task, make_task

TASK = make_task(train=6)


def make_space(task: Task = TASK, **settings: object) -> ChoicesSpace:
    given = {"demonstrations": 3, "pool": [0, 1, 4, 5], **settings}
    return ChoicesSpace(task, ["", "Say it."], **given)  # type: ignore[arg-type]


def chosen(space: ChoicesSpace, **values: int) -> npt.NDArray[np.float64]:
    names = {name.replace(" ", "_"): place for place, name in enumerate(space.names)}
    candidate = np.zeros((1, space.dimension))
    for name, value in values.items():
        candidate[0, names[name]] = value
    return candidate


def decoded(space: ChoicesSpace, **values: int) -> TextPrompt:
    (prompt,) = space.decode(chosen(space, **values))
    assert isinstance(prompt, TextPrompt)
    return prompt


def test_zeros_are_the_first_instruction_and_nothing_else() -> None:
    assert decoded(make_space()) == TextPrompt("")
    assert decoded(make_space(role="system"), instruction=1) == TextPrompt("Say it.\n\n", role="system")


def test_the_label_words_are_listed_in_either_order() -> None:
    space = make_space()
    assert decoded(space, listing=1).text == "Answer with one of: bad, great.\n\n"
    assert decoded(space, listing=2, instruction=1).text == "Say it. Answer with one of: great, bad.\n\n"


def test_rows_are_shown_in_order_each_once_with_their_answers() -> None:
    prompt = decoded(make_space(), shown=3, row_1=2, row_2=0, row_3=2)
    assert [shown.row for shown in prompt.demonstrations] == [4, 0]
    assert [shown.whole for shown in prompt.demonstrations] == [
        "Day 4 was bad. It was bad.",
        "Day 0 was bad. It was bad.",
    ]
    assert [shown.row for shown in decoded(make_space(), shown=1, row_1=1, row_2=2).demonstrations] == [1]


def test_format_and_words_go_for_the_shown_rows_too() -> None:
    space = make_space(words=[("poor", "fine")])
    prompt = decoded(space, layout=1, separator=1, words=3, shown=1, row_1=1)
    assert prompt.template == "Text:\n{text}\nAnswer:\n{label}"
    assert prompt.label_words == ("poor", "fine")
    assert prompt.demonstrations[0].whole == "Text:\nDay 1 was great.\nAnswer:\nfine"


def test_every_candidate_has_a_prompt_and_sizes_say_how_many_there_are() -> None:
    space = make_space(demonstrations=1, pool=[0, 3])
    candidates = np.array(list(product(*map(range, space.sizes))), dtype=np.float64)
    prompts = space.decode(candidates)
    assert len(prompts) == np.prod(space.sizes)
    assert prompts[0] == TextPrompt("")
    assert space.dimension == len(space.sizes) == len(space.names)


def test_a_task_with_targets_has_no_words_to_choose() -> None:
    space = ChoicesSpace(make_target_task(train=4), ["Add."], demonstrations=2, pool=[0, 1, 2])
    assert "listing" not in space.names
    assert "words" not in space.names
    assert decoded(space, shown=1, row_1=1).demonstrations[0].whole == "What is 1 + 2?\nThe sum is 3."


def test_instructions_may_be_added_and_are_part_of_its_state() -> None:
    space = make_space()
    assert space.add("Say it.") == 1
    assert space.add("Be brief.") == 2
    assert decoded(space, instruction=2).text == "Be brief.\n\n"
    other = make_space()
    other.load_state_dict(space.state_dict())
    assert decoded(other, instruction=2).text == "Be brief.\n\n"
    assert other.sizes == make_space().sizes


def test_no_prompt_is_longer_than_the_longest() -> None:
    space = make_space(words=[("not so good", "fine")])
    rng = np.random.default_rng(0)
    prompts = space.decode(rng.integers(space.sizes, size=(300, space.dimension)).astype(np.float64))

    def lengths(prompt: object) -> tuple[int, int]:
        assert isinstance(prompt, TextPrompt)
        return len(prompt.whole), len(prompt.template or "")

    longest = [lengths(prompt) for prompt in space.longest()]
    for prompt in prompts:
        whole, template = lengths(prompt)
        assert whole <= longest[bool(template)][0]
        assert template <= longest[1][1]


def test_the_places_of_shown_rows_are_alike() -> None:
    space = make_space()
    assert space.names[-3:] == ("row 1", "row 2", "row 3")
    assert space.blocks == (1,) * (space.dimension - 3) + (3,)
    assert make_space(demonstrations=0).blocks == (1,) * make_space(demonstrations=0).dimension


def test_instructions_must_differ() -> None:
    for given in ([], ["a", "a"]):
        with pytest.raises(SettingError, match="no two alike"):
            ChoicesSpace(TASK, given, demonstrations=1, pool=[0])


def test_rows_to_show_are_a_balanced_sample() -> None:
    labels = np.array([0] * 30 + [1] * 10)
    sample = sample_of_rows(labels, 12, seed=3)
    assert len(set(sample)) == 12
    assert sample == sorted(sample)
    assert labels[sample].sum() == 3
    assert sample_of_rows(labels, 100, seed=3) == list(range(40))


def test_further_words_are_given_by_label() -> None:
    assert label_words_of({"positive": "fine", "negative": "poor"}, ("negative", "positive")) == ("poor", "fine")
    for words in ({"positive": "fine"}, {"positive": "fine", "negative": "fine"}, {"positive": "a", "other": "b"}):
        with pytest.raises(SettingError, match="each label a word of its own"):
            label_words_of(words, ("negative", "positive"))
