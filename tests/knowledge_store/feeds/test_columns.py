"""Guessing what columns mean."""

import pytest

from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.prices import decimal_marks, parse_price
from reaseq.knowledge_store.feeds.rows import FeedError


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ["Product Name", "Product ID", "Listing Price", "Sale Price", "Brand", "Description"],
            {
                "id": "Product ID",
                "title": "Product Name",
                "description": "Description",
                "brand": "Brand",
                "price": "Sale Price",
                "list_price": "Listing Price",
            },
        ),
        (["index", "name", "sku", "selling_price"], {"id": "sku", "title": "name", "price": "selling_price"}),
        (
            ["id", "productDisplayName", "articleType"],
            {"id": "id", "title": "productDisplayName", "category": "articleType"},
        ),
        (["TITLE", "Body (HTML)", "Vendor"], {"title": "TITLE", "description": "Body (HTML)", "brand": "Vendor"}),
        (["Artikelnummer", "Bezeichnung", "Preis"], {"id": "Artikelnummer", "title": "Bezeichnung", "price": "Preis"}),
        (
            ["sku", "namn", "beskrivning", "pris"],
            {"id": "sku", "title": "namn", "description": "beskrivning", "price": "pris"},
        ),
        (["sku", "nazwa", "opis", "cena"], {"id": "sku", "title": "nazwa", "description": "opis", "price": "cena"}),
        (["sku", "标题", "描述", "品牌"], {"id": "sku", "title": "标题", "description": "描述", "brand": "品牌"}),
        (["sku", "titulo", "descripcion"], {"id": "sku", "title": "titulo", "description": "descripcion"}),
        (["title", "name"], {"title": "title"}),
        (
            ["ID", "Type", "SKU", "Name", "Sale price", "Regular price", "Categories", "Brands"],
            {
                "id": "ID",
                "title": "Name",
                "brand": "Brands",
                "price": "Sale price",
                "list_price": "Regular price",
                "category": "Categories",
            },
        ),
        (
            ["id", "title", "sale_price", "price", "product_type"],
            {"id": "id", "title": "title", "price": "sale_price", "list_price": "price", "category": "product_type"},
        ),
        (
            ["商品番号", "商品名", "ブランド", "価格"],
            {"id": "商品番号", "title": "商品名", "brand": "ブランド", "price": "価格"},
        ),
        (
            ["Titre", "Marque", "Catégorie".replace("é", "e\u0301"), "Prix (EUR)"],
            {"title": "Titre", "brand": "Marque", "price": "Prix (EUR)", "category": "Cate\u0301gorie"},
        ),
    ],
)
def test_guess(columns: list[str], expected: dict[str, str]) -> None:
    assert guess_columns(columns) == expected


def test_overrides_win_and_free_their_column() -> None:
    assert guess_columns(["name", "title"], {"title": "name"}) == {"title": "name"}
    assert guess_columns(["title", "brand"], {"brand": ""}) == {"title": "title"}


@pytest.mark.parametrize(
    ("columns", "overrides", "message", "hint"),
    [
        (["a", "b"], {}, "no column looks like a title; columns are: a, b", '--map title="COLUMN"'),
        (["Name"], {"titel": "Name"}, "no such field; fields are: id, title", "--map title"),
        (["Name"], {"title": "Nam"}, "no such column; columns are: Name", '--map title="Name"'),
    ],
)
def test_a_wrong_map_says_what_there_is(columns: list[str], overrides: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(FeedError) as caught:
        guess_columns(columns, overrides)
    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("14999", 14999.0, None),
        ("$1,299.00", 1299.0, None),
        ("1.299,00 €", 1299.0, "EUR"),
        ("USD 12.50", 12.5, "USD"),
        ("12,5", 12.5, None),
        ("£85.00", 85.0, "GBP"),
        ("1'299.50 CHF", 1299.5, "CHF"),
        ("￥9,800", 9800.0, None),
        ("￥９，８００", 9800.0, None),
        ("CHF 1’299.–", 1299.0, "CHF"),
        ("1 299,00 €", 1299.0, "EUR"),
        ("12.50 16.00", 12.5, None),
        ("12.99 USD / 15.00 USD", 12.99, "USD"),
        ("$10-$20", 10.0, None),
        ("EUR12,50", 12.5, "EUR"),
        ("US$12.99", 12.99, "USD"),
        ("A$5", 5.0, "AUD"),
        ("HK$ 480", 480.0, "HKD"),
        ("89€90", 89.9, "EUR"),
        ("1.299€95", 1299.95, "EUR"),
        ("29 € 90", 29.9, "EUR"),
        ("49:50 kr", 49.5, None),
        ("€ 49 ,95", 49.95, "EUR"),
        ("49,9O", None, None),
        ("<del>29.90</del> <ins>19.90</ins>", 19.9, None),
        ("<s>29,90 €</s> 19,90 €", 19.9, "EUR"),
        ("Pack of 6: 12.00", 12.0, None),
        ("RRP £40, our price £32", 32.0, "GBP"),
        ("UVP 49,99 € 39,99 €", 39.99, "EUR"),
        ("UVP 49,99 €", 49.99, "EUR"),
        ("RRP 20", 20.0, None),
        ("Rs.1,299", 1299.0, None),
        (".99", 0.99, None),
        ("-5.00", None, None),
        ("9" * 400, None, None),
        (12.125, 12.125, None),
        (1299, 1299.0, None),
        (float("nan"), None, None),
        ("1,234,567", 1234567.0, None),
        ("0.999", 0.999, None),
        ("0", 0.0, None),
        ("0.00", 0.0, None),
        ("12.500 KWD", 12.5, "KWD"),
        ("KWD 1,250", 1.25, "KWD"),
        ("1.299 RUR", 1299.0, "RUB"),
        ("from 20 EUR", 20.0, "EUR"),
        ("statt 15,90 € nur 9,90 €", 9.9, "EUR"),
        ("was $20 now $15", 15.0, None),
        ("99 Cent", 0.99, None),
        ("on request", None, None),
        ("", None, None),
        # The number with a currency, and not what stands beside it.
        ("incl. 7% VAT: 12.80 €", 12.8, "EUR"),
        ("inkl. 19 % MwSt. CHF 49.90", 49.9, "CHF"),
        ("(20% TVA comprise) 15,00 €", 15.0, "EUR"),
        ("250 ml = 3.20 €", 3.2, "EUR"),
        ("5 m - 8.50 €", 8.5, "EUR"),
        ("Set of six - $24.99", 24.99, None),
        ("3 ft - $7.50", 7.5, None),
        ("4 colours from $39", 39.0, None),
        ("3er-Set 29,90 €", 29.9, "EUR"),
        ("pack 4 £8.00", 8.0, "GBP"),
        ("1 pair = $20", 20.0, None),
        ("1 Paar für 20 €", 20.0, "EUR"),
        ("10€ 5", 10.0, "EUR"),
        ("2 $10", 10.0, None),
        ("19 Euro 50", 19.0, None),
        ("$12.50 per pair", 12.5, None),
        ("500 ml 3,90", 3.9, None),
        ("12 pcs / 4.99 EUR (0.42 EUR/pc)", 4.99, "EUR"),
        ("10 EUR (Grundpreis: 5 EUR)", 10.0, "EUR"),
        # One currency for both.
        ("10-20 €", 10.0, "EUR"),
        ("ab 10 bis 20 €", 10.0, "EUR"),
        ("12,90 / 15,90 €", 12.9, "EUR"),
        ("12.50 16.00 EUR", 12.5, "EUR"),
        ("Set of 6 - 24.99 €", 24.99, "EUR"),
        ("Set of 6 - 25 €", None, None),
        ("25 KM", 25.0, None),
        # What several cost, and which of two is unclear.
        ("3/$10", None, None),
        ("2 kg für 4.99 €", None, None),
        ("3 Hefte für nur 14,85 EUR", None, None),
        ("5 for £20", None, None),
        ("Buy 3 save $5: $45", None, None),
        ("Save $5: $45", None, None),
        ("750 g", None, None),
        # Thousands and more.
        ("€320k", 320_000.0, "EUR"),
        ("$1.5M", 1_500_000.0, None),
        ("12k", 12_000.0, None),
        ("10 k€", 10_000.0, "EUR"),
        ("450 TEUR", 450_000.0, None),
        ("3,5 Mio. €", 3_500_000.0, "EUR"),
        ("2.1 million USD", 2_100_000.0, "USD"),
        ("₹ 2.5 lakh", 250_000.0, "INR"),
        ("₹1.2 Cr", 12_000_000.0, "INR"),
        ("¥3.5万", 35_000.0, None),
        ("12.8万元", 128_000.0, None),
        ("1.2億円", 120_000_000.0, "JPY"),
        ("3,5 тыс. руб.", 3500.0, "RUB"),
        ("1万2800円", None, None),
        ("1.250 Mio. €", None, None),
        ("12 K", None, None),
        ("5 m", None, None),
        ("3 M", None, None),
        # Three digits that are no group.
        ("1234.500", 1234.5, None),
        ("0,125 €", 0.125, "EUR"),
        # Two amounts of which nobody can tell the price.
        *((text, None, None) for text in ("$10.00$8.00", "$10.00 $8.00", "$10.00 – $8.00", "$10 | $8", "$10$80")),
        *((text, None, None) for text in ("10,00 € 8,00 €", "10,00€8,00€", "10,00 €8,00 €", "USD 10 USD 8")),
        ("CHF 10.- CHF 8.-", None, None),
        ("$8.00 – $10.00", 8.0, None),
        ("8,00 € - 10,00 €", 8.0, "EUR"),
        ("10,00 € 10,00 €", 10.0, "EUR"),
        ("10.00 EUR (11.50 USD)", 10.0, "EUR"),
        ("£10.00 (£8.33 ex VAT)", 10.0, "GBP"),
        ("UVP 12,00 € 10,00 €", 10.0, "EUR"),
        # What a measure of it costs.
        ("0,80 €/100 g 8,00 €", 8.0, "EUR"),
        ("8,00 € (0,80 €/100 g)", 8.0, "EUR"),
        ("£0.80/100g £8.00", 8.0, "GBP"),
        ("19,90 €/kg 4,98 €", 4.98, "EUR"),
        ("19,90 EUR je kg / 4,98 EUR", 4.98, "EUR"),
        ("$1.20/oz $14.40", 14.4, None),
        ("Rs. 120/kg Rs. 60", 60.0, None),
        ("€1.99/kg", None, None),
        ("12 € / m²", None, None),
        ("$1,299.99/month x 12", None, None),
        ("5 €/Stück", 5.0, "EUR"),
    ],
)
def test_prices(text: str | float, amount: float | None, currency: str | None) -> None:
    assert parse_price(text) == (amount, currency)


@pytest.mark.parametrize(
    ("column", "first"),
    [
        (["1.299", "12,50", "9,90"], 1299.0),
        (["1.299", "12.50", "9.9"], 1.299),
        (["1,299", "12.50"], 1299.0),
        (["1.299", "1.399"], 1299.0),
        (["1.299,00", "5"], 1299.0),
        (["1.299", "12,50", "9.90"], 1299.0),
        (["1.299", "$ 12.50"], 1.299),
        (["1.299 EUR", "12.50"], 1.299),
        # Of another currency it says nothing: these have no decimals.
        (["950.000 ₫", "US$ 12.50"], 950_000.0),
        (["JPY 1.200", "US$ 12.50", "EUR 3.20"], 1200.0),
        (["Rp 150.000", "Rs. 1,25,000.00"], 150_000.0),
        # Three digits behind a 0 or four others, or more than three, are decimals.
        (["1.125", "0.050", "12.375"], 1.125),
        (["1,125 €", "0,125 €"], 1.125),
        (["1.125", "12.37500"], 1.125),
        (["1.125", "1234.500"], 1.125),
        (["15,800円", "$1.299,00"], 15_800.0),
    ],
)
def test_a_column_has_one_decimal_mark_a_currency(column: list[str], first: float) -> None:
    assert parse_price(column[0], marks=decimal_marks(column))[0] == first
