"""Of which locale the products of a feed are: as a column says it, or the language of the title's column, or whoever
imports it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select, update

from reaseq.documents.locales import locale_of
from reaseq.knowledge_store.feeds.columns import folded, language_of
from reaseq.knowledge_store.feeds.rows import is_empty, text_of
from reaseq.knowledge_store.store import PRODUCT, Store, among

_COLUMNS = frozenset(("locale", "lang", "content language", "language code", "lang code"))
"""Folded. No "language" and no "in language": of a book they say in what it is written, and not its text in a shop."""


class FeedLocales:
    """What a feed says of its products' locales. told: that of all whose own is not said."""

    def __init__(
        self,
        columns: Sequence[str],
        mapping: Mapping[str, str],
        others: Mapping[str, Sequence[str]],
        told: str | None = None,
    ) -> None:
        """others: of the title its columns in other languages, which count where its own is empty."""
        self._columns = [column for column in columns if folded(column) in _COLUMNS]
        self._titles = [column for column in (mapping.get("title"), *others.get("title", ())) if column]
        self._told = told

    @property
    def may_say(self) -> bool:
        """Does anything say it of some row?"""
        return bool(self._columns or self._told or any(map(language_of, self._titles)))

    def of(self, values: Mapping[str, Any]) -> str | None:
        """Of a row; None: nothing says it."""
        cells = (locale_of(text_of(values[one])) for one in self._columns if not is_empty(values.get(one)))
        if (said := next(filter(None, cells), None)) is not None:
            return said
        title = next((one for one in self._titles if not is_empty(values.get(one))), "")
        return language_of(title) or (self._told if title else None)


def write_locales(store: Store, import_id: int, said: Mapping[tuple[str, int], str]) -> Counter[str]:
    """Keep what rows of an import say of their products, by id and line; of how many products. Rows that did not count
    do not here, and where a row says nothing, what was known stays."""
    ids = {product_id for product_id, _ in said}
    counted: dict[str, list[str]] = {}
    with store.writing() as connection:
        query = select(PRODUCT.c.id, PRODUCT.c.line).where(PRODUCT.c.import_id == import_id)
        for row in connection.execute(query.where(among(connection, PRODUCT.c.id, ids))):
            if (locale := said.get((row.id, row.line))) is not None:
                counted.setdefault(locale, []).append(row.id)
        for locale, mine in counted.items():
            otherwise = or_(PRODUCT.c.locale.is_(None), PRODUCT.c.locale != locale)
            of_mine = update(PRODUCT).where(among(connection, PRODUCT.c.id, mine), otherwise)
            connection.execute(of_mine.values(locale=locale))
    return Counter({locale: len(mine) for locale, mine in counted.items()})


def locales_in(store: Store, category: str | None = None) -> Counter[str | None]:
    """How many products there are of each locale; None: of no known one."""
    query = select(PRODUCT.c.locale)
    if category is not None:
        query = query.where(PRODUCT.c.category == category)
    with store.reading() as connection:
        return Counter(connection.execute(query).scalars())
