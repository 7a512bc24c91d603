"""Killed at any moment and started again, a run ends as if nothing had happened, and asks nothing twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint, Options
from reaseq.knowledge_store.store import Store

PRODUCTS = 60
CONCURRENCY = 8
LATENCY = 0.05


def start(folder: Path, fake: FakeEndpoint, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"REASEQ_ENGINE": "openai", "REASEQ_MODEL": "fake", "REASEQ_BASE_URL": fake.base_url}
    command = [sys.executable, "-m", "reaseq.cli.main", "distill", "--category", "shoes"]
    return subprocess.Popen(
        [*command, "--concurrency", str(CONCURRENCY), *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def open_store(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder / '.reaseq' / 'store.sqlite'}")


def knowledge(folder: Path) -> dict[str, Any]:
    """Claims and prose without ids, runs and times."""
    drop = {"id", "run_id", "created_at"}
    with open_store(folder) as store:
        claims = [{k: v for k, v in claim.items() if k not in drop} for claim in store.claims()]
        prose = {product["id"]: (product["status"], product["prose"]) for product in store.distilled()}
    return {"claims": claims, "prose": prose}


def prepared(folder: Path) -> Path:
    folder.mkdir()
    with open_store(folder) as store:
        fill(store, PRODUCTS)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    folder = prepared(tmp_path_factory.mktemp("undisturbed") / "work")
    with FakeEndpoint(Options(latency=LATENCY)) as fake:
        process = start(folder, fake)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return knowledge(folder), fake.stats().answered


@pytest.mark.slow
@pytest.mark.trial
@pytest.mark.parametrize("seed", range(3))
def test_killed_and_started_again(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], int], seed: int, all_trials: bool
) -> None:
    if seed and not all_trials:
        pytest.skip("other moments to kill it at are for `make trials`")
    expected, calls = undisturbed
    folder = prepared(tmp_path / "work")
    draw = random.Random(seed)
    with FakeEndpoint(Options(latency=LATENCY)) as fake:
        for _ in range(2):
            process = start(folder, fake)
            answered = fake.stats().answered
            kill_at = answered + draw.randint(1, calls // 3)
            while fake.stats().answered < kill_at and process.poll() is None:
                time.sleep(0.005)
            time.sleep(draw.random() * LATENCY)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        process = start(folder, fake)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        time.sleep(2 * LATENCY)
        stats = fake.stats()
        with open_store(folder) as store:
            usage = store.usage()
    assert knowledge(folder) == expected
    in_flight = 2 * CONCURRENCY
    assert stats.requests <= calls + in_flight
    assert sum(times - 1 for times in stats.answers.values()) <= in_flight
    kept = sum(row["prompt_tokens"] + row["completion_tokens"] for row in usage)
    largest = max(1, stats.prompt_tokens + stats.completion_tokens) // max(1, stats.answered) * 8
    assert 0 <= stats.prompt_tokens + stats.completion_tokens - kept <= in_flight * largest
    assert sum(row["calls"] for row in usage) >= calls


@pytest.mark.trial
def test_ctrl_c_drains_and_says_how_to_go_on(tmp_path: Path, undisturbed: tuple[dict[str, Any], int]) -> None:
    expected, calls = undisturbed
    folder = prepared(tmp_path / "work")
    with FakeEndpoint(Options(latency=LATENCY)) as fake:
        process = start(folder, fake)
        while fake.stats().answered < calls // 4:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Go on with: reaseq distill --category shoes" in output
        assert fake.stats().requests == fake.stats().answered
        with open_store(folder) as store:
            done = sum(product["read_by"] != "code" for product in store.distilled())
        assert 0 < done < PRODUCTS
        output, _ = start(folder, fake).communicate(timeout=120)
        assert f"{PRODUCTS - done} done, 0 failed, {done} unchanged" in output
        assert fake.stats().answered == calls
    assert knowledge(folder) == expected


def test_a_second_run_has_nothing_to_do(tmp_path: Path, fake: FakeEndpoint) -> None:
    folder = prepared(tmp_path / "work")
    for expected in ("10 done, 0 failed, 0 unchanged", "0 done, 0 failed, 10 unchanged"):
        output, _ = start(folder, fake, "--limit", "10").communicate(timeout=60)
        assert expected in output
