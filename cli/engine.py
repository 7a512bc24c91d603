"""From settings to an engine, and how its start is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reaseq.cli.settings import Settings
    from reaseq.llm.budget import Budget
    from reaseq.llm.chat import CallLog, Chat
    from reaseq.llm.endpoint import Endpoint
    from reaseq.llm.engines import EngineConfig
    from reaseq.llm.models import Progress


def engine_config(settings: Settings) -> EngineConfig:
    from reaseq.llm.endpoint import Price
    from reaseq.llm.engines import EngineConfig

    return EngineConfig(
        engine=settings.engine,
        model=settings.model,
        base_url=settings.base_url,
        api_key_env=settings.api_key_env,
        replay_file=settings.replay_file,
        vllm_args=tuple(settings.vllm_args),
        models_dir=settings.weights_dir,
        logs_dir=settings.logs_dir,
        concurrency=settings.calls_at_a_time,
        leave_off=tuple(settings.leave_off),
        prices={name: Price(prices.input, prices.output) for name, prices in settings.prices.items()},
    )


def chat_of(settings: Settings, endpoint: Endpoint, calls: CallLog, budget: Budget | None = None) -> Chat:
    """A chat with the endpoint, as the settings say."""
    from reaseq.llm.chat import Chat

    return Chat(
        endpoint,
        calls,
        concurrency=settings.calls_at_a_time,
        timeout=settings.seconds_a_call,
        retries=settings.retries,
        seed=settings.seed,
        temperature=settings.temperature,
        budget=budget,
    )


@contextmanager
def start_engine(settings: Settings, *, escalation: str | None = None) -> Iterator[Endpoint]:
    """The engine of the settings, up; a first pull of weights shows its progress. With `escalation`, a model's name, a
    second one of the same kind for that model, whose log stands apart."""
    from dataclasses import replace

    from rich.console import Console

    from reaseq.llm import engines

    config = engine_config(settings)
    if escalation:
        config = replace(config, model=escalation, logs_dir=config.logs_dir / "escalation")
    if settings.engine == "vllm":
        where = f"starting vLLM, which takes a minute or more; its log goes to {config.logs_dir}"
        Console(stderr=True, soft_wrap=True).print(where, markup=False, highlight=False)
    with pull_progress() as progress, engines.start(config, progress) as endpoint:
        progress("", 0, 0)
        yield endpoint


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
