"""Cases that prompts are tested by: golden ones, which hold the replies they rest on, and rows of gold files.

A golden case passes if exactly what it expects comes of it. A row of a gold file passes if every value that is found is
right and none is missed. For F1, what a golden case expects to be verified counts as its gold. Of what the category's
schema does not know no model could find anything: it is counted apart, and never as missed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from reaseq import ReaseqError
from reaseq.agents.extraction_score import Outcomes, read_gold
from reaseq.graphs.comparison import subjects_of_gold
from reaseq.graphs.golden import Project, load_case_and_lines, replayed, run_case
from reaseq.graphs.trial import Subject, Trial
from reaseq.graphs.workers import FAILURES_IN_A_ROW, INTERRUPTED, Stopped, all_or_first_error
from reaseq.llm.budget import BudgetExceeded
from reaseq.llm.chat import Chat, EndpointFailed, EndpointRefused
from reaseq.taxonomy.schema import CategorySchema, attribute_name

GOLD_ENDINGS = (".jsonl", ".gz")


@dataclass(frozen=True)
class Finding:
    """What is otherwise than expected, and the line of the file that expects it."""

    line: int
    what: str


@dataclass
class Result:
    """Of one case. status "unknown": the schema knows nothing of what is expected; "left": all was stopped before its
    turn. error: why it could not be run. unknown: the attributes that the schema does not know. found: what came out.
    unstable: how many of its runs came to something else than most."""

    name: str
    file: str
    line: int
    status: Literal["passed", "failed", "error", "unknown", "left"] = "left"
    findings: list[Finding] = field(default_factory=list)
    error: str = ""
    unknown: tuple[str, ...] = ()
    outcomes: Outcomes = field(default_factory=Outcomes)
    seconds: float = 0.0
    found: Any = None
    runs: int = 1
    unstable: int = 0


Run = Callable[[], Awaitable[tuple[list[Finding], Outcomes, Any]]]
"""Gives what is otherwise than expected, how values count, and what came out."""


@dataclass(frozen=True)
class Case:
    """Something to be run. run: None if nothing that it expects is known, and `why`. unknown: see `Result`."""

    name: str
    file: Path
    line: int
    run: Run | None
    unknown: tuple[str, ...] = ()
    why: str = ""


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files of cases among these files and folders.

    Raises:
        ReaseqError: there is no such path, or nothing in a folder.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.suffix in (".yaml", ".yml"))
            if not inside:
                raise ReaseqError(f"{path}: no cases in it", hint="a case is FOLDER/CATEGORY/CASE.yaml")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise ReaseqError(f"{path}: no such file", hint="reaseq prompts test FOLDER")
    return list(dict.fromkeys(found))


def golden(path: Path, project: Project, chat: Chat | None) -> Case:
    """A golden case, whose category is its folder's name. chat: the model to ask; None: its own replies.

    Raises:
        ReaseqError: the file is no golden case.
    """
    case, lines = load_case_and_lines(path)

    async def run() -> tuple[list[Finding], Outcomes, Any]:
        found = (
            await replayed(path.parent.name, case, project)
            if chat is None
            else await run_case(path.parent.name, case, chat, project)
        )
        return list(differences(case.expected, found, lines)), counted(case.expected, found), found

    return Case(f"{path.parent.name}/{path.stem}", path, lines.get(("expected",), 1), run)


def differences(
    expected: Mapping[str, Any], found: Mapping[str, Any], lines: Mapping[tuple[str | int, ...], int]
) -> Iterator[Finding]:
    """What is missing, and what is there instead. lines: of the places in the case's file."""
    top = lines.get(("expected",), 1)
    for name in dict.fromkeys((*expected, *found)):
        before, after = expected.get(name), found.get(name)
        if before == after:
            continue
        if not (isinstance(before, list) or isinstance(after, list)):
            yield Finding(lines.get(("expected", name), top), f"{name}: expected {before!r}, found {after!r}")
            continue
        come = [one for one in after or [] if one not in (before or [])]
        for number, one in enumerate(before or []):
            if one in (after or []):
                continue
            line = lines.get(("expected", name, number), top)
            like = next((other for other in come if _alike(one, other)), None)
            if like is None:
                yield Finding(line, f"{name}: missing: {_said(one)}")
            else:
                come.remove(like)
                parts = [key for key in dict.fromkeys((*one, *like)) if one.get(key) != like.get(key)]
                said = "; ".join(f"{key} {one.get(key)!r} → {like.get(key)!r}" for key in parts)
                yield Finding(line, f"{name}: {one['attribute']} {one['value']!r}: {said}")
        yield from (Finding(lines.get(("expected", name), top), f"{name}: not expected: {_said(one)}") for one in come)
        if sorted(map(str, before or [])) == sorted(map(str, after or [])):
            yield Finding(lines.get(("expected", name), top), f"{name}: in another order")


def _alike(one: Any, other: Any) -> bool:
    return all(isinstance(side, dict) and "attribute" in side for side in (one, other)) and (
        (one["attribute"], one["value"]) == (other["attribute"], other["value"])
    )


def _said(one: Any) -> str:
    if not isinstance(one, dict) or "attribute" not in one:
        return str(one)
    quote = f", {one['quote']!r}" if one.get("quote") else ""
    return f"{one['attribute']} {one['value']!r} ({one['status']}{quote}; {one['verdict']})"


def counted(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Outcomes:
    """How the verified values of `found` count, those of `expected` being right."""

    def verified(made: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {(one["attribute"], one["value"]) for one in made.get("claims", ()) if one["status"] == "verified"}

    right, there = verified(expected), verified(found)
    return Outcomes(right=len(right & there), missed=len(right - there), invented=len(there - right))


def of_gold(
    path: Path, trial_of: Callable[[CategorySchema], Trial], schema_of: Callable[[str], CategorySchema | None]
) -> list[Case]:
    """A case for each row of a gold file. trial_of: what products of a schema's category are read with. schema_of: the
    schema of a category.

    Raises:
        ReaseqError: the file is no gold file.
    """
    schemas: dict[str, CategorySchema | None] = {}
    trials: dict[str, Trial] = {}
    made: list[Case] = []
    for row in read_gold(path):
        if row.category not in schemas:
            schemas[row.category] = schema_of(row.category)
        schema = schemas[row.category]
        name = f"{row.category}/{row.id}"
        if schema is None:
            made.append(Case(name, path, row.line, None, why=f"there is no schema of category {row.category!r}"))
            continue
        unknown = tuple(one for one in row.gold if schema.get(attribute_name(one)) is None)
        names = {attribute_name(one): one for one in row.gold if one not in unknown}
        if not names:
            said = _unknown(unknown, schema)
            made.append(Case(name, path, row.line, None, unknown, f"the schema of {schema.category} has no {said}"))
            continue
        if schema.category not in trials:
            trials[schema.category] = trial_of(schema)
        (subject,) = subjects_of_gold([row], names, 1)
        run = _reading(trials[schema.category], subject, row.line)
        made.append(Case(name, path, row.line, run, unknown))
    return made


def _unknown(names: Sequence[str], schema: CategorySchema) -> str:
    known = [one.name for one in schema.attributes]
    near = [(name, get_close_matches(attribute_name(name), known, 1)) for name in names]
    return ", ".join(name + (f" (do you mean {found[0]}?)" if found else "") for name, found in near) or "attributes"


def _reading(trial: Trial, subject: Subject, line: int) -> Run:
    async def run() -> tuple[list[Finding], Outcomes, Any]:
        read = await trial.read(subject)
        best = read.best()
        found, outcomes = [], Outcomes()
        for name, judged in subject.judged.items():
            claim = best.get(name)
            how = judged.outcome(claim)
            outcomes += how
            if how.wrong or how.invented or how.missed:
                right = " or ".join(map(repr, judged.right)) or "nothing"
                said = repr(claim["value"]) if claim else "nothing"
                found.append(Finding(line, f"{name}: expected {right}, found {said}"))
        found += [Finding(line, f"failed: {one['stage']}: {one['reason']}") for one in read.failures]
        values = {name: claim["value"] for name, claim in best.items()}
        return found, outcomes, values

    return run


async def run_all(
    cases: Sequence[Case],
    *,
    width: int = 4,
    stop: asyncio.Event | None = None,
    on_case: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Result], Stopped | None]:
    """Run cases, `width` at a time; the results are in their order, with why not all were run: a limit, `stop`, an
    endpoint that refuses every request or failed ten cases in a row, or being cancelled.

    Raises:
        EndpointRefused, EndpointFailed: the same, where no case was run before.
    """
    made = [Result(case.name, str(case.file), case.line, unknown=case.unknown) for case in cases]
    todo, done, in_a_row = iter(zip(cases, made, strict=True)), 0, 0
    stopped: Stopped | None = None

    async def work() -> None:
        nonlocal done, in_a_row, stopped
        for case, result in todo:
            if case.run is None:
                result.status, result.error = "unknown", case.why
                continue
            if stopped is None and stop is not None and stop.is_set():
                stopped = INTERRUPTED
            if stopped is not None:
                continue
            started = time.perf_counter()
            try:
                result.findings, result.outcomes, result.found = await case.run()
                result.status = "failed" if result.findings else "passed"
                in_a_row = 0
            except EndpointRefused:
                raise
            except BudgetExceeded as error:
                stopped = Stopped(str(error), "limit")
                continue
            except EndpointFailed as error:
                result.status, result.error = "error", str(error)
                in_a_row += 1
                if in_a_row >= FAILURES_IN_A_ROW:
                    raise
            except ReaseqError as error:
                result.status, result.error = "error", str(error)
            result.seconds = time.perf_counter() - started
            done += 1
            on_case(done, len(made))

    try:
        await all_or_first_error([asyncio.create_task(work()) for _ in range(max(1, width))])
    except (EndpointRefused, EndpointFailed) as error:
        if not any(one.status in ("passed", "failed") for one in made):
            raise
        stopped = Stopped(str(error), "endpoint")
    except asyncio.CancelledError:
        stopped = INTERRUPTED
    for case, result in zip(cases, made, strict=True):  # those whose turn never came
        if case.run is None:
            result.status, result.error = "unknown", case.why
    return made, stopped


def repeated(runs: Sequence[Sequence[Result]]) -> list[Result]:
    """Several runs of the same cases as one, of which the first counts, and the others say whether it is stable."""
    made = []
    for several in zip(*runs, strict=True):
        ended = [one for one in several if one.status != "left"]
        said = [repr(one.found) if one.status != "error" else one.error for one in ended]
        unstable = len(said) - max(map(said.count, said), default=0)
        made.append(replace(several[0], runs=len(ended), unstable=unstable))
    return made


def f1_of_all(results: Sequence[Result]) -> float | None:
    """Micro F1 of the values of all cases that could be run; None: no value is there or expected."""
    whole = Outcomes()
    for result in results:
        whole += result.outcomes
    return whole.f1 if whole.right + whole.wrong + whole.invented + whole.missed else None
