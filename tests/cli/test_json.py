"""`--json`: what a command shows as a table it says as JSON, with these keys, and nothing else on standard output."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.knowledge_store.events import history
from reaseq.knowledge_store.imagined import open_imagination, save_imagined
from reaseq.knowledge_store.store import Store
from reaseq.prompts.library import BUNDLED
from tests.cli.test_documented_commands import Letters, _taxonomy
from tests.cli.test_prompt_improve import GOLD
from tests.cli.test_ranker import fake_embeddings

STORE = "sqlite:///.reaseq/store.sqlite"
SMALL = ["--features", "id", "--epochs", "1", "--set", "dim=16", "--set", "blocks=1", "--set", "heads=1"]


def typed(*arguments: str, status: int = 0) -> str:
    """What a command prints to standard output."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the sample catalogue and its log, of which all that can be shown is known."""
    folder = tmp_path_factory.mktemp("shop")
    with FakeEndpoint() as fake, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("reaseq.toml").write_text(f'engine = "openai"\nmodel = "fake"\nbase_url = "{fake.base_url}"\n')
        patch.setattr("reaseq.knowledge_store.encoder.Encoder", Letters)
        patch.setattr("reaseq.llm.encoders.resolve", lambda *_: ("", ""))
        typed("import", "--sample")
        typed("import-events", "--sample")
        typed("distill", "--category", "shoes", "--engine", "none")
        typed("distill", "--category", "shoes", "--limit", "2")
        typed("review", "export", "sheet.csv", "--audit", "3", "--by", "ann")
        with Path("sheet.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = [row | {"decision": "approve"} for row in csv.DictReader(file)]
        with Path("sheet.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        typed("review", "apply", "sheet.csv", "--by", "ann")
        typed("review", "threshold", "0.95", "--category", "shoes", "--by", "ann")
        typed("review", "gold", "gold.jsonl")
        with Store.open(STORE) as store:
            fake_embeddings(store)
            of: dict[str, Any] = {
                "backend": "codes",
                "model": "m",
                "fingerprint": "f",
                "settings": {},
                "calibration": {},
            }
            until = history(store, "u001")[-1]["at"]
            save_imagined(
                store,
                open_imagination(store, **of),
                ["u001"],
                [
                    {"user_id": "u001", "until": until, "slot": 0, "product_id": "OK-2001", "confidence": 0.5,
                     "log_confidence": -0.7, "fold": 0}
                ],
            )  # fmt: skip
        typed("train-ranker", *SMALL)
        text = (BUNDLED / "verifier.yaml").read_text()
        Path("verifier.yaml").write_text(text.replace("You check", "You carefully check"))
        Path("kettles.jsonl").write_text("\n".join(map(json.dumps, GOLD)))
        _taxonomy(Path("taxonomy"))
        yield folder


FILE = "file format reading mapping notes warnings"
AUDIT = "audit at by category promise chance_kept verified_from moved_to demoted concluded_at whole"
TOKENS = "calls prompt_tokens completion_tokens cost"
CALL = "id request_key model model_fingerprint agent product_id run_id reply prompt_tokens completion_tokens cost"

COMPARED = "agent category products judged f1 verified failed sampled stopped stopped_by category_products new_calls "
COMPARED += "new_tokens new_cost ranker ranker_left_out in_words notes warnings sides"
IMPROVE = "prompts improve attribute_extractor --gold kettles.jsonl"

CASES = {
    "import --sample --dry-run": f"{FILE} products",
    "import --sample": f"{FILE} import_id rows new updated unchanged repeated further set_aside variants "
    "changed_variants left_variants removed_variants orphans same_ids empty_descriptions unknown_prices unread_prices "
    "encoded_twice grouped own_cells "
    "made_ids foreign_titles retitled same_names same_titles lost_zeros cleared elsewhere dated_columns "
    "rounded_columns "
    "kept_as_attributes categories_taken locales rejected rejected_file",
    "import-events --sample --dry-run": f"{FILE} not_used",
    "import-events --sample": f"{FILE} not_used import_id clock rows events repeated corrected set_aside unknown_items "
    "by_device of_zero again rounded unknown_shown kinds rejected rejected_file",
    "categorize --dry-run": "products failed dry_run unsettled categories unknown_kinds",
    "distill -c shoes --dry-run": "category products stale seconds cost reasons agents passes",
    "distill -c shoes --dry-run --engine none": "category products stale",
    "distill -c shoes --engine none": "category run_id status total done failed unchanged seconds verified rejected "
    f"proposed {TOKENS} held_back columns_left_out texts_cut other_kinds notes warnings attributes failures usage",
    "knowledge list --limit 2": "product_id category title claims summary status read_by failed_at",
    "knowledge show FS-1001": "product_id category title price currency fields held_back columns_left_out fields_cut "
    "other_kind read summary prose failures variants claims",
    "knowledge explain FS-1001 upper_material": "product_id attribute value verified_from held_back claims places",
    "knowledge stats": "products claims usage",
    "embed --dry-run": "model dry_run embedded seconds texts",
    "similar FS-1001 -k 2": "product_id category title similarity",
    "eval-extraction --gold gold.jsonl --examples 0": "gold rows precision recall f1 f1_interval verified failed "
    "predicted by_category by_attribute confused",
    "events stats": "events users items items_never_seen density clock events_per_basket repeat_share first last "
    "items_by_events events_per_user kinds months",
    "events users --limit 3": "user_id events products first last",
    "events show --user u001": "time position kind product_id title",
    "imagined show --user u001": "user_id history imagined until backend model fold",
    "runs": "run_id name features split finished finished_at users items events test_cases ndcg_at_10 default",
    f"train-ranker {' '.join(SMALL)}": "run_id report split users items events cases rows curves versions",
    "export-split lab": "run folder layout files",
    "evaluate": "split users items events cases rows curves versions",
    "rank --user u001 -k 2": "run user_id history products",
    "review log": "id at by action product_id attribute value decided source withdrawn title",
    "review apply sheet.csv": "file format reading mapping rows approved edited rejected there open set_aside "
    "rejected_rows rejected_file audits",
    "review audits": AUDIT,
    "review audits 1": f"{AUDIT} by_confidence by_attribute by_source drawn",
    "review threshold": "id at by category verified_from audit_id",
    "review threshold 0.95 --category shoes": "category verified_from before demoted",
    "taxonomy list": "category department aliases supply demand path bundled",
    "taxonomy search taxonomy jam": "full_name id attributes",
    "taxonomy proposals -c shoes": "attribute value count means",
    "prompts list": "agent path bundled fingerprint variables examples overlays locales description",
    "prompts compare bundled verifier.yaml -c shoes --sample 2": f"{COMPARED} attributes differences",
    "prompts try bundled verifier.yaml --product FS-1001": f"{COMPARED} products",
    f"{IMPROVE} --max-tokens 200000 --rounds 1 --sample 40 --dir theirs": "agent category better f1 development_before "
    "development_after training development held_out before after diff passing failing stopped calls prompt_tokens "
    "completion_tokens cost path version version_before in_words notes warnings candidates",
    "calls list --limit 2": f"{CALL} prompt seconds created_at reusable",
    "calls show 1": f"{CALL} prompt seconds created_at reusable",
    "config": "state_dir runs_dir models_dir store prompts_dir pipeline schemas_dir engine model encoder base_url "
    "api_key_env replay_file vllm_args concurrency timeout retries repairs votes columns temperature seed leave_off "
    "prices",
}


@pytest.mark.parametrize(("command", "keys"), CASES.items(), ids=CASES)
def test_it_says_so_in_json(shop: Path, command: str, keys: str) -> None:
    lines = [json.loads(line, parse_constant=_no_number) for line in typed(*command.split(), "--json").splitlines()]
    assert lines
    for one in lines:
        assert set(one) == set(keys.split())


def _no_number(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON")


def test_models_and_encoders(shop: Path) -> None:
    rows = [json.loads(line) for line in typed("models", "list", "--json").splitlines()]
    assert {row["kind"] for row in rows} == {"model", "encoder"}
    for row in rows:
        assert set(row) == {
            *("kind", "name", "default", "bytes", "licence", "languages", "hub_repo", "wheels", "source", "path")
        }


def test_a_strangers_text_moves_nothing(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    title = "Boot\x1b[2J\u2028\u202e\x85red"
    Path("feed.json").write_text(json.dumps([{"id": "1", "title": title}]))
    typed("import", "feed.json", "--category", "shoes")
    said = typed("knowledge", "show", "1", "--json")
    assert said.isascii()
    assert len(said.splitlines()) == 1
    assert json.loads(said)["title"] == title


def test_lists_without_rows_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("runs",), ("review", "log"), ("review", "audits"), ("calls", "list")):
        assert typed(*command, "--json") == ""


def test_only_the_newest_run_is_the_default(shop: Path) -> None:
    (there,) = (path for path in Path("runs").iterdir() if path.is_dir())
    other = Path("runs/0ther")
    try:
        shutil.copytree(there, other)
        (other / "metrics.json").unlink()
        rows = [json.loads(line) for line in typed("runs", "--json").splitlines()]
        assert [(row["run_id"], row["finished"], row["default"]) for row in rows] == [
            ("0ther", False, False),
            (there.name, True, True),
        ]
        assert rows[0]["ndcg_at_10"] is None
        assert 0 < rows[1]["ndcg_at_10"] < 1
        shown = typed("runs")
        assert f"{there.name} (default)" in shown
        assert "0ther" in shown
    finally:
        shutil.rmtree(other)


@pytest.mark.parametrize("command", [*CASES, "explain FS-1001 --user u001", "recommend --user u001 -k 2"])
def test_tables_fit_a_small_terminal(shop: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = [line for line in typed(*command.split()).splitlines() if line[:1] in "┏┃┡│├└ "]
    assert [line for line in said if cell_len(line) > 80] == []
    assert [line for line in said if "…" in line] == []
