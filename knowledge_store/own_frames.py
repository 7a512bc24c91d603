"""Frames of products that came out of the store: read again they change but what somebody has changed in them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from sqlalchemy import select

from reaseq.knowledge_store.feeds.columns import option_key
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.store import PRODUCT, Store

COLUMNS = ("id", "title", "category", "brand", "price", "currency", "description", "read_by", "summary")
"""Of a frame of products."""
MADE = frozenset(("read_by", "summary"))
"""Those that say what was made of a product, and nothing of what it is."""
_SAID = COLUMNS[1:-2]
_LEVELS = frozenset(("code", "model", "teacher"))
_BATCH = 500


def as_received(store: Store, feed: Feed, named: Collection[str], *, all_rows: bool) -> Feed:
    """`feed` without what the store has made of its products, where it is a frame of ours: rows that say what the store
    does, the columns read_by and summary, and in rows that somebody has changed the category's name in place of what a
    file had called it, and prices of variants. Columns of these names that hold anything else are somebody's own: who
    reads an audio book, say. named: columns that somebody takes for a field. all_rows: is there more to say of its
    products than it does?"""
    if not {"id", *MADE}.issubset(feed.columns) or not MADE.isdisjoint(named):
        return feed
    peeked = list(islice(feed.rows, _BATCH))
    every = replace(feed, rows=chain(peeked, feed.rows))
    told = {text_of(row.values.get("read_by")) for row in peeked if isinstance(row, Record)} - {""}
    if not _LEVELS.issuperset(told) or not (told or set(COLUMNS).issubset(feed.columns)):
        return every
    left_out = unchanged = 0

    def rows() -> Iterator[Row]:
        nonlocal left_out, unchanged
        while some := list(islice(every.rows, _BATCH)):
            known = _known(store, [identifier(row.values.get("id")) for row in some if isinstance(row, Record)])
            for row in some:
                if not isinstance(row, Record):
                    yield row
                    continue
                left_out += sum(not is_empty(row.values.get(name)) for name in MADE)
                values = {name: value for name, value in row.values.items() if name not in MADE}
                product = known.get(identifier(values.get("id")))
                if product is None:
                    yield row._replace(values=values)
                elif not all_rows and _is_same(values, product):
                    unchanged += 1
                else:
                    yield row._replace(values=_received(values, product))

    columns = [name for name in feed.columns if name not in MADE]
    made = replace(every, columns=columns, rows=rows(), repeated_cells=lambda: feed.repeated_cells() + left_out)
    return replace(made, repeated_rows=lambda: unchanged)


def _known(store: Store, ids: list[str]) -> dict[str, Mapping[str, Any]]:
    names = ("id", *_SAID, "price_of_variants", "attributes")
    with store.reading() as connection:
        found = connection.execute(select(*(PRODUCT.c[name] for name in names)).where(PRODUCT.c.id.in_(ids)))
        return {row.id: dict(row._mapping) for row in found}


def _is_same(values: Mapping[str, Any], product: Mapping[str, Any]) -> bool:
    """Do a row's cells say what the store does of its product, and nothing else?"""
    return values.keys() <= {"id", *_SAID} and all(_is_cell(values, name, product) for name in values if name != "id")


def _is_cell(values: Mapping[str, Any], name: str, product: Mapping[str, Any]) -> bool:
    value, there = values.get(name), product[name]
    if name == "price" and isinstance(value, str) and there is not None:
        there = str(there)  # of a table that was written as text
    return value == there or (value is None and there == "") or (value == "" and there is None)


def _received(values: dict[str, Any], product: Mapping[str, Any]) -> dict[str, Any]:
    """A row's values, of which those that the store has made of others are these again."""
    if _is_cell(values, "category", product):
        called = {option_key(name): value for name, value in (product["attributes"] or {}).items()}
        values["category"] = called.get("category")
    if product["price_of_variants"] and _is_cell(values, "price", product):
        values["price"] = values["currency"] = None
    return values
