"""Grounding: what code accepts, refuses and leaves to the verifier."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.agents.claims import Claim, Extraction
from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for

_SHOES = starter_for("shoes")
assert _SHOES is not None
LEXICON = Lexicon(_SHOES)


def claims_of(extraction: Extraction, title: str, description: str = "", **fields: str) -> list[Claim]:
    return ground(extraction, Document({"title": title, "description": description, **fields}), LEXICON)


def brief(claims: list[Claim]) -> list[tuple[str, str, str, str, str]]:
    return [(c["attribute"], c["value"], c["claim_type"], c["status"], c["found_by"]) for c in claims]


@pytest.mark.parametrize(
    ("extraction", "title", "description", "expected"),
    [
        pytest.param(
            {"upper_material": [{"value": "mesh"}]},
            "Mesh shoe",
            "",
            [("upper_material", "mesh", "stated", "verified", "both")],
            id="stated",
        ),
        pytest.param(
            {"upper_material": [{"value": "synthetic leather"}]},
            "Vegan leather boot",
            "",
            [
                ("shoe_type", "boot", "stated", "verified", "lexicon"),
                ("upper_material", "synthetic leather", "normalised", "verified", "both"),
            ],
            id="a synonym is normalised",
        ),
        pytest.param(
            {"upper_material": [{"value": "suede"}]},
            "Leather shoe",
            "",
            [
                ("upper_material", "suede", "stated", "rejected", "model"),
                ("upper_material", "leather", "stated", "verified", "lexicon"),
            ],
            id="an invention is refused, the lexicon fills in",
        ),
        pytest.param(
            {"water_protection": [{"value": "waterproof"}]},
            "Not waterproof",
            "",
            [("water_protection", "waterproof", "stated", "rejected", "model")],
            id="a negation is no claim",
        ),
        pytest.param(
            {"model_name": [{"value": "larch 3"}]},
            "The LARCH 3 shoe",
            "",
            [("model_name", "larch 3", "stated", "verified", "model")],
            id="an open value is a span",
        ),
        pytest.param(
            {"model_name": [{"value": "Larch 4"}]},
            "The LARCH 3",
            "",
            [("model_name", "Larch 4", "stated", "rejected", "model")],
            id="an open value that is not in the text",
        ),
        pytest.param(
            {"heel_height": [{"value": "5cm"}]},
            "Heel 5 cm",
            "",
            [("heel_height", "5 cm", "stated", "verified", "both")],
            id="a measure",
        ),
        pytest.param(
            {"heel_height": [{"value": "6 cm"}]},
            "Heel 5 cm",
            "",
            [
                ("heel_height", "6 cm", "stated", "rejected", "model"),
                ("heel_height", "5 cm", "stated", "verified", "lexicon"),
            ],
            id="a wrong measure",
        ),
        pytest.param(
            {"scenario": [{"value": "hiking", "why": "lugged"}]},
            "Lugged thing",
            "",
            [("scenario", "hiking", "demand", "proposed", "model")],
            id="a hypothesis goes to the verifier",
        ),
        pytest.param(
            {"scenario": [{"value": "hiking", "why": "made for summits"}, {"value": "office"}]},
            "Lugged thing",
            "",
            [
                ("scenario", "hiking", "demand", "rejected", "model"),
                ("scenario", "office", "demand", "rejected", "model"),
            ],
            id="a reason that is made up, or none",
        ),
        pytest.param(
            {},
            "Round toe",
            "With a pointed toe.",
            [
                ("toe_shape", "round", "normalised", "proposed", "lexicon"),
                ("toe_shape", "pointed", "normalised", "proposed", "lexicon"),
            ],
            id="title and description contradict each other",
        ),
        pytest.param({}, "", "", [], id="nothing"),
    ],
)
def test_ground(
    extraction: Extraction, title: str, description: str, expected: list[tuple[str, str, str, str, str]]
) -> None:
    assert brief(claims_of(extraction, title, description)) == expected


def test_a_hypothesis_cites_its_words() -> None:
    claim, *_ = claims_of({"scenario": [{"value": "hiking", "why": "SERRATED soles"}]}, "Thing", "With serrated soles.")
    assert (claim["field"], claim["quote"], claim["reason"]) == ("description", "serrated soles", "SERRATED soles")


def test_evidence_may_come_from_another_column() -> None:
    (claim,) = claims_of({}, "Thing", **{"attributes.Colour": "Navy"})
    assert (claim["value"], claim["field"], claim["quote"]) == ("blue", "attributes.Colour", "Navy")


_WORDS = st.sampled_from(
    "leather mesh black BLACK navy 本革 防水 ５ｃｍ heel 5 cm not no rubber sole outsole "
    "waterproof, . ! <b> </b> &amp; lace-up slip-on Women's Larch 3 running cushioned é ﬁ ｽﾆｰｶｰ".split()
)


@given(
    title=st.lists(_WORDS, max_size=10).map(" ".join),
    description=st.lists(st.one_of(_WORDS, st.text(max_size=5)), max_size=20).map(" ".join),
    values=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.text(max_size=8)), max_size=8),
)
def test_no_accepted_claim_lacks_its_quote(title: str, description: str, values: list[Any]) -> None:
    """Whatever the model says: what is stated or normalised, and not refused, has its quote in the source."""
    extraction: Extraction = {}
    for which, value, words in values:
        attribute = LEXICON.schema.attributes[which % len(LEXICON.schema.attributes)]
        options = list(attribute.values) or [words, title[:10], description[:10], "5 cm"]
        extraction.setdefault(attribute.name, []).append({"value": options[value % len(options)], "why": words})
    sources = {"title": title, "description": description}
    claims = ground(extraction, Document(sources), LEXICON)
    for claim in claims:
        if claim["claim_type"] in ("stated", "normalised") and claim["status"] != "rejected":
            assert claim["field"] is not None
            assert claim["quote"]
            assert sources[claim["field"]][claim["start"] : claim["end"]] == claim["quote"]
    accepted = [(claim["attribute"], claim["value"]) for claim in claims if claim["status"] != "rejected"]
    assert len(accepted) == len(set(accepted))
