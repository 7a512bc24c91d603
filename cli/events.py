"""`reaseq import-events` and `reaseq events`: behaviour logs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.reading import Delimiter, Encoding, HeaderRow, Records, Sheet
from reaseq.cli.tables import Column, LinesOption, ReportOption, Row, Telling

if TYPE_CHECKING:
    from collections import Counter

_FEW, _MANY_OF_ZERO = 20, 0.02
"""Rows, and their share: no one person does so much."""
_MOST_KINDS = 50
_SHOWN = 10

app = typer.Typer(no_args_is_help=True, help="The behaviour log: what it is like, what a user did.")


def import_events(
    file: Annotated[Path | None, typer.Argument(help="The log: CSV, TSV, JSON lines or Parquet; gzip is fine.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="What a column means; may be given several times."),
    ] = None,
    kind: Annotated[str, typer.Option("--kind", help="The kind of events that name none.")] = "purchase",
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first",
            help="How 01/02/2026 is meant where no time of the file tells.",
            show_default="set aside",
        ),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Import the invented log of the sample catalogue.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what the columns mean; write nothing.")] = False,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    header_row: HeaderRow = None,
    sheet: Sheet = None,
    records: Records = None,
    json_: ReportOption = False,
) -> None:
    """Import a behaviour log: who did what with which product, when.

    Fields: user, item, time or position, kind, impressions (what was shown beside), label (1 acted on, 0 passed over),
    bought, carted (flags), quantity, status.
    Import the same log again any time: no event is added twice. Rows that cannot be used and rows of products that are
    not in the catalogue are set aside with line number and reason, and the rest goes on.

    Examples:

        reaseq import-events orders.csv

        reaseq import-events clicks.parquet --map user=visitor --map time=ts --kind click

        reaseq import-events --sample
    """
    from rich.table import Table
    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.import_cmd import overrides
    from reaseq.cli.progress import FeedBar, printable
    from reaseq.cli.reading import add_taken, print_doubled, read_as_json, reading
    from reaseq.knowledge_store import event_columns, event_reader, events, samples
    from reaseq.knowledge_store.feeds.opening import open_feed
    from reaseq.knowledge_store.names import Names, read_names
    from reaseq.knowledge_store.store import Store

    if (file is None) != sample:
        raise ReaseqError("name one log file, or --sample", hint="reaseq import-events FILE")
    settings = load()
    named = overrides(mapping or [])
    read_as = reading(encoding, delimiter, header_row, sheet, records)
    path = samples.SHOE_EVENTS if sample else file or Path()
    feed = open_feed(path, read_as, partial(event_columns.names_a_user, overrides=named))
    names = Names()
    if Store.is_there(settings.store_url) or not dry_run:
        with Store.open(settings.store_url) as store:
            names = read_names(store)
    feed, fields = event_columns.understood(feed, named, names)
    console = Telling(json_)
    table = Table("field", "column", title=f"{feed.path.name} ({feed.format})", title_justify="left")
    add_taken(table, feed.taken)
    for name, column in fields.items():
        table.add_row(name, Text(printable(column)))
    rest = [column for column in feed.columns if column not in fields.values()]
    if rest:
        table.add_row("not used", Text(printable(", ".join(rest))), style="dim")
    console.show(table)
    if not {"time", "position"} & set(fields):
        console.print("No column is a time or a position: the order of the rows is the order of events.")
    if not {"kind", "label", "bought", "carted"} & set(fields):
        counts_as = event_reader.kind_of(fields, kind)
        back = event_reader.tells_of_returns(feed.columns, fields)
        but = f", or as a return where {' or '.join(back)} says so" if back else ""
        console.print(
            printable(f"No column says what was done: every row counts as {counts_as}{but}   (or: --kind view)"),
            markup=False,
            soft_wrap=True,
        )
    for told in feed.doubts:
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if ratings := [one for one in rest if "rating" in one.casefold() or "stars" in one.casefold()]:
        told = f"How much a thing was liked counts for nothing: {', '.join(ratings)} is not used."
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    read = read_as_json(feed) | {"mapping": fields, "not_used": rest}
    if dry_run:
        console.print("Nothing was written. Next: the same command without --dry-run", highlight=False)
        console.end(**read, **console.said)
        return
    with Store.open(settings.store_url) as store, FeedBar(feed, "importing") as on_progress:
        report = events.import_events(
            store,
            feed,
            fields,
            names=names,
            kind=kind,
            dates="" if day_first is None else "day" if day_first else "month",
            rejected_dir=settings.state_dir / "rejected",
            on_progress=on_progress,
        )
    table = Table("", "rows")
    table.add_row("read", f"{report.rows:,}")
    table.add_row("new events", f"{report.events:,}")
    table.add_row("there already", f"{report.repeated:,}")
    if report.again:
        table.add_row("  reported again under one id", f"{report.again:,}")
    if report.corrected:
        table.add_row("  of another status now", f"{report.corrected:,}")
    table.add_row("set aside", f"{report.set_aside:,}")
    table.add_row("  of unknown products", f"{report.unknown_items:,}")
    if report.unknown_shown:
        table.add_row("unknown products that were shown", f"{report.unknown_shown:,}")
    console.show(table)
    said = [(words, what, count) for (words, what), count in report.kinds.most_common()]
    if any(words for words, _, _ in said):
        table = Table("what rows say", "taken for", "rows", title="Kinds of events", title_justify="left")
        for words, what, count in said[:_MOST_KINDS]:
            table.add_row(Text(printable(words or "(nothing)")), Text(printable(what)), f"{count:,}")
        if len(said) > _MOST_KINDS:
            table.add_row(f"{len(said) - _MOST_KINDS:,} more", "", f"{sum(row[2] for row in said[_MOST_KINDS:]):,}")
        console.show(table)
    if report.unknown_states:
        for words in _unknown(report.unknown_states):
            console.print(Text(printable(words), style="yellow"), soft_wrap=True)
    if report.unknown_kinds:
        shown = _first_of(report.unknown_kinds)
        told = (
            f"{sum(report.unknown_kinds.values()):,} rows are of a kind that is not understood: it counts as a kind of "
            f'its own: {shown}. If one says that a thing came back, write it as "returned".'
        )
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if report.by_device:
        told = f"{report.by_device:,} rows name no user: their {report.device} stands for one, known by nothing else."
        console.print(Text(printable(told)), soft_wrap=True)
    print_doubled(console, feed)
    if report.rounded:
        told = (
            f"{report.rounded:,} times are rounded ({report.first_rounded}): a spreadsheet has lost their last digits, "
            "and they are near to when it was."
        )
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if report.of_zero > report.rows * _MANY_OF_ZERO:
        told = (
            f"{report.of_zero:,} rows are of the user 0: if that is whoever has no account, they are nobody's history."
        )
        console.print(Text(told, style="yellow"), soft_wrap=True)
    if report.unknown_shown:
        told = (
            f"{report.unknown_shown:,} of what was shown is not in the catalogue, and left out "
            f"({report.first_unknown_shown} is the first)."
        )
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    for line, reason in report.first_rejected:
        console.print(Text(f"line {line}: {printable(reason)}"), soft_wrap=True)
    if report.rejected_file:
        console.print(f"Set aside: {report.rejected_file}", highlight=False, soft_wrap=True)
    console.print("Next: reaseq events stats, then reaseq train-ranker", highlight=False)
    console.end(
        **read,
        **report.counts(),
        clock=report.clock,
        kinds=[{"said": words, "kind": what, "rows": count} for words, what, count in said],
        rejected=[{"line": line, "reason": reason} for line, reason in report.first_rejected],
        rejected_file=report.rejected_file,
        **console.said,
    )


def _unknown(states: Counter[tuple[str, str]]) -> list[str]:
    """What to say of statuses that nobody understands, a sentence a column."""
    made = []
    for column in dict.fromkeys(column for column, _ in states):
        counts = {said: count for (of, said), count in states.most_common() if of == column}
        made.append(
            f"{sum(counts.values()):,} rows have a {column} that is not understood, and count as if it were not there: "
            f'{_first_of(counts)}. If one says that a thing came back, write it as "returned".'
        )
    return made


def _first_of(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{said} ({count:,})" for said, count in list(counts.items())[:_SHOWN])
    return shown + (f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else "")


@app.command("stats")
def stats(json_: ReportOption = False) -> None:
    """Show what the behaviour log is like: size, kinds, how often products and users occur, events a month.

    Example: reaseq events stats
    """
    from rich.table import Table
    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.knowledge_store import events
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        found = events.event_stats(store)
        timed = found["clock"] == "time"
        by_month = events.months(store) if timed else {}
    if not found["kinds"]:
        raise ReaseqError("there are no events yet", hint="reaseq import-events FILE")
    say = Telling(json_)
    table = Table("behaviour log", "")
    for name in ("events", "users", "items", "items never seen"):
        table.add_row(name, f"{found[name]:,}")
    table.add_row("density", f"{found['density']:.4%}")
    table.add_row("events a basket", f"{found['events a basket']:.2f}")
    table.add_row("repeats of a product by its user", f"{found['repeated']:.1%}")
    if timed:
        table.add_row("from, to", ", ".join(str(moment(found[name], timed))[:10] for name in ("first", "last")))
    else:
        table.add_row("order", "by position: the log knows no times")
    say.show(table)
    say.part(
        "kinds",
        [{"kind": kind, "events": number} for kind, number in sorted(found["kinds"].items(), key=lambda one: -one[1])],
        Column("kind", "kind"),
        Column("events", "events"),
    )
    for title, name in (("products by events", "items by events"), ("events a user", "events a user")):
        table = Table(title, *found[name])
        table.add_row("", *(f"{number:,.0f}" for number in found[name].values()))
        say.show(table)
    most = max(by_month.values(), default=0)
    say.part(
        "months",
        [{"month": month, "events": number} for month, number in by_month.items()],
        Column("month", "month"),
        Column("events", "events"),
        Column("", lambda row: Text(_bar(row["events"] / most), style="blue")),
    )
    say.end(
        **{name: found[name] for name in ("events", "users", "items", "density", "clock")},
        items_never_seen=found["items never seen"],
        events_per_basket=found["events a basket"],
        repeat_share=found["repeated"],
        **{name: moment(found[name], timed) if timed else found[name] for name in ("first", "last")},
        items_by_events=found["items by events"],
        events_per_user=dict(zip(("median", "p90", "max"), found["events a user"].values(), strict=True)),
    )
    say.print("Next: reaseq train-ranker")


@app.command("users")
def users(
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many users.")] = 50,
    json_: LinesOption = False,
) -> None:
    """List the users of the behaviour log, those with most events first; what was only shown to them does not count.

    Example: reaseq events users --limit 20
    """
    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.progress import printable
    from reaseq.knowledge_store import events
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        found = events.users(store, limit)
        timed = store.clock() == "time"
    if not found:
        raise ReaseqError("there are no events yet", hint="reaseq import-events FILE")
    say = Telling(json_)
    say.rows(
        [one | {name: moment(one[name], timed) if timed else one[name] for name in ("first", "last")} for one in found],
        Column("user", "user_id"),
        Column("events", "events"),
        Column("products", "products"),
        *(Column(name, partial(_shown, name)) for name in ("first", "last")),
    )
    say.print(f"Next: reaseq events show --user {printable(found[0]['user_id'])}")


@app.command("show")
def show(
    user: Annotated[str, typer.Option("--user", "-u", help="The user's id in the log.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Only the last N events.")] = 50,
    json_: LinesOption = False,
) -> None:
    """Show what a user did, returns included, newest last; not what was only shown to them.

    Example: reaseq events show --user 4711
    """
    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.knowledge_store import events
    from reaseq.knowledge_store.feeds.rows import identifier
    from reaseq.knowledge_store.order_states import IMPRESSION
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        found = events.history(store, identifier(user) or user, limit, without=(IMPRESSION,))
        timed = store.clock() == "time"
    if not found:
        raise ReaseqError(f"no events of user {user!r}", hint="reaseq events users")
    Telling(json_).rows(
        [event_row(event, timed) for event in found],
        Column("when", lambda row: _shown("time", row) if timed else f"{row['position']:g}"),
        Column("kind", "kind"),
        Column("product", "product_id"),
        Column("title", "title"),
    )


def moment(at: float, timed: bool) -> str | float:
    """When something was, by ISO 8601, or its position in a log without times."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat() if timed else at


def event_row(event: Mapping[str, Any], timed: bool) -> dict[str, Any]:
    """An event of a user's history as JSON has it; of time and position one is null."""
    when = {"time": moment(event["at"], timed) if timed else None, "position": None if timed else event["at"]}
    return when | {name: event[name] for name in ("kind", "product_id", "title")}


def _shown(name: str, row: Row) -> str:
    """A moment, for people."""
    return row[name][:16].replace("T", " ") if isinstance(row[name], str) else f"{row[name]:g}"


def _bar(share: float, width: int = 40) -> str:
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + ("" if eighths % 8 == 0 else "▏▎▍▌▋▊▉"[eighths % 8 - 1])
