"""Small logs with a pattern that can be learnt."""

import numpy as np
import pytest

from reaseq.knowledge_store.log import Log
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.train import TrainConfig

ITEMS = 40


def cycle_log(users: int = 300, items: int = ITEMS, seed: int = 0) -> Log:
    """Each user walks through the items in steps of one from a random start: the next event follows from the last."""
    random = np.random.default_rng(seed)
    lengths = random.integers(4, 12, users)
    start = random.integers(0, items, users)
    owner = np.repeat(np.arange(users), lengths)
    place = np.concatenate([np.arange(length) for length in lengths])
    item = (np.repeat(start, lengths) + place) % items
    names = ([f"u{number}" for number in range(users)], [f"p{number:03}" for number in range(items)])
    return Log.of(owner, item, place.astype(float), names=names, timed=False)


@pytest.fixture
def log() -> Log:
    return cycle_log()


@pytest.fixture
def small() -> ModelConfig:
    return ModelConfig(dim=16, blocks=1, heads=2, most=12, dropout=0.1)


@pytest.fixture
def quick() -> TrainConfig:
    return TrainConfig(epochs=8, tokens=256, negatives=16, lr=1e-2, id_lr=2e-2, warmup=10, newest=1.0)
