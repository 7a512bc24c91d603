"""Linear-chain conditional random fields (Lafferty, McCallum and Pereira 2001), many at once over the same words.

Each column is a field of its own with the tags outside, begin, inside; columns share nothing but what is said of the
words: sparse features and dense vectors, both of which scores are linear in. Gradients are worked out by the forward
and backward recursion in place of automatic differentiation, which costs many times what the arithmetic does.

Shapes: w words of all texts of a batch, t of the longest, b texts, c columns, f features, d the vectors' width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

OUTSIDE, BEGIN, INSIDE = range(3)
TAGS = 3
Array = NDArray[np.float32]
_FIRST_RATE, _SECOND_RATE, _SMALL = 0.9, 0.999, 1e-8
_ALLOWED = np.ones((TAGS, TAGS), np.float32)
_ALLOWED[OUTSIDE, INSIDE] = 0
_LARGEST = 30.0
"""Of a score, in either direction: what is beyond it is certain."""


@dataclass(frozen=True)
class FitConfig:
    """How it learns: Adam (Kingma and Ba 2015) with a rate for each kind of weight, warmed up and let down to 0."""

    epochs: int = 20
    batch: int = 16
    sparse_rate: float = 0.02
    dense_rate: float = 0.002
    dropout: float = 0.2
    decay: float = 1e-4


class Batch(NamedTuple):
    """Texts to be scored together. said: the words' sparse features, a CSR matrix [w, f]; vectors: [w, d]; lengths: of
    the texts, in words."""

    said: Any
    vectors: Array
    lengths: NDArray[np.int64]

    @property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of each word its place in its text, and its text."""
        texts = np.repeat(np.arange(len(self.lengths)), self.lengths)
        starts = np.cumsum(self.lengths) - self.lengths
        return np.arange(len(texts)) - starts[texts], texts


@dataclass
class Weights:
    """sparse: [f, 3 c]; dense: [d, 3 c]; bias: [3 c]; moves: [c, from, to], of which outside to inside cannot be."""

    sparse: Array
    dense: Array
    bias: Array
    moves: Array

    @classmethod
    def zero(cls, features: int, width: int, columns: int, random: np.random.Generator) -> "Weights":
        bound = 1 / np.sqrt(width)
        dense = random.uniform(-bound, bound, (width, TAGS * columns)).astype(np.float32)
        return cls(
            np.zeros((features, TAGS * columns), np.float32),
            dense,
            np.zeros(TAGS * columns, np.float32),
            np.zeros((columns, TAGS, TAGS), np.float32),
        )

    def of(self, first: int, last: int) -> "Weights":
        """Those of some columns."""
        cut = slice(TAGS * first, TAGS * last)
        return Weights(
            self.sparse[:, cut].copy(), self.dense[:, cut].copy(), self.bias[cut].copy(), self.moves[first:last].copy()
        )

    def scores(self, batch: Batch) -> Array:
        """[w, 3 c]."""
        made: Array = batch.said @ self.sparse
        made += batch.vectors @ self.dense
        made += self.bias
        return made


class Chains:
    """The forward and backward recursion over the texts of a batch: probabilities, scaled so that they stay in range
    (Rabiner 1989). `alpha` and `beta`: [t, c, b, 3]; `emitted`: the same, of the words alone; `scales`: [t, c, b]."""

    def __init__(self, scores: Array, batch: Batch, moves: Array) -> None:
        self.place, self.text = batch.places
        self.lengths = batch.lengths
        longest, texts, columns = int(batch.lengths.max()), len(batch.lengths), len(moves)
        by_tag = scores.reshape(len(scores), columns, TAGS)
        by_tag = by_tag - by_tag.max(2, keepdims=True)
        emitted = np.ones((longest, columns, texts, TAGS), np.float32)
        emitted[self.place, :, self.text] = np.exp(np.maximum(by_tag, -_LARGEST))
        emitted[0, :, :, INSIDE] = 0  # a first word cannot be inside a value
        self.emitted = emitted
        self.moves = np.exp(np.clip(moves, -_LARGEST, _LARGEST)) * _ALLOWED
        self.alpha = np.empty_like(emitted)
        self.scales = np.empty((longest, columns, texts), np.float32)
        alpha = emitted[0]
        for at in range(longest):
            if at:
                alpha = (alpha @ self.moves) * emitted[at]
            scale = alpha.sum(2)
            alpha = alpha / scale[..., None]
            self.alpha[at], self.scales[at] = alpha, scale
        self.beta = np.empty_like(emitted)
        back = self.moves.transpose(0, 2, 1)
        beta = np.ones((columns, texts, TAGS), np.float32)
        for at in range(longest - 1, -1, -1):
            if at < longest - 1:
                going_on = (at + 1 < batch.lengths)[None, :, None]
                step = ((beta * emitted[at + 1]) @ back) / self.scales[at + 1][..., None]
                beta = np.where(going_on, step, np.float32(1))
            self.beta[at] = beta

    def marginals(self) -> Array:
        """The chance of each tag of each word: [w, c, 3]."""
        made: Array = (self.alpha * self.beta)[self.place, :, self.text]
        made /= made.sum(2, keepdims=True)
        return made

    def moved(self, weights: Array) -> Array:
        """How often each move is expected, texts weighed by `weights` [c, b]: [c, from, to]."""
        longest, columns, texts = self.scales.shape
        inside = np.arange(1, longest)[:, None] < self.lengths
        after = self.emitted[1:] * self.beta[1:] / self.scales[1:][..., None]
        after *= (inside[:, None] * weights[None])[..., None]
        before = self.alpha[:-1].transpose(1, 3, 0, 2).reshape(columns, TAGS, (longest - 1) * texts)
        counts = before @ after.transpose(1, 0, 2, 3).reshape(columns, (longest - 1) * texts, TAGS)
        return np.asarray(counts * self.moves, np.float32)


class Adam:
    """Of some arrays that are changed in place; of rows of one only those that a batch touches."""

    def __init__(self, array: Array, rate: float) -> None:
        self.array, self.rate = array, rate
        self.first, self.second = np.zeros_like(array), np.zeros_like(array)
        self.steps = np.zeros(len(array), np.int32)

    def step(self, gradient: Array, share: float, rows: NDArray[np.int64] | None = None) -> None:
        """share: of the rate. rows: the gradient's, where it is not of all."""
        which: Any = slice(None) if rows is None else rows
        self.steps[which] += 1
        count = self.steps[which].reshape(-1, *[1] * (self.array.ndim - 1)).astype(np.float32)
        first = _FIRST_RATE * self.first[which] + (1 - _FIRST_RATE) * gradient
        second = _SECOND_RATE * self.second[which] + (1 - _SECOND_RATE) * gradient * gradient
        self.first[which], self.second[which] = first, second
        first = first / (1 - _FIRST_RATE**count)
        second = np.sqrt(second / (1 - _SECOND_RATE**count)) + _SMALL
        self.array[which] -= (share * self.rate) * first / second


def fit(
    weights: Weights,
    whole: Batch,
    tags: NDArray[np.int8],
    counts: Array,
    config: FitConfig,
    random: np.random.Generator,
) -> None:
    """Learn from the texts of `whole`. tags: [w, c]; counts: how much each text counts for each column, [b, c]."""
    starts = np.cumsum(whole.lengths) - whole.lengths
    sparse = Adam(weights.sparse, config.sparse_rate)
    moves = Adam(weights.moves, config.sparse_rate)
    dense, bias = Adam(weights.dense, config.dense_rate), Adam(weights.bias, config.dense_rate)
    steps = config.epochs * -(-len(whole.lengths) // config.batch)
    done = 0
    for _ in range(config.epochs):
        for rows in _batches(whole.lengths, config.batch, random):
            words = np.concatenate([np.arange(starts[row], starts[row] + whole.lengths[row]) for row in rows])
            lengths = whole.lengths[rows]
            # What is left out is the same for all words of a text (Gal and Ghahramani 2016).
            kept = random.random((len(rows), whole.vectors.shape[1])) >= config.dropout
            scale = (kept / (1 - config.dropout)).astype(np.float32)
            batch = Batch(whole.said[words], whole.vectors[words] * np.repeat(scale, lengths, axis=0), lengths)
            scores, expected = gradients(weights, batch, tags[words], counts[rows] / np.float32(len(rows)))
            share = min(1.0, (done + 1) / (0.1 * steps)) * (1 - done / steps)
            touched = np.unique(batch.said.indices)
            drawn = batch.said[:, touched].T @ scores + 2 * config.decay * weights.sparse[touched]
            sparse.step(drawn, share, touched)
            dense.step(batch.vectors.T @ scores, share)
            bias.step(scores.sum(0), share)
            moves.step(expected, share)
            done += 1


def gradients(weights: Weights, batch: Batch, tags: NDArray[np.int8], counts: Array) -> tuple[Array, Array]:
    """Of the negative log-likelihood of `tags` [w, c], texts and columns weighed by `counts` [b, c]: by the scores,
    [w, 3 c], and by the moves, [c, 3, 3]."""
    chains = Chains(weights.scores(batch), batch, weights.moves)
    lost = chains.marginals() - (tags[..., None] == np.arange(TAGS))
    lost *= counts[chains.text][:, :, None]
    moved = chains.moved(counts.T) - _moved(tags, chains, counts)
    return lost.reshape(len(lost), -1), (moved * _ALLOWED).astype(np.float32)


def _batches(lengths: NDArray[np.int64], size: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Texts of about the same length together, as they share what the longest costs; in any order."""
    order = np.argsort(lengths * random.uniform(0.7, 1.3, len(lengths)), kind="stable")
    starts = np.arange(0, len(order), size)
    for start in random.permutation(starts):
        yield order[start : start + size]


def _moved(tags: NDArray[np.int8], chains: Chains, weight: Array) -> Array:
    """How often each move is made, texts weighed by `weight` [b, c]: [c, from, to]."""
    later = np.nonzero(chains.place > 0)[0]
    columns = tags.shape[1]
    pair = tags[later - 1].astype(np.int64) * TAGS + tags[later] + np.arange(columns) * TAGS**2
    made = np.bincount(pair.ravel(), weight[chains.text[later]].ravel(), minlength=columns * TAGS**2)
    return made.astype(np.float32).reshape(columns, TAGS, TAGS)
