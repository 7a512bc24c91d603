"""How text is laid out and encoded: found by what its rows and words say, or as somebody tells."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.dialect import Reading
from reaseq.knowledge_store.feeds.encoding import encoding_of
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import BadRow, FeedError, Record

LONG = "kept dry for days"
"""What makes a text with commas look like several cells."""


def titles(path: Path, reading: Reading | None = None) -> list[str]:
    feed = open_feed(path, reading or Reading())
    title = guess_columns(feed.columns, feed.fields)["title"]
    return [row.values[title] if isinstance(row, Record) else f"bad: {row.reason}" for row in feed.rows]


def written(folder: Path, data: str | bytes, name: str = "feed.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("sku (any, short);name (max. 20, plain)\n1;Low clog\n2;Boot, warm\n", ["Low clog", "Boot, warm"]),
        ("sku\tname (no html, no links)\tprice, net\n1\tClog\t5\n", ["Clog"]),
        ("sku|name|text, free\n1|Clog|a,b,c,d\n", ["Clog"]),
        ("sku^name\n1^Clog\n", ["Clog"]),
        ('"sku","name"\n"1","5\\" heel, black"\n"2","Clog"\n', ['5" heel, black', "Clog"]),
        ('sku,name\n1,"5"" heel, black"\n2,"C:\\\\"\n', ['5" heel, black', "C:\\\\"]),
        ("Stock on 5 May\n\nsku,name\n1,Clog\n", ["Clog"]),
        ("Stock, of 5 May, all shops\nsku,name\n1,Clog\n2,Boot\n", ["Clog", "Boot"]),
        ("sep=;\nsku;name\n1;Clog\n", ["Clog"]),
        ("name\nClog\nBoot\n", ["Clog", "Boot"]),
        ("name,sku\n", []),
    ],
)
def test_what_parts_the_cells(tmp_path: Path, data: str, expected: list[str]) -> None:
    path = written(tmp_path, data)
    if expected:
        assert titles(path) == expected
    else:
        with pytest.raises(FeedError, match="no rows"):
            open_feed(path)


def test_a_line_that_is_broken_in_two_makes_no_product(tmp_path: Path) -> None:
    data = f"sku,name,text,price\n1,Clog,{LONG}\nand warm,9.90\n2,Boot,warm,5\n"
    feed = open_feed(written(tmp_path, data))
    assert [type(row) for row in feed.rows] == [BadRow, BadRow, Record]


def test_as_somebody_tells(tmp_path: Path) -> None:
    data = "id;title\nx;y\nid,name\n1,a;b\n"
    told = Reading(delimiter=",", header_row=3)
    assert titles(written(tmp_path, data), told) == ["a;b"]
    assert titles(written(tmp_path, "id\ttitle\n1\té\n".encode("cp850")), Reading("cp850", "tab")) == ["é"]
    for wrong in (Reading(encoding="cp9999"), Reading(delimiter="ab"), Reading(header_row=99)):
        with pytest.raises(FeedError, match="--"):
            open_feed(written(tmp_path, data), wrong)


WORDS = {
    "cp1252": (
        "Größe für Männer, weiß",
        "Chaussures légères à lacets",
        "Zapato de niño y señora",
        "Känga på lätt sula",
    ),
    "cp1250": ("Buty męskie z żółtą podeszwą", "Dámské boty, měkká podešev, kůže", "Férfi bakancs, őszi, zöld"),
    "cp1251": ("Ботинки зимние, тёплые, кожа", "Черевики зимові, теплі, шкіра"),
    "koi8_r": ("Ботинки зимние, тёплые, кожа и мех, подошва из резины, размеры 42 и 43",),
    "cp1253": ("Ανδρικά παπούτσια, αδιάβροχα",),
    "cp1254": ("Erkek ayakkabı, su geçirmez, yumuşak",),
    "cp1255": ("נעלי גברים עמידות במים",),
    "gb18030": ("男士登山靴 防水 真皮 帆布鞋 轻便透气 适合徒步",),
    "cp932": ("メンズ登山靴 防水 本革 レディースサンダル 軽量で歩きやすい",),
    "cp949": ("남성 등산화 방수 가죽",),
    "mac_roman": ("Größe für Männer, weiß",),
    "utf-16-le": ("Größe",),
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in WORDS.items() for text in texts])
def test_the_encoding_is_told_by_the_words(tmp_path: Path, encoding: str, text: str) -> None:
    rows = f"sku;title\n1;{text}\n2;{text}\n"
    path = written(tmp_path, rows.encode(encoding))
    assert titles(path) == [text, text]
    shown = open_feed(path).taken["encoding"]
    assert encoding in shown
    assert encoding.startswith("utf") or text[:10] in shown


def test_one_broken_byte_costs_one_row_wherever_it_stands(tmp_path: Path) -> None:
    rows = [f"{number},Größe {number}".encode() for number in range(40_000)]
    for place in (3, 39_000):
        broken = [*rows]
        broken[place] = b"x,Gr\xf6\xdfe"
        feed = open_feed(written(tmp_path, b"sku,title\n" + b"\n".join(broken)))
        bad = [row for row in feed.rows if isinstance(row, BadRow)]
        assert [row.line for row in bad] == [place + 2]
        assert "broken" in feed.taken["encoding"]


def test_what_a_page_says_of_its_encoding_counts() -> None:
    page = '<html><meta charset="windows-1251"><p>Ботинки зимние</p>'.encode("cp1251")
    assert encoding_of(io.BytesIO(page), "page").name == "cp1251"


def test_archives(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme/", "")
        archive.writestr("__MACOSX/._feed.csv", "x")
        archive.writestr("out/feed.csv", "sku,title\n1,Clog\n")
        archive.writestr("readme.md", "of the shop")
    assert titles(path) == ["Clog"]
    assert open_feed(path).taken["file"] == "out/feed.csv"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.csv", "sku,title\n2,Boot\n")
    with pytest.raises(FeedError, match="2 files"):
        open_feed(path)
    assert titles(written(tmp_path, gzip.compress(b"sku,title\n1,Clog\n"), "feed.gz")) == ["Clog"]


def test_sheets(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    cover = book.active
    assert cover is not None
    cover.append(["Shop", "Kea"])
    cover.append(["Date", "5 May"])
    for name, title in (("Spring", "Clog"), ("Autumn", "Boot")):
        sheet = book.create_sheet(name)
        for row in (["List of", "May"], [], ["SKU", "Title"], ["1", title]):
            sheet.append(row)
    book.save(tmp_path / "feed.xlsx")
    assert titles(tmp_path / "feed.xlsx") == ["Clog"]
    assert titles(tmp_path / "feed.xlsx", Reading(sheet="Autumn", header_row=3)) == ["Boot"]
    with pytest.raises(FeedError, match="'Spring'"):
        open_feed(tmp_path / "feed.xlsx", Reading(sheet="Winter"))


def test_a_broken_byte_in_the_header_costs_no_row(tmp_path: Path) -> None:
    path = written(tmp_path, "sku,title,größe\n1,Größe,5\n2,für,6\n".encode().replace(b"gr\xc3", b"gr\xff", 1))
    rows = list(open_feed(path).rows)
    assert all(isinstance(row, Record) for row in rows)
    assert [name for row in rows if isinstance(row, Record) for name in row.values][2] == "gr\ufffd\ufffdße"
