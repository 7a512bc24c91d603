"""nopCommerce's Excel export of products, with rows of their attributes below each product, which begin at the third
column; the first of such rows names their columns.

https://github.com/nopSolutions/nopCommerce/blob/develop/src/Libraries/Nop.Services/ExportImport/ExportManager.cs
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reaseq.knowledge_store.feeds.columns import apart
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, identifier, is_empty, text_of

_ID, _TITLE = "ProductId", "Name"
MARKS = ((_ID, "ProductType", "ParentGroupedProductId", _TITLE),)
FIELDS = {
    "id": _ID,
    "title": _TITLE,
    "description": "FullDescription",
    "brand": "brand",
    "price": "Price",
    "list_price": "OldPrice",
    "category": "category",
}
_NAMED_BY_ID = {"category": "Categories", "brand": "Manufacturers"}
"""Columns of names, or of numbers of what they name, as the shop's settings have it, with semicolons between."""
_PAIRS = (("AttributeName", "ValueName"), ("SpecificationAttribute", "CustomValue"))
_COLUMN = re.compile(r"[A-Z][A-Za-z]+")
_FEWEST = 3
"""Cells of a row that names columns."""
_WORDS = re.compile(r"(?=.*[^\W\d_]).*", re.DOTALL)


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products, each with a column for every attribute that rows below it say; such rows say nothing else here."""
    product: Record | None = None
    further: list[Record] = []
    names: list[str] = []
    for row in found:
        if isinstance(row, BadRow):
            yield from _with_attributes(product, further)
            product, further = None, []
            yield row
            continue
        cells = list(row.values.values())
        is_header = _names_columns(cells)
        if not is_header and not _is_below(row, names):
            yield from _with_attributes(product, further)
            product, further, names = row, [], []
        elif product is None:
            yield row.set_aside("is part of a product, which is not above it")
        else:
            if is_header:
                names = [text_of(cell).strip() for cell in cells]
                cells = []
            said = dict(zip(names, cells, strict=False))
            further.append(Record(row.line, {name: value for name, value in said.items() if name}, product=False))
    yield from _with_attributes(product, further)


def _is_below(row: Record, names: Sequence[str]) -> bool:
    """Is a row below one that gives these names, and says nothing that they do not name? A product that is to be made
    has no number yet, but a type."""
    filled = [at for at, value in enumerate(row.values.values()) if not is_empty(value)]
    is_new = "product" in text_of(row.values.get("ProductType")).casefold()
    return is_empty(row.values.get(_ID)) and not is_new and all(at < len(names) and names[at] for at in filled)


def _names_columns(cells: Sequence[Any]) -> bool:
    """Do all cells in which something stands name columns, as those of the export do?"""
    filled = [text_of(cell).strip() for cell in cells if not is_empty(cell)]
    return (
        len(set(filled)) == len(filled) >= _FEWEST
        and all(map(_COLUMN.fullmatch, filled))
        and any(not set(pair).isdisjoint(filled) for pair in _PAIRS) | ("Quantity" in filled and "Price" in filled)
    )


def _with_attributes(product: Record | None, further: Sequence[Record]) -> Iterator[Row]:
    if product is None:
        return
    values = dict(product.values)
    for field, column in _NAMED_BY_ID.items():
        said = [one.strip() for one in text_of(values.get(column)).split(";") if one.strip()]
        named = [one.replace(">>", ">") for one in said if _WORDS.fullmatch(one)]
        values[field] = "\n".join(named) if field == "category" else next(iter(named), "")
        if named:
            values.pop(column)
    if identifier(values.get("OldPrice")) in ("0", "0.0000"):
        values["OldPrice"] = ""  # there is none
    found: dict[str, list[str]] = {}
    for row in further:
        for name, value in _PAIRS:
            called, said_of_it = (text_of(row.values.get(one)).strip() for one in (name, value))
            if _WORDS.fullmatch(called) and not is_empty(said_of_it):
                several = found.setdefault(called, [])
                several += [] if said_of_it in several else [said_of_it]
    for called, several in found.items():
        values[apart(called, product.values)] = several[0] if len(several) == 1 else several
    yield product._replace(values=values)
    yield from (Record(row.line, {}, product=False) for row in further)
