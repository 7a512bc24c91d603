"""A run's split as other toolkits read it: the same cases, whatever ids and texts hold."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import yaml

import reaseq
from reaseq.knowledge_store.atomic_files import token, untoken
from reaseq.ranker.own import of_file
from reaseq.ranker.score import case_scores

ODD = ["a b", 'he said "no"', "tab\there", "line\nbreak", "NA", "None", "100%", "a%20b", "ü 靴", "=1+1", "#N/A", "nan"]
TITLE = 'Boot, 15" "wide"\twith\n«laces» 100% nan'


@pytest.mark.parametrize("text", [*ODD, "", "plain-1", "\u2028", "\x00\x1f"])
def test_tokens_are_read_back(text: str) -> None:
    assert untoken(token(text)) == text
    assert not set(token(text)) & set(' \t\n\r"')


@pytest.fixture(scope="module")
def ranker(tmp_path_factory: pytest.TempPathFactory) -> reaseq.Ranker:
    kb = reaseq.open(tmp_path_factory.mktemp("lab") / "kb", engine="none")
    products = [{"id": one, "title": TITLE, "brand": '"Q" & co', "price": 10.5, "category": "shoes"} for one in ODD] + [
        {"id": f"p{n}", "title": f"Leather shoe {n}", "category": "shoes"} for n in range(20)
    ]
    kb.add_products(products)
    kb.distill("shoes", progress=False)
    ids = [one["id"] for one in kb.products()]
    random = np.random.default_rng(0)
    kb.add_events(
        {"user": f"u {user}", "item": ids[random.integers(len(ids))], "time": 1.7e9 + 86400.5 * day + user}
        for user in range(60)
        for day in sorted(random.choice(300, 12, replace=False).tolist())
    )
    return kb.train_ranker(features=("id",), epochs=1, dim=16, blocks=1, heads=1, progress=False)


def rows(path: Path) -> list[dict[str, str]]:
    """An atomic file's, which a reader that minds quotes and one that does not must read alike."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").removesuffix("\n").split("\n")]
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file, delimiter="\t")) == lines
    assert all(len(line) == len(lines[0]) for line in lines)
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def the_cases(ranker: reaseq.Ranker) -> Any:
    return ranker._opened.prepared.data.split.test


def test_atomic_files(ranker: reaseq.Ranker, tmp_path: Path) -> None:
    folder = tmp_path / "shoes"
    written = ranker.export_split(folder, "recbole")
    assert {one.name for one in folder.iterdir()} == {*written, "about.json"}
    log, cases = ranker._opened.prepared.dataset.log, the_cases(ranker)
    train = rows(folder / "shoes.train.inter")
    assert [tuple(map(untoken, list(row.values())[:2])) for row in train] == [
        (event["user_id"], event["product_id"]) for event in ranker.training_events()
    ]
    assert [float(row["timestamp:float"]) for row in train] == [event["at"] for event in ranker.training_events()]
    tested = rows(folder / "shoes.test.seq.inter")
    assert [untoken(row["item_id:token"]) for row in tested] == [log.items[one] for one in cases.targets]
    for row, case in zip(tested, cases.owner.tolist(), strict=True):
        history = cases.history.select(np.array([case])).items[-50:]
        assert [untoken(one) for one in row["item_id_list:token_seq"].split(" ")] == [log.items[one] for one in history]
        assert untoken(row["user_id:token"]) == log.users[cases.users[case]]
    plain = rows(folder / "shoes.test.inter")
    assert [row["item_id:token"] for row in plain] == [row["item_id:token"] for row in tested]
    cuts = ranker._opened.prepared.config.cuts
    assert cuts is not None
    assert all(float(row["timestamp:float"]) >= cuts[1] for row in plain)
    prefixes = rows(folder / "shoes.train.seq.inter")
    assert len(prefixes) == len(train) - len({row["user_id:token"] for row in train})
    items = {untoken(row["item_id:token"]): row for row in rows(folder / "shoes.item")}
    assert set(items) == set(ranker.products)
    assert " ".join(map(untoken, items["a b"]["title:token_seq"].split(" "))) == " ".join(TITLE.split())
    assert (untoken(items["a b"]["brand:token"]), items["a b"]["price:float"]) == ('"Q" & co', "10.5")
    assert "leather" in items["p3"]["upper_material:token_seq"].split(" ")
    config = yaml.safe_load((folder / "shoes.seq.yaml").read_text())
    for name in config["benchmark_filename"]:
        head = (folder / f"shoes.{name}.inter").read_text().partition("\n")[0].split("\t")
        assert [one.partition(":")[0] for one in head] == config["load_col"]["inter"]
    # Users' vectors times items' are the scores of what is not in the history.
    users, vectors = (
        np.array([[float(one) for one in list(row.values())[1].split(" ")] for row in rows(folder / f"shoes.{name}")])
        for name in ("useremb", "itememb")
    )
    fitted = ranker._opened.models["id"][0]
    expected = case_scores(fitted.model, fitted.vectors(), cases.history)(0, len(cases)).numpy()
    fresh = np.ones_like(expected, bool)
    fresh[cases.history.owner, cases.history.items] = False
    fresh &= expected > -1e8
    np.testing.assert_allclose((users @ vectors.T)[fresh], expected[fresh], atol=1e-3)
    about = json.loads((folder / "about.json").read_text())
    assert (about["run"], about["log_is_that_of_the_training"], about["test_cases"]) == (ranker.run, True, len(cases))


def test_tables(ranker: reaseq.Ranker, tmp_path: Path) -> None:
    written = ranker.export_split(tmp_path / "tables")
    ranker.export_split(tmp_path / "csv", "csv")
    for name in written:
        table = pq.read_table(tmp_path / "tables" / name)
        same = pacsv.read_csv(
            (tmp_path / "csv" / name).with_suffix(".csv"), parse_options=pacsv.ParseOptions(newlines_in_values=True)
        )
        for column in {"user_id", "item_id", "id", "feature", "value", "title"} & set(table.column_names):
            assert same[column].to_pylist() == table[column].to_pylist()
    train = pq.read_table(tmp_path / "tables" / "interactions.parquet")
    assert train.column_names == ["user_id", "item_id", "weight", "datetime"]
    learnt = ranker.training_events().to_arrow()
    assert train["item_id"] == learnt["product_id"]
    assert [at.timestamp() for at in train["datetime"].to_pylist()[:1]]
    cases, log = the_cases(ranker), ranker._opened.prepared.dataset.log
    tested = pq.read_table(tmp_path / "tables" / "test_targets.parquet").to_pylist()
    assert [(row["user_id"], row["item_id"]) for row in tested] == [
        (log.users[cases.users[case]], log.items[item]) for case, item in zip(cases.owner, cases.targets, strict=True)
    ]
    features = pq.read_table(tmp_path / "tables" / "item_features.parquet").to_pylist()
    assert {"id": "a b", "feature": "brand", "value": '"Q" & co'} in features
    with pytest.raises(reaseq.ReaseqError, match="no such layout: 'xml'"):
        ranker.export_split(tmp_path, "xml")  # type: ignore[arg-type]
    (tmp_path / "file").touch()
    with pytest.raises(reaseq.ReaseqError, match="file"):
        ranker.export_split(tmp_path / "file")


def test_scores_come_back_as_tokens_and_as_other_toolkits_call_them(ranker: reaseq.Ranker, tmp_path: Path) -> None:
    """What the bundled ranker scores, by way of a file such as RecBole's or RecTools' users write, is what it is."""
    log, cases = ranker._opened.prepared.dataset.log, the_cases(ranker)
    fitted = ranker._opened.models["id"][0]
    scores = case_scores(fitted.model, fitted.vectors(), cases.history)(0, len(cases)).numpy().astype(float)
    for name, written in (("tokens", token), ("plain", str)):
        path = tmp_path / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["user_id", "item_id", "score", "rank"])
            for case, user in enumerate(cases.users):
                writer.writerows(
                    [written(log.users[user]), written(item), repr(score), 1]
                    for item, score in zip(log.items, scores[case].tolist(), strict=True)
                )
        own, said = of_file(name, path, log.users, log.items)
        assert said == f"{name}: {scores.size:,} of {scores.size:,} scores used, of {len(cases):,} users"
        rows = {row.name: row for row in ranker._opened.judge({name: own}).rows}
        assert rows[name].metrics == rows["id"].metrics
