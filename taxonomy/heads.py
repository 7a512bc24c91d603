"""What the title says that a product is: its head noun ("Lock for folding bikes" is a lock).

Languages differ in where a noun phrase has its head: before what it is for and what it comes with, in all of them; else
last in Germanic ones and first in Romance ones. Known nouns are told apart: those of the category, and those of
accessories, spare parts and care (`accessories` in `reaseq.documents.language`). Names are passed over.
"""

from collections.abc import Iterator
from typing import NamedTuple

from reaseq.documents.document import Field
from reaseq.documents.language import Phrases, words


class Head(NamedTuple):
    """Tokens `first` to `last` (exclusive) of the title, and their `words` as received; `begin` is where their phrase
    begins. covered: is it of the category?"""

    first: int
    last: int
    words: str
    covered: bool
    begin: int


def head_of(title: Field, covered: Phrases) -> Head | None:
    """The first head noun that is known; `covered` are those of the category. None if the title has none."""
    for first, last in _segments(title):
        end = _core(title, first, last)
        if found := _in_core(title, first, end, covered):
            return found
        if end < last and words("purposes").at(title.tokens, end, last):
            # "Nova for Galaxy S9 case red": the noun may come after what it is for.
            after = list(_places(title, end, last, words("accessories"), covered))
            if after:
                return Head(*after[-1], title.quote(*after[-1]), False, first)
        elif end < last and (found := _in_core(title, end, last, covered)):
            return found
    return None


def _in_core(title: Field, first: int, last: int, covered: Phrases) -> Head | None:
    kinds = list(_places(title, first, last, covered))
    others = list(_places(title, first, last, words("accessories"), covered))
    kind, other = (kinds[-1] if kinds else None), (others[-1] if others else None)
    if other and (kind is None or other[0] >= kind[1]):
        return Head(*other, title.quote(*other), False, first)
    return Head(*kind, title.quote(*kind), True, first) if kind else None


def _segments(title: Field) -> Iterator[tuple[int, int]]:
    """Runs of tokens between signs."""
    first = 0
    for index in range(1, len(title.tokens) + 1):
        if index == len(title.tokens) or title.tokens[index].clause != title.tokens[first].clause:
            yield first, index
            first = index


def _core(title: Field, first: int, last: int) -> int:
    """Where the noun phrase ends that begins at `first`."""
    for index in range(first + 1, last):
        if words("purposes").at(title.tokens, index, last) or words("prepositions").at(title.tokens, index, last):
            return index
    return last


def _places(
    title: Field, first: int, last: int, phrases: Phrases, rather: Phrases | None = None
) -> Iterator[tuple[int, int]]:
    """Where phrases stand, the longest first at each place; not where a longer or equal one of `rather` does."""
    index = first
    while index < last:
        width = phrases.at(title.tokens, index, last)
        other = rather.at(title.tokens, index, last) if rather else 0
        if width and width > other:
            if not words("purposes_after").at(title.tokens, index + width, last) if index + width < last else True:
                yield index, index + width
        index += max(width, other, 1)
