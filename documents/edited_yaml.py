"""YAML files as people write them, with changes that leave comments and layout alone."""

import io
from collections.abc import Callable
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString
from ruamel.yaml.tag import Tag

_WIDTH = 1 << 20
"""Characters of a line: none is broken."""


class _Texts(VersionedResolver):
    """Takes every word for text, as `plain_yaml.TextLoader` does."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0] and value not in ("", "~", "null", "Null", "NULL", "<<"):
            return Tag(suffix="tag:yaml.org,2002:str")
        return super().resolve(kind, value, implicit)


def changed(text: str, change: Callable[[Any], None], *, texts: bool = False) -> str:
    """The file's text with a change to what it holds, a mapping with ruamel's comments, and everything else as it is.
    texts: are numbers and `true` words, too?

    Raises:
        ruamel.yaml.error.YAMLError: it cannot be read, or written so.
    """
    editor = YAML()
    if texts:
        editor.Resolver = _Texts
    editor.preserve_quotes = True
    editor.width = _WIDTH
    editor.indent(mapping=2, sequence=4, offset=2)
    document = editor.load(text)
    change(document)
    out = io.StringIO()
    editor.dump(document, out)
    return out.getvalue()


def quoted(word: str) -> str:
    """In quotes, where YAML 1.1 would read something else than text (no, on, 925)."""
    try:
        plain = yaml.safe_load(word) == word
    except yaml.YAMLError:
        plain = False
    return word if plain and "," not in word else DoubleQuotedScalarString(word)


def in_blocks(value: Any) -> Any:
    """Plain data as people would write it: texts of several lines as blocks, others `quoted`."""
    if isinstance(value, dict):
        return {quoted(key): in_blocks(one) for key, one in value.items()}
    if isinstance(value, list):
        return [in_blocks(one) for one in value]
    if not isinstance(value, str):
        return value
    return LiteralScalarString(value) if "\n" in value else quoted(value)
