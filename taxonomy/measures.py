"""Measures in a product's document: numbers with a unit, of which some are the product's and others are not.

A tolerance is no measure ("2400 +/- 10 g" is 2400 g), neither is an end of a range, a factor ("2 x 500 ml"), a
fraction's denominator, the weight of a rider or of a parcel. The unit may stand in the label ("Weight (kg): 1.7").
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reaseq.documents.document import Field
from reaseq.documents.language import Phrases, words
from reaseq.documents.tokens import UNITS, Token, begin_of, end_of, stems
from reaseq.taxonomy.parts import Part
from reaseq.taxonomy.schema import Attribute
from reaseq.taxonomy.units import is_physical

_TOLERANCE = re.compile(r"\s*(?:±|\+\s?/?\s?[-−–])\s*")
_RANGE = re.compile(r"\s*[-–—~〜～−]\s*")
_TIMES = re.compile(r"\s*[x×*✕]\s*", re.IGNORECASE)
_LISTED = ("/", "x", "×", ",", "、", "+", "&")
"""Signs between numbers of which none stands alone ("16, 20, 24 cm")."""
_SMALL = frozenset(("g", "mm", "ml", "w", "lm", "mah", "v", "hz", "ppm", "rpm", "ft"))
"""Units of which people have thousands and write no thousandths: "2,400 g"."""
_THOUSANDS = re.compile(r"\d{1,3}([.,]\d{3})+")
_DENOMINATORS = frozenset((2, 3, 4, 8, 16))


_UNIT_OF = {
    stems(word): unit
    for unit, spelt in {
        "in": ("インチ", "英寸", "吋"),
        "cm": ("センチ", "センチメートル", "厘米", "公分"),
        "mm": ("ミリ", "ミリメートル", "毫米"),
        "m": ("メートル", "米"),
        "kg": ("キロ", "キログラム", "公斤", "千克"),
        "g": ("グラム", "克"),
        "ml": ("ミリリットル", "毫升"),
        "l": ("リットル", "升"),
        "h": ("時間", "小时"),
        "w": ("ワット", "瓦"),
        "atm": ("気圧", "气压"),
    }.items()
    for word in spelt
}
"""Units in scripts without spaces, as stems."""
_SPELT_OUT = Phrases("".join(word) for word in _UNIT_OF)


class Measured(NamedTuple):
    """Tokens `first` to `last` (exclusive) say `value`. alone: no end of a range, factor or fraction."""

    first: int
    last: int
    value: str
    alone: bool


def measured(attribute: Attribute, field: Field, first: int, end: int, unit: str) -> Iterator[Measured]:
    """Every number in the attribute's units among tokens `first` to `end` (exclusive). unit: what a number without one
    is in, if that is sure."""
    units = {UNITS.get(stem, stem) for term in attribute.units for stem in stems(term)}
    tokens = field.tokens
    for index in range(first, end):
        token = tokens[index]
        if not token.stem[0].isdigit():
            continue
        if index and tokens[index - 1].stem[0].isdigit() and _TOLERANCE.fullmatch(_between(field, index - 1, index)):
            continue
        fraction = _fraction(field, index, end)
        last = index + (fraction[1] if fraction else 1)
        if last < end and tokens[last].stem[0].isdigit() and _TOLERANCE.fullmatch(_between(field, index, last)):
            last += 1
        if last < end and tokens[last].stem in units and tokens[last].sentence == token.sentence:
            named, last = tokens[last].stem, last + 1
        elif last < end and (spelt := _spelt_out(tokens, last, end)) and spelt[0] in units:
            named, last = spelt[0], last + spelt[1]
        elif "tb" in units and last < end and field.text[tokens[last].start : tokens[last].end] == "To":
            named, last = "tb", last + 1  # French, and written so in no other case
        elif unit and last == end:
            named = unit
        else:
            continue
        if field.text[tokens[last - 1].end : tokens[last - 1].end + 1].isdigit() and named.isalpha():
            continue  # "H009L01": an article's number
        number = fraction[0] if fraction else _number(field, token, named)
        yield Measured(index, last, f"{number} {named}", not _joined(field, index, last))


def _fraction(field: Field, index: int, end: int) -> tuple[str, int] | None:
    """The value of "3 1/2", "3½" or "1/2" that begins at token `index`, and how many tokens it is."""

    def part(at: int) -> float | None:
        if at + 1 >= end or not (field.tokens[at].stem.isdigit() and field.tokens[at + 1].stem.isdigit()):
            return None
        above, below = int(field.tokens[at].stem), int(field.tokens[at + 1].stem)
        one_sign = field.tokens[at].start == field.tokens[at + 1].start
        slashed = one_sign or _between(field, at, at + 1).strip() in ("/", "⁄")
        return above / below if slashed and below in _DENOMINATORS and above < below else None

    if (alone := part(index)) is not None:
        return f"{alone:g}", 2
    more = part(index + 1)
    if more is None or not field.tokens[index].stem.isdigit() or _between(field, index, index + 1).strip(" -\xa0"):
        return None
    return f"{int(field.tokens[index].stem) + more:g}", 3


def _spelt_out(tokens: Sequence[Token], index: int, last: int) -> tuple[str, int] | None:
    """The unit that is spelt out at `index` in several characters, and how many."""
    width = _SPELT_OUT.at(tokens, index, last)
    return (_UNIT_OF[tuple(token.stem for token in tokens[index : index + width])], width) if width else None


def count_unit(attribute: Attribute) -> str:
    """The unit of a number without one under a label that asks for the attribute, where that is a count ("Gears: 24"):
    there, none of its units measures anything."""
    return "" if any(map(is_physical, attribute.units)) else stems(attribute.units[0])[0]


def _joined(field: Field, first: int, last: int) -> bool:
    """Is it an end of a range, a factor or part of a fraction?"""
    tokens = field.tokens
    before = first - 1
    if before >= 0 and not tokens[before].stem[0].isdigit():
        if words("ranges").at(tokens, before) or tokens[before].stem in ("x", "×"):
            before -= 1
            if before >= 0 and tokens[before].stem[0].isdigit():
                return True
            before -= 1
            return before >= 0 and tokens[before].stem[0].isdigit()
        # "10 cm - 20 cm"
        if before and tokens[before - 1].stem[0].isdigit() and _RANGE.fullmatch(_between(field, before, first)):
            return True
    elif before >= 0:
        between = _between(field, before, first)
        named = tokens[before].start > 0 and field.text[tokens[before].start - 1].isalpha()
        if not between.strip() and not named:
            # "5 300 mAh" is one number, "SPF 30 50 ml" are two, "A54 128 GB" has but one.
            listed = before and tokens[before - 1].stem[0].isdigit() and not _between(field, before - 1, before).strip()
            thousands = len(tokens[first].stem) == 3 and tokens[first].stem.isdigit()
            return listed or thousands or _fraction(field, first, last) is not None
        if _RANGE.fullmatch(between) or _TIMES.fullmatch(between) or between.strip() in _LISTED:
            return True
    if last < len(tokens):
        after = _between(field, last - 1, last)
        if tokens[last].stem[0].isdigit():
            return bool(_RANGE.fullmatch(after) or _TIMES.fullmatch(after))
        if words("ranges").at(tokens, last) or tokens[last].stem == "x":
            return last + 1 < len(tokens) and tokens[last + 1].stem[0].isdigit()
    return False


def _between(field: Field, one: int, other: int) -> str:
    return field.text[field.tokens[one].end : field.tokens[other].start]


def _number(field: Field, token: Token, unit: str) -> str:
    """The number with a decimal point. Three digits after a comma or point are thousands in units that have them."""
    written = field.text[token.start : token.end]
    if not _THOUSANDS.fullmatch(written):
        if "," in written and "." in written:
            decimal = max(written.rfind(","), written.rfind("."))
            return re.sub(r"[.,]", "", written[:decimal]) + "." + written[decimal + 1 :]
        return token.stem
    if len(re.findall(r"[.,]", written)) > 1 or unit in _SMALL:
        return re.sub(r"[.,]", "", written)
    return token.stem


def is_extension(tokens: Sequence[Token], index: int) -> bool:
    """Does the clause of token `index` say what the product may come to have ("expandable up to 32 GB")?"""
    clause = range(begin_of(tokens, index, clause=True), end_of(tokens, index, clause=True))
    return any(words("extends").at(tokens, at) for at in clause)


def is_limit(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Does a word for the most stand right before or after a number: "max. 60 W", "40W以下"?"""
    before = any(words("limits").at(tokens, at, first) == first - at for at in range(max(0, first - 2), first))
    return before or (last < len(tokens) and words("limits").at(tokens, last) > 0)


def beside_numbers(
    tokens: Sequence[Token], numbers: Sequence[Measured], parts: Mapping[int, Part]
) -> dict[int, Measured]:
    """Parts, by their first token, that stand right behind or before one of several numbers: each is that one's alone
    ("64 GB, 3 GB RAM"). One between two numbers is the first one's if the other has another behind it ("8 GB RAM 256 GB
    storage"), and else may be either's."""

    def joined(at: int) -> bool:
        return 0 < at < len(tokens) and tokens[at].clause == tokens[at - 1].clause

    behind = {number.last: number for number in numbers if number.last in parts and joined(number.last)}
    before = {number.first: number for number in numbers if joined(number.first)}
    found: dict[int, Measured] = {}
    for at, part in parts.items():
        mine, other = behind.get(at), before.get(part.last)
        if mine and (other is None or other.last in behind):
            found[at] = mine
        elif other and mine is None:
            found[at] = other
    return found if len(numbers) > 1 else {}


def has_own_size(tokens: Sequence[Token], index: int) -> bool:
    """Is it a part or packaging whose size is meant ("seat width", "package width")?"""
    return any((tokens[index].stem,) in words(kind) for kind in ("parts", "packagings", "sized"))
