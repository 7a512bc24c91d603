"""One page of an experiment: learning curves, metrics with intervals, slices by how often a target was seen."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from reaseq.ranker.experiment import Outcome, Row

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:68rem;padding:0 1rem;color:#1b1b1f}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}small{color:#667}img{max-width:100%}
.up{color:#08660f}.down{color:#a11}
"""


def write(outcome: Outcome, path: Path, *, title: str, settings: Mapping[str, Any]) -> None:
    """Write the report to `path` (HTML, all in one file). settings: that the models were trained with."""
    with_what = "; ".join(f"{name} {_said(value)}" for name, value in settings.items() if value is not None)
    told = f"<p><small>Trained with: {escape(with_what)}.</small></p>"
    path.write_text(page(title, body(outcome) + told), encoding="utf-8")


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def winner(rows: Sequence[Row]) -> str:
    """Which line is the best, and which the best of the other sort (trained models, baselines), in words."""

    def quality(row: Row) -> float:
        return row.metrics["NDCG@10"].mean

    best = max(rows, key=quality)
    others = [row for row in rows if (row.epochs is None) is not (best.epochs is None)]
    told = f"Best by NDCG@10: {best.name}, {best.metrics['NDCG@10']}"
    if others:
        second = max(others, key=quality)
        sort = "trained models" if best.epochs is None else "baselines"
        told += f"; of the {sort} it is {second.name}, {second.metrics['NDCG@10']}"
    return f"{told}."


def page(title: str, content: str) -> str:
    """A page of its own around HTML."""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{content}</html>"
    )


def body(outcome: Outcome) -> str:
    """What there is to tell of an experiment, as HTML."""
    metrics = list(outcome.rows[0].metrics)
    facts = (
        f"{outcome.users:,} users, {outcome.items:,} items, {outcome.events:,} events to learn from; split: "
        f"{outcome.split}; {outcome.cases:,} test cases, ranked among all items."
    )
    versions = ", ".join(f"{name} {value}" for name, value in outcome.versions.items())
    return (
        f"<p>{escape(facts)}</p><p>{escape(winner(outcome.rows))}</p><h2>Metrics</h2>{_metrics(outcome.rows, metrics)}"
        "<p><small>Means over seeds with 95 % intervals from resampling users (and seeds). The last column is the "
        "difference in NDCG@10 to the first line, paired by user.</small></p>"
        f"{_over(outcome.rows)}"
        f"<h2>By how often the target was seen in training</h2>{_slices(outcome.rows)}"
        f"{_impressions(outcome.rows)}<h2>Learning</h2>{_picture(outcome)}<p><small>{escape(versions)}</small></p>"
    )


def _metrics(rows: list[Row], metrics: list[str]) -> str:
    head = "".join(f"<th>{escape(name)}" for name in ["", *metrics, "difference"])
    body = []
    for row in rows:
        cells = [
            f"<td>{value.mean:.4f}<br><small>{value.low:.4f}–{value.high:.4f}</small>" for value in row.metrics.values()
        ]
        change = row.difference
        if change is None:
            cells.append("<td>")
        else:
            kind = "up" if change.low > 0 else "down" if change.high < 0 else ""
            cells.append(
                f"<td class='{kind}'>{change.mean:+.4f}<br><small>{change.low:+.4f} to {change.high:+.4f}</small>"
            )
        body.append(f"<tr><td>{escape(row.name)}{''.join(cells)}")
    return f"<table><tr>{head}{''.join(body)}</table>"


def over_controls(rows: list[Row]) -> list[str]:
    """What a variant gains over its controls, in sentences."""
    told = []
    for row in rows:
        for name, gain in row.over.items():
            sure = "" if gain.low > 0 or gain.high < 0 else "; no difference that could not be chance"
            told.append(
                f"{row.name} over {name.split(', ', 1)[1]}: NDCG@10 {gain.mean:+.4f} "
                f"({gain.low:+.4f} to {gain.high:+.4f}){sure}"
            )
    return told


def _over(rows: list[Row]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in over_controls(rows))


def _slices(rows: list[Row]) -> str:
    names = list(rows[0].slices)
    head = "<th>NDCG@10 of single targets" + "".join(
        f"<th>seen {escape(name)}<br><small>{rows[0].slices[name][0]:,} targets</small>" for name in names
    )
    body = "".join(
        f"<tr><td>{escape(row.name)}" + "".join(map(_ndcg, (row.slices[name] for name in names))) for row in rows
    )
    return f"<table><tr>{head}{body}</table>"


def _ndcg(slice_: tuple[int, float, float]) -> str:
    """The cell of a slice; of one without targets nobody knows."""
    targets, _, ndcg = slice_
    return f"<td>{ndcg:.4f}" if targets else "<td>–"


def _impressions(rows: list[Row]) -> str:
    judged = [row for row in rows if row.impressions]
    if not judged:
        return ""
    names = list(judged[0].impressions)
    head = "".join(f"<th>{escape(name)}" for name in ["", *names])
    body = "".join(
        f"<tr><td>{escape(row.name)}" + "".join(f"<td>{row.impressions[name]:.4f}" for name in names) for row in judged
    )
    return f"<h2>Impressions</h2><table><tr>{head}{body}</table>"


def _picture(outcome: Outcome) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    loss, quality, slices = figure.subplots(1, 3)
    colours = {
        name: f"C{index}" for index, name in enumerate(dict.fromkeys(key.rsplit(" ", 1)[0] for key in outcome.curves))
    }
    for key, epochs in outcome.curves.items():
        name = key.rsplit(" ", 1)[0]
        number = [epoch["number"] + 1 for epoch in epochs]
        loss.plot(number, [epoch["loss"] for epoch in epochs], color=colours[name], lw=1)
        label = None if name in [line.get_label() for line in quality.lines] else name
        quality.plot(number, [epoch["valid"]["NDCG@10"] for epoch in epochs], color=colours[name], lw=1, label=label)
    loss.set(title="training loss", xlabel="epoch")
    quality.set(title="validation NDCG@10", xlabel="epoch")
    if colours:
        quality.legend(frameon=False)
    width = 0.8 / max(len(outcome.rows), 1)
    for index, row in enumerate(outcome.rows):
        places = [place + index * width for place in range(len(row.slices))]
        slices.bar(places, [value[2] for value in row.slices.values()], width, label=row.name)
    slices.set(
        title="test NDCG@10 by train count", xticks=[place + 0.4 for place in range(len(outcome.rows[0].slices))]
    )
    slices.set_xticklabels(list(outcome.rows[0].slices))
    slices.legend(frameon=False, fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return f"<img alt='curves and slices' src='data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}'>"
