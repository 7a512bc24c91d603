"""Which category a product belongs to, by meaning: that whose words and whose products' titles are nearest.

A category's words are its name, its aliases, its description, the titles of its worked examples and the kinds it knows
(the values of attributes named `..._type`). A product is as near to a category as the three nearest of these on
average: one alone is often a chance, and all of them say little of a category with many kinds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reaseq.taxonomy.likeness import DEFAULT, Likeness
from reaseq.taxonomy.proposals import Encode
from reaseq.taxonomy.schema import CategorySchema

AMONG = 5
_NEAREST = 3


@dataclass(frozen=True)
class Nearest:
    """The categories nearest to a product, the nearest first; `sure` if that is the one. `reaseq.bench.categorization`
    measures how often it is."""

    categories: tuple[str, ...]
    sure: bool


class Categories:
    """Those that products can be put under."""

    def __init__(
        self,
        schemas: Iterable[CategorySchema],
        titles: Mapping[str, Sequence[str]],
        encode: Encode,
        likeness: Likeness = DEFAULT,
    ) -> None:
        """titles: of products that are under a category already, which need have no schema."""
        self._encode = encode
        self._likeness = likeness
        kinds: dict[str, list[str]] = {name: [_words(name)] for name in titles}
        texts: dict[str, list[str]] = {name: list(own) for name, own in titles.items()}
        for schema in schemas:
            kinds[schema.category] = list(_kinds(schema))
            texts.setdefault(schema.category, []).extend(
                [schema.description, *(example.title for example in schema.examples)]
            )
        self.names = tuple(kinds)
        self._kinds, self._kind_of = self._encoded(kinds)
        others, other_of = self._encoded(texts)
        self._texts, self._text_of = np.concatenate([self._kinds, others]), np.concatenate([self._kind_of, other_of])

    def _encoded(self, texts: Mapping[str, Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Vectors of all texts, and the place of each one's category."""
        places = {name: place for place, name in enumerate(self.names)}
        owners = [places[name] for name, own in texts.items() for _ in own]
        return self._vectors([text for own in texts.values() for text in own]), np.array(owners, np.int64)

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self._encode(texts), np.float32)

    def nearest(self, titles: Sequence[str]) -> list[Nearest]:
        """The nearest categories of each product, by its title."""
        near = self._vectors(titles) @ self._texts.T
        means = np.full((len(titles), len(self.names)), -1.0)
        for place in range(len(self.names)):
            own = near[:, self._text_of == place]
            most = min(_NEAREST, own.shape[1])
            means[:, place] = np.partition(own, -most, axis=1)[:, -most:].mean(1)
        order = np.argsort(-means, axis=1, kind="stable")[:, :AMONG]
        found = []
        for row, best in zip(means, order, strict=True):
            first, second = row[best[0]], row[best[1]] if len(best) > 1 else -1.0
            sure = bool(first >= self._likeness.category_from and first - second >= self._likeness.category_by)
            found.append(Nearest(tuple(self.names[place] for place in best), sure))
        return found

    def of_kind(self, kind: str, among: Sequence[str]) -> str | None:
        """The category of `among` that knows such a kind; None if none does."""
        near = (self._vectors([kind]) @ self._kinds.T)[0]
        best = max((int(place) for place in range(len(near)) if self._name(place) in among), key=lambda p: near[p])
        return self._name(best) if near[best] >= self._likeness.kind_from else None

    def _name(self, kind: int) -> str:
        return self.names[int(self._kind_of[kind])]


def _kinds(schema: CategorySchema) -> Iterable[str]:
    yield _words(schema.category)
    yield from schema.aliases
    for attribute in schema.attributes:
        if attribute.name.endswith("_type"):
            yield from attribute.values


def _words(name: str) -> str:
    return name.replace("_", " ")
