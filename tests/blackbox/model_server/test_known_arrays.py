import gc

import numpy as np

from blackbox.model_server.known_arrays import KnownArrays


def array(value: float, shape: tuple[int, ...] = (2, 3)) -> np.ndarray:
    made = np.full(shape, value, np.float32)
    made.setflags(write=False)
    return made


def same(known: KnownArrays, arrays: dict[str, np.ndarray], layer: int = 0) -> dict[str, np.ndarray]:
    """All of them in one layer."""
    return known.same(arrays, dict.fromkeys(arrays, layer))


def test_the_same_content_is_the_same_object_while_somebody_holds_it() -> None:
    known = KnownArrays()
    held = same(known, {"0": array(1), "1": array(2)})
    again = same(known, {"5": array(2), "6": array(1), "7": array(3)})
    assert again["5"] is held["1"]
    assert again["6"] is held["0"]
    assert len(known) == 3


def test_nothing_is_kept_that_nobody_holds() -> None:
    known = KnownArrays()
    held = same(known, {"0": array(1), "1": array(2)})
    del held["1"]
    gc.collect()
    assert len(known) == 1


def test_two_arrays_of_one_call_stay_two() -> None:
    known = KnownArrays()
    first = same(known, {"0": array(1), "1": array(1)})
    assert first["0"] is not first["1"]
    second = same(known, {"0": array(1), "1": array(1)})
    assert second["0"] is first["0"]
    assert second["1"] is not second["0"]


def test_another_shape_is_another_array() -> None:
    known = KnownArrays()
    held = same(known, {"0": array(1, (2, 3)), "1": array(1, (3, 2)), "2": array(1, (6,))})
    assert len({id(one) for one in held.values()}) == 3


def test_the_same_content_in_another_layer_is_another_array_and_known_again_there() -> None:
    """A search begins with zeros in every layer."""
    known, layers = KnownArrays(), {"0": 3, "1": 4, "2": 5}
    first = known.same({name: array(0) for name in layers}, layers)
    assert len({id(one) for one in first.values()}) == 3
    second = known.same({"1": array(0), "7": array(0)}, {"1": 5, "7": 4})
    assert second["1"] is first["2"]
    assert second["7"] is first["1"]
