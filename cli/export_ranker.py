"""`reaseq export-ranker`, `export-split`: a run for whoever serves it, or measures beside it, elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reaseq.cli.ranker import RunOption, scorer_of
from reaseq.cli.tables import Column, ReportOption, Telling


def export_ranker(
    file: Annotated[Path, typer.Argument(help="Where to: a name that ends in .onnx.")],
    run: RunOption = None,
) -> None:
    """Write a run's model as ONNX, to be served without reaseq: a history in, what it calls for out.

    Beside it go FILE.npz, with the products' ids and vectors, and FILE.json, which says what everything means.
    docs/ranker.md has a server in ten lines. It needs: pip install 'reaseq\\[onnx]'

    Example: reaseq export-ranker ranker.onnx
    """
    from rich.console import Console

    from reaseq.ranker.export import export

    with scorer_of(run) as (scorer, name):
        written = export(scorer, file, name)
        number = len(scorer.products)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"{number:,} products of run {name}: {', '.join(map(str, written))}")


def export_split(
    folder: Annotated[
        Path, typer.Argument(help="Where to: a folder, made if it is not there. RecBole's data set is called like it.")
    ],
    layout: Annotated[
        str,
        typer.Option(
            "--for",
            help="recbole: atomic files. parquet or csv: tables, such as RecTools takes.",
        ),
    ] = "parquet",
    run: RunOption = None,
    json_: ReportOption = False,
) -> None:
    """Write the split that a run is judged on, with its cases and vectors, for rankers of other toolkits.

    What such a ranker scores comes back with `reaseq evaluate --scores FILE`, into the same table on the same cases.
    Files and columns: docs/ranker.md.

    Examples:

        reaseq export-split shoes-lab

        reaseq export-split shoes --for recbole
    """
    from typing import get_args

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.store import Store
    from reaseq.ranker import runs
    from reaseq.ranker.toolkits import Layout, export_split

    for one in get_args(Layout):
        if layout == one:
            break
    else:
        raise ReaseqError(f"--for {layout!r}: there are {', '.join(get_args(Layout))}", hint="--for recbole")
    settings = load()
    of = runs.find(settings.runs_dir, run)
    with Store.open(settings.store_url) as store:
        written = export_split(store, of, folder, one)
    say = Telling(json_)
    say.part(
        "files",
        [{"file": name, "rows": rows} for name, rows in written.items()],
        Column("file", "file"),
        Column("rows", lambda row: row["rows"] or None),
    )
    say.end(run=of.name, folder=folder, layout=one)
    say.print(printable(f"The split of run {of.name}, in {folder}. Next: reaseq evaluate {of.name} --scores FILE"))
