"""How fast first knowledge comes: `python -m reaseq.bench.first_pass --feed FILE --category shoes`.

The products of FILE are imported, again under other ids until there are `--products`, and read as `reaseq distill
--engine none` reads them: by the lexicon alone in one process and in several, and with `--gold FILE` by a student too
that its labelled products taught, encoder included. Each is a process of its own. Of the time it says how much went
into reading (with a student: tagging and reading), and into the store; where several processes read at once, of their
processor time, of which it says how much a product took. Whether memory grows, runs over more `--products` tell; what
reading itself consists of, says `reaseq.bench.reading_speed`.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from itertools import count, islice
from pathlib import Path
from typing import Any

from reaseq.agents.extraction_score import read_gold
from reaseq.graphs.first_pass import first_pass
from reaseq.graphs.options import Options
from reaseq.graphs.reading import Reading
from reaseq.graphs.teaching import Teaching
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.store import Store

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feed", type=Path, required=True, help="a feed of one category")
    parser.add_argument("--category", default="shoes", help="its category")
    parser.add_argument("--products", type=int, default=10_000, help="how many are read")
    parser.add_argument("--gold", type=Path, help="labelled products: see `reaseq distill --gold`")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--one", choices=("one", "several", "student"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments)))
        return
    kinds = ["one", "several", *(["student"] if arguments.gold else [])]
    print(f"{'':22} {'products':>9} {'products/s':>11} {'CPU ms':>7} {'reading':>8} {'store':>7} {'peak MB':>8}")
    table = []
    for kind in kinds:
        done = subprocess.run([sys.executable, "-m", "reaseq.bench.first_pass", *sys.argv[1:], "--one", kind],
                              check=True, capture_output=True, text=True)  # fmt: skip
        row = json.loads(done.stdout.splitlines()[-1])
        table.append(row)
        print(
            f"{row['what']:22} {row['products']:>9,} {row['products'] / row['seconds']:>11,.0f} {row['CPU ms']:>7.2f}"
            f" {row['reading']:>8.0%} {1 - row['reading']:>7.0%} {row['peak MB']:>8,.0f}",
            flush=True,
        )
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "first_pass.json"
    said = {"machine": platform.machine(), "processors": os.cpu_count(), "reaseq": version("reaseq"), "runs": table}
    path.write_text(json.dumps(said, indent=1))
    print(f"\nwritten: {path}")


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    processes = 1 if arguments.one == "one" else os.cpu_count() or 1
    teaching = None
    if arguments.one == "student":
        teaching = Teaching(arguments.models, list(read_gold(arguments.gold)))
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        teaching = teaching and replace(teaching, students_dir=Path(folder))
        feed = open_feed(arguments.feed)
        mapping = guess_columns(feed.columns, feed.fields)
        many = replace(feed, rows=_again(arguments.feed, feed, mapping.get("id", ""), arguments.products))
        import_feed(store, many, mapping, category=arguments.category, rejected_dir=Path(folder))
        reading, alone = 0.0, 0
        read = Reading.read

        def timed(self: Reading, products: Any) -> Any:
            nonlocal reading, alone
            started = time.perf_counter()
            found = read(self, products)
            reading += time.perf_counter() - started
            alone += len(products)
            return found

        Reading.read = timed  # type: ignore[method-assign]
        options = Options(arguments.category)
        if teaching is not None:  # what is learnt once is kept
            first_pass(store, replace(options, limit=1), teaching=teaching, processes=1)
            reading = 0.0
        before = _processor()
        made = first_pass(store, options, teaching=teaching, processes=processes)
        for child in multiprocessing.active_children():
            child.join()  # what is not over is not counted
        own, others = (after - begun for after, begun in zip(_processor(), before, strict=True))
        share = reading / made.seconds
        if arguments.one == "several":
            # What this process read before there were others it read as quickly as they.
            share = others / (own + others) * made.read / max(1, made.read - alone)
        peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    names = {"one": "lexicon, one process", "several": f"lexicon, {processes} processes", "student": "with a student"}
    return {
        "what": names[arguments.one],
        "products": made.read,
        "seconds": made.seconds,
        "CPU ms": 1e3 * (own + others) / made.read,
        "reading": share,
        "peak MB": peak,
    }


def _processor() -> tuple[float, float]:
    """Seconds of processor time that this process has taken, and its children that are over."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, others = (one.ru_utime + one.ru_stime for one in used)
    return own, others


def _again(path: Path, feed: Feed, id_column: str, products: int) -> Iterator[Row]:
    """The feed's rows again and again, under other ids, until there are so many products."""

    def rows() -> Iterator[Row]:
        for time_ in count():
            for row in feed.rows if time_ == 0 else open_feed(path).rows:
                if isinstance(row, Record) and row.product:
                    own = f"{row.values.get(id_column)}-{time_}"
                    yield Record(row.line, {**row.values, id_column: own})

    return islice(rows(), products)


if __name__ == "__main__":
    main()
