"""What labelled products teach about a category: a tagger, how far it can be trusted, and examples to show a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reaseq.agents.confidence import Answer, Confidence
from reaseq.agents.labelled import Candidate, LabelledProduct, Neighbours, Vectors
from reaseq.taxonomy.schema import Attribute, CategorySchema
from reaseq.taxonomy.trust import VERIFIED_FROM

if TYPE_CHECKING:
    from reaseq.agents.tagger import Tagger

KEPT_FROM = 0.4
"""Confidence from which a value is proposed. Half of the best F1 that can be reached is
the threshold that reaches it (Lipton, Elkan and Narayanaswamy 2014, Thresholding Classifiers to Maximize F1 Score)."""
_ASKED_FROM = 0.1
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
        seed: int = 0,
    ) -> "Learned":
        """From `worthwhile` products; takes seconds for each hundred."""
        from reaseq.agents.tagger import Tagger

        tagger, tags = Tagger.learn_and_try(products, learnable(products, schema), vectors, seed=seed)
        cases = [
            (found[name][0].probability, found[name][0].value in forms)
            for product, found in zip(products, tags, strict=True)
            for name, forms in product.values.items()
            if found.get(name)
        ]
        confidence = Confidence.fit([p for p, _ in cases], [right for _, right in cases])
        said = [right for p, right in cases if confidence(p) >= KEPT_FROM]
        named = sum(bool(forms) for product in products for forms in product.values.values())
        f1 = 2 * sum(said) / max(1, len(said) + named)
        return cls(Neighbours(products), tagger, confidence, f1)

    def tag(self, sources: Mapping[str, str]) -> dict[str, list[Candidate]]:
        return self.tagger.tag(sources)

    def tag_all(self, products: Sequence[Mapping[str, str]]) -> list[dict[str, list[Candidate]]]:
        """The same of several products, which is quicker than one by one."""
        return self.tagger.tag_all(products)

    def unsure(self, candidates: Sequence[Candidate]) -> bool:
        """Is there something for a model to choose? Not where the tagger is sure of a value, or sees none."""
        if not candidates:
            return False
        return _ASKED_FROM <= self.confidence(candidates[0].probability, Answer.NOT_ASKED) < VERIFIED_FROM


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
