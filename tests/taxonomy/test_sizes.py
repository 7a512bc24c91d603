"""Sizes are written one way, and none is made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for
from reaseq.taxonomy.sizes import canonical_size
from reaseq.taxonomy.variants import variant_values


@pytest.mark.parametrize(
    ("size", "written"),
    [
        *((size, "XL") for size in ("XL", "xl", "X-Large", "x large", "Extra Large", "extra-large", " X-LARGE ")),
        *((size, "2XL") for size in ("XXL", "2XL", "2X-Large", "extra extra large", "xx-large")),
        *((size, "2XS") for size in ("XXS", "2xs", "XX-Small")),
        *((size, "S") for size in ("S", "small", "Small")),
        *((size, "M") for size in ("M", "medium", "Medium")),
        *((size, "one size") for size in ("One Size", "one-size", "OS", "O/S", "One size fits all", "free size")),
        *((size, "EU 42") for size in ("EU 42", "42 EU", "EUR 42", "eu42", "42 (EU)", "EU: 42", "EUR 42.0")),
        *((size, "EU 42.5") for size in ("EU 42.5", "42,5 EU", "EU 42½", "EU 42 1/2")),
        *((size, "EU 42 2/3") for size in ("EU 42 2/3", "42⅔ EU")),
        *((size, "US 14 M") for size in ("14 M US", "US 14 M", "US 14M", "14 (M) US")),
        *((size, "UK 8") for size in ("UK 8", "8 UK", "UK8")),
        *((size, size) for size in ("42", "Queen", "", "XM", "S/M", "3XXL", "6-12 months", "EU 42 / UK 8", "US")),
    ],
)  # fmt: skip
def test_sizes(size: str, written: str) -> None:
    assert canonical_size(size) == written


@given(
    st.one_of(
        st.text(max_size=20), st.from_regex(r"(US|eu|uk)? ?[0-9]{1,3}( ?[MWx]+)?( EU)?|[0-9x]*-?[sml]?", fullmatch=True)
    )
)
def test_written_once_is_written_for_good(size: str) -> None:  # fmt: skip
    assert canonical_size(canonical_size(size)) == canonical_size(size)


def test_variants_differ_by_sizes_of_one_writing() -> None:
    shoes = starter_for("shoes")
    assert shoes is not None
    variants = [
        {"id": str(number), "options": {"Size": size}, "attributes": {"Closure": closure, "Stock": number}}
        for number, (size, closure) in enumerate([("42 EU", "laces"), ("EUR 43", "zip"), ("Odd", "zip")])
    ]
    found = variant_values(Lexicon(shoes), variants)
    sizes = [(one.value, one.quote) for one in found if one.attribute == "size"]
    assert sizes == [("EU 42", "42 EU"), ("EU 43", "EUR 43"), ("Odd", "Odd")]
    assert {one.attribute for one in found} == {"size", "closure"}  # a stock says nothing of what a shoe is
