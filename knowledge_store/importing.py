"""From a feed's records to Product rows: idempotent, streaming, nothing lost."""

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, func, insert, select, update

from reaseq import ReaseqError
from reaseq.documents.locales import locale_of
from reaseq.documents.tokens import stems
from reaseq.knowledge_store.export import defused
from reaseq.knowledge_store.feeds.columns import (
    FIELDS,
    SALE,
    TITLES,
    currency_of,
    fields_held,
    folded,
    in_other_languages,
    is_of_a_sale,
    is_recommended,
    list_price,
    names_options,
    option_key,
    same_price,
)
from reaseq.knowledge_store.feeds.encoding import encoded_twice
from reaseq.knowledge_store.feeds.prices import (
    NO_DECIMALS,
    Marks,
    currency_in,
    decimal_marks,
    may_be,
    may_be_grouped,
    parse_price,
)
from reaseq.knowledge_store.feeds.quantities import of_several
from reaseq.knowledge_store.feeds.rows import (
    EMPTY,
    BadRow,
    Feed,
    Record,
    Row,
    Variant,
    identifier,
    is_empty,
    plain,
    text_of,
)
from reaseq.knowledge_store.feeds.sale_days import is_on, tells_of
from reaseq.knowledge_store.locales import FeedLocales, write_locales
from reaseq.knowledge_store.names import (
    ROUNDED,
    Name,
    identities,
    is_barcode,
    names_in,
    owners_of,
    read_names,
    several_in,
    spellings,
    without_zeros,
    write_names,
)
from reaseq.knowledge_store.shown import Result, counted, rows_of
from reaseq.knowledge_store.store import IMPORT, PRODUCT, PRODUCT_NAME, VARIANT, Store, among, insert_all
from reaseq.knowledge_store.tables import CONTENT, CategoryBy, fingerprint, now
from reaseq.knowledge_store.times import is_a_day
from reaseq.knowledge_store.variant_rows import (
    add_impacts,
    as_variants,
    follow_currencies,
    of_product,
    of_source,
    settle_variants,
    without_shared,
    write_variants,
)
from reaseq.knowledge_store.variant_updates import (
    KnownVariants,
    as_before,
    called_by,
    is_otherwise,
    own_names,
    stays,
    without_sale,
)
from reaseq.taxonomy.category_paths import CategoryNames, steps_of

_BATCH = 500
_FEW = 50
_THOUSAND = 1000
_SHOWN = 5
_SIZE = re.compile(r"size|größe|groesse|taille|talla|taglia|tamanho|maat|storlek|størrelse|サイズ|尺码", re.IGNORECASE)
_LONGEST_TITLE, _LONGEST_OF_TITLES = 100, 200
"""Characters of what is called a description: most have no more, and none has."""
_NO_CATEGORY = EMPTY | {
    "simple",
    "configurable",
    "grouped",
    "bundle",
    "virtual",
    "downloadable",
    "variable",
    "variation",
    *("product", "products", "record", "item", "goods", "physical", "digital", "storable product", "consumable"),
}
"""What shop systems say of how a product is kept, in a column that others name its category in."""
_TOTALS = frozenset(
    (
        *("total", "totals", "grand total", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "zwischensumme"),
        *("totaal", "итого", "合計", "总计", "suma", "razem", "celkem", "totalt", "totale"),
    )
)
"""What the last row of a sheet is called that adds up the others."""
_LONGEST_NAME = max(map(len, TITLES)) + 2
"""Characters: a title that is longer is no name of a column."""
_COMPARED = ("title", "description", "brand", "price")
_SEEN = ("import_id", "source", "line")


_TOLD = ("new", "updated", "unchanged", "repeated", "further", "set_aside")


@dataclass(repr=False)
class ImportReport(Result):
    """What became of every row: `rows` is the sum of new, updated, unchanged, repeated, further and set aside.

    `changed_variants` were there and say something else now, `left_variants` were there and are not in the file,
    `removed_variants` went for that reason. `further` rows only say more of a product: its variants, its pictures.
    `orphans` are variants whose product no import brought, `same_ids` those with the id of another one of their
    product. `unread_prices` are cells with a price that nobody can read, `grouped` prices whose last three digits were
    taken for thousands, as nothing tells otherwise, and the first. `encoded_twice` are products whose text was written
    in UTF-8 twice over, and what the first such word was. `cleared` are fields that held something and whose cell is
    empty now; `elsewhere` products that another file had brought; `foreign_titles` those whose title is there in
    another language alone. `taken_for`: of a feed's own names of categories, which was taken for which, and for how
    many products. `same_names` are new products whose id another one goes by, and the first of them; `same_titles`
    those without an id whose title another one has; `lost_zeros` those whose id and title another one has, but for
    zeros before the id, and the first. `retitled` are rows of variants that call their product by another title, and
    the first such. `dated` are columns of sizes with cells that look like dates, `rounded` those of codes that a
    spreadsheet has rounded: how many, and the first. `own_cells` are those that but repeat what an export wrote.
    `locales`: of how many products which is known.
    """

    import_id: int
    mapping: dict[str, str]
    kept_as_attributes: list[str]
    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    further: int = 0
    set_aside: int = 0
    variants: int = 0
    changed_variants: int = 0
    left_variants: int = 0
    removed_variants: int = 0
    orphans: int = 0
    same_ids: int = 0
    empty_descriptions: int = 0
    unknown_prices: int = 0
    unread_prices: int = 0
    grouped: int = 0
    first_grouped: str = ""
    encoded_twice: int = 0
    first_encoded_twice: str = ""
    made_ids: int = 0
    foreign_titles: int = 0
    retitled: int = 0
    same_names: int = 0
    same_titles: int = 0
    taken_for: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_same_name: str = ""
    lost_zeros: int = 0
    first_lost_zeros: str = ""
    first_retitled: str = ""
    dated: dict[str, tuple[int, str]] = field(default_factory=dict)
    rounded: dict[str, tuple[int, str]] = field(default_factory=dict)
    cleared: int = 0
    elsewhere: int = 0
    own_cells: int = 0
    locales: Counter[str] = field(default_factory=Counter)
    rejected_file: Path | None = None
    first_rejected: list[tuple[int, str]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}

    def told(self) -> str:
        if not self.rows:
            return "nothing imported: there are no rows"
        own = f"; {self.own_cells:,} cells that were made here are left out" if self.own_cells else ""
        return f"{rows_of(self.rows)}: {counted(self.counts(), _TOLD)}{own}"

    def records(self) -> list[dict[str, Any]]:
        return [{"rows": self.rows} | {name: self.counts()[name] for name in _TOLD}]


def product_from(
    record: Record,
    mapping: Mapping[str, str],
    category: str | None,
    marks: Mapping[str, Marks] | None = None,
    names: CategoryNames | None = None,
    others: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Any] | BadRow:
    """The product columns of a record; its other columns go to `attributes`, raw, but for empty ones, and so does a
    path to its category. marks: of columns of prices the decimal mark. names: what categories there are. others: of
    fields their columns in other languages, which count where theirs is empty."""
    values = {column: value for column, value in record.values.items() if not is_empty(value)}

    def text(name: str) -> str:
        """As received, or "" for nothing and for the words that stand for it."""
        column = mapping.get(name, "")
        if column not in values and name in others:
            column = next((one for one in others[name] if one in values), column)
        return text_of(values.get(column))

    title = text("title")
    title = title if any(map(str.isalnum, title)) else ""  # "-" is none
    own_id = identifier(values.get(mapping.get("id", "")))
    if {title.strip().casefold(), own_id.casefold()} & _TOTALS:
        return record.set_aside("sums up others, by its name")
    if len(title) <= _LONGEST_NAME and folded(title) in TITLES and _is_header(values):
        return record.set_aside("names columns, as a header does")
    if title and own_id.casefold() == title.strip().casefold() and _is_told_of(values, mapping):
        return record.set_aside("says how columns are filled in")
    if not title and "title" in mapping and is_empty(values.get(mapping.get("id", ""))):
        return record.set_aside("has no title")
    price, currency, own_currency = None, None, text("currency").strip()
    # What it costs may be its variants' to say, in the currency of the same column.
    of_nothing = currency_of(mapping.get("price", "")) if mapping.get("price", "") not in values else None
    for name in ("price", "list_price"):
        if price is None and (value := values.get(mapping.get(name, ""))) is not None:
            of_column = own_currency.upper() or currency_of(mapping[name])
            if (
                name == "list_price"
                and "price" in mapping
                and is_recommended(mapping[name])
                and not is_of_a_sale(mapping["price"])
            ):
                continue  # what somebody recommends is no price where the cell of the price is empty
            price, named = parse_price(value, currency=of_column, marks=(marks or {}).get(mapping[name], {}))
            currency = named or currency_of(mapping[name])
            if name == "price" and not is_on(values, mapping[name], of_sale=is_of_a_sale(mapping[name])):
                if "title" not in mapping and not _says_more(values, mapping):
                    # A list of prices has a row for each time that one holds.
                    return _of_another_day(record)
                price = currency = None
            if price is not None and of_several(values):
                price = currency = None
            if price == 0 and name == "price" and "list_price" in mapping and SALE.search(mapping[name]):
                price = None  # there is no sale
    used = _used(mapping)
    path = text("category")
    product: dict[str, Any] = {
        "category": category or (_category_of(path, names) if path else None),
        "title": title,
        "description": text("description"),
        "brand": _named(values.get(mapping.get("brand", ""))) or None,
        "price": price,
        "currency": currency_in(own_currency) or own_currency or currency or of_nothing,
        "attributes": {str(name): plain(value) for name, value in values.items() if name not in used},
    }
    unknown = product["category"] is not None and not (names or _bundled()).knows(product["category"])
    if path and (unknown or not any(map(str.isalpha, path)) or "\n" in path or len(steps_of(path)) > 1):
        product["attributes"][mapping["category"]] = path  # it often says whom for
    product["fingerprint"] = fingerprint(product)
    if not own_id and not title:
        return record.set_aside("has no id")
    product["id"] = own_id or _made_id(product)
    product["line"] = record.line
    return product


def _of_another_day(record: Record) -> BadRow:
    reason = "says a price that does not hold today"
    return record.set_aside(reason)


def _says_more(values: Mapping[str, Any], mapping: Mapping[str, str]) -> bool:
    """Does a row whose price does not hold say more than that: is it a sale's, and stands anything beside it?"""
    sale, known = mapping["price"], {mapping.get("id"), mapping.get("currency")}
    return is_of_a_sale(sale) and any(name not in known and not tells_of(name, sale) for name in values)


def _named(value: Any) -> str:
    """Text, of objects what they are called: `[{"id": 3, "name": "Acme"}]`."""
    if isinstance(value, str):
        return value
    several = value if isinstance(value, list) else [value]
    names = [text_of(one.get("name") or one.get("title")) for one in several if isinstance(one, dict)]
    return next(filter(None, names), "") if names else text_of(value)


def _is_told_of(values: Mapping[str, Any], mapping: Mapping[str, str]) -> bool:
    """Do words stand where prices do, and nowhere a digit: in a row of a template that says "Required", "Locked"?"""
    prices = [text_of(values[mapping[name]]) for name in ("price", "list_price") if mapping.get(name) in values]
    return bool(prices) and not any(sign.isdigit() for value in values.values() for sign in text_of(value))


def _says_nothing(value: Any) -> bool:
    """Of an id: also a list, which names none."""
    return is_empty(value) or not identifier(value)


def _is_header(values: Mapping[str, Any]) -> bool:
    """Are these cells names of columns: the header once more, or that of another table?"""
    cells = [text_of(value) for value in values.values()]
    again = sum(folded(name) == folded(cell) for name, cell in zip(values, cells, strict=True)) > 1
    return again or (fields_held(cells)[0] > 1 and not any(any(map(str.isdigit, cell)) for cell in cells))


def _updated(
    product: dict[str, Any],
    before: Mapping[Any, Any],
    columns: "_Columns",
    currencies: frozenset[str] | None = None,
    *,
    recommended: bool = False,
) -> tuple[dict[str, Any], int]:
    """The product with what its file has no column for as it was, and how many fields but the price became empty.

    currencies: those of which its price's sign is; None where any may be. recommended: is its price but what somebody
    thinks that it should cost?
    """
    made = dict(product)
    for name in CONTENT[1:-1]:
        if name not in columns.fields:
            made[name] = before[name]
    made["category"] = product["category"] or before["category"]
    made["title"] = product["title"] or before["title"]  # a product without one is none
    old = before["attributes"] or {}
    # Another file may call a price otherwise: `Regular price`, `Regulärer Preis`.
    listed = same_price(columns.list_price, old, columns.named, before["currency"])
    now = same_price(columns.now, old, columns.named, before["currency"], plain=True)
    made["currency"] = product["currency"] or before["currency"]
    if not (columns.now or columns.list_price):
        made["currency"] = before["currency"]  # of what it costs nothing is said
    elif product["currency"] is None and currencies is not None and before["currency"] not in currencies:
        made["currency"] = None
    if (said := columns.now or columns.list_price) and before["price"] is not None:
        currency = currency_of(said)
        if currency and before["currency"] not in (None, currency) and product["price"] is not None:
            # What it costs elsewhere is another thing that is known of it.
            made["price"], made["currency"] = before["price"], before["currency"]
            product["attributes"].setdefault(said, f"{product['price']:g}")
    if "price" in columns.fields and made["price"] is None and SALE.search(columns.now):
        # A sale is over: what it costs otherwise is there.
        here = (name for name in old if currency_of(name) in (None, made["currency"]))
        made["price"] = next((price for name in here if (price := list_price(name, old[name])) is not None), None)
    elif columns.list_price and (recommended or not columns.now) and stays(before["price"], old, listed):
        made["price"], made["currency"] = before["price"], before["currency"]
    elif now in old and product["price"] is not None:
        if is_otherwise(before["price"], old, now):
            made["price"], made["currency"] = before["price"], before["currency"]
        elsewhere = currency_of(now) is None and product["currency"] not in (None, before["currency"])
        product["attributes"][now] = f"{product['price']:g}" + (f" {product['currency']}" if elsewhere else "")
    called = as_before(old, columns.named, before["currency"])
    if columns.list_price in columns.named and listed not in columns.named:
        called[columns.list_price] = listed
    named = columns.named | set(called.values())
    kept = {name: value for name, value in old.items() if name not in named}
    made["attributes"] = kept | {called.get(name, name): value for name, value in product["attributes"].items()}
    made["fingerprint"] = fingerprint(made)
    fields = sum(bool(before[name] and not made[name]) for name in _COMPARED if name != "price")
    return made, fields + sum(name not in made["attributes"] for name in old)


@dataclass(frozen=True)
class _Columns:
    """What a file has columns for: an id, fields of products, all columns' names, those of the category and the list
    price. now: that of what things cost now. replaces: does what it lacks count as empty? of_a_system: do its rows
    say themselves which are variants? source: what stands before their ids."""

    id: str
    fields: frozenset[str]
    named: frozenset[str]
    category: str
    list_price: str
    now: str
    replaces: bool
    of_a_system: bool
    source: str

    @classmethod
    def of(cls, feed: Feed, mapping: Mapping[str, str], *, replaces: bool, source: str = "") -> "_Columns":
        fields = {"price" if name == "list_price" else name for name in mapping}
        named = frozenset(feed.columns) - {mapping.get("id", "")}
        category, list_price = mapping.get("category", ""), mapping.get("list_price", "")
        return cls(
            mapping.get("id", ""),
            frozenset(fields),
            named,
            category,
            list_price,
            mapping.get("price", ""),
            replaces and "title" in mapping,
            bool(feed.fields),
            source,
        )

    def of_row(self, cells: Collection[str]) -> "_Columns":
        """Those of a row that has but these cells."""
        return replace(self, named=self.named.intersection(cells))


def _marks(rows: Iterable[Row], mapping: Mapping[str, str]) -> dict[str, Marks]:
    """The decimal marks of the columns of prices, by the first rows; a list price is written as the price."""
    values = {
        name: [row.values.get(mapping[name]) for row in rows if isinstance(row, Record)]
        for name in ("price", "list_price")
        if name in mapping
    }
    of_all = decimal_marks(chain.from_iterable(values.values()))
    return {mapping[name]: {**of_all, **decimal_marks(column)} for name, column in values.items()}


def _made_id(product: Mapping[str, Any]) -> str:
    """The id of a product whose feed gives none: the same text has the same id in every import."""
    text = "\x00".join([product["title"], product["brand"] or "", product["description"]])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _used(mapping: Mapping[str, str]) -> set[str]:
    """The columns that do not also go to `attributes`: a list price says what the price does not."""
    return {column for field, column in mapping.items() if field != "list_price"}


def _category_of(text: str, names: CategoryNames | None) -> str | None:
    return None if _is_no_category(text) else (names or _bundled()).of(text)


@lru_cache(4096)
def is_called(said: str, category: str) -> bool:
    """Does a feed's own name for a category, or the last step of its path, say its name?"""
    return any(stems(step) == stems(category.replace("_", " ")) for step in (said, *steps_of(said)[-1:]))


@lru_cache
def _is_no_category(text: str) -> bool:
    return {part.strip().casefold() for part in text.split(",")} <= _NO_CATEGORY


def category_name(text: str) -> str | None:
    """A category as the store names it: what the bundled schemas know it as, else the words joined."""
    if text.strip().casefold() in EMPTY:
        return None
    return _bundled().of(text) or "_".join(re.findall(r"[^\W_]+", text.casefold())) or None


@lru_cache
def _bundled() -> CategoryNames:
    return CategoryNames()


def titled(
    store: Store | None, feed: Feed, mapping: Mapping[str, str], told: Collection[str] = (), source: str = ""
) -> tuple[Feed, dict[str, str]]:
    """The feed and its fields; where none is the title, what it calls a description is that, if its texts are short and
    no product of the store that a row names has another title: else it is an update of descriptions. told: fields that
    somebody has named."""
    column, own = mapping.get("description", ""), mapping.get("id", "")
    if not column or not own or "title" in mapping or not {"title", "description"}.isdisjoint(told):
        return feed, dict(mapping)
    peeked = list(islice(feed.rows, _BATCH))
    feed = replace(feed, rows=chain(peeked, feed.rows))
    texts = {
        identifier(row.values.get(own)): text_of(row.values.get(column)).strip()
        for row in peeked
        if isinstance(row, Record) and row.product
    }
    known: dict[str, str] = {}
    if store is not None:
        names = read_names(store)
        found = {one: names.find(f"{source}:{one}" if source else one) for one in texts}
        titles = store.texts(list(filter(None, found.values())))
        known = {one: titles[name]["title"].strip() for one, name in found.items() if name in titles}
    lengths = sorted(map(len, texts.values()))
    if not lengths or not 0 < lengths[len(lengths) // 2] <= _LONGEST_TITLE or lengths[-1] > _LONGEST_OF_TITLES:
        return feed, dict(mapping)
    if any(title != texts[one] for one, title in known.items()):
        return feed, dict(mapping)
    made = {**mapping, "title": column, "description": ""}
    return feed, {field: one for field in FIELDS if (one := made.get(field, ""))}


def import_feed(
    store: Store,
    feed: Feed,
    mapping: Mapping[str, str],
    *,
    category: str | None = None,
    names: CategoryNames | None = None,
    replaces: bool = False,
    source: str = "",
    locale: str | None = None,
    rejected_dir: Path,
    on_progress: Callable[[ImportReport], None] = lambda report: None,
) -> ImportReport:
    """Read `feed` into the store, a transaction a batch; stop it any time and run it again. names: the categories that
    the feed's own may stand for; by default those of the bundled schemas.

    A product whose content changed is updated, an unchanged one left alone. What the file has no column for stays as it
    was, unless it `replaces` what there is; an empty cell clears. With a `source`, ids begin with its name, so that the
    same ids of another one stay apart. Of rows that repeat an id
    within the feed the first counts: a repeat with the same text and price is counted (other columns
    may differ, a time of crawling for instance), any other set aside. Rows set aside go to a CSV file
    in `rejected_dir` with line number and reason.

    locale: of the texts of all rows that say none.

    A product that this import brought and that some product lists as its variant is that variant, whichever came first.
    """
    with store.writing() as connection:
        result = connection.execute(insert(IMPORT), {"source": str(feed.path), "counts": {}, "started_at": now()})
        import_id = int(result.inserted_primary_key[0])  # type: ignore[index]
    used = _used(mapping)
    report = ImportReport(import_id, dict(mapping), [column for column in feed.columns if column not in used])
    rejected = RejectedRows(rejected_dir / f"{feed.path.name}-{import_id}.csv", report)
    name = category_name(category) if category else None
    rows = iter(feed.rows)
    id_column = mapping.get("id")
    identity = identities(feed.columns, id_column)
    codes = [*identity, *([id_column] if id_column else [])]
    sizes = [column for column in feed.columns if _SIZE.search(column) or option_key(column) == "size"]
    marks: dict[str, Marks] = {}
    lost_prices: set[str] = set()
    columns = _Columns.of(feed, mapping, replaces=replaces, source=source)
    # Rows of tables have all cells but for those that one cell packs, which says nothing of what it does not name.
    by_rows = feed.layout is not None and feed.layout.kind == "delimited"
    others = in_other_languages(feed.columns, mapping)
    locales = FeedLocales(feed.columns, mapping, others, locale_of(locale) if locale else None)
    try:
        while batch := list(islice(rows, _BATCH)):
            marks = marks or _marks(batch, mapping)
            report.rows += len(batch)
            rows_of: list[tuple[Record, dict[str, Any], str]] = []
            read = _Batch()
            for row in batch:
                if isinstance(row, Record) and not row.product:
                    row = of_source(row, source)
                    report.further += 1
                    read.variants += [(row.line, variant) for variant in row.variants]
                    read.called += [(row.line, one) for one in names_in(row)]
                    _count_rounded(row, report)
                    continue
                made = product_from(row, mapping, name, marks, names, others) if isinstance(row, Record) else row
                if isinstance(made, BadRow):
                    rejected.add(made)
                elif isinstance(row, Record):
                    report.foreign_titles += "title" in others and is_empty(row.values.get(mapping["title"]))
                    no_id = _says_nothing(row.values.get(id_column)) if id_column else True
                    row = of_source(of_product(row, made["id"]), source)
                    if source:
                        own = Name(made["id"], f"{source}:{made['id']}", mapping.get("id", ""))
                        read.found_by.append((row.line, own))
                        made["id"] = f"{source}:{made['id']}"
                    if not (made["title"].isascii() and made["description"].isascii()) and (
                        meant := encoded_twice(made["title"]) or encoded_twice(made["description"])
                    ):
                        report.encoded_twice += 1
                        report.first_encoded_twice = report.first_encoded_twice or f"line {row.line}: {meant}"
                    if no_id:
                        read.made_ids.add(made["id"])
                    said = text_of(row.values.get(mapping.get("category", "")))
                    if name is None and made["category"] and not is_called(said, made["category"]):
                        report.taken_for[" ".join(said.split()), made["category"]] += 1
                    _count_damage(row, sizes, is_a_day, report.dated)
                    _count_damage(row, codes, ROUNDED.fullmatch, report.rounded)
                    _count_rounded(row, report)
                    if made["price"] is None and not all(
                        is_empty(row.values.get(mapping.get(name, ""))) for name in ("price", "list_price")
                    ):
                        unread = of_several(row.values) or any(
                            parse_price(cell)[0] is None for cell in _prices(row, mapping)
                        )
                        report.unread_prices += unread
                        sale = mapping.get("price", "")
                        is_over = not unread and is_of_a_sale(sale) and not is_empty(row.values.get(sale))
                        (read.over if is_over else read.unread).add(row.line)
                    elif (made["price"] or 0) >= _THOUSAND and (guessed := _guessed(row, made, mapping, marks)):
                        report.grouped += 1
                        report.first_grouped = report.first_grouped or f"{guessed}: {made['price']:,.0f}"
                    cell = row.values.get(mapping.get("price", ""))
                    if (currencies := may_be(cell)) is not None:
                        read.currencies[row.line] = currencies
                    if is_recommended(mapping.get("list_price", "")) and is_empty(cell):
                        read.recommended.add(row.line)
                    if by_rows and len(row.values) < len(feed.columns):
                        read.cells_of[row.line] = row.values.keys()
                    read.products.append((made, bool(row.variants)))
                    read.variants += [(row.line, variant) for variant in row.variants]
                    rows_of.append((row, made, made["id"]))
            if read.over and "title" not in mapping:
                for made in read.without_other_days():
                    rejected.add(_of_another_day(next(row for row, one, _ in rows_of if one is made)))
                    rows_of = [one for one in rows_of if one[1] is not made]
            repeats, stood = _write(
                store, read, feed.path.name, report, rejected, columns, names or _bundled(), lost_prices
            )
            lines, of_variants = {row.line for row, _, _ in rows_of}, {line for line, _ in stood}
            write_variants(store, read.variants + stood, report, rejected, lines, replaces=columns.replaces)
            for row, made, own_id in rows_of:  # by now it is known which product they mean
                lists = id_column and len(several_in(row.values.get(id_column))) > 1
                is_found = own_id != made["id"]
                stated = codes if lists and not is_found else identity
                read.called += [(row.line, one) for one in names_in(row, made["id"], stated)]
                if is_found and id_column and row.line not in of_variants:
                    by = names_in(row, made["id"], [id_column]) if lists else [Name(own_id, made["id"], id_column)]
                    read.found_by += [(row.line, one) for one in by]
            read.called += [(line, one) for line, variant in stood for one in names_in(Record(line, {}, (variant,)))]
            called, found_by = (
                [one for line, one in names if line not in repeats] for names in (read.called, read.found_by)
            )
            write_names(store, called, import_id, found_by)
            if locales.may_say:
                its = {(made["id"], row.line): locales.of(row.values) for row, made, _ in rows_of}
                report.locales += write_locales(store, import_id, {key: one for key, one in its.items() if one})
            on_progress(report)
        if report.new and not id_column:
            report.same_titles = _count_same_titles(store, import_id)
        if store.has_variants():
            add_impacts(store, import_id)
        if report.variants or (lost_prices and store.has_variants()):
            settle_variants(store, report, rejected, replaces=columns.replaces)
            if report.changed_variants and not columns.of_a_system:
                without_shared(store, import_id)
        if lost_prices:  # a product that says no price may cost what its variants do
            report.cleared += store.count_unpriced(lost_prices)
    finally:
        rejected.close()
        report.own_cells = feed.repeated_cells()
        report.rows += feed.repeated_rows()
        report.unchanged += feed.repeated_rows()
        with store.writing() as connection:
            connection.execute(update(IMPORT).where(IMPORT.c.id == import_id).values(counts=report.counts()))
    return report


def _count_same_titles(store: Store, import_id: int) -> int:
    """How many products this import has made whose title one has that other imports brought."""
    others = select(PRODUCT.c.title).where(PRODUCT.c.import_id != import_id)
    made = select(IMPORT.c.started_at).where(IMPORT.c.id == import_id).scalar_subquery()
    query = select(func.count()).select_from(PRODUCT)
    query = query.where(PRODUCT.c.import_id == import_id, PRODUCT.c.created_at >= made, PRODUCT.c.title.in_(others))
    with store.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _prices(row: Record, mapping: Mapping[str, str]) -> list[Any]:
    """What cells of prices hold, but for what somebody recommends beside a column of what things cost."""
    now, listed = mapping.get("price", ""), mapping.get("list_price", "")
    if now and is_recommended(listed) and not is_of_a_sale(now):
        listed = ""
    return [value for name in (now, listed) if not is_empty(value := row.values.get(name))]


def _guessed(
    row: Record, product: Mapping[str, Any], mapping: Mapping[str, str], marks: Mapping[str, Marks]
) -> str | None:
    """The cell of a price whose last three digits were taken for thousands where no cell of its column tells."""
    column = next((one for name in ("price", "list_price") if (one := mapping.get(name)) in row.values), "")
    if product["currency"] in NO_DECIMALS or marks.get(column or "", {}).keys() & {"", product["currency"]}:
        return None
    value = row.values.get(column or "")
    return value if isinstance(value, str) and may_be_grouped(value) else None


def _count_rounded(row: Record, report: ImportReport) -> None:
    """Count the codes of a row's variants that a spreadsheet has rounded."""
    for variant in row.variants:
        for column, value in variant.names:
            if ROUNDED.fullmatch(said := text_of(value).strip()):
                count, first = report.rounded.get(column, (0, f"{said} in line {row.line}"))
                report.rounded[column] = count + 1, first


def _count_damage(
    row: Record, columns: Sequence[str], is_damaged: Callable[[str], object], counts: dict[str, tuple[int, str]]
) -> None:
    """Count the cells of these columns that a spreadsheet has changed."""
    for column in columns:
        if is_damaged(value := text_of(row.values.get(column)).strip()):
            count, first = counts.get(column, (0, f"{value} in line {row.line}"))
            counts[column] = count + 1, first


@dataclass
class _Batch:
    """What some rows of a feed say. products: each with whether its row brings variants too; such rows repeat the
    product for each of them. variants, called: what products and variants go by, each with its line; found_by: by what
    rows mean products. made_ids: those that the feed does not give. unread: lines whose price could not be read, which
    leave that which is there; over: those that say no price but a sale's of another day;
    currencies: those of which the sign of a line's price may be; recommended: lines of prices that are but that.
    cells_of: by line, the columns of rows that have not all of the file's."""

    products: list[tuple[dict[str, Any], bool]] = field(default_factory=list)
    variants: list[tuple[int, Variant]] = field(default_factory=list)
    called: list[tuple[int, Name]] = field(default_factory=list)
    found_by: list[tuple[int, Name]] = field(default_factory=list)
    made_ids: set[str] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    over: set[int] = field(default_factory=set)
    currencies: dict[int, frozenset[str]] = field(default_factory=dict)
    recommended: set[int] = field(default_factory=set)
    cells_of: dict[int, Collection[str]] = field(default_factory=dict)

    def without_other_days(self) -> list[dict[str, Any]]:
        """Leave out the rows of sales of another day where another row says what the same thing costs now."""

        def of(product: Mapping[str, Any]) -> tuple[Any, ...]:
            said = product["attributes"].items()
            return product["id"], *(str(cell) for name, cell in said if names_options(name) or identities([name], None))

        held = {of(product) for product, _ in self.products if product["line"] not in self.over}
        out = [product for product, _ in self.products if product["line"] in self.over and of(product) in held]
        self.products = [one for one in self.products if one[0] not in out]
        return out

    def variants_of(self) -> Counter[str]:
        """How many variants there are of each product."""
        return Counter(product_id for product_id, _ in {(one.product_id, one.id) for _, one in self.variants})


def _write(
    store: Store, batch: _Batch, source: str, report: ImportReport, rejected: "RejectedRows", columns: _Columns,
    names: CategoryNames, lost_prices: set[str],
) -> tuple[set[int], list[tuple[int, Variant]]]:  # fmt: skip
    """The lines of rows that were set aside, and variants that stand as rows of one id. lost_prices: gets the products
    that cost something before."""
    stamp = now()
    with store.writing() as connection:
        variants: list[tuple[int, Variant]] = []
        products, repeated = _of_variants(connection, batch, report, columns, variants)
        for row in repeated:
            rejected.add(row)
        _as_known(connection, products, report, columns)
        ids = {product["id"] for product, _ in products}
        compared = [PRODUCT.c[name] for name in (*_COMPARED, "category", "category_by", "source")]
        query = select(PRODUCT.c.id, PRODUCT.c.line, PRODUCT.c.fingerprint, PRODUCT.c.import_id, *compared)
        there = {row.id: row._mapping for row in connection.execute(query.where(among(connection, PRODUCT.c.id, ids)))}
        changed = [one["id"] for one, _ in products if there.get(one["id"], one)["fingerprint"] != one["fingerprint"]]
        content = select(PRODUCT.c.id, *(PRODUCT.c[name] for name in (*CONTENT, "price_of_variants")))
        content = content.where(among(connection, PRODUCT.c.id, changed))
        old = {row.id: row._mapping for row in connection.execute(content)} if changed else {}
        in_part: set[str] = set()
        if any(with_variants for _, with_variants in products) and old:
            here = batch.variants_of()
            many = select(VARIANT.c.product_id, func.count()).where(VARIANT.c.product_id.in_(old))
            rows = connection.execute(many.group_by(VARIANT.c.product_id)).all()
            in_part = {product_id for product_id, count in rows if count > here[product_id]}
        zeros = _without_zeros(connection, [one for one, _ in products if one["id"] not in there], report)
        seen: dict[str, Mapping[Any, Any]] = {
            key: row for key, row in there.items() if row["import_id"] == report.import_id
        }
        new, updated, unchanged = [], [], []
        set_aside = {row.line for row in repeated}
        for product, with_variants in products:
            product_id = product["id"]
            first = seen.get(product_id)
            if first is not None:
                if with_variants:
                    report.further += 1
                    if product["title"] and first["title"] != product["title"]:
                        report.retitled += 1
                        report.first_retitled = report.first_retitled or (
                            f"line {product['line']} calls {product_id} {product['title']!r}, not {first['title']!r}"
                        )
                elif product["title"] in ("", first["title"]) and (made := as_variants(connection, first, product)):
                    report.further += 1
                    variants += made
                elif all(first[name] == product[name] for name in _COMPARED):
                    report.repeated += 1
                else:
                    raw = json.dumps({name: product[name] for name in ("id", *CONTENT)}, ensure_ascii=False)
                    reason = f"repeats the id {product_id!r} of line {first['line']} with another text or price"
                    if product_id in batch.made_ids:
                        reason = f"has no id, and the title of line {first['line']} with another text or price"
                    rejected.add(BadRow(product["line"], reason, raw))
                    set_aside.add(product["line"])
                continue
            seen[product_id] = product
            before = there.get(product_id)
            if not product["title"] and (before is None or columns.replaces):
                raw = json.dumps({name: product[name] for name in ("id", *CONTENT)}, ensure_ascii=False)
                reason = f"no product {product_id!r} is there to update, and it has no title"
                if "title" in columns.fields:
                    reason = "has no title" + ("" if before else f" (and no product {product_id!r} is there to update)")
                several = select(PRODUCT_NAME.c.product_id).distinct().where(PRODUCT_NAME.c.name == product_id)
                owners = [] if before else connection.execute(several.limit(_SHOWN)).scalars().all()
                if len(owners) > 1:
                    named = ", ".join(sorted(owners))
                    reason = f"{product_id!r} is a name of several products ({named}), and it has no title"
                elif owners:
                    reason = f"{product_id!r} is a name of {owners[0]}, of which it may mean a variant"
                if product_id in zeros:
                    reason += f" (there is {zeros[product_id]}: were leading zeros lost?)"
                rejected.add(BadRow(product["line"], reason, raw))
                set_aside.add(product["line"])
                del seen[product_id]
                continue
            named, says_price = product["category"], product["price"] is not None
            if product_id in old and not columns.replaces:
                if product["line"] in batch.unread or (with_variants and product_id in in_part and says_price):
                    # A price of some of its variants is theirs; whether it costs that too is told once all are there.
                    product |= {name: old[product_id][name] for name in ("price", "currency")}
                elif product["line"] in batch.over:
                    costs = without_sale(
                        old[product_id]["attributes"] or {}, columns.named, old[product_id]["currency"]
                    )
                    costs = old[product_id]["price"] if costs is None else costs
                    product |= {"price": costs, "currency": old[product_id]["currency"]}
                own = columns.of_row(batch.cells_of[product["line"]]) if product["line"] in batch.cells_of else columns
                line = product["line"]
                product, cleared = _updated(
                    product, old[product_id], own, batch.currencies.get(line), recommended=line in batch.recommended
                )
                report.cleared += cleared
                if product["price"] is None and old[product_id]["price"] is not None:
                    lost_prices.add(product_id)
            # A list without titles can only mean what is there.
            report.elsewhere += before is not None and before["source"] != source and "title" in columns.fields
            report.empty_descriptions += not product["description"].strip()
            report.unknown_prices += product["price"] is None
            report.made_ids += product_id in batch.made_ids
            written = product | {"source": source, "import_id": report.import_id, "updated_at": stamp}
            if before is None:
                new.append(written | {"created_at": stamp})
            elif before["fingerprint"] != product["fingerprint"]:
                said = [one["attributes"].get(columns.category) for one in (product, old[product_id])]
                moved = named is not None and not names.knows(named) and said[0] == said[1]
                of_variants = old[product_id]["price_of_variants"] and not says_price
                written |= {"key": product_id, "price_of_variants": of_variants}
                updated.append(written | _category(named, before, moved))
            else:
                unchanged.append({"key": product_id, **{name: written[name] for name in _SEEN}})
        if new:
            insert_all(connection, PRODUCT, new)
        by_key = update(PRODUCT).where(PRODUCT.c.id == bindparam("key"))
        if updated:
            written_too = (
                *CONTENT,
                "price_of_variants",
                "category_by",
                "fingerprint",
                "source",
                "line",
                "import_id",
                "updated_at",
            )
            connection.execute(by_key.values({name: bindparam(name) for name in written_too}), updated)
        if unchanged:
            # Only the mark that this import saw it, which is how a repeat further down is known.
            connection.execute(by_key.values({name: bindparam(name) for name in _SEEN}), unchanged)
    report.new += len(new)
    report.updated += len(updated)
    report.unchanged += len(unchanged)
    return set_aside, variants


def _of_variants(
    connection: Connection, batch: _Batch, report: ImportReport, columns: _Columns, variants: list[tuple[int, Variant]]
) -> tuple[Sequence[tuple[dict[str, Any], bool]], list[BadRow]]:  # fmt: skip
    """The rows without those of variants that are there, which go to `variants`; what such a row says of its product
    takes its place where it has the product's id, once. And rows that say something else of a variant that an earlier
    row was of: the first counts, as of products."""
    products = batch.products
    called = {name for product, _ in products for name in called_by(product)}
    known = KnownVariants.of(connection, called, report.import_id, columns.source)
    if not known.variants:
        return products, []
    left: list[tuple[dict[str, Any], bool]] = []
    repeated = []
    signs: dict[str, dict[str, frozenset[str]]] = {}
    seen = set()
    first: dict[tuple[str, str], tuple[int, Variant]] = {}
    for product, with_variants in products:
        prices = {columns.list_price} - {""} if "price" in columns.fields else None
        by_options = not columns.of_a_system
        variant = None
        if not with_variants:
            variant = known.meant(product, columns.named, prices, by_options=by_options, now=columns.now)
            if variant is not None and product["line"] in batch.unread:
                variant = variant._replace(price=None)
            elif variant is not None and product["line"] in batch.over:
                variant = variant._replace(price=known.without_sale(variant, columns.named))
        if variant is not None:
            if variant.price is not None and (of := batch.currencies.get(product["line"])) is not None:
                signs.setdefault(variant.product_id, {})[variant.id] = of
            line, earlier = first.setdefault((variant.product_id, variant.id), (product["line"], variant))
            if earlier is not variant:
                if (earlier.price, earlier.options, earlier.attributes) == (
                    variant.price, variant.options, variant.attributes
                ):  # fmt: skip
                    report.repeated += 1
                    continue
                raw = json.dumps({name: product[name] for name in ("id", *CONTENT)}, ensure_ascii=False)
                reason = f"repeats the variant {variant.id!r} of line {line} with another price or text"
                repeated.append(BadRow(product["line"], reason, raw))
                continue
            variants.append((product["line"], variant))
            shared = known.shared(product, variant) if product["id"] == variant.product_id else None
            if shared is None or product["id"] in seen:
                report.further += 1
                product["id"] = variant.product_id
                continue
            product = shared
        seen.add(product["id"])
        left.append((product, with_variants))
    follow_currencies(connection, signs)
    return left, repeated


def _without_zeros(
    connection: Connection, products: Sequence[dict[str, Any]], report: ImportReport
) -> Mapping[str, str]:
    """Of ids that no product has, what is there but for zeros before it; new products that may be that one are
    counted."""
    if connection.execute(select(IMPORT.c.id).where(IMPORT.c.id < report.import_id).limit(1)).first() is None:
        return {}
    ids = [product["id"] for product in products]
    found: dict[str, str] = {}
    for start in range(0, len(ids), _FEW):  # of each there are a dozen spellings
        found |= without_zeros(connection, ids[start : start + _FEW])
    query = select(PRODUCT.c.id, PRODUCT.c.title).where(among(connection, PRODUCT.c.id, set(found.values())))
    titles = {row.id: row.title for row in connection.execute(query)} if found else {}
    for product in products:
        other = found.get(product["id"], "")
        if product["title"] and _alike(product["title"], titles.get(other, "")):
            report.lost_zeros += 1
            report.first_lost_zeros = report.first_lost_zeros or (
                f"line {product['line']}: {product['id']}, there is {other}"
            )
    return found


def _as_known(
    connection: Connection, products: Sequence[tuple[dict[str, Any], bool]], report: ImportReport, columns: _Columns
) -> None:
    """Give products that a file calls by another name than their id, a barcode or a number, that id, if their titles
    are alike; others are counted. A row without a title may mean a product with variants only by a name that is not
    one's of these, and goes by its other codes where nothing has its id. A product that has another code and still its
    number (`ID`) is that product."""
    numbers = {product["id"]: identifier(product["attributes"].get("ID")) for product, _ in products}
    others = {
        product["id"]: [*called_by(product)[1:], *several_in(product["id"])]
        for product, _ in products
        if not product["title"]
    }
    codes = {one for several in others.values() for one in several}
    called = owners_of(connection, {*numbers, *filter(None, numbers.values()), *codes}, columns.source)
    if codes:
        of_source = {f"{columns.source}:{one}" if columns.source else one: one for one in codes}
        ids = connection.execute(select(PRODUCT.c.id).where(among(connection, PRODUCT.c.id, of_source))).scalars()
        called |= {of_source[product_id]: product_id for product_id in ids}
    if is_barcode(columns.id):
        spelled = {other: name for name in numbers for other in spellings(name) if other not in numbers}
        there = connection.execute(select(PRODUCT.c.id).where(among(connection, PRODUCT.c.id, spelled))).scalars()
        called = {spelled[product_id]: product_id for product_id in there} | called
    if not called:
        return
    owners = set(called.values())
    query = select(PRODUCT.c.id, PRODUCT.c.title).where(among(connection, PRODUCT.c.id, owners | set(numbers)))
    titles = {row.id: row.title for row in connection.execute(query)}
    several = set(connection.execute(select(VARIANT.c.product_id).where(VARIANT.c.product_id.in_(owners))).scalars())
    sure = own_names(connection, called, columns.source)
    for product, _ in products:
        own = product["id"]
        owner, by_number = called.get(own), called.get(numbers[own])
        meant = {called[one] for one in others.get(own, ()) if one in sure} if own not in titles else set()
        # A row that says a size or a colour is of a variant, here of one that is not known.
        of_variant = owner in several and any(map(names_options, product["attributes"]))
        if owner and (_alike(product["title"], titles[owner]) if product["title"] else own in sure and not of_variant):
            product["id"] = owner
        elif own not in titles and by_number and by_number not in numbers:
            product["id"] = by_number
        elif not owner and len(meant) == 1:
            product["id"] = meant.pop()
        elif owner and own not in titles and product["title"]:
            report.same_names += 1
            report.first_same_name = report.first_same_name or (
                f"line {product['line']}: {own} is also what {owner}, {titles[owner]!r}, goes by"
            )


def _alike(one: str, other: str) -> bool:
    """May two titles be of one product: does the longer say all of the shorter, or do both say most of it alike?"""
    mine, theirs = set(stems(one)), set(stems(other))
    shared = len(mine & theirs)
    return 0 < shared == min(len(mine), len(theirs)) or 2 * shared > len(mine | theirs)


def _category(named: str | None, before: Mapping[Any, Any], moved: bool) -> dict[str, str | None]:
    """The category of a product that is there already: what the feed names now, unless it names none, or a person
    decided otherwise, or it was `moved` from there, as no schema knows what the feed names."""
    if named is None or before["category_by"] == CategoryBy.PERSON or (moved and before["category_by"] is not None):
        return {"category": before["category"], "category_by": before["category_by"]}
    return {"category": named, "category_by": None}


class _Counts(Protocol):
    set_aside: int
    rejected_file: Path | None
    first_rejected: list[tuple[int, str]]


class RejectedRows:
    """The file of rows set aside; made only if there is one. Counts them in a report."""

    def __init__(self, path: Path, report: _Counts) -> None:
        self.path = path
        self.report = report
        self._file: Any = None

    def add(self, row: BadRow) -> None:
        self.report.set_aside += 1
        if len(self.report.first_rejected) < _SHOWN:
            self.report.first_rejected.append((row.line, row.reason))
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
                self.report.rejected_file = self.path
                csv.writer(self._file).writerow(["line", "reason", "row"])
            csv.writer(self._file).writerow([row.line, row.reason, defused(row.raw.replace("\x00", "\\0"))])
        except OSError as error:
            raise ReaseqError(
                f"{self.path}: cannot set line {row.line} aside: {error.strerror or error}",
                hint="make room or give write access there, and run the same command: it goes on",
            ) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def preview(
    feed: Feed, mapping: Mapping[str, str], category: str | None, names: CategoryNames | None = None
) -> Iterator[dict[str, Any]]:
    """The products the first rows would become, with the variants those rows bring; other rows are passed over."""
    others = in_other_languages(feed.columns, mapping)
    named = category_name(category) if category else None
    for row in feed.rows:
        if isinstance(row, Record) and row.product:
            made = product_from(row, mapping, named, names=names, others=others)
            if not isinstance(made, BadRow):
                yield made | {"variants": "; ".join(", ".join(one.options.values()) for one in row.variants)}
