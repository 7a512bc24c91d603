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
    "foot": "ft",
    "feet": "ft",
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
    "percent": "%",
    "hour": "h",
    "hr": "h",
}

_BLOCK_TAG = re.compile(r"</?(?:br|p|li|ul|ol|div|tr|td|th|table|h[1-6]|hr)\b", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]{0,300}>|&(?:[a-zA-Z]{2,10}|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
_WORD = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)*)"
    r"|(?P<unspaced>[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\U00020000-\U0003ffff])"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)"
    r"|(?P<unit>[\"″%°])"
    r"|(?P<sentence>[!?;。!?;\n\r•·|]+|\.(?=\s|$))"
    r"|(?P<clause>[,:()\[\]、，–—]+|\s-\s)"
)
_HALFWIDTH_MARKS = "\uff9e\uff9f"


class Token(NamedTuple):
    """`stem` is what is compared; `start:end` is where it stands in the text as received."""

    stem: str
    start: int
    end: int
    sentence: int
    clause: int


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, left to right."""
    folded, origin = _fold(text)
    tokens: list[Token] = []
    sentence = clause = 0
    skip_until = 0
    markup = list(_MARKUP.finditer(folded))
    breaks = iter([(m.start(), m.end(), _BLOCK_TAG.match(m.group()) is not None) for m in markup])
    mark = next(breaks, None)
    for match in _WORD.finditer(folded):
        start, end = match.span()
        while mark is not None and mark[0] <= start:
            skip_until = mark[1]
            if mark[2]:
                sentence += 1
                clause += 1
            mark = next(breaks, None)
        if start < skip_until:
            continue
        kind = match.lastgroup
        if kind == "sentence":
            sentence += 1
            clause += 1
        elif kind == "clause":
            clause += 1
        else:
            after_number = bool(tokens) and tokens[-1].stem[0].isdigit()
            if kind == "unit" and not after_number:
                continue
            stem = _stem(match.group(), kind or "")
            if after_number:
                stem = UNITS.get(stem, stem)
            tokens.append(Token(stem, origin[start][0], origin[end - 1][1], sentence, clause))
    return tokens


@lru_cache(maxsize=1 << 14)
def stems(text: str) -> tuple[str, ...]:
    """What `text` compares as. For terms and values, which recur."""
    return tuple(token.stem for token in tokenize(text))


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


def _fold(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Folded text, and for each of its characters the span of the received text it came from."""
    if text.isascii():
        return text.lower(), [(index, index + 1) for index in range(len(text))]
    parts: list[str] = []
    origin: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(text) + 1):
        # Marks that combine with the character before them are folded together with it.
        if end < len(text) and _continues(text[end]):
            continue
        piece = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[start:end]).casefold())
        parts.append(piece)
        origin.extend([(start, end)] * len(piece))
        start = end
    return "".join(parts), origin


def _continues(char: str) -> bool:
    return unicodedata.combining(char) != 0 or char in _HALFWIDTH_MARKS or "\u1160" <= char <= "\u11ff"


def _stem(word: str, kind: str) -> str:
    if kind == "number":
        return word.replace(",", ".")
    if kind != "word":
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
