"""`reaseq train-ranker`, `evaluate`, `runs`; how commands come to a run's model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.tables import WIDE, Column, LinesOption, ReportOption, Row, Telling, dumped, table_of

if TYPE_CHECKING:
    from rich.console import Console

    from reaseq.ranker.experiment import Outcome
    from reaseq.ranker.runs import SplitName
    from reaseq.ranker.scorer import Scorer
    from reaseq.ranker.train import Epoch

RunOption = Annotated[
    str | None,
    typer.Option("--run", help="The run's name, its id or the start of that. Default: the newest finished one."),
]

KindOption = Annotated[
    list[str] | None, typer.Option("--kind", help="Kinds of events to learn from; may be given several times.")
]
SettingOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of model or training; may be given several times."),
]


def train_ranker(
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="What is known: id, knowledge (of items), beyond_log (of users), with commas between.",
            show_default="what is there",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            help="temporal, leave-one-out or leave-last-basket-out.",
            show_default="temporal; leave-one-out for a log without times",
        ),
    ] = None,
    kind: KindOption = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Train each variant this many times.")] = 1,
    ablate: Annotated[bool, typer.Option("--ablate", help="Also train with each part of the features alone.")] = False,
    epochs: Annotated[int | None, typer.Option("--epochs", min=0, help="At most this many.")] = None,
    nproc: Annotated[int, typer.Option("--nproc", min=1, help="Processes that train together (torchrun).")] = 1,
    name: Annotated[
        str | None, typer.Option("--name", help="A name for the run, by which --run finds it, beside its id.")
    ] = None,
    setting: SettingOption = None,
    json_: ReportOption = False,
) -> None:
    """Train the ranker on the behaviour log, evaluate it beside baselines, and write a report.

    Every run has a folder, named by its configuration and data: the same command goes on where it stopped.
    All items are ranked for every test case; popularity, item-kNN, EASE and a Markov chain stand beside it.

    Examples:

        reaseq train-ranker

        reaseq train-ranker --ablate --seeds 5 --name knowledge

        reaseq train-ranker --features id,knowledge,beyond_log

        reaseq train-ranker --features id --split leave-one-out --set dim=128 --set dropout=0.4
    """
    import os

    from rich.console import Console

    from reaseq.api.settings import load
    from reaseq.knowledge_store.store import Store
    from reaseq.ranker import run_names, runs
    from reaseq.ranker.train import Workers

    settings = load()
    name = None if name is None else run_names.checked(name)
    chosen = dict(pair(text) for text in setting or [])
    if epochs is not None:
        chosen["epochs"] = str(epochs)
    chosen.setdefault("seed", str(settings.seed))
    options: dict[str, Any] = {"features": tuple(features.split(",")) if features else None, "kinds": kind or None}
    options |= {"split": split_name(split), "seeds": seeds, "ablate": ablate}
    config = runs.with_settings(runs.RunConfig(), chosen | options, as_text=True)
    if nproc > 1 and "WORLD_SIZE" not in os.environ:
        _start_processes(nproc)
        return
    console = Console(stderr=True)
    workers = Workers()
    with Store.open(settings.store_url) as store:
        prepared = runs.prepare(store, config)
    folder = settings.runs_dir / prepared.id
    quiet = not workers.first
    if not quiet:
        console.print(f"Run {prepared.id}: {folder}", highlight=False, soft_wrap=True)
    with _Bar(console, quiet=quiet) as bar:
        outcome = runs.execute(
            prepared, folder, workers=workers, on_start=bar.start, on_step=bar.step, on_epoch=bar.epoch
        )
    workers.leave()
    if outcome is None:
        return
    if name is not None:
        run_names.give(folder, name)
    report = folder / "report.html"
    if json_:
        typer.echo(dumped({"run_id": prepared.id, "report": report} | vars(outcome)))
        return
    out = Console()
    _print_outcome(out, outcome)
    out.print(f"Report: {report}", highlight=False, soft_wrap=True)
    out.print("Next: reaseq recommend --user USER, one of: reaseq events users", highlight=False)


def evaluate(
    run: Annotated[str | None, typer.Argument(help="The run's name, its id or the start of that.")] = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option(
            "--scores",
            metavar="FILE",
            help="Scores of a ranker of your own (CSV, TSV or Parquet with user_id, product_id and score), judged on "
            "the same cases; may be given several times.",
        ),
    ] = None,
    json_: ReportOption = False,
) -> None:
    """Evaluate a run's models again, on the log as the store holds it now, and print the table.

    A ranker of your own stands in the same table, by the name of its file: docs/python.md says what it may learn from.

    Examples:

        reaseq evaluate 3f2a9c

        reaseq evaluate --scores mine.parquet
    """
    from rich.console import Console

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.knowledge_store.names import read_names
    from reaseq.knowledge_store.store import Store
    from reaseq.ranker import runs
    from reaseq.ranker.own import Own, of_file

    settings = load()
    folder = runs.find(settings.runs_dir, run)
    console = Console()
    beside = Console(stderr=True) if json_ else console
    with Store.open(settings.store_url) as store:
        opened = runs.reopen(store, folder)
        log = opened.prepared.dataset.log
        own: dict[str, Own] = {}
        names = read_names(store) if scores else None
        for path in scores or ():
            if path.stem in own or path.stem in _names_of(folder):
                raise ReaseqError(f"{path}: the table has a line {path.stem!r} already", hint="rename the file")
            own[path.stem], said = of_file(path.stem, path, log.users, log.items, names)
            beside.print(said, markup=False, highlight=False, soft_wrap=True)
        outcome = opened.judge(own)
    if json_:
        typer.echo(dumped(outcome))
    else:
        _print_outcome(console, outcome)


def runs(json_: LinesOption = False) -> None:
    """List the runs of the ranker: what each knows, on how large a log it was trained, how good it is, and which one
    `rank`, `recommend` and `explain` take by default.

    Example: reaseq runs
    """
    from datetime import UTC, datetime

    from reaseq.api.settings import load
    from reaseq.ranker.runs import listed

    say, found = Telling(json_), listed(load().runs_dir)
    if not found:
        say.print("No runs. Next: reaseq train-ranker")
        return

    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def log(row: Row) -> str | None:
        return f"{row['events']:,} events of {row['users']:,} users" if row["finished"] else None

    say.rows(
        [vars(one) | {"finished": one.finished, "finished_at": at(one.finished_at)} for one in found],
        Column("run", lambda row: row["run_id"] + (" (default)" if row["default"] else "")),
        Column("name", "name"),
        Column("finished", lambda row: f"{row['finished_at']:%Y-%m-%d %H:%M}" if row["finished"] else "no"),
        Column("features", lambda row: ", ".join(row["features"])),
        Column("split", "split"),
        Column("log", log),
        Column("NDCG@10", "ndcg_at_10", ".4f"),
        title="Runs",
        narrow=True,
    )


def _names_of(folder: Path) -> set[str]:
    """What the lines of a finished run's table are called."""
    from reaseq.ranker.experiment import Outcome

    return {row.name for row in Outcome.from_json((folder / "metrics.json").read_text()).rows}


@contextmanager
def scorer_of(run: str | None) -> Iterator[tuple[Scorer, str]]:
    """The model of a run, and the run's name."""
    from reaseq.api.settings import load
    from reaseq.knowledge_store.store import Store
    from reaseq.ranker import runs
    from reaseq.ranker.scorer import Scorer

    settings = load()
    folder = runs.find(settings.runs_dir, run)
    with Store.open(settings.store_url) as store:
        yield Scorer.open(runs.model_folder(folder), store), folder.name


def pair(text: str) -> tuple[str, str]:
    """The key and the value of a `--set` option."""
    from reaseq import ReaseqError

    key, sign, value = text.partition("=")
    if not sign:
        raise ReaseqError(f"--set {text!r}: must be KEY=VALUE", hint="--set dim=128")
    return key.strip(), value.strip()


def split_name(text: str | None) -> SplitName | None:
    """The name of a split, checked."""
    from typing import get_args

    from reaseq import ReaseqError
    from reaseq.ranker.runs import SplitName

    for name in get_args(SplitName):
        if text == name:
            return name  # type: ignore[no-any-return]
    if text is not None:
        raise ReaseqError(f"--split {text!r}: there are {', '.join(get_args(SplitName))}", hint="--split temporal")
    return None


def _start_processes(number: int) -> None:
    """The same command under torchrun, each process of which takes its share of every batch."""
    import subprocess
    import sys

    arguments = sys.argv[1:]
    # torchrun reads options of its own out of those of the command.
    for place, argument in enumerate(arguments):
        if argument == "--nproc" or argument.startswith("--nproc="):
            del arguments[place : place + (1 if "=" in argument else 2)]
            break
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={number}"]
    result = subprocess.run([*command, "-m", "reaseq.cli.main", *arguments], check=False)
    if result.returncode:
        raise typer.Exit(1)


def _print_outcome(console: Console, outcome: Outcome) -> None:
    from rich.table import Table

    from reaseq.ranker.report import over_controls

    facts = f"{outcome.users:,} users, {outcome.items:,} items, {outcome.events:,} events; split: {outcome.split}; "
    console.print(facts + f"{outcome.cases:,} test cases", highlight=False)
    columns = [
        Column("", "name"),
        Column("HR@10", lambda row: row["metrics"]["HR@10"].mean, ".4f"),
        Column("NDCG@10", lambda row: row["metrics"]["NDCG@10"].mean, ".4f"),
        Column("95 %", lambda row: "{0.low:.4f}–{0.high:.4f}".format(row["metrics"]["NDCG@10"])),
        Column("to the first line", _change),
    ]
    slices = [Column(f"N@10 seen {name}", partial(_slice, name), ".4f", none="–") for name in outcome.rows[0].slices]
    rows = [vars(row) for row in outcome.rows]
    if console.width >= WIDE:
        columns, slices = [*columns, *slices], []
    console.print(table_of(rows, columns))
    if slices:
        console.print(table_of(rows, [columns[0], *slices]))
    for text in over_controls(outcome.rows):
        console.print(text, highlight=False)
    judged = [row for row in outcome.rows if row.impressions]
    if judged:
        table = Table("impressions", *judged[0].impressions)
        for row in judged:
            table.add_row(row.name, *(f"{value:.4f}" for value in row.impressions.values()))
        console.print(table)


def _change(row: Row) -> str:
    change = row["difference"]
    return "" if change is None else f"{change.mean:+.4f} ({change.low:+.4f} to {change.high:+.4f})"


def _slice(name: str, row: Row) -> float | None:
    """NDCG@10 of the test cases whose product was seen so often in training; None if there are none."""
    cases, _, ndcg = row["slices"][name]
    return ndcg if cases else None


class _Bar:
    """A bar on a terminal, elsewhere a line an epoch."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._quiet = quiet
        self._name = ""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._progress.add_task("preparing", total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def start(self, name: str, seed: int) -> None:
        self._name = f"{name}, seed {seed}"

    def step(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total, description=f"{self._name}, events")

    def epoch(self, epoch: Epoch) -> None:
        if self._quiet:
            return
        self._console.print(
            f"{self._name}, epoch {epoch.number + 1}: loss {epoch.loss:.3f}, validation NDCG@10 "
            f"{epoch.valid['NDCG@10']:.4f}{' (best)' if epoch.best else ''}, {epoch.seconds:.1f} s",
            highlight=False,
            soft_wrap=True,
        )
