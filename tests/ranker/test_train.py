"""Training: it learns, repeats itself, resumes exactly, and shares work between processes."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from reaseq import ReaseqError
from reaseq.knowledge_store.log import Log, Sequences
from reaseq.ranker.evaluate import case_metrics, target_ranks
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.score import case_scores, click_logits
from reaseq.ranker.split import leave_last_out
from reaseq.ranker.train import Epoch, Fitted, TrainConfig, Trainer, TrainingData


@pytest.fixture
def data(log: Log) -> TrainingData:
    return TrainingData(leave_last_out(log.events), len(log.items))


def hr_at_5(fitted: Fitted, data: TrainingData) -> float:
    cases = data.split.test
    ranks = target_ranks(case_scores(fitted.model, fitted.vectors(), cases.history), cases)
    return float(case_metrics(ranks, cases, (5,))["HR@5"].mean())


def test_it_learns_what_comes_next(data: TrainingData, small: ModelConfig, quick: TrainConfig) -> None:
    epochs: list[Epoch] = []
    fitted = Trainer(data, small, quick).run(on_epoch=epochs.append)
    assert epochs[-1].loss < epochs[0].loss / 2
    assert hr_at_5(fitted, data) > 0.9


def test_equal_seeds_give_equal_weights(data: TrainingData, small: ModelConfig, quick: TrainConfig) -> None:
    short = quick.model_copy(update={"epochs": 2})
    one, other = (Trainer(data, small, short).run().weights() for _ in range(2))
    third = Trainer(data, small, short.model_copy(update={"seed": 1})).run().weights()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not torch.equal(one["ids"], third["ids"])


def test_it_stops_when_validation_gets_no_better(data: TrainingData, small: ModelConfig, quick: TrainConfig) -> None:
    patient = quick.model_copy(update={"epochs": 60, "patience": 2})
    trainer = Trainer(data, small, patient)
    trainer.run()
    best = max(epoch.valid["NDCG@10"] for epoch in trainer.history)
    assert len(trainer.history) < 60
    assert trainer.history[-3].valid["NDCG@10"] == best
    assert trainer.validate()["NDCG@10"] == pytest.approx(best)  # the best epoch's weights are what is given back


@pytest.mark.trial
def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """Killed twice at random moments and started again: the same weights as undisturbed."""
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        import torch
        from reaseq.ranker import saved
        from reaseq.knowledge_store.log import Log
        from reaseq.ranker.model import ModelConfig
        from reaseq.ranker.split import leave_last_out
        from reaseq.ranker.train import TrainConfig, Trainer, TrainingData
        import numpy as np
        torch.set_num_threads(1)
        random = np.random.default_rng(0)
        users = np.repeat(np.arange(400), 9)
        items = (random.integers(0, 60, 400)[:, None] + np.arange(9)).ravel() % 60
        at = np.tile(np.arange(9.0), 400)
        names = ([str(n) for n in range(400)], [str(n) for n in range(60)])
        log = Log.of(users, items, at, names=names, timed=False)
        data = TrainingData(leave_last_out(log.events), 60)
        folder = Path(sys.argv[1])
        folder.mkdir(exist_ok=True)
        model = ModelConfig(dim=16, blocks=1, heads=2, most=10)
        trainer = Trainer(data, model, TrainConfig(epochs=12, tokens=64, negatives=16, patience=20), folder=folder)
        fitted = trainer.run(on_epoch=lambda epoch: print(epoch.number, flush=True))
        saved.save(folder, fitted, log.items, {}, {})
    """)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def start(folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", script, str(folder)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    undisturbed = start(tmp_path / "undisturbed")
    assert undisturbed.wait() == 0
    random = np.random.default_rng(int.from_bytes(os.urandom(4)))
    for _ in range(2):
        process = start(tmp_path / "killed")
        assert process.stdout is not None
        process.stdout.readline()  # an epoch is done
        time.sleep(random.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = start(tmp_path / "killed")
    said, _ = last.communicate()
    assert last.returncode == 0
    assert not said.startswith("0\n")  # it did go on
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("undisturbed", "killed"))
    assert one == other


@pytest.mark.slow
@pytest.mark.trial
def test_two_processes_train_what_one_does(tmp_path: Path, all_trials: bool) -> None:
    """With gloo on a CPU: the same batches, shared out, so the same metrics but for dropout and rounding."""
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent("""
        import json, os, sys
        import numpy as np
        import torch
        from reaseq.ranker.evaluate import case_metrics, target_ranks
        from reaseq.knowledge_store.log import Log
        from reaseq.ranker.model import ModelConfig
        from reaseq.ranker.score import case_scores
        from reaseq.ranker.split import leave_last_out
        from reaseq.ranker.train import TrainConfig, Trainer, TrainingData, Workers
        torch.set_num_threads(1)
        random = np.random.default_rng(0)
        users = np.repeat(np.arange(600), 8)
        steps = random.choice([1, 2], (600, 8), p=[0.7, 0.3]).cumsum(1)
        items = (random.integers(0, 80, 600)[:, None] + steps).ravel() % 80
        names = ([str(n) for n in range(600)], [str(n) for n in range(80)])
        log = Log.of(users, items, np.tile(np.arange(8.0), 600), names=names, timed=False)
        data = TrainingData(leave_last_out(log.events), 80)
        model = ModelConfig(dim=16, blocks=1, heads=2, most=10)
        train = TrainConfig(epochs=6, tokens=256, negatives=32, lr=1e-2, id_lr=2e-2, seed=int(sys.argv[1]), newest=1.0)
        workers = Workers()
        trainer = Trainer(data, model, train, workers=workers)
        fitted = trainer.run()
        if workers.first:
            cases = data.split.test
            ranks = target_ranks(case_scores(fitted.model, fitted.vectors(), cases.history), cases)
            loss = trainer.history[0].loss
            print(json.dumps([float(case_metrics(ranks, cases, (5,))["NDCG@5"].mean()), loss, trainer.step]))
        workers.leave()
        names = [open(f"/proc/self/task/{one}/comm").read() for one in os.listdir("/proc/self/task")]
        assert not [name for name in names if "gloo" in name], names  # they would abort a process that ends
    """)
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]

    def run(seed: int, *launcher: str) -> list[float]:
        command = [sys.executable, *launcher, str(script), str(seed)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        numbers: list[float] = json.loads(result.stdout.strip().splitlines()[-1])
        return numbers

    alone = [run(seed) for seed in range(3)]
    together = [run(seed, *torchrun) for seed in range(2 if all_trials else 1)]
    assert alone[0][2] == together[0][2]  # as many steps
    noise = max(one[0] for one in alone) - min(one[0] for one in alone)
    for seed in range(len(together)):
        assert together[seed][1] == pytest.approx(alone[seed][1], rel=0.02)  # dropout is all that differs in an epoch
        assert together[seed][0] == pytest.approx(alone[seed][0], abs=max(2 * noise, 0.02))


@pytest.mark.slow
@pytest.mark.trial
def test_autocast_and_compile(data: TrainingData, small: ModelConfig, quick: TrainConfig) -> None:
    """The path a GPU takes, on a CPU: bf16 under autocast, the encoder compiled."""
    fast = quick.model_copy(update={"precision": "bf16", "compile": True})
    assert hr_at_5(Trainer(data, small, fast).run(), data) > 0.9


def test_a_cold_item_is_known_by_its_knowledge(log: Log, small: ModelConfig, quick: TrainConfig) -> None:
    """Items never seen in training are ranked by their embedding alone, far above chance."""
    items = len(log.items)
    angle = 2 * np.pi * np.arange(items) / items  # neighbours in the cycle have similar texts
    waves = [wave(angle * k) for k in (1, 2, 3, 4) for wave in (np.sin, np.cos)]
    knowledge = np.stack(waves, axis=1).astype(np.float32)
    cold = np.arange(items) % 5 == 4
    events = log.events.take(~cold[log.events.items])
    data = TrainingData(leave_last_out(events), items, knowledge)
    model = small.model_copy(update={"features": ("id", "knowledge")})
    fitted = Trainer(data, model, quick.model_copy(update={"epochs": 20})).run()
    assert not data.counts[cold].any()
    ranks = []
    for item in np.flatnonzero(cold):
        before = np.array([item - 3, item - 2, item - 1]) % items
        scores = case_scores(fitted.model, fitted.vectors(), Sequences(np.array([0, 3]), before, np.arange(3.0)))(0, 1)
        ranks.append(int((scores[0] > scores[0, item]).sum()))
    assert np.mean(ranks) < items / 8  # chance is half


def test_impressions_are_learnt_and_calibrated(log: Log, small: ModelConfig, quick: TrainConfig) -> None:
    """At each event three random items were shown too: the model tells what is acted on from what is passed over."""
    random = np.random.default_rng(0)
    events, items = log.events, len(log.items)
    shown = Sequences(events.offsets * 3, random.integers(0, items, 3 * len(events.items)), np.repeat(events.at, 3))
    data = TrainingData(leave_last_out(events), items, None, shown)
    fitted = Trainer(data, small, quick.model_copy(update={"epochs": 12})).run()
    cases = data.split.test
    owner = np.arange(len(cases))
    acted = click_logits(fitted.model, fitted.vectors(), cases.history, owner, cases.targets)
    passed = click_logits(
        fitted.model,
        fitted.vectors(),
        cases.history,
        owner,
        (cases.targets + random.integers(1, items, len(owner))) % items,
    )
    assert float((acted > passed).mean()) > 0.95
    assert float((1 / (1 + np.exp(-acted))).mean()) > 0.5 > float((1 / (1 + np.exp(-passed))).mean())


def test_nothing_to_learn_from(small: ModelConfig, quick: TrainConfig) -> None:
    nothing = Sequences(np.zeros(3, np.int64), np.zeros(0, np.int64), np.zeros(0))
    with pytest.raises(ReaseqError, match="nothing to train on"):
        Trainer(TrainingData(leave_last_out(nothing), 5), small, quick)
