"""Shopify's product CSV: a product's first row names it, further rows add variants and pictures.

https://help.shopify.com/en/manual/products/import-export/using-csv
Columns were renamed in 2025; both sets of names are read. An update may hold nothing but handle and title.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, Writing, identifier, text_of

MARKS = (
    *(("Handle", name) for name in ("Title", "Variant SKU", "SKU", "Variant Price", "Option1 Value")),
    *(("URL handle", name) for name in ("Title", "SKU", "Price", "Option1 value")),
)
"""The second of each by itself is an update of what is there."""
_OLD_NAMES = {
    "URL handle": "Handle",
    "Description": "Body (HTML)",
    "Product category": "Product Category",
    "SKU": "Variant SKU",
    "Price": "Variant Price",
    "Compare-at price": "Variant Compare At Price",
    "Barcode": "Variant Barcode",
    "Product image URL": "Image Src",
} | {f"Option{n} {part}": f"Option{n} {part.capitalize()}" for n in (1, 2, 3) for part in ("name", "value")}
FIELDS = {
    "id": "Handle",
    "title": "Title",
    "description": "Body (HTML)",
    "brand": "Vendor",
    "price": "Variant Price",
    "list_price": "Variant Compare At Price",
    "category": "Category",
}
WRITING = Writing(
    "{title} (product.metafields.reaseq.{name})",
    # What variants differ by is theirs: an edit of the first would part it from the others.
    system=frozenset(
        (
            *("Type", "Product Category", "Product category", "Tags", "Vendor", "Status", "Published"),
            *(f"Option{n} {value}" for n in (1, 2, 3) for value in ("Value", "value")),
        )
    ),
)
_STOCK = "On hand|Available|Incoming|Unavailable|Committed|Bin name|Location"
_OF_VARIANTS = re.compile(
    rf"^(?:Option\d |Variant (?!Price$|Compare At Price$)|Image |Linked To$|Cost per item|(?:{_STOCK})\b)"
)
_OF_A_PLACE = re.compile(rf"^(?:{_STOCK})\b")
_KNOWN_OF_VARIANTS = re.compile(r"^(?:Option\d |Image |Linked To$|Variant (?:SKU|Barcode|ID)$)")
"""Those that are its options, its names, or pictures of the product."""
_OF_PRODUCTS = re.compile(
    r"^(?:Handle|Command|Title|Category|Images|Body \(HTML\)|Description|Vendor|Product [Cc]ategory|Type|Tags|Status|"
    r"Published(?: .*)?|Collection|Gift Card|SEO .*|Google Shopping / .*|.* \(product\.metafields\..*|"
    r"Variant (?:Price|Compare At Price))$"
)
"""Those that Shopify has of products, and prices, which are told apart."""
_MOST_KNOWN = 100_000
"""Products whose names of options are remembered."""
_METAFIELD = re.compile(r"^(.+?) \(product\.metafields\.[^)]*\)$")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products with their first variant, then the other variants."""
    handle, title, astray, options = "", "", "", [""] * 3
    known: dict[str, list[str]] = {}
    for row, more in _with_pictures(found):
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        if text_of(values.get("Command")).strip().casefold() == "delete":
            yield row.set_aside("is to be deleted from the shop")
            continue
        own = text_of(values.get("Handle")).strip()
        if not own and (sku := identifier(values.get("Variant SKU"))) and not text_of(values.get("Title")).strip():
            cells = {name: value for name, value in values.items() if not name.startswith("Option")}
            yield Record(row.line, {**cells, "Handle": sku})  # an update of what goes by it
            continue
        if not own:
            yield row.set_aside("has no handle")
            continue
        named = text_of(values.get("Title")).strip()
        if own != handle:
            title = astray = ""
        if named:
            astray = named if title and named != title else ""
            title = title or named
        if astray:
            reason = (
                f"has the handle {own!r} of {title!r} and is called {astray!r}: Shopify would make one product of both"
            )
            yield row.set_aside(reason)
            continue
        names = [text_of(values.get(f"Option{n} Name")).strip() for n in (1, 2, 3)]
        before = options if own == handle else known.get(own, [""] * 3)
        options = [new or old for new, old in zip(names, before, strict=True)]
        if any(names) and len(known) < _MOST_KNOWN:
            known[own] = options  # its rows may stand apart
        handle = own
        chosen = {
            name or f"Option{n}": value  # names stand in a product's first row, which may be far away
            for n, name in enumerate(options, 1)
            if (value := text_of(values.get(f"Option{n} Value")).strip())
            and not (value == "Default Title" and name in ("", "Title"))
        }
        product = _product(values)
        variants: tuple[Variant, ...] = ()
        # A file without options, but with what variants are called, is an update of these.
        of_variants = "Option1 Value" not in values and bool(values.get("Variant SKU"))
        if chosen or of_variants:
            name = identifier(values.get("Variant SKU")) or "/".join([handle, *chosen.values()])
            own_cells = _cells(values) | {name: value for name, value in values.items() if name in more}
            product = {name: value for name, value in product.items() if name not in more}
            if "Variant Compare At Price" in values:
                own_cells["Variant Compare At Price"] = values["Variant Compare At Price"]
            variants = (Variant(name, handle, chosen, values.get("Variant Price"), _names(values), own_cells),)
        else:
            product |= dict(_names(values)) | _cells(values)
        # A row without a title is of the product above it, or an update of one that has no variants.
        yield Record(row.line, product, variants, product=bool(named) or not (variants or title))


def _cells(values: dict[str, Any]) -> dict[str, Any]:
    """What a variant's cells say beyond its options, names and price: weight, stock at a place."""
    place = text_of(values.get("Location")).strip()
    return {
        f"{name} ({place})" if place and _OF_A_PLACE.match(name) else name: value
        for name, value in values.items()
        if _OF_VARIANTS.match(name) and not _KNOWN_OF_VARIANTS.match(name) and name != "Location"
    }


def _names(values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (column, values[column]) for column in ("Variant SKU", "Variant Barcode", "Variant ID") if values.get(column)
    )


def _with_pictures(found: Iterable[Row]) -> Iterator[tuple[Row, Collection[str]]]:
    """The rows under their columns' older names, each with the columns that are its variants' by what stands there; a
    product's first row lists the pictures of all of them."""
    for _, several in groupby(found, key=lambda row: isinstance(row, Record) and _handle(row.values)):
        rows = [
            row._replace(values={_OLD_NAMES.get(name, name): value for name, value in row.values.items()})
            if isinstance(row, Record)
            else row
            for row in several
        ]
        pictures = dict.fromkeys(
            text for row in rows if isinstance(row, Record) and (text := text_of(row.values.get("Image Src")).strip())
        )
        if pictures and isinstance(rows[0], Record):
            rows[0].values["Images"] = list(pictures)
        more = _of_each([row.values for row in rows if isinstance(row, Record)])
        yield from ((row, more) for row in rows)


def _of_each(rows: Sequence[dict[str, Any]]) -> Collection[str]:
    """Columns that Shopify does not know, and that are variants': in whose rows each says its own, or which stand in an
    update of them, where no row has a title."""
    untitled = [values for values in rows if not text_of(values.get("Title")).strip()]
    names = {name for values in untitled for name in values if not _OF_VARIANTS.match(name)}
    names = {name for name in names if not _OF_PRODUCTS.match(name)}
    if len(untitled) == len(rows):
        return names
    said = {name: {text_of(values.get(name)).strip() for values in untitled} for name in names}
    first = rows[0]
    return {name for name in names if said[name] - {"", text_of(first.get(name)).strip()}}


def _handle(values: dict[str, Any]) -> str:
    return text_of(values.get("Handle") or values.get("URL handle")).strip()


def _product(values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a product; metafields under the name that people gave them."""
    # A shop's own type may be "Sale": behind Shopify's category it is the last step of a path.
    given = [name for name in ("Product Category", "Type") if name in values]
    steps = (text_of(values.get(name)).strip() for name in given)
    made: dict[str, Any] = {"Category": " > ".join(dict.fromkeys(filter(None, steps)))} if given else {}
    for name, value in values.items():
        if not _OF_VARIANTS.match(name):
            metafield = _METAFIELD.match(name)
            made[metafield[1] if metafield else name] = value
    return made
