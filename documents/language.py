"""What small words do to the words around them, in many languages: `language.yaml`, ready for looking up."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from reaseq.documents.listed import listed
from reaseq.documents.tokens import Token, begin_of, is_unspaced, run_begin, stems

_FILE = Path(__file__).with_name("language.yaml")

Phrase = tuple[str, ...]


class Phrases:
    """Phrases, as stems, found by their first."""

    def __init__(self, phrases: Iterable[str] = (), stemmed: Iterable[Phrase] = ()) -> None:
        """stemmed: phrases that are stems already."""
        self.all: frozenset[Phrase] = frozenset(filter(None, map(stems, phrases))) | frozenset(stemmed)
        self._by_first: dict[str, list[Phrase]] = {}
        for phrase in sorted(self.all, key=lambda one: (-len(one), one)):
            self._by_first.setdefault(phrase[0], []).append(phrase)

    @property
    def firsts(self) -> KeysView[str]:
        """The stems that phrases begin with."""
        return self._by_first.keys()

    def __contains__(self, phrase: Sequence[str]) -> bool:
        return tuple(phrase) in self.all

    def at(self, tokens: Sequence[Token], index: int, last: int | None = None) -> int:
        """How many tokens the longest phrase that begins at `index`, and ends before `last`, has; 0 if none does."""
        # Asked for every token by every rule: plain loops, and nothing made for the many that begin no phrase.
        first = tokens[index]
        phrases = self._by_first.get(first.stem)
        if phrases is None:
            return 0
        limit = len(tokens) if last is None else last
        for phrase in phrases:
            width = len(phrase)
            if index + width <= limit and tokens[index + width - 1].sentence == first.sentence:
                for n in range(1, width):
                    if tokens[index + n].stem != phrase[n]:
                        break
                else:
                    return width
        return 0

    def at_any(self, tokens: Sequence[Token], indices: Iterable[int]) -> bool:
        """Does a phrase begin at one of these tokens?"""
        firsts = self._by_first
        return any(tokens[index].stem in firsts and self.at(tokens, index) for index in indices)

    def ends(self, tokens: Sequence[Token], last: int, first: int) -> bool:
        """Does a phrase end with token `last - 1` that begins at `first` or behind it?"""
        return any(self.at(tokens, start, last) == last - start for start in range(first, last))

    def over(self, tokens: Sequence[Token], first: int, last: int) -> int:
        """How many tokens a phrase has that holds tokens `first` to `last` (exclusive) and begins at most three before
        them; 0 if none does."""
        longest = 0
        for at in range(max(0, first - 3), first + 1):
            if tokens[at].stem in self._by_first:
                width = self.at(tokens, at)
                if width > longest and at + width >= last:
                    longest = width
        return longest

    def within_any(self, words: Sequence[str]) -> bool:
        """Does a phrase stand in these stems?"""
        return next(self.within(words), None) is not None

    def within(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Places (first, last + 1) of phrases in stems, the longest at each place."""
        for index, word in enumerate(words):
            for phrase in self._by_first.get(word, ()):
                if tuple(words[index : index + len(phrase)]) == phrase:
                    yield index, index + len(phrase)
                    break


@lru_cache
def words(kind: str, language: str | None = None) -> Phrases:
    """All phrases of one kind, of one language (as `language_of` gives it) or of all; the kinds are the keys of the
    file."""
    by_language: Mapping[str, Sequence[str]] = _file()[kind]
    chosen = by_language.values() if language is None else [by_language.get(language, ())]
    return Phrases(str(phrase) for phrases in chosen for phrase in phrases)


@lru_cache
def any_words(*kinds: str) -> Phrases:
    """All phrases of several kinds, of all languages."""
    return Phrases(stemmed=(phrase for kind in kinds for phrase in words(kind).all))


_SCRIPTS = (("ja", re.compile(r"[\u3040-\u30ff]")), ("ko", re.compile(r"[\uac00-\ud7af]")),
            ("ru", re.compile(r"[\u0400-\u04ff]")), ("zh", re.compile(r"[\u4e00-\u9fff]")))  # fmt: skip
_SMALL_WORDS = ("links", "joins", "prepositions", "purposes", "being", "located")
_FEWEST_WORDS = 3


def language_of(text: str, tokens: Iterable[Token]) -> str:
    """The language of a text (ISO 639-1), by its script or by its small words; "" where few of these stand there, or
    those of two languages."""
    for language, letters in _SCRIPTS:
        if letters.search(text):
            return language
    counts = Counter(language for token in tokens for language in _languages_of().get(token.stem, ()))
    (first, most), (_, second) = (counts.most_common(2) + [("", 0)] * 2)[:2]
    return first if most >= _FEWEST_WORDS and most > 1.3 * second else ""


@lru_cache
def _languages_of() -> dict[str, list[str]]:
    """Small words, as stems, to their languages."""
    known: dict[str, set[str]] = {}
    for kind in _SMALL_WORDS:
        for language, phrases in _file()[kind].items():
            for phrase in phrases:
                if len(stemmed := stems(str(phrase))) == 1:
                    known.setdefault(stemmed[0], set()).add(language)
    return {stem: sorted(languages) for stem, languages in known.items()}


@lru_cache
def _file() -> dict[str, Any]:
    read: dict[str, Any] = listed(_FILE)
    return read


_BOX = r"<input[^<>]*\btype=[\"']?checkbox[^<>]*>"
_EMPTY_BOX = re.compile(rf"☐|\[ \]|(?!<[^<>]*\bchecked){_BOX}", re.IGNORECASE)
_TICKED_BOX = re.compile(rf"☑|☒|\[[xX]\]|{_BOX}", re.IGNORECASE)
_CROSSED = re.compile(rf"[✗✘✖❌⛔🚫👎❎✕]|{_EMPTY_BOX.pattern}", re.IGNORECASE)
_TICKED = re.compile(rf"[✓✔✅👍]|{_TICKED_BOX.pattern}", re.IGNORECASE)
_AFTER_WORD = re.compile(r"[×✕✗]\s*(?:$|[\s、,/・|])")
_TAG = re.compile(r"<[^<>]*>")


def ticked(text: str) -> bool | None:
    """Does a text without words answer yes or no by a sign: ✓, ✗, ×, ○, a dash? None: it does neither."""
    said = html.unescape(_TAG.sub("", text)).strip(" :：=|\n\t")
    if _CROSSED.search(said) or re.fullmatch(r"[×✕xX–—−-]+", said):
        return False
    return True if _TICKED.search(said) or re.fullmatch(r"[○◯●◎√]+", said) else None


def crossed_out(text: str, tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Runs of tokens, each to the next sign, that a cross or an empty box stands before ("✗ laces ✓ zip") or, where
    signs stand behind what they are said of, after ("NFC ✗ | GPS ✓", "マイク×")."""
    if _CROSSED.search(text) is None and "×" not in text:
        return
    after = [0, *(token.end for token in tokens)]
    until = [*(token.start for token in tokens), len(text)]
    gaps = [text[start:end] for start, end in zip(after, until, strict=True)]
    for index in range(1, len(gaps)):
        if is_unspaced(tokens[index - 1].stem) and _AFTER_WORD.match(gaps[index]):
            yield run_begin(tokens, index - 1), index
    signs = [index for index, gap in enumerate(gaps) if _CROSSED.search(gap) or _TICKED.search(gap)]
    boxes = any(_EMPTY_BOX.search(gaps[index]) or _TICKED_BOX.search(gaps[index]) for index in signs)
    begun = gaps[0].strip() != "" or any(re.search(r"[\n|;•][^\w]*[✓✔✅✗✘✖❌]", gaps[index]) for index in signs)
    for place, index in enumerate(signs):
        if _CROSSED.search(gaps[index]) is None:
            continue
        if boxes or begun:
            last = signs[place + 1] if place + 1 < len(signs) else len(tokens)
            ends = [at for at in range(index + 1, last) if tokens[at].sentence != tokens[index].sentence]
            yield index, ends[0] if ends else last
        elif index:
            yield max(signs[place - 1] if place else 0, begin_of(tokens, index - 1, clause=False)), index


def denies_what_follows(label: Phrase) -> bool:
    """Does a label or heading, as stems, deny what stands under it: "Free from", "Contains no", "Not suitable for"?"""
    if label == ("0", "%"):
        return True
    if label == ("no",):
        return False  # "No. 12" has a number under it.
    if len(label) == 2 and label[:1] in words("denies_next") and label[1:] in words("containing"):
        return True
    for kind in ("denies_next", "denies_clause"):
        if any(last == len(label) and first <= 1 for first, last in words(kind).within(label)):
            return True
    for first, last in words("denies_before").within(label):
        small = (words(kind) for kind in ("purposes", "prepositions"))
        if first == 0 and last < len(label) and all(any((stem,) in one for one in small) for stem in label[last:]):
            return True
    return False


def answer(tokens: Sequence[Token], first: int, last: int) -> bool | None:
    """Do tokens `first` to `last` (exclusive) answer yes or no? None: they answer neither.

    An answer is the whole of them, or what a clause ends after ("No, but water-repellent").
    """
    if first >= last:
        return None
    for kind, meaning in (("no", False), ("yes", True)):
        width = words(kind).at(tokens, first, last)
        if width and (first + width == last or tokens[first + width].clause != tokens[first].clause):
            return meaning
    return None
