"""eBay's files of listings (File Exchange, Seller Hub): a listing, and below it a row for each of its variations.

https://www.ebay.com/help/selling/selling-tools/managing-bulk-listings-with-file-exchange?id=4164
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.columns import fields_of, folded
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, identifier, is_empty, text_of

MARKS = (("Relationship", "RelationshipDetails"), ("Relationship", "Relationship details"))
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
            yield BadRow(row.line, "is a variation of no listing above it, or does not say which", str(values))
            continue
        known = (relationship, details, fields.get("id", ""), fields.get("price", ""))
        cells = {column: value for column, value in values.items() if column not in known and not is_empty(value)}
        own = own or "/".join([parent, *options.values()])
        variant = Variant(own, parent, options, values.get(fields.get("price", "")), (), cells)
        yield Record(row.line, {}, (variant,), product=False)


def _options(details: str) -> Iterator[tuple[str, str]]:
    """`Size=42|Colour=red`."""
    for part in details.split("|"):
        name, sign, value = part.partition("=")
        if sign and name.strip() and value.strip():
            yield name.strip(), value.strip()


def _with_currency(values: dict[str, Any]) -> dict[str, Any]:
    code = next((told[1] for column in values if (told := _CURRENCY.search(column))), "")
    return values | {"currency": code} if code and "currency" not in map(folded, values) else values
