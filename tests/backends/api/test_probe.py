from pathlib import Path
from typing import Any

import pytest

from benchmarks.faulty import FaultyServer, RefusalError
from blackbox.backends.api.answers import Answers
from blackbox.backends.api.anthropic import Anthropic
from blackbox.backends.api.dialect import Dialect, Features
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.openai import OpenAI
from blackbox.backends.api.probe import probed
from blackbox.backends.errors import KeyRefusedError, RefusedError, SpentError
from tests.backends.api import speakers
from tests.backends.api.calls import asker_to
from tests.backends.api.speakers import Heard, Speaker


def found(speaker: Speaker, dialect: Dialect | None = None) -> tuple[Features, Heard]:
    """What the probe finds of an endpoint, and what that has heard."""
    heard = Heard(speaker)
    with FaultyServer(answer=heard) as server, asker_to(server.base_url, dialect) as asker:
        return probed(asker), heard


def test_an_endpoint_that_tells_log_probabilities_is_asked_once() -> None:
    features, heard = found(speakers.tells)
    assert features == Features("/chat/completions", tops=20, overhead=21)
    assert len(heard.bodies) == 1


def test_a_reasoning_model_is_asked_in_its_own_way_and_given_room_for_thoughts() -> None:
    features, heard = found(speakers.reasoning)
    assert features == Features(
        "/chat/completions", limit="max_completion_tokens", refused=("temperature",), overhead=21
    )
    assert heard.bodies[-1]["max_completion_tokens"] >= 8


def test_refusals_cost_no_tokens_and_one_answer_is_paid_for() -> None:
    with FaultyServer(answer=speakers.reasoning) as server, asker_to(server.base_url) as asker:
        probed(asker)
        spent = asker.transport.ledger.spent
        assert (spent.prompt_tokens, spent.completion_tokens) == (21, 1)
        assert spent.requests == server.counts.requests


@pytest.mark.parametrize(
    ("speaker", "choice"), [(speakers.vllm, "structured_outputs"), (speakers.grammatical, "grammar")]
)
def test_a_constraint_that_is_kept_is_found_with_the_second_call(speaker: Speaker, choice: str) -> None:
    features, heard = found(speaker)
    assert (features.tops, features.choice) == (0, choice)
    assert len(heard.bodies) == 2


def test_what_a_server_takes_without_a_word_and_passes_over_is_nothing_that_it_can_do() -> None:
    features, heard = found(speakers.passes_over)
    assert features == Features("/chat/completions", overhead=21)
    assert len(heard.bodies) == 2
    assert {"structured_outputs", "grammar"} <= set(heard.bodies[1])


def test_an_answer_that_holds_the_words_of_a_constraint_among_others_keeps_none() -> None:
    features, _ = found(lambda body, path: speakers.said(f"You may say {body.get('grammar', 'nothing')}"))
    assert features.choice is None


def test_a_server_that_refuses_the_one_constraint_is_asked_for_the_other() -> None:
    features, heard = found(speakers.strict("grammar"))
    assert features == Features("/chat/completions", choice="grammar", overhead=21)
    assert [set(body) & {"logprobs", "structured_outputs"} for body in heard.bodies] == [
        {"logprobs"},
        set(),
        {"structured_outputs"},
        set(),
    ]


def test_a_server_that_refuses_both_constraints_without_a_name_is_asked_no_more() -> None:
    def speak(body: Any, path: str) -> Any:
        if {"grammar", "structured_outputs"} & set(body):
            raise RefusalError(400, {"error": {"message": "Invalid request"}})
        return speakers.said("Positive")

    features, heard = found(speak)
    assert features.choice is None
    assert len(heard.bodies) == 3


def test_a_refusal_that_only_speaks_of_a_parameter_leaves_it_out() -> None:
    """vLLM with --max-logprobs 0."""

    def speak(body: Any, path: str) -> Any:
        if body.get("logprobs"):
            message = "Requested sample logprobs of 20, which is greater than max allowed: 0"
            raise RefusalError(400, {"error": {"message": message, "type": "BadRequestError", "param": None}})
        return speakers.vllm(body, path)

    assert found(speak)[0] == Features("/chat/completions", choice="structured_outputs", overhead=21)


@pytest.mark.parametrize("parameter", ["logprobs", "temperature", "max_tokens", "model"])
def test_a_server_that_refuses_a_parameter_whether_it_is_sent_or_not_is_not_asked_for_ever(parameter: str) -> None:
    error = {"error": {"message": f"'{parameter}' is not supported", "param": parameter}}

    def speak(body: Any, path: str) -> Any:
        raise RefusalError(400, error)

    with FaultyServer(answer=speak) as server, asker_to(server.base_url) as asker:
        with pytest.raises(RefusedError, match=f"'{parameter}' is not supported"):
            probed(asker)
        assert server.counts.requests <= 2


def test_a_server_without_chat_is_asked_to_complete_a_text() -> None:
    features, heard = found(speakers.only_completions)
    assert features == Features("/completions", tops=5, overhead=17)
    assert [sorted(set(body) & {"messages", "prompt"}) for body in heard.bodies] == [["messages"], ["prompt"]]


def test_a_model_that_is_nowhere_is_told_in_the_words_of_the_first_refusal() -> None:
    def speak(body: Any, path: str) -> Any:
        raise RefusalError(404, {"error": {"message": f"no model 'some' at {path}"}})

    with FaultyServer(answer=speak) as server, asker_to(server.base_url) as asker:
        with pytest.raises(RefusedError, match="no model 'some' at /chat/completions"):
            probed(asker)


def test_a_path_that_is_set_is_the_only_one_that_is_asked() -> None:
    with pytest.raises(RefusedError, match="404"):
        found(speakers.only_completions, OpenAI("some", ["/chat/completions"]))


def test_white_space_with_which_answers_begin_is_counted() -> None:
    features, _ = found(lambda body, path: speakers.said("\npositive", tops={"\n": -0.1, "positive": -2.5}))
    assert features.blanks == 1


def test_a_server_that_does_not_count_tokens_keeps_the_bound_of_a_turn() -> None:
    features, _ = found(lambda body, path: {"choices": speakers.said("positive")["choices"]})
    assert features.overhead == Features("").overhead


def test_anthropics_api_is_asked_once_and_read_as_text() -> None:
    features, heard = found(speakers.messages, Anthropic("claude"))
    assert features == Features("/messages", overhead=25)
    assert len(heard.bodies) == 1


def test_a_refused_key_is_told_at_once() -> None:
    def speak(body: Any, path: str) -> Any:
        raise RefusalError(401, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}})

    with FaultyServer(answer=speak) as server, asker_to(server.base_url) as asker:
        with pytest.raises(KeyRefusedError, match="invalid_api_key"):
            probed(asker)
        assert server.counts.requests == 1


def test_the_probe_keeps_within_the_budget() -> None:
    with FaultyServer(answer=speakers.passes_over) as server:
        with asker_to(server.base_url, limits=Limits(requests=1)) as asker, pytest.raises(SpentError):
            probed(asker)
        assert server.counts.requests == 1


def test_what_is_found_is_noted_and_no_later_run_asks_again_what_is_refused(tmp_path: Path) -> None:
    with FaultyServer(answer=speakers.reasoning) as server:
        for run in ("first", "second"):
            with asker_to(server.base_url, answers=Answers(tmp_path / "answers.sqlite", run=run)) as asker:
                assert probed(asker).limit == "max_completion_tokens"
                if run == "first":
                    asked = server.counts.requests
                    assert [spending.purpose for spending in asker.answers.spending()] == ["probe"]
        assert server.counts.requests == asked


def test_another_model_of_the_same_endpoint_is_probed_for_itself(tmp_path: Path) -> None:
    with FaultyServer(answer=speakers.tells) as server:
        for model in ("one", "other"):
            with asker_to(server.base_url, OpenAI(model), answers=Answers(tmp_path / "answers.sqlite")) as asker:
                probed(asker)
        assert server.counts.requests == 2


@pytest.mark.parametrize(("path", "tops"), [("/chat/completions", 20), ("/completions", 5)])
def test_llama_cpps_server_tells_what_it_is_asked_for(llama: str, path: str, tops: int) -> None:
    with asker_to(llama, OpenAI("some", [path]), call_seconds=60.0) as asker:
        features = probed(asker)
        assert (features.path, features.tops, features.choice, features.refused) == (path, tops, None, ())
        assert 0 < features.overhead < 100
        assert asker.transport.ledger.spent.requests == 1


def test_features_come_back_from_json_as_they_were() -> None:
    features = Features("/completions", 5, "max_completion_tokens", ("seed", "temperature"), "grammar", 1, 30)
    assert Features.from_dict(features.to_dict()) == features
