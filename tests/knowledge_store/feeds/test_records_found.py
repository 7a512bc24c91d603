"""Which list of a document is the products, and in which language they are taken."""

import json
from pathlib import Path
from typing import Any

import pytest

from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.dialect import Reading
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import FeedError, Record

GOODS = (
    "<goods><good><sku>1</sku><title>Clog</title><price>9</price></good>"
    "<good><sku>2</sku><title>Boot</title></good></goods>"
)
YML = """<?xml version="1.0"?><yml_catalog><shop><name>Kea</name><currencies><currency id="RUR" rate="1"/>
<currency id="USD" rate="90"/></currencies><categories><category id="1">Shoes</category>
<category id="2" parentId="1">Clogs</category></categories><offers>
<offer id="7"><price>9</price>
<currencyId>RUR</currencyId><categoryId>2</categoryId>
<vendor>Kea</vendor><name>Clog</name><param name="Colour">red</param><param name="Size">41</param>
</offer></offers></shop></yml_catalog>"""


def products(path: Path, data: str, reading: Reading | None = None, locale: str | None = None) -> list[dict[str, Any]]:
    path.write_text(data)
    feed = open_feed(path, reading or Reading())
    fields = guess_columns(feed.columns, feed.fields, locale)
    return [
        {field: row.values.get(name) for field, name in fields.items()} for row in feed.rows if isinstance(row, Record)
    ]


@pytest.mark.parametrize(
    "before",
    [
        '<categories><category id="1" name="Boots"/><category id="2" name="Shoes"/></categories>',
        "<brands><brand><id>1</id><name>Kea</name></brand><brand><id>2</id><name>Tui</name></brand></brands>",
        '<images><image id="1" src="a"/><image id="2" src="b"/></images>',
        "<meta><name>Shop</name><url>x</url></meta>",
        "",
    ],
)
def test_the_products_of_an_xml_document(tmp_path: Path, before: str) -> None:
    found = products(tmp_path / "feed.xml", f"\n <shop>{before}{GOODS}</shop>")
    assert [one["title"] for one in found] == ["Clog", "Boot"]


def test_a_yml_catalogue(tmp_path: Path) -> None:
    (found,) = products(tmp_path / "feed.xml", YML)
    assert found == {
        "id": "7", "title": "Clog", "brand": "Kea", "price": "9", "currency": "RUR", "category": "Shoes > Clogs"
    }  # fmt: skip
    (row,) = open_feed(tmp_path / "feed.xml").rows
    assert isinstance(row, Record)
    assert (row.values["Colour"], row.values["Size"]) == ("red", "41")


def test_records_as_somebody_tells(tmp_path: Path) -> None:
    brands = "<brands><brand><name>Kea</name></brand></brands>"
    told = Reading(records="brands/brand")
    assert [one["title"] for one in products(tmp_path / "a.xml", f"<shop>{brands}{GOODS}</shop>", told)] == ["Kea"]
    with pytest.raises(FeedError, match="there are: "):
        products(tmp_path / "a.xml", YML, Reading(records="product"))
    data = json.dumps({"goods": [{"name": "Clog", "id": 1, "price": 2}], "other": {"list": [{"title": "Boot"}]}})
    assert [one["title"] for one in products(tmp_path / "a.json", data)] == ["Clog"]
    assert [one["title"] for one in products(tmp_path / "a.json", data, Reading(records="other.list"))] == ["Boot"]


@pytest.mark.parametrize(
    "data",
    [
        {"brands": [{"id": 1, "name": "Kea"}], "catalogue": [{"sku": "1", "name": "Clog", "price": 3}]},
        {"meta": {"total": 1}, "payload": {"things": [{"sku": "1", "name": "Clog"}]}},
        {"name": "Shop", "products": [{"sku": "1", "name": "Clog"}]},
        [{"properties": {"name": "Clog", "sku": "1"}}],
        [{"sku": "1", "name": {"en": "Clog", "de": "Holzschuh"}}],
    ],
)
def test_the_products_of_a_json_document(tmp_path: Path, data: Any) -> None:
    (found,) = products(tmp_path / "feed.json", json.dumps(data))
    assert (found["id"], found["title"]) == ("1", "Clog")


def test_one_language_is_taken_for_all_fields(tmp_path: Path) -> None:
    data = "sku,name-de_DE,name-en_US,description-en_US,brand,description-de_DE\n1,Holzschuh,Clog,warm,Kea,warmer\n"
    path = tmp_path / "feed.csv"
    (found,) = products(path, data, locale="en_US")
    assert (found["title"], found["description"]) == ("Clog", "warm")
    (found,) = products(path, data, locale="de")
    assert (found["title"], found["description"]) == ("Holzschuh", "warmer")
    (found,) = products(path, data)
    assert (found["title"], found["description"]) == ("Holzschuh", "warmer")


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        ([{"sku": "a", "option1": "41", "price": "5"}], [("a", {"Size": "41"}, "5")]),
        (
            [{"sku": "a", "option1": "41"}, {"sku": "b", "option1": "42"}],
            [("a", {"Size": "41"}, None), ("b", {"Size": "42"}, None)],
        ),
        (
            [{"id": 4, "selectedOptions": [{"name": "Colour", "value": "red"}], "price": {"amount": "7"}}],
            [("4", {"Colour": "red"}, "7")],
        ),
        ([{"sku": "a", "attributes": [{"name": "size", "value": "S"}], "prices": []}], [("a", {"size": "S"}, None)]),
        ([{"sku": "a", "size": "S", "color": "red"}], [("a", {"size": "S", "color": "red"}, None)]),
        ([{"sku": "a", "option1": "Default Title", "price": "5"}], []),
    ],
)  # fmt: skip
def test_variants_within_products(
    tmp_path: Path, variants: list[dict[str, Any]], expected: list[tuple[str, dict[str, str], Any]]
) -> None:
    path = tmp_path / "feed.json"
    names = [{"name": "Title" if not expected else "Size"}]
    path.write_text(json.dumps([{"id": 1, "title": "Clog", "variants": variants, "options": names}]))
    (row,) = open_feed(path).rows
    assert isinstance(row, Record)
    assert [(one.id, one.options, one.price) for one in row.variants] == expected
    assert all(one.product_id == "1" for one in row.variants)
