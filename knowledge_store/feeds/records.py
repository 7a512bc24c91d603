"""A feed file as a stream of records: CSV, TSV, JSON lines and Parquet, told apart by content.

Each reader is a generator that yields a `Record` or, for a row that cannot be used, a `BadRow` with the
reason; the rest goes on. Nothing is read ahead but a sample, so memory does not grow with the file.
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from reaseq import ReaseqError

_SAMPLE = 1 << 16
_DELIMITERS = (",", "\t", ";", "|")
_LARGEST_CELL = 1 << 20
_PEEKED = 100
_PARQUET_BATCH = 1000


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
        FeedError: it is missing, empty, or of no known format.
    """
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
    # Bytes that break the encoding become surrogates, which mark the one row they stand in.
    lines = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    start = sample.decode(encoding, errors="ignore").lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return _json_lines(path, lines, raw, size)
    if start.startswith("["):
        raise FeedError(
            f"{path} is one JSON array; it must be JSON lines, an object a line",
            hint=f"jq -c '.[]' {path} > feed.jsonl",
        )
    return _delimited(path, lines, raw, size, start)


def _encoding(sample: bytes, path: Path) -> str:
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
    if sum(sample.count(byte) for byte in range(32) if byte not in b"\t\n\r") > len(sample) // 10:
        raise FeedError(
            f"{path} is a binary file of no known format", hint="export it as CSV, TSV, JSON lines or Parquet"
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8"
    except UnicodeDecodeError:
        # What Excel writes on Windows; every byte but five means something in it.
        return "cp1252"


def _delimited(path: Path, lines: io.TextIOWrapper, raw: BinaryIO, size: int, start: str) -> Feed:
    csv.field_size_limit(_LARGEST_CELL)
    delimiter = _delimiter(start)
    reader = csv.reader(lines, delimiter=delimiter)
    header: list[str] = []
    for header in reader:
        if any(cell.strip() for cell in header):
            break
    names = _unique([name.strip().lstrip("\ufeff") for name in header])
    if not any(names):
        raise FeedError(f"{path} has no header line", hint="the first line must name the columns")

    def rows() -> Iterator[Row]:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRow(line, f"not readable as CSV: {error}", "")
                continue
            except (OSError, EOFError, zlib.error) as error:
                yield BadRow(line, f"the file breaks off here: {error}", "")
                return
            if not any(cells):
                continue
            text = delimiter.join(cells)
            if len(cells) > len(names) and any(cells[len(names) :]):
                yield BadRow(line, f"has {len(cells)} cells, the header has {len(names)}", text)
            elif problem := _unstorable(text):
                yield BadRow(line, problem, text)
            else:
                yield Record(line, dict(zip(names, cells, strict=False)))

    kind = {"\t": "TSV"}.get(delimiter, "CSV" if delimiter == "," else f"CSV with {delimiter!r}")
    return Feed(path, kind, names, rows(), size, lambda: size if raw.closed else raw.tell())


def _delimiter(start: str) -> str:
    """The delimiter that splits the header into most cells."""
    header = next((line for line in start.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=lambda candidate: len(next(csv.reader([header], delimiter=candidate), [])))


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


def _strings(value: Any) -> Iterator[str]:
    """Every string inside JSON data, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


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

    def all_rows() -> Iterator[Row]:
        yield from peeked
        yield from source

    return Feed(path, "JSON lines", list(columns), all_rows(), size, lambda: size if raw.closed else raw.tell())


def _json_row(number: int, line: str) -> Row:
    raw = line.strip()
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"not JSON: {error}", raw)
    if not isinstance(values, dict):
        return BadRow(number, "not a JSON object", raw)
    problem = _unstorable(" ".join(_strings(values)))
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
        for batch in file.iter_batches(_PARQUET_BATCH):
            for values in batch.to_pylist():
                done += 1
                problem = _unstorable(" ".join(_strings(values)))
                yield BadRow(done, problem, "") if problem else Record(done, values)

    return Feed(path, "Parquet", list(file.schema_arrow.names), rows(), size, lambda: size * done // total)
