"""The graph of one product: extract → ground → verify → escalate → summarize, with repair loops.

Only what is still unsure is escalated: judged by a second, costlier model, if there is one.

A reply that cannot be used goes back to the agent together with what was wrong with it, at most
`repairs` times a stage. A stage that fails for good is noted and what earlier stages found is kept.
State is plain data. There is no checkpointer: the store is the checkpoint, the reply ledger what
makes a restart cheap.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypedDict, TypeVar

from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from reaseq.agents.attribute_extractor import AttributeExtractor, vote
from reaseq.agents.claims import Claim, Extraction
from reaseq.agents.labelled import Tags
from reaseq.agents.learned import Learned
from reaseq.agents.product_text import MOST_COLUMNS, Shown, showing
from reaseq.agents.summarizer import Summarizer
from reaseq.agents.verifier import Verifier, to_be_judged, unsure
from reaseq.documents.document import Document
from reaseq.graphs.reading import Reading
from reaseq.llm.chat import Chat, EndpointFailed, Message, ReplyError
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import CategorySchema
from reaseq.taxonomy.trust import Trust
from reaseq.taxonomy.variants import VariantValue, variant_values

T = TypeVar("T")
_LONGEST_SHOWN_BACK = 600


class StageFailure(TypedDict):
    """A stage that could not be done, and why."""

    stage: str
    reason: str
    attempts: int


@dataclass(frozen=True)
class ProductContext:
    """What the nodes of one product read and never change; its text is tokenised and tagged once. `decided` are the
    claims that people have settled: they stand beside those that the run finds, and no run's claim reopens them.
    `variants` is what its variants differ by."""

    product_id: str
    text: Document
    tags: Tags
    decided: Sequence[Mapping[str, Any]] = ()
    variants: Sequence[VariantValue] = ()


class ProductState(TypedDict, total=False):
    """`attempts`, `repair` and `replies` are of the stage at work: its unusable replies so far, the last
    exchange, and all their calls. `retired` are the calls that failures rest on."""

    extraction: Extraction
    claims: list[Claim]
    prose: str
    attempts: int
    repair: list[Message]
    replies: list[int]
    failures: list[StageFailure]
    retired: list[int]
    endpoint_failed: bool


ProductGraph = CompiledStateGraph[ProductState, ProductContext, ProductState, ProductState]

_NEW_STAGE: ProductState = {"attempts": 0, "repair": [], "replies": []}


@dataclass(frozen=True)
class ProductAgents:
    """The agents of one category, built once: their prompts, schemas and lexicon are shared by all its products."""

    reading: Reading
    extractor: AttributeExtractor
    verifier: Verifier
    summarizer: Summarizer

    @classmethod
    def build(
        cls,
        schema: CategorySchema,
        prompts: PromptLibrary,
        *,
        grammar: bool,
        learned: Learned | None = None,
        trust: Trust | None = None,
        columns: int = MOST_COLUMNS,
    ) -> "ProductAgents":
        """columns: how many of a feed's other columns a prompt shows, at most."""
        lexicon = Lexicon(schema)
        return cls(
            Reading(lexicon, learned, trust),
            AttributeExtractor(
                prompts[AttributeExtractor.name], lexicon, grammar=grammar, learned=learned, columns=columns
            ),
            Verifier(prompts[Verifier.name], lexicon, columns=columns),
            Summarizer(prompts[Summarizer.name], lexicon),
        )

    def showing(self, text: Document) -> Shown:
        """What prompts show of a product."""
        return showing(text, first=self.reading.lexicon.known_columns(text), most=self.extractor.columns)

    @property
    def fingerprints(self) -> dict[str, str]:
        """Each agent's name with the fingerprint of its rendered prompt."""
        return {agent.name: agent.fingerprint for agent in (self.extractor, self.verifier, self.summarizer)}

    @property
    def beginnings(self) -> list[tuple[Message, ...]]:
        """What each agent's requests begin with."""
        return [agent.prompt.messages for agent in (self.extractor, self.verifier, self.summarizer)]


def build_product_graph(
    agents: ProductAgents, chat: Chat, *, repairs: int, votes: int = 1, costly: Chat | None = None
) -> ProductGraph:
    """Compile the graph once; `run_product_graph` invokes it once a product.

    `votes`: how often a product is read, the later times at a higher temperature; what most readings agree on counts.
    `costly` is the chat of the model to which is escalated what stays unsure.

    Errors that concern the whole run (`EndpointRefused`, `BudgetExceeded`) leave the graph as they are.
    """
    extractor, verifier, summarizer = agents.extractor, agents.verifier, agents.summarizer

    async def extract(state: ProductState, runtime: Runtime[ProductContext]) -> ProductState:
        product = runtime.context

        async def stage(repair: tuple[Message, ...]) -> ProductState:
            one = partial(extractor.extract, chat, product.text, product.tags, product_id=product.product_id)
            found = await asyncio.gather(*(one(repair=repair, sample=sample) for sample in range(votes)))
            return {"extraction": vote(found) if votes > 1 else found[0]}

        return await _attempt(AttributeExtractor.name, state, stage, repairs)

    async def ground_claims(state: ProductState, runtime: Runtime[ProductContext]) -> ProductState:
        product = runtime.context
        claims = agents.reading.claims(
            product.text,
            state.get("extraction"),
            tags=product.tags,
            decided=product.decided,
            variants=product.variants,
            all_asked=not extractor.grammar,
        )
        return {"claims": claims}

    async def verify(state: ProductState, runtime: Runtime[ProductContext]) -> ProductState:
        product = runtime.context

        async def stage(repair: tuple[Message, ...]) -> ProductState:
            claims = await verifier.judge(
                chat, product.text, state["claims"], product_id=product.product_id, repair=repair
            )
            return {"claims": agents.reading.held(claims)}

        return await _attempt(Verifier.name, state, stage, repairs)

    async def escalate(state: ProductState, runtime: Runtime[ProductContext]) -> ProductState:
        product = runtime.context
        assert costly is not None, "nothing is routed here without it"

        async def stage(repair: tuple[Message, ...]) -> ProductState:
            claims = await verifier.judge(
                costly, product.text, state["claims"], which=unsure, product_id=product.product_id, repair=repair
            )
            return {"claims": agents.reading.held(claims)}

        return await _attempt("escalation", state, stage, repairs)

    async def summarize(state: ProductState, runtime: Runtime[ProductContext]) -> ProductState:
        product = runtime.context

        async def stage(repair: tuple[Message, ...]) -> ProductState:
            prose = await summarizer.write(
                chat, product.text, state["claims"], product_id=product.product_id, repair=repair
            )
            return {"prose": prose} if prose else {}

        return await _attempt(Summarizer.name, state, stage, repairs)

    def after_extract(state: ProductState) -> Literal["attribute_extractor", "ground"]:
        # Where the model fails, what code finds is grounded all the same.
        return "attribute_extractor" if state["attempts"] else "ground"

    def when_judged(state: ProductState) -> Literal["escalation", "summarizer"]:
        return "escalation" if costly is not None and any(map(unsure, state["claims"])) else "summarizer"

    def after_ground(state: ProductState) -> Literal["verifier", "escalation", "summarizer", "__end__"]:
        if "extraction" not in state:
            return "__end__"
        return "verifier" if any(map(to_be_judged, state["claims"])) else when_judged(state)

    def after_verify(state: ProductState) -> Literal["verifier", "escalation", "summarizer"]:
        return "verifier" if state["attempts"] else when_judged(state)

    def after_escalate(state: ProductState) -> Literal["escalation", "summarizer"]:
        return "escalation" if state["attempts"] else "summarizer"

    def after_summarize(state: ProductState) -> Literal["summarizer", "__end__"]:
        return "summarizer" if state["attempts"] else "__end__"

    graph = StateGraph(ProductState, context_schema=ProductContext)
    graph.add_node("attribute_extractor", extract)
    graph.add_node("ground", ground_claims)
    graph.add_node("verifier", verify)
    graph.add_node("escalation", escalate)
    graph.add_node("summarizer", summarize)
    graph.add_edge(START, "attribute_extractor")
    graph.add_conditional_edges("attribute_extractor", after_extract)
    graph.add_conditional_edges("ground", after_ground)
    graph.add_conditional_edges("verifier", after_verify)
    graph.add_conditional_edges("escalation", after_escalate)
    graph.add_conditional_edges("summarizer", after_summarize)
    compiled: ProductGraph = graph.compile(name="product")
    return compiled


async def run_product_graph(
    graph: ProductGraph,
    agents: ProductAgents,
    product_id: str,
    document: Document,
    *,
    repairs: int,
    decided: Sequence[Mapping[str, Any]] = (),
    variants: Sequence[Mapping[str, Any]] = (),
) -> ProductState:
    """Take one product through the graph and return its final state."""
    state: Any = await graph.ainvoke(
        {"failures": [], "retired": [], **_NEW_STAGE},
        {"recursion_limit": 4 * (repairs + 1) + 3},
        context=ProductContext(
            product_id,
            document,
            agents.reading.tag(document),
            decided,
            variant_values(agents.reading.lexicon, variants),
        ),
    )
    final: ProductState = state
    return final


Stage = Callable[[tuple[Message, ...]], Awaitable[ProductState]]


async def _attempt(name: str, state: ProductState, stage: Stage, repairs: int) -> ProductState:
    """One attempt at a stage: its result, or a note to try again with the error, or its failure."""
    attempts = state["attempts"] + 1
    try:
        result = await stage(tuple(state["repair"]))
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
    except EndpointFailed as error:
        return _failed(name, state, str(error), attempts, state["replies"]) | {"endpoint_failed": True}
    return _NEW_STAGE | result


def _failed(name: str, state: ProductState, reason: str, attempts: int, replies: list[int]) -> ProductState:
    failure = StageFailure(stage=name, reason=reason, attempts=attempts)
    return _NEW_STAGE | {"failures": [*state["failures"], failure], "retired": state["retired"] + replies}


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
