"""Graders of what the model writes: by a metric of texts, and beside it the likelihood of the targets."""

from collections.abc import Sequence
from dataclasses import dataclass

from blackbox.backends import Backend, Capability, Prompt, Writing
from blackbox.errors import DataError
from blackbox.filling import write
from blackbox.graders.base import Graded, check_share
from blackbox.graders.scores import ScoreGrader
from blackbox.row_answers import WrittenTexts
from blackbox.split import Split
from blackbox.target_answers import TargetAnswers
from blackbox.text_metrics import TEXT_METRICS, TextMetric


@dataclass(frozen=True)
class TextGrader:
    """Lets the model write, and compares that with the targets of a row. What stands behind the blank is not read."""

    terms: dict[str, object]
    metric: TextMetric
    writing: Writing

    needs = Capability.GENERATE

    def check_goal(self, goal: float | None) -> None:
        check_share(goal)

    def check_rows(self, split: Split) -> None:
        if behind := split.form.template.fields_behind_label:
            unseen = ", ".join(f"{{{name}}}" for name in behind)
            raise DataError(
                f"template puts {unseen} behind {{label}}, which a model that writes never reads: put it last"
            )
        if self.metric.name not in TEXT_METRICS:  # a function of the user's may have reasons of its own
            return
        for number, accepted in enumerate(split.accepted, start=1):
            if not any(self.metric(target, accepted) == 1 for target in accepted):
                raise DataError(
                    f"{split.name} row {number} has the target {accepted[0]!r}, which metric {self.metric.name!r} does "
                    "not accept itself: no text is right"
                )

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        written = write(backend, prompts, split.queries, self.writing)
        return [
            (WrittenTexts(line, split.accepted, self.metric), usage)
            for line, usage in zip(written.written, written.usages, strict=True)
        ]

    def nothing(self) -> WrittenTexts:
        return WrittenTexts((), (), self.metric)


@dataclass(frozen=True)
class LikelihoodGrader:
    """Asks for the likelihood of each row's target; of all but training rows, lets the model write as well.

    What is searched is a loss that every change of a prompt moves and that costs one pass; what is reported and
    selected by is the metric.
    """

    terms: dict[str, object]
    likelihoods: ScoreGrader
    texts: TextGrader

    needs = Capability.TARGETS

    @property
    def writing(self) -> Writing:
        return self.texts.writing

    def check_goal(self, goal: float | None) -> None:
        self.texts.check_goal(goal)

    def check_rows(self, split: Split) -> None:
        self.texts.check_rows(split)

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        likely = self.likelihoods.ask(backend, prompts, split)
        if split.name == "train":
            return [(TargetAnswers(answers, None), usage) for answers, usage in likely]
        written = self.texts.ask(backend, prompts, split)
        return [
            (TargetAnswers(answers, texts), usage + more)
            for (answers, usage), (texts, more) in zip(likely, written, strict=True)
        ]

    def nothing(self) -> TargetAnswers:
        return TargetAnswers(self.likelihoods.nothing(), None)
