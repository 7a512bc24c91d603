"""Every command that the documents, the help texts and the hints name: it can be typed so, and those of the documents'
examples run, in their order, in a folder such as a reader has."""

import ast
import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from typer.testing import CliRunner

from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.knowledge_store import samples

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = (
    "agents",
    "beyond_log",
    "cli",
    "documents",
    "graphs",
    "knowledge_store",
    "llm",
    "prompts",
    "ranker",
    "taxonomy",
)
COMMAND = typer.main.get_command(app)
SMALL = ["--epochs", "1", "--seeds", "1", "--set", "dim=16", "--set", "blocks=1", "--set", "heads=1"]
QUICKER = {"train-ranker": SMALL, "train-beyond-log": ["--epochs", "1"], "embed": [], "imagine": []}
"""What is added where a document's command would take minutes."""
ELSEWHERE = {"engines.md"}
"""Documents whose commands need a GPU."""


def examples(path: Path) -> list[str]:
    """The commands of a document's examples, without their remarks."""
    blocks = re.findall(r"```console\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ reaseq ")]
    return [re.split(r"\s+#\s", line)[0].strip() for line in lines]


def mentioned() -> Iterator[tuple[str, str]]:
    """Commands with where they stand."""
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for line in [*examples(path), *re.findall(r"`(reaseq [^`]+)`", prose)]:
            yield path.name, " ".join(line.split())
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for text in _hints(ast.parse(path.read_text(encoding="utf-8"))):
                for line in _commands_in(text):
                    yield f"{folder}/{path.name}", line


def _hints(tree: ast.Module) -> Iterator[str]:
    """The texts of hints, with 7 for what is filled in; the examples of help texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "hint":
            filled = [part for part in ast.walk(node.value) if isinstance(part, ast.JoinedStr)]
            inside = {id(one) for text in filled for one in text.values}
            for text in filled:
                yield "".join(str(one.value) if isinstance(one, ast.Constant) else "7" for one in text.values)
            for one in ast.walk(node.value):
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in inside:
                    yield one.value
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "Example" in (ast.get_docstring(node) or ""):
            yield (ast.get_docstring(node) or "").partition("Example")[2]


def _commands_in(text: str) -> Iterator[str]:
    for found in re.findall(r"reaseq [a-z][^\n]*", text):
        for one in re.split(r"(?:,| or)? then (?=reaseq)|, (?=reaseq )", found):
            line = re.split(r"   |, then |, |\)|\.$|`| > (?=\w+\.)", one)[0].strip()
            if line.startswith("reaseq "):
                yield line


def parse(arguments: list[str], command: Any = COMMAND, parent: Any = None) -> None:
    """Raises a usage error if this cannot be typed."""
    context = command.make_context(command.name, list(arguments), parent=parent)
    if hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        if rest:
            _, inner, rest = command.resolve_command(context, rest)
            parse(rest, inner, context)


MENTIONED = sorted(set(mentioned()))


@pytest.mark.parametrize(("where", "line"), MENTIONED, ids=[f"{where}: {line}" for where, line in MENTIONED])
def test_it_can_be_typed_so(where: str, line: str) -> None:
    arguments = [one for one in shlex.split(line)[1:] if one not in ("--help", "COMMAND")]
    try:
        parse(arguments)
    except Exception as error:
        # A command named alone may lack what it needs; what it is given it must know.
        alone = type(error).__name__ in ("MissingParameter", "NoArgsIsHelpError") and len(arguments) <= 2
        if not alone:
            raise


class Letters:
    """An encoder that knows letters: no weights are there."""

    name, fingerprint, dimensions = "letters", "letters", 26

    def __init__(self, *_: Any) -> None: ...

    def encode(self, texts: Any, **_: Any) -> Any:
        counts = np.array(
            [[text.casefold().count(chr(97 + n)) + 0.01 for n in range(26)] for text in texts], np.float32
        )
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)

    def span_vectors(self, texts: Any) -> Any:
        return [
            self.encode([text[start:end] for start, end in spans]) if len(spans) else np.zeros((0, 26), np.float32)
            for text, spans in texts
        ]


@pytest.fixture
def desk(tmp_path: Path, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the documents speak of, and a store in which something is known and decided."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("ENGINE", "openai"), ("MODEL", "fake"), ("BASE_URL", fake.base_url)):
        monkeypatch.setenv(f"REASEQ_{name}", value)
    monkeypatch.setattr("reaseq.knowledge_store.encoder.Encoder", Letters)
    monkeypatch.setattr("reaseq.graphs.teaching.Encoder", Letters)
    monkeypatch.setattr("reaseq.llm.encoders.resolve", lambda *_: ("", ""))
    shoes = samples.SHOES.read_text(encoding="utf-8")
    Path("feed.csv").write_text(shoes.replace("FS-1001", "AH2430"), encoding="utf-8")
    Path("prices.csv").write_text("sku,title,price\nAH2430,Trail shoe,79\n")
    events = samples.SHOE_EVENTS.read_text(encoding="utf-8").replace("FS-1001", "AH2430").replace("u001,", "4711,")
    header, *lines = events.splitlines(keepends=True)
    few = [line for line in lines if line.split(",")[1] < "u060"]  # and 4711
    Path("log.csv").write_text("".join([header, *few]), encoding="utf-8")
    _taxonomy(Path("product-taxonomy/dist/en"))
    shutil.copytree(ROOT / "examples" / "compliance", tmp_path, dirs_exist_ok=True)
    for arguments in (
        ("import", "feed.csv", "--category", "shoes"),
        ("import-events", "log.csv"),
        ("distill", "--category", "shoes", "--limit", "16"),
        ("review", "export", "sheet.csv"),
    ):
        typed(*arguments)
    with Path("sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with Path("sheet.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"decision": "approve"} for row in rows[:40])
    typed("review", "apply", "sheet.csv", "--by", "ann")
    typed("review", "gold", "gold.jsonl")
    Path("new.jsonl").write_text(Path("gold.jsonl").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), input="q")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, f"{arguments}: {result.output}"
    return result.output


def _taxonomy(folder: Path) -> None:
    flavour = {"id": "gid://shopify/TaxonomyAttribute/1", "name": "Flavour", "handle": "flavour", "description": ""}
    value = {"id": "gid://shopify/TaxonomyValue/1", "name": "Plum", "handle": "flavour__plum"}
    jams = {
        "id": "gid://shopify/TaxonomyCategory/fb-1", "level": 1, "name": "Jams & Jellies",
        "full_name": "Food > Jams & Jellies", "parent_id": None, "attributes": [flavour | {"extended": False}],
        "children": [], "ancestors": [],
    }  # fmt: skip
    folder.mkdir(parents=True)
    verticals = [{"name": "Food", "prefix": "fb", "categories": [jams]}]
    (folder / "categories.json").write_text(json.dumps({"version": "1", "verticals": verticals}))
    attributes = [flavour | {"extended_attributes": [], "values": [value]}]
    (folder / "attributes.json").write_text(json.dumps({"version": "1", "attributes": attributes}))


@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if examples(path) and path.name not in ELSEWHERE],
    ids=lambda path: path.name,
)
def test_a_documents_commands_run(desk: Path, document: Path) -> None:
    for line in examples(document):
        arguments = shlex.split(line)[1:]
        typed(*arguments, *QUICKER.get(arguments[0], ()))
