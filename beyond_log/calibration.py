"""Confidence that means something: of imagined events that say 30 %, 30 % come true."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of log-confidences: P = 1 / (1 + exp(-(slope * log confidence + intercept))).

    rate: how often it came true. error: the expected calibration error (Naeini et al. 2015) on events that the scaling
    was not fitted on, in [0, 1]. events: number of imagined events it rests on.
    """

    slope: float
    intercept: float
    rate: float
    error: float
    events: int

    def probability(self, log_confidence: NDArray[np.floating]) -> NDArray[np.float64]:
        logit = self.slope * np.maximum(log_confidence, -1e3) + self.intercept
        made: NDArray[np.float64] = 1 / (1 + np.exp(-logit))
        return made

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def calibrate(log_confidence: NDArray[np.float64], true: NDArray[np.bool_], owner: NDArray[np.int64]) -> Calibration:
    """Fit on imagined events [n] that came true or not; owner: [n], whose they are: a user is in one half only."""
    rate = float(true.mean()) if len(true) else 0.0
    errors = []
    for half in (0, 1):
        slope, intercept = _platt(log_confidence[owner % 2 == half], true[owner % 2 == half])
        other = owner % 2 != half
        chance = Calibration(slope, intercept, 0, 0, 0).probability(log_confidence[other])
        errors.append(expected_error(chance, true[other]))
    slope, intercept = _platt(log_confidence, true)
    return Calibration(slope, intercept, rate, float(np.mean(errors)), len(true))


def expected_error(chance: NDArray[np.float64], true: NDArray[np.bool_]) -> float:
    """The mean distance of what was said [n] and what came true [n], over ten equally filled bins."""
    if not len(true):
        return 0.0
    order = np.argsort(chance, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    return float(sum(len(part) * abs(chance[part].mean() - true[part].mean()) for part in parts) / len(true))


def _platt(log_confidence: NDArray[np.float64], true: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept; where all or none came true, a constant a little short of certainty (Laplace's rule)."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(true)) < 2:
        chance = (true.sum() + 1) / (len(true) + 2)
        return 0.0, float(np.log(chance / (1 - chance)))
    fitted = LogisticRegression(C=1e3).fit(log_confidence[:, None], true)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
