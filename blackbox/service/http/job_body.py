"""The body of a new job, typed: the allowed settings of a search with the descriptions that `Config` has for them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model
from pydantic.fields import FieldInfo

from blackbox.config import Config
from blackbox.service.jobs.request import ALLOWED, MOST

NO_NUL = r"^[^\x00]*$"  # PostgreSQL's texts cannot hold it
ID = r"^[A-Za-z0-9_-]{1,64}$"


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must have no NUL character")
    return text


def _keys(longest: int) -> dict[str, Any]:
    """What the document says of an object's keys: of a pattern, pydantic makes a promise that others may be there."""
    return {"propertyNames": {"minLength": 1, "maxLength": longest, "pattern": NO_NUL}}


def _whole(value: Any) -> Any:
    """JSON has one kind of numbers: 1.0 is an integer there."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


LabelKey = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_without_nul)]
FieldKey = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_nul)]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_without_nul)]
Text = Annotated[str, StringConstraints(max_length=50_000, pattern=NO_NUL)]
Words = Annotated[dict[LabelKey, Text], Field(max_length=200, json_schema_extra=_keys(1000))]
Id = Annotated[str, StringConstraints(pattern=ID)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
MetadataValue = Annotated[str, StringConstraints(max_length=512, pattern=NO_NUL)]


class ShownRow(BaseModel):
    """A row that a text prompt shows with its answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    before: Text
    answer: Text
    after: Text = ""
    row: int | None = Field(None, ge=0, description="The training row that it was made from.")


class InlinePrompt(BaseModel):
    """A text prompt to choose from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Text
    role: Literal["user", "system"] = "user"
    demonstrations: Annotated[list[ShownRow], Field(max_length=256)] = Field(default_factory=list)
    template: Text | None = None
    label_words: Annotated[list[Text], Field(max_length=200)] | None = None


Cells = Annotated[
    dict[FieldKey, Text | int | float | bool],
    Field(min_length=1, max_length=100, json_schema_extra=_keys(200)),
]

_TYPES: dict[str, Any] = {
    "label_words": Words,
    "prompts": Annotated[list[InlinePrompt | Text], Field(max_length=1000)] | None,
    "instructions": Annotated[list[Text], Field(max_length=1000)] | None,
    "words": Annotated[list[Words], Field(max_length=100)],
}
_TEXTS, _NUMBERS = (str, str | None), (int, int | None)


def _field(name: str) -> tuple[Any, FieldInfo]:
    """A setting's type with its bounds, and its description and default."""
    given = Config.model_fields[name]
    kind = _TYPES.get(name, Annotated[given.annotation, *given.metadata] if given.metadata else given.annotation)
    if given.annotation in _TEXTS and name not in _TYPES:
        kind = Text | None if given.annotation == str | None else Text
    most = MOST.get(name)
    bounded: Any = Annotated[kind, Field(le=most)] if most is not None else kind
    if given.annotation in _NUMBERS:
        bounded = Annotated[bounded, BeforeValidator(_whole)]
    default: dict[str, Any] = (
        {"default_factory": given.default_factory} if given.default_factory else {"default": given.default}
    )
    return bounded, Field(description=given.description, **default)


_FIELDS: Any = {name: _field(name) for name in Config.model_fields if name in ALLOWED}

SearchSettings: Any = create_model(
    "SearchSettings",
    __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False),
    __doc__="Settings of a search; those that are left out have their defaults. docs/settings.md has them in words.",
    **_FIELDS,
)


class JobBody(BaseModel):
    """A search that is asked for."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "reviews",
                    "backend": "smollm2-135m",
                    "training_file": "file-0193f2a4a7c01f55",
                    "settings": {
                        "template": "{text} It was {label}.",
                        "label_words": {"negative": "bad", "positive": "great"},
                        "shots": 16,
                        "evaluations": 300,
                        "seed": 0,
                    },
                    "metadata": {"team": "support"},
                }
            ]
        },
    )

    backend: Name = Field(description="The model, by its name in `/v1/backends`.")
    training_file: Id = Field(description="The file with the training rows, by its id.")
    dev_file: Id | None = Field(None, description="Rows that the prompt is selected on; sampled with `shots`.")
    test_file: Id | None = Field(None, description="Rows that only report the start and the outcome.")
    proposer: Name | None = Field(
        None, description="The model that writes new instructions, by its name in `/v1/backends`, or none."
    )
    name: Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)] | None = Field(
        None, description="For people."
    )
    settings: SearchSettings = Field(default_factory=dict, description="Settings of the search.")
    metadata: dict[MetadataKey, MetadataValue] = Field(
        default_factory=dict,
        max_length=16,
        description="Keys and values of your own; lists can be asked for them.",
        json_schema_extra=_keys(64),
    )

    def request(self) -> dict[str, Any]:
        """What `JobRequest.of` takes: only what was given."""
        return self.model_dump(exclude_unset=True, exclude={"metadata"})


class PredictBody(BaseModel):
    """Rows to answer."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"rows": [{"text": "A quiet, moving film."}]}]}
    )

    rows: list[Cells] = Field(min_length=1, max_length=64, description="Each with the fields of the task's template.")
