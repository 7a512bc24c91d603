"""The product graph over plain data: by itself, as a node of somebody's graph, and in LangGraph's development
server."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

import reaseq
from reaseq.bench.fake_endpoint import FakeEndpoint

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = {"title": "Kea trail running shoe", "description": "Waterproof mesh upper, rubber sole.", "brand": "Kea"}


@pytest.fixture
def kb(tmp_path: Path, fake: FakeEndpoint) -> Iterator[reaseq.KnowledgeBase]:
    with reaseq.open(tmp_path / "kb", engine="openai", base_url=fake.base_url, model="fake") as base:
        yield base


def test_plain_data_in_and_out(kb: reaseq.KnowledgeBase) -> None:
    async def go() -> dict[str, Any]:
        async with kb.graph("shoes") as graph:
            found: dict[str, Any] = await graph.ainvoke({"product": PRODUCT})
            return found

    found = asyncio.run(go())
    assert json.loads(json.dumps(found)) == found
    assert found["failures"] == []
    assert ("shoe_type", "trail running shoe") in {
        (one["attribute"], one["value"]) for one in found["claims"] if one["status"] == "verified"
    }
    assert found["summary"].startswith("Kea trail running shoe.")
    assert kb.store.usage()  # the replies are kept
    assert not list(kb.claims())


def test_all_of_its_state_is_plain(kb: reaseq.KnowledgeBase) -> None:
    """As JSON and msgpack have it: no enums, whose classes a checkpointer would have to know."""

    def odd(value: Any) -> list[Any]:
        if type(value) in (dict, list):
            return [found for one in (value.values() if type(value) is dict else value) for found in odd(one)]
        return [] if value is None or type(value) in (str, int, float, bool) else [value]

    async def go() -> list[Any]:
        async with kb.graph("Shoes") as graph:
            return [state async for state in graph.astream({"product": PRODUCT}, stream_mode="values")]

    states = asyncio.run(go())
    assert {one["evidence"] for one in states[-1]["claims"]} - {None}
    assert odd(states) == []


def test_outside_its_context_nobody_answers(kb: reaseq.KnowledgeBase) -> None:
    async def go() -> None:
        async with kb.graph("shoes") as graph:
            pass
        await graph.ainvoke({"product": PRODUCT})

    with pytest.raises(reaseq.ReaseqError, match="nobody answers this graph: its `async with` has ended") as caught:
        asyncio.run(go())
    assert 'async with kb.graph("shoes") as graph' in (caught.value.hint or "")


def test_its_errors_are_told_in_python(tmp_path: Path) -> None:
    async def go(**settings: Any) -> None:
        with reaseq.open(tmp_path / "kb", **settings) as kb:
            async with kb.graph("shoes") as graph:
                await graph.ainvoke({"product": PRODUCT})

    for settings, hint in (
        ({"engine": "none"}, 'reaseq.open(path, engine="embedded")'),
        ({"engine": "openai"}, 'model="NAME"'),
    ):
        with pytest.raises(reaseq.ReaseqError) as caught:
            asyncio.run(go(**settings))
        assert hint in (caught.value.hint or "")
    with reaseq.open(tmp_path / "kb") as kb, pytest.raises(reaseq.ReaseqError, match="category = 5"):
        asyncio.run(kb.graph(5).__aenter__())  # type: ignore[arg-type]


def test_as_a_node_of_somebodys_graph_with_a_checkpointer(kb: reaseq.KnowledgeBase) -> None:
    class Mine(TypedDict, total=False):
        product: dict[str, Any]
        summary: str
        loud: str

    async def go() -> dict[str, Any]:
        async with kb.graph("shoes") as graph:
            mine = StateGraph(Mine)
            mine.add_node("reaseq", graph)
            mine.add_node("shout", lambda state: {"loud": state["summary"].upper()})
            mine.add_edge(START, "reaseq")
            mine.add_edge("reaseq", "shout")
            mine.add_edge("shout", END)
            compiled = mine.compile(checkpointer=InMemorySaver())
            found: dict[str, Any] = await compiled.ainvoke({"product": PRODUCT}, {"configurable": {"thread_id": "1"}})
            return found

    assert asyncio.run(go())["loud"].startswith("KEA TRAIL RUNNING SHOE.")


def test_calls_stand_under_their_agents_name_in_a_trace(kb: reaseq.KnowledgeBase) -> None:
    from langchain_core.callbacks import AsyncCallbackHandler

    seen: list[tuple[str, Any]] = []

    class Traced(AsyncCallbackHandler):
        async def on_chat_model_start(self, *_: Any, metadata: Any = None, **about: Any) -> None:
            seen.append((about.get("name", ""), (metadata or {}).get("product_id")))

    async def go() -> None:
        async with kb.graph("shoes") as graph:
            await graph.ainvoke({"product": PRODUCT}, {"callbacks": [Traced()]})

    asyncio.run(go())
    assert {name for name, _ in seen} >= {"attribute_extractor", "summarizer"}
    assert {product for _, product in seen} == {"typed in"}


def post(address: str, body: Any) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


@pytest.mark.trial
def test_the_development_server_runs_a_typed_product(tmp_path: Path, fake: FakeEndpoint) -> None:
    pytest.importorskip("langgraph_api", reason="langgraph dev needs langgraph-cli[inmem]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        **{"REASEQ_STATE_DIR": str(tmp_path / "kb"), "REASEQ_ENGINE": "openai", "REASEQ_MODEL": "fake"},
        **{"REASEQ_BASE_URL": fake.base_url, "LANGSMITH_TRACING": "false", "PYTHONPATH": str(ROOT / "src")},
    }
    (tmp_path / "langgraph.json").write_text((ROOT / "langgraph.json").read_text())
    (tmp_path / "api").symlink_to(ROOT / "api")  # whose state would else be left in the checkout
    options = ("--no-browser", "--no-reload", "--allow-blocking", "--port", str(port))
    command = [sys.executable, "-m", "langgraph_cli", "dev", *options]
    address = f"http://127.0.0.1:{port}"
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
        try:
            for _ in range(240):
                try:
                    assistants = post(f"{address}/assistants/search", {})
                    break
                except OSError:
                    assert server.poll() is None, (tmp_path / "log").read_text()
                    time.sleep(0.5)
            ids = {one["graph_id"]: one["assistant_id"] for one in assistants}
            assert set(ids) == {"product", "category", "pipeline"}
            for name, node in (("product", "verifier"), ("category", "category_analyst"), ("pipeline", "train_ranker")):
                with urllib.request.urlopen(f"{address}/assistants/{ids[name]}/graph", timeout=120) as answer:
                    assert node in {one["id"] for one in json.load(answer)["nodes"]}
            asked = {"assistant_id": "product", "input": {"product": PRODUCT}}
            found = post(f"{address}/runs/wait", asked | {"config": {"configurable": {"category": "shoes"}}})
            assert found["summary"].startswith("Kea trail running shoe."), found
        finally:
            server.terminate()
            server.wait(30)
