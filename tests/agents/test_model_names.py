"""What is left of a model's name when what it is, whom it is for and in what size are cut off."""

import pytest

from reaseq.agents.grounder import ground
from reaseq.agents.model_names import bare_name
from reaseq.documents.document import Document
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for

SCHEMA = starter_for("shoes")
assert SCHEMA is not None
LEXICON = Lexicon(SCHEMA)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Vesper Luna Kitten Heel", "Luna"),
        ("Women's Kea Size 42", "Kea"),
        ("Kea EU 42", "Kea"),
        ("Kea Damen Gr. 38", "Kea"),
        ("Kea 42", "Kea 42"),
        ("Pebble School", "Pebble"),
        ("Fjord Winter Boot", "Fjord"),
        ("Winter Fjord", "Winter Fjord"),
        ("Salsa Dance", "Salsa"),
        ("black running shoe", ""),
        ("42", ""),
        ("Trainer X", "Trainer X"),
        ("Trainer X2", "X2"),
        ("Swift S1P", "Swift"),
        ("S3", ""),
        ("Rocia Women Lily Sandals", "Lily"),
        ("Clarks Men Brown Formal", ""),
        ("Kea Rubber Sole", "Kea Rubber"),
        ("Dunham Men's 8500", "8500"),
        ("Kea for Women", "Kea"),
        ("Kea Women's 38", "Kea"),
    ],
)
def test_the_bare_name(value: str, name: str) -> None:
    assert bare_name(value, Document({"title": value, "brand": "Vesper"}), LEXICON) == name


@pytest.mark.parametrize(
    ("value", "title", "name"),
    [
        ("Ferryman Chelsea", "Ferryman Chelsea Boot black", "Ferryman"),
        ("Ferryman", "Ferryman Chelsea Boot black", "Ferryman"),
        ("Harbour Deck", "Harbour Deck Loafer", "Harbour Deck"),
        ("Fell Trail", "Fell Trail Running Shoes", "Fell"),
    ],
)
def test_half_a_kind_is_no_name(value: str, title: str, name: str) -> None:
    assert bare_name(value, Document({"title": title}), LEXICON) == name


@pytest.mark.parametrize(
    ("value", "title", "name"),
    [
        (
            "Large Foldable Multifunctional Laser",
            "1PC Large Foldable Multifunctional Laser Shoe Storage Bag Simple Light Portable For Home And Hiking",
            "",
        ),
        (
            "Kea Pro 3",
            "Kea Pro 3 Trail Running Shoes For Men And Women Light Breathable Grip Hiking Outdoor",
            "Kea Pro 3",
        ),
        (
            "Arrival Small",
            "New Arrival Small Shoes For Women Trendy Korean Style Fashion Elegant Light Breathable Grip Sneaker",
            "",
        ),
        ("Kea Alpha Savage Pro", "Kea Alpha Savage Pro Running Shoes", "Kea Alpha Savage Pro"),
    ],
)
def test_titles_stuffed_with_words_have_short_names_only(value: str, title: str, name: str) -> None:
    assert bare_name(value, Document({"title": title}), LEXICON) == name


@pytest.mark.parametrize(
    ("name", "rejected"),
    [
        ("Gambetrax", True),  # of the outsole
        ("Air 90 SE", True),  # half of what the title says
        ("Harrow 2", False),
    ],
)
def test_a_name_that_the_title_lacks(name: str, rejected: bool) -> None:
    text = "The light Gambetrax outsole grips. Lace up the Harrow 2 and go."
    document = Document({"title": "Vesper Air 90 NS SE", "description": text, "brand": "Vesper"})
    claims = ground({"model_name": [{"value": name, "why": ""}]}, document, LEXICON)
    (claim,) = [claim for claim in claims if claim["attribute"] == "model_name"]
    assert (claim["status"] == "rejected") == rejected


@pytest.mark.parametrize(
    ("title", "brand", "name"),
    [
        ("MEN'S ADIDAS RUNNING AEROBOUNCE 2 SHOES", "Adidas SPORT PERFORMANCE", "AEROBOUNCE 2"),
        ("Men's adidas Originals Samba Shoes", "Adidas ORIGINALS", "Samba"),
        ("Nike Court Vision Low", "Nike", "Court Vision Low"),
    ],
)
def test_a_brand_of_several_words_and_its_line(title: str, brand: str, name: str) -> None:
    assert bare_name(title, Document({"title": title, "brand": brand}), LEXICON) == name
