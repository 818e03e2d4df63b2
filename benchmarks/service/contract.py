"""schemathesis against the service's own OpenAPI document: all checks, over a thousand cases, no failure.

Two rounds: one with ids that nothing has, and one in which the routes of a job and a file are asked for things that are
there, a job that has ended with its result among them.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.service.hand_in import job as asked
from benchmarks.service.hand_in import request, upload, write_rows
from benchmarks.service.programs import Service
from blackbox.client import Client
from blackbox.service.store import open_store

BAR = 1000
_CHECKED, _CASES = re.compile(r"❌ (.+?): (\d+)"), re.compile(r"(\d+) generated")
_NOT_ROWS = """
# A list that is longer than allowed may be a body that is larger than allowed: that is refused, too.
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "408", "409", "413", "414", "415", "422", "429", "431"]

# A document can say that an upload is bytes, not that these are rows of a .csv or .jsonl file.
[[operations]]
include-name = "POST /v1/files"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "415", "422", "429"]

# A stream goes on until the job has ended.
[[operations]]
include-name = "GET /v1/tuning/jobs/{job_id}/events"
parameters = { stream = "false" }
"""
_NOT_OF_THE_JOB = """
# Nor can it name the fields of the rows that this job's template has.
[[operations]]
include-name = "POST /v1/tuning/jobs/{job_id}/predict"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "503", "504"]
"""


def run(*, quick: bool) -> dict[str, object]:
    """Cases and failures of both rounds; `quick`: few cases, without the phases that try every corner."""
    examples, phases = (3, "examples,fuzzing") if quick else (20, "examples,coverage,fuzzing,stateful")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/service.sqlite"
        with open_store(url) as store:
            _, token = store.tokens.create("contract", "admin")
        with Service(Path(folder) / "service", url=url, workers=1) as service:
            job, file = _job(service.base_url, token)
            strange = _round(service.base_url, token, Path(folder), examples=examples, phases=phases, parameters={})
            there = {"job_id": job, "file_id": file}
            known = _round(service.base_url, token, Path(folder), examples=examples, phases=phases, parameters=there)
    cases = int(str(strange["cases"])) + int(str(known["cases"]))
    failures = [*strange["failures"], *known["failures"]]  # type: ignore[misc]
    print(f"{cases} cases, {len(failures)} kinds of failures {failures}")
    good = strange["code"] == known["code"] == 0
    return {"cases": cases, "failures": failures, "bar reached": good and not failures and cases >= BAR}


def _job(base_url: str, token: str) -> tuple[str, str]:
    """The ids of a job that has ended with a result, and of its file."""
    with tempfile.TemporaryDirectory() as folder, Client(base_url, token=token) as client:
        files = upload(client, write_rows(Path(folder)))
        job = client.jobs.create(**request(asked(0, "", evaluations=40), files))
        ended = client.jobs.wait(job.id)
        if ended.status != "succeeded":
            raise RuntimeError(f"the job to ask for is {ended.status}: {ended.error}")
        return job.id, files["train"].id


def _round(
    base_url: str, token: str, folder: Path, *, examples: int, phases: str, parameters: Mapping[str, str]
) -> dict[str, object]:
    """One run of schemathesis; where `parameters` are given, without what would remove these things."""
    config = folder / "schemathesis.toml"
    given = "".join(f'"path.{name}" = "{value}"\n' for name, value in parameters.items())
    config.write_text(f"{_NOT_ROWS}{_NOT_OF_THE_JOB}\n[parameters]\n{given}" if given else _NOT_ROWS)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"),
        *(f"{base_url}/openapi.json", "--header", f"Authorization: Bearer {token}", "--checks", "all"),
        *("--max-examples", str(examples), "--seed", "1", "--phases", phases),
        *("--request-timeout", "20", "--no-color", "--continue-on-failure"),
        *(["--exclude-method", "DELETE"] if parameters else []),
    ]
    environment = {**os.environ, "COLUMNS": "200"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    if (found := _CASES.search(ran.stdout)) is None:
        raise RuntimeError(f"schemathesis did not run:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    failures = [f"{what}: {count}" for what, count in _CHECKED.findall(ran.stdout)]
    if ran.returncode:
        print(ran.stdout, file=sys.stderr)
    return {"cases": int(found[1]), "failures": failures, "code": ran.returncode}
