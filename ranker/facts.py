"""Facts about products as vectors: brand, category and verified claims, without a vocabulary."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DIM = 256


@lru_cache(maxsize=100_000)
def signature(fact: str) -> NDArray[np.float32]:
    """A fact's own random direction: [DIM]. The same fact has the same one in every run and on every machine.

    Different facts are all but orthogonal, so that a linear map of the sum of signatures is an embedding bag over all
    facts there are and ever will be: a value first met after training needs no new parameters.
    (Random projection of sparse features; Weinberger et al. 2009, arXiv 0902.2206, hash for the same reason.)
    """
    seed = int.from_bytes(hashlib.sha256(fact.casefold().encode()).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)


def signatures(facts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """The facts of n products, such as `brand=acme`, as rows of unit mean square; zero without facts: [n, DIM]."""
    made = np.zeros((len(facts), DIM), np.float32)
    for row, mine in zip(made, facts, strict=True):
        for fact in mine:
            row += signature(fact)
    size = np.sqrt((made**2).mean(1, keepdims=True))
    made /= np.maximum(size, 1e-6)
    return made
