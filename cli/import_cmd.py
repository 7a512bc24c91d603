"""`reaseq import`: a feed file into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.reading import Delimiter, Encoding, HeaderRow, Locale, Records, Sheet, Source
from reaseq.cli.tables import ReportOption, Telling

if TYPE_CHECKING:
    from reaseq.knowledge_store.feeds.rows import Feed
    from reaseq.knowledge_store.importing import ImportReport
    from reaseq.taxonomy.category_paths import CategoryNames

_PREVIEWED = 5
_SHOWN = 5


def import_(
    file: Annotated[
        Path | None,
        typer.Argument(help="The feed: CSV, TSV, Excel, JSON, XML, Parquet or a web page; gzip and zip are fine."),
    ] = None,
    category: Annotated[
        str | None, typer.Option("--category", "-c", help="The category of every row. Default: the feed's own column.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="What a column means; may be given several times."),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Import the sample catalogue of invented shoes.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the columns would become; write nothing.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="What the file has no column for becomes empty, and does not stay.")
    ] = False,
    source: Source = "",
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    header_row: HeaderRow = None,
    sheet: Sheet = None,
    records: Records = None,
    locale: Locale = None,
    json_: ReportOption = False,
) -> None:
    """Import a product feed. How it is read and what its columns mean is found out, and shown.

    Files of Shopify, WooCommerce, Magento, Amazon, Google Merchant, Icecat and schema.org are known by their
    columns; variants are kept with their products. Import the same feed again any time: changed products are
    updated, unchanged ones left alone. A file with some of the columns is an update: what it has no column for stays,
    an empty cell clears. Rows that cannot be used are set aside with line number and reason, and the
    rest goes on.

    Examples:

        reaseq import feed.csv --category shoes

        reaseq import feed.csv --map title="Product Name" --map price="Our Price"

        reaseq import feed.txt --encoding cp1250 --delimiter tab --header-row 3

        reaseq import --sample
    """
    from contextlib import nullcontext
    from functools import partial
    from itertools import islice

    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.progress import FeedBar, printable
    from reaseq.cli.reading import print_doubled, read_as_json, reading
    from reaseq.documents.locales import locale_of
    from reaseq.knowledge_store import samples
    from reaseq.knowledge_store.feeds.columns import names_a_title
    from reaseq.knowledge_store.feeds.opening import open_feed, understood
    from reaseq.knowledge_store.importing import category_name, import_feed, is_called, titled
    from reaseq.knowledge_store.names import codes_in
    from reaseq.knowledge_store.own_frames import as_received
    from reaseq.knowledge_store.store import Store
    from reaseq.taxonomy.category_paths import CategoryNames

    if (file is None) != sample:
        raise ReaseqError("name one feed file, or --sample", hint="reaseq import FILE --category shoes")
    if locale is not None and locale_of(locale) is None:
        raise ReaseqError(f"--locale {locale}: the code of no language", hint="reaseq import FILE --locale de_DE")
    settings = load()
    named = overrides(mapping or [])
    read_as = reading(encoding, delimiter, header_row, sheet, records)
    path = samples.SHOES if sample else file or Path()
    feed = open_feed(path, read_as, partial(names_a_title, overrides=named), as_evidence=True)
    with Store.open(settings.store_url) if Store.is_there(settings.store_url) else nullcontext() as known:
        if known is not None:
            feed = as_received(known, feed, named.values(), all_rows=bool(category or replace or source))
        feed, guess = understood(feed, named, locale, codes_in(known, source) if known is not None else None)
        feed, guess = titled(known, feed, guess, named, source)
    console = Telling(json_)
    read = read_as_json(feed) | {"mapping": guess}
    _print_guess(console, feed, guess)
    if sample:
        category = category or "shoes"
    names = CategoryNames(settings.schemas_dir)
    if dry_run:
        products = _print_preview(console, feed, guess, category, names)
        console.end(**read, products=products, **console.said)
        return
    if category and not is_called(category, category_name(category) or ""):
        told = f"Category: {category} is what reaseq knows as {category_name(category)}."
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    with Store.open(settings.store_url) as store:
        with FeedBar(feed, "importing") as on_progress:
            report = import_feed(
                store,
                feed,
                guess,
                category=category,
                names=names,
                replaces=replace,
                source=source,
                locale=locale,
                rejected_dir=settings.state_dir / "rejected",
                on_progress=on_progress,
            )
        categories = store.categories()
        unknown = store.misplaced(names.categories)
    print_doubled(console, feed)
    _print_report(console, report, replace=replace)
    largest = max((name for name in categories if name), key=lambda name: categories[name], default=None)
    next_one = category_name(category) if category else largest
    if unknown:
        shown = ", ".join(f"{name} ({count:,})" for name, count in islice(unknown.items(), _SHOWN))
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        told = (
            f"Categories that no schema knows: {shown}{more}. Their products go by a general one; or: reaseq categorize"
        )
        console.print(Text(printable(f"{told} --unknown")), soft_wrap=True)
    if next_one:
        console.print(f"Next: reaseq distill --category {next_one}", highlight=False, soft_wrap=True)
    else:
        console.print("Next: reaseq categorize   (or import again with --category NAME)", highlight=False)
    console.end(**read, **report_as_json(report), **console.said)


def overrides(pairs: list[str]) -> dict[str, str]:
    from reaseq import ReaseqError

    overrides = {}
    for pair in pairs:
        field, sign, column = pair.partition("=")
        if not sign:
            raise ReaseqError(f"--map {pair!r}: must be FIELD=COLUMN", hint='--map title="Product Name"')
        overrides[field.strip()] = column.strip()
    return overrides


def _print_guess(console: Telling, feed: Feed, guess: dict[str, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.cli.reading import add_taken
    from reaseq.knowledge_store.feeds.columns import can_be_price, is_of_a_sale, is_recommended, unread_prices

    table = Table(title=f"{feed.path.name} ({feed.format})", title_justify="left")
    table.add_column("field")
    table.add_column("column", overflow="fold")
    add_taken(table, feed.taken)
    for field, column in guess.items():
        table.add_row(field, Text(printable(column)))
    used = set(guess.values())
    rest = [column for column in feed.columns if column not in used]
    if rest:
        table.add_row("attributes (raw)", Text(printable(", ".join(rest))), style="dim")
    console.show(table)
    if "id" not in guess:
        console.print("No column looks like an id: ids are made from title, brand and description.", highlight=False)
    for told in feed.doubts:
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if prices := unread_prices(feed.columns, guess):
        told = f"No column is taken for the price, and of {', '.join(prices)} none says what one thing costs."
        if may_be := [column for column in prices if can_be_price(column)]:
            told = f"No column is taken for the price. One of these may be: {', '.join(may_be)}   "
            told += f'(--map price="{may_be[0]}")'
        console.print(Text(printable(told)), style="yellow", soft_wrap=True)
    if "list_price" in guess:
        counts = "counts where the price is unknown"
        if "price" in guess and is_recommended(guess["list_price"]) and not is_of_a_sale(guess["price"]):
            counts = "is what somebody recommends, and no price"
        console.print(f"list_price {counts}; it stays among the attributes.", highlight=False)


def _print_preview(
    console: Telling, feed: Feed, guess: dict[str, str], category: str | None, names: CategoryNames
) -> list[dict[str, Any]]:
    from itertools import islice

    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.knowledge_store.importing import preview

    products = list(islice(preview(feed, guess, category, names), _PREVIEWED))
    variants = any(product["variants"] for product in products)
    table = Table(title="The first products", title_justify="left")
    table.add_column("field", no_wrap=True, min_width=len("description"))
    for number in range(1, len(products) + 1):
        table.add_column(str(number), ratio=1, overflow="fold")
    fields = ("id", "category", "title", "brand", "price", "currency", "description", "variants")
    for name in fields if variants else fields[:-1]:
        cells = ("" if product[name] is None else printable(str(product[name]))[:120] for product in products)
        table.add_row(name, *map(Text, cells))
    console.show(table)
    console.print("Nothing was written. Next: the same command without --dry-run", highlight=False)
    return products


def report_as_json(report: ImportReport) -> dict[str, Any]:
    """What became of every row; columns that a spreadsheet damaged, with how many cells and one of them."""
    damaged = {
        f"{what}_columns": [{"column": name, "cells": count, "first": first} for name, (count, first) in found.items()]
        for what, found in (("dated", report.dated), ("rounded", report.rounded))
    }
    return {
        **report.counts(),
        **damaged,
        "kept_as_attributes": report.kept_as_attributes,
        "categories_taken": [
            {"said": said, "category": name, "products": count} for (said, name), count in report.taken_for.items()
        ],
        "locales": [{"locale": locale, "products": count} for locale, count in report.locales.items()],
        "rejected": [{"line": line, "reason": reason} for line, reason in report.first_rejected],
        "rejected_file": report.rejected_file,
    }


def _print_report(console: Telling, report: ImportReport, *, replace: bool) -> None:
    from rich.text import Text

    from reaseq.cli.progress import printable

    further = f", {report.further:,} of no product of their own (variants, pictures, other languages)"
    further = further if report.further else ""
    console.print(
        f"{report.rows:,} rows: {report.new:,} new, {report.updated:,} updated, {report.unchanged:,} unchanged, "
        f"{report.repeated:,} repeated ids (the first counts), {report.set_aside:,} set aside"
        f"{further}.",
        highlight=False,
        soft_wrap=True,
    )
    if report.variants:
        console.print(
            f"{report.variants:,} variants ({report.changed_variants:,} were there and changed).",
            highlight=False,
            soft_wrap=True,
        )
    if report.left_variants:
        how = "the file names no products" if replace else "--replace removes them"
        told = f"{report.left_variants:,} more variants of these products are not in the file, and stay ({how})."
        console.print(told, highlight=False, soft_wrap=True)
    if report.removed_variants:
        told = f"{report.removed_variants:,} variants of these products are not in the file, and were removed."
        console.print(told, highlight=False, soft_wrap=True)
    if report.same_ids:
        console.print(
            f"{report.same_ids:,} variants have the id of another one of their product: what they are is added to it.",
            highlight=False,
            soft_wrap=True,
        )
    damaged = (
        (report.dated, "sizes look like dates ({}): did a spreadsheet make them of 10-12?"),
        (report.rounded, "codes are rounded ({}): a spreadsheet has lost their last digits"),
    )
    for found, told in damaged:
        for column, (count, example) in found.items():
            text = f"{column}: {count:,} {told.format(example)}"
            console.print(Text(printable(text), style="yellow"), soft_wrap=True)
    if report.retitled:
        text = f"{report.retitled:,} rows of variants call their product by another title ({report.first_retitled})."
        console.print(Text(printable(text)), soft_wrap=True)
    if report.foreign_titles:
        text = f"{report.foreign_titles:,} products have their title in another language alone: that one was taken."
        console.print(Text(text, style="yellow"), soft_wrap=True)
    if report.taken_for:
        shown = [f"{said} as {name} ({count:,})" for (said, name), count in report.taken_for.most_common(_SHOWN)]
        more = f" and {len(report.taken_for) - _SHOWN:,} more" if len(report.taken_for) > _SHOWN else ""
        console.print(Text(printable(f"Categories taken: {', '.join(shown)}{more}.")), soft_wrap=True)
    if report.locales:
        locales = ", ".join(f"{locale} ({count:,})" for locale, count in report.locales.most_common(_SHOWN))
        console.print(f"Locale of the texts: {locales}.", highlight=False, soft_wrap=True)
    if report.orphans:
        console.print(
            f"{report.orphans:,} variants name a product that no import has brought yet.",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"{report.empty_descriptions:,} products have no description, {report.unknown_prices:,} no known price.",
        highlight=False,
        soft_wrap=True,
    )
    if report.same_names:
        told = f"{report.same_names:,} new products are called as others are already ({report.first_same_name})."
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if report.same_titles:
        told = (
            f"{report.same_titles:,} of the new products have the title of one that is there, and no id to say that "
            "they are it: if they are, give the file a column with its id, SKU or barcode."
        )
        console.print(Text(told, style="yellow"), soft_wrap=True)
    if report.lost_zeros:
        told = (
            f"{report.lost_zeros:,} new products are there with other zeros before their id "
            f"({report.first_lost_zeros}): were leading zeros lost?"
        )
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if report.encoded_twice:
        told = (
            f"{report.encoded_twice:,} products have letters that were encoded twice ({report.first_encoded_twice}): "
            "the text is as the file has it."
        )
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if report.grouped:
        told = f"Prices taken for thousands that may have three decimals: {report.grouped:,} ({report.first_grouped})."
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)
    if report.unread_prices:
        several = "prices" if report.unread_prices > 1 else "price"
        console.print(
            f"{report.unread_prices:,} {several} could not be read; what such products cost before stays.",
            highlight=False,
            soft_wrap=True,
        )
    if report.own_cells:
        told = (
            f"{report.own_cells:,} cells repeat what was found here and written by an export: they are no new evidence."
        )
        console.print(told, style="yellow", highlight=False, soft_wrap=True)
    if report.cleared:
        console.print(f"{report.cleared:,} fields held something and are empty now.", highlight=False, soft_wrap=True)
    if report.elsewhere:
        console.print(
            f"{report.elsewhere:,} products were known from another file by the same id "
            "(if they are others: --source NAME keeps them apart).",
            highlight=False,
            soft_wrap=True,
        )
    if report.made_ids:
        console.print(
            f"{report.made_ids:,} products came without an id: theirs is made from title, brand and description.",
            highlight=False,
            soft_wrap=True,
        )
    for line, reason in report.first_rejected:
        console.print(Text(f"  line {line}: {printable(reason)}", style="yellow"), soft_wrap=True)
    if report.rejected_file:
        console.print(Text(f"Rows set aside, with reasons: {report.rejected_file}"), soft_wrap=True)
    if report.rows and report.set_aside == report.rows and "title" not in report.mapping:
        console.print("No row could be used. If it is no update: which column is the title? --map title=COLUMN")
