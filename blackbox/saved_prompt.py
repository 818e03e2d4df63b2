"""Saved prompts: `prompt.json` and, for all but text prompts, `prompt-HASH.safetensors`. Never pickle.

The vectors' file has its own hash in its name, and `prompt.json`, which names it, is written after it: a kill between
the two leaves the old prompt whole.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blackbox.backends import Backend, Prompt, TextPrompt, VectorBackend
from blackbox.blank import Blank, make_blank
from blackbox.errors import DamagedFileError, MismatchError
from blackbox.files import read_json, write_json
from blackbox.finishing.finished import AS_FOUND, Finished
from blackbox.form import Form
from blackbox.saved_vectors import (
    VECTOR_KINDS,
    VECTORS_FILES,
    read_readout,
    read_vectors,
    write_readout,
    write_vectors,
)
from blackbox.task import Task
from blackbox.template import Template
from blackbox.text_prompts import prompt_from_dict, prompt_to_dict
from blackbox.verbalizers.grader import ReadoutGrader
from blackbox.verbalizers.offsets import Offsets
from blackbox.verbalizers.readout import Readout

FORMAT = 3  # what cannot read averages of vectors or over templates, or readouts, shall not take it for less
FINISHED_FORMAT, PLAIN_FORMAT = 2, 1  # nor any other finished prompt
JSON_FILE = "prompt.json"
_OWN = ("template", "label_words")
_RARE = ("number_field", "tags_field", "tokens_field")
_KINDS = {TextPrompt: "text", **VECTOR_KINDS}


@dataclass(frozen=True, eq=False)
class SavedPrompt:
    """A prompt with all that is needed to use it.

    Attributes:
        prompt: the prompt itself.
        text: its text, or that of the tokens that it stands on or started from, for people to read.
        model, model_hash: the model it was tuned for; it means nothing to another.
        template, label_words, label_field, target_field, number_field, tags_field, tokens_field: so that rows can be
            rendered; the task's, as far as the prompt has none of its own.
        metric, answer_tokens: how its answers are judged by default, and how much the model writes; a metric that is a
            function has its name here. None in prompts from before they were kept.
        scores: figures of the run that found it, e.g. {"dev": {...}, "train_loss": 0.24}.
        finished: what is averaged with it, each with the form that it is asked in, and the offsets of its labels.
        readout: what tells the labels behind it, where hidden states do; None where label words do, with or without
            offsets.
    """

    prompt: Prompt
    text: str
    model: str
    model_hash: str
    template: str
    label_words: Mapping[str, str]
    label_field: str
    target_field: str | None
    scores: Mapping[str, object]
    metric: str | None = None
    answer_tokens: int | None = None
    finished: Finished = AS_FOUND
    readout: Readout | None = None
    number_field: str | None = None
    tags_field: str | None = None
    tokens_field: str | None = None

    @classmethod
    def of(
        cls,
        prompt: Prompt,
        *,
        backend: Backend,
        task: Task,
        scores: Mapping[str, object],
        finished: Finished = AS_FOUND,
    ) -> "SavedPrompt":
        """The prompt with what the backend and the task know."""
        form = task.form.of(prompt)
        readout = task.grader.readout(backend, prompt) if isinstance(task.grader, ReadoutGrader) else None
        if isinstance(readout, Offsets):  # which any prompt of label words may have
            finished, readout = replace(finished, offsets=tuple(readout.offsets.tolist())), None
        return cls(
            prompt=prompt,
            text=_text(prompt, backend),
            model=backend.name,
            model_hash=backend.model_hash,
            template=form.template.text,
            **form.blank.terms,  # type: ignore[arg-type]
            scores=scores,
            metric=str(task.grader.terms["metric"]),
            answer_tokens=task.answer_tokens,
            finished=finished.in_forms_of(task.form),
            readout=readout,
        )

    @property
    def blank(self) -> Blank:
        """What fills the blanks of rows."""
        return make_blank(
            self.label_words,
            label_field=self.label_field,
            target_field=self.target_field,
            number_field=self.number_field,
            tags_field=self.tags_field,
            tokens_field=self.tokens_field,
        )

    @property
    def form(self) -> Form:
        """How rows are put behind the prompt."""
        return Form(Template(self.template), self.blank)

    @property
    def _format(self) -> int:
        """The first format that has all of it."""
        of_vectors = bool(self.finished.members) and not isinstance(self.prompt, TextPrompt)
        if of_vectors or self.finished.templates or self.readout:
            return FORMAT
        return FINISHED_FORMAT if self.finished else PLAIN_FORMAT

    def save(self, folder: str | Path) -> None:
        """Write the prompt's files into a folder, in place of another prompt's.

        Raises:
            RunError: they cannot be written.
        """
        folder = Path(folder)
        values: dict[str, object] = {"format": self._format, "kind": _KINDS[type(self.prompt)], **vars(self)}
        del values["prompt"], values["finished"], values["readout"]
        values = {name: value for name, value in values.items() if name not in _RARE or value is not None}
        values |= self.finished.to_dict()
        if isinstance(self.prompt, TextPrompt):
            values |= _text_parts(self.prompt)
        else:
            values |= write_vectors(self.prompt, self.finished.members[1:], folder)
        if self.readout:
            values |= write_readout(self.readout, folder)
        write_json(folder / JSON_FILE, {**values, "checksum": _checksum(values)})
        for path in folder.glob(VECTORS_FILES):
            if path.name not in (values.get("vectors"), values.get("readout_file")):
                path.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: str | Path) -> "SavedPrompt":
        """Read the prompt that `save` wrote.

        Raises:
            RunError: there is none.
            DamagedFileError: a file is not what was written; says which and what is wrong.
            MismatchError: a newer version of blackbox wrote it.
        """
        folder = Path(folder)
        path = folder / JSON_FILE
        values: dict[str, Any] = read_json(path)
        number = values.get("format")
        if not isinstance(number, int):
            raise DamagedFileError(f"{path} is damaged: it has no format number")
        if number > FORMAT:
            raise MismatchError(f"{path} has format {number}, this version reads up to {FORMAT}; upgrade it")
        try:
            if values.pop("checksum") != _checksum(values):
                raise ValueError("its checksum does not match")
            absent = dict.fromkeys(("target_field", "metric", "answer_tokens", *_RARE))
            values = {**absent, "own": [], **values}
            prompt, others = (_text_prompt(values), ()) if values["kind"] == "text" else read_vectors(values, folder)
            members = (prompt, *others) if others else ()
            read: dict[str, Any] = {
                "prompt": prompt,
                "finished": Finished.from_dict(values, labels=len(values["label_words"]), members=members),
                "readout": read_readout(values, folder),
            }
            return cls(**{key: values[key] for key in cls.__dataclass_fields__ if key not in read}, **read)
        except KeyError as error:
            raise DamagedFileError(f"{path} is damaged: it has no {error.args[0]!r}") from error
        except (TypeError, ValueError) as error:
            raise DamagedFileError(f"{path} is damaged: {error}") from error

    def check(self, backend: Backend) -> None:
        """Refuse a backend with another model than the prompt's. A text may be carried to any model, but for offsets.

        Raises:
            MismatchError: another name, or other weights under the same name.
        """
        carried = isinstance(self.prompt, TextPrompt) and self.finished.offsets is None and self.readout is None
        if backend.model_hash == self.model_hash or carried:
            return
        if backend.name != self.model:
            raise MismatchError(f"the prompt was tuned for model {self.model!r}, got model {backend.name!r}")
        raise MismatchError(
            f"the prompt was tuned for other weights of model {self.model!r} "
            f"(hash {self.model_hash[:12]}, got {backend.model_hash[:12]})"
        )


def _checksum(values: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _text_parts(prompt: TextPrompt) -> dict[str, object]:
    """What `prompt.json` says of a text; of its own form only the names of the parts, which stand beside it."""
    parts = prompt_to_dict(prompt)
    own = [name for name in _OWN if parts.pop(name, None) is not None]
    return {**parts, "own": own} if own else parts


def _text(prompt: Prompt, backend: Backend) -> str:
    if isinstance(prompt, TextPrompt):
        return prompt.whole
    return backend.decode(prompt.token_ids) if isinstance(backend, VectorBackend) else ""


def _text_prompt(values: dict[str, Any]) -> TextPrompt:
    names = ("text", "demonstrations", "role", *values["own"])
    parts: dict[str, Any] = {name: values[name] for name in names if name in values}
    if "label_words" in parts:
        parts["label_words"] = list(parts["label_words"].values())
    return prompt_from_dict(parts)
