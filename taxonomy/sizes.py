"""Sizes in one way of writing: `X-Large`, `extra large` and `XL` are one, and so are `42 EU` and `EUR 42`.

A size of one system is never made one of another: what EU 42 is in US sizes differs from brand to brand
(ISO 9407 measures feet in millimetres for that reason).
"""

import re

_SYSTEMS = {"eu": "EU", "eur": "EU", "euro": "EU", "uk": "UK", "us": "US", "usa": "US", "fr": "FR", "it": "IT",
            "de": "DE", "jp": "JP", "au": "AU", "cn": "CN"}  # fmt: skip
_FRACTIONS = {"½": " 1/2", "⅓": " 1/3", "⅔": " 2/3", "¼": " 1/4", "¾": " 3/4"}
_ONE = re.compile(r"(?:one|free)[ -]?size(?: fits (?:all|most))?|o/?s|einheitsgröße|taille unique", re.IGNORECASE)
_LETTERS = re.compile(
    r"(?:(?P<times>[2-9])?(?P<xs>x*)[ -]?|(?P<extra>(?:extra[ -]+)+))(?P<size>s|m|l|small|medium|large)", re.IGNORECASE
)
_NUMBER = r"(?P<number>\d{1,3}(?:[.,]\d)?(?: \d/\d)?)"
_SYSTEM = rf"(?P<system>{'|'.join(sorted(_SYSTEMS, key=len, reverse=True))})"
_WIDTH = r"(?: ?\(?(?P<width>[a-e]|ee|eee|w|ww|n|m)\)?)?"
_NUMBERED = [
    re.compile(rf"(?:size )?{_SYSTEM}[ :.-]*{_NUMBER}{_WIDTH}", re.IGNORECASE),
    re.compile(rf"(?:size )?{_NUMBER}{_WIDTH} ?\(?{_SYSTEM}\)?", re.IGNORECASE),
]


def canonical_size(text: str) -> str:
    """`text` as sizes are written here: `XS` to `9XL`, `one size`, or system, number and width (`US 9.5 W`). What is
    nothing of the kind stays as it is."""
    size = " ".join(text.split())
    for sign, fraction in _FRACTIONS.items():
        size = size.replace(sign, fraction)
    size = " ".join(size.split())
    if _ONE.fullmatch(size):
        return "one size"
    if letters := _letters(size):
        return letters
    for pattern in _NUMBERED:
        if found := pattern.fullmatch(size):
            number = found["number"].replace(",", ".").removesuffix(".0").replace(" 1/2", ".5")
            width = f" {found['width'].upper()}" if found["width"] else ""
            return f"{_SYSTEMS[found['system'].casefold()]} {number}{width}"
    return text


def _letters(size: str) -> str | None:
    found = _LETTERS.fullmatch(size)
    if not found:
        return None
    letter = found["size"][0].upper()
    written = len(found["xs"] or "") or (found["extra"] or "").casefold().count("extra")
    if found["times"] and written > 1:
        return None
    times = int(found["times"]) if found["times"] else written
    if letter == "M":
        return "M" if not times else None
    return {0: "", 1: "X"}.get(times, f"{times}X") + letter
