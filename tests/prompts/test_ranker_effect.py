"""`reaseq prompts compare --ranker`: what the changed knowledge does to a run's test cases, with nothing written."""

import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.graphs import ranker_effect
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.log import Imagined, Sequences
from reaseq.knowledge_store.store import Store
from reaseq.prompts.library import BUNDLED
from reaseq.ranker.split import Cases

STORE = "sqlite:///.reaseq/store.sqlite"
COMPARE = ["prompts", "compare", "bundled", "mine/verifier.yaml", "--category", "shoes", "--sample", "40"]
TRAIN = ["--epochs", "3", "--set", "dim=16", "--set", "blocks=1", "--set", "heads=1"]


class Words:
    """An encoder that knows words, each by its hash: no weights are there."""

    name, fingerprint, dimensions = "words", "words", 32

    def __init__(self, *_: Any) -> None: ...

    def encode(self, texts: Any, **_: Any) -> Any:
        made = np.zeros((len(texts), 32), np.float32)
        for row, text in zip(made, texts, strict=True):
            for word in text.casefold().split():
                row += np.random.default_rng(sum(map(ord, word))).standard_normal(32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


class Others(Words):
    fingerprint = "others"


def run(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result


def as_json(*arguments: str, status: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(run(*arguments, "--json", status=status).stdout)
    return made


def encoding_by(kind: type[Words], patch: pytest.MonkeyPatch) -> None:
    for where in ("knowledge_store.encoder", "graphs.ranker_effect", "graphs.teaching"):
        patch.setattr(f"reaseq.{where}.Encoder", kind)
    patch.setattr("reaseq.llm.encoders.resolve", lambda *_: ("words", ""))


def log(users: int) -> str:
    draw = random.Random(3)
    lines = ["user_id,product_id,timestamp"]
    for user in range(users):
        first = draw.randrange(40)
        for step in range(6):
            lines.append(
                f"u{user},made-{(first + step * draw.choice((1, 3))) % 40 + 1:06},{1_700_000_000 + step * 3600}"
            )
    return "\n".join(lines)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as fake:
        yield fake


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, endpoint: FakeEndpoint) -> Path:
    """A folder with forty shoes that are distilled and embedded, a log, and a run of two seeds that knows them."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        encoding_by(Words, patch)
        Path("reaseq.toml").write_text(f'engine = "openai"\nbase_url = "{endpoint.base_url}"\nmodel = "fake"\n')
        with Store.open(STORE) as store:
            fill(store, 40)
        run("distill", "--category", "shoes")
        Path("log.csv").write_text(log(60))
        run("import-events", "log.csv")
        run("embed")
        run("train-ranker", "--features", "id,knowledge", "--split", "leave-one-out", "--seeds", "2", *TRAIN)
        (made,) = Path("runs").iterdir()
        made.rename("runs/known")
        run("train-ranker", "--features", "id", "--split", "leave-one-out", *TRAIN)
        (other,) = [one for one in Path("runs").iterdir() if one.name != "known"]
        other.rename("runs/plain")
        Path("mine").mkdir()
        text = (BUNDLED / "verifier.yaml").read_text().replace("You check", "You carefully check")
        Path("mine/verifier.yaml").write_text(text)
    return folder


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: Path) -> Path:
    """A copy of it."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    encoding_by(Words, monkeypatch)
    return tmp_path


def ndcg() -> tuple[int, float]:
    """Of the run as `reaseq evaluate` says it."""
    said = as_json("evaluate", "known")
    (row,) = [one for one in said["rows"] if one["name"] == "id+knowledge"]
    return said["cases"], row["metrics"]["NDCG@10"]["mean"]


def files(folder: Path) -> dict[str, str]:
    return {str(one): hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file()}


def test_it_is_what_would_come_of_it_and_nothing_is_written(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs_before = files(Path("runs"))
    with Store.open(STORE) as store:
        space = embeddings.find_space(store)
        assert space is not None
        ids, vectors = embeddings.load_vectors(store, space)
        known = [store.knowledge(one) for one in ids]
    made = as_json(*COMPARE, "--ranker", "known", "--out", "page.html")
    told = made["ranker"]
    cases, before = ndcg()
    assert (told["run"], told["variant"], told["metric"], told["seeds"]) == ("known", "id+knowledge", "NDCG@10", 2)
    assert (told["cases"], told["before"]) == (cases, pytest.approx(before))
    assert (told["read"], told["in_log"]) == (40, 40)
    assert 0 < told["changed"] <= 40
    assert 0 < told["touched"] <= cases
    assert told["low"] <= told["difference"] <= told["high"]
    assert 0 < told["p"] <= 1
    assert told["difference"] == pytest.approx(told["after"] - told["before"])
    assert files(Path("runs")) == runs_before
    with Store.open(STORE) as store:
        after = embeddings.find_space(store)
        assert after is not None
        assert after.whitening is not None
        assert space.whitening is not None
        assert (after.id, after.whitening.to_bytes()) == (space.id, space.whitening.to_bytes())
        again, now = embeddings.load_vectors(store, space)
        assert (again, now.tolist()) == (ids, vectors.tolist())
        assert [store.knowledge(one) for one in ids] == known
    page = Path("page.html").read_text()
    assert "What it does to the ranker" in page
    assert f"{told['difference']:+.4f}" in page
    # The same, as it comes of adopting the edit.
    monkeypatch.setenv("REASEQ_PROMPTS_DIR", "mine")
    run("distill", "--category", "shoes")
    run("embed")
    assert told["after"] == pytest.approx(ndcg()[1])
    assert told["after"] != told["before"]


def test_people_are_told_in_a_table_and_in_words(there: Path) -> None:
    text = run(*COMPARE, "--ranker", "kno").stdout
    assert "Run known, not trained anew" in text
    assert "touch a changed product" in text
    assert "of the 40 products read are in the log of run known (id+knowledge)" in text
    assert "permutation p" in text


def test_what_people_decided_stays(there: Path) -> None:
    """Where everything that the edit changes is decided already, the ranker sees no change."""
    from reaseq.knowledge_store.decisions import Action, decide

    with Store.open(STORE) as store:
        for one in store.product_ids():
            for claim in store.knowledge(one)[0]:
                decide(store, claim["id"], Action.APPROVE, by="somebody")
    made = as_json(*COMPARE, "--ranker", "known")
    assert made["differences"]
    assert made["ranker"]["changed"] == 0
    assert (made["ranker"]["difference"], made["ranker"]["p"], made["ranker"]["touched"]) == (0, 1, 0)
    assert any("its scores stay as they are" in note for note in made["notes"])


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (["--ranker", "plain"], Words, "run plain does not look at what is known of products (its features: id)"),
        (["--ranker", "nothing"], Words, "no finished run 'nothing'"),
        (["--ranker", "known"], Others, "another state of words"),
        (["--ranker", "known", "--gold", "gold.jsonl"], Words, "rows of a gold file are none"),
    ],
)
def test_what_cannot_be_judged_costs_nothing(
    there: Path, monkeypatch: pytest.MonkeyPatch, endpoint: FakeEndpoint, arguments: list[str], kind: Any, said: str
) -> None:
    encoding_by(kind, monkeypatch)
    asked = endpoint.stats().requests
    with pytest.raises(ReaseqError) as error:
        run(*COMPARE, *arguments)
    assert said in str(error.value)
    assert error.value.hint
    assert endpoint.stats().requests == asked


def test_interrupted_while_the_ranker_is_judged_all_else_is_told(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ranker_effect.Judge, "effect", interrupted)
    made = as_json(*COMPARE, "--ranker", "known", "--out", "page.html", status=130)
    assert made["differences"]
    assert (made["ranker"], made["ranker_left_out"]) == (None, "it was interrupted")
    assert "The ranker was not judged: it was interrupted." in Path("page.html").read_text()


def test_which_cases_touch_a_changed_product() -> None:
    """Four cases of one event and one target each; what is imagined stands after the third one's event."""
    imagined = Imagined(np.array([-1, -1, 0, -1]), np.array([[5, -1]]), np.zeros((1, 2), np.float32))
    history = Sequences(np.arange(5), np.array([0, 1, 2, 3]), np.zeros(4), imagined)
    cases = Cases(np.arange(4), history, np.arange(5), np.array([6, 7, 6, 6]))
    for changed, expected in (([], []), ([0], [0]), ([7], [1]), ([5], [2]), ([6], [0, 2, 3]), ([4], [])):
        found = ranker_effect._touched(cases, np.array(changed, np.int64), 8)
        assert np.flatnonzero(found).tolist() == expected
