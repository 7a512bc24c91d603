"""`reaseq calls`: what the ledger has of them."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint, Options
from reaseq.cli.main import app
from reaseq.graphs.distill import distill
from reaseq.graphs.options import Options as Wish
from reaseq.knowledge_store.store import Store
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEndpoint) -> None:
    """A store with three products, of which the verifier fails."""
    monkeypatch.chdir(tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/.reaseq/store.sqlite") as store:
        fill(store, 3)
        fake.configure(Options(silent=True))
        asyncio.run(distill(store, Endpoint(fake.base_url, "fake", "fake"), PromptLibrary(), Wish("shoes", repairs=0)))


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["calls", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_the_list_tells_agents_products_and_failures() -> None:
    rows = [json.loads(line) for line in said("list", "--json").splitlines()]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert {row["agent"] for row in rows} >= {"category_analyst", "attribute_extractor", "summarizer"}
    product = rows[0]["product_id"]
    of_product = [json.loads(line) for line in said("list", "--product", product, "--json").splitlines()]
    assert {row["product_id"] for row in of_product} == {product}
    failed = [json.loads(line) for line in said("list", "--failed", "--json").splitlines()]
    assert {row["agent"] for row in failed} == {"summarizer"}
    shown = said("list", "--agent", "attribute_extractor")
    assert "summarizer" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_one_is_shown_in_full() -> None:
    row = json.loads(said("list", "--agent", "attribute_extractor", "--limit", "1", "--json"))
    shown = said("show", str(row["id"]))
    assert row["reply"]["content"].replace(" ", "") in shown.replace("\n", "").replace(" ", "")
    assert json.loads(said("show", str(row["id"]), "--json")) == row
    with pytest.raises(ReaseqError, match="no call 999"):
        said("show", "999")


def test_without_calls_it_says_what_makes_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASEQ_STATE_DIR", str(tmp_path / "empty"))
    assert "No calls. Next: reaseq distill" in said("list")


def test_those_about_rows_of_a_gold_file_are_listed(fake: FakeEndpoint) -> None:
    with Store.open("sqlite:///.reaseq/store.sqlite") as store:
        of_product = json.loads(said("list", "--agent", "attribute_extractor", "--limit", "1", "--json"))["product_id"]
        row = dict.fromkeys(("request_key", "model", "model_fingerprint", "prompt"), "x")
        counts = {"prompt_tokens": 1, "completion_tokens": 1, "cost": None, "seconds": 0.1}
        run_id = store.start_run(command="x", category=None, model="x", engine="x", settings={}, versions={})
        for product_id in ("gold-1", of_product):
            store.add_call(**row, **counts, agent="verifier", product_id=product_id, run_id=run_id, reply={})
    (mine,) = [json.loads(line) for line in said("list", "--product", "gold-1", "--json").splitlines()]
    assert mine["product_id"] == "gold-1"
    several = [json.loads(line) for line in said("list", "--product", of_product, "--json").splitlines()]
    assert len(several) > 1
    assert {one["product_id"] for one in several} == {of_product}
    with pytest.raises(ReaseqError, match="no product with id 'gold-2'"):
        said("list", "--product", "gold-2")
