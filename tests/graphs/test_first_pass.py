"""Knowledge before the first call: what code alone finds, for whom, and what it leaves alone."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.graphs import first_pass as module
from reaseq.graphs.distill import distill
from reaseq.graphs.first_pass import due, first_pass
from reaseq.graphs.options import Options
from reaseq.knowledge_store.decisions import Action, decide
from reaseq.knowledge_store.event_columns import names_a_user
from reaseq.knowledge_store.events import import_events
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.store import CLAIM, PRODUCT, Store
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary

SHOES = Options("shoes", concurrency=1)


def claims(store: Store) -> dict[str, list[tuple[str, str, str]]]:
    return {
        product["id"]: [(one["attribute"], one["value"], one["status"]) for one in store.knowledge(product["id"])[0]]
        for product in store.distilled()
    }


def asked(store: Store, fake: FakeEndpoint, **options: Any) -> None:
    endpoint = Endpoint(fake.base_url, "fake", "fake", logprobs=True)
    asyncio.run(distill(store, endpoint, PromptLibrary(), Options("shoes", concurrency=1, timeout=5.0, **options)))


def test_all_is_read_once(store: Store) -> None:
    fill(store, 12)
    assert due(store, SHOES) == (12, 12)
    made = first_pass(store, SHOES)
    assert (made.read, made.known, made.status) == (12, 0, "done")
    assert made.verified == sum(status == "verified" for by in claims(store).values() for _, _, status in by) > 12
    assert {product["read_by"] for product in store.distilled()} == {"code"}
    assert store.levels("shoes") == Counter({("code", "done"): 12})
    again = first_pass(store, SHOES)
    assert (again.read, again.known) == (0, 12)
    assert due(store, SHOES) == (0, 12)


def test_a_changed_text_is_read_again(store: Store) -> None:
    fill(store, 3)
    first_pass(store, SHOES)
    first = next(iter(claims(store)))
    with store.writing() as connection:
        changed = update(PRODUCT).where(PRODUCT.c.id == first)
        connection.execute(changed.values(title="Clog", description="Blue suede upper."))
    assert first_pass(store, SHOES).read == 1
    assert ("upper_material", "suede", "verified") in claims(store)[first]


def test_what_a_model_has_found_is_left_alone(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 4)
    asked(store, fake, limit=2)
    known = claims(store)
    assert first_pass(store, SHOES).read == 2
    after = claims(store)
    assert {product: after[product] for product in known} == known
    assert store.levels("shoes") == Counter({("model", "done"): 2, ("code", "done"): 2})
    asked(store, fake)  # what code alone has read is still to be asked about
    assert store.levels("shoes") == Counter({("model", "done"): 4})


def test_decisions_hold(store: Store) -> None:
    fill(store, 2)
    first_pass(store, SHOES)
    with store.reading() as connection:
        row = connection.execute(select(CLAIM).where(CLAIM.c.attribute == "color")).first()
    assert row is not None
    decide(store, row.id, Action.REJECT, by="ann")
    assert first_pass(store, SHOES).read == 1
    assert (row.attribute, row.value, "rejected") in claims(store)[row.product_id]
    assert (row.attribute, row.value, "verified") not in claims(store)[row.product_id]


@pytest.mark.slow
def test_several_processes_find_what_one_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 10)
    monkeypatch.setattr(module, "_FEW", 1)
    fill(store, 45)
    assert first_pass(store, SHOES, processes=2).read == 45
    together = claims(store)
    with store.writing() as connection:
        connection.execute(CLAIM.delete())
        connection.exec_driver_sql("delete from distillation")
    assert first_pass(store, SHOES, processes=1).read == 45
    assert claims(store) == together


def test_it_can_be_stopped_and_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 5)
    fill(store, 20)
    made = first_pass(store, SHOES, stop=lambda: True)
    assert (made.read, made.status) == (5, "stopped")
    assert first_pass(store, SHOES).read == 15


def test_the_busiest_and_least_settled_are_asked_about_first(store: Store, tmp_path: Path) -> None:
    fill(store, 3)
    first_pass(store, SHOES)
    ids = list(claims(store))
    with store.writing() as connection:
        connection.execute(update(CLAIM).values(status="verified"))
        for product, count in zip(ids, (1, 3, 2), strict=True):
            some = select(CLAIM.c.id).where(CLAIM.c.product_id == product).limit(count).scalar_subquery()
            connection.execute(update(CLAIM).where(CLAIM.c.id.in_(some)).values(status="proposed"))
    path = tmp_path / "log.csv"
    path.write_text("user,item\n" + "".join(f"u{n},{ids[0]}\n" for n in range(9)))
    import_events(
        store, open_feed(path, is_header=names_a_user), {"user": "user", "item": "item"}, rejected_dir=tmp_path
    )
    assert store.by_need("shoes") == [ids[0], ids[1], ids[2]]  # 10 x 1, 3, 2
    assert store.by_need("shoes", limit=2) == ids[:2]


def test_it_loads_nothing_that_talks_to_models() -> None:
    """It is there within seconds, where those take several to load."""
    code = "import sys, reaseq.graphs.first_pass; print(sorted({'openai', 'langgraph', 'torch'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
