"""Feeds of known systems, written to their public format descriptions: what becomes of them in the store."""

import io
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.feeds.rows import Record
from reaseq.knowledge_store.importing import ImportReport, import_feed
from reaseq.knowledge_store.names import read_names
from reaseq.knowledge_store.store import PRODUCT, VARIANT, Store

Products = dict[str, dict[str, Any]]


def imported(tmp_path: Path, data: str | bytes, name: str = "feed") -> tuple[str, ImportReport, Products]:
    """Format, report, and the store's products by id, each with its variants: id to options and price."""
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    feed = open_feed(path)
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        mapping = guess_columns(feed.columns, feed.fields)
        report = import_feed(store, feed, mapping, rejected_dir=tmp_path / "rejected")
        with store.reading() as connection:
            products = {row.id: dict(row._mapping) | {"variants": {}} for row in connection.execute(select(PRODUCT))}
            for row in connection.execute(select(VARIANT).order_by(VARIANT.c.line, VARIANT.c.id)):
                if row.product_id in products:
                    products[row.product_id]["variants"][row.id] = (row.options, row.price)
    outcomes = report.new, report.updated, report.unchanged, report.repeated, report.further, report.set_aside
    assert sum(outcomes) == report.rows
    return feed.format, report, products


SHOPIFY = """Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,\
Option2 Name,\
Option2 Value,Variant SKU,Variant Price,Variant Compare At Price,Image Src,Material (product.metafields.shopify.m)
larch,Larch 3,"<p>Light, and dry</p>",Fennside,Shoes > Sport,Shoes,run,TRUE,Size,40,Color,Red,L-40-R,89.90,99,a.jpg,mesh
larch,,,,,,,,,41,,Red,L-41-R,89.90,,b.jpg,
larch,,,,,,,,,,,,,,,c.jpg,
tarn,Tarn Slide,,Fennside,,Sandals,,TRUE,Title,Default Title,,,T-1,19.00,,,
larch,,,,,,,,,42,,Blue,,95,,,
,Nothing,,,,,,,,,,,,,,,
"""


def test_shopify(tmp_path: Path) -> None:
    format_, report, products = imported(tmp_path, SHOPIFY)
    assert format_ == "Shopify products, CSV"
    assert (report.new, report.further, report.set_aside, report.variants) == (2, 3, 1, 3)
    larch = products["larch"]
    assert (larch["title"], larch["brand"], larch["price"], larch["category"]) == ("Larch 3", "Fennside", 89.9, "shoes")
    assert larch["description"] == "<p>Light, and dry</p>"
    assert larch["attributes"]["Material"] == "mesh"
    assert larch["variants"] == {
        "L-40-R": ({"Size": "40", "Color": "Red"}, 89.9),
        "L-41-R": ({"Size": "41", "Color": "Red"}, 89.9),
        # Far from its product's first row, the names of its options are not known.
        "larch/42/Blue": ({"Size": "42", "Color": "Blue"}, 95.0),
    }
    assert products["tarn"]["variants"] == {}


COMMERCETOOLS = """id,key,productType,variantId,sku,prices,tax,categories,name.en,name.de,description.en,color,size
p-1,larch,shoe-type,1,L-40,US-USD 9900;EUR 8990,std,Men>Shoes;Sale,Larch 3,Lärche 3,"Light, and dry",red,40
,,,2,L-41,EUR 9500|8500,,,,,,red,41
,,,3,,EUR 9000,,,,,,red,42
p-2,tarn,shoe-type,1,T-1,JPY 1900,std,Women>Boots,Tarn,Tarn,,blue,38
"""


def test_commercetools(tmp_path: Path) -> None:
    format_, report, products = imported(tmp_path, COMMERCETOOLS)
    assert (format_, report.new, report.further, report.set_aside) == ("commercetools products, CSV", 2, 2, 0)
    larch = products["p-1"]
    told = larch["title"], larch["description"], larch["category"], larch["price"], larch["currency"]
    assert told == ("Larch 3", "Light, and dry", "shoes", 85, "EUR")
    assert larch["variants"] == {
        "L-40": ({"size": "40", "color": "red"}, 89.9),
        "L-41": ({"size": "41", "color": "red"}, 85),
        "p-1/3": ({"size": "42", "color": "red"}, 90),
    }
    assert (products["p-2"]["title"], products["p-2"]["price"]) == ("Tarn", 1900)
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        names = read_names(store)
        assert [names.find(one) for one in ("L-41", "T-1", "1", "2")] == ["p-1", "p-2", None, None]


SPREE = """slug,sku,name,price,compare_at_price,currency,status,description,category1,option1_name,option1_value,\
option2_name,option2_value,weight
press,,Press One,0,,USD,active,Steel,Kitchen -> Coffee Machines,,,,,
press,P-B,,879.99,,USD,,,,Color,Black,,,19.8
press,P-S,,899.99,,USD,,,,Color,Silver,,,19.8
cup,C-1,Cup,4.50,6,USD,active,Clay,Kitchen,,,,,1
other,P-X,,12,,USD,,,,Color,Red,,,1
hat,H-R,Hat,20,,USD,active,Felt,Kitchen,Color,Red,,,1
hat,H-B,,22,,USD,,,,Color,Blue,,,1
"""


def test_spree(tmp_path: Path) -> None:
    format_, report, products = imported(tmp_path, SPREE)
    assert (format_, report.new, report.further, report.set_aside) == ("Spree products, CSV", 3, 3, 1)
    press = products["press"]
    assert (press["title"], press["price"], press["category"]) == ("Press One", 879.99, "coffee_machines")
    assert press["variants"] == {"P-B": ({"Color": "Black"}, 879.99), "P-S": ({"Color": "Silver"}, 899.99)}
    assert (products["cup"]["price"], products["cup"]["variants"]) == (4.5, {})
    assert products["hat"]["variants"] == {"H-R": ({"Color": "Red"}, 20), "H-B": ({"Color": "Blue"}, 22)}


RAKUTEN = """商品管理番号（商品URL）,商品番号,商品名,商品属性（項目）1,商品属性（値）1,\
商品説明文（PC用）,バリエーション項目キー定義,バリエーション項目名定義,\
SKU管理番号,システム連携用SKU番号,バリエーション項目キー1,バリエーション項目選択肢1,通常購入販売価格,カタログID
kutsu,K1,革靴,,,防水,color,カラー,,,,,,
kutsu,,,ブランド名,山猫,,,,kutsu-b,K1B,color,黒,12800,4901234567894
kutsu,,,ブランド名,山猫,,,,kutsu-w,K1W,color,白,13800,
kasa,K2,傘,,,,,,,,,,,
kasa,,,,,,,,normal-inventory,K2,,,1980,
"""


def test_rakuten(tmp_path: Path) -> None:
    format_, report, products = imported(tmp_path, RAKUTEN)
    assert (format_, report.new, report.further, report.set_aside) == ("Rakuten items, CSV", 2, 3, 0)
    assert (products["kutsu"]["title"], products["kutsu"]["price"], products["kasa"]["price"]) == ("革靴", 12800, 1980)
    assert products["kutsu"]["variants"] == {"kutsu-b": ({"カラー": "黒"}, 12800), "kutsu-w": ({"カラー": "白"}, 13800)}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("Color:Red:1:0,Upper material:Mesh:2:0", {"Color": "Red", "Upper material": "Mesh"}),
        ("Color:Red,Color:Blue", {"Color": "Red, Blue"}),
        ("nothing of the kind", {"Feature (Name:Value:Position:Customized)": "nothing of the kind"}),
    ],
)
def test_features_of_prestashop(tmp_path: Path, cell: str, said: dict[str, str]) -> None:
    header = "Product ID;Name *;Price tax excluded;Feature (Name:Value:Position:Customized)"
    _, _, products = imported(tmp_path, f"{header}\n1;Runner;49;{cell}\n")
    assert products["1"]["attributes"] == said


def test_a_category_is_no_kind_of_product(tmp_path: Path) -> None:
    _, _, products = imported(tmp_path, "id,name,productType,categories\n1,Kea,shoe-type,Men > Shoes\n")
    assert products["1"]["category"] == "shoes"


def test_shopify_rows_in_order_keep_the_names_of_options(tmp_path: Path) -> None:
    lines = SHOPIFY.splitlines()
    _, _, products = imported(tmp_path, "\n".join([lines[0], lines[1], lines[5], lines[4]]))
    assert products["larch"]["variants"]["larch/42/Blue"] == ({"Size": "42", "Color": "Blue"}, 95.0)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("Handle,Title\nlarch,Larch 3\n", id="an update of handle and title"),
        pytest.param("Title,URL handle,Description,SKU,Price\nLarch 3,larch,Light,L,9\n", id="names of 2025"),
        pytest.param("Title;Handle;Type\nLarch 3;larch;Shoes\n", id="another order and delimiter"),
    ],
)
def test_shopify_columns(tmp_path: Path, data: str) -> None:
    format_, _, products = imported(tmp_path, data)
    assert format_.startswith("Shopify products")
    assert products["larch"]["title"] == "Larch 3"


GOOGLE_ROWS = [
    ("L40", "Larch 3 red 40", "Light", "https://x/1", "https://x/1.jpg", "89.90 EUR", "Fennside", "larch", "red", "40"),
    ("L41", "Larch 3 red 41", "Light", "https://x/2", "https://x/2.jpg", "89.90 EUR", "Fennside", "larch", "red", "41"),
    ("T1", "Tarn Slide", "", "https://x/3", "https://x/3.jpg", "19 EUR", "Fennside", "", "black", ""),
]
GOOGLE_COLUMNS = (
    "id",
    "title",
    "description",
    "link",
    "image_link",
    "price",
    "brand",
    "item_group_id",
    "color",
    "size",
)


def google_tsv() -> str:
    return "\n".join("\t".join(row) for row in [GOOGLE_COLUMNS, *GOOGLE_ROWS])


def google_xml(root: str, item: str) -> str:
    items = "".join(
        f"<{item}>{''.join(f'<g:{n}>{v}</g:{n}>' for n, v in zip(GOOGLE_COLUMNS, row, strict=True) if v)}</{item}>\n"
        for row in GOOGLE_ROWS
    )
    opened, closed = root.split("…")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{opened}\n{items}{closed}'


NAMESPACE = 'xmlns:g="http://base.google.com/ns/1.0"'


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(google_tsv(), "TSV", id="TSV"),
        pytest.param(
            google_xml(f'<rss version="2.0" {NAMESPACE}><channel><title>Shop</title>…</channel></rss>', "item"),
            "XML",
            id="RSS",
        ),
        pytest.param(
            google_xml(f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACE}><title>Shop</title>…</feed>', "entry"),
            "XML",
            id="Atom",
        ),
    ],
)
def test_google(tmp_path: Path, data: str, kind: str) -> None:
    format_, report, products = imported(tmp_path, data)
    assert format_.startswith(f"Google Merchant products, {kind}")
    assert (report.new, report.further, report.variants, report.set_aside) == (2, 1, 2, 0)
    assert set(products) == {"larch", "T1"}
    larch = products["larch"]
    assert (larch["title"], larch["price"], larch["currency"]) == ("Larch 3 red 40", 89.9, "EUR")
    assert larch["variants"]["L41"] == ({"color": "red", "size": "41"}, 89.9)
    assert products["T1"]["attributes"]["color"] == "black"


WOO = """ID,Type,SKU,Name,Published,Short description,Description,Sale price,Regular price,Categories,Images,Parent,\
Attribute 1 name,Attribute 1 value(s),Attribute 1 visible,Attribute 2 name,Attribute 2 value(s)
10,variable,LARCH,Larch 3,1,Light,,,,"Clothing > Shoes, Sale",a.jpg,,Size,"40, 41",1,Material,mesh
11,variation,LARCH-40,Larch 3 - 40,1,,,79,89.90,,,LARCH,Size,40,1,,
12,variation,,Larch 3 - 41,1,,,,89.90,,,id:10,Size,41,1,,
13,simple,TARN,Tarn Slide,1,,Easy on,,19,Sandals,,,Color,black,1,,
14,variation,X,Lost,1,,,,1,,,GONE,Size,1,1,,
15,variation,Y,No parent,1,,,,1,,,,Size,1,1,,
"""


def test_woocommerce(tmp_path: Path) -> None:
    format_, report, products = imported(tmp_path, WOO)
    assert format_ == "WooCommerce products, CSV"
    assert (report.new, report.further, report.set_aside, report.orphans) == (2, 3, 1, 1)
    larch = products["LARCH"]
    assert (larch["title"], larch["description"], larch["category"]) == ("Larch 3", "Light", "shoes")
    assert larch["attributes"]["Material"] == "mesh"
    assert larch["variants"] == {"LARCH-40": ({"Size": "40"}, 79.0), "id:12": ({"Size": "41"}, 89.9)}
    assert products["TARN"]["attributes"]["Color"] == "black"


MAGENTO = """sku,store_view_code,attribute_set_code,product_type,categories,name,description,short_description,price,\
additional_attributes,configurable_variations
LARCH-40,,Shoes,simple,Default Category/Shoes,Larch 3-40,,,89.90,"color=Red,size=40",
LARCH-41,,Shoes,simple,Default Category/Shoes,Larch 3-41,,,,"color=Red,size=41",
LARCH,,Shoes,configurable,"Default Category/Shoes,Default Category/Sale",Larch 3,Light,,,\
"material=mesh, knit,gender=Men",\
"sku=LARCH-40,size=40,color=Red|sku=LARCH-41,size=41,color=Red"
LARCH,de,Shoes,configurable,,Lärche 3,Leicht,,,,
TARN,,Shoes,simple,Default Category/Sandals,Tarn Slide,,Easy on,19,,
"""


@pytest.mark.parametrize("turned", [False, True])
def test_magento_children_may_come_before_their_parent(tmp_path: Path, turned: bool) -> None:
    lines = MAGENTO.splitlines()
    data = "\n".join([lines[0], *(reversed(lines[1:]) if turned else lines[1:])])
    format_, report, products = imported(tmp_path, data)
    assert format_ == "Magento products, CSV"
    assert set(products) == {"LARCH", "TARN"}
    assert (report.new, report.further, report.variants, report.orphans) == (2, 3, 2, 0)
    larch = products["LARCH"]
    assert (larch["title"], larch["category"]) == ("Larch 3", "shoes")
    assert larch["attributes"]["material"] == "mesh, knit"
    assert larch["attributes"]["gender"] == "Men"
    assert larch["variants"]["LARCH-40"] == ({"size": "40", "color": "Red"}, 89.9)
    assert products["TARN"]["description"] == "Easy on"


AMAZON_LINES = [
    ["TemplateType=fptcustom", "Version=2021.1014", "The top 3 rows are for Amazon.com use only.", *[""] * 7],
    ["SKU", "Product Name", "Brand", "Product Type", "Price", "Parentage", "Parent SKU", "Theme", "Color", "Size"],
    (
        "item_sku item_name brand_name feed_product_type standard_price parent_child parent_sku variation_theme "
        "color_name size_name"
    ).split(),
    ["LARCH", "Larch 3", "Fennside", "shoes", "", "Parent", "", "SizeColor", "", ""],
    ["LARCH-40", "Larch 3 red 40", "Fennside", "shoes", "89.90", "Child", "LARCH", "SizeColor", "red", "40"],
    ["LARCH-41", "Larch 3 red 41", "Fennside", "shoes", "89.90", "child", "LARCH", "size_name/color_name", "red", "41"],
    ["TARN", "Tarn Slide", "Fennside", "sandal", "19", "", "", "", "black", ""],
]


def workbook(lines: list[list[Any]], title: str = "Template") -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    notes = book.active
    assert notes is not None
    notes.title = "Instructions"
    notes.append(["Fill in the sheet Template."])
    sheet = book.create_sheet(title)
    for line in lines:
        sheet.append(line)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param("\n".join("\t".join(line) for line in AMAZON_LINES), "TSV", id="TSV"),
        pytest.param(workbook(AMAZON_LINES), "Excel, sheet 'Template'", id="Excel"),
    ],
)
def test_amazon(tmp_path: Path, data: str | bytes, kind: str) -> None:
    format_, report, products = imported(tmp_path, data)
    assert format_ == f"Amazon flat file, {kind}"
    assert (report.new, report.further, report.variants) == (2, 2, 2)
    assert products["LARCH"]["variants"] == {
        "LARCH-40": ({"color_name": "red", "size_name": "40"}, 89.9),
        "LARCH-41": ({"color_name": "red", "size_name": "41"}, 89.9),
    }
    assert products["TARN"]["attributes"]["color_name"] == "black"


ICECAT_XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE ICECAT-interface SYSTEM "https://data.icecat.biz/dtd/ICECAT-interface_response.dtd">
<ICECAT-interface>
 <Product ID="4711" Name="Larch 3" Prod_id="FN-L3" Title="Fennside Larch 3 running shoe">
  <Category ID="77"><Name ID="1" Value="Shoes" langid="1"/></Category>
  <ProductDescription LongDesc="Light and dry." ShortDesc="Light" langid="1"/>
  <EANCode EAN="4006381333931"/>
  <ProductFeature Presentation_Value="mesh" Value="mesh">
   <Feature ID="1"><Name ID="2" Value="Material"/></Feature>
  </ProductFeature>
  <ProductFeature Presentation_Value="240 g" Value="240">
   <Feature ID="3"><Name ID="4" Value="Weight"/></Feature>
  </ProductFeature>
  <Supplier ID="5" Name="Fennside"/>
  <ProductRelated ID="6"><Product ID="9" Prod_id="X" Name="Socks" Title="Socks"/></ProductRelated>
  <ProductRelated ID="7"><Product ID="8" Prod_id="Y" Name="Laces" Title="Laces"/></ProductRelated>
 </Product>
</ICECAT-interface>"""
ICECAT_JSON = {
    "msg": "OK",
    "data": {
        "GeneralInfo": {
            "IcecatId": 4711,
            "Title": "Fennside Larch 3 running shoe",
            "Brand": "Fennside",
            "BrandPartCode": "FN-L3",
            "Category": {"CategoryID": "77", "Name": {"Value": "Shoes", "Language": "EN"}},
            "Description": {"LongDesc": "Light and dry."},
        },
        "FeaturesGroups": [
            {
                "Features": [
                    {"PresentationValue": "mesh", "Feature": {"Name": {"Value": "Material"}}},
                    {"PresentationValue": "240 g", "Feature": {"Name": {"Value": "Weight"}}},
                ]
            }
        ],
    },
}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ICECAT_XML, id="XML"),
        pytest.param(json.dumps(ICECAT_JSON), id="JSON"),
        pytest.param(json.dumps(ICECAT_JSON, indent=2), id="JSON, indented"),
    ],
)
def test_icecat(tmp_path: Path, data: str) -> None:
    format_, _, products = imported(tmp_path, data)
    assert format_.startswith("Icecat")
    assert set(products) == {"4711"}
    product = products["4711"]
    assert product["title"] == "Fennside Larch 3 running shoe"
    assert (product["brand"], product["category"], product["description"]) == ("Fennside", "shoes", "Light and dry.")
    assert {"Material": "mesh", "Weight": "240 g"}.items() <= product["attributes"].items()


SCHEMA_ORG: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "ProductGroup",
    "productGroupID": "larch",
    "name": "Larch 3",
    "description": "Light & dry",
    "brand": {"@type": "Brand", "name": "Fennside"},
    "category": "Clothing > Shoes",
    "material": "mesh",
    "variesBy": ["https://schema.org/size"],
    "additionalProperty": [{"@type": "PropertyValue", "name": "Weight", "value": 240, "unitText": "g"}],
    "offers": {"@type": "AggregateOffer", "lowPrice": 89.9, "priceCurrency": "EUR"},
    "hasVariant": [
        {"@type": "Product", "sku": f"L{size}", "size": str(size), "offers": {"@type": "Offer", "price": "89.90"}}
        for size in (40, 41)
    ],
}
MICRODATA = """<!DOCTYPE html><html><body>
<div itemscope itemtype="https://schema.org/BreadcrumbList"><span itemprop="name">Home</span></div>
<div itemscope itemtype="https://schema.org/Product">
 <h1 itemprop="name">Larch 3</h1><meta itemprop="sku" content="larch"><span itemprop="material">mesh</span>
 <div itemprop="brand" itemscope itemtype="https://schema.org/Brand"><b itemprop="name">Fennside</b></div>
 <p itemprop="description">Light &amp; <i>dry</i></p><link itemprop="category" href="Clothing > Shoes">
 <div itemprop="offers" itemscope itemtype="https://schema.org/Offer">
  <data itemprop="price" value="89.90">89,90</data><meta itemprop="priceCurrency" content="EUR"></div>
</div></body></html>"""


def page(script: Any) -> str:
    broken = '<script type="application/ld+json">{"@type": </script>'
    whole = f'<script type="application/ld+json">{json.dumps(script)}</script>'
    return f"<!DOCTYPE html><html><head>{broken}{whole}</head><body><p>Larch</p></body></html>"


@pytest.mark.parametrize(
    ("data", "variants"),
    [
        pytest.param(page(SCHEMA_ORG), 2, id="JSON-LD in a page"),
        pytest.param(page({"@graph": [{"@type": "WebPage"}, SCHEMA_ORG]}), 2, id="JSON-LD graph in a page"),
        pytest.param(json.dumps({"@context": "x", "@graph": [SCHEMA_ORG]}), 2, id="JSON-LD graph"),
        pytest.param(json.dumps(SCHEMA_ORG), 2, id="JSON-LD"),
        pytest.param(json.dumps({"@graph": [{"@type": "WebPage", "name": "x"}, SCHEMA_ORG]}), 2, id="among others"),
        pytest.param(
            json.dumps({"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": SCHEMA_ORG}]}),
            2,
            id="a list",
        ),
        pytest.param(MICRODATA, 0, id="microdata"),
    ],
)
def test_schema_org(tmp_path: Path, data: str, variants: int) -> None:
    format_, _, products = imported(tmp_path, data)
    assert format_.startswith("schema.org products")
    assert set(products) == {"larch"}
    larch = products["larch"]
    assert (larch["title"], larch["brand"], larch["category"]) == ("Larch 3", "Fennside", "shoes")
    assert (larch["description"], larch["price"], larch["currency"]) == ("Light & dry", 89.9, "EUR")
    assert larch["attributes"]["material"] == "mesh"
    assert len(larch["variants"]) == variants
    if variants:
        assert larch["variants"]["L40"] == ({"size": "40"}, 89.9)
        assert larch["attributes"]["Weight"] == "240 g"


PLAIN = [
    {"id": "a", "title": "Alpha", "brand": {"name": "B"}, "tags": ["x"]},
    {"id": "b", "title": "Beta", "price": 1.5},
]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(json.dumps(PLAIN), id="an array"),
        pytest.param(json.dumps(PLAIN, indent=1), id="an array, indented"),
        pytest.param("\ufeff" + json.dumps({"total": 2, "products": PLAIN}), id="a document, byte order mark"),
        pytest.param(json.dumps({"ok": True, "data": {"items": PLAIN}}, indent=2), id="deeper in a document"),
        pytest.param("\n".join(map(json.dumps, PLAIN)), id="lines"),
        pytest.param(
            "<shop><list><p id='a'><title>Alpha</title><brand><name>B</name></brand></p>"
            "<p id='b'><title>Beta</title><price>1.5</price></p></list></shop>",
            id="XML of another kind",
        ),
        pytest.param(
            workbook([["id", "title", "brand name", "price"], ["a", "Alpha", "B", None], ["b", "Beta", None, 1.5]]),
            id="Excel",
        ),
    ],
)
def test_shapeless(tmp_path: Path, data: str | bytes) -> None:
    _, report, products = imported(tmp_path, data)
    assert (report.new, report.set_aside) == (2, 0)
    assert products["a"]["title"] == "Alpha"
    assert products["a"]["brand"] == "B"
    assert products["b"]["price"] == 1.5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(json.dumps(PLAIN)[:-30], "the JSON breaks off here", id="JSON"),
        pytest.param("<s><p id='a'><title>Alpha</title></p><p id='b'>", "the XML breaks off here", id="XML"),
        pytest.param('[{"id": "a", "title": "Alpha"}, 7]', "not a JSON object", id="no object"),
    ],
)
def test_what_can_be_read_is_kept(tmp_path: Path, data: str, reason: str) -> None:
    _, report, products = imported(tmp_path, data)
    assert set(products) == {"a"}
    assert reason in report.first_rejected[0][1]


def test_entities_of_a_file_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden words")
    data = (
        f'<!DOCTYPE s [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY y "ha"><!ENTITY z "&y;&y;&y;&y;">]>'
        "<s><p id='a'><title>Alpha &x; &z;</title></p><p id='b'><title>Beta</title></p></s>"
    )
    _, _, products = imported(tmp_path, data)
    assert "hidden" not in json.dumps([product["title"] for product in products.values()])


def test_numbers_and_dates_of_a_workbook(tmp_path: Path) -> None:
    from datetime import datetime

    lines: list[list[Any]] = [
        ["id", "title", "since", "size"],
        [4711.0, "Alpha", datetime(2026, 1, 2), "40"],
        [],
        ["x", "Beta", None, 1, 9],
    ]
    _, report, products = imported(tmp_path, workbook(lines, "Products"))
    assert products["4711"]["attributes"] == {"since": "2026-01-02T00:00:00", "size": "40"}
    assert "has 5 cells, the header has 4" in report.first_rejected[0][1]


def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    for data in (SHOPIFY, google_tsv(), WOO, MAGENTO):
        folder = tmp_path / re.sub(r"\W", "", data[:20])
        folder.mkdir()
        imported(folder, data)
        before = imported(folder, data)[2]
        _, report, after = imported(folder, data)
        assert (report.new, report.updated) == (0, 0) or data is MAGENTO
        drop = {"line", "import_id", "updated_at", "created_at"}
        clean = [[{k: v for k, v in p.items() if k not in drop} for p in one.values()] for one in (before, after)]
        assert clean[0] == clean[1]


def test_rows_in_any_order_make_the_same_variants(tmp_path: Path) -> None:
    header, *lines = google_tsv().splitlines()
    expected = {key: one["variants"] for key, one in imported(tmp_path, google_tsv())[2].items()}
    for seed in range(5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        shuffled = random.Random(seed).sample(lines, len(lines))
        _, _, products = imported(folder, "\n".join([header, *shuffled]))
        assert {key: one["variants"] for key, one in products.items()} == expected


@pytest.mark.parametrize(
    "header",
    [
        "ID,Typ,Artikelnummer,Name,Kurzbeschreibung,Beschreibung,Angebotspreis,Regulärer Preis,Kategorien,Übergeordnet,"
        "Attribut 1 Name,Attribut 1 Wert(e),Attribut 1 Sichtbar",
        "ID,Type,UGS,Nom,Description courte,Description,Tarif promo,Tarif régulier,Catégories,Parent,"
        "Nom de l’attribut 1,Valeur(s) de l’attribut 1,Attribut 1 visible",
        "ID,Tipo,SKU,Nombre,Descripción corta,Descripción,Precio rebajado,Precio normal,Categorías,Superior,"
        "Nombre del atributo 1,Valor(es) del atributo 1,Atributo visible 1",
    ],
)
def test_woocommerce_in_the_shops_language(tmp_path: Path, header: str) -> None:
    data = f"""{header}
1,variable,A,Clog,,"Light\\nwarm",,"89,00","Home\\, Garden > Clogs, Sale",,Size,"40, 41",1
2,variation,A-40,Clog - 40,,,"79,00","89,00",,A,Size,40,1
"""
    path = tmp_path / "feed.csv"
    path.write_text(data)
    feed = open_feed(path)
    product, variant = feed.rows
    assert feed.format == "WooCommerce products, CSV"
    assert isinstance(product, Record)
    assert isinstance(variant, Record)
    fields = guess_columns(feed.columns, feed.fields)
    assert [product.values[fields[name]] for name in ("id", "title", "description", "category", "list_price")] == [
        "A", "Clog", "Light\nwarm", "Home, Garden > Clogs\nSale", "89,00"
    ]  # fmt: skip
    (made,) = variant.variants
    assert made[:5] == ("A-40", "A", {"Size": "40"}, "79,00", (("ID", "2"),))


def test_details_of_google_are_columns(tmp_path: Path) -> None:
    named = "<g:attribute_name>{}</g:attribute_name><g:attribute_value>{}</g:attribute_value>"
    detail = f"<g:product_detail>{named}</g:product_detail>"
    category = "<g:google_product_category>A &gt; Shoes</g:google_product_category>"
    item = "<item><g:id>{}</g:id><title>Clog</title><link>x</link><g:image_link>x</g:image_link>{}</item>"
    items = item.format(1, detail.format("Sole", "cork") + detail.format("Upper", "wool"))
    items += item.format(2, detail.format("Sole", "rubber") + category)
    path = tmp_path / "feed.xml"
    path.write_text(f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>')
    first, second = (row for row in open_feed(path).rows if isinstance(row, Record))
    assert (first.values["Sole"], first.values["Upper"], second.values["Sole"]) == ("cork", "wool", "rubber")
    assert second.values["product_type"] == "A > Shoes"


def test_errors_of_a_workbook_are_nothing(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["SKU", "Title", "Price"], ["1", "Clog", "#N/A"], ["#REF!", "Boot", 5]):
        sheet.append(row)
    book.save(tmp_path / "feed.xlsx")
    first, second = (row for row in open_feed(tmp_path / "feed.xlsx").rows if isinstance(row, Record))
    assert (first.values["Price"], second.values["SKU"]) == ("", "")


@pytest.mark.parametrize(
    "header",
    [
        "Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s)",
        "attribute_1_name,attribute_1_value,attribute_2_name,attribute_2_value",
        "Spec Name 1,Spec Value 1,Spec Name 2,Spec Value 2",
        "feature1Name,feature1Value,feature2Name,feature2Value",
    ],
)
def test_columns_in_pairs_of_name_and_value(tmp_path: Path, header: str) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(
        f"id,title,brand name,{header}\n1,Clog,Fell,Colour,bottle green,Lace colour,white\n2,Boot,Fell,,,,\n"
    )
    feed = open_feed(path)
    first, second = feed.rows
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.values == {
        "id": "1", "title": "Clog", "brand name": "Fell", "Colour": "bottle green", "Lace colour": "white"
    }  # fmt: skip
    assert second.values == {"id": "2", "title": "Boot", "brand name": "Fell"}


_SIZES = (
    '<sizes group_id="1" group_name="Shoes"><size id="4" name="41" code="7-4" weight="400" iaiext:code_external='
    '"4006381333931"><stock id="1" quantity="3"/></size><size id="5" name="42" code="7-5" code_producer="R-42">'
    '<price gross="95" net="77"/><srp gross="0" net="0"/></size></sizes>'
)
_PARAMETERS = (
    '<parameters><parameter type="section" id="1" name="Data" xml:lang="pol"/><parameter type="parameter" id="2" '
    'name="Kolor" xml:lang="pol"><value id="3" name="czerwony" xml:lang="pol"/></parameter><parameter type="parameter" '
    'id="4" name="Wzór" xml:lang="pol"><value id="5" name="paski"/><value id="6" name="kropki"/></parameter>'
    "</parameters>"
)
IOF = f"""<?xml version="1.0" encoding="UTF-8"?>
<offer file_format="IOF" version="3.0"><products xmlns:iaiext="http://www.iai-shop.com/developers/iof/extensions.phtml"
language="pol" currency="PLN">
<product id="7" vat="23.0" type="regular" code_on_card="L7"><producer id="12" name="Fennside"/>
<category id="3" name="Shoes/Sport" xml:lang="pol"/><unit id="0" name="szt." xml:lang="pol"/><card url="https://x/7"/>
<description><name type="name" xml:lang="pol">Modrzew</name><name xml:lang="eng">Larch</name>
<short_desc xml:lang="pol">Lekki</short_desc><long_desc xml:lang="pol"></long_desc></description>
<price gross="89.9" net="73.1"/><iaiext:price_retail><iaiext:site id="1" gross="99" net="80"/></iaiext:price_retail>
{_SIZES}{_PARAMETERS}</product>
<product id="8" vat="23.0" type="regular"><producer id="13" name="Tarn"/><card url="https://x/8"/>
<description><name type="name" xml:lang="pol">Klapek</name><long_desc xml:lang="pol">Suchy</long_desc></description>
<price gross="19" net="15.4"/>
<sizes><size id="uniw" name="uniwersalny" code="8-uniw" code_external="4006381333948"/></sizes></product>
</products></offer>
"""


def test_iof(tmp_path: Path) -> None:
    format_, report, products = imported(tmp_path, IOF)
    assert format_.startswith("IOF offer, XML")
    assert (report.new, report.variants, report.set_aside) == (2, 2, 0)
    larch, tarn = products["7"], products["8"]
    fields = ("title", "description", "brand", "price", "currency", "category")
    assert [larch[one] for one in fields] == ["Modrzew", "Lekki", "Fennside", 89.9, "PLN", "shoes"]
    assert (larch["attributes"]["Kolor"], larch["attributes"]["Wzór"]) == ("czerwony", ["paski", "kropki"])
    assert larch["variants"] == {"7-4": ({"size": "41"}, None), "7-5": ({"size": "42"}, 95.0)}
    assert (tarn["title"], tarn["description"], tarn["variants"]) == ("Klapek", "Suchy", {})
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        names = read_names(store)
        assert [names.find(one) for one in ("4006381333931", "4006381333948", "8-uniw")] == ["7", "8", "8"]


def test_iof_light_changes_prices_of_sizes(tmp_path: Path) -> None:
    imported(tmp_path, IOF)
    size = '<size id="{}" code="7-{}">{}<stock id="1" quantity="3"/></size>'
    light = (
        '<offer file_format="IOF"><products language="pol" currency="PLN"><product id="7" vat="23.0">'
        f'<price gross="79.9" net="65"/><sizes>{size.format(4, 4, "")}'
        f"{size.format(5, 5, '<price gross=' + chr(34) + '85' + chr(34) + '/>')}</sizes></product>"
        '<product id="8" vat="23.0"><price gross="18" net="14"/><sizes>'
        '<size id="uniw" code="8-uniw"/></sizes></product>'
        "</products></offer>"
    )
    _, report, products = imported(tmp_path, light)
    assert (report.new, report.updated, report.set_aside) == (0, 2, 0)
    assert (products["7"]["title"], products["7"]["price"], products["8"]["price"]) == ("Modrzew", 79.9, 18.0)
    assert products["7"]["variants"]["7-5"] == ({"size": "42"}, 85.0)


_NOP_COLUMNS = (
    "ProductId,ProductType,ParentGroupedProductId,VisibleIndividually,Name,FullDescription,Vendor,ProductTemplate,SKU,Gtin,"
    "Price,OldPrice,Categories,Manufacturers"
).split(",")
_NOP_SHOE: list[Any] = [24, "Simple Product", 0, True, "Larch", "Light", None, "Simple product", "L1", None, 40, 0]
_NOP_BOOT: list[Any] = [25, "Simple Product", 0, True, "Tarn", "Dry", None, "Simple product", "T1", None, 27.5, 30]
_NOP_OF_ATTRIBUTES = ["AttributeId", "AttributeName", "DefaultValue", "AttributeIsRequired", "AttributeControlType",
                      "ProductAttributeValueId", "ValueName", "PriceAdjustment"]  # fmt: skip
_NOP_OF_SPECIFICATIONS = ["AttributeType", "SpecificationAttribute", "CustomValue", "SpecificationAttributeOptionId",
                          "AllowFiltering"]  # fmt: skip


@pytest.mark.parametrize("before", [[None, None], [None]])
@pytest.mark.parametrize(
    ("filed", "category", "brand"),
    [(["24", "2"], None, None), (["Apparel >> Shoes;Sale;", "Fennside;"], "shoes", "Fennside")],
)
def test_nopcommerce(tmp_path: Path, before: list[None], filed: list[str], category: Any, brand: Any) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    below: list[list[Any]] = [
        _NOP_OF_ATTRIBUTES,
        [9, "Size", None, True, "DropdownList", 28, "8", 0],
        [9, "Size", None, True, "DropdownList", 29, "9", 5],
        [7, "Engraving", None, False, "TextBox", 0, None, 0],
        _NOP_OF_SPECIFICATIONS,
        ["Option", "Color", None, 15, True],
        ["CustomText", "Material", "Suede", 7, False],
    ]
    rows = [_NOP_COLUMNS, _NOP_SHOE + filed, *([*before, *one] for one in below), _NOP_BOOT + filed]
    for row in rows:
        sheet.append(row)
    book.save(tmp_path / "made.xlsx")
    format_, report, products = imported(tmp_path, (tmp_path / "made.xlsx").read_bytes())
    assert format_.startswith("nopCommerce products, Excel")
    assert (report.new, report.further, report.set_aside) == (2, len(below), 0)
    shoe, boot = products["24"], products["25"]
    assert (shoe["title"], shoe["description"], shoe["price"]) == ("Larch", "Light", 40.0)
    assert (shoe["category"], shoe["brand"], boot["category"]) == (category, brand, category)
    assert {name: shoe["attributes"].get(name) for name in ("Size", "Material", "Color", "Engraving")} == {
        "Size": ["8", "9"], "Material": "Suede", "Color": None, "Engraving": None
    }  # fmt: skip
    assert "Size" not in boot["attributes"]


def test_nopcommerce_rows_that_are_below_nothing(tmp_path: Path) -> None:
    new = ["", "Simple Product", *_NOP_BOOT[2:4], "New", *_NOP_BOOT[5:]]
    without = ["", "", "", "", "Nameless kind", *_NOP_BOOT[5:]]
    rows = [_NOP_COLUMNS, ["", "", *_NOP_OF_ATTRIBUTES], _NOP_SHOE, new, without]
    rows = [[*row, *[None] * (len(_NOP_COLUMNS) - len(row))] for row in rows]
    data = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    _, report, products = imported(tmp_path, data)
    assert (report.new, report.further, report.set_aside) == (3, 0, 1)
    assert {one["title"] for one in products.values()} == {"Larch", "New", "Nameless kind"}
