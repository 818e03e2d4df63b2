"""What an endpoint answered to one call, in the same form whatever its dialect."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from blackbox.backends.base import Usage


@dataclass(frozen=True)
class Call:
    """One request to a model, as it goes over the wire.

    Attributes:
        path: behind the endpoint's base URL, e.g. "/chat/completions".
        body: the JSON object that is sent.
        most: what it may cost at most: one request, an upper bound of the prompt's tokens, `max_tokens`.
        repeat: number of this ask of the same question; 0 for the first. Repeats measure noise and are paid for.
    """

    path: str
    body: Mapping[str, object]
    most: Usage
    repeat: int = 0

    def without(self, parameter: str) -> "Call":
        """The same call with one parameter less."""
        return replace(self, body={name: value for name, value in self.body.items() if name != parameter})


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        text: the text written.
        finish: why the model stopped: "stop", "length", "content_filter", "tool_calls", ...
        tops: for each token written, the most probable tokens with their log-probabilities, nats; empty where the
            endpoint tells none.
        usage: what the call cost. Where the endpoint did not say, the upper bound.
        fingerprint: the endpoint's word for the configuration that answered, if it has one.
    """

    text: str
    finish: str
    tops: tuple[Mapping[str, float], ...]
    usage: Usage
    fingerprint: str | None = None

    def to_dict(self) -> dict[str, object]:
        """JSON values; `from_dict` makes the answer again."""
        return {**asdict(self), "tops": [dict(top) for top in self.tops]}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Answer":
        """The answer that `to_dict` wrote."""
        parts = dict(values)
        parts["tops"] = tuple(parts["tops"])  # type: ignore[arg-type]
        parts["usage"] = Usage(**parts["usage"])  # type: ignore[arg-type]
        return cls(**parts)  # type: ignore[arg-type]
