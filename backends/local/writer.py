"""Text that a local model writes: many prompts and rows at once, each until it ends."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter
from typing import Any

import torch

from blackbox.backends.base import Failure, Generations, Query, Usage
from blackbox.backends.errors import ModelMemoryError
from blackbox.backends.local.chat import Chat
from blackbox.backends.local.continuing import Answering, Continuing, LeftToRight
from blackbox.backends.local.encoding import QueryEncoder
from blackbox.backends.local.memory import is_out_of_memory
from blackbox.backends.local.next_token import drawn, most_probable
from blackbox.backends.local.placed import PlacedPrompt
from blackbox.backends.local.sequences import TokenSequence, cut_batches
from blackbox.backends.local.whole_forward import WholeForward
from blackbox.backends.local.writing_loop import Line, Rules, write
from blackbox.backends.prompts import Prompt, TextPrompt
from blackbox.backends.writing import Writing, Written

OVERFLOW = "the model's logits are no finite numbers: the prompt's vectors are too large for its precision"

Rows = tuple[TokenSequence, ...]


@dataclass(frozen=True, eq=False)
class _Start:
    """What is read before a text is written: what stands in front, and the rows behind it."""

    front: PlacedPrompt
    rows: Rows

    def stands_as(self, other: "_Start") -> bool:
        """Whether the two can share a pass."""
        return self.front.stands_as(other.front) and self.rows == other.rows


class Writer:
    """See the module.

    Args:
        whole: runs the model.
        encoder: makes token sequences of queries.
        tokenizer: of the model.
        batch_tokens: tells the most tokens of one forward pass.
    """

    def __init__(
        self, whole: WholeForward, encoder: QueryEncoder, tokenizer: Any, batch_tokens: Callable[[], int]
    ) -> None:
        self._whole, self._encoder, self._tokenizer, self._batch_tokens = whole, encoder, tokenizer, batch_tokens
        self._decodes = bool(whole.model.config.is_encoder_decoder)
        chats = not self._decodes and getattr(tokenizer, "chat_template", None)
        self._chat = Chat(tokenizer) if chats else None
        self._ends = _ends(whole.model, tokenizer)

    @torch.inference_mode()
    def generate(
        self, prompts: Sequence[Prompt], placed: Sequence[PlacedPrompt], queries: Sequence[Query], writing: Writing
    ) -> Generations:
        """See `LocalBackend.generate`; `placed` are the prompts as they stand before rows."""
        texts = list(dict.fromkeys(query.before for query in queries))
        rows = [Query(text, ()) for text in texts]
        lines: list[list[Line]] = []
        usages: list[Usage] = []
        for group in self._groups(prompts, placed, rows):
            began = perf_counter()
            found = self._group(group, writing)
            seconds = (perf_counter() - began) / len(group)
            read = sum(group[0].front.length + row.n_tokens for row in group[0].rows)
            for line in found:
                n_written = sum(len(one.tokens) for one in line)
                usages.append(Usage(len(queries), read, n_written, seconds=seconds))
            lines += found
        places = [texts.index(query.before) for query in queries]
        written = tuple(tuple(self._written(line[place], writing) for place in places) for line in lines)
        failures = tuple(
            Failure(prompt, query, OVERFLOW)
            for prompt, line in enumerate(written)
            for query, one in enumerate(line)
            if one is None
        )
        return Generations(written, tuple(usages), failures)

    def _groups(
        self, prompts: Sequence[Prompt], placed: Sequence[PlacedPrompt], rows: Sequence[Query]
    ) -> Iterator[list[_Start]]:
        """The prompts, those together that follow each other and can share a pass."""
        raw: Rows | None = None
        groups: list[list[_Start]] = []
        for prompt, front in zip(prompts, placed, strict=True):
            if self._chat and isinstance(prompt, TextPrompt):
                start = _Start(*self._chat.read(prompt, rows))
            else:
                raw = raw or tuple(self._encoder.openings(rows))
                start = _Start(front, raw)
            before = len(start.front.tokens) if self._decodes else start.front.length
            self._encoder.check_length(rows, start.rows, n_before=before)
            if groups and groups[-1][0].stands_as(start):
                groups[-1].append(start)
            else:
                groups.append([start])
        yield from groups

    def _group(self, group: Sequence[_Start], writing: Writing) -> list[list[Line]]:
        """The lines of prompts that differ in nothing but their vectors, shape (prompts, rows)."""
        fronts, rows, most = [start.front for start in group], group[0].rows, self._batch_tokens()
        together = 1 if self._decodes else max(1, min(len(fronts), most // max(1, fronts[0].length)))
        lines: list[list[Line]] = []
        for first in range(0, len(fronts), together):
            part = fronts[first : first + together]
            of_part: list[dict[int, Line]] = [{} for _ in part]
            for batch in self._batches(rows, most // len(part), part[0].length + writing.max_tokens):
                for known, line in zip(of_part, self._lines(part, batch, writing), strict=True):
                    known.update(zip((row.query for row in batch), line, strict=True))
            lines += [[known[number] for number in range(len(rows))] for known in of_part]
        return lines

    def _batches(self, rows: Rows, most: int, more: int) -> Iterator[Rows]:
        """Rows that are written to at once; of one length where a window might count the padding between them."""
        window = getattr(self._whole.model.config, "sliding_window", None)
        for batch in cut_batches(rows, extra=0, batch_tokens=most):
            longest = max(len(row.ids) for row in batch.sequences)
            if window is None or longest + more <= window:
                yield batch.sequences
            else:
                yield from (tuple(same) for _, same in groupby(batch.sequences, key=lambda row: len(row.ids)))

    def _lines(self, prompts: Sequence[PlacedPrompt], rows: Rows, writing: Writing) -> list[list[Line]]:
        """The lines of a batch, shape (prompts, rows). Where memory runs out, its rows are halved, then its prompts."""
        try:
            lines = self._run(prompts, rows, writing)
            return [lines[first : first + len(rows)] for first in range(0, len(lines), len(rows))]
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(rows) == len(prompts) == 1:
                length = prompts[0].length + len(rows[0].ids) + writing.max_tokens
                raise ModelMemoryError(f"a text of {length} tokens does not fit in free memory") from error
        torch.cuda.empty_cache()
        half = len(rows) // 2
        if half:
            parts = (self._lines(prompts, part, writing) for part in (rows[:half], rows[half:]))
            return [[*one, *two] for one, two in zip(*parts, strict=True)]
        half = len(prompts) // 2
        return self._lines(prompts[:half], rows, writing) + self._lines(prompts[half:], rows, writing)

    def _run(self, prompts: Sequence[PlacedPrompt], rows: Rows, writing: Writing) -> list[Line]:
        ids = [row.ids for row in rows]
        continuing: Continuing = (
            Answering(self._whole, prompts[0], ids, rows[0].decoder_ids)
            if self._decodes
            else LeftToRight(self._whole, prompts, ids)
        )
        read = [prompt.tokens + row for prompt in prompts for row in ids]
        positions = [len(row.decoder_ids) or prompt.length + len(row.ids) for prompt in prompts for row in rows]
        rules = Rules(
            choose=drawn(writing.temperature, writing.seed, read) if writing.temperature else most_probable,
            ends=self._ends,
            most=[min(writing.max_tokens, self._encoder.max_tokens - count + 1) for count in positions],
            stopped=(lambda tokens: writing.stops_at(self._text(tokens)) is not None) if writing.stop else None,
        )
        return write(continuing, rules)

    def _written(self, line: Line, writing: Writing) -> Written | None:
        return None if line.failed else writing.ended(self._text(line.tokens), cut=line.cut)

    def _text(self, tokens: Sequence[int]) -> str:
        text = [token for token in tokens if token not in self._ends]
        return str(self._tokenizer.decode(text, skip_special_tokens=True))


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a text: the tokenizer's, and those that the model's way of writing names."""
    named = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    several = named if isinstance(named, list) else [named]
    return frozenset(token for token in (*several, tokenizer.eos_token_id) if token is not None)
