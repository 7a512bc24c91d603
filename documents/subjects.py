"""Whose a clause is, where it is another's: of another model of the line, of another version, of former times.

Each function gives ranges of tokens (first, last exclusive) that say nothing of the product itself. title: stems of the
product's title, which tell its own model and version from others.
"""

from collections.abc import Collection, Iterator, Sequence

from reaseq.documents.language import any_words, words
from reaseq.documents.tokens import UNITS, Token, begin_of, end_of

_LONGEST_SUBJECT = 4
"""Tokens of "the standard", with its article and its verb."""
_VERSION_WITHIN = 3
"""Tokens before "version" that name it, with their article."""
_LONGEST_NAME = 4
"""Tokens of the name of another product."""

_ONLY_WITHIN = 2
"""Tokens from "only" to the article of a size."""

Range = tuple[int, int]


def turn(tokens: Sequence[Token], first: int, last: int) -> int:
    """Where, from `first` on, a "but" ends what was said before; `last` if nowhere."""
    for index in range(first, last):
        if words("turns").at(tokens, index, last):
            return index
    return last


def verb_at(tokens: Sequence[Token], first: int, last: int) -> int | None:
    """Where the first verb for being or having stands."""
    kinds = words("copulas"), words("having")
    return next((at for at in range(first, last) if any(kind.at(tokens, at, last) for kind in kinds)), None)


def siblings(text: str, tokens: Sequence[Token], title: Collection[str]) -> Iterator[Range]:
    """What is said of another model of the line: of "Kea 30" or "Kea Low" where the title says "Kea 20", of "the older
    Kea, which was waterproof"."""
    numbered = any(stem.isdigit() for stem in title)
    earlier = words("earlier")
    for index in range(1, len(tokens) - 1):
        token, before = tokens[index], tokens[index - 1]
        if before.stem in earlier.firsts and earlier.at(tokens, index - 1, index):
            lot = words("lots").at(tokens, index) > 0
            if token.stem in title or lot:
                yield from _of_earlier(tokens, index + lot, title)
                continue
        if before.stem not in title or token.stem in title or token.clause != before.clause:
            continue
        if (
            not text[before.start].isupper()
            or before.stem.isdigit()
            or any_words("goods", "version_nouns").at(tokens, index)
        ):
            continue
        end = end_of(tokens, index, clause=True)
        after = index + 1 < end and tokens[index + 1].stem
        verb = index + 1 < end and any_words("having", "being").at(tokens, index + 1, end) > 0
        if token.stem.isdigit():
            other = numbered and after not in UNITS.values() and after != "%"
        else:
            other = verb and text[token.start].isupper() and text[token.start : token.end].isalpha()
        if other:
            until = end_of(tokens, index, clause=False) if verb else end
            yield index, turn(tokens, index + 1, until)


def others(text: str, tokens: Sequence[Token], title: Collection[str]) -> Iterator[Range]:
    """What is said of another product of the maker by its name ("our Sonora Sport earbuds are waterproof"), or of one
    size of several ("the 30 L has a laptop sleeve")."""
    ours, articles = words("ours"), words("articles")
    for index in range(len(tokens) - 2):
        if tokens[index].stem not in ours.firsts and tokens[index].stem not in articles.firsts:
            continue
        end = end_of(tokens, index, clause=True)
        if ours.at(tokens, index, end):
            if _is_named(text, tokens, index + 1, end, title):
                # "If you want more bass, our Sonora Sport earbuds have it."
                sentence = begin_of(tokens, index, clause=False)
                begin = sentence if words("conditions").at(tokens, sentence, index) else index
                yield begin, _with_relative(tokens, end)
        elif (width := articles.at(tokens, index, end)) and (last := _size_end(tokens, index + width, end)):
            if any(token.stem in title for token in tokens[index + width : last]):
                continue
            begin = begin_of(tokens, index, clause=True)
            if verb_at(tokens, last, min(last + 1, end)):
                yield index, turn(tokens, last, end_of(tokens, index, clause=False))
            elif any(words("only").at(tokens, at, index) for at in range(max(begin, index - _ONLY_WITHIN), index)):
                yield begin, index  # "straps only on the 60 and 90 L"


def _is_named(text: str, tokens: Sequence[Token], first: int, last: int, title: Collection[str]) -> bool:
    """Does a name that the title does not have stand before or behind a word for goods?"""
    goods = next(
        (at for at in range(first, min(first + _LONGEST_NAME + 1, last)) if words("goods").at(tokens, at)), last
    )
    name = range(first, goods) if goods > first else range(first + 1, min(first + 1 + _LONGEST_NAME, last))
    if goods == last or not text[tokens[goods].start].islower():
        return False  # where all nouns are capitals, no name can be told
    named = [at for at in name if text[tokens[at].start].isupper()]
    return bool(named) and named[0] == name[0] and not any(tokens[at].stem in title for at in named)


def _size_end(tokens: Sequence[Token], first: int, last: int) -> int:
    """Where a size ends that begins at `first`: "30 L", "large", "15 inch version"; 0 if none does."""
    at = first
    if at < last and tokens[at].stem[0].isdigit():
        at += 1
        at += at < last and (tokens[at].stem in UNITS.values() or len(tokens[at].stem) == 1)
    else:
        at += words("size_names").at(tokens, at, last)
    if at > first and at < last:
        at += words("version_nouns").at(tokens, at, last)
    return at if first < at < last else 0


def _with_relative(tokens: Sequence[Token], end: int) -> int:
    """Where the clause ends that goes on with "which" behind a comma; else `end`."""
    goes_on = end < len(tokens) and tokens[end].sentence == tokens[end - 1].sentence
    return end_of(tokens, end, clause=True) if goes_on and words("relatives").at(tokens, end) else end


def _of_earlier(tokens: Sequence[Token], index: int, title: Collection[str]) -> Iterator[Range]:
    end = end_of(tokens, index, clause=True)
    said = next((at for at in range(index, end) if tokens[at].stem not in title), end)
    if said < end and words("had").at(tokens, said, end):
        yield said, turn(tokens, said, end)
    elif said == end < end_of(tokens, index, clause=False) and words("relatives").at(tokens, end):
        yield end, end_of(tokens, end, clause=True)


def contrasted(tokens: Sequence[Token], index: int, last: int, title: Collection[str]) -> tuple[Range, bool] | None:
    """What comes before a clause like "the low is not", of which tokens `index` to `last` (exclusive) are the "not":
    "the mid is waterproof", and whether it is said to be not so of the product. None if it is no such clause, or of a
    part, or if what comes before is of this product."""
    begin = begin_of(tokens, index, clause=False)
    for at in reversed(range(max(begin + 1, index - _LONGEST_SUBJECT), index)):
        if not words("articles").at(tokens, at, index):
            continue
        parted = tokens[at].clause != tokens[at - 1].clause
        if not parted and not any_words("joins", "turns", "whereas").at(tokens, at - 1, at):
            return None
        subject = tokens[at + 1 : verb_at(tokens, at + 1, index) or index]
        verb = verb_at(tokens, begin, at)
        if not subject or verb is None or words("parts").at(tokens, at + 1):
            return None
        if any_words("pointing", "pronouns", "possessives").at(tokens, begin, verb):
            return None
        if any(tokens[one].stem in title and not words("articles").at(tokens, one) for one in range(begin, verb)):
            return None
        return (begin, at), any(token.stem in title for token in subject)
    return None


def other_version(tokens: Sequence[Token], index: int, title: Collection[str]) -> Range | None:
    """What is said of a version that is named before token `index`, the word for it, and that the title does not name:
    "the GTX version is waterproof"."""
    begin, end = begin_of(tokens, index, clause=True), end_of(tokens, index, clause=True)
    at = next(
        (at for at in range(max(begin, index - _VERSION_WITHIN), index) if words("articles").at(tokens, at, index)),
        None,
    )
    verb = verb_at(tokens, index + 1, min(end, index + 1 + _VERSION_WITHIN))
    if at is None or verb is None:
        return None
    name = [*tokens[at + 1 : index], *tokens[index + 1 : verb]]
    if not name or any(token.stem in title for token in name):
        return None
    return index, turn(tokens, index, end_of(tokens, index, clause=False))


def once(tokens: Sequence[Token], index: int) -> Range | None:
    """The clause in which token `index` begins a word for former times, if it tells of them: "last year it was linen",
    not "last year's linen"."""
    begin, end = begin_of(tokens, index, clause=True), end_of(tokens, index, clause=True)
    if any(words("had").at(tokens, at, end) for at in range(begin, end)):
        return begin, turn(tokens, index, end)
    following = end_of(tokens, index, clause=False)
    if end < following and any(words("had").at(tokens, at) for at in range(end, end_of(tokens, end, clause=True))):
        return begin, end_of(tokens, end, clause=True)  # "L'an dernier, la robe était en lin"
    return None
