"""The one client: every model is an OpenAI-compatible chat endpoint, reached through langchain-openai.

Two choices here are about speed, and were measured (`bench/distill_overhead.py`): the payload travels
in `extra_body` (see `_Model`), and the SDK's aiohttp transport takes the place of httpx.
"""

import asyncio
import json
import logging
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import httpx
import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from reaseq.llm.answers import (
    BUSY,
    NoCompletion,
    completion,
    error_in,
    failed_json,
    mend,
    named,
    no_money,
    seconds_to_wait,
)
from reaseq.llm.budget import Budget
from reaseq.llm.endpoint import Endpoint, EngineError
from reaseq.llm.replay import NOT_RECORDED
from reaseq.llm.requests import request_key
from reaseq.llm.tracing import call_span

Message = tuple[str, str]
"""Role (system, user or assistant) and content."""

_DRAWN_AT = 0.7
_CUT_OFF = frozenset(("length", "max_tokens", "model_length", "max_output_tokens"))
_LONGEST_SAID = 500
_REFUSED = frozenset(
    "content_filter safety recitation refusal error prohibited_content blocklist abort aborted cancelled canceled "
    "timeout insufficient_system_resource malformed_function_call".split()
)
"""Finish reasons of a reply that is not whole. All others end one that is: each gateway has its own word ("eos",
"STOP", "end_turn"), or none."""
MAY_LEAVE_OFF = {
    "json_schema": re.compile("json_?schema|response_?(?:format|schema)|schema"),
    "response_format": re.compile("json_?object|response_?(?:format|mime_?type)|json mode"),
    "top_logprobs": re.compile("top_?logprobs"),
    "logprobs": re.compile("log[_ -]?prob"),
    "seed": re.compile(r"(?<![\w-])seed(?![\w-])"),
    "max_completion_tokens": re.compile("max_?completion_?tokens"),
    "temperature": re.compile("temperature"),
}
"""What an endpoint may not know, and by what words it says so, in small letters. Without `json_schema` it is asked for
any object."""
_LEAVE_TOO = {"logprobs": ("top_logprobs",), "top_logprobs": ("logprobs",)}
"""What goes with what is refused. What a setting leaves off without `logprobs` may be `top_logprobs` alone."""
_MAY_NAME_WHAT_IS_REFUSED = frozenset((400, 403, 404, 413, 422, 501))
"""Statuses: OpenAI forbids (403) what a model does not give."""
_ROOMS = (0, 4096, 16_384)
"""Tokens beside the longest reply that a model gets to reason in, as far as it needs them."""
_SDK_WAITS, _LONGEST_WAIT = 60.0, 900.0
"""Seconds of a Retry-After that the SDK waits for, and that we do."""
_LONG_WAITS = 3
_THINKING = r"(?:seed:)?(?:think(?:ing)?|reason(?:ing)?|thoughts?|reflection)"
_THOUGHT = re.compile(
    rf"^(?:\s*[<◁]{_THINKING}[>▷])?.*?[<◁]/{_THINKING}[>▷]\s*|^.*<\|channel\|>final<\|message\|>",
    re.DOTALL | re.IGNORECASE,
)
"""What a model thinks before it answers, with or without what begins it; also in OpenAI's harmony format
(https://cookbook.openai.com/articles/openai-harmony), where an endpoint hands it through."""
_THINKS = re.compile(rf"\s*(?:[<◁]{_THINKING}[>▷]|<\|channel\|>analysis)", re.IGNORECASE)
"""What begins a thought, which was cut off where nothing ends it."""
_TURN_ENDS = re.compile(
    r"(?:<[|｜](?:im_end|endoftext|eot_id|eom_id|end|return|end[▁_]of[▁_]\w+)[|｜]>\s*(?:<[|｜].*)?"
    r"|<end_of_turn>\s*|</s>\s*)$",
    re.DOTALL,
)
"""The tokens that end a turn, which some endpoints leave in the text, and turns that a model makes up after them."""
_VERSION = re.compile(r"/v\d\w*$")
_NOTHING_THERE = (404, 405)
_LOG = logging.getLogger("reaseq.llm")
_MESSAGE_CLASS = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


class EndpointRefused(EngineError):
    """The endpoint will refuse every request: wrong key, no access, no such model, nothing paid for, or for longer than
    is waited. The run must stop."""


class EndpointFailed(EngineError):
    """One request failed for good, after its retries."""


class RequestRefused(EndpointFailed):
    """The endpoint does not take this request: what it says, or how long it is. Others it may take."""


class NoRoom(RequestRefused):
    """Reasoning took all the tokens that a reply may have; what is asked anew in the same room ends so, too."""


class _Unknown(Exception):
    """The endpoint does not take the request as it is. `said` is what it answered, `meant` what that means where it
    names nothing that may be left off."""

    def __init__(self, meant: EngineError, said: str) -> None:
        super().__init__(str(meant))
        self.meant, self.said = meant, said


class _Later(Exception):
    """The endpoint wants to be left alone for so many seconds, more than the SDK waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"busy for {_lasting(seconds)}")
        self.seconds = seconds


class ReplyError(Exception):
    """A reply came and cannot be used. The message is written for the model: it goes back with the repair."""

    def __init__(self, message: str, reply: "Reply | None" = None) -> None:
        super().__init__(message)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question. `prefix` is what an agent's requests share (system text, examples); `turns` is the rest. A question
    that is put several times numbers its samples: those after the first are drawn at a temperature of 0.7 at least,
    each with a seed of its own. `prompt` is the fingerprint of the prompt it is made of."""

    agent: str
    prefix: tuple[Message, ...]
    turns: tuple[Message, ...]
    max_tokens: int
    response_format: Mapping[str, Any] | None = None
    top_logprobs: int = 0
    sample: int = 0
    product_id: str | None = None
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A generated token, and the likeliest alternatives in its place with their natural-log probabilities."""

    token: str
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    finish_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: tuple[TokenLogprob, ...] | None = None
    call_id: int = 0
    cached: bool = False


@dataclass(frozen=True)
class Call:
    """A reply as the ledger keeps it."""

    request_key: str
    model: str
    model_fingerprint: str
    agent: str
    prompt: str
    product_id: str | None
    reply: dict[str, Any]
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    seconds: float


class CallLog(Protocol):
    """Where replies are kept: the ledger of usage, and the cache."""

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        """The id and reply of an equal request that was answered and may be reused."""

    def record_call(self, call: Call) -> int:
        """Keep a reply for good before it is used; returns its id."""

    def waits(self, why: str, seconds: float) -> None:
        """A request was refused for now, and is sent again after so many seconds, as far as that is known."""


class _Model(ChatOpenAI):
    """ChatOpenAI whose payload goes to the SDK as `extra_body`, and whose result is made where it arrives.

    The SDK walks every message through its type unions on each call, a `response_format` given as a
    parameter is converted again and its reply parsed into a model nobody reads, and each result is
    handed to a thread and back: together more CPU time than the rest of the call. What is sent and
    what is returned are the same.
    """

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        left_off = kwargs.pop("left_off", ())
        body = self._get_request_payload(messages, stop=stop, **kwargs)
        body |= body.pop("extra_body", None) or {}
        wanted = body.get("response_format")
        if "max_completion_tokens" in left_off and "max_completion_tokens" in body:
            body["max_tokens"] = body["max_completion_tokens"]  # what it was called before
        if "json_schema" in left_off and "response_format" in body:
            body["response_format"] = {"type": "json_object"}
        for name in left_off:
            body.pop(name, None)
        try:
            response = await self.async_client.create(model=body["model"], messages=[], extra_body=body)
            came = response.model_dump(warnings=False) if isinstance(response, openai.BaseModel) else response
        except openai.BadRequestError as error:
            came = failed_json(error.response.text)
            if came is None:
                raise
        answer = completion(came, body["messages"], wanted)
        result = self._create_chat_result(answer)
        result.generations[0].message.additional_kwargs |= {"why": answer["why"], "reasoned": answer["reasoned"]}
        return result


class Chat:
    """Asks a model, at most `concurrency` requests at a time, each reply recorded before it is returned.

    An async context manager. HTTP failures that may pass (429, 5xx, timeouts, dropped connections)
    are sent again up to `retries` times by the SDK, which honours Retry-After.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        calls: CallLog,
        *,
        concurrency: int,
        timeout: float,
        retries: int,
        seed: int,
        temperature: float | None = 0.0,
        budget: Budget | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.calls = calls
        self.budget = budget or Budget()
        self._slots = asyncio.Semaphore(concurrency)
        self._sampling: dict[str, Any] = {"seed": seed} | ({} if temperature is None else {"temperature": temperature})
        self._left_off: dict[str, None] = dict.fromkeys(endpoint.leave_off)
        if "logprobs" in self._left_off:
            self._left_off |= dict.fromkeys(_LEAVE_TOO["logprobs"])  # which are none without it
        self._room = _ROOMS[0]
        self._prefixes: dict[tuple[Message, ...], list[BaseMessage]] = {}
        self._timeout, self._retries = timeout, retries
        self._http: list[Any] = []

    @cached_property
    def _model(self) -> _Model:
        """The client, made when something is sent: each loads the machine's certificates, for a tenth of a second."""
        return self._client(self.endpoint.base_url)

    @cached_property
    def _versioned(self) -> _Model | None:
        """The client of the address with `/v1`, where it has no version of its own."""
        path = urlsplit(self.endpoint.base_url).path.rstrip("/")
        return None if _VERSION.search(path) else self._client(f"{self.endpoint.base_url.rstrip('/')}/v1")

    def _client(self, base_url: str) -> _Model:
        http = openai.DefaultAioHttpClient(
            timeout=self._timeout,
            limits=openai.DEFAULT_CONNECTION_LIMITS,
            base_url=base_url,
            event_hooks={"response": [self._on_response]},
        )
        self._http.append(http)
        return _Model(
            model=self.endpoint.model,
            base_url=base_url,
            api_key=SecretStr(self.endpoint.api_key),
            max_retries=self._retries,
            timeout=self._timeout,
            http_async_client=http,
            temperature=self._sampling.get("temperature"),
            seed=self._sampling["seed"],
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for http in self._http:
            await http.aclose()

    async def _on_response(self, response: httpx.Response) -> None:
        """Say that a request waits: the SDK, which sends it again, says nothing."""
        await mend(response)
        if response.status_code in BUSY and response.headers.get("x-should-retry") != "false":
            seconds = seconds_to_wait(response.headers)
            if seconds <= _LONGEST_WAIT:
                self.calls.waits(named(response.status_code), seconds)

    async def ask(self, request: ChatRequest) -> Reply:
        """The model's reply: an earlier one to an equal request if there is one.

        Raises:
            ReplyError: the reply is empty, cut off, or no chat completion.
            EndpointRefused: no request can succeed (401, 402, 403, 404), or none for long.
            RequestRefused: the endpoint does not take this one (400, 413, 422), or, `NoRoom`, reasoning leaves no room
                for a reply.
            EndpointFailed: this one failed after its retries.
            BudgetExceeded: it could cost more than is left.
        """
        key = request_key(self._body(request))
        found = self.calls.find_call(key, self.endpoint.fingerprint)
        if found is not None and not _is_all_thought(found[1], request):
            call_id, kept = found
        else:
            call_id, kept = await self._with_room(key, request)
        reply = _reply_from(kept, call_id=call_id, cached=found is not None and found[0] == call_id)
        if reply.finish_reason.casefold() in _CUT_OFF and not (request.response_format and _is_whole(reply.text)):
            raise ReplyError("Your reply was cut off because it was too long. Answer more briefly.", reply)
        why = kept.get("why", "")
        if reply.finish_reason.casefold() in _REFUSED:
            said = f"Your reply did not end properly (finish reason: {reply.finish_reason}). {why}"
            raise ReplyError(said.strip(), reply)
        if not reply.text.strip():
            raise ReplyError(f"Your reply was empty. {why}".strip(), reply)
        return reply

    async def _with_room(self, key: str, request: ChatRequest) -> tuple[int, dict[str, Any]]:
        """The id and content of a reply in so much room that what the model reasons leaves some for it."""
        most = _ROOMS[-1]
        while True:
            room = min(self._room, most)
            try:
                call_id, kept = await self._recorded(key, replace(request, max_tokens=request.max_tokens + room))
            except RequestRefused:
                if room == 0:
                    raise
                # It may be for the room: more than the model's context has, or than its replies may be long.
                most = max(one for one in _ROOMS if one < room)
                continue
            if not _is_all_thought(kept, request):
                return call_id, kept
            more = [one for one in _ROOMS if room < one <= most]
            if not more:
                raise NoRoom(
                    f"the model's reasoning took all the {request.max_tokens + room:,} tokens that a reply may have: "
                    "name a model that reasons less, or give the prompt more max_tokens",
                    hint=f"reaseq prompts edit {request.agent}   (its max_tokens)",
                )
            if more[0] > self._room:
                self._room = more[0]
                _LOG.warning(
                    "%s: reasoning takes all the tokens of a reply; from now on each may have %s more",
                    self.endpoint.base_url,
                    f"{self._room:,}",
                )

    async def _recorded(self, key: str, request: ChatRequest) -> tuple[int, dict[str, Any]]:
        """A reply that was sent for, with the id that it is recorded by."""
        messages, price = request.prefix + request.turns, self.endpoint.price
        async with self._slots, self.budget.reserve(messages, request.max_tokens, price) as spend:
            started = time.perf_counter()
            with call_span(
                agent=request.agent,
                model=self.endpoint.model,
                base_url=self.endpoint.base_url,
                max_tokens=request.max_tokens,
                product_id=request.product_id,
                messages=messages,
            ) as tell:
                kept = _kept(await self._send(request))
                tell(kept)
            tokens = kept.get("prompt_tokens", 0), kept.get("completion_tokens", 0)
            self.budget.estimated |= kept.get("estimated", False)
            spend(*tokens)
            call_id = self.calls.record_call(
                Call(
                    request_key=key,
                    model=self.endpoint.model,
                    model_fingerprint=self.endpoint.fingerprint,
                    agent=request.agent,
                    prompt=request.prompt,
                    product_id=request.product_id,
                    reply=kept,
                    prompt_tokens=tokens[0],
                    completion_tokens=tokens[1],
                    cost=price.of(*tokens) if price else None,
                    seconds=time.perf_counter() - started,
                )
            )
        return call_id, kept

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "messages": [{"role": role, "content": content} for role, content in request.prefix + request.turns],
            "max_completion_tokens": request.max_tokens,
            **self._sampling,
            **self._drawn(request),
        }
        if request.response_format is not None:
            body["response_format"] = request.response_format
        if request.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        return body

    def _drawn(self, request: ChatRequest) -> dict[str, Any]:
        if not request.sample:
            return {}
        temperature = self._sampling.get("temperature")
        drawn = {} if temperature is None else {"temperature": max(_DRAWN_AT, temperature)}
        return {"seed": self._sampling["seed"] + request.sample} | drawn

    async def _send(self, request: ChatRequest) -> AIMessage:
        prefix = self._prefixes.get(request.prefix)
        if prefix is None:
            prefix = self._prefixes[request.prefix] = _messages(request.prefix)
        options: dict[str, Any] = {"max_completion_tokens": request.max_tokens, **self._drawn(request)}
        if request.response_format is not None:
            options["extra_body"] = {"response_format": request.response_format}
        if request.top_logprobs:
            options |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        # By this name, and with the product's id, whatever traces LangChain shows the call.
        options["config"] = {"run_name": request.agent, "metadata": {"product_id": request.product_id}}
        waited = 0
        while True:
            left_off = tuple(self._left_off)
            try:
                return await self._once(prefix + _messages(request.turns), options | {"left_off": left_off})
            except _Later as error:
                waited += 1
                if waited > _LONG_WAITS:
                    raise EndpointFailed(
                        f"{self.endpoint.base_url} is {error}, and was {_LONG_WAITS} times before",
                        hint="run the same command later: it goes on",
                    ) from error
                await asyncio.sleep(error.seconds)
            except _Unknown as error:
                if left_off == tuple(self._left_off) and not self._leaves_off(error, options):
                    raise error.meant from error

    def _leaves_off(self, error: "_Unknown", options: Mapping[str, Any]) -> bool:
        """Does its answer name something that may be left off, and was not before? It is, for the rest of the run. An
        answer that names nothing ("maximum context length") is of this request alone."""
        sent = {*options, *options.get("extra_body", ()), *self._sampling}
        sent |= {"json_schema"} & {options.get("extra_body", {}).get("response_format", {}).get("type")}
        open_ones = [name for name in MAY_LEAVE_OFF if name in sent and name not in self._left_off]
        own = rf"(?<!\w){re.escape(self.endpoint.model)}(?!\w)"  # a model may be called Seed
        said = re.sub(own, "", error.said).casefold()
        named = next((name for name in open_ones if MAY_LEAVE_OFF[name].search(said)), "")
        if named:
            self._left_off |= dict.fromkeys((named, *_LEAVE_TOO.get(named, ())))
            _LOG.warning("%s refuses %s: it is left off (%s)", self.endpoint.base_url, named, error.said[:120])
        return bool(named)

    async def _once(self, messages: list[BaseMessage], options: Mapping[str, Any]) -> AIMessage:
        try:
            return await self._answer(messages, options)
        except NoCompletion as error:
            raise ReplyError(f"No chat completion came back: {str(error)[:_LONGEST_SAID]}.") from error
        except openai.APIStatusError as error:
            meant = self._refused(error, options["config"])
            if isinstance(meant, EngineError) and error.status_code in _MAY_NAME_WHAT_IS_REFUSED:
                raise _Unknown(meant, _said(error)) from error
            raise meant from error
        except openai.APIError as error:
            raise EndpointFailed(f"{type(error).__name__}: {_said(error)}", hint=self._go_on) from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # A 200 whose body is no chat completion surfaces as whatever LangChain stumbles over.
            what = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_SAID]
            raise ReplyError(f"No chat completion came back ({what}).") from error

    async def _answer(self, messages: list[BaseMessage], options: Mapping[str, Any]) -> AIMessage:
        """Of the address as it is given or, where nothing is served there, of the same with `/v1`, from then on."""
        try:
            return await self._model.ainvoke(messages, **options)
        except openai.APIStatusError as error:
            if error.status_code not in _NOTHING_THERE or self._versioned is None:
                raise
            try:
                answer = await self._versioned.ainvoke(messages, **options)
            except openai.APIStatusError as again:
                raise error if again.status_code in _NOTHING_THERE else again from None
            if self._model is not self._versioned:
                self._model = self._versioned
                _LOG.warning(
                    "nothing is served at %s, but at %s/v1: write base_url so",
                    self.endpoint.base_url,
                    self.endpoint.base_url.rstrip("/"),
                )
            return answer

    @property
    def _go_on(self) -> str:
        return f"see that {self.endpoint.base_url} is up, and run the same command: it goes on"

    def _refused(self, error: openai.APIStatusError, asked: Mapping[str, Any]) -> Exception:
        """What an error's status means for the request and the run. asked: the request's name and metadata."""
        status, url = error.status_code, self.endpoint.base_url
        said = error_in(error.response.text)[:_LONGEST_SAID] or _said(error)
        if status in (400, 413, 422):
            return RequestRefused(
                f"{named(status)}: {said}",
                hint="see that the model takes such requests, or name another (see: reaseq config)",
            )
        if status in (401, 403):
            return EndpointRefused(
                f"{url} refused the key ({status}): {said}",
                hint="set the right key in the variable that api_key_env names (see: reaseq config)",
            )
        if status == 404 and error.type == NOT_RECORDED:
            product = asked["metadata"]["product_id"]
            of = f" of product {product}" if product else ""
            return EndpointRefused(
                f"what {asked['run_name']} asks{of} is not on record: {said}",
                hint="distil with the engine that is to answer, then: reaseq knowledge replies FILE",
            )
        if status == 404:
            nor = "" if self._versioned is None else f", nor does {url}/v1"
            return EndpointRefused(
                f"{url} does not serve model {self.endpoint.model!r} (404){nor}: {said}",
                hint="name another with --model, or another address with base_url (see: reaseq config)",
            )
        if no_money(status, error.response.text):
            return EndpointRefused(
                f"{url} answers nothing that is not paid for ({status}): {said}",
                hint="see to billing and quota there, or name another model with --model; the same command goes on",
            )
        seconds = seconds_to_wait(error.response.headers) if status in BUSY else 0.0
        if seconds > _LONGEST_WAIT:
            most = _lasting(_LONGEST_WAIT)
            return EndpointRefused(
                f"{url} wants to be left alone for {_lasting(seconds)}, and {most} at most are waited "
                f"({named(status)}: {said})",
                hint="run the same command later: it goes on",
            )
        if seconds > _SDK_WAITS:
            return _Later(seconds)
        return EndpointFailed(f"{named(status)}: {said}", hint=self._go_on)


def _lasting(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{math.ceil(seconds / 60):,} minutes"


def _messages(messages: Sequence[Message]) -> list[BaseMessage]:
    return [_MESSAGE_CLASS[role](content=content) for role, content in messages]


def _said(error: openai.APIError) -> str:
    """What the endpoint says; not all say it where OpenAI does."""
    said = " ".join(str(error.message).split())
    if isinstance(error, openai.APIStatusError):
        body = " ".join(error.response.text.split())
        said = said if not body or body in said or len(said) > len(body) else f"{said}: {body}"
    return said[:_LONGEST_SAID]


def _kept(message: AIMessage) -> dict[str, Any]:
    """What the ledger keeps of a reply: plain data."""
    metadata = message.response_metadata
    kept: dict[str, Any] = {"content": message.text, "finish_reason": metadata.get("finish_reason") or "none"}
    if message.usage_metadata:
        kept["prompt_tokens"] = message.usage_metadata["input_tokens"]
        kept["completion_tokens"] = message.usage_metadata["output_tokens"]
        if metadata["token_usage"]["estimated"]:
            kept["estimated"] = True
    if why := message.additional_kwargs.get("why"):
        kept["why"] = why[:_LONGEST_SAID]
    if message.additional_kwargs.get("reasoned") and kept["finish_reason"].casefold() in _CUT_OFF:
        kept["reasoned"] = True
    if (logprobs := metadata.get("logprobs")) and logprobs.get("content"):
        kept["logprobs"] = [
            [entry["token"], [[top["token"], round(top["logprob"], 4)] for top in entry.get("top_logprobs", ())]]
            for entry in logprobs["content"]
        ]
    return kept


def _is_whole(text: str) -> bool:
    """Is it a JSON object to its end? Models may fill up with blanks what follows it."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _is_all_thought(kept: Mapping[str, Any], request: ChatRequest) -> bool:
    """Was a reply cut off because of what the model thought before it? What holds nothing at all was: providers hide
    it."""
    if kept["finish_reason"].casefold() not in _CUT_OFF:
        return False
    text = _THOUGHT.sub("", kept["content"])
    if request.response_format and _is_whole(text):
        return False
    return kept.get("reasoned", False) or not text or text != kept["content"] or _THINKS.match(text) is not None


def whole(text: str) -> str:
    """Without halves of characters, which no database and no file takes."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _reply_from(kept: Mapping[str, Any], *, call_id: int, cached: bool) -> Reply:
    logprobs = kept.get("logprobs")
    return Reply(
        text=whole(_TURN_ENDS.sub("", _THOUGHT.sub("", kept["content"]))),
        finish_reason=kept["finish_reason"],
        prompt_tokens=kept.get("prompt_tokens", 0),
        completion_tokens=kept.get("completion_tokens", 0),
        logprobs=None
        if logprobs is None
        else tuple(TokenLogprob(token, tuple((t, p) for t, p in top)) for token, top in logprobs),
        call_id=call_id,
        cached=cached,
    )
