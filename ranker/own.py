"""Rankers of one's own, judged on a run's cases: a function of histories, or scores in a file."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq import ReaseqError
from reaseq.knowledge_store.atomic_files import untoken
from reaseq.knowledge_store.feeds.rows import identifier
from reaseq.knowledge_store.names import Names
from reaseq.knowledge_store.native import in_words
from reaseq.ranker.evaluate import Scores
from reaseq.ranker.split import Cases

Histories = list[list[str]]
"""Of some cases what their users did before, oldest first, by product ids."""
OwnRanker = Callable[[Histories], Any]
"""Scores [C, I] of all products, in the order of the run's, after each of the histories."""
Own = Callable[[Cases], Scores]
_LAST = -1e300
"""The score of what was given none."""
_HEADER = 65_536
"""Bytes that names of columns may take."""
_NUMBERS = "biuf"
"""Kinds of NumPy's types whose values have an order."""
_COLUMNS = ("user_id", "product_id", "score")


def of_function(name: str, function: OwnRanker, products: Sequence[str]) -> Own:
    """A ranker that is a function.

    Raises:
        ReaseqError: it is none; when it is asked, what it gives is no real, finite number for each history and product.
    """
    if not callable(function):
        raise ReaseqError(f"{name}: {in_words(function)} is no function of histories", hint="help(ranker.judge)")

    def scores(cases: Cases) -> Scores:
        def block(low: int, high: int) -> Tensor:
            part = cases.history.select(np.arange(low, high))
            items = part.items.tolist()
            histories = [
                [products[one] for one in items[first:last]] for first, last in pairwise(part.offsets.tolist())
            ]
            made = _checked(name, function(histories), low, high, products)
            return torch.from_numpy(np.require(made, requirements="W"))  # torch warns of what it may not write

        return block

    return scores


def _checked(name: str, given: Any, low: int, high: int, products: Sequence[str]) -> NDArray[Any]:
    """What a function gave for the cases [low, high), as numbers [high - low, I]."""
    try:
        if isinstance(given, Tensor):
            given = given.detach().cpu()
            given = given.float() if given.dtype == torch.bfloat16 else given
        made = np.asarray(given)
        if made.dtype == object:  # lists of different lengths are said so by NumPy, other things are no numbers
            made = made.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ReaseqError(
            f"{name}: what came is no table of numbers: {error}",
            hint="one row a history, one score a product, in the order of `products`",
        ) from error
    if made.dtype.kind not in _NUMBERS:
        what = "complex numbers have no order" if made.dtype.kind == "c" else "they must be real numbers"
        raise ReaseqError(f"{name}: scores of the type {made.dtype} came; {what}", hint="give floats")
    if made.shape != (high - low, len(products)):
        raise ReaseqError(
            f"{name}: scores of the shape {made.shape} came, ({high - low}, {len(products)}) were expected",
            hint="one row a history, one score a product, in the order of `products`",
        )
    if not np.isfinite(made).all():
        row, column = np.argwhere(~np.isfinite(made))[0]
        raise ReaseqError(
            f"{name}: a score is not finite: {made[row, column]}, of product {products[column]} in case {low + row}",
            hint="give products that are out -1e9",
        )
    return made if made.dtype in (np.float32, np.float64) else made.astype(np.float64)


def of_file(
    name: str, path: Path, users: Sequence[str], products: Sequence[str], names: Names | None = None
) -> tuple[Own, str]:
    """Scores of users' candidates in a file with the columns user_id, product_id (or item_id) and score (CSV, TSV or
    Parquet), and what of it was used, in words. Products without a score come last, all alike; so do all of a user
    without any.

    Ids may be written as tokens of atomic files, and products may go by any of their `names`; of several scores of a
    user for a product the highest counts.

    Raises:
        ReaseqError: it cannot be read, lacks a column, or holds a score that is no number.
    """
    table = _read(path)
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise ReaseqError(f"{path} has no column {', '.join(missing)}; it has: {', '.join(table)}", hint="rename them")
    try:
        values = np.array(table["score"], np.float64)
    except (TypeError, ValueError) as error:
        raise ReaseqError(f"{path}: a score is no number: {error}", hint="leave such rows out") from error
    if not np.isfinite(values).all():
        raise ReaseqError(f"{path}: a score is not finite", hint="leave such rows out")
    owners = _found(table["user_id"], {user: at for at, user in enumerate(users)})
    items = _found(table["product_id"], {product: at for at, product in enumerate(products)}, names)
    of_user: dict[int, dict[int, float]] = {}
    used = several = 0
    for user, called, value in zip(table["user_id"], table["product_id"], values.tolist(), strict=True):
        owner, item = owners[user], items[called]
        if owner is not None and item is not None:
            mine = of_user.setdefault(owner, {})
            several += item in mine
            mine[item] = max(value, mine.get(item, value))
            used += 1
    if not used:
        raise ReaseqError(
            f"{path}: no row is of a user of the log and a product of the catalogue", hint="check the ids"
        )

    def scores(cases: Cases) -> Scores:
        def block(low: int, high: int) -> Tensor:
            made = np.full((high - low, len(products)), _LAST)
            for row, user in enumerate(cases.users[low:high].tolist()):
                mine = of_user.get(user, {})
                made[row, list(mine)] = list(mine.values())
            return torch.from_numpy(made)

        return block

    said = f"{name}: {used:,} of {len(values):,} scores used, of {len(of_user):,} users"
    if several:
        said += f"; {several:,} are of a user and product that had one: the highest counts"
    return scores, said


def _found(called: Sequence[Any], numbers: Mapping[str, int], names: Names | None = None) -> dict[Any, int | None]:
    """The numbers of what a column calls so: as it is, or, if that finds more, as tokens of atomic files."""

    def by(read: Callable[[str], str]) -> dict[Any, int | None]:
        made = {}
        for one in set(called):
            name = read(str(one))
            spelled = (name, identifier(name))  # 12.0 is 12, as data frames write it where some are missing
            own = next((one for one in spelled if one in numbers), None)
            if own is None and names:
                own = next(filter(None, map(names.find, spelled)), None)
            made[one] = None if own is None else numbers.get(own)
        return made

    plain, tokens = by(str), by(untoken)
    return tokens if list(plain.values()).count(None) > list(tokens.values()).count(None) else plain


def _delimiter(path: Path) -> str:
    """What stands between the names of a file's columns."""
    import pyarrow as pa

    with pa.input_stream(str(path), compression="detect") as file:
        header = file.read(_HEADER).partition(b"\n")[0].decode("utf-8", errors="replace")
    return max(",\t;", key=header.count)


def _read(path: Path) -> Mapping[str, Sequence[Any]]:
    """Columns by name; item_id, as other toolkits say, is product_id."""
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    try:
        if path.suffix.casefold() == ".parquet":
            table = pq.read_table(path)
        else:
            ids = {"user_id": pa.string(), "product_id": pa.string(), "item_id": pa.string()}
            options = pacsv.ConvertOptions(column_types=ids, strings_can_be_null=False)
            parsed = pacsv.ParseOptions(newlines_in_values=True, delimiter=_delimiter(path))
            table = pacsv.read_csv(path, parse_options=parsed, convert_options=options)
    except (OSError, pa.ArrowException) as error:
        hint = "give CSV, TSV or Parquet with user_id, product_id and score"
        raise ReaseqError(f"{path}: {error}", hint=hint) from error
    names = table.column_names
    called = {"item_id": "product_id"} if "product_id" not in names else {}
    return {called.get(name, name): table.column(name).to_pylist() for name in names}
