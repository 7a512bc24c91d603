"""What the format of a cell shows around its number: units, currencies, a code's letters, leading zeros, per cent.

Formats are ECMA-376's (18.8.31). Of one with several sections the first is read; conditions, dates, fractions,
powers of ten and thousands that a format leaves out (`0.0,"k"`) are left alone: there the number itself counts.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from reaseq.knowledge_store.feeds.prices import currency_in

Rendering = Callable[[float], str]

_PART = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<money>[^\]-]*)(?:-[^\]]*)?\]|\[(?P<inside>[^\]]*)\]'
    r"|(?P<general>general)|(?P<number>[0#?][0#?,]*(?:\.[0#?]*)?,*)|(?P<percent>%)"
    r"|(?P<literal>[-+$():^'{}<>=!&~ ]|[^\x00-\x7f])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_SECTION = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|(;)|.', re.DOTALL)
_COLOUR = re.compile(r"(?:black|blue|cyan|green|magenta|red|white|yellow|colou?r ?\d{1,2})", re.IGNORECASE)
_OF_THE_READER = frozenset(
    (
        '"$"#,##0_);("$"#,##0)',
        '"$"#,##0_);[Red]("$"#,##0)',
        '"$"#,##0.00_);("$"#,##0.00)',
        '"$"#,##0.00_);[Red]("$"#,##0.00)',
        '_("$"* #,##0_);_("$"* \\(#,##0\\);_("$"* "-"_);_(@_)',
        '_("$"* #,##0.00_)_("$"* \\(#,##0.00\\)_("$"* "-"??_)_(@_)',
    )
)
"""Formats that a workbook names by a number alone: Excel shows the currency of the country that it is read in."""
_SAYS_NOTHING = " \u00a0+-()'"
_MOST_DECIMALS = 2
_GROUP = 3


def first_section(shown: str) -> str:
    ends = (found.start() for found in _SECTION.finditer(shown) if found[1])
    return shown[: next(ends, len(shown))]


@lru_cache(maxsize=4096)
def rendering(shown: str) -> Rendering | None:
    """What makes a number what a format shows; None where it shows but digits, or cannot be read."""
    made = _parsed(shown)
    return None if made is None or made[1] else made[0]


@lru_cache(maxsize=4096)
def is_scaled(shown: str) -> bool:
    """Does a format leave thousands out that it says by a word or sign (`0.0,"k"`)?"""
    made = _parsed(shown)
    return made is not None and made[1]


def _parsed(shown: str) -> tuple[Rendering, bool] | None:
    """The second: does it leave out thousands?"""
    if shown in _OF_THE_READER:
        return None
    texts, numbers = [""], list[re.Match[str]]()
    percent = scaled = False
    for part in _PART.finditer(first_section(shown)):
        if part["number"] or part["general"]:
            numbers.append(part)
            texts.append("")
            scaled = scaled or any(place.endswith(",") for place in (part["number"] or "").split("."))
        elif part["percent"]:
            if percent:
                return None
            percent = True
            texts[-1] += "%"
        elif part["other"] or (part["inside"] is not None and not _COLOUR.fullmatch(part["inside"])):
            return None
        else:
            texts[-1] += next((part[one] for one in ("quoted", "escaped", "money", "literal") if part[one]), "")
    if not numbers:
        return None
    before, behind = texts[0].lstrip(), texts[-1].rstrip()
    if scaled:
        return _around("", "", 0, 0, percent=False), True
    says = any(text.strip(_SAYS_NOTHING) for text in (before, behind))
    if len(numbers) > 1:
        places = [part["number"] or "." for part in numbers]
        if percent or any(set(place) - set("0#") for place in places):
            return None
        return _in_groups(before, behind, places, texts[1:-1]), False
    number = numbers[0]["number"] or ""
    whole, _, decimals = number.partition(".")
    width = 0 if "," in whole else whole.count("0")
    if not says and not (width > 1 and set(number) == {"0"}):
        return None
    least = min(decimals.count("0"), _MOST_DECIMALS)
    return _around(before if says else "", behind if says else "", width, least, percent=percent), False


def _around(before: str, behind: str, width: int, least: int, *, percent: bool) -> Rendering:
    has_words = bool(before or behind)
    is_price = currency_in(f"{before} {behind}") is not None

    def made(value: float) -> str:
        if not has_words:
            return f"{round(value):0{width}d}"
        exact = Decimal(f"{abs(value):.15g}") * (100 if percent else 1)
        whole, _, decimals = f"{exact:f}".partition(".")
        decimals = decimals.rstrip("0").ljust(least, "0")
        if is_price and len(decimals) == _GROUP:
            decimals += "0"  # three would look like thousands
        digits = whole.zfill(width) + (f".{decimals}" if decimals else "")
        return f"{'-' if value < 0 else ''}{before}{digits}{behind}"

    return made


def _in_groups(before: str, behind: str, places: list[str], between: list[str]) -> Rendering:
    """Of a whole number's digits in groups (`000-0000`)."""
    least = sum(place.count("0") for place in places)

    def made(value: float) -> str:
        digits = str(abs(round(value))).zfill(least)
        groups: list[str] = []
        for at in range(len(places) - 1, -1, -1):
            size = len(places[at]) if at else len(digits)
            groups.insert(0, digits[-size:] if size and digits else "")
            digits = digits[:-size] if size else digits
        text = "".join(group + gap for group, gap in zip(groups, [*between, ""], strict=True))
        return f"{'-' if value < 0 else ''}{before}{text}{behind}"

    return made
