"""Text as a sequence of comparable tokens, each of which knows where it stands in the text as received.

Two pieces of text match when their tokens are equal. Folding makes what people read as the same
compare as the same: width and compatibility forms (NFKC), case, plural and possessive endings,
hyphens, decimal commas, units, markup. Scripts written without spaces (Chinese, Japanese, Korean,
Thai, ...) become one token a character, so that a word is found inside a run of text.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from reaseq.documents.markup import Visible, read

STOP = frozenset(
    {"a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "for", "with", "from", "by", "is", "are", "was"}
    | {"be", "it", "its", "this", "that", "these", "those", "your", "you", "our", "und", "der", "die", "das", "für"}
)
"""Stems that say nothing by themselves."""
UNITS = {
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
    "inch": "in",
    '"': "in",
    "″": "in",
    "”": "in",
    "''": "in",
    "’’": "in",
    "zoll": "in",
    "pouce": "in",
    "pulgada": "in",
    "pollice": "in",
    "pollici": "in",
    "tum": "in",
    "foot": "ft",
    "feet": "ft",
    "go": "gb",
    "gram": "g",
    "gramm": "g",
    "gm": "g",
    "kilogram": "kg",
    "kilo": "kg",
    "ounce": "oz",
    "pound": "lb",
    "milliliter": "ml",
    "millilitre": "ml",
    "liter": "l",
    "litre": "l",
    "litro": "l",
    "litri": "l",
    "stunden": "h",
    "stunde": "h",
    "std": "h",
    "heure": "h",
    "hora": "h",
    "ora": "h",
    "ore": "h",
    "uur": "h",
    "uren": "h",
    "timmar": "h",
    "timme": "h",
    "percent": "%",
    "hour": "h",
    "hr": "h",
}

_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts that are written without spaces, or that endings are joined to without one."""
_LETTER = rf"[^\W\d_{_UNSPACED}]"
_WORD = re.compile(
    r"(?P<number>\d{1,3}(?:['’]\d{3})+(?![\d'’])(?:[.,]\d+)?|(?<![\w.,])[.,]\d+(?![.,]?\d)|\d+(?:[.,]\d+)*)"
    rf"|(?P<unspaced>[{_UNSPACED}])"
    rf"|(?P<word>{_LETTER}+(?:['’]{_LETTER}+)*)"
    r"|(?P<unit>''|’’|[\"″”%°])"
    r"|(?P<sentence>(?:(?<![âÃÂ])\?|[!;。！？；।॥؟۔\n\r\t•·|●▪◦‣■★►▶➤✓✔☑✅])+"  # "Boostâ?¢" asks nothing
    rf"|\.(?=[\"”’»)\]]*(?:\s|$))|(?<={_LETTER}{{3}})\.(?={_LETTER}{{3}}))"
    r"|(?P<clause>[,:=()\[\]、，：＝（）–—]+|\s-+\s)"
)
_BROKEN, _BROKEN_SIGNS = "âã", ("®", "©", "?", "¢")
"""What is left of a sign behind a word whose bytes were read as another encoding: "Boostâ?¢", "OrthoLiteÂ®"."""
_ABBREVIATIONS = {
    "o": "ohne",
    "m": "mit",
    "u": "und",
    "wahlw": "wahlweise",
    "ggf": "gegebenenfalls",
    "evtl": "eventuell",
    "inkl": "inklusive",
    "exkl": "exklusive",
    "zzgl": "zuzüglich",
    "bzw": "beziehungsweise",
    "abnehmb": "abnehmbar",
    "verstellb": "verstellbar",
    "max": "max",
    "ref": "ref",
    "réf": "réf",
    "cod": "cod",
    "min": "min",
    "nr": "nr",
    "gr": "gr",
    "ca": "ca",
    "incl": "incl",
    "excl": "excl",
    "approx": "approx",
    "aprox": "aprox",
    "env": "env",
    "vs": "vs",
}
"""What a full stop behind them ends is no sentence, and what they stand for; letters only where they are small ("M." is
a size) and stand behind no number ("5 m.")."""
_FRACTION_SLASH = "\u2044"
_HALFWIDTH_MARKS = "\uff9e\uff9f"


def is_unspaced(stem: str) -> bool:
    """Is it one character of a script that is written without spaces?"""
    return len(stem) == 1 and _ONE_UNSPACED.match(stem) is not None


_ONE_UNSPACED = re.compile(f"[{_UNSPACED}]")
_KATAKANA = re.compile(r"[\u30a0-\u30ff]")


def is_katakana(stem: str) -> bool:
    """Is it one letter of the script that Japanese writes foreign words in?"""
    return _KATAKANA.fullmatch(stem) is not None


class Token(NamedTuple):
    """`stem` is what is compared; `start:end` is where it stands in the text as received."""

    stem: str
    start: int
    end: int
    sentence: int
    clause: int


class Mark(NamedTuple):
    """Signs between tokens: `signs` stand before the token `before`. `line` counts the line feeds so far."""

    signs: str
    before: int
    line: int


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, left to right."""
    return scan(read(text))[0]


def scan(visible: Visible) -> tuple[list[Token], list[Mark]]:
    """The tokens of a text, and the signs that part its sentences and clauses."""
    folded, places = _fold(visible.text)
    tokens: list[Token] = []
    marks: list[Mark] = []
    sentence = clause = line = 0
    after_number = False
    origin = visible.origin
    for match in _WORD.finditer(folded):
        kind = match.lastgroup
        if kind == "sentence" or kind == "clause":
            signs = match.group()
            if signs == ".":
                stop = match.start() if places is None else places[match.start()][0]
                if tokens and (full := _spelt_out(visible.text, stop, tokens)):
                    tokens[-1] = tokens[-1]._replace(stem=full)
                    continue
                if not _ends(visible.text, stop):
                    continue
            if kind == "sentence":
                sentence += 1
                line += signs.count("\n")
            clause += 1
            marks.append(Mark(signs, len(tokens), line))
            continue
        stem = match.group()
        start, end = match.span()
        if kind == "word":
            if stem[-1] in _BROKEN and folded[end : end + 1] in _BROKEN_SIGNS and (bare := stem.rstrip(_BROKEN)):
                stem, end = bare, start + len(bare)
            stem = _stem(stem)
            if after_number:
                stem = UNITS.get(stem, stem)
            after_number = False
        elif kind == "number":
            stem = stem.replace(",", ".").replace("'", "").replace("’", "")
            stem = f"0{stem}" if stem[0] == "." else stem
            after_number = True
        elif kind == "unit":
            if not after_number:
                continue
            stem = UNITS.get(stem, stem)
            after_number = False
        else:
            after_number = False
        if places is not None:
            start, end = places[start][0], places[end - 1][1]
        if origin is not None:
            start, end = origin[start][0], origin[end - 1][1]
        tokens.append(Token(stem, start, end, sentence, clause))
    return tokens, marks


def _spelt_out(text: str, stop: int, tokens: Sequence[Token]) -> str:
    """The stem of what the abbreviation before a full stop stands for; "" if none stands there."""
    full = _ABBREVIATIONS.get(tokens[-1].stem, "")
    letter = len(tokens[-1].stem) == 1
    if not full or (letter and (text[stop - 1].isupper() or (len(tokens) > 1 and tokens[-2].stem[0].isdigit()))):
        return ""
    return _stem(full) if text[stop + 1 : stop + 2].isspace() else ""


def _ends(text: str, stop: int) -> bool:
    """Does a full stop end a sentence? None does behind letters of an abbreviation ("React A.I.R. lets go"), and one
    without a blank behind it only where markup was taken off ("soft lining.The sole"), not in "asos.com"."""
    before, after = text[max(0, stop - 3) : stop], text[stop + 1 : stop + 2]
    if before[-1:].isalpha() and before[-2:-1] == "." and before[:1].isalpha():
        return False
    return not after.isalpha() or (after.isupper() and before[-1:].islower())


def is_glued(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Does a hyphen join token `index` to the next? text: what the tokens were read from."""
    after = index + 1
    return 0 <= index < len(tokens) - 1 and text[tokens[index].end : tokens[after].start] in ("-", "‐", "‑")


def is_inflected(text: str, token: Token) -> bool:
    """Is the word that was read from `text` another than its stem: "feels", "shoes"?"""
    return text[token.start : token.end].casefold() != token.stem


def run_begin(tokens: Sequence[Token], index: int) -> int:
    """Where the run of characters without a blank begins that token `index` is part of, in a script without blanks
    between words; `index` in any other."""
    while index and is_unspaced(tokens[index].stem) and tokens[index - 1].end == tokens[index].start:
        index -= 1
    return index


@lru_cache(maxsize=1 << 17)
def stems(text: str) -> tuple[str, ...]:
    """What `text` compares as. For terms and values, which recur."""
    return tuple(token.stem for token in tokenize(text))


def bracketed_end(text: str, start: int, end: int) -> int:
    """`end`, or where the bracket closes right behind it that opens in the text from `start` on."""
    for opens, closes in ("()", "[]", "（）", "【】"):
        if text.count(opens, start, end) > text.count(closes, start, end) and text[end : end + 1] == closes:
            return end + 1
    return end


def end_of(tokens: Sequence[Token], index: int, *, clause: bool) -> int:
    """Where the clause, or else the sentence, of token `index` ends (exclusive)."""
    here = tokens[index]
    last = index + 1
    while last < len(tokens) and (
        tokens[last].clause == here.clause if clause else tokens[last].sentence == here.sentence
    ):
        last += 1
    return last


def begin_of(tokens: Sequence[Token], index: int, *, clause: bool) -> int:
    """Where the clause, or else the sentence, of token `index` begins."""
    here = tokens[index]
    while index and (
        tokens[index - 1].clause == here.clause if clause else tokens[index - 1].sentence == here.sentence
    ):
        index -= 1
    return index


def sentence_of(tokens: Sequence[Token], index: int) -> range:
    """The tokens of the sentence of token `index`."""
    return range(begin_of(tokens, index, clause=False), end_of(tokens, index, clause=False))


def find(needle: Sequence[str], tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Every place `(first, last + 1)` in `tokens` where the stems `needle` stand in a row, in one sentence."""
    width = len(needle)
    if not width:
        return
    first = needle[0]
    for index in range(len(tokens) - width + 1):
        if (
            tokens[index].stem == first
            and tokens[index].sentence == tokens[index + width - 1].sentence
            and all(tokens[index + offset].stem == needle[offset] for offset in range(1, width))
        ):
            yield index, index + width


def _fold(text: str) -> tuple[str, list[tuple[int, int]] | None]:
    """Folded text, and for each of its characters the span of `text` it came from; None where all stay in place."""
    if text.isascii():
        return text.lower(), None
    parts: list[str] = []
    origin: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(text) + 1):
        # Marks that combine with the character before them are folded together with it.
        if end < len(text) and _continues(text[end]):
            continue
        piece = _folded(text[start:end])
        parts.append(piece)
        origin.extend([(start, end)] * len(piece))
        start = end
    return "".join(parts), origin


@lru_cache(maxsize=1 << 12)
def _folded(char: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    # "5¼" is no 51: a fraction's sign begins a number of its own.
    return " " + folded if _FRACTION_SLASH in folded else folded


def _continues(char: str) -> bool:
    if char < "\u0300":
        return False
    return unicodedata.combining(char) != 0 or char in _HALFWIDTH_MARKS or "\u1160" <= char <= "\u11ff"


_NO_PLURALS = frozenset(("paars",))
"""Words in -s that are none, beside others without it: Dutch purple, and a pair."""


@lru_cache(maxsize=1 << 14)
def _stem(word: str) -> str:
    if word in _NO_PLURALS:
        return word
    word = word.replace("’", "'")
    word = word.removesuffix("'s").removesuffix("'").replace("'", "")
    if len(word) > 3 and word.endswith("s") and word.isascii():
        if word.endswith("ies") and len(word) > 4:
            return word[:-3] + "y"
        if word.endswith(("sses", "shes", "ches", "xes", "zes")):
            return word[:-2]
        if not word.endswith(("ss", "us", "is")):
            return word[:-1]
    return word
