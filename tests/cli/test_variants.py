"""What variants differ by: said of each of them once, and held against what is said of the product."""

import csv
from pathlib import Path

import pytest

from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.knowledge_store.store import Store
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for
from reaseq.taxonomy.variants import variant_values
from tests.cli.conftest import Run

STORE = "sqlite:///.reaseq/store.sqlite"
FEED = """Handle,Title,Body (HTML),Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU
larch,"{title}","A shoe with laces.",Color,Navy,Size,42,L-N-42
larch,,,,Forest Green,,43,L-G-43
larch,,,,Navy,,43,L-N-43
"""


def values(*options: dict[str, str]) -> list[tuple[str, str, str]]:
    schema = starter_for("shoes")
    assert schema is not None
    variants = [{"id": str(number), "options": held, "attributes": {}} for number, held in enumerate(options)]
    return [(one.variant_id, one.attribute, one.value) for one in variant_values(Lexicon(schema), variants)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param([], [], id="no variants"),
        pytest.param([{"Color": "Red"}], [], id="one differs from nothing"),
        pytest.param([{"Color": "Red"}, {"Color": "Red"}], [], id="what they share is the product's"),
        pytest.param(
            [{"Colour": "Dark Navy"}, {"Colour": "Rot"}], [("0", "color", "blue"), ("1", "color", "red")], id="words"
        ),
        pytest.param(
            [{"Size": "42"}, {"Size": "43"}],
            [("0", "size", "42"), ("1", "size", "43")],
            id="not in the schema",
        ),
        pytest.param([{"Color": "Zy"}, {"Color": "Red"}], [("0", "color", "Zy"), ("1", "color", "red")], id="unknown"),
        pytest.param(
            [{"Heel height": "7 cm"}, {"Heel height": " "}, {"Heel height": "2 in"}],
            [("0", "heel_height", "7 cm"), ("2", "heel_height", "2 in")],
            id="a measure without its cue is as it is, an empty option none",
        ),
    ],
)
def test_what_variants_differ_by(options: list[dict[str, str]], expected: list[tuple[str, str, str]]) -> None:
    assert values(*options) == expected


@pytest.fixture
def catalogue(run: Run, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in (("ENGINE", "openai"), ("MODEL", "fake"), ("BASE_URL", fake.base_url)):
        monkeypatch.setenv(f"REASEQ_{name}", value)
    return run


def colours() -> list[tuple[str, str]]:
    with Store.open(STORE) as store:
        claims = store.knowledge("larch")[0]
    return sorted((claim["value"], claim["status"]) for claim in claims if claim["attribute"] == "color")


def test_the_product_is_held_against_its_variants(catalogue: Run) -> None:
    Path("feed.csv").write_text(FEED.format(title="Larch shoe in red and navy"))
    catalogue("import", "feed.csv", "--category", "shoes")
    catalogue("distill", "--category", "shoes")
    assert colours() == [("blue", "verified"), ("red", "proposed")]
    output = catalogue("knowledge", "show", "larch")
    assert "the title says 'red', the variants blue, green" in output
    assert "Forest Green (green)" in output
    assert "the title says 'red'" in catalogue("knowledge", "show", "larch")
    Path("feed.csv").write_text(FEED.format(title="Larch shoe in red and navy").replace("Forest Green", "Red"))
    catalogue("import", "feed.csv", "--category", "shoes")
    assert "variants changed" in catalogue("distill", "--category", "shoes", "--dry-run")
    catalogue("distill", "--category", "shoes")
    assert colours() == [("blue", "verified"), ("red", "verified")]
    assert "1 unchanged" in catalogue("distill", "--category", "shoes")


def test_variants_have_claims_of_their_own_in_the_export(catalogue: Run) -> None:
    Path("feed.csv").write_text(FEED.format(title="Larch shoe"))
    catalogue("import", "feed.csv", "--category", "shoes")
    catalogue("distill", "--category", "shoes")
    catalogue("knowledge", "export", "claims.csv")
    with Path("claims.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    of_variants = [(row["variant_id"], row["attribute"], row["value"]) for row in rows if row["variant_id"]]
    assert of_variants == [
        ("L-N-42", "color", "blue"), ("L-N-42", "size", "42"),
        ("L-G-43", "color", "green"), ("L-G-43", "size", "43"),
        ("L-N-43", "color", "blue"), ("L-N-43", "size", "43"),
    ]  # fmt: skip
    shared = [row for row in rows if not row["variant_id"]]
    assert [r["value"] for r in shared if r["attribute"] == "closure" and r["status"] == "verified"] == ["lace-up"]
    green = next(row for row in rows if row["value"] == "green" and row["variant_id"])
    assert (green["claim_type"], green["quote"], green["field"]) == ("normalised", "Forest Green", "variant.Color")


def test_an_export_after_the_category_changed(catalogue: Run) -> None:
    Path("feed.csv").write_text(FEED.format(title="Larch shoe"))
    catalogue("import", "feed.csv", "--category", "shoes")
    catalogue("distill", "--category", "shoes")
    catalogue("import", "feed.csv", "--category", "hats")
    catalogue("knowledge", "export", "claims.jsonl")
    assert "lace-up" in Path("claims.jsonl").read_text()
