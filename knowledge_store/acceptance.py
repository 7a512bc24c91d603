"""Acceptance sampling: how many claims are right, of few that were drawn at random and judged.

Claims are drawn by strata of confidence, more of those where it is lower (Neyman's allocation: in proportion to size
and expected spread; Cochran 1977, Sampling Techniques, chapter 5). The interval is Korn and Graubard's for complex
samples: Clopper and Pearson's with the effective sample size (Korn and Graubard 1998, Confidence intervals for
proportions with small expected number of positive counts estimated from survey data). It is never too narrow where
nearly all is right, as intervals are that rest on the observed variance, or on a prior for each stratum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FEWEST = 2
"""Drawn of each stratum, if it has as many."""
_CHANCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """rate: the estimated share that is right; low, high: its interval (95 %); judged, right: counts of what was drawn;
    effective: how many a simple random sample would have had that says as much."""

    rate: float
    low: float
    high: float
    judged: int
    right: int
    effective: float

    def chance_from(self, promise: float) -> float:
        """How likely the share is at least `promise`, by Jeffreys' prior."""
        from scipy.stats import beta

        right = self.rate * self.effective
        return float(beta.sf(promise, right + 0.5, self.effective - right + 0.5))


def edges(confidences: NDArray[np.float64], most: int = 4) -> list[float]:
    """Where strata begin, ascending: at most `most`, of about equal size; equal confidences are in one."""
    if not len(confidences):
        return []
    values = np.unique(confidences)
    wanted = np.quantile(confidences, np.arange(1, most) / most, method="higher")
    return sorted({float(values[0]), *map(float, wanted)})


def stratum_of(confidences: NDArray[np.float64], begins: Sequence[float]) -> NDArray[np.intp]:
    """The stratum of each."""
    return np.maximum(0, np.searchsorted(np.array(begins), confidences, side="right") - 1)


def allocated(sizes: Sequence[int], rates: Sequence[float], total: int) -> list[int]:
    """How many to draw of each stratum; all, where `total` is no less than there are. rates: expected."""
    most = np.array(sizes)
    spread = most * np.sqrt(np.clip(np.array(rates) * (1 - np.array(rates)), 1e-4, None))
    drawn = np.minimum(most, _FEWEST)
    for _ in range(min(total, int(most.sum())) - int(drawn.sum())):
        drawn[np.argmax(np.where(drawn < most, spread / (drawn + 1), -1.0))] += 1
    return [int(number) for number in drawn]


def estimate(sizes: Sequence[int], judged: Sequence[int], right: Sequence[int]) -> Estimate | None:
    """By strata: how many claims there are, how many were judged, and how many of these are right. A stratum of which
    none was judged counts as the others do. None: nothing was judged.

    Where everything was judged there is nothing to estimate, and the interval is the rate itself.
    """
    size, seen, good = (np.array(one, float) for one in (sizes, judged, right))
    known = seen > 0
    if not known.any():
        return None
    weight = size[known] / size[known].sum()
    seen, good, size_known = seen[known], good[known], size[known]
    shares = good / seen
    rate = float(np.clip((weight * shares).sum(), 0, 1))
    count = int(seen.sum())
    if known.all() and (seen == size_known).all():
        return Estimate(rate, rate, rate, count, int(good.sum()), float(count))
    variance = float((weight**2 * shares * (1 - shares) / np.maximum(1, seen - 1)).sum())
    effective = float(1 / (weight**2 / seen).sum())  # were the strata alike
    if variance > 0:
        effective = min(effective, rate * (1 - rate) / variance)
    low, high = _clopper_pearson(rate * effective, effective)
    return Estimate(rate, low, high, count, int(good.sum()), effective)


def _clopper_pearson(right: float, count: float) -> tuple[float, float]:
    """The interval for a share, of counts that may be fractions."""
    from scipy.stats import beta

    tail = (1 - _CHANCE) / 2
    wrong = count - right
    low = float(beta.ppf(tail, right, wrong + 1)) if right > 1e-9 else 0.0
    high = float(beta.ppf(1 - tail, right + 1, wrong)) if wrong > 1e-9 else 1.0
    return low, high
