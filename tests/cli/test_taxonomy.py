"""`reaseq taxonomy`: schemas of one's own, and those taken over from the Shopify product taxonomy's files."""

import json
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.documents.tokens import stems
from reaseq.knowledge_store.store import Store
from reaseq.taxonomy.proposals import accepted, proposals, rejected
from reaseq.taxonomy.schema import STARTERS, SchemaError, dump_schema, load_schema, starter_for, starters
from reaseq.taxonomy.shopify import read, schema_of
from tests.cli.conftest import Run


def value(attribute: str, name: str) -> dict[str, str]:
    return {"id": f"gid://shopify/TaxonomyValue/{name}", "name": name, "handle": f"{attribute}__{name.lower()}"}


ATTRIBUTES: list[dict[str, Any]] = [
    {"id": "gid://shopify/TaxonomyAttribute/1", "name": "Color", "handle": "color", "description": "Main colour",
     "extended_attributes": [{"name": "Lid color", "handle": "lid-color"}],
     "values": [value("color", name) for name in ("Red", "Blue", "Other")]},
    {"id": "gid://shopify/TaxonomyAttribute/2", "name": "Age group", "handle": "age-group", "description": "For whom",
     "extended_attributes": [], "values": [value("age-group", name) for name in ("Adults", "Kids")]},
    {"id": "gid://shopify/TaxonomyAttribute/3", "name": "Jam/Jelly set", "handle": "jam-jelly-set", "description": "",
     "values": [value("jam-jelly-set", name) for name in ("Soft set (SS)", "Firm set")]},
    {"id": "gid://shopify/TaxonomyAttribute/4", "name": "Orchard", "handle": "orchard", "description": "Where from",
     "values": []},
]  # fmt: skip


def node(id_: str, full_name: str, *attributes: int) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/TaxonomyCategory/{id_}",
        "level": full_name.count(" > "),
        "name": full_name.rsplit(" > ", 1)[-1],
        "full_name": full_name,
        "parent_id": None,
        "attributes": [
            {key: ATTRIBUTES[number - 1][key] for key in ("id", "name", "handle", "description")} | {"extended": False}
            for number in attributes
        ],
        "children": [],
        "ancestors": [],
    }


VERTICALS = [
    {"name": "Pantry", "prefix": "pa", "categories": [
        node("pa", "Pantry"), node("pa-1", "Pantry > Spreads", 1),
        node("pa-1-1", "Pantry > Spreads > Jams", 1, 2, 3, 4),
        node("pa-1-2", "Pantry > Spreads > Nut Butters", 1), node("pa-2", "Pantry > Sets", 1),
    ]},
    {"name": "Toys", "prefix": "to", "categories": [node("to-1", "Toys > Sets", 2)]},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "dist" / "en"
    made.mkdir(parents=True)
    (made / "categories.json").write_text(json.dumps({"version": "2026-11", "verticals": VERTICALS}))
    (made / "attributes.json").write_text(json.dumps({"version": "2026-11", "attributes": ATTRIBUTES}))
    return made


def test_a_category_becomes_a_schema(folder: Path) -> None:
    taxonomy = read(folder)
    schema = schema_of(taxonomy, taxonomy.node("pantry > spreads > JAMS"))
    assert schema.category == "jams"
    assert [(a.name, a.facet, a.kind, a.multiple) for a in schema.attributes] == [
        ("color", "supply", "closed", True),
        ("age_group", "demand", "closed", True),
        ("jam_jelly_set", "supply", "closed", True),
        ("orchard", "supply", "open", False),
    ]
    color = schema.attributes[0]
    assert list(color.values) == ["red", "blue"], "`other` means nothing"
    assert "rot" in color.values["red"], "words of the shared vocabulary"
    assert schema.attributes[2].values == {"soft set (ss)": ("soft set",), "firm set": ()}


def test_both_in_one_file(folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "taxonomy.json"
    whole.write_text(json.dumps({"version": "2026-11", "verticals": VERTICALS, "attributes": ATTRIBUTES}))
    assert read(whole) == read(folder)


@pytest.mark.parametrize("schema", [schema for _, schema in starters()], ids=lambda schema: schema.category)
def test_a_schema_survives_its_file(schema: Any, tmp_path: Path) -> None:
    path = tmp_path / "written.yaml"
    path.write_text(dump_schema(schema), encoding="utf-8")
    assert load_schema(path) == schema
    assert load_schema(path).fingerprint == schema.fingerprint


def test_import_search_list_show_and_distill(
    run: Run, folder: Path, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, setting in (("ENGINE", "openai"), ("MODEL", "fake"), ("BASE_URL", fake.base_url)):
        monkeypatch.setenv(f"REASEQ_{name}", setting)
    output = run("taxonomy", "search", str(folder), "spread")
    assert "3 categories" in output
    assert "Pantry > Spreads > Nut Butters │ gid://shopify/TaxonomyCategory/pa-1-2 │ 1 │" in output
    output = run("taxonomy", "import", str(folder), "Jams", "--as", "Marmalades")
    assert "Written: schemas/marmalades.yaml, 4 attributes with 6 values." in output
    assert "reaseq distill --category marmalades" in output
    assert "│ marmalades │ │ 3 │ 1 │ Jams │ schemas/marmalades.yaml │" in run("taxonomy", "list")
    assert yaml.safe_load(Path("schemas/marmalades.yaml").read_text())["category"] == "marmalades"
    assert "category: marmalades" in run("taxonomy", "show", "jams")
    with pytest.raises(ReaseqError, match="is there already"):
        run("taxonomy", "import", str(folder), "Jams", "--as", "Marmalades")
    run("taxonomy", "import", str(folder), "Jams", "--as", "Marmalades", "--replace")
    Path("feed.csv").write_text('sku,title\n1,"Red apricot jam, soft set, from Kent"\n')
    run("import", "feed.csv", "--category", "marmalades")
    run("distill", "--category", "marmalades")
    with Store.open("sqlite:///.reaseq/store.sqlite") as store:
        claims = {claim["attribute"]: claim for claim in store.knowledge("1")[0] if claim["status"] == "verified"}
    assert claims["color"]["value"] == "red"
    assert claims["jam_jelly_set"]["value"] == "soft set (ss)"


def test_ones_own_schema_replaces_the_bundled_one(run: Run, fake: FakeEndpoint) -> None:
    shoes = starter_for("shoes")
    assert shoes is not None
    Path("schemas").mkdir()
    Path("schemas/mine.yaml").write_text(dump_schema(shoes.replace(description="Our shoes.", aliases=())))
    assert "Our shoes." in run("taxonomy", "show", "shoes")
    listed = run("taxonomy", "list")
    assert listed.count("│ shoes │") == 1, "the bundled one is not listed beside it"
    assert "schemas/mine.yaml" in listed
    Path("schemas/broken.yaml").write_text("category: 7\n")
    with pytest.raises(SchemaError, match=r"broken\.yaml"):
        run("taxonomy", "list")


@pytest.mark.parametrize(
    ("category", "why"),
    [
        ("Sets", "several categories are called so"),
        ("Jamz", "no such category in the taxonomy; there are: Pantry > Spreads > Jams"),
        ("Quarks", "no such category"),
        ("Pantry", "has no attributes"),
    ],
)
def test_what_is_not_in_the_taxonomy(run: Run, folder: Path, category: str, why: str) -> None:
    with pytest.raises(SchemaError, match=why):
        run("taxonomy", "import", str(folder), category)
    assert not Path("schemas").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"verticals": [{}], "attributes": []}'])
def test_files_that_are_something_else(run: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "taxonomy.json").write_text(content)
    with pytest.raises(SchemaError, match="taxonomy"):
        run("taxonomy", "search", str(tmp_path / "taxonomy.json"), "x")
    with pytest.raises(SchemaError, match=r"nowhere.*categories\.json|nowhere"):
        run("taxonomy", "search", str(tmp_path / "nowhere"), "x")


class Letters:
    """An encoder to whom words are near that share letters."""

    def __init__(self, *names: str) -> None: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        made = np.array([[text.casefold().count(letter) for letter in string.ascii_lowercase] for text in texts], float)
        norms: NDArray[np.float32] = (made / np.maximum(1e-9, np.linalg.norm(made, axis=1, keepdims=True))).astype("f4")
        return norms


FEED = """sku,title,Color,Closure
1,Larch shoe,Dark Redd,see picture
2,Osprey shoe,dark redd,Velcro strap
3,Vega shoe,navy blue,
4,Fjord shoe,Zyx,see picture
"""


def test_unknown_values_are_proposed_accepted_rejected(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reaseq.knowledge_store.encoder.Encoder", Letters)
    monkeypatch.setattr("reaseq.llm.encoders.resolve", lambda *_: ("", ""))
    Path("feed.csv").write_text(FEED)
    run("import", "feed.csv", "--category", "shoes")
    output = run("taxonomy", "proposals", "--category", "shoes")
    assert "│ closure │ see picture │ 2 │" in output
    assert "│ color │ Dark Redd │ 2 │" in output or "│ color │ dark redd │ 2 │" in output
    assert "│ color │ Zyx │ 1 │ a new value │" in output
    assert "navy" not in output, "its words are known"
    assert "Velcro" not in output

    assert "Written: schemas/shoes.yaml" in run("taxonomy", "accept", "shoes", "color", "Dark Redd", "--as", "red")
    run("taxonomy", "accept", "footwear", "color", "Zyx")
    run("taxonomy", "reject", "shoes", "closure", "see picture")
    schema = load_schema(Path("schemas/shoes.yaml"))
    color, closure = schema.get("color"), schema.get("closure")
    assert color is not None
    assert closure is not None
    assert color.value_of("dark redd") == "red"
    assert color.value_of("zyx") == "zyx"
    assert closure.ignored == ("see picture",)
    monkeypatch.setattr("reaseq.knowledge_store.encoder.Encoder", None)
    assert "knows every value" in run("taxonomy", "proposals", "--category", "shoes"), "and no encoder is needed"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("accept", "shoes", "color", "navy"), "knows 'navy' already, as 'blue'"),
        (("accept", "shoes", "color", "Zyx", "--as", "zed"), "'zed' is not one of the values of color"),
        (("accept", "shoes", "model_name", "Zyx"), "is not a closed attribute of shoes; there are: shoe_type"),
        (("reject", "shoes", "nothing", "Zyx"), "is not a closed attribute"),
    ],
)
def test_what_cannot_be_decided(run: Run, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(ReaseqError, match=why):
        run("taxonomy", *arguments)
    assert not Path("schemas").exists()


def test_what_is_ignored_makes_nothing_stale() -> None:
    shoes = starter_for("shoes")
    assert shoes is not None
    assert rejected(shoes, "color", "Zyx").fingerprint == shoes.fingerprint
    assert accepted(shoes, "color", "Zyx", None).fingerprint != shoes.fingerprint


@given(st.lists(st.tuples(st.sampled_from(["Color", "closure", "Other", "title"]), st.text(max_size=90)), max_size=12))
def test_any_cells(cells: list[tuple[str, str]]) -> None:
    whole = starter_for("shoes")
    assert whole is not None
    of_two = (one for one in whole.attributes if one.name in ("color", "closure"))
    shoes = whole.replace(attributes=tuple(of_two), examples=())
    found = proposals(shoes, cells, Letters().encode)
    assert all(one.attribute in ("color", "closure") for one in found)
    assert all((one.means is None) or one.means in shoes.get(one.attribute).values for one in found)  # type: ignore[union-attr]
    for one in found:
        after = accepted(shoes, one.attribute, one.value, one.means)
        left = {(again.attribute, stems(again.value)) for again in proposals(after, cells, Letters().encode)}
        assert (one.attribute, stems(one.value)) not in left


OWN = """# Ours, by the caps team.
category: caps
department: fashion
description: Caps and hats.
aliases: [cap, hats]
attributes:
  - name: shape
    description: The shape
    facet: supply
    kind: closed
    values:
      # from the 2025 list
      baseball cap: [trucker cap, "snapback"]   # US
      beanie: [knit cap]
  - like: color   # shared
"""


def test_a_change_leaves_comments_and_layout(run: Run) -> None:
    Path("schemas").mkdir()
    path = Path("schemas/our caps.yml")
    path.write_text(OWN)
    Path("schemas/later.yaml").write_text("")
    run("taxonomy", "accept", "caps", "shape", "Dad hat", "--as", "baseball cap")
    run("taxonomy", "accept", "hats", "shape", "no")
    run("taxonomy", "reject", "caps", "shape", "see picture")
    lines = path.read_text().splitlines()
    assert [line for line in lines if line not in OWN.splitlines()] == [
        '      baseball cap: [trucker cap, "snapback", Dad hat] # US',
        '      "no": []',
        "    ignored: [see picture]",
    ]
    run("taxonomy", "accept", "caps", "color", "burgundy wine", "--as", "red")
    schema = load_schema(path)
    shape, color = schema.get("shape"), schema.get("color")
    assert shape is not None
    assert color is not None
    assert [shape.value_of(one) for one in ("dad hat", "no", "snapback")] == ["baseball cap", "no", "baseball cap"]
    assert [color.value_of(one) for one in ("burgundy wine", "navy")] == ["red", "blue"]
    assert path.read_text().startswith("# Ours, by the caps team.\n")
    assert "- like: color   # shared\n" in path.read_text()


@pytest.mark.parametrize("category", ["shoes", "headphones", "coffee"])
def test_a_bundled_schema_becomes_ones_own(run: Run, category: str) -> None:
    said = run("taxonomy", "eject", category)
    path = Path(f"schemas/{category}.yaml")
    assert said.startswith(f"Written: {path}.")
    assert path.read_text() == (STARTERS / path.name).read_text()
    with pytest.raises(ReaseqError, match="is there already"):
        run("taxonomy", "eject", category)
    run("taxonomy", "reject", category, load_schema(path).attributes[0].name, "see picture")
    changed = path.read_text().splitlines()
    before = (STARTERS / path.name).read_text().splitlines()
    assert [line for line in changed if line not in before] == ["    ignored: [see picture]"]
    run("taxonomy", "eject", category, "--replace")
    assert path.read_text().splitlines() == before


def test_an_empty_file_is_passed_over(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    Path("schemas").mkdir()
    Path("schemas/shoes.yaml").write_text("\n")
    assert "bundled" in run("taxonomy", "list")
    assert [record.message for record in caplog.records] == ["schemas/shoes.yaml: empty, passed over"]
    assert "Written: schemas/shoes.yaml" in run("taxonomy", "eject", "shoes", "--replace")
