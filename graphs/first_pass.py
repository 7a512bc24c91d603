"""Knowledge before the first call: what code alone finds of a category's products, hundreds of them a second.

It needs no weights and no endpoint. What is committed is whole by itself: stop it any time, and run it again. A model's
later pass replaces it, product by product; what a model has found of the same text already is left alone.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from typing import Any

from reaseq.agents.claims import Claim
from reaseq.agents.learned import Learned
from reaseq.agents.product_text import source_fields
from reaseq.graphs.ledger import Counts, Outcome
from reaseq.graphs.options import Options, require_products, starting_schema
from reaseq.graphs.reading import Reading, ToRead, begin_reading, read_all
from reaseq.graphs.staleness import code_parts, due_by_code
from reaseq.graphs.teaching import Teaching, trust_of
from reaseq.knowledge_store.store import ProductKnowledge, Store, StoredSchema
from reaseq.knowledge_store.tables import LOCKED, RunStatus
from reaseq.knowledge_store.thresholds import verified_from
from reaseq.llm.endpoint import EngineError
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import CategorySchema

_BATCH = 200
_FEW = 5
"""Batches that are read before other processes are worth their start."""
_MOST_PROCESSES = 8


@dataclass
class FirstKnowledge:
    """What became of the products: `read` now, `known` already, by code or by a model. `status` says how it ended."""

    run_id: int = 0
    total: int = 0
    read: int = 0
    known: int = 0
    verified: int = 0
    proposed: int = 0
    rejected: int = 0
    seconds: float = 0.0
    status: RunStatus = RunStatus.FAILED
    notes: list[str] = field(default_factory=list)


def first_pass(
    store: Store,
    options: Options,
    *,
    teaching: Teaching | None = None,
    processes: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[FirstKnowledge], None] = lambda made: None,
) -> FirstKnowledge:
    """Read by code every product of the category of which nothing is known yet, or of another text, or by other code.

    processes: how many read beside this one, once there are many products; by default one a processor. Where products
    are labelled, what they teach is applied too, in this process alone.

    Raises:
        ReaseqError: the category has no products.
    """
    import time

    started = time.monotonic()
    category = require_products(store, options.category)
    made = FirstKnowledge(total=min(store.count_products(category), options.limit or 10**12))
    made.run_id = store.start_run(
        command="distill",
        category=category,
        model="",
        engine="none",
        settings=asdict(options),
        versions={"reaseq": version("reaseq")},
    )
    try:
        stored = _schema(store, options, category, made.run_id)
        learned, labelled = _learned(store, stored.schema, teaching, options.seed, made)
        trust = trust_of(store, stored.schema)
        reading = Reading(Lexicon(stored.schema), learned, trust)
        again = teaching is not None and teaching.again
        batches = _batches(store, stored.schema, trust.verified_from, options.limit, labelled, made, again=again)
        for batch, found in _found(reading, batches, processes):
            _commit(store, stored, reading.several, batch, found, made)
            made.seconds = time.monotonic() - started
            on_progress(made)
            if stop():
                made.status = RunStatus.STOPPED
                return made
        made.status = RunStatus.DONE
    except KeyboardInterrupt:
        made.status = RunStatus.STOPPED
        raise
    finally:
        made.seconds = time.monotonic() - started
        counts = {name: value for name, value in vars(made).items() if isinstance(value, int | float)}
        store.end_run(made.run_id, made.status, counts)
    return made


def outcome_of(made: FirstKnowledge) -> Outcome:
    """What a run by code alone came to, as one of a model says it."""
    counts = Counts(total=made.total, unchanged=made.known, done=made.read, verified=made.verified)
    counts.proposed, counts.rejected, counts.seconds = made.proposed, made.rejected, made.seconds
    counts.notes = made.notes
    return Outcome(made.run_id, made.status, counts)


def due(store: Store, options: Options) -> tuple[int, int]:
    """How many products `first_pass` would read, of how many.

    Raises:
        ReaseqError: the category has no products.
    """
    category = require_products(store, options.category)
    starter = starting_schema(category, options.schemas_dir)
    stored = _made_of(starter, store.latest_schema(category))
    made = FirstKnowledge(total=min(store.count_products(category), options.limit or 10**12))
    schema = stored.schema if stored is not None else starter
    threshold = verified_from(store, category)
    return sum(map(len, _batches(store, schema, threshold, options.limit, None, made))), made.total


def _made_of(starter: CategorySchema, stored: StoredSchema | None) -> StoredSchema | None:
    """The stored schema, if it was made of what the category's starter is now."""
    made = json.loads(stored.derived_from or "[]") if stored is not None else []
    return stored if starter.fingerprint in made[:1] else None


def _schema(store: Store, options: Options, category: str, run_id: int) -> StoredSchema:
    starter = starting_schema(category, options.schemas_dir)
    if (stored := _made_of(starter, store.latest_schema(category))) is not None:
        return stored
    return store.save_schema(starter, derived_from=json.dumps([starter.fingerprint]), run_id=run_id)


def _learned(
    store: Store, schema: CategorySchema, teaching: Teaching | None, seed: int, made: FirstKnowledge
) -> tuple[Learned | None, str | None]:
    if teaching is None:
        return None, None
    try:
        return teaching.learn(store, schema, seed=seed)
    except EngineError as error:
        made.notes.append(f"nothing was learnt from labelled products: {error}")
        return None, None


def _batches(
    store: Store,
    schema: CategorySchema,
    threshold: float,
    limit: int | None,
    labelled: str | None,
    made: FirstKnowledge,
    *,
    again: bool = False,
) -> Iterator[list[ToRead]]:
    batch: list[ToRead] = []
    for product, before, _ in islice(store.products(schema.category), limit):
        sources, variants = source_fields(product), product["variants"]
        parts = code_parts(schema, sources, variants, threshold) | ({"labelled": labelled} if labelled else {})
        if not due_by_code(parts, before, again=again):
            made.known += 1
            continue
        batch.append(ToRead(product["id"], sources, variants, [], parts))
        if len(batch) == _BATCH:
            yield _with_decisions(store, batch)
            batch = []
    if batch:
        yield _with_decisions(store, batch)


def _with_decisions(store: Store, batch: list[ToRead]) -> list[ToRead]:
    decided = store.decided_of([one.product_id for one in batch])
    return [
        ToRead(one.product_id, one.sources, one.variants, decided.get(one.product_id, []), one.parts) for one in batch
    ]


def _found(
    reading: Reading, batches: Iterator[list[ToRead]], processes: int | None
) -> Iterator[tuple[list[ToRead], list[list[Claim]]]]:
    """Each batch with the claims of its products, in order."""
    count = min(processes or os.cpu_count() or 1, _MOST_PROCESSES)
    for batch in islice(batches, None if count < 2 or reading.learned is not None else _FEW):
        yield batch, reading.read(batch)
    first = next(batches, None)
    if first is None:
        return
    schema = reading.lexicon.schema
    with ProcessPoolExecutor(count, get_context("spawn"), begin_reading, (schema, reading.trust)) as pool:
        waiting: deque[tuple[list[ToRead], Future[list[list[Claim]]]]] = deque()
        try:
            coming: list[ToRead] | None = first
            while coming is not None or waiting:
                while coming is not None and len(waiting) < 2 * count:
                    waiting.append((coming, pool.submit(read_all, coming)))
                    coming = next(batches, None)
                batch, future = waiting.popleft()
                yield batch, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _commit(
    store: Store,
    stored: StoredSchema,
    several: set[str],
    batch: Sequence[ToRead],
    found: Sequence[Sequence[Claim]],
    made: FirstKnowledge,
) -> None:
    stamp = {"prompt_fingerprint": "", "schema_version": stored.version, "model": ""}
    knowledge = []
    for product, claims in zip(batch, found, strict=True):
        new: list[Mapping[str, Any]] = [claim for claim in claims if claim["status"] not in LOCKED]
        for claim in new:
            setattr(made, claim["status"], getattr(made, claim["status"]) + 1)
        knowledge.append(
            ProductKnowledge(
                product.product_id, product.parts, claims=[dict(claim) | stamp for claim in new], several=several
            )
        )
    store.save_knowledge(*knowledge, run_id=made.run_id)
    made.read += len(batch)
