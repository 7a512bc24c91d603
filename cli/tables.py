"""What commands tell: tables and sentences for people or, with --json, the same rows as JSON and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

LinesOption = Annotated[bool, typer.Option("--json", help="A line of JSON each.")]
ReportOption = Annotated[bool, typer.Option("--json", help="As JSON.")]

Row = Mapping[str, Any]

WIDE = 100
"""Columns of a terminal from which on tables of many columns can be read."""


class Column(NamedTuple):
    """A column that people see. value: a row's key, or what makes the cell of a row. form: how a number is written.
    none: what stands for None."""

    heading: str
    value: str | Callable[[Row], object]
    form: str = ","
    none: str = ""


USAGE = (
    Column("agent", "agent"),
    Column("calls", "calls"),
    Column("prompt tokens", "prompt_tokens"),
    Column("reply tokens", "completion_tokens"),
    Column("cost", "cost", ",.4f", none="-"),
)
"""Of rows that say what an agent's calls take."""


class Telling:
    """How a command answers. Tables come of rows, whose keys are JSON's: typed, in snake case, the same ever after.

    With --json sentences go to standard error, and what is only for people is left out.
    """

    def __init__(self, json_: bool = False) -> None:
        from rich.console import Console

        self.json = json_
        self.console = Console(stderr=json_, highlight=False)
        self._report: dict[str, Any] = {}
        self.said: dict[str, list[str]] = {"notes": [], "warnings": []}
        """What was said so far, but for what to do next."""

    def print(self, sentence: str | Text, *, style: str | None = None, **how: Any) -> None:
        """Say something. style: yellow is a warning."""
        text = sentence if isinstance(sentence, str) else sentence.plain
        if not text.startswith("Next:"):
            yellow = "yellow" in (style, None if isinstance(sentence, str) else sentence.style)
            self.said["warnings" if yellow else "notes"].append(text.strip())
        self.console.print(sentence, style=style, **{"markup": False, "soft_wrap": True} | how)

    def show(self, what: RenderableType) -> None:
        """Show people something that JSON has otherwise."""
        if not self.json:
            self.console.print(what)

    def rows(self, rows: Iterable[Row], *columns: Column, title: str = "", narrow: bool = False) -> None:
        """A list: a line of JSON each, or a table. narrow: a block each where the terminal is not wide."""
        if self.json:
            for row in rows:
                typer.echo(dumped(row))
        else:
            self._table(list(rows), columns, title, narrow)

    def part(self, key: str, rows: Sequence[Row], *columns: Column, title: str = "", narrow: bool = False) -> None:
        """Rows of a report: a list under `key`, or a table if there are any."""
        self._report[key] = rows
        if rows and not self.json:
            self._table(rows, columns, title, narrow)

    def end(self, **facts: Any) -> None:
        """The report as JSON: facts, then its parts."""
        if self.json:
            typer.echo(dumped(facts | self._report))

    def _table(self, rows: Sequence[Row], columns: Sequence[Column], title: str, narrow: bool) -> None:
        from rich.text import Text

        if not narrow or self.console.width >= WIDE:
            self.console.print(table_of(rows, columns, title))
            return
        if title:
            self.console.print(Text(title, style="italic"))
        for row in rows:
            self.console.print(_block(row, columns, self.console.width))


def table_of(rows: Sequence[Row], columns: Sequence[Column], title: str = "") -> Table:
    """A table; numbers stand to the right."""
    from rich.table import Table
    from rich.text import Text

    from reaseq.cli.progress import printable

    table = Table(title=Text(printable(title), style="table.title") if title else None, title_justify="left")
    for column in columns:
        numbers = any(isinstance(_value(column, row), int | float) for row in rows)
        table.add_column(Text(printable(column.heading)), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(column, row) for column in columns))
    return table


def dumped(value: Any) -> str:
    """JSON in one line of ASCII, in which nothing of a stranger's text can move a cursor or end the line."""
    return json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    """As JSON has it: moments by ISO 8601, null for what is no number, and all else that it does not know in words."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Iterable):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else str(value)


def _value(column: Column, row: Row) -> object:
    return column.value(row) if callable(column.value) else row[column.value]


def _cell(column: Column, row: Row) -> Text:
    from rich.text import Text

    from reaseq.cli.progress import printable

    value = _value(column, row)
    if isinstance(value, Text):
        return value
    if value is None:
        return Text(column.none)
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    return Text(format(value, column.form) if isinstance(value, int | float) else printable(str(value)))


def _block(row: Row, columns: Sequence[Column], width: int) -> RenderableType:
    """The first two cells, and below them the others by their headings, as many in a line as there is room for."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    first, second, *others = ((column.heading, _cell(column, row)) for column in columns)
    lines = [Text()]
    for heading, cell in others:
        if cell.plain:
            item = Text.assemble((f"{heading}: ", "dim"), cell)
            if lines[-1].plain and lines[-1].cell_len + 3 + item.cell_len > width - 2:
                lines.append(Text())
            lines[-1].append("   " if lines[-1].plain else "").append_text(item)
    head = Text.assemble((first[1].plain, "bold"), "  ", second[1])
    return Group(head, *(Padding(line, (0, 0, 0, 2)) for line in lines if line.plain))
