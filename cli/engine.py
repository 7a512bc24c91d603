"""How the start of an engine is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reaseq.agents.pipeline import Pipeline
    from reaseq.api.settings import Settings
    from reaseq.llm.endpoint import Endpoint
    from reaseq.llm.models import Progress


@contextmanager
def start_engine(settings: Settings, *, escalation: str | None = None) -> Iterator[Endpoint]:
    """The engine of the settings, up (`reaseq.api.engine`); a first pull of weights shows its progress."""
    from reaseq.api.engine import engine

    _say_of_vllm(settings, settings.engine)
    with pull_progress() as progress, engine(settings, escalation=escalation, progress=progress) as endpoint:
        progress("", 0, 0)
        yield endpoint


@contextmanager
def start_engines(settings: Settings, pipeline: Pipeline) -> Iterator[tuple[Endpoint, dict[str, Endpoint]]]:
    """The same, and the engines of agents that have one of their own, by agent."""
    from reaseq.api.engine import several_engines

    _say_of_vllm(settings, settings.engine, *(one.engine for one in pipeline.models.values()))
    with pull_progress() as progress, several_engines(settings, pipeline, progress=progress) as started:
        progress("", 0, 0)
        yield started


def _say_of_vllm(settings: Settings, *names: str | None) -> None:
    from rich.console import Console

    if "vllm" in names:
        where = f"starting vLLM, which takes a minute or more; its log goes to {settings.logs_dir}"
        Console(stderr=True, soft_wrap=True).print(where, markup=False, highlight=False)


@contextmanager
def pull_progress() -> Iterator[Progress]:
    """A bar on a terminal, else a line for each tenth. Nothing is shown until there is something to show;
    a total of 0 takes the bar away."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("model weights", total=None)
    printed: set[tuple[str, int]] = set()

    def report(what: str, done: int, total: int) -> None:
        if not total:
            bar.stop()
        elif console.is_terminal:
            bar.start()
            bar.update(task, description=f"model weights: {what}", completed=done, total=total)
        elif (mark := (what, 10 * done // total)) not in printed:
            printed.add(mark)
            console.print(f"model weights: {what}, {10 * mark[1]} %", highlight=False)

    try:
        yield report
    finally:
        bar.stop()
