"""eBay's files of listings (File Exchange, Seller Hub): a listing, and below it a row for each of its variations.

https://www.ebay.com/help/selling/selling-tools/managing-bulk-listings-with-file-exchange?id=4164
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.columns import fields_of, folded
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, identifier, is_empty, text_of
from reaseq.knowledge_store.names import identities

MARKS = (("Relationship", "RelationshipDetails"), ("Relationship", "Relationship details"))
MARKS_OF_LISTINGS = (("Item number", "Variation details"),)
FIELDS_OF_LISTINGS = {"id": "Item number", "title": "Title", "price": "price", "category": "eBay category 1 name"}
_NUMBER, _VARIATION, _LABEL = "Item number", "Variation details", "Custom label (SKU)"
_PRICES = ("Current price", "Start price")
_DETAILS = ("relationship", "relationship details")
_CURRENCY = re.compile(r"\bCurrency=([A-Z]{3})\b")
"""In the name of the first column: `*Action(SiteID=Germany|Country=DE|Currency=EUR|Version=1193)`."""


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Listings as products, their variations as variants; what all of them may be says the listing itself."""
    parent = ""
    fields: dict[str, str] = {}
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        fields = fields or fields_of(list(values))
        named = {folded(column): column for column in values}
        relationship, details = (named.get(name, "") for name in _DETAILS)
        own = identifier(values.get(fields.get("id", "")))
        if text_of(values.get(relationship)).strip().casefold() != "variation":
            parent = own
            kept = {column: value for column, value in values.items() if column not in (relationship, details)}
            yield Record(row.line, _with_currency(kept))
            continue
        options = dict(_options(text_of(values.get(details))))
        if not parent or not options:
            yield row.set_aside("is a variation of no listing above it, or does not say which")
            continue
        known = (relationship, details, fields.get("id", ""), fields.get("price", ""))
        cells = {column: value for column, value in values.items() if column not in known and not is_empty(value)}
        own = own or "/".join([parent, *options.values()])
        names = tuple((column, cells.pop(column)) for column in identities(list(cells), None))
        variant = Variant(own, parent, options, values.get(fields.get("price", "")), names, cells)
        yield Record(row.line, {}, (variant,), product=False)


def rows_of_listings(found: Iterable[Row]) -> Iterator[Row]:
    """Seller Hub's report of active listings: rows of one item number, of which those with details are variations."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = {name: value for name, value in row.values.items() if name != _VARIATION}
        price = next((values[name] for name in _PRICES if not is_empty(values.get(name))), None)
        details = text_of(row.values.get(_VARIATION)).strip().strip("[]").replace(",", "|")
        options, parent = dict(_options(details)), identifier(values.get(_NUMBER))
        if not options or not parent:
            yield Record(row.line, {**values, "price": price})
            continue
        own = identifier(values.get(_LABEL)) or "/".join([parent, *options.values()])
        cells = {name: values[name] for name in values if "quantity" in folded(name)}
        names = tuple((name, values[name]) for name in identities(list(values), _NUMBER) if name != _LABEL)
        product = {name: value for name, value in values.items() if name not in (_LABEL, *cells, *dict(names))}
        yield Record(row.line, {**product, "price": price}, (Variant(own, parent, options, price, names, cells),))


def _options(details: str) -> Iterator[tuple[str, str]]:
    """`Size=42|Colour=red`."""
    for part in details.split("|"):
        name, sign, value = part.partition("=")
        if sign and name.strip() and value.strip():
            yield name.strip(), value.strip()


def _with_currency(values: dict[str, Any]) -> dict[str, Any]:
    code = next((told[1] for column in values if (told := _CURRENCY.search(column))), "")
    return values | {"currency": code} if code and "currency" not in map(folded, values) else values
