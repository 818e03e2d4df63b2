"""Calls to workers that fail on the way: Ray's own fault injection, in a cluster and a driver of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = {"num_failures": 40, "req_failure_prob": 20, "resp_failure_prob": 20, "in_flight_failure_prob": 0}
DRIVER = """
import sys
from functools import partial
from pathlib import Path

from blackbox.parallel.ray_pool import RayPool


def square(worker, number, log):
    with log.open("a") as file:
        file.write("done\\n")
    return number**2


pool = RayPool(None, 2, address="local")
log = Path(sys.argv[1])
answers = list(pool.map(partial(square, number=number, log=log) for number in range(60)))
pool.close()
print(answers == [number**2 for number in range(60)], len(answers))
"""


@pytest.mark.timeout(600)
def test_a_job_counts_once_however_often_its_calls_fail(tmp_path: Path) -> None:
    log = tmp_path / "done.log"
    environment = {
        **os.environ,
        "RAY_testing_rpc_failure": json.dumps({"CoreWorkerService.grpc_client.PushTask": FAULTS}),
    }
    driver = subprocess.run(
        [sys.executable, "-c", DRIVER, str(log)],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert driver.stdout.splitlines()[-1:] == ["True 60"], driver.stderr[-2000:]
    executions = len(log.read_text().splitlines())
    assert executions > 60  # answers were lost after the job was done, and it was done again
