"""Columns of prices by the words of their names, and what stands beside them."""

import pytest

from reaseq.knowledge_store.feeds.columns import folded, guess_columns, unread_prices
from reaseq.knowledge_store.feeds.price_names import PriceKind, price_kind


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("Price", "plain"),
        ("price_gross", "plain"),
        ("VK-Preis", "plain"),
        ("Preis inkl. MwSt.", "plain"),
        ("Angebotspreis", "now"),
        ("Neuer Preis", "now"),
        ("Ladenpreis", "now"),
        ("Our price", "now"),
        ("Prix promo TTC", "now"),
        ("Regulärer Preis", "otherwise"),
        ("Alter Preis", "otherwise"),
        ("Listenpreis", "otherwise"),
        ("Tarif régulier", "otherwise"),
        ("UVP brutto", "recommended"),
        ("M.R.P.", "recommended"),
        ("Compare-at price", "recommended"),
        ("Ord. pris", "otherwise"),
        ("Rek.pris", "recommended"),
        ("Empf. Preis", "recommended"),
        ("PVP recomendado", "recommended"),
        ("PVP", "plain"),
        ("TTC", "plain"),
        ("سعر المنتج", "plain"),
        ("EK-Preis", "unknown"),
        ("Versandpreis", "unknown"),
        ("Grundpreis", "unknown"),
        ("Price tax excluded", "unknown"),
        ("price_cents", "unknown"),
        ("price per kg", "unknown"),
        ("Color", None),
        ("now", None),
    ],
)
def test_kinds(column: str, kind: str | None) -> None:
    assert price_kind(folded(column)) == (None if kind is None else PriceKind(kind))


@pytest.mark.parametrize(
    ("columns", "price", "list_price"),
    [
        ("Artikelnummer|Bezeichnung|EK-Preis|VK-Preis|UVP", "VK-Preis", "UVP"),
        ("Artikelnummer|Lager|Regulärer Preis|Angebotspreis", "Angebotspreis", "Regulärer Preis"),
        ("Artikelnr|Alter Preis|Neuer Preis", "Neuer Preis", "Alter Preis"),
        ("Artikelnr|Artikelnamn|Pris inkl. moms|Ord. pris", "Pris inkl. moms", "Ord. pris"),
        ("Artikelnr|Artikelnamn|Pris inkl moms|Ord.pris", "Pris inkl moms", "Ord.pris"),
        ("id|name|Preis inkl. MwSt.|unverb. Preis", "Preis inkl. MwSt.", "unverb. Preis"),
        ("id|name|Prijs incl. btw|Adv. prijs", "Prijs incl. btw", "Adv. prijs"),
        ("Código|Nombre|PVP", "PVP", None),
        ("id|TTC", "TTC", None),
        ("sku|name|Was|Now", "Now", "Was"),
        ("sku|name|UVP brutto|EK netto", None, "UVP brutto"),
        ("id|name|price|shipping.country|shipping.price", "price", None),
        ("id|name|price.amount|price.currency|shipping.price", "price.amount", None),
        ("id|name|offers.price", "offers.price", None),
        ("product.id|product.name|product.price|product.shipping.price", "product.price", None),
        ("sku|name|price_cents", None, None),
        ("EAN|Preis (ct)", None, None),
        ("sku|name|Price (pence)", None, None),
        ("sku|name|Preis (in Tsd. EUR)", None, None),
        ("sku|name|Price (EUR)|Price (cents)", "Price (EUR)", None),
        ("sku|Preis 2019|Preis 2020", "Preis 2020", None),
        ("sku|2020 price|2099 price", "2020 price", None),
        ("sku|Preis 2098|Preis 2099", "Preis 2098", None),
        ("sku|name|Preis 2020", "Preis 2020", None),
        ("sku|name|price-EUR|price-CHF", "price-EUR", None),
        ("id|name|Price (tax excl.)|Price (tax incl.)", "Price (tax incl.)", "Price (tax excl.)"),
        ("id|name|Preis (netto)|Preis (brutto)", "Preis (brutto)", "Preis (netto)"),
        ("id|name|Prix (HT)|Prix (TTC)", "Prix (TTC)", "Prix (HT)"),
        ("id|name|Price (without tax)|Price (with tax)", "Price (with tax)", "Price (without tax)"),
        ("id|name|Price (net)|Price (gross)|Old price (gross)", "Price (gross)", "Old price (gross)"),
        (
            "id|name|Price (tax excl.)|Price (tax incl.)|Sale price (tax excl.)|Sale price (tax incl.)",
            "Sale price (tax incl.)",
            "Price (tax incl.)",
        ),
        ("ID oferty|Cena PL|Cena promocyjna", "Cena promocyjna", "Cena PL"),
        ("SKU|Product|RRP|Was|Now", "Now", "Was"),
        ("SKU|Product|RRP|Price|Was", "Price", "Was"),
        ("Product ID|Name *|Price tax excluded|Wholesale price", "Price tax excluded", None),
        ("sku|name|Nettopreis|EK-Preis", "Nettopreis", None),
        ("sku|name|prix HT", "prix HT", None),
        ("id|name|price.net", "price.net", None),
        ("id|name|shipping.price.net", None, None),
        ("sku|name|Händlerpreis netto", None, None),
        ("sku|name|Nettopreis|UVP", None, "UVP"),  # what it costs, or what the shop pays?
        ("sku|name|price excl. tax|sale price", "sale price", None),
        ("sku|name|Price tax excluded|Price tax included", "Price tax included", "Price tax excluded"),
    ],
)
def test_guess(columns: str, price: str | None, list_price: str | None) -> None:
    mapping = guess_columns(columns.split("|"))
    assert (mapping.get("price"), mapping.get("list_price")) == (price, list_price)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("id|name|related.product.id|related.product.name", {"id": "id", "title": "name"}),
        ("sku|title|brand.id|brand.name", {"id": "sku", "title": "title", "brand": "brand.name"}),
        ("id|properties.name|properties.sku", {"id": "id", "title": "properties.name"}),
        ("product.id|product.name|product.seller.name", {"id": "product.id", "title": "product.name"}),
    ],
)
def test_what_is_its_own_comes_first(columns: str, expected: dict[str, str]) -> None:
    assert guess_columns(columns.split("|")) == expected


def test_prices_that_nobody_took_are_named() -> None:
    assert unread_prices(["sku", "price_cents", "color"], {"id": "sku"}) == ["price_cents"]
    assert unread_prices(["sku", "price", "EK-Preis"], {"id": "sku", "price": "price"}) == []
    assert unread_prices(["sku", "Wholesale price", "price_cents"], {"id": "sku"}) == ["price_cents"]
    mapping = {"id": "sku", "list_price": "UVP"}
    assert unread_prices(["sku", "UVP", "Abholpreis", "EK-Preis"], mapping) == ["Abholpreis"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("販売価格（税込）", "now"),
        ("税込価格", "plain"),
        ("単価", "plain"),
        ("定価", "otherwise"),
        ("希望小売価格", "recommended"),
        ("セール価格", "now"),
        ("税抜価格", "unknown"),
        ("促销价", "now"),
        ("原价", "otherwise"),
        ("市场价", "recommended"),
        ("会員価格", "unknown"),
        ("Kampanjpris", "now"),
        ("Ord. pris", "otherwise"),
        ("Pris ink. moms", "plain"),
        ("Pris exkl. moms", "unknown"),
        ("Cena s DPH", "plain"),
        ("Cena bez DPH", "unknown"),
        ("Cena netto", "unknown"),
        ("Hinta sis. alv", "plain"),
        ("Prix HT", "unknown"),
    ],
)
def test_kinds_in_other_languages(column: str, kind: str) -> None:
    assert price_kind(folded(column)) == PriceKind(kind)


@pytest.mark.parametrize(
    ("without", "within"),
    [
        ("PRICE", "PRICE_VAT"),
        ("Cena", "Cena brutto"),
        ("Prix", "Prix TTC"),
        ("Preis", "Preis inkl. MwSt."),
        ("Price", "Price incl. tax"),
        ("価格", "税込価格"),
        ("Pris", "Pris ink. moms"),
        ("Prijs", "Prijs incl. btw"),
        ("Price excl. VAT", "Price incl. VAT"),
        ("Prezzo", "Prezzo IVA inclusa"),
        ("Цена без НДС", "Цена с НДС"),
    ],
)
def test_the_price_that_people_pay(without: str, within: str) -> None:
    for columns in (("id", "name", without, within), ("id", "name", within, without)):
        assert guess_columns(columns)["price"] == within
