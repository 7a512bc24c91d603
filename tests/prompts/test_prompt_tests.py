"""`reaseq prompts test`: cases that an edit must not break, and what other tools read of it."""

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from reaseq import ReaseqError
from reaseq.agents.extraction_score import Outcomes
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.graphs.prompt_tests import Case, Finding, differences, run_all
from reaseq.graphs.workers import Stopped
from reaseq.knowledge_store.decisions import Action, decide
from reaseq.knowledge_store.store import Store
from reaseq.llm.chat import EndpointFailed, EndpointRefused
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
def test_the_gate(folder: Path, monkeypatch: pytest.MonkeyPatch, allowed: str, code: int) -> None:
    plant(folder)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run("cases", "--fail-on-regression", allowed)
    assert result.exit_code == code
    levels = {line.split()[0] for line in result.stderr.splitlines() if line.startswith("::")}
    assert levels == {"::error" if code else "::warning"}
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
    # Of other cases than the baseline's those count that both have.
    Path("one.jsonl").write_text(json.dumps(rows[0]))
    Path("other.jsonl").write_text("\n".join(json.dumps(row | {"id": f"x{row['id']}"}) for row in rows))
    gate = run("one.jsonl", "--fail-on-regression", "F1=.01", "--baseline", "before.json")
    assert gate.exit_code == 0
    assert "of the 1 cases that the baseline has too F1 1.000, of 1.000: no fall" in gate.output
    worse = {**live, "cases": [one | {"outcomes": {"right": 1}} for one in live["cases"]]}
    Path("better.json").write_text(json.dumps(worse))
    assert run("gold.jsonl", "--fail-on-regression", "F1=.01", "--baseline", "better.json").exit_code == 1
    with pytest.raises(ReaseqError, match="none of these cases"):
        run("other.jsonl", "--live", "--fail-on-regression", "F1=.01", "--baseline", "before.json")
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
        (["note.yaml"], "not a golden case:\nnote.yaml:1: "),
        (["cases", "--junit", "gone/results.xml"], "gone/results.xml: its folder is not there"),
        (["cases", "--summary", "empty"], "empty: a folder"),
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


@pytest.fixture
def asked(folder: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEndpoint) -> FakeEndpoint:
    """The endpoint of the settings."""
    for name, value in {"ENGINE": "openai", "BASE_URL": fake.base_url, "MODEL": "fake"}.items():
        monkeypatch.setenv(f"REASEQ_{name}", value)
    return fake


def write_gold(rows: list[dict[str, Any]]) -> None:
    Path("gold.jsonl").write_text("\n".join(map(json.dumps, rows)))


def shoe(number: int, gold: dict[str, Any], category: str = "shoes") -> dict[str, Any]:
    return {
        "id": str(number),
        "category": category,
        "title": f"Arden runner {number} in red mesh",
        "gold": gold,
    }


def test_what_no_schema_knows_is_counted_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch, asked: FakeEndpoint
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write_gold(
        [
            shoe(1, {"color": ["red"], "colour shade": ["dark"]}),
            shoe(2, {"colr": ["red"]}),
            shoe(3, {"color": ["red"]}, "canal boats"),
        ]
    )
    result = run("gold.jsonl", "--live", "--json", "--junit", "junit.xml")
    made = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (made["f1"], made["passed"], made["unknown"], made["failed"]) == (1, 1, 2, 0)
    assert [(one["status"], one["unknown"], one["error"]) for one in made["cases"]] == [
        ("passed", ["colour shade"], ""),
        ("unknown", ["colr"], "the schema of shoes has no colr (do you mean color?)"),
        ("unknown", [], "there is no schema of category 'canal boats'"),
    ]
    assert "counted apart, as no schema knows it: 2 cases, 2 expected values" in result.stderr
    assert [line.split()[0] for line in result.stderr.splitlines() if line.startswith("::")] == ["::notice"] * 2
    assert ElementTree.parse("junit.xml").getroot().get("skipped") == "2"
    write_gold([shoe(3, {"color": ["red"]}, "canal boats")])
    assert run("gold.jsonl", "--json").exit_code == 1  # nothing was tested


def test_a_limit_ends_it_with_what_is_there(folder: Path, asked: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASEQ_CONCURRENCY", "1")
    write_gold([shoe(number, {"color": ["red"]}) for number in range(30)])
    result = run("gold.jsonl", "--live", "--max-tokens", "20000", "--json")
    made = json.loads(result.stdout)
    assert result.exit_code == 1
    assert "token limit reached" in made["stopped"]
    assert made["passed"] > 0
    assert made["left"] == 30 - made["passed"]


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        (["", "refused"], ["passed", "left", "left"]),
        (["refused"], None),
        (["", *["failed"] * 10], ["passed", *["error"] * 10, "left"]),
        (["failed", ""], ["error", "passed", "passed"]),
    ],
)
def test_an_endpoint_that_is_gone_ends_it(answers: list[str], statuses: list[str] | None) -> None:
    kinds = {"refused": EndpointRefused, "failed": EndpointFailed}

    def case(number: int) -> Case:
        async def run_() -> tuple[list[Finding], Outcomes, Any]:
            if number < len(answers) and answers[number]:
                raise kinds[answers[number]]("it is gone")
            return [], Outcomes(right=1), None

        return Case(str(number), Path("x"), 1, run_)

    cases = [case(number) for number in range(len(statuses or answers))]
    if statuses is None:
        with pytest.raises(EndpointRefused):
            asyncio.run(run_all(cases, width=1))
        return
    results, stopped = asyncio.run(run_all(cases, width=1))
    assert [one.status for one in results] == statuses
    assert stopped == (Stopped("it is gone", "endpoint") if "left" in statuses else None)


@pytest.mark.parametrize("ends", ["stop", "cancel"])
def test_an_interrupt_ends_it_with_what_is_there(ends: str) -> None:
    stop = asyncio.Event()

    async def run_() -> tuple[list[Finding], Outcomes, Any]:
        if ends == "stop":
            stop.set()
        else:
            tasks[0].cancel()
            await asyncio.sleep(10)
        return [], Outcomes(right=1), None

    async def go() -> Any:
        tasks.append(asyncio.current_task())
        return await run_all([Case(str(one), Path("x"), 1, run_) for one in range(3)], width=1, stop=stop)

    tasks: list[Any] = []
    results, stopped = asyncio.run(go())
    assert stopped is not None
    assert stopped.by == "interrupt"
    assert [one.status for one in results] == (["passed"] if ends == "stop" else ["left"]) + ["left"] * 2


def test_gold_of_decisions_asks_what_the_run_asked(folder: Path, asked: FakeEndpoint) -> None:
    rows = [
        {
            "sku": f"A{number}",
            "title": f"Runner {number} in red mesh",
            "brand": "Arden",
            "description": "Laces and a rubber sole.",
            "Lining": "fleece",
            "Care": "Wipe with a damp cloth",
        }
        for number in range(4)
    ]
    Path("feed.jsonl").write_text("\n".join(map(json.dumps, rows)))
    reaseq("import", "feed.jsonl", "--category", "shoes")
    reaseq("distill", "--category", "shoes")
    with Store.open(f"sqlite:///{folder}/.reaseq/store.sqlite") as store:
        for product_id in store.product_ids():
            claims, *_ = store.knowledge(product_id)
            decide(store, claims[0]["id"], Action.APPROVE, by="somebody")
    reaseq("review", "gold", "gold.jsonl")
    (first, *_) = (json.loads(line) for line in Path("gold.jsonl").read_text().splitlines())
    assert first["brand"] == "Arden"
    assert first["attributes"]["Care"] == "Wipe with a damp cloth"
    before = asked.stats().requests
    made = json.loads(run("gold.jsonl", "--json").stdout)
    assert (made["error"], made["passed"] + made["failed"]) == (0, 4)
    reaseq("eval-extraction", "--gold", "gold.jsonl")
    assert asked.stats().requests == before


def reaseq(*arguments: str) -> None:
    result = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_replies_on_record_need_no_client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai.DefaultAioHttpClient", lambda **options: pytest.fail("a client was made"))
    assert run("cases").exit_code == 0


def test_all_cases_keep_the_schema() -> None:
    schema = json.loads(run("--schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in GOLDEN.rglob("*.yaml"):
        assert [one.message for one in validator.iter_errors(yaml.safe_load(path.read_text()))] == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("origin: live", "orgin: live", ["1: key 'origin' is missing", "unknown key 'orgin'; do you mean 'origin'?"]),
        ("origin: live", "origin: alive", ["2: origin: Input should be 'live' or 'scripted'"]),
        ("  title: ", "  titel: ", [": key 'product.title' is missing"]),
        ("- agent: summarizer", "- agnet: summarizer", ["unknown key 'replies.1.agnet'; do you mean 'agent'?"]),
        ("status: verified", "status: verifed", ["expected.claims.0.status: Input should be 'proposed'"]),
        ("found_by: both", "foundby: both", ["'expected.claims.0.foundby'; do you mean 'found_by'?"]),
        ("origin: live", "origin: live\norigin: live", ["3: key 'origin' stands here twice"]),
        ("product:", "product: [", [": not valid YAML: "]),
    ],
)
def test_a_case_that_is_none_is_told_with_its_line(folder: Path, old: str, new: str, told: list[str]) -> None:
    path = folder / "cases" / "shoes" / "live-running.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ReaseqError) as error:
        run("cases")
    assert re.search(r"live-running\.yaml:\d+: ", str(error.value))
    for one in told:
        assert one in str(error.value)
