"""Rows amid those of products that are of another table: one that names columns, what stands below it, and rows whose
cells hold quite other things than those of all others."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reaseq.knowledge_store.feeds.columns import fields_held, folded
from reaseq.knowledge_store.feeds.rows import Record, Row, is_empty, text_of

_FEWEST = 3
"""Cells of a row that names columns; rows by which it is told what a column holds; cells that hold other things."""
_MANY, _NEARLY_ALL = 5, 0.8
_NAME = re.compile(r"[^\W\d_]+(?:[ _-][^\W\d_]+){0,3}")
_OF_PROGRAMS = re.compile(r"[A-Za-z]+(?:[a-z][A-Z][A-Za-z]*|_[A-Za-z_]+)")
"""`AttributeName`, `attribute_name`: nobody writes so but programs."""
_NUMBER = re.compile(r"[+-]?[\d.,'\u00a0 ]*\d[\d.,'\u00a0 ]*")
_BOOLEANS = frozenset(("true", "false"))
_WORD = re.compile(r"[^\W\d_]{2}")


def without_strange_rows(
    rows: Iterable[Row], mapping: Mapping[str, str], records: Sequence[Mapping[str, Any]]
) -> Iterator[Row]:
    """The rows, those of other tables set aside: rows that name columns, those below them that fill no others, and rows
    of other things. A row that has what the id is, is else a product's, where there is a column of ids. records: the
    first of them, by which it is told what the columns hold."""
    own = mapping.get("id", "")
    kinds = _kinds([one for one in records if not own or not is_empty(one.get(own))])
    covered: set[str] = set()
    for row in rows:
        if not isinstance(row, Record) or not row.product or row.variants:
            yield row
            continue
        code = row.values.get(own)
        if not covered and not is_empty(code) and not _NAME.fullmatch(text_of(code).strip()):
            yield row  # an id, and no name of a column
            continue
        values = {name: value for name, value in row.values.items() if not is_empty(value)}
        if _names_columns(values, kinds):
            again = sum(folded(name) == folded(text_of(value)) for name, value in values.items()) > 1
            covered = set() if again else set(values)
            yield row.set_aside("names columns, as a header does")
        elif covered and values.keys() <= covered:
            yield row.set_aside("stands below a row that names other columns")
        else:
            covered = set()
            found = _strange(values, kinds) if own not in values else ""
            yield row.set_aside(f"holds other things than the rows around it, e.g. {found}") if found else row


def _names_columns(values: Mapping[str, Any], kinds: Mapping[str, str]) -> bool:
    """Do all cells hold names as programs give them to columns, each once, some of them where else no words stand?"""
    cells = [value.strip() if isinstance(value, str) else "" for value in values.values()]
    if len(cells) < _FEWEST or len(set(cells)) < len(cells) or not all(map(_NAME.fullmatch, cells)):
        return False
    of_programs = sum(_OF_PROGRAMS.fullmatch(cell) is not None for cell in cells)
    elsewhere = any(kinds.get(name, "words") != "words" for name in values) or len(cells) >= _MANY
    return elsewhere and (of_programs >= _FEWEST or (of_programs > 0 and fields_held(cells)[0] >= _FEWEST))


def _kind(value: Any) -> str:
    """What a cell holds: "a number", "yes or no", "words"; "" for anything else."""
    text = text_of(value).strip()
    if isinstance(value, bool) or text.casefold() in _BOOLEANS:
        return "yes or no"
    if _NUMBER.fullmatch(text):
        return "a number"
    return "words" if _WORD.search(text) and not any(map(str.isdigit, text)) else ""


def _kinds(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What columns hold in which nearly all cells hold one kind of thing, in several rows."""
    found: dict[str, Counter[str]] = {}
    for values in records:
        for name, value in values.items():
            if not is_empty(value):
                found.setdefault(name, Counter())[_kind(value)] += 1
    most = {name: kinds.most_common(1)[0] for name, kinds in found.items()}
    return {
        name: kind
        for name, (kind, count) in most.items()
        if kind and count >= max(_FEWEST, _NEARLY_ALL * found[name].total())
    }


def _strange(values: Mapping[str, Any], kinds: Mapping[str, str]) -> str:
    """Of a row in which most cells are of another kind than their columns, one such cell; "" of others."""
    told = {name: (kind, kinds[name]) for name, value in values.items() if name in kinds and (kind := _kind(value))}
    strange = [name for name, (kind, other) in told.items() if kind != other]
    if len(strange) < _FEWEST or len(strange) <= len(told) / 2:
        return ""
    return f"{text_of(values[strange[0]])!r} in {strange[0]!r}, where others have {kinds[strange[0]]}"
