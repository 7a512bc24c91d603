"""A search for a better prompt: what is proposed is tried on a few rows, then on all that it is chosen by.

Reflective evolution in the manner of GEPA (Agrawal et al. 2025, arXiv 2507.19457): of the prompts so far one is drawn
that does best on some row (a Pareto set by row, so that what helps on few rows is not lost), read on a minibatch of
training rows, and changed: another wording, which a model proposes that is shown what went wrong, or worked examples,
which are training rows that it failed at (as DSPy's bootstrapped demonstrations, Khattab et al. 2023, arXiv
2310.03714, but of gold values). What does better on the minibatch, and breaks no pinned case, is read on all rows of
the development split and joins the prompts.

The rows held out are none of the search's: nothing here sees them.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from reaseq.agents.extraction_score import Outcomes
from reaseq.agents.labelled import scattered
from reaseq.graphs.trial import Read, Subject
from reaseq.graphs.workers import Stopped
from reaseq.llm.budget import BudgetExceeded
from reaseq.llm.chat import ReplyError
from reaseq.prompts.library import Example, Prompt, PromptError

MINIBATCH = 4
"""Training rows on which a proposal is first tried; GEPA takes three."""
_EXAMPLES_AT_ONCE, _MOST_EXAMPLES = 2, 6

Kind = Literal["wording", "examples"]
Fate = Literal["refused", "no better", "breaks a pinned case", "kept", "unfinished"]


class Row(NamedTuple):
    """A product whose values are known, and the category of its schema."""

    category: str
    subject: Subject


class Split(NamedTuple):
    """Rows to learn from, rows to choose by, and rows that neither has seen."""

    training: list[Row]
    development: list[Row]
    held_out: list[Row]


@dataclass(frozen=True)
class Variant:
    """A prompt, and the text of the file that holds it. examples_of: the rows that are examples in it."""

    prompt: Prompt
    text: str
    examples_of: frozenset[str] = frozenset()


@dataclass
class Tried:
    """A proposal and what became of it. number: from 1; 0 is the prompt that stands. before, after: F1 of its parent
    and its own on the minibatch; development: on that split. broken: pinned cases that it breaks."""

    number: int
    kind: Kind
    parent: int
    fate: Fate = "unfinished"
    why: str = ""
    before: float | None = None
    after: float | None = None
    development: float | None = None
    broken: list[str] = field(default_factory=list)
    fingerprint: str | None = None


@dataclass(frozen=True)
class Member:
    """A prompt of the pool, with how it does on each row of the development split."""

    number: int
    variant: Variant
    outcomes: Sequence[Outcomes]

    @property
    def f1(self) -> float:
        return total(self.outcomes).f1


class Ended(Exception):
    """It is to end: somebody wants it, or pinned cases could not all be run."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__(stopped.why)
        self.stopped = stopped


class Workbench(Protocol):
    """What a search asks for. All of it may raise `BudgetExceeded`, `Ended` and what endpoints raise."""

    async def read(self, variant: Variant, rows: Sequence[Row]) -> list[Read]:
        """Rows read with a prompt; those it has read before cost nothing."""

    async def reworded(self, parent: Variant, seen: Sequence[tuple[Row, Read]], number: int) -> Variant:
        """Another wording. Raises ReplyError: none came that can be used."""

    def with_examples(self, parent: Variant, added: Sequence[tuple[Row, Example]]) -> Variant:
        """Raises PromptError: it cannot be used so."""

    def example(self, row: Row, read: Read) -> Example | None:
        """A row as a worked example; None: it cannot be one."""

    async def broken(self, variant: Variant) -> list[str]:
        """The pinned cases that pass with the prompt that stands, and not with this one."""


def split(rows: Sequence[Row]) -> Split:
    """A quarter to learn from, a quarter to choose by, half held out, by a hash of the products' ids; the same every
    time. Rows with the title of one that is learnt from or chosen by are not held out, as they would not be new."""
    made = Split([], [], [])
    for row in sorted(rows, key=lambda row: scattered(row.subject.product_id)):
        # Of other bytes than those by which it is sorted, or the beginning of all rows would be of one part.
        place = scattered(f"split {row.subject.product_id}")[0] / 256
        made[0 if place < 0.25 else 1 if place < 0.5 else 2].append(row)
    known = {row.subject.title.casefold() for row in (*made.training, *made.development)}
    return made._replace(held_out=[row for row in made.held_out if row.subject.title.casefold() not in known])


def outcomes(row: Row, read: Read) -> Outcomes:
    """How a row's values count."""
    best = read.best()
    return total([judged.outcome(best.get(name)) for name, judged in row.subject.judged.items()])


def total(several: Sequence[Outcomes]) -> Outcomes:
    made = Outcomes()
    for one in several:
        made += one
    return made


def faulty(one: Outcomes) -> bool:
    return bool(one.wrong or one.invented or one.missed)


def _score(one: Outcomes) -> float:
    """F1 of a row; where nothing is wanted and nothing found, all is right."""
    return one.f1 if one.right or faulty(one) else 1.0


class Search:
    """The state of a search, which may be read at any time: `pool` (the prompt that stands comes first), `tried`, and
    why it `stopped`."""

    def __init__(
        self,
        bench: Workbench,
        rows: Split,
        base: Variant,
        *,
        rounds: int,
        seed: int = 0,
        on_tried: Callable[[Tried], None] = lambda tried: None,
    ) -> None:
        self.bench, self.rows, self.base, self.rounds, self.on_tried = bench, rows, base, rounds, on_tried
        self.pool: list[Member] = []
        self.tried: list[Tried] = []
        self.stopped: Stopped | None = None
        self._random = random.Random(seed)
        self._batches = self._shuffled()
        self._failed: dict[int, dict[str, tuple[Row, Read]]] = {}

    @property
    def best(self) -> Member | None:
        """The prompt with the highest F1 on the development split, of equal ones the first; None: that which stands."""
        best = max(self.pool, key=lambda one: one.f1, default=None)
        return best if best is not None and best.number else None

    async def run(self) -> None:
        """Search until the rounds or the budget are at an end, or it is interrupted.

        Raises:
            EndpointRefused, EndpointFailed: the endpoint cannot be used; what was found so far stands.
        """
        try:
            reads = await self.bench.read(self.base, self.rows.development)
            self.pool.append(Member(0, self.base, self._counted(reads)))
            for number in range(1, self.rounds + 1):
                await self._round(number)
        except BudgetExceeded as error:
            self.stopped = Stopped(str(error), "limit")
        except Ended as error:
            self.stopped = error.stopped

    async def _round(self, number: int) -> None:
        parent, batch = self._parent(), next(self._batches)
        # A row must not be judged by a prompt that shows its values.
        batch = [row for row in batch if row.subject.product_id not in parent.variant.examples_of]
        reads = await self.bench.read(parent.variant, batch)
        seen = [(row, read) for row, read in zip(batch, reads, strict=True) if faulty(outcomes(row, read))]
        failed = self._failed.setdefault(parent.number, {})
        usable = self._examples(parent.variant, failed, batch) if number % 2 == 0 else []
        failed |= {row.subject.product_id: (row, read) for row, read in seen}
        if not seen:
            return  # nothing to learn from, and nothing that could be better
        tried = Tried(number, "examples" if usable else "wording", parent.number)
        self.tried.append(tried)
        try:
            await self._try(tried, parent, batch, reads, seen, usable)
        finally:
            self.on_tried(tried)

    async def _try(
        self,
        tried: Tried,
        parent: Member,
        batch: Sequence[Row],
        reads: Sequence[Read],
        seen: Sequence[tuple[Row, Read]],
        usable: Sequence[tuple[Row, Example]],
    ) -> None:
        try:
            if usable:
                variant = self.bench.with_examples(parent.variant, usable)
            else:
                variant = await self.bench.reworded(parent.variant, seen, tried.number)
        except (ReplyError, PromptError) as error:
            tried.fate, tried.why = "refused", str(error)
            return
        tried.fingerprint = variant.prompt.fingerprint
        same = next((one for one in self.tried[:-1] if one.fingerprint == tried.fingerprint), None)
        if same is not None or tried.fingerprint == self.base.prompt.fingerprint:
            tried.fate, tried.why = "refused", f"it is the same as {same.number if same else 'the prompt that stands'}"
            return
        tried.before = _f1(batch, reads)
        tried.after = _f1(batch, await self.bench.read(variant, batch))
        if tried.after <= tried.before:
            tried.fate = "no better"
            return
        tried.broken = await self.bench.broken(variant)
        if tried.broken:
            tried.fate, tried.why = "breaks a pinned case", ", ".join(tried.broken)
            return
        found = await self.bench.read(variant, self.rows.development)
        member = Member(tried.number, variant, self._counted(found))
        self.pool.append(member)
        tried.fate, tried.development = "kept", member.f1

    def _counted(self, reads: Sequence[Read]) -> list[Outcomes]:
        return [outcomes(row, read) for row, read in zip(self.rows.development, reads, strict=True)]

    def _shuffled(self) -> Iterator[list[Row]]:
        """Minibatches of the training rows, which are shuffled anew when all have been there."""
        order: list[Row] = []
        while True:
            if not order:
                order = list(self.rows.training)
                self._random.shuffle(order)
            yield [order.pop() for _ in range(min(MINIBATCH, len(order)))]

    def _parent(self) -> Member:
        """One of the pool: the likelier, the more rows it is best on; none that another outdoes on every row."""
        scores = {one.number: [_score(row) for row in one.outcomes] for one in self.pool}
        tops = [max(row) for row in zip(*scores.values(), strict=True)]
        front = [
            one
            for one in self.pool
            if not any(_outdone(scores[one.number], other) for number, other in scores.items() if number != one.number)
        ]
        weights = [sum(mine == top for mine, top in zip(scores[one.number], tops, strict=True)) for one in front]
        return self._random.choices(front, [weight or 0.1 for weight in weights])[0]

    def _examples(
        self, parent: Variant, failed: dict[str, tuple[Row, Read]], batch: Sequence[Row]
    ) -> list[tuple[Row, Example]]:
        """Rows that the parent failed at, the worst first, as examples; none of those on which it will be tried."""
        leave_out = {row.subject.product_id for row in batch} | parent.examples_of
        left = min(_EXAMPLES_AT_ONCE, _MOST_EXAMPLES - len(parent.examples_of))
        rows = [one for key, one in failed.items() if key not in leave_out]
        rows.sort(key=lambda one: _score(outcomes(*one)))
        made = ((row, self.bench.example(row, read)) for row, read in rows)
        return [(row, example) for row, example in made if example is not None][: max(0, left)]


def _outdone(mine: Sequence[float], other: Sequence[float]) -> bool:
    pairs = list(zip(mine, other, strict=True))
    return all(one <= two for one, two in pairs) and any(one < two for one, two in pairs)


def _f1(rows: Sequence[Row], reads: Sequence[Read]) -> float:
    return total([outcomes(row, read) for row, read in zip(rows, reads, strict=True)]).f1
