"""The embedded engine for real: a model on llama.cpp."""

import asyncio
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from reaseq.graphs.golden import MemoryCalls
from reaseq.llm import embedded
from reaseq.llm.chat import Chat, ChatRequest, Message, Reply, ReplyError
from reaseq.llm.endpoint import Endpoint, EngineError
from reaseq.llm.slots import share

pytestmark = pytest.mark.embedded
MODELS = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models"))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with embedded.serve(None, models_dir=MODELS, logs_dir=tmp_path_factory.mktemp("logs"), concurrency=2) as served:
        yield served


def ask(endpoint: Endpoint, *texts: str, schema: object = None, max_tokens: int = 60) -> list[Reply]:
    spec = None if schema is None else {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    async def all_at_once() -> list[Reply]:
        async with Chat(endpoint, MemoryCalls(), concurrency=2, timeout=300, retries=0, seed=0) as chat:
            requests = [ChatRequest("test", (), (("user", text),), max_tokens, spec, top_logprobs=5) for text in texts]
            return await asyncio.gather(*map(chat.ask, requests))

    return asyncio.run(all_at_once())


def test_a_schema_is_a_grammar(endpoint: Endpoint) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["crimson", "teal"]}, "note": {"type": "string", "maxLength": 12}},
        "required": ["colour", "note"],
        "additionalProperties": False,
    }
    text = "What colour is a ripe strawberry? Write a long note about it."
    (reply,) = ask(endpoint, text, schema=schema)
    made = json.loads(reply.text)
    assert made["colour"] in ("crimson", "teal")
    assert len(made["note"]) <= 12
    assert reply.prompt_tokens > 10
    assert reply.completion_tokens > 5


def test_log_probabilities_cover_the_reply(endpoint: Endpoint) -> None:
    schema = {
        "type": "object",
        "properties": {"1": {"enum": ["yes", "no"]}},
        "required": ["1"],
        "additionalProperties": False,
    }
    (reply,) = ask(endpoint, 'Is snow cold? Answer as JSON: {"1": "yes"} or {"1": "no"}', schema=schema)
    assert json.loads(reply.text) == {"1": "yes"}
    assert reply.logprobs is not None
    assert "".join(token.token for token in reply.logprobs).strip() == reply.text.strip()
    assert all(token.top for token in reply.logprobs)


def test_beginnings_that_are_shared_are_read_once(endpoint: Endpoint) -> None:
    beginnings = [(("system", f"{animal}s. " + f"A {animal} is an animal. " * 40),) for animal in ("cat", "dog", "hen")]
    share(endpoint, beginnings)

    def read(beginning: tuple[Message, ...], text: str) -> tuple[int, int]:
        messages = [{"role": role, "content": content} for role, content in (*beginning, ("user", text))]
        body = json.dumps({"messages": messages, "max_tokens": 1}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {endpoint.api_key}"}
        request = urllib.request.Request(f"{endpoint.base_url}/chat/completions", body, headers)
        timings = json.load(urllib.request.urlopen(request, timeout=300))["timings"]
        return timings["cache_n"], timings["prompt_n"]

    with ThreadPoolExecutor(2) as threads:  # two at a time, each in a slot of its own
        for beginning in beginnings:
            for known, fresh in threads.map(partial(read, beginning), ("How old does it get?", "What does it eat?")):
                assert known > 200
                assert fresh < 20


def test_a_reply_that_is_cut_off_says_so(endpoint: Endpoint) -> None:
    with pytest.raises(ReplyError, match="cut off"):
        ask(endpoint, "Count from one to one hundred in words.", max_tokens=5)


def test_nobody_else_on_this_machine_may_ask(endpoint: Endpoint) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]}).encode()
    request = urllib.request.Request(f"{endpoint.base_url}/chat/completions", body)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=30)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF and nothing more")
    with (
        pytest.raises(EngineError, match=r"the server of broken\.gguf stopped"),
        embedded.serve(str(path), models_dir=tmp_path, logs_dir=tmp_path, concurrency=1),
    ):
        pass


def test_it_ends_at_once_while_a_reply_is_under_way(tmp_path: Path) -> None:
    with embedded.serve(None, models_dir=MODELS, logs_dir=tmp_path, concurrency=1) as endpoint:
        body = {"messages": [{"role": "user", "content": "Count to ten thousand in words."}], "stream": True}
        request = urllib.request.Request(
            f"{endpoint.base_url}/chat/completions",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {endpoint.api_key}"},
        )
        reply = urllib.request.urlopen(request, timeout=60)
        assert reply.readline()
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        reply.read()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(endpoint.base_url, timeout=5)
