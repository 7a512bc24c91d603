"""Products whose variants stand within them, as JSON of shops' interfaces has it: Shopify's, commercetools', others'.

https://shopify.dev/docs/api/admin-rest/latest/resources/product, https://docs.commercetools.com/api/projects/products
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, flat, identifier, text_of

MARKS = ("variants",)
FIELDS = {"id": "id"}
MARKS_OF_BULK = ("__parentId",)
_IDS = ("sku", "id", "variant_id", "variantId", "barcode", "gtin", "ean")
_IDS_OF_PRODUCTS = ("id", "product_id", "productId", "sku", "key", "handle")
_PRICES = ("price", "sale_price", "salePrice", "current_price")
_OPTIONS = ("size", "color", "colour", "material", "style", "pattern", "width", "length", "flavor", "flavour")
_PAIRS = ("selectedOptions", "selected_options", "options", "attributes")
"""Lists of names with values that a variant may have."""


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products with their variants; rows whose variants are no list of objects stay as they are."""
    for row in found:
        listed = row.values.get("variants") if isinstance(row, Record) else None
        if isinstance(row, BadRow) or not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            if isinstance(row, Record) and not row.values.get("id"):  # as those beside it are called
                own = next((identifier(row.values[name]) for name in _IDS_OF_PRODUCTS if row.values.get(name)), "")
                row = row._replace(values={**row.values, "id": own})
            yield row
            continue
        values = {name: value for name, value in row.values.items() if name not in ("variants", "options")}
        product_id = next((identifier(values[name]) for name in _IDS_OF_PRODUCTS if values.get(name)), "")
        values["id"] = product_id
        names = _option_names(row.values.get("options"))
        prices = [_price(one) for one in listed]
        if not any(values.get(name) for name in _PRICES) and (price := next(filter(None, prices), None)):
            values["price"] = price
        variants = []
        for one, price in zip(listed, prices, strict=True):
            chosen = _options(one, names)
            own = next((identifier(one[name]) for name in _IDS if one.get(name)), "") or "/".join(
                [product_id, *chosen.values()]
            )
            if chosen:
                called = tuple((name, one[name]) for name in _IDS if one.get(name))
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
        is_variant = "/ProductVariant/" in text_of(cells.get("id")) or _options(cells, [])
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
        for one in pairs if isinstance(pairs, list) else []:
            if isinstance(one, dict) and one.get("name") and not isinstance(one.get("value"), dict | list | None):
                found[text_of(one["name"])] = text_of(one["value"])
    for name in variant:
        if folded(name) in _OPTIONS and (value := text_of(variant[name]).strip()):
            found.setdefault(name, value)
    return {} if found == {"Title": "Default Title"} else found


def _price(variant: Mapping[str, Any]) -> Any:
    listed = variant.get("prices")  # of commercetools, one for each country
    of_first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    for price in (*(variant.get(name) for name in _PRICES), of_first.get("value"), of_first.get("price")):
        if isinstance(price, dict) and "centAmount" not in price:
            price = price.get("amount") or price.get("value")
        if price not in (None, "") and not isinstance(price, list):
            return price
    return None
