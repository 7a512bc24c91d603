"""Which products of a category a teacher is to read: like all others between them, and doubtful."""

from collections.abc import Sequence

import numpy as np

from reaseq.agents.choosing import choose
from reaseq.agents.labelled import scattered
from reaseq.agents.learned import Learned
from reaseq.agents.product_text import source_fields
from reaseq.graphs.teaching import Teaching
from reaseq.knowledge_store.store import Store
from reaseq.taxonomy.schema import CategorySchema

_MOST, _MOST_TAGGED = 5000, 1000
"""Products that are compared, and how many where a student says what it doubts; of more a part, by the hashes of their
ids."""


def to_teach(store: Store, schema: CategorySchema, count: int, teaching: Teaching, *, seed: int = 0) -> list[str]:
    """The ids of as many products as `count` lacks yet of those that a teacher has read, the most telling first. Once
    there is a student, what it doubts counts more; before that, what is unsettled.

    Raises:
        EngineError: the text encoder cannot be had.
    """
    there = set(store.taught_ids(schema.category))
    wanted = count - len(there)
    if wanted <= 0:
        return []
    unsettled = store.unsettled(schema.category)
    learned, _ = teaching.learn(store, schema, seed=seed)
    most = max(_MOST if learned is None else _MOST_TAGGED, 2 * count)
    ids = sorted(unsettled, key=scattered)[:most]
    ids = sorted({*ids, *there & unsettled.keys()})
    if len(ids) - len(there) <= wanted:
        return [one for one in ids if one not in there]
    products = [product for product, _, _ in store.products_of(ids)]
    vectors = np.asarray(teaching.encode()([product["title"] for product in products]), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)
    found = choose(
        vectors,
        wanted,
        weights=[1.0 + unsettled[one] for one in ids]
        if learned is None
        else doubts(learned, [source_fields(product) for product in products]),
        chosen=[at for at, one in enumerate(ids) if one in there],
    )
    return [ids[at] for at in found]


def doubts(learned: Learned, products: Sequence[dict[str, str]]) -> list[float]:
    """Of each product, how many of its values the tagger is expected to get wrong, as far as it knows."""
    made = []
    for tags in learned.tag_all(products):
        chances = [learned.confidence(name, some[0].probability) for name, some in tags.items() if some]
        made.append(sum(min(chance, 1 - chance) for chance in chances))
    return made
