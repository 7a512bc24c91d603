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
        (7, '"EX-"0000', "EX-0007"),
        (7, '"EX-"0000;"none"', "EX-0007"),
        (7, '"a;b "0;0', "a;b 7"),
        (1234567, "000-0000", "123-4567"),
        (12345, "00\\-000", "12-345"),
        (4.2, '0.0" cm"', "4.2 cm"),
        (4.25, '0.0" cm"', "4.25 cm"),
        (4.25, 'General" mm"', "4.25 mm"),
        (0.1 + 0.2, '0.0" cm"', "0.3 cm"),
        (20, '0" bar"', "20 bar"),
        (4, "0\\ \\m\\m", "4 mm"),
        (1.5, '0.00" kg"', "1.50 kg"),
        (0.8, "0%", "80%"),
        (0.07, "0%", "7%"),
        (0.125, "0%", "12.5%"),
        (12.5, "[$€-407] #,##0.00", "€ 12.50"),
        (1299.5, "#,##0.00\\ [$€-407]", "1299.50 €"),
        (12.376, '#,##0.00\\ "zł"', "12.3760 zł"),  # three decimals might be thousands
        (12.5, '_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', "12.50 €"),
        (-5, "[$£-809]#,##0", "-£5"),
        (12.5, '_("$"* #,##0.00_)_("$"* \\(#,##0.00\\)_("$"* "-"??_)_(@_)', 12.5),  # of the country that it is read in
        (12.5, "[$-409]#,##0.00", 12.5),
        (12.5, "#,##0.00_ ;[Red]\\-#,##0.00\\ ", 12.5),
        (12500, '0.00,"k"', 12500),
        (120, '[>=100]0" big";0" x"', 120),
        (0.5, "# ?/?", 0.5),
        (1200000, "0.00E+00", 1200000),
        (7, '"seven"', 7),
    ],
)
def test_a_number_is_as_excel_shows_it(tmp_path: Path, value: Any, shown: str, expected: Any) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "title"], [value, "Clog"], [3, "Boot"]], {"A2": shown})
    first, second = open_feed(path).rows
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.values["id"] == expected
    assert second.values["id"] == 3


@pytest.mark.parametrize(
    ("shown", "currency"),
    [("[$€-407] #,##0.00", "EUR"), ('#,##0.00\\ "zł"', "PLN"), ("#,##0.00\\ [$CHF-807]", "CHF"), ("#,##0.00", None)],
)
def test_a_price_is_in_the_currency_that_its_format_shows(
    tmp_path: Path, store: Store, shown: str, currency: str | None
) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "title", "price"], [1, "Clog", 1299.125]], {"C2": shown})
    feed = open_feed(path)
    import_feed(store, feed, guess_columns(feed.columns), rejected_dir=tmp_path)
    product = store.product("1")
    assert product is not None
    assert (product["price"], product["currency"]) == (1299.125, currency)


def test_thousands_that_a_format_leaves_out_are_told(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["id", "title", "price", "sold"], [1, "Clog", 1250, 3], [2, "Boot", 12500, 4]]
    feed = open_feed(workbook(tmp_path / "a.xlsx", rows, {"C2": '0.00,"k"', "C3": "0.0,"}))
    assert feed.taken["thousands left out"] == "in what price show, e.g. C2 is read as 1250"


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
