"""Logs, baskets and splits."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reaseq.knowledge_store.log import Log, Sequences, baskets, previous, ranges
from reaseq.ranker.split import Cases, Split, leave_last_out, moments, temporal

EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=60, unique=True
)


def log_of(rows: list[tuple[int, int, int]]) -> Sequences:
    users, items, at = (np.array(column) for column in zip(*rows, strict=True))
    names = ([str(user) for user in range(5)], [str(item) for item in range(7)])
    return Log.of(users, items, at.astype(float), names=names, timed=True).events


def histories(cases: Cases) -> list[list[int]]:
    offsets = cases.history.offsets
    return [cases.history.items[low:high].tolist() for low, high in pairwise(offsets)]


def targets(cases: Cases) -> list[list[int]]:
    return [cases.targets[low:high].tolist() for low, high in pairwise(cases.offsets)]


def test_ranges() -> None:
    assert ranges(np.array([3, 10, 0]), np.array([2, 0, 3])).tolist() == [3, 4, 0, 1, 2]


def test_leave_one_out() -> None:
    events = log_of([(0, 1, 0), (0, 2, 1), (0, 3, 2), (0, 4, 3), (1, 5, 0), (1, 6, 1), (2, 1, 0)])
    split = leave_last_out(events)
    assert (split.test.users.tolist(), histories(split.test), targets(split.test)) == (
        [0, 1],
        [[1, 2, 3], [5]],
        [[4], [6]],
    )
    assert (split.valid.users.tolist(), histories(split.valid), targets(split.valid)) == ([0], [[1, 2]], [[3]])
    assert split.train.items.tolist() == [1, 2, 5, 1]


def test_leave_last_basket_out_hides_the_whole_basket() -> None:
    events = log_of([(0, 1, 0), (0, 2, 1), (0, 3, 1), (0, 4, 5), (0, 5, 5), (0, 1, 5)])
    split = leave_last_out(events, baskets_whole=True)
    assert (histories(split.test), targets(split.test)) == ([[1, 2, 3]], [[1, 4, 5]])
    assert (histories(split.valid), targets(split.valid)) == ([[1]], [[2, 3]])
    assert split.train.items.tolist() == [1]


def test_a_temporal_split_learns_from_nothing_later() -> None:
    events = log_of([(0, 1, 0), (0, 2, 8), (0, 3, 8), (0, 4, 9), (1, 5, 1), (1, 6, 6), (2, 1, 9)])
    split = temporal(events, 6.0, 8.0)
    assert split.train.items.tolist() == [1, 5]
    assert (split.valid.users.tolist(), targets(split.valid)) == ([1], [[6]])
    # User 2 has no history, and is nobody's case; user 0's first basket is the target, not the later one.
    assert (split.test.users.tolist(), histories(split.test), targets(split.test)) == ([0], [[1]], [[2, 3]])


@given(EVENTS, st.sampled_from(["event", "basket", "temporal"]))
def test_no_split_leaks(rows: list[tuple[int, int, int]], kind: str) -> None:
    events = log_of(rows)
    split: Split = (
        temporal(events, *moments(events, 0.5, 0.7))
        if kind == "temporal"
        else leave_last_out(events, baskets_whole=kind == "basket")
    )
    for cases in (split.valid, split.test):
        for user, history, offset in zip(cases.users, histories(cases), range(len(cases)), strict=True):
            own = events.items[events.offsets[user] : events.offsets[user + 1]].tolist()
            assert own[: len(history)] == history
            assert history
            wanted = cases.targets[cases.offsets[offset] : cases.offsets[offset + 1]].tolist()
            assert set(wanted) <= set(own[len(history) :])
            assert len(set(wanted)) == len(wanted) > 0
        held_out = {int(user) for user in cases.users}
        for user in held_out:
            learnt = split.train.items[split.train.offsets[user] : split.train.offsets[user + 1]].tolist()
            index = cases.users.tolist().index(user)
            assert len(learnt) <= len(histories(cases)[index])


@given(EVENTS)
def test_previous_and_baskets(rows: list[tuple[int, int, int]]) -> None:
    events = log_of(rows)
    owner = events.owner
    before, nth = previous(owner, events.items)
    start, number = baskets(events)
    for index in range(len(events.items)):
        earlier = [
            other
            for other in range(index)
            if owner[other] == owner[index] and events.items[other] == events.items[index]
        ]
        assert before[index] == (earlier[-1] if earlier else -1)
        assert nth[index] == len(earlier)
        mine = [other for other in range(len(owner)) if owner[other] == owner[index]]
        assert start[index] == min(other for other in mine if events.at[other] == events.at[index])
        assert number[index] == len({events.at[other] for other in mine if events.at[other] < events.at[index]})


@pytest.mark.parametrize("empty_first", [True, False])
def test_users_without_events_are_no_trouble(empty_first: bool) -> None:
    user = 1 if empty_first else 0
    events = Log.of(
        np.array([user] * 3), np.array([0, 1, 2]), np.arange(3.0), names=(["a", "b"], ["x", "y", "z"]), timed=True
    ).events
    assert leave_last_out(events).test.users.tolist() == [user]
    assert baskets(events)[1].tolist() == [0, 1, 2]
