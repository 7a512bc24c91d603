"""What a distillation would do, and about what it would take, without asking any model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from reaseq.agents.agent import ProductAgent
from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.category_analyst import CategoryAnalyst, derived_from
from reaseq.agents.labelled import scattered
from reaseq.agents.learned import worthwhile
from reaseq.agents.pipeline import Pipeline
from reaseq.agents.product_text import shown, source_fields
from reaseq.graphs.options import Options, require_products, starting_schema
from reaseq.graphs.product_graph import ProductAgents
from reaseq.graphs.reading import Reading, ToRead
from reaseq.graphs.staleness import Checked, Inputs, checked, parts_of
from reaseq.graphs.teaching import Teaching, fingerprint, trust_of
from reaseq.knowledge_store.shown import Result
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.thresholds import verified_from
from reaseq.llm.budget import estimate_tokens
from reaseq.llm.endpoint import Price
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon

_MEASURED_FROM = 5
_PILOT = 200
_ONCE = CategoryAnalyst.name
"""The agent that is asked once a category."""
_SAMPLED = 20


@dataclass(frozen=True)
class AnsweredBy:
    """A model: its name, its fingerprint, and the price of its tokens."""

    model: str
    fingerprint: str
    price: Price | None = None


@dataclass
class AgentPlan:
    """Estimates for one agent."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float | None = None
    measured: bool = False


@dataclass(frozen=True)
class Pass:
    """One of the passes of a distillation. settled: of its products, about how many it leaves nothing to doubt of; f1:
    held-out, of open attributes; cost: estimated. None: not known beforehand."""

    name: str
    products: int
    settled: int | None
    f1: float | None = None
    cost: float | None = None


@dataclass(repr=False)
class Plan(Result):
    """What a distillation of a category would do: how many products for which reason, and by agent what it takes.
    notes: what is doubtful, in words."""

    category: str
    products: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    agents: dict[str, AgentPlan] = field(default_factory=dict)
    cost: float | None = None
    seconds: float | None = None
    passes: list[Pass] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def stale(self) -> int:
        return self.reasons.total()

    def told(self) -> str:
        why = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.most_common())
        told = f"{self.stale:,} of {self.products:,} products of {self.category} to do" + (f": {why}" if why else "")
        return "; note: ".join([told, *self.notes])

    def records(self) -> list[dict[str, Any]]:
        """One an agent: its calls, tokens and seconds, as estimated."""
        return [{"agent": name} | vars(agent) for name, agent in self.agents.items()]


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
    pipeline: Pipeline | None = None,
    models: Mapping[str, AnsweredBy] = MappingProxyType({}),
) -> Plan:
    """How many products are stale and why, with estimated calls, tokens, seconds and cost.

    An agent's figures are averages of its earlier calls to the same model if there were at least
    five, else estimated from the prompts of the first stale products. models: of agents that have one of their own.
    """
    pipeline = pipeline or Pipeline()
    usual = AnsweredBy(model, model_fingerprint, price)
    made = Plan(require_products(store, options.category))
    made.notes = pipeline.doubts([name for name in store.categories() if name])
    starter = starting_schema(made.category, options.schemas_dir)
    analyst = CategoryAnalyst(prompts.of(made.category)[CategoryAnalyst.name])
    stored = store.latest_schema(made.category)
    refined_by = models.get(_ONCE, usual).fingerprint if pipeline.analyst else None
    sources = {derived_from(starter, analyst, one) for one in (refined_by, *store.teachers(made.category))}
    analysed = stored is not None and stored.derived_from in sources
    schema = stored.schema if stored is not None and analysed else starter
    agents = ProductAgents.build(schema, prompts, grammar=False, pipeline=pipeline, columns=options.columns)
    labelled = teaching.products(store, schema) if teaching else []
    known = fingerprint(labelled) if worthwhile(labelled, schema) else None
    inputs = Inputs(
        schema,
        model_fingerprint,
        agents.agents,
        {name: one.fingerprint for name, one in models.items()},
        known,
        escalated,
        options.votes,
        options.columns,
        verified_from(store, schema.category),
        by_locale=agents.by_locale,
    )
    again = teaching is not None and teaching.again
    sampled: list[str] = []
    asked: Counter[str] = Counter()
    for one in checked(store, made.category, inputs, limit=options.limit, again=again):
        made.products += 1
        if one.why is not None:
            made.reasons[one.why] += 1
            asked.update(agent.name for agent in _asked(agents.agents, one))
            if len(sampled) < _SAMPLED:
                sampled.append(shown(one.sources))

    if not analysed and pipeline.analyst:
        made.agents[CategoryAnalyst.name] = AgentPlan(calls=1, prompt_tokens=1500, completion_tokens=200)
    if made.stale:
        past = {(row["agent"], row["model"]): row for row in store.usage()}
        by_extractor = models.get(AttributeExtractor.name, usual).model
        extractions = past.get((AttributeExtractor.name, by_extractor), {}).get("calls", 0)
        for agent in agents.agents:
            row, due = past.get((agent.name, models.get(agent.name, usual).model)), asked[agent.name]
            if row and row["calls"] >= _MEASURED_FROM:
                share = min(1.0, row["calls"] / extractions) if extractions and due == made.stale else 1.0
                calls = round(due * share)
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
                made.agents[agent.name] = AgentPlan(due, due * (prefix + shown_tokens), due * agent.usual_reply)
    timed = [agent.seconds for agent in made.agents.values() if agent.measured and agent.seconds is not None]
    if timed:
        made.seconds = sum(timed) / options.concurrency
    prices = {name: models.get(name, usual).price for name in made.agents}
    if price is not None and all(one is not None for one in prices.values()):
        made.cost = sum(
            one.of(made.agents[name].prompt_tokens, made.agents[name].completion_tokens)
            for name, one in prices.items()
            if one is not None
        )
    return made


def _asked(agents: Sequence[ProductAgent], product: Checked) -> list[ProductAgent]:
    """The agents that are asked of a stale product: where nothing has changed but an agent's prompt, code or model,
    that one and those that come after it; the replies of the others are there."""
    mine = [agent for agent in agents if agent.is_for(product.sources)]
    before = product.before or {}
    changed = {name for name in {*product.parts, *before} if product.parts.get(name) != before.get(name)}
    for number, agent in enumerate(mine):
        if changed & parts_of((agent.name,)):
            first = number
            break
    else:
        return mine
    others = changed - parts_of([agent.name for agent in mine])
    return mine if others or product.before is None else mine[first:]


def passes(
    store: Store,
    options: Options,
    made: Plan,
    *,
    teaching: Teaching,
    teach: int,
    teacher_price: Price | None,
    price: Price | None,
) -> list[Pass]:
    """What each pass would do where a teacher reads `teach` products first, by a pilot: some products are read by code,
    and by the student if there are labels to learn from already; no model is asked.

    Raises:
        EngineError: there are labels, and the text encoder cannot be had.
    """
    schema = starting_schema(made.category, options.schemas_dir)
    if (stored := store.latest_schema(made.category)) is not None:
        schema = stored.schema
    total = store.count_products(made.category)
    pilot = sorted(store.unsettled(made.category), key=scattered)[:_PILOT]
    some = [
        ToRead(product["id"], source_fields(product), product["variants"], [], {})
        for product, _, _ in store.products_of(pilot)
    ]
    trust, lexicon = trust_of(store, schema), Lexicon(schema)
    learned, _ = teaching.learn(store, schema, seed=options.seed)

    def settled(reading: Reading) -> float:
        """Of the pilot, the share that it leaves nothing to doubt of."""
        found = reading.read(some)
        done = sum(not any(claim["status"] == "proposed" for claim in claims) for claims in found)
        return done / max(1, len(some))

    taught = min(teach, total)
    rest = total - taught
    by_code = settled(Reading(lexicon, None, trust))
    by_student = round(rest * settled(Reading(lexicon, learned, trust))) if learned else None
    left = rest - (by_student if by_student is not None else round(rest * by_code))

    def cost(count: int, per: Price | None) -> float | None:
        if per is None or not made.stale:
            return None
        tokens = [
            (agent.prompt_tokens, agent.completion_tokens) for name, agent in made.agents.items() if name != _ONCE
        ]
        return sum(per.of(prompt, reply) for prompt, reply in tokens) * count / made.stale

    return [
        Pass("code", total, round(total * by_code), cost=0.0),
        Pass("teacher", taught, taught, cost=cost(taught, teacher_price)),
        Pass("student", rest, by_student, learned.f1 if learned else None, 0.0),
        Pass("model", left, left, cost=cost(left, price)),
    ]
