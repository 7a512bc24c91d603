"""Magento's (Adobe Commerce) product CSV: `configurable` products list their variants, which are rows of their own too.

https://experienceleague.adobe.com/en/docs/commerce-admin/systems/data-transfer/data-attributes-product
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.prices import holds_now
from reaseq.knowledge_store.feeds.rows import BadRow, Packing, Record, Row, Variant, Writing, is_empty, text_of

MARKS = tuple(
    ("sku", name)
    for name in (
        *("attribute_set_code", "additional_attributes", "store_view_code", "configurable_variations"),
        *("special_price", "special_price_to_date"),
    )
)
"""Any of these by itself: an update may have few columns."""
_CLEARED = "__EMPTY__VALUE__"
FIELDS = {
    "id": "sku",
    "title": "name",
    "description": "description",
    "brand": "manufacturer",
    "price": "special_price",
    "list_price": "price",
    "category": "categories",
}
_BARRED, _PARTED = re.compile(r"\|\w+="), re.compile(r",\w+=")
_ENTRY = r'\s*(?:"(?P<whole>(?:[^"]|"")*)"|(?P<part>[\w ]+="(?P<quoted>(?:[^"]|"")*)"|.*?))\s*(?:{sign}|\Z)'
"""An entry of a cell that packs several: quoted as a whole, or its value, or not."""
WRITING = Writing(
    packing=Packing("additional_attributes", "{name}={value}", ",", "|"),
    system=frozenset(("product_type", "attribute_set_code", "categories", "configurable_variations")),
)


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products; a configurable one with its variants. Rows of other store views say the same in other words."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = {name: "" if value == _CLEARED else value for name, value in row.values.items()}
        sku = text_of(values.get("sku")).strip()
        if text_of(values.get("store_view_code")).strip() not in ("", "default"):
            yield Record(row.line, {}, product=False)
            continue
        listed = text_of(values.pop("configurable_variations", ""))
        values.pop("product_type", None)  # it is no category
        variants = tuple(
            Variant(one.pop("sku"), sku, one) for part in listed.split("|") if (one := _pairs(part)).get("sku")
        )
        if not text_of(values.get("description")).strip() and "short_description" in values:
            values["description"] = values["short_description"]
        # "Default Category/Shoes,Default Category/Sale": each way on a line, without what all have
        if "categories" in values:
            ways = re.split(r"[,|]", text_of(values["categories"]))
            values["categories"] = "\n".join(way.strip().removeprefix("Default Category/").strip() for way in ways)
        if not holds_now(*(text_of(values.get(f"special_price_{name}_date")) for name in ("from", "to"))):
            values["special_price"] = ""
        packed = text_of(values.pop("additional_attributes", ""))
        more: dict[str, Any] = _pairs(packed) or ({"additional_attributes": packed} if packed.strip() else {})
        more = {name: text for name, text in more.items() if is_empty(values.get(name))}
        yield Record(row.line, values | more, variants)


def _pairs(text: str) -> dict[str, str]:
    """`color=Red,size=M`: a comma in a value is told by the lack of a name after it. An export may be told to part them
    by another sign, and to quote values, or the whole of each."""
    made: dict[str, str] = {}
    last = ""
    sign = "##" if "##" in text else "|" if _BARRED.search(text) and not _PARTED.search(text) else ","
    entry = re.compile(_ENTRY.format(sign=re.escape(sign)), re.DOTALL)
    at = 0
    while at < len(text):
        found = entry.match(text, at)
        assert found is not None  # its last way fits whatever is left
        at = max(found.end(), at + 1)
        part = found["whole"] if found["whole"] is not None else found["part"]
        if found["whole"] is not None or found["quoted"] is not None:
            part = part.replace('""', '"')
        name, equals, value = part.partition("=")
        if found["quoted"] is not None:
            value = found["quoted"].replace('""', '"')
        if equals and name.strip().replace("_", "").isalnum():
            last = name.strip()
            made[last] = value.strip()
        elif last:
            made[last] += f"{sign}{text[found.start() : found.end('part')] if found['whole'] is None else part}"
    return {name: "" if value == _CLEARED else value for name, value in made.items()}
