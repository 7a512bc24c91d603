"""How a run is shown while it goes on, and how strangers' text is shown at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reaseq.graphs.ledger import Counts

_PLAIN_EVERY = 10.0


def printable(text: str) -> str:
    """`text` without control characters: a terminal obeys those, and product text comes from strangers."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


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
    )
