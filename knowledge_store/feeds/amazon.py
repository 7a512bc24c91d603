"""Amazon's flat files (inventory templates): `child` rows name their parent's SKU and what they vary by.

Templates with field names such as `item_sku` in the third line
(https://sellercentral.amazon.com/help/hub/reference/G1641).
"""

import re
from collections.abc import Iterable, Iterator

from reaseq.knowledge_store.feeds.prices import holds_now
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, Writing, text_of

MARKS = tuple(("item_sku", name) for name in ("item_name", "standard_price", "update_delete", "parent_sku"))
FIELDS = {
    "id": "item_sku",
    "title": "item_name",
    "description": "product_description",
    "brand": "brand_name",
    "price": "sale_price",
    "list_price": "standard_price",
    "currency": "currency",
    "category": "feed_product_type",
}
WRITING = Writing(
    system=frozenset(("feed_product_type", "item_type", "item_type_keyword", "parent_child", "variation_theme")),
    labels={
        "color_name": "color",
        "closure_type": "closure",
        "outer_material_type": "upper material",
        "material_type": "material",
        "sole_material": "sole material",
        "inner_material_type": "lining material",
        "department_name": "audience",
        "target_gender": "gender",
        "pattern_name": "pattern",
        "style_name": "style",
        "heel_height": "heel height",
    },
)
"""Columns of its templates, by what they ask for."""
_VARIES = ("size_name", "color_name", "size", "color", "style_name", "material_type", "flavor_name", "scent_name")
"""What children may differ by whose theme the file does not name."""
_PLACING = ("parent_child", "parent_sku", "variation_theme", "relationship_type", "external_product_id")
_TEXTS = ("item_name", "product_description")
_THEME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Parents and single products as products; children as variants. A theme is `SizeColor`, `size_name/color_name`."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        role, own, parent = (text_of(values.get(name)).strip() for name in ("parent_child", "item_sku", "parent_sku"))
        if role.casefold() != "child" or not parent:
            yield Record(row.line, values)
            continue
        theme = {word.casefold() for word in _THEME.findall(text_of(values.get("variation_theme")))} - {"name"}
        options = {
            name: value
            for name in values
            if (name.removesuffix("_name") in theme or (not theme and name in _VARIES))
            and (value := text_of(values[name]).strip())
        }
        on_sale = holds_now(*(text_of(values.get(name)) for name in ("sale_from_date", "sale_end_date")))
        price = (values.get("sale_price") if on_sale else None) or values.get("standard_price")
        names = (("external_product_id", values.get("external_product_id")),)
        known = (*options, *FIELDS.values(), *_PLACING)
        own_cells = {name: value for name, value in values.items() if name not in known or name in _TEXTS}
        if on_sale and values.get("sale_price") and values.get("standard_price"):
            own_cells["standard_price"] = values["standard_price"]
        yield Record(row.line, {}, (Variant(own, parent, options, price, names, own_cells),), product=False)
