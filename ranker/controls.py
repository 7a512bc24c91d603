"""Controls for imagined events: what is left of their worth when they are somebody else's, or nobody's.

An imagined event brings items into a model's view, whoever they are imagined for. Only what the real ones do better
than these is owed to what was inferred of the user.
"""

import numpy as np

from reaseq.knowledge_store.log import Imagined, Ints, Sequences


def shuffled_users(events: Sequences, seed: int = 0) -> Imagined:
    """To every user what was imagined of another one, the newest in place of the newest."""
    imagined = events.imagined
    assert imagined is not None
    owner = np.full(len(imagined.items), -1)
    there = imagined.row >= 0
    owner[imagined.row[there]] = events.owner[there]
    users = np.unique(owner[owner >= 0])
    order = np.random.default_rng(seed).permutation(users)
    rows = {user: np.flatnonzero(owner == user) for user in users.tolist()}
    source = np.arange(len(owner))
    for user, other in zip(order.tolist(), np.roll(order, 1).tolist(), strict=True):
        back = np.arange(len(rows[user]))[::-1]  # 0: the newest
        source[rows[user]] = rows[other][len(rows[other]) - 1 - np.minimum(back, len(rows[other]) - 1)]
    return Imagined(imagined.row, imagined.items[source], imagined.log_confidence[source])


def popular_items(events: Sequences, counts: Ints, seed: int = 0) -> Imagined:
    """To every user items drawn by popularity. counts: [I], in training."""
    imagined = events.imagined
    assert imagined is not None
    random = np.random.default_rng(seed)
    rows, slots = imagined.items.shape
    share = np.maximum(counts, 0) / max(counts.sum(), 1)
    cumulative = np.cumsum(share)
    # An item drawn twice for a row stays in it once.
    items = np.sort(np.searchsorted(cumulative, random.random((rows, slots)) * cumulative[-1], side="right"), axis=1)
    items = np.minimum(items, len(counts) - 1)
    items[:, 1:][items[:, 1:] == items[:, :-1]] = -1
    confidence = np.where(items >= 0, np.log(np.maximum(share[items], 1e-12)), -np.inf)
    return Imagined(imagined.row, items, confidence.astype(np.float32))
