"""What a text says in its own words beyond the values of a schema: "ribbed bomber collar", "built for fast-paced play".

A phrase is read by its form. A noun that is known (a part, a substance, one that the attribute lists) counts with what
describes it before it, up to a word that no noun goes on over. A purpose or an origin is what stands behind words that
the attribute lists ("inspired by"), to the end of its clause; of languages whose adjectives stand behind their nouns,
or that are written without blanks, only those are read.
"""

import re
from collections.abc import Container, Iterator, Sequence

from reaseq.documents.document import Field, Kind
from reaseq.documents.language import Phrases, words
from reaseq.documents.scopes import Scope
from reaseq.documents.surroundings import PARTING, is_aside_above, is_denied_above
from reaseq.documents.tokens import STOP, Token, begin_of, end_of, is_unspaced
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.said_of import NOUN_FIRST
from reaseq.taxonomy.schema import Attribute

_LONGEST = 5
"""Tokens of a noun with what describes it."""
_LONGEST_BEHIND = 9
"""Tokens of a purpose or an origin."""
_COMPOUNDING = ("de", "nl", "sv", "da", "no")
_NO_NOUN = (*PARTING, "articles", "possessives", "pointing", "pronouns", "adverbs", "copulas", "containing",
            "relatives", "turns", "whereas", "denies_next", "verbs", "determiners", "used_from", "used_to")  # fmt: skip
"""Kinds of words that no noun goes on over."""
_OF_OTHERS = ("packagings", "bearers", "goods", "feet")
"""Kinds of nouns that are no part of the product."""
_BEFORE_DOING = ("by", "for", "of", "while", "when")
_MOST_JOINED = 2
"""Words that describe a noun before an "and" or a comma between them and others."""
_DASH = re.compile(r"\s[-–—]|[-–—]\s")
_TURNS = ("relatives", "turns", "whereas")

Range = tuple[int, int]
"""Tokens, the last exclusive."""


def phrases(attribute: Attribute, field: Field, lexicon: Lexicon, language: str) -> Iterator[Range]:
    """Where a field says something of the product in phrases of that attribute (of the kind *phrase*)."""
    found = _behind(attribute, field) if attribute.facet == "demand" else _nouns(attribute, field, lexicon, language)
    for first, last in found:
        piece = field.pieces[field.piece_at(first)]
        if not (piece.kind is Kind.GRID or piece.sure or is_denied_above(field, piece) or is_aside_above(field, piece)):
            yield first, last


def _nouns(attribute: Attribute, field: Field, lexicon: Lexicon, language: str) -> Iterator[Range]:
    if language in NOUN_FIRST:
        return
    tokens, listed, at, done = field.tokens, Phrases(attribute.around), 0, 0
    nouns = set(_nouns_in(field, lexicon, listed, language))
    while at < len(tokens):
        end = at
        while (end == at or _goes_on(field, end)) and (width := _noun(tokens, end, lexicon, listed, language)):
            end += width  # "mesh panels"
        if end > at and not (at and _is_glued(field, at - 1)):
            first, last = _begin(field, at, max(done, end - _LONGEST), nouns), _end(field, end)
            if last - first > 1 and not _orders(field, first, last) and not _is_swayed(field, first, last):
                yield first, last
                done = last
        at = max(at + 1, end)


def _nouns_in(field: Field, lexicon: Lexicon, listed: Phrases, language: str) -> Iterator[int]:
    """Tokens that are nouns, and describe nothing behind an "and" or a comma."""
    tokens = field.tokens
    for at in range(len(tokens)):
        written = language == "de" and at and _is_joined(field, at) and field.text[tokens[at].start].isupper()
        product = words("goods", language or None).at(tokens, at) or lexicon.labels.whole.at(tokens, at)
        if written or product or _noun(tokens, at, lexicon, listed, language):
            yield at


def _noun(tokens: Sequence[Token], at: int, lexicon: Lexicon, listed: Phrases, language: str) -> int:
    """How many tokens the noun has that begins there; 0 if none does."""
    stem = tokens[at].stem
    if is_unspaced(stem) or any(words(kind, language or None).at(tokens, at) for kind in _OF_OTHERS):
        return 0
    width = max(lexicon.parts.at(tokens, at), lexicon.substance_at(tokens, at), listed.at(tokens, at))
    if width or language not in _COMPOUNDING:
        return width
    return int(stem.endswith(lexicon.parts.endings))


def _goes_on(field: Field, at: int) -> bool:
    """May a noun that ends before token `at` go on there? "Translucent details fit in" names no fit."""
    return at < len(field.tokens) and _is_joined(field, at) and not _is_inflected(field, at - 1)


def _is_glued(field: Field, at: int) -> bool:
    """Does a hyphen join token `at` to the next?"""
    tokens = field.tokens
    return at + 1 < len(tokens) and field.text[tokens[at].end : tokens[at + 1].start] in ("-", "‐", "‑")


def _is_joined(field: Field, at: int) -> bool:
    """Does token `at` stand in the clause of the one before it, and no dash between them?"""
    tokens = field.tokens
    joined = at > 0 and tokens[at].clause == tokens[at - 1].clause
    return joined and not _DASH.search(field.text, tokens[at - 1].end, tokens[at].start)


def _is_small(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].stem in STOP or any(words(kind).at(tokens, at, at + 1) for kind in _NO_NOUN)


def _is_inflected(field: Field, at: int) -> bool:
    """Is it a word in -s, and not joined to the next: a verb or a plural?"""
    token = field.tokens[at]
    said = field.text[token.start : token.end].casefold()
    return said != token.stem and not _is_glued(field, at) and not said.endswith(("'s", "’s", "s'", "s’"))


def _end(field: Field, end: int) -> int:
    """Where a noun that the words to token `end` (exclusive) name ends; 0 if they are but part of a compound."""
    tokens = field.tokens
    if end == len(tokens) or not _is_joined(field, end):
        return end
    if _is_glued(field, end - 1):
        return 0
    if _is_small(tokens, end) or _is_inflected(field, end - 1):
        return end
    if not _is_inflected(field, end):
        return 0
    after = end + 1
    ends = after == len(tokens) or not _is_joined(field, after) or words("joins").at(tokens, after) > 0
    # "design lines of the original" are lines; "the upper wraps your foot" is an upper
    return after if ends or tokens[after].stem == "of" else end


def _begin(field: Field, head: int, least: int, nouns: Container[int]) -> int:
    """Where what describes the noun at token `head` begins: with "wet" of "wet and dry traction pattern"."""
    tokens, at = field.tokens, _described_from(field, head, least, nouns)
    if at in (head, least):
        return at
    before = at - 1
    if words("joins").at(tokens, before, at):
        before -= 1
    elif _is_joined(field, at) or tokens[before].sentence != tokens[at].sentence:
        return at
    if before < least or before in nouns or not _describes(field, before):
        return at
    first = _described_from(field, before, max(least, before - _MOST_JOINED), nouns)
    bounded = first > 0 and _is_joined(field, first) and _is_small(tokens, first - 1)
    return first if before - first < _MOST_JOINED and bounded else at


def _described_from(field: Field, head: int, least: int, nouns: Container[int]) -> int:
    """Where the words that may describe what begins at token `head` begin."""
    tokens, at = field.tokens, head
    while at > least and _is_joined(field, at) and _describes(field, at - 1):
        at -= 1
    if 0 < at < head and tokens[at].stem.endswith("ing") and tokens[at - 1].stem in _BEFORE_DOING:
        return at + 1  # "by buying cotton"
    if 0 < at < head and at - 1 in nouns and _is_joined(field, at):
        return at + 1  # "these shoes meld styles"
    return at


def _describes(field: Field, at: int) -> bool:
    """May token `at` describe a noun behind it?"""
    glued = _is_glued(field, at) or (at > 0 and _is_glued(field, at - 1))
    return (glued or not _is_small(field.tokens, at)) and not _is_inflected(field, at)


def _orders(field: Field, first: int, end: int) -> bool:
    """May the first word of a sentence be an order: "add classic details to your look"?"""
    tokens = field.tokens
    begins = first == begin_of(tokens, first, clause=False)
    if not begins or field.pieces[field.piece_at(first)].kind is Kind.ITEM:
        return False
    return end < end_of(tokens, first, clause=True) and tokens[end].stem in STOP


def _is_swayed(field: Field, first: int, last: int) -> bool:
    """Is it denied, or said of something else? A thing may well have the look of another."""
    return any(field.under(at, at + 1) & ~(Scope.LIKENESS | Scope.LIKENESS_AFTER) for at in range(first, last))


def _behind(attribute: Attribute, field: Field) -> Iterator[Range]:
    tokens, listed, at = field.tokens, Phrases(attribute.around), 0
    while at < len(tokens):
        first = at + listed.at(tokens, at)
        while at < first < len(tokens) and words("articles").at(tokens, first, first + 1):
            first += 1
        last = _list_end(field, at, first) if at < first < len(tokens) else at
        if 0 < last - first <= _LONGEST_BEHIND:
            begin = begin_of(tokens, at, clause=False)
            if listed.at(tokens, at) > 1:
                if not _is_swayed(field, at, at + 1):
                    yield first, last
            elif not _is_all_of_it(field, first, last):
                pass
            elif at == begin and not _is_swayed(field, first, last):
                yield first, last  # "For city walking in hot weather."
            elif begin < at == begin + words("denies_next").at(tokens, begin, at):
                yield begin, last  # "Not for wet areas."
        at = max(last, at + 1)


def _is_all_of_it(field: Field, first: int, last: int) -> bool:
    """Does the sentence end with what stands there, and does that begin with more than a small word?"""
    tokens = field.tokens
    return (last == len(tokens) or tokens[last].sentence != tokens[first].sentence) and not _is_small(tokens, first)


def _list_end(field: Field, begin: int, first: int) -> int:
    """Where the clause of token `begin` ends, with the members of a list that it opens ("firm ground, artificial grass
    and hard"), before what is said of all of it."""
    tokens, end = field.tokens, end_of(field.tokens, begin, clause=True)
    while end < len(tokens) and tokens[end].sentence == tokens[begin].sentence and not _is_small(tokens, end):
        more = end_of(tokens, end, clause=True)
        if more - first > _LONGEST_BEHIND:
            break
        end = more
    for at in range(first + 1, end):
        if _DASH.search(field.text, tokens[at - 1].end, tokens[at].start) or any(
            words(kind).at(tokens, at, at + 1) for kind in _TURNS
        ):
            return at
    return end
