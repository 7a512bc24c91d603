"""Imagined events in the store: apart from what was logged, with where they came from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import delete, func, insert, select, update

from reaseq import ReaseqError
from reaseq.knowledge_store.log import Imagined, Log
from reaseq.knowledge_store.store import IMAGINATION, IMAGINED, PRODUCT, Store
from reaseq.knowledge_store.tables import now


@dataclass(frozen=True)
class Imagination:
    """One way of imagining: see `tables.Imagination`."""

    id: int
    backend: str
    model: str
    fingerprint: str
    settings: Mapping[str, Any]
    calibration: Mapping[str, Any]


def open_imagination(
    store: Store,
    *,
    backend: str,
    model: str,
    fingerprint: str,
    settings: Mapping[str, Any],
    calibration: Mapping[str, Any],
) -> Imagination:
    """The imagination with this fingerprint, made if it is not there yet; from now on it is the newest."""
    stamp = {"created_at": now()}
    with store.writing() as connection:
        there = connection.execute(select(IMAGINATION.c.id).where(IMAGINATION.c.fingerprint == fingerprint)).scalar()
        if there is None:
            columns = {"backend": backend, "model": model, "fingerprint": fingerprint}
            parts = {"settings": dict(settings), "calibration": dict(calibration)}
            connection.execute(insert(IMAGINATION), columns | parts | stamp)
        else:
            connection.execute(update(IMAGINATION).where(IMAGINATION.c.id == there).values(stamp))
    made = find_imagination(store, fingerprint)
    assert made is not None
    return made


def find_imagination(store: Store, fingerprint: str | None = None) -> Imagination | None:
    """The imagination with the fingerprint; the newest without one."""
    query = select(IMAGINATION).order_by(IMAGINATION.c.created_at.desc(), IMAGINATION.c.id.desc()).limit(1)
    if fingerprint is not None:
        query = query.where(IMAGINATION.c.fingerprint == fingerprint)
    with store.reading() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return Imagination(row.id, row.backend, row.model, row.fingerprint, row.settings, row.calibration)


def save_imagined(
    store: Store, imagination: Imagination, users: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep what was imagined of these users, in one transaction; it replaces what was imagined of them before.

    rows hold the columns of `tables.ImaginedEvent` but for the imagination.
    """
    mine = IMAGINED.c.imagination_id == imagination.id
    with store.writing() as connection:
        connection.execute(delete(IMAGINED).where(mine, IMAGINED.c.user_id.in_(users)))
        if rows:
            connection.execute(insert(IMAGINED), [{**row, "imagination_id": imagination.id} for row in rows])


def imagined_until(store: Store, imagination: Imagination) -> dict[str, float]:
    """For each user of whom something was imagined, the time of the last event that it was inferred from."""
    query = (
        select(IMAGINED.c.user_id, func.max(IMAGINED.c.until))
        .where(IMAGINED.c.imagination_id == imagination.id)
        .group_by(IMAGINED.c.user_id)
    )
    with store.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def imagined_of(store: Store, imagination: Imagination, user_id: str, at: float = float("inf")) -> list[dict[str, Any]]:
    """What was imagined of a user last, from nothing later than `at`: surest first, with products' titles."""
    mine = (IMAGINED.c.imagination_id == imagination.id, IMAGINED.c.user_id == user_id, IMAGINED.c.until <= at)
    newest = select(func.max(IMAGINED.c.until)).where(*mine).scalar_subquery()
    query = (
        select(IMAGINED, PRODUCT.c.title, PRODUCT.c.category)
        .join(PRODUCT, PRODUCT.c.id == IMAGINED.c.product_id)
        .where(*mine, IMAGINED.c.until == newest)
        .order_by(IMAGINED.c.log_confidence.desc(), IMAGINED.c.slot)
    )
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def attach(store: Store, imagination: Imagination, log: Log) -> Log:
    """The log with what was imagined after each of its events.

    Raises:
        ReaseqError: nothing was imagined of any of its users.
    """
    number = {item: index for index, item in enumerate(log.items)}
    query = (
        select(IMAGINED.c.user_id, IMAGINED.c.until, IMAGINED.c.slot, IMAGINED.c.product_id, IMAGINED.c.log_confidence)
        .where(IMAGINED.c.imagination_id == imagination.id)
        .order_by(IMAGINED.c.user_id, IMAGINED.c.until, IMAGINED.c.slot)
    )
    with store.reading() as connection:
        found = connection.execution_options(yield_per=10_000).execute(query)
        rows = [(row[0], row[1], row[2], number[row[3]], row[4]) for row in found if row[3] in number]
    return attached(log, rows)


def attached(log: Log, rows: Iterable[tuple[str, float, int, int, float]]) -> Log:
    """The log with rows of (user, until, slot, item, log-confidence), in order of user and until."""
    user_number = {user: index for index, user in enumerate(log.users)}
    keys: list[tuple[int, float]] = []
    cells: list[tuple[int, int, int, float]] = []
    for user, until, slot, product, log_confidence in rows:
        key = (user_number.get(user, -1), until)
        if key[0] < 0:
            continue
        if not keys or keys[-1] != key:
            keys.append(key)
        cells.append((len(keys) - 1, slot, product, log_confidence))
    if not keys:
        raise ReaseqError("nothing was imagined of the users of this log", hint="reaseq imagine")
    columns = list(zip(*cells, strict=True))
    numbers = np.array(columns[:3], np.int64)
    row, place, item = numbers[0], numbers[1], numbers[2]
    items = np.full((len(keys), int(place.max()) + 1), -1)
    confidence = np.full(items.shape, -np.inf, np.float32)
    items[row, place] = item
    confidence[row, place] = columns[3]
    owner = np.array([key[0] for key in keys], np.int64)
    since = np.array([key[1] for key in keys], np.float64)
    events = log.events
    last = np.full(len(events.items), -1)
    order = np.argsort(owner, kind="stable")
    start = np.searchsorted(owner[order], np.arange(len(log.users) + 1))
    for number in np.unique(owner):
        mine = order[start[number] : start[number + 1]]
        here = slice(events.offsets[number], events.offsets[number + 1])
        newest = np.searchsorted(since[mine], events.at[here], side="right") - 1
        last[here] = np.where(newest >= 0, mine[newest], -1)
    return replace(log, events=replace(events, imagined=Imagined(last, items, confidence)))
