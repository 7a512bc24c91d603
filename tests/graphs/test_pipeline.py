"""The whole way: killed once in each node it goes on there, and ends the same."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reaseq.bench.fake_endpoint import FakeEndpoint, Options
from reaseq.cli.main import main
from reaseq.graphs.draw import graphs
from reaseq.graphs.pipeline import NODES
from reaseq.knowledge_store.store import Store

ROOT = Path(__file__).parents[2]
MODELS = Path(os.environ.get("REASEQ_MODELS_DIR", ROOT / ".reaseq" / "models")).resolve()


def command(folder: Path, fake: FakeEndpoint, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "REASEQ_ENGINE": "openai",
        "REASEQ_MODEL": "fake",
        "REASEQ_BASE_URL": fake.base_url,
        "REASEQ_MODELS_DIR": str(MODELS),
        "OMP_NUM_THREADS": "1",  # sums come out the same, whatever else the machine does
    }
    return subprocess.Popen(
        [sys.executable, "-m", "reaseq.cli.main", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )


def do(folder: Path, fake: FakeEndpoint, *arguments: str) -> str:
    process = command(folder, fake, *arguments)
    output, _ = process.communicate(timeout=280)
    assert process.returncode == 0, output
    return output


def ended(folder: Path) -> dict[str, Any]:
    """What a run came to, without times and ids of rows."""
    (metrics,) = (folder / "runs").glob("*/metrics.json")
    outcome = json.loads(metrics.read_text())
    page = (folder / "runs" / "shoes.html").read_text()
    with Store.open(f"sqlite:///{folder / '.reaseq' / 'store.sqlite'}") as store:
        claims = sorted((claim["product_id"], claim["attribute"], claim["value"]) for claim in store.claims())
    return {
        "run": metrics.parent.name,
        "rows": [{name: row[name] for name in ("name", "metrics", "slices", "over")} for row in outcome["rows"]],
        "claims": claims,
        "imagined": re.findall(r"\d+% [^<]+", page),
    }


def kill_in(node: str, folder: Path, fake: FakeEndpoint) -> None:
    """Start a run, and kill it a moment after it has begun the node."""
    process = command(folder, fake, "run", "--category", "shoes", "--epochs", "1")
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if re.match(rf"\[\d/\d\] {node}\b", line):
            break
    else:
        pytest.fail(f"{node} was never begun: {''.join(said)}")
    time.sleep(0 if node == NODES[-1] else 0.3)  # the last is soon over
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.trial
def test_killed_in_each_node_it_goes_on_and_ends_the_same(tmp_path: Path, all_trials: bool) -> None:
    folders = [tmp_path / "undisturbed", tmp_path / "killed"]
    with FakeEndpoint(Options(latency=0.02)) as fake:
        for folder in folders:
            folder.mkdir()
            do(folder, fake, "import", "--sample")
            do(folder, fake, "import-events", "--sample")
        output = do(folders[0], fake, "run", "--category", "shoes", "--epochs", "1")
        assert [node for node in NODES if f"] {node}" in output] == list(NODES)
        calls = fake.stats().answered
        for node in NODES if all_trials else NODES[-1:]:
            kill_in(node, folders[1], fake)
        output = do(folders[1], fake, "run", "--category", "shoes", "--epochs", "1")
        assert "going on at report" in output
        assert "] distill" not in output
        assert "] beyond_log" not in output
        assert "] train_ranker" not in output
        # What had been answered was not asked again, but for what was in flight.
        assert fake.stats().answered - 2 * calls <= 40
    expected, found = ended(folders[0]), ended(folders[1])
    assert found["claims"] == expected["claims"]
    assert found["imagined"] == expected["imagined"]
    assert found == expected


@pytest.mark.slow
@pytest.mark.trial
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_stops_and_says_how_to_go_on(tmp_path: Path, times: int) -> None:
    with FakeEndpoint(Options(latency=0.5)) as fake:
        do(tmp_path, fake, "import", "--sample")
        do(tmp_path, fake, "import-events", "--sample")
        process = command(tmp_path, fake, "run", "--category", "shoes", "--epochs", "1")
        while not fake.stats().answered:
            time.sleep(0.05)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Stopped; nothing done is lost" in output
    assert "Traceback" not in output


def test_a_run_needs_products_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for prepared, said in (((), "no products of category 'shoes'"), (("import", "--sample"), "no behaviour log")):
        for arguments in (prepared, ("run", "--category", "shoes")):
            if arguments:
                monkeypatch.setattr(sys, "argv", ["reaseq", *arguments])
                with pytest.raises(SystemExit):
                    main()
        assert said in capsys.readouterr().err


def test_the_graph_can_be_drawn() -> None:
    drawn = graphs()["pipeline"]
    assert [node for node in drawn.nodes if node in NODES] == list(NODES)
