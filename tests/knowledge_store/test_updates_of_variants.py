"""Partial files that mean variants: of the feed that brought them, or of any other."""

from pathlib import Path
from typing import Any

import pytest

from reaseq.agents.product_text import source_fields
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import ImportReport, import_feed
from reaseq.knowledge_store.names import find_product
from reaseq.knowledge_store.store import Store


def imported(store: Store, folder: Path, data: str, *, replaces: bool = False, source: str = "") -> ImportReport:
    path = folder / "feed"
    path.write_text(data)
    feed = open_feed(path)
    fields = guess_columns(feed.columns, feed.fields)
    return import_feed(store, feed, fields, replaces=replaces, source=source, rejected_dir=folder / "rejected")


def variants(store: Store, product_id: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in store.variants([product_id]).get(product_id, [])}


def test_a_product_without_a_price_costs_what_variants_of_a_later_file_do(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "id,title,parent,size\nP1,Loafer,,\n")
    imported(store, tmp_path, "sku,parent,size,price\nP1-40,P1,40,49.90\nP1-41,P1,41,59.90\n")
    assert (store.product("P1") or {})["price"] == 49.9


SHOPIFY = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Grams\n"
    "boot,Kea boot,Size,41,K41,50,900\nboot,,,42,K42,50,910\n"
)
GOOGLE = (
    "id\ttitle\tlink\timage_link\tprice\titem_group_id\tsize\n"
    "K41\tKea boot\tl\ti\t50 EUR\tboot\t41\nK42\tKea boot\tl\ti\t50 EUR\tboot\t42\n"
)
WOO = (
    "ID,Type,SKU,Name,Parent,Regular price,Attribute 1 name,Attribute 1 value(s)\n"
    '1,variable,boot,Kea boot,,,Size,"41, 42"\n2,variation,K41,Kea boot - 41,boot,50,Size,41\n'
    "3,variation,K42,Kea boot - 42,boot,50,Size,42\n"
)
ROWS = "id,title,size,sku,price,weight\nboot,Kea boot,41,K41,50,900\nboot,Kea boot,42,K42,50,910\n"


@pytest.mark.parametrize(
    ("full", "update"),
    [
        (SHOPIFY, "Handle,Variant SKU,Variant Price\nboot,K42,40\n"),
        (SHOPIFY, "Handle,Option1 Name,Option1 Value,Variant Price\nboot,Size,42,40\n"),
        (SHOPIFY, "URL handle,SKU,Price\nboot,K42,40\n"),
        (SHOPIFY, "sku,price\nK42,40\n"),
        (SHOPIFY, "sku,title,price\nK42,Kea boot,40\n"),
        (GOOGLE, "id\titem_group_id\tprice\nK42\tboot\t40 EUR\n"),
        (GOOGLE, "id,price\nK42,40 EUR\n"),
        (WOO, "ID,Type,SKU,Parent,Regular price\n3,variation,K42,boot,40\n"),
        (WOO, "SKU,Regular price\nK42,40\n"),
        (WOO, "ID,SKU,Regular price\n3,K42,40\n"),
        (ROWS, "id,title,size,price\nboot,Kea boot,42,40\n"),
        (ROWS, "id,size,price\nboot,42,40\n"),
        (ROWS, "id,title,sku,price\nboot,Kea boot,K42,40\n"),
        (ROWS, "id,sku,price\nboot,K42,40\n"),
        (ROWS, "sku,price\nK42,40\n"),
    ],
)
def test_a_price_of_one_variant(store: Store, tmp_path: Path, full: str, update: str) -> None:
    imported(store, tmp_path, full)
    before = contents(store)
    report = imported(store, tmp_path, update)
    after = contents(store)
    assert {name: after[name]["price"] for name in ("", "K41", "K42")} == {
        "": 40 if full == WOO else 50,  # whose row says no price costs what its cheapest variant does
        "K41": 50,
        "K42": 40,
    }
    for name in ("title", "options", "attributes"):
        assert {one: row.get(name) for one, row in after.items()} == {one: row.get(name) for one, row in before.items()}
    assert (report.set_aside, report.cleared, report.new, len(store.product_ids())) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("full", "update"),
    [(SHOPIFY, "Handle,Variant SKU,Variant Price\nboot,K41,60\nboot,K42,40\n"), (ROWS, "sku,price\nK42,40\nK41,60\n")],
)
def test_a_product_costs_what_one_of_its_variants_costs(store: Store, tmp_path: Path, full: str, update: str) -> None:
    imported(store, tmp_path, full)
    imported(store, tmp_path, update)
    assert (store.product("boot") or {})["price"] == 40
    report = imported(store, tmp_path, full)
    assert ((store.product("boot") or {})["price"], report.updated) == (50, 1)


@pytest.mark.parametrize(
    "update",
    [
        "Handle,Variant SKU,Variant Price\nboot,K42,\n",
        "sku,price\nK42,\n",
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nboot,Kea boot,Size,42,K42,\n",
    ],
)
def test_an_empty_price_clears(store: Store, tmp_path: Path, update: str) -> None:
    imported(store, tmp_path, SHOPIFY)
    report = imported(store, tmp_path, update)
    assert {name: one["price"] for name, one in variants(store, "boot").items()} == {"K41": 50, "K42": None}
    assert report.cleared > 0


def test_cells_of_one_variant(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, ROWS)
    assert variants(store, "boot")["K42"]["attributes"] == {"weight": "910"}
    imported(store, tmp_path, "sku,weight,care\nK42,950,wipe\n")
    assert variants(store, "boot")["K42"]["attributes"] == {"weight": "950", "care": "wipe"}
    report = imported(store, tmp_path, "sku,care\nK42,\n")
    assert variants(store, "boot")["K42"]["attributes"] == {"weight": "950"}
    assert report.cleared == 1


def test_a_new_variant_of_a_known_product(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, ROWS)
    report = imported(store, tmp_path, "id,title,size,sku,price\nboot,Kea boot,43,K43,55\n")
    after = variants(store, "boot")
    assert {name: (one["options"], one["price"]) for name, one in after.items()} == {
        "K41": ({"size": "41"}, 50),
        "K42": ({"size": "42"}, 50),
        "K43": ({"size": "43"}, 55),
    }
    product = store.product("boot") or {}
    assert (product["price"], product["attributes"]["size"], report.set_aside) == (50, "41", 0)


_PRICES = ("Regular price",)


def contents(store: Store) -> dict[str, Any]:
    seen = ("import_id", "updated_at", "variants", "line")
    return {
        name: {
            key: {cell: said for cell, said in value.items() if cell not in _PRICES} if key == "attributes" else value
            for key, value in row.items()
            if key not in seen
        }
        for name, row in {"": store.product("boot") or {}, **variants(store, "boot")}.items()
    }


@pytest.mark.parametrize("full", [SHOPIFY, GOOGLE, WOO, ROWS])
def test_the_whole_file_once_more(store: Store, tmp_path: Path, full: str) -> None:
    imported(store, tmp_path, full)
    before = contents(store)
    report = imported(store, tmp_path, full)
    assert contents(store) == before
    assert (report.updated, report.set_aside, report.cleared) == (0, 0, 0)


def test_a_code_that_no_variant_has_is_set_aside(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHOPIFY)
    report = imported(store, tmp_path, "Handle,Variant SKU,Variant Price\nboot,K44,40\n")
    assert set(variants(store, "boot")) == {"K41", "K42"}
    assert (report.set_aside, report.further, report.rows) == (1, 0, 1)
    assert "no variant 'K44' of 'boot'" in report.first_rejected[0][1]


def test_a_code_of_two_products_variants_is_nobodys(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHOPIFY + SHOPIFY.partition("\n")[2].replace("boot", "shoe"))
    report = imported(store, tmp_path, "sku,price\nK42,40\n")
    assert [one["price"] for name in ("boot", "shoe") for one in variants(store, name).values()] == [50] * 4
    assert report.set_aside == 1


MAGENTO = (
    "sku,product_type,attribute_set_code,name,price,special_price,special_price_to_date,additional_attributes,"
    "configurable_variations\n"
    'K41,simple,D,Kea boot,50,,,"color=Blue,size=41",\nK42,simple,D,Kea boot,50,,,"color=Blue,size=42",\n'
    'boot,configurable,D,Kea boot,,,,,"sku=K41,size=41|sku=K42,size=42"\n'
    'hat,simple,D,Hat,22,15,2099-01-01,"color=Blue,care=dry",\n'
)
AMAZON = (
    "TemplateType=x\tVersion=1\nSKU\tName\tPrice\tParent\nitem_sku\titem_name\tstandard_price\tparent_child\t"
    "parent_sku\tvariation_theme\tsize_name\nboot\tKea boot\t\tparent\t\tSize\t\n"
    "K41\tKea boot 41\t50\tchild\tboot\tSize\t41\nK42\tKea boot 42\t50\tchild\tboot\tSize\t42\n"
)
NESTED = (
    '[{"id":"boot","title":"Kea boot","variants":[{"sku":"K41","size":"41","price":50,"barcode":"4006381333931"},'
    '{"sku":"K42","size":"42","price":50,"barcode":"4006381333948"}]}]'
)


@pytest.mark.parametrize(
    ("full", "update"),
    [
        (MAGENTO, "sku,attribute_set_code,product_type,name,price\nK42,D,simple,Kea boot 42,40\n"),
        (MAGENTO, "sku,store_view_code,price\nK42,,40\n"),
        (AMAZON, "TemplateType=x\tVersion=1\nSKU\tPrice\tU\nitem_sku\tstandard_price\tupdate_delete\nK42\t40\tP\n"),
        (AMAZON, "item_sku\titem_name\tstandard_price\tparent_sku\nK42\tKea boot 42\t40\tboot\n"),
        (NESTED, '[{"id":"boot","variants":[{"sku":"K42","price":40}]}]'),
        (NESTED, '[{"sku":"K42","price":40}]'),
        (NESTED, "ean,price\n4006381333948,40\n"),
        (NESTED, "Barcode,Title,Price\n4006381333948,Kea boot,40\n"),
        (SHOPIFY, '{"products":[{"handle":"boot","variants":[{"sku":"K42","price":"40"}]}]}'),
        (SHOPIFY, "Handle,Option1 Value,Variant Price\nboot,42,40\n"),
        (WOO, "ID,Type,SKU,Name,Regular price,Parent\n3,variation,,Kea boot - 42,40,id:1\n"),
        (WOO, "ID,Type,SKU,Name,Published,Regular price\n3,variation,K42,Kea boot - 42,1,40\n"),
        (WOO, "ID;Preis\n3;40,00\n"),
        (WOO, 'UGS,Parent,"Tarif régulier","Tarif promo"\nK42,boot,40,\n'),
        (GOOGLE, "item_group_id,size,price\nboot,42,40\n"),
    ],
)  # fmt: skip
def test_a_price_of_one_variant_by_any_means(store: Store, tmp_path: Path, full: str, update: str) -> None:
    imported(store, tmp_path, full)
    before = contents(store)
    report = imported(store, tmp_path, update)
    after = contents(store)
    assert {name: one["price"] for name, one in after.items() if name} == {"K41": 50, "K42": 40}
    assert {name: one.get("options") for name, one in after.items()} == {
        name: one.get("options") for name, one in before.items()
    }
    assert (report.set_aside, report.new, after[""]["title"]) == (0, 0, "Kea boot")


WOO_SALE = WOO.replace("price,", "price,Sale price,").replace("boot,50", "boot,50,45").replace(",,,", ",,,,")


@pytest.mark.parametrize(
    ("full", "update"),
    [
        (WOO_SALE, "SKU,Sale price\nK42,\n"),
        (GOOGLE.replace("price\t", "price\tsale_price\t").replace("50 EUR", "50 EUR\t45 EUR"),
         "id,sale_price\nK42,\n"),
        (SHOPIFY.replace("Variant Grams", "Variant Compare At Price").replace(",900", ",55").replace(",910", ",50"),
         "Handle,Variant SKU,Variant Price\nboot,K42,\n"),
    ],
)  # fmt: skip
def test_when_a_variants_sale_is_over(store: Store, tmp_path: Path, full: str, update: str) -> None:
    imported(store, tmp_path, full)
    imported(store, tmp_path, update)
    assert variants(store, "boot")["K42"]["price"] == 50


def test_packed_attributes_of_an_update(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, MAGENTO)
    report = imported(store, tmp_path, "sku,additional_attributes\nhat,color=Navy\n")
    attributes = (store.product("hat") or {})["attributes"]
    assert (attributes["color"], attributes["care"], "additional_attributes" in attributes) == ("Navy", "dry", False)
    assert report.cleared == 0
    imported(store, tmp_path, "sku,store_view_code,name,price\nhat,de,Hut,99\n")
    hat = store.product("hat") or {}
    assert (hat["title"], hat["price"]) == ("Hat", 15)
    imported(store, tmp_path, "sku,store_view_code,price\nhat,,19\n")
    hat = store.product("hat") or {}
    assert (hat["price"], hat["attributes"]["price"]) == (15, "19"), "the special price goes on"
    imported(store, tmp_path, "sku,name,attribute_set_code,description\nhat,Hat,D,__EMPTY__VALUE__\n")
    assert (store.product("hat") or {})["description"] == ""


@pytest.mark.parametrize(
    ("update", "price"),
    [
        ("SKU,Sale price\nMUG,\n", 10),
        ("SKU,Sale price,Date sale price ends\nMUG,7,2024-01-01\n", 10),
        ("SKU,Sale price\nMUG,7\n", 7),
        ("SKU,Regular price\nMUG,12\n", 8),
    ],
)
def test_sales_of_an_update(store: Store, tmp_path: Path, update: str, price: float) -> None:
    imported(
        store,
        tmp_path,
        "ID,Type,SKU,Name,Regular price,Sale price,Date sale price ends\n1,simple,MUG,M,10,8,2099-01-01\n",
    )
    imported(store, tmp_path, update)
    assert (store.product("MUG") or {})["price"] == price


@pytest.mark.parametrize("data", ["id,title,price,currency\n1,Hat,10,EUR\n", "id,title,price\n1,Hat,10 EUR\n"])
def test_a_price_keeps_its_currency(store: Store, tmp_path: Path, data: str) -> None:
    imported(store, tmp_path, data)
    imported(store, tmp_path, "id,price\n1,12\n")
    hat = store.product("1") or {}
    assert (hat["price"], hat["currency"]) == (12, "EUR")


@pytest.mark.parametrize("full", [SHOPIFY, WOO, NESTED, ROWS])
def test_a_variant_under_another_code_is_the_same(store: Store, tmp_path: Path, full: str) -> None:
    imported(store, tmp_path, full)
    report = imported(store, tmp_path, full.replace("K4", "N4"))
    after = variants(store, "boot")
    assert [one["price"] for one in after.values()] == [50, 50]
    assert (report.left_variants, find_product(store, "K41")["id"], find_product(store, "N42")["id"]) == (
        0,
        "boot",
        "boot",
    )


def test_products_by_their_numbers_under_other_codes(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "ID,Type,SKU,Name,Regular price\n10,simple,MUG,Coffee mug,9\n")
    imported(store, tmp_path, "ID,SKU\n10,MUG2\n")
    assert (find_product(store, "MUG2")["id"], store.product_ids()) == ("MUG", ["MUG"])
    imported(store, tmp_path, "ID,Type,SKU,Name,Regular price\n10,simple,MUG3,Coffee mug,8\n")
    assert (find_product(store, "MUG3")["price"], find_product(store, "10")["id"], store.product_ids()) == (
        8,
        "MUG",
        ["MUG"],
    )


def test_variants_that_are_gone(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHOPIFY)
    fewer = SHOPIFY.rpartition("boot,")[0]
    assert imported(store, tmp_path, fewer).left_variants == 1
    path = tmp_path / "feed"
    feed = open_feed(path)
    mapping = guess_columns(feed.columns, feed.fields)
    report = import_feed(store, feed, mapping, replaces=True, rejected_dir=tmp_path)
    assert (report.removed_variants, set(variants(store, "boot"))) == (1, {"K41"})


def test_a_short_list_with_titles_is_no_update_of_variants(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "Handle,Title,Variant SKU,Variant Price\nmug,Mug,M1,9\nhat,Hat,H1,8\n")
    assert (report.new, report.set_aside, report.further, report.variants) == (2, 0, 0, 0)
    assert find_product(store, "H1")["price"] == 8


@pytest.mark.parametrize(
    ("update", "price", "aside"),
    [
        ("Handle,Variant SKU,Variant Price\nmug,M1,12\n", 12, 0),
        ("Handle,Variant SKU,Variant Price\nmug,M1,\n", None, 0),
        ("sku,price\nM1,12\n", 12, 0),
        ("Handle,Option1 Value,Variant Price\nmug,Default Title,12\n", 12, 0),
        ("Handle,Variant SKU,Variant Price\nmug,M2,12\n", 9, 1),
        ("Handle,Variant SKU,Variant Price\nnone,M1,12\n", 9, 1),
    ],
)
def test_a_product_without_variants_by_its_code(
    store: Store, tmp_path: Path, update: str, price: float | None, aside: int
) -> None:
    columns = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price"
    imported(store, tmp_path, f"{columns}\nmug,Mug,Title,Default Title,M1,9\n")
    report = imported(store, tmp_path, update)
    assert ((store.product("mug") or {})["price"], report.set_aside, report.rows) == (price, aside, 1)


def test_stock_of_several_places(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHOPIFY)
    stock = "Handle,SKU,Location,On hand\nboot,K41,Berlin,5\nboot,K41,Paris,2\nboot,K42,Berlin,3\n"
    imported(store, tmp_path, stock)
    after = variants(store, "boot")
    assert (after["K41"]["attributes"]["On hand (Berlin)"], after["K41"]["attributes"]["On hand (Paris)"]) == ("5", "2")
    assert after["K42"]["attributes"]["On hand (Berlin)"] == "3"


def test_what_is_to_be_deleted_is_set_aside(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "Handle,Command,Title,Variant Price\na,DELETE,A,1\nb,MERGE,B,2\n")
    assert (report.new, report.set_aside) == (1, 1)


OF_SIZES = "sku,name,size,color,weight,closure,price"
SIZES = f"{OF_SIZES}\nA,Ridge boot,41,Brown,900 g,zip,10\nA,Ridge boot,42,Brown,950 g,zip,10\n"


@pytest.mark.parametrize(
    "update",
    [
        f"{OF_SIZES}\nA,Ridge boot,42,Brown,1000 g,zip,10\nA,Ridge boot,41,Brown,900 g,zip,10\n",
        "sku,size,weight\nA,42,1000 g\n",
        "sku,name,size,weight\nA,Ridge boot,42,1000 g\n",
        "sku,Größe,weight\nA,42,1000 g\n",
        "sku,size,weight\nA,42,1000 g\nA,41,900 g\n",
    ],
)
def test_each_variants_own_cells(store: Store, tmp_path: Path, update: str) -> None:
    imported(store, tmp_path, SIZES)
    for _ in range(2):
        report = imported(store, tmp_path, update)
        own = {name: one["attributes"] for name, one in variants(store, "A").items()}
        assert own["A/41/Brown"]["weight"] == "900 g"
        assert own["A/42/Brown"]["weight"] == "1000 g"
        assert (store.product("A") or {})["attributes"]["weight"] == "900 g"
        assert (report.cleared, report.set_aside, report.new) == (0, 0, 0)


def test_what_one_variant_says_is_not_said_of_all(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SIZES)
    imported(store, tmp_path, "sku,size,closure\nA,42,lace-up\n")
    sources = source_fields(store.product("A") or {})
    assert "attributes.closure" not in sources
    assert sources["attributes.color"] == "Brown"
    assert (store.product("A") or {})["attributes"]["closure"] == "zip"


def test_rows_of_sizes_leave_a_product_of_another_feed_alone(store: Store, tmp_path: Path) -> None:
    data = (
        '[{"id":"A","title":"Boot","variants":[{"size":"41","stock":3,"price":10},{"size":"42","stock":4,"price":11}]}]'
    )
    imported(store, tmp_path, data)
    imported(store, tmp_path, "id,size,stock,price\nA,42,0,12\n")
    boot = store.product("A") or {}
    assert (boot["price"], "stock" in boot["attributes"]) == (10, False)
    assert {one["options"]["size"]: (one["price"], one["attributes"]["stock"]) for one in boot["variants"]} == {
        "41": (10, 3),
        "42": (12, "0"),
    }


@pytest.mark.parametrize("column", ["Size", "size", "Größe", "shoe size"])
def test_options_by_other_names(store: Store, tmp_path: Path, column: str) -> None:
    imported(store, tmp_path, SHOPIFY)
    imported(store, tmp_path, f"sku,{column},price\nK42,44,10\n")
    assert variants(store, "boot")["K42"]["options"] == {"Size": "44"}
    assert variants(store, "boot")["K42"]["attributes"] == {"Variant Grams": "910"}


@pytest.mark.parametrize("barcode", ["4006381333948", "04006381333948", "4006381333948.0"])
@pytest.mark.parametrize(
    "full",
    [
        NESTED,
        "sku,name,size,barcode,price\nboot,Kea boot,41,4006381333931,50\nboot,Kea boot,42,4006381333948,50\n",
    ],
)
def test_a_variant_by_its_barcode(store: Store, tmp_path: Path, full: str, barcode: str) -> None:
    imported(store, tmp_path, full)
    report = imported(store, tmp_path, f"barcode,price\n{barcode},40\n")
    assert sorted(one["price"] for one in variants(store, "boot").values()) == [40, 50]
    assert report.set_aside == 0


BARCODES = SHOPIFY.replace("Grams", "Barcode").replace("900", "4006381333931").replace("910", "4006381333948")


@pytest.mark.parametrize("full", [NESTED, BARCODES])
def test_a_barcode_names_its_variant_every_week(store: Store, tmp_path: Path, full: str) -> None:
    imported(store, tmp_path, full)
    for price in (40, 41, 42):
        report = imported(store, tmp_path, f"EAN,Price\n4006381333948,{price}\n")
        assert (variants(store, "boot")["K42"]["price"], report.set_aside) == (price, 0)


def test_what_changes_in_all_rows_changes_of_the_product(store: Store, tmp_path: Path) -> None:
    header = "id,title,material,description,size\n"
    imported(store, tmp_path, f"{header}A,Pump,leather,Leather pump,38\nA,Pump,leather,Leather pump,39\n")
    imported(store, tmp_path, f"{header}A,Pump,suede,Suede pump,38\nA,Pump,suede,Suede pump,39\n")
    assert [one["attributes"] for one in variants(store, "A").values()] == [{}, {}]
    assert (store.product("A") or {})["attributes"]["material"] == "suede"
    imported(store, tmp_path, "id,material\nA,canvas\n")
    assert source_fields(store.product("A") or {})["attributes.material"] == "canvas"


def test_lists_of_prices_and_sales_of_variants(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, WOO)
    for update, price in (
        ("SKU,Sale price\nK42,15\n", 15),
        ("SKU,Regular price\nK42,21\n", 15),
        ("SKU,Sale price\nK42,\n", 21),
        ("SKU,Regular price\nK42,30\n", 30),
    ):
        imported(store, tmp_path, update)
        assert variants(store, "boot")["K42"]["price"] == price


def test_magentos_file_once_more_changes_nothing(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, MAGENTO)
    before = contents(store)
    report = imported(store, tmp_path, MAGENTO)
    assert contents(store) == before
    assert (report.changed_variants, report.cleared, report.updated) == (0, 0, 0)


def test_a_list_without_titles_is_of_no_other_products(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHOPIFY + "mug,Mug,Title,Default Title,M1,9,\n")
    (tmp_path / "prices.csv").write_text("sku,price\nM1,8\n")
    feed = open_feed(tmp_path / "prices.csv")
    report = import_feed(store, feed, guess_columns(feed.columns, feed.fields), rejected_dir=tmp_path)
    assert (report.updated, report.elsewhere) == (1, 0)


MATERIALS = (
    "sku,title,category,size,upper_material,price,rrp\nA,Boot,shoes,40,leather,9,12\nA,Boot,shoes,41,suede,9,13\n"
)


def test_a_cell_that_one_variant_has_no_more_is_no_other_ones(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, MATERIALS)
    report = imported(store, tmp_path, "sku,size,upper_material\nA,41,\n")
    assert report.cleared == 1
    for update in ("sku,size,stock\nA,41,3\n", "sku,size,stock\nA,40,4\n"):  # nor by a later one
        cells = {name: one["attributes"]["upper_material"] for name, one in variants(store, "A").items()}
        assert cells == {"A/40": "leather", "A/41": ""}
        assert "attributes.upper_material" not in source_fields(store.product("A") or {})
        imported(store, tmp_path, update)
    imported(store, tmp_path, "sku,size,upper_material\nA,41,mesh\n")
    assert [one["attributes"]["upper_material"] for one in variants(store, "A").values()] == ["leather", "mesh"]


@pytest.mark.parametrize(
    ("full", "update", "column"),
    [
        (MATERIALS, "sku,size,rrp\nA,41,\n", "rrp"),
        (SHOPIFY.replace("Grams", "Compare At Price"), "Handle,Variant SKU,Variant Compare At Price\nboot,K42,\n",
         "Variant Compare At Price"),
        (SHOPIFY.replace("Grams", "Compare At Price"), "sku,Variant Compare At Price\nK42,\n",
         "Variant Compare At Price"),
        ("sku,parent_sku,title,color,price,rrp\nT,,Tee,,,\nTB,T,,Black,5,9\nTG,T,,Green,6,9\n",
         "sku,parent_sku,title,color,rrp\nTG,T,,Green,\n", "rrp"),
    ],
)  # fmt: skip
def test_an_empty_list_price_clears(store: Store, tmp_path: Path, full: str, update: str, column: str) -> None:
    imported(store, tmp_path, full)
    product_id = store.product_ids()[0]
    before = {name: one["price"] for name, one in variants(store, product_id).items()}
    assert imported(store, tmp_path, update).cleared == 1
    held = {name: one["attributes"].get(column) for name, one in variants(store, product_id).items()}
    assert sum(map(bool, held.values())) == 1
    assert {name: one["price"] for name, one in variants(store, product_id).items()} == before


@pytest.mark.parametrize(
    ("full", "more"),
    [
        (ROWS, "sku,pad,stock\nK42,x,3\n"),
        (SHOPIFY, "Handle,Variant SKU,Variant Compare At Price\nboot,K42,99\n"),
        (WOO, "SKU,Parent,Stock,Weight\nK42,boot,5,1\n"),
        (GOOGLE, "id\titem_group_id\tavailability\nK42\tboot\tin_stock\n"),
    ],
)
def test_replace_leaves_variants_no_cells_of_other_files(store: Store, tmp_path: Path, full: str, more: str) -> None:
    imported(store, tmp_path, full)
    before = contents(store)
    imported(store, tmp_path, more)
    assert contents(store) != before
    imported(store, tmp_path, full)
    assert contents(store) != before
    imported(store, tmp_path, full, replaces=True)
    assert contents(store) == before


@pytest.mark.parametrize("zeros", ["4006381333955", "04006381333955"])
@pytest.mark.parametrize("full", ["sku,title,ean\nA,Fox,{}\n", "ean,title\n{},Fox\n"])
def test_zeros_before_a_barcode_change_nothing(store: Store, tmp_path: Path, full: str, zeros: str) -> None:
    imported(store, tmp_path, full.format(zeros))
    for written in ("4006381333955", "04006381333955"):
        report = imported(store, tmp_path, f"ean,price\n{written},3\n")
        assert (report.set_aside, report.new, store.product_ids()) == (0, 0, store.product_ids()[:1])
    assert (store.product(store.product_ids()[0]) or {})["price"] == 3


def test_shopify_rows_with_a_sku_and_no_handle(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, f"{SHOPIFY}mug,Mug,Title,Default Title,M1,9,\n")
    update = "Handle,Variant SKU,Variant Price\nboot,K41,59.90\n,M1,5\n,K42,4\n,NO,3\n"
    report = imported(store, tmp_path, update)
    assert {name: one["price"] for name, one in variants(store, "boot").items()} == {"K41": 59.9, "K42": 4}
    assert ((store.product("mug") or {})["price"], report.set_aside) == (5, 1)


def test_a_price_of_the_product_itself_stays(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, ROWS)
    for update, price in (("sku,price\nboot,11\n", 11), ("sku,price\nK42,40\n", 11), (ROWS, 50)):
        imported(store, tmp_path, update)
        assert (store.product("boot") or {})["price"] == price


@pytest.mark.parametrize("columns", ["id,title,price,link,image_link,sale_price{}", "id,title,price,sale_price{}"])
@pytest.mark.parametrize("group", [("", "", ""), (",item_group_id,size", ",boot,41", ",boot,42")])
def test_what_it_costs_without_a_sale(store: Store, tmp_path: Path, columns: str, group: tuple[str, str, str]) -> None:
    links = ",l,i" if "link" in columns else ""
    data = f"{columns.format(group[0])}\nK41,Hat,29 EUR{links},25 EUR{group[1]}\nK42,Hat,34 EUR{links},{group[2]}\n"
    imported(store, tmp_path, data)
    report = imported(store, tmp_path, "id,price\nK41,28 EUR\nK42,21 EUR\n")
    assert report.cleared == 0
    sold = variants(store, "boot") if group[0] else {one: store.product(one) or {} for one in ("K41", "K42")}
    assert [sold[name]["price"] for name in ("K41", "K42")] == [25, 21]  # a sale is on


@pytest.mark.parametrize(
    ("full", "update", "price"),
    [
        ("sku;title;price;sale_price;sale_to\nD;Glove;10;8;9999-12-31\n", "", 8),
        ("sku;title;price\nD;Glove;8\n", "sku;price;gültig bis\nD;9,00;31.12.9999\n", 9),
        ("sku;title;price\nD;Glove;8\n", "sku;price;gültig ab;gültig bis\nD;9,00;1900-01-01;0001-01-01\n", 9),
        ("sku,title,price,special_price,special_price_from_date,special_price_to_date\nD,G,10,8,2020-01-01,\n", "", 8),
        ("sku,title,price,Sale price,Date sale price starts,Date sale price ends\nD,G,10,8,2020-01-01,\n", "", 8),
        ("sku,title,price,sale_price,date_on_sale_from,date_on_sale_to\nD,G,10,8,,2099-01-01\n", "", 8),
        (
            "sku,title,price\nD,G,10\n",
            "sku,price,sale_price,date_on_sale_from,date_on_sale_to\nD,11,8,2020-01-01,\n",
            8,
        ),
        ("sku,title,price\nD,G,10\n", "sku,price,sale_price,sale_to\nD,11,8,2020-01-01\n", 11),
        ("sku,title,price\nD,G,10\n", "ID oferty;Cena PL;Cena promocyjna;Promocja do\nD;12;9;2020-02-01\n", 12),
        ("sku,title,price,list price\nD,G,9,12\n", "sku,stock,sale_price,sale_to\nD,4,9,2020-02-01\n", 12),
        ("sku,title,price\nD,G,10\n", "sku,stock,sale_price,sale_to\nD,4,9,2020-02-01\n", 10),
        ("sku,title,price,old price\nD,G,10,20\n", "sku,price,rrp\nD,,30\n", 10),
        ("sku,title,price\nD,G,10\n", "sku,list,sale_price,sale_to\nD,1,9,2020-02-01\nD,2,8,2099-01-01\n", 8),
    ],
)
def test_days_of_prices(store: Store, tmp_path: Path, full: str, update: str, price: float) -> None:
    imported(store, tmp_path, full)
    if update:
        imported(store, tmp_path, update)
    assert (store.product("D") or {})["price"] == price


@pytest.mark.parametrize(
    ("update", "price"),
    [
        ("sku,list price,sale_price,sale_to\nK42,60,45,2020-02-01\n", 60),
        ("sku,stock,sale_price,sale_to\nK42,5,45,2020-02-01\n", 50),
        ("sku,price\nK42,call us\n", 50),
    ],
)
def test_a_variants_price_that_does_not_hold(store: Store, tmp_path: Path, update: str, price: float) -> None:
    imported(store, tmp_path, ROWS)
    report = imported(store, tmp_path, update)
    assert (variants(store, "boot")["K42"]["price"], report.set_aside, report.cleared) == (price, 0, 0)


@pytest.mark.parametrize("ends", ["Artikelnummer;Angebotspreis\nK42;\n", "SKU,Sale price\nK42,\n"])
@pytest.mark.parametrize("full", [WOO_SALE, "ID,Type,SKU,Name,Regular price,Sale price\n1,simple,K42,Kea boot,50,45\n"])
def test_a_list_price_in_another_language_is_the_same(store: Store, tmp_path: Path, full: str, ends: str) -> None:
    imported(store, tmp_path, full)
    for update, price in (("Artikelnummer;Angebotspreis;Regulärer Preis\nK42;40;60\n", 40), (ends, 60)):
        imported(store, tmp_path, update)
        kept = variants(store, "boot")["K42"] if full == WOO_SALE else store.product("K42") or {}
        assert (kept["price"], kept["attributes"].get("Regular price")) == (price, "60")
        assert "Regulärer Preis" not in kept["attributes"]


def test_a_price_in_another_language_ends_no_sale(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "id,title,price,sale_price\nA,Hat,10,8\n")
    imported(store, tmp_path, "Artikelnummer;Preis\nA;12\n")
    hat = store.product("A") or {}
    assert (hat["price"], hat["attributes"]) == (8, {"price": "12"})


@pytest.mark.parametrize(
    ("update", "after"),
    [
        ("Handle,Variant SKU,Bin\nboot,K42,B9\n", {"Bin": "B9", "Price / International": "70"}),
        ("Handle,Option1 Value,Bin\nboot,42,\n", {"Price / International": "70"}),
        ("Handle,Variant SKU,COO\nboot,K42,PT\n", {"Bin": "B2", "Price / International": "70", "COO": "PT"}),
    ],
)
def test_shopifys_cells_of_each_variant(store: Store, tmp_path: Path, update: str, after: dict[str, str]) -> None:
    header = "Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price,Price / International,Bin,Season"
    imported(
        store,
        tmp_path,
        f"{header}\nboot,Kea boot,Kea,Size,41,K41,50,60,B1,SS\nboot,,,,42,K42,50,70,B2,SS\n",
    )
    first = {"Bin": "B1", "Price / International": "60"}
    assert (store.product("boot") or {})["attributes"] == {"Season": "SS"}
    assert [one["attributes"] for one in variants(store, "boot").values()] == [
        first,
        {**first, "Bin": "B2", "Price / International": "70"},
    ]
    imported(store, tmp_path, update)
    assert [one["attributes"] for one in variants(store, "boot").values()] == [first, after]


@pytest.mark.parametrize(
    "update",
    ["Handle,Variant SKU,Variant Price\nmug,M1,12\n", "Variant SKU,Variant Price\nM1,12\n", "sku,price\nM1,12\n"],
)
def test_the_only_variant_of_a_source(store: Store, tmp_path: Path, update: str) -> None:
    data = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nmug,Mug,Title,Default Title,M1,9\n"
    for source in ("fr", "de", ""):
        imported(store, tmp_path, data, source=source)
    report = imported(store, tmp_path, update, source="fr")
    prices = {name: (store.product(name) or {})["price"] for name in store.product_ids()}
    assert (prices, report.set_aside) == ({"fr:mug": 12, "de:mug": 9, "mug": 9}, 0)


@pytest.mark.parametrize("option", ["Size", "Größe", "size"])
def test_a_variant_under_another_code_with_its_option_in_another_language(
    store: Store, tmp_path: Path, option: str
) -> None:
    imported(store, tmp_path, SHOPIFY)
    imported(store, tmp_path, SHOPIFY.replace("K4", "N4").replace("Size", option))
    assert list(variants(store, "boot")) == ["N41", "N42"]


def test_cells_that_a_variant_had_from_its_product(store: Store, tmp_path: Path) -> None:
    days = "2020-01-01/2099-01-01"
    imported(
        store,
        tmp_path,
        "id\ttitle\tlink\timage_link\tprice\tsale_price\tsale_price_effective_date\titem_group_id\tsize\n"
        f"K41\tKea boot\tl\ti\t50 EUR\t45 EUR\t{days}\tboot\t41\n"
        f"K42\tKea boot\tl\ti\t50 EUR\t45 EUR\t{days}\tboot\t42\n",
    )
    for name, said in (("K42", True), ("K41", False)):
        report = imported(store, tmp_path, f"id\tsale_price\tsale_price_effective_date\n{name}\t\t\n")
        kept = variants(store, "boot")[name]
        assert (report.cleared, kept["price"], kept["attributes"]["sale_price_effective_date"]) == (1, 50, "")
        assert ("sale_price_effective_date" in (store.product("boot") or {})["attributes"]) is said


@pytest.mark.parametrize(
    ("update", "currency"),
    [("id;price\nK41;75.00 CHF\nK42;75.00 CHF\n", "CHF"), ("id;price\nK42;75.00 CHF\n", None),
     ("id;price\nK42;75.00 EUR\n", "EUR"), ("id;price\nK42;$75\n", None), ("id;price\nK42;75\n", "EUR"),
     ("id;item_group_id;price\nK41;boot;75 CHF\nK42;boot;75 CHF\n", "CHF")],
)  # fmt: skip
def test_variants_in_another_currency(store: Store, tmp_path: Path, update: str, currency: str | None) -> None:
    imported(store, tmp_path, GOOGLE)
    imported(store, tmp_path, update)
    assert variants(store, "boot")["K42"]["price"] == 75
    assert (store.product("boot") or {})["currency"] == currency


@pytest.mark.parametrize(
    ("update", "lost", "aside"),
    [
        ("id,title,price\n123,Hat,9\n", 1, 0),
        ("id,title,price\n123,Kettle,9\n", 0, 0),
        ("id,price\n123,9\n", 0, 1),
        ("id,title,price\n1230,Hat,9\n", 0, 0),
    ],
)
def test_ids_that_lost_their_zeros_are_told(store: Store, tmp_path: Path, update: str, lost: int, aside: int) -> None:
    imported(store, tmp_path, "id,title,price\n00123,Hat,9\n")
    report = imported(store, tmp_path, update)
    assert (report.lost_zeros, report.set_aside) == (lost, aside)
    assert all("there is 00123: were leading zeros lost?" in reason for _, reason in report.first_rejected)


def test_a_barcode_of_a_variant_of_a_source(store: Store, tmp_path: Path) -> None:
    for source in ("fr", "de"):
        imported(store, tmp_path, BARCODES, source=source)
    report = imported(store, tmp_path, "ean,price\n4006381333948,40\n", source="fr")
    assert [variants(store, f"{one}:boot")[f"{one}:K42"]["price"] for one in ("fr", "de")] == [40, 50]
    assert report.set_aside == 0
