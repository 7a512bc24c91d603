"""Records that are in memory already: a data frame, an Arrow table, dictionaries."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from reaseq.knowledge_store.feeds.json_rows import record_of
from reaseq.knowledge_store.feeds.parquet import records_of
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Row, with_columns
from reaseq.knowledge_store.feeds.shapes import shaped

_BATCH = 1000


def frame_feed(source: Any, name: str = "") -> Feed:
    """A feed of a data frame (pandas, polars, or whatever has the Arrow interface `__arrow_c_stream__`), an Arrow
    table, or dictionaries, one a record. name: what its rows are said to be from; by default the source's type.

    Raises:
        FeedError: it is none of these, or has no columns.
    """
    path = Path(name or type(source).__name__)
    table = _as_table(source)
    if table is not None:
        size = max(1, table.num_rows)
        done = 0

        def rows() -> Iterator[list[Row]]:
            nonlocal done
            for some in records_of(table.schema, table.to_batches(max_chunksize=_BATCH)):
                done += len(some)
                yield some

        columns, found = with_columns(chain.from_iterable(rows()))
        columns = [*dict.fromkeys([*columns, *table.column_names])] if table.num_rows == 0 else columns
        return shaped(Feed(path, "data frame", columns, found, size, lambda: done))
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        source = source.to_dict("records")
    if isinstance(source, Iterable) and not isinstance(source, str | bytes | Mapping):
        columns, found = with_columns(record_of(number, _plain(one)) for number, one in enumerate(source, 1))
        if not columns:
            raise FeedError("no record has keys", hint="give dictionaries, one a record")
        return shaped(Feed(path, "records", columns, found, 1, lambda: 1))
    raise FeedError(
        f"a {type(source).__name__} is no feed", hint="give a path, a data frame, an Arrow table or dictionaries"
    )


def _plain(value: Any) -> Any:
    """A record of numpy's numbers and arrays with Python's own, and keys that are text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value


def _as_table(source: Any) -> Any:
    """The Arrow table of a data frame; None of anything else."""
    import pyarrow as pa

    if type(source).__module__.partition(".")[0] == "pandas":
        if not hasattr(source, "columns"):
            raise FeedError(f"a pandas {type(source).__name__} is no feed", hint="give a data frame: series.to_frame()")
        named = [name for name in source.index.names if name is not None and name not in source.columns]
        try:
            return pa.Table.from_pandas(source.reset_index(named) if named else source, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # ids of which some are numbers, some texts
            return None
    if isinstance(source, pa.Table):
        return source
    return pa.table(source) if hasattr(source, "__arrow_c_stream__") else None
