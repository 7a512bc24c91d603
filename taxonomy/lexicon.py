"""A category's lexicon: where a product's document states a value, by words alone.

It grounds what a model said and gives a second opinion where the model said nothing. Every place where a term stands is
looked at, and gets a `standing`: whether the value is stated there, and if not, why not. The rules, in their order:

1. The longest term wins ("faux leather" is one term, so no "leather" is found inside it).
2. What is denied is found, and marked ("not waterproof", "Waterproof: no", "leather-free", "防水ではない"); so is
   what is said of something else ("pairs well with a leather belt") or only looks so ("synthetic suede").
3. Under a label the attributes that it asks for take the value, and no others.
4. A value belongs to the part it stands beside ("rubber outsole", "Sohle aus Gummi"): to the attribute whose cue that
   is, to none if it is nobody's ("leather lining"), else to the product.
5. An attribute with cues needs one of them in the sentence.
6. What kind of thing a product is, the head of its title says ("lock for folding bikes" is no bike).

How far each kind of evidence can be trusted is measured: see `reaseq.taxonomy.trust`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from weakref import WeakKeyDictionary

from reaseq.documents.document import Document, Field, Kind, Piece
from reaseq.documents.language import Phrases, answer, any_words, ticked, words
from reaseq.documents.scopes import Scope
from reaseq.documents.surroundings import (
    acts_on_another,
    brackets_around,
    heading_of,
    is_aside_above,
    is_chosen_from,
    is_denied_above,
    is_done_so,
    is_made_of,
    is_of_look,
    is_pointed_to,
    is_purpose,
    is_quoted,
)
from reaseq.documents.tokens import (
    STOP,
    UNITS,
    Token,
    begin_of,
    end_of,
    is_glued,
    is_katakana,
    is_unspaced,
    run_begin,
    sentence_of,
    stems,
)
from reaseq.taxonomy.evidence import Evidence, Labelled, Match, Standing
from reaseq.taxonomy.heads import Head, head_of, opening_of
from reaseq.taxonomy.labels import Asks, Labels, Meaning, is_substance, words_of
from reaseq.taxonomy.measures import (
    beside_numbers,
    count_unit,
    has_own_size,
    is_extension,
    is_limit,
    measured,
)
from reaseq.taxonomy.parts import Part, Parts, owner_of
from reaseq.taxonomy.schema import Attribute, CategorySchema
from reaseq.taxonomy.units import is_in, same

_HISTORY_WITHIN = 5
"""Tokens from words for former times to a need of then."""
_COMMA = re.compile("[,、，]")
_USES = ("scenario", "season", "occasion", "room")
"""Attributes that say when, where or what for a product is used."""
_BY_THE_WAY = (*_USES, "style")
"""Attributes of which texts mention values that the product has not, more than of others."""
QUALITIES = ("need", "style")
"""Attributes of the buyer that "for" before them makes no surer ("for a sporty look")."""
_NEXT_TO = 2, 4
"""Tokens before and after a use or a style that may part it from what it is said of."""
_SUBSTANCES_WITHIN = 20
"""Tokens before one of a list of substances that the others stand in, and more."""
_LONG_NAME = 3
"""Words of a title that are no chance together."""
_MEMBER_WITHIN = 3
"""Tokens at the beginning of an item that name a thing of a set."""
_SHORT_ITEM = 4
"""Tokens: an item of a list that has no more says one thing of the product."""
_SHORT_ANSWER = 5
"""Tokens: what has no more under a label that asks whether it is so answers it, or does not."""
_OF_WHAT_IT_TAKES = ("W", "w", "watt")
"""First units of attributes that a product may give of other things: of the bulbs that a lamp takes."""
_DASH = re.compile(r"(?<!\w)[-–—]|[-–—](?!\w)")
_DASHES = re.compile(r"\s*[-–—~]\s*")
_FREE = frozenset((Evidence.HEAD, Evidence.PHRASE, Evidence.OPENING, Evidence.TITLE, Evidence.ITEM, Evidence.PROSE))
"""Classes of evidence under no label."""


@dataclass(frozen=True, slots=True)
class _Term:
    attribute: Attribute
    value: str
    stems: tuple[str, ...]
    only_with: Phrases | None


class _Place(NamedTuple):
    """Where tokens `first` to `last` (exclusive) stand: in which piece, under which label."""

    field: Field
    first: int
    last: int
    piece: Piece
    in_label: bool
    asked: Meaning
    label: str

    @property
    def asks_value(self) -> bool:
        return self.asked.asks is Asks.VALUE and not self.in_label


@dataclass(frozen=True, slots=True)
class _Product:
    """What reading one field asks of the others. brand: whose words say nothing of the product ("Strand Espadrille" by
    Strand). title: its stems."""

    document: Document
    brand: Phrases
    title: tuple[str, ...]

    def means_else(self, term: tuple[str, ...]) -> bool:
        """Is it a word of the text's language that means something else than in others (Swedish "men" is but)?"""
        return term in words("homonyms") and term in words("homonyms", self.document.language)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read in one document: the head of its title, and by attribute what was found and what labels ask for."""

    head: Head | None
    found: dict[str, list[Match]]
    labelled: dict[str, list[Labelled]]


class Lexicon:
    """The terms and cues of one category schema, indexed by their first stem."""

    def __init__(self, schema: CategorySchema) -> None:
        self.schema = schema
        self.labels = Labels(schema)
        self._terms: dict[str, list[_Term]] = {}
        self.parts = Parts(schema, self.labels.whole)
        self.contradicting: dict[tuple[str, str], Phrases] = {}
        self.suggested: dict[tuple[str, str], list[tuple[str, str]]] = {}
        """What a value suggests: attribute and value to attributes and values."""
        for attribute in schema.attributes:
            for value, by in attribute.suggested_by.items():
                for basis in ((name, one) for name, some in by.items() for one in some):
                    self.suggested.setdefault(basis, []).append((attribute.name, value))
            for value, against in attribute.contradicted_by.items():
                self.contradicting[attribute.name, value] = Phrases(against)
            only_with = {stems(term): Phrases(beside) for term, beside in attribute.only_with.items()}
            for value, synonyms in attribute.values.items():
                for term in dict.fromkeys(stems(term) for term in (value, *synonyms)):
                    if term:
                        made = _Term(attribute, value, term, only_with.get(term))
                        self._terms.setdefault(term[0], []).append(made)
        for terms in self._terms.values():
            terms.sort(key=lambda term: -len(term.stems))
        self._substance_terms = {
            stem: [term.stems for term in terms if is_substance(term.attribute)] for stem, terms in self._terms.items()
        }
        self._longer = Phrases(" ".join(term.stems) for some in self._terms.values() for term in some)
        self._absences = dict(self._read_absences())
        self._absent = Phrases(stemmed=self._absences)
        self._readings: WeakKeyDictionary[Document, _Reading] = WeakKeyDictionary()

    def _read_absences(self) -> Iterator[tuple[tuple[str, ...], tuple[str, str]]]:
        """What values say that a product is without, as stems, to attribute and value: of "paraben-free" parabens."""
        for term in (term for terms in self._terms.values() for term in terms):
            first, last = term.stems[:1], term.stems[-1:]
            if (
                term.attribute.facet == "supply"
                and len(term.stems) > 1
                and (first in words("denies_next") or last in words("denies_last"))
            ):
                named = term.stems[1:] if first in words("denies_next") else term.stems[:-1]
                yield named, (term.attribute.name, term.value)

    def find(self, document: Document) -> dict[str, list[Match]]:
        """For each closed attribute, every place where one of its terms stands: the fields in their order."""
        return self._reading(document).found

    def is_mentioned(self, attribute: str) -> bool:
        """Is it the kind of thing, a use, a style or what a part is made of, of which a text may mention what the
        product is not or has not ("rubber wings")?"""
        return attribute in (*_BY_THE_WAY, self.labels.kind) or self.parts.needs_cue(attribute)

    def is_look(self, stem: str) -> bool:
        """Is it a colour, or another word for what is seen of a thing?"""
        return any(attribute.looks for attribute in self._attributes_of((stem,)))

    def substance_at(self, tokens: Sequence[Token], index: int) -> int:
        """How many tokens the words for a substance have that begin there; 0 if none do."""
        for term in self._substance_terms.get(tokens[index].stem, ()):  # the longest first
            width = len(term)
            if width == 1 or term == tuple(token.stem for token in tokens[index : index + width]):
                return width
        return 0

    def is_noun(self, stem: str) -> bool:
        """Is it a substance, or a need by its name?"""
        return any(
            term.stems == (stem,) and (is_substance(term.attribute) or stems(term.value) == (stem,))
            for term in self._terms.get(stem, ())
            if is_substance(term.attribute) or term.attribute.name in QUALITIES
        )

    def head(self, document: Document) -> Head | None:
        """What the title says the product is; None where it names no kind of thing that is known."""
        return self._reading(document).head

    def labelled(self, attribute: Attribute, document: Document) -> list[Labelled]:
        """What stands under labels that ask for this attribute alone, and says more than yes or no."""
        return self._reading(document).labelled.get(attribute.name, [])

    def _reading(self, document: Document) -> "_Reading":
        """Made once for each document, as several ask for it."""
        reading = self._readings.get(document)
        if reading is None:
            title, description = document.fields.get("title"), document.fields.get("description")
            # Where a category lists no kinds, nothing can be told to be of another.
            lists_kinds = self.labels.kind is not None or self.schema.aliases
            head = head_of(title, self.labels.whole, self._longer) if title and lists_kinds else None
            opens = head is None or (head.covered and self._is_general(head))
            opening = opening_of(description, self.labels.whole, self._longer) if description and opens else None
            if opening and head and self._is_general(opening):
                opening = None
            found: dict[str, list[Match]] = {}
            product = _Product(
                document,
                Phrases([document.sources.get("brand", "")]),
                tuple(token.stem for token in title.tokens) if title else (),
            )
            for field in document.fields.values():
                said = opening if field is description and opening else head
                for name, match in self._terms_in(field, said, product):
                    found.setdefault(name, []).append(match)
            reading = self._readings[document] = _Reading(head, found, self._all_labelled(document, found))
        return reading

    def _is_general(self, head: Head) -> bool:
        """Does it name no kind: "shoes"?"""
        return self.schema.attributes[0].value_of(head.words) is None

    def describes(self, words: tuple[str, ...]) -> bool:
        """Do these stems say what kind or class of thing a product is, whom it is for or how it looks, and so name no
        model?"""
        if words in self.labels.whole:
            return True
        return any(
            attribute.looks or attribute.name in (self.labels.kind, "audience", "safety_class", "heel_type")
            for attribute in self._attributes_of(words)
        )

    def says_how(self, tokens: Sequence[Token]) -> bool:
        """Are these words styles and needs, and nothing else?"""
        at = 0
        while at < len(tokens):
            terms = self._terms.get(tokens[at].stem, ())
            widths = [
                len(term.stems)
                for term in terms
                if term.attribute.name in ("style", "need")
                and term.stems == tuple(token.stem for token in tokens[at : at + len(term.stems)])
            ]
            if not widths:
                return False
            at += max(widths)
        return True

    def says_what_for(self, words: tuple[str, ...]) -> bool:
        """Do these stems say when or what for a product is used ("school", "winter")?"""
        return any(attribute.name in _USES for attribute in self._attributes_of(words))

    def says_more(self, quote: str, value: str) -> bool:
        """Is it a word for a value of another attribute, too, and none of the value's own: Gore-Tex, of waterproof?"""
        said = stems(quote)
        named = {attribute.name for attribute in self._attributes_of(said)} if said else set()
        return len(named) > 1 and not set(stems(value)) & set(said)

    def says_whom_for(self, words: tuple[str, ...]) -> bool:
        """Do these stems say whom a product is for ("women")?"""
        return any(attribute.name == "audience" for attribute in self._attributes_of(words))

    def _means(self, name: str, tokens: Sequence[Token]) -> bool:
        """Are the tokens words for a value of that attribute?"""
        return any(attribute.name == name for attribute in self._attributes_of(tuple(token.stem for token in tokens)))

    def _attributes_of(self, words: tuple[str, ...]) -> Iterator[Attribute]:
        return (term.attribute for term in self._terms.get(words[0], ()) if term.stems == words)

    def known_columns(self, document: Document) -> set[str]:
        """The columns whose names ask for something that the schema knows."""
        return {
            name
            for name, field in document.fields.items()
            if field.column is not None and self.labels.of_column(field.column).asks in (Asks.VALUE, Asks.WHETHER)
        }

    def labels_in(self, document: Document) -> Iterator[tuple[str, Meaning]]:
        """Labels that are such by their form, and columns' names, each with what it asks for."""
        for field in document.fields.values():
            if field.column is not None:
                yield words_of(field.column), self.labels.of_column(field.column)
            for piece in field.pieces:
                if piece.sure:
                    first, last = self._label(field, piece)
                    yield field.quote(first, last), self.labels.meaning(field.stems(first, last))

    def _all_labelled(self, document: Document, found: Mapping[str, Sequence[Match]]) -> dict[str, list[Labelled]]:
        """See `labelled`; by attribute."""
        made: dict[str, list[Labelled]] = {}
        for field in document.fields.values():
            for at, piece in enumerate(field.pieces):
                last = self._value_end(field, at)
                if piece.first == last:
                    continue
                place = self._place(field, piece.first, last, piece)
                if not place.asks_value or place.asked.near or len(place.asked.attributes) != 1:
                    continue
                if answer(field.tokens, piece.first, last) is not None:
                    continue
                (name,) = place.asked.attributes
                start, end = field.tokens[piece.first].start, field.tokens[last - 1].end
                values = frozenset(
                    match.value
                    for match in found.get(name, ())
                    if match.stated and match.field == field.name and start <= match.start and match.end <= end
                )
                one = Labelled(place.label, field.name, start, end, field.text[start:end], values)
                made.setdefault(name, []).append(one)
        return made

    def measures(self, attribute: Attribute, document: Document) -> list[Match]:
        """Every number in one of the attribute's units. A measure that is stated in two units ("7 cm (2.75 in)") counts
        once, and those whose cue stands in their clause make those unsure that have it in their sentence only."""
        near: list[Match] = []
        far: list[Match] = []
        others: list[Match] = []
        for field in document.fields.values():
            parts: dict[int, Part] | None = None
            for piece in field.pieces:
                place = self._place(field, piece.first, piece.last, piece)
                unit, said = "", ""
                if place.asks_value and attribute.name in place.asked.attributes:
                    unit = place.asked.unit or count_unit(attribute)
                begin = piece.label[0] if piece.label else piece.first
                numbers = list(measured(attribute, field, begin, piece.last, unit))
                if numbers and parts is None:
                    parts = self.parts.named(field.tokens)
                beside = beside_numbers(field.tokens, numbers, parts or {})
                for number in numbers:
                    at = self._place(field, number.first, number.last, piece)
                    alone = number.alone
                    if said and brackets_around(field, number.first, piece) is not None:
                        # "5 ATM (50 m)", "6 h (24 h with case)": the second says it otherwise, or of something else.
                        alone = alone and same(said, number.value, attribute.units)
                    free = {at: part for at, part in (parts or {}).items() if beside.get(at, number) == number}
                    match = self._measure(attribute, at, number.value, alone, free)
                    said = said or (number.value if match.stated else "")
                    (others if not match.stated else far if match.evidence is Evidence.CUE else near).append(match)
        stated: list[Match] = []
        # "139 cm (55 in)" is 55 in where the schema counts in inches.
        for match in sorted(near or far, key=lambda match: not is_in(match.value, attribute.units[:1])):
            if not any(
                match.value != other.value and same(match.value, other.value, attribute.units) for other in stated
            ):
                stated.append(match)
        return [match for match in near or far if match in stated] + others

    def _measure(self, attribute: Attribute, place: _Place, value: str, alone: bool, parts: dict[int, Part]) -> Match:
        name, tokens = attribute.name, place.field.tokens

        def made(evidence: Evidence, standing: Standing = Standing.STATED, beside: str = "") -> Match:
            start, end = tokens[place.first].start, tokens[place.last - 1].end
            return Match(value, place.field.name, start, end, evidence, standing, beside)

        evidence = self._class(place)
        under = place.field.under(place.first, place.last)
        if place.in_label and place.piece.sign == "?":
            return made(evidence, Standing.ASKED)
        if not alone or is_extension(tokens, place.first):
            return made(evidence, Standing.NUMBER)
        if attribute.units[0] in _OF_WHAT_IT_TAKES and is_limit(tokens, place.first, place.last):
            # "Max. 60 W" is what a lamp takes, and has not.
            return made(evidence, Standing.NUMBER)
        if under & Scope.DENIED:
            return made(evidence, Standing.DENIED)
        if under & (Scope.ASIDE | Scope.INSTRUCTION) or is_aside_above(place.field, place.piece):
            return made(evidence, Standing.ASIDE)
        if place.asked.asks is Asks.PART and not place.in_label:
            return made(evidence, Standing.PART, place.label)
        if sub_label := self._sub_label(place):
            named, stands = sub_label
            return made(Evidence.PART, Standing.STATED if name in stands.attributes else Standing.LABEL, named)
        if place.asks_value:
            if name not in place.asked.attributes:
                return made(evidence, Standing.LABEL, place.label)
            return made(evidence, beside=place.label)
        if attribute.bare_in_title and place.last < len(tokens) and words("heights").at(tokens, place.last):
            return made(evidence, Standing.LABEL, tokens[place.last].stem)
        clause = tokens[place.first].clause
        near = [
            part
            for part in parts.values()
            if tokens[part.first].clause == clause and not place.first <= part.first < place.last
        ]
        for part in near:
            if words("bearers").at(tokens, part.first) and name not in part.owners and not part.whole:
                return made(evidence, Standing.PART, place.field.quote(part.first, part.last))
        if near and attribute.cues:
            nearest = min(near, key=lambda one: _distance(one, place))
            beside = place.field.quote(nearest.first, nearest.last)
            if nearest.first and tokens[nearest.first - 1].clause == clause and has_own_size(tokens, nearest.first - 1):
                return made(evidence, Standing.PART, beside)
            if name in nearest.owners or (nearest.whole and any(name in part.owners for part in near)):
                return made(Evidence.PART if evidence in _FREE else evidence, beside=beside)
            if not nearest.whole:
                return made(evidence, Standing.PART, beside)
        if self.parts.needs_cue(name):
            cues = self.parts.cues_beside(name, tokens, place.first)
            if all(place.field.under(at, at + 1) & Scope.DENIED for at in cues):
                bare = attribute.bare_in_title and place.field.name == "title"
                return made(evidence) if bare else made(evidence, Standing.CUE)
            return made(Evidence.CUE if evidence in _FREE else evidence)
        return made(evidence)

    def _sub_label(self, place: _Place) -> tuple[str, Meaning] | None:
        """The label that begins the clause of a number, if what stands before the number is one and no sign parts them
        ("Width: 210 cm, depth 90 cm, height 85 cm"); and what it asks for."""
        begin = begin_of(place.field.tokens, place.first, clause=True)
        if not max(begin, place.piece.first) < place.first:
            return None
        meaning = self.labels.meaning(place.field.stems(begin, place.first))
        known = meaning.asks is Asks.VALUE and (meaning.attributes or place.asks_value)
        return (place.field.quote(begin, place.first), meaning) if known else None

    def asked(self, field: Field, piece: Piece) -> Meaning:
        """What the label over a piece asks for: its own, its column's, or its heading's."""
        own = self._own_label(field, piece)
        if own is not None:
            return own
        if field.column is not None:
            return self.labels.of_column(field.column)
        if piece.heading >= 0:
            meaning = self.labels.meaning(field.stems(*heading_of(field, piece)))
            return meaning if meaning.asks in (Asks.VALUE, Asks.PART) else Meaning(Asks.NOTHING)
        return Meaning(Asks.NOTHING)

    def _own_label(self, field: Field, piece: Piece) -> Meaning | None:
        """What its own label asks for; None where it has none, or what stands before a bracket or a dash is none."""
        if piece.label is None:
            return None
        before = field.piece_at(piece.label[0]) - 1
        if before >= 0 and words("this_one").within_any(field.stems(*piece.label)):
            # "Colour: black / red (this listing: black)"
            return self.asked(field, field.pieces[before])
        meaning = self.labels.meaning(field.stems(*self._label(field, piece)))
        answered = answer(field.tokens, piece.first, piece.last) is not None
        if piece.sign == "?":
            return meaning if answered else Meaning(Asks.NOTHING)
        if piece.sure and (meaning.asks is not Asks.NOTHING or field.column is None):
            return meaning
        if meaning.asks in (Asks.VALUE, Asks.PART) or (meaning.asks is Asks.WHETHER and answered):
            return meaning
        return None

    def _label(self, field: Field, piece: Piece) -> tuple[int, int]:
        assert piece.label is not None
        first, last = piece.label
        if piece.glued:
            first += self.labels.known_end(field.stems(first, last))
        return first, last

    def _named(self, field: Field, piece: Piece) -> tuple[str, ...]:
        """The stems of a piece's label, or of its column's name."""
        return field.stems(*self._label(field, piece)) if piece.label else stems(words_of(field.column or ""))

    def _place(self, field: Field, first: int, last: int, piece: Piece | None = None) -> _Place:
        piece = piece or field.pieces[field.piece_at(first)]
        in_label = piece.label is not None and first < piece.first
        if in_label and field.column is not None and not piece.sure and self._own_label(field, piece) is None:
            in_label = False  # of the column "Color": "black (with laces)"
        if in_label and piece.glued and last <= self._label(field, piece)[0] and (at := field.piece_at(first)):
            # "Upper: leather Sole: rubber": what the label begins with stands under the label before.
            piece, in_label = field.pieces[at - 1], False
        label = ""
        if piece.label is not None:
            label = field.quote(*self._label(field, piece))
        elif field.column is not None:
            label = field.column
        elif piece.heading >= 0:
            label = field.quote(*heading_of(field, piece))
        return _Place(field, first, last, piece, in_label, self.asked(field, piece), label)

    def _terms_in(self, field: Field, head: Head | None, product: "_Product") -> Iterator[tuple[str, Match]]:
        tokens = field.tokens
        parts: dict[int, Part] | None = None
        terms = list(self._terms_at(field.text, tokens))
        names = list(_places_of(product.brand, field)) if terms else []
        for index, last, term in terms:
            parts = self._parts_beside(terms, tokens) if parts is None else parts
            repeats = field.name != "title" and term.attribute.name in QUALITIES
            if (
                any(first <= index and last <= end for first, end in names)
                or (repeats and _is_in_title(field, index, last, product.title))
                or (term.attribute.name in _BY_THE_WAY and _is_numbered(field, index, last))
            ):
                evidence, standing, beside = self._class(self._place(field, index, last)), Standing.NAME, ""
            elif (
                _means_else(index, last, term, terms, self.labels)
                or _in_other_word(field, index, last)
                or self._is_inside_katakana(tokens, index, last)
                or (term.attribute.looks and words("sayings").over(tokens, index, last))
                or words("idioms").over(tokens, index, last)
                or _is_said_partly(field, index)
                or _ends_a_range(field, index)
                or acts_on_another(tokens, index, last)
                or (term.attribute.name == "need" and is_done_so(field, last))
                or (term.attribute.name in _BY_THE_WAY and is_quoted(field, index))
                or (term.attribute.name == "style" and self._is_need(field, last))  # "classic comfort"
                or (field.name != "title" and product.means_else(term.stems))
            ):
                evidence, standing, beside = self._class(self._place(field, index, last)), Standing.WORDS, ""
            elif self._is_of_member(term, field, index, head):
                evidence, standing, beside = self._class(self._place(field, index, last)), Standing.PART, ""
            elif (
                term.attribute.facet == "supply"
                and words("parts").over(tokens, index, last) > last - index
                and not self.parts.is_own(term.attribute.name, tokens, index)
            ):
                # "Leather zip pulls", "pit zips"
                evidence, standing, beside = self._class(self._place(field, index, last)), Standing.PART, ""
            else:
                evidence, standing, beside = self._judged(term, self._place(field, index, last), parts, head)
                if (
                    evidence is Evidence.PROSE
                    and term.attribute.name == self.labels.kind
                    and (is_pointed_to(tokens, index) or self._is_called(field, index, last, product.title))
                ):
                    evidence = Evidence.POINTED
            start, end = tokens[index].start, tokens[last - 1].end
            yield term.attribute.name, Match(term.value, field.name, start, end, evidence, standing, beside)
        yield from self._answers_in(field)
        if self._absences:
            yield from self._absences_in(field, terms)

    def _is_of_member(self, term: _Term, field: Field, index: int, head: Head | None) -> bool:
        """Does it stand in the item of a list that begins with a thing of a set ("– non-stick frying pan")?"""
        piece = field.pieces[field.piece_at(index)]
        if piece.kind is not Kind.ITEM or head is None or not head.covered or term.attribute.name == self.labels.kind:
            return False
        value = self.schema.attributes[0].value_of(head.words)
        if not (head.several or any((stem,) in words("sets") for stem in (*stems(head.words), *stems(value or "")))):
            return False
        begin = piece.label[0] if piece.label else piece.first
        names = self._means_kind(field.tokens, begin, min(begin + _MEMBER_WITHIN, piece.last))
        return names is not None and names != value

    def _means_kind(self, tokens: Sequence[Token], first: int, last: int) -> str | None:
        """The first kind of thing that is named between these tokens."""
        for at in range(first, last):
            for term in self._terms.get(tokens[at].stem, ()):
                here = tuple(token.stem for token in tokens[at : at + len(term.stems)])
                if term.attribute.name == self.labels.kind and term.stems == here:
                    return term.value
        return None

    def _is_need(self, field: Field, index: int) -> bool:
        """Does a need stand there by its name, in the clause of the token before it?"""
        tokens = field.tokens
        joined = 0 < index < len(tokens) and tokens[index].clause == tokens[index - 1].clause
        return joined and self.is_noun(tokens[index].stem) and self._means("need", tokens[index : index + 1])

    def _is_inside_katakana(self, tokens: Sequence[Token], first: int, last: int) -> bool:
        """Do letters of a foreign word that nobody knows stand on both sides of a term: jeans (ジーパン) in easy
        trousers (イージーパンツ), not leather in black leather shoes?"""
        if not 0 < first <= last < len(tokens) or tokens[last].start != tokens[last - 1].end:
            return False
        begin = run_begin(tokens, first)
        if begin == first or not all(is_katakana(tokens[at].stem) for at in (first - 1, first, last - 1, last)):
            return False
        known = any(self._longer.at(tokens, at, first) == first - at for at in range(begin, first))
        return not (known or self._longer.at(tokens, last) or self.labels.whole.at(tokens, last))

    def _is_called(self, field: Field, first: int, last: int, title: tuple[str, ...]) -> bool:
        """Do two words of the title stand before a kind that it does not name, as there, with at most whom it is for
        between: "the Nike Odyssey React Women's Running Shoe"?"""
        tokens, at = field.tokens, first
        if tuple(token.stem for token in tokens[first:last]) in zip(
            *(title[n:] for n in range(last - first)), strict=False
        ):
            return False
        while at and self._means("audience", tokens[at - 1 : at]):
            at -= 1
        if (
            at < 2
            or tokens[at - 2].clause != tokens[first].clause
            or _DASH.search(field.text[tokens[at - 1].end : tokens[first].start])
        ):
            return False
        name = (tokens[at - 2].stem, tokens[at - 1].stem)
        return name in pairwise(title) and not any(self._attributes_of(name))  # "a Gore-Tex bootie"

    def _absences_in(self, field: Field, terms: Sequence[tuple[int, int, _Term]]) -> Iterator[tuple[str, Match]]:
        """Values that say what a product is without, where that is named in a list ("Free from: parabens, perfume"),
        and no term says more of it."""
        tokens, denies = field.tokens, words("denies_next")
        if self._absent.firsts.isdisjoint(field.words):
            return
        for piece in field.pieces:
            above = is_denied_above(field, piece)
            listed, denials = -1, 0
            for index in range(piece.first, piece.last):
                denials += denies.at(tokens, index) > 0
                width = self._absent.at(tokens, index, piece.last) if index >= listed else 0
                if not width:
                    continue
                if words("idioms").over(tokens, index, index + width):
                    continue  # "no battery to charge"
                under = field.under(index, index + width)
                # "Free from parabens, silicones and perfume": what is denied goes on; of "sans silicone, sans alcool,
                # parfum frais" each has its own.
                denied = above or under & Scope.DENIED or (denials < 2 and _goes_on(tokens, listed, index))
                if index + width < len(tokens) and words("added").at(tokens, index + width):
                    continue
                if not denied or under & (Scope.ASIDE | Scope.INSTRUCTION):
                    continue
                listed = index + width
                name, value = self._absences[field.stems(index, index + width)]
                if any(t.attribute.name == name and first < index + width and index < last for first, last, t in terms):
                    continue
                place = self._place(field, index, index + width, piece)
                evidence = Evidence.LABEL if above else self._class(place)
                start, end = tokens[index].start, tokens[index + width - 1].end
                yield name, Match(value, field.name, start, end, evidence, Standing.STATED, "")

    def _answers_in(self, field: Field) -> Iterator[tuple[str, Match]]:
        """What yes or no says under a label or column that asks whether ("Waterproof"), or for a value ("Hood: no")."""
        tokens, column = field.tokens, field.column
        if column is not None and (meaning := self.labels.of_column(column)).asks is Asks.WHETHER:
            if (said := answer(tokens, 0, len(tokens))) is not None:
                standing = Standing.STATED if said else Standing.DENIED
                for name, value in meaning.states:
                    start, end = tokens[0].start, tokens[-1].end
                    yield name, Match(value, field.name, start, end, Evidence.COLUMN, standing, column)
            return
        for piece in field.pieces:
            if (piece.label is None and column is None) or piece.first == piece.last:
                continue
            said = answer(tokens, piece.first, piece.last)
            if said is not None and (absent := self._absences.get(self._named(field, piece))):
                # "Parabens: no"
                start, end = tokens[piece.first].start, tokens[piece.last - 1].end
                standing = Standing.DENIED if said else Standing.STATED
                evidence = Evidence.LABEL if piece.label else Evidence.COLUMN
                yield absent[0], Match(absent[1], field.name, start, end, evidence, standing, "")
                continue
            asked = self.asked(field, piece) if said is not None else None
            if said is None or asked is None or asked.asks is not Asks.VALUE or len(asked.attributes) != 1:
                continue
            attribute = self.schema.get(next(iter(asked.attributes)))
            label = self._named(field, piece)
            evidence = Evidence.LABEL if piece.label else Evidence.COLUMN
            beside = field.quote(*self._label(field, piece)) if piece.label else column or ""
            if attribute is None:
                continue
            for value, so in self.labels.answered(label, attribute, said):
                standing = Standing.STATED if so else Standing.DENIED
                start, end = tokens[piece.first].start, tokens[piece.last - 1].end
                yield attribute.name, Match(value, field.name, start, end, evidence, standing, beside)

    def _terms_at(self, text: str, tokens: Sequence[Token]) -> Iterator[tuple[int, int, _Term]]:
        """Terms with their first and last token (exclusive), of each attribute the longest at a place. What stands on
        both sides of a comma is no term ("upper leather, lining textile"), but a label with its value may be."""
        claimed: dict[str, int] = {}
        stems_of = tuple(token.stem for token in tokens)
        for index, token in enumerate(tokens):
            for term in self._terms.get(token.stem, ()):
                last = index + len(term.stems)
                if last > index + 1 and stems_of[index:last] != term.stems:
                    continue
                name = term.attribute.name
                if (
                    index >= claimed.get(name, 0)
                    and tokens[last - 1].sentence == token.sentence
                    and (
                        tokens[last - 1].clause == token.clause
                        or not _COMMA.search(text, token.end, tokens[last - 1].start)
                    )
                ):
                    claimed[name] = last
                    yield index, last, term

    def _judged(
        self, term: _Term, place: _Place, parts: dict[int, Part], head: Head | None
    ) -> tuple[Evidence, Standing, str]:
        """On what a term's value rests at a place, whether it is stated there, and the words that decide."""
        evidence = self._class(place)
        if self._is_step(term, place.field) and not self._swayed(term, place):
            return Evidence.PATH, Standing.STATED, ""
        if place.in_label and (said := self._answered(place)) is not None:
            return Evidence.LABEL, said, ""
        if standing := self._swayed(term, place):
            if standing is Standing.DENIED and not place.in_label:
                # What is denied of another attribute or part ("Laces: not leather") is not denied of this one.
                if shielded := self._shielded(term, place):
                    return evidence, shielded, place.label
                owned = self._of_part(term, place, evidence, parts)
                if owned[1] is Standing.PART or self._is_denied_of_part(term, place, parts):
                    return evidence, Standing.PART, owned[2]
            cued = place.asks_value or self.parts.is_cued(term.attribute.name, place.field.tokens, place.first)
            return evidence, standing if cued else Standing.CUE, ""
        if place.in_label and place.last > place.piece.first:
            # "SPF: 30"
            return Evidence.LABEL, Standing.STATED, place.label
        named = place.piece.sure or (place.in_label and self._own_label(place.field, place.piece) is not None)
        if place.in_label and named and place.asked.asks in (Asks.VALUE, Asks.PART):
            return evidence, Standing.ASKED, ""
        if not place.in_label and (standing := self._shielded(term, place)):
            return evidence, standing, place.label
        if term.attribute.name == self.labels.kind and evidence in _FREE:
            return self._of_kind(place, evidence, head)
        if head and not head.covered and head.first <= place.first < head.last and place.field.name == head.field:
            # "Care cream" is no colour.
            return evidence, Standing.KIND, head.words
        if head is not None and evidence in (Evidence.TITLE, Evidence.PROSE) and _is_beside(head, place):
            within = head.first <= place.first and place.last <= head.last  # "running shoe"
            beside = Evidence.HEAD if within else Evidence.PHRASE
            evidence = beside if evidence is Evidence.TITLE else Evidence.OPENING
        return self._of_part(term, place, evidence, parts)

    def _is_denied_of_part(self, term: _Term, place: _Place, parts: Mapping[int, Part]) -> bool:
        """Does a part that is not the attribute's begin the clause in which a value is denied: "lining without
        leather"?"""
        tokens = place.field.tokens
        begins = begin_of(tokens, place.first, clause=True), begin_of(tokens, place.first, clause=False)
        for begin in dict.fromkeys(begins):
            at = begin + words("articles").at(tokens, begin, place.first)
            part = parts.get(at) if at < place.first else None
            # "The sole is textile, no rubber": the sentence goes on of it.
            goes_on = part is not None and (begin == begins[0] or words("copulas").at(tokens, part.last, place.first))
            if part is not None and goes_on:
                own = part.whole or term.attribute.name in part.owners
                return not own and self._minds_parts(term)
        return False

    def _is_step(self, term: _Term, field: Field) -> bool:
        """Is it whom a category path ("Women/Shoes") is for, and the only one there?"""
        if term.attribute.name != "audience" or stems(words_of(field.column or "")) not in words("paths"):
            return False
        named = {
            other.value for _, _, other in self._terms_at(field.text, field.tokens) if other.attribute is term.attribute
        }
        return len(named) == 1

    def _answered(self, place: _Place) -> Standing | None:
        """What a yes or no under it makes of a term in a label."""
        if place.asked.asks is Asks.WHETHER or place.piece.sign == "?":
            at = place.field.piece_at(place.first)
            said = self._said_under(place.field, at)
            if said is not None:
                return Standing.STATED if said else Standing.DENIED
            if place.piece.sure and self._value_end(place.field, at) - place.piece.first <= _SHORT_ANSWER:
                # "Waterproof: partly", or nothing at all.
                return Standing.ASKED
        return Standing.ASKED if place.piece.sign == "?" else None

    def _said_under(self, field: Field, at: int) -> bool | None:
        """Does what stands under the label of the piece at that place answer yes or no, in words or by a sign?"""
        piece, last = field.pieces[at], self._value_end(field, at)
        if piece.first < last:
            return answer(field.tokens, piece.first, last)
        following = field.tokens[last] if last < len(field.tokens) else None
        if piece.sign == "?" and following is not None:
            # "Is it waterproof?" and in the next block "No."
            return answer(field.tokens, last, end_of(field.tokens, last, clause=False))
        return ticked(field.text[field.tokens[piece.first - 1].end : following.start if following else len(field.text)])

    def _value_end(self, field: Field, at: int) -> int:
        """Where the value of the piece at that place ends (exclusive): in "Waterproof: no Upper: leather" "no" stands
        before the next label, with no sign between them."""
        if at + 1 < len(field.pieces) and (following := field.pieces[at + 1]).glued:
            return self._label(field, following)[0]
        return field.pieces[at].last

    def _value_end_of(self, place: _Place) -> int:
        """Where the value ends that holds the place (exclusive)."""
        at = place.field.piece_at(place.first)
        if place.field.pieces[at].glued and place.last <= self._label(place.field, place.field.pieces[at])[0]:
            at -= 1
        return self._value_end(place.field, at)

    def _swayed(self, term: _Term, place: _Place) -> Standing | None:
        """What the small words around it make of a term."""
        if term.only_with is not None and not (
            place.asks_value or (place.field.column is not None and self._is_all_of_it(place))
        ):
            sentence = sentence_of(place.field.tokens, place.first)
            around = (index for index in sentence if not place.first <= index < place.last)
            if not any(term.only_with.at(place.field.tokens, index) for index in around):
                return Standing.CUE
        under = place.field.under(place.first, place.last)
        told = under & Scope.INSTRUCTION and not place.asks_value
        if (
            told
            and term.attribute.facet == "supply"
            and (term.attribute.name != self.labels.kind or under & Scope.DENIED)
        ):
            return Standing.ASIDE
        if under & Scope.DENIED and term.stems[-1:] in words("no"):
            under &= ~Scope.DENIED  # "cappuccio assente" means no hood by itself
        if under & Scope.DENIED or (not place.in_label and is_denied_above(place.field, place.piece)):
            return Standing.DENIED
        if under & Scope.ASIDE or is_aside_above(place.field, place.piece):
            return Standing.ASIDE
        if place.asks_value and (is_chosen_from(place.field, place.last) or self._in_remark(term, place)):
            return Standing.ASIDE
        if not place.asks_value and all(stem.isdigit() for stem in term.stems):
            # "3+" is but a number in a text.
            return Standing.CUE
        if not place.asks_value and (self._is_look(term, place) or self._is_past(term, place)):
            return Standing.LIKENESS
        if under & Scope.LIKENESS and self._is_imitated(term, place):
            return Standing.LIKENESS
        return None

    def _is_past(self, term: _Term, place: _Place) -> bool:
        """Does its sentence tell of former times, in which the product, or what it is made after, was of that kind, or
        was used or needed so?"""
        attribute, tokens = term.attribute, place.field.tokens
        kinds = ["history"]
        if attribute.name == self.labels.kind:
            if is_pointed_to(tokens, place.first):
                return False
        elif attribute.name == "need" and place.field.name != "title":
            before = range(max(begin_of(tokens, place.first, clause=True), place.first - _HISTORY_WITHIN), place.first)
            return any(
                words("history").at(tokens, at, place.first) for at in before
            )  # "first designed as a grippy shoe"
        elif attribute.facet != "demand" or attribute.name in ("audience", "need"):
            return False
        elif attribute.name in _USES and is_pointed_to(tokens, place.first) and self._is_goods(tokens, place.last):
            return False  # "From the first drive on in this golf polo"
        elif attribute.name in _USES and not is_purpose(tokens, place.first, place.last):
            kinds.append("decades")
        if place.field.name == "title":
            return False
        return any_words(*kinds).at_any(tokens, sentence_of(tokens, place.first)) or any(
            words("earlier").at(tokens, at, at + 1) and tokens[at].clause == tokens[place.first].clause
            for at in range(max(0, place.first - 2), place.first)
        )

    def _is_look(self, term: _Term, place: _Place) -> bool:
        """Has the product but the look of that kind or use: "tennis style"?"""
        attribute, tokens = term.attribute, place.field.tokens
        if attribute.name != self.labels.kind and (
            attribute.facet != "demand" or attribute.name in ("audience", *QUALITIES)
        ):
            return False
        last = place.last
        while last < len(tokens) and (width := self.labels.whole.at(tokens, last)):
            last += width  # "running shoe look"
        goes_on = last < len(tokens) and tokens[last].clause == tokens[last - 1].clause
        if goes_on and words("looks").at(tokens, last):
            return True
        kinds = ("looks_before", "bygone") if attribute.facet == "demand" else ("looks_before",)
        return any(
            words(kind).at(tokens, at, place.first) == place.first - at
            and tokens[at].clause == tokens[place.first].clause
            for at in range(max(0, place.first - 3), place.first)
            for kind in kinds
        )

    def _in_remark(self, term: _Term, place: _Place) -> bool:
        """Does it stand in brackets with words that say something, after a value of the same attribute: "white (photo
        shows blue)"? Substances are described in brackets: "mesh (recycled polyester)"."""
        if is_substance(term.attribute):
            return False
        inside = brackets_around(place.field, place.first, place.piece)
        if inside is None:
            return False
        tokens, piece = place.field.tokens, place.piece
        own = set[int]()
        before = False
        for first, last, other in self._terms_at(place.field.text, tokens[piece.first : inside.stop]):
            if other.attribute is term.attribute:
                own |= set(range(piece.first + first, piece.first + last))
                before = before or piece.first + last <= inside.start
        small = [words(kind) for kind in ("joins", "grades")]
        said = before if term.attribute.looks else piece.first < inside.start
        return said and any(at not in own and not any((tokens[at].stem,) in one for one in small) for at in inside)

    def _is_imitated(self, term: _Term, place: _Place) -> bool:
        """Substances may be imitated by words before and after ("oak effect"), what else a product has by the word
        right before ("fake chronograph"); how it looks, and what kind of thing it is, may not."""
        attribute = term.attribute
        if self.labels.is_of_substances(attribute):
            return True
        if attribute.looks:
            # "Chocolate shaped": the colours' names of things that charms are made after.
            tokens, last = place.field.tokens, place.last
            return last < len(tokens) and words("shaped").at(tokens, last) > 0
        if attribute.facet == "demand":
            return False
        before, tokens = place.first - 1, place.field.tokens
        imitated = before >= 0 and words("like_next").at(tokens, before, place.first) > 0
        if place.last < len(tokens) and tokens[place.last].stem == "like":
            imitated = imitated or place.field.text[tokens[place.last - 1].end] in "-‐‑"  # "lace-like mesh"
        if attribute.name != self.labels.kind:
            return imitated
        # "Synthetic leather jacket", "chaqueta de cuero sintético": of a kind that is called by its substance.
        imitated = imitated or (place.last < len(tokens) and words("like_last").at(tokens, place.last) > 0)
        return imitated and any(
            self.labels.is_of_substances(other.attribute)
            for stem in (*term.stems, *stems(term.value))
            for other in self._terms.get(stem, ())
            if other.stems == (stem,)
        )

    def _shielded(self, term: _Term, place: _Place) -> Standing | None:
        """Does the label over it keep a value from the term's attribute?"""
        if place.asked.asks is Asks.PART and term.attribute.facet == "supply":
            return Standing.PART
        if place.asked.asks is Asks.VALUE and term.attribute.name not in place.asked.attributes:
            return Standing.LABEL
        if place.asked.asks is Asks.WHETHER and self._named(place.field, place.piece) in words("parts"):
            # "Microphone: removable, with noise reduction"
            own = any(name == term.attribute.name for name, _ in place.asked.states)
            return Standing.PART if term.attribute.facet == "supply" and not own else None
        return None

    def _of_kind(self, place: _Place, evidence: Evidence, head: Head | None) -> tuple[Evidence, Standing, str]:
        """What kind of thing it is, the title's head says where it has one."""
        if head is None:
            return evidence, Standing.STATED, ""
        if place.field.name == "description" and place.last == head.last and _is_beside(head, place):
            return Evidence.OPENING, Standing.STATED, head.words
        if place.field.name == "title" and head.covered:
            if head.several:
                tokens = place.field.tokens
                if any(words("sets").at(tokens, index, place.last) for index in range(place.first, place.last)):
                    return Evidence.HEAD, Standing.STATED, "a set"
                return evidence, Standing.KIND, "a set of several things"
            if place.last == head.last or (self._is_general(head) and head.begin <= place.first < head.last):
                return Evidence.HEAD, Standing.STATED, head.words
            if head.begin <= place.first < head.last:
                # "Polo T-shirt": another kind stands before the head, and may be the better word.
                return evidence, Standing.STATED, head.words
        if head.several and head.covered:
            return evidence, Standing.KIND, "a set of several things"
        if not head.covered or place.field.name == "title":
            return evidence, Standing.KIND, head.words
        return evidence, Standing.STATED, ""

    def _of_part(
        self, term: _Term, place: _Place, evidence: Evidence, parts: dict[int, Part]
    ) -> tuple[Evidence, Standing, str]:
        """Whose a value is by the part it stands beside."""
        name, tokens = term.attribute.name, place.field.tokens
        shared = self.labels.is_of_substances(term.attribute) or term.attribute.looks or bool(term.attribute.cues)
        owner = owner_of(place.field, place.first, place.last, parts, shared=shared)
        named = [parts[index] for index in range(place.first + 1, place.last) if index in parts]
        # "Full-length zipper" names the value, and no part that has it.
        named = [part for part in named if not self._means(name, tokens[part.first : part.last])]
        if inner := [part for part in named if name in part.owners or part.last == place.last]:
            # The term names the part itself: "synthetic upper", "steel toe cap".
            owner = next((part for part in inner if name in part.owners), inner[-1])
            following = parts.get(place.last)
            if following is not None and not following.whole and name not in following.owners:
                owner = following  # "leopard print laces"
        if owner is not None and owner.first >= place.last and name not in owner.owners:
            following = parts.get(owner.last + 1)
            if following is not None and name in following.owners and words("joins").at(tokens, owner.last):
                owner = following  # "rubber footbed and outsole"
        if owner is not None and place.asks_value and owner.first >= self._value_end_of(place):
            # "Dial: black Case: steel": it is the next label.
            owner = None
        if owner is not None and place.asks_value and owner.last <= place.piece.first:
            # "Outer: 100 % polyester": it is the label that asks.
            owner = None
        if owner is not None and owner.first > place.last and self._means(name, tokens[owner.first : owner.last]):
            # "Zip and laces": two values, and no part with what it is like.
            owner = None
        beside = place.field.quote(owner.first, owner.last) if owner else ""
        if place.asks_value:
            beside = place.label
        minds = self._minds_parts(term)
        own = owner is not None and (name in owner.owners or self.parts.is_own(name, tokens, owner.first))
        if owner is not None and not owner.whole and not own and (minds or self._is_packaging(owner, place)):
            return evidence, Standing.PART, beside
        if own and evidence in _FREE:
            # Titles are stuffed with words: what stands in one beside a part is no surer than the rest of its phrase.
            return (Evidence.PHRASE if evidence is Evidence.TITLE else Evidence.PART), Standing.STATED, beside
        if self.parts.needs_cue(name) and not own and not (place.asks_value and place.asked.attributes == {name}):
            if owner is not None and owner.whole and minds:
                return evidence, Standing.PART, beside
            if self._shared(term) or not self.parts.is_cued(name, tokens, place.first):
                return evidence, Standing.CUE, ""
            return (Evidence.CUE if evidence in _FREE else evidence), Standing.STATED, ""
        if (
            minds
            and owner is None
            and evidence is Evidence.PROSE
            and (
                self._is_said(tokens, place.first, place.last)
                or (
                    is_substance(term.attribute)
                    and is_made_of(tokens, place.first, place.last, self._substances(tokens, place.first))
                )
            )
        ):
            return Evidence.PART, Standing.STATED, ""
        for_what = term.attribute.facet == "demand" and name not in QUALITIES
        if evidence is Evidence.PROSE and for_what:
            pointed = name in _USES and is_pointed_to(tokens, place.first)
            if (pointed and self._is_goods(tokens, place.last)) or is_purpose(tokens, place.first, place.last):
                return Evidence.PURPOSE, Standing.STATED, ""
        if evidence is Evidence.PROSE and name == "style" and is_of_look(tokens, place.first, place.last):
            return Evidence.PART, Standing.STATED, beside
        by_the_way = name in _BY_THE_WAY
        if owner is not None and owner.whole and evidence is Evidence.TITLE:
            evidence = Evidence.PHRASE
        elif owner is not None and owner.whole and evidence is Evidence.PROSE:
            evidence = Evidence.PROSE if by_the_way and not self._is_next_to(place, parts) else Evidence.PART
        return evidence, Standing.STATED, beside

    def _is_goods(self, tokens: Sequence[Token], index: int) -> bool:
        """Does a word for the product, or for goods, stand there: "an everyday pair"?"""
        return index < len(tokens) and (words("goods").at(tokens, index) > 0 or self._names_it(tokens, index))

    def _names_it(self, tokens: Sequence[Token], index: int) -> bool:
        """Does a word for the product begin there, by its kind or in general?"""
        of_kind = any(term.attribute.name == self.labels.kind for term in self._terms.get(tokens[index].stem, ()))
        return of_kind or self.labels.whole.at(tokens, index) > 0

    def _substances(self, tokens: Sequence[Token], last: int) -> set[int]:
        """The tokens close before token `last` that are words for what things are made of."""
        before = range(max(0, last - _SUBSTANCES_WITHIN), last)
        return {at + n for at in before for n in range(self.substance_at(tokens, at))}

    def _is_next_to(self, place: _Place, parts: Mapping[int, Part]) -> bool:
        """Does the product or a part of it stand close by: "these classic, comfortable shoes"; not "the shoe became a
        classic of that decade"?"""
        tokens, (before, after) = place.field.tokens, _NEXT_TO
        return any(
            at in parts or self._names_it(tokens, at)
            for at in range(max(0, place.first - before), min(len(tokens), place.last + after))
            if not place.first <= at < place.last and tokens[at].sentence == tokens[place.first].sentence
        )

    def _is_packaging(self, owner: Part, place: _Place) -> bool:
        outside = not place.first <= owner.first < place.last
        return outside and words("packagings").at(place.field.tokens, owner.first) > 0

    def _is_said(self, tokens: Sequence[Token], first: int, last: int) -> bool:
        """Does a share stand before or after it, or a verb before it: "100 % cotton", "but is canvas"?"""
        clause = tokens[first].clause
        after = tokens[last : last + 2]
        if len(after) == 2 and after[1].stem == "%" and after[1].clause == clause and after[0].stem[0].isdigit():
            return True
        if first > 1 and tokens[first - 1].stem == "%" and tokens[first - 1].clause == clause:
            return True
        if first and tokens[first - 1].clause == clause and words("purely").at(tokens, first - 1, first):
            return True
        return words("being").ends(tokens, first, max(begin_of(tokens, first, clause=True), first - 2))

    def _shared(self, term: _Term) -> bool:
        """Is it a term of another attribute, too, that needs no cue?"""
        return any(
            other.stems == term.stems and not self.parts.needs_cue(other.attribute.name)
            for other in self._terms[term.stems[0]]
            if other.attribute is not term.attribute and other.attribute.kind != "open"
        )

    def _minds_parts(self, term: _Term) -> bool:
        """Is it something that parts of a product may have each their own of?"""
        attribute = term.attribute
        return (
            attribute.looks
            or bool(attribute.cues or attribute.parts)
            or (attribute.facet == "supply" and is_substance(attribute))
            or any(other.stems == term.stems and other.attribute.cues for other in self._terms[term.stems[0]])
        )

    def _class(self, place: _Place) -> Evidence:
        """The class of evidence by where it stands."""
        column = place.field.column is not None
        if place.asks_value and place.asked.near:
            return Evidence.NEAR
        if place.asks_value:
            return Evidence.COLUMN if column else Evidence.LABEL
        if column and self._is_all_of_it(place):
            return Evidence.CELL
        if column or place.piece.kind is Kind.GRID or self._is_elsewhere(place):
            return Evidence.OTHER
        if place.field.name == "title":
            return Evidence.TITLE
        begin = place.piece.label[0] if place.piece.label else place.piece.first
        short = place.piece.last - begin <= _SHORT_ITEM
        return Evidence.ITEM if place.piece.kind is Kind.ITEM and short else Evidence.PROSE

    def _is_all_of_it(self, place: _Place) -> bool:
        """Does nothing else stand in a column's cell, or under a label that says nothing, or between two commas there
        ("Features: lightweight, foldable")?"""
        tokens = place.field.tokens
        begin, end = begin_of(tokens, place.first, clause=True), end_of(tokens, place.last - 1, clause=True)
        if place.piece.label is None and place.last - place.first == len(tokens):
            return True
        plain = self._named(place.field, place.piece) in words("plain_labels")
        return plain and (place.piece.label is None or place.piece.sure) and (begin, end) == (place.first, place.last)

    def _is_elsewhere(self, place: _Place) -> bool:
        """Does it stand under a label that nobody knows? In prose, what stands before a colon is often none."""
        piece = place.piece
        short = piece.last - piece.first <= _SHORT_ITEM
        return piece.sure and place.asked.asks is Asks.UNKNOWN and (short or piece.kind is Kind.ROW)

    def _parts_beside(self, terms: Sequence[tuple[int, int, _Term]], tokens: Sequence[Token]) -> dict[int, Part]:
        """Parts, cues and words for the whole, but for those within the name of a kind ("borsa a tracolla")."""
        found = self.parts.named(tokens, measures=False)
        for first, last, term in terms:
            if term.attribute.name == self.labels.kind:
                for index in range(first, last):
                    if index in found and found[index].last - index < last - first and not found[index].whole:
                        del found[index]
        return found

    def spans(self, attribute: Attribute, value: str, document: Document) -> list[Match]:
        """Where the words of `value` stand in the document, whatever they are; the attribute's cues count."""
        found = []
        head = self.head(document)
        for name, first, last, start, end in document.find(value):
            field = document.fields[name]
            place = self._place(field, first, last)
            under = field.under(first, last)
            standing = Standing.STATED
            if under & (Scope.DENIED | Scope.ASIDE):
                standing = Standing.DENIED if under & Scope.DENIED else Standing.ASIDE
            elif (
                self.parts.needs_cue(attribute.name)
                and not place.asks_value
                and not self.parts.is_cued(attribute.name, field.tokens, first)
            ):
                standing = Standing.CUE
            evidence = self._class(place)
            if place.asks_value and attribute.name not in place.asked.attributes:
                evidence = Evidence.OTHER
            elif evidence is Evidence.TITLE and _is_beside(head, place):
                evidence = Evidence.PHRASE
            found.append(Match(value, name, start, end, evidence, standing, place.label))
        return found

    def candidate_spans(self, document: Document, *, longest: int = 5, most: int = 400) -> list[str]:
        """Spans of the source a model may choose an open value from: runs of at most `longest` tokens
        within a clause, as received, shortest first, at most `most` of them."""
        spans: dict[str, None] = {}
        for width in range(1, longest + 1):
            for field in document.fields.values():
                tokens = field.tokens
                for index in range(len(tokens) - width + 1):
                    first, last = tokens[index], tokens[index + width - 1]
                    if first.clause != last.clause or first.stem in STOP or last.stem in STOP:
                        continue
                    span = field.text[first.start : last.end]
                    if "\n" not in span:
                        spans[span] = None
                    if len(spans) >= most:
                        return list(spans)
        return list(spans)


def _places_of(brand: Phrases, field: Field) -> Iterator[tuple[int, int]]:
    """Where the brand stands in a field: written as a name, and where that is one word, in the title but once."""
    tokens = field.tokens
    if field.name == "brand":
        yield 0, len(tokens)
        return
    if brand.firsts.isdisjoint(field.words):
        return
    for index in range(len(tokens)):
        width = brand.at(tokens, index)
        if width and not field.text[tokens[index].start].islower():
            yield index, index + width
            if width == 1 and field.name == "title":
                return


def _in_other_word(field: Field, first: int, last: int) -> bool:
    """In scripts without blanks, is it part of a longer word ("白" in "漂白"), or of two with a colon between them?"""
    tokens = field.tokens
    if not is_unspaced(tokens[first].stem):
        return False
    if tokens[first].clause != tokens[last - 1].clause:
        label = field.pieces[field.piece_at(first)].label
        return label is None or label[0] != first
    return any(
        at < first or at + width > last
        for at in range(max(0, first - 2), first + 1)
        if (width := words("compounds").at(tokens, at)) and at + width >= last
    )


def _is_in_title(field: Field, first: int, last: int, title: tuple[str, ...]) -> bool:
    """Is it part of three words or more of the title, written as a name: "the Kea Max 2 Light returns"?"""
    if not field.text[field.tokens[first].start].isupper():
        return False
    named = {title[at : at + _LONG_NAME] for at in range(len(title) - _LONG_NAME + 1)}
    begins = range(max(0, last - _LONG_NAME), min(first, len(field.tokens) - _LONG_NAME) + 1)
    return any(field.stems(at, at + _LONG_NAME) in named for at in begins)


def _is_numbered(field: Field, first: int, last: int) -> bool:
    """Is it, in the title, a model's name with its number: "Studio 700"?"""
    tokens = field.tokens
    if field.name != "title" or last >= len(tokens) or not tokens[last].stem.isdigit():
        return False
    after = tokens[last + 1].stem if last + 1 < len(tokens) else ""
    counts = after in UNITS.values() or after in ("%", "x") or (after,) in words("sets")
    number = tokens[last]
    joined = (
        field.text[tokens[last - 1].end : number.start] == " " and not field.text[number.end : number.end + 1].isalpha()
    )
    return joined and not counts and field.text[tokens[first].start].isupper()


def _goes_on(tokens: Sequence[Token], listed: int, index: int) -> bool:
    """Does a list that had a member up to token `listed` go on at `index`, in the same sentence?"""
    if listed < 0 or tokens[index].sentence != tokens[listed - 1].sentence:
        return False
    joined = index - listed == 1 and (words("joins").at(tokens, listed) or words("carries_on").at(tokens, listed))
    return index == listed or bool(joined)


def _ends_a_range(field: Field, first: int) -> bool:
    """Is it a number that may be any from another one on: "2700–6500 K", "2700 to 6500 K"?"""
    tokens = field.tokens
    if first == 0 or not tokens[first].stem[0].isdigit() or tokens[first - 1].sentence != tokens[first].sentence:
        return False
    before = first - 1 - (words("ranges").at(tokens, first - 1, first) if first > 1 else 0)
    dashed = before == first - 1 and _DASHES.fullmatch(field.text[tokens[before].end : tokens[first].start])
    return tokens[before].stem[0].isdigit() and (before < first - 1 or dashed is not None)


def _is_said_partly(field: Field, first: int) -> bool:
    """Is a word glued before token `first` that says less than what follows: "medium-high waist"?"""
    return is_glued(field.text, field.tokens, first - 1) and words("partly").at(field.tokens, first - 1, first) > 0


def _means_else(first: int, last: int, term: _Term, terms: Sequence[tuple[int, int, _Term]], labels: Labels) -> bool:
    """Are a term's words part of a longer one of another attribute that means something else ("warm white" is a light,
    "rose gold" a metal)? What a kind of thing is called by may well be what it is made of ("rubber boot"), what
    something is made of gives it its looks ("sterling silver"), and names of technologies hold words that say what they
    are ("Continental rubber")."""
    for begin, end, other in terms:
        if begin > first:
            return False
        if end < last or end - begin <= last - first or other.attribute.name in (term.attribute.name, labels.kind):
            continue
        if other.attribute.kind == "open":
            continue
        gives_looks = labels.is_of_substances(other.attribute) and (
            end == last or set(stems(term.value)) <= set(stems(other.value))
        )
        if not gives_looks:
            return True
    return False


def _is_beside(head: Head | None, place: _Place) -> bool:
    """Does it stand in the phrase of that head, of a product that the category covers?"""
    return (
        head is not None and head.covered and head.field == place.field.name and head.begin <= place.first < head.last
    )


def _distance(part: Part, place: _Place) -> tuple[int, bool]:
    """How far a part is from a number; one after it counts before one as near that stands before it."""
    after = part.first >= place.last
    return (part.first - place.last if after else place.first - part.last), not after
