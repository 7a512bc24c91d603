"""Prompts for products of a locale, and how a product's locale is known."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import reaseq
from reaseq import ReaseqError
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.documents.locales import locale_of, nearest
from reaseq.knowledge_store.store import Store
from reaseq.prompts.library import BUNDLED, PromptError, PromptLibrary

STORE = "sqlite:///.reaseq/store.sqlite"


def run(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "300"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result


def prompts(folder: Path, files: Mapping[str, str]) -> Path:
    """Files that each add a sentence to the verifier's prompt."""
    for name, sentence in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"extends: verifier\nsystem: |\n  {{{{extends}}}}\n  {sentence}\n")
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("de", "de"),
        ("de_at", "de-AT"),
        ("EN-us", "en-US"),
        ("zh_hans_cn", "zh-Hans-CN"),
        ("en-PL", "en-PL"),
        ("fil", "fil"),
        ("xx", None),
        ("dee", None),
        ("de-XX", None),
        ("German", None),
        ("english", None),
        ("", None),
        ("12", None),
    ],
)
def test_what_is_the_code_of_a_language(text: str, expected: str | None) -> None:
    assert locale_of(text) == expected


@pytest.mark.parametrize(
    ("locale", "known", "expected"),
    [
        ("de-AT", {"de", "fr"}, "de"),
        ("de-AT", {"de", "de-AT"}, "de-AT"),
        ("de", {"de-AT"}, None),
        ("den", {"de"}, None),
        (None, {"de"}, None),
    ],
)
def test_a_narrower_locale_is_one_of_the_wider(locale: str | None, known: set[str], expected: str | None) -> None:
    assert nearest(locale, known) == expected


ALL = {
    "shoes/verifier.yaml": "Shoes.",
    "verifier.de.yaml": "German.",
    "verifier.de-AT.yaml": "Austrian.",
    "shoes/verifier.de.yaml": "German shoes.",
}


@pytest.mark.parametrize(
    ("category", "locale", "said"),
    [
        ("tea", None, "Own."),
        ("tea", "fr", "Own."),
        ("shoes", None, "Own. Shoes."),
        ("tea", "de", "Own. German."),
        ("tea", "de-AT", "Own. German. Austrian."),
        ("shoes", "de", "Own. Shoes. German. German shoes."),
        ("shoes", "de-CH", "Own. Shoes. German. German shoes."),
        ("shoes", "de-AT", "Own. Shoes. German. Austrian. German shoes."),
    ],
)
def test_which_overrides_which(tmp_path: Path, category: str, locale: str | None, said: str) -> None:
    folder = prompts(tmp_path, ALL)
    text = (BUNDLED / "verifier.yaml").read_text()
    assert text.count("You check") == 1
    (folder / "verifier.yaml").write_text(text.replace("You check", "Own. You check"))
    library = PromptLibrary(folder).of(category, locale)
    found = library["verifier"].system
    sentences = [one for one in ("Own.", "Shoes.", "German.", "Austrian.", "German shoes.") if one in found]
    assert " ".join(sorted(sentences, key=found.index)) == said
    # However it is reached, and once only.
    assert PromptLibrary(folder).of(category).of(category, locale)["verifier"] == library["verifier"]
    assert len(library.overlaid("verifier")) == len(said.replace("German shoes", "Shoes").split())
    assert PromptLibrary(folder).of("tea", locale)["summarizer"] == PromptLibrary()["summarizer"]


def test_a_prompt_that_is_tried_is_tried_for_all(tmp_path: Path) -> None:
    library = PromptLibrary(prompts(tmp_path, ALL))
    plain = library["verifier"]
    assert library.with_prompt(plain).of("shoes", "de")["verifier"] == plain


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("verifier.dee.yaml", "'dee' is no locale: verifier.de.yaml is for products in German"),
        ("verifier.de_AT.yaml", "the locale is written de-AT"),
        ("verifier.DE.yaml", "the locale is written de"),
        ("verifer.de.yaml", "do you mean verifier.de.yaml?"),
        ("category_analyst.de.yaml", "reads no products one by one"),
        ("shoes/verifier.dee.yaml", "'dee' is no locale"),
    ],
)
def test_a_misspelt_locale_is_told(tmp_path: Path, name: str, said: str) -> None:
    folder = prompts(tmp_path / "mine", {name: "No."})
    result = run("prompts", "lint", str(folder), status=1)
    assert f"{folder / name}:1: " in result.output
    assert said in result.output
    with pytest.raises(PromptError) as error:
        PromptLibrary(folder).of("shoes")
    assert said in str(error.value)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEndpoint) -> FakeEndpoint:
    """The endpoint, and a folder with a catalogue of which some products are German, and with prompts in force."""
    monkeypatch.chdir(tmp_path)
    Path("reaseq.toml").write_text(
        f'engine = "openai"\nbase_url = "{fake.base_url}"\nmodel = "fake"\nprompts_dir = "mine"\n'
    )
    Path("mine").mkdir()
    rows = ["id,title,description,locale"]
    rows += [f"e{n},Arden runner {n},A red mesh shoe for walking.,en" for n in range(3)]
    rows += [f"d{n},Arden Schuh {n},Ein roter Schuh aus Mesh.,de_AT" for n in range(2)]
    rows += ["n0,Arden sandal,A blue sandal of leather.,"]
    Path("feed.csv").write_text("\n".join(rows))
    told = run("import", "feed.csv", "--category", "shoes").output
    assert "Locale of the texts: en (3), de-AT (2)." in told
    return fake


def test_only_products_that_it_reaches_become_stale(shop: FakeEndpoint) -> None:
    run("distill", "--category", "shoes")
    folder = prompts(Path("mine"), {"verifier.de.yaml": "Deutsch.", "shoes/verifier.fr.yaml": "French."})
    plan = json.loads(run("distill", "--category", "shoes", "--dry-run", "--json").stdout)
    assert (plan["stale"], plan["reasons"]) == (2, [{"reason": "prompt verifier changed", "products": 2}])
    assert json.loads(run("distill", "--category", "shoes", "--json").stdout)["done"] == 2
    assert json.loads(run("distill", "--category", "shoes", "--dry-run", "--json").stdout)["stale"] == 0
    told = run("prompts", "show", "verifier", "--product", "d1").output
    assert "Deutsch." in told
    assert f"{folder / 'verifier.de.yaml'}, over " in told
    assert "Deutsch." not in run("prompts", "show", "verifier", "--product", "e1").output
    versions = [json.loads(one) for one in run("prompts", "versions", "verifier", "--json").stdout.splitlines()]
    assert sorted(one["products"] for one in versions) == [2, 4]
    assert sum("Deutsch." in one["text"] for one in versions) == 1
    with Store.open(STORE) as store:
        prints = {
            one["product_id"]: claim["prompt_fingerprint"]
            for one in ({"product_id": product_id} for product_id in ("d0", "e0"))
            for claim in store.knowledge(one["product_id"])[0]
        }
    assert set(prints) == {"d0", "e0"}
    (folder / "verifier.de.yaml").unlink()
    asked = shop.stats().requests
    assert json.loads(run("distill", "--category", "shoes", "--json").stdout)["done"] == 2
    assert shop.stats().requests == asked


def test_it_is_listed_shown_and_linted(shop: FakeEndpoint) -> None:
    folder = prompts(Path("mine"), {"verifier.de.yaml": "Deutsch.", "shoes/verifier.fr.yaml": "French."})
    rows = [json.loads(one) for one in run("prompts", "list", "--json").stdout.splitlines()]
    (mine,) = [one for one in rows if one["agent"] == "verifier"]
    assert mine["locales"] == [
        {"category": None, "locale": "de", "path": str(folder / "verifier.de.yaml")},
        {"category": "shoes", "locale": "fr", "path": str(folder / "shoes" / "verifier.fr.yaml")},
    ]
    assert "shoes, fr: mine/shoes/verifier.fr.yaml" in run("prompts", "list").output
    shown = run("prompts", "show", "verifier", "--category", "shoes", "--locale", "fr-CA").output
    assert "French." in shown
    assert "mine/shoes/verifier.fr.yaml, over " in shown
    assert "Deutsch." in run("prompts", "show", "verifier", "--locale", "de").output
    with pytest.raises(ReaseqError, match="the code of no language"):
        run("prompts", "show", "verifier", "--locale", "dee")
    told = run("prompts", "lint").output
    assert "mine/verifier.de.yaml: ok" in told
    assert "mine/verifier.de.yaml:1: warning" not in told
    assert "mine/shoes/verifier.fr.yaml:1: warning: no product is of fr (yet): there are de-AT (2), en (3)" in told


def test_a_comparison_reads_the_products_that_a_version_reaches(shop: FakeEndpoint) -> None:
    prompts(Path("mine"), {"verifier.de.yaml": "Deutsch."})
    prompts(Path("edits"), {"verifier.de.yaml": "Anders."})
    edit = (BUNDLED / "verifier.yaml").read_text().replace("You check", "You carefully check")
    Path("edits/verifier.yaml").write_text(edit)
    made = json.loads(run("prompts", "compare", "edits/verifier.yaml", "-c", "shoes", "--json").stdout)
    assert made["products"] == 4
    assert "Products of de have a prompt of their own, and are left out." in made["notes"]
    made = json.loads(run("prompts", "compare", "edits/verifier.de.yaml", "-c", "shoes", "--json").stdout)
    assert (made["products"], [one["label"] for one in made["sides"]]) == (2, ["in force", "edits/verifier.de.yaml"])
    library = PromptLibrary(Path("mine")).of("shoes", "de")
    assert made["sides"][0]["fingerprint"] == library["verifier"].fingerprint
    told = run("prompts", "try", "edits/verifier.yaml", "--product", "d0").output
    assert "d0 is of de-AT, and is read with another prompt than this once it is in force." in told
    prompts(Path("edits"), {"verifier.fr.yaml": "French."})
    with pytest.raises(ReaseqError, match="no products of shoes are of fr"):
        run("prompts", "compare", "edits/verifier.fr.yaml", "-c", "shoes")


def test_editing_one_begins_it(shop: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "click.edit", lambda filename, editor: Path(filename).write_text("extends: verifier\nmax_tokens: 50\n")
    )
    assert "mine/verifier.de-AT.yaml: ok" in run("prompts", "edit", "verifier", "--locale", "de_AT").output
    run("prompts", "edit", "verifier", "--locale", "de", "--category", "shoes")
    assert Path("mine/shoes/verifier.de.yaml").is_file()
    assert PromptLibrary(Path("mine")).of("shoes", "de-AT")["verifier"].max_tokens == 50


FEEDS: list[tuple[str, dict[str, Any], list[str], str | None]] = [
    ("a column of the feed", {"id": "1", "title": "Boot", "locale": "fr_CA"}, [], "fr-CA"),
    ("the language code of one", {"id": "1", "title": "Boot", "content_language": "fr"}, [], "fr"),
    ("the title's column", {"id": "1", "name-de_DE": "Stiefel", "name-fr_FR": ""}, [], "de-DE"),
    ("that of the title which was taken", {"id": "1", "name-de_DE": "", "name-fr_FR": "Botte"}, [], "fr-FR"),
    ("whoever imports it", {"id": "1", "title": "Boot"}, ["--locale", "nl"], "nl"),
    ("a column before whoever imports it", {"id": "1", "title": "Boot", "lang": "it"}, ["--locale", "nl"], "it"),
    ("a cell that names no language", {"id": "1", "title": "Boot", "locale": "EU1"}, [], None),
    ("in which language a book is", {"id": "1", "title": "Boot", "language": "fr"}, [], None),
    ("nothing", {"id": "1", "title": "Boot"}, [], None),
]


@pytest.mark.parametrize(("row", "options", "expected"), [one[1:] for one in FEEDS], ids=[one[0] for one in FEEDS])
def test_what_says_a_products_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: dict[str, Any], options: list[str], expected: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    filler = {key: "x" if "name" in key else value for key, value in row.items()} | {"id": "2"}
    if "title" not in filler and "name-de_DE" in filler:
        filler = {"id": "2", "name-de_DE": "Schuh", "name-fr_FR": "Chaussure"}
    lines = [row, filler]
    Path("feed.csv").write_text("\n".join([",".join(row), *(",".join(map(str, one.values())) for one in lines)]))
    run("import", "feed.csv", "--category", "shoes", *options)
    with Store.open(STORE) as store:
        assert (store.product("1") or {})["locale"] == expected


def test_it_stays_where_a_file_does_not_say_it_and_a_repeat_counts_for_nothing(shop: FakeEndpoint) -> None:
    Path("prices.csv").write_text("id,price\nd0,12\n")
    run("import", "prices.csv", "--category", "shoes")
    Path("twice.csv").write_text("id,title,locale\nd1,Arden Schuh 1,de\nd1,Arden shoe 1,en\n")
    run("import", "twice.csv", "--category", "shoes")
    with Store.open(STORE) as store:
        assert [(store.product(one) or {})["locale"] for one in ("d0", "d1")] == ["de-AT", "de"]
    with pytest.raises(ReaseqError, match="the code of no language"):
        run("import", "feed.csv", "--category", "shoes", "--locale", "german")


def test_in_python_it_is_a_column_and_goes_into_gold_files(tmp_path: Path, fake: FakeEndpoint) -> None:
    from reaseq.agents.extraction_score import read_gold
    from reaseq.knowledge_store.decisions import Action, decide
    from reaseq.knowledge_store.export import export_gold

    with reaseq.open(tmp_path / "kb", engine="openai", base_url=fake.base_url, model="fake") as kb:
        kb.add_products([{"id": "s", "title": "Arden runner", "description": "A red mesh shoe.", "locale": "en_US"}],
                        category="shoes")  # fmt: skip
        kb.distill("shoes", progress=False)
        claims, *_ = kb.store.knowledge("s")
        decide(kb.store, claims[0]["id"], Action.APPROVE, by="somebody")
        export_gold(kb.store, tmp_path / "gold.jsonl")
    assert [row.locale for row in read_gold(tmp_path / "gold.jsonl")] == ["en-US"]
    (tmp_path / "bad.jsonl").write_text('{"id": "1", "category": "a", "title": "b", "gold": {}, "locale": "dee"}')
    with pytest.raises(ReaseqError, match="line 1: not a gold row: locale 'dee' is the code of no language"):
        list(read_gold(tmp_path / "bad.jsonl"))
