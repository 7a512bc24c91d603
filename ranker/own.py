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
from reaseq.ranker.evaluate import Scores
from reaseq.ranker.split import Cases

Histories = list[list[str]]
"""Of some cases what their users did before, oldest first, by product ids."""
OwnRanker = Callable[[Histories], Any]
"""Scores [C, I] of all products, in the order of the run's, after each of the histories."""
Own = Callable[[Cases], Scores]
_LAST = -1e30
"""The score of what was given none."""


def of_function(name: str, function: OwnRanker, products: Sequence[str]) -> Own:
    """A ranker that is a function. Raises ReaseqError, when it is asked, if what it gives is no score of each product,
    or not finite."""

    def scores(cases: Cases) -> Scores:
        def block(low: int, high: int) -> Tensor:
            part = cases.history.select(np.arange(low, high))
            items = part.items.tolist()
            histories = [
                [products[one] for one in items[first:last]] for first, last in pairwise(part.offsets.tolist())
            ]
            made = np.asarray(function(histories), np.float32)
            if made.shape != (high - low, len(products)):
                raise ReaseqError(
                    f"{name}: scores of the shape {made.shape} came, ({high - low}, {len(products)}) were expected",
                    hint="one row a history, one score a product, in the order of `products`",
                )
            if not np.isfinite(made).all():
                raise ReaseqError(f"{name}: a score is not finite", hint="give products that are out -1e9")
            return torch.from_numpy(made)

        return block

    return scores


def of_file(name: str, path: Path, users: Sequence[str], products: Sequence[str]) -> tuple[Own, str]:
    """Scores of users' candidates in a file with the columns user_id, product_id and score (CSV or Parquet), and what
    of it was used, in words. Products without a score come last, all alike; so do all of a user without any.

    Raises:
        ReaseqError: it cannot be read, lacks a column, or holds a score that is no number.
    """
    table = _read(path)
    missing = [column for column in ("user_id", "product_id", "score") if column not in table]
    if missing:
        raise ReaseqError(f"{path} has no column {', '.join(missing)}; it has: {', '.join(table)}", hint="rename them")
    try:
        values = np.array(table["score"], np.float64)
    except (TypeError, ValueError) as error:
        raise ReaseqError(f"{path}: a score is no number: {error}", hint="leave such rows out") from error
    if not np.isfinite(values).all():
        raise ReaseqError(f"{path}: a score is not finite", hint="leave such rows out")
    user_at = {user: at for at, user in enumerate(users)}
    item_at = {product: at for at, product in enumerate(products)}
    of_user: dict[int, tuple[list[int], list[float]]] = {}
    used = 0
    for user, product, value in zip(table["user_id"], table["product_id"], values.tolist(), strict=True):
        owner, item = user_at.get(str(user)), item_at.get(str(product))
        if owner is not None and item is not None:
            items, mine = of_user.setdefault(owner, ([], []))
            items.append(item)
            mine.append(value)
            used += 1
    if not used:
        raise ReaseqError(
            f"{path}: no row is of a user of the log and a product of the catalogue", hint="check the ids"
        )

    def scores(cases: Cases) -> Scores:
        def block(low: int, high: int) -> Tensor:
            made: NDArray[np.float32] = np.full((high - low, len(products)), _LAST, np.float32)
            for row, user in enumerate(cases.users[low:high].tolist()):
                items, mine = of_user.get(user, ([], []))
                made[row, items] = mine
            return torch.from_numpy(made)

        return block

    return scores, f"{name}: {used:,} of {len(values):,} scores used, of {len(of_user):,} users"


def _read(path: Path) -> Mapping[str, Sequence[Any]]:
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    try:
        if path.suffix.casefold() == ".parquet":
            table = pq.read_table(path)
        else:
            ids = {"user_id": pa.string(), "product_id": pa.string()}
            table = pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(column_types=ids))
    except (OSError, pa.ArrowException) as error:
        raise ReaseqError(f"{path}: {error}", hint="give CSV or Parquet with user_id, product_id and score") from error
    return {name: table.column(name).to_pylist() for name in table.column_names}
