"""Pages: of a whole run (what was found out, what was imagined, what it did for ranking), and of an audit."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from reaseq.beyond_log.reasons import nearest
from reaseq.knowledge_store.audits import AuditReport, Part
from reaseq.knowledge_store.events import history
from reaseq.knowledge_store.imagined import find_imagination, imagined_of, imagined_until
from reaseq.knowledge_store.store import Store
from reaseq.ranker import report
from reaseq.ranker.experiment import Outcome

_SHOWN = 3
"""Users who are shown with what was imagined of them."""


def write(store: Store, state: Mapping[str, Any], path: Path) -> None:
    """Write the page of a run's state to `path` (HTML, all in one file)."""
    outcome = Outcome.from_json((Path(state["ranked"]["folder"]) / "metrics.json").read_text(encoding="utf-8"))
    content = (
        f"{_distilled(store, state)}{_embedded(state['embedded'])}{_imagined(store, state['imagined'])}"
        f"<h2>Ranking</h2>{report.body(outcome)}"
    )
    partial = path.with_suffix(".partial")
    partial.write_text(report.page(f"From catalogue to ranking: {state['category']}", content), encoding="utf-8")
    partial.replace(path)


def audit_page(made: AuditReport, verdict: Sequence[str]) -> str:
    """A page of an audit for whoever pays for the catalogue. verdict: what it comes to, in sentences."""
    content = "".join(f"<p>{escape(line)}</p>" for line in verdict if not line.startswith("Next:"))
    for title, parts in (
        ("By confidence", [made.whole, *made.by_confidence]),
        ("By attribute", made.by_attribute),
        ("By source", made.by_source),
    ):
        rows = "".join(_row_of_part(part, made.promise) for part in parts if part.estimate)
        head = "<tr><th><th>verified claims<th>judged<th>right<th>95 %<th>"
        content += f"<h2>{title}</h2><table>{head}{rows}</table>"
    content += (
        f"<p><small>Drawn at random by strata of confidence, more where it is lower, by {escape(made.by)} on "
        f"{made.at:%Y-%m-%d}. Intervals: Korn and Graubard. The line marks the promise, {made.promise:.0%}; a bar goes "
        "from half (left) to all right.</small></p><h2>What was judged</h2>"
    )
    words = {True: "right", False: "wrong", None: "not judged"}
    drawn = [[one.product_id, one.attribute, one.value, words[one.right]] for one in made.drawn]
    return report.page(
        f"Audit {made.number}: {made.category or 'all categories'}",
        content + _table(["product", "attribute", "value", "judged"], drawn),
    )


def _row_of_part(part: Part, promise: float) -> str:
    found = part.estimate
    assert found is not None

    def at(share: float) -> float:
        """Where a share stands in the picture: the left half of the scale is cut off."""
        return 200 * max(0.0, 2 * share - 1)

    picture = (
        "<svg width='202' height='16'>"
        f"<line x1='{at(promise):.1f}' x2='{at(promise):.1f}' y1='0' y2='16' stroke='#a11'/>"
        f"<line x1='{at(found.low):.1f}' x2='{at(found.high):.1f}' y1='8' y2='8' stroke='#667' stroke-width='3'/>"
        f"<circle cx='{at(found.rate):.1f}' cy='8' r='4'/></svg>"
    )
    cells = (f"{part.claims:,}", f"{found.judged:,}", f"{found.rate:.1%}", f"{found.low:.1%} to {found.high:.1%}")
    return f"<tr><td>{escape(part.name)}{''.join(f'<td>{cell}' for cell in cells)}<td>{picture}"


def _distilled(store: Store, state: Mapping[str, Any]) -> str:
    made = state["distilled"]
    by_attribute: dict[str, dict[str, int]] = {}
    for row in store.attribute_counts(state["category"]):
        by_attribute.setdefault(row["attribute"], {})[row["status"]] = row["claims"]
    rows = [
        [name, *(f"{counts.get(status, 0):,}" for status in ("verified", "rejected", "proposed"))]
        for name, counts in by_attribute.items()
    ]
    return (
        f"<h2>Knowledge</h2><p>{made['done']:,} products distilled, {made['failed']:,} failed, {made['unchanged']:,} "
        f"known before; {made['calls']:,} model calls in {made['seconds']:,.0f} s.</p>"
        + _table(["attribute", "verified", "rejected", "unsettled"], rows)
    )


def _embedded(made: Mapping[str, Any]) -> str:
    parts = ", ".join(f"{sum(pair):,} by their {source}" for source, pair in made["counts"].items() if sum(pair))
    return f"<p>Embedded by {escape(made['encoder'])}: {parts}.</p>"


def _imagined(store: Store, made: Mapping[str, Any]) -> str:
    known = made["calibration"]
    text = (
        f"<h2>Beyond the log</h2><p>{made['users']:,} users imagined, each by a model that never saw them "
        f"({made['folds']} folds). {escape(made['codes'])}.</p>"
    )
    if known["events"]:
        text += (
            f"<p>Of {known['events']:,} imagined events whose answer was hidden, {known['rate']:.0%} were of a kind "
            f"that the user really had; the stated confidence is off by {known['error']:.1%} on average.</p>"
        )
    imagination = find_imagination(store, made["imagination"])
    if imagination is None:
        return text
    rows = []
    for user in sorted(imagined_until(store, imagination))[:_SHOWN]:
        events = {event["product_id"]: event["title"] for event in history(store, user)}
        found = imagined_of(store, imagination, user)
        reasons = nearest(store, [one["product_id"] for one in found], list(events), most=1)
        told = [
            f"{one['confidence']:.0%} {one['title']}" + (f" (near to {events[near[0].product_id]})" if near else "")
            for one, near in zip(found, reasons, strict=True)
        ]
        rows.append([user, "\n".join(list(events.values())[-8:]), "\n".join(told)])
    return text + _table(["user", "logged", "imagined"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(f"<{tag}>{escape(value).replace(chr(10), '<br>')}" for value in values)

    body = "".join(f"<tr>{cells('td', row)}" for row in rows)
    return f"<table><tr>{cells('th', head)}{body}</table>"
