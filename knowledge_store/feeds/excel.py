"""Excel workbooks (.xlsx, .xlsm), read a row at a time through openpyxl.

The sheet is the first that has two columns or more and rows below their names; notes in front are passed over. Of an
Amazon flat file it is the one called Template. A formula counts as the value Excel last showed.
"""

import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.delimited import unique
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Layout, Row, checked

_LOOKED_AT = 20


def excel(path: Path, raw: BinaryIO, size: int) -> Feed:
    """Raises FeedError if the file is no workbook or no sheet has a header and rows."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(raw, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise FeedError(
            f"{path} is an archive, and no workbook that can be read: {error}", hint="export it as .xlsx"
        ) from error
    for sheet in sorted(book.worksheets, key=lambda sheet: sheet.title != "Template"):
        total = max(1, sheet.max_row or 1)
        sheet.reset_dimensions()  # what other programs write there is often wrong
        cells = enumerate(sheet.iter_rows(values_only=True), 1)
        header = _header(cells)
        first = next(cells, None) if header is not None else None
        if header is not None and first is not None:
            number, names = header
            rows = _Rows(chain([first], cells), names, size, total)
            layout = Layout("Excel", columns=tuple(names), header=number, place=sheet.title)
            return Feed(path, f"Excel, sheet {sheet.title!r}", names, rows, size, rows.position, layout=layout)
    raise FeedError(f"{path}: no sheet has a line of column names and rows below it", hint="export it again")


class _Rows:
    """The rows of a sheet; `number` is the last one read, `total` what the sheet says it has."""

    def __init__(self, cells: Iterator[tuple[int, tuple[Any, ...]]], names: list[str], size: int, total: int) -> None:
        self.number, self.size, self.total = 0, size, total
        self._rows = self._read(cells, names)

    def position(self) -> int:
        return min(self.size, self.size * self.number // self.total)

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        return next(self._rows)

    def _read(self, cells: Iterator[tuple[int, tuple[Any, ...]]], names: list[str]) -> Iterator[Row]:
        try:
            for self.number, row in cells:
                if any(cell not in (None, "") for cell in row):
                    yield _row(self.number, names, row)
        except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, SyntaxError) as error:
            yield BadRow(self.number + 1, f"the sheet breaks off here: {error}", "")


def _header(cells: Iterator[tuple[int, tuple[Any, ...]]]) -> tuple[int, list[str]] | None:
    """Row and texts of the column names: the first row with two cells or more (Amazon: the third)."""
    for number, row in cells:
        texts = ["" if cell is None else str(cell).strip() for cell in row]
        if texts and texts[0].startswith("TemplateType="):
            next(cells, None)
            continue
        if sum(map(bool, texts)) > 1:
            while texts and not texts[-1]:
                texts.pop()
            return number, unique(texts)
        if number >= _LOOKED_AT:
            return None
    return None


def _row(number: int, names: list[str], cells: tuple[Any, ...]) -> Row:
    if len(cells) > len(names) and any(cell not in (None, "") for cell in cells[len(names) :]):
        shown = ", ".join("" if cell is None else str(cell) for cell in cells)
        return BadRow(number, f"has {len(cells)} cells, the header has {len(names)}", shown)
    return checked(number, {name: _value(cell) for name, cell in zip(names, cells, strict=False)})


def _value(cell: Any) -> Any:
    """Whole numbers as such (Excel keeps ids as 4711.0), times in ISO 8601."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1 << 53:
        return int(cell)
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return "" if cell is None else cell
