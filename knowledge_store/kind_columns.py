"""Which column of a behaviour log says what was done, where several may, and where it stands within JSON."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, flat, is_empty, text_of
from reaseq.knowledge_store.order_states import is_a_state
from reaseq.knowledge_store.wordlists import words

_NEARLY_ALL = 0.9


@lru_cache(maxsize=1000)
def names_a_kind(said: str) -> bool:
    """Does one of its words begin as those of kinds of events do? In lower case."""
    known = words("log_columns")["kinds"]
    return any(word.startswith(known) for word in re.findall(r"[^\W_]+", said))


def is_a_kind(said: str) -> bool:
    """Is it understood what it calls an event: what somebody did, or what became of an order? In lower case."""
    return names_a_kind(said) or is_a_state(said)


def with_kind(
    feed: Feed, mapping: Mapping[str, str], rows: Sequence[Mapping[str, Any]], called: Sequence[str]
) -> tuple[Feed, dict[str, str]]:
    """The feed and its fields with the column that says the kind: of several that are called so, also within objects,
    that in which most rows name a known one; of those that name as many the one that tells more of them apart; where
    none names any, one that tells apart what the other does. Where that says nothing another counts (`event_name`
    beside `type` of an `unstruct_event`); where it says what is no known kind, one that says nearly nothing else.

    rows: the first ones; called: names of columns of kinds, folded."""
    within = [
        column for column in feed.columns if column not in mapping.values() and _holds_kinds(column, rows, called)
    ]
    rows = [{**values, **_inner(values, within, called)} for values in rows]
    used = {column for field, column in mapping.items() if field != "kind"}
    inner = [
        *dict.fromkeys(name for values in rows for name in values if name not in feed.columns and name not in used)
    ]
    steps = [one for one in feed.columns if folded(one.rpartition(".")[2]) in called and one not in used]
    own = mapping.get("kind", "")
    may_be = [one for one in dict.fromkeys((own, *steps, *inner)) if one]
    if not own:
        may_be = [one for one in may_be if _says_kinds_alone(one, rows)]
    if not may_be:
        return feed, dict(mapping)

    def told(column: str) -> tuple[int, int]:
        said = _said(column, rows)
        named = sum(map(names_a_kind, said))
        pairs = {(text_of(values.get(column)), text_of(values.get(own))) for values in rows}
        return named, len(set(said)) if named or len(pairs) == len({one for one, _ in pairs}) else 0

    best = max(may_be, key=told)
    others = {one: alone for one in may_be if one != best and ((alone := _says_kinds_alone(one, rows)) or one == own)}
    others = {
        one: alone for one, alone in others.items() if any(_of_row(row, best, {one: alone}) == one for row in rows)
    }
    if not others and best not in inner:
        return feed, {**mapping, "kind": best}
    column = " or ".join((best, *others))

    def filled() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                values = {**row.values, **_inner(row.values, within, called)}
                row = row._replace(values={**row.values, column: values.get(_of_row(values, best, others))})
            yield row

    return replace(feed, columns=[*feed.columns, column], rows=filled()), {**mapping, "kind": column}


def _of_row(values: Mapping[str, Any], best: str, others: Mapping[str, bool]) -> str:
    """The column that says a row's kind. others: whether they say nearly nothing but known kinds."""
    said = values.get(best)
    if not is_empty(said) and names_a_kind(text_of(said).casefold()):
        return best
    fit = (one for one, alone in others.items() if (alone or is_empty(said)) and not is_empty(values.get(one)))
    return next(fit, best)


def _says_kinds_alone(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    said = _said(column, rows)
    return bool(said) and sum(map(names_a_kind, said)) >= _NEARLY_ALL * len(said)


def _said(column: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [text_of(values.get(column)).strip().casefold() for values in rows if not is_empty(values.get(column))]


def _holds_kinds(column: str, rows: Sequence[Mapping[str, Any]], called: Sequence[str]) -> bool:
    return any(_inner(values, [column], called) for values in rows)


def _inner(values: Mapping[str, Any], columns: Sequence[str], called: Sequence[str]) -> dict[str, Any]:
    """What objects that stand as JSON in these cells say of the kind, by their path."""
    made: dict[str, Any] = {}
    for column in columns:
        cell = values.get(column)
        if isinstance(cell, str) and cell.lstrip().startswith("{"):
            try:
                read = flat(json.loads(cell))
            except (ValueError, RecursionError):
                continue
            made |= {
                f"{column}.{name}": value
                for name, value in read.items()
                if isinstance(value, str) and folded(name.rpartition(".")[2]) in called
            }
    return made
