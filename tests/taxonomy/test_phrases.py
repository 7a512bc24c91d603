"""What descriptions say in their own words: of parts and looks, what for, and where looks come from."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.phrases import phrases
from tests.taxonomy.test_claims import lexicon_of

DETAILS = [
    ("A jacket with raglan sleeves and a ribbed bomber collar.", ["raglan sleeves", "ribbed bomber collar"]),
    ("Side pockets keep keys at hand.", ["Side pockets"]),
    ("With a chunky, sculpted outsole in a wet and dry traction pattern.", ["chunky, sculpted outsole"]),
    ("In a leather and synthetic leather construction.", []),
    ("Makes your ride smooth and effortless and sock-like construction fits.", []),
    ("A ribbed collar and stretchy tongue.", ["ribbed collar", "stretchy tongue"]),
    ("The low-to-the-ground gum rubber outsole wraps your foot.", ["low-to-the-ground gum rubber outsole"]),
    ("With distinct design lines that borrow from courts.", ["distinct design lines"]),
    ("3-Stripes on the outer side and perforated 3-Stripes on the inner side.", []),
    ("Clean design lines and a hugged-in fit.", ["Clean design lines", "hugged-in fit"]),
    ("Mesh side panels add air.", ["Mesh side panels"]),
    ("Stripes on one sleeve, with a one piece EVA midsole.", ["one piece EVA midsole"]),
    ("Die rutschfeste Gummisohle gibt auf dem Eis und im Wald Halt.", ["rutschfeste Gummisohle"]),
    ("Met een zachte voering in de schoen.", ["zachte voering"]),
    ("Sko med en mjuk innersula och justerbar rem för dig.", ["mjuk innersula", "justerbar rem"]),
    # A verb is no noun, and describes none.
    ("These shoes meld football style elements.", ["football style elements"]),
    ("The club crest covers the chest.", []),
    ("The heel counter locks in the fit.", []),
    ("Translucent details fit in at work.", []),
    ("By buying cotton from us you help.", []),
    ("We recommend heel grips, and we suggest toe caps.", []),
    ("It may quickly switch your day.", []),
    ("Add gentle curves to your silhouette.", []),
    ("Crisp white upper looks good.", ["Crisp white upper"]),
    # Half of a compound says something else.
    ("Increased forefoot and midfoot stiffness.", []),
    ("Cotton farming and leather working since 1920.", []),
    # Of others, denied, or nothing that tells it from others.
    ("Pairs well with a stretchy knit collar.", []),
    ("Without a stiff leather collar.", []),
    ("It gives you a great look and an easy style.", []),
    ("Hugs your tired feet.", []),
    ("Upper: woven ripstop fabric", []),  # A label's value is its attribute's.
    ("Tige en cuir souple et semelle crantée pour la ville.", []),  # Its adjectives stand behind their nouns.
]  # fmt: skip
PURPOSES = [
    ("Built for fast-paced play.", ["fast-paced play"]),
    ("An ideal performer for runs up to 3 miles, the Kea is light.", ["runs up to 3 miles"]),
    ("Designed for firm ground, artificial grass and hard ground.", ["firm ground, artificial grass and hard ground"]),
    ("Made for evenings, kind enough for the office.", ["evenings"]),
    ("For city walking in hot weather.", ["city walking in hot weather"]),
    ("For grass only.", ["grass only"]),
    ("Not for wet areas.", ["no wet areas"]),
    ("Ideal für lange Wanderungen im Gebirge.", ["lange Wanderungen im Gebirge"]),
    ("Chaussure conçue pour la randonnée en montagne.", ["randonnée en montagne"]),
    ("Zapatillas ideales para correr por asfalto.", ["correr por asfalto"]),
    ("Geschikt voor lange wandelingen.", ["lange wandelingen"]),
    ("This is not designed for wet days.", ["no wet days"]),
    ("Not recommended for rain.", ["no rain"]),
    ("Nicht für den Sport im Wald, aber für die Stadt.", []),
    ("Für Wanderungen im Wald ist er zu dünn und für den Fasching zu schade.", []),
    ("Ideal für den Urlaub an der See und in den Bergen.", ["Urlaub"]),
    ("Für lange Reisen gemacht. Ideal für lange Reisen im Zug gedacht.", ["lange Reisen im Zug"]),
    ("Made for ferries &amp; piers.", ["ferries & piers"]),
    ("Made for travel, shipped flat.", ["travel"]),
    ("Made for the street and arrives complete.", ["street"]),
    ("Designed for bedside reading and shipped flat.", ["bedside reading"]),
    ("Designed for desk days.Machine wash at 30.", ["desk days"]),
    ("Perfect for eggs, wipes clean.", ["eggs"]),
    ("Ideal for runs, walks and gym.", ["runs, walks and gym"]),
    ("Perfect for vegans, obviously.", ["vegans"]),
    ("For more information, visit us.", []),
    ("For yourself.", []),
    ("Perfect for both.", []),
    ("Perfect for the athlete who mixes it up.", []),
    ("For best results, hand wash cold.", []),
]
ORIGINS = [
    ("Inspired by outer space levels up your game.", ["outer space"]),
    ("A reissue of the 1978 trainer.", ["1978 trainer"]),
    ("Inspired by archival silhouettes they wore.", ["archival silhouettes"]),
    ("Inspired by the reef sharks our designer met.", []),
    ("Inspiriert von Holzfällern, gedacht fürs Büro und für die Werkstatt.", ["Holzfällern"]),
    ("Inspiré des années 70, il est léger.", ["années 70"]),
]


def said(attribute: str, description: str, category: str = "shoes") -> list[str]:
    lexicon, document = lexicon_of(category), Document({"title": "Kea", "description": description})
    wanted = lexicon.schema.get(attribute)
    assert wanted is not None
    ((_, found),) = phrases(document, lexicon, wanted)
    return [f"no {match.value}" if match.denied else match.value for match in found]


@pytest.mark.parametrize(("description", "wanted"), DETAILS)
def test_details(description: str, wanted: list[str]) -> None:
    assert said("further_details", description) == wanted


@pytest.mark.parametrize(("description", "wanted"), PURPOSES)
def test_purposes(description: str, wanted: list[str]) -> None:
    assert said("made_for", description) == wanted


@pytest.mark.parametrize(("description", "wanted"), ORIGINS)
def test_origins(description: str, wanted: list[str]) -> None:
    assert said("inspired_by", description) == wanted


@pytest.mark.parametrize(
    ("title", "description", "wanted"),
    [
        ("Kea Shoe", "With a stretchy tongue.", ["stretchy tongue"]),
        ("Kea stretchy Shoe", "With a stretchy tongue.", []),  # The title has said so.
        ("Kea Shoe", "With a lightweight outsole.", []),  # A need has.
        ("Kea Pointed Toe Pump", "With a round toe.", []),  # Title and description dispute it.
        ("Spare laces for Kea", "With stretchy flat tongue.", []),  # It is of another kind.
        ("Kea Shoe", "3-Stripes on a tonal tongue, a tonal tongue.", ["tonal tongue"]),
        ("Kea Shoe", "Lena makes sharp heel cuts and gives her game a stretchy tongue.", []),  # It is of a person.
    ],
)
def test_what_nothing_else_has_said_is_a_claim(title: str, description: str, wanted: list[str]) -> None:
    document = Document({"title": title, "description": description})
    claims = [claim for claim in ground({}, document, lexicon_of("shoes")) if claim["attribute"] == "further_details"]
    assert [claim["value"] for claim in claims] == wanted
    assert all(claim["quote"] == claim["value"] and claim["claim_type"] == "stated" for claim in claims)


_WORDS = st.sampled_from(
    'soft ribbed collar mesh-lined upper with and , . - "look" built for inspired by the 70s 軽量 Sohle é'.split()
)


@given(st.lists(_WORDS, max_size=14).map(" ".join))
def test_phrases_are_of_one_sentence_and_apart(description: str) -> None:
    lexicon, document = lexicon_of("shoes"), Document({"title": "Kea", "description": description})
    for attribute in lexicon.schema.attributes:
        if attribute.kind == "phrase":
            found = [match for _, some in phrases(document, lexicon, attribute) for match in some]
            assert all(description[match.start : match.end].endswith(match.value) and match.value for match in found)
            assert all("." not in match.value for match in found)
            assert all(one.end <= other.start for one, other in pairwise(found))


def test_a_limit_is_told_to_its_end() -> None:
    document = Document({"title": "Sofa", "description": "Not recommended for homes with cats that scratch."})
    claims = ground({}, document, lexicon_of("sofas"))
    assert [one["value"] for one in claims if one["attribute"] == "made_for"] == ["homes with cats that scratch"]
