"""YAML files as people write them, with changes that leave comments and layout alone."""

import io
from collections.abc import Callable
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

_WIDTH = 1 << 20
"""Characters of a line: none is broken."""


def changed(text: str, change: Callable[[Any], None]) -> str:
    """The file's text with a change to what it holds, a mapping with ruamel's comments, and everything else as it is.

    Raises:
        ruamel.yaml.error.YAMLError: it cannot be read, or written so.
    """
    editor = YAML()
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
