"""What is done to a saved prompt wherever it is used, in lines for the terminal."""

from blackbox.backends import TextPrompt
from blackbox.report.words import counted
from blackbox.saved_prompt import SavedPrompt
from blackbox.verbalizers.named_readouts import name_of
from blackbox.verbalizers.words import FoundWords


def finished_in_words(saved: SavedPrompt) -> list[str]:
    """The members of an ensemble, the templates, and the offsets of the labels; nothing of a plain prompt."""
    members, offsets = saved.finished.members, saved.finished.offsets
    lines = [f"averaged with: {member.whole!r}" for member in members[1:] if isinstance(member, TextPrompt)]
    if members and not lines:
        lines = [f"averaged with: the vectors of {counted(len(members) - 1, 'further prompt')}"]
    lines += [f"averaged over the template: {template!r}" for template in saved.finished.templates]
    if saved.readout:
        lines.append(f"labels are told by hidden states at the blank: verbalizer {name_of(saved.readout)!r}")
    if offsets is not None:
        told = (f"{label} {offset:+.3f}" for label, offset in zip(saved.blank.labels, offsets, strict=True))
        lines.append(f"calibrated, nats: {', '.join(told)}")
    return lines


def words_in_words(found: FoundWords) -> str:
    """The label words that were searched, and those that they stand in the place of."""
    given, words = ", ".join(found.given), ", ".join(found.words)
    losses = f"train loss of the start {found.given_loss:.4f} -> {found.loss:.4f}"
    return f"label words found: {words}, given: {given} ({losses}, {found.evaluations} evaluations)"
