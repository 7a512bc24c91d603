"""Two ways of reading the same products, told apart from noise.

Each product counts as a whole, with what both made of it. The interval is a bootstrap over products (percentiles of
the difference, corrected for bias and skewness: BCa, Efron 1987, doi 10.1080/01621459.1987.10478410); p is of a
permutation test that swaps both ways within products (Good 2005, chapter 3; for F1: Yeh 2000, arXiv cs/0008005).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from reaseq.agents.extraction_score import Outcomes

Rows = NDArray[np.float64]
"""A row of counts for each product: [products, counts]."""
Statistic = Callable[[Rows], NDArray[np.float64]]
"""Of sums of such counts, [n, counts], the figure that they come to: [n]."""

_RESAMPLES, _SWAPS = 4000, 9999
_AT_A_TIME = 500
LEVEL = 0.95
_FEWEST = 5
"""Products of which drawing anew tells something."""


@dataclass(frozen=True)
class Paired:
    """What both ways come to, over the same products. difference: after less before, with 95 % of it when products are
    drawn anew (NaN of fewer than five). p: how often a difference as large comes of chance alone. products: how many
    were counted."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    products: int

    @property
    def told(self) -> bool:
        """Is there a difference that is not noise, at a level of .05?"""
        return self.p < 1 - LEVEL


def counts_of(outcomes: Sequence[Outcomes]) -> Rows:
    """Rows of right, wrong, invented and missed decisions."""
    rows = [(one.right, one.wrong, one.invented, one.missed) for one in outcomes]
    return np.array(rows, dtype=np.float64).reshape(len(outcomes), 4)


def f1(sums: Rows) -> NDArray[np.float64]:
    """Micro F1 of sums of such rows; see `reaseq.agents.extraction_score`."""
    right, wrong, invented, missed = sums.T
    made: NDArray[np.float64] = 2 * right / np.maximum(1, 2 * right + 2 * wrong + invented + missed)
    return made


def mean(sums: Rows) -> NDArray[np.float64]:
    """The mean of sums of rows of a figure and one."""
    made: NDArray[np.float64] = sums[:, 0] / np.maximum(1, sums[:, 1])
    return made


def paired(before: Rows, after: Rows, statistic: Statistic = f1, *, seed: int = 0) -> Paired:
    """Compare two ways over the same products, in the same order; there is at least one."""
    random = np.random.default_rng(seed)
    count = len(before)
    first, second = (float(statistic(rows.sum(0, keepdims=True))[0]) for rows in (before, after))
    difference = second - first
    if (before == after).all():
        return Paired(first, second, 0.0, 0.0, 0.0, 1.0, count)
    low, high = nan, nan
    if count >= _FEWEST:
        low, high = _interval(before, after, statistic, difference, random)
    p = chance(before, after, statistic, difference, random)
    return Paired(first, second, difference, low, high, p, count)


def _interval(
    before: Rows, after: Rows, statistic: Statistic, difference: float, random: np.random.Generator
) -> tuple[float, float]:
    from scipy.stats import norm, t

    count, differing = len(before), int((before != after).any(1).sum())
    drawn = []
    for start in range(0, _RESAMPLES, _AT_A_TIME):
        times = random.multinomial(count, np.full(count, 1 / count), min(_AT_A_TIME, _RESAMPLES - start)).astype(float)
        drawn.append(statistic(times @ after) - statistic(times @ before))
    found = np.concatenate(drawn)
    share = (np.sum(found < difference) + np.sum(found == difference) / 2) / len(found)
    bias = norm.ppf(np.clip(share, 1 / len(found), 1 - 1 / len(found)))
    without = statistic(after.sum(0) - after) - statistic(before.sum(0) - before)
    apart = without.mean() - without
    spread = float((apart**2).sum()) ** 1.5
    skew = float((apart**3).sum()) / (6 * spread) if spread else 0.0
    ends = []
    for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        z = bias + norm.ppf(tail)
        ends.append(float(norm.cdf(bias + z / (1 - skew * z))))
    low, high = (float(end) for end in np.quantile(found, ends))
    # A bootstrap takes the few products that differ for all there are to differ, and so is too narrow.
    wider = float(t.ppf((1 + LEVEL) / 2, max(2, differing - 1)) / norm.ppf((1 + LEVEL) / 2))
    return min(low, difference + (low - difference) * wider), max(high, difference + (high - difference) * wider)


def chance(before: Rows, after: Rows, statistic: Statistic, difference: float, random: np.random.Generator) -> float:
    """How often both ways, swapped within products at random, differ as much as `difference`: p of a permutation
    test."""
    differ = (before != after).any(1)
    moved = (after - before)[differ]
    base, top = before.sum(0), after.sum(0)
    as_large = 0
    for start in range(0, _SWAPS, _AT_A_TIME):
        swapped = random.integers(0, 2, (min(_AT_A_TIME, _SWAPS - start), len(moved))) @ moved
        found = statistic(top - swapped) - statistic(base + swapped)
        as_large += int(np.sum(np.abs(found) >= abs(difference) - 1e-12))
    return (1 + as_large) / (1 + _SWAPS)


def holm(chances: Sequence[float]) -> list[float]:
    """The same of several tests, each p held against all (Holm 1979, jstor 4615733)."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    made, least = [1.0] * len(chances), 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, (len(chances) - rank) * chances[index]))
        made[index] = least
    return made
