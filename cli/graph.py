"""`reaseq graph`: the graphs as pictures."""

from pathlib import Path
from typing import Annotated

import typer


def graph(
    png: Annotated[
        Path | None, typer.Option("--png", help="Write the graphs as PNG files with this name as their stem.")
    ] = None,
) -> None:
    """Print the graphs of the whole way, of a category and of a product as Mermaid text, or write them as PNG.

    Examples:

        reaseq graph > graphs.mmd

        reaseq graph --png graphs.png
    """
    from reaseq.api.engine import pipeline_of
    from reaseq.api.settings import load
    from reaseq.graphs.draw import graphs, write_png

    for name, drawn in graphs(pipeline_of(load())).items():
        if png is None:
            typer.echo(f"%% {name}\n{drawn.draw_mermaid()}")
        else:
            typer.echo(write_png(drawn, png.with_name(f"{png.stem}-{name}.png")))
