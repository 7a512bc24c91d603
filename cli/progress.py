"""How a run is shown while it goes on, and how strangers' text is shown at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from reaseq.beyond_log.train import Epoch
    from reaseq.graphs.ledger import Counts
    from reaseq.knowledge_store.feeds.rows import Feed

_PLAIN_EVERY = 10.0


def printable(text: str) -> str:
    """`text` without control characters: a terminal obeys those, and product text comes from strangers."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def ends_with(stopped_by: str | None, *, failed: bool = False) -> None:
    """End a command that told what it has: with 130 if it was interrupted, with 1 if something else ended it before all
    was done, or it failed. stopped_by: see `reaseq.graphs.workers.Stopped`."""
    import typer

    if stopped_by or failed:
        raise typer.Exit(130 if stopped_by == "interrupt" else 1)


@contextmanager
def watch(counts: Counts) -> Iterator[None]:
    """Show `counts` while the body runs: a live display on a terminal, else a line every ten seconds."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if console.is_terminal:
        display = _Display(counts)
        with Live(get_renderable=display.render, console=console, refresh_per_second=4, transient=True):
            yield
        return
    finished = threading.Event()

    def lines() -> None:
        while not finished.wait(_PLAIN_EVERY):
            console.print(_line(counts), highlight=False, soft_wrap=True)

    thread = threading.Thread(target=lines, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
        console.print(_line(counts), highlight=False, soft_wrap=True)


class _Display:
    def __init__(self, counts: Counts) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.counts = counts
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        self.task = self.progress.add_task("starting", total=None)

    def render(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        counts = self.counts
        self.progress.update(self.task, description=counts.stage, total=counts.total or None, completed=counts.seen)
        return Group(self.progress.get_renderable(), Text(_numbers(counts), style="dim"))


def _line(counts: Counts) -> str:
    return f"{counts.stage}: {counts.seen:,}/{counts.total:,} products, {_numbers(counts)}"


def _numbers(counts: Counts) -> str:
    made = counts.done + counts.failed
    rate = made / max(counts.elapsed(), 1e-9) * 60
    cost = "" if counts.cost is None else f", cost {counts.cost:.4f}"
    return (
        f"{counts.done:,} done, {counts.failed:,} failed, {rate:,.1f} products/min, "
        f"{counts.verified:,} claims verified, {counts.rejected:,} rejected, "
        f"{counts.prompt_tokens + counts.completion_tokens:,} tokens in {counts.calls:,} calls{cost}"
        + (f"; waiting for the endpoint ({counts.waiting})" if counts.waiting else "")
    )


class StepBar:
    """A bar on a terminal; elsewhere a line every ten seconds."""

    def __init__(self, console: Console, name: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console, self.name, self._said = console, name, 0.0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(name, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total, description=self.name)
        if not self._console.is_terminal and time.monotonic() - self._said >= _PLAIN_EVERY:
            self._said = time.monotonic()
            self._console.print(f"{self.name}: {done:,}/{total:,}", highlight=False, soft_wrap=True)


class _Rows(Protocol):
    rows: int


class FeedBar:
    """How far a file is read: a bar on a terminal; elsewhere a line every ten seconds."""

    def __init__(self, feed: Feed, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._feed, self._name, self._said = feed, name, time.monotonic()
        self._console = console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(name, total=feed.size)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, report: _Rows) -> None:
        what, read = f"{self._name}, {report.rows:,} rows", self._feed.position()
        self._progress.update(self._task, completed=read, description=what)
        if not self._console.is_terminal and time.monotonic() - self._said >= _PLAIN_EVERY:
            self._said = time.monotonic()
            share = read / max(self._feed.size, 1)
            self._console.print(f"{what}, {share:.0%} of the file", highlight=False, soft_wrap=True)


class EpochBar(StepBar):
    """A bar for an epoch's users, and a line an epoch."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, "preparing")

    def start(self, fold: int) -> None:
        self.name = f"fold {fold}, users"

    def step(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total, description=self.name)

    def epoch(self, epoch: Epoch) -> None:
        self._console.print(
            f"{self.name.split(',')[0]}, epoch {epoch.number + 1}: loss {epoch.loss:.3f}, held-out users "
            f"{epoch.valid:.3f}{' (best)' if epoch.best else ''}, {epoch.seconds:.1f} s",
            highlight=False,
            soft_wrap=True,
        )
