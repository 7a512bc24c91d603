"""Which products a teacher reads: like all others between them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reaseq.agents.choosing import choose


def unit(rows: list[list[float]]) -> NDArray[np.float32]:
    made = np.array(rows, np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


GROUPS = unit([[1, 0.1, 0], [1, 0, 0.1], [1, 0, 0], [0, 1, 0], [0, 1, 0.1], [0, 0, 1]])


def group(one: int) -> int:
    return [0, 0, 0, 1, 1, 2][one]


def test_one_of_each_group_comes_first() -> None:
    assert [group(one) for one in choose(GROUPS, 3)] == [0, 1, 2]
    assert sorted(choose(GROUPS, 99)) == list(range(6))
    assert choose(GROUPS, 0) == []


def test_what_is_chosen_is_not_chosen_again() -> None:
    assert [group(one) for one in choose(GROUPS, 1, chosen=[0, 5])] == [1]
    assert set(choose(GROUPS, 9, chosen=[0, 5])) == {1, 2, 3, 4}


def test_what_is_unsettled_counts_more() -> None:
    assert choose(GROUPS, 1, weights=[1, 1, 1, 1, 1, 9]) == [5]


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_near_to_the_best(seed: int, count: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(8, 3)).astype(np.float32)
    vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    likeness = np.maximum(0, vectors @ vectors.T)

    def reached(some: tuple[int, ...]) -> float:
        return float(likeness[:, list(some)].max(1).sum())

    found = choose(vectors, count)
    assert len(set(found)) == count
    best = max(reached(some) for some in combinations(range(8), count))
    assert reached(tuple(found)) >= (1 - 1 / np.e) * best - 1e-5
    assert choose(vectors, count) == pytest.approx(found)
