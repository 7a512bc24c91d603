"""Each encoder has cosines of its own from which on texts are alike."""

import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from reaseq.taxonomy.likeness import DEFAULT, likeness_of
from reaseq.taxonomy.meanings import by_meaning
from reaseq.taxonomy.nearest import Categories
from reaseq.taxonomy.proposals import Encode, proposals
from reaseq.taxonomy.schema import Attribute, CategorySchema

WIDTH = 512
ALIKE = {
    "hue of it": "color",
    "trail shoes": "shoes",
    "running shoes": "shoes",
    "About shoes": "shoes",
    "redd": "red",
}
E5 = likeness_of("multilingual-e5-small")
COLOUR = Attribute(name="color", description="Colour", facet="supply", kind="closed", values={"red": (), "teal": ()})
SCHEMAS = [
    CategorySchema(category=name, description=f"About {name}", attributes=(COLOUR,)) for name in ("shoes", "tea")
]


def cone(cosine: float) -> Encode:
    """An encoder: texts that mean one thing are alike by about `cosine`, all others by .8."""

    def encode(texts: Sequence[str]) -> NDArray[np.floating]:
        made = np.zeros((len(texts), 2 * WIDTH + 1), np.float32)
        for row, text in enumerate(texts):
            word = ALIKE.get(text, text)
            made[row, 0] = np.sqrt(0.8)
            made[row, 1 : WIDTH + 1] = np.sqrt(cosine - 0.8) * direction(word)
            made[row, WIDTH + 1 :] = np.sqrt(1 - cosine) * direction(text)
        return made

    return encode


def direction(text: str) -> NDArray[np.floating]:
    """Of each text another one, all but at right angles to those of others."""
    made = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(WIDTH)
    return np.asarray(made / np.linalg.norm(made))


@pytest.mark.parametrize(("cosine", "taken"), [(0.95, True), (0.85, False)])
def test_what_is_near_in_a_narrow_cone(cosine: float, taken: bool) -> None:
    encode = cone(cosine)
    assert by_meaning(SCHEMAS[0], ["hue of it"], encode, E5) == ({"hue of it": "color"} if taken else {})
    near = Categories(SCHEMAS, {}, encode, E5).nearest(["trail shoes", "sheet music"])
    assert (near[0].categories[0], near[0].sure, near[1].sure) == ("shoes", taken, False)
    assert Categories(SCHEMAS, {}, encode, E5).of_kind("running shoes", ["shoes"]) == ("shoes" if taken else None)
    (proposed,) = proposals(SCHEMAS[0], [("color", "redd")], encode, E5)
    assert proposed.means == ("red" if taken else None)


def test_an_encoder_for_which_nothing_was_measured_has_those_of_the_default() -> None:
    assert likeness_of("all-MiniLM-L6-v2") == likeness_of("org/model") == DEFAULT != E5
