"""`reaseq distill`: the knowledge of a category's products."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.tables import USAGE, Column, ReportOption, Telling

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from reaseq.api.settings import Settings
    from reaseq.graphs.ledger import Counts, Outcome
    from reaseq.graphs.plan import Plan
    from reaseq.graphs.teaching import Teaching
    from reaseq.knowledge_store.store import Store


CategoryOption = Annotated[str, typer.Option("--category", "-c", help="The category to distil.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N products of the category.")]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Model name; for the embedded engine also a GGUF file or a hub id."),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", help="embedded, openai, vllm or replay; none: ask no model.", show_default="from settings"
    ),
]
MaxTokensOption = Annotated[
    int | None, typer.Option("--max-tokens", min=1, help="Stop before the run uses more tokens than this.")
]
MaxCostOption = Annotated[
    float | None,
    typer.Option("--max-cost", min=0, help="Stop before the run costs more than this (needs \\[prices] in settings)."),
]


def distill(
    category: CategoryOption,
    limit: LimitOption = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, help="Model calls at a time.", show_default="from settings")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, why, and what it would take; ask no model.")
    ] = False,
    gold: Annotated[
        Path | None,
        typer.Option("--gold", help="Learn from this gold file too (see: reaseq eval-extraction --help)."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also products distilled when fewer decisions and gold rows were known.")
    ] = False,
    votes: Annotated[
        int | None,
        typer.Option(
            "--votes",
            min=1,
            help="Read each product so often, and keep what most agree on.",
            show_default="from settings",
        ),
    ] = None,
    escalate: Annotated[
        str | None,
        typer.Option("--escalate", metavar="MODEL", help="Ask this costlier model too, about what stays unsure."),
    ] = None,
    teach: Annotated[
        int | None,
        typer.Option(
            "--teach", min=1, metavar="N", help="Let the teacher read N telling products first; learn from it."
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option("--teacher", metavar="MODEL", help="The model that teaches.", show_default="the same model"),
    ] = None,
    max_tokens: MaxTokensOption = None,
    max_cost: MaxCostOption = None,
    json_: ReportOption = False,
) -> None:
    """Distil a category's products into verified claims and a summary each.

    What code alone finds is there first, of hundreds of products a second; then the model is asked, first about the
    busiest products that are least settled. With --engine none it is asked nothing, and no weights are needed.

    Only what is new or has changed is done; stop it any way and run it again. Ctrl-C once finishes
    what is under way, twice stops at once. Once people have decided on ten products (reaseq review), or a gold file
    has as many, open attributes are learnt from them: see docs/extraction.md. With --teach a strong model reads so many
    products, chosen to be like all others between them; what it finds is learnt, and the model of the run is then
    asked only what was not.

    Examples:

        reaseq distill --category shoes --limit 40

        reaseq distill --category shoes --dry-run

        reaseq distill --category shoes --engine none

        reaseq distill --category shoes --engine openai --model gpt-4o-mini --max-cost 2.50

        reaseq distill --category shoes --engine openai --model gpt-4o-mini --escalate gpt-4o

        reaseq distill --category shoes --engine openai --model gpt-4o-mini --teach 500 --teacher gpt-4o
    """
    from dataclasses import replace

    from reaseq.api.engine import teaching
    from reaseq.api.settings import load
    from reaseq.cli.teach import check_teaching, let_teach
    from reaseq.graphs.options import require_products
    from reaseq.knowledge_store.store import Store

    settings = load(engine=engine, model=model, concurrency=concurrency, votes=votes)
    check_teaching(settings, teach, teacher)
    say = Telling(json_)
    with Store.open(settings.store_url) as store:
        category = require_products(store, category)
        taught = teaching(settings, gold, again=again)
        if dry_run and settings.engine == "none":
            _tell_first_plan(say, store, settings, category, limit)
            return
        if dry_run:
            plan = _plan(store, settings, category, limit, taught, escalate, teach, teacher)
            _tell_plan(say, plan, limit, teach, teacher)
            return
        outcome = _first(store, settings, category, limit, taught)
        if outcome is None and teach:
            max_tokens, max_cost = let_teach(store, settings, category, teach, teacher, max_tokens, max_cost, taught)
            _first(store, settings, category, limit, replace(taught, again=True))
        if outcome is None:
            outcome = _run(store, settings, category, limit, max_tokens, max_cost, taught, escalate)
        _tell_outcome(say, store, outcome, category)


def _first(store: Store, settings: Settings, category: str, limit: int | None, taught: Teaching) -> Outcome | None:
    """What code alone finds, said in a line; the outcome of it, if no model is to be asked."""
    from rich.console import Console

    from reaseq.api.engine import distill_options
    from reaseq.cli.progress import StepBar
    from reaseq.graphs.first_pass import first_pass, outcome_of

    options, errors = distill_options(settings, category, limit), Console(stderr=True)
    try:
        with StepBar(errors, "reading by code") as bar:
            made = first_pass(
                store, options, teaching=taught, on_progress=lambda made: bar.step(made.read + made.known, made.total)
            )
    except KeyboardInterrupt:
        errors.print(
            f"Stopped; what was read is kept. Go on with: reaseq distill --category {category}",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(130) from None
    if settings.engine == "none":
        return outcome_of(made)
    for note in made.notes:
        errors.print(f"Note: {note}", style="yellow", markup=False, soft_wrap=True)
    if made.read:
        errors.print(
            f"First knowledge, by code alone: {made.read:,} products, {made.verified:,} claims verified, in "
            f"{made.seconds:.1f} s. It can be used already; now the model is asked.",
            highlight=False,
            soft_wrap=True,
        )
    return None


def _tell_first_plan(say: Telling, store: Store, settings: Settings, category: str, limit: int | None) -> None:
    from reaseq.api.engine import distill_options
    from reaseq.graphs.first_pass import due

    count, total = due(store, distill_options(settings, category, limit))
    say.print(f"{category}: {count:,} of {total:,} products to be read by code; no model is asked.")
    say.print(f"Next: reaseq distill --category {category} --engine none")
    say.end(category=category, products=total, stale=count)


def _plan(
    store: Store,
    settings: Settings,
    category: str,
    limit: int | None,
    taught: Teaching,
    escalate: str | None,
    teach: int | None,
    teacher: str | None,
) -> Plan:
    from dataclasses import replace

    from reaseq.api.engine import distill_options, engine_config, pipeline_of, plan_of
    from reaseq.graphs.plan import passes

    options = distill_options(settings, category, limit)
    made = plan_of(store, settings, options, pipeline_of(settings), teaching=taught, escalate=escalate)
    if teach:
        config = engine_config(settings)
        price = replace(config, model=teacher).price if teacher else config.price
        made.passes = passes(
            store, options, made, teaching=taught, teach=teach, teacher_price=price, price=config.price
        )
    return made


def _run(
    store: Store,
    settings: Settings,
    category: str,
    limit: int | None,
    max_tokens: int | None,
    max_cost: float | None,
    taught: Teaching,
    escalate: str | None,
) -> Outcome:
    from contextlib import ExitStack

    from reaseq.api.engine import distill_options, pipeline_of, prompts_of
    from reaseq.cli.engine import start_engine, start_engines
    from reaseq.graphs.distill import drained
    from reaseq.graphs.ledger import Counts
    from reaseq.llm.budget import Budget

    pipeline = pipeline_of(settings)
    prompts = prompts_of(settings, pipeline)
    options = distill_options(settings, category, limit)
    counts = Counts()
    with ExitStack() as engines:
        endpoint, endpoints = engines.enter_context(start_engines(settings, pipeline))
        costly = None
        if escalate:
            costly = engines.enter_context(start_engine(settings, escalation=escalate))
        budget = Budget(max_tokens=max_tokens, max_cost=max_cost)

        run = drained(
            store,
            endpoint,
            prompts,
            options,
            engine=settings.engine,
            budget=budget,
            counts=counts,
            teaching=taught,
            costly=costly,
            pipeline=pipeline,
            endpoints=endpoints,
        )
        return watched(run, counts, category)


def watched(run: Coroutine[Any, Any, Outcome], counts: Counts, category: str) -> Outcome:
    """What a run comes to, its progress shown meanwhile; interrupted, it says how to go on, and ends the
    command."""
    import asyncio

    from reaseq.cli.progress import watch

    try:
        with watch(counts):
            return asyncio.run(run)
    except asyncio.CancelledError:
        print_how_to_go_on(counts, category)
        raise typer.Exit(130) from None


def _tell_plan(say: Telling, plan: Plan, limit: int | None, teach: int | None, teacher: str | None) -> None:
    say.print(f"{plan.category}: {plan.stale:,} of {plan.products:,} products to do.")
    for note in plan.notes:
        say.print(f"Note: {note}", style="yellow")
    say.part(
        "reasons",
        [{"reason": reason, "products": count} for reason, count in plan.reasons.most_common()],
        Column("why", "reason"),
        Column("products", "products"),
        title="Stale products",
    )
    say.part(
        "agents",
        [{"agent": name} | vars(agent) for name, agent in plan.agents.items()],
        *USAGE[:-1],
        Column("based on", lambda row: "earlier calls" if row["measured"] else "prompts' length"),
        title="Estimated model calls",
    )
    if plan.agents:
        seconds = "unknown until some calls were made" if plan.seconds is None else _duration(plan.seconds)
        cost = "no price configured" if plan.cost is None else f"{plan.cost:,.4f}"
        say.print(f"Estimated time: {seconds}. Estimated cost: {cost}.")
    say.part(
        "passes",
        [vars(one) for one in plan.passes],
        Column("pass", "name"),
        Column("products", "products"),
        Column("of which settled, about", "settled", none="known once it is taught"),
        Column("F1, held out", "f1", ".2f"),
        Column("cost, about", "cost", ",.4f", none="no price configured"),
        title="Passes, by a pilot that asks no model",
    )
    say.end(**{name: getattr(plan, name) for name in ("category", "products", "stale", "seconds", "cost")})
    if plan.agents:
        command = f"reaseq distill --category {plan.category}" + (f" --limit {limit}" if limit else "")
        command += (f" --teach {teach}" if teach else "") + (f" --teacher {teacher}" if teacher else "")
        say.print(f"Next: {command}")


def _tell_outcome(say: Telling, store: Store, outcome: Outcome, category: str) -> None:
    from reaseq.knowledge_store.tables import RunStatus

    counts = outcome.counts
    for note in counts.notes:
        say.print(f"Note: {note}", style="yellow")
    left_out = {
        "sentences that speak to a machine were held back": counts.held_back,
        "columns had no room in the prompts": counts.columns_left_out,
        "long texts were shown to the model in part": counts.texts_cut,
    }
    if counts.other_kinds:
        of = f"{counts.other_kinds:,} products are, by their titles, things that {category} do not cover"
        say.print(f"Note: {of} (see: reaseq knowledge show ID)", style="yellow")
    for what, count in left_out.items():
        if count:
            say.print(f"Left out: {count:,} {what} (see: reaseq knowledge show ID)", style="yellow")
    attributes: dict[tuple[str, str], dict[str, Any]] = {}
    for row in store.attribute_counts(category, run_id=outcome.run_id):
        named = {"attribute": row["attribute"], "facet": row["facet"], "verified": 0, "rejected": 0, "proposed": 0}
        found = attributes.setdefault((row["attribute"], row["facet"]), named)
        if (status := {"approved": "verified", "edited": "verified"}.get(row["status"], row["status"])) in found:
            found[status] += row["claims"]
    say.part(
        "attributes",
        list(attributes.values()),
        Column("attribute", "attribute"),
        Column("side", "facet"),
        Column("verified", "verified"),
        Column("rejected", "rejected"),
        Column("unsettled", "proposed"),
        title=f"What was found ({category})",
    )
    grouped: dict[tuple[str, str], list[str]] = {}
    for failure in store.failures(outcome.run_id):
        grouped.setdefault((failure["stage"], failure["reason"][:160]), []).append(failure["product_id"])
    say.part(
        "failures",
        [
            {"stage": stage, "reason": reason, "products": len(ids), "product_ids": ids}
            for (stage, reason), ids in sorted(grouped.items(), key=lambda item: -len(item[1]))
        ],
        Column("stage", "stage"),
        Column("products", "products"),
        Column("reason", "reason"),
        Column("for instance", lambda row: row["product_ids"][0]),
        title="What failed and why",
    )
    *of_agents, cost = USAGE
    seconds = Column("seconds", "seconds", ",.1f")
    say.part("usage", store.usage(outcome.run_id), *of_agents, seconds, cost, title="What it cost")
    say.print(
        f"{counts.done:,} done, {counts.failed:,} failed, {counts.unchanged:,} unchanged "
        f"in {_duration(counts.seconds)}; {counts.verified:,} claims verified, {counts.rejected:,} rejected."
    )
    told = ("total", "done", "failed", "unchanged", "seconds", "verified", "rejected", "proposed", "calls")
    tokens = ("prompt_tokens", "completion_tokens", "cost", "held_back", "columns_left_out", "texts_cut", "other_kinds")
    say.end(
        category=category,
        run_id=outcome.run_id,
        status=outcome.status,
        **{name: getattr(counts, name) for name in (*told, *tokens)},
        **say.said,
    )
    if outcome.status == RunStatus.STOPPED:
        print_how_to_go_on(counts, category)
        raise typer.Exit(130)
    if counts.failed and not counts.done and not counts.unchanged:
        say.print(f"No product could be done; why is said above. Next: reaseq distill --category {category}")
        raise typer.Exit(1)
    if counts.failed:
        say.print(f"Next: reaseq distill --category {category}   (tries the failed ones again)")
    else:
        say.print(f"Next: reaseq knowledge list --category {category}")


def print_how_to_go_on(counts: Counts, category: str) -> None:
    from rich.console import Console

    left = counts.total - counts.seen
    Console(stderr=True).print(
        f"Stopped; {left:,} products are left, and nothing done is lost. "
        f"Go on with: reaseq distill --category {category}",
        highlight=False,
        soft_wrap=True,
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
