"""Attribute extractor: what a product is asked where grammars are compiled, and what is made of the answer."""

import asyncio
from typing import Any, cast

import pytest

from reaseq.agents.attribute_extractor import AttributeExtractor, vote
from reaseq.agents.claims import Extraction
from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.llm.chat import Chat, ReplyError
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import CategorySchema, starters
from tests.agents.answering import Answering

SHOES = next(schema for _, schema in starters() if schema.category == "shoes")
PROMPT = PromptLibrary()["attribute_extractor"]


def extract(chat: Answering, title: str, schema: CategorySchema = SHOES, *, grammar: bool = True) -> Extraction:
    extractor = AttributeExtractor(PROMPT, Lexicon(schema), grammar=grammar)
    return asyncio.run(extractor.extract(cast(Chat, chat), Document({"title": title})))


DEMAND = {"audience", "scenario", "need", "style", "season"}
OPEN = {"technology", "model_name"}


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        pytest.param("Larch 3", DEMAND | OPEN, id="nothing is found: hypotheses and words of the text"),
        pytest.param("Larch slide black", {"shoe_type"} | DEMAND | OPEN, id="what kind it is, though it is settled"),
        pytest.param("Boot, round toe, open toe", {"shoe_type", "toe_shape"} | DEMAND | OPEN, id="rivals: choose one"),
        pytest.param("Leather and mesh, white and blue", DEMAND | OPEN, id="several values may hold: no choice"),
        pytest.param("Women's Larch", DEMAND - {"audience"} | OPEN, id="a stated audience leaves nothing to suppose"),
        pytest.param("Cushioned, breathable Larch", DEMAND - {"need"} | OPEN, id="two needs are stated: enough"),
        pytest.param("Larch, heel 7 cm", DEMAND | OPEN, id="one measure"),
        pytest.param("Larch, heel 7 cm, other heel 5 cm", DEMAND | OPEN | {"heel_height"}, id="two measures"),
    ],
)
def test_only_what_the_lexicon_leaves_open_is_asked(title: str, asked: set[str]) -> None:
    chat = Answering({})
    assert extract(chat, title) == {}
    assert set(chat.properties) == asked


def test_values_that_the_text_states_or_denies_are_no_hypotheses() -> None:
    chat = Answering({})
    extract(chat, "Larch, breathable, not warm in winter")
    pair = chat.properties["need"]["items"]
    needs = pair["prefixItems"][0]["enum"]
    assert "grip" in needs
    assert not {"breathability", "warmth"} & set(needs)
    assert chat.properties["need"]["maxItems"] == 1


def test_a_choice_is_among_the_values_found() -> None:
    chat = Answering({"toe_shape": "open"})
    assert extract(chat, "Boot, round toe, open toe") == {"toe_shape": [{"value": "open"}]}
    assert set(chat.properties["toe_shape"]["enum"]) == {"round", "open"}


def test_nothing_is_asked_if_there_is_nothing_to_find() -> None:
    color = SHOES.get("color")
    assert color is not None
    schema = SHOES.replace(attributes=(color,), examples=())
    chat = Answering({})
    assert extract(chat, "Larch", schema) == {}
    assert chat.asked == []


def test_a_hypothesis_and_its_reason_are_a_pair() -> None:
    chat = Answering({"audience": ["women", "for her"], "need": [["grip", "wet roads"], ["comfort", "soft"]]})
    assert extract(chat, "Larch for her, wet roads") == {
        "audience": [{"value": "women", "why": "for her"}],
        "need": [{"value": "grip", "why": "wet roads"}, {"value": "comfort", "why": "soft"}],
    }


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"need": [["grip"]]}, id="no reason"),
        pytest.param({"need": [["grip", "a", "b"]]}, id="three parts"),
        pytest.param({"need": [["grip", 4]]}, id="a number for a reason"),
        pytest.param({"need": [["speed", "fast"]]}, id="no value of the attribute"),
        pytest.param({"wheels": "four"}, id="no attribute"),
    ],
)
def test_other_shapes_are_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(ReplyError):
        extract(Answering(answer), "Larch")


def test_strict_endpoints_get_every_attribute_whatever_the_text() -> None:
    chat = Answering({})
    extract(chat, "Women's slide black", grammar=False)
    assert set(chat.properties) == {attribute.name for attribute in SHOES.asked}


@pytest.mark.parametrize(
    "title", ["Zip boot with laces", "Women's waterproof leather slide, rubber sole", "Warm boot, heel 7 cm"]
)
def test_answers_not_asked_for_would_change_no_verified_value(title: str) -> None:
    """What is left out of the request is what grounding decides alone."""
    chat = Answering({})
    extract(chat, title)
    text, lexicon = Document({"title": title}), Lexicon(SHOES)

    def verified(extraction: Extraction) -> set[tuple[str, str]]:
        return {(c["attribute"], c["value"]) for c in ground(extraction, text, lexicon) if c["status"] == "verified"}

    for attribute in SHOES.asked:
        if attribute.name not in chat.properties:
            for value in attribute.values:
                assert verified({attribute.name: [{"value": value}]}) == verified({}), (attribute.name, value)


@pytest.mark.parametrize(
    ("readings", "agreed"),
    [
        ([{"a": ["x"]}], {"a": ["x"]}),
        ([{"a": ["x"]}, {"a": ["X"]}, {"a": ["y"]}], {"a": ["x"]}),
        ([{"a": ["x"]}, {"a": ["y"]}], {}),
        ([{"a": ["x", "y"]}, {"a": ["y"]}, {}], {"a": ["y"]}),
        ([{"a": ["x", "X"]}, {}, {}], {}),
        ([{}, {}, {}], {}),
    ],
)
def test_most_readings_decide(readings: list[dict[str, list[str]]], agreed: dict[str, list[str]]) -> None:
    given: list[Extraction] = [
        {name: [{"value": value} for value in values] for name, values in reading.items()} for reading in readings
    ]
    assert {name: [one["value"] for one in found] for name, found in vote(given).items()} == agreed
