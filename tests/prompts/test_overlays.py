"""Prompts of a category, which override parts of the others."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import reaseq
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.prompts.library import BUNDLED, PromptError, PromptLibrary, parse_prompt

OVER = "extends: verifier\nsystem: |\n  {{extends}}\n  Shoes are strict.\n"


def folder(tmp_path: Path, text: str = OVER, name: str = "verifier") -> Path:
    mine = tmp_path / "mine"
    (mine / "shoes").mkdir(parents=True)
    (mine / "shoes" / f"{name}.yaml").write_text(text)
    return mine


def test_parts_are_overridden_and_the_rest_stays(tmp_path: Path) -> None:
    library = PromptLibrary(folder(tmp_path))
    plain, shoes = library["verifier"], library.of("shoes")["verifier"]
    assert shoes.system.rstrip("\n") == plain.system.rstrip("\n") + "\nShoes are strict."
    assert (shoes.user, shoes.examples, shoes.max_tokens) == (plain.user, plain.examples, plain.max_tokens)
    assert library.of("tea")["verifier"] == plain
    assert library.of("shoes")["summarizer"] == library["summarizer"]
    assert [path.parent.name for path in library.of("shoes").overlaid("verifier")] == ["prompts", "shoes"]
    # As it is kept, it is read again as the same.
    text = library.of("shoes").text("verifier")
    assert parse_prompt(text, Path("verifier.yaml")).fingerprint == shoes.fingerprint
    # A prompt that is tried is tried for all.
    assert library.with_prompt(plain).of("shoes")["verifier"] == plain


def test_a_file_of_ones_own_lies_between(tmp_path: Path) -> None:
    mine = folder(tmp_path)
    (mine / "verifier.yaml").write_text((BUNDLED / "verifier.yaml").read_text().replace("You check", "You look at"))
    shoes = PromptLibrary(mine).of("shoes")["verifier"]
    assert shoes.system.startswith("You look at")
    assert shoes.system.rstrip().endswith("Shoes are strict.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("system: new\n", ":1: a category's file says extends: verifier"),
        ("extends: summarizer\nsystem: new\n", ":1: a category's file says extends: verifier"),
        ("extends: verifier\nsystem: new\n", ":2: system has no {{category}}, which it is given"),
        ("extends: verifier\nsytem: new\n", ":2: unknown key 'sytem'; do you mean 'system'?"),
        ("extends: verifier\nmax_tokens: none\n", ":2: max_tokens:"),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, text: str, said: str) -> None:
    mine = folder(tmp_path, text)
    with pytest.raises(PromptError) as error:
        PromptLibrary(mine).of("shoes")
    assert f"{mine / 'shoes' / 'verifier.yaml'}{said}" in str(error.value)
    result = CliRunner().invoke(app, ["prompts", "lint", str(mine)])
    assert result.exit_code == 1
    assert said in result.output


def test_elsewhere_nothing_extends(tmp_path: Path) -> None:
    path = tmp_path / "verifier.yaml"
    path.write_text(OVER)
    with pytest.raises(PromptError, match="only a prompt of a category or of a locale extends"):
        PromptLibrary(tmp_path)["verifier"]


def test_only_products_it_reaches_become_stale(tmp_path: Path, fake: FakeEndpoint) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    kb = reaseq.open(tmp_path / "kb", engine="openai", base_url=fake.base_url, model="fake", prompts_dir=mine)
    with kb:
        kb.add_products([{"id": "s", "title": "Arden runner", "description": "A red mesh shoe."}], category="shoes")
        kb.add_products([{"id": "t", "title": "Assam", "description": "Black tea."}], category="tea")
        for category in ("shoes", "tea"):
            assert kb.distill(category, progress=False).counts.done == 1
        folder(tmp_path / "new")
        (tmp_path / "new" / "mine" / "shoes").rename(mine / "shoes")
        assert kb.distill("tea", progress=False).counts.unchanged == 1
        assert kb.distill("shoes", progress=False).counts.done == 1
        (mine / "shoes" / "verifier.yaml").unlink()
        asked = fake.stats().requests
        assert kb.distill("shoes", progress=False).counts.done == 1
        assert fake.stats().requests == asked
