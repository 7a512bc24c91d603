"""Fields that some records say in an object and others by themselves, or not at all: `{"price": {"amount": 12}}` beside
`{"price": 12}` and `{"price": null}`. Each stands in one column."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reaseq.knowledge_store.feeds.rows import Feed, Record, Row, is_empty

Guess = Callable[[Sequence[str]], Mapping[str, str]]
"""Field to column, by the columns' names."""
_PRICES = frozenset(("price", "list_price"))
_KEPT = 1000
_FLAT = ("delimited", "Excel")


def in_parts(columns: Sequence[str], mapping: Mapping[str, str], told: Mapping[str, str], guess: Guess) -> list[str]:
    """The columns but those of a field that a part of theirs says too (`price` beside `price.amount`). told: fields
    that are not guessed."""
    kept = list(columns)
    for field, column in mapping.items():
        if field in told or not any(one.startswith(f"{column}.") for one in kept):
            continue
        left = [one for one in kept if one != column]
        if guess(left).get(field, "").startswith(f"{column}."):
            kept = left
    return kept


def in_one(feed: Feed, mapping: Mapping[str, str], guess: Guess) -> Feed:
    """The feed with what records say of a field in its column, also where an object says it, or none does."""
    known: dict[tuple[str, ...], Mapping[str, str]] = {}

    def guessed(columns: Sequence[str]) -> Mapping[str, str]:
        key = tuple(columns)
        if key not in known and len(known) < _KEPT:
            known[key] = guess(columns)
        return known.get(key) or guess(columns)

    flat = feed.layout is not None and feed.layout.kind in _FLAT
    within = {}
    for field, column in mapping.items():
        steps = column.split(".")
        outer = [".".join(steps[:end]) for end in range(len(steps) - 1, 0, -1)]
        within[field] = column, [one for one in outer if guess([one]).get(field)]
    if flat and not any(outer for _, outer in within.values()):
        return feed

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                more: dict[str, Any] = {}
                for field, (column, outer) in within.items():
                    value = row.values.get(column)
                    if value is None or value == "" or value == []:
                        more |= _of_others(row.values, field, column, outer, guessed)
                if more:
                    row = row._replace(values={**row.values, **more})
            yield row

    return Feed(**{**vars(feed), "rows": rows()})


def _of_others(
    values: Mapping[str, Any], field: str, column: str, outer: Sequence[str], guess: Guess
) -> dict[str, Any]:
    """What a record that has nothing in a field's column says of it: in what the column is a part of, which is empty
    then, or in a part of it."""
    for one in outer:
        if not is_empty(values.get(one)):
            return {column: values[one], one: None}
    if any(name.startswith(f"{column}.") for name in values):
        known = guess(tuple(name for name in values if name != column))
        part, currency = known.get(field, ""), known.get("currency", "")
        if part.startswith(f"{column}."):
            in_it = field in _PRICES and currency.startswith(f"{column}.")
            said = {"amount": values[part], "currency": values[currency]} if in_it else values[part]
            return {column: said, part: None}
    return {}
