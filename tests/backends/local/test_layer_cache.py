"""Which states are kept, and for whom they serve."""

import numpy as np
import pytest
import torch

from blackbox.backends.local.layer_cache import LayerCache, State, Vectors, first_difference
from tests.backends.local.candidates import vectors

SIZE = 40  # bytes of a state below: ten numbers in float32
A, B, C = vectors(1), vectors(2), vectors(3)


def ask(cache: LayerCache, batch: object, prompt: Vectors, *, parting: int | None = None) -> int:
    """Ask for a prompt behind a batch and keep what enters the layer that is to be kept; the layer begun at."""
    plan = cache.plan(batch, prompt, parting=parting)
    cache.keep(batch, State(plan.parting, torch.zeros(1, 10, 1), prompt))
    return plan.state.layer if plan.state else 0


class TestWhereAPassBegins:
    def test_the_first_prompt_begins_at_the_bottom(self) -> None:
        plan = LayerCache(4, limit=1000).plan("rows", {0: A}, parting=None)
        assert plan.state is None

    def test_prompts_one_by_one_begin_where_the_one_before_parted_from_its_own(self) -> None:
        """The second tells where they part, the third begins there."""
        cache = LayerCache(4, limit=1000)
        begun = [ask(cache, "rows", {0: A, 2: array}) for array in (A, B, C)]
        assert begun == [0, 0, 2]

    def test_prompts_in_one_call_tell_where_they_part_at_once(self) -> None:
        cache = LayerCache(4, limit=1000)
        assert [ask(cache, "rows", {0: A, 2: array}, parting=2) for array in (A, B)] == [0, 2]

    def test_a_prompt_that_parts_below_the_state_begins_at_the_bottom(self) -> None:
        cache = LayerCache(4, limit=1000)
        ask(cache, "rows", {0: A, 2: A}, parting=2)
        assert ask(cache, "rows", {0: B, 2: A}, parting=2) == 0

    def test_a_call_that_parts_below_the_state_begins_at_the_bottom_and_takes_its_place(self) -> None:
        cache = LayerCache(4, limit=1000)
        ask(cache, "rows", {0: A, 1: A, 2: A}, parting=2)
        assert [ask(cache, "rows", {0: A, 1: array, 2: A}, parting=1) for array in (A, B)] == [0, 1]
        assert cache.bytes == SIZE

    def test_a_call_that_parts_above_the_state_begins_at_it_and_keeps_a_higher_one(self) -> None:
        cache = LayerCache(4, limit=1000)
        ask(cache, "rows", {1: A, 3: A}, parting=1)
        assert [ask(cache, "rows", {1: A, 3: array}, parting=3) for array in (B, C)] == [1, 3]

    def test_what_differs_in_the_layer_of_the_state_and_above_does_not_matter(self) -> None:
        cache = LayerCache(4, limit=1000)
        ask(cache, "rows", {0: A, 2: A, 3: A}, parting=2)
        assert ask(cache, "rows", {0: A, 2: B, 3: B}, parting=2) == 2

    @pytest.mark.parametrize("parting", [4, 5])
    def test_prompts_that_never_part_begin_at_the_last_layer(self, parting: int) -> None:
        cache = LayerCache(4, limit=1000)
        assert [ask(cache, "rows", {0: A}, parting=parting) for _ in range(2)] == [0, 3]

    def test_another_array_with_the_same_numbers_is_another_layer(self) -> None:
        cache = LayerCache(4, limit=1000)
        ask(cache, "rows", {1: A}, parting=3)
        assert ask(cache, "rows", {1: A.copy()}, parting=3) == 0

    def test_another_batch_has_no_state(self) -> None:
        cache = LayerCache(4, limit=1000)
        ask(cache, "rows", {1: A}, parting=3)
        assert ask(cache, "others", {1: A}, parting=3) == 0

    def test_the_state_is_the_one_that_was_kept(self) -> None:
        cache = LayerCache(4, limit=1000)
        cache.plan("rows", {0: A}, parting=2)
        hidden, pair = torch.rand(1, 5, 2), (torch.rand(1, 5, 3), torch.rand(1, 5, 3))
        cache.keep("rows", State(2, hidden, {0: A}, (pair, pair)))
        state = cache.plan("rows", {0: A}, parting=2).state
        assert state is not None
        assert torch.equal(state.hidden, hidden)
        assert all(torch.equal(kept, given) for kept, given in zip(state.keys_values[1], pair, strict=True))
        assert cache.bytes == 4 * (10 + 4 * 15)


class TestRoom:
    def test_a_limit_of_nothing_keeps_nothing(self) -> None:
        cache = LayerCache(4, limit=0)
        assert [ask(cache, "rows", {0: A}, parting=2) for _ in range(3)] == [0, 0, 0]
        assert cache.bytes == 0

    def test_a_state_larger_than_the_limit_is_not_kept(self) -> None:
        cache = LayerCache(4, limit=SIZE - 1)
        assert [ask(cache, "rows", {0: A}, parting=2) for _ in range(2)] == [0, 0]
        assert cache.bytes == 0

    @pytest.mark.parametrize("seed", range(5))
    def test_states_never_take_more_than_the_limit(self, seed: int) -> None:
        rng, cache = np.random.default_rng(seed), LayerCache(4, limit=200)
        arrays = [vectors(number) for number in range(4)]
        for _ in range(300):
            batch = int(rng.integers(8))
            prompt = {layer: arrays[rng.integers(4)] for layer in range(4)}
            plan = cache.plan(batch, prompt, parting=[None, *range(5)][rng.integers(6)])
            cache.keep(batch, State(plan.parting, torch.zeros(1, int(rng.integers(1, 30)), 1), prompt))
            assert 0 <= cache.bytes <= 200
        kept = [entry.state.bytes for entry in cache._entries.values() if entry.state]
        assert cache.bytes == sum(kept)

    def test_batches_in_turn_that_do_not_all_fit_keep_those_that_do(self) -> None:
        cache = LayerCache(4, limit=2 * SIZE)
        for _ in range(3):
            begun = [ask(cache, name, {0: A}, parting=2) for name in "abc"]
        assert begun == [2, 2, 0]

    def test_a_new_set_of_rows_takes_the_place_of_one_that_is_no_longer_asked_for(self) -> None:
        cache = LayerCache(4, limit=2 * SIZE)
        for names in ("ab", "ab", "cd", "cd", "cd"):
            begun = [ask(cache, name, {0: A}, parting=2) for name in names]
        assert begun == [2, 2]
        assert [ask(cache, name, {0: A}, parting=2) for name in "ab"] == [0, 0]

    def test_a_single_call_for_other_rows_in_between_drives_nothing_out(self) -> None:
        cache = LayerCache(4, limit=2 * SIZE)
        for names in ("ab", "ab", "c", "ab"):
            begun = [ask(cache, name, {0: A}, parting=2) for name in names]
        assert begun == [2, 2]

    def test_the_state_of_a_batch_makes_room_for_its_own_next_one(self) -> None:
        cache = LayerCache(4, limit=SIZE)
        for layer in (1, 3, 2):
            ask(cache, "rows", {0: A}, parting=layer)
            assert cache.bytes == SIZE
        assert ask(cache, "rows", {0: A}, parting=2) == 2

    def test_clearing_forgets_everything(self) -> None:
        cache = LayerCache(4, limit=1000)
        ask(cache, "rows", {0: A}, parting=2)
        cache.clear()
        assert cache.bytes == 0
        assert ask(cache, "rows", {0: A}, parting=2) == 0

    def test_what_was_planned_before_a_clearing_is_not_kept_after_it(self) -> None:
        cache = LayerCache(4, limit=1000)
        cache.plan("rows", {0: A}, parting=2)
        cache.clear()
        cache.keep("rows", State(2, torch.zeros(1, 10, 1), {0: A}))
        assert cache.bytes == 0

    def test_a_stream_of_batches_does_not_grow_the_cache_without_end(self) -> None:
        cache = LayerCache(4, limit=10**9)
        for number in range(3 * LayerCache.MOST_BATCHES):
            ask(cache, number, {0: A}, parting=2)
        assert len(cache._entries) == LayerCache.MOST_BATCHES
        assert cache.bytes == SIZE * LayerCache.MOST_BATCHES
        latest = 3 * LayerCache.MOST_BATCHES - 1
        assert [ask(cache, number, {0: A}, parting=2) for number in (latest, 0)] == [2, 0]


class TestFirstDifference:
    def test_prompts_differ_first_where_one_holds_another_array(self) -> None:
        assert first_difference([{0: A, 1: B, 3: C}, {0: A, 1: B, 3: A}], 4) == 3
        assert first_difference([{0: A}, {0: A}, {0: B}], 4) == 0

    def test_a_layer_that_only_one_prompt_has_is_a_difference(self) -> None:
        assert first_difference([{}, {2: A}], 4) == 2
        assert first_difference([{1: A, 2: A}, {1: A}], 4) == 2

    def test_prompts_that_agree_everywhere_differ_behind_the_last_layer(self) -> None:
        assert first_difference([{0: A}, {0: A}], 4) == 4
        assert first_difference([{}, {}], 4) == 4
        assert first_difference([{0: A}], 4) == 4
