"""Expressions passed over by their letters: never one that would have been found."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.documents.orders import _candidates, _sieve
from reaseq.documents.sieve import Sieve, needles

TEXTS = Path(__file__).with_name("orders.txt").read_text().lower().splitlines()


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("ignore", {"ignore"}),
        ("ignore (?:this|that) rule", {"ignore this rule", "ignore that rule"}),
        (r"\brules?\b", {"rule"}),
        (r"(?:z|q)?ignor\w*", {"ignor"}),
        (r"say.{0,20}prompt", {"prompt"}),
        (r"di(?= que)", {"di que"}),
        (r"(?<!not )forget", {"forget"}),
        (r"[óo]lv", {"ólv", "olv"}),
        (r"x+y", {"x"}),
        (r"\w+", {""}),
        (r"a|\d", {""}),
    ],
)
def test_needles(pattern: str, needed: set[str]) -> None:
    assert needles(re.compile(pattern)) == needed


def test_every_order_gets_through() -> None:
    assert len(TEXTS) > 100
    sieve = _sieve()
    for text in TEXTS:
        found = [number for number, pattern in enumerate(_candidates()) if pattern.search(text)]
        assert set(found) <= set(sieve.left(text)), text


PARTS = st.sampled_from(
    ["ab", "cde", "忽略", r"\b", ".{0,3}", "(?:fgh|ij k)", "(?:lm)?", "[no]p", r"\d", "(?=qr)", "x*"]
)


@given(st.lists(PARTS, min_size=1, max_size=5), st.data())
def test_what_an_expression_finds_is_never_passed_over(parts: list[str], data: st.DataObject) -> None:
    pattern = re.compile("".join(parts))
    text = data.draw(st.from_regex(pattern))
    assert Sieve([re.compile("never"), pattern]).left(text) == [1] or "never" in text


def test_most_sentences_are_passed_over() -> None:
    said = "this stylish shoe with a soft midsole keeps you going all day on the road, even in the rain"
    assert len(_sieve().left(said)) < len(_candidates()) / 4
