"""Products whose variants stand within them, as JSON of shops' interfaces has it: Shopify's, commercetools', others'.

https://shopify.dev/docs/api/admin-rest/latest/resources/product, https://docs.commercetools.com/api/projects/products
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reaseq.knowledge_store.feeds.columns import TITLES, apart, cost, fields_among, folded, is_of_a_sale
from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.rows import (
    LANGUAGE,
    MINOR_UNITS,
    ONLY_NAMED,
    BadRow,
    Record,
    Row,
    Variant,
    flat,
    identifier,
    in_major,
    is_empty,
    text_of,
)

_WITHIN = ("masterData.current.", "product.", "data.product.")
"""Where commercetools keeps what is published of a product, and what interfaces answer of one."""
MARKS = (("variants",), *((f"{within}variants",) for within in _WITHIN))
FIELDS = {"id": "id"}
MARKS_OF_BULK = ("__parentId",)
_IDS = ("sku", "id", "variant_id", "variantId", "barcode", "gtin", "ean")
_PLAIN = {folded(name): name for name in (*_IDS, "name", "title", "price")}
_IDS_OF_PRODUCTS = ("id", "product_id", "productId", "sku", "key", "handle")
_CALLED = ("name", "option_display_name", "option")
_MASTER = "masterVariant."
_PRICES = ("sale_price", "salePrice", "calculated_price", "current_price", "price")
_AMOUNTS = ("amount", "value", "sale", "text", "regular")
_CODES = ("currency_code", "currencyCode", "currency")
_DAYS = ("date_on_sale_from", "date_on_sale_to")
_OPTIONS = ("size", "color", "colour", "material", "style", "pattern", "width", "length", "flavor", "flavour")
_MOST_VARIANTS = 200
_PAIRS = ("selectedOptions", "selected_options", "options", "attributes", "option_values")
"""Names with values that a variant may have."""
_LISTS_OF_PAIRS = (*_PAIRS, "option", "attribute", "properties", "property", "params", "param", "variation_attributes")
"""The same where each stands beside the word that it is one."""


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products with their variants; rows whose variants are no list of objects stay as they are."""
    for row in found:
        within = next((one for one in _WITHIN if f"{one}variants" in row.values), "") if isinstance(row, Record) else ""
        if isinstance(row, Record) and within:
            row = row._replace(values={name.removeprefix(within): value for name, value in row.values.items()})
        listed = row.values.get("variants") if isinstance(row, Record) else None
        if isinstance(row, BadRow) or not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            if isinstance(row, Record):  # as those beside it are called
                row = row._replace(values=row.values | _id_of(row.values) | _currency_of(row.values, [], []))
            yield row
            continue
        listed = [_with_plain_names(one) for one in listed]
        values = {name: value for name, value in row.values.items() if name not in ("variants", "options")}
        if master := {
            name.removeprefix(_MASTER): values.pop(name) for name in list(values) if name.startswith(_MASTER)
        }:
            listed = [master, *listed]  # of commercetools: the first of its variants
        values |= _id_of(values)
        product_id = values.get("id", "")
        names = _option_names(row.values.get("options"))
        languages = [name.partition(".")[2] for name in values if folded(name.partition(".")[0]) in TITLES]
        # Where a variant stands in its product is no name of it.
        ids = _IDS if not _are_positions(listed) else tuple(name for name in _IDS if name != "id")
        prices = [_price(one, values) for one in listed]
        titled = any(values.get(name) for name in values if folded(name.partition(".")[0]) in TITLES)
        titled = titled or not is_empty(values.get(fields_among(tuple(values)).get("title", "")))
        unpriced = titled and is_empty(cost(values, fields_among(tuple(values))))
        if titled:
            values |= _currency_of(values, listed, prices)
        variants = []
        for one, price in zip(listed, prices, strict=True):
            chosen = _options(one, names, languages)
            own = next((identifier(one[name]) for name in ids if one.get(name)), "") or "/".join(
                [product_id, *(chosen.values() or [identifier(one.get("id"))])]
            )
            called = tuple((name, one[name]) for name in ids if one.get(name))
            if not chosen and titled and len(listed) == 1:
                values |= {f"variant {name}": value for name, value in called}  # it is the product
                values |= {"price": price} if unpriced and not is_empty(price) else {}
                continue
            if not chosen and titled:
                chosen = {ONLY_NAMED: text_of(one.get("title") or one.get("name")).strip() or own}
            if chosen or called:
                known = (
                    *_IDS,
                    *_PRICES,
                    "prices",
                    *chosen,
                    *_read_pairs(one),
                    "option1",
                    "option2",
                    "option3",
                    "title",
                )
                cells = flat(one)
                priced = fields_among(tuple(cells)).get("price", "")
                own_cells = {name: value for name, value in cells.items()
                             if name.partition(".")[0] not in known and name != priced}  # fmt: skip
                variants.append(Variant(own, product_id, chosen, price, called, own_cells))
        yield Record(row.line, values, tuple(variants))


def _are_positions(variants: Sequence[Mapping[str, Any]]) -> bool:
    """Are the ids of variants but their places, 1, 2 and so on? Without gaps, but for those that were removed."""
    numbers = [one.get("id") for one in variants]
    whole = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
    return bool(whole) and len(whole) == len(numbers) and whole[0] == 1 and max(whole) < _MOST_VARIANTS


def rows_of_bulk(found: Iterable[Row]) -> Iterator[Row]:
    """Shopify's bulk operations: a product a line, and of what belongs to it a line each, which names it
    (https://shopify.dev/docs/api/usage/bulk-operations/queries)."""
    family: list[Record] = []
    for row in found:
        if isinstance(row, BadRow) or not _parent_of(row):
            yield from _of_family(family)
            family = []
        if isinstance(row, BadRow):
            yield row
        else:
            family.append(row)
    yield from _of_family(family)


def _parent_of(row: Record) -> str:
    return identifier(row.values.get("__parentId"))


def _of_family(family: Sequence[Record]) -> Iterator[Row]:
    """A product and the lines below it. What metafields say is said of what they name."""
    fields: dict[str, dict[str, Any]] = {}
    ids = {identifier(row.values.get("id")): row.values for row in family if not _is_metafield(row)}
    for row in filter(_is_metafield, family):
        name = apart(text_of(row.values["key"]), ids.get(_parent_of(row), ()))
        fields.setdefault(_parent_of(row), {})[name] = row.values["value"]
    for row in family:
        parent = _parent_of(row)
        if _is_metafield(row):
            reason = f"is a metafield of {parent}, which is not above it"
            known = parent in ids
            yield Record(row.line, {}, product=False) if known else row.set_aside(reason)
            continue
        cells = {name: value for name, value in row.values.items() if name != "__parentId"}
        more = fields.get(identifier(cells.get("id")), {})
        if not parent:
            yield from rows([row._replace(values=cells | more)])
            continue
        is_variant = any(cells.get(name) for name in (*_IDS[:1], *_PRICES, "barcode")) or _options(cells, [])
        whole = {"id": parent, "variants": [cells] if is_variant else []}
        for made in rows([Record(row.line, whole)]):
            if isinstance(made, Record):
                variants = (one._replace(attributes={**one.attributes, **more}) for one in made.variants)
                yield made._replace(product=False, variants=tuple(variants))


def _is_metafield(row: Record) -> bool:
    return (
        bool(_parent_of(row)) and bool(text_of(row.values.get("key"))) and row.values.keys() >= {"namespace", "value"}
    )


def _option_names(options: Any) -> list[str]:
    if not isinstance(options, list):
        return []
    return [text_of(one.get("name")) if isinstance(one, dict) else text_of(one) for one in options]


def _options(variant: Mapping[str, Any], names: list[str], languages: Sequence[str] = ()) -> dict[str, str]:
    """What a variant differs by; Shopify's `option1` stands for the first of `names`."""
    found: dict[str, str] = {}
    for number in (1, 2, 3):
        if value := text_of(variant.get(f"option{number}")).strip():
            found[names[number - 1] if number <= len(names) else f"Option{number}"] = value
    for name, pairs in _read_pairs(variant).items():
        found |= _of_pairs(name, pairs, languages)
    for name in variant:
        if folded(name) in _OPTIONS and (value := _in_words(variant[name], languages)):
            found.setdefault(name, value)
    return {} if found == {"Title": "Default Title"} else found


def _read_pairs(variant: Mapping[str, Any]) -> dict[str, Any]:
    """A variant's cells that hold names with values."""
    cells = {name: variant[name] for name in _LISTS_OF_PAIRS if name in variant}
    return {name: value for name, value in cells.items() if name in _PAIRS or _of_pairs(name, value)}


def _of_pairs(name: str, pairs: Any, languages: Sequence[str] = ()) -> dict[str, str]:
    found = {}
    if isinstance(pairs, dict) and name in _PAIRS:  # {"Size": "S"}
        found = {name: _in_words(value, languages) for name, value in pairs.items()}
    for one in pairs if isinstance(pairs, list) else []:
        values = [one[key] for key in ("value", "label") if not is_empty(one.get(key))] if isinstance(one, dict) else []
        called = next((_said(one[key]) for key in _CALLED if one.get(key)), "") if values else ""
        if called and (said := _in_words(values[0], languages)):
            found[called] = said
    return found


def _in_words(value: Any, languages: Sequence[str] = ()) -> str:
    """What a value says that may be an object: commercetools' enums by their labels, texts of several languages in the
    first of `languages`, money with its currency, sets with commas between
    (https://docs.commercetools.com/api/projects/productTypes#attributetype)."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_in_words(one, languages) for one in value)))
    if not isinstance(value, dict):
        return text_of(value).strip()
    made = in_major(value)
    if made.keys() >= {"amount", "currencyCode"}:
        return f"{made['amount']} {made['currencyCode']}"
    for key in ("label", "value", "name"):
        if not is_empty(value.get(key)):
            said = _in_words(value[key], languages)
            named = key == "value" and not is_empty(value.get("name"))
            return f"{_in_words(value['name'], languages)}: {said}" if named else said
    if value and all(LANGUAGE.fullmatch(key) and isinstance(text, str) for key, text in value.items()):
        own = next((one for one in languages if value.get(one)), next(filter(value.get, value), ""))
        return text_of(value.get(own)).strip()
    return text_of(value.get("key") or value.get("id") or value)


def _said(name: Any) -> str:
    """What an option is called, which may stand in an object of its own."""
    return (
        next((text_of(name[key]) for key in ("title", "name") if name.get(key)), "")
        if isinstance(name, dict)
        else text_of(name)
    )


def _id_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The id of a product, where a cell that is known to hold one does."""
    own = next((identifier(values[name]) for name in _IDS_OF_PRODUCTS if values.get(name)), "")
    own = own or identifier(values.get(fields_among(tuple(values)).get("id", "")))
    return {"id": own} if own else {}


def _with_plain_names(variant: Mapping[str, Any]) -> dict[str, Any]:
    """A variant with its codes and its name as they are called here, however they are spelt (`SKU`, `VariantID`)."""
    return {
        name if name in _IDS else _PLAIN.get(folded(name).removeprefix("product "), name): value
        for name, value in variant.items()
    }


def _currency_of(
    values: Mapping[str, Any], variants: Sequence[Mapping[str, Any]], prices: Sequence[Any]
) -> dict[str, str]:
    """The currency of a product that has no cell for it by itself: of its price, else of its variants'."""
    if not is_empty(values.get("currency")):
        return {}
    told = text_of(values.get(fields_among(tuple(values)).get("currency", "")))
    of_variants = (
        (parse_price(price)[1] if price else "") or text_of(next((one[key] for key in _CODES if one.get(key)), ""))
        for one, price in zip(variants, prices, strict=True)
    )
    told = told or next(filter(None, of_variants), "")
    return {"currency": told} if told else {}


def _price(variant: Mapping[str, Any], of_product: Mapping[str, Any]) -> Any:
    """What a variant costs; in minor units where its product's price says how many decimals these have."""
    said = [(name, price) for name, price in _prices(variant, of_product) if not is_empty(price)]
    if found := next((price for _, price in said if parse_price(price)[0]), None):
        return found
    cells = {name: value for name, value in flat(variant).items() if not isinstance(value, list)}
    other = cost(cells, fields_among(tuple(cells)))
    return next((price for name, price in said if not is_of_a_sale(name)), other) if is_empty(other) else other


def _prices(variant: Mapping[str, Any], of_product: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Its prices, the most telling first."""
    listed = variant.get("prices")  # of commercetools, one for each country
    of_first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    named = [(name, variant.get(name)) for name in _PRICES]
    named += [("price", price) for price in (of_first.get("value"), of_first.get("price"))]
    named += [("price", of_first)] if "amount" in of_first else []
    for name, price in named:
        if isinstance(price, dict):
            units = {key: of_product[at] for key in MINOR_UNITS if (at := f"{name}.{key}") in of_product}
            price = in_major(price if price.keys() & {*MINOR_UNITS} else price | units)
            code = text_of(next((price[key] for key in _CODES if price.get(key)), "")).upper()
            amounts = {key: price[key] for key in _AMOUNTS if price.get(key) not in (None, "")}
            yield from ((f"{name} {key}", f"{said} {code}" if code else said) for key, said in amounts.items())
        elif not isinstance(price, list):
            yield name, price
