"""CSV and its kin: any delimiter, quoting and encoding, a BOM, a `sep=` line, repeated and nameless columns.

An Amazon flat file is one of them: two lines of its own stand above the names of its columns.
"""

import csv
import io
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from reaseq.knowledge_store.feeds.rows import EXPORT_AS, BadRow, Feed, FeedError, Layout, Record, Row, unstorable

_DELIMITERS = (",", "\t", ";", "|")
_LARGEST_CELL = 1 << 20


def delimited(path: Path, text: io.TextIOWrapper, raw: BinaryIO, size: int, start: str) -> Feed:
    csv.field_size_limit(_LARGEST_CELL)
    delimiter = _delimiter(start)
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    header: list[str] = []
    try:
        for header in reader:
            lines.record.clear()
            if header and header[0].startswith("TemplateType="):
                # An Amazon flat file: its second line holds labels for people, its third the names.
                next(reader, None)
                continue
            if any(cell.strip() for cell in header) and delimiter.join(header) != f"sep={delimiter}":
                break
    except csv.Error as error:
        raise FeedError(f"{path}: the header is not readable as CSV: {error}", hint=EXPORT_AS) from error
    names = unique([name.strip().lstrip("\ufeff") for name in header])
    if not any(names):
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
            if not any(cells):
                continue
            if (len(lines.record) > 1 or lines.ended) and not _well_quoted(lines.record, delimiter):
                # Its cell swallowed what follows, which is given out again as lines of their own.
                yield BadRow(line, "opens a quote that is not closed", lines.back_to_second())
                continue
            whole = delimiter.join(cells)
            if len(cells) > len(names) and any(cells[len(names) :]):
                if len(lines.record) > 1:
                    # Or a stray quote joined rows that are whole without it: they get their chance.
                    whole = lines.back_to_second()
                yield BadRow(line, f"has {len(cells)} cells, the header has {len(names)}", whole)
            elif problem := unstorable(whole):
                yield BadRow(line, problem, whole)
            else:
                yield Record(line, dict(zip(names, cells, strict=False)))

    kind = {"\t": "TSV"}.get(delimiter, "CSV" if delimiter == "," else f"CSV with {delimiter!r}")
    layout = Layout("delimited", text.encoding, delimiter, tuple(names), lines.number)
    return Feed(path, kind, names, rows(), size, lambda: size if raw.closed else raw.tell(), layout=layout)


def cell_spans(text: str, delimiter: str) -> list[tuple[int, int]]:
    """Where the cells of the record that `text` begins with start and end, quotes included."""
    spans = []
    place = 0
    while True:
        start, quoted = place, text.startswith('"', place)
        place += quoted
        while place < len(text):
            sign = text[place]
            if quoted and sign == '"':
                if text.startswith('"', place + 1):
                    place += 1
                else:
                    quoted = False
            elif not quoted and (sign == delimiter or sign in "\r\n"):
                break
            place += 1
        spans.append((start, place))
        if not text.startswith(delimiter, place):
            return spans
        place += 1


class _Lines:
    """The lines of a text, with a way back into the current record.

    `record` holds the record's lines so far; the largest cell bounds how many that can be. `ended` says
    that the text ran out.
    """

    def __init__(self, text: Iterable[str]) -> None:
        self._text = iter(text)
        self._again: deque[str] = deque()
        self.record: list[str] = []
        self.number = 0
        self.ended = False

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

    def back_to_second(self) -> str:
        """Give the record's lines out again, but for the first, which is returned."""
        self._again.extendleft(reversed(self.record[1:]))
        self.number -= len(self.record) - 1
        self.ended = False
        return self.record[0].rstrip("\r\n")


def _well_quoted(record: list[str], delimiter: str) -> bool:
    """Whether a record of several lines is quoted as a CSV writer would quote it."""
    try:
        next(csv.reader(record, delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return True


def _delimiter(start: str) -> str:
    """The delimiter that splits the header into most cells; of equals, the one that fits more of the next lines.

    Excel may name it in a line of its own before the header: `sep=;`.
    """
    lines = [line for line in start[: 1 << 16].splitlines() if line.strip()][:20]
    first, *others = lines[2:] if start.startswith("TemplateType=") and len(lines) > 2 else lines or [""]
    if named := re.fullmatch(r'"?sep=(.)"?', first):
        return named[1]

    def cells(line: str, delimiter: str) -> int:
        return len(next(csv.reader([line], delimiter=delimiter), []))

    def score(delimiter: str) -> tuple[int, int]:
        count = cells(first, delimiter)
        return count, sum(cells(line, delimiter) == count for line in others)

    return max(_DELIMITERS, key=score)


def unique(names: list[str]) -> list[str]:
    """Column names made distinct: a second "Size" becomes "Size 2", a nameless one "column 7"."""
    seen: dict[str, int] = {}
    made = []
    for number, name in enumerate(names, 1):
        name = name or f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return made
