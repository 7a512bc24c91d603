"""How far classes of evidence are trusted: judged claims, drawn towards what is known more widely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.documents.document import Document
from reaseq.taxonomy.evidence import Evidence
from reaseq.taxonomy.trust import VERIFIED_FROM, Trust, shipped

_SORTS = ("kind", "material", "look", "measure", "audience", "need", "words", "fact")


def test_what_was_judged_counts_more_the_more_was_judged() -> None:
    few = Trust({(Evidence.PROSE, "look"): (1, 1)})
    many = Trust({(Evidence.PROSE, "look"): (99, 100)})
    assert 0.8 < few(Evidence.PROSE, "look") < many(Evidence.PROSE, "look") < 1


def test_an_unjudged_sort_is_as_its_class_and_a_class_as_its_like() -> None:
    trust = Trust({(Evidence.COLUMN, "look"): (90, 90), (Evidence.PROSE, "kind"): (5, 50)})
    assert trust(Evidence.LABEL, "fact") > 0.9 > 0.5 > trust(Evidence.TITLE, "kind")


def test_people_who_decide_move_it() -> None:
    before = shipped()
    after = before.with_counts({(Evidence.PROSE, "need", ""): (0, 20)})
    assert before(Evidence.PROSE, "need") > VERIFIED_FROM > after(Evidence.PROSE, "need")


def test_what_is_judged_in_one_language_counts_there_most() -> None:
    before = shipped()
    after = before.with_counts({(Evidence.LABEL, "material", "de"): (0, 5)})
    german, unknown = after(Evidence.LABEL, "material", "de"), after(Evidence.LABEL, "material")
    assert german < unknown < before(Evidence.LABEL, "material")
    assert after(Evidence.LABEL, "material", "fr") == unknown


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A black boot of leather with a sole made of rubber", "en"),
        ("Der Stiefel ist aus Leder, mit einer Sohle aus Gummi", "de"),
        ("La chaussure est en cuir, avec une semelle de caoutchouc pour la pluie", "fr"),
        ("La scarpa è in pelle con la suola di gomma per la pioggia", "it"),
        ("本革のスニーカー", "ja"),
        ("牛皮运动鞋", "zh"),
        ("Damen Wanderschuh", ""),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert Document({"title": text}).language == language


def test_every_class_is_known() -> None:
    assert all(0 < shipped()(evidence, sort) < 1 for evidence in Evidence for sort in _SORTS)


_COUNT = st.integers(0, 50).flatmap(lambda judged: st.tuples(st.integers(0, judged), st.just(judged)))


@given(st.dictionaries(st.tuples(st.sampled_from(list(Evidence)), st.sampled_from(_SORTS)), _COUNT))
def test_it_is_a_share(counts: dict[tuple[str, str], tuple[int, int]]) -> None:
    trust = Trust(counts)
    for evidence in Evidence:
        assert 0 <= trust(evidence, "fact") <= 1
