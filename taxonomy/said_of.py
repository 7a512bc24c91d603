"""What a text says a quality of: of "lightweight" in "a lightweight EVA midsole" that midsole."""

from bisect import bisect_left
from dataclasses import replace

from reaseq.documents.document import Document
from reaseq.documents.language import words
from reaseq.documents.surroundings import PARTING
from reaseq.documents.tokens import STOP
from reaseq.taxonomy.evidence import Evidence, Match
from reaseq.taxonomy.lexicon import Lexicon

_WITHIN = 4
"""Tokens from a quality to what it is said of."""
_LONGEST_PART = 3
"""Tokens."""


def with_noun(match: Match, document: Document, lexicon: Lexicon) -> Match:
    """The match of a quality in a sentence, with the part, the substance or the look that it is said of: "lightweight
    EVA midsole", "suela ligera". As it is where none stands beside it."""
    if match.evidence not in (Evidence.PROSE, Evidence.PART):
        return match
    field = document.fields[match.field]
    tokens = field.tokens
    first = bisect_left(tokens, match.start, key=lambda token: token.start)
    last = bisect_left(tokens, match.end, key=lambda token: token.start)
    # "Cushioning" is a noun itself, and "cushioning adds comfort" no comfort that is cushioned.
    until = min(len(tokens), last + (1 if lexicon.is_noun(tokens[last - 1].stem) else _WITHIN))
    at, end = last, match.end
    while at < until and tokens[at].clause == tokens[at - 1].clause:
        stem = tokens[at].stem
        if stem in STOP or any(words(kind).at(tokens, at) for kind in PARTING):
            break
        whole = lexicon.labels.whole.at(tokens, at)
        width = max(lexicon.parts.at(tokens, at), whole)
        inflected = field.text[tokens[at].start : tokens[at].end].casefold() != stem  # "it feels"
        looks = words("styled").at(tokens, at) or (words("looks").at(tokens, at) and not inflected)
        if width or looks or lexicon.is_noun(stem):
            end = tokens[at + max(width, 1) - 1].end
        if whole:
            break
        at += max(width, 1)
    if end > match.end:
        return replace(match, end=end)
    for begin in range(max(0, first - _LONGEST_PART), first):
        if tokens[begin].clause == tokens[first].clause and lexicon.parts.at(tokens, begin) == first - begin:
            return replace(match, start=tokens[begin].start)
    return match
