"""`reaseq embed`, `similar`, `embeddings export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Knowledge embeddings for rankers of your own.")
_CHUNK = 2048
_PLAIN_EVERY = 10.0


def embed(
    category: Annotated[str | None, typer.Option("--category", "-c", help="Only products of this category.")] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="A sentence-transformers model, by name or folder.", show_default="MiniLM"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be embedded; embed nothing.")] = False,
) -> None:
    """Embed what is known of each product: its summary, else title and verified claims, else the title.

    Only what is new or changed is embedded; stop it any way and run it again. Each model's vectors are kept apart.

    Example: reaseq embed --category shoes
    """
    from itertools import islice
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from reaseq import ReaseqError
    from reaseq.cli.settings import load
    from reaseq.graphs.distill import require_products
    from reaseq.knowledge_store import embeddings
    from reaseq.knowledge_store.encoder import Encoder
    from reaseq.knowledge_store.store import Store
    from reaseq.llm import encoders

    settings = load()
    console = Console()
    bar = Console(stderr=True)
    with Store.open(settings.store_url) as store:
        if category is not None:
            category = require_products(store, category)
        total = store.count_products(category)
        if not total:
            raise ReaseqError(
                "no products yet", hint="reaseq import FILE --category NAME   (or: reaseq import --sample)"
            )
        encoder = Encoder(model or encoders.DEFAULT, encoders.resolve(model, settings.weights_dir))
        space = embeddings.find_space(store, encoder.fingerprint)
        if not dry_run:
            space = embeddings.open_space(store, encoder.name, encoder.fingerprint, encoder.dimensions)
        counts: dict[str, list[int]] = {"summary": [0, 0], "claims": [0, 0], "title": [0, 0]}
        done, seen, started = 0, 0, monotonic()
        said = started
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=bar, transient=True, disable=not bar.is_terminal) as progress:
            task = progress.add_task("embedding", total=total)

            def show(now_done: int) -> None:
                nonlocal said
                progress.update(task, completed=seen + now_done)
                if not bar.is_terminal and monotonic() - said >= _PLAIN_EVERY:
                    said = monotonic()
                    bar.print(f"embedding: {seen + now_done:,}/{total:,} products", highlight=False, soft_wrap=True)

            checked = embeddings.stale(store, space, category)
            while part := list(islice(checked, _CHUNK)):
                wanted = [text for text, is_stale in part if is_stale]
                for text, is_stale in part:
                    counts[text.source][not is_stale] += 1
                if wanted and not dry_run:
                    assert space is not None
                    vectors = encoder.encode([text.text for text in wanted], on_progress=show)
                    embeddings.save_vectors(store, space, wanted, vectors)
                    done += len(wanted)
                seen += len(part)
                show(0)
        rate = done / max(monotonic() - started, 1e-9)
        if space is not None and not dry_run:
            embeddings.fit_whitening(store, space)
    table = Table("from", "to embed" if dry_run else "embedded", "unchanged")
    for source, (fresh, unchanged) in counts.items():
        table.add_row(source, f"{fresh:,}", f"{unchanged:,}")
    console.print(table)
    if dry_run:
        console.print("Nothing was embedded. Next: the same command without --dry-run", highlight=False)
        return
    if done:
        console.print(f"{encoder.name}: {rate:,.0f} texts/s, {encoder.dimensions} dimensions", highlight=False)
    console.print("Next: reaseq similar ID, or reaseq train-ranker", highlight=False)


def similar(
    product: Annotated[str, typer.Argument(metavar="ID", help="A product's id.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
) -> None:
    """Show the products most like one: by the cosine of whitened embeddings.

    Example: reaseq similar AH2430 -k 5
    """
    import numpy as np
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.cli.progress import printable
    from reaseq.cli.settings import load
    from reaseq.knowledge_store import embeddings
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        space = embeddings.find_space(store)
        ids, vectors = embeddings.load_vectors(store, space) if space else ([], None)
        if product not in ids:
            known = store.product(product) is not None
            what = f"{product!r} has no embedding yet" if known else f"no product {product!r} in the store"
            raise ReaseqError(what, hint="reaseq embed" if known else "reaseq knowledge list")
        assert space is not None
        assert vectors is not None
        if space.whitening is not None:
            vectors = space.whitening.apply(vectors)
        this = ids.index(product)
        length = np.maximum(np.sqrt(np.einsum("nd,nd->n", vectors, vectors)), 1e-9)
        cosine = vectors @ (vectors[this] / length[this]) / length
        cosine[this] = -np.inf
        table = Table("product", "category", "title", "similarity")
        for index in np.argsort(-cosine, kind="stable")[: min(k, len(ids) - 1)]:
            row = store.product(ids[index]) or {}
            cells = (ids[index], row.get("category") or "", row.get("title", ""))
            table.add_row(*(Text(printable(cell)) for cell in cells), f"{cosine[index]:.3f}")
    Console().print(table)


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to: .parquet, .npz, or .itememb (RecBole).")],
    whitened: Annotated[bool, typer.Option("--whitened", help="Whitened vectors instead of the raw ones.")] = False,
) -> None:
    """Write the newest embeddings to a file, for a ranker of your own.

    Example: reaseq embeddings export items.itememb --whitened
    """
    from rich.console import Console

    from reaseq.cli.settings import load
    from reaseq.knowledge_store.embedding_export import export_embeddings
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        number = export_embeddings(store, file, whitened=whitened)
    Console().print(f"{number:,} embeddings written to {file}", highlight=False, soft_wrap=True)
