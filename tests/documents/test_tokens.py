"""Folding and tokens: what compares as the same, and that every token knows where it stands."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.documents.tokens import find, stems, tokenize


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Women's", "women"),
        ("women’s", "WOMEN"),
        ("heels", "Heel"),
        ("lace-up", "lace up"),
        ("5cm", "5 centimetres"),
        ("５ｃｍ", "5 cm"),
        ('2.5"', "2,5 inches"),
        ("bodies", "body"),
        ("boxes", "box"),
        ("Straße", "STRASSE"),
        ("ﾊﾞｯｸﾞ", "バッグ"),
        ("e\u0301tui", "étui"),
        ("ﬁt", "fit"),
        ("<b>Leather</b>", "leather"),
        ("soft&nbsp;suede", "soft suede"),
    ],
)
def test_reads_as_the_same(one: str, other: str) -> None:
    assert stems(one) == stems(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("leather", "pleather"), ("5 cm", "5 mm"), ("2.5 in", "25 in"), ("glass", "gla"), ("本革", "革")],
)
def test_stays_different(one: str, other: str) -> None:
    assert stems(one) != stems(other)


def test_sentences_and_clauses() -> None:
    tokens = tokenize("Leather upper, rubber sole. Not waterproof<br>New")
    assert [(token.stem, token.sentence) for token in tokens] == [
        ("leather", 0),
        ("upper", 0),
        ("rubber", 0),
        ("sole", 0),
        ("not", 1),
        ("waterproof", 1),
        ("new", 2),
    ]
    assert tokens[1].clause != tokens[2].clause


def test_a_unit_is_a_unit_only_after_a_number() -> None:
    assert stems("in 5 in, foot 3 foot") == ("in", "5", "in", "foot", "3", "ft")


_TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(list("aA éßﬁ５ｃｍ革ﾊﾞバ\u0301<>&;'’\"-.,。 1259")),
    ),
    max_size=80,
)


@given(_TEXT)
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    tokens = tokenize(text)
    for token in tokens:
        assert 0 <= token.start < token.end <= len(text)
        assert token.stem
    for before, after in pairwise(tokens):
        assert before.start <= after.start
        assert before.sentence <= after.sentence
        assert before.clause <= after.clause


@given(_TEXT, st.data())
def test_what_is_cut_from_a_text_is_found_in_it(text: str, data: st.DataObject) -> None:
    """The quote of a claim: a run of whole tokens, cut out as received, is found again where it was."""
    tokens = tokenize(text)
    if not tokens:
        return
    first = data.draw(st.integers(0, len(tokens) - 1))
    last = data.draw(st.integers(first + 1, len(tokens)))
    needle = tuple(token.stem for token in tokens[first:last])
    places = list(find(needle, tokens))
    if tokens[first].sentence == tokens[last - 1].sentence:
        assert (first, last) in places
    for start, end in places:
        assert tuple(token.stem for token in tokens[start:end]) == needle


@given(_TEXT)
def test_folding_ascii_or_not_agree(text: str) -> None:
    """The quick path for ASCII gives what the general one does."""
    plain = text.encode("ascii", "ignore").decode()
    marked = [token.stem for token in tokenize(plain + " é")]
    assert marked[: len(tokenize(plain))] == [token.stem for token in tokenize(plain)] or "<" in plain or "&" in plain


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Soft lining.The sole grips.", 2),  # As where markup was taken off.
        ("Weiches Futter.Der Schuh", 2),
        ("Sold at asos.com since then", 1),
        ("The React A.I.R. lets go of laces.", 1),
        ("The O.X. Shoe. Made of mesh", 2),
        ("5.5 cm", 1),
    ],
)
def test_where_sentences_end(text: str, sentences: int) -> None:
    assert tokenize(text)[-1].sentence + 1 == sentences
