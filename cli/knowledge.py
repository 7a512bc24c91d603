"""`reaseq knowledge`: what was found."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.tables import USAGE, Column, LinesOption, ReportOption, Row, Telling

if TYPE_CHECKING:
    from rich.text import Text

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
    json_: LinesOption = False,
) -> None:
    """List distilled products with their verified claims.

    Example: reaseq knowledge list --category shoes --limit 20
    """
    from reaseq.cli.progress import printable

    say = Telling(json_)
    category = category_as_stored(category)
    with open_store() as store:
        products = [_known(store, product) for product in store.distilled(category=category, limit=limit)]
    if not products:
        _nothing(category)
    say.rows(
        products,
        Column("id", "product_id"),
        Column("product", "title"),
        Column("verified claims", lambda row: "; ".join(f"{one}: {', '.join(v)}" for one, v in row["claims"].items())),
        Column("summary", "summary"),
        Column("status", _status),
        title=f"Distilled products{f' ({category})' if category else ''}",
        narrow=True,
    )
    say.print(f"Next: reaseq knowledge show {printable(products[0]['product_id'])}   (claims with their evidence)")


def _known(store: Store, product: dict[str, Any]) -> dict[str, Any]:
    """A distilled product in brief."""
    from reaseq.knowledge_store.summaries import composed

    claims, _, failures = store.knowledge(product["id"])
    values: dict[str, list[str]] = {}
    for claim in claims:
        if claim["status"] in ("verified", "approved", "edited"):
            values.setdefault(claim["attribute"], []).append(claim["value"])
    return {
        "product_id": product["id"],
        "category": product["category"],
        "title": product["title"],
        "claims": values,
        "summary": composed(product, claims) if claims else "",
        "status": product["status"],
        "read_by": product["read_by"],
        "failed_at": failures[0]["stage"] if failures else None,
    }


def _status(row: Row) -> Text:
    from rich.text import Text

    status = Text(row["status"], style="green" if row["status"] == "done" else "red")
    if row["read_by"] != "model":
        status.append(f" by {'code' if row['read_by'] == 'code' else 'a teacher'}", style="dim")
    return status.append(f": {row['failed_at']}" if row["failed_at"] else "")


@app.command()
def show(
    product_id: Annotated[str, typer.Argument(metavar="ID", help="The product's id.")],
    json_: ReportOption = False,
) -> None:
    """Show a product: its text with the evidence marked, and each claim with verdict and provenance.

    Example: reaseq knowledge show AH2430
    """
    from rich.panel import Panel
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.names import find_product

    say = Telling(json_)
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
    from reaseq.knowledge_store.summaries import composed
    from reaseq.taxonomy.lexicon import Lexicon
    from reaseq.taxonomy.variants import variant_values

    document = Document(source_fields(product))
    price = (
        "no known price" if product["price"] is None else f"{product['price']:.2f} {product['currency'] or ''}".strip()
    )
    say.show(Text(printable(f"{product['category'] or '(no category)'}, {price}"), style="dim"))
    for field, text in document.sources.items():
        marked = Text(printable(text))
        for claim in claims:
            if claim["status"] not in ("rejected", "retired") and holds_evidence(claim, field, text):
                marked.stylize("bold black on yellow", claim["start"], claim["end"])
        say.show(Panel(marked, title=Text(field), title_align="left", border_style="dim"))
    lexicon = Lexicon(schema.schema) if schema else None
    known = lexicon.known_columns(document) if lexicon else ()
    prompt = showing(document, first=known, most=load().columns)
    head = lexicon.head(document) if lexicon else None
    for field, sentence in document.held:
        say.print(f"Held back, as it speaks to a machine ({field}): {printable(sentence)}", style="yellow")
    if prompt.columns:
        unseen = printable(", ".join(prompt.columns))
        say.print(f"No room in the prompt (setting `columns`) for: {unseen}", style="yellow")
    if prompt.cut:
        say.print(f"Shown to the model in part: {', '.join(prompt.cut)}", style="yellow")
    if head and not head.covered:
        category = printable(str(product["category"]))
        say.print(f"By its title it is a {printable(head.words)!r}, which {category} do not cover.", style="yellow")
    means = {(one.variant_id, one.option): one.value for one in variant_values(lexicon, variants)} if lexicon else {}
    names = list(dict.fromkeys(name for variant in variants for name in variant["options"]))
    more = [Column("its own cells", _own_cells)] if any(variant["attributes"] for variant in variants) else []
    say.part(
        "variants",
        [_variant(one, {name: means.get((one["id"], name)) for name in names}) for one in variants],
        Column("id", "variant_id"),
        *(Column(name, partial(_option, name)) for name in names),
        Column("price", "price", "g"),
        *more,
        title="Variants",
    )
    say.part(
        "claims",
        claims,
        Column("attribute", "attribute"),
        Column("value", "value"),
        Column("type", "claim_type"),
        Column("status", lambda row: Text(row["status"], style=_STYLE.get(row["status"], ""))),
        Column("evidence", _evidence),
        Column("verdict", "verdict"),
        Column("confidence", "confidence", ".2f"),
        Column("found by", lambda row: f"{row['found_by']}, run {row['run_id']}"),
        title="Claims",
        narrow=True,
    )
    origins = {
        f"Run {claim['run_id']}: {claim['model']}, prompt {claim['prompt_fingerprint']}, "
        f"schema version {claim['schema_version']}."
        for claim in claims
        if claim["model"]
    }
    for origin in sorted(origins):
        say.show(Text(origin, style="dim"))
    summary = composed(product, claims) if claims else ""
    if claims:
        say.show(Panel(Text(printable(summary)), title="Summary, of the claims that hold", title_align="left"))
    if prose:
        say.show(Panel(Text(printable(prose["text"])), title="In the model's words", title_align="left"))
    for failure in failures:
        say.show(
            Text(f"Failed: {failure['stage']} after {failure['attempts']} attempts: ", style="red")
            + Text(printable(failure["reason"]))
        )
    if read and not claims:
        say.print("It was read, and nothing was found that is true of it as a whole.")
    elif not claims and not prose and not failures:
        say.print(f"Not distilled yet. Next: reaseq distill --category {product['category'] or 'CATEGORY'}")
    say.end(
        product_id=product_id,
        **{name: product[name] for name in ("category", "title", "price", "currency")},
        fields=document.sources,
        held_back=[{"field": field, "sentence": sentence} for field, sentence in document.held],
        columns_left_out=prompt.columns,
        fields_cut=prompt.cut,
        other_kind=head.words if head and not head.covered else None,
        read=read,
        summary=summary,
        prose=prose["text"] if prose else None,
        failures=failures,
    )


def _evidence(claim: Row) -> str:
    if claim["quote"] is None:
        return f"because: {claim['reason']}" if claim["reason"] else ""
    quoted = f"{claim['field']}[{claim['start']}:{claim['end']}] “{claim['quote']}”"
    return f"{quoted} ({claim['evidence']})" if claim["evidence"] else quoted


def _variant(variant: dict[str, Any], means: dict[str, str | None]) -> dict[str, Any]:
    """What a product is sold as. values: what its options mean in the words of the schema."""
    told = {name: variant[name] for name in ("options", "attributes", "price")}
    return {"variant_id": variant["id"], **told, "values": {name: value for name, value in means.items() if value}}


def _option(name: str, variant: Row) -> str:
    """What the feed has of a variant, and in brackets what that means in the words of the schema."""
    held, value = str(variant["options"].get(name, "")), variant["values"].get(name)
    return held if value is None or value.casefold() == held.casefold() else f"{held} ({value})"


def _own_cells(variant: Row) -> str:
    from reaseq.knowledge_store.feeds.rows import text_of

    return "; ".join(f"{name}: {text_of(value) or '-'}" for name, value in variant["attributes"].items())


@app.command()
def explain(
    product_id: Annotated[str, typer.Argument(metavar="ID", help="The product's id.")],
    attribute: Annotated[str, typer.Argument(help="An attribute of its category, upper_material for instance.")],
    value: Annotated[str | None, typer.Argument(help="Only this value, or a word that means it.")] = None,
    json_: ReportOption = False,
) -> None:
    """Explain why a value was taken, rejected or not seen: each place where its words stand, what decides there, and
    how far such evidence can be trusted. No model is asked.

    Example: reaseq knowledge explain AH2430 upper_material leather
    """
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
        matches = [match for _, found in phrases(document, lexicon, asked) for match in found]
    else:
        matches = lexicon.spans(asked, wanted or "", document)
    sort = sort_of(asked, lexicon.labels)
    found = [
        {
            "value": match.value,
            "quote": document.quote(match.field, match.start, match.end),
            **{name: getattr(match, name) for name in ("field", "start", "end", "evidence", "standing", "beside")},
            "trust": earned(match.evidence, sort) if match.stated else None,
        }
        for match in matches
        if wanted is None or match.value == wanted
    ]
    claims = [claim for claim in claims if wanted is None or claim["value"] == wanted]
    say = Telling(json_)
    say.part(
        "places",
        found,
        Column("value", "value"),
        Column("words", "quote"),
        Column("where", lambda row: f"{row['field']}[{row['start']}:{row['end']}]"),
        Column("evidence", "evidence"),
        Column("standing", "standing"),
        Column("beside", "beside"),
        Column("right in", "trust", ".0%"),
        title=f"{attribute} of {product['title']}",
        narrow=True,
    )
    if found:
        say.print(f"Verified from {earned.verified_from:.3g} on, where nothing contradicts it.")
    else:
        said = f"the value {wanted!r}" if wanted else f"any value of {attribute}"
        say.print(printable(f"No words in the product's text mean {said}."))
    for field, sentence in document.held:
        say.print(printable(f"Held back ({field}): {sentence}"), style="yellow")
    for claim in claims:
        confidence = "" if claim["confidence"] is None else f", {claim['confidence']:.2f}"
        said = f"{claim['value']}: {claim['status']}{confidence}: {claim['verdict']}"
        say.print(printable(f"Stored claim: {said}"))
    say.end(
        product_id=product_id,
        attribute=attribute,
        value=wanted,
        verified_from=earned.verified_from,
        held_back=[{"field": field, "sentence": sentence} for field, sentence in document.held],
        claims=claims,
    )


@app.command()
def stats(category: Category = None, json_: ReportOption = False) -> None:
    """Count products, claims by attribute and verdict, failures, tokens and cost.

    Example: reaseq knowledge stats --category shoes
    """
    say = Telling(json_)
    category = category_as_stored(category)
    with open_store() as store:
        products = [
            _levels(store, name, count)
            for name, count in sorted(store.categories().items(), key=str)
            if category in (None, name)
        ]
        claims: dict[tuple[str, str, str], dict[str, Any]] = {}
        for row in store.attribute_counts(category):
            named = {name: row[name] for name in ("category", "facet", "attribute")}
            counts = claims.setdefault(tuple(named.values()), named | dict.fromkeys(_STYLE, 0))
            counts[row["status"]] += row["claims"]
        usage = store.usage()
    say.part(
        "products",
        products,
        Column("category", "category", none="(none)"),
        Column("products", "products"),
        Column("read by a teacher", "read_by_teacher"),
        Column("by a model", "read_by_model"),
        Column("by code alone", "read_by_code"),
        Column("failed", "failed"),
        title="Products",
    )
    say.part(
        "claims",
        list(claims.values()),
        Column("category", "category", none="(none)"),
        Column("side", "facet"),
        Column("attribute", "attribute"),
        *(Column(one, partial(_some, one)) for one in _STYLE if any(row[one] for row in claims.values())),
        title="Claims",
    )
    say.part("usage", usage, Column("model", "model"), *USAGE, title="Model calls")
    say.end()


def _levels(store: Store, category: str | None, count: int) -> dict[str, Any]:
    """How many of a category's products were read by whom."""
    levels = store.levels(category)
    read = {f"read_by_{level}": levels[level, "done"] for level in ("teacher", "model", "code")}
    failed = sum(count for (_, status), count in levels.items() if status == "failed")
    return {"category": category, "products": count, **read, "failed": failed}


def _some(name: str, row: Row) -> int | None:
    return row[name] or None


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
