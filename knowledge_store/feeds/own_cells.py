"""Cells of a feed that an export of ours has filled: read again they are no evidence of what they say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, flat, identifier, is_empty, text_of, untyped

ENDING = ".provenance.jsonl"
"""Of the file that lies beside an export, and says of each value where it comes from."""
_NOTED = ("product_id", "column", "cell")
_Notes = dict[str, list[Mapping[str, Any]]]


def without_own_cells(feed: Feed) -> Feed:
    """`feed` as it was before an export filled it, where the export's file of provenance lies beside it: a cell that
    still is what was written holds what it held before. What somebody has changed since stays."""
    notes = _notes(feed.path.with_name(f"{feed.path.name}{ENDING}"))
    if not notes:
        return feed
    repeated = 0

    def rows() -> Iterator[Row]:
        nonlocal repeated
        for row in feed.rows:
            if isinstance(row, Record):
                values = dict(row.values)
                for note in _of_row(row, notes):
                    before = _before(note, values)
                    repeated += len(before)
                    for column, held in before.items():
                        if is_empty(held):
                            del values[column]
                        else:
                            values[column] = held
                row = row._replace(values=values)
            yield row

    return replace(feed, rows=rows(), repeated_cells=lambda: repeated)


def _before(note: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What the cells of a row held that still are as a note says that they were written, by their columns: the one
    that is called so, in XML within whatever element, or those that an object of JSON is taken apart into."""
    written, held = note["cell"], note.get("before")
    names = [note["column"], note.get("label")]
    column = next((one for one in names if one in values), None)
    if column is None and isinstance(written, dict):
        cells, before = (flat(untyped({note["column"]: one})) for one in (written, held))
        changed = [name for name, cell in cells.items() if cell != before.get(name)]
        return {name: before.get(name) for name in changed if name in values and _is_same(values[name], cells[name])}
    if column is None:
        called = {folded(one) for one in names if one}
        alike = [one for one in values if {folded(one), folded(one.rpartition(".")[2])} & called]
        column = next((one for one in alike if _is_same(values[one], written)), None)
    return {column: held} if column is not None and _is_same(values[column], written) else {}


def _notes(path: Path) -> _Notes:
    """What was written, by product; several values of one cell are one note."""
    made: _Notes = {}
    if not path.is_file():
        return made
    seen = set()
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                note = json.loads(line)
            except ValueError:
                continue  # another's file of that name
            if not isinstance(note, dict) or not all(note.get(name) for name in _NOTED):
                continue
            key = note["product_id"], note.get("line"), note["column"]
            if key not in seen:
                seen.add(key)
                made.setdefault(str(note["product_id"]).rpartition(":")[2], []).append(note)
                made.setdefault(f"line {note.get('line')}", []).append(note)
    return made


def _of_row(row: Record, notes: _Notes) -> list[Mapping[str, Any]]:
    """What was written into the product of a row: by an id that one of its cells has, wherever the row stands now; by
    its line alone only where the feed gives no ids."""
    told = [identifier(value) for value in row.values.values() if not isinstance(value, list | dict)]
    found = next((notes[one] for one in told if one in notes), None)
    return found if found is not None else [note for note in notes.get(f"line {row.line}", ()) if _is_made(note)]


def _is_made(note: Mapping[str, Any]) -> bool:
    """Is a product's id made from its text?"""
    own = str(note["product_id"]).rpartition(":")[2]
    return len(own) == 16 and all(sign in "0123456789abcdef" for sign in own)


def _is_same(value: Any, cell: Any) -> bool:
    said, written = text_of(value).strip(), text_of(cell).strip()
    return said == written or said.removeprefix("'") == written
