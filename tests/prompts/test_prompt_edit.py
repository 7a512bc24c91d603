"""Prompts of one's own: begun, edited, given examples of what people decided."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.graphs.examples import ungrounded
from reaseq.knowledge_store.decisions import Action, decide
from reaseq.knowledge_store.store import Store
from reaseq.prompts.library import PromptLibrary, load_prompt
from reaseq.taxonomy.schema import Example, load_schema, starter_for, starters


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with four shoes, distilled, prompts of one's own, and an endpoint."""
    folder = tmp_path_factory.mktemp("distilled")
    with FakeEndpoint() as fake, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("reaseq.toml").write_text(
            f'engine = "openai"\nbase_url = "{fake.base_url}"\nmodel = "fake"\nprompts_dir = "mine"\n'
        )
        Path("mine").mkdir()
        with Store.open(f"sqlite:///{folder}/.reaseq/store.sqlite") as store:
            fill(store, 4)
        run("distill", "--category", "shoes")
        yield folder


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, distilled: Path) -> Callable[[], Store]:
    shutil.copytree(distilled, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return lambda: Store.open(f"sqlite:///{tmp_path}/.reaseq/store.sqlite")


def writes(monkeypatch: pytest.MonkeyPatch, path: Path, old: str, new: str) -> None:
    """Let the editor be one that changes the file."""
    script = path / "editor.sh"
    script.write_text(f"#!/bin/sh\nsed -i 's/{old}/{new}/' \"$1\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))


def test_a_new_one_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Written: my_agent.yaml" in run("prompts", "new", "my_agent")
    assert load_prompt(Path("my_agent.yaml")).name == "my_agent"
    for name, why in (("my_agent", "is there already"), ("verifier", "is bundled"), ("My-Agent", "is no agent's name")):
        with pytest.raises(ReaseqError, match=why):
            run("prompts", "new", name)


def test_an_edit_begins_with_a_copy(
    opened: Callable[[], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(monkeypatch, tmp_path, "You check", "You carefully check")
    assert "mine/verifier.yaml: ok" in run("prompts", "edit", "verifier")
    assert PromptLibrary(Path("mine"))["verifier"].system.startswith("You carefully check")
    assert "Unchanged" in run("prompts", "edit", "verifier")
    writes(monkeypatch, tmp_path, "# system: |", "max_tokens: 90")
    assert "ok" in run("prompts", "edit", "verifier", "--category", "shoes")
    assert PromptLibrary(Path("mine")).of("shoes")["verifier"].max_tokens == 90
    writes(monkeypatch, tmp_path, "system:", "sytem:")
    with pytest.raises(ReaseqError, match=r"mine/verifier.yaml:\d+: unknown key 'sytem'"):
        run("prompts", "edit", "verifier")


def test_without_a_folder_it_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReaseqError) as error:
        run("prompts", "edit", "verifier")
    assert error.value.hint == "reaseq prompts eject my-prompts verifier"


@pytest.mark.parametrize(("action", "answer"), [(Action.APPROVE, "yes"), (Action.REJECT, "no")])
def test_a_decision_becomes_an_example(opened: Callable[[], Store], action: Action, answer: str) -> None:
    with opened() as store:
        claim = next(store.claims(category="shoes"))
        number = decide(store, claim["id"], action, by="somebody")
    assert "example 2 added" in run("prompts", "examples", "add", "verifier", "--from-decision", str(number))
    added = load_prompt(Path("mine/verifier.yaml")).examples[-1]
    assert json.loads(added.reply_text) == {"1": answer}
    assert added.input["claims"].startswith(f"1. {claim['attribute'].replace('_', ' ')}: {claim['value']}")
    run("prompts", "lint", "mine")


def test_settled_values_become_an_example_of_the_schema(opened: Callable[[], Store]) -> None:
    with opened() as store:
        claim = next(one for one in store.claims(category="shoes") if one["status"] == "verified")
        number = decide(store, claim["id"], Action.APPROVE, by="somebody")
    arguments = ("prompts", "examples", "add", "attribute_extractor", "--from-decision", str(number))
    with pytest.raises(ReaseqError) as error:
        run(*arguments)
    assert error.value.hint == "reaseq taxonomy eject shoes"
    run("taxonomy", "eject", "shoes")
    (path,) = Path.cwd().rglob("shoes.yaml")
    before = path.read_text()
    assert "added" in run(*arguments)
    added = load_schema(path).examples[-1]
    assert claim["value"] in (added.values[claim["attribute"]], *added.values[claim["attribute"]])
    assert len(load_schema(path).examples) == len(yaml.safe_load(before)["examples"]) + 1
    assert [line for line in before.splitlines() if line.lstrip().startswith("#")] == [
        line for line in path.read_text().splitlines() if line.lstrip().startswith("#")
    ]


def test_what_only_another_column_says_is_left_out_of_an_example(opened: Callable[[], Store]) -> None:
    """An example shows title, brand and description: with a value that none of them states it would teach to invent."""
    Path("feed.json").write_text(
        json.dumps([{"id": "c1", "title": "Arden runner", "description": "A shoe of mesh.", "Colour": "Olive"}])
    )
    run("import", "feed.json", "--category", "shoes")
    run("distill", "--category", "shoes")
    with opened() as store:
        claims, *_ = store.knowledge("c1")
        of_column = next(one for one in claims if one["field"] == "attributes.Colour" and one["status"] == "verified")
        number = decide(store, of_column["id"], Action.APPROVE, by="somebody")
    run("taxonomy", "eject", "shoes")
    arguments = ("prompts", "examples", "add", "attribute_extractor", "--from-decision", str(number))
    with pytest.raises(ReaseqError, match="nothing but what other columns than title, brand, description say"):
        run(*arguments)
    with opened() as store:
        of_text = next(one for one in claims if one["field"] == "description" and one["status"] == "verified")
        decide(store, of_text["id"], Action.APPROVE, by="somebody")
    assert f"an example has title, brand, description alone: {of_column['attribute']}" in run(*arguments)
    (path,) = Path.cwd().rglob("shoes.yaml")
    assert set(load_schema(path).examples[-1].values) == {of_text["attribute"]}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(("verifier", "9"), "there is no decision 9 in force"), (("summarizer", "1"), "summarizer has no examples")],
)
def test_what_is_no_example(opened: Callable[[], Store], arguments: tuple[str, str], why: str) -> None:
    with opened() as store:
        decide(store, next(store.claims(category="shoes"))["id"], Action.REJECT, by="somebody")
    with pytest.raises(ReaseqError, match=why):
        run("prompts", "examples", "add", arguments[0], "--from-decision", arguments[1])


def test_bundled_examples_keep_the_rules() -> None:
    assert [(path.name, one) for path, schema in starters() for one in ungrounded(schema)] == []


def test_an_example_that_invents_is_told() -> None:
    schema = starter_for("shoes")
    assert schema is not None
    invented = Example(title="Arden runner", values={"color": ["red"], "upper_material": ["mesh"]})
    wrong = list(ungrounded(schema.model_copy(update={"examples": (invented,)})))
    assert [(one.example, one.attribute, one.value) for one in wrong] == [
        (1, "color", "red"),
        (1, "upper_material", "mesh"),
    ]


def test_a_request_is_shown_whole(opened: Callable[[], Store]) -> None:
    with opened() as store:
        product = store.product(store.product_ids()[0])
        asked = sum(row["calls"] for row in store.usage())
    assert product is not None
    said = run("prompts", "show", "attribute_extractor", "--product", product["id"])
    assert json.dumps(product["title"]) in said
    assert "tokens; the reply may have" in said
    with opened() as store:
        assert sum(row["calls"] for row in store.usage()) == asked
