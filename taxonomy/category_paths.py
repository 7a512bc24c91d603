"""Which category a shop's own name or path for it stands for: `Home/Men/Shoes`, `["Clothing", "Shoes"]`, `Sneakers`."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from reaseq.documents.tokens import stems
from reaseq.taxonomy.schema import starters, vocabulary

_STEP = re.compile(r"\s*(?:>|»|/|\||::|\\|→)+\s*")
_OR = re.compile(r"\s*[,;]\s*")
_NAMES_UP_TO = 200
"""Characters of a category's name."""


def steps_of(text: str) -> list[str]:
    """The steps of a category path, the widest first; of several paths the first one's."""
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
            return [str(one).strip() for one in listed if isinstance(one, str | int) and str(one).strip()]
        except ValueError:
            pass
    steps = [step for step in _STEP.split(text.strip()) if step]
    return steps if len(steps) > 1 else [step for step in _OR.split(text.strip()) if step][:1] or steps


class CategoryNames:
    """What schemas' names, aliases and kinds say of a shop's categories; own schemas of `folder` come first.

    Raises:
        SchemaError: a file of the folder is no schema.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._names: dict[tuple[str, ...], str] = {}
        kinds: dict[tuple[str, ...], set[str]] = {}
        for _, schema in starters(folder):
            for name in (schema.category.replace("_", " "), *schema.aliases):
                self._names.setdefault(stems(name.replace("_", " ")), schema.category)
            kind = schema.attributes[0]
            if kind.name.endswith("_type") and kind.kind == "closed":
                for value in (*kind.values, *(word for words in kind.values.values() for word in words)):
                    kinds.setdefault(stems(value), set()).add(schema.category)
        for words, categories in kinds.items():
            if len(categories) == 1:
                self._names.setdefault(words, next(iter(categories)))
        self._of = lru_cache(4096)(self._found)

    def of(self, text: str) -> str | None:
        """The category of the last step that a schema knows; else the last step's own words, joined. None for nothing,
        and for a number, which names none."""
        return self._of(text)

    def _found(self, text: str) -> str | None:
        steps = steps_of(text)
        for step in reversed(steps):
            if known := next(filter(None, map(self._names.get, _readings(step))), None):
                return known
        last = next((step for step in reversed(steps) if not step.isdigit()), "")
        return "_".join(re.findall(r"[^\W_]+", last.casefold()))[:_NAMES_UP_TO] or None


def _readings(step: str) -> Iterator[tuple[str, ...]]:
    """A step's words, and without those for whom it is ("Men's Shoes")."""
    words = stems(step)
    yield words
    without = tuple(word for word in words if (word,) not in _audience())
    if without and without != words:
        yield without


@lru_cache
def _audience() -> frozenset[tuple[str, ...]]:
    values = vocabulary()["audience"]["values"]
    return frozenset(stems(word) for value, words in values.items() for word in (value, *words))
