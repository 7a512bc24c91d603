"""How fast a feed is imported, and in how much memory: `python -m reaseq.bench.import_speed --pandas-python PYTHON`.

A made-up feed as CSV, at two sizes, each import in a process of its own; once more of the same feed, when all is known
already. Beside it pandas reads the same file into a frame, whole and in pieces, with the Python of an environment that
has it: reading alone, without a store.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_IMPORT = """
import sys, time
from pathlib import Path
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.store import Store
folder = Path(sys.argv[1])
with Store.open(f"sqlite:///{folder}/store.sqlite") as store:
    started = time.perf_counter()
    feed = open_feed(folder / "feed.csv")
    rows = import_feed(store, feed, guess_columns(feed.columns), rejected_dir=folder).rows
"""
_PANDAS = """
import sys, time
import pandas
path = sys.argv[1] + "/feed.csv"
started = time.perf_counter()
rows = len(pandas.read_csv(path, dtype=str))
"""
_PANDAS_PIECES = """
import sys, time
import pandas
path = sys.argv[1] + "/feed.csv"
started = time.perf_counter()
rows = sum(map(len, pandas.read_csv(path, dtype=str, chunksize=10_000)))
"""
_PRINT = """
import json, resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started, "peak MB": peak}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the larger feed; the other has a tenth")
    parser.add_argument("--pandas-python", help="of an environment with pandas; without it, reaseq alone")
    arguments = parser.parse_args()
    table: list[dict[str, Any]] = []
    for rows in (arguments.rows // 10, arguments.rows):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write(folder / "feed.csv", rows)
            table.append({"what": "reaseq import"} | _run(sys.executable, _IMPORT, folder))
            table.append({"what": "the same again"} | _run(sys.executable, _IMPORT, folder))
            if arguments.pandas_python:
                table.append({"what": "pandas, whole"} | _run(arguments.pandas_python, _PANDAS, folder))
                table.append({"what": "pandas, pieces"} | _run(arguments.pandas_python, _PANDAS_PIECES, folder))
    print(f"{'':18} {'rows':>10} {'rows/s':>10} {'peak MB':>8}")
    for row in table:
        print(f"{row['what']:18} {row['rows']:>10,} {row['rows'] / row['seconds']:>10,.0f} {row['peak MB']:>8,.0f}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "import_speed.json"
    path.write_text(json.dumps(table, indent=1))
    print(f"\nwritten: {path}")


def _run(python: str, code: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run([python, "-c", code + _PRINT, str(folder)], check=True, capture_output=True, text=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _write(path: Path, rows: int) -> None:
    """A feed with descriptions of about fifty words, in quotes."""
    draw = random.Random(0)
    words = "shoe mesh upper leather sole, rubber light dry “grip” wet road foam heel for women men run walk".split()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "title", "description", "brand", "price", "color", "size", "image_link"])
        for number in range(rows):
            title = " ".join(draw.choices(words, k=6))
            text = " ".join(draw.choices(words, k=50))
            price = f"{draw.random() * 100:.2f}"
            writer.writerow([f"A{number}", title, text, "Fennside", price, "red", "42", f"https://x.test/{number}.jpg"])


if __name__ == "__main__":
    main()
