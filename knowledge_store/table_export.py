"""Workbooks and Parquet files with what is known filled in: cells that are empty, and columns that are new."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reaseq.knowledge_store.feeds.rows import FeedError, Layout, Record
from reaseq.knowledge_store.filling import KnownRow, OnRow, Places


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
        there = {name: cell for name, cell in own.items() if name not in places.added}
        # Cells that are not this row's alone, or that a formula fills.
        shut = {name for name, cell in own.items() if isinstance(cell, MergedCell) or cell.data_type == "f"}
        values = record.values if isinstance(record, Record) else {}
        cells = {name: values.get(name) if name in shut else cell.value for name, cell in there.items()}
        made = places.filled(record, cells, known, shut=shut)
        for name, value in made.cells.items():
            cell: Any = own[name]
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"  # else a value that begins with "=" would be a formula
        on_row(row, made)
    book.save(target)


def fill_parquet(path: Path, target: Path, places: Places, rows: Iterator[KnownRow], on_row: OnRow) -> None:
    """A row group at a time; columns of numbers, times and the like stay as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        for name in places.added:
            schema = schema.append(pa.field(name, pa.string()))
        types = {name: schema.field(name).type for name in schema.names}
        texts = {name for name in schema.names if _is_text(types[name])}
        read = texts - places.prose
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
                    # Of what holds no text it is known that something is there, and nothing is put there.
                    others = record.values if known and isinstance(record, Record) else {}
                    shut = types.keys() - texts - set(places.added)
                    cells = {name: others.get(name, "") for name in shut}
                    cells |= {name: column[at] for name, column in held.items()}
                    made = places.filled(record, cells, known, shut=shut)
                    for name, value in made.cells.items():
                        if name not in changed:
                            changed[name] = list(held[name])
                        changed[name][at] = _as_of(types[name], value)
                    on_row(coming, made)
                    coming = next(rows, None)
                before += len(table)
                arrays = [
                    _array(changed[name], types[name]) if name in changed else table.column(name)
                    for name in schema.names
                ]
                writer.write_table(pa.table(arrays, schema=schema))


def _is_text(type_: Any) -> bool:
    """Text, as it is, in a dictionary, or several in a list."""
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        return _is_text(type_.value_type)
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return _is_text(type_.value_type)
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _as_of(type_: Any, value: Any) -> Any:
    import pyarrow as pa

    several = pa.types.is_list(type_) or pa.types.is_large_list(type_)
    return value if several == isinstance(value, list) else [value] if several else ", ".join(map(str, value))


def _array(values: list[Any], type_: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).dictionary_encode().cast(type_)
    return pa.array(values, type_)
