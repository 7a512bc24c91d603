"""XML: Google Merchant feeds (RSS and Atom), Icecat, YML, and any file that is a list of like elements.

Elements are read one at a time (lxml) and thrown away. Entities a file defines are not expanded, nothing is fetched.
What many write and XML does not allow is read as it is meant: HTML's names of characters, a bare "&", control
characters.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html.entities import html5
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.columns import apart, fields_among, fields_held, folded, option_key
from reaseq.knowledge_store.feeds.dialect import Reading
from reaseq.knowledge_store.feeds.rows import (
    EXPORT_AS,
    LANGUAGE,
    BadRow,
    Feed,
    FeedError,
    Layout,
    Record,
    Row,
    checked,
    flat,
    is_empty,
    short_language,
    strings,
    with_columns,
)

_SCANNED = 20_000
_GOOGLES = "{http://base.google.com/"
"""Namespaces of Google Merchant."""
_HEADS = frozenset(("header", "head", "meta", "metadata"))
"""Elements that say something of all records, and are none."""
_FIRST = 5
"""Elements among which a header is."""
_KNOWN = frozenset(("item", "entry", "product", "offer", "article"))
"""What records are called in feeds of known systems."""
_ARTICLES = frozenset(("article", "product"))
_NAMESPACE = re.compile(r'\sxmlns(?::[\w.-]+)?="[^"]*"')
_SUPPLIED = frozenset(("SUPPLIER_AID", "SUPPLIER_PID"))
"""Which article of a supplier a record of BMEcat is."""
_CLEARED = frozenset(("ARTICLE", "PRODUCT"))
_FILED_BY = ("categoryId", "category_id", *sorted(_SUPPLIED))
"""What a record names its category by."""
_NAMED = frozenset(
    (
        *("param", "parameter", "option", "attribute", "property", "feature", "characteristic", "specification"),
        "custom-attribute",
    )
)
"""Elements that say by an attribute what their text is."""
_CHOSEN = frozenset(("param", "option", "attribute", "property"))
"""Those that say of a variant what it differs by."""
_PAIRS = (("PARAM_NAME", "FNAME", "name"), ("VAL", "FVALUE", "value"), ("FUNIT", "unit"))
"""Elements of a name, of its value, of the value's unit."""
_LISTS = {"variants": "variants", "variations": "variants", "skus": "variants"}
"""Elements whose inner ones are variants, and what those are called in other formats."""
_PARTS = frozenset(
    "variant variation sku size option attribute param parameter property feature image picture photo media review "
    "stock warehouse price tier bundle component related accessory category brand manufacturer producer".split()
)
"""What of a product may be told in elements of its own, each with a name."""
_TEXTS = frozenset(
    "general info information basic details data content contents text texts descriptions translation translations "
    "localization localizations locales languages names titles".split()
)
"""What elements are called, folded, in which a product's title and texts stand, beside words for these."""
_LANGUAGES = frozenset(("lang", "language", "locale"))
_FEWEST, _FEWEST_OF_KNOWN = 3, 2
"""Fields but a title by which an element is a product: whatever it is called; of one that is called so."""
_TITLE_WITHIN = 2
"""Elements between a product and its title."""
_VARIANT = "variant"
_SIZE = "size"
_CALLED = ("name", "value", "label", "text")
"""What says which size one is."""
_CODES = ("sku", "code", "kod")
_BLOCKS = frozenset("p br ul ol div span strong em table h1 h2 h3 h4 h5 h6".split())
"""Elements of HTML of which one must stand in a text; others may be fields: `<a>`, `<b>`, `<i>`, `<img>`, `<li>`."""
_HTML = _BLOCKS | frozenset("b i u a li img tr td th thead tbody small sub sup hr font".split())
_OF_HTML = re.compile(
    r"(?:href|src|alt|title|class|style|id|target|rel|width|height|align|valign|border|colspan|rowspan|cellpadding"
    r"|cellspacing|dir|color|face|size|(?:data|aria)-[\w-]+)",
    re.IGNORECASE,
)
"""Attributes of such. One with a `name` or a `url` is a field."""
_PREFIX = re.compile(r"(</?)[\w.-]+:(?=\w)")
_ENOUGH = 4
"""Fields of a product beyond which an inner element is no better record than an outer one."""
_DEEPEST_PATH = 10
_SAFE: dict[str, Any] = {"resolve_entities": False, "no_network": True, "huge_tree": False, "remove_comments": True}


def xml(path: Path, stream: BinaryIO, raw: BinaryIO, size: int, reading: Reading, encoding: str) -> Feed:
    """Raises FeedError if it is not well-formed from the beginning, no element repeats, or none is called as told."""
    scan = _Scan(path, _Sound(stream, encoding))
    trail = scan.records(reading.records)
    tag = trail[-1]
    stream.seek(0)
    categories = scan.categories
    if not _SUPPLIED.isdisjoint(scan.held[trail]):
        categories = _groups_of(_Sound(stream, encoding))
        stream.seek(0)
    columns, rows = with_columns(_rows(_Sound(stream, encoding), tag, len(trail) - 1, categories, scan.groups(trail)))
    if not columns:
        raise FeedError(f"{path}: no element {tag!r} holds anything", hint=EXPORT_AS)
    kind = f"XML, an element {_local(tag)!r} each"
    layout = Layout("XML", encoding, columns=tuple(columns), place="/".join(map(_local, trail)))
    taken = {"records": "/".join(map(_local, trail))}
    if others := [name for name in scan.others(trail) if name != _local(tag)]:
        taken["records"] += f"   (or --records {', '.join(others[:5])})"
    return Feed(path, kind, columns, rows, size, lambda: size if raw.closed else raw.tell(), layout=layout, taken=taken)


_UNSOUND = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));"
    rb"|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)(?:[A-Za-z][A-Za-z0-9]{1,31};)?"
    rb"|(<!\[CDATA\[)|(\]\]>)"
)
"""What XML does not allow, and where sections begin and end in which it may stand."""
_OPEN = re.compile(rb"[&<\]][^;>]{0,40}\Z")
"""The end of a chunk that may be the beginning of such."""
_LOST = "\ufdd0"
"""Where bytes were that are no text; a noncharacter of Unicode, which no file means."""
_CHUNK = 1 << 16


def sound(data: bytes, instead: Callable[[bytes], bytes], within: bool = False) -> tuple[bytes, bool]:
    """`data` with another thing `instead` of what XML does not allow, but for names of characters and "&" in CDATA
    sections. within: is the beginning in such a section? The second of what is returned: is the end?"""

    def replaced(found: re.Match[bytes]) -> bytes:
        nonlocal within
        if found[1] or found[2]:
            within = bool(found[1])
            return found[0]
        return found[0] if within and found[0].startswith(b"&") else instead(found[0])

    return _UNSOUND.sub(replaced, data), within


def _meant(unsound: bytes) -> bytes:
    """A named character by its number, "&" as one, a space for a control character."""
    if not unsound.startswith(b"&") or unsound.startswith(b"&#"):
        return b" "
    if sign := html5.get(unsound[1:].decode()):
        return "".join(f"&#{ord(one)};" for one in sign).encode()
    return b"&amp;" + unsound[1:]


_DECLARATION = re.compile(r"<\?xml\s[^>]{0,300}?\?>")
_COMMENTS = re.compile(r"(?:\s|<!--.*?-->)*", re.DOTALL)
_TAGS = re.compile(r"<[^<>]*>")
_OF_A_DOCUMENT = re.compile(r"<(?!(?:br|b|p|pre|div|font|table)\b)", re.IGNORECASE)
"""The beginning of one, and not of a message that is marked up."""
_MESSAGE = re.compile(
    r"[\s(!)]*(?:PHP\s+)?(?:(?:User\s+)?(?:Warning|Notice|Deprecated)|(?:Fatal|Parse|Core|Catchable fatal)\s+error"
    r"|Strict\s+Standards|Error)\s*:",
    re.IGNORECASE,
)
"""How messages of PHP begin."""
_OF_TABLES = re.compile(r"[,;\t|<{\[\n]")
_LONGEST_BEFORE = 16_000


def before_it(text: str) -> tuple[int, str]:
    """How many signs stand before a document of XML, and which of them are neither blanks nor comments. Some systems
    write an empty line or a comment before the declaration, and PHP its warnings; text that has none but them in front
    of one is no XML."""
    blank = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    declared = _DECLARATION.search(text, blank, _LONGEST_BEFORE)
    if declared is None or declared.start() == blank:
        return blank, ""
    front = text[blank : declared.start()]
    comments = _COMMENTS.match(front)
    left = front[comments.end() :].strip() if comments else front.strip()
    if not left:
        return declared.start(), ""
    plain = _TAGS.sub("", "" if _OF_A_DOCUMENT.match(left) else left)
    if _MESSAGE.match(plain) or (front.endswith("\n") and not _OF_TABLES.search(left)):
        return declared.start(), "\n".join(line.strip() for line in plain.splitlines() if line.strip())
    return blank, ""


class _Sound:
    """A document in UTF-8, in which nothing stands that XML does not allow. What stands in front of it is passed over,
    but for the ends of its lines."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self.lost = False
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("reaseq.surrogates")
        self._kept = b""
        self._within = self._begun = False

    def read(self, _: int = -1) -> bytes:
        while True:
            chunk = self._stream.read(_CHUNK)
            text = self._decoder.decode(chunk, not chunk)
            if not self._begun:
                text = self._from_the_beginning(text)
            try:
                data = text.encode()
            except UnicodeEncodeError:
                self.lost = True
                data = re.sub("[\ud800-\udfff]", _LOST, text).encode()
            data = self._kept + data
            cut = found.start() if chunk and (found := _OPEN.search(data)) else len(data)
            data, self._kept = data[:cut], data[cut:]
            made, self._within = sound(data, _meant, self._within)
            if made or not chunk:
                return made

    def _from_the_beginning(self, text: str) -> str:
        begin, _ = before_it(text)
        front, text = text[:begin], text[begin:]
        self._begun = bool(text)
        if "\n" in front and (declared := _DECLARATION.match(text)):
            front, text = front + declared[0], text[declared.end() :]  # which may not stand behind ends of lines
        return "\n" * front.count("\n") + text


def _events(document: _Sound, **options: Any) -> Iterator[tuple[str, Any]]:
    """Elements as they begin and end."""
    from lxml import etree

    return iter(etree.iterparse(document, encoding="utf-8", **options, **_SAFE))


class _Scan:
    """What elements a document has, by its beginning.

    seen: how often each trail of tags from the root occurs. held: the names of the elements and attributes within it.
    categories: of a list of categories in front of the products, each id's path.
    """

    def __init__(self, path: Path, document: _Sound) -> None:
        from lxml import etree

        self.path = path
        self.seen: Counter[tuple[str, ...]] = Counter()
        self.held: dict[tuple[str, ...], dict[str, None]] = {}
        self._within: dict[tuple[str, ...], bool] = {}
        named: dict[str, tuple[str, str]] = {}
        trail: list[str] = []
        try:
            for number, (event, element) in enumerate(_events(document, events=("start", "end"))):
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
        self._inner: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for inner in self.held:
            for out in range(max(1, len(inner) - _TITLE_WITHIN), len(inner)):
                self._inner.setdefault(inner[:out], []).append(inner)

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

    def groups(self, trail: tuple[str, ...]) -> dict[int, str]:
        """The elements around a record that are groups of such, by how far out they are, with the field that they are
        called by: those that repeat, or are called a category."""
        found = {}
        for out, tag in enumerate(reversed(trail[1:-1]), 1):
            fields = fields_among((_local(tag),)).keys() & {"brand", "category"}
            if fields or self.seen[trail[: len(trail) - out]] > 1:
                found[out] = "brand" if "brand" in fields else "category"
        return found

    def others(self, trail: tuple[str, ...]) -> list[str]:
        """Names of other elements that may be records."""
        several = [other for other in self.held if self.seen[other] > 1 and other[: len(trail)] != trail]
        return list(dict.fromkeys(_local(other[-1]) for other in sorted(several, key=self._score, reverse=True)))

    def _score(self, trail: tuple[str, ...]) -> tuple[Any, ...]:
        """A title and other fields of products; what repeats before what does not, the outer before the inner."""
        fields, titled = fields_held(self.held[trail])
        name = _local(trail[-1]).casefold()
        known = name in _KNOWN
        repeats = self.seen[trail] > 1 or known
        titled = (titled and name not in _NAMED) or self._holds_a_title(trail)
        # Offers of cars, phones and the like are titled by what they are, who made them and which they are.
        titled = titled or {"vendor", "model"} <= self.held[trail].keys()
        titled = titled or (name in _ARTICLES and not _SUPPLIED.isdisjoint(self.held[trail]))
        titled, fields = (False, -1) if name in _HEADS else (titled, fields)
        inner = any(self._is_part(trail, at) for at in range(1, len(trail)))
        titled = titled and not inner
        return (
            titled and repeats,
            not inner,
            min(fields, _ENOUGH),
            known,
            repeats and len(trail) > 1,
            -len(trail),
            fields,
        )

    def _is_part(self, trail: tuple[str, ...], at: int) -> bool:
        """Is it but a part of what stands around it, `at` steps from the root: of a product, or by its name of what
        has a title?"""
        around = trail[:at]
        if around not in self._within:
            self._within[around] = self._is_product(around)
        if self._within[around]:
            return True
        named = any(folded(_local(tag)).rpartition(" ")[2].removesuffix("s") in _PARTS for tag in trail[at:])
        return named and self.seen[around] > 1 and not self._is_group(around) and self._is_titled(around)

    def _is_product(self, trail: tuple[str, ...]) -> bool:
        """Does an element have what products have, whatever stands within it?"""
        name = _local(trail[-1]).casefold()
        known = name in _KNOWN
        if not (known or self.seen[trail] > 1) or name in _HEADS or name in _NAMED or self._is_group(trail):
            return False
        fields = fields_among(tuple(self.held.get(trail, ()))).keys() - {"title", "list_price"}
        if fields.isdisjoint({"price", "brand", "category"}):
            return False  # a group, or an offer of several
        return len(fields) >= (_FEWEST_OF_KNOWN if known else _FEWEST) and self._is_titled(trail)

    def _is_group(self, trail: tuple[str, ...]) -> bool:
        return not fields_among((_local(trail[-1]),)).keys().isdisjoint({"brand", "category"})

    def _is_titled(self, trail: tuple[str, ...]) -> bool:
        return fields_held(self.held.get(trail, ()))[1] or self._holds_a_title(trail)

    def _holds_a_title(self, trail: tuple[str, ...]) -> bool:
        """Does its title stand in something of it: `<description><name>…`, `<translation lang="en"><name>…`?"""
        return any(self._has_texts(trail, inner) for inner in self._inner.get(trail, ()))

    def _has_texts(self, trail: tuple[str, ...], inner: tuple[str, ...]) -> bool:
        held = [one for one in self.held[inner] if one.casefold() not in _KNOWN]
        called, name = _local(inner[-1]), folded(_local(inner[-1]))
        by_language = not _LANGUAGES.isdisjoint(held)
        once = all(self.seen[inner[:at]] <= self.seen[trail] for at in range(len(trail) + 1, len(inner) + 1))
        if not fields_held(held)[1] or not (once or by_language) or name in _PARTS:
            return False
        fields = fields_among(tuple(held)).keys()
        texts = name in _TEXTS or not fields_among((called,)).keys().isdisjoint({"title", "description"})
        return texts or by_language or fields >= {"title", "description"}


def _path_of(key: str, named: Mapping[str, tuple[str, str]]) -> str:
    steps: list[str] = []
    while key in named and len(steps) < _DEEPEST_PATH:
        name, key = named[key]
        steps.insert(0, name)
    return " > ".join(steps)


def _groups_of(document: _Sound) -> dict[str, str]:
    """Of BMEcat's articles the paths of their groups, which stand behind the articles."""
    from lxml import etree

    named: dict[str, tuple[str, str]] = {}
    groups: dict[str, str] = {}
    try:
        for _, element in _events(document, events=("end",)):
            tag = _local(str(element.tag))
            if tag == "CATALOG_STRUCTURE" or tag.endswith("_TO_CATALOGGROUP_MAP"):
                said = {_local(str(child.tag)): (child.text or "").strip() for child in element}
                if tag == "CATALOG_STRUCTURE":
                    named[said.get("GROUP_ID", "")] = said.get("GROUP_NAME", ""), said.get("PARENT_ID", "")
                else:
                    article = said.get("ART_ID") or said.get("PROD_ID") or said.get("SUPPLIER_PID") or ""
                    groups.setdefault(article, said.get("CATALOG_GROUP_ID", ""))
            if tag in _CLEARED or tag.endswith("_TO_CATALOGGROUP_MAP"):
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError:
        pass  # the reader that follows tells where it breaks off
    paths = {group: _path_of(group, named) for group in set(groups.values())}
    return {article: paths[group] for article, group in groups.items()}


def _rows(
    document: _Sound, tag: str, depth: int, categories: Mapping[str, str], groups: Mapping[int, str]
) -> Iterator[Row]:
    from lxml import etree

    line = 0
    parent, of_groups = None, {}
    headed, currency, language = None, "", ""
    try:
        for _, element in _events(document, events=("end",), tag=tag):
            if sum(1 for _ in element.iterancestors()) != depth:
                continue  # one within a record: related products
            line = element.sourceline or line + 1
            values = _values(element)
            if isinstance(values, dict):
                values = flat(values)
                filed = next((str(values[name]) for name in _FILED_BY if values.get(name)), "")
                if path := categories.get(filed):
                    values = {"category": path} | values
                if groups and element.getparent() is not parent:
                    parent = element.getparent()
                    of_groups = _called_groups(list(element.iterancestors()), groups)
                for field, said in of_groups.items():
                    own = fields_among(tuple(values)).get(field, field)
                    values = values | {own: said} if is_empty(values.get(own)) else values
                if element.getparent() is not headed:
                    headed = element.getparent()
                    around = list(element.iterancestors())
                    currency = _headed(around, "currency") or _attribute(around, "currency")
                    language = short_language(_attribute(around, "language") or _attribute(around, "lang"))
                if currency and "currency" not in fields_among(tuple(values)):
                    values = values | {"currency": currency}
                if language:  # of several, that which the file says that it is in comes first
                    values = dict(sorted(values.items(), key=lambda one: not one[0].endswith(f".{language}")))
                row = checked(line, values)
                if document.lost and isinstance(row, Record) and any(_LOST in text for text in strings(values)):
                    row = BadRow(line, "holds bytes that are not text in the file's encoding", repr(values))
                yield row
            else:
                yield BadRow(line, "holds nothing", "")
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        yield BadRow(error.lineno or line, f"the XML breaks off here: {error.msg}", "")


def _headed(around: Iterable[Any], name: str) -> str:
    """What a header beside or above records says of all of them in an element of this name; "" for nothing."""
    heads = (child for element in around for child in element[:_FIRST] if _local(str(child.tag)).casefold() in _HEADS)
    return next((text for head in heads for one in head if _local(str(one.tag)).casefold() == name
                 and (text := (one.text or "").strip())), "")  # fmt: skip


def _attribute(around: Iterable[Any], name: str) -> str:
    """What an element around a record says in an attribute of this name, the nearest first; "" for nothing."""
    said = (_attributes(element).get(name, "").strip() for element in around)
    return next(filter(None, said), "")


def _called_groups(around: Sequence[Any], groups: Mapping[int, str]) -> dict[str, str]:
    """What the groups are called that a record is in, by field, the outer before the inner."""
    found: dict[str, str] = {}
    for out in sorted(groups, reverse=True):
        element = around[out - 1]
        texts = {_local(str(child.tag)): (child.text or "").strip() for child in element if not len(child)}
        texts |= {_local(str(name)): str(value).strip() for name, value in element.attrib.items()}
        fields = fields_among(tuple(name for name, text in texts.items() if text))
        if named := texts.get(fields.get(groups[out]) or fields.get("title", ""), ""):
            found[groups[out]] = " > ".join(filter(None, (found.get(groups[out], ""), named)))
    return found


def _values(element: Any, depth: int = 0, *, of_variant: bool = False) -> dict[str, Any] | str:
    """An element's attributes and children by name, without namespaces; its text, if it has none of them. of_variant:
    is it a variant, or a part of one?"""
    text = (element.text or "").strip()
    children = [child for child in element if isinstance(child.tag, str)]
    if len({child.tag.rpartition("}")[0] for child in children}) > 1:
        children = _of_one_namespace(children)
    if (not children and not element.attrib) or depth > 20:
        return text or " ".join(element.itertext()).strip()
    among = depth and children and (text or any((child.tail or "").strip() for child in children))
    if among or (depth and children and _is_markup(element, children)):
        # Words with markup among them: "Soft <b>leather</b> upper"; or markup alone: "<p>Soft upper</p>".
        from lxml import etree

        marked = (element.text or "").lstrip() + "".join(
            etree.tostring(child, encoding="unicode") for child in children
        )
        marked = _NAMESPACE.sub("", marked)
        if not among:
            shows = any(map(str.strip, element.itertext())) or "<img" in marked
            marked = _PREFIX.sub(r"\1", marked).strip() if shows else ""
        return marked if not element.attrib else {**_attributes(element), "text": marked}
    made: dict[str, Any] = _attributes(element)
    own = [*made, *(_local(child.tag) for child in children)]
    for child in children:
        name = _local(child.tag)
        within = of_variant or name.casefold() == _VARIANT or _without_product(_local(element.tag)) in _LISTS
        value = _values(child, depth + 1, of_variant=within)
        if _without_product(name) in _LISTS and isinstance(value, dict) and len(value) == 1:
            inner = next(iter(value.values()))  # <variants><variant>…</variant></variants>
            made[_LISTS[_without_product(name)]] = inner if isinstance(inner, list) else [inner]
            continue
        if isinstance(value, dict) and (listed := _sizes(value)):
            made.setdefault("variants", []).extend(listed)
            continue
        if isinstance(value, dict) and value.keys() - {"name"} == {"unit", "text"}:
            value = value | {"text": f"{value['text']} {value['unit']}"}  # <param name="Heel" unit="mm">40</param>
            value = value["text"] if "name" not in value else value
        if name.casefold() in _NAMED and isinstance(value, dict) and (said := _said(value)):
            if of_variant and name.casefold() in _CHOSEN:
                options = made.setdefault("options", {})
                if isinstance(options, dict):
                    options[said[0]] = said[1]
                    continue
            name, value = apart(said[0], own), said[1]
        elif (
            of_variant
            and isinstance(value, dict)
            and value.keys() == {"options"}
            and isinstance(value["options"], dict)
        ):
            made["options"] = {**made.get("options", {}), **value["options"]}  # an element around them
            continue
        elif isinstance(value, dict) and (language := _language_of(name, value)):
            name, value = f"{name}.{short_language(language)}", value.get("text", "")  # <name xml:lang="en">
        if name.casefold() == _VARIANT and isinstance(value, dict):
            made.setdefault("variants", []).append(value)  # without an element around them
        elif name not in made:
            made[name] = value
        elif isinstance(made[name], list):
            made[name].append(value)
        else:
            made[name] = [made[name], value]
    if text:
        made["text"] = text
    return made


def _attributes(element: Any) -> dict[str, Any]:
    return {_local(str(name)): str(value) for name, value in element.attrib.items()}


def _language_of(name: str, value: Mapping[str, Any]) -> str:
    """The language of an element that says one and a text, or nothing; "" of others. `<name type="name" lang="en">`
    says nothing more by its type."""
    told = {key: said for key, said in value.items() if key != "text" and (key, said) != ("type", name)}
    ((key, language),) = told.items() if len(told) == 1 else (("", ""),)
    is_text = isinstance(value.get("text", ""), str) and isinstance(language, str)
    return language if key in _LANGUAGES and is_text and LANGUAGE.fullmatch(language) else ""


def _without_product(name: str) -> str:
    return folded(name).removeprefix("product ")


def _sizes(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of an element of sizes those that say more than what they are called, as variants: with the size under its name,
    and a code for their SKU, as their ids are often the size's own. None where but texts stand."""
    size = next((key for key, said in value.items() if option_key(key) == _SIZE and isinstance(said, dict | list)), "")
    found: list[dict[str, Any]] = []
    for one in value[size] if isinstance(value.get(size), list) else [value.get(size)]:
        if not isinstance(one, dict):
            return []
        fields = fields_among(tuple(one))
        called = next((key for key in (fields.get("title"), *_CALLED) if key and isinstance(one.get(key), str)), "")
        code = next((one[key] for key in _CODES if one.get(key)), "")
        if not called and not code:
            return []
        more = {f"{_SIZE} id" if key == "id" else key: said for key, said in one.items() if key != called}
        found.append((more | {"sku": code} if code else more) | ({_SIZE: one[called]} if called else {}))
    return found


def _is_markup(element: Any, children: Sequence[Any]) -> bool:
    """Is it a text whose words all stand in elements of HTML?"""
    names = {_local(child.tag).casefold() for child in children}
    if not names <= _HTML:
        return False
    within = [one for one in element.iterdescendants() if isinstance(one.tag, str)]
    if not all(_local(one.tag).casefold() in _HTML and all(map(_is_of_html, one.attrib)) for one in within):
        return False
    return not names.isdisjoint(_BLOCKS) or "description" in fields_among((_local(element.tag),))


def _is_of_html(attribute: Any) -> bool:
    return _OF_HTML.fullmatch(str(attribute)) is not None


def _of_one_namespace(children: Sequence[Any]) -> list[Any]:
    """Of children that are called alike in several namespaces (`<title>`, `<g:title>`) those of one: Google's, else the
    one that most children are of; not those that hold nothing beside others that do."""
    spaces: dict[str, dict[str, bool]] = {}
    for child in children:
        space, _, name = child.tag.rpartition("}")
        of = spaces.setdefault(name, {})
        of[space] = of.get(space, False) or len(child) > 0 or bool((child.text or "").strip())
    count = Counter(child.tag.rpartition("}")[0] for child in children)
    kept = {
        name: max(of, key=lambda space: (of[space], space.startswith(_GOOGLES), count[space], space != ""))
        for name, of in spaces.items()
    }
    return [child for child in children if kept[_local(child.tag)] == child.tag.rpartition("}")[0]]


def _said(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Name and value of what has an element for each: `<PARAM_NAME>Barva</PARAM_NAME><VAL>black</VAL>` (Heureka),
    `<FNAME>`, `<FVALUE>`, `<FUNIT>` (BMEcat); or its name beside its text: `<param name="Colour">black</param>`."""
    if value.get("name") and "text" in value:
        return value["name"], value["text"]
    if value.get("attribute-id") and ("text" in value or "value" in value):  # of Salesforce, of a language each
        language = value.get("lang", "")
        called = f".{short_language(language)}" if LANGUAGE.fullmatch(language) else ""
        return f"{value['attribute-id']}{called}", value["text"] if "text" in value else value["value"]
    name, said, unit = (next((value[key] for key in keys if key in value), "") for keys in _PAIRS)
    said = _called_values(said)
    if not isinstance(name, str) or not name or said in ("", [], {}) or isinstance(said, dict):
        return None
    return name, f"{said} {unit}" if unit and isinstance(said, str) and isinstance(unit, str) else said


def _called_values(said: Any) -> Any:
    """What values are called that stand in elements of their own (`<value id="3" name="red"/>`); of several languages
    each with its own."""
    several = said if isinstance(said, list) else [said]
    if not said or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in several):
        return said
    named = [one["name"] for one in several]
    languages = [next((one[key] for key in _LANGUAGES if one.get(key)), "") for one in several]
    if len(set(languages)) > 1 and all(languages):
        return [{"lang": language, "text": name} for language, name in zip(languages, named, strict=True)]
    return named if len(named) > 1 else named[0]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
