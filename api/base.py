"""`reaseq.open`: a store of products, claims and events, and what is done with it, from Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from reaseq import ReaseqError
from reaseq.api import checking
from reaseq.api.errors import in_python
from reaseq.api.frames import Frame
from reaseq.api.running import Progress, polled, run, shown
from reaseq.api.settings import Settings, load
from reaseq.api.views import Product

if TYPE_CHECKING:
    from reaseq.agents.pipeline import Pipeline
    from reaseq.api.ranking import Ranker
    from reaseq.graphs.beyond_log import Imagined
    from reaseq.graphs.ledger import Outcome
    from reaseq.graphs.plan import Plan
    from reaseq.knowledge_store.events import EventReport
    from reaseq.knowledge_store.feeds.rows import Feed
    from reaseq.knowledge_store.importing import ImportReport

_DEFAULT_BY = "python"
_BATCH = 500
"""Products whose claims are read together."""


class KnowledgeBase:
    """A store and its settings. Close it, or use it as a context manager. A pickle of it holds the settings, and opens
    the store anew."""

    def __init__(self, settings: Settings, pipeline: Pipeline | None = None) -> None:
        from reaseq.knowledge_store.store import Store

        self.settings = settings
        self.pipeline = pipeline
        self.store = Store.open(settings.store_url)

    def close(self) -> None:
        self.store.close()
        self.store = _Closed()  # type: ignore[assignment]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        from reaseq.api.pickling import anywhere, base_again

        return base_again, (anywhere(self.settings), self.pipeline)

    def __repr__(self) -> str:
        if isinstance(self.store, _Closed):
            return f"<KnowledgeBase {self.settings.store_url}: closed>"
        categories = ", ".join(
            f"{name or 'no category'} ({count:,})" for name, count in list(self.store.categories().items())[:5]
        )
        return f"<KnowledgeBase {self.settings.store_url}: {self.store.count_products():,} products: {categories}>"

    # What comes in

    @in_python
    def add_products(
        self,
        source: Any,
        *,
        category: str | None = None,
        columns: Mapping[str, str | int] | None = None,
        replaces: bool = False,
        name: str = "",
        progress: Progress | bool = False,
    ) -> ImportReport:
        """Add or update products, as `reaseq import` does; what became of every row.

        source: a file's path, a data frame (pandas, polars, Arrow), or dictionaries, one a product; None, NaN, NaT and
        pandas' NA are nothing. What `products` gives may go in again: the columns that reaseq made (read_by, summary)
        are left out. columns: of a field (id, title, description, brand, price, list_price, currency,
        category) the column, where it is not found out. replaces: is that all there is to know of its products? name:
        keeps the ids of several sources apart.

        Raises:
            ReaseqError: it cannot be read, is an empty file, or nothing can be the title; it is a frame of something
                else (claims, events, ...); an argument is none of these.
        """
        from reaseq.knowledge_store.feeds.opening import open_feed, understood
        from reaseq.knowledge_store.importing import ImportReport, import_feed, titled
        from reaseq.knowledge_store.names import codes_in
        from reaseq.knowledge_store.own_frames import as_received
        from reaseq.taxonomy.category_paths import CategoryNames

        named = checking.columns(columns)
        category = None if category is None else checking.category(category)
        replaces = checking.flag(replaces, "replaces")
        name = checking.text(name, "name", "erp") if name != "" else ""
        opened = _opened(source, lambda path: open_feed(path, as_evidence=True))
        if opened is None:
            return ImportReport(0, {}, [])
        checking.comes_in(opened.columns, "products")
        feed = as_received(self.store, opened, named.values(), all_rows=bool(category or replaces or name))
        feed, mapping = understood(feed, named, codes=codes_in(self.store, name))
        feed, mapping = titled(self.store, feed, mapping, named, name)
        with shown(progress, "importing") as step:
            report = import_feed(
                self.store,
                feed,
                mapping,
                category=category,
                names=CategoryNames(self.settings.schemas_dir),
                replaces=replaces,
                source=name,
                rejected_dir=self.settings.state_dir / "rejected",
                on_progress=lambda report: step(*_done(opened, report.rows)),
            )
            step(*_done(opened, report.rows))
            return report

    @in_python
    def add_events(
        self,
        source: Any,
        *,
        columns: Mapping[str, str | int] | None = None,
        kind: str = "purchase",
        progress: Progress | bool = False,
    ) -> EventReport:
        """Add events of a behaviour log, as `reaseq import-events` does; what became of every row.

        source: as of `add_products`. columns: of a field (user, item, time, kind, quantity, ...) the column. kind: that
        of rows that name none.

        Raises:
            ReaseqError: it cannot be read, is an empty file, names no user or no item, or no row of it can be used; an
                argument is none of these.
        """
        from functools import partial

        from reaseq.knowledge_store import event_columns
        from reaseq.knowledge_store.events import EventReport, import_events
        from reaseq.knowledge_store.feeds.dialect import FOUND_OUT
        from reaseq.knowledge_store.feeds.opening import open_feed
        from reaseq.knowledge_store.names import read_names

        named, kind = checking.columns(columns), checking.text(kind, "kind", "purchase")
        is_header = partial(event_columns.names_a_user, overrides=named)
        opened = _opened(source, lambda path: open_feed(path, FOUND_OUT, is_header))
        if opened is None:
            return EventReport(0, self.store.clock() or "time")
        checking.comes_in(opened.columns, "events")
        names = read_names(self.store)
        feed, fields = event_columns.understood(opened, named, names)
        with shown(progress, "importing") as step:
            return import_events(
                self.store,
                feed,
                fields,
                names=names,
                kind=kind,
                rejected_dir=self.settings.state_dir / "rejected",
                on_progress=lambda report: step(*_done(opened, report.rows)),
            )

    # Knowledge

    @in_python
    def plan(self, category: str, *, limit: int | None = None) -> Plan:
        """What `distill` would do, why, and what it would take; no model is asked. limit: of products.

        Raises:
            ReaseqError: the category has no products.
        """
        from reaseq.api.engine import distill_options, plan_of, teaching

        category, limit = checking.category(category), _limit(limit)
        options = distill_options(self.settings, category, limit)
        return plan_of(self.store, self.settings, options, self._pipeline(), teaching=teaching(self.settings))

    @in_python
    def distill(
        self,
        category: str,
        *,
        engine: str | None = None,
        model: str | None = None,
        limit: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        progress: Progress | bool = True,
    ) -> Outcome:
        """Distil a category's products into verified claims and a summary each, as `reaseq distill` does: first by code
        alone, then by the model, if the engine has one. Only what is new or has changed is done; interrupted, it goes
        on where it was when it is called again.

        engine, model: instead of those of the settings; engine "none" asks no model.

        Raises:
            ReaseqError: the category has no products, the engine cannot be had, or a limit is reached.
        """
        return run(
            lambda: self.adistill(
                category,
                engine=engine,
                model=model,
                limit=limit,
                max_tokens=max_tokens,
                max_cost=max_cost,
                progress=progress,
            )
        )

    @in_python
    async def adistill(
        self,
        category: str,
        *,
        engine: str | None = None,
        model: str | None = None,
        limit: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        progress: Progress | bool = False,
    ) -> Outcome:
        """The same from a coroutine."""
        import asyncio

        from reaseq.api.engine import distill_options, prompts_of, several_engines, teaching
        from reaseq.graphs.distill import distill
        from reaseq.graphs.first_pass import first_pass, outcome_of
        from reaseq.graphs.ledger import Counts
        from reaseq.llm.budget import Budget

        category, limit = checking.category(category), _limit(limit)
        max_tokens = None if max_tokens is None else checking.whole(max_tokens, "max_tokens")
        max_cost = None if max_cost is None else checking.amount(max_cost, "max_cost")
        settings, pipeline = self._with(engine=engine, model=model), self._pipeline()
        options, taught = distill_options(settings, category, limit), teaching(settings)
        with shown(progress, "distilling") as step:
            made = await asyncio.to_thread(
                first_pass,
                self.store,
                options,
                teaching=taught,
                processes=1,  # others would run the caller's script once more, unless it is guarded
                on_progress=lambda made: step("reading by code", made.read + made.known, made.total),
            )
            if settings.engine == "none":
                return outcome_of(made)
            counts = Counts()
            engines = several_engines(settings, pipeline)
            endpoint, endpoints = await asyncio.to_thread(engines.__enter__)
            try:
                with polled(counts, step):
                    return await distill(
                        self.store,
                        endpoint,
                        prompts_of(settings, pipeline),
                        options,
                        engine=settings.engine,
                        budget=Budget(max_tokens=max_tokens, max_cost=max_cost),
                        counts=counts,
                        teaching=taught,
                        pipeline=pipeline,
                        endpoints=endpoints,
                    )
            finally:
                await asyncio.to_thread(engines.__exit__, None, None, None)

    def graph(self, category: str) -> AbstractAsyncContextManager[Any]:
        """The product graph of a category as LangGraph has it, with its engine up: a compiled graph over plain data,
        which a graph of yours may have as a node.

            async with kb.graph("shoes") as graph:
                found = await graph.ainvoke({"product": {"title": "...", "description": "..."}})

        What comes out has `claims`, `summary`, `failures` and perhaps `prose`. Nothing is stored but the replies.
        Outside the `async with` nobody answers it.

        Raises:
            ReaseqError: the pipeline, a prompt or a schema is wrong, or the engine cannot be had; when it is entered.
        """
        from reaseq.api.studio import product_graph

        return product_graph(self, category)

    @in_python
    def embed(self, category: str | None = None, *, progress: Progress | bool = True) -> dict[str, tuple[int, int]]:
        """Embed what is new or changed, of a category or of all products: of each source (claims, title) how many were
        embedded, and how many are unchanged.

        Raises:
            ReaseqError: the category has no products, or the encoder cannot be had.
        """
        from reaseq.knowledge_store import embeddings
        from reaseq.knowledge_store.encoder import Encoder
        from reaseq.llm import encoders

        category = self._category(category)
        encoder = Encoder(*encoders.resolve(self.settings.weights_dir, self.settings.encoder))
        with shown(progress, "embedding") as step:
            return embeddings.embed(
                self.store, encoder, category, on_step=lambda done, total: step("embedding", done, total)
            )

    @in_python
    def decide(self, claim: Mapping[str, Any], action: str, value: str | None = None, *, by: str = _DEFAULT_BY) -> int:
        """Approve, edit or reject a claim, for good: no run changes what was decided. The decision's number, by which
        `undo` takes it back; decided so already, a claim stays as it is, and it is that of the earlier decision.

        claim: a row of `claims()`, or a claim of a `product`. action: "approve", "reject", or "edit", with the `value`
        that it should have. by: who decides.

        Raises:
            ReaseqError: there is no such claim any more, no such action, or the attribute does not take that value.
        """
        from reaseq.api.deciding import settle
        from reaseq.knowledge_store.decision_sheet import as_value, takes
        from reaseq.knowledge_store.decisions import Action, attribute_of, decision_on, find_claim

        claim = checking.same_claim(claim, find_claim(self.store, checking.claim_number(claim)))
        by = checking.text(by, "by", "ann")
        if action not in (Action.APPROVE, Action.EDIT, Action.REJECT):
            raise ReaseqError(f"no such action: {action!r}", hint='"approve", "edit" or "reject"')
        if (action == Action.EDIT) != (value is not None):
            raise ReaseqError("an edit, and nothing else, has a value", hint='kb.decide(claim, "edit", "leather")')
        value = None if value is None else checking.text(value, "value", "leather")
        attribute = attribute_of(self.store, claim["product_id"], claim["attribute"])
        earlier = decision_on(self.store, claim)
        if earlier and earlier["action"] == action:
            said = as_value(attribute, value) if attribute is not None and value is not None else value
            if earlier["decided"] == said:
                return int(earlier["id"])
        if earlier and claim["status"] == "rejected":
            raise ReaseqError(
                f"claim {claim['id']} is rejected already, by decision {earlier['id']}",
                hint=f"decide on a claim that stands (kb.claims()), or take that back: kb.undo({earlier['id']})",
            )
        if value is not None and attribute is not None:
            known = as_value(attribute, value)
            if known is None:
                raise ReaseqError(f"{attribute.name} does not take {value!r}", hint=f"one of: {takes(attribute)}")
            if known == claim["value"] and known.casefold() != value.casefold():
                raise ReaseqError(
                    f"{value!r} is another word for {known!r}: nothing would change",
                    hint='kb.decide(claim, "approve")',
                )
            value = known
        if value == claim["value"]:
            raise ReaseqError(f"{value!r} is the value that is there", hint='kb.decide(claim, "approve")')
        return settle(self.store, claim, Action(action), value, by=by)

    @in_python
    def undo(self, decision: int, *, by: str = _DEFAULT_BY) -> int:
        """Take a decision back, by its number: its claims are as they were before it, and the next run may change them.
        The number of this decision.

        Raises:
            ReaseqError: there is no such decision, it is taken back already, or a later one rests on it.
        """
        from reaseq.knowledge_store.decisions import withdraw

        return withdraw(self.store, checking.decision(decision), by=checking.text(by, "by", "ann"))

    @in_python
    def decisions(self, product_id: str | int | None = None) -> Frame:
        """What people have decided, on a product or on all, the newest first: columns id, at, by, action, product_id,
        title, attribute, value (as it was), decided (what it was edited to) and withdrawn."""
        import pyarrow as pa

        from reaseq.knowledge_store.decisions import decisions

        of = None if product_id is None else self.product(product_id).id
        types = {"id": pa.int64(), "at": pa.timestamp("us", "UTC")}
        types |= {
            name: pa.string() for name in ("by", "action", "product_id", "title", "attribute", "value", "decided")
        }
        types |= {"withdrawn": pa.bool_()}
        return Frame.of(
            ({name: row[name] for name in types} for row in decisions(self.store, product_id=of)),
            types,
        )

    # What is known

    @in_python
    def failures(self) -> Frame:
        """Products that are not done, or not wholly, since a distillation failed on them, and why: columns product_id,
        title, agent (or step) that could not do it, reason, attempts and at. One is gone once its product is done."""
        import pyarrow as pa

        types = {name: pa.string() for name in ("product_id", "title", "agent", "reason")}
        types |= {"attempts": pa.int64(), "at": pa.timestamp("us", "UTC")}
        found = self.store.failures()
        return Frame.of(
            (one | {"agent": one["stage"], "at": one["created_at"].replace(tzinfo=UTC)} for one in found), types
        )

    @in_python
    def product(self, product_id: str | int) -> Product:
        """A product by its id, SKU or barcode, with all that is known of it.

        Raises:
            ReaseqError: none goes by this name, or several do.
        """
        from reaseq.agents.product_text import source_fields
        from reaseq.knowledge_store.names import find_product
        from reaseq.knowledge_store.summaries import composed

        product = find_product(self.store, checking.one_id(product_id, "product"))
        claims, prose, _ = self.store.knowledge(product["id"])
        return Product(
            product["id"],
            product["title"],
            product["category"],
            source_fields(product),
            claims,
            self.store.variants([product["id"]]).get(product["id"], []),
            composed(product, claims) if claims else "",
            prose["text"] if prose else None,
        )

    @in_python
    def products(self, category: str | None = None) -> Frame:
        """Columns id, title, category, brand, price, currency, description, read_by (code, model or teacher; null: not
        distilled yet) and summary."""
        import pyarrow as pa

        from reaseq.knowledge_store.summaries import composed

        category = self._category(category)
        types = {name: pa.string() for name in ("id", "title", "category", "brand")}
        types |= {"price": pa.float64(), "currency": pa.string(), "description": pa.string()}
        types |= {"read_by": pa.string(), "summary": pa.string()}

        def rows() -> Iterator[dict[str, Any]]:
            read_by = {one["id"]: one["read_by"] for one in self.store.distilled(category=category)}
            for name in [category] if category else self.store.categories():
                products = self.store.products(name)
                while batch := [product for product, _, _ in islice(products, _BATCH)]:
                    known = self.store.summed_up([product["id"] for product in batch])
                    for product in batch:
                        made = {column: product.get(column) for column in types}
                        made["read_by"] = read_by.get(product["id"])
                        claims = known.get(product["id"])
                        made["summary"] = composed(product, claims) if claims else None
                        yield made

        return Frame.of(rows(), types)

    @in_python
    def claims(self, category: str | None = None, *, status: str | None = None) -> Frame:
        """Every claim: columns id, product_id, title, category, attribute, value, status, confidence, field, start,
        end, quote, reason, verdict, claim_type, found_by, read_by, decided_by, model.

        status: those of one alone: "verified", "proposed" (not settled) or "rejected" by a run, "approved" or "edited"
        by a person, or "retired": their agent is switched off.

        Raises:
            ReaseqError: the category has no products, or there is no such status.
        """
        import pyarrow as pa

        from reaseq.knowledge_store.tables import ClaimStatus

        category = self._category(category)
        if status is not None and status not in list(ClaimStatus):
            raise ReaseqError(f"no such status: {status!r}", hint=f"one of: {', '.join(ClaimStatus)}")
        types = {"id": pa.int64(), **{name: pa.string() for name in ("product_id", "title", "category")}}
        types |= {name: pa.string() for name in ("attribute", "value", "status")} | {"confidence": pa.float64()}
        types |= {"field": pa.string(), "start": pa.int64(), "end": pa.int64()}
        types |= {name: pa.string() for name in ("quote", "reason", "verdict", "claim_type")}
        types |= {name: pa.string() for name in ("found_by", "read_by", "decided_by", "model")}
        rows = (
            {name: claim.get(name) for name in types}
            for claim in self.store.claims(category=category)
            if status is None or claim["status"] == status
        )
        return Frame.of(rows, types)

    @in_python
    def events(self) -> Frame:
        """Every event, by user, then time: columns user_id, at (Unix seconds, or the position), product_id, kind."""
        import pyarrow as pa

        from reaseq.knowledge_store.events import read_events

        names = ("user_id", "at", "product_id", "kind")
        schema = pa.schema([(name, pa.float64() if name == "at" else pa.string()) for name in names])
        batches = [pa.table(dict(zip(names, batch, strict=True)), schema=schema) for batch in read_events(self.store)]
        return Frame(pa.concat_tables(batches) if batches else schema.empty_table())

    @in_python
    def users(self, limit: int | None = None) -> Frame:
        """The users of the log, those with most events first: columns user_id, events, products (how many different
        ones), first and last (Unix seconds, or positions). What was only shown to them does not count.

        limit: at most so many.

        Raises:
            ReaseqError: limit is no number of users.
        """
        import pyarrow as pa

        from reaseq.knowledge_store import events

        types = {"user_id": pa.string(), "events": pa.int64(), "products": pa.int64()}
        types |= {"first": pa.float64(), "last": pa.float64()}
        return Frame.of(events.users(self.store, _limit(limit)), types)

    @in_python
    def embeddings(self) -> Frame:
        """The newest embeddings of products, as whitened for rankers: columns product_id and vector (of float32).

        Raises:
            ReaseqError: nothing has been embedded yet.
        """
        import numpy as np
        import pyarrow as pa

        from reaseq.knowledge_store import embeddings

        space = embeddings.find_space(self.store)
        if space is None:
            raise ReaseqError("no product has an embedding yet", hint="kb.embed()")
        ids, vectors = embeddings.load_vectors(self.store, space)
        flat = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
        listed = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1] if len(ids) else 1)
        return Frame(pa.table({"product_id": pa.array(ids, pa.string()), "vector": listed}))

    # Ranking

    @in_python
    def train_ranker(self, *, name: str | None = None, progress: Progress | bool = True, **settings: Any) -> Ranker:
        """Train the ranker on the log and evaluate it beside baselines, as `reaseq train-ranker` does. A run that is
        there already is taken as it is, one that was stopped goes on.

        name: one for the run, by which `ranker` finds it.

        settings, by name:

            features=None         what is known: some of "id", "knowledge" (of products), "beyond_log" (of users, what
                                  was imagined); None: what there is
            split=None            "temporal", "leave-one-out" or "leave-last-basket-out"; None: temporal where the log
                                  has times, else leave-one-out
            kinds=None            kinds of events to learn from ("view", "purchase", ...); None: all that are behaviour
            seeds=1               how often each variant is trained
            seed=                 the first of the seeds; by default that of the knowledge base
            ablate=False          train with each of the features alone, too
            epochs=100            at most
            patience=5            epochs without a better validation NDCG@10 before it stops
            tokens=2048           events a batch; fewer where an epoch is short
            lr=0.002              learning rate
            id_lr=0.002           that of the table of ids
            warmup=100            steps over which the learning rates rise
            weight_decay=0.01     of AdamW
            negatives=512         negatives that a batch shares
            skipped=0.15          share of events left out, others each epoch
            newest=0.25           weight of an epoch's parameters in the running mean that is kept; 1: no mean
            precision="auto"      "fp32" or "bf16"; auto: bf16 on a GPU, fp32 on a CPU
            compile=None          the encoder, by torch.compile; None: on a GPU
            dim=128               width of vectors; a multiple of heads
            blocks=2              blocks of the transformer
            heads=4               heads of its attention
            hidden=2              width of its feed-forward layer, in units of dim
            most=50               events of a history that are looked at, its last
            dropout=0.4           share of activations that are dropped
            id_dropout=0.1        how often a product is known by its knowledge alone
            temperature=0.06      of the cosine scores
            knowledge_norm=0.7    length of what knowledge adds to a product's vector
            discount=0.0          taken off a score for each e-fold of a product's events: favours rare ones
            imagined_gate=0.1     how far imagined events sway a history at first, 0 to 1
            imagined_dropout=0.2  how often a sequence is seen without them
            repeats=True          learn what repetition adds

        Raises:
            ReaseqError: there is no log, no such setting, or a setting cannot be as it is.
        """
        from reaseq.ranker import run_names, runs

        name = None if name is None else run_names.checked(name)
        config = runs.with_settings(runs.RunConfig(), {"seed": self.settings.seed} | settings)
        prepared = runs.prepare(self.store, config)
        folder = self.settings.runs_dir / prepared.id
        at_work = "training"
        with shown(progress, at_work) as step:

            def begin(variant: str, seed: int) -> None:
                nonlocal at_work
                at_work = f"{variant}, seed {seed}"

            runs.execute(
                prepared, folder, on_start=begin, on_step=lambda done, total: step(f"{at_work}, events", done, total)
            )
        if name is not None:
            run_names.give(folder, name)
        return self.ranker(prepared.id)

    @in_python
    def imagine(
        self,
        users: str | int | Sequence[str | int] | None = None,
        *,
        slots: int = 8,
        progress: Progress | bool = True,
        **settings: Any,
    ) -> Imagined:
        """Imagine what users plausibly do outside the log, as `reaseq train-beyond-log` and `reaseq imagine` do: the
        model is trained on the log first, unless it is there. How many were imagined now; `imagined` gives what.

        users: by their ids, one or several; None: all. slots: events of each. settings of the model and its training,
        by name:

            folds=2               parts of the users: what is imagined of one is learnt from the others
            digits=4              digits of a product's semantic code
            size=256              values of a digit
            seed=                 of everything random; by default that of the knowledge base
            epochs=60             at most
            patience=5            epochs without a better validation loss before it stops
            batch=32              users a batch
            lr=0.002              learning rate
            warmup=100            steps over which it rises
            weight_decay=0.05     of AdamW
            spans=0.5             how often a span of time is hidden, not whole groups of products
            newest=0.25           weight of an epoch's parameters in the running mean that is kept; 1: no mean
            held_out=0.1          share of the users that tell when to stop
            dim=64                width of vectors; a multiple of heads
            encoder_blocks=1      blocks of the transformer that reads the history
            decoder_blocks=2      of the one that imagines
            heads=4               heads of their attention
            history=64            events of a history that are looked at, its last
            dropout=0.2           share of activations that are dropped
            condition_dropout=0.1 how often the history is not shown, which guidance needs

        Raises:
            ReaseqError: there is no log, no product has an embedding, or a user has no events; no users are given, or a
                setting cannot be as it is.
        """
        from reaseq.beyond_log.fit import BeyondLogConfig, with_settings
        from reaseq.beyond_log.sampler import SampleConfig
        from reaseq.graphs import beyond_log
        from reaseq.knowledge_store.events import unknown_users

        wanted = None if users is None else list(dict.fromkeys(checking.some_ids(users, "users to imagine for")))
        if wanted and (unknown := unknown_users(self.store, wanted)):  # said before the training, not after it
            raise ReaseqError(f"no events of user {unknown[0]!r}", hint="kb.users()")
        slots = checking.whole(slots, "slots")
        config = with_settings(BeyondLogConfig(), {"seed": self.settings.seed} | settings)
        if slots > config.model.slots:  # it must have learnt to imagine as many together
            config = with_settings(config, {"slots": slots})
        with shown(progress, "imagining") as step:
            beyond_log.train_beyond_log(
                self.store,
                config,
                self.settings.beyond_log_dir,
                on_step=lambda done, total: step("training, batches", done, total),
            )
            return beyond_log.imagine(
                self.store,
                self.settings.beyond_log_dir,
                SampleConfig(slots=slots, seed=self.settings.seed),
                users=wanted,
                on_step=lambda done, total: step("imagining, users", done, total),
            )

    @in_python
    def imagined(self, user: str | int) -> Frame:
        """What was imagined of a user last, the surest first: columns product_id, title, category, confidence (the
        calibrated chance that the user does such a thing) and until (when the last event was that it rests on).

        Raises:
            ReaseqError: nothing has been imagined yet, or the log has no such user.
        """
        import pyarrow as pa

        from reaseq.knowledge_store.events import history
        from reaseq.knowledge_store.imagined import find_imagination, imagined_of

        user = checking.one_id(user)
        imagination = find_imagination(self.store)
        if imagination is None:
            raise ReaseqError("nothing has been imagined yet", hint="kb.imagine()")
        types = {name: pa.string() for name in ("product_id", "title", "category")}
        types |= {"confidence": pa.float64(), "until": pa.float64()}
        rows = imagined_of(self.store, imagination, user)
        if not rows and not history(self.store, user, 1):
            raise ReaseqError(f"the log has no user {user!r}", hint="kb.users()")
        return Frame.of(({name: row[name] for name in types} for row in rows), types)

    @in_python
    def ranker(self, run: str | None = None) -> Ranker:
        """The ranker of a finished run, by its name, its id or the start of that; None: of the newest.

        Raises:
            ReaseqError: there is none.
        """
        from reaseq.api.ranking import Ranker
        from reaseq.ranker import runs

        named = None if run is None else checking.run(run)
        return Ranker(self.store, runs.find(self.settings.runs_dir, named))

    def _category(self, category: str | None) -> str | None:
        """A category as it is stored. Raises ReaseqError if no product is in it."""
        from reaseq.graphs.options import require_products

        return None if category is None else require_products(self.store, checking.category(category))

    def _pipeline(self) -> Pipeline:
        from reaseq.api.engine import pipeline_of

        return self.pipeline or pipeline_of(self.settings)

    def _with(self, **overrides: Any) -> Settings:
        """The settings with some of them otherwise, checked."""
        given = {name: value for name, value in overrides.items() if value is not None}
        return load(**(self.settings.model_dump() | given)) if given else self.settings


def _limit(value: int | None) -> int | None:
    return None if value is None else checking.whole(value, "limit")


def _opened(source: Any, opened: Callable[[Path], Feed]) -> Feed | None:
    """The feed of a file, or of what is in memory; None of what holds nothing there."""
    from reaseq.knowledge_store.feeds.frames import frame_feed

    if isinstance(source, str | os.PathLike):
        return opened(checking.path(source, "file"))
    feed = frame_feed(source)
    first = next(feed.rows, None)
    return None if first is None else replace(feed, rows=chain([first], feed.rows))


def _done(feed: Feed, rows: int) -> tuple[str, int, int]:
    """How much of a feed is imported: of a file bytes, of what is in memory rows."""
    from reaseq.knowledge_store.feeds.frames import IN_MEMORY

    if feed.format in IN_MEMORY:
        return "importing, rows", rows, feed.size
    return "importing, bytes", feed.position(), feed.size


class _Closed:
    """In the store's place, once it is closed."""

    def close(self) -> None:
        """It is."""

    def __getattr__(self, name: str) -> Any:
        raise ReaseqError("this knowledge base is closed", hint='reaseq.open("kb")')


@in_python
def open_base(path: str | Path | None = None, *, pipeline: Any = None, **settings: Any) -> KnowledgeBase:
    """See `reaseq.open`."""
    if pipeline is None or isinstance(pipeline, str | Path):
        settings["pipeline"] = pipeline
        pipeline = None
    elif type(pipeline).__name__ != "Pipeline":  # whose class takes a while to load
        raise ReaseqError(f"{pipeline!r} is no pipeline", hint="reaseq.Pipeline([...]), or the path of a YAML file")
    if path is not None:
        folder = checking.path(path, "folder")
        if folder.is_file():
            raise ReaseqError(f"{folder} is a file, and a base is a folder", hint=f'reaseq.open("{folder.parent}")')
        settings = {"state_dir": folder, "runs_dir": folder / "runs", **settings}
    made = load(**settings)
    _must_be_there(made)
    return KnowledgeBase(made, pipeline)


def _must_be_there(settings: Settings) -> None:
    """Are the files and folders that the settings name where they are said to be?

    Raises:
        ReaseqError: one is not.
    """
    files = {
        "pipeline": settings.pipeline,
        "replay_file": settings.replay_file if settings.engine == "replay" else None,
    }
    folders = {
        name: getattr(settings, name) for name in ("prompts_dir", "schemas_dir") if name in settings.model_fields_set
    }
    for name, path in (files | folders).items():
        if path is not None and not (path.is_dir() if name in folders else path.is_file()):
            what = "folder" if name in folders else "file"
            raise ReaseqError(
                f"{name}: there is no {what} {path.absolute()}", hint=f'{name}="{what.upper()}", with its path'
            )
