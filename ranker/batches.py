"""Packed batches: sequences lie side by side in rows, so that next to nothing of a batch is padding.

A batch is a run of T tokens, cut into blocks of rows of equal width. Attention works on the rows of a
block under a mask that keeps sequences apart; everything else works on the run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq.knowledge_store.log import Ints, Sequences, baskets, previous, ranges

NARROW = 16
"""Sequences up to this length lie in rows this wide: most are short, and attention costs width squared."""


@dataclass(frozen=True)
class Block:
    """Rows of equal width within a batch's run of tokens: tokens [start, start + rows * width)."""

    start: int
    rows: int
    width: int


@dataclass
class Batch:
    """T tokens of several sequences, and P predictions to learn from. Items are numbers of rows of `ids`.

    ids: [M], the distinct items of the batch. item, segment (-1 is padding), at, basket, nth, until: [T];
    `nth` counts earlier events with the same item, `until` is the token of the next one (or T).
    query, target, copied: [P]: after token `query` comes item `target`; `copied` is the token of its last
    occurrence in the history, or -1. negatives: [K], with log_q: [K] the log of their expected number.
    last: [S], the last token of each sequence.
    shown_query, shown_item, shown_copied, shown_label: [B], impressions: after token `shown_query` the item was shown,
    and acted on (1) or not (0).
    imagined: [T], the row of what is imagined after a token, or -1. imagined_item: [R, S]; imagined_log_confidence:
    [R, S], -inf where a slot is empty.
    """

    blocks: list[Block]
    ids: Tensor
    item: Tensor
    segment: Tensor
    at: Tensor
    basket: Tensor
    nth: Tensor
    until: Tensor
    last: Tensor
    query: Tensor
    target: Tensor
    copied: Tensor
    negatives: Tensor
    log_q: Tensor
    shown_query: Tensor
    shown_item: Tensor
    shown_copied: Tensor
    shown_label: Tensor
    imagined: Tensor
    imagined_item: Tensor
    imagined_log_confidence: Tensor

    def to(self, device: torch.device) -> "Batch":
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if isinstance(value, Tensor):
                values[name] = value.to(device, non_blocking=True)
        return Batch(**values)


class NegativeSampler:
    """Draws shared negatives: a mixture of uniform and popularity to the power `power`.

    The log of an item's expected number among K draws corrects the sampled softmax for how often it is
    drawn (Bengio and Senécal 2008; https://research.google/pubs/pub48840/).
    """

    def __init__(self, counts: Ints, number: int, power: float = 0.75, uniform: float = 0.5) -> None:
        """counts: [I], in training. Items without any are never drawn: they are not known to be unwanted."""
        known = counts > 0
        weights = np.where(known, counts, 0).astype(np.float64) ** power * known
        weights = (1 - uniform) * weights / weights.sum() + uniform * known / known.sum()
        self.number = min(number, int(known.sum()))
        self._probability = weights / weights.sum()
        self._cumulative = np.cumsum(self._probability)

    def draw(self, random: np.random.Generator) -> tuple[Ints, NDArray[np.float64]]:
        drawn = np.searchsorted(self._cumulative, random.random(self.number) * self._cumulative[-1])
        drawn = np.minimum(drawn, len(self._cumulative) - 1)
        return drawn, np.log(self.number * self._probability[drawn])


@dataclass(frozen=True)
class Shown:
    """Impressions to learn from, in the order of their queries: [B] each.

    `query` is the index of the last event before the impression, `label` is 1 where it was acted on.
    """

    query: Ints
    item: Ints
    label: Ints

    @classmethod
    def of(cls, train: Sequences, impressions: Sequences) -> "Shown":
        """`impressions` holds, for each of `train`'s sequences, what was shown and not acted on.

        What the user did at the very time of an impression is what was acted on of what was shown.
        """
        first = baskets(train)[0]
        kind = np.repeat([0, 1], [len(impressions.items), len(train.items)])  # before what happened at that time
        owner = np.concatenate([impressions.owner, train.owner])
        order = np.lexsort((kind, np.concatenate([impressions.at, train.at]), owner))
        place = np.empty(len(order), np.int64)
        place[order] = np.cumsum(kind[order])
        following = place[: len(impressions.items)]  # the index of the first event that is not earlier
        inside = np.minimum(following, max(len(train.items) - 1, 0))
        at_once = (following < train.offsets[1:][impressions.owner]) & (train.at[inside] == impressions.at)
        acted = np.flatnonzero(np.isin(first, following[at_once]))
        query = np.concatenate([following - 1, first[acted] - 1])
        item = np.concatenate([impressions.items, train.items[acted]])
        label = np.repeat([0, 1], [len(following), len(acted)])
        known = query >= train.offsets[:-1][np.concatenate([impressions.owner, train.owner[acted]])]
        order = np.flatnonzero(known)[np.argsort(query[known], kind="stable")]
        return cls(query[order], item[order], label[order])


class Events:
    """Sequences with what the model wants to know of each event, worked out once."""

    def __init__(self, sequences: Sequences, *, by_basket: bool) -> None:
        self.sequences = sequences
        owner = sequences.owner
        self.before, self.nth = previous(owner, sequences.items)
        self.first, self.basket = baskets(sequences)
        if not by_basket:
            self.first = np.arange(len(owner))
        self.next = np.full(len(owner), np.iinfo(np.int64).max)
        again = np.flatnonzero(self.before >= 0)
        self.next[self.before[again]] = again

    def last_with(self, items: Ints, upto: Ints) -> Ints:
        """For each query event `upto` [B] the last event of its sequence, not after it, with the item [B]; else -1."""
        owner, number_of_items, distinct, ordered = self._occurrences
        wanted = owner[upto] * number_of_items + np.minimum(items, number_of_items - 1)
        which = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
        found = np.searchsorted(ordered, which * len(owner) + upto, side="right") - 1
        there = (distinct[which] == wanted) & (found >= 0) & (ordered[found] // len(owner) == which)
        return np.where(there, ordered[found] % len(owner), -1)

    @cached_property
    def _occurrences(self) -> tuple[Ints, int, Ints, Ints]:
        """Owners; a bound of items; distinct (owner, item) keys; events in the order of key and place."""
        owner, items = self.sequences.owner, self.sequences.items
        number_of_items = int(items.max(initial=0)) + 2
        distinct, key = np.unique(owner * number_of_items + items, return_inverse=True)
        return owner, number_of_items, distinct, np.sort(key * len(owner) + np.arange(len(owner)))


def chunks(sequences: Sequences, most: int, random: np.random.Generator | None) -> tuple[Ints, Ints]:
    """Starts and lengths of pieces of at most `most` events that cover every sequence.

    Where a long sequence is cut is drawn anew each time; without `random` only its last piece is taken.
    """
    lengths = sequences.lengths
    if random is None:
        taken = np.minimum(lengths, most)
        return sequences.offsets[1:] - taken, taken
    head = np.where(lengths > most, random.integers(1, most + 1, len(lengths)), lengths)
    pieces = np.where(lengths > 0, 1 + -(-(lengths - head) // most), 0)
    number = ranges(np.zeros(len(lengths), np.int64), pieces)
    which = np.repeat(np.arange(len(lengths)), pieces)
    start = np.where(number == 0, 0, head[which] + (number - 1) * most)
    end = np.minimum(head[which] + number * most, lengths[which])
    return sequences.offsets[which] + start, end - start


def shuffled_ties(sequences: Sequences, random: np.random.Generator) -> Sequences:
    """The same events, those of a basket in random order: their order in a log means nothing."""
    order = np.lexsort((random.random(len(sequences.items)), sequences.at, sequences.owner))
    imagined = sequences.imagined and sequences.imagined.of(order)
    return Sequences(sequences.offsets, sequences.items[order], sequences.at, imagined)


def training_batches(
    sequences: Sequences,
    sampler: NegativeSampler,
    *,
    most: int,
    tokens: int,
    by_basket: bool,
    random: np.random.Generator,
    skipped: float = 0.0,
    shown: Shown | None = None,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """An epoch's batches of about `tokens` tokens.

    `share` (rank, world) takes every world-th sequence of each batch: all ranks draw the same numbers and the same
    negatives, so that together they see what one process alone would see.
    """
    if skipped:
        sequences = sequences.take(random.random(len(sequences.items)) >= skipped)
    events = Events(shuffled_ties(sequences, random) if by_basket else sequences, by_basket=by_basket)
    starts, lengths = chunks(sequences, most, random)
    useful = lengths > 1
    starts, lengths = starts[useful], lengths[useful]
    order = random.permutation(len(starts))
    starts, lengths = starts[order], lengths[order]
    number = np.cumsum(lengths) // tokens
    bounds = np.searchsorted(number, np.arange(number[-1] + 2)) if len(number) else np.zeros(1, np.int64)
    rank, world = share
    for low, high in pairwise(bounds):
        drawn = sampler.draw(random)
        if high - low >= world:
            mine = slice(low + rank, high, world)
            yield pack(events, starts[mine], lengths[mine], most, *drawn, shown)


def history_batches(sequences: Sequences, *, most: int, tokens: int) -> Iterator[Batch]:
    """Batches of the last `most` events of each sequence, in order, to encode histories with.

    No sequence may be empty.
    """
    events = Events(sequences, by_basket=False)
    starts, lengths = chunks(sequences, most, None)
    number = np.cumsum(lengths) // tokens
    bounds = np.searchsorted(number, np.arange(number[-1] + 2)) if len(number) else np.zeros(1, np.int64)
    nothing = np.zeros(0, np.int64), np.zeros(0)
    for low, high in pairwise(bounds):
        if high > low:
            yield pack(events, starts[low:high], lengths[low:high], most, *nothing)


def pack(
    events: Events,
    starts: Ints,
    lengths: Ints,
    most: int,
    negatives: Ints,
    log_q: NDArray[np.float64],
    shown: Shown | None = None,
) -> Batch:
    """One batch of the pieces [start, start + length) of `events`."""
    blocks: list[Block] = []
    place = np.empty(len(starts), np.int64)  # of each piece's first token
    total = 0
    wide = max(most, NARROW)
    for width, mine in ((NARROW, lengths <= NARROW), (wide, lengths > NARROW)):
        which = np.flatnonzero(mine)
        if not len(which):
            continue
        row, offset, rows = _fill_rows(lengths[which], width)
        place[which] = total + row * width + offset
        blocks.append(Block(total, rows, width))
        total += rows * width
    source = ranges(starts, lengths)
    token = ranges(place, lengths)
    shift = np.repeat(place - starts, lengths)  # from an event's index to its token
    begin = np.repeat(starts, lengths)
    end = begin + np.repeat(lengths, lengths)
    sequences = events.sequences
    # Predictions: the target's query is the last event before its basket, if the piece has one.
    query = events.first[source] - 1
    learnt = query >= begin
    before = events.before[source]
    copied = np.where(before >= begin, before + shift, -1)[learnt]
    items = sequences.items[source]
    seen_query, seen_item, seen_copied, seen_label = _shown(events, starts, lengths, place, shown)
    imagined, imagined_item, log_confidence = _imagined(sequences, source)
    parts = [items, negatives, seen_item, imagined_item.ravel()]
    ids, joined = np.unique(np.concatenate(parts), return_inverse=True)
    local = np.split(joined, np.cumsum([len(part) for part in parts])[:-1])

    def run(values: NDArray[Any], empty: float) -> Tensor:
        out = np.full(total, empty, values.dtype)
        out[token] = values
        return torch.from_numpy(out)

    following = events.next[source]
    return Batch(
        blocks=blocks,
        ids=torch.from_numpy(ids),
        item=run(local[0], 0),
        segment=run(np.repeat(np.arange(len(starts)), lengths), -1),
        at=run(sequences.at[source], 0.0),
        basket=run(events.basket[source], 0),
        nth=run(events.nth[source], 0),
        until=run(np.where(following < end, following + shift, total), total),
        last=torch.from_numpy(place + lengths - 1),
        query=torch.from_numpy((query + shift)[learnt]),
        target=torch.from_numpy(local[0][learnt]),
        copied=torch.from_numpy(copied),
        negatives=torch.from_numpy(local[1]),
        log_q=torch.from_numpy(log_q.astype(np.float32)),
        shown_query=torch.from_numpy(seen_query),
        shown_item=torch.from_numpy(local[2]),
        shown_copied=torch.from_numpy(seen_copied),
        shown_label=torch.from_numpy(seen_label.astype(np.float32)),
        imagined=run(imagined, -1),
        imagined_item=torch.from_numpy(local[3].reshape(imagined_item.shape)),
        imagined_log_confidence=torch.from_numpy(log_confidence),
    )


def _imagined(sequences: Sequences, source: Ints) -> tuple[Ints, Ints, NDArray[np.float32]]:
    """What is imagined after the events `source` [n]: rows [n] (or -1) of items [R, S] and log-confidences [R, S]."""
    made = sequences.imagined
    if made is None or not len(made.items):
        return np.full(len(source), -1), np.zeros((0, 0), np.int64), np.zeros((0, 0), np.float32)
    rows, place = np.unique(made.row[source], return_inverse=True)
    none = int(len(rows) > 0 and rows[0] < 0)
    items = made.items[rows[none:]]
    empty = items < 0
    return place - none, np.where(empty, 0, items), np.where(empty, -np.inf, made.log_confidence[rows[none:]])


def _shown(
    events: Events, starts: Ints, lengths: Ints, place: Ints, shown: Shown | None
) -> tuple[Ints, Ints, Ints, Ints]:
    """The impressions whose queries lie in the pieces: query tokens, items, tokens of last occurrences, labels."""
    if shown is None or not len(shown.query):
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing, nothing
    low, high = np.searchsorted(shown.query, starts), np.searchsorted(shown.query, starts + lengths)
    mine = ranges(low, high - low)
    begin, shift = np.repeat(starts, high - low), np.repeat(place - starts, high - low)
    last = events.last_with(shown.item[mine], shown.query[mine])
    copied = np.where(last >= begin, last + shift, -1)
    return shown.query[mine] + shift, shown.item[mine], copied, shown.label[mine]


def _fill_rows(lengths: Ints, width: int) -> tuple[Ints, Ints, int]:
    """Where each piece lies when rows are filled one by one with the longest that still fits.

    Returns rows [S], offsets [S] and the number of rows.
    """
    order = np.argsort(-lengths, kind="stable")
    # Pieces of one length are a run in `order`: from first[length] on, left[length] of them.
    left = np.bincount(lengths, minlength=width + 1).tolist()
    first = np.concatenate([np.cumsum(left[::-1])[::-1][1:], [0]]).tolist()
    fits = list(range(width + 1))  # the longest length up to this one that has pieces left
    row_of, offset_of = np.empty(len(lengths), np.int64), np.empty(len(lengths), np.int64)
    rows, room, done = 0, width, 0
    while done < len(lengths):
        length = room
        while length > 0 and not left[length]:
            length = fits[length] = fits[length - 1] if fits[length] == length else fits[length]
        if length <= 0:
            rows, room = rows + 1, width
            continue
        piece = order[first[length]]
        row_of[piece], offset_of[piece] = rows, width - room
        first[length] += 1
        left[length] -= 1
        room -= length
        done += 1
    return row_of, offset_of, rows + 1
