"""What stays unsure goes to a second model, and nothing else does."""

import asyncio
import math
from typing import Any

import pytest

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.documents.document import Document
from reaseq.graphs.distill import distill
from reaseq.graphs.golden import MemoryCalls, RecordedReply, ScriptedChat
from reaseq.graphs.ledger import Counts
from reaseq.graphs.options import Options
from reaseq.graphs.product_graph import ProductAgents, build_product_graph, run_product_graph, stages_of
from reaseq.knowledge_store.store import Store
from reaseq.llm.budget import Budget
from reaseq.llm.endpoint import Endpoint, Price
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.schema import starter_for

PRODUCT = {"title": "Acme Runner", "description": "For long days on stony paths."}


def reply(agent: str, content: str, p_yes: float | None = None) -> RecordedReply:
    logprobs: list[list[Any]] | None = None
    if p_yes is not None:
        top = [["yes", math.log(p_yes)], ["no", math.log(1 - p_yes)]]
        logprobs = [['{"1": "', []], ["yes" if p_yes >= 0.5 else "no", top], ['"}', []]]
    return RecordedReply(agent=agent, content=content, logprobs=logprobs)


def distilled(p_yes: float, costly: list[RecordedReply] | None) -> tuple[dict[str, Any], int]:
    """The claim on the scenario, and how many calls the costly model got."""
    schema = starter_for("shoes")
    assert schema is not None
    agents = ProductAgents.build(schema, PromptLibrary(), grammar=False)
    said = '{"scenario": [{"value": "hiking", "why": "stony paths"}]}'
    replies = [
        reply("attribute_extractor", said),
        reply("verifier", '{"1": "yes"}', p_yes),
        reply("summarizer", "A shoe for stony paths."),
    ]
    calls = MemoryCalls()
    chat = ScriptedChat(replies, MemoryCalls(), grammar=False, logprobs=True)
    second = None if costly is None else ScriptedChat(costly, calls, grammar=False, logprobs=True)

    async def go() -> Any:
        stages = stages_of(agents, lambda name: chat, lambda name: 1, second)
        graph = build_product_graph(agents.reading, stages)
        return await run_product_graph(graph, agents.reading, stages, "1", Document(PRODUCT))

    state = asyncio.run(go())
    claim = next(claim for claim in state["claims"] if claim["attribute"] == "scenario")
    return claim | {"failures": state["failures"]}, len(calls.calls)


@pytest.mark.parametrize(
    ("p_yes", "costly", "status", "calls"),
    [
        pytest.param(0.999, [], "verified", 0, id="sure: not escalated"),
        pytest.param(0.03, [], "rejected", 0, id="refused: not escalated"),
        pytest.param(0.95, None, "proposed", 0, id="unsure, and nobody to escalate to"),
        pytest.param(0.95, [reply("verifier", '{"1": "yes"}', 0.999)], "verified", 1, id="the second agrees"),
        pytest.param(0.95, [reply("verifier", '{"1": "no"}', 0.02)], "rejected", 1, id="the second refuses"),
        pytest.param(0.95, [reply("verifier", '{"1": "yes"}', 0.95)], "proposed", 1, id="both are unsure"),
        pytest.param(
            0.95, [reply("verifier", "?"), reply("verifier", '{"1": "yes"}', 0.999)], "verified", 2, id="repair"
        ),
        pytest.param(0.95, [reply("verifier", "?"), reply("verifier", "?")], "proposed", 2, id="never usable"),
    ],
)
def test_what_is_unsure_is_escalated(p_yes: float, costly: list[RecordedReply] | None, status: str, calls: int) -> None:
    claim, asked = distilled(p_yes, costly)
    assert (claim["status"], asked) == (status, calls)
    failed = costly is not None and len(costly) == 2 and costly[1].content == "?"
    assert [failure["stage"] for failure in claim["failures"]] == (["escalation"] if failed else [])


def test_both_models_share_a_budget(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 3)
    cheap = Endpoint(fake.base_url, "fake", "cheap", logprobs=True, price=Price(1.0, 2.0))
    costly = Endpoint(fake.base_url, "big", "big", logprobs=True)
    with pytest.raises(ReaseqError, match="needs a price for big"):
        asyncio.run(
            distill(store, cheap, PromptLibrary(), Options("shoes"), budget=Budget(max_cost=1.0), costly=costly)
        )
    assert fake.stats().requests == 0
    counts = Counts()
    asyncio.run(distill(store, cheap, PromptLibrary(), Options("shoes"), counts=counts, costly=costly))
    assert counts.done == 3
