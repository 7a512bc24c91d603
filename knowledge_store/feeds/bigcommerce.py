"""BigCommerce's product CSV: below a product stand its variants, rules that change their prices, and its pictures.

https://support.bigcommerce.com/s/article/Complex-Attributes, of both its catalogues: the older one names what a variant
differs by in its name (`[S]Size=41,[CS]Color=Red`), the newer one in a column of options.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, identifier, text_of
from reaseq.knowledge_store.names import identities

MARKS_OLD = (("Item Type", "Product Name", "Product Code/SKU"),)
MARKS_NEW = (("Item", "ID", "Name", "SKU", "Options"),)
FIELDS_OLD = {
    "id": "Product ID",
    "title": "Product Name",
    "description": "Product Description",
    "brand": "Brand Name",
    "price": "Sale Price",
    "list_price": "Price",
    "category": "Category",
}
FIELDS_NEW = {
    "id": "ID",
    "title": "Name",
    "description": "Description",
    "brand": "Brand",
    "price": "Sale Price",
    "list_price": "Price",
    "category": "Categories",
}
_OF_THE_SHOP = frozenset(("Item Type", "Item", "Options", "Product Type", "Type"))
_SKUS = ("Product Code/SKU", "SKU")
_OF_PRODUCTS = frozenset((*FIELDS_OLD.values(), *FIELDS_NEW.values(), *_SKUS))
_PICTURES = re.compile(r"^(?:Product Image File.*|Product Image URL.*|Image URL.*)$")
_OLD_OPTION = re.compile(r"\[[A-Z]+\]([^=]+)=((?:[^,]|,(?!\s*\[[A-Z]+\]))*?)(?::#[0-9a-fA-F]{3,8})?(?=,\s*\[|$)")
_NEW_OPTION = re.compile(r"Name=([^|]+)\|Value=(.*?)(?=\[|;?\s*Type=|$)")
_RULE = re.compile(r"\[(FIXED|ADD|REMOVE)\]\s*(.+)")


class _Line(NamedTuple):
    line: int
    values: dict[str, Any]

    @property
    def kind(self) -> str:
        return self.text("Item Type", "Item").casefold()

    def text(self, *names: str) -> str:
        """The first of these columns that says something."""
        return next((text for name in names if (text := text_of(self.values.get(name)).strip())), "")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products, and what is said of them in rows below, which are no products."""
    below: list[_Line] = []
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        line = _Line(row.line, row.values)
        if line.kind == "product" and below:
            yield from _records(below)
            below = []
        if not below and line.kind != "product":
            yield row.set_aside(f"is a {line.kind or 'row'} above the first product")
            continue
        below.append(line)
    if below:
        yield from _records(below)


def _records(lines: list[_Line]) -> Iterator[Record]:
    """lines: a product's, and those below it."""
    first = lines[0]
    own = identifier(first.text("Product ID", "ID", *_SKUS))
    base = parse_price(first.text("Sale Price"))[0] or parse_price(first.text("Price"))[0]  # 0: there is no sale
    rules = [one for one in lines if one.kind == "rule"]
    ruled = {_called(one, own): price for one in rules if (price := _ruled(one.text("Price"), base)) is not None}
    pictures = dict.fromkeys(
        text for one in lines for name in one.values if _PICTURES.match(name) and (text := one.text(name))
    )
    product = {
        name: value for name, value in first.values.items() if name not in _OF_THE_SHOP and not _PICTURES.match(name)
    }
    product["Product ID" if "Product ID" in product else "ID"] = own
    yield Record(first.line, product | ({"Images": list(pictures)} if pictures else {}))
    seen = {_called(one, own) for one in lines if one.kind in ("sku", "variant")}
    for one in lines[1:]:
        name = _called(one, own)
        is_variant = one.kind in ("sku", "variant") or (one.kind == "rule" and name not in seen and _options(one))
        seen.add(name)
        yield Record(one.line, {}, (_variant(one, own, name, ruled),) if is_variant else (), product=False)


def _variant(one: _Line, product_id: str, name: str, ruled: Mapping[str, float]) -> Variant:
    is_rule = one.kind == "rule"
    price = ruled.get(name, None if is_rule else one.text("Sale Price", "Price") or None)
    known = _OF_THE_SHOP | _OF_PRODUCTS
    cells = {key: value for key, value in one.values.items() if key not in known and not _PICTURES.match(key)}
    names = tuple((key, value) for key in identities(list(cells), None) if (value := cells.pop(key)))
    return Variant(name, product_id, _options(one), price, names, {} if is_rule else cells)


def _called(one: _Line, product_id: str) -> str:
    return identifier(one.text(*_SKUS)) or "/".join([product_id, *_options(one).values()])


def _options(one: _Line) -> dict[str, str]:
    listed = chain(_OLD_OPTION.findall(one.text("Product Name")), _NEW_OPTION.findall(one.text("Options")))
    return {name.strip(): value.strip() for name, value in listed if value.strip()}


def _ruled(text: str, base: float | None) -> float | None:
    """What a variant costs by its rule: a price of its own, or more or less than its product."""
    found = _RULE.match(text.strip())
    amount = parse_price(found[2] if found else text)[0]
    if amount is None or not found or found[1] == "FIXED":
        return amount
    return None if base is None else base + (amount if found[1] == "ADD" else -amount)
