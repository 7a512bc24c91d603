"""Model calls as OpenTelemetry spans."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from reaseq.bench.fake_endpoint import FakeEndpoint

SCRIPT = """
import asyncio
from reaseq.graphs.golden import MemoryCalls
from reaseq.llm.chat import Chat, ChatRequest
from reaseq.llm.endpoint import Endpoint
import sys

async def main():
    endpoint = Endpoint(sys.argv[1], "fake", "fake")
    async with Chat(endpoint, MemoryCalls(), concurrency=1, timeout=20, retries=0, seed=0) as chat:
        turns = (("user", "A red shoe."),)
        await chat.ask(ChatRequest("verifier", (("system", "Judge."),), turns, 30, product_id="p1"))

asyncio.run(main())
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector that speaks OTLP over HTTP, and what it was sent."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()


def run(fake: FakeEndpoint, tmp_path: Path, **environment: str) -> str:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, str(script), fake.base_url],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_being_asked_there_are_none(fake: FakeEndpoint, tmp_path: Path) -> None:
    assert run(fake, tmp_path) == ""
    assert run(fake, tmp_path, OTEL_TRACES_EXPORTER="none") == ""
    assert run(fake, tmp_path, OTEL_TRACES_EXPORTER="console", OTEL_SDK_DISABLED="true") == ""


@pytest.mark.parametrize("texts", [False, True])
def test_a_span_says_what_a_call_took(fake: FakeEndpoint, tmp_path: Path, texts: bool) -> None:
    asked = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"} if texts else {}
    span = json.loads(run(fake, tmp_path, OTEL_TRACES_EXPORTER="console", **asked))
    said = span["attributes"]
    assert (span["name"], span["kind"]) == ("chat fake", "SpanKind.CLIENT")
    assert span["resource"]["attributes"]["service.name"] == "reaseq"
    assert said["gen_ai.operation.name"] == "chat"
    assert (said["gen_ai.agent.name"], said["reaseq.product.id"]) == ("verifier", "p1")
    assert said["gen_ai.usage.input_tokens"] > 0
    assert said["gen_ai.usage.output_tokens"] > 0
    assert said["gen_ai.response.finish_reasons"] == ["stop"]
    assert ("A red shoe." in json.dumps(said)) is texts


def test_they_reach_a_collector(
    fake: FakeEndpoint, tmp_path: Path, collector: tuple[str, list[tuple[str, bytes]]]
) -> None:
    address, received = collector
    run(fake, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=address)
    assert [path for path, _ in received] == ["/v1/traces"]
    assert b"gen_ai.request.model" in received[0][1]
    assert b"A red shoe." not in received[0][1]
