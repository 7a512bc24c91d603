"""Splits of a log: what is learnt from, and what must be predicted."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reaseq.knowledge_store.log import Floats, Imagined, Ints, Sequences, baskets, ranges


@dataclass(frozen=True)
class Cases:
    """Predictions to be made: after `history` comes any of the targets.

    users: [C]. history: C sequences. offsets: [C + 1], the targets of case c are
    `targets[offsets[c] : offsets[c + 1]]`, each once.
    """

    users: Ints
    history: Sequences
    offsets: Ints
    targets: Ints

    def __len__(self) -> int:
        return len(self.users)

    @property
    def owner(self) -> Ints:
        """The case of each target."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def select(self, rows: Ints) -> "Cases":
        lengths = np.diff(self.offsets)[rows]
        index = ranges(self.offsets[rows], lengths)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Cases(self.users[rows], self.history.select(rows), offsets, self.targets[index])


@dataclass(frozen=True)
class Split:
    """`train` has a sequence for every user of the log, possibly an empty one.

    train_until, test_from: [U], moments in the log's clock. Impressions before the first may be learnt from, those
    from the second on are what a model is judged by.
    """

    name: str
    train: Sequences
    valid: Cases
    test: Cases
    train_until: Floats
    test_from: Floats

    def imagining(self, other: Imagined) -> "Split":
        """The same split, with the items of `other` in place of those that were imagined of the users."""
        valid, test = (replace(cases, history=cases.history.imagining(other)) for cases in (self.valid, self.test))
        return replace(self, train=self.train.imagining(other), valid=valid, test=test)


def leave_last_out(events: Sequences, *, baskets_whole: bool = False) -> Split:
    """Each user's last event (or whole last basket) is the test target, the one before it validation's.

    A user needs one event, or basket, before either. The history of a test case holds the validation target.
    """
    if baskets_whole:
        _, unit = baskets(events)
    else:
        unit = np.arange(len(events.items)) - np.repeat(events.offsets[:-1], events.lengths)
    last = np.full(len(events), -1, np.int64)
    occupied = events.lengths > 0
    last[occupied] = unit[events.offsets[1:][occupied] - 1]
    from_end = np.repeat(last, events.lengths) - unit
    has = np.repeat(last, events.lengths)
    for_valid, for_test = (has >= 2) & (from_end == 1), (has >= 1) & (from_end == 0)
    valid, test = _cases(events, for_valid, from_end >= 2), _cases(events, for_test, from_end >= 1)
    name = "leave-last-basket-out" if baskets_whole else "leave-one-out"
    return Split(
        name,
        events.take(~for_valid & ~for_test),
        valid,
        test,
        _first_time(events, for_valid | for_test),
        _first_time(events, for_test),
    )


def moments(events: Sequences, *fractions: float) -> tuple[float, ...]:
    """When these fractions of the events had happened."""
    return tuple(float(at) for at in np.quantile(events.at, fractions, method="lower"))


def temporal(events: Sequences, valid_from: float, test_from: float) -> Split:
    """One moment for everybody: nothing from `valid_from` on is learnt from.

    Each user's first basket after the moment is to be predicted from all before it
    (https://arxiv.org/abs/2507.16289 compares such splits).
    """
    _, number = baskets(events)
    parts = []
    for start, end in ((valid_from, test_from), (test_from, np.inf)):
        before = events.at < start
        count = np.concatenate([[0], np.cumsum(before)])[events.offsets]
        begin = events.offsets[:-1] + np.diff(count)
        has = (np.diff(count) > 0) & (begin < events.offsets[1:])
        wanted = np.full(len(events), -1, np.int64)
        wanted[has] = number[begin[has]]
        target = (number == np.repeat(wanted, events.lengths)) & (events.at >= start) & (events.at < end)
        parts.append(_cases(events, target, before))
    everybody = np.ones(len(events))
    train = events.take(events.at < valid_from)
    return Split("temporal", train, parts[0], parts[1], valid_from * everybody, test_from * everybody)


def _first_time(events: Sequences, held_out: NDArray[np.bool_]) -> Floats:
    """Of each user's events that are held out the time of the first; infinity where there is none."""
    times = np.full(len(events), np.inf)
    np.minimum.at(times, events.owner[held_out], events.at[held_out])
    return times


def _cases(events: Sequences, target: NDArray[np.bool_], before: NDArray[np.bool_]) -> Cases:
    wanted = events.take(target)
    users = np.flatnonzero(wanted.lengths > 0)
    wanted = wanted.select(users)
    pairs = np.unique(np.stack([wanted.owner, wanted.items]), axis=1)  # an item twice in a basket is one target
    offsets = np.concatenate([[0], np.cumsum(np.bincount(pairs[0], minlength=len(users)))])
    return Cases(users, events.take(before).select(users), offsets, pairs[1])
