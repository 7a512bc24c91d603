"""What products go by: their ids, and the SKUs, barcodes and numbers of them and of their variants.

A log, a sheet of decisions and a person may use any of these. A name that stands for several products stands for none
of them: whoever asks is told.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, select, update

from reaseq import ReaseqError
from reaseq.knowledge_store.feeds.columns import folded, names_at_once, without_remark
from reaseq.knowledge_store.feeds.doubtful import Codes
from reaseq.knowledge_store.feeds.rows import Record, identifier
from reaseq.knowledge_store.store import PRODUCT, PRODUCT_NAME, VARIANT, Store, among, insert_all
from reaseq.knowledge_store.wordlists import words

_IDENTITIES = frozenset((
    "id", "product id", "variant id", "item id", "article id", "article number", "artikelnummer", "artikel nr", "sku",
    "variant sku", "item sku", "asin", "parent asin", "product code", "product number", "item number", "uniq id",
    "handle", "product handle", "variation id", "reference", "reference number", "internal reference",
    "product sku", "custom label", "default code",
    "art nr", "artnr", "artikelnr", "item no", "ugs", "артикул", "mpn", "identifier",
    "référence", "referencia", "codice", "商品番号", "商品コード", "商品id",
))  # fmt: skip
_BARCODES = frozenset((
    "barcode", "variant barcode", "gtin", "ean", "upc", "isbn", "jan", "gtin8", "gtin12", "gtin13", "gtin14", "gtin 8",
    "gtin 12", "gtin 13", "gtin 14", "ean13", "ean 13", "isbn13", "isbn 13", "external product id",
    "variant ean", "variant gtin", "variant upc",
    "gtin upc ean or isbn", "global trade item number",
))  # fmt: skip
_ALSO_OTHERS = frozenset("article key ref kod code symbol clave cod rif koodi код 编号".split())
"""What ids are called too, and much else: names of products only where they are the id."""
_BARCODE = re.compile(r"\d{8,14}")
"""A GTIN has 8, 12, 13 or 14 digits, and zeros before it change nothing
(https://www.gs1.org/standards/id-keys/gtin)."""
ROUNDED = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
"""What a spreadsheet leaves of a barcode: it names nothing any more."""
_LISTS = re.compile(r"[,;|\n]")
_RUN = re.compile(r"\d+|[^\W\d_]+")
_DIGITS = (8, 12, 13, 14)
_LONGEST = 64
_LONGEST_NUMBER = 18
"""Digits of a number that systems fill up with zeros (SAP's of materials)."""
UNKNOWN = "the item is not in the catalogue"


class Name(NamedTuple):
    """What a product goes by, and the feed's column that says so."""

    name: str
    product_id: str
    column: str
    variant_id: str | None = None


@dataclass(frozen=True)
class Names:
    """Ids of products by what they go by; `several` are names of more than one product."""

    of: dict[str, str] = field(default_factory=dict)
    several: dict[str, Sequence[str]] = field(default_factory=dict)
    _barcodes: dict[str, str] = field(default_factory=dict)
    _shortened: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """The product's id; None of a name that none has or several have."""
        found = self.of.get(name)
        if found is None and self._barcodes and _BARCODE.fullmatch(name) and name not in self.several:
            found = self._barcodes.get(name.lstrip("0"))
        if found is None and ROUNDED.fullmatch(name) and (whole := _unrounded(name)):
            found = self.find(whole)
        return found

    def why_not(self, name: str) -> str:
        """What to say of a name that nothing was found for."""
        if name in self.several:
            return f"the item is a name of several products ({', '.join(self.several[name][:3])}): {name}"
        if lost := self._shortened.get(name):
            return f"{UNKNOWN}: {name} (there is {lost}: were leading zeros lost?)"
        other = self._other_case.get(name.casefold())
        return f"{UNKNOWN}: {name}" + (f" (there is {other}: did something change its case?)" if other else "")

    @cached_property
    def _other_case(self) -> dict[str, str]:
        return {name.casefold(): name for name in self.of}


def read_names(store: Store) -> Names:
    """Everything that products go by. A product's own id comes first, then variants', then other names."""
    with store.reading() as connection:
        own = {product_id: product_id for product_id in connection.execute(select(PRODUCT.c.id)).scalars()}
        variants = connection.execute(select(VARIANT.c.id, VARIANT.c.product_id))
        of_variants, several = _told_apart(row for row in variants if row[1] in own and row[0] not in own)
        more = list(connection.execute(select(PRODUCT_NAME.c.name, PRODUCT_NAME.c.product_id, PRODUCT_NAME.c.column)))
    known = own | of_variants
    rest, clashes = _told_apart(
        (name, product) for name, product, _ in more if product in own and name not in known and name not in several
    )
    barcodes, _ = _told_apart(
        (name.lstrip("0"), product)
        for name, product, column in chain(more, ((name, name, "gtin") for name in own))
        if product in own and folded(column) in _BARCODES and _BARCODE.fullmatch(name)
    )
    shortened = {name.lstrip("0"): name for name in known if name.startswith("0") and name.strip("0")}
    return Names(known | rest, several | clashes, barcodes, shortened)


def _unrounded(name: str) -> str:
    """The digits of a number that a spreadsheet has written by its power of ten, if it left none of them out: with
    fewer than a barcode has nobody knows the last."""
    digits, _, power = name.upper().replace(",", ".").partition("E")
    if len(digits) - 1 <= int(power):
        return ""
    return str(int(Decimal(name.replace(",", "."))))


def _told_apart(pairs: Iterable[Sequence[str]]) -> tuple[dict[str, str], dict[str, Sequence[str]]]:
    """Names of one product, and those of several."""
    found: dict[str, str] = {}
    several: dict[str, set[str]] = {}
    for name, product in pairs:
        first = found.setdefault(name, product)
        if first != product:
            several.setdefault(name, {first}).add(product)
    return (
        {name: product for name, product in found.items() if name not in several},
        {name: sorted(products) for name, products in several.items()},
    )


def identities(columns: Iterable[str], own: str | None) -> list[str]:
    """The columns that say what else a product goes by; own: that of its id."""
    return [column for column in columns if column != own and (is_barcode(column) or _is_identity(column))]


@lru_cache(maxsize=10_000)
def _is_identity(column: str) -> bool:
    said = {*map(folded, (column, without_remark(column), _last(column))), *names_at_once(column)}
    return bool(said & (_IDENTITIES | {*words("feed_columns")["id"]} - _ALSO_OTHERS))


@lru_cache(maxsize=10_000)
def is_barcode(column: str) -> bool:
    """Does a column hold barcodes, by its name? Plugins of WooCommerce keep them as what they are called for themselves
    (`Meta: _gtin`, `Meta: hwp_product_gtin`)."""
    name = folded(column)
    said = {folded(one) for one in (column, without_remark(column), _last(column))}
    at_once = names_at_once(column)
    if column.startswith("GTIN") or not said.isdisjoint(_BARCODES) or (at_once and _BARCODES.issuperset(at_once)):
        return True
    of_system = name.startswith("meta ") and not {"gtin", "ean", "upc", "isbn", "barcode"}.isdisjoint(name.split())
    return of_system or name in words("feed_columns")["barcode"]


def _last(column: str) -> str:
    """The end of a path (`properties.sku`), but for an `id`, which is that of what it is within (`brand.id`)."""
    last = column.rpartition(".")[2]
    return "" if last.casefold() in ("id", "handle") else last


def names_in(record: Record, product_id: str = "", columns: Sequence[str] = ()) -> list[Name]:
    """What a record calls its product, in these columns, and its variants."""
    found: list[tuple[str, Any, str, str | None]]
    found = [(column, record.values.get(column), product_id, None) for column in columns]
    found += [(column, value, one.product_id, one.id) for one in record.variants for column, value in one.names]
    return [
        Name(name, product, column, variant)
        for column, cell, product, variant in found
        for value in several_in(cell)
        if (name := identifier(value)) and name != product and len(name) <= _LONGEST and not ROUNDED.fullmatch(name)
    ]


def several_in(cell: Any) -> list[Any]:
    """The names that a cell lists (`SR5,SR6`), where they look alike; of any other what it holds. Words alone are no
    names (`Blue, large`), nor are short numbers (`1,250`)."""
    if isinstance(cell, list):
        return cell
    if not isinstance(cell, str) or _LISTS.search(cell) is None:
        return [cell]
    parts = [part.strip() for part in _LISTS.split(cell) if part.strip()]
    shapes = {_RUN.sub(lambda run: "9" if run[0].isdigit() else "a", part) for part in parts}
    alike = len(parts) > 1 and len(shapes) == 1 and not any(map(str.isspace, parts[0]))
    return parts if alike and (not shapes & {"a", "9"} or all(map(_BARCODE.fullmatch, parts))) else [cell]


def write_names(store: Store, names: Sequence[Name], import_id: int, found_by: Sequence[Name] = ()) -> None:
    """Keep what products go by. What the same columns of an earlier import said of these products goes, of the products
    themselves and of their variants apart. found_by: the names that rows mean products by, which may have others."""
    rows: dict[tuple[str, str], Name] = {}
    for one in (*names, *found_by):
        same = rows.setdefault((one.name, one.product_id), one)
        if same.variant_id and one.variant_id and same.variant_id != one.variant_id:
            rows[one.name, one.product_id] = one._replace(variant_id=None)  # several variants have it
        elif one.variant_id:
            rows[one.name, one.product_id] = one
    if not rows:
        return
    products = {product_id for _, product_id in rows}
    # An update may name some of a product's variants: the others are still called what they were.
    left = select(VARIANT.c.product_id).where(VARIANT.c.import_id != import_id)
    with store.writing() as connection:
        mine = among(connection, PRODUCT_NAME.c.product_id, products)
        for of_product in (True, False):
            said = [one for one in names if (one.variant_id is None) == of_product]
            outdated = (
                among(connection, PRODUCT_NAME.c.product_id, {one.product_id for one in said}),
                PRODUCT_NAME.c.column.in_({one.column for one in said}),
                PRODUCT_NAME.c.import_id != import_id,
                PRODUCT_NAME.c.product_id.not_in(left),
                PRODUCT_NAME.c.variant_id.is_(None) == of_product,
            )
            if said:
                connection.execute(delete(PRODUCT_NAME).where(*outdated))
        for row in connection.execute(select(PRODUCT_NAME).where(mine)).all():
            key = row.name, row.product_id
            new_one = rows.pop(key, None)
            if new_one is None or new_one.variant_id in (None, row.variant_id):
                continue
            of = new_one.variant_id if row.import_id != import_id or row.variant_id is None else None
            this = (PRODUCT_NAME.c.name == row.name) & (PRODUCT_NAME.c.product_id == row.product_id)
            connection.execute(update(PRODUCT_NAME).where(this).values(variant_id=of, import_id=import_id))
        if rows:
            new = [one._asdict() | {"import_id": import_id} for one in rows.values()]
            insert_all(connection, PRODUCT_NAME, new)


def taken_over(connection: Connection, variants: Select[tuple[str]]) -> None:
    """Names of what is a product no longer are those of the product that it is a variant of."""
    columns = (
        *(PRODUCT_NAME.c.name, VARIANT.c.product_id, PRODUCT_NAME.c.column, PRODUCT_NAME.c.import_id),
        VARIANT.c.id.label("variant_id"),
    )
    joined = select(*columns).join(VARIANT, VARIANT.c.id == PRODUCT_NAME.c.product_id)
    moved = {(row.name, row.product_id): row for row in connection.execute(joined.where(VARIANT.c.id.in_(variants)))}
    connection.execute(delete(PRODUCT_NAME).where(PRODUCT_NAME.c.product_id.in_(variants)))
    products = PRODUCT_NAME.c.product_id.in_({product for _, product in moved})
    there = connection.execute(select(PRODUCT_NAME.c.name, PRODUCT_NAME.c.product_id).where(products))
    for row in there:
        moved.pop((row.name, row.product_id), None)
    if moved:
        connection.execute(insert(PRODUCT_NAME), [dict(row._mapping) for row in moved.values()])


def owners_of(connection: Connection, called: Collection[str], source: str = "") -> dict[str, str]:
    """The products that variants mean by these names, where no product has them for its id: WooCommerce's `id:12`.
    source: before the names of one whose products have it before their ids."""
    if not called or connection.execute(select(PRODUCT_NAME.c.name).limit(1)).first() is None:
        return {}
    there = set(connection.execute(select(PRODUCT.c.id).where(among(connection, PRODUCT.c.id, called))).scalars())
    before = f"{source}:" if source else ""
    names = {one.removeprefix(before).removeprefix("id:"): one for one in called if one not in there}
    if not names:
        return {}
    spelled = {other: one for name, one in names.items() for other in spellings(name) if other not in names}
    known = (
        PRODUCT_NAME.c.product_id.in_(select(PRODUCT.c.id)),
        *([PRODUCT_NAME.c.product_id.startswith(before, autoescape=True)] if before else []),
        among(connection, PRODUCT_NAME.c.name, {**names, **spelled}),
    )
    query = select(PRODUCT_NAME.c.name, PRODUCT_NAME.c.product_id, PRODUCT_NAME.c.column).where(*known)
    rows = connection.execute(query).all()
    by_name = {names[row.name] for row in rows if row.name in names}
    found, _ = _told_apart(
        (names.get(row.name) or spelled[row.name], row.product_id)
        for row in rows
        if row.name in names or (is_barcode(row.column) and spelled[row.name] not in by_name)
    )
    return found


def renamed(connection: Connection, products: Mapping[str, str]) -> None:
    """Names that stood under another id are those of the product of this id."""
    for before, after in products.items():
        there = select(PRODUCT_NAME.c.name).where(PRODUCT_NAME.c.product_id == after)
        mine = PRODUCT_NAME.c.product_id == before
        connection.execute(delete(PRODUCT_NAME).where(mine, PRODUCT_NAME.c.name.in_(there)))
        connection.execute(update(PRODUCT_NAME).where(mine).values(product_id=after))


def spellings(name: str) -> list[str]:
    """A barcode with other numbers of zeros before it; nothing of any other name."""
    return [name.lstrip("0").zfill(digits) for digits in _DIGITS] if _BARCODE.fullmatch(name) else []


def without_zeros(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """Of numbers that nothing goes by, what does but for zeros before it: a spreadsheet may have taken these."""
    spelled = {
        f"{source}{colon}{other}": name
        for name in names
        for source, colon, number in [name.rpartition(":")]
        if number.isascii() and number.isdigit() and len(number) < _LONGEST_NUMBER
        for other in (number.lstrip("0"), *(number.zfill(digits) for digits in range(len(number), _LONGEST_NUMBER + 1)))
        if other != number
    }
    if not spelled:
        return {}
    columns = PRODUCT_NAME.c.name, VARIANT.c.id, PRODUCT.c.id
    found = {one for column in columns for one in _among(connection, column, spelled)}
    return {spelled[one]: one for one in sorted(found)}


def _among(connection: Connection, column: ColumnElement[str], names: Collection[str]) -> Iterable[str]:
    return connection.execute(select(column).where(among(connection, column, names))).scalars()


def codes_in(store: Store, source: str = "") -> Codes:
    """What knows the codes of a store's products: their ids, and other names of them and of their variants. source:
    what stands before the ids of a feed."""
    before = f"{source}:" if source else ""

    def known(texts: Collection[str]) -> dict[str, dict[str, str]]:
        ids = {f"{before}{one}": one for one in texts}
        spelled = {other: one for one in texts for other in (one, *spellings(one))}
        found: dict[str, set[str]] = {}
        with store.reading() as connection:
            name, of = PRODUCT_NAME.c.name, PRODUCT_NAME.c.product_id
            mine = [of.startswith(before, autoescape=True)] if before else []
            for called, query in (
                (ids, select(PRODUCT.c.id, PRODUCT.c.id).where(among(connection, PRODUCT.c.id, ids))),
                (ids, select(VARIANT.c.id, VARIANT.c.product_id).where(among(connection, VARIANT.c.id, ids))),
                (spelled, select(name, of).where(among(connection, name, spelled), *mine)),
            ):
                for one, product_id in connection.execute(query):
                    found.setdefault(called[one], set()).add(product_id)
            products = {one for several in found.values() for one in several}
            titled = select(PRODUCT.c.id, PRODUCT.c.title).where(among(connection, PRODUCT.c.id, products))
            titles = {row.id: row.title.strip() for row in connection.execute(titled)}
        codes = {text: {one: titles[one] for one in of if one in titles} for text, of in found.items()}
        return {text: of for text, of in codes.items() if of}

    return known


def find_product(store: Store, name: str) -> dict[str, Any]:
    """The product that somebody means by a name: its id, else a variant's, a SKU, a barcode.

    Raises:
        ReaseqError: none has it, or several have.
    """
    for one in (name, name := identifier(name) or name):
        if (product := store.product(one)) is not None:
            return product
    of_variants = select(VARIANT.c.product_id).where(VARIANT.c.id == name)
    spelled = {name, *spellings(name)}
    others = select(PRODUCT_NAME.c.product_id).where(PRODUCT_NAME.c.name.in_(spelled))
    with store.reading() as connection:
        called = sorted(set(connection.execute(of_variants.union(others)).scalars()))
    found = [product for one in called if (product := store.product(one)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(one["id"] for one in found[:5])
        raise ReaseqError(f"{name!r} is a name of several products: {several}", hint=f"take an id, {found[0]['id']}")
    raise ReaseqError(f"no product with id {name!r} in the store", hint="reaseq knowledge list")
