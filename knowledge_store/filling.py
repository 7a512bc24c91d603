"""Which cells of a feed take which values: what its formats have in common when they are filled in."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reaseq.knowledge_store.cell_values import CellValues, Edits
from reaseq.knowledge_store.feeds.columns import folded, label_of
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, Writing, is_empty
from reaseq.knowledge_store.feeds.shapes import pairs_of
from reaseq.knowledge_store.packed_cells import Slot, slots
from reaseq.knowledge_store.tables import ClaimStatus

Known = dict[str, list[dict[str, Any]]]
"""A product's claims by attribute."""
KnownRow = tuple[Row, str, Known]
"""A row, the id of the product it tells of, and what is known of that."""
EDITED = "edited"
"""What is behind the name of a spare column."""
_UNIT_COLUMN = ("{}-unit", "{}_unit", "{} unit", "{}_unit_of_measure")
_NONE = "none"
"""A word for nothing in a feed's own cells, and yet an answer to many a question (closure: none): it is left alone."""


@dataclass
class Filled:
    """What becomes of a row: its new cells by column, and the column of each attribute that was written; `held` counts
    attributes that stay out, as the row says something of them already; `new` are columns that the row has not;
    `unwritable` are values that the file's
    encoding has no signs for; `before` is what the new cells held, and `called` what each is called."""

    cells: dict[str, Any] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    held: int = 0
    new: set[str] = field(default_factory=set)
    unwritable: list[str] = field(default_factory=list)
    before: Mapping[str, Any] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)

    def within(self, columns: Collection[str]) -> "Filled":
        """Without what would go to other columns than these: what they hold is no text, or not this row's alone."""
        cells = {name: value for name, value in self.cells.items() if name in columns}
        written = {name: column for name, column in self.written.items() if column in cells}
        held = self.held + len(self.written) - len(written)
        return replace(self, cells=cells, written=written, held=held, new=self.new & cells.keys())


def writable(made: Filled, encoding: str) -> Filled:
    """Without what a file's encoding has no signs for."""

    def fits(value: Any) -> bool:
        try:
            str(value).encode(encoding or "utf-8", errors="reaseq.surrogates")
        except UnicodeEncodeError:
            return False
        return True

    lost = [str(value) for value in made.cells.values() if not fits(value)]
    if not lost:
        return made
    kept = made.within([name for name, value in made.cells.items() if fits(value)])
    return replace(kept, held=made.held, unwritable=lost)


OnRow = Callable[[KnownRow, Filled], None]
"""Told of each row."""
Joined = Callable[[Sequence[str]], Any]
"""Several values as one cell holds them."""


@dataclass(frozen=True)
class Places:
    """Where attributes go. column: what a new column for each is called; added: those that are new."""

    column: dict[str, str]
    added: list[str]
    writing: Writing
    values: CellValues
    pairs: Mapping[str, str]
    prose: frozenset[str]
    """Columns that are read as text, and hold no names with values."""
    shut: frozenset[str]
    """Columns that are never written."""
    spare: Mapping[str, str]
    """Of attributes with a column whose cells may take nothing, another column for what somebody edited."""

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        attributes: Sequence[str],
        feed: Feed,
        values: CellValues,
        prose: Collection[str] = (),
        shut: Collection[str] = (),
        *,
        spares: bool = False,
    ) -> "Places":
        """An attribute goes to a column that asks for it; where there is none, to a cell that packs several, where such
        files have one, else to a new column, called as such files call theirs."""
        there = {folded(re.sub(r" \([^()]*\)$", "", name)): name for name in columns}
        packing = feed.writing.packing
        if packing is not None:
            # Google's own template calls it product_detail(section_name:attribute_name:attribute_value).
            called = next((name for name in columns if name.partition("(")[0] == packing.column), packing.column)
            packing = replace(packing, column=called)
            feed = replace(feed, writing=replace(feed.writing, packing=packing))
        column: dict[str, str] = {}
        for name in attributes:
            packed = packing is not None and name not in packing.own
            own = feed.writing.column_name.format(name=name, title=name.replace("_", " ").capitalize())
            column[name] = there.get(folded(name)) or (packing.column if packed and packing else own)
        spare = {name: f"{name} ({EDITED})" for name in attributes if spares and column[name] in columns}
        wanted = [*(column[name] for name in attributes), *spare.values()]
        added = dict.fromkeys(name for name in wanted if name not in columns)
        system = frozenset(shut) | feed.writing.system
        pairs = {name: value for name, value in pairs_of(columns).items() if value not in system}
        return cls(column, list(added), feed.writing, values, pairs, frozenset(prose), system, spare)

    def spelled(self, name: str) -> str:
        """The column of ours that is called so."""
        return next((column for column in self.column.values() if folded(column) == folded(name)), name)

    def filled(
        self,
        row: Row,
        cells: Mapping[str, Any],
        known: Known,
        *,
        pairs: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        joined: Joined = ", ".join,
        shut: Collection[str] = (),
    ) -> Filled:
        """What becomes of a row with these cells. What says something stays as it is, unless somebody edited the value:
        the new one then stands where the old one stood. pairs: of cells that are names those of their values. labels:
        of cells what they are called, where that is not their key. joined: how a column of its own holds several. shut:
        cells of this row that take nothing: formulas, numbers, what is merged with other rows' cells."""
        made = Filled()
        if not isinstance(row, Record):
            return made
        pairs = self.pairs if pairs is None else pairs
        one = _OneRow(self, row, dict(cells), pairs, labels or {}, joined, frozenset(shut), made)
        for attribute, claims in known.items():
            one.fill(attribute, claims)
        made.cells = {name: cell for name, cell in made.cells.items() if name not in cells or cells[name] != cell}
        made.written = {name: column for name, column in made.written.items() if column in made.cells}
        made.new = made.cells.keys() - cells.keys()
        made.before = {name: cells[name] for name in made.cells if name in cells}
        made.called = {name: (labels or {}).get(name, name) for name in made.cells}
        return made


@dataclass
class _OneRow:
    places: Places
    row: Record
    cells: dict[str, Any]
    pairs: Mapping[str, str]
    labels: Mapping[str, str]
    joined: Joined
    shut: frozenset[str]
    made: Filled

    def fill(self, attribute: str, claims: Sequence[Mapping[str, Any]]) -> None:
        values = list(dict.fromkeys(str(claim["value"]) for claim in claims))
        edited = [claim for claim in claims if claim["status"] == ClaimStatus.EDITED]
        holding = self._holding(attribute, values)
        if holding and edited and self._edit(attribute, values, edited):
            return
        if holding and not (edited and all(self._is_shut(slot) for slot in holding)):
            self.made.held += 1
        elif not holding and (places := self._vacant(attribute, values)):
            for slot, held in places:
                self._put(attribute, slot.column, slot.put(held))
        elif not holding and self._is_held(attribute) and not edited:
            self.made.held += 1
        else:
            column = self.places.column[attribute]
            if column in self.shut:
                column = self.places.spare.get(attribute, "")
            if column:
                self._put(attribute, column, self._new(attribute, values, self.cells.get(column)))
            else:
                self.made.held += 1

    def _put(self, attribute: str, column: str, cell: Any) -> None:
        self.cells[column] = self.made.cells[column] = cell
        self.made.written[attribute] = column

    def _slots(self, attribute: str) -> list[Slot]:
        """Where the row says something of the attribute, or has room for it: in cells that are called so, that pack
        several, or that ask for it by another name."""
        called, asking = [], []
        for column, cell in self.cells.items():
            if column in self.places.prose or column in self.pairs or column in self.pairs.values():
                continue
            label = self._label(column)
            slot = Slot(label, column, cell, lambda held: held, self._joined_in(column))
            if folded(label) == folded(attribute):
                called.append(slot)
            elif self.places.values.means(label) == attribute:
                asking.append(slot)
        packed = {name: cell for name, cell in self.cells.items() if name not in self.places.prose | self.places.shut}
        inside = [slot for slot in slots(packed, self.pairs) if self._asks(slot.name, attribute)]
        called.sort(key=lambda slot: (folded(slot.column) != folded(attribute), not _in_english(slot.column)))
        return [*called, *inside, *sorted(asking, key=lambda slot: not _in_english(slot.column))]

    def _holding(self, attribute: str, values: Sequence[str]) -> list[Slot]:
        """Those that say something of it. Of a column that is none of ours, or takes certain words alone, that is to be
        seen: a system's `type` may be "simple"."""
        found = []
        for slot in self._slots(attribute):
            words = self.places.writing.spelled.get(slot.column)
            if is_vacant(slot.held):
                continue
            if words is not None and folded(slot.name) != folded(attribute):
                takes = {words[value] for value in self._all_values(attribute) if value in words}
                if str(slot.held).strip().casefold() not in takes:
                    continue
            elif slot.column in self.places.shut and not self.places.values.says(
                attribute, slot.name, slot.held, values
            ):
                continue
            found.append(slot)
        return found

    def _all_values(self, attribute: str) -> Collection[str]:
        known = self.places.values.attribute(attribute)
        return known.values if known is not None else ()

    def _vacant(self, attribute: str, values: Sequence[str]) -> list[tuple[Slot, Any]]:
        """The first that is empty and takes the values, with what is to stand there; of columns with words of their own
        all that have one ("boys" is a gender and an age)."""
        worded: list[tuple[Slot, Any]] = []
        for slot in self._slots(attribute):
            if is_vacant(slot.held) and not self._is_shut(slot):
                words = self.places.writing.spelled.get(slot.column)
                if words is None:
                    if worded:
                        continue
                    fitted = [self._fitted(attribute, slot, value) for value in values]
                    return [(slot, fitted if isinstance(slot.held, list) else slot.joined(fitted))]
                told = {words.get(value) for value in values}
                if len(told) == 1 and (word := told.pop()) is not None:
                    worded.append((slot, word))
        return worded

    def _fitted(self, attribute: str, slot: Slot, value: str) -> str:
        """A value as the slot takes it: where its unit stands beside it, the number alone."""
        for pattern in _UNIT_COLUMN:
            column = pattern.format(slot.column)
            if column in self.cells:
                unit = str(self.cells[column] or "").strip().casefold()
                if unit:
                    return self.places.values.in_unit(value, unit) or value
        return self.places.values.fitted(attribute, slot.name, value)

    def _edit(self, attribute: str, values: Sequence[str], edited: Sequence[Mapping[str, Any]]) -> bool:
        """Put what somebody edited where the old values stand, all at once; is all of it said somewhere now?"""
        edits = [(claim.get("replaced", ()), str(claim["value"])) for claim in edited]
        news = list(dict.fromkeys(new for _, new in edits))
        # A value that is still one, as another was edited into it, does not say that a cell is as it was before.
        gone = {old for olds, _ in edits for old in olds} - set(values)
        for number in range(len(self._holding(attribute, values))):
            holding = self._holding(attribute, values)  # anew, as cells with several change
            if number >= len(holding):
                break
            slot = holding[number]
            if self._is_shut(slot) or not any(self._says(attribute, slot, old) for old in gone):
                continue
            if (held := self._changed(attribute, slot, edits)) is not None:
                self._put(attribute, slot.column, slot.put(held))
        said = True
        for new in news:
            open_ones = [slot for slot in self._holding(attribute, values) if not self._is_shut(slot)]
            done = any(self._says(attribute, slot, new) for slot in open_ones)
            said = (done or self._replace(attribute, values, new)) and said
        return said

    def _says(self, attribute: str, slot: Slot, value: str) -> bool:
        if (words := self.places.writing.spelled.get(slot.column)) is not None:
            return words.get(value) == str(slot.held).strip().casefold()
        label = f"{slot.name} ({unit})" if (unit := self._unit_beside(slot)) else slot.name
        return self.places.values.says(attribute, label, slot.held, [value])

    def _unit_beside(self, slot: Slot) -> str:
        """The unit in a column beside it."""
        columns = (pattern.format(slot.column) for pattern in _UNIT_COLUMN)
        return next((str(self.cells[one] or "").strip().casefold() for one in columns if self.cells.get(one)), "")

    def _changed(self, attribute: str, slot: Slot, edits: Edits) -> Any | None:
        if unit := self._unit_beside(slot):
            if any(self.places.values.in_unit(new, unit) is None for _, new in edits):
                return None
            return self.places.values.changed(attribute, f"{slot.name} ({unit})", slot.held, edits)
        if (words := self.places.writing.spelled.get(slot.column)) is not None:
            said = str(slot.held).strip().casefold()
            return next((words[new] for olds, new in edits if new in words and said in map(words.get, olds)), None)
        return self.places.values.changed(attribute, slot.name, slot.held, edits)

    def _replace(self, attribute: str, values: Sequence[str], new: str) -> bool:
        """Where the old value stands nowhere: of an attribute that may have several values the new one joins what is
        there, else it takes its place."""
        slot = next((one for one in self._holding(attribute, values) if not self._is_shut(one)), None)
        if slot is None or slot.column in self.places.writing.spelled:
            return False
        known = self.places.values.attribute(attribute)
        if known is None or not known.multiple:
            held = slot.joined([self._fitted(attribute, slot, value) for value in values])
        elif isinstance(slot.held, list):
            held = [*slot.held, new]
        elif isinstance(slot.held, str) and slot.held.lstrip()[:1] not in ("{", "["):
            held = slot.held.rstrip() + _sign_in(slot.held) + new
        else:
            return False
        self._put(attribute, slot.column, slot.put(held))
        return True

    def _new(self, attribute: str, values: Sequence[str], cell: Any) -> Any:
        """What a new value makes of the cell that it goes to."""
        packing = self.places.writing.packing
        if packing is None or self.places.column[attribute] != packing.column:
            return self._joined_in(self.places.column[attribute])(values)
        held = "" if is_empty(cell) else f"{cell}{packing.parts}"
        title = attribute.replace("_", " ").capitalize()
        return held + packing.entry.format(name=attribute, title=title, value=packing.values.join(values))

    def _joined_in(self, column: str) -> Joined:
        sign = self.places.writing.joined.get(column)
        return sign.join if sign is not None else self.joined

    def _label(self, column: str) -> str:
        known = self.places.writing.labels
        return self.labels.get(column) or known.get(column.rstrip("0123456789")) or label_of(column)

    def _is_shut(self, slot: Slot) -> bool:
        return slot.column in self.places.shut or slot.column in self.shut

    def _is_held(self, attribute: str) -> bool:
        """Does the row say it where nothing can be put: in elements within others, of its variants?"""
        of_variants = {name: value for variant in self.row.variants for name, value in variant.options.items()}
        shaped = {
            name: value
            for name, value in self.row.values.items()
            if name not in self.places.prose | self.places.shut and name not in self.cells
        }
        return any(
            not is_vacant(value)
            and name not in self.places.writing.spelled
            and (self._asks(name, attribute) or self._asks(name.rpartition(".")[2], attribute))
            for name, value in (of_variants | shaped).items()
        )

    def _asks(self, label: str, attribute: str) -> bool:
        return folded(label) == folded(attribute) or self.places.values.means(label_of(label)) == attribute


def is_vacant(held: Any) -> bool:
    """Is there nothing in a cell, or a word that programs write for nothing?"""
    return is_empty(held) and not (isinstance(held, str) and held.strip().casefold() == _NONE)


def _in_english(column: str) -> bool:
    return bool(re.search(r"[._:\-\[( ]en(?![a-z])", column, re.IGNORECASE))


def _sign_in(text: str) -> str:
    """What parts several values in a cell."""
    found = re.search(r"\s*[,;/|]\s*|\n", text)
    return found[0] if found else ", "
