"""Text prompts put together from parts: an instruction, shown rows, a way to write the rows, label words.

Every part is a variable with a few categories, and the search is a categorical one. Random sets of demonstrations are
hard to beat on classification, and which ones are shown, in which order and format matters more than the instruction
(Zhao et al. 2021, arXiv 2102.09690; Lu et al. 2022, arXiv 2104.08786; MIPRO: Opsahl-Ong et al. 2024, arXiv 2406.11695).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from blackbox.backends import Demonstration, Prompt, TextPrompt
from blackbox.errors import SettingError
from blackbox.spaces.formats import ANSWERS, CASINGS, LAYOUTS, SEPARATORS, SPACES, Format, cased
from blackbox.task import Task
from blackbox.template import Template

INSTRUCTION = "instruction"
"""The variable whose categories may grow while the search goes on."""
_ROW = "row "


class ChoicesSpace:
    """A candidate has the number of a category for each variable; zeros are the first instruction and nothing else.

    The variables, in this order: `instruction`; with label words `listing` (the words are not listed behind the
    instruction, in their order, or in the reverse; never behind one that names them all itself) and `words` (their
    casing, and the alternatives given); the format: `layout` (the task's template, or one made of the next four),
    `casing`, `separator`, `space`, `answer`; `shown`, how many rows are shown with their answers, and `row 1` to
    `row N`, which: the first `shown` of them, each once.

    Args:
        task: its training rows are shown, never others.
        instructions: at least one; the search starts from the first.
        demonstrations: rows shown at most.
        pool: training rows that may be shown, by number.
        words: further label words, each in the order of the task's labels.
        role: who says the instruction to a chat model.

    Attributes:
        instructions: those that are given, and behind them those that were added.
        given: how many are given.
        refused: how often a proposed instruction was not added, for which reason.

    Raises:
        SettingError: no instruction, one that stands twice, or nothing to choose.
    """

    def __init__(
        self,
        task: Task,
        instructions: Sequence[str],
        *,
        demonstrations: int,
        pool: Sequence[int],
        words: Sequence[tuple[str, ...]] = (),
        role: Literal["user", "system"] = "user",
    ) -> None:
        if not instructions or len(set(instructions)) < len(instructions):
            raise SettingError(f"space 'choices' needs instructions, no two alike, got {len(instructions)}")
        self._task, self._pool, self._role = task, tuple(pool), role
        self.instructions, self.given, self.refused = list(instructions), len(instructions), Counter[str]()
        self._words = list(dict.fromkeys([*cased(_own_words(task)), *words])) if task.labels else []
        labelled = {"listing": 3, "words": len(self._words)} if task.labels else {}
        form = {"layout": len(LAYOUTS), "casing": len(CASINGS), "separator": len(SEPARATORS), "space": len(SPACES)}
        count = min(demonstrations, len(self._pool))
        rows = {f"{_ROW}{place}": len(self._pool) for place in range(1, count + 1)}
        shown = {"shown": count + 1} if count else {}
        self._sizes = {
            INSTRUCTION: len(instructions), **labelled, **form, "answer": len(ANSWERS), **shown, **rows
        }  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self._sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Categories of each variable; those of instructions that were added later do not count."""
        return tuple(self._sizes.values())

    @property
    def dimension(self) -> int:
        return len(self._sizes)

    @property
    def blocks(self) -> tuple[int, ...]:
        """The places of the rows that are shown are alike: what a row does in one it does much the same in another."""
        places = sum(name.startswith(_ROW) for name in self.names)
        return (*(1,) * (self.dimension - places), *((places,) if places else ()))

    def meaning(self, candidate: Sequence[int]) -> tuple[int, ...]:
        """The candidate with zeros in the place of what its prompt does not depend on."""
        chosen = dict(zip(self.names, map(int, candidate), strict=True))
        if not chosen["layout"]:
            chosen |= dict.fromkeys(("casing", "separator", "space", "answer"), 0)
        if "listing" in chosen and not self._listed(chosen):
            chosen["listing"] = 0
        if "shown" in chosen:
            shown = list(dict.fromkeys(chosen[f"{_ROW}{place}"] for place in range(1, chosen["shown"] + 1)))
            chosen |= {name: 0 for name in chosen if name.startswith(_ROW)}
            chosen |= {f"{_ROW}{place}": row for place, row in enumerate(shown, start=1)} | {"shown": len(shown)}
        return tuple(chosen.values())

    def add(self, instruction: str) -> int:
        """The number of an instruction, which is added if it is new."""
        if instruction not in self.instructions:
            self.instructions.append(instruction)
        return self.instructions.index(instruction)

    def state_dict(self) -> dict[str, object]:
        """The instructions and the refusals, as JSON values."""
        return {"instructions": list(self.instructions), "refused": dict(self.refused)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with what `state_dict` wrote."""
        self.instructions = list(state["instructions"])
        self.refused = Counter(state.get("refused", {}))

    def longest(self) -> list[TextPrompt]:
        """Two prompts, one in the task's own format, that are as long as any, the rows behind them included."""
        longest = dict.fromkeys(self.names, 0)
        longest[INSTRUCTION] = _longest_of(self.instructions)
        for name, texts in (("casing", CASINGS), ("separator", SEPARATORS), ("space", SPACES), ("answer", ANSWERS)):
            longest[name] = _longest_of(texts)
        if self._words:
            longest |= {"listing": 1, "words": _longest_of([" ".join(words) for words in self._words])}
            longest[INSTRUCTION] = _longest_of(
                [self._text({**longest, INSTRUCTION: number}) for number in range(len(self.instructions))]
            )
        if "shown" in longest:
            longest["shown"] = self._sizes["shown"] - 1
            queries = [self._task.train.queries[number] for number in self._pool]
            by_length = sorted(
                range(len(queries)), key=lambda place: -len((queries[place].before + queries[place].after).encode())
            )
            longest |= {f"{_ROW}{place}": by_length[place - 1] for place in range(1, longest["shown"] + 1)}
        return [self._prompt({**longest, "layout": layout}) for layout in range(len(LAYOUTS))]

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """The prompts of candidates of shape (n, dimension)."""
        return [self._prompt(dict(zip(self.names, map(int, candidate), strict=True))) for candidate in candidates]

    def _prompt(self, chosen: dict[str, int]) -> TextPrompt:
        words = self._words[chosen["words"]] if self._words else ()
        template = self._template(chosen)
        text = self._text(chosen)
        numbers = dict.fromkeys(self._pool[chosen[f"{_ROW}{place}"]] for place in range(1, chosen.get("shown", 0) + 1))
        return TextPrompt(
            text=f"{text}\n\n" if text else "",
            demonstrations=tuple(self._shown(number, template, words) for number in numbers),
            role=self._role,
            template=template.text if chosen["layout"] else None,
            label_words=words if chosen.get("words") else None,
        )

    def _text(self, chosen: dict[str, int]) -> str:
        text, listed = self.instructions[chosen[INSTRUCTION]], self._listed(chosen)
        return f"{text}{' ' if text else ''}Answer with one of: {', '.join(listed)}." if listed else text

    def _listed(self, chosen: dict[str, int]) -> tuple[str, ...]:
        """The label words that are listed behind the instruction; none where it names them all itself."""
        if not chosen.get("listing"):
            return ()
        words, instruction = self._words[chosen["words"]], self.instructions[chosen[INSTRUCTION]]
        if all(word in instruction for word in words):
            return ()
        return words if chosen["listing"] == 1 else words[::-1]

    def _template(self, chosen: dict[str, int]) -> Template:
        if not chosen["layout"]:
            return self._task.template
        form = Format(
            CASINGS[chosen["casing"]],
            SEPARATORS[chosen["separator"]],
            SPACES[chosen["space"]],
            ANSWERS[chosen["answer"]],
        )
        return Template(form.template(self._task.template.fields))

    def _shown(self, number: int, template: Template, words: tuple[str, ...]) -> Demonstration:
        split = self._task.train
        query = template.render(
            split.rows[number], words or split.queries[number].options, where=f"train row {number + 1}"
        )
        return Demonstration(query.before, query.options[split.labels[number]], query.after, row=number)


def _own_words(task: Task) -> tuple[str, ...]:
    return task.train.queries[0].options


def _longest_of(texts: Sequence[str]) -> int:
    return max(range(len(texts)), key=lambda number: len(texts[number].encode()))
