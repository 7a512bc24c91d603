"""Distillation of a category: the analyst once, then every stale product through the product graph.

The category graph is small (analyst → products). Products do not fan out inside it: each runs in a
graph of its own, a fixed number of workers at a time, and is committed when it is finished. Stop it
any way and start it again: what is done is not asked again.
"""

import asyncio
import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from importlib.metadata import version
from itertools import chain, islice
from types import MappingProxyType
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from reaseq import ReaseqError
from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.category_analyst import SAMPLE_SIZE, CategoryAnalyst, derived_from
from reaseq.agents.learned import FEWEST, Learned
from reaseq.agents.pipeline import ANALYST, Pipeline
from reaseq.agents.product_text import source_fields
from reaseq.agents.summarizer import Summarizer
from reaseq.documents.document import Document
from reaseq.documents.locales import nearest
from reaseq.graphs.ledger import Counts, Ledger, Outcome
from reaseq.graphs.options import Options, require_products, starting_schema
from reaseq.graphs.product_graph import (
    ESCALATION,
    ProductAgents,
    ProductGraph,
    ProductState,
    Stage,
    build_product_graph,
    run_product_graph,
    stages_of,
    with_repairs,
)
from reaseq.graphs.staleness import TEXT_CHANGED, Checked, Inputs, checked, retire
from reaseq.graphs.teaching import Teaching, trust_of
from reaseq.graphs.workers import FAILURES_IN_A_ROW, all_or_first_error, drained_on_signals
from reaseq.knowledge_store.locales import locales_in
from reaseq.knowledge_store.prompt_versions import keep
from reaseq.knowledge_store.store import ProductKnowledge, Store, StoredSchema
from reaseq.knowledge_store.tables import LOCKED, RunStatus
from reaseq.llm.budget import Budget, BudgetExceeded
from reaseq.llm.chat import Chat, EndpointFailed, Message, ReplyError, RequestRefused
from reaseq.llm.endpoint import Endpoint, EngineError
from reaseq.llm.slots import share
from reaseq.prompts.library import BoundPrompt, PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.meanings import by_meaning, unknown_labels, with_meanings
from reaseq.taxonomy.schema import CategorySchema

_LABELS_OF = 1000
"""Of so many products the labels are looked at that no schema knows."""


class CategoryState(TypedDict, total=False):
    category: str
    schema_version: int


async def distill(
    store: Store,
    endpoint: Endpoint,
    prompts: PromptLibrary,
    options: Options,
    *,
    engine: str = "openai",
    budget: Budget | None = None,
    counts: Counts | None = None,
    stop: asyncio.Event | None = None,
    teaching: Teaching | None = None,
    costly: Endpoint | None = None,
    taught: Sequence[str] | None = None,
    pipeline: Pipeline | None = None,
    endpoints: Mapping[str, Endpoint] = MappingProxyType({}),
) -> Outcome:
    """Distil the stale products of a category. With `teaching`, labelled products of the category are learnt from; with
    `costly`, what stays unsure is escalated to the model there. taught: only these products, by their ids, which the
    model reads as a teacher: what it finds of them is learnt from. pipeline: which agents read them, as shipped by
    default; endpoints: of agents that are answered by another model than that of `endpoint`.

    Setting `stop` drains the run: products in flight are finished, no new one is begun.

    Raises:
        ReaseqError: the category has no products.
        EndpointRefused: the endpoint refuses every request; nothing done so far is lost.
        EndpointFailed: ten products in a row failed because the endpoint did.
        BudgetExceeded: a limit was reached; nothing done so far is lost.
    """
    counts = counts if counts is not None else Counts()
    budget = budget or Budget()
    for one in (endpoint, costly, *endpoints.values()):
        if one is not None:
            budget.check(one.model, one.price)
    category = require_products(store, options.category)
    counts.total = min(store.count_products(category), options.limit or 10**12) if taught is None else len(taught)
    run_id = store.start_run(
        command="distill",
        category=category,
        model=endpoint.model,
        engine=engine,
        settings=asdict(options)
        | ({"escalate": costly.model} if costly else {})
        | ({"teach": len(taught)} if taught is not None else {})
        | ({"models": {name: one.model for name, one in endpoints.items()}} if endpoints else {}),
        versions={name: version(name) for name in ("reaseq", "langgraph", "langchain-openai", "openai")},
    )
    run = _Run(
        store,
        endpoint,
        prompts,
        options,
        run_id,
        budget,
        counts,
        stop or asyncio.Event(),
        teaching,
        costly,
        taught,
        pipeline or Pipeline(),
        endpoints,
    )
    status = RunStatus.FAILED
    try:
        async with AsyncExitStack() as open_chats:
            for chat in filter(None, (run.chat, run.costly, *run.chats.values())):
                await open_chats.enter_async_context(chat)
            status = await run.go()
    except (BudgetExceeded, asyncio.CancelledError):
        status = RunStatus.STOPPED
        raise
    finally:
        counts.stop_clock()
        store.end_run(run_id, status, asdict(counts))
    return Outcome(run_id, status, counts)


async def drained(
    store: Store,
    endpoint: Endpoint,
    prompts: PromptLibrary,
    options: Options,
    *,
    engine: str,
    counts: Counts,
    budget: Budget | None = None,
    teaching: Teaching | None = None,
    costly: Endpoint | None = None,
    taught: Sequence[str] | None = None,
    pipeline: Pipeline | None = None,
    endpoints: Mapping[str, Endpoint] = MappingProxyType({}),
) -> Outcome:
    """`distill` under Ctrl-C (or SIGTERM): the first finishes what is under way, the second cancels."""
    stop = asyncio.Event()

    def tell() -> None:
        counts.stage = "finishing what is under way (Ctrl-C again stops at once)"

    with drained_on_signals(stop, tell):
        return await distill(
            store,
            endpoint,
            prompts,
            options,
            engine=engine,
            budget=budget,
            counts=counts,
            stop=stop,
            teaching=teaching,
            costly=costly,
            taught=taught,
            pipeline=pipeline,
            endpoints=endpoints,
        )


def build_category_graph(run: "_Run | None" = None) -> Any:
    """The graph of a category. Without a run it can be drawn, not invoked."""
    graph = StateGraph(CategoryState)
    graph.add_node("category_analyst", run.analyse if run else _drawn_only)
    graph.add_node("products", run.products if run else _drawn_only)
    graph.add_edge(START, "category_analyst")
    graph.add_edge("category_analyst", "products")
    graph.add_edge("products", END)
    return graph.compile(name="category")


async def _drawn_only(state: CategoryState) -> CategoryState:
    raise NotImplementedError("this graph was built to be drawn")


class _Run:
    """One run of `distill`: what its nodes share."""

    def __init__(
        self,
        store: Store,
        endpoint: Endpoint,
        prompts: PromptLibrary,
        options: Options,
        run_id: int,
        budget: Budget,
        counts: Counts,
        stop: asyncio.Event,
        teaching: Teaching | None,
        costly: Endpoint | None,
        taught: Sequence[str] | None,
        pipeline: Pipeline,
        endpoints: Mapping[str, Endpoint],
    ) -> None:
        self.store = store
        self.endpoint = endpoint
        self.prompts = prompts
        self.options = options
        self.run_id = run_id
        self.counts = counts
        self.stop = stop
        self.teaching = teaching
        self.chat = self._chat(endpoint, budget)
        self.costly = self._chat(costly, budget) if costly else None
        self.pipeline = pipeline
        # Agents with one endpoint share its chat, and so its limit on concurrent calls.
        by_endpoint = {id(one): self._chat(one, budget) for one in endpoints.values()}
        self.chats = {name: by_endpoint[id(one)] for name, one in endpoints.items()}
        self.taught = taught
        self.stored: StoredSchema | None = None
        self.category = options.category
        self.failed_in_a_row = 0

    def chat_of(self, agent: str) -> Chat:
        return self.chats.get(agent, self.chat)

    def _chat(self, endpoint: Endpoint, budget: Budget) -> Chat:
        return Chat(
            endpoint,
            Ledger(self.store, self.run_id, self.counts),
            concurrency=self.options.concurrency,
            timeout=self.options.timeout,
            retries=self.options.retries,
            seed=self.options.seed,
            temperature=self.options.temperature,
            budget=budget,
        )

    async def go(self) -> RunStatus:
        await build_category_graph(self).ainvoke({"category": self.options.category})
        return RunStatus.STOPPED if self.stop.is_set() else RunStatus.DONE

    async def analyse(self, state: CategoryState) -> CategoryState:
        """The schema in force: the stored one, unless what it was made from has changed."""
        self.counts.stage = "category analyst"
        category = self.category = require_products(self.store, self.options.category)
        self.counts.notes += self.pipeline.doubts([name for name in self.store.categories() if name])
        starter = starting_schema(category, self.options.schemas_dir)
        analyst = CategoryAnalyst(self.prompts.of(category)["category_analyst"])
        model = self.chat_of(ANALYST).endpoint.fingerprint
        source = derived_from(starter, analyst, model if self.pipeline.analyst else None)
        # A schema that a teacher has refined holds for those that learn from it.
        sources = {source, *(derived_from(starter, analyst, one) for one in self.store.teachers(category))}
        stored = self.store.latest_schema(category)
        if stored is None or stored.derived_from not in sources:
            self._keep_prompt(analyst.name, analyst.prompt, analyst.fingerprint)
            schema = await self._refined(analyst, starter) if self.pipeline.analyst else starter
            self.counts.notes += _additions(starter, schema)
            schema = await asyncio.to_thread(self._with_labels, schema)
            stored = self.store.save_schema(schema, derived_from=source, run_id=self.run_id)
        self.stored = stored
        self.counts.schema_version = stored.version
        return {"schema_version": stored.version}

    async def _refined(self, analyst: CategoryAnalyst, starter: CategorySchema) -> CategorySchema:
        sample = []
        for product, _, _ in self.store.products(starter.category, batch=SAMPLE_SIZE):
            sample.append(Document(source_fields(product)))
            if len(sample) == SAMPLE_SIZE:
                break
        try:
            return await with_repairs(
                lambda repair: analyst.refine(self.chat_of(ANALYST), starter, sample, repair=repair),
                self._repairs(ANALYST),
            )
        except ReplyError as error:
            self.counts.notes.append(f"the category analyst gave no usable reply ({error}): starter schema used")
        except RequestRefused as error:
            self.counts.notes.append(f"the category analyst got no reply ({error}): starter schema used")
        return starter

    def _with_labels(self, schema: CategorySchema) -> CategorySchema:
        """The schema with labels that its products use taken to attributes by their meaning."""
        some = islice(self.store.products(schema.category), _LABELS_OF)
        labels = unknown_labels(Lexicon(schema), (Document(source_fields(product)) for product, _, _ in some))
        if not labels or self.teaching is None:
            return schema
        try:
            taken = by_meaning(schema, labels, self.teaching.encode(), self.teaching.likeness)
        except EngineError as error:
            self.counts.notes.append(f"labels are taken by their names alone: {error}")
            return schema
        self.counts.notes += [f"label taken by its meaning: {label!r} asks for {name}" for label, name in taken.items()]
        return with_meanings(schema, taken)

    async def products(self, state: CategoryState) -> CategoryState:
        """Every stale product through the product graph, `concurrency` model calls at a time."""
        assert self.stored is not None, "the analyst runs first"
        schema = self.stored.schema
        learned, labelled = await asyncio.to_thread(self._learn, schema)
        self.counts.stage = "products"
        trust = trust_of(self.store, schema)
        agents = ProductAgents.build(
            schema,
            self.prompts,
            grammar=self.chat_of(AttributeExtractor.name).endpoint.grammar,
            pipeline=self.pipeline,
            learned=learned,
            trust=trust,
            columns=self.options.columns,
            votes=self.options.votes,
        )
        self._retire(schema.category, agents)
        for agent in agents.agents:
            self._keep_prompt(agent.name, agent.prompt, agent.fingerprint)
        known = locales_in(self.store, schema.category) if agents.by_locale else ()
        for locale in sorted(filter(None, {nearest(one, agents.by_locale) for one in known})):
            for agent in agents.by_locale[locale].values():
                self._keep_prompt(agent.name, agent.prompt, agent.fingerprint, locale)
        inputs = Inputs(
            schema,
            self.endpoint.fingerprint,
            agents.agents,
            {name: chat.endpoint.fingerprint for name, chat in self.chats.items()},
            labelled,
            self._escalated,
            self.options.votes,
            self.options.columns,
            trust.verified_from,
            self.taught is not None,
            agents.by_locale,
        )
        stages = stages_of(agents, self.chat_of, self._repairs, self.costly)
        graph = build_product_graph(agents.reading, stages)
        todo = self._stale(schema.category, inputs)
        for first in todo:
            if first is not None:
                for endpoint, beginnings in _by_endpoint(stages):
                    await asyncio.to_thread(share, endpoint, beginnings)
                todo = chain([first], todo)
                break
            await asyncio.sleep(0)
        # What lives as long as the run is not worth the garbage collector's time.
        gc.collect()
        gc.freeze()
        # A few more products than calls are under way, so that no slot idles while a product is committed.
        width = self.options.concurrency + max(1, self.options.concurrency // 4)
        workers = [asyncio.create_task(self._work(graph, stages, todo, agents)) for _ in range(width)]
        try:
            await all_or_first_error(workers)
        finally:
            gc.unfreeze()
        return {}

    def _learn(self, schema: CategorySchema) -> tuple[Learned | None, str | None]:
        """What labelled products teach, and their fingerprint; nothing where there are too few."""
        if self.teaching is None:
            return None, None

        def learning(count: int) -> None:
            self.counts.stage = f"learning from {count:,} labelled products"

        learned, labelled = self.teaching.learn(self.store, schema, seed=self.options.seed, on_learning=learning)
        if learned is None and self.teaching.gold:
            count = len(self.teaching.products(self.store, schema))
            known = f"{count} labelled products of {schema.category} with values of open attributes"
            self.counts.notes.append(f"nothing was learnt from the gold file: {known}, {FEWEST} or more are needed")
        return learned, labelled

    def _retire(self, category: str, agents: ProductAgents) -> None:
        """Say of how many products claims hold no longer, as the agent that made them is switched off."""
        count = retire(self.store, category, agents.agents)
        if count:
            self.counts.notes.append(
                f"claims of agents that are switched off hold no longer: of {count:,} products, marked as retired"
            )

    def _keep_prompt(self, agent: str, prompt: BoundPrompt, bound: str, locale: str | None = None) -> None:
        text = self.prompts.of(self.category, locale).text(agent)
        keep(self.store, agent, text, version=prompt.version, bound=bound, category=self.category)

    def _repairs(self, agent: str) -> int:
        return self.pipeline.repairs.get(agent, self.options.repairs)

    @property
    def _escalated(self) -> str | None:
        return self.costly.endpoint.fingerprint if self.costly else None

    def _stale(self, category: str, inputs: Inputs) -> Iterator[Checked | None]:
        """Each stale product; None now and then, to let others work."""
        again = self.teaching is not None and self.teaching.again
        some = checked(self.store, category, inputs, limit=self.options.limit, again=again, only=self.taught)
        for index, one in enumerate(some):
            if one.why is not None:
                yield one
                continue
            self.counts.unchanged += 1
            if index % 100 == 0:
                yield None

    async def _work(
        self,
        graph: ProductGraph,
        stages: Sequence[Stage],
        todo: Iterator[Checked | None],
        agents: ProductAgents,
    ) -> None:
        while not self.stop.is_set():
            try:
                item = next(todo)
            except StopIteration:
                return
            if item is None:
                await asyncio.sleep(0)
                continue
            decided = self.store.decided(item.product_id)
            document = Document(item.sources)
            try:
                state = await run_product_graph(
                    graph,
                    agents.reading,
                    stages,
                    item.product_id,
                    document,
                    decided=decided,
                    variants=item.variants,
                    locale=item.locale,
                )
            except BudgetExceeded:
                self.stop.set()
                raise
            renewed = TEXT_CHANGED in (item.why or "")
            self._commit(item, state, agents, renewed=renewed)
            self.counts.left_out(document, agents.showing(document))
            head = agents.reading.lexicon.head(document)
            self.counts.other_kinds += head is not None and not head.covered

    def _commit(self, item: Checked, state: ProductState, agents: ProductAgents, *, renewed: bool) -> None:
        """renewed: is the product's text another than its claims are of?"""
        assert self.stored is not None
        product_id = item.product_id
        fingerprints = {agent.name: agent.fingerprint for agent in agents.of(item.locale)}
        failed = {failure["stage"] for failure in state["failures"]}
        claims: list[dict[str, Any]] | None = None
        # Where the model failed, what code found stands, unless there is more of the same text.
        if "claims" in state and (
            AttributeExtractor.name not in failed or renewed or not self.store.has_claims(product_id)
        ):
            claims = [
                dict(claim) | self._stamp(claim["found_by"], fingerprints)
                for claim in state["claims"]
                if claim["status"] not in LOCKED
            ]
        prose = state.get("prose")
        known = agents.reading.lexicon.schema
        others = {claim["attribute"] for claim in state.get("claims", ()) if known.get(claim["attribute"]) is None}
        knowledge = ProductKnowledge(
            product_id,
            item.parts,
            claims=claims,
            prose=None
            if prose is None
            else {
                "text": prose,
                "model": self.chat_of(Summarizer.name).endpoint.model,
                "prompt_fingerprint": fingerprints[Summarizer.name],
            },
            failures=[dict(failure) for failure in state["failures"]],
            retired_calls=state["retired"],
            several=agents.reading.several | others,
            kept=() if renewed else failed,
            agents=fingerprints.keys() & self.pipeline.own.keys(),
        )
        self.store.save_knowledge(knowledge, run_id=self.run_id)
        if knowledge.done:
            self.counts.done += 1
        else:
            self.counts.failed += 1
        for claim in claims or ():
            status = claim["status"]
            setattr(self.counts, status, getattr(self.counts, status) + 1)
        by_code = state.get("code_failed", False)
        self.failed_in_a_row = self.failed_in_a_row + 1 if state.get("endpoint_failed") or by_code else 0
        if self.failed_in_a_row >= FAILURES_IN_A_ROW:
            failure = state["failures"][-1]
            if by_code:
                raise ReaseqError(
                    f"{self.failed_in_a_row} products in a row failed in the agent {failure['stage']}: "
                    f"{failure['reason']}",
                    hint="mend it, and run the same command: it goes on",
                )
            address = self._chat_at(failure["stage"]).endpoint.base_url
            raise EndpointFailed(
                f"{self.failed_in_a_row} products in a row failed because {address} did: {failure['reason']}",
                hint="see that the endpoint is up, and run the same command: it goes on",
            )

    def _stamp(self, found_by: str, fingerprints: Mapping[str, str]) -> dict[str, Any]:
        """Where a claim comes from: schema, model and prompt."""
        assert self.stored is not None
        agent = found_by if found_by in fingerprints else AttributeExtractor.name
        by_code = found_by in ("lexicon", "tagger") or agent not in fingerprints
        return {
            "schema_version": self.stored.version,
            "prompt_fingerprint": fingerprints.get(agent, ""),
            "model": "" if by_code else self.chat_of(agent).endpoint.model,
        }

    def _chat_at(self, stage: str) -> Chat:
        return self.costly if stage == ESCALATION and self.costly is not None else self.chat_of(stage)


def _by_endpoint(stages: Sequence[Stage]) -> list[tuple[Endpoint, list[tuple[Message, ...]]]]:
    """Each endpoint with what the requests of its agents begin with."""
    made: dict[int, tuple[Endpoint, list[tuple[Message, ...]]]] = {}
    for stage in stages:
        if stage.name != ESCALATION:
            endpoint = stage.chat.endpoint
            made.setdefault(id(endpoint), (endpoint, []))[1].append(stage.agent.prompt.messages)
    return list(made.values())


def _additions(starter: CategorySchema, schema: CategorySchema) -> list[str]:
    """What the analyst added to a starter schema, in words."""
    notes = []
    for attribute in schema.attributes:
        before = starter.get(attribute.name)
        values = ", ".join(value for value in attribute.values if before is None or value not in before.values)
        if before is None:
            notes.append(f"the category analyst added the attribute {attribute.name}: {values}")
        elif values:
            notes.append(f"the category analyst added to {attribute.name}: {values}")
    return notes
