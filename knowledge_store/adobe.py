"""Hits as Adobe Analytics writes them (data feeds): a visitor in two numbers, several products in one cell, what was
done as numbers, and hits that count for nothing.

https://experienceleague.adobe.com/docs/analytics/export/analytics-data-feed/data-feed-contents/datafeeds-reference.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, is_empty, text_of
from reaseq.knowledge_store.order_states import count_of

_HALVES = (("post_visid_high", "post_visid_low"), ("visid_high", "visid_low"))
"""Columns of the halves of a visitor's id; what was left after processing (`post_`) comes first."""
_LISTS = ("post product list", "product list", "products")
"""Columns of products, folded: `category;product;quantity;price;events;eVars`, commas between products."""
_EXCLUDED, _DUPLICATE = "exclude hit", "duplicate purchase"
"""Columns of hits that count for nothing, folded: 0 where they do."""
_PARTS = ("category", "product", "quantity", "revenue")
_DONE = ("post event list", "event list", "events")
"""Columns of what was done in a hit, folded: numbers, or names as a page's code has them, with commas between."""
_EVENTS = {
    **{"1": "purchase", "purchase": "purchase", "13": "cart remove", "scremove": "cart remove", "12": "cart add"},
    **{"scadd": "cart add", "11": "checkout", "sccheckout": "checkout", "10": "cart open", "scopen": "cart open"},
    **{"14": "cart view", "scview": "cart view", "2": "product view", "prodview": "product view"},
}
"""Adobe's own events of products, the strongest first (`event.tsv` of a data feed); a shop's begin at 200."""
_SHOWN = "product impression"
"""What a hit is that lists products and none of these events: they were on the page."""
_OF_EVENTS = re.compile(r"(?:\d+|purchase|prodView|sc[A-Z]\w+|event\d+)(?:=[^,]*)?(?::[^,]*)?")
_KINDS = ("event", "event name", "event type")
_PEEKED = 1000
_LISTED = re.compile(r"[^;,]*;[^;,]+(?:;[^;,]*){0,4}(?:,|$)")


def of_adobe(feed: Feed) -> Feed:
    """The feed with a column `visid` where a visitor's id stands in two, a row for each product that a cell lists, with
    columns `product`, `quantity` and so on, and a column `event` of what was done; without hits that are excluded from
    reports, and purchases that are reported twice. As it is where nothing of the kind is there."""
    halves = next((both for both in _HALVES if set(both) <= set(feed.columns)), None)
    listed = next((one for name in _LISTS for one in feed.columns if folded(one) == name), "")
    excluded, again = ([one for one in feed.columns if folded(one) == name] for name in (_EXCLUDED, _DUPLICATE))
    done = next((one for name in _DONE[: None if listed else 2] for one in feed.columns if folded(one) == name), "")
    if halves is not None:
        feed = _with_visitor(feed, halves)
    if excluded or again:
        feed = _without_what_counts_for_nothing(feed, excluded, again)
    if done:
        feed = _with_kinds(feed, done)
    return _by_products(feed, listed) if listed else feed


def _without_what_counts_for_nothing(feed: Feed, excluded: Sequence[str], again: Sequence[str]) -> Feed:
    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                if any(count_of(row.values.get(one)) for one in excluded):
                    yield row.set_aside(f"is excluded from reports: {excluded[0]} is {row.values[excluded[0]]}")
                    continue
                if any(count_of(row.values.get(one)) for one in again):
                    yield row.set_aside(f"reports a purchase once more: {again[0]} is {row.values[again[0]]}")
                    continue
            yield row

    return replace(feed, rows=rows())


def _with_kinds(feed: Feed, column: str) -> Feed:
    peeked = list(islice(feed.rows, _PEEKED))
    feed = replace(feed, rows=chain(peeked, feed.rows))
    said = [text_of(row.values.get(column)).strip() for row in peeked if isinstance(row, Record)]
    parts = [part.strip() for one in said for part in one.split(",") if part.strip()]
    if not all(map(_OF_EVENTS.fullmatch, parts)) or not (parts or "list" in folded(column)):
        return feed
    kind = next(one for one in _KINDS if one not in map(folded, feed.columns))

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                cell = text_of(row.values.get(column)).casefold()
                done = {re.split("[=:]", part.strip())[0] for part in cell.split(",")}
                found = next((what for event, what in _EVENTS.items() if event in done), _SHOWN)
                row = row._replace(values={**row.values, kind: found})
            yield row

    taken = {**feed.taken, "what was done by": f"{column} (1: purchase, 2: product view, 12: cart add, ...)"}
    return replace(feed, columns=[*(one for one in feed.columns if one != column), kind], rows=rows(), taken=taken)


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
