"""Endpoints as they are: finish reasons, what stands around a reply, and what they refuse."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from reaseq.llm.answers import seconds_to_wait
from reaseq.llm.budget import Budget, BudgetExceeded
from reaseq.llm.chat import (
    Call,
    Chat,
    ChatRequest,
    EndpointFailed,
    EndpointRefused,
    NoRoom,
    Reply,
    ReplyError,
    RequestRefused,
)
from reaseq.llm.endpoint import Endpoint
from reaseq.llm.json_reply import json_of

FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1]}',
        '```json\n{"a": [1]}\n```',
        'Here it is:\n\n```\n{"a": [1]}\n```\nTell me if you need more.',
        'Sure! {"a": [1]} is what I found.',
        'Of {x} I know nothing, but {"a": [1]}',
        '{"a": [1\n]}',
    ],
)
def test_json_of_a_reply(text: str) -> None:
    assert json_of(Reply(text, "stop")) == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no JSON object in it"),
        ("no", "there is no JSON object in it"),
        ("{", r"line 1, column 2, at: {\)"),
        ("```json\n{\n```", "it ends too early"),
        (
            'Here:\n```json\n{"1": "yes",\n "2": "no",\n}\n```\nThat is all.',
            r"a comma stands before '}' \(line 2, column 11",
        ),
        ('{"a": {"b": 1},}', "a comma stands before '}'"),
        ('{"a": [1, 2,]}', "a comma stands before ']'"),
        ('{"a": [{"b": 1},], "c": 2}', "a comma stands before ']'"),
        ("{'a': 1}", r"in double quotes \(line 1, column 2, at: {'a': 1}\)"),
        ('{"a": True}', r"Expecting value \(line 1, column 7"),
        ('{"1": "yes" "2": "no"}', r"Expecting ',' delimiter \(line 1, column 13"),
        ("[" * 100_000, ""),
        ('{"a": ' * 100_000, ""),
    ],
)
def test_no_json(text: str, said: str) -> None:
    with pytest.raises(ReplyError, match=f"^Your reply is not valid JSON: .*{said}"):
        json_of(Reply(text, "stop"))


class _Calls:
    def find_call(self, request_key: str, model_fingerprint: str) -> None:
        return None

    def __init__(self) -> None:
        self.waited: list[tuple[str, float]] = []

    def record_call(self, call: Call) -> int:
        return 1

    def waits(self, why: str, seconds: float) -> None:
        self.waited.append((why, seconds))


class _Server:
    """Refuses what `refused` names, with `status`; answers with `choice` else. bodies: what it was sent. script: what
    it answers first, one after the other: status, headers, body. Paths that do not begin with what it `serves` get the
    status `elsewhere`."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.named, self.status = True, 400
        self.choice: dict[str, Any] = {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        self.bodies: list[dict[str, Any]] = []
        self.busy = 0
        self.more: dict[str, Any] = {}
        self.refusal: str | None = None
        self.script: list[tuple[int, dict[str, str], Any]] = []
        self.serves, self.elsewhere = "/", 404
        self.answer: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda body: self.choice
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.bodies.append(body)
                if not self.path.startswith(server.serves):
                    self.send_response(server.elsewhere)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                kind = body.get("response_format", {}).get("type")
                bad = [name for name in server.refused if name in body or name == kind]
                answer: dict[str, Any] = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
                choice = server.answer(body)
                answer |= choice if "error" in choice else {"choices": [{"index": 0, **choice}]}
                answer |= server.more
                if bad:
                    answer = {"error": {"message": f"unknown field {bad[0]}" if server.named else "bad request"}}
                made = (server.refusal if bad and server.refusal else json.dumps(answer)).encode()
                busy = server.busy > 0
                server.busy -= busy
                status, headers = 429 if busy else server.status if bad else 200, {"Retry-After": "0.2"} if busy else {}
                if server.script:
                    status, headers, told = server.script.pop(0)
                    made = (told if isinstance(told, str) else json.dumps(told)).encode()
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(made)))
                self.end_headers()
                self.wfile.write(made)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    yield made
    made.close()


def asked(
    server: _Server,
    times: int = 1,
    *,
    retries: int = 0,
    calls: _Calls | None = None,
    budget: Budget | None = None,
    **more: Any,
) -> list[Reply]:
    async def run() -> list[Reply]:
        endpoint = Endpoint(base_url=server.url, model="m", fingerprint="f", api_key="k")
        options: dict[str, Any] = {"concurrency": 1, "timeout": 10, "retries": retries, "seed": 1, "budget": budget}
        async with Chat(endpoint, calls or _Calls(), **options) as chat:
            request = ChatRequest("agent", (), (("user", "well?"),), 10, **more)
            return [await chat.ask(request) for _ in range(times)]

    return asyncio.run(run())


@pytest.mark.parametrize("reason", ["stop", "eos", "STOP", "end_turn", "stop_sequence", None])
def test_a_whole_reply_by_any_name(server: _Server, reason: str | None) -> None:
    server.choice["finish_reason"] = reason
    assert asked(server)[0].text == "yes"


@pytest.mark.parametrize(
    ("reason", "said"),
    [("MAX_TOKENS", "cut off"), ("content_filter", "did not end properly"), ("abort", "did not end properly")],
)
def test_a_reply_that_is_not_whole(server: _Server, reason: str, said: str) -> None:
    server.choice["finish_reason"] = reason
    with pytest.raises(ReplyError, match=said):
        asked(server)


@pytest.mark.parametrize(
    "content",
    [
        '<think>\nno {"a": 1}?\n</think>\n\nyes',
        'no {"a": 1}?\n</think>\n\nyes',
        "◁think▷no?◁/think▷yes",
        "<seed:think>no?</seed:think>yes",
        "<reasoning>no?</reasoning>\nyes",
        "<|channel|>analysis<|message|>no?<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>",
        "yes<|im_end|>",
        "yes<|endoftext|><|endoftext|>",
        "yes<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nAnything else?",
        "yes<end_of_turn>\n",
        "yes<｜end▁of▁sentence｜>",
        "yes</s>",
    ],
)
def test_what_stands_around_a_reply_is_none(server: _Server, content: str) -> None:
    server.choice["message"]["content"] = content
    assert asked(server)[0].text == "yes"


@pytest.mark.parametrize("content", ["<s>no</s> yes", '{"a": "ends with <|im_end|>"}'])
def test_what_stands_within_a_reply_stays(server: _Server, content: str) -> None:
    server.choice["message"]["content"] = content
    assert asked(server)[0].text == content


@pytest.mark.parametrize(
    ("content", "is_whole"),
    [('{"a": 1}\n \n \n', True), ('{"a": 1}', True), ('{"a": 1', False), ("yes", False), ("3", False)],
)
def test_an_object_that_is_whole_was_not_cut_off(server: _Server, content: str, *, is_whole: bool) -> None:
    server.choice["finish_reason"] = "length"
    server.choice["message"]["content"] = content
    if is_whole:
        assert asked(server, response_format={"type": "json_object"})[0].text == content
    else:
        with pytest.raises(ReplyError, match="cut off"):
            asked(server, response_format={"type": "json_object"})
    with pytest.raises(ReplyError, match="cut off"):
        asked(server)


@pytest.mark.parametrize("usage", [{"prompt_tokens": "10", "completion_tokens": "5"}, {}, None])
def test_usage_by_any_type(server: _Server, usage: Any) -> None:
    server.more = {"usage": usage}
    assert asked(server)[0].text == "yes"


def test_why_nothing_came_back_is_said(server: _Server) -> None:
    server.choice["message"] = {"role": "assistant", "content": None, "refusal": "I may not say."}
    with pytest.raises(ReplyError, match=r"It was refused: I may not say\."):
        asked(server)
    server.more = {"choices": None, "error": {"message": "upstream rate limit"}}
    with pytest.raises(ReplyError, match=r"^No chat completion came back: upstream rate limit\.$"):
        asked(server)


@pytest.mark.parametrize(
    "refusal",
    [
        '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"no extras"}]}}',
        '{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}',
        "Unknown parameter: seed",
    ],
)
def test_a_refusal_in_any_shape(server: _Server, refusal: str) -> None:
    server.refused, server.status, server.refusal = ["seed"], 422, refusal
    assert asked(server)[0].text == "yes"


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "refused",
    [
        *(["seed"], ["temperature"], ["logprobs"], ["max_completion_tokens"], ["json_schema"]),
        *(["json_schema", "json_object"], ["seed", "logprobs", "temperature"]),
    ],
)
def test_what_is_refused_is_left_off_for_the_rest_of_the_run(
    server: _Server, status: int, refused: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    server.refused, server.status = refused, status
    options: Mapping[str, Any] = {"response_format": FORMAT, "top_logprobs": 2}
    with caplog.at_level(logging.WARNING):
        assert [reply.text for reply in asked(server, times=2, **options)] == ["yes", "yes"]
    assert len(server.bodies) == len(refused) + 2
    assert len(caplog.messages) == len(refused)
    last = server.bodies[-1]
    assert not set(refused) & set(last)
    if refused == ["json_schema"]:
        assert last["response_format"] == {"type": "json_object"}
    if refused == ["max_completion_tokens"]:
        assert last["max_tokens"] == 10


LOGPROBS = "You are not allowed to request logprobs from this model"


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (403, {"error": {"message": LOGPROBS, "type": "invalid_request_error", "param": None, "code": None}}),
        (400, [{"error": {"code": 400, "message": "Logprobs is not enabled for models/gemini-2.5-flash"}}]),
        (400, {"error": {"message": "`logprobs` is not supported with this model"}}),
        (404, {"error": {"message": "No endpoint of m supports these parameters: logprobs, top_logprobs"}}),
        (501, {"error": {"message": "Log probabilities are not implemented"}}),
        (422, {"detail": "when using `top_logprobs`, `logprobs` must be set to true"}),
    ],
)
def test_log_probabilities_are_refused_in_many_ways(server: _Server, status: int, refusal: Any) -> None:
    server.refused, server.status, server.refusal = ["logprobs", "top_logprobs"], status, json.dumps(refusal)
    assert [reply.text for reply in asked(server, times=2, top_logprobs=2)] == ["yes", "yes"]
    assert len(server.bodies) == 3
    assert not {"logprobs", "top_logprobs"} & set(server.bodies[-1])
    assert {"seed", "temperature"} <= set(server.bodies[-1])


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (403, "this key may not use m", EndpointRefused),
        (404, "the model seed-oss-36b does not exist", EndpointRefused),
        (400, "the prompt on linseed-oil was filtered", RequestRefused),
    ],
)
def test_what_is_refused_for_another_reason(server: _Server, status: int, said: str, kind: type[Exception]) -> None:
    server.refused, server.status, server.refusal = ["messages"], status, json.dumps({"error": {"message": said}})
    with pytest.raises(kind, match=said):
        asked(server, top_logprobs=2)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("left_off", ["logprobs", "top_logprobs"])
def test_log_probabilities_that_a_setting_leaves_off(server: _Server, left_off: Any) -> None:
    async def run() -> None:
        endpoint = Endpoint(server.url, "m", "f", leave_off=(left_off,))
        async with Chat(endpoint, _Calls(), concurrency=1, timeout=10, retries=0, seed=1) as chat:
            await chat.ask(ChatRequest("agent", (), (("user", "well?"),), 10, top_logprobs=2))

    asyncio.run(run())
    (body,) = server.bodies
    assert "top_logprobs" not in body
    assert ("logprobs" in body) == (left_off == "top_logprobs")


def groq(made: Any, said: str = "Failed to generate JSON.") -> tuple[int, dict[str, str], Any]:
    error = {"message": said, "type": "invalid_request_error", "code": "json_validate_failed"}
    return 400, {}, {"error": error | ({} if made is None else {"failed_generation": made})}


@pytest.mark.parametrize(
    ("made", "text"),
    [('{"a": ', '{"a": '), ('{"a": [1]} \n', '{"a": [1]} \n'), ({"a": [1]}, '{"a": [1]}')],
)
def test_json_that_an_endpoint_found_broken_is_a_reply(server: _Server, made: Any, text: str) -> None:
    server.script = [groq(made)]
    (reply,) = asked(server, response_format=FORMAT)
    assert reply.text == text
    assert reply.prompt_tokens > 0
    assert len(server.bodies) == 1


@pytest.mark.parametrize("made", [None, ""])
def test_json_that_an_endpoint_found_broken_and_does_not_show(server: _Server, made: Any) -> None:
    server.script = [groq(made)]
    with pytest.raises(ReplyError, match=r"empty\. The provider says: Failed to generate JSON\.$"):
        asked(server, response_format=FORMAT)


def reasoner(server: _Server, needed: int, content: str | None = None, **message: Any) -> None:
    """It answers when it has as many tokens as it needs, and else has but thought."""
    thought = {"message": {"role": "assistant", "content": content, **message}, "finish_reason": "length"}

    def answer(body: Mapping[str, Any]) -> dict[str, Any]:
        enough = body["max_completion_tokens"] >= needed
        return {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"} if enough else thought

    server.answer = answer


THOUGHTS: list[dict[str, Any]] = [
    {"reasoning": "They want"},
    {"reasoning_content": "They want", "content": "\n\n"},
    {"content": ""},
    {"content": "<think>They want"},
    {"content": '<think>They want</think>{"a'},
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "They want"}]}]},
]


@pytest.mark.parametrize("thought", THOUGHTS)
def test_a_model_that_reasons_gets_room_for_it_from_then_on(
    server: _Server, thought: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    reasoner(server, 3000, **thought)
    with caplog.at_level(logging.WARNING):
        assert [reply.text for reply in asked(server, times=2, response_format=FORMAT)] == ["yes", "yes"]
    assert [body["max_completion_tokens"] for body in server.bodies] == [10, 4106, 4106]
    (said,) = caplog.messages
    assert "reasoning takes all the tokens of a reply" in said


def test_reasoning_that_is_but_counted(server: _Server) -> None:
    reasoner(server, 3000, content='{"a": 1, "b')
    server.more = {"usage": {"prompt_tokens": 5, "completion_tokens": 10, "completion_tokens_details": {}}}
    with pytest.raises(ReplyError, match="more briefly"):
        asked(server)
    server.more["usage"]["completion_tokens_details"] = {"reasoning_tokens": 6}
    assert asked(server)[0].text == "yes"


def test_reasoning_without_an_end_is_said(server: _Server) -> None:
    reasoner(server, 1_000_000)
    with pytest.raises(NoRoom, match=r"reasoning took all the 16,394 tokens .* more max_tokens") as caught:
        asked(server)
    assert [body["max_completion_tokens"] for body in server.bodies] == [10, 4106, 16_394]
    assert "reaseq prompts edit agent" in (caught.value.hint or "")


def test_more_room_than_a_model_has(server: _Server) -> None:
    reasoner(server, 3000)
    answered = server.answer

    def answer(body: Mapping[str, Any]) -> dict[str, Any]:
        if body["max_completion_tokens"] > 4000:
            return {"error": {"message": "more than the maximum context length", "code": 400}}
        return answered(body)

    server.answer = answer
    with pytest.raises(NoRoom, match="took all the 10 tokens"):
        asked(server)


def test_room_within_a_budget(server: _Server) -> None:
    reasoner(server, 3000)
    with pytest.raises(BudgetExceeded, match=r"of 3,000 used"):
        asked(server, budget=Budget(max_tokens=3000))
    assert len(server.bodies) == 1


def test_what_names_nothing_is_of_one_request(server: _Server) -> None:
    server.refused, server.named = ["messages"], False
    with pytest.raises(EndpointFailed, match="bad request"):
        asked(server)
    assert len(server.bodies) == 1


def test_what_is_said_to_be_refused_is_never_sent(server: _Server, caplog: pytest.LogCaptureFixture) -> None:
    server.refused = ["seed", "json_schema"]

    async def run() -> str:
        endpoint = Endpoint(server.url, "m", "f", leave_off=("seed", "json_schema"))
        async with Chat(endpoint, _Calls(), concurrency=1, timeout=10, retries=0, seed=1) as chat:
            return (await chat.ask(ChatRequest("agent", (), (("user", "well?"),), 10, response_format=FORMAT))).text

    assert asyncio.run(run()) == "yes"
    assert len(server.bodies) == 1
    assert not caplog.messages


@pytest.mark.parametrize(("said", "seconds"), [("2", 2.0), ("0.5", 0.5), ("", 0.0), ("soon", 0.0)])
def test_how_long_an_endpoint_wants_to_be_left_alone(said: str, seconds: float) -> None:
    assert seconds_to_wait({"retry-after": said}) == seconds


def test_until_when_an_endpoint_wants_to_be_left_alone() -> None:
    assert 20 < seconds_to_wait({"retry-after": formatdate(time.time() + 30, usegmt=True)}) <= 30


@pytest.mark.parametrize(("busy", "answered"), [(2, True), (4, False)])
def test_a_long_wait_is_waited_for(server: _Server, monkeypatch: pytest.MonkeyPatch, busy: int, answered: bool) -> None:
    monkeypatch.setattr("reaseq.llm.chat._SDK_WAITS", 0.1)
    server.busy = busy
    if answered:
        assert asked(server)[0].text == "yes"
    else:
        with pytest.raises(EndpointFailed, match=r"is busy for 0 s, and was 3 times before"):
            asked(server)
    assert len(server.bodies) == min(busy + 1, 4)


@pytest.mark.parametrize("parts", [1, 1000])
def test_until_which_moment_an_endpoint_wants_to_be_left_alone(parts: int) -> None:
    assert 20 < seconds_to_wait({"retry-after": str(round((time.time() + 30) * parts))}) <= 31
    assert seconds_to_wait({"retry-after": str(round((time.time() - 30) * parts))}) == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "7200"}, 7200.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "inf"}, 0.0),
    ],
)
def test_a_wait_in_other_shapes(headers: dict[str, str], seconds: float) -> None:
    assert seconds_to_wait(headers) == seconds


def test_a_moment_to_wait_for_is_waited_for_and_told(server: _Server) -> None:
    calls = _Calls()
    server.script = [(429, {"Retry-After": f"{time.time() + 1.5:.3f}"}, {"error": {"message": "slow down"}})]
    started = time.monotonic()
    assert asked(server, retries=1, calls=calls)[0].text == "yes"
    assert 1 < time.monotonic() - started < 4
    ((why, seconds),) = calls.waited
    assert why == "429 Too Many Requests"
    assert 1 < seconds <= 1.5


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_is_said_at_once(server: _Server, status: int) -> None:
    calls = _Calls()
    server.script = [(status, {"Retry-After": "7200"}, {"error": {"message": "daily limit"}})]
    with pytest.raises(
        EndpointRefused, match=r"alone for 120 minutes, and 15 minutes .* waited .*daily limit"
    ) as caught:
        asked(server, retries=3, calls=calls)
    assert "it goes on" in (caught.value.hint or "")
    assert (len(server.bodies), calls.waited) == (1, [])


def test_a_long_wait_of_any_status_is_waited_for(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reaseq.llm.chat._SDK_WAITS", 0.1)
    server.script = [(503, {"Retry-After": "0.2"}, "")]
    assert asked(server)[0].text == "yes"


ARGUMENTS = '{"a": [1]}'
WANTED = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "required": ["a"]}}}


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"arguments": ARGUMENTS}}]},
        {"content": "", "tool_calls": [{"function": {"name": "json_tool_call", "arguments": {"a": [1]}}}]},
        {"content": None, "function_call": {"name": "x", "arguments": ARGUMENTS}},
        {"content": None, "reasoning_content": f"\n{ARGUMENTS}\n"},
        {"content": "\n\n", "reasoning": ARGUMENTS, "reasoning_content": None},
    ],
)
def test_a_reply_in_another_field(server: _Server, message: dict[str, Any]) -> None:
    server.choice = {"message": {"role": "assistant", **message}, "finish_reason": "tool_calls"}
    (reply,) = asked(server, response_format=WANTED)
    assert json_of(reply) == {"a": [1]}


@pytest.mark.parametrize(
    ("reasoning", "format_", "said"),
    [
        ("The shoe is red.", WANTED, "stands among the reasoning"),
        (f"So: {ARGUMENTS}", WANTED, "stands among the reasoning"),
        ('{"b": 1}', WANTED, "stands among the reasoning"),
        (ARGUMENTS, None, "stands among the reasoning"),
        ("", WANTED, r"empty\.$"),
    ],
)
def test_what_is_thought_is_no_reply(server: _Server, reasoning: str, format_: Any, said: str) -> None:
    server.choice["message"] = {"role": "assistant", "content": None, "reasoning_content": reasoning}
    with pytest.raises(ReplyError, match=said):
        asked(server, response_format=format_)


@pytest.mark.parametrize(
    "told",
    [
        {"error": {"message": "slow down", "code": 429}},
        {"error": {"message": "slow down", "code": "503"}, "choices": None},
        {"error": {"message": "slow down", "type": "rate_limit_error"}},
        {"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "slow down"}}]},
        'data: {"error": {"message": "slow down", "code": 429}}\n\ndata: [DONE]\n',
    ],
)
def test_an_error_that_may_pass_under_status_200(server: _Server, told: Any) -> None:
    calls = _Calls()
    server.script = [(200, {}, told)]
    assert asked(server, retries=1, calls=calls)[0].text == "yes"
    assert len(calls.waited) == 1
    server.script = [(200, {}, told)]
    with pytest.raises(EndpointFailed, match=r"^\d+ [A-Z][A-Za-z ]+: slow down\n"):
        asked(server)


@pytest.mark.parametrize(
    ("status", "told", "kind", "said"),
    [
        (200, {"error": {"message": "no such key", "code": 401}}, EndpointRefused, "refused the key"),
        (200, {"error": {"message": "too long", "code": 400}}, RequestRefused, r"^400 Bad Request: too long\n"),
        (413, "", RequestRefused, "413"),
        (400, [{"error": {"message": "as Gemini does", "code": 400}}], RequestRefused, "Request: as Gemini does\n"),
        (200, {"error": "out of order"}, ReplyError, r"came back: out of order\.$"),
        (200, {"error": {"message": "Provider", "metadata": {"raw": "boom"}}}, ReplyError, r"back: Provider: boom\.$"),
        (200, {"choices": None}, ReplyError, r"came back: it holds no choice\.$"),
        (200, {"choices": []}, ReplyError, r"came back: it holds no choice\.$"),
        (200, {"choices": [{"text": "yes"}]}, ReplyError, r"its choice holds no message\.$"),
        (200, "<html>\ngateway</html>", ReplyError, r"it is no JSON, but <html> gateway</html>\.$"),
        (200, "", ReplyError, r"it is no JSON, but nothing\.$"),
        (
            200,
            {"choices": [{"message": {"content": "hal"}, "finish_reason": None, "error": {"message": "exploded"}}]},
            ReplyError,
            r"did not end properly \(finish reason: error\)\. The provider says: exploded$",
        ),
        (
            *(200, 'data: {"choices": [{"delta": {"content": "hal"}}]}\n', ReplyError),
            r"did not end properly .* the stream broke off$",
        ),
    ],
)
def test_what_else_comes_is_said_in_words(
    server: _Server, status: int, told: Any, kind: type[Exception], said: str
) -> None:
    server.script = [(status, {}, told)]
    with pytest.raises(kind, match=said):
        asked(server, retries=2)
    assert len(server.bodies) == 1


CHUNKS = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {"content": "y\u2028e"}}], "usage": None},
    {"choices": [{"index": 0, "delta": {"content": "s"}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}},
]


@pytest.mark.parametrize("end", ["", "data: [DONE]\n\n"])
@pytest.mark.parametrize(
    ("text", "format_", "is_whole"),
    [(ARGUMENTS, WANTED, True), (ARGUMENTS[:-1], WANTED, False), ("A red sho", None, False), (ARGUMENTS, None, False)],
)
def test_a_stream_without_a_finish_reason(
    server: _Server, end: str, text: str, format_: Any, *, is_whole: bool
) -> None:
    line = f"data: {json.dumps({'choices': [{'delta': {'content': text}, 'finish_reason': None}]})}\n\n"
    server.script = [(200, {"Content-Type": "text/event-stream"}, line + end)]
    if end or is_whole:
        assert asked(server, response_format=format_)[0].text == text
    else:
        with pytest.raises(ReplyError, match="the stream broke off"):
            asked(server, response_format=format_)


@pytest.mark.parametrize("kind", ["text/event-stream", "text/event-stream; charset=utf-8", "application/json"])
def test_a_stream_nobody_asked_for(server: _Server, kind: str) -> None:
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}\r\n\r\n" for chunk in CHUNKS]
    server.script = [(200, {"Content-Type": kind}, ": PROCESSING\n\n" + "".join(lines) + "data: [DONE]\n\n")]
    (reply,) = asked(server)
    assert (reply.text, reply.finish_reason) == ("y\u2028es", "stop")
    assert (reply.prompt_tokens, reply.completion_tokens) == (7, 3)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}),
        (429, {"message": "You exceeded your quota", "type": "insufficient_quota", "code": None}),
        (402, {"message": "Insufficient Balance", "code": "invalid_request_error"}),
        (200, {"message": "Insufficient credits", "code": 402}),
    ],
)
def test_what_is_not_paid_for_is_not_tried_again(server: _Server, status: int, error: dict[str, Any]) -> None:
    calls = _Calls()
    server.script = [(status, {}, {"error": error})]
    with pytest.raises(EndpointRefused, match=error["message"]) as caught:
        asked(server, retries=6, calls=calls)
    assert "billing" in (caught.value.hint or "")
    assert "--model" in (caught.value.hint or "")
    assert (len(server.bodies), calls.waited) == (1, [])


@pytest.mark.parametrize("elsewhere", [404, 405])
@pytest.mark.parametrize("ending", ["", "/", "/gateway"])
def test_an_address_without_its_version_is_tried_with_it(
    server: _Server, caplog: pytest.LogCaptureFixture, elsewhere: int, ending: str
) -> None:
    root = server.url.removesuffix("/v1") + ending
    server.url, server.elsewhere, server.serves = root, elsewhere, f"{ending.rstrip('/')}/v1/"
    assert [reply.text for reply in asked(server, 3)] == ["yes"] * 3
    assert len(server.bodies) == 4  # once in vain
    assert [one.getMessage() for one in caplog.records if "write base_url so" in one.getMessage()] == [
        f"nothing is served at {root}, but at {root.rstrip('/')}/v1: write base_url so"
    ]


def test_an_address_that_serves_is_left_as_it_is(server: _Server, caplog: pytest.LogCaptureFixture) -> None:
    server.url, server.serves = server.url.removesuffix("/v1"), "/chat/"
    assert [reply.text for reply in asked(server, 2)] == ["yes"] * 2
    assert (len(server.bodies), caplog.text) == (2, "")


@pytest.mark.parametrize(("ending", "nor", "tried"), [("", ", nor does ", 2), ("/v1", "", 1), ("/v1beta2", "", 1)])
def test_where_nothing_is_served_either_way_it_is_said(server: _Server, ending: str, nor: str, tried: int) -> None:
    server.url, server.serves = server.url.removesuffix("/v1") + ending, "/nothing"
    with pytest.raises(EndpointRefused, match=rf"does not serve model 'm' \(404\){nor}"):
        asked(server)
    assert len(server.bodies) == tried


def test_with_its_version_a_key_may_be_refused(server: _Server) -> None:
    server.url, server.serves = server.url.removesuffix("/v1"), "/v1/"
    server.refused, server.status = ["messages"], 401
    with pytest.raises(EndpointRefused, match="refused the key"):
        asked(server)
