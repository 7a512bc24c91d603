"""Workbooks and Parquet files with what is known filled in: cells that are empty, and columns that are new."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reaseq.knowledge_store.feeds.rows import FeedError, Layout, Record
from reaseq.knowledge_store.filling import KnownRow, OnRow, Places, fills


def fill_workbook(
    path: Path, target: Path, layout: Layout, places: Places, rows: Iterator[KnownRow], on_row: OnRow
) -> None:
    """Cells and their formats, formulas, other sheets and macros stay; values are text, whatever they begin with."""
    from openpyxl import load_workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    with path.open("rb") as raw:
        book = load_workbook(raw, keep_vba=path.suffix.casefold() == ".xlsm")
    sheet = book[layout.place]
    for number, name in enumerate(places.added, len(layout.columns) + 1):
        sheet.cell(layout.header, number, name)
    for row in rows:
        record, _, known = row
        written = {}
        for attribute, claims in known.items() if isinstance(record, Record) else ():
            value = ILLEGAL_CHARACTERS_RE.sub("", ", ".join(claim["value"] for claim in claims))
            cell: Any = sheet.cell(record.line, places.number[attribute] + 1)
            if fills(value, cell.value, claims):
                cell.value = value
                cell.data_type = "s"  # else a value that begins with "=" would be a formula
                written[attribute] = places.column[attribute]
        on_row(row, written)
    book.save(target)


def fill_parquet(path: Path, target: Path, places: Places, rows: Iterator[KnownRow], on_row: OnRow) -> None:
    """A row group at a time; columns that hold something else than text stay as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        for name in places.added:
            schema = schema.append(pa.field(name, pa.string()))
        texts = {name for name in schema.names if pa.types.is_string(schema.field(name).type)}
        packed = file.metadata.row_group(0).column(0).compression if file.num_row_groups else "SNAPPY"
        with pq.ParquetWriter(target, schema, compression=packed) as writer:
            coming = next(rows, None)
            before = 0
            for group in range(file.num_row_groups):
                try:
                    table = file.read_row_group(group)
                except (pa.ArrowException, OSError) as error:
                    raise FeedError(f"{path}: row group {group + 1} cannot be read: {error}") from error
                changed: dict[str, list[Any]] = {name: [None] * len(table) for name in places.added}
                while coming is not None and coming[0].line <= before + len(table):
                    record, _, known = coming
                    written = {}
                    for attribute, claims in known.items() if isinstance(record, Record) else ():
                        column = places.column[attribute]
                        if column not in texts:
                            continue
                        values = changed.get(column)
                        if values is None:
                            values = changed[column] = table.column(column).to_pylist()
                        value = ", ".join(claim["value"] for claim in claims)
                        if fills(value, values[record.line - before - 1], claims):
                            values[record.line - before - 1] = value
                            written[attribute] = column
                    on_row(coming, written)
                    coming = next(rows, None)
                before += len(table)
                arrays = [pa.array(changed[name], schema.field(name).type) if name in changed else table.column(name)
                          for name in schema.names]  # fmt: skip
                writer.write_table(pa.table(arrays, schema=schema))
