"""Reading feeds: formats by content, quirks, and rows set aside."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reaseq.knowledge_store.feeds.records import BadRow, FeedError, Record, open_feed


def read(path: Path) -> tuple[str, list[Any]]:
    feed = open_feed(path)
    return feed.format, list(feed.rows)


GOOD = [Record(2, {"id": "1", "title": "Schuh “é”"}), Record(3, {"id": "2", "title": "b"})]


@pytest.mark.parametrize(
    ("data", "format_", "rows"),
    [
        pytest.param("id,title\n1,Schuh “é”\n2,b\n".encode(), "CSV", GOOD, id="utf-8"),
        pytest.param("\ufeffid,title\r\n1,Schuh “é”\r\n2,b\r\n".encode(), "CSV", GOOD, id="byte order mark, CRLF"),
        pytest.param("id;title\n1;Schuh “é”\n2;b\n".encode("cp1252"), "CSV with ';'", GOOD, id="cp1252, semicolons"),
        pytest.param("id\ttitle\n1\tSchuh “é”\n2\tb\n".encode("utf-16"), "TSV", GOOD, id="utf-16, tabs"),
        pytest.param("id\ttitle\n1\tSchuh “é”\n2\tb\n".encode("utf-16-le"), "TSV", GOOD, id="utf-16 without mark"),
        pytest.param(gzip.compress("id|title\n1|Schuh “é”\n2|b".encode()), "CSV with '|'", GOOD, id="gzip, pipes"),
        pytest.param(
            b'id,title\n1,"two\nlines, ""quoted"""\n2,b\n',
            "CSV",
            [Record(2, {"id": "1", "title": 'two\nlines, "quoted"'}), Record(4, {"id": "2", "title": "b"})],
            id="a cell of several lines",
        ),
        pytest.param(
            b"id,title\n1\n2,b,,\n3,c,extra\n\n4,d\n",
            "CSV",
            [
                Record(2, {"id": "1"}),
                Record(3, {"id": "2", "title": "b"}),
                BadRow(4, "has 3 cells, the header has 2", "3,c,extra"),
                Record(6, {"id": "4", "title": "d"}),
            ],
            id="ragged rows",
        ),
        pytest.param(
            b"id,title\n1,a\x00b\n2,b\n",
            "CSV",
            [BadRow(2, "holds a NUL character", "1,a\x00b"), GOOD[1]],
            id="NUL",
        ),
        pytest.param(
            b"id,id,\n1,2,3\n",
            "CSV",
            [Record(2, {"id": "1", "id 2": "2", "column 3": "3"})],
            id="columns named twice or not at all",
        ),
        pytest.param(
            b'{"id": 1, "title": "a"}\n\nnonsense\n[1]\n{"id": 2, "sizes": ["S"]}\n{"t": "\\u0000"}\n',
            "JSON lines",
            [
                Record(1, {"id": 1, "title": "a"}),
                BadRow(3, "not JSON: Expecting value: line 1 column 1 (char 0)", "nonsense"),
                BadRow(4, "not a JSON object", "[1]"),
                Record(5, {"id": 2, "sizes": ["S"]}),
                BadRow(6, "holds a NUL character", '{"t": "\\u0000"}'),
            ],
            id="JSON lines",
        ),
    ],
)
def test_read(tmp_path: Path, data: bytes, format_: str, rows: list[Any]) -> None:
    path = tmp_path / "feed.dat"
    path.write_bytes(data)
    assert read(path) == (format_, rows)


def test_bytes_that_break_the_encoding_spoil_one_row(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(b"id,title\n" + b"1,fine\n" * 20_000 + b"2,\xff\xfe\n3,fine\n")
    *_, before, bad, after = open_feed(path).rows
    assert isinstance(before, Record)
    assert isinstance(bad, BadRow)
    assert bad.reason == "holds bytes that are not text in the file's encoding"
    assert after == Record(20_003, {"id": "3", "title": "fine"})


def test_an_unclosed_quote_spoils_only_what_it_swallows(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("id,title\n1,a\n" + '2,"open\n' + "x,y\n" * 400_000)
    rows = list(open_feed(path).rows)
    assert rows[0] == Record(2, {"id": "1", "title": "a"})
    assert isinstance(rows[1], BadRow)
    assert "field larger than field limit" in rows[1].reason


def test_a_gzip_file_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv.gz"
    whole = gzip.compress(b"id,title\n" + b"".join(b"%d,title %d\n" % (n, n * 7919) for n in range(200_000)))
    path.write_bytes(whole[: len(whole) // 2])
    *rows, last = open_feed(path).rows
    assert len(rows) > 1000
    assert isinstance(last, BadRow)
    assert "breaks off" in last.reason


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    pq.write_table(pa.table({"id": [1, 2], "title": ["a", None], "sizes": [["S"], []]}), path)
    format_, rows = read(path)
    assert format_ == "Parquet"
    assert rows == [
        Record(1, {"id": 1, "title": "a", "sizes": ["S"]}),
        Record(2, {"id": 2, "title": None, "sizes": []}),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (bytes(range(256)) * 20, "binary file"),
        (b"\x1f\x8b\x08\x00broken", "broken gzip"),
        (b"PAR1 and nothing more", "broken Parquet"),
        (b'[{"id": 1}]', "JSON array"),
        (b"\n\n", "no header line"),
    ],
)
def test_not_a_feed(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "feed"
    path.write_bytes(data)
    with pytest.raises(FeedError, match=message) as caught:
        list(open_feed(path).rows)
    assert caught.value.hint


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="No such file"):
        open_feed(tmp_path / "missing.csv")
    with pytest.raises(FeedError, match="is a folder"):
        open_feed(tmp_path)


_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.fixed_dictionaries({"id": _CELL, "title": _CELL, "price": _CELL}), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_csv_writer_wrote_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], delimiter: str, quoting: Any, encoding: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ["id", "title", "price"], delimiter=delimiter, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("feed") / "feed.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    _, read_rows = read(path)
    assert [row.values for row in read_rows] == [row for row in rows if any(row.values())]


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.dictionaries(_CELL, st.one_of(_CELL, st.integers(-(10**9), 10**9), st.none(), st.booleans())), max_size=6
    )
)
def test_what_was_written_as_json_lines_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("feed") / "feed.jsonl"
    path.write_text('{"first": 1}\n' + "".join(json.dumps(row) + "\n" for row in rows))
    _, read_rows = read(path)
    assert [row.values for row in read_rows] == [{"first": 1}, *rows]
