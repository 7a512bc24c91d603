"""From a catalogue and a log to recommendations, as people type it."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from reaseq import ReaseqError
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.knowledge_store import embeddings, samples
from reaseq.knowledge_store.events import history, read_events
from reaseq.knowledge_store.store import Store
from reaseq.ranker import runs
from reaseq.ranker.scorer import Scorer

Run = Callable[..., str]
MODELS = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models")).resolve()
QUICK = ("--set", "dim=32", "--set", "blocks=1", "--set", "heads=2", "--set", "dropout=0.1")


@pytest.fixture
def logged(run: Run) -> Run:
    """`run`, in a folder with the sample catalogue and its log."""
    run("import", "--sample")
    output = run("import-events", "--sample")
    assert "│ new events │ 4,701 │" in output
    return run


def fake_embeddings(store: Store) -> None:
    """Vectors that say what the products' titles share: words, hashed. No model is loaded."""
    space = embeddings.open_space(store, "words", "words", 64)
    texts = list(embeddings.texts(store))
    vectors = np.zeros((len(texts), 64))
    for row, text in zip(vectors, texts, strict=True):
        for word in text.text.casefold().split():
            row += np.random.default_rng(sum(map(ord, word))).standard_normal(64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embeddings.save_vectors(store, space, texts, vectors)
    embeddings.fit_whitening(store, space)


def test_events_commands(logged: Run) -> None:
    assert "│ there already │ 4,701 │" in logged("import-events", "--sample")
    output = logged("events", "stats")
    assert "│ users │ 400 │" in output
    assert "2025-06" in output
    assert "FS-1001" in logged("events", "show", "--user", "u003") + logged("events", "show", "--user", "u001")
    with pytest.raises(ReaseqError, match="no events of user 'nobody'"):
        logged("events", "show", "--user", "nobody")


def test_from_log_to_recommendations(logged: Run) -> None:
    with Store.open("sqlite:///.reaseq/store.sqlite") as store:
        fake_embeddings(store)
        user = "u001"
        had = {event["product_id"] for event in history(store, user)}
    output = logged("train-ranker", "--ablate", "--epochs", "6", *QUICK)
    for line in ("id", "knowledge", "id+knowledge", "popularity", "item-kNN", "EASE", "Markov"):
        assert f"│ {line}" in output
    assert "split: temporal" in output
    (folder,) = Path("runs").iterdir()
    for name in ("config.json", "metrics.json", "report.html", "id+knowledge/seed-0/model.safetensors"):
        assert (folder / name).is_file(), name
    assert list((folder / "id" / "seed-0").glob("events.out.tfevents*"))
    page = (folder / "report.html").read_text()
    assert "<h2>Metrics</h2>" in page
    assert re.search(r"<p>Best by NDCG@10: \S.*; of the (baselines|trained models) it is \S", page)
    assert "Trained with: features id, knowledge; split temporal;" in page
    assert "; epochs 6;" in page

    # The same command finds everything done; evaluation says the same again.
    weights = (folder / "id" / "seed-0" / "model.safetensors").stat().st_mtime_ns
    again = logged("train-ranker", "--ablate", "--epochs", "6", *QUICK)
    assert (folder / "id" / "seed-0" / "model.safetensors").stat().st_mtime_ns == weights
    tables = [text[text.index("400 users") : text.index("│ EASE")] for text in (output, again, logged("evaluate"))]
    assert tables[0] == tables[1] == tables[2]

    told = logged("recommend", "--user", user, "-k", "5")
    assert "because of" in told
    assert "in common: " in told
    new = logged("recommend", "--user", user, "-k", "5", "--new-only")
    assert not [product for product in had if f"│ {product} │" in new]
    Path("ids.txt").write_text("OK-2001\nFS-1001\n\nOK-2001\n")
    ranked = logged("rank", "--user", user, "--candidates", "ids.txt")
    assert "│ 2 │" in ranked
    assert "│ 3 │" not in ranked
    assert re.search(r"By run [0-9a-f]{10}\.", ranked)
    Path("ids.txt").write_text("OK-2001\nnothing\n")
    told = logged("rank", "--user", user, "--candidates", "ids.txt")
    assert "1 candidates are not in the catalogue, or the model knows nothing of them: nothing" in told
    assert "OK-2001" in told
    Path("ids.txt").write_text("nothing\n")
    with pytest.raises(ReaseqError, match="not in the catalogue: nothing"):
        logged("rank", "--user", user, "--candidates", "ids.txt")
    assert "no event of the user counts" in " ".join(logged("recommend", "--user", "nobody").split())
    assert "The log knows nothing of the user 'nobody'" in logged("rank", "--user", "nobody")


@pytest.mark.trial
def test_the_server_of_the_docs_says_what_the_scorer_says(logged: Run) -> None:
    for needed in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    logged("train-ranker", "--features", "id", "--epochs", "2", *QUICK)
    assert "ranker.onnx, ranker.onnx.npz, ranker.onnx.json" in logged("export-ranker", "ranker.onnx")
    page = (Path(__file__).resolve().parents[2] / "docs" / "ranker.md").read_text()
    served: dict[str, Any] = {}
    exec(page.partition("## Serving it elsewhere")[2].partition("```python\n")[2].partition("```")[0], served)
    folder = runs.find(Path("runs"), None)
    with Store.open("sqlite:///.reaseq/store.sqlite") as store:
        scorer = Scorer.open(runs.model_folder(folder), store)
        expected = scorer.scores([{"product_id": product, "at": at} for product, at in served["history"]])
    np.testing.assert_allclose(served["scores"], expected, atol=1e-4, rtol=0)
    assert len(served["best"]) == 10
    told = json.loads(Path("ranker.onnx.json").read_text())
    assert told["run"] == folder.name
    assert re.fullmatch("[0-9a-f]{16}", told["dataset"])


def test_a_split_goes_out_and_scores_come_back(logged: Run) -> None:
    logged("train-ranker", "--features", "id", "--epochs", "1", *QUICK)
    assert "│ shoes.test.seq.inter │" in logged("export-split", "shoes", "--for", "recbole")
    assert "│ interactions.csv │" in logged("export-split", "lab", "--for", "csv")
    with Path("lab/test_targets.csv").open(newline="") as file:
        wanted = list(csv.DictReader(file))
    lines = [f"{row['user_id']},{row['item_id']},1" for row in wanted]
    Path("mine.csv").write_text("\n".join(["user_id,item_id,score", *lines]))
    assert re.search(r"│ mine │ 1.0000 │", logged("evaluate", "--scores", "mine.csv"))  # who knows the targets
    with pytest.raises(ReaseqError, match="--for 'xml': there are recbole, parquet, csv"):
        logged("export-split", "lab", "--for", "xml")


def test_users_of_a_file_histories_and_json(logged: Run) -> None:
    Path("new.csv").write_text("sku,title,barcode\nV-1,Clog,4006381333931\n")
    logged("import", "new.csv", "--category", "shoes")
    Path("more.csv").write_text("user_id,item,time,kind\nu900,V-1,2025-05-01T10:00:00Z,view\n")
    logged("import-events", "more.csv")
    logged("train-ranker", "--features", "id", "--epochs", "1", *QUICK)

    def lines(*arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in CliRunner().invoke(app, list(arguments)).stdout.splitlines()]

    Path("users.txt").write_text("u001\nu003\nnobody\nu001\n")
    Path("ids.txt").write_text("4006381333931.0\nOK-2001\nnothing\nFS-1001\n")
    many = ("--users-file", "users.txt")
    ranked = lines("rank", *many, "--candidates", "ids.txt", "--json")
    assert [one["user_id"] for one in ranked] == ["u001", "u003", "nobody"]
    assert {one["product_id"] for one in ranked[0]["products"]} == {"V-1", "OK-2001", "FS-1001"}
    assert ranked[0]["unknown"] == ["nothing"]
    assert (ranked[0]["history"] > 0, ranked[2]["history"]) == (True, 0)
    alone = lines("rank", "--user", "u003", "--candidates", "ids.txt", "--json")[0]
    assert [one["product_id"] for one in alone["products"]] == [one["product_id"] for one in ranked[1]["products"]]
    table = logged("rank", *many, "--candidates", "ids.txt", "-k", "1")
    assert re.search(r"┃ user +┃ rank ┃.*│ u001 +│ 1 ", table)
    assert "The log knows nothing of the user 'nobody'" in table
    told = lines("recommend", *many, "-k", "2", "--json")
    assert [len(one["products"]) for one in told] == [2, 2, 2]
    assert told[0]["products"][0]["reason"]
    session = lines("recommend", "--history", "FS-1001", "--history", "4006381333931", "-k", "3", "--json")[0]
    assert (session["user_id"], session["history"], len(session["products"])) == (None, 2, 3)
    best = session["products"][0]
    history = ("--history", "FS-1001", "--history", "V-1")
    (why,) = lines("explain", best["product_id"], *history, "--json")[0]["products"]
    assert why["rank"] == 1
    every = [one["product_id"] for one in lines("rank", *history, "-k", "100", "--json")[0]["products"]]
    several = lines("explain", every[9], every[0], every[4], *history, "--json")[0]["products"]
    assert [(one["rank"], one["product_id"]) for one in several] == [(at + 1, every[at]) for at in (0, 4, 9)]
    assert (why["reason"], why["score"]) == (best["reason"], pytest.approx(best["score"], abs=1e-4))
    assert best["product_id"] in logged("explain", best["product_id"], *history)
    assert best["product_id"] in logged("rank", *history)
    Path("mine.csv").write_text("user_id,product_id,score\nu001,4006381333931,1\n")
    outcome = lines_joined("evaluate", "--scores", "mine.csv", "--json")
    assert [row["name"] for row in outcome["rows"]][:2] == ["id", "mine"]
    for wrong, said in (
        ((), "one of --user, --users-file, --history says for whom; there is none"),
        (("--user", "u001", "--history", "V-1"), "there is --user and --history"),
        (("--history", "nothing"), "not in the catalogue: nothing"),
        (("--users-file", "none.txt"), r"none\.txt: .*No such file"),
    ):
        with pytest.raises(ReaseqError, match=said):
            logged("recommend", *wrong)
    Path("users.txt").write_text("\n")
    with pytest.raises(ReaseqError, match=r"users\.txt names no user"):
        logged("rank", *many)


def lines_joined(*arguments: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(CliRunner().invoke(app, list(arguments)).stdout)
    return made


def test_impressions_are_learnt_from_and_judged_by(run: Run) -> None:
    run("import", "--sample")
    with samples.SHOE_EVENTS.open(encoding="utf-8", newline="") as file:
        events = [row for row in csv.DictReader(file) if row["event"] == "view"]
    products = sorted({row["sku"] for row in events})
    random = np.random.default_rng(0)
    lines = ["user,item,time,kind,impressions"]
    for row in events:
        shown = " ".join(random.choice(products, 4))
        lines.append(f"{row['user_id']},{row['sku']},{row['timestamp']},click,{shown}")
    Path("log.csv").write_text("\n".join(lines))
    run("import-events", "log.csv")
    assert "│ impression │" in run("events", "stats")
    output = run("train-ranker", "--features", "id", "--epochs", "8", *QUICK)
    assert "GAUC" in output
    judged = json.loads(next(Path("runs").glob("*/metrics.json")).read_text())["rows"][0]["impressions"]
    assert judged["AUC"] > 0.7
    assert judged["ECE"] < 0.2
    assert judged["logloss"] < 0.5
    Path("mine.csv").write_text(f"user_id,product_id,score\n{events[0]['user_id']},{events[0]['sku']},1\n")
    beside = run("evaluate", "--scores", "mine.csv")
    assert "mine: 1 of 1 scores used, of 1 users" in beside
    assert re.search(r"│ mine +│", beside)
    # What came later an id-only model knows nothing of.
    Path("new.csv").write_text("sku,title\nNEW-1,Clog\n")
    run("import", "new.csv", "--category", "shoes")
    told = run("recommend", "--user", events[0]["user_id"], "-k", "1000")
    assert "NEW-1" not in told
    assert events[0]["sku"] in told
    assert re.search(r"\d+ products are left out: the model has neither seen them in the log nor knows", told)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "dims=3"], "dims: no such setting"),
        (["--set", "dropout=2"], "dropout: Input should be less than 1"),
        (["--set", "dim"], "must be KEY=VALUE"),
        (["--features", "colour"], "features: 'colour' is none of 'id', 'knowledge' or 'beyond_log'"),
        (["--split", "random"], "--split"),
        (["--features", "id,knowledge"], "no product has an embedding yet"),
        (["--kind", "refund"], "no behaviour to learn from of the kinds refund"),
    ],
)
def test_what_is_wrong_is_said(logged: Run, arguments: list[str], said: str) -> None:
    with pytest.raises(ReaseqError, match=said):
        logged("train-ranker", *arguments)


@pytest.mark.slow
@pytest.mark.trial
def test_two_processes_from_the_command_line(logged: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reaseq.cli.main", "train-ranker", "--nproc", "2", "--features", "id"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [*command, "--epochs", "2", *QUICK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("Report: runs/") == 1  # only the first process speaks
    assert "│ id " in logged("evaluate")


def test_a_run_of_some_kinds_of_events_scores_by_those(logged: Run) -> None:
    logged(
        "train-ranker", "--features", "id", "--kind", "purchase", "--split", "leave-one-out", "--epochs", "1", *QUICK
    )
    with Store.open("sqlite:///.reaseq/store.sqlite") as store:
        scorer = Scorer.open(runs.model_folder(runs.find(Path("runs"), None)), store)
        users = {
            user
            for batch in read_events(store)
            for user, kind in zip(batch[0], batch[3], strict=True)
            if kind != "view"
        }
        for user in sorted(users)[:20]:
            assert {event["kind"] for event in scorer.history(user)} == {"purchase"}


@pytest.mark.parametrize("command", [["evaluate"], ["rank", "--user", "u"], ["recommend", "--user", "u"]])
def test_without_a_run(run: Run, command: list[str]) -> None:
    with pytest.raises(ReaseqError, match="no finished run") as error:
        run(*command)
    assert error.value.hint == "reaseq train-ranker"


def test_training_needs_a_log(run: Run) -> None:
    run("import", "--sample")
    with pytest.raises(ReaseqError, match="no behaviour to learn from"):
        run("train-ranker")


@pytest.mark.embedded
def test_a_cold_product_is_ranked_without_retraining(
    run: Run, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Products that come after the training, distilled and embedded for real, are ranked far above chance."""
    monkeypatch.setenv("REASEQ_MODELS_DIR", str(MODELS))
    monkeypatch.setenv("REASEQ_ENGINE", "openai")
    monkeypatch.setenv("REASEQ_MODEL", "fake")
    monkeypatch.setenv("REASEQ_BASE_URL", fake.base_url)
    with samples.SHOES.open(encoding="utf-8", newline="") as file:
        products = list(csv.DictReader(file))
    with samples.SHOE_EVENTS.open(encoding="utf-8", newline="") as file:
        events = list(csv.DictReader(file))
    often: dict[str, int] = {}
    for event in events:
        often[event["sku"]] = often.get(event["sku"], 0) + 1
    popular = sorted(often, key=lambda sku: -often[sku])
    cold = set(popular[4:28:3])

    def write(name: str, rows: list[dict[str, str]]) -> None:
        with Path(name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    write("first.csv", [row for row in products if row["sku"] not in cold])
    write("events.csv", events)
    run("import", "first.csv", "--category", "shoes")
    output = run("import-events", "events.csv")
    assert f"of unknown products │ {sum(often[sku] for sku in cold):,} │" in output
    run("distill", "--category", "shoes")
    run("embed")
    run("train-ranker", "--features", "id,knowledge", "--split", "leave-one-out", "--epochs", "12", *QUICK)

    write("second.csv", [row for row in products if row["sku"] in cold])
    run("import", "second.csv", "--category", "shoes")
    output = run("distill", "--category", "shoes")
    assert f"{len(cold)} done, 0 failed" in output
    assert f"│ {len(cold)} │" in run("embed")
    with Store.open("sqlite:///.reaseq/store.sqlite") as store:
        scorer = Scorer.open(runs.model_folder(runs.find(Path("runs"), None)), store)
        places = []
        by_user: dict[str, list[dict[str, str]]] = {}
        for event in events:
            by_user.setdefault(event["user_id"], []).append(event)
        for user, mine in by_user.items():
            last = mine[-1]["sku"]
            had = history(store, user, 50)
            if last in cold and had:
                scores = scorer.scores(had)
                places.append(float((scores > scores[scorer.number[last]]).mean()))
    assert len(places) > 30
    assert np.mean(places) < 0.35  # chance: 0.5
