"""Hypotheses that known values of other attributes suggest."""

import pytest

from reaseq.agents.claims import Claim, Extraction
from reaseq.agents.grounder import ground
from reaseq.agents.hypotheses import with_implied
from reaseq.documents.document import Document
from reaseq.taxonomy.evidence import Evidence
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for
from reaseq.taxonomy.trust import shipped

_SHOES = starter_for("shoes")
assert _SHOES is not None
LEXICON = Lexicon(_SHOES)


def implied(title: str, description: str = "", *, said: Extraction | None = None, **given: str) -> list[Claim]:
    """given: `decided`, an attribute and a value that somebody decided on."""
    document = Document({"title": title, "description": description})
    claims = ground(said or {}, document, LEXICON)
    decided = set(given.items())
    claims = [claim for claim in claims if (claim["attribute"], claim["value"]) not in decided]
    return with_implied(claims, document, LEXICON, shipped(), decided=decided)


def values(claims: list[Claim]) -> set[str]:
    return {f"{claim['attribute']}={claim['value']}" for claim in claims if claim["evidence"] == Evidence.IMPLIED}


@pytest.mark.parametrize(
    ("title", "description", "hypothesis"),
    [
        ("Winter boots", "Waterproof.", "need=dry feet"),
        ("Stiefel", "Wasserdicht.", "need=dry feet"),
        ("Bottes", "Imperméables.", "need=dry feet"),
        ("ブーツ", "防水。", "need=dry feet"),
        ("靴子", "防水。", "need=dry feet"),
        ("Botas", "Impermeables.", "need=dry feet"),
        ("Espadrilles", "", "season=summer"),
        ("Clog", "", "need=easy on and off"),
        ("Men's monk strap", "", "scenario=office"),
        ("Football boots", "With moulded studs.", "need=grip"),
    ],
)
def test_known_values_suggest(title: str, description: str, hypothesis: str) -> None:
    assert hypothesis in values(implied(title, description))


def test_a_hypothesis_shows_what_it_rests_on() -> None:
    (claim,) = (one for one in implied("Winter boots", "They are waterproof.") if one["value"] == "dry feet")
    assert (claim["claim_type"], claim["field"], claim["quote"]) == ("demand", "description", "waterproof")
    assert claim["verdict"] == "water protection 'waterproof' suggests it"
    assert claim["confidence"] is not None


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("Winter boots", "Not waterproof."),
        ("Winter boots", "Waterproof socks are sold separately."),
        ("Winter boots", "Waterproof, keeps feet dry in rain: dry feet in rain guaranteed."),  # is stated
        ("Winter boots", "Waterproof. Does not give you dry feet in rain."),
    ],
)
def test_what_the_text_says_wins(title: str, description: str) -> None:
    assert "need=dry feet" not in values(implied(title, description))


def test_what_somebody_decided_on_is_neither_supposed_nor_a_basis() -> None:
    assert "need=dry feet" not in values(implied("Boots", "Waterproof.", need="dry feet"))
    assert "need=dry feet" not in values(implied("Boots", "Waterproof.", water_protection="waterproof"))


def test_a_models_reason_makes_it_no_likelier() -> None:
    said: Extraction = {"need": [{"value": "dry feet", "why": "for the long way home"}]}
    alone = next(c for c in implied("Boots", "Waterproof, for the long way home.") if c["value"] == "dry feet")
    both = [c for c in implied("Boots", "Waterproof, for the long way home.", said=said) if c["value"] == "dry feet"]
    assert [(c["found_by"], c["confidence"]) for c in both] == [("both", alone["confidence"])]
