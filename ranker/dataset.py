"""What is known of each product as rows of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq import ReaseqError
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.whitening import Whitening
from reaseq.ranker.facts import signatures
from reaseq.ranker.saved import Saved

TEXT_DIM = 256
"""Whitened dimensions that are kept of a text embedding."""


@dataclass(frozen=True)
class KnowledgeFeatures:
    """How a product's knowledge becomes a vector: its whitened text embedding, then its facts' signature.

    The whitening is fitted once, on items that were trained on, and applied to whatever comes later.
    """

    space: str
    whitening: Whitening

    @classmethod
    def fit(cls, store: Store, products: Sequence[str], trained: NDArray[np.bool_]) -> "KnowledgeFeatures":
        """products: [I] ids; trained: [I], whether the item occurs in training.

        Raises:
            ReaseqError: hardly any of them has an embedding.
        """
        space = embeddings.find_space(store)
        if space is None:
            raise ReaseqError("no product has an embedding yet", hint="reaseq embed")
        vectors, there = _vectors(store, space.fingerprint, products)
        fitted_on = vectors[trained & there]
        if len(fitted_on) < 2:
            raise ReaseqError("no product of the behaviour log has an embedding yet", hint="reaseq embed")
        return cls(space.fingerprint, Whitening.fit(fitted_on, dims=min(TEXT_DIM, fitted_on.shape[1])))

    def of(self, store: Store, products: Sequence[str]) -> NDArray[np.float32]:
        """Rows for the products [I]; zero where nothing is known: [I, k]."""
        vectors, there = _vectors(store, self.space, products)
        facts = store.facts()
        return self.rows(vectors, there, [facts.get(product, ()) for product in products])

    def rows(
        self, vectors: NDArray[np.float32], there: NDArray[np.bool_], facts: Sequence[Sequence[str]]
    ) -> NDArray[np.float32]:
        """The same of embeddings [n, d], whether there is one [n], and each product's facts: [n, k]."""
        text = np.zeros((len(vectors), self.whitening.matrix.shape[1]), np.float32)
        text[there] = self.whitening.apply(vectors[there])
        return np.concatenate([text, signatures(facts)], axis=1)

    def tensors(self) -> dict[str, Tensor]:
        """What a saved model keeps to know later products by; `of_saved` reads it."""
        return {
            "whitening.mean": torch.from_numpy(self.whitening.mean),
            "whitening.matrix": torch.from_numpy(self.whitening.matrix),
        }

    @classmethod
    def of_saved(cls, model: Saved) -> "KnowledgeFeatures | None":
        """Those that a saved model was trained with, if any."""
        if "space" not in model.meta:
            return None
        mean, matrix = model.tensors["whitening.mean"].numpy(), model.tensors["whitening.matrix"].numpy()
        return cls(model.meta["space"], Whitening(mean, matrix))


def _vectors(store: Store, space: str, products: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Stored embeddings of the products: [I, d], and whether there is one: [I]."""
    found = embeddings.find_space(store, space)
    if found is None:
        raise ReaseqError(f"the store has no embeddings of the encoder {space}", hint="reaseq embed")
    ids, matrix = embeddings.load_vectors(store, found)
    place = {product: index for index, product in enumerate(ids)}
    index = np.fromiter((place.get(product, -1) for product in products), np.int64, len(products))
    vectors = np.zeros((len(products), matrix.shape[1]), np.float32)
    vectors[index >= 0] = matrix[index[index >= 0]]
    return vectors, index >= 0
