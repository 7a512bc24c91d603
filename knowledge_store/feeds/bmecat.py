"""BMEcat, the catalogues that suppliers send to dealers in trade between firms.

Versions 1.2 (`ARTICLE`) and 2005 (`PRODUCT`): https://www.bmecat.org. Which group an article is in, the file says
behind all articles.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, text_of

MARKS = (("SUPPLIER_AID",), ("SUPPLIER_PID",))
FIELDS = {name: name for name in ("id", "title", "description", "brand", "price", "currency", "category")}
_PRICES = ("gros_list", "net_list")
"""Types of prices that anybody pays, best first: with tax, without. The others are a customer's own, or advice."""
_TEXTS = ("DESCRIPTION_SHORT", "DESCRIPTION_LONG")
_OWN = frozenset(("REFERENCE_FEATURE_SYSTEM_NAME", "REFERENCE_FEATURE_GROUP_ID", "REFERENCE_FEATURE_GROUP_NAME"))


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """One product an article, with a column for each feature, `DETAILS`' cells by their own names."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        own: dict[str, Any] = {}
        features: dict[str, Any] = {}
        for column, value in values.items():
            element, _, inner = column.removeprefix("ARTICLE_").removeprefix("PRODUCT_").partition(".")
            if element == "DETAILS" and inner:
                name, _, _ = inner.partition(".")  # DESCRIPTION_SHORT.de: the first language counts
                own[name if name in _TEXTS and name not in own else inner] = value
            elif element == "FEATURES":
                for one in [{inner: value}] if inner else value if isinstance(value, list) else []:
                    features |= {name.removeprefix("FEATURE."): said for name, said in one.items() if name not in _OWN}
            elif element not in ("PRICE_DETAILS", "SUPPLIER_AID", "SUPPLIER_PID"):
                own[column] = value
        price = _price(values)
        product = {
            "id": text_of(values.get("SUPPLIER_AID") or values.get("SUPPLIER_PID")).strip(),
            "title": _words(own.pop("DESCRIPTION_SHORT", "")),
            "description": _words(own.pop("DESCRIPTION_LONG", "")),
            "brand": own.pop("MANUFACTURER_NAME", ""),
            "price": price.get("PRICE_AMOUNT", ""),
            "currency": price.get("PRICE_CURRENCY", ""),
            "category": own.pop("category", ""),
        }
        yield Record(row.line, {**own, **features, **product})


def _price(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The price of one piece, of the best type."""
    found: list[dict[str, Any]] = []
    flat: dict[str, Any] = {}
    for column, value in values.items():
        if "_PRICE_DETAILS" in column:
            for one in value if isinstance(value, list) else []:
                inner = one.get("ARTICLE_PRICE") or one.get("PRODUCT_PRICE") or one
                found += [each for each in (inner if isinstance(inner, list) else [inner]) if isinstance(each, dict)]
            if not isinstance(value, list):
                flat[column.rpartition(".")[2]] = value
    found += [flat] if flat else []
    offered = [one for one in found if one.get("price_type") in _PRICES]
    return min(offered, key=lambda one: (_PRICES.index(one["price_type"]), text_of(one.get("LOWER_BOUND"))), default={})


def _words(value: Any) -> str:
    """Of texts in several languages, the first."""
    first = value[0] if isinstance(value, list) and value else value
    return text_of(first.get("text") if isinstance(first, dict) else first)
