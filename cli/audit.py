"""`reaseq review --audit`, `reaseq review audits`: how right verified claims are."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.knowledge import Category, known_category, open_store
from reaseq.cli.tables import Column, LinesOption, Row, Telling, dumped

if TYPE_CHECKING:
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


def told(store: Store, number: int, by: str) -> None:
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
    print_report(made, demoted)


def audits(
    number: Annotated[int | None, typer.Argument(help="Of which audit.", show_default="list all")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to a page (.html) or as data (.json).")
    ] = None,
    conclude: Annotated[bool, typer.Option("--conclude", help="End the audit with what was judged.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who concludes.", show_default="the user logged in")] = None,
    json_: Annotated[bool, typer.Option("--json", help="A line of JSON each; the report of one as JSON.")] = False,
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
    from reaseq import ReaseqError
    from reaseq.knowledge_store import audits as kept

    say = Telling(json_)
    with open_store() as store:
        if number is None:
            if output or conclude:
                raise ReaseqError("which audit? Name its number", hint="reaseq review audits")
            _tell_all(say, store)
            return
        demoted = 0
        if conclude:
            made, demoted = kept.conclude(store, number, by=by or getpass.getuser())
        else:
            made = kept.report(store, number)
    if json_:
        say.end(**as_data(made, demoted))
    else:
        print_report(made, demoted)
    if output is not None:
        _write(made, output)
        say.print(f"Written: {output}")


def threshold(
    value: Annotated[
        float | None, typer.Argument(help="A confidence from .9 to 1.", show_default="show how it was moved")
    ] = None,
    category: Category = None,
    by: Annotated[str | None, typer.Option("--by", help="Who moves it.", show_default="the user logged in")] = None,
    json_: LinesOption = False,
) -> None:
    """Verify claims only from another confidence on, of one category or of all. What is less sure is proposed at once;
    what is verified again, the next `reaseq distill` finds.

    Example: reaseq review threshold 0.9 --category shoes
    """
    from reaseq.knowledge_store.thresholds import move_threshold, verified_from

    say = Telling(json_)
    with open_store() as store:
        if value is None:
            _tell_thresholds(say, store)
            return
        own = known_category(store, category)
        before = verified_from(store, own)
        demoted = move_threshold(store, own, value, by=by or getpass.getuser())
    moved = {"category": own, "verified_from": value, "before": before, "demoted": demoted}
    of = f" of {category}" if category else ""
    say.print(f"Claims{of} are verified from {value:.3g} on (before: {before:.3g}).")
    if value < before:
        say.print(
            "What was less sure is verified again when it is distilled: reaseq distill --category "
            + (category or "CATEGORY")
        )
    else:
        say.print(f"{demoted:,} verified claims that are less sure are proposed now.")
    say.end(**moved)


def print_report(made: AuditReport, demoted: int = 0) -> None:
    """The report as tables, with what it comes to."""
    say, data = Telling(), as_data(made)
    say.print("")
    for title in ("confidence", "attribute", "source"):
        rows = [row for row in data[f"by_{title}"] if row["judged"] or title == "confidence"]
        say.part(
            title,
            [*rows, *([data["whole"]] if title == "confidence" else [])],
            Column(title, "name"),
            Column("verified claims", "claims"),
            Column("judged", "judged"),
            Column("right", "rate", ".1%"),
            Column("95 %", _interval),
            title=f"Audit {made.number}, by {title}",
        )
    for line in verdict_of(made, demoted):
        say.print(line)


def _interval(part: Row) -> str:
    return "" if part["low"] is None else f"{part['low']:.1%} to {part['high']:.1%}"


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


def _tell_all(say: Telling, store: Store) -> None:
    from reaseq.knowledge_store.audits import audits as kept
    from reaseq.knowledge_store.audits import report

    rows = [as_data(report(store, row["id"])) for row in kept(store)]
    if not rows:
        say.print("Nothing was audited yet. Next: reaseq review --audit 50")
        return

    def judged(row: Row) -> str:
        return f"{row['whole']['judged']:,} of {len(row['drawn']):,}" + ("" if row["concluded_at"] else ", open")

    say.rows(
        [{name: value for name, value in row.items() if not (say.json and name in _LONG)} for row in rows],
        Column("no.", "audit", form=""),
        Column("when", lambda row: f"{row['at']:%Y-%m-%d %H:%M}"),
        Column("by", "by"),
        Column("category", "category", none="all"),
        Column("judged", judged),
        Column("right", lambda row: row["whole"]["rate"], ".1%"),
        Column("95 %", lambda row: _interval(row["whole"])),
        Column("promise", lambda row: f"{row['promise']:.0%}" + ("" if row["moved_to"] is None else ", broken")),
        title="Audits",
        narrow=True,
    )
    if not say.json:
        _tell_thresholds(say, store)


def _tell_thresholds(say: Telling, store: Store) -> None:
    from reaseq.knowledge_store.thresholds import thresholds
    from reaseq.taxonomy.trust import VERIFIED_FROM

    rows = thresholds(store)
    if not rows:
        say.print(f"Claims are verified from {VERIFIED_FROM} on, as shipped; no threshold was moved.")
        return
    say.rows(
        rows,
        Column("when", lambda row: f"{row['at']:%Y-%m-%d %H:%M}"),
        Column("by", "by"),
        Column("category", "category", none="all"),
        Column("verified from", lambda row: "nothing is" if row["verified_from"] > 1 else row["verified_from"], ".3g"),
        Column("because of", lambda row: None if row["audit_id"] is None else f"audit {row['audit_id']}"),
        title="Thresholds, newest first",
    )


def _write(made: AuditReport, output: Path) -> None:
    import json

    from reaseq import ReaseqError
    from reaseq.graphs.report import audit_page
    from reaseq.knowledge_store.export import whole

    writers = {
        ".html": lambda: audit_page(made, verdict_of(made)),
        ".json": lambda: json.dumps(json.loads(dumped(as_data(made))), indent=1),
    }
    if (text := writers.get(output.suffix.casefold())) is None:
        raise ReaseqError(
            f"{output}: a report is written as {' or '.join(writers)}",
            hint=f"reaseq review audits {made.number} --output {output.with_suffix('.html')}",
        )
    whole(output, lambda partial: partial.write_text(text(), encoding="utf-8"))


_LONG = ("by_confidence", "by_attribute", "by_source", "drawn")
"""What of an audit a list leaves out."""
_NOTHING = dict.fromkeys(("rate", "low", "high", "right", "effective")) | {"judged": 0}


def as_data(made: AuditReport, demoted: int = 0) -> dict[str, Any]:
    """The report as JSON has it."""

    def part(one: Part) -> dict[str, Any]:
        return {"name": one.name, "claims": one.claims, **(vars(one.estimate) if one.estimate else _NOTHING)}

    return {
        "audit": made.number,
        "at": made.at,
        "by": made.by,
        "category": made.category,
        "promise": made.promise,
        "chance_kept": made.chance,
        "verified_from": made.verified_from,
        "moved_to": made.moved_to,
        "demoted": demoted,
        "concluded_at": made.concluded_at,
        "whole": part(made.whole),
        "by_confidence": list(map(part, made.by_confidence)),
        "by_attribute": list(map(part, made.by_attribute)),
        "by_source": list(map(part, made.by_source)),
        "drawn": [
            {
                name: getattr(one, name)
                for name in ("product_id", "attribute", "value", "confidence", "found_by", "stratum", "right")
            }
            for one in made.drawn
        ],
    }
