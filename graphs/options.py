"""What a run is asked to do, and what it begins with. Nothing here loads what talks to models."""

from dataclasses import dataclass
from pathlib import Path

from reaseq import ReaseqError
from reaseq.agents.product_text import MOST_COLUMNS
from reaseq.knowledge_store.importing import category_name
from reaseq.knowledge_store.store import Store
from reaseq.taxonomy.schema import CategorySchema, starter_for


@dataclass(frozen=True)
class Options:
    """How a run goes about it. `limit` takes only the first so many products of the category; `schemas_dir` may hold
    schemas that replace the bundled ones; `votes`: see `build_product_graph`; `columns`: see `ProductAgents.build`."""

    category: str
    limit: int | None = None
    concurrency: int = 32
    timeout: float = 120.0
    retries: int = 6
    repairs: int = 2
    seed: int = 0
    temperature: float | None = 0.0
    schemas_dir: str | None = None
    votes: int = 1
    columns: int = MOST_COLUMNS


def require_products(store: Store, category: str) -> str:
    """The category's name as the store has it.

    Raises:
        ReaseqError: it has no products; the message names the categories there are.
    """
    if store.count_products(category):
        return category  # without reading what all schemas are called
    name = category_name(category) or category
    if store.count_products(name):
        return name
    there = ", ".join(
        f"{known or '(none)'} ({count:,})" for known, count in sorted(store.categories().items(), key=str)
    )
    raise ReaseqError(
        f"no products of category {name!r} in the store" + (f"; it holds: {there}" if there else ", which is empty"),
        hint=f"reaseq import FILE --category {name}   (or: reaseq import --sample)",
    )


def schema_in_force(store: Store, category: str, folder: Path | str | None = None) -> CategorySchema | None:
    """The category's schema as the catalogue has it, by any of its names, or else that of `folder` or the bundled
    starter; None: nobody has written one."""
    stored = store.latest_schema(category_name(category) or category)
    return stored.schema if stored else starter_for(category, Path(folder) if folder else None)


def starting_schema(category: str, folder: str | None = None) -> CategorySchema:
    """The category's schema of `folder` or the bundled starter, else the general one under the category's name."""
    starter = starter_for(category, Path(folder) if folder else None)
    if starter is not None:
        return starter
    general = starter_for("general")
    assert general is not None, "the general starter schema ships with the package"
    return general.replace(category=category)
