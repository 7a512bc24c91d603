"""Baselines that every table shows: popularity, item-kNN, EASE and a first-order Markov chain.

All but popularity score an item by a weighted sum over the history: score(i) = sum_j w_j B[item_j, i], where w_j falls
with age. Without that decay they look far weaker than they are on logs of repeat purchases.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from reaseq.knowledge_store.log import Sequences, baskets
from reaseq.ranker.evaluate import case_metrics, target_ranks
from reaseq.ranker.split import Cases

DECAYS = (1.0, 0.95, 0.9, 0.8, 0.65, 0.5, 0.3)
STRENGTHS = (250.0, 50.0, 1000.0)
_EASE_MOST = 20_000
"""EASE inverts an [I, I] matrix: beyond this many items it is left out."""


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline: weights [I, I] (none: popularity), and how a step back in history weakens an event."""

    name: str
    popularity: NDArray[np.float32]
    weights: Any = None
    decay: float = 1.0
    by_basket: bool = False

    @property
    def title(self) -> str:
        if self.decay == 1.0:
            return self.name
        return f"{self.name}, decay {self.decay:g} {'a basket' if self.by_basket else 'an event'}"

    def scores(self, cases: Cases) -> Callable[[int, int], Tensor]:
        """A function of a range of cases that gives scores of all items, as `target_ranks` wants it."""
        tie_break = self.popularity / (1e6 * max(1.0, float(self.popularity.max())))
        history = None if self.weights is None else self._history(cases.history)

        def block(low: int, high: int) -> Tensor:
            if history is None:
                return torch.from_numpy(np.tile(self.popularity, (high - low, 1)))
            made = history[low:high] @ self.weights
            dense = made.toarray() if sparse.issparse(made) else made
            # Where the history says nothing of two items, the more popular comes first.
            return torch.from_numpy(np.asarray(dense, np.float32) + tie_break)

        return block

    def _history(self, history: Sequences) -> Any:
        if self.by_basket:
            _, number = baskets(history)
        else:
            number = np.arange(len(history.items)) - np.repeat(history.offsets[:-1], history.lengths)
        newest = np.zeros(len(history), np.int64)
        filled = history.lengths > 0
        newest[filled] = number[history.offsets[1:][filled] - 1]
        weight = self.decay ** (np.repeat(newest, history.lengths) - number).astype(np.float64)
        shape = (len(history), len(self.popularity))
        return sparse.csr_matrix((weight, (history.owner, history.items)), shape=shape, dtype=np.float32)


def fit_all(train: Sequences, items: int, valid: Cases) -> list[Baseline]:
    """Every baseline, its decay (and EASE's regularisation) chosen by NDCG@10 on validation cases."""
    popularity = np.bincount(train.items, minlength=items).astype(np.float32)
    sample = valid.select(np.random.default_rng(0).permutation(len(valid))[:1000])

    def quality(one: Baseline) -> float:
        if not len(sample):
            return 0.0
        ranks = target_ranks(one.scores(sample), sample)
        return float(case_metrics(ranks, sample, (10,))["NDCG@10"].mean())

    def best_decay(name: str, weights: Any) -> Baseline:
        tried = [Baseline(name, popularity, weights, decay) for decay in DECAYS]
        tried += [Baseline(name, popularity, weights, decay, True) for decay in DECAYS[1:]]
        return max(tried, key=quality)

    fitted = [Baseline("popularity", popularity), best_decay("item-kNN", item_knn(train, items))]
    if items <= _EASE_MOST:
        chosen = best_decay("EASE", ease(train, items, STRENGTHS[0]))
        others = (replace(chosen, weights=ease(train, items, strength)) for strength in STRENGTHS[1:])
        chosen = max(chosen, *others, key=quality)
        fitted.append(chosen)
    return [*fitted, best_decay("Markov", markov(train, items))]


def _seen(train: Sequences, items: int) -> Any:
    ones = np.ones(len(train.items), np.float32)
    matrix = sparse.csr_matrix((ones, (train.owner, train.items)), shape=(len(train), items))
    matrix.data[:] = 1.0
    return matrix


def item_knn(train: Sequences, items: int, *, neighbours: int = 200, shrink: float = 10.0) -> Any:
    """Shrunk cosine similarity of items by the users who have them, the best `neighbours` a row: sparse [I, I].

    An item is its own nearest neighbour, which makes repetition count.
    """
    seen = _seen(train, items)
    shared = (seen.T @ seen).tocsr()
    norm = np.sqrt(shared.diagonal())
    rows = np.repeat(np.arange(items), np.diff(shared.indptr))
    shared.data = shared.data / (norm[rows] * norm[shared.indices] + shrink)
    return _strongest(shared, neighbours)


def ease(train: Sequences, items: int, strength: float) -> NDArray[np.float32]:
    """EASE's item weights, dense [I, I] (Steck 2019, arXiv 1905.03375, equation 8)."""
    gram = (_seen(train, items).T @ _seen(train, items)).toarray()
    gram[np.diag_indices(items)] += strength
    inverse = torch.linalg.inv(torch.from_numpy(gram))
    weights: Tensor = (inverse / -inverse.diagonal()).contiguous()  # LAPACK leaves columns together
    weights.fill_diagonal_(0.0)
    return weights.numpy()


def markov(train: Sequences, items: int, *, smoothing: float = 5.0) -> Any:
    """P(next item | item) from neighbouring events, sparse [I, I]; rare items' rows are shrunk."""
    inner = np.ones(len(train.items), bool)
    inner[train.offsets[:-1][train.lengths > 0]] = False
    after = np.flatnonzero(inner)
    ones = np.ones(len(after), np.float32)
    pairs = sparse.csr_matrix((ones, (train.items[after - 1], train.items[after])), shape=(items, items))
    total = np.asarray(pairs.sum(1)).ravel()
    pairs.data = pairs.data / np.repeat(total + smoothing, np.diff(pairs.indptr)).astype(np.float32)
    return pairs


def _strongest(matrix: Any, most: int) -> Any:
    """Only the `most` largest entries of each row."""
    keep = np.ones(len(matrix.data), bool)
    for row in np.flatnonzero(np.diff(matrix.indptr) > most):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        values = matrix.data[part]
        keep[part] = values >= np.partition(values, -most)[-most]
    matrix.data[~keep] = 0.0
    matrix.eliminate_zeros()
    return matrix
