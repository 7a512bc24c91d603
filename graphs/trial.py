"""Products read with another version of a prompt, beside the one in force: nothing is stored but the replies."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from reaseq.agents.claims import Claim
from reaseq.agents.extraction_score import Outcomes
from reaseq.documents.document import Document
from reaseq.documents.tokens import stems
from reaseq.graphs.product_graph import (
    ProductAgents,
    Stage,
    StageFailure,
    build_product_graph,
    run_product_graph,
)
from reaseq.graphs.workers import FAILURES_IN_A_ROW, INTERRUPTED, Stopped, all_or_first_error
from reaseq.knowledge_store.store import Store
from reaseq.llm.budget import BudgetExceeded
from reaseq.llm.chat import Call, CallLog, EndpointFailed, EndpointRefused

KEPT = frozenset(("verified", "proposed"))
"""The statuses of values that a catalogue shows or asks about."""

_noted: ContextVar[list[int]] = ContextVar("noted")


class Judged(NamedTuple):
    """What is known of one attribute of a product. right: its values, in forms that are accepted; none, if it has
    none. wrong: values that somebody rejected. whole: is there no other value than those?"""

    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    whole: bool = True

    def outcome(self, claim: Mapping[str, Any] | None) -> Outcomes:
        """How a decision for this claim's value, or for none, counts. Forms are equal if their words are."""
        said = {stems(form) for form in (claim["value"], claim["quote"]) if form} if claim else set()
        if self.whole:
            made = Outcomes()
            right = claim is not None and bool(said & {stems(form) for form in self.right})
            made.add(("right",) if self.right else (), None if claim is None else "right" if right else "wrong")
            return made
        if self.right and (claim is None or said & {stems(form) for form in self.right}):
            return Outcomes(right=int(claim is not None), missed=int(claim is None))
        wrong = claim is not None and bool(self.right or said & {stems(form) for form in self.wrong})
        return Outcomes(wrong=int(wrong and bool(self.right)), invented=int(wrong and not self.right))


@dataclass(frozen=True)
class Subject:
    """A product to be read. judged: what is known of its attributes, by name. locale: of its text, if that is known."""

    product_id: str
    title: str
    document: Document
    variants: Sequence[Mapping[str, Any]] = ()
    judged: Mapping[str, Judged] = field(default_factory=dict)
    locale: str | None = None


@dataclass(frozen=True)
class Read:
    """What came of a product. calls: the numbers of its replies in the ledger, earlier ones to equal requests among
    them."""

    claims: list[Claim]
    prose: str | None
    failures: list[StageFailure]
    calls: list[int]

    def best(self) -> dict[str, Claim]:
        """The likeliest value of each attribute, of those that are kept."""
        made: dict[str, Claim] = {}
        for claim in sorted(self.claims, key=lambda one: (one["status"] != "verified", -(one["confidence"] or 0))):
            if claim["status"] in KEPT:
                made.setdefault(claim["attribute"], claim)
        return made


@dataclass(frozen=True)
class Noting:
    """A call log that notes which replies the product at hand takes."""

    calls: CallLog

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        found = self.calls.find_call(request_key, model_fingerprint)
        if found is not None:
            _noted.get().append(found[0])
        return found

    def record_call(self, call: Call) -> int:
        number = self.calls.record_call(call)
        _noted.get().append(number)
        return number

    def waits(self, why: str, seconds: float) -> None:
        self.calls.waits(why, seconds)


class Reads(Protocol):
    """What reads products; see `Trial.read`."""

    async def read(self, subject: Subject) -> Read: ...


class Trial:
    """The agents of a category at work with one version of the prompts. The chats of its stages log through
    `Noting`."""

    def __init__(self, store: Store, agents: ProductAgents, stages: Sequence[Stage]) -> None:
        self.store, self.agents, self.stages = store, agents, stages
        self._graph = build_product_graph(agents.reading, stages)

    async def read(self, subject: Subject) -> Read:
        """Read one product, as if nobody had decided anything of it.

        Raises:
            EndpointFailed: the endpoint did not answer.
            EndpointRefused, BudgetExceeded: no further product can be read.
        """
        calls: list[int] = []
        token = _noted.set(calls)
        try:
            state = await run_product_graph(
                self._graph,
                self.agents.reading,
                self.stages,
                subject.product_id,
                subject.document,
                variants=subject.variants,
                locale=subject.locale,
            )
        finally:
            _noted.reset(token)
        self.store.retire_calls(state["retired"])
        if state.get("endpoint_failed"):
            raise EndpointFailed(state["failures"][-1]["reason"], hint="see that the endpoint is up")
        claims = list(state.get("claims", ()))
        return Read(claims, state.get("prose"), list(state["failures"]), calls)


@dataclass(frozen=True)
class Pair:
    """A product read in both ways."""

    subject: Subject
    before: Read
    after: Read


@dataclass
class Pairs:
    """Those read so far, in the order in which they were done. failed: products that the endpoint did not answer for,
    with why. stopped: why not all were read."""

    done: list[Pair] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    stopped: Stopped | None = None


async def read_in_pairs(
    subjects: Sequence[Subject],
    before: Reads,
    after: Reads,
    *,
    width: int,
    made: Pairs | None = None,
    enough: Callable[[list[Pair]], str | None] = lambda pairs: None,
    stop: asyncio.Event | None = None,
    on_pair: Callable[[Pairs], None] = lambda pairs: None,
) -> Pairs:
    """Read products in both ways, `width` at a time, in their order; each is counted when both are done.

    enough: asked after each; says why it is enough, to begin no further one. A limit that is reached ends it in the
    same way, so does `stop` when it is set, an endpoint that refuses every request or failed ten products in a row, and
    being cancelled, at once. made: filled meanwhile.

    Raises:
        EndpointRefused, EndpointFailed: the same, where no product was done before.
    """
    made = made if made is not None else Pairs()
    stop = stop or asyncio.Event()
    todo, in_a_row = iter(subjects), 0

    async def work(todo: Iterator[Subject]) -> None:
        nonlocal in_a_row
        for subject in todo:
            if stop.is_set() or made.stopped:
                made.stopped = made.stopped or INTERRUPTED
                return
            try:
                pair = Pair(subject, await before.read(subject), await after.read(subject))
            except BudgetExceeded as error:
                made.stopped = Stopped(str(error), "limit")
                return
            except EndpointFailed as error:
                made.failed[subject.product_id] = str(error)
                in_a_row += 1
                if in_a_row >= FAILURES_IN_A_ROW:
                    raise
            else:
                in_a_row = 0
                made.done.append(pair)
                if (why := enough(made.done)) is not None:
                    made.stopped = made.stopped or Stopped(why)
            on_pair(made)

    try:
        await all_or_first_error([asyncio.create_task(work(todo)) for _ in range(max(1, width))])
    except (EndpointRefused, EndpointFailed) as error:
        if not made.done:
            raise
        made.stopped = Stopped(str(error), "endpoint")
    except asyncio.CancelledError:
        made.stopped = INTERRUPTED
    return made
