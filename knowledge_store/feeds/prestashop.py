"""PrestaShop's combinations: a row for each thing a product is sold as, which names its product.

https://docs.prestashop-project.org/1-6-documentation/english-documentation/user-guide/managing-the-catalog/importing-csv
What a row costs more or less than its product stands in a column of its own, and counts once the product is there.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, identifier, text_of

IMPACT = "Impact on price"
"""The column of what a combination costs more than its product, or less."""
MARKS = (("Product ID", "Attribute", "Value"),)
FIELDS = {"id": "Product ID"}
_CODES = ("EAN13", "EAN-13", "UPC", "MPN")
_KNOWN = ("Product ID", "Attribute", "Value", "Reference", "Supplier reference")


def signed(text: str) -> float | None:
    """What an impact is, which may be less than 0."""
    amount, _ = parse_price(text.strip().lstrip("-−+"))
    return -amount if amount and text.strip().startswith(("-", "−")) else amount


def named(column: str) -> str:
    """`Attribute (Name:Type:Position)*` is `Attribute`."""
    return column.partition("(")[0].strip(" *")


def names_features(column: str) -> bool:
    """`Feature (Name:Value:Position:Customized)`, as the importer's own template calls it."""
    return re.match(r"features?\s*\(\s*name:value\b", column, re.IGNORECASE) is not None


def features(text: str) -> dict[str, str]:
    """`Color:Red:1:0,Material:Mesh:2:0`; several of one name are parted by commas. None, if a part is no feature."""
    made: dict[str, str] = {}
    for part in re.split(r",(?=[^,:]+:)", text):
        name, _, rest = (one.strip() for one in part.partition(":"))
        value = re.sub(r"(?::\s*\d*){0,2}$", "", rest).strip()
        if not name or not value:
            return {}
        made[name] = f"{made[name]}, {value}" if name in made else value
    return made


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Each row as a variant of its product."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values: dict[str, Any] = {named(name): value for name, value in row.values.items()}
        product_id = identifier(values.get("Product ID"))
        names = [part.split(":")[0].strip() for part in text_of(values.get("Attribute")).split(",")]
        said = [part.split(":")[0].strip() for part in text_of(values.get("Value")).split(",")]
        options = {name: value for name, value in zip(names, said, strict=False) if name and value}
        if not product_id or not options:
            yield row.set_aside("names no product, or nothing that it differs by")
            continue
        own = identifier(values.get("Reference")) or "/".join([product_id, *options.values()])
        called = tuple((name, values[name]) for name in _CODES if values.get(name))
        cells = {name: value for name, value in values.items() if name not in (*_KNOWN, *_CODES)}
        yield Record(row.line, {}, (Variant(own, product_id, options, None, called, cells),), product=False)
