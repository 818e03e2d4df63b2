"""Jobs over HTTP: hand in, list, act, delete."""

import pytest

from tests.blackbox.service.http.running import SETTINGS, Running


def test_a_job_that_is_handed_in_is_answered_with_201_and_its_place(service: Running) -> None:
    file = service.upload()
    body = {"backend": "fake", "training_file": file, "settings": SETTINGS, "name": "reviews"}
    answer = service.ask("POST", "/v1/tuning/jobs", json=body)
    job = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/tuning/jobs/{job['id']}"
    assert (job["object"], job["status"], job["name"]) == ("tuning.job", "queued", "reviews")
    assert job["settings"] == SETTINGS
    assert job["budget"] == {"evaluations": 20, "usd": None}
    assert "owner" not in job


def test_the_same_idempotency_key_gives_the_same_job(service: Running) -> None:
    body = {"backend": "fake", "training_file": service.upload(), "settings": SETTINGS}
    headers = {"idempotency-key": "k-1"}
    first = service.ask("POST", "/v1/tuning/jobs", json=body, headers=headers)
    second = service.ask("POST", "/v1/tuning/jobs", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = service.ask("POST", "/v1/tuning/jobs", json={**body, "name": "other"}, headers=headers)
    assert other.status_code == 409


def test_a_list_has_pages_that_hold_every_job_once(service: Running) -> None:
    made = [service.submit(metadata={"list": "pages"})["id"] for _ in range(5)]
    seen: list[str] = []
    after = None
    while True:
        params = {"metadata[list]": "pages", "limit": 2, "after": after}
        page = service.ask("GET", "/v1/tuning/jobs", params=params).json()
        seen += [job["id"] for job in page["data"]]
        assert page["last_id"] == seen[-1]
        after = page["last_id"]
        if not page["has_more"]:
            break
    assert seen == made[::-1]


def test_a_list_leaves_out_long_settings_that_the_job_itself_shows(service: Running) -> None:
    prompts = [f"prompt {number} " * 20 for number in range(10)]
    job = service.submit(settings={**SETTINGS, "prompts": prompts}, metadata={"list": "long"})
    listed = service.ask("GET", "/v1/tuning/jobs", params={"metadata[list]": "long"}).json()["data"][0]
    assert job["settings"]["prompts"] == prompts
    assert listed["settings"] == {name: value for name, value in SETTINGS.items() if name != "prompts"}


def test_a_list_can_be_asked_for_statuses(service: Running) -> None:
    job = service.submit(metadata={"list": "status"})["id"]
    service.ask("POST", f"/v1/tuning/jobs/{job}/cancel")
    asked = {"metadata[list]": "status"}
    found = service.ask("GET", "/v1/tuning/jobs", params={**asked, "status": ["cancelled", "failed"]}).json()["data"]
    assert [one["id"] for one in found] == [job]
    assert service.ask("GET", "/v1/tuning/jobs", params={**asked, "status": "queued"}).json()["data"] == []


def test_a_queued_job_is_paused_resumed_cancelled_and_deleted(service: Running) -> None:
    job = service.submit()["id"]
    for action, status in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert service.ask("POST", f"/v1/tuning/jobs/{job}/{action}").json()["status"] == status
    gone = service.ask("DELETE", f"/v1/tuning/jobs/{job}")
    assert gone.json() == {"id": job, "object": "tuning.job", "deleted": True}
    assert service.ask("GET", f"/v1/tuning/jobs/{job}").status_code == 404


def test_what_a_status_does_not_allow_is_a_conflict(service: Running) -> None:
    job = service.submit()["id"]
    assert service.ask("DELETE", f"/v1/tuning/jobs/{job}").status_code == 409
    assert service.ask("GET", f"/v1/tuning/jobs/{job}/result").status_code == 409
    predicted = service.ask("POST", f"/v1/tuning/jobs/{job}/predict", json={"rows": [{"text": "x"}]})
    assert predicted.status_code == 409
    service.ask("POST", f"/v1/tuning/jobs/{job}/cancel")
    assert service.ask("POST", f"/v1/tuning/jobs/{job}/resume").status_code == 409


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"sigma": -1}, "settings.sigma"),
        ({"sigma": "1"}, "settings.sigma"),
        ({"dimension": 10**9}, "settings.dimension"),
        ({"prompts": "/etc/passwd"}, "settings.prompts"),
        ({"instructions": "file.txt"}, "settings.instructions"),
        ({"template": "a\0{label}"}, "settings.template"),
        ({"train": "/etc/passwd"}, "settings.train"),
        ({"answers": "/tmp/x"}, "settings.answers"),
        ({"base_url": "http://169.254.169.254/"}, "settings.base_url"),
        ({"key_variable": "HOME"}, "settings.key_variable"),
        ({"model": "../../etc"}, "settings.model"),
        ({"backend": "openai"}, "settings.backend"),
        ({"executor": "ray"}, "settings.executor"),
        ({"proposer_base_url": "http://x"}, "settings.proposer_base_url"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_setting_that_no_request_may_have_is_refused_by_its_name(
    service: Running, settings: dict[str, object], param: str
) -> None:
    body = {"backend": "fake", "training_file": service.upload(), "settings": {**SETTINGS, **settings}}
    answer = service.ask("POST", "/v1/tuning/jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["param"].startswith(param)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"backend": "no-such"}, 422),
        ({"training_file": "file-none"}, 404),
        ({"dev_file": "file-none"}, 404),
        ({"training_file": "../../etc/passwd"}, 422),
        ({"settings": {**SETTINGS, "template": "no slot"}}, 422),
        ({"settings": {**SETTINGS, "optimizer": "cmaes"}}, 422),
        ({"settings": {**SETTINGS, "evaluations": 10_001}}, 422),
        ({"metadata": {"k": "v" * 513}}, 422),
        ({"owner": "b"}, 422),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_request_that_cannot_be_is_refused_before_it_is_a_job(
    service: Running, change: dict[str, object], status: int
) -> None:
    before = service.store.jobs.counts()
    body = {"backend": "fake", "training_file": service.upload(), "settings": SETTINGS, **change}
    assert service.ask("POST", "/v1/tuning/jobs", json=body).status_code == status
    assert service.store.jobs.counts() == before


def test_backends_show_neither_addresses_nor_variables(service: Running) -> None:
    answer = service.ask("GET", "/v1/backends")
    assert [one["name"] for one in answer.json()["data"]] == ["fake", "hosted"]
    assert "secret" not in answer.text.lower()


def test_optimizers_and_spaces_are_listed(service: Running) -> None:
    found = service.ask("GET", "/v1/optimizers").json()
    assert {"cma-es", "random-search"} <= {one["name"] for one in found["data"]}
    assert "deep" in found["spaces"]
