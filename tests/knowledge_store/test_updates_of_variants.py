"""Partial files that mean variants: of the feed that brought them, or of any other."""

from pathlib import Path
from typing import Any

import pytest

from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import ImportReport, import_feed
from reaseq.knowledge_store.store import Store


def imported(store: Store, folder: Path, data: str) -> ImportReport:
    path = folder / "feed"
    path.write_text(data)
    feed = open_feed(path)
    return import_feed(store, feed, guess_columns(feed.columns, feed.fields), rejected_dir=folder / "rejected")


def variants(store: Store, product_id: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in store.variants([product_id]).get(product_id, [])}


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
        "": before[""]["price"],
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


def contents(store: Store) -> dict[str, Any]:
    seen = ("import_id", "updated_at")
    return {
        name: {key: value for key, value in row.items() if key not in seen}
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
