"""What callers give, checked: each function gives the value as it is used, or says what was expected instead."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any
from uuid import UUID

from reaseq import ReaseqError
from reaseq.knowledge_store.native import in_words, native, record_in

_MISSING = frozenset(("", "nan", "none", "<na>", "nat"))
_IDS = (str, int, float, Decimal, UUID)
_FLAT = "leave out what is missing, and give a flat list"


def ids(values: Any, what: str = "user", hint: str = _FLAT) -> list[str]:
    """Ids of users or products as a store has them: one, or several in whatever holds them; numbers are their digits.

    Raises:
        ReaseqError: it is a table or a dictionary, or one is no id.
    """
    from reaseq.knowledge_store.feeds.rows import identifier

    if hasattr(values, "columns") or isinstance(values, Mapping):
        raise ReaseqError(f"{in_words(values)} is no list of ids", hint=_one_column(values, what))
    if hasattr(values, "to_pylist"):
        values = values.to_pylist()
    several = [values] if isinstance(values, (bytes, *_IDS)) or not hasattr(values, "__iter__") else _listed(values)
    made = []
    for said in several:
        one = said if type(said) is str else native(said)
        made.append(identifier(one) if isinstance(one, _IDS) and not isinstance(one, bool) else "")
        if made[-1].casefold() in _MISSING:
            raise ReaseqError(f"no id: {said!r}", hint=hint)
    return made


def _one_column(values: Any, what: str) -> str:
    """Which column of a frame has ids of users or products."""
    if isinstance(values, Mapping):
        return "a list: list(ids)"
    names = [str(name) for name in (values.column_names if hasattr(values, "column_names") else values.columns)]
    found = next((one for one in (f"{what}_id", what, *(("id",) if what == "product" else ())) if one in names), None)
    return f'one column of it: frame["{found}"]' if found else f"one column of it, of: {', '.join(names)}"


def _listed(values: Any) -> Sequence[Any]:
    found = native(values) if type(values).__module__ == "numpy" else values
    return list(found) if hasattr(found, "__iter__") and not isinstance(found, str) else [found]


def one_id(value: Any, what: str = "user") -> str:
    """The id of one.

    Raises:
        ReaseqError: it is none, or there are several.
    """
    if not isinstance(value, str | bytes) and hasattr(value, "__len__"):
        raise ReaseqError(f"one {what} at a time: {value!r}", hint=f"its id; a loop over several {what}s")
    return ids(value, what, f"kb.{what}s() has them")[0]


def whole(value: Any, name: str, least: int = 1) -> int:
    """A whole number from `least` on.

    Raises:
        ReaseqError: it is none.
    """
    number = native(value)
    if isinstance(number, bool) or not hasattr(number, "__index__") or number.__index__() < least:
        raise ReaseqError(f"{name} = {value!r}: how many?", hint=f"a whole number from {least} on")
    return int(number.__index__())


def decision(value: Any) -> int:
    """The number of a decision.

    Raises:
        ReaseqError: it is none.
    """
    digits = isinstance(value, str) and value.strip().isdecimal()
    try:
        return whole(value, "decision")
    except ReaseqError:
        told = f"kb.undo({int(value)})" if digits else 'kb.undo(kb.decisions()["id"][0]), for instance'
        raise ReaseqError(f"decision = {value!r}: which? It is no number of one", hint=told) from None


def amount(value: Any, name: str) -> float:
    """A number above zero.

    Raises:
        ReaseqError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real | Decimal) or not isfinite(value) or value <= 0:
        raise ReaseqError(f"{name} = {value!r}: how much?", hint="a number above zero")
    return float(value)


def text(value: Any, name: str, example: str) -> str:
    """Words.

    Raises:
        ReaseqError: it is no text, or empty.
    """
    if not isinstance(value, str) or not value.strip():
        raise ReaseqError(f"{name} = {value!r}: it must be a text", hint=f"{name}={example!r}, for instance")
    return value


def category(value: Any) -> str:
    """The name of a category, see `text`."""
    return text(value, "category", "shoes")


def flag(value: Any, name: str) -> bool:
    """True or False.

    Raises:
        ReaseqError: it is neither.
    """
    said = native(value)
    if not isinstance(said, bool):
        raise ReaseqError(f"{name} = {value!r}: yes or no?", hint=f"{name}=True, or {name}=False")
    return said


def path(value: Any, what: str) -> Path:
    """The path of a file or folder.

    Raises:
        ReaseqError: it is none.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(named := os.fspath(value), str) or not named.strip():
        raise ReaseqError(f"{value!r} is no path of a {what}", hint=f"its name as a text, or a pathlib.Path: a {what}")
    return Path(named)


def claim_number(value: Any) -> int:
    """The number of a claim that is given as a row of claims, in whatever holds it.

    Raises:
        ReaseqError: it is no claim.
    """
    row = record_in(value)
    number = native(row.get("id")) if isinstance(row, Mapping) and "product_id" in row else None
    if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number):
        raise ReaseqError(f"no claim: {value!r}", hint="a row of kb.claims(), or one of kb.product(id).claims")
    return int(number)


def same_claim(given: Any, there: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claim that is there under the number of a row, if it is the one that the row shows: a run that replaces
    claims gives their numbers anew.

    Raises:
        ReaseqError: it is another one.
    """
    row = record_in(given)
    for name in ("product_id", "attribute", "value"):
        if name in row and str(native(row[name])) != there[name]:
            now = f"{there['attribute']} {there['value']!r} of product {there['product_id']}"
            raise ReaseqError(f"that claim is gone, {there['id']} is {now} by now", hint="kb.claims()")
    return there


def columns(value: Any) -> dict[str, str]:
    """Which column is which field, by its name; names of columns may be numbers.

    Raises:
        ReaseqError: it is no dictionary of names.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(one, str | int) for one in (*value, *value.values())):
        raise ReaseqError(f"columns = {value!r}: which is which?", hint='columns={"title": "Product Name"}')
    return {str(field): str(column) for field, column in value.items()}


_TABLES = {
    "claims": (frozenset(("product_id", "attribute", "value", "status", "quote")), "kb.decide(claim, ...)"),
    "decisions": (frozenset(("product_id", "action", "decided", "withdrawn")), "kb.decide(claim, ...)"),
    "ranks": (frozenset(("user_id", "rank", "product_id", "score", "history")), "kb.events() has what users did"),
    "imagined events": (frozenset(("product_id", "confidence", "until")), "kb.imagine() makes them"),
    "users": (frozenset(("user_id", "events", "products", "first", "last")), "kb.events() has what users did"),
    "events": (frozenset(("user_id", "at", "product_id")), "kb.add_events(source)"),
    "products": (frozenset(("id", "title", "read_by", "summary")), "kb.add_products(source)"),
}
"""Of what comes out as a frame the columns that tell it, and where it belongs."""


def comes_in(found: Sequence[str], what: str) -> None:
    """Are these the columns of a source of `what` (products or events), not of another frame that came out?

    Raises:
        ReaseqError: they are such a frame's.
    """
    for name, (own, hint) in _TABLES.items():
        if name != what and own.issubset(found):
            raise ReaseqError(f"these are {name}, not {what}, by their columns: {', '.join(found)}", hint=hint)
    if set(found) == {"product_id", "vector"}:
        raise ReaseqError(f"these are embeddings, not {what}", hint="kb.embed() makes them")


def some_ids(values: Any, what: str) -> list[str]:
    """See `ids`; of at least one user.

    Raises:
        ReaseqError: there are none.
    """
    if not (made := ids(values)):
        raise ReaseqError(f"no {what}", hint="kb.users()")
    return made


def run(value: Any) -> str:
    """The id of a run or its start; digits may be a number.

    Raises:
        ReaseqError: it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return text(value, "run", "3f2a9c")
