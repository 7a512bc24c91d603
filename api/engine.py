"""From settings to what a run needs: an engine, a chat, options, what labelled products teach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reaseq.agents.pipeline import Pipeline
    from reaseq.api.settings import Settings
    from reaseq.graphs.golden import Project
    from reaseq.graphs.options import Options
    from reaseq.graphs.plan import Plan
    from reaseq.graphs.teaching import Teaching
    from reaseq.knowledge_store.store import Store
    from reaseq.llm.budget import Budget
    from reaseq.llm.chat import CallLog, Chat
    from reaseq.llm.endpoint import Endpoint
    from reaseq.llm.engines import EngineConfig
    from reaseq.llm.models import Progress
    from reaseq.prompts.library import PromptLibrary


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


def engine_configs(settings: Settings, pipeline: Pipeline) -> tuple[EngineConfig, dict[str, EngineConfig]]:
    """The engine of the settings, and those of agents that have one of their own. Where all have, the first agent's
    stands for that of the settings, which nobody would ask."""
    from reaseq.agents.pipeline import ANALYST

    names = ([ANALYST] if pipeline.analyst else []) + pipeline.names
    own = {name: engine_config(settings.model_copy(update=choice.settings)) for name, choice in pipeline.models.items()}
    usual = own[names[0]] if names and all(name in own for name in names) else engine_config(settings)
    return usual, {name: config for name, config in own.items() if config != usual}


def pipeline_of(settings: Settings) -> Pipeline:
    """Which agents read a product, as the settings say.

    Raises:
        ReaseqError: the pipeline's file is wrong.
    """
    from reaseq.agents.pipeline import Pipeline

    return Pipeline() if settings.pipeline is None else Pipeline.load(settings.pipeline)


def prompts_of(settings: Settings, pipeline: Pipeline | None = None) -> PromptLibrary:
    """The prompts in force, those of people's own agents among them."""
    from reaseq.prompts.library import PromptLibrary

    return PromptLibrary(settings.prompts_dir, (pipeline or pipeline_of(settings)).prompts)


def project_of(settings: Settings) -> Project:
    """What golden cases are run with: the prompts, agents and schemas of the settings."""
    from reaseq.graphs.golden import Project

    pipeline = pipeline_of(settings)
    return Project(prompts_of(settings, pipeline), pipeline, str(settings.schemas_dir))


def plan_of(
    store: Store,
    settings: Settings,
    options: Options,
    pipeline: Pipeline,
    *,
    teaching: Teaching,
    escalate: str | None = None,
) -> Plan:
    """What a distillation would do; no engine is started. escalate: a model's name."""
    from dataclasses import replace

    from reaseq.graphs.plan import AnsweredBy, plan
    from reaseq.llm.engines import fingerprint

    config, others = engine_configs(settings, pipeline)
    return plan(
        store,
        prompts_of(settings, pipeline),
        options,
        model=config.model_name,
        model_fingerprint=fingerprint(config),
        price=config.price,
        teaching=teaching,
        escalated=fingerprint(replace(config, model=escalate)) if escalate else None,
        pipeline=pipeline,
        models={name: AnsweredBy(one.model_name, fingerprint(one), one.price) for name, one in others.items()},
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


@contextmanager
def several_engines(
    settings: Settings, pipeline: Pipeline, *, progress: Progress | None = None
) -> Iterator[tuple[Endpoint, dict[str, Endpoint]]]:
    """The engine of the settings, up, and those of agents that have one of their own, by agent."""
    from reaseq.llm import engines

    with engines.start_several(*engine_configs(settings, pipeline), progress) as started:
        yield started


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
