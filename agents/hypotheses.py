"""Hypotheses about the buyer: whether the words given as the reason of one may suggest it.

Small models give any words as their reason: "almond toe" for arch support, "suede" for breathability, "super
comfortable" for a sporty style. What is understood as something else - a material, a part, the kind of thing, another
need - suggests that, and seldom anything more.
"""

from collections.abc import Iterable

from reaseq.documents.document import Document, Place
from reaseq.documents.language import words
from reaseq.taxonomy.evidence import Evidence, Match
from reaseq.taxonomy.lexicon import STOP, Lexicon

_EMPTY = ("links", "joins", "grades")
"""Kinds of words that suggest nothing by themselves."""


def class_of_reason(cited: Place, others: Iterable[Match], document: Document, lexicon: Lexicon) -> Evidence:
    """What class of evidence the cited words are: do they say anything but what is understood as something else?
    others: what the lexicon finds in `document`, stated or not, besides the hypothesis's own value."""
    tokens = document.fields[cited.field].tokens
    said = [(match.start, match.end) for match in others if match.field == cited.field]
    index = cited.first
    while index < cited.last:
        token = tokens[index]
        named = max(lexicon.part_at(tokens, index), lexicon.labels.whole.at(tokens, index))
        width = max(named, *(words(empty).at(tokens, index) for empty in _EMPTY))
        if (
            not width
            and token.stem not in STOP
            and not any(start <= token.start and token.end <= end for start, end in said)
        ):
            return Evidence.SUGGESTED
        index += width or 1
    return Evidence.INDIRECT
