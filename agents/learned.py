"""What labelled products teach about a category: a tagger, how far it can be trusted, and examples to show a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reaseq.agents.confidence import Confidence
from reaseq.agents.labelled import Candidate, LabelledProduct, Neighbours, Vectors, scattered
from reaseq.taxonomy.schema import Attribute, CategorySchema
from reaseq.taxonomy.trust import VERIFIED_FROM

if TYPE_CHECKING:
    from reaseq.agents.tagger import Tagger

KEPT_FROM = 0.4
"""Confidence from which a value is proposed. Half of the best F1 that can be reached is
the threshold that reaches it (Lipton, Elkan and Narayanaswamy 2014, Thresholding Classifiers to Maximize F1 Score)."""
_ASKED_FROM = 0.1
ENOUGH = 100
"""Labelled products of a category from which on those of others help no more."""
_OF_OTHERS, _MOST_OTHERS = 0.3, 200
FEWEST = 10
"""Labelled products that a category must have for a tagger to be worth anything."""


@dataclass(frozen=True)
class Learned:
    """Of one category. f1: held-out, of the values that would be proposed."""

    neighbours: Neighbours
    tagger: "Tagger"
    confidence: Confidence
    f1: float = 0.0

    @classmethod
    def learn(
        cls,
        products: Sequence[LabelledProduct],
        schema: CategorySchema,
        vectors: Vectors,
        *,
        beside: Sequence[LabelledProduct] = (),
        seed: int = 0,
    ) -> "Learned":
        """From `worthwhile` products; takes seconds for each hundred. beside: `helpful` ones of other categories."""
        from reaseq.agents.tagger import Tagger

        names = learnable(products, schema)
        tagger, tags = Tagger.learn_and_try([*products, *beside], names, vectors, seed=seed)
        cases = [
            (name, found[name][0].probability, found[name][0].value in forms)
            for product, found in zip(products, tags, strict=False)
            for name, forms in product.values.items()
            if found.get(name)
        ]
        confidence = Confidence.fit(*zip(*cases, strict=True)) if cases else Confidence()
        said = [right for name, p, right in cases if confidence(name, p) >= KEPT_FROM]
        named = sum(bool(forms) for product in products for forms in product.values.values())
        f1 = 2 * sum(said) / max(1, len(said) + named)
        return cls(Neighbours(products), tagger, confidence, f1)

    def tag(self, sources: Mapping[str, str]) -> dict[str, list[Candidate]]:
        return self.tagger.tag(sources)

    def tag_all(self, products: Sequence[Mapping[str, str]]) -> list[dict[str, list[Candidate]]]:
        """The same of several products, which is quicker than one by one."""
        return self.tagger.tag_all(products)

    def unsure(self, attribute: str, candidates: Sequence[Candidate]) -> bool:
        """Is there something for a model to choose of it? Not where the tagger is sure of a value, or sees none."""
        if not candidates:
            return False
        return _ASKED_FROM <= self.confidence(attribute, candidates[0].probability) < VERIFIED_FROM


def helpful(
    others: Sequence[LabelledProduct], products: Sequence[LabelledProduct], names: Sequence[str]
) -> list[LabelledProduct]:
    """Of labelled products of other categories what is worth learning beside those of the category: where there are few
    of these, those that have attributes of the same names, at less weight. What a brand or a pack size looks like is
    much the same everywhere."""
    if len(products) >= ENOUGH:
        return []
    made: list[LabelledProduct] = []
    for one in sorted(others, key=lambda one: scattered(one.id)):
        values = {name: forms for name, forms in one.values.items() if name in names}
        if len(made) == _MOST_OTHERS:
            break
        if any(values.values()):
            made.append(replace(one, id=f"other {one.id}", values=values, whole=False, weight=_OF_OTHERS * one.weight))
    return made


def worthwhile(products: Sequence[LabelledProduct], schema: CategorySchema) -> bool:
    """Is there enough to learn from: ten products, and an attribute that a tagger could find?"""
    return len(products) >= FEWEST and bool(learnable(products, schema))


def learnable(products: Sequence[LabelledProduct], schema: CategorySchema) -> list[str]:
    """The attributes of which a tagger may learn from these products."""
    seen = {name for product in products for name, forms in product.values.items() if forms}
    return [attribute.name for attribute in schema.attributes if tagged(attribute) and attribute.name in seen]


def tagged(attribute: Attribute) -> bool:
    """Does a tagger look for it? Where words of the text are the value and no list says which."""
    return attribute.kind == "open" and attribute.facet == "supply"
