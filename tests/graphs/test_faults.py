"""An endpoint that misbehaves: nothing is lost, nothing done twice, and what cannot go on stops at once."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import update

from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.bench.fake_endpoint import Options as Behaviour
from reaseq.graphs.distill import distill
from reaseq.graphs.ledger import Counts, Outcome
from reaseq.graphs.options import Options
from reaseq.knowledge_store.store import PRODUCT, Store
from reaseq.llm.budget import Budget, BudgetExceeded
from reaseq.llm.chat import EndpointFailed, EndpointRefused
from reaseq.llm.endpoint import Endpoint, Price
from reaseq.prompts.library import PromptLibrary

PRICE = Price(1.0, 4.0)


def run(store: Store, fake: FakeEndpoint, *, budget: Budget | None = None, **options: Any) -> Outcome:
    endpoint = Endpoint(fake.base_url, "fake", "fake", logprobs=True, price=PRICE if budget else None)
    chosen: dict[str, Any] = {"category": "shoes", "concurrency": 16, "timeout": 2.0} | options
    return asyncio.run(distill(store, endpoint, PromptLibrary(), Options(**chosen), budget=budget))


def statuses(store: Store) -> Counter[str]:
    return Counter(product["status"] for product in store.distilled())


def kept_tokens(store: Store) -> int:
    return sum(row["prompt_tokens"] + row["completion_tokens"] for row in store.usage())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.trial)])
def test_one_request_in_seven_goes_wrong(store: Store, fake: FakeEndpoint, seed: int) -> None:
    products = 300
    fill(store, products)
    fake.configure(Behaviour.faulty(0.15, seed=seed, hang=30.0))
    outcome = run(store, fake, concurrency=32)
    stats = fake.stats()
    assert set(stats.faults) == {
        "rate_limit",
        "server_error",
        "drop",
        "hang",
        "not_json",
        "truncated",
        "schema_break",
        "empty",
    }
    done = statuses(store)
    assert done.total() == products
    assert done["done"] >= 0.99 * products
    assert {failure["product_id"] for failure in store.failures()} == {
        product["id"] for product in store.distilled() if product["status"] == "failed"
    }
    assert all(failure["reason"] for failure in store.failures())
    assert kept_tokens(store) == stats.prompt_tokens + stats.completion_tokens
    assert outcome.counts.done + outcome.counts.failed == products
    for product in store.distilled():
        assert not product["prose"] or product["prose"].endswith("."), "prose that was cut off"


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        ("unauthorized", "refused the key (401)", "api_key_env"),
        ("forbidden", "refused the key (403)", "api_key_env"),
        ("model_not_found", "does not serve model 'fake' (404)", "--model"),
        ("insufficient_quota", "answers nothing that is not paid for (429)", "billing"),
    ],
)
def test_a_refusal_stops_the_run_at_once(store: Store, fake: FakeEndpoint, fault: str, message: str, hint: str) -> None:
    fill(store, 50)
    fake.configure(Behaviour(faults={fault: 1.0}))
    with pytest.raises(EndpointRefused) as caught:
        run(store, fake)
    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")
    assert fake.stats().requests == 1
    assert not statuses(store)


def test_a_refusal_in_the_middle_loses_nothing(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 60)
    run(store, fake, limit=20)
    fake.configure(Behaviour(faults={"unauthorized": 0.2}))
    with pytest.raises(EndpointRefused):
        run(store, fake)
    done = statuses(store)["done"]
    assert done >= 20
    fake.configure(Behaviour())
    assert run(store, fake).counts.unchanged == done
    assert statuses(store) == {"done": 60}


def test_an_endpoint_that_is_down_stops_the_run(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 60)
    run(store, fake, limit=1)
    fake.configure(Behaviour(faults={"server_error": 1.0}))
    with pytest.raises(EndpointFailed, match=r"1\d products in a row failed") as caught:
        run(store, fake, retries=0, concurrency=8)  # ten workers: nine failures, then one of each
    assert "it goes on" in (caught.value.hint or "")
    assert statuses(store)["failed"] <= 40


def test_every_attempt_is_asked(store: Store, fake: FakeEndpoint) -> None:
    """A failure that repeats itself is no reason to take the next reply from the ledger."""
    fill(store, 1)
    fake.configure(Behaviour(faults={"empty": 1.0}))
    run(store, fake, repairs=2)
    assert fake.stats().requests == 3 * 2  # category analyst, attribute extractor
    assert [failure["attempts"] for failure in store.failures()] == [3]


def test_a_stage_that_fails_keeps_what_came_before_and_is_tried_again(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 5)
    fake.configure(Behaviour(silent=True))
    outcome = run(store, fake)
    assert (outcome.counts.done, outcome.counts.failed) == (0, 5)
    for product in store.distilled():
        claims, prose, failures = store.knowledge(product["id"])
        assert any(claim["status"] == "verified" for claim in claims)
        assert prose is None
        assert [(failure["stage"], failure["attempts"]) for failure in failures] == [("summarizer", 3)]
    before = fake.stats()
    fake.configure(Behaviour())
    assert run(store, fake).counts.done == 5
    after = fake.stats()
    # Only the prose is asked for again.
    assert after.requests == 5
    assert before.requests > after.requests
    assert store.failures() == []


def test_what_code_finds_is_kept_where_the_model_fails(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 6)
    fake.configure(Behaviour(faults={"not_json": 1.0}))
    outcome = run(store, fake, repairs=0)
    assert (outcome.counts.done, outcome.counts.failed) == (0, 6)
    assert outcome.counts.verified > 0
    by_code = {product["id"]: store.knowledge(product["id"])[0] for product in store.distilled()}
    assert len(by_code) == 6
    for claims in by_code.values():
        assert any(claim["status"] == "verified" for claim in claims)
        assert {claim["found_by"] for claim in claims} == {"lexicon"}
    # What a model has found before stays when it fails.
    fake.configure(Behaviour())
    assert run(store, fake).counts.done == 6
    known = {product: store.knowledge(product)[0] for product in by_code}
    fake.configure(Behaviour(faults={"not_json": 1.0}))
    assert run(store, fake, repairs=0, seed=1, temperature=0.3).counts.failed in (0, 6)
    assert {product: store.knowledge(product)[0] for product in by_code} == known
    # Of a text that is gone it found it.
    with store.writing() as connection:
        connection.execute(update(PRODUCT).values(title="Slip-on", description="Blue canvas upper."))
    assert run(store, fake, repairs=0).counts.failed == 6
    for product in by_code:
        colors = [one["value"] for one in store.knowledge(product)[0] if one["attribute"] == "color"]
        assert colors == ["blue"]


def test_a_wait_at_the_endpoint_is_shown(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 3)
    fake.configure(Behaviour(faults={"rate_limit": 0.5}, retry_after=0.1))
    counts = Counts()
    endpoint = Endpoint(fake.base_url, "fake", "fake")
    options = Options(category="shoes", concurrency=1, timeout=2.0, retries=20)
    asyncio.run(distill(store, endpoint, PromptLibrary(), options, counts=counts))
    assert counts.waits[0] == "429 Too Many Requests"
    assert counts.waiting.startswith("429 Too Many Requests, ")


def test_a_body_that_is_no_chat_completion_is_asked_for_again(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 10)
    fake.configure(Behaviour(faults={"bad_body": 0.3}, seed=3))
    outcome = run(store, fake, repairs=4)
    assert fake.stats().faults["bad_body"] > 0
    assert outcome.counts.done == 10


def test_a_token_limit_holds(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 40)
    limit = 30_000
    with pytest.raises(BudgetExceeded, match=r"token limit reached: [\d,]+ of 30,000 used") as caught:
        run(store, fake, budget=Budget(max_tokens=limit))
    stats = fake.stats()
    assert 0.5 * limit < stats.prompt_tokens + stats.completion_tokens <= limit
    assert kept_tokens(store) == stats.prompt_tokens + stats.completion_tokens
    assert "it goes on" in (caught.value.hint or "")
    run(store, fake)
    assert statuses(store) == {"done": 40}
    assert fake.stats().answered == sum(fake.stats().answers.values())


def test_a_cost_limit_holds(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 40)
    with pytest.raises(BudgetExceeded, match="cost limit reached"):
        run(store, fake, budget=Budget(max_cost=0.05))
    stats = fake.stats()
    spent = PRICE.of(stats.prompt_tokens, stats.completion_tokens)
    assert 0.02 < spent <= 0.05
    assert sum(row["cost"] for row in store.usage()) == pytest.approx(spent)


@pytest.mark.parametrize("limits", [{"max_tokens": 30_000}, {"max_cost": 0.05}], ids=lambda limits: next(iter(limits)))
def test_a_limit_holds_where_no_usage_is_reported(store: Store, fake: FakeEndpoint, limits: dict[str, Any]) -> None:
    fill(store, 40)
    fake.configure(Behaviour(faults={"no_usage": 1.0}))
    counts, budget = Counts(), Budget(**limits)
    endpoint = Endpoint(fake.base_url, "fake", "fake", logprobs=True, price=PRICE)
    with pytest.raises(BudgetExceeded, match=r"used \(estimated, as the endpoint reports no usage\)"):
        asyncio.run(distill(store, endpoint, PromptLibrary(), Options("shoes"), budget=budget, counts=counts))
    stats = fake.stats()
    used = stats.prompt_tokens + stats.completion_tokens
    assert used <= kept_tokens(store) == budget.tokens == counts.prompt_tokens + counts.completion_tokens
    assert sum(row["cost"] for row in store.usage()) == pytest.approx(budget.cost)
    assert budget.tokens <= limits.get("max_tokens", 10**9)
    assert 0 < budget.cost <= limits.get("max_cost", 1.0)
    assert len([note for note in counts.notes if "does not report" in note]) == 1


def test_a_refusal_to_the_analyst_is_a_note(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 3)
    fake.configure(Behaviour(faults={"content_filter": 1.0}))
    outcome = run(store, fake)
    assert outcome.counts.failed == 3
    (note,) = [note for note in outcome.counts.notes if "analyst" in note]
    assert note.startswith("the category analyst got no reply (400 Bad Request: made-up failure: content_filter")
    assert note.endswith("starter schema used")
    fake.configure(Behaviour())
    assert run(store, fake).counts.done == 3


def test_counts_can_be_watched(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 6)
    counts = Counts()
    endpoint = Endpoint(fake.base_url, "fake", "fake", logprobs=True)
    asyncio.run(distill(store, endpoint, PromptLibrary(), Options("shoes"), counts=counts))
    assert (counts.total, counts.done, counts.seen) == (6, 6, 6)
    assert counts.prompt_tokens + counts.completion_tokens == kept_tokens(store)
    assert counts.calls == fake.stats().answered
