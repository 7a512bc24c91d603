"""A feed with what is known filled in: what changes, and that nothing else does."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from reaseq import ReaseqError
from reaseq.graphs.first_pass import first_pass
from reaseq.graphs.options import Options
from reaseq.knowledge_store.feed_export import fill_feed
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.delimited import cell_spans
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import Record
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.store import CLAIM, PRODUCT, Store
from reaseq.knowledge_store.tables import now

Values = dict[str, dict[str, list[str]]]
"""Product id to attribute to values."""


def claim(product_id: str, attribute: str, value: str, status: str = "verified") -> dict[str, Any]:
    known = {"facet": "supply", "claim_type": "stated", "field": None, "start": None, "end": None, "quote": "red"}
    made = {"model": "m", "prompt_fingerprint": "p", "verdict": "v", "found_by": "both", "created_at": now()}
    return {"product_id": product_id, "attribute": attribute, "value": value, "status": status} | known | made


def product_of(product_id: str, source: str) -> dict[str, Any]:
    seen = {"source": source, "line": 1, "import_id": 1, "fingerprint": "f", "created_at": now(), "updated_at": now()}
    return {"id": product_id, "title": "a", "description": "", "attributes": {}} | seen


def filled(
    tmp_path: Path, data: bytes, values: Values, *, status: str = "verified", **options: Any
) -> tuple[bytes, list[dict[str, Any]]]:
    """The feed after import, knowledge and export, and the notes beside it."""
    path, target = tmp_path / "feed", tmp_path / "out"
    path.write_bytes(data)
    feed = open_feed(path)
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        import_feed(store, feed, guess_columns(feed.columns, feed.fields), rejected_dir=tmp_path / "rejected")
        rows = [
            claim(one, name, value, status) for one, by in values.items() for name, many in by.items() for value in many
        ]
        with store.writing() as connection:
            connection.execute(insert(CLAIM), [*rows, claim(next(iter(values)), "color", "no", "rejected")])
        fill_feed(store, path, target, **options)
    notes = (tmp_path / "out.provenance.jsonl").read_text(encoding="utf-8").splitlines()
    return target.read_bytes(), [json.loads(line) for line in notes]


CASES = [
    pytest.param(
        b'id,title,color\n1,"Red, shoe",\n2,b,blue\n3,c,\n',
        b'id,title,color,material\n1,"Red, shoe",red,"mesh, knit"\n2,b,blue,\n3,c,,\n',
        {"1": {"color": ["red"], "material": ["mesh", "knit"]}, "2": {"color": ["green"]}},
        id="an empty cell, a full cell, a new column, a row of which nothing is known",
    ),
    pytest.param(
        "\ufeffid;titel;farbe\r\n1;Schuh „é“;\r\n".encode(),
        "\ufeffid;titel;farbe;color\r\n1;Schuh „é“;;rot\r\n".encode(),
        {"1": {"color": ["rot"]}},
        id="byte order mark, semicolons, CRLF",
    ),
    pytest.param(
        "id\ttitle\n1\té\n".encode("utf-16-be"),
        "id\ttitle\tcolor\n1\té\tred\n".encode("utf-16-be"),
        {"1": {"color": ["red"]}},
        id="UTF-16",
    ),
    pytest.param(
        "\ufeffid\ttitle\n1\té\n".encode("utf-16-be"),
        "\ufeffid\ttitle\tcolor\n1\té\tred\n".encode("utf-16-be"),
        {"1": {"color": ["red"]}},
        id="UTF-16 with a mark",
    ),
    pytest.param(
        "id,title\n1,Schuh é\n".encode("cp1252"),
        "id,title,color\n1,Schuh é,red\n".encode("cp1252"),
        {"1": {"color": ["red"]}},
        id="cp1252",
    ),
    pytest.param(
        b'id,title,a,b\n1,"two\nlines",,\n\n2,bad,1,2,3,4\n3,\xff\xfe,1,2\n4,x,1,2,,\n5,"open\n6,z,1,2',
        b'id,title,a,b,color\n1,"two\nlines",,,red\n\n2,bad,1,2,3,4\n3,\xff\xfe,1,2\n4,x,1,2,blue,,\n5,"open\n6,z,1,2,tan',
        {"1": {"color": ["red"]}, "4": {"color": ["blue"]}, "6": {"color": ["tan"]}},
        id="short and long rows, rows set aside, an open quote, no last line end",
    ),
    pytest.param(
        "sep=;\nid;title;a\u2028b\x0bc\n1;x;\u2028\n".encode(),
        "sep=;\nid;title;a\u2028b\x0bc;color\n1;x;\u2028;red\n".encode(),
        {"1": {"color": ["red"]}},
        id="signs that only str.splitlines takes for line ends",
    ),
    pytest.param(
        b"sep=;\nid;title\n1;a\n", b"sep=;\nid;title;color\n1;a;red\n", {"1": {"color": ["red"]}}, id="a sep= line"
    ),
    pytest.param(
        b'{"id": 1,  "title":"a", "color": null}\n\n{"id":2,"title":"b","color":"x"}\nnonsense\n'
        b'{"id": "3", "title": "\\u00e9"}',
        b'{"id": 1,  "title":"a", "color": "red", "material": ["mesh", "knit"]}\n\n{"id":2,"title":"b","color":"x"}\n'
        b'nonsense\n{"id": "3", "title": "\\u00e9", "color": "tan"}',
        {"1": {"color": ["red"], "material": ["mesh", "knit"]}, "2": {"color": ["y"]}, "3": {"color": ["tan"]}},
        id="JSON lines",
    ),
    pytest.param(
        b'[ {"id":1,"title":"a" ,"color":null},\n 7,\n{"id":2,\t"title":"b"}\n]\n',
        b'[ {"id":1,"title":"a" ,"color":"red"},\n 7,\n{"id":2,\t"title":"b", "color": "tan"}\n]\n',
        {"1": {"color": ["red"]}, "2": {"color": ["tan"]}},
        id="a JSON array",
    ),
    pytest.param(
        '\ufeff{"shop": {"id": "]"}, "data": {"products" : [{"id": 1, "title": "é"}, '
        '{"id": 2, "title": "b"}], "n": 2}}'.encode(),
        '\ufeff{"shop": {"id": "]"}, "data": {"products" : [{"id": 1, "title": "é", "color": "red"}, '
        '{"id": 2, "title": "b"}], "n": 2}}'.encode(),
        {"1": {"color": ["red"]}},
        id="a JSON document",
    ),
    pytest.param(
        b'{\n "id": 1,\n "title": "a"\n}\n',
        b'{\n "id": 1,\n "title": "a"\n, "color": "red"}\n',
        {"1": {"color": ["red"]}},
        id="one JSON object",
    ),
    pytest.param(
        b'[{"id":1,"title":"a"},{"id":2,"title":',
        b'[{"id":1,"title":"a", "color": "red"},{"id":2,"title":',
        {"1": {"color": ["red"]}},
        id="a JSON array that breaks off",
    ),
    pytest.param(
        '<?xml version="1.0" encoding="iso-8859-1"?>\r\n<shop><!-- <item> -->\r\n <item nr="1>0">\r\n  <id>1</id>\r\n'
        "  <title>é &amp; a</title><color/>\r\n </item>\r\n <item><id>2</id><title>b</title><color>blue</color>"
        "<like><item><id>9</id></item></like></item>\r\n <item><id>3</id><title>c</title></item></shop>".encode(
            "latin-1"
        ),
        '<?xml version="1.0" encoding="iso-8859-1"?>\r\n<shop><!-- <item> -->\r\n <item nr="1>0">\r\n  <id>1</id>\r\n'
        "  <title>é &amp; a</title><color>red &lt; &#20013;</color><material>mesh, knit</material>\r\n </item>\r\n"
        " <item><id>2</id><title>b</title><color>blue</color><like><item><id>9</id></item></like></item>\r\n"
        " <item><id>3</id><title>c</title></item></shop>".encode("latin-1"),
        {"1": {"color": ["red < 中"], "material": ["mesh", "knit"]}, "2": {"color": ["green"]}},
        id="XML: an empty element, a full one, a new one; comments, records within records",
    ),
    pytest.param(
        "\ufeffWarning: é in x.php on line 1\n<!-- ü -->\n<?xml version='1.0'?>\n<shop><item><id>1</id><title>a</title>"
        "<description><p>b</p></description><color/></item></shop>".encode(),
        "\ufeffWarning: é in x.php on line 1\n<!-- ü -->\n<?xml version='1.0'?>\n<shop><item><id>1</id><title>a</title>"
        "<description><p>b</p></description><color>red</color></item></shop>".encode(),
        {"1": {"color": ["red"]}},
        id="XML with lines before its declaration, and markup",
    ),
    pytest.param(
        b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item>\n <g:id>1</g:id>\n <g:title>a</g:title>\n</item>'
        b"<item><g:id>2</g:id><g:title>b</g:title></item></channel></rss>",
        b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item>\n <g:id>1</g:id>\n <g:title>a</g:title>'
        b"\n <g:color>red</g:color>\n</item><item><g:id>2</g:id><g:title>b</g:title></item></channel></rss>",
        {"1": {"color": ["red"]}},
        id="a Google feed: its prefix, its line breaks",
    ),
    pytest.param(
        "<a><p><id>1</id><title>é</title></p><p><id>2</id><title>b</title></p></a>".encode("utf-16"),
        "<a><p><id>1</id><title>é</title></p><p><id>2</id><title>b</title><color>tan</color></p></a>".encode("utf-16"),
        {"2": {"color": ["tan"]}},
        id="XML in UTF-16",
    ),
    pytest.param(
        b"<a><p><id>1</id><title>a</title></p><p><id>2</id><title>b</ti",
        b"<a><p><id>1</id><title>a</title><color>tan</color></p><p><id>2</id><title>b</ti",
        {"1": {"color": ["tan"]}},
        id="XML that breaks off",
    ),
    pytest.param(
        b"Handle,Title,Option1 Name,Option1 Value,Color (product.metafields.shopify.color)\n"
        b"l,L,Size,40,\nl,,,41,\nm,M,,,\n",
        b"Handle,Title,Option1 Name,Option1 Value,Color (product.metafields.shopify.color),"
        b"Sole material (product.metafields.reaseq.sole_material)\nl,L,Size,40,red,rubber\nl,,,41,,\nm,M,,,,\n",
        {"l": {"color": ["red"], "sole_material": ["rubber"]}},
        id="Shopify: metafields, variants left alone",
    ),
    pytest.param(
        b"TemplateType=x\tVersion=1\nSKU\tName\nitem_sku\titem_name\nA\ta\n",
        b"TemplateType=x\tVersion=1\nSKU\tName\nitem_sku\titem_name\tcolor\nA\ta\tred\n",
        {"A": {"color": ["red"]}},
        id="Amazon: names in the third line",
    ),
    pytest.param(
        b"Type,SKU,Name,Regular price,Parent\nvariable,A,a,,\nvariation,B,,1,A\n",
        b"Type,SKU,Name,Regular price,Parent,Meta: color\nvariable,A,a,,,red\nvariation,B,,1,A,\n",
        {"A": {"color": ["red"]}},
        id="WooCommerce",
    ),
]


MAGENTO = b"sku,attribute_set_code,product_type,name,additional_attributes\n"
GOOGLE = b"<rss xmlns:g='g'><channel><item><g:id>1</g:id><g:title>a</g:title><g:link>l</g:link><g:image_link/>"
DETAIL = (
    b"<g:product_detail><g:attribute_name>%s</g:attribute_name><g:attribute_value>%s</g:attribute_value>"
    b"</g:product_detail>"
)
PACKED = [
    pytest.param(
        MAGENTO + b'1,D,simple,a,"color=Blue,material=Wool|Fleece,gender="\n2,D,simple,b,\n',
        MAGENTO + b'1,D,simple,a,"color=Blue,material=Wool|Fleece,gender=women|men,sole_material=rubber"\n'
        b"2,D,simple,b,color=tan\n",
        {
            "1": {"color": ["red"], "material": ["mesh"], "gender": ["women", "men"], "sole_material": ["rubber"]},
            "2": {"color": ["tan"]},
        },
        id="Magento: what is held stays, what is empty is filled, the rest joins it",
    ),
    pytest.param(
        b'id;title;specs\n1;a;"Color: red\nMaterial: "\n2;b;plain words, no names: none\n',
        b'id;title;specs;color\n1;a;"Color: red\nMaterial: mesh, knit";\n2;b;plain words, no names: none;blue\n',
        {"1": {"color": ["green"], "material": ["mesh", "knit"]}, "2": {"color": ["blue"]}},
        id="a line each",
    ),
    pytest.param(
        b'id,title,specs\n1,a,"{""color"": ""red"", ""material"": null}"\n',
        b'id,title,specs\n1,a,"{""color"": ""red"", ""material"": ""mesh, knit""}"\n',
        {"1": {"color": ["green"], "material": ["mesh", "knit"]}},
        id="an object in a cell",
    ),
    pytest.param(
        b'[{"id": 1, "title": "a", "more": [{"name": "Color", "value": "red"}, {"name": "Fabric", "value": ""}]}]',
        b'[{"id": 1, "title": "a", "more": [{"name": "Color", "value": "red"}, {"name": "Fabric", "value": "mesh"}]}]',
        {"1": {"color": ["green"], "fabric": ["mesh"]}},
        id="a list of names with values",
    ),
    pytest.param(
        b"Type,SKU,Name,Regular price,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s)\n"
        b"simple,A,a,1,Color,blue,Material,\nsimple,B,b,1,Material,mesh,,\n",
        b"Type,SKU,Name,Regular price,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s),"
        b"Meta: color\nsimple,A,a,1,Color,blue,Material,knit,\nsimple,B,b,1,Material,mesh,,,tan\n",
        {"A": {"color": ["red"], "material": ["knit"]}, "B": {"color": ["tan"], "material": ["knit"]}},
        id="WooCommerce: columns of names beside columns of values",
    ),
    pytest.param(
        b"Handle,Title,Option1 Name,Option1 Value\nl,L,Color,red\nl,,,blue\n",
        b"Handle,Title,Option1 Name,Option1 Value\nl,L,Color,red\nl,,,blue\n",
        {"l": {"color": ["red"]}},
        id="Shopify: what its variants differ by",
    ),
    pytest.param(
        GOOGLE + DETAIL % (b"Material", b"wool") + b"</item></channel></rss>",
        GOOGLE
        + DETAIL % (b"Material", b"wool")
        + b"<g:color>red</g:color>"
        + DETAIL % (b"Sole material", b"rubber")
        + b"</item></channel></rss>",
        {"1": {"material": ["mesh"], "color": ["red"], "sole_material": ["rubber"]}},
        id="Google: its own fields, details for the rest",
    ),
    pytest.param(
        b"id\ttitle\tlink\timage_link\tproduct_detail\n1\ta\tl\ti\tGeneral:Material:wool,General:Sole:\n2\tb\tl\ti\t\n",
        b"id\ttitle\tlink\timage_link\tproduct_detail\tcolor\n"
        b"1\ta\tl\ti\tGeneral:Material:wool,General:Sole:,:Closure:zip / snap\tred\n2\tb\tl\ti\t:Closure:zip\t\n",
        {"1": {"material": ["mesh"], "color": ["red"], "closure": ["zip", "snap"]}, "2": {"closure": ["zip"]}},
        id="Google, as text",
    ),
]


@pytest.mark.parametrize(("data", "expected", "values"), PACKED)
def test_what_cells_hold_among_others(tmp_path: Path, data: bytes, expected: bytes, values: Values) -> None:
    made, _ = filled(tmp_path, data, values)
    assert made == expected
    # Out again it is the same: what was written counts as held.
    again, _ = filled(_empty(tmp_path / "again"), expected, values)
    assert again == expected


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


EDITED = [
    (
        MAGENTO + b'1,D,simple,a,"color=Blue,material=Wool|Fleece"\n',
        MAGENTO + b'1,D,simple,a,"color=Blue,material=mesh|knit"\n',
    ),
    (
        b'id,title,specs\n1,a,"Material: wool; Color: red"\n',
        b'id,title,specs\n1,a,"Material: mesh, knit; Color: red"\n',
    ),
    (
        GOOGLE + DETAIL % (b"Material", b"wool") + b"</item></channel></rss>",
        GOOGLE + DETAIL % (b"Material", b"mesh, knit") + b"</item></channel></rss>",
    ),
    (b'{"id": 1, "title": "a", "material": "wool"}\n', b'{"id": 1, "title": "a", "material": ["mesh", "knit"]}\n'),
]


EDITED += [
    (
        b"Type,SKU,Name,Regular price,Meta: specs\nsimple,1,'+Size tee,9,'- Material: wool; Color: red\n",
        b"Type,SKU,Name,Regular price,Meta: specs\nsimple,1,'+Size tee,9,\"'- Material: mesh, knit; Color: red\"\n",
    )
]


@pytest.mark.parametrize(("data", "expected"), EDITED)
def test_an_edit_goes_into_the_cell(tmp_path: Path, data: bytes, expected: bytes) -> None:
    made, notes = filled(tmp_path, data, {"1": {"material": ["mesh", "knit"]}}, status="edited")
    assert made == expected
    assert [note["value"] for note in notes] == ["mesh", "knit"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, b"id,title,color\n1,a,red\n2,b,blue\n3,c,tan\n"),
        ({"only_decided": True}, b"id,title,color\n1,a,\n2,b,\n3,c,tan\n"),
        ({"least": 0.95}, b"id,title,color\n1,a,\n2,b,blue\n3,c,tan\n"),
    ],
)
def test_only_what_is_sure_enough(tmp_path: Path, options: dict[str, Any], expected: bytes) -> None:
    path, target = tmp_path / "feed.csv", tmp_path / "out.csv"
    path.write_bytes(b"id,title\n1,a\n2,b\n3,c\n")
    feed = open_feed(path)
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        import_feed(store, feed, guess_columns(feed.columns), rejected_dir=tmp_path)
        rows = [
            claim("1", "color", "red") | {"confidence": 0.92},
            claim("2", "color", "blue") | {"confidence": 0.97},
            claim("3", "color", "tan", "approved") | {"confidence": None},
        ]
        with store.writing() as connection:
            connection.execute(insert(CLAIM), rows)
        fill_feed(store, path, target, **options)
    assert target.read_bytes() == expected


@pytest.mark.parametrize(("data", "expected", "values"), [*CASES, *PACKED])
def test_with_nothing_known_it_is_as_it_was(tmp_path: Path, data: bytes, expected: bytes, values: Values) -> None:
    made, _ = filled(tmp_path, data, values, status="rejected")
    assert made == data


@pytest.mark.parametrize(("data", "expected", "values"), CASES)
def test_fill(tmp_path: Path, data: bytes, expected: bytes, values: Values) -> None:
    made, notes = filled(tmp_path, data, values)
    assert made == expected
    assert {note["attribute"] for note in notes} <= {"color", "material", "sole_material"}
    assert all(note["value"] in values[note["product_id"]][note["attribute"]] for note in notes)
    assert all(note["quote"] == "red" and note["model"] == "m" for note in notes)


@pytest.mark.parametrize(("data", "expected", "values"), CASES[:1])
def test_compressed_stays_compressed(tmp_path: Path, data: bytes, expected: bytes, values: Values) -> None:
    made, _ = filled(tmp_path, gzip.compress(data), values)
    assert gzip.decompress(made) == expected


@pytest.mark.parametrize(("data", "expected", "values"), CASES)
def test_what_was_filled_imports_as_before(tmp_path: Path, data: bytes, expected: bytes, values: Values) -> None:
    """The filled file is read as the same products, with more attributes."""
    read = {}
    for name, content in (("before", data), ("after", expected)):
        path = tmp_path / name
        path.write_bytes(content)
        feed = open_feed(path)
        mapping = guess_columns(feed.columns, feed.fields)
        with Store.open(f"sqlite:///{tmp_path / name}.sqlite") as store:
            report = import_feed(store, feed, mapping, rejected_dir=tmp_path / "rejected")
            products = [store.product(one) for one in store.product_ids()]
        read[name] = (
            [(one["id"], one["title"], one["price"]) for one in products if one],
            report.set_aside,
            report.variants,
        )
    assert read["before"] == read["after"]


@pytest.mark.parametrize("defuse", [False, True])
def test_formulas_are_defused_on_request(tmp_path: Path, defuse: bool) -> None:
    made, _ = filled(tmp_path, b"id,title\n1,a\n", {"1": {"color": ["=1+1"]}}, defuse=defuse)
    assert made == (b"id,title,color\n1,a,'=1+1\n" if defuse else b"id,title,color\n1,a,=1+1\n")


def test_what_cannot_be_filled_is_told(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("id,title\n1,a\n")
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        with pytest.raises(ReaseqError, match="is the feed itself"):
            fill_feed(store, path, path)
        page = tmp_path / "feed.html"
        product = '{"@context": "https://schema.org", "@type": "Product", "sku": "1", "name": "a"}'
        page.write_text(f'<html><script type="application/ld+json">{product}</script></html>')
        with pytest.raises(ReaseqError, match="CSV, TSV, JSON, XML, Excel and Parquet"):
            fill_feed(store, page, tmp_path / "out")
        with store.writing() as connection:
            connection.execute(insert(PRODUCT), product_of("1", "odd.xml"))
            connection.execute(insert(CLAIM), [claim("1", "color", "red")])
        odd = tmp_path / "odd.xml"
        odd.write_text('<!DOCTYPE a [<!ENTITY e "x">]><a><p><id>1</id><title>&e;</title></p><p><id>2</id></p></a>')
        with pytest.raises(ReaseqError, match="defines entities of its own"):
            fill_feed(store, odd, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(("status", "color"), [("verified", ["red", "blue", None]), ("edited", ["red", "green", None])])
def test_an_edited_value_replaces_what_a_cell_holds(tmp_path: Path, status: str, color: list[str | None]) -> None:
    """In every format alike; the others stay as they were."""
    from openpyxl import Workbook, load_workbook

    book = Workbook()
    notes = book.active
    assert notes is not None
    notes.title = "Notes"
    notes.append(["Prices in euros"])
    sheet = book.create_sheet("Products")
    for row in (
        ["Spring list"],
        ["id", "title", "color", "twice"],
        [1, "a", None, "=A3*2"],
        [2, "b", "blue", 7],
        [3, "c"],
    ):
        sheet.append(row)
    sheet["B3"].number_format = "@"
    book.save(tmp_path / "feed.xlsx")
    table = pa.table(
        {"id": [1, 2, 3], "title": ["a", "b", "c"], "color": [None, "blue", None], "sizes": [[1], [2], []]}
    )
    pq.write_table(table, tmp_path / "feed.parquet", row_group_size=2, compression="zstd")
    (tmp_path / "feed.csv").write_text('id,title,color\n1,a,\n2,b,"blue"\n3,c,\n')
    (tmp_path / "feed.jsonl").write_text(
        '{"id":1,"title":"a","color":""}\n{"id":2,"title":"b","color":"blue"}\n{"id":3,"title":"c"}\n'
    )
    for ending in ("xlsx", "parquet", "csv", "jsonl"):
        path, target = tmp_path / f"feed.{ending}", tmp_path / f"out.{ending}"
        feed = open_feed(path)
        with Store.open(f"sqlite:///{tmp_path / ending}.sqlite") as store:
            report = import_feed(store, feed, guess_columns(feed.columns, feed.fields), rejected_dir=tmp_path / "bad")
            assert report.new == 3, ending
            rows = [claim("1", "color", "red"), claim("2", "color", "green", status), claim("3", "name", "=1+1\x07")]
            with store.writing() as connection:
                connection.execute(insert(CLAIM), rows)
            made = fill_feed(store, path, target)
        assert (made.rows, made.added, made.filled) == (3, 1, 1 + (status == "edited")) or ending == "jsonl"
        again = {row.values["id"]: row.values for row in open_feed(target).rows if isinstance(row, Record)}
        known = [again[key].get("color") or None for key in sorted(again)]
        assert known == color, ending
        assert "=1+1" in str(again[sorted(again)[2]]["name"]), ending
    written = load_workbook(tmp_path / "out.xlsx")
    assert written["Notes"]["A1"].value == "Prices in euros"
    products = written["Products"]
    assert (products["A1"].value, products["D3"].value, products["B3"].number_format) == ("Spring list", "=A3*2", "@")
    assert (products["E2"].value, products["E5"].value, products["E5"].data_type) == ("name", "=1+1", "s")
    before, after = pq.ParquetFile(tmp_path / "feed.parquet"), pq.ParquetFile(tmp_path / "out.parquet")
    assert after.read(["id", "title", "sizes"]).equals(before.read(["id", "title", "sizes"]))
    assert after.num_row_groups == 2
    assert after.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("status", ["verified", "edited"])
def test_cells_merged_over_rows_are_left(tmp_path: Path, status: str) -> None:
    """They are several products' at once; what is only one's is filled, an edit goes to a column of its own."""
    from openpyxl import Workbook, load_workbook

    book = Workbook()
    sheet: Any = book.active
    for row in (["id", "title", "color", "closure"], [1, "a", "blue"], [2, "b"], [3, "c"]):
        sheet.append(row)
    sheet.merge_cells("C2:C3")
    book.save(tmp_path / "feed.xlsx")
    feed = open_feed(tmp_path / "feed.xlsx")
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite") as store:
        import_feed(store, feed, guess_columns(feed.columns, feed.fields), rejected_dir=tmp_path / "bad")
        rows = [claim("2", "color", "green", status), claim("2", "closure", "zip"), claim("3", "color", "red")]
        with store.writing() as connection:
            connection.execute(insert(CLAIM), rows)
        made = fill_feed(store, tmp_path / "feed.xlsx", tmp_path / "out.xlsx")
    written: Any = load_workbook(tmp_path / "out.xlsx").active
    cells = [[cell.value for cell in row[2:]] for row in written]
    assert [row[:2] for row in cells] == [["color", "closure"], ["blue", None], [None, "zip"], ["red", None]]
    edited = status == "edited"
    assert [row[2:] for row in cells] == ([["color (edited)"], [None], ["green"], [None]] if edited else [[]] * 4)
    assert (made.filled, made.added, made.held) == (2, int(edited), int(not edited))


CELLS = st.text(st.sampled_from('ab",;\n\r \té'), max_size=8)


@given(st.lists(CELLS, min_size=1, max_size=5), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_cells_are_found_where_a_csv_reader_finds_them(cells: list[str], quoting: Any) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerow(cells)
    text = out.getvalue()
    spans = cell_spans(text, ",", len(cells))
    assert len(spans) == len(cells)
    assert [next(csv.reader([text[start:end]]), [""])[0] if start < end else "" for start, end in spans] == cells


@given(st.text(st.sampled_from('ab", \té'), min_size=1, max_size=16))
def test_cells_that_no_csv_writer_would_have_written(line: str) -> None:
    """What stands behind a closing quote is part of the cell, as csv reads it."""
    cells = next(csv.reader([line]))
    if '"' not in "".join(cells):
        spans = cell_spans(line + "\n", ",", len(cells))
        assert [next(csv.reader([line[start:end]]), [""])[0] if start < end else "" for start, end in spans] == cells


@pytest.mark.parametrize(
    "cell", ['"Green rubber clog" ', '"Green" rubber clog', '"Clog" by Acme', '"Green" "rubber" clog']
)
@pytest.mark.parametrize("sign", [",", "\t"])
def test_a_row_with_text_behind_a_quote_stays_a_row(tmp_path: Path, cell: str, sign: str) -> None:
    lines = ["id,title,description,color,price", f"1,Rubber clog,{cell},,30", "2,Boot,Black leather boot,,20"]
    path, target = tmp_path / "feed.csv", tmp_path / "out.csv"
    path.write_text("\n".join(lines).replace(",", sign) + "\n")
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite") as store:
        feed = open_feed(path)
        import_feed(store, feed, guess_columns(feed.columns, feed.fields), category="shoes", rejected_dir=tmp_path)
        first_pass(store, Options("shoes"), processes=1)
        fill_feed(store, path, target)
    header, first, second = (line.split(sign) for line in target.read_text().splitlines())
    assert len(header) == len(first) == len(second) > 5
    assert (first[2], first[4], second[2]) == (cell, "30", "Black leather boot")
    assert second[3] == "black"


def test_an_update_by_another_file_is_no_bar(tmp_path: Path) -> None:
    """Products of the feed that a price list has touched since still come out with what is known of them."""
    path, target = tmp_path / "feed.csv", tmp_path / "out.csv"
    path.write_text("id,title,price\nA,Clog,59\nB,Boot,79\n")
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite") as store:

        def bring(file: Path) -> None:
            feed = open_feed(file)
            mapping = guess_columns(feed.columns, feed.fields)
            import_feed(store, feed, mapping, category="shoes", rejected_dir=tmp_path)

        bring(path)
        first_pass(store, Options("shoes"), processes=1)
        (tmp_path / "prices.csv").write_text("id,price\nA,55\n")
        bring(tmp_path / "prices.csv")
        fill_feed(store, path, target)
    assert target.read_text() == "id,title,price,shoe_type\nA,Clog,59,clog\nB,Boot,79,boot\n"
