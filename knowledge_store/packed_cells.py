"""Cells of a feed that hold several values with their names: `color=Blue,material=Wool|Fleece`, a line each, JSON, or a
column of names beside a column of values. What they hold can be looked up and put anew, in the cell's own way."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST_NAME = 40
_PARTS = ("\n", "<br>", "<br/>", "<br />", ";", "|", ",")
_SIGN = re.compile(r"\s*[=:]\s*")
_DETAIL = re.compile(r"(?:^|(?<=,))\s*(?P<section>[^:,]*):(?P<name>[^:,]*):(?P<value>(?:[^,]|,(?![^:,]*:[^:,]*:))*)")
"""Google's product details as text: section, name and value."""
_SEVERAL = ("|", "/", ";", ",")
_NAMES = ("name", "key", "label", "attribute_name", "attribute", "k")
_VALUES = ("value", "attribute_value", "values", "v")


@dataclass(frozen=True)
class Slot:
    """Where a cell of `column` holds the value of `name`: `held` is that value, `put(values)` the cell with others."""

    name: str
    column: str
    held: str
    put: Callable[[Sequence[str]], str]


def slots(cells: Mapping[str, Any], pairs: Mapping[str, str]) -> Iterator[Slot]:
    """Of all cells of a row. pairs: columns of names, each with its column of values."""
    for of_names, of_values in pairs.items():
        name, held = (str(cells.get(column) or "").strip() for column in (of_names, of_values))
        if name:
            yield Slot(name, of_values, held, ", ".join)
    for column, cell in cells.items():
        if not isinstance(cell, str) or column in pairs or column in pairs.values():
            continue
        if column == "product_detail":
            yield from _details(column, cell)
        elif cell.lstrip()[:1] in ("{", "["):
            yield from _of_json(column, cell)
        else:
            yield from _listed(column, cell)


def _replaced(text: str, start: int, end: int, sign: str) -> Callable[[Sequence[str]], str]:
    return lambda values: f"{text[:start]}{sign.join(values)}{text[end:]}"


def _details(column: str, text: str) -> Iterator[Slot]:
    for found in _DETAIL.finditer(text):
        yield Slot(found["name"].strip(), column, found["value"].strip(), _replaced(text, *found.span("value"), " / "))


def _listed(column: str, text: str) -> Iterator[Slot]:
    """Of a cell in which every part, or every line, has a name; only with commas a part may be of a value ("a, b")."""
    for parting in _PARTS:
        if parting not in text and not (parting == "," and "=" in text):
            continue
        spans = list(_parts(text, parting))
        signs = [_SIGN.search(text, start, end) for start, end in spans]
        named = [
            sign is not None and _is_name(text[start : sign.start()])
            for (start, _), sign in zip(spans, signs, strict=True)
        ]
        blank = [not text[start:end].strip() for start, end in spans]
        if parting == ",":
            fits = named[:1] == [True] and "=" in text
        else:
            fits = sum(named) > 1 and all(one or empty for one, empty in zip(named, blank, strict=True))
        if not fits:
            continue
        heads = [at for at, one in enumerate(named) if one]
        for at, after in zip(heads, [*heads[1:], len(spans)], strict=True):
            sign, end = signs[at], spans[after - 1][1]
            assert sign is not None
            start = sign.end()
            while end > start and text[end - 1].isspace():
                end -= 1
            held = text[start:end]
            joined = next((one for one in _SEVERAL if one in held and one != parting), "|" if parting == "," else ", ")
            yield Slot(text[spans[at][0] : sign.start()].strip(), column, held, _replaced(text, start, end, joined))
        return


def _parts(text: str, parting: str) -> Iterator[tuple[int, int]]:
    start = 0
    while (end := text.find(parting, start)) >= 0:
        yield start, end
        start = end + len(parting)
    yield start, len(text)


def _is_name(text: str) -> bool:
    name = text.strip()
    return 0 < len(name) <= _LONGEST_NAME and any(map(str.isalpha, name)) and not set(name) & set("<\n,;|")


def _of_json(column: str, text: str) -> Iterator[Slot]:
    """Of an object's keys, or of a list of objects that have a name and a value."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return
    spaced = ", " in text or ": " in text

    def put(place: Any, key: Any) -> Callable[[Sequence[str]], str]:
        def with_values(values: Sequence[str]) -> str:
            before = place[key]
            place[key] = list(values) if isinstance(before, list) else ", ".join(values)
            made = json.dumps(read, ensure_ascii=False, separators=None if spaced else (",", ":"))
            place[key] = before
            return made

        return with_values

    for place in read if isinstance(read, list) else [read]:
        if not isinstance(place, dict):
            continue
        name = next((place[key] for key in _NAMES if isinstance(place.get(key), str)), None)
        value = next((key for key in _VALUES if key in place), None)
        if name is not None and value is not None:
            yield Slot(name.strip(), column, _shown(place[value]), put(place, value))
        elif place is read:
            for key, held in place.items():
                if not isinstance(held, dict):
                    yield Slot(key, column, _shown(held), put(place, key))


def _shown(held: Any) -> str:
    if isinstance(held, list):
        return ", ".join(map(str, held))
    return "" if held is None else str(held)
