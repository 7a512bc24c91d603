"""`reaseq knowledge`: what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from reaseq.knowledge_store.store import Store

app = typer.Typer(no_args_is_help=True, help="Look at what was found: list, show, explain, stats, export, replies.")


def category_as_stored(name: str | None) -> str | None:
    """A category as the store names it: `--category Footwear` means shoes."""
    from reaseq.knowledge_store.importing import category_name

    return category_name(name) if name else None


def known_category(store: Store, category: str | None) -> str | None:
    """`category_as_stored`, of which there are products.

    Raises:
        ReaseqError: there are none.
    """
    from reaseq import ReaseqError

    name = category_as_stored(category)
    if name is not None and name not in store.categories():
        there = ", ".join(str(one or "(none)") for one in store.categories())
        raise ReaseqError(f"no products of category {name!r}; there are: {there}", hint="reaseq knowledge stats")
    return name


Category = Annotated[str | None, typer.Option("--category", "-c", help="Only this category.", show_default="all")]

_STYLE = {
    "verified": "green",
    "approved": "bold green",
    "edited": "bold green",
    "rejected": "red",
    "retired": "dim",
    "proposed": "yellow",
}


@app.command("list")
def list_(
    category: Category = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many products.")] = 50,
) -> None:
    """List distilled products with their verified claims.

    Example: reaseq knowledge list --category shoes --limit 20
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.summaries import composed

    console = Console()
    category = category_as_stored(category)
    with open_store() as store:
        products = list(store.distilled(category=category, limit=limit))
        if not products:
            _nothing(category)
        table = Table(title=f"Distilled products{f' ({category})' if category else ''}", title_justify="left")
        for name in ("id", "product", "verified claims", "summary", "status"):
            table.add_column(name, overflow="fold")
        for product in products:
            claims, _, failures = store.knowledge(product["id"])
            summary = composed(product, claims) if claims else ""
            status = Text(product["status"], style="green" if product["status"] == "done" else "red")
            if product["read_by"] != "model":
                status.append(f" by {'code' if product['read_by'] == 'code' else 'a teacher'}", style="dim")
            if failures:
                status.append(f": {failures[0]['stage']}")
            table.add_row(
                Text(printable(product["id"])),
                Text(printable(product["title"])),
                Text(printable(_claims_line(claims))),
                Text(printable(summary)),
                status,
            )
        console.print(table)
        console.print(
            Text(f"Next: reaseq knowledge show {printable(products[0]['id'])}   (claims with their evidence)")
        )


@app.command()
def show(
    product_id: Annotated[str, typer.Argument(metavar="ID", help="The product's id.")],
) -> None:
    """Show a product: its text with the evidence marked, and each claim with verdict and provenance.

    Example: reaseq knowledge show AH2430
    """
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.names import find_product

    console = Console()
    with open_store() as store:
        product = find_product(store, product_id)
        product_id = product["id"]
        claims, prose, failures = store.knowledge(product_id)
        variants = store.variants([product_id]).get(product_id, [])
        schema = store.latest_schema(product["category"] or "")
        read = next(store.products_of([product_id]))[1] is not None

    from reaseq.agents.product_text import showing, source_fields
    from reaseq.api.settings import load
    from reaseq.cli.review import holds_evidence
    from reaseq.documents.document import Document
    from reaseq.knowledge_store.feeds.rows import text_of
    from reaseq.knowledge_store.summaries import composed
    from reaseq.taxonomy.lexicon import Lexicon
    from reaseq.taxonomy.variants import variant_values

    document = Document(source_fields(product))
    price = (
        "no known price" if product["price"] is None else f"{product['price']:.2f} {product['currency'] or ''}".strip()
    )
    console.print(Text(printable(f"{product['category'] or '(no category)'}, {price}"), style="dim"))
    for field, text in document.sources.items():
        marked = Text(printable(text))
        for claim in claims:
            if claim["status"] not in ("rejected", "retired") and holds_evidence(claim, field, text):
                marked.stylize("bold black on yellow", claim["start"], claim["end"])
        console.print(Panel(marked, title=Text(field), title_align="left", border_style="dim"))
    lexicon = Lexicon(schema.schema) if schema else None
    known = lexicon.known_columns(document) if lexicon else ()
    prompt = showing(document, first=known, most=load().columns)
    for field, sentence in document.held:
        held = f"Held back, as it speaks to a machine ({field}): {printable(sentence)}"
        console.print(Text(held, style="yellow"), soft_wrap=True)
    if prompt.columns:
        unseen = printable(", ".join(prompt.columns))
        console.print(Text(f"No room in the prompt (setting `columns`) for: {unseen}", style="yellow"))
    if prompt.cut:
        console.print(Text(f"Shown to the model in part: {', '.join(prompt.cut)}", style="yellow"))
    if lexicon and (head := lexicon.head(document)) and not head.covered:
        category = printable(str(product["category"]))
        console.print(
            Text(f"By its title it is a {printable(head.words)!r}, which {category} do not cover.", style="yellow")
        )
    if variants:
        table = Table("id", title="Variants", title_justify="left")
        names = list(dict.fromkeys(name for variant in variants for name in variant["options"]))
        values = variant_values(lexicon, variants) if lexicon else []
        means = {(value.variant_id, value.option): value.value for value in values}
        more = ["its own cells"] if any(variant["attributes"] for variant in variants) else []
        for name in (*map(printable, names), "price", *more):
            table.add_column(Text(name), overflow="fold")
        for variant in variants:
            options = (_option(variant, name, means.get((variant["id"], name))) for name in names)
            price = "" if variant["price"] is None else f"{variant['price']:g}"
            said = printable(
                "; ".join(f"{name}: {text_of(value) or '-'}" for name, value in variant["attributes"].items())
            )
            table.add_row(*map(Text, (printable(variant["id"]), *options, price, said)[: len(table.columns)]))
        console.print(table)
    table = Table(title="Claims", title_justify="left")
    for name in ("attribute", "value", "type", "status", "evidence", "verdict", "confidence", "found by"):
        table.add_column(name, overflow="fold")
    for claim in claims:
        if claim["quote"] is None:
            evidence = f"because: {claim['reason']}" if claim["reason"] else ""
        else:
            evidence = f"{claim['field']}[{claim['start']}:{claim['end']}] “{claim['quote']}”"
            if claim["evidence"]:
                evidence += f" ({claim['evidence']})"
        table.add_row(
            claim["attribute"],
            Text(printable(claim["value"])),
            claim["claim_type"],
            Text(claim["status"], style=_STYLE.get(claim["status"], "")),
            Text(printable(evidence)),
            Text(printable(claim["verdict"])),
            "" if claim["confidence"] is None else f"{claim['confidence']:.2f}",
            f"{claim['found_by']}, run {claim['run_id']}",
        )
    if claims:
        console.print(table)
        origins = {
            f"Run {claim['run_id']}: {claim['model']}, prompt {claim['prompt_fingerprint']}, "
            f"schema version {claim['schema_version']}."
            for claim in claims
            if claim["model"]
        }
        for origin in sorted(origins):
            console.print(Text(origin, style="dim"))
    if claims:
        summary = composed(product, claims)
        console.print(Panel(Text(printable(summary)), title="Summary, of the claims that hold", title_align="left"))
    if prose:
        console.print(Panel(Text(printable(prose["text"])), title="In the model's words", title_align="left"))
    for failure in failures:
        console.print(
            Text(f"Failed: {failure['stage']} after {failure['attempts']} attempts: ", style="red")
            + Text(printable(failure["reason"]))
        )
    if read and not claims:
        console.print("It was read, and nothing was found that is true of it as a whole.")
    elif not claims and not prose and not failures:
        console.print(Text(f"Not distilled yet. Next: reaseq distill --category {product['category'] or 'CATEGORY'}"))


@app.command()
def explain(
    product_id: Annotated[str, typer.Argument(metavar="ID", help="The product's id.")],
    attribute: Annotated[str, typer.Argument(help="An attribute of its category, upper_material for instance.")],
    value: Annotated[str | None, typer.Argument(help="Only this value, or a word that means it.")] = None,
) -> None:
    """Explain why a value was taken, rejected or not seen: each place where its words stand, what decides there, and
    how far such evidence can be trusted. No model is asked.

    Example: reaseq knowledge explain AH2430 upper_material leather
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.agents.product_text import source_fields
    from reaseq.cli.progress import printable
    from reaseq.documents.document import Document
    from reaseq.graphs.teaching import trust_of
    from reaseq.knowledge_store.names import find_product
    from reaseq.taxonomy.lexicon import Lexicon
    from reaseq.taxonomy.phrases import phrases
    from reaseq.taxonomy.schema import starter_for
    from reaseq.taxonomy.trust import sort_of

    with open_store() as store:
        product = find_product(store, product_id)
        product_id = product["id"]
        stored = store.latest_schema(product["category"] or "")
        claims = [claim for claim in store.knowledge(product_id)[0] if claim["attribute"] == attribute]
        schema = stored.schema if stored else starter_for(product["category"] or "")
        earned = trust_of(store, schema) if schema else None
    if schema is None or schema.get(attribute) is None:
        if agents := {claim["found_by"] for claim in claims}:
            said = f"{attribute} is what {', '.join(sorted(agents))} says, an agent of your own"
            raise ReaseqError(f"{said}: no words are looked for", hint=f"reaseq knowledge show {product_id}")
        known = ", ".join(one.name for one in schema.attributes) if schema else "none: it has no category"
        raise ReaseqError(f"{product['category']} has no attribute {attribute!r}; there are: {known}")
    asked = schema.get(attribute)
    assert asked is not None
    assert earned is not None
    lexicon = Lexicon(schema)
    document = Document(source_fields(product))
    wanted = (asked.value_of(value) or value) if value else None
    if asked.kind == "measure":
        matches = lexicon.measures(asked, document)
    elif asked.kind == "closed":
        matches = lexicon.find(document).get(attribute, [])
    elif asked.kind == "phrase":
        matches = list(phrases(asked, document, lexicon))
    else:
        matches = lexicon.spans(asked, wanted or "", document)
    sort = sort_of(asked, lexicon.labels)
    table = Table(title=Text(printable(f"{attribute} of {product['title']}")), title_justify="left")
    for name in ("value", "words", "where", "evidence", "standing", "beside", "right in"):
        table.add_column(name, overflow="fold")
    for match in matches:
        if wanted is None or match.value == wanted:
            words = document.quote(match.field, match.start, match.end)
            place = f"{match.field}[{match.start}:{match.end}]"
            trust = f"{earned(match.evidence, sort):.0%}" if match.stated else ""
            cells = (match.value, words, place, match.evidence, match.standing, match.beside, trust)
            table.add_row(*(Text(printable(cell)) for cell in cells))
    console = Console()
    if table.row_count:
        console.print(table)
        console.print(f"Verified from {earned.verified_from:.3g} on, where nothing contradicts it.", highlight=False)
    else:
        said = f"the value {wanted!r}" if wanted else f"any value of {attribute}"
        console.print(Text(printable(f"No words in the product's text mean {said}.")))
    for field, sentence in document.held:
        console.print(Text(printable(f"Held back ({field}): {sentence}"), style="yellow"))
    for claim in claims:
        if wanted is None or claim["value"] == wanted:
            confidence = "" if claim["confidence"] is None else f", {claim['confidence']:.2f}"
            said = f"{claim['value']}: {claim['status']}{confidence}: {claim['verdict']}"
            console.print(Text(printable(f"Stored claim: {said}")))


def _option(variant: dict[str, Any], name: str, value: str | None) -> str:
    """What the feed has of a variant, and in brackets what that means in the words of the schema."""
    from reaseq.cli.progress import printable

    held = str(variant["options"].get(name, ""))
    return printable(held if value is None or value.casefold() == held.casefold() else f"{held} ({value})")


@app.command()
def stats(category: Category = None) -> None:
    """Count products, claims by attribute and verdict, failures, tokens and cost.

    Example: reaseq knowledge stats --category shoes
    """
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    console = Console()
    category = category_as_stored(category)
    with open_store() as store:
        products = Table(title="Products", title_justify="left")
        for name in ("category", "products", "read by a teacher", "by a model", "by code alone", "failed"):
            products.add_column(name, justify="left" if name == "category" else "right")
        for name, count in sorted(store.categories().items(), key=str):
            if category in (None, name):
                levels = store.levels(name)
                read = [levels[level, "done"] for level in ("teacher", "model", "code")]
                read.append(sum(count for (_, status), count in levels.items() if status == "failed"))
                products.add_row(name or "(none)", *(f"{number:,}" for number in (count, *read)))
        console.print(products)
        rows: dict[tuple[str, str, str], Counter[str]] = {}
        for row in store.attribute_counts(category):
            key = (row["category"] or "(none)", row["facet"], row["attribute"])
            rows.setdefault(key, Counter())[row["status"]] += row["claims"]
        if rows:
            claims = Table(title="Claims", title_justify="left")
            statuses = tuple(_STYLE)
            for name in ("category", "side", "attribute", *statuses):
                claims.add_column(name, justify="right" if name in statuses else "left")
            for named, counts in rows.items():
                claims.add_row(*named, *(f"{counts[status]:,}" if counts[status] else "" for status in statuses))
            console.print(claims)
        usage = store.usage()
        if usage:
            table = Table(title="Model calls", title_justify="left")
            for name in ("model", "agent", "calls", "prompt tokens", "reply tokens", "cost"):
                table.add_column(name, justify="left" if name in ("model", "agent") else "right")
            for row in usage:
                table.add_row(
                    row["model"],
                    row["agent"],
                    f"{row['calls']:,}",
                    f"{row['prompt_tokens']:,}",
                    f"{row['completion_tokens']:,}",
                    "-" if row["cost"] is None else f"{row['cost']:,.4f}",
                )
            console.print(table)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to; its ending names the format: .csv, .jsonl or .parquet.")],
    category: Category = None,
    defuse: Annotated[
        bool, typer.Option("--defuse", help="In CSV, keep spreadsheets from running cells as formulas.")
    ] = False,
) -> None:
    """Export every claim, with evidence, verdict and provenance, and the summaries.

    Example: reaseq knowledge export claims.parquet --category shoes
    """
    from reaseq.knowledge_store.export import export_claims

    category = category_as_stored(category)
    with open_store() as store:
        count = export_claims(store, file, category=category, defuse=defuse)
    typer.echo(f"{count:,} rows written to {file}")


@app.command()
def replies(
    file: Annotated[Path, typer.Argument(help="Where to, as JSON lines.")],
) -> None:
    """Export the models' replies as a recording that the replay engine serves, without a model.

    Example: reaseq knowledge replies replies.jsonl, then REASEQ_ENGINE=replay REASEQ_REPLAY_FILE=replies.jsonl
    reaseq distill --category shoes
    """
    from reaseq.knowledge_store.export import export_replies

    with open_store() as store:
        count = export_replies(store, file)
    if not count:
        _nothing(None)
    typer.echo(f"{count:,} replies written to {file}")


def open_store() -> Any:
    from reaseq.api.settings import load
    from reaseq.knowledge_store.store import Store

    return Store.open(load().store_url)


def _nothing(category: str | None) -> None:
    from reaseq import ReaseqError

    raise ReaseqError(
        f"nothing has been distilled yet{f' in category {category!r}' if category else ''}",
        hint=f"reaseq distill --category {category or 'CATEGORY'}",
    )


def _claims_line(claims: list[dict[str, Any]]) -> str:
    values: dict[str, list[str]] = {}
    for claim in claims:
        if claim["status"] in ("verified", "approved", "edited"):
            values.setdefault(claim["attribute"], []).append(claim["value"])
    return "; ".join(f"{name}: {', '.join(found)}" for name, found in values.items())
