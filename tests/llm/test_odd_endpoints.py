"""Endpoints as they are: finish reasons, what stands around a reply, and what they refuse."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from reaseq.llm.chat import Call, Chat, ChatRequest, EndpointFailed, Reply, ReplyError, seconds_to_wait
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


@pytest.mark.parametrize("text", ["", "no", "{", "```json\n{\n```"])
def test_no_json(text: str) -> None:
    with pytest.raises(ReplyError, match="not valid JSON"):
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
    """Refuses what `refused` names, with `status`; answers with `choice` else. bodies: what it was sent."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.named, self.status = True, 400
        self.choice: dict[str, Any] = {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        self.bodies: list[dict[str, Any]] = []
        self.busy = 0
        self.more: dict[str, Any] = {}
        self.refusal: str | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.bodies.append(body)
                kind = body.get("response_format", {}).get("type")
                bad = [name for name in server.refused if name in body or name == kind]
                answer: dict[str, Any] = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
                answer["choices"] = [{"index": 0, **server.choice}]
                answer |= server.more
                if bad:
                    answer = {"error": {"message": f"unknown field {bad[0]}" if server.named else "bad request"}}
                made = (server.refusal if bad and server.refusal else json.dumps(answer)).encode()
                busy = server.busy > 0
                server.busy -= busy
                self.send_response(429 if busy else server.status if bad else 200)
                if busy:
                    self.send_header("Retry-After", "0.2")
                self.send_header("Content-Type", "application/json")
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


def asked(server: _Server, times: int = 1, **more: Any) -> list[Reply]:
    async def run() -> list[Reply]:
        endpoint = Endpoint(base_url=server.url, model="m", fingerprint="f", api_key="k")
        async with Chat(endpoint, _Calls(), concurrency=1, timeout=10, retries=0, seed=1) as chat:
            request = ChatRequest("agent", (), (("user", "well?"),), 10, **more)
            return [await chat.ask(request) for _ in range(times)]

    return asyncio.run(run())


@pytest.mark.parametrize("reason", ["stop", "eos", "STOP", "end_turn", "stop_sequence", None])
def test_a_whole_reply_by_any_name(server: _Server, reason: str | None) -> None:
    server.choice["finish_reason"] = reason
    assert asked(server)[0].text == "yes"


@pytest.mark.parametrize(("reason", "said"), [("MAX_TOKENS", "cut off"), ("content_filter", "did not end properly")])
def test_a_reply_that_is_not_whole(server: _Server, reason: str, said: str) -> None:
    server.choice["finish_reason"] = reason
    with pytest.raises(ReplyError, match=said):
        asked(server)


@pytest.mark.parametrize("opened", ["<think>\n", ""])
def test_what_a_model_thinks_is_no_reply(server: _Server, opened: str) -> None:
    server.choice["message"]["content"] = opened + 'no {"a": 1}?\n</think>\n\nyes'
    assert asked(server)[0].text == "yes"


@pytest.mark.parametrize("usage", [{"prompt_tokens": "10", "completion_tokens": "5"}, {}, None])
def test_usage_by_any_type(server: _Server, usage: Any) -> None:
    server.more = {"usage": usage}
    assert asked(server)[0].text == "yes"


def test_why_nothing_came_back_is_said(server: _Server) -> None:
    server.choice["message"] = {"role": "assistant", "content": None, "refusal": "I may not say."}
    with pytest.raises(ReplyError, match=r"It was refused: I may not say\."):
        asked(server)
    server.more = {"choices": None, "error": {"message": "upstream rate limit"}}
    with pytest.raises(ReplyError, match="upstream rate limit"):
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
