"""XML: Google Merchant feeds (RSS and Atom), Icecat, YML, and any file that is a list of like elements.

Elements are read one at a time (lxml) and thrown away. Entities a file defines are not expanded, nothing is fetched.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.columns import fields_held
from reaseq.knowledge_store.feeds.dialect import Reading
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
_KNOWN = frozenset(("item", "entry", "product", "offer"))
"""What records are called in feeds of known systems."""
_LANGUAGE = re.compile(r"[a-z]{2}(?:[_-][A-Za-z]{2})?")
_NAMED = frozenset(("param", "attribute", "property", "feature", "characteristic", "specification"))
"""Elements that say by an attribute what their text is."""
_ENOUGH = 4
"""Fields of a product beyond which an inner element is no better record than an outer one."""
_DEEPEST_PATH = 10
_SAFE: dict[str, Any] = {"resolve_entities": False, "no_network": True, "huge_tree": False, "remove_comments": True}


def xml(path: Path, stream: BinaryIO, raw: BinaryIO, size: int, reading: Reading) -> Feed:
    """Raises FeedError if it is not well-formed from the beginning, no element repeats, or none is called as told."""
    scan = _Scan(path, stream, reading.encoding)
    trail = scan.records(reading.records)
    tag = trail[-1]
    stream.seek(0)
    columns, rows = with_columns(_rows(stream, tag, len(trail) - 1, scan.categories, reading.encoding))
    if not columns:
        raise FeedError(f"{path}: no element {tag!r} holds anything", hint=EXPORT_AS)
    kind = f"XML, an element {_local(tag)!r} each"
    layout = Layout("XML", columns=tuple(columns), place="/".join(map(_local, trail)))
    taken = {"records": "/".join(map(_local, trail))}
    if others := [name for name in scan.others(trail) if name != _local(tag)]:
        taken["records"] += f"   (or --records {', '.join(others[:5])})"
    return Feed(path, kind, columns, rows, size, lambda: size if raw.closed else raw.tell(), layout=layout, taken=taken)


def _events(stream: BinaryIO, encoding: str | None, **options: Any) -> Iterator[tuple[str, Any]]:
    """Elements as they begin and end. Blanks in front are passed over: some systems write an empty line before the
    declaration."""
    from lxml import etree

    start = stream.tell()
    blank = 0
    while (sign := stream.read(1)) and sign.isspace():
        blank += 1
    stream.seek(start + blank)
    try:
        return iter(etree.iterparse(stream, encoding=encoding, **options, **_SAFE))
    except LookupError as error:
        raise FeedError(f"XML is not read as {encoding}: {error}", hint="convert it to UTF-8, or --encoding") from error


class _Scan:
    """What elements a document has, by its beginning.

    seen: how often each trail of tags from the root occurs. held: the names of the elements and attributes within it.
    categories: of a list of categories in front of the products, each id's path.
    """

    def __init__(self, path: Path, stream: BinaryIO, encoding: str | None) -> None:
        from lxml import etree

        self.path = path
        self.seen: Counter[tuple[str, ...]] = Counter()
        self.held: dict[tuple[str, ...], dict[str, None]] = {}
        named: dict[str, tuple[str, str]] = {}
        trail: list[str] = []
        try:
            for number, (event, element) in enumerate(_events(stream, encoding, events=("start", "end"))):
                tag = str(element.tag)
                if event == "start":
                    trail.append(tag)
                    self.seen[tuple(trail)] += 1
                    if len(trail) > 1:
                        self._holds(trail[:-1], [tag])
                    if element.attrib:
                        self._holds(trail, map(str, element.attrib))
                else:
                    trail.pop()
                    if _local(tag) == "category" and element.get("id") and (element.text or "").strip():
                        parent = element.get("parentId") or element.get("parent_id") or ""
                        named[element.get("id")] = element.text.strip(), parent
                    element.clear()
                if number > _SCANNED:
                    break
        except etree.XMLSyntaxError as error:
            if not self.seen:
                raise FeedError(f"{path}: not well-formed XML: {error}", hint="export it again") from error
        self.categories = {key: _path_of(key, named) for key in named}

    def _holds(self, trail: list[str], names: Iterable[str]) -> None:
        self.held.setdefault(tuple(trail), {}).update(dict.fromkeys(map(_local, names)))

    def records(self, told: str | None) -> tuple[str, ...]:
        """The trail of the records: as told, else the elements that hold most of what products have."""
        if told:
            wanted = tuple(told.replace("/", ".").strip(".").split("."))
            found = [trail for trail in self.held if tuple(map(_local, trail))[-len(wanted) :] == wanted]
            if not found:
                names = dict.fromkeys(_local(trail[-1]) for trail in self.held if len(trail) > 1)
                raise FeedError(
                    f"{self.path}: --records {told}: no such element; there are: {', '.join(list(names)[:10])}",
                    hint=f"--records {next(iter(names), 'NAME')}",
                )
            return min(found, key=len)
        if not self.held:
            raise FeedError(f"{self.path} is XML without elements that hold anything", hint=EXPORT_AS)
        return max(self.held, key=self._score)

    def others(self, trail: tuple[str, ...]) -> list[str]:
        """Names of other elements that may be records."""
        several = [other for other in self.held if self.seen[other] > 1 and other[: len(trail)] != trail]
        return list(dict.fromkeys(_local(other[-1]) for other in sorted(several, key=self._score, reverse=True)))

    def _score(self, trail: tuple[str, ...]) -> tuple[Any, ...]:
        """A title and other fields of products; what repeats before what does not, the outer before the inner."""
        fields, titled = fields_held(self.held[trail])
        known = _local(trail[-1]).casefold() in _KNOWN
        repeats = self.seen[trail] > 1 or known
        return titled and repeats, min(fields, _ENOUGH), known, repeats and len(trail) > 1, -len(trail), fields


def _path_of(key: str, named: Mapping[str, tuple[str, str]]) -> str:
    steps: list[str] = []
    while key in named and len(steps) < _DEEPEST_PATH:
        name, key = named[key]
        steps.insert(0, name)
    return " > ".join(steps)


def _rows(stream: BinaryIO, tag: str, depth: int, categories: Mapping[str, str], encoding: str | None) -> Iterator[Row]:
    from lxml import etree

    line = 0
    try:
        for _, element in _events(stream, encoding, events=("end",), tag=tag):
            if sum(1 for _ in element.iterancestors()) != depth:
                continue  # one within a record: related products
            line = element.sourceline or line + 1
            values = _values(element)
            if isinstance(values, dict):
                values = flat(values)
                if path := categories.get(str(values.get("categoryId") or values.get("category_id") or "")):
                    values = {"category": path} | values
                yield checked(line, values)
            else:
                yield BadRow(line, "holds nothing", "")
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
    if depth and children and (text or any((child.tail or "").strip() for child in children)):
        # Words with markup among them: "Soft <b>leather</b> upper".
        from lxml import etree

        marked = (element.text or "").lstrip() + "".join(
            etree.tostring(child, encoding="unicode") for child in children
        )
        return marked if not element.attrib else {**dict(element.attrib), "text": marked}
    made: dict[str, Any] = {_local(str(name)): str(value) for name, value in element.attrib.items()}
    for child in children:
        name, value = _local(child.tag), _values(child, depth + 1)
        if isinstance(value, dict) and value.keys() - {"name"} == {"unit", "text"}:
            value = value | {"text": f"{value['text']} {value['unit']}"}  # <param name="Heel" unit="mm">40</param>
            value = value["text"] if "name" not in value else value
        if name in _NAMED and isinstance(value, dict) and value.get("name") and "text" in value:
            name, value = value["name"], value["text"]  # <param name="Colour">black</param>
        elif isinstance(value, dict) and value.keys() == {"lang", "text"} and _LANGUAGE.fullmatch(value["lang"]):
            name, value = f"{name}.{value['lang']}", value["text"]  # <name xml:lang="en">
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
