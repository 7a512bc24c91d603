"""CSV and its kin: any delimiter, quoting and encoding, a BOM, a `sep=` line, repeated and nameless columns.

An Amazon flat file is one of them: two lines of its own stand above the names of its columns.
"""

import csv
import io
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from reaseq.knowledge_store.feeds.dialect import IsHeader, Reading, dialect_of, unescaped
from reaseq.knowledge_store.feeds.rows import EXPORT_AS, BadRow, Feed, FeedError, Layout, Record, Row, unstorable

_LARGEST_CELL = 1 << 20
_COMMENTS = ("#", "//")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What no database takes as text: in a name of a column it costs no more than its place."""


_FORMULA_TEXT = re.compile(r'^="([^"]*)"$')
"""What keeps a spreadsheet from reading digits as a number: `="0017"`."""


def delimited(
    path: Path,
    text: io.TextIOWrapper,
    raw: BinaryIO,
    size: int,
    start: str,
    reading: Reading,
    is_header: IsHeader,
) -> Feed:
    """start: the text's beginning. is_header: may these be the names of the columns?"""
    csv.field_size_limit(_LARGEST_CELL)
    dialect = dialect_of(start, reading, is_header)
    delimiter = dialect.delimiter
    lines = _Lines(text, dialect.header - 1, escaped=dialect.escaped)
    above = [line for line in islice(io.StringIO(start, newline=""), dialect.header - 1) if line.strip()]
    # Where notes above the names of columns begin with such a sign, rows that do are commented out.
    comments = tuple(_COMMENTS if above and all(line.lstrip().startswith(_COMMENTS) for line in above) else ())
    sign = re.escape(delimiter)
    spaced = delimiter != " " and re.search(rf'{sign} +"[^"\n]*" *(?:{sign}|$)', start, re.MULTILINE) is not None
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise FeedError(f"{path}: the header is not readable as CSV: {error}", hint=EXPORT_AS) from error
    header = list(dialect.names) or header
    if reading.header_row == 0:  # there is none
        lines.back_to_first()
        header = [""] * len(header)
    given = [_UNSTORABLE.sub("\ufffd", name.strip().lstrip("\ufeff")) for name in header]
    # A table that is drawn with lines between its columns is padded for the eye.
    drawn = delimiter == "|" and len(header) > 1 and any(name != name.strip() for name in header if name.strip())
    names, fewest = unique(given), max((number for number, name in enumerate(given, 1) if name), default=0)
    if not fewest and reading.header_row != 0:
        raise FeedError(f"{path} has no header line", hint="the first line must name the columns")

    def rows() -> Iterator[Row]:
        while True:
            lines.record.clear()
            line = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRow(line, f"not readable as CSV: {error}", lines.back_to_second())
                continue
            except (OSError, EOFError, zlib.error) as error:
                yield BadRow(line, f"the file breaks off here: {error}", "".join(lines.record))
                return
            if not any(cells) or (drawn and not "".join(cells).strip("-=+: ")):
                continue
            if comments and cells[0].lstrip().startswith(comments):
                yield BadRow(line, "is commented out", "".join(lines.record).rstrip("\r\n"))
                continue
            whole = delimiter.join(cells)
            several = len(lines.record) > 1 or lines.ended
            if (several or ('"' in whole and not dialect.escaped)) and not _well_quoted(
                lines.record, delimiter, spaced
            ):
                # A cell that swallowed what follows: that is given out again as lines of their own.
                first = lines.back_to_second() if several else lines.record[0].rstrip("\r\n")
                spans = None if several and delimiter != "\t" else _badly_quoted(first, delimiter, len(names), spaced)
                if spans is None:
                    why = (
                        "opens a quote that is not closed"
                        if several
                        else "holds quotes within quotes that are not doubled"
                    )
                    yield BadRow(line, why, first)
                    continue
                cells = [_unquoted(first[start:end]) for start, end in spans]
                whole = delimiter.join(cells)
            if len(cells) > len(names) and any(cells[len(names) :]):
                if len(lines.record) > 1:
                    # Or a stray quote joined rows that are whole without it: they get their chance.
                    whole = lines.back_to_second()
                yield BadRow(line, f"has {len(cells)} cells, the header has {len(names)}", whole)
            elif problem := unstorable(whole):
                yield BadRow(line, problem, whole)
            elif len(cells) < fewest:
                yield BadRow(line, f"has {len(cells)} cells, the header has {fewest}: perhaps a broken line", whole)
            else:
                if '="' in whole:
                    cells = [_FORMULA_TEXT.sub(r"\1", cell) for cell in cells]
                if drawn:
                    cells = [cell.strip(" ") for cell in cells]
                if dialect.escaped:
                    cells = [cell.replace("\\\\", "\\") for cell in cells]
                yield Record(line, dict(zip(names, cells)))  # noqa: B905 - the keyword takes longer than the cells

    kind = {"\t": "TSV"}.get(delimiter, "CSV" if delimiter == "," else f"CSV with {delimiter!r}")
    layout = Layout(
        "delimited", text.encoding, delimiter, tuple(names), lines.number, escaped=dialect.escaped, spaced=spaced
    )
    taken = {"delimiter": {"\t": "tab"}.get(delimiter, delimiter), "header line": str(dialect.header)}
    if dialect.escaped:
        taken["quotes"] = 'written as \\" within quotes'
    return Feed(path, kind, names, rows(), size, lambda: size if raw.closed else raw.tell(), layout=layout, taken=taken)


def cell_spans(
    text: str, delimiter: str, count: int, *, escaped: bool = False, spaced: bool = False
) -> list[tuple[int, int]]:
    """Where the cells of the record that `text` begins with start and end, quotes included, as `delimited` reads it.
    count: of the columns. escaped: may a backslash stand before a quote? spaced: may blanks?"""
    spans = _spans(text, delimiter, escaped=escaped, spaced=spaced)
    if '"' not in text or escaped:
        return spans
    record = list(io.StringIO(text[: spans[-1][1]], newline=""))
    if _well_quoted(record, delimiter, spaced):
        return spans
    return _badly_quoted(text, delimiter, count, spaced) or spans


def _badly_quoted(text: str, delimiter: str, count: int, spaced: bool) -> list[tuple[int, int]] | None:
    """The cells of a record that no CSV writer would have written so, if there are `count`: a quoted one ends where a
    quote stands before a delimiter; or else quotes are signs like others."""
    spans = _spans(text, delimiter, escaped=False, spaced=spaced, strict=True)
    if len(spans) == count:
        return spans
    line = re.match(r"[^\r\n]*", text)
    ends = [place for place, sign in enumerate(line[0] if line else "") if sign == delimiter] + [
        line.end() if line else 0
    ]
    return list(zip([0, *(end + 1 for end in ends)], ends, strict=False)) if len(ends) == count else None


def _spans(text: str, delimiter: str, *, escaped: bool, spaced: bool, strict: bool = False) -> list[tuple[int, int]]:
    """strict: does a quoted cell end only with a quote before a delimiter or the line's end? Else what follows its
    second quote up to there is part of it (`"Green" clog`)."""
    spans = []
    place = 0
    while True:
        while spaced and text.startswith(" ", place):
            place += 1
        start, quoted = place, text.startswith('"', place)
        place += quoted
        while place < len(text):
            sign = text[place]
            if quoted and escaped and sign == "\\":
                place += 1
            elif quoted and sign == '"':
                if text.startswith('"', place + 1):
                    place += 1
                elif not strict or text[place + 1 : place + 2] in ("", delimiter, "\r", "\n"):
                    quoted = False
            elif not quoted and (sign == delimiter or sign in "\r\n"):
                break
            place += 1
        spans.append((start, place))
        if not text.startswith(delimiter, place):
            return spans
        place += 1


def _unquoted(cell: str) -> str:
    inner = cell.strip()
    return inner[1:-1].replace('""', '"') if len(inner) > 1 and inner[0] == inner[-1] == '"' else cell


class _Lines:
    """The lines of a text, with a way back into the current record.

    `record` holds the record's lines so far; the largest cell bounds how many that can be. `ended` says
    that the text ran out.
    """

    def __init__(self, text: Iterable[str], skipped: int, *, escaped: bool) -> None:
        self._text = map(unescaped, text) if escaped else iter(text)
        self._again: deque[str] = deque()
        self.record: list[str] = []
        self.number = 0
        self.ended = False
        for _ in range(skipped):
            next(self, None)
        self.record.clear()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._text, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.number += 1
        self.record.append(line)
        return line

    def back_to_first(self) -> None:
        """Give the record's lines out again."""
        self._again.extendleft(reversed(self.record))
        self.number -= len(self.record)

    def back_to_second(self) -> str:
        """Give the record's lines out again, but for the first, which is returned."""
        self._again.extendleft(reversed(self.record[1:]))
        self.number -= len(self.record) - 1
        self.ended = False
        return self.record[0].rstrip("\r\n")


def _well_quoted(record: list[str], delimiter: str, spaced: bool) -> bool:
    """Whether a record is quoted as a CSV writer would quote it."""
    try:
        next(csv.reader(record, delimiter=delimiter, strict=True, skipinitialspace=spaced))
    except csv.Error:
        return False
    return True


def unique(names: list[str]) -> list[str]:
    """Column names made distinct: a second "Size" becomes "Size 2", a nameless one "column 7"."""
    seen: dict[str, int] = {}
    made = []
    for number, name in enumerate(names, 1):
        name = name or f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return made
