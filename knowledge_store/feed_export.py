"""A feed file with what is known filled in: the same file, with empty cells filled and columns added.

Nothing else changes: in text files, cells that are not filled are the same byte for byte, and rows have as many cells
as the header. Beside it lies a file that says where each value comes from, a JSON line a value.
"""

import codecs
import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from reaseq import ReaseqError
from reaseq.knowledge_store.cell_values import CellValues
from reaseq.knowledge_store.evidence import still_stands
from reaseq.knowledge_store.export import defused, undefused, whole
from reaseq.knowledge_store.feeds.columns import in_other_languages, names_a_title
from reaseq.knowledge_store.feeds.delimited import cell_spans
from reaseq.knowledge_store.feeds.dialect import FOUND_OUT, Reading
from reaseq.knowledge_store.feeds.json_rows import EACH
from reaseq.knowledge_store.feeds.opening import open_feed, understood
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Layout, Record, plain
from reaseq.knowledge_store.filling import Filled, Known, KnownRow, OnRow, Places, writable
from reaseq.knowledge_store.importing import product_from, titled
from reaseq.knowledge_store.names import codes_in
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.table_export import fill_parquet, fill_workbook
from reaseq.knowledge_store.xml_export import fill_xml

_BATCH = 500
_ENDINGS = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".tab"), "text"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "JSON"),
    **dict.fromkeys((".xlsx", ".xlsm"), "Excel"),
    **{".xml": "XML", ".parquet": "Parquet"},
}
"""What the endings of files say that they are."""
_NOTED = (
    *("value", "claim_type", "status", "verdict", "confidence", "field", "start", "end", "quote", "reason"),
    *("found_by", "decided_by", "model", "prompt_fingerprint", "schema_version", "run_id"),
)


@dataclass
class FillReport:
    """rows: of the file. touched: those that changed. filled: values in cells that were empty or held what somebody
    edited. added: values in `new_columns`. held: values that stay out, as the row says something of them already.
    other_text: rows whose title or description is not what the product was read from, and that are left as they are.
    outdated: verified values that rest on words which are gone since. unwritable: values that the file's encoding has
    no signs for, and the first. columns: those that the file has not. used: those that were written."""

    columns: list[str]
    rows: int = 0
    touched: int = 0
    filled: int = 0
    added: int = 0
    held: int = 0
    other_text: int = 0
    outdated: int = 0
    unwritable: int = 0
    first_unwritable: str = ""
    new_columns: set[str] = field(default_factory=set)
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

    A product's claims stand in its own rows; rows that only bring variants or pictures stay as they are, and so do
    those with another text than the product was imported with. What a row says of an attribute stays, whatever its
    column is called, unless somebody edited the value: the new one stands where the old one stood, in the cell's own
    way. With nothing known, the file comes out as it went in. `defuse` puts a quote mark before
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
    ending = target.suffix.casefold()
    if (
        ending in _ENDINGS
        and path.suffix.casefold() in _ENDINGS
        and _ENDINGS[ending] != _ENDINGS[path.suffix.casefold()]
    ):
        raise ReaseqError(
            f"{target} would be {layout.kind}, as the feed is, whatever its name says",
            hint=f"reaseq export {path} {target.with_suffix(path.suffix)}",
        )
    if target.exists() and target.samefile(path):
        raise ReaseqError(f"{target} is the feed itself", hint=f"reaseq export {path} filled-{path.name}")
    sound = partial(store.sound_claims, only_decided=only_decided, least=least)
    # Of all products: an update by another file may have touched the feed's. Columns that are not used go again.
    attributes = store.known_attributes(only_decided=only_decided, least=least)
    feed, mapping = titled(
        store, *understood(feed, overrides, locale, codes_in(store, source)), overrides or {}, source
    )
    schemas = [stored.schema for name in store.categories() if name and (stored := store.latest_schema(name))]
    prose = [column for name, column in mapping.items() if name in ("id", "title", "description", "brand")]
    shut = [column for name, column in mapping.items() if name in ("category", "price", "list_price", "currency")]
    spares = layout.kind in ("Excel", "Parquet")
    places = Places.of(layout.columns, attributes, feed, CellValues(schemas), prose, shut, spares=spares)

    def write(partial: Path, sidecar: io.TextIOBase, feed: Feed, places: Places) -> FillReport:
        report = FillReport(places.added)

        def on_row(row: KnownRow, made: Filled) -> None:
            record, product_id, known = row
            columns = made.written
            report.rows += 1
            report.touched += bool(columns)
            report.held += made.held
            report.added += sum(column in made.new for column in columns.values())
            report.filled += sum(column not in made.new for column in columns.values())
            report.new_columns |= made.new
            report.unwritable += len(made.unwritable)
            report.first_unwritable = report.first_unwritable or next(iter(made.unwritable), "")
            report.used.update(columns.values())
            for attribute, column in columns.items():
                # XML tells columns by their labels, and cells by their places.
                place = next((one for one, name in made.called.items() if column in (one, name)), column)
                for claim in known[attribute]:
                    note = {"line": record.line, "product_id": product_id, "column": column, "attribute": attribute}
                    note |= {"label": made.called.get(place, column), "cell": plain(made.cells.get(place))}
                    note |= {"before": plain(made.before.get(place))}
                    sidecar.write(json.dumps(note | {name: claim[name] for name in _NOTED}, ensure_ascii=False) + "\n")
            if report.rows % _BATCH == 0:
                on_progress(feed, report)

        rows = _known(store, sound, feed, mapping, source, report)
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
                    again, _ = understood(opened(), overrides, locale)
                    report = write(partial, sidecar, again, replace(places, added=used))
                reports.append(report)
                return report.rows

            return whole(target, all_of_it)

    whole(target.with_name(f"{target.name}.provenance.jsonl"), both)
    return reports[0] if reports else FillReport([])


def _known(
    store: Store,
    sound: Callable[[Collection[str]], dict[str, Known]],
    feed: Feed,
    mapping: Mapping[str, str],
    source: str,
    report: FillReport,
) -> Iterator[KnownRow]:
    """Each row with the id of the product it tells of, and what is known of that, as far as it rests on what the row
    and the product say now."""
    others = in_other_languages(feed.columns, mapping)
    while batch := list(islice(feed.rows, _BATCH)):
        made = [
            product_from(row, mapping, None, others=others) if isinstance(row, Record) and row.product else None
            for row in batch
        ]
        own = [str(one["id"]) if isinstance(one, dict) else "" for one in made]
        ids = [f"{source}:{one}" if source and one else one for one in own]
        known, products = sound(set(ids)), store.texts(set(ids))
        for row, product_id, one in zip(batch, ids, made, strict=True):
            claims = known.get(product_id, {})
            if claims and isinstance(one, dict):
                of_product = products[product_id]
                if any(one[name].strip() not in ("", of_product[name].strip()) for name in ("title", "description")):
                    report.other_text += 1
                    claims = {}
                kept = {
                    name: [claim for claim in several if claim["decided_by"] or still_stands(claim, of_product)]
                    for name, several in claims.items()
                }
                report.outdated += sum(map(len, claims.values())) - sum(map(len, kept.values()))
                claims = {name: several for name, several in kept.items() if several}
            yield row, product_id, claims


def _fill_text(
    path: Path, target: Path, layout: Layout, writer: "_Writer", rows: Iterator[KnownRow], on_row: OnRow
) -> None:
    with _copying(path, target, layout) as (lines, out):
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
    """Where the elements of the arrays (or of the object, for `EACH`) begin that `place` names; of "", where the one
    object does."""
    at = _next(text, 1 if text.startswith("\ufeff") else 0)
    with suppress(ValueError, IndexError, RecursionError):  # the JSON breaks off: what is left is copied
        yield from _starts_in(text, at, place.split(".") if place else [])


def _starts_in(text: str, at: int, place: Sequence[str]) -> Iterator[int]:
    if not place:
        yield at
    elif text[at] == "{":
        spans = _value_spans(text[at:])[0]
        for name in spans if place[0] == EACH else {place[0]} & spans.keys():
            yield from _starts_in(text, at + spans[name][0], place[1:])
    elif text[at] == "[":
        at = _next(text, at + 1)
        while text[at] != "]":
            if not place[1:]:
                yield at
            end = json.JSONDecoder().raw_decode(text, at)[1]
            if place[1:]:
                yield from (at + start for start in _starts_in(text[at:end], 0, place[1:]))
            at = _next(text, end)


def _next(text: str, place: int) -> int:
    """The next place that is neither white space nor a comma."""
    while text[place : place + 1] in (" ", "\t", "\r", "\n", ","):
        place += 1
    return place


@contextmanager
def _copying(path: Path, target: Path, layout: Layout) -> Iterator[tuple[Iterator[str], io.TextIOBase]]:
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
        encoding, errors = exact.get(layout.encoding, layout.encoding), "reaseq.surrogates"
        text = io.TextIOWrapper(source, encoding=encoding, errors=errors, newline=layout.line_end)
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
        if not self.layout.header:
            return text
        number = self.layout.header - 1
        body = lines[number].rstrip("\r\n")
        cells = "".join(self.delimiter + self._cell(name) for name in self.places.added)
        lines[number] = body + cells + lines[number][len(body) :]
        return "".join(lines)

    def filled(self, text: str, row: KnownRow) -> tuple[str, Filled]:
        columns = self.layout.columns
        spans = cell_spans(text, self.delimiter, len(columns), escaped=self.layout.escaped, spaced=self.layout.spaced)
        known = row[2]
        pairs = zip(columns, spans, strict=False) if known else ()
        cells = {name: self._read(text[slice(*span)]) for name, span in pairs}
        made = writable(self.places.filled(row[0], cells, known), self.layout.encoding)
        number = {name: at for at, name in enumerate(columns)}
        changes = [
            (*spans[number[name]], self._cell(value, text[slice(*spans[number[name]])]))
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
        return undefused(self._unquoted(cell))

    def _unquoted(self, cell: str) -> str:
        if len(cell) >= 2 and cell[0] == cell[-1] == '"':
            return cell[1:-1].replace('\\"' if self.layout.escaped else '""', '"')
        if cell.startswith('"'):  # and goes on behind its second quote
            return next(csv.reader(io.StringIO(cell, newline=""), delimiter=self.delimiter), [""])[0]
        return cell

    def _cell(self, value: str, before: str = "") -> str:
        """before: the cell that it takes the place of, which may be one that no spreadsheet runs."""
        was_defused = undefused(said := self._unquoted(before)) != said
        value = defused(value) if self.defuse or was_defused else value
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
        cells = {name: value for name, (_, _, value) in spans.items()}
        made = self.places.filled(row[0], cells, known, joined=lambda values: values if len(values) > 1 else values[0])
        changes: list[tuple[int, int, str]] = []
        more = ""
        for name, value in made.cells.items():
            new = json.dumps(value, ensure_ascii=False)
            if name in spans:
                changes.append((*spans[name][:2], new))
            else:
                more += f"{', ' if spans or more else ''}{json.dumps(name)}: {new}"
        return _changed(text, changes, end, more), made


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
