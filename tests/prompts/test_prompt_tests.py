"""`reaseq prompts test`: cases that an edit must not break, and what other tools read of it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from reaseq import ReaseqError
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.graphs.prompt_tests import differences
from reaseq.prompts.library import BUNDLED

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES = ("markup", "german", "units", "live-running")


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["prompts", "test", *arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of somebody's with four cases."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "cases" / "shoes").mkdir(parents=True)
    for name in CASES:
        shutil.copy(GOLDEN / "shoes" / f"{name}.yaml", tmp_path / "cases" / "shoes")
    return tmp_path


def plant(folder: Path) -> tuple[Path, int]:
    """Change what a case's extractor answered, as a worse prompt would; the case and the line of the claim that is
    lost by it."""
    path = folder / "cases" / "shoes" / "live-running.yaml"
    text = path.read_text()
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("expected:"))
    place = next(
        number for number in range(start, len(lines)) if "status: verified" in lines[number] and "found_by" in text
    )
    while not lines[place].lstrip().startswith("- {"):
        place -= 1
    value = re.search(r"value: ([^,]+),", lines[place])
    assert value is not None
    lines[place] = lines[place].replace(f"value: {value[1]},", "value: something else,")
    path.write_text("\n".join(lines) + "\n")
    return path, place + 1


def test_all_cases_pass_from_their_replies(folder: Path) -> None:
    result = run("cases", "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (said["passed"], said["failed"], said["error"], said["f1"]) == (4, 0, 0, 1)
    assert {one["name"] for one in said["cases"]} == {f"shoes/{name}" for name in CASES}


def test_a_regression_is_told_where_it_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, line = plant(folder)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    result = run("cases", "--junit", "junit.xml")
    assert result.exit_code == 1
    assert "3 passed, 1 failed" in result.stdout
    notes = [one for one in result.stderr.splitlines() if one.startswith("::error ")]
    assert any(f"file={path.relative_to(folder)},line={line},".replace(":", "%3A") in one for one in notes)
    assert all("\n" not in one for one in notes)
    suite = ElementTree.parse("junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "0")
    (failure,) = suite.iter("failure")
    assert "something else" in (failure.text or "")
    assert Path("summary.md").read_text().startswith("### Prompts: 3 passed, 1 failed")


@pytest.mark.parametrize(("allowed", "code"), [("F1=.5", 0), ("f1=0.001", 1)])
def test_the_gate(folder: Path, allowed: str, code: int) -> None:
    plant(folder)
    result = run("cases", "--fail-on-regression", allowed)
    assert result.exit_code == code
    assert ("no fall" if code == 0 else "a fall") in result.stdout


def test_an_edited_prompt_has_no_replies_yet(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mine").mkdir()
    text = (BUNDLED / "verifier.yaml").read_text().replace("You check", "You carefully check")
    (folder / "mine" / "verifier.yaml").write_text(text)
    monkeypatch.setenv("REASEQ_PROMPTS_DIR", "mine")
    result = run("cases", "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == 1
    errors = [one["error"] for one in said["cases"] if one["status"] == "error"]
    assert errors
    assert all("verifier is asked what is not on record" in one for one in errors)


def test_a_gold_file_is_read_from_the_ledger_and_live(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEndpoint
) -> None:
    for name, value in {"ENGINE": "openai", "BASE_URL": fake.base_url, "MODEL": "fake"}.items():
        monkeypatch.setenv(f"REASEQ_{name}", value)
    rows = [
        {"id": "1", "category": "shoes", "title": "Arden runner in red mesh", "gold": {"color": ["red"]}},
        {"id": "2", "category": "shoes", "title": "Arden runner in red mesh", "gold": {"color": ["blue"]}},
    ]
    Path("gold.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = run("gold.jsonl", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert {one["error"] for one in said["cases"]} == {"attribute_extractor is asked what no model has answered yet"}
    live = json.loads(run("gold.jsonl", "--live", "--json").stdout)
    assert [(one["status"], one["line"]) for one in live["cases"]] == [("passed", 1), ("failed", 2)]
    assert live["cases"][1]["findings"] == [{"line": 2, "what": "color: expected 'blue', found 'red'"}]
    asked = fake.stats().requests
    again = json.loads(run("gold.jsonl", "--json").stdout)
    assert (again["f1"], again["failed"]) == (live["f1"], 1)
    assert fake.stats().requests == asked
    Path("before.json").write_text(json.dumps(live))
    gate = run("gold.jsonl", "--fail-on-regression", "F1=.01", "--baseline", "before.json")
    assert gate.exit_code == 0
    stable = json.loads(run("gold.jsonl", "--live", "--repeat", "3", "--json").stdout)
    assert [one["runs"] for one in stable["cases"]] == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone"], "gone: no such file"),
        (["empty"], "empty: no cases in it"),
        (["cases", "--repeat", "2"], "replies on record are always the same"),
        (["cases", "--fail-on-regression", "nonsense"], "not of the form F1=.01"),
        (["cases", "--fail-on-regression", "F1=2"], "not of the form F1=.01"),
        (["cases", "--baseline", "gone.json"], "not what an earlier run said"),
        (["note.yaml"], "not a golden case"),
    ],
)
def test_what_cannot_be_run(folder: Path, arguments: list[str], said: str) -> None:
    Path("empty").mkdir()
    Path("note.yaml").write_text("hello: there\n")
    with pytest.raises(ReaseqError) as error:
        run(*arguments)
    assert said in str(error.value)


def value(name: str, **others: Any) -> dict[str, Any]:
    return {"attribute": "color", "value": name, "status": "verified", "verdict": "said so"} | others


@pytest.mark.parametrize(
    ("expected", "found", "told"),
    [
        ({"claims": [value("red")]}, {"claims": [value("red")]}, []),
        (
            {"claims": [value("red"), value("blue")]},
            {"claims": [value("red")]},
            [(5, "claims: missing: color 'blue' (verified; said so)")],
        ),
        (
            {"claims": [value("red")]},
            {"claims": [value("red", status="rejected")]},
            [(4, "claims: color 'red': status 'verified' → 'rejected'")],
        ),
        (
            {"claims": [value("red")]},
            {"claims": [value("red"), value("blue")]},
            [(3, "claims: not expected: color 'blue' (verified; said so)")],
        ),
        (
            {"claims": [value("red"), value("blue")]},
            {"claims": [value("blue"), value("red")]},
            [(3, "claims: in another order")],
        ),
        ({"prose": "a"}, {"prose": "b"}, [(6, "prose: expected 'a', found 'b'")]),
        ({"prose": "a"}, {}, [(6, "prose: expected 'a', found None")]),
        ({}, {"failures": ["x: y"]}, [(2, "failures: not expected: x: y")]),
    ],
)
def test_what_is_otherwise_has_its_line(
    expected: dict[str, Any], found: dict[str, Any], told: list[tuple[int, str]]
) -> None:
    lines: dict[tuple[str | int, ...], int] = {
        ("expected",): 2,
        ("expected", "claims"): 3,
        ("expected", "claims", 0): 4,
        ("expected", "claims", 1): 5,
        ("expected", "prose"): 6,
    }
    assert [(one.line, one.what) for one in differences(expected, found, lines)] == told
