"""Full ranking: where among all items the targets come."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq.knowledge_store.log import Ints
from reaseq.ranker.split import Cases

Scores = Callable[[int, int], Tensor]
"""Scores of all items for the cases [low, high): [high - low, I]."""


def target_ranks(scores: Scores, cases: Cases, *, block: int = 64) -> NDArray[np.float64]:
    """The rank, from 1, of each target among all items: [number of targets].

    Ties count half: a model that scores everything alike gets the middle, not the top. Blocks are small because the
    scores of 64 cases stay in a CPU's cache.
    """
    ranks = np.empty(len(cases.targets))
    for low in range(0, len(cases), block):
        high = min(low + block, len(cases))
        first, last = cases.offsets[low], cases.offsets[high]
        values = scores(low, high)
        rows = torch.from_numpy(cases.owner[first:last] - low).to(values.device)
        targets = torch.from_numpy(cases.targets[first:last]).to(values.device)
        for start in range(0, len(rows), block):
            piece = slice(start, start + block)
            mine = values if len(rows) == high - low else values[rows[piece]]  # one target a case is the common case
            own = mine.gather(1, targets[piece, None])
            above, level = _count(mine > own), _count(mine >= own)
            ranks[first + start : first + start + len(above)] = (1 + above + level) / 2
    return ranks


def _count(mask: Tensor) -> NDArray[np.int64]:
    """True values a row. NumPy counts them several times as fast as torch does on a CPU."""
    return np.count_nonzero(mask.numpy(), axis=1) if mask.device.type == "cpu" else mask.sum(1).cpu().numpy()


def case_metrics(
    ranks: NDArray[np.float64], cases: Cases, ks: Sequence[int] = (5, 10, 20)
) -> dict[str, NDArray[np.float64]]:
    """HR@k, recall@k and NDCG@k of each case: name -> [C]. With one target a case, recall is HR."""
    owner, number = cases.owner, np.diff(cases.offsets)
    made: dict[str, NDArray[np.float64]] = {}
    for k in ks:
        within = ranks <= k
        hits = np.bincount(owner, within, minlength=len(cases))
        gain = np.bincount(owner, np.where(within, 1 / np.log2(ranks + 1), 0.0), minlength=len(cases))
        ideal = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
        made[f"HR@{k}"] = (hits > 0).astype(float)
        made[f"recall@{k}"] = hits / number
        made[f"NDCG@{k}"] = gain / ideal[np.minimum(number, k)]
    return made


SLICES = (("0", 0, 0), ("1-5", 1, 5), ("6-20", 6, 20), ("more", 21, None))
"""Slices of targets by how often they were seen in training: name, from, to."""


def by_train_count(
    ranks: NDArray[np.float64], cases: Cases, counts: Ints, k: int = 10
) -> dict[str, tuple[int, float, float]]:
    """For each slice of targets: how many, recall@k and the mean of the NDCG@k that each target alone would give."""
    seen = counts[cases.targets]
    made = {}
    for name, low, high in SLICES:
        mine = ranks[(seen >= low) & (seen <= (high if high is not None else np.inf))]
        gain = np.where(mine <= k, 1 / np.log2(mine + 1), 0.0)
        made[name] = (
            len(mine),
            float((mine <= k).mean()) if len(mine) else 0.0,
            float(gain.mean()) if len(mine) else 0.0,
        )
    return made


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap(values: NDArray[np.float64], *, draws: int = 1000, seed: int = 0) -> Interval:
    """The mean of `values` [C] or [seeds, C], with a percentile interval from resampling the C users.

    For the difference of two models give the differences user by user: that pairs them. Where there are several
    seeds, each draw also resamples the seeds.
    """
    grid = np.atleast_2d(values)
    random = np.random.default_rng(seed)
    seeds, cases = grid.shape
    means = np.empty(draws)
    for draw in range(draws):
        weights = np.bincount(random.integers(0, cases, cases), minlength=cases)
        chosen = grid[random.integers(0, seeds, seeds)] if seeds > 1 else grid
        means[draw] = (chosen @ weights).mean() / cases
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(grid.mean()), float(low), float(high))


def impression_metrics(logits: NDArray[np.float64], labels: Ints, users: Ints, *, bins: int = 10) -> dict[str, float]:
    """AUC, GAUC (users' AUCs weighted by impressions, users with one label only left out), logloss, and ECE.

    logits: [B], log-odds. labels: [B], 0 or 1. users: [B]. GAUC as in Zhou et al. 2018, arXiv 1706.06978, equation 7;
    ECE is the expected calibration error over bins of equal width (Guo et al. 2017, arXiv 1706.04599).
    """
    chance = 1 / (1 + np.exp(-logits))
    weight, total = 0, 0.0
    order = np.argsort(users, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(users[order])) + 1):
        own = _auc(logits[mine], labels[mine])
        if not np.isnan(own):
            weight, total = weight + len(mine), total + len(mine) * own
    bin_of = np.minimum((chance * bins).astype(int), bins - 1)
    gap = np.abs(np.bincount(bin_of, chance, minlength=bins) - np.bincount(bin_of, labels, minlength=bins))
    loss = np.logaddexp(0, np.where(labels > 0, -logits, logits))
    return {
        "AUC": _auc(logits, labels),
        "GAUC": total / weight if weight else float("nan"),
        "logloss": float(loss.mean()),
        "ECE": float(gap.sum() / len(labels)),
    }


def _auc(scores: NDArray[np.float64], labels: Ints) -> float:
    """The chance that a positive scores above a negative, ties counting half; nan without both."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2
    return float((middle[place][labels > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))
