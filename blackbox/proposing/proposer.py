"""The proposer: requests in, numbers of new instructions out, which a model has written and no check has refused."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from blackbox.backends import GeneratingBackend, Query, TextPrompt, Writing, Written
from blackbox.errors import SettingError
from blackbox.kept import Kept
from blackbox.optimizers import Request
from blackbox.proposing import meta_prompts
from blackbox.proposing.answering import Answering
from blackbox.proposing.bounded import shortened
from blackbox.proposing.checks import Checks
from blackbox.proposing.meta_prompts import HEAD, Failed
from blackbox.proposing.reading import read
from blackbox.proposing.refusal import Refusal
from blackbox.spaces import ChoicesSpace

log = logging.getLogger(__name__)

TEMPERATURE = 1.0
SHOWN = 4
"""Failed rows that a reflection shows."""
TRIED = 12
"""Proposals after which a model that has written nothing of use is spoken of."""

_PROMPT = TextPrompt(HEAD)


class ModelProposer:
    """A `Proposer` (see `blackbox.optimizers`) that asks a model, all requests of a call at once.

    Args:
        backend: writes.
        space: takes the instructions in.
        answering: what the model of the task answers to rows.
        checks: refuse what cannot be used.
        about: what instructions are for, for the model to know.
        tokens: written at most, the steps on the way to the instruction included.
        kept: has what was written for the same requests before.
    """

    def __init__(
        self,
        backend: GeneratingBackend,
        space: ChoicesSpace,
        *,
        answering: Answering,
        checks: Checks,
        about: str,
        tokens: int,
        kept: Kept,
    ) -> None:
        self._backend, self._space, self._answering, self._checks = backend, space, answering, checks
        self._about, self._tokens, self._kept = about, tokens, kept
        self._warned = False

    @property
    def accepted(self) -> int:
        """Instructions that were taken in."""
        return len(self._space.instructions) - self._space.given

    @property
    def refused(self) -> Counter[str]:
        """How often for which reason."""
        return self._space.refused

    def __call__(self, requests: Sequence[Request]) -> list[int | None]:
        """See `Proposer`.

        Raises:
            StoppedError: the model makes no further call; nothing was taken in.
        """
        kept = self._kept([self._told(request) for request in requests], lambda: self._asked(requests))
        numbers = [self._taken(None if one is None else Written(**one)) for one in kept]
        self._tell()
        return numbers

    def _told(self, request: Request) -> dict[str, object]:
        """A request, its instructions in words."""
        return {**asdict(request), "texts": [self._space.instructions[number] for number in request.instructions]}

    def _asked(self, requests: Sequence[Request]) -> list[dict[str, Any] | None]:
        """What the model writes, as JSON values; None where it has failed."""
        texts = [self.meta_prompt(request) for request in requests]
        written = self._write(texts, [request.seed for request in requests])
        return [None if one is None else asdict(one) for one in written]

    def meta_prompt(self, request: Request) -> str:
        """What the model is asked, `HEAD` left out."""
        given = [self._space.instructions[number] for number in request.instructions]
        match request.kind, given:
            case "cross", [first, second]:
                return meta_prompts.cross(first, second, about=self._about)
            case "mutate", [only]:
                return meta_prompts.mutate(only, about=self._about)
            case "differ", [first, second, best, base]:
                return meta_prompts.differ(first, second, best, base, about=self._about)
            case "reflect", [only]:
                return meta_prompts.reflect(only, self._failed(request), about=self._about)
        raise SettingError(f"a request of kind {request.kind!r} cannot come from {len(given)} instructions")

    def _failed(self, request: Request) -> list[Failed]:
        """Some rows with the answers of the request's candidate, the wrong ones first."""
        [prompt] = self._space.decode(np.array([request.candidate], dtype=np.float64))
        if not isinstance(prompt, TextPrompt):
            return []
        answers = self._answering(prompt, request.rows)
        answered = zip(request.rows, answers, strict=True)
        wrong_first = sorted(answered, key=lambda pair: self._answering.is_right(*pair))
        return [
            Failed(self._answering.row(row), answer, self._answering.right(row)) for row, answer in wrong_first[:SHOWN]
        ]

    def _write(self, texts: Sequence[str], seeds: Sequence[int]) -> list[Written | None]:
        """What the model writes: one call for all texts of a seed, of which there is one a generation.

        A text that is asked again asks for another version, or it would have the same answer.
        """
        seen: Counter[tuple[str, int]] = Counter()
        of_seed: dict[int, dict[int, Query]] = {}
        for place, (text, seed) in enumerate(zip(texts, seeds, strict=True)):
            seen[text, seed] += 1
            of_seed.setdefault(seed, {})[place] = Query(text + meta_prompts.again(seen[text, seed]), ())
        found: dict[int, Written | None] = {}
        for seed, queries in of_seed.items():
            writing = Writing(self._tokens, temperature=TEMPERATURE, seed=seed)
            written = self._backend.generate([_PROMPT], list(queries.values()), writing).written[0]
            found |= zip(queries, written, strict=True)
        return [found[place] for place in range(len(texts))]

    def _taken(self, written: Written | None) -> int | None:
        """The number of the instruction in an answer, taken in; None where it is refused."""
        instruction = read(written)
        refusal = instruction if isinstance(instruction, Refusal) else None
        refusal = refusal or self._checks.refusal(instruction, self._space.instructions)
        if refusal is None:
            return self._space.add(instruction)
        self._space.refused[refusal.value] += 1
        log.debug("refused (%s): %s", refusal, shortened(written.text if written else "", 200))
        return None

    def _tell(self) -> None:
        refused = sum(self.refused.values())
        why = ", ".join(f"{count} {reason}" for reason, count in self.refused.most_common())
        log.info("%d new instructions so far, %d refused%s", self.accepted, refused, f" ({why})" if why else "")
        if self.accepted or refused < TRIED or self._warned:
            return
        self._warned = True
        log.warning(
            "model %r has written no instruction that can be used in %d tries (%s); the search goes on by changes that "
            "need no model; another model can write for it: proposer_model",
            self._backend.name,
            refused,
            why,
        )
