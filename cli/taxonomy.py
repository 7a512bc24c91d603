"""`reaseq taxonomy`: category schemas, those that ship with reaseq and your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Category schemas: list, show, search and import from a taxonomy.")

FolderArgument = Annotated[
    Path, typer.Argument(help="The Shopify product taxonomy's files: a folder (dist/en), or taxonomy.json.")
]
_MOST_FOUND = 40


@app.command("list")
def list_() -> None:
    """List the schemas by which categories are distilled, yours first.

    Example: reaseq taxonomy list
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.settings import load
    from reaseq.taxonomy.schema import starters

    folder = load().schemas_dir
    table = Table(title="Categories", title_justify="left")
    for column in ("category", "department", "supply", "demand", "also called", "from"):
        table.add_column(column, overflow="fold", justify="right" if column in ("supply", "demand") else "left")
    for path, schema in starters(folder):
        facets = [attribute.facet for attribute in schema.attributes]
        table.add_row(
            schema.category,
            schema.department or "",
            str(facets.count("supply")),
            str(facets.count("demand")),
            Text(", ".join(schema.aliases)),
            Text(str(path) if path.parent == folder else "bundled"),
        )
    Console().print(table)


@app.command()
def show(category: Annotated[str, typer.Argument(help="The category, or what else it is called.")]) -> None:
    """Show a category's schema as a YAML file, to copy and edit.

    Example: reaseq taxonomy show shoes
    """
    from reaseq import ReaseqError
    from reaseq.cli.settings import load
    from reaseq.taxonomy.schema import dump_schema, starter_for

    schema = starter_for(category, load().schemas_dir)
    if schema is None:
        raise ReaseqError(
            f"no schema for {category!r}; it would be distilled by `general`", hint="reaseq taxonomy list"
        )
    typer.echo(dump_schema(schema), nl=False)


@app.command()
def search(
    folder: FolderArgument, words: Annotated[str, typer.Argument(help="Words that the category's name holds.")]
) -> None:
    """Find categories of the Shopify product taxonomy.

    Example: reaseq taxonomy search product-taxonomy/dist/en "coffee grinder"
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.taxonomy.shopify import read

    found = list(read(folder).search(words))
    table = Table("category", "id", title=f"{len(found):,} categories", title_justify="left")
    table.add_column("attributes", justify="right")
    for node in found[:_MOST_FOUND]:
        table.add_row(Text(printable(node.full_name)), Text(printable(node.id)), str(len(node.attributes)))
    console = Console()
    console.print(table)
    if len(found) > _MOST_FOUND:
        console.print(f"{len(found) - _MOST_FOUND:,} more: name more words.", highlight=False)


@app.command("import")
def import_(
    folder: FolderArgument,
    category: Annotated[str, typer.Argument(help="The category's full name, name or id.")],
    as_: Annotated[str | None, typer.Option("--as", help="What your catalogue calls it.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite a schema of yours.")] = False,
) -> None:
    """Take a category over from the Shopify product taxonomy, as a schema file of yours to read and edit.

    From then on `reaseq distill` uses it for the category.

    Example: reaseq taxonomy import product-taxonomy/dist/en "Apparel & Accessories > Shoes" --as shoes
    """
    from rich.console import Console

    from reaseq import ReaseqError
    from reaseq.cli.settings import load
    from reaseq.knowledge_store.importing import category_name
    from reaseq.taxonomy.schema import dump_schema
    from reaseq.taxonomy.shopify import read, schema_of

    taxonomy = read(folder)
    node = taxonomy.node(category)
    schema = schema_of(taxonomy, node, category_name(as_ or node.name))
    target = load().schemas_dir / f"{schema.category}.yaml"
    if target.exists() and not replace:
        raise ReaseqError(f"{target} is there already", hint="add --replace to overwrite it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dump_schema(schema), encoding="utf-8")
    except OSError as error:
        raise ReaseqError(f"{target}: {error.strerror or error}", hint="set schemas_dir in reaseq.toml") from error
    values = sum(len(attribute.values) for attribute in schema.attributes)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Written: {target}, {len(schema.attributes)} attributes with {values:,} values.", markup=False)
    console.print(f"Next: reaseq distill --category {schema.category}", markup=False)
