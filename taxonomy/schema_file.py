"""Schema files as people edit them: the bundled one to begin from, and changes that leave comments and layout alone."""

from pathlib import Path

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from reaseq.documents.edited_yaml import changed, quoted
from reaseq.taxonomy.schema import STARTERS, Attribute, CategorySchema, SchemaError, dump_schema, load_schema


def bundled_text(schema: CategorySchema) -> str:
    """The schema as a file: the bundled one as it is, with its comments, if it is that; else written out."""
    path = STARTERS / f"{schema.category}.yaml"
    return path.read_text(encoding="utf-8") if path.is_file() and load_schema(path) == schema else dump_schema(schema)


def changed_text(text: str, before: CategorySchema, after: CategorySchema) -> str:
    """The file's text with what `after` says of values otherwise than `before`, and everything else as it is.

    Raises:
        SchemaError: the text cannot be edited so.
    """

    def change(document: CommentedMap) -> None:
        for old, new in zip(before.attributes, after.attributes, strict=True):
            if old != new:
                _change(_entry(document, new.name), old, new)

    try:
        return changed(text, change, texts=True)
    except YAMLError as error:
        raise SchemaError(f"cannot be edited: {error}") from error


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
        if value == "null" and None in listed:
            continue  # which ruamel takes for nothing
        known = listed.get(value)
        if not isinstance(known, CommentedSeq):
            listed[quoted(value)] = _flow([*(known or ()), *(word for word in words if word not in (known or ()))])
        else:
            known.extend(quoted(word) for word in words if word not in known)


def _flow(words: object) -> CommentedSeq:
    made = CommentedSeq(map(quoted, words))  # type: ignore[call-overload]
    made.fa.set_flow_style()
    return made


def own_file(folder: Path, category: str) -> Path:
    """The file of one's own with that category's schema; where it would be, if there is none."""
    for path in sorted(folder.glob("*.y*ml")):
        if path.read_text(encoding="utf-8").strip() and load_schema(path).category == category:
            return path
    return folder / f"{category}.yaml"
