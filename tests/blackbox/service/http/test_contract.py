"""Every route does what the OpenAPI document says, for requests that schemathesis makes up from it."""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis

from blackbox.service.http.app import make_api
from tests.blackbox.service.http.running import Running, running

CASES = 6  # of each route; `python -m benchmarks service-contract` has a hundred times as many
DOCUMENT = schemathesis.openapi.from_dict(make_api(None).openapi())  # type: ignore[arg-type]
OPERATIONS = {found.ok().label: found.ok() for found in DOCUMENT.get_all_operations()}


@pytest.fixture(scope="module")
def tokened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with a token."""
    with running(tmp_path_factory.mktemp("contract"), with_token=True) as found:
        yield found


def asked() -> list[tuple[str, schemathesis.GenerationMode]]:
    """All routes with what is right, and those that take anything with what is wrong."""
    takes = {label for label, found in OPERATIONS.items() if found.body or list(found.iter_parameters())}
    right, wrong = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
    return [*((label, right) for label in OPERATIONS), *((label, wrong) for label in OPERATIONS if label in takes)]


@pytest.mark.parametrize(("label", "mode"), asked())
def test_a_route_keeps_the_contract(label: str, mode: schemathesis.GenerationMode, tokened: Running) -> None:
    settings = hypothesis.settings(
        max_examples=CASES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    @settings
    @hypothesis.given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        wants_stream = "event-stream" in str(case.headers) or "true" in str((case.query or {}).get("stream")).lower()
        hypothesis.assume(not wants_stream)  # it goes on until the job has ended
        case.call_and_validate(
            base_url=tokened.url,
            headers={"authorization": f"Bearer {tokened.token}"},
            timeout=20,
            excluded_checks=left_out(label),
        )

    check()


def left_out(label: str) -> list[Any]:
    """Of an upload, that all is taken: no document can say that bytes are rows. Of all routes, that a token is needed:
    the check cannot take away the one that is given here, and `test_access` asks every route without one.
    """
    checks = [schemathesis.checks.ignored_auth]
    return [*checks, schemathesis.checks.positive_data_acceptance] if label == "POST /v1/files" else checks
