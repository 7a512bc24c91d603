"""`reaseq embed`, `similar`, `embeddings export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reaseq.cli.tables import Column, LinesOption, ReportOption, Telling

app = typer.Typer(no_args_is_help=True, help="Knowledge embeddings for rankers of your own.")


def embed(
    category: Annotated[str | None, typer.Option("--category", "-c", help="Only products of this category.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="A sentence-transformers model, by name or folder.",
            show_default="the setting `encoder`",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be embedded; embed nothing.")] = False,
    json_: ReportOption = False,
) -> None:
    """Embed what is known of each product: the summary composed of its claims, else its title.

    Only what is new or changed is embedded; stop it any way and run it again. Each model's vectors are kept apart.

    Example: reaseq embed --category shoes
    """
    from time import monotonic

    from rich.console import Console

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.progress import StepBar
    from reaseq.graphs.options import require_products
    from reaseq.knowledge_store import embeddings
    from reaseq.knowledge_store.encoder import Encoder
    from reaseq.knowledge_store.store import Store
    from reaseq.llm import encoders

    settings = load()
    say = Telling(json_)
    bar = Console(stderr=True)
    with Store.open(settings.store_url) as store:
        if category is not None:
            category = require_products(store, category)
        if not store.count_products(category):
            raise ReaseqError(
                "no products yet", hint="reaseq import FILE --category NAME   (or: reaseq import --sample)"
            )
        encoder = Encoder(*encoders.resolve(settings.weights_dir, model or settings.encoder))
        started = monotonic()
        with StepBar(bar, "embedding, products") as shown:
            counts = embeddings.embed(store, encoder, category, dry_run=dry_run, on_step=shown.step)
        seconds = monotonic() - started
    done = 0 if dry_run else sum(fresh for fresh, _ in counts.values())
    say.part(
        "texts",
        [{"source": name, "stale": fresh, "unchanged": unchanged} for name, (fresh, unchanged) in counts.items()],
        Column("from", "source"),
        Column("to embed" if dry_run else "embedded", "stale"),
        Column("unchanged", "unchanged"),
    )
    say.end(model=encoder.name, dry_run=dry_run, embedded=done, seconds=seconds)
    if dry_run:
        say.print("Nothing was embedded. Next: the same command without --dry-run")
        return
    if done:
        say.print(f"{encoder.name}: {done / max(seconds, 1e-9):,.0f} texts/s, {encoder.dimensions} dimensions")
    say.print("Next: reaseq similar ID, or reaseq train-ranker")


def similar(
    product: Annotated[str, typer.Argument(metavar="ID", help="A product's id.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    json_: LinesOption = False,
) -> None:
    """Show the products most like one: by the cosine of whitened embeddings.

    Example: reaseq similar AH2430 -k 5
    """
    import numpy as np
    from rich.console import Console

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.knowledge_store import embeddings
    from reaseq.knowledge_store.names import find_product
    from reaseq.knowledge_store.store import Store
    from reaseq.llm import encoders

    settings = load()
    with Store.open(settings.store_url) as store:
        space = embeddings.find_space(store)
        ids, vectors = embeddings.load_vectors(store, space) if space else ([], None)
        if product not in ids:
            product = find_product(store, product)["id"]
        if product not in ids:
            raise ReaseqError(f"{product!r} has no embedding yet", hint="reaseq embed")
        assert space is not None
        assert vectors is not None
        if space.whitening is not None:
            vectors = space.whitening.apply(vectors)
        this = ids.index(product)
        length = np.maximum(np.sqrt(np.einsum("nd,nd->n", vectors, vectors)), 1e-9)
        cosine = vectors @ (vectors[this] / length[this]) / length
        cosine[this] = -np.inf
        chosen = encoders.name_of(settings.encoder)
        if space.model != chosen:
            told = f"These are embeddings by {space.model}, the newest. For those by {chosen}: reaseq embed"
            Console(stderr=True).print(told, markup=False, highlight=False)
        nearest = np.argsort(-cosine, kind="stable")[: min(k, len(ids) - 1)]
        products = [(ids[index], store.product(ids[index]) or {}, float(cosine[index])) for index in nearest]
    Telling(json_).rows(
        [
            {"product_id": one, "category": row.get("category"), "title": row.get("title", ""), "similarity": cosine}
            for one, row, cosine in products
        ],
        Column("product", "product_id"),
        Column("category", "category"),
        Column("title", "title"),
        Column("similarity", "similarity", ".3f"),
    )


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to: .parquet, .npz, or .itememb (RecBole).")],
    whitened: Annotated[bool, typer.Option("--whitened", help="Whitened vectors instead of the raw ones.")] = False,
) -> None:
    """Write the newest embeddings to a file, for a ranker of your own.

    Example: reaseq embeddings export items.itememb --whitened
    """
    from rich.console import Console

    from reaseq.api.settings import load
    from reaseq.knowledge_store.embedding_export import export_embeddings
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        number = export_embeddings(store, file, whitened=whitened)
    Console().print(f"{number:,} embeddings written to {file}", highlight=False, soft_wrap=True)
