"""JSON: an object a line, one array, or one document that holds the array somewhere.

Arrays are streamed (ijson), so memory does not grow with the file.
"""

import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TextIO

from reaseq.knowledge_store.feeds.columns import fields_among, fields_held
from reaseq.knowledge_store.feeds.dialect import IsHeader, Reading
from reaseq.knowledge_store.feeds.rows import (
    BadRow,
    Feed,
    FeedError,
    Layout,
    Record,
    Row,
    checked,
    flat,
    is_empty,
    untyped,
    with_columns,
)

_TRIED = 100
_NO_NUMBER = re.compile(r"(?<=[\[:,\s])(?:NaN|-?Infinity)(?=\s*[,\]}])")
_LOGS = frozenset(("orders", "events", "transactions", "purchases", "interactions", "sessions"))
_CONTAINERS = _LOGS | frozenset(
    {"edges", "nodes", "products", "items", "data", "results", "records", "entries", "docs", "hits", "rows", "@graph"}
)
"""Names under which a document keeps its records, and of them those of what happened."""
_ONE_PRODUCT = "product"
_NO_RECORDS = frozenset(("errors", "warnings", "messages", "links", "images", "media", "delete"))
_OF_GROUPS = frozenset(("id", "title", "description", "category"))
"""What a group of products may have of a product's fields."""
_OF_CONNECTIONS = frozenset(("edges", "nodes", "pageInfo", "totalCount", "count", "__typename"))
_DEEPEST_OBJECT = 4
EACH = "*"
"""The end of a place whose records are the values of an object: `products.*`."""
_FEWEST_OF_AN_OBJECT = 2
_SCANNED = 200_000
_SCANNED_OF_ARRAYS = 20_000
"""Events of a document that are looked at; less of one that is an array, whose first records say what they hold."""


def json_feed(
    path: Path, text: io.TextIOWrapper, raw: BinaryIO, size: int, start: str, reading: Reading, is_header: IsHeader
) -> Feed:
    """is_header: may these be the keys of a record?

    Raises:
        FeedError: no object with keys is found at the beginning, or not where it is told.
    """
    if start.startswith("[") or not _is_lines(start):
        text.seek(0)
        scan = _Scan(text, _SCANNED if start.startswith("{") else _SCANNED_OF_ARRAYS)
        text.seek(0)
        places = scan.places(is_header)
        prefix = scan.told(path, reading.records) if reading.records else places[0]
        around = scan.needs_what_is_around(prefix, is_header, reading.records)
        prefix = "" if around and not _groups_in(prefix)[1:] else prefix  # who lists the events stands beside them
        doubled: dict[str, tuple[int, str]] = dict(scan.doubled) if prefix else {}
        rows = _document(text, prefix, doubled, around=around)
        feed = replace(_named(path, "JSON", rows, raw, size), doubled=doubled)
        taken = {"records": _path_of(prefix) or "the whole document"}
        if others := [] if reading.records else list(filter(None, map(_path_of, places[1:]))):
            taken["records"] += f"   (these too may be some: --records {', '.join(others[:5])})"
        if prefix.endswith(EACH):
            taken["id"] = "the key of each record, where it has no id itself"
        written = None if prefix.endswith("edges.item") else Layout("JSON", text.encoding, place=prefix)
        return replace(feed, layout=written, taken=taken)
    line_end = _line_end(start)
    text.reconfigure(newline=line_end)
    prefix, around = _in_lines(path, start, reading, is_header)
    doubled = {}
    feed = replace(_named(path, "JSON lines", _lines(text, prefix, doubled, around=around), raw, size), doubled=doubled)
    if prefix == "item":
        return replace(feed, layout=Layout("JSON lines", text.encoding, line_end=line_end))
    return replace(feed, taken={"records": _path_of(prefix)})


def _in_lines(path: Path, start: str, reading: Reading, is_header: IsHeader) -> tuple[str, bool]:
    """Where the records are in lines, as if these were an array: they, unless they are groups of records. And whether
    these need what is around them."""
    lines = (line for line in start.split(_line_end(start))[:_TRIED] if line.strip())
    scan = _Scan(io.StringIO(f"[{','.join(line for line in lines if isinstance(_loaded(line), dict))}]"))
    place = scan.told(path, reading.records) if reading.records else scan.places(is_header)[0]
    place = place if ".item" in place else "item"
    return place, scan.needs_what_is_around(place, is_header, reading.records)


def _line_end(start: str) -> str:
    """Of a text that begins so. JSON has breaks between words too, and other signs for them within texts."""
    return "\n" if "\n" in start else "\r"


def _is_lines(start: str) -> bool:
    """Whether two lines or more stand there of which one is an object by itself. A document may have a record a line
    too; its first one is left open."""
    lines = [line.strip() for line in start.split(_line_end(start)) if line.strip()]
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


def _lines(lines: io.TextIOWrapper, prefix: str, doubled: dict[str, tuple[int, str]], *, around: bool) -> Iterator[Row]:
    number, way = 0, _groups_in(prefix)[1:]
    try:
        for number, line in enumerate(lines, 1):
            if way and isinstance(group := _loaded(line), dict):
                within = _with_what_is_around(group, way) if around else _of_group(group, way, "category")
                yield from (record_of(number, one) for one in within)
            elif line.strip():
                yield _row(number, line.strip(), doubled)
    except (OSError, EOFError, zlib.error) as error:
        yield BadRow(number + 1, f"the file breaks off here: {error}", "")


def _row(number: int, raw: str, doubled: dict[str, tuple[int, str]]) -> Row:
    """doubled: gets the keys that an object of it has twice."""
    try:
        values = json.loads(raw)
        if raw.count('":') + raw.count('" :') > _keys_in(values):  # or a text has such signs
            json.loads(raw, object_pairs_hook=partial(_count_doubled, f"line {number}", doubled))
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"not JSON: {error}", raw)
    return record_of(number, values, raw)


def _keys_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_keys_in(one) for one in value.values() if isinstance(one, dict | list))
    return sum(map(_keys_in, value)) if isinstance(value, list) else 0


def _count_doubled(where: str, doubled: dict[str, tuple[int, str]], pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs. doubled: gets the keys that it has twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        for key, count in Counter(key for key, _ in pairs).items():
            if count > 1:
                before, first = doubled.get(key, (0, where))
                doubled[key] = before + 1, first
    return made


def record_of(number: int, values: Any, raw: str = "") -> Row:
    """A JSON object as a record. raw: how it was written."""
    if not isinstance(values, dict):
        return BadRow(number, "not a JSON object", raw or json.dumps(values, default=str))
    row = checked(number, values)
    if isinstance(row, Record):
        return row._replace(values=flat(_unwrapped(untyped(values))))
    return row._replace(raw=raw or row.raw)


def _inside(values: dict[str, Any]) -> dict[str, Any]:
    """What an edge of a connection leads to; any other object as it is."""
    node = values.get("node")
    return node if isinstance(node, dict) and values.keys() <= {"node", "cursor"} else values


def _unwrapped(values: dict[str, Any]) -> dict[str, Any]:
    """Without the edges and nodes of GraphQL's connections (https://relay.dev/graphql/connections.htm)."""
    values = _inside(values)
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
    return record_of(number, {"id": key, **values} if isinstance(values, dict) else values)


def _document(
    text: io.TextIOWrapper, prefix: str, doubled: dict[str, tuple[int, str]], *, around: bool
) -> Iterator[Row]:
    import ijson

    if not prefix:
        try:
            yield _row(1, text.read().strip().lstrip("\ufeff"), doubled)
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
                outer, *way = _groups_in(prefix)
                found = ijson.items(source, outer, use_float=use_float)
                of_one = _with_what_is_around if around else partial(_of_group, field=_field_of(outer))
                within = chain.from_iterable(of_one(one, way) for one in found) if way else found
                items = (record_of(at, one) for at, one in enumerate(within, 1))
            for row in islice(items, number, None):
                number += 1
                yield row
        except (ijson.JSONError, OSError, EOFError, zlib.error, RecursionError) as error:
            if use_float and _is_of_numbers(error):
                text.seek(0)  # whole numbers of more than 64 bits, NaN: the slower way takes them
                continue
            yield BadRow(number + 1, f"the JSON breaks off here: {error}", "")
        return


def _is_of_numbers(error: Exception) -> bool:
    """May it be one that ijson has with numbers which others take?"""
    return any(word in str(error) for word in ("overflow", "invalid", "lexical"))


def _groups_in(prefix: str) -> list[str]:
    """What ijson calls the elements of the outermost array on the way to records, and in each the names on the way
    from one array to the next (`groups.item.products.item`: `groups.item`, `products`)."""
    parts = prefix.split(".")
    first = parts.index("item") + 1 if "item" in parts else len(parts)
    outer, rest = ".".join(parts[:first]), ".".join(parts[first:])
    return [outer, *rest.removesuffix(".item").split(".item.")] if rest else [outer]


def _field_of(groups: str) -> str:
    """The field of products that groups of theirs are called by."""
    named = _path_of(groups).rpartition(".")[2].removesuffix("s")
    return "brand" if "brand" in fields_among((named,)) else "category"


def _of_group(group: Any, way: Sequence[str], field: str, above: str = "") -> Iterator[Any]:
    """The records in a list of an object, with what the group is called where they say no such `field` themselves."""
    if not isinstance(group, dict):
        yield group
        return
    found: Any = group
    group = _inside(group)
    for name in way[0].split("."):
        found = found.get(name) if isinstance(found, dict) else None
    texts = {name: value for name, value in group.items() if isinstance(value, str)}
    fields = fields_among(tuple(texts))
    named = texts.get(fields.get("category") or fields.get("title", ""), "").strip()
    named = " > ".join(filter(None, (above, named)))
    for one in found if isinstance(found, list) else []:
        if len(way) > 1:
            yield from _of_group(one, way[1:], field, named)
        elif not isinstance(one, dict) or not named:
            yield one
        else:
            record = _inside(one)
            own = fields_among(tuple(record)).get(field, field)
            yield {**record, own: named} if is_empty(record.get(own)) else record


def _with_what_is_around(
    group: Any, way: Sequence[str], around: Mapping[str, Any] = MappingProxyType({}), path: str = ""
) -> Iterator[Any]:
    """The records in a list of an object, with what this says else and those around it: as an order's lines have what
    is said of the order (`session`, `events.ts`)."""
    if not isinstance(group, dict):
        yield group
        return
    found: Any = _inside(group)
    top, here = way[0].partition(".")[0], f"{path}{way[0]}."
    around = {**around, **{f"{path}{name}": value for name, value in found.items() if name != top}}
    for name in way[0].split("."):
        found = found.get(name) if isinstance(found, dict) else None
    for one in found if isinstance(found, list) else []:
        if len(way) > 1:
            yield from _with_what_is_around(one, way[1:], around, here)
        elif isinstance(one, dict):
            yield {**around, **{f"{here}{name}": value for name, value in _inside(one).items()}}
        else:
            yield one


def _path_of(prefix: str) -> str:
    """What ijson calls elements, as somebody may tell it (`groups.products`)."""
    return ".".join(part for part in prefix.split(".") if part != "item")


class _Scan:
    """What lists of objects a document has, by its beginning, under the names that ijson has for their elements.

    held: the keys of their objects, and of those that are in no list. lists: outermost ones, and objects with an id for
    each key; inner: lists within those. whole: was it read to its end? doubled: keys that an object within a list has
    twice, in how many, and the first record.
    """

    def __init__(self, text: TextIO, most: int = _SCANNED) -> None:
        """most: events that are looked at."""
        self._look(text, most, exact=False)

    def _look(self, text: TextIO, most: int, *, exact: bool) -> None:
        """exact: the slower way, for whole numbers of more than 64 bits, NaN and the like."""
        import ijson

        self.held: dict[str, dict[str, None]] = {}
        self.doubled: dict[str, tuple[int, str]] = {}
        open_keys: list[set[str]] = []
        records = 0
        self.lists: dict[str, None] = {}
        self.inner: dict[str, None] = {}
        self.whole = False
        maps: dict[str, list[dict[str, None]]] = {}  # of objects in objects, what those hold
        mixed: set[str] = set()
        open_maps: list[str] = []  # prefixes of the objects around, as far as there is no array around them
        arrays = 0
        try:
            events = ijson.parse(_Bytes(text.read, numbers=exact), use_float=not exact)
            for prefix, event, value in islice(events, most):
                of_record = prefix.removesuffix(".node")
                if event == "start_map":
                    open_keys.append(set())
                    records += prefix.endswith("item") and arrays == 1
                    if prefix == "item" or prefix.endswith(".item"):
                        (self.lists if prefix.split(".").count("item") == 1 else self.inner)[prefix] = None
                    if not arrays:
                        if open_maps and len(open_maps) <= _DEEPEST_OBJECT:
                            maps.setdefault(open_maps[-1], []).append({})
                        open_maps.append(prefix)
                elif event == "map_key":
                    if value in open_keys[-1] and arrays:
                        count, first = self.doubled.get(value, (0, f"record {records}"))
                        self.doubled[value] = count + 1, first
                    open_keys[-1].add(value)
                    if of_record in self.lists or of_record in self.inner or not arrays:
                        self.held.setdefault(of_record, {})[value] = None
                    if not arrays and len(open_maps) > 1 and maps.get(open_maps[-2]):
                        maps[open_maps[-2]][-1][value] = None
                elif event == "end_map":
                    open_keys.pop()
                    if not arrays:
                        open_maps.pop()
                else:
                    arrays += (event == "start_array") - (event == "end_array")
                    if open_maps and event != "end_array" and arrays <= (event == "start_array"):
                        mixed.add(open_maps[-1])
            self.whole = next(events, None) is None
        except (ijson.JSONError, OSError, EOFError, zlib.error) as error:
            if not exact and isinstance(error, ijson.JSONError) and _is_of_numbers(error):
                text.seek(0)
                self._look(text, most, exact=True)
                return
        for prefix, several in maps.items():
            held = [fields_held(one) for one in several[:_TRIED]]
            alike = all(one.keys() == several[0].keys() for one in several[:_TRIED])
            products = all(titled and (alike or number > 1) for number, titled in held)
            if products and len(several) >= _FEWEST_OF_AN_OBJECT and prefix not in mixed:
                self.held[each := f"{prefix}.{EACH}".removeprefix(".")] = several[0]
                self.lists[each] = None

    def places(self, is_header: IsHeader) -> list[str]:
        """Where the records are: the list whose objects hold most of what products have, the outer before the inner,
        but products before the groups that they are in ("": it is one record); behind it others that may be."""
        groups = {prefix: self._outer(prefix) for prefix in self.inner if self._in_groups(prefix, is_header)}
        known = [prefix for prefix in groups if self._name(prefix, of_connection=True) in _CONTAINERS]
        lists = [prefix for prefix in self.lists if prefix not in {groups[one] for one in known}] + known
        best = max(lists, key=self._score, default=None)
        if best is None or not (self._score(best)[0] or self._score(best)[2] or best == "item"):
            update = max(filter(partial(self._are_of_an_update, is_header), lists), key=self._score, default="")
            return list(dict.fromkeys((update, *filter(partial(self._are_of_an_update, is_header), lists))))
        itself = self._score("")  # a document may be one product, and its lists its variants
        if itself[0] and itself[1] >= self._score(best)[1] and not self._score(best)[2]:
            return [""]
        if any(
            self._name(one) == _ONE_PRODUCT and "id" in fields_among(tuple(self.held[one]))
            for one in self._around(best)
        ):
            return [""]
        others = (
            one
            for one in self.lists
            if (self._score(one)[0] and self._score(one)[1] > 1) or self._are_of_an_update(is_header, one)
        )
        return [best, *dict.fromkeys(one for one in (*others, *groups) if one != best)]

    def _are_of_an_update(self, is_header: IsHeader, prefix: str) -> bool:
        """Are objects of a list records without titles, in objects that are none: the only ones of a document, or such
        that say more than an id?"""
        keys, around = list(self.held.get(prefix, ())), [list(self.held[one]) for one in self._around(prefix)]
        if self._name(prefix) in _NO_RECORDS or any(
            is_header(one) or "id" in fields_among(tuple(one)) for one in around
        ):
            return False
        return is_header(keys) or (len(self.lists) == 1 and "id" in fields_among(tuple(keys)))

    def told(self, path: Path, records: str) -> str:
        """The place that somebody names by a path or the end of one.

        Raises:
            FeedError: there is none.
        """
        wanted = _path_of(records.replace("[]", "").strip("."))
        paths = {prefix: _path_of(prefix) for prefix in (*self.lists, *self.inner)}
        found = [prefix for prefix, one in paths.items() if f".{one}".endswith(f".{wanted}")]
        if found:
            return min(found, key=lambda prefix: (paths[prefix] != wanted, prefix.count(".")))
        if wanted.endswith(EACH) or not self.whole:
            return wanted if wanted.endswith(EACH) else f"{wanted}.item"
        names = [one for one in paths.values() if one]
        raise FeedError(
            f"{path}: --records {records}: no such list of objects; there are: {', '.join(names[:10]) or 'none'}",
            hint=f"--records {names[0]}" if names else f"jq -c . {path} > feed.jsonl   (an object a line)",
        )

    def needs_what_is_around(self, prefix: str, is_header: IsHeader, told: str | None) -> bool:
        """Are these events of somebody whom but what is around them names? told: what somebody calls the records."""
        of_logs = self._name(prefix, of_connection=True) in _LOGS
        if prefix.endswith(EACH) or not (of_logs or (told and _groups_in(prefix)[1:])):
            return False
        keys, outer = list(self.held.get(prefix, ())), self._outer(prefix) if prefix.count("item") > 1 else ""
        around = list(self.held.get(outer, ()))
        return not is_header(keys) and is_header([*around, *(f"events.{key}" for key in keys)])

    def _score(self, prefix: str) -> tuple[Any, ...]:
        fields, titled = fields_held(self.held.get(prefix, ()))
        name = self._name(prefix)
        return titled, fields, name in _CONTAINERS, name not in _LOGS, -prefix.count(".")

    @staticmethod
    def _name(prefix: str, *, of_connection: bool = False) -> str:
        """What a list is called; of_connection: GraphQL's edges and nodes by what they are of."""
        parts = prefix.removesuffix(".item").split(".")
        while of_connection and len(parts) > 1 and parts[-1] in ("edges", "nodes"):
            parts.pop()
        return parts[-1]

    def _around(self, prefix: str) -> list[str]:
        """The objects around a list."""
        path = prefix.removesuffix(".item").split(".")
        return [one for depth in range(len(path)) if (one := ".".join(path[:depth])) in self.held]

    def _outer(self, prefix: str) -> str:
        """The list whose objects have this one."""
        return f"{prefix.removesuffix('.item').rpartition('item.')[0]}item"

    def _in_groups(self, prefix: str, is_header: IsHeader) -> bool:
        """Are objects of a list within those of another one records, and those groups of them: without what a product
        costs, and with less of its fields?"""
        keys, of_outer = self.held.get(prefix, {}), self.held.get(self._outer(prefix), {})
        mine, theirs = fields_among(tuple(keys)).keys(), fields_among(tuple(of_outer)).keys()
        if (
            self._outer(prefix) == "item"
            and not theirs
            and {"title", "id"} <= mine
            and self._name(prefix) in _CONTAINERS
        ):
            return is_header(list(keys))  # of Salsify: what belongs together stands in objects of one key
        return (
            "variants" not in prefix.split(".")
            and self._name(self._outer(prefix), of_connection=True) not in _LOGS
            and "title" in mine
            and is_header(list(keys))
            and not theirs.isdisjoint(("title", "category"))
            and theirs <= _OF_GROUPS
            and len(mine) > len(theirs)
        )


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
