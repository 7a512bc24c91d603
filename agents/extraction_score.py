"""Scores extracted values against gold values.

Each product and attribute that the gold names is one decision: gold and prediction are a value or nothing. With VC
right values, VW wrong ones, NV values where there is none, VN misses: P = VC/(NV+VC+VW), R = VC/(VN+VC+VW), over all
decisions (micro), as in ExtractGPT (arXiv 2310.12537) and WDC-PAVE (arXiv 2403.02130). A value is right if it equals
one of the gold's surface forms, character by character. Attributes that the gold does not name are not judged.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reaseq import ReaseqError
from reaseq.documents.locales import locale_of

_RESAMPLES = 1000


@dataclass(frozen=True)
class GoldRow:
    """A product with its gold: attribute to the accepted surface forms, none where it has no value. brand, attributes
    (its other columns), variants and locale: as a product of the store has them. line: where it stands in its file,
    from 1."""

    id: str
    category: str
    title: str
    description: str
    gold: Mapping[str, tuple[str, ...]]
    brand: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    variants: Sequence[Mapping[str, Any]] = ()
    locale: str | None = None
    line: int = field(default=1, compare=False)


@dataclass
class Outcomes:
    """Decisions by how they went; see the module's text."""

    right: int = 0
    wrong: int = 0
    invented: int = 0
    missed: int = 0
    nothing: int = 0

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong + self.invented)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.wrong + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + 2 * self.wrong + self.invented + self.missed)

    def __iadd__(self, other: "Outcomes") -> "Outcomes":
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)
        return self

    def add(self, gold: Sequence[str], value: str | None) -> None:
        if value is None:
            self.missed += bool(gold)
            self.nothing += not gold
        elif not gold:
            self.invented += 1
        else:
            self.right += value in gold
            self.wrong += value not in gold


@dataclass
class Score:
    """confused: (attribute, gold or "", prediction or "") to how often, wrong decisions only.

    interval: 95 % of F1 when products are drawn anew, with replacement.
    """

    overall: Outcomes = field(default_factory=Outcomes)
    by_attribute: dict[tuple[str, str], Outcomes] = field(default_factory=dict)
    by_category: dict[str, Outcomes] = field(default_factory=dict)
    confused: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    interval: tuple[float, float] = (0.0, 0.0)


def score(rows: Sequence[GoldRow], predicted: Mapping[str, Mapping[str, str]], *, seed: int = 0) -> Score:
    """predicted: product id to attribute, named as in the gold, to value; what is left out is no value."""
    made = Score()
    by_row = np.zeros((len(rows), 4))
    for number, row in enumerate(rows):
        mine = Outcomes()
        for attribute, gold in row.gold.items():
            value = predicted.get(row.id, {}).get(attribute)
            for outcomes in (
                mine,
                made.overall,
                made.by_category.setdefault(row.category, Outcomes()),
                made.by_attribute.setdefault((row.category, attribute), Outcomes()),
            ):
                outcomes.add(gold, value)
            if (value or "") not in (gold or ("",)):
                made.confused[attribute, gold[0] if gold else "", value or ""] += 1
        by_row[number] = mine.right, mine.wrong, mine.invented, mine.missed
    if rows:
        random = np.random.default_rng(seed)
        right, wrong, invented, missed = by_row[random.integers(0, len(rows), (_RESAMPLES, len(rows)))].sum(1).T
        f1 = 2 * right / np.maximum(1, 2 * right + 2 * wrong + invented + missed)
        low, high = np.quantile(f1, [0.025, 0.975])
        made.interval = float(low), float(high)
    return made


def read_gold(path: Path) -> Iterator[GoldRow]:
    """Rows of a gold file, JSON lines (gzip is fine): id, category, title and gold by attribute; perhaps description,
    brand, attributes (other columns by name), variants (id, options, attributes) and locale (de-AT).

    The gold of an attribute is a list of accepted forms; absent is `"n/a"`, null or an empty list.

    Raises:
        ReaseqError: the file cannot be read, or a line is no such row; the message names the line.
    """
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rt", encoding="utf-8") if compressed else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _gold_row(path, number, line)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise ReaseqError(f"{path}: {said}", hint="reaseq eval-extraction --gold FILE") from error


def _gold_row(path: Path, number: int, line: str) -> GoldRow:
    try:
        row: Any = json.loads(line)
        gold = {str(name): _forms(value) for name, value in row["gold"].items()}
        texts = {name: row.get(name) or "" for name in ("id", "category", "title", "description", "brand")}
        if not texts["id"] or not texts["category"] or not texts["title"]:
            raise ValueError("id, category and title must be given")
        attributes = row.get("attributes") or {}
        if not isinstance(attributes, dict):
            raise ValueError("attributes must be an object, column to cell")
        variants = [
            {"id": str(one["id"])} | {name: dict(one.get(name) or {}) for name in ("options", "attributes")}
            for one in row.get("variants") or ()
        ]
        texts = {name: str(text) for name, text in texts.items()}
        locale = locale_of(str(row["locale"])) if row.get("locale") else None
        if row.get("locale") and locale is None:
            raise ValueError(f"locale {row['locale']!r} is the code of no language")
        return GoldRow(**texts, gold=gold, attributes=attributes, variants=variants, locale=locale, line=number)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ReaseqError(
            f"{path}, line {number}: not a gold row: {why}",
            hint='a row is {"id": "1", "category": "shoes", "title": "…", "gold": {"color": ["red"], "size": "n/a"}}',
        ) from error


def _forms(value: Any) -> tuple[str, ...]:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return tuple(str(one) for one in values if one not in (None, "", "n/a"))
