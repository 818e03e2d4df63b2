"""How a model behind an endpoint is asked for a text, and how its answer becomes one.

What a filter held back and a call of a tool are missing. An empty text is a text: the prompt has brought it about.
"""

from blackbox.backends.api.answer import Answer
from blackbox.backends.api.dialect import Wanted
from blackbox.backends.api.unreadable import stopped
from blackbox.backends.writing import Writing, Written


def wanted(writing: Writing) -> Wanted:
    """What an answer is to be like. The seed counts only where something is drawn: else one answer serves all seeds."""
    seed = writing.seed if writing.temperature else 0
    return Wanted(writing.max_tokens, temperature=float(writing.temperature), seed=seed, stop=writing.stop)


def number_of_ask(repeat: int, writing: Writing) -> int:
    """The number of an ask, where another seed is another ask: an endpoint without seeds is asked anew, too.

    Where something is drawn, each two of repeat and seed have a number of their own (Cantor's pairing).
    """
    if not writing.temperature:
        return repeat
    both = repeat + writing.seed
    return both * (both + 1) // 2 + writing.seed


def written(answer: Answer, writing: Writing) -> Written | str:
    """The text of an answer, or the reason why it is missing. Stop texts that the endpoint passed over end it here."""
    reason = stopped(answer)
    return str(reason) if reason else writing.ended(answer.text, cut=answer.finish == "length")
