"""What was tried with the selected prompt after the search: the mark of such an evaluation in the journal."""

import hashlib
import json
from dataclasses import dataclass

PLAIN = "off"


@dataclass(frozen=True)
class Tried:
    """An ensemble, a calibration, or the one with the other.

    Attributes:
        members: digests of the candidates whose probabilities are averaged, the selected one first; it alone where
            there is no ensemble.
        calibration: "off", "contextual" or "batch".
        offsets: what the calibration adds to the log-probability of each label, nats.
    """

    members: tuple[str, ...]
    calibration: str = PLAIN
    offsets: tuple[float, ...] | None = None

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that stand for it where a candidate's digest would; whatever its offsets are."""
        told = json.dumps([self.calibration, *self.members])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> "Tried":
        """What `dataclasses.asdict` has made JSON values of.

        Raises:
            KeyError, TypeError: the values are something else's.
        """
        offsets = values["offsets"]
        members: list[str] = values["members"]  # type: ignore[assignment]
        return cls(tuple(members), str(values["calibration"]), None if offsets is None else tuple(offsets))  # type: ignore[arg-type]
