"""Logs of which one record is of several items: lists of ids, lines packed into a cell, rows below their order's."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.knowledge_store.event_columns import names_a_user, understood
from reaseq.knowledge_store.events import EventReport, import_events, read_events
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import FeedError
from reaseq.knowledge_store.names import read_names
from reaseq.knowledge_store.store import Store

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC).timestamp()
P = [f"made-{number:06}" for number in range(6)]


@pytest.fixture
def catalogue(store: Store) -> Store:
    fill(store, 5)  # made-000001 to made-000005
    return store


def read(store: Store, path: Path, **overrides: str) -> tuple[EventReport, list[tuple[str, float, str, str]]]:
    names = read_names(store)
    feed, fields = understood(open_feed(path, is_header=names_a_user), overrides, names)
    report = import_events(store, feed, fields, names=names, rejected_dir=path.parent / "rejected")
    found = [event for batch in read_events(store) for event in zip(*batch, strict=True)]
    return report, sorted(found, key=lambda event: (event[1], event[0], event[2]))


def items(events: Sequence[tuple[str, float, str, str]]) -> list[tuple[str, str]]:
    return [(user, item) for user, _, item, _ in events]


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (f'{{"user_id": "u", "items": ["{P[1]}", "{P[2]}"]}}\n{{"user_id": "v", "items": ["{P[3]}"]}}', {}),
        (f'{{"user": "u", "items": ["{P[1]}", "{P[2]}"]}}\n{{"user": "v", "items": ["{P[3]}"]}}', {"item": "items"}),
        (f'{{"user": "u", "basket": ["{P[1]}", "{P[2]}"]}}\n{{"user": "v", "basket": ["{P[3]}"]}}', {"item": "basket"}),
        (f'{{"user": "u", "product_ids": ["{P[1]}", null, "{P[2]}"]}}\n{{"user": "v", "product_ids": ["{P[3]}"]}}', {}),
        (f'user_id,items\nu,"{P[1]} {P[2]}"\nv,{P[3]}\n', {}),
        (f'user_id;skus\nu;{P[1]},{P[2]}\nv;{P[3]}\n', {}),
        (f'user_id,productIds\nu,{P[1]}|{P[2]}\nv,{P[3]}\n', {}),
        (f'user_id,item_id-list\nu,"[""{P[1]}"", ""{P[2]}""]"\nv,"[""{P[3]}""]"\n', {}),
        (f'user_id,item_id-list\nu,"[{P[1]}, {P[2]}]"\nv,[{P[3]}]\n', {"item": "item_id-list"}),
        (f'user_id,item\nu,{P[1]}|{P[2]}\nv,{P[3]}\n', {}),
    ],
)  # fmt: skip
def test_each_id_of_a_list_is_an_event(catalogue: Store, tmp_path: Path, text: str, overrides: dict[str, str]) -> None:
    path = tmp_path / ("log.jsonl" if text.startswith("{") else "log.csv")
    path.write_text(text, encoding="utf-8")
    report, events = read(catalogue, path, **overrides)
    assert items(events) == [("u", P[1]), ("u", P[2]), ("v", P[3])]
    assert report.set_aside == 0


@pytest.mark.parametrize("overrides", [{}, {"item": "item_id-list"}])
def test_what_stands_beside_a_list_of_ids_is_of_each(
    catalogue: Store, tmp_path: Path, overrides: dict[str, str]
) -> None:
    """Transformers4Rec's sessions, as NVTabular writes them."""
    rows = {
        "session_id": [1, 2],
        "item_id-count": [3, 1],
        "timestamp-first": [int(NOON), int(NOON) + 100],
        "item_id-list": [[P[1], P[2], P[3]], [P[4]]],
        "timestamp-list": [[int(NOON), int(NOON) + 10, int(NOON) + 20], [int(NOON) + 100]],
    }
    path = tmp_path / "sessions.parquet"
    pq.write_table(pa.table(rows), path)
    report, events = read(catalogue, path, **overrides)
    assert [(user, at - NOON, item) for user, at, item, _ in events] == [
        *(("1", 0, P[1]), ("1", 10, P[2]), ("1", 20, P[3])),
        ("2", 100, P[4]),
    ]
    assert report.clock == "time"


def test_quantities_beside_a_list_and_lists_of_nothing(catalogue: Store, tmp_path: Path) -> None:
    rows = [
        {"user": "u", "skus": [P[1], P[2]], "quantities": [1, -2], "time": "2025-03-04T12:00:00Z"},
        {"user": "v", "skus": [], "quantities": [], "time": "2025-03-04T12:00:00Z"},
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report, events = read(catalogue, path)
    assert [event[2:] for event in events] == [(P[1], "purchase"), (P[2], "return")]
    assert report.set_aside == 1


@pytest.mark.parametrize(
    "text",
    [
        "user_id,products\nu,Red shoe\nv,Blue shoe\n",
        f'{{"user_id": "u", "history": ["{P[1]}"]}}',
        f"CustomerGuid,CustomerId,CreatedOn\n{P[1]},7,2025-03-04\n{P[2]},8,2025-03-04\n",
        f"user_id,customer_number,time\nu,{P[1]},2025-03-04\nv,{P[2]},2025-03-04\n",
    ],
)
def test_what_is_no_list_of_items_and_no_item(catalogue: Store, tmp_path: Path, text: str) -> None:
    path = tmp_path / ("log.jsonl" if text.startswith("{") else "log.csv")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FeedError, match="no column looks like the item"):
        read(catalogue, path)


LINE = "name:Red; shoe|product_id:9|sku:{}|quantity:{}|total:20.00|meta:Size: 42|sub_total:20.00"


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("line_items", [f"{LINE.format(P[1], 2)};{LINE.format(P[2], 1)}", LINE.format(P[3], 1)]),
        ("line_item_1,line_item_2", [f'{LINE.format(P[1], 2)}","{LINE.format(P[2], 1)}', f'{LINE.format(P[3], 1)}","']),
    ],
)
@pytest.mark.parametrize("mapped", [False, True])
def test_lines_that_plugins_of_woocommerce_pack_into_cells(
    catalogue: Store, tmp_path: Path, columns: str, cells: list[str], *, mapped: bool
) -> None:
    rows = [f'{n},2025-03-04 12:00:00,completed,{n},"{cell}"' for n, cell in enumerate(cells, 7)]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([f"order_id,date,status,customer_id,{columns}", *rows]), encoding="utf-8")
    name = columns.partition("_1")[0]
    report, events = read(catalogue, path, **({"item": f"{name}.sku"} if mapped else {}))
    assert items(events) == [("7", P[1]), ("7", P[2]), ("8", P[3])]
    assert report.set_aside == 0


OUTER = ["OrderId", "OrderGuid", "CustomerId", "CustomerGuid", "OrderStatus", "CreatedOnUtc"]
INNER: list[Any] = [None, "OrderItemGuid", "Name", "Sku", "PriceInclTax", "Quantity"]


def test_rows_below_their_orders(catalogue: Store, tmp_path: Path) -> None:
    """nopCommerce's workbooks: a header of the items below each order."""
    day = datetime(2025, 3, 4, 12)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    rows: list[list[Any]] = [
        OUTER,
        [1, "o-1", 7, "c-7", "Complete", day],
        *(INNER, [None, "i-1", "Red shoe", P[1], 10, 1], [None, "i-2", "Blue shoe", P[2], 10, 2]),
        [2, "o-2", 8, "c-8", "Cancelled", day],
        *(INNER, [None, "i-3", "Blue shoe", P[3], 10, 2]),
        [3, "o-3", 9, "c-9", "Complete", day],
    ]
    for row in rows:
        sheet.append(row)
    path = tmp_path / "orders.xlsx"
    book.save(path)
    report, events = read(catalogue, path)
    assert events == [("7", NOON, P[1], "purchase"), ("7", NOON, P[2], "purchase"), ("8", NOON, P[3], "return")]
    assert (report.rows, report.set_aside) == (4, 1)
    assert report.first_rejected == [(9, "has no item")]


@pytest.mark.parametrize("value", ["X9", ""])
def test_a_log_without_times_of_which_nothing_can_be_used(catalogue: Store, tmp_path: Path, value: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"user,item\nu,{value}\nv,{value}\n", encoding="utf-8")
    with pytest.raises(ReaseqError, match=r"no row of .* could be used \(2 set aside\); line 2") as told:
        read(catalogue, path)
    assert "all reasons" in (told.value.hint or "")
