"""Golden cases: a product, the replies the agents got, and the claims and summary that must come of them.

A case is a YAML file `<category>/<case>.yaml`. Its replies are keyed by request, so a case says exactly
which prompts it stands for: edit a prompt or a schema and the case no longer matches until it is
recorded again. `origin: live` cases are recorded from a real model; `origin: scripted` ones keep their
replies (a model that breaks the rules on purpose) and are only keyed anew.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reaseq import ReaseqError
from reaseq.agents.pipeline import Pipeline
from reaseq.agents.product_text import source_fields
from reaseq.documents.document import Document
from reaseq.graphs.options import starting_schema
from reaseq.graphs.product_graph import ProductAgents, ProductState, build_product_graph, run_product_graph, stages_of
from reaseq.knowledge_store.summaries import composed
from reaseq.llm.chat import Call, Chat, ChatRequest, EndpointRefused
from reaseq.llm.endpoint import Endpoint
from reaseq.llm.replay import ReplayServer
from reaseq.prompts.library import PromptLibrary

REPAIRS = 2
_SECONDS = 300.0


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RecordedReply(_Strict):
    """A reply of one agent. `request` is the key of the request it answered; empty until keyed."""

    agent: str
    request: str = ""
    content: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: list[list[Any]] | None = None

    def row(self) -> dict[str, Any]:
        """As a line of a file of recorded replies."""
        reply = self.model_dump(exclude={"agent", "request"}, exclude_none=True)
        return {"request_key": self.request, "agent": self.agent, "reply": reply}


class Case(_Strict):
    """One golden case."""

    about: str
    origin: Literal["live", "scripted"]
    grammar: bool = Field(True, description="Does the recorded endpoint compile grammars?")
    logprobs: bool = Field(True, description="Does it return log-probabilities?")
    product: dict[str, Any]
    replies: list[RecordedReply] = []
    expected: dict[str, Any] = {}


class MemoryCalls:
    """A call log that keeps what was recorded and never answers from it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def find_call(self, request_key: str, model_fingerprint: str) -> None:
        return None

    def record_call(self, call: Call) -> int:
        self.calls.append(call)
        return len(self.calls)

    def waits(self, why: str, seconds: float) -> None:
        pass


class ScriptedChat(Chat):
    """A chat whose model is a script: each agent gets its replies one after the other."""

    def __init__(self, replies: Iterable[RecordedReply], calls: MemoryCalls, *, grammar: bool, logprobs: bool) -> None:
        endpoint = Endpoint("http://127.0.0.1:9/v1", "scripted", "scripted", grammar=grammar, logprobs=logprobs)
        super().__init__(endpoint, calls, concurrency=1, timeout=1, retries=0, seed=0)
        self._script: dict[str, list[RecordedReply]] = {}
        for reply in replies:
            self._script.setdefault(reply.agent, []).append(reply)

    async def _send(self, request: ChatRequest) -> AIMessage:
        script = self._script.get(request.agent)
        if not script:
            raise ReaseqError(f"the script has no further reply for {request.agent}")
        reply = script.pop(0)
        metadata: dict[str, Any] = {"finish_reason": reply.finish_reason}
        if reply.logprobs is not None:
            metadata["logprobs"] = {
                "content": [
                    {"token": token, "top_logprobs": [{"token": other, "logprob": p} for other, p in top]}
                    for token, top in reply.logprobs
                ]
            }
        return AIMessage(reply.content, response_metadata=metadata)


def load_case(path: Path) -> Case:
    """Read a case.

    Raises:
        ReaseqError: the file is no golden case.
    """
    try:
        return Case.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ReaseqError(f"{path}: not a golden case: {error}") from error


def save_case(path: Path, case: Case) -> None:
    body = case.model_dump(mode="json", exclude_defaults=True)
    path.write_text(yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")


@dataclass(frozen=True)
class Project:
    """What cases are run with: prompts, agents, and a folder of schemas that come before the bundled ones."""

    prompts: PromptLibrary = field(default_factory=PromptLibrary)
    pipeline: Pipeline = field(default_factory=Pipeline)
    schemas_dir: str | None = None
    _made: dict[tuple[str, bool], ProductAgents] = field(default_factory=dict, compare=False, repr=False)

    def agents_of(self, category: str, *, grammar: bool) -> ProductAgents:
        """The agents of a category, made once. grammar: of the extractor's endpoint."""
        if (category, grammar) not in self._made:
            schema = starting_schema(category, self.schemas_dir)
            self._made[category, grammar] = ProductAgents.build(
                schema, self.prompts, grammar=grammar, pipeline=self.pipeline
            )
        return self._made[category, grammar]


async def run_case(category: str, case: Case, chat: Chat, project: Project) -> dict[str, Any]:
    """Take the case's product through the product graph; what came out, in the form of `Case.expected`."""
    agents = project.agents_of(category, grammar=case.grammar)
    stages = stages_of(agents, lambda name: chat, lambda name: REPAIRS)
    graph = build_product_graph(agents.reading, stages)
    state = await run_product_graph(graph, agents.reading, stages, "golden", Document(source_fields(case.product)))
    return outcome(case.product, state)


async def replayed(category: str, case: Case, project: Project) -> dict[str, Any]:
    """The same over the wire, from its recorded replies.

    Raises:
        ReaseqError: a request is not on record; the message names the agent.
    """
    calls = MemoryCalls()
    server = ReplayServer(
        {reply.request: reply.row() for reply in case.replies}, grammar=case.grammar, logprobs=case.logprobs
    )
    with server as endpoint:
        async with chat_over(endpoint, calls) as chat:
            try:
                return await run_case(category, case, chat, project)
            except EndpointRefused as error:
                asked = {call.request_key for call in calls.calls}
                agent = next((reply.agent for reply in case.replies if reply.request not in asked), None)
                raise ReaseqError(
                    f"{agent} is asked what is not on record: its prompt, the schema or an agent before it has changed"
                    if agent
                    else "more is asked than is on record",
                    hint="pytest --update-golden, and look at git diff",
                ) from error


async def recorded_anew(category: str, case: Case, project: Project, live: Endpoint | None) -> Case:
    """The case with replies of the endpoint `live` and what comes of them; None: its own replies, for the requests of
    today."""
    calls = MemoryCalls()
    if live is None:
        chat: Chat = ScriptedChat(case.replies, calls, grammar=case.grammar, logprobs=case.logprobs)
    else:
        case = case.model_copy(update={"grammar": live.grammar, "logprobs": live.logprobs})
        chat = chat_over(live, calls)
    async with chat:
        expected = await run_case(category, case, chat, project)
    return case.model_copy(update={"replies": recorded(calls.calls), "expected": expected})


def chat_over(endpoint: Endpoint, calls: MemoryCalls) -> Chat:
    return Chat(endpoint, calls, concurrency=1, timeout=_SECONDS, retries=0, seed=0)


def recorded(calls: Iterable[Call]) -> list[RecordedReply]:
    """What a call log recorded, as the replies of a case."""
    return [
        RecordedReply(
            agent=call.agent,
            request=call.request_key,
            **{
                name: kept
                for name, kept in json.loads(json.dumps(call.reply)).items()
                if name in RecordedReply.model_fields
            },
        )
        for call in calls
    ]


def outcome(product: Mapping[str, Any], state: ProductState) -> dict[str, Any]:
    """Claims, summary, the model's prose and failures of a finished product, without what is empty."""
    claims = []
    for claim in state.get("claims", []):
        kept: Mapping[str, Any] = claim
        claims.append({name: value for name, value in kept.items() if value is not None and name != "facet"})
    failures = [f"{failure['stage']}: {failure['reason']}" for failure in state["failures"]]
    made = {
        "claims": claims,
        "summary": composed(product, state["claims"]) if claims else None,
        "prose": state.get("prose"),
        "failures": failures,
    }
    return {name: value for name, value in made.items() if value}


class _Dumper(yaml.SafeDumper):
    """Writes claims a line each, and long text as blocks, so that a difference reads well."""


def _mapping(dumper: yaml.SafeDumper, data: dict[str, Any]) -> yaml.Node:
    node = dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style="attribute" in data)
    return node


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(str, _text)
