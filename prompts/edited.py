"""A prompt's file with another system text or other examples, and everything else, comments among it, as it is."""

from collections.abc import Sequence
from typing import Any

from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from reaseq.documents.edited_yaml import changed, in_blocks
from reaseq.prompts.library import Example, PromptError


def edited(text: str, *, system: str | None = None, examples: Sequence[Example] | None = None) -> str:
    """The file's text with these instead of its own; None leaves what there is. Whether a prompt comes of it is not
    checked.

    Raises:
        PromptError: the text cannot be edited so.
    """

    def change(document: Any) -> None:
        if system is not None:
            document["system"] = LiteralScalarString(system.rstrip() + "\n")
        if examples is not None:
            document["examples"] = [in_blocks(one.model_dump(mode="json")) for one in examples]

    try:
        return changed(text, change)
    except (YAMLError, ValueError, TypeError) as error:
        raise PromptError(f"it cannot be written as YAML: {error}", hint="reaseq prompts lint") from error
