"""Feeds and logs as systems and people really write them, each by what the store holds after it."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reaseq.knowledge_store.event_columns import by_lines, by_values, guess_fields, names_a_user
from reaseq.knowledge_store.event_columns import understood as understood_log
from reaseq.knowledge_store.events import EventReport, history, import_events
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed, understood
from reaseq.knowledge_store.feeds.rows import FeedError
from reaseq.knowledge_store.importing import ImportReport, import_feed
from reaseq.knowledge_store.names import find_product, read_names
from reaseq.knowledge_store.store import Store


def imported(store: Store, folder: Path, data: str | bytes, name: str = "feed") -> ImportReport:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    feed, mapping = understood(open_feed(path))
    return import_feed(store, feed, mapping, rejected_dir=folder / "rejected")


def product(store: Store, product_id: str) -> dict[str, Any]:
    return store.product(product_id) or {}


_COLUMNS = (
    "Handle,Title,Body (HTML),Type,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Price"
)
SHOPIFY = f"{_COLUMNS}\na,Boot A,Nice,Shoes,Size,42,Color,Black,A1,10\na,,,,,43,,Blue,A2,10\n"
OPTIONS = {"A1": {"Size": "42", "Color": "Black"}, "A2": {"Size": "43", "Color": "Blue"}}


@pytest.mark.parametrize(
    ("update", "prices"),
    [
        (
            "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty\n"
            "a,Boot A,Size,42,A1,5\na,,,43,A2,6\n",
            [10.0, 10.0],
        ),
        ("Handle,Title,Variant SKU,Variant Price\na,Boot A,A1,8\na,,A2,9\n", [8.0, 9.0]),
    ],
)
def test_a_shopify_update_leaves_what_it_does_not_name(
    store: Store, tmp_path: Path, update: str, prices: list[float]
) -> None:
    imported(store, tmp_path, SHOPIFY)
    report = imported(store, tmp_path, update)
    variants = {one["id"]: one for one in store.variants(["a"])["a"]}
    assert {name: one["options"] for name, one in variants.items()} == OPTIONS
    assert [variants[name]["price"] for name in ("A1", "A2")] == prices
    assert (product(store, "a")["description"], product(store, "a")["category"]) == ("Nice", "shoes")
    assert report.cleared == 0


@pytest.mark.parametrize(
    ("full", "update"),
    [
        (
            "ID,Typ,Artikelnummer,Name,Beschreibung,Regulärer Preis,Kategorien\n7,simple,S,Creme,Gut,8,Schuhe\n",
            "ID,Typ,Artikelnummer,Name,Regulärer Preis\n7,simple,S,Creme,9\n",
        ),
        (
            "sku,name,description,price,categories,additional_attributes\n"
            "S,Bag,Gut,8,Default Category/Shoes,care=dry\n",
            "sku,name,price,additional_attributes\nS,Bag,9,care=dry\n",
        ),
        ("sku,name,description,price,category\nS,Bag,Gut,8,Shoes\n", "sku,price\nS,9\n"),
        ("sku,name,description,price,category\nS,Bag,Gut,8,Shoes\n", "id;price\nS;9,00\n"),
    ],
)
def test_an_update_of_a_price_alone(store: Store, tmp_path: Path, full: str, update: str) -> None:
    imported(store, tmp_path, full)
    report = imported(store, tmp_path, update)
    found = product(store, "S")
    assert (found["description"], found["price"], found["category"]) == ("Gut", 9.0, "shoes")
    assert (report.updated, report.cleared) == (1, 0)


def test_an_update_of_what_is_not_there(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,name\nS,Bag\n")
    report = imported(store, tmp_path, "sku,price\nS,9\nT,9\n,9\n")
    assert (report.updated, report.set_aside) == (1, 2)
    assert [reason for _, reason in report.first_rejected] == [
        "has no id",
        "no product 'T' is there to update, and it has no title",
    ]


YESTERDAY, TOMORROW = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (-1, 1))


@pytest.mark.parametrize(
    ("data", "price"),
    [
        (
            "id\ttitle\tlink\timage_link\tprice\tsale_price\tsale_price_effective_date\n1\ta\tl\ti\t119\t99\t2016-02-24/2016-02-29\n",
            119,
        ),
        (
            f"id\ttitle\tlink\timage_link\tprice\tsale_price\tsale_price_effective_date\n1\ta\tl\ti\t119\t99\t{YESTERDAY}/{TOMORROW}\n",
            99,
        ),
        ("Type,SKU,Name,Sale price,Regular price,Date sale price ends\nsimple,1,a,10,20,2016-01-31\n", 20),
        ("sku,name,price,special_price,special_price_to_date,additional_attributes\n1,a,99,49,1/31/20,\n", 99),
        ("id,title,sale_price,price\n1,a,0.00,99\n", 99),
        ("id,title,price\n1,a,0.00\n", 0),
        ("id,title,price,sale price,sale price effective date\n1,a,100,80,2025-01-01/2025-02-01\n", 100),
        (f"id,title,price,sale price,sale price effective date\n1,a,100,80,{YESTERDAY}/{TOMORROW}\n", 80),
        (
            '[{"id":1,"name":"a","price":"100","regular_price":"100","sale_price":"80",'
            '"date_on_sale_from":"2025-01-01T00:00:00","date_on_sale_to":"2025-02-01T00:00:00"}]',
            100,
        ),
        (
            "item_sku\titem_name\tstandard_price\tsale_price\tsale_from_date\tsale_end_date\n"
            "1\ta\t89\t70\t2025-01-01\t2025-02-01\n",
            89,
        ),
    ],
)
def test_what_it_costs_today(store: Store, tmp_path: Path, data: str, price: float) -> None:
    imported(store, tmp_path, data)
    assert product(store, "1")["price"] == price


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("1 299 Ft", 1299.0, "HUF"),
        ("R$ 1.299,90", 1299.9, "BRL"),
        ("12,50 лв.", 12.5, "BGN"),
        ("1.299,90 TL", 1299.9, "TRY"),
        ("1 299,00 Kč", 1299.0, "CZK"),
        ("1 299,00 руб.", 1299.0, "RUB"),
        ("US$ 5", 5.0, "USD"),
        ("12,00 kr", 12.0, None),
    ],
)
def test_currencies_by_their_signs(
    store: Store, tmp_path: Path, text: str, amount: float, currency: str | None
) -> None:
    imported(store, tmp_path, f'id,title,price\n1,a,"{text}"\n')
    assert (product(store, "1")["price"], product(store, "1")["currency"]) == (amount, currency)


@pytest.mark.parametrize(
    ("data", "category"),
    [
        ('Type,SKU,Name,Regular price,Categories\nsimple,1,a,1,"Sale, Shoes > Boots"\n', "shoes"),
        ('sku,name,categories,additional_attributes\n1,a,"Default Category/Sale|Default Category/Shoes",\n', "shoes"),
        ("sku,product_type,name\n1,simple,a\n", None),
        (json.dumps([{"id": 1, "title": "a", "categories": [{"id": 1, "name": "Shoes"}]}]), "shoes"),
    ],
)
def test_which_category_it_is(store: Store, tmp_path: Path, data: str, category: str | None) -> None:
    imported(store, tmp_path, data)
    assert product(store, "1")["category"] == category


def test_a_brand_that_is_an_object(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, json.dumps([{"id": 1, "title": "a", "brand": {"id": 5, "name": "Salomon"}}]))
    assert product(store, "1")["brand"] == "Salomon"


def test_other_separators_of_magento(store: Store, tmp_path: Path) -> None:
    data = (
        "sku,product_type,attribute_set_code,name,price,additional_attributes,configurable_variations\n"
        'T-R,simple,D,Tee red,10,"color=White, Cream|size=36",\nT-B,simple,D,Tee blue,10,"color=Blue|size=38",\n'
        'T,configurable,D,Tee,,"material=Cotton","sku=T-R##color=White, Cream##size=36|sku=T-B##color=Blue##size=38"\n'
    )
    imported(store, tmp_path, data)
    assert store.product_ids() == ["T"]
    assert {one["id"]: one["options"] for one in store.variants(["T"])["T"]} == {
        "T-R": {"color": "White, Cream", "size": "36"},
        "T-B": {"color": "Blue", "size": "38"},
    }


@pytest.mark.parametrize(
    "data",
    [
        "id\ttitle\tdescription\tlink\timage link\titem group id\tsize\na\tT\tx\tl\ti\tG\tS\nb\tT\tx\tl\ti\tG\tM\n",
        '<rss xmlns:g="g"><channel>'
        "<item><g:id>a</g:id><title>T</title><g:item_group_id>G</g:item_group_id><g:size>S</g:size></item>"
        "<item><g:id>b</g:id><title>T</title><g:item_group_id>G</g:item_group_id><g:size>M</g:size></item>"
        "</channel></rss>",
    ],
)
def test_groups_of_google_however_they_are_spelled(store: Store, tmp_path: Path, data: str) -> None:
    imported(store, tmp_path, data)
    assert store.product_ids() == ["G"]
    assert [one["options"] for one in store.variants(["G"])["G"]] == [{"size": "S"}, {"size": "M"}]


def test_what_keeps_or_loses_digits(store: Store, tmp_path: Path) -> None:
    report = imported(
        store, tmp_path, 'sku,title,ean\n="0017",a,="4006381333931"\n"=""0018""",b,"4,00638E+12"\n\u200b19,c,\n'
    )
    assert store.product_ids() == ["0017", "0018", "19"]
    names = read_names(store)
    assert (names.find("4006381333931"), names.find("4,00638E+12")) == ("0017", None)
    assert (report.dated, report.rounded) == ({}, {"ean": (1, "4,00638E+12 in line 3")})


def test_a_workbook_whose_styles_nobody_can_read(store: Store, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["id", "title", "price"], [1, "Clog", 12.5]):
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    broken = io.BytesIO()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(broken, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "xl/styles.xml":
                data = re.sub(rb"<fills.*?</fills>", b'<fills count="1"><fill/></fills>', data, flags=re.DOTALL)
            target.writestr(info.filename, data)
    imported(store, tmp_path, broken.getvalue(), "feed.xlsx")
    assert (product(store, "1")["title"], product(store, "1")["price"]) == ("Clog", 12.5)
    assert "unreadable" in open_feed(tmp_path / "feed.xlsx").taken["styles"]


@pytest.mark.parametrize("kind", ["refund", "Rückgabe", "Retoure", "returned", "Storno"])
def test_what_came_back_by_any_name(store: Store, tmp_path: Path, kind: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n")
    path = tmp_path / "log.csv"
    path.write_text(f"kundennr,artikelnummer,zeitpunkt,aktion\nu,1,2026-01-05,{kind}\nu,1,2026-01-04,Kauf\n")
    feed = open_feed(path, is_header=names_a_user)
    import_events(store, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert [one["kind"] for one in history(store, "u")] == ["kauf"]
    assert [one["kind"] for one in history(store, "u", kinds=["return"])] == ["return"]


_GOOGLE = "id\ttitle\tlink\timage_link\titem_group_id\tcolor\tproduct_detail\tshipping_weight\n"
_WOO = "ID,Type,SKU,Name,Regular price,Parent,Weight (kg),Attribute 1 name,Attribute 1 value(s)\n"
_MAGENTO = "sku,product_type,attribute_set_code,name,weight,additional_attributes,configurable_variations\n"
CHILDREN = [
    (
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Grams\n"
        "p,Boot,Size,42,A,10,900\np,,,43,B,10,950\n",
        {"A": {"Variant Grams": "900"}, "B": {"Variant Grams": "950"}},
    ),
    (
        _WOO + '1,variable,p,Boot,,,1.1,Size,"42, 43"\n2,variation,A,Boot - 42,10,p,0.9,Size,42\n',
        {"A": {"Weight (kg)": "0.9", "Regular price": "10"}},
    ),
    (
        "item_sku,item_name,parent_child,parent_sku,variation_theme,size_name,item_weight\n"
        "p,Boot,parent,,Size,,\nA,Boot 42,child,p,Size,42,900 g\n",
        {"A": {"item_name": "Boot 42", "item_weight": "900 g"}},
    ),
    (
        _MAGENTO + "A,simple,Default,Boot 42,0.9,lining=Fleece,\n"
        'p,configurable,Default,Boot,,lining=Wool,"sku=A,size=42"\n',
        {"A": {"title": "Boot 42", "weight": "0.9", "lining": "Fleece"}},
    ),
    (
        json.dumps({"id": "p", "title": "Boot", "variants": [{"sku": "A", "size": "42", "weight": {"g": 900}}]}),
        {"A": {"weight.g": 900}},
    ),
    (
        _GOOGLE.replace("product_detail", "material") + "A\tBoot\tl\ti\tp\tred\tfelt\t1 kg\n"
        "B\tBoot blue\tl\ti\tp\tblue\twool\t2 kg\n",
        {"A": {}, "B": {"title": "Boot blue", "shipping_weight": "2 kg"}},
    ),
]


@pytest.mark.parametrize(("data", "said"), CHILDREN)
def test_what_variants_say_of_themselves_is_kept(
    store: Store, tmp_path: Path, data: str, said: dict[str, dict[str, Any]]
) -> None:
    for _ in range(2):  # again, nothing changes
        imported(store, tmp_path, data)
        assert {one["id"]: one["attributes"] for one in store.variants(["p"])["p"]} == said


def test_details_of_googles_items_are_what_they_differ_by(store: Store, tmp_path: Path) -> None:
    items = "".join(
        f"<item><g:id>{own}</g:id><title>Boot</title><link>l</link><g:image_link>i</g:image_link>"
        "<g:item_group_id>p</g:item_group_id><g:product_detail><g:attribute_name>Lining</g:attribute_name>"
        f"<g:attribute_value>{lining}</g:attribute_value></g:product_detail></item>"
        for own, lining in (("A", "felt"), ("B", "wool"))
    )
    namespace = 'xmlns:g="http://base.google.com/ns/1.0"'
    imported(store, tmp_path, f"<rss {namespace}><channel>{items}</channel></rss>")
    assert [one["options"] for one in store.variants(["p"])["p"]] == [{"Lining": "felt"}, {"Lining": "wool"}]


@pytest.mark.parametrize("files", [[0, 1], [1]])
def test_variations_find_their_product_by_its_number(store: Store, tmp_path: Path, files: list[int]) -> None:
    """In a file of their own, or before their product."""
    parent = '7,variable,p,Boot,,,,Size,"42, 43"\n'
    child = "8,variation,A,Boot - 42,10,id:7,,Size,42\n"
    for rows in [[parent, child], [child + parent]][len(files) == 1]:
        report = imported(store, tmp_path, _WOO + rows)
    assert report.orphans == 0
    assert [one["id"] for one in store.variants(["p"])["p"]] == ["A"]


def test_a_title_in_another_language_alone(store: Store, tmp_path: Path) -> None:
    data = "sku;name-de_DE;name-en_US;description-de_DE;description-en_US\n1;Schuh;Shoe;Gut;Good\n2;;Boot;;Warm\n"
    report = imported(store, tmp_path, data)
    assert (report.foreign_titles, report.set_aside) == (1, 0)
    assert [product(store, one)["title"] for one in "12"] == ["Schuh", "Boot"]
    assert product(store, "2")["description"] == "Warm"


def test_two_products_of_shopify_under_one_handle(store: Store, tmp_path: Path) -> None:
    data = f"{SHOPIFY}a,Hat B,Warm,Hats,Size,S,,,B1,5\na,,,,,M,,,B2,5\nc,Cap,,Hats,Size,S,,,C1,5\n"
    report = imported(store, tmp_path, data)
    assert (report.set_aside, report.new) == (2, 2)
    assert "Boot A" in report.first_rejected[0][1]
    assert [one["id"] for one in store.variants(["a"])["a"]] == ["A1", "A2"]


def test_items_of_a_group_under_other_titles_are_told(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, CHILDREN[-1][0])
    assert report.retitled == 1
    assert "'Boot blue', not 'Boot'" in report.first_retitled


def test_cells_that_are_merged_over_rows(store: Store, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in (
        ["Winter"],
        ["SKU", "Name", "Material"],
        ["1", "Boot", "Felt"],
        ["2"],
        ["3", None, "Wool"],
        ["4", "Cap"],
    ):
        sheet.append(row)
    for merged in ("A1:C1", "B3:B5", "C3:C4"):
        sheet.merge_cells(merged)
    made = io.BytesIO()
    book.save(made)
    imported(store, tmp_path, made.getvalue(), "feed.xlsx")
    found = [(one["title"], one["attributes"].get("Material")) for one in (product(store, key) for key in "1234")]
    assert found == [("Boot", "Felt"), ("Boot", "Felt"), ("Boot", "Wool"), ("Cap", None)]
    assert "Name, Material" in open_feed(tmp_path / "feed.xlsx").taken["merged cells"]


_LINES = [{"sku": "1", "quantity": 1}, {"sku": "2", "quantity": -1}]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"user_pseudo_id": "u", "event_timestamp": 1767600000000000, "items": _LINES, "event_name": "buy"})
        + '\n{"user_pseudo_id": "u", "event_timestamp": 1767600000000000, "items": [], "event_name": "view"}\n',
        json.dumps({"orders": [{"id": 5, "customer": {"id": "u"}, "created_at": "2026-01-05", "line_items": _LINES}]}),
        'anonymousId;event;originalTimestamp;products\nu;buy;5. Januar 2026 14:00;"'
        + json.dumps(_LINES).replace('"', '""')
        + '"\n',
    ],
)
def test_an_event_of_each_item_of_a_list(store: Store, tmp_path: Path, data: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n5,c\n")
    path = tmp_path / "log"
    path.write_text(data)
    feed = by_lines(open_feed(path, is_header=names_a_user))
    import_events(store, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert [one["product_id"] for one in history(store, "u")] == ["1"]
    assert [one["product_id"] for one in history(store, "u", kinds=["return"])] == ["2"]


def test_a_name_in_another_case_is_told(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,title\nABC-1,a\n")
    assert "there is ABC-1" in read_names(store).why_not("abc-1")


@pytest.mark.parametrize(
    "data",
    [
        '{"products": [\n{"id":"001","title":"A"},\n{"id":"002","title":"B"}\n]}',
        '{"products": [{"id":"001","title":"A"},\n{"id":"002","title":"B"}]}\n',
        '[{"id":"001","title":"A"},\n{"id":"002","title":"B"}\n]',
        '{\n"products": [\n{"id":"001","title":"A"},\n{"id":"002","title":"B"}\n]\n}',
        '[{"id":"001","title":"A","n":12345678901234567890},{"id":"002","title":"B"}]',
        '[{"id":"001","title":"A","n":NaN},{"id":"002","title":"B","n": -Infinity}]',
    ],
)
def test_documents_with_a_record_a_line_and_long_numbers(store: Store, tmp_path: Path, data: str) -> None:
    report = imported(store, tmp_path, data)
    assert (report.new, report.set_aside) == (2, 0)
    assert [product(store, one)["title"] for one in ("001", "002")] == ["A", "B"]


def log_of(store: Store, folder: Path, data: str) -> EventReport:
    path = folder / "log"
    path.write_text(data)
    feed = by_lines(open_feed(path, is_header=names_a_user))
    names = read_names(store)
    feed, fields = by_values(feed, guess_fields(feed.columns, by_name=False), names)
    return import_events(store, feed, guess_fields(feed.columns, fields), names=names, rejected_dir=folder)


@pytest.mark.parametrize(
    "data",
    [
        "user,item,order date,order time\nu,1,25.01.2024,19:15\nu,2,25.01.2024,10:30\n",
        "user,item,date,time\nu,1,2024-01-25,19:15\nu,2,2024-01-25,10:30\n",
        "userId,movieId,When\nu,1,2024-01-25 19:15\nu,2,2024-01-25 10:30\n",
        "user,product_handle,event_ts\nu,1,25-Jan-24 19:15\nu,2,25-Jan-24 10:30\n",
        '{"user": {"id": "u"}, "event": {"type": "view", "item": {"id": "2"}}, "ts": "2024-01-25T10:30:00Z"}\n'
        '{"user": {"id": "u"}, "event": {"type": "buy", "items": [{"id": "1"}]}, "ts": "2024-01-25T19:15:00Z"}\n',
        "user_id:token\titem_id:token\ttimestamp:float\nu\t1\t1706210100\nu\t2\t1706178600\n",
        "customer_id,product_id,date_modified,date_created\nu,1,2025-01-01,2024-01-25 19:15\n"
        "u,2,2025-01-01,2024-01-25 10:30\n",
        "user_id,user_pseudo_id,item_id,event_timestamp\n,u,1,1706210100000000\n(not set),u,2,1706178600000000\n",
        '{"userId": null, "anonymousId": "u", "properties": {"product_id": "2"}, "timestamp": "2024-01-25T10:30:00Z"}\n'
        '{"userId": "u", "anonymousId": "x", "properties": {"product_id": "1"}, "timestamp": "2024-01-25T19:15:00Z"}\n',
        '{"anonymousId": "u", "properties": {"product_id": "2"}, "timestamp": "2024-01-25T10:30:00Z"}\n'
        '{"anonymousId": "u", "properties": {"products": [{"product_id": "1"}]}, '
        '"timestamp": "2024-01-25T19:15:00Z"}\n',
    ],
)
def test_columns_of_logs_by_what_they_hold(store: Store, tmp_path: Path, data: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n")
    log_of(store, tmp_path, data)
    assert [(one["product_id"], one["at"]) for one in history(store, "u")] == [("2", 1706178600), ("1", 1706210100)]


@pytest.mark.parametrize("user", ["NULL", "undefined", "(not set)", "NaN", r"\N", "None"])
def test_nobody_is_no_user(store: Store, tmp_path: Path, user: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n")
    log_of(store, tmp_path, f"user,item,timestamp\n{user},1,2024-01-25\nu,1,2024-01-25\n")
    assert len(history(store, "u")) == 1
    assert history(store, user) == []


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("12 pcs / 4.99 EUR", 4.99), ("2 x 4.99", 4.99), ("2 for 30", None), ("1.5E+3", 1500), ("10% off", None),
        ("2024-05-12", None), ("12.5.2024", None), ("ab3c", None), ("Rs.500", 500), ("100kr", 100), ("٢٥٫٥", 25.5),
        ("12½", None), ("1,3E+03", 1300), ("99¢", 0.99), ("129.00-", None), ("(45.00)", None), ("129.-", 129),
        ("129,- CHF", 129), ("10.00 EUR (incl. VAT)", 10), ("3 für 20 €", None), ("129-149", 129),
    ],
)  # fmt: skip
def test_what_is_a_price(store: Store, tmp_path: Path, price: str, expected: float | None) -> None:
    imported(store, tmp_path, f'id,title,price\n1,a,"{price}"\n')
    assert product(store, "1")["price"] == expected


@pytest.mark.parametrize(
    ("values", "price"),
    [
        ({"price": [{"currencyId": "b7d2554b", "net": 84.03, "gross": 100}]}, 100),
        ({"price": [{"centAmount": 1250, "currencyCode": "EUR", "fractionDigits": 2}]}, 12.5),
        ({"price": "19", "regular_price": "", "sale_price": ""}, 19),
        ({"Price": "25.00", "Retail Price": "30.00", "Sale Price": "0.00"}, 25),
    ],
)
def test_prices_that_are_objects_or_several(store: Store, tmp_path: Path, values: dict[str, Any], price: float) -> None:
    imported(store, tmp_path, json.dumps([{"id": "1", "name": "a"} | values]))
    assert product(store, "1")["price"] == price


def test_ids_within_others_are_no_names(store: Store, tmp_path: Path) -> None:
    data = [{"id": 1, "name": "Boot", "brand": {"id": 7, "name": "Acme"}, "category": {"id": 3, "name": "Shoes"}}]
    imported(store, tmp_path, json.dumps(data))
    assert set(read_names(store).of) == {"1"}


def test_rows_of_one_id_that_differ_by_size_are_variants(store: Store, tmp_path: Path) -> None:
    data = "product_id,name,size,color,sku,price\nP,Shoe,41,red,P-41,89\nP,Shoe,42,red,P-42,91\nP,Shoe,42,red,P-42,91\n"
    report = imported(store, tmp_path, data)
    assert (report.new, report.variants, report.set_aside) == (1, 2, 0)
    found = {one["id"]: (one["options"], one["price"]) for one in store.variants(["P"])["P"]}
    assert found == {"P-41": ({"size": "41", "color": "red"}, 89), "P-42": ({"size": "42", "color": "red"}, 91)}
    assert read_names(store).find("P-42") == "P"


def test_an_update_of_one_variant_leaves_what_others_are_called(store: Store, tmp_path: Path) -> None:
    columns = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Barcode\n"
    imported(store, tmp_path, columns + "a,A,Size,1,A1,5,40063813339\na,,,2,A2,5,40063813348\n")
    imported(store, tmp_path, columns + "a,A,Size,1,A1,4,40063813339\n")
    assert read_names(store).find("40063813348") == "a"


def test_a_product_by_another_name_is_updated(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,ean,title,price\nA,4006381333931,Boot,5\n")
    report = imported(store, tmp_path, "ean,price\n4006381333931,4\n")
    assert (report.updated, report.set_aside, product(store, "A")["price"]) == (1, 0, 4)


@pytest.mark.parametrize(
    "data",
    [
        "SKU,Name,Price\nA1,Boot,10\nSKU,Name,Price\nB1,Lamp,33\n",
        "SKU,Name,Price\nA1,Boot,10\nSKU,Name,Description\nB1,Lamp,33\n",
    ],
)
def test_a_header_further_down_is_no_product(store: Store, tmp_path: Path, data: str) -> None:
    report = imported(store, tmp_path, data)
    assert (report.new, report.set_aside) == (2, 1)


@pytest.mark.parametrize(
    ("cell", "category", "kept"),
    [
        ("Shoes (Kids)", "shoes", None),  # as evidence a shelf's own words were wrong too often
        ("Sale, Shoes", "shoes", None),
        ("Home &gt; Shoes", "shoes", "Home &gt; Shoes"),
        ("Drop 7", "drop_7", "Drop 7"),
        ("Shoes", "shoes", None),
    ],
)
def test_which_category_cells_are_kept(
    store: Store, tmp_path: Path, cell: str, category: str | None, kept: str | None
) -> None:
    imported(store, tmp_path, f'id,title,category\n1,a,"{cell}"\n')
    assert product(store, "1")["category"] == category
    assert product(store, "1")["attributes"].get("category") == kept


def test_words_with_markup_and_languages_in_xml(store: Store, tmp_path: Path) -> None:
    data = (
        '<products><product id="1"><name xml:lang="en">Boot</name><name xml:lang="de">Stiefel</name>'
        "<description>Soft <b>leather</b> upper. Made in Spain.</description></product>"
        '<product id="2"><name xml:lang="en">Hat</name><name xml:lang="de">Hut</name></product></products>'
    )
    imported(store, tmp_path, data)
    assert product(store, "1")["title"] == "Boot"
    assert product(store, "1")["description"] == "Soft <b>leather</b> upper. Made in Spain."


def test_a_sale_that_is_over_in_another_language(store: Store, tmp_path: Path) -> None:
    header = "ID,Type,UGS,Nom,Date de début de promo,Date de fin de promo,Tarif promo,Tarif régulier,Catégories\n"
    imported(store, tmp_path, header + "20,simple,S,Sandale,,2020-01-01,19.90,29.90,Shoes\n")
    assert product(store, "S")["price"] == 29.9


def test_variants_without_what_they_differ_by(store: Store, tmp_path: Path) -> None:
    data = "ID,Type,SKU,Name,Regular price,Parent\n1,variable,P,Boot,,\n2,variation,P-1,Boot - Red,149.90,P\n"
    imported(store, tmp_path, data)
    assert [(one["id"], one["price"]) for one in store.variants(["P"])["P"]] == [("P-1", 149.9)]


def test_details_of_google_as_text(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "id\ttitle\tlink\timage_link\tproduct_detail\n1\ta\tl\ti\tGeneral:Material:Linen\n")
    assert product(store, "1")["attributes"]["Material"] == "Linen"


def test_products_without_variants_beside_some_with(store: Store, tmp_path: Path) -> None:
    data = '{"sku":"1","name":"Bag","variants":[{"sku":"1-r","color":"red"}]}\n{"sku":"2","name":"Lamp","price":"5"}\n'
    imported(store, tmp_path, data)
    assert product(store, "2")["title"] == "Lamp"


def test_the_sheet_that_is_seen(store: Store, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    hidden, seen = book.active, book.create_sheet("New")
    assert hidden is not None
    hidden.sheet_state = "hidden"
    for sheet, title in ((hidden, "Old"), (seen, "New_x000D_")):
        sheet.append(["id", "title"])
        sheet.append(["1", title])
    made = io.BytesIO()
    book.save(made)
    imported(store, tmp_path, made.getvalue(), "feed.xlsx")
    assert product(store, "1")["title"].strip() == "New"


@pytest.mark.parametrize("quantity", ["-1", "-1,00", "−1", "1-", "(1)", "-1 Stk", "- 1"])
def test_returns_by_any_sign(store: Store, tmp_path: Path, quantity: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n")
    log_of(store, tmp_path, f'user,item,timestamp,quantity\nu,1,2024-01-25,"{quantity}"\nu,1,2024-01-24,2 Stk\n')
    assert [one["kind"] for one in history(store, "u", kinds=["return", "purchase"])] == ["purchase", "return"]


@pytest.mark.parametrize(
    "columns", ["Codice;Nome;Prezzo;Taglia;Colore", "id;name;price;Tamanho;Cor", "id;name;price;サイズ;カラー"]
)
def test_rows_that_differ_by_colour_in_any_language(store: Store, tmp_path: Path, columns: str) -> None:
    imported(store, tmp_path, f"{columns}\nQ;Stivale;10;40;rosso\nQ;Stivale;10;40;blu\n")
    assert [list(one["options"].values()) for one in store.variants(["Q"])["Q"]] == [["40", "rosso"], ["40", "blu"]]


def test_a_sale_that_is_over_without_groups(store: Store, tmp_path: Path) -> None:
    data = "id\ttitle\tprice\tsale_price\tsale_price_effective_date\n"
    data += "1\tMug\t19.99 EUR\t9.99 EUR\t2020-01-01T00:00+0100/2020-01-31T00:00+0100\n"
    imported(store, tmp_path, data)
    assert product(store, "1")["price"] == 19.99


def test_an_update_by_a_barcode_leaves_it(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,title,price,ean\nX,Alpha,10,4006381333931\n")
    report = imported(store, tmp_path, "ean;preis\n4006381333931;11,50\n")
    assert (report.cleared, product(store, "X")["attributes"]["ean"]) == (0, "4006381333931")


def test_several_barcodes_are_several_names(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, '[{"sku":"1","name":"a","ean":["4006381333931","4006381333948"]}]')
    assert {read_names(store).find(one) for one in ("4006381333931", "4006381333948")} == {"1"}


def test_offers_that_are_called_by_their_models(store: Store, tmp_path: Path) -> None:
    offers = "".join(
        f'<offer id="{n}" type="vendor.model"><typePrefix>Boot</typePrefix><vendor>Acme</vendor><model>K{n}</model>'
        "<price>5</price></offer>"
        for n in (1, 2)
    )
    imported(store, tmp_path, f"<yml_catalog><shop><offers>{offers}</offers></shop></yml_catalog>")
    assert product(store, "1")["title"] == "Boot Acme K1"


def test_units_of_params(store: Store, tmp_path: Path) -> None:
    data = '<c><p><id>1</id><name>a</name><param name="Heel" unit="mm">40</param><width unit="cm">3</width></p></c>'
    imported(store, tmp_path, data)
    assert product(store, "1")["attributes"] == {"Heel": "40 mm", "width": "3 cm"}


GID = "gid://shopify/Product"
VARIANTS = '[{"sku":"V1","price":"9","selectedOptions":[{"name":"Size","value":"41"}]}]'


@pytest.mark.parametrize(
    "data",
    [
        '{"001":{"title":"A","price":1},"002":{"title":"B","price":2}}',
        '{"products":{"001":{"title":"A","price":1,"tags":["x"]},"002":{"title":"B","price":2}},"total":2}',
        '{"data":{"products":{"edges":[{"cursor":"c","node":{"id":"001","title":"A"}},'
        '{"cursor":"d","node":{"id":"002","title":"B"}}],"pageInfo":{"hasNextPage":false}}}}',
        '{"data":{"products":{"nodes":[{"id":"001","title":"A"},{"id":"002","title":"B"}]}}}',
        '{"shop":{"name":"S","id":1},"products":{"001":{"name":"A","sku":"x"},"002":{"name":"B","sku":"y"}}}',
    ],
)
def test_where_documents_keep_their_records(store: Store, tmp_path: Path, data: str) -> None:
    report = imported(store, tmp_path, data)
    assert (report.new, report.set_aside) == (2, 0)
    assert [product(store, one)["title"] for one in ("001", "002")] == ["A", "B"]


@pytest.mark.parametrize(
    "data",
    [
        '{"data":{"products":{"edges":[{"node":{"id":"p","title":"A","variants":{"edges":['
        '{"node":{"sku":"V1","price":"9","selectedOptions":[{"name":"Size","value":"41"}]}}]}}},'
        '{"node":{"id":"q","title":"B"}}]}}}',
        '{"id":"p","title":"A"}\n'
        '{"id":"gid://shopify/ProductVariant/7","sku":"V1","price":"9","selectedOptions":[{"name":"Size","value":"41"}],'
        '"__parentId":"p"}\n{"id":"gid://shopify/MediaImage/8","__parentId":"p"}\n{"id":"q","title":"B"}\n',
        "<shop><product><id>p</id><name>A</name><variants><variant><sku>V1</sku><price>9</price><Size>41</Size>"
        "</variant></variants></product><product><id>q</id><name>B</name></product></shop>",
        "<shop><product><id>p</id><name>A</name><variants><variant><sku>V1</sku><price>9</price><size>41</size>"
        "</variant><variant><sku>V2</sku><price>9</price><size>42</size></variant></variants></product>"
        "<product><id>q</id><name>B</name><variants/></product></shop>",
    ],
)
def test_variants_within_products_however_they_are_nested(store: Store, tmp_path: Path, data: str) -> None:
    report = imported(store, tmp_path, data)
    assert (report.new, report.set_aside, report.orphans) == (2, 0, 0)
    first = store.variants(["p"])["p"][0]
    assert (first["id"], {name.casefold(): value for name, value in first["options"].items()}) == ("V1", {"size": "41"})
    assert first["price"] == 9


def test_a_document_of_one_product_is_one(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, '{"id":"p","name":"A","brand":{"id":1,"name":"K"},"maker":{"id":2,"name":"L"}}')
    assert product(store, "p")["title"] == "A"


@pytest.mark.parametrize(
    ("price", "is_told"),
    [("ListPrice", True), ("https://schema.org/StrikethroughPrice", True), ("https://schema.org/SalePrice", False)],
)
def test_list_prices_of_offers(store: Store, tmp_path: Path, price: str, *, is_told: bool) -> None:
    listed = {"@type": "UnitPriceSpecification", "priceType": price, "price": 99, "priceCurrency": "EUR"}
    own = {"@type": "UnitPriceSpecification", "price": 79, "priceCurrency": "EUR"}
    offer = {"@type": "Offer", "priceSpecification": [listed, own]}
    imported(store, tmp_path, json.dumps({"@type": "Product", "sku": "1", "name": "A", "offers": offer}))
    assert product(store, "1")["price"] == (79 if is_told else 99)


DELIVERED = {"@type": "DeliveryChargeSpecification", "price": 4.95, "priceCurrency": "EUR"}


@pytest.mark.parametrize(
    ("other", "alone"),
    [
        (DELIVERED, None),
        ({"@type": ["PriceSpecification", "https://schema.org/PaymentChargeSpecification"], "price": 2}, None),
        ({"@type": "UnitPriceSpecification", "priceComponentType": "https://schema.org/Installment", "price": 5}, None),
        ({"@type": "UnitPriceSpecification", "priceComponentType": "Downpayment", "price": 5}, None),
        ({"@type": "UnitPriceSpecification", "billingDuration": "P1M", "price": 5}, None),
        ({"@type": "UnitPriceSpecification", "validForMemberTier": {"@id": "#gold"}, "price": 5}, None),
        ({"@type": "UnitPriceSpecification", "validThrough": "2020-01-01", "price": 5}, None),
        # What one costs comes before what each of ten costs, which is a price all the same.
        ({"@type": "UnitPriceSpecification", "eligibleQuantity": {"minValue": 10}, "price": 5}, 5),
    ],
)
@pytest.mark.parametrize("written", ["lines", "a page", "an offer each"])
def test_prices_of_something_else_than_the_product(
    store: Store, tmp_path: Path, other: dict[str, Any], alone: float | None, written: str
) -> None:
    own = {"@type": "UnitPriceSpecification", "price": 59, "priceCurrency": "EUR"}
    made = []
    for sku, prices in (("K8", [other, own]), ("K9", [other])):
        offers: Any = {"@type": "Offer", "priceSpecification": prices}
        if written == "an offer each":
            offers = [{"@type": "Offer", "priceSpecification": price} for price in prices]
        made.append({"@type": "Product", "sku": sku, "name": "Ship", "offers": offers})
    data = "\n".join(map(json.dumps, made))
    if written == "a page":
        data = f'<html><body><script type="application/ld+json">{json.dumps(made)}</script></body></html>'
    report = imported(store, tmp_path, data)
    assert product(store, "K8")["price"] == 59
    assert product(store, "K8")["currency"] == "EUR"
    assert product(store, "K9")["price"] == alone
    assert report.unknown_prices == (alone is None)


XML_PRODUCTS = "<shop><product><id>1</id><name>{}</name></product><product><id>2</id><name>Tea</name></product></shop>"


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (XML_PRODUCTS.format("Caf&eacute; &amp; cr&egrave;me").encode(), "Café & crème"),
        (
            ('<!DOCTYPE shop [<!ENTITY eacute "&#233;">]>' + XML_PRODUCTS.format("Caf&eacute; noir")).encode(),
            "Café noir",
        ),
        (('<?xml version="1.0" encoding="UTF-8"?>' + XML_PRODUCTS.format("Café noir")).encode("cp1252"), "Café noir"),
        (
            ('<?xml version="1.0" encoding="ISO-8859-1"?>' + XML_PRODUCTS.format("Café noir")).encode("utf-8"),
            "Café noir",
        ),
        (('<?xml version="1.0" encoding="UTF-8"?>' + XML_PRODUCTS.format("Café noir")).encode("utf-16"), "Café noir"),
        (XML_PRODUCTS.format("Caf\x0bnoir").encode(), "Caf noir"),
        (XML_PRODUCTS.format("Caf&#11;noir").encode(), "Caf noir"),
        (XML_PRODUCTS.replace("Tea", "Thé à la crème").format("A\udcff").encode("utf-8", "surrogateescape"), None),
        (XML_PRODUCTS.format("Marks & Spencer &c. R&D;").encode(), "Marks & Spencer &c. R&D;"),
        (XML_PRODUCTS.format("<![CDATA[Caf&eacute; & Bar]]>").encode(), "Caf&eacute; & Bar"),
        (('<!DOCTYPE shop [<!ENTITY b "Brand">]>' + XML_PRODUCTS.format("Caf &b; noir")).encode(), "Caf &b; noir"),
    ],
)  # fmt: skip
def test_characters_of_xml(store: Store, tmp_path: Path, data: bytes, title: str | None) -> None:
    report = imported(store, tmp_path, data)
    assert product(store, "1").get("title") == title
    assert (product(store, "2") or {}).get("title", "").startswith("T")
    assert report.set_aside == (title is None)


@pytest.mark.parametrize(
    ("row", "title"),
    [
        ('1,"Boot "Kea" red",a', 'Boot "Kea" red'),
        ('1,"Shoe 5" wide",a', 'Shoe 5" wide'),
        ('1,"A ""B"" c",a', 'A "B" c'),
        ('1,Shelf 5",a', 'Shelf 5"'),
        ('1,"Boot "Kea, low" red",a', 'Boot "Kea, low" red'),
        ('1,"Boot "A", red",a', None),
    ],
)
def test_quotes_within_quotes(store: Store, tmp_path: Path, row: str, title: str | None) -> None:
    report = imported(store, tmp_path, f"id,title,x\n{row}\n2,Tea,b\n")
    assert (product(store, "1").get("title"), product(store, "2")["title"]) == (title, "Tea")
    assert report.set_aside == (title is None)


BIGCOMMERCE = (
    "Item Type,Product ID,Product Name,Product Type,Product Code/SKU,Brand Name,Price,Category,Product Description,"
    "Product Image File - 1,Product Weight\n"
    'Product,7,Kea boot,P,BT,Kea,50,Shoes,Good,a.jpg,\nSKU,,"[S]Size=41,[CS]Color=Red, dark",,BT-41,,,,,,2\n'
    'SKU,,"[S]Size=42,[CS]Color=Red, dark",,BT-42,,,,,,3\nRule,,,,BT-42,,[ADD]5,,,,\nProduct,8,Hat,P,HT,Kea,9,,,,\n'
)
BIGCOMMERCE_NEW = (
    "Item,ID,Name,Type,SKU,Options,Price,Categories,Description,Weight\n"
    "Product,7,Kea boot,physical,BT,,50,Shoes,Good,\n"
    'Variant,71,,,BT-41,"Type=Rectangle|Name=Size|Value=41Type=Swatch|Name=Color|Value=Red, dark[#ff0000]",,,,2\n'
    'Variant,72,,,BT-42,"Type=Rectangle|Name=Size|Value=42Type=Swatch|Name=Color|Value=Red, dark[#ff0000]",55,,,3\n'
    "Image,,,,,,,,,\nProduct,8,Hat,physical,HT,,9,,,\n"
)


@pytest.mark.parametrize("data", [BIGCOMMERCE, BIGCOMMERCE_NEW])
def test_what_stands_below_products_of_bigcommerce(store: Store, tmp_path: Path, data: str) -> None:
    report = imported(store, tmp_path, data)
    assert (report.new, report.variants, report.set_aside) == (2, 2, 0)
    boot = product(store, "7")
    assert (boot["title"], boot["price"], boot["category"], boot["description"]) == ("Kea boot", 50, "shoes", "Good")
    assert {one["id"]: (one["options"], one["price"]) for one in store.variants(["7"])["7"]} == {
        "BT-41": ({"Size": "41", "Color": "Red, dark"}, None),
        "BT-42": ({"Size": "42", "Color": "Red, dark"}, 55),
    }
    assert product(store, "8")["title"] == "Hat"


def test_values_in_quotes_of_magento(store: Store, tmp_path: Path) -> None:
    more = 'color=Red,desc="a, b=c, ""d""",size=M'.replace('"', '""')
    imported(
        store, tmp_path, f'sku,name,product_type,attribute_set_code,additional_attributes\n1,A,simple,D,"{more}"\n'
    )
    held = product(store, "1")
    assert held["description"] == 'a, b=c, "d"'
    assert (held["attributes"]["color"], held["attributes"]["size"]) == ("Red", "M")


def test_a_title_in_the_first_row_of_a_product_alone(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "id,title,size,price\nA,Boot,41,5\nA,,42,6\nB,,42,6\n")
    assert [one["options"] for one in store.variants(["A"])["A"]] == [{"size": "41"}, {"size": "42"}]
    assert (report.new, report.set_aside) == (1, 1)


def test_a_product_without_a_price_costs_what_its_cheapest_variant_does(store: Store, tmp_path: Path) -> None:
    header = "Type,SKU,Name,Parent,Regular price,Attribute 1 name,Attribute 1 value(s)\n"
    data = f'{header}variable,b,Boot,,,Size,"41, 42"\nvariation,1,x,b,50,Size,41\nvariation,2,x,b,40,Size,42\n'
    for updated in (0, 0):
        report = imported(store, tmp_path, data)
        assert (product(store, "b")["price"], report.unknown_prices, report.updated) == (40, 0, updated)


def test_maps_and_bytes_of_parquet(store: Store, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = pa.map_(pa.string(), pa.string())
    told = pa.array([[("color", "red")], None], type=kind)
    table = pa.table({"id": ["1", "2"], "title": ["A", "B"], "more": told, "raw": [b"a\x00", b"ok"]})
    pq.write_table(table, buffer := io.BytesIO())
    report = imported(store, tmp_path, buffer.getvalue())
    assert (report.new, product(store, "1")["attributes"]) == (2, {"more.color": "red"})


@pytest.mark.parametrize(
    ("data", "variants"),
    [
        (
            '[{"id":"p","name":"A","variants":[{"sku":"V1","name":"Small","price":5},{"sku":"V2","name":"Big","price":6}]}]',
            {"V1": ({"Name": "Small"}, 5), "V2": ({"Name": "Big"}, 6)},
        ),
        (
            '[{"id":"p","name":"A","variants":[{"sku":"V1","option_values":[{"option_display_name":"Size","label":"S"}]},'
            '{"sku":"V2","price":6,"option_values":[{"option_display_name":"Size","label":"M"}]}]}]',
            {"V1": ({"Size": "S"}, None), "V2": ({"Size": "M"}, 6)},
        ),
        (
            '<f><x id="p"><name>A</name><variants><variant sku="V1"><size>41</size><price currency="EUR">5</price>'
            '</variant><variant sku="V2"><size>42</size><price currency="EUR">6</price></variant></variants></x>'
            '<x id="q"><name>B</name></x></f>',
            {"V1": ({"size": "41"}, 5), "V2": ({"size": "42"}, 6)},
        ),
        (
            "<f><x><id>p</id><name>A</name><variant><sku>V1</sku><size>41</size></variant><variant><sku>V2</sku><size>42"
            "</size></variant></x><x><id>q</id><name>B</name><variant><sku>V3</sku><size>42</size></variant></x></f>",
            {"V1": ({"size": "41"}, None), "V2": ({"size": "42"}, None)},
        ),
        (
            '[{"key":"p","name":{"en":"A","de":"B"},"masterVariant":{"sku":"V1","attributes":[{"name":"size","value":"41"}],'
            '"prices":[{"value":{"centAmount":500,"currencyCode":"EUR","fractionDigits":2}}]},'
            '"variants":[{"sku":"V2","attributes":[{"name":"size","value":"42"}]}]}]',
            {"V1": ({"size": "41"}, 5), "V2": ({"size": "42"}, None)},
        ),
    ],
)
def test_variants_with_whatever_they_differ_by(
    store: Store, tmp_path: Path, data: str, variants: dict[str, tuple[dict[str, str], float | None]]
) -> None:
    imported(store, tmp_path, data)
    found = {one["id"]: (one["options"], one["price"]) for one in store.variants(["p"])["p"]}
    assert found == variants
    assert product(store, "p")["title"] == "A"


@pytest.mark.parametrize(
    "data",
    [
        '{"products":[{"id":7,"title":"Mug","variants":[{"id":71,"title":"Default Title","price":"9.00",'
        '"sku":"M1","barcode":"4006381333931","option1":"Default Title"}],'
        '"options":[{"name":"Title","values":["Default Title"]}]}]}',
        '{"id":"7","title":"Mug"}\n{"id":"71","sku":"M1","barcode":"4006381333931","price":"9.00","__parentId":"7"}\n',
    ],
)
def test_the_only_variant_is_the_product(store: Store, tmp_path: Path, data: str) -> None:
    imported(store, tmp_path, data)
    names = read_names(store)
    assert {names.find(one) for one in ("7", "71", "M1", "4006381333931", "04006381333931")} == {"7"}
    assert product(store, "7")["price"] == 9


def test_several_lists_of_products_are_named(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_text('{"mens":[{"sku":"1","name":"A"},{"sku":"2","name":"B"}],"womens":[{"sku":"3","name":"C"}]}')
    assert "--records womens" in open_feed(path).taken["records"]


@pytest.mark.parametrize(
    ("data", "product_id"),
    [
        ('<f><p><id>5</id><n xml:lang="eng">Screw</n><name xml:lang="eng">Screw</name><name xml:lang="fre">Vis</name>'
         '</p><p><id>6</id><name xml:lang="eng">Nail</name></p></f>', "5"),
        ('{"_embedded":{"items":[{"identifier":"5","values":{"name":[{"locale":"fr_FR","scope":null,"data":"Vis"},'
         '{"locale":"en_US","scope":null,"data":"Screw"}],"ean":[{"locale":null,"scope":null,"data":"4006381333931"}]}},'
         '{"identifier":"6","values":{"name":[{"locale":"en_US","scope":null,"data":"Nail"}]}}]}}', "5"),
    ],
)  # fmt: skip
def test_titles_in_languages_of_any_notation(store: Store, tmp_path: Path, data: str, product_id: str) -> None:
    path = tmp_path / "feed"
    path.write_text(data)
    feed = open_feed(path)
    import_feed(store, feed, guess_columns(feed.columns, feed.fields, "en"), rejected_dir=tmp_path)
    assert (product(store, product_id)["title"], store.count_products()) == ("Screw", 2)


def test_what_sums_up_is_no_product(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "SKU;Name;Price\nA;Desk;12,00\nTotal;3 articles;33,00\n;Summe;33,00\n")
    assert (report.new, report.set_aside) == (1, 2)


@pytest.mark.parametrize("column", ["Art.-Nr.", "Artikelnr", "Артикул", "Item no."])
def test_a_code_of_the_shop_comes_before_a_barcode(store: Store, tmp_path: Path, column: str) -> None:
    imported(store, tmp_path, f"EAN;{column};Bezeichnung\n4006381333931;100;Mantel\n")
    assert product(store, "100")["title"] == "Mantel"


@pytest.mark.parametrize(
    ("log", "kinds"),
    [
        (
            '{"event":"Order Completed","userId":"u","timestamp":"2025-02-01T10:00:00Z","properties":{"products":'
            '[{"product_id":"1"}]}}\n{"event":"Product Viewed","userId":"u","timestamp":"2025-02-01T11:00:00Z",'
            '"properties":{"product_id":"2"}}\n',
            [("1", "order completed"), ("2", "product viewed")],
        ),
        (
            "Name,Email,Created at,Lineitem sku\n#1,u,2025-10-07 09:50:25 +0200,1\n#1,,2025-10-07 09:50:25 +0200,2\n"
            "#2,v,2025-10-08 09:50:25 +0200,2\n",
            [("1", "purchase"), ("2", "purchase")],
        ),
        (
            '{"orders":[{"order_id":"A1","customer":"u","created_at":"2026-02-01T10:00:00Z","status":"completed",'
            '"line_items":[{"sku":"1","quantity":1},{"sku":"2","quantity":1}]}]}',
            [("1", "purchase"), ("2", "purchase")],
        ),
        ("name,user,date,item\nBoot A,u,2025-10-07,1\nBoot A,,2025-10-07,1\n", [("1", "purchase")]),
        ("order,user,date,item\n7,u,2025-10-07,1\n7,,2025-10-09,2\n", [("1", "purchase")]),
        ("Order ID,Customer,Date,SKU\n7,u,2025-10-07,1\n7,,,2\n", [("1", "purchase"), ("2", "purchase")]),
        (
            "user;artikel;zeit;typ\nu;1;05.01.26 14:05;Kauf\nu;1;06.01.2026 9:05:00 Uhr;Retoure\n",
            [("1", "kauf"), ("1", "return")],
        ),
        (
            "customer,sku,date,Financial Status\nu,1,2025-01-05,paid\nu,2,2025-01-06,voided\n",
            [("1", "purchase"), ("2", "return")],
        ),
        (
            "user,item,date,event\nu,1,2025-01-05,purchase\nu,2,2025-01-06,Order Refunded\n",
            [("1", "purchase"), ("2", "return")],
        ),
        (
            "Bon,Datum,Uhrzeit,Kunde,EAN\n1,05.01.2026,10:15,u,1\n2,05.01.2026,9.30,u,2\n",
            [("2", "purchase"), ("1", "purchase")],
        ),
    ],
)
def test_logs_of_shops_and_tills(store: Store, tmp_path: Path, log: str, kinds: list[tuple[str, str]]) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n")
    log_of(store, tmp_path, log)
    assert [(one["product_id"], one["kind"]) for one in history(store, "u", without=())] == kinds


def test_combinations_of_prestashop(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "Product ID;Name;Price;Reference;EAN13\n1;Tee;20;demo_1;4006381333900\n")
    header = (
        "Product ID*;Attribute (Name:Type:Position)*;Value (Value:Position)*;Supplier reference;Reference;EAN13;"
        "Impact on price;Quantity"
    )
    report = imported(
        store,
        tmp_path,
        f"{header}\n1;Size:select:0,Color:color:1;S:0,White:0;;demo_1_s;4006381333931;0;3\n"
        "1;Size:select:0,Color:color:1;M:1,White:0;;demo_1_m;4006381333948;0;4\n",
    )
    assert {one["id"]: one["options"] for one in store.variants(["1"])["1"]} == {
        "demo_1_s": {"Size": "S", "Color": "White"},
        "demo_1_m": {"Size": "M", "Color": "White"},
    }
    tee = product(store, "1")
    assert (tee["price"], tee["attributes"]["Reference"], report.set_aside, report.further) == (20, "demo_1", 0, 2)
    assert read_names(store).find("4006381333948") == "1"


def test_blanks_before_quotes(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, 'id, name, description, price\n1, "Lamp, big", "Nice", 10\n2, "Desk", "Oak", 20\n')
    assert [product(store, one)["title"] for one in ("1", "2")] == ["Lamp, big", "Desk"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            '{"products":[{"sku":"p","title":"A","variants":{"V1":{"price":50,"size":"41"},"V2":{"price":51,"size":"42"}}},'
            '{"sku":"q","title":"B","variants":{"V3":{"price":20,"size":"36"}}}]}',
            {"V1": ({"size": "41"}, 50), "V2": ({"size": "42"}, 51)},
        ),
        (
            '[{"sku":"p","title":"A","variants":[{"sku":"V1","size":"41","price":100,"sale_price":80},'
            '{"sku":"V2","size":"42","price":{"regular":60,"sale":50}}]}]',
            {"V1": ({"size": "41"}, 80), "V2": ({"size": "42"}, 50)},
        ),
        (
            '<f><x><sku>p</sku><name>A</name><variants><variant sku="V1"><option name="size">41</option></variant>'
            '<variant sku="V2"><option name="size">42</option><price>5</price></variant></variants></x>'
            "<x><sku>q</sku><name>B</name></x></f>",
            {"V1": ({"size": "41"}, None), "V2": ({"size": "42"}, 5)},
        ),
    ],
)
def test_more_nestings_of_variants(
    store: Store, tmp_path: Path, data: str, expected: dict[str, tuple[dict[str, str], float | None]]
) -> None:
    imported(store, tmp_path, data)
    assert {one["id"]: (one["options"], one["price"]) for one in store.variants(["p"])["p"]} == expected


@pytest.mark.parametrize("status", ["failed", "wc-failed", "payment failed", "Payment declined", "abandoned", "trash"])
def test_orders_that_never_came_about(store: Store, tmp_path: Path, status: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n")
    log_of(store, tmp_path, f"user,item,date,status\nu,1,2025-01-05,{status}\nu,2,2025-01-06,completed\n")
    assert [one["product_id"] for one in history(store, "u", without=())] == ["2"]


def test_a_type_beside_codes_is_no_systems(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "ID;Type;SKU;Name;Price\n1;Shoes;x;Boot;5\n")
    assert (product(store, "1")["category"], product(store, "1")["price"]) == ("shoes", 5)


@pytest.mark.parametrize(
    ("first", "then", "price", "currency"),
    [
        ("sku,title,price,currency\nC,Tote,10.00,EUR\n", "sku,price\nC,$12.00\n", 12, None),
        ("sku,title,price,currency\nC,Tote,10.00,CAD\n", "sku,price\nC,$12.00\n", 12, "CAD"),
        ("sku,title,price,currency\nC,Tote,10.00,EUR\n", "sku,price\nC,12 kr\n", 12, None),
        ("sku,title,price,currency\nC,Tote,10.00,EUR\n", "sku,price\nC,12\n", 12, "EUR"),
        ("sku,title,price,currency\nC,Tote,10.00,EUR\n", "sku,stock,currency\nC,4,USD\n", 10, "EUR"),
        ("sku,title,price,currency\nC,Tote,10.00,EUR\n", "sku,Price incl. VAT,Currency\nC,12,USD\n", 12, "USD"),
        ("sku,title,price\nC,Tote,10.00\n", "sku,UVP,sale_price\nC,9.00,\n", 10, None),
        ("sku,title,price\nC,Tote,10.00\n", "sku,RRP,special price\nC,99,\n", 10, None),
        ("sku,title,price\nC,Tote,10\n", "sku,price,valid_from,valid_to\nC,7,2023-01-01,2023-01-31\n", 10, None),
        ("sku,title,price\nC,Tote,10\n", "sku,price,valid_from,valid_to\nC,7,2023-01-01,2023-01-31\nC,9,2023-02-01,\n",
         9, None),
        ("sku,title,price,sale_price,on_sale\nC,Tote,100,70,No\n", "", 100, None),
        ("sku,title,price,sale_price,on_sale\nC,Tote,100,70,Yes\n", "", 70, None),
    ],
)  # fmt: skip
def test_what_an_update_says_of_prices(
    store: Store, tmp_path: Path, first: str, then: str, price: float, currency: str | None
) -> None:
    imported(store, tmp_path, first)
    if then:
        imported(store, tmp_path, then, "update")
    assert (product(store, "C")["price"], product(store, "C")["currency"]) == (price, currency)


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ("sku;attributes[0].name;bezeichnung;price\nS1;Farbe;Hocker;9\n", "Hocker"),
        ("Kód;Název;Popis;Cena s DPH;Kategorie\nS1;Bota;Text;9;Boty\n", "Bota"),
        ("Stok Kodu;Ürün Adı;Açıklama;Fiyat;Kategori\nS1;Bot;Metin;9;Ayakkabı\n", "Bot"),
        ("Артикул;Название;Описание;Цена;Категория\nS1;Ботинок;Текст;9;Обувь\n", "Ботинок"),
    ],
)
def test_titles_in_more_languages_and_none_in_lists(store: Store, tmp_path: Path, data: str, title: str) -> None:
    imported(store, tmp_path, data)
    found = product(store, "S1")
    assert (found["title"], found["price"]) == (title, 9)


def test_rows_alike_without_an_id_are_told_as_what_they_are(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "title,price\nDichtung,12.50\nDichtung,19.80\n")
    assert report.first_rejected == [(3, "has no id, and the title of line 2 with another text or price")]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        ("order_id,customer,created,sku_1,qty_1,sku_2,qty_2\n1,u,2024-01-05,1,1,2,2\n2,u,2024-01-06,2,1,,\n",
         [("1", "purchase"), ("2", "purchase"), ("2", "purchase")]),
        ("user,item,timestamp,event\nu,1,2024-01-05,Purchase Failed\nu,2,2024-01-05,return_policy_view\n",
         [("2", "return_policy_view")]),
        ("user,item,timestamp,event\nu,1,2024-01-05,VOID\nu,1,2024-01-05,NO SALE\nu,2,2024-01-05,SALE\n",
         [("1", "return"), ("2", "sale")]),
        ("user,item,timestamp,event\nu,1,2024-01-05,returning_customer_order\nu,2,2024-01-06,Stornierung aufgehoben\n",
         [("1", "returning_customer_order"), ("2", "stornierung aufgehoben")]),
        ("user,item,timestamp,quantity\nu,1,2024-01-05,0\nu,2,2024-01-05,1\n", [("2", "purchase")]),
        ("user,item,timestamp,quantity\nu,1,2024-01-05,0 pcs\nu,2,2024-01-05,1 pcs\n", [("2", "purchase")]),
        ('user,item,timestamp,quantity\nu,1,2024-01-05,"0,00"\nu,2,2024-01-05,"1,00"\n', [("2", "purchase")]),
        ("user,item,date,time\n" + "u,1,05.01.2024,10:00\n" * 4 + "c,2,24:10,\n", [("1", "purchase")]),
    ],
)  # fmt: skip
def test_what_logs_call_what_was_done(store: Store, tmp_path: Path, data: str, events: list[tuple[str, str]]) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n")
    log_of(store, tmp_path, data)
    assert [(one["product_id"], one["kind"]) for one in history(store, "u", without=())] == events


def test_a_day_and_a_clock_in_a_workbook(store: Store, tmp_path: Path) -> None:
    import datetime as dt

    import openpyxl

    imported(store, tmp_path, "sku,title\n1,a\n")
    book = openpyxl.Workbook()
    sheet = book.create_sheet(index=0)
    book.active = sheet
    sheet.append(["Kunde", "Artikel", "Datum", "Uhrzeit"])
    sheet.append(["u", "1", dt.date(2024, 1, 25), dt.time(19, 15)])
    sheet.append(["u", "1", dt.date(2024, 1, 26), "14:05"])
    book.save(tmp_path / "log.xlsx")
    feed = by_lines(open_feed(tmp_path / "log.xlsx", is_header=names_a_user))
    names = read_names(store)
    feed, fields = by_values(feed, guess_fields(feed.columns, by_name=False), names)
    import_events(store, feed, fields, names=names, rejected_dir=tmp_path)
    assert [one["at"] for one in history(store, "u")] == [1706210100, 1706277900]


def test_a_barcode_by_its_power_of_ten(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,title,ean\n1,a,4006381333955\n2,b,4006381333948\n")
    log_of(store, tmp_path, "user,item,timestamp\nu,4.006381333955E+12,2024-01-05\nu,4.00638E+12,2024-01-06\n")
    assert [one["product_id"] for one in history(store, "u")] == ["1"]


def test_rows_that_are_commented_out(store: Store, tmp_path: Path) -> None:
    data = "# exported\nsku,title,price,color\n1,Red Cup,7.00,#ff0000\n#3,Green Cup,7.00,#00ff00\n// 4,Grey Cup,8,x\n"
    report = imported(store, tmp_path, data)
    assert report.first_rejected == [(4, "is commented out"), (5, "is commented out")]
    assert imported(store, tmp_path, "sku,title\n#5,Blue Cup\n", "other").new == 1


def test_a_templates_row_of_instructions_is_no_product(store: Store, tmp_path: Path) -> None:
    data = "Product ID,Product Name,Price,Stock\nLocked,Locked,Required,Required\n7001,Canvas Sneaker,12,4\n"
    report = imported(store, tmp_path, data)
    assert (report.new, report.first_rejected) == (1, [(2, "says how columns are filled in")])


def test_the_user_0_is_counted(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n")
    (tmp_path / "log").write_text("user,item,timestamp\n0,1,2024-01-05\n0,1,2024-01-06\n1,1,2024-01-05\n")
    feed = open_feed(tmp_path / "log")
    report = import_events(store, feed, guess_fields(feed.columns), rejected_dir=tmp_path)
    assert report.of_zero == 2


@pytest.mark.parametrize(
    ("data", "prices"),
    [
        ('<f><p><id>1</id><name>Kettle</name><price type="purchase">4.00</price><price type="retail">10.50</price></p>'
         '<p><id>2</id><name>Pan</name><price type="retail">9.50</price><price type="purchase">3</price></p></f>',
         [10.5, 9.5]),
        ('[{"id":"1","name":"Cup","prices":[{"type":"wholesale","amount":5.9},{"type":"retail","amount":11.9}]},'
         '{"id":"2","name":"Mug","prices":[{"type":"retail","amount":8},{"type":"wholesale","amount":3}]}]', [11.9, 8]),
        ('[{"id":"1","name":"Cup","price":[{"type":"list","value":12},{"type":"sale","value":9}]},'
         '{"id":"2","name":"Mug","price":[{"type":"list","value":8},{"type":"sale","value":null}]}]', [9, 8]),
        ('[{"id":"1","name":"Cup","price":[{"currency":"EUR","amount":12}]},{"id":"2","name":"Mug","price":[7]}]',
         [12, 7]),
    ],
)  # fmt: skip
def test_prices_that_say_their_type(store: Store, tmp_path: Path, data: str, prices: list[float]) -> None:
    imported(store, tmp_path, data)
    assert [product(store, one)["price"] for one in ("1", "2")] == prices


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (["12.500", "7.250", "19.990"], 3),
        (["1.299 €", "999 €"], 1),
        (["1,800", "950", "12.50"], 0),  # a mark is shown
        (["15,800円", "2,900円"], 0),  # yen have no decimals
        (["1.250 KWD", "2.500 KWD"], 0),
        (["1250", "2500"], 0),
    ],
)
def test_thousands_that_are_a_guess_are_told(store: Store, tmp_path: Path, prices: list[str], expected: int) -> None:
    rows = "".join(f'{number},a{number},"{price}"\n' for number, price in enumerate(prices, 1))
    report = imported(store, tmp_path, f"sku,title,price\n{rows}")
    assert report.grouped == expected
    assert report.first_grouped.startswith(prices[0] if expected else "")


def test_a_cell_that_is_empty_is_no_price_that_cannot_be_read(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "sku,title,price,compare at price\n1,a,,12.00\n2,b,soon,14.00\n3,c,,\n")
    assert (report.unread_prices, report.unknown_prices) == (1, 3)


ONE = {"id": "1", "title": "a"}
OBJECT = {"amount": 12.5, "currency": "EUR"}


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ([None, OBJECT], 12.5),
        ([OBJECT, None], None),
        ([OBJECT, 9.5], 9.5),
        ([OBJECT, "9,50 EUR"], 9.5),
        ([9.5, OBJECT], 12.5),
        (["", OBJECT], 12.5),
        ([[], {"value": "12.50", "currencyCode": "EUR"}], 12.5),
        ([{"regular": {"amount": 20}, "amount": 12.5}, None], None),
        ([*[None] * 150, OBJECT], 12.5),
        ([*[OBJECT] * 150, 9.5], 9.5),
        ([*[9.5] * 150, OBJECT], 12.5),
    ],
)
@pytest.mark.parametrize("kind", ["JSON", "lines", "Parquet"])
def test_a_field_that_is_an_object_in_some_records(
    store: Store, tmp_path: Path, said: list[Any], price: float | None, kind: str
) -> None:
    """Whatever stands for it in others, and whichever come first; on its way back nothing is lost."""
    records = [{"id": str(number), "title": f"a{number}", "price": one} for number, one in enumerate(said)]
    if kind == "Parquet":
        if not all(one is None or isinstance(one, dict) for one in said):
            pytest.skip("its columns are of one type")
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(records), file)
        data = file.getvalue()
    else:
        data = json.dumps(records).encode() if kind == "JSON" else "\n".join(map(json.dumps, records)).encode()
    imported(store, tmp_path, data)
    last = product(store, str(len(said) - 1))
    assert last["price"] == price
    assert "price" not in last["attributes"]
    assert imported(store, tmp_path, data).unchanged == len(said)


@pytest.mark.parametrize(
    ("first", "second"), [({"name": "Acme"}, "Zed"), (None, {"name": "Zed"}), ("Acme", {"name": "Zed"})]
)
def test_a_brand_that_is_an_object_in_some_records(store: Store, tmp_path: Path, first: Any, second: Any) -> None:
    imported(
        store, tmp_path, json.dumps([{"id": 1, "title": "a", "brand": first}, {"id": 2, "title": "b", "brand": second}])
    )
    assert [product(store, one)["brand"] for one in "12"] == [first and "Acme", "Zed"]


def test_a_user_that_is_an_object_in_some_records(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n3,c\n")
    users = [None, {"id": "u"}, "u"]
    log = [{"user": user, "item": str(number), "time": "2024-05-01"} for number, user in enumerate(users, 1)]
    path = tmp_path / "log"
    path.write_text("\n".join(map(json.dumps, log)))
    names = read_names(store)
    feed, fields = understood_log(open_feed(path, is_header=names_a_user), {}, names)
    import_events(store, feed, fields, rejected_dir=tmp_path)
    assert [one["product_id"] for one in history(store, "u")] == ["2", "3"]


GOOGLES = """<rss xmlns:g="http://base.google.com/ns/1.0" xmlns:m="http://search.yahoo.com/mrss/"><channel>
<item><g:id>1</g:id>{}<g:price>12 EUR</g:price><g:brand>Acme</g:brand></item></channel></rss>"""


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        ("<title>Mill</title><g:title>Mill</g:title>", "Mill"),
        ("<title>Acme shop - Mill</title><g:title>Mill</g:title>", "Mill"),
        ("<g:title>Mill</g:title><title>Acme shop - Mill</title><m:title>m</m:title>", "Mill"),
        ("<title>Mill</title><g:title/>", "Mill"),
        ("<title>Mill</title><m:title>Picture</m:title><link>x</link>", "Mill"),
    ],
)
def test_one_name_in_two_namespaces_of_xml(store: Store, tmp_path: Path, inside: str, title: str) -> None:
    imported(store, tmp_path, GOOGLES.format(inside))
    assert product(store, "1")["title"] == title


def test_lists_of_atom_in_two_namespaces(store: Store, tmp_path: Path) -> None:
    entry = "<id>1</id><g:id>A1</g:id><title>Shop: Cup</title><g:title>Cup</g:title><summary>s</summary>"
    links = "<link href='http://a/1'/><g:link>http://a/1</g:link><g:color>red</g:color><g:color>blue</g:color>"
    root = "xmlns='http://www.w3.org/2005/Atom' xmlns:g='http://base.google.com/ns/1.0'"
    imported(store, tmp_path, f"<feed {root}><entry>{entry}{links}</entry></feed>")
    assert (product(store, "A1")["title"], product(store, "A1")["attributes"]["color"]) == ("Cup", ["red", "blue"])


@pytest.mark.parametrize(
    ("above", "names"),
    [
        ("Product,,Price,,Size,", "SKU,Name,Net,Gross,EU,UK"),
        ("Product,Product,Price,Price,Size,Size", "SKU,Name,Net,Gross,EU,UK"),
        ("Artikel,,Preis,,Größe,", "Artikelnummer,Bezeichnung,netto,brutto,EU,UK"),
        ("Master data,,Prices,,Sizes,", "SKU,Name,Net price,Gross price,EU,UK"),
        # What is in no group is named in the first line.
        ("SKU,Name,Price,,Size,", ",,Net,Gross,EU,UK"),
    ],
)
@pytest.mark.parametrize("kind", ["CSV", "Excel"])
def test_a_header_of_two_lines_with_groups_above(
    store: Store, tmp_path: Path, above: str, names: str, kind: str
) -> None:
    lines = [above, names, "m1,Boot,10,11.90,42,8", "m2,Shoe,20,23.80,43,9"]
    data = "\n".join(lines).encode()
    if kind == "Excel":
        book = openpyxl.Workbook()
        sheet: Any = book.active
        for line in lines:
            sheet.append([cell or None for cell in line.split(",")])
        sheet.merge_cells("C1:D1")
        file = io.BytesIO()
        book.save(file)
        data = file.getvalue()
    report = imported(store, tmp_path, data)
    assert (report.rows, report.new) == (2, 2)
    first = product(store, "m1")
    assert (first["title"], first["price"], sorted(map(str, first["attributes"].values()))) == (
        "Boot", 11.9, ["10", "42", "8"]
    )  # fmt: skip


def test_a_row_of_words_below_a_header_with_gaps_is_a_product(store: Store, tmp_path: Path) -> None:
    report = imported(store, tmp_path, "sku,title,price,\nx,Boot,on request,blue\ny,Shoe,12,green\n")
    assert (report.new, product(store, "x")["title"]) == (2, "Boot")


MARKED = [
    "\u200e100",
    "\u202a100\u202c",
    "\u2067100\u2069",
    "\ufeff100",
    "1\u00ad00",
    "\u200f100\u200f",
    "\u00a0100\u200b",
]


@pytest.mark.parametrize("written", MARKED)
def test_signs_that_nobody_sees_are_in_no_id(store: Store, tmp_path: Path, written: str) -> None:
    imported(store, tmp_path, f"sku,title,price\n{written},Lamp,10\n")
    assert imported(store, tmp_path, "sku,title,price\n100,Lamp,10\n").unchanged == 1
    log_of(store, tmp_path, f"user,item,time\n{written},{written},2024-05-01\n")
    assert [one["product_id"] for one in history(store, "100")] == ["100"]
    assert find_product(store, written)["id"] == "100"


@pytest.mark.parametrize(
    ("data", "doubled"),
    [
        ('{"id":1,"title":"a","price":5,"price":6}\n{"id":2,"title":"b","price":7}\n', {"price": (1, "line 1")}),
        ('{"id":1,"title":"a"}\n{"id":2,"title":"b","o":{"x":1,"x":2}}\n', {"x": (1, "line 2")}),
        ('{"id":1,"title":"a","v":[{"x":1,"x":2},{"x":1,"x":1}]}\n{"id":2,"title":"b"}\n', {"x": (2, "line 1")}),
        ('{"id":1,"title":"a","note":"x\\":1,\\"x\\":2"}\n{"id":2,"title":"b"}\n', {}),
        ('[{"id":1,"title":"a"},{"id":2,"title":"b","title":"c"}]', {"title": (1, "record 2")}),
        (
            '{"products":[{"id":1,"title":"a","hue":"r","hue":"b"},{"id":2,"title":"b"}]}',
            {"hue": (1, "record 1")},
        ),
        ('{"id":1,"title":"a","price":5,"price" : 6}', {"price": (1, "line 1")}),
        ('{"products":[{"id":1,"title":"a"}],"products":[{"id":2,"title":"b"}]}', {}),  # both are read
    ],
)
def test_keys_that_stand_twice_in_an_object(tmp_path: Path, data: str, doubled: dict[str, tuple[int, str]]) -> None:
    path = tmp_path / "feed"
    path.write_text(data)
    feed = open_feed(path)
    assert len(list(feed.rows)) > 0
    assert feed.doubled == doubled


def test_numbers_of_32_bits_as_they_were_written(store: Store, tmp_path: Path) -> None:
    table = pa.table({
        "id": ["1", "2", "3"],
        "title": ["a", "b", "c"],
        "price": pa.array([9.99, None, 1e-3], pa.float32()),
        "size": pa.array([{"w": 0.1, "of": [1.1]}, None, {"w": None, "of": []}],
                         pa.struct([("w", pa.float32()), ("of", pa.list_(pa.float32()))])),
    })  # fmt: skip
    file = io.BytesIO()
    pq.write_table(table, file)
    imported(store, tmp_path, file.getvalue())
    assert [product(store, one)["price"] for one in "123"] == [9.99, None, 0.001]
    assert product(store, "1")["attributes"] == {"size.w": 0.1, "size.of": [1.1]}


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("cafÃ© au lait", "café"), ("Itâ€™s nice", "It’s"), ("GrÃ¶ÃŸe", "Größe"), ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"),
        ("DÃ©jÃ  vu", "Déj\ufffd"), ("naÃ¯ve", "naïve"), ("10Â°C", "10°C"),
        ("Größe “Ä” – Übung", ""), ("MAÇÃ SÃO", ""), ("Ñandú", ""), ("»NIVEÄ«", ""), ("plain", ""),
    ],
)  # fmt: skip
def test_letters_that_were_encoded_twice_are_told(store: Store, tmp_path: Path, title: str, meant: str) -> None:
    report = imported(store, tmp_path, f"sku,title\n1,{title}\n")
    assert report.first_encoded_twice.startswith("line 2: " if meant else "")
    assert report.first_encoded_twice.endswith(f", which was {meant}" if meant else "")
    assert (report.encoded_twice, product(store, "1")["title"]) == (bool(meant), title)


@pytest.mark.parametrize("beside", ["12345678901234567890123", "-12345678901234567890123", "NaN", "1e999"])
def test_a_document_with_any_number_beside_its_list(store: Store, tmp_path: Path, beside: str) -> None:
    list_ = '[{"id":1,"title":"Red sock","price":5},{"id":2,"title":"Blue sock","price":6}]'
    imported(store, tmp_path, f'{{"v":{beside},"products":{list_}}}')
    assert store.product_ids() == ["1", "2"]


@pytest.mark.parametrize("data", ['// made today\n[{"id":1}]', '/* a\n b */\n// c\n{"id":1}'])
def test_comments_in_json_are_told_as_such(tmp_path: Path, data: str) -> None:
    (tmp_path / "feed").write_text(data)
    with pytest.raises(FeedError, match="JSON with comments"):
        open_feed(tmp_path / "feed")


REPEATED = {
    "order": "order_id,user,item,time\n{}T1,u,1,2024-05-01 10:00\n{}T1,u,1,2024-05-01 10:01\n{}T2,u,1,2024-05-03\n",
    "transaction": (
        "transaction_id,user,item,time,event\n{}T1,u,1,2024-05-01 10:00,purchase\n"
        "{}T1,u,1,2024-05-01 10:01,purchase\n{}T2,u,1,2024-05-03,purchase\n"
    ),
    "event": (
        "event_id,user,item,time,event\n{}e1,u,1,2024-05-01 10:00,view\n{}e1,u,1,2024-05-01 10:09,view\n"
        "{}e2,u,1,2024-05-03,view\n"
    ),
}


@pytest.mark.parametrize("kind", [*REPEATED, "GA4", "Segment", "lines"])
def test_what_is_reported_twice_counts_once(store: Store, tmp_path: Path, kind: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n")
    if kind in REPEATED:
        data = REPEATED[kind].format("", "", "")
    elif kind == "GA4":
        rows = [
            {"event_timestamp": f"17145600{at}000000", "event_name": "purchase", "user_pseudo_id": "u",
             "ecommerce": {"transaction_id": order}, "items": [{"item_id": "1", "quantity": "1"}]}
            for at, order in (("00", "T1"), ("60", "T1"), ("90", "T2"))
        ]  # fmt: skip
        data = "\n".join(map(json.dumps, rows))
    elif kind == "Segment":
        rows = [
            {"messageId": own, "event": "Order Completed", "userId": "u", "timestamp": f"2024-05-0{day}T08:00:01Z",
             "properties": {"products": [{"product_id": "1"}]}}
            for own, day in (("m1", 1), ("m1", 2), ("m2", 3))
        ]  # fmt: skip
        data = "\n".join(map(json.dumps, rows))
    else:
        rows = [
            {"user": "u", "time": f"2024-05-01T10:0{at}:00Z", "order_id": order, "items": [{"item_id": "1"}]}
            for at, order in ((0, "T1"), (1, "T1"), (2, "T2"))
        ]  # fmt: skip
        data = "\n".join(map(json.dumps, rows))
    report = log_of(store, tmp_path, data)
    assert (report.events, report.again, report.repeated, len(history(store, "u"))) == (2, 1, 1, 2)


@pytest.mark.parametrize(
    ("data", "events"),
    [
        # Two kinds of one order, what came back, and one item in two orders or of two users.
        ("order_id,user,item,time,event\nT1,u,1,2024-05-01,checkout\nT1,u,1,2024-05-02,purchase\n", 2),
        ("order_id,user,item,time,event\nT1,u,1,2024-05-01,refund\nT1,u,1,2024-05-02,refund\n", 2),
        ("order_id,user,item,time\nT1,u,1,2024-05-01\nT2,u,1,2024-05-02\n", 2),
        ("event_id,user,item,time\ne1,u,1,2024-05-01\ne1,u,2,2024-05-02\n", 2),
        # No orders' numbers, and codes of what was done, which many events share.
        ("transaction_id,user,item,time\n(not set),u,1,2024-05-01\n(not set),u,1,2024-05-02\n", 2),
        ("event_id,user,item,time\n" + "".join(f"1,u,1,2024-05-0{day}\n" for day in range(1, 6)), 5),
        (
            "transaction_id,user,item,time\n"
            + "".join(f"1,u{one},1,2024-05-01\n1,u{one},1,2024-05-02\n" for one in "ab"),
            4,
        ),
    ],
)
def test_what_is_no_repetition(store: Store, tmp_path: Path, data: str, events: int) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n2,b\n")
    report = log_of(store, tmp_path, data)
    assert (report.events, report.again) == (events, 0)


@pytest.mark.parametrize(
    ("clocks", "hours"),
    [
        (["10:00:00", "-", "11:15:00", "n/a"], [10, 0, 11.25, 0]),
        (["10:00", "", "11:15", "--"], [10, 0, 11.25, 0]),
        (["930", "1115", "0005", ""], [9.5, 11.25, 1 / 12, 0]),
        (["093000", "111500", "000500", "-"], [9.5, 11.25, 1 / 12, 0]),
        (["9:30 AM", "24:00", "11:15 PM", ""], [9.5, 24, 23.25, 0]),
    ],
)
def test_clocks_beside_days(store: Store, tmp_path: Path, clocks: list[str], hours: list[float]) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n")
    rows = "".join(f"u{number},1,2024-05-01,{clock}\n" for number, clock in enumerate(clocks))
    log_of(store, tmp_path, f"user,item,date,time\n{rows}")
    midnight = datetime(2024, 5, 1, tzinfo=UTC).timestamp()
    found = [(history(store, f"u{number}")[0]["at"] - midnight) / 3600 for number in range(len(clocks))]
    assert found == pytest.approx(hours)


@pytest.mark.parametrize("device", ["domain_userid", "network_userid"])
def test_browsers_of_snowplow(store: Store, tmp_path: Path, device: str) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n")
    report = log_of(store, tmp_path, f"user_id,{device},item,derived_tstamp\nu,d,1,2024-05-01\n,d,1,2024-05-02\n")
    assert (report.by_device, report.device, len(history(store, "d"))) == (1, device, 1)


def test_times_that_a_spreadsheet_has_rounded_are_told(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, "sku,title\n1,a\n")
    times = ["1.714E+12", "1.71456E+09", "1.714560000E+09", "1714560000"]
    report = log_of(store, tmp_path, "user,item,time\n" + "".join(f"u,1,{time}\n" for time in times))
    assert (report.rounded, report.first_rounded, report.set_aside) == (2, "1.714E+12", 0)
