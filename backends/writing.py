"""How a text shall be written, and what came of it."""

import math
from dataclasses import dataclass

from blackbox.backends.errors import BackendSettingError


@dataclass(frozen=True)
class Writing:
    """How a text shall be written.

    Attributes:
        max_tokens: written at most; at least 1.
        temperature: 0 takes the most probable token each time.
        seed: of what is drawn where `temperature` is above 0; the same seed gives the same text where the model allows.
        stop: texts that end the writing; none of them is part of the text.

    Raises:
        BackendSettingError: no token, a temperature that is negative or no number, a negative seed or an empty stop
            text.
    """

    max_tokens: int = 64
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (("max_tokens", 1), ("temperature", 0), ("seed", 0)):
            if not least <= getattr(self, name) < math.inf:
                raise BackendSettingError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if "" in self.stop:
            raise BackendSettingError(f"stop texts must not be empty, got {self.stop}")

    def ended(self, text: str, *, cut: bool = False) -> "Written":
        """A text in front of its first stop text and without the white space around it.

        Args:
            cut: whether it ends because `max_tokens` were written; a stop text in it has ended it before.
        """
        kept = text[: self.stops_at(text)]
        return Written(kept.strip(), cut and kept == text)

    def stops_at(self, text: str) -> int | None:
        """Where the first stop text begins; None where there is none."""
        return min((place for place in map(text.find, self.stop) if place >= 0), default=None)


@dataclass(frozen=True)
class Written:
    """A text that a model has written.

    Attributes:
        text: without the white space around it.
        cut: whether it ends because `max_tokens` were written, or the model reads no more.
    """

    text: str
    cut: bool = False


GREEDY = Writing()
"""What is written where nothing else is asked for."""
