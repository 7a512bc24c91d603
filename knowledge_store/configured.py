"""What the settings of models and their training have in common."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from reaseq import ReaseqError

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


_WORDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "True or False",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "tuple_type": "a list of texts",
}
"""What is asked for, by the type of the error that it is not."""


def validated(kind: type[_Config], values: Mapping[str, Any], *, as_text: bool, hint: str) -> _Config:
    """A configuration with these values. as_text: may numbers be written as text?

    Raises:
        ReaseqError: one cannot be as it is.
    """
    try:
        return kind.model_validate(values, strict=not as_text)
    except ValidationError as error:
        raise ReaseqError(said(error), hint=hint) from error


def no_such(key: str, known: Iterable[str], hint: str) -> ReaseqError:
    """The error about a name that is no setting; hint: where no name is like it."""
    names = sorted(known)
    near = get_close_matches(key, names, 1)
    told = f"there are: {', '.join(names)}"
    return ReaseqError(f"{key}: no such setting; {told}", hint=f"--set {near[0]}=VALUE" if near else hint)


def said(error: ValidationError) -> str:
    """What is wrong with the first setting that cannot be as it is, in words."""
    first = error.errors()[0]
    name = next((str(one) for one in reversed(first["loc"]) if isinstance(one, str)), "")
    expected = first.get("ctx", {}).get("expected")
    if first["type"] == "heads":
        return str(first["msg"])
    if first["type"] == "too_short":
        return f"{name}: at least one is needed"
    wanted = _WORDS.get(first["type"])
    if expected or wanted:
        return f"{name}: {first['input']!r} is " + (f"none of {expected}" if expected else f"not {wanted}")
    return f"{name}: {first['msg']}, and it is {first['input']!r}"
