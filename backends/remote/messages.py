"""What clients ask a model server, as values of JSON: prompts, rows, and how a text shall be written.

Every message names the version of the protocol and the model that it is for. Vectors stand in the file's tensors, each
array once however many prompts hold it: prompts name them. Unknown keys are refused.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blackbox.backends.base import Query
from blackbox.backends.errors import BackendSettingError, MessageError
from blackbox.backends.writing import Writing

VERSION = 1
"""Of the protocol."""

Token = Annotated[int, Field(ge=0)]
Layer = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,4})$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ShownPart(_Part):
    """A `Demonstration`."""

    before: str
    answer: str
    after: str = ""


class TextPart(_Part):
    """A `TextPrompt`, as far as models read it."""

    kind: Literal["text"] = "text"
    text: str
    demonstrations: list[ShownPart] = []
    role: Literal["user", "system"] = "user"


class SoftPart(_Part):
    """A `SoftPrompt`: `vectors` names a tensor of shape (n_tokens, hidden_size), float32."""

    kind: Literal["soft"] = "soft"
    tokens: list[Token]
    vectors: str


class DeepPart(_Part):
    """A `DeepPrompt`: `vectors` names for each changed layer a tensor of shape (n_tokens, hidden_size), float32."""

    kind: Literal["deep"] = "deep"
    tokens: list[Token]
    vectors: dict[Layer, str]


class PrefixPart(_Part):
    """A `PrefixPrompt`: `vectors` names for each layer a tensor of shape (2, n_positions, width), float32."""

    kind: Literal["prefix"] = "prefix"
    tokens: list[Token]
    vectors: dict[Layer, str]


class DecomposedPart(_Part):
    """A `DecomposedPrompt`: `vectors` names a tensor of shape (n_tokens + n_positions, hidden_size), float32."""

    kind: Literal["decomposed"] = "decomposed"
    tokens: list[Token]
    vectors: str


PromptPart = Annotated[TextPart | SoftPart | DeepPart | PrefixPart | DecomposedPart, Field(discriminator="kind")]


class QueryPart(_Part):
    """A `Query`."""

    before: str
    options: list[str]
    after: str = ""

    @classmethod
    def of(cls, query: Query) -> "QueryPart":
        return cls(before=query.before, options=list(query.options), after=query.after)

    @property
    def query(self) -> Query:
        return Query(self.before, tuple(self.options), self.after)


class WritingPart(_Part):
    """A `Writing`."""

    max_tokens: int
    temperature: float
    seed: int
    stop: list[str]

    @classmethod
    def of(cls, writing: Writing) -> "WritingPart":
        return cls(**{**vars(writing), "temperature": float(writing.temperature), "stop": list(writing.stop)})

    @property
    def writing(self) -> Writing:
        """Raises: MessageError: a number out of its range."""
        try:
            return Writing(self.max_tokens, self.temperature, self.seed, tuple(self.stop))
        except BackendSettingError as error:
            raise MessageError(f"writing: {error}") from error


class Message(_Part):
    """What every message has: the version of the protocol, and the hash of the model that it is for."""

    version: Literal[1] = 1
    model: str


class ScoreMessage(Message):
    """Of POST /v1/score; the file's tensors are those that the prompts name."""

    prompts: list[PromptPart]
    queries: list[QueryPart]


class GenerateMessage(ScoreMessage):
    """Of POST /v1/generate."""

    writing: WritingPart


class TokensMessage(Message):
    """Of POST /v1/tokens: the tokens of a text are asked for."""

    text: str


class TextMessage(Message):
    """Of POST /v1/text: the text of tokens is asked for."""

    tokens: list[Token]


class SpreadsMessage(Message):
    """Of POST /v1/spreads: `VectorBackend.hidden_stds` is asked for."""

    tokens: list[Token]
    queries: list[QueryPart]


class StatesMessage(SpreadsMessage):
    """Of POST /v1/states: `StatesBackend.hidden_states` is asked for, of one layer."""

    layer: Annotated[int, Field(ge=0)]


class PrefixMessage(Message):
    """Of POST /v1/prefix: `PrefixBackend.prefix_of` is asked for."""

    tokens: list[Token]


M = TypeVar("M", bound=BaseModel)


def read(model: type[M], values: dict[str, Any]) -> M:
    """The values as a model.

    Raises:
        MessageError: another version of the protocol, an unknown or missing key, or a value of another type. The text
            names the place and not the value.
    """
    if "version" in model.model_fields and values.get("version") != VERSION:
        raise MessageError(f"this is version {VERSION} of the protocol, got {values.get('version')!r}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MessageError(f"{place or 'the message'}: {first['msg'][:1].lower()}{first['msg'][1:]}") from error
