"""Categories as shops name them."""

from pathlib import Path

import pytest

from reaseq.taxonomy.category_paths import CategoryNames


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Apparel & Accessories > Shoes", "shoes"),
        ("Home/Men/Shoes", "shoes"),
        ("Shoes|Sale", "shoes"),
        ("Shoes, Boots", "shoes"),
        ("Schuhe", "shoes"),
        ("SHOES", "shoes"),
        ("Men's Shoes", "shoes"),
        ("Damen » Schuhe » Neu", "shoes"),
        ("Women > Dresses > Maxi", "dresses"),
        ('["Clothing", "Shoes"]', "shoes"),
        ("Electronics/Laptops", "laptops"),
        ("Apparel & Accessories > Jewelry > Rings", "jewellery"),
        ("Sneakers", "shoes"),
        ("Gear|Bags", "bags"),
        ("Shoes & Bags", "shoes_bags"),
        ("Women > Hats", "hats"),
        ("Casual Shoes", "shoes"),
        ("Women Dangle Earrings", "jewellery"),
        ("Boots for Men", "shoes"),
        ("Damenschuhe", "shoes"),
        ("Laufschuhe", "shoes"),
        ("Zapatos de mujer", "shoes"),
        ("Chaussures femme", "shoes"),
        ("Sacs à main femme", "bags"),
        ("女鞋", "shoes"),
        ("メンズ シューズ", "shoes"),
        ("Shoe Laces", "shoe_laces"),
        ("Trash Bags", "trash_bags"),
        ("Coffee Tables", "coffee_tables"),
        ("Bag Charms", "bag_charms"),
        ("Schuhschränke", "schuhschränke"),
        ("Watch Straps", "watch_straps"),
        ("187", None),
        ("", None),
        (" > ", None),
        ("[broken", "broken"),
    ],
)
def test_a_path_is_taken_to_the_last_step_that_a_schema_knows(text: str, category: str | None) -> None:
    assert CategoryNames().of(text) == category


def test_own_schemas_and_their_aliases(tmp_path: Path) -> None:
    (tmp_path / "wine.yaml").write_text(
        "category: wine\ndescription: Wines\naliases: [wines, vin, Rotwein]\nattributes:\n"
        "  - {name: colour, description: Its colour, facet: supply, kind: open}\n"
        "  - {name: occasion, description: For what, facet: demand, kind: open}\n"
    )
    names = CategoryNames(tmp_path)
    assert [names.of(text) for text in ("Wine", "Drinks > Wines", "vin", "rotwein")] == ["wine"] * 4
