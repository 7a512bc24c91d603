"""From a log to imagined events in the store: resumable, out of fold, from no later events."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from reaseq import ReaseqError
from reaseq.beyond_log import fit, saved
from reaseq.beyond_log.calibration import calibrate, expected_error
from reaseq.beyond_log.codes import SemanticCodes
from reaseq.beyond_log.denoiser import DenoiserConfig
from reaseq.beyond_log.examples import Catalogue, Example, Objective
from reaseq.beyond_log.fit import BeyondLogConfig, Data
from reaseq.beyond_log.imagining import CodesBackend, imagine_users, moments
from reaseq.beyond_log.sampler import SampleConfig
from reaseq.beyond_log.saved import BeyondLog, fold_of
from reaseq.beyond_log.train import TrainConfig, Trainer
from reaseq.knowledge_store import imagined
from reaseq.knowledge_store.log import Log, Sequences
from reaseq.knowledge_store.store import PRODUCT, Store
from reaseq.knowledge_store.tables import now

ITEMS, USERS, GROUPS = 48, 40, 6
TINY = DenoiserConfig(dim=16, heads=2, encoder_blocks=1, decoder_blocks=1, slots=4)
QUICK = TrainConfig(epochs=3, batch=16)


def paired(users: int = USERS) -> tuple[Log, np.ndarray]:
    """A log in which whoever has group g also has group g + 3: something to infer."""
    random = np.random.default_rng(0)
    groups = np.arange(ITEMS) % GROUPS
    rows = []
    for user in range(users):
        own = user % 3
        for place in range(10):
            group = own if random.random() < 0.5 else own + 3
            rows.append((user, random.choice(np.flatnonzero(groups == group)), float(place // 2) * 1e5))
    columns = np.array(rows)
    user, item = columns[:, :2].astype(np.int64).T
    names = ([f"u{number:02}" for number in range(users)], [f"p{number:02}" for number in range(ITEMS)])
    return Log.of(user, item, columns[:, 2], names=names, timed=True), groups


def data() -> Data:
    log, groups = paired()
    random = np.random.default_rng(1)
    centres = 3 * random.standard_normal((GROUPS, 24))
    vectors = (random.standard_normal((ITEMS, 24)) + centres[groups]).astype(np.float32)
    return Data(log, vectors, [f"group {group}" for group in groups], "space")


def catalogue(made: Data) -> Catalogue:
    groups = np.arange(ITEMS) % GROUPS
    codes = SemanticCodes.fit(made.vectors, groups, digits=3, size=8, dims=12)
    encoded = codes.encode(made.vectors, groups)
    return Catalogue(encoded, codes.points(made.vectors), groups, groups, codes.size, GROUPS)


@pytest.mark.parametrize("objective", ["beyond", "next"])
def test_a_stopped_training_goes_on_and_ends_the_same(tmp_path: Path, objective: Objective) -> None:
    made = data()
    known = catalogue(made)
    config = TINY.model_copy(update={"objective": objective})
    whole = Trainer(made.log.events, known, config, QUICK)
    expected = whole.run().state_dict()
    assert whole.history[-1].loss < whole.history[0].loss

    class Killed(Exception):
        pass

    def kill(_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        Trainer(made.log.events, known, config, QUICK, folder=tmp_path).run(on_epoch=kill)
    resumed = Trainer(made.log.events, known, config, QUICK, folder=tmp_path)
    found = resumed.run().state_dict()
    assert [epoch.loss for epoch in resumed.history] == [epoch.loss for epoch in whole.history]
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)


def test_moments_are_fresh_at_the_end_and_sparse_before() -> None:
    assert moments(np.arange(40.0)).tolist() == [23.0, 31.0, 35.0, 37.0, 38.0, 39.0]
    assert moments(np.array([5.0])).tolist() == [5.0]
    assert moments(np.array([1.0, 1.0, 2.0, 2.0])).tolist() == [1.0, 2.0]


def test_calibrated_confidence_means_what_it_says() -> None:
    random = np.random.default_rng(0)
    log_confidence = random.normal(-6, 2, 4000)
    chance = 1 / (1 + np.exp(-(0.7 * log_confidence + 3)))
    true = random.random(4000) < chance
    found = calibrate(log_confidence, true, np.arange(4000) // 8)
    assert found.slope == pytest.approx(0.7, abs=0.1)
    assert found.error < 0.05
    assert expected_error(np.full(10, 0.9), np.zeros(10, bool)) == pytest.approx(0.9)
    never = calibrate(log_confidence, np.zeros(4000, bool), np.arange(4000))
    assert never.probability(log_confidence).max() < 0.01


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Data, BeyondLog, Path]:
    made = data()
    # 48 items are no category each of its own, so that groups are clusters of embeddings.
    config = BeyondLogConfig(digits=3, size=8, model=TINY, train=TrainConfig(epochs=12, batch=16, lr=3e-3))
    folder = tmp_path_factory.mktemp("beyond")
    return made, fit.fit(made, made.log.events, config, folder, split="temporal", cuts=(1.0, 2.0)), folder


def test_a_saved_model_imagines_the_same(trained: tuple[Data, BeyondLog, Path]) -> None:
    made, model, folder = trained
    again = BeyondLog.load(folder)
    assert again.fingerprint == model.fingerprint
    assert not list(folder.glob("fold-*/checkpoint*"))
    users = made.log.users[:6]
    histories = [_history(made, number) for number in range(6)]
    first, second = (
        CodesBackend(one, made, SampleConfig()).imagine(users, histories, range(6), 4) for one in (model, again)
    )
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    with pytest.raises(ReaseqError, match="trained to imagine at most 4"):
        CodesBackend(model, made, SampleConfig()).imagine(users, histories, range(6), 5)


def _history(made: Data, number: int) -> Example:
    events = made.log.events
    mine = slice(events.offsets[number], events.offsets[number + 1])
    return Example(events.items[mine], events.at[mine], np.zeros(0, np.int64))


def test_nobody_is_imagined_by_a_model_that_saw_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = data()
    seen: list[set[tuple[int, ...]]] = []

    class Spy(Trainer):
        def __init__(self, sequences: Sequences, *rest: object, **named: object) -> None:
            seen.append({tuple(sequences.items[low:high]) for low, high in pairwise(sequences.offsets)})
            super().__init__(sequences, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(fit, "Trainer", Spy)
    config = BeyondLogConfig(folds=3, digits=3, size=8, model=TINY, train=TrainConfig(epochs=0))
    model = fit.fit(made, made.log.events, config, tmp_path, split="temporal", cuts=(1.0, 2.0))
    backend = CodesBackend(model, made, SampleConfig())
    events = made.log.events
    for number, user in enumerate(made.log.users):
        own = tuple(events.items[events.offsets[number] : events.offsets[number + 1]])
        assert own not in seen[backend.fold(user)]
        assert all(own in seen[other] for other in range(3) if other != fold_of(user, 3))


def test_what_is_imagined_is_kept_apart_and_found_again(trained: tuple[Data, BeyondLog, Path], store: Store) -> None:
    made, model, _ = trained
    with store.writing() as connection:
        stamp = {"title": "", "description": "", "attributes": {}, "fingerprint": "", "source": "", "line": 0,
                 "import_id": 0, "created_at": now(), "updated_at": now()}  # fmt: skip
        connection.execute(PRODUCT.insert(), [stamp | {"id": item} for item in made.log.items])
    backend = CodesBackend(model, made, SampleConfig())

    def go(log: Log = made.log, users: list[str] | None = None) -> tuple[imagined.Imagination, int]:
        found, done, empty = imagine_users(
            store, replace(made, log=log), backend, model="m", fingerprint="f", slots=4, seed=0,
            settings={"split": "temporal"}, users=users,
        )  # fmt: skip
        assert not empty
        return found, done

    imagination, done = go(users=["u01", "u07"])
    assert done == 2
    part = imagined.imagined_of(store, imagination, "u07")
    assert len(part) == 4
    imagination, done = go()
    assert done == USERS - 2
    assert imagined.imagined_of(store, imagination, "u07") == part
    assert go()[1] == 0

    # Of the last event on what was imagined from everything; before, from nothing later.
    log = imagined.attach(store, imagination, made.log)
    found, events = log.events.imagined, log.events
    assert found is not None
    for number, user in enumerate(log.users):
        mine = slice(events.offsets[number], events.offsets[number + 1])
        held = set(events.items[mine].tolist())
        newest = found.items[found.row[mine][-1]]
        kept = {one["product_id"] for one in imagined.imagined_of(store, imagination, user)}
        assert {log.items[item] for item in newest} == kept
        assert not set(newest.tolist()) & held
        # A row was made at the first basket that it is in force for, and holds nothing that the user had by then.
        for row in np.unique(found.row[mine]):
            since = events.at[mine][found.row[mine] == row][0]
            had = events.items[mine][events.at[mine] <= since]
            assert row < 0 or not set(found.items[row].tolist()) & set(had.tolist())

    # A new event makes the user's imagined events stale, and nobody else's.
    more = Log.of(
        np.concatenate([events.owner, [3]]), np.concatenate([events.items, [0]]), np.concatenate([events.at, [9e9]]),
        names=(log.users, log.items), timed=True,
    )  # fmt: skip
    assert go(more)[1] == 1


def test_settings_by_name_and_their_errors() -> None:
    config = fit.with_settings(
        BeyondLogConfig(), {"dim": "64", "digits": "3", "lr": "0.01", "folds": "4"}, as_text=True
    )
    assert (config.model.dim, config.digits, config.train.lr, config.folds) == (64, 3, 0.01, 4)
    with pytest.raises(ReaseqError, match="colour: no such setting"):
        fit.with_settings(BeyondLogConfig(), {"colour": "red"})
    with pytest.raises(ReaseqError, match="dim: Input should be greater than 0"):
        fit.with_settings(BeyondLogConfig(), {"dim": -1})
    with pytest.raises(ReaseqError, match="dim: '64' is not a whole number"):
        fit.with_settings(BeyondLogConfig(), {"dim": "64"})
    with pytest.raises(ReaseqError, match="no beyond-log model"):
        saved.find(Path("nowhere"))
    with pytest.raises(ReaseqError, match="too few"):
        SemanticCodes.fit(np.eye(12, dtype=np.float32), np.arange(12) % 4, digits=1, size=8)
