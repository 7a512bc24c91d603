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
from typing import Annotated, Any, Literal, Required

import yaml
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from reaseq import ReaseqError
from reaseq.agents.claims import ClaimType, Status
from reaseq.agents.pipeline import Pipeline
from reaseq.agents.product_text import source_fields
from reaseq.documents.document import Document
from reaseq.graphs.options import starting_schema
from reaseq.graphs.product_graph import ProductAgents, ProductState, build_product_graph, run_product_graph, stages_of
from reaseq.knowledge_store.summaries import composed
from reaseq.llm.chat import Call, Chat, ChatRequest
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import Place, PromptError, PromptLibrary, breach_of, read_text, read_yaml

REPAIRS = 2
_SECONDS = 300.0


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RecordedReply(_Strict):
    """A reply of one agent. `request` is the key of the request it answered; empty until keyed."""

    agent: Annotated[str, Field(description="Who got it.")]
    request: Annotated[str, Field(description="The key of the request; pytest --update-golden fills it in.")] = ""
    content: Annotated[str, Field(description="What was replied.")]
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: Annotated[
        list[list[Any]] | None, Field(description="Of each token: [token, [[alternative, log-probability], …]].")
    ] = None

    def kept(self) -> dict[str, Any]:
        """As the ledger keeps a reply."""
        return self.model_dump(exclude={"agent", "request"}, exclude_none=True)


class CaseProduct(TypedDict, total=False):
    """The product of a case, as one of the store."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    title: Required[str]
    description: str | None
    brand: str | None
    attributes: Annotated[dict[str, Any] | None, Field(description="Its other columns.")]
    locale: Annotated[str | None, Field(description="Of its text (de-AT), which may have prompts of its own.")]


class ExpectedClaim(TypedDict, total=False):
    """A claim without what is empty; see `reaseq.agents.claims.Claim`."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    attribute: Required[str]
    value: Required[str]
    claim_type: Required[ClaimType]
    status: Required[Status]
    verdict: Required[str]
    found_by: Required[str]
    field: str
    start: int
    end: int
    quote: str
    reason: str
    confidence: float
    evidence: str


class Expected(TypedDict, total=False):
    """What must come of a product: all of it, and nothing else."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    claims: list[ExpectedClaim]
    summary: str
    prose: Annotated[str, Field(description="What the summarizer wrote.")]
    failures: Annotated[list[str], Field(description="STAGE: REASON of each stage that could not be done.")]


class Case(_Strict):
    """One golden case."""

    about: Annotated[str, Field(description="What it shows, for people.")]
    origin: Annotated[
        Literal["live", "scripted"], Field(description="Recorded from a model, or replies that were written by hand.")
    ]
    grammar: Annotated[bool, Field(description="Does the recorded endpoint compile grammars?")] = True
    logprobs: Annotated[bool, Field(description="Does it return log-probabilities?")] = True
    product: CaseProduct
    replies: Annotated[list[RecordedReply], Field(description="Those that the agents got.")] = []
    expected: Annotated[Expected, Field(description="What must come of it; pytest --update-golden fills it in.")] = {}


def case_schema() -> dict[str, Any]:
    """The JSON Schema of a case's file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Case.model_json_schema()


class MemoryCalls:
    """A call log that keeps what was recorded and never answers from it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        return None

    def record_call(self, call: Call) -> int:
        self.calls.append(call)
        return len(self.calls)

    def waits(self, why: str, seconds: float) -> None:
        pass


class _Replies(MemoryCalls):
    """A call log that knows the replies of a case."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._replies = {reply.request: (number, reply.kept()) for number, reply in enumerate(case.replies, 1)}

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        return self._replies.get(request_key)


class ReplayedChat(Chat):
    """A chat that answers from a case's replies alone."""

    def __init__(self, case: Case) -> None:
        self._agents = {reply.agent for reply in case.replies}
        super().__init__(
            _endpoint(case.grammar, case.logprobs), _Replies(case), concurrency=1, timeout=1, retries=0, seed=0
        )

    async def _send(self, request: ChatRequest) -> AIMessage:
        raise ReaseqError(
            f"{request.agent} is asked what is not on record: its prompt, the schema or an agent before it has changed"
            if request.agent in self._agents
            else f"more is asked than is on record: {request.agent} has no reply there",
            hint="pytest --update-golden, and look at git diff",
        )


def _endpoint(grammar: bool, logprobs: bool) -> Endpoint:
    """One that is never asked."""
    return Endpoint("http://127.0.0.1:9/v1", "scripted", "scripted", grammar=grammar, logprobs=logprobs)


class ScriptedChat(Chat):
    """A chat whose model is a script: each agent gets its replies one after the other."""

    def __init__(self, replies: Iterable[RecordedReply], calls: MemoryCalls, *, grammar: bool, logprobs: bool) -> None:
        super().__init__(_endpoint(grammar, logprobs), calls, concurrency=1, timeout=1, retries=0, seed=0)
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
        ReaseqError: the file is no golden case; the message holds a `FILE:LINE: what` for every breach.
    """
    return load_case_and_lines(path)[0]


def load_case_and_lines(path: Path) -> tuple[Case, dict[Place, int]]:
    """The same, with the line of every key and item."""
    hint = "reaseq prompts test --schema   (what a case may hold)"
    try:
        raw, lines, twice = read_yaml(read_text(path), path, quick=True)
    except PromptError as error:
        raise ReaseqError(f"not a golden case:\n{error}", hint=hint) from error
    breaches = [(lines.get(place, 1), f"key {place[-1]!r} stands here twice") for place in twice]
    try:
        case = Case.model_validate(raw)
    except ValidationError as error:
        breaches += [breach_of(issue, lines, _keys_at) for issue in error.errors()]
    if breaches:
        said = "\n".join(f"{path}:{line}: {what}" for line, what in sorted(breaches))
        raise ReaseqError(f"not a golden case:\n{said}", hint=hint)
    return case, lines


def _keys_at(place: Place) -> Iterable[str]:
    """What may stand where an unknown key does."""
    kinds = {"product": CaseProduct, "replies": RecordedReply, "expected": Expected}
    if len(place) == 1:
        return Case.model_fields
    if "claims" in place[:-1]:
        return ExpectedClaim.__annotations__
    return kinds[str(place[0])].__annotations__ if place[0] in kinds else ()


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
    text, locale = Document(source_fields(case.product)), case.product.get("locale")
    state = await run_product_graph(graph, agents.reading, stages, "golden", text, locale=locale)
    return outcome(case.product, state)


async def replayed(category: str, case: Case, project: Project) -> dict[str, Any]:
    """The same from its recorded replies; nothing is sent.

    Raises:
        ReaseqError: a request is not on record; the message names the agent.
    """
    return await run_case(category, case, ReplayedChat(case), project)


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
