"""Parts of products, and what is said of which: "rubber outsole", "Sohle aus Gummi", "leather and mesh upper"."""

from collections.abc import Sequence
from dataclasses import dataclass

from reaseq.documents.document import Field
from reaseq.documents.language import Phrases, any_words, words
from reaseq.documents.scopes import CLOSING, OPENING
from reaseq.documents.surroundings import before_shares
from reaseq.documents.tokens import STOP, Token, begin_of, sentence_of
from reaseq.taxonomy.labels import is_substance
from reaseq.taxonomy.schema import CategorySchema

_SHORTEST = 4
"""Characters of a part's name that compounds may end in."""
_AFTER = 3
_BEHIND_NOUN = ("joins", "prepositions", "purposes", "relatives")
_BEFORE = 6
"""Tokens between a value and its part."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part named at tokens `first` to `last` (exclusive): of the attributes `owners`, of the `whole`, or nobody's."""

    first: int
    last: int
    owners: frozenset[str]
    whole: bool


class Parts:
    """The words for parts that a category's attributes have as cues or as their own, and those that all know."""

    def __init__(self, schema: CategorySchema, whole: Phrases) -> None:
        """whole: the words for the product itself."""
        self._whole = whole
        self._is_worn = schema.department == "fashion"
        self._cues = {attribute.name: Phrases(attribute.cues) for attribute in schema.attributes}
        self._own: dict[str, Phrases] = {}
        for attribute in schema.attributes:
            named = attribute.name.rpartition("_")[0] if is_substance(attribute) else attribute.name
            self._own[attribute.name] = Phrases([*attribute.parts, named.replace("_", " ")])
        self._closed = Phrases(c for a in schema.attributes if a.kind != "measure" for c in a.cues)
        self._all = Phrases(c for a in schema.attributes for c in a.cues)
        self._named = Phrases(stemmed=self._all.all | words("parts").all)
        others = (words("packagings"), self._whole)
        self._firsts = frozenset(self._named.firsts).union(*(one.firsts for one in others))
        alone = {part[0] for part in (*self._all.all, *words("parts").all) if len(part) == 1}
        self.endings = tuple(sorted(part for part in alone if len(part) >= _SHORTEST))
        """Stems that compounds may end in ("Gummisohle")."""

    def named(self, tokens: Sequence[Token], *, measures: bool = True) -> dict[int, Part]:
        """Every part, cue and word for the whole, by its first token. measures: cues of measures, too."""
        cues = self._all if measures else self._closed
        found: dict[int, Part] = {}
        for index, token in enumerate(tokens):
            if token.stem not in self._firsts:
                continue
            cue = cues.at(tokens, index)
            whole = self._whole.at(tokens, index)
            width = max(cue, whole, words("parts").at(tokens, index), words("packagings").at(tokens, index))
            if not width or (not cue and not whole and self._is_of_people(tokens, index)):
                continue
            owners: frozenset[str] = frozenset()
            if cue == width:
                phrase = tuple(token.stem for token in tokens[index : index + width])
                owners = frozenset(name for name, own in self._cues.items() if phrase in own)
            found[index] = Part(index, index + width, owners, whole == width)
        return found

    def _is_of_people(self, tokens: Sequence[Token], index: int) -> bool:
        """Is it no part of the product, but of who wears it: "your heel", "the foot" of shoes?"""
        whose = index > 0 and words("possessives").at(tokens, index - 1, index) > 0
        return whose or (self._is_worn and words("feet").at(tokens, index) > 0)

    def at(self, tokens: Sequence[Token], index: int) -> int:
        """How many tokens the words for a part have that begin at `index`; 0 if none do."""
        return self._named.at(tokens, index)

    def is_own(self, name: str, tokens: Sequence[Token], index: int) -> bool:
        """Is it one of the attribute's own parts, or a compound of one ("Gummisohle" of Sohle, but no "insole")?"""
        own, stem = self._own[name], tokens[index].stem
        if words("parts").at(tokens, index):
            return own.at(tokens, index) > 0
        return own.at(tokens, index) > 0 or any(
            len(part) == 1 and len(part[0]) >= _SHORTEST and stem.endswith(part[0]) for part in own.all
        )

    def needs_cue(self, name: str) -> bool:
        """False for an attribute that the schema does not have, as one that somebody decided on may be."""
        return name in self._cues and bool(self._cues[name].all)

    def is_cued(self, name: str, tokens: Sequence[Token], index: int) -> bool:
        """Does a cue of the attribute stand in the sentence of token `index`, if it needs one?"""
        return not self._cues[name].all or bool(self.cues_beside(name, tokens, index))

    def cues_beside(self, name: str, tokens: Sequence[Token], index: int) -> list[int]:
        """The tokens at which cues of the attribute begin in the sentence of token `index`."""
        cues = self._cues[name]
        begins = cues.firsts
        return [at for at in sentence_of(tokens, index) if tokens[at].stem in begins and cues.at(tokens, at)]


def owner_of(field: Field, first: int, last: int, parts: dict[int, Part], *, shared: bool = True) -> Part | None:
    """The part that a value at tokens `first` to `last` (exclusive) stands beside: the first one close after it
    ("rubber lug outsole"), or one before it with nothing or a linking word between. shared: may an "and" stand between
    them, as in "leather and mesh upper", but not in "zip and hood"?"""
    tokens = field.tokens
    after = _in_brackets(field, last, parts) or _behind_brackets(field, first, last, parts)
    if after is None and not (first and words("ties_back").at(tokens, first - 1, first) and last not in parts):
        after = _part_after(tokens, last, parts, shared=shared)
    before, linked = _part_before(tokens, first, parts, beyond_words=after is None)
    if after is None or before is None:
        return after or before
    # "Sole rubber upper leather": where a clause begins with a part, each part stands before its value.
    begins = before.first == 0 or tokens[before.first - 1].clause != tokens[first].clause
    return before if begins and not linked and after.first == last else after


def _in_brackets(field: Field, last: int, parts: dict[int, Part]) -> Part | None:
    """The part in the brackets after token `last - 1`: "Rubber (sole)"."""
    part, tokens = parts.get(last), field.tokens
    if part is None or field.text[tokens[last - 1].end : tokens[last].start].strip() not in OPENING:
        return None
    ends = part.last == len(tokens) or tokens[part.last].clause != tokens[last].clause
    return part if ends and not part.whole else None


def _behind_brackets(field: Field, first: int, last: int, parts: dict[int, Part]) -> Part | None:
    """The part behind brackets that hold but the value and its share: "Suede-look (100% polyester) cuff"."""
    part, tokens = parts.get(last), field.tokens
    if part is None or field.text[tokens[last - 1].end : tokens[last].start].strip() not in CLOSING:
        return None
    begin = begin_of(tokens, first, clause=True)
    shared = all(tokens[at].stem == "%" or tokens[at].stem[0].isdigit() for at in range(begin, first))
    opens = begin > 0 and field.text[tokens[begin - 1].end : tokens[begin].start].strip() in OPENING
    return part if shared and opens and tokens[part.first].sentence == tokens[first].sentence else None


def _part_after(tokens: Sequence[Token], last: int, parts: dict[int, Part], *, shared: bool) -> Part | None:
    clause, index, steps, located = tokens[last - 1].clause, last, 0, False
    while index < len(tokens) and tokens[index].clause == clause and steps <= _AFTER and index - last <= 2 * _AFTER:
        if index in parts and not (located and parts[index].whole):
            return _last_of(tokens, parts, parts[index])
        if words("located").at(tokens, index) and index == last:
            located = True
        elif not (shared and words("joins").at(tokens, index)) and not located:
            if tokens[index].stem in STOP or any_words("links", "joins").at(tokens, index):
                return None
            steps += 1
        index += 1
    return None


def _last_of(tokens: Sequence[Token], parts: dict[int, Part], part: Part) -> Part:
    """What a compound names: of "rubber outsole inserts" inserts, if they are nobody's. A word with more behind it than
    a noun ends before may be a verb ("the rubber outsole grips wet tarmac")."""
    other, last = parts.get(part.last), tokens[part.last - 1]
    bare = last.end - last.start == len(last.stem)  # "Rubber soles finish the look"
    if other is None or not bare or tokens[other.first].clause != last.clause or other.owners or other.whole:
        return part
    if tokens[other.first].stem.endswith("ed"):
        return part  # "a textile upper trimmed with suede"
    ends = other.last == len(tokens) or tokens[other.last].clause != last.clause
    return other if ends or any_words(*_BEHIND_NOUN).at(tokens, other.last) else part


def _part_before(
    tokens: Sequence[Token], first: int, parts: dict[int, Part], *, beyond_words: bool
) -> tuple[Part | None, bool]:
    """The part before token `first`, and whether a word links it."""
    beside = before_shares(tokens, first)
    clause, linked = tokens[beside if beside < first - 1 else first].clause, False
    for index in range(beside, max(-1, beside - _BEFORE), -1):
        if tokens[index].clause != clause:
            # "built of soft, breathable mesh": a comma between what describes it.
            if tokens[index].sentence != tokens[first].sentence or index == beside or linked:
                break
            clause = tokens[index].clause
        for begin in range(index, max(-1, index - 4), -1):
            if begin in parts and parts[begin].last == index + 1:
                return (parts[begin] if linked or index == beside else None), linked
        if words("links").at(tokens, index):
            linked = True
        elif not beyond_words or (index < beside and _begins_anew(tokens, index, linked)):
            break
    return None, linked


def _begins_anew(tokens: Sequence[Token], index: int, linked: bool) -> bool:
    """ "A fixed hood and a full-length zip": does another thing begin after token `index`? linked: to the part that may
    stand before it."""
    another = not linked or words("articles").at(tokens, index + 1) > 0
    return another and words("joins").at(tokens, index) > 0
