"""XML feeds with what is known filled in: text of empty elements, and elements that are new, at the end of a record.

The file is held in memory as a whole; but for what is filled in, it stays the same byte for byte.
"""

import codecs
import gzip
import html
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from reaseq.knowledge_store.feeds.rows import FeedError, Layout, Record
from reaseq.knowledge_store.feeds.xml_rows import before_it, sound
from reaseq.knowledge_store.filling import Filled, KnownRow, OnRow, Places

_BY_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_HEAD = 1 << 16
_CDATA = re.compile(r"<!\[CDATA\[(.*)\]\]>", re.DOTALL)
_NAMED = re.compile(rb"""\s(?:name|code|key|label)\s*=\s*["']([^"']+)["']""")
_UNIT = re.compile(rb"""\sunit\s*=\s*["']([^"']+)["']""")
_ATTRIBUTE = re.compile(rb"""\s([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')""")
_START_TAG = re.compile(rb"""<(?:"[^"]*"|'[^']*'|[^>"'])*>""")


@dataclass
class _Child:
    """An element within a record: its tag with its prefix, and where its start tag begins and its end tag ends."""

    tag: str
    start: int
    end: int = 0
    children: list["_Child"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.tag.rpartition(":")[2]


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
    encoding = _BY_MARKS.get(data[:2], layout.encoding)
    try:
        text = data.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise FeedError(f"{path} is not text in its encoding: {error}", hint="export it again as UTF-8") from error
    made, after = [], 0
    for element in _elements(path, text, layout.place.split("/")):
        row = next(rows, None)
        if row is None:
            break
        filled = Filled()
        if isinstance(row[0], Record) and row[2] and element.children:
            filled, changes = _changes(text, element, row, places)
            for start, end, value in changes:
                made += [text[after:start], value]
                after = end
        on_row(row, filled)
    whole = b"".join([*made, text[after:]]).decode()
    written = whole.encode(encoding, errors="xmlcharrefreplace")
    target.write_bytes(gzip.compress(written, mtime=0) if packed else written)


def _elements(path: Path, text: bytes, trail: list[str]) -> list[_Element]:
    """The records, in order; those before the place where the XML breaks off."""
    parser = expat.ParserCreate("utf-8")
    head = text[:_HEAD].decode(errors="ignore")
    blank = len(head[: before_it(head)[0]].encode())  # lines before the declaration
    way: list[str] = []
    found: list[_Element] = []
    ended: list[_Element] = []

    def start(tag: str, _: object) -> None:
        way.append(tag.rpartition(":")[2])
        if way == trail:
            found.append(_Element(blank + parser.CurrentByteIndex))
        elif way[:-1] == trail:
            found[-1].children.append(_Child(tag, blank + parser.CurrentByteIndex))
        elif way[:-2] == trail:
            found[-1].children[-1].children.append(_Child(tag, blank + parser.CurrentByteIndex))

    def end(_: str) -> None:
        if way[:-1] == trail or way[:-2] == trail:
            child = found[-1].children[-1]
            if way[:-2] == trail:
                child = child.children[-1]
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
        # Only places are taken from it: what it must not meet has as many other bytes.
        parser.Parse(sound(text[blank:], lambda unsound: b" " * len(unsound))[0], True)
    return ended


_Change = tuple[int, int, bytes]
"""Bytes, and what becomes of them."""


def _changes(text: bytes, element: _Element, row: KnownRow, places: Places) -> tuple[Filled, list[_Change]]:
    """What becomes of a record, and of its bytes, in order."""
    known = row[2]
    children: dict[str, _Child] = {}
    labels: dict[str, str] = {}
    pairs: dict[str, str] = {}
    cells: dict[str, str] = {}
    asked_in = ""
    for at, child in enumerate(element.children):
        names = {inner.name: inner for inner in child.children}
        if {"attribute_name", "attribute_value"} <= names.keys():
            # Google's product details: each a name and a value.
            pairs[f"{at}.name"] = f"{at}.value"
            cells[f"{at}.name"] = labels[f"{at}.value"] = _text_of(text, names["attribute_name"])
            children[f"{at}.value"] = names["attribute_value"]
        elif not child.children and (named := _NAMED.search(_opening(text, child))):
            # <param name="Color">
            pairs[f"{at}.name"] = f"{at}.value"
            cells[f"{at}.name"] = labels[f"{at}.value"] = html.unescape(named[1].decode())
            children[f"{at}.value"] = child
            asked_in = child.tag
        elif child.children and len({inner.name for inner in child.children}) == 1:
            # <colors><color>red</color> ...
            for number, inner in enumerate(child.children):
                children[f"{at}.{number}"], labels[f"{at}.{number}"] = inner, inner.name
        elif not child.children:
            key = places.spelled(child.name)
            if key in children:
                key = f"{at}.{key}"
                labels[key] = child.name
            children[key] = child
    cells |= {name: _text_of(text, child) for name, child in children.items()}
    for name, child in children.items():
        if unit := _UNIT.search(_opening(text, child)):
            labels[name] = f"{labels.get(name, name)} ({unit[1].decode()})"
            if (of_name := next((key for key, value in pairs.items() if value == name), None)) is not None:
                cells[of_name] = labels[name]
    attributes: dict[str, tuple[int, int]] = {}
    for found in _ATTRIBUTE.finditer(_opening(text, element)):
        name = found[1].decode().rpartition(":")[2]
        if name not in places.prose:
            key = f"@{name}"
            start, end = found.span(2)
            attributes[key] = element.start + start, element.start + end
            labels[key], cells[key] = name, html.unescape(found[2].decode()[1:-1])
    filled = places.filled(row[0], cells, known, pairs=pairs, labels=labels)
    prefixes = [child.tag.rpartition(":")[0] for child in element.children]
    prefix = max(prefixes, key=prefixes.count)
    colon = f"{prefix}:" if prefix else ""
    changes: list[_Change] = []
    for name, value in filled.cells.items():
        if (child_of := children.get(name)) is not None:
            kept = _opening(text, child_of).removesuffix(b">").removesuffix(b"/").rstrip() + b">"
            changes.append((child_of.start, child_of.end, kept + f"{escape(value)}</{child_of.tag}>".encode()))
        elif name in attributes:
            changes.append((*attributes[name], quoteattr(value).encode()))
    new = []
    for attribute, column in filled.written.items():
        if column not in children and column not in attributes:
            value = ", ".join(dict.fromkeys(claim["value"] for claim in known[attribute]))
            new.append(_new_element(attribute, column, value, colon, asked_in, places).encode())
    if new:
        last = element.children[-1]
        indent = last.start
        while text[indent - 1 : indent].isspace():
            indent -= 1
        changes.append((last.end, last.end, b"".join(text[indent : last.start] + one for one in new)))
    filled.new = {column for column in filled.written.values() if column not in children.keys() | attributes.keys()}
    filled.written = {name: labels.get(column, column) for name, column in filled.written.items()}
    return filled, sorted(changes)


def _new_element(attribute: str, column: str, value: str, colon: str, asked_in: str, places: Places) -> str:
    title = attribute.replace("_", " ").capitalize()
    packing = places.writing.packing
    if packing is not None and column == packing.column:
        inner = f"<{colon}attribute_name>{escape(title)}</{colon}attribute_name>"
        inner += f"<{colon}attribute_value>{escape(value)}</{colon}attribute_value>"
        return f"<{colon}{column}>{inner}</{colon}{column}>"
    if asked_in:
        return f"<{asked_in} name={quoteattr(title)}>{escape(value)}</{asked_in}>"
    return f"<{colon}{column}>{escape(value)}</{colon}{column}>"


def _opening(text: bytes, child: "_Child | _Element") -> bytes:
    found = _START_TAG.match(text, child.start)
    assert found is not None
    return found.group()


def _text_of(text: bytes, child: _Child) -> str:
    """What stands in an element without others."""
    opening = _opening(text, child)
    if opening.endswith(b"/>"):
        return ""
    inner = text[child.start + len(opening) : text.rfind(b"</", child.start + len(opening), child.end)].decode().strip()
    marked = _CDATA.fullmatch(inner)
    return marked[1] if marked else html.unescape(inner)
