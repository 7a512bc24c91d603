"""Workers that share a run."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from reaseq.llm.budget import BudgetExceeded

FAILURES_IN_A_ROW = 10
"""So many products failing one after the other because the endpoint does end a run."""


class Stopped(NamedTuple):
    """Why something ended before all was done. by: Ctrl-C, a limit, the endpoint, or None: it knew enough."""

    why: str
    by: Literal["interrupt", "limit", "endpoint"] | None = None


INTERRUPTED = Stopped("it was interrupted", "interrupt")


async def all_or_first_error(workers: list[asyncio.Task[None]]) -> None:
    """Wait for all workers. When one fails the others are cancelled - but when it failed for want of
    budget they finish what they have under way, which is paid for."""
    try:
        finished, others = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        errors = [error for worker in finished if (error := worker.exception())]
        if others and all(isinstance(error, BudgetExceeded) for error in errors):
            await asyncio.wait(others)
        if errors:
            raise errors[0]
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


@contextmanager
def drained_on_signals(stop: asyncio.Event, on_first: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Within a task of the main thread's loop: the first Ctrl-C (or SIGTERM) sets `stop`, the second cancels the
    task."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if stop.is_set():
            task.cancel()
        on_first()
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, interrupted)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
