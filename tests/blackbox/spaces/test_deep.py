import math

import numpy as np
import pytest

from blackbox.backends import DeepPrompt, FakeBackend, TextPrompt
from blackbox.errors import SettingError
from blackbox.spaces import PROJECTIONS, DeepSpace, Projection
from tests.backends.contract import VectorBackendContract

TOKENS = (97, 98, 99)
HIDDEN, DIMENSION = 8, 5


def space(*, layers: dict[int, float] | None = None, **settings: object) -> DeepSpace:
    return DeepSpace(
        TOKENS, layers or {1: 1.0, 2: 1.0, 5: 1.0}, HIDDEN, **{"dimension": DIMENSION, "seed": 3, **settings}
    )  # type: ignore[arg-type]


def decode(of: DeepSpace, candidates: np.ndarray) -> list[DeepPrompt]:
    prompts = of.decode(candidates)
    assert all(isinstance(prompt, DeepPrompt) for prompt in prompts)
    return prompts  # type: ignore[return-value]


def draw(count: int, of: DeepSpace, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, of.dimension))


def content(prompt: DeepPrompt) -> dict[int, bytes]:
    return {layer: vectors.tobytes() for layer, vectors in prompt.vectors.items()}


def test_a_block_is_a_layer() -> None:
    of = space()
    assert of.layers == (1, 2, 5)
    assert of.blocks == (DIMENSION,) * 3
    assert of.dimension == sum(of.blocks)
    changed = np.zeros((1, of.dimension))
    changed[0, DIMENSION : 2 * DIMENSION] = 1.0
    prompt = decode(of, changed)[0]
    assert [layer for layer, vectors in prompt.vectors.items() if vectors.any()] == [2]


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_the_candidate_of_zeros_is_the_starting_prompt(projection: str) -> None:
    of = space(projection=projection)
    prompt = decode(of, np.zeros((1, of.dimension)))[0]
    assert prompt.token_ids == TOKENS
    assert all(vectors.shape == (3, HIDDEN) and not vectors.any() for vectors in prompt.vectors.values())


def test_the_candidate_of_zeros_scores_as_the_text_it_starts_from() -> None:
    of, queries = space(layers={0: 1.0, 3: 1.0}), VectorBackendContract.queries
    start = of.decode(np.zeros((1, of.dimension)))[0]
    scores = FakeBackend().score([start, TextPrompt("abc")], queries).log_probabilities
    assert np.array_equal(scores[0], scores[1])


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_unit_normal_candidates_move_a_layer_by_alpha_times_its_spread(projection: str) -> None:
    stds, alpha = {0: 0.02, 1: 3.0, 7: 50.0}, 0.4
    of = DeepSpace(range(20), stds, 32, dimension=100, alpha=alpha, projection=projection, seed=1)
    prompts = decode(of, draw(40, of))
    for layer, std in stds.items():
        entries = np.stack([prompt.vectors[layer] for prompt in prompts])
        assert entries.std() == pytest.approx(alpha * std, rel=0.1)
        assert abs(entries.mean()) < 5 * alpha * std / math.sqrt(40 * 100)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_a_layers_projection_does_not_depend_on_which_other_layers_are_searched(projection: str) -> None:
    alone = space(layers={2: 1.0}, projection=projection)
    among = space(layers={0: 7.0, 2: 1.0, 4: 2.0}, projection=projection)
    z = draw(1, alone)
    everywhere = np.tile(z, (1, 3))
    assert content(decode(alone, z)[0])[2] == content(decode(among, everywhere)[0])[2]


def test_layers_have_projections_of_their_own() -> None:
    of = space()
    same = np.tile(np.random.default_rng(1).normal(size=(1, DIMENSION)), (1, 3))
    assert len(set(content(decode(of, same)[0]).values())) == 3


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_decoding_does_not_depend_on_company_bit_for_bit(projection: str) -> None:
    of = space(dimension=100, projection=projection)
    candidates = draw(20, of)
    together = [content(prompt) for prompt in decode(of, candidates)]
    alone = [content(decode(space(dimension=100, projection=projection), row[None])[0]) for row in candidates]
    again = [content(prompt) for prompt in decode(of, candidates[::-1])][::-1]
    assert together == alone == again


def test_prompts_that_agree_in_a_layer_share_its_array() -> None:
    of = space()
    candidates = np.tile(draw(1, of), (3, 1))
    candidates[:, -DIMENSION:] = np.random.default_rng(2).normal(size=(3, DIMENSION))
    first, second, third = decode(of, candidates)
    for layer in (1, 2):
        assert first.vectors[layer] is second.vectors[layer] is third.vectors[layer]
    assert first.vectors[5] is not second.vectors[5]


def test_a_layers_array_is_shared_with_the_call_before() -> None:
    of = space()
    candidate = draw(1, of)
    before = decode(of, candidate)[0]
    moved = candidate.copy()
    moved[0, 0] += 1.0
    after = decode(of, moved)[0]
    assert after.vectors[2] is before.vectors[2]
    assert after.vectors[1] is not before.vectors[1]


def test_the_seed_decides_the_projections() -> None:
    candidate = draw(1, space())
    assert content(decode(space(), candidate)[0]) == content(decode(space(), candidate)[0])
    assert content(decode(space(), candidate)[0]) != content(decode(space(seed=4), candidate)[0])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"dimension": 1}, "dimension must be at least 2, got 1"),
        ({"alpha": 0.0}, "alpha must be positive"),
        ({"alpha": float("nan")}, "alpha must be positive"),
        ({"alpha": float("inf")}, "alpha must be positive and finite"),
        ({"projection": "gauss"}, "did you mean 'gaussian'"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        space(**setting)


@pytest.mark.parametrize("width", [0, 14, 16])
def test_a_candidate_of_another_length_is_refused(width: int) -> None:
    with pytest.raises(ValueError, match="shape|argument|cannot reshape"):
        space().decode(np.zeros((1, width)))


def test_a_layer_may_have_a_projection_of_its_own() -> None:
    def constant(layer: int, dimension: int, outputs: int, *, std: float, seed: np.random.SeedSequence) -> Projection:
        return lambda candidates: np.full((len(candidates), outputs), layer * std, dtype=np.float32)

    space = DeepSpace((1, 2), {0: 0.5, 3: 2.0}, 8, dimension=4, alpha=3.0, projection=constant, seed=1)
    [prompt] = space.decode(np.ones((1, 8)))
    assert isinstance(prompt, DeepPrompt)
    assert (prompt.vectors[0] == 0).all()
    assert (prompt.vectors[3] == 3 * (3.0 * 2.0 / np.sqrt(4))).all()
