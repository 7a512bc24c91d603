"""Until when a sale's price holds, by the columns beside it that say so: by their names, and by what they share with
the price's own name."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from reaseq.knowledge_store.feeds.prices import holds_now
from reaseq.knowledge_store.feeds.rows import is_empty, text_of
from reaseq.knowledge_store.wordlists import words

_ON_SALE = frozenset(("on sale", "is on sale", "sale active", "im angebot", "en promotion"))
_NOT = frozenset(("no", "n", "false", "0", "nein", "non"))
_SHARED = 5
"""Letters that two words begin with which are of one stem (promocja, promocyjna)."""
_SHORTEST_END = 3
"""Letters of a word that a longer one may end with (Aktionsende)."""
_DATE = re.compile(r"\d{1,4}\D+\d{1,2}\D+\d{1,4}.*", re.DOTALL)


class _Days(NamedTuple):
    """Which days of a price a column says. some: which of them, its name does not say."""

    both: bool
    begins: bool
    ends: bool
    some: bool
    of_validity: bool


def is_on(values: Mapping[str, Any], price: str, *, of_sale: bool) -> bool:
    """Does a price hold, as far as columns of its days say, and of a sale's whether it is on? price: its column."""
    begins = ends = ""
    some: list[str] = []
    for name, value in values.items():
        if name == price or not _tells(name, price) or is_empty(value):
            continue
        said = text_of(value)
        if of_sale and _is_a_flag(name) and said.strip().casefold() in _NOT:
            return False
        if (days := _days_in(name, price)) and (of_sale or days.of_validity):
            first, _, last = said.partition("/") if days.both else ("", "", "")
            begins = first or (said if days.begins else begins)
            ends = last or (said if days.ends else ends)
            some += [said] if days.some and _DATE.fullmatch(said.strip()) else []
    if begins or ends or not some:
        return not (begins or ends) or holds_now(begins, ends)
    first, last = (some[0], some[1]) if len(some) > 1 else ("", some[0])
    return holds_now(first, last) or (first != "" and holds_now(last, first))


def tells_of(column: str, price: str) -> bool:
    """Is it the column of a price, or one of its days?"""
    return column == price or _tells(column, price)


@lru_cache(maxsize=10_000)
def _tells(column: str, price: str) -> bool:
    return _is_a_flag(column) or _days_in(column, price) is not None


def _is_a_flag(column: str) -> bool:
    return " ".join(_tokens(column)) in _ON_SALE


@lru_cache(maxsize=10_000)
def _days_in(column: str, price: str) -> _Days | None:
    said, of = _tokens(column), words("sale_days")
    of_validity = any(word.startswith(of["validity"]) for word in said)
    shared = {word for word in said if any(_alike(word, one) for one in _tokens(price))} - {*of["days"]}
    of_sale = shared | {word for word in said if word.startswith(of["sale"])}
    if not of_sale and not of_validity:
        return None
    both = any(word in of["both"] for word in said)
    ends = _says(said, of["ends"])
    begins = _says(said, of["begins"]) and not ends
    if not (ends or begins):
        parts = tuple(word for word in said if word not in of["days"])
        ends = _says_last(parts, of["ends"])
        begins = _says_last(parts, of["begins"]) and not ends
    known = of_sale | {*of["days"]}
    some = bool(of_sale) and all(word in known for word in said)
    return _Days(both, begins and not both, ends and not both, some and not (both or begins or ends), of_validity)


def _says(said: tuple[str, ...], several: tuple[str, ...]) -> bool:
    """Is one of these among the words?"""
    whole = f" {' '.join(said)} "
    return any(f" {one} " in whole for one in several)


def _says_last(said: tuple[str, ...], several: tuple[str, ...]) -> bool:
    """Does a word end with one of these?"""
    return any(
        word.endswith(tuple(one for one in several if len(one) >= _SHORTEST_END or not one.isascii())) for word in said
    )


def _alike(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) >= _SHARED and one[:_SHARED] == other[:_SHARED])


@lru_cache(maxsize=10_000)
def _tokens(column: str) -> tuple[str, ...]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKC", column))
    return tuple(re.findall(r"[^\W\d_]+", spaced.casefold()))
