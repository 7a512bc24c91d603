"""What a random few say about all: the interval holds what it promises."""

import numpy as np
import pytest

from reaseq.knowledge_store.acceptance import allocated, edges, estimate, stratum_of

CONFIDENCES = [0.9, 0.91, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99]


@pytest.mark.parametrize("wrong", [0.005, 0.02, 0.05, 0.1, 0.2, 0.35])
@pytest.mark.parametrize("told", ["by confidence", "by chance", "against confidence"])
def test_interval_covers_the_true_rate(wrong: float, told: str) -> None:
    random = np.random.default_rng(int(1000 * wrong))
    covered = 0
    audits = 200
    for _ in range(audits):
        confidence = random.choice(CONFIDENCES, 3000)
        chance = {
            "by confidence": 1 - confidence,
            "by chance": np.ones(len(confidence)),
            "against confidence": confidence - 0.88,
        }[told]
        bad = random.random(len(confidence)) < np.minimum(1, chance * wrong / chance.mean())
        begins = edges(confidence)
        strata = stratum_of(confidence, begins)
        sizes = np.bincount(strata).tolist()
        drawn = allocated(sizes, [float(confidence[strata == one].mean()) for one in range(len(sizes))], 50)
        right = [
            int((~bad[random.choice(np.flatnonzero(strata == one), count, replace=False)]).sum())
            for one, count in enumerate(drawn)
        ]
        found = estimate(sizes, drawn, right)
        assert found is not None
        assert found.judged == 50
        covered += found.low <= 1 - bad.mean() <= found.high
    assert covered >= 0.95 * audits


@pytest.mark.parametrize(
    ("sizes", "rates", "total", "expected"),
    [
        ([1000, 1000], [0.95, 0.95], 50, [25, 25]),
        ([2, 1000], [0.9, 0.99], 50, [2, 48]),  # a small stratum is drawn whole
        ([1000, 1000], [0.9, 0.99], 40, [30, 10]),  # more where confidence is lower
        ([5, 4], [0.9, 0.9], 50, [5, 4]),  # there are no more
        ([1000, 10], [0.9, 1.0], 50, [48, 2]),  # none is left out
    ],
)
def test_allocation(sizes: list[int], rates: list[float], total: int, expected: list[int]) -> None:
    assert allocated(sizes, rates, total) == expected


@pytest.mark.parametrize(
    ("confidences", "count"), [([0.9] * 50, 1), ([0.9, 0.99], 2), ([], 0), ([*np.linspace(0.9, 1, 400)], 4)]
)
def test_equal_confidences_are_in_one_stratum(confidences: list[float], count: int) -> None:
    values = np.array(confidences)
    begins = edges(values)
    assert len(begins) == count
    strata = stratum_of(values, begins)
    assert len({(value, one) for value, one in zip(confidences, strata.tolist(), strict=True)}) == len(set(confidences))


def test_extremes() -> None:
    assert estimate([100, 100], [0, 0], [0, 0]) is None
    all_right = estimate([1000, 1000], [25, 25], [25, 25])
    assert all_right is not None
    assert (all_right.rate, all_right.high) == (1, 1)
    assert 0.9 < all_right.low < 0.95  # fifty right ones do not show that all are
    census = estimate([4, 2], [4, 2], [3, 2])
    assert census is not None
    assert (census.low, census.high) == (census.rate, census.rate)
    assert census.rate == pytest.approx(5 / 6)
    nothing_of_one = estimate([100, 300], [10, 0], [9, 0])
    assert nothing_of_one is not None
    assert nothing_of_one.rate == pytest.approx(0.9)
    assert nothing_of_one.low < 0.7
