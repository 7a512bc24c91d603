"""`reaseq categorize`: products that their feed gives no category are put under one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.distill import EngineOption, MaxCostOption, MaxTokensOption, ModelOption
from reaseq.cli.knowledge import category_as_stored, open_store
from reaseq.cli.tables import Column, ReportOption, Telling

if TYPE_CHECKING:
    from reaseq.api.settings import Settings
    from reaseq.graphs.categorize import Placed, Unsure
    from reaseq.knowledge_store.store import Store
    from reaseq.taxonomy.nearest import Categories

app = typer.Typer(help="Put products without a category under one.")

_MOST_KINDS = 15


@app.callback(invoke_without_command=True)
def categorize(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N products.")] = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Of products, too, whose feed names a category that no schema knows.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what their titles settle and what not; change nothing, ask no model.")
    ] = False,
    max_tokens: MaxTokensOption = None,
    max_cost: MaxCostOption = None,
    json_: ReportOption = False,
) -> None:
    """Put products without a category under one: yours, those that ship with reaseq, and those of your products.

    A product whose title is near enough in meaning to one category, and to no other, goes there. Of any other the model
    says what it is, and the product goes where such a kind is known. What no category knows stays, and is listed by
    kind. What a feed or a person says counts more than either, in every later import.

    With --unknown, products under a category that no schema knows are looked at, too; what goes nowhere stays there.

    Examples:

        reaseq categorize --dry-run

        reaseq categorize

        reaseq categorize set AH2430 shoes
    """
    if context.invoked_subcommand is not None:
        return
    from reaseq.api.settings import load
    from reaseq.graphs.categorize import Placed, by_meaning
    from reaseq.taxonomy.schema import starters

    settings = load(engine=engine, model=model)
    say = Telling(json_)
    with open_store() as store:
        schemas = {schema.category for _, schema in starters(settings.schemas_dir)} - {"general"}
        misplaced = store.misplaced(schemas) if unknown else {}
        there = store.categories().get(None, 0) + sum(misplaced.values())
        total = min(there, limit or 10**12)
        if not total:
            say.print("Every product has a category" + (" that a schema knows." if unknown else "."))
            _tell(say, Placed(0), "", dry_run=dry_run, unsettled=0)
            return
        categories, placed = _categories(store, settings, set(misplaced)), Placed(total)
        unsure = by_meaning(store, categories, placed, under=(None, *misplaced), limit=limit, dry_run=dry_run)
        if dry_run:
            left = sum(1 for _ in unsure)
            _tell(say, placed, "Would be put under a category", dry_run=True, unsettled=left)
            say.print(f"For {left:,} of {total:,} products the model would be asked. Next: reaseq categorize")
            return
        first = next(unsure, None)
        if first is not None:
            _ask(store, settings, categories, chain([first], unsure), placed, max_tokens, max_cost)
        _tell(say, placed, "Put under a category", dry_run=False, unsettled=placed.unknown.total())
        left = placed.unknown.total()
        say.print(f"{total - left - placed.failed:,} of {total:,} products have a category now.")
        if placed.failed:
            say.print(f"{placed.failed:,} failed. Next: reaseq categorize   (tries them again)")
        elif left:
            say.print(
                "Next: reaseq taxonomy import, or a schema of your own, for what is missing; then reaseq categorize"
            )
        elif largest := (placed.nearest + placed.model).most_common(1):
            say.print(f"Next: reaseq distill --category {largest[0][0]}")


@app.command("set")
def set_(
    product_id: Annotated[str, typer.Argument(metavar="ID", help="The product's id.")],
    category: Annotated[str, typer.Argument(help="Its category.")],
) -> None:
    """Put a product under a category. No import puts it elsewhere.

    Example: reaseq categorize set AH2430 shoes
    """
    from reaseq import ReaseqError
    from reaseq.knowledge_store.names import find_product
    from reaseq.knowledge_store.tables import CategoryBy

    name = category_as_stored(category)
    if name is None:
        raise ReaseqError(f"{category!r} is no category's name", hint="reaseq taxonomy list")
    with open_store() as store:
        product_id = find_product(store, product_id)["id"]
        store.categorise({product_id: name}, by=CategoryBy.PERSON)
    typer.echo(f"{product_id} is under {name}. Next: reaseq distill --category {name}")


def _categories(store: Store, settings: Settings, without: set[str]) -> Categories:
    from reaseq.knowledge_store.encoder import Encoder
    from reaseq.llm import encoders
    from reaseq.taxonomy.likeness import likeness_of
    from reaseq.taxonomy.nearest import Categories
    from reaseq.taxonomy.schema import starters

    schemas = [schema for _, schema in starters(settings.schemas_dir) if schema.category != "general"]
    name, path = encoders.resolve(settings.weights_dir, settings.encoder)
    titles = {name: own for name, own in store.titles().items() if name not in without}
    return Categories(schemas, titles, Encoder(name, path).encode, likeness_of(name))


def _ask(
    store: Store,
    settings: Settings,
    categories: Categories,
    unsure: Iterator[Unsure],
    placed: Placed,
    max_tokens: int | None,
    max_cost: float | None,
) -> None:
    import asyncio

    from rich.console import Console

    from reaseq.agents.categorizer import Categorizer
    from reaseq.api.engine import chat_of, prompts_of
    from reaseq.cli.engine import start_engine
    from reaseq.cli.progress import StepBar
    from reaseq.graphs.categorize import by_model
    from reaseq.graphs.ledger import Ledger, booked
    from reaseq.llm.budget import Budget

    categorizer = Categorizer(prompts_of(settings)[Categorizer.name])
    budget = Budget(max_tokens=max_tokens, max_cost=max_cost)

    async def go(ledger: Ledger) -> None:
        with StepBar(Console(stderr=True), "products") as bar:
            async with chat_of(settings, endpoint, ledger, budget) as chat:
                await by_model(
                    store,
                    chat,
                    categorizer,
                    categories,
                    unsure,
                    placed,
                    concurrency=settings.calls_at_a_time,
                    repairs=settings.repairs,
                    on_product=bar.step,
                )

    with start_engine(settings) as endpoint:
        budget.check(endpoint.model, endpoint.price)
        with booked(store, endpoint, command="categorize", engine=settings.engine) as ledger:
            asyncio.run(go(ledger))


def _tell(say: Telling, placed: Placed, title: str, **facts: Any) -> None:
    """What became of the products. facts: of the report."""
    say.part(
        "categories",
        [
            {"category": name, "products": count, "by_title": placed.nearest[name], "by_model": placed.model[name]}
            for name, count in (placed.nearest + placed.model).most_common()
        ],
        Column("category", "category"),
        Column("products", "products"),
        Column("by title", "by_title"),
        Column("by the model", "by_model"),
        title=title,
    )
    kinds = [{"kind": kind, "products": count} for kind, count in placed.unknown.most_common()]
    others = sum(count for _, count in placed.unknown.most_common()[_MOST_KINDS:])
    rest = [{"kind": f"({len(kinds) - _MOST_KINDS:,} other kinds)", "products": others}] if others else []
    say.part(
        "unknown_kinds",
        kinds if say.json else kinds[:_MOST_KINDS] + rest,
        Column("kind, as the model named it", "kind"),
        Column("products", "products"),
        title="What no category knows",
    )
    say.end(products=placed.total, failed=placed.failed, **facts)
