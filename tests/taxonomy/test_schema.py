"""Category schemas: what is refused, with which words, and the starters that ship."""

from pathlib import Path

import pytest

from reaseq.documents.document import Document
from reaseq.documents.tokens import stems
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import (
    CategorySchema,
    SchemaError,
    attribute_name,
    dump_schema,
    load_schema,
    starter_for,
    starters,
)
from reaseq.taxonomy.schema_file import changed_text
from reaseq.taxonomy.variants import variant_values

GOOD = """
category: hats
description: Hats.
attributes:
  - {name: color, description: Colour, facet: supply, kind: closed, values: {red: [crimson], blue: []}}
  - {name: need, description: Need, facet: demand, kind: closed, multiple: true, values: {warmth: []}}
examples:
  - {title: Red hat, values: {color: red}}
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("category: hats", "category: Big Hats"), "category: String should match pattern"),
        (
            ("kind: closed, values: {red", "kind: measure, units: [g], values: {red"),
            "a measure lists `units` and no `values`",
        ),
        (("kind: closed, values: {red: [crimson], blue: []}", "kind: closed"), "a closed attribute lists `values`"),
        (("kind: closed, values: {red: [crimson], blue: []}", "kind: measure"), "a measure lists `units`"),
        (("blue: []", "blue: [Crimson]"), "'Crimson' stands for both 'red' and 'blue'"),
        (("name: need", "name: color"), "attributes named twice: color"),
        (
            ("name: need", "name: Need"),
            "'Need' is no attribute's name: small letters, digits and underscores, a letter",
        ),
        (("name: need", "name: Größe"), "forty at most; 'grösse' is one"),
        (("name: need", "name: need-of"), "'need_of' is one"),
        (("warmth: []}}", "warmth: []}, suggested_by: {warmth: {size: [XL]}}}"), "no other closed attribute 'size'"),
        (("warmth: []}}", "warmth: []}, suggested_by: {warmth: {color: [pink]}}}"), "not one of the values of color"),
        (("warmth: []}}", "warmth: []}, suggested_by: {cold: {color: [red]}}}"), "'cold' is not one of its values"),
        (("blue: []}}", "blue: []}, suggested_by: {red: {need: [warmth]}}}"), "only what is for the buyer"),
        (("values: {color: red}", "values: {color: pink}"), "'pink' is not one of its values"),
        (("values: {color: red}", "values: {size: XL}"), "size: no such attribute"),
        (("values: {color: red}", "values: {color: [red, blue]}"), "takes one value, not a list"),
        (("values: {color: red}", "values: {need: [warmth]}, why: {need: [a, b]}"), "more whys than values"),
        (("description: Hats.", "descripton: Hats."), "descripton: Extra inputs are not permitted"),
        (("category: hats", "category: [hats"), "not valid YAML"),
        (("description: Hats.", "description: Hats.\ndescription: Caps."), "'description' stands twice"),
        (("description: Hats.", "[a, b]: Hats."), "not valid YAML"),
    ],
)
def test_a_broken_schema_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "hats.yaml"
    text = GOOD.replace(*change)
    assert text != GOOD
    path.write_text(text)
    with pytest.raises(SchemaError, match=r"hats\.yaml") as caught:
        load_schema(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Upper Material", "upper_material"),
        ("素材", "素材"),
        ("サイズ", "サイズ"),
        ("ｻｲｽﾞ", "サイズ"),
        ("Größe (EU)", "grösse_eu"),
        ("Цвет / Color", "цвет_color"),
        ("ความยาว", "ความยาว"),
        ("2 Farben", "x_2_farben"),
        ("★", "x"),
        ("é" * 50, "é" * 40),
    ],
)
def test_attributes_are_named_in_any_script(words: str, name: str) -> None:
    assert attribute_name(words) == attribute_name(name) == name


def test_attributes_of_other_scripts_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "hats.yaml"
    path.write_text(GOOD.replace("name: color", "name: 色").replace("{color: red}", "{色: red}"))
    schema = load_schema(path)
    assert load_schema(_written(tmp_path, schema)) == schema
    assert Lexicon(schema).find(Document({"title": "Hat", "attributes.色": "crimson"}))["色"][0].value == "red"
    variants = [
        {"id": str(one), "options": {"カラー": color, "サイズ": size, "Größe": size}, "attributes": {}}
        for one, (color, size) in enumerate((("赤", "S"), ("青", "M")))
    ]
    found = [(one.attribute, one.value) for one in variant_values(Lexicon(schema), variants) if one.variant_id == "0"]
    assert found == [("カラー", "赤"), ("サイズ", "S"), ("size", "S")]


def _written(folder: Path, schema: CategorySchema) -> Path:
    path = folder / "again.yaml"
    path.write_text(dump_schema(schema))
    return path


def test_a_good_schema_and_its_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "hats.yaml"
    path.write_text(GOOD)
    schema = load_schema(path)
    assert schema.get("color") is not None
    assert schema.fingerprint == load_schema(path).fingerprint
    path.write_text(GOOD.replace("crimson", "scarlet"))
    assert load_schema(path).fingerprint != schema.fingerprint


def test_a_changed_copy_has_a_fingerprint_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "hats.yaml"
    path.write_text(GOOD)
    schema = load_schema(path)
    before = schema.fingerprint
    changed = schema.replace(description="Other hats.")
    assert changed.fingerprint != before
    assert CategorySchema.model_validate(changed.model_dump(mode="json")).fingerprint == changed.fingerprint
    assert schema.replace(attributes=schema.attributes[:1], examples=()).get("need") is None


@pytest.mark.parametrize("name", ["shoes", "Shoe", "FOOTWEAR"])
def test_a_starter_is_found_by_name_and_alias(name: str) -> None:
    schema = starter_for(name)
    assert schema is not None
    assert schema.category == "shoes"


def test_no_starter() -> None:
    assert starter_for("left-handed widgets") is None


@pytest.mark.parametrize("schema", [schema for _, schema in starters()], ids=lambda schema: schema.category)
def test_starters_have_both_sides_and_sound_examples(schema: CategorySchema) -> None:
    assert {attribute.facet for attribute in schema.attributes} == {"supply", "demand"}
    lexicon = Lexicon(schema)
    for example in schema.examples:
        text = Document({"title": example.title, "description": example.description})
        stated = lexicon.find(text)
        for name in example.values:
            attribute = schema.get(name)
            assert attribute is not None
            for value, why in example.items(name):
                if attribute.facet == "demand":
                    assert text.find(why), f"{example.title}: the text does not hold the why {why!r}"
                elif attribute.kind == "closed":
                    assert value in {match.value for match in stated.get(name, [])}, f"{example.title}: {name} {value}"
                elif attribute.kind == "open":
                    assert lexicon.spans(attribute, value, text), f"{example.title}: {name} {value}"
                else:
                    assert stems(value) in {stems(match.value) for match in lexicon.measures(attribute, text)}, value
        found = {name: {match.value for match in matches if match.stated} for name, matches in stated.items()}
        for name, values in found.items():
            attribute = schema.get(name)
            assert attribute is not None
            given = {value for value, _ in example.items(name)}
            assert attribute.facet == "demand" or not values or values & given, (
                f"{example.title}: {name} {values} not given"
            )


def test_starters_cover_departments_and_share_no_name() -> None:
    made = [schema for _, schema in starters()]
    departments = {schema.department for schema in made if schema.department}
    assert len(departments) >= 8
    assert sum(schema.department is not None for schema in made) >= 25
    names = [name.casefold().replace(" ", "_") for schema in made for name in {schema.category, *schema.aliases}]
    assert sorted(names) == sorted(set(names))


def test_a_shared_attribute_is_taken_over_and_changed(tmp_path: Path) -> None:
    path = tmp_path / "caps.yaml"
    path.write_text(
        "category: caps\ndescription: Caps.\nattributes:\n"
        "- like: color\n  description: Of the front\n- {like: fit, name: cut}\n"
    )
    color, cut = load_schema(path).attributes
    assert (color.name, color.description, color.multiple) == ("color", "Of the front", True)
    assert (cut.name, "slim" in cut.values) == ("cut", True)
    path.write_text("category: caps\ndescription: Caps.\nattributes:\n- like: colour\n")
    with pytest.raises(SchemaError, match="like: colour: no such shared attribute; there are: color, audience"):
        load_schema(path)


def test_a_changed_attribute_knows_its_own_terms() -> None:
    schema = starter_for("shoes")
    assert schema is not None
    attribute = schema.get("shoe_type")
    assert attribute is not None
    assert attribute.value_of("stilt shoe") is None
    changed = attribute.replace(values=attribute.values | {"stilt": ("stilt shoe",)})
    assert changed.value_of("stilt shoe") == "stilt"


WORDS = """category: tests
description: Words that YAML 1.1 takes for something else
attributes:
  - name: sort
    description: What it is
    facet: supply
    kind: closed
    multiple: yes
    values: {yes: [on, y], no: [off], 12:30: [1.50, 2025-01-05], ON TOP: [007, 0x1F], 41: [], null: [true, =], 1e5: []}
examples:
  - title: 911
    values: {sort: [41, no]}
"""


def test_words_are_taken_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text(WORDS)
    schema = load_schema(path)
    (attribute,) = schema.attributes
    assert attribute.multiple is True
    assert attribute.values == {
        "yes": ("on", "y"),
        "no": ("off",),
        "12:30": ("1.50", "2025-01-05"),
        "ON TOP": ("007", "0x1F"),
        "41": (),
        "null": ("true", "="),
        "1e5": (),
    }
    (example,) = schema.examples
    assert (example.title, example.items("sort")) == ("911", [("41", ""), ("no", "")])
    path.write_text(dump_schema(schema))
    assert load_schema(path) == schema


def test_words_as_they_are_written_stay_so_in_a_file_that_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text(WORDS)
    before = load_schema(path)
    (attribute,) = before.attributes
    more = attribute.values | {"41": ("925",), "no": ("off", "nope"), "13:00": ()}
    after = before.replace(attributes=(attribute.replace(values=more),))
    text = changed_text(WORDS, before, after)
    assert "yes: [on, y], no: [off, nope], 12:30: [1.50, 2025-01-05], ON TOP: [007, 0x1F]" in text
    path.write_text(text)
    assert load_schema(path) == after


@pytest.mark.parametrize("value", ["yes: [a], 'yes': [b]", "1: [a], '1': [b]", "x: [1, a], y: ['1']"])
def test_the_same_word_twice(tmp_path: Path, value: str) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text(WORDS.partition("    values:")[0] + f"    values: {{{value}}}\n")
    with pytest.raises(SchemaError, match=r"stands (?:twice|for both)"):
        load_schema(path)
