"""Runs by the start of their ids."""

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
