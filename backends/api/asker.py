"""Questions to an endpoint, each paid for once: from the journal where it has the answer, else over the wire."""

from dataclasses import replace
from functools import partial

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.answers import Answers, Facts, key_of
from blackbox.backends.api.dialect import Dialect
from blackbox.backends.api.transport import Transport
from blackbox.backends.base import Usage


class Asker:
    """Asks in a dialect, writes down before it tells, and what is in flight before it asks.

    Args:
        dialect: reads the replies.
        transport: the way to the endpoint.
        answers: the journal.
    """

    def __init__(self, dialect: Dialect, transport: Transport, answers: Answers) -> None:
        self.dialect, self.transport, self.answers = dialect, transport, answers

    def key(self, call: Call) -> str:
        """What the call is known by in the journal."""
        return key_of(call, endpoint=self.transport.base_url)

    def __call__(self, call: Call, facts: Facts) -> Answer:
        """The answer to a call; its usage is what it cost when it was paid for.

        Raises:
            NoAnswerError: the call has failed for good.
            RefusedError: the endpoint refuses it.
            StoppedError: no further call is made.
            JournalError: the answer cannot be written down.
        """
        key = self.key(call)
        known = self.answers.find(key)
        if known is not None:
            return known
        most = replace(call.most, usd=self.transport.ledger.cost(call.most))
        in_flight = self.answers.in_flight

        def charged(usage: Usage) -> None:
            if usage.requests:
                self.answers.charge(usage, facts=facts)
            in_flight.end(most)

        sending = partial(in_flight.begin, most)
        answer = self.transport.ask(call, partial(self.dialect.read, call), sending=sending, charged=charged)
        answer = self.answers.put(key, answer, facts=facts)
        in_flight.end(most)
        return answer
