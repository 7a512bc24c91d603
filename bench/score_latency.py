"""How long scoring takes: `python -m reaseq.bench.score_latency`.

A catalogue of 20,000 products and a user with 50 events; the model has its default size. After warm-up, the median and
the 95th percentile of: scoring 1,000 candidates, scoring the whole catalogue, ten recommendations with their reasons.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reaseq.bench.catalogue import fill
from reaseq.knowledge_store.store import Store
from reaseq.ranker.facts import DIM
from reaseq.ranker.model import ModelConfig, Ranker
from reaseq.ranker.scorer import Scorer
from reaseq.ranker.train import Fitted

RESULTS = Path(__file__).parent / "results"
PRODUCTS, EVENTS, CANDIDATES, KNOWLEDGE = 20_000, 50, 1000, 256 + DIM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    model = ModelConfig(features=("id", "knowledge"), most=EVENTS, timed=True)
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        fill(store, PRODUCTS)
        products = store.product_ids()
        fitted = Fitted(
            Ranker(model, KNOWLEDGE).eval(),
            torch.randn(PRODUCTS, model.dim),
            torch.randint(0, 100, (PRODUCTS,)).float(),
            torch.randn(PRODUCTS, KNOWLEDGE),
        )
        scorer = Scorer(store, fitted, products)
        chosen = random.integers(0, PRODUCTS, EVENTS)
        events = [
            {"product_id": products[item], "at": 3600.0 * place, "kind": "view", "title": ""}
            for place, item in enumerate(chosen)
        ]
        candidates = torch.from_numpy(random.integers(0, PRODUCTS, CANDIDATES))
        best = np.arange(10)
        work: dict[str, Callable[[], Any]] = {
            f"{CANDIDATES:,} candidates": lambda: scorer.score_many(scorer.sequences([events]), candidates),
            f"all {PRODUCTS:,} products": lambda: scorer.scores(events),
            "reasons for 10 products": lambda: scorer.reasons(events, best),
        }
        result: dict[str, Any] = {"threads": options.threads, "torch": torch.__version__, "events": EVENTS}
        print(f"{'':26} {'median ms':>10} {'95 % ms':>10}")
        for name, one in work.items():
            for _ in range(20):
                one()
            times = []
            for _ in range(options.rounds if "reasons" not in name else options.rounds // 10):
                started = time.perf_counter()
                one()
                times.append(1000 * (time.perf_counter() - started))
            result[name] = {"median ms": float(np.median(times)), "95 % ms": float(np.quantile(times, 0.95))}
            print(f"{name:26} {result[name]['median ms']:>10.2f} {result[name]['95 % ms']:>10.2f}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "score_latency.json"
    path.write_text(json.dumps(result, indent=1))
    print(f"\nwritten: {path}")


if __name__ == "__main__":
    main()
