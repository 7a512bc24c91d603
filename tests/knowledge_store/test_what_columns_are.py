"""What a feed's columns are, by their names in many languages and by what stands in them; what it says of variants."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from reaseq.knowledge_store.feed_export import fill_feed
from reaseq.knowledge_store.feeds.opening import open_feed, understood
from reaseq.knowledge_store.importing import ImportReport, import_feed
from reaseq.knowledge_store.names import find_product
from reaseq.knowledge_store.store import CLAIM, Store
from reaseq.knowledge_store.tables import now
from reaseq.knowledge_store.wordlists import words


def imported(store: Store, folder: Path, data: str | bytes, name: str = "feed") -> ImportReport:
    path = folder / name
    if data:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    feed, mapping = understood(open_feed(path, as_evidence=True))
    return import_feed(store, feed, mapping, rejected_dir=folder / "rejected")


def product(store: Store, product_id: str) -> dict[str, Any]:
    return store.product(product_id) or {}


@pytest.mark.parametrize("name", ["feed_columns", "log_columns", "order_states", "price_words", "sale_days"])
def test_lists_of_words(name: str) -> None:
    assert all(word == word.casefold().strip() for several in words(name).values() for word in several)


COMMERCETOOLS: dict[str, tuple[Any, str]] = {
    "text": ("Red", "Red"),
    "enum": ({"key": "red", "label": "Red"}, "Red"),
    "localised enum": ({"key": "red", "label": {"de": "Rot", "en": "Red"}}, "Red"),
    "localised text": ({"de": "Rot", "en": "Red"}, "Red"),
    "another language": ({"de": "Rot"}, "Rot"),
    "set of enums": ([{"key": "co", "label": "Cotton"}, {"key": "el", "label": "Elastane"}], "Cotton, Elastane"),
    "set of texts": (["a", "b"], "a, b"),
    "set of localised texts": ([{"en": "Soft"}, {"en": "Light"}], "Soft, Light"),
    "money": (
        {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 1250, "fractionDigits": 2},
        "12.50 EUR",
    ),
    "number": (210, "210"),
    "nothing": (0, "0"),
    "nested": ([{"name": "layer", "value": {"key": "w", "label": "Wool"}}], "layer: Wool"),
    "reference": ({"typeId": "category", "id": "c1"}, "c1"),
}


@pytest.mark.parametrize("kind", COMMERCETOOLS)
def test_attributes_of_commercetools(store: Store, tmp_path: Path, kind: str) -> None:
    value, said = COMMERCETOOLS[kind]
    master = {"id": 1, "sku": "A", "attributes": [{"name": "x", "value": value}, {"name": "size", "value": "S"}]}
    other = {"id": 2, "sku": "B", "attributes": [{"name": "x", "value": "Blue"}, {"name": "size", "value": "S"}]}
    current = {"name": {"en": "Tee", "de": "Hemd"}, "masterVariant": master, "variants": [other]}
    imported(store, tmp_path, json.dumps({"results": [{"id": "p", "masterData": {"current": current}}]}))
    variants = {one["id"]: one["options"] for one in store.variants(["p"])["p"]}
    assert variants == {"A": {"x": said, "size": "S"}, "B": {"x": "Blue", "size": "S"}}
    with pytest.raises(Exception, match="no product with id '2'"):
        find_product(store, "2")  # a place in a list is no name


HEUREKA = (
    "<SHOP><SHOPITEM><ITEM_ID>A1</ITEM_ID><PRODUCTNAME>Boty</PRODUCTNAME><PRICE>1074.30</PRICE>"
    "<PRICE_VAT>1299.90</PRICE_VAT><ITEMGROUP_ID>G</ITEMGROUP_ID><PARAM><PARAM_NAME>Velikost</PARAM_NAME><VAL>42</VAL>"
    "</PARAM></SHOPITEM><SHOPITEM><ITEM_ID>A2</ITEM_ID><PRODUCTNAME>Boty</PRODUCTNAME><{0}>1399</{0}>"
    "<ITEMGROUP_ID>G</ITEMGROUP_ID><PARAM><PARAM_NAME>Velikost</PARAM_NAME><VAL>43</VAL></PARAM></SHOPITEM>"
    "<SHOPITEM><ITEM_ID>B</ITEM_ID><PRODUCTNAME>Hrnek</PRODUCTNAME><{0}>99</{0}></SHOPITEM></SHOP>"
)


@pytest.mark.parametrize("column", ["PRICE_VAT", "PRICE"])
def test_prices_with_taxes_and_without_beside_each_other(store: Store, tmp_path: Path, column: str) -> None:
    imported(store, tmp_path, HEUREKA.format(column))
    assert {one["id"]: one["price"] for one in store.variants(["G"])["G"]} == {"A1": 1299.9, "A2": 1399.0}
    assert (product(store, "G")["price"], product(store, "B")["price"]) == (1299.9, 99.0)


def test_a_price_that_nobody_can_read_stays_with_its_variant(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,name,price,parent,size\nP,Tee,10,,\nA,,ask us,P,S\n")
    assert store.variants(["P"])["P"][0]["attributes"]["price"] == "ask us"


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("cena|cena promocyjna|promocja do", "59|39|2024-10-31"),
        ("prix|prix promo|date fin promo", "59|39|31/10/2024"),
        ("prix|prix promo|début promo|fin promo", "59|39|01/10/2024|31/10/2024"),
        ("Pris|Kampanjpris|Kampanj t.o.m.", "59|39|2024-10-31"),
        ("Pris|Kampanjpris|Kampanj fr.o.m.|Kampanj t.o.m.", "59|39|2024-10-01|2024-10-31"),
        ("Preis|Aktionspreis|Aktionsbeginn|Aktionsende", "59|39|01.10.2024|31.10.2024"),
        ("price|offer price|offer start|offer end", "59|39|2024-10-01|2024-10-31"),
        ("precio|precio oferta|fin oferta", "59|39|2024-10-31"),
        ("Cena|Akční cena|Akce do", "59|39|2024-10-31"),
        ("Hinta|Tarjoushinta|Tarjous päättyy", "59|39|2024-10-31"),
        ("价格|促销价|促销结束时间", "59|39|2024-10-31"),
        ("価格|セール価格|セール終了日", "59|39|2024-10-31"),
        ("Pris|Tilbudspris|Tilbud slutt", "59|39|2024-10-31"),
        # Days that share a word with the price, and do not say which they are.
        ("cena|cena promocyjna|promocja", "59|39|2024-10-31"),
        ("price|special price|special date 1|special date 2", "59|39|2024-10-01|2024-10-31"),
    ],
)
def test_sales_that_are_over_in_any_language(store: Store, tmp_path: Path, columns: str, cells: str) -> None:
    imported(store, tmp_path, f"sku;name;{columns.replace('|', ';')}\nA;Scarf;{cells.replace('|', ';')}\n")
    assert product(store, "A")["price"] == 59.0
    later = cells.replace("-31", "-30").replace("31.", "30.").replace("31/", "30/")
    for year in ("2024-10-30", "30.10.2024", "30/10/2024"):
        later = later.replace(year, "2099-12-30")
    imported(store, tmp_path, f"sku;name;{columns.replace('|', ';')}\nB;Scarf;{later.replace('|', ';')}\n")
    assert product(store, "B")["price"] == 39.0


def test_days_of_something_else_end_no_sale(store: Store, tmp_path: Path) -> None:
    data = "sku,name,price,special_price,special_price_updated_at,promo code\nA,Scarf,59,39,2024-10-31,2024-10-31\n"
    imported(store, tmp_path, data)
    assert product(store, "A")["price"] == 39.0


@pytest.mark.parametrize(
    "column",
    [
        *("Ref", "Référence", "Code article", "Article No.", "Item code", "Item #", "Part Number", "Nr.", "Varenr."),
        *("Tuotenumero", "Kod produktu", "Symbol", "Kód", "Codice", "Código", "商品コード", "品番", "货号", "PLU"),
        *("Our SKU", "product_key", "salsify:id", "Код товара", "Ürün Kodu", "Artnr", "Catalog no", "blorb"),
    ],
)
@pytest.mark.parametrize("eans", [("4006381333931", "", "4006381333955"), ("4,00638E+12",) * 3])
def test_a_number_of_ones_own_comes_before_a_barcode(
    store: Store, tmp_path: Path, column: str, eans: tuple[str, ...]
) -> None:
    rows = [f"A-{number};Boot {number};{ean}" for number, ean in enumerate(eans, 1)]
    imported(store, tmp_path, "\n".join([f"{column};Title;EAN", *rows]))
    assert store.product_ids() == ["A-1", "A-2", "A-3"]


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        # Numbers of rows, colours, prices and words are no ids.
        ("Nr;Title;EAN\n1;Boot;4006381333931\n2;Clog;4006381333948\n", ["4006381333931", "4006381333948"]),
        ("blorb;Title;EAN\n0;Boot;4006381333931\n1;Clog;4006381333948\n", ["4006381333931", "4006381333948"]),
        ("seen;Title;EAN\n2026-01-01T10:00;Boot;4006381333931\n2026-01-02T10:00;Clog;4006381333948\n",
         ["4006381333931", "4006381333948"]),
        ("blorb;Title;EAN\nred;Boot;4006381333931\nblue;Clog;4006381333948\n", ["4006381333931", "4006381333948"]),
        ("color code;Title;EAN\nR1;Boot;4006381333931\nB2;Clog;4006381333948\n", ["4006381333931", "4006381333948"]),
        ("Title;EAN;blorb\nBoot;4006381333931;X1\nClog;4006381333948;X2\n", ["4006381333931", "4006381333948"]),
    ],
)  # fmt: skip
def test_a_barcode_is_an_id_where_nothing_else_is(store: Store, tmp_path: Path, data: str, ids: list[str]) -> None:
    imported(store, tmp_path, data)
    assert store.product_ids() == ids


@pytest.mark.parametrize(
    "column",
    [
        *("Benämning", "Nazwa towaru", "Towar", "Varenavn", "Tuotenimi", "品名", "名称", "Item Description"),
        *("Omschrijving", "Artikelbeskrivning", "Nimike", "Товар", "제품명"),
    ],
)
def test_titles(store: Store, tmp_path: Path, column: str) -> None:
    imported(store, tmp_path, f"sku;{column}\nA;Winter boot\n")
    assert product(store, "A")["title"] == "Winter boot"


def test_long_texts_are_no_titles(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku;name\nA;Boot\n")
    imported(store, tmp_path, f"sku;Omschrijving\nA;{'Een warme schoen. ' * 20}\n")
    assert (product(store, "A")["title"], product(store, "A")["description"][:9]) == ("Boot", "Een warme")


def test_a_path_of_categories_and_a_barcode_of_a_plugin(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, json.dumps([{"sku": "A", "name": "x", "category_path": ["Clothing", "Shoes"]}] * 1))
    assert product(store, "A")["category"] == "shoes"
    imported(store, tmp_path, "ID,Type,SKU,Name,Regular price,Meta: _gtin\n7,simple,B,Bag,8,4006381333931\n")
    assert find_product(store, "4006381333931")["id"] == "B"


def test_products_among_objects_of_one_key(store: Store, tmp_path: Path) -> None:
    parts = [
        {"header": {"version": "2"}},
        {"attributes": [{"salsify:id": "SKU", "salsify:data_type": "string"}]},
        {"products": [{"salsify:id": "A", "Product Name": "Pan", "Brand": "Ferro", "UPC": "012345678905"}]},
    ]
    imported(store, tmp_path, json.dumps(parts))
    assert (store.product_ids(), product(store, "A")["title"]) == (["A"], "Pan")


@pytest.mark.parametrize("notes", ["README.txt", "Liesmich.txt", "LICENSE", "notes.txt"])
def test_notes_beside_a_feed_in_an_archive(store: Store, tmp_path: Path, notes: str) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("feed.csv", "id,title\n1,Boot\n")
        archive.writestr(notes, "Prices are in EUR, titles in English.\n")
    imported(store, tmp_path, made.getvalue())
    assert store.product_ids() == ["1"]


def test_a_parent_has_the_currency_of_its_variants_column(store: Store, tmp_path: Path) -> None:
    data = "sku;parent;name-en_US;price-EUR;price-USD;size\nP;;Tee;;;\nA;P;;19,90;21.50;m\nB;P;;22,90;24.50;l\n"
    imported(store, tmp_path, data)
    assert (product(store, "P")["price"], product(store, "P")["currency"]) == (19.9, "EUR")


FEEDS = {
    "csv": "sku,name,color,lining\nA,Boot,,\nB,Clog,red,\n",
    "jsonl": '{"sku": "A", "name": "Boot", "color": ""}\n{"sku": "B", "name": "Clog", "color": "red"}\n',
    "xml": "<products><product><sku>A</sku><name>Boot</name><color></color></product>"
    "<product><sku>B</sku><name>Clog</name><color>red</color></product></products>",
    "magento": "sku,name,price,attribute_set_code,product_type,additional_attributes\n"
    'A,Boot,1,Default,simple,"care=dry"\nB,Clog,1,Default,simple,"color=red"\n',
    "json": '[{"sku": "A", "name": "Boot", "looks": {"color": null}}, '
    '{"sku": "B", "name": "Clog", "looks": {"color": "red"}}]',
    "lists of JSON": '{"sku": "A", "name": "Boot", "looks": {"color": [], "fit": "wide"}}\n'
    '{"sku": "B", "name": "Clog", "looks": {"color": ["red"], "fit": "wide"}}\n',
    "elements in others": "<products><product><sku>A</sku><name>Boot</name><looks><color></color></looks></product>"
    "<product><sku>B</sku><name>Clog</name><looks><color>red</color></looks></product></products>",
    "params": '<shop><offer><sku>A</sku><name>Boot</name><param name="Color"></param></offer>'
    '<offer><sku>B</sku><name>Clog</name><param name="Color">red</param></offer></shop>',
}


@pytest.mark.parametrize("kind", FEEDS)
def test_what_an_export_filled_in_is_no_new_evidence(store: Store, tmp_path: Path, kind: str) -> None:
    imported(store, tmp_path, FEEDS[kind])
    before = product(store, "A")
    known = {"facet": "supply", "claim_type": "stated", "field": None, "start": None, "end": None, "quote": "x"}
    made = {"model": "m", "prompt_fingerprint": "p", "verdict": "v", "found_by": "both", "created_at": now()}
    claims = [
        {"product_id": one, "attribute": name, "value": value, "status": "approved", **known, **made}
        for one, name, value in (("A", "color", "black"), ("A", "material", "leather"), ("B", "material", "rubber"))
    ]
    with store.writing() as connection:
        connection.execute(insert(CLAIM), claims)
    fill_feed(store, tmp_path / "feed", tmp_path / "filled")
    assert b"leather" in (tmp_path / "filled").read_bytes()
    report = imported(store, tmp_path, b"", "filled")
    assert (report.unchanged, report.own_cells) == (2, 2 if kind == "magento" else 3)
    after = product(store, "A")
    assert {name: after[name] for name in ("attributes", "fingerprint")} == {
        name: before[name] for name in ("attributes", "fingerprint")
    }
    # What somebody has changed since is theirs, wherever the row stands now.
    if kind == "csv":
        header, first, second = (tmp_path / "filled").read_text().splitlines()
        (tmp_path / "filled").write_text("\n".join([header, second, first.replace("leather", "suede")]) + "\n")
        report = imported(store, tmp_path, b"", "filled")
        assert (report.updated, report.unchanged, report.own_cells) == (1, 1, 2)
        assert product(store, "A")["attributes"] == {"material": "suede"}
