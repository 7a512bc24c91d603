"""`reaseq prompts improve`: a better prompt looked for by a gold file, within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.distill import EngineOption, MaxCostOption, MaxTokensOption, ModelOption
from reaseq.cli.progress import ends_with
from reaseq.cli.tables import Column, ReportOption, Row, Telling

if TYPE_CHECKING:
    from reaseq.agents.pipeline import ModelChoice
    from reaseq.api.prompt_improvement import Improvement, Job
    from reaseq.graphs.prompt_search import Tried
    from reaseq.llm.budget import Budget

_LONGEST = 120


def improve(
    agent: Annotated[str, typer.Argument(help="Whose prompt; for instance attribute_extractor.")],
    gold: Annotated[
        Path | None, typer.Option("--gold", help="What is right: a gold file, of forty rows or more.")
    ] = None,
    category: Annotated[
        str | None,
        typer.Option("--category", "-c", help="Only of this category: what is otherwise is written for it alone."),
    ] = None,
    max_tokens: MaxTokensOption = None,
    max_cost: MaxCostOption = None,
    size: Annotated[int, typer.Option("--sample", min=1, help="So many rows of the gold file at most.")] = 400,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="So many rounds of proposing at most.")] = 20,
    pinned: Annotated[
        list[Path] | None,
        typer.Option(
            "--pinned",
            help="Cases that must keep passing: a file or folder (see: prompts test); may be repeated.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="Folder of prompts that a winner is written to.", show_default="prompts_dir"),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Write the best candidate even if it is not shown to be better.")
    ] = False,
    proposer_model: Annotated[
        str | None, typer.Option("--proposer-model", help="Model that proposes wordings.", show_default="--model")
    ] = None,
    proposer_engine: Annotated[
        str | None, typer.Option("--proposer-engine", help="Its engine.", show_default="--engine")
    ] = None,
    proposer_base_url: Annotated[
        str | None, typer.Option("--proposer-base-url", help="Its address, where its engine is openai.")
    ] = None,
    proposer_api_key_env: Annotated[
        str | None, typer.Option("--proposer-api-key-env", help="Name of the variable that holds its key.")
    ] = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    json_: ReportOption = False,
) -> None:
    """Look for a better prompt of an agent, by what a gold file says is right, and never for more than the budget.

    A quarter of the rows is learnt from: a model is shown what went wrong and proposes another wording, or rows that
    went wrong become worked examples. A quarter is what candidates are chosen by. Half is held out: the best candidate
    and the prompt that stands are both read on it, once, at the end. Only if F1 is higher there, and that is no noise
    (p below .05), the winner is written - as a version with a name, into your copy of the prompt; what stood there is
    kept as a version too. Room for this last reading is kept in the budget from the beginning.

    No candidate lacks a placeholder or a protected text of the prompt, or breaks a pinned case. Nothing is learnt of
    what people decided. Ctrl-C says what is best so far; the same command later goes on from the replies that are
    there.

    Examples:

        reaseq prompts improve attribute_extractor --gold gold.jsonl --max-tokens 500000

        reaseq prompts improve verifier --gold gold.jsonl --category shoes --max-cost 2 --pinned tests/golden

        reaseq prompts improve verifier --gold gold.jsonl --max-cost 2 --proposer-engine openai --proposer-model gpt-4o
    """
    from reaseq import ReaseqError
    from reaseq.agents.extraction_score import read_gold
    from reaseq.api.prompt_improvement import Improvement, job_of
    from reaseq.api.settings import load
    from reaseq.graphs.prompt_tests import files_of
    from reaseq.knowledge_store.store import Store
    from reaseq.llm.budget import Budget

    settings = load(engine=engine, model=model)
    again = f"reaseq prompts improve {agent} --gold FILE --max-tokens 500000"
    if gold is None:
        raise ReaseqError("by which gold file?", hint=f"{again}   (of decisions: reaseq review gold FILE)")
    if max_tokens is None and max_cost is None:
        raise ReaseqError("for how much at most?", hint=f"{again}   (or --max-cost)")
    where = folder or settings.prompts_dir
    if where is None:
        raise ReaseqError("you have no folder of prompts yet, to write a winner to", hint=f"{again} --dir my-prompts")
    chosen = _proposer(proposer_engine, proposer_model, proposer_base_url, proposer_api_key_env)
    cases = files_of(pinned) if pinned else []
    say = Telling(json_)
    with Store.open(settings.store_url) as store:
        job = job_of(store, settings, list(read_gold(gold)), agent, category=category, folder=where, size=size)
        for note in job.notes:
            say.print(note, style="yellow")
        made = Improvement(agent, job.category)
        budget = Budget(max_tokens=max_tokens, max_cost=max_cost)
        _run(job, made, budget, chosen, cases, rounds)
        _tell(say, job, made, budget, keep=keep, in_force=where == settings.prompts_dir, gold=gold)
    if made.failure is not None:
        raise made.failure
    by_hand = made.stopped is not None and made.stopped.by == "interrupt"
    ends_with("interrupt" if by_hand else None, failed=made.unfinished)


def _proposer(engine: str | None, model: str | None, base_url: str | None, api_key_env: str | None) -> ModelChoice:
    from pydantic import ValidationError

    from reaseq import ReaseqError
    from reaseq.agents.pipeline import ModelChoice

    said = {"engine": engine or ("openai" if base_url else None), "model": model, "base_url": base_url}
    try:
        return ModelChoice.model_validate(said | {"api_key_env": api_key_env})
    except ValidationError as error:
        raise ReaseqError(
            f"--proposer-engine {engine}: {error.errors()[0]['msg']}", hint="--proposer-engine openai"
        ) from error


def _run(job: Job, made: Improvement, budget: Budget, proposer: ModelChoice, pinned: list[Path], rounds: int) -> None:
    import asyncio

    from rich.console import Console

    from reaseq.api.prompt_improvement import improve as run
    from reaseq.api.prompt_improvement import improvement_engines
    from reaseq.cli.engine import pull_progress
    from reaseq.cli.progress import StepBar, printable
    from reaseq.graphs.workers import INTERRUPTED, drained_on_signals

    console = Console(stderr=True, soft_wrap=True, highlight=False)

    async def started() -> None:
        stop = asyncio.Event()
        with StepBar(console, "rows") as bar, drained_on_signals(stop):

            def on_row(what: str, done: int, total: int) -> None:
                bar.name = what
                bar.step(done, total)

            def on_tried(tried: Tried) -> None:
                console.print(printable(_line(tried)), markup=False)

            await run(
                job,
                made,
                endpoint,
                endpoints,
                budget=budget,
                pinned=pinned,
                rounds=rounds,
                stop=stop,
                on_row=on_row,
                on_tried=on_tried,
            )

    with pull_progress() as progress:
        engines = improvement_engines(job.settings, job.pipeline, proposer, progress=progress)
        with engines as (endpoint, endpoints):
            progress("", 0, 0)
            try:
                asyncio.run(started())
            except asyncio.CancelledError:
                made.stopped = INTERRUPTED


def _line(tried: Tried) -> str:
    of = f"of candidate {tried.parent}" if tried.parent else "of the prompt that stands"
    tested = "" if tried.after is None else f", F1 on a few rows {tried.before:.3f} → {tried.after:.3f}"
    chosen = "" if tried.development is None else f", on the development split {tried.development:.3f}"
    why = f": {tried.why[:_LONGEST]}" if tried.why else ""
    return f"candidate {tried.number} ({tried.kind} {of}){tested}{chosen}: {tried.fate}{why}"


def _tell(say: Telling, job: Job, made: Improvement, budget: Budget, *, keep: bool, in_force: bool, gold: Path) -> None:
    from difflib import unified_diff

    from rich.text import Text

    from reaseq.api.prompt_improvement import adopt
    from reaseq.cli.progress import printable

    def candidate(one: Tried) -> dict[str, Any]:
        return vars(one) | {"parent": one.parent}

    def f1(row: Row) -> str:
        return "" if row["after"] is None else f"{row['before']:.3f} → {row['after']:.3f}"

    say.part(
        "candidates",
        [candidate(one) for one in made.tried],
        Column("candidate", "number"),
        Column("made of", "parent"),
        Column("by", "kind"),
        Column("F1 on a few rows", f1),
        Column("on the development split", "development", ".3f", none=""),
        Column("", "fate"),
        Column("why", "why"),
        title=f"Candidates; 0 is the prompt that stands: {_split(made)}",
    )
    diff: list[str] = []
    if made.best is not None:
        before = job.target.base.text.splitlines()
        diff = list(unified_diff(before, made.best.text.splitlines(), "the prompt that stands", "best", lineterm=""))
        colours = {"+": "green", "-": "red", "@": "cyan"}
        for line in diff:
            say.show(Text(printable(line), style=colours.get(line[:1], "")))
    if made.failing:
        failing = ", ".join(made.failing)
        say.print(f"Not held to, as they do not pass with the prompt that stands either: {failing}", style="yellow")
    if made.passing:
        say.print(f"Pinned cases that must keep passing: {len(made.passing):,}.")
    say.print(made.in_words(), style="green" if made.better else None)
    if made.stopped:
        say.print(f"It ended before its rounds did: {made.stopped.why}.", style="yellow")
    cost = "" if made.cost is None else f", {made.cost:,.4f} in cost"
    limit = f" of {budget.max_tokens:,}" if budget.max_tokens is not None else ""
    tokens = made.prompt_tokens + made.completion_tokens
    say.print(f"It took {made.calls:,} calls, {tokens:,} tokens{limit}{cost}.")
    written = adopt(job, made.best) if made.best is not None and (made.better or keep) else None
    if written is not None:
        say.print(f"Written: {written.path}, as version {written.version}.")
        if written.before is not None:
            say.print(f"What stood there is version {written.before}.")
        if not in_force:
            say.print(f'It counts once reaseq.toml says: prompts_dir = "{written.path.parent}"')
        kind = job.category or next(iter(job.benches))
        say.print(f"Next: reaseq prompts compare bundled {written.path} --gold {gold} --category {kind}")
        say.print(f"Next: reaseq prompts test {gold} --live   (or your golden cases)")
    elif made.best is not None:
        say.print("Nothing is written. Next: a larger budget or more rows, or --keep, which writes it all the same.")
    else:
        say.print("Nothing is written.")
    say.end(
        agent=made.agent,
        category=made.category,
        better=made.better,
        f1=made.f1,
        development_before=made.development_before,
        development_after=made.development_after,
        training=made.training,
        development=made.development,
        held_out=made.held_out,
        before=job.target.base.prompt.fingerprint,
        after=made.best.prompt.fingerprint if made.best else None,
        diff=diff,
        passing=made.passing,
        failing=made.failing,
        stopped=made.stopped.why if made.stopped else None,
        calls=made.calls,
        prompt_tokens=made.prompt_tokens,
        completion_tokens=made.completion_tokens,
        cost=made.cost,
        path=written.path if written else None,
        version=written.version if written else None,
        version_before=written.before if written else None,
        in_words=made.in_words(),
        **say.said,
    )


def _split(made: Improvement) -> str:
    return f"{made.training:,} rows to learn from, {made.development:,} to choose by"
