"""Catalogues written by each system's rules: an import gives back what was written, an export of nothing known is the
file as it was, and nothing of it is new to a second import."""

import csv
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reaseq.knowledge_store.feed_export import fill_feed
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.dialect import Reading
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import ImportReport, import_feed
from reaseq.knowledge_store.store import Store

FEW = settings().max_examples // 3
"""Of each: there are many systems."""
Product = dict[str, Any]
FIELDS = ("id", "title", "description", "brand", "price")
WORDS = [
    "warm",
    "Größe",
    "naïve",
    "靴",
    "Łódź",
    'said "so"',
    "3,5 mm",
    "a;b",
    "x|y",
    "50 %",
    "\\back",
    "it's",
    "a/b",
    "-10 °C",
]


def texts(most: int) -> st.SearchStrategy[str]:
    """Words as shops write them, with the signs that part cells, fields and lines elsewhere."""
    return st.lists(st.sampled_from(WORDS), min_size=1, max_size=most).map(" ".join)


PRODUCTS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.from_regex(r"[A-Z]{1,3}-[1-9][0-9]{0,4}", fullmatch=True),
            "title": texts(4),
            "description": st.one_of(st.just(""), texts(12), texts(6).map(lambda text: f"{text}\n{text}")),
            "brand": st.sampled_from(["", "Fell", "Åre & Söner", "ケア"]),
            "price": st.one_of(st.none(), st.decimals(0, 9999, places=2).map(float)),
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda product: product["id"],
)
HEADERS = [
    ("id", "title", "description", "brand", "price"),
    ("SKU", "Product Name", "Long Description", "Manufacturer", "Price (EUR)"),
    ("Artikelnummer", "Bezeichnung", "Beschreibung", "Marke", "Preis"),
    ("référence", "titre", "description", "marque", "prix"),
    ("商品番号", "商品名", "商品説明", "ブランド", "価格"),
    ("id", "name-de_DE", "description-de_DE", "brand", "price"),
]


def plain(product: Product, mark: str = ".") -> list[str]:
    price = "" if product["price"] is None else f"{product['price']:.2f}".replace(".", mark)
    return [*(product[name] for name in FIELDS[:-1]), price]


def table(rows: list[list[str]], *, delimiter: str = ",", quoting: Any = csv.QUOTE_MINIMAL, end: str = "\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)
    return out.getvalue()


def shopify(products: list[Product]) -> bytes:
    rows = [
        ["Handle", "Title", "Body (HTML)", "Vendor", "Variant Price", "Option1 Name", "Option1 Value", "Variant SKU"]
    ]
    for one in products:
        rows.append([*plain(one), "Size", "S", f"{one['id']}/S"])
        rows.append([one["id"], "", "", "", "", "", "M", f"{one['id']}/M"])
    return table(rows).encode()


def woocommerce(products: list[Product]) -> bytes:
    rows = [["ID", "Type", "SKU", "Name", "Description", "Brands", "Regular price", "Parent"]]
    for number, one in enumerate(products, 1):
        sku, title, description, brand, price = plain(one)
        rows.append([str(number), "simple", sku, title, description.replace("\n", "\\n"), brand, price, ""])
    return table(rows, quoting=csv.QUOTE_ALL).encode("utf-8-sig")


def magento(products: list[Product]) -> bytes:
    rows = [
        [
            "sku",
            "name",
            "description",
            "manufacturer",
            "price",
            "product_type",
            "attribute_set_code",
            "additional_attributes",
        ]
    ]
    rows += [[*plain(one), "simple", "Default", "color=Blue,care=wash, dry"] for one in products]
    return table(rows).encode()


def google_tsv(products: list[Product]) -> bytes:
    rows = [["id", "title", "description", "brand", "price", "link", "image_link"]]
    for one in products:
        cells = plain(one)
        cells[4] = f"{cells[4]} EUR" if cells[4] else ""
        rows.append([*cells, "https://x.example", "https://x.example/i.jpg"])
    return table(rows, delimiter="\t").encode()


def google_xml(products: list[Product]) -> bytes:
    made = [
        '<?xml version="1.0"?>\n<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>x</title>\n'
    ]
    for one in products:
        price = "" if one["price"] is None else f"{one['price']:.2f} EUR"
        cells = dict(zip(FIELDS, [*plain(one)[:4], price], strict=True)) | {
            "link": "https://x",
            "image_link": "https://x/i",
        }
        made.append("<item>" + "".join(f"<g:{k}>{escape(v)}</g:{k}>" for k, v in cells.items()) + "</item>\n")
    return "".join([*made, "</channel></rss>\n"]).encode()


def json_document(products: list[Product]) -> bytes:
    return json.dumps({"meta": {"page": 1}, "data": {"products": products}}, ensure_ascii=False, indent=1).encode()


def json_lines(products: list[Product]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in products).encode()


def workbook(products: list[Product]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Export of today"])
    book.active.append(["SKU", "Title", "Description", "Brand", "Price"])
    for one in products:
        book.active.append([one["id"], one["title"], one["description"] or None, one["brand"] or None, one["price"]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


SYSTEMS = (shopify, woocommerce, magento, google_tsv, google_xml, json_document, json_lines, workbook)


def imported(store: Store, path: Path, reading: Reading) -> ImportReport:
    feed = open_feed(path, reading)
    mapping = guess_columns(feed.columns, feed.fields)
    return import_feed(store, feed, mapping, rejected_dir=path.parent / "rejected")


def check(data: bytes, products: list[Product], reading: Reading | None = None) -> None:
    with tempfile.TemporaryDirectory() as name:
        path, target = Path(name) / "feed", Path(name) / "out"
        path.write_bytes(data)
        how = reading or Reading()
        with Store.open(f"sqlite:///{name}/store.sqlite") as store:
            report = imported(store, path, how)
            read = [store.product(one["id"]) or {} for one in products]
            wanted = [one | {"brand": one["brand"] or None} for one in products]
            assert [{name: one.get(name) for name in FIELDS} for one in read] == wanted
            assert (report.new, report.set_aside) == (len(products), 0)
            fill_feed(store, path, target, reading=how)
            assert target.read_bytes() == data
            target.replace(path)
            again = imported(store, path, how)
            assert (again.unchanged, again.new, again.updated, again.cleared) == (len(products), 0, 0, 0)


@pytest.mark.parametrize("written", SYSTEMS, ids=lambda system: system.__name__)
@settings(max_examples=FEW)
@given(PRODUCTS)
def test_of_a_system(written: Callable[[list[Product]], bytes], products: list[Product]) -> None:
    check(written(products), products)


@settings(max_examples=FEW)
@given(
    PRODUCTS,
    st.sampled_from(HEADERS),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_of_a_table(
    products: list[Product], header: tuple[str, ...], delimiter: str, quoting: Any, end: str, encoding: str
) -> None:
    mark = "," if header[0] == "Artikelnummer" else "."
    rows = [list(header), *(plain(one, mark) for one in products)]
    text = table(rows, delimiter=delimiter, quoting=quoting, end=end)
    # Which of the pages with no mark of their own a text of few words is in, nobody can know.
    check(text.encode(encoding), products, Reading(encoding=encoding) if encoding == "gb18030" else None)


@settings(max_examples=FEW)
@given(PRODUCTS, st.randoms())
def test_files_of_other_columns_say_the_same_in_any_order(products: list[Product], random: Any) -> None:
    """Of files that have but id and title in common, an update with one is no matter of order."""
    ids = [one["id"] for one in products]
    titles = [one["title"] for one in products]
    files = {
        "descriptions": table(
            [["id", "title", "description"], *([*row] for row in zip(ids, titles, ids, strict=True))]
        ),
        "prices": table(
            [["id", "title", "price"], *([one, title, "5.00"] for one, title in zip(ids, titles, strict=True))]
        ),
        "colours": table(
            [["id", "title", "color"], *([one, title, "red"] for one, title in zip(ids, titles, strict=True))]
        ),
    }
    order = list(files)
    random.shuffle(order)
    found = []
    for names in (list(files), order):
        with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/store.sqlite") as store:
            for name in names:
                path = Path(folder) / name
                path.write_text(files[name], encoding="utf-8")
                imported(store, path, Reading())
            rows = [store.product(one) or {} for one in store.product_ids()]
            found.append([{name: row[name] for name in (*FIELDS, "currency", "attributes")} for row in rows])
    assert found[0] == found[1]
    assert all(row["price"] == 5.0 and row["attributes"] == {"color": "red"} for row in found[0])
