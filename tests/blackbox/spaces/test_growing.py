"""Space choices as searches that add to it need it."""

import json

import numpy as np
import pytest

from blackbox.backends import TextPrompt
from blackbox.domains import domain_of
from blackbox.optimizers.edits import Variables
from blackbox.spaces import ChoicesSpace, GrowingSpace, TextsSpace
from tests.blackbox.small import make_target_task, make_task


def make_space(demonstrations: int = 3) -> ChoicesSpace:
    task = make_task()
    return ChoicesSpace(task, ["", "Judge it."], demonstrations=demonstrations, pool=range(len(task.train)))


def test_what_was_added_is_what_another_space_goes_on_with() -> None:
    space, other = make_space(), make_space()
    assert space.add("Weigh every word.") == space.add("Weigh every word.") == 2
    other.load_state_dict(json.loads(json.dumps(space.state_dict())))
    assert other.instructions == ["", "Judge it.", "Weigh every word."]
    candidate = np.zeros((1, space.dimension))
    candidate[0, 0] = 2
    assert other.decode(candidate) == space.decode(candidate)
    assert isinstance(space, GrowingSpace)
    assert not isinstance(TextsSpace([TextPrompt("a"), TextPrompt("b")]), GrowingSpace)


@pytest.mark.parametrize("demonstrations", [0, 1, 3])
def test_two_candidates_that_mean_the_same_are_the_same_prompt_and_others_are_not(demonstrations: int) -> None:
    space = make_space(demonstrations)
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, space.sizes, size=(3000, space.dimension))
    drawn[:, 1:4] = 0  # many that are alike
    of_meaning: dict[tuple[int, ...], object] = {}
    for candidate, prompt in zip(drawn, space.decode(drawn.astype(np.float64)), strict=True):
        assert of_meaning.setdefault(space.meaning(candidate.tolist()), prompt) == prompt
    assert len(set(of_meaning.values())) == len(of_meaning) < 3000


def test_a_meaning_means_itself() -> None:
    space = make_space()
    for candidate in np.random.default_rng(2).integers(0, space.sizes, size=(200, space.dimension)):
        meaning = space.meaning(candidate.tolist())
        assert space.meaning(meaning) == meaning
        assert space.decode(np.array([meaning], dtype=np.float64)) == space.decode(candidate[None].astype(np.float64))


def test_the_places_of_rows_are_one_block_that_an_optimizer_finds_with_its_count() -> None:
    for space in (make_space(), ChoicesSpace(make_target_task(), ["a", "b"], demonstrations=4, pool=range(8))):
        of = Variables.of(space.sizes, domain_of(space).blocks)
        assert [space.names[place] for place in of.rows] == [f"row {i + 1}" for i in range(len(of.rows))]
        assert of.count is not None
        assert space.names[of.count] == "shown"
