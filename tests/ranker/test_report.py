"""What a run's page says in words."""

import pytest

from reaseq.ranker.evaluate import Interval
from reaseq.ranker.experiment import Outcome, Row
from reaseq.ranker.report import body, winner


def row(name: str, ndcg: float, *, epochs: float | None = None, targets: int = 5) -> Row:
    slices = {"never": (0, 0.0, 0.0), "1–5": (targets, 0.5, ndcg)}
    return Row(name, {"NDCG@10": Interval(ndcg, ndcg - 0.01, ndcg + 0.01)}, slices, epochs=epochs)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [row("id", 0.3, epochs=2), row("EASE", 0.2), row("popularity", 0.1)],
            "id, 0.3000 [0.2900, 0.3100]; of the baselines it is EASE, 0.2000 [0.1900, 0.2100].",
        ),
        (
            [row("id", 0.1, epochs=2), row("id+knowledge", 0.2, epochs=2), row("EASE", 0.4)],
            "EASE, 0.4000 [0.3900, 0.4100]; of the trained models it is id+knowledge, 0.2000 [0.1900, 0.2100].",
        ),
        ([row("id", 0.1, epochs=1)], "id, 0.1000 [0.0900, 0.1100]."),
    ],
)
def test_which_line_is_the_best_is_said(rows: list[Row], told: str) -> None:
    assert winner(rows) == f"Best by NDCG@10: {told}"


def test_of_a_slice_without_targets_nothing_is_made_up() -> None:
    page = body(Outcome("temporal", 1, 1, 1, 5, [row("<id>", 0.25, epochs=1)], {}, {}))
    assert "<tr><td>&lt;id&gt;<td>–<td>0.2500" in page
    assert "<p>Best by NDCG@10: &lt;id&gt;, 0.2500 [0.2400, 0.2600].</p>" in page
