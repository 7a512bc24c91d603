"""`reaseq distill --teach`: a strong model reads some products first, and the rest is learnt from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from reaseq.api.settings import Settings
    from reaseq.graphs.ledger import Counts
    from reaseq.graphs.teaching import Teaching
    from reaseq.knowledge_store.store import Store
    from reaseq.llm.endpoint import Endpoint


def check_teaching(settings: Settings, teach: int | None, teacher: str | None) -> None:
    """Raises:
    ReaseqError: what is asked for is no teaching.
    """
    from reaseq import ReaseqError

    if teacher and not teach:
        raise ReaseqError("--teacher without --teach: how many products is it to read?", hint="--teach 200")
    if teach and settings.engine == "none":
        raise ReaseqError(
            "a teacher is a model, and --engine none asks none",
            hint="reaseq distill --category shoes --teach 200 --engine embedded",
        )


def let_teach(
    store: Store,
    settings: Settings,
    category: str,
    count: int,
    teacher: str | None,
    max_tokens: int | None,
    max_cost: float | None,
    taught: Teaching,
) -> tuple[int | None, float | None]:
    """Let the teacher read products until it has read `count`, the second half chosen by what is doubtful after the
    first; returns what is left of the limits."""
    from rich.console import Console

    from reaseq.cli.engine import start_engine
    from reaseq.graphs.options import starting_schema
    from reaseq.graphs.teacher import to_teach

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    known = len(store.taught_ids(category))
    if known >= count:
        errors.print(f"The teacher has read {known:,} products already.")
        return max_tokens, max_cost
    with start_engine(settings, escalation=teacher) as endpoint:
        errors.print(f"The teacher, {endpoint.model}, reads {count - known:,} products" + (" more." if known else "."))
        for upto in (-(-count // 2), count):
            stored = store.latest_schema(category)
            schema = stored.schema if stored else starting_schema(category, str(settings.schemas_dir))
            ids = to_teach(store, schema, upto, taught, seed=settings.seed)
            if not ids:
                continue
            counts = _read(store, settings, endpoint, category, ids, max_tokens, max_cost, taught)
            errors.print(
                f"Taught: {counts.done:,} products, {counts.verified:,} claims verified"
                + (f", {counts.failed:,} failed" if counts.failed else "")
                + (f", at a cost of {counts.cost:,.4f}" if counts.cost is not None else "")
                + "."
            )
            if max_tokens is not None:
                max_tokens = max(1, max_tokens - counts.prompt_tokens - counts.completion_tokens)
            if max_cost is not None:
                max_cost = max(0.0, max_cost - (counts.cost or 0.0))
    errors.print("Learning from them; the others are read once more.")
    return max_tokens, max_cost


def _read(
    store: Store,
    settings: Settings,
    endpoint: Endpoint,
    category: str,
    ids: list[str],
    max_tokens: int | None,
    max_cost: float | None,
    taught: Teaching,
) -> Counts:
    from reaseq.api.engine import distill_options, pipeline_of, prompts_of
    from reaseq.cli.distill import print_how_to_go_on, watched
    from reaseq.graphs.distill import drained
    from reaseq.graphs.ledger import Counts
    from reaseq.knowledge_store.tables import RunStatus
    from reaseq.llm.budget import Budget

    pipeline, counts = pipeline_of(settings), Counts()
    run = drained(
        store,
        endpoint,
        prompts_of(settings, pipeline),
        distill_options(settings, category, None),
        engine=settings.engine,
        budget=Budget(max_tokens=max_tokens, max_cost=max_cost),
        counts=counts,
        teaching=taught,
        taught=ids,
        pipeline=pipeline,
    )
    if watched(run, counts, category).status == RunStatus.STOPPED:
        print_how_to_go_on(counts, category)
        raise typer.Exit(130)
    return counts
