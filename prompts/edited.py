"""A prompt's file with another system text or more examples, and everything else, comments among it, as it is."""

import io
from collections.abc import Sequence
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from reaseq.prompts.library import Example, PromptError

_WIDTH = 1 << 20
"""Characters of a line: none is broken."""


def edited(text: str, *, system: str | None = None, examples: Sequence[Example] | None = None) -> str:
    """The file's text with these instead of its own; None leaves what there is. Whether a prompt comes of it is not
    checked.

    Raises:
        PromptError: the text cannot be edited so.
    """
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = _WIDTH
    editor.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    try:
        document = editor.load(text)
        if system is not None:
            document["system"] = LiteralScalarString(system.rstrip() + "\n")
        if examples is not None:
            document["examples"] = [_quoted(one.model_dump(mode="json")) for one in examples]
        editor.dump(document, out)
    except (YAMLError, ValueError, TypeError) as error:
        raise PromptError(f"it cannot be written as YAML: {error}", hint="reaseq prompts lint") from error
    return out.getvalue()


def _quoted(value: Any) -> Any:
    """Texts of several lines as blocks, others between quotes, so that none reads like a number or a word of YAML."""
    if isinstance(value, dict):
        return {_key(key): _quoted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_quoted(one) for one in value]
    if not isinstance(value, str):
        return value
    return LiteralScalarString(value) if "\n" in value else DoubleQuotedScalarString(value)


def _key(key: str) -> str:
    return key if yaml.safe_load(key) == key else DoubleQuotedScalarString(key)
