"""Baselines: each finds the pattern it is made for."""

import numpy as np
import pytest

from reaseq.knowledge_store.log import Log
from reaseq.ranker import baselines
from reaseq.ranker.evaluate import case_metrics, target_ranks
from reaseq.ranker.split import leave_last_out


def test_a_markov_chain_learns_a_cycle_and_popularity_does_not(log: Log) -> None:
    split = leave_last_out(log.events)
    fitted = {one.name: one for one in baselines.fit_all(split.train, len(log.items), split.valid)}
    assert set(fitted) == {"popularity", "item-kNN", "EASE", "Markov"}
    quality = {
        name: case_metrics(target_ranks(one.scores(split.test), split.test), split.test)["HR@5"].mean()
        for name, one in fitted.items()
    }
    assert quality["Markov"] > 0.95
    assert quality["popularity"] < 0.4
    assert quality["EASE"] > quality["popularity"]


def test_ease_is_its_closed_form(log: Log) -> None:
    items = len(log.items)
    weights = baselines.ease(log.events, items, 20.0)
    seen = np.zeros((len(log.events), items))
    seen[log.events.owner, log.events.items] = 1
    inverse = np.linalg.inv(seen.T @ seen + 20 * np.eye(items))
    expected = inverse / -np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(weights, expected, atol=1e-4)


def test_item_knn_keeps_the_nearest() -> None:
    users, items = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 2])
    log = Log.of(users, items, np.arange(6.0), names=(list("abc"), list("xyz")), timed=True)
    similar = baselines.item_knn(log.events, 3, neighbours=2, shrink=0.0).toarray()
    assert similar[0, 1] == pytest.approx(2 / np.sqrt(3 * 2))
    assert similar[0, 2] == 0.0  # beyond the two nearest: itself and item 1
