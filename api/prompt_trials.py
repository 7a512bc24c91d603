"""Prompts tried before they are in force: on a few products, or on a sample of a category beside another version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reaseq import ReaseqError
from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.extraction_score import GoldRow
from reaseq.agents.learned import Learned, worthwhile
from reaseq.agents.pipeline import Pipeline
from reaseq.api.engine import chat_of, engine_config, pipeline_of, prompts_of, teaching
from reaseq.documents.locales import nearest
from reaseq.graphs.comparison import (
    Comparison,
    Side,
    compared,
    narrow_enough,
    subjects_of_gold,
)
from reaseq.graphs.extraction_eval import categories
from reaseq.graphs.ledger import Ledger, booked
from reaseq.graphs.options import require_products, schema_in_force, starting_schema
from reaseq.graphs.product_graph import ProductAgents, stages_of
from reaseq.graphs.recorded import NotRecorded, RecordedChat
from reaseq.graphs.teaching import trust_of
from reaseq.graphs.trial import Noting, Pairs, Subject, Trial, read_in_pairs
from reaseq.knowledge_store import prompt_versions
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.thresholds import verified_from
from reaseq.llm.budget import Budget
from reaseq.llm.chat import Chat, ChatRequest
from reaseq.llm.engines import not_started
from reaseq.prompts.library import (
    BUNDLED,
    Prompt,
    PromptLibrary,
    agent_in,
    load_prompt,
    locale_in,
    parse_prompt,
    read_text,
    written,
)
from reaseq.taxonomy.schema import CategorySchema
from reaseq.taxonomy.trust import Trust, shipped

if TYPE_CHECKING:
    from reaseq.api.settings import Settings
    from reaseq.graphs.ranker_effect import Judge
    from reaseq.llm.endpoint import Endpoint

IN_FORCE, AS_BUNDLED = "in-force", "bundled"


@dataclass(frozen=True)
class Candidate:
    """A version of an agent's prompt. label: what to call it. text: its file's. locale: for whose products alone it
    is."""

    agent: str
    label: str
    text: str
    fingerprint: str
    parsed: Callable[[], Prompt]
    locale: str | None = None

    @classmethod
    def of(cls, prompt: Prompt, label: str, text: str) -> Candidate:
        return cls(prompt.name, label, text, prompt.fingerprint, lambda: prompt)

    @cached_property
    def prompt(self) -> Prompt:
        """Raises:
        PromptError: it is one of those that are kept, and of an earlier reaseq, which asked for something else.
        """
        return self.parsed()


def candidates(
    store: Store, library: PromptLibrary, first: str, second: str | None = None
) -> tuple[Candidate | None, Candidate]:
    """The version that stands (None: there is no other than the one to try), and the one to try.

    Both may be named: a file, a version by its fingerprint or name, "bundled", "in-force". A single file is held
    against the prompt in force, and a single version is what the one in force is held against. An agent's name means
    the prompt in force, held against the version on which its products stand, or else the bundled one. Beside a file of
    a locale (`verifier.de.yaml`) that in force is the one for its products.

    Raises:
        ReaseqError: nothing is called so, or both are of different agents.
        PromptError: a file is wrong.
    """
    locales = {locale_in(Path(one)) for one in (first, second) if one and _is_file(one)} - {""}
    if len(locales) > 1:
        raise ReaseqError(f"{first} and {second} are for products of different locales", hint="name two of one locale")
    locale = next(iter(locales), None)
    before, after = _named(store, library.of(library.category, locale), first, second)
    return before and replace(before, locale=locale), replace(after, locale=locale)


def _named(store: Store, library: PromptLibrary, first: str, second: str | None) -> tuple[Candidate | None, Candidate]:
    if second is not None:
        words = (IN_FORCE, AS_BUNDLED)
        agent = next((_candidate(store, library, one, "").agent for one in (first, second) if one not in words), None)
        if agent is None:
            raise ReaseqError("of which agent?", hint=f"reaseq prompts compare AGENT, or a file and {IN_FORCE}")
        before, after = (_candidate(store, library, one, agent) for one in (first, second))
        if before.agent != after.agent:
            raise ReaseqError(
                f"{first} is of {before.agent}, and {second} of {after.agent}", hint="name two of one agent"
            )
        return before, after
    if first in (IN_FORCE, AS_BUNDLED):
        raise ReaseqError("of which agent?", hint=f"reaseq prompts compare AGENT   (agents: {', '.join(library)})")
    if first not in set(library):
        named = _candidate(store, library, first, "")
        in_force = _candidate(store, library, IN_FORCE, named.agent)
        if named.fingerprint != in_force.fingerprint:
            return (in_force, named) if _is_file(first) else (named, in_force)
        first = named.agent
    after = _candidate(store, library, IN_FORCE, first)
    known = [one for one in prompt_versions.versions(store, first) if one.fingerprint != after.fingerprint]
    standing = max(known, key=lambda one: one.products, default=None)
    if standing is not None and standing.products:
        return _stored(library, standing), after
    bundled = _candidate(store, library, AS_BUNDLED, first) if (BUNDLED / f"{first}.yaml").is_file() else None
    if bundled is not None and bundled.fingerprint != after.fingerprint:
        return bundled, after
    return None, after


def reads(library: PromptLibrary, version: Candidate) -> Callable[[str | None], bool]:
    """Says whether products of a locale (None: not known) are read with a version once it is in force: those whose
    locale has a prompt of its own are not read with that of the others."""
    known = {*library.locales(version.agent, library.category), *([version.locale] if version.locale else [])}
    return lambda locale: nearest(locale, known) == version.locale


def _is_file(named: str) -> bool:
    return Path(named).suffix in (".yaml", ".yml")


def _candidate(store: Store, library: PromptLibrary, named: str, agent: str) -> Candidate:
    if _is_file(named):
        path = Path(named)
        beneath, given = library.beneath(path), library.given(agent_in(path))
        if beneath is not None:
            prompt = parse_prompt(read_text(path), path, given=given, base=beneath)
            return Candidate.of(prompt, named, written(prompt))
        prompt = load_prompt(path, given=given)
        return Candidate.of(prompt, named, read_text(path))
    if named == IN_FORCE or named in set(library):
        agent = agent if named == IN_FORCE else named
        return Candidate.of(library[agent], "in force", library.text(agent))
    if named == AS_BUNDLED:
        path = BUNDLED / f"{agent}.yaml"
        if not path.is_file():
            raise ReaseqError(f"no prompt of {agent} is bundled", hint="reaseq prompts list")
        return Candidate.of(load_prompt(path), "bundled", path.read_text(encoding="utf-8"))
    return _stored(library, prompt_versions.find(store, named))


def _stored(library: PromptLibrary, version: prompt_versions.Version) -> Candidate:
    label = version.name or version.fingerprint[:8]

    def parsed() -> Prompt:
        return parse_prompt(version.text, Path(f"{version.agent}.yaml"), given=library.given(version.agent))

    return Candidate(version.agent, label, version.text, version.fingerprint, parsed)


@dataclass(frozen=True)
class Bench:
    """What products are read with: settings, agents, a category's schema, and what is learnt of it."""

    store: Store
    settings: Settings
    library: PromptLibrary
    pipeline: Pipeline
    schema: CategorySchema
    trust: Trust
    learned: Learned | None = None

    def require(self, agent: str) -> None:
        """Raises:
        ReaseqError: the agent reads no products of the category.
        """
        made = ProductAgents.build(self.schema, self.library, grammar=False, pipeline=self.pipeline)
        if agent in {one.name for one in made.agents}:
            return
        if agent in self.pipeline.names:
            raise ReaseqError(f"agent {agent} is not for {self.schema.category}", hint="name another category")
        raise ReaseqError(
            f"{agent} reads no products one by one, so there is nothing to hold against one another",
            hint=f"of these it can be done: {', '.join(self.pipeline.names)}",
        )

    @property
    def several(self) -> frozenset[str]:
        """The attributes that may have several values."""
        return frozenset(one.name for one in self.schema.attributes if one.multiple)

    def agents(self, library: PromptLibrary, *, grammar: bool) -> ProductAgents:
        """The category's agents with these prompts. grammar: of the extractor's endpoint."""
        return ProductAgents.build(
            self.schema,
            library,
            grammar=grammar,
            pipeline=self.pipeline,
            learned=self.learned,
            trust=self.trust,
            columns=self.settings.columns,
            votes=self.settings.votes,
        )

    def trial(self, chat: Chat) -> Trial:
        """The category's agents with the prompts in force, all over one chat."""
        agents = self.agents(self.library, grammar=chat.endpoint.grammar)
        return Trial(self.store, agents, stages_of(agents, lambda name: chat, self.repairs))

    def repairs(self, agent: str) -> int:
        """How often a reply that cannot be used goes back to an agent."""
        return self.pipeline.repairs.get(agent, self.settings.repairs)

    @asynccontextmanager
    async def trials(
        self,
        endpoint: Endpoint,
        endpoints: Mapping[str, Endpoint],
        ledger: Ledger,
        versions: Sequence[Candidate],
        budget: Budget,
    ) -> AsyncIterator[list[Trial]]:
        """One for each version, over the same endpoints. Their texts are kept, as those of a run are."""
        noting = Noting(ledger)
        async with AsyncExitStack() as stack:
            usual = await stack.enter_async_context(chat_of(self.settings, endpoint, noting, budget))
            chats = {
                name: await stack.enter_async_context(chat_of(self.settings, other, noting, budget))
                for name, other in endpoints.items()
            }
            yield [self.trial_of(version, usual, chats) for version in versions]

    def trial_of(
        self, version: Candidate, usual: Chat, chats: Mapping[str, Chat], *, leave_out: Collection[str] = ()
    ) -> Trial:
        """One for a version, whose text is kept. usual: the chat of agents that have none of their own in `chats`.
        leave_out: agents that are not asked."""
        agents = self.agents(
            self.library.with_prompt(version.prompt), grammar=chats.get(AttributeExtractor.name, usual).endpoint.grammar
        )
        mine = next(agent for agent in agents.agents if agent.name == version.agent)
        prompt_versions.keep(
            self.store,
            version.agent,
            version.text,
            version=version.fingerprint,
            bound=mine.fingerprint,
            category=self.schema.category,
        )
        stages = stages_of(agents, lambda name: chats.get(name, usual), self.repairs)
        return Trial(self.store, agents, [stage for stage in stages if stage.name not in leave_out])


def bench_of(store: Store, settings: Settings, category: str, *, leave_out: Sequence[str] | None = None) -> Bench:
    """What products of a category in the store are read with. leave_out: what people decided of these is not learnt
    from, as they are to be judged by it; None: what is learnt is what a distillation learns.

    Raises:
        ReaseqError: there is no such category, or the pipeline or a prompt is wrong.
        EngineError: something is learnt, and the text encoder cannot be had.
    """
    category, pipeline = require_products(store, category), pipeline_of(settings)
    stored = store.latest_schema(category)
    schema = stored.schema if stored else starting_schema(category, str(settings.schemas_dir))
    taught = teaching(settings)
    if leave_out is None:
        learned, _ = taught.learn(store, schema, seed=settings.seed)
    else:
        known = [one for one in taught.products(store, schema) if one.id not in set(leave_out)]
        enough = worthwhile(known, schema)
        learned = Learned.learn(known, schema, taught.vectors(), seed=settings.seed) if enough else None
    library = prompts_of(settings, pipeline).of(category)
    # Trust is learnt of decisions too.
    trust = trust_of(store, schema) if leave_out is None else _unlearnt(store, schema)
    return Bench(store, settings, library, pipeline, schema, trust, learned)


def _unlearnt(store: Store, schema: CategorySchema) -> Trust:
    """The trust as shipped, with the threshold that audits set."""
    return replace(shipped(), verified_from=verified_from(store, schema.category))


def bench_of_schema(store: Store, settings: Settings, schema: CategorySchema) -> Bench:
    """What products of a schema's category are read with; nothing is learnt.

    Raises:
        ReaseqError: the pipeline or a prompt is wrong.
    """
    pipeline = pipeline_of(settings)
    library = prompts_of(settings, pipeline).of(schema.category)
    return Bench(store, settings, library, pipeline, schema, _unlearnt(store, schema))


def bench_of_gold(
    store: Store, settings: Settings, rows: Sequence[GoldRow], category: str, size: int
) -> tuple[Bench, list[Subject]]:
    """The same for rows of a gold file, of which `size` are read.

    Raises:
        ReaseqError: there are none of the category.
    """
    mine = [replace(row, category=category) for row in rows if row.category.casefold() == category.casefold()]
    if not mine:
        there = ", ".join(sorted({row.category for row in rows}))
        raise ReaseqError(f"the gold file has no rows of {category!r}; it has {there}", hint="name another category")
    (group,) = categories(mine, examples=2, schema_of=lambda name: schema_in_force(store, name, settings.schemas_dir))
    return bench_of_schema(store, settings, group.schema), subjects_of_gold(group.rows, group.names, size)


async def request_for(bench: Bench, agent: str, subject: Subject) -> ChatRequest | None:
    """What an agent is asked about a product, from what the agents before it answered; None: it is not asked.

    Raises:
        NotRecorded: an agent before it was never asked.
    """
    bench.require(agent)
    settings = bench.settings
    endpoint = not_started(engine_config(settings))
    chat = RecordedChat(bench.store, endpoint, seed=settings.seed, temperature=settings.temperature)
    try:
        async with chat:
            await bench.trial(chat).read(subject)
    except NotRecorded:
        if chat.asked[-1].agent != agent:
            raise
    return next((one for one in chat.asked if one.agent == agent), None)


@dataclass
class Watched:
    """A comparison under way: set `stop`, and it ends with what it has."""

    pairs: Pairs = field(default_factory=Pairs)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


async def compare(
    bench: Bench,
    subjects: Sequence[Subject],
    before: Candidate,
    after: Candidate,
    endpoint: Endpoint,
    endpoints: Mapping[str, Endpoint],
    *,
    budget: Budget | None = None,
    within: float | None = None,
    ranker: Judge | None = None,
    watched: Watched | None = None,
    on_pair: Callable[[int, int], None] = lambda done, total: None,
) -> Comparison:
    """Read products with both versions, and say what is otherwise; nothing is stored but the replies.

    within: no further product is begun once the difference in F1 is known so well on either side. ranker: a run, opened
    by `judge_of`; what both versions do to it is found out too.

    Raises:
        ReaseqError: the agent reads no products of the category.
        EndpointRefused, EndpointFailed: the endpoint cannot be used, and no product was read before; replies are kept.
    """
    bench.require(after.agent)
    watched, budget = watched or Watched(), budget or Budget()
    for one in (endpoint, *endpoints.values()):
        budget.check(one.model, one.price)
    settings, category = bench.settings, bench.schema.category
    kept = {"before": before.fingerprint, "after": after.fingerprint, "category": category}
    with booked(bench.store, endpoint, command="prompts compare", engine=settings.engine, settings=kept) as ledger:
        async with bench.trials(endpoint, endpoints, ledger, (before, after), budget) as trials:
            pairs = await read_in_pairs(
                subjects,
                *trials,
                width=settings.calls_at_a_time,
                made=watched.pairs,
                stop=watched.stop,
                on_pair=lambda made: on_pair(len(made.done) + len(made.failed), len(subjects)),
                **({"enough": narrow_enough(within)} if within else {}),
            )
        ledger.stopped = pairs.stopped is not None and pairs.stopped.by is not None
    made = compared(
        bench.store,
        pairs,
        after.agent,
        category,
        Side(before.label, before.fingerprint),
        Side(after.label, after.fingerprint),
        several=bench.several,
    )
    made.sampled = len(subjects)
    if ranker is not None:
        _judge_ranker(made, watched.pairs, ranker, bench)
    return made


def _judge_ranker(made: Comparison, pairs: Pairs, ranker: Judge, bench: Bench) -> None:
    """Whatever ends it, what was found before stands."""
    if not pairs.done:
        made.ranker_left_out = "no product was read in both ways"
    elif made.stopped_by == "interrupt":
        made.ranker_left_out = "it was interrupted"
    else:
        try:
            made.ranker = ranker.effect(pairs.done, bench.schema)
        except KeyboardInterrupt:
            made.ranker_left_out, made.stopped_by = "it was interrupted", "interrupt"
