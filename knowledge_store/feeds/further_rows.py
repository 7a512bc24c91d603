"""Files in which what belongs to a product stands in rows of its own below it, without its name: Vendure's variants,
Odoo's attributes. Their columns say that they are such.

https://docs.vendure.io/guides/developer-guide/importing-data/
https://www.odoo.com/documentation/master/applications/essentials/export_import_data.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reaseq.knowledge_store.feeds.columns import apart
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, identifier, is_empty, text_of

MARKS_OF_VENDURE = (("name", "slug", "optionGroups", "optionValues", "sku"),)
FIELDS_OF_VENDURE = {"id": "slug", "title": "name", "description": "description", "price": "price"}
_OF_PRODUCTS = ("name", "slug", "description", "assets", "facets", "optionGroups")
_OF_VARIANTS = ("optionValues", "sku", "price")
_PAIRS_OF_ODOO = (
    ("Product Attributes/Attribute", "Product Attributes/Values"),
    ("attribute_line_ids/attribute_id", "attribute_line_ids/value_ids"),
)
_LINES_OF_ODOO = tuple(f"{pair[0].partition('/')[0]}/" for pair in _PAIRS_OF_ODOO)
MARKS_OF_ODOO = _PAIRS_OF_ODOO
_VALUES_OF_ODOO, _FURTHER_OF_ODOO = "Attribute values", "Variant Values/Display Name"
MARKS_OF_ODOO_VARIANTS = (("External ID", "Name", _VALUES_OF_ODOO),)
MARKS_OF_ODOO_VALUES = (("Name", _FURTHER_OF_ODOO),)
FIELDS_OF_ODOO = {"id": "External ID", "title": "Name", "price": "Sales Price"}


def named(column: str) -> str:
    """A column's own name, without the language that may stand behind it (`name:en`)."""
    return column.partition(":")[0]


def named_of_odoo(column: str) -> str:
    """A column's name without blanks around its slashes, and without what of a record it says (`value_ids/name`)."""
    name = re.sub(r"\s*/\s*", "/", column)
    return re.sub(r"/(?:id|name|display_name|External ID|Display Name)$", "", name) if name.count("/") > 1 else name


def _in_first_language(values: Mapping[str, Any]) -> dict[str, Any]:
    """What cells of a name and of options say, in the first language in which they say it."""
    found: dict[str, Any] = dict.fromkeys(("name", "slug", "optionGroups", "optionValues"), "")
    for column, value in values.items():
        if is_empty(found.get(named(column), value)):
            found[named(column)] = value
    return found


def rows_of_vendure(found: Iterable[Row]) -> Iterator[Row]:
    """Products, and the rows below them as their variants."""
    product_id, groups = "", list[str]()
    for row in found:
        if isinstance(row, BadRow):
            product_id, groups = "", []  # what follows may be its
            yield row
            continue
        values = row.values
        first = _in_first_language(values)
        of_product = not is_empty(first["name"]) or not is_empty(first["slug"])
        if of_product:
            product_id = identifier(first["slug"]) or identifier(first["name"])
            groups = [one.strip() for one in text_of(first["optionGroups"]).split("|") if one.strip()]
        chosen = [one.strip() for one in text_of(first["optionValues"]).split("|") if one.strip()]
        if of_product and not chosen:
            groups = []
            yield row._replace(values={**values, "slug": product_id})
        elif not product_id or not chosen or len(chosen) != len(groups):
            reason = "has not a value for each of its options"
            yield row.set_aside(reason if of_product else "names no product, and is no variant of one above it")
            product_id = product_id if not of_product else ""
        else:
            options = dict(zip(groups, chosen, strict=True))
            sku = identifier(values.get("sku"))
            own = {
                name: value
                for name, value in values.items()
                if named(name) not in (*_OF_PRODUCTS, *_OF_VARIANTS) and name not in options
            }
            names = (("sku", values["sku"]),) if sku else ()
            variant = Variant(
                sku or "/".join([product_id, *chosen]), product_id, options, values.get("price"), names, own
            )
            kept = {name: value for name, value in values.items() if named(name) in _OF_PRODUCTS[:-1]} | {
                "slug": product_id
            }
            yield Record(row.line, kept if of_product else {}, (variant,), product=of_product)


def rows_of_odoo(found: Iterable[Row]) -> Iterator[Row]:
    """Products with a column of each of their attributes, which rows below them name."""
    product: Record | None = None
    further: list[Record] = []
    for row in found:
        if isinstance(row, Record) and product is not None and _is_further(row.values):
            further.append(row)
            continue
        yield from _with_attributes(product, further)
        product, further = (row, []) if isinstance(row, Record) else (None, [])
        if isinstance(row, BadRow):
            yield row
    yield from _with_attributes(product, further)


def _is_further(values: Mapping[str, Any]) -> bool:
    """Does a row say an attribute and its values alone?"""
    filled = {named_of_odoo(name) for name, value in values.items() if not is_empty(value)}
    own = {name for name in filled if not name.startswith(_LINES_OF_ODOO)}
    return not own and any(filled.issuperset(pair) for pair in _PAIRS_OF_ODOO)


def _with_attributes(product: Record | None, further: list[Record]) -> Iterator[Row]:
    if product is None:
        return
    values = {
        name: value for name, value in product.values.items() if not named_of_odoo(name).startswith(_LINES_OF_ODOO)
    }
    for row in (product, *further):
        cells = {named_of_odoo(name): value for name, value in row.values.items()}
        for name, said in _PAIRS_OF_ODOO:
            called = text_of(cells.get(name)).strip()
            if called and not is_empty(cells.get(said)):
                values[apart(called, values)] = cells[said]
    yield product._replace(values=values)
    yield from (Record(row.line, {}, product=False) for row in further)


def rows_of_odoo_variants(found: Iterable[Row]) -> Iterator[Row]:
    """Products, and rows of the same name below them that have values of attributes as their variants."""
    product_id = title = ""
    for row in found:
        if isinstance(row, BadRow):
            product_id = title = ""
            yield row
            continue
        values = row.values
        options = _chosen_in_odoo(text_of(values.get(_VALUES_OF_ODOO)))
        called, own = text_of(values.get("Name")).strip(), identifier(values.get("External ID"))
        if not options or not own or not product_id or called != title:
            product_id, title = ("", "") if options else (own, called)
            yield row
            continue
        code = values.get("Internal Reference")
        names = (("Internal Reference", code),) if identifier(code) else ()
        used = (*FIELDS_OF_ODOO.values(), _VALUES_OF_ODOO, "Internal Reference")
        said = {name: value for name, value in values.items() if name not in used and not is_empty(value)}
        price = values.get("Sales Price")
        variant = Variant(own, product_id, options, None if is_empty(price) else price, names, said)
        yield Record(row.line, {}, (variant,), product=False)


def _chosen_in_odoo(text: str) -> dict[str, str]:
    """`Color:Red,Size:S`; a part without a name is of the value before it."""
    options: dict[str, str] = {}
    for part in text.split(","):
        name, sign, value = part.partition(":")
        if sign and name.strip() and value.strip():
            options[name.strip()] = value.strip()
        elif options and part.strip():
            last = next(reversed(options))
            options[last] = f"{options[last]}, {part.strip()}"
    return options


def rows_of_odoo_values(found: Iterable[Row]) -> Iterator[Row]:
    """Products with all their values, of which rows below them say one each."""
    product: Record | None = None
    further: list[Record] = []

    def whole() -> Iterator[Row]:
        if product is not None:
            said = [text_of(one.values.get(_FURTHER_OF_ODOO)).strip() for one in (product, *further)]
            yield product._replace(values={**product.values, _FURTHER_OF_ODOO: ", ".join(filter(None, said))})
            yield from (Record(row.line, {}, product=False) for row in further)

    for row in found:
        filled = (
            {name for name, value in row.values.items() if not is_empty(value)} if isinstance(row, Record) else set()
        )
        if isinstance(row, Record) and product is not None and filled == {_FURTHER_OF_ODOO}:
            further.append(row)
            continue
        yield from whole()
        product, further = (row, []) if isinstance(row, Record) else (None, [])
        if isinstance(row, BadRow):
            yield row
    yield from whole()
