"""What a distillation would do, and about what it would take, without asking any model."""

from collections import Counter
from dataclasses import dataclass, field

from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.category_analyst import CategoryAnalyst, derived_from
from reaseq.agents.learned import worthwhile
from reaseq.agents.product_text import shown
from reaseq.graphs.distill import Options, require_products, starting_schema
from reaseq.graphs.product_graph import ProductAgents
from reaseq.graphs.staleness import Inputs, checked
from reaseq.graphs.teaching import Teaching, fingerprint
from reaseq.knowledge_store.audits import verified_from
from reaseq.knowledge_store.store import Store
from reaseq.llm.budget import estimate_tokens
from reaseq.llm.endpoint import Price
from reaseq.prompts.library import PromptLibrary

_MEASURED_FROM = 5
_SAMPLED = 20


@dataclass
class AgentPlan:
    """Estimates for one agent."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float | None = None
    measured: bool = False


@dataclass
class Plan:
    category: str
    products: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    agents: dict[str, AgentPlan] = field(default_factory=dict)
    cost: float | None = None
    seconds: float | None = None

    @property
    def stale(self) -> int:
        return self.reasons.total()


def plan(
    store: Store,
    prompts: PromptLibrary,
    options: Options,
    *,
    model: str,
    model_fingerprint: str,
    price: Price | None,
    teaching: Teaching | None = None,
    escalated: str | None = None,
) -> Plan:
    """How many products are stale and why, with estimated calls, tokens, seconds and cost.

    An agent's figures are averages of its earlier calls to the same model if there were at least
    five, else estimated from the prompts of the first stale products.
    """
    made = Plan(require_products(store, options.category))
    starter = starting_schema(made.category, options.schemas_dir)
    analyst = CategoryAnalyst(prompts[CategoryAnalyst.name])
    stored = store.latest_schema(made.category)
    analysed = stored is not None and stored.derived_from == derived_from(starter, analyst, model_fingerprint)
    schema = stored.schema if stored is not None and analysed else starter
    agents = ProductAgents.build(schema, prompts, grammar=False, columns=options.columns)
    labelled = teaching.products(store, schema) if teaching else []
    known = fingerprint(labelled) if worthwhile(labelled, schema) else None
    inputs = Inputs(
        schema,
        model_fingerprint,
        agents.fingerprints,
        known,
        escalated,
        options.votes,
        options.columns,
        verified_from(store, schema.category),
    )
    again = teaching is not None and teaching.again
    sampled: list[str] = []
    for one in checked(store, made.category, inputs, limit=options.limit, again=again):
        made.products += 1
        if one.why is not None:
            made.reasons[one.why] += 1
            if len(sampled) < _SAMPLED:
                sampled.append(shown(one.sources))

    if not analysed:
        made.agents[CategoryAnalyst.name] = AgentPlan(calls=1, prompt_tokens=1500, completion_tokens=200)
    if made.stale:
        past = {row["agent"]: row for row in store.usage() if row["model"] == model}
        extractions = past.get(AttributeExtractor.name, {}).get("calls", 0)
        for agent, reply in (
            (agents.extractor, 10 * len(schema.asked)),
            (agents.verifier, 20),
            (agents.summarizer, 80),
        ):
            row = past.get(agent.name)
            if row and row["calls"] >= _MEASURED_FROM:
                share = min(1.0, row["calls"] / extractions) if extractions else 1.0
                calls = round(made.stale * share)
                made.agents[agent.name] = AgentPlan(
                    calls,
                    round(calls * row["prompt_tokens"] / row["calls"]),
                    round(calls * row["completion_tokens"] / row["calls"]),
                    calls * row["seconds"] / row["calls"],
                    measured=True,
                )
            else:
                prefix = estimate_tokens(agent.prompt.messages)
                shown_tokens = sum(estimate_tokens([("user", text)]) for text in sampled) // max(1, len(sampled))
                made.agents[agent.name] = AgentPlan(
                    made.stale, made.stale * (prefix + shown_tokens), made.stale * reply
                )
    timed = [agent.seconds for agent in made.agents.values() if agent.measured and agent.seconds is not None]
    if timed:
        made.seconds = sum(timed) / options.concurrency
    if price is not None:
        made.cost = sum(price.of(agent.prompt_tokens, agent.completion_tokens) for agent in made.agents.values())
    return made
