"""The entry point of `reaseq`. Imports here stay light: `reaseq --help` answers at once."""

import os
import sys
from typing import Annotated, Any

import typer

from reaseq import ReaseqError, __version__
from reaseq.cli import (
    beyond_log,
    calls,
    categorize,
    config,
    embed,
    events,
    knowledge,
    models,
    prompts,
    ranker,
    recommend,
    review,
    taxonomy,
)
from reaseq.cli.distill import distill
from reaseq.cli.eval_extraction import eval_extraction
from reaseq.cli.export import export
from reaseq.cli.export_ranker import export_ranker, export_split
from reaseq.cli.graph import graph
from reaseq.cli.import_cmd import import_
from reaseq.cli.run import run

app = typer.Typer(
    name="reaseq",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Distil a product catalogue into evidence-backed knowledge, and rank with it.",
    epilog="Start with: [bold]reaseq import FILE --category shoes[/bold], then "
    "[bold]reaseq distill --category shoes[/bold]",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reaseq {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None: ...


app.command("import")(import_)
app.command("export")(export)
app.command("distill")(distill)
app.command("eval-extraction")(eval_extraction)
app.command("embed")(embed.embed)
app.command("similar")(embed.similar)
app.add_typer(embed.app, name="embeddings")
app.command("import-events")(events.import_events)
app.add_typer(events.app, name="events")
app.command("train-beyond-log")(beyond_log.train_beyond_log)
app.command("imagine")(beyond_log.imagine)
app.add_typer(beyond_log.app, name="imagined")
app.command("train-ranker")(ranker.train_ranker)
app.command("evaluate")(ranker.evaluate)
app.command("runs")(ranker.runs)
app.command("rank")(recommend.rank)
app.command("recommend")(recommend.recommend)
app.command("explain")(recommend.explain)
app.command("export-ranker")(export_ranker)
app.command("export-split")(export_split)
app.command("run")(run)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(review.app, name="review")
app.add_typer(taxonomy.app, name="taxonomy")
app.add_typer(categorize.app, name="categorize")
app.add_typer(prompts.app, name="prompts")
app.add_typer(calls.app, name="calls")
app.add_typer(models.app, name="models")
app.command("graph")(graph)
app.command("config")(config.show)


def main() -> None:
    """Run the command line. A `ReaseqError` becomes two lines on standard error and exit status 1. That nobody reads on
    what is printed (`reaseq events users | head`) is no error."""
    status: Any = 0
    try:
        _run()
    except SystemExit as end:
        status = end.code
        if isinstance(end.__context__, BrokenPipeError):  # as Typer and Rich end then
            status = 0
            _stop_printing()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _stop_printing()
    sys.exit(status)


def _stop_printing() -> None:
    """What is still to be printed goes nowhere, also when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _run() -> None:
    try:
        app(standalone_mode=True)
    except ReaseqError as error:
        from rich.console import Console
        from rich.text import Text

        from reaseq.cli.progress import printable

        console = Console(stderr=True, soft_wrap=True)
        console.print(Text("Error: ", style="bold red") + Text(printable(str(error))))
        if error.hint:
            console.print(Text("Next:  ", style="bold") + Text(printable(error.hint)))
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        print("\nStopped. What was finished is kept; the same command goes on from there.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
