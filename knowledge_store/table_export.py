"""Workbooks and Parquet files with what is known filled in: cells that are empty, and columns that are new."""

from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from reaseq.knowledge_store.feeds.rows import FeedError, Layout, Record
from reaseq.knowledge_store.filling import Filled, KnownRow, OnRow, Places


def fill_workbook(
    path: Path, target: Path, layout: Layout, places: Places, rows: Iterator[KnownRow], on_row: OnRow
) -> None:
    """Cells and their formats, formulas, other sheets and macros stay; values are text, whatever they begin with."""
    from openpyxl import load_workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell

    with path.open("rb") as raw:
        book = load_workbook(raw, keep_vba=path.suffix.casefold() == ".xlsm")
    sheet = book[layout.place]
    for number, name in enumerate(places.added, len(layout.columns) + 1):
        sheet.cell(layout.header, number, name)
    number_of = {name: at for at, name in enumerate([*layout.columns, *places.added], 1)}
    for row in rows:
        record, _, known = row
        own = {name: sheet.cell(record.line, at) for name, at in number_of.items()} if known else {}
        merged = {name for name, cell in own.items() if isinstance(cell, MergedCell)}
        values = record.values if isinstance(record, Record) else {}
        cells = {name: values.get(name) if name in merged else cell.value for name, cell in own.items()}
        # What is merged with other rows' cells is not this row's alone.
        made = _within(places.filled(record, cells, known), own.keys() - merged)
        for name, value in made.cells.items():
            cell: Any = own[name]
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
            cell.data_type = "s"  # else a value that begins with "=" would be a formula
        on_row(row, made)
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
        read = texts - places.prose | (texts & set(places.column.values()))
        packed = file.metadata.row_group(0).column(0).compression if file.num_row_groups else "SNAPPY"
        with pq.ParquetWriter(target, schema, compression=packed) as writer:
            coming = next(rows, None)
            before = 0
            for group in range(file.num_row_groups):
                try:
                    table = file.read_row_group(group)
                except (pa.ArrowException, OSError) as error:
                    raise FeedError(f"{path}: row group {group + 1} cannot be read: {error}") from error
                held = {name: table.column(name).to_pylist() for name in table.column_names if name in read}
                changed: dict[str, list[Any]] = {name: [None] * len(table) for name in places.added}
                while coming is not None and coming[0].line <= before + len(table):
                    record, _, known = coming
                    at = record.line - before - 1
                    cells = {name: column[at] for name, column in held.items()}
                    # What holds numbers takes no text.
                    made = _within(places.filled(record, cells, known), texts)
                    for name, value in made.cells.items():
                        if name not in changed:
                            changed[name] = list(held[name])
                        changed[name][at] = value
                    on_row(coming, made)
                    coming = next(rows, None)
                before += len(table)
                arrays = [pa.array(changed[name], schema.field(name).type) if name in changed else table.column(name)
                          for name in schema.names]  # fmt: skip
                writer.write_table(pa.table(arrays, schema=schema))


def _within(made: Filled, columns: Set[str]) -> Filled:
    """Without what would go to other columns than these."""
    written = {attribute: column for attribute, column in made.written.items() if column in columns}
    cells = {name: value for name, value in made.cells.items() if name in columns}
    return Filled(cells, written, made.held + len(made.cells) - len(cells))
