"""Behaviour logs as arrays: one jagged run of events a user."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.knowledge_store.events import read_events
from reaseq.knowledge_store.order_states import IMPRESSION, RETURN
from reaseq.knowledge_store.store import Store

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Imagined:
    """What was imagined of users, beside the log and never in it.

    row: [N], for each event of a log the row of `items` that was imagined of its user last, from no later events; or
    -1. items: [R, S], -1 where a slot is empty. log_confidence: [R, S].
    """

    row: Ints
    items: Ints
    log_confidence: NDArray[np.float32]

    def of(self, index: Any) -> "Imagined":
        """For the events of an index or mask."""
        return Imagined(self.row[index], self.items, self.log_confidence)


@dataclass(frozen=True)
class Sequences:
    """Events in order, sequence after sequence: number s is `items[offsets[s] : offsets[s + 1]]`.

    offsets: [S + 1]. items: [N], indices of items. at: [N], when, in the log's own clock; it never falls
    within a sequence, and equal times are one basket. imagined: what is imagined after each event, if anything.
    """

    offsets: Ints
    items: Ints
    at: Floats
    imagined: Imagined | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        return np.diff(self.offsets)

    @property
    def owner(self) -> Ints:
        """The sequence of each event: [N]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, mask: NDArray[np.bool_]) -> "Sequences":
        """The events where `mask` [N] is true; sequences may become empty, but stay."""
        kept = np.concatenate([[0], np.cumsum(mask)])
        return Sequences(kept[self.offsets], self.items[mask], self.at[mask], self.imagined and self.imagined.of(mask))

    def imagining(self, other: Imagined) -> "Sequences":
        """The same events, with the items of `other` in place of those that were imagined."""
        if self.imagined is None:
            return self
        return replace(self, imagined=replace(other, row=self.imagined.row))

    def select(self, rows: Ints) -> "Sequences":
        """The sequences with the numbers `rows`, in that order."""
        index = ranges(self.offsets[rows], self.lengths[rows])
        offsets = np.concatenate([[0], np.cumsum(self.lengths[rows])])
        return Sequences(offsets, self.items[index], self.at[index], self.imagined and self.imagined.of(index))


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """The integers of every range [start, start + length), one after the other."""
    ends = np.cumsum(lengths)
    made: Ints = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
    return made


@dataclass(frozen=True)
class Log:
    """A behaviour log: names of users and items, and each user's events (sequence u is user u's).

    `timed` says whether `at` counts seconds; a log that only knows positions has no gaps to learn from.
    """

    users: Sequence[str]
    items: Sequence[str]
    events: Sequences
    timed: bool

    @classmethod
    def of(
        cls, users: Ints, items: Ints, at: Floats, *, names: tuple[Sequence[str], Sequence[str]], timed: bool
    ) -> "Log":
        """From columns in any order: user and item indices and times, [N] each. Ties keep the given order."""
        order = np.lexsort((at, users))  # a stable sort
        offsets = np.concatenate([[0], np.cumsum(np.bincount(users, minlength=len(names[0])))])
        events = Sequences(offsets, items[order].astype(np.int64), at[order].astype(np.float64))
        return cls(names[0], names[1], events, timed)


def previous(owner: Ints, key: Ints) -> tuple[Ints, Ints]:
    """For each event the index of the one before it with the same owner and key (or -1), and how many there were.

    owner, key: [N], owners in runs. Returns ([N], [N]).
    """
    order = np.lexsort((np.arange(len(key)), key, owner))
    same = np.zeros(len(key), bool)
    same[1:] = (owner[order][1:] == owner[order][:-1]) & (key[order][1:] == key[order][:-1])
    before = np.full(len(key), -1, np.int64)
    before[order[1:]] = np.where(same[1:], order[:-1], -1)
    run_start = np.maximum.accumulate(np.where(same, 0, np.arange(len(key))))
    count = np.empty(len(key), np.int64)
    count[order] = np.arange(len(key)) - run_start
    return before, count


def baskets(sequences: Sequences) -> tuple[Ints, Ints]:
    """For each event the index of its basket's first event, and the basket's number in its sequence: [N], [N]."""
    n = len(sequences.items)
    first = np.zeros(n, bool)
    first[1:] = sequences.at[1:] != sequences.at[:-1]
    first[sequences.offsets[:-1][sequences.lengths > 0]] = True
    start = np.maximum.accumulate(np.where(first, np.arange(n), 0)) if n else np.zeros(0, np.int64)
    number = np.cumsum(first)
    return start, number - np.repeat(number[np.minimum(sequences.offsets[:-1], max(n - 1, 0))], sequences.lengths)


@dataclass(frozen=True)
class Dataset:
    """A store's log. Items are all products of the catalogue, in the order of their ids.

    impressions: for each of the log's users what was shown and not acted on; None where the log has none.
    """

    log: Log
    impressions: Sequences | None


def read_log(store: Store, kinds: Collection[str] | None = None) -> Dataset:
    """The store's behaviour log, of some kinds of events or of all; what came back is no behaviour to learn from.

    Raises:
        ReaseqError: there are no such events.
    """
    products = store.product_ids()
    number = {product: index for index, product in enumerate(products)}
    users: list[str] = []
    columns: dict[bool, list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]] = {True: [], False: []}
    last = None
    for user_ids, times, product_ids, event_kinds in read_events(store):
        user = np.empty(len(user_ids), np.int64)
        for index, name in enumerate(user_ids):
            if name != last:
                users.append(name)
                last = name
            user[index] = len(users) - 1
        item = np.fromiter((number[product] for product in product_ids), np.int64, len(product_ids))
        at = np.asarray(times, np.float64)
        shown = np.fromiter((kind == IMPRESSION for kind in event_kinds), bool, len(event_kinds))
        returned = np.fromiter((kind == RETURN for kind in event_kinds), bool, len(event_kinds))
        wanted = ~shown & ~returned
        if kinds is not None:
            wanted &= np.fromiter((kind in kinds for kind in event_kinds), bool, len(event_kinds))
        for key, mask in ((True, wanted), (False, shown)):
            columns[key].append((user[mask], item[mask], at[mask]))
    parts = {
        key: [np.concatenate(column) for column in zip(*value, strict=True)] if value else []
        for key, value in columns.items()
    }
    if not parts[True] or not len(parts[True][0]):
        raise ReaseqError(
            "the store has no behaviour to learn from" + (f" of the kinds {', '.join(kinds)}" if kinds else ""),
            hint="reaseq import-events FILE   (reaseq events stats shows what is there)",
        )
    timed = store.clock() == "time"
    names = (users, products)
    distinct = _distinct(*parts[True])
    log = Log.of(*distinct, names=names, timed=timed)
    impressions = Log.of(*parts[False], names=names, timed=timed).events if len(parts[False][0]) else None
    return Dataset(log, impressions)


def _distinct(
    users: NDArray[np.int64], items: NDArray[np.int64], at: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """One event for the same user, item and time, whatever its kinds."""
    order = np.lexsort((items, at, users))
    users, items, at = users[order], items[order], at[order]
    first = np.ones(len(users), bool)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1]) | (at[1:] != at[:-1])
    return users[first], items[first], at[first]
