"""`reaseq run`: the whole way, from a category's products to a report."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from reaseq.cli.distill import CategoryOption, EngineOption, LimitOption, ModelOption

if TYPE_CHECKING:
    from reaseq.api.settings import Settings
    from reaseq.graphs.pipeline import Pipeline, Watch
    from reaseq.knowledge_store.store import Store


def run(
    category: CategoryOption,
    limit: LimitOption = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Train each ranker this many times.")] = 1,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help="At most this many, of rankers and of the model that imagines."),
    ] = None,
) -> None:
    """Do the whole way: distil, embed, imagine beyond the log, train the ranker, write one report.

    A run that failed or was stopped goes on at the stage where it was. Each stage is also a command of its own:
    distill, embed, train-beyond-log and imagine, train-ranker.

    Example: reaseq run --category shoes
    """
    import asyncio

    from rich.console import Console

    from reaseq.api.settings import load
    from reaseq.graphs.pipeline import Stopped
    from reaseq.knowledge_store.store import Store

    settings = load(engine=engine, model=model)
    console = Console()
    with Store.open(settings.store_url) as store:
        pipeline = _pipeline(store, settings, category, limit, seeds, epochs)
        try:
            state = asyncio.run(pipeline.run())
        except Stopped:
            console.print("Stopped; nothing done is lost. The same command goes on from there.", highlight=False)
            raise typer.Exit(130) from None
    found = state["distilled"]
    console.print(
        f"{found['done'] + found['unchanged']:,} products known, {found['failed']:,} failed; "
        f"{state['imagined']['users']:,} users imagined; ranker {state['ranked']['run']}.",
        highlight=False,
    )
    console.print(f"Report: {state['page']}", highlight=False, soft_wrap=True)
    console.print("Next: reaseq recommend --user USER, or reaseq imagined show --user USER", highlight=False)


def _pipeline(
    store: Store, settings: Settings, category: str, limit: int | None, seeds: int, epochs: int | None
) -> Pipeline:
    from reaseq.api.engine import distill_options, engine_configs, pipeline_of, prompts_of
    from reaseq.beyond_log.fit import BeyondLogConfig
    from reaseq.beyond_log.sampler import SampleConfig
    from reaseq.beyond_log.train import TrainConfig as BeyondLogTraining
    from reaseq.graphs.pipeline import Pipeline
    from reaseq.ranker.runs import RunConfig
    from reaseq.ranker.train import TrainConfig

    most = {} if epochs is None else {"epochs": epochs}
    agents = pipeline_of(settings)
    engine, engines_of_agents = engine_configs(settings, agents)
    return Pipeline(
        store,
        engine,
        prompts_of(settings, agents),
        distill_options(settings, category, limit),
        BeyondLogConfig(train=BeyondLogTraining(seed=settings.seed, **most)),
        SampleConfig(seed=settings.seed),
        RunConfig(seeds=seeds, ablate=True, train=TrainConfig(seed=settings.seed, **most)),
        models_dir=settings.weights_dir,
        students_dir=settings.students_dir,
        state_dir=settings.state_dir,
        beyond_log_dir=settings.beyond_log_dir,
        runs_dir=settings.runs_dir,
        encoder=settings.encoder,
        agents=agents,
        engines_of_agents=engines_of_agents,
        watch=_watch(),
    )


def _watch() -> Watch:
    from rich.console import Console

    from reaseq.cli.engine import pull_progress
    from reaseq.cli.progress import StepBar, watch
    from reaseq.graphs.ledger import Counts
    from reaseq.graphs.pipeline import NODES, Watch
    from reaseq.llm.models import Progress

    console = Console(stderr=True)

    class Shown(Watch):
        """Each stage by its number; below it a bar."""

        bar: StepBar | None = None

        def begin(self, node: str) -> None:
            self._close()
            self.say(f"[{NODES.index(node) + 1}/{len(NODES)}] {node}")

        def pulling(self) -> AbstractContextManager[Progress | None]:
            return pull_progress()

        def distilling(self, counts: Counts) -> AbstractContextManager[None]:
            return watch(counts)

        def step(self, what: str, done: int, total: int) -> None:
            if self.bar is None:
                self.bar = StepBar(console, what).__enter__()
            self.bar.name = what
            self.bar.step(done, total)
            if done == total:
                self._close()

        def say(self, text: str) -> None:
            console.print(text, markup=False, highlight=False, soft_wrap=True)

        def _close(self) -> None:
            if self.bar is not None:
                self.bar.__exit__()
                self.bar = None

    return Shown()
