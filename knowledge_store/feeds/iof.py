"""IOF, the Internet Offer Format of IdoSell's shops: `full.xml`, products with their sizes, and `light.xml`, prices and
stock.

https://www.idosell.com/en/developers/otwarte-standardy-i-api-do-integracji/internet-offer-format-iof/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reaseq.knowledge_store.feeds import nested
from reaseq.knowledge_store.feeds.columns import apart
from reaseq.knowledge_store.feeds.rows import BadRow, Row, is_empty

MARKS = (("code_on_card", "variants"), ("card.url", "price.net", "variants"), ("vat", "price.net", "variants"))
FIELDS = {
    "id": "id",
    "brand": "producer.name",
    "price": "price.gross",
    "list_price": "strikethrough_retail_price.gross",
    "currency": "currency",
    "category": "category.name",
}
_CODES = ("code_external", "code_producer")
_BARCODE = re.compile(r"\d{8}|\d{12,14}")
_NAMES = ("gtin", "ean")
_NO_SIZE = "uniw"
"""The id of the size of what has none."""
_PARAMETERS = "parameters."
_LONG, _SHORT = "description.long_desc", "description.short_desc"
_PRICES = ("srp", "strikethrough_retail_price", "strikethrough_wholesale_price")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products with their sizes as variants, and a column of each parameter."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = {name: value for name, value in row.values.items() if not name.startswith(_PARAMETERS)}
        for name, value in row.values.items():
            inner = name.removeprefix(_PARAMETERS)
            if inner != name and inner.partition(".")[0] != "parameter":  # a heading, which has no value
                values[apart(inner, values)] = value
        for name in [one for one in values if one.startswith(_SHORT)]:
            long = f"{_LONG}{name.removeprefix(_SHORT)}"
            if is_empty(values.get(long)):
                values[long] = values[name]
        listed = values.get("variants")
        if isinstance(listed, list):
            values["variants"] = [_variant(one) if isinstance(one, dict) else one for one in listed]
        yield from nested.rows([row._replace(values=values)])


def _variant(size: Mapping[str, Any]) -> dict[str, Any]:
    """A size with its barcodes under names of such, and with what it costs itself."""
    made = {name: value for name, value in size.items() if name not in (*_CODES, "code", *_PRICES)}
    barcodes = dict.fromkeys(str(size[name]) for name in _CODES if _BARCODE.fullmatch(str(size.get(name, ""))))
    made |= dict(zip(_NAMES, barcodes, strict=False))
    made |= {name: size[name] for name in _CODES if size.get(name) and str(size[name]) not in barcodes}
    if size.get("size id") == _NO_SIZE:
        made.pop("size", None)
    price = size.get("price")
    if isinstance(price, dict) and not is_empty(price.get("gross")):
        made["price"] = price["gross"]
    return made
