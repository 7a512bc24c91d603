"""The whole way as one graph: distill, embed, beyond the log, ranker, report.

Each node is a command of its own, and leaves what it makes in the store or in a folder. The graph's checkpoint only
remembers which nodes are done: a run that failed or was killed goes on at the node where it was, and that node goes on
where it was itself.
"""

import asyncio
import contextvars
import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.errors import NodeCancelledError
from langgraph.graph import END, START, StateGraph

from reaseq import ReaseqError
from reaseq.agents.pipeline import Pipeline as AgentPipeline
from reaseq.beyond_log.fit import BeyondLogConfig
from reaseq.beyond_log.sampler import SampleConfig
from reaseq.graphs.beyond_log import imagine, train_beyond_log
from reaseq.graphs.distill import drained
from reaseq.graphs.first_pass import first_pass
from reaseq.graphs.ledger import Counts
from reaseq.graphs.options import Options, require_products
from reaseq.graphs.report import write
from reaseq.graphs.teaching import Teaching
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.tables import RunStatus
from reaseq.llm import encoders, engines
from reaseq.llm.endpoint import Endpoint
from reaseq.llm.engines import EngineConfig
from reaseq.llm.models import Progress
from reaseq.prompts.library import PromptLibrary
from reaseq.ranker import runs
from reaseq.ranker.runs import RunConfig

NODES = ("distill", "embed", "beyond_log", "train_ranker", "report")


class Stopped(ReaseqError):
    """Somebody asked the run to stop; nothing that is done is lost."""


class PipelineState(TypedDict, total=False):
    """What each node came to, as plain data."""

    category: str
    distilled: dict[str, Any]
    embedded: dict[str, Any]
    imagined: dict[str, Any]
    ranked: dict[str, Any]
    page: str


class Watch:
    """Told how a run goes on; this one says nothing."""

    def begin(self, node: str) -> None:
        """A node begins."""

    def pulling(self) -> AbstractContextManager[Progress | None]:
        """Around the start of the engine, which may pull weights."""
        return nullcontext()

    def distilling(self, counts: Counts) -> AbstractContextManager[None]:
        """Around the distillation."""
        return nullcontext()

    def step(self, what: str, done: int, total: int) -> None:
        """Something that is counted goes on."""

    def say(self, text: str) -> None:
        """A line worth keeping."""


@dataclass(frozen=True)
class Pipeline:
    """What the nodes work with and how."""

    store: Store
    engine: EngineConfig
    prompts: PromptLibrary
    distillation: Options
    beyond_log: BeyondLogConfig
    imagining: SampleConfig
    ranker: RunConfig
    models_dir: Path
    students_dir: Path
    state_dir: Path
    beyond_log_dir: Path
    runs_dir: Path
    encoder: str = encoders.DEFAULT
    agents: AgentPipeline = field(default_factory=AgentPipeline)
    engines_of_agents: Mapping[str, EngineConfig] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)

    @property
    def fingerprint(self) -> str:
        """Of what is asked for. Another wish is another run."""
        wish = [
            asdict(self.distillation),
            self.engine.engine,
            self.engine.model,
            self.encoder,
            *(part.model_dump(mode="json") for part in (self.beyond_log, self.imagining, self.ranker)),
        ]
        return hashlib.sha256(json.dumps(wish, sort_keys=True, default=str).encode()).hexdigest()[:16]

    async def run(self) -> PipelineState:
        """Run all nodes, or go on at the one where the last run of the same kind ended.

        Raises:
            ReaseqError: there are no products of the category, or no behaviour log; or what a node raises.
            Stopped: Ctrl-C.
        """
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        category = require_products(self.store, self.distillation.category)
        if self.store.clock() is None:
            raise ReaseqError(
                "the store has no behaviour log: there is nothing to rank by",
                hint="reaseq import-events FILE   (or: reaseq import-events --sample)",
            )
        self.state_dir.mkdir(parents=True, exist_ok=True)
        async with AsyncSqliteSaver.from_conn_string(str(self.state_dir / "pipeline.sqlite")) as saver:
            saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)  # plain data, and nothing else
            graph = build_pipeline_graph(self, saver)
            thread = {"configurable": {"thread_id": f"{category} {self.fingerprint}"}}
            before = await graph.aget_state(thread)
            if before.next:
                self.watch.say(f"going on at {before.next[0]}, where the last run ended")
            # Without an input a graph goes on at its checkpoint. Nodes keep the event loop busy: what is to be written
            # in the background would only be when the next one is over.
            begin = None if before.next else {"category": category}
            try:
                state: PipelineState = await graph.ainvoke(begin, thread, durability="sync")
            except NodeCancelledError as error:  # the second Ctrl-C
                raise Stopped("stopped") from error
            return state

    def _started(self, progress: Progress | None) -> AbstractContextManager[tuple[Endpoint, dict[str, Endpoint]]]:
        return engines.start_several(self.engine, self.engines_of_agents, progress)

    async def distill(self, state: PipelineState) -> PipelineState:
        self.watch.begin("distill")
        first = first_pass(
            self.store,
            self.distillation,
            on_progress=lambda made: self.watch.step("read by code", made.read + made.known, made.total),
        )
        if first.read:
            self.watch.say(f"{first.read:,} products read by code alone, {first.verified:,} claims verified")
        if self.engine.engine == "none":
            found = {"done": first.read, "failed": 0, "unchanged": first.known, "calls": 0, "seconds": first.seconds}
            found |= {"verified": first.verified, "rejected": first.rejected, "proposed": first.proposed}
            return {"distilled": found}
        counts = Counts()
        with self.watch.pulling() as progress, self._started(progress) as (endpoint, endpoints):
            if progress is not None:
                progress("", 0, 0)
            with self.watch.distilling(counts):
                run = drained(
                    self.store,
                    endpoint,
                    self.prompts,
                    self.distillation,
                    engine=self.engine.engine,
                    counts=counts,
                    teaching=Teaching(self.models_dir, students_dir=self.students_dir, encoder=self.encoder),
                    pipeline=self.agents,
                    endpoints=endpoints,
                )
                # In a context of its own: the graphs of the distillation would else take this graph's checkpointer for
                # theirs, and go on in the middle. Their checkpoint is the store.
                outcome = await asyncio.create_task(run, context=contextvars.Context())
        if outcome.status == RunStatus.STOPPED:
            raise Stopped("stopped")
        names = ("done", "failed", "unchanged", "verified", "rejected", "proposed", "calls", "seconds")
        return {"distilled": {name: getattr(counts, name) for name in names}}

    async def embed(self, state: PipelineState) -> PipelineState:
        self.watch.begin("embed")
        encoder = Encoder(*encoders.resolve(self.models_dir, self.encoder))
        counts = embeddings.embed(
            self.store, encoder, on_step=lambda done, total: self.watch.step("products", done, total)
        )
        return {"embedded": {"encoder": encoder.name, "counts": {name: list(pair) for name, pair in counts.items()}}}

    async def beyond(self, state: PipelineState) -> PipelineState:
        self.watch.begin("beyond_log")
        told: list[str] = []
        folder, model = train_beyond_log(
            self.store,
            self.beyond_log,
            self.beyond_log_dir,
            split=self.ranker.split,
            on_codes=told.append,
            on_step=lambda done, total: self.watch.step("users, learnt from", done, total),
            on_epoch=lambda epoch: self.watch.say(
                f"epoch {epoch.number + 1}: loss {epoch.loss:.3f}, held-out users {epoch.valid:.3f}"
            ),
        )
        made = imagine(
            self.store,
            self.beyond_log_dir,
            self.imagining,
            on_step=lambda done, total: self.watch.step("users, imagined", done, total),
        )
        return {
            "imagined": {
                "model": folder.name,
                "codes": "".join(told),
                "folds": len(model.denoisers),
                "imagination": made.imagination.fingerprint,
                "users": len(made.users),
                "calibration": dict(made.imagination.calibration),
            }
        }

    async def train_ranker(self, state: PipelineState) -> PipelineState:
        self.watch.begin("train_ranker")
        config = self.ranker.model_copy(update={"imagination": state["imagined"]["imagination"]})
        prepared = runs.prepare(self.store, config)
        folder = self.runs_dir / prepared.id
        name = ""

        def begin(variant: str, seed: int) -> None:
            nonlocal name
            name = f"{variant}, seed {seed}"

        runs.execute(
            prepared,
            folder,
            on_start=begin,
            on_step=lambda done, total: self.watch.step(f"{name}, events", done, total),
            on_epoch=lambda epoch: self.watch.say(
                f"{name}, epoch {epoch.number + 1}: loss {epoch.loss:.3f}, NDCG@10 {epoch.valid['NDCG@10']:.4f}"
            ),
        )
        return {"ranked": {"run": prepared.id, "folder": str(folder)}}

    async def report(self, state: PipelineState) -> PipelineState:
        self.watch.begin("report")
        path = self.runs_dir / f"{state['category'].replace('/', '-')}.html"
        write(self.store, dict(state), path)
        return {"page": str(path)}


def build_pipeline_graph(pipeline: Pipeline | None = None, saver: Any = None) -> Any:
    """The graph of the whole way. Without a pipeline it can be drawn, not invoked."""
    graph = StateGraph(PipelineState)
    nodes = (
        [pipeline.distill, pipeline.embed, pipeline.beyond, pipeline.train_ranker, pipeline.report]
        if pipeline
        else [_drawn_only] * len(NODES)
    )
    before = START
    for name, node in zip(NODES, nodes, strict=True):
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    return graph.compile(checkpointer=saver, name="pipeline")


async def _drawn_only(state: PipelineState) -> PipelineState:
    raise NotImplementedError("this graph was built to be drawn")
