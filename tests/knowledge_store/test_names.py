"""What products go by beside their ids: SKUs, barcodes, numbers, in every format that has them."""

import json
from pathlib import Path
from typing import Any

import pytest

from reaseq import ReaseqError
from reaseq.knowledge_store.event_columns import guess_fields
from reaseq.knowledge_store.events import history, import_events
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import ImportReport, import_feed
from reaseq.knowledge_store.names import find_product, read_names
from reaseq.knowledge_store.store import Store

SHOPIFY = """Handle,Title,Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Barcode,Image Src
lake-boot,Lake Boot,Uferweg,Shoes,Size,38,LB-38,129.00,'4006381333931,https://img.example/1.jpg
lake-boot,,,,,39,LB-39,129.00,4006381333948,https://img.example/2.jpg
felt-sole,Felt Sole,Uferweg,Care,Title,Default Title,FS-1,9.00,4006381333955,
"""
WOO = """ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)
11,variable,HAT,,Wool hat,,,Size,"S, M"
12,variation,HAT-S,04012345678901,Wool hat - S,20,HAT,Size,S
13,variation,,,Wool hat - M,20,id:11,Size,M
14,simple,,5901234123457,Scarf,15,,,
"""
GOOGLE = """id\ttitle\tlink\timage_link\tprice\titem_group_id\tsize\tgtin
a-1\tRain coat\thttps://x.example/a\thttps://x.example/a.jpg\t80 EUR\tcoat\tS\t4006381333931
a-2\tRain coat\thttps://x.example/a\thttps://x.example/a.jpg\t80 EUR\tcoat\tM\t4006381333948
b-1\tUmbrella\thttps://x.example/b\thttps://x.example/b.jpg\t20 EUR\t\t\t4006381333955
"""
MAGENTO = """sku,attribute_set_code,product_type,name,price,ean,configurable_variations
POLO-S,Default,simple,Polo S,20,4006381333931,
POLO,Default,configurable,Polo,20,,"sku=POLO-S,size=S"
"""
AMAZON = """item_sku,item_name,external_product_id,standard_price,parent_child,parent_sku,size_name,color_name
TEE,Tee,,20,parent,,,
TEE-M,Tee M,4006381333931,20,child,TEE,M,navy
"""
NESTED = json.dumps(
    [
        {
            "id": 70,
            "title": "Mug",
            "variants": [
                {"id": 7001, "sku": "MUG-B", "color": "blue", "barcode": "4006381333931"},
                {"id": 7002, "sku": "MUG-G", "color": "green"},
            ],
        }
    ]
)
PLAIN = """id,sku,title,ean
1.0,A-1,Lamp,4006381333931.0
2.0,A-2,Shade,04006381333948
"""
SCHEMA_ORG = json.dumps(
    {
        "@type": "ProductGroup",
        "productGroupID": "desk",
        "name": "Desk",
        "image": [{"@type": "ImageObject", "url": "https://img.example/desk.jpg"}],
        "variesBy": ["https://schema.org/color"],
        "hasVariant": [{"@type": "Product", "sku": "D-OAK", "color": "oak", "gtin13": "4006381333931"}],
    }
)


def imported(store: Store, folder: Path, name: str, text: str, source: str = "") -> ImportReport:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    feed = open_feed(path)
    mapping = guess_columns(feed.columns, feed.fields)
    return import_feed(store, feed, mapping, source=source, rejected_dir=folder / "rejected")


@pytest.mark.parametrize(
    ("name", "text", "called"),
    [
        (
            "shopify.csv",
            SHOPIFY,
            {
                "lake-boot": ["lake-boot", "LB-38", "LB-39", "4006381333931", "4006381333948", "04006381333948"],
                "felt-sole": ["FS-1", "4006381333955"],
            },
        ),
        (
            "woo.csv",
            WOO,
            {"HAT": ["HAT", "11", "12", "13", "HAT-S", "4012345678901"], "id:14": ["14", "id:14", "5901234123457"]},
        ),
        ("google.tsv", GOOGLE, {"coat": ["a-1", "a-2", "4006381333931", "4006381333948"], "b-1": ["4006381333955"]}),
        ("magento.csv", MAGENTO, {"POLO": ["POLO", "POLO-S", "4006381333931"]}),
        ("amazon.csv", AMAZON, {"TEE": ["TEE", "TEE-M", "4006381333931"]}),
        ("nested.json", NESTED, {"70": ["7001", "7002", "MUG-B", "MUG-G", "4006381333931"]}),
        ("schema.json", SCHEMA_ORG, {"desk": ["D-OAK", "4006381333931"]}),
        ("plain.csv", PLAIN, {"1": ["1", "A-1", "4006381333931"], "2": ["A-2", "04006381333948", "4006381333948"]}),
    ],
)
def test_names_of_products(store: Store, tmp_path: Path, name: str, text: str, called: dict[str, list[str]]) -> None:
    for _ in range(2):  # a second import changes nothing
        imported(store, tmp_path, name, text)
        names = read_names(store)
        found = {one: names.find(one) for several in called.values() for one in several}
        assert found == {one: product for product, several in called.items() for one in several}
    assert {one: find_product(store, one)["id"] for one in found} == found
    assert names.find("0000") is None
    assert names.find("") is None


def test_a_name_of_several_is_told(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "a.csv", "id,title,ean\n1,Lamp,4006381333931\n2,Lamp,4006381333931\n3,Shade,\n")
    names = read_names(store)
    assert names.find("4006381333931") is None
    assert names.why_not("4006381333931") == "the item is a name of several products (1, 2): 4006381333931"
    with pytest.raises(ReaseqError, match="several products: 1, 2"):
        find_product(store, "4006381333931")
    path = tmp_path / "log.csv"
    path.write_text("user,item\nu,4006381333931\nu,3\n")
    feed = open_feed(path)
    report = import_events(store, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert (report.events, report.set_aside, report.unknown_items) == (1, 1, 0)
    assert [one["product_id"] for one in history(store, "u")] == ["3"]


def test_an_id_counts_before_other_names(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "a.csv", "id,sku,title\n1,2,Lamp\n2,1,Shade\n")
    names = read_names(store)
    assert (names.find("1"), names.find("2")) == ("1", "2")


def test_a_new_import_says_anew_what_its_columns_said(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "a.csv", "id,sku,ean,title\n1,old,4006381333931,Lamp\n2,other,,Shade\n")
    imported(store, tmp_path, "b.csv", "id,sku,title\n1,new,Lamp\n")
    names = read_names(store)
    assert [names.find(one) for one in ("old", "new", "4006381333931", "other")] == [None, "1", "1", "2"]


def test_a_row_that_is_set_aside_names_nothing(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "a.csv", "id,sku,title\n1,A,Lamp\n1,B,Another lamp\n")
    assert report.set_aside == 1
    assert [read_names(store).find(one) for one in ("A", "B")] == ["1", None]


def test_variants_with_one_sku_are_two(store: Store, tmp_path: Path) -> None:
    text = SHOPIFY.replace("LB-39", "LB-38")
    for new in (2, 2):
        report = imported(store, tmp_path, "shopify.csv", text)
        assert (report.variants, report.same_ids) == (new, 1)
        found: list[dict[str, Any]] = store.variants(["lake-boot"])["lake-boot"]
        assert [(one["id"], one["options"]) for one in found] == [
            ("LB-38", {"Size": "38"}),
            ("LB-38/39", {"Size": "39"}),
        ]
    assert read_names(store).find("4006381333948") == "lake-boot"


def test_pictures_are_kept(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "shopify.csv", SHOPIFY)
    imported(store, tmp_path, "schema.json", SCHEMA_ORG)
    boot, desk, sole = (store.product(one) or {} for one in ("lake-boot", "desk", "felt-sole"))
    assert boot["attributes"]["Images"] == ["https://img.example/1.jpg", "https://img.example/2.jpg"]
    assert desk["attributes"]["image"] == ["https://img.example/desk.jpg"]
    assert "Images" not in sole["attributes"]


def test_children_without_a_theme_differ_by_what_they_have(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "amazon.csv", AMAZON)
    assert store.variants(["TEE"])["TEE"][0]["options"] == {"size_name": "M", "color_name": "navy"}


@pytest.mark.parametrize(("name", "text"), [("shopify.csv", SHOPIFY), ("magento.csv", MAGENTO), ("plain.csv", PLAIN)])
def test_names_of_two_sources(store: Store, tmp_path: Path, name: str, text: str) -> None:
    alone = imported(store, tmp_path, name, text)
    for source in ("north", "south"):
        report = imported(store, tmp_path, name, text, source)
        assert (report.new, report.variants, report.further) == (alone.new, alone.variants, alone.further)
    own = [one for one in store.product_ids() if ":" not in one]
    assert sorted(store.product_ids()) == sorted([*own, *(f"{s}:{one}" for s in ("north", "south") for one in own)])
    names = read_names(store)
    assert [names.find(one) for one in own] == own
    barcode = "4006381333931"
    assert names.find(barcode) is None
    assert len(names.several[barcode]) == 3
