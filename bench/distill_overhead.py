"""What the distillation costs beside the model: CPU time per call, throughput, memory.

    python -m reaseq.bench.distill_overhead            # a few minutes
    python -m reaseq.bench.distill_overhead --quick    # does it run at all?

A fake endpoint in a process of its own answers at once, or after 200 ms. Other clients send the very
requests that the distillation sent, in the same run, so compare ratios. Every row is a process of its
own and a median over repeats.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint, Options
from reaseq.knowledge_store.store import Store

CLIENTS = ("raw aiohttp", "openai SDK", "openai SDK, aiohttp", "langchain-openai", "reaseq chat client")
LATENCY = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small numbers")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("bench/results/distill_overhead.json"))
    parser.add_argument("--row", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        print(json.dumps(_row(json.loads(args.row))))
        return
    from rich.console import Console

    console = Console()
    products = 60 if args.quick else 1000
    repeats = 1 if args.quick else args.repeats
    results: dict[str, Any] = {"machine": _machine(), "repeats": repeats}
    with FakeEndpoint() as fake:
        console.print("CPU time per model call, endpoint answers at once, 32 at a time", style="bold")
        results["cpu_ms_per_call"] = {}
        for name in ("distillation", *CLIENTS):
            rows = [_in_process(fake, name, products, 32) for _ in range(repeats)]
            results["cpu_ms_per_call"][name] = statistics.median(row["cpu_ms"] for row in rows)
            console.print(f"  {name:24} {results['cpu_ms_per_call'][name]:6.2f} ms", highlight=False)

        console.print(f"Throughput at {LATENCY * 1000:.0f} ms latency, at least ten waves", style="bold")
        results["throughput"] = {}
        for concurrency in (32, 256):
            fake.configure(Options(latency=LATENCY))
            count = 60 if args.quick else 1000
            rows = [_in_process(fake, "distillation", count, concurrency) for _ in range(repeats)]
            rate = statistics.median(row["calls"] / row["seconds"] for row in rows)
            waves = rows[0]["calls"] / concurrency
            share = rate / (concurrency / LATENCY)
            results["throughput"][concurrency] = {"calls_per_second": rate, "share_of_ideal": share, "waves": waves}
            console.print(
                f"  {concurrency:4} at a time: {rate:7.1f} calls/s, {share:5.1%} of the ideal, {waves:.0f} waves",
                highlight=False,
            )

        console.print("Memory, products of one run", style="bold")
        fake.configure(Options())
        counts = (60, 120) if args.quick else (1_000, 10_000)
        results["memory_mb"] = {count: _in_process(fake, "distillation", count, 32)["rss_mb"] for count in counts}
        for count, megabytes in results["memory_mb"].items():
            console.print(f"  {count:6,} products: {megabytes:.0f} MB at most", highlight=False)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=2))
    console.print(f"Written to {args.out}", highlight=False)


def _in_process(fake: FakeEndpoint, name: str, count: int, concurrency: int) -> dict[str, float]:
    spec = {"base_url": fake.base_url, "name": name, "count": count, "concurrency": concurrency}
    command = [sys.executable, "-m", "reaseq.bench.distill_overhead", "--row", json.dumps(spec)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    row: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return row


def _row(spec: dict[str, Any]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        fill(store, spec["count"])
        measured = _Measured()
        if spec["name"] == "distillation":
            calls = asyncio.run(_distil(store, spec, measured))
        else:
            bodies = _bodies(store, min(spec["count"], 300))
            calls = asyncio.run(_send_all(spec, bodies, measured))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 10 if sys.platform == "linux" else 1 << 20)
    return {
        "calls": calls,
        "cpu_ms": measured.cpu / calls * 1000,
        "seconds": measured.seconds,
        "rss_mb": peak,
    }


class _Measured:
    """CPU and wall seconds of the part that counts: not imports and not the setting up."""

    cpu = 0.0
    seconds = 0.0

    def start(self) -> None:
        self.cpu, self.seconds = -time.process_time(), -time.perf_counter()

    def stop(self) -> None:
        self.cpu += time.process_time()
        self.seconds += time.perf_counter()


async def _distil(store: Store, spec: dict[str, Any], measured: _Measured) -> int:
    from reaseq.graphs.distill import distill
    from reaseq.graphs.options import Options as DistillOptions
    from reaseq.llm.endpoint import Endpoint
    from reaseq.prompts.library import PromptLibrary

    endpoint = Endpoint(spec["base_url"], "fake", "fake", logprobs=True)
    options = DistillOptions("shoes", concurrency=spec["concurrency"])
    measured.start()
    outcome = await distill(store, endpoint, PromptLibrary(), options)
    measured.stop()
    return outcome.counts.calls


def _bodies(store: Store, count: int) -> list[dict[str, Any]]:
    """Extraction requests as the distillation sends them."""
    from reaseq.agents.attribute_extractor import AttributeExtractor
    from reaseq.agents.product_text import shown, source_fields
    from reaseq.graphs.options import starting_schema
    from reaseq.prompts.library import PromptLibrary
    from reaseq.taxonomy.lexicon import Lexicon

    prompt = PromptLibrary()["attribute_extractor"]
    extractor = AttributeExtractor(prompt, Lexicon(starting_schema("shoes")), grammar=False)
    prefix = [{"role": role, "content": content} for role, content in extractor.prompt.messages]
    bodies = []
    for product, _, _ in store.products("shoes"):
        user = extractor.prompt.user(product=shown(source_fields(product)))
        bodies.append(
            {
                "model": "fake",
                "messages": [*prefix, {"role": "user", "content": user}],
                "max_completion_tokens": extractor.prompt.max_tokens,
                "temperature": 0,
                "seed": 0,
                "response_format": extractor.response_format,
            }
        )
        if len(bodies) == count:
            break
    return bodies


async def _send_all(spec: dict[str, Any], bodies: list[dict[str, Any]], measured: _Measured) -> int:
    send, close = await _client(spec["name"], spec["base_url"], spec["concurrency"])
    slots = asyncio.Semaphore(spec["concurrency"])

    async def one(body: dict[str, Any]) -> None:
        async with slots:
            await send(body)

    await asyncio.gather(*(one(body) for body in bodies[:32]))
    measured.start()
    rounds = 3
    for _ in range(rounds):
        await asyncio.gather(*(one(body) for body in bodies))
    measured.stop()
    await close()
    return rounds * len(bodies)


Send = Callable[[dict[str, Any]], Awaitable[Any]]


async def _client(name: str, base_url: str, concurrency: int) -> tuple[Send, Callable[[], Awaitable[None]]]:
    if name == "raw aiohttp":
        import aiohttp

        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency))

        async def raw(body: dict[str, Any]) -> Any:
            async with session.post(f"{base_url}/chat/completions", json=body) as answer:
                return await answer.json()

        return raw, session.close
    if name == "reaseq chat client":
        from reaseq.graphs.golden import MemoryCalls
        from reaseq.llm.chat import Chat, ChatRequest
        from reaseq.llm.endpoint import Endpoint

        chat = Chat(
            Endpoint(base_url, "fake", "fake"), MemoryCalls(), concurrency=concurrency, timeout=60, retries=2, seed=0
        )

        async def ours(body: dict[str, Any]) -> Any:
            turns = tuple((message["role"], message["content"]) for message in body["messages"])
            return await chat.ask(ChatRequest("bench", turns[:-1], turns[-1:], 400, body["response_format"]))

        async def close_ours() -> None:
            await chat.__aexit__(None, None, None)

        return ours, close_ours
    import openai

    http = openai.DefaultAioHttpClient(base_url=base_url) if name == "openai SDK, aiohttp" else None
    if name == "langchain-openai":
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        model = ChatOpenAI(model="fake", base_url=base_url, api_key=SecretStr("none"), temperature=0, seed=0)

        async def langchain(body: dict[str, Any]) -> Any:
            messages = [(message["role"], message["content"]) for message in body["messages"]]
            return await model.ainvoke(messages, response_format=body["response_format"])

        async def nothing() -> None: ...

        return langchain, nothing
    client = openai.AsyncOpenAI(base_url=base_url, api_key="none", http_client=http)

    async def sdk(body: dict[str, Any]) -> Any:
        return await client.chat.completions.create(**body)

    return sdk, client.close


def _machine() -> dict[str, Any]:
    packages = ("reaseq", "langgraph", "langchain-openai", "openai", "aiohttp", "sqlalchemy")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
        "versions": {name: version(name) for name in packages},
    }


if __name__ == "__main__":
    main()
