"""What a model server says of its model at GET /v1/model, as JSON."""

from pydantic import BaseModel, ConfigDict, ValidationError

from blackbox.backends.base import Capability, ModelShape
from blackbox.backends.errors import GarbageError
from blackbox.backends.remote.messages import VERSION


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Described):
    """What one call may have at most, and how many there may be.

    Attributes:
        body_bytes: of a message.
        prompts: of a call.
        rows: queries of a call.
        options: of a query.
        prompt_tokens: that a prompt of vectors stands on, or positions of a prefix.
        written_tokens: for each query of `generate`.
        calls: being received, waiting or worked on.
        body_seconds: from a request's head to the end of its body.
    """

    body_bytes: int = 64 * 1024 * 1024
    prompts: int = 1024
    rows: int = 65536
    options: int = 4096
    prompt_tokens: int = 4096
    written_tokens: int = 4096
    calls: int = 32
    body_seconds: float = 60.0


class ShapeValues(_Described):
    """A `ModelShape`."""

    n_layers: int
    hidden_size: int
    vocabulary_size: int
    key_value_width: int


class Description(_Described):
    """See the module.

    Attributes:
        version: of the protocol.
        name, model_hash: of the model, as its backend has them.
        family: the type of the model, e.g. "llama".
        dtype, device: that it runs in and on.
        single_token_labels: whether label words of several tokens are refused.
        capabilities: names of `Capability`.
        shape: of the model.
        limits: of the server.
        words: the tokens of the texts that the request asks for (`?word=great&word=bad`).
    """

    version: int = VERSION
    name: str
    model_hash: str
    family: str
    dtype: str
    device: str
    single_token_labels: bool
    capabilities: list[str]
    shape: ShapeValues
    limits: Limits
    words: dict[str, list[int]] = {}

    @property
    def model_shape(self) -> ModelShape:
        return ModelShape(**dict(self.shape))

    @property
    def model_capabilities(self) -> frozenset[Capability]:
        """Those that this version knows."""
        return frozenset(Capability[name] for name in self.capabilities if name in Capability.__members__)


def read_description(content: bytes) -> Description:
    """The description that a server sent.

    Raises:
        GarbageError: what came back is none, or of another version of the protocol.
    """
    try:
        version = _Version.model_validate_json(content).version
        if version != VERSION:
            raise GarbageError(
                f"the model server speaks version {version} of the protocol, this is version {VERSION}; "
                "install the same version of blackbox-prompts on both sides"
            )
        return Description.model_validate_json(content)
    except ValidationError as error:
        raise GarbageError("what came back is no description of a model; is this a model server?") from error


class _Version(BaseModel):
    version: int
