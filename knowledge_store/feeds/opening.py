"""Opens a feed file: what it is, is told by its content, never by its ending."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from reaseq.knowledge_store.feeds.columns import (
    fields_among,
    fields_of,
    folded,
    must_name_products,
    names_a_description_too,
    names_a_title,
    names_an_id,
)
from reaseq.knowledge_store.feeds.delimited import delimited
from reaseq.knowledge_store.feeds.dialect import FOUND_OUT, IsHeader, Reading
from reaseq.knowledge_store.feeds.doubtful import Codes, are_doubtful, by_codes
from reaseq.knowledge_store.feeds.encoding import encoding_of
from reaseq.knowledge_store.feeds.excel import excel
from reaseq.knowledge_store.feeds.json_rows import json_feed
from reaseq.knowledge_store.feeds.mixed import in_one, in_parts
from reaseq.knowledge_store.feeds.own_cells import without_own_cells
from reaseq.knowledge_store.feeds.pages import page
from reaseq.knowledge_store.feeds.parquet import parquet
from reaseq.knowledge_store.feeds.prices import CURRENCIES
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Record, identifier, is_empty, text_of
from reaseq.knowledge_store.feeds.shapes import shaped
from reaseq.knowledge_store.feeds.strange_rows import without_strange_rows
from reaseq.knowledge_store.feeds.xml_rows import before_it, xml
from reaseq.knowledge_store.names import ROUNDED, is_barcode

_SAMPLE = 1 << 20
_PEEKED = 500
_TOLD = ("id", "title", "description", "brand", "category")
"""Fields; of prices an empty column says that there is no sale."""
_LONGEST_TITLE = 150
_OF_ROWS = frozenset(("nr", "no", "lp", "pos", "number"))
"""What columns of ids are called, and such of numbers of rows."""
_CODE = re.compile(r"(?=.*[^\W_])[\w#][\w./#:+-]{0,39}")
_AMOUNT = re.compile(r"\d+[.,]\d{1,2}|(?:19|20)\d\d-\d\d-\d\d.*|\d{1,2}\.\d{1,2}\.\d{4}|https?:.*")
"""Prices, days and addresses."""
_FEEDS = frozenset((".csv", ".tsv", ".txt", ".tab", ".json", ".jsonl", ".ndjson", ".xml", ".xlsx", ".xlsm", ".parquet"))
_PAGE = re.compile(r"<html(?![:\w-])|^<!doctype html|^<(?:table|meta|style|body|head)\b", re.IGNORECASE)
"""How web pages begin, and tables that are called .xls."""
_COMMENTED = re.compile(r"(?:(?://[^\n]*\n|/\*.*?\*/)\s*)+[\[{]", re.DOTALL)
_NO_FEED = re.compile(
    r"(?:read[ _-]?me|lies[ _-]?mich|lisez[ _-]?moi|leeme|licen[cs]e|changelog|manifest)\b", re.IGNORECASE
)
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def open_feed(
    path: Path, reading: Reading = FOUND_OUT, is_header: IsHeader = names_a_title, *, as_evidence: bool = False
) -> Feed:
    """Open a feed file and find out what it is and which system wrote it.

    is_header: may these be the names of its columns? as_evidence: is it to be without what an export filled in?

    Raises:
        FeedError: it is missing, holds no rows, is of no known format, or not as `reading` says.
    """
    feed = _open(path, reading, is_header)
    feed = shaped(without_own_cells(feed) if as_evidence else feed)
    first = next(feed.rows, None)
    if first is None:
        raise FeedError(f"{path} names its columns and holds no rows", hint="export it again, with its products")
    return replace(feed, rows=chain([first], feed.rows))


def understood(
    feed: Feed,
    overrides: Mapping[str, str] | None = None,
    locale: str | None = None,
    codes: Codes | None = None,
) -> tuple[Feed, dict[str, str]]:
    """The feed, and field to column: see `guess_columns`. Of two columns that may be the id, the title or the like, one
    in which nothing stands comes last; what an object says in some records and a cell in others stands in one.
    Rows of other tables are set aside.

    codes: of the catalogue that the feed is for, which tell an id that is called like a title (`Artikel`).

    Raises:
        FeedError: an override names no field or no column, or nothing can be the title, or the id of an update.
    """
    named = {**feed.fields, **(overrides or {})}
    mapping = fields_of(feed.columns, named, locale)
    columns = in_parts(feed.columns, mapping, named, lambda some: fields_of(some, named, locale))
    if len(columns) < len(feed.columns):
        feed, mapping = replace(feed, columns=columns), fields_of(columns, named, locale)
    peeked = list(islice(feed.rows, _PEEKED))
    records = [row.values for row in peeked if isinstance(row, Record)]
    if mapping.keys().isdisjoint({"price", "currency"}) and (own := _of_currencies(feed.columns, records)):
        mapping = fields_of(feed.columns, {**named, "currency": own}, locale)  # SAP calls it "Einh."
    filled = {name for name in feed.columns if any(not is_empty(values.get(name)) for values in records)}
    others = fields_of([one for one in feed.columns if one in filled or one in named.values()], named, locale)
    for field in _TOLD:
        if mapping.get(field, "") not in ("", *filled, named.get(field)) and (column := others.get(field)):
            mapping[field] = column
    if "title" not in named and names_a_description_too(mapping.get("title", "")):
        texts = sorted(len(text_of(values.get(mapping["title"]))) for values in records)
        if texts and texts[len(texts) // 2] > _LONGEST_TITLE and "id" in mapping:
            mapping.setdefault("description", mapping.pop("title"))
    if doubtful := are_doubtful(feed.columns, mapping, named, records):
        others = fields_of([one for one in feed.columns if one not in doubtful], named, locale)
        mapping = {field: others.get(field, "") if one in doubtful else one for field, one in mapping.items()}
        mapping = {field: one for field, one in mapping.items() if one}
    if codes is not None:
        mapping = by_codes(feed.columns, mapping, named, records, codes)
    if "id" not in named:
        mapping = _with_own_numbers(feed.columns, mapping, records)
    must_name_products(feed.columns, mapping)
    rows = without_strange_rows(chain(peeked, feed.rows), mapping, records)
    return in_one(replace(feed, rows=rows), mapping, _fields_among), mapping


def _of_currencies(columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> str:
    """The column in which nothing but currencies stand."""
    for column in columns:
        said = {text_of(values[column]).strip() for values in records if not is_empty(values.get(column))}
        if said and said <= CURRENCIES:
            return column
    return ""


def _fields_among(columns: Sequence[str]) -> Mapping[str, str]:
    return fields_among(tuple(columns))


def _with_own_numbers(
    columns: Sequence[str], mapping: dict[str, str], records: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """The same with the column of a shop's own numbers for the id, where names tell of none but barcodes, or of numbers
    of rows: one that is filled in everywhere, with codes that occur once. Barcodes that a spreadsheet has rounded are
    none."""
    own = mapping.get("id", "")
    barcodes = own != "" and is_barcode(own)
    if own and not barcodes and not (folded(own) in _OF_ROWS and _counts_rows(own, records)):
        return mapping
    used = {column for field, column in mapping.items() if field != "id"}
    free = [column for column in columns if column not in used and column != own and not is_barcode(column)]
    named = [column for column in free if names_an_id(column) and _are_own_numbers(column, records)]
    said = (one for one in columns if any(not is_empty(values.get(one)) for values in records))
    first = [one for one in islice(said, 1) if one in free and names_an_id(one) is None and len(records) > 1]
    codes = [one for one in columns if own and not barcodes and is_barcode(one) and one not in used]
    found = [*named, *(one for one in (*first, *codes) if _are_own_numbers(one, records))]
    if found:
        return {"id": found[0]} | {field: column for field, column in mapping.items() if field != "id"}
    rounded = sum(ROUNDED.fullmatch(text_of(values.get(own)).strip()) is not None for values in records)
    if barcodes and rounded > len(records) / 2:
        return {field: column for field, column in mapping.items() if field != "id"}
    return mapping


def _counts_rows(column: str, records: Sequence[Mapping[str, Any]]) -> bool:
    numbers = [identifier(values.get(column)) for values in records]
    return any(numbers == [str(first + at) for at in range(len(numbers))] for first in (0, 1))


def _are_own_numbers(column: str, records: Sequence[Mapping[str, Any]]) -> bool:
    """Is there a code in every row, and none twice?"""
    codes = [identifier(values.get(column)) for values in records]
    return (
        len(set(codes)) == len(codes)
        and all(_CODE.fullmatch(code) and not _AMOUNT.fullmatch(code) and not ROUNDED.fullmatch(code) for code in codes)
        and any(any(map(str.isdigit, code)) for code in codes)
        and not _counts_rows(column, records)
    )


def _open(path: Path, reading: Reading, is_header: IsHeader) -> Feed:
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
        return parquet(path, raw, size)
    if head == _ZIP:
        return _zipped(path, raw, size, reading, is_header)
    if head == _OLD_OFFICE:
        raise FeedError(f"{path} is a workbook of an Excel before 2007", hint="save it as .xlsx")
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if head[:2] == b"\x1f\x8b" else raw
    return _text(path, stream, raw, size, reading, is_header)


def _text(path: Path, stream: BinaryIO, raw: BinaryIO, size: int, reading: Reading, is_header: IsHeader) -> Feed:
    try:
        found = encoding_of(stream, path, reading.encoding)
        sample = stream.read(_SAMPLE)
        stream.seek(0)
    except (OSError, EOFError, zlib.error) as error:
        raise FeedError(f"{path}: broken gzip file: {error}", hint="export it again") from error
    text_start = sample.decode(found.name, errors="ignore").lstrip("\ufeff")
    begin, before = before_it(text_start)
    start = text_start[begin:].lstrip()
    if start.startswith("<"):
        is_page = _PAGE.search(start[:2000]) is not None
        feed = (
            page(path, stream, found.name, size, is_header)
            if is_page
            else xml(path, stream, raw, size, reading, found.name)
        )
        if before:
            lines = before.splitlines()
            told = f"{len(lines)} line{'s' * (len(lines) > 1)} before <?xml left out: {lines[0][:_LONGEST_TITLE]}"
            feed = replace(feed, doubts=(*feed.doubts, told))
    else:
        text = io.TextIOWrapper(stream, encoding=found.name, errors="reaseq.surrogates", newline="")
        if _COMMENTED.match(start):
            raise FeedError(f"{path} is JSON with comments, which JSON has not", hint="take the comments out")
        if start.startswith(("{", "[")):
            feed = json_feed(path, text, raw, size, start, reading, is_header)
        else:
            feed = delimited(path, text, raw, size, text_start, reading, is_header)
    how = f" ({found.how})" if found.how else ""
    shown = f", e.g. {found.sample!r}" if found.sample else ""
    return replace(feed, taken={"encoding": f"{found.name}{how}{shown}", **feed.taken})


def _zipped(path: Path, raw: BinaryIO, size: int, reading: Reading, is_header: IsHeader) -> Feed:
    """A workbook, or an archive that holds one feed."""
    try:
        archive = zipfile.ZipFile(raw)
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        if "[Content_Types].xml" in names:
            return excel(path, raw, size, reading, is_header)
        files = [
            name for name in names if not (name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith("."))
        ]
        feeds = [name for name in files if PurePosixPath(name).suffix.casefold() in _FEEDS] or files
        feeds = [name for name in feeds if not _NO_FEED.match(PurePosixPath(name).name)] or feeds
        if len(feeds) > 1:  # notes beside it
            feeds = [name for name in feeds if PurePosixPath(name).suffix.casefold() != ".txt"] or feeds
        if len(feeds) != 1:
            raise FeedError(
                f"{path} holds {len(feeds)} files: {', '.join(feeds[:5]) or 'none'}",
                hint=f"unzip {path}, and import one after the other",
            )
        member = archive.open(feeds[0])
        start = member.read(4)
        member.seek(0)
        if start == _ZIP or start == b"PAR1":
            whole = io.BytesIO(member.read())
            feed = parquet(path, whole, size) if start == b"PAR1" else excel(path, whole, size, reading, is_header)
        else:
            feed = _text(path, cast(BinaryIO, member), raw, size, reading, is_header)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        zlib.error,
    ) as error:  # encrypted, or a rare method
        raise FeedError(
            f"{path} is an archive that cannot be read: {error}", hint="unzip it, and import the file"
        ) from error
    return replace(feed, format=f"{feed.format}, in a zip archive", layout=None, taken={"file": feeds[0], **feed.taken})
