"""Rows of a later file that mean a variant of a product that is there: by its id, or by what variants differ by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from reaseq.knowledge_store.feeds.columns import (
    currency_of,
    folded,
    is_recommended,
    list_price,
    option_key,
    option_value,
    same_price,
    says_former,
)
from reaseq.knowledge_store.feeds.price_names import PriceKind, net_kind, price_kind
from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.rows import Variant, identifier, text_of
from reaseq.knowledge_store.names import identities, owners_of, several_in, spellings
from reaseq.knowledge_store.store import PRODUCT, PRODUCT_NAME, VARIANT, among
from reaseq.knowledge_store.tables import fingerprint

_TEXTS = ("title", "description", "brand")


def is_on_sale(price: float | None, attributes: Mapping[str, Any], list_prices: Iterable[str]) -> bool:
    """Does a thing cost another than its list price, which stands in one of these columns?"""
    told = (parse_price(attributes[name])[0] for name in list_prices if name in attributes)
    return price is not None and any(one is not None and one > price for one in told)


def stays(price: float | None, attributes: Mapping[str, Any], column: str) -> bool:
    """Does a price that is known stay where a file says but a list price, in that column? Where a sale is on; and where
    it is what somebody recommends or what it cost before, unless nothing else was known than such."""
    only_listed = any(list_price(name, value) == price for name, value in attributes.items())
    otherwise = {name for name in attributes if price_kind(folded(name)) is PriceKind.OTHERWISE}
    return is_on_sale(price, attributes, {column, *otherwise}) or (
        price is not None and (is_recommended(column) or says_former(column)) and not only_listed
    )


def is_otherwise(price: float | None, attributes: Mapping[str, Any], column: str) -> bool:
    """Does a column of prices that stands among the attributes say another price than the thing has: what it costs when
    no sale is on, or without taxes?"""
    return column in attributes and (net_kind(folded(column)) is not None or is_on_sale(price, attributes, {column}))


def as_before(old: Collection[str], named: Collection[str], currency: str | None) -> dict[str, str]:
    """What the columns of a file are called among the attributes of a product or variant, as another file may write
    their names otherwise (`Farbe`, `farbe`). What it costs in one currency is another thing than in another; a column
    that names none is in the product's."""
    called = {(option_key(name), currency_of(name) or currency): name for name in old}
    made = {name: called.get((option_key(name), currency_of(name) or currency), name) for name in named}
    return {name: one for name, one in made.items() if one == name or one not in named}


def without_sale(attributes: Mapping[str, Any], named: Collection[str], currency: str | None) -> float | None:
    """What a thing costs whose sale is over, by the list price that is known. named: the columns of the file, which
    say nothing of it. currency: in which."""
    listed = (
        one
        for one in attributes
        if one not in named and not is_recommended(one) and currency_of(one) in (None, currency)
    )
    return next((price for one in listed if (price := list_price(one, attributes[one])) is not None), None)


def called_by(product: Mapping[str, Any]) -> list[str]:
    """What a row calls what it is of: its id, and where it has no title, which names a product, its other codes."""
    codes = [] if product["title"] else identities(product["attributes"], None)
    named = [product["id"], *(identifier(product["attributes"][name]) for name in codes)]
    return [*named, *(spelled for name in named for spelled in spellings(name) if spelled != name)]


def own_names(connection: Connection, called: Mapping[str, str], source: str) -> set[str]:
    """Of names of products those that mean no variant of theirs: of a product without variants each; of another those
    that its own row says, if that is no variant's. source: what may stand before ids."""
    owners = set(called.values())
    rows = connection.execute(select(VARIANT).where(among(connection, VARIANT.c.product_id, owners))).all()
    variants: dict[str, list[Mapping[Any, Any]]] = {}
    for row in rows:
        variants.setdefault(row.product_id, []).append(row._asdict())
    said: dict[str, set[str]] = {}
    for row in connection.execute(select(PRODUCT).where(among(connection, PRODUCT.c.id, variants))).all():
        own, cells = row._asdict(), row.attributes or {}
        if not KnownVariants.is_a_variant(own, variants[row.id]):
            names = [row.id, *(identifier(one) for name in identities(cells, None) for one in several_in(cells[name]))]
            said[row.id] = {spelled for name in names for spelled in (name, *spellings(name))}
    before = f"{source}:" if source else ""
    return {
        name
        for name, owner in called.items()
        if owner not in variants or not said.get(owner, set()).isdisjoint((name, name.removeprefix(before)))
    }


@dataclass(frozen=True)
class KnownVariants:
    """The variants that products of a batch had before; `owners` are the product and the variant that a
    name is of, if it is of one alone, `own` the products that names other than their ids are of."""

    products: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    variants: Mapping[str, Sequence[Mapping[Any, Any]]] = field(default_factory=dict)
    owners: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection, ids: Collection[str], import_id: int, source: str) -> "KnownVariants":
        """ids: what the rows of the batch call their products, or variants of them. source: what stands before ids, and
        before no other name."""
        if connection.execute(select(VARIANT.c.id).limit(1)).first() is None:
            return cls()
        there = set(connection.execute(select(PRODUCT.c.id).where(among(connection, PRODUCT.c.id, ids))).scalars())
        left = set(ids) - there
        by_id = select(VARIANT.c.id, VARIANT.c.product_id, VARIANT.c.id).where(among(connection, VARIANT.c.id, left))
        named = PRODUCT_NAME.c.name, PRODUCT_NAME.c.product_id, PRODUCT_NAME.c.variant_id
        before = f"{source}:" if source else ""
        bare: dict[str, list[str]] = {}
        for name in left:
            bare.setdefault(name.removeprefix(before), []).append(name)
        by_name = select(*named).where(
            among(connection, PRODUCT_NAME.c.name, bare),
            PRODUCT_NAME.c.variant_id.is_not(None),
            *([PRODUCT_NAME.c.product_id.startswith(before, autoescape=True)] if before else []),
        )
        of: dict[str, set[tuple[str, str]]] = {}
        for name, product_id, variant_id in connection.execute(by_id):
            of.setdefault(name, set()).add((product_id, variant_id))
        for name, product_id, variant_id in connection.execute(by_name):
            for called in bare[name]:
                of.setdefault(called, set()).add((product_id, variant_id))
        owners = {name: several.pop() for name, several in of.items() if len(several) == 1}
        means = owners_of(connection, left - owners.keys(), source)
        sure = own_names(connection, means, source)
        means = {name: product_id for name, product_id in means.items() if name in sure}
        products_ = {*there, *means.values(), *(product_id for product_id, _ in owners.values())}
        mine = among(connection, VARIANT.c.product_id, products_), VARIANT.c.import_id != import_id
        found = [row._asdict() for row in connection.execute(select(VARIANT).where(*mine))]
        if not found:
            return cls()
        query = select(PRODUCT).where(PRODUCT.c.id.in_({row["product_id"] for row in found}))
        products = {row.id: row._asdict() for row in connection.execute(query)}
        variants: dict[str, list[Mapping[Any, Any]]] = {}
        for one in found:
            if one["product_id"] in products:
                variants.setdefault(one["product_id"], []).append(one)
        owners = {name: both for name, both in owners.items() if both[0] in products}
        return cls(products, variants, owners, {name: one for name, one in means.items() if one in products})

    def meant(
        self,
        product: Mapping[str, Any],
        named: Collection[str],
        prices: Collection[str] | None,
        *,
        by_options: bool,
        now: str,
    ) -> Variant | None:
        """The variant that a row is of, with what the row says of it; None of a row that is of a product.

        named: the columns of the file, whose empty cells clear. prices: those of other prices among the attributes;
        None where the file has none of prices. by_options: may what it differs by tell it? now: that of
        what things cost now.
        """
        ids = called_by(product)
        owner, called_so = next((self.owners[name] for name in ids if name in self.owners), (None, ""))
        owner = owner or self.own.get(product["id"], product["id"])
        if owner not in self.variants:
            return None
        own = self.products[owner]
        variants = self.variants[own["id"]]
        attributes: Mapping[str, Any] = product["attributes"]
        options = {name for one in variants for name in one["options"]}
        # Other files may call them otherwise: `colour`, `Größe`.
        columns = {option_key(name): name for name in attributes}
        called_as = {name: name if name in attributes else columns.get(option_key(name), name) for name in options}
        told = {name: text for name in options if (text := text_of(attributes.get(called_as[name])).strip())}
        called = [name for name in identities(attributes, None) if name not in options]
        numbers = [identifier(attributes[name]) for name in called]
        found = [one for one in variants if one["id"] in (*ids, *numbers, called_so)]
        if not found and told and by_options:
            found = [
                one
                for one in variants
                if all(
                    option_value(name, one["options"].get(name, "")) == option_value(name, text)
                    for name, text in told.items()
                )
            ]
            if not found and self.is_a_variant(own, variants):
                new = {"id": numbers[0] if numbers else "/".join([own["id"], *told.values()])}
                found = [new | {"options": {}, "attributes": {}}]
        if len(found) != 1:
            return None
        theirs = own["attributes"] or {}
        before = found[0]["options"]  # which stay as they are called, where a file says the same in another language
        told |= {
            name: before[name]
            for name, text in told.items()
            if name in before and option_value(name, before[name]) == option_value(name, text)
        }
        stored = found[0]["attributes"]
        called_before = as_before(stored, named, own["currency"])
        said = {name: "" for name in called_before.values() if name in stored}
        for name in prices or ():
            same = same_price(name, {**theirs, **stored}, named, own["currency"])
            said |= {same: attributes.get(name, "")} if name in attributes or same in stored else {}
        currency = currency_of(now)
        now = same_price(now, stored, named, own["currency"], plain=True)
        known = {*options, *called_as.values(), *called, *(prices or ())}
        for name, value in attributes.items():
            if name not in known and (value != theirs.get(name) or name in stored):
                said[name] = value
        if not product["title"]:
            # A list without titles names what changes: what it empties the variant has no more, nor from its product.
            emptied = (name for name in named if name in theirs and name not in attributes)
            said |= {name: "" for name in emptied if name not in stored and name not in known | {now}}
        said |= {name: product[name] for name in _TEXTS if product[name] and product[name] != own[name]}
        price = "" if product["price"] is None and prices is not None else product["price"]
        if currency and own["currency"] not in (None, currency) and product["price"] is not None:
            said[now], price = f"{product['price']:g}", None  # what it costs elsewhere
        elif now in stored and product["price"] is not None:
            said[now] = f"{product['price']:g}"
            price = None if is_otherwise(found[0].get("price"), stored, now) else price
        listed = (same_price(one, stored, named, own["currency"]) for one in prices or ())
        if not now and any(stays(found[0].get("price"), stored, one) for one in listed):
            price = None
        if price and product["currency"]:
            price = {"amount": price, "currency": product["currency"]}
        said = {name: text for name, text in said.items() if text == ""} | {
            called_before.get(name, name): text for name, text in said.items() if text != ""
        }
        names = tuple((name, attributes[name]) for name in called)
        lacks = frozenset(name for name, value in said.items() if value == "" and name in theirs)
        return Variant(found[0]["id"], own["id"], told, price, names, said, lacks)

    def without_sale(self, variant: Variant, named: Collection[str]) -> float | None:
        """What a variant costs whose sale is over; None where nothing says it."""
        stored = [one["attributes"] for one in self.variants[variant.product_id] if one["id"] == variant.id]
        of_product = self.products[variant.product_id]["attributes"] or {}
        currency = self.products[variant.product_id]["currency"]
        return without_sale({**of_product, **(stored[0] if stored else {})}, named, currency)

    def shared(self, product: Mapping[str, Any], variant: Variant) -> dict[str, Any] | None:
        """What a row of a variant says of its product: all, where the product's row is that of this variant; nothing,
        where it is that of another one; else its texts."""
        own = self.products[variant.product_id]
        siblings = self.variants[variant.product_id]
        if self.is_a_variant(own, [one for one in siblings if one["id"] == variant.id]):
            return dict(product)
        if self.is_a_variant(own, siblings):
            return None
        made = {**product, **{name: own[name] for name in ("price", "currency", "attributes")}}
        return made | {"fingerprint": fingerprint(made)}

    @staticmethod
    def is_a_variant(own: Mapping[Any, Any], variants: Iterable[Mapping[Any, Any]]) -> bool:
        """Is the product's row that of one of these variants?"""
        cells = own["attributes"] or {}
        return any(
            one["options"] and all(text_of(cells.get(name)) == value for name, value in one["options"].items())
            for one in variants
        )


def follow_prices(connection: Connection, before: Mapping[str, Collection[float]]) -> None:
    """A product whose price was that of a variant, and is none's any more, costs what its cheapest variant costs.
    before: of products the prices that their variants had."""
    query = select(PRODUCT).where(PRODUCT.c.id.in_(before), PRODUCT.c.price.is_not(None), ~PRODUCT.c.price_of_variants)
    rows = [row._asdict() for row in connection.execute(query)]
    left = [row for row in rows if row["price"] in before[row["id"]]]
    if not left:
        return
    prices: dict[str, list[float]] = {}
    of_them = VARIANT.c.product_id.in_({row["id"] for row in left})
    for product_id, price in connection.execute(select(VARIANT.c.product_id, VARIANT.c.price).where(of_them)):
        if price is not None:
            prices.setdefault(product_id, []).append(price)
    moved = [{**row, "price": min(now)} for row in left if (now := prices.get(row["id"])) and row["price"] not in now]
    if moved:
        made = [{"key": row["id"], "costs": row["price"], "as": fingerprint(row)} for row in moved]
        by_key = update(PRODUCT).where(PRODUCT.c.id == bindparam("key"))
        connection.execute(by_key.values(price=bindparam("costs"), fingerprint=bindparam("as")), made)
