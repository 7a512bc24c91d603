"""Measures in one unit, so that they compare: `2.5 in` and `6.35 cm` are one heel height."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from reaseq.documents.tokens import UNITS, stems

_PINT = {
    **{unit: unit for unit in ("mm", "cm", "m", "ft", "g", "kg", "oz", "lb", "ml", "cl", "l", "h", "min", "bar")},
    **{"in": "inch", "w": "watt", "kw": "kilowatt", "v": "volt", "hz": "hertz", "gb": "gigabyte", "tb": "terabyte"},
    "atm": "bar",
    **{
        "watt": "watt",
        "volt": "volt",
        "lbs": "lb",
        "minute": "min",
        "minuten": "min",
        "minuti": "min",
        "minuto": "min",
        "minuter": "min",
    },
}
"""Unit as a stem to its name in pint. On a product "10 atm" is what "10 bar" is, ten metres of water each: nobody means
1013 hPa. Others, such as `ct`, mean different things on different
products, and are left as they are."""
_OF_ONE_THING = frozenset(("mah", "%", "rpm", "ppm", "lm", "dpi", "mp", "j", "nm", "ct"))
"""Units that measure, and that pint does not know by that name or that mean several things."""
_SAME = 0.02
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def canonical(value: str, units: Sequence[str]) -> str:
    """`value`, a number and a unit, in the first of `units` that measures the same thing, with four digits. Units of
    which none measures anything count the same things ("2 people" is 2 person).

    It stays as it is if there is no such unit, or if it is no number and unit.
    """
    number, _, unit = value.partition(" ")
    if not _NUMBER.fullmatch(number):
        return value
    if units and not any(map(is_physical, units)):
        return f"{number} {units[0]}" if stems(unit) in map(stems, units) else value
    name = _pint_name(unit)
    if not name:
        return next((f"{number} {wanted}" for wanted in units if stems(wanted) == stems(unit)), value)
    for wanted in units:
        target = _pint_name(wanted)
        if target == name:
            return f"{number} {wanted}"
        if target and _registry().Unit(target).dimensionality == _registry().Unit(name).dimensionality:
            magnitude = _registry().Quantity(float(number), name).to(target).magnitude
            return f"{Decimal(f'{magnitude:.4g}'):f} {wanted}"
    return value


def same(one: str, other: str, units: Sequence[str]) -> bool:
    """Do both measure the same, give or take two hundredths, which is what rounding from one unit to another takes?"""
    first, _, unit = canonical(one, units).partition(" ")
    second, _, other_unit = canonical(other, units).partition(" ")
    if not _NUMBER.fullmatch(first) or not _NUMBER.fullmatch(second):
        return one == other
    a, b = float(first), float(second)
    return stems(f"1 {unit}") == stems(f"1 {other_unit}") and abs(a - b) <= _SAME * max(abs(a), abs(b))


def is_in(value: str, units: Sequence[str]) -> bool:
    """Is the measure given in one of the units?"""
    unit = value.partition(" ")[2]
    return any(stems(f"1 {unit}") == stems(f"1 {wanted}") for wanted in units)


def is_physical(unit: str) -> bool:
    """Does the unit measure a length, a weight, a time and so on, and count no things?"""
    return _pint_name(unit) is not None or stems(unit)[0] in _OF_ONE_THING


def _pint_name(unit: str) -> str | None:
    stem = unit.strip().casefold()
    return _PINT.get(UNITS.get(stem, stem))


@lru_cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(cache_folder=None)
