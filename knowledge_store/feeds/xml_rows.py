"""XML: Google Merchant feeds (RSS and Atom), Icecat, and any file that is a list of like elements.

Elements are read one at a time (lxml) and thrown away. Entities a file defines are not expanded, nothing is fetched.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.rows import (
    EXPORT_AS,
    BadRow,
    Feed,
    FeedError,
    Layout,
    Row,
    checked,
    flat,
    with_columns,
)

_SCANNED = 20_000
_SAFE: dict[str, Any] = {"resolve_entities": False, "no_network": True, "huge_tree": False, "remove_comments": True}


def xml(path: Path, stream: BinaryIO, raw: BinaryIO, size: int) -> Feed:
    """Raises FeedError if it is not well-formed from the beginning, or no element repeats."""
    trail = _trail_of_records(path, stream)
    tag = trail[-1]
    stream.seek(0)
    columns, rows = with_columns(_rows(stream, tag, depth=len(trail) - 1))
    if not columns:
        raise FeedError(f"{path}: no element {tag!r} holds anything", hint=EXPORT_AS)
    kind = f"XML, an element {_local(tag)!r} each"
    layout = Layout("XML", columns=tuple(columns), place="/".join(map(_local, trail)))
    return Feed(path, kind, columns, rows, size, lambda: size if raw.closed else raw.tell(), layout=layout)


def _trail_of_records(path: Path, stream: BinaryIO) -> tuple[str, ...]:
    """The tags from the root to a record: the shallowest that repeats and holds elements or attributes."""
    from lxml import etree

    seen: Counter[tuple[str, ...]] = Counter()
    holding: set[tuple[str, ...]] = set()
    trail: list[str] = []
    try:
        for number, (event, element) in enumerate(etree.iterparse(stream, events=("start", "end"), **_SAFE)):
            tag = str(element.tag)
            if event == "start":
                trail.append(tag)
                seen[tuple(trail)] += 1
                if len(trail) > 1:
                    holding.add(tuple(trail[:-1]))
                if element.attrib:
                    holding.add(tuple(trail))
            else:
                trail.pop()
                element.clear()
            if number > _SCANNED:
                break
    except etree.XMLSyntaxError as error:
        if not seen:
            raise FeedError(f"{path}: not well-formed XML: {error}", hint="export it again") from error
    known = [
        trail for trail in seen if _local(trail[-1]) in ("item", "entry", "Product", "product") and trail in holding
    ]
    several = [trail for trail in seen if seen[trail] > 1 and len(trail) > 1 and trail in holding]
    ranked = sorted(known, key=len) + sorted(several, key=len) + sorted(holding, key=len)
    if not ranked:
        raise FeedError(f"{path} is XML without elements that hold anything", hint=EXPORT_AS)
    return ranked[0]


def _rows(stream: BinaryIO, tag: str, depth: int) -> Iterator[Row]:
    from lxml import etree

    line = 0
    try:
        for _, element in etree.iterparse(stream, events=("end",), tag=tag, **_SAFE):
            if sum(1 for _ in element.iterancestors()) != depth:
                continue  # one within a record: related products
            line = element.sourceline or line + 1
            values = _values(element)
            yield checked(line, flat(values)) if isinstance(values, dict) else BadRow(line, "holds nothing", "")
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        yield BadRow(error.lineno or line, f"the XML breaks off here: {error.msg}", "")


def _values(element: Any, depth: int = 0) -> dict[str, Any] | str:
    """An element's attributes and children by name, without namespaces; its text, if it has none of them."""
    text = (element.text or "").strip()
    children = [child for child in element if isinstance(child.tag, str)]
    if (not children and not element.attrib) or depth > 20:
        return text or " ".join(element.itertext()).strip()
    made: dict[str, Any] = {_local(str(name)): str(value) for name, value in element.attrib.items()}
    for child in children:
        name, value = _local(child.tag), _values(child, depth + 1)
        if name not in made:
            made[name] = value
        elif isinstance(made[name], list):
            made[name].append(value)
        else:
            made[name] = [made[name], value]
    if text:
        made["text"] = text
    return made


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
