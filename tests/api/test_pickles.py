"""Bases and rankers in other processes."""

import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import reaseq
from reaseq.knowledge_store import samples


def test_a_ranker_and_a_base_go_to_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kb = reaseq.open("kb", engine="none")
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_events(samples.SHOE_EVENTS)
    ranker = kb.train_ranker(features="id", epochs=1, dim=16, blocks=1, progress=False)
    users = list(dict.fromkeys(kb.events()["user_id"]))[:3]
    held, of_base = pickle.dumps(ranker), pickle.dumps(kb)
    assert len(held) < 1000
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        # The other process imports what is installed, not the folder of the tests.
        assert list(pool.map(reaseq.Ranker.recommend, [ranker] * 3, users)) == [ranker.recommend(u) for u in users]

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = pickle.loads(held)
    assert again.recommend(users[0]) == ranker.recommend(users[0])
    assert pickle.loads(held) is again  # pools send it along with each task
    with pickle.loads(of_base) as other:
        assert list(other.products()) == list(kb.products())
        assert other.ranker().run == ranker.run
        assert (other.settings.engine, other.settings.prompts_dir) == ("none", None)
    kb.close()
    shutil.move(tmp_path / "kb", tmp_path / "moved")
    with pytest.raises(reaseq.ReaseqError, match="the store of the pickle is not here") as caught:
        pickle.loads(of_base)
    assert "reaseq.open(folder)" in (caught.value.hint or "")
    assert not (tmp_path / "kb").exists()


def test_a_store_in_memory_is_nowhere_else() -> None:
    with reaseq.open(store="sqlite://", engine="none") as kb, pytest.raises(reaseq.ReaseqError, match="in memory"):
        pickle.dumps(kb)


def test_frames_and_errors_are_pickled(tmp_path: Path) -> None:
    with reaseq.open(tmp_path / "kb", engine="none") as kb:
        kb.add_products([{"id": "1", "title": "Boot"}])
        assert list(pickle.loads(pickle.dumps(kb.products()))) == list(kb.products())
        assert pickle.loads(pickle.dumps(kb.product("1"))) == kb.product("1")
        with pytest.raises(reaseq.ReaseqError) as caught:
            kb.product("2")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (str(error), error.hint) == (str(caught.value), caught.value.hint)
