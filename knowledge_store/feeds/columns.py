"""What a feed's columns mean: guessed by name, said to the user, and overridden by `--map`."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from reaseq.knowledge_store.feeds.records import FeedError

FIELDS = ("id", "title", "description", "brand", "price", "currency", "category")

# In order of preference. Names as shops, marketplaces and data sets use them, folded by `_folded`.
_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        "id",
        "product id",
        "sku",
        "variant sku",
        "item id",
        "item sku",
        "article id",
        "article number",
        "artikelnummer",
        "asin",
        "parent asin",
        "style id",
        "product code",
        "item number",
        "uniq id",
        "handle",
        "gtin",
        "ean",
        "upc",
        "model number",
    ),
    "title": (
        "title",
        "product title",
        "product name",
        "product display name",
        "display name",
        "item name",
        "item title",
        "name",
        "produktname",
        "bezeichnung",
        "titel",
    ),
    "description": (
        "description",
        "product description",
        "long description",
        "full description",
        "body html",
        "body",
        "product details",
        "details",
        "about product",
        "beschreibung",
        "desc",
        "short description",
    ),
    "brand": ("brand", "brand name", "manufacturer", "vendor", "maker", "label", "marke", "hersteller"),
    "price": (
        "sale price",
        "selling price",
        "final price",
        "current price",
        "discounted price",
        "offer price",
        "price",
        "variant price",
        "price amount",
        "unit price",
        "preis",
        "regular price",
        "listing price",
        "list price",
        "original price",
        "initial price",
        "mrp",
        "msrp",
        "retail price",
    ),
    "currency": ("currency", "currency code", "price currency", "waehrung", "währung"),
    "category": (
        "category",
        "product category",
        "product type",
        "article type",
        "item type",
        "sub category",
        "subcategory",
        "root category",
        "category name",
        "google product category",
        "kategorie",
        "type",
    ),
}


def guess_columns(columns: Sequence[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Field to column. `overrides` (field to column, as given with `--map`) win; an override with an
    empty column leaves the field out.

    Raises:
        FeedError: an override names no field or no column, or nothing can be the title.
    """
    mapping: dict[str, str] = {}
    for field, column in (overrides or {}).items():
        if field not in FIELDS:
            raise FeedError(f"--map {field}=…: no such field; fields are: {', '.join(FIELDS)}", hint=_map_hint(columns))
        if column and column not in columns:
            near = get_close_matches(column, columns, 1)
            raise FeedError(
                f"--map {field}={column!r}: no such column; columns are: {', '.join(columns)}",
                hint=f'--map {field}="{near[0]}"' if near else _map_hint(columns),
            )
        mapping[field] = column
    taken = set(mapping.values())
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(_folded(column), column)
    for field in FIELDS:
        if field not in mapping:
            for name in _NAMES[field]:
                column = by_name.get(name, "")
                if column and column not in taken:
                    mapping[field] = column
                    taken.add(column)
                    break
    if not mapping.get("title"):
        raise FeedError(f"no column looks like a title; columns are: {', '.join(columns)}", hint=_map_hint(columns))
    return {field: mapping[field] for field in FIELDS if mapping.get(field)}


def _folded(name: str) -> str:
    """`productDisplayName`, `Product_Display-Name` and `product display name` are one name."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", spaced.casefold()))


def _map_hint(columns: Sequence[str]) -> str:
    return f'reaseq import FILE --map title="{columns[0] if columns else "COLUMN"}"'
