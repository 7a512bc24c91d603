"""Golden cases: each product, with the replies the agents got, gives the claims and the summary on file.

    pytest tests/graphs/test_golden.py --update-golden

asks the embedded model again for the cases of `origin: live`, keys the replies of the scripted ones anew,
writes what came out into the files and fails where that changed anything: look at `git diff`.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reaseq.graphs.golden import Case, MemoryCalls, ScriptedChat, load_case, recorded, run_case, save_case
from reaseq.llm.chat import Chat
from reaseq.llm.endpoint import Endpoint
from reaseq.llm.replay import ReplayServer

FOLDER = Path(__file__).resolve().parents[1] / "golden"
CASES = sorted(FOLDER.glob("*/*.yaml"))


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    from reaseq.llm import embedded

    models_dir = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models"))
    logs_dir = tmp_path_factory.mktemp("logs")
    with embedded.serve(None, models_dir=models_dir, logs_dir=logs_dir, concurrency=1) as endpoint:
        yield endpoint


def chat_over(endpoint: Endpoint, calls: MemoryCalls) -> Chat:
    return Chat(endpoint, calls, concurrency=1, timeout=300, retries=0, seed=0)


async def replayed(category: str, case: Case) -> dict[str, Any]:
    """The case over the wire, from its recorded replies; a request that is not on record fails."""
    server = ReplayServer(
        {reply.request: reply.row() for reply in case.replies}, grammar=case.grammar, logprobs=case.logprobs
    )
    with server as endpoint:
        async with chat_over(endpoint, MemoryCalls()) as chat:
            return await run_case(category, case, chat)


async def recorded_anew(category: str, case: Case, live: Endpoint | None) -> Case:
    calls = MemoryCalls()
    if live is None:
        chat: Chat = ScriptedChat(case.replies, calls, grammar=case.grammar, logprobs=case.logprobs)
    else:
        chat = chat_over(live, calls)
    async with chat:
        expected = await run_case(category, case, chat)
    return case.model_copy(update={"replies": recorded(calls.calls), "expected": expected})


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden(path: Path, request: pytest.FixtureRequest) -> None:
    case = load_case(path)
    category = path.parent.name
    if request.config.getoption("--update-golden"):
        live = request.getfixturevalue("live") if case.origin == "live" else None
        fresh = asyncio.run(recorded_anew(category, case, live))
        save_case(path, fresh)
        assert fresh == case, f"{path} was recorded anew and has changed: see git diff"
    assert asyncio.run(replayed(category, case)) == case.expected


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 25
