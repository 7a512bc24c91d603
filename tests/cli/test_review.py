"""Review: what people decide is kept, holds against everything that happens later, and can be taken back."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reaseq import ReaseqError
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.knowledge_store.decisions import Action, decide, decisions, to_review, withdraw
from reaseq.knowledge_store.store import CLAIM, Store
from reaseq.knowledge_store.tables import now
from reaseq.taxonomy.schema import Attribute
from tests.cli.conftest import Run

STORE = "sqlite:///.reaseq/store.sqlite"
FEED = """sku,title,description,closure
1,Acme Runner,"Black leather upper, rubber sole. Lace-up closure.",
2,Acme Walker,"Brown suede boots with a zip.",
3,Acme Sneaker,"Colours: red and white. Mesh upper, waterproof.",
"""
Review = Callable[..., str]


@pytest.fixture
def catalogue(run: Run, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run`, in a folder where three shoes were imported and distilled."""
    for name, value in (("ENGINE", "openai"), ("MODEL", "fake"), ("BASE_URL", fake.base_url)):
        monkeypatch.setenv(f"REASEQ_{name}", value)
    Path("feed.csv").write_text(FEED)
    run("import", "feed.csv", "--category", "shoes")
    run("distill", "--category", "shoes")
    return run


def review(keys: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["review", "--by", "ann", *arguments], input=keys)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return " ".join(result.output.split())


def claims(product_id: str, attribute: str | None = None) -> list[dict[str, Any]]:
    with Store.open(STORE) as store:
        found = store.knowledge(product_id)[0]
    return [claim for claim in found if attribute in (None, claim["attribute"])]


def held(product_id: str, attribute: str) -> list[tuple[str, str]]:
    return [(claim["value"], claim["status"]) for claim in claims(product_id, attribute)]


def standing(product_id: str, attribute: str, decided: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is decided, and all else but what a model said and the text does not bear out."""
    return [one for one in held(product_id, attribute) if one in decided or one[1] != "rejected"]


def test_an_edited_value_survives_everything_and_is_in_the_export(catalogue: Run) -> None:
    assert held("1", "closure") == [("lace-up", "verified")]
    output = review("etoggle\ny\n", "--product", "1", "--attribute", "closure")
    assert "is not one of them" in output
    assert "1 decided by ann" in output
    expected = [("lace-up", "rejected"), ("toggle", "edited")]
    assert held("1", "closure") == expected

    output = catalogue("distill", "--category", "shoes", "--dry-run")
    assert "│ somebody decided on a claim │ 1 │" in output
    catalogue("distill", "--category", "shoes")
    assert held("1", "closure") == expected, "a run"
    assert "0 done" not in catalogue("distill", "--category", "shoes", "--dry-run")
    with Store.open(STORE) as store:
        assert "decision" not in next(store.products("shoes"))[1]  # type: ignore[operator]

    Path("feed.csv").write_text(
        FEED.replace("Black leather upper, rubber sole. Lace-up", "Blue textile upper, rubber sole. Press-stud")
    )
    assert "1 updated" in catalogue("import", "feed.csv", "--category", "shoes")
    assert held("1", "closure") == expected, "an import"
    assert "toggle" in catalogue("knowledge", "show", "1")
    catalogue("distill", "--category", "shoes")
    assert standing("1", "closure", expected) == expected, "a run on other text"
    assert ("textile", "verified") in held("1", "upper_material")

    with Store.open(STORE) as store:
        stored = store.latest_schema("shoes")
        assert stored is not None
        left = tuple(
            attribute.model_copy(update={"suggested_by": {}})
            for attribute in stored.schema.attributes
            if attribute.name != "closure"
        )
        smaller = stored.schema.replace(attributes=left, examples=())
        run_id = store.start_run(command="distill", model="m", engine="e", settings={}, versions={})
        assert store.save_schema(smaller, derived_from=stored.derived_from, run_id=run_id).version == 2
    assert "3 done" in catalogue("distill", "--category", "shoes")
    assert held("1", "closure") == expected, "a schema without the attribute"
    assert held("2", "closure") == []

    catalogue("prompts", "eject", "mine", "attribute_extractor")
    Path("reaseq.toml").write_text('prompts_dir = "mine"\n')
    file = Path("mine/attribute_extractor.yaml")
    file.write_text(file.read_text().replace("system: |\n", "system: |\n  Be careful.\n"))
    assert "3 done" in catalogue("distill", "--category", "shoes")
    assert standing("1", "closure", expected) == expected, "another prompt"

    catalogue("export", "feed.csv", "filled.csv")
    with open("filled.csv", newline="") as rows:
        assert next(csv.DictReader(rows))["closure"] == "toggle"
    notes = [json.loads(line) for line in Path("filled.csv.provenance.jsonl").read_text().splitlines()]
    assert [(note["status"], note["decided_by"]) for note in notes if note["value"] == "toggle"] == [("edited", "ann")]
    catalogue("knowledge", "export", "claims.csv")
    assert "toggle" in Path("claims.csv").read_text()


def test_an_edited_value_replaces_what_the_feed_says(catalogue: Run) -> None:
    review("etoggle\ny\n", "--product", "1", "--attribute", "closure")
    Path("feed.csv").write_text(FEED.replace('closure.",', 'closure.",laces'))
    catalogue("export", "feed.csv", "filled.csv")
    assert 'closure.",toggle,' in Path("filled.csv").read_text()
    assert "laces" not in Path("filled.csv").read_text()


def test_a_rejected_value_does_not_come_back(catalogue: Run) -> None:
    assert ("leather", "verified") in held("1", "upper_material")
    review("r", "--product", "1", "--attribute", "upper_material")
    catalogue("distill", "--category", "shoes")
    assert held("1", "upper_material") == [("leather", "rejected")]
    catalogue("knowledge", "export", "after.jsonl")
    rows = [json.loads(line) for line in Path("after.jsonl").read_text().splitlines()]
    (summary,) = (row["value"] for row in rows if (row["attribute"], row["product_id"]) == ("summary", "1"))
    assert "Upper material" not in summary


def test_of_an_attribute_with_several_values_the_others_are_found_anew(catalogue: Run) -> None:
    before = held("3", "color")
    review("a", "--product", "3", "--attribute", "color")
    catalogue("distill", "--category", "shoes")
    assert {value for value, _ in held("3", "color")} == {value for value, _ in before}
    assert ("red", "approved") in held("3", "color")


def test_keys(catalogue: Run) -> None:
    """Skip decides nothing, undo takes the last decision back, an edit to the same value asks again, q ends."""
    first = claims("1", "color")
    output = review("s", "--product", "1", "--attribute", "color")
    assert "0 decided by ann." in output
    assert claims("1", "color") == first
    # r on the first of two, back, then approve it.
    two = [claim for claim in claims("1") if claim["status"] == "verified"][:2]
    assert len(two) == 2
    output = review("ruaq", "--product", "1")
    assert "1 decided by ann" in output
    statuses = [claim["status"] for claim in claims("1")]
    assert statuses.count("approved") == 1
    assert "rejected" not in [claim["status"] for claim in claims("1") if claim["decided_by"]]
    output = review("e\nq", "--product", "1", "--limit", "1")
    assert "0 decided" in output
    output = review("xs", "--product", "1", "--limit", "1")
    assert "0 decided" in output, "an unknown key is asked for again"
    output = review("u", "--product", "1", "--limit", "1")
    assert "nothing to undo in this sitting" in output


def test_a_synonym_becomes_the_value(catalogue: Run) -> None:
    review("eshoelace\nn\n", "--product", "1", "--attribute", "closure")
    assert [status for _, status in held("1", "closure")] == ["verified"], "not one of the values, and not insisted on"
    review("eZIPPER\n", "--product", "1", "--attribute", "closure")
    assert [value for value, status in held("1", "closure") if status == "edited"] == ["zip"]


def test_an_edit_rests_on_the_text_where_that_states_it(catalogue: Run) -> None:
    review("erubber\n", "--product", "1", "--attribute", "upper_material")
    [edited] = [claim for claim in claims("1", "upper_material") if claim["status"] == "edited"]
    assert (edited["value"], edited["quote"], edited["field"]) == ("rubber", "rubber", "description")
    assert (edited["claim_type"], edited["found_by"]) == ("stated", "person")
    review("eleather\n", "--product", "2", "--attribute", "upper_material")
    [edited] = [claim for claim in claims("2", "upper_material") if claim["status"] == "edited"]
    assert (edited["quote"], edited["start"]) == (None, None), "no words state it"
    assert "leather" in catalogue("knowledge", "show", "2")


def test_the_log_and_taking_back(catalogue: Run) -> None:
    assert "Nobody has decided anything yet" in catalogue("review", "log")
    before = claims("1", "color")
    review("epuce\ny\n", "--product", "1", "--attribute", "color")
    output = catalogue("review", "log", "--product", "1")
    assert "│ 1 │" in output
    assert "│ ann │ edit │ 1 │ color │ black │ puce │" in output
    assert "Decision 1 is withdrawn." in catalogue("review", "undo", "1", "--by", "bob")
    assert claims("1", "color") == before
    output = catalogue("review", "log")
    assert "bob │ withdraw │ 1 │ color │ puce │ black │" in output
    assert "edit (withdrawn)" in output
    for number in ("1", "2", "9"):
        with pytest.raises(ReaseqError, match="cannot be taken back"):
            catalogue("review", "undo", number)


def test_decisions_are_taken_back_from_the_last_one_on(catalogue: Run) -> None:
    with Store.open(STORE) as store:
        [black] = claims("1", "color")
        first = decide(store, black["id"], Action.EDIT, by="ann", value="puce")
        edited = next(claim for claim in claims("1", "color") if claim["status"] == "edited")
        second = decide(store, edited["id"], Action.REJECT, by="bob")
        with pytest.raises(ReaseqError, match=f"decision {second} on 'color' came after it"):
            withdraw(store, first, by="ann")
        withdraw(store, second, by="bob")
        withdraw(store, first, by="ann")
        assert [row["action"] for row in decisions(store)] == ["withdraw", "withdraw", "reject", "edit"]
        with pytest.raises(ReaseqError, match="is gone: a run has replaced it"):
            decide(store, edited["id"], Action.APPROVE, by="ann")


def test_settling_on_a_value_rejects_its_rivals(catalogue: Run) -> None:
    with Store.open(STORE) as store:
        [closure] = claims("1", "closure")
        number = decide(store, closure["id"], Action.EDIT, by="ann", value="zip", one_valued=True)
        edited = next(claim for claim in claims("1", "closure") if claim["status"] == "edited")
        assert [claim["value"] for claim in store.sound_claims(["1"])["1"]["closure"]] == ["zip"]
        withdraw(store, number, by="ann")
        assert edited["id"] not in [claim["id"] for claim in claims("1", "closure")]
        assert claims("1", "closure") == [closure]


def test_the_least_certain_claims_of_the_busiest_products_come_first(catalogue: Run) -> None:
    Path("events.csv").write_text("user,item,position\n" + "".join(f"u{n},2,{n}\n" for n in range(50)) + "u1,3,60\n")
    catalogue("import-events", "events.csv")
    with Store.open(STORE) as store:
        listed = to_review(store, category="shoes")
        assert listed[0]["product_id"] == "2"
        weights = [claim["uncertainty"] * (1 + claim["traffic"]) for claim in listed]
        assert weights == sorted(weights, reverse=True)
        assert {claim["traffic"] for claim in listed} == {0, 1, 50}
        assert all(claim["status"] != "rejected" for claim in listed)
    assert "50 events" in review("q")


def test_what_was_decided_becomes_gold(catalogue: Run) -> None:
    with pytest.raises(ReaseqError, match="nobody has decided anything yet"):
        catalogue("review", "gold", "gold.jsonl")
    review("epuce\ny\n", "--product", "1", "--attribute", "color")
    review("r", "--product", "1", "--attribute", "closure")
    review("a", "--product", "2", "--attribute", "color")
    assert "2 products written" in catalogue("review", "gold", "gold.jsonl", "--category", "Footwear")
    rows = [json.loads(line) for line in Path("gold.jsonl").read_text().splitlines()]
    assert [row["gold"] for row in rows] == [{"color": ["puce"], "closure": "n/a"}, {"color": ["brown"]}]
    output = catalogue("eval-extraction", "--gold", "gold.jsonl", "--examples", "0")
    assert "2 products, 0 failed" in output


def test_gold_is_scored_by_the_schema_in_force(catalogue: Run) -> None:
    with Store.open(STORE) as store:
        stored = store.latest_schema("shoes")
        assert stored is not None
        shape = Attribute(
            name="shape", description="Its shape", facet="supply", kind="closed", values={"odd": ("red",)}
        )
        run_id = store.start_run(command="distill", model="m", engine="e", settings={}, versions={})
        more = stored.schema.replace(attributes=(*stored.schema.attributes, shape))
        store.save_schema(more, derived_from=stored.derived_from, run_id=run_id)
    Path("gold.jsonl").write_text(
        json.dumps({"id": "3", "category": "Footwear", "title": "Red mesh shoe", "gold": {"shape": ["odd"]}})
    )
    output = catalogue("eval-extraction", "--gold", "gold.jsonl", "--examples", "0")
    assert "precision 1.000, recall 1.000" in output


def test_strangers_text_does_not_command_the_terminal(catalogue: Run) -> None:
    Path("odd.csv").write_text('sku,title,description\n9,"Boot \x1b[2J[red]x[/red]","Black leather \x1b[31m"\n')
    catalogue("import", "odd.csv", "--category", "shoes")
    catalogue("distill", "--category", "shoes")
    output = review("q", "--product", "9")
    assert "\x1b" not in output
    assert "[red]x[/red]" in output


@pytest.mark.parametrize("status", ["approved", "nonsense"])
def test_a_status_that_cannot_be_reviewed(catalogue: Run, status: str) -> None:
    with pytest.raises(ReaseqError, match="it is one of proposed, verified, rejected"):
        catalogue("review", "--status", status)


def test_nothing_to_review(run: Run) -> None:
    assert "Nothing to review" in run("review")


@pytest.mark.parametrize(
    ("toes", "asked"),
    [
        pytest.param(["round", "round", "round"], [], id="they agree"),
        pytest.param(["round", "round", "pointed"], ["pointed"], id="most agree"),
        pytest.param(["round", "pointed"], ["round", "pointed"], id="no majority"),
        pytest.param(["round"], [], id="no siblings"),
    ],
)
def test_siblings_that_disagree_are_asked_about_first(
    run: Run, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, toes: list[str], asked: list[str]
) -> None:
    for name, value in (("ENGINE", "openai"), ("MODEL", "fake"), ("BASE_URL", fake.base_url)):
        monkeypatch.setenv(f"REASEQ_{name}", value)
    rows = [f"{n},Acme,Acme Larch,{toe}\n" for n, toe in enumerate(toes)]
    Path("feed.csv").write_text("sku,brand,title,toe shape\n" + "".join(rows) + "9,Other,Other Larch,pointed\n")
    run("import", "feed.csv", "--category", "shoes")
    run("distill", "--category", "shoes")
    with Store.open(STORE) as store, store.writing() as connection:
        connection.execute(CLAIM.delete().where(CLAIM.c.attribute == "model_name"))
        model = {"attribute": "model_name", "value": "Larch", "facet": "supply", "claim_type": "stated"}
        stamp = {"status": "verified", "verdict": "", "found_by": "model", "model": "", "prompt_fingerprint": ""}
        ids = [*map(str, range(len(toes))), "9"]
        rest = {"created_at": now(), "run_id": 1}
        connection.execute(CLAIM.insert(), [model | stamp | rest | {"product_id": one} for one in ids])
    output = review("s" * len(asked) + "q", "--attribute", "toe_shape", "--category", "shoes")
    shown = [line for line in output.split("toe_shape: ")[1:] if "its siblings" in line]
    assert sorted(line.split()[0] for line in shown) == sorted(asked)
