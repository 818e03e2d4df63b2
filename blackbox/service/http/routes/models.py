"""`/v1/backends` and `/v1/optimizers`: what a job can choose among."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from blackbox.registry import OPTIMIZERS, SPACES
from blackbox.service.http.access import Reader
from blackbox.service.http.parts import Given

router = APIRouter(prefix="/v1", tags=["models"])


class BackendView(BaseModel):
    """A model that the operator has set up."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(examples=["smollm2-135m"])
    object: Literal["backend"] = "backend"
    description: str
    kind: str = Field(examples=["local"])
    model: str
    limits: dict[str, float] = Field(description="Of a job, by setting.")
    usd_per_million_prompt_tokens: float | None
    usd_per_million_completion_tokens: float | None


class Backends(BaseModel):
    """The models that there are."""

    object: Literal["list"] = "list"
    data: list[BackendView]


class NameView(BaseModel):
    """Something that a setting names."""

    name: str = Field(examples=["cma-es"])
    object: Literal["optimizer"] = "optimizer"


class Optimizers(BaseModel):
    """The optimizers, and the spaces that they search."""

    object: Literal["list"] = "list"
    data: list[NameView]
    spaces: list[str] = Field(examples=[["choices", "deep", "soft", "texts"]])


@router.get("/backends", response_model=Backends)
def list_backends(caller: Reader, parts: Given) -> Backends:
    """The models that a job can ask for, by their names. Addresses and keys stay with the operator."""
    return Backends(data=[BackendView.model_validate(backend) for backend in parts.operator.public()])


@router.get("/optimizers", response_model=Optimizers)
def list_optimizers(caller: Reader) -> Optimizers:
    """The names that `settings.optimizer` and `settings.space` take; docs/settings.md says what they do."""
    return Optimizers(data=[NameView(name=name) for name in OPTIMIZERS.names()], spaces=SPACES.names())
