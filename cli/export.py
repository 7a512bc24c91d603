"""`reaseq export`: a feed with what is known filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reaseq.cli.reading import Delimiter, Encoding, HeaderRow, Locale, Records, Sheet, Source


def export(
    file: Annotated[
        Path, typer.Argument(help="The feed that was imported: CSV, TSV, JSON or XML (gzip is fine), Excel, Parquet.")
    ],
    target: Annotated[Path, typer.Argument(help="Where the filled feed goes.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="What a column means, as it was given to `reaseq import`."),
    ] = None,
    defuse: Annotated[
        bool, typer.Option("--defuse", help="Put a quote mark before values that a spreadsheet would run as a formula.")
    ] = False,
    only_approved: Annotated[
        bool, typer.Option("--only-approved", help="Only values that somebody approved or edited.")
    ] = False,
    min_confidence: Annotated[
        float,
        typer.Option("--min-confidence", min=0.0, max=1.0, help="Of verified values only those at least so sure."),
    ] = 0.0,
    source: Source = "",
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    header_row: HeaderRow = None,
    sheet: Sheet = None,
    records: Records = None,
    locale: Locale = None,
) -> None:
    """Write a feed anew, with what is known of its products: empty cells filled, columns added, all else untouched.

    Values are those that were verified, approved or edited. What somebody edited also replaces what a cell holds; of a
    cell that holds several things (Magento's additional_attributes, a line each, JSON, WooCommerce's attributes) that
    part. What a cell holds already, alone or among others, stays. With nothing known the file comes out as it went in.
    Where each comes from is written beside the target, to TARGET.provenance.jsonl.

    How the feed is read is said as it was to `reaseq import`.

    Example: reaseq export feed.csv filled.csv
    """
    from rich.console import Console
    from rich.text import Text

    from reaseq.api.settings import load
    from reaseq.cli.import_cmd import overrides
    from reaseq.cli.progress import StepBar, printable
    from reaseq.cli.reading import reading
    from reaseq.knowledge_store.feed_export import fill_feed
    from reaseq.knowledge_store.store import Store

    settings = load()
    with Store.open(settings.store_url) as store, StepBar(Console(stderr=True), "bytes read") as bar:
        report = fill_feed(
            store,
            file,
            target,
            overrides(mapping or []),
            defuse=defuse,
            only_decided=only_approved,
            least=min_confidence,
            source=source,
            reading=reading(encoding, delimiter, header_row, sheet, records),
            locale=locale,
            on_progress=lambda feed, _: bar.step(feed.position(), feed.size),
        )
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{report.rows:,} rows, {report.touched:,} changed: {report.filled:,} cells filled, "
        f"{report.added:,} values in {len(report.new_columns):,} new columns, {report.held:,} held already."
    )
    if report.other_text:
        console.print(
            f"{report.other_text:,} rows have another title or description than was imported, and are left as they are."
        )
    if report.outdated:
        console.print(
            f"{report.outdated:,} values rest on words that the text has no longer, and stay out. "
            "Next: reaseq distill, and export again"
        )
    if report.unwritable:
        console.print(
            Text(
                f"{report.unwritable:,} values cannot be written in the file's encoding, e.g. "
                f"{printable(report.first_unwritable)!r}. Save the feed as UTF-8, and export again",
                style="yellow",
            )
        )
    if not report.touched and not report.held:
        console.print("Nothing that may be filled in is known of its products. Next: reaseq distill, reaseq review")
    console.print(Text(f"Written: {printable(str(target))}, and beside it where each value comes from."))
