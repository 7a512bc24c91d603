"""What systems write that is easily read as something else."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from reaseq.knowledge_store.feeds.opening import open_feed, understood
from reaseq.knowledge_store.importing import import_feed
from reaseq.knowledge_store.names import find_product, read_names
from reaseq.knowledge_store.store import Store
from tests.knowledge_store.test_as_people_have_them import imported, product
from tests.knowledge_store.test_updates_of_variants import variants

YML = """<yml_catalog><shop><offers>
<offer id="10" type="vendor.model"><price>10</price><typePrefix>Boot</typePrefix><vendor>Acme</vendor><model>X1</model>
<param name="Color">Red</param><param name="Weight">1 kg</param></offer>
<offer id="11" type="vendor.model"><price>11</price><typePrefix>Shoe</typePrefix><vendor>Acme</vendor><model>X2</model>
<param name="Color">Blue</param><param name="Weight">2 kg</param></offer></offers></shop></yml_catalog>"""
MEDUSA = """Product Id,Product Title,Variant Id,Variant SKU,Variant Option 1 Name,Variant Option 1 Value,Price EUR
p1,Rain Coat,v1,COAT,Title,Default Title,80
p3,Winter Boot,v4,B4,Size,41,60
p3,Winter Boot,v5,B5,Size,42,70
"""
VENDURE = """name,slug,description,facets,optionGroups,optionValues,sku,price,stockOnHand
Laptop,laptop,Quick,category:Electronics,screen size|RAM,13 inch|8GB,L1,1299.00,100
,,,,,15 inch|8GB,L2,1399.00,50
Mouse,mouse,Small,,,,MO,19.99,5
"""
VENDURE_LANGUAGES = """name:en,name:de,slug:en,description:en,optionGroups:en,optionValues:en,optionValues:de,sku,price
Laptop,Klapprechner,laptop,Quick,screen size|RAM,13 inch|8GB,13 Zoll|8GB,L1,1299.00
,,,,,15 inch|8GB,15 Zoll|8GB,L2,1399.00
"""
ODOO = """External ID,Name,Internal Reference,Product Attributes / Attribute,Product Attributes / Values,Sales Price
p1,Tee,TS,Color,"Red,Blue",10
,,,Size,"S,M,L",
p2,Mug,MU,,,5
"""
MEDUSA_HANDLES = """Product Id,Product Handle,Product Title,Variant Title,Variant Sku,Variant Price VND,Option 1 Name,Option 1 Value
,coat,Coat,S,COAT-S,120000,Size,S
,coat,Coat,M,COAT-M,130000,Size,M
,hat,Hat,Default variant,HAT,50000,Title,Default Title
"""  # noqa: E501
PRESTASHOP = """Product ID;Active (0/1);Name *;Price tax excluded;Wholesale price;Reference #;Supplier reference #
1;1;Mug;10.5;4;MUG-1;S-9
2;1;Cup;11.5;5;CUP-1;S-8
"""
CENTS = """[{"id":1,"name":"Boot","prices":{"price":"1500","currency_code":"GBP","currency_minor_unit":2}},
{"id":2,"name":"Shoe","prices":{"price":"950","currency_code":"GBP","currency_minor_unit":2}}]"""
NESTED = """{"products":[{"id":"p1","title":"Coat","variants":[
{"sku":"C-S","prices":[{"currency_code":"eur","amount":82}],"options":[{"value":"S","option":{"title":"Size"}}]},
{"sku":"C-M","prices":[{"currency_code":"eur","amount":80}],"options":{"Size":"M"}}]}]}"""
COMMERCE = """{"results":[{"id":"p1","masterData":{"current":{"name":{"en":"Boot"},"masterVariant":{"id":1,"sku":"S1",
"prices":[{"value":{"currencyCode":"EUR","centAmount":1999,"fractionDigits":2}}],
"attributes":[{"name":"color","value":"red"}]},"variants":[{"id":2,"sku":"S2",
"prices":[{"value":{"currencyCode":"EUR","centAmount":2999,"fractionDigits":2}}],
"attributes":[{"name":"color","value":"blue"}]}]}}}]}"""
BMECAT = """<BMECAT version="1.2" xmlns="http://www.bmecat.org/bmecat/1.2/bmecat_new_catalog"><HEADER><CATALOG>
<CATALOG_NAME>Work wear</CATALOG_NAME></CATALOG></HEADER><T_NEW_CATALOG><CATALOG_GROUP_SYSTEM>
<CATALOG_STRUCTURE type="root"><GROUP_ID>1</GROUP_ID><GROUP_NAME>All</GROUP_NAME><PARENT_ID>0</PARENT_ID>
</CATALOG_STRUCTURE><CATALOG_STRUCTURE type="leaf"><GROUP_ID>12</GROUP_ID><GROUP_NAME>Sicherheitsschuhe</GROUP_NAME>
<PARENT_ID>1</PARENT_ID></CATALOG_STRUCTURE></CATALOG_GROUP_SYSTEM>
<ARTICLE><SUPPLIER_AID>A1</SUPPLIER_AID><ARTICLE_DETAILS><DESCRIPTION_SHORT>Schuh S3</DESCRIPTION_SHORT>
<MANUFACTURER_NAME>Atlas</MANUFACTURER_NAME></ARTICLE_DETAILS><ARTICLE_FEATURES>
<REFERENCE_FEATURE_SYSTEM_NAME>ECLASS-7.1</REFERENCE_FEATURE_SYSTEM_NAME>
<FEATURE><FNAME>Farbe</FNAME><FVALUE>schwarz</FVALUE></FEATURE>
<FEATURE><FNAME>Gewicht</FNAME><FVALUE>650</FVALUE><FUNIT>g</FUNIT></FEATURE></ARTICLE_FEATURES>
<ARTICLE_PRICE_DETAILS><ARTICLE_PRICE price_type="net_customer"><PRICE_AMOUNT>50</PRICE_AMOUNT>
<PRICE_CURRENCY>EUR</PRICE_CURRENCY></ARTICLE_PRICE><ARTICLE_PRICE price_type="net_list">
<PRICE_AMOUNT>89.90</PRICE_AMOUNT><PRICE_CURRENCY>EUR</PRICE_CURRENCY></ARTICLE_PRICE></ARTICLE_PRICE_DETAILS></ARTICLE>
<ARTICLE><SUPPLIER_AID>A2</SUPPLIER_AID><ARTICLE_DETAILS><DESCRIPTION_SHORT>Stiefel</DESCRIPTION_SHORT>
</ARTICLE_DETAILS><ARTICLE_PRICE_DETAILS><ARTICLE_PRICE price_type="net_customer"><PRICE_AMOUNT>9</PRICE_AMOUNT>
</ARTICLE_PRICE></ARTICLE_PRICE_DETAILS></ARTICLE><ARTICLE_TO_CATALOGGROUP_MAP><ART_ID>A1</ART_ID>
<CATALOG_GROUP_ID>12</CATALOG_GROUP_ID></ARTICLE_TO_CATALOGGROUP_MAP></T_NEW_CATALOG></BMECAT>"""
LISTINGS = """Item number,Title,Variation details,Custom label (SKU),Quantity,Currency,Start price,Current price
11,Nordic Tee,,,8,EUR,19.9,
11,Nordic Tee,"[Color=Blue,Size=M]",TEE-B,4,EUR,19.9,
11,Nordic Tee,"[Color=Red,Size=M]",TEE-R,4,EUR,21.9,
12,Lamp,,LAMP,3,EUR,30,29
"""
HEUREKA = """<SHOP><SHOPITEM><ITEM_ID>B1</ITEM_ID><PRODUCTNAME>Pegasus 43</PRODUCTNAME><PRICE_VAT>2990</PRICE_VAT>
<PARAM><PARAM_NAME>Velikost</PARAM_NAME><VAL>43</VAL></PARAM><ITEMGROUP_ID>PEG</ITEMGROUP_ID></SHOPITEM>
<SHOPITEM><ITEM_ID>B2</ITEM_ID><PRODUCTNAME>Pegasus 44</PRODUCTNAME><PRICE_VAT>3090</PRICE_VAT>
<PARAM><PARAM_NAME>Velikost</PARAM_NAME><VAL>44</VAL></PARAM><ITEMGROUP_ID>PEG</ITEMGROUP_ID></SHOPITEM></SHOP>"""
SHIPPED = """<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><item><g:id>1</g:id>
<g:title>Belt</g:title><g:price>15.00 USD</g:price><g:shipping><g:price>4.95 USD</g:price></g:shipping></item>
<item><g:id>2</g:id><g:title>Plate</g:title><g:price>1300.00 USD</g:price><g:sale_price>999.00 USD</g:sale_price>
<g:sale_price_effective_date>2025-11-01T00:00-0800/2025-11-15T00:00-0800</g:sale_price_effective_date>
<g:shipping><g:price>4.95 USD</g:price></g:shipping></item></channel></rss>"""
TABLE = """<meta charset="utf-8"><table border=1><tr><td colspan=3>Stock list</td></tr><tr><th>Artikelnummer</th>
<th>Bezeichnung</th><th>Preis</th></tr><tr><td>0012</td><td>Boot &quot;Blitz&quot;<br>Leder</td><td>1.059,90 €</td></tr>
<tr><td>0013</td><td>Shoe</td><td>5 €</td></tr></table>"""
EBAY = """*Action(Country=DE|Currency=EUR),CustomLabel,*Title,C:Marke,Relationship,RelationshipDetails,*StartPrice
Add,S1,Laufschuh,Nike,,Size=42;43,
,S1-42,,,Variation,Size=42|Farbe=rot,59.90
,,,,Variation,Size=43|Farbe=rot,61.90
Add,B1,Tasche,Picard,,,99.00
"""


ALV = """Preisliste 03.03.2024
----------------------------------------------
|Material  |Materialkurztext  |  Betrag|Währg|
----------------------------------------------
|MAT-100   |Wanderschuh braun |   89,90|EUR  |
|MAT-200   |Stiefel           |1.089,90|EUR  |
|MAT-300   |Gutschrift        |  10,00-|EUR  |
----------------------------------------------
"""


@pytest.mark.parametrize(
    ("data", "product_id", "expected"),
    [
        (YML, "10", {"title": "Boot Acme X1", "price": 10, "brand": "Acme"}),
        (MEDUSA, "p1", {"title": "Rain Coat", "price": 80}),
        (MEDUSA, "p3", {"title": "Winter Boot", "price": 60}),
        (VENDURE_LANGUAGES, "laptop", {"title": "Laptop", "description": "Quick", "price": 1299}),
        (VENDURE, "laptop", {"title": "Laptop", "price": 1299, "description": "Quick"}),
        (ODOO, "p1", {"price": 10, "attributes": {"Internal Reference": "TS", "Color": "Red,Blue", "Size": "S,M,L"}}),
        (MEDUSA_HANDLES, "coat", {"title": "Coat", "price": 120000, "currency": "VND"}),
        (MEDUSA_HANDLES, "HAT", {"id": "hat", "title": "Hat", "price": 50000}),
        (MEDUSA_HANDLES, "COAT-M", {"id": "coat"}),
        (PRESTASHOP, "CUP-1", {"id": "2", "title": "Cup", "price": 11.5}),
        (CENTS, "2", {"title": "Shoe", "price": 9.5, "currency": "GBP"}),
        (NESTED, "p1", {"title": "Coat", "price": 80, "currency": "EUR"}),
        (COMMERCE, "p1", {"title": "Boot", "price": 19.99, "currency": "EUR"}),
        (BMECAT, "A1", {"title": "Schuh S3", "price": 89.9, "currency": "EUR", "brand": "Atlas", "category": "shoes"}),
        (BMECAT, "A2", {"title": "Stiefel", "price": None, "category": None}),
        (HEUREKA, "PEG", {"title": "Pegasus 43", "price": 2990}),
        (TABLE, "0012", {"title": 'Boot "Blitz"\nLeder', "price": 1059.9, "currency": "EUR"}),
        (EBAY, "S1", {"title": "Laufschuh", "brand": "Nike", "price": 59.9, "currency": "EUR"}),
        (LISTINGS, "11", {"title": "Nordic Tee", "price": 19.9, "currency": "EUR"}),
        (LISTINGS, "12", {"title": "Lamp", "price": 29}),
        (EBAY, "B1", {"title": "Tasche", "price": 99, "currency": "EUR"}),
        # What it costs to send a thing is not what it costs.
        (SHIPPED, "1", {"price": 15, "currency": "USD"}),
        (SHIPPED, "2", {"price": 1300, "currency": "USD"}),
        (
            '[{"id":"1","name":"Belt","list_price":"15","shipping":{"price":"4.95"}},{"id":"2","name":"Cap"}]',
            "1",
            {"price": 15},
        ),
        ("sku;name;VK1;UVP\n1;Lampe;7990;9990\n2;Tisch;2900;\n", "2", {"price": 2900}),
        ("sku;name;VK1;VK2;Streichpreis\n1;Lampe;129;119;159\n", "1", {"price": 129}),
        ("sku;name;VK;UVP\n1;Lampe;;99\n", "1", {"price": None}),
        ("sku;name;Sonderpreis;UVP\n1;Lampe;;99\n", "1", {"price": 99}),
        ("sku;name;price_cs;list price\n1;Lampe;3999;49\n", "1", {"price": 49}),
        (
            '<shop><product><id>1</id><bezeichnung sprache="de">Lampe</bezeichnung>'
            '<preis waehrung="EUR">159,90</preis><uvp>199,90</uvp></product>'
            '<product><id>2</id><bezeichnung sprache="de">Tisch</bezeichnung></product></shop>',
            "1",
            {"title": "Lampe", "price": 159.9},
        ),
        (
            '[{"id":1,"name":"Tisch","brands":[{"id":3,"name":"Finca"}]},{"id":2,"name":"Bank"}]',
            "1",
            {"brand": "Finca"},
        ),
        ("product_number;name;manufacturer_name\n1;Tisch;Finca\n", "1", {"brand": "Finca"}),
        ("sku;name;kategorie\n1;Darjeeling;Tee\n", "1", {"category": "tee"}),
        ("id,title,category\n4,Chaise en bois,Meubles > Chaises\n", "4", {"category": "chaises"}),
        ("id,title,category\n4,Cap,52365\n", "4", {"category": None, "attributes": {"category": "52365"}}),
        ("Reference;Name;Prix\nREF1;Lampe;69,90\n", "REF1", {"price": 69.9}),
        ("sku;name;kategorie\n1;Darjeeling;Getränke > Kräutertee\n", "1", {"category": "tea"}),
        ('{"type":"RECORD","stream":"p","record":{"id":"2","title":"Desk"}}\n' * 1, "2", {"category": None}),
        (
            '[{"sku":"M","name":"Bag","price":45,"custom_attributes":[{"attribute_code":"description","value":"Leder"},'
            '{"attribute_code":"special_price","value":"39.00"}]},{"sku":"N","name":"Cap"}]',
            "M",
            {"description": "Leder", "price": 39},
        ),
        (
            BMECAT.replace("<DESCRIPTION_SHORT>", '<DESCRIPTION_SHORT lang="deu">'),
            "A1",
            {"title": "Schuh S3", "price": 89.9},
        ),
        ("SKU,Internal_ID,Title\n,L1,Cap\n,L2,Hat\n", "L1", {"title": "Cap"}),
        (
            '[{"id":"1","name":null,"translated":{"name":"Kea"}},{"id":"2","name":null,"translated":{"name":"Tui"}}]',
            "1",
            {"title": "Kea"},
        ),
        ('[{"objectID":"1","name":"Jacket","sku":["J1","J2"]},{"objectID":"2","name":"Cap","sku":"P"}]', "1", {}),
        (
            "Type,SKU,Name,Regular price,Attribute 1 name,Attribute 1 value(s)\nsimple,B1,Ring One,20,Name,Anna\n",
            "B1",
            {"title": "Ring One", "price": 20},
        ),
        (
            "Type,SKU,Name,Regular price,Attribute 1 name,Attribute 1 value(s)\nsimple,B1,Ring,30,Price,From 10\n",
            "B1",
            {"title": "Ring", "price": 30},
        ),
        (
            '<shop><product><id>1</id><name>Boot</name><param name="Title">Red</param></product>'
            '<product><id>2</id><name>Shoe</name><param name="Title">Blue</param></product></shop>',
            "1",
            {"title": "Boot"},
        ),
        (ALV, "MAT-100", {"title": "Wanderschuh braun", "price": 89.9, "currency": "EUR", "attributes": {}}),
        (ALV, "MAT-300", {"title": "Gutschrift", "price": None}),
        (
            "| SKU | Name | Price |\n| --- | :-- | ----: |\n| A1 | Boot | 9.50 |\n",
            "A1",
            {"title": "Boot", "price": 9.5},
        ),
        ("ID oferty;Tytuł oferty;Cena PL\n1;But zimowy;129,00\n", "1", {"title": "But zimowy", "price": 129}),
        ("article_id,article_name,price\nZ1,Boot,9.5\n", "Z1", {"title": "Boot"}),
        (
            "sku;productLine;standardPrice.amount;standardPrice.currency\nO1;Boot Nora;9.50;EUR\n",
            "O1",
            {"title": "Boot Nora", "price": 9.5, "currency": "EUR"},
        ),
        (
            '[{"sku":"O1","productLine":"Nora","pricing":{"standardPrice":{"amount":9.5,"currency":"EUR"}}}]',
            "O1",
            {"title": "Nora", "price": 9.5, "currency": "EUR"},
        ),
        ("sku,name,Neuer Preis,Betrag,currency\nA,Boot,5,50,EUR\n", "A", {"price": 5, "attributes": {"Betrag": "50"}}),
    ],
)
def test_products(store: Store, tmp_path: Path, data: str, product_id: str, expected: dict[str, Any]) -> None:
    report = imported(store, tmp_path, data)
    assert report.set_aside == 0
    made = find_product(store, product_id)
    assert {name: made.get(name) for name in expected} == expected


SHOPWARE = """id;parent_id;product_number;name;price_gross;size
a1;;SW1;Boot Bern;11.9;
a2;a1;SW1.1;;11.9;41
a3;a1;SW1.2;;14.9;42
"""
AKENEO = (
    "code;family_variant;parent;categories;name-de_DE\nmodel;fv;;shoes;Stiefel Bern\n",
    "sku;parent;name-de_DE;color;size;price-EUR\nA1;model;;red;41;50\nA2;model;;blue;42;55\nA3;;Solo;blue;42;60\n",
)
WOO = """Type,SKU,Name,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)
variable,V1,Runner,,,Size,"38, 39"
variation,V1-38,Runner - 38,79.90,V1,Size,38
"""


@pytest.mark.parametrize(
    ("files", "owner", "expected"),
    [
        ([VENDURE_LANGUAGES], "laptop", {"L1": ({"screen size": "13 inch", "RAM": "8GB"}, 1299),
                                         "L2": ({"screen size": "15 inch", "RAM": "8GB"}, 1399)}),
        ([VENDURE], "laptop", {"L1": ({"screen size": "13 inch", "RAM": "8GB"}, 1299),
                               "L2": ({"screen size": "15 inch", "RAM": "8GB"}, 1399)}),
        ([MEDUSA_HANDLES], "coat", {"COAT-S": ({"Size": "S"}, 120000), "COAT-M": ({"Size": "M"}, 130000)}),
        ([SHOPWARE], "a1", {"a2": ({"size": "41"}, 11.9), "a3": ({"size": "42"}, 14.9)}),
        (AKENEO, "model", {"A1": ({"color": "red", "size": "41"}, 50), "A2": ({"color": "blue", "size": "42"}, 55)}),
        (
            AKENEO[::-1],
            "model",
            {"A1": ({"color": "red", "size": "41"}, 50), "A2": ({"color": "blue", "size": "42"}, 55)},
        ),
        (
            [WOO, "SKU,Parent,Regular price,Attribute 1 name,Attribute 1 value(s)\nV1-41,V1,88,Size,41\n"],
            "V1",
            {"V1-38": ({"Size": "38"}, 79.9), "V1-41": ({"Size": "41"}, 88)},
        ),
        (
            ["<shop>" + "".join(
                f'<offer id="{number}" group_id="g"><name>Boot</name><price>{price}</price>'
                f'<param name="Size">{size}</param></offer>'
                for number, price, size in ((1, 10, 41), (2, 12, 42))
            ) + "</shop>"],
            "g",
            {"1": ({"Size": "41"}, 10), "2": ({"Size": "42"}, 12)},
        ),
    ],
)  # fmt: skip
def test_rows_that_name_their_product(
    store: Store, tmp_path: Path, files: tuple[str, ...], owner: str, expected: dict[str, Any]
) -> None:
    for data in files:
        assert imported(store, tmp_path, data).set_aside == 0
    assert product(store, owner)["title"]
    assert {name: (one["options"], one["price"]) for name, one in variants(store, owner).items()} == expected


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        # Nobody can tell whose a row is below one that cannot be read, or of a product without options.
        (VENDURE.replace("Laptop,laptop,", "Laptop,laptop,,"), 3, "names no product, and is no variant"),
        (VENDURE + ",,,,,15 inch|8GB,M2,9,1\n", 5, "names no product, and is no variant"),
        (VENDURE.replace("15 inch|8GB", "15 inch"), 3, "names no product, and is no variant"),
        (ODOO.replace('M,L",', 'M,L",7'), 3, "has no title"),
        ("sku,name,size,values\n1,Tee,S,2\n,,M,3\n", 3, "has no title"),
    ],
)
def test_rows_that_belong_to_no_product_are_set_aside(
    store: Store, tmp_path: Path, data: str, line: int, reason: str
) -> None:
    report = imported(store, tmp_path, data)
    assert {at: why for at, why in report.first_rejected if at == line and reason in why}


@pytest.mark.parametrize(
    ("data", "update", "price", "told"),
    [
        ("sku;name;preis\nA;Boot;1049,00\n", "sku;UVP\nA;1099,00\n", 1049, {}),
        ("sku;name;UVP\nA;Boot;29,95\n", "sku;UVP\nA;34,95\n", 34.95, {}),
        ("sku;name;Preis;Aktionspreis\nA;Boot;29,95;19,95\n", "sku;Preis\nA;31\n", 19.95, {}),
        ("sku,name,Sale price,Regular price,Date sale price ends\nA,Boot,8,10,31.10.2024\n", "sku,x\nA,1\n", 10, {}),
        ("sku;name;UVP;Aktionspreis;Aktion bis\nA;Boot;10;8;31.10.2024\n", "sku,x\nA,1\n", 10, {}),
        ("sku;name;price-EUR;price-CHF\nA;Boot;89.00;99.00\n", "sku;price-CHF\nA;79.00\n", 89, {"cleared": 0}),
        ("sku,name,regular price\nA,Boot,9\n", "sku,regular price\nA,8\n", 8, {}),
        ("sku,name,price\nA,Boot,10\n", "sku,price\nA,-10%\n", 10, {"unread_prices": 1, "cleared": 0}),
        ("sku,name,price\nA,Boot,10\n", "sku,price\nA,\n", None, {"unread_prices": 0, "cleared": 1}),
        ("sku,name,price\nA,Boot,10\n", "sku,name,price\nA,,12\n", 12, {"set_aside": 0}),
        ("sku,name,price\nA,Boot,10\n", "sku,name,price\nA,-,12\n", 12, {"set_aside": 0}),
        ("sku,name,price\nA,Boot,10\n", "Artikelnummer,Neuer Preis\nA,7\n", 7, {"updated": 1}),
        ("sku,name,price,ean\nA,Boot,10,4006381333931\nB2,Clog,9,\n", "Material;Preis\n4006381333931;7\nB2;8\n", 7,
         {"updated": 2}),
        ("sku,name,price\nA,Boot,10\n", "Identifiant;Prix\nA;7,50\n", 7.5, {"updated": 1}),
        ("sku,name,price excl. tax\nA,Boot,10\n", "sku,price excl. tax\nA,7\n", 7, {"updated": 1}),
        ("sku,name,price\nA,Boot,10\n", "Artikelnummer;Preis;Preiseinheit\nA;449,00;10\n", 10, {"unread_prices": 1}),
        ("sku,name,price\nA,Boot,10\n", "Artikelnummer;Preis;Preiseinheit\nA;449,00;1\n", 449, {"unread_prices": 0}),
        ("sku,name,price\nA,Boot,10\n", "sku,price,unit\nA,449.00,per 100\n", 10, {"unread_prices": 1}),
        ("sku,name,price\nA,Boot,10\n", "sku,price,unit\nA,449.00,100 g\n", 449, {"unread_prices": 0}),
        ("sku,name,price\nA,Boot,10\n",
         "Artikelnummer;KArt;Betrag;Einh.;pro;ME\nA;PR00;1.249,00;EUR;1;ST\n", 1249, {"unread_prices": 0}),
        ("sku,name,price\nA,Boot,10\n",
         "Artikelnummer;KArt;Betrag;Währg;pro;ME\nA;PR00;299,00;EUR;100;ST\n", 10, {"unread_prices": 1}),
        ("sku,name,price\nA,Boot,10\n", "sku,Old price\nA,59.90\n", 10, {}),
        ("sku,name,price\nA,Boot,10\n", "sku;Streichpreis\nA;59,90\n", 10, {}),
        ("sku,name,price\nA,Boot,\n", "sku;Statt-Preis\nA;59,90\n", 59.9, {}),
        ("sku,name,price\nA,Boot,50\n", "sku,price,min_qty\nA,40,10\nA,45,1\n", 45, {"set_aside": 1}),
        ("sku,name,price\nA,Boot,50\n", "sku,price,min_qty\nA,45,1\nA,40,10\n", 45, {"set_aside": 1}),
        ("sku,name,price\nA,Boot,50\n", "Artikelnummer;ab Menge;Preis\nA;10;40\nA;5;45\n", 50, {"set_aside": 2}),
        ("sku,name,price,min qty\nA,Boot,40,10\nA,Boot,45,5\n", "sku,x\nA,7\n", None, {}),
        ("sku,name,price\nA,Boot,50\n", "sku,price,minimum quantity\nA,45,6\n", 45, {"set_aside": 0}),
        ("sku,name,price excl. tax,price incl. tax\nA,Boot,10,12\n", "sku,price excl. tax\nA,7\n", 12, {"updated": 1}),
        ("sku,name,price excl. tax,price incl. tax\nA,Boot,10,\n", "sku,x\nA,7\n", 10, {}),
    ],
)  # fmt: skip
def test_prices_of_updates(
    store: Store, tmp_path: Path, data: str, update: str, price: float | None, told: dict[str, int]
) -> None:
    imported(store, tmp_path, data)
    report = imported(store, tmp_path, update)
    made = product(store, "A")
    assert (made["title"], made["price"]) == ("Boot", price)
    assert {name: report.counts()[name] for name in told} == told


@pytest.mark.parametrize(
    ("update", "price", "left"),
    [
        ("sku,price-EUR\nA,11\n", 11, {"price-USD": "12", "List price (EUR)": "20", "List price (USD)": "24"}),
        ("sku,price-USD\nA,13\n", 10, {"price-USD": "13", "List price (EUR)": "20", "List price (USD)": "24"}),
        ("sku,price,list price\nA,9,19\n", 9, {"price-USD": "12", "List price (EUR)": "19", "List price (USD)": "24"}),
        ('{"sku":"A","Price USD":13}', 10, {"price-USD": "13", "List price (EUR)": "20", "List price (USD)": "24"}),
    ],
)
@pytest.mark.parametrize("of_variant", [True, False])
def test_what_it_costs_elsewhere_stays(
    store: Store, tmp_path: Path, update: str, price: float, left: dict[str, str], *, of_variant: bool
) -> None:
    columns = "sku,name,price-EUR,price-USD,List price (EUR),List price (USD)"
    if not of_variant:
        imported(store, tmp_path, f"{columns}\nA,Boot,10,12,20,24\n")
        report = imported(store, tmp_path, update)
        assert report.cleared == 0
        assert product(store, "A")["attributes"] == left
    else:
        imported(store, tmp_path, f"id,size,{columns}\nP,40,A,Boot,10,12,20,24\nP,41,B,Boot,30,32,40,44\n")
        imported(store, tmp_path, update)
        made = {one["id"]: one for one in store.variants(["P"])["P"]}["A"]
        assert made["attributes"]["price-USD"] == left["price-USD"]
        assert made["price"] == price
        return
    made = product(store, "A")
    assert (made["price"], made["currency"]) == (price, "EUR")


def test_a_list_price_in_another_currency_says_so(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "id,title,price,sale_price\nA,Scarf,35.00 GBP,29.00 GBP\n")
    imported(store, tmp_path, "id,price\nA,39.00 EUR\n")
    made = product(store, "A")
    assert (made["price"], made["currency"], made["attributes"]) == (29, "GBP", {"price": "39 EUR"})


def test_a_column_in_other_letters_is_the_same(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku;name;farbe;lager\nA;Boot;grün;3\n")
    imported(store, tmp_path, "SKU;Colour;Lager\nA;blau;\n")
    assert product(store, "A")["attributes"] == {"farbe": "blau"}


def test_of_rows_of_one_variant_the_first_counts(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "product_id,sku,title,size,price\nP,A,Boot,42,100\nP,B,Boot,43,110\n")
    report = imported(store, tmp_path, "sku,shop,price\nA,1,99\nA,10,89\nA,1,99\n")
    assert variants(store, "P")["A"]["price"] == 99
    assert (report.set_aside, report.repeated, report.changed_variants) == (1, 1, 1)
    assert "repeats the variant 'A' of line 2" in report.first_rejected[0][1]


def test_a_product_without_a_price_costs_what_its_variants_do(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, WOO + "variation,V1-39,Runner - 39,99.90,V1,Size,39\n")
    assert product(store, "V1")["price"] == 79.9
    report = imported(store, tmp_path, "Type,SKU,Name,Regular price\nvariable,V1,Runner New,\n")
    assert (product(store, "V1")["title"], product(store, "V1")["price"]) == ("Runner New", 79.9)
    assert (report.cleared, report.unknown_prices) == (0, 0)
    imported(store, tmp_path, "sku,price\nV1-39,50\n")
    assert product(store, "V1")["price"] == 50


def test_the_cells_of_a_product_without_options(store: Store, tmp_path: Path) -> None:
    columns = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Price,Variant Compare At Price"
    imported(store, tmp_path, f"{columns}\nbern,Bern Boot,Title,Default Title,B-1,900,99,119\n")
    assert product(store, "bern")["attributes"]["Variant Grams"] == "900"
    update = "Handle,Variant SKU,Variant Price,Variant Compare At Price,Variant Grams\nbern,B-1,89,129,950\n"
    report = imported(store, tmp_path, update)
    made = product(store, "bern")
    assert (made["price"], made["attributes"]["Variant Grams"]) == (89, "950")
    assert made["attributes"]["Variant Compare At Price"] == "129"
    assert report.updated == 1


def test_rounded_codes_of_variants_are_told(store: Store, tmp_path: Path) -> None:
    rows = "variation,V1-38,Runner - 38,4.00638E+12,V1,Size,38\n"
    head = "Type,SKU,Name,GTIN,Parent,Attribute 1 name,Attribute 1 value(s)\nvariable,V1,Runner,,,Size,38\n"
    report = imported(store, tmp_path, head + rows)
    assert report.rounded == {"GTIN": (1, "4.00638E+12 in line 3")}


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#NAME?", "#DIV/0!"])
def test_errors_of_spreadsheets_are_nothing(store: Store, tmp_path: Path, error: str) -> None:
    report = imported(store, tmp_path, f"sku,name,price,color\nA,Boot,9,{error}\nB,{error},8,red\n")
    assert product(store, "A")["attributes"] == {}
    assert report.first_rejected == [(3, "has no title (and no product 'B' is there to update)")]


def test_a_header_of_two_lines(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "Artikel;;Preise;\nArt.-Nr.;Bezeichnung;UVP;EK\n1;Sandale;59,95;3\n2;Schuh;69,95;3\n")
    assert store.product_ids() == ["1", "2"]
    assert product(store, "2")["price"] == 69.95


SHOP = """Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Price,Variant Barcode
tr,Runner,Size,42,Color,Black,A,10,
tr,,,43,,White,B,12,
city,City Boot,Title,Default Title,,,CB-1,149,4006381333955
"""


@pytest.mark.parametrize(
    ("update", "price"),
    [
        ("SKU,Product name,Price\nCB-1,CITY BOOT,99\n", 99),
        ("SKU,Product name,Price\nCB-1,City Boot (sale),99\n", 99),
        ("EAN;Artikelbezeichnung;VK brutto\n4006381333955;City Boot Leder;139,00\n", 139),
    ],
)
def test_a_known_code_with_a_title_much_the_same(store: Store, tmp_path: Path, update: str, price: float) -> None:
    imported(store, tmp_path, SHOP)
    report = imported(store, tmp_path, update)
    assert (report.new, report.updated, report.same_names) == (0, 1, 0)
    assert product(store, "city")["price"] == price


def test_a_known_code_of_another_thing_is_told(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHOP)
    report = imported(store, tmp_path, "SKU,Product name,Price\nCB-1,Garden Hose,9\n")
    assert report.new == 1
    assert report.first_same_name == "line 2: CB-1 is also what city, 'City Boot', goes by"
    assert product(store, "city")["price"] == 149


def test_options_in_another_language(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, SHOP)
    report = imported(store, tmp_path, "Handle;Größe;Farbe;Preis\ntr;42;schwarz;9\ntr;43;weiß;11\n")
    assert {name: one["price"] for name, one in variants(store, "tr").items()} == {"A": 9, "B": 11}
    assert (report.changed_variants, report.left_variants) == (2, 0)
    assert variants(store, "tr")["A"]["options"] == {"Size": "42", "Color": "Black"}


@pytest.mark.parametrize(
    ("data", "product_id", "expected"),
    [
        (EBAY, "S1", {"S1-42": {"Size": "42", "Farbe": "rot"}, "S1/43/rot": {"Size": "43", "Farbe": "rot"}}),
        (LISTINGS, "11", {"TEE-B": {"Color": "Blue", "Size": "M"}, "TEE-R": {"Color": "Red", "Size": "M"}}),
        (HEUREKA, "PEG", {"B1": {"Velikost": "43"}, "B2": {"Velikost": "44"}}),
    ],
)
def test_variants_of_listings(
    store: Store, tmp_path: Path, data: str, product_id: str, expected: dict[str, dict[str, str]]
) -> None:
    imported(store, tmp_path, data)
    assert {own: one["options"] for own, one in variants(store, product_id).items()} == expected


def test_features_with_an_element_for_name_and_value(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, BMECAT)
    said = product(store, "A1")["attributes"]
    assert said["Farbe"] == "schwarz"
    assert said["Gewicht"] == "650 g"


@pytest.mark.parametrize(
    "until",
    ["Sonderpreis gültig bis", "Sonderpreis bis", "gültig bis", "Sonderpreis Ende", "Angebot endet", "sale_end_date"],
)
def test_a_sale_that_is_over(store: Store, tmp_path: Path, until: str) -> None:
    imported(store, tmp_path, f"sku;name;Preis;Sonderpreis;{until}\n1;Lampe;99,00;79,00;31.12.2024\n")
    assert product(store, "1")["price"] == 99


def test_a_list_price_in_another_language_ends_no_sale(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "Type,SKU,Name,Regular price,Sale price\nsimple,T,Shirt,12,9.9\n")
    imported(store, tmp_path, "Artikelnummer,Regulärer Preis\nT,13\n")
    assert product(store, "T")["price"] == 9.9


def test_what_is_recommended_leaves_a_known_price(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku;name;Std. VK Brutto;UVP\n1;Lampe;49;59\n")
    imported(store, tmp_path, "sku;Std. VK Brutto;UVP\n1;;59\n")
    assert product(store, "1")["price"] == 49


SHOPIFY = """Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price
tee,Summer Tee,Size,S,T-S,19.99
tee,,,M,T-M,21.99
"""


@pytest.mark.parametrize(
    ("update", "prices"),
    [
        ("Handle,Title,Variant SKU,Variant Price\ntee,Summer Tee,T-M,23.5\n", (19.99, 19.99, 23.5)),
        ("Handle,Title,Variant SKU,Variant Price\ntee,Summer Tee,T-S,17\n", (17, 17, 21.99)),
        (SHOPIFY.replace("19.99", "25"), (25, 25, 21.99)),
    ],
)
def test_a_variants_price_is_its_own(store: Store, tmp_path: Path, update: str, prices: tuple[float, ...]) -> None:
    """Also where its row names the product, as Shopify wants it."""
    imported(store, tmp_path, SHOPIFY)
    imported(store, tmp_path, update)
    made = variants(store, "tee")
    assert (product(store, "tee")["price"], made["T-S"]["price"], made["T-M"]["price"]) == prices


def test_a_code_of_several_products_is_told(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,name,ean\nA,Cap,4006381006013\nB,Hat,4006381006013\n")
    report = imported(store, tmp_path, "ean,price\n4006381006013,9.99\n")
    assert "several products (A, B)" in report.first_rejected[0][1]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("£20.50", "Lamp"),
        ("20,50 €", "Lampe"),
        ("20.50", "Heats to 100°C, 25 ± 2 mm, ½ litre"),
        ("20.50", "Size 10 × 15 cm"),
        ("20.50", "With Gore-Tex® membrane"),
        ("49,90 €", "Schuh 42½ schön"),
        ("49,90", "Schuh »Köln« 42½ – groß"),
        ("49,90", "Stiefel ¼ Höhe"),
        ("49.90", "Men’s shoe 8½ – black"),
    ],
)
@pytest.mark.parametrize("count", [2, 60])
def test_signs_of_windows(store: Store, tmp_path: Path, said: str, text: str, count: int) -> None:
    rows = [f"{number};{text};{said}" for number in range(count)]
    imported(store, tmp_path, "\n".join(["id;name;price", *rows]).encode("cp1252"))
    made = product(store, "1")
    assert (made["title"], made["price"]) == (text, float(said.strip("£ €").replace(",", ".")))
    assert made["currency"] == ("GBP" if "£" in said else "EUR" if "€" in said else None)


def test_a_packed_cell_says_nothing_of_what_it_does_not_name(store: Store, tmp_path: Path) -> None:
    head = "sku,attribute_set_code,product_type,name,price,additional_attributes\n"
    rows = 'P2,Default,simple,Mug,9,"color=White,material=Steel"\nP3,Default,simple,Cup,9,"color=Green,material=Tin"\n'
    imported(store, tmp_path, head + rows)
    report = imported(store, tmp_path, "sku,additional_attributes\nP2,material=Iron\nP3,color=Blue\n")
    made = [product(store, one)["attributes"] for one in ("P2", "P3")]
    assert [(one["color"], one["material"]) for one in made] == [("White", "Iron"), ("Blue", "Tin")]
    assert report.cleared == 0


COLOURS = "id,sku,title,color,size,price\nH1,A-1,Hoodie,Red,S,50\nH1,A-2,Hoodie,Blue,S,53\nH1,A-3,Hoodie,Crimson,S,51\n"


@pytest.mark.parametrize(
    ("update", "own", "expected"),
    [
        (COLOURS.replace("Blue", "Navy"), "A-2", ("Navy", 53)),
        ("sku,color,size\nA-2,Navy,M\n", "A-2", ("Navy", 53)),
        ("id,color,size,price\nH1,Crimson,S,61\n", "A-3", ("Crimson", 61)),
        ("id,color,size,price\nH1,Rot,S,61\n", "A-1", ("Red", 61)),
    ],
)
def test_a_shade_is_another_option(
    store: Store, tmp_path: Path, update: str, own: str, expected: tuple[str, float]
) -> None:
    imported(store, tmp_path, COLOURS)
    imported(store, tmp_path, update)
    made = variants(store, "H1")
    assert len(made) == 3
    assert (made[own]["options"]["color"], made[own]["price"]) == expected


def test_a_type_of_several_words_is_no_category(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,name,category\nEB,E-Book,Books\n")
    imported(store, tmp_path, 'ID,Type,SKU,Regular price\n21,"simple, virtual",EB,5\n')
    assert product(store, "EB")["category"] == "books"


def test_variations_with_names_of_their_own(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, '[{"id":799,"name":"Hoodie","parent_id":0},{"id":800,"name":"Cap","parent_id":0}]')
    own = '{"id":73%d,"price":"3%d","attributes":[{"name":"Color","option":"%s"}],"parent_id":799,"name":"%s"}'
    imported(store, tmp_path, f"[{own % (2, 0, 'Black', 'Black')},{own % (3, 2, 'Green', 'Green')}]")
    made = variants(store, "799")
    assert {key: (one["options"]["Color"], one["price"]) for key, one in made.items()} == {
        "732": ("Black", 30),
        "733": ("Green", 32),
    }


def test_a_rule_without_a_sale(store: Store, tmp_path: Path) -> None:
    data = """Item Type,Product ID,Product Name,Product Type,Product Code/SKU,Price,Retail Price,Sale Price
Product,70,Towel,P,T0,49.0000,0,0.0000
  SKU,141,[RB]Size=Small,,T0-S,,,
  SKU,142,[RB]Size=Large,,T0-L,,,
  Rule,12,,,T0-L,[ADD]10,,
"""
    imported(store, tmp_path, data)
    assert variants(store, "70")["T0-L"]["price"] == 59


def test_a_list_of_two_columns_with_decimal_commas(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "Reference;Name;Prix\nREF1;Lampe;9\n")
    imported(store, tmp_path, "Reference #;Price tax excluded\nREF1;69,90\nREF2;99,00\n")
    assert open_feed(tmp_path / "feed").columns == ["Reference #", "Price tax excluded"]


def _in_xml(name: str) -> str:
    """A product whose variants say in several ways what they differ by."""
    return (
        "<products><product><sku>p</sku><title>Boot</title><variants>"
        f'<variant><sku>a</sku><option name="{name}">rot</option></variant>'
        f"<variant><sku>b</sku><attributes><attribute><name>{name}</name><value>blau</value></attribute></attributes>"
        "</variant></variants></product><product><sku>q</sku><title>Shoe</title></product></products>"
    )


def _nested(*variants: dict[str, Any], **product: Any) -> str:
    return json.dumps([{"id": "p", "title": "Boot", "variants": variants, **product}])


_EUROS = {"amount": 4500, "currency": "EUR"}
_CENTS = {"type": "centPrecision", "centAmount": 8990, "currencyCode": "EUR", "fractionDigits": 2}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        *((_in_xml(name), {"a": ({name: "rot"}, None), "b": ({name: "blau"}, None)})
          for name in ("Farbe", "Größe", "Storage", "Weight")),
        (_nested({"sku": "a", "properties": [{"name": "Farbe", "value": "rot"}]}, {"sku": "b", "price": 3}),
         {"a": ({"Farbe": "rot"}, None), "b": ({}, 3)}),
        ("sku,parent_id,title,price,options\np,,Boot,9,\na,p,,9,color: red|size: 40\n"
         'b,p,,10,"color: blue, size: 41"\nc,p,,10,Blue\n',
         {"a": ({"color": "red", "size": "40"}, 9), "b": ({"color": "blue", "size": "41"}, 10), "c": ({}, 10)}),
        # 0 is a price, but not that of a sale.
        (_nested({"sku": "a", "size": "1", "price": 0}, {"sku": "b", "size": "2", "price": "0.00", "sale_price": 0},
                 {"sku": "c", "size": "3", "price": 5, "sale_price": "0.00"}, {"sku": "d", "size": "4", "price": ""}),
         {"a": ({"size": "1"}, 0), "b": ({"size": "2"}, 0), "c": ({"size": "3"}, 5), "d": ({"size": "4"}, None)}),
        (_nested({"sku": "a", "size": "1", "price": _EUROS}, {"sku": "b", "size": "2", "price": {"amount": "46.10"}},
                 price=_EUROS | {"decimals": 2}), {"a": ({"size": "1"}, 45), "b": ({"size": "2"}, 46.1)}),
        (_nested({"sku": "a", "size": "1", "price": _CENTS}, {"sku": "b", "size": "2", "price": {"value": _CENTS}}),
         {"a": ({"size": "1"}, 89.9), "b": ({"size": "2"}, 89.9)}),
        (_nested({"sku": "a", "size": "1", "price_with_vat": 10},
                 {"sku": "b", "size": "2", "regular_price": 12, "sale_price": ""}),
         {"a": ({"size": "1"}, 10), "b": ({"size": "2"}, 12)}),
        ("sku,parent_sku,title,color,regular_price,sale_price\np,,Tee,,,\na,p,,Black,25.00,21.99\nb,p,,Green,23.99,\n",
         {"a": ({"color": "Black"}, 21.99), "b": ({"color": "Green"}, 23.99)}),
        (json.dumps([{"id": "p", "name": "Tee", "parent_id": 0, "regular_price": "", "sale_price": ""}, *(
            {"id": own, "name": "Tee", "parent_id": "p", "regular_price": "25", "sale_price": sale,
             "attributes": [{"name": "Color", "option": own}]} for own, sale in (("a", "21"), ("b", "")))]),
         {"a": ({"Color": "a"}, 21), "b": ({"Color": "b"}, 25)}),
        ("id,title,description,price,item_group_id\na,Sun Hat,Straw,29.99 USD,p\nb,Sun Hat,Straw,34.99 USD,p\n",
         {"a": ({}, 29.99), "b": ({}, 34.99)}),
    ],
)  # fmt: skip
def test_what_variants_differ_by_and_cost(
    store: Store, tmp_path: Path, data: str, expected: dict[str, tuple[dict[str, str], float | None]]
) -> None:
    for _ in range(2):
        report = imported(store, tmp_path, data)
        assert {name: (one["options"], one["price"]) for name, one in variants(store, "p").items()} == expected
        assert (report.set_aside, report.orphans, report.changed_variants) == (0, 0, 0)
    assert {find_product(store, name)["id"] for name in expected} == {"p"}


_SOLD = {"variants": [{"size": "40", "price": 9}, {"size": "41", "price": 8}]}


@pytest.mark.parametrize(
    "data",
    [
        json.dumps([{"name": "Boot", **_SOLD}, {"name": "Sandal", **_SOLD}]),
        json.dumps([{"code": "U1", "name": "Boot", **_SOLD}, {"code": "U2", "name": "Sandal", **_SOLD}]),
        "<f>" + "".join(
            f"<x><uid>{name}</uid><name>{name}</name><variants><variant><size>40</size></variant><variant><size>41</size>"
            "</variant></variants></x>" for name in ("Boot", "Sandal")
        ) + "</f>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["", "kea"])
def test_variants_of_products_without_an_id(store: Store, tmp_path: Path, data: str, source: str) -> None:
    (tmp_path / "feed").write_text(data)
    feed, mapping = understood(open_feed(tmp_path / "feed"))
    report = import_feed(store, feed, mapping, source=source, rejected_dir=tmp_path)
    assert (report.variants, report.orphans) == (4, 0)
    for product_id in store.product_ids():
        assert list(variants(store, product_id)) == [f"{product_id}/40", f"{product_id}/41"]


_FIRESTORE = "projects/x/databases/(default)/documents/products/p1"
_BULK = """{"id":"P1","title":"Tee","handle":"tee","descriptionHtml":"Nice"}
{"id":"V1","sku":"T-1","price":"9","selectedOptions":[{"name":"Size","value":"S"}],"__parentId":"P1"}
{"id":"M1","namespace":"custom","key":"material","value":"nylon","__parentId":"P1"}
{"id":"M2","namespace":"custom","key":"fit","value":"slim","__parentId":"V1"}
{"id":"M3","namespace":"custom","key":"title","value":"short","__parentId":"P1"}
{"id":"P2","title":"Cap","handle":"cap"}
{"id":"V2","sku":"C","price":"3","selectedOptions":[{"name":"Title","value":"Default Title"}],"__parentId":"P2"}
{"id":"M4","namespace":"custom","key":"material","value":"wool","__parentId":"V2"}
"""


def _magento(*packed: str) -> str:
    """Products 0, 1, ... with this in their `additional_attributes`."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["sku", "name", "material", "additional_attributes"])
    writer.writerows([number, "Boot", "", cell] for number, cell in enumerate(packed))
    return rows.getvalue()


@pytest.mark.parametrize(
    ("data", "product_id", "expected"),
    [
        # Whole numbers with decimals, wherever these are said.
        (json.dumps([{"id": "1", "name": "Boot", "price": _EUROS | {"precision": 2}}, {"id": "2", "name": "Cap"}]),
         "1", {"price": 45, "currency": "EUR"}),
        (json.dumps([{"id": "1", "name": "A", "weight": {"value": 1200, "precision": 2}}, {"id": "2", "name": "B"}]),
         "1", {"attributes": {"weight.value": 1200, "weight.precision": 2}}),
        (json.dumps([{"id": "1", "name": "Boot", "price": _CENTS}, {"id": "2", "name": "Cap"}]), "1",
         {"price": 89.9, "currency": "EUR", "category": None}),
        (json.dumps([{"id": "1", "name": "Boot", "price": {"value": _CENTS}}, {"id": "2", "name": "Cap"}]), "1",
         {"price": 89.9, "currency": "EUR", "category": None}),
        (_nested({"sku": "a", "size": "1", "price": 3, "currency": "EUR"}, id="q", price=None)[:-1] + ","
         + _nested({"sku": "b", "size": "1", "price": _EUROS}, price=_EUROS | {"decimals": 2})[1:], "p",
         {"price": 45, "currency": "EUR"}),
        (_nested({"sku": "a", "size": "1", "price": 3, "currency": "EUR"}), "p", {"price": 3, "currency": "EUR"}),
        ("<f>" + "".join(f'<x><id>{own}</id><name>Boot</name><price decimals="2" currency="EUR">'
                         "<amount>4500</amount></price></x>" for own in (1, 2)) + "</f>",
         "1", {"price": 45, "currency": "EUR"}),
        # Objects of one key that say a type.
        (json.dumps({"documents": [
            {"name": _FIRESTORE, "fields": {"title": {"stringValue": "Blue Kettle"}, "price": {"doubleValue": 39.5},
             "tags": {"arrayValue": {"values": [{"stringValue": "a"}]}},
             "spec": {"mapValue": {"fields": {"color": {"stringValue": "red"}}}}}}]}), "p1",
         {"title": "Blue Kettle", "price": 39.5, "attributes": {"tags": ["a"], "spec.color": "red"}}),
        ('{"Item":{"id":{"S":"1"},"title":{"S":"Kettle"},"price":{"N":"39.5"},"in":{"M":{"color":{"S":"red"}}},'
         '"sold":{"BOOL":true},"none":{"NULL":true},"tags":{"SS":["a"]}}}\n{"Item":{"id":{"S":"2"},"title":{"S":"Pan"}}}\n',
         "1", {"title": "Kettle", "price": 39.5, "attributes": {"in.color": "red", "sold": True, "tags": ["a"]}}),
        ('{"_id":{"$oid":"5f"},"title":"Kettle","price":{"$numberDecimal":"9.90"},"on":{"$date":{"$numberLong":"1"}}}\n'
         '{"_id":{"$oid":"60"},"title":"Pan"}\n', "5f", {"title": "Kettle", "price": 9.9, "attributes": {"on": "1"}}),
        ('[{"id":"1","title":"Kettle","stock":{"S":"3"}},{"id":"2","title":"Pan"}]', "1",
         {"attributes": {"stock.S": "3"}}),  # a size
        (_BULK, "P1", {"description": "Nice", "attributes": {"handle": "tee", "material": "nylon",
                                                             "attribute title": "short"}}),
        (_BULK, "P2", {"price": 3, "attributes": {"handle": "cap", "material": "wool"}}),
        *((_magento(*packed), "0", {"attributes": expected}) for packed, expected in (
            (('size=40,material="Mesh, Leather"',), {"size": "40", "material": "Mesh, Leather"}),
            (('material="Mesh, Leather",size=40,note="5"" heel"',),
             {"material": "Mesh, Leather", "size": "40", "note": '5" heel'}),
            (('"color=Red, dark","size=41"',), {"color": "Red, dark", "size": "41"}),
            (("size=41,color=__EMPTY__VALUE__,material=wool, soft",), {"size": "41", "material": "wool, soft"}),
            (('heel=5",color=red',), {"heel": '5"', "color": "red"}),
            (("no pairs at all",), {"additional_attributes": "no pairs at all"}),
        )),
        # What WooCommerce writes so that no spreadsheet runs it as a formula.
        (
            "Type,SKU,Name,Description,Regular price,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,"
            "Attribute 2 value(s),Meta: grip\nsimple,'-1,'+Size tee,'=Soft 'n' warm,9,Diopters,\"'-2, '+4\",Fit,"
            "'90s,'@home\n",
            "-1",
            {
                "title": "+Size tee",
                "description": "=Soft 'n' warm",
                "attributes": {"Diopters": "-2, +4", "Fit": "'90s", "Meta: grip": "@home", "Regular price": "9"},
            },
        ),
        # Nobody says so of another file.
        ("sku,name,fit\n1,'+Size tee,'-2\n", "1", {"title": "'+Size tee", "attributes": {"fit": "'-2"}}),
        ("<f>" + "".join(
            f"<x><sku>{own}</sku><title>Boot</title><features>{features}</features></x>" for own, features in (
                ("1", "<feature><name>Color</name><value>red</value></feature>"),
                ("2", "<feature><name>Color</name><value>red</value></feature>"
                      "<feature><name>Width</name><value>4</value><unit>mm</unit></feature>"))) + "</f>",
         "1", {"attributes": {"features.Color": "red"}}),
    ],
)  # fmt: skip
def test_cells_of_products(store: Store, tmp_path: Path, data: str, product_id: str, expected: dict[str, Any]) -> None:
    assert imported(store, tmp_path, data).set_aside == 0
    made = product(store, product_id)
    assert {name: made.get(name) for name in expected} == expected


def test_metafields_of_variants(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, _BULK)
    assert variants(store, "P1")["T-1"]["attributes"] == {"fit": "slim"}
    stray = '{"id":"M","namespace":"custom","key":"material","value":"nylon","__parentId":"P9"}\n'
    report = imported(store, tmp_path, _BULK + stray)
    assert report.first_rejected == [(9, "is a metafield of P9, which is not above it")]


_COMBINATIONS = """Product ID*;Attribute (Name:Type:Position)*;Value (Value:Position)*;Reference;Impact on price
1;Size:select:0;40:0;B-40;0
1;Size:select:0;41:0;B-41;5
1;Size:select:0;42:0;B-42;-1,50
"""


@pytest.mark.parametrize("first", [True, False])
def test_prestashops_impacts(store: Store, tmp_path: Path, first: bool) -> None:
    boot = "Product ID;Active;Name;Price tax included\n1;1;Boot;{}\n"
    files = [boot.format("89.90"), _COMBINATIONS]
    for data in files if first else files[::-1]:
        imported(store, tmp_path, data)
    assert [one["price"] for one in variants(store, "1").values()] == [89.9, 94.9, 88.4]
    imported(store, tmp_path, boot.format("80"))
    imported(store, tmp_path, "sku,price\nB-41,90\n")
    imported(store, tmp_path, boot.format("70"))
    assert {name: one["price"] for name, one in variants(store, "1").items()} == {"B-40": 70, "B-41": 90, "B-42": 68.5}


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("SR5,SR6,SR17", ["SR5", "SR6", "SR17"]),
        ("RING-5 | RING-6", ["RING-5", "RING-6"]),
        ("4006381333931;4006381333948", ["4006381333931", "4006381333948"]),
        ("1,250", ["1,250"]),
        ("Blue, large", ["Blue, large"]),
        ("A1,rose gold", ["A1,rose gold"]),
    ],
)
def test_several_names_in_a_cell(store: Store, tmp_path: Path, cell: str, names: list[str]) -> None:
    imported(store, tmp_path, f'TITLE,PRICE,SKU\nRing,30,"{cell}"\nBowl,20,BW1\n')
    assert {find_product(store, name)["title"] for name in names} == {"Ring"}
    assert set(read_names(store).of) == {"BW1", cell, *names}
