"""Labels that no schema knows, taken to attributes by their meaning."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.meanings import by_meaning, unknown_labels, with_meanings
from reaseq.taxonomy.schema import starter_for

_SHOES = starter_for("shoes")
assert _SHOES is not None
SHOES = _SHOES
MEANINGS = {"fastening mechanism": "closure", "way of closing": "closure", "weight of the box": "weight"}
KNOWN: dict[str, int] = {}


def encode(texts: Sequence[str]) -> NDArray[np.floating]:
    """A vector for each meaning: words that are listed mean what is listed, others themselves."""
    made = np.zeros((len(texts), 2000), np.float32)
    for row, text in enumerate(texts):
        meaning = MEANINGS.get(text.casefold(), text.casefold())
        made[row, KNOWN.setdefault(meaning, len(KNOWN))] = 1
    return made


def products(*texts: dict[str, str]) -> list[Document]:
    return [Document({"title": "Boot"} | text) for text in texts]


def test_labels_that_two_products_use_and_the_schema_does_not_know() -> None:
    documents = products(
        {"description": "Fastening mechanism: velcro. Sole: rubber. Care: wipe clean."},
        {"description": "fastening mechanism: zip", "attributes.batchCode": "x"},
        {"attributes.batch_code": "y", "description": "Once only: velcro"},
    )
    assert unknown_labels(Lexicon(SHOES), documents) == ["Fastening mechanism", "batch Code"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Fastening mechanism", "closure"),
        ("Weight of the box", None),
        ("Batch", None),
        ("Number of way of closing", None),
    ],
)
def test_what_a_label_means(label: str, name: str | None) -> None:
    assert by_meaning(SHOES, [label], encode).get(label) == name


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "Fastening mechanism: velcro"},
        {"attributes.Fastening mechanism": "velcro"},
        {"attributes.fasteningMechanism": "velcro"},
        {"description": "<table><tr><td>Fastening mechanism</td><td>Velcro</td></tr></table>"},
    ],
)
def test_a_label_that_was_taken_gives_its_attribute_the_value(fields: dict[str, str]) -> None:
    schema = with_meanings(SHOES, {"Fastening mechanism": "closure"})
    claims: list[Any] = ground({}, Document({"title": "Boot"} | fields), Lexicon(schema))
    (claim,) = [claim for claim in claims if claim["attribute"] == "closure"]
    assert (claim["value"], claim["status"]) == ("hook-and-loop", "verified")
    assert claim["evidence"] == "label taken by its meaning"
    assert with_meanings(SHOES, {}) == SHOES
