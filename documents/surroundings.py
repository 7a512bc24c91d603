"""What stands around a place in a field: the heading over it, the brackets it is in, what is said after a list."""

import re
from collections.abc import Collection, Sequence

from reaseq.documents.document import Field, Kind, Piece
from reaseq.documents.language import any_words, denies_what_follows, words
from reaseq.documents.tokens import STOP, Token, begin_of, end_of, is_glued, is_unspaced

_OPENS, _CLOSES = re.compile(r"[(\[（【]"), re.compile(r"[)\]）】]")
QUOTES = frozenset('"“”„«»')
_LONGEST_USES = 10
"""Tokens."""
_MOST_DESCRIBING = 2
"""Words between what a thing is for and "for" ("for wet autumn runs")."""
_NO_DESCRIPTION = ("being", "having", "pronouns", "prepositions", "located", "links")
_SPANNED = 8
"""Tokens between "from" and "to" that say where or when a thing is used."""
_LOOKS_WITHIN = 2, 3
"""Tokens before and after a style, where a word for a look says that the thing has it."""
_PARTING = ("links", "purposes", "prepositions", "being", "having", "located")
PARTING = (*_PARTING, "joins")
"""Kinds of words that part a describing word from what it is said of; without "and" for what several describe."""
_NO_OBJECT = (*PARTING, "parts", "carries_on", "turns")
_DONE = ("ed", "ing")
_LONGEST_SUBSTANCES = 14
"""Tokens of a list of what a thing is made of."""
_POINTED_WITHIN = 5
"""Tokens from "these" to what is pointed to."""


def heading_of(field: Field, piece: Piece) -> tuple[int, int]:
    """The words of the heading over a piece, as tokens."""
    heading = field.pieces[piece.heading]
    return heading.label if heading.label and heading.first == heading.last else (heading.first, heading.last)


def _is_headed(field: Field, piece: Piece) -> bool:
    """Is there a heading over it, and not only over a list before it?"""
    if piece.heading < 0 or piece.kind is Kind.ITEM:
        return piece.heading >= 0
    at = next(at for at, one in enumerate(field.pieces) if one is piece)
    return not any(one.kind is Kind.ITEM for one in field.pieces[piece.heading + 1 : at])


def is_aside_above(field: Field, piece: Piece) -> bool:
    """Does it stand under a heading that says that what follows is of something else ("You may also like")?"""
    if not _is_headed(field, piece):
        return False
    first, last = heading_of(field, piece)
    return any(
        words(kind).at(field.tokens, index, last)
        for index in range(first, last)
        for kind in ("aside_rest", "aside_around")
    )


def is_denied_above(field: Field, piece: Piece) -> bool:
    """Does its label or heading deny what stands there ("Free from")?"""
    label = piece.label or (heading_of(field, piece) if _is_headed(field, piece) else None)
    return label is not None and denies_what_follows(field.stems(*label))


def is_chosen_from(field: Field, last: int) -> bool:
    """Is it said after token `last - 1`, in its sentence, which of what was named is sold?"""
    end = end_of(field.tokens, last - 1, clause=False)
    return any(words("this_one").at(field.tokens, index, end) for index in range(last, end))


def brackets_around(field: Field, first: int, piece: Piece) -> range | None:
    """The tokens of the brackets within a piece that token `first` stands in."""
    tokens = field.tokens
    begin = first
    while begin > piece.first and not _OPENS.search(before := field.text[tokens[begin - 1].end : tokens[begin].start]):
        if _CLOSES.search(before):
            return None
        begin -= 1
    if begin == piece.first:
        return None
    for end in range(first, piece.last):
        until = tokens[end + 1].start if end + 1 < len(tokens) else len(field.text)
        if _CLOSES.search(field.text, tokens[end].end, until):
            return range(begin, end + 1)
    return None


def before_shares(tokens: Sequence[Token], first: int) -> int:
    """The last token before the shares that end at token `first`: of "Lining 65% polyester, 35% cotton" that of the
    lining, for either."""
    at, sentence = first - 1, tokens[first].sentence
    while (
        at > 1 and tokens[at].stem == "%" and tokens[at - 1].stem[0].isdigit() and tokens[at - 2].sentence == sentence
    ):
        at -= 2
        if at > 1 and tokens[at - 1].stem == "%" and tokens[at - 2].stem[0].isdigit():
            at -= 1
    return at


def is_purpose(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Does a list that begins with what a thing is for hold these words ("for pool, shower and beach")? Of each member
    but their own a few words may stand before; of their own articles and a word or two that describe it ("wet autumn
    runs"), and nothing that it may describe stands behind ("for the office", not "for quick evening miles") but that it
    is used there ("for indoor use"). The same says a thing that goes "from a morning run to the office"."""
    if is_unspaced(tokens[first].stem) and _is_suited_behind(tokens, last):
        return True
    if last < len(tokens):
        last += words("uses").at(tokens, last)
    ends = last == len(tokens) or tokens[last].clause != tokens[last - 1].clause
    behind = ("joins", "carries_on", "prepositions", "located", "used_to")
    if not ends and not any_words(*behind).at(tokens, last):
        return False
    if _is_spanned(tokens, first, last):
        return True
    begin = max(begin_of(tokens, first, clause=False), first - _LONGEST_USES)
    if any(words("between").at(tokens, at, at + 1) for at in range(begin, first)):
        return False
    own, describing = True, 0
    most = _MOST_DESCRIBING * (2 if is_unspaced(tokens[first].stem) else 1)
    for at in range(first - 1, begin - 1, -1):
        if any_words("purposes", "worn_to").ends(tokens, at + 1, max(begin, at - 3)):
            return True
        joined = words("joins").at(tokens, at, at + 1) or words("carries_on").at(tokens, at, at + 1)
        if joined or tokens[at].clause != tokens[at + 1].clause:
            own = False
        elif own and not words("articles").at(tokens, at, at + 1):
            describing += 1
            if describing > most or any_words(*_NO_DESCRIPTION).at(tokens, at, at + 1):
                return False
    return False


def _is_suited_behind(tokens: Sequence[Token], last: int) -> bool:
    """Is it said behind a list of uses, in a script without blanks, that a thing is suited to them
    ("通勤・通学におすすめ")?"""
    for at in range(last, min(end_of(tokens, last - 1, clause=False), last + _LONGEST_USES)):
        if words("suited_behind").at(tokens, at):
            return True
        if words("particles").at(tokens, at):
            return False
    return False


def _is_spanned(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Does it stand between "from" and "to", or behind both?"""
    begin, end = begin_of(tokens, first, clause=False), end_of(tokens, first, clause=False)
    before = [at for at in range(max(begin, first - _SPANNED), first) if words("used_to").at(tokens, at, at + 1)]
    until = before[-1] if before else first
    source = any(words("used_from").at(tokens, at, at + 1) for at in range(max(begin, until - _SPANNED), until))
    ahead = range(last, min(end, last + _SPANNED))
    return source and bool(before or any(words("used_to").at(tokens, at, at + 1) for at in ahead))


def is_made_of(tokens: Sequence[Token], first: int, last: int, members: Collection[int]) -> bool:
    """Are tokens `first` to `last` (exclusive) what something is said to be made of, or one of a list of that: "made of
    soft suede", "in a mix of nylon, honeycomb mesh and suede"? members: tokens of what things are made of. What but
    lines, fills or trims it is not."""
    if last < len(tokens) and is_unspaced(tokens[first].stem) and words("made_after").at(tokens, last):
        return True
    begin = max(begin_of(tokens, first, clause=False), first - _LONGEST_SUBSTANCES)
    describing = 0
    for at in range(first - 1, begin - 1, -1):
        if tokens[at].clause != tokens[at + 1].clause:
            describing = 0
        for start in range(max(begin, at - 2), at + 1):
            if words("made_of").at(tokens, start, at + 1) == at + 1 - start:
                before = start - 1
                return before < begin or not (
                    words("made_with").at(tokens, before) or words("parts").at(tokens, before)
                )
        if at in members or words("joins").at(tokens, at, at + 1):
            describing = 0
        elif tokens[at].stem in STOP or any_words(*_NO_OBJECT).at(tokens, at):
            return False
        elif not tokens[at].stem[0].isdigit() and tokens[at].stem != "%":
            describing += 1
        if describing > _MOST_DESCRIBING + 1:  # "full-grain bridle leather"
            return False
    return False


def _is_predicate(tokens: Sequence[Token], first: int, begin: int) -> bool:
    for at in reversed(range(begin, first)):
        if words("articles").at(tokens, at, first):
            return words("copulas").ends(tokens, at, max(begin, at - 2))
        if any_words(*PARTING).at(tokens, at, first):
            return False
    return False


def acts_on_another(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Is a word for a quality a verb there, with something else behind it: "supports clutch moves", not "supports your
    ankle" nor "support and comfort"?"""
    if last - first > 1 or not words("acting").at(tokens, first, last):
        return False
    at, end = last, end_of(tokens, first, clause=True)
    while at < end and (words("articles").at(tokens, at, at + 1) or words("possessives").at(tokens, at, at + 1)):
        at += 1
    if at == end or tokens[at].stem in STOP or any_words(*_NO_OBJECT).at(tokens, at):
        return False
    return not any(words("acted_on").at(tokens, n) for n in range(at, min(at + 2, end)))


def is_done_so(field: Field, last: int) -> bool:
    """Does a quality that ends before token `last` say how something is done: "a soft-printed graphic"?"""
    if last >= len(field.tokens):
        return False
    following = field.tokens[last]
    return is_glued(field.text, field.tokens, last - 1) and following.stem.endswith(_DONE)


def is_quoted(field: Field, first: int) -> bool:
    """Does token `first` stand between quotation marks in its sentence, as lettering does ("the tongue says 'To the
    streets'")?"""
    begin = field.tokens[begin_of(field.tokens, first, clause=False)].start
    before = field.text[max(0, begin - 1) : field.tokens[first].start]
    return sum(char in QUOTES for char in before) % 2 == 1


def is_of_look(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Does a word for how a thing looks stand close by, with but what describes it between: "for a retro, worn look",
    "un look rétro"; not "rugged routes in style"?"""
    before, after = _LOOKS_WITHIN
    for at in range(last, min(end_of(tokens, first, clause=False), last + after)):
        if any_words(*_PARTING).at(tokens, at):
            break
        if words("looks").at(tokens, at) or words("styled").at(tokens, at):
            return True
    begin = max(begin_of(tokens, first, clause=True), first - before)
    return any(words("styled").at(tokens, at) for at in range(begin, first))


def is_pointed_to(tokens: Sequence[Token], first: int) -> bool:
    """Does "these" or "is a" stand before token `first`, with but a few words between that say what it is like: "these
    neutral running shoes", "the Kea 2 is a versatile trainer"?"""
    begin = max(begin_of(tokens, first, clause=False), first - _POINTED_WITHIN)
    if _is_predicate(tokens, first, begin):
        return True
    for at in reversed(range(begin, first)):
        if width := words("pointing").at(tokens, at, first):
            return at + width == first or not is_unspaced(tokens[at].stem)
        if any_words(*PARTING).at(tokens, at, first) and not words("pointing").over(tokens, at, at + 1):
            return False
    return False
