"""Variants of products as an import brings them: in rows of their own, in their product's, before it or after it."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, select, update

from reaseq.knowledge_store.feeds.columns import is_recommended, list_price, names_options, option_key, option_value
from reaseq.knowledge_store.feeds.prestashop import IMPACT, signed
from reaseq.knowledge_store.feeds.prices import may_be, parse_price
from reaseq.knowledge_store.feeds.rows import (
    ONLY_NAMED,
    BadRow,
    Record,
    Variant,
    identifier,
    is_empty,
    plain,
    text_of,
)
from reaseq.knowledge_store.names import identities, is_barcode, owners_of, renamed, taken_over
from reaseq.knowledge_store.store import CLAIM, EVENT, PRODUCT, PRODUCT_NAME, VARIANT, Store
from reaseq.knowledge_store.tables import fingerprint
from reaseq.knowledge_store.variant_updates import follow_prices

if TYPE_CHECKING:
    from reaseq.knowledge_store.importing import ImportReport, RejectedRows

_BATCH = 500
_NAMELESS = re.compile(r"Option\d")
_OWN_TEXTS = ("description", "brand")


def of_product(record: Record, product_id: str) -> Record:
    """A record with the variants whose product's id it does not say as those of this one."""
    if all(one.product_id for one in record.variants):
        return record
    variants = (
        one
        if one.product_id
        else one._replace(product_id=product_id, id=f"{product_id}{one.id}" if one.id.startswith("/") else one.id)
        for one in record.variants
    )
    return record._replace(variants=tuple(variants))


def of_source(row: Record, source: str) -> Record:
    """A record with its variants' ids as the source's."""
    if not source or not row.variants:
        return row
    variants = tuple(
        one._replace(
            id=f"{source}:{one.id}", product_id=f"{source}:{one.product_id}", names=(*one.names, ("id", one.id))
        )
        for one in row.variants
    )
    return row._replace(variants=variants)


def as_variants(
    connection: Connection, first: Mapping[Any, Any], product: Mapping[str, Any]
) -> list[tuple[int, Variant]]:
    """The variants that two rows of one product are, which differ by a size, a colour and the like; none if they do
    not."""
    before = first.get("attributes")
    if before is None:
        query = select(PRODUCT.c.attributes).where(PRODUCT.c.id == product["id"])
        before = connection.execute(query).scalar() or {}
    names = [name for name in {**before, **product["attributes"]} if names_options(name)]
    if all(before.get(name) == product["attributes"].get(name) for name in names):
        return []
    every = {**before, **product["attributes"]}
    differing = {name for name in every if before.get(name) != product["attributes"].get(name)}
    made = []
    for row, attributes in ((first, before), (product, product["attributes"])):
        options = {name: text_of(attributes[name]) for name in names if attributes.get(name)}
        called = [name for name in identities(attributes, None) if attributes.get(name) and not names_options(name)]
        numbers = [name for name in called if not is_barcode(name)]  # two products may have one barcode
        own = identifier(attributes[numbers[0]]) if numbers else "/".join([product["id"], *options.values()])
        if options:
            named = tuple((name, attributes[name]) for name in called)
            apart = {name: value for name, value in attributes.items() if name not in (*names, *called)}
            said = {name: value for name, value in apart.items() if name in differing}
            said |= {name: row[name] for name in _OWN_TEXTS if row[name] and row[name] != first[name]}
            made.append((row["line"], Variant(own, product["id"], options, row["price"], named, said)))
    return made


def write_variants(
    store: Store,
    variants: Sequence[tuple[int, Variant]],
    report: "ImportReport",
    rejected: "RejectedRows",
    of_products: Collection[int] = (),
    *,
    replaces: bool = False,
) -> None:
    """Of a product's variants that have one id and differ the first keeps it; the others' has what they are behind. One
    with another id is the variant that was there with the same options, or under one of its names. of_products: lines
    that are of products too. replaces: is what they say all there is?"""
    if not variants:
        return
    keys = (VARIANT.c.product_id, VARIANT.c.id)
    with store.writing() as connection:
        owners = owners_of(connection, {one.product_id for _, one in variants})
        variants = [
            (line, one._replace(product_id=owners.get(one.product_id, one.product_id))) for line, one in variants
        ]
        query = select(*keys, VARIANT.c.import_id, VARIANT.c.options, VARIANT.c.attributes, VARIANT.c.price)
        mine = VARIANT.c.product_id.in_({one.product_id for _, one in variants})
        found = connection.execute(query.where(mine)).all()
        there = {(row.product_id, row.id): row for row in found}
        of_product: dict[str, list[Any]] = {}
        for row in found:
            of_product.setdefault(row.product_id, []).append(row)
        codes = {(one.product_id, one.id) for _, one in variants}
        called = _called(connection, codes - there.keys())
        renamed_to: dict[tuple[str, str], str] = {}
        seen = {key: row.options for key, row in there.items() if row.import_id == report.import_id}
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        changed: set[str] = set()
        currencies: dict[str, dict[str, frozenset[str]]] = {}
        emptied: set[str] = set()
        for line, variant in variants:
            siblings = of_product.get(variant.product_id, [])
            key, options = (variant.product_id, variant.id), _named(variant.options, siblings)
            if options == {ONLY_NAMED: variant.id}:
                options = {}  # an id is no name
            if key not in there and (same := _same(variant, options, siblings, codes, called)) is not None:
                if variant.id in made_of(variant, options) or variant.id.startswith("id:"):
                    key = (key[0], same.id)  # its row has no code, an earlier one had
                elif (key[0], same.id) not in rows and (key[0], same.id) not in seen:
                    renamed_to[key[0], same.id] = key[1]
                    key = (key[0], same.id)
            if options and seen.get(key, options) != options:
                key = (variant.product_id, "/".join([variant.id, *options.values()]))
                report.same_ids += key not in seen
            report.variants += key not in seen
            seen[key] = options
            price, currency = parse_price(variant.price) if not is_empty(variant.price) else (None, None)
            of = may_be(variant.price) if currency is None else frozenset((currency,))
            if price is not None and of is not None:
                currencies.setdefault(key[0], {})[key[1]] = of
            attributes = {name: plain(value) for name, value in variant.attributes.items()}
            before = there.get(key)
            if before is not None and before.import_id != report.import_id:
                # A file that has but some of the columns is an update.
                if options.keys() == {ONLY_NAMED} and ONLY_NAMED not in before.options:
                    options = before.options
                elif replaces:
                    pass
                elif options.keys() < before.options.keys():
                    options = before.options | options
                attributes = attributes if replaces else before.attributes | attributes
                if variant.price is None and not replaces:
                    price = before.price
                elif price is None:  # a sale is over: what it costs otherwise may be there
                    price = next(filter(None, (list_price(name, value) for name, value in attributes.items())), None)
                lost = [name for name, value in before.attributes.items() if is_empty(attributes.get(name)) and value]
                emptied |= {key[0]} if variant.lacks else set()
                lacks_now = [name for name in variant.lacks if name not in before.attributes]
                report.cleared += len(lost) + len(lacks_now) + (price is None and before.price is not None)
                if before.price not in (None, price):
                    changed.add(key[0])
                if price is not None and variant.price is not None:
                    attributes.pop(IMPACT, None)  # it says what it costs itself
                report.changed_variants += (
                    bool(lacks_now)
                    or (price, options) != (before.price, before.options)
                    or any(
                        before.attributes.get(name, "") != plain(value) for name, value in variant.attributes.items()
                    )
                )
            elif before is None and not variant.options and key not in rows:
                report.variants -= 1
                if line in of_products or (not siblings and _is_product(connection, variant, price, report)):
                    continue
                reason = f"no variant {key[1]!r} of {key[0]!r} is there to update, and nothing says what it differs by"
                rejected.add(BadRow(line, reason, ", ".join(key)))
                report.further -= 1
                continue
            elif variant.price is None:
                listed = (list_price(name, cell) for name, cell in attributes.items() if not is_recommended(name))
                price = next((one for one in listed if one is not None), None)
            earlier = rows.get(key)
            if earlier is not None:  # another row of it: its stock at another place
                options = earlier["options"] | options
                attributes = earlier["attributes"] | {name: value for name, value in attributes.items() if value}
                price = earlier["price"] if variant.price is None else price
            lacks = (
                {*variant.lacks, *(name for name, cell in before.attributes.items() if cell == "")} if before else ()
            )
            rows[key] = {
                "options": options,
                "attributes": {
                    name: "" if is_empty(value) else value
                    for name, value in attributes.items()
                    if name in lacks or not is_empty(value)
                },
                "price": price,
                "line": line,
                "import_id": report.import_id,
            }
        new = [{"product_id": key[0], "id": key[1], **row} for key, row in rows.items() if key not in there]
        known = [{"of": key[0], "own": key[1], **row} for key, row in rows.items() if key in there]
        if new:
            connection.execute(insert(VARIANT), new)
        if known:
            by_key = update(VARIANT).where(keys[0] == bindparam("of"), keys[1] == bindparam("own"))
            names = ("options", "attributes", "price", "line", "import_id")
            connection.execute(by_key.values({name: bindparam(name) for name in names}), known)
        if changed:
            follow_prices(connection, {name: _prices(of_product[name]) for name in changed})
        follow_currencies(connection, currencies)
        _empty_of_all(connection, emptied)
        for (product_id, before_id), new_id in renamed_to.items():
            _rename(connection, product_id, before_id, new_id, report.import_id)


def _prices(variants: Sequence[Any]) -> set[float]:
    return {one.price for one in variants if one.price is not None}


def follow_currencies(connection: Connection, said: Mapping[str, Mapping[str, frozenset[str]]]) -> None:
    """A product whose variants are said to cost something in another currency costs that where all of them do, else
    nobody knows which. said: of products, by the ids of variants, the currencies that it may be."""
    if not said:
        return
    query = select(PRODUCT).where(PRODUCT.c.id.in_(said), PRODUCT.c.currency.is_not(None))
    for row in connection.execute(query).all():
        if all(row.currency in of for of in said[row.id].values()):
            continue
        mine = VARIANT.c.product_id == row.id, VARIANT.c.price.is_not(None)
        priced = set(connection.execute(select(VARIANT.c.id).where(*mine)).scalars())
        named = {one for of in said[row.id].values() for one in of}
        currency = named.pop() if len(named) == 1 and priced <= said[row.id].keys() else None
        made = {"currency": currency, "fingerprint": fingerprint(row._asdict() | {"currency": currency})}
        connection.execute(update(PRODUCT).where(PRODUCT.c.id == row.id).values(made))


def _empty_of_all(connection: Connection, product_ids: Collection[str]) -> None:
    """What no variant of a product has any more the product does not say either."""
    for row in connection.execute(select(PRODUCT).where(PRODUCT.c.id.in_(product_ids))).all():
        cells = connection.execute(select(VARIANT.c.attributes).where(VARIANT.c.product_id == row.id)).scalars().all()
        said = row.attributes or {}
        left = {name: value for name, value in said.items() if not all(one.get(name) == "" for one in cells)}
        if left != said:
            made = {"attributes": left, "fingerprint": fingerprint(row._asdict() | {"attributes": left})}
            connection.execute(update(PRODUCT).where(PRODUCT.c.id == row.id).values(made))


def _rename(connection: Connection, product_id: str, before: str, new: str, import_id: int) -> None:
    """Give a variant another id; the old one is a name of it."""
    mine = (VARIANT.c.product_id == product_id) & (VARIANT.c.id == before)
    connection.execute(update(VARIANT).where(mine).values(id=new))
    of_product = PRODUCT_NAME.c.product_id == product_id
    connection.execute(
        update(PRODUCT_NAME).where(of_product, PRODUCT_NAME.c.variant_id == before).values(variant_id=new)
    )
    connection.execute(delete(PRODUCT_NAME).where(of_product, PRODUCT_NAME.c.name == before))
    old = {"name": before, "product_id": product_id, "column": "former code", "import_id": import_id}
    connection.execute(insert(PRODUCT_NAME), [old | {"variant_id": new}])


def _is_product(connection: Connection, variant: Variant, price: float | None, report: "ImportReport") -> bool:
    """Is it the product itself, which has no variants and goes by this code? Then it costs what the row says."""
    row = connection.execute(select(PRODUCT).where(PRODUCT.c.id == variant.product_id)).first()
    if row is None:
        return False
    # With a source its id has that before it.
    codes = {variant.id, *(identifier(value) for column, value in variant.names if column == "id")}
    mine = (PRODUCT_NAME.c.product_id == row.id) & PRODUCT_NAME.c.name.in_(codes)
    named = connection.execute(select(PRODUCT_NAME.c.name).where(mine)).first() is not None
    if not named and row.import_id != report.import_id:
        return False
    said = {name: plain(value) for name, value in variant.attributes.items()}
    attributes = {name: value for name, value in ((row.attributes or {}) | said).items() if not is_empty(value)}
    costs = row.price if variant.price is None else price
    if (costs, attributes) != (row.price, row.attributes):
        report.cleared += costs is None and row.price is not None
        report.updated += 1
        report.further -= 1
        made = {"price": costs, "attributes": attributes}
        made["fingerprint"] = fingerprint(row._asdict() | made)
        connection.execute(update(PRODUCT).where(PRODUCT.c.id == row.id).values(made))
    return True


def made_of(variant: Variant, options: Mapping[str, str]) -> tuple[str, str]:
    """The ids that are made of a product's and of options, where a row has no code."""
    parts = variant.product_id, "/".join(options.values())
    return "/".join(parts), "/".join([variant.product_id, *variant.options.values()])


def _named(options: Mapping[str, str], siblings: Sequence[Any]) -> dict[str, str]:
    """Options whose names a partial file leaves out, with those that the product's other variants have."""
    if not options or not all(_NAMELESS.fullmatch(name) for name in options):
        return dict(options)
    names = next((list(one.options) for one in siblings if one.options), [])
    places = [int(name.removeprefix("Option")) - 1 for name in options]
    if max(places) >= len(names):
        return dict(options)
    return {names[place]: value for place, value in zip(places, options.values(), strict=True)}


def _called(connection: Connection, codes: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Variants by their product and other names."""
    if not codes:
        return {}
    query = select(PRODUCT_NAME.c.product_id, PRODUCT_NAME.c.name, PRODUCT_NAME.c.variant_id)
    mine = PRODUCT_NAME.c.product_id.in_({product for product, _ in codes}) & PRODUCT_NAME.c.variant_id.is_not(None)
    return {(row.product_id, row.name): row.variant_id for row in connection.execute(query.where(mine))}


def _same(
    variant: Variant,
    options: Mapping[str, str],
    siblings: Sequence[Any],
    codes: Collection[tuple[str, str]],
    called: Mapping[tuple[str, str], str],
) -> Any:
    """The variant that was there under another id, if it is sure: by its options, else by a name that it still has.
    codes: what this file calls variants."""
    numbers = [variant.id.removeprefix("id:"), *(identifier(value) for name, value in variant.names if name == "ID")]
    wanted = {called.get((variant.product_id, number)) for number in numbers} - {None}
    left = [one for one in siblings if (one.product_id, one.id) not in codes]
    only_named = options.keys() <= {ONLY_NAMED}
    same = [] if only_named else [one for one in left if _told_of(options) <= _told_of(one.options)]
    same = same or [one for one in left if one.id in wanted]
    return same[0] if len(same) == 1 else None


def _told_of(options: Mapping[str, str]) -> set[tuple[str, str]]:
    """Options as they are told, whatever language they are in."""
    return {(option_key(name), option_value(name, value) or value) for name, value in options.items()}


def settle_variants(store: Store, report: "ImportReport", rejected: "RejectedRows", *, replaces: bool = False) -> None:
    """Products that turned out to be variants go; variants without a product are counted. A product that says no price
    costs what its cheapest variant does."""
    mine, listed = VARIANT.c.import_id == report.import_id, PRODUCT.alias("parent")
    is_variant = exists().where(
        mine, VARIANT.c.id == PRODUCT.c.id, VARIANT.c.product_id == listed.c.id, listed.c.id != PRODUCT.c.id
    )
    brought = PRODUCT.c.import_id == report.import_id
    untouched = ~exists().where(CLAIM.c.product_id == PRODUCT.c.id) & ~exists().where(
        EVENT.c.product_id == PRODUCT.c.id
    )
    _adopt(store, report, rejected)
    with store.writing() as connection:
        price = select(PRODUCT.c.price).where(PRODUCT.c.id == VARIANT.c.id).scalar_subquery()
        connection.execute(update(VARIANT).where(mine, VARIANT.c.price.is_(None)).values(price=price))
        cheapest = select(func.min(VARIANT.c.price)).where(VARIANT.c.product_id == PRODUCT.c.id).scalar_subquery()
        of_variants = exists().where(VARIANT.c.product_id == PRODUCT.c.id, VARIANT.c.price.is_not(None))
        of_mine = select(VARIANT.c.product_id).where(mine)
        free = update(PRODUCT).where(brought | PRODUCT.c.id.in_(of_mine), PRODUCT.c.price.is_(None), of_variants)
        connection.execute(free.values(price=cheapest, price_of_variants=True))
        unknown = select(func.count()).select_from(PRODUCT).where(brought, PRODUCT.c.price.is_(None))
        report.unknown_prices = connection.execute(unknown).scalar_one()
        outgoing = select(PRODUCT.c.id).where(brought, untouched, is_variant)
        _keep_cells(connection, outgoing)
        taken_over(connection, outgoing)
        gone = connection.execute(delete(PRODUCT).where(brought, untouched, is_variant)).rowcount
        without = select(func.count()).select_from(PRODUCT).where(brought, func.trim(PRODUCT.c.description) == "")
        report.empty_descriptions = connection.execute(without).scalar_one()
        left = (VARIANT.c.import_id != report.import_id) & VARIANT.c.product_id.in_(of_mine)
        if replaces:
            before: dict[str, set[float]] = {}
            query = select(VARIANT.c.product_id, VARIANT.c.price).where(VARIANT.c.product_id.in_(of_mine))
            if connection.execute(select(exists().where(left))).scalar():
                for row in connection.execute(query.where(VARIANT.c.price.is_not(None))):
                    before.setdefault(row.product_id, set()).add(row.price)
            report.removed_variants = connection.execute(delete(VARIANT).where(left)).rowcount
            if before:
                follow_prices(connection, before)
        else:
            report.left_variants = connection.execute(
                select(func.count()).select_from(VARIANT).where(left)
            ).scalar_one()
        theirs = update(PRODUCT).where(PRODUCT.c.price_of_variants, PRODUCT.c.id.in_(of_mine), of_variants)
        connection.execute(theirs.values(price=cheapest))
        of_new = min(gone, report.new)
        report.new, report.unchanged = report.new - of_new, report.unchanged - (gone - of_new)
        report.further += gone
        owner = exists().where(PRODUCT.c.id == VARIANT.c.product_id)
        report.orphans = connection.execute(select(func.count()).select_from(VARIANT).where(mine, ~owner)).scalar_one()


def add_impacts(store: Store, import_id: int) -> None:
    """Variants that say what they cost more or less than their product (PrestaShop's) cost that, where this import
    brought them or the product."""
    impact = VARIANT.c.attributes[IMPACT].as_string()
    columns = VARIANT.c.product_id, VARIANT.c.id, PRODUCT.c.price.label("base"), impact.label("impact")
    brought = (VARIANT.c.import_id == import_id) | (PRODUCT.c.import_id == import_id)
    query = select(*columns).join(PRODUCT, PRODUCT.c.id == VARIANT.c.product_id)
    with store.writing() as connection:
        rows = connection.execute(query.where(brought, impact.is_not(None), PRODUCT.c.price.is_not(None))).all()
        priced = [
            {"of": row.product_id, "own": row.id, "costs": round(row.base + more, 6)}
            for row in rows
            if (more := signed(row.impact)) is not None
        ]
        if priced:
            by_key = update(VARIANT).where(VARIANT.c.product_id == bindparam("of"), VARIANT.c.id == bindparam("own"))
            connection.execute(by_key.values(price=bindparam("costs")), priced)


def without_shared(store: Store, import_id: int) -> None:
    """Take from variants that an import brought what none of their product's says otherwise than it: rows that repeat
    what is new of the product say it of the product."""
    mine = select(VARIANT.c.product_id).where(VARIANT.c.import_id == import_id)
    with store.reading() as connection:
        ids = sorted(set(connection.execute(mine).scalars()))
    for start in range(0, len(ids), _BATCH):
        part = ids[start : start + _BATCH]
        variants, products = store.variants(part), store.texts(part)
        changed = []
        for product_id, product in products.items():
            said = {**(product["attributes"] or {}), **{name: product[name] for name in ("title", *_OWN_TEXTS)}}
            own = [one["attributes"] for one in variants.get(product_id, [])]
            shared = {
                name
                for cells in own
                for name, cell in cells.items()
                if (cell == "" and not said.get(name))
                or (name in said and all(other.get(name, said[name]) == said[name] for other in own))
            }
            changed += [
                {
                    "of": product_id,
                    "own": one["id"],
                    "left": {name: value for name, value in one["attributes"].items() if name not in shared},
                }
                for one in variants.get(product_id, [])
                if not shared.isdisjoint(one["attributes"])
            ]
        if changed:
            with store.writing() as connection:
                by_key = update(VARIANT).where(
                    VARIANT.c.product_id == bindparam("of"), VARIANT.c.id == bindparam("own")
                ).values(attributes=bindparam("left"))  # fmt: skip
                connection.execute(by_key, changed)


def _adopt(store: Store, report: "ImportReport", rejected: "RejectedRows") -> None:
    """Variants whose product was not yet there, and is known by the name they have for it."""
    own = exists().where(PRODUCT.c.id == VARIANT.c.product_id)
    with store.writing() as connection:
        query = select(VARIANT).where(VARIANT.c.import_id == report.import_id, ~own).order_by(VARIANT.c.line)
        lost = connection.execute(query).all()
        owners = owners_of(connection, {row.product_id for row in lost})
        found = [row for row in lost if row.product_id in owners]
        for product_id in {row.product_id for row in found}:
            connection.execute(delete(VARIANT).where(VARIANT.c.product_id == product_id))
        renamed(connection, {row.product_id: owners[row.product_id] for row in found})
    report.variants -= len(found)
    for start in range(0, len(found), _BATCH):
        batch = [
            (
                row.line,
                Variant(
                    row.id, row.product_id, row.options or {ONLY_NAMED: row.id}, row.price, attributes=row.attributes
                ),
            )
            for row in found[start : start + _BATCH]
        ]
        write_variants(store, batch, report, rejected)


def _keep_cells(connection: Connection, variants: Select[tuple[str]]) -> None:
    """What the rows of variants say that their product's does not, where they stood as products of their own."""
    of = PRODUCT.alias("of")
    fields = ("title", "description", "attributes")
    query = (
        select(
            VARIANT.c.product_id,
            VARIANT.c.id,
            VARIANT.c.options,
            *(PRODUCT.c[name] for name in fields),
            *(of.c[name].label(f"of_{name}") for name in fields),
        )
        .join(PRODUCT, PRODUCT.c.id == VARIANT.c.id)
        .join(of, of.c.id == VARIANT.c.product_id)
        .where(VARIANT.c.id.in_(variants))
    )
    own = update(VARIANT).where(
        VARIANT.c.product_id == bindparam("product"), VARIANT.c.id == bindparam("variant")
    ).values(attributes=bindparam("said"))  # fmt: skip
    rows = []
    for row in connection.execute(query).mappings():
        said = {name: row[name] for name in fields[:2] if row[name] not in ("", row[f"of_{name}"])}
        theirs = row["of_attributes"] or {}
        said |= {
            name: value
            for name, value in (row["attributes"] or {}).items()
            if value not in (theirs.get(name), row["options"].get(name))
        }
        if said:
            rows.append({"product": row["product_id"], "variant": row["id"], "said": said})
    if rows:
        connection.execute(own, rows)
