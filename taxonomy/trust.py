"""How far each class of evidence can be trusted: the share of its claims that are true, as judged.

`trust.yaml` has the counts of claims on real feeds that were judged by reading; people's decisions in a store are added
to them. Few counts are drawn towards what is known more widely, as by `_DRAWN_BY` judgements: those in one language
(by more, as they are the few of one store) towards those in all, those of a class for one sort of attribute towards
those of the class, these towards those of classes like it, these towards all (partial pooling: Gelman and Hill 2007,
Data Analysis Using Regression and Multilevel/Hierarchical Models, chapter 12).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from reaseq.documents.listed import listed
from reaseq.taxonomy.evidence import Evidence
from reaseq.taxonomy.labels import Labels, is_substance
from reaseq.taxonomy.schema import Attribute

VERIFIED_FROM = 0.9
"""The share of true claims from which a class is taken at its word."""
PROMISE = 0.95
"""The share of verified claims that are to be right, if nothing else is said."""
_FILE = Path(__file__).with_name("trust.yaml")
_DRAWN_BY, _DRAWN_BY_LANGUAGE = 8.0, 30.0
"""Judgements; chosen by the likelihood of each judged claim under the counts of all others."""
_UNKNOWN = 0.8
"""Where nothing was judged at all."""
_POOLS: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            (Evidence.COLUMN, Evidence.LABEL, Evidence.PATH),
            (
                Evidence.HEAD,
                Evidence.PHRASE,
                Evidence.OPENING,
                Evidence.POINTED,
                Evidence.PART,
                Evidence.PURPOSE,
                Evidence.WORDS,
                Evidence.ITEM,
                Evidence.NEAR,
            ),
            (
                Evidence.READ,
                Evidence.TITLE,
                Evidence.PROSE,
                Evidence.CUE,
                Evidence.CELL,
                Evidence.OTHER,
                Evidence.TAGGED,
            ),
            (
                Evidence.CONTRADICTED,
                Evidence.OUTWEIGHED,
                Evidence.HEAD_OUTWEIGHED,
                Evidence.VARIANTS,
                Evidence.LISTED,
                Evidence.OTHER_KIND,
            ),
            (Evidence.IMPLIED, Evidence.SUGGESTED, Evidence.INDIRECT, Evidence.DENIED),
        ),
    )
)
"""Classes that are alike: a column's name and a label, what stands beside what it is said of, what stands free,
what something speaks against, and what no words state."""

Counts = Mapping[tuple[str, str], tuple[int, int]]
"""Class of evidence and sort of attribute to claims that are true, and claims that were judged."""
CountsByLanguage = Mapping[tuple[str, str, str], tuple[int, int]]
"""The same with the language of the text ("de")."""


def sort_of(attribute: Attribute, labels: Labels) -> str:
    """The sort of attribute, as classes are told apart by: kind, material, look, measure, words, fact; of one that
    speaks of the buyer, or is a phrase, its name (audience, need, style ...)."""
    if attribute.name == labels.kind:
        return "kind"
    if attribute.kind == "measure":
        return "measure"
    if is_substance(attribute):
        return "material"
    if attribute.looks:
        return "look"
    if attribute.facet == "demand" or attribute.kind == "phrase":
        return attribute.name
    return "words" if attribute.kind == "open" else "fact"


@dataclass(frozen=True)
class Trust:
    """Counts, and what they say of a class. What is judged of texts in one language counts for all, and for texts in
    that language once more. verified_from: the confidence from which claims are verified."""

    counts: Counts = field(default_factory=dict)
    by_language: CountsByLanguage = field(default_factory=dict)
    verified_from: float = VERIFIED_FROM

    @cached_property
    def _reckoned(self) -> dict[tuple[Evidence, str, str], float]:
        return {}

    def __call__(self, evidence: Evidence, sort: str, language: str = "") -> float:
        """The chance that a claim on such evidence of such an attribute is true; language: "" if it is not known."""
        key = (evidence, sort, language)
        if key not in self._reckoned:
            self._reckoned[key] = self._reckon(*key)
        return self._reckoned[key]

    def _reckon(self, evidence: Evidence, sort: str, language: str) -> float:
        overall = _drawn(_sum(self.counts.values()), _UNKNOWN)
        pool = next(pool for pool in _POOLS if evidence in pool)
        of_pool = _drawn(_sum(count for (name, _), count in self.counts.items() if name in pool), overall)
        of_class = _drawn(_sum(count for (name, _), count in self.counts.items() if name == evidence), of_pool)
        of_sort = _drawn(self.counts.get((evidence, sort), (0, 0)), of_class)
        return _drawn(self.by_language.get((evidence, sort, language), (0, 0)), of_sort, _DRAWN_BY_LANGUAGE)

    def with_counts(self, more: CountsByLanguage) -> "Trust":
        counts, by_language = dict(self.counts), dict(self.by_language)
        for (evidence, sort, language), count in more.items():
            counts[evidence, sort] = _plus(counts.get((evidence, sort), (0, 0)), count)
            if language:
                key = (evidence, sort, language)
                by_language[key] = _plus(by_language.get(key, (0, 0)), count)
        return replace(self, counts=counts, by_language=by_language)


def _drawn(count: tuple[int, int], towards: float, by: float = _DRAWN_BY) -> float:
    true, judged = count
    return (true + by * towards) / (judged + by)


def _sum(counts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    total = (0, 0)
    for count in counts:
        total = _plus(total, count)
    return total


def _plus(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


@lru_cache
def shipped() -> Trust:
    """What was judged on real feeds."""
    read: dict[str, dict[str, Any]] = listed(_FILE)
    return Trust({(evidence, sort): tuple(count) for evidence, sorts in read.items() for sort, count in sorts.items()})
