"""Feeds of all formats, broken at random: no traceback, no hang, little memory, and every record is accounted for."""

import json
import random
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reaseq import ReaseqError
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.store import Store

USUAL, ALL = 400, 20_000
LONGEST = 10.0
"""Seconds for one file."""
MOST = 300
"""MB that reading all of them may add."""
_SIGNS = (
    *(
        b'"',
        b'""',
        b"\\",
        b",",
        b";",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"\xc3",
        b"<",
        b">",
        b"&",
        b"{",
        b"[",
        b"]",
        b"}",
    ),
    *(b"sep=,\n", b"\xef\xbb\xbf", b"\\N", b"'", b"=1+1", b"<![CDATA[", b"\t", b"9" * 400, b"-->", b"\xe2\x80\xa8"),
)
_SEEDS = (
    b'id,title,description,price\n1,Clog,"Warm, ""soft""\nfelt",12.50\n2,Boot,,\n',
    "\ufeffSKU;Titel;Preis\r\nA;Größe;1.234,50\r\n".encode(),
    b'{"products": [{"id": 1, "title": "Clog", "variants": [{"sku": "a", "size": "S"}]}]}',
    b'{"id": 1, "title": "Clog"}\n{"id": 2, "title": "Boot", "tags": ["a", {"b": null}]}\n',
    b"<?xml version='1.0'?><shop><offer id='1'><name>Clog</name><param name='Color'>red</param></offer>"
    b"<offer id='2'><name>Boot</name></offer></shop>",
    b"<html><head><meta charset='utf-8'><script type='application/ld+json'>"
    b'{"@type": "Product", "sku": "1", "name": "Clog"}</script></head></html>',
    b"Handle,Title,Option1 Name,Option1 Value,Variant SKU\nc,Clog,Size,S,C-S\nc,,,M,C-M\n",
)


def mutants(seeds: list[bytes], number: int) -> Iterator[bytes]:
    rng = random.Random(number)
    while True:
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice([1, 2, 5, 20])):
            at, other = rng.randrange(len(data) + 1), rng.choice(seeds)
            match rng.randrange(6):
                case 0:
                    data[at:at] = rng.choice(_SIGNS)
                case 1:
                    del data[at : at + rng.choice([1, 3, 50])]
                case 2 if data:
                    data[at % len(data)] = rng.randrange(256)
                case 3:
                    del data[at:]
                case 4:
                    start = rng.randrange(len(data) + 1)
                    data[at:at] = data[start : start + rng.choice([5, 200])]
                case _:
                    start = rng.randrange(len(other))
                    data[at:at] = other[start : start + 100]
        yield bytes(data)


def read_all(folder: Path, seeds: list[bytes], first: int, count: int) -> None:
    """Import so many mutants; prints what went wrong, and how much memory it took, as JSON."""
    wrong: list[str] = []
    path = folder / "feed"
    url = f"sqlite:///{folder}/store.sqlite"
    source = mutants(seeds, first)
    with Store.open(url) as store:  # whatever is loaded once is loaded now
        path.write_bytes(_SEEDS[0])
        feed = open_feed(path)
        import_feed(store, feed, guess_columns(feed.columns, feed.fields), rejected_dir=folder)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(count):
            path.write_bytes(next(source))
            started = time.monotonic()
            try:
                feed = open_feed(path)
                mapping = guess_columns(feed.columns, feed.fields)
                report = import_feed(store, feed, mapping, rejected_dir=folder / "rejected")
                parts = (
                    report.new,
                    report.updated,
                    report.unchanged,
                    report.repeated,
                    report.further,
                    report.set_aside,
                )
                if report.rows != sum(parts):
                    wrong.append(f"{first}/{number}: {report.rows} rows, accounted for {parts}")
            except ReaseqError:
                pass
            except Exception as error:
                wrong.append(f"{first}/{number}: {type(error).__name__}: {error}")
            if (took := time.monotonic() - started) > LONGEST:
                wrong.append(f"{first}/{number}: {took:.0f} s")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"wrong": wrong[:20], "MB": (after - before) // 1024}))


@pytest.mark.realdata
@pytest.mark.timeout(7200)
def test_whatever_stands_in_a_file(realdata: Path, tmp_path: Path, all_trials: bool) -> None:
    """In a process of its own, whose memory is nobody else's."""
    count = ALL if all_trials else USUAL
    result = subprocess.run(
        [sys.executable, "-m", "tests.knowledge_store.test_mutants", str(realdata), str(tmp_path), str(count)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
        timeout=7200,
    )
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["wrong"] == []
    assert found["MB"] < MOST
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def main(realdata: Path, folder: Path, count: int) -> None:
    files = [path for path in sorted((realdata / "feed_trials").glob("*/*.*")) if path.suffix not in (".md", ".py")]
    files += sorted((realdata / "catalogs").glob("*.csv"))
    seeds = [path.read_bytes() if path.suffix == ".xlsx" else path.read_bytes()[:20_000] for path in files]
    read_all(folder, [*_SEEDS, *filter(None, seeds)], 0, count)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
