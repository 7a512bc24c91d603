"""What a text says a value of: of "lightweight" in "a lightweight EVA midsole" that midsole, of EVA as well."""

from bisect import bisect_left
from collections.abc import Sequence

from reaseq.documents.document import Document, Field
from reaseq.documents.language import any_words, words
from reaseq.documents.surroundings import PARTING
from reaseq.documents.tokens import STOP, Token, begin_of, end_of, is_inflected, stems
from reaseq.taxonomy.evidence import Evidence, Match
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import Attribute

_WITHIN = 4
"""Tokens from a value to what it is said of."""
_LONGEST_PART = 3
"""Tokens."""
_LONGEST_NOUN = 2
"""Tokens of a noun that nobody knows ("durable traction")."""
NOUN_FIRST = ("fr", "es", "it", "pt")
"""Languages whose adjectives stand behind their nouns."""
_BEFORE_ADJECTIVES = ("articles", "purposes", "company", "joins", "verbs")


def with_noun(match: Match, document: Document, lexicon: Lexicon) -> Match:
    """The match of a quality in a sentence, with the part, the substance or the look that it is said of ("lightweight
    EVA midsole", "suela ligera"), or else the noun that it describes ("durable traction"). As it is where none stands
    beside it."""
    if match.evidence not in (Evidence.PROSE, Evidence.PART):
        return match
    field = document.fields[match.field]
    tokens, (first, last) = field.tokens, tokens_of(match, field)
    # "Cushioning" is a noun itself, and "cushioning adds comfort" no comfort that is cushioned.
    noun = lexicon.is_noun(tokens[last - 1].stem)
    until = min(len(tokens), last + (1 if noun else _WITHIN))
    at, end = last, match.end
    ends_in_part = any(lexicon.parts.at(tokens, one) == last - one for one in range(first, last))
    if not noun and not ends_in_part and _lists_on(field, last):
        at += 1  # "lightweight, responsive cushioning", not "cushioned insole, flexible sole"
    while at < until and tokens[at].clause == tokens[at - 1].clause:
        stem = tokens[at].stem
        if _parts(tokens, at):
            break
        whole = lexicon.labels.whole.at(tokens, at)
        width = max(lexicon.parts.at(tokens, at), whole, lexicon.substance_at(tokens, at))
        looks = words("styled").at(tokens, at) or (
            words("looks").at(tokens, at) and not is_inflected(field.text, tokens[at])
        )
        if width or looks or lexicon.is_noun(stem):
            end = tokens[at + max(width, 1) - 1].end
        if whole:
            break
        at += max(width, 1)
    if end > match.end:
        return match._replace(end=end)
    # "The posts are nickel-free"
    until = first - 1 if first and words("copulas").at(tokens, first - 1, first) else first
    for begin in range(max(0, until - _LONGEST_PART), until):
        if tokens[begin].clause == tokens[first].clause and lexicon.parts.at(tokens, begin) == until - begin:
            return match._replace(start=tokens[begin].start)
    return match if noun else _with_unknown_noun(match, field, first, last, document.language, lexicon)


def _lists_on(field: Field, last: int) -> bool:
    """Does a comma stand before token `last`, and behind it a word that may describe the same noun?"""
    tokens = field.tokens
    if last + 1 >= len(tokens) or tokens[last + 1].clause != tokens[last].clause or _parts(tokens, last):
        return False
    parted = tokens[last].clause != tokens[last - 1].clause and tokens[last].sentence == tokens[last - 1].sentence
    return parted and field.text[tokens[last - 1].end : tokens[last].start].strip() == ","


def with_shade(match: Match, document: Document) -> Match:
    """The match of a colour with the word for its shade before it: "dark brown", "neon yellow"."""
    field = document.fields[match.field]
    first, _ = tokens_of(match, field)
    shaded = first and field.tokens[first - 1].clause == field.tokens[first].clause
    if shaded and words("shades").at(field.tokens, first - 1, first):
        return match._replace(start=field.tokens[first - 1].start)
    return match


def with_part(match: Match, document: Document, lexicon: Lexicon, attribute: Attribute) -> Match:
    """The match of a substance with the part beside it that it is said of, if that is not what the attribute is called
    by: "EVA midsole" of what a sole is made of, but "leather" of a leather upper."""
    part = stems(match.beside)
    if match.evidence is not Evidence.PART or not part or set(part) <= set(stems(attribute.name.replace("_", " "))):
        return match
    field = document.fields[match.field]
    tokens, (first, last) = field.tokens, tokens_of(match, field)
    begin = max(begin_of(tokens, first, clause=True), first - _WITHIN)
    end = min(end_of(tokens, last - 1, clause=True), last + _WITHIN)
    for at in range(begin, end - len(part) + 1):
        outside = at + len(part) <= first or at >= last
        # "Midsole with less foam" has foam, and is none.
        parted = any(words("company").at(tokens, one, one + 1) for one in range(at, first))
        if (
            outside
            and not parted
            and field.stems(at, at + len(part)) == part
            and lexicon.parts.at(tokens, at) == len(part)
        ):
            start, stop = tokens[at].start, tokens[at + len(part) - 1].end
            return match._replace(start=min(match.start, start), end=max(match.end, stop))
    return match


def tokens_of(match: Match, field: Field) -> tuple[int, int]:
    """The tokens of a match; the last exclusive."""
    return (
        bisect_left(field.tokens, match.start, key=lambda token: token.start),
        bisect_left(field.tokens, match.end, key=lambda token: token.start),
    )


def goes_on(match: Match, document: Document) -> bool:
    """Does a word follow that the match may describe: "leather" in "a leather cage"?"""
    field = document.fields[match.field]
    _, last = tokens_of(match, field)
    joined = last < len(field.tokens) and field.tokens[last].clause == field.tokens[last - 1].clause
    return joined and not _parts(field.tokens, last)


def _parts(tokens: Sequence[Token], at: int) -> bool:
    """Does a word stand there that no noun goes on over?"""
    return tokens[at].stem in STOP or any_words(*PARTING, "adverbs").at(tokens, at) > 0


def _with_unknown_noun(match: Match, field: Field, first: int, last: int, language: str, lexicon: Lexicon) -> Match:
    tokens = field.tokens
    begin, end = begin_of(tokens, first, clause=True), end_of(tokens, last - 1, clause=True)
    if language in NOUN_FIRST:
        at = first - 1
        known = at >= begin and not _parts(tokens, at) and not words("articles").at(tokens, at, first)
        return match._replace(start=tokens[at].start) if known else match
    described = first == begin or any_words(*_BEFORE_ADJECTIVES).at(tokens, first - 1, first)
    at = last
    while at < end and not _parts(tokens, at) and not words("articles").at(tokens, at):
        at += 1
    if described and 0 < at - last <= _LONGEST_NOUN:
        verb = at - last > 1 and is_inflected(field.text, tokens[at - 1])  # "moisture-wicking AEROREADY keeps"
        at -= verb
        if not any(lexicon.is_look(token.stem) for token in tokens[last:at]):
            return match._replace(end=tokens[at - 1].end)
    return match
