"""Schema files as people edit them: the bundled one to begin from, and changes that leave comments and layout alone."""

import io
from pathlib import Path

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from reaseq.taxonomy.schema import STARTERS, Attribute, CategorySchema, SchemaError, dump_schema, load_schema

_WIDTH = 1 << 20
"""Characters of a line: none is broken."""


def bundled_text(schema: CategorySchema) -> str:
    """The schema as a file: the bundled one as it is, with its comments, if it is that; else written out."""
    path = STARTERS / f"{schema.category}.yaml"
    return path.read_text(encoding="utf-8") if path.is_file() and load_schema(path) == schema else dump_schema(schema)


def changed_text(text: str, before: CategorySchema, after: CategorySchema) -> str:
    """The file's text with what `after` says of values otherwise than `before`, and everything else as it is.

    Raises:
        SchemaError: the text cannot be edited so.
    """
    reader = YAML()
    reader.preserve_quotes = True
    reader.width = _WIDTH
    reader.indent(mapping=2, sequence=4, offset=2)
    try:
        document = reader.load(text)
    except YAMLError as error:
        raise SchemaError(f"cannot be edited: {error}") from error
    for old, new in zip(before.attributes, after.attributes, strict=True):
        if old != new:
            _change(_entry(document, new.name), old, new)
    out = io.StringIO()
    reader.dump(document, out)
    return out.getvalue()


def _entry(document: CommentedMap, name: str) -> CommentedMap:
    for entry in document.get("attributes", ()):
        if name in (entry.get("name"), entry.get("like")):
            return entry  # type: ignore[no-any-return]
    raise SchemaError(f"has no attribute {name!r} of its own to change")


def _change(entry: CommentedMap, old: Attribute, new: Attribute) -> None:
    if new.ignored != old.ignored:
        entry["ignored"] = _flow(new.ignored)
    if new.values == old.values:
        return
    listed = entry.get("values")
    if not isinstance(listed, CommentedMap):
        entry["values"] = listed = CommentedMap()
    for value, words in new.values.items():
        known = listed.get(value)
        if not isinstance(known, CommentedSeq):
            listed[quoted(value)] = _flow([*(known or ()), *(word for word in words if word not in (known or ()))])
        else:
            known.extend(quoted(word) for word in words if word not in known)


def _flow(words: object) -> CommentedSeq:
    made = CommentedSeq(map(quoted, words))  # type: ignore[call-overload]
    made.fa.set_flow_style()
    return made


def quoted(word: str) -> str:
    """In quotes, where YAML 1.1 would read something else than text (no, on, 925)."""
    try:
        plain = yaml.safe_load(word) == word
    except yaml.YAMLError:
        plain = False
    return word if plain and "," not in word else DoubleQuotedScalarString(word)


def own_file(folder: Path, category: str) -> Path:
    """The file of one's own with that category's schema; where it would be, if there is none."""
    for path in sorted(folder.glob("*.y*ml")):
        if path.read_text(encoding="utf-8").strip() and load_schema(path).category == category:
            return path
    return folder / f"{category}.yaml"
