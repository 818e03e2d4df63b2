import gc

import numpy as np

from blackbox.model_server.known_arrays import KnownArrays


def array(value: float, shape: tuple[int, ...] = (2, 3)) -> np.ndarray:
    made = np.full(shape, value, np.float32)
    made.setflags(write=False)
    return made


def test_the_same_content_is_the_same_object_while_somebody_holds_it() -> None:
    known = KnownArrays()
    held = known.same({"0": array(1), "1": array(2)})
    again = known.same({"5": array(2), "6": array(1), "7": array(3)})
    assert again["5"] is held["1"]
    assert again["6"] is held["0"]
    assert len(known) == 3


def test_nothing_is_kept_that_nobody_holds() -> None:
    known = KnownArrays()
    held = known.same({"0": array(1), "1": array(2)})
    del held["1"]
    gc.collect()
    assert len(known) == 1


def test_two_arrays_of_one_call_stay_two() -> None:
    known = KnownArrays()
    first = known.same({"0": array(1), "1": array(1)})
    assert first["0"] is not first["1"]
    second = known.same({"0": array(1), "1": array(1)})
    assert second["0"] is first["0"]
    assert second["1"] is not second["0"]


def test_another_shape_is_another_array() -> None:
    known = KnownArrays()
    held = known.same({"0": array(1, (2, 3)), "1": array(1, (3, 2)), "2": array(1, (6,))})
    assert len({id(one) for one in held.values()}) == 3
