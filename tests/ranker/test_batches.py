"""Packing: every event and every prediction once, and nothing between sequences."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from reaseq.knowledge_store.log import Log, Sequences
from reaseq.ranker.batches import NARROW, Batch, Events, NegativeSampler, Shown, history_batches, training_batches

LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=20).filter(lambda lengths: max(lengths) > 1)


def made(lengths: list[int], *, items: int = 9, seed: int = 0, per_basket: int = 1) -> Sequences:
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    place = np.concatenate([np.arange(length) for length in lengths])
    names = ([str(user) for user in range(len(lengths))], [str(item) for item in range(items)])
    return Log.of(
        owner, random.integers(0, items, len(owner)), (place // per_basket).astype(float), names=names, timed=True
    ).events


def all_batches(sequences: Sequences, *, most: int = 20, by_basket: bool = False, tokens: int = 64) -> list[Batch]:
    sampler = NegativeSampler(np.bincount(sequences.items, minlength=9), 4)
    return list(
        training_batches(
            sequences, sampler, most=most, tokens=tokens, by_basket=by_basket, random=np.random.default_rng(1)
        )
    )


@given(LENGTHS)
def test_every_event_lies_once_in_rows_of_one_width(lengths: list[int]) -> None:
    sequences = made(lengths)
    batches = list(history_batches(sequences.select(np.flatnonzero(sequences.lengths > 0)), most=40, tokens=64))
    items = np.concatenate([batch.ids[batch.item][batch.segment >= 0].numpy() for batch in batches])
    assert sorted(items.tolist()) == sorted(sequences.items.tolist())
    for batch in batches:
        assert sum(block.rows * block.width for block in batch.blocks) == len(batch.segment)
        for block in batch.blocks:
            rows = batch.segment[block.start : block.start + block.rows * block.width].view(block.rows, block.width)
            owners = [set(row[row >= 0].tolist()) for row in rows]
            assert sum(map(len, owners)) == len(set().union(*owners))  # no sequence lies in two rows
            assert all(owners)
            assert block.width in (NARROW, 40)


@given(LENGTHS, st.integers(2, 25))
def test_predictions_stay_within_their_sequence_and_see_only_the_past(lengths: list[int], most: int) -> None:
    sequences = made(lengths)
    wanted = {(user, place) for user, length in enumerate(lengths) for place in range(1, length)}
    found = []
    for batch in all_batches(sequences, most=most):
        # A target is the event right after its query.
        after = batch.query + 1
        assert torch.equal(batch.segment[batch.query], batch.segment[after])
        assert torch.equal(batch.item[after], batch.target)
        again = batch.copied >= 0
        assert torch.equal(batch.item[batch.copied[again]], batch.target[again])
        assert bool((batch.copied <= batch.query).all())
        found.append(len(batch.query))
    # Where a long sequence is cut, the first event of each further piece has no query.
    assert sum(found) <= len(wanted)
    if max(lengths) <= most:
        assert sum(found) == len(wanted)


@given(LENGTHS)
def test_a_basket_is_predicted_from_those_before(lengths: list[int]) -> None:
    sequences = made(lengths, items=1000, per_basket=3)
    sampler = NegativeSampler(np.bincount(sequences.items, minlength=1000), 4)
    for batch in training_batches(
        sequences, sampler, most=40, tokens=64, by_basket=True, random=np.random.default_rng(0)
    ):
        for query, target in zip(batch.query, batch.target, strict=True):
            mine = torch.nonzero((batch.segment == batch.segment[query]) & (batch.item == target)).flatten()
            assert bool((batch.at[mine] > batch.at[query]).any())
            following = batch.at[(batch.segment == batch.segment[query]) & (batch.at > batch.at[query])]
            assert float(following.min()) in batch.at[mine].tolist()


def test_two_shares_are_the_whole() -> None:
    sequences = made([5, 7, 3, 9, 4, 6])
    sampler = NegativeSampler(np.bincount(sequences.items, minlength=9), 4)

    def run(rank: int, world: int) -> list[Batch]:
        random = np.random.default_rng(3)
        return list(
            training_batches(
                sequences, sampler, most=20, tokens=16, by_basket=False, random=random, share=(rank, world)
            )
        )

    whole, halves = run(0, 1), [run(0, 2), run(1, 2)]
    for batch, *parts in zip(whole, *halves, strict=False):
        assert len(batch.query) == sum(len(part.query) for part in parts)
        for part in parts:
            assert torch.equal(batch.ids[batch.negatives], part.ids[part.negatives])


def test_negatives_are_drawn_as_often_as_their_correction_says() -> None:
    counts = np.array([0, 1, 10, 100])
    sampler = NegativeSampler(counts, 3)
    random = np.random.default_rng(0)
    drawn = [sampler.draw(random) for _ in range(4000)]
    often = np.bincount(np.concatenate([one for one, _ in drawn]), minlength=4) / len(drawn)
    expected = {
        int(item): float(np.exp(log_q)) for items, logs in drawn for item, log_q in zip(items, logs, strict=True)
    }
    assert often[0] == 0  # never seen, so not known to be unwanted
    for item, number in expected.items():
        assert abs(often[item] - number) < 0.05


def test_impressions_find_their_queries() -> None:
    train = Sequences(np.array([0, 3, 5]), np.array([1, 2, 3, 4, 5]), np.array([1.0, 2, 3, 1, 2]))
    shown = Sequences(np.array([0, 3, 5]), np.array([7, 8, 1, 9, 9]), np.array([0.5, 2, 2.5, 2, 3]))
    made = Shown.of(train, shown)
    # The first was shown before any event. At time 2 item 8 was passed over for 2 by one user, 9 for 5 by the other.
    assert sorted(zip(made.query.tolist(), made.item.tolist(), made.label.tolist(), strict=True)) == [
        (0, 2, 1),
        (0, 8, 0),
        (1, 1, 0),
        (3, 5, 1),
        (3, 9, 0),
        (4, 9, 0),
    ]


@given(LENGTHS, st.integers(0, 8), st.data())
def test_last_occurrence(lengths: list[int], item: int, data: st.DataObject) -> None:
    sequences = made(lengths)
    events = Events(sequences, by_basket=False)
    upto = data.draw(st.integers(0, len(sequences.items) - 1))
    owner = sequences.owner
    mine = [index for index in range(upto + 1) if owner[index] == owner[upto] and sequences.items[index] == item]
    assert events.last_with(np.array([item]), np.array([upto])).tolist() == [mine[-1] if mine else -1]
