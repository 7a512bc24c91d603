"""`reaseq prompts test`: cases that an edit must not break, for people and for what runs on every commit."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.distill import EngineOption, MaxCostOption, MaxTokensOption, ModelOption
from reaseq.cli.progress import ends_with
from reaseq.cli.tables import Column, ReportOption, Telling

if TYPE_CHECKING:
    from reaseq.api.settings import Settings
    from reaseq.graphs.prompt_tests import Case, Result
    from reaseq.graphs.workers import Stopped
    from reaseq.knowledge_store.store import Store
    from reaseq.llm.budget import Budget

_SHOWN = 5
"""Differences of a case in the table."""
_CASES = Path("tests/golden")


def run_cases(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Golden cases (CATEGORY/CASE.yaml), folders of them, gold files (.jsonl).",
            show_default=str(_CASES),
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Ask the model of the settings what it has not been asked yet; without, only replies on record count.",
        ),
    ] = False,
    repeat: Annotated[
        int,
        typer.Option(
            "--repeat", min=1, help="With --live: so often, each with a seed of its own, to see what is stable."
        ),
    ] = 1,
    fail_on_regression: Annotated[
        str | None,
        typer.Option("--fail-on-regression", metavar="F1=.01", help="Fail only if F1 over all cases falls by more."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", help="What F1 is held against: the --json of an earlier run; none: all is right."),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write results there as JUnit's XML.")] = None,
    summary: Annotated[
        Path | None, typer.Option("--summary", help="Append results there as Markdown, fit for a comment.")
    ] = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    max_tokens: MaxTokensOption = None,
    max_cost: MaxCostOption = None,
    json_: ReportOption = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of golden cases, for editors, and stop.")
    ] = False,
) -> None:
    """Test prompts by cases: golden ones from the replies they hold, rows of gold files from those in the ledger.

    No model is asked but with --live. A case fails if anything else comes of it than it expects; the exit status is 1
    then, or if not all were run: 130 if Ctrl-C ended it, 1 otherwise. What the category's schema does not know is
    counted apart. `pytest --update-golden` records golden cases anew. Where GITHUB_ACTIONS is set, each failure is an
    annotation of its line, and the Markdown goes to the step's summary.

    Examples:

        reaseq prompts test tests/golden

        reaseq prompts test gold.jsonl --live --max-cost 0.50 --json > before.json

        reaseq prompts test gold.jsonl --live --fail-on-regression F1=.01 --baseline before.json --junit results.xml

        reaseq prompts test --schema > case.schema.json
    """
    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.graphs.golden import case_schema
    from reaseq.graphs.prompt_tests import f1_of_all, files_of
    from reaseq.knowledge_store.export import check_writable
    from reaseq.knowledge_store.store import Store
    from reaseq.llm.budget import Budget

    if schema:
        typer.echo(json.dumps(case_schema(), indent=2))
        return
    allowed = _allowed(fail_on_regression)
    if repeat > 1 and not live:
        raise ReaseqError("replies on record are always the same", hint="reaseq prompts test --live --repeat 3")
    before = _baseline(baseline)
    summaries = _summaries(summary)
    for path in filter(None, (junit, *summaries)):
        check_writable(path)
    settings = load(engine=engine, model=model)
    files = files_of(paths or [_CASES])
    say = Telling(json_)
    with Store.open(settings.store_url) as store:
        results, stopped = _run(store, settings, files, live, repeat, Budget(max_tokens=max_tokens, max_cost=max_cost))
    f1 = f1_of_all(results)
    held = results if before is None else [one for one in results if one.name in before]
    now = f1_of_all(held)
    was = 1.0 if before is None else f1_of_all([before[one.name] for one in held])
    if before is not None and (not held or was is None):
        raise ReaseqError(
            f"{baseline}: none of these cases has values in it", hint=f"reaseq prompts test PATH --json > {baseline}"
        )
    kinds = ("passed", "failed", "error", "unknown", "left")
    counts = {status: sum(one.status == status for one in results) for status in kinds}
    regressed = allowed is not None and now is not None and was is not None and now < was - allowed
    none_ran = not (counts["passed"] or counts["failed"])
    failed = bool(counts["error"] or regressed or stopped or none_ran or (allowed is None and counts["failed"]))
    _tell(say, results)
    unstable = sum(one.unstable > 0 for one in results)
    verdict = f"{counts['passed']:,} passed, {counts['failed']:,} failed, {counts['error']:,} could not be run"
    verdict += f"; F1 {f1:.3f}" if f1 is not None else "; no value is right or wrong"
    if counts["error"] and not live:
        verdict += "; --live asks what no model has answered yet, and pytest --update-golden records it"
    elif allowed is not None and now is not None:
        if before is not None and (len(held), len(held)) != (len(results), len(before)):
            verdict += f"; of the {len(held):,} cases that the baseline has too F1 {now:.3f}"
        verdict += f", of {was:.3f}: {'a fall' if regressed else 'no fall'} by more than {allowed:g}"
    if repeat > 1:
        verdict += f"; {unstable:,} came to something else in some of {repeat} runs"
    attributes = sum(len(one.unknown) for one in results)
    if counts["unknown"] or attributes:
        verdict += (
            f"; counted apart, as no schema knows it: {counts['unknown']:,} cases, {attributes:,} expected values"
        )
    if stopped:
        verdict += f"; {counts['left']:,} were not run: {stopped.why.removesuffix('.')}"
    say.print(f"{verdict}.", style="red" if failed else "green")
    _write(junit, summaries, results, verdict, tolerated=allowed is not None and not regressed)
    if stopped:
        say.print("Next: the same command, which goes on from there.")
    say.end(f1=f1, regressed=regressed, unstable=unstable, stopped=stopped and stopped.why, **counts)
    ends_with(stopped and stopped.by, failed=failed)


def _allowed(said: str | None) -> float | None:
    from reaseq import ReaseqError

    if said is None:
        return None
    name, _, figure = said.partition("=")
    try:
        allowed = float(figure)
    except ValueError:
        allowed = -1.0
    if name.strip().casefold() != "f1" or not 0 <= allowed < 1:
        raise ReaseqError(f"--fail-on-regression {said}: not of the form F1=.01", hint="--fail-on-regression F1=.01")
    return allowed


def _baseline(path: Path | None) -> dict[str, Result] | None:
    """The cases of an earlier run that were run, by name."""
    from reaseq import ReaseqError
    from reaseq.agents.extraction_score import Outcomes
    from reaseq.graphs.prompt_tests import Result

    if path is None:
        return None
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
        made = [
            Result(one["name"], one["file"], one["line"], one["status"], outcomes=Outcomes(**one["outcomes"]))
            for one in cases
        ]
        return {one.name: one for one in made if one.status in ("passed", "failed")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else getattr(error, "strerror", None) or error
        raise ReaseqError(
            f"{path}: not what an earlier run said ({why})", hint=f"reaseq prompts test PATH --json > {path}"
        ) from error


def _run(
    store: Store, settings: Settings, files: Sequence[Path], live: bool, repeat: int, budget: Budget
) -> tuple[list[Result], Stopped | None]:
    import asyncio
    from contextlib import AsyncExitStack

    from rich.console import Console

    from reaseq.api.engine import chat_of, engine_config, project_of
    from reaseq.api.prompt_trials import bench_of_schema
    from reaseq.cli.engine import start_engine
    from reaseq.cli.progress import StepBar
    from reaseq.graphs.ledger import booked
    from reaseq.graphs.options import schema_in_force
    from reaseq.graphs.prompt_tests import GOLD_ENDINGS, golden, of_gold, repeated, run_all
    from reaseq.graphs.recorded import RecordedChat
    from reaseq.graphs.workers import drained_on_signals
    from reaseq.llm.chat import Chat
    from reaseq.llm.engines import not_started

    project = project_of(settings)

    def on_record() -> Chat:
        endpoint = not_started(engine_config(settings))
        return RecordedChat(store, endpoint, seed=settings.seed, temperature=settings.temperature)

    def cases_of(file: Path, chat: Chat | None) -> list[Case]:
        if file.suffix not in GOLD_ENDINGS:
            return [golden(file, project, chat)]
        asked = chat or on_record()
        return of_gold(
            file,
            lambda schema: bench_of_schema(store, settings, schema).trial(asked),
            lambda category: schema_in_force(store, category, settings.schemas_dir),
        )

    async def once(chat: Chat | None, bar: StepBar, stop: asyncio.Event) -> tuple[list[Result], Stopped | None]:
        cases = [case for file in files for case in cases_of(file, chat)]
        return await run_all(cases, width=settings.calls_at_a_time if live else 1, stop=stop, on_case=bar.step)

    async def go() -> tuple[list[Result], Stopped | None]:
        stop, stopped, rounds = asyncio.Event(), None, []
        chats: list[Chat | None] = [None]
        async with AsyncExitStack() as stack:
            bar = stack.enter_context(StepBar(Console(stderr=True), "cases"))
            if live:
                endpoint = stack.enter_context(start_engine(settings))
                budget.check(endpoint.model, endpoint.price)
                ledger = stack.enter_context(booked(store, endpoint, command="prompts test", engine=settings.engine))
                seeds = [settings.model_copy(update={"seed": settings.seed + number}) for number in range(repeat)]
                chats = [await stack.enter_async_context(chat_of(one, endpoint, ledger, budget)) for one in seeds]
            stack.enter_context(drained_on_signals(stop))  # an engine's start is interrupted at once
            for chat in chats:
                results, stopped = await once(chat, bar, stop)
                rounds.append(results)
                if stopped:
                    break
            if live:
                ledger.stopped = stopped is not None
            return repeated(rounds), stopped

    return asyncio.run(go())


def _tell(say: Telling, results: Sequence[Result]) -> None:
    rows = [
        vars(one) | {"findings": [vars(finding) for finding in one.findings], "outcomes": vars(one.outcomes)}
        for one in results
    ]
    for row in rows:
        row.pop("found")
    plain = ("passed", "left")
    shown = rows if say.json else [r for r in rows if r["status"] not in plain or r["unstable"] or r["unknown"]]

    def otherwise(row: Any) -> str:
        said = [row["error"]] if row["error"] else [f"{one['line']}: {one['what']}" for one in row["findings"]]
        if row["unknown"] and not row["error"]:
            said.append(f"{row['line']}: the schema has no {', '.join(row['unknown'])}: not counted")
        more = [f"and {len(said) - _SHOWN:,} more"] if len(said) > _SHOWN else []
        unstable = [f"otherwise in {row['unstable']} of {row['runs']} runs"] if row["unstable"] else []
        return "\n".join([*said[:_SHOWN], *more, *unstable])

    say.part(
        "cases",
        shown,
        Column("case", "name"),
        Column("", "status"),
        Column("line, and what is otherwise", otherwise),
        title="Cases that do not come to what they expect",
    )


def _summaries(summary: Path | None) -> list[Path]:
    """Where Markdown is appended: the file that was named, and under GitHub Actions the step's."""
    step = os.environ.get("GITHUB_STEP_SUMMARY") if os.environ.get("GITHUB_ACTIONS") else None
    return list(dict.fromkeys(filter(None, (summary, Path(step) if step else None))))


def _write(
    junit: Path | None, summaries: Sequence[Path], results: Sequence[Result], verdict: str, *, tolerated: bool
) -> None:
    from reaseq.graphs.prompt_reports import annotations, as_junit, as_markdown
    from reaseq.knowledge_store.export import whole

    if junit is not None:
        text = as_junit(results)
        whole(junit, lambda partial: partial.write_text(text, encoding="utf-8"))
    for path in summaries:
        with path.open("a", encoding="utf-8") as file:
            file.write(as_markdown(results, verdict))
    if os.environ.get("GITHUB_ACTIONS"):
        for line in annotations(results, tolerated=tolerated):
            typer.echo(line, err=True)
