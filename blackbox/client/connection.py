"""Calls of the service: addresses, the token, time limits, and what is tried again."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from blackbox.client.errors import ClientError, RefusedByServiceError, UnreachableError

if TYPE_CHECKING:
    import requests

_AGAIN = frozenset({429, 502, 503, 504})
_LONGEST_WAIT = 30.0  # s


class Connection:
    """A session with a service.

    Args:
        url: of the service.
        token: None for a service without tokens.
        timeout: seconds without a byte, of a call.
        retries: of a call that can be repeated without harm.
    """

    def __init__(self, url: str, *, token: str | None, timeout: float, retries: int) -> None:
        import requests  # here: `import blackbox` does not wait for it

        if not url.startswith(("http://", "https://")):
            raise ClientError(f"the service's address must begin with http:// or https://, got {url!r}")
        self.url, self._timeout, self._retries = url.rstrip("/"), timeout, retries
        self._session = requests.Session()
        if token:
            self._session.headers["authorization"] = f"Bearer {token}"
        self._failures = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
        self._error = requests.RequestException

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def call(self, method: str, path: str, *, repeatable: bool | None = None, **arguments: Any) -> Any:
        """The JSON of an answer.

        Args:
            repeatable: whether a second call does no harm; default: for GET and DELETE.
            arguments: of `requests.request`.

        Raises:
            RefusedByServiceError: the service refuses it.
            UnreachableError: it does not answer.
        """
        answer = self.answer(method, path, repeatable=repeatable, **arguments)
        try:
            return answer.json()
        except ValueError as error:
            raise UnreachableError(f"{self.url} has answered with no JSON; is it a tuning service?") from error

    def answer(
        self, method: str, path: str, *, repeatable: bool | None = None, **arguments: Any
    ) -> "requests.Response":
        """The answer itself; see `call`."""
        again = method in {"GET", "DELETE"} if repeatable is None else repeatable
        for attempt in range(self._retries + 1 if again else 1):
            last = attempt == self._retries or not again
            try:
                answer = self._session.request(method, self.url + path, timeout=self._timeout, **arguments)
            except self._failures as error:
                if last:
                    raise self._unreachable(error) from error
                time.sleep(_wait(attempt))
                continue
            except self._error as error:
                raise ClientError(f"{self.url}: {type(error).__name__}") from error
            if answer.status_code < 400:
                return answer
            if last or answer.status_code not in _AGAIN:
                raise _refused(answer)
            time.sleep(_wait(attempt, answer.headers))
        raise UnreachableError(f"{self.url} does not answer")

    def lines(self, path: str, *, headers: Mapping[str, str], params: Mapping[str, Any]) -> Iterator[str]:
        """The lines of an answer that goes on.

        Raises:
            RefusedByServiceError: the service refuses it.
            UnreachableError: it does not answer, or breaks off.
        """
        try:
            with self._session.get(
                self.url + path, headers=dict(headers), params=dict(params), stream=True, timeout=self._timeout
            ) as answer:
                if answer.status_code >= 400:
                    raise _refused(answer)
                answer.encoding = "utf-8"
                for line in answer.iter_lines(decode_unicode=True):
                    yield str(line)
        except self._error as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> UnreachableError:
        late = "does not answer in time" if "timed out" in str(error).lower() else "cannot be reached"
        return UnreachableError(f"{self.url} {late}; is the service running? (blackbox serve)")


def _wait(attempt: int, headers: Mapping[str, str] | None = None) -> float:
    """Seconds until the next attempt: what the service asks for, else twice as long each time."""
    asked = (headers or {}).get("retry-after", "")
    return min(_LONGEST_WAIT, float(asked) if asked.isdigit() else 0.25 * 2**attempt)


def _refused(answer: "requests.Response") -> RefusedByServiceError:
    try:
        body = json.loads(answer.content)
        error = body["error"]
        message, code, param = str(error["message"]), str(error["code"]), error.get("param")
        request_id = str(body.get("request_id", ""))
    except (ValueError, KeyError, TypeError):
        message, code, param, request_id = f"status {answer.status_code}", "", None, ""
    return RefusedByServiceError(
        f"the service refuses: {message}", status=answer.status_code, code=code, param=param, request_id=request_id
    )
