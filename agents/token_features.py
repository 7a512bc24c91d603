"""Words of a text as the tagger sees them, and what it is told of each."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[^\w\s]|_")
_REPEATED = re.compile(r"(.)\1+")
_MOST_WORDS = 200
_LONGEST_PHRASE = 5

Gazetteer = Mapping[str, Mapping[str, int]]
"""A phrase (`phrase`) to the attributes that it is a known value of, and how often."""


class Word(NamedTuple):
    """`text[start:end]`: a number, a run of letters, or one other character."""

    text: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The first 200 words. Unlike `taxonomy.text.tokenize`, punctuation counts: values begin and end beside it."""
    found = []
    for match in _WORD.finditer(text):
        found.append(Word(match.group(), match.start(), match.end()))
        if len(found) == _MOST_WORDS:
            break
    return found


def phrase(parts: Iterable[Word]) -> str:
    """What a run of words is looked up as."""
    return " ".join(word.text.lower() for word in parts)


def gazetteer(values: Iterable[tuple[str, str]]) -> dict[str, Counter[str]]:
    """Of (attribute, value) pairs."""
    made: dict[str, Counter[str]] = {}
    for attribute, value in values:
        made.setdefault(phrase(words(value)), Counter())[attribute] += 1
    return made


def features(
    found: Sequence[Word], field: str, known: Gazetteer, own: Mapping[str, Iterable[str]] | None = None
) -> list[list[str]]:
    """What is said of each word: itself and its neighbours, shape, affixes, place, and the known values it is part of.

    own: phrases that count once less, by attribute. While the tagger learns, a product's own values are these: in use,
    a product's values are known only if other products have them.
    """
    lower = [word.text.lower() for word in found]
    shapes = [_shape(word.text) for word in found]
    count = len(found)
    described: list[list[str]] = []
    segment = 0
    for here, word in enumerate(found):
        said = ["", f"field={field}"]
        if field == "title":
            said += [f"from start={min(here, 6)}", f"from end={min(count - 1 - here, 6)}", f"segment={min(3, segment)}"]
        segment += word.text in ",-|"
        for distance in range(-2, 3):
            there = here + distance
            inside = 0 <= there < count
            said.append(f"{distance}={lower[there] if inside else '<s>' if there < 0 else '</s>'}")
            if inside and abs(distance) <= 1:
                said.append(f"shape {distance}={shapes[there]}")
        before = lower[here - 1] if here else "<s>"
        after = lower[here + 1] if here + 1 < count else "</s>"
        said += [f"-1 0={before} {lower[here]}", f"0 1={lower[here]} {after}"]
        said += [f"begins={lower[here][:3]}", f"ends={lower[here][-3:]}", f"ends={lower[here][-2:]}"]
        if here and found[here - 1].end == word.start:
            said.append("glued")
        described.append(said)
    for first in range(count):
        for last in range(first, min(first + _LONGEST_PHRASE, count)):
            text = " ".join(lower[first : last + 1])
            for attribute, times in known.get(text, {}).items():
                if own and text in own.get(attribute, ()) and times <= 1:
                    continue
                several = "+" if last > first else ""
                for here in range(first, last + 1):
                    described[here].append(f"known {'begins' if here == first else 'inside'}{several}={attribute}")
    return described


def _shape(word: str) -> str:
    kinds = "".join("X" if c.isupper() else "x" if c.isalpha() else "9" if c.isdigit() else c for c in word)
    return _REPEATED.sub(r"\1\1", kinds)
