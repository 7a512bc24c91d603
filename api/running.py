"""Long work from scripts, notebooks and servers: coroutines with and without a running event loop, and bars."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

from reaseq.api import checking

Progress = Callable[[str, int, int | None], None]
"""Called with the stage, and how much of it is done, of how much (None: nobody knows yet)."""

_T = TypeVar("_T")


def run(make: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """What a coroutine comes to; in a notebook or wherever an event loop runs already, in a thread with its own.

    Interrupted, it is cancelled, which ends a run in order, and KeyboardInterrupt goes on.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    done: Future[_T] = Future()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def told() -> _T:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task))
        return await make()

    def work() -> None:
        try:
            done.set_result(asyncio.run(told()))
        except BaseException as error:
            done.set_exception(error)

    Thread(target=work, name="reaseq", daemon=True).start()
    try:
        return done.result()
    except KeyboardInterrupt:
        loop, task = started.result()
        loop.call_soon_threadsafe(task.cancel)
        done.exception()
        raise


@contextmanager
def shown(progress: Progress | bool, name: str) -> Iterator[Progress]:
    """The progress that is asked for: a function's own, none, or a bar, in a notebook too.

    Raises:
        ReaseqError: it is neither a function nor True or False.
    """
    if callable(progress):
        given = progress
        yield lambda stage, done, total: given(stage, done, total or None)
        return
    if progress is None or not checking.flag(progress, "progress"):
        yield lambda stage, done, total: None
        return
    with _bar()(total=None, desc=name, unit="", leave=False, file=sys.stderr) as bar:

        def step(stage: str, done: int, total: int | None) -> None:
            bar.total = total or None
            bar.set_description_str(stage or name, refresh=False)
            bar.n = done
            bar.refresh()

        yield step


def _bar() -> Any:
    """tqdm's widget where a notebook can show one."""
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython

        if get_ipython() is not None:
            from tqdm.notebook import tqdm as widget

            return widget
    except ImportError:
        pass
    from tqdm import tqdm

    return tqdm


@contextmanager
def polled(counts: Any, progress: Progress, every: float = 0.2) -> Iterator[None]:
    """Tell of the counts of a run (`stage`, `seen`, `total`) while it goes on."""
    from threading import Event

    over = Event()

    def tell() -> None:
        while not over.wait(every):
            progress(counts.stage, counts.seen, counts.total)

    thread = Thread(target=tell, name="reaseq-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        progress(counts.stage, counts.seen, counts.total)
