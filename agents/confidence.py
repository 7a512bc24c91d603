"""The chance that a value is right, from what the tagger and the model say of it.

Platt scaling (Platt 1999, Probabilistic Outputs for Support Vector Machines) with the model's answer as evidence:
`logit c = a + o[attribute] + b logit p + w[answer]`, p the tagger's probability of the value. `a`, `b` and the offsets
`o` are fitted on values of labelled products that the tagger had not learnt from, drawn towards 0, 1 and 0, so that an
attribute with few cases goes by all of them; `w` is fixed, fitted to what a model answered on other products
(`docs/extraction.md`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LEAST, _MOST = 1e-3, 1 - 1e-3
_DRAWN = 4.0
"""Strength of the prior: precision of a normal distribution about a = 0, b = 1."""
_DRAWN_OFFSET = 2.0
"""The same of an attribute's offset about 0."""


class Answer(StrEnum):
    """What the model said of a value."""

    NOT_ASKED = "not asked"
    SAME = "same"
    OTHER = "other"
    NONE = "none"


_VERDICT = 0.5
_BY_WORD = 1.4
"""How much a verifier's answer weighs, by its own log-odds and by its word alone."""
_YES, _NO_HYPOTHESIS, _INDIRECT = 0.82, -2.13, -0.84
"""Logistic regression on 127 hypotheses of the embedded model about made-up shoes, judged by reading
(`docs/measurements.md`). Most that the model makes are not sensible, and it says yes to most."""
EVIDENCE = {Answer.NOT_ASKED: 0.0, Answer.SAME: 1.4, Answer.OTHER: -1.1, Answer.NONE: -0.9}


def suggested(probability: float, *, indirect: bool) -> float:
    """The chance that a hypothesis is sensible. probability: of the verifier's yes; indirect: is its reason words that
    say something else?"""
    score = _YES * _logit(probability) + _NO_HYPOTHESIS + (_INDIRECT if indirect else 0.0)
    return round(float(1 / (1 + np.exp(-score))), 4)


def agreed(probability: float) -> float:
    """The chance that a value is right which has that probability without a model, and which a model names as well."""
    return float(1 / (1 + np.exp(-(_logit(probability) + EVIDENCE[Answer.SAME]))))


def with_verdict(probability: float, yes: bool, confidence: float | None) -> float:
    """The chance that a value is right which has that probability by its evidence, and of which a verifier says yes or
    no; confidence: its probability of yes, where it could be read."""
    said = _BY_WORD if confidence is None else abs(float(_logit(confidence))) * _VERDICT
    return float(1 / (1 + np.exp(-(_logit(probability) + (said if yes else -said)))))


@dataclass(frozen=True)
class Confidence:
    """Fitted for one category."""

    intercept: float = 0.0
    slope: float = 1.0
    offsets: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, attribute: str, probability: float, answer: Answer = Answer.NOT_ASKED) -> float:
        """In (0, 1), for the tagger's probability of an attribute's value and the model's answer."""
        score = self.intercept + self.offsets.get(attribute, 0.0) + self.slope * float(_logit(probability))
        return float(1 / (1 + np.exp(-(score + EVIDENCE[answer]))))

    @classmethod
    def fit(cls, attributes: Sequence[str], probabilities: Sequence[float], right: Sequence[bool]) -> "Confidence":
        """The likeliest a, b and offsets (MAP). attributes, probabilities, right: [n]."""
        from scipy.optimize import minimize

        names = sorted(set(attributes))
        column = np.array([names.index(name) for name in attributes], np.intp)
        x = _logit(np.asarray(probabilities, float))
        sign = np.where(np.asarray(right, bool), 1.0, -1.0)
        mean = np.array([0.0, 1.0, *[0.0] * len(names)])
        precision = np.array([_DRAWN, _DRAWN, *[_DRAWN_OFFSET] * len(names)])

        def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            margin = sign * (w[0] + w[2:][column] + w[1] * x)
            pull = -sign / (1 + np.exp(margin))
            away = w - mean
            gradient = np.array([pull.sum(), (pull * x).sum(), *np.bincount(column, pull, len(names))])
            return float(np.logaddexp(0, -margin).sum() + precision @ away**2 / 2), gradient + precision * away

        fitted = minimize(loss, mean, jac=True, method="L-BFGS-B").x
        offsets = dict(zip(names, map(float, fitted[2:]), strict=True))
        return cls(float(fitted[0]), float(fitted[1]), offsets)


def _logit(p: ArrayLike) -> NDArray[np.float64]:
    clipped = np.clip(np.asarray(p, np.float64), _LEAST, _MOST)
    return np.asarray(np.log(clipped / (1 - clipped)))
