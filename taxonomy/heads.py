"""What the title says that a product is: its head noun ("Lock for folding bikes" is a lock).

Languages differ in where a noun phrase has its head: before what it is for and what it comes with, in all of them; else
last in Germanic ones and first in Romance ones. Known nouns are told apart: those of the category, and those of
accessories, spare parts and care (`accessories` in `reaseq.documents.language`). Names are passed over.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from reaseq.documents.document import Field
from reaseq.documents.language import Phrases, any_words, words
from reaseq.documents.tokens import is_katakana

_LONGEST_OPENING = 7
"""Tokens."""
_FEWEST_OF_A_MODEL = 10
"""Numbers below it count parts."""
_LONGEST_UNIT = 4
"""Characters of a unit, as stems have them."""
_QUOTES = ('"', "“", "„", "«", "‘", "「")


class Head(NamedTuple):
    """Tokens `first` to `last` (exclusive) of `field`, and their `words` as received; `begin` is where their phrase
    begins. covered: is it of the category? several: is it a set of several things ("hat and handbag set")?"""

    first: int
    last: int
    words: str
    covered: bool
    begin: int
    field: str
    several: bool = False


def head_of(title: Field, covered: Phrases, terms: Phrases) -> Head | None:
    """The first head noun that is known; `covered` are those of the category, `terms` the words for its values: the
    sleeve of "long sleeve" is no noun by itself. None if the title has none."""
    for first, last in _segments(title):
        end = _core(title, first, last, covered)
        if found := _in_core(title, first, end, covered, terms):
            if found.covered and _lists_a_set(title, found.last, covered):
                found = found._replace(several=True)
            making = end < last and any(words("making").at(title.tokens, at, last) for at in range(end, last))
            return found._replace(covered=False) if making and words("purposes").at(title.tokens, end, last) else found
        if end < last and words("purposes").at(title.tokens, end, last):
            # "Nova for Galaxy S9 case red": the noun may come after what it is for. "Nova for bikes": it is no bike.
            for nouns, rather in ((words("accessories"), covered), (covered, None)):
                if after := list(_places(title, end, last, nouns, rather)):
                    place = after[-1] if rather else (end - 1, end)
                    return Head(*place, title.quote(*place), False, first, title.name)
        elif found := _beyond(title, end, last, covered, terms):
            return found
    return None


def _beyond(title: Field, first: int, last: int, covered: Phrases, terms: Phrases) -> Head | None:
    """The noun of the category that stands after a preposition where none stands before it ("Pair of leather boots");
    None if another noun stands before that ("Wheels, hanger rack for shirts")."""
    while first < last:
        end = _core(title, first + 1, last, covered)
        if found := _in_core(title, first, end, covered, terms):
            return found if found.covered else None
        if end < last and words("purposes").at(title.tokens, end, last):
            return None
        first = end
    return None


def opening_of(description: Field, covered: Phrases, terms: Phrases) -> Head | None:
    """The head of a description that opens with a noun phrase ("Brown leather loafer with …"); None if it opens with
    anything else, a sentence for instance."""
    tokens = description.tokens
    if not tokens:
        return None
    first, last = next(_segments(description))
    end = _core(description, first, last, covered)
    end = next((at for at in range(first + 1, end) if words("made_for").at(tokens, at, end)), end)
    sentence = any(any_words("being", "pronouns").at(tokens, index, end) for index in range(first, end))
    if end - first > _LONGEST_OPENING or sentence:
        return None
    head = _in_core(description, first, end, covered, terms)
    return head if head and head.covered and head.last == end else None


def _in_core(title: Field, first: int, last: int, covered: Phrases, terms: Phrases) -> Head | None:
    kinds = list(_places(title, first, last, covered))
    others = [
        place
        for place in _places(title, first, last, words("accessories"), covered)
        if not _is_measured(title, place[0])
        and title.text[: title.tokens[place[0]].start].rstrip(" ")[-1:] not in _QUOTES  # 'wrap dress "Kit"'
        and not (place[1] < last and words("denies_last").at(title.tokens, place[1], last))  # "Lace-free slip-on"
        and (
            terms.over(title.tokens, *place) <= place[1] - place[0]
            # "Elastic laces 120 cm" begins with what other titles end with.
            or (not kinds and terms.at(title.tokens, first, last) >= place[1] - first)
        )
    ]
    toys = list(_places(title, first, last, words("toys"), covered))
    kind, other = (kinds[-1] if kinds else None), (others[-1] if others else None)
    if toys:
        return Head(*toys[0], title.quote(*toys[0]), False, first, title.name)
    if other and (kind is None or (other[1], kind[0]) > (kind[1], other[0])):
        return Head(*other, title.quote(*other), False, first, title.name)
    if kind is None:
        return None
    made = any(words("making").at(title.tokens, index, last) for index in range(kind[1], last))
    return Head(*kind, title.quote(*kind), not made, first, title.name, _is_set(title, first, last))


def _inside_a_word(title: Field, first: int, index: int, known: Phrases) -> bool:
    """Does a word in katakana begin in the middle of another: rack (ラック) in black (ブラック)?"""
    before = index - 1
    if before < first or not all(is_katakana(title.tokens[at].stem) for at in (before, index)):
        return False
    return not any(known.at(title.tokens, begin, index) == index - begin for begin in range(first, index))


def _is_compound(stem: str, nouns: Phrases) -> int:
    """Is it a compound of a known accessory? One token, or none."""
    if nouns is not words("accessories"):
        return 0
    return int(stem[1:].endswith(_endings()))


@lru_cache
def _endings() -> tuple[str, ...]:
    return tuple(phrase[0] for phrase in words("accessory_endings").all)


def _is_measured(title: Field, index: int) -> bool:
    """Does a measure or a count stand before token `index` ("city bike 28 in wheels", "tote 2 straps")? Then it is a
    feature, unless the title begins with it ("10 pcs rings") or it is a model's ("iPhone 12 battery")."""
    stems = [title.tokens[at].stem for at in range(max(1, index - 2), index)]
    counted = stems[-1:] != [] and stems[-1].isdigit() and int(stems[-1]) < _FEWEST_OF_A_MODEL
    unit = len(stems) > 1 and stems[1].isalpha() and stems[1].isascii() and len(stems[1]) <= _LONGEST_UNIT
    return counted or (unit and stems[0][0].isdigit())


def _goes_on(title: Field, after: int, last: int, *, katakana: bool) -> bool:
    """Does the word go on after a noun in Japanese or Chinese: for what (用), with what (付き), or as another word in
    katakana, brush (ブラシ) in brushless (ブラシレス)?"""
    if after >= last:
        return False
    tokens = title.tokens
    if words("purposes_after").at(tokens, after, last) or words("with_after").at(tokens, after, last):
        return True
    joined = tokens[after].start == tokens[after - 1].end
    return katakana and joined and all(is_katakana(tokens[at].stem) for at in (after - 1, after))


def _is_set(title: Field, first: int, last: int) -> bool:
    places = range(first, last)
    joined = any(words("joins").at(title.tokens, index, last) for index in places) or any(
        title.text[title.tokens[index].end : title.tokens[index + 1].start].strip() in ("&", "+", "/")
        for index in range(first, last - 1)
    )
    return joined and any(words("sets").at(title.tokens, index, last) for index in places)


def _lists_a_set(title: Field, last: int, covered: Phrases) -> bool:
    """Does another noun follow, after a comma or an "and", on one that ends before token `last`, and does the title say
    anywhere that it is a set: "rings, earrings, necklace jewelry set", "set including necklace and ring"?"""
    tokens = title.tokens
    at = last + words("joins").at(tokens, last) if last < len(tokens) else last
    if at == len(tokens) or not covered.at(tokens, at):
        return False
    joined = at > last or tokens[at].clause != tokens[at - 1].clause
    return joined and any(words("sets").at(tokens, index) for index in range(len(tokens)))


def _segments(title: Field) -> Iterator[tuple[int, int]]:
    """Runs of tokens between signs."""
    first = 0
    for index in range(1, len(title.tokens) + 1):
        if index == len(title.tokens) or title.tokens[index].clause != title.tokens[first].clause:
            yield first, index
            first = index


def _core(title: Field, first: int, last: int, covered: Phrases) -> int:
    """Where the noun phrase ends that begins at `first`; a known noun may have a preposition in it ("housse de
    couette")."""
    index = first
    while index < last:
        at_end = words("purposes").at(title.tokens, index, last) or words("prepositions").at(title.tokens, index, last)
        # "31.4 in" is a measure.
        if at_end and index > first and not title.tokens[index - 1].stem[0].isdigit():
            return index
        index += max(covered.at(title.tokens, index, last), words("accessories").at(title.tokens, index, last), 1)
    return last


def _places(
    title: Field, first: int, last: int, phrases: Phrases, rather: Phrases | None = None
) -> Iterator[tuple[int, int]]:
    """Where phrases stand, the longest first at each place; not where a longer or equal one of `rather` does."""
    index = first
    while index < last:
        width = phrases.at(title.tokens, index, last) or _is_compound(title.tokens[index].stem, phrases)
        other = rather.at(title.tokens, index, last) if rather else 0
        after = index + width
        if rather is not None and _inside_a_word(title, first, index, rather):
            width = 0
        if width > other and not _goes_on(title, after, last, katakana=rather is not None):
            yield index, after
        elif other:
            # A "football boot bag" is a boot bag.
            for at in range(index + 1, index + other):
                if at + phrases.at(title.tokens, at, last) > index + other:
                    yield at, at + phrases.at(title.tokens, at, last)
        index += max(width, other, 1)
