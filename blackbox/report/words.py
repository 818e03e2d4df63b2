"""Figures in words: one way to write times, counts and stop reasons on the page, in the tables and in the terminal."""

_REASONS = {
    "evaluations": "the budget of evaluations is spent",
    "seconds": "the time limit is reached",
    "requests": "the budget of requests is spent",
    "prompt_tokens": "the budget of prompt tokens is spent",
    "completion_tokens": "the budget of completion tokens is spent",
    "usd": "the budget of USD is spent",
    "target": "the target is reached",
    "patience": "the training loss did not fall any more within the patience given",
}


def in_time(seconds: float) -> str:
    """A time in the two largest units that it fills: "0.4 s", "12 s", "3 min 05 s", "2 h 07 min", "3 d 04 h"."""
    if round(seconds, 1) < 10:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left:02d} h"
    if hours:
        return f"{hours} h {minutes_left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def about(seconds: float) -> str:
    """A time that is only an estimate: seconds are left out from a minute on."""
    minutes = round(seconds / 60)
    if round(seconds) < 60:
        return in_time(seconds)
    return f"{minutes} min" if minutes < 60 else in_time(60 * minutes)


def compact(number: int) -> str:
    """A count in at most five characters: "950", "15.0k", "1.50M", "2.10G"."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + unit
    return str(number)


def in_usd(usd: float) -> str:
    """Money: two digits behind the point, four below one dollar, where calls are cheap."""
    return f"{usd:,.4f} USD" if 0 < usd < 1 else f"{usd:,.2f} USD"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 row", "8,000 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def reason_in_words(reason: str) -> str:
    """A stop reason of the search in words; any other text, such as an error, as it is."""
    if reason.startswith("optimizer ("):
        return f"the optimizer stopped {reason.removeprefix('optimizer ')}"
    limit, _, whose = reason.partition(" of the ")  # "usd of the sweep"
    if limit not in _REASONS:
        return reason
    return _REASONS[limit].replace("the ", f"the {whose}'s ", 1) if whose else _REASONS[limit]
