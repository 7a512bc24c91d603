"""Cells of a feed that hold several values with their names: `color=Blue,material=Wool|Fleece`, a line each, JSON, or a
column of names beside a column of values. What they hold can be looked up and put anew, in the cell's own way."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from reaseq.knowledge_store.feeds.google import DETAIL

_LONGEST_NAME, _LONGEST_ALONE = 40, 200
_PARTS = ("\n", "<br>", "<br/>", "<br />", ";", "|", ",")
_ITEM = re.compile(r"<li\b[^>]*>(.*?)(?=</?li\b|</[uo]l>|$)", re.IGNORECASE | re.DOTALL)
_SIGN = re.compile(r"\s*[=:]\s*|\s+[-–—]\s+")
_SEVERAL = ("|", " / ", "; ", ", ")
_NAMES = ("name", "key", "label", "attribute_name", "attribute", "k")
_VALUES = ("value", "attribute_value", "values", "v")


@dataclass(frozen=True)
class Slot:
    """Where a cell of `column` holds the value of `name`: `held` is that value, `put(held)` the cell with another one,
    `joined(values)` several values as one that may be put there."""

    name: str
    column: str
    held: Any
    put: Callable[[Any], Any]
    joined: Callable[[Sequence[str]], Any] = ", ".join


def slots(cells: Mapping[str, Any], pairs: Mapping[str, str]) -> Iterator[Slot]:
    """Of all cells of a row. pairs: columns of names, each with its column of values."""
    for of_names, of_values in pairs.items():
        name, held = (str(cells.get(column) or "").strip() for column in (of_names, of_values))
        if name:
            yield Slot(name, of_values, held, lambda text: text)
    for column, cell in cells.items():
        if column in pairs or column in pairs.values():
            continue
        if isinstance(cell, list | dict):
            yield from _of_data(column, cell, lambda data: data)
        elif not isinstance(cell, str):
            continue
        elif column.partition("(")[0] == "product_detail":
            yield from _details(column, cell)
        elif cell.lstrip()[:1] in ("{", "["):
            yield from _of_json(column, cell)
        else:
            yield from _listed(column, cell)


def _replaced(text: str, start: int, end: int) -> Callable[[Any], str]:
    return lambda held: f"{text[:start]}{held}{text[end:]}"


def _details(column: str, text: str) -> Iterator[Slot]:
    for found in DETAIL.finditer(text):
        put = _replaced(text, *found.span("value"))
        yield Slot(found["name"].strip(), column, found["value"].strip(), put, " / ".join)


def _listed(column: str, text: str) -> Iterator[Slot]:
    """Of a cell in which every part, or every line, has a name; only with commas a part may be of a value ("a, b")."""
    items = [found.span(1) for found in _ITEM.finditer(text)]
    alone = len(text) <= _LONGEST_ALONE and "\n" not in text and ":" in text
    for parting in [*(["<li>"] if items else []), *_PARTS, *([""] if alone else [])]:
        if parting not in text and not (parting == "," and "=" in text):
            continue
        spans = items if parting == "<li>" else list(_parts(text, parting)) if parting else [(0, len(text))]
        signs = [_SIGN.search(text, start, end) for start, end in spans]
        named = [
            sign is not None and _is_name(text[start : sign.start()])
            for (start, _), sign in zip(spans, signs, strict=True)
        ]
        blank = [not text[start:end].strip() for start, end in spans]
        if parting == ",":
            fits = named[:1] == [True] and "=" in text
        else:
            fits = sum(named) > (parting not in ("<li>", "")) and all(
                one or empty for one, empty in zip(named, blank, strict=True)
            )
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
            joined = next((one for one in _SEVERAL if one.strip() in held and one.strip() != parting), None)
            if joined is not None and joined not in held:
                joined = joined.strip()
            joined = joined or ("|" if parting == "," else ", ")
            yield Slot(
                text[spans[at][0] : sign.start()].strip(), column, held, _replaced(text, start, end), joined.join
            )
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
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from _of_data(column, read, partial(json_like, text))


def json_like(text: str, data: Any) -> str:
    """Data as JSON with or without blanks, as it is written in `text`."""
    return json.dumps(data, ensure_ascii=False, separators=None if ", " in text or ": " in text else (",", ":"))


def _of_data(column: str, read: Any, written: Callable[[Any], Any]) -> Iterator[Slot]:
    """Of an object's keys, or of a list of objects that have a name and a value."""

    def slot(name: str, place: dict[str, Any], key: str) -> Slot:
        several = isinstance(place[key], list)

        def put(held: Any) -> Any:
            changed = {**place, key: held}
            return written([changed if one is place else one for one in read] if place is not read else changed)

        return Slot(name.strip(), column, place[key], put, list if several else ", ".join)

    for at, place in enumerate(read) if isinstance(read, list) else [(0, read)]:
        if isinstance(place, str):
            for one in _listed(column, place):
                yield replace(one, put=partial(_put_in, read, at, one.put, written))
        if not isinstance(place, dict):
            continue
        name = next((place[key] for key in _NAMES if isinstance(place.get(key), str)), None)
        value = next((key for key in _VALUES if key in place), None)
        if name is not None and value is not None:
            yield slot(name, place, value)
        elif place is read:
            yield from (slot(key, place, key) for key, held in place.items() if not isinstance(held, dict))


def _put_in(read: list[Any], at: int, put: Callable[[Any], Any], written: Callable[[Any], Any], held: Any) -> Any:
    """The list with another text at a place, in which another value stands."""
    return written([*read[:at], put(held), *read[at + 1 :]])
