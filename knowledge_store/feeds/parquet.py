"""Parquet, a batch of records at a time."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.delimited import unique
from reaseq.knowledge_store.feeds.rows import (
    BadRow,
    Feed,
    FeedError,
    Layout,
    Record,
    Row,
    checked,
    flat,
    unstorable,
    with_columns,
)

_BATCH = 1000


def parquet(path: Path, raw: BinaryIO, size: int) -> Feed:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(raw)
    except pa.ArrowException as error:
        raise FeedError(f"{path}: broken Parquet file: {error}", hint="export it again") from error
    total = max(1, file.metadata.num_rows)
    done = 0
    names = unique(file.schema_arrow.names)
    nested = has_nested(file.schema_arrow)

    def rows() -> Iterator[list[Row]]:
        nonlocal done
        for group in range(file.num_row_groups):
            end = done + file.metadata.row_group(group).num_rows
            try:
                for some in records_of(file.schema_arrow, file.iter_batches(_BATCH, row_groups=[group]), done):
                    done += len(some)
                    yield some
            except (pa.ArrowException, OSError) as error:
                yield [BadRow(done + 1, f"records {done + 1} to {end} cannot be read: {error}", "")]
                done = end

    layout = Layout("Parquet", columns=tuple(names))
    every = chain.from_iterable(rows())
    columns, found = with_columns(every) if nested else (names, every)
    return Feed(path, "Parquet", columns, found, size, lambda: size * done // total, layout=layout)


def has_nested(schema: Any) -> bool:
    """Are there columns of objects?"""
    import pyarrow as pa

    return any(pa.types.is_struct(kind) or pa.types.is_map(kind) for kind in schema.types)


def records_of(schema: Any, batches: Iterable[Any], done: int = 0) -> Iterator[list[Row]]:
    """The records of each of the Arrow batches of a schema. done: how many came before."""
    names, nested = unique(schema.names), has_nested(schema)
    for batch in batches:
        columns, sound = _columns(batch)
        lines = range(done + 1, done + 1 + batch.num_rows)
        values = [dict(zip(names, cells)) for cells in zip(*columns, strict=True)]  # noqa: B905 - a fifth of the time goes into asking
        # As `Record(line, values)` makes it, in a third of the time.
        rows: list[Row] = (
            list(map(partial(tuple.__new__, Record), zip(lines, values, repeat(()), repeat(True))))
            if sound
            else list(map(checked, lines, values))
        )
        if nested:
            rows = [row._replace(values=flat(row.values)) if isinstance(row, Record) else row for row in rows]
        done += batch.num_rows
        yield rows


def _columns(batch: Any) -> tuple[list[list[Any]], bool]:
    """The values of a batch by column, and whether no database would refuse any: texts are looked at together."""
    import pyarrow as pa

    made, sound = [], True
    for column in batch.columns:
        values = column.to_pylist()
        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            sound = sound and unstorable("".join(filter(None, values))) is None
        elif pa.types.is_float32(kind):
            values = column.cast(pa.string()).cast(pa.float64()).to_pylist()  # 9.99, not 9.989999771118164
        elif pa.types.is_map(kind):
            values, sound = [None if one is None else _decoded(dict(one)) for one in values], False
        elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_dictionary(kind):
            values, sound = list(map(_decoded, _shortest(values, kind) if "float" in str(kind) else values)), False
        made.append(values)
    return made, sound


def _shortest(values: list[Any], kind: Any) -> list[Any]:
    """Values of a nested type with the fewest digits that tell its numbers of 32 bits."""
    import numpy as np
    import pyarrow as pa

    def short(value: Any, kind: Any) -> Any:
        if value is None:
            return None
        if pa.types.is_float32(kind):
            return float(str(np.float32(value)))
        if pa.types.is_struct(kind):
            return {one.name: short(value[one.name], one.type) for one in kind}
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return [short(one, kind.value_type) for one in value]
        return value

    return [short(value, kind) for value in values]


def _decoded(value: Any) -> Any:
    """`value` with text for bytes (older writers do not mark text as such), and lists for tuples.

    Bytes that are no text, pictures for instance, are left out.
    """
    if isinstance(value, bytes):
        try:
            return None if b"\x00" in value else value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_decoded(item) for item in value]
    return value
