"""A feed file with what is known filled in: the same file, with empty cells filled and columns added.

Nothing else changes: in text files, cells that are not filled are the same byte for byte, and rows have as many cells
as the header. Beside it lies a file that says where each value comes from, a JSON line a value.
"""

import codecs
import gzip
import io
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
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
from reaseq.knowledge_store.filling import Filled, Known, KnownRow, Means, OnRow, Places
from reaseq.knowledge_store.importing import product_from
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.table_export import fill_parquet, fill_workbook
from reaseq.knowledge_store.xml_export import fill_xml
from reaseq.taxonomy.labels import Asks, Labels
from reaseq.taxonomy.schema import CategorySchema

_BATCH = 500
_NOTED = (
    *("value", "claim_type", "status", "verdict", "confidence", "field", "start", "end", "quote", "reason"),
    *("found_by", "decided_by", "model", "prompt_fingerprint", "schema_version", "run_id"),
)


@dataclass
class FillReport:
    """rows: of the file. touched: those that changed. filled: values in cells that were empty or held what somebody
    edited. added: values in the new `columns`. held: values that stay out, as a cell holds one among others. used: the
    columns that were written."""

    columns: list[str]
    rows: int = 0
    touched: int = 0
    filled: int = 0
    added: int = 0
    held: int = 0
    used: set[str] = field(default_factory=set)


def fill_feed(
    store: Store,
    path: Path,
    target: Path,
    overrides: Mapping[str, str] | None = None,
    *,
    defuse: bool = False,
    only_decided: bool = False,
    least: float = 0.0,
    source: str = "",
    reading: Reading = FOUND_OUT,
    locale: str | None = None,
    on_progress: Callable[[Feed, FillReport], None] = lambda feed, report: None,
) -> FillReport:
    """Write the feed at `path` to `target`, with the verified, approved and edited claims of its products: with
    `only_decided` the latter two, of the first those whose confidence is at `least` that.

    `overrides`, `source`, `reading` and `locale` are as they were when it was imported.

    A product's claims stand in its own rows; rows that only bring variants or pictures stay as they are. A cell that
    holds something stays as it is, unless somebody edited the value; what a cell holds among others counts as held, and
    an edit goes into that cell. With nothing known, the file comes out as it went in. `defuse` puts a quote mark before
    values that a spreadsheet would run as a formula. Where each value comes from is written to
    `TARGET.provenance.jsonl`. Both files appear whole or not at all. Rows that an import sets aside are copied; one
    with too many cells may become one that fits.

    Raises:
        ReaseqError: no value can be filled into this format, nothing is known of its products, or `target` cannot be
            written.
    """
    opened = partial(open_feed, path, reading, partial(names_a_title, overrides=overrides))
    feed = opened()
    layout = feed.layout
    if layout is None:
        raise FeedError(
            f"{path} is {feed.format}; values can be filled into CSV, TSV, JSON, XML, Excel and Parquet",
            hint="reaseq knowledge export claims.csv",
        )
    if target.exists() and target.samefile(path):
        raise ReaseqError(f"{target} is the feed itself", hint=f"reaseq export {path} filled-{path.name}")
    sound = partial(store.sound_claims, only_decided=only_decided, least=least)
    known_of = partial(store.known_attributes, only_decided=only_decided, least=least)
    attributes = known_of(path.name) or known_of(None)  # the file may have another name than when it was imported
    mapping = guess_columns(feed.columns, {**feed.fields, **(overrides or {})}, locale)
    schemas = [stored.schema for name in store.categories() if name and (stored := store.latest_schema(name))]
    prose = [column for name, column in mapping.items() if name in ("id", "title", "description", "brand")]
    places = Places.of(layout.columns, attributes, feed, _meaning(schemas), prose)

    def write(partial: Path, sidecar: io.TextIOBase, feed: Feed, places: Places) -> FillReport:
        report = FillReport(places.added)

        def on_row(row: KnownRow, made: Filled) -> None:
            record, product_id, known = row
            columns = made.written
            report.rows += 1
            report.touched += bool(columns)
            report.held += made.held
            report.added += sum(column in places.added for column in columns.values())
            report.filled += sum(column not in places.added for column in columns.values())
            report.used.update(columns.values())
            for attribute, column in columns.items():
                for claim in known[attribute]:
                    note = {"line": record.line, "product_id": product_id, "column": column, "attribute": attribute}
                    sidecar.write(json.dumps(note | {name: claim[name] for name in _NOTED}, ensure_ascii=False) + "\n")
            if report.rows % _BATCH == 0:
                on_progress(feed, report)

        rows = _known(sound, feed, mapping, source)
        if layout.kind == "Excel":
            fill_workbook(path, partial, layout, places, rows, on_row)
        elif layout.kind == "Parquet":
            fill_parquet(path, partial, places, rows, on_row)
        elif layout.kind == "XML":
            fill_xml(path, partial, layout, places, rows, on_row)
        else:
            writer: _Writer = _Delimited(layout, places, defuse) if layout.delimiter else _Json(places)
            _fill_text(path, partial, layout, writer, rows, on_row)
        return report

    reports = []

    def both(notes: Path) -> int:
        with notes.open("w", encoding="utf-8") as sidecar:

            def all_of_it(partial: Path) -> int:
                if not attributes:
                    shutil.copyfile(path, partial)
                    return 0
                report = write(partial, sidecar, feed, places)
                if set(report.columns) - report.used:
                    # No row has a value for a column that was to be new: once more, without it.
                    sidecar.seek(0)
                    sidecar.truncate()
                    used = [column for column in places.added if column in report.used]
                    report = write(partial, sidecar, opened(), replace(places, added=used))
                reports.append(report)
                return report.rows

            return whole(target, all_of_it)

    whole(target.with_name(f"{target.name}.provenance.jsonl"), both)
    return reports[0] if reports else FillReport([])


def _meaning(schemas: Sequence[CategorySchema]) -> Means:
    """The attribute that a label asks for in all schemas that know it."""
    labels = [Labels(schema) for schema in schemas]

    @lru_cache(4096)
    def means(label: str) -> str | None:
        asked = [one for known in labels if (one := known.of_column(label)).asks is Asks.VALUE and not one.near]
        named = {name for one in asked for name in one.attributes}
        return next(iter(named)) if len(named) == 1 else None

    return means


def _known(
    sound: Callable[[Collection[str]], dict[str, Known]], feed: Feed, mapping: Mapping[str, str], source: str
) -> Iterator[KnownRow]:
    """Each row with the id of the product it tells of, and what is known of that."""
    while batch := list(islice(feed.rows, _BATCH)):
        ids = []
        for row in batch:
            made = product_from(row, mapping, None) if isinstance(row, Record) and row.product else None
            own = "" if made is None or isinstance(made, BadRow) else str(made["id"])
            ids.append(f"{source}:{own}" if source and own else own)
        known = sound(set(ids))
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
            made = Filled()
            if isinstance(row[0], Record):
                text, made = writer.filled(text, row)
            out.write(text)
            on_row(row, made)


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

    def filled(self, text: str, row: KnownRow) -> tuple[str, Filled]:
        """The row's text with values in it, and what was made of it."""


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

    def filled(self, text: str, row: KnownRow) -> tuple[str, Filled]:
        columns = self.layout.columns
        spans = cell_spans(text, self.delimiter, escaped=self.layout.escaped)
        known = row[2]
        pairs = zip(columns, spans, strict=False) if known else ()
        cells = {name: self._read(text[slice(*span)]) for name, span in pairs}
        made = self.places.filled(row[0], cells, known)
        number = {name: at for at, name in enumerate(columns)}
        changes = [
            (*spans[number[name]], self._cell(value))
            for name, value in made.cells.items()
            if number.get(name, len(spans)) < len(spans)
        ]
        end = spans[min(len(columns), len(spans)) - 1][1]
        missing = self.delimiter * (len(columns) - len(spans))
        new = [self._cell(made.cells.get(name, "")) for name in self.places.added]
        more = missing + "".join(self.delimiter + cell for cell in new) if new else ""
        return _changed(text, changes, end, more), made

    def _read(self, cell: str) -> str:
        """A cell as its reader sees it."""
        if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"':
            return cell
        return cell[1:-1].replace('\\"' if self.layout.escaped else '""', '"')

    def _cell(self, value: str) -> str:
        value = defused(value) if self.defuse else value
        quoted = any(sign in value for sign in (self.delimiter, '"', "\n", "\r")) or value != value.strip()
        quote = '\\"' if self.layout.escaped else '""'
        return '"' + value.replace('"', quote) + '"' if quoted else value


class _Json:
    """Claims as keys of the object: text, or a list where there are several."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def header(self, text: str) -> str:
        return text

    def filled(self, text: str, row: KnownRow) -> tuple[str, Filled]:
        known = row[2]
        if not known:
            return text, Filled()
        spans, end = _value_spans(text)
        cells = {
            name: ", ".join(value)
            if _is_texts(value)
            else text[start:stop]
            if isinstance(value, list | dict)
            else value
            for name, (start, stop, value) in spans.items()
        }
        made = self.places.filled(row[0], cells, known)
        several = {column: [claim["value"] for claim in known[attribute]] for attribute, column in made.written.items()}
        changes: list[tuple[int, int, str]] = []
        more = ""
        for name, value in made.cells.items():
            values = several.get(name, [])
            told = values if ", ".join(values) == value and len(values) > 1 else value
            packed = name in spans and isinstance(spans[name][2], list | dict) and not _is_texts(spans[name][2])
            new = value if packed else json.dumps(told, ensure_ascii=False)
            if name in spans:
                changes.append((*spans[name][:2], new))
            else:
                more += f"{', ' if spans or more else ''}{json.dumps(name)}: {new}"
        return _changed(text, changes, end, more), made


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


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
