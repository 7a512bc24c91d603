"""Records that are in memory already: a data frame, an Arrow table, dictionaries."""

from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import chain
from pathlib import Path
from typing import Any

from reaseq.knowledge_store.feeds.delimited import unique
from reaseq.knowledge_store.feeds.json_rows import record_of
from reaseq.knowledge_store.feeds.parquet import records_of
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Row, with_columns
from reaseq.knowledge_store.feeds.shapes import shaped
from reaseq.knowledge_store.native import in_words, is_missing, native, record_in

IN_MEMORY = ("data frame", "records")
"""Formats of feeds whose size is a number of rows."""
_BATCH = 1000


def frame_feed(source: Any, name: str = "") -> Feed:
    """A feed of a data frame (pandas, polars, or whatever has the Arrow interface `__arrow_c_stream__`), an Arrow
    table, or dictionaries, one a record. name: what its rows are said to be from; by default the source's type. What is
    empty has no rows, and perhaps no columns. Its size is its number of rows, 0 of what has no length.

    Raises:
        FeedError: it is none of these, or has rows without columns.
    """
    path = Path(name or type(source).__name__)
    source = _with_names(source)
    table = _as_table(source)
    if table is not None:
        done = 0

        def rows() -> Iterator[list[Row]]:
            nonlocal done
            for some in records_of(table.schema, table.to_batches(max_chunksize=_BATCH)):
                done += len(some)
                yield some

        columns, found = with_columns(chain.from_iterable(rows()))
        columns = [*dict.fromkeys([*columns, *table.column_names])] if table.num_rows == 0 else columns
        return shaped(Feed(path, "data frame", columns, found, table.num_rows, lambda: done))
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        source = source.to_dict("records")
    if isinstance(source, Iterable) and not isinstance(source, str | bytes | Mapping):
        read = 0

        def records() -> Iterator[Row]:
            nonlocal read
            for read, one in enumerate(source, 1):
                yield record_of(read, native(record_in(one)))

        columns, found = with_columns(records())
        if not columns and next(found, None) is not None:
            raise FeedError("no record has keys", hint='give dictionaries, one a row: [{"id": "1", "title": "Boot"}]')
        return shaped(
            Feed(path, "records", columns, found, len(source) if isinstance(source, Sized) else 0, lambda: read)
        )
    raise FeedError(f"no rows can be read from {in_words(source)}", hint=_hint(source))


def _hint(source: Any) -> str:
    name = type(source).__name__
    if isinstance(source, Mapping):
        return "a row of its own in a list: [row]; a dictionary of columns as a data frame: pyarrow.table(columns)"
    if name == "LazyFrame":
        return "collect it: frame.collect()"
    if name == "Series":
        return "a row in a list: [row]; a column as a data frame: column.to_frame()"
    return "give the path of a file, a data frame (pandas, polars, Arrow), or dictionaries, one a row"


def _with_names(source: Any) -> Any:
    """A data frame of pandas with names of columns that are text, each once, and its named indexes as columns; the
    records of a structured array of NumPy; anything else as it is."""
    if names := getattr(getattr(source, "dtype", None), "names", None):
        return [dict(zip(names, row, strict=True)) for row in source.tolist()]
    if type(source).__module__.partition(".")[0] != "pandas":
        return source
    if not hasattr(source, "columns"):
        raise FeedError(f"no rows can be read from {in_words(source)}", hint=_hint(source))
    named = [name for name in source.index.names if name is not None and name not in source.columns]
    source = source.reset_index(named) if named else source
    return source.set_axis(unique([_called(name) for name in source.columns]), axis=1)


def _called(name: Any) -> str:
    """A column's name as text; of one in levels all of it."""
    parts = name if isinstance(name, tuple) else (name,)
    return ".".join(str(part) for part in parts if not is_missing(part) and part != "")


def _as_table(source: Any) -> Any:
    """The Arrow table of a data frame; None of anything else."""
    import pyarrow as pa

    if type(source).__module__.partition(".")[0] == "pandas":
        try:
            return pa.Table.from_pandas(source, preserve_index=False)
        except (pa.ArrowException, OverflowError):  # ids of which some are numbers, some texts
            return None
    if isinstance(source, pa.Table):
        return source
    return pa.table(source) if hasattr(source, "__arrow_c_stream__") else None
