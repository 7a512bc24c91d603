"""A category's lexicon: where the source text states a value, by words alone.

It grounds what a model said and gives a second opinion where the model said nothing. Rules, in the
order they are applied to each attribute:

1. The longest term wins ("faux leather" is one term, so no "leather" is found inside it).
2. A negated term is found, and marked ("not waterproof", "leather-free", "ohne Futter", "防水ではない").
3. A term that several attributes share belongs to the one whose cue stands beside it ("rubber
   outsole"), else to those that need no cue.
4. An attribute with cues needs one of them in the sentence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reaseq.taxonomy.orders import orders
from reaseq.taxonomy.schema import Attribute, CategorySchema
from reaseq.taxonomy.text import UNITS, Token, find, stems, tokenize
from reaseq.taxonomy.units import same

Sources = Mapping[str, str]
"""Field name to text as received."""

_NEGATORS_BEFORE = frozenset(
    {"not", "no", "non", "never", "without", "cannot", "isnt", "arent", "dont", "doesnt"}
    | {"nicht", "kein", "keine", "keinen", "keiner", "ohne", "sans", "pas", "sin", "senza"}
    | {"不", "非", "无", "無", "未", "没"}
)
_NOT_NEGATING_NEXT = frozenset({"only", "just", "merely", "nur", "仅", "只"})
_NEGATORS_AFTER = frozenset({"free", "frei", "less"})
_NEGATED_ENDINGS = tuple(stems(ending) for ending in ("ではない", "ではありません", "じゃない", "なし", "不使用"))
_STOP = frozenset(
    {"a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "for", "with", "from", "by", "is", "are", "was"}
    | {"be", "it", "its", "this", "that", "these", "those", "your", "you", "our", "und", "der", "die", "das", "für"}
)
_NEGATION_REACH = 3
_LINKS = frozenset({"is", "are", "made", "of", "from", "in", "aus", "von", "de", "en"})
_CUE_AFTER = 3
_CUE_BEFORE = 4


@dataclass(frozen=True, slots=True)
class Match:
    """A value found in `field` at `start:end` (characters of the field as received)."""

    value: str
    field: str
    start: int
    end: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class _Term:
    attribute: Attribute
    value: str
    stems: tuple[str, ...]


class Text:
    """The source fields of one product, tokenised once. Sentences that give orders hold no evidence."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.tokens: dict[str, list[Token]] = {field: _statements(text) for field, text in sources.items() if text}

    def quote(self, match: Match) -> str:
        return self.sources[match.field][match.start : match.end]

    def sentences(self, places: Sequence[tuple[str, int, int]]) -> dict[str, str]:
        """Of each field, the sentences in which one of the places (field, start, end) stands, in the text's order."""
        said: dict[str, str] = {}
        for field, tokens in self.tokens.items():
            spans = [(start, end) for name, start, end in places if name == field]
            wanted = {t.sentence for t in tokens if any(start < t.end and t.start < end for start, end in spans)}
            groups = [list(group) for _, group in groupby(tokens, key=lambda token: token.sentence)]
            parts = [
                self.sources[field][group[0].start : group[-1].end] for group in groups if group[0].sentence in wanted
            ]
            if parts:
                said[field] = ". ".join(parts) + "."
        return said

    def find(self, words: str) -> list[Match]:
        """Where `words` stand, one after the other, within a sentence."""
        return [match for match, _ in self.places(words)]

    def places(self, words: str) -> Iterator[tuple[Match, int]]:
        """Matches, each with the index of its first token."""
        needle = stems(words)
        for field, tokens in self.tokens.items():
            for first, last in find(needle, tokens):
                negated = _negated(tokens, first, last)
                yield Match(words, field, tokens[first].start, tokens[last - 1].end, negated), first


class Lexicon:
    """The terms and cues of one category schema, indexed by their first stem."""

    def __init__(self, schema: CategorySchema) -> None:
        self.schema = schema
        self._terms: dict[str, list[_Term]] = {}
        self._cues: dict[str, list[tuple[str, ...]]] = {}
        self._owners: dict[tuple[str, ...], list[Attribute]] = {}
        for attribute in schema.attributes:
            self._cues[attribute.name] = [cue for term in attribute.cues if (cue := stems(term))]
            for value, synonyms in attribute.values.items():
                for term in dict.fromkeys(stems(term) for term in (value, *synonyms)):
                    if term:
                        self._terms.setdefault(term[0], []).append(_Term(attribute, value, term))
                        self._owners.setdefault(term, []).append(attribute)
        for terms in self._terms.values():
            terms.sort(key=lambda term: -len(term.stems))

    def find(self, text: Text) -> dict[str, list[Match]]:
        """For each closed attribute, where its values stand in `text`: title before description."""
        found: dict[str, list[Match]] = {}
        for field, tokens in text.tokens.items():
            claimed_until: dict[str, int] = {}
            for index, token in enumerate(tokens):
                for term in self._terms.get(token.stem, ()):
                    name = term.attribute.name
                    last = index + len(term.stems)
                    if (
                        index < claimed_until.get(name, 0)
                        or last > len(tokens)
                        or tokens[last - 1].sentence != token.sentence
                        or any(tokens[index + i].stem != stem for i, stem in enumerate(term.stems))
                    ):
                        continue
                    claimed_until[name] = last
                    if self._belongs(term, tokens, index, last):
                        found.setdefault(name, []).append(
                            Match(term.value, field, token.start, tokens[last - 1].end, _negated(tokens, index, last))
                        )
        return found

    def spans(self, attribute: Attribute, value: str, text: Text) -> list[Match]:
        """Where the words of `value` stand in `text`, whatever they are; the attribute's cues count."""
        return [match for match, first in text.places(value) if self._cued(attribute, text.tokens[match.field], first)]

    def measures(self, attribute: Attribute, text: Text) -> list[Match]:
        """Numbers with one of the attribute's units, in a clause that holds one of its cues, or else a sentence.

        A measure that is there in two units ("7 cm (2.75 in)") counts once.
        """
        units = {UNITS.get(unit, unit) for term in attribute.units for unit in stems(term)}
        by_clause, by_sentence = [], []
        for field, tokens in text.tokens.items():
            for index in range(len(tokens) - 1):
                number, unit = tokens[index], tokens[index + 1]
                if number.stem[0].isdigit() and unit.stem in units:
                    match = Match(f"{number.stem} {unit.stem}", field, number.start, unit.end)
                    if self._cued(attribute, [token for token in tokens if token.clause == number.clause], None):
                        by_clause.append(match)
                    elif self._cued(attribute, tokens, index):
                        by_sentence.append(match)
        found: list[Match] = []
        for match in by_clause or by_sentence:
            if not any(
                match.value != other.value and same(match.value, other.value, attribute.units) for other in found
            ):
                found.append(match)
        return found

    def candidate_spans(self, text: Text, *, longest: int = 5, most: int = 400) -> list[str]:
        """Spans of the source a model may choose an open value from: runs of at most `longest` tokens
        within a clause, as received, shortest first, at most `most` of them."""
        spans: dict[str, None] = {}
        for width in range(1, longest + 1):
            for field, tokens in text.tokens.items():
                for index in range(len(tokens) - width + 1):
                    first, last = tokens[index], tokens[index + width - 1]
                    if first.clause != last.clause or first.stem in _STOP or last.stem in _STOP:
                        continue
                    span = text.sources[field][first.start : last.end]
                    if "\n" not in span:
                        spans[span] = None
                    if len(spans) >= most:
                        return list(spans)
        return list(spans)

    def _cued(self, attribute: Attribute, tokens: Sequence[Token], index: int | None) -> bool:
        """Does a cue stand in the sentence of token `index` (anywhere in `tokens` if None)?"""
        cues = self._cues[attribute.name]
        if not cues:
            return True
        if index is not None:
            tokens = [token for token in tokens if token.sentence == tokens[index].sentence]
        return any(next(find(cue, tokens), None) is not None for cue in cues)

    def _belongs(self, term: _Term, tokens: Sequence[Token], first: int, last: int) -> bool:
        rivals = self._owners[term.stems]
        if len(rivals) > 1 and any(self._cues[rival.name] for rival in rivals):
            beside = {
                rival.name: distance
                for rival in rivals
                if (distance := self._cue_beside(rival, tokens, first, last)) is not None
            }
            if beside:
                return beside.get(term.attribute.name) == min(beside.values())
            if any(not self._cues[rival.name] for rival in rivals):
                return not self._cues[term.attribute.name]
        return self._cued(term.attribute, tokens, first)

    def _cue_beside(self, attribute: Attribute, tokens: Sequence[Token], first: int, last: int) -> int | None:
        """How many tokens away a cue stands that makes the term its own: close after it ("rubber
        outsole"), or before it with a linking word between ("outsole made of rubber"); else None."""
        nearest: int | None = None
        for cue in self._cues[attribute.name]:
            for start, end in find(cue, tokens):
                if tokens[start].clause != tokens[first].clause:
                    continue
                if start >= last:
                    distance = start - last
                    if distance >= _CUE_AFTER:
                        continue
                else:
                    distance = first - end
                    if not 0 <= distance <= _CUE_BEFORE:
                        continue
                    if distance and not any(token.stem in _LINKS for token in tokens[end:first]):
                        continue
                nearest = distance if nearest is None else min(nearest, distance)
        return nearest


def _statements(text: str) -> list[Token]:
    tokens = tokenize(text)
    for start, end in orders(text):
        tokens = [token for token in tokens if not start <= token.start < end]
    return tokens


def _negated(tokens: Sequence[Token], first: int, last: int) -> bool:
    clause = tokens[first].clause
    for index in range(max(0, first - _NEGATION_REACH), first):
        token = tokens[index]
        if token.clause == clause and token.stem in _NEGATORS_BEFORE:
            return tokens[index + 1].stem not in _NOT_NEGATING_NEXT
    if last < len(tokens) and tokens[last].clause == clause:
        following = tuple(token.stem for token in tokens[last : last + 8])
        if following[0] in _NEGATORS_AFTER or any(
            following[offset : offset + len(ending)] == ending for ending in _NEGATED_ENDINGS for offset in range(2)
        ):
            return True
    return False
