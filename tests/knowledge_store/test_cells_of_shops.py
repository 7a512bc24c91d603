"""Exports into cells as shops have them: what is held, what is filled, and where an edit goes."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert, select

from reaseq.knowledge_store.decisions import Action, decide
from reaseq.knowledge_store.feed_export import FillReport, fill_feed
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.store import CLAIM, Store
from reaseq.knowledge_store.tables import now
from reaseq.taxonomy.schema import starter_for

Values = dict[str, dict[str, list[str]]]
"""Product id to attribute to values."""
Edits = list[tuple[str, str, str, str]]
"""Product, attribute, the value before, the value after."""


def exported(
    folder: Path, data: bytes, values: Values, edits: Edits | None = None, **options: Any
) -> tuple[bytes, FillReport]:
    path, target = folder / "feed", folder / "out"
    path.write_bytes(data)
    schema = starter_for("shoes")
    assert schema is not None
    with Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        feed = open_feed(path)
        mapping = guess_columns(feed.columns, feed.fields)
        import_feed(store, feed, mapping, category="shoes", rejected_dir=folder / "rejected")
        run = store.start_run(command="test", category="shoes", model="m", engine="none", settings={}, versions={})
        store.save_schema(schema, derived_from="test", run_id=run)
        known = {"facet": "supply", "claim_type": "stated", "model": "m", "prompt_fingerprint": "p", "found_by": "both"}
        more = {"status": "verified", "verdict": "v", "created_at": now()}
        rows = [
            {"product_id": one, "attribute": name, "value": value} | known | more
            for one, by in values.items()
            for name, several in by.items()
            for value in several
        ]
        with store.writing() as connection:
            connection.execute(insert(CLAIM), rows)
        for product, name, old, new in edits or []:
            claims = select(CLAIM.c.id).where(
                CLAIM.c.product_id == product, CLAIM.c.attribute == name, CLAIM.c.value == old
            )
            with store.reading() as connection:
                claim_id = connection.execute(claims.order_by(CLAIM.c.id.desc())).scalars().first()
            assert claim_id is not None
            attribute = schema.get(name)
            one_valued = attribute is not None and not attribute.multiple
            decide(store, claim_id, Action.EDIT, by="ann", value=new, one_valued=one_valued)
        report = fill_feed(store, path, target, **options)
        # What comes out is what is there when it is imported, and comes out the same again.
        feed = open_feed(target)
        import_feed(store, feed, guess_columns(feed.columns, feed.fields), category="shoes", rejected_dir=folder)
        fill_feed(store, target, folder / "again", **options)
        assert held(folder / "again") == held(target)
    return target.read_bytes(), report


def held(path: Path) -> Any:
    """What a file holds: its bytes, of a workbook, which says when it was written, its cells."""
    from openpyxl import load_workbook

    data = path.read_bytes()
    if not data.startswith(b"PK"):
        return data
    sheet: Any = load_workbook(io.BytesIO(data)).active
    return [[cell.value for cell in row] for row in sheet]


def row(
    tmp_path: Path, columns: str, cells: str, values: dict[str, list[str]], edits: list[tuple[str, str, str]]
) -> str:
    """The cells of one product after an export, the new columns' behind a bar."""
    data = f"id;title;{columns}\n1;a;{cells}\n".encode()
    made, _ = exported(tmp_path, data, {"1": values}, [("1", *edit) for edit in edits])
    header, line = (text.split(";") for text in made.decode().splitlines())
    count = 2 + len(columns.split(";"))
    new = "".join(f"|{name}={cell}" for name, cell in zip(header[count:], line[count:], strict=True))
    return ";".join(line[2:count]) + new


BLACK: dict[str, list[str]] = {"color": ["black"]}


@pytest.mark.parametrize(
    ("columns", "cells", "values", "edits", "expected"),
    [
        # By another name, in another language, in a language of several.
        ("Colour", "Black", BLACK, [("color", "black", "brown")], "Brown"),
        ("Farbe", "Schwarz", BLACK, [("color", "black", "brown")], "Brown"),
        ("Farbe", "", BLACK, [], "black"),
        ("Absatzhöhe", "80 mm", {"heel_height": ["8 cm"]}, [("heel_height", "8 cm", "9 cm")], "90 mm"),
        ("color-de_DE;color-en_US", ";", BLACK, [], ";black"),
        ("color-de_DE;color-en_US", "schwarz;", BLACK, [], "schwarz;"),
        # One value of several, the others as they are.
        ("color", "Black / glitter (Swarovski)", BLACK, [("color", "black", "brown")], "Brown / glitter (Swarovski)"),
        ("color", "white|red|neon", {"color": ["white", "red"]}, [("color", "red", "blue")], "white|blue|neon"),
        ("color", "weiß / rot", {"color": ["white", "red"]}, [("color", "red", "blue")], "weiß / blue"),
        ("color", "Green, Brown", {"color": ["green", "brown"]}, [("color", "green", "khaki")], "Khaki, Brown"),
        (
            "upper_material", "70% mesh, 30% leather", {"upper_material": ["mesh", "leather"]},
            [("upper_material", "mesh", "knit")], "70% knit, 30% leather",
        ),
        # Two become one.
        ("color", "red, tan", {"color": ["red", "tan"]}, [("color", "red", "blue"), ("color", "tan", "blue")], "blue"),
        ("color", "red, white", {"color": ["red", "white"]}, [("color", "red", "white")], "white"),
        # Edited twice: the cell holds what the first edit replaced.
        ("color", "red, tan", {"color": ["red"]}, [("color", "red", "pink"), ("color", "pink", "blue")], "blue, tan"),
        # All at once: one value is edited into what another was.
        ("color", "red / white", {"color": ["red", "white"]},
            [("color", "white", "blue"), ("color", "red", "white")], "white / blue"),
        # Signs and markup around stay.
        ("color", "[red, white]", {"color": ["red", "white"]}, [("color", "red", "pink")], "[pink, white]"),
        ("color", "(red) & _white_", {"color": ["red", "white"]}, [("color", "red", "pink")], "(pink) & _white_"),
        ("color", "<p>red</p>", {"color": ["red"]}, [("color", "red", "pink")], "<p>pink</p>"),
        ("Heel height in mm", "40", {"heel_height": ["4 cm"]}, [("heel_height", "4 cm", "5 cm")], "50"),
        # What the cell does not say joins it, or takes its place where there is but one.
        ("color", "gold | silver", BLACK, [("color", "black", "brown")], "gold | silver | brown"),
        ("heel_height", "low", {"heel_height": ["3 cm"]}, [("heel_height", "3 cm", "4 cm")], "4 cm"),
        # One value in two words, or in two units.
        ("color", "navy blue", {"color": ["blue"]}, [("color", "blue", "red")], "red"),
        ("color", "Blue (navy) / white", {"color": ["blue"]}, [("color", "blue", "red")], "Red / white"),
        ("color", "Blue, White and Red", {"color": ["white"]}, [("color", "white", "blue")], "Blue and Red"),
        ("heel height", "3 cm (30 mm)", {"heel_height": ["3 cm"]}, [("heel_height", "3 cm", "4 cm")], "4 cm (40 mm)"),
        # A label in the cell.
        ("note", "Color: black", BLACK, [("color", "black", "brown")], "Color: brown"),
        # Units that stand beside.
        ("Heel height (cm)", "8", {"heel_height": ["8 cm"]}, [("heel_height", "8 cm", "90 mm")], "9"),
        ("Heel height (cm)", "", {"heel_height": ["35 mm"]}, [], "3.5"),
        (
            "heel_height;heel_height-unit", "80;MILLIMETER", {"heel_height": ["8 cm"]},
            [("heel_height", "8 cm", "9 cm")], "90;MILLIMETER",
        ),
        ("heel_height", "7,5 cm", {"heel_height": ["7.5 cm"]}, [("heel_height", "7.5 cm", "8.5 cm")], "8,5 cm"),
        # Words for nothing, and one that may be an answer.
        ("closure", "n/a", {"closure": ["zip"]}, [], "zip"),
        ("closure", "none", {"closure": ["zip"]}, [], "none"),
    ],
)  # fmt: skip
def test_cells(
    tmp_path: Path, columns: str, cells: str, values: dict[str, list[str]], edits: list[tuple[str, str, str]],
    expected: str,
) -> None:  # fmt: skip
    assert row(tmp_path, columns, cells, values, edits) == expected


@pytest.mark.parametrize(
    ("before", "after"), [("Black\nSilver", "Brown\nSilver"), ('[""black"",""x""]', '[""brown"",""x""]')]
)
def test_an_edit_changes_lines_and_lists_in_a_cell(tmp_path: Path, before: str, after: str) -> None:
    data = f'id,title,color\n1,a,"{before}"\n'
    made, _ = exported(tmp_path, data.encode(), {"1": BLACK}, [("1", "color", "black", "brown")])
    assert made.decode() == data.replace(before, after)


WOO = b"Type,SKU,Name,Regular price,Parent\nvariable,A,a,,\nvariation,B,,1,A\n"
GOOGLE = "id\ttitle\tdescription\tlink\timage_link\titem_group_id\tcolor\tmaterial\tgender\tage_group\n"


@pytest.mark.parametrize(
    ("data", "values", "expected"),
    [
        (
            WOO,
            {"A": {"shoe_type": ["boot"]}},
            b"Type,SKU,Name,Regular price,Parent,Meta: shoe_type\nvariable,A,a,,,boot\nvariation,B,,1,A,\n",
        ),
        (
            b"sku,attribute_set_code,product_type,name,additional_attributes\n1,D,simple,a,\n",
            {"1": {"shoe_type": ["boot"]}},
            b"sku,attribute_set_code,product_type,name,additional_attributes\n1,D,simple,a,shoe_type=boot\n",
        ),
        (
            b"TemplateType=x\nSKU\tName\nitem_sku\titem_name\tclosure_type\touter_material_type\tcolor_name\nA\ta\t\t\tRot\n",
            {"A": {"closure": ["zip"], "upper_material": ["mesh"], "color": ["red"]}},
            b"TemplateType=x\nSKU\tName\nitem_sku\titem_name\tclosure_type\touter_material_type\tcolor_name\n"
            b"A\ta\tzip\tmesh\tRot\n",
        ),
        (
            (GOOGLE + "1\ta\tb\tl\ti\t\t\t\t\tadult\n").encode(),
            {"1": {"color": ["brown", "black"], "upper_material": ["suede"], "audience": ["women"]}},
            (GOOGLE + "1\ta\tb\tl\ti\t\tbrown/black\tsuede\tfemale\tadult\n").encode(),
        ),
        # Items of a group say each their own.
        (
            (GOOGLE + "1\tBlue\tb\tl\ti\tG\t\t\t\t\n2\tRed\tc\tl\ti\tG\t\t\t\t\n").encode(),
            {"G": {"color": ["blue"]}},
            (GOOGLE + "1\tBlue\tb\tl\ti\tG\tblue\t\t\t\n2\tRed\tc\tl\ti\tG\t\t\t\t\n").encode(),
        ),
        # A row that the import set aside is left.
        (
            b"id,title,description,color\n1,a,Red,\n1,b,Green,\n",
            {"1": {"color": ["red"]}},
            b"id,title,description,color\n1,a,Red,red\n1,b,Green,\n",
        ),
        # A header of two lines.
        (
            b"Product,,Price,,Size,\nSKU,Name,Net,Gross,EU,UK\n1,a,10,12,42,8\n",
            {"1": {"color": ["brown"]}},
            b"Product,,Price,,Size,\nSKU,Name,Net,Gross,EU,UK,color\n1,a,10,12,42,8,brown\n",
        ),
        (
            b"Product,,Price,,Look,\nSKU,Name,Net,Gross,Color,Finish\n1,a,10,12,,matt\n",
            {"1": {"color": ["brown"]}},
            b"Product,,Price,,Look,\nSKU,Name,Net,Gross,Color,Finish\n1,a,10,12,brown,matt\n",
        ),
        (
            b"<html></html>"[:0] + b"id,title,specs\n1,a,<ul><li>Color: brown</li><li>Sole: rubber</li></ul>\n",
            {"1": {"color": ["brown"]}},
            b"id,title,specs\n1,a,<ul><li>Color: brown</li><li>Sole: rubber</li></ul>\n",
        ),
    ],
)
def test_systems_have_columns_of_their_own(tmp_path: Path, data: bytes, values: Values, expected: bytes) -> None:
    made, _ = exported(tmp_path, data, values)
    assert made == expected


XML = "<offers><offer><id>1</id><name>a</name>{}</offer></offers>"


@pytest.mark.parametrize(
    ("inside", "edits", "expected"),
    [
        ('<param name="Color"></param>', [], '<param name="Color">brown</param>'),
        ('<param name="Color">brown</param>', [("1", "color", "brown", "white")], '<param name="Color">white</param>'),
        ('<param name="Size">41</param>', [], '<param name="Size">41</param><param name="Color">brown</param>'),
        (
            "<color>brown</color><color>black</color>",
            [("1", "color", "brown", "white")],
            "<color>white</color><color>black</color>",
        ),
        (
            '<param name="Heel" unit="mm"/><colors><color>brown</color></colors>',
            [("1", "color", "brown", "white")],
            '<param name="Heel" unit="mm"/><colors><color>white</color></colors>',
        ),
        ("<colour>Braun</colour>", [("1", "color", "brown", "white")], "<colour>White</colour>"),
        (
            '<attribute code="color">brown</attribute>',
            [("1", "color", "brown", "white")],
            '<attribute code="color">white</attribute>',
        ),
    ],
)
def test_xml(tmp_path: Path, inside: str, edits: Edits, expected: str) -> None:
    made, _ = exported(tmp_path, XML.format(inside).encode(), {"1": {"color": ["brown"]}}, edits)
    assert made.decode() == XML.format(expected)


@pytest.mark.parametrize(("before", "after"), [("Brown", "White"), ("", "white")])
def test_attributes_of_xml(tmp_path: Path, before: str, after: str) -> None:
    data = f'<offers><offer id="1" color="{before}" n="&amp;"><name>a</name></offer></offers>'
    values, edits = (
        ({"1": {"color": ["brown"]}}, [("1", "color", "brown", "white")])
        if before
        else ({"1": {"color": ["white"]}}, [])
    )
    made, _ = exported(tmp_path, data.encode(), values, edits)
    assert made.decode() == data.replace(f'color="{before}"', f'color="{after}"')


@pytest.mark.parametrize(
    ("value", "attribute", "before", "after", "expected"),
    [
        ({"en": "brown", "de": "heute"}, "color", "brown", "white", {"en": "white", "de": "heute"}),
        ([{"name": "red"}], "color", "red", "white", [{"name": "white"}]),
        ({"value": 30, "unit": "mm"}, "heel_height", "3 cm", "4 cm", {"value": 40, "unit": "mm"}),
        (["black", "silver"], "color", "black", "brown", ["brown", "silver"]),
        (80, "heel_height", "8 cm", "9 cm", "9 cm"),  # of a number alone nobody knows the unit
    ],
)
def test_json(tmp_path: Path, value: Any, attribute: str, before: str, after: str, expected: Any) -> None:
    data = json.dumps({"id": "1", "title": "a", attribute: value}).encode() + b"\n"
    made, report = exported(tmp_path, data * 1 + b'{"id": "2", "title": "b"}\n', {"1": {attribute: [before]}},
                            [("1", attribute, before, after)])  # fmt: skip
    assert json.loads(made.splitlines()[0])[attribute] == expected
    assert (report.filled, report.added) == (1, 0)


def test_parquet(tmp_path: Path) -> None:
    """Lists and dictionaries are text too; of numbers it is said that nothing was put there."""
    table = pa.table({
        "id": ["1", "2"],
        "title": ["a", "b"],
        "color": [["black", "silver"], []],
        "closure": pa.array(["zip", None]).dictionary_encode(),
        "heel_height": [8.0, 3.0],
    })  # fmt: skip
    file = io.BytesIO()
    pq.write_table(table, file)
    values = {
        "1": {"color": ["black", "silver"], "closure": ["zip"], "heel_height": ["8 cm"]},
        "2": {"color": ["red"], "closure": ["buckle"]},
    }
    edits = [("1", "color", "black", "brown"), ("1", "heel_height", "8 cm", "9 cm")]
    made, report = exported(tmp_path, file.getvalue(), values, edits)
    written = pq.read_table(io.BytesIO(made))
    assert written.select(table.column_names).schema.equals(table.schema)
    assert written.column("color").to_pylist() == [["brown", "silver"], ["red"]]
    assert written.column("closure").to_pylist() == ["zip", "buckle"]
    assert written.column("heel_height").to_pylist() == [8.0, 3.0]
    assert written.column("heel_height (edited)").to_pylist() == ["9 cm", None]
    assert report.held == 1  # the closure


def test_what_an_encoding_has_no_signs_for(tmp_path: Path) -> None:
    data = "id;title;color\n1;Größe;red\n2;b;\n".encode("cp1252")
    made, report = exported(
        tmp_path, data, {"1": {"color": ["red"]}, "2": {"color": ["blue"]}}, [("1", "color", "red", "白")]
    )
    assert made == "id;title;color\n1;Größe;red\n2;b;blue\n".encode("cp1252")
    assert (report.unwritable, report.first_unwritable) == (1, "白")


def test_workbooks_keep_formulas_and_numbers(tmp_path: Path) -> None:
    """An edit of what a formula says goes to a column of its own; a number with its unit above is changed."""
    from openpyxl import Workbook, load_workbook

    book = Workbook()
    sheet: Any = book.active
    for cells in (["id", "title", "color", "Heel height (mm)"], ["1", "a", '=LOWER("BLACK")', 30]):
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    values = {"1": {"color": ["black"], "heel_height": ["3 cm"]}}
    edits = [("1", "color", "black", "brown"), ("1", "heel_height", "3 cm", "4 cm")]
    made, _ = exported(tmp_path, file.getvalue(), values, edits)
    written: Any = load_workbook(io.BytesIO(made)).active
    assert [[cell.value for cell in row[2:]] for row in written] == [
        ["color", "Heel height (mm)", "color (edited)"], ['=LOWER("BLACK")', 40, "brown"]
    ]  # fmt: skip


def test_google_has_two_columns_for_boys(tmp_path: Path) -> None:
    data = (GOOGLE + "1\ta\tb\tl\ti\t\t\t\t\t\n").encode()
    made, _ = exported(tmp_path, data, {"1": {"audience": ["boys"]}})
    assert made.decode().splitlines()[1].split("\t")[-2:] == ["male", "kids"]


def test_labels_within_lists_of_json(tmp_path: Path) -> None:
    data = b'{"id": "1", "title": "a", "features": ["Closure: laces", "Nice"]}\n{"id": "2", "title": "b"}\n'
    made, _ = exported(tmp_path, data, {"1": {"closure": ["lace-up"]}}, [("1", "closure", "lace-up", "slip-on")])
    assert made == data.replace(b"laces", b"slip-on")


@pytest.mark.parametrize(
    "data",
    [
        b"<shop><p><id>1</id><name>H&M Boot &eacute;t&eacute; \x0b</name><closure></closure></p></shop>",
        '<?xml version="1.0" encoding="UTF-8"?><a><p><id>1</id><name>Été</name><closure/></p></a>'.encode("cp1252"),
        b'{"1": {"title": "Boot", "closure": ""}, "2": {"title": "Shoe", "closure": ""}}',
        b'{"shop": 1, "products": {"1": {"sku": "x", "title": "Boot"}, "2": {"title": "Shoe", "sku": "y"}}}',
    ],
)  # fmt: skip
def test_odd_documents_stay_as_they_are_but_for_what_is_filled(tmp_path: Path, data: bytes) -> None:
    made, report = exported(tmp_path, data, {"1": {"closure": ["zip"]}})
    assert (report.touched, b"zip" in made) == (1, True)
    assert re.sub(rb'(?:, )?"closure": "(?:zip)?"|<closure.*(?=</p>)', b"", made) == re.sub(
        rb'(?:, )?"closure": ""|<closure.*(?=</p>)', b"", data
    )


def test_what_variants_share_is_edited_beside_their_options(tmp_path: Path) -> None:
    metafield = "Color (product.metafields.custom.color)"
    header = f"Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,{metafield}\n"
    data = f"{header}run,Runner,Size,42,Color,Black,R42,\nrun,,,43,,Black,R43,\n"
    made, _ = exported(tmp_path, data.encode(), {"run": {"color": ["black"]}}, [("run", "color", "black", "brown")])
    assert made.decode() == f"{header}run,Runner,Size,42,Color,Black,R42,brown\nrun,,,43,,Black,R43,\n"


def test_blanks_before_quotes_stay(tmp_path: Path) -> None:
    data = b'id, title, closure, x\n1, "Boot, high", "", 5\n'
    made, _ = exported(tmp_path, data, {"1": {"closure": ["zip"]}})
    assert made == data.replace(b'""', b"zip")
