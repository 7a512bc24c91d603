"""Products whose values are known, from a gold file or from people's decisions, and those among them like another."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reaseq.documents.tokens import stems


@dataclass(frozen=True)
class LabelledProduct:
    """A product's text, and for each attribute that somebody judged the accepted forms of its value, none where it has
    none. Other attributes it most likely lacks, if somebody looked at all of it (`whole`); else nothing is known.
    weight: how much it counts beside what people judged."""

    id: str
    sources: Mapping[str, str]
    values: Mapping[str, tuple[str, ...]]
    whole: bool = True
    weight: float = 1.0


def scattered(identifier: str) -> bytes:
    """A key by which sorting leaves no order but is the same every time: the first of many are a fair sample."""
    return hashlib.sha256(identifier.encode()).digest()


Spans = tuple[tuple[int, int], ...]
Vectors = Callable[[Sequence[tuple[str, Spans]]], list[NDArray[np.float32]]]
"""The encoder's vectors of spans of each text: [n, d]; see `knowledge_store.encoder.Encoder.span_vectors`."""


class Candidate(NamedTuple):
    """What `source[field][start:end]` says, as labelled products would write it, and the tagger's probability that this
    is the attribute's value."""

    value: str
    field: str
    start: int
    end: int
    probability: float


Tags = Mapping[str, Sequence[Candidate]]
"""Attribute to its candidates, likeliest first."""


class Neighbours:
    """Labelled products of one category, found by the words they share (cosine of tf-idf vectors)."""

    def __init__(self, products: Sequence[LabelledProduct]) -> None:
        self.products = products

    @cached_property
    def _index(self) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer=stems, sublinear_tf=True)
        return vectorizer, vectorizer.fit_transform([_words(product.sources) for product in self.products])

    def nearest(self, sources: Mapping[str, str], count: int, *, leave_out: str | None = None) -> list[LabelledProduct]:
        """The `count` products most like `sources`, the likest last, as a model heeds most what it read last.

        `leave_out`: id of a product that is not to be among them.
        """
        if not self.products:
            return []
        vectorizer, matrix = self._index
        likeness = (matrix @ vectorizer.transform([_words(sources)]).T).toarray()[:, 0]
        order = np.argsort(-likeness, kind="stable")
        found = [self.products[row] for row in order if self.products[row].id != leave_out]
        return found[:count][::-1]


def _words(sources: Mapping[str, str]) -> str:
    return "\n".join(sources.values())
