"""What a search for a better prompt works with: it reads rows, asks for other wordings, makes examples, tests pinned
cases, and sees to it that enough of the budget is left to read the rows held out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reaseq.agents.attribute_extractor import AttributeExtractor, examples_of
from reaseq.agents.prompt_proposer import PromptProposer, mistake, system_of
from reaseq.agents.summarizer import Summarizer
from reaseq.agents.verifier import Verifier
from reaseq.api.prompt_trials import Bench, Candidate, bench_of_schema
from reaseq.graphs.examples import for_verifier, ungrounded
from reaseq.graphs.golden import Project
from reaseq.graphs.options import schema_in_force
from reaseq.graphs.product_graph import StageFailure, with_repairs
from reaseq.graphs.prompt_search import Ended, Row, Search, Variant, faulty
from reaseq.graphs.prompt_tests import GOLD_ENDINGS, Case, golden, of_gold, run_all
from reaseq.graphs.trial import Pairs, Read, Subject, Trial, read_in_pairs
from reaseq.graphs.workers import FAILURES_IN_A_ROW, INTERRUPTED, all_or_first_error
from reaseq.knowledge_store.calls import taken
from reaseq.llm.budget import estimate_tokens
from reaseq.llm.chat import EndpointFailed, Message, ReplyError, RequestRefused
from reaseq.prompts.edited import edited
from reaseq.prompts.library import (
    Example,
    Prompt,
    PromptError,
    PromptLibrary,
    doubts_of,
    neutral,
    parse_prompt,
    written,
)
from reaseq.taxonomy.schema import CategorySchema, attribute_name
from reaseq.taxonomy.schema import Example as SchemaExample

if TYPE_CHECKING:
    from reaseq.llm.budget import Budget
    from reaseq.llm.chat import Chat

MARGIN = 1.1
"""What the rows held out may take beside what rows have taken so far."""
_REPAIRS = 1
"""How often instructions that cannot be used go back to the proposer."""


@dataclass(frozen=True)
class Chats:
    """Through which models are asked. rows, of_agents: they note which product a reply is of. plain: for pinned cases,
    proposer: for wordings."""

    rows: Chat
    of_agents: Mapping[str, Chat]
    plain: Chat
    proposer: Chat


@dataclass(frozen=True)
class Target:
    """The prompt that is to become better: an agent's, or with `beneath` (the prompt that it overrides) a category's.
    name: of the file, as messages have it."""

    agent: str
    library: PromptLibrary
    base: Variant
    beneath: Prompt | None = None

    def variant(self, text: str, examples_of: frozenset[str] = frozenset()) -> Variant:
        """Raises:
        PromptError: no sound prompt is in the file's text.
        """
        path = Path(f"{self.agent}.yaml")
        prompt = parse_prompt(text, path, given=self.library.given(self.agent), base=self.beneath)
        return Variant(prompt, text, examples_of)

    def reworded(self, parent: Variant, system: str) -> Variant:
        """The parent with another system text, which keeps to the rules of every prompt.

        Raises:
            PromptError: it breaks one; the message says which, without file and line.
        """
        if neutral(system) != system:
            raise PromptError("the text holds hidden characters or a chat template's tokens")
        try:
            made = self.variant(edited(parent.text, system=system), parent.examples_of)
        except PromptError as error:
            raise PromptError("; ".join(_without_place(line) for line in str(error).splitlines())) from error
        if made.prompt.system.strip() != system.strip():
            raise PromptError("the text is not the same once it is in the file")
        known = {what for _, what in doubts_of(self.base.text)}
        if doubts := [what for _, what in doubts_of(made.text) if what not in known]:
            raise PromptError("; ".join(doubts))
        return made

    def kept_text(self, variant: Variant) -> str:
        """The text under which the store keeps a version; of a category's prompt what its parts come to."""
        return variant.text if self.beneath is None else written(variant.prompt)


def _without_place(line: str) -> str:
    where, _, what = line.partition(": ")
    return what if where.rpartition(":")[2].isdigit() else line


@dataclass
class Workbench:
    """See `reaseq.graphs.prompt_search.Workbench`. held_out: how many rows will be read at the end, with two prompts.
    on_row: told what is read, and of how many rows how many are done."""

    target: Target
    benches: Mapping[str, Bench]
    chats: Chats
    budget: Budget
    stop: asyncio.Event
    proposer: PromptProposer
    pinned: Sequence[Path] = ()
    held_out: int = 0
    on_row: Callable[[str, int, int], None] = lambda what, done, total: None
    search: Search | None = None
    passing: list[str] = field(default_factory=list)
    """The pinned cases that pass with the prompt that stands: these a winner must not break."""
    failing: list[str] = field(default_factory=list)
    _trials: dict[tuple[str, str], Trial] = field(default_factory=dict)
    _reads: dict[tuple[str, str, str], Read] = field(default_factory=dict)
    _took: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    _in_a_row: int = 0

    async def read(self, variant: Variant, rows: Sequence[Row]) -> list[Read]:
        """Rows read with a prompt, each once. A row that the endpoint does not answer counts as one without values.

        Raises:
            Ended: it is to end; what was under way is done.
            BudgetExceeded, EndpointRefused: no further row can be read.
            EndpointFailed: ten rows in a row failed because the endpoint did.
        """
        self.leave_enough()
        found: dict[int, Read] = {}
        todo = iter(enumerate(rows))

        async def work(todo: Iterator[tuple[int, Row]]) -> None:
            for number, row in todo:
                if self.stop.is_set():
                    return
                found[number] = await self._read(variant, row)
                self.on_row(self._doing(variant), len(found), len(rows))

        width = self.benches[rows[0].category].settings.calls_at_a_time if rows else 1
        await all_or_first_error([asyncio.create_task(work(todo)) for _ in range(min(width, len(rows)))])
        if len(found) < len(rows):
            raise Ended(INTERRUPTED)
        return [found[number] for number in range(len(rows))]

    def _doing(self, variant: Variant) -> str:
        tried = self.search.tried if self.search else []
        standing = variant is self.target.base or not tried
        which = "the prompt that stands" if standing else f"candidate {tried[-1].number}"
        return f"rows read with {which}, {self.budget.tokens:,} tokens so far"

    async def _read(self, variant: Variant, row: Row) -> Read:
        key = variant.prompt.fingerprint, row.category, row.subject.product_id
        if key in self._reads:
            return self._reads[key]
        try:
            read = await self.trial(variant, row.category).read(row.subject)
        except EndpointFailed as error:
            self._in_a_row += 1
            if self._in_a_row >= FAILURES_IN_A_ROW:
                raise
            failure = StageFailure(stage=self.target.agent, reason=str(error), attempts=1)
            return Read([], None, [failure], [])
        self._in_a_row = 0
        self._reads[key] = read
        calls = taken(self.benches[row.category].store, read.calls).values()
        tokens = sum(one["prompt_tokens"] + one["completion_tokens"] for one in calls)
        self._took.setdefault(variant.prompt.fingerprint, []).append((tokens, sum(one["cost"] or 0.0 for one in calls)))
        return read

    def trial(self, variant: Variant, category: str) -> Trial:
        """The agents of a category with a prompt, made once. The summarizer is left out: no value is its."""
        key = variant.prompt.fingerprint, category
        if key not in self._trials:
            version = Candidate.of(variant.prompt, "", self.target.kept_text(variant))
            bench = self.benches[category]
            self._trials[key] = bench.trial_of(
                version, self.chats.rows, self.chats.of_agents, leave_out={Summarizer.name}
            )
        return self._trials[key]

    def a_row_takes(self, variant: Variant) -> tuple[float, float]:
        """Tokens and cost of a row with a prompt: the mean of those read so far, earlier replies to equal requests
        among them; 0 of both, if none was read."""
        took = self._took.get(variant.prompt.fingerprint, ())
        return (
            sum(tokens for tokens, _ in took) / max(1, len(took)),
            sum(cost for _, cost in took) / max(1, len(took)),
        )

    def takes_at_most(self, rows: Sequence[Row]) -> tuple[tuple[float, float], tuple[float, float]]:
        """The same before any was read, as the mean of rows, estimated and rather more than less; and of a pinned
        case, about which all agents are asked."""
        of_rows, of_cases = [0.0, 0.0], [0.0, 0.0]
        for row in rows:
            bench = self.benches[row.category]
            agents = self.trial(self.target.base, row.category).agents
            text = ("user", agents.showing(row.subject.document).text)
            for agent in agents.agents:
                prompt = estimate_tokens([*agent.prompt.messages, text, ("user", agent.prompt.template)])
                chat = self.chats.of_agents.get(agent.name, self.chats.rows)
                tokens = prompt, agent.prompt.max_tokens
                found = (float(sum(tokens)), chat.endpoint.price.of(*tokens) if chat.endpoint.price else 0.0)
                asked = 1 + bench.repairs(agent.name) / 2
                for made in (of_cases, of_rows) if agent.name != Summarizer.name else (of_cases,):
                    made[0] += asked * found[0] / len(rows)
                    made[1] += asked * found[1] / len(rows)
        return (of_rows[0], of_rows[1]), (of_cases[0], of_cases[1])

    def a_proposal_takes(self, rows: Sequence[Row]) -> tuple[list[int], list[float]]:
        """Tokens and cost of each request for one about these rows, if it goes back as often as it may."""
        documents = [row.subject.document for row in rows]
        several = self.proposer.takes(self.target.base.prompt, documents, _REPAIRS)
        price = self.chats.proposer.endpoint.price
        return [sum(one) for one in several], [price.of(*one) if price else 0.0 for one in several]

    def leave_enough(self) -> None:
        """Keep back what the rows held out will take: with the prompt that stands, and with the costliest that may
        win; and room for the largest request, as the last one needs its worst case."""
        pool = [one.variant for one in self.search.pool] if self.search else []
        first = self.a_row_takes(self.target.base)
        second = [max(both) for both in zip(first, *map(self.a_row_takes, pool), strict=True)]
        tokens, cost = (self.held_out * MARGIN * (one + other) for one, other in zip(first, second, strict=True))
        largest = self.budget.largest if self.held_out else (0, 0.0)
        self.budget.keep_back(round(tokens) + largest[0], cost + largest[1])

    async def reworded(self, parent: Variant, seen: Sequence[tuple[Row, Read]], number: int) -> Variant:
        """Another wording. One that cannot be used goes back once, with what is wrong with it.

        Raises:
            ReplyError: none came that can be used.
            Ended, BudgetExceeded, EndpointRefused, EndpointFailed: see `read`.
        """
        self.leave_enough()
        if self.stop.is_set():
            raise Ended(INTERRUPTED)
        shown = [_mistake(row, read) for row, read in seen]

        async def ask(repair: tuple[Message, ...]) -> Variant:
            try:
                reply = await self.proposer.propose(
                    self.chats.proposer, parent.prompt, shown, sample=number - 1, repair=repair
                )
            except RequestRefused as error:
                raise ReplyError(str(error)) from error
            try:
                return self.target.reworded(parent, system_of(reply))
            except PromptError as error:
                raise ReplyError(f"Your instructions cannot be used: {error}", reply) from error

        return await with_repairs(ask, _REPAIRS)

    def with_examples(self, parent: Variant, added: Sequence[tuple[Row, Example]]) -> Variant:
        """The parent with further examples.

        Raises:
            PromptError: no sound prompt comes of it.
        """
        examples = [*parent.prompt.examples, *(example for _, example in added)]
        shown = parent.examples_of | {row.subject.product_id for row, _ in added}
        return self.target.variant(edited(parent.text, examples=examples), shown)

    def example(self, row: Row, read: Read) -> Example | None:
        """The row as an example of the extractor, with its gold values, if its text bears them; of the verifier, with
        a claim that it judged wrongly. Other agents have none."""
        if self.target.agent == AttributeExtractor.name:
            return self._for_extractor(row)
        if self.target.agent == Verifier.name:
            return _for_verifier(row.subject, read)
        return None

    def _for_extractor(self, row: Row) -> Example | None:
        bench, sources = self.benches[row.category], row.subject.document.sources
        values: dict[str, str | list[str]] = {}
        for attribute in bench.schema.asked:
            judged = row.subject.judged.get(attribute.name)
            if judged and judged.right and attribute.facet == "supply":
                form = attribute.value_of(judged.right[0]) if attribute.kind == "closed" else judged.right[0]
                if form is None:
                    return None
                values[attribute.name] = [form] if attribute.multiple else form
        known = {name: sources.get(name, "") for name in ("title", "description")}
        try:
            example = SchemaExample(**known, brand=sources.get("brand"), values=values)
            schema = bench.schema.replace(examples=(example,))
        except ValueError:  # pydantic's; the schema does not take these values
            return None
        if not values or any(ungrounded(schema)):
            return None
        return examples_of(schema, grammar=self.chats.rows.endpoint.grammar)[0]

    async def broken(self, variant: Variant) -> list[str]:
        """The pinned cases that pass with the prompt that stands, and not with this one.

        Raises:
            Ended, BudgetExceeded, EndpointRefused: see `read`.
        """
        if not self.passing:
            return []
        failed = {name for name, passed in (await self._pinned(variant, set(self.passing))).items() if not passed}
        return [name for name in self.passing if name in failed]

    async def begin(self) -> tuple[int, float]:
        """Find out which pinned cases pass with the prompt that stands; what that took, in tokens and cost.

        Raises:
            ReaseqError: a file holds no cases.
            Ended, BudgetExceeded, EndpointRefused: see `read`.
        """
        tokens, cost = self.budget.tokens, self.budget.cost
        if self.pinned:
            for name, passed in (await self._pinned(self.target.base, None)).items():
                (self.passing if passed else self.failing).append(name)
        return self.budget.tokens - tokens, self.budget.cost - cost

    def cases(self, variant: Variant) -> list[Case]:
        """The pinned cases, to be run with a prompt.

        Raises:
            ReaseqError: a file holds none.
        """
        bench = next(iter(self.benches.values()))
        settings = bench.settings
        library = self.target.library.with_prompt(variant.prompt)
        project = Project(library, bench.pipeline, str(settings.schemas_dir))

        def trial_of(schema: CategorySchema) -> Trial:
            return replace(bench_of_schema(bench.store, settings, schema), library=library).trial(self.chats.plain)

        def schema_of(category: str) -> CategorySchema | None:
            known = self.benches.get(attribute_name(category))
            return known.schema if known else schema_in_force(bench.store, category, settings.schemas_dir)

        cases: list[Case] = []
        for file in self.pinned:
            if file.suffix in GOLD_ENDINGS:
                cases += of_gold(file, trial_of, schema_of)
            else:
                cases.append(golden(file, project, self.chats.plain))
        if self.target.beneath is not None:  # others are asked by another prompt
            cases = [one for one in cases if attribute_name(one.name.partition("/")[0]) in self.benches]
        return cases

    async def _pinned(self, variant: Variant, only: set[str] | None) -> dict[str, bool]:
        self.leave_enough()
        if self.stop.is_set():
            raise Ended(INTERRUPTED)
        cases = [one for one in self.cases(variant) if only is None or one.name in only]
        results, stopped = await run_all(
            cases,
            width=next(iter(self.benches.values())).settings.calls_at_a_time,
            stop=self.stop,
            on_case=lambda done, total: self.on_row("pinned cases", done, total),
        )
        if stopped is not None:
            raise Ended(stopped)
        return {one.name: one.status == "passed" for one in results}

    async def held_out_pairs(self, rows: Sequence[Row], winner: Variant, made: Pairs) -> None:
        """Read the rows held out with the prompt that stands and with the winner, for what is left of the budget.

        Raises:
            EndpointRefused, EndpointFailed: see `read`.
        """
        self.budget.keep_back(0, 0.0)
        category_of = {row.subject.product_id: row.category for row in rows}
        bench = next(iter(self.benches.values()))
        await read_in_pairs(
            [row.subject for row in rows],
            _Routed(self, self.target.base, category_of),
            _Routed(self, winner, category_of),
            width=bench.settings.calls_at_a_time,
            made=made,
            stop=self.stop,
            on_pair=lambda pairs: self.on_row("rows held out, read in both ways", len(pairs.done), len(rows)),
        )


@dataclass(frozen=True)
class _Routed:
    """A prompt over several categories."""

    bench: Workbench
    variant: Variant
    category_of: Mapping[str, str]

    async def read(self, subject: Subject) -> Read:
        return await self.bench.trial(self.variant, self.category_of[subject.product_id]).read(subject)


def _mistake(row: Row, read: Read) -> str:
    best, judged = read.best(), row.subject.judged
    return mistake(
        row.subject.document,
        {name: one.right for name, one in judged.items()},
        best,
        [name for name, one in judged.items() if faulty(one.outcome(best.get(name)))],
        refused=[claim for claim in read.claims if claim["status"] == "rejected"],
        failed=[failure["reason"] for failure in read.failures],
    )


def _for_verifier(subject: Subject, read: Read) -> Example | None:
    for claim in read.claims:
        judged = subject.judged.get(claim["attribute"])
        if judged is not None and judged.right and "the verifier" in claim["verdict"]:
            right = bool(judged.outcome(claim).right)
            if right is (claim["status"] == "rejected"):
                return for_verifier(dict(subject.document.sources), claim, right=right)
    return None
