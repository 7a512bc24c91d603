"""Tables of what a store holds, for whatever library works with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from reaseq import ReaseqError
from reaseq.knowledge_store.native import native

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 20


class Frame:
    """Rows and columns. Any library that reads the Arrow interface takes it: `pandas.DataFrame.from_records`,
    `polars.DataFrame(frame)`, `duckdb.sql("select * from frame")`."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], types: Mapping[str, Any]) -> Frame:
        """types: of the columns, in their order."""
        import pyarrow as pa

        schema = pa.schema(list(types.items()))
        return cls(pa.Table.from_pylist([dict(row) for row in rows], schema=schema))

    @property
    def columns(self) -> list[str]:
        return list(self._table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Its rows."""
        for batch in self._table.to_batches():
            yield from batch.to_pylist()

    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    @overload
    def __getitem__(self, key: SupportsIndex) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice) -> Frame: ...
    def __getitem__(self, key: str | SupportsIndex | slice) -> Any:
        """A column's values by its name, a row by its number, or some rows.

        Raises:
            ReaseqError: there is no such column.
            IndexError: there is no such row.
        """
        if isinstance(key, slice):
            import numpy as np

            return Frame(self._table.take(np.arange(*key.indices(len(self)))))
        key = native(key)
        if isinstance(key, int) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"row {key} of {len(self):,}")
            return self._table.slice(key % len(self), 1).to_pylist()[0]
        if isinstance(key, list):
            named = all(isinstance(one, str) for one in key)
            hint = f"frame.to_arrow().select({key!r})" if named else "frame.to_arrow().filter(...), or frame[:10]"
            raise ReaseqError(f"one column or row at a time: {key!r:.80}", hint=hint)
        if key not in self.columns:
            raise ReaseqError(f"no column {key!r}", hint=f"one of: {', '.join(self.columns)}")
        return self._table.column(key).to_pylist()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        return self._table

    def to_pandas(self) -> Any:
        """A pandas DataFrame; pandas must be installed."""
        return self._table.to_pandas()

    def to_polars(self) -> Any:
        """A polars DataFrame; polars must be installed."""
        import polars

        return polars.from_arrow(self._table)

    def __repr__(self) -> str:
        return f"<Frame: {len(self):,} rows of {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        from reaseq.knowledge_store.shown import html_table

        table = html_table(self.columns, (row.values() for row in self._table.slice(0, _SHOWN).to_pylist()))
        more = f"<p>{len(self):,} rows, the first {_SHOWN} shown</p>" if len(self) > _SHOWN else ""
        return table + more
