"""Products whose variants stand within them, as JSON of shops' interfaces has it: Shopify's, commercetools', others'.

https://shopify.dev/docs/api/admin-rest/latest/resources/product, https://docs.commercetools.com/api/projects/products
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reaseq.knowledge_store.feeds.columns import TITLES, folded
from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.rows import (
    ONLY_NAMED,
    BadRow,
    Record,
    Row,
    Variant,
    flat,
    identifier,
    in_major,
    text_of,
)

MARKS = (("variants",), ("masterData.current.variants",))
_CURRENT = "masterData.current."
"""Where commercetools keeps what is published of a product."""
FIELDS = {"id": "id"}
MARKS_OF_BULK = ("__parentId",)
_IDS = ("sku", "id", "variant_id", "variantId", "barcode", "gtin", "ean")
_IDS_OF_PRODUCTS = ("id", "product_id", "productId", "sku", "key", "handle")
_CALLED = ("name", "option_display_name", "option")
_MASTER = "masterVariant."
_PRICES = ("sale_price", "salePrice", "calculated_price", "current_price", "price")
_AMOUNTS = ("amount", "value", "sale", "text", "regular")
_CODES = ("currency_code", "currencyCode", "currency")
_DAYS = ("date_on_sale_from", "date_on_sale_to")
_OPTIONS = ("size", "color", "colour", "material", "style", "pattern", "width", "length", "flavor", "flavour")
_PAIRS = ("selectedOptions", "selected_options", "options", "attributes", "option_values")
"""Lists of names with values that a variant may have."""


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products with their variants; rows whose variants are no list of objects stay as they are."""
    for row in found:
        if isinstance(row, Record) and f"{_CURRENT}variants" in row.values:
            row = row._replace(values={name.removeprefix(_CURRENT): value for name, value in row.values.items()})
        listed = row.values.get("variants") if isinstance(row, Record) else None
        if isinstance(row, BadRow) or not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            if isinstance(row, Record) and not row.values.get("id"):  # as those beside it are called
                own = next((identifier(row.values[name]) for name in _IDS_OF_PRODUCTS if row.values.get(name)), "")
                row = row._replace(values={**row.values, "id": own})
            yield row
            continue
        values = {name: value for name, value in row.values.items() if name not in ("variants", "options")}
        if master := {
            name.removeprefix(_MASTER): values.pop(name) for name in list(values) if name.startswith(_MASTER)
        }:
            listed = [master, *listed]  # of commercetools: the first of its variants
        product_id = next((identifier(values[name]) for name in _IDS_OF_PRODUCTS if values.get(name)), "")
        values["id"] = product_id
        names = _option_names(row.values.get("options"))
        prices = [_price(one) for one in listed]
        titled = any(values.get(name) for name in values if folded(name.partition(".")[0]) in TITLES)
        unpriced = titled and not any(values.get(name) for name in _PRICES)
        if (
            unpriced
            and "currency" not in values
            and (named := next((one for one in map(_currency, prices) if one), ""))
        ):
            values["currency"] = named
        variants = []
        for one, price in zip(listed, prices, strict=True):
            chosen = _options(one, names)
            own = next((identifier(one[name]) for name in _IDS if one.get(name)), "") or "/".join(
                [product_id, *chosen.values()]
            )
            called = tuple((name, one[name]) for name in _IDS if one.get(name))
            if not chosen and titled and len(listed) == 1:
                values |= {f"variant {name}": value for name, value in called}  # it is the product
                values |= {"price": price} if price and unpriced else {}
                continue
            if not chosen and titled:
                chosen = {ONLY_NAMED: text_of(one.get("title") or one.get("name")).strip() or own}
            if chosen or called:
                known = (*_IDS, *_PRICES, "prices", *chosen, *_PAIRS, "option1", "option2", "option3", "title")
                own_cells = {name: value for name, value in flat(one).items() if name.partition(".")[0] not in known}
                variants.append(Variant(own, product_id, chosen, price, called, own_cells))
        yield Record(row.line, values, tuple(variants))


def rows_of_bulk(found: Iterable[Row]) -> Iterator[Row]:
    """Shopify's bulk operations: a product a line, and of what belongs to it a line each, which names it
    (https://shopify.dev/docs/api/usage/bulk-operations/queries)."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        parent = identifier(row.values.get("__parentId"))
        if not parent:
            yield from rows([row])
            continue
        cells = {name: value for name, value in row.values.items() if name != "__parentId"}
        is_variant = any(cells.get(name) for name in (*_IDS[:1], *_PRICES, "barcode")) or _options(cells, [])
        whole = {"id": parent, "variants": [cells] if is_variant else []}
        yield from (
            made._replace(product=False) for made in rows([Record(row.line, whole)]) if isinstance(made, Record)
        )


def _option_names(options: Any) -> list[str]:
    if not isinstance(options, list):
        return []
    return [text_of(one.get("name")) if isinstance(one, dict) else text_of(one) for one in options]


def _options(variant: Mapping[str, Any], names: list[str]) -> dict[str, str]:
    """What a variant differs by; Shopify's `option1` stands for the first of `names`."""
    found: dict[str, str] = {}
    for number in (1, 2, 3):
        if value := text_of(variant.get(f"option{number}")).strip():
            found[names[number - 1] if number <= len(names) else f"Option{number}"] = value
    for pairs in (variant.get(name) for name in _PAIRS):
        if isinstance(pairs, dict):  # {"Size": "S"}
            found |= {name: text_of(value) for name, value in pairs.items() if not isinstance(value, dict | list)}
        for one in pairs if isinstance(pairs, list) else []:
            said = (
                next((one[key] for key in ("value", "label") if one.get(key)), None) if isinstance(one, dict) else None
            )
            name = next((_said(one[key]) for key in _CALLED if one.get(key)), "") if said is not None else ""
            if name and not isinstance(said, dict | list):
                found[name] = text_of(said)
    for name in variant:
        if folded(name) in _OPTIONS and (value := text_of(variant[name]).strip()):
            found.setdefault(name, value)
    return {} if found == {"Title": "Default Title"} else found


def _said(name: Any) -> str:
    """What an option is called, which may stand in an object of its own."""
    return (
        next((text_of(name[key]) for key in ("title", "name") if name.get(key)), "")
        if isinstance(name, dict)
        else text_of(name)
    )


def _currency(price: Any) -> str:
    return (parse_price(price)[1] or "") if price else ""


def _price(variant: Mapping[str, Any]) -> Any:
    listed = variant.get("prices")  # of commercetools, one for each country
    of_first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    first = of_first if "amount" in of_first else None
    for price in (*(variant.get(name) for name in _PRICES), of_first.get("value"), of_first.get("price"), first):
        if isinstance(price, dict) and "centAmount" not in price:
            price = in_major(price)
            code = text_of(next((price[key] for key in _CODES if price.get(key)), "")).upper()
            price = next((price[key] for key in _AMOUNTS if price.get(key)), None)
            price = f"{price} {code}" if price is not None and code else price
        if price not in (None, "", 0, "0", "0.00") and not isinstance(price, list | dict):
            return price
        if isinstance(price, dict) and "centAmount" in price:
            return price
    return None
