"""`reaseq review --audit`, `reaseq review audits`: how right verified claims are."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.knowledge import Category, known_category, open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from reaseq.knowledge_store.audits import AuditReport, Part
    from reaseq.knowledge_store.store import Store

Audited = Annotated[
    int | None,
    typer.Option("--audit", min=1, metavar="N", help="Judge N verified claims that are drawn at random."),
]
Promise = Annotated[
    float | None,
    typer.Option(
        "--promise", help="Of an audit: the share of verified claims that is to be right.", show_default=".95"
    ),
]


def refuse_filters(product: str | None, attribute: str | None, status: str | None) -> None:
    """An audit is of a whole category.

    Raises:
        ReaseqError: something narrows it.
    """
    from reaseq import ReaseqError

    if any(one is not None for one in (product, attribute, status)):
        raise ReaseqError(
            "an audit is drawn from all verified claims of a category: no --product, --attribute or --status",
            hint="reaseq review --category shoes --audit 50",
        )


def audited(
    store: Store, console: Console, count: int, category: str | None, promise: float | None, by: str
) -> AuditReport:
    """The audit that is open, or one that is drawn now."""
    from reaseq.knowledge_store.audits import draw, open_audit
    from reaseq.taxonomy.trust import PROMISE

    category = known_category(store, category)
    made = open_audit(store, category)
    if made is not None:
        console.print(
            f"Going on with audit {made.number} of {made.at:%Y-%m-%d}: {len(made.drawn):,} were drawn, "
            f"{len(made.open):,} are left, its promise is {made.promise:.0%}; another begins once it is concluded. "
            f"(End it as it is: reaseq review audits {made.number} --conclude)",
            soft_wrap=True,
        )
        return made
    made = draw(store, count, by=by, category=category, promise=PROMISE if promise is None else promise)
    console.print(
        f"Audit {made.number}: {len(made.drawn):,} of {made.whole.claims:,} verified claims, drawn at random, more "
        "where confidence is lower. Approve what is right; reject, or edit, what is wrong; skip what cannot be told.",
        soft_wrap=True,
    )
    return made


def of_sample(store: Store, sample: AuditReport) -> list[dict[str, Any]]:
    """Its claims that can still be judged, as a review shows them."""
    return [dict(one.claim or {}) | {"traffic": 0} for one in sample.open]


def told(store: Store, console: Console, number: int, by: str) -> None:
    """What an audit says, concluded if everything is judged."""
    from reaseq.knowledge_store.audits import conclude, report

    made, demoted = report(store, number), 0
    if not made.open and made.whole.estimate and not made.whole.unseen and made.concluded_at is None:
        try:
            sure = typer.confirm("All are judged. Conclude the audit?", default=True)
        except typer.Abort:
            sure = False
        if sure:
            made, demoted = conclude(store, number, by=by)
    print_report(console, made, demoted)


def audits(
    number: Annotated[int | None, typer.Argument(help="Of which audit.", show_default="list all")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to a page (.html) or as data (.json).")
    ] = None,
    conclude: Annotated[bool, typer.Option("--conclude", help="End the audit with what was judged.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who concludes.", show_default="the user logged in")] = None,
) -> None:
    """How right verified claims are, by what people said of a random few: with an interval, by confidence, attribute
    and source; and how thresholds were moved.

    `reaseq review --audit 50` draws 50 verified claims, more where confidence is lower, and asks about each; or
    `reaseq review export sheet.csv --audit 50` writes them as a sheet, for `reaseq review apply`. Once all are judged,
    the audit is concluded, and says the same ever after. Where the promise (--promise, .95) is broken, which is where
    the chance that it is kept is below one in four, and twenty claims or more were judged, the threshold moves:
    verified claims that are less sure are proposed from then on, and so is what later runs find. `reaseq review
    threshold` moves it back.

    Examples:

        reaseq review --category shoes --audit 50

        reaseq review audits 1 --output audit.html
    """
    from rich.console import Console

    from reaseq import ReaseqError
    from reaseq.knowledge_store import audits as kept

    console = Console(highlight=False)
    with open_store() as store:
        if number is None:
            if output or conclude:
                raise ReaseqError("which audit? Name its number", hint="reaseq review audits")
            _print_all(console, store)
            return
        demoted = 0
        if conclude:
            made, demoted = kept.conclude(store, number, by=by or getpass.getuser())
        else:
            made = kept.report(store, number)
    print_report(console, made, demoted)
    if output is not None:
        _write(made, output)
        console.print(f"Written: {output}", markup=False)


def threshold(
    value: Annotated[
        float | None, typer.Argument(help="A confidence from .9 to 1.", show_default="show how it was moved")
    ] = None,
    category: Category = None,
    by: Annotated[str | None, typer.Option("--by", help="Who moves it.", show_default="the user logged in")] = None,
) -> None:
    """Verify claims only from another confidence on, of one category or of all. What is less sure is proposed at once;
    what is verified again, the next `reaseq distill` finds.

    Example: reaseq review threshold 0.9 --category shoes
    """
    from rich.console import Console

    from reaseq.knowledge_store.thresholds import move_threshold, verified_from

    console = Console(highlight=False)
    with open_store() as store:
        if value is None:
            _print_thresholds(console, store)
            return
        own = known_category(store, category)
        before = verified_from(store, own)
        demoted = move_threshold(store, own, value, by=by or getpass.getuser())
    of = f" of {category}" if category else ""
    console.print(f"Claims{of} are verified from {value:.3g} on (before: {before:.3g}).")
    if value < before:
        console.print(
            "What was less sure is verified again when it is distilled: reaseq distill --category "
            + (category or "CATEGORY")
        )
    else:
        console.print(f"{demoted:,} verified claims that are less sure are proposed now.")


def print_report(console: Console, made: AuditReport, demoted: int = 0) -> None:
    """The report as tables, with what it comes to."""
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable

    console.print()
    for title, parts in (
        ("confidence", made.by_confidence),
        ("attribute", made.by_attribute),
        ("source", made.by_source),
    ):
        table = Table(title=f"Audit {made.number}, by {title}", title_justify="left")
        for name in (title, "verified claims", "judged", "right", "95 %"):
            table.add_column(name, justify="left" if name == title else "right")
        for part in (*parts, *([made.whole] if title == "confidence" else [])):
            if part.estimate or title == "confidence":
                table.add_row(*(Text(printable(cell)) for cell in cells_of(part)))
        console.print(table)
    for line in verdict_of(made, demoted):
        console.print(line, markup=False, soft_wrap=True)


def cells_of(part: Part) -> list[str]:
    """Name, claims, judged, right, and the interval."""
    found = part.estimate
    said = (
        [f"{found.judged:,}", f"{found.rate:.1%}", f"{found.low:.1%} to {found.high:.1%}"] if found else ["0", "", ""]
    )
    return [part.name, f"{part.claims:,}", *said]


def verdict_of(made: AuditReport, demoted: int = 0) -> list[str]:
    """What it comes to, in sentences."""
    found = made.whole.estimate
    if found is None:
        return [f"Nobody has judged a claim of audit {made.number} yet."]
    of = f" of {made.category}" if made.category else ""
    lines = [
        f"Of the verified claims{of} about {found.rate:.1%} are right (95 %: {found.low:.1%} to {found.high:.1%}). "
        f"{found.judged:,} of {len(made.drawn):,} that were drawn on {made.at:%Y-%m-%d} are judged"
        + (f", {len(made.open):,} are open" if made.open else "")
        + (f"; {made.gone:,} were taken back by a later run before anybody did" if made.gone else "")
        + "."
    ]
    if made.whole.unseen:
        lines.append(
            f"That says nothing of {made.whole.unseen:,} of the {made.whole.claims:,} claims: nobody has judged any "
            "that are as sure as they."
        )
    if made.open and made.worst is not None:
        lines.append(f"Were all wrong that nobody has judged, about {made.worst:.1%} would be right.")
    chance = made.chance or 0.0
    kept = f"The promise was {made.promise:.0%}; the chance that it is kept is {chance:.0%}"
    if made.moved_to is not None:
        lines.append(f"{kept}: it is broken, and the threshold moved from {made.verified_from:.3g} to {_to(made)}.")
        if demoted:
            lines.append(f"{demoted:,} verified claims that are less sure are proposed now.")
        lines.append(f"Next: reaseq review --category {made.category or 'CATEGORY'}")
    elif made.concluded_at is None:
        lines.append(f"{kept}, by what is judged so far.")
    elif made.broken:
        lines.append(f"{kept}: it is broken, but so few judgements move no threshold. Draw more: --audit 50.")
    elif found.low >= made.promise:
        lines.append(f"{kept}: it is kept.")
    else:
        lines.append(f"{kept}: neither shown nor broken. More claims would tell: another audit may be drawn.")
    return lines


def _to(made: AuditReport) -> str:
    moved = made.moved_to or 0.0
    return f"{moved:.3g}" if moved <= 1 else "where nothing is verified by itself"


def _print_all(console: Console, store: Store) -> None:
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.audits import audits as kept
    from reaseq.knowledge_store.audits import report

    rows = kept(store)
    if not rows:
        console.print("Nothing was audited yet. Next: reaseq review --audit 50")
    else:
        table = Table("no.", "when", "by", "category", "judged", "right", "95 %", "promise", title="Audits")
        for row in rows:
            made = report(store, row["id"])
            _, _, judged, right, interval = cells_of(made.whole)
            judged = f"{judged} of {len(made.drawn):,}" + ("" if made.concluded_at else ", open")
            broken = f"{made.promise:.0%}" + ("" if made.moved_to is None else ", broken")
            cells = (str(made.number), f"{made.at:%Y-%m-%d %H:%M}", made.by, made.category or "all", judged, right)
            table.add_row(*(Text(printable(cell)) for cell in (*cells, interval, broken)))
        console.print(table)
        _print_thresholds(console, store)


def _print_thresholds(console: Console, store: Store) -> None:
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.thresholds import thresholds
    from reaseq.taxonomy.trust import VERIFIED_FROM

    rows = thresholds(store)
    if not rows:
        console.print(f"Claims are verified from {VERIFIED_FROM} on, as shipped; no threshold was moved.")
        return
    table = Table("when", "by", "category", "verified from", "because of", title="Thresholds, newest first")
    for row in rows:
        because = "" if row["audit_id"] is None else f"audit {row['audit_id']}"
        to = f"{row['verified_from']:.3g}" if row["verified_from"] <= 1 else "nothing is"
        cells = (f"{row['at']:%Y-%m-%d %H:%M}", row["by"], row["category"] or "all", to, because)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)


def _write(made: AuditReport, output: Path) -> None:
    import json

    from reaseq import ReaseqError
    from reaseq.graphs.report import audit_page
    from reaseq.knowledge_store.export import whole

    writers = {
        ".html": lambda: audit_page(made, verdict_of(made)),
        ".json": lambda: json.dumps(_as_data(made), indent=1),
    }
    if (text := writers.get(output.suffix.casefold())) is None:
        raise ReaseqError(
            f"{output}: a report is written as {' or '.join(writers)}",
            hint=f"reaseq review audits {made.number} --output {output.with_suffix('.html')}",
        )
    whole(output, lambda partial: partial.write_text(text(), encoding="utf-8"))


def _as_data(made: AuditReport) -> dict[str, Any]:
    def parts(some: Sequence[Part]) -> list[dict[str, Any]]:
        return [
            {"name": one.name, "claims": one.claims, **(vars(one.estimate) if one.estimate else {})} for one in some
        ]

    return {
        "audit": made.number,
        "at": made.at.isoformat(),
        "by": made.by,
        "category": made.category,
        "promise": made.promise,
        "chance that it is kept": made.chance,
        "verified from": made.verified_from,
        "moved to": made.moved_to,
        "concluded at": made.concluded_at.isoformat() if made.concluded_at else None,
        "whole": parts([made.whole])[0],
        "by confidence": parts(made.by_confidence),
        "by attribute": parts(made.by_attribute),
        "by source": parts(made.by_source),
        "drawn": [
            {
                name: getattr(one, name)
                for name in ("product_id", "attribute", "value", "confidence", "found_by", "stratum", "right")
            }
            for one in made.drawn
        ],
    }
