"""Options that say how a file is to be read, where that is not to be found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from reaseq.cli.tables import Telling
    from reaseq.knowledge_store.feeds.dialect import Reading
    from reaseq.knowledge_store.feeds.rows import Feed

_SHOWN = 5

Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="The text's encoding (cp1252, gb18030, ...).")
]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", metavar="SIGN", help="What parts the cells: one sign, or 'tab'.")
]
HeaderRow = Annotated[
    int | None,
    typer.Option("--header-row", min=0, metavar="N", help="The line or row that names the columns; 0: none does."),
]
Sheet = Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook.")]
Records = Annotated[
    str | None,
    typer.Option("--records", metavar="NAME", help="The element of XML, or the path in JSON, that holds a record."),
]
Source = Annotated[
    str, typer.Option("--source", metavar="NAME", help="Whose ids these are: they become NAME:ID, apart from others'.")
]
Locale = Annotated[
    str | None,
    typer.Option(
        "--locale",
        metavar="CODE",
        help="Of columns in several languages those of this one (de_DE). On import also of all texts that say none.",
    ),
]


def reading(
    encoding: str | None, delimiter: str | None, header_row: int | None, sheet: str | None, records: str | None
) -> Reading:
    from reaseq.knowledge_store.feeds.dialect import Reading

    return Reading(encoding, delimiter, header_row, sheet, records)


def add_taken(table: Table, taken: Mapping[str, str]) -> None:
    """Rows of a table that say how the file is read."""
    from rich.text import Text

    from reaseq.cli.progress import printable

    for name, value in taken.items():
        table.add_row(Text(name, style="dim"), Text(printable(value), style="dim"))
    table.add_section()


def print_doubled(console: Telling, feed: Feed) -> None:
    """Keys that objects of a JSON file have twice."""
    from rich.text import Text

    from reaseq.cli.progress import printable

    for key, (count, first) in list(feed.doubled.items())[:_SHOWN]:
        objects = "objects" if count > 1 else "object"
        told = f"{key!r} stands twice in {count:,} {objects} (first in {first}): the last one counts."
        console.print(Text(printable(told), style="yellow"), soft_wrap=True)


def read_as_json(feed: Feed) -> dict[str, Any]:
    """Which file is read, and how."""
    taken = {name.replace(" ", "_"): value for name, value in feed.taken.items()}
    return {"file": str(feed.path), "format": feed.format, "reading": taken}
