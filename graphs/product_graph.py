"""The graph of one product: extract → ground → one agent after the other (verify → escalate → summarize, as shipped).

Which agents there are, and in which order, a `Pipeline` says. Only what is still unsure is escalated: judged by a
second, costlier model, if there is one.

A reply that cannot be used goes back to the agent together with what was wrong with it, a few times a stage. A stage
that fails for good is noted and what earlier stages found is kept. State is plain data. There is no checkpointer: the
store is the checkpoint, the reply ledger what makes a restart cheap.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from reaseq.agents.agent import Findings, ProductAgent, ReadProduct, Setup
from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.learned import Learned
from reaseq.agents.own import CodeFailed
from reaseq.agents.pipeline import Pipeline
from reaseq.agents.product_text import MOST_COLUMNS, Shown, showing
from reaseq.agents.verifier import Verifier
from reaseq.documents.document import Document
from reaseq.documents.locales import nearest
from reaseq.graphs.reading import Reading
from reaseq.llm.chat import Chat, EndpointFailed, Message, ReplyError
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import CategorySchema
from reaseq.taxonomy.trust import Trust
from reaseq.taxonomy.variants import variant_values

Kind = TypeVar("Kind", bound=ProductAgent)
T = TypeVar("T")
_LONGEST_SHOWN_BACK = 600


class StageFailure(TypedDict):
    """A stage that could not be done, and why."""

    stage: str
    reason: str
    attempts: int


class ProductState(Findings, total=False):
    """`attempts`, `repair` and `replies` are of the stage at work: its unusable replies so far, the last
    exchange, and all their calls. `retired` are the calls that failures rest on."""

    attempts: int
    repair: list[Message]
    replies: list[int]
    failures: list[StageFailure]
    retired: list[int]
    endpoint_failed: bool
    code_failed: bool


ProductGraph = CompiledStateGraph[ProductState, ReadProduct, ProductState, ProductState]

NEW_STAGE: ProductState = {"attempts": 0, "repair": [], "replies": []}
GROUND = "ground"
ESCALATION = "escalation"


@dataclass(frozen=True)
class ProductAgents:
    """The agents of one category, in the order in which they are asked, built once: their prompts, schemas and lexicon
    are shared by all its products. by_locale: for products of a locale those of which the prompt is another,
    by name."""

    reading: Reading
    agents: tuple[ProductAgent, ...]
    columns: int = MOST_COLUMNS
    by_locale: Mapping[str, Mapping[str, ProductAgent]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        schema: CategorySchema,
        prompts: PromptLibrary,
        *,
        grammar: bool,
        pipeline: Pipeline | None = None,
        learned: Learned | None = None,
        trust: Trust | None = None,
        columns: int = MOST_COLUMNS,
        votes: int = 1,
    ) -> "ProductAgents":
        """Those of the pipeline that are for the schema's category; see `Setup`. grammar: of the extractor's
        endpoint."""
        lexicon = Lexicon(schema)
        usual = prompts.of(schema.category)
        setup = Setup(usual, lexicon, grammar=grammar, learned=learned, columns=columns, votes=votes)
        made = (pipeline or Pipeline()).agents_of(schema.category)
        by_locale: dict[str, dict[str, ProductAgent]] = {}
        for locale in sorted({one for kind in made for one in prompts.locales(kind.name, schema.category)}):
            theirs = prompts.of(schema.category, locale)
            mine = replace(setup, prompts=theirs)
            others = {kind.name: kind.build(mine) for kind in made if theirs[kind.name] != usual[kind.name]}
            if others:
                by_locale[locale] = others
        reading = Reading(lexicon, learned, trust)
        return cls(reading, tuple(kind.build(setup) for kind in made), columns, by_locale)

    def of(self, locale: str | None) -> tuple[ProductAgent, ...]:
        """Those that read a product of a locale; None: it is not known."""
        theirs = self.by_locale.get(nearest(locale, self.by_locale) or "", {})
        return tuple(theirs.get(agent.name, agent) for agent in self.agents)

    def get(self, kind: type[Kind], locale: str | None = None) -> Kind | None:
        """The agent of that kind, as `of` has it; None, if it is switched off."""
        return next((agent for agent in self.of(locale) if isinstance(agent, kind)), None)

    def showing(self, text: Document) -> Shown:
        """What prompts show of a product."""
        return showing(text, first=self.reading.lexicon.known_columns(text), most=self.columns)


@dataclass(frozen=True)
class Stage:
    """An agent at work: a node of the graph, the chat through which it asks, and how often a reply that cannot be used
    goes back to it. by_locale: the agents that read the products of a locale in its place."""

    name: str
    agent: ProductAgent
    chat: Chat
    repairs: int
    by_locale: Mapping[str, ProductAgent] = field(default_factory=dict)

    def agent_of(self, product: ReadProduct) -> ProductAgent:
        """The one that reads a product."""
        return self.by_locale.get(nearest(product.locale, self.by_locale) or "", self.agent)


def stages_of(
    agents: ProductAgents,
    chat_of: Callable[[str], Chat],
    repairs_of: Callable[[str], int],
    costly: Chat | None = None,
) -> list[Stage]:
    """A stage for each agent. `costly` is the chat of the model to which is escalated what stays unsure after the
    verifier."""
    made = []
    for agent in agents.agents:
        theirs = {locale: mine[agent.name] for locale, mine in agents.by_locale.items() if agent.name in mine}
        made.append(Stage(agent.name, agent, chat_of(agent.name), repairs_of(agent.name), theirs))
        if isinstance(agent, Verifier) and costly is not None:
            unsure = {locale: one.of_the_unsure() for locale, one in theirs.items() if isinstance(one, Verifier)}
            made.append(Stage(ESCALATION, agent.of_the_unsure(), costly, repairs_of(agent.name), unsure))
    return made


def build_product_graph(reading: Reading, stages: Sequence[Stage]) -> ProductGraph:
    """Compile the graph once; `run_product_graph` invokes it once a product.

    What code finds is grounded after the extractor, which is asked first, if there is one; then come the other stages
    in their order, each if it is due.

    Errors that concern the whole run (`EndpointRefused`, `BudgetExceeded`) leave the graph as they are.
    """
    graph = StateGraph(ProductState, context_schema=ReadProduct)
    begin = add_stages(graph, reading, stages, END, lambda state, runtime: runtime.context)
    graph.add_edge(START, begin)
    compiled: ProductGraph = graph.compile(name="product")
    return compiled


def add_stages(
    graph: Any, reading: Reading, stages: Sequence[Stage], end: str, product_of: Callable[[Any, Any], ReadProduct]
) -> str:
    """Add the nodes of a product to a graph; the name of the first. end: the node that comes after them. product_of:
    the product, of the state and the runtime."""
    first = next((stage for stage in stages if isinstance(stage.agent, AttributeExtractor)), None)
    later = [stage for stage in stages if stage is not first]
    all_asked = first is not None and not cast(AttributeExtractor, first.agent).grammar

    async def ground_claims(state: Any, runtime: Runtime[Any]) -> ProductState:
        product = product_of(state, runtime)
        claims = reading.claims(
            product.text,
            state.get("extraction"),
            tags=product.tags,
            decided=product.decided,
            variants=product.variants,
            all_asked=all_asked,
        )
        return {"claims": claims}

    def next_of(number: int, state: Any, product: ReadProduct) -> str:
        """The first stage from `number` on that is due."""
        for stage in later[number:]:
            if stage.agent.is_for(product.text.sources) and stage.agent.is_due(state):
                return stage.name
        return end

    def after_first(state: Any) -> str:
        # Where the model fails, what code finds is grounded all the same.
        return first.name if first is not None and state["attempts"] else GROUND

    def after_ground(state: Any, runtime: Runtime[Any]) -> str:
        # What the extractor failed at is read again as a whole.
        return end if first is not None and "extraction" not in state else next_of(0, state, product_of(state, runtime))

    graph.add_node(GROUND, ground_claims)
    targets = [*(stage.name for stage in later), end]
    if first is not None:
        graph.add_node(first.name, _node(first, reading, product_of))
        graph.add_conditional_edges(first.name, after_first, [first.name, GROUND])
    graph.add_conditional_edges(GROUND, after_ground, targets)
    for number, stage in enumerate(later):
        graph.add_node(stage.name, _node(stage, reading, product_of))

        def route(state: Any, runtime: Runtime[Any], name: str = stage.name, following: int = number + 1) -> str:
            return name if state["attempts"] else next_of(following, state, product_of(state, runtime))

        graph.add_conditional_edges(stage.name, route, [stage.name, *targets[number + 1 :]])
    return first.name if first is not None else GROUND


def _node(
    stage: Stage, reading: Reading, product_of: Callable[[Any, Any], ReadProduct]
) -> Callable[..., Awaitable[ProductState]]:
    async def ask(state: Any, runtime: Runtime[Any]) -> ProductState:
        product = product_of(state, runtime)

        async def once(repair: tuple[Message, ...]) -> ProductState:
            found: Any = await stage.agent_of(product).work(stage.chat, product, state, repair=repair)
            if "claims" in found:
                found["claims"] = reading.held(found["claims"])
            made: ProductState = found
            return made

        return await _attempt(stage.name, state, once, stage.repairs)

    return ask


async def run_product_graph(
    graph: ProductGraph,
    reading: Reading,
    stages: Sequence[Stage],
    product_id: str,
    document: Document,
    *,
    decided: Sequence[Mapping[str, Any]] = (),
    variants: Sequence[Mapping[str, Any]] = (),
    locale: str | None = None,
) -> ProductState:
    """Take one product through the graph and return its final state."""
    state: Any = await graph.ainvoke(
        {"failures": [], "retired": [], **NEW_STAGE},
        {"recursion_limit": sum(stage.repairs + 1 for stage in stages) + 3},
        context=ReadProduct(
            product_id, document, reading.tag(document), decided, variant_values(reading.lexicon, variants), locale
        ),
    )
    final: ProductState = state
    return final


Once = Callable[[tuple[Message, ...]], Awaitable[ProductState]]


async def _attempt(name: str, state: ProductState, once: Once, repairs: int) -> ProductState:
    """One attempt at a stage: its result, or a note to try again with the error, or its failure."""
    attempts = state["attempts"] + 1
    try:
        result = await once(tuple(state["repair"]))
    except ReplyError as error:
        replies = state["replies"] + ([error.reply.call_id] if error.reply else [])
        if attempts <= repairs:
            return {
                "attempts": attempts,
                "replies": replies,
                # Only the last exchange goes back: a longer one costs prompt and helps a small model little.
                "repair": _exchange(error, attempts),
            }
        return _failed(name, state, str(error), attempts, replies)
    except CodeFailed as error:
        return _failed(name, state, str(error), attempts, state["replies"]) | {"code_failed": True}
    except EndpointFailed as error:
        return _failed(name, state, str(error), attempts, state["replies"]) | {"endpoint_failed": True}
    return NEW_STAGE | result


def _failed(name: str, state: ProductState, reason: str, attempts: int, replies: list[int]) -> ProductState:
    failure = StageFailure(stage=name, reason=reason, attempts=attempts)
    return NEW_STAGE | {"failures": [*state["failures"], failure], "retired": state["retired"] + replies}


async def with_repairs(ask: Callable[[tuple[Message, ...]], Awaitable[T]], repairs: int) -> T:
    """What `ask` returns, given the last exchange that could not be used: none at first, at most `repairs` more.

    Raises:
        ReplyError: the last reply could not be used either.
    """
    repair: tuple[Message, ...] = ()
    attempt = 1
    while True:
        try:
            return await ask(repair)
        except ReplyError as error:
            if attempt > repairs:
                raise
            repair = tuple(_exchange(error, attempt))
            attempt += 1


def _exchange(error: ReplyError, attempt: int) -> list[Message]:
    """What goes back to an agent whose reply could not be used: the reply, and what was wrong with it. `attempt`
    counts from 1; were it not said, a failure that repeats itself would be the same request, and not be asked."""
    said = error.reply.text[:_LONGEST_SHOWN_BACK] if error.reply else ""
    which = f" This was attempt {attempt}." if attempt > 1 else ""
    return [("assistant", said or "(no reply)"), ("user", f"{error}{which} Reply again, as asked.")]
