import numpy as np
import pytest

from blackbox.spaces.layer_projections import FloatArray, LayerProjections

BLOCK, OUTPUTS = 3, 8


class Counted(LayerProjections):
    """Counts the arrays that it finishes; an array is the projected numbers as two rows."""

    def __init__(self, **settings: object) -> None:
        self.finished: list[int] = []
        super().__init__(
            {5: 1.0, 2: 1.0},
            OUTPUTS,
            finish=self._count,
            **{"dimension": BLOCK, "alpha": 1.0, "projection": "gaussian", "seed": 1, **settings},  # type: ignore[arg-type]
        )

    def _count(self, layer: int, projected: FloatArray) -> FloatArray:
        assert projected.shape == (OUTPUTS,)
        self.finished.append(layer)
        return projected.reshape(2, -1)


def draw(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 2 * BLOCK))


def test_layers_come_in_order_with_a_block_each() -> None:
    of = Counted()
    assert of.layers == (2, 5)
    assert of.blocks == (BLOCK, BLOCK)
    assert [list(arrays) for arrays in of.arrays(draw(3))] == [[2, 5]] * 3


def test_an_array_is_what_finish_makes_and_read_only() -> None:
    for array in Counted().arrays(draw(1))[0].values():
        assert array.shape == (2, 4)
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0


def test_the_numbers_of_a_layer_become_an_array_once_in_a_call_and_the_next() -> None:
    of, candidates = Counted(), draw(2)
    candidates[1, :BLOCK] = candidates[0, :BLOCK]
    first = of.arrays(candidates)
    assert sorted(of.finished) == [2, 5, 5]
    again = of.arrays(candidates[::-1])
    assert sorted(of.finished) == [2, 5, 5]
    assert first[0][2] is first[1][2] is again[0][2]
    assert first[0][5] is again[1][5] is not first[1][5]


def test_only_the_last_call_is_remembered() -> None:
    of = Counted()
    before = of.arrays(draw(1, seed=1))
    of.arrays(draw(1, seed=2))
    after = of.arrays(draw(1, seed=1))
    assert after[0][2] is not before[0][2]
    assert np.array_equal(after[0][2], before[0][2])


def test_no_candidates_have_no_arrays() -> None:
    assert Counted().arrays(np.zeros((0, 2 * BLOCK))) == []


def test_a_candidate_of_another_length_is_refused_and_changes_nothing() -> None:
    of = Counted()
    before = of.arrays(draw(1))
    with pytest.raises(ValueError, match="cannot reshape"):
        of.arrays(np.zeros((1, BLOCK)))
    assert of.arrays(draw(1))[0][2] is before[0][2]


def test_the_new_numbers_of_a_layer_are_projected_in_one_call() -> None:
    of, calls = Counted(), []
    projection = of._projections[2]

    def count(parts: np.ndarray) -> FloatArray:
        calls.append(len(parts))
        return projection(parts)

    of._projections[2] = count
    candidates = draw(6)
    candidates[3] = candidates[0]
    of.arrays(candidates[:4])
    of.arrays(candidates)
    assert calls == [3, 2]


def test_an_array_that_is_kept_keeps_no_other_in_memory() -> None:
    made = Counted().arrays(draw(20))[0][2]
    assert made.base is None or made.base.nbytes == made.nbytes
