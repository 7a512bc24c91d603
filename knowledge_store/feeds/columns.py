"""What a feed's columns mean: guessed by name, said to the user, and overridden by `--map`."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import Any

from reaseq.documents.locales import locale_of
from reaseq.documents.tokens import stems
from reaseq.knowledge_store.feeds.price_names import (
    PriceKind,
    Tax,
    kind_but_for_taxes,
    net_kind,
    parts_of,
    price_kind,
    tax_of,
)
from reaseq.knowledge_store.feeds.prices import CURRENCIES, currency_in, parse_price
from reaseq.knowledge_store.feeds.rows import FeedError, is_empty
from reaseq.knowledge_store.feeds.sale_days import is_on
from reaseq.knowledge_store.wordlists import words

FIELDS = ("id", "title", "description", "brand", "price", "list_price", "currency", "category")
"""`list_price` is the price where the current one is unknown; its column stays among the attributes too."""

# In order of preference. Names as shops, marketplaces and data sets use them, folded by `folded`.
_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        "id",
        "object id",
        "seller sku",
        "custom label",
        "product id",
        "sku",
        "product handle",
        "variant sku",
        "item id",
        "item sku",
        "article id",
        "article number",
        "artikelnummer",
        "artikel nr",
        "asin",
        "parent asin",
        "style id",
        "product code",
        "product number",
        "item number",
        "uniq id",
        "offer id",
        "us item id",
        "external id",
        "internal id",
        "product internal id",
        "product sku",
        "handle id",
        "ordernumber",
        "id oferty",
        "cikkszám",
        "stok kodu",
        "ürün kodu",
        "상품코드",
        "상품번호",
        "internal reference",
        "default code",
        "article code",
        "materialnummer",
        "matnr",
        "handle",
        "artikelnr",
        "art nr",
        "artnr",
        "ugs",
        "code",
        "item no",
        "identifier",
        "артикул",
        "gtin",
        "ean",
        "upc",
        "model number",
        "référence",
        "reference",
        "referencia",
        "codice",
        "商品番号",
        "商品コード",
        "商品id",
        "réf",
        "código",
        "codigo",
        "indeks",
        "kod produktu",
        "kod",
        "kód",
        "cod produs",
        "bestellnr",
        "teilenummer",
        "商品编号",
        "货号",
        "品番",
        "barcode",
        "variant barcode",
        "mpn",
        "uid",
        "item group id",
        "variant id",
        "nr",
        "no",
    ),
    "title": (
        "title",
        "product title",
        "product name",
        "product display name",
        "display name",
        "item name",
        "item title",
        "name",
        "productname",
        "produktname",
        "artikelname",
        "artikelbezeichnung",
        "produktbezeichnung",
        "warenbezeichnung",
        "kurzbezeichnung",
        "désignation",
        "libellé",
        "libelle",
        "libellé produit",
        "libelle produit",
        "désignation article",
        "intitulé",
        "bezeichnung",
        "titel",
        "titre",
        "nom",
        "nom du produit",
        "título",
        "nombre",
        "titolo",
        "nome",
        "naam",
        "商品名",
        "タイトル",
        "titulo",
        "nombre del producto",
        "nome prodotto",
        "productnaam",
        "namn",
        "produktnamn",
        "navn",
        "produktnavn",
        "nimi",
        "nazwa",
        "nazwa produktu",
        "标题",
        "商品标题",
        "商品名称",
        "产品名称",
        "наименование",
        "название",
        "název",
        "název produktu",
        "názov",
        "ürün adı",
        "megnevezés",
        "terméknév",
        "denumire",
        "denumire produs",
        "назва",
        "상품명",
        "اسم المنتج",
        "produkt",
        "bezeichnung 1",
        "artikeltext",
        "kurztext",
        "materialkurztext",
        "maktx",
        "item text name",
        "itemtextname",
        "produit",
        "artikel",
        "product",
    ),
    "description": (
        "description",
        "product description",
        "long description",
        "full description",
        "long desc",
        "description long",
        "description full",
        "item description",
        "sales description",
        "description sale",
        "body html",
        "description html",
        "body",
        "product details",
        "details",
        "about product",
        "beschreibung",
        "produktbeschreibung",
        "artikelbeschreibung",
        "descripción",
        "descrizione",
        "descrição",
        "omschrijving",
        "beschrijving",
        "商品説明",
        "説明",
        "descripcion",
        "descricao",
        "beskrivning",
        "beskrivelse",
        "kuvaus",
        "opis",
        "opis produktu",
        "描述",
        "商品描述",
        "产品描述",
        "desc",
        "description text",
        "description value",
        "short description",
        "short desc",
        "description short",
        "langtext",
        "beschreibung de",
        "popis",
        "açıklama",
        "leírás",
        "descriere",
        "описание",
        "опис",
        "상품설명",
    ),
    "brand": (
        "brand",
        "brand name",
        "brand title",
        "brands",
        "manufacturer name",
        "manufacturer title",
        "producer name",
        "herstellername",
        "hersteller name",
        "markenname",
        "marke label",
        "product brand",
        "manufacturer",
        "vendor",
        "maker",
        "label",
        "marke",
        "hersteller",
        "marque",
        "marca",
        "merk",
        "ブランド",
        "メーカー",
        "varumärke",
        "märke",
        "mærke",
        "marka",
        "品牌",
        "store",
        "producer",
        "producent",
        "fabricant",
        "fabricante",
        "fabbricante",
        "značka",
        "výrobce",
        "бренд",
        "производитель",
        "gyártó",
        "브랜드",
    ),
    "price": (
        "sale price",
        "selling price",
        "final price",
        "current price",
        "discounted price",
        "offer price",
        "price",
        "price tax included",
        "price vat",
        "variant price",
        "start price",
        "price amount",
        "standard price amount",
        "price value",
        "price gross",
        "unit price",
        "preis",
        "verkaufspreis",
        "prix",
        "precio",
        "prezzo",
        "preço",
        "prijs",
        "価格",
        "販売価格",
        "pris",
        "cena",
        "价格",
        "vk",
        "vk brutto",
        "bruttopreis",
        "cena brutto",
        "prix ttc",
        "rrp inc vat",
        "售价",
        "price text",
        "fiyat",
        "preț",
        "ціна",
        "가격",
        "판매가",
    ),
    "list_price": (
        "price",
        "preis",
        "regular price",
        "listing price",
        "list price",
        "original price",
        "initial price",
        "compare at price",
        "variant compare at price",
        "mrp",
        "msrp",
        "rrp",
        "uvp",
        "retail price",
        "standard price",
        "regular price value",
    ),
    "currency": (
        "currency",
        "currency code",
        "currency id",
        "price currency",
        "waehrung",
        "währung",
        "devise",
        "moneda",
        "通貨",
    ),
    "category": (
        "category",
        "product category",
        "category path",
        "categories",
        "product categories",
        "product type",
        "article type",
        "item type",
        "sub category",
        "subcategory",
        "root category",
        "category name",
        "categorytext",
        "categ id complete name",
        "categ id name",
        "categ id",
        "main category",
        "google product category",
        "kategorie",
        "catégorie",
        "categoría",
        "categoria",
        "categorie",
        "カテゴリ",
        "カテゴリー",
        "kategoria",
        "类目",
        "分类",
        "type",
        "kategori",
        "kategória",
        "категория",
        "категорія",
        "카테고리",
        "warengruppe",
        "rayon",
        "department",
    ),
}


@lru_cache
def _names() -> dict[str, tuple[str, ...]]:
    """What columns of each field are called: names above and those of `words/`. Barcodes are ids behind all others."""
    more = words("feed_columns")
    made = {field: (*names, *more.get(field, ())) for field, names in _NAMES.items()}
    last = {*more["barcode"], *(name for name in made["id"] if any(word in _BARCODES for word in name.split()))}
    made["id"] = (*(name for name in made["id"] if name not in last), *(name for name in made["id"] if name in last))
    made["id"] += more["barcode"]
    made["title"] += more["title_else"]
    return {field: tuple(dict.fromkeys(names)) for field, names in made.items()}


_BARCODES = frozenset("gtin ean upc isbn barcode jan".split())
_LIST_PRICES = frozenset((*_NAMES["list_price"], "price"))
"""What a column is called that holds the price beside a sale's, folded."""
TITLES = frozenset((*_NAMES["title"], *words("feed_columns")["title"]))
"""What a title's column is called, folded."""
_MAP_HINT = (
    'reaseq import FILE --map title="COLUMN"   '
    '(of an update --map id="COLUMN"; or --header-row N, where these are no names)'
)
_LOCALE = re.compile(r"^(.+?)[._:\-\[( ]((?!id\b)[a-z]{2}(?:[_-][A-Za-z]{2})?|[a-z]{2}_[A-Z]{2}(?=-))(?:-\w+)?[\])]?$")
"""A column of one language: `name-en_US`, `name.en`, `title[de]`."""
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_COSTS = frozenset(
    "ek cost purchase wholesale trade net netto händler dealer ht shipping versand deposit pfand".split()
)
_TAXES_ALONE = ("brutto", "gross", "netto", "net", "ht")
"""What a column of prices may be called, or of weights."""
_COSTS_BEGIN = ("einkaufs", "grund", "versand", "inköps", "inkops", "indkøbs", "innkjøps", "inkoop", "aankoop")
SALE = re.compile(r"sale|special|offer|discount|promo|angebot|aktion|reapris|tilbud|offerta|rebajado", re.IGNORECASE)
_CARRIED = frozenset("shipping delivery versand lieferung livraison envio spedizione tax fee deposit pfand".split())
"""Things with a price of their own within a product."""
_OTHERS = frozenset(
    "unit series supplier warranty seller shop size color colour tax country collection season image images "
    "category categories brands manufacturers availability status group".split()
)
"""What of a product may have a name of its own, beside brands and categories."""
_EITHER = re.compile(r"\s*[/|]\s*|\s+or\s+")
"""Between the names of a column that has several."""
_LONGEST_NAME = 200
_OF_LIST = re.compile(r"\[\d+\]\.|\.\d+\.|(?:^|\.)__")
"""Columns of a member of a list (`attributes[0].name`), and of what a protocol says (`__metadata.type`)."""
_PATH = re.compile(r"\w\.\w")
_TIERS = 3
"""Lines that a header may have."""
_FEWEST_GROUPS = _FEWEST_FIELDS = 2
_LANGUAGES = frozenset(
    "ar bg ca cs da de el en es et eu fa fi fr gl he hi hr hu is it ja ka kk ko lt lv mk nb nl nn no pl pt ro ru sk sl "
    "sq sr sv th tr uk vi zh".split()
)
"""Of shops (ISO 639-1), but for those that are units too (ml)."""
_REMARK = re.compile(r"^[CP]:|\([^()]*\)|\[[^\[\]]*\]|:(?:token|float)(?:_seq)?$")
"""What a template says of a column: "SKU (optional, max. 20)"; that a seller made it up, or that it is a code of the
product's (eBay's `C:`, `P:`); and its type, as
RecBole writes it (`user_id:token`, https://recbole.io/docs/user_guide/data/atomic_files.html)."""


def list_price(column: str, value: Any) -> float | None:
    """What a column of list prices says; None of any other."""
    name = folded(column)
    listed = name in _LIST_PRICES or price_kind(name) in (PriceKind.OTHERWISE, PriceKind.RECOMMENDED)
    return parse_price(value)[0] if listed else None


@lru_cache(maxsize=1_000)
def currency_of(column: str) -> str | None:
    """The currency that a column's name says."""
    return currency_in(column)


def same_price(
    column: str, known: Iterable[str], named: Collection[str], currency: str | None, *, plain: bool = False
) -> str:
    """The known column that says the list price which this one says in other words or another language; itself where
    none does, or several may. named: columns that say something else. currency: of columns whose names say none.
    plain: is it a price that is called but that?"""

    def kind(name: str) -> tuple[PriceKind | None, str | None]:
        return price_kind(folded(name)), currency_of(name) or currency

    own, of = kind(column)
    if column in known or own not in (PriceKind.PLAIN, PriceKind.OTHERWISE, PriceKind.RECOMMENDED):
        return column
    kinds = {one: kind(one) for one in known if one not in named}
    same = [one for one, its in kinds.items() if its == (own, of)]
    if not same and not plain and own is not PriceKind.RECOMMENDED:
        same = [one for one, its in kinds.items() if its in ((PriceKind.PLAIN, of), (PriceKind.OTHERWISE, of))]
    return same[0] if len(same) == 1 else column


def without_remark(column: str) -> str:
    """What a column is called, without what a template remarks of it."""
    return _REMARK.sub(" ", column)


@lru_cache(maxsize=10_000)
def names_at_once(column: str) -> tuple[str, ...]:
    """The names, folded, of a column of codes that has several (`Product Code/SKU`, `GTIN or EAN`); none of others."""
    parts = [folded(one) for one in _EITHER.split(without_remark(column))]
    known = {*_names()["id"]}
    parts = [one if one in known else one.removeprefix("product ") for one in parts]
    return tuple(parts) if len(parts) > 1 and known.issuperset(parts) else ()


def names_a_description_too(column: str) -> bool:
    """Is it a title's column only where its texts are short?"""
    return folded(column) in words("feed_columns")["title_else"]


def names_an_id(column: str) -> bool | None:
    """Is a column's name made of words for ids; None where it says nothing, False where it says something else."""
    said, of = folded(column.replace("#", " number")).split(), words("feed_columns")
    if not {*of["id_not"]}.isdisjoint(said) or price_kind(" ".join(said)) is not None:
        return False
    return True if said and (said[-1] in of["id_words"] or said[0] in of["id_words"]) else None


def names_a_title(columns: Sequence[str], overrides: Mapping[str, str] | None = None) -> bool:
    """Is one of these what a product is titled by, or a column that `overrides` name?"""
    if set((overrides or {}).values()) & set(columns):
        return True
    columns = [name for name in columns if len(name) <= _LONGEST_NAME]  # texts are none
    if not _by_name(columns, TITLES, None).keys().isdisjoint(TITLES):
        return True
    # An update by ids has no title.
    return "id" in guess(columns, _names(), {}) and fields_held(columns)[0] > 1


def fields_held(columns: Iterable[str]) -> tuple[int, bool]:
    """How many fields of a product these may be, and whether a title is among them."""
    found = guess([name.rpartition(":")[2] for name in columns], _names(), {})
    return len(found), "title" in found


def header_of(rows: Sequence[Sequence[str]], first: int) -> int:
    """Which of the rows is the header where the first that may be one is this: a row soon below it that names more
    fields, where that one but names groups of columns ("Article", "Prices"), or one that parts its columns."""
    fields = [fields_held(filter(None, row))[0] for row in rows[first : first + _TIERS]]
    at = first + max(range(len(fields)), key=lambda at: (fields[at], -at)) if fields else first
    return at + bool(rows[at + 1 : at + 2] and _of_two_lines(rows[at], rows[at + 1]))


def names_at(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    """The names of columns that the header `rows[at]` gives, with what stands above them where that names groups."""
    joined = _of_two_lines(rows[at - 1], rows[at]) if at > 0 else []
    return joined or list(rows[at])


def _of_two_lines(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """The names of a header of two lines, of which the first names groups of columns and has gaps beside or repeats
    itself ("Price,,Size," above "Net,Gross,EU,UK"); none where the second is no such line. What a column is called by
    itself (a SKU, a name) has no group before it."""
    width = max(len(above), len(below))
    above, below = ([cell.strip() for cell in row] + [""] * (width - len(row)) for row in (above, below))
    starts = [at for at in range(width) if above[at] and (at == 0 or above[at] != above[at - 1])]
    last = starts[-1] if starts else 0
    widest = max((end - start for start, end in pairwise(starts)), default=1)
    group, groups = "", []
    for at, cell in enumerate(above):
        group = cell or (group if at < last + widest else "")  # a column that was added behind is in none
        groups.append(group)
    gaps = [at for at in range(1, width) if above[at] in ("", above[at - 1]) and groups[at] and below[at]]
    named = [(group, name) for group, name in zip(groups, below, strict=True) if name]
    if not gaps or len({*filter(None, above)}) < _FEWEST_GROUPS or len(set(named)) < len(named):
        return []
    if any(name[0].isdigit() or not any(map(str.isalpha, name)) for _, name in named):
        return []
    # Where columns of no group are named above, their cells below are empty, and nobody else's.
    parted = not below[0] and all(
        (at in gaps or at + 1 in gaps) == bool(below[at]) for at in range(width) if groups[at]
    )
    if not parted and fields_held(name for _, name in named)[0] < _FEWEST_FIELDS:
        return []
    return [
        own if not name else f"{group} {name}" if _says_which(group) and not _says_which(name) else name
        for own, group, name in zip(above, groups, below, strict=True)
    ]


def _says_which(name: str) -> bool:
    """Does it name a field or what variants differ by? Then it says what columns below are of: "Price" above "Net"."""
    return fields_held([name])[0] > 0 or price_kind(folded(name)) is not None or names_options(name)


def guess_columns(
    columns: Sequence[str], overrides: Mapping[str, str] | None = None, locale: str | None = None
) -> dict[str, str]:
    """Field to column. `overrides` (field to column, as given with `--map`) win; an override with an
    empty column leaves the field out. locale: see `guess`. A file without a title may be an update by ids.

    Raises:
        FeedError: an override names no field or no column, or nothing can be the title, or the id of an update.
    """
    mapping = fields_of(columns, overrides, locale)
    must_name_products(columns, mapping)
    return mapping


def must_name_products(columns: Sequence[str], mapping: Mapping[str, str]) -> None:
    """Raises:
    FeedError: nothing is the title, or the id of an update.
    """
    if not mapping.get("title") and not ("id" in mapping and len(columns) > 1):
        raise FeedError(f"no column looks like a title; columns are: {', '.join(columns)}", hint=_MAP_HINT)


def fields_of(
    columns: Sequence[str], overrides: Mapping[str, str] | None = None, locale: str | None = None
) -> dict[str, str]:
    """The same of columns that need not be those of products.

    Raises:
        FeedError: an override names no field or no column.
    """
    return guess(columns, _names(), overrides or {}, locale, of_products=True)


@lru_cache(maxsize=1_000)
def fields_among(columns: tuple[str, ...]) -> Mapping[str, str]:
    """The same of the keys of one object, which thousands have."""
    return fields_of(columns)


def _meant(field: str, column: str, columns: Sequence[str], names: Mapping[str, Sequence[str]]) -> str:
    """Which field a name that is none may mean: the column's, the other way round, or another word for one, or a
    misspelt one."""
    if column in names and field in columns:
        return f'--map {column}="{field}"'
    known = [one for one, called in names.items() if folded(field) in called]
    near = [*known, *get_close_matches(field, names, 1)]
    return f'--map {near[0]}="{column}"' if near else f'--map {next(iter(names))}="COLUMN"'


def guess(
    columns: Sequence[str],
    names: Mapping[str, Sequence[str]],
    overrides: Mapping[str, str],
    locale: str | None = None,
    *,
    of_products: bool = False,
) -> dict[str, str]:
    """Field to column by the names that fields have, best first; `overrides` win, and an empty one leaves a field out.

    of_products: are the fields those of products? Then what stands beside their title, or outermost, comes before what
    stands in something else of theirs (`shipping.price`), and prices are told by the words of their names too.

    locale: of columns that there are in several languages (`name-de_DE`, `name.en`) those of this one, else of the one
    that most fields have.

    Raises:
        FeedError: an override names no field or no column.
    """
    mapping: dict[str, str] = {}
    for field, column in overrides.items():
        if field not in names:
            hint = _meant(field, column, columns, names)
            raise FeedError(f"--map {field}=…: no such field; fields are: {', '.join(names)}", hint=hint)
        if column and column not in columns:
            near = get_close_matches(column, columns, 1)
            raise FeedError(
                f"--map {field}={column!r}: no such column; columns are: {', '.join(columns)}",
                hint=f'--map {field}="{near[0]}"' if near else _MAP_HINT if of_products else f'--map {field}="COLUMN"',
            )
        mapping[field] = column
    taken = set(mapping.values())
    no_prices: set[str] = set()
    if of_products:
        columns = [column for column in columns if not _OF_LIST.search(column)]
        no_prices = {*filter(_of_other_units, columns), *_not_of_now(columns)} - taken
    by_name = _by_name(columns, {name for known in names.values() for name in known}, locale)
    beside = ""
    titles_of_others = {one for one in columns if _titles_another(one)} if of_products else set()
    if of_products and (title := _best(by_name, names["title"], titles_of_others, "")):
        beside = _within(title)
    for field in names:
        never = taken | no_prices if field in ("price", "list_price") else taken
        if field == "title":
            never = taken | titles_of_others
        if field not in mapping and (column := _best(by_name, names[field], never, beside if of_products else None)):
            if (
                of_products
                and field == "list_price"
                and _stands_in(column) not in ("", beside, _stands_in(mapping.get("price", "")))
            ):
                continue  # what something else costs
            if of_products and field == "list_price" and folded(column) == folded(mapping.get("price", "")):
                continue  # the same in another currency
            mapping[field] = column
            taken.add(column)
    if of_products:
        priced = [column for column in columns if column not in no_prices]
        _add_prices(priced, mapping, taken, {"price", "list_price"} & overrides.keys())
    return {field: mapping[field] for field in names if mapping.get(field)}


@lru_cache(maxsize=10_000)
def _titles_another(column: str) -> bool:
    """Does a column say what something of a product is called: its brand, its category, its unit?"""
    while "." in column:
        within = folded(_last(_within(column)))
        if within in _OTHERS or any(within in _names()[field] for field in ("brand", "category", "currency")):
            return True
        column = _within(column)
    return False


def _within(column: str) -> str:
    return column.rpartition(".")[0]


def _best(
    by_name: Mapping[str, Sequence[tuple[str, str]]], names: Sequence[str], taken: Collection[str], beside: str | None
) -> str:
    """The column that has the first of these names; with `beside`, of those that stand there or outermost, else of the
    others."""
    found = [
        (bool(beside is not None and within not in ("", beside)), rank, column)
        for rank, name in enumerate(names)
        for column, within in by_name.get(name, ())
        if column not in taken and (beside is None or _CARRIED.isdisjoint(folded(within).split()))
    ]
    return min(found, key=lambda one: one[:2])[2] if found else ""


@lru_cache(maxsize=10_000)
def _of_other_units(column: str) -> bool:
    """Does a column of prices say them in cents or thousands, also in brackets, where else remarks stand?"""
    said = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", column).casefold())
    return any(word in words("price_words")["other_units"] for word in said) and price_kind(folded(column)) is not None


def _not_of_now(columns: Iterable[str]) -> set[str]:
    """Of columns of prices of several years those of all but this one, or the last before it."""
    kinds = (PriceKind.PLAIN, PriceKind.NOW)
    years = {one: int(found[0]) for one in columns if (found := _YEAR.search(one)) and price_kind(folded(one)) in kinds}
    if len(set(years.values())) < 2:
        return set()
    until = [year for year in years.values() if year <= date.today().year]
    now = max(until, default=min(years.values()))
    return {one for one, year in years.items() if year != now}


def _add_prices(columns: Sequence[str], mapping: dict[str, str], taken: set[str], told: Collection[str]) -> None:
    """Prices that are called otherwise than `_NAMES` has it, by the words of their names. told: fields that somebody
    has named."""
    kinds = {column: price_kind(folded(column)) for column in columns if column not in taken and not _is_path(column)}
    called = {folded(column) for column in columns}
    if "was" in called and ("now" in called or "price" in mapping):
        kinds |= {one: PriceKind.OTHERWISE if folded(one) == "was" else PriceKind.NOW for one in columns
                  if folded(one) in ("was", "now")}  # fmt: skip
    plain = mapping.get("price", "")
    # The same in another currency is no list price.
    kinds = {column: kind for column, kind in kinds.items() if not plain or folded(column) != folded(plain)}
    sale = next((one for one, kind in kinds.items() if kind is PriceKind.NOW), "")
    if sale and not told and price_kind(folded(plain)) is PriceKind.PLAIN:
        # "Preis" beside "Aktionspreis" is what it costs otherwise.
        mapping["price"], mapping["list_price"] = sale, plain
        taken.add(sale)
    if not told and is_recommended(mapping.get("list_price", "")):
        # "Was" says more of what it costs than "RRP".
        mapping["list_price"] = next(
            (one for one, kind in kinds.items() if kind is PriceKind.OTHERWISE), mapping["list_price"]
        )
        taken.add(mapping["list_price"])
    if not told:
        _prefer_taxes_within(columns, mapping, taken)
    for field, wanted in (
        ("price", (PriceKind.NOW, PriceKind.PLAIN)),
        ("list_price", (PriceKind.OTHERWISE, PriceKind.PLAIN, PriceKind.RECOMMENDED)),
    ):
        if field not in mapping:
            for kind in wanted:
                if column := next((one for one, its in kinds.items() if its == kind and one not in taken), ""):
                    mapping[field] = column
                    taken.add(column)
                    break
    if not told:
        _add_net_price(columns, mapping, taken)
    if "currency" in mapping and not told and mapping.keys().isdisjoint({"price", "list_price"}):
        amounts = words("price_words")["amounts"]
        if amount := next((one for one in columns if one not in taken and folded(one) in amounts), ""):
            mapping["price"] = amount
            taken.add(amount)


def _add_net_price(columns: Sequence[str], mapping: dict[str, str], taken: set[str]) -> None:
    """A price without taxes is one where no other is; beside the same with them it counts where that one's cell is
    empty. Beside what somebody recommends it may be what a shop pays."""
    price = mapping.get("price", "")
    if "list_price" in mapping or any(is_recommended(one) for one in columns):
        return
    free = [one for one in columns if one not in taken and net_kind(folded(one)) in (PriceKind.PLAIN, PriceKind.NOW)]
    own = [one for one in free if not _is_path(one) or price_kind(folded(_within(one))) is PriceKind.PLAIN]
    if found := next((one for one in own if not price or _is_same_price(one, price)), ""):
        mapping["list_price" if price else "price"] = found
        taken.add(found)


def _is_path(column: str) -> bool:
    return _PATH.search(column) is not None and _behind_a_key(column) != ""


def _stands_in(column: str) -> str:
    """What a column of a price stands in (`offer.price`); a full stop behind a word is none (`Preis inkl. MwSt.`)."""
    return _within(column) if _is_path(column) else ""


def _prefer_taxes_within(columns: Sequence[str], mapping: dict[str, str], taken: set[str]) -> None:
    """Of two columns of one price, with taxes and without, the one that people pay; the other counts where its cell is
    empty."""
    for field in ("price", "list_price"):
        own = mapping.get(field, "")
        if not own or tax_of(folded(own)) is Tax.WITHIN:
            continue
        # The column may be called "Price (excl. VAT)", which names a price without what stands in brackets.
        kind, within = kind_but_for_taxes(folded(own)), _stands_in(own)
        same = (
            one
            for one in columns
            if one != own and kind_but_for_taxes(folded(one)) is kind and _stands_in(one) == within
        )
        better = next((one for one in same if tax_of(folded(one)) is Tax.WITHIN), "")
        if better and (better not in taken or better == mapping.get("list_price")):
            mapping[field] = better
            taken.add(better)
            if field == "price" and mapping.get("list_price", better) == better:
                former = (one for one in columns if one not in taken and _is_former(one) and _stands_in(one) == within)
                mapping["list_price"] = next(former, own)
                taken.add(mapping["list_price"])


def _is_former(column: str) -> bool:
    """Does a column say what a thing costs or did cost otherwise?"""
    return price_kind(folded(column)) is PriceKind.OTHERWISE


@lru_cache
def says_former(column: str) -> bool:
    """Does a column say what a thing cost before, which is nobody's price any more?"""
    parts = {part for word in folded(column).split() for part in parts_of(word)}
    return _is_former(column) and not parts.isdisjoint(words("price_words")["former"])


def cost(values: Mapping[str, Any], fields: Mapping[str, str]) -> Any:
    """What a thing costs by its cells, as they say it: a list price where the cell of the price is empty, but none that
    somebody recommends unless the price is a sale's, which is none at 0. "" where nothing says it, None where there is
    no cell of a price."""
    now, listed = fields.get("price", ""), fields.get("list_price", "")
    if now not in values:
        # A record of JSON or XML has but what it says: the same price without taxes, for instance.
        same = [one for one in values if now and _is_same_price(one, now) and not is_empty(values[one])]
        return values[same[0]] if same else None
    if is_of_a_sale(now) and not is_on(values, now, of_sale=True):
        values = {name: "" if name == now else value for name, value in values.items()}
    if is_recommended(listed) and not is_of_a_sale(now):
        listed = ""
    more = (name for name in values if price_kind(folded(name)) is PriceKind.OTHERWISE and name not in (now, listed))
    for name in (now, listed, *more):
        value = values.get(name)
        if not is_empty(value) and (parse_price(value)[0] or name != now or not is_of_a_sale(name)):
            return value
    return ""


@lru_cache(maxsize=10_000)
def _is_same_price(column: str, other: str) -> bool:
    """Do two columns say one price, but for taxes?"""
    kinds = {kind_but_for_taxes(folded(one)) for one in (column, other)}
    taxes = {tax_of(folded(one)) for one in (column, other)}
    return kinds == {PriceKind.PLAIN} and len(taxes) > 1 and _stands_in(column) == _stands_in(other)


@lru_cache
def is_of_a_sale(column: str) -> bool:
    """Is a column of prices that of a sale?"""
    return SALE.search(column) is not None or price_kind(folded(column)) is PriceKind.NOW


def unread_prices(columns: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """Columns whose names speak of a price, where none is taken for one, or but a recommended one; none of what a shop
    pays, or of what else it costs."""
    listed = mapping.get("list_price", "")
    if "price" in mapping or (listed and not is_recommended(listed)):
        return []
    free = [column for column in columns if column not in mapping.values()]
    named = [column for column in free if price_kind(folded(column)) is not None and not _is_cost(column)]
    return named or [column for column in free if folded(column) in {*words("price_words")["amounts"], *_TAXES_ALONE}]


def can_be_price(column: str) -> bool:
    """May a column whose name speaks of a price say what a thing costs, in a currency's own unit, and not what it costs
    by the month, what that has changed, or what several cost?"""
    said = folded(column).split()
    other = words("price_words")["of_something_else"]
    return not _of_other_units(column) and not any(word in other for word in said)


def _is_cost(column: str) -> bool:
    return not _COSTS.isdisjoint(folded(column).split()) or folded(column).startswith(_COSTS_BEGIN)


def apart(name: str, own: Iterable[str]) -> str:
    """What a column of an attribute is called that has this name: not as those that say what an id, a title, a
    description or a price is, where the record has such `own` ones."""
    field = _field_of().get(folded(name))
    return f"attribute {name}" if field and any(_field_of().get(folded(one)) == field for one in own) else name


@lru_cache
def _field_of() -> dict[str, str]:
    fields = {"list_price": "price", "price": "price", "description": "description", "title": "title", "id": "id"}
    return {
        name: told for field, told in fields.items() for name in _names()[field] if field != "title" or name in TITLES
    }


@lru_cache
def is_recommended(column: str) -> bool:
    """Does a column say what somebody thinks that a thing should cost?"""
    return price_kind(folded(column)) is PriceKind.RECOMMENDED


def _behind_a_key(name: str) -> str:
    """What stands behind the first full stop that parts keys, if one does: none behind a word that is cut short."""
    key, _, rest = name.partition(".")
    return "" if key.casefold() in words("price_words")["shortened"] else rest


def _by_name(columns: Sequence[str], known: Collection[str], locale: str | None) -> dict[str, list[tuple[str, str]]]:
    """Columns by their names as fields may have them, each with what it stands in: as they are, without what a template
    remarks, without their language, and without the path to them (`properties.name`)."""
    by_name: dict[str, list[tuple[str, str]]] = {}
    told = _language(locale) if locale else ""
    localised = [(column, found[1], _language(found[2])) for column in columns if (found := _LOCALE.match(column))]
    localised = [one for one in localised if told or one[2][:2] in _LANGUAGES]
    localised = [one for one in localised if {folded(one[1]), folded(_last(one[1]))} & set(known)]
    if len(localised) == 1 and price_kind(folded(localised[0][1])):
        localised = []  # `price_cs` alone is a price of something else
    count = Counter(language for _, _, language in localised)
    main = told or max(count, key=lambda language: count[language], default="")
    of_main = [(base, column) for column, base, language in localised if language.startswith(main)] if main else []
    plain = [(column, column) for column in columns]
    plain += [(without_remark(column.removesuffix(".text")), column) for column in columns]  # <preis waehrung="EUR">
    plain += [(column.replace("#", " number"), column) for column in columns if "#" in column]
    plain += [(name, column) for column in columns for name in names_at_once(column)]
    for name, column in [*of_main, *plain] if told else [*plain, *of_main]:
        by_name.setdefault(folded(name), []).append((column, ""))
    skipped = {column for column, _, _ in localised}
    for name, column in [*of_main, *((column, column) for column in columns if column not in skipped)]:
        rest = name
        while (rest := _behind_a_key(rest)) != "":
            within = name.removesuffix(f".{rest}")
            by_name.setdefault(folded(rest), []).append((column, within))
    return by_name


def label_of(column: str) -> str:
    """What a column is called, without its language, and without where a system keeps it (`Color
    (product.metafields.custom.color)`)."""
    column = column.removeprefix("C:")  # as eBay calls what a seller says
    found = _LOCALE.match(column)
    in_language = found is not None and found[2][:2].casefold() in _LANGUAGES  # "(cm)" is none
    return re.sub(r" \((?:edited|[^()]*\.[^()]*)\)$", "", found[1] if found and in_language else column)


def language_of(column: str) -> str | None:
    """The locale that a column's name says its texts are of: `name-de_DE`; None: it says none."""
    found = _LOCALE.match(column)
    return locale_of(found[2]) if found and found[2][:2].casefold() in _LANGUAGES else None


def in_other_languages(columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, list[str]]:
    """Of title and description, where their columns are of one language, those that say the same in others."""
    made: dict[str, list[str]] = {}
    for field in ("title", "description"):
        if (column := mapping.get(field)) and (found := _LOCALE.match(column)):
            same = [one for one in columns if one != column and (other := _LOCALE.match(one)) and other[1] == found[1]]
            if same:
                made[field] = same
    return made


_OPTIONS = {
    "color": (
        "colour",
        "couleur",
        "farbe",
        "colore",
        "cor",
        "kleur",
        "färg",
        "farve",
        "kolor",
        "barva",
        "цвет",
        "颜色",
    ),
    "size": (
        *("größe", "groesse", "grösse", "gr", "taille", "talla", "taglia", "tamanho", "maat", "storlek", "størrelse"),
        *("rozmiar", "velikost", "размер", "尺码", "サイズ", "shoe size", "schuhgröße", "size name"),
    ),
}
_KEYS = {other: name for name, others in _OPTIONS.items() for other in others}


_PLAIN_COLOURS = {
    "black": "schwarz schwarze noir noire negro negra nero nera preto zwart zwarte "
    "svart sort czarny černá чёрный 黒 黑色 ブラック",
    "white": "weiß weiss weiße blanc blanche blanco blanca bianco bianca branco wit witte "
    "vit hvid biały bílá белый 白 白色 ホワイト",
    "grey": "gray grau graue gris grigio grigia cinza cinzento grijs grijze grå szary šedá серый 灰色 グレー",
    "red": "rot rote rouge rojo roja rosso rossa vermelho rood rode röd rød czerwony červená красный 赤 红色 レッド",
    "blue": "blau blaue bleu bleue azul blu blauw blauwe blå niebieski modrá синий 青 蓝色 ブルー",
    "green": "grün grüne vert verte verde groen groene grön grøn zielony zelená зелёный 緑 绿色 グリーン",
    "yellow": "gelb gelbe jaune amarillo amarilla giallo gialla amarelo geel gele gul żółty žlutá жёлтый 黄色 イエロー",
    "orange": "naranja arancione laranja oranje pomarańczowy oranžová оранжевый 橙色 オレンジ",
    "pink": "rosa roze różowy růžová розовый 粉色 ピンク",
    "purple": "lila violett violette morado viola roxo paars lilla fioletowy fialová фиолетовый 紫 紫色 パープル",
    "brown": "braun braune brun brune marron marrón marrone castanho bruin "
    "bruine brązowy hnědá коричневый 茶色 棕色 ブラウン",
}
"""The same colours in other languages, and no shades: navy is another variant than blue."""
_OF_OPTIONS = re.compile(
    r"\b(?:size|colou?r|colore|cor|kolor|barva|koko|väri|rozmiar|velikost|renk|beden|размер|цвет|voltage|finish|"
    r"サイズ|カラー|色|尺码|颜色|사이즈|색상|größe|groesse|farbe|taille|couleur|talla|taglia|tamanho|maat|kleur|storlek|färg|width|"
    r"style|pattern|flavou?r|scent|volume|capacity|length)\b",
    re.IGNORECASE,
)
"""Columns that rows of one product may differ by."""


def names_options(column: str) -> bool:
    """May rows of one product differ by it: a size, a colour?"""
    return _OF_OPTIONS.search(column) is not None


@lru_cache(maxsize=10_000)
def option_value(column: str, value: str) -> str:
    """What values of options are told by: plain colours in whatever language, others by their words."""
    said = " ".join(stems(value))
    return _colours().get(said, said) if option_key(column) == "color" else said


@lru_cache
def _colours() -> dict[str, str]:
    return {" ".join(stems(word)): value for value, words in _PLAIN_COLOURS.items() for word in words.split()}


@lru_cache(maxsize=10_000)
def option_key(column: str) -> str:
    """What options are told by, whatever they are called in which language: colours and sizes by one name each."""
    name = folded(column)
    return _KEYS.get(name, name)


def _language(locale: str) -> str:
    return locale.casefold().replace("_", "-")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


@lru_cache(maxsize=2_000)  # short titles are asked too, and push each other out
def folded(name: str) -> str:
    """`productDisplayName` and `Product_Display-Name` are one name, and `Price (EUR)` is `price`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    words = re.findall(r"[^\W_]+", spaced.casefold())
    while len(words) > 1 and (words[-1].upper() in CURRENCIES or words[-1] == "in"):
        words.pop()
    return " ".join(words)
