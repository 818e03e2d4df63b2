"""The backend of models behind an HTTP endpoint: text prompts in, label scores out, every call within the budget."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.answers import Facts
from blackbox.backends.api.asker import Asker
from blackbox.backends.api.dialect import Features
from blackbox.backends.api.pricing import Price
from blackbox.backends.api.scoring import Scoring
from blackbox.backends.base import Capability, Failure, Query, Scores, Usage, check_call
from blackbox.backends.errors import NoAnswerError, RefusedError
from blackbox.backends.prompts import Prompt, TextPrompt


class ApiBackend:
    """See the module. Rows that are the same text are asked for once.

    Args:
        model: as the endpoint names it.
        asker: asks it.
        features: what it can do, as `probe` has found.
        scoring: how its answers become label scores.
        repeat: number of the ask; another number asks everything anew, to measure noise.
    """

    capabilities = frozenset({Capability.TEXT, Capability.LABEL_SCORES})

    def __init__(self, model: str, asker: Asker, *, features: Features, scoring: Scoring, repeat: int = 0) -> None:
        self.name, self.features, self.scoring = model, features, scoring
        self._asker, self._repeat = asker, repeat
        self._threads = ThreadPoolExecutor(asker.transport.parallel, thread_name_prefix="endpoint")

    @property
    def model_hash(self) -> str:
        """Of the address and the model's name: its weights are not to be seen."""
        return hashlib.sha256(f"{self._asker.transport.base_url} {self.name}".encode()).hexdigest()

    @property
    def spent(self) -> Usage:
        """What all calls of the run have cost, over all its sessions; failed ones and the probe included."""
        return self._asker.transport.ledger.spent

    @property
    def price(self) -> Price | None:
        """What a token costs, where that is known."""
        return self._asker.transport.ledger.price

    @property
    def record(self) -> dict[str, object]:
        """Address, features and way of scoring."""
        address = self._asker.transport.base_url
        return {"base_url": address, "scoring": self.scoring.name, "features": self.features.to_dict()}

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        """See `Backend.score`. A row that the endpoint does not answer is missing, with the reason.

        Raises:
            StoppedError: no further call is made: the budget or the quota is used up, or the endpoint is down.
        """
        check_call(self, prompts, queries)
        texts = [prompt for prompt in prompts if isinstance(prompt, TextPrompt)]
        answers = iter(self._answers([(prompt, query) for prompt in texts for query in queries]))
        n_options = len(queries[0].options) if queries else 0
        scores = np.full((len(texts), len(queries), n_options), np.nan)
        usages, failures = [], []
        for place in range(len(texts)):
            usage = Usage()
            for row, query in enumerate(queries):
                answer = next(answers)
                usage += Usage(requests=1) if isinstance(answer, str) else answer.usage
                scored = answer if isinstance(answer, str) else self.scoring.score(answer, query.options)
                if isinstance(scored, str):
                    failures.append(Failure(place, row, scored))
                else:
                    scores[place, row] = scored
            usages.append(usage)
        return Scores(scores, tuple(usages), tuple(failures))

    def most(self, prompts: Sequence[TextPrompt], queries: Sequence[Query]) -> Usage:
        """What asking for every pair may cost at most, each once and without failed attempts. Nothing is asked."""
        calls = [self._call(prompt, query) for prompt in prompts for query in queries]
        most = reduce(add, (call.most for call in calls), Usage())
        return replace(most, usd=self._asker.transport.ledger.cost(most))

    def close(self) -> None:
        """End the threads and close the journal."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._asker.answers.close()

    def _answers(self, pairs: Sequence[tuple[TextPrompt, Query]]) -> list[Answer | str]:
        """The answer to each pair, or the reason why there is none; the same call is made once."""
        calls = [self._call(prompt, query) for prompt, query in pairs]
        keys = [self._asker.key(call) for call in calls]
        facts = [Facts("task", subject(prompt)) for prompt, _ in pairs]
        futures: dict[str, Future[Answer | str]] = {}
        try:
            for key, call, fact in zip(keys, calls, facts, strict=True):
                if key not in futures:
                    futures[key] = self._threads.submit(self._answer, call, fact)
            done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
        finally:
            for future in futures.values():
                future.cancel()  # those in flight go on, and are written down
        for future in done:
            future.result()
        return [futures[key].result() for key in keys]

    def _call(self, prompt: TextPrompt, query: Query) -> Call:
        wanted = self.scoring.wanted(query.options)
        return self._asker.dialect.call(prompt, query, features=self.features, wanted=wanted, repeat=self._repeat)

    def _answer(self, call: Call, facts: Facts) -> Answer | str:
        try:
            return self._asker(call, facts)
        except (NoAnswerError, RefusedError) as error:
            return str(error)


def subject(prompt: TextPrompt) -> str:
    """What a prompt is known by where money is accounted for: a digest and how it begins."""
    digest = hashlib.sha256(repr(prompt).encode()).hexdigest()[:8]
    words = [*prompt.whole.split(), *(prompt.template or "").split()]
    return f"{digest} {' '.join(words)[:60]}"
