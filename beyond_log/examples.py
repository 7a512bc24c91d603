"""Training examples: what is hidden of a user's log, and what is left to infer it from.

Whole categories or a span of time are hidden, so that what a model learns is to infer the unseen, not to continue the
seen. Everything random comes from the generator that is passed in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq.knowledge_store.log import Ints, Sequences

Objective = Literal["beyond", "next"]


@dataclass(frozen=True)
class Catalogue:
    """What is known of the I items. codes: [I, M], each digit below `size`. vectors: [I, p], float32. groups: [I], the
    category each is hidden with, below `number_of_groups`. kinds: [I], finer than groups: among hidden items each kind
    is as likely to be asked for as any other, however many of its items the user had."""

    codes: Ints
    vectors: NDArray[np.float32]
    groups: Ints
    kinds: Ints
    size: int
    number_of_groups: int

    @cached_property
    def group_of_first(self) -> Ints:
        """The group of all items with a value of the first digit; -1 where there are several, or none: [K]."""
        made = np.full(self.size, -1)
        made[self.codes[:, 0]] = self.groups
        mixed = self.codes[made[self.codes[:, 0]] != self.groups, 0]
        made[mixed] = -1
        return made


@dataclass
class Batch:
    """B examples, N history events, S slots, G groups. Padding holds zeros and changes nothing.

    items: [B, N], age: [B, N] in the log's clock before the newest; there: [B, N], what is not padding.
    profile: [B, G], log(1 + events of the group), of all that is visible. first: [B, K], the same of the values of
    codes' first digit; around: [B, K], of each value's group.
    targets: [B, S] items; wanted: [B, S], what is not padding. until: [B, S], how many history events a slot may look
    at; N for all.
    """

    items: Tensor
    age: Tensor
    there: Tensor
    profile: Tensor
    first: Tensor
    around: Tensor
    targets: Tensor
    wanted: Tensor
    until: Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


@dataclass(frozen=True)
class Example:
    """One user's visible events, oldest first, and the items to infer."""

    items: Ints
    at: NDArray[np.float64]
    targets: Ints
    until: Ints | None = None


def hide(
    items: Ints,
    at: NDArray[np.float64],
    catalogue: Catalogue,
    random: np.random.Generator,
    *,
    slots: int,
    spans: float,
) -> Example | None:
    """Hide a part of one user's events; None where nothing is left to see or to infer.

    With chance `spans` a span of a tenth to half of the events is hidden, every other time the newest one; else
    between one and half of the groups. What is visible too is no target.
    """
    groups = catalogue.groups[items]
    if random.random() < spans:
        length = max(1, round(len(items) * random.uniform(0.1, 0.5)))
        start = len(items) - length if random.random() < 0.5 else random.integers(0, len(items) - length + 1)
        hidden = np.zeros(len(items), bool)
        hidden[start : start + length] = True
    else:
        mine = np.unique(groups)
        chosen = random.permutation(mine)[: random.integers(1, max(len(mine) // 2, 1) + 1)]
        hidden = np.isin(groups, chosen)
    targets = np.setdiff1d(items[hidden], items[~hidden])
    if not len(targets) or hidden.all():
        return None
    _, kind, count = np.unique(catalogue.kinds[targets], return_inverse=True, return_counts=True)
    # Efraimidis and Spirakis 2006: the largest u^(1/w) are a weighted sample without replacement.
    order = np.argsort(np.log(1 - random.random(len(targets))) * count[kind])[::-1]
    return Example(items[~hidden], at[~hidden], random.permutation(targets[order[:slots]]))


def continuing(
    items: Ints, at: NDArray[np.float64], random: np.random.Generator, *, slots: int, history: int
) -> Example | None:
    """What a next-item model learns: at `slots` places of the last `history` events, the event that follows."""
    start = random.integers(0, max(len(items) - history, 0) + 1)
    items, at = items[start : start + history + 1], at[start : start + history + 1]
    if len(items) < 2:
        return None
    until = np.sort(random.permutation(np.arange(1, len(items)))[:slots])
    return Example(items[:-1], at[:-1], items[until], until)


def visible(items: Ints, most: int, random: np.random.Generator | None) -> Ints:
    """Which of the visible events a model is shown when there are more than `most`: half of them the newest, the
    others drawn, or evenly spaced without a generator. In order: [at most `most`]."""
    if len(items) <= most:
        return np.arange(len(items))
    newest = most // 2
    older = len(items) - newest
    if random is None:
        drawn = np.linspace(0, older - 1, most - newest).round().astype(np.int64)
    else:
        drawn = np.sort(random.choice(older, most - newest, replace=False))
    return np.concatenate([drawn, np.arange(older, len(items))])


def collate(
    examples: Sequence[Example],
    catalogue: Catalogue,
    *,
    history: int,
    slots: int,
    random: np.random.Generator | None = None,
) -> Batch:
    """Examples as one batch, histories cut to `history` events. The age of an event counts back from the newest."""
    rows = [visible(one.items, history, random) if one.until is None else np.arange(len(one.items)) for one in examples]
    width = max([len(row) for row in rows] + [1])
    made: dict[str, NDArray[Any]] = {
        "items": np.zeros((len(examples), width), np.int64),
        "age": np.zeros((len(examples), width), np.float32),
        "there": np.zeros((len(examples), width), bool),
        "profile": np.zeros((len(examples), catalogue.number_of_groups), np.float32),
        "first": np.zeros((len(examples), catalogue.size), np.float32),
        "targets": np.zeros((len(examples), slots), np.int64),
        "wanted": np.zeros((len(examples), slots), bool),
        "until": np.full((len(examples), slots), width, np.int64),
    }
    for index, (one, row) in enumerate(zip(examples, rows, strict=True)):
        made["items"][index, : len(row)] = one.items[row]
        if len(row):
            made["age"][index, : len(row)] = one.at[-1] - one.at[row]
        made["there"][index, : len(row)] = True
        made["profile"][index] = np.bincount(catalogue.groups[one.items], minlength=catalogue.number_of_groups)
        made["first"][index] = np.bincount(catalogue.codes[one.items, 0], minlength=catalogue.size)
        made["targets"][index, : len(one.targets)] = one.targets
        made["wanted"][index, : len(one.targets)] = True
        if one.until is not None:
            made["until"][index, : len(one.until)] = one.until
    made["profile"], made["first"] = np.log1p(made["profile"]), np.log1p(made["first"])
    group = catalogue.group_of_first
    made["around"] = np.where(group >= 0, made["profile"][:, group], np.float32(0))
    return Batch(**{name: torch.from_numpy(value) for name, value in made.items()})


def epoch(
    sequences: Sequences,
    catalogue: Catalogue,
    random: np.random.Generator,
    *,
    objective: Objective,
    history: int,
    slots: int,
    spans: float,
    batch: int,
    repeats: int = 1,
) -> Iterator[Batch]:
    """Batches of one pass over the users, each `repeats` times with another part hidden."""
    users = np.flatnonzero(sequences.lengths > 1)
    examples: list[Example] = []
    for user in random.permutation(np.repeat(users, repeats)):
        mine = slice(sequences.offsets[user], sequences.offsets[user + 1])
        items, at = sequences.items[mine], sequences.at[mine]
        if objective == "beyond":
            one = hide(items, at, catalogue, random, slots=slots, spans=spans)
        else:
            one = continuing(items, at, random, slots=slots, history=history)
        if one is not None:
            examples.append(one)
        if len(examples) == batch:
            yield collate(examples, catalogue, history=history, slots=slots, random=random)
            examples = []
    if examples:
        yield collate(examples, catalogue, history=history, slots=slots, random=random)
