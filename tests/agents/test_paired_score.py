"""Two ways of reading the same products, told apart from noise."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reaseq.agents.paired_score import f1, holm, paired

Rows = NDArray[np.float64]


def drawn(random: np.random.Generator, count: int, *, worse: float, noise: float) -> tuple[Rows, Rows]:
    """What two versions make of products with some decisions each: of those of the second a share is drawn anew, and a
    share of the right ones lost."""
    rows = np.zeros((2, count, 4))
    for number in range(count):
        decisions, quality = int(random.integers(3, 9)), random.beta(6, 2)
        first = random.random(decisions) < quality
        second = np.where(random.random(decisions) < noise, random.random(decisions) < quality, first)
        second &= random.random(decisions) >= worse
        for side, right in enumerate((first, second)):
            how = random.integers(1, 4, decisions)
            rows[side, number] = [right.sum(), *(((~right) & (how == kind)).sum() for kind in (1, 2, 3))]
    return rows[0], rows[1]


def test_the_same_is_no_difference() -> None:
    rows, _ = drawn(np.random.default_rng(0), 30, worse=0, noise=0)
    found = paired(rows, rows)
    assert (found.difference, found.low, found.high, found.p, found.told) == (0, 0, 0, 1, False)


@given(st.integers(0, 1000), st.integers(5, 60))
def test_the_other_way_round_it_is_the_other_difference(seed: int, count: int) -> None:
    before, after = drawn(np.random.default_rng(seed), count, worse=0.1, noise=0.1)
    one, other = paired(before, after), paired(after, before)
    assert one.difference == pytest.approx(-other.difference)
    assert one.low <= one.difference <= one.high
    assert 0 < one.p <= 1


@pytest.mark.parametrize("count", [1, 4])
def test_of_too_few_there_is_no_interval(count: int) -> None:
    before, after = np.tile([3.0, 1, 0, 0], (count, 1)), np.tile([1.0, 3, 0, 0], (count, 1))
    found = paired(before, after)
    assert isnan(found.low)
    assert isnan(found.high)
    assert not found.told


@pytest.mark.trial
def test_a_loss_is_told_and_noise_is_not() -> None:
    """Of 300 comparisons of the same 15 are called a change in the mean, 22 in one trial of 25; seeds are fixed."""
    random = np.random.default_rng(5)
    worse = covered = 0
    population = drawn(np.random.default_rng(6), 4000, worse=0.06, noise=0.05)
    first, second = (f1(rows.sum(0, keepdims=True))[0] for rows in population)
    for seed in range(100):
        chosen = random.integers(0, 4000, 150)
        found = paired(population[0][chosen], population[1][chosen], seed=seed)
        covered += found.low <= second - first <= found.high
        worse += found.told and found.difference < 0
    assert covered >= 93
    assert worse >= 90
    random = np.random.default_rng(1)
    same = (paired(*drawn(random, 60, worse=0, noise=0.1), seed=seed) for seed in range(300))
    assert sum(one.told for one in same) <= 22


@pytest.mark.parametrize(
    ("chances", "held"),
    [
        ([], []),
        ([0.02], [0.02]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, 0.001, 0.9], [1.0, 0.003, 1.0]),
    ],
)
def test_several_at_once(chances: list[float], held: list[float]) -> None:
    assert holm(chances) == pytest.approx(held)
