"""Excel workbooks (.xlsx, .xlsm), read a row at a time through openpyxl.

The sheet is the first with a row that looks like names of columns, and rows below it; else the first that has two
columns or more. What stands above is passed over. Of an Amazon flat file it is the one called Template. A formula
counts as the value Excel last showed; a number has what its format shows around it (`number_formats`).
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.columns import header_of, names_at
from reaseq.knowledge_store.feeds.delimited import unique
from reaseq.knowledge_store.feeds.dialect import IsHeader, Reading
from reaseq.knowledge_store.feeds.number_formats import Rendering, is_scaled, rendering
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Layout, Row, checked

_ERRORS = frozenset(
    (
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#FIELD!",
    )
)
"""What a cell shows whose formula failed (ECMA-376, 18.18.11): there is nothing in it."""
_LOOKED_AT = 20
_PEEKED = 50
"""Rows whose formats and formulas are looked at."""
_STYLED = re.compile(rb"""(?<=[\w"'])\s+s=["']\d+["'](?=[^<>]*>)""")
"""Which style a cell has."""
_PLAIN_STYLES = (
    b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="1"><font/></fonts>'
    b'<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
    b'<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="1"><xf/></cellXfs></styleSheet>'
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s+ref=["']([A-Z]+\d+:[A-Z]+\d+)["']""")
_FORMULA_TAG, _MERGED_TAG = 16, 64
"""Bytes that their beginnings may have, with a prefix."""
_CHUNK = 1 << 20
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")
"""How Excel writes signs that XML does not take (ECMA-376, 22.9.2.19)."""


def excel(
    path: Path,
    raw: BinaryIO,
    size: int,
    reading: Reading,
    is_header: IsHeader,
) -> Feed:
    """Raises FeedError if the file is no workbook, or no sheet has a header and rows, or not the one that is named."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    styled = True
    try:
        try:
            book = load_workbook(raw, read_only=True, data_only=True, keep_links=False)
        except (TypeError, ValueError, KeyError):
            raw, styled = _without_styles(raw), False  # as some programs write them, and Excel minds not
            book = load_workbook(raw, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise FeedError(
            f"{path} is an archive, and no workbook that can be read: {error}",
            hint="open it in a spreadsheet, and save it as .xlsx or CSV",
        ) from error
    sheets = sorted(book.worksheets, key=lambda sheet: (sheet.sheet_state != "visible", sheet.title != "Template"))
    if reading.sheet is not None:
        sheets = [sheet for sheet in sheets if sheet.title == reading.sheet]
        if not sheets:
            titles = ", ".join(repr(sheet.title) for sheet in book.worksheets)
            raise FeedError(f"{path} has no sheet {reading.sheet!r}; there are: {titles}", hint="--sheet NAME")
    looked = [(sheet, *_header(sheet, reading.header_row, is_header)) for sheet in sheets]
    for sheet, number, names, _ in sorted(looked, key=lambda one: not one[3]):
        if not names:
            continue
        total = max(1, sheet.max_row or 1)
        # What a cell shows is asked only where it may differ from its value: that is slow.
        first_cells = list(sheet.iter_rows(min_row=number + 1, max_row=number + _PEEKED))
        formatted = any(_is_number(cell) and rendering(cell.number_format) for row in first_cells for cell in row)
        shown = _as_shown(sheet.iter_rows(min_row=number + 1)) if formatted else None
        cells = enumerate(shown or sheet.iter_rows(min_row=number + 1, values_only=True), number + 1)
        first = next(cells, None)
        if first is not None:
            merged = _merged_down(raw, sheet, number)
            rows = _Rows(chain([first], cells), names, size, total, merged)
            layout = Layout("Excel", columns=tuple(names), header=number, place=sheet.title)
            taken = {"header row": str(number)}
            if len(book.worksheets) > 1:
                taken["sheets"] = ", ".join(one.title for one in book.worksheets)
            if merged:
                filled = {names[column] for begun in merged.values() for column, _ in begun if column < len(names)}
                taken["merged cells"] = (
                    f"their value is that of each row, in {', '.join(sorted(filled, key=names.index))}"
                )
            if not styled:
                taken["styles"] = "unreadable: dates are the numbers that they are kept as"
            if scaled := _scaled(first_cells, names):
                taken["thousands left out"] = scaled
            if formulas := _never_calculated(raw, sheet, number, names):
                taken["formulas without a value"] = formulas
            return Feed(
                path, f"Excel, sheet {sheet.title!r}", names, rows, size, rows.position, layout=layout, taken=taken
            )
    raise FeedError(f"{path}: no sheet has a line of column names and rows below it", hint="export it again")


def _without_styles(raw: BinaryIO) -> BinaryIO:
    """The workbook with no formats, fonts and colours but the plainest."""
    raw.seek(0)
    made = io.BytesIO()
    with zipfile.ZipFile(raw) as archive, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as plain:
        for info in archive.infolist():
            data = archive.read(info)
            if info.filename == "xl/styles.xml":
                data = _PLAIN_STYLES
            elif info.filename.startswith("xl/worksheets/") and info.filename.endswith(".xml"):
                data = _STYLED.sub(b"", data)
            plain.writestr(info.filename, data)
    made.seek(0)
    return made


class _Rows:
    """The rows of a sheet; `number` is the last one read, `total` what the sheet says it has."""

    def __init__(
        self, cells: Iterator[tuple[int, tuple[Any, ...]]], names: list[str], size: int, total: int, merged: "_Merged"
    ) -> None:
        self.number, self.size, self.total = 0, size, total
        self._merged = merged
        self._held: dict[int, tuple[int, Any]] = {}
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
                    if self._merged:
                        row = self._filled(row)
                    yield _row(self.number, names, row)
        except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, SyntaxError) as error:
            yield BadRow(self.number + 1, f"the sheet breaks off here: {error}", "")

    def _filled(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """The row with what cells hold that are merged over several."""
        held = {column: one for column, one in self._held.items() if self.number <= one[0]}
        made = [*row, *[None] * (max(held, default=-1) + 1 - len(row))]
        for column, (_, value) in held.items():
            if made[column] in (None, ""):
                made[column] = value
        for column, last in self._merged.get(self.number, ()):
            if column < len(made):
                self._held[column] = last, made[column]
        return tuple(made)


_Merged = dict[int, list[tuple[int, int]]]
"""Of cells that are merged over several rows, by the first: their columns, from 0, and their last rows."""


def _merged_down(raw: BinaryIO, sheet: Any, header: int) -> _Merged:
    """Those below the header. Read-only openpyxl passes over them, and they stand at the end of the sheet's XML."""
    from openpyxl.utils import range_boundaries

    found: _Merged = {}
    raw.seek(0)
    try:
        with zipfile.ZipFile(raw) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as xml:
            before = b""
            while chunk := xml.read(_CHUNK):
                for one in _MERGED.finditer(before + chunk):
                    column, first, _, last = range_boundaries(one[1].decode())
                    if column and first and last and last > first > header:
                        found.setdefault(first, []).append((column - 1, last))
                before = chunk[-_MERGED_TAG:]
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError):
        pass  # the reader that follows tells where the sheet breaks off
    return found


def _header(sheet: Any, told: int | None, is_header: IsHeader) -> tuple[int, list[str], bool]:
    """Row and texts of the column names, and whether they look so: the first row that does, else the first with two
    cells or more (Amazon: the third). No texts if there is none."""
    sheet.reset_dimensions()  # what other programs write there is often wrong
    found: tuple[int, list[str]] | None = None
    skip, before = 0, list[str]()
    for number, row in enumerate(sheet.iter_rows(max_row=told or _LOOKED_AT, values_only=True), 1):
        texts = _texts(row)
        if told == 0 and texts:
            return number - 1, unique([""] * len(texts)), True
        if told is not None:
            if number == told and texts:
                return number, unique(texts), True
            continue
        if texts and texts[0].startswith("TemplateType="):
            skip = number + 1
        if number <= skip:
            continue
        if len(texts) > 1 and is_header(texts):
            below = sheet.iter_rows(min_row=number + 1, max_row=number + 2, values_only=True)
            rows = [texts, *map(_texts, below)]
            at = header_of(rows, 0)
            at = at if is_header(names_at(rows, at)) else 0
            return number + at, unique(names_at(rows if at else [before, texts], at or 1)), True
        if found is None and sum(map(bool, texts)) > 1:
            found = number, unique(texts)
        before = texts
    return (*found, False) if found else (0, [], False)


def _texts(row: Iterable[Any]) -> list[str]:
    """A row's cells as text, without empty ones at the end."""
    texts = ["" if cell is None else str(cell).strip() for cell in row]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _is_number(cell: Any) -> bool:
    return isinstance(cell.value, int | float) and not isinstance(cell.value, bool)


def _as_shown(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The cells' values, of numbers what their formats show; a style is looked up once."""
    known: dict[int, Rendering | None] = {}
    for row in rows:
        made = []
        for cell in row:
            value = cell.value
            if type(value) in (int, float):
                style = cell._style_id
                if style not in known:
                    known[style] = rendering(cell.number_format or "")
                if (render := known[style]) is not None:
                    value = render(value)
            made.append(value)
        yield tuple(made)


def _scaled(rows: Iterable[tuple[Any, ...]], names: list[str]) -> str:
    """The columns whose formats leave thousands out (`0.0,"k"`), and an example; "" if there are none."""
    found: dict[str, str] = {}
    for row in rows:
        for name, cell in zip(names, row, strict=False):
            if _is_number(cell) and is_scaled(cell.number_format):
                found.setdefault(name, f"{cell.coordinate} is read as {_value(cell.value)}")
    return f"in what {', '.join(found)} show, e.g. {next(iter(found.values()))}" if found else ""


def _has_formulas(raw: BinaryIO) -> bool:
    """Is there a formula in any sheet? Looking for its element takes a fraction of what opening the workbook once more
    does."""
    raw.seek(0)
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            if not (info.filename.startswith("xl/worksheets/") and info.filename.endswith(".xml")):
                continue
            with archive.open(info) as sheet:
                before = b""
                while chunk := sheet.read(_CHUNK):
                    if _FORMULA.search(before + chunk):
                        return True
                    before = chunk[-_FORMULA_TAG:]
    return False


def _never_calculated(raw: BinaryIO, values: Any, header: int, names: list[str]) -> str:
    """The columns of the first rows of the sheet `values` with formulas that no program has calculated, and an example:
    they count as empty. "" if there are none."""
    from openpyxl import load_workbook

    found: dict[str, str] = {}
    first, last = header + 1, header + _PEEKED
    try:
        if not _has_formulas(raw):
            return ""
        raw.seek(0)
        formulas: Any = load_workbook(raw, read_only=True, keep_links=False)[values.title]
        both = zip(values.iter_rows(first, last), formulas.iter_rows(first, last), strict=False)
        for shown, written in both:
            for name, value, formula in zip(names, shown, written, strict=False):
                if value.value is None and isinstance(formula.value, str) and formula.value.startswith("="):
                    found.setdefault(name, f"{formula.coordinate} {formula.value}")
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, SyntaxError):
        pass  # the reader that follows tells where the sheet breaks off
    return f"{', '.join(found)}, e.g. {next(iter(found.values()))}: open and save it in a spreadsheet" if found else ""


def _row(number: int, names: list[str], cells: tuple[Any, ...]) -> Row:
    if len(cells) > len(names) and any(cell not in (None, "") for cell in cells[len(names) :]):
        shown = ", ".join("" if cell is None else str(cell) for cell in cells)
        return BadRow(number, f"has {len(cells)} cells, the header has {len(names)}", shown)
    return checked(number, {name: _value(cell) for name, cell in zip(names, cells, strict=False)})


def _sign(code: re.Match[str]) -> str:
    sign = chr(int(code[1], 16))
    return sign if sign.isprintable() or sign in "\t\n\r" else ""


def _value(cell: Any) -> Any:
    """Whole numbers as such (Excel keeps ids as 4711.0), times in ISO 8601."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1 << 53:
        return int(cell)
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, str):
        return "" if cell in _ERRORS else _ESCAPED.sub(_sign, cell)
    return "" if cell is None else cell
