"""Ranks and metrics against plain definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reaseq.knowledge_store.log import Sequences
from reaseq.ranker.evaluate import bootstrap, by_train_count, case_metrics, impression_metrics, target_ranks
from reaseq.ranker.split import Cases


def cases_of(targets: list[list[int]]) -> Cases:
    number = len(targets)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in targets])])
    history = Sequences(np.arange(number + 1), np.zeros(number, np.int64), np.zeros(number))
    return Cases(np.arange(number), history, offsets, np.array([item for one in targets for item in one]))


@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=150), st.data())
def test_ranks(rows: list[list[int]], data: st.DataObject) -> None:
    scores = torch.tensor(rows, dtype=torch.float32)
    targets = [sorted(data.draw(st.sets(st.integers(0, 5), min_size=1, max_size=6))) for _ in rows]
    found = target_ranks(lambda low, high: scores[low:high], cases_of(targets))
    expected = []
    for row, mine in zip(rows, targets, strict=True):
        for item in mine:
            above = sum(value > row[item] for value in row)
            ties = sum(value == row[item] for value in row) - 1
            expected.append(1 + above + ties / 2)
    assert found.tolist() == expected


def test_metrics_of_one_and_of_several_targets() -> None:
    cases = cases_of([[0], [1], [2, 3, 4]])
    ranks = np.array([1.0, 11.0, 2.0, 3.0, 30.0])
    made = case_metrics(ranks, cases, (10,))
    assert made["HR@10"].tolist() == [1, 0, 1]
    assert made["recall@10"].tolist() == pytest.approx([1, 0, 2 / 3])
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert made["NDCG@10"].tolist() == pytest.approx([1, 0, (1 / np.log2(3) + 1 / np.log2(4)) / ideal])


def test_slices_share_out_all_targets() -> None:
    cases = cases_of([[0], [1], [2], [3]])
    slices = by_train_count(np.array([1.0, 2.0, 50.0, 3.0]), cases, np.array([0, 3, 5, 100]))
    assert {name: number for name, (number, _, _) in slices.items()} == {"0": 1, "1-5": 2, "6-20": 0, "more": 1}
    assert slices["1-5"][1] == 0.5


def test_an_interval_holds_the_mean_and_narrows_with_users() -> None:
    random = np.random.default_rng(0)
    few, many = bootstrap(random.random((1, 50))), bootstrap(random.random((1, 5000)))
    for one in (few, many):
        assert one.low < one.mean < one.high
    assert many.high - many.low < (few.high - few.low) / 4
    seeds = np.repeat(np.array([[0.0], [1.0]]), 100, axis=1)
    assert bootstrap(seeds).high - bootstrap(seeds).low == 1.0  # seeds that disagree widen it


def test_impression_metrics() -> None:
    logits = np.array([2.0, 1.0, -1.0, 0.0, 0.0, 3.0])
    labels = np.array([1, 0, 0, 1, 0, 1])
    users = np.array([7, 7, 7, 3, 3, 9])
    made = impression_metrics(logits, labels, users)
    pairs = [(p, n) for p in logits[labels == 1] for n in logits[labels == 0]]
    assert made["AUC"] == pytest.approx(np.mean([1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs]))
    assert made["GAUC"] == pytest.approx((3 * 1.0 + 2 * 0.5) / 5)  # user 9 has one label only
    chance = 1 / (1 + np.exp(-logits))
    assert made["logloss"] == pytest.approx(-np.mean(np.log(np.where(labels == 1, chance, 1 - chance))))
    calibrated = impression_metrics(
        np.full(1000, np.log(0.3 / 0.7)), (np.arange(1000) % 10 < 3).astype(np.int64), np.zeros(1000, int)
    )
    assert calibrated["ECE"] == pytest.approx(0.0, abs=1e-9)
