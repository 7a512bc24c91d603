"""What columns of prices are called: told by the words that their names are made of, in a dozen languages.

A name has a noun for a price ("preis", "tarif", "VK"), and words that say which: what things cost now, what they cost
otherwise or should, or what the shop pays, which is nobody's price.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from reaseq.knowledge_store.wordlists import words

_WORDS = words("price_words")
NOUNS, NOW, _OTHERWISE = (frozenset(_WORDS[name]) for name in ("nouns", "now", "otherwise"))
_RECOMMENDED = frozenset(_WORDS["recommended"])
"""Nouns of what a maker thinks it should cost."""
_RECOMMENDING = frozenset(_WORDS["recommending"])
_OTHERWISE_NOUNS = frozenset(_WORDS["otherwise_nouns"])
_NET, _TAXES = frozenset(_WORDS["net"]), frozenset(_WORDS["taxes"])
_LIKE_IT = frozenset((*_WORDS["like_it"], *_WORDS["gross"], *_TAXES)) - _NET
"""Words beside it that change nothing."""
_OF_NO_BLANKS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_ENDS = re.compile(r"^(?P<which>.+?)(?:s|en)?(?:preis|preise|prijs|pris|priset|hinta)$")
"""Compounds: Angebotspreis, verkoopprijs."""


class PriceKind(StrEnum):
    NOW = "now"
    PLAIN = "plain"
    OTHERWISE = "otherwise"
    RECOMMENDED = "recommended"
    UNKNOWN = "unknown"
    """It names a price, and a word that is not understood, or one that nobody pays."""


@lru_cache(maxsize=10_000)
def price_kind(name: str) -> PriceKind | None:
    """What a folded name of a column says; None where it names no price."""
    if name == "ttc":
        return PriceKind.PLAIN
    initials = re.sub(r"\b(\w) (?=\w\b)", r"\1", name)  # "M.R.P."
    words = [part for word in initials.split() for part in parts_of(word.rstrip("0123456789") or word)]
    if not {*NOUNS, *_RECOMMENDED, *_OTHERWISE_NOUNS}.intersection(words):
        return None
    left = [word for word in words if word not in NOUNS | _LIKE_IT and not word.isdigit()]
    if not left:
        return PriceKind.PLAIN
    if any(word not in NOW | _OTHERWISE | _OTHERWISE_NOUNS | _RECOMMENDED for word in left) or not _NET.isdisjoint(
        left
    ):
        return PriceKind.UNKNOWN
    if not _RECOMMENDED.isdisjoint(left) or _RECOMMENDING & {*left}:
        return PriceKind.RECOMMENDED
    return PriceKind.NOW if (_OTHERWISE | _OTHERWISE_NOUNS).isdisjoint(left) else PriceKind.OTHERWISE


@lru_cache(maxsize=10_000)
def kind_but_for_taxes(name: str) -> PriceKind | None:
    """What a folded name says, whether that is with taxes or without."""
    taxes = _NET | _TAXES | {*_WORDS["gross"]}
    return price_kind(" ".join(part for word in name.split() for part in parts_of(word) if part not in taxes))


@lru_cache(maxsize=10_000)
def net_kind(name: str) -> PriceKind | None:
    """What a folded name of a column of prices without taxes says but for these; None of any other."""
    return kind_but_for_taxes(name) if tax_of(name) is Tax.WITHOUT else None


class Tax(StrEnum):
    WITHIN = "within"
    WITHOUT = "without"
    UNSAID = "unsaid"


@lru_cache(maxsize=10_000)
def tax_of(name: str) -> Tax:
    """What a folded name of a column of prices says of taxes."""
    said = {part for word in name.split() for part in parts_of(word)}
    if not said.isdisjoint(_NET):
        return Tax.WITHOUT
    sure = {"brutto", "gross", "ttc", "bruttó", "ivato", "lordo", "税込", "税込み", "含税", "세금포함"}
    if said & sure or "vat" in said or (said & {*_WORDS["gross"]} and said & _TAXES):
        return Tax.WITHIN
    return Tax.UNSAID


@lru_cache(maxsize=10_000)
def _of_signs(word: str) -> Sequence[str]:
    """The words that a name in a script without blanks is made of, the longest first; itself where a part is none."""
    known = NOUNS | _RECOMMENDED | NOW | _OTHERWISE | _OTHERWISE_NOUNS | _LIKE_IT | _NET
    parts: list[str] = []
    while word:
        found = max((one for one in known if word.startswith(one)), key=len, default="")
        if not found:
            noun = max((one for one in NOUNS if word.endswith(one)), key=len, default="")
            return [*parts, word.removesuffix(noun), noun] if noun else ("".join([*parts, word]),)
        parts.append(found)
        word = word.removeprefix(found)
    return parts


def parts_of(word: str) -> Sequence[str]:
    """The words that one of a price's name is made of: `Streichpreis`, `verkoopprijs`."""
    if _OF_NO_BLANKS.search(word):
        return _of_signs(word)
    found = _ENDS.match(word)
    if found is None or word in NOUNS:
        return (word,)
    which = found["which"]
    return (next((one for one in (which, f"{which}s", f"{which}en") if one in NOW | _OTHERWISE), which), "preis")
