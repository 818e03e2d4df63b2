import math

import numpy as np
import pytest

from blackbox.backends import FakeBackend, PrefixPrompt, TextPrompt
from blackbox.errors import SettingError
from blackbox.spaces import PROJECTIONS, PrefixSpace
from tests.backends.contract import VectorBackendContract

TOKENS = (97, 98)
POSITIONS, WIDTH, DIMENSION = 3, 4, 5


def make_start(
    *, positions: int = POSITIONS, width: int = WIDTH, keys: float = 1.0, values: float = 1.0
) -> PrefixPrompt:
    """Four layers of normal numbers around 1, with these standard deviations."""
    rng, stds = np.random.default_rng(9), np.array([keys, values]).reshape(2, 1, 1)
    layers = {layer: np.float32(1 + stds * rng.normal(size=(2, positions, width))) for layer in range(4)}
    return PrefixPrompt(TOKENS, layers)


START = make_start()


def space(*layers: int, start: PrefixPrompt = START, **settings: object) -> PrefixSpace:
    return PrefixSpace(start, layers or (1, 3), **{"dimension": DIMENSION, "seed": 3, **settings})  # type: ignore[arg-type]


def decode(of: PrefixSpace, candidates: np.ndarray) -> list[PrefixPrompt]:
    prompts = of.decode(candidates)
    assert all(isinstance(prompt, PrefixPrompt) for prompt in prompts)
    return prompts  # type: ignore[return-value]


def draw(count: int, of: PrefixSpace, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, of.dimension))


def content(prompt: PrefixPrompt) -> dict[int, bytes]:
    return {layer: keys_values.tobytes() for layer, keys_values in prompt.keys_values.items()}


def moves(of: PrefixSpace, candidates: np.ndarray, layer: int) -> np.ndarray:
    """What candidates add to the start, shape (n, 2, n_positions, width)."""
    start = of.start.keys_values[layer].astype(np.float64)
    return np.stack([prompt.keys_values[layer] - start for prompt in decode(of, candidates)])


def test_a_block_is_a_searched_layer() -> None:
    of = space()
    assert of.layers == (1, 3)
    assert of.blocks == (DIMENSION,) * 2
    assert of.dimension == sum(of.blocks)
    changed = np.zeros((1, of.dimension))
    changed[0, DIMENSION:] = 1.0
    prompt = decode(of, changed)[0]
    assert [layer for layer in range(4) if prompt.keys_values[layer] is not START.keys_values[layer]] == [3]


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_the_candidate_of_zeros_holds_the_arrays_of_the_start(projection: str, zero: float) -> None:
    of = space(projection=projection)
    prompt = decode(of, np.full((1, of.dimension), zero))[0]
    assert prompt.token_ids == TOKENS
    assert all(prompt.keys_values[layer] is START.keys_values[layer] for layer in range(4))


def test_layers_that_are_not_searched_hold_the_arrays_of_the_start() -> None:
    of = space()
    for prompt in decode(of, draw(3, of)):
        assert [layer for layer in range(4) if prompt.keys_values[layer] is START.keys_values[layer]] == [0, 2]


def test_the_candidate_of_zeros_scores_as_the_text_it_starts_from() -> None:
    backend, queries = FakeBackend(), VectorBackendContract.queries
    of = space(start=backend.prefix_of(backend.encode("abc")))
    start = of.decode(np.zeros((1, of.dimension)))[0]
    scores = backend.score([start, TextPrompt("abc")], queries).log_probabilities
    assert np.array_equal(scores[0], scores[1])


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_unit_normal_candidates_move_keys_and_values_by_alpha_times_their_own_spread(projection: str) -> None:
    alpha, stds = 0.4, {"keys": 5.0, "values": 0.02}
    of = space(
        0, 2, start=make_start(positions=20, width=32, **stds), dimension=100, alpha=alpha, projection=projection
    )
    for layer in of.layers:
        moved = moves(of, draw(40, of), layer)
        for part, std in enumerate(stds.values()):
            assert moved[:, part].std() == pytest.approx(alpha * std, rel=0.1)
            assert abs(moved[:, part].mean()) < 5 * alpha * std / math.sqrt(40 * 100)


def test_a_prompt_moves_in_proportion_to_its_candidate() -> None:
    of = space()
    candidate = draw(1, of)
    assert moves(of, 2 * candidate, 1) == pytest.approx(2 * moves(of, candidate, 1), abs=1e-5)
    assert moves(of, -candidate, 3) == pytest.approx(-moves(of, candidate, 3), abs=1e-5)


def test_giant_keys_count_little_for_the_scale() -> None:
    calm = make_start(positions=50, width=40)
    giant = {layer: keys_values.copy() for layer, keys_values in calm.keys_values.items()}
    for keys_values in giant.values():
        keys_values[0, :, 7] = 1e4  # one of 40: without clipping the spread were about 1,560 times as large
    of, other = space(start=calm), space(start=PrefixPrompt(TOKENS, giant))
    ratio = moves(other, draw(9, of), 1).std(axis=(0, 2, 3)) / moves(of, draw(9, of), 1).std(axis=(0, 2, 3))
    assert ratio[0] < 160
    assert ratio[1] == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_layer_of_equal_numbers_can_be_searched(value: float) -> None:
    start = PrefixPrompt(TOKENS, {0: np.full((2, 20, 32), value, np.float32)})
    of = space(0, start=start, dimension=100, alpha=0.5)
    assert moves(of, draw(40, of), 0).std(axis=(0, 2, 3)) == pytest.approx([0.5, 0.5], rel=0.1)


def test_one_number_alone_can_be_searched() -> None:
    of = space(0, start=PrefixPrompt((97,), {0: np.ones((2, 1, 1), np.float32)}))
    assert moves(of, draw(1, of), 0).all()


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_a_layers_projection_does_not_depend_on_which_other_layers_are_searched(projection: str) -> None:
    alone, among = space(2, projection=projection), space(0, 2, 3, projection=projection)
    z = draw(1, alone)
    assert content(decode(alone, z)[0])[2] == content(decode(among, np.tile(z, (1, 3)))[0])[2]


def test_layers_have_projections_of_their_own() -> None:
    same = dict.fromkeys(range(4), START.keys_values[0])
    of = space(0, 1, 2, 3, start=PrefixPrompt(TOKENS, same))
    prompt = decode(of, np.tile(np.random.default_rng(1).normal(size=(1, DIMENSION)), (1, 4)))[0]
    assert len(set(content(prompt).values())) == 4


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_decoding_does_not_depend_on_company_bit_for_bit(projection: str) -> None:
    of = space(dimension=100, projection=projection)
    candidates = draw(20, of)
    together = [content(prompt) for prompt in decode(of, candidates)]
    alone = [content(decode(space(dimension=100, projection=projection), row[None])[0]) for row in candidates]
    again = [content(prompt) for prompt in decode(of, candidates[::-1])][::-1]
    assert together == alone == again


def test_prompts_that_agree_in_a_layer_share_its_array_also_with_the_call_before() -> None:
    of = space()
    candidates = np.tile(draw(1, of), (2, 1))
    candidates[1, DIMENSION:] += 1.0
    first, second = decode(of, candidates)
    assert first.keys_values[1] is second.keys_values[1]
    assert first.keys_values[3] is not second.keys_values[3]
    assert decode(of, candidates[1:])[0].keys_values[3] is second.keys_values[3]


def test_the_seed_decides_the_projections() -> None:
    candidate = draw(1, space())
    assert content(decode(space(), candidate)[0]) == content(decode(space(), candidate)[0])
    assert content(decode(space(), candidate)[0]) != content(decode(space(seed=4), candidate)[0])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"dimension": 1}, "dimension must be at least 2, got 1"),
        ({"alpha": 0.0}, "alpha must be positive"),
        ({"projection": "gauss"}, "did you mean 'gaussian'"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        space(**setting)


def test_a_layer_that_the_start_has_not_is_refused() -> None:
    with pytest.raises(SettingError, match="which has 0, 1, 2, 3, got 4"):
        space(1, 4)


def test_a_start_that_is_not_finite_is_refused_by_layer() -> None:
    keys_values = START.keys_values[1].copy()
    keys_values[1, 0, 0] = np.inf
    start = PrefixPrompt(TOKENS, {**START.keys_values, 1: keys_values})
    with pytest.raises(SettingError, match="finite numbers, got others in layer 1"):
        space(start=start)
    assert space(2, start=start).layers == (2,)
