"""Opens a feed file: what it is, is told by its content, never by its ending."""

import codecs
import gzip
import io
import zlib
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from reaseq.knowledge_store.feeds.delimited import delimited
from reaseq.knowledge_store.feeds.excel import excel
from reaseq.knowledge_store.feeds.json_rows import json_feed
from reaseq.knowledge_store.feeds.pages import page
from reaseq.knowledge_store.feeds.parquet import parquet
from reaseq.knowledge_store.feeds.rows import EXPORT_AS, Feed, FeedError
from reaseq.knowledge_store.feeds.shapes import shaped
from reaseq.knowledge_store.feeds.xml_rows import xml

_SAMPLE = 1 << 20
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def open_feed(path: Path) -> Feed:
    """Open a feed file and find out what it is and which system wrote it.

    Raises:
        FeedError: it is missing, holds no rows, or is of no known format.
    """
    feed = shaped(_open(path))
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
        return parquet(path, raw, size)
    if head == _ZIP:
        return excel(path, raw, size)
    if head == _OLD_OFFICE:
        raise FeedError(f"{path} is a workbook of an Excel before 2007", hint="save it as .xlsx")
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if head[:2] == b"\x1f\x8b" else raw
    try:
        sample = stream.read(_SAMPLE)
        stream.seek(0)
    except (OSError, EOFError, zlib.error) as error:
        raise FeedError(f"{path}: broken gzip file: {error}", hint="export it again") from error
    encoding = _encoding(sample, path)
    start = sample.decode(encoding, errors="ignore").lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        is_page = "<html" in start[:2000].casefold() or start[:14].casefold() == "<!doctype html"
        return page(path, stream, encoding, size) if is_page else xml(path, stream, raw, size)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="reaseq.surrogates", newline="")
    if start.startswith(("{", "[")):
        return json_feed(path, text, raw, size, start)
    return delimited(path, text, raw, size, start)


def _encoding(sample: bytes, path: Path) -> str:
    for bom, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(bom):
            return name
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 5 and min(even, odd) <= len(sample) // 50:
        return "utf-16-be" if even > odd else "utf-16-le"
    controls = sum(sample.count(byte) for byte in range(32) if byte not in b"\t\n\r")
    if controls > max(10, len(sample) // 20):
        raise FeedError(f"{path} is a binary file of no known format", hint=EXPORT_AS)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8"
    except UnicodeDecodeError:
        # What Excel writes on Windows; every byte but five means something in it.
        return "cp1252"
