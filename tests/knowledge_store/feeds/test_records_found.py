"""Which list of a document is the products, and in which language they are taken."""

import json
from pathlib import Path
from typing import Any

import pytest

from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.dialect import Reading
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Record

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


_SHOES = [{"sku": "F1", "title": "Fox boot", "price": 10.9}, {"sku": "F2", "title": "Hen boot", "price": 11.9}]
_BAGS = [{"sku": "F3", "title": "Bag", "price": 3, "category": "Totes"}]
_GROUPS = [{"name": "Shoes", "products": _SHOES}, {"name": "Bags", "products": _BAGS}]
_EDGES = {"edges": [{"node": {"title": "Shoes", "products": {"edges": [{"node": one} for one in _SHOES]}}}]}
_IN_XML = "".join(f"<product><sku>{one['sku']}</sku><title>{one['title']}</title></product>" for one in _SHOES)
_BAG = "<product><sku>F3</sku><title>Bag</title><category>Totes</category></product>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (json.dumps({"groups": _GROUPS}), ["Shoes", "Shoes", "Totes"]),
        (json.dumps(_GROUPS), ["Shoes", "Shoes", "Totes"]),
        ("\n".join(map(json.dumps, _GROUPS)), ["Shoes", "Shoes", "Totes"]),
        (json.dumps({"orders": [{"id": 7, "name": "x", "price": 3}], "groups": _GROUPS}), ["Shoes", "Shoes", "Totes"]),
        (json.dumps([{"id": 1, "name": "Shoes", "items": [{**_SHOES[0], "category": ""}]}]), ["Shoes"]),
        (json.dumps({"halls": [{"name": "Men", "groups": _GROUPS}]}), ["Men > Shoes", "Men > Shoes", "Totes"]),
        (json.dumps({"data": {"collections": _EDGES}}), ["Shoes", "Shoes"]),
        (f'<shop><category name="Shoes">{_IN_XML}</category><category name="Bags">{_BAG}</category></shop>',
         ["Shoes", "Shoes", "Totes"]),
        (f"<shop><name>Kea</name><group><name>Shoes</name><products>{_IN_XML}</products></group><group><name>Bags</name>"
         f"<products>{_BAG}</products></group></shop>", ["Shoes", "Shoes", "Totes"]),
    ],
)  # fmt: skip
def test_products_within_groups(tmp_path: Path, data: str, expected: list[str]) -> None:
    found = products(tmp_path / "feed", data)
    assert [(one["id"], one["category"]) for one in found] == list(zip(["F1", "F2", "F3"], expected, strict=False))


def test_groups_by_brand(tmp_path: Path) -> None:
    shop = {"brands": [{"name": "Kea", "products": _SHOES}]}
    in_xml = f'<shop><brand name="Kea">{_IN_XML}</brand></shop>'
    for data in (json.dumps(shop), in_xml):
        assert {one["brand"] for one in products(tmp_path / "feed", data)} == {"Kea"}


@pytest.mark.parametrize(
    "data",
    [
        # Parts of products, what belongs to them and orders are no groups of products.
        [{"id": 1, "title": "Boot", "variants": [{"id": 2, "title": "40", "price": 3, "sku": "x"}]}],
        [{"id": 1, "name": "Set", "price": 9, "items": [{"id": 2, "name": "Cup", "price": 3, "brand": "Kea"}]}],
        [{"id": 1, "name": "Boot", "reviews": [{"id": 2, "title": "Nice", "description": "x", "brand": "y"}]}],
        {
            "data": {
                "products": {
                    "edges": [
                        {
                            "node": {
                                "id": 1,
                                "title": "Boot",
                                "collections": {"edges": [{"node": {"id": 2, "title": "Winter", "description": "x"}}]},
                            }
                        }
                    ]
                }
            }
        },
        {"orders": [{"id": 1, "name": "#1001", "email": "x", "items": [{"sku": 2, "name": "Cup", "price": 3}]}]},
    ],
)
def test_what_is_no_group(tmp_path: Path, data: Any) -> None:
    (found,) = products(tmp_path / "feed", json.dumps(data))
    assert str(found["id"]) == "1"


@pytest.mark.parametrize("told", ["groups.products", "products", "groups[].products[]", "groups.item.products.item"])
def test_records_within_others_as_somebody_tells(tmp_path: Path, told: str) -> None:
    path = tmp_path / "feed"
    data = json.dumps({"groups": _GROUPS, "products": {"more": 1}})
    assert [one["id"] for one in products(path, data, Reading(records=told))] == ["F1", "F2", "F3"]
    assert [one["title"] for one in products(path, data, Reading(records="groups"))] == ["Shoes", "Bags"]
    with pytest.raises(FeedError, match=r"no such list of objects; there are: groups, groups\.products"):
        products(path, data, Reading(records="goods"))
    lines = "\n".join(map(json.dumps, _GROUPS))
    assert len(products(path, lines, Reading(records="products"))) == 3


def test_a_list_that_may_be_the_products_is_named(tmp_path: Path) -> None:
    parts = [{"sku": "a", "name": "Cup", "price": 3, "brand": "Kea"}]
    (tmp_path / "feed").write_text(json.dumps({"list": [{"id": 1, "name": "Set", "parts": parts}]}))
    assert "--records list.parts" in open_feed(tmp_path / "feed").taken["records"]


def _records(feed: Feed) -> list[Record]:
    return [row for row in feed.rows if isinstance(row, Record)]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\x0b", "\x1e"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_no_other_sign_ends_a_line(tmp_path: Path, sign: str, end: str) -> None:
    path, title = tmp_path / "feed", f"Cup{sign}of tea"
    texts = [json.dumps({"sku": sku, "name": title, "price": 3}, ensure_ascii=False) for sku in "abc"]
    if ord(sign) > ord(" "):
        path.write_text(end.join(texts), encoding="utf-8", newline="")
        feed = open_feed(path)
        assert (feed.format, [row.values["name"] for row in _records(feed)]) == ("JSON lines", [title] * 3)
    rows = [f"Our{sign}list", *(f"{sku},{title},3" for sku in ("sku", "a", "b", "c"))]
    rows[1] = "sku,name,price"
    path.write_text(end.join(rows), encoding="utf-8", newline="")
    feed = open_feed(path)
    assert feed.taken["header line"] == "2"
    assert [(row.line, row.values["name"]) for row in _records(feed)] == [(line, title) for line in (3, 4, 5)]


def _of_shop(tag: str, *products: str) -> str:
    return f"<shop>{''.join(f'<{tag}>{one}</{tag}>' for one in products)}</shop>"


_SIZED = (
    "<id>{0}</id><description><name>{1}</name></description><price>9</price><brand>Kea</brand>"
    '<sizes><size id="4" name="41" code="{0}-41"/><size id="5" name="42" code="{0}-42"/></sizes>'
)
_POLISH = (
    "<id>{0}</id><opis><nazwa>{1}</nazwa></opis><cena>9</cena><producent>Kea</producent>"
    "<rozmiary><rozmiar><nazwa>41</nazwa><kod>{0}-41</kod></rozmiar><rozmiar><nazwa>42</nazwa><kod>{0}-42</kod></rozmiar>"
    "</rozmiary>"
)
_FEW = (
    "<id>{0}</id><title>{1}</title><variants><variant><sku>{0}-41</sku><name>{1} 41</name><price>9</price><brand>Kea"
    "</brand><size>41</size></variant><variant><sku>{0}-42</sku><name>{1} 42</name><price>9</price><brand>Kea</brand>"
    "<size>42</size></variant></variants>"
)
_SPELT = (
    "<ProductId>{0}</ProductId><Name>{1}</Name><ProductVariants><ProductVariant><Name>41</Name><SKU>{0}-41</SKU><Price>9"
    "</Price><Description/></ProductVariant><ProductVariant><Name>42</Name><SKU>{0}-42</SKU><Price>9</Price>"
    "</ProductVariant></ProductVariants>"
)


@pytest.mark.parametrize(
    ("tag", "inner"),
    [("product", _SIZED), ("thing", _SIZED), ("towar", _POLISH), ("product", _FEW), ("Product", _SPELT)],
)
def test_products_win_over_what_lies_inside_them(tmp_path: Path, tag: str, inner: str) -> None:
    path = tmp_path / "feed.xml"
    found = products(path, _of_shop(tag, inner.format("F1", "Clog"), inner.format("F2", "Boot")))
    assert [(one["id"], one["title"]) for one in found] == [("F1", "Clog"), ("F2", "Boot")]
    first, second = (row for row in open_feed(path).rows if isinstance(row, Record))
    assert [one.id for row in (first, second) for one in row.variants] == ["F1-41", "F1-42", "F2-41", "F2-42"]
    assert all(next(iter(one.options.values())).endswith(("41", "42")) for one in first.variants)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # What stands around products is no product, though it has a title.
        ("<offers><offer><id>1</id><title>Sale</title><description>All</description><products><product><sku>a</sku><name>Clog"
         "</name><price>9</price></product><product><sku>b</sku><name>Boot</name><price>9</price><brand>x</brand></product>"
         "</products></offer></offers>", ["Clog", "Boot"]),
        ("<orders>" + "<order><id>7</id><currency>EUR</currency><customer><name>Ann</name></customer><items><item>"
         "<sku>a</sku><name>Clog</name><price>9</price></item></items></order>" * 2 + "</orders>", ["Clog", "Clog"]),
        ("<shop><name>Kea</name><description>x</description><currency>EUR</currency><products><product><sku>a</sku><name>Clog"
         "</name></product></products></shop>", ["Clog"]),
        ("<products><product><id>1</id><name>Clog</name><price>9</price><related><product><id>2</id><name>Boot</name>"
         "<price>4</price><brand>x</brand></product></related></product></products>", ["Clog"]),
        ("<products><product><id>1</id><name>Clog</name><price>9</price><sizes><size>41</size><size>42</size></sizes>"
         "</product></products>", ["Clog"]),
    ],
)  # fmt: skip
def test_what_stands_around_products_and_inside_them(tmp_path: Path, data: str, expected: list[str]) -> None:
    assert [one["title"] for one in products(tmp_path / "feed.xml", data)] == expected
