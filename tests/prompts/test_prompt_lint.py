"""What `reaseq prompts lint` tells beside a file's form: where it stands, and what its examples teach."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from reaseq.bench.catalogue import fill
from reaseq.cli.main import app
from reaseq.knowledge_store.store import Store
from reaseq.prompts.library import BUNDLED

OVER = "extends: verifier\nsystem: |\n  {{extends}}\n  Be strict.\n"


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("shoes", 0, None),
        ("shose", 1, "there is no category 'shose'; do you mean 'shoes'? Rename the folder to shoes"),
        ("Footwear", 1, "category 'Footwear' is kept as 'shoes': rename the folder to shoes"),
        ("canal_boats", 0, None),
        ("zeppelins", 0, "warning: there is no category 'zeppelins' (yet)"),
    ],
)
def test_folders_of_categories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int, said: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/.reaseq/store.sqlite") as store:
        fill(store, 1, category="canal_boats")
    path = Path("mine", name, "verifier.yaml")
    path.parent.mkdir(parents=True)
    path.write_text(OVER)
    result = CliRunner().invoke(app, ["prompts", "lint", "mine"])
    assert result.exit_code == code
    assert (f"{path}:1: " in result.output) == (said is not None)
    assert said is None or said in result.output


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('{"1": "yes", "2": "no", "3": "no"}', None),
        ('{"1": "yes", "2": "no"}', "answers each claim by its number"),
        ('{"1": "yes", "2": "no", "3": "maybe"}', "answers each claim by its number"),
        ('{"1": "yes", "2": "no", "3": "no", "4": "no"}', "answers each claim by its number"),
        ('{"1": true, "2": "no", "3": "no"}', "answers each claim by its number"),
        ('\'["yes", "no", "no"]\'', "answers each claim by its number"),
        ('{"1": ["yes"], "2": "no", "3": "no"}', "answers each claim by its number"),
    ],
)
@pytest.mark.parametrize("category", ["", "shoes"])
def test_examples_of_the_verifier(tmp_path: Path, category: str, reply: str, said: str | None) -> None:
    text = (BUNDLED / "verifier.yaml").read_text().replace('{"1": "yes", "2": "no", "3": "no"}', reply)
    path = tmp_path / "mine" / category / "verifier.yaml"
    path.parent.mkdir(parents=True)
    if category:
        text = "extends: verifier\n" + text[text.index("examples:") : text.index("reply: json")]
    path.write_text(text)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if one.startswith("    reply: "))
    result = CliRunner().invoke(app, ["prompts", "lint", str(tmp_path / "mine")])
    assert result.exit_code == (1 if said else 0), result.output
    if said:
        assert f"{path}:{line}: example 1: " in result.output
        assert said in result.output
