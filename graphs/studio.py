"""The product graph over plain data, for LangGraph's own tools and for graphs of other people's.

What the graph of a run reads from its context stands here in the state, as JSON, so that any checkpointer can keep
it, and a graph of somebody else's can have it as a node.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NotRequired, cast

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from typing_extensions import TypedDict

from reaseq import ReaseqError
from reaseq.agents.agent import ReadProduct
from reaseq.agents.claims import Claim
from reaseq.agents.product_text import source_fields
from reaseq.documents.document import Document
from reaseq.graphs.product_graph import NEW_STAGE, ProductState, Stage, StageFailure, add_stages
from reaseq.graphs.reading import Reading
from reaseq.knowledge_store.summaries import composed

READ, SUM_UP = "read", "sum_up"
_READ_TOGETHER = 64
"""Products whose text is kept in between the nodes."""


class TypedProduct(TypedDict):
    """A product as one types it in."""

    title: str
    description: NotRequired[str]
    brand: NotRequired[str]
    attributes: NotRequired[dict[str, Any]]
    locale: NotRequired[str]


class Asked(TypedDict):
    """What the graph is given."""

    product: TypedProduct


class Found(TypedDict):
    """What comes of it."""

    claims: list[Claim]
    summary: str
    prose: NotRequired[str]
    failures: list[StageFailure]


class State(ProductState, total=False):
    """The state of a product's graph, and the product."""

    product: TypedProduct
    summary: str


def plain_product_graph(
    reading: Reading, stages: Sequence[Stage], name: str = "product", *, ready: Callable[[], None] = lambda: None
) -> CompiledStateGraph[State, None, Asked, Found]:
    """The graph of one product, from what is typed in to its claims and a summary; all of its state is JSON. ready: is
    called first; raises an error where nobody would answer."""
    read = lru_cache(_READ_TOGETHER)(_reader(reading))

    def product_of(state: State, runtime: Any) -> ReadProduct:
        return read(json.dumps(state["product"], sort_keys=True))

    async def begin(state: State) -> State:
        ready()
        product = state.get("product")
        if not isinstance(product, dict) or not isinstance(product.get("title"), str):
            raise ReaseqError(
                f"no product with a title: {product!r}", hint='{"product": {"title": "...", "description": "..."}}'
            )
        product_of(state, None)
        return cast(State, {"failures": [], "retired": [], **NEW_STAGE})

    async def sum_up(state: State) -> State:
        product = _columns(state["product"])
        return {"claims": state.get("claims", []), "summary": composed(product, state.get("claims", []))}

    graph = StateGraph(State, input_schema=Asked, output_schema=Found)
    graph.add_node(READ, begin)
    graph.add_node(SUM_UP, sum_up)
    first = add_stages(graph, reading, stages, SUM_UP, product_of)
    graph.add_edge(START, READ)
    graph.add_edge(READ, first)
    graph.add_edge(SUM_UP, END)
    return graph.compile(name=name)


def _columns(product: TypedProduct) -> dict[str, Any]:
    made: dict[str, Any] = {"description": "", "brand": None, "attributes": {}}
    return made | dict(product)


def _reader(reading: Reading) -> Callable[[str], ReadProduct]:
    def read(product: str) -> ReadProduct:
        columns = _columns(json.loads(product))
        text = Document(source_fields(columns))
        return ReadProduct("typed in", text, reading.tag(text), locale=columns.get("locale"))

    return read
