"""Google Merchant product data, as TSV or XML: variants are items that share an `item_group_id`.

https://support.google.com/merchants/answer/7052112
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.prices import holds_now
from reaseq.knowledge_store.feeds.rows import (
    ONLY_NAMED,
    BadRow,
    Packing,
    Record,
    Row,
    Variant,
    Writing,
    identifier,
    text_of,
)

DETAIL = re.compile(r"(?:^|(?<=,))\s*(?P<section>[^:,]*):(?P<name>[^:,]*):(?P<value>(?:[^,]|,(?![^:,]*:[^:,]*:))*)")
"""A product detail as text: section, name and value."""
MARKS = (("id", "title", "link", "image_link"), ("id", "item_group_id"), ("id", "sale_price_effective_date"))
FIELDS = {
    "id": "id",
    "title": "title",
    "description": "description",
    "brand": "brand",
    "price": "sale_price",
    "list_price": "price",
    "category": "product_type",
}
_GENDERS = {"women": "female", "girls": "female", "men": "male", "boys": "male", "unisex": "unisex"}
_AGES = dict.fromkeys(("kids", "children", "boys", "girls"), "kids") | {
    **dict.fromkeys(("newborn", "newborns"), "newborn"),
    **dict.fromkeys(("infant", "infants", "babies", "baby"), "infant"),
    **{"toddler": "toddler", "toddlers": "toddler", "adult": "adult"},
}
WRITING = Writing(
    packing=Packing(
        "product_detail",
        ":{title}:{value}",
        ",",
        " / ",
        own=frozenset(("color", "size", "material", "pattern", "gender", "age_group")),
    ),
    system=frozenset(("product_type", "google_product_category", "condition", "availability")),
    joined={"color": "/", "material": "/", "size": "/"},
    spelled={
        "gender": _GENDERS | {value: value for value in _GENDERS.values()},
        "age_group": _AGES | {value: value for value in _AGES.values()},
    },
)
"""Google takes no fields but its own (https://support.google.com/merchants/answer/9218260), and in some only its own
words (https://support.google.com/merchants/answer/6324479, 6324463)."""
OPTIONS = ("color", "size", "pattern", "material", "age_group", "gender")
"""What items of a group may differ by."""
NAMES = ("gtin", "mpn")
_TEXTS = ("title", "description")
_OF_PRODUCTS = (*_TEXTS, "brand", "product_type")


def named(column: str) -> str:
    """`g:image_link` and `image link` are `image_link`."""
    return column.removeprefix("g:").partition("(")[0].strip().replace(" ", "_")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """An item of a group is its product (the first one of a group counts) and a variant of it."""
    first: dict[str, Any] = {}
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = {named(name): value for name, value in row.values.items()}
        details = _details(values)
        values = _with_category(values) | {name: value for name, value in details.items() if name not in values}
        if not holds_now(*text_of(values.get("sale_price_effective_date")).partition("/")[::2]):
            values["sale price of another time"] = values.pop("sale_price", "")
        group, own = (identifier(values.get(name)) for name in ("item_group_id", "id"))
        if not group:
            yield Record(row.line, values)
            continue
        options = details | {name: value for name in OPTIONS if (value := text_of(values.get(name)).strip())}
        options = options or {ONLY_NAMED: own}
        price = values.get("sale_price") or values.get("price")
        of_item = (*OPTIONS, *NAMES, "item_group_id")
        product = {name: value for name, value in values.items() if name not in of_item}
        names = tuple((name, values[name]) for name in NAMES if values.get(name))
        product["id"] = group
        if first.get("id") != group:
            first = product if values.get("title") else {"id": group}
        # What the group's first item says is the product's.
        own_cells = {
            name: value if first.get(name) != value else ""
            for name, value in product.items()
            if name not in (*details, *FIELDS.values()) or name in _TEXTS
        }
        if values.get("sale_price") and values.get("price"):
            own_cells["price"] = values["price"]
        # Prices and the like of items alone are an update of these.
        of_product = any(name in values for name in _OF_PRODUCTS)
        yield Record(row.line, product, (Variant(own, group, options, price, names, own_cells),), product=of_product)


def _details(values: dict[str, Any]) -> dict[str, str]:
    """Each `product_detail` by its own name; taken out of `values`."""
    details = values.get("product_detail")
    if isinstance(details, str):
        listed = DETAIL.finditer(details)
        return {one["name"].strip(): value for one in listed if (value := one["value"].strip())}
    values.pop("product_detail", None)
    alone = {name.rpartition(".")[2]: values.pop(name) for name in list(values) if name.startswith("product_detail.")}
    objects = [one for one in (details if isinstance(details, list) else [alone]) if isinstance(one, dict)]
    found = {text_of(one.get("attribute_name")).strip(): text_of(one.get("attribute_value")).strip() for one in objects}
    return {name: value for name, value in found.items() if name and value}


def _with_category(values: dict[str, Any]) -> dict[str, Any]:
    """The category Google has for it where the shop names none."""
    if not text_of(values.get("product_type")).strip():
        category = text_of(values.get("google_product_category")).strip()
        if category and not category.isdigit():
            return values | {"product_type": category}
    return values
