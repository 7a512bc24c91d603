"""What is left of a model's name when what it is, whom it is for and in what size are cut off."""

import pytest

from reaseq.agents.model_names import bare_name
from reaseq.documents.document import Document
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for


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
    ],
)
def test_the_bare_name(value: str, name: str) -> None:
    schema = starter_for("shoes")
    assert schema is not None
    assert bare_name(value, Document({"title": value, "brand": "Vesper"}), Lexicon(schema)) == name
