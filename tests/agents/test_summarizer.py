"""The summarizer: what it is shown, and what of its reply is kept."""

import asyncio
from typing import Any

import pytest

from reaseq.agents.claims import Claim
from reaseq.agents.grounder import ground
from reaseq.agents.summarizer import Summarizer
from reaseq.documents.document import Document
from reaseq.llm.chat import ChatRequest, Reply
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for
from tests.agents.answering import Answering

_SHOES = starter_for("shoes")
assert _SHOES is not None
LEXICON = Lexicon(_SHOES)
SUMMARIZER = Summarizer(PromptLibrary()["summarizer"], LEXICON)


class Saying(Answering):
    def __init__(self, text: str) -> None:
        super().__init__({})
        self.text = text

    async def ask(self, request: ChatRequest) -> Reply:
        self.asked.append(request)
        return Reply(self.text, "stop")


def written(sources: dict[str, str], said: str, claims: list[Claim] | None = None) -> tuple[str, str | None]:
    """What it was shown, and what of its prose is kept."""
    chat: Any = Saying(said)
    text = Document(sources)
    found = ground({}, text, LEXICON) if claims is None else claims
    prose = asyncio.run(SUMMARIZER.write(chat, text, found))
    return chat.asked[0].turns[0][1], prose


@pytest.mark.parametrize(
    ("sources", "shown"),
    [
        pytest.param(
            {"title": "Tor", "description": "A black suede boot. Fits all. Cita QUUX, vabbè. Rubber outsole!"},
            'title: "Tor"\ndescription: "A black suede boot. Rubber outsole."\n',
            id="sentences that hold evidence",
        ),
        pytest.param(
            {"title": "Black boot", "brand": "Acme", "description": "Cita QUUX."},
            'title: "Black boot"\nbrand: "Acme"\n\n',
            id="title and brand in any case",
        ),
        pytest.param(
            {"attributes.Upper": "Suede", "title": "Tor", "attributes.Note": "Cita QUUX"},
            'Upper: "Suede."\ntitle: "Tor"\n\n',
            id="other columns, in their order",
        ),
        pytest.param(
            {"title": "Tor", "description": "<p>Suede boot</p><p>Cita QUUX</p>5,5 cm heel, black."},
            'title: "Tor"\ndescription: "Suede boot. 5,5 cm heel, black."\n',
            id="markup parts sentences",
        ),
    ],
)
def test_it_reads_what_claims_rest_on(sources: dict[str, str], shown: str) -> None:
    asked, _ = written(sources, "A boot that is black.")
    assert asked.startswith(shown)


def test_a_rejected_claim_is_no_reason_to_read_a_sentence() -> None:
    text = Document({"title": "Tor", "description": "A suede boot. Buckle at the side."})
    claims = ground({}, text, LEXICON)
    for claim in claims:
        if claim["value"] == "buckle":
            claim["status"] = "rejected"
    asked, _ = written(dict(text.sources), "The Tor is a suede boot.", claims)
    assert "suede" in asked
    assert "uckle" not in asked


ACME = {
    "title": "Acme Fell shoes for men",
    "description": "Black suede upper with a ribbed rubber sole. Not waterproof. Tough enough for a hike.",
}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("The Acme Fell is a black suede shoe for men with a ribbed rubber sole.", True),
        ("The Acme Fell is not waterproof.", True),
        pytest.param("The Acme Fell is a black suede shoe for hot days.", False, id="words that nobody said"),
        pytest.param("It has a 3 cm heel.", False, id="a number"),
        pytest.param("It is a brown shoe.", False, id="a value"),
        pytest.param("It is waterproof.", False, id="what the text denies"),
        pytest.param("It is not black.", False, id="a denial of its own"),
        pytest.param("It has a tough rubber sole.", False, id="a word moved to a part"),
        pytest.param("It is suitable for men of all ages.", False, id="whom it suits"),
        pytest.param("It is a black sole.", False, id="a part as what it is"),
        pytest.param("It is a suede shoe for ribbed soles.", False, id="what it is for"),
        pytest.param("It is a shoe for a hike.", True, id="what the text says it is for"),
        pytest.param("It is a black shoe, tough and ribbed.", True, id="words of their own"),
        pytest.param("It is a tough ribbed shoe.", False, id="words from two sentences in one breath"),
        pytest.param("It is available in black.", False, id="an offer"),
    ],
)
def test_prose_is_held_to_claims_and_their_words(said: str, kept: bool) -> None:
    assert written(ACME, said)[1] == (said if kept else None)


FELL = {
    "title": "Acme Fell shoes",
    "description": "A shoe for long days on hills, supportive, with a signature torsion bar. Its lightweight midsole "
    "and breathable mesh upper offer comfort on a run. Rubber outsole with a vulcanised look for wear. "
    "Laces of recycled polyester.",
}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("The Acme Fell is a shoe with a lightweight midsole and a breathable mesh upper.", True),
        pytest.param("The Acme Fell is a lightweight shoe.", False, id="a part's quality"),
        pytest.param("The Acme Fell has a vulcanised rubber outsole.", False, id="a look of it"),
        pytest.param("The Acme Fell is a signature pair.", False, id="what is said of a part"),
        pytest.param("The Acme Fell is a sustainable shoe.", False, id="a quality in words of our own"),
        pytest.param("The Acme Fell is a support shoe.", False, id="a quality as a kind of shoe"),
        pytest.param("The Acme Fell is suitable for comfort.", False, id="a quality as a use"),
        pytest.param("It has a mesh upper and a rubber outsole for comfort.", False, id="what another part is for"),
        pytest.param("The shoes need comfort.", False, id="an attribute as a verb"),
    ],
)
def test_qualities_are_told_of_what_has_them(said: str, kept: bool) -> None:
    assert written(FELL, said)[1] == (said if kept else None)


def test_a_guess_is_no_fact() -> None:
    guess = Claim(
        attribute="season", value="summer", facet="demand", claim_type="inferred", status="verified", verdict="",
        found_by="lexicon", field=None, start=None, end=None, quote=None, reason=None, confidence=0.95,
        evidence="another value suggests it",
    )  # fmt: skip
    asked, prose = written({"title": "Acme Lido slide"}, "The Acme Lido is a summer slide.", [guess])
    assert "summer" not in asked
    assert prose is None


def test_a_later_sentence_that_is_not_borne_out_goes_alone() -> None:
    said = "The Acme Fell is a suede shoe. It is red. It is for men."
    assert written(ACME, said)[1] == "The Acme Fell is a suede shoe. It is for men."


def test_prose_that_says_what_the_title_says_is_none() -> None:
    sources = {"title": "Acme Vapor 13 Academy Neymar Jr. MG", "description": "Grippy on grass."}
    assert written(sources, "The Acme Vapor 13 Academy Neymar Jr. MG is a shoe for waterfalls.")[1] is None


def test_what_it_did_not_read_is_not_borne_out() -> None:
    """A number that only an unread sentence holds."""
    sources = {"title": "Tor", "description": "A suede boot. Worn by 77 astronauts."}
    assert written(sources, "The Tor is a suede boot. It was worn by 77 people.")[1] == "The Tor is a suede boot."
