"""Which cells of a feed take which values: what its formats have in common when they are filled in."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Feed, Row
from reaseq.knowledge_store.importing import is_empty
from reaseq.knowledge_store.tables import ClaimStatus

Known = dict[str, list[dict[str, Any]]]
"""A product's claims by attribute."""
KnownRow = tuple[Row, str, Known]
"""A row, the id of the product it tells of, and what is known of that."""
OnRow = Callable[[KnownRow, dict[str, str]], None]
"""Told of each row, with the column that each attribute was written to."""


@dataclass(frozen=True)
class Places:
    """Where attributes go. number: the column's, from 0 on; column: its name; added: the columns that are new."""

    number: dict[str, int]
    column: dict[str, str]
    added: list[str]

    @classmethod
    def of(cls, columns: Sequence[str], attributes: Sequence[str], feed: Feed) -> "Places":
        """An attribute goes to the column of its name; without one, to a new one, called as such files call theirs."""
        there = {folded(re.sub(r" \([^()]*\)$", "", name)): number for number, name in enumerate(columns)}
        number = {name: there[folded(name)] for name in attributes if folded(name) in there}
        column = {name: columns[place] for name, place in number.items()}
        new = [name for name in attributes if name not in number]
        for place, name in enumerate(new, len(columns)):
            number[name] = place
            column[name] = feed.column_name.format(name=name, title=name.replace("_", " ").capitalize())
        return cls(number, column, [column[name] for name in new])


def fills(value: str, held: Any, claims: Sequence[dict[str, Any]]) -> bool:
    """Whether a cell that holds `held` takes `value`: if it is empty, or somebody edited the value."""
    edited = any(claim["status"] == ClaimStatus.EDITED for claim in claims)
    return is_empty(held) or (edited and held != value)
