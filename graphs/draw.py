"""The compiled graphs as drawings, taken from LangGraph itself so that they cannot be out of date."""

from pathlib import Path
from typing import cast

from langchain_core.runnables.graph import Graph

from reaseq import ReaseqError
from reaseq.agents.agent import Setup
from reaseq.agents.pipeline import Pipeline
from reaseq.graphs.distill import build_category_graph
from reaseq.graphs.pipeline import build_pipeline_graph
from reaseq.graphs.product_graph import ProductAgents, build_product_graph, stages_of
from reaseq.graphs.reading import Reading
from reaseq.llm.chat import Chat
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for


def graphs(pipeline: Pipeline | None = None) -> dict[str, Graph]:
    """Each graph by name; that of a product with the agents of the pipeline."""
    schema = starter_for("general")
    assert schema is not None, "the general starter schema ships with the package"
    given = pipeline or Pipeline()
    setup = Setup(PromptLibrary(own=given.prompts), Lexicon(schema))
    agents = ProductAgents(Reading(setup.lexicon), tuple(kind.build(setup) for kind in given.agents_of(None)))
    # Drawing compiles the graph and runs no node, so no chat is needed.
    nobody = cast(Chat, object())
    stages = stages_of(agents, lambda name: nobody, lambda name: 0, nobody)
    product = build_product_graph(agents.reading, stages)
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
