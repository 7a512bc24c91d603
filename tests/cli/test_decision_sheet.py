"""Decisions as sheets: what is open goes out, what is filled in comes back, whatever a spreadsheet made of it."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from reaseq import ReaseqError
from reaseq.cli.main import app
from reaseq.knowledge_store.decisions import decisions
from reaseq.knowledge_store.store import CLAIM, Store
from reaseq.knowledge_store.tables import now
from reaseq.taxonomy.schema import starter_for
from tests.cli.conftest import Run

ATTRIBUTES = "color, heel_height, model_name, sole_material, upper_material"
STORE = "sqlite:///.reaseq/store.sqlite"
FEED = """sku,ean,title,description
K-1,4006381333931,Kea Runner,Black mesh upper with a rubber sole.
K-2,4006381333948,Kea Walker,=SUM(A1) of suede.
-7,,Kea Pump,Heel 8 cm.
"""


@pytest.fixture
def catalogue(run: Run) -> Run:
    """`run`, in a folder with two shoes and claims on them."""
    Path("feed.csv").write_text(FEED)
    run("import", "feed.csv", "--category", "shoes")
    schema = starter_for("shoes")
    assert schema is not None
    with Store.open(STORE) as store:
        run_id = store.start_run(command="test", category="shoes", model="", engine="", settings={}, versions={})
        store.save_schema(schema, derived_from="", run_id=run_id)
        rows = [
            ("K-1", "upper_material", "mesh", "verified"),
            ("K-1", "sole_material", "rubber", "proposed"),
            ("K-1", "color", "black", "proposed"),
            ("K-2", "upper_material", "suede", "proposed"),
            ("K-2", "model_name", "=SUM(A1)", "proposed"),
            ("-7", "heel_height", "8 cm", "proposed"),
        ]
        with store.writing() as connection:
            for product, attribute, value, status in rows:
                connection.execute(
                    CLAIM.insert().values(
                        product_id=product, attribute=attribute, value=value, facet="supply", claim_type="stated",
                        verdict="", status=status, found_by="lexicon", model="", prompt_fingerprint="",
                        created_at=now(),
                    )
                )  # fmt: skip
    return run


def sheet(*decisions: str, header: str = "product_id,attribute,value,decision,new_value") -> Path:
    path = Path("decisions.csv")
    path.write_text("\n".join([header, *decisions]) + "\n", encoding="utf-8")
    return path


def held() -> dict[tuple[str, str, str], str]:
    with Store.open(STORE) as store:
        claims = [claim for product in ("K-1", "K-2", "-7") for claim in store.knowledge(product)[0]]
    return {(claim["product_id"], claim["attribute"], claim["value"]): claim["status"] for claim in claims}


def counted(output: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"│ ([a-z ]+?) │ (\d+) │", output) if name != "header line"}


def test_out_filled_in_and_back(catalogue: Run) -> None:
    said = catalogue("review", "export", "open.csv")
    assert said == "6 claims written to open.csv. Fill in `decision`, then: reaseq review apply open.csv"
    rows = list(csv.DictReader(Path("open.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["value"] for row in rows if row["attribute"] == "model_name"] == ["'=SUM(A1)"]
    filled = {
        "mesh": ("approve", ""),
        "rubber": ("Edit", "EVA"),
        "black": ("r", ""),
        "'=SUM(A1)": ("approve", ""),
        "8 cm": ("yes", ""),
    }
    for row in rows:
        row["decision"], row["new_value"] = filled.get(row["value"], ("", ""))
    with Path("open.csv").open("w", encoding="cp1252", newline="") as file:  # as Excel saves it in Germany
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    said = catalogue("review", "apply", "open.csv", "--by", "ann")
    assert counted(said) == {
        "approved": 3, "edited": 1, "rejected": 1, "decided so already": 0, "left open": 1, "set aside": 0
    }  # fmt: skip
    assert held() == {
        ("K-1", "upper_material", "mesh"): "approved",
        ("K-1", "sole_material", "rubber"): "rejected",
        ("K-1", "sole_material", "EVA"): "edited",
        ("K-1", "color", "black"): "rejected",
        ("K-2", "upper_material", "suede"): "proposed",
        ("K-2", "model_name", "=SUM(A1)"): "approved",
        ("-7", "heel_height", "8 cm"): "approved",
    }
    with Store.open(STORE) as store:
        log = decisions(store)
    assert {(row["by"], row["source"]) for row in log} == {("ann", "open.csv")}
    assert "ann (open.csv)" in catalogue("review", "log")
    # Once more: nothing is decided twice.
    assert counted(catalogue("review", "apply", "open.csv", "--by", "bob"))["decided so already"] == 5
    with Store.open(STORE) as store:
        assert len(decisions(store)) == len(log)
    catalogue("review", "export", "open.jsonl")
    (left,) = map(json.loads, Path("open.jsonl").read_text().splitlines())
    assert (left["product_id"], left["value"], left["decision"]) == ("K-2", "suede", "")


def test_a_product_by_any_name_and_a_synonym(catalogue: Run) -> None:
    path = sheet("4006381333931,sole_material,Rubber,edit,Gummi", "4006381333948,upper_material,SUEDE,ok,")
    path.write_text(path.read_text().replace("Gummi", "Kautschuk"))
    said = catalogue("review", "apply", str(path), "--by", "ann")
    assert counted(said)["approved"] == 1
    assert held()["K-2", "upper_material", "suede"] == "approved"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("K-9,color,black,approve,", "the item is not in the catalogue: K-9"),
        ("K-1,color,white,approve,", "K-1 has no claim color: white (was it replaced by a run?)"),
        ("K-1,color,black,maybe,", "its decision is neither approve nor edit nor reject: 'maybe'"),
        ("K-1,color,black,edit,", "an edit without a new value"),
        ("K-1,color,black,,navy", "a new value, no decision"),
        ("K-1,color,black,approve,navy", "a new value, and the decision 'approve'"),
        ("K-1,color,black,edit,glitterish", "'glitterish' is none of the values of color:"),
        (
            "-7,heel_height,8 cm,edit,tall",
            "'tall' is none of the values of heel_height: a number and a unit (cm, mm, in",
        ),
        ("-7,heel_height,8 cm,edit,3 kg", "'3 kg' is none of the values of heel_height"),
        ("K-1,color,black,edit,schwarz", "'schwarz' is another word for 'black', so that nothing would change"),
        ("K-1,color,black,edit,black", "an edit to the value that is there, 'black', so that nothing would change"),
        ("K-1,color,black,edit,BLACK", "an edit to the value that is there, 'black', so that nothing would change"),
        ("-7,heel_height,8 cm,edit,80 mm", "'80 mm' is another word for '8 cm', so that nothing would change"),
        ("-7,heel_height,8 cm,edit,-4 cm", "'-4 cm' is none of the values of heel_height"),
    ],
)
def test_what_cannot_be_followed_is_set_aside(catalogue: Run, row: str, reason: str) -> None:
    said = catalogue("review", "apply", str(sheet(row)), "--by", "ann")
    assert counted(said)["set aside"] == 1
    assert f"line 2: {reason}" in " ".join(said.split())
    with Store.open(STORE) as store:
        assert not decisions(store)
    aside = Path(".reaseq/rejected/decisions.csv-decisions.csv").read_text(encoding="utf-8").splitlines()
    assert [one["line"] for one in csv.DictReader(aside)] == ["2"]


@pytest.mark.parametrize(
    ("row", "claim"),
    [
        ("-7,heel_height,8 cm,edit,90 mm", ("-7", "heel_height", "9 cm")),
        ('-7,Heel Height,8 cm,edit,"7,5 cm"', ("-7", "heel_height", "7.5 cm")),
        ("K-1,Color,BLACK,edit,Rot", ("K-1", "color", "red")),
    ],
)
def test_values_and_attributes_as_people_write_them(catalogue: Run, row: str, claim: tuple[str, str, str]) -> None:
    catalogue("review", "apply", str(sheet(row)), "--by", "ann")
    assert held()[claim] == "edited"


def test_a_row_that_names_another_title(catalogue: Run) -> None:
    """A spreadsheet took the zeros of an id, and the rest is another product's."""
    header = "product_id,title,attribute,value,decision"
    path = sheet("K-1,Kea Walker,color,black,approve", "K-1,Kea  Runner,sole_material,rubber,approve", header=header)
    said = catalogue("review", "apply", str(path), "--by", "ann")
    assert "K-1 is called 'Kea Runner', not 'Kea Walker': is the id right?" in " ".join(said.split())
    assert (held()["K-1", "color", "black"], held()["K-1", "sole_material", "rubber"]) == ("proposed", "approved")


def test_words_that_are_gone_are_not_decided_on(catalogue: Run) -> None:
    with Store.open(STORE) as store, store.writing() as connection:
        place = {"field": "description", "start": 0, "end": 5, "quote": "Black"}
        connection.execute(CLAIM.update().where(CLAIM.c.attribute == "color").values(**place))
    Path("feed.csv").write_text(FEED.replace("Black mesh", "Blue mesh"))
    catalogue("import", "feed.csv", "--category", "shoes")
    said = catalogue("review", "apply", str(sheet("K-1,color,black,approve,")), "--by", "ann")
    assert "the words that color: black rests on are gone; reaseq distill first" in " ".join(said.split())
    assert held()["K-1", "color", "black"] == "proposed"


def test_an_unknown_value_if_it_is_meant(catalogue: Run) -> None:
    catalogue("review", "apply", str(sheet("K-1,color,black,edit,glitterish")), "--any-value", "--by", "ann")
    assert held()["K-1", "color", "glitterish"] == "edited"


def test_who_decided_otherwise_is_told(catalogue: Run) -> None:
    catalogue("review", "apply", str(sheet("K-1,color,black,approve,")), "--by", "ann")
    said = " ".join(catalogue("review", "apply", str(sheet("K-1,color,black,reject,")), "--by", "bob").split())
    assert "ann has decided otherwise (approved): reaseq review undo takes it back" in said
    assert held()["K-1", "color", "black"] == "approved"


def test_a_workbook(catalogue: Run) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for cells in (("Our decisions",), ("SKU", "Attribute", "Value", "Decision"), ("K-1", "color", "black", "approve")):
        book.active.append(cells)
    book.save("decisions.xlsx")
    catalogue("review", "apply", "decisions.xlsx", "--by", "ann")
    assert held()["K-1", "color", "black"] == "approved"


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("export", "open.xlsx"), "open.xlsx: a sheet is written as .csv or .jsonl", "reaseq review export open.csv"),
        (
            ("export", "open.csv", "--attribute", "none"),
            f"no claim is of an attribute 'none'; there are: {ATTRIBUTES}",
            "reaseq review --attribute color",
        ),
        (
            ("export", "open.csv", "--attribute", "Colour"),
            f"no claim is of an attribute 'colour'; there are: {ATTRIBUTES}",
            "reaseq review --attribute color",
        ),
        (
            ("export", "open.csv", "--product", "K-2", "--status", "rejected"),
            "nothing is open: such claims are decided, or not there",
            "reaseq distill",
        ),
        (
            ("export", "open.csv", "--category", "boats"),
            "no products of category 'boats'; there are: shoes",
            "reaseq knowledge stats",
        ),
        (("apply", "gone.csv"), "gone.csv is not there", "reaseq review export gone.csv   (to fill in)"),
        (
            ("apply", "twice.csv"),
            "several columns may be the decision: decision, decision 2",
            'reaseq review apply FILE --map decision="decision"',
        ),
        (
            ("apply", "other.csv"),
            "no column looks like the decision; columns are: product_id, attribute, value",
            'reaseq review apply FILE --map decision="COLUMN"',
        ),
    ],
)
def test_refused(catalogue: Run, arguments: tuple[str, ...], error: str, hint: str) -> None:
    Path("other.csv").write_text("product_id,attribute,value\nK-1,color,black\n")
    Path("twice.csv").write_text("product_id,attribute,value,decision,decision\nK-1,color,black,reject,approve\n")
    result: Any = CliRunner().invoke(app, ["review", *arguments])
    assert isinstance(result.exception, ReaseqError)
    assert (str(result.exception), result.exception.hint) == (error, hint)
    assert not Path("open.csv").exists()
