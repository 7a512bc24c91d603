"""`reaseq export-ranker`: a run for whoever serves or studies it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reaseq.cli.ranker import RunOption, scorer_of


def export_ranker(
    file: Annotated[Path, typer.Argument(help="Where to: a name that ends in .onnx.")],
    run: RunOption = None,
) -> None:
    """Write a run's model as ONNX, to be served without reaseq: a history in, what it calls for out.

    Beside it go FILE.npz, with the products' ids and vectors, and FILE.json, which says what everything means.
    docs/ranker.md has a server in ten lines. It needs: pip install 'reaseq[onnx]'

    Example: reaseq export-ranker ranker.onnx
    """
    from rich.console import Console

    from reaseq.ranker.export import export

    with scorer_of(run) as (scorer, name):
        written = export(scorer, file, name)
        number = len(scorer.products)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"{number:,} products of run {name}: {', '.join(map(str, written))}")
