import json

import pytest

from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.refusals import parsed, refusal
from blackbox.backends.errors import GarbageError, KeyRefusedError, QuotaError, RefusedError

HERE = Endpoint("https://host/v1", {})


def error(status: int, body: object) -> Exception | None:
    return refusal(status, json.dumps(body).encode(), HERE)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_a_refusal_of_the_moment_is_no_error(status: int) -> None:
    assert error(status, {"error": {"message": "later", "type": "x", "code": "rate_limit_exceeded"}}) is None
    assert refusal(status, b"<html>", HERE) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}),
        (429, {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": None}}),
        (400, {"error": {"message": "Billing hard limit", "code": "billing_hard_limit_reached"}}),
        (400, {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access"}}),
        (402, {"error": {"message": "Insufficient Balance"}}),
        (402, "whatever"),
        (403, {"error": "Insufficient credits"}),
        (403, {"type": "error", "error": {"type": "billing_error", "message": "pay"}}),
    ],
)
def test_a_used_up_account_is_known_by_code_type_or_words(status: int, body: object) -> None:
    assert isinstance(error(status, body), QuotaError)


def test_a_limit_by_the_minute_that_is_called_a_quota_is_waited_for() -> None:
    body = [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota"}}]
    assert error(429, body) is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_its_own_error_and_what_is_said_of_it_is_not_shown(status: int) -> None:
    found = error(status, {"error": {"message": "Incorrect API key: sk-v***1234", "code": "invalid_api_key"}})
    assert isinstance(found, KeyRefusedError)
    assert found.status == status
    assert "invalid_api_key" in str(found)
    assert "1234" not in str(found)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"error": {"message": "no", "param": "max_tokens"}}, "max_tokens"),
        ({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported", "param": None}}, "max_tokens"),
        (
            {"error": {"message": "Unsupported value: 'temperature' does not support 0.0 with this model"}},
            "temperature",
        ),
        ({"error": 'json: unknown field "logprobs"'}, "logprobs"),
        ({"error": {"message": "Unrecognized request argument supplied: top_logprobs"}}, "top_logprobs"),
        ({"error": {"message": "You are not allowed to request logprobs from this model"}}, "logprobs"),
        ({"error": {"message": "seed: Extra inputs are not permitted", "type": "invalid_request_error"}}, "seed"),
        ({"detail": [{"loc": ["body", "logprobs"], "msg": "extra fields not permitted"}]}, "logprobs"),
        ({"object": "error", "message": "`echo` is not supported", "param": None}, "echo"),
        ({"error": {"message": "the prompt is too long"}}, None),
        ({"detail": "Not Found"}, None),
        (17, None),
    ],
)
def test_the_parameter_is_found_wherever_it_is_named(body: object, parameter: str | None) -> None:
    found = error(400, body)
    assert isinstance(found, RefusedError)
    assert found.parameter == parameter


def test_a_parameter_that_is_refused_with_a_403_is_no_refused_key() -> None:
    found = error(403, {"error": {"message": "You are not allowed to request logprobs from this model"}})
    assert type(found) is RefusedError
    assert (found.status, found.parameter) == (403, "logprobs")


def test_a_redirect_is_refused_with_a_hint() -> None:
    assert "redirect" in str(refusal(307, b"", HERE))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"a": 1', b'{"a": NaN}', b"[-Infinity]", b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b"{} {}"],
)
def test_a_body_that_is_no_json_is_garbage(body: bytes) -> None:
    with pytest.raises(GarbageError):
        parsed(body)
    assert isinstance(refusal(400, body, HERE), RefusedError)
