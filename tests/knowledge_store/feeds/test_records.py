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
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import BadRow, FeedError, Record


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
                BadRow(2, "has 1 cells, the header has 2: perhaps a broken line", "1"),
                Record(3, {"id": "2", "title": "b"}),
                BadRow(4, "has 3 cells, the header has 2", "3,c,extra"),
                Record(6, {"id": "4", "title": "d"}),
            ],
            id="ragged rows",
        ),
        pytest.param(
            b'sep=;\nid;title\n9;"a;b"\n', "CSV with ';'", [Record(3, {"id": "9", "title": "a;b"})], id="sep="
        ),
        pytest.param(
            b"price, EUR;title\n1,5;b\n2;c\n",
            "CSV with ';'",
            [Record(2, {"price, EUR": "1,5", "title": "b"}), Record(3, {"price, EUR": "2", "title": "c"})],
            id="two delimiters in the header",
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
            b'{"id": 1, "title": "a"}\n\nnonsense\n[1]\n{"id": 2, "sizes": ["S"]}\n{"t": "\\u0000"}\n'
            + b'{"t": %s}\n' % (b"[" * 200 + b"]" * 200),
            "JSON lines",
            [
                Record(1, {"id": 1, "title": "a"}),
                BadRow(3, "not JSON: Expecting value: line 1 column 1 (char 0)", "nonsense"),
                BadRow(4, "not a JSON object", "[1]"),
                Record(5, {"id": 2, "sizes": ["S"]}),
                BadRow(6, "holds a NUL character", '{"t": "\\u0000"}'),
                BadRow(7, "nested too deeply", f'{{"t": {"[" * 200 + "]" * 200}}}'),
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
    path.write_bytes(b"id,title\n" + b"1,fine\n" * 200_000 + b"2,\xff\xfe\n3,fine\n")
    *_, before, bad, after = open_feed(path).rows
    assert isinstance(before, Record)
    assert isinstance(bad, BadRow)
    assert bad.reason == "holds bytes that are not text in the file's encoding"
    assert after == Record(200_003, {"id": "3", "title": "fine"})


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(["x,y"] * 3, id="never closed"),
        pytest.param(["x,y"] * 400_000, id="larger than a cell may be"),
        pytest.param(["x,y", 'x,"y"', "x,y"], id="closed by the quote of another row"),
        pytest.param(['"x","y"'] * 3, id="all rows quoted"),
    ],
)
def test_an_unclosed_quote_spoils_its_own_row_only(tmp_path: Path, after: list[str]) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("\n".join(["id,title", "1,a", '2,"open', *after]))
    first, bad, *rest = open_feed(path).rows
    assert first == Record(2, {"id": "1", "title": "a"})
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.raw) == (3, '2,"open')
    assert rest == [Record(number, {"id": "x", "title": "y"}) for number in range(4, 4 + len(after))]


def test_damaged_utf_16_spoils_one_row(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    lone = b"\x00\xd8"
    path.write_bytes("id,title\n1,a\n2,".encode("utf-16") + lone + "\n3,b\n".encode("utf-16-le") + b"A")
    good, bad, after, last = open_feed(path).rows
    assert [good, after] == [Record(2, {"id": "1", "title": "a"}), Record(4, {"id": "3", "title": "b"})]
    for row in (bad, last):
        assert isinstance(row, BadRow)
        assert row.reason == "holds bytes that are not text in the file's encoding"


def test_a_damaged_part_of_a_parquet_file_spoils_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "feed.parquet"
    table = pa.table({"title": [f"title {number * 7919}" for number in range(4000)]})
    pq.write_table(table, path, row_group_size=1000, use_dictionary=False)
    second = pq.ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    data[second.data_page_offset + 100 : second.data_page_offset + 600] = b"\xff" * 500
    path.write_bytes(data)
    rows = list(open_feed(path).rows)
    (bad,) = [row for row in rows if isinstance(row, BadRow)]
    assert bad.reason.startswith("records 1001 to 2000 cannot be read")
    assert [row.line for row in rows if isinstance(row, Record)] == [*range(1, 1001), *range(2001, 4001)]


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
    columns = {"id": [1, 2], "title": ["a", None], "sizes": [["S"], []], "text": [b"caf\xc3\xa9", b"\xff\xd8"]}
    pq.write_table(pa.table(columns), path)
    format_, rows = read(path)
    assert format_ == "Parquet"
    assert rows == [
        Record(1, {"id": 1, "title": "a", "sizes": ["S"], "text": "café"}),
        Record(2, {"id": 2, "title": None, "sizes": [], "text": None}),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (bytes(range(256)) * 20, "binary file"),
        (b"\x1f\x8b\x08\x00broken", "broken gzip"),
        (b"PAR1 and nothing more", "broken Parquet"),
        (b"\n\n", "no header line"),
        (b"id,title\n", "holds no rows"),
        (b'{\n "id": 1\n', "no JSON object with keys on its first lines; line 1: not JSON"),
        (b"[1, 2]", "no JSON object with keys on its first lines; line 1: not a JSON object"),
        (b"<?xml version='1.0'?>\n<rss/>\n", "without elements that hold anything"),
        (b"<rss><item>\n<a>", "no element 'item' holds anything"),
        (b"<!doctype html><title>x</title>", "web page without a schema.org Product"),
        (b"<!doctype html>", "web page without a schema.org Product"),
        (b"PK\x03\x04\x14\x00\x06\x00", "an archive that cannot be read"),
        (b"\xd0\xcf\x11\xe0rest", "before 2007"),
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


# Many control characters in a small file would make it a binary one.
_CELL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r", exclude_characters="\ufeff"),
    max_size=12,
)


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
    rows = [*rows, {"id": "1", "title": "last", "price": ""}]
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("feed") / "feed.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    _, read_rows = read(path)
    assert [row.values for row in read_rows] == [row for row in rows if any(row.values())]


@given(
    rows=st.lists(
        # A line of Shopify's bulk files names its parent, which is no column.
        st.dictionaries(
            _CELL.filter(lambda name: name != "__parentId"),
            st.one_of(_CELL, st.integers(-(10**9), 10**9), st.none(), st.booleans()),
        ),
        max_size=6,
    )
)
def test_what_was_written_as_json_lines_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("feed") / "feed.jsonl"
    path.write_text('{"first": 1}\n' + "".join(json.dumps(row) + "\n" for row in rows))
    _, read_rows = read(path)
    assert [row.values for row in read_rows] == [{"first": 1}, *rows]


@given(
    rows=st.lists(st.tuples(_CELL, _CELL), max_size=8),
    at=st.integers(0, 8),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@example(rows=[("", ",0")], at=0, quoting=csv.QUOTE_MINIMAL)
def test_a_stray_quote_hides_no_other_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], at: int, quoting: Any
) -> None:
    rows = [tuple(" ".join(cell.split()) for cell in row) for row in rows if any(cell.split() for cell in row)]  # type: ignore[misc]
    # Beside a quote that is never closed nobody can tell whether a backslash before one stands for it.
    assume(not any(cell.endswith("\\") for row in rows for cell in row))
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator="\n").writerows(rows)
    written = out.getvalue().splitlines(keepends=True)
    at = min(at, len(written))
    path = tmp_path_factory.mktemp("feed") / "feed.csv"
    path.write_text("id,title\n" + "".join([*written[:at], 'id,"stray\n', *written[at:]]), newline="")
    read_rows = [tuple(row.values.values()) for row in open_feed(path).rows if isinstance(row, Record)]
    assert read_rows == rows
