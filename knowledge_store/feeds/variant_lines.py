"""Tables in which variants stand in rows below their product's, which alone says what it is called: commercetools'
export, where that row is of its first variant too, and Spree's and Rakuten's, where they repeat its slug or number.

https://github.com/commercetools/nodejs/tree/master/packages/product-json-to-csv
https://github.com/spree/spree/blob/main/docs/downloads/product_import_file_template.csv
https://navi-manual.faq.rakuten.net/rms-operation/item/csv
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reaseq.knowledge_store.feeds.columns import names_options
from reaseq.knowledge_store.feeds.prices import NO_DECIMALS
from reaseq.knowledge_store.feeds.rows import ONLY_NAMED, BadRow, Record, Row, Variant, identifier, is_empty, text_of

MARKS_OF_COMMERCETOOLS = (("productType", "variantId", "sku"), ("productType", "variantId", "prices"))
FIELDS_OF_COMMERCETOOLS = {"id": "id", "category": "categories", "price": "prices", "currency": "currency"}
MARKS_OF_SPREE = (("slug", "sku", "option1_name", "option1_value"),)
FIELDS_OF_SPREE = {
    "id": "slug",
    "title": "name",
    "price": "price",
    "list_price": "compare_at_price",
    "category": "category1",
}
_RAKUTEN_ID = "商品管理番号（商品URL）"
MARKS_OF_RAKUTEN = ((_RAKUTEN_ID, "SKU管理番号"),)
FIELDS_OF_RAKUTEN = {
    "id": _RAKUTEN_ID,
    "title": "商品名",
    "description": "商品説明文（PC用）",
    "price": "通常購入販売価格",
}
_OF_RAKUTEN = re.compile("バリエーション|商品属性（|SKU管理番号|システム連携用SKU番号")
_PRODUCT = re.compile(
    r"(?:id|key|productType|categories|tax|taxCategory|state|publish|version|categoryOrderHints|"
    r"(?:name|description|slug|meta(?:Title|Description|Keywords)|searchKeywords)(?:\..+)?)"
)
"""Columns of commercetools' products; the others are their variants'."""
_PRICE = re.compile(r"\s*(?:([A-Z]{2})-)?([A-Z]{3})\s+(\d+)(?:\|(\d+))?(?:\s.*)?")
"""`US-USD 2199|1999 group#channel`: cents, and those with a discount."""
_OPTION = re.compile(r"option(\d+)_(name|value)")


def rows_of_commercetools(found: Iterable[Row]) -> Iterator[Row]:
    product_id = ""
    for row in found:
        if isinstance(row, BadRow):
            product_id = ""  # what follows may be its
            yield row
            continue
        values = {name: value for name, value in row.values.items() if name != "prices"} | _prices(row.values)
        of_product = any(_PRODUCT.fullmatch(name) and not is_empty(value) for name, value in values.items())
        sku, place = identifier(values.get("sku")), identifier(values.get("variantId"))
        if of_product:
            product_id = identifier(values.get("id")) or identifier(values.get("key")) or sku
        if not product_id or not (sku or place):
            yield row if of_product else row.set_aside("names no product, and is no variant of one above it")
            continue
        said = {name: value for name, value in values.items() if not _PRODUCT.fullmatch(name) and not is_empty(value)}
        price = said.pop("prices", None)
        names = tuple((name, said.pop(name)) for name in ("sku", "variantKey") if name in said)
        said.pop("variantId", None)
        variant = _variant(sku or f"{product_id}/{place}", product_id, said, price, names)
        kept = {name: value for name, value in values.items() if _PRODUCT.fullmatch(name)} | {"id": product_id}
        if several := [one.strip() for one in text_of(values.get("categories")).split(";") if one.strip()]:
            kept["categories"] = several
        if price:
            kept["currency"] = price.rpartition(" ")[2]
        yield Record(row.line, kept if of_product else {}, (variant,), product=of_product)


def _prices(values: Mapping[str, Any]) -> dict[str, str]:
    """The first price that is of no country alone, in the currency's own unit, and the others by their countries."""
    said = [match for part in text_of(values.get("prices")).split(";") if (match := _PRICE.fullmatch(part))]
    made: dict[str, str] = {}
    for one in sorted(said, key=lambda match: match[1] is not None):
        country, currency, listed, now = one.groups()
        decimals = 0 if currency in NO_DECIMALS else 2
        name = f"price {country or ''} {currency}".replace("  ", " ") if "prices" in made else "prices"
        made[name] = f"{int(now or listed) / 10**decimals:.{decimals}f} {currency}"
    return made


def _variant(own: str, of: str, said: Mapping[str, Any], price: Any, names: tuple[tuple[str, Any], ...]) -> Variant:
    options = {name: text_of(value) for name, value in said.items() if names_options(name)}
    rest = {name: value for name, value in said.items() if name not in options}
    return Variant(own, of, options or {ONLY_NAMED: own}, price, names, rest)


def rows_of_spree(found: Iterable[Row]) -> Iterator[Row]:
    product_id = ""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values, called = row.values, identifier(row.values.get("slug"))
        chosen: dict[str, dict[str, str]] = {}
        for column, value in values.items():
            if (found_in := _OPTION.fullmatch(column)) and not is_empty(value):
                chosen.setdefault(found_in[1], {})[found_in[2]] = text_of(value).strip()
        options = {one["name"]: one["value"] for one in chosen.values() if one.keys() == {"name", "value"}}
        own = {name: value for name, value in values.items() if not _OPTION.fullmatch(name) and not is_empty(value)}
        titled = not is_empty(values.get("name"))
        if titled:
            product_id = called or identifier(values.get("sku")) or text_of(values["name"]).strip()
        if not options and titled:
            product = own | {"slug": product_id}
            if not values.get("sku"):
                product.pop("price", None)  # 0, where its variants say what it costs
            yield Record(row.line, product)
            continue
        if not options or not product_id or called not in ("", product_id):
            yield row.set_aside("has no name, and is no variant of a product above it")
            continue
        product = {name: own[name] for name in own if titled and name not in ("sku", "price", "compare_at_price")}
        sku, price = identifier(own.pop("sku", None)), own.pop("price", None)
        cells = {name: value for name, value in own.items() if name != "slug" and name not in product}
        names = (("sku", sku),) if sku else ()
        variant = Variant(sku or "/".join([product_id, *options.values()]), product_id, options, price, names, cells)
        yield Record(row.line, product | {"slug": product_id} if titled else {}, (variant,), product=titled)


def rows_of_rakuten(found: Iterable[Row]) -> Iterator[Row]:
    product_id, names = "", dict[str, str]()
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values, of = row.values, identifier(row.values.get(_RAKUTEN_ID))
        own = {name: value for name, value in values.items() if not is_empty(value) and not _OF_RAKUTEN.match(name)}
        for column, name in list(values.items()):
            value = values.get(column.replace("項目", "値"))
            if column.startswith("商品属性（項目）") and not is_empty(name) and not is_empty(value):
                own[text_of(name).strip()] = value
        if not is_empty(values.get("商品名")):
            keys, called = (text_of(values.get(f"バリエーション項目{what}定義")).split("|") for what in ("キー", "名"))
            product_id, names = of, dict(zip(keys, called, strict=False))
            yield Record(row.line, own)
            continue
        if not of or of != product_id:
            yield row.set_aside("has no name, and is no variant of a product above it")
            continue
        options = {
            names.get(key) or key: text_of(values.get(column.replace("キー", "選択肢"))).strip()
            for column, said in values.items()
            if column.startswith("バリエーション項目キー") and (key := text_of(said).strip())
        }
        sku = identifier(values.get("システム連携用SKU番号"))
        managed = identifier(values.get("SKU管理番号"))
        price = own.pop(FIELDS_OF_RAKUTEN["price"], None)
        called_so = tuple((name, values[name]) for name in ("システム連携用SKU番号", "カタログID") if values.get(name))
        own_id = managed if managed and options else sku or f"{of}/{managed}"
        said = {name: value for name, value in own.items() if name not in (_RAKUTEN_ID, *dict(called_so))}
        variant = Variant(own_id, of, options or {ONLY_NAMED: own_id}, price, called_so, said)
        yield Record(row.line, {}, (variant,), product=False)
