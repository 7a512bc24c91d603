"""The ranker's branch for imagined events: it learns from them, looks at no later ones, and its controls are fair."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reaseq.knowledge_store.imagined import attached
from reaseq.knowledge_store.log import Imagined, Log
from reaseq.ranker import experiment
from reaseq.ranker.controls import popular_items, shuffled_users
from reaseq.ranker.experiment import Outcome, Variant
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.score import case_scores
from reaseq.ranker.split import leave_last_out
from reaseq.ranker.train import TrainConfig, Trainer, TrainingData

ITEMS, USERS = 60, 120


def foretold(seed: int = 0) -> Log:
    """A log nobody can predict, and imagined events that hold what each user does next, among other things."""
    random = np.random.default_rng(seed)
    events = np.stack([random.permutation(ITEMS)[:8] for _ in range(USERS)])
    names = ([f"u{number:03}" for number in range(USERS)], [f"p{number:02}" for number in range(ITEMS)])
    log = Log.of(
        np.repeat(np.arange(USERS), 8), events.ravel(), np.tile(np.arange(8.0), USERS), names=names, timed=False
    )
    rows = []
    for user in range(USERS):
        for place in range(7):
            others = random.permutation(np.setdiff1d(np.arange(ITEMS), events[user]))[:3]
            told = [(events[user, place + 1], -1.0), *((item, -4.0) for item in others)]
            rows += [(names[0][user], float(place), slot, int(item), log_p) for slot, (item, log_p) in enumerate(told)]
    return attached(log, rows)


@pytest.fixture(scope="module")
def log() -> Log:
    return foretold()


def config(*features: str) -> ModelConfig:
    return ModelConfig(features=features, dim=16, blocks=1, heads=2, most=12, dropout=0.1, imagined_dropout=0.1)


TRAIN = TrainConfig(epochs=25, tokens=256, negatives=32, lr=1e-2, id_lr=2e-2, warmup=10, newest=1.0, patience=25)


def test_each_event_knows_what_was_imagined_last_and_no_later(log: Log) -> None:
    events = log.events
    assert events.imagined is not None
    sparse = attached(replace(log, events=replace(events, imagined=None)),
                      [("u001", 2.0, 0, 5, -1.0), ("u001", 2.0, 2, 6, -2.0), ("u001", 5.0, 0, 7, -1.0)])  # fmt: skip
    imagined = sparse.events.imagined
    assert imagined is not None
    mine = imagined.row[8:16]
    assert mine.tolist() == [-1, -1, 0, 0, 0, 1, 1, 1]
    assert (np.delete(imagined.row, np.arange(8, 16)) == -1).all()
    assert imagined.items.tolist() == [[5, -1, 6], [7, -1, -1]]
    # Cuts and selections keep it in step with the events.
    taken = sparse.events.take(sparse.events.at >= 2).select(np.array([1]))
    assert taken.imagined is not None
    assert taken.imagined.row.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.trial
def test_real_imagined_events_help_and_others_do_not(log: Log) -> None:
    split = leave_last_out(log.events)
    data = TrainingData(split, ITEMS)
    controls = {"id+beyond_log, shuffled users": shuffled_users(log.events),
                "id+beyond_log, popular items": popular_items(log.events, data.counts)}  # fmt: skip
    variants = [Variant("id", config("id")), Variant("id+beyond_log", config("id", "beyond_log"))]
    variants += [Variant(name, config("id", "beyond_log"), control) for name, control in controls.items()]
    outcome = experiment.run(data, variants, TRAIN, seeds=[0])
    assert outcome is not None
    rows = {row.name: row for row in outcome.rows}
    real = rows["id+beyond_log"]
    assert real.metrics["HR@10"].mean > rows["id"].metrics["HR@10"].mean + 0.3
    assert set(real.over) == set(controls)
    assert all(gain.low > 0 for gain in real.over.values())
    again = Outcome.from_json(outcome.to_json())
    assert again.rows == outcome.rows


def test_controls_are_as_large_and_never_the_users_own(log: Log) -> None:
    events = log.events
    real = events.imagined
    assert real is not None
    shuffled = shuffled_users(events)
    assert shuffled.items.shape == real.items.shape
    # Every user has all rows of one other user, of the same age.
    ours, theirs = real.items.reshape(USERS, 7, 4), shuffled.items.reshape(USERS, 7, 4)
    same = (theirs[:, None] == ours[None]).all((2, 3))
    assert (same.sum(1) == 1).all()
    assert not same.diagonal().any()
    assert (same.sum(0) == 1).all()
    popular = popular_items(events, np.bincount(events.items, minlength=ITEMS))
    for items in popular.items:
        kept = items[items >= 0]
        assert len(set(kept.tolist())) == len(kept) > 0


def test_what_is_imagined_later_changes_no_earlier_score(log: Log) -> None:
    split = leave_last_out(log.events)
    trainer = Trainer(TrainingData(split, ITEMS), config("id", "beyond_log"), TRAIN.model_copy(update={"epochs": 2}))
    fitted = trainer.run()
    history = log.events.take(log.events.at < 4)
    before = case_scores(fitted.model, fitted.vectors(), history)(0, 8)
    imagined = history.imagined
    assert imagined is not None
    last = imagined.row[history.offsets[1:] - 1]
    others = np.setdiff1d(np.arange(len(imagined.items)), last)
    items = imagined.items.copy()
    items[others] = 0
    later = replace(history, imagined=Imagined(imagined.row, items, imagined.log_confidence))
    torch.testing.assert_close(case_scores(fitted.model, fitted.vectors(), later)(0, 8), before)
    items = items.copy()
    items[last] = np.roll(items[last], 1, axis=0)
    swapped = replace(history, imagined=Imagined(imagined.row, items, imagined.log_confidence))
    assert not torch.allclose(case_scores(fitted.model, fitted.vectors(), swapped)(0, 8), before)
    # An empty slot is as no slot, whatever its number.
    empty = np.concatenate([imagined.items, np.full((len(items), 3), -1)], axis=1)
    confidence = np.concatenate([imagined.log_confidence, np.full((len(items), 3), -np.inf, np.float32)], axis=1)
    padded = replace(history, imagined=Imagined(imagined.row, empty, confidence))
    torch.testing.assert_close(case_scores(fitted.model, fitted.vectors(), padded)(0, 8), before)
    # One history alone scores as among others.
    alone = case_scores(fitted.model, fitted.vectors(), history.select(np.array([5])))(0, 1)
    torch.testing.assert_close(alone[0], before[5], rtol=1e-5, atol=1e-4)
