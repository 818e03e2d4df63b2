"""One body for every error, and a status for every class of error."""

import inspect

import pytest

import blackbox.backends.errors
import blackbox.errors
import blackbox.optimizers.errors
import blackbox.service.errors
from blackbox.service.http.errors import STATUSES, refusal_of
from tests.blackbox.service.http.running import Running

MODULES = (blackbox.errors, blackbox.backends.errors, blackbox.optimizers.errors, blackbox.service.errors)
CLASSES = [
    found
    for module in MODULES
    for _, found in inspect.getmembers(module, inspect.isclass)
    if issubclass(found, Exception) and found.__module__ == module.__name__
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: f"{error.__module__}.{error.__name__}")
def test_every_error_class_has_a_status_of_its_own(error: type[Exception]) -> None:
    assert error in STATUSES


def test_what_the_service_itself_did_wrong_is_not_told() -> None:
    refusal = refusal_of(blackbox.errors.DamagedFileError("/srv/secret/journal is damaged"))
    assert refusal.kind.status == 500
    assert "secret" not in refusal.message


def check_problem(answer: object, status: int, path: str) -> None:
    """The members of RFC 9457, and OpenAI's error object."""
    assert answer.status_code == status  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    body = answer.json()  # type: ignore[attr-defined]
    assert set(body) == {"type", "title", "status", "detail", "instance", "request_id", "error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["status"] == status
    assert body["instance"] == path
    assert body["error"]["message"] == body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/tuning/jobs/job-none", 404),
        ("GET", "/v1/tuning/jobs/no%20id", 404),
        ("PUT", "/v1/tuning/jobs", 405),
        ("TRACE", "/healthz", 405),
        ("GET", "/v1/tuning/jobs?limit=0", 422),
        ("GET", "/v1/tuning/jobs?limit=x", 422),
        ("GET", "/v1/tuning/jobs?status=none", 422),
        ("GET", "/v1/tuning/jobs?metadata[]=1", 422),
        ("POST", "/v1/files", 415),
    ],
)
def test_every_refusal_has_the_one_body(service: Running, method: str, path: str, status: int) -> None:
    answer = service.ask(method, path)
    check_problem(answer, status, path.partition("?")[0].replace("%20", " "))


def test_a_wrong_method_says_which_are_right(service: Running) -> None:
    assert service.ask("PUT", "/healthz").headers["allow"] == "GET"


def test_a_body_that_is_no_json_is_a_bad_request(service: Running) -> None:
    answer = service.ask("POST", "/v1/tuning/jobs", data=b"{", headers={"content-type": "application/json"})
    check_problem(answer, 400, "/v1/tuning/jobs")


def test_an_error_never_repeats_a_value_of_the_request(service: Running) -> None:
    answer = service.ask("POST", "/v1/tuning/jobs", json={"backend": 7, "training_file": "s3cret" * 30})
    assert "s3cret" not in answer.text
