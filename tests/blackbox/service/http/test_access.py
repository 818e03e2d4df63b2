"""Tokens, roles, and what belongs to another token."""

import re

import pytest

from tests.blackbox.service.http.running import Running

OF_A_JOB = [
    ("GET", "/v1/tuning/jobs/{job}"),
    ("DELETE", "/v1/tuning/jobs/{job}"),
    ("POST", "/v1/tuning/jobs/{job}/cancel"),
    ("POST", "/v1/tuning/jobs/{job}/pause"),
    ("POST", "/v1/tuning/jobs/{job}/resume"),
    ("GET", "/v1/tuning/jobs/{job}/events"),
    ("GET", "/v1/tuning/jobs/{job}/events?stream=true"),
    ("GET", "/v1/tuning/jobs/{job}/evaluations"),
    ("GET", "/v1/tuning/jobs/{job}/checkpoints"),
    ("GET", "/v1/tuning/jobs/{job}/result"),
    ("GET", "/v1/tuning/jobs/{job}/result?format=zip"),
    ("POST", "/v1/tuning/jobs/{job}/predict"),
]
OF_A_FILE = [
    ("GET", "/v1/files/{file}"),
    ("GET", "/v1/files/{file}/content"),
    ("DELETE", "/v1/files/{file}"),
]
OPEN = {("GET", "/healthz"), ("GET", "/readyz")}


def routes(service: Running) -> set[tuple[str, str]]:
    """The methods and paths of the document."""
    document = service.ask("GET", "/openapi.json").json()
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


def body_of(path: str) -> dict[str, object]:
    return {"json": {"rows": [{"text": "x"}]}} if path.endswith("predict") else {}


def test_every_route_of_one_thing_is_asked_for_anothers_below(guarded: Running) -> None:
    asked = {(method, re.sub(r"\?.*", "", path)) for method, path in OF_A_JOB + OF_A_FILE}
    single = {
        (m, p.replace("{job_id}", "{job}").replace("{file_id}", "{file}")) for m, p in routes(guarded) if "{" in p
    }
    assert asked == single


@pytest.mark.parametrize(("method", "path"), OF_A_JOB + OF_A_FILE)
def test_what_is_another_tokens_is_not_there(guarded: Running, method: str, path: str) -> None:
    other = guarded.new_token()
    file = guarded.upload()
    job = guarded.submit(training_file=file)["id"]
    answer = guarded.ask(method, path.format(job=job, file=file), token=other, **body_of(path))
    assert answer.status_code == 404
    assert guarded.ask("GET", f"/v1/tuning/jobs/{job}").json()["status"] == "queued"
    assert guarded.ask("GET", f"/v1/files/{file}").status_code == 200


def test_lists_hold_nothing_of_another_token(guarded: Running) -> None:
    guarded.submit()
    other = guarded.new_token()
    for path in ("/v1/tuning/jobs", "/v1/files"):
        assert guarded.ask("GET", path).json()["data"]
        assert guarded.ask("GET", path, token=other).json()["data"] == []


def test_a_job_cannot_be_made_of_another_tokens_file(guarded: Running) -> None:
    file, other = guarded.upload(), guarded.new_token()
    body = {"backend": "fake", "training_file": file}
    assert guarded.ask("POST", "/v1/tuning/jobs", json=body, token=other).status_code == 404


def test_idempotency_keys_of_two_tokens_are_apart(guarded: Running) -> None:
    other = guarded.new_token()
    headers = {"idempotency-key": "same"}
    made = []
    for token in (None, other):
        body = {"backend": "fake", "training_file": guarded.upload(token=token)}
        made.append(guarded.ask("POST", "/v1/tuning/jobs", json=body, headers=headers, token=token))
    assert [answer.status_code for answer in made] == [422, 422] or made[0].json()["id"] != made[1].json()["id"]


def test_a_token_that_shares_an_owner_sees_its_jobs(guarded: Running) -> None:
    job = guarded.submit()["id"]
    owner = guarded.store.jobs.get(job, owner=None).owner
    reader = guarded.new_token("read", owner=owner)
    assert guarded.ask("GET", f"/v1/tuning/jobs/{job}", token=reader).status_code == 200


def test_a_reader_changes_nothing(guarded: Running) -> None:
    job = guarded.submit()["id"]
    reader = guarded.new_token("read", owner=guarded.store.jobs.get(job, owner=None).owner)
    for method, path in [*OF_A_JOB, ("POST", "/v1/tuning/jobs"), ("POST", "/v1/files")]:
        if method != "GET":
            arguments = (
                {"json": {"backend": "fake", "training_file": "file-x"}} if path.endswith("jobs") else body_of(path)
            )
            answer = guarded.ask(method, path.format(job=job), token=reader, **arguments)
            assert answer.status_code == 403, path


def test_an_admin_sees_everybodys(guarded: Running) -> None:
    job = guarded.submit()["id"]
    admin = guarded.new_token("admin")
    assert guarded.ask("GET", f"/v1/tuning/jobs/{job}", token=admin).status_code == 200


def test_every_route_but_the_signs_of_life_needs_a_token(guarded: Running) -> None:
    for method, path in routes(guarded) - OPEN:
        answer = guarded.ask(method, re.sub(r"{\w+}", "x-1", path), token="", **body_of(path))
        assert answer.status_code in {401, 415, 422}, path
        if method == "GET":
            assert answer.status_code == 401, path


@pytest.mark.parametrize("token", ["bb-wrong", "x" * 600, "ä".encode().decode("latin-1"), "a b"])
def test_a_wrong_token_is_refused_and_not_repeated(guarded: Running, token: str) -> None:
    answer = guarded.ask("GET", "/v1/tuning/jobs", token=token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert token not in answer.text


def test_a_revoked_token_is_refused_within_a_second(guarded: Running) -> None:
    import time

    token, secret = guarded.store.tokens.create("gone", "admin")
    assert guarded.ask("GET", "/v1/files", token=secret).status_code == 200
    guarded.store.tokens.revoke(token.id)
    time.sleep(1.1)
    assert guarded.ask("GET", "/v1/files", token=secret).status_code == 401


def test_revoking_the_only_token_does_not_open_the_service(guarded: Running) -> None:
    assert guarded.ask("GET", "/v1/files", token="").status_code == 401
