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


def summarize(sources: dict[str, str], said: str, claims: list[Claim] | None = None) -> tuple[str, str]:
    """What it was shown, and the summary."""
    chat: Any = Saying(said)
    text = Document(sources)
    found = ground({}, text, LEXICON) if claims is None else claims
    summary = asyncio.run(SUMMARIZER.summarize(chat, text, found))
    return chat.asked[0].turns[0][1], summary


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
    asked, _ = summarize(sources, "A boot that is black.")
    assert asked.startswith(shown)


def test_a_rejected_claim_is_no_reason_to_read_a_sentence() -> None:
    text = Document({"title": "Tor", "description": "A suede boot. Buckle at the side."})
    claims = ground({}, text, LEXICON)
    for claim in claims:
        if claim["value"] == "buckle":
            claim["status"] = "rejected"
    asked, _ = summarize(dict(text.sources), "The Tor is a suede boot.", claims)
    assert "suede" in asked
    assert "uckle" not in asked


def test_what_it_did_not_read_is_not_borne_out() -> None:
    """A number that only an unread sentence holds."""
    sources = {"title": "Tor", "description": "A suede boot. Worn by 77 astronauts."}
    assert summarize(sources, "The Tor is a suede boot. It was worn by 77 people.")[1] == "The Tor is a suede boot."
