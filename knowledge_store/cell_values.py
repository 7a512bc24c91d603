"""What cells of a feed say of attributes, and what becomes of a cell where one of its values becomes another."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from reaseq.documents.document import COLUMN, Document
from reaseq.documents.tokens import UNITS
from reaseq.knowledge_store.packed_cells import json_like
from reaseq.taxonomy.labels import Asks
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import Attribute, CategorySchema
from reaseq.taxonomy.units import canonical, same

_PARTED = re.compile(r"(\s*[,;/|+&]\s*|\s*\n\s*|\s+(?:and|und|et|y|e|og|och|en)\s+)", re.IGNORECASE)
_BESIDE = re.compile(r"[\s_-]*\(?\s*")
"""Between two words for one value: "navy blue", "Blue (navy)"."""
_MEASURE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\W\d_]+\.?|[\"″'′])")
_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*")
_AMOUNTS, _UNITS = ("value", "amount"), ("unit", "measurement", "unit_code", "unitCode")
_AROUND = " \t[](){}'\"_*"
"""Signs around a value that are none of it."""
Span = tuple[int, int]
Edits = Sequence[tuple[Collection[str], str]]
"""Old values, each with what is to stand in their place."""


class CellValues:
    """By all schemas of a store."""

    def __init__(self, schemas: Sequence[CategorySchema]) -> None:
        self._lexicons = [Lexicon(schema) for schema in schemas]
        self.means = lru_cache(4096)(self._means)

    def _means(self, label: str) -> str | None:
        """The attribute that a label asks for in all schemas that know it."""
        asked = [
            one
            for lexicon in self._lexicons
            if (one := lexicon.labels.of_column(label)).asks is Asks.VALUE and not one.near
        ]
        named = {name for one in asked for name in one.attributes}
        return next(iter(named)) if len(named) == 1 else None

    def unit_in(self, label: str) -> str:
        """The unit that a label gives ("Heel height (cm)"), or ""."""
        return next((unit for one in self._lexicons if (unit := one.labels.of_column(label).unit)), "")

    def attribute(self, name: str) -> Attribute | None:
        return next((found for one in self._lexicons if (found := one.schema.get(name)) is not None), None)

    def says(self, name: str, label: str, held: Any, values: Collection[str]) -> bool:
        """Does a cell under this label say one of these values of the attribute?"""
        if isinstance(held, list):
            return any(self.says(name, label, one, values) for one in held)
        if isinstance(held, dict):
            if (measure := self._measure_in(name, held)) is not None:
                return self._is_any_of(name, f"{held[measure[0]]} {held[measure[1]]}", values)
            return any(self.says(name, label, one, values) for one in held.values())
        return bool(self._spans(name, label, str(held), values))

    def changed(self, name: str, label: str, held: Any, edits: Edits) -> Any | None:
        """The cell with each new value where it says one of the old ones, all at once and all else as it was; None
        where it says none of them.

        held: text (perhaps JSON), a number, or data of a JSON file.
        """
        if isinstance(held, list):
            parts = [self.changed(name, label, one, edits) for one in held]
            if all(part is None for part in parts):
                return None
            made = [old if part is None else part for old, part in zip(held, parts, strict=True)]
            return [one for at, one in enumerate(made) if one not in made[:at]]
        if isinstance(held, dict):
            return self._changed_object(name, label, held, edits)
        if isinstance(held, int | float) and not isinstance(held, bool):
            return self._changed_number(name, label, held, edits)
        if not isinstance(held, str):
            return None
        if held.lstrip()[:1] in ("{", "["):
            try:
                data = self.changed(name, label, json.loads(held), edits)
            except (ValueError, RecursionError):
                pass  # "[red, white]" is no JSON
            else:
                return None if data is None else json_like(held, data)
        return self._changed_text(name, label, held, edits)

    def _changed_text(self, name: str, label: str, held: str, edits: Edits) -> str | None:
        attribute = self.attribute(name)
        is_measure = attribute is not None and attribute.kind == "measure"
        places: list[tuple[int, int, str]] = []
        for olds, new in edits:
            spans = self._spans(name, label, held, olds)
            for span in spans if is_measure else _joined(held, spans):
                if not any(_overlap(span, (start, end)) for start, end, _ in places):
                    places.append((*span, new))
        made = held
        for start, end, new in sorted(places, reverse=True):
            made = made[:start] + self._put(name, label, held[start:end], new) + made[end:]
        for _, _, new in places:
            made = _without_repeats(made, new)
        return made if places else None

    def _changed_object(self, name: str, label: str, held: dict[str, Any], edits: Edits) -> Any:
        if (measure := self._measure_in(name, held)) is not None:
            amount, unit = measure
            for olds, new in edits:
                number = self.in_unit(new, str(held[unit]))
                if number is not None and self._is_any_of(name, f"{held[amount]} {held[unit]}", olds):
                    return held | {amount: _like(held[amount], number)}
            return None
        parts = {key: self.changed(name, label, one, edits) for key, one in held.items()}
        if all(part is None for part in parts.values()):
            return None
        return {key: held[key] if part is None else part for key, part in parts.items()}

    def _changed_number(self, name: str, label: str, held: float, edits: Edits) -> Any:
        for olds, new in edits:
            number = self.in_unit(new, self.unit_in(label))
            if number and self._spans(name, label, f"{held:g}", olds):
                return _like(held, number)
        return None

    def _measure_in(self, name: str, held: Mapping[str, Any]) -> tuple[str, str] | None:
        """The keys of an object that has a number and its unit, where the attribute is a measure."""
        amount, unit = (next((key for key in keys if key in held), "") for keys in (_AMOUNTS, _UNITS))
        attribute = self.attribute(name)
        return (amount, unit) if amount and unit and attribute is not None and attribute.kind == "measure" else None

    def _is_any_of(self, name: str, written: str, values: Collection[str]) -> bool:
        attribute = self.attribute(name)
        units = (written.rpartition(" ")[2], *(attribute.units if attribute is not None else ()))
        return any(same(written, value, units) for value in values)

    @staticmethod
    def in_unit(value: str, unit: str) -> str | None:
        """The number of a measure in another unit; None if it measures something else."""
        number, _, own = canonical(value, [unit]).partition(" ")
        return number if own == unit and _NUMBER.fullmatch(number) else None

    def fitted(self, name: str, label: str, value: str) -> str:
        """A value as a cell under this label takes it: of a measure whose unit the label gives, the number alone."""
        attribute, unit = self.attribute(name), self.unit_in(label)
        if attribute is None or attribute.kind != "measure" or not unit:
            return value
        return self.in_unit(value, unit) or value

    def _put(self, name: str, label: str, before: str, new: str) -> str:
        """`new` in the place of `before`: as that was written, as far as it goes."""
        attribute = self.attribute(name)
        if attribute is not None and attribute.kind == "measure":
            value = self.fitted(name, label, new) if _NUMBER.fullmatch(before) else new
            if (written := _MEASURE.fullmatch(before)) and (number := self.in_unit(new, _unit(written[2]))):
                value = f"{number}{before[written.end(1) : written.start(2)]}{written[2]}"
            return value.replace(".", ",") if re.search(r"\d,\d", before) else value
        return new[:1].upper() + new[1:] if before[:1].isupper() else new

    def _spans(self, name: str, label: str, text: str, values: Collection[str]) -> list[Span]:
        """Where a text under this label says one of the values."""
        wanted = {value.casefold() for value in values}
        whole = _stripped(text, 0, len(text))
        if text[slice(*whole)].casefold() in wanted:
            return [whole]
        attribute = self.attribute(name)
        if attribute is None:
            return []
        if attribute.kind == "measure":
            return self._measures(attribute, label, text, values)
        if attribute.kind != "closed":
            return [
                found.span()
                for value in values
                for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.IGNORECASE)
            ]
        spans = {
            span
            for span in (_stripped(text, *part) for part in _parts_of(text))
            if {part := text[slice(*span)].casefold(), (attribute.value_of(part) or "").casefold()} & wanted
        }
        document = Document({f"{COLUMN}{label}": text})
        for lexicon in self._lexicons:
            if lexicon.schema.get(name) is not None:
                for match in lexicon.find(document).get(name, []):
                    span = (match.start, match.end)
                    if match.value.casefold() in wanted and not any(_overlap(span, other) for other in spans):
                        spans.add(span)
        return sorted(spans)

    def _measures(self, attribute: Attribute, label: str, text: str, values: Collection[str]) -> list[Span]:
        unit, number = self.unit_in(label), _NUMBER.fullmatch(text)
        if number is not None and unit:
            written = f"{number[1].replace(',', '.')} {unit}"
            return [number.span(1)] if self._is_any_of(attribute.name, written, values) else []
        return [
            found.span()
            for found in _MEASURE.finditer(text)
            if self._is_any_of(attribute.name, f"{found[1].replace(',', '.')} {_unit(found[2])}", values)
        ]


def _unit(written: str) -> str:
    unit = written.rstrip(".").casefold()
    return UNITS.get(unit, unit)


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans, of those that say one value together the whole."""
    made: list[Span] = []
    for start, end in sorted(spans):
        if made and _BESIDE.fullmatch(text, made[-1][1], start):
            if "(" in text[made[-1][1] : start] and text[end : end + 1] == ")":
                end += 1
            made[-1] = (made[-1][0], end)
        else:
            made.append((start, end))
    return made


def _parts_of(text: str) -> list[Span]:
    """What separators part; of text with markup nothing, as a "/" may be an end tag's."""
    if "<" in text:
        return []
    spans, start = [], 0
    for found in _PARTED.finditer(text):
        spans.append((start, found.start()))
        start = found.end()
    return [*spans, (start, len(text))]


def _stripped(text: str, start: int, end: int) -> Span:
    """Without blanks and signs around."""
    while start < end and text[start] in _AROUND:
        start += 1
    while end > start and text[end - 1] in _AROUND:
        end -= 1
    return start, end


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _without_repeats(text: str, value: str) -> str:
    """A list in which `value` stands once."""
    if "<" in text:
        return text
    pieces = _PARTED.split(text)
    made: list[str] = []
    seen = False
    for at in range(0, len(pieces), 2):
        is_it = pieces[at].strip().casefold() == value.casefold()
        if not (is_it and seen):
            made += pieces[at - 1 : at + 1] if at else pieces[:1]
        seen = seen or is_it
    return "".join(made)


def _like(before: Any, number: str) -> Any:
    """A number as what stood there was one: text, whole or not."""
    if isinstance(before, str):
        return number
    return int(number) if number.isdigit() else float(number)
