"""What the settings of models and their training have in common."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

CONFIGURED = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
WIDEST, DEEPEST = 16_384, 64
"""Of a model's vectors, and of its blocks: more is a slip, and would but fill the memory."""
Seed = Annotated[int, Field(ge=0, lt=2**32)]
_Config = TypeVar("_Config", bound=BaseModel)


def shared(config: _Config, dim: int, heads: int) -> _Config:
    """The settings of a model whose heads share its width evenly.

    Raises:
        PydanticCustomError: they cannot.
    """
    if dim % heads:
        told = "the heads share dim evenly, and {dim} is no multiple of {heads}"
        raise PydanticCustomError("heads", told, {"dim": dim, "heads": heads})
    return config


def said(error: ValidationError) -> str:
    """What is wrong with the first setting that cannot be as it is, in words."""
    first = error.errors()[0]
    name = next((str(one) for one in reversed(first["loc"]) if isinstance(one, str)), "")
    expected = first.get("ctx", {}).get("expected")
    what = f"{first['input']!r} is none of {expected}" if expected else first["msg"]
    return what if first["type"] == "heads" else f"{name}: {what}"
