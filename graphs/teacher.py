"""Which products of a category a teacher is to read: like all others between them, and little settled."""

import hashlib

import numpy as np

from reaseq.agents.choosing import choose
from reaseq.graphs.teaching import Teaching
from reaseq.knowledge_store.store import Store
from reaseq.taxonomy.schema import CategorySchema

_MOST = 5000
"""Products that are compared; of more a part, by the hashes of their ids."""


def to_teach(store: Store, schema: CategorySchema, count: int, teaching: Teaching) -> list[str]:
    """The ids of as many products as `count` lacks yet of those that a teacher has read, the most telling first.

    Raises:
        EngineError: the text encoder cannot be had.
    """
    there = {product["id"] for product, _ in store.taught(schema.category)}
    wanted = count - len(there)
    if wanted <= 0:
        return []
    unsettled = store.unsettled(schema.category)
    ids = sorted(unsettled, key=lambda one: hashlib.sha256(one.encode()).digest())[:_MOST]
    ids = sorted({*ids, *there & unsettled.keys()})
    if len(ids) - len(there) <= wanted:
        return [one for one in ids if one not in there]
    titles = [product["title"] for product, _, _ in store.products_of(ids)]
    vectors = np.asarray(teaching.encode()(titles), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)
    found = choose(
        vectors,
        wanted,
        weights=[1.0 + unsettled[one] for one in ids],
        chosen=[at for at, one in enumerate(ids) if one in there],
    )
    return [ids[at] for at in found]
