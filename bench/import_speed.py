"""How fast feeds and logs are imported, and in how much memory: `python -m reaseq.bench.import_speed`.

A made-up feed of products with descriptions of fifty words, in each format, and a made-up log, as CSV and Parquet. Each
import is a process of its own; of the time it says how much went into reading the file, making products or events of
the rows, and the store. The CSV is also imported when all of it is known already. With `--pandas-python`, the Python of
an environment that has pandas, that reads the same CSV into frames: reading alone, without a store.

Machines differ, and so do hours on a shared one: how long a bare loop of ten million additions takes stands above the
table, before and after.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

RESULTS = Path(__file__).parent / "results"
COLUMNS = ("sku", "title", "description", "brand", "price", "color", "size", "image_link")
_FEED = """
import sys, time
from pathlib import Path
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import import_feed, product_from
from reaseq.knowledge_store.store import Store
from reaseq.taxonomy.category_paths import CategoryNames
path = Path(sys.argv[1])
names = CategoryNames()
def opened():
    feed = open_feed(path)
    return feed, guess_columns(feed.columns, feed.fields)
with Store.open(f"sqlite:///{path.parent}/{path.name}.sqlite") as store:
    started = time.perf_counter()
    feed, mapping = opened()
    rows = import_feed(store, feed, mapping, names=names, rejected_dir=path.parent).rows
    seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
started = time.perf_counter()
for row in opened()[0].rows: pass
reading = time.perf_counter() - started
started = time.perf_counter()
feed, mapping = opened()
for row in feed.rows: product_from(row, mapping, None, {}, names)
making = time.perf_counter() - started - reading
"""
_LOG = """
import sys, time
from pathlib import Path
from reaseq.knowledge_store.event_columns import guess_fields
from reaseq.knowledge_store.events import import_events
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.event_columns import names_a_user
path = Path(sys.argv[1])
def opened():
    return open_feed(path, is_header=names_a_user)
with Store.open(f"sqlite:///{path.parent}/feed.csv.sqlite") as store:
    started = time.perf_counter()
    feed = opened()
    rows = import_events(store, feed, guess_fields(feed.columns), rejected_dir=path.parent).rows
    seconds = time.perf_counter() - started
    with store.writing() as connection:
        connection.exec_driver_sql("delete from event")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
started = time.perf_counter()
for row in opened().rows: pass
reading, making = time.perf_counter() - started, None
"""
_PANDAS = """
import sys, time
import pandas
started = time.perf_counter()
rows = len(pandas.read_csv(sys.argv[1], dtype=str))
seconds, reading, making = time.perf_counter() - started, None, None
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
"""
_PRINT = """
import json
print(json.dumps({"rows": rows, "seconds": seconds, "reading": reading, "making": making, "peak MB": peak}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="of the CSV and of the log")
    parser.add_argument("--pandas-python", help="of an environment with pandas; without it, reaseq alone")
    arguments = parser.parse_args()
    table: list[dict[str, Any]] = []
    loops = [_loop()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, write in _FORMATS.items():
            path = folder / f"feed.{what}"
            write(path, list(_products(arguments.rows if what == "csv" else arguments.rows // 5)))
            table.append({"what": f"feed, {what}"} | _run(sys.executable, _FEED, path))
            if what == "csv":
                table.append({"what": "feed, csv, known"} | _run(sys.executable, _FEED, path))
                if arguments.pandas_python:
                    table.append({"what": "pandas, csv"} | _run(arguments.pandas_python, _PANDAS, path))
        for what, write_log in (("csv", _csv_log), ("parquet", _parquet_log)):
            path = folder / f"log.{what}"
            write_log(path, list(_events(10 * arguments.rows, arguments.rows)))
            table.append({"what": f"log, {what}"} | _run(sys.executable, _LOG, path))
    loops.append(_loop())
    print(f"ten million additions: {loops[0]:.2f} s before, {loops[1]:.2f} s after\n")
    print(f"{'':18} {'rows':>10} {'rows/s':>10} {'reading':>8} {'making':>8} {'store':>8} {'peak MB':>8}")
    for row in table:
        parts = [row["reading"], row["making"]]
        rest = None if parts[0] is None else max(0.0, row["seconds"] - sum(part or 0 for part in parts))
        shares = ("" if part is None else f"{part / row['seconds']:.0%}" for part in (*parts, rest))
        cells = " ".join(f"{share:>8}" for share in shares)
        speed = row["rows"] / row["seconds"]
        print(f"{row['what']:18} {row['rows']:>10,} {speed:>10,.0f} {cells} {row['peak MB']:>8,.0f}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "import_speed.json"
    path.write_text(json.dumps({"loop seconds": loops, "table": table}, indent=1))
    print(f"\nwritten: {path}")


def _loop() -> float:
    started, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - started


def _run(python: str, code: str, path: Path) -> dict[str, Any]:
    whole = f"import resource\n{code}{_PRINT}"
    done = subprocess.run([python, "-c", whole, str(path)], check=True, capture_output=True, text=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _products(rows: int) -> Iterator[list[str]]:
    draw = random.Random(0)
    words = "shoe mesh upper leather sole, rubber light dry “grip” wet road foam heel for women men run walk".split()
    for number in range(rows):
        title, text = " ".join(draw.choices(words, k=6)), " ".join(draw.choices(words, k=50))
        price = f"{draw.random() * 100:.2f}"
        yield [f"A{number}", title, text, "Fennside", price, "red", "42", f"https://x.test/{number}.jpg"]


def _csv_feed(path: Path, products: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(COLUMNS), *products])


def _json_feed(path: Path, products: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(dict(zip(COLUMNS, one, strict=True))) + "\n" for one in products)


def _xml_feed(path: Path, products: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("<products>")
        for one in products:
            cells = "".join(f"<{name}>{escape(cell)}</{name}>" for name, cell in zip(COLUMNS, one, strict=True))
            file.write(f"<product>{cells}</product>\n")
        file.write("</products>")


def _workbook(path: Path, products: list[list[str]]) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (list(COLUMNS), *products):
        sheet.append(row)
    book.save(path)


def _parquet_feed(path: Path, products: list[list[str]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(dict(zip(COLUMNS, zip(*products, strict=True), strict=True))), path)


_FORMATS: dict[str, Callable[[Path, list[list[str]]], None]] = {
    "csv": _csv_feed,
    "jsonl": _json_feed,
    "xml": _xml_feed,
    "xlsx": _workbook,
    "parquet": _parquet_feed,
}


def _events(rows: int, products: int) -> Iterator[tuple[str, str, str, int]]:
    draw = random.Random(1)
    for number in range(rows):
        kind = draw.choice(("view", "view", "click", "purchase"))
        yield f"u{draw.randrange(rows // 20)}", f"A{draw.randrange(products)}", kind, 1_700_000_000 + number


def _csv_log(path: Path, events: list[tuple[str, str, str, int]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("user", "item", "kind", "timestamp"), *events])


def _parquet_log(path: Path, events: list[tuple[str, str, str, int]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("user", "item", "kind", "timestamp")
    pq.write_table(pa.table(dict(zip(names, zip(*events, strict=True), strict=True))), path)


if __name__ == "__main__":
    main()
