"""Columns that their names alone do not tell: a `store` that is a place, an `Artikel` that holds codes."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded, names_an_id
from reaseq.knowledge_store.feeds.rows import identifier, is_empty, text_of

Codes = Callable[[Collection[str]], Mapping[str, Mapping[str, str]]]
"""Of texts those that are codes of products that a catalogue has, each with these products' titles by their ids."""

_OF_PRODUCTS_ALONE = {
    "brand": frozenset(("store", "label", "vendor")),
    "category": frozenset(("type", "department", "typ", "art")),
}
"""What the brand and the category are called where products are described; in lists of stock, prices and the like it
is where something lies, and what kind of row it is."""
_PLACES, _SUPPLIERS = frozenset(("store",)), frozenset(("vendor",))
_AMAZONS = frozenset(("asin",))
_COSTS = frozenset("cost costs ek purchase einkauf einkaufspreis".split())
_STOCK = frozenset(
    "stock inventory qty quantity bestand lagerbestand menge lager quantité quantite existencias cantidad giacenza "
    "voorraad aantal lagersaldo antal stan saldo ilość 在庫 在庫数 库存 数量 재고".split()
)
_CODE = re.compile(r"(?=.*[^\W_])[\w#][\w./#:+-]{0,39}")
_NEARLY_ALL, _MOST = 0.9, 0.5


def are_doubtful(
    columns: Sequence[str], mapping: Mapping[str, str], told: Mapping[str, str], records: Sequence[Mapping[str, Any]]
) -> set[str]:
    """The columns that were taken for the brand or the category and are none: where the file has no titles, of vendors
    if it counts or costs what they supply; of places also where it counts what lies there, has one id with several of
    them, or is no data of Amazon's (which calls brands so) and no title names them. told: fields that are certain."""
    found = set()
    said = {word for one in columns for word in folded(one).split()}
    for field, names in _OF_PRODUCTS_ALONE.items():
        column = mapping.get(field, "")
        name = folded(column)
        if field in told or name not in names:
            continue
        if "title" not in mapping:
            doubtful = name not in _SUPPLIERS or not said.isdisjoint(_STOCK | _COSTS)
        else:
            doubtful = name in _PLACES and (
                not said.isdisjoint(_STOCK)
                or _of_one_several(records, mapping.get("id", ""), column)
                or (said.isdisjoint(_AMAZONS) and not _in_a_title(records, mapping["title"], column))
            )
        if doubtful:
            found.add(column)
    return found


def _in_a_title(records: Iterable[Mapping[str, Any]], title: str, column: str) -> bool:
    """Does the title of any record name what its column says?"""
    said = ((text_of(one.get(column)).strip().casefold(), text_of(one.get(title)).casefold()) for one in records)
    return any(text and text in title for text, title in said)


def _of_one_several(records: Iterable[Mapping[str, Any]], own: str, column: str) -> bool:
    said: dict[str, str] = {}
    pairs = ((identifier(one.get(own)), text_of(one.get(column)).strip()) for one in records)
    return any(said.setdefault(code, text) != text for code, text in pairs if code and text)


def by_codes(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    told: Mapping[str, str],
    records: Sequence[Mapping[str, Any]],
    codes: Codes,
) -> dict[str, str]:
    """The fields, where a column that was taken for the title holds codes of products: it is the id, or, beside one
    that tells the same products and where they are titled otherwise, says nothing. And where nothing else is the id, a
    column of such codes. told: fields that are certain."""
    made = dict(mapping)
    title = made.get("title", "")
    if title and "title" not in told and _are_codes(cells := _cells(records, title), known := codes(cells)):
        own = _cells(records, made["id"]) if made.get("id") else []
        of_own = codes(own)
        otherwise = {text: of for text, of in known.items() if text not in of.values()}
        if "id" not in told and not _are_codes(own, of_own):
            made["id"] = title
            del made["title"]
        elif _are_codes(cells, otherwise) and _are_of_the_same(records, made["id"], title, {**known, **of_own}):
            del made["title"]
    if "id" not in made and "id" not in told:
        free = [one for one in columns if one not in made.values()]
        first = next((one for one in free if any(not is_empty(values.get(one)) for values in records)), "")
        named = [one for one in free if (said := names_an_id(one)) or (one == first and said is None)]
        for column in named:
            if _are_codes(cells := _cells(records, column), codes(cells)):
                made["id"] = column
                break
    return made


def _cells(records: Iterable[Mapping[str, Any]], column: str) -> list[str]:
    return list(filter(None, dict.fromkeys(identifier(values.get(column)) for values in records)))


def _are_codes(cells: Sequence[str], known: Collection[str]) -> bool:
    """Are nearly all of these known, or most, and the others may be codes?"""
    if not known or len(known) < _MOST * len(cells):
        return False
    return len(known) >= _NEARLY_ALL * len(cells) or all(_CODE.fullmatch(one) for one in cells if one not in known)


def _are_of_the_same(
    records: Iterable[Mapping[str, Any]], own: str, other: str, known: Mapping[str, Collection[str]]
) -> bool:
    """Do two columns of codes name the same product wherever both are known?"""
    pairs = [(known.get(identifier(one.get(own)), ()), known.get(identifier(one.get(other)), ())) for one in records]
    return all(not set(mine).isdisjoint(theirs) for mine, theirs in pairs if mine and theirs)
