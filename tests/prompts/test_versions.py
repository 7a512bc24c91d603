"""Versions of prompts: kept when something is made with them, told apart, named, and held against each other."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.graphs.distill import distill
from reaseq.graphs.options import Options
from reaseq.knowledge_store.prompt_versions import find, keep
from reaseq.knowledge_store.store import Store
from reaseq.llm.endpoint import Endpoint, Price
from reaseq.prompts.library import BUNDLED, PromptLibrary


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["prompts", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def rows(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said("versions", *arguments, "--json").splitlines()]


def test_versions_from_the_first_to_a_reverted_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEndpoint
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    file = mine / "verifier.yaml"
    text = (BUNDLED / "verifier.yaml").read_text()
    file.write_text(text)
    monkeypatch.setenv("REASEQ_PROMPTS_DIR", str(mine))
    assert "Nothing was made with a prompt yet" in said("versions")
    with Store.open(f"sqlite:///{tmp_path}/.reaseq/store.sqlite") as store:
        fill(store, 4)
        endpoint = Endpoint(fake.base_url, "fake", "fake", price=Price(1.0, 2.0))

        def run(limit: int | None = None) -> int:
            wish = Options("shoes", limit=limit)
            return asyncio.run(distill(store, endpoint, PromptLibrary(mine), wish)).counts.calls

        run()
        (first,) = rows("verifier")
        assert (first["products"], first["text"], first["name"]) == (4, text, None)
        assert {row["agent"] for row in rows()} == {
            *("category_analyst", "attribute_extractor", "verifier", "summarizer")
        }
        spent = sum(row["cost"] for row in store.usage() if row["agent"] == "verifier")
        assert first["cost"] == pytest.approx(spent)

        file.write_text(text.replace('Answer "no"', 'Say "no"'))
        run(limit=1)
        second, first = rows("verifier")
        assert (second["products"], first["products"]) == (1, 3)
        assert "in force" in said("versions", "verifier")
        shown = said("diff", str(first["fingerprint"]))
        assert '-  Answer "yes" if' in shown
        assert '+  Answer "yes" if' in shown

        said("name", str(first["fingerprint"])[:8], "before")
        assert '-  Answer "yes" if' in said("diff", "before", str(file))
        with pytest.raises(ReaseqError, match="another version is called 'before'"):
            said("name", str(second["fingerprint"]), "before")
        with pytest.raises(ReaseqError, match="no version of a prompt is called 'after'"):
            said("diff", "after")
        assert find(store, "before").name == "before"

        file.write_text(text)  # an edit taken back asks nobody
        assert run() == 0
        assert {row["name"]: row["products"] for row in rows("verifier")} == {"before": 4, None: 0}
        assert "They are the same." in said("diff", "before")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("1a2b3", "'1a2b3' may mean several versions: 1a2b3c4d00000000 (verifier), 1a2b3c4e00000000 (summarizer)"),
        ("1a2", "no version of a prompt is called '1a2'; of a fingerprint 4 letters at least are needed"),
        ("ffff", "no version of a prompt is called 'ffff'"),
    ],
)
def test_a_name_that_means_no_one_version(store: Store, named: str, said: str) -> None:
    for agent, version in (("summarizer", "1a2b3c4e00000000"), ("verifier", "1a2b3c4d00000000")):
        keep(store, agent, "text", version=version, bound=version, category=None)
    with pytest.raises(ReaseqError) as error:
        find(store, named)
    assert str(error.value) == said
    assert find(store, "1a2b3c4e").agent == "summarizer"


def test_what_compare_takes_diff_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (BUNDLED / "verifier.yaml").read_text()
    assert "verifier: the prompt in force is the bundled one" in said("diff", "verifier")
    assert "They are the same." in said("diff", "bundled", "verifier")
    (tmp_path / "mine" / "shoes").mkdir(parents=True)
    (tmp_path / "mine" / "verifier.yaml").write_text(text.replace("You check", "You look at"))
    (tmp_path / "mine" / "shoes" / "verifier.yaml").write_text("extends: verifier\nmax_tokens: 50\n")
    monkeypatch.setenv("REASEQ_PROMPTS_DIR", "mine")
    for named in (["bundled", "verifier"], ["bundled", "mine/verifier.yaml"], ["verifier"]):
        shown = said("diff", *named)
        assert "-  You check" in shown
        assert "+  You look at" in shown
    shown = said("diff", "mine/shoes/verifier.yaml")
    assert shown.startswith("--- verifier, in force")
    assert "+++ mine/shoes/verifier.yaml" in shown
    assert "+max_tokens: 50" in shown
    for wrong, told in ((["bundled"], "of which agent?"), (["bundled", "nothing"], "no version of a prompt is called")):
        with pytest.raises(ReaseqError, match=re.escape(told)):
            said("diff", *wrong)


def test_a_version_that_is_no_prompt_any_more_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (BUNDLED / "verifier.yaml").read_text().replace("{{product}}", "nothing")
    with Store.open(f"sqlite:///{tmp_path}/.reaseq/store.sqlite") as store:
        keep(store, "verifier", text, version="ab" * 8, bound="cd" * 8, category=None)
    assert "-  nothing" in said("diff", "abababab")
