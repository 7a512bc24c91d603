"""Logs whose records hold several items each: an order's lines, the items of an analytics event, a session's events,
lists of what was shown that say what was acted on, numbered columns."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, flat, identifier, is_empty, with_columns
from reaseq.knowledge_store.names import Names
from reaseq.knowledge_store.wordlists import words

_PEEKED = 1000
_LABELLED = re.compile(r"(.+)[-:_=]([01])")
"""An item of a list, and whether it was acted on."""
_PACKED = re.compile(r"Product (?:ID|Qty|SKU|Name): ")
"""How a line begins where BigCommerce packs those of an order in a cell: `Product Qty: 1, Product SKU: BF-43|...`."""
_KEY = re.compile(r"(?:^|,\s*)(Product [A-Z][\w ]*?):")
_NUMBERED = re.compile(r"(.*?)[ _.-]?(\d{1,2})")


def of_lines(feed: Feed, names: Mapping[str, Sequence[str]]) -> Feed:
    """`feed` with a row for each object in the lists of one column, with columns of both (`items.item_id`); as it is
    where no list names items. Where a column of its own names an item too, rows whose cell is empty there have the
    object's. names: what columns are called, by field, folded; an `id` beside a list is the order's. What was done
    before (`history`) counts where nothing else names an item.
    """
    items = names["item"]
    own = next((one for one in feed.columns if _names_an_item(one, items)), "")
    peeked = list(islice(feed.rows, _PEEKED))
    if own and any(_is_list(row.values.get(own)) for row in peeked if isinstance(row, Record)):
        rows = _each(chain(peeked, feed.rows), own)
        return of_lines(replace(feed, rows=rows, taken={**feed.taken, "an event each of": own}), names)
    found: dict[str, None] = {}
    visits: dict[str, None] = {}
    for row in peeked:
        if isinstance(row, Record):
            for column, value in row.values.items():
                keys = [{folded(key) for key in one} for one in _objects(value)]
                if any(not one.isdisjoint(items) for one in keys):
                    found[column] = None
                elif any(not (one.isdisjoint(names["time"]) or one.isdisjoint(names["kind"])) for one in keys):
                    visits[column] = None
    everything = chain(peeked, feed.rows)
    if own or any(folded(one) in names["impressions"] for one in feed.columns):
        found = {column: None for column in found if not is_of_before(column)}
    elif not found:
        found = visits  # what was done in a session, whose items are called as nobody else calls them
    if not found:
        return _of_numbered(replace(feed, rows=everything), items)
    column = min(found, key=is_of_before)
    columns, rows = with_columns(_taken_apart(everything, column, own, items))
    if own:
        columns = [own, *(one for one in columns if one != own)]  # of two that are called alike, the one that is whole
        return replace(feed, columns=columns, rows=rows, taken={**feed.taken, "also an event each of": column})
    made = replace(feed, columns=columns, rows=rows, taken={**feed.taken, "an event each of": column})
    return of_lines(made, names)  # orders within a document, lines within an order


def is_of_before(column: str) -> bool:
    """Does a column list what somebody did before, beside what a row is of?"""
    return not set(words("log_columns")["history"]).isdisjoint(folded(column).split())


def of_impressions(feed: Feed, column: str, item: str, names: Names) -> tuple[Feed, str, str]:
    """A feed whose lists of what was shown say of each item whether it was acted on ("N1-0 N2-1"), with a row for each
    that was, and the columns of these and of what else was shown; as it is, without columns, where they say no such
    thing. item: the column of what rows are of, if there is one."""
    peeked = list(islice(feed.rows, _PEEKED))
    feed = replace(feed, rows=chain(peeked, feed.rows))
    listed = [one for row in peeked if isinstance(row, Record) for one in ids_in(row.values.get(column))]
    parted = [found[1] for one in listed if (found := _LABELLED.fullmatch(one))]
    known = [sum(names.find(one) is not None for one in several) for several in (listed, parted)]
    if not listed or len(parted) < len(listed) or (known[0] and known[1] <= known[0]):
        return feed, "", ""
    acted, shown = item or f"{column}.clicked", f"{column}.shown"

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if not isinstance(row, Record):
                yield row
                continue
            pairs = [_LABELLED.fullmatch(one) or one for one in ids_in(row.values.get(column))]
            clicked = [one[1] for one in pairs if not isinstance(one, str) and one[2] == "1"]
            others = [one if isinstance(one, str) else one[1] for one in pairs]
            left: list[str] = [one for one in others if one not in clicked]
            own = [] if not item or is_empty(row.values.get(item)) else [row.values[item]]
            acts = sorted(dict.fromkeys([*own, *clicked]), key=lambda one: names.find(identifier(one)) is None)
            if not acts or (left and names.find(identifier(acts[0])) is None):
                acts = [None, *acts]  # what was shown is no less so where nobody knows what was acted on
            for one in acts:
                yield row._replace(values={**row.values, acted: one, shown: left})
                left = []

    columns = [*(one for one in feed.columns if one not in (column, item)), acted, shown]
    taken = {**feed.taken, "an event each of": f"{column} (ID-1: acted on, ID-0: shown)"}
    return replace(feed, columns=columns, rows=rows(), taken=taken), acted, shown


def ids_in(value: Any) -> list[str]:
    """The ids that a cell lists: as a list, as JSON, or with commas or blanks between."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else re.split(r"[\s,;|{}]+", value.strip("{} "))
        except ValueError:
            value = re.findall(r"[^\s,\[\]'\"]+", value)
    return [name for one in value if (name := identifier(one))] if isinstance(value, list) else []


def _of_numbered(feed: Feed, items: Collection[str]) -> Feed:
    """The feed with a row for each of the items that numbered columns name: `sku_1`, `qty_1`, `sku_2`, `qty_2`."""
    groups: dict[str, dict[str, str]] = {}
    for column in feed.columns:
        if found := _NUMBERED.fullmatch(column):
            groups.setdefault(found[2].lstrip("0"), {})[found[1]] = column
    named = {number: one for number, one in groups.items() if any(_names_an_item(name, items) for name in one)}
    if len(named) < 2 or any(_names_an_item(one, items) for one in feed.columns if not _NUMBERED.fullmatch(one)):
        return feed
    numbered = {column for one in named.values() for column in one.values()}
    names = dict.fromkeys(name for one in named.values() for name in one)
    item = next(name for name in names if _names_an_item(name, items))

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if not isinstance(row, Record):
                yield row
                continue
            outer = {column: value for column, value in row.values.items() if column not in numbered}
            for at, columns in enumerate(named.values()):
                own = {name: row.values.get(column) for name, column in columns.items()}
                if at == 0 or not is_empty(own.get(item)):
                    yield row._replace(values=outer | own)

    columns = [*(column for column in feed.columns if column not in numbered), *names]
    each = ", ".join(one[item] for one in named.values() if item in one)
    return replace(feed, columns=columns, rows=rows(), taken={**feed.taken, "an event each of": each})


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str | int) for one in value)


def _each(rows: Iterator[Row], column: str) -> Iterator[Row]:
    """A row for each of several items that a cell lists."""
    for row in rows:
        value = row.values.get(column) if isinstance(row, Record) else None
        if isinstance(row, Record) and _is_list(value):
            yield from (row._replace(values={**row.values, column: one}) for one in value or ())
        else:
            yield row


def _names_an_item(column: str, items: Collection[str]) -> bool:
    """By all of its path, its last two steps, or its last, which may not be `id` alone."""
    steps = column.split(".")
    called = {folded(".".join(steps[at:])) for at in (0, -2, -1)}
    return not (called - {"id"}).isdisjoint(items)


def _taken_apart(rows: Iterator[Row], column: str, own: str, items: Collection[str]) -> Iterator[Row]:
    for row in rows:
        objects = _objects(row.values.get(column)) if isinstance(row, Record) else []
        if not isinstance(row, Record) or not objects or (own and row.values.get(own) not in (None, "")):
            yield row
            continue
        outer = {name: value for name, value in row.values.items() if name != column}
        for one in objects:
            inner = flat(one)
            values = outer | {f"{column}.{name}": value for name, value in inner.items()}
            if own and (key := next((name for name in inner if folded(name) in items), "")):
                values[own] = inner[key]
            yield row._replace(values=values)


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, which may stand as JSON in a cell, or as BigCommerce packs an order's lines."""
    if isinstance(value, str) and _PACKED.match(value):
        return [_unpacked(one) for one in re.split(rf"\|(?={_PACKED.pattern})", value)]
    if isinstance(value, str) and value.startswith("[{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _unpacked(line: str) -> dict[str, str]:
    """`Product ID: 7, Product Qty: 1, ...` by its keys; a value may hold commas and colons."""
    found = list(_KEY.finditer(line))
    ends = [*(one.start() for one in found[1:]), len(line)]
    return {one[1]: line[one.end() : end].strip() for one, end in zip(found, ends, strict=True)}
