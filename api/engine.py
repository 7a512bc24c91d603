"""From settings to what a run needs: an engine, a chat, options, what labelled products teach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reaseq.api.settings import Settings
    from reaseq.graphs.options import Options
    from reaseq.graphs.teaching import Teaching
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
def engine(
    settings: Settings, *, escalation: str | None = None, progress: Progress | None = None
) -> Iterator[Endpoint]:
    """The engine of the settings, up. With `escalation`, a model's name, a second one of the same kind for that model,
    whose log stands apart. progress: of a first pull of weights."""
    from dataclasses import replace

    from reaseq.llm import engines

    config = engine_config(settings)
    if escalation:
        config = replace(config, model=escalation, logs_dir=config.logs_dir / "escalation")
    with engines.start(config, progress) as endpoint:
        yield endpoint


def distill_options(settings: Settings, category: str, limit: int | None = None) -> Options:
    """What the settings say about how to distil."""
    from reaseq.graphs.options import Options

    return Options(
        category=category,
        limit=limit,
        concurrency=settings.calls_at_a_time,
        timeout=settings.seconds_a_call,
        retries=settings.retries,
        repairs=settings.repairs,
        seed=settings.seed,
        temperature=settings.temperature,
        schemas_dir=str(settings.schemas_dir),
        votes=settings.votes,
        columns=settings.columns,
    )


def teaching(settings: Settings, gold: Path | None = None, *, again: bool = False) -> Teaching:
    """What is learnt from: people's decisions, and the labelled products of a gold file."""
    from reaseq.agents.extraction_score import read_gold
    from reaseq.graphs.teaching import Teaching

    rows = list(read_gold(gold)) if gold else ()
    return Teaching(settings.weights_dir, rows, again, settings.students_dir, settings.encoder)
