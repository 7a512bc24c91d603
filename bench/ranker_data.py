"""The logs that the ranker's benchmarks use, as arrays, with the texts of their items."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reaseq.knowledge_store.log import Log


@dataclass(frozen=True)
class BenchData:
    """A log with what its items are known by: a text each, and facts (`attribute=value`)."""

    name: str
    log: Log
    texts: list[str]
    facts: list[list[str]]


def beauty(folder: Path, domain: str = "Beauty") -> BenchData:
    """One domain of Amazon 2014 (5-core). It has positions, no times; texts are keywords, brand and category path."""
    events = pq.read_table(folder / "amazon14_cross" / "interactions.parquet")
    events = events.filter(pc.equal(events["domain"], domain))
    log = _log(events["user_id"], events["item_id"], events["position"], timed=False)
    items = amazon_items(folder, log.items)
    texts = [
        ". ".join(part for part in (row["title"], row["brand"], row["category"], row["extra_keywords"]) if part)
        for row in items
    ]
    facts = [
        ([f"brand={row['brand']}"] if row["brand"] else [])
        + [f"category={part}" for part in (row["category"] or "").split(" > ")[1:]]
        for row in items
    ]
    return BenchData(f"Amazon 2014 {domain}", log, texts, facts)


def amazon_items(folder: Path, items: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of `amazon14_cross` for the items."""
    rows = pq.read_table(folder / "amazon14_cross" / "items.parquet").to_pylist()
    known = {str(row["item_id"]): row for row in rows}
    return [known[item] for item in items]


def online_retail(folder: Path) -> BenchData:
    """Online Retail II: baskets with times. An item twice in a basket counts once; facts are the words of its name."""
    events = pq.read_table(folder / "online_retail_ii" / "interactions.parquet")
    log = _log(events["user_id"], events["item_id"], events["timestamp"], timed=True)
    rows = pq.read_table(folder / "online_retail_ii" / "items.parquet").to_pylist()
    titles = {str(row["item_id"]): row["title"] for row in rows}
    texts = [titles[item] for item in log.items]
    facts = [[f"word={word}" for word in re.findall(r"[a-z]{3,}", text.casefold())] for text in texts]
    return BenchData("Online Retail II", log, texts, facts)


def synthetic(users: int, items: int, *, events_a_user: int = 6, seed: int = 0) -> Log:
    """A log of any size: popularity falls as a power of rank, and each event lies near the one before."""
    random = np.random.default_rng(seed)
    number = users * events_a_user
    start = (random.random(users) ** 3 * items).astype(np.int64)
    steps = random.geometric(0.2, (users, events_a_user)).cumsum(1)
    item = ((start[:, None] + steps) % items).ravel()
    names = ([str(user) for user in range(users)], [str(item) for item in range(items)])
    at = np.tile(np.arange(events_a_user, dtype=float), users)
    assert len(item) == number
    return Log.of(np.repeat(np.arange(users), events_a_user), item, at, names=names, timed=False)


def _log(users: object, items: object, at: object, *, timed: bool) -> Log:
    columns: list[NDArray[np.int64]] = [column.to_numpy() for column in (users, items, at)]  # type: ignore[attr-defined]
    user_names, user = np.unique(columns[0], return_inverse=True)
    item_names, item = np.unique(columns[1], return_inverse=True)
    _, first = np.unique(np.stack([user, columns[2], item]), axis=1, return_index=True)
    first.sort()
    names = ([str(name) for name in user_names], [str(name) for name in item_names])
    return Log.of(user[first], item[first], columns[2][first].astype(np.float64), names=names, timed=timed)
