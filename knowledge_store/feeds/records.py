"""A feed file as a stream of records: CSV, TSV, JSON lines and Parquet, told apart by content.

Each reader is a generator that yields a `Record` or, for a row that cannot be used, a `BadRow` with the
reason; the rest goes on. Nothing is read ahead but a sample, so memory does not grow with the file.
"""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from reaseq import ReaseqError

_SAMPLE = 1 << 20
_DELIMITERS = (",", "\t", ";", "|")
_LARGEST_CELL = 1 << 20
_PEEKED = 100
_DEEPEST = 50
_PARQUET_BATCH = 1000
_KNOWN = "export it as CSV, TSV, JSON lines or Parquet"
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def _as_surrogates(error: UnicodeError) -> tuple[str, int]:
    """Bytes that break the encoding become surrogates, which mark the one row they stand in.

    Python's own "surrogateescape" gives up on UTF-16, where a broken byte may be below 128.
    """
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("reaseq.surrogates", _as_surrogates)


class FeedError(ReaseqError):
    """A feed that cannot be read at all."""


class Record(NamedTuple):
    """One record; `line` is the line it begins on (for Parquet its number, from 1)."""

    line: int
    values: dict[str, Any]


class BadRow(NamedTuple):
    """A row that was set aside."""

    line: int
    reason: str
    raw: str


Row = Record | BadRow


@dataclass(frozen=True)
class Feed:
    """An opened feed. `position()` is how many of the file's `size` bytes were read so far."""

    path: Path
    format: str
    columns: list[str]
    rows: Iterator[Row]
    size: int
    position: Callable[[], int]


def open_feed(path: Path) -> Feed:
    """Open a feed file and find out what it is.

    Raises:
        FeedError: it is missing, holds no rows, or is of no known format.
    """
    feed = _open(path)
    first = next(feed.rows, None)
    if first is None:
        raise FeedError(f"{path} names its columns and holds no rows", hint="export it again, with its products")
    return replace(feed, rows=chain([first], feed.rows))


def _open(path: Path) -> Feed:
    if path.is_dir():
        raise FeedError(f"{path} is a folder; name one file in it", hint=f"ls {path}")
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FeedError(f"{path}: {error.strerror or error}", hint="reaseq import --help") from error
    size = path.stat().st_size
    head = raw.read(4)
    raw.seek(0)
    if not head:
        raise FeedError(f"{path} is empty", hint="reaseq import --help")
    if head == b"PAR1":
        return _parquet(path, raw, size)
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if head[:2] == b"\x1f\x8b" else raw
    try:
        sample = stream.read(_SAMPLE)
        stream.seek(0)
    except (OSError, EOFError, zlib.error) as error:
        raise FeedError(f"{path}: broken gzip file: {error}", hint="export it again") from error
    encoding = _encoding(sample, path)
    lines = io.TextIOWrapper(stream, encoding=encoding, errors="reaseq.surrogates", newline="")
    start = sample.decode(encoding, errors="ignore").lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return _json_lines(path, lines, raw, size)
    if start.startswith("["):
        raise FeedError(
            f"{path} is one JSON array; it must be JSON lines, an object a line",
            hint=f"jq -c '.[]' {path} > feed.jsonl",
        )
    if start.startswith("<"):
        raise FeedError(f"{path} is XML or a web page", hint=_KNOWN)
    return _delimited(path, lines, raw, size, start)


def _encoding(sample: bytes, path: Path) -> str:
    if sample.startswith((_ZIP, _OLD_OFFICE)):
        raise FeedError(f"{path} is an Excel workbook or an archive", hint=_KNOWN)
    for bom, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(bom):
            return name
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 5 and min(even, odd) < len(sample) // 50:
        return "utf-16-be" if even > odd else "utf-16-le"
    controls = sum(sample.count(byte) for byte in range(32) if byte not in b"\t\n\r")
    if controls > max(10, len(sample) // 20):
        raise FeedError(f"{path} is a binary file of no known format", hint=_KNOWN)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8"
    except UnicodeDecodeError:
        # What Excel writes on Windows; every byte but five means something in it.
        return "cp1252"


def _delimited(path: Path, text: io.TextIOWrapper, raw: BinaryIO, size: int, start: str) -> Feed:
    csv.field_size_limit(_LARGEST_CELL)
    delimiter = _delimiter(start)
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    header: list[str] = []
    try:
        for header in reader:
            lines.record.clear()
            if any(cell.strip() for cell in header) and delimiter.join(header) != f"sep={delimiter}":
                break
    except csv.Error as error:
        raise FeedError(f"{path}: the header is not readable as CSV: {error}", hint=_KNOWN) from error
    names = _unique([name.strip().lstrip("\ufeff") for name in header])
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
            elif problem := _unstorable(whole):
                yield BadRow(line, problem, whole)
            else:
                yield Record(line, dict(zip(names, cells, strict=False)))

    kind = {"\t": "TSV"}.get(delimiter, "CSV" if delimiter == "," else f"CSV with {delimiter!r}")
    return Feed(path, kind, names, rows(), size, lambda: size if raw.closed else raw.tell())


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
    first, *others = [line for line in start[: 1 << 16].splitlines() if line.strip()][:20] or [""]
    if named := re.fullmatch(r'"?sep=(.)"?', first):
        return named[1]

    def cells(line: str, delimiter: str) -> int:
        return len(next(csv.reader([line], delimiter=delimiter), []))

    def score(delimiter: str) -> tuple[int, int]:
        count = cells(first, delimiter)
        return count, sum(cells(line, delimiter) == count for line in others)

    return max(_DELIMITERS, key=score)


def _unique(names: list[str]) -> list[str]:
    """Column names made distinct: a second "Size" becomes "Size 2", a nameless one "column 7"."""
    seen: dict[str, int] = {}
    made = []
    for number, name in enumerate(names, 1):
        name = name or f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return made


def _unstorable(text: str) -> str | None:
    """What no database takes as text: NUL characters, and bytes that broke the encoding."""
    if "\x00" in text:
        return "holds a NUL character"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "holds bytes that are not text in the file's encoding"
    return None


def _strings(value: Any, depth: int = 0) -> Iterator[str]:
    """Every string inside JSON data, keys too. Raises RecursionError if it is nested too deeply to work with."""
    if depth > _DEEPEST:
        raise RecursionError("nested too deeply")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, depth + 1)


def _json_lines(path: Path, lines: io.TextIOWrapper, raw: BinaryIO, size: int) -> Feed:
    def rows() -> Iterator[Row]:
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _json_row(number, line)
        except (OSError, EOFError, zlib.error) as error:
            yield BadRow(number + 1, f"the file breaks off here: {error}", "")

    source = rows()
    # The columns are those of the first records; later ones may bring more, which stay raw attributes.
    peeked: list[Row] = []
    columns: dict[str, None] = {}
    for row in source:
        peeked.append(row)
        if isinstance(row, Record):
            columns |= dict.fromkeys(row.values)
        if len(peeked) == _PEEKED:
            break
    if not columns:
        why = next((f"; line {row.line}: {row.reason}" for row in peeked if isinstance(row, BadRow)), "")
        raise FeedError(
            f"{path} has no JSON object with keys on its first lines{why}",
            hint=f"jq -c . {path} > feed.jsonl   (an object a line)",
        )
    every = chain(peeked, source)
    return Feed(path, "JSON lines", list(columns), every, size, lambda: size if raw.closed else raw.tell())


def _json_row(number: int, line: str) -> Row:
    raw = line.strip()
    try:
        values = json.loads(raw)
        text = " ".join(_strings(values))
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"not JSON: {error}", raw)
    if not isinstance(values, dict):
        return BadRow(number, "not a JSON object", raw)
    problem = _unstorable(text)
    return BadRow(number, problem, raw) if problem else Record(number, values)


def _parquet(path: Path, raw: BinaryIO, size: int) -> Feed:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(raw)
    except pa.ArrowException as error:
        raise FeedError(f"{path}: broken Parquet file: {error}", hint="export it again") from error
    total = max(1, file.metadata.num_rows)
    done = 0

    def rows() -> Iterator[Row]:
        nonlocal done
        for group in range(file.num_row_groups):
            end = done + file.metadata.row_group(group).num_rows
            try:
                for batch in file.iter_batches(_PARQUET_BATCH, row_groups=[group]):
                    for values in map(_decoded, batch.to_pylist()):
                        done += 1
                        problem = _unstorable(" ".join(_strings(values)))
                        text = json.dumps(values, ensure_ascii=False, default=str) if problem else ""
                        yield BadRow(done, problem, text) if problem else Record(done, values)
            except (pa.ArrowException, OSError) as error:
                yield BadRow(done + 1, f"records {done + 1} to {end} cannot be read: {error}", "")
                done = end

    return Feed(path, "Parquet", list(file.schema_arrow.names), rows(), size, lambda: size * done // total)


def _decoded(value: Any) -> Any:
    """`value` with text for bytes (older writers do not mark text as such), and lists for tuples.

    Bytes that are no text, pictures for instance, are left out.
    """
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_decoded(item) for item in value]
    return value
