"""How fast the ranker trains and evaluates: `python -m reaseq.bench.ranker_speed --data FOLDER`.

1. One run beside RecTools' SASRec, on Amazon Beauty (FOLDER holds `amazon14_cross`): same data, width, depth, heads,
   maximum length and threads, each with its own loss and batch. `--rectools-python` names a Python that has RecTools:

       python3 -m venv /tmp/rectools && /tmp/rectools/bin/pip install 'rectools[torch]'

2. How time and memory grow from 10 thousand to a million items, and users (synthetic logs; a process each).
3. The share of the machine's matrix-product peak that training reaches.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reaseq.bench import ranker_data
from reaseq.knowledge_store.log import Log
from reaseq.ranker.batches import training_batches
from reaseq.ranker.evaluate import case_metrics, target_ranks
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.score import case_scores
from reaseq.ranker.split import Split, leave_last_out
from reaseq.ranker.train import Fitted, TrainConfig, Trainer, TrainingData

RESULTS = Path(__file__).parent / "results"
MODEL = ModelConfig(dim=64, blocks=2, heads=2, hidden=1, most=50, dropout=0.2, repeats=False)
"""As SASRec is: no bonus for repetition."""
TRAIN = TrainConfig(tokens=4096, negatives=128, skipped=0.0, lr=4e-3, id_lr=4e-3, newest=0.5)
SIZES = (10_000, 100_000, 1_000_000)
_BASE = 10_000
_EVALUATED = 2_000
"""Users that are evaluated on synthetic logs: full ranking over a million items costs a second per hundred users."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the data sets; without it parts 2 and 3 alone")
    parser.add_argument("--rectools-python", type=Path, help="a Python that has rectools[torch]")
    parser.add_argument("--epochs", type=int, default=5, help="of both, in the comparison")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--grow", nargs=2, type=int, metavar=("USERS", "ITEMS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.grow:
        print(json.dumps(grow(*options.grow)))
        return
    result: dict[str, Any] = {"threads": options.threads, "torch": torch.__version__}
    result["peak GFLOP/s"] = peak()
    if options.data:
        result["comparison"] = compare(options.data, options.rectools_python, options.epochs, options.threads)
        ours = result["comparison"]["reaseq"]
        share = ours["FLOP an epoch"] / ours["epoch_seconds"] / 1e9 / result["peak GFLOP/s"]
        result["share of peak"] = share
        print(f"matrix products: peak {result['peak GFLOP/s']:.0f} GFLOP/s, training reaches {100 * share:.0f} %\n")
    print(f"{'users':>10} {'items':>10} {'events/s':>10} {'epoch s':>8} {'evaluated users/s':>18} {'peak MB':>8}")
    result["growth"] = []
    for users, items in [(_BASE, size) for size in SIZES] + [(size, _BASE) for size in SIZES[1:]]:
        command = [sys.executable, "-m", "reaseq.bench.ranker_speed", "--threads", str(options.threads)]
        command += ["--grow", str(users), str(items)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        result["growth"].append(row)
        print(
            f"{users:>10,} {items:>10,} {row['events/s']:>10,.0f} {row['epoch_seconds']:>8.1f} "
            f"{row['evaluated/s']:>18,.0f} {row['peak MB']:>8,.0f}",
            flush=True,
        )
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "ranker_speed.json"
    path.write_text(json.dumps(result, indent=1))
    print(f"\nwritten: {path}")


def compare(folder: Path, rectools: Path | None, epochs: int, threads: int) -> dict[str, Any]:
    data = ranker_data.beauty(folder)
    split = leave_last_out(data.log.events)
    made = {"reaseq": ours(data.log, split, epochs)}
    if rectools is not None:
        # The fastest of its losses per epoch is BCE with one negative.
        made["RecTools"] = theirs(split, rectools, epochs, threads)
    print(f"after {epochs} epochs")
    print(f"{'':10} {'epoch s':>8} {'events/s':>9} {'evaluation s':>13} {'NDCG@10':>9} {'HR@10':>7}")
    events = len(split.train.items)
    for name, row in made.items():
        row["events/s"] = events / row["epoch_seconds"]
        print(
            f"{name:10} {row['epoch_seconds']:>8.2f} {row['events/s']:>9,.0f} {row['evaluation_seconds']:>13.2f} "
            f"{row['NDCG@10']:>9.4f} {row['HR@10']:>7.4f}"
        )
    if rectools is not None:
        for what in ("epoch_seconds", "evaluation_seconds"):
            print(f"ratio of {what.replace('_', ' ')}: {made['RecTools'][what] / made['reaseq'][what]:.1f}")
    print()
    return made


def ours(log: Log, split: Split, epochs: int) -> dict[str, Any]:
    data = TrainingData(split, len(log.items))
    trainer = Trainer(data, MODEL, TRAIN.model_copy(update={"epochs": epochs, "patience": epochs + 1}))
    fitted = trainer.run()
    seconds = [epoch.seconds for epoch in trainer.history][1:] or [trainer.history[0].seconds]
    started = time.perf_counter()
    metrics = evaluate(fitted, split)
    return {
        "epoch_seconds": float(np.median(seconds)),
        "evaluation_seconds": time.perf_counter() - started,
        "FLOP an epoch": flop(trainer, data),
        **metrics,
    }


def evaluate(fitted: Fitted, split: Split) -> dict[str, float]:
    cases = split.test
    ranks = target_ranks(case_scores(fitted.model, fitted.vectors(), cases.history), cases)
    return {name: float(value.mean()) for name, value in case_metrics(ranks, cases, (10,)).items()}


def theirs(split: Split, python: Path, epochs: int, threads: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        train, valid, test = split.train, split.valid, split.test
        place = np.arange(len(train.items)) - np.repeat(train.offsets[:-1], train.lengths)
        np.savez(
            path, user=train.owner, item=train.items, order=place, more_user=valid.users, more_item=valid.targets,
            more_order=np.full(len(valid), 10**6), test_user=test.users, test_item=test.targets,
        )  # fmt: skip
        script = Path(__file__).with_name("rectools_sasrec.py")
        command = [str(python), str(script), "--data", str(path), "--epochs", str(epochs), "--threads", str(threads)]
        command += ["--dim", str(MODEL.dim), "--blocks", str(MODEL.blocks), "--heads", str(MODEL.heads)]
        command += ["--max-len", str(MODEL.most), "--dropout", str(MODEL.dropout)]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    return row


def grow(users: int, items: int) -> dict[str, float]:
    """One epoch and an evaluation on a synthetic log; peak memory is the whole process's."""
    log = ranker_data.synthetic(users, items)
    split = leave_last_out(log.events)
    trainer = Trainer(TrainingData(split, items), MODEL, TRAIN)
    trainer.model.train()
    started, events = time.perf_counter(), 0
    for batch in training_batches(
        split.train, trainer.sampler, most=MODEL.most, tokens=TRAIN.tokens, by_basket=False,
        random=np.random.default_rng(0),
    ):  # fmt: skip
        trainer.learn(batch)
        events += int((batch.segment >= 0).sum())
    trained = time.perf_counter()
    cases = split.test.select(np.arange(min(_EVALUATED, len(split.test))))
    trainer.model.eval()
    target_ranks(case_scores(trainer.model, trainer.now.vectors(), cases.history), cases)
    evaluated = time.perf_counter()
    return {
        "users": users,
        "items": items,
        "epoch_seconds": trained - started,
        "events/s": events / (trained - started),
        "evaluated/s": len(cases) / (evaluated - trained),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def flop(trainer: Trainer, data: TrainingData) -> float:
    """Multiplications and additions of an epoch's matrix products, forward and backward (three times forward)."""
    dim, hidden, total = MODEL.dim, MODEL.hidden * MODEL.dim, 0.0
    for batch in training_batches(
        data.split.train, trainer.sampler, most=MODEL.most, tokens=TRAIN.tokens, by_basket=False,
        random=np.random.default_rng(0),
    ):  # fmt: skip
        tokens, square = len(batch.segment), sum(block.rows * block.width**2 for block in batch.blocks)
        each = 2 * tokens * (4 * dim**2 + 2 * dim * hidden) + 4 * square * dim
        total += MODEL.blocks * each + 2 * square * dim + 2 * len(batch.query) * len(batch.negatives) * dim
    return 3 * total


def peak(size: int = 2048, rounds: int = 20) -> float:
    """GFLOP/s of square float32 matrix products, the best of some."""
    one, other = torch.randn(size, size), torch.randn(size, size)
    best = np.inf
    for _ in range(rounds):
        started = time.perf_counter()
        one @ other
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9


if __name__ == "__main__":
    main()
