"""Updates that call products by SKUs and barcodes, under whatever a system calls their column."""

from pathlib import Path
from typing import Any

import pytest

from reaseq.knowledge_store.feeds.opening import open_feed, understood
from reaseq.knowledge_store.feeds.rows import FeedError
from reaseq.knowledge_store.importing import ImportReport, import_feed, titled
from reaseq.knowledge_store.names import codes_in, find_product, read_names
from reaseq.knowledge_store.store import Store
from tests.knowledge_store.test_updates_of_variants import variants


def imported(store: Store, folder: Path, data: str, source: str = "") -> ImportReport:
    """As the command does it: columns are told by what the catalogue knows, too."""
    path = folder / "feed"
    path.write_text(data)
    feed, mapping = understood(open_feed(path), codes=codes_in(store, source))
    feed, mapping = titled(store, feed, mapping, source=source)
    return import_feed(store, feed, mapping, source=source, rejected_dir=folder / "rejected")


BASE = (
    "sku,name,brand,category,price,stock,ean\nA-1,Kettle,Acme,Kitchen,49.90,5,4006381333931\n"
    "A-2,Toaster,Acme,Kitchen,39.90,3,4006381333948\nA-3,Mixer,Bolt,Kitchen,1299.00,1,4006381333955\n"
)
SHIRTS = "id,name,sku,price\n1,Shirt,SH,20\n2,Cap,CP,10\n"
FAMILY = "id,parent_id,name,sku,color,price\n1,,Shirt,SH,,20\n11,1,,SH-R,red,20\n12,1,,SH-B,blue,20\n"
BIGCOMMERCE = (
    "Item Type,Product ID,Product Name,Product Code/SKU,Price,Category,Product UPC/EAN\n"
    'Product,77,Canvas Tote,TOTE,30.00,Bags,\n  SKU,,"[S]Color=Red",TOTE-R,,,4006381333931\n'
    "Product,78,Leather Wallet,WAL,50.00,Bags,4006381333948\n"
)
BIGCOMMERCE_NEW = (
    "Item,ID,Name,Type,SKU,Options,GTIN,Price\nProduct,77,Tote,physical,TOTE,,4006381333955,30\n"
    "Variant,501,,,TOTE-R,Type=Rectangle|Name=Color|Value=Red,4006381333931,\nProduct,78,Wallet,physical,WAL,,,50\n"
)
EBAY = (
    "Item number,Title,Variation details,Custom label (SKU),P:EAN,Currency,Start price\n"
    "110552,Scarf,,SC-1,4006381333931,EUR,9.99\n"
)
EBAY_ACTIONS = (
    "*Action(SiteID=US|Currency=USD),ItemID,Custom label (SKU),Title,Relationship,Relationship details,Start price,"
    "P:EAN\nAdd,110552,SC-1,Scarf,,,9.99,4006381333931\nAdd,110553,TE,Tee,,Size=S;M,,\n"
    ",,TE-S,,Variation,Size=S,20,4006381333948\n"
)
ODOO = (
    "id,name,default_code,categ_id/name,list_price,attribute_line_ids/attribute_id,attribute_line_ids/value_ids\n"
    'p1,Tee,TS,Shirts,10,Color,"Red,Blue"\n,,,,,Size,"S,M"\np2,Mug,MU,Cups,5,,\n'
)
ODOO_NAMES = ODOO.replace("attribute_id", "attribute_id/name").replace("value_ids", "value_ids/name")
IPOD = """{"products":[{"id":632910392,"title":"IPod","variants":[{"id":808950810,"price":"199.00","sku":"IPOD-P",
"option1":"Pink"},{"id":808950811,"price":"199.00","sku":"IPOD-R","option1":"Red"}],"options":[{"name":"Color"}]}]}"""
TEE = '[{"id":799,"name":"Ship Tee","sku":"TEE","regular_price":"30","sale_price":"25"}]'
WOO_PRODUCTS = """[{"id":799,"name":"Ship Tee","sku":"TEE","regular_price":""},
{"id":794,"name":"Mug","sku":"MUG","regular_price":"9"}]"""
WOO_VARIATIONS = """[{"id":801,"parent_id":799,"sku":"TEE-R","regular_price":"20",
"attributes":[{"id":1,"name":"Color","option":"Red"}]},{"id":802,"parent_id":799,"sku":"TEE-B","regular_price":"20",
"attributes":[{"id":1,"name":"Color","option":"Blue"}]}]"""


@pytest.mark.parametrize(
    ("base", "update", "expected"),
    [
        # A word for other things than the brand or the category is neither in a file that describes no products.
        (BASE, "sku,store,qty\nA-1,Berlin,4\n", {"A-1": {"brand": "Acme"}}),
        (BASE, "sku,store,qty\nA-1,Berlin,4\nA-1,Hamburg,4\n", {"A-1": {"brand": "Acme"}}),
        (BASE, "sku,name,store\nA-1,Kettle,Berlin\nA-1,Kettle,Hamburg\n", {"A-1": {"brand": "Acme"}}),
        (BASE, "sku,name,store,quantity\nA-1,Kettle,Berlin,7\n", {"A-1": {"brand": "Acme"}}),
        (BASE, "sku,name,store,price\nA-1,Kettle,Berlin,7\nA-2,Cup,Berlin,8\n", {"A-1": {"brand": "Acme"}}),
        ("id,title,store,price\n1,Acme Kettle,Acme,9\n2,Cup,Bolt,5\n", "id,price\n1,8\n", {"2": {"brand": "Bolt"}}),
        (BASE, "sku,label,qty\nA-1,new!,4\n", {"A-1": {"brand": "Acme"}}),
        (BASE, "sku,vendor,cost\nA-1,Wholesale Ltd,4\n", {"A-1": {"brand": "Acme"}}),
        (BASE, "sku,vendor\nA-1,Bolt\n", {"A-1": {"brand": "Bolt"}}),
        (BASE, "sku,type,qty\nA-1,outbound,4\n", {"A-1": {"category": "kitchen"}}),
        (BASE, "sku,department,price\nA-1,North,4\n", {"A-1": {"category": "kitchen", "price": 4}}),
        ("asin,title,store,price\nB1,Kettle,Acme,9\nB2,Cup,Bolt,5\n", "asin,price\nB1,8\n", {"B1": {"brand": "Acme"}}),
        # An id that is called like a title.
        (BASE, "Artikel;Preis\nA-1;4\n", {"A-1": {"title": "Kettle", "price": 4}}),
        (BASE, "Produkt;Preis\nA-1;4\nA-2;5\n", {"A-1": {"price": 4}, "A-2": {"title": "Toaster", "price": 5}}),
        (BASE, "Product,Price\n4006381333931,44\nA-2,33\n", {"A-1": {"price": 44}, "A-2": {"price": 33}}),
        (BASE, "Article;Prix\nA-1;4\nA-2;5\nA-9;6\n", {"A-1": {"price": 4}, "A-2": {"price": 5}}),
        (BASE, "nr;Artikel;Preis\n1;A-1;4\n2;A-3;6\n", {"A-1": {"price": 4}, "A-3": {"price": 6}}),
        (SHIRTS, "id,product,price\n1,SH,26\n2,CP,11\n", {"1": {"title": "Shirt", "price": 26}}),
        (SHIRTS, "Ding,Price\nSH,26\nCP,11\n", {"1": {"price": 26}, "2": {"price": 11}}),
        ("sku,name,price\nA-1,A-1,9\n", "Artikel;Preis\nA-1;4\n", {"A-1": {"title": "A-1", "price": 4}}),
        # Codes under systems' own names.
        (BIGCOMMERCE, "Product Code/SKU,Price\nTOTE,32\nWAL,55\n", {"77": {"price": 32}, "78": {"price": 55}}),
        (BIGCOMMERCE, "SKU,Price\nTOTE,32\nWAL,55\n", {"77": {"price": 32}, "78": {"price": 55}}),
        (BIGCOMMERCE, "EAN,Price\n4006381333948,55\n", {"78": {"price": 55}}),
        (BIGCOMMERCE_NEW, "SKU,Price\nTOTE,32\nWAL,55\n", {"77": {"price": 32}, "78": {"price": 55}}),
        (EBAY, "SKU,Price\nSC-1,8.99\n", {"110552": {"price": 8.99}}),
        (EBAY, "EAN,Price\n4006381333931,8.99\n", {"110552": {"price": 8.99}}),
        (EBAY, "ItemID,Custom label (SKU),Start price\n110552,OTHER,8.99\n", {"110552": {"price": 8.99}}),
        (EBAY_ACTIONS, "Action,ItemID,Start price\nRevise,110552,8.99\n", {"SC-1": {"price": 8.99}}),
        (ODOO, "default_code,list_price\nTS,12\n", {"p1": {"price": 12}}),
        ("id,name,GTIN or MPN,Art.-Nr./SKU,price\n1,Mug,,M-1,4\n", "SKU,price\nM-1,7\n", {"1": {"price": 7}}),
        # Several in a cell of the update too, and by the product's own SKU where it has variants.
        ("id;name;sku;price\n1;Mug;M1,M2;20\n", "sku;price\nM1,M2;22\n", {"1": {"price": 22}}),
        (FAMILY, "sku,price\nSH,26\n", {"1": {"price": 26}}),
        (FAMILY.replace("SH,,", "4006381333931,,").replace("sku", "ean"), "ean,price\n4006381333931,26\n",
         {"1": {"price": 26}}),
        # JSON in an object.
        (TEE, '{"update":[{"id":799,"regular_price":"27.99","sale_price":""}]}', {"799": {"price": 27.99}}),
        (TEE, '{"prices":[{"price":24.5,"sku":"TEE"}]}', {"799": {"price": 24.5}}),
        (TEE, '{"meta":{"n":1},"prices":[{"price":24.5,"sku":"TEE"}],"links":[{"rel":"x"}]}', {"799": {"price": 24.5}}),
        (TEE, '{"stock":[{"sku":"TEE","qty":5}]}', {"799": {"price": 25}}),
        (TEE, '{"sku":"TEE","price":4,"media":[{"id":1,"file":"a.jpg"}]}', {"799": {"price": 4}}),
    ],
)  # fmt: skip
def test_updates(store: Store, tmp_path: Path, base: str, update: str, expected: dict[str, Any]) -> None:
    imported(store, tmp_path, base)
    before = store.product_ids()
    imported(store, tmp_path, update)
    assert store.product_ids() == before
    found = {name: {field: (store.product(name) or {})[field] for field in said} for name, said in expected.items()}
    assert found == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([SHIRTS, "id,parent_id,sku,color,price\n11,1,SH-R,red,20\n12,1,SH-B,blue,20\n"], "SH SH-R SH-B"),
        ([WOO_PRODUCTS, WOO_VARIATIONS], "TEE TEE-R TEE-B"),
        ([SHIRTS, "id,parent_id,sku,color,price\n11,1,SH-R,red,20\n", "id,parent_id,sku,price\n11,1,SH-X,20\n"],
         "SH SH-X"),
        (['[{"id":1,"name":"Shirt","sku":"SH"}]', '[{"id":1,"name":"Shirt","variants":[{"sku":"R","color":"red"}]}]'],
         "SH R"),
        (["id;name;sku;ean;price\n1;Mug;M1,M2;4006381333931;20\n", "sku;price\nM1;22\n"], "M1 M2 4006381333931"),
        (["id;name;sku;price\n1;Mug;M1,M2;20\n", "sku;price\nM1;22\n", "sku;price\nM2;22\n"], "M1 M2"),
        (["id;name;sku;price\n1;Mug;M1|M2|M3;20\n", "sku;price\nM1|M2;22\n"], "M1 M2 M3"),
        (["id;name;ean;price\n1;Mug;4006381333931,4006381333948;20\n", "ean;price\n4006381333948;22\n"],
         "4006381333931 4006381333948"),
        ([BIGCOMMERCE], "77 TOTE TOTE-R 4006381333931"),
        ([BIGCOMMERCE_NEW], "77 TOTE TOTE-R 4006381333931 4006381333955"),
        ([EBAY], "110552 SC-1 4006381333931"),
        ([EBAY_ACTIONS], "TE TE-S 110553 4006381333948"),
        ([ODOO], "p1 TS"),
    ],
)  # fmt: skip
def test_names_that_stay(store: Store, tmp_path: Path, files: list[str], expected: str) -> None:
    for one in files:
        imported(store, tmp_path, one)
    assert len({find_product(store, name)["id"] for name in expected.split()}) == 1


@pytest.mark.parametrize("update", ["sku,color,price\nSH,red,26\n", "sku,name,Farbe,price\nSH,Shirt,rot,26\n"])
def test_a_variant_by_its_products_sku(store: Store, tmp_path: Path, update: str) -> None:
    imported(store, tmp_path, FAMILY)
    imported(store, tmp_path, update)
    shirt = store.product("1") or {}
    assert {name: one["price"] for name, one in variants(store, "1").items()} == {"11": 26, "12": 20}
    assert (shirt["price"], shirt["attributes"]) == (20, {"sku": "SH"})


def test_products_without_ids_and_with_known_titles_are_told(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "id,name,price\n1,Kettle,20\n2,Cup,5\n")
    assert imported(store, tmp_path, "name,price\nKettle,18\nCup,4\nJug,7\n").same_titles == 2
    again = imported(store, tmp_path, "name,price\nKettle,17\nJug,7\n")
    assert (again.new, again.same_titles) == (0, 0)


def test_a_name_that_a_file_changes_goes(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHIRTS)
    imported(store, tmp_path, "id,parent_id,sku,color,price\n11,1,SH-R,red,20\n12,1,SH-B,blue,20\n")
    imported(store, tmp_path, "id,parent_id,sku,color,price\n11,1,R,red,20\n12,1,B,blue,20\n")
    assert {name: read_names(store).find(name) for name in ("SH", "R", "SH-R")} == {"SH": "1", "R": "1", "SH-R": None}


def test_titles_that_are_codes_stay_titles(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "id,sku,name,price\n1,A-1,A-1,9\n2,A-2,A-2,8\n")
    report = imported(store, tmp_path, "id,sku,name,price\n1,A-1,A-1,9\n2,A-2,A-2,8\n3,A-3,A-3,5\n")
    assert (report.new, report.unchanged, report.set_aside) == (1, 2, 0)


def test_what_may_be_a_variants_is_set_aside_with_the_reason(store: Store, tmp_path: Path) -> None:
    shared = "id,parent_id,name,ean,color\n1,,Shirt,,\n11,1,,4006381333948,red\n12,1,,4006381333948,blue\n"
    imported(store, tmp_path, shared)
    report = imported(store, tmp_path, "ean,price\n4006381333948,26\n")
    assert (report.same_names, [reason for _, reason in report.first_rejected]) == (
        0, ["'4006381333948' is a name of 1, of which it may mean a variant"],
    )  # fmt: skip


def test_a_variant_that_is_not_known_is_not_its_product(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, FAMILY)
    report = imported(store, tmp_path, "sku,color,price\nSH,green,26\n")
    assert ((store.product("1") or {})["price"], report.set_aside) == (20, 1)


def test_a_wrapped_variant(store: Store, tmp_path: Path) -> None:
    update = '{"variants":[{"id":808950810,"product_id":632910392,"price":"189.00","sku":"IPOD-P"}]}'
    assert imported(store, tmp_path, update).set_aside == 1
    imported(store, tmp_path, IPOD)
    imported(store, tmp_path, update)
    assert {name: one["price"] for name, one in variants(store, "632910392").items()} == {"IPOD-P": 189, "IPOD-R": 199}


@pytest.mark.parametrize("within", ['{"product":PRODUCT}', '{"data":{"product":PRODUCT}}'])
def test_a_wrapped_product_has_its_variants(store: Store, tmp_path: Path, within: str) -> None:
    whole = """{"id":6,"title":"IPod","options":[{"name":"Color"}],"variants":[
    {"id":1,"sku":"a","price":"3","option1":"Red"},{"id":2,"sku":"b","price":"4","option1":"Blue"}]}"""
    imported(store, tmp_path, within.replace("PRODUCT", whole))
    imported(store, tmp_path, within.replace("PRODUCT", '{"id":6,"variants":[{"id":1,"sku":"a","price":"5"}]}'))
    assert {name: one["price"] for name, one in variants(store, "6").items()} == {"a": 5, "b": 4}


@pytest.mark.parametrize("data", ['{"errors":[{"code":404,"message":"no"}]}', '{"images":[{"id":1,"src":"x.jpg"}]}'])
def test_lists_of_what_is_no_product(store: Store, tmp_path: Path, data: str) -> None:
    with pytest.raises(FeedError, match="no column looks like a title"):
        imported(store, tmp_path, data)


def test_other_lists_of_a_document_are_told(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_text('{"create":[{"name":"New","sku":"N","price":5}],"update":[{"id":799,"price":"20"}],"delete":[5]}')
    feed = open_feed(path)
    assert feed.taken["records"] == "create   (these too may be some: --records update)"


@pytest.mark.parametrize("data", [ODOO, ODOO_NAMES, ODOO.replace("/", " / ")])
def test_attributes_of_odoo_below_their_product(store: Store, tmp_path: Path, data: str) -> None:
    report = imported(store, tmp_path, data)
    made = store.product("p1") or {}
    assert {name: made["attributes"].get(name) for name in ("Color", "Size")} == {"Color": "Red,Blue", "Size": "S,M"}
    assert (made["category"], report.set_aside) == ("shirts", 0)


ODOO_VARIANTS = (
    "External ID,Internal Reference,Name,Sales Price,Attribute values\nproduct_template_1,,Polo,20,\n"
    'product_product_1,POLO-R,Polo,,"Color:Red,Size:S"\nproduct_product_2,POLO-B,Polo,22,"Color:Blue,Size:M"\n'
    "product_template_2,MUG,Mug,5,\n"
)
ODOO_VALUES = (
    "External ID,Internal Reference,Display Name,Name,Sales Price,Variant Values/Display Name\n"
    'p1,POLO-R-S,"[POLO-R-S] Polo (Red, S)",Polo,20,Color: Red\n,,,,,Size: S\n'
    'p2,POLO-B-S,"[POLO-B-S] Polo (Blue, S)",Polo,22,Color: Blue\n,,,,,Size: S\n'
)


def test_variants_of_odoo_below_their_product(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        report = imported(store, tmp_path, ODOO_VARIANTS)
        made = store.product("product_template_1") or {}
        assert (made["title"], made["price"], report.set_aside) == ("Polo", 20, 0)
        assert store.product_ids() == ["product_template_1", "product_template_2"]
        assert {name: one["options"] for name, one in variants(store, "product_template_1").items()} == {
            "product_product_1": {"Color": "Red", "Size": "S"},
            "product_product_2": {"Color": "Blue", "Size": "M"},
        }
    assert find_product(store, "POLO-B")["id"] == "product_template_1"


def test_values_of_odoo_below_their_variant(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, ODOO_VALUES)
    assert (report.new, report.set_aside) == (2, 0)
    for name, price, colour in (("p1", 20, "Red"), ("p2", 22, "Blue")):
        made = store.product(name) or {}
        said = made["attributes"]["Variant Values/Display Name"]
        assert (made["title"], made["price"], said) == ("Polo", price, f"Color: {colour}, Size: S")


CATALOGUE = """<?xml version="1.0"?><catalog xmlns="http://www.demandware.com/xml/impex/catalog/2006-10-31">
<header><image-settings/></header>
<product product-id="P100-48"><upc>4006381333931</upc><custom-attributes>
<custom-attribute attribute-id="size">48</custom-attribute></custom-attributes></product>
<product product-id="P100"><display-name xml:lang="x-default">Suit</display-name>
<display-name xml:lang="de-DE">Anzug</display-name><long-description xml:lang="x-default">Wool</long-description>
<brand>Acme</brand><custom-attributes><custom-attribute attribute-id="fabric">wool</custom-attribute>
<custom-attribute attribute-id="care"><value>dry</value><value>cold</value></custom-attribute></custom-attributes>
<variations><attributes><variation-attribute attribute-id="size" variation-attribute-id="size"/></attributes>
<variants><variant product-id="P100-48"/><variant product-id="P100-50" default="true"/><variant product-id="P100-52"/>
</variants></variations></product>
<product product-id="P100-50"><upc>4006381333948</upc><custom-attributes>
<custom-attribute attribute-id="size">50</custom-attribute></custom-attributes></product>
<product product-id="P200"><display-name xml:lang="x-default">Tie</display-name></product></catalog>"""
PRICES = """<pricebooks xmlns="http://www.demandware.com/xml/impex/pricebook/2006-10-31"><pricebook>
<header pricebook-id="usd-list"><currency>USD</currency><display-name xml:lang="x-default">List</display-name>
</header><price-tables><price-table product-id="P100-48"><amount quantity="1">499.00</amount>
<amount quantity="10">450.00</amount></price-table>
<price-table product-id="P200"><amount quantity="1">20.00</amount></price-table></price-tables></pricebook></pricebooks>
"""
INVENTORY = """<inventory><inventory-list><header list-id="inv"><description>Main store</description></header><records>
<record product-id="P200"><allocation>10</allocation></record></records></inventory-list></inventory>"""


def test_salesforce_commerce(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, CATALOGUE)
    assert (report.new, report.variants, report.set_aside) == (2, 3, 0)
    suit = store.product("P100") or {}
    assert (suit["title"], suit["description"], suit["attributes"]["fabric"]) == ("Suit", "Wool", "wool")
    assert suit["attributes"]["care"] == ["dry", "cold"]
    sizes = {name: one["options"].get("size") for name, one in variants(store, "P100").items()}
    assert sizes == {"P100-48": "48", "P100-50": "50", "P100-52": None}
    for _ in range(2):
        imported(store, tmp_path, PRICES)
        assert variants(store, "P100")["P100-48"]["price"] == 499
        assert {name: (store.product("P200") or {})[name] for name in ("price", "currency")} == {
            "price": 20, "currency": "USD",
        }  # fmt: skip
    imported(store, tmp_path, INVENTORY)
    assert (store.product("P200") or {})["attributes"]["allocation"] == "10"
    assert store.product_ids() == ["P100", "P200"]
    assert find_product(store, "4006381333948")["id"] == "P100"


def test_prices_without_a_catalogue_make_no_products(store: Store, tmp_path: Path) -> None:
    assert imported(store, tmp_path, PRICES).set_aside == 2
    assert store.product_ids() == []
