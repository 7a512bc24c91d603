"""A fake OpenAI-compatible endpoint: real protocol, made-up content, and every way to misbehave.

What it answers depends on the request alone, never on order or time, so that an interrupted run and
an undisturbed one must agree. Faults are drawn from the request and how often it has come, so a
repeat may succeed and a whole run reproduces.

    python -m reaseq.bench.fake_endpoint --port 8900 --latency 0.2 --fault-rate 0.15
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from reaseq.llm.requests import request_key

TRANSIENT = (
    "rate_limit",
    "server_error",
    "drop",
    "hang",
    "not_json",
    "truncated",
    "schema_break",
    "empty",
)
FATAL = ("unauthorized", "forbidden", "model_not_found", "insufficient_quota")
BODIES = ("bad_body", "no_usage")
_STATUS = {
    "rate_limit": 429,
    "server_error": 500,
    "unauthorized": 401,
    "forbidden": 403,
    "model_not_found": 404,
    "insufficient_quota": 429,
    "content_filter": 400,
}
_WORD = re.compile(r"\w[\w'-]*")


@dataclass(frozen=True)
class Options:
    """`faults` maps a fault's name to its probability; latency is in seconds. `silent` leaves every
    reply that should be plain text empty. `canned`: (words of the system text, words of the request's own text,
    replies), of which the first whose words are all there answers, by one of its replies."""

    latency: float = 0.0
    silent: bool = False
    retry_after: float = 0.0
    hang: float = 60.0
    seed: int = 0
    faults: Mapping[str, float] = field(default_factory=dict)
    canned: Sequence[tuple[str, str, Sequence[str]]] = ()

    @classmethod
    def faulty(cls, rate: float, **options: Any) -> "Options":
        """Every transient fault, equally likely, `rate` in all."""
        return cls(faults=dict.fromkeys(TRANSIENT, rate / len(TRANSIENT)), **options)


@dataclass
class Stats:
    """`answered` counts replies whose last byte was handed to a client that was still there."""

    requests: int = 0
    answered: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_request_at: float | None = None
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)


class FakeEndpoint:
    """The endpoint in a process of its own, stopped at the end of the `with` block."""

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._process: subprocess.Popen[str] | None = None
        self._root = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reaseq.bench.fake_endpoint", "--port", "0", "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("http"):
            raise RuntimeError(f"the fake endpoint did not start: {line!r}")
        self._root = line.strip()
        self.configure(self._options)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        # Closing its standard input stops it, and so does our own death, however it comes.
        self._process.communicate(timeout=10)

    @property
    def base_url(self) -> str:
        return f"{self._root}/v1"

    def stats(self) -> Stats:
        raw = self._call("/stats")
        for name in ("statuses", "faults", "answers"):
            raw[name] = Counter(raw[name])
        return Stats(**raw)

    def configure(self, options: Options) -> None:
        """Use other options from now on, and count from zero."""
        self._call("/configure", asdict(options))

    def _call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self._root + path, data, timeout=10) as answer:
            return json.load(answer)


class _Server:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.stats = Stats()
        self.seen: Counter[str] = Counter()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/health", self.health)
        app.router.add_get("/stats", self.show)
        app.router.add_post("/configure", self.configure)
        return app

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "fake", "object": "model"}]})

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(vars(self.stats))

    async def configure(self, request: web.Request) -> web.Response:
        self.options = replace(Options(), **await request.json())
        self.stats = Stats()
        self.seen.clear()
        return web.json_response({})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        stats = self.stats
        stats.requests += 1
        stats.in_flight += 1
        stats.most_in_flight = max(stats.most_in_flight, stats.in_flight)
        stats.first_request_at = stats.first_request_at or time.time()
        try:
            return await self._answer(request, stats)
        finally:
            stats.in_flight -= 1

    async def _answer(self, request: web.Request, stats: Stats) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        key = request_key(body)
        self.seen[key] += 1
        fault = self._fault(key, self.seen[key])
        if fault:
            stats.faults[fault] += 1
        if self.options.latency:
            await asyncio.sleep(self.options.latency)
        if fault in _STATUS:
            status = _STATUS[fault]
            stats.statuses[str(status)] += 1
            headers = {"Retry-After": f"{self.options.retry_after:g}"} if fault == "rate_limit" else {}
            error = {"error": {"message": f"made-up failure: {fault}", "type": fault, "param": None, "code": fault}}
            return web.json_response(error, status=status, headers=headers)
        if fault == "hang":
            await asyncio.sleep(self.options.hang)
        if fault == "bad_body":
            return web.Response(body=b"<html>gateway</html>", content_type="application/json")
        if self.options.silent and "response_format" not in body:
            fault = "empty"
        reply, prompt_tokens, completion_tokens = _completion(body, key, fault, self._canned(body, key))
        if fault == "no_usage":
            reply["usage"] = None
        data = orjson.dumps(reply)
        if fault == "drop":
            await _drop(request, data)
            return web.Response()
        if request.transport is None or request.transport.is_closing():
            return web.Response()  # nobody is there any more
        response = web.Response(body=data, content_type="application/json")
        await response.prepare(request)
        await response.write_eof()
        stats.statuses["200"] += 1
        stats.answered += 1
        stats.answers[key] += 1
        stats.prompt_tokens += prompt_tokens
        stats.completion_tokens += completion_tokens
        return response

    def _canned(self, body: Mapping[str, Any], key: str) -> str | None:
        if not self.options.canned:
            return None
        system, own = body["messages"][0]["content"], _first_user_text(body)
        for of_system, of_own, replies in self.options.canned:
            if of_system in system and of_own in own:
                return replies[int(key[:8], 16) % len(replies)]
        return None

    def _fault(self, key: str, times: int) -> str | None:
        if not self.options.faults:
            return None
        draw = random.Random(f"{self.options.seed} {key} {times}").random()
        for name, probability in self.options.faults.items():
            if (draw := draw - probability) < 0:
                return name
        return None


async def _drop(request: web.Request, data: bytes) -> None:
    """Send half a reply and cut the line."""
    if request.transport is not None:
        request.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data)
            + data[: len(data) // 2]
        )
        await asyncio.sleep(0)
        request.transport.abort() if len(data) % 2 else request.transport.close()


def _completion(
    body: Mapping[str, Any], key: str, fault: str | None, canned: str | None = None
) -> tuple[dict[str, Any], int, int]:
    digest = hashlib.sha256(key.encode()).digest()
    prompt = body["messages"][-1]["content"]
    spec = body.get("response_format")
    if canned is not None:
        text = canned
    elif spec and spec.get("type") == "json_schema":
        made = _instance(spec["json_schema"]["schema"], _Source(_first_user_text(body), digest))
        if fault == "schema_break":
            made = {"surprise": made}
        text = json.dumps(made, ensure_ascii=False)
    else:
        words = [word for word in _WORD.findall(prompt) if not word[0].isdigit()]
        text = f"This is {' '.join(words[:12])}. It suits {' '.join(words[-6:])}."
        if fault == "schema_break":
            text = "!"
    finish = "stop"
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or 1 << 30
    if fault == "not_json":
        text = "I am sorry, as a model I would rather talk about " + " ".join(_WORD.findall(text)[:5])
        text = text if spec else ""
    elif fault == "empty":
        text = ""
    elif fault == "truncated":
        text, finish = text[: len(text) // 2], "length"
    tokens = _tokens(text)
    if len(tokens) > limit:
        text, finish = "".join(tokens[:limit]), "length"
        tokens = tokens[:limit]
    prompt_tokens = sum(len(message["content"]) for message in body["messages"]) // 4 + 1
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish,
        "logprobs": {"content": [_logprob(token) for token in tokens]} if body.get("logprobs") else None,
    }
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": len(tokens),
        "total_tokens": prompt_tokens + len(tokens),
    }
    reply = {
        "id": f"chatcmpl-{key[:24]}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body.get("model", "fake"),
        "choices": [choice],
        "usage": usage,
    }
    return reply, prompt_tokens, len(tokens)


def _first_user_text(body: Mapping[str, Any]) -> str:
    """The request's own text: the last user message before any repair."""
    turns = [message["content"] for message in body["messages"] if message["role"] == "user"]
    repaired = len(turns) > 1 and turns[-1].endswith("Reply again, as asked.")
    return str(turns[-2] if repaired else turns[-1])


class _Source:
    """Where made-up values come from: the words of the request, and a stream of its hash's bytes."""

    def __init__(self, text: str, digest: bytes) -> None:
        self.text = text
        self.folded = text.casefold()
        self.words = _WORD.findall(text) or ["nothing"]
        self._bytes = self._stream(digest)

    @staticmethod
    def _stream(digest: bytes) -> Iterator[int]:
        while True:
            yield from digest
            digest = hashlib.sha256(digest).digest()

    def below(self, limit: int) -> int:
        return (next(self._bytes) << 8 | next(self._bytes)) % limit


def _instance(schema: Mapping[str, Any], source: _Source) -> Any:
    """A value the schema allows: enum members that stand in the text, else often none."""
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        value = _instance(options[0], source)
        return None if value == "" or value == [] else value
    if "enum" in schema:
        members = [member for member in schema["enum"] if isinstance(member, str)]
        there = [member for member in members if member.casefold() in source.folded]
        return there[0] if there else members[source.below(len(members))]
    kind = schema.get("type")
    if kind == "object":
        wanted = set(schema.get("required", ()))
        made = {}
        for name, inner in schema.get("properties", {}).items():
            if name in wanted or source.below(3):
                made[name] = _instance(inner, source)
        return made
    if "prefixItems" in schema:
        return [_instance(inner, source) for inner in schema["prefixItems"]]
    if kind == "array":
        count = source.below(3)
        least, most = schema.get("minItems", 0), schema.get("maxItems", 2)
        items = [_instance(schema["items"], source) for _ in range(max(least, min(most, count)))]
        return [item for index, item in enumerate(items) if item not in items[:index]]
    if kind == "integer":
        return source.below(100)
    if kind == "number":
        return source.below(1000) / 10
    if kind == "boolean":
        return bool(source.below(2))
    if kind == "null":
        return None
    start = source.below(len(source.words))
    return " ".join(source.words[start : start + 2])[: schema.get("maxLength", 60)]


def _tokens(text: str) -> list[str]:
    """Pieces of at most four characters that break at quotes, so that an answer's word begins a token."""
    return re.findall(r'["{}:,\s]+|[^"{}:,\s]{1,4}', text)


def _logprob(token: str) -> dict[str, Any]:
    top = (
        [(token, -0.1), ("no" if token.startswith("yes") else "yes", -2.4)] if token in ("yes", "no") else [(token, 0)]
    )
    entries = [{"token": other, "logprob": p, "bytes": list(other.encode())} for other, p in top]
    return entries[0] | {"top_logprobs": entries}


def _run(port: int, options: Options, until_stdin_closes: bool) -> None:
    async def serve() -> None:
        runner = web.AppRunner(_Server(options).app(), access_log=None, handle_signals=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        assert site._server is not None
        print(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", flush=True)  # type: ignore[attr-defined]
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        if until_stdin_closes:

            def watch() -> None:
                sys.stdin.read()
                loop.call_soon_threadsafe(stopped.set)

            threading.Thread(target=watch, daemon=True).start()
        await stopped.wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the first line printed is the address")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before a reply")
    parser.add_argument("--fault-rate", type=float, default=0.0, help="share of requests that go wrong")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    args = parser.parse_args()
    _run(args.port, Options.faulty(args.fault_rate, latency=args.latency), args.until_stdin_closes)


if __name__ == "__main__":
    main()
