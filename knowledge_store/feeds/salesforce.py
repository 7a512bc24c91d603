"""Salesforce Commerce Cloud: catalogues, in which a master lists its variants, which have no names, and price books.

https://salesforcecommercecloud.github.io/b2c-dev-doc/docs/current/xsd/catalog.html and pricebook.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reaseq.knowledge_store.feeds.columns import apart, names_options
from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.rows import ONLY_NAMED, BadRow, Record, Row, Variant, identifier, is_empty, text_of
from reaseq.knowledge_store.names import identities

MARKS = (
    ("product-id", "display-name.text"),
    ("product-id", "display-name", "online-flag"),
    ("product-id", "variations.variants"),
    ("product-id", "amount.text", "amount.quantity"),
    ("product-id", "amount", "currency"),
)
FIELDS = {
    "id": "product-id",
    "title": "display-name",
    "description": "long-description",
    "brand": "brand",
    "price": "price",
    "currency": "currency",
    "category": "classification-category",
}
_ANY = "x-default"
"""The language of what counts in each."""
_OWN = "custom-attributes."
_VARIATIONS, _DIFFER_BY = "variations.", "attributes.variation-attribute"
_TEXTS = ("display-name", "short-description", "long-description", "classification-category")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products with their variants, whichever come first; prices of one piece. Elements without a name and a price are
    kept until their master comes, at most to the end."""
    of: dict[str, tuple[str, frozenset[str]]] = {}  # by variants, their master and what they differ by
    listed: dict[str, int] = {}  # variants without an element so far, and where their master is
    early: list[Record] = []
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        row = row._replace(values=_cells(row.values))
        own = identifier(row.values.get("product-id"))
        if own in of:
            listed.pop(own, None)
            yield _as_variant(row, own, *of[own])
        elif "price" in row.values or "display-name" in row.values:
            differ_by, variants = _variations(row.values)
            of |= dict.fromkeys(variants, (own, differ_by))
            listed |= dict.fromkeys(variants, row.line)
            yield row
        else:
            early.append(row)
    for row in early:
        own = identifier(row.values.get("product-id"))
        listed.pop(own, None)
        yield _as_variant(row, own, *of[own]) if own in of else row
    for own, line in listed.items():
        yield Record(line, {}, (Variant(own, of[own][0], {ONLY_NAMED: own}),), product=False)


def _cells(values: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of an element: texts in the language that counts everywhere, attributes of one's own by their names,
    what one piece costs."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        base, _, part = name.rpartition(".")
        if base in _TEXTS and part in ("text", "lang"):
            made |= {base: value} if part == "text" else {}
        elif name in _TEXTS and isinstance(value, list):
            made[name] = _in_any(value)
        elif name.startswith(_OWN):
            made[apart(name.removeprefix(_OWN), values)] = value
        else:
            made[name] = value
    for name in [one for one in made if "." in one and one.partition(".")[0] in _TEXTS]:
        made.setdefault(name.partition(".")[0], made[name])
    amounts = made.get("amount") if "amount" in made else made.get("amount.text")
    if amounts is not None:
        tiers = amounts if isinstance(amounts, list) else [{"quantity": made.get("amount.quantity"), "text": amounts}]
        made = {name: value for name, value in made.items() if not name.startswith("amount")}
        made |= {"price": _of_one_piece(tiers)}
    return made


def _in_any(texts: Iterable[Any]) -> str:
    """A text of several languages in that which counts everywhere, else in the first."""
    said = {text_of(one.get("lang")): text_of(one.get("text")) for one in texts if isinstance(one, dict)}
    return said.get(_ANY, "") or next(iter(said.values()), "")


def _of_one_piece(tiers: Iterable[Any]) -> str:
    for one in tiers:
        quantity, text = (one.get("quantity"), one.get("text")) if isinstance(one, dict) else (None, one)
        if is_empty(quantity) or parse_price(quantity)[0] == 1:
            return text_of(text)
    return ""


def _variations(values: dict[str, Any]) -> tuple[frozenset[str], list[str]]:
    """What variants differ by, and their ids; taken from the cells of their master."""
    cells = {name: values.pop(name) for name in list(values) if name.startswith(_VARIATIONS) or name == "variants"}
    listed = cells.get(f"{_VARIATIONS}variants", cells.get("variants"))
    ids = [identifier(one.get("product-id")) for one in listed or [] if isinstance(one, dict)]
    named = cells.get(f"{_VARIATIONS}{_DIFFER_BY}")
    several = [text_of(one.get("attribute-id")) for one in named or [] if isinstance(one, dict)]
    alone = text_of(cells.get(f"{_VARIATIONS}{_DIFFER_BY}.attribute-id"))
    return frozenset(filter(None, (*several, alone))), list(filter(None, ids))


def _as_variant(row: Record, own: str, master: str, differ_by: frozenset[str]) -> Record:
    said = {name: value for name, value in row.values.items() if name != "product-id" and not is_empty(value)}
    called = tuple((name, said.pop(name)) for name in identities(list(said), None))
    by = differ_by & said.keys() or {name for name in said if names_options(name)}
    options = {name: text_of(said.pop(name)) for name in sorted(by)}
    price = said.pop("price", None)
    variant = Variant(own, master, options or {ONLY_NAMED: own}, price, called, said)
    return Record(row.line, {}, (variant,), product=False)
