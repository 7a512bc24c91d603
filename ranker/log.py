"""Behaviour logs as arrays: one jagged run of events a user."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sequences:
    """Events in order, sequence after sequence: number s is `items[offsets[s] : offsets[s + 1]]`.

    offsets: [S + 1]. items: [N], indices of items. at: [N], when, in the log's own clock; it never falls
    within a sequence, and equal times are one basket.
    """

    offsets: Ints
    items: Ints
    at: Floats

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
        return Sequences(kept[self.offsets], self.items[mask], self.at[mask])

    def select(self, rows: Ints) -> "Sequences":
        """The sequences with the numbers `rows`, in that order."""
        index = ranges(self.offsets[rows], self.lengths[rows])
        return Sequences(np.concatenate([[0], np.cumsum(self.lengths[rows])]), self.items[index], self.at[index])


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
