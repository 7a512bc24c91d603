"""Runs by the start of their ids, and the newest."""

import json
import os
import shutil
from pathlib import Path

import pytest

from reaseq import ReaseqError
from reaseq.ranker.runs import find


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in ("22bbcc", "245ff8", "24"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(("start", "found"), [("22", "22bbcc"), ("245", "245ff8"), ("24", "24")])
def test_one_is_found(runs: Path, start: str, found: str) -> None:
    assert find(runs, start).name == found


def test_several_are_told(runs: Path) -> None:
    with pytest.raises(ReaseqError, match="several runs begin with '2'"):
        find(runs, "2")
    with pytest.raises(ReaseqError, match="no finished run '9'"):
        find(runs, "9")


def test_the_newest_is_so_in_a_copy_too(tmp_path: Path) -> None:
    for name, at in (("aa", 300.0), ("bb", 200.0), ("cc", 100.0)):
        metrics = tmp_path / "runs" / name / "metrics.json"
        metrics.parent.mkdir(parents=True)
        metrics.write_text(json.dumps({"finished_at": at}))
        os.utime(metrics, (1e9 - at, 1e9 - at))
    copy = shutil.copytree(tmp_path / "runs", tmp_path / "copy")
    assert find(tmp_path / "runs", None).name == find(copy, None).name == "aa"


@pytest.mark.parametrize("text", ["{}", "", "[]", '{"finished_at": null}'])
def test_runs_of_earlier_versions_go_by_the_times_of_their_files(tmp_path: Path, text: str) -> None:
    for name, at in (("aa", 200), ("bb", 300), ("cc", 100)):
        metrics = tmp_path / name / "metrics.json"
        metrics.parent.mkdir()
        metrics.write_text(text if name != "cc" else '{"finished_at": 250}')
        os.utime(metrics, (at, at))
    assert find(tmp_path, None).name == "bb"
