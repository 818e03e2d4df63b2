"""What was tried with the selected prompt after the search: the mark of such an evaluation in the journal."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

PLAIN = "off"
_OF_TEMPLATES = ("templates", "of_templates")
_RARE = (*_OF_TEMPLATES, "readout")


@dataclass(frozen=True)
class Tried:
    """An ensemble of prompts, an average over templates, a calibration, or some of them together; or a readout.

    Attributes:
        members: digests of the candidates whose probabilities are averaged, the selected one first; it alone where
            there is no ensemble.
        calibration: "off", "contextual" or "batch".
        offsets: what the calibration adds to the log-probability of each label, nats.
        templates: each row is asked in all of them, and the probabilities are averaged; empty: in the task's own.
        of_templates: the metric in each of them alone, without the calibration; empty until it is known, None
            where no row was answered.
        readout: the kind that tells the labels from hidden states (`blackbox.verbalizers`); None: the label words do.
    """

    members: tuple[str, ...]
    calibration: str = PLAIN
    offsets: tuple[float, ...] | None = None
    templates: tuple[str, ...] = ()
    of_templates: tuple[float | None, ...] = ()
    readout: str | None = None

    @property
    def mean_of_templates(self) -> float | None:
        """The mean of the metric over the templates; None where that of one is not known."""
        known = [value for value in self.of_templates if value is not None]
        return sum(known) / len(known) if known and len(known) == len(self.templates) else None

    @property
    def asks(self) -> int:
        """How often each row is asked."""
        return len(self.members) * max(1, len(self.templates))

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that stand for it where a candidate's digest would; whatever its offsets are."""
        rare = [part for part in (self.templates, self.readout) if part]
        return hashlib.sha256(json.dumps([self.calibration, *self.members, *rare]).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, object]:
        """JSON values, without what there is nothing of; `from_dict` makes it again."""
        values = asdict(self)
        return {key: value for key, value in values.items() if value or key not in _RARE}

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> "Tried":
        """What `to_dict` wrote.

        Raises:
            KeyError, TypeError: the values are something else's.
        """
        offsets = values["offsets"]
        members: list[str] = values["members"]  # type: ignore[assignment]
        of_templates: dict[str, Any] = {name: tuple(values.get(name, ())) for name in _OF_TEMPLATES}  # type: ignore[arg-type]
        return cls(
            tuple(members),
            str(values["calibration"]),
            None if offsets is None else tuple(offsets),  # type: ignore[arg-type]
            **of_templates,
            readout=values.get("readout"),  # type: ignore[arg-type]
        )
