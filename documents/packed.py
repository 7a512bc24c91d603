"""Cells that hold labels and values of their own: JSON objects, or lists of objects that have a name and a value."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reaseq.documents.markup import Opens, Visible, read

_NAMES = (
    "name",
    "key",
    "label",
    "attribute",
    "attribute_name",
    "attribute_code",
    "param_name",
    "property",
    "title",
    "k",
)
_VALUES = ("value", "values", "attribute_value", "val", "options", "text", "content", "v")
_LITERAL = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_BETWEEN = re.compile(r"[\s,:]*")
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_DEEPEST = 20
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Leaf:
    """`text[start:end]`, without its quotes."""

    start: int
    end: int


_Node = _Leaf | list["_Node"] | list[tuple[_Leaf, "_Node"]]


class _NotPacked(Exception):
    pass


def unpacked(text: str) -> Visible | None:
    """A JSON object or list as lines "label: value", each character of which knows its place in `text`; None for any
    other text. Labels inside one another are one after the other: `{"upper": {"material": …}}`."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        node, end = _read(text, len(text) - len(text.lstrip()), 0)
    except _NotPacked:
        return None
    if text[end:].strip():
        return None
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    opens: dict[int, Opens] = {}
    for labels, value in _pairs(text, node, ()):
        opens[len(characters)] = Opens.LINE
        for sign, leaf in [
            ("\n", None),
            *((" ", label) for label in labels),
            (":" if labels else "", None),
            (" ", value),
        ]:
            at = leaf.start if leaf else value.start
            characters += sign
            places += [(at, at)] * len(sign)
            if leaf:
                seen = _seen(text, leaf)
                characters += seen.text
                places += seen.origin or [(leaf.start + n, leaf.start + n + 1) for n in range(len(seen.text))]
    return Visible("".join(characters), places, opens)


def _read(text: str, at: int, depth: int) -> tuple[_Node, int]:
    """The JSON value that begins at `at`, and where it ends."""
    if depth > _DEEPEST or at >= len(text):
        raise _NotPacked
    if text[at] == '"':
        try:
            _, end = _DECODER.raw_decode(text, at)
        except ValueError as error:
            raise _NotPacked from error
        return _Leaf(at + 1, end - 1), end
    if text[at] in "{[":
        keyed, closing = text[at] == "{", "}" if text[at] == "{" else "]"
        items: list[_Node] = []
        pairs: list[tuple[_Leaf, _Node]] = []
        at = _after(text, at + 1)
        while at < len(text) and text[at] != closing:
            item, at = _read(text, at, depth + 1)
            at = _after(text, at)
            if keyed:
                if not isinstance(item, _Leaf):
                    raise _NotPacked
                value, at = _read(text, at, depth + 1)
                at = _after(text, at)
                pairs.append((item, value))
            else:
                items.append(item)
        if at >= len(text):
            raise _NotPacked
        return (pairs if keyed else items), at + 1
    literal = _LITERAL.match(text, at)
    if not literal:
        raise _NotPacked
    return _Leaf(*literal.span()), literal.end()


def _after(text: str, at: int) -> int:
    between = _BETWEEN.match(text, at)
    return between.end() if between else at


def _pairs(text: str, node: _Node, labels: tuple[_Leaf, ...]) -> Iterator[tuple[tuple[_Leaf, ...], _Leaf]]:
    """Labels and value of every leaf that is not null."""
    if isinstance(node, _Leaf):
        if text[node.start : node.end] != "null":
            yield labels, node
        return
    if not node:
        return
    if not isinstance(node[0], tuple):
        for item in node:
            yield from _pairs(text, item, labels)
        return
    pairs: Sequence[tuple[_Leaf, _Node]] = node
    named = {text[key.start : key.end].casefold(): value for key, value in pairs}
    name = next((named[key] for key in _NAMES if isinstance(named.get(key), _Leaf)), None)
    value = next((named[key] for key in _VALUES if key in named), None)
    if isinstance(name, _Leaf) and value is not None:
        yield from _pairs(text, value, (*labels, name))
        return
    for key, inner in pairs:
        yield from _pairs(text, inner, (*labels, key))


def _seen(text: str, leaf: _Leaf) -> Visible:
    """What a reader sees of a JSON string, with its escapes decoded."""
    written = text[leaf.start : leaf.end]
    if "\\" not in written:
        seen = read(written)
        places = [(leaf.start + start, leaf.start + end) for start, end in seen.origin] if seen.origin else None
        return Visible(seen.text.replace("\n", " "), places, {})
    decoded: list[str] = []
    places_: list[tuple[int, int]] = []
    for part in _CHARACTER.finditer(written):
        char = json.loads(f'"{part.group()}"') if part.group()[0] == "\\" else part.group()
        decoded.append(char)
        places_.append((leaf.start + part.start(), leaf.start + part.end()))
    seen = read("".join(decoded))
    if seen.origin is not None:
        places_.append((leaf.end, leaf.end))
        places_ = [
            (places_[start][0], places_[end - 1][1] if end > start else places_[start][0]) for start, end in seen.origin
        ]
    return Visible(seen.text.replace("\n", " "), places_, {})
