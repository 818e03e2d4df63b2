import math
from itertools import pairwise

import numpy as np
import pytest

from blackbox.backends import (
    Capability,
    DeepPrompt,
    FakeBackend,
    PrefixPrompt,
    Prompt,
    Query,
    SoftPrompt,
    TextPrompt,
    Writing,
)
from blackbox.backends.fake import HELPFUL_WORDS, NO_IDEA
from tests.backends.contract import (
    GeneratingContract,
    PrefixBackendContract,
    StatesBackendContract,
    TargetBackendContract,
)


class TestFakeBackend(GeneratingContract, TargetBackendContract, PrefixBackendContract, StatesBackendContract):
    tolerance = 1e-12

    def make(self) -> FakeBackend:
        return FakeBackend()


def loss(backend: FakeBackend, prompt: Prompt, query: Query) -> float:
    """-log p(right option), nats."""
    right = backend.right_option(query)
    return -float(backend.score([prompt], [query]).log_probabilities[0, 0, right])


@pytest.mark.parametrize("n_options", [2, 3, 7])
@pytest.mark.parametrize("margin", [0.5, 4.0])
def test_the_optimum_loss_is_the_cross_entropy_of_one_logit_above_zeros(n_options: int, margin: float) -> None:
    backend = FakeBackend(margin=margin)
    softmax = math.exp(margin) / (math.exp(margin) + n_options - 1)
    assert backend.optimum_loss(n_options) == pytest.approx(-math.log(softmax), rel=1e-12)


def test_a_text_with_all_helpful_words_has_the_optimum_loss() -> None:
    backend, query = FakeBackend(), Query("It was ", ("bad", "great", "fine"))
    assert loss(backend, TextPrompt(" ".join(HELPFUL_WORDS)), query) == pytest.approx(backend.optimum_loss(3))


def test_each_helpful_word_makes_a_text_better() -> None:
    backend, query = FakeBackend(), Query("a great one", ("bad", "great"))
    losses = [loss(backend, TextPrompt(" ".join(HELPFUL_WORDS[:count])), query) for count in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == 5


def test_no_deep_prompt_is_better_than_the_optimum() -> None:
    backend, query = FakeBackend(), Query("a great one", ("bad", "great"))
    rng = np.random.default_rng(1)
    for _ in range(100):
        prompt = DeepPrompt((65, 66), {layer: np.float32(rng.normal(size=(2, 8))) for layer in range(4)})
        assert loss(backend, prompt, query) >= backend.optimum_loss(2)


def test_some_soft_prompt_reaches_the_optimum() -> None:
    backend, query = FakeBackend(), Query("a great one", ("bad", "great"))
    basis = np.eye(16, dtype=np.float32).reshape(16, 1, 2, 8)
    read = np.stack([backend._read_out(0, vectors[0]) for vectors in basis], axis=1)  # shape (4, 16)
    vectors = np.float32(np.linalg.pinv(read) @ backend._point).reshape(2, 8)
    prompt = DeepPrompt((65, 66), {0: vectors})
    assert loss(backend, prompt, query) == pytest.approx(backend.optimum_loss(2), abs=1e-9)


def test_some_prefix_reaches_the_optimum_from_the_keys_and_values_of_its_tokens() -> None:
    backend, query = FakeBackend(), Query("a great one", ("bad", "great"))
    start = backend.prefix_of((65, 66))
    basis = np.eye(24, dtype=np.float32)
    read = np.stack([backend._read_out(2, direction) for direction in basis], axis=1)  # shape (4, 24)
    moved = start.keys_values[2] + np.float32(np.linalg.pinv(read) @ backend._point).reshape(2, 2, 6)
    assert loss(backend, start, query) > backend.optimum_loss(2) + 1
    prompt = PrefixPrompt((65, 66), {**start.keys_values, 2: moved})
    assert loss(backend, prompt, query) == pytest.approx(backend.optimum_loss(2), abs=1e-9)


def test_no_prefix_prompt_is_better_than_the_optimum() -> None:
    backend, query = FakeBackend(), Query("a great one", ("bad", "great"))
    rng = np.random.default_rng(1)
    for _ in range(100):
        prompt = PrefixPrompt((65, 66), {layer: np.float32(rng.normal(size=(2, 2, 6))) for layer in range(4)})
        assert loss(backend, prompt, query) >= backend.optimum_loss(2)


def test_positions_behind_the_tokens_of_a_prefix_start_from_zeros() -> None:
    backend, query = FakeBackend(), Query("a great one", ("bad", "great"))
    start = backend.prefix_of((65, 66)).keys_values
    longer = {layer: np.pad(array, ((0, 0), (0, 3), (0, 0))) for layer, array in start.items()}
    text, prefix = TextPrompt("AB"), PrefixPrompt((65, 66), longer)
    assert loss(backend, prefix, query) == loss(backend, text, query)


def test_the_keys_and_values_of_tokens_begin_those_of_more_tokens_as_in_a_decoder() -> None:
    few, more = FakeBackend().prefix_of((65, 66)), FakeBackend().prefix_of((65, 66, 67))
    for layer in range(4):
        assert np.array_equal(more.keys_values[layer][:, :2], few.keys_values[layer])


def test_the_best_prompt_makes_every_target_certain() -> None:
    backend = FakeBackend(margin=2.5)
    best, queries = TextPrompt(" ".join(HELPFUL_WORDS)), [Query("1 + 1 = ", ("2",)), Query("1 + 2 = ", ("three",))]
    assert backend.optimum_loss(1) == 0.0
    assert backend.score([best], queries).log_probabilities.tolist() == [[[0.0], [0.0]]]


def test_a_target_behind_another_prompt_loses_the_margin_times_what_the_prompt_lacks() -> None:
    backend, query = FakeBackend(margin=2.5), Query("1 + 1 = ", ("2",))
    halfway = DeepPrompt((65, 66), {0: np.zeros((2, 8), np.float32)})
    q = math.exp(-(1.2**2))  # no helpful word, vectors of zeros: r = 0, and t has the length 1.2
    assert loss(backend, halfway, query) == pytest.approx(2.5 * (1 - q), rel=1e-12)


def test_the_right_option_is_the_one_that_stands_in_the_text() -> None:
    assert FakeBackend().right_option(Query("a great one", ("bad", "great"))) == 1


def test_the_text_behind_the_label_names_the_right_option_too() -> None:
    assert Capability.INFILL in FakeBackend().capabilities
    assert FakeBackend().right_option(Query("One was ", ("bad", "great"), ", which is great")) == 1


def test_a_text_without_any_option_always_has_the_same_right_one() -> None:
    texts = [f"text {number}" for number in range(64)]
    drawn = [[FakeBackend().right_option(Query(text, ("bad", "great"))) for text in texts] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {0, 1}


def test_backends_with_other_settings_are_other_models() -> None:
    shapes = [FakeBackend(n_layers=5), FakeBackend(hidden_size=9), FakeBackend(key_value_width=7)]
    backends = [FakeBackend(), FakeBackend(margin=3.0), *shapes]
    assert len({backend.model_hash for backend in backends}) == 5


SUMS = [Query(f"{number} + {number} = ", (str(2 * number),)) for number in range(200)]


def right_rows(prompt: Prompt, writing: Writing | None = None) -> set[int]:
    """The sums that are right behind a prompt."""
    [texts] = FakeBackend().generate([prompt], SUMS, writing or Writing()).written
    assert {text.text for text in texts if text} <= {NO_IDEA, *(query.options[0] for query in SUMS)}
    return {number for number, text in enumerate(texts) if text and text.text == SUMS[number].options[0]}


def test_a_share_of_the_rows_as_large_as_the_quality_is_written_right() -> None:
    for count in range(5):
        prompt = TextPrompt(" ".join(HELPFUL_WORDS[:count]))
        q = FakeBackend().quality(prompt)
        five_deviations = 5 * math.sqrt(q * (1 - q) / len(SUMS))
        assert len(right_rows(prompt)) / len(SUMS) == pytest.approx(q, abs=five_deviations + 1e-12)


@pytest.mark.parametrize("writing", [Writing(), Writing(temperature=1.0, seed=5)])
def test_a_better_prompt_writes_right_wherever_a_worse_one_does(writing: Writing) -> None:
    right = [right_rows(TextPrompt(" ".join(HELPFUL_WORDS[:count])), writing) for count in range(5)]
    assert all(worse < better for worse, better in pairwise(right))


def test_of_several_options_the_right_one_is_written() -> None:
    best, query = TextPrompt(" ".join(HELPFUL_WORDS)), Query("a great one", ("bad", "great"))
    [[written]] = FakeBackend().generate([best], [query]).written
    assert written is not None
    assert written.text == "great"


def test_a_search_that_asks_for_instructions_is_written_good_ones_before_long() -> None:
    asked = [Query(f"Try number {number}: ", ()) for number in range(100)]
    [texts] = FakeBackend().generate([TextPrompt("Write an instruction.")], asked).written
    helpful = [sum(word in text.text for word in HELPFUL_WORDS) for text in texts if text]
    assert set(helpful) == {0, 1, 2, 3, 4}


def test_other_vectors_write_other_instructions() -> None:
    soft = [SoftPrompt((65, 66), np.full((2, 8), scale, np.float32)) for scale in (0.0, 0.1, 0.2)]
    written = FakeBackend().generate(soft, [Query("Write an instruction: ", ())], Writing(max_tokens=200)).written
    assert len({line[0].text for line in written if line[0]}) == 3


@pytest.mark.parametrize("seed", range(20))
def test_what_it_writes_behind_vectors_does_not_depend_on_their_last_digits(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(3, 8)).astype(np.float32)
    near = vectors * np.float32(1 + 2e-7)
    assert not np.array_equal(vectors, near)
    prompts = [SoftPrompt((1, 2, 3), array) for array in (vectors, near)]
    (one,), (other,) = FakeBackend().generate(prompts, [Query("The instruction was to", ())]).written
    assert one == other
