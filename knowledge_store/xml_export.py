"""XML feeds with what is known filled in: text of empty elements, and elements that are new, at the end of a record.

The file is held in memory as a whole; but for what is filled in, it stays the same byte for byte.
"""

import codecs
import gzip
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import FeedError, Layout, Record
from reaseq.knowledge_store.filling import Known, KnownRow, OnRow, Places, fills

_DECLARED = re.compile(rb"""^<\?xml[^>]*encoding=["']([\w.-]+)["']""")
_START_TAG = re.compile(rb"""<(?:"[^"]*"|'[^']*'|[^>"'])*>""")


@dataclass
class _Child:
    """An element within a record: its tag with its prefix, and where its start tag begins and its end tag ends."""

    tag: str
    start: int
    end: int = 0


@dataclass
class _Element:
    """A record: its child elements, and where its start tag begins."""

    start: int
    children: list[_Child] = field(default_factory=list)


def fill_xml(path: Path, target: Path, layout: Layout, places: Places, rows: Iterator[KnownRow], on_row: OnRow) -> None:
    """`layout.place` is the way from the root to a record: local names with slashes.

    Raises:
        FeedError: the file defines entities of its own, or is not text in its encoding.
    """
    data = path.read_bytes()
    packed = data.startswith(b"\x1f\x8b")
    data = gzip.decompress(data) if packed else data
    encoding = _encoding(data)
    try:
        text = data.decode(encoding).encode()
    except (UnicodeDecodeError, LookupError) as error:
        raise FeedError(f"{path} is not text in its encoding: {error}", hint="export it again as UTF-8") from error
    made, after = [], 0
    for element in _elements(path, text, layout.place.split("/")):
        row = next(rows, None)
        if row is None:
            break
        written: dict[str, str] = {}
        if isinstance(row[0], Record):
            for start, end, value in _changes(text, element, row[2], places, written):
                made += [text[after:start], value]
                after = end
        on_row(row, written)
    whole = b"".join([*made, text[after:]]).decode()
    filled = whole.encode(encoding, errors="xmlcharrefreplace")
    target.write_bytes(gzip.compress(filled, mtime=0) if packed else filled)


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    declared = _DECLARED.match(data.removeprefix(codecs.BOM_UTF8))
    return declared.group(1).decode() if declared else "utf-8"


def _elements(path: Path, text: bytes, trail: list[str]) -> list[_Element]:
    """The records, in order; those before the place where the XML breaks off."""
    parser = expat.ParserCreate("utf-8")
    blank = len(text) - len(text.lstrip())  # an empty line before the declaration
    way: list[str] = []
    found: list[_Element] = []
    ended: list[_Element] = []

    def start(tag: str, _: object) -> None:
        way.append(tag.rpartition(":")[2])
        if way == trail:
            found.append(_Element(blank + parser.CurrentByteIndex))
        elif way[:-1] == trail:
            found[-1].children.append(_Child(tag, blank + parser.CurrentByteIndex))

    def end(_: str) -> None:
        if way[:-1] == trail:
            child = found[-1].children[-1]
            opening = _START_TAG.match(text, child.start)
            assert opening is not None
            empty = opening.group().endswith(b"/>")
            child.end = opening.end() if empty else text.index(b">", blank + parser.CurrentByteIndex) + 1
        elif way == trail:
            ended.append(found[-1])
        way.pop()

    def entity(*_: object) -> None:
        raise FeedError(f"{path} defines entities of its own", hint="export it again without them")

    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, entity
    with suppress(expat.ExpatError):  # the XML breaks off: what is left is copied
        parser.Parse(text[blank:], True)
    return ended


def _changes(
    text: bytes, element: _Element, known: Known, places: Places, written: dict[str, str]
) -> Iterator[tuple[int, int, bytes]]:
    """Which bytes become which others, in order; notes in `written` which attributes are there now."""
    if not element.children:
        return
    by_name = {folded(child.tag.rpartition(":")[2]): child for child in reversed(element.children)}
    prefixes = [child.tag.rpartition(":")[0] for child in element.children]
    prefix = max(prefixes, key=prefixes.count)
    changes, new = [], []
    for attribute, claims in known.items():
        value = ", ".join(claim["value"] for claim in claims)
        child = by_name.get(folded(attribute))
        tag = child.tag if child else f"{prefix}:{attribute}" if prefix else attribute
        if child is None:
            new.append(f"<{tag}>{escape(value)}</{tag}>".encode())
        else:
            held = text[child.start : child.end]
            opening = _START_TAG.match(held)
            assert opening is not None
            inner = held[opening.end() : held.rfind(b"</")] if not opening.group().endswith(b"/>") else b""
            if b"<" in inner or not fills(escape(value), inner.decode().strip(), claims):
                continue
            kept = opening.group().removesuffix(b"/>").removesuffix(b">").rstrip() + b">"
            changes.append((child.start, child.end, kept + f"{escape(value)}</{tag}>".encode()))
        written[attribute] = places.column[attribute]
    yield from sorted(changes)
    if new:
        last = element.children[-1]
        indent = last.start
        while text[indent - 1 : indent].isspace():
            indent -= 1
        yield last.end, last.end, b"".join(text[indent : last.start] + one for one in new)
