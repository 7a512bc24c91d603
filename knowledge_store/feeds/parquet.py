"""Parquet, a batch of records at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Layout, Row, checked

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

    def rows() -> Iterator[Row]:
        nonlocal done
        for group in range(file.num_row_groups):
            end = done + file.metadata.row_group(group).num_rows
            try:
                for batch in file.iter_batches(_BATCH, row_groups=[group]):
                    for values in map(_decoded, batch.to_pylist()):
                        done += 1
                        yield checked(done, values)
            except (pa.ArrowException, OSError) as error:
                yield BadRow(done + 1, f"records {done + 1} to {end} cannot be read: {error}", "")
                done = end

    names = list(file.schema_arrow.names)
    layout = Layout("Parquet", columns=tuple(names))
    return Feed(path, "Parquet", names, rows(), size, lambda: size * done // total, layout=layout)


def _decoded(value: Any) -> Any:
    """`value` with text for bytes (older writers do not mark text as such), and lists for tuples.

    Bytes that are no text, pictures for instance, are left out.
    """
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_decoded(item) for item in value]
    return value
