"""schema.org products: Product, and ProductGroup with its variants (https://schema.org/ProductGroup)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reaseq.knowledge_store.feeds.pages import products_in
from reaseq.knowledge_store.feeds.prices import holds_now, parse_price
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, Variant, is_empty, text_of

MARKS = ("@type",)
FIELDS = {name: name for name in ("id", "title", "description", "brand", "price", "currency", "category")}
_SIMPLE = ("color", "material", "size", "pattern", "model", "audience", "mpn")
_NAMES = ("sku", "productID", "gtin13", "gtin", "gtin14", "gtin12", "gtin8")
_IDS = ("sku", "productID", "productGroupID", "gtin13", "gtin", "gtin14", "gtin8", "mpn", "@id", "url")
_CHARGES = ("DeliveryChargeSpecification", "PaymentChargeSpecification")
"""Types of prices that are those of something else."""
_PARTS = ("priceComponentType", "billingDuration", "validForMemberTier", "referenceQuantity")
"""What only such a price says: an instalment, a month of a subscription, what members pay, what a litre costs."""


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
        _variant(one, own, sorted(varies))
        for one in _all(values.get("hasVariant"))
        if isinstance(one, dict) and _id(one)
    )
    price, currency = _offer(values)
    product = {
        "id": own,
        "title": _text(values.get("name")),
        "brand": _text(values.get("brand")) or _text(values.get("manufacturer")),
        "price": price,
        "currency": currency,
        "category": _text(values.get("category")),
    }
    return Record(line, dict(_names(values)) | _said(values) | product, variants)


def _variant(values: dict[str, Any], product_id: str, varies: Sequence[str]) -> Variant:
    options = {name: text for name in varies if (text := _text(values.get(name)))}
    more = {name: value for name, value in _said(values).items() if name not in options}
    return Variant(_id(values), product_id, options, _offer(values)[0], _names(values), more)


def _said(values: dict[str, Any]) -> dict[str, Any]:
    """What is said of a product or a variant, but for its name and what an offer holds."""
    more: dict[str, Any] = {name: _texts(values.get(name)) for name in ("description", *_SIMPLE) if values.get(name)}
    if pictures := [text for one in _all(values.get("image")) if (text := _picture(one))]:
        more["image"] = pictures
    for one in _all(values.get("additionalProperty")):
        if isinstance(one, dict) and _text(one.get("name")):
            unit = _text(one.get("unitText")) or _text(one.get("unitCode"))
            more[_text(one.get("name"))] = f"{_text(one.get('value'))} {unit}".strip()
    return more


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


def _texts(value: Any) -> str:
    """All of several, with commas between."""
    return ", ".join(filter(None, map(_text, _all(value))))


def _last(text: Any) -> str:
    return str(text).rpartition("/")[2].strip()


def _names(values: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a thing goes by beside its id."""
    own = _id(values)
    return tuple((name, text) for name in _NAMES if (text := _text(values.get(name))) and text != own)


def _picture(image: Any) -> str:
    return _text(image.get("url") or image.get("contentUrl")) if isinstance(image, dict) else _text(image)


def _id(values: dict[str, Any]) -> str:
    return next((text for name in _IDS if (text := _text(values.get(name)))), "")


def _is_of_another_price(said: dict[str, Any]) -> bool:
    """Of an offer, or of one of its prices: is it no price of the thing itself, or not everybody's? A list price, one
    that is struck through, one of a litre (https://schema.org/UnitPriceSpecification), what delivery or a way of paying
    costs, a part of what is to be paid (https://schema.org/priceComponentType), what members pay, what holds on other
    days."""
    kind = _last(said.get("priceType") or "")
    return (
        kind not in ("", "SalePrice", "RegularPrice", "InvoicePrice")
        or any(_last(one) in _CHARGES for one in _all(said.get("@type")))
        or any(said.get(name) for name in _PARTS)
        or not holds_now(_text(said.get("validFrom")), _text(said.get("validThrough")))
    )


def _for_one(said: dict[str, Any]) -> float:
    """How many somebody has to take for an offer or a price; what one costs comes first."""
    quantity = said.get("eligibleQuantity")
    least = quantity.get("minValue", quantity.get("value")) if isinstance(quantity, dict) else quantity
    return parse_price(_text(least))[0] or 0.0


def _that_hold(said: Any) -> list[dict[str, Any]]:
    """Of offers or prices those of the thing itself."""
    return [one for one in _all(said) if isinstance(one, dict) and not _is_of_another_price(one)]


def _offer(values: dict[str, Any]) -> tuple[Any, str]:
    """Price and currency of the first offer that says one, or the lowest of an aggregate."""
    found: list[tuple[tuple[bool, float], Any, str]] = []
    for offer in _that_hold(values.get("offers")):
        own = next((offer[name] for name in ("price", "lowPrice") if offer.get(name) is not None), None)
        for detail in _that_hold(offer.get("priceSpecification")) or [{}]:
            price = detail.get("price") if own is None else own
            many = max(_for_one(offer), _for_one(detail) if own is None else 0)
            currency = _text(offer.get("priceCurrency")) or _text(detail.get("priceCurrency"))
            found.append(((is_empty(price), many), price, currency))
    return min(found, key=lambda one: one[0])[1:] if found else (None, "")
