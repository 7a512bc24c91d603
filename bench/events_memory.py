"""Importing a behaviour log and reading it back: `python -m reaseq.bench.events_memory --events 10000000`.

A synthetic log in the order of time, users mixed, as Parquet; a process of its own, whose peak memory is measured.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reaseq.bench.catalogue import fill
from reaseq.knowledge_store.event_columns import guess_fields
from reaseq.knowledge_store.events import import_events
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.log import read_log
from reaseq.knowledge_store.store import Store

RESULTS = Path(__file__).parent / "results"
PRODUCTS, CHUNK = 20_000, 500_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    number = parser.parse_args().events
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store.open(f"sqlite:///{folder}/store.sqlite") as store:
            fill(store, PRODUCTS)
            _write(folder / "log.parquet", number, store.product_ids())
            feed = open_feed(folder / "log.parquet")
            started = time.perf_counter()
            report = import_events(store, feed, guess_fields(feed.columns), rejected_dir=folder)
            imported = time.perf_counter()
            log = read_log(store).log
            read = time.perf_counter()
        size = (folder / "store.sqlite").stat().st_size
    result: dict[str, Any] = {
        "rows": report.rows,
        "events": len(log.events.items),
        "imported rows/s": report.rows / (imported - started),
        "read events/s": len(log.events.items) / (read - imported),
        "store MB": size / 1e6,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    for what, value in result.items():
        print(f"{what:18} {value:>14,.0f}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "events_memory.json"
    path.write_text(json.dumps(result, indent=1))
    print(f"\nwritten: {path}")


def _write(path: Path, number: int, products: list[str]) -> None:
    random = np.random.default_rng(0)
    ids = np.array(products)
    schema = pa.schema({"user_id": pa.int64(), "item_id": pa.string(), "timestamp": pa.int64()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, number, CHUNK):
            size = min(CHUNK, number - start)
            users = random.integers(0, max(number // 20, 1), size)
            items = ids[(random.random(size) ** 3 * len(ids)).astype(int)]
            times = 1_700_000_000 + np.arange(start, start + size)
            writer.write_table(pa.table({"user_id": users, "item_id": items, "timestamp": times}, schema))


if __name__ == "__main__":
    main()
