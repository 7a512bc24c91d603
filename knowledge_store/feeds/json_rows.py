"""JSON: an object a line, one array, or one document that holds the array somewhere.

Arrays are streamed (ijson), so memory does not grow with the file.
"""

import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.columns import fields_held
from reaseq.knowledge_store.feeds.dialect import Reading
from reaseq.knowledge_store.feeds.rows import (
    BadRow,
    Feed,
    FeedError,
    Layout,
    Record,
    Row,
    checked,
    flat,
    untyped,
    with_columns,
)

_TRIED = 100
_NO_NUMBER = re.compile(r"(?<=[\[:,\s])(?:NaN|-?Infinity)(?=\s*[,\]}])")
_CONTAINERS = frozenset(
    {"orders", "events", "transactions", "purchases", "interactions"}
    | {"edges", "nodes", "products", "items", "data", "results", "records", "entries", "docs", "hits", "rows", "@graph"}
)
"""Names under which a document keeps its records."""
_OF_CONNECTIONS = frozenset(("edges", "nodes", "pageInfo", "totalCount", "count", "__typename"))
_DEEPEST_OBJECT = 4
EACH = "*"
"""The end of a place whose records are the values of an object: `products.*`."""
_FEWEST_OF_AN_OBJECT = 2
_SCANNED = 200_000
"""Events of a document that are looked at."""


def json_feed(path: Path, text: io.TextIOWrapper, raw: BinaryIO, size: int, start: str, reading: Reading) -> Feed:
    """Raises FeedError if no object with keys is found at the beginning, or not where it is told."""
    if start.startswith("[") or not _is_lines(start):
        text.seek(0)
        others: list[str] = []
        if reading.records and reading.records.endswith(EACH):
            prefix = reading.records
        elif reading.records:
            prefix = f"{reading.records.removesuffix('.item').removesuffix('[]')}.item".removeprefix("item.")
        else:
            prefix, *others = ["item"] if start.startswith("[") else _containers(text)
        feed = _named(path, "JSON", _document(text, prefix), raw, size)
        taken = {"records": prefix.removesuffix("item").strip(".") or "the whole document"}
        if others:
            names = ", ".join(one.removesuffix(".item") for one in others[:5])
            taken["records"] += f"   (these too may be some: --records {names})"
        if prefix.endswith(EACH):
            taken["id"] = "the key of each record, where it has no id itself"
        written = None if prefix.endswith("edges.item") else Layout("JSON", text.encoding, place=prefix)
        return replace(feed, layout=written, taken=taken)
    return replace(_named(path, "JSON lines", _lines(text), raw, size), layout=Layout("JSON lines", text.encoding))


def _is_lines(start: str) -> bool:
    """Whether two lines or more stand there of which one is an object by itself. A document may have a record a line
    too; its first one is left open."""
    lines = [line.strip() for line in start.splitlines() if line.strip()]
    if len(lines) < 2 or not lines[0].endswith("}"):
        return False
    return any(isinstance(_loaded(line), dict) for line in lines[:_TRIED])


def _loaded(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _named(path: Path, kind: str, rows: Iterator[Row], raw: BinaryIO, size: int) -> Feed:
    columns, rows = with_columns(rows)
    if not columns:
        first = next((row for row in rows if isinstance(row, BadRow)), None)
        why = f"; line {first.line}: {first.reason}" if first else ""
        raise FeedError(
            f"{path} has no JSON object with keys on its first lines{why}",
            hint=f"jq -c . {path} > feed.jsonl   (an object a line)",
        )
    return Feed(path, kind, columns, rows, size, lambda: size if raw.closed else raw.tell())


def _lines(lines: io.TextIOWrapper) -> Iterator[Row]:
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _row(number, line.strip())
    except (OSError, EOFError, zlib.error) as error:
        yield BadRow(number + 1, f"the file breaks off here: {error}", "")


def _row(number: int, raw: str) -> Row:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"not JSON: {error}", raw)
    return _record(number, values, raw)


def _record(number: int, values: Any, raw: str = "") -> Row:
    if not isinstance(values, dict):
        return BadRow(number, "not a JSON object", raw or json.dumps(values))
    row = checked(number, values)
    if isinstance(row, Record):
        return row._replace(values=flat(_unwrapped(untyped(values))))
    return row._replace(raw=raw or row.raw)


def _unwrapped(values: dict[str, Any]) -> dict[str, Any]:
    """Without the edges and nodes of GraphQL's connections (https://relay.dev/graphql/connections.htm)."""
    if isinstance(values.get("node"), dict) and values.keys() <= {"node", "cursor"}:
        values = values["node"]
    made = {}
    for name, value in values.items():
        if isinstance(value, dict) and value.keys() & {"edges", "nodes"} and value.keys() <= _OF_CONNECTIONS:
            listed = value.get("nodes") or [
                one.get("node") for one in value.get("edges") or [] if isinstance(one, dict)
            ]
            value = [_unwrapped(one) if isinstance(one, dict) else one for one in listed]
        if (
            name == "variants"
            and isinstance(value, dict)
            and value
            and all(isinstance(one, dict) for one in value.values())
        ):
            value = [{"id": key, **one} for key, one in value.items()]
        made[name] = value
    return made


def _keyed(number: int, key: str, values: Any) -> Row:
    return _record(number, {"id": key, **values} if isinstance(values, dict) else values)


def _document(text: io.TextIOWrapper, prefix: str) -> Iterator[Row]:
    import ijson

    if not prefix:
        try:
            yield _row(1, text.read().strip().lstrip("\ufeff"))
        except (OSError, EOFError, zlib.error) as error:
            yield BadRow(1, f"the file breaks off here: {error}", "")
        return
    number = 0
    for use_float in (True, False):
        try:
            source = _Bytes(text.read, numbers=not use_float)
            if prefix.endswith(EACH):
                pairs = ijson.kvitems(source, prefix.removesuffix(EACH).rstrip("."), use_float=use_float)
                items = (_keyed(at, key, values) for at, (key, values) in enumerate(pairs, 1))
            else:
                items = (_record(at, one) for at, one in enumerate(ijson.items(source, prefix, use_float=use_float), 1))
            for row in islice(items, number, None):
                number += 1
                yield row
        except (ijson.JSONError, OSError, EOFError, zlib.error, RecursionError) as error:
            if use_float and ("overflow" in str(error) or "invalid" in str(error) or "lexical" in str(error)):
                text.seek(0)  # whole numbers of more than 64 bits, NaN: the slower way takes them
                continue
            yield BadRow(number + 1, f"the JSON breaks off here: {error}", "")
        return


def _containers(text: io.TextIOWrapper) -> list[str]:
    """Where in a document the records are, as ijson names it: the array, or the object with an id for each key, whose
    objects hold most of what products have, the outer before the inner ("": it is one record); behind it others whose
    objects have titles as well. The text is at its beginning again."""
    import ijson

    held: dict[str, dict[str, None]] = {}
    lists: dict[str, None] = {}
    maps: dict[str, list[dict[str, None]]] = {}  # of objects in objects, what those hold
    mixed: set[str] = set()
    open_maps: list[str] = []  # prefixes of the objects around, as far as there is no array around them
    arrays = 0
    try:
        for prefix, event, value in islice(ijson.parse(_Bytes(text.read), use_float=True), _SCANNED):
            of_record = prefix.removesuffix(".node")
            if event == "start_map":
                if prefix.split(".").count("item") == 1 and prefix.endswith(".item"):
                    lists[prefix] = None
                if not arrays:
                    if open_maps and len(open_maps) <= _DEEPEST_OBJECT:
                        maps.setdefault(open_maps[-1], []).append({})
                    open_maps.append(prefix)
            elif event == "map_key":
                if of_record in lists or not prefix:
                    held.setdefault(of_record, {})[value] = None
                if not arrays and len(open_maps) > 1 and maps.get(open_maps[-2]):
                    maps[open_maps[-2]][-1][value] = None
            elif event == "end_map":
                if not arrays:
                    open_maps.pop()
            else:
                arrays += (event == "start_array") - (event == "end_array")
                if open_maps and event != "end_array" and arrays <= (event == "start_array"):
                    mixed.add(open_maps[-1])
    except (ijson.JSONError, OSError, EOFError, zlib.error):
        pass
    text.seek(0)

    def score(prefix: str) -> tuple[Any, ...]:
        fields, titled = fields_held(held.get(prefix, ()))
        name = prefix.removesuffix(".item").rpartition(".")[2]
        return titled, fields, name in _CONTAINERS, -prefix.count(".")

    for prefix, several in maps.items():
        fields = [fields_held(one) for one in several[:_TRIED]]
        alike = all(one.keys() == several[0].keys() for one in several[:_TRIED])
        products = all(titled and (alike or number > 1) for number, titled in fields)
        if products and len(several) >= _FEWEST_OF_AN_OBJECT and prefix not in mixed:
            held[each := f"{prefix}.{EACH}".removeprefix(".")] = several[0]
            lists[each] = None
    best = max(lists, key=score, default=None)
    if best is None or not (score(best)[0] or score(best)[2]):
        return [""]
    itself = score("")  # a document may be one product, and its lists its variants
    if itself[0] and itself[1] >= score(best)[1] and not score(best)[2]:
        return [""]
    return [best, *(one for one in lists if one != best and score(one)[0] and score(one)[1] > 1)]


class _Bytes:
    """A text as the bytes that ijson reads."""

    def __init__(self, read: Callable[[int], str], *, numbers: bool = False) -> None:
        """numbers: is null to stand for NaN and the infinite, which JSON has not and many write?"""
        self._read = read
        self._first = True
        self._numbers = numbers
        self._kept = ""

    def read(self, size: int = -1) -> bytes:
        text = self._read(size)
        if self._first:
            text, self._first = text.lstrip("\ufeff"), False
        if self._numbers and text:
            # A word may be parted by the end of what was read.
            text = self._kept + text
            whole = re.search(r"[\w.+-]*\Z", text)
            self._kept = whole[0] if whole is not None else ""
            text = _NO_NUMBER.sub("null", text[: len(text) - len(self._kept)]) or " "
        elif self._numbers:
            text, self._kept = self._kept, ""
        return text.encode("utf-8", "replace")
