import numpy as np

from blackbox.seeds import part_seed


def test_the_parts_of_a_run_have_the_seeds_that_numpy_spawns() -> None:
    children = np.random.SeedSequence(7).spawn(4)
    expected = [int(child.generate_state(1, np.uint64)[0]) for child in children]
    assert [part_seed(7, part) for part in ("shots", "start", "projection", "optimizer")] == expected
