"""Logs whose records hold several items each: an order's lines, the items of an analytics event, a session's events,
lists of ids or of packed lines in a cell, rows below their order's, lists of what was shown that say what was acted on,
numbered columns."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
_OF_BIGCOMMERCE = re.compile(r"Product (?:ID|Qty|SKU|Name): ")
"""How a line begins where BigCommerce packs those of an order in a cell: `Product Qty: 1, Product SKU: BF-43|...`."""
_KEY = re.compile(r"(?:^|,\s*)(Product [A-Z][\w ]*?):")
_NUMBERED = re.compile(r"(.*?)[ _.-]?(\d{1,2})")
_OF_A_LIST = re.compile(r"(.+?)(?:[-_. ]?list[es]?|s|S)")
"""What a column of lists is called: what one of each is, and that it is a list (`product_ids`, `item_id-list`)."""
_PACKED = re.compile(r"\s*(\w+):[^|]*(?:\|\w+:[^|]*){2,}")
"""A line of an order as WooCommerce's export suite and WebToffee's plugin pack it into a cell:
`name:Red shoe|product_id:101|sku:S-1|quantity:2`; further ones come after semicolons.
https://woocommerce.com/document/ordercustomer-csv-export/"""
_ITEMS = "items"
"""What stands in rows below their order's is called by this and its own name: `items.Sku`."""


def of_lines(
    feed: Feed,
    names: Mapping[str, Sequence[str]],
    catalogue: Names | None = None,
    told: Mapping[str, str] | None = None,
) -> Feed:
    """`feed` with a row for each object in the lists of one column, with columns of both (`items.item_id`); as it is
    where no list names items. Where a column of its own names an item too, rows whose cell is empty there have the
    object's. names: what columns are called, by field, folded; an `id` beside a list is the order's. What was done
    before (`history`) counts where nothing else names an item. catalogue: tells whether a cell holds several ids or
    one; told: columns that somebody has named, by field.
    """
    told = told or {}
    items = names["item"]
    feed = _unpacked(_below(feed, names))
    own = told["item"] if told.get("item") in feed.columns else ""
    own = own or next((one for one in feed.columns if _names_an_item(one, items)), "")
    peeked = list(islice(feed.rows, _PEEKED))
    records = [row for row in peeked if isinstance(row, Record)]
    if listed := _column_of_ids(own, feed.columns, records, names, catalogue):
        made = _of_ids(replace(feed, rows=chain(peeked, feed.rows)), listed, records, {own, *told.values()})
        return of_lines(made, names, catalogue, told)
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
    return of_lines(made, names, catalogue, told)  # orders within a document, lines within an order


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


def _column_of_ids(
    own: str,
    columns: Sequence[str],
    records: Sequence[Record],
    names: Mapping[str, Sequence[str]],
    catalogue: Names | None,
) -> str:
    """The column whose cells list ids of items: `own`, which is named as the item's, else one that is called as several
    of these are."""

    def known(said: Iterable[str]) -> int:
        return sum(catalogue.find(one) is not None for one in said) if catalogue is not None else 0

    def several(column: str) -> int:
        """How many ids its cells list; 0: they do not."""
        cells = [row.values.get(column) for row in records]
        lists = [one for one in map(_ids_of, cells) if one is not None]
        if lists:
            return sum(map(len, lists))
        texts = [one for one in cells if isinstance(one, str)]
        parted = [one for text in texts for one in ids_in(text)]
        return known(parted) if len(parted) > len(texts) and known(parted) > known(texts) else 0

    if own:
        return own if several(own) else ""
    items = {one for one in names["item"] if one != "id"}
    called = [one for one in columns if (named := _one_of(one)) and _names_an_item(named, items)]
    may_be = {one: several(one) for one in called if not is_of_before(one) and folded(one) not in names["impressions"]}
    best = max(may_be, key=lambda one: may_be[one], default="")
    return best if may_be.get(best) else ""


def _one_of(column: str) -> str:
    """What one of those is called that a column lists; "" if its name says no such thing."""
    found = _OF_A_LIST.fullmatch(column)
    named = found[1] if found else ""
    return f"{named[:-2]}y" if named.endswith("ie") else named  # quantities


def _of_ids(feed: Feed, column: str, records: Sequence[Record], keep: Collection[str]) -> Feed:
    """The feed with a row for each id that a cell of the column lists. What lists as many things beside in every row
    says one of each (`timestamp-list`). Columns are called by what one of them is, but for those to keep."""
    beside = [
        other
        for other in feed.columns
        if other != column
        and all(_length(row.values.get(other)) == _length(row.values.get(column)) for row in records)
        and any(_length(row.values.get(other)) for row in records)
    ]
    called = {one: _one_of(one) or one for one in (column, *beside)}
    called = {one: one if one in keep or name in feed.columns else name for one, name in called.items()}

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if not isinstance(row, Record):
                yield row
                continue
            cell = row.values.get(column)
            listed = _ids_of(cell)
            ids: Sequence[Any] = ids_in(cell) if listed is None else listed
            outer = {name: value for name, value in row.values.items() if name not in called}
            others = {name: value for name in beside if isinstance(value := row.values.get(name), list)}
            for at, one in enumerate(ids or (None,)):
                inner = {called[name]: value[at] for name, value in others.items() if len(value) == len(ids) > 0}
                if one is not None or not ids:
                    yield row._replace(values={**outer, called[column]: one, **inner})

    columns = [called.get(one, one) for one in feed.columns]
    return replace(feed, columns=columns, rows=rows(), taken={**feed.taken, "an event each of": ", ".join(called)})


def _ids_of(value: Any) -> list[Any] | None:
    """A list of ids, which may stand as JSON in a cell; None where it is none. Lists may be filled up with nothing."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = ids_in(value) if "{" not in value else None
    ids = isinstance(value, list) and all(isinstance(one, str | int | None) for one in value)
    return value if ids and any(one is not None for one in value) else None


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _unpacked(feed: Feed) -> Feed:
    """The feed with a list of objects where a cell packs the lines of an order, or several columns one each
    (`line_item_1`, `line_item_2`)."""
    peeked = list(islice(feed.rows, _PEEKED))
    feed = replace(feed, rows=chain(peeked, feed.rows))
    records = [row.values for row in peeked if isinstance(row, Record)]
    packed = [one for one in feed.columns if any(_PACKED.match(str(values.get(one) or "")) for values in records)]
    if not packed:
        return feed
    numbered = {one: found[1] for one in feed.columns if (found := _NUMBERED.fullmatch(one))}
    kind = numbered.get(packed[0], "")
    columns = [one for one, name in numbered.items() if name == kind] if kind else packed[:1]
    name = kind or packed[0]

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                lines = [line for one in columns for line in _lines_in(row.values.get(one))]
                row = row._replace(values={**{k: v for k, v in row.values.items() if k not in columns}, name: lines})
            yield row

    left = [one for one in feed.columns if one not in columns]
    return replace(feed, columns=[*left, name], rows=rows())


def _lines_in(cell: Any) -> list[dict[str, Any]]:
    """The lines that a cell packs."""
    found = _PACKED.match(cell) if isinstance(cell, str) else None
    if found is None:
        return []
    lines = re.split(rf";\s*(?={found[1]}:)", cell)
    pairs = [[part.partition(":") for part in re.split(r"\|(?=\w+:)", line)] for line in lines]
    return [{name.strip(): value.strip() or None for name, _, value in line} for line in pairs]


def _below(feed: Feed, names: Mapping[str, Sequence[str]]) -> Feed:
    """The feed with a row for each item of an order, where these stand in rows below it under a header of their own
    (nopCommerce's workbooks), with what the order's row says; as it is where no row is such a header."""
    peeked = list(islice(feed.rows, _PEEKED))
    feed = replace(feed, rows=chain(peeked, feed.rows))
    header = next((found for row in peeked if (found := _header_below(row, names))), None)
    if header is None:
        return feed
    before = feed.columns[: feed.columns.index(next(iter(header)))]
    called = {column: f"{_ITEMS}.{name}" for column, name in header.items()}

    def rows() -> Iterator[Row]:
        order: Record | None = None  # one of which no item came yet
        outer: Mapping[str, Any] = {}
        for row in feed.rows:
            if not isinstance(row, Record):
                yield row
            elif any(not is_empty(row.values.get(one)) for one in before):
                if order is not None:
                    yield order
                order, outer = row, row.values
            elif _header_below(row, names) is None:
                order = None
                yield row._replace(values={**outer, **{to: row.values.get(one) for one, to in called.items()}})
        if order is not None:
            yield order

    taken = {**feed.taken, "an event each of": f"rows below ({', '.join(header.values())})"}
    return replace(feed, columns=[*feed.columns, *called.values()], rows=rows(), taken=taken)


def _header_below(row: Row, names: Mapping[str, Sequence[str]]) -> dict[str, str] | None:
    """What the columns are called below an order's row, if this one says so: nothing in the first of them, and then
    nothing but names, of an item and of how many among them."""
    if not isinstance(row, Record):
        return None
    said = {column: value for column, value in row.values.items() if not is_empty(value)}
    if not said or next(iter(row.values)) in said or not all(isinstance(one, str) for one in said.values()):
        return None
    called = {folded(one) for one in said.values()}
    known = [not called.isdisjoint(set(names[field]) - {"id"}) for field in ("item", "quantity")]
    return said if all(known) and not any(folded(one) == folded(said[one]) for one in said) else None


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
    if isinstance(value, str) and _OF_BIGCOMMERCE.match(value):
        return [_by_keys(one) for one in re.split(rf"\|(?={_OF_BIGCOMMERCE.pattern})", value)]
    if isinstance(value, str) and value.startswith("[{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _by_keys(line: str) -> dict[str, str]:
    """`Product ID: 7, Product Qty: 1, ...` by its keys; a value may hold commas and colons."""
    found = list(_KEY.finditer(line))
    ends = [*(one.start() for one in found[1:]), len(line)]
    return {one[1]: line[one.end() : end].strip() for one, end in zip(found, ends, strict=True)}
