"""schema.org products: Product, and ProductGroup with its variants (https://schema.org/ProductGroup)."""

from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.pages import products_in
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, text_of

MARKS = ("@type",)
FIELDS = {name: name for name in ("id", "title", "description", "brand", "price", "currency", "category")}
_SIMPLE = ("color", "material", "size", "pattern", "model", "audience", "gtin", "gtin13", "gtin8", "gtin14", "mpn")
_IDS = ("sku", "productID", "productGroupID", "gtin13", "gtin", "gtin14", "gtin8", "mpn", "@id", "url")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products with the variants they list, whatever they are wrapped in; other things are passed over."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        products = list(products_in(_unflattened(row.values)))
        for values in products:
            yield _record(row.line, values)
        if not products:
            yield Record(row.line, {}, product=False)


def _record(line: int, values: dict[str, Any]) -> Record:
    own = _id(values)
    varies = {_last(name) for name in _all(values.get("variesBy"))} or {"color", "size", "pattern", "material"}
    variants = tuple(
        Variant(_id(one), own, {n: v for n in sorted(varies) if (v := _text(one.get(n)))}, _offer(one)[0])
        for one in _all(values.get("hasVariant"))
        if isinstance(one, dict) and _id(one)
    )
    price, currency = _offer(values)
    product = {
        "id": own,
        "title": _text(values.get("name")),
        "description": _text(values.get("description")),
        "brand": _text(values.get("brand")) or _text(values.get("manufacturer")),
        "price": price,
        "currency": currency,
        "category": _last(_text(values.get("category")), ">"),
    }
    more = {name: _text(values.get(name)) for name in _SIMPLE if values.get(name)}
    for one in _all(values.get("additionalProperty")):
        if isinstance(one, dict) and _text(one.get("name")):
            unit = _text(one.get("unitText")) or _text(one.get("unitCode"))
            more[_text(one.get("name"))] = f"{_text(one.get('value'))} {unit}".strip()
    return Record(line, more | product, variants)


def _unflattened(values: dict[str, Any]) -> dict[str, Any]:
    """Columns `brand.name` as `{"brand": {"name": …}}` again."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        place = made
        *outer, last = name.split(".")
        for part in outer:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = value
    return made


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    """Text, or the name of a thing; of several, the first."""
    value = value[0] if isinstance(value, list) and value else value
    if isinstance(value, dict):
        value = value.get("name") or value.get("value") or value.get("@value") or value.get("suggestedGender")
    return text_of(value).strip()


def _last(text: Any, sign: str = "/") -> str:
    return str(text).rpartition(sign)[2].strip()


def _id(values: dict[str, Any]) -> str:
    return next((text for name in _IDS if (text := _text(values.get(name)))), "")


def _offer(values: dict[str, Any]) -> tuple[Any, str]:
    """Price and currency of the first offer, or the lowest of an aggregate."""
    offer = next((one for one in _all(values.get("offers")) if isinstance(one, dict)), {})
    detail = next((one for one in _all(offer.get("priceSpecification")) if isinstance(one, dict)), {})
    price = next((offer[name] for name in ("price", "lowPrice") if offer.get(name) is not None), detail.get("price"))
    return price, _text(offer.get("priceCurrency")) or _text(detail.get("priceCurrency"))
