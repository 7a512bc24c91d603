"""From the store to arrays: the log, the impressions, and what is known of each product."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq import ReaseqError
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.events import read_events
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.whitening import Whitening
from reaseq.ranker.facts import signatures
from reaseq.ranker.log import Log, Sequences
from reaseq.ranker.saved import Saved

IMPRESSION = "impression"
TEXT_DIM = 256
"""Whitened dimensions that are kept of a text embedding."""


@dataclass(frozen=True)
class Dataset:
    """A store's log. Items are all products of the catalogue, in the order of their ids.

    impressions: for each of the log's users what was shown and not acted on; None where the log has none.
    """

    log: Log
    impressions: Sequences | None


def read_log(store: Store, kinds: Collection[str] | None = None) -> Dataset:
    """The store's behaviour log, of some kinds of events or of all.

    Raises:
        ReaseqError: there are no such events.
    """
    products = store.product_ids()
    number = {product: index for index, product in enumerate(products)}
    users: list[str] = []
    columns: dict[bool, list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]] = {True: [], False: []}
    last = None
    for user_ids, times, product_ids, event_kinds in read_events(store):
        user = np.empty(len(user_ids), np.int64)
        for index, name in enumerate(user_ids):
            if name != last:
                users.append(name)
                last = name
            user[index] = len(users) - 1
        item = np.fromiter((number[product] for product in product_ids), np.int64, len(product_ids))
        at = np.asarray(times, np.float64)
        shown = np.fromiter((kind == IMPRESSION for kind in event_kinds), bool, len(event_kinds))
        wanted = ~shown
        if kinds is not None:
            wanted &= np.fromiter((kind in kinds for kind in event_kinds), bool, len(event_kinds))
        for key, mask in ((True, wanted), (False, shown)):
            columns[key].append((user[mask], item[mask], at[mask]))
    parts = {
        key: [np.concatenate(column) for column in zip(*value, strict=True)] if value else []
        for key, value in columns.items()
    }
    if not parts[True] or not len(parts[True][0]):
        raise ReaseqError(
            "the store has no behaviour to learn from" + (f" of the kinds {', '.join(kinds)}" if kinds else ""),
            hint="reaseq import-events FILE   (reaseq events stats shows what is there)",
        )
    timed = store.clock() == "time"
    names = (users, products)
    distinct = _distinct(*parts[True])
    log = Log.of(*distinct, names=names, timed=timed)
    impressions = Log.of(*parts[False], names=names, timed=timed).events if len(parts[False][0]) else None
    return Dataset(log, impressions)


def _distinct(
    users: NDArray[np.int64], items: NDArray[np.int64], at: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """One event for the same user, item and time, whatever its kinds."""
    order = np.lexsort((items, at, users))
    users, items, at = users[order], items[order], at[order]
    first = np.ones(len(users), bool)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1]) | (at[1:] != at[:-1])
    return users[first], items[first], at[first]


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
        text = np.zeros((len(products), self.whitening.matrix.shape[1]), np.float32)
        text[there] = self.whitening.apply(vectors[there])
        facts = store.facts()
        return np.concatenate([text, signatures([facts.get(product, ()) for product in products])], axis=1)

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
