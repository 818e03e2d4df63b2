"""The backend of models behind an HTTP endpoint: text prompts in, label scores or text out, all within the budget."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import replace
from functools import partial, reduce
from operator import add
from typing import TypeVar

import numpy as np

from blackbox.backends.api import texts
from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.answers import Facts
from blackbox.backends.api.asker import Asker
from blackbox.backends.api.dialect import Features
from blackbox.backends.api.pricing import Price
from blackbox.backends.api.scoring import Scoring
from blackbox.backends.base import Capability, Failure, Generations, Query, Scores, Usage
from blackbox.backends.checks import check_call, check_prompts
from blackbox.backends.errors import KeyRefusedError, NoAnswerError, RefusedError, StoppedError
from blackbox.backends.prompts import Prompt, TextPrompt
from blackbox.backends.writing import GREEDY, Writing

T = TypeVar("T")


class ApiBackend:
    """See the module. Rows that are the same text are asked for once.

    Args:
        model: as the endpoint names it.
        asker: asks it.
        features: what it can do, as `probe` has found.
        scoring: how its answers become label scores.
        repeat: number of the ask; another number asks everything anew, to measure noise.
    """

    capabilities = frozenset({Capability.TEXT, Capability.LABEL_SCORES, Capability.GENERATE})

    def __init__(self, model: str, asker: Asker, *, features: Features, scoring: Scoring, repeat: int = 0) -> None:
        self.name, self.features, self.scoring = model, features, scoring
        self._asker, self._repeat, self._refuses_stop = asker, repeat, False
        self._threads = ThreadPoolExecutor(asker.transport.parallel, thread_name_prefix="endpoint")

    @property
    def asker(self) -> Asker:
        """What asks: its ledger and its journal serve other models of the same run as well."""
        return self._asker

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
            StoppedError: no further call is made: the budget or the quota is used up, the endpoint is down, or it
                takes the key no longer.
        """
        check_call(self, prompts, queries)
        calls = [self._call(prompt, query) for prompt in _texts(prompts) for query in queries]
        read = [partial(self.scoring.score, options=query.options) for query in queries]
        found, usages, failures = self._told(prompts, calls, read)
        n_options = len(queries[0].options) if queries else 0
        missing = np.full(n_options, np.nan)
        scores = [[missing if one is None else one for one in line] for line in found]
        return Scores(np.array(scores).reshape(len(prompts), len(queries), n_options), usages, failures)

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        """See `GeneratingBackend.generate`. What a filter held back and a call of a tool are missing, with the reason.

        Raises:
            StoppedError: as of `score`.
        """
        check_prompts(self, prompts)
        calls = [self._call(prompt, query, writing) for prompt in _texts(prompts) for query in queries]
        found, usages, failures = self._told(prompts, calls, [partial(texts.written, writing=writing)] * len(queries))
        return Generations(tuple(map(tuple, found)), usages, failures)

    def most(self, prompts: Sequence[TextPrompt], queries: Sequence[Query], writing: Writing | None = None) -> Usage:
        """What asking for every pair may cost at most, each once and without failed attempts. Nothing is asked.

        Args:
            writing: of `generate`; None is what `score` costs.
        """
        calls = [self._call(prompt, query, writing) for prompt in prompts for query in queries]
        most = reduce(add, (call.most for call in calls), Usage())
        return replace(most, usd=self._asker.transport.ledger.cost(most))

    def close(self) -> None:
        """End the threads and close the journal."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._asker.answers.close()

    def _told(
        self, prompts: Sequence[Prompt], calls: Sequence[Call], read: Sequence[Callable[[Answer], T | str]]
    ) -> tuple[list[list[T | None]], tuple[Usage, ...], tuple[Failure, ...]]:
        """What the answers tell of each pair, what each prompt has cost, and the pairs that are missing.

        Args:
            calls: those of the first prompt, then those of the second, ...
            read: for each query, what reads its answers, or says why one cannot be read.
        """
        subjects = [subject(prompt) for prompt in _texts(prompts) for _ in read]
        answers = iter(self._answers(calls, subjects))
        found: list[list[T | None]] = []
        usages, failures = [], []
        for place in range(len(prompts)):
            line: list[T | None] = []
            usage = Usage()
            for row, reader in enumerate(read):
                answer = next(answers)
                usage += Usage(requests=1) if isinstance(answer, str) else answer.usage
                told = answer if isinstance(answer, str) else reader(answer)
                if isinstance(told, str):
                    failures.append(Failure(place, row, told))
                line.append(None if isinstance(told, str) else told)
            found.append(line)
            usages.append(usage)
        return found, tuple(usages), tuple(failures)

    def _answers(self, calls: Sequence[Call], subjects: Sequence[str]) -> list[Answer | str]:
        """The answer to each call, or the reason why there is none; the same call is made once."""
        keys = [self._asker.key(call) for call in calls]
        futures: dict[str, Future[Answer | str]] = {}
        try:
            for key, call, about in zip(keys, calls, subjects, strict=True):
                if key not in futures:
                    # in a copy of the caller's context, by which a log tells the runs of one process apart
                    futures[key] = self._threads.submit(copy_context().run, self._answer, call, Facts("task", about))
            done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
        finally:
            for future in futures.values():
                future.cancel()  # those in flight go on, and are written down
        for future in done:
            future.result()
        return [futures[key].result() for key in keys]

    def _call(self, prompt: TextPrompt, query: Query, writing: Writing | None = None) -> Call:
        """The call that writes, or without `writing` the one that scores."""
        wanted = texts.wanted(writing) if writing else self.scoring.wanted(query.options)
        repeat = texts.number_of_ask(self._repeat, writing) if writing else self._repeat
        return self._asker.dialect.call(prompt, query, features=self.features, wanted=wanted, repeat=repeat)

    def _answer(self, call: Call, facts: Facts) -> Answer | str:
        """An endpoint that refuses stop texts is asked without: the text is cut here, too."""
        stop = self._asker.dialect.stop
        if self._refuses_stop:
            call = call.without(stop)
        try:
            return self._asker(call, facts)
        except KeyRefusedError as error:
            if error.status != 401:  # what a filter refuses in one row may be a 403
                return str(error)
            stopped = StoppedError(f"{error}; it took the key before")
            self._asker.transport.stop(stopped)
            raise stopped from error
        except RefusedError as error:
            if error.parameter != stop or stop not in call.body:
                return str(error)
        except NoAnswerError as error:
            return str(error)
        self._refuses_stop = True
        return self._answer(call, facts)


def _texts(prompts: Sequence[Prompt]) -> list[TextPrompt]:
    """The prompts, all of which are texts once they are checked."""
    return [prompt for prompt in prompts if isinstance(prompt, TextPrompt)]


def subject(prompt: TextPrompt) -> str:
    """What a prompt is known by where money is accounted for: a digest and how it begins."""
    digest = hashlib.sha256(repr(prompt).encode()).hexdigest()[:8]
    words = [*prompt.whole.split(), *(prompt.template or "").split()]
    return f"{digest} {' '.join(words)[:60]}"
