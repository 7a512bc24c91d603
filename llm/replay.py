"""Recorded replies, served as a model would serve them: the same requests get the same replies, offline.

A file of recorded replies is JSONL, one request a line:

    {"request_key": "…", "reply": {"content": "…", "finish_reason": "stop", "prompt_tokens": 9, "completion_tokens": 3}}

`request_key` is `reaseq.llm.requests.request_key` of the request. `reply` may hold `logprobs`: for each
token `[token, [[alternative, log-probability], …]]`. A line with a `status` is answered by that HTTP error.
`"grammar": false` says that the recorded endpoint compiled no grammars. `reaseq knowledge replies FILE` writes
such a file.
"""

import hashlib
import json
import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from reaseq.llm.endpoint import Endpoint, EngineError, Price
from reaseq.llm.requests import request_key

MODEL = "recorded"
NOT_RECORDED = "not_recorded"
"""The type of the error that answers what is not on record."""
_HINT = "reaseq knowledge replies FILE   (writes the replies of a store as such a file)"


def load_replies(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of a file of recorded replies by request key; of equal requests the last counts.

    Raises:
        EngineError: there is no such file, or a line is not a recorded reply.
    """
    replies: dict[str, dict[str, Any]] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise EngineError(f"{path}, line {number}: not JSON: {error}", hint=_HINT) from error
                if not _is_recorded(row):
                    raise EngineError(
                        f"{path}, line {number}: a recorded reply needs `request_key` and `reply` with `content`",
                        hint=_HINT,
                    )
                replies[row["request_key"]] = row
    except FileNotFoundError as error:
        raise EngineError(f"{path}: no such file of recorded replies", hint=_HINT) from error
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise EngineError(f"{path}: cannot read recorded replies: {said}", hint=_HINT) from error
    return replies


def replies_fingerprint(replies: Mapping[str, Mapping[str, Any]]) -> str:
    """Changes when any recorded reply does, so that a cache never mixes two recordings."""
    text = json.dumps([replies[key] for key in sorted(replies)], sort_keys=True)
    return f"recorded {hashlib.sha256(text.encode()).hexdigest()[:16]}"


class ReplayServer:
    """Serves recorded replies on loopback; a context manager that yields the endpoint.

    `replies` maps a request key to a row as in the file. `grammar` and `logprobs` are what the recorded
    endpoint could do: agents ask differently where it could not. `missed` keeps the bodies of requests
    for which nothing was recorded; they are answered 404.
    """

    def __init__(
        self,
        replies: Mapping[str, Mapping[str, Any]],
        *,
        model: str = MODEL,
        grammar: bool = True,
        logprobs: bool = True,
        price: Price | None = None,
    ) -> None:
        self.replies = replies
        self.missed: list[dict[str, Any]] = []
        self._server = _Server(self)
        self._endpoint = Endpoint(
            base_url=f"http://127.0.0.1:{self._server.server_port}/v1",
            model=model,
            fingerprint=replies_fingerprint(replies),
            grammar=grammar,
            logprobs=logprobs,
            price=price,
        )

    def __enter__(self) -> Endpoint:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self._endpoint

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """HTTP status and body for a chat request."""
        key = request_key(body)
        row = self.replies.get(key)
        if row is None:
            self.missed.append(body)
            last = body["messages"][-1].get("content")
            told = f"request {key}, which ends: {' '.join(str(last).split())[-200:]}"
            return 404, _error(f"no recorded reply for {told}", NOT_RECORDED)
        if "status" in row:
            return row["status"], _error(str(row.get("reply", {}).get("content", "recorded failure")))
        reply = row["reply"]
        prompt_tokens, completion_tokens = reply.get("prompt_tokens", 0), reply.get("completion_tokens", 0)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": reply["content"]},
            "finish_reason": reply.get("finish_reason", "stop"),
            "logprobs": {"content": [_token(*entry) for entry in reply["logprobs"]]} if "logprobs" in reply else None,
        }
        return 200, {
            "id": f"chatcmpl-{key[:24]}",
            "object": "chat.completion",
            "created": 0,
            "model": body.get("model", MODEL),
            "choices": [choice],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
            },
        }


def _is_recorded(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("request_key"), str):
        return False
    if isinstance(row.get("status"), int):
        return True
    return isinstance(row.get("reply"), dict) and isinstance(row["reply"].get("content"), str)


def _error(message: str, kind: str = "replay_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _token(token: str, alternatives: list[list[Any]]) -> dict[str, Any]:
    top = [{"token": other, "logprob": logprob, "bytes": list(other.encode())} for other, logprob in alternatives]
    own = dict(map(tuple, alternatives)).get(token, -9999.0)  # what OpenAI gives for a token far from likely
    return {"token": token, "logprob": own, "bytes": list(token.encode()), "top_logprobs": top}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024  # a run opens all its connections at once

    def __init__(self, replay: ReplayServer) -> None:
        self.replay = replay
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # The parent class asks the resolver for this host's name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet at once; sent apart, each reply would wait 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/chat/completions":
            self._send(404, _error(f"no such path: {self.path}"))
            return
        try:
            body = json.loads(content)
            status, reply = self.server.replay.answer(body)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            status, reply = 400, _error(f"not a chat request: {error!r}")
        self._send(status, reply)

    def _send(self, status: int, reply: dict[str, Any]) -> None:
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal belongs to the run."""
