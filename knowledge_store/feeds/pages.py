"""Web pages: schema.org products in JSON-LD scripts or microdata (https://schema.org/Product), else their largest
table, which many systems write and call a workbook of Excel (`.xls`)."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.columns import header_of, names_at
from reaseq.knowledge_store.feeds.delimited import unique
from reaseq.knowledge_store.feeds.dialect import IsHeader
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Record, Row, checked

_LOOKED_AT = 20
_TYPES = ("Product", "ProductGroup", "ProductModel", "IndividualProduct", "Vehicle")


def page(path: Path, stream: BinaryIO, encoding: str, size: int, is_header: IsHeader) -> Feed:
    """Raises FeedError if the page holds no product, and no table with a header as `is_header` says."""
    from lxml import etree, html

    try:
        text = stream.read().decode(encoding, errors="replace").encode()  # lxml knows fewer encodings
        document = html.document_fromstring(text, parser=html.HTMLParser(encoding="utf-8"))
        found = list(chain(_json_ld(document), _microdata(document)))
        number, names, table = (0, [], []) if found else _table(document, is_header)
    except etree.ParserError:  # nothing in it
        found, number, names, table = [], 0, [], []
    if names:
        cells = enumerate(table, number + 1)
        said = [made for line, row in cells if (made := _row(line, names, row)) is not None]
        taken = {"header row": str(number)}
        return Feed(path, "web page, a row of its table each", names, iter(said), size, lambda: size, taken=taken)
    rows: list[Row] = [checked(number, values) for number, values in enumerate(found, 1)]
    columns = dict.fromkeys(name for row in rows if isinstance(row, Record) for name in row.values)
    if not columns:
        raise FeedError(
            f"{path} is a web page without a schema.org Product or a table of products in it",
            hint="save the page of a product, or export the catalogue as CSV, JSON or XML",
        )
    return Feed(path, "web page", list(columns), iter(rows), size, lambda: size)


def _table(document: Any, is_header: IsHeader) -> tuple[int, list[str], list[list[str]]]:
    """Of the longest table with a header: which of its rows that is, from 1, its names, and the rows below."""
    best: tuple[int, list[str], list[list[str]]] = 0, [], []
    for table in document.iter("table"):
        rows = [[_shown(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
        at = next((at for at, row in enumerate(rows[:_LOOKED_AT]) if len(row) > 1 and is_header(row)), None)
        if at is not None and len(rows) - at - 1 > len(best[2]):
            below = header_of(rows, at)
            at = below if is_header(names_at(rows, below)) else at
            best = at + 1, unique(names_at(rows, at)), rows[at + 1 :]
    return best


def _shown(cell: Any) -> str:
    """A cell's text, with its line breaks."""
    for line in cell.iter("br"):
        line.tail = f"\n{line.tail or ''}"
    lines = (" ".join(line.split()) for line in cell.text_content().split("\n"))
    return "\n".join(lines).strip()


def _row(line: int, names: list[str], cells: list[str]) -> Row | None:
    if not any(cells):
        return None
    if len(cells) != len(names):
        return BadRow(line, f"has {len(cells)} cells, the header has {len(names)}", ", ".join(cells))
    return checked(line, dict(zip(names, cells, strict=True)))


def is_product(values: Any) -> bool:
    types = values.get("@type") if isinstance(values, dict) else None
    named = types if isinstance(types, list) else [types]
    return any(isinstance(one, str) and one.rpartition("/")[2] in _TYPES for one in named)


def products_in(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Products anywhere in JSON-LD: alone, in a list, in a `@graph`, or as the item of a list element."""
    if depth > 8:
        return
    if isinstance(data, list):
        for item in data:
            yield from products_in(item, depth + 1)
    elif is_product(data):
        yield data
    elif isinstance(data, dict):
        for name in ("@graph", "mainEntity", "itemListElement", "item"):
            if name in data:
                yield from products_in(data[name], depth + 1)


def _json_ld(document: Any) -> Iterator[dict[str, Any]]:
    for script in document.iterfind(".//script[@type='application/ld+json']"):
        try:
            yield from products_in(json.loads(script.text or "", strict=False))
        except (ValueError, RecursionError):
            continue  # one broken script among several is common, and other scripts may hold the product


def _microdata(document: Any) -> Iterator[dict[str, Any]]:
    for element in document.iterfind(".//*[@itemscope]"):
        if element.get("itemprop") is None and element.get("itemtype", "").rpartition("/")[2] in _TYPES:
            yield _item(element)


def _item(element: Any, depth: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {"@type": element.get("itemtype", "").rpartition("/")[2]}
    for child in _properties(element):
        value = _item(child, depth + 1) if child.get("itemscope") is not None and depth < 8 else _content(child)
        for name in child.get("itemprop", "").split():
            if name not in made:
                made[name] = value
            elif isinstance(made[name], list):
                made[name].append(value)
            else:
                made[name] = [made[name], value]
    return made


def _properties(element: Any) -> Iterator[Any]:
    """The elements that are properties of this item and of none inside it."""
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if child.get("itemprop") is not None:
            yield child
        if child.get("itemscope") is None:
            yield from _properties(child)


def _content(element: Any) -> str:
    """The value of a property (https://html.spec.whatwg.org/multipage/microdata.html#values)."""
    for name in ("content", "href", "src", "datetime", "value"):
        if element.get(name) is not None:
            return str(element.get(name)).strip()
    return " ".join(element.text_content().split())
