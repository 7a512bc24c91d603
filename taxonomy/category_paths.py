"""Which category a shop's own name or path for it stands for: `Home/Men/Shoes`, `["Clothing", "Shoes"]`, `Sneakers`."""

import html
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path

from reaseq.documents.language import words
from reaseq.documents.tokens import STOP, stems
from reaseq.taxonomy.schema import starters, vocabulary

_STEP = re.compile(r"\s*(?:>|»|/|\||::|\\|→)+\s*")
_OR = re.compile(r"\s*[,;]\s*")
_SHORTEST = 4
"""Letters of each part of a compound."""
_NAMED = ("name", "title", "label")
_OF_SEVERAL = frozenset(("tee", "boot", "chaise", "chaises"))
"""Shirts, shoes and sofas of one language, tea, boats and chairs of another: no category by themselves."""
_NAMES_UP_TO = 200
"""Characters of a category's name."""


def steps_of(text: str) -> list[str]:
    """The steps of a category path, the widest first; of several paths, on lines of their own or parted by commas, the
    first one's."""
    text = html.unescape(next((line for line in text.splitlines() if line.strip()), ""))
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
            named = (
                next((one[key] for key in _NAMED if key in one), "") if isinstance(one, dict) else one for one in listed
            )
            return [str(one).strip() for one in named if isinstance(one, str | int) and str(one).strip()]
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
        self._says: dict[str, frozenset[str]] = {}
        kinds: dict[tuple[str, ...], set[str]] = {}
        known = [schema for _, schema in starters(folder)]
        for schema in known:  # what a category is called comes before what another one is called too
            self._names.setdefault(stems(schema.category.replace("_", " ")), schema.category)
        for schema in known:
            for name in schema.aliases:
                self._names.setdefault(stems(name.replace("_", " ")), schema.category)
            closed = [one.values for one in schema.attributes if one.kind == "closed"]
            said = [stems(term) for values in closed for value, others in values.items() for term in (value, *others)]
            self._says.setdefault(schema.category, frozenset(term[0] for term in said if len(term) == 1))
            kind = schema.attributes[0]
            if kind.name.endswith("_type") and kind.kind == "closed":
                own = {value: others for value, others in kind.values.items() if value not in schema.elsewhere}
                for value in (*own, *chain.from_iterable(own.values())):
                    kinds.setdefault(stems(value), set()).add(schema.category)
        for term, categories in kinds.items():
            if len(categories) == 1:
                self._names.setdefault(term, next(iter(categories)))
        self.categories = frozenset(self._says) - {"general"}
        self._of = lru_cache(4096)(self._found)

    def knows(self, category: str) -> bool:
        """Is there a schema of that category?"""
        return category in self.categories

    def of(self, text: str) -> str | None:
        """The category of the last step that a schema knows, by a name, an alias or a kind of it, or by such a word
        with others that say what such a thing may be ("Casual Shoes"); else the last step's own words, joined. None for
        nothing, and for a number, which names none."""
        return self._of(text)

    def _found(self, text: str) -> str | None:
        lines = [line for line in text.splitlines() if line.strip()]
        ways = [steps_of(line) for line in lines] or [[]]
        steps = ways[0]
        # "Sale, Shoes" names two; "Shirts, Blouses & Tops" may name one.
        ways += [[other] for line, way in zip(lines, ways, strict=False) if len(way) == 1 for other in _OR.split(line)]
        for step in (step for way in ways for step in reversed(way)):
            if step.strip().casefold() in _OF_SEVERAL:
                continue
            readings = map(self._names.get, _readings(step))
            if known := next(filter(None, readings), None) or self._by_head(stems(step)):
                return known
        last = next((step for step in reversed(steps) if not step.isdigit()), "")
        return "_".join(re.findall(r"[^\W_]+", last.casefold()))[:_NAMES_UP_TO] or None

    def _by_head(self, step: tuple[str, ...]) -> str | None:
        """The category that the last or the first words name, where all others say what such a thing may be: "Women
        Casual Shoes", "Damenschuhe", "zapatos de mujer", not "Trash Bags"."""
        for at in range(1, len(step)):
            for head, rest in ((step[at:], step[:at]), (step[:-at], step[-at:])):
                linked = head == step[at:] or _is_link(rest[0])  # "boots for men", but not "shoe laces"
                known = self._names.get(head) if linked else None
                if known and all(_is_link(word) or self._is_said(word, known) for word in rest):
                    return known
        last = step[-1] if step else ""
        for at in range(_SHORTEST, len(last) - _SHORTEST + 1):
            known = self._names.get((last[at:],))
            said = known and (self._is_said(last[:at], known) or self._is_said(last[:at].removesuffix("s"), known))
            if known and said and all(self._is_said(word, known) for word in step[:-1]):
                return known
        return None

    def _is_said(self, word: str, category: str) -> bool:
        return word in self._says[category] or (word,) in _audience()


def _is_link(word: str) -> bool:
    return word in STOP or any((word,) in words(kind) for kind in ("links", "purposes"))


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
