"""What is wrong with prompts' files beside their form: where they stand, and what their examples teach."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from reaseq.agents.verifier import Verifier
from reaseq.documents.locales import steps_of
from reaseq.knowledge_store.importing import category_name
from reaseq.prompts.library import Prompt, line_of, read_text, read_yaml

_ALIKE = 0.75
"""From which share of letters on a name is another one misspelt."""
_NUMBERED = re.compile(r"^[ \t]*(\d+)\.", re.MULTILINE)


class Misplaced(NamedTuple):
    """A folder of a category's prompts that counts for none. sure: is it another's name, and no category to come?"""

    what: str
    sure: bool


def misplaced(folder: Path, known: Collection[str]) -> Misplaced | None:
    """Why prompts in `folder` count for no category, by its name; None: they do. known: the categories there are."""
    if folder.name in known:
        return None
    name = category_name(folder.name) or ""
    if name in known:
        return Misplaced(f"category {folder.name!r} is kept as {name!r}: rename the folder to {name}", True)
    near = get_close_matches(name, list(known), 1, _ALIKE)
    if near:
        what = f"there is no category {folder.name!r}; do you mean {near[0]!r}? Rename the folder to {near[0]}"
        return Misplaced(what, True)
    return Misplaced(f"there is no category {folder.name!r} (yet): of {', '.join(sorted(known))} is none meant", False)


def of_no_product(locale: str, known: Mapping[str | None, int]) -> str | None:
    """Why a prompt for products of a locale reaches none; None: it reaches some. known: how many products there are of
    each locale (None: not known)."""
    if any(one is not None and locale in steps_of(one) for one in known):
        return None
    there = ", ".join(f"{one} ({count:,})" for one, count in sorted(known.items(), key=str) if one is not None)
    if there:
        return f"no product is of {locale} (yet): there are {there}"
    return f"of no product the locale is known (yet): reaseq import FILE --locale {locale} says it of a feed's"


def unusable_examples(path: Path, prompt: Prompt) -> Iterator[tuple[int, str]]:
    """The line of each of a file's examples whose reply its agent could not use, and why. Of an agent whose replies the
    prompt has no `reply_schema` for, as they depend on the request."""
    if prompt.name != Verifier.name:
        return
    _, lines, _ = read_yaml(read_text(path), path)
    if ("examples",) not in lines:
        return  # they are those of the prompt beneath
    for index, example in enumerate(prompt.examples):
        reply = example.reply if isinstance(example.reply, dict) else json.loads(example.reply)
        asked = _NUMBERED.findall(example.input.get("claims", ""))
        answers = list(reply.values()) if isinstance(reply, dict) else []
        right = bool(answers) and set(reply) == set(asked) and all(one in ("yes", "no") for one in answers)
        if not asked:
            yield line_of(("examples", index, "input", "claims"), lines), f"example {index + 1}: no claim is numbered"
        elif not right:
            shown = ", ".join(f'"{number}": "yes"' for number in asked)
            told = f'a verifier answers each claim by its number with "yes" or "no": {{{shown}}}'
            yield line_of(("examples", index, "reply"), lines), f"example {index + 1}: {told}"
