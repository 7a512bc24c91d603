"""Hits as Adobe Analytics writes them (data feeds): a visitor in two numbers, and several products in one cell."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, is_empty, text_of

_HALVES = (("post_visid_high", "post_visid_low"), ("visid_high", "visid_low"))
"""Columns of the halves of a visitor's id; what was left after processing (`post_`) comes first."""
_LISTS = ("post product list", "product list", "products")
"""Columns of products, folded: `category;product;quantity;price;events;eVars`, commas between products."""
_PARTS = ("category", "product", "quantity", "revenue")
_LISTED = re.compile(r"[^;,]*;[^;,]+(?:;[^;,]*){0,4}(?:,|$)")


def of_adobe(feed: Feed) -> Feed:
    """The feed with a column `visid` where a visitor's id stands in two, and a row for each product that a cell lists,
    with columns `product`, `quantity` and so on; as it is where nothing of the kind is there."""
    halves = next((both for both in _HALVES if set(both) <= set(feed.columns)), None)
    listed = next((one for name in _LISTS for one in feed.columns if folded(one) == name), "")
    if halves is not None:
        feed = _with_visitor(feed, halves)
    return _by_products(feed, listed) if listed else feed


def _with_visitor(feed: Feed, halves: Sequence[str]) -> Feed:
    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                said = [text_of(row.values.get(half)).strip() for half in halves]
                known = all(said) and any(half.strip("0") for half in said)  # zeros are nobody
                row = row._replace(values={**row.values, "visid": "-".join(said) if known else None})
            yield row

    columns = ["visid" if one == halves[0] else one for one in feed.columns if one != halves[1]]
    return replace(feed, columns=columns, rows=rows(), taken={**feed.taken, "a user each of": " + ".join(halves)})


def _by_products(feed: Feed, column: str) -> Feed:
    peeked: list[Row] = []
    rows = iter(feed.rows)
    for row in rows:
        peeked.append(row)
        if isinstance(row, Record) and not is_empty(row.values.get(column)):
            break
    first = peeked[-1].values.get(column) if peeked and isinstance(peeked[-1], Record) else None

    def everything() -> Iterator[Row]:
        yield from peeked
        yield from rows

    if not isinstance(first, str) or _LISTED.match(first.strip()) is None:
        return replace(feed, rows=everything())
    names = [name for name in _PARTS if name not in feed.columns]

    def taken_apart() -> Iterator[Row]:
        for row in everything():
            cell = row.values.get(column) if isinstance(row, Record) else None
            if not isinstance(row, Record) or not isinstance(cell, str) or ";" not in cell:
                yield row
                continue
            for one in cell.split(","):
                said: dict[str, Any] = dict(zip(_PARTS, one.split(";"), strict=False))
                if said.get("product", "").strip():
                    yield row._replace(values={**row.values, **{name: said.get(name) or None for name in names}})

    columns = [*(one for one in feed.columns if one != column), *names]
    taken = {**feed.taken, "an event each of": f"{column} (category;product;quantity;revenue)"}
    return replace(feed, columns=columns, rows=taken_apart(), taken=taken)
