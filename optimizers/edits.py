"""Changes of choices that need no model: of the rows that are shown, and of everything else that has categories.

Deleting, adding, swapping and reordering are GrIPS' edits (Prasad et al. 2023, arXiv 2203.07281), made on whole
demonstrations instead of phrases. `few_shot` is CAPO's mutation (Zehle et al. 2025, arXiv 2504.16005, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import numpy as np

Choice: TypeAlias = tuple[int, ...]
"""A candidate: a category for each variable."""

Edit: TypeAlias = "Callable[[Choice, Variables, np.random.Generator], Choice]"
"""Gives the choice itself where there is nothing to change."""


@dataclass(frozen=True)
class Variables:
    """What a choice is made of.

    Attributes:
        sizes: Categories of each variable; of variable 0, the instruction, those at the start.
        rows: The places for shown rows, in the order of showing.
        count: The variable that says how many of them are shown; None: all.
    """

    sizes: tuple[int, ...]
    rows: tuple[int, ...] = ()
    count: int | None = None

    @classmethod
    def of(cls, sizes: Sequence[int], blocks: Sequence[int]) -> Variables:
        """Variables as a `Domain` has them: the longest block of several is the rows.

        The variable in front of them is their count if it has one category more than there are places.
        """
        longest = max(range(len(blocks)), key=blocks.__getitem__)
        if blocks[longest] < 2:
            return cls(tuple(sizes))
        end = list(accumulate(blocks))[longest]
        rows = tuple(range(end - blocks[longest], end))
        counted = rows[0] > 1 and sizes[rows[0] - 1] == len(rows) + 1
        return cls(tuple(sizes), rows, rows[0] - 1 if counted else None)

    @property
    def others(self) -> tuple[int, ...]:
        """The variables that are neither rows nor their count and have something to choose."""
        return tuple(i for i, n in enumerate(self.sizes) if i not in self.rows and i != self.count and n > 1)

    def shown(self, choice: Choice) -> Choice:
        """The rows that a choice shows."""
        count = len(self.rows) if self.count is None else choice[self.count]
        return tuple(choice[place] for place in self.rows[:count])

    def showing(self, choice: Choice, shown: Sequence[int]) -> Choice:
        """The choice with these rows in the place of those that it shows."""
        changed = list(choice)
        for place, row in zip(self.rows, shown, strict=False):
            changed[place] = int(row)
        if self.count is not None:
            changed[self.count] = len(shown)
        return tuple(changed)

    def draw(self, rng: np.random.Generator) -> Choice:
        """A choice drawn at random."""
        return tuple(int(number) for number in rng.integers(0, self.sizes))


def add(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """One more row is shown, anywhere among the others."""
    shown = list(of.shown(choice))
    new = _not_shown(shown, of)
    if of.count is None or len(shown) == len(of.rows) or not new:
        return choice
    shown.insert(int(rng.integers(len(shown) + 1)), int(rng.choice(new)))
    return of.showing(choice, shown)


def delete(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """One row less is shown."""
    shown = list(of.shown(choice))
    if of.count is None or not shown:
        return choice
    del shown[int(rng.integers(len(shown)))]
    return of.showing(choice, shown)


def swap(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """Two of the rows that are shown change places."""
    shown = list(of.shown(choice))
    if len(shown) < 2:
        return choice
    i, j = rng.choice(len(shown), size=2, replace=False)
    shown[i], shown[j] = shown[j], shown[i]
    return of.showing(choice, shown)


def reorder(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """The rows that are shown come in another order."""
    return of.showing(choice, [int(row) for row in rng.permutation(of.shown(choice))])


def replace(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """One of the rows that are shown gives way to another."""
    shown = list(of.shown(choice))
    new = _not_shown(shown, of)
    if not shown or not new:
        return choice
    shown[int(rng.integers(len(shown)))] = int(rng.choice(new))
    return of.showing(choice, shown)


def vary(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """One variable that has nothing to do with rows has another category; an instruction one of those at the start."""
    if not of.others:
        return choice
    place = int(rng.choice(of.others))
    category = int(rng.integers(of.sizes[place] - (choice[place] < of.sizes[place])))
    return (*choice[:place], category + (category >= choice[place]), *choice[place + 1 :])


EDITS: tuple[Edit, ...] = (add, delete, swap, reorder, replace, vary, vary, vary)
"""What `edit` draws from: rows and the rest about equally often."""


def edit(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """The choice after one edit that changes it; itself where none does."""
    for number in rng.permutation(len(EDITS)):
        changed = EDITS[int(number)](choice, of, rng)
        if changed != choice:
            return changed
    return choice


def few_shot(choice: Choice, of: Variables, rng: np.random.Generator) -> Choice:
    """CAPO's mutation: a row more, a row less or as many, each as likely, then shuffled."""
    first: Edit = (add, delete, reorder)[int(rng.integers(3))]
    return reorder(first(choice, of, rng), of, rng)


def cross(one: Choice, other: Choice, rng: np.random.Generator) -> Choice:
    """Uniform crossover: each variable from either, equally likely."""
    return tuple(b if swapped else a for a, b, swapped in zip(one, other, rng.random(len(one)) < 0.5, strict=True))


def _not_shown(shown: Sequence[int], of: Variables) -> list[int]:
    return [row for row in range(of.sizes[of.rows[0]]) if row not in shown] if of.rows else []
