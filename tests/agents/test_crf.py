"""Chains of tags, against summing over every way to tag a text."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from reaseq.agents.crf import BEGIN, INSIDE, OUTSIDE, Batch, Chains, FitConfig, Weights, fit, gradients

LENGTHS = np.array([1, 4, 3])
COLUMNS = 2


def made(seed: int) -> tuple[Weights, Batch, NDArray[np.int8], NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    words = int(LENGTHS.sum())
    batch = Batch(csr_matrix(random.integers(0, 2, (words, 5)).astype(np.float32)), _normal(random, words, 3), LENGTHS)
    weights = Weights(
        _normal(random, 5, 3 * COLUMNS),
        _normal(random, 3, 3 * COLUMNS),
        _normal(random, 3 * COLUMNS),
        _normal(random, COLUMNS, 3, 3),
    )
    tags = np.stack([[BEGIN, OUTSIDE, BEGIN, INSIDE, INSIDE, BEGIN, OUTSIDE, OUTSIDE], [OUTSIDE] * words], 1)
    return weights, batch, tags.astype(np.int8), random.uniform(0, 1, (len(LENGTHS), COLUMNS)).astype(np.float32)


def _normal(random: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return random.normal(size=shape).astype(np.float32)


def ways(length: int) -> list[tuple[int, ...]]:
    return [
        tags
        for tags in itertools.product((OUTSIDE, BEGIN, INSIDE), repeat=length)
        if tags[0] != INSIDE and (OUTSIDE, INSIDE) not in itertools.pairwise(tags)
    ]


def total(scores: NDArray[Any], moves: NDArray[Any], tags: tuple[int, ...]) -> float:
    said = sum(float(scores[at, tag]) for at, tag in enumerate(tags))
    return said + sum(float(moves[one, other]) for one, other in itertools.pairwise(tags))


def loss(weights: Weights, batch: Batch, tags: NDArray[np.int8], counts: NDArray[np.float32]) -> float:
    scores = weights.scores(batch).astype(np.float64).reshape(-1, COLUMNS, 3)
    lost, start = 0.0, 0
    for text, length in enumerate(LENGTHS):
        for column in range(COLUMNS):
            here, moves = scores[start : start + length, column], weights.moves[column]
            all_of_them = np.logaddexp.reduce([total(here, moves, way) for way in ways(length)])
            told = tuple(int(tag) for tag in tags[start : start + length, column])
            lost += float(counts[text, column]) * float(all_of_them - total(here, moves, told))
        start += length
    return lost


@pytest.mark.parametrize("seed", range(3))
def test_marginals_are_shares_of_all_ways(seed: int) -> None:
    weights, batch, _, _ = made(seed)
    scores = weights.scores(batch)
    found = Chains(scores, batch, weights.moves).marginals()
    start = 0
    for length in LENGTHS:
        for column in range(COLUMNS):
            here = scores.reshape(-1, COLUMNS, 3)[start : start + length, column]
            weight = {way: np.exp(total(here, weights.moves[column], way)) for way in ways(length)}
            for at in range(length):
                shares = [sum(one for way, one in weight.items() if way[at] == tag) for tag in range(3)]
                assert found[start + at, column] == pytest.approx(np.array(shares) / sum(weight.values()), abs=1e-5)
        start += length


@pytest.mark.parametrize("seed", range(3))
def test_gradients_are_those_of_the_loss(seed: int) -> None:
    weights, batch, tags, counts = made(seed)
    scores, moves = gradients(weights, batch, tags, counts)
    step = 1e-3
    for array, gradient in ((weights.bias, scores.sum(0)), (weights.moves, moves)):
        for place in np.ndindex(array.shape):
            before = array[place]
            array[place] = before + step
            more = loss(weights, batch, tags, counts)
            array[place] = before - step
            less = loss(weights, batch, tags, counts)
            array[place] = before
            assert gradient[place] == pytest.approx((more - less) / (2 * step), abs=2e-3)


def test_fitting_lessens_the_loss_and_is_the_same_twice() -> None:
    made_twice = []
    for _ in range(2):
        weights, batch, tags, counts = made(0)
        before = loss(weights, batch, tags, counts)
        fit(weights, batch, tags, counts, FitConfig(epochs=30), np.random.default_rng(1))
        assert loss(weights, batch, tags, counts) < 0.5 * before
        made_twice.append(weights.dense.copy())
    assert (made_twice[0] == made_twice[1]).all()
