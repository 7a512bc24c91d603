"""`reaseq taxonomy`: category schemas, those that ship with reaseq and your own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reaseq.cli.tables import Column, LinesOption, Telling

if TYPE_CHECKING:
    from reaseq.knowledge_store.store import Store
    from reaseq.taxonomy.schema import CategorySchema

app = typer.Typer(no_args_is_help=True, help="Category schemas: list, show, search and import from a taxonomy.")

FolderArgument = Annotated[
    Path, typer.Argument(help="The Shopify product taxonomy's files: a folder (dist/en), or taxonomy.json.")
]
_MOST_FOUND = 40


@app.command("list")
def list_(json_: LinesOption = False) -> None:
    """List the schemas by which categories are distilled, yours first.

    Example: reaseq taxonomy list
    """
    from reaseq.api.settings import load
    from reaseq.taxonomy.schema import starters

    folder = load().schemas_dir
    rows = []
    for path, schema in starters(folder):
        facets = [attribute.facet for attribute in schema.attributes]
        counts = {facet: facets.count(facet) for facet in ("supply", "demand")}
        named = {"category": schema.category, "department": schema.department, "aliases": schema.aliases}
        rows.append(named | counts | {"path": path, "bundled": path.parent != folder})
    Telling(json_).rows(
        rows,
        Column("category", "category"),
        Column("department", "department"),
        Column("supply", "supply"),
        Column("demand", "demand"),
        Column("also called", lambda row: ", ".join(row["aliases"])),
        Column("from", lambda row: "bundled" if row["bundled"] else row["path"]),
        title="Categories",
    )


@app.command()
def show(category: Annotated[str, typer.Argument(help="The category, or what else it is called.")]) -> None:
    """Show a category's schema as a YAML file, with all that it takes over from shared attributes.

    To edit it: reaseq taxonomy eject shoes

    Example: reaseq taxonomy show shoes
    """
    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.taxonomy.schema import dump_schema, starter_for

    schema = starter_for(category, load().schemas_dir)
    if schema is None:
        raise ReaseqError(
            f"no schema for {category!r}; it would be distilled by `general`", hint="reaseq taxonomy list"
        )
    typer.echo(dump_schema(schema), nl=False)


@app.command()
def eject(
    category: Annotated[str, typer.Argument(help="The category, or what else it is called.")],
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite a schema of yours.")] = False,
) -> None:
    """Copy a bundled schema into a file of yours to edit; from then on it counts instead.

    Example: reaseq taxonomy eject shoes
    """
    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.taxonomy.schema import starter_for
    from reaseq.taxonomy.schema_file import bundled_text, own_file

    folder = load().schemas_dir
    schema = starter_for(category, None if replace else folder)
    if schema is None:
        raise ReaseqError(f"no schema for {category!r}", hint="reaseq taxonomy list")
    target = own_file(folder, schema.category)
    if target.exists() and not replace:
        raise ReaseqError(f"{target} is there already", hint="edit it, or add --replace to overwrite it")
    _write(target, bundled_text(schema))
    typer.echo(f"Written: {target}. Edit it, then: reaseq distill --category {schema.category} --dry-run")


@app.command()
def search(
    folder: FolderArgument,
    words: Annotated[str, typer.Argument(help="Words that the category's name holds.")],
    json_: LinesOption = False,
) -> None:
    """Find categories of the Shopify product taxonomy.

    Example: reaseq taxonomy search product-taxonomy/dist/en "coffee grinder"
    """
    from reaseq.taxonomy.shopify import read

    found = [
        {"full_name": node.full_name, "id": node.id, "attributes": node.attributes}
        for node in read(folder).search(words)
    ]
    say = Telling(json_)
    say.rows(
        found if json_ else found[:_MOST_FOUND],
        Column("category", "full_name"),
        Column("id", "id"),
        Column("attributes", lambda row: len(row["attributes"])),
        title=f"{len(found):,} categories",
    )
    if len(found) > _MOST_FOUND:
        say.show(f"{len(found) - _MOST_FOUND:,} more: name more words.")


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
    from reaseq.api.settings import load
    from reaseq.knowledge_store.importing import category_name
    from reaseq.taxonomy.schema import dump_schema
    from reaseq.taxonomy.shopify import read, schema_of

    taxonomy = read(folder)
    node = taxonomy.node(category)
    schema = schema_of(taxonomy, node, category_name(as_ or node.name))
    target = load().schemas_dir / f"{schema.category}.yaml"
    if target.exists() and not replace:
        raise ReaseqError(f"{target} is there already", hint="add --replace to overwrite it")
    _write(target, dump_schema(schema))
    values = sum(len(attribute.values) for attribute in schema.attributes)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Written: {target}, {len(schema.attributes)} attributes with {values:,} values.", markup=False)
    console.print(f"Next: reaseq distill --category {schema.category}", markup=False)


@app.command()
def proposals(
    category: Annotated[str, typer.Option("--category", "-c", help="The category.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 30,
    json_: LinesOption = False,
) -> None:
    """Show values that your feeds give and the schema does not know, the most frequent first, and what they may mean.

    A column or a variant's option that is named like a closed attribute says what its value is. Take a proposal up with
    `reaseq taxonomy accept`, or turn it down with `reaseq taxonomy reject`.

    Example: reaseq taxonomy proposals --category shoes
    """
    from functools import cache

    from reaseq.api.settings import load
    from reaseq.cli.knowledge import open_store
    from reaseq.cli.progress import printable
    from reaseq.graphs.options import require_products, starting_schema
    from reaseq.knowledge_store.encoder import Encoder
    from reaseq.llm import encoders
    from reaseq.taxonomy.likeness import likeness_of
    from reaseq.taxonomy.proposals import proposals as proposed

    settings = load()
    say = Telling(json_)
    with open_store() as store:
        category = require_products(store, category)
        schema = starting_schema(category, str(settings.schemas_dir))
        # Where nothing is unknown, no weights are fetched and no model is loaded.
        encoder = cache(lambda: Encoder(*encoders.resolve(settings.weights_dir, settings.encoder)))
        likeness = likeness_of(encoders.name_of(settings.encoder))
        found = proposed(schema, _cells(store, category), lambda texts: encoder().encode(texts), likeness)
    if not found:
        say.print(f"The schema of {category} knows every value that the feeds give its closed attributes.")
        return
    say.rows(
        [vars(one) for one in found[:limit]],
        Column("attribute", "attribute"),
        Column("value", "value"),
        Column("times", "count"),
        Column("proposed", lambda row: f"another word for {row['means']}" if row["means"] else "a new value"),
        title=f"Values that {category} does not know",
    )
    if len(found) > limit:
        say.print(f"{len(found) - limit:,} more: --limit {len(found)}")
    first = found[0]
    means = "" if first.means is None else f" --as {first.means!r}"
    command = f"reaseq taxonomy accept {category} {first.attribute} {printable(first.value)!r}{means}"
    say.print(f"Next: {command}   (or: reject)")


CategoryArgument = Annotated[str, typer.Argument(help="The category.")]
AttributeArgument = Annotated[str, typer.Argument(help="The closed attribute.")]
ValueArgument = Annotated[str, typer.Argument(help="The value, as the feed has it.")]


@app.command()
def accept(
    category: CategoryArgument,
    attribute: AttributeArgument,
    value: ValueArgument,
    means: Annotated[
        str | None, typer.Option("--as", help="The known value that it is another word for; else it is a new one.")
    ] = None,
) -> None:
    """Add a value, or another word for one, to your schema of a category.

    Example: reaseq taxonomy accept shoes color aubergine --as purple
    """
    from reaseq.taxonomy.proposals import accepted

    _change(category, lambda schema: accepted(schema, attribute, value, means))


@app.command()
def reject(category: CategoryArgument, attribute: AttributeArgument, value: ValueArgument) -> None:
    """Let a value of your feeds mean nothing: it is not proposed again. Nothing is distilled anew for it.

    Example: reaseq taxonomy reject shoes color "see picture"
    """
    from reaseq.taxonomy.proposals import rejected

    _change(category, lambda schema: rejected(schema, attribute, value))


def _cells(store: Store, category: str) -> Iterator[tuple[str, str]]:
    """The columns and options of the category's products and their variants, with their values."""
    for product, _, _ in store.products(category):
        for column, value in (product["attributes"] or {}).items():
            if isinstance(value, str):
                yield column, value
        for variant in product["variants"]:
            yield from variant["options"].items()


def _change(category: str, change: Callable[[CategorySchema], CategorySchema]) -> None:
    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.knowledge import open_store
    from reaseq.graphs.options import starting_schema
    from reaseq.knowledge_store.importing import category_name
    from reaseq.taxonomy.schema import starter_for
    from reaseq.taxonomy.schema_file import bundled_text, changed_text, own_file

    folder = load().schemas_dir
    if starter_for(category, folder) is None:
        with open_store() as store:
            if (category_name(category) or category) not in store.categories():
                raise ReaseqError(f"no schema and no products of {category!r}", hint="reaseq taxonomy list")
    before = starter_for(category, folder) or starting_schema(category_name(category) or category, str(folder))
    name = before.category
    try:
        after = change(before)
    except ValueError as error:
        raise ReaseqError(str(error), hint=f"reaseq taxonomy show {name}") from error
    target = own_file(folder, name)
    text = target.read_text(encoding="utf-8") if target.exists() else bundled_text(before)
    _write(target, changed_text(text, before, after))
    typer.echo(f"Written: {target}. Next: reaseq distill --category {name}")


def _write(target: Path, text: str) -> None:
    from reaseq import ReaseqError

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        raise ReaseqError(f"{target}: {error.strerror or error}", hint="set schemas_dir in reaseq.toml") from error
