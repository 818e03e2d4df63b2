"""The time of a page, by how long its list is: it must not grow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.service.filling import RARE, fill
from benchmarks.service.programs import Service
from benchmarks.service.readers import apart, time_of
from blackbox.service.store import open_store

_JOBS = "/v1/tuning/jobs"


def run(kind_url: str, folder: Path, *, jobs: int, evaluations: int, times: int) -> dict[str, float]:
    """Milliseconds of pages of a service with so many jobs, the last of which has so many evaluations."""
    with open_store(kind_url) as store:
        owner, token = store.tokens.create("reader", "submit")
        _, admin = store.tokens.create("admin", "admin")
    ids = fill(kind_url, jobs, owners=(owner.id, "local"), evaluations=evaluations)
    with Service(folder, url=kind_url, workers=0) as service:
        found = {}
        for name, (secret, path) in _pages(ids, token, admin, evaluations).items():
            seconds = apart(time_of, service.port, secret, path, times)
            found[name] = round(1e3 * median(seconds), 2)
    return found


def growth(figures: Mapping[int, Mapping[str, float]], names: Sequence[str]) -> dict[str, float]:
    """The time at the greatest size in times of that at the smallest, of the pages of these names."""
    least, most = min(figures), max(figures)
    return {name: round(figures[most][name] / figures[least][name], 2) for name in names}


def _pages(ids: list[str], token: str, admin: str, evaluations: int) -> dict[str, tuple[str, str]]:
    """Secrets and addresses by name."""
    middle = ids[len(ids) // 2]
    lists = {
        "newest": "?limit=20",
        "middle": f"?limit=20&after={middle}",
        "status": f"?limit=20&after={middle}&status=succeeded",
        "two statuses": f"?limit=20&after={middle}&status=succeeded&status=failed",
        "status that none has": "?limit=20&status=cancelled",
        "metadata": f"?limit=20&after={middle}&metadata[team]=sales",
    }
    found = {f"{name}, all": (admin, _JOBS + query) for name, query in lists.items()}
    found |= {f"{name}, own": (token, _JOBS + query) for name, query in lists.items() if name != "metadata"}
    found["metadata, own"] = (token, f"{_JOBS}?limit=20&after={middle}&metadata[team]=support")
    found["metadata that one has"] = (token, f"{_JOBS}?limit=20&metadata[team]={RARE}")
    for name, after in {"first": -1, "middle": evaluations // 2, "last": evaluations - 101}.items():
        found[f"evaluations, {name}"] = (admin, f"{_JOBS}/{ids[-1]}/evaluations?limit=100&after={after}")
    return found
