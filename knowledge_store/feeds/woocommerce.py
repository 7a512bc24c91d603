"""WooCommerce's product CSV: `variable` products, and `variation` rows that name their parent.

https://woocommerce.com/document/product-csv-importer-exporter/
A parent is named by its SKU or as `id:ID`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, text_of

MARKS = ("Type", "SKU", "Name", "Regular price")
FIELDS = {
    "id": "SKU",
    "title": "Name",
    "description": "Description",
    "brand": "Brands",
    "price": "Sale price",
    "list_price": "Regular price",
    "category": "Categories",
}
COLUMN_NAME = "Meta: {name}"


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products, and variants without a product's text."""
    skus: dict[str, str] = {}  # of variable products, by the ids that variations may name them by
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        kind, sku, number = (text_of(values.get(name)).strip() for name in ("Type", "SKU", "ID"))
        own = sku or f"id:{number}"
        if "variation" in kind:
            parent = text_of(values.get("Parent")).strip()
            if not parent:
                yield BadRow(row.line, "is a variation and names no parent", repr(values))
                continue
            price = values.get("Sale price") or values.get("Regular price")
            variant = Variant(own, skus.get(parent, parent), _attributes(values), price)
            yield Record(row.line, {}, (variant,), product=False)
            continue
        if "variable" in kind and number:
            skus[f"id:{number}"] = own
        product = {name: value for name, value in values.items() if not name.startswith("Attribute ")}
        if not text_of(product.get("Description")).strip():
            product["Description"] = product.get("Short description", "")
        # "Clothing > Shoes, Sale": the first way, and of it the last step
        product["Categories"] = text_of(values.get("Categories")).split(",")[0].rpartition(">")[2].strip()
        yield Record(row.line, product | _attributes(values) | {"SKU": own})


def _attributes(values: dict[str, Any]) -> dict[str, str]:
    """`Attribute N name` and `Attribute N value(s)` as one column each."""
    made = {}
    for column, name in values.items():
        if column.startswith("Attribute ") and column.endswith(" name") and text_of(name).strip():
            value = text_of(values.get(f"{column.removesuffix(' name')} value(s)")).strip()
            if value:
                made[text_of(name).strip()] = value
    return made
