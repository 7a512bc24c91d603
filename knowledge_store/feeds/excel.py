"""Excel workbooks (.xlsx, .xlsm), read a row at a time through openpyxl.

The sheet is the first that has a header and rows below it; a sheet of notes in front is passed over. Of an Amazon flat
file it is the one called Template. A formula counts as the value Excel last showed.
"""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.delimited import unique
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Row, checked

_LOOKED_AT = 20


def excel(path: Path, raw: BinaryIO, size: int) -> Feed:
    """Raises FeedError if the file is no workbook or no sheet has a header and rows."""
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(raw, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise FeedError(
            f"{path} is an archive, and no workbook that can be read: {error}", hint="export it as .xlsx"
        ) from error
    sheets = sorted(book.worksheets, key=lambda sheet: sheet.title != "Template")
    for sheet in sheets:
        sheet.reset_dimensions()  # what other programs write there is often wrong
        cells = enumerate(sheet.iter_rows(values_only=True), 1)
        names = _header(cells)
        if names is not None:
            total = max(1, sheet.max_row or 1)
            position = [0]

            def rows(cells: Any = cells, names: list[str] = names, position: list[int] = position) -> Iterator[Row]:
                try:
                    for number, row in cells:
                        position[0] = number
                        if any(cell is not None and cell != "" for cell in row):
                            yield _row(number, names, row)
                except (zipfile.BadZipFile, ValueError, KeyError, SyntaxError) as error:
                    yield BadRow(position[0] + 1, f"the sheet breaks off here: {error}", "")

            return Feed(
                path,
                f"Excel, sheet {sheet.title!r}",
                names,
                rows(),
                size,
                lambda total=total, position=position: min(size, size * position[0] // total),  # type: ignore[misc]
            )
    raise FeedError(f"{path}: no sheet has a line of column names and rows below it", hint="export it again")


def _header(cells: Iterator[tuple[int, tuple[Any, ...]]]) -> list[str] | None:
    """Column names: of the first row with two cells or more (Amazon: the third)."""
    for number, row in cells:
        texts = ["" if cell is None else str(cell).strip() for cell in row]
        if texts and texts[0].startswith("TemplateType="):
            next(cells, None)
            continue
        filled = [text for text in texts if text]
        if len(filled) > 1 or (filled and len(texts) == 1):
            while texts and not texts[-1]:
                texts.pop()
            return unique(texts)
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
