"""Which cells of a feed take which values: what its formats have in common when they are filled in."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Feed, Packing, Record, Row
from reaseq.knowledge_store.feeds.shapes import pairs_of
from reaseq.knowledge_store.importing import is_empty
from reaseq.knowledge_store.packed_cells import Slot, slots
from reaseq.knowledge_store.tables import ClaimStatus

Known = dict[str, list[dict[str, Any]]]
"""A product's claims by attribute."""
KnownRow = tuple[Row, str, Known]
"""A row, the id of the product it tells of, and what is known of that."""


@dataclass
class Filled:
    """What becomes of a row: its new cells by column, and the column of each attribute that was written; `held` are
    values that stay out, as the row holds one already."""

    cells: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    held: int = 0


OnRow = Callable[[KnownRow, Filled], None]
"""Told of each row."""
Means = Callable[[str], str | None]
"""The attribute that a label asks for."""


@dataclass(frozen=True)
class Places:
    """Where attributes go. column: the name of the column each has, or goes to; added: the columns that are new."""

    column: dict[str, str]
    added: list[str]
    known: frozenset[str]
    """Attributes that the file has a column for."""
    packing: Packing | None
    means: Means
    pairs: Mapping[str, str]
    prose: frozenset[str]
    """Columns that are read as text, and hold no names with values."""

    @classmethod
    def of(
        cls, columns: Sequence[str], attributes: Sequence[str], feed: Feed, means: Means, prose: Collection[str] = ()
    ) -> "Places":
        """An attribute goes to the column of its name; without one, to a cell that packs several, where such files have
        one, else to a new column, called as such files call theirs. means: see `Means`."""
        there = {folded(re.sub(r" \([^()]*\)$", "", name)): name for name in columns}
        column = {name: there[folded(name)] for name in attributes if folded(name) in there}
        packing = feed.packing
        for name in attributes:
            if name not in column:
                packed = packing is not None and name not in packing.own
                own = feed.column_name.format(name=name, title=name.replace("_", " ").capitalize())
                column[name] = packing.column if packed and packing else own
        added = dict.fromkeys(column[name] for name in attributes if column[name] not in columns)
        known = frozenset(name for name in attributes if folded(name) in there)
        return cls(column, list(added), known, packing, means, pairs_of(columns), frozenset(prose))

    def spelled(self, name: str) -> str:
        """The column of ours that is called so."""
        return next((column for column in self.column.values() if folded(column) == folded(name)), name)

    def filled(
        self, row: Row, cells: Mapping[str, Any], known: Known, pairs: Mapping[str, str] | None = None
    ) -> Filled:
        """What becomes of a row with these cells. A cell that holds something stays as it is, and so does what a cell
        holds among others, unless somebody edited the value. pairs: of cells that are names those of their values."""
        made = Filled()
        if not isinstance(row, Record):
            return made
        for attribute, claims in known.items():
            values, column = [claim["value"] for claim in claims], self.column[attribute]
            own = column if attribute in self.known else None
            own = own or next((name for name in cells if folded(name) == folded(attribute)), None)
            slot = self._slot(attribute, {**cells, **made.cells}, pairs)
            if own is not None and (slot is None or is_empty(slot.held) or not is_empty(cells.get(own))):
                if fills(", ".join(values), cells.get(own), claims):
                    made.cells[own] = ", ".join(values)
                    made.written[attribute] = own
            elif slot is not None:
                if fills(", ".join(values), slot.held, claims):
                    made.cells[slot.column] = slot.put(values)
                    made.written[attribute] = slot.column
                else:
                    made.held += 1
            elif self._is_held(attribute, row):
                made.held += 1
            else:
                made.cells[column] = self._new(attribute, values, made.cells.get(column, cells.get(column)))
                made.written[attribute] = column
        return made

    def _new(self, attribute: str, values: Sequence[str], cell: Any) -> str:
        """What a new value makes of the cell that it goes to."""
        packing = self.packing
        if packing is None or self.column[attribute] != packing.column:
            return ", ".join(values)
        held = "" if is_empty(cell) else f"{cell}{packing.parts}"
        title = attribute.replace("_", " ").capitalize()
        return held + packing.entry.format(name=attribute, title=title, value=packing.values.join(values))

    def _slot(self, attribute: str, cells: Mapping[str, Any], pairs: Mapping[str, str] | None) -> Slot | None:
        packed = {column: cell for column, cell in cells.items() if column not in self.prose}
        return next(
            (
                slot
                for slot in slots(packed, self.pairs if pairs is None else pairs)
                if self._asks(slot.name, attribute)
            ),
            None,
        )

    def _is_held(self, attribute: str, row: Record) -> bool:
        """Does the row say it where nothing can be put: in elements within others, of its variants?"""
        of_variants = {name: value for variant in row.variants for name, value in variant.options.items()}
        shaped = {name: value for name, value in row.values.items() if name not in self.prose}
        return any(
            not is_empty(value) and self._asks(name, attribute) for name, value in (of_variants | shaped).items()
        )

    def _asks(self, label: str, attribute: str) -> bool:
        return folded(label) == folded(attribute) or self.means(label) == attribute


def fills(value: str, held: Any, claims: Sequence[dict[str, Any]]) -> bool:
    """Whether a cell that holds `held` takes `value`: if it is empty, or somebody edited the value."""
    edited = any(claim["status"] == ClaimStatus.EDITED for claim in claims)
    return is_empty(held) or (edited and str(held) != value)
