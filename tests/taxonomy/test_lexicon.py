"""What the lexicon finds in a text, and what it must not."""

import pytest

from reaseq.documents.document import Document, Place
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import Attribute, CategorySchema

SCHEMA = CategorySchema(
    category="shoes",
    description="Shoes.",
    attributes=(
        Attribute(
            name="upper",
            description="Upper.",
            facet="supply",
            kind="closed",
            multiple=True,
            values={
                "leather": ("full-grain leather", "Leder", "レザー", "本革"),
                "synthetic leather": ("faux leather", "vegan leather"),
                "rubber": (),
                "mesh": (),
            },
        ),
        Attribute(
            name="sole",
            description="Sole.",
            facet="supply",
            kind="closed",
            values={"rubber": (), "leather": (), "EVA": ()},
            cues=("sole", "outsole", "midsole"),
        ),
        Attribute(name="water", description="Water.", facet="supply", kind="closed", values={"waterproof": ("防水",)}),
        Attribute(
            name="heel_height", description="Heel.", facet="supply", kind="measure", units=("cm", "in"), cues=("heel",)
        ),
        Attribute(name="model", description="Model.", facet="supply", kind="open"),
    ),
)
LEXICON = Lexicon(SCHEMA)


def found(text: str) -> dict[str, list[str]]:
    matches = LEXICON.find(Document({"title": text}))
    said = {
        name: [("not " if match.denied else "") + match.value for match in hits if match.stated or match.denied]
        for name, hits in matches.items()
    }
    return {name: values for name, values in said.items() if values}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Leather upper with rubber outsole", {"upper": ["leather"], "sole": ["rubber"]}),
        ("Rubber boots, EVA midsole", {"upper": ["rubber"], "sole": ["EVA"]}),
        ("The outsole is made of rubber", {"sole": ["rubber"]}),
        ("Faux leather boots", {"upper": ["synthetic leather"]}),
        ("Full-grain leather boots", {"upper": ["leather"]}),
        ("leather-free mesh", {"upper": ["not leather", "mesh"]}),
        ("not waterproof", {"water": ["not waterproof"]}),
        ("isn't really waterproof", {"water": ["not waterproof"]}),
        ("not only waterproof but light", {"water": ["waterproof"]}),
        ("No lacing, waterproof", {"water": ["waterproof"]}),
        ("aus Leder, ohne Leder", {"upper": ["leather", "not leather"]}),
        ("防水レザー", {"water": ["waterproof"], "upper": ["leather"]}),
        ("本革 防水ではない", {"upper": ["leather"], "water": ["not waterproof"]}),
        ("EVA foam", {}),  # no sole in the sentence
        ("Pleather waterproofing", {}),
        ("MESH", {"upper": ["mesh"]}),
        ("", {}),
    ],
)
def test_finds(text: str, expected: dict[str, list[str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 5 cm heel", ["5 cm"]),
        ("heel: 2,5 inches", ["2.5 in"]),
        ('2.5" heel', ["2.5 in"]),
        ("5 cm heel, 30 cm shaft", ["5 cm"]),
        ("30 cm shaft", []),
        ("heel of 5 mm", []),
    ],
)
def test_measures(text: str, expected: list[str]) -> None:
    attribute = SCHEMA.get("heel_height")
    assert attribute is not None
    assert [
        match.value for match in LEXICON.measures(attribute, Document({"description": text})) if match.stated
    ] == expected


def test_title_comes_before_description() -> None:
    text = Document({"title": "Mesh shoe", "description": "Leather shoe."})
    assert [match.field for match in LEXICON.find(text)["upper"]] == ["title", "description"]


def test_a_quote_is_the_text_as_received() -> None:
    text = Document({"title": "FAUX  Leather boots"})
    (match,) = LEXICON.find(text)["upper"]
    assert text.quote(match.field, match.start, match.end) == "FAUX  Leather"


def test_candidate_spans_are_spans_of_the_text() -> None:
    source = "Trail Runner 2, with the Grip-Max sole"
    spans = LEXICON.candidate_spans(Document({"title": source}))
    assert all(span in source for span in spans)
    assert {"Trail Runner 2", "Grip-Max sole"} <= set(spans)
    assert not any(span.startswith("the ") or "2, with" in span for span in spans)
    assert len(LEXICON.candidate_spans(Document({"title": "word " * 500}), most=50)) <= 50


def test_words_anywhere() -> None:
    text = Document({"title": "Trail Runner", "description": "Our trail runners"})
    assert text.find("trail runner") == [Place("title", 0, 2, 0, 12), Place("description", 1, 3, 4, 17)]
