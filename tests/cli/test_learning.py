"""Learning from gold files and decisions, from the command line: an encoder that knows nothing stands in."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.agents.labelled import LabelledProduct, Spans
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.graphs.teaching import Teaching, fingerprint
from reaseq.knowledge_store.store import Store
from tests.cli.conftest import Run

STORE = "sqlite:///.reaseq/store.sqlite"
NAMES = (
    "Larch",
    "Osprey",
    "Vega",
    "Torrent",
    "Kestrel",
    "Basalt",
    "Fjord",
    "Marlin",
    "Cirrus",
    "Tundra",
    "Egret",
    "Onyx",
)


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch, fake: FakeEndpoint) -> None:
    def flat(texts: Sequence[tuple[str, Spans]]) -> list[NDArray[np.float32]]:
        return [np.zeros((len(spans), 2), np.float32) for _, spans in texts]

    monkeypatch.setattr(Teaching, "vectors", lambda self: flat)
    for name, value in (("ENGINE", "openai"), ("MODEL", "fake"), ("BASE_URL", fake.base_url)):
        monkeypatch.setenv(f"REASEQ_{name}", value)


def gold(count: int) -> Path:
    path = Path("gold.jsonl")
    rows = [
        {"id": f"g{number}", "category": "shoes", "title": f"Acme {name} {number} running shoe, black",
         "gold": {"Model name": [f"{name} {number}"]}}
        for number, name in enumerate(NAMES[:count])
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def models() -> list[tuple[str, str, str]]:
    with Store.open(STORE) as store:
        claims = [claim for number in "12" for claim in store.knowledge(number)[0]]
    return [(c["value"], c["status"], c["found_by"]) for c in claims if c["attribute"] == "model_name"]


def test_a_gold_file_teaches_what_stands_where(run: Run) -> None:
    Path("feed.csv").write_text('sku,title\n1,"Acme Heron 7 running shoe, black"\n2,"Acme Dune 9 running shoe, red"\n')
    run("import", "feed.csv", "--category", "shoes")
    run("distill", "--category", "shoes")
    before = models()
    few, many = gold(9), None
    output = run("distill", "--category", "shoes", "--gold", str(few), "--again")
    assert "2 unchanged" in output, "nine teach nothing"
    assert "nothing was learnt from the gold file: 9 labelled products of shoes" in output
    many = gold(12)
    assert "2 unchanged" in run("distill", "--category", "shoes", "--gold", str(many)), "knowing more redoes nothing"
    plan = run("distill", "--category", "shoes", "--gold", str(many), "--again", "--dry-run")
    assert "more is known of other products" in plan
    assert "2 done" in run("distill", "--category", "shoes", "--gold", str(many), "--again")
    after = models()
    assert after != before
    assert {value for value, status, _ in after if status != "rejected"} == {"Heron 7", "Dune 9"}
    assert {by for _, status, by in after if status != "rejected"} <= {"tagger", "both"}
    assert "2 unchanged" in run("distill", "--category", "shoes", "--gold", str(many), "--again")


def test_decisions_teach(run: Run) -> None:
    rows = "".join(f'{number},"Acme {name} {number} running shoe, black"\n' for number, name in enumerate(NAMES, 10))
    Path("feed.csv").write_text(f'sku,title\n{rows}1,"Acme Heron 7 running shoe, black"\n')
    run("import", "feed.csv", "--category", "shoes")
    run("distill", "--category", "shoes")
    with Store.open(STORE) as store:
        schema = store.latest_schema("shoes")
        assert schema is not None
        assert Teaching(Path()).products(store, schema.schema) == []
        for number, name in enumerate(NAMES, 10):
            decided(store, str(number), f"{name} {number}")
        taught = Teaching(Path()).products(store, schema.schema)
    assert len(taught) == len(NAMES)
    assert taught[0].values["model_name"] == ("Larch 10",)
    assert "more is known" in run("distill", "--category", "shoes", "--again", "--dry-run")
    run("distill", "--category", "shoes", "--again")
    assert "Heron 7" in {value for value, status, _ in models() if status != "rejected"}


def decided(store: Store, product_id: str, model: str) -> None:
    from reaseq.agents.grounder import evidence_of
    from reaseq.agents.product_text import source_fields
    from reaseq.knowledge_store.decisions import Action, decide

    claims = store.knowledge(product_id)[0]
    product = next(product for product, _, _ in store.products("shoes") if product["id"] == product_id)
    evidence = evidence_of(model, source_fields(product))
    claim = next(claim for claim in claims if claim["attribute"] == "color")
    decide(store, claim["id"], Action.APPROVE, by="ann")
    mine = [claim for claim in claims if claim["attribute"] == "model_name"]
    if mine:
        decide(store, mine[0]["id"], Action.EDIT, by="ann", value=model, evidence=evidence, one_valued=True)


def test_eval_extraction_learns_from_another_file(run: Run) -> None:
    learn = gold(12)
    rows = [
        {
            "id": "n1",
            "category": "Boots of old",
            "title": "Acme Heron 7 running shoe, red",
            "gold": {"Model name": ["Heron 7"]},
        }
    ]
    taught = [json.loads(line) | {"category": "Boots of old"} for line in learn.read_text().splitlines()]
    Path("learn.jsonl").write_text("\n".join(map(json.dumps, [*taught, rows[0] | {"id": "copy"}])))
    Path("new.jsonl").write_text(json.dumps(rows[0]))
    output = run("eval-extraction", "--gold", "new.jsonl", "--learn", "learn.jsonl", "--out", "out.json")
    report = json.loads(Path("out.json").read_text())
    assert report["predicted"] == {"n1": {"Model name": "Heron 7"}}
    assert report["f1"] == 1
    assert "Of what is verified" in output


def test_a_gold_file_that_is_none(run: Run) -> None:
    run("import", "--sample")
    Path("gold.jsonl").write_text("{}")
    with pytest.raises(ReaseqError, match=r"gold.jsonl, line 1"):
        run("distill", "--category", "shoes", "--gold", "gold.jsonl")


def test_escalating_later_and_never_again(run: Run) -> None:
    run("import", "--sample")
    shoes = ("distill", "--category", "shoes", "--limit", "3")
    run(*shoes)
    assert "not escalated to this model" in run(*shoes, "--escalate", "big", "--dry-run")
    assert "3 done" in run(*shoes, "--escalate", "big")
    assert "3 unchanged" in run(*shoes, "--escalate", "big")
    assert "3 unchanged" in run(*shoes)


def test_votes_are_asked_for_and_make_stale(run: Run, fake: FakeEndpoint) -> None:
    run("import", "--sample")
    shoes = ("distill", "--category", "shoes", "--limit", "3")
    run(*shoes)
    before = fake.stats().requests
    assert "number of votes changed" in run(*shoes, "--votes", "3", "--dry-run")
    run(*shoes, "--votes", "3")
    assert fake.stats().requests - before >= 2 * 3, "two more readings of each"
    assert "3 unchanged" in run(*shoes, "--votes", "3")


def test_a_teacher_reads_some_and_the_rest_is_learnt(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f'{number},"Acme {name} {number} running shoe, black"\n' for number, name in enumerate(NAMES, 10))
    Path("feed.csv").write_text(f'sku,title\n{rows}1,"Acme Heron 7 running shoe, black"\n2,"Acme Dune 9 shoe, red"\n')
    run("import", "feed.csv", "--category", "shoes")
    monkeypatch.setattr(Teaching, "encode", lambda self: lambda texts: np.eye(len(texts), 20, dtype=np.float32) + 0.1)
    run("distill", "--category", "shoes", "--teach", "8", "--teacher", "wise")
    with Store.open(STORE) as store:
        schema = store.latest_schema("shoes")
        assert schema is not None
        taught = Teaching(Path()).products(store, schema.schema)
        parts = {product["id"]: before or {} for product, before, _ in store.products("shoes")}
        models_asked = {row["model"] for row in store.usage()}
    assert len(taught) == 8
    assert {one.weight for one in taught} == {0.5}
    assert sum("taught" in one for one in parts.values()) == 8
    assert models_asked == {"wise", "fake"}
    run("knowledge", "export", "claims.jsonl")
    exported = [json.loads(line) for line in Path("claims.jsonl").read_text().splitlines()]
    assert {row["read_by"] for row in exported} == {"teacher", "model"}
    assert "by a teacher" in " ".join(run("knowledge", "list", "--category", "shoes").split())
    # What the teacher has read stays its own, and is not paid for twice.
    assert "14 unchanged" in run("distill", "--category", "shoes")
    assert "14 unchanged" in run("distill", "--category", "shoes", "--teach", "8", "--teacher", "wise")
    run("distill", "--category", "shoes", "--teach", "10", "--teacher", "wise")
    with Store.open(STORE) as store:
        assert len(store.taught_ids("shoes")) == 10
    # Another text is another product: the run's own model reads it.
    Path("new.csv").write_text(f'sku,title\n{taught[0].id},"Acme Heron 8 running shoe, green"\n')
    run("import", "new.csv", "--category", "shoes")
    assert "1 done" in run("distill", "--category", "shoes")
    with Store.open(STORE) as store:
        assert len(store.taught_ids("shoes")) == 9


def test_what_people_decided_of_a_taught_product_counts() -> None:
    taught = LabelledProduct("1", {"title": "Acme Heron 7"}, {"closure": ("zip",)}, whole=False, weight=0.5)
    marks = {
        fingerprint([LabelledProduct("1", taught.sources, {"model_name": (name,)}, whole=False), taught])
        for name in ("Heron 7", "Heron")
    }
    assert len(marks) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--teacher", "wise"), "--teacher without --teach"),
        (("--teach", "5", "--engine", "none"), "a teacher is a model"),
    ],
)
def test_teaching_that_cannot_be(run: Run, arguments: tuple[str, ...], message: str) -> None:
    Path("feed.csv").write_text('sku,title\n1,"Acme Heron 7 running shoe, black"\n')
    run("import", "feed.csv", "--category", "shoes")
    with pytest.raises(ReaseqError, match=message):
        run("distill", "--category", "shoes", *arguments)
