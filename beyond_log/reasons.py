"""What of a user's history an imagined product is nearest to, and what they have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.store import Store


@dataclass(frozen=True)
class Near:
    """A product of the history. likeness: cosine of the embeddings, whitened; shared: facts that both have."""

    product_id: str
    likeness: float
    shared: list[str]


def nearest(store: Store, products: Sequence[str], history: Sequence[str], most: int = 2) -> list[list[Near]]:
    """For each product the `most` products of the history that are most like it; none without embeddings."""
    space = embeddings.find_space(store)
    if space is None:
        return [[] for _ in products]
    vectors = embeddings.vectors_of(store, space, [*products, *history])
    facts = store.facts({*products, *history})
    made = []
    for product in products:
        mine = vectors.get(product)
        likeness = {
            other: float(mine @ vectors[other])
            for other in dict.fromkeys(history)
            if mine is not None and other in vectors and other != product
        }
        best = sorted(likeness, key=lambda other: -likeness[other])[:most]
        own = set(facts.get(product, ()))
        made.append([Near(other, likeness[other], sorted(own & set(facts.get(other, ())))) for other in best])
    return made
