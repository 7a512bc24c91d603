"""Behaviour logs: what a row means, what is set aside, and that nothing is counted twice."""

import csv
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.knowledge_store.event_columns import by_lines, by_values, guess_fields, names_a_user
from reaseq.knowledge_store.event_columns import understood as understand
from reaseq.knowledge_store.event_reader import kind_of
from reaseq.knowledge_store.events import EventReport, event_stats, history, import_events, months, read_events
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.dialect import Reading
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import Record
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.log import read_log
from reaseq.knowledge_store.names import read_names
from reaseq.knowledge_store.order_states import came_back, is_a_state, never_came_about
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.times import Clock

Rows = Sequence[dict[str, Any]]


@pytest.fixture
def catalogue(store: Store) -> Store:
    fill(store, 5)  # made-000001 to made-000005
    return store


def item(number: int) -> str:
    return f"made-{number:06}"


def load(store: Store, path: Path, rows: Rows | str, **options: Any) -> EventReport:
    if isinstance(rows, str):
        path.write_text(rows, encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    feed = open_feed(path)
    mapping = guess_fields(feed.columns, options.pop("overrides", None))
    return import_events(store, feed, mapping, rejected_dir=path.parent / "rejected", **options)


def stored(store: Store) -> list[tuple[str, float, str, str]]:
    return [event for batch in read_events(store, batch=3) for event in zip(*batch, strict=True)]


NOON = datetime(2025, 3, 4, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (NOON, NOON),
        (str(int(NOON)), NOON),
        (str(int(NOON * 1000)), NOON),
        (str(int(NOON * 1e6)), NOON),
        (str(int(NOON * 1e9)), NOON),
        ("2025-03-04T12:00:00Z", NOON),
        ("2025-03-04T13:00:00+01:00", NOON),
        ("2025-03-04 12:00", NOON),
        ("2025/03/04 12:00:00", NOON),
        ("04.03.2025 12:00", NOON),
        ("Mar-04-25 12:00", NOON),
        ("2025-03-04", NOON - 43200),
        ("20250304", NOON - 43200),
        ("2025-03-04 12:00:00 UTC", NOON),
        ("2025-03-04 13:00:00 CET", NOON),
        ("2025-03-04 12:00:00 IST", None),  # India, Israel or Ireland?
        ("Tue Mar 04 20:00:00 CST 2025", None),  # Shanghai, Chicago or Havana?
        ("Tue, 04 Mar 2025 20:00:00 CST", None),
        ("2025-03-04 20:00 (CST)", None),
        ("Tue Mar 04 2025 20:00:00 GMT+0800 (CST)", NOON),
        ("Tue, 04 Mar 2025 12:00:00 +0000", NOON),
        ("Mar 4, 2025 12:00 PM", NOON),
        ("4 March 2025 12:00", NOON),
        ("4. März 2025 12:00", NOON),
        ("Tue Mar  4 13:00:00 CET 2025", NOON),
        ("25-03-04", None),  # which is the year?
        ("Di., 4. Mär. 2025 um 12:00", NOON),
        ("4 mars 2025", NOON - 43200),
        ("1er mars 2025", NOON - 43200 - 3 * 86400),
        ("4 de marzo de 2025, 12:00", NOON),
        ("4. března 2025", NOON - 43200),
        ("4 марта 2025 г.", NOON - 43200),
        ("4. 3. 2025 12:00", NOON),
        ("2025年3月4日 12:00", NOON),
        ("March 4th 2025", NOON - 43200),
        ("12 listopad 2025", None),  # November to a Pole, October to a Croat
        ("31/03/2025 12:00", NOON + 27 * 86400),
        ("3/31/2025 12:00 pm", NOON + 27 * 86400),
        ("20250304120000", NOON),
        ("2025030412", NOON),
        (2025030412, NOON),
        ("2025030424", None),
        ("2025130412", None),
        ("2099010112", None),
        ("2025-03-04 12:00 Uhr", NOON),
        ("04.03.2025, 12.00 Uhr", NOON),
        ("4. März 2025 um 12:00 Uhr", NOON),
        ("4 mars 2025 à 12h00", NOON),
        ("2025-03-04 12.30", NOON + 1800),  # ISO 8601 has parts of an hour behind a full stop
        ("31/03/2025 - 12:00", NOON + 27 * 86400),
        ("2025-03-04 kl. 12:00:00.25", NOON + 0.25),
        ("04-Mar-25 12.00.05.500000 PM", NOON + 5.5),
        ("04.03.2025 12:00:05,500", NOON + 5.5),
        ("2025-03-04 13:00:00 UTC+1", NOON),
        ("04.03.2025 13:30 +01:30", NOON),
        ("2025-3-4 12:00", NOON),
        ("/Date(1741089600000)/", NOON),
        ("Tue Mar 04 2025 13:00:00 GMT+0100 (Central European Standard Time)", NOON),
        ("Mar 4, 2025 2:00:00 PM +0200", NOON),
        ("Mar 4, 2025, 8:00:00 AM GMT-4", NOON),
        ("Mar 4, 2025 4:00:00 AM PST", NOON),
        ("04-Mar-2025 13:00:00 +01:00", NOON),
        ("04/Mar/2025:05:00:00 -0700", NOON),
        ("638766864000000000", NOON),  # ticks of .NET
        ("133855632000000000", NOON),  # FILETIME of Windows
        ("13385563200000000", NOON),  # WebKit's
        ("2025 03 04", NOON - 43200),
        ("2025 03 04 12:00", NOON),
        ("2025-063", NOON - 43200),
        ("2025-063T12:00:00Z", NOON),
        ("2025-366", None),
        ("2025-000", None),
        ("2025-03-03 24:00:00", NOON - 43200),
        ("03.03.2025 24:00", NOON - 43200),
        ("2025-03-04 11:59:60", NOON),
        ("2025-03-04 24:30:00", None),
        ("25/13/2025", None),
        ("4 Mar 2025 12:00:00 XYZT", None),
        ("46027.4", None),  # a day of a spreadsheet, among others
        ("0", None),
        ("1,7410896E+15", NOON),  # as a spreadsheet with a decimal comma leaves it
        ("2612-01-01", None),
        ("03/04/2025", None),  # March or April?
        ("yesterday", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_times(written: Any, meant: float | None) -> None:
    read = Clock.of([written, "04.03.2025", "2025-03-04"]).read(written)
    assert isinstance(read, str) if meant is None else read == pytest.approx(meant)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("03/04/2025", "either way round"),
        ("25/13/2025", "cannot be read"),  # no day, whichever comes first
        ("2025-366", "cannot be read"),
        ("12:00:00 04.03.2025 XYZT", "cannot be read"),
        ("Thu Jul 17 09:19:00 CST 2025", "several places"),
    ],
)
def test_why_a_time_cannot_be_read(written: str, reason: str) -> None:
    assert reason in str(Clock().read(written))


@pytest.mark.parametrize(
    ("column", "read"),
    [
        (["03/04/2025", "31/03/2025"], "2025-04-03"),
        (["03/04/2025", "3/31/2025"], "2025-03-04"),
        (["03/04/2025", "31/03/2025", "3/31/2025"], None),
        (["45720", "45721.5", 45700], "2025-03-04"),
    ],
)
def test_a_column_says_how_its_times_are_written(column: list[Any], read: str | None) -> None:
    found = Clock.of(column).read(column[0])
    assert isinstance(found, str) if read is None else str(datetime.fromtimestamp(float(found), UTC).date()) == read


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("ts (America/New_York)", "2025-03-04 07:00"),
        ("ts [UTC+2]", "2025-03-04 14:00"),
        ("ts,timezone", "2025-03-04 07:00,America/New_York"),
        ("ts,timezone", "2025-03-04T12:00:00Z,America/New_York"),
        ("date,time,tz", "2025-03-04,13:00,CET"),
        # As Windows, Rails and lists to choose from call them.
        ("ts,timezone", "2025-03-04 07:00,Eastern Time (US & Canada)"),
        ("ts,timezone", "2025-03-04 07:00,(GMT-05:00) Eastern Time (US & Canada)"),
        ("ts,timezone", "2025-03-04 07:00,Eastern Standard Time"),
        ("ts,timezone", "2025-03-04 04:00,pacific time"),
        ("ts,timezone", "2025-03-04 04:00,(UTC-08:00) Pacific Time (US and Canada)"),
        ("ts,timezone", "2025-03-04 08:00,Atlantic Time (Canada)"),
        ("ts,timezone", "2025-03-04 06:00,Central Standard Time (Mexico)"),
        ("ts,timezone", "2025-03-04 13:00,W. Europe Standard Time"),
        ("ts (Tokyo Standard Time)", "2025-03-04 21:00"),
        # Letters of several places are those of the place that is named.
        ("ts,timezone", "Tue Mar 04 20:00:00 CST 2025,Asia/Shanghai"),
        ("ts (America/Chicago)", "2025-03-04 06:00 CST"),
        ("ts (CST)", "2025-03-04T12:00:00Z"),
        ("ts (local)", "2025-03-04 12:00"),
    ],
)
def test_the_zone_of_a_column_of_times(catalogue: Store, tmp_path: Path, header: str, cells: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"user,item,{header}\n" + f"u,{item(1)},{cells}\n")
    names = read_names(catalogue)
    feed, mapping = by_values(feed := open_feed(path), guess_fields(feed.columns), names)
    import_events(catalogue, feed, mapping, rejected_dir=tmp_path)
    assert [at for _, at, _, _ in stored(catalogue)] == [NOON]


@pytest.mark.parametrize(
    "zone", ["Mars/Base", "Blorb Time", "(GMT+01:00) Here; there", "Eastern Time (Mars)", "Time", "Local time"]
)
def test_a_zone_that_nobody_knows_is_told(catalogue: Store, tmp_path: Path, zone: str) -> None:
    rows = f"user,item,ts,timezone\nu,{item(1)},2025-03-04 07:00,{zone}\nu,{item(1)},2025-03-04 07:00,CET\n"
    report = load(catalogue, tmp_path / "log.csv", rows)
    assert [line for line, _ in report.first_rejected] == [2]
    assert report.first_rejected[0][1].startswith(f"its time zone cannot be read: {zone} (a place says which: ")


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("ts (CST)", "2025-03-04 12:00"),
        ("ts,timezone", "2025-03-04 12:00,CST"),
        ("ts,timezone", "2025-07-17 12:00 CST,America/Chicago"),  # it is called CDT there then
    ],
)
def test_zones_of_several_places_are_told(catalogue: Store, tmp_path: Path, header: str, cells: str) -> None:
    rows = f"user,item,{header}\nu,{item(1)},{cells}\nu,{item(1)},{'2025-03-04T07:00:00Z,' + 'CET' * (',' in header)}\n"
    report = load(catalogue, tmp_path / "log.csv", rows.replace("Z,\n", "Z\n"))
    assert report.set_aside == 1
    assert "CST is that of several places" in report.first_rejected[0][1]


def test_what_came_back_is_no_purchase(catalogue: Store, tmp_path: Path) -> None:
    rows = "InvoiceNo,CustomerID,StockCode,Quantity,InvoiceDate\n"
    rows += f"1,17850.0,{item(1)},2,2025-03-04\nC2,17850.0,{item(1)},-2,2025-03-05\n3,17850.0,{item(2)},-1,2025-03-06\n"
    load(catalogue, tmp_path / "log.csv", rows)
    assert [(user, kind) for user, _, _, kind in stored(catalogue)] == [
        ("17850", "purchase"), ("17850", "return"), ("17850", "return")
    ]  # fmt: skip
    assert [one["kind"] for one in history(catalogue, "17850")] == ["purchase"]
    assert len(read_log(catalogue).log.events.items) == 1


def test_lost_zeros_are_told(store: Store, tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text("sku,title\n0815001,Clog\n")
    opened = open_feed(feed)
    import_feed(store, opened, guess_columns(opened.columns), rejected_dir=tmp_path)
    with pytest.raises(ReaseqError, match="0815001: were leading zeros lost"):
        load(store, tmp_path / "log.csv", "user,item,time\nu,815001,2025-03-04\n")


@pytest.mark.parametrize(
    ("columns", "mapping"),
    [
        (["user_id", "item_id", "timestamp"], {"user": "user_id", "item": "item_id", "time": "timestamp"}),
        (["visitorid", "event", "itemid", "timestamp"],
         {"user": "visitorid", "item": "itemid", "time": "timestamp", "kind": "event"}),
        (["customer_id", "article_id", "t_dat"], {"user": "customer_id", "item": "article_id", "time": "t_dat"}),
        (["reviewerID", "asin", "unixReviewTime"], {"user": "reviewerID", "item": "asin", "time": "unixReviewTime"}),
        (["user_id", "item_id", "domain", "position"], {"user": "user_id", "item": "item_id", "position": "position"}),
        (["Customer ID", "StockCode", "Date"], {"user": "Customer ID", "item": "StockCode", "time": "Date"}),
        (["userId", "productId"], {"user": "userId", "item": "productId"}),
        (["user", "item", "time", "label"], {"user": "user", "item": "item", "time": "time", "label": "label"}),
    ],
)  # fmt: skip
def test_columns(columns: list[str], mapping: dict[str, str]) -> None:
    assert guess_fields(columns) == mapping


def test_a_log_without_users_is_refused() -> None:
    with pytest.raises(ReaseqError, match="no column looks like the user") as error:
        guess_fields(["who", "item_id"])
    assert error.value.hint == 'reaseq import-events FILE --map user="COLUMN"'
    assert guess_fields(["who", "item_id"], {"user": "who"}) == {"user": "who", "item": "item_id"}


def test_bad_rows_are_set_aside_and_the_rest_goes_on(catalogue: Store, tmp_path: Path) -> None:
    rows = [
        {"user_id": "u1", "item_id": item(1), "timestamp": "2025-03-04T12:00:00Z", "event": "View"},
        {"user_id": "", "item_id": item(1), "timestamp": "2025-03-04T12:00:00Z", "event": "view"},
        {"user_id": "u1", "item_id": "", "timestamp": "2025-03-04T12:00:00Z", "event": "view"},
        {"user_id": "u1", "item_id": item(2), "timestamp": "soon", "event": "view"},
        {"user_id": "u1", "item_id": "=HYPERLINK(1)", "timestamp": "2025-03-04T12:00:00Z", "event": "view"},
        {"user_id": "u1", "item_id": item(2), "timestamp": "2025-03-04T12:05:00Z", "event": ""},
    ]
    report = load(catalogue, tmp_path / "log.csv", rows, kind="click")
    assert (report.rows, report.events, report.set_aside, report.unknown_items) == (6, 2, 4, 1)
    assert stored(catalogue) == [("u1", NOON, item(1), "view"), ("u1", NOON + 300, item(2), "click")]
    assert report.rejected_file is not None
    kept = list(csv.reader(report.rejected_file.open(encoding="utf-8")))[1:]
    assert [(row[0], row[1]) for row in kept] == [
        ("3", "has no user"),
        ("4", "has no item"),
        ("5", "its time cannot be read"),
        ("6", "the item is not in the catalogue: =HYPERLINK(1)"),
    ]


def test_a_log_imported_twice_counts_once(catalogue: Store, tmp_path: Path) -> None:
    rows = [{"user": f"u{n % 7}", "item": item(n % 5 + 1), "time": NOON + n} for n in range(50)]
    first = load(catalogue, tmp_path / "log.csv", [*rows, rows[0]])
    again = load(catalogue, tmp_path / "log.csv", [*rows, rows[0]])
    assert (first.events, first.repeated) == (50, 1)
    assert (again.events, again.repeated) == (0, 51)
    assert len(stored(catalogue)) == 50


def test_without_time_or_position_the_order_of_the_rows_counts(catalogue: Store, tmp_path: Path) -> None:
    load(catalogue, tmp_path / "log.csv", [{"user": "u", "item": item(n)} for n in (3, 1, 2)])
    assert [event["product_id"] for event in history(catalogue, "u")] == [item(3), item(1), item(2)]
    assert catalogue.clock() == "position"


def test_clocks_are_not_mixed(catalogue: Store, tmp_path: Path) -> None:
    load(catalogue, tmp_path / "a.csv", [{"user": "u", "item": item(1), "time": NOON}])
    with pytest.raises(ReaseqError, match="ordered by time, this file's by position"):
        load(catalogue, tmp_path / "b.csv", [{"user": "u", "item": item(1), "position": 3}])
    assert len(stored(catalogue)) == 1


def test_events_need_a_catalogue(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ReaseqError, match="catalogue is empty"):
        load(store, tmp_path / "log.csv", [{"user": "u", "item": "x", "time": NOON}])


@pytest.mark.parametrize(
    "shown",
    [f'["{item(1)}", "{item(2)}", "{item(3)}"]', f"{item(1)} {item(2)} {item(3)}", f"{item(1)}, {item(3)};{item(2)}"],
)
def test_impressions_beside_an_event(catalogue: Store, tmp_path: Path, shown: str) -> None:
    load(
        catalogue,
        tmp_path / "log.csv",
        [{"user": "u", "item": item(2), "time": NOON, "kind": "click", "impressions": shown}],
    )
    assert stored(catalogue) == [
        ("u", NOON, item(1), "impression"),
        ("u", NOON, item(2), "click"),
        ("u", NOON, item(3), "impression"),
    ]
    assert [event["product_id"] for event in history(catalogue, "u")] == [item(2)]


def test_labels(catalogue: Store, tmp_path: Path) -> None:
    rows = [
        {"user": "u", "item": item(1), "time": NOON, "label": 0},
        {"user": "u", "item": item(2), "time": NOON, "label": "1"},
        {"user": "u", "item": item(3), "time": NOON, "label": "maybe"},
    ]
    report = load(catalogue, tmp_path / "log.csv", rows)
    assert [(product, kind) for _, _, product, kind in stored(catalogue)] == [
        (item(1), "impression"),
        (item(2), "click"),
    ]
    assert report.set_aside == 1


def test_json_lines_with_lists_and_numbers(catalogue: Store, tmp_path: Path) -> None:
    lines = [{"user_id": 17.0, "item_id": item(1), "ts": NOON * 1000, "impressions": [item(4), None, 5]}]
    load(catalogue, tmp_path / "log.jsonl", "\n".join(map(json.dumps, lines)))
    assert stored(catalogue) == [("17", NOON, item(1), "purchase"), ("17", NOON, item(4), "impression")]


EVENT = st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.integers(0, 4), st.sampled_from(["view", "buy"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENT, min_size=1, max_size=30), st.randoms())
def test_the_order_of_the_rows_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, int, int, str]], random: Any
) -> None:
    found = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("log")
        rows = [{"user": u, "item": item(i), "time": NOON + t, "kind": k} for u, i, t, k in events]
        with Store.open(f"sqlite:///{folder / 'store.sqlite'}") as store:
            fill(store, 5)
            load(store, folder / "log.csv", rows)
            found.append(stored(store))
        random.shuffle(events)
    assert found[0] == found[1] == sorted(found[0])


def test_stats(catalogue: Store, tmp_path: Path) -> None:
    day = 86400.0
    rows = [("u1", 1, 0), ("u1", 1, 1), ("u1", 2, 1), ("u2", 1, 40)]
    load(catalogue, tmp_path / "a.csv", [{"user": u, "item": item(i), "time": NOON + t * day} for u, i, t in rows])
    found = event_stats(catalogue)
    assert (found["events"], found["users"], found["items"], found["items never seen"]) == (4, 2, 2, 3)
    assert found["items by events"] == {"0": 3, "1-5": 2, "6-20": 0, "more": 0}
    assert found["repeated"] == 0.25
    assert found["events a basket"] == pytest.approx(4 / 3)
    assert months(catalogue) == {"2025-03": 3, "2025-04": 1}


@pytest.mark.realdata
def test_a_real_log(store: Store, tmp_path: Path, realdata: Path) -> None:
    folder = realdata / "online_retail_ii"
    items = open_feed(folder / "items.parquet")
    import_feed(store, items, guess_columns(items.columns, {"id": "item_id"}), category="gifts", rejected_dir=tmp_path)
    import pyarrow.parquet as pq

    part = pq.read_table(folder / "interactions.parquet").slice(0, 20_000)
    pq.write_table(part, tmp_path / "part.parquet")
    feed = open_feed(tmp_path / "part.parquet")
    report = import_events(store, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert (report.rows, report.set_aside) == (20_000, 0)
    assert report.events + report.repeated == 20_000
    assert event_stats(store)["events a basket"] > 5


def test_the_item_is_the_column_whose_values_the_catalogue_knows(catalogue: Store, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"user,id,product_ref,time\nu,1,{item(1)},2025-03-04\nu,2,{item(2)},2025-03-04\n")
    feed = open_feed(path, is_header=names_a_user)
    fields = guess_fields(feed.columns)
    assert fields["item"] == "id"
    feed, fields = by_values(feed, fields, read_names(catalogue))
    assert fields["item"] == "product_ref"
    assert import_events(catalogue, feed, fields, rejected_dir=tmp_path).events == 2


def test_a_log_of_which_no_row_can_be_used_is_an_error(catalogue: Store, tmp_path: Path) -> None:
    with pytest.raises(ReaseqError, match=r"no row .* line 2: the item is not in the catalogue"):
        load(catalogue, tmp_path / "log.csv", "user,item,time\nu,x,2025-03-04\nu,y,2025-03-04\n")


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"status": "paid"}, "purchase"),
        ({"status": "Zurückgeschickt"}, "return"),
        ({"status": "Rücksendung erhalten"}, "return"),
        ({"status": "Widerrufen"}, "return"),
        ({"status": "Order Refunded"}, "return"),
        ({"status": "commande annulée"}, "return"),
        ({"status": "partially_refunded"}, "purchase"),  # which line, nobody says
        ({"status": "Teilretoure"}, "purchase"),
        ({"status": "Nicht storniert"}, "purchase"),
        ({"status": "paid", "cancelled_at": "2024-03-08 12:00:00 +0100"}, "return"),
        ({"status": "paid", "cancelled_at": ""}, "purchase"),
        ({"quantity": "2", "qty_refunded": "2"}, "return"),
        ({"quantity": "2", "qty_refunded": "1"}, "purchase"),
        ({"quantity": "2", "qty_refunded": "1", "qty_canceled": "1"}, "return"),
        ({"quantity": "2", "qty_refunded": "0.0000"}, "purchase"),
        ({"quantity": "2", "current_quantity": "0"}, "return"),
        ({"returned": "no"}, "purchase"),
        ({"returned": "true"}, "return"),
        ({"returned": "1"}, "return"),
        ({"item-status": "Cancelled", "status": "Complete"}, "return"),
    ],
)
def test_what_rows_say_of_returns(catalogue: Store, tmp_path: Path, row: dict[str, str], kind: str) -> None:
    full = {"user": "u", "item": item(1), "time": "2024-03-07", **row}
    report = load(catalogue, tmp_path / "log.csv", [full])
    assert [event[3] for event in stored(catalogue)] == [kind]
    assert sum(report.kinds.values()) == 1


def test_guests_go_by_their_address(catalogue: Store, tmp_path: Path) -> None:
    rows = [
        {"customer_id": user, "customer_email": address, "sku": item(1), "created_at": "2024-03-07"}
        for user, address in (("NULL", "a@x.example"), ("7", "b@x.example"))
    ]
    report = load(catalogue, tmp_path / "log.csv", rows)
    assert [event[0] for event in stored(catalogue)] == ["7", "a@x.example"]
    assert report.by_device == 1


_ORDER = {"Order ID": "1001", "Created at": "2025-03-04 12:00", "Email": "a@shop.example"}


def _lines(*said: tuple[int, str]) -> Rows:
    return [_ORDER | {"Lineitem sku": item(number), "Financial Status": status} for number, status in said]


@pytest.mark.parametrize(
    ("first", "second", "left", "corrected"),
    [
        ([(1, "paid"), (2, "paid")], [(1, "refunded"), (2, "paid")], {(1, "return"), (2, "purchase")}, 1),
        ([(1, "refunded")], [(1, "paid")], {(1, "purchase")}, 1),
        ([(1, "pending"), (2, "paid")], [(1, "failed"), (2, "paid")], {(2, "purchase")}, 1),
        # Two lines of one product, of which one came back: as the order stands.
        ([(1, "paid")], [(1, "paid"), (1, "refunded")], {(1, "purchase"), (1, "return")}, 0),
        ([(1, "paid"), (2, "paid")], [(2, "refunded")], {(1, "purchase"), (2, "return")}, 1),
    ],
)
def test_an_order_with_another_status_is_no_second_event(
    catalogue: Store, tmp_path: Path, first: Any, second: Any, left: set[Any], corrected: int
) -> None:
    load(catalogue, tmp_path / "march.csv", _lines(*first))
    report = load(catalogue, tmp_path / "april.csv", _lines(*second))
    assert {(int(product[-1]), kind) for _, _, product, kind in stored(catalogue)} == left
    assert report.corrected == corrected


def test_what_came_back_on_a_day_of_its_own_leaves_what_was_bought(catalogue: Store, tmp_path: Path) -> None:
    bought = [{"user": "a", "item": item(1), "date": "2025-03-04", "quantity": 2}]
    load(catalogue, tmp_path / "bought.csv", bought)
    load(catalogue, tmp_path / "back.csv", [bought[0] | {"quantity": -1}])
    assert [event[3] for event in stored(catalogue)] == ["purchase", "return"]


def test_a_log_of_a_store_that_lists_ids(catalogue: Store, tmp_path: Path) -> None:
    """Algolia's events name several objects at once."""
    lines = [
        {"eventType": "click", "userToken": "u1", "timestamp": 1741089600000, "objectIDs": [item(1), item(2)]},
        {"eventType": "view", "userToken": "u2", "timestamp": 1741089600000, "objectIDs": [item(3)]},
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    feed = by_lines(open_feed(path))
    import_events(catalogue, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert stored(catalogue) == [
        ("u1", NOON, item(1), "click"),
        ("u1", NOON, item(2), "click"),
        ("u2", NOON, item(3), "view"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("fulfillment_status", "returned", "return"),
        ("order_state", "cancelled", "return"),
        ("Lieferstatus", "storniert", "return"),
        ("Retourenstatus", "Retoure", "return"),
        ("return_date", "2025-03-09", "return"),
        ("Erstattet am", "09.03.2025", "return"),
        ("customer_status", "cancelled", "purchase"),
        ("Status", "Rücksendung abgelehnt", "purchase"),
        ("Status", "return rejected", "purchase"),
        ("Status", "rejected", "return"),
        ("event", "dislike", "return"),
        ("event", "thumbs_down", "return"),
        ("event", "remove_from_cart", "return"),
    ],
)
def test_what_columns_say_that_it_came_to(catalogue: Store, tmp_path: Path, column: str, value: str, kind: str) -> None:
    load(catalogue, tmp_path / "log.csv", [{"user": "a", "item": item(1), "order_date": "2025-03-04", column: value}])
    assert [event[3] for event in stored(catalogue)] == [kind]


@pytest.mark.parametrize(
    ("text", "users", "times"),
    [
        # Of two days the first in most rows is when it was ordered.
        ("SKU;Kunde;Versand;Kauf\nI;k1;06.03.2025;04.03.2025\nI;k2;16.03.2025;14.03.2025\n", ["k1", "k2"], [0, 10]),
        # A year of two digits is no time of day.
        ("Datum;Uhrzeit;Kunde;SKU\n04.03.25;12:00;k1;I\n14.03.25;12:00;k2;I\n", ["k1", "k2"], [0.5, 10.5]),
        (
            "Datum,Kundennummer,E-Mail (Rechnung),SKU\n2025-03-04,0,a@x.example,I\n2025-03-04,0,b@x.example,I\n",
            ["a@x.example", "b@x.example"],
            [0, 0],
        ),
        ("session_id;user_id;sku;date\n1;NA;I;2025-03-04\n2;17;I;2025-03-04\n", ["1", "17"], [0, 0]),
        ("Customer Card,sku,date\n17,I,2025-03-04\n", ["17"], [0]),
        ("session_id,user,sku,date\n1,-,I,2025-03-04\n2,17,I,2025-03-04\n", ["1", "17"], [0, 0]),
        # Of a day and a moment of it the moment; what was changed on other days is none of it.
        (
            "user,sku,event_date,event_ts,updated_at\na,I,2025-03-04,2025-03-04 06:00,2025-03-06 09:00\n"
            "b,I,2025-03-04,2025-03-04 12:00,2025-03-06 09:00\n",
            ["a", "b"],
            [0.25, 0.5],
        ),
        ("user,sku,event_date,ms\na,I,2025-03-04,1741089600000\nb,I,2025-03-14,1741910400000\n", ["a", "b"], [0.5, 10]),
        # Beside a day with a time of day, when it was changed is none either; nor is the time of another day.
        (
            "user;sku;Bestelldatum;Uhrzeit;Versanddatum;geändert\na;I;04.03.2025;12:00;05.03.2025;04.03.2025 18:00\n",
            ["a"],
            [0.5],
        ),
        ("user;sku;Bestelldatum;Versanddatum;Versandzeit\na;I;04.03.2025;05.03.2025;12:00\n", ["a"], [0]),
        # What things cost is no time of day, whatever it looks like; nor is what is called something else.
        *(
            (f"user,sku,Sale Date,{name}\na,I,03/04/25,10.00\nb,I,03/14/25,{second}\n", ["a", "b"], [0, 10])
            for name in (
                "Price",
                "Amount",
                "Preis",
                "Betrag",
                "Lifetime value",
                "Time price",
                "Rating",
                "Weight",
                "本体",
            )
            for second in ("12.50", "19.99")
        ),
        ("user,sku,Sale Date,Time spent\na,I,03/04/25,10.00\nb,I,03/14/25,19.99\n", ["a", "b"], [0, 10]),
        ("user,sku,Date,Duration\na,I,2025-03-04,00:35\nb,I,2025-03-14,00:12\n", ["a", "b"], [0, 10]),
        *(
            (f"user,sku,Date,{name}\na,I,2025-03-04,12.00\nb,I,2025-03-14,6.00\n", ["a", "b"], [0.5, 10.25])
            for name in (
                "Time",
                "Time of day",
                "Uhrzeit",
                "Heure",
                "Godzina",
                "Čas",
                "Ora",
                "Saat",
                "Время",
                "Kellonaika",
            )
        ),
        # What cannot be read leaves the others as they are.
        ("user,sku,Date,Time\na,I,03/04/25,12.00\nb,I,03/14/25,06.00\n", ["a", "b"], [0.5, 10.25]),
        ("user,sku,ts\na,I,03/04/25 12.00\nb,I,03/14/25 06.00\n", ["a", "b"], [0.5, 10.25]),
        # A line of totals makes no day of less than a day, and an empty time is none.
        ("Datum;Uhrzeit;Kunde;SKU\n04.03.2025;12:00;a;I\n14.03.2025;;b;I\nSumme;;;\n", ["a", "b"], [0.5, 10]),
    ],
)
def test_logs_of_other_columns(
    catalogue: Store, tmp_path: Path, text: str, users: list[str], times: list[float]
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(re.sub(r"\bI\b", item(1), text))
    feed = open_feed(path, is_header=names_a_user)
    feed, mapping = by_values(feed, guess_fields(feed.columns), read_names(catalogue))
    import_events(catalogue, feed, mapping, rejected_dir=tmp_path)
    day = datetime(2025, 3, 4, tzinfo=UTC).timestamp()
    assert [(user, (at - day) / 86_400) for user, at, _, _ in stored(catalogue)] == list(zip(users, times, strict=True))


def test_orders_that_name_a_parent_are_orders(catalogue: Store, tmp_path: Path) -> None:
    orders = [
        {
            "id": n,
            "parent_id": 0,
            "date_created": "2025-03-04T12:00:00",
            "customer_id": n,
            "line_items": [{"id": 9, "sku": item(1)}],
        }
        for n in (1, 2)
    ]
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(orders))
    feed = by_lines(open_feed(path))
    import_events(catalogue, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert [event[0] for event in stored(catalogue)] == ["1", "2"]


def test_a_log_without_a_header(catalogue: Store, tmp_path: Path) -> None:
    path = tmp_path / "u.data"
    path.write_text(f"196\t{item(1)}\t3\t881250949\n186\t{item(2)}\t3\t891717742\n")
    feed = open_feed(path, is_header=names_a_user)
    with pytest.raises(ReaseqError, match="no header but data") as told:
        guess_fields(feed.columns)
    assert "--header-row 0" in (told.value.hint or "")
    feed = open_feed(path, Reading(header_row=0), names_a_user)
    mapping = {"user": "column 1", "item": "column 2", "time": "column 4"}
    import_events(catalogue, feed, mapping, rejected_dir=tmp_path)
    assert len(stored(catalogue)) == 2


@pytest.mark.parametrize(("dates", "month"), [("day", 2), ("month", 1)])
def test_which_of_day_and_month_comes_first_can_be_said(
    catalogue: Store, tmp_path: Path, dates: Any, month: int
) -> None:
    load(catalogue, tmp_path / "log.csv", [{"user": "a", "item": item(1), "date": "01/02/2025"}], dates=dates)
    assert [datetime.fromtimestamp(event[1], UTC).month for event in stored(catalogue)] == [month]


def _states(*said: tuple[str, str, str]) -> Rows:
    own = {"order_id": "1", "customer_id": "c1", "sku": item(1)}
    return [own | {"status": status, "created_at": at, "updated_at": changed} for status, at, changed in said]


_DAY = "2026-01-05 10:00"


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (_states(("pending", _DAY, _DAY), ("completed", _DAY, "2026-01-05 12:00")), ["purchase"]),
        (_states(("completed", _DAY, _DAY), ("refunded", _DAY, "2026-01-09 12:00")), ["return"]),
        (_states(("refunded", _DAY, "2026-01-09 12:00"), ("completed", _DAY, _DAY)), ["return"]),
        (_states(("paid", _DAY, ""), ("shipped", "2026-01-06", ""), ("delivered", "2026-01-07", "")), ["purchase"]),
        (_states(("paid", _DAY, ""), ("refunded", "2026-01-09", "")), ["purchase", "return"]),
        # Two lines of one product, of which one came back.
        (_states(("paid", _DAY, _DAY), ("refunded", _DAY, _DAY)), ["purchase", "return"]),
    ],
)
def test_an_order_is_bought_once(catalogue: Store, tmp_path: Path, rows: Rows, kinds: list[str]) -> None:
    load(catalogue, tmp_path / "log.csv", rows)
    assert [event[3] for event in stored(catalogue)] == kinds


@pytest.mark.parametrize(
    ("status", "set_aside"),
    [
        ("Payment error", 1),
        ("Fehler bei der Bezahlung", 1),
        ("Erreur de paiement", 1),
        ("Paiement refusé", 1),
        ("Expirée", 1),
        ("paid", 0),
    ],
)
def test_payments_that_failed(catalogue: Store, tmp_path: Path, status: str, set_aside: int) -> None:
    rows = [{"user": "a", "item": item(n), "date": "2025-03-04", "status": one} for n, one in ((1, status), (2, "ok"))]
    assert load(catalogue, tmp_path / "log.csv", rows).set_aside == set_aside


def test_times_of_the_world_come_before_those_of_a_place(catalogue: Store, tmp_path: Path) -> None:
    row = {
        "user": "a",
        "item": item(1),
        "date_created": "2025-03-04T14:00:00",
        "date_created_gmt": "2025-03-04T12:00:00",
    }
    load(catalogue, tmp_path / "log.csv", [row])
    assert [event[1] for event in stored(catalogue)] == [NOON]


@pytest.mark.parametrize(
    ("user", "address"),
    [
        ("会員ID", "購入者メールアドレス"),
        ("Kundnummer", "Kundens e-post"),
        ("ID client", "Adresse de courriel"),
        ("رقم العميل", "البريد الإلكتروني"),
        ("Código de cliente", "Correo electrónico del cliente"),
    ],
)
def test_who_has_no_account_goes_by_an_address_in_any_language(
    catalogue: Store, tmp_path: Path, user: str, address: str
) -> None:
    log = f"{address},{user},sku,date\nA@x.example,,I1,2025-03-04\nb@x.example,7,I2,2025-03-05\n"
    report, mapping, _ = read(catalogue, tmp_path / "log.csv", log)
    assert (mapping["user"], report.by_device) == (user, 1)
    assert kinds(catalogue) == "a@x.example I1 purchase; 7 I2 purchase"


def test_orders_in_arabic(catalogue: Store, tmp_path: Path) -> None:
    log = "رقم الطلب,تاريخ الطلب,حالة الطلب,البريد الإلكتروني,رمز المنتج SKU,الكمية\n"
    log += "١٠٠١,٠٣/١١/٢٠٢٥ ٢٢:٣٠,تم التوصيل,a@x.example,I1,١\n"
    log += "١٠٠٢,١٤/١١/٢٠٢٥ ٠٨:٣٠,ملغي,b@x.example,I2,٢\n١٠٠٣,١٥/١١/٢٠٢٥ ٠٨:٣٠,مسترجع,c@x.example,I3,١\n"
    log += "١٠٠٤,١٦/١١/٢٠٢٥ ٠٨:٣٠,فشل الدفع,d@x.example,I4,١\n"
    report, _, _ = read(catalogue, tmp_path / "log.csv", log)
    assert kinds(catalogue) == "a@x.example I1 purchase; b@x.example I2 return; c@x.example I3 return"
    assert (report.set_aside, dict(report.unknown_states)) == (1, {})
    assert datetime.fromtimestamp(stored(catalogue)[0][1], UTC) == datetime(2025, 11, 3, 22, 30, tzinfo=UTC)


def test_addresses_in_other_letters_are_one_user(catalogue: Store, tmp_path: Path) -> None:
    rows = [
        {"email": one, "item": item(n), "date": "2025-03-04"} for n, one in ((1, "a@x.example"), (2, "A@X.example"))
    ]
    load(catalogue, tmp_path / "log.csv", rows)
    assert {event[0] for event in stored(catalogue)} == {"a@x.example"}


def test_what_a_line_is_called_is_no_label(catalogue: Store, tmp_path: Path) -> None:
    """As Shopware's interface has orders."""
    orders = [
        {
            "orderDateTime": "2026-03-05T10:00:00",
            "orderCustomer": {"customerNumber": customer},
            "stateMachineState": {"technicalName": state},
            "lineItems": [
                {"label": "Trail", "type": "product", "productId": "p1", "payload": {"productNumber": item(1)}}
            ],
        }
        for customer, state in (("C1", "completed"), ("C2", "cancelled"))
    ]
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({"data": orders}))
    feed = by_lines(open_feed(path, is_header=names_a_user))
    feed, mapping = by_values(feed, guess_fields(feed.columns, by_name=False), read_names(catalogue))
    import_events(catalogue, feed, mapping, rejected_dir=tmp_path)
    assert [(event[0], event[3]) for event in stored(catalogue)] == [("C1", "purchase"), ("C2", "return")]


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("session_id,visitor_id,customer_id,sku,date\ns1,v1,,I,2025-03-04\ns2,v1,,I,2025-03-05\n", ["v1", "v1"]),
        ("Datum;Kunde;KdNr;SKU\n04.03.2025;Meier;1;I\n04.03.2025;Meier;2;I\n", ["1", "2"]),
    ],
)
def test_the_least_that_stands_for_a_user_comes_last(
    catalogue: Store, tmp_path: Path, text: str, users: list[str]
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(re.sub(r"\bI\b", item(1), text))
    feed = open_feed(path, is_header=names_a_user)
    import_events(catalogue, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert [event[0] for event in stored(catalogue)] == users


@pytest.mark.parametrize(
    ("first", "kind"), [("expired", None), ("failed", None), ("voided", "return"), ("paid", "purchase")]
)
def test_each_of_two_states_counts(catalogue: Store, tmp_path: Path, first: str, kind: str | None) -> None:
    row = {"user": "a", "item": item(1), "date": "2025-03-04", "Financial Status": first}
    rows = [row | {"Fulfillment Status": "unfulfilled"}, row | {"item": item(2), "Financial Status": "paid"}]
    load(catalogue, tmp_path / "log.csv", rows)
    assert [event[3] for event in stored(catalogue) if event[2] == item(1)] == ([kind] if kind else [])


def test_states_of_an_order_far_apart(catalogue: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the row that says the last one is in a later batch; and none is uncounted."""
    monkeypatch.setattr("reaseq.knowledge_store.events._BATCH", 1)
    rows = _states(
        ("completed", _DAY, _DAY), ("refunded", _DAY, "2026-01-09 12:00"), ("paid", _DAY, "2026-01-04 12:00")
    )
    report = load(catalogue, tmp_path / "log.csv", rows)
    assert [event[3] for event in stored(catalogue)] == ["return"]
    assert (report.rows, report.events, report.repeated) == (3, 1, 2)


def test_an_order_that_was_broken_off_came_back(catalogue: Store, tmp_path: Path) -> None:
    load(
        catalogue, tmp_path / "log.csv", [{"user": "a", "item": item(1), "date": "2025-03-04", "status": "abgebrochen"}]
    )
    assert [event[3] for event in stored(catalogue)] == ["return"]


def read(store: Store, path: Path, text: str) -> tuple[EventReport, dict[str, str], Sequence[str]]:
    """A log with the items I1 to I5 read as the command does; its fields, and what is doubted."""
    path.write_text(re.sub(r"\bI(\d)\b", lambda found: item(int(found[1])), text), encoding="utf-8")
    names = read_names(store)
    feed, mapping = understand(open_feed(path, is_header=names_a_user), {}, names)
    return import_events(store, feed, mapping, names=names, rejected_dir=path.parent), mapping, feed.doubts


def kinds(store: Store) -> str:
    """What there is, as `u I1 purchase; ...`."""
    events = sorted((at, user, int(product[-1]), kind) for user, at, product, kind in stored(store))
    return "; ".join(f"{user} I{number} {kind}" for _, user, number, kind in events)


@pytest.mark.parametrize(
    "status",
    [
        *("cancelled by customer", "returned by customer"),
        *("Cancelled - customer request", "charged back", "Chargeback"),
        *("undelivered", "lost in transit", "return to sender"),
        *("exchanged", "キャンセル", "注文キャンセル", "キャンセル済"),
        *("取消", "返品済み", "返金済み", "makulerad"),
        *("avbeställd", "Krediterad", "krediteret", "kansellert", "avbestilt"),
        *("zrušeno", "Vráceno", "geretourneerd", "geannuleerd door klant", "peruttu", "palautettu", "iptal edildi"),
        *("iade edildi", "已取消", "已退款", "已退货", "annulé par le client", "vom Kunden storniert", "anulowane"),
        *("취소됨", "отменён покупателем", "nicht zugestellt", "törölve", "comandă anulată"),
        *("ملغي", "مسترجع", "ملغى", "تم الإلغاء", "تم إلغاء الطلب", "مرتجع", "مسترد"),
        *("تم استرداد المبلغ", "لم يتم التسليم"),
        *("تم رفض الطلب", "طلب إرجاع"),
        # As tills say it.
        *("Rücknahme", "Sofortstorno", "Warenrücknahme", "Postenstorno", "Zeilenstorno", "Bonstorno", "Abono"),
        *("Nota di credito", "Credit memo", "Kreditnota", "Korekta", "Korekta faktury", "linevoid", "Nota de crédito"),
        *("Warenrückgabe", "Kundenretoure", "Artikelgutschrift", "Povrat robe", "Sztornó bizonylat", "Varuretur"),
        *("Creditfactuur", "asiakaspalautus", "Grąžinimas", "Tagastus", "Vračilo", "Retur", "salesreturn"),
        *("Rückvergütung", "Gutschriftbeleg", "Opravný doklad", "Sale reversal", "Kassenretoure"),
    ],
)  # fmt: skip
def test_states_in_which_things_came_back(status: str) -> None:
    assert (came_back(status.casefold()), is_a_state(status.casefold())) == (True, True)


@pytest.mark.parametrize(
    "status",
    [
        *("paid", "partially_refunded", "return rejected"),
        *("تم التوصيل", "قيد التنفيذ", "بانتظار الدفع", "مكتمل", "مسترد جزئيا"),
        *("تم رفض الإرجاع", "جاري الشحن", "غير مسترجع"),
        *("return_policy_view", "returning_customer", "キャンセル不可"),
        *("未返金", "一部返金", "待退款", "Teilretoure"),
        *("refund not possible", "発送済み", "zrealizowane", "levererad"),
    ],
)  # fmt: skip
def test_states_in_which_orders_stand(status: str) -> None:
    said = status.casefold()
    assert (came_back(said), never_came_about(said), is_a_state(said)) == (False, False, True)


def test_states_that_nobody_understands_are_told(catalogue: Store, tmp_path: Path) -> None:
    log = (
        "user,item,date,status,stock status\nu,I1,2025-03-04,blorb,x\nu,I2,2025-03-05,Blorb,y\nu,I3,2025-03-06,paid,z\n"
    )
    report, _, _ = read(catalogue, tmp_path / "log.csv", log)
    assert dict(report.unknown_states) == {("status", "blorb"): 2}


def test_kinds_that_nobody_understands_are_told(catalogue: Store, tmp_path: Path) -> None:
    log = "user,item,date,Vorgang\nu,I1,2025-03-04,Verkauf\nu,I2,2025-03-05,Blorb\nu,I3,2025-03-06,Rücknahme\n"
    report, _, _ = read(catalogue, tmp_path / "log.csv", log)
    assert report.unknown_kinds == {"blorb": 1}
    report, _, _ = read(catalogue, tmp_path / "other.csv", "user,item,date,event\nv,I1,2025-03-04,blorb\n")
    assert report.unknown_kinds == {}  # a log of words of its own


@pytest.mark.parametrize(
    "column",
    [
        *("Menge retourniert", "Menge storniert", "Stornierte Menge", "Quantité remboursée", "Qté annulée"),
        *("Cantidad devuelta", "Quantità restituita", "Quantidade devolvida", "Aantal geretourneerd"),
        *("Returnerat antal",),
        *("Antal returneret", "Antall returnert", "Palautettu määrä", "Ilość zwrócona", "Vrácené množství"),
        *("Vrátené množstvo", "Visszaküldött mennyiség", "Cantitate returnată", "İade miktarı", "İade adedi"),
        *("Количество возвратов", "Кол-во возврата", "返品数", "返品数量", "退货数量", "반품수량", "Retourenanzahl"),
        *("davon retourniert", "davon Retoure", "davon storniert", "Davon Retouren"),
        *("dont retournés", "waarvan retour"),
        *("of which returned", "di cui resi", "w tym zwroty", "varav returer", "z toho vráceno", "из них возвраты"),
        *("うち返品", "其中退货"),
        *("Units returned", "Number of returns", "Anzahl Retouren", "Nombre de retours", "Ποσότητα επιστροφής"),
    ],
)  # fmt: skip
def test_counts_of_what_came_back_in_any_language(catalogue: Store, tmp_path: Path, column: str) -> None:
    log = f"user,item,date,qty,{column}\nu,I1,2025-03-04,2,0\nu,I2,2025-03-05,2,2\nu,I3,2025-03-06,2,1\n"
    _, mapping, _ = read(catalogue, tmp_path / "log.csv", log)
    assert column in (mapping.get("returned"), mapping.get("cancelled"))
    assert kinds(catalogue) == "u I1 purchase; u I2 return; u I3 purchase"


@pytest.mark.parametrize("ordered", ["bestellt", "Menge", "ordered"])
def test_a_part_that_came_back_is_no_return(catalogue: Store, tmp_path: Path, ordered: str) -> None:
    log = f"user,item,date,{ordered},davon retourniert,davon storniert\n"
    log += "u,I1,2025-03-04,3,1,0\nu,I2,2025-03-05,3,1,2\nu,I3,2025-03-06,3,0,3\nu,I4,2025-03-07,3,,\n"
    read(catalogue, tmp_path / "log.csv", log)
    assert kinds(catalogue) == "u I1 purchase; u I2 return; u I3 return; u I4 purchase"


@pytest.mark.parametrize(
    ("column", "yes"),
    [("Refund", "Y"), ("Storno", "ja"), ("Is return", "true"), ("Retoure?", "x"), ("Zwrot", "tak"), ("返品", "1")],
)
def test_flags_of_what_came_back(catalogue: Store, tmp_path: Path, column: str, yes: str) -> None:
    read(catalogue, tmp_path / "log.csv", f"user,item,date,{column}\nu,I1,2025-03-04,\nu,I2,2025-03-05,{yes}\n")
    assert kinds(catalogue) == "u I1 purchase; u I2 return"


@pytest.mark.parametrize(
    ("column", "second", "is_told"),
    [
        ("amount", "-20.00", True),
        ("Betrag", "-19,99", True),
        ("Line Total", "($20.00)", True),
        ("montant", "-1.020,50 €", True),
        ("Kwota", "−20", True),
        ("Discount amount", "-2.00", False),
        ("amount", "20.00", False),
    ],
)
def test_sums_below_zero_are_told(catalogue: Store, tmp_path: Path, column: str, second: str, is_told: bool) -> None:
    log = f'date,customer,sku,qty,{column}\n2025-03-04,u,I1,1,"10.00"\n2025-03-05,u,I2,1,"{second}"\n'
    _, _, doubts = read(catalogue, tmp_path / "log.csv", log)
    assert [f'--map quantity="{column}"' in told for told in doubts] == [True] * is_told


def test_a_sum_below_zero_of_what_says_that_it_came_back_is_not_told(catalogue: Store, tmp_path: Path) -> None:
    log = "date,customer,sku,qty,amount\n2025-03-04,u,I1,-1,-10.00\n"
    assert read(catalogue, tmp_path / "log.csv", log)[2] == ()


@pytest.mark.parametrize(
    "column",
    [
        *("Qté", "antal", "ilość", "quantidade", "数量", "количество"),
        *("määrä", "Stück", "pcs", "ks", "množství", "adet"),
        *("الكمية", "aantal", "szt.", "cantidad", "個数", "수량", "Kpl"),
    ],
)  # fmt: skip
def test_quantities_in_any_language(catalogue: Store, tmp_path: Path, column: str) -> None:
    _, mapping, doubts = read(catalogue, tmp_path / "log.csv", f"user,item,date,{column}\nu,I1,2025-03-04,-1\n")
    assert (mapping["quantity"], doubts, kinds(catalogue)) == (column, (), "u I1 return")


@pytest.mark.parametrize(
    ("column", "status"),
    [
        *(("حالة الطلب", "ملغي"), ("الحالة", "مسترجع"), ("blorb", "تم الاسترجاع")),
        *(("état", "annulée"), ("état de la commande", "remboursée"), ("Zustand", "storniert"), ("stan", "zwrócone")),
        *(("stav", "zrušeno"), ("situação", "cancelado")),
        *(("статус", "отменен"), ("ステータス", "返品"), ("状態", "取消")),
        *(("订单状态", "已退款"), ("durum", "iptal"), ("tila", "peruttu"), ("Bestelstatus", "geannuleerd")),
        *(("blorb", "refunded"), ("x1", "已取消")),
    ],
)  # fmt: skip
def test_statuses_by_name_and_by_value(catalogue: Store, tmp_path: Path, column: str, status: str) -> None:
    _, mapping, _ = read(catalogue, tmp_path / "log.csv", f"user,item,date,{column}\nu,I1,2025-03-04,{status}\n")
    assert (mapping["status"], kinds(catalogue)) == (column, "u I1 return")


def test_numbers_below_zero_are_told(catalogue: Store, tmp_path: Path) -> None:
    log = "user,item,date,blorb,balance\nu,I1,2025-03-04,1,-1.25\nu,I2,2025-03-05,-1,20.10\n"
    _, mapping, doubts = read(catalogue, tmp_path / "log.csv", log)
    assert "quantity" not in mapping
    assert [told.partition(" ")[0] for told in doubts] == ["blorb"]
    assert '--map quantity="blorb"' in doubts[0]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("user,time,item,purchased\nu,D,I1,0\nu,D,I2,1\n", "u I1 impression; u I2 purchase"),
        ("user,time,item,purchased\nu,D,I1,no\nu,D,I2,yes\nv,D,I3,no\n",
         "u I1 impression; u I2 purchase; v I3 impression"),
        ("user,item,purchased,n\nu,I1,no,1\nu,I2,no,2\nu,I3,yes,3\n",
         "u I1 impression; u I2 impression; u I3 purchase"),
        ("user,item,purchased\nu,I1,D\nu,I2,D\n", "u I1 purchase; u I2 purchase"),
        ("user,time,item,clicked\nu,D,I1,false\nu,D,I2,true\n", "u I1 impression; u I2 click"),
        ("user,time,item,clicked\nu,D,I1,0\nu,D,I2,yes\nu,D,I3,nein\n", "u I1 impression; u I2 click; u I3 impression"),
        (
            "user,time,item,is_click,is_cart,is_purchase\nu,D,I1,1,0,0\nu,D,I2,1,1,1\nu,D,I3,0,0,0\nu,D,I4,1,1,0\n",
            "u I1 click; u I2 purchase; u I3 impression; u I4 cart",
        ),
        ("user,time,item,event,purchased\nu,D,I1,view,0\nu,D,I2,view,1\n", "u I1 view; u I2 purchase"),
        ('{"user":"u","time":"D","item":"I1","clicked":false}\n{"user":"u","time":"D","item":"I2","clicked":true}\n',
         "u I1 impression; u I2 click"),
        # Of a list that was shown, what was clicked, or nothing.
        ('user,time,shown,clicked\nu,D,"I1,I2",I2\nv,D,"I3,I4",\n',
         "u I1 impression; u I2 click; v I3 impression; v I4 impression"),
    ],
)  # fmt: skip
def test_flags(catalogue: Store, tmp_path: Path, log: str, expected: str) -> None:
    report, _, _ = read(catalogue, tmp_path / "log", log.replace("D", "2025-03-04 12:00"))
    assert (kinds(catalogue), report.set_aside) == (expected, 0)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (("event", "event_name", "unstruct", "add_to_cart", "page_view", "page_view"), "add_to_cart page_view"),
        (("event_name", "event", "custom", "purchase", "custom", "view"), "purchase view"),
        (("event", "type", "purchase", "desktop", "view", "mobile"), "purchase view"),
        (("event", "action", "struct", "foo", "struct", "bar"), "foo bar"),
    ],
)
def test_the_kind_is_what_tells_most(catalogue: Store, tmp_path: Path, said: Sequence[str], meant: str) -> None:
    one, other, *cells = said
    log = f"user,item,date,{one},{other}\n" + "".join(
        f"u,I{at},2025-03-0{at},{','.join(cells[2 * at - 2 : 2 * at])}\n" for at in (1, 2)
    )
    read(catalogue, tmp_path / "log.csv", log)
    assert " ".join(event[3] for event in sorted(stored(catalogue), key=lambda event: event[1])) == meant


_ACTION = "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1"
_DEEP = '{"schema": "x", "data": {"schema": "y", "data": {"type": "TYPE"}}}'


@pytest.mark.parametrize("cell", ['{"type":"TYPE"}', '{"currency":"EUR","type":"TYPE"}', _DEEP])
@pytest.mark.parametrize("as_json", [False, True])
def test_the_kind_is_told_by_an_object(catalogue: Store, tmp_path: Path, cell: str, as_json: bool) -> None:
    kinds_of = ["product_view", "transaction", "remove_from_cart", ""]
    made = []
    for at, kind in enumerate(kinds_of, 1):
        product, action = f'[{{"id":"I{at}"}}]', cell.replace("TYPE", kind) if kind else ""
        name = "snowplow_ecommerce_action" if kind else "page_view"
        if as_json:
            row = {"domain_userid": "u", "collector_tstamp": f"2025-03-0{at} 12:00", "event_name": name}
            held: dict[str, Any] = {_ACTION: json.loads(action)} if action else {}
            made.append(json.dumps(row | {"contexts_product_1": json.loads(product)} | held))
        else:
            made.append("\t".join(("u", f"2025-03-0{at} 12:00", name, product, action)))
    header = "\t".join(("domain_userid", "collector_tstamp", "event_name", "contexts_product_1", _ACTION))
    path = tmp_path / ("log.jsonl" if as_json else "log.tsv")
    read(catalogue, path, "\n".join(made if as_json else [header, *made]) + "\n")
    assert kinds(catalogue) == "u I1 product_view; u I2 transaction; u I3 return; u I4 page_view"


@pytest.mark.parametrize("before", ["", "post_"])
def test_hits_of_adobe(catalogue: Store, tmp_path: Path, before: str) -> None:
    columns = ("hit_time_gmt", f"{before}visid_high", f"{before}visid_low", f"{before}product_list", "event")
    hits = [
        (1741089600, 17, 4, "Shoes;I1;;;;", "view"),
        (1741089601, 17, 5, ";I2;2;20.00,Shoes;I3;1;9.99;event1=2|event2", "purchase"),
        (1741089602, 17, 4, "", "view"),
        (1741089603, 0, 0, ";I4", "view"),
    ]
    log = "".join("\t".join(map(str, cells)) + "\n" for cells in (columns, *hits))
    report, mapping, _ = read(catalogue, tmp_path / "log.tsv", log)
    assert (mapping["user"], mapping["item"]) == ("visid", "product")
    assert kinds(catalogue) == "17-4 I1 view; 17-5 I2 purchase; 17-5 I3 purchase"
    assert [reason for _, reason in report.first_rejected] == ["has no item", "has no user"]


@pytest.mark.parametrize(
    ("column", "done", "expected"),
    [
        *((column, "2", "product view") for column in ("event_list", "post_event_list", "Event List")),
        ("post_event_list", "1", "purchase"),
        ("post_event_list", "2,1,200,20143=0.50", "purchase"),
        ("post_event_list", "1:serial,100", "purchase"),
        ("event_list", "10,12", "cart add"),
        ("event_list", "14", "cart view"),
        ("event_list", "11,2", "checkout"),
        ("event_list", "13", "return"),
        # What was on the page, and nothing more is said of it.
        *(("event_list", done, "impression") for done in ("", "200,201", "100=3")),
        ("events", "prodView,event5", "product view"),
        ("events", "scOpen,scAdd", "cart add"),
        ("events", "scRemove", "return"),
        ("events", "event1=2,purchase", "purchase"),
        ("events", "blorb", "purchase"),  # of somebody else
    ],
)
def test_events_of_adobe(catalogue: Store, tmp_path: Path, column: str, done: str, expected: str) -> None:
    log = f"user\tdate_time\tproduct_list\t{column}\nu\t2025-03-04 12:00:00\tShoes;I1,;I2;2;20.00\t{done}\n"
    read(catalogue, tmp_path / "log.tsv", log)
    assert kinds(catalogue) == f"u I1 {expected}; u I2 {expected}"


def test_hits_that_count_for_nothing(catalogue: Store, tmp_path: Path) -> None:
    log = "user\tdate_time\tproduct_list\tevent_list\texclude_hit\tduplicate_purchase\n"
    for number, (excluded, again) in enumerate(((0, 0), (1, 0), (4, 0), (0, 1), ("", "")), 1):
        log += f"u\t2025-03-04 12:0{number}:00\t;I{number},;I1\t1\t{excluded}\t{again}\n"
    report, _, _ = read(catalogue, tmp_path / "log.tsv", log)
    assert kinds(catalogue) == "u I1 purchase; u I1 purchase; u I5 purchase"
    assert report.first_rejected == [
        (3, "is excluded from reports: exclude_hit is 1"),
        (4, "is excluded from reports: exclude_hit is 4"),
        (5, "reports a purchase once more: duplicate_purchase is 1"),
    ]


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("date_time,hit_time_gmt", ["2025-03-04 13:00:00,1741089600"], "hit_time_gmt"),
        (
            "date,blorb",
            ["2025-03-04 07:00:00,2025-03-04T12:00:00Z", "2025-07-04 08:00:00,2025-07-04T12:00:00Z"],
            "blorb",
        ),
        ("created_at,x", ["2025-03-04 17:30:01,2025-03-04T13:00:01+01:00"], "x"),
        ("time,ms", ["2025-03-04 13:00:05,1741089605000"], "ms"),
        ("date,time,ts", ["2025-03-04,13:00:05,1741089605"], "ts"),
        # A time in whole minutes is that of any second of them.
        (
            "date,logged",
            [f"2025-03-0{day} 13:00,2025-03-0{day}T12:00:{second}Z" for day, second in ((4, 59), (5, "07"), (6, 31))],
            "logged",
        ),
        # Of another moment, of another day, of a device, or no clearer than the first.
        ("order_date,shipped", ["2025-03-04 12:00:00,2025-03-04T15:17:31Z"], "order_date"),
        ("order_date,shipped", ["2025-03-04 12:00:00,2025-03-06T12:00:00Z"], "order_date"),
        ("date_time,client_timestamp", ["2025-03-04 13:00:00,1741089600"], "date_time"),
        ("date_time,local", ["2025-03-04 13:00:00,2025-03-04 12:00:00"], "date_time"),
        ("ts (Europe/Berlin),unix", ["2025-03-04 13:00:00,1741089600"], "ts (Europe/Berlin)"),
        ("created_at,unix", ["2025-03-04T13:00:00+01:00,1741089600"], "created_at"),
        ("date_time,unix,timezone", ["2025-03-04 13:00:00,1741089600,Europe/Berlin"], "date_time"),
        ("date_time,unix", ["2025-03-04 13:00:00,"], "date_time"),
    ],
)  # fmt: skip
def test_a_clock_that_leaves_no_doubt_comes_first(
    catalogue: Store, tmp_path: Path, columns: str, cells: list[str], expected: str
) -> None:
    log = f"user,sku,{columns}\n" + "".join(f"u,I{at},{one}\n" for at, one in enumerate(cells, 1))
    _, mapping, _ = read(catalogue, tmp_path / "log.csv", log)
    assert mapping["time"] == expected


def test_a_clock_that_somebody_names_is_that(catalogue: Store, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"user,sku,date_time,unix\nu,{item(1)},2025-03-04 13:00:00,1741089600\n")
    assert understand(open_feed(path), {"time": "date_time"}, read_names(catalogue))[1]["time"] == "date_time"


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("Date hour", ""),
        ("dateHour", ""),
        ("Date + hour (YYYYMMDDHH)", ""),
        ("Hour of Day", ""),
        ("Date hour", ",Date"),
    ],
)
@pytest.mark.parametrize("above", ["", "# ----\n# Free form 1\n# Shop\n# 20250301-20250331\n# ----\n\n"])
def test_days_with_an_hour(catalogue: Store, tmp_path: Path, column: str, other: str, above: str) -> None:
    """As Google Analytics has them."""
    day = ",20250304" if other else ""
    log = f"{above}{column}{other},Event name,Item ID,Effective user ID,Event count\n"
    log += f"{',' * len(day[:1])},,,Grand total,3\n"
    log += f"2025030412{day},view_item,I1,u,2\n2025030413{day},purchase,I2,u,1\n"
    report, _, _ = read(catalogue, tmp_path / "log.csv", log)
    assert [(at - NOON, kind) for _, at, _, kind in stored(catalogue)] == [(0, "view_item"), (3600, "purchase")]
    assert report.set_aside == 1


ORDERS = """{"id":"gid://shopify/Order/1","name":"#1","createdAt":"2025-03-04T12:00:00Z","cancelledAt":null,"customer":{"id":"c7"}}
{"id":"gid://shopify/LineItem/1","sku":"I1","quantity":1,"currentQuantity":1,"__parentId":"gid://shopify/Order/1"}
{"id":"gid://shopify/LineItem/2","sku":"I2","quantity":2,"currentQuantity":0,"__parentId":"gid://shopify/Order/1"}
{"id":"gid://shopify/LineItem/3","sku":"I3","quantity":3,"currentQuantity":1,"__parentId":"gid://shopify/Order/1"}
{"id":"gid://shopify/Order/2","name":"#2","createdAt":"2025-03-05T12:00:00Z","cancelledAt":"2025-03-06T12:00:00Z","customer":{"id":"c8"}}
{"id":"gid://shopify/LineItem/4","name":"Boot","sku":"I4","quantity":1,"__parentId":"gid://shopify/Order/2"}
"""
_BOUGHT = "c7 I1 purchase; c7 I2 return; c7 I3 purchase; c8 I4 return"


@pytest.mark.parametrize("grouped", [True, False])
def test_orders_of_bulk_operations(catalogue: Store, tmp_path: Path, grouped: bool) -> None:
    lines = sorted(ORDERS.splitlines(), key=lambda line: not grouped and "__parentId" in line)
    report, mapping, _ = read(catalogue, tmp_path / "log.jsonl", "\n".join(lines))
    assert (mapping["item"], kinds(catalogue), report.set_aside) == ("lineItems.sku", _BOUGHT, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id":"L","sku":"I5","quantity":1,"__parentId":"O9"}', "is a line of O9, which is not above it"),
        ('{"id":"L","quantity":1,"variant":{"sku":"I5"},"__parentId":"gid://shopify/Order/2"}', "names no sku"),
        ('{"id":"gid://shopify/Order/3","createdAt":"2025-03-04T12:00:00Z"}', "is an order of which no line"),
        (
            '{"id":"M","namespace":"custom","key":"note","value":"x","__parentId":"gid://shopify/Order/2"}',
            "is a metafield",
        ),
    ],
)
def test_lines_of_bulk_operations_that_are_of_no_order(
    catalogue: Store, tmp_path: Path, line: str, reason: str
) -> None:
    report, _, _ = read(catalogue, tmp_path / "log.jsonl", f"{ORDERS}{line}\n")
    assert kinds(catalogue) == _BOUGHT
    assert [reason in told for _, told in report.first_rejected] == [True]


@pytest.mark.parametrize(
    "lines",
    [
        "Product ID: 77, Product Qty: 1, Product SKU: I1, Product Name: Boot, Product Weight: 1.0, "
        "Product Variation Details: , Product Unit Price: 99.00, Product Total Price: 99.00"
        "|Product ID: 78, Product Qty: 2, Product SKU: I2, Product Name: Slipper, Product Weight: 0.3, "
        "Product Variation Details: Size: 38, Product Unit Price: 29.00, Product Total Price: 58.00",
        "Product Qty: 1, Product SKU: I1, Product Name: Boot|Product Qty: 2, Product SKU: I2, Product Name: Slipper",
        "Product ID: 1, Product SKU: I1, Product Name: Boot, red | suede: new|Product ID: 2, Product SKU: I2",
        "Product SKU: I1|Product SKU: I2",
    ],
)
@pytest.mark.parametrize(("status", "kind"), [("Completed", "purchase"), ("Cancelled", "return")])
def test_lines_that_bigcommerce_packs(catalogue: Store, tmp_path: Path, lines: str, status: str, kind: str) -> None:
    log = f'Order ID,Customer ID,Order Date,Order Status,Product Details\n100,5,04/13/2025,{status},"{lines}"\n'
    read(catalogue, tmp_path / "log.csv", log)
    assert kinds(catalogue) == f"5 I1 {kind}; 5 I2 {kind}"


def test_a_column_of_products_without_semicolons_is_left(catalogue: Store, tmp_path: Path) -> None:
    read(catalogue, tmp_path / "log.csv", "user,date,sku,products\nu,2025-03-04,I1,\nu,2025-03-05,I2,shoes\n")
    assert kinds(catalogue) == "u I1 purchase; u I2 purchase"


@pytest.mark.parametrize(
    "user",
    [
        *("domain_userid", "Billing Email Address", "Login kupującego", "Loyalty", "Username", "network_userid"),
        *("メールアドレス", "注文者メールアドレス", "購入者メールアドレス", "E-mailadresse", "Kundens e-post"),
        *("Correo electrónico del cliente", "Adresse de courriel", "Courriel du client", "E-mail do cliente"),
        *("Müşteri E-posta", "Электронная почта", "邮箱", "구매자 이메일", "Kunden-E-Mail", "Indirizzo e-mail"),
        *("البريد الإلكتروني", "البريد الإلكتروني للعميل", "العميل", "رقم العميل", "معرف المستخدم"),
        *("Effective user ID",),
        *("Loyalty Number", "Benutzername", "E-Mail Address", "Membership Number", "Adres e-mail", "Mitgliedsnummer"),
    ],
)
def test_users_by_other_names(user: str) -> None:
    assert guess_fields([user, "sku", "date"])["user"] == user


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *((one, "impression") for one in ("view_item_list", "view_promotion", "Product List Viewed", "viewItemList")),
        *((one, "impression") for one in ("Promotion Viewed", "Product Impression", "impression")),
        ("view_item", "view_item"),
        ("select_item", "select_item"),
        ("select_promotion", "select_promotion"),
        ("Product Clicked", "product clicked"),
        ("Product Viewed", "product viewed"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_shown_in_a_list_is_an_impression(
    catalogue: Store, tmp_path: Path, kind: str, expected: str, as_json: bool
) -> None:
    log = f"user_pseudo_id,event_name,item_id,event_timestamp\nu,{kind},I1,2025-03-04 12:00\n"
    log += f"u,{kind},I2,2025-03-04 12:00\nu,purchase,I3,2025-03-05 12:00\n"
    if as_json:
        rows = ((kind, ("I1", "I2"), 4), ("purchase", ("I3",), 5))
        log = "".join(
            json.dumps(
                {
                    "user_pseudo_id": "u",
                    "event_name": name,
                    "event_timestamp": f"2025-03-0{day} 12:00",
                    "items": [{"item_id": one} for one in items],
                }
            )
            + "\n"
            for name, items, day in rows
        )
    read(catalogue, tmp_path / ("log.jsonl" if as_json else "log.csv"), log)
    assert kinds(catalogue) == f"u I1 {expected}; u I2 {expected}; u I3 purchase"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("dvce_created_tstamp collector_tstamp derived_tstamp", "derived_tstamp"),
        ("dvce_created_tstamp dvce_sent_tstamp collector_tstamp", "collector_tstamp"),
        ("dvce_created_tstamp etl_tstamp", "etl_tstamp"),
        ("dvce_created_tstamp", "dvce_created_tstamp"),
        ("device_time server_time", "server_time"),
        ("client_timestamp event_time", "event_time"),
        ("device_ts received_at", "received_at"),
        ("device_time", "device_time"),
    ],
)
def test_the_clock_of_a_device_comes_last(catalogue: Store, tmp_path: Path, times: str, expected: str) -> None:
    for at, columns in enumerate(permutations(times.split())):
        log = f"{','.join(('domain_userid', 'sku', *columns))}\n"
        for item_at in (1, 2):
            days = [f"2025-03-0{item_at if one == expected else 8} 12:00:00" for one in columns]
            log += f"u,I{item_at},{','.join(days)}\n"
        _, mapping, _ = read(catalogue, tmp_path / f"log{at}.csv", log)
        assert mapping["time"] == expected


def test_a_column_that_is_named_leaves_the_others_to_their_values(catalogue: Store, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"user,sku,event_date,ts\nu,{item(1)},2025-03-04,2025-03-04 12:00\n")
    _, mapping = understand(open_feed(path), {"item": "sku"}, read_names(catalogue))
    assert (mapping["item"], mapping["time"]) == ("sku", "ts")
    _, mapping = understand(open_feed(path), {"time": "event_date"}, read_names(catalogue))
    assert mapping["time"] == "event_date"


def test_rounded_times_are_those_of_rows_that_count(catalogue: Store, tmp_path: Path) -> None:
    log = "user;item;time\nu;I1;1,70963E+15\nu;X9;1,70963E+15\nu;I2;9,70963E+13\n"
    report, _, _ = read(catalogue, tmp_path / "log.csv", log)
    assert (report.rounded, report.first_rounded, report.set_aside) == (1, "1,70963E+15", 2)


@pytest.mark.parametrize(
    "log",
    [
        "RMA,Customer ID,SKU,Returned on,Reason,Condition\nR1,u,I1,2025-03-10,Too small,new\n",
        "return_id,customer_id,product_id,return_date,return_reason\nR1,u,I1,2025-03-10,too small\n",
        "Retourennr;Kundennummer;Artikelnummer;Retourendatum;Retourengrund\nR1;u;I1;10.03.2025;zu klein\n",
        "client;produit;date de retour;motif du retour\nu;I1;10/03/2025;trop petit\nu;I1;23/03/2025;trop petit\n",
        "klient;towar;data zwrotu;powód zwrotu\nu;I1;2025-03-10;za małe\n",
        "会員ID,商品コード,返品日,返品理由\nu,I1,2025-03-10,小さい\n",
        # A row of an order that has a reason, beside one that has none.
        "user,item,order date,return reason\nu,I1,2025-03-10,too small\n",
    ],
)
def test_files_of_returns(catalogue: Store, tmp_path: Path, log: str) -> None:
    _, mapping, _ = read(catalogue, tmp_path / "log.csv", log)
    assert set(kinds(catalogue).split("; ")) == {"u I1 return"}
    assert "time" in mapping


def test_an_order_without_a_reason_is_no_return(catalogue: Store, tmp_path: Path) -> None:
    log = "user,item,order date,return reason,returns accepted,return policy\nu,I1,2025-03-10,,yes,30 days\n"
    read(catalogue, tmp_path / "log.csv", log)
    assert kinds(catalogue) == "u I1 purchase"


def test_what_is_left_of_a_line(catalogue: Store, tmp_path: Path) -> None:
    log = (
        "Order Number,Order Status,Order Date,Email (Billing),Item #,SKU,Quantity (- Refund),Quantity,Refund Amount\n"
        "1,completed,2025-03-04 12:30,u,1,I1,1,1,0.00\n1,completed,2025-03-04 12:30,u,2,I2,0,1,69.90\n"
    )
    read(catalogue, tmp_path / "log.csv", log)
    assert kinds(catalogue) == "u I1 purchase; u I2 return"


def test_several_columns_of_items_fill_in_for_each_other(catalogue: Store, tmp_path: Path) -> None:
    lines = [
        {"event": "Viewed", "userId": "u", "timestamp": "2025-03-04T10:00:00Z",
         "properties": {"product_id": "f1", "sku": "I1"}},
        {"event": "Ordered", "userId": "u", "timestamp": "2025-03-04T10:05:00Z",
         "properties": {"products": [{"product_id": "f1", "sku": "I1"}, {"product_id": "f2", "sku": "I2"}]}},
    ]  # fmt: skip
    read(catalogue, tmp_path / "log.jsonl", "\n".join(map(json.dumps, lines)))
    assert kinds(catalogue) == "u I1 viewed; u I1 ordered; u I2 ordered"


def test_one_time_that_nobody_can_read_costs_its_row_alone(catalogue: Store, tmp_path: Path) -> None:
    days = ["3 sept. 2025 à 14h05", "4 sept. 2025 à 9h", "gestern", "6 sept. 2025 à 10h30"]
    log = "client;produit;quand\n" + "".join(f"u;I{number};{day}\n" for number, day in enumerate(days, 1))
    report, mapping, _ = read(catalogue, tmp_path / "log.csv", log)
    assert (mapping["time"], report.set_aside, kinds(catalogue)) == (
        "quand",
        1,
        "u I1 purchase; u I2 purchase; u I4 purchase",
    )


def test_visits_with_what_was_done_in_them(catalogue: Store, tmp_path: Path) -> None:
    """As Matomo lists them (Live.getLastVisitsDetails)."""
    done = [
        {"type": "action", "timestamp": NOON, "productViewSku": "I1"},
        {"type": "ecommerceOrder", "timestamp": NOON + 60, "itemDetails": [{"itemSKU": "I2"}, {"itemSKU": "I3"}]},
    ]
    done += [
        {"type": "ecommerceAbandonedCart", "timestamp": NOON + 90, "itemDetails": [{"itemSKU": "I4"}]},
        {"type": "search", "timestamp": NOON + 95, "siteSearchKeyword": "boot"},
        {"type": "action", "timestamp": NOON + 99, "productViewSku": "I5"},
    ]
    visits = [{"visitorId": "u", "userId": None, "serverTimestamp": NOON, "actionDetails": done}]
    report, _, _ = read(catalogue, tmp_path / "log.json", json.dumps(visits))
    assert kinds(catalogue) == "u I1 view; u I2 purchase; u I3 purchase; u I5 view"
    assert [reason for _, reason in report.first_rejected] == ["it never came about: cart abandoned", "has no item"]


SESSIONS: list[dict[str, Any]] = [
    {"session": 12, "events": [{"aid": 1, "ts": 1741089600278, "type": "clicks"}]},
    {"session": 13, "events": [{"aid": 1, "ts": 1741089600278, "type": "clicks"},
                               {"aid": 2, "ts": 1741089601278, "type": "carts"}]},
    {"session": 14, "events": []},
]  # fmt: skip


@pytest.mark.parametrize("called", ["aid", "what"])
@pytest.mark.parametrize("written", ["lines", "an array", "a document", "one"])
@pytest.mark.parametrize("records", [None, "events"])
def test_sessions_with_their_events(
    catalogue: Store, tmp_path: Path, called: str, written: str, records: str | None
) -> None:
    made = [
        {**one, "events": [{called: item(two["aid"]), "ts": two["ts"], "type": two["type"]} for two in one["events"]]}
        for one in SESSIONS
    ]
    text = [json.dumps(one) for one in made]
    sessions = ", ".join(text)
    path = tmp_path / "log"
    path.write_text({"lines": "\n".join(text), "an array": f"[{sessions}]", "one": text[1]}.get(
        written, f'{{"version": 1, "sessions": [{sessions}]}}'
    ))  # fmt: skip
    feed = open_feed(path, Reading(records=records), names_a_user)
    feed, mapping = understand(feed, {}, read_names(catalogue))
    import_events(catalogue, feed, mapping, rejected_dir=tmp_path)
    expected = [("13", item(1), "clicks"), ("13", item(2), "carts")]
    expected = expected if written == "one" else [("12", item(1), "clicks"), *expected]
    assert [(user, product, kind) for user, _, product, kind in stored(catalogue)] == expected


def test_records_within_others_that_name_the_user(catalogue: Store, tmp_path: Path) -> None:
    path = tmp_path / "log"
    orders = [{"customer": user, "id": 7, "date": "2025-03-04", "items": [{"sku": item(1), "id": 1}]} for user in "ab"]
    path.write_text("\n".join(map(json.dumps, orders)))
    feed = open_feed(path, Reading(records="items"), names_a_user)
    assert next(row.values for row in feed.rows if isinstance(row, Record)) == {
        "customer": "a", "id": 7, "date": "2025-03-04", "items.sku": item(1), "items.id": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected", "unknown"),
    [
        ("1,u,2025-03-04,I4,I1-0 I2-1 I9-0", "I1 impression; I2 click", 1),
        ("1,u,2025-03-04,I4,I1-0 I2-0", "I1 impression; I2 impression", 0),
        ("1,u,2025-03-04,,I1-1 I2-1 I3-0", "I1 click; I2 click; I3 impression", 0),
        ("1,u,2025-03-04,I4,I9-1 I2-0 I8-0", "I2 impression", 1),
        ('1,u,2025-03-04,I4,"[""I1:1"", ""I3:0""]"', "I1 click; I3 impression", 0),
    ],
)
@pytest.mark.parametrize("header", [True, False])
def test_lists_of_what_was_shown(
    catalogue: Store, tmp_path: Path, text: str, expected: str, unknown: int, *, header: bool
) -> None:
    def named(line: str) -> str:
        return re.sub(r"\bI(\d)", lambda found: item(int(found[1])), line)

    path = tmp_path / "log.csv"
    columns = "impression_id,user_id,time,history,impressions\n" if header else ""
    path.write_text(columns + named(text))
    told = {} if header else {"user": "column 2", "time": "column 3", "impressions": "column 5"}
    feed = open_feed(path, Reading(header_row=None if header else 0), lambda columns: names_a_user(columns, told))
    feed, mapping = understand(feed, told, read_names(catalogue))
    report = import_events(catalogue, feed, mapping, rejected_dir=tmp_path)
    assert [f"{product} {kind}" for _, _, product, kind in stored(catalogue)] == named(expected).split("; ")
    assert (report.unknown_shown, report.counts()["unknown_shown"]) == (unknown, unknown)
    assert report.unknown_items == ("I9-1" in text)


def test_a_history_is_no_item(catalogue: Store, tmp_path: Path) -> None:
    read(catalogue, tmp_path / "log.csv", "user,time,history,impressions\nu,2025-03-04,I4,I1 I2\n")
    assert kinds(catalogue) == "u I1 impression; u I2 impression"


def test_codes_that_end_in_a_number_are_no_labels(store: Store, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text("sku,title\nA,Cup\nA-0,Lid\nA-1,Pot\n")
    feed = open_feed(tmp_path / "feed.csv")
    import_feed(store, feed, guess_columns(feed.columns), rejected_dir=tmp_path)
    (tmp_path / "log.csv").write_text("user,item,date,shown\nu,A,2025-03-04,A-0 A-1\nu,A,2025-03-05,X-0\n")
    feed, mapping = understand(open_feed(tmp_path / "log.csv"), {}, read_names(store))
    report = import_events(store, feed, mapping, rejected_dir=tmp_path)
    assert sorted({product for _, _, product, kind in stored(store) if kind == "impression"}) == ["A-0", "A-1"]
    assert (report.unknown_shown, report.first_unknown_shown) == (1, "X-0")


def test_a_row_of_which_nothing_shown_is_known_is_set_aside(catalogue: Store, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"user,date,shown\nu,2025-03-04,{item(1)}\nu,2025-03-05,X Y\n")
    feed, mapping = understand(open_feed(tmp_path / "log.csv", Reading(), names_a_user), {}, read_names(catalogue))
    report = import_events(catalogue, feed, mapping, rejected_dir=tmp_path)
    assert report.first_rejected == [(3, "the item is not in the catalogue: X")]
    assert (report.unknown_shown, report.unknown_items) == (2, 1)


@pytest.mark.parametrize(
    ("times", "rounded"),
    [
        (["8.91717742E8", "8.91717743E8", "8.9171774E8"], 0),  # a program's number ends where its zeros begin
        (["8.91717740E8", "8.91717E8"], 1),
        (["8.91717E8", "8.91718E8"], 2),
        (["1.77262E+12", "1.77263E+12"], 2),
        (["1.772620123E+12"], 0),
        (["1.772620123456E12"], 0),
    ],
)
def test_times_that_a_spreadsheet_has_rounded(catalogue: Store, tmp_path: Path, times: list[str], rounded: int) -> None:
    report = load(catalogue, tmp_path / "log.csv", [{"user": "a", "item": item(1), "time": time} for time in times])
    assert (report.rounded, report.set_aside) == (rounded, 0)


def test_a_column_of_what_was_clicked_says_the_kind() -> None:
    assert kind_of({"user": "u", "item": "impressions.clicked"}, "purchase") == "click"
    assert kind_of({"user": "u", "item": "clicked"}, "view") == "view"
    assert kind_of({"user": "u", "item": "sku"}, "purchase") == "purchase"
    assert kind_of({"user": "u"}, "purchase") == "purchase"
