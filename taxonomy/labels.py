"""What a label asks for: which attributes of a category take the value that stands under it.

"Sole", "Outsole material" and "Laufsohle" ask for the sole's material, "Sole colour" for nothing that a shoe's schema
has, "Lining" for a part that is nobody's, "Waterproof" for yes or no, and "Features" for nothing at all: what stands
under it is read as if it stood alone. All this is told by words: the schema's names, cues and labels, and the parts and
fillers of `reaseq.documents.language`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from reaseq.documents.language import Phrases, words
from reaseq.documents.listed import listed
from reaseq.documents.tokens import UNITS, stems
from reaseq.taxonomy.schema import VOCABULARY, Attribute, CategorySchema

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PREFIX = re.compile(r"^(?:pa[_ ]|attribute[_: ]+pa[_ ]|attribute[_: ]+|attr_|c:|g:|meta[_: ]+)", re.IGNORECASE)
_NUMBER = re.compile(r"[ _]?\d+$")
_FILE = Path(__file__).with_name("labels.yaml")
_SUBSTANCES = frozenset(("material", "fabric", "metal"))
"""Names, or last words of names, of attributes that say what something is made of."""
_IMITATED = _SUBSTANCES | {"stone", "filling"}


def is_substance(attribute: Attribute) -> bool:
    """Does it say what something is made of?"""
    return _names_substance(attribute.name)


@lru_cache
def _names_substance(name: str) -> bool:
    return name.split("_")[-1] in _SUBSTANCES


def words_of(column: str) -> str:
    """A column's name as words: `baseColour`, `pa_color`, `color_1`."""
    spaced = _CAMEL.sub(" ", _PREFIX.sub("", column.strip())).replace("_", " ").replace(".", " ")
    return _NUMBER.sub("", spaced)


class Asks(StrEnum):
    """value: of `attributes`. whether: it is so, of the values `states`. part: of something that is no attribute's, or
    of another product. nothing: it says nothing of what stands under it. unknown: of something that the schema does
    not know."""

    VALUE = "value"
    WHETHER = "whether"
    PART = "part"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


class Meaning(NamedTuple):
    """states: attribute and value. unit: the unit that the label gives ("Weight (kg)"). near: is it taken to the
    attribute by its meaning (`reaseq.taxonomy.meanings`)?"""

    asks: Asks
    attributes: frozenset[str] = frozenset()
    states: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    near: bool = False


class Labels:
    """Of one category."""

    def __init__(self, schema: CategorySchema) -> None:
        self.schema = schema
        unsure = {term.casefold() for term in schema.attributes[0].only_with}
        kinds = [term for value, terms in _kinds(schema) for term in (value, *terms) if term.casefold() not in unsure]
        self.whole = Phrases([schema.category.replace("_", " "), *schema.aliases, *schema.whole, *kinds])
        """Words for the product as a whole."""
        self.kind = schema.attributes[0].name if _kinds(schema) else None
        """The attribute that says what kind of thing a product is."""
        self._names: dict[tuple[str, ...], set[str]] = {}
        self._near: dict[tuple[str, ...], str] = {}
        self._owners: dict[tuple[str, ...], set[str]] = {}
        self._states: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        self._units = {
            UNITS.get(stem, stem) for attribute in schema.attributes for unit in attribute.units for stem in stems(unit)
        }
        for attribute in schema.attributes:
            self._know(attribute)
        self._substances = frozenset(
            attribute.name
            for attribute in schema.attributes
            if attribute.name.split("_")[-1] in _IMITATED or _lists_substances(attribute)
        )
        self._known: dict[tuple[str, ...], Meaning] = {}

    def _know(self, attribute: Attribute) -> None:
        name = attribute.name
        shared = [*_shared().get(name, ())]
        if name == self.kind:
            shared += _shared()["kind"]
        self._near |= {tuple(sorted(stems(label))): name for label in attribute.near_labels}
        terms = [name.replace("_", " "), *attribute.labels, *attribute.cues, *shared]
        own = {tuple(sorted(stems(term))) for term in terms}
        if is_substance(attribute) and not attribute.cues:
            own |= _made_of()
        for term in filter(None, own):
            self._names.setdefault(term, set()).add(name)
        for cue in map(stems, attribute.cues):
            self._owners.setdefault(cue, set()).add(name)
        for value, synonyms in attribute.values.items():
            for term in map(stems, (value, *synonyms)):
                self._states.setdefault(term, []).append((name, value))

    def is_of_substances(self, attribute: Attribute) -> bool:
        """Are its values things that something may be made of, whatever it is called (a sofa's cover, a gem)?"""
        return attribute.name in self._substances

    def answered(self, label: Sequence[str], attribute: Attribute, yes: bool) -> Iterator[tuple[str, bool]]:
        """The values that yes or no under a label states (True) or denies: "Hood: no" says that there is none."""
        for name, value in self._states.get(tuple(label), ()):
            if name == attribute.name:
                yield value, yes
        none = next((value for value in attribute.values if value.split()[0] in ("no", "none")), None)
        if none is not None and not yes:
            yield none, True

    def of_column(self, name: str) -> Meaning:
        """What a column of that name asks for: `baseColour`, `pa_color`, `Weight (kg)`, `color_1`."""
        return self.meaning(stems(words_of(name)))

    def meaning(self, label: Sequence[str]) -> Meaning:
        """What a label asks for, given as stems."""
        key = tuple(label)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._read(key)
        return known

    def known_end(self, label: Sequence[str]) -> int:
        """Where in a label whose beginning is not sure ("rubber origin") the longest end of it begins that asks for
        something; its last word if none does."""
        for first in range(len(label)):
            if self.meaning(label[first:]).asks in (Asks.VALUE, Asks.WHETHER):
                return first
        return len(label) - 1

    def _read(self, label: tuple[str, ...]) -> Meaning:
        if not label:
            return Meaning(Asks.NOTHING)
        if near := self._near.get(tuple(sorted(label))):
            return Meaning(Asks.VALUE, frozenset((near,)), near=True)
        if label in words("plain_labels"):
            return Meaning(Asks.NOTHING) if not self._exact(label) else self._of(label, "")
        unit = ""
        if len(label) > 1 and UNITS.get(label[-1], label[-1]) in self._units:
            last = UNITS.get(label[-1], label[-1])
            if self._exact(label):
                return self._of(label, "" if last == "in" else last)  # a schema may list "Absatzhöhe cm"
            unit, label = last, label[:-1]
            if len(label) > 1 and label[-1] == "in":
                label = label[:-1]  # "Heel height in mm"
        if found := self._of_words(label, unit):
            return found
        if words("others").within_any(label):
            return Meaning(Asks.PART)
        if without := next((at for at in range(1, len(label)) if label[at : at + 1] in words("denies_next")), 0):
            # "Weight without battery"
            return self._read(label[:without])
        core = _without(label, words("label_fillers"))
        if not core:
            return Meaning(Asks.NOTHING)
        return self._of_words(core, unit) or self._of_parts(core, unit)

    def _exact(self, label: tuple[str, ...]) -> set[str]:
        return self._names.get(tuple(sorted(label)), set())

    def _of(self, label: tuple[str, ...], unit: str) -> Meaning:
        return Meaning(Asks.VALUE, frozenset(self._exact(label)), (), unit)

    def _of_words(self, label: tuple[str, ...], unit: str) -> Meaning | None:
        if self._exact(label):
            return self._of(label, unit)
        if states := self._states.get(_asked(label)):
            return Meaning(Asks.WHETHER, frozenset(name for name, _ in states), tuple(states))
        if tuple(sorted(label)) in _all_shared():
            # It asks for what other schemas know, and this one has no attribute for.
            return Meaning(Asks.VALUE, frozenset(), (), unit)
        return None

    def _of_parts(self, label: tuple[str, ...], unit: str) -> Meaning:
        """A label that names a part, and what of it is asked for."""
        rest, owners, stray = label, set[str](), False
        for first, last in sorted(self._parts_in(label), key=lambda one: one[0] - one[1]):
            phrase = label[first:last]
            if phrase in self._owners:
                owners |= self._owners[phrase]
            elif phrase not in self.whole:
                stray = True
            rest = _cut(rest, phrase)
        rest = _without(_without(rest, words("links")), words("label_fillers"))
        if stray or (owners and rest and not self._exact(rest) & owners):
            return Meaning(Asks.PART)
        if owners:
            return Meaning(Asks.VALUE, frozenset(owners), (), unit)
        if rest != label and rest and (found := self._of_words(rest, unit)):
            return found
        return Meaning(Asks.UNKNOWN, unit=unit)

    def _parts_in(self, label: tuple[str, ...]) -> list[tuple[int, int]]:
        found = [*words("parts").within(label), *words("packagings").within(label), *self.whole.within(label)]
        found += Phrases([" ".join(cue) for cue in self._owners]).within(label) if self._owners else []
        return list(dict.fromkeys(found))


def names_of(schema: CategorySchema, attribute: Attribute) -> list[str]:
    """What labels call an attribute in English."""
    shared = (*_shared().get(attribute.name, ()), *(_shared()["kind"] if attribute is schema.attributes[0] else ()))
    return [name for name in (attribute.name.replace("_", " "), *attribute.labels, *shared) if name.isascii()]


def other_names(schema: CategorySchema) -> list[str]:
    """What labels of a feed are called that ask for nothing the schema has."""
    mine = {attribute.name for attribute in schema.attributes} | {"kind", "material"}
    own = {name for attribute in schema.attributes for name in names_of(schema, attribute)}
    of_others = (name for key, names in _shared().items() if key not in mine for name in names)
    plain = (" ".join(phrase) for phrase in sorted(words("plain_labels").all))
    return [name for name in dict.fromkeys((*of_others, *plain)) if name.isascii() and name not in own]


def _lists_substances(attribute: Attribute) -> bool:
    """Are most of its values substances that the shared vocabulary knows?"""
    known = sum(
        not _substance_words().isdisjoint(map(stems, (value, *attribute.values[value]))) for value in attribute.values
    )
    return attribute.facet == "supply" and 2 * known > len(attribute.values)


@lru_cache
def _substance_words() -> frozenset[tuple[str, ...]]:
    attributes: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]] = listed(VOCABULARY)
    of_substances = (shared["values"] for name, shared in attributes.items() if name.split("_")[-1] in _SUBSTANCES)
    return frozenset(
        stems(term) for values in of_substances for value, terms in values.items() for term in (value, *terms)
    )


@lru_cache
def _shared() -> Mapping[str, Sequence[str]]:
    read: Mapping[str, Sequence[str]] = listed(_FILE)
    return read


@lru_cache
def _all_shared() -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(sorted(stems(term))) for terms in _shared().values() for term in terms)


@lru_cache
def _made_of() -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(sorted(stems(term))) for term in _shared()["material"])


def _kinds(schema: CategorySchema) -> list[tuple[str, tuple[str, ...]]]:
    """The kinds of thing that the category covers: the values of its first attribute, if that says what kind it is."""
    first = schema.attributes[0]
    return list(first.values.items()) if first.kind == "closed" and first.name.endswith("_type") else []


def _asked(label: tuple[str, ...]) -> tuple[str, ...]:
    """A question without the words that make it one: "is it waterproof"."""
    while len(label) > 1 and label[0] in (
        "is",
        "are",
        "it",
        "they",
        "this",
        "ist",
        "er",
        "sie",
        "es",
        "est",
        "elle",
        "il",
    ):
        label = label[1:]
    return label


def _without(label: tuple[str, ...], fillers: Phrases) -> tuple[str, ...]:
    for first, last in reversed(list(fillers.within(label))):
        label = label[:first] + label[last:]
    return label


def _cut(label: tuple[str, ...], phrase: tuple[str, ...]) -> tuple[str, ...]:
    for first in range(len(label) - len(phrase) + 1):
        if label[first : first + len(phrase)] == phrase:
            return label[:first] + label[first + len(phrase) :]
    return label
