"""How results look: a line, a table in notebooks, rows for pandas."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_LONGEST = 80
"""Characters of a cell that are shown."""


class Result:
    """A result that people look at; `told` says it in a line, `records` as rows."""

    def told(self) -> str:
        raise NotImplementedError

    def records(self) -> list[dict[str, Any]]:
        """Rows, all with the same keys."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.told()}>"

    def _repr_html_(self) -> str:
        rows = self.records()
        alone = rows[0].items() if len(rows) == 1 else None  # reads better downwards
        table = html_table((), alone) if alone else html_table(rows[0] if rows else (), (one.values() for one in rows))
        return f"<p>{escape(self.told())}</p>{table}"

    def to_pandas(self) -> Any:
        """A pandas DataFrame; pandas must be installed."""
        import pandas

        return pandas.DataFrame(self.records())


def html_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """An HTML table of cells, with names of columns or without."""
    named = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{named}</tr></thead>' if named else ''}<tbody>{body}</tbody></table>"


def cell(value: Any) -> str:
    """A value for a cell, cut where it is long."""
    said = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def rows_of(number: int) -> str:
    """How many rows, in words."""
    return f"{number:,} row{'' if number == 1 else 's'}"


def counted(counts: Mapping[str, int], names: Sequence[str]) -> str:
    """Those of the counts that are not 0, in words: "58 new, 2 set aside"."""
    return ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in names if counts[name])
