"""Instructions that a model writes behind a soft prompt (InstructZero, Chen et al. 2023, arXiv 2306.03082).

A candidate, a vector of a few numbers, is projected to a soft prompt of an open model, which then writes an instruction
from a few rows; the model that is searched for, which may take nothing but text, is scored behind that instruction. The
space of numbers is smooth and small, and everything that is scored is fluent.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from blackbox.backends import Prompt, TextPrompt
from blackbox.evaluation import candidate_digest
from blackbox.kept import Kept
from blackbox.spaces.soft import SoftSpace

log = logging.getLogger(__name__)

TRIED = 12
"""Candidates after which a model that has written nothing of use is spoken of."""


@dataclass(frozen=True)
class Induced:
    """What a model has written for a candidate: an instruction, or why there is none that can be used."""

    text: str = ""
    refusal: str | None = None


class ProjectedInstructionSpace:
    """One block of numbers; zeros are the instruction `start`.

    Args:
        vectors: the soft prompts of candidates.
        write: what the model writes behind soft prompts, one each; asked once for all new candidates of a call.
        source: what tells that model, and what it is asked, from others.
        start: the starting instruction; None for what the model writes behind zeros (no instruction, if that is
            refused).
        role: who says the instruction to a chat model.

    Attributes:
        kept: has what was written for the same candidates before; a run puts its own here.
    """

    def __init__(
        self,
        vectors: SoftSpace,
        write: Callable[[Sequence[Prompt]], Sequence[Induced]],
        *,
        source: str,
        start: str | None = None,
        role: Literal["user", "system"] = "user",
    ) -> None:
        self.vectors, self.source = vectors, source
        self._write, self._start, self._role = write, start, role
        self.kept = Kept()
        self._induced: dict[str, Induced] = {}  # by the candidate's digest
        self._warned = False
        self._zeros = candidate_digest(np.zeros(vectors.dimension))

    @property
    def dimension(self) -> int:
        return self.vectors.dimension

    @property
    def blocks(self) -> tuple[int, ...]:
        return self.vectors.blocks

    @property
    def sizes(self) -> None:
        return None

    @property
    def texts(self) -> frozenset[str]:
        """The different instructions so far."""
        return frozenset(one.text for one in self._induced.values() if one.refusal is None)

    @property
    def refused(self) -> Counter[str]:
        """How many candidates have no instruction for which reason."""
        return Counter(one.refusal for one in self._induced.values() if one.refusal is not None)

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt | None]:
        """The text prompts of candidates of shape (n, dimension); None where what was written cannot be used."""
        digests = [candidate_digest(candidate) for candidate in candidates]
        new = {digest: place for place, digest in enumerate(digests) if digest not in self._induced}
        if new:
            self._take(list(new), candidates[list(new.values())])
        return [self.written_for(digest) for digest in digests]

    def written_for(self, candidate: str) -> TextPrompt | None:
        """See `WrittenSpace`."""
        induced = self._induced.get(candidate)
        if induced is None or induced.refusal is not None:
            return None
        return TextPrompt(f"{induced.text}\n\n" if induced.text else "", role=self._role)

    def state_dict(self) -> dict[str, Any]:
        """What was written for each candidate, as JSON values."""
        texts = {digest: one.text for digest, one in self._induced.items() if one.refusal is None}
        refused = {digest: one.refusal for digest, one in self._induced.items() if one.refusal is not None}
        return {"texts": texts, "refused": refused}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with what `state_dict` wrote."""
        self._induced = {digest: Induced(text) for digest, text in state["texts"].items()}
        self._induced |= {digest: Induced(refusal=reason) for digest, reason in state["refused"].items()}

    def _take(self, digests: Sequence[str], candidates: npt.NDArray[np.float64]) -> None:
        """Have the instructions of new candidates written; the starting instruction only where none is given."""
        given = {self._zeros: Induced(self._start)} if self._start is not None else {}
        asked = [place for place, digest in enumerate(digests) if digest not in given]
        written = self.kept([digests[place] for place in asked], lambda: self._written(candidates[asked]))
        induced = given | {digests[place]: Induced(**one) for place, one in zip(asked, written, strict=True)}
        if (start := induced.get(self._zeros)) and start.refusal is not None:
            log.warning("the search starts from no instruction: what the model has written is %s", start.refusal)
            induced[self._zeros] = Induced()
        self._induced |= {digest: induced[digest] for digest in digests}
        self._tell()

    def _written(self, candidates: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
        """What the model writes for candidates, as JSON values."""
        return [asdict(one) for one in self._write(self.vectors.decode(candidates))] if len(candidates) else []

    def _tell(self) -> None:
        refused = sum(self.refused.values())
        why = ", ".join(f"{count} {reason}" for reason, count in self.refused.most_common())
        so_far = (len(self.texts), len(self._induced), refused, f" ({why})" if why else "")
        log.info("%d different instructions for %d candidates so far, %d refused%s", *so_far)
        others = self._induced.keys() - {self._zeros}
        if refused < TRIED or refused < len(others) or self._warned:
            return
        self._warned = True
        log.warning(
            "the model has written no instruction that can be used in %d tries (%s); another model, a smaller alpha or "
            "more proposal_tokens may help",
            refused,
            why,
        )
