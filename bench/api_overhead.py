"""What the Python interface costs: `python -m reaseq.bench.api_overhead`.

How long `import reaseq` takes, in processes of their own, beside Python itself. And `ranker.rank` of many users and
500 candidates each, from a store with a log of 30 events a user, against the bare scorer: the same histories, in memory
already, encoded and compared, no table made of it. The model has its default size; rounds alternate, medians count.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reaseq.api.ranking import Ranker
from reaseq.bench.catalogue import fill
from reaseq.knowledge_store.store import EVENT, EVENT_IMPORT, Store
from reaseq.knowledge_store.tables import now
from reaseq.ranker.facts import DIM
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.model import Ranker as Model
from reaseq.ranker.scorer import Scorer
from reaseq.ranker.train import Fitted

RESULTS = Path(__file__).parent / "results"
PRODUCTS, EVENTS, KNOWLEDGE = 20_000, 30, 256 + DIM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    result: dict[str, Any] = {
        "import seconds": {what: _start(code) for what, code in (("python", "pass"), ("reaseq", "import reaseq"))}
    }
    starts = result["import seconds"]
    print(f"import reaseq: {1000 * (starts['reaseq'] - starts['python']):.0f} ms")
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        ranker, users = _made(store, arguments.users)
        candidates = ranker._scorer.products[: arguments.candidates]
        items = torch.arange(arguments.candidates)
        histories = ranker._scorer.histories(users)

        def bare() -> None:
            for start in range(0, len(users), 256):
                batch = np.arange(start, min(start + 256, len(users)))
                ranker._scorer.score_many(histories.select(batch), items)

        seconds: dict[str, list[float]] = {"bare scorer": [], "ranker.rank": []}
        for _ in range(arguments.rounds):
            for what, one in (("bare scorer", bare), ("ranker.rank", lambda: ranker.rank(users, candidates))):
                started = time.perf_counter()
                one()
                seconds[what].append(time.perf_counter() - started)
    print(f"{'':14} {'seconds':>8} {'users/s':>8}")
    for what, times in seconds.items():
        median = float(np.median(times))
        result[what] = {"seconds": times, "users/s": len(users) / median}
        print(f"{what:14} {median:>8.2f} {len(users) / median:>8,.0f}")
    share = result["ranker.rank"]["users/s"] / result["bare scorer"]["users/s"]
    print(f"ranker.rank ranks at {share:.0%} of the bare scorer's speed")
    result |= {"share": share, "users": len(users), "candidates": arguments.candidates}
    result |= {"machine": platform.machine(), "processors": os.cpu_count(), "torch": torch.__version__}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "api_overhead.json"
    path.write_text(json.dumps(result, indent=1))
    print(f"\nwritten: {path}")


def _start(code: str, rounds: int = 7) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def _made(store: Store, count: int) -> tuple[Ranker, list[str]]:
    """A ranker with weights that nobody trained, and users with a log."""
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    fill(store, PRODUCTS)
    products = store.product_ids()
    users = [f"u{number:06}" for number in range(count)]
    with store.writing() as connection:
        of_import = {"source": "made up", "clock": "time", "counts": {}, "started_at": now()}
        connection.execute(EVENT_IMPORT.insert(), of_import)
        for user in users:
            rows = [
                {"user_id": user, "at": 3600.0 * at, "product_id": products[item], "kind": "view", "import_id": 1}
                for at, item in enumerate(draw.integers(0, PRODUCTS, EVENTS))
            ]
            connection.execute(EVENT.insert(), rows)
    model = ModelConfig(features=("id", "knowledge"), most=50, timed=True)
    fitted = Fitted(
        Model(model, KNOWLEDGE).eval(),
        torch.randn(PRODUCTS, model.dim),
        torch.randint(0, 100, (PRODUCTS,)).float(),
        torch.randn(PRODUCTS, KNOWLEDGE),
    )
    ranker = Ranker.__new__(Ranker)
    ranker._store, ranker._kept = store, (store.state(), Scorer(store, fitted, products))
    return ranker, users


if __name__ == "__main__":
    main()
