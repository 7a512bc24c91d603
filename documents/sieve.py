"""Which of many regular expressions may be found in a text, told by a few letters, before any is searched for.

Of each expression strings are worked out of which every text that it is found in holds one (as search engines do for
expressions over an index: R. Cox, "Regular Expression Matching with a Trigram Index", 2012). Three letters in a row of
each lead to the expression: a text without any of them is passed over in one look at its letters.
"""

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import product
from math import prod
from typing import Any

_MOST = 24
"""Strings that an expression's part may be one of; where it may be more, the part says nothing."""
_GRAM, _SHORT = 3, 2
"""Letters in a row; of scripts in which few letters are a word, two."""
_SHARES = {letter: 0.13 * 0.87**rank for rank, letter in enumerate(" etaoinshrdlucmfwypvbgkjqxz")}
"""How often letters of English stand at a place, about; others are rare."""
_RARE = 0.001


class Sieve:
    """Of regular expressions that heed case."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        self._always: list[int] = []
        self._by_gram: dict[str, list[tuple[str, int]]] = {}
        for number, pattern in enumerate(patterns):
            needed = needles(pattern)
            if any(len(one) < (_GRAM if one.isascii() else _SHORT) for one in needed):
                self._always.append(number)
                continue
            for one in needed:
                self._by_gram.setdefault(_rarest(one), []).append((one, number))

    def left(self, text: str) -> list[int]:
        """The places of the expressions that may be found in the text, in order."""
        lengths = (_GRAM,) if text.isascii() else (_GRAM, _SHORT)
        grams = {text[at : at + length] for length in lengths for at in range(len(text) - length + 1)}
        near = (one for gram in self._by_gram.keys() & grams for one in self._by_gram[gram])
        return sorted({*self._always, *(number for needle, number in near if needle in text)})


def needles(pattern: re.Pattern[str]) -> set[str]:
    """Strings of which every text that the expression is found in holds one; "" alone where none can be told."""
    # What the `re` module itself reads expressions with: it has no other name.
    found = _needed(import_module("re._parser").parse(pattern.pattern, pattern.flags))
    return {one for one in found if not any(other != one and other in one for other in found)}


def _rarest(needle: str) -> str:
    grams = [needle[at : at + _GRAM] for at in range(max(1, len(needle) - _GRAM + 1))]
    return min(grams, key=_share)


def _share(text: str) -> float:
    """How often the letters stand at a place in a text, about."""
    return prod(_SHARES.get(letter, _RARE) for letter in text)


def _needed(nodes: Any) -> set[str]:
    """The best of the sets of strings that a sequence needs one of."""
    sets: list[set[str]] = []
    run = {""}
    for node in nodes:
        kind, argument = str(node[0]), node[1]
        exact = _exact(node)
        if exact is not None and len(run) * len(exact) <= _MOST:
            run = {before + after for before, after in product(run, exact)}
            continue
        sets.append(run)
        run = exact if exact is not None and len(exact) <= _MOST else {""}
        sets += _inside(kind, argument, sets[-1])
    return min([*sets, run], key=lambda one: sum(map(_share, one)))


def _inside(kind: str, argument: Any, run: set[str]) -> Iterator[set[str]]:
    """What a part needs that may be many strings. run: what stands right before it."""
    if kind == "SUBPATTERN":
        yield _needed(argument[3])
    elif kind == "BRANCH":
        yield set().union(*map(_needed, argument[1]))
    elif kind.endswith("_REPEAT") and argument[0]:
        yield _needed(argument[2])
    elif kind == "ASSERT" and argument[0] > 0 and (ahead := _all_of(argument[1])) is not None:
        yield {before + after for before, after in product(run, ahead)}


def _exact(node: Any) -> set[str] | None:
    """All strings that a part may be; None where there are many."""
    kind, argument = str(node[0]), node[1]
    found: set[str] | None = None
    if kind == "LITERAL":
        found = {chr(argument)}
    elif kind in ("AT", "ASSERT_NOT"):
        found = {""}
    elif kind == "SUBPATTERN":
        found = _all_of(argument[3])
    elif kind == "BRANCH":
        several = [_all_of(one) for one in argument[1]]
        found = None if None in several else set().union(*(one for one in several if one is not None))
    elif kind.endswith("_REPEAT") and argument[1] == 1:
        once = _all_of(argument[2])
        found = once if once is None or argument[0] else once | {""}
    elif kind == "IN" and all(str(one[0]) == "LITERAL" for one in argument):
        found = {chr(one[1]) for one in argument}
    return found if found is None or len(found) <= _MOST else None


def _all_of(nodes: Any) -> set[str] | None:
    made = {""}
    for node in nodes:
        exact = _exact(node)
        if exact is None or len(made) * len(exact) > _MOST:
            return None
        made = {before + after for before, after in product(made, exact)}
    return made
