"""Measures in one unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.taxonomy.units import canonical, same

LENGTHS = ("cm", "mm", "in", "m", "ft")


@pytest.mark.parametrize(
    ("value", "units", "expected"),
    [
        ("7 cm", LENGTHS, "7 cm"),
        ("2.5 in", LENGTHS, "6.35 cm"),
        ("70 mm", LENGTHS, "7 cm"),
        ("1 lb", ("g", "kg", "lb"), "453.6 g"),
        ("1.5 kw", ("W", "kW"), "1500 W"),
        ("90 min", ("h", "min"), "1.5 h"),
        ("12 oz", ("cm", "ml", "g"), "340.2 g"),
        ("12 ct", ("g", "ct"), "12 ct"),
        ("3 gear", ("speed", "gear"), "3 speed"),
        ("5 cm", ("g",), "5 cm"),
        ("5000 mah", ("mAh",), "5000 mAh"),
        ("0.02 mm", ("m",), "0.00002 m"),
        ("upper cm", LENGTHS, "upper cm"),
        ("1.2.3 mm", LENGTHS, "1.2.3 mm"),
        ("nan in", LENGTHS, "nan in"),
        ("", LENGTHS, ""),
    ],
)
def test_canonical(value: str, units: tuple[str, ...], expected: str) -> None:
    assert canonical(value, units) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("7 cm", "70 mm", True),
        ("7 cm", "2.75 in", True),
        ("7 cm", "2.5 in", False),
        ("7 cm", "7 mm", False),
        ("7 cm", "7", False),
        ("7", "7", True),
        ("", "", True),
        ("x cm", "x cm", True),
    ],
)
def test_same(one: str, other: str, expected: bool) -> None:
    assert same(one, other, LENGTHS) is expected
    assert same(other, one, LENGTHS) is expected


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_compared(one: str, other: str) -> None:
    assert same(one, one, LENGTHS)
    assert same(one, other, LENGTHS) is same(other, one, LENGTHS)
    assert canonical(f"{one} cm", LENGTHS) == f"{one} cm"


@given(
    st.floats(0.1, 1000), st.sampled_from(["cm", "mm", "in", "m", "ft"]), st.sampled_from(["cm", "mm", "in", "m", "ft"])
)
def test_what_is_converted_is_the_same(number: float, unit: str, wanted: str) -> None:
    value = f"{number:.6g} {unit}"
    assert same(value, canonical(value, (wanted,)), LENGTHS)
