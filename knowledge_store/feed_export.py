"""A feed file with what is known filled in: the same file, with empty cells filled and columns added.

Nothing else changes: in text files, cells that are not filled are the same byte for byte, and rows have as many cells
as the header. Beside it lies a file that says where each value comes from, a JSON line a value.
"""

import codecs
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from reaseq import ReaseqError
from reaseq.knowledge_store.export import defused, whole
from reaseq.knowledge_store.feeds.columns import guess_columns, names_a_title
from reaseq.knowledge_store.feeds.delimited import cell_spans
from reaseq.knowledge_store.feeds.dialect import FOUND_OUT, Reading
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Layout, Record
from reaseq.knowledge_store.filling import Known, KnownRow, OnRow, Places, fills
from reaseq.knowledge_store.importing import is_empty, product_from
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.table_export import fill_parquet, fill_workbook
from reaseq.knowledge_store.xml_export import fill_xml

_BATCH = 500
_NOTED = (
    *("value", "claim_type", "status", "verdict", "confidence", "field", "start", "end", "quote", "reason"),
    *("found_by", "decided_by", "model", "prompt_fingerprint", "schema_version", "run_id"),
)


@dataclass
class FillReport:
    """rows: of the file. touched: those that changed. filled: cells that were empty or held what somebody edited.
    added: cells of the new `columns`."""

    columns: list[str]
    rows: int = 0
    touched: int = 0
    filled: int = 0
    added: int = 0


def fill_feed(
    store: Store,
    path: Path,
    target: Path,
    overrides: Mapping[str, str] | None = None,
    *,
    defuse: bool = False,
    reading: Reading = FOUND_OUT,
    locale: str | None = None,
    on_progress: Callable[[Feed, FillReport], None] = lambda feed, report: None,
) -> FillReport:
    """Write the feed at `path` to `target`, with the verified, approved and edited claims of its products.

    `overrides`, `reading` and `locale` are as they were when it was imported.

    A product's claims stand in its own rows; rows that only bring variants or pictures stay as they are. A cell that
    holds something stays as it is, unless somebody edited the value. `defuse` puts a quote mark before values that a
    spreadsheet would run as a formula. Where each value comes from is written to `TARGET.provenance.jsonl`. Both files
    appear whole or not at all. Rows that an import sets aside are copied; one with too many cells may become one that
    fits.

    Raises:
        ReaseqError: no value can be filled into this format, nothing is known of its products, or `target` cannot be
            written.
    """
    feed = open_feed(path, reading, partial(names_a_title, overrides=overrides))
    layout = feed.layout
    if layout is None:
        raise FeedError(
            f"{path} is {feed.format}; values can be filled into CSV, TSV, JSON, XML, Excel and Parquet",
            hint="reaseq knowledge export claims.csv",
        )
    if target.exists() and target.samefile(path):
        raise ReaseqError(f"{target} is the feed itself", hint=f"reaseq export {path} filled-{path.name}")
    attributes = store.known_attributes(path.name)
    if not attributes:
        raise ReaseqError(
            f"nothing is known of products from {path.name}", hint=f"reaseq import {path}, reaseq distill"
        )
    rows = _known(store, feed, guess_columns(feed.columns, {**feed.fields, **(overrides or {})}, locale))
    places = Places.of(layout.columns, attributes, feed)
    report = FillReport(places.added)

    def write(partial: Path, sidecar: io.TextIOBase) -> int:
        def on_row(row: KnownRow, columns: dict[str, str]) -> None:
            record, product_id, known = row
            report.rows += 1
            report.touched += bool(columns)
            report.added += sum(column in places.added for column in columns.values())
            report.filled += sum(column not in places.added for column in columns.values())
            for attribute, column in columns.items():
                for claim in known[attribute]:
                    note = {"line": record.line, "product_id": product_id, "column": column, "attribute": attribute}
                    sidecar.write(json.dumps(note | {name: claim[name] for name in _NOTED}, ensure_ascii=False) + "\n")
            if report.rows % _BATCH == 0:
                on_progress(feed, report)

        if layout.kind == "Excel":
            fill_workbook(path, partial, layout, places, rows, on_row)
        elif layout.kind == "Parquet":
            fill_parquet(path, partial, places, rows, on_row)
        elif layout.kind == "XML":
            fill_xml(path, partial, layout, places, rows, on_row)
        else:
            writer: _Writer = _Delimited(layout, places, defuse) if layout.delimiter else _Json()
            _fill_text(path, partial, layout, writer, rows, on_row)
        return report.rows

    def both(notes: Path) -> int:
        with notes.open("w", encoding="utf-8") as sidecar:
            return whole(target, lambda partial: write(partial, sidecar))

    whole(target.with_name(f"{target.name}.provenance.jsonl"), both)
    return report


def _known(store: Store, feed: Feed, mapping: Mapping[str, str]) -> Iterator[KnownRow]:
    """Each row with the id of the product it tells of, and what is known of that."""
    while batch := list(islice(feed.rows, _BATCH)):
        ids = []
        for row in batch:
            made = product_from(row, mapping, None) if isinstance(row, Record) and row.product else None
            ids.append("" if made is None or isinstance(made, BadRow) else str(made["id"]))
        known = store.sound_claims(set(ids))
        for row, product_id in zip(batch, ids, strict=True):
            yield row, product_id, known.get(product_id, {})


def _fill_text(
    path: Path, target: Path, layout: Layout, writer: "_Writer", rows: Iterator[KnownRow], on_row: OnRow
) -> None:
    with _copying(path, target, layout.encoding) as (lines, out):
        pieces = _elements("".join(lines), layout.place, rows) if layout.kind == "JSON" else _pieces(lines, rows)
        for row, text in pieces:
            if row is None:
                out.write(writer.header(text))
                continue
            columns: dict[str, str] = {}
            if isinstance(row[0], Record):
                text, columns = writer.filled(text, row[2])
            out.write(text)
            on_row(row, columns)


def _pieces(lines: Iterator[str], rows: Iterator[KnownRow]) -> Iterator[tuple[KnownRow | None, str]]:
    """Each row with the text from where it begins to where the next one does; first, without a row, what is before."""
    row: KnownRow | None = None
    text: list[str] = []
    coming = next(rows, None)
    for number, line in enumerate(lines, 1):
        if coming is not None and number == coming[0].line:
            yield row, "".join(text)
            row, text, coming = coming, [], next(rows, None)
        text.append(line)
    yield row, "".join(text)


def _elements(text: str, place: str, rows: Iterator[KnownRow]) -> Iterator[tuple[KnownRow | None, str]]:
    """Each row with the text from its object to the next; without a row, what is before, and what cannot be read."""
    starts = list(_starts(text, place))
    after = starts[0] if starts else len(text)
    yield None, text[:after]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        row = next(rows, None)
        yield row, text[start:end]


def _starts(text: str, place: str) -> Iterator[int]:
    """Where the elements of the array begin that `place` names; of "", where the one object does."""
    decoder = json.JSONDecoder()
    at = _next(text, 1 if text.startswith("\ufeff") else 0)
    try:
        for name in place.split(".")[:-1]:
            found, _ = _value_spans(text[at:])
            at += found[name][0]
        if not place:
            yield at
            return
        at = _next(text, at + 1)
        while text[at] != "]":
            yield at
            at = _next(text, decoder.raw_decode(text, at)[1])
    except (ValueError, IndexError, KeyError, RecursionError):
        return  # the JSON breaks off: what is left is copied


def _next(text: str, place: int) -> int:
    """The next place that is neither white space nor a comma."""
    while text[place : place + 1] in (" ", "\t", "\r", "\n", ","):
        place += 1
    return place


@contextmanager
def _copying(path: Path, target: Path, encoding: str) -> Iterator[tuple[Iterator[str], io.TextIOBase]]:
    """Lines of one file and a writer of another that gives back every byte; compressed, if the first is."""
    with path.open("rb") as raw, target.open("wb") as made:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if compressed else raw
        sink = cast(BinaryIO, gzip.GzipFile(fileobj=made, mode="wb", mtime=0)) if compressed else made
        start = source.read(2)
        source.seek(0)
        # A byte order mark is read as a character, so that it is written again, and no other one.
        exact = {"utf-8-sig": "utf-8", "utf-16": "utf-16-be" if start == codecs.BOM_UTF16_BE else "utf-16-le"}
        encoding, errors = exact.get(encoding, encoding), "reaseq.surrogates"
        text = io.TextIOWrapper(source, encoding=encoding, errors=errors, newline="")
        out = io.TextIOWrapper(sink, encoding=encoding, errors=errors, newline="")
        yield text, out
        out.close()


class _Writer(Protocol):
    def header(self, text: str) -> str: ...

    def filled(self, text: str, known: Known) -> tuple[str, dict[str, str]]:
        """The row's text with values in it, and for each attribute that was written the column."""


class _Delimited:
    def __init__(self, layout: Layout, places: Places, defuse: bool) -> None:
        assert layout.delimiter is not None
        self.layout, self.places, self.defuse = layout, places, defuse
        self.delimiter = layout.delimiter

    def header(self, text: str) -> str:
        lines = list(io.StringIO(text, newline=""))  # as the file is read: str.splitlines knows more line ends
        number = self.layout.header - 1
        body = lines[number].rstrip("\r\n")
        cells = "".join(self.delimiter + self._cell(name) for name in self.places.added)
        lines[number] = body + cells + lines[number][len(body) :]
        return "".join(lines)

    def filled(self, text: str, known: Known) -> tuple[str, dict[str, str]]:
        spans = cell_spans(text, self.delimiter, escaped=self.layout.escaped)
        width = len(self.layout.columns)
        written: dict[str, str] = {}
        changes: list[tuple[int, int, str]] = []
        new = [""] * len(self.places.added)
        for name, claims in known.items():
            value = self._cell(", ".join(claim["value"] for claim in claims))
            number = self.places.number[name]
            if number >= width:
                new[number - width] = value
            elif number < len(spans) and fills(value.strip('"'), text[slice(*spans[number])].strip('"'), claims):
                changes.append((*spans[number], value))
            else:
                continue
            written[name] = self.places.column[name]
        end = spans[min(width, len(spans)) - 1][1]
        missing = self.delimiter * (width - len(spans))
        more = missing + "".join(self.delimiter + cell for cell in new) if new else ""
        return _changed(text, changes, end, more), written

    def _cell(self, value: str) -> str:
        value = defused(value) if self.defuse else value
        quoted = any(sign in value for sign in (self.delimiter, '"', "\n", "\r")) or value != value.strip()
        quote = '\\"' if self.layout.escaped else '""'
        return '"' + value.replace('"', quote) + '"' if quoted else value


class _Json:
    """Claims as keys of the object: text, or a list where there are several."""

    def header(self, text: str) -> str:
        return text

    def filled(self, text: str, known: Known) -> tuple[str, dict[str, str]]:
        if not known:
            return text, {}
        spans, end = _value_spans(text)
        changes: list[tuple[int, int, str]] = []
        written = {}
        more = ""
        for name, claims in known.items():
            values = [claim["value"] for claim in claims]
            value = json.dumps(values if len(values) > 1 else values[0], ensure_ascii=False)
            if name not in spans:
                more += f"{', ' if spans or more else ''}{json.dumps(name)}: {value}"
            elif fills(value, None if is_empty(spans[name][2]) else text[slice(*spans[name][:2])], claims):
                changes.append((*spans[name][:2], value))
            else:
                continue
            written[name] = name
        return _changed(text, changes, end, more), written


def _changed(text: str, changes: list[tuple[int, int, str]], end: int, more: str) -> str:
    """`text` with other values between starts and ends, and with `more` at `end`, which is after all of them."""
    text = text[:end] + more + text[end:]
    for start, stop, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[stop:]
    return text


def _value_spans(text: str) -> tuple[dict[str, tuple[int, int, Any]], int]:
    """Where the values of a JSON object's keys stand, each with the value; and where its last bracket does."""
    decoder = json.JSONDecoder()
    spans: dict[str, tuple[int, int, Any]] = {}
    place = text.index("{") + 1
    while True:
        place = _next(text, place)
        if text[place] == "}":
            return spans, place
        name, place = decoder.raw_decode(text, place)
        while text[place] in " \t\r\n:":
            place += 1
        value, end = decoder.raw_decode(text, place)
        spans[name] = (place, end, value)
        place = end
