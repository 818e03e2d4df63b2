"""Models behind an HTTP endpoint: text in, text and perhaps log-probabilities out; every call costs money.

A call goes one way: `ApiBackend` renders it in a `Dialect`, `Asker` looks in the journal (`Answers`), `Transport` sends
it within the budget (`Ledger`) and the endpoint's limits, the dialect reads the reply, the journal has it written down,
and `Scoring` makes scores of it, or `texts` a text.
"""

from blackbox.backends.api.account import Account
from blackbox.backends.api.answers import Answers, Spending
from blackbox.backends.api.anthropic import Anthropic
from blackbox.backends.api.asker import Asker
from blackbox.backends.api.backend import ApiBackend
from blackbox.backends.api.dialect import Dialect, Features
from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.api.gate import Gate, Gates
from blackbox.backends.api.ledger import Ledger
from blackbox.backends.api.limits import Limits
from blackbox.backends.api.openai import OpenAI
from blackbox.backends.api.patience import Patience
from blackbox.backends.api.pricing import Price, price_of
from blackbox.backends.api.probe import probed
from blackbox.backends.api.scoring import Scoring, make_scoring
from blackbox.backends.api.transport import Transport

__all__ = [
    "Account",
    "Answers",
    "Anthropic",
    "ApiBackend",
    "Asker",
    "Dialect",
    "Endpoint",
    "Features",
    "Gate",
    "Gates",
    "Ledger",
    "Limits",
    "OpenAI",
    "Patience",
    "Price",
    "Scoring",
    "Spending",
    "Transport",
    "make_scoring",
    "price_of",
    "probed",
]
