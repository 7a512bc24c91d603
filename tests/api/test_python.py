"""reaseq from Python: what stands in docs/python.md, in scripts, threads and running event loops."""

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from pydantic import BaseModel

import reaseq
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.knowledge_store import samples
from reaseq.ranker.own import of_file

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = [
    {"id": "1", "title": "Kea trail running shoe, waterproof, leather upper", "price": 90.0, "category": "shoes"},
    {"id": "2", "title": "Fenn hiking boot with rubber sole <b>", "price": 120.0, "category": "shoes"},
]


@pytest.fixture
def kb(tmp_path: Path) -> reaseq.KnowledgeBase:
    return reaseq.open(tmp_path / "kb", engine="none")


def in_docs(heading: str, which: int = 1) -> str:
    """A Python block below a heading of docs/python.md, by default the first."""
    _, found, page = (ROOT / "docs" / "python.md").read_text().partition(f"# {heading}\n")
    assert found
    return re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[which - 1]  # type: ignore[no-any-return]


def test_the_scripts_of_the_docs_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for heading in ("Frames in, claims out", "A ranker of your own"):
        script = in_docs(heading)
        assert len([line for line in script.splitlines() if line.strip()]) <= 16
        exec(compile(script, heading, "exec"), {"__name__": "script"})
    assert "'most bought': '0." in capsys.readouterr().out


def test_the_script_with_an_own_agent_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fake: FakeEndpoint
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REASEQ_BASE_URL", fake.base_url)
    example = ROOT / "examples" / "compliance"
    shutil.copy(example / "supplements.csv", tmp_path)
    prompt = (example / "compliance_checker.yaml").read_text().replace("name: compliance_checker", "name: forbidden")
    (tmp_path / "forbidden.yaml").write_text(prompt)
    script = in_docs("An agent of your own")
    assert len([line for line in script.splitlines() if line.strip()]) <= 16
    exec(compile(script, "script.py", "exec"), {"__name__": "script"})
    with reaseq.open("kb") as kb:
        assert {row["model"] for row in kb.store.usage() if row["agent"] == "verifier"} == {"gpt-4o"}
        assert {row["model"] for row in kb.store.usage() if row["agent"] == "forbidden"} == {"gpt-4o-mini"}


def test_the_public_names_are_documented() -> None:
    """A change of the surface is a change of this list, of docs/python.md, and of the changelog."""
    assert reaseq.__all__ == [
        *("Agent", "Claim", "Frame", "KnowledgeBase", "OwnProduct", "Pipeline", "Product", "Progress", "Ranker"),
        *("ReaseqError", "Recommendation", "agent", "open"),
    ]
    page = (ROOT / "docs" / "python.md").read_text()
    for owner in (reaseq.KnowledgeBase, reaseq.Ranker, reaseq.Frame):
        methods = [name for name, one in vars(owner).items() if callable(one) and not name.startswith("_")]
        assert [name for name in methods if f"`{name}" not in page and f".{name}(" not in page] == []
        assert all(vars(owner)[name].__doc__ or name in ("close", "to_arrow") for name in methods)


def test_importing_loads_nothing_heavy() -> None:
    code = "import reaseq, sys; print(sorted({'torch', 'pydantic', 'sqlalchemy', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def frames() -> list[Any]:
    table = pa.table({name: [one[name] for one in PRODUCTS] for name in PRODUCTS[0]})

    class Arrow:
        """Whatever has the Arrow interface."""

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return table.__arrow_c_stream__(requested_schema)

    return [PRODUCTS, (one for one in PRODUCTS), table, Arrow()]


@pytest.mark.parametrize("number", range(4))
def test_products_of_frames_and_records(kb: reaseq.KnowledgeBase, number: int) -> None:
    report = kb.add_products(frames()[number])
    assert (report.new, report.set_aside) == (2, 0)
    assert [one["price"] for one in kb.products()] == [90, 120]
    assert kb.add_products(PRODUCTS).unchanged == 2


def test_columns_that_are_called_alike(kb: reaseq.KnowledgeBase) -> None:
    columns = [pa.array(["1"]), pa.array(["Real title"]), pa.array(["Second title"])]
    kb.add_products(pa.Table.from_arrays(columns, names=["id", "title", "title"]))
    assert kb.product("1").texts == {"title": "Real title", "attributes.title 2": "Second title"}


def test_records_of_numpy(kb: reaseq.KnowledgeBase) -> None:
    record = {
        "id": np.int64(5),
        "title": "Boot",
        "price": np.float32(9.5),
        "sizes": np.array([1, 2]),
        7: np.bool_(True),
    }
    assert kb.add_products([record]).new == 1
    assert kb.product("5").title == "Boot"
    event = {"user": np.int64(3), "item": np.int64(5), "timestamp": np.datetime64("2025-01-05T10:00:00")}
    assert kb.add_events([event]).events == 1
    assert next(iter(kb.events()))["at"] == 1736071200


def test_a_script_without_a_guard_distills_thousands(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import reaseq\n"
        f"kb = reaseq.open({str(tmp_path / 'kb')!r}, engine='none')\n"
        "kb.add_products({'id': f'k{i}', 'title': f'Red leather shoe {i}'} for i in range(1100))\n"
        "kb.store.categorise({f'k{i}': 'shoes' for i in range(1100)}, by='person')\n"
        "print(kb.distill('shoes', progress=False).counts.done)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout == "1100\n"


def test_what_is_no_feed_is_told(kb: reaseq.KnowledgeBase) -> None:
    with pytest.raises(reaseq.ReaseqError, match="no rows can be read from 3") as caught:
        kb.add_products(3)
    assert caught.value.__notes__ == [
        "Next: give the path of a file, a data frame (pandas, polars, Arrow), or dictionaries, one a row"
    ]
    with pytest.raises(reaseq.ReaseqError, match="enginee: no such setting"):
        reaseq.open("kb", enginee="none")


def test_knowledge_is_distilled_shown_and_decided(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(PRODUCTS)
    told: list[tuple[str, int, int]] = []
    outcome = kb.distill("shoes", progress=lambda *step: told.append(step))
    assert (outcome.status, outcome.counts.done, told[-1]) == ("done", 2, ("reading by code", 2, 2))
    claims = kb.claims("shoes", status="verified")
    material = next(one for one in claims if one["attribute"] == "upper_material")
    assert PRODUCTS[0]["title"][material["start"] : material["end"]] == material["quote"] == "leather"  # type: ignore[index]
    product = kb.product("1")
    assert product.known["upper_material"] == ["leather"]
    page = product._repr_html_()
    assert '<mark title="upper_material: leather">leather</mark>' in page
    assert "<b>" not in kb.product("2")._repr_html_().replace("<b>title</b>", "")
    assert "&lt;b&gt;" in kb.products()._repr_html_()
    kb.decide(material, "edit", "suede", by="ann")
    assert kb.product(1).known["upper_material"] == ["suede"]
    with pytest.raises(reaseq.ReaseqError, match="is rejected already"):
        kb.decide(material, "edit", "mesh")
    with pytest.raises(reaseq.ReaseqError, match="no such status: 'verifed'"):
        kb.claims(status="verifed")
    with pytest.raises(reaseq.ReaseqError, match="no products of category 'shose'"):
        kb.claims("shose")
    other = next(one for one in kb.claims() if one["product_id"] == "2")
    with pytest.raises(reaseq.ReaseqError, match="no such action: 'eat'"):
        kb.decide(other, "eat")
    with pytest.raises(reaseq.ReaseqError, match="an edit, and nothing else"):
        kb.decide(other, "approve", "x")
    with pytest.raises(reaseq.ReaseqError, match="does not take 'cheese'"):
        kb.decide(next(one for one in kb.claims() if one["attribute"] == "shoe_type"), "edit", "cheese")


def test_it_runs_within_a_loop_in_a_thread_and_as_a_coroutine(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(PRODUCTS)

    async def as_in_a_notebook() -> int:
        return kb.distill("shoes", progress=False).counts.done

    assert asyncio.run(as_in_a_notebook()) == 2
    kb.add_products([{"id": "3", "title": "Rill sandal", "category": "shoes"}])
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(kb.distill("shoes", progress=False).counts.done))
    thread.start()
    thread.join()
    assert done == [1]
    kb.add_products([{"id": "4", "title": "Moss clog", "category": "shoes"}])
    assert asyncio.run(kb.adistill("shoes")).counts.done == 1


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda kb: kb.distill("hats", progress=False), 'kb.add_products(source, category="NAME")'),
        (lambda kb: kb.add_events([{"user": "u", "item": "1"}]), 'kb.add_products(source, category="NAME")'),
        (lambda kb: kb.add_events([{"item": "1"}]), 'kb.add_events(source, columns={"user": "COLUMN"})'),
        (lambda kb: kb.add_products([{"x": "1", "y": "2"}]), 'kb.add_products(source, columns={"title": "COLUMN"})'),
        (lambda kb: kb.ranker(), "kb.train_ranker()"),
        (lambda kb: kb.product("9"), "kb.products()"),
        (lambda kb: kb.embeddings(), "kb.embed()"),
        (lambda kb: reaseq.open("kb", enginee=1), "help(reaseq.open)"),
    ],
)
def test_errors_say_what_to_do_in_python(kb: reaseq.KnowledgeBase, call: Any, hint: str) -> None:
    with pytest.raises(reaseq.ReaseqError) as caught:
        call(kb)
    assert caught.value.hint == hint
    assert caught.value.__notes__ == [f"Next: {hint}"]


def test_frames_go_to_other_libraries(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(PRODUCTS)
    frame = kb.products()
    assert len(frame) == 2
    assert pa.table(frame).num_rows == 2
    assert repr(frame).startswith("<Frame: 2 rows of id, title")
    assert frame.to_arrow().column_names == frame.columns


def test_a_ranker_ranks_many_users_as_it_ranks_one(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    assert kb.add_events(samples.SHOE_EVENTS).events > 4000
    ranker = kb.train_ranker(features="id", epochs=1, dim=16, blocks=1, progress=False)
    users = sorted({one["user_id"] for one in kb.events()})[:3]
    wanted = [one["id"] for one in kb.products()][:6]
    ranked = list(ranker.rank([*users, "nobody"], [*wanted, "no such"]))
    assert len(ranked) == 4 * 7
    for user in users:
        mine = [one for one in ranked if one["user_id"] == user]
        alone = list(ranker.rank(user, {user: wanted}))
        assert [one["product_id"] for one in mine[:-1]] == [one["product_id"] for one in alone]
        assert [one["score"] for one in mine[:-1]] == pytest.approx([one["score"] for one in alone], abs=1e-4)
        assert (mine[-1]["product_id"], mine[-1]["rank"], mine[-1]["score"]) == ("no such", None, None)
        twice = ranker._scorer.rank(user, [*wanted, *wanted])
        assert [one for one, _ in twice[::2]] == [one for one, _ in twice[1::2]] == [one["product_id"] for one in alone]
        assert [score for _, score in twice[::2]] == [score for _, score in twice[1::2]]
        best = ranker.recommend(user, 1)[0]
        assert ranker.explain(user, [best.product_id])[0].reason == best.reason
        first = next(iter(ranker.rank(user)))
        assert (first["product_id"], first["score"]) == (best.product_id, pytest.approx(best.score, abs=1e-4))
    alike = [pa.array(wanted), pa.array(wanted).to_pylist(), tuple(wanted), list(pa.array(wanted))]
    assert len({tuple(one["score"] for one in ranker.rank(pa.array(users), given)) for given in alike}) == 1
    assert [one["product_id"] for one in ranker.rank(users[0], wanted[0])] == wanted[:1]
    with pytest.raises(reaseq.ReaseqError, match=f"no candidates for the users {users[1]}"):
        ranker.rank(users[:2], {users[0]: wanted})
    with pytest.raises(reaseq.ReaseqError, match="k = -1"):
        ranker.recommend(users[0], -1)
    cold = [one for one in ranked if one["user_id"] == "nobody"]
    assert {one["history"] for one in cold} == {0}
    assert [one["rank"] for one in cold[:-1]] == [1, 2, 3, 4, 5, 6]
    assert kb.ranker().run == ranker.run
    umask = os.umask(0)
    os.umask(umask)
    kept = [path for path in ranker.folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o666 & ~umask}
    assert {row.name for row in ranker.metrics().rows} > {"popularity"}
    with pytest.raises(reaseq.ReaseqError, match="feature: no such setting"):
        kb.train_ranker(feature=("id",))
    with pytest.raises(reaseq.ReaseqError, match="no product has an embedding yet"):
        kb.embeddings()
    with pytest.raises(reaseq.ReaseqError, match="not in the catalogue: no such"):
        ranker.explain(users[0], ["no such"])
    with pytest.raises(reaseq.ReaseqError, match="nothing has been imagined yet"):
        kb.imagined(users[0])


def test_somebody_who_is_not_in_the_log(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_products([{"id": "V-1", "title": "Clog", "sku": "CLOG-7", "barcode": "4006381333931", "category": "shoes"}])
    kb.add_products([{"id": "W-1", "title": "Sabot", "category": "shoes"}])
    kb.add_events(samples.SHOE_EVENTS)
    kb.add_events([{"user_id": "u900", "item": "V-1", "time": "2025-05-01T10:00:00Z", "kind": "view"}])
    ranker = kb.train_ranker(features="id", epochs=2, dim=16, blocks=1, progress=False)
    user = next(iter(kb.events()))["user_id"]
    had = ranker._scorer.history(user)
    told = ranker.recommend(user, 5)
    # What the log says of a user, given as a history, comes to what it comes to from the log.
    for given in (had, [(event["product_id"], event["at"]) for event in had][::-1]):
        again = ranker.recommend(history=given, k=5)
        assert [one.product_id for one in again] == [one.product_id for one in told]
        assert [one.score for one in again] == pytest.approx([one.score for one in told], abs=1e-4)
    assert ranker.recommend(history=had, k=5) == told  # the kinds of its events, too
    when = datetime(2025, 6, 1, tzinfo=UTC)
    timed = ranker.recommend(history=[("FS-1001", when), ("OK-2001", when + timedelta(minutes=1))])
    assert timed == ranker.recommend(history=["FS-1001", "OK-2001"])  # a minute apart
    assert timed != ranker.recommend(history=[("FS-1001", when), ("OK-2001", when + timedelta(days=90))])
    assert not {"FS-1001", "OK-2001"} & {
        one.product_id for one in ranker.recommend(history=["FS-1001", "OK-2001"], k=50, new_only=True)
    }
    reason = ranker.explain(history=["FS-1001", "OK-2001"], products=[timed[0].product_id])[0].reason
    assert "because of " in reason
    assert "event of" not in reason
    viewed = [{"product_id": "FS-1001", "kind": "view"}]
    assert "because of view of " in ranker.explain(history=viewed, products=["FS-1001"])[0].reason
    popular = ranker.recommend(history=[], k=1)[0]
    trained = ranker.training_events()["product_id"].count(popular.product_id)
    assert popular.reason == (
        f"no event of the user counts: products stand by how many training events have them, this one by {trained:,}"
    )
    # Products go by any of their names.
    assert [one["product_id"] for one in ranker.rank(user, ["CLOG-7", "4006381333931", "V-1"])] == ["V-1"]
    assert ranker.explain(user, ["CLOG-7"])[0].product_id == "V-1"
    assert ranker.recommend(history=["CLOG-7"]) == ranker.recommend(history=["V-1"])
    # What the model does not look at in the log counts for nothing in a history either.
    assert ranker.recommend(history=[{"product_id": "V-1", "kind": "return"}]) == ranker.recommend(history=[])
    unknown = list(ranker.rank(user, ["W-1", "V-1"]))[-1]
    assert (unknown["product_id"], unknown["rank"], unknown["score"]) == ("W-1", None, None)
    refused: list[tuple[Callable[[], Any], str]] = [
        (lambda: ranker.explain(user, ["W-1"]), "the model knows nothing of W-1"),
        (lambda: ranker.recommend(history=["W-1"]), "the model knows nothing of W-1"),
        (lambda: ranker.recommend([user, user]), "one user at a time"),  # type: ignore[arg-type]
        (lambda: ranker.rank(kb.events(), ["V-1"]), "Frame is no list of ids"),  # type: ignore[arg-type]
        (lambda: ranker.rank([user, None], ["V-1"]), "no id: None"),  # type: ignore[list-item]
        (lambda: ranker.rank(user, [["V-1"]]), "no id"),  # type: ignore[list-item]
        (lambda: ranker.recommend(), "for whom"),
        (lambda: ranker.recommend(user, history=["V-1"]), "for whom"),
        (lambda: ranker.explain(user, ["V-1"], history=["V-1"]), "for whom"),
        (lambda: ranker.recommend(history=["nothing"]), "not in the catalogue: nothing"),
        (lambda: ranker.recommend(history=["clog-7"]), "there is CLOG-7: did something change its case"),
        (lambda: ranker.recommend(history=[("V-1", 1.7e9), "FS-1001"]), "only 1 of 2 events have a time"),
        (lambda: ranker.recommend(history=[("V-1", "today")]), "event 1 of the history has no time: 'today'"),
        (lambda: ranker.recommend(history=[("V-1", float("inf"))]), "event 1 of the history has no time: inf"),
        (lambda: ranker.recommend(history=["V-1", None]), "event 2 of the history names no product"),
        (lambda: ranker.explain("nobody", ["V-1"]), "no events of user 'nobody'"),
        (lambda: ranker.explain(history=[], products=["V-1"]), "the history is empty"),
    ]
    for call, said in refused:
        with pytest.raises(reaseq.ReaseqError, match=said):
            call()


def test_the_examples_are_python() -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        ast.parse(block)


def test_rankers_of_ones_own_are_judged_in_the_same_table(
    kb: reaseq.KnowledgeBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_events(samples.SHOE_EVENTS)
    ranker = kb.train_ranker(features=("id",), epochs=1, dim=16, blocks=1, progress=False)
    learnt = ranker.training_events()
    assert 0 < len(learnt) < len(kb.events())
    monkeypatch.chdir(tmp_path)
    script: dict[str, Any] = {}
    exec(in_docs("A ranker of your own", 2), script)
    outcome, neighbours = script["outcome"], script["neighbours"]
    names = [row.name for row in outcome.rows]
    assert names[:3] == ["id", "GRU", "neighbours"]
    assert "popularity" in names
    assert all(0 <= row.metrics["NDCG@10"].mean <= 1 and (row.difference or row.name == "id") for row in outcome.rows)
    assert outcome.rows[0].metrics["NDCG@10"] == ranker.metrics().rows[0].metrics["NDCG@10"]

    # What the bundled ranker's own scores come to in a file is what it comes to itself.
    rows = [
        one
        for one in ranker.rank(sorted({event["user_id"] for event in learnt}), ranker.products)
        if one["rank"] is not None  # the model knows something of it
    ]
    path = tmp_path / "mine.csv"
    path.write_text("user_id,product_id,score\n" + "".join(
        f"{one['user_id']},{one['product_id']},{one['score']}\n" for one in rows
    ))  # fmt: skip
    own, said = of_file("mine", path, ranker._opened.prepared.dataset.log.users, ranker.products)
    assert said.startswith(f"mine: {len(rows):,} of {len(rows):,} scores used")
    assert [row.name for row in ranker._opened.judge({"mine": own}).rows][1] == "mine"

    with pytest.raises(reaseq.ReaseqError, match="lines of these names already: popularity"):
        ranker.judge({"popularity": neighbours})

    def half(histories: list[list[str]]) -> Any:
        """Tensors of any kind will do."""
        return torch.from_numpy(neighbours(histories)).to(torch.bfloat16).requires_grad_()

    assert "half" in {row.name for row in ranker.judge(half).rows}
    size = len(ranker.products)
    refused: list[tuple[Any, str]] = [
        (lambda histories: np.zeros((len(histories), 3)), "scores of the shape"),
        (lambda histories: np.zeros((len(histories) - 1, size)), r"scores of the shape \(\d+, \d+\) came, \("),
        (lambda histories: np.zeros(size), r"scores of the shape \(\d+,\) came"),
        (lambda histories: [[0.0] * (size - at) for at in range(len(histories))], "what came is no table of numbers"),
        (lambda histories: [["much"] * size] * len(histories), "they must be real numbers"),
        (lambda histories: scipy.sparse.csr_matrix((len(histories), size)), "what came is no table of numbers"),
        (lambda histories: None, "what came is no table|scores of the shape"),
        (lambda histories: np.zeros((len(histories), size), complex), "complex numbers have no order"),
        (lambda histories: np.full((len(histories), size), np.nan), "a score is not finite: nan, of product"),
        (lambda histories: np.full((len(histories), size), np.inf), "a score is not finite: inf, of product"),
        (lambda histories: [[None] * size] * len(histories), "a score is not finite: nan|no table of numbers"),
        (3, "3 is no function of histories"),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for wrong, told in refused:
            with pytest.raises(reaseq.ReaseqError, match=told):
                ranker.judge({"wrong": wrong})
    path.write_text("user_id,product_id\nu,1\n")
    with pytest.raises(reaseq.ReaseqError, match="has no column score"):
        of_file("mine", path, ["u"], ["1"])
    path.write_text("user_id,product_id,score\nx,1,3\n")
    with pytest.raises(reaseq.ReaseqError, match="no row is of a user of the log"):
        of_file("mine", path, ["u"], ["1"])


def test_a_frame_gives_columns_rows_and_parts(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(PRODUCTS)
    frame = kb.products()
    assert frame["id"] == ["1", "2"]
    assert frame[0]["id"] == frame[-2]["id"] == "1"
    assert frame[1:]["id"] == ["2"]
    with pytest.raises(IndexError, match="row 2 of 2"):
        frame[2]
    with pytest.raises(reaseq.ReaseqError, match="no column 'sku'"):
        frame["sku"]


def test_closed_it_says_so(kb: reaseq.KnowledgeBase) -> None:
    kb.close()
    kb.close()
    for call in (kb.products, kb.claims, lambda: kb.distill("shoes"), lambda: kb.product("1")):
        with pytest.raises(reaseq.ReaseqError, match="this knowledge base is closed"):
            call()
    assert "closed" in repr(kb)


def test_named_indexes_are_columns_and_mixed_ids_are_read(kb: reaseq.KnowledgeBase) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"sku": [1, "A2"], "title": ["Red boots", "Blue boots"]})
    kb.add_products(frame.set_index("sku"), category="shoes")
    assert kb.products()["id"] == ["1", "A2"]
    log = pandas.DataFrame({"user_id": ["u", "u"], "item": ["A2", "A2"], "at": [1.7e9, 1.7e9 + 60]})
    assert kb.add_events(log.set_index("at")).clock == "time"
    assert [event["at"] for event in kb.events()] == [1.7e9, 1.7e9 + 60]
    with pytest.raises(reaseq.ReaseqError, match="no rows can be read from a Series of pandas"):
        kb.add_products(frame["title"])
    kb.distill("shoes", progress=False)
    rows = kb.claims("shoes").to_pandas()
    assert kb.decide(rows.iloc[0], "approve")


SHOPS: dict[str, list[dict[str, Any]]] = {
    "a path of categories": [{"id": "b", "title": "Boot", "category": "Apparel > Shoes", "price": 12, "color": "red"}],
    "an unknown category": [{"id": "a", "title": "Thing <b>x</b>  ", "category": "my own", "price": "1.234,50 €"}],
    "variants": [{"id": "p", "title": "V", "variants": [{"id": "v1", "size": "S", "price": 3}]}],
    "no price": [{"id": "007", "title": "Thing", "price": None, "material": "wool", "brand": "n/a"}],
    "a sale": [{"id": "g", "title": "Hat", "price": "20 EUR", "sale_price": "15 EUR", "product_type": "Hats > Sun"}],
}


@pytest.mark.parametrize("shop", SHOPS)
def test_products_that_came_out_change_nothing_when_they_go_in(
    kb: reaseq.KnowledgeBase, tmp_path: Path, shop: str
) -> None:
    kb.add_products(SHOPS[shop])
    kb.add_products([{"id": "x", "title": "Given"}], category="given", name="erp")

    def state() -> list[Any]:
        return [(kb.store.product(one), kb.product(one)) for one in kb.products()["id"]]

    for read in (False, True):
        if read:
            for category in {*kb.products()["category"]} - {None}:
                kb.distill(category, progress=False)
        before = state()
        table = kb.products().to_arrow()
        (tmp_path / "out.csv").write_text(
            "\n".join(
                ",".join(f'"{"" if cell is None else cell}"' for cell in row)
                for row in [table.column_names, *zip(*table.to_pydict().values(), strict=True)]
            )
        )
        for out in (kb.products(), table, list(kb.products()), iter(list(kb.products())), tmp_path / "out.csv"):
            report = kb.add_products(out)
            assert (report.rows, report.unchanged) == (2, 2)
            assert state() == before


def test_what_somebody_changes_in_products_that_came_out(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(SHOPS["a path of categories"] + SHOPS["variants"])
    kb.distill("shoes", progress=False)
    rows = [row | {"title": f"{row['title']} II", "sole": "rubber"} for row in kb.products()]
    report = kb.add_products(rows)
    assert (report.updated, report.own_cells) == (2, 2)
    assert repr(report) == "<ImportReport: 2 rows: 2 updated; 2 cells that were made here are left out>"
    assert kb.product("b").texts == {
        **{"title": "Boot II", "attributes.color": "red", "attributes.category": "Apparel > Shoes"},
        "attributes.sole": "rubber",
    }
    assert kb.store.product("p")["price_of_variants"]  # type: ignore[index]
    assert kb.add_products(kb.products(), category="vases").updated == 2
    assert kb.products()["category"] == ["vases", "vases"]
    assert kb.add_products(kb.products(), columns={"description": "summary"}).set_aside == 0
    books = [{"id": "9", "title": "Emma", "read_by": "Ann Lee", "summary": "A novel"}]
    assert kb.add_products(books).own_cells == 0
    assert kb.product("9").texts["attributes.read_by"] == "Ann Lee"


def test_frames_of_something_else_are_no_products_and_no_events(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_events(samples.SHOE_EVENTS)
    kb.distill("shoes", progress=False)
    kb.decide(kb.claims()[0], "approve")
    ranks = kb.train_ranker(features="id", epochs=1, dim=16, blocks=1, progress=False).rank("u001")
    imagined = [{"product_id": "FS-1001", "title": "x", "category": "y", "confidence": 0.5, "until": 1.0}]
    vectors = [{"product_id": "FS-1001", "vector": [0.5, 0.25]}]
    both: list[tuple[Any, str]] = [
        *((kb.claims(), "claims"), (kb.decisions(), "decisions"), (ranks, "ranks"), (imagined, "imagined events")),
        (vectors, "embeddings"),
    ]
    products, events = list(kb.products()), list(kb.events())
    for frame, name in [*both, (kb.events(), "events")]:
        with pytest.raises(reaseq.ReaseqError, match=f"these are {name}, not products") as caught:
            kb.add_products(frame)
        assert (caught.value.hint or "").startswith("kb.")
    for frame, name in [*both, (kb.products(), "products")]:
        with pytest.raises(reaseq.ReaseqError, match=f"these are {name}, not events"):
            kb.add_events(frame)
    assert (list(kb.products()), list(kb.events())) == (products, events)


def rows_of_all_kinds() -> list[Any]:
    class Named(NamedTuple):
        id: str
        title: str

    @dataclass
    class Held:
        id: str
        title: str

    class Model(BaseModel):
        id: str
        title: str

    return [Named("1", "Boot"), Held("1", "Boot"), Model(id="1", title="Boot"), {"id": "1", "title": "Boot"}]


@pytest.mark.parametrize("number", range(4))
def test_rows_in_whatever_holds_them(kb: reaseq.KnowledgeBase, number: int) -> None:
    assert kb.add_products([rows_of_all_kinds()[number]]).new == 1
    assert kb.product("1").title == "Boot"


NO_FEEDS: list[tuple[Any, str, str]] = [
    (5, "read from 5", "the path of a file"),
    (None, "read from None", "the path of a file"),
    (True, "read from True", "the path of a file"),
    (b"id,title", "read from b'id,title'", "the path of a file"),
    ({"id": "1", "title": "Boot"}, "read from a dict", "[row]"),
    (object(), "read from an object", "the path of a file"),
    ([1, 2], "no record has keys", "dictionaries, one a row"),
    ([{1, 2}], "no record has keys", "dictionaries, one a row"),
    ("no.csv", "no.csv: No such file", "the path of another file"),
]


@pytest.mark.parametrize("number", range(len(NO_FEEDS)))
def test_what_no_rows_can_be_read_from(kb: reaseq.KnowledgeBase, number: int) -> None:
    source, said, hint = NO_FEEDS[number]
    for read in (kb.add_products, kb.add_events):
        with pytest.raises(reaseq.ReaseqError, match=re.escape(said)) as caught:
            read(source)
        assert hint in (caught.value.hint or "")


def test_how_much_is_imported_of_how_much(kb: reaseq.KnowledgeBase) -> None:
    told: list[tuple[str, int, int | None]] = []

    def tell(stage: str, done: int, total: int | None) -> None:
        told.append((stage, done, total))

    size = samples.SHOES.stat().st_size
    kb.add_products(samples.SHOES, category="shoes", progress=tell)
    assert told[-1] == ("importing, bytes", size, size)
    rows, events = list(kb.products()), samples.SHOE_EVENTS.stat().st_size
    for source, total in ((kb.products(), 60), (rows, 60), (pa.table(kb.products()), 60), (iter(rows), None)):
        kb.add_products(source, progress=tell)
        assert told[-1] == ("importing, rows", 60, total)
    kb.add_events(samples.SHOE_EVENTS, progress=tell)
    assert told[-1] == ("importing, bytes", events, events)
    count = len(kb.events())
    for log, total in ((kb.events(), count), (list(kb.events()), count), (iter(list(kb.events())), None)):
        kb.add_events(log, progress=tell)
        assert told[-1] == ("importing, rows", count, total)


def test_a_base_reads_the_events_it_gave(kb: reaseq.KnowledgeBase, tmp_path: Path) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_events(samples.SHOE_EVENTS)
    with reaseq.open(tmp_path / "copy", engine="none") as copy:
        copy.add_products(kb.products())
        assert copy.add_events(kb.events()).clock == "time"
        assert list(copy.events()) == list(kb.events())


def test_what_is_no_claim_is_said_so(kb: reaseq.KnowledgeBase) -> None:
    for wrong in (5, {}, {"id": 1}, None):
        with pytest.raises(reaseq.ReaseqError, match="no claim"):
            kb.decide(wrong, "approve")  # type: ignore[arg-type]
