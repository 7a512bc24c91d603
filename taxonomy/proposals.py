"""Values that a feed's columns give a closed attribute and that its schema does not know: what to make of each.

A column (or a variant's option) that is named like an attribute says what the attribute's value is. What the schema
knows is mapped; the rest is gathered, written alike counting as one, and proposed: as another word for a value that it
is near to in meaning, or as a new value.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reaseq.documents.document import Document
from reaseq.documents.tokens import stems
from reaseq.taxonomy.labels import Asks
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.likeness import DEFAULT, Likeness
from reaseq.taxonomy.schema import Attribute, CategorySchema, attribute_name

_LONGEST = 80

Encode = Callable[[Sequence[str]], NDArray[np.floating]]
"""Unit vectors of texts: [n, d]."""


@dataclass(frozen=True)
class Proposal:
    """An unknown value, as most often written, and how often it and its other spellings stand in the feed. `means` is
    the known value that it may be another word for, None where it may be a value of its own."""

    attribute: str
    value: str
    count: int
    means: str | None


def unmapped(schema: CategorySchema, cells: Iterable[tuple[str, str]]) -> dict[str, Counter[str]]:
    """Of `cells` (column, value), by closed attribute, the values that the schema neither knows nor ignores."""
    lexicon = Lexicon(schema)
    closed = {attribute.name: attribute for attribute in schema.attributes if attribute.kind == "closed"}
    seen: dict[str, Counter[str]] = {}
    asked: dict[str, str] = {}
    for column, value in cells:
        if column not in asked:
            asked[column] = _asked(column, closed, lexicon)
        if asked[column] and 0 < len(value.strip()) <= _LONGEST:
            seen.setdefault(asked[column], Counter())[value.strip()] += 1
    found: dict[str, Counter[str]] = {}
    for name, values in seen.items():
        for value, count in values.items():
            if stems(value) and not _known(closed[name], value, lexicon):
                found.setdefault(name, Counter())[value] += count
    return found


def _asked(column: str, closed: Mapping[str, Attribute], lexicon: Lexicon) -> str:
    """The closed attribute that a column asks for, by its name or other words ("Verschluss"); "" if not one alone."""
    if (name := attribute_name(column)) in closed:
        return name
    meaning = lexicon.labels.of_column(column)
    some = meaning.attributes & closed.keys() if meaning.asks is Asks.VALUE else ()
    return next(iter(some)) if len(some) == 1 else ""


def proposals(
    schema: CategorySchema, cells: Iterable[tuple[str, str]], encode: Encode, likeness: Likeness = DEFAULT
) -> list[Proposal]:
    """What to make of the unknown values, the most frequent first. `docs/taxonomy.md` says how often it is right."""
    made = []
    for name, values in unmapped(schema, cells).items():
        attribute = schema.get(name)
        assert attribute is not None
        spellings: dict[tuple[str, ...], Counter[str]] = {}
        for value, count in values.items():
            spellings.setdefault(stems(value), Counter())[value] += count
        words = [(value, term) for value, others in attribute.values.items() for term in (value, *others)]
        known = encode([term for _, term in words])
        new = [counts.most_common(1)[0][0] for counts in spellings.values()]
        near = np.asarray(encode(new), np.float32) @ np.asarray(known, np.float32).T
        for value, counts, row in zip(new, spellings.values(), near, strict=True):
            best = int(row.argmax())
            means = words[best][0] if row[best] >= likeness.value_from else None
            made.append(Proposal(name, value, counts.total(), means))
    return sorted(made, key=lambda proposal: (-proposal.count, proposal.attribute, proposal.value))


def accepted(schema: CategorySchema, name: str, value: str, means: str | None) -> CategorySchema:
    """The schema with `value` as another word for `means`, or as a value of its own.

    Raises:
        ValueError: there is no such closed attribute or value, or the value is known already.
    """
    attribute = _closed(schema, name)
    if attribute.value_of(value) is not None:
        raise ValueError(f"{name} knows {value!r} already, as {attribute.value_of(value)!r}")
    if means is not None and means not in attribute.values:
        raise ValueError(f"{means!r} is not one of the values of {name}: {', '.join(attribute.values)}")
    values = dict(attribute.values)
    if means is None:
        values[value.lower()] = ()
    else:
        values[means] = (*values[means], value)
    return _with(schema, attribute, {"values": values})


def rejected(schema: CategorySchema, name: str, value: str) -> CategorySchema:
    """The schema with `value` among those that its attribute ignores.

    Raises:
        ValueError: there is no such closed attribute.
    """
    attribute = _closed(schema, name)
    return _with(schema, attribute, {"ignored": tuple(dict.fromkeys((*attribute.ignored, value)))})


def _known(attribute: Attribute, value: str, lexicon: Lexicon) -> bool:
    if attribute.value_of(value) is not None or stems(value) in {stems(one) for one in attribute.ignored}:
        return True
    return bool(lexicon.find(Document({"value": value})).get(attribute.name))


def _closed(schema: CategorySchema, name: str) -> Attribute:
    attribute = schema.get(name)
    if attribute is None or attribute.kind != "closed":
        known = ", ".join(one.name for one in schema.attributes if one.kind == "closed")
        raise ValueError(f"{name!r} is not a closed attribute of {schema.category}; there are: {known}")
    return attribute


def _with(schema: CategorySchema, attribute: Attribute, changes: dict[str, object]) -> CategorySchema:
    changed = Attribute.model_validate(attribute.model_dump() | changes)
    return schema.replace(attributes=tuple(changed if one is attribute else one for one in schema.attributes))
