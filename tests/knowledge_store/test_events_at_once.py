"""Rows that are read at once, by the column, come to what they come to one by one, whatever stands in them."""

import math
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.knowledge_store.event_columns import guess_fields
from reaseq.knowledge_store.event_reader import EventReader
from reaseq.knowledge_store.events import EventReport, import_events, read_events
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row
from reaseq.knowledge_store.names import Names
from reaseq.knowledge_store.store import Store

NAMES = Names(
    {"A1": "A1", "17": "A1", "4006381333931": "B2", "1": "C3", "True": "D4", "1.5": "E5"}, {"X": ["A1", "B2"]}
)
VALUES: dict[str, list[Any]] = {
    "user": [
        *("u1", " u1 ", "Ann@x.test", "ann@X.test", "guest", "NaN", "", "(none)", "-1", "0017", "17.0", "\u200bu1"),
        *(None, 0, 1, True, False, 1.0, 1.5, math.nan, math.inf, Decimal("1.50"), Decimal("1.5"), 10**30, [], ["u"]),
        date(2024, 1, 1),
    ],
    "item": [
        *("A1", "A1 ", "17.0", "04006381333931", "4.006381333931E+12", "X", "nothing", "", b"A1", None, [], {"id": 1}),
        *(17, 17.0, True, 1, 1.0, 1.5, Decimal("1.5"), 4006381333931, 10**30, math.nan),
    ],
    "time": [
        *(1_700_000_000, 1_700_000_000.5, 1_700_000_000_000, 10**18, Decimal("1700000000.25"), 45_000, 20231114),
        *(
            "1700000000",
            "2023-11-14 22:13:20",
            "2023-11-14T22:13:20Z",
            "14.11.2023",
            "11/14/2023",
            "03/04/2023",
            "soon",
        ),
        *(datetime(2023, 11, 14), datetime(2023, 11, 14, tzinfo=timezone(timedelta(hours=2))), date(2023, 11, 14)),
        *(None, "", math.nan, math.inf, True, 0, -1, 10**30, []),
    ],
    "kind": [
        *("view", " View ", "VIEW", "purchase", "refunded", "order_cancelled", "zurückgesendet", "payment failed", ""),
        *("draft", None, 1, 1.0, True, math.nan, Decimal(1), []),
    ],
}
VALUES["position"] = VALUES["time"]


def _one_by_one(rows: list[Row], reader: EventReader, first: int) -> tuple[list[Any], list[BadRow]]:
    found = [row if isinstance(row, BadRow) else reader.events_of(row, first + at) for at, row in enumerate(rows)]
    return (
        [event for one in found if not isinstance(one, BadRow) for event in one],
        [one for one in found if isinstance(one, BadRow)],
    )


def _at_once(rows: list[Row], reader: EventReader, first: int) -> tuple[list[Any], list[BadRow]]:
    made, others = reader.at_once(rows, first)
    events, rejected = list(made), []
    for place in others:
        more, bad = _one_by_one([rows[place]], reader, first + place)
        events += more
        rejected += bad
    return events, rejected


def _exactly(events: list[Any]) -> list[str]:
    return sorted(map(repr, events))


@pytest.mark.parametrize("columns", ["user item time kind", "user item time", "user item position kind", "user item"])
@given(st.data())
def test_at_once_and_one_by_one(columns: str, data: st.DataObject) -> None:
    """Columns of one sort of values and mixed ones, over several pieces, with rows that could not be read."""
    flag: st.SearchStrategy[Any] = st.booleans()
    names = columns.split()
    drawn = []
    for name in names:
        values = VALUES[name]
        if data.draw(flag, label=f"{name} of one type"):
            kind = type(data.draw(st.sampled_from(values)))
            values = [one for one in values if type(one) is kind]
        drawn.append(st.sampled_from(values))
    cells = data.draw(st.lists(st.tuples(*drawn), max_size=12))
    rows: list[Row] = [Record(line, dict(zip(names, row, strict=True))) for line, row in enumerate(cells, 1)]
    if data.draw(flag):
        rows.insert(len(rows) // 2, BadRow(99, "broken", "raw"))
    mapping = {name: name for name in names}
    for cut in (len(rows), len(rows) // 2):
        readers = [EventReader.of(rows, mapping, "purchase", NAMES, Counter(), Counter(), "day") for _ in range(2)]
        found: list[tuple[list[Any], list[BadRow]]] = [([], []), ([], [])]
        for first, piece in ((1, rows[:cut]), (cut + 1, rows[cut:])):
            for read, reader, (events, rejected) in zip((_one_by_one, _at_once), readers, found, strict=True):
                made, bad = read(piece, reader, first)
                events += made
                rejected += bad
        assert _exactly(found[0][0]) == _exactly(found[1][0])
        assert found[0][1] == found[1][1]
        assert readers[0].kinds == readers[1].kinds


def _imported(path: Path, folder: Path) -> tuple[Any, ...]:
    """What is stored, what is told and what is set aside."""
    folder.mkdir()
    with Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        fill(store, 5)
        feed = open_feed(path)
        told = ""
        reports: list[EventReport] = []
        try:
            import_events(
                store, feed, guess_fields(feed.columns), rejected_dir=folder / "rejected", on_progress=reports.append
            )
        except ReaseqError as error:
            told = str(error)  # no row could be used
        stored = [event for batch in read_events(store) for event in zip(*batch, strict=True)]
    rejected = [file.read_text(encoding="utf-8") for file in folder.glob("rejected/*")]
    report = reports[-1]
    return stored, told, rejected, report.counts(), report.kinds, report.first_rejected


MOMENT = 1_700_000_000
TIMES_OF_PARQUET = {
    **{unit: pa.array([MOMENT * size] * 3 + [None], pa.timestamp(unit)) for unit, size in
       (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))},
    "zoned": pa.array([MOMENT * 1000 + 123, None, MOMENT * 1000, 1], pa.timestamp("ms", tz="Europe/Berlin")),
    "days": pa.array([19_675, 19_676, None, 0], pa.date32()),
    "seconds": pa.array([MOMENT, MOMENT + 1, None, 0], pa.int64()),
    "unsigned": pa.array([MOMENT * 10**9, MOMENT, None, 2**64 - 1], pa.uint64()),
    "floats": pa.array([MOMENT + 0.25, math.nan, None, math.inf], pa.float64()),
    "decimals": pa.array([Decimal(MOMENT), Decimal("1700000000.50"), None, Decimal(-1)], pa.decimal128(20, 2)),
    "words": pa.array(["2023-11-14 22:13:20", "soon", None, "14.11.2023"]),
}  # fmt: skip
ITEMS_OF_PARQUET = {
    "texts": pa.array(["made-000001", "made-000002", "made-000009", "made-000001"]),
    "dictionary": pa.array(["made-000001", "made-000002", None, "made-000001"]).dictionary_encode(),
    "bytes": pa.array([b"made-000001", b"\xff", None, b"made-000002"]),
    "numbers": pa.array([1, 2, None, 1]),
}
USERS_OF_PARQUET = {
    "texts": pa.array(["u1", "guest", "A@x.test", "u\x002"]),
    "dictionary": pa.array(["u1", None, "u1", "u2"]).dictionary_encode(),
    "decimals": pa.array([Decimal("1.50"), None, Decimal("2.00"), Decimal("1.50")], pa.decimal128(10, 2)),
    "floats": pa.array([1.0, math.nan, 1.5, None]),
    "truths": pa.array([True, False, None, True]),
}


@pytest.mark.parametrize("times", TIMES_OF_PARQUET)
@pytest.mark.parametrize(
    ("users", "items"), [*((one, "texts") for one in USERS_OF_PARQUET), *(("texts", one) for one in ITEMS_OF_PARQUET)]
)
def test_parquet_of_any_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: str, users: str, items: str
) -> None:
    kinds = pa.array(["view", "refunded", "draft", None])
    columns = {"user": USERS_OF_PARQUET[users], "item": ITEMS_OF_PARQUET[items], "timestamp": TIMES_OF_PARQUET[times]}
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({**columns, "kind": kinds, "note": pa.array(["", "a", "b", None])}), path)
    found = _imported(path, tmp_path / "at once")
    monkeypatch.setattr(EventReader, "at_once", lambda _, rows, first: ([], range(len(rows))))
    assert found == _imported(path, tmp_path / "one by one")
