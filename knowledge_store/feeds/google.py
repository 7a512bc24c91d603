"""Google Merchant product data, as TSV or XML: variants are items that share an `item_group_id`.

https://support.google.com/merchants/answer/7052112
"""

from collections.abc import Iterable, Iterator

from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, text_of

MARKS = ("id", "title", "link", "image_link")
FIELDS = {
    "id": "id",
    "title": "title",
    "description": "description",
    "brand": "brand",
    "price": "sale_price",
    "list_price": "price",
    "category": "product_type",
}
OPTIONS = ("color", "size", "pattern", "material", "age_group", "gender")
"""What items of a group may differ by."""


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """An item of a group is its product (the first one of a group counts) and a variant of it."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = {name.removeprefix("g:").replace(" ", "_"): value for name, value in row.values.items()}
        group, own = (text_of(values.get(name)).strip() for name in ("item_group_id", "id"))
        if not group:
            yield Record(row.line, values)
            continue
        options = {name: value for name in OPTIONS if (value := text_of(values.get(name)).strip())}
        price = values.get("sale_price") or values.get("price")
        product = {name: value for name, value in values.items() if name not in OPTIONS and name != "item_group_id"}
        yield Record(row.line, product | {"id": group}, (Variant(own, group, options, price),))
