"""The compiled graphs as drawings, taken from LangGraph itself so that they cannot be out of date."""

from pathlib import Path
from typing import cast

from langchain_core.runnables.graph import Graph

from reaseq import ReaseqError
from reaseq.graphs.distill import build_category_graph
from reaseq.graphs.pipeline import build_pipeline_graph
from reaseq.graphs.product_graph import ProductAgents, build_product_graph
from reaseq.llm.chat import Chat


def graphs() -> dict[str, Graph]:
    """Each graph by name."""
    # Drawing compiles the graph and runs no node, so no agents are needed.
    product = build_product_graph(cast(ProductAgents, _Nothing()), cast(Chat, None), repairs=0)
    return {
        "pipeline": build_pipeline_graph().get_graph(),
        "category": build_category_graph().get_graph(),
        "product": product.get_graph(),
    }


def write_png(graph: Graph, path: Path) -> Path:
    """Draw with Graphviz.

    Raises:
        ReaseqError: pygraphviz is not installed.
    """
    try:
        graph.draw_png(str(path))
    except ImportError as error:
        raise ReaseqError(
            "PNG needs Graphviz and pygraphviz",
            hint="pip install pygraphviz   (or paste the output of `reaseq graph` into any Mermaid viewer)",
        ) from error
    return path


class _Nothing:
    extractor = verifier = summarizer = None
