"""Scores of extracted values: the metric, and the gold files it reads."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq import ReaseqError
from reaseq.agents.extraction_score import GoldRow, read_gold, score


def row(number: int, category: str = "Shoes", **gold: tuple[str, ...]) -> GoldRow:
    return GoldRow(str(number), category, "title", "", gold)


ROWS = [row(1, color=("red", "dark red"), size=()), row(2, color=("blue",), size=("9",)), row(3, "Tea", color=())]


@pytest.mark.parametrize(
    ("predicted", "counts", "precision", "recall"),
    [
        pytest.param({}, (0, 0, 0, 3, 2), 0.0, 0.0, id="nothing"),
        pytest.param(
            {"1": {"color": "dark red"}, "2": {"color": "blue", "size": "9"}}, (3, 0, 0, 0, 2), 1.0, 1.0, id="all"
        ),
        pytest.param({"1": {"color": "Red", "size": "9"}}, (0, 1, 1, 2, 1), 0.0, 0.0, id="case counts; an invention"),
        pytest.param(
            {"2": {"color": "blue", "size": "8"}, "3": {"color": "x"}}, (1, 1, 1, 1, 1), 1 / 3, 1 / 3, id="mixed"
        ),
        pytest.param({"1": {"weight": "9"}, "9": {"color": "red"}}, (0, 0, 0, 3, 2), 0.0, 0.0, id="not judged"),
    ],
)
def test_decisions(
    predicted: dict[str, dict[str, str]], counts: tuple[int, ...], precision: float, recall: float
) -> None:
    made = score(ROWS, predicted)
    found = made.overall
    assert (found.right, found.wrong, found.invented, found.missed, found.nothing) == counts
    assert found.precision == pytest.approx(precision)
    assert found.recall == pytest.approx(recall)
    assert sum(outcomes.right for outcomes in made.by_category.values()) == found.right
    assert sum(outcomes.missed for outcomes in made.by_attribute.values()) == found.missed
    assert sum(made.confused.values()) == found.wrong + found.invented + found.missed
    low, high = made.interval
    assert 0 <= low <= found.f1 <= high <= 1 or len(ROWS) < 5


VALUES = st.one_of(st.none(), st.sampled_from(["a", "b"]))


@given(st.lists(st.tuples(VALUES, VALUES), max_size=12))
def test_f1_is_the_harmonic_mean(pairs: list[tuple[str | None, str | None]]) -> None:
    rows = [row(number, x=(gold,) if gold else ()) for number, (gold, _) in enumerate(pairs)]
    made = score(rows, {str(number): {"x": value} for number, (_, value) in enumerate(pairs) if value}).overall
    total = made.precision + made.recall
    assert made.f1 == pytest.approx(2 * made.precision * made.recall / total if total else 0.0)
    assert made.right + made.wrong + made.invented + made.missed + made.nothing == len(pairs)


def test_gold_files(tmp_path: Path) -> None:
    lines = [
        {
            "id": 7,
            "category": "Shoes",
            "title": "t",
            "gold": {"a": ["x", "y"], "b": "n/a", "c": None, "d": [], "e": "z"},
        },
        {"id": "8", "category": "Tea", "title": "t", "description": "d", "gold": {}},
    ]
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(gzip.compress("\n\n".join(map(json.dumps, lines)).encode()))
    first, second = read_gold(path)
    assert first.gold == {"a": ("x", "y"), "b": (), "c": (), "d": (), "e": ("z",)}
    assert (first.id, second.description) == ("7", "d")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 1: not a gold row"),
        ("[]", "line 1: not a gold row"),
        ('{"id": "1", "category": "c", "title": "t"}', "line 1: not a gold row: no 'gold'"),
        ('{"id": "1", "category": "", "title": "t", "gold": {}}', "id, category and title must be given"),
        ('{"id": "1", "category": "c", "title": "t", "gold": ["a"]}', "line 1: not a gold row"),
    ],
)
def test_what_is_no_gold_is_told_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(line)
    with pytest.raises(ReaseqError, match=why):
        list(read_gold(path))
    with pytest.raises(ReaseqError, match="No such file"):
        list(read_gold(tmp_path / "missing"))
