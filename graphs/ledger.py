"""The books of one run: its counts, and the call log that the chat client writes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from reaseq.agents.product_text import Shown
from reaseq.documents.document import Document
from reaseq.knowledge_store.shown import Result, counted
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.tables import RunStatus
from reaseq.llm.budget import BudgetExceeded

if TYPE_CHECKING:
    from reaseq.llm.chat import Call
    from reaseq.llm.endpoint import Endpoint

_LOG = logging.getLogger(__name__)
_SHOWN_FOR = 5.0
"""Seconds that a wait is shown whose end nobody knows."""


@dataclass
class Counts:
    """Where a run stands; the caller may read it while the run goes on."""

    total: int = 0
    unchanged: int = 0
    done: int = 0
    failed: int = 0
    verified: int = 0
    rejected: int = 0
    proposed: int = 0
    calls: int = 0
    reused: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    stage: str = "starting"
    schema_version: int | None = None
    notes: list[str] = field(default_factory=list)
    waits: tuple[str, float] = ("", 0.0)
    held_back: int = 0
    columns_left_out: int = 0
    texts_cut: int = 0
    other_kinds: int = 0

    def left_out(self, document: Document, prompt: Shown) -> None:
        """Count what of a product was shown to no model: sentences that give orders, columns, ends of long texts."""
        self.held_back += len(document.held)
        self.columns_left_out += len(prompt.columns)
        self.texts_cut += len(prompt.cut)

    @property
    def waiting(self) -> str:
        """Why requests wait at the endpoint, and how long yet; "" if none does."""
        why, until = self.waits
        left = until - time.monotonic()
        return f"{why}, {left:.0f} s" if left > 0 else ""

    @property
    def seen(self) -> int:
        return self.unchanged + self.done + self.failed

    def elapsed(self) -> float:
        """Seconds since the start, up to the end."""
        return self.seconds or time.monotonic() - self.started

    def stop_clock(self) -> None:
        self.seconds = time.monotonic() - self.started


_TOLD, _CLAIMS = ("done", "unchanged", "failed"), ("verified", "proposed", "rejected")
_RECORDED = (
    *("total", *_TOLD, *_CLAIMS),
    *("calls", "reused", "prompt_tokens", "completion_tokens", "cost", "seconds"),
)


@dataclass(frozen=True, repr=False)
class Outcome(Result):
    """How a run ended."""

    run_id: int
    status: RunStatus
    counts: Counts

    def told(self) -> str:
        counts = vars(self.counts)
        products = counted(counts, _TOLD) or "none"
        claims = counted(counts, _CLAIMS) or "none"
        asked = f"; {self.counts.calls:,} calls" if self.counts.calls else ""
        failed = "; kb.failures() says why" if self.counts.failed else ""
        return f"run {self.run_id} {self.status}; products: {products}; claims: {claims}{asked}{self._noted}{failed}"

    @property
    def _noted(self) -> str:
        """The first note, in words."""
        if not (notes := self.counts.notes):
            return ""
        more = f" (and {len(notes) - 1:,} more: counts.notes)" if len(notes) > 1 else ""
        return f"; note: {notes[0]}{more}"

    def records(self) -> list[dict[str, Any]]:
        """One: what was counted, tokens, cost (in the currency of the prices; None if unpriced) and seconds."""
        told = {name: vars(self.counts)[name] for name in _RECORDED}
        return [{"run_id": self.run_id, "status": str(self.status)} | told | {"notes": "; ".join(self.counts.notes)}]


@dataclass
class Ledger:
    """A `reaseq.llm.chat.CallLog` over the store, under one run's id. stopped: did the run end before all was done?"""

    store: Store
    run_id: int
    counts: Counts
    stopped: bool = False

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        found = self.store.find_call(request_key, model_fingerprint)
        self.counts.reused += found is not None
        return found

    def record_call(self, call: Call) -> int:
        call_id = self.store.add_call(run_id=self.run_id, **vars(call))
        self.counts.calls += 1
        self.counts.prompt_tokens += call.prompt_tokens
        self.counts.completion_tokens += call.completion_tokens
        if call.cost is not None:
            self.counts.cost = (self.counts.cost or 0.0) + call.cost
        note = f"the endpoint of {call.model} does not report usage: tokens and cost are estimates, on the high side"
        if call.reply.get("estimated") and note not in self.counts.notes:
            self.counts.notes.append(note)
        return call_id

    def waits(self, why: str, seconds: float) -> None:
        self.counts.waits = why, time.monotonic() + max(seconds, _SHOWN_FOR)


@contextmanager
def booked(
    store: Store, endpoint: Endpoint, *, command: str, engine: str, settings: dict[str, Any] | None = None
) -> Iterator[Ledger]:
    """The books of a run of `command`, closed with how it ended."""
    counts, status = Counts(), RunStatus.FAILED
    run_id = store.start_run(
        command=command,
        category=None,
        model=endpoint.model,
        engine=engine,
        settings=settings or {},
        versions={"reaseq": version("reaseq")},
    )
    try:
        ledger = Ledger(store, run_id, counts)
        yield ledger
        status = RunStatus.STOPPED if ledger.stopped else RunStatus.DONE
    except (BudgetExceeded, KeyboardInterrupt, asyncio.CancelledError):
        status = RunStatus.STOPPED
        raise
    finally:
        counts.stop_clock()
        for note in counts.notes:
            _LOG.warning(note)  # these commands show no counts
        store.end_run(run_id, status, asdict(counts))
