"""Orders as Shopify's bulk operations write them: an order a line, and of each of its lines a line, which names it.

https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, identifier, with_columns

_PEEKED = 1000
_KEPT = 100_000
"""Orders that are remembered twice over: their lines stand soon behind."""
_WITHIN, _OWN = "lineItems", "order id"


def of_bulk(feed: Feed) -> Feed:
    """The feed with a row for each line of an order, which has the order's cells too; as it is where nothing names a
    record above it. Lines without an order, or that name no product, and orders without a line are set aside."""
    peeked = list(islice(feed.rows, _PEEKED))
    rows = chain(peeked, feed.rows)
    below = [row for row in peeked if isinstance(row, Record) and not row.product]
    if not below or any(row.values.keys() - {"id"} for row in below):
        return replace(feed, rows=rows)
    columns, made = with_columns(_lines(rows))
    return replace(
        feed, columns=columns, rows=made, taken={**feed.taken, "an event each of": f"{_WITHIN} (__parentId)"}
    )


def _lines(rows: Iterator[Row]) -> Iterator[Row]:
    orders: dict[str, Record] = {}
    before: dict[str, Record] = {}
    alone: dict[str, Record] = {}
    """Orders of which no line has come."""
    for row in rows:
        if not isinstance(row, Record):
            yield row
            continue
        if not row.values:
            yield row.set_aside("is a metafield, and no line of an order")
            continue
        own = identifier(row.values.get("id"))
        if row.product:
            if len(orders) >= _KEPT:
                orders, before = {}, orders
            orders[own] = alone[own] = row
            continue
        order = orders.get(own) or before.get(own)
        alone.pop(own, None)
        if order is None:
            yield row.set_aside(f"is a line of {own}, which is not above it")
        elif not row.variants:
            yield row.set_aside(f"belongs to {own} and names no sku (a bulk query may ask for that of each LineItem)")
        else:
            yield from (Record(row.line, _joined(order.values, one.names, one.attributes)) for one in row.variants)
    yield from (order.set_aside("is an order of which no line is below it") for order in alone.values())


def _joined(order: Mapping[str, Any], names: tuple[tuple[str, Any], ...], cells: Mapping[str, Any]) -> dict[str, Any]:
    line = {**dict(names), **cells}
    above = {_OWN if name == "id" else name: value for name, value in order.items()}
    return above | {f"{_WITHIN}.{name}": value for name, value in line.items()}
