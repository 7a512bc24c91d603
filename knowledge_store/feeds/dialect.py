"""How delimited text is laid out: what parts its cells, how quotes stand within quotes, where columns are named."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reaseq.knowledge_store.feeds.columns import header_of, names_at
from reaseq.knowledge_store.feeds.rows import FeedError

_DELIMITERS = (",", "\t", ";", "|", "^", "~", ":")
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_SAMPLE = 1 << 16
_ROWS = 100
"""Rows below the header that are looked at."""
_HEADER_WITHIN = 30
"""Records in which the header is looked for."""
_ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
"""A quote as MySQL and PHP write it within quotes."""

IsHeader = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Reading:
    """How somebody says that a file is to be read; None is found out.

    header_row: the line (of a workbook the row) that names the columns, from 1; 0: there is none. records: what the
    records are called in an XML or JSON document: an element's name, or a path with dots.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    sheet: str | None = None
    records: str | None = None


FOUND_OUT = Reading()


class Dialect(NamedTuple):
    """escaped: a backslash stands before a quote within quotes. header: the line that the names of the columns begin
    on, from 1. names: those of the columns, where two lines say them together."""

    delimiter: str
    escaped: bool
    header: int
    names: Sequence[str] = ()


def delimiter_named(text: str) -> str:
    r"""The sign that `--delimiter` names: itself, or `tab`, `\t`, `semicolon`.

    Raises:
        FeedError: it is more than one character.
    """
    sign = _NAMED.get(text.casefold(), text)
    if len(sign) != 1:
        raise FeedError(f"--delimiter {text!r}: must be one character", hint="--delimiter tab, --delimiter ';'")
    return sign


def unescaped(line: str) -> str:
    r"""A line with `\"` as other writers double it."""
    return _ESCAPED.sub(r'\1""', line)


def dialect_of(start: str, reading: Reading, is_header: IsHeader) -> Dialect:
    """start: the text's beginning. is_header: may these be the names of the columns?

    Of all ways to part cells it is the one whose header looks like one and whose rows have as many cells as that. Excel
    may name the delimiter in a line of its own before the header: `sep=;`.
    """
    lines = list(io.StringIO(start[:_SAMPLE], newline=""))  # as the file is read: str.splitlines knows more line ends
    if len(start) > _SAMPLE and len(lines) > 1:
        lines.pop()  # it is cut
    skipped = 0
    if start.startswith("TemplateType="):
        # An Amazon flat file: its second line holds labels for people, its third the names.
        skipped = 2
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    named = reading.delimiter and delimiter_named(reading.delimiter)
    if skipped < len(lines) and (sep := re.fullmatch(r'"?sep=(.)"?', lines[skipped].strip())):
        named, skipped = named or sep[1], skipped + 1
    if reading.header_row is not None:
        skipped = max(0, reading.header_row - 1)
        if skipped >= len(lines):
            raise FeedError(f"--header-row {reading.header_row}: no such line at the beginning", hint="--header-row 1")
    tried = [
        _Tried.of(lines[skipped:], delimiter, escaped, is_header, first=reading.header_row is not None)
        for delimiter in ([named] if named else _DELIMITERS)
        for escaped in ((False, True) if '\\"' in start else (False,))
    ]
    best = max(tried, key=lambda one: one.score)
    return Dialect(best.delimiter, best.escaped, skipped + best.line, best.names)


class _Tried(NamedTuple):
    delimiter: str
    escaped: bool
    line: int
    score: tuple[bool, float, int, bool, float]
    names: Sequence[str] = ()

    @classmethod
    def of(cls, lines: Sequence[str], delimiter: str, escaped: bool, is_header: IsHeader, *, first: bool) -> "_Tried":
        records, whole = _records(lines, delimiter, escaped)
        at = next((at for at, (_, cells) in enumerate(records[:_HEADER_WITHIN]) if is_header(cells)), None)
        looks_so, names = at is not None, list[str]()
        if at is not None:
            below = header_of([cells for _, cells in records], at)
            named = names_at([cells for _, cells in records], below)
            at = below if is_header(named) else at  # a row of a log may hold a "no"
            joined = names_at([cells for _, cells in records], at)
            names = joined if joined != records[at][1] and not first else []
        if first or at is None:
            at = 0 if first else _widest(records)
        if not records:
            return cls(delimiter, escaped, 1, (False, 0.0, 0, False, 0.0))
        line, header = records[at]
        rows = [len(cells) for _, cells in records[at + 1 : at + 1 + _ROWS]]
        fit = sum(count == len(header) for count in rows) / len(rows) if rows else 0.0
        parted = len(header) > 1
        # Of two that part rows alike the one under which nothing stands above the header.
        score = looks_so and (parted or not rows), fit if parted else 0.0, len(header), at == 0, whole
        return cls(delimiter, escaped, line, score, names)


def _records(lines: Sequence[str], delimiter: str, escaped: bool) -> tuple[list[tuple[int, list[str]]], float]:
    """Records that are not empty, with the line each begins on; and the share of them that a CSV writer would have
    written so."""
    text = [unescaped(line) if escaped else line for line in lines]
    reader = csv.reader(text, delimiter=delimiter)
    records: list[tuple[int, list[str]]] = []
    strict = 0
    while len(records) < _HEADER_WITHIN + _ROWS:
        begin = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            continue
        if any(cell.strip() for cell in cells):
            records.append((begin + 1, cells))
            try:
                next(csv.reader(text[begin : reader.line_num], delimiter=delimiter, strict=True), None)
                strict += 1
            except csv.Error:
                pass
    return records, strict / len(records) if records else 0.0


def _widest(records: Sequence[tuple[int, list[str]]]) -> int:
    """Where no record looks like a header, it is the first that has as many cells as most records."""
    counts = [len(cells) for _, cells in records]
    usual = max(counts, key=lambda count: (counts.count(count), count), default=0)
    return next((at for at, count in enumerate(counts[:_HEADER_WITHIN]) if count == usual), 0)
