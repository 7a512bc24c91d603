"""Whom a category path is for."""

import pytest

from tests.taxonomy.test_claims import verified


@pytest.mark.parametrize(
    ("column", "path", "audience"),
    [
        ("breadcrumbs", "Women/Shoes", {"women"}),
        ("category_path", "Damen > Schuhe", {"women"}),
        ("Catégorie", "Homme > Chaussures", {"men"}),
        ("categoría", "Mujer > Zapatos", {"women"}),
        ("カテゴリ", "メンズ > シューズ", {"men"}),
        ("类目", "女士 > 鞋", {"women"}),
        pytest.param("categories", "Men, Women, Sale", set(), id="of several nobody knows"),
        pytest.param("note", "Women/Shoes", set(), id="no path"),
    ],
)
def test_a_path_says_whom_it_is_for(column: str, path: str, audience: set[str]) -> None:
    found = verified("shoes", "Acme XR 7", "Light.", {column: path})
    assert {claim.removeprefix("audience=") for claim in found if claim.startswith("audience=")} == audience
