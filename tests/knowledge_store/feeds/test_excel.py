"""Workbooks as people see them: leading zeros, formulas that nobody calculated, sizes that became dates."""

from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import Record
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.store import Store


def workbook(path: Path, rows: list[list[Any]], formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for place, shown in (formats or {}).items():
        sheet[place].number_format = shown
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("value", "shown", "expected"),
    [
        (12345, "00000000", "00012345"),
        (12345.0, "000000", "012345"),
        (12345, "0", 12345),
        (12345, "General", 12345),
        (12.5, "0.00", 12.5),
        ("7", "00000000", "7"),
        (True, "000", True),
    ],
)
def test_a_number_is_as_excel_shows_it(tmp_path: Path, value: Any, shown: str, expected: Any) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "title"], [value, "Clog"], [3, "Boot"]], {"A2": shown})
    first, second = open_feed(path).rows
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.values["id"] == expected
    assert second.values["id"] == 3


def test_formulas_that_nobody_calculated_are_named(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx", [["id", "title", "net", "price"], [1, "Clog", 10, "=C2*1.19"], [2, "Boot", 20, 5]]
    )
    feed = open_feed(path)
    assert feed.taken["formulas without a value"] == "price, e.g. D2 =C2*1.19: open and save it in a spreadsheet"
    first = next(feed.rows)
    assert isinstance(first, Record)
    assert first.values["price"] == ""


def test_sizes_that_became_dates_are_told(tmp_path: Path, store: Store) -> None:
    rows: list[list[Any]] = [
        ["id", "title", "Size", "launched"],
        [1, "Sock", datetime(2026, 12, 10), datetime(2026, 1, 1)],
        [2, "Sock", "10-Dec", None],
        [3, "Sock", "39-42", None],
        *(
            [4 + at, "Sock", said, None]
            for at, said in enumerate(("10. Dez", "12. Okt", "10. Mrz", "Mai 38", "10-déc.", "10月12日"))
        ),
        *([20 + at, "Sock", said, None] for at, said in enumerate(("10 inch", "12 Zoll", "40 weit", "W 34", "One 10"))),
    ]
    path = workbook(tmp_path / "a.xlsx", rows)
    feed = open_feed(path)
    report = import_feed(store, feed, guess_columns(feed.columns), rejected_dir=tmp_path)
    assert report.dated == {"Size": (8, "2026-12-10T00:00:00 in line 2")}
