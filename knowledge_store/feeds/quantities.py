"""How many pieces a price is of, and from how many on it holds, by the columns beside it that say so."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import Any

from reaseq.knowledge_store.feeds.columns import fields_of, folded
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.wordlists import words

_NUMBER = re.compile(r"(?P<per>per|pro|je|par|por|à|za|/)?\s*(?P<number>\d[\d.,  ]*)\s*(?P<of>[^\W\d_]+\.?)?")


def of_several(values: Mapping[str, Any]) -> bool:
    """Does a row say that its price is of several pieces (SAP's price unit)?"""
    return any(_is_a_unit(column) and _said(value, per=_is_any(column)) > 1 for column, value in values.items())


@lru_cache(maxsize=10_000)
def _is_a_unit(column: str) -> bool:
    return folded(column) in words("price_words")["units"] or _is_any(column)


@lru_cache(maxsize=10_000)
def _is_any(column: str) -> bool:
    """Is it a column of units, in which a price's may stand ("per 100")?"""
    return folded(column) in words("price_words")["any_units"]


def _said(value: Any, *, per: bool = False) -> float:
    """The number of pieces that a cell says; 1 of nothing. per: only where a word for it stands before."""
    found = _NUMBER.fullmatch(text_of(value).strip().casefold())
    if found is None or (per and not found["per"]):
        return 1
    digits = re.sub(r"[.,]0+$|[^\d]", "", found["number"])
    return float(digits or 1)


def without_scales(feed: Feed) -> Feed:
    """A feed in which rows that follow one another say what one product costs from how many pieces on, with those of
    one piece alone: it is what one costs. Where none is of one piece, the first is what says all but the price; any
    other feed as it is."""
    quantity = next((one for one in feed.columns if folded(one) in words("price_words")["from_quantity"]), "")
    fields = fields_of(feed.columns) if quantity else {}
    if not {"id", "price"} <= fields.keys():
        return feed
    key, price, titled = fields["id"], fields["price"], "title" in fields

    def same(row: Row) -> str:
        return identifier(row.values.get(key)) if isinstance(row, Record) and not row.variants else ""

    def rows() -> Iterator[Row]:
        for own, group in groupby(feed.rows, same):
            if own:
                yield from _of_one(group, quantity, price, titled=titled)
            else:
                yield from group

    return replace(feed, rows=rows())


def _of_one(group: Iterable[Row], quantity: str, price: str, *, titled: bool) -> Iterator[Row]:
    found: Sequence[Record] = [row for row in group if isinstance(row, Record)]
    said = [_said(row.values.get(quantity)) for row in found]
    if len(set(said)) == 1:  # or what it is sold in at least
        yield from found
        return
    least = min(said)
    kept = said.index(least)
    for number, (row, pieces) in enumerate(zip(found, said, strict=True)):
        if pieces <= 1:
            yield row
        elif number == kept and titled:
            yield row._replace(values={name: value for name, value in row.values.items() if name != price})
        elif not is_empty(row.values.get(price)):
            yield row.set_aside(f"says what it costs from {pieces:g} pieces on")
        else:
            yield row
