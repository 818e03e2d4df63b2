"""The files for clusters: nothing here can run them, but their schemas can be checked."""

import itertools
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

FOLDER = Path(__file__).parents[2] / "examples" / "cluster"


def read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return values


@pytest.mark.filterwarnings("ignore")
def test_the_cluster_file_is_valid_for_ray() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(read("cluster.yaml")))


def test_the_kubernetes_job_asks_for_what_its_command_says() -> None:
    job = read("kuberay-job.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    groups = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    words = job["spec"]["entrypoint"].split()
    options = dict(itertools.pairwise(words))
    assert int(options["--workers"]) == sum(group["replicas"] for group in groups)
    for group in groups:
        [container] = group["template"]["spec"]["containers"]
        assert container["resources"]["limits"]["nvidia.com/gpu"] == options["--gpus-per-worker"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in group["template"]["spec"]["volumes"]}


def test_the_command_of_the_job_is_one_of_this_program() -> None:
    from blackbox.config import Config

    words = read("kuberay-job.yaml")["spec"]["entrypoint"].split()
    named = {word[2:].replace("-", "_") for word in words if word.startswith("--")}
    assert named <= {*Config.model_fields, "runs", "name"}
