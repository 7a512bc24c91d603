"""The verifier: what its answers make of claims that contradict each other."""

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest

from reaseq.agents.claims import Claim
from reaseq.agents.grounder import ground
from reaseq.agents.verifier import Verifier
from reaseq.documents.document import Document
from reaseq.llm.chat import ChatRequest, Reply, TokenLogprob
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for
from tests.agents.answering import Answering

_SHOES = starter_for("shoes")
assert _SHOES is not None
LEXICON = Lexicon(_SHOES)
VERIFIER = Verifier(PromptLibrary()["verifier"], LEXICON)


class Sure(Answering):
    """Says yes or no to each claim in its order, with p(yes) of .98 or .02."""

    def __init__(self, answers: list[bool]) -> None:
        super().__init__({})
        self.answers = answers
        self.endpoint = SimpleNamespace(logprobs=True)

    async def ask(self, request: ChatRequest) -> Reply:
        self.asked.append(request)
        text, tokens = "", list[TokenLogprob]()
        for number, yes in enumerate(self.answers, 1):
            before = f'{"{" if number == 1 else ", "}"{number}": "'
            word = "yes" if yes else "no"
            likely, unlikely = ("yes", "no") if yes else ("no", "yes")
            tops = ((likely, math.log(0.98)), (unlikely, math.log(0.02)))
            tokens += [
                TokenLogprob(before, ((before, 0.0),)),
                TokenLogprob(word, tops),
                TokenLogprob('"', (('"', 0.0),)),
            ]
            text += f'{before}{word}"'
        tokens.append(TokenLogprob("}", (("}", 0.0),)))
        return Reply(text + "}", "stop", logprobs=tuple(tokens))


def judged(title: str, description: str, attribute: str, answers: list[bool]) -> dict[str, Claim]:
    """Claims of one attribute by value, after the verifier was asked about them."""
    document = Document({"title": title, "description": description})
    chat: Any = Sure(answers)
    claims = [claim for claim in ground({}, document, LEXICON) if claim["attribute"] == attribute]
    return {claim["value"]: claim for claim in asyncio.run(VERIFIER.judge(chat, document, claims))}


def test_who_agrees_with_both_sides_settles_none() -> None:
    found = judged("Chelsea Boot black", "The Ferryman in brown.", "color", [True, True])
    assert {value: claim["status"] for value, claim in found.items()} == {"black": "proposed", "brown": "proposed"}
    assert "the title says 'black', the description 'brown'" in (found["black"]["verdict"] or "")


@pytest.mark.parametrize(("answers", "kept"), [([True, False], "black"), ([False, True], "brown")])
def test_one_side_may_be_agreed_with(answers: list[bool], kept: str) -> None:
    found = judged("Chelsea Boot black", "The Ferryman in brown.", "color", answers)
    assert {value for value, claim in found.items() if claim["status"] != "rejected"} == {kept}


def test_of_a_one_valued_attribute_the_likelier_stays() -> None:
    found = judged("Round toe shoe", "A shoe with a pointed toe.", "toe_shape", [True, True])
    assert len([claim for claim in found.values() if claim["status"] == "verified"]) <= 1


@pytest.mark.parametrize(
    ("description", "attribute", "value"),
    [
        ("Off to the gym or not.", "scenario", "gym and training"),
        ("Our sandal heart beats.", "shoe_type", "sandal"),
        ("The modern crew of those days.", "style", "modern"),
    ],
)
def test_what_is_mentioned_by_the_way_no_yes_makes_sure(description: str, attribute: str, value: str) -> None:
    assert judged("Acme Fell", description, attribute, [True])[value]["status"] == "proposed"
    assert judged("Acme Fell", description, attribute, [False])[value]["status"] == "rejected"
