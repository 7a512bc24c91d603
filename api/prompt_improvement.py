"""A better prompt, looked for by a gold file: `reaseq prompts improve`. The search is `reaseq.graphs.prompt_search`.

The budget comes first: of a limit at most nine twentieths are kept for the rows held out, and the development split is
so large that reading it once takes no more than an eighth, as each candidate that is kept is read on all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from math import ceil, floor, inf, isnan, log10
from pathlib import Path
from typing import TYPE_CHECKING

from reaseq import ReaseqError
from reaseq.agents.labelled import scattered
from reaseq.agents.prompt_proposer import PromptProposer
from reaseq.agents.summarizer import Summarizer
from reaseq.api.engine import chat_of, engine_config, engine_configs, pipeline_of, prompts_of
from reaseq.api.prompt_trials import Bench, bench_of_gold
from reaseq.api.prompt_workbench import MARGIN, Chats, Target, Workbench
from reaseq.documents.locales import nearest
from reaseq.graphs.comparison import f1_of
from reaseq.graphs.ledger import booked
from reaseq.graphs.prompt_search import MINIBATCH, Ended, Row, Search, Split, Tried, Variant, split
from reaseq.graphs.trial import Noting, Pairs
from reaseq.graphs.workers import Stopped
from reaseq.knowledge_store import prompt_versions
from reaseq.knowledge_store.export import whole
from reaseq.llm import engines
from reaseq.llm.budget import Budget, BudgetExceeded
from reaseq.llm.endpoint import EngineError
from reaseq.prompts.library import EXTENDS, parse_prompt, read_text

if TYPE_CHECKING:
    from reaseq.agents.extraction_score import GoldRow
    from reaseq.agents.paired_score import Paired
    from reaseq.agents.pipeline import ModelChoice, Pipeline
    from reaseq.api.settings import Settings
    from reaseq.knowledge_store.store import Store
    from reaseq.llm.chat import Chat
    from reaseq.llm.endpoint import Endpoint
    from reaseq.llm.models import Progress

PROPOSER = PromptProposer.name
FEWEST_DEVELOPMENT, FEWEST_HELD_OUT = 3, 5
_FOR_HELD_OUT, _FOR_DEVELOPMENT = 0.45, 0.125
_FATES = {
    "refused": "refused and not scored",
    "no better": "no better on the few rows that they were tried on",
    "breaks a pinned case": "better on those, and not scored further, as they break pinned cases",
    "unfinished": "not scored to the end",
}
"""Of candidates that were not read on the development split what became of them."""
_LONGEST_WHY = 200
"""Characters of a reason in a sentence."""
_LONGER = 0.3
"""By how much a candidate's rows may take more than those of the prompt that stands."""


@dataclass(frozen=True)
class Job:
    """What is to become better, by which rows, and the file that a winner would be written to. category: whose prompt
    alone it is; None: the agent's, for all. notes: what is left out, and why."""

    store: Store
    settings: Settings
    pipeline: Pipeline
    target: Target
    category: str | None
    benches: Mapping[str, Bench]
    rows: Split
    path: Path
    notes: tuple[str, ...] = ()


@dataclass
class Improvement:
    """What came of it, filled while it goes on. development, held_out: rows that were read. f1: on the rows held out,
    of the prompt that stands and of the best one; None: they were not read. stopped: why the search ended before its
    rounds did. failure: what ended it all."""

    agent: str
    category: str | None
    tried: list[Tried] = field(default_factory=list)
    best: Variant | None = None
    training: int = 0
    development: int = 0
    held_out: int = 0
    development_before: float | None = None
    development_after: float | None = None
    f1: Paired | None = None
    passing: list[str] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    stopped: Stopped | None = None
    failure: EngineError | None = None
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None

    @property
    def better(self) -> bool:
        """Is the best one shown to be better, on rows that it has not seen?"""
        return self.f1 is not None and self.f1.told and self.f1.difference > 0

    @property
    def unfinished(self) -> bool:
        """Did it end before there was an answer?"""
        return self.development_before is None or (self.best is not None and self.f1 is None)

    def in_words(self) -> str:
        """What came of it, in a sentence or two."""
        if self.development_before is None:
            return "Nothing was proposed: the prompt that stands was not read on all rows of the development split."
        if self.best is None:
            return f"No candidate is shown to be better: {self._fates()}."
        found = f"on the development split F1 goes from {self.development_before:.3f} to {self.development_after:.3f}"
        if self.f1 is None:
            return f"No candidate is shown to be better: {found}, and the rows held out were not read."
        one = self.f1
        interval = "" if isnan(one.low) else f"95 % interval {one.low:+.3f} to {one.high:+.3f}, "
        figures = f"{one.before:.3f} → {one.after:.3f} ({interval}p {one.p:.3f}) of {one.products:,} rows held out"
        if self.better:
            return f"It raises F1 by {one.difference:.3f}: {figures}; {found}."
        return f"No candidate is shown to be better: F1 {figures}; {found}."

    def _fates(self) -> str:
        """What became of the candidates, none of which is the best: those that were not read are not said to be no
        better."""
        whole = f"the development split, where F1 is {self.development_before:.3f}"
        if not self.tried:
            why = f" ({self.stopped.why})" if self.stopped else ", as nothing was wrong in the rows that were read"
            return f"none was proposed{why}; on {whole} with the prompt that stands"
        read = sum(one.development is not None for one in self.tried)
        said = [f"{read:,} of {len(self.tried):,} read on {whole}, and no better there"] if read else []
        for fate, words in _FATES.items():
            mine = [one for one in self.tried if one.fate == fate]
            if mine:
                why = mine[-1].why
                if fate == "unfinished":
                    why = self.stopped.why if self.stopped else str(self.failure or "")
                why = f"{why[:_LONGEST_WHY]}…" if len(why) > _LONGEST_WHY else why.removesuffix(".")
                which = "" if len(mine) == 1 else "the last: "
                said.append(f"{len(mine):,} {words}" + (f" ({which}{why})" if why else ""))
        return "; ".join(said if read else [f"none was read on {whole}", *said])


def job_of(
    store: Store,
    settings: Settings,
    gold: Sequence[GoldRow],
    agent: str,
    *,
    category: str | None,
    folder: Path,
    size: int,
) -> Job:
    """What there is to do; nothing is asked. folder: of one's own prompts. size: rows at most.

    Raises:
        ReaseqError: there is no such agent, it finds no values, there are too few rows, or a file is wrong.
    """
    pipeline = pipeline_of(settings)
    library = prompts_of(settings, pipeline)
    standing = library[agent]
    if agent == Summarizer.name or agent not in pipeline.names:
        known = ", ".join(name for name in pipeline.names if name != Summarizer.name)
        raise ReaseqError(f"{agent} finds no values, so no F1 is its", hint=f"reaseq prompts improve AGENT   ({known})")
    names = list(dict.fromkeys(row.category for row in gold)) if category is None else [category]
    benches: dict[str, Bench] = {}
    rows: list[Row] = []
    notes: list[str] = []
    for name in names:
        bench, subjects = bench_of_gold(store, settings, gold, name, len(gold))
        mine = bench.schema.category
        try:
            bench.require(agent)
        except ReaseqError as error:
            if len(names) == 1:
                raise
            notes.append(f"Left out: {error}.")
            continue
        if category is None and mine in library.overlays(agent):
            notes.append(f"Left out: {mine} has a prompt of its own; --category {mine} is for it.")
            continue
        benches[mine] = bench
        own = library.locales(agent, mine)
        read = [one for one in subjects if one.judged and nearest(one.locale, own) is None]
        if left := sum(bool(one.judged) for one in subjects) - len(read):
            notes.append(f"Left out: {left:,} rows of {mine}, for whose locale there is a prompt of its own.")
        rows += [Row(mine, one) for one in read]
    rows = sorted(rows, key=lambda row: scattered(row.subject.product_id))[:size]
    parts = split(rows)
    if not parts.training or len(parts.development) < FEWEST_DEVELOPMENT or len(parts.held_out) < FEWEST_HELD_OUT:
        raise ReaseqError(
            f"{len(rows):,} rows are too few: {len(parts.training)} to learn from, {len(parts.development)} to choose "
            f"by (at least {FEWEST_DEVELOPMENT}), {len(parts.held_out)} held out (at least {FEWEST_HELD_OUT})",
            hint="reaseq review gold gold.jsonl   (makes one of what people decided; forty rows are a beginning)",
        )
    if category is None:
        text = library.text(agent)
        target = Target(agent, library, Variant(standing, text))
        path = folder / f"{agent}.yaml"
    else:
        (category,) = benches
        over = library.overlays(agent).get(category)
        text = read_text(over) if over is not None else f"{EXTENDS}: {agent}\n"
        prompt = parse_prompt(text, over or Path(f"{agent}.yaml"), given=library.given(agent), base=standing)
        target = Target(agent, library, Variant(prompt, text), standing)
        path = folder / category / (over.name if over is not None else f"{agent}.yaml")
    if path.is_file():
        parse_prompt(read_text(path), path, given=library.given(agent), base=target.beneath)
    return Job(store, settings, pipeline, target, category, benches, parts, path, tuple(notes))


@contextmanager
def improvement_engines(
    settings: Settings, pipeline: Pipeline, proposer: ModelChoice, *, progress: Progress | None = None
) -> Iterator[tuple[Endpoint, dict[str, Endpoint]]]:
    """The engine of the settings, up, and by agent those of agents that have one of their own, and the proposer's.

    Raises:
        EngineError: one lacks a setting, or could not be started.
    """
    usual, others = engine_configs(settings, pipeline)
    others[PROPOSER] = engine_config(settings.model_copy(update=proposer.settings))
    with engines.start_several(usual, others, progress) as started:
        yield started


async def improve(
    job: Job,
    made: Improvement,
    endpoint: Endpoint,
    endpoints: Mapping[str, Endpoint],
    *,
    budget: Budget,
    pinned: Sequence[Path] = (),
    rounds: int = 20,
    stop: asyncio.Event | None = None,
    on_row: Callable[[str, int, int], None] = lambda what, done, total: None,
    on_tried: Callable[[Tried], None] = lambda tried: None,
) -> None:
    """Look for a better prompt, and hold the best against the one that stands, on rows that neither has seen. Nothing
    is stored but the replies and the texts of what was tried. made: filled with what comes of it, whatever ends it.

    Raises:
        ReaseqError: cost is limited and a model has no price, or a file of pinned cases is wrong.
    """
    for one in (endpoint, *endpoints.values()):
        budget.check(one.model, one.price)
    settings, target = job.settings, job.target
    kept = {"prompt": target.base.prompt.fingerprint, "agent": target.agent, "category": job.category}
    try:
        with booked(job.store, endpoint, command="prompts improve", engine=settings.engine, settings=kept) as ledger:
            async with AsyncExitStack() as stack:

                async def chat(one: Endpoint, *, noting: bool) -> Chat:
                    log = Noting(ledger) if noting else ledger
                    return await stack.enter_async_context(chat_of(settings, one, log, budget))

                of_agents = {name: await chat(one, noting=True) for name, one in endpoints.items() if name != PROPOSER}
                bench = Workbench(
                    target,
                    job.benches,
                    Chats(
                        await chat(endpoint, noting=True),
                        of_agents,
                        await chat(endpoint, noting=False),
                        await chat(endpoints[PROPOSER], noting=False),
                    ),
                    budget,
                    stop or asyncio.Event(),
                    PromptProposer(target.library[PROPOSER]),
                    pinned,
                    on_row=on_row,
                )
                try:
                    await _improve(job, made, bench, rounds, on_tried)
                finally:
                    counts = ledger.counts
                    made.calls, made.cost = counts.calls, counts.cost
                    made.prompt_tokens, made.completion_tokens = counts.prompt_tokens, counts.completion_tokens
    except EngineError as error:
        made.failure = error


async def _improve(
    job: Job, made: Improvement, bench: Workbench, rounds: int, on_tried: Callable[[Tried], None]
) -> None:
    target = job.target
    pinned = 0, 0.0
    try:
        await bench.read(target.base, job.rows.training[:MINIBATCH])
        bench.held_out = FEWEST_HELD_OUT
        pinned = await bench.begin()
        rows = _afforded(job.rows, bench, pinned)
        bench.held_out = len(rows.held_out)
    except BudgetExceeded as error:
        made.stopped = _and_what_would_do(Stopped(str(error), "limit"), job.rows, bench, pinned)
        return
    except Ended as error:
        made.stopped = error.stopped
        if error.stopped.by == "limit":
            made.stopped = _and_what_would_do(error.stopped, job.rows, bench, pinned)
        return
    finally:
        made.passing, made.failing = bench.passing, bench.failing
    made.training, made.development = len(rows.training), len(rows.development)
    search = Search(bench, rows, target.base, rounds=rounds, seed=job.settings.seed, on_tried=on_tried)
    bench.search, made.tried = search, search.tried
    try:
        await search.run()
    finally:
        made.stopped = search.stopped
        if not search.pool and made.stopped is not None and made.stopped.by == "limit":
            made.stopped = _and_what_would_do(made.stopped, job.rows, bench, pinned)
        if search.pool:
            made.development_before = search.pool[0].f1
        if (best := search.best) is not None:
            made.best, made.development_after = best.variant, best.f1
    if made.best is None or bench.stop.is_set():
        return
    pairs = Pairs()
    try:
        await bench.held_out_pairs(rows.held_out, made.best, pairs)
    finally:
        pairs.done.sort(key=lambda pair: pair.subject.product_id)
        made.held_out, made.f1 = len(pairs.done), f1_of(pairs.done)
        made.stopped = pairs.stopped or made.stopped


@dataclass(frozen=True)
class _Takes:
    """What an answer takes, in tokens or in cost. row: with the prompt that stands; once: a proposal, and its pinned
    cases; largest: the worst case of a request; so_far: what was used."""

    limit: float
    row: float
    once: float
    largest: float
    so_far: float

    def of(self, held_out: int, development: int) -> float:
        """The whole, with one candidate that is read on so many rows."""
        both = self.row * (1 + _LONGER)
        return self.so_far + (MINIBATCH + development + MARGIN * held_out) * both + self.once + 2 * self.largest

    def rows(self, held_out: int, development: int) -> tuple[int, int]:
        """So many rows to hold out and to choose by at most, of those that there are; fewer where a candidate would not
        fit beside them.

        Raises:
            BudgetExceeded: not even the fewest fit.
        """
        readings = self.limit / self.row if self.row else inf
        most = (
            max(FEWEST_HELD_OUT, min(held_out, readings * _FOR_HELD_OUT / (2 * MARGIN))),
            max(FEWEST_DEVELOPMENT, min(development, readings * _FOR_DEVELOPMENT)),
        )
        least, whole = self.of(FEWEST_HELD_OUT, FEWEST_DEVELOPMENT), self.of(int(most[0]), int(most[1]))
        if least > self.limit:
            raise BudgetExceeded("the limit leaves no room to choose and to hold out rows")
        share = 1.0 if whole <= self.limit else (self.limit - least) / (whole - least)
        return (
            int(FEWEST_HELD_OUT + share * (most[0] - FEWEST_HELD_OUT)),
            int(FEWEST_DEVELOPMENT + share * (most[1] - FEWEST_DEVELOPMENT)),
        )


def _takes(bench: Workbench, rows: Split, pinned: tuple[float, float]) -> tuple[_Takes | None, _Takes | None]:
    """In tokens and in cost; None: that is not limited. pinned: what its cases took with the prompt that stands."""
    budget, shown = bench.budget, rows.training[:MINIBATCH]
    row = bench.a_row_takes(bench.target.base)
    known = any(row)
    at_most, a_case = bench.takes_at_most(shown)
    if not known:
        row = at_most
    if bench.pinned and not any(pinned):
        count = len(bench.cases(bench.target.base))
        pinned = count * a_case[0], count * a_case[1]
    proposal = bench.a_proposal_takes(shown)
    used = (budget.tokens, budget.cost)
    made: list[_Takes | None] = []
    for n, limit in enumerate((budget.max_tokens, budget.max_cost)):
        once = sum(proposal[n]) + pinned[n]
        largest = max(budget.largest[n], *proposal[n], at_most[n] if not known else 0.0)
        so_far = max(used[n], 0.0 if known else len(shown) * row[n] + pinned[n])
        made.append(None if limit is None else _Takes(limit, row[n], once, largest, so_far))
    return made[0], made[1]


def _afforded(rows: Split, bench: Workbench, pinned: tuple[float, float]) -> Split:
    """As many rows as the budget has room for, by what those took that were read so far.

    Raises:
        BudgetExceeded: it has none.
    """
    held_out, development = len(rows.held_out), len(rows.development)
    for one in filter(None, _takes(bench, rows, pinned)):
        held_out, development = one.rows(held_out, development)
    return rows._replace(development=rows.development[:development], held_out=rows.held_out[:held_out])


def _and_what_would_do(stopped: Stopped, rows: Split, bench: Workbench, pinned: tuple[float, float]) -> Stopped:
    """The same, with about the budget that would do."""
    tokens, cost = _takes(bench, rows, pinned)
    told = []
    for one, form in ((tokens, "{:,.0f} tokens"), (cost, "{:.6g} in cost")):
        if one is not None:
            told.append(form.format(_rounded_up(one.of(FEWEST_HELD_OUT, FEWEST_DEVELOPMENT))))
    return stopped._replace(why=f"{stopped.why.removesuffix('.')}; about {' and '.join(told)} would do")


def _rounded_up(figure: float) -> float:
    """With two digits that count."""
    digits = 10.0 ** (floor(log10(figure)) - 1) if figure > 0 else 1.0
    return ceil(figure / digits) * digits


@dataclass(frozen=True)
class Adopted:
    """A prompt that was written. version: its name; before: that of the text which stood in the file, if any did."""

    path: Path
    version: str
    before: str | None


def adopt(job: Job, variant: Variant) -> Adopted:
    """Write a prompt into its file, as a version with a name; what stood in the file is kept as one too.

    Raises:
        ReaseqError: the file cannot be written.
    """
    store, target = job.store, job.target
    taken = {one.name for one in prompt_versions.versions(store)}
    number = next(n for n in range(1, len(taken) + 2) if not {f"improved-{n}", f"before-improved-{n}"} & taken)

    def kept(one: Variant, name: str) -> str:
        fingerprint = one.prompt.fingerprint
        text = target.kept_text(one)
        prompt_versions.keep(store, target.agent, text, version=fingerprint, bound=fingerprint, category=None)
        version = next(v for v in prompt_versions.versions(store, target.agent) if v.fingerprint == fingerprint)
        if version.name is None:
            prompt_versions.call_it(store, version, name)
        return version.name or name

    before = None
    if job.path.is_file():
        before = kept(target.variant(read_text(job.path)), f"before-improved-{number}")
    name = kept(variant, f"improved-{number}")
    try:
        job.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReaseqError(f"{job.path.parent}: {error.strerror or error}", hint="name another place") from error
    whole(job.path, lambda partial: partial.write_text(variant.text, encoding="utf-8"))
    return Adopted(job.path, name, before)
