"""Which of a feed's other columns say something of the product, and which a shop's system keeps for itself."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from reaseq.documents.listed import listed
from reaseq.documents.tokens import UNITS

_FILE = Path(__file__).with_name("plumbing.yaml")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\s_]+")
_NO_WORDS = re.compile(r"[\W\d_]*")
_ADDRESS = re.compile(r"\S*://\S*|\S+\.(?:jpe?g|png|webp|gif|svg|pdf|mp4)\b", re.IGNORECASE)
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T\s]\d{1,2}:\d{2}.*)?\s*")
_UNIT = re.compile(r"[\s(\[_/]([a-z\"″%]+)[\s)\]]*$", re.IGNORECASE)
_KNOWN_UNITS = frozenset(UNITS) | frozenset(UNITS.values()) | frozenset(
    "w kw v hz gb tb mb mah ah lb lbs oz cl dl min bar nm lm mhz ghz kwh".split()
)  # fmt: skip
LONGEST = 4000
"""Characters: what is longer is no cell that states something, but another document."""


def is_plumbing(name: str, value: str) -> bool:
    """Does a shop's system keep this column for itself, whatever is in it or by this value?"""
    key = _BETWEEN.sub(" ", _CAMEL.sub(" ", name).replace("?", " ")).strip(" #*:").casefold()
    exact, beginnings, values = _plumbing()
    if key in exact or key.endswith((" id", " url", " ids", " urls")) or any(key.startswith(one) for one in beginnings):
        return True
    return value.strip().casefold() in values.get(key, ())


def says_something(name: str, value: str) -> bool:
    """Has it words, or a number whose unit its name gives? Addresses, dates and bare numbers say nothing."""
    if not value.strip() or _DATE.fullmatch(value):
        return False
    if _NO_WORDS.fullmatch(_ADDRESS.sub("", value)) is None:
        return True
    unit = _UNIT.search(name)
    return unit is not None and unit[1].casefold() in _KNOWN_UNITS and any(char.isdigit() for char in value)


@lru_cache
def _plumbing() -> tuple[frozenset[str], tuple[str, ...], dict[str, frozenset[str]]]:
    """Names, beginnings of names, and the values that some names have."""
    lists: dict[str, Any] = listed(_FILE)
    values = {
        name.replace("_", " "): frozenset(value.casefold() for value in own)
        for name, own in lists.pop("values").items()
    }
    names = [str(name).casefold() for own in lists.values() for name in own]
    exact = frozenset(name for name in names if not name.endswith("*"))
    return exact, tuple(name.removesuffix("*") for name in names if name.endswith("*")), values


def cell_text(value: Any) -> str:
    """A feed's cell as text: "" for nothing, lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def said_cells(product: Mapping[str, Any]) -> dict[str, Any]:
    """A product's other columns, with the options that all its `variants` share, which are the product's; and without
    what they differ by: options where the product's own row is that of one of them, and whatever a variant's own cell
    says otherwise, or has nothing in."""
    cells = dict(product.get("attributes") or {})
    variants = product.get("variants") or ()
    options: dict[str, list[str]] = {}
    for variant in variants:
        for name, value in variant["options"].items():
            options.setdefault(name, []).append(cell_text(value).strip())
    for name, values in options.items():
        shared = len(set(values)) == 1 and len(values) == len(variants)
        if shared and name != "Name" and values[0] not in cell_text(cells.get(name)):
            cells[name] = values[0]
        elif not shared and cell_text(cells.get(name)).strip() in values:
            del cells[name]
    for name in [name for name in cells if any(name in variant.get("attributes", ()) for variant in variants)]:
        own = [cell_text(variant["attributes"].get(name)).strip() for variant in variants]
        lacking = any(variant["attributes"].get(name) == "" for variant in variants)
        if lacking or any(text not in ("", cell_text(cells[name]).strip()) for text in own):
            del cells[name]
            if len(set(own)) == 1 and own[0]:
                cells[name] = own[0]
    return cells
