"""The graphs for LangGraph's own tools (`langgraph.json`): `langgraph dev` shows their nodes, and runs that of a
product.

Settings, prompts and agents are those of the folder in which the server runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph_sdk.runtime import ServerRuntime

from reaseq import ReaseqError
from reaseq.api import checking
from reaseq.api.base import KnowledgeBase, open_base
from reaseq.api.errors import python_words
from reaseq.graphs.distill import build_category_graph
from reaseq.graphs.pipeline import build_pipeline_graph
from reaseq.llm.chat import Chat

_CATEGORY = "general"


@asynccontextmanager
async def product(config: RunnableConfig, runtime: ServerRuntime[Any]) -> AsyncIterator[Any]:
    """The graph of a product: {"product": {"title": ..., "description": ...}} in, claims and a summary out.
    `configurable.category` says of which category it is. The engine is started for a run, and not to be looked at."""
    category = config.get("configurable", {}).get("category") or _CATEGORY
    with open_base() as kb:
        async with product_graph(kb, category, running=runtime.execution_runtime is not None) as graph:
            yield graph


def category() -> Any:
    """The graph of a category, to be looked at: `reaseq distill` runs it."""
    return build_category_graph()


def pipeline() -> Any:
    """The graph of the whole way, to be looked at: `reaseq run` runs it."""
    return build_pipeline_graph()


@asynccontextmanager
async def product_graph(
    kb: KnowledgeBase, category: str, *, running: bool = True
) -> AsyncIterator[CompiledStateGraph[Any, Any, Any, Any]]:
    """The product graph of a category with plain state, whose calls are booked as a run of its own. running: False
    gives a graph to be looked at, for which no engine is started.

    Raises:
        ReaseqError: the pipeline, a prompt or a schema is wrong, or the engine cannot be had.
    """
    import asyncio

    from reaseq.agents.attribute_extractor import AttributeExtractor
    from reaseq.api.engine import chat_of, pipeline_of, prompts_of, several_engines
    from reaseq.graphs.ledger import booked
    from reaseq.graphs.options import starting_schema
    from reaseq.graphs.product_graph import ProductAgents, stages_of
    from reaseq.graphs.studio import plain_product_graph
    from reaseq.graphs.teaching import trust_of
    from reaseq.knowledge_store.importing import category_name

    with python_words():
        settings, agents_of = kb.settings, kb.pipeline or pipeline_of(kb.settings)
        category = category_name(checking.category(category)) or category
        stored = await asyncio.to_thread(kb.store.latest_schema, category)
        folder = str(settings.schemas_dir)
        schema = stored.schema if stored else await asyncio.to_thread(starting_schema, category, folder)
        async with AsyncExitStack() as stack:
            usual, grammar, chats = cast(Chat, object()), False, {}
            if running:
                engines = several_engines(settings, agents_of)
                endpoint, endpoints = await asyncio.to_thread(engines.__enter__)
                stack.push_async_callback(asyncio.to_thread, engines.__exit__, None, None, None)
                ledger = stack.enter_context(booked(kb.store, endpoint, command="graph", engine=settings.engine))
                usual = await stack.enter_async_context(chat_of(settings, endpoint, ledger))
                for name, other in endpoints.items():
                    chats[name] = await stack.enter_async_context(chat_of(settings, other, ledger))
                grammar = chats.get(AttributeExtractor.name, usual).endpoint.grammar
            agents = ProductAgents.build(
                schema,
                prompts_of(settings, agents_of),
                grammar=grammar,
                pipeline=agents_of,
                trust=trust_of(kb.store, schema),
                columns=settings.columns,
                votes=settings.votes,
            )
            stages = stages_of(
                agents,
                lambda name: chats.get(name, usual),
                lambda name: agents_of.repairs.get(name, settings.repairs),
            )
            up = running

            def ready() -> None:
                if not up:
                    ended = "its `async with` has ended" if running else "it was made to be looked at"
                    raise ReaseqError(
                        f"nobody answers this graph: {ended}",
                        hint=f'async with kb.graph("{category}") as graph: found = await graph.ainvoke(...)',
                    )

            try:
                yield plain_product_graph(agents.reading, stages, ready=ready)
            finally:
                up = False
