"""WooCommerce's product CSV: `variable` products, and `variation` rows that name their parent.

https://woocommerce.com/document/product-csv-importer-exporter/
A parent is named by its SKU or as `id:ID`. The names of columns are in the shop's language; types are not. Within
values a backslash stands before a comma, and a line break is written as a backslash and an n. Before what a
spreadsheet would run as a formula the exporter writes a quote mark, which the importer takes off.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reaseq.knowledge_store.feeds.columns import apart
from reaseq.knowledge_store.feeds.prices import holds_now
from reaseq.knowledge_store.feeds.rows import ONLY_NAMED, BadRow, Record, Row, Variant, Writing, identifier, text_of

MARKS = (
    ("Type", "SKU", "Name", "Regular price"),
    ("ID", "Type", "SKU", "Published"),
    ("Type", "SKU", "Parent"),
    ("SKU", "Parent", "Regular price"),
    *(("SKU", name) for name in ("Attribute 1 name", "Date sale price starts", "Date sale price ends")),
)
"""Of whole exports, and of updates with few columns."""
FIELDS = {
    "id": "SKU",
    "title": "Name",
    "description": "Description",
    "brand": "Brands",
    "price": "Sale price",
    "list_price": "Regular price",
    "category": "Categories",
}
WRITING = Writing("Meta: {name}", system=frozenset(("Type", "Categories", "Tags", "Published")))
_TRANSLATED = {
    "Type": ("Typ", "Tipo", "Rodzaj", "Tyyppi"),
    "SKU": ("Artikelnummer", "UGS", "COD", "REF", "Varenummer", "Artikelnr"),
    "Name": ("Nom", "Nombre", "Nome", "Naam", "Namn", "Navn", "Nazwa", "Nimi"),
    "Short description": (
        *("Kurzbeschreibung", "Description courte", "Descripción corta", "Breve descrizione", "Descrizione breve"),
        *("Korte beschrijving", "Descrição curta", "Breve descrição", "Kort beskrivning", "Kort beskrivelse"),
        *("Krótki opis",),
    ),
    "Description": (
        *("Beschreibung", "Descripción", "Descrizione", "Beschrijving", "Descrição", "Beskrivning", "Beskrivelse"),
        *("Opis", "Kuvaus"),
    ),
    "Sale price": (
        *("Angebotspreis", "Tarif promo", "Prix promo", "Precio rebajado", "Prezzo in offerta", "Actieprijs"),
        *("Preço promocional", "Reapris", "Tilbudspris", "Cena promocyjna"),
    ),
    "Regular price": (
        *(
            "Regulärer Preis",
            "Tarif régulier",
            "Prix régulier",
            "Precio normal",
            "Prezzo di listino",
            "Reguliere prijs",
        ),
        *("Normale prijs", "Preço normal", "Ordinarie pris", "Normalpris", "Cena regularna", "Cena"),
    ),
    "Categories": (
        "Kategorien",
        "Catégories",
        "Categorías",
        "Categorie",
        "Categorieën",
        "Categorias",
        "Kategorier",
        "Kategorie",
    ),
    "Parent": (
        *("Übergeordnet", "Übergeordnetes Produkt", "Superior", "Principal", "Genitore", "Hoofd", "Bovenliggend"),
        *("Ascendente", "Pai", "Överordnad", "Forælder", "Nadrzędny", "Produit parent", "Producto superior"),
    ),
    "Brands": ("Marken", "Marke", "Marques", "Marcas", "Marchi", "Merken", "Varumärken", "Mærker", "Marki"),
}
"""What the columns are called in other languages, by their English names (WooCommerce's own translations)."""
_OF_VARIATIONS = ("ID", "Type", "SKU", "Parent", "Name", "Sale price", "Regular price", "Position", "Published")
"""What of a variation is known otherwise, or made by the shop: its name is the product's with what it differs by."""
_ATTRIBUTE = re.compile(r"\b(?:attribut[eo]?|attribuut|atributo?|atrybut)\b", re.IGNORECASE)
_VALUE = re.compile(r"\b(?:value|wert|valeur|valor|valore|waarde|värde|værdi|wartość)", re.IGNORECASE)
_NAME = re.compile(r"\b(?:name|nom|nombre|nome|naam|namn|navn|nazwa)\b", re.IGNORECASE)
_DAY = re.compile(r"\b(?:date|datum|fecha|día|data|dato|päivä)", re.IGNORECASE)
_SALE = re.compile(r"angebot|promo|rebaja|oferta|offerta|scontat|actie|rea|tilbud|sale", re.IGNORECASE)
_BEGINS = re.compile(r"begin|début|inicio|empieza|inizio|start|począt", re.IGNORECASE)
_ENDS = re.compile(
    r"\b(?:endet|ende|eind\w*|fin|finaliza\w*|termina\w*|fine|slut\w*|końc\w*|ends?|fim)\b", re.IGNORECASE
)
_COMMA = re.compile(r"(?<!\\),")
_GUARD = re.compile(r"\A'(?=[=+@-])")
_GUARDS = re.compile(r"(\A|(?<!\\),\s*)'(?=[=+@-])")
"""The same of each of several values."""
_LISTS = ("Categories", "Tags")


def english(columns: Sequence[str]) -> dict[str, str]:
    """The English names of the columns that are in another language."""
    known = {_folded(name): of for of, names in _TRANSLATED.items() for name in names}
    made: dict[str, str] = {}
    for column in columns:
        number = re.search(r"\d+", column)
        if of := known.get(_folded(column)) or _day_of_sale(column):
            made[column] = of
        elif number and _ATTRIBUTE.search(column) and (_VALUE.search(column) or _NAME.search(column)):
            made[column] = f"Attribute {number[0]} {'value(s)' if _VALUE.search(column) else 'name'}"
    return made


def _day_of_sale(column: str) -> str | None:
    """The English name of a column that says when a sale begins or ends ("Date de fin de promo")."""
    if not (_DAY.search(column) and _SALE.search(column)) or column.startswith("Date sale price"):
        return None
    begins, ends = _BEGINS.search(column) is not None, _ENDS.search(column) is not None
    return f"Date sale price {'starts' if begins else 'ends'}" if begins != ends else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def _unescaped(text: str) -> str:
    return text.replace("\\,", ",").replace("\\n", "\n")


def rows(found: Iterable[Row]) -> Iterator[Row]:
    """Products, and variants without a product's text."""
    skus: dict[str, str] = {}  # of variable products, by the ids that variations may name them by
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = {name: _unguarded(name, value) for name, value in row.values.items()}
        kind, sku, number = (identifier(values.get(name)) for name in ("Type", "SKU", "ID"))
        own = sku or f"id:{number}"
        # A file without types says by a parent that it is one.
        if "variation" in kind or ("Type" not in values and text_of(values.get("Parent")).strip()):
            parent = text_of(values.get("Parent")).strip()
            if not parent and not sku:
                yield row.set_aside("is a variation and names no parent")
                continue
            if not parent:  # an update by its own code
                cells = {
                    name: value for name, value in _of_today(values).items() if name not in ("Type", "Name", "Parent")
                }
                yield Record(row.line, cells)
                continue
            values = _of_today(values)
            price = values.get("Sale price") or values.get("Regular price")
            called = (name for name in values if name == "ID" or name.startswith("GTIN"))
            names = tuple((name, values[name]) for name in called if values[name])
            known = (*_OF_VARIATIONS, *(name for name, _ in names))
            own_cells = {
                name: value
                for name, value in values.items()
                if name not in known and not name.startswith(("Attribute ", "Date sale price "))
            }
            if "Regular price" in values:
                own_cells["Regular price"] = values["Regular price"]  # what it costs when the sale is over
            # A file may leave out what they differ by; each has a name, and if nothing else a number.
            differs = _attributes(values) or {ONLY_NAMED: text_of(values.get("Name")).strip() or own}
            variant = Variant(own, skus.get(parent, parent), differs, price, names, own_cells)
            yield Record(row.line, {}, (variant,), product=False)
            continue
        if "variable" in kind and number:
            skus[f"id:{number}"] = own
        values = _of_today(values)
        kept = (name for name in values if name != "Type" and not name.startswith("Attribute "))
        product = {name: values[name] for name in kept}  # its type is no category
        if "Short description" in product:
            product["Short description"] = _unescaped(text_of(product["Short description"]))
        if not text_of(product.get("Description")).strip() and "Short description" in product:
            product["Description"] = product["Short description"]
        if "Description" in product:
            product["Description"] = _unescaped(text_of(product["Description"]))
        # "Clothing > Shoes, Sale": each way on a line
        ways = _COMMA.split(text_of(values.get("Categories")))
        if "Categories" in values:
            product["Categories"] = "\n".join(way for one in ways if (way := _unescaped(one).strip()))
        yield Record(row.line, product | _attributes(values) | {"SKU": own})


def _unguarded(name: str, value: Any) -> Any:
    if not isinstance(value, str) or "'" not in value:
        return value
    if name in _LISTS or (name.startswith("Attribute ") and name.endswith(" value(s)")):
        return _GUARDS.sub(r"\1", value)
    return _GUARD.sub("", value)


def _of_today(values: dict[str, Any]) -> dict[str, Any]:
    """Without a sale that is over, or is yet to come."""
    begins, ends = (text_of(values.get(f"Date sale price {name}")) for name in ("starts", "ends"))
    return values if holds_now(begins, ends) else {**values, "Sale price": ""}


def _attributes(values: dict[str, Any]) -> dict[str, str]:
    """`Attribute N name` and `Attribute N value(s)` as one column each."""
    made = {}
    for column, name in values.items():
        if column.startswith("Attribute ") and column.endswith(" name") and text_of(name).strip():
            value = text_of(values.get(f"{column.removesuffix(' name')} value(s)")).strip()
            if value:
                made[apart(text_of(name).strip(), values)] = _unescaped(value)
    return made
