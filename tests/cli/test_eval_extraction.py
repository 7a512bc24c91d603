"""`reaseq eval-extraction`, from a gold file to the table."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reaseq import ReaseqError
from reaseq.agents.extraction_score import GoldRow
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.graphs.extraction_eval import categories

Run = Callable[..., str]


@pytest.fixture
def gold(fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    monkeypatch.setenv("REASEQ_ENGINE", "openai")
    monkeypatch.setenv("REASEQ_MODEL", "fake")
    monkeypatch.setenv("REASEQ_BASE_URL", fake.base_url)
    rows = [
        {"id": f"s{number}", "category": "shoes", "title": f"{color} leather boots {number}",
         "gold": {"color": [color.lower()], "upper_material": ["leather"], "closure": "n/a"}}
        for number, color in enumerate(["Black", "Red", "Blue", "Green"])
    ]  # fmt: skip
    rows += [
        {
            "id": f"t{number}",
            "category": "Toothbrush",
            "title": f"Dentix soft brush {number}",
            "gold": {"Brand Name": ["Dentix"]},
        }
        for number in range(4)
    ]
    path = Path("gold.jsonl")
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_gold_file_is_scored(run: Run, gold: Path) -> None:
    output = run("eval-extraction", "--gold", str(gold), "--out", "report.json")
    assert "By category" in output
    assert "Toothbrush: Brand Name" in output
    assert "6 products, 0 failed: precision" in output
    report = json.loads(Path("report.json").read_text())
    # The starter schema is used whole; of the other category two rows are examples.
    assert set(report["predicted"]) >= {"s0", "s1", "s2", "s3"}
    assert len(report["predicted"]) == 6
    assert report["predicted"]["s0"] == {"color": "black", "upper_material": "leather"}
    assert report["recall"] > 0


def test_a_second_run_asks_nothing_again(run: Run, gold: Path, fake: FakeEndpoint) -> None:
    first = run("eval-extraction", "--gold", str(gold))
    asked = fake.stats().requests
    assert run("eval-extraction", "--gold", str(gold)) == first
    assert fake.stats().requests == asked


def test_part_of_a_gold_file(run: Run, gold: Path) -> None:
    assert "2 products, 0 failed" in run("eval-extraction", "--gold", str(gold), "-c", "toothbrush")
    assert "1 products, 0 failed" in run("eval-extraction", "--gold", str(gold), "-c", "toothbrush", "--limit", "1")
    with pytest.raises(ReaseqError, match="has no rows of category 'hats'"):
        run("eval-extraction", "--gold", str(gold), "-c", "hats")


def test_examples_are_not_scored_and_depend_on_ids_alone() -> None:
    rows = [GoldRow(str(number), "Tea", f"tea {number}", "", {"Brand": ("x",)}) for number in range(9)]
    (group,) = categories(rows, examples=3)
    shown = {example.title for example in group.schema.examples}
    assert len(shown) == 3
    assert not shown & {row.title for row in group.rows}
    (turned,) = categories(rows[::-1], examples=3)
    assert {example.title for example in turned.schema.examples} == shown
    (few,) = categories(rows[:1], examples=3)
    assert len(few.rows) == 1
