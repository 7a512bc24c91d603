"""`reaseq import`, from the command line to the rows in the store."""

import csv
import json
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reaseq import ReaseqError
from reaseq.cli.main import main
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.store import Store

Run = Callable[..., str]


def products() -> dict[str, dict[str, Any]]:
    with Store.open("sqlite:///.reaseq/store.sqlite") as store:
        return {
            product["id"]: product
            for category in store.categories()
            if category
            for product, *_ in store.products(category)
        }


def test_import_again_changed_and_unchanged(run: Run) -> None:
    Path("feed.csv").write_text("sku,name,price,size\n1,Red shoe,10,42\n2,Blue shoe,,\n")
    output = run("import", "feed.csv", "--category", "Footwear")
    assert "2 rows: 2 new, 0 updated, 0 unchanged" in output
    assert "2 products have no description, 1 no known price." in output
    assert "Next: reaseq distill --category shoes" in output
    before = products()
    assert before["1"]["attributes"] == {"size": "42"}
    assert before["1"]["category"] == "shoes"
    Path("feed.csv").write_text("sku,name,price,size\n1,Red shoe,12,42\n2,Blue shoe,,\n3,Green shoe,5,\n")
    assert "3 rows: 1 new, 1 updated, 1 unchanged" in run("import", "feed.csv", "--category", "shoes")
    after = products()
    assert after["1"]["price"] == 12
    assert after["2"]["updated_at"] == before["2"]["updated_at"]


def test_bad_rows_and_repeats_are_set_aside_and_the_rest_goes_on(run: Run) -> None:
    Path("feed.csv").write_text(
        "sku,name,brand\n1,Shoe,A\n1,Shoe,A\n1,Other,A\n2,,A\n3,=cmd(),A\n4,Shoe,A,too,many\n5,Boot,A\n"
    )
    output = run("import", "feed.csv", "--category", "shoes")
    assert "7 rows: 3 new, 0 updated, 0 unchanged, 1 repeated ids (the first counts), 3 set aside." in output
    assert "line 4: repeats the id '1' of line 2 with another text or price" in output
    assert "line 5: has no title" in output
    assert "line 7: has 5 cells, the header has 3" in output
    assert set(products()) == {"1", "3", "5"}
    rejected = Path(".reaseq/rejected/feed.csv-1.csv").read_text().splitlines()
    assert rejected[0] == "line,reason,row"
    assert len(rejected) == 4


def test_the_guess_is_shown_and_can_be_overridden(run: Run) -> None:
    Path("feed.jsonl").write_text('{"Ding": "Schuh", "n": 1, "kind": "Shoes"}\n')
    with pytest.raises(ReaseqError, match="no column looks like a title") as caught:
        run("import", "feed.jsonl")
    assert (caught.value.hint or "").startswith('reaseq import FILE --map title="COLUMN"')
    output = run("import", "feed.jsonl", "--map", "title=Ding", "--map", "category=kind", "--dry-run")
    assert "│ title │ Ding │" in output
    assert "Nothing was written" in output
    assert not Path(".reaseq/store.sqlite").exists()
    output = run("import", "feed.jsonl", "--map", "title=Ding", "--map", "category=kind")
    assert "ids are made from title, brand and description" in output
    (product,) = products().values()
    assert (product["title"], product["category"], product["attributes"]) == ("Schuh", "shoes", {"n": 1})
    assert "1 unchanged" in run("import", "feed.jsonl", "--map", "title=Ding", "--map", "category=kind")


def test_ids_that_are_missing_are_made_and_said(run: Run) -> None:
    Path("feed.csv").write_text("id,title\nnull,Red shoe\nnull,Blue shoe\nn/a,Green shoe\n4,Black shoe\n")
    output = run("import", "feed.csv", "--category", "shoes")
    assert "4 rows: 4 new" in output
    assert "3 products came without an id" in output
    assert "4 unchanged" in run("import", "feed.csv", "--category", "shoes")


def test_prices_descriptions_and_categories_as_feeds_write_them(run: Run) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "title": "a", "sale_price": "", "price": "49.90 EUR", "categories": ["Shoes"], "tags": []},
        {"id": 2, "title": "b", "sale_price": 12.125, "price": 20, "categories": ["Shoes"]},
        {"id": 3, "title": "c", "description": ["One.", "Two."], "price": 0, "categories": "Footwear"},
    ]
    Path("feed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "list_price counts where the price is unknown" in run("import", "feed.jsonl")
    first, second, third = (products()[key] for key in "123")
    assert (first["price"], first["currency"], first["category"]) == (49.9, "EUR", "shoes")
    assert first["attributes"] == {"price": "49.90 EUR"}
    assert (second["price"], second["attributes"]) == (12.125, {"price": 20})
    assert (third["price"], third["description"]) == (0.0, "One.\nTwo.")


def test_a_repeat_names_its_first_line_in_this_file_and_is_kept_whole(run: Run) -> None:
    rows = [f"{number},Shoe {number},Text {number}\n" for number in range(600)]
    Path("feed.csv").write_text("id,title,description\n" + "".join(rows))
    run("import", "feed.csv", "--category", "shoes")
    Path("feed.csv").write_text("id,title,description\nnew,Shoe,\n" + "".join(rows) + '7,Other,"=a, text"\n')
    output = run("import", "feed.csv", "--category", "shoes")
    assert "602 rows: 1 new, 0 updated, 600 unchanged, 0 repeated ids (the first counts), 1 set aside." in output
    assert "line 603: repeats the id '7' of line 10 with another text or price" in output
    with Path(".reaseq/rejected/feed.csv-2.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert json.loads(row["row"])["description"] == "=a, text"


def test_a_folder_that_cannot_be_written_is_named(run: Run) -> None:
    Path("feed.csv").write_text("id,title\n1,Shoe\n2,\n")
    Path(".reaseq").mkdir()
    Path(".reaseq/rejected").write_text("in the way")
    with pytest.raises(ReaseqError, match="cannot set line 3 aside") as caught:
        run("import", "feed.csv", "--category", "shoes")
    assert caught.value.hint


def test_terminal_codes_in_an_error_do_not_reach_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("feed.csv").write_text("\x1b]0;owned\x07,b\n1,2\n")
    monkeypatch.setattr("sys.argv", ["reaseq", "import", "feed.csv"])
    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert "no column looks like a title" in error
    assert "\x1b]0" not in error
    assert "\x07" not in error


def test_terminal_codes_in_a_feed_do_not_reach_the_terminal(run: Run) -> None:
    Path("feed.csv").write_text("sku,na\x1b[31mme,title\n1,x,\x1b]0;owned\x07Shoe [bold]x[/bold]\n")
    output = run("import", "feed.csv", "--category", "shoes", "--dry-run")
    assert "\x1b]0" not in output
    assert "\x07" not in output
    assert "[bold]x[/bold]" in output


def test_the_sample_catalogue(run: Run) -> None:
    assert "60 rows: 60 new" in run("import", "--sample")
    assert "60 unchanged" in run("import", "--sample")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name one feed file, or --sample"),
        (["missing.csv"], "No such file"),
        (["feed.csv", "--map", "title"], "must be FIELD=COLUMN"),
    ],
)
def test_errors_name_the_thing(run: Run, arguments: list[str], message: str) -> None:
    Path("feed.csv").write_text("title\nx\n")
    with pytest.raises(ReaseqError, match=message) as caught:
        run("import", *arguments)
    assert caught.value.hint


@pytest.mark.trial
def test_memory_does_not_grow_with_the_file(tmp_path: Path, store: Store) -> None:
    peaks = []
    for count in (8_000, 24_000):
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("id,title,description\n")
            file.writelines(f"{number},Shoe {number},{'words ' * 30}\n" for number in range(count))
        tracemalloc.start()
        feed = open_feed(path)
        import_feed(store, feed, guess_columns(feed.columns), category="shoes", rejected_dir=tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


@pytest.mark.realdata
def test_a_catalogue_as_found(run: Run, realdata: Path) -> None:
    feed = realdata / "catalogs" / "adidas_vs_nike.csv"
    output = run("import", str(feed), "--category", "shoes")
    assert "3,268 rows: 3,179 new, 0 updated, 0 unchanged, 89 repeated ids (the first counts), 0 set aside." in output
    assert "3 products have no description, 0 no known price." in output
    assert "0 new, 0 updated, 3,179 unchanged, 89 repeated" in run("import", str(feed), "--category", "shoes")


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "rows"), [("adidas_usa.csv", "845"), ("shein_1000.csv", "1,000"), ("myntra_styles_15k.csv", "14,999")]
)
def test_other_catalogues_need_no_mapping(run: Run, realdata: Path, name: str, rows: str) -> None:
    assert f"{rows} rows: " in run("import", str(realdata / "catalogs" / name))


SHOPIFY = """Handle,Title,Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price
larch,Larch 3,Fennside,Shoes,Size,40,L-40,89.90
larch,,,,,41,L-41,89.90
tarn,Tarn Slide,Fennside,Shoes,Title,Default Title,T-1,19
"""


def test_variants_from_preview_to_behaviour(run: Run) -> None:
    Path("feed.csv").write_text(SHOPIFY)
    shown = run("import", "feed.csv", "--dry-run")
    assert "Shopify products, CSV" in shown
    assert "Nothing was written" in shown
    output = run("import", "feed.csv")
    assert "3 rows: 2 new" in output
    assert "0 set aside, 1 of no product of their own (variants, pictures, other languages)." in output
    assert "2 variants (0 were there and changed)." in output
    shown = run("knowledge", "show", "larch")
    assert all(word in shown for word in ("Variants", "L-40", "L-41", "Size", "89.9"))
    Path("log.csv").write_text("user_id,product_id,timestamp\nu,L-41,1700000000\nu,tarn,1700000001\nu,L-9,1700000002\n")
    output = run("import-events", "log.csv")
    assert "the item is not in the catalogue: L-9" in output
    shown = run("events", "show", "--user", "u")
    assert "Larch 3" in shown
    assert "Tarn Slide" in shown


def test_variants_without_their_product_are_told(run: Run) -> None:
    header, first, second, last = SHOPIFY.splitlines()
    Path("feed.csv").write_text("\n".join([header, second, last]))
    assert "1 variants name a product that no import has brought yet." in run("import", "feed.csv")
    Path("feed.csv").write_text("\n".join([header, first]))
    run("import", "feed.csv")
    assert "L-41" in run("knowledge", "show", "larch")


def test_export_before_anything_is_known_says_what_to_do(run: Run) -> None:
    Path("feed.csv").write_text(SHOPIFY)
    run("import", "feed.csv")
    assert "Nothing that may be filled in is known of its products. Next: reaseq distill" in run(
        "export", "feed.csv", "filled.csv"
    )
    assert Path("filled.csv").read_text() == SHOPIFY


def test_a_file_with_some_of_the_columns_is_an_update(run: Run) -> None:
    full = "sku,title,description,brand,price,color\nA,Clog,warm,Kea,5,red\nB,Boot,dry,Tui,7,\n"
    Path("full.csv").write_text(full)
    run("import", "full.csv", "--category", "shoes")
    Path("prices.csv").write_text("sku,title,price\nA,Clog,4\nB,Boot,7\n")
    output = run("import", "prices.csv")
    assert "1 updated, 1 unchanged" in output
    assert "2 products were known from another file" in output
    clog = products()["A"]
    assert (clog["price"], clog["description"], clog["brand"], clog["category"]) == (4, "warm", "Kea", "shoes")
    assert clog["attributes"] == {"color": "red"}
    assert "2 unchanged" in run("import", "prices.csv")
    Path("cleared.csv").write_text("sku,title,description,color\nA,Clog,,\nB,Boot,dry,\n")
    assert "2 fields held something and are empty now" in run("import", "cleared.csv")
    assert (products()["A"]["description"], products()["A"]["attributes"]) == ("", {})
    run("import", "full.csv")
    assert (products()["A"]["price"], products()["A"]["attributes"]) == (5, {"color": "red"})
    run("import", "prices.csv", "--replace")
    assert (products()["A"]["description"], products()["A"]["brand"], products()["A"]["category"]) == (
        "",
        None,
        "shoes",
    )


@given(st.lists(st.sampled_from(["description", "brand", "color", "sole"]), unique=True), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_updates_of_different_columns_commute(tmp_path: Path, chosen: list[str], data: st.DataObject) -> None:
    values = {name: data.draw(st.sampled_from(["", "x", "y"])) for name in ("description", "brand", "color", "sole")}
    files = []
    for number, names in enumerate((chosen, [name for name in values if name not in chosen])):
        header, row = ["sku", "title", *names], ["A", "Clog", *(values[name] for name in names)]
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_text(f"{','.join(header)}\n{','.join(row)}\n")
    made = []
    for order in (files, files[::-1]):
        store_file = tmp_path / "store.sqlite"
        store_file.unlink(missing_ok=True)
        with Store.open(f"sqlite:///{store_file}") as store:
            for path in order:
                feed = open_feed(path)
                import_feed(store, feed, guess_columns(feed.columns), category="shoes", rejected_dir=tmp_path)
            (product,) = (one for one, *_ in store.products("shoes"))
        made.append({name: product[name] for name in ("title", "description", "brand", "attributes")})
    assert made[0] == made[1]


def test_what_is_odd_in_a_workbook_is_said(run: Run) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["id", "title", "size"], [7, "Sock", datetime(2026, 12, 10)], [8, "Shoe", "=1+1"]):
        book.active.append(row)
    book.save("a.xlsx")
    said = run("import", "a.xlsx", "--category", "shoes")
    assert (
        "size: 1 sizes look like dates (2026-12-10T00:00:00 in line 2): did a spreadsheet make them of 10-12?" in said
    )
    assert "formulas without a value" in said
    assert "C3 =1+1" in said


def test_ids_of_two_sources_are_kept_apart(run: Run) -> None:
    Path("a.csv").write_text("sku,title,color\n7,Clog,red\n8,Boot,\n")
    Path("b.csv").write_text("sku,title,color\n7,Lamp,white\n")
    run("import", "a.csv", "--category", "shoes")
    assert "1 products were known from another file by the same id" in run("import", "b.csv", "--dry-run") + run(
        "import", "b.csv", "--category", "lamps", "--source", ""
    )
    run("import", "a.csv", "--category", "shoes", "--source", "north")
    said = run("import", "b.csv", "--category", "lamps", "--source", "south")
    assert "1 new" in said
    assert "another file" not in said
    assert "Clog" in run("knowledge", "show", "north:7")
    assert "Lamp" in run("knowledge", "show", "south:7")
    assert "Boot" in run("knowledge", "show", "8")
    Path("log.csv").write_text("user,item\nu,north:7\nu,8\n")
    assert "new events │ 2" in run("import-events", "log.csv")
    assert "0 values in 0 new columns" in run("export", "b.csv", "out.csv", "--source", "south")


def test_damage_by_a_spreadsheet_is_told_as_what_it_is(run: Run) -> None:
    Path("a.csv").write_text("sku,title,size,ean\n1,Sock,Dec 10,4.00638E+12\n")
    said = run("import", "a.csv", "--category", "shoes")
    assert "size: 1 sizes look like dates (Dec 10 in line 2): did a spreadsheet make them of 10-12?" in said
    assert "ean: 1 codes are rounded (4.00638E+12 in line 2): a spreadsheet has lost their last digits" in said


def test_a_description_is_the_title_where_nothing_else_is(run: Run) -> None:
    Path("items.csv").write_text("No.,Description,Unit Price\n1000,Bicycle,4000.00\n1100,Front Wheel,1000.00\n")
    assert "2 new" in run("import", "items.csv", "--category", "bikes")
    assert "2 unchanged" in run("import", "items.csv", "--category", "bikes")
    Path("texts.csv").write_text("No.,Description\n1000,A frame with two wheels\n")
    assert "1 updated" in run("import", "texts.csv")
    said = run("knowledge", "show", "1000")
    assert "Bicycle" in said
    assert "A frame with two wheels" in said
    assert "2 set aside" in run("import", "items.csv", "--map", "description=Description", "--source", "other")
