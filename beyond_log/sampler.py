"""From noise to imagined items: parallel unmasking with low-confidence remasking, and only items that exist.

Shapes: B users, S slots, M digits, K values a digit, I items.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor

from reaseq import ReaseqError
from reaseq.beyond_log.denoiser import Denoiser
from reaseq.beyond_log.examples import Batch
from reaseq.knowledge_store.configured import CONFIGURED, Seed
from reaseq.knowledge_store.log import Ints

EXACT = 100_000
"""Up to so many items every one is scored; above, digits are chosen one by one among those that lead to an item."""
NONE = -1
"""In place of an item where a slot stayed empty."""


class SampleConfig(BaseModel):
    """How events are imagined. Everything random comes from `seed` and the user."""

    model_config = CONFIGURED

    slots: int = Field(8, gt=0)
    steps: int = Field(8, gt=0, description="Passes of the denoiser; more than digits in all change nothing.")
    temperature: float = Field(1.0, gt=0)
    guidance: float = Field(0.0, ge=0, description="Of classifier-free guidance; 0: none.")
    seed: Seed = 0


class Items:
    """The items that may be imagined. codes: [I, M]; counts: [I], events in training; size: K.

    exact: whether every item is scored for a draw; None: up to `EXACT` items.
    """

    def __init__(self, codes: Ints, counts: Ints, size: int, *, exact: bool | None = None) -> None:
        self.codes, self.size = codes, size
        self.exact = len(codes) <= EXACT if exact is None else exact
        _, code = np.unique(codes, axis=0, return_inverse=True)
        code = code.reshape(-1)
        weight = counts + 1.0
        # A code leads to its items as often as each was had.
        self.log_prior = np.log(weight / np.bincount(code, weight)[code]).astype(np.float32)

    @property
    def number(self) -> int:
        return len(self.codes)

    @cached_property
    def postings(self) -> list[list[Ints]]:
        """For each digit and value the items that have it, in order."""
        lists = []
        for column in self.codes.T:
            order = np.argsort(column, kind="stable")
            lists.append(np.split(order, np.searchsorted(column[order], np.arange(1, self.size))))
        return lists

    def pick(self, log_p: NDArray[np.float64], uniform: NDArray[np.float64], taken: Sequence[set[int]]) -> Ints:
        """An item for each row, drawn by its digits' log-probabilities [R, M, K] (-inf where a digit is settled
        otherwise), none of the row's `taken`; NONE if there is none. uniform: [R, M + 1] numbers in [0, 1). [R].
        """
        if not self.exact:
            rows = zip(log_p, uniform, taken, strict=True)
            return np.array([self._walk(*row) for row in rows], np.int64)
        # Items by rows, not rows by items: so a row of the tables is added at once, several times as fast.
        tables = np.ascontiguousarray(log_p.transpose(1, 2, 0), np.float32)  # [M, K, R]
        scores = np.repeat(self.log_prior[:, None], len(log_p), axis=1)  # [I, R]
        for table, column in zip(tables, self.codes.T, strict=True):
            scores += table[column]
        for row, held in enumerate(taken):
            scores[list(held), row] = -np.inf
        return _draw(scores, uniform[:, -1])

    def _walk(self, log_p: NDArray[np.float64], uniform: NDArray[np.float64], taken: set[int]) -> int:
        """Digit by digit, the surest first, each among the values that still lead to an item."""
        banned = np.fromiter(taken, np.int64, len(taken))
        candidates: Ints | None = None
        for place in np.argsort(-log_p.max(1), kind="stable"):
            scores = log_p[place].copy()
            if candidates is None:
                scores[[not len(posting) for posting in self.postings[place]]] = -np.inf
            else:
                scores[np.bincount(self.codes[candidates, place], minlength=self.size) == 0] = -np.inf
            while True:
                value = int(_draw(scores[:, None], uniform[[place]])[0])
                if value == NONE:
                    return NONE
                if candidates is None:
                    posting = self.postings[place][value]
                    left = posting[~np.isin(posting, banned)] if len(banned) else posting
                else:
                    left = candidates[self.codes[candidates, place] == value]
                if len(left):
                    break
                scores[value] = -np.inf  # all its items are taken
            candidates = left
        assert candidates is not None
        return int(candidates[_draw(self.log_prior[candidates][:, None], uniform[-1:])[0]])


@torch.no_grad()
def imagine(
    model: Denoiser,
    batch: Batch,
    users: Sequence[int],
    items: Items,
    codes: Tensor,
    vectors: Tensor,
    config: SampleConfig,
    *,
    banned: Sequence[set[int]],
) -> tuple[Ints, NDArray[np.float64]]:
    """Imagine `slots` distinct items for each history of the batch: items [B, S] and log-confidences [B, S].

    users: [B], what each user's draws are seeded with, so that no other user of the batch changes them. banned: of each
    user items that are not to be imagined, such as all of the history. The slots of a next-item model know
    nothing of each other.

    1. All digits are masked.
    2. The denoiser gives every digit's probabilities; each slot draws one item by them, so that its digits go together.
    3. Of the digits drawn the surest are kept, the others masked again (LLaDA's low-confidence remasking).
    4. From 2, until no digit is masked. A slot's confidence is that of its digits when they were kept.

    Raises:
        ReaseqError: the model was trained with fewer slots.
    """
    if config.slots > model.config.slots:
        raise ReaseqError(
            f"{config.slots} slots: the model was trained to imagine at most {model.config.slots} events together",
            hint="reaseq train-beyond-log --set slots=16",
        )
    b, s, m = len(users), config.slots, model.digits
    steps = min(config.steps, s * m)
    device = codes.device
    draws = np.stack([np.random.default_rng([config.seed, user]).random((steps, s, m + 1)) for user in users])
    context = model.encode(batch, codes, vectors)
    unguided, everybody = None, torch.ones(b, dtype=torch.bool, device=device)
    if config.guidance:
        unguided = model.encode(batch, codes, vectors, everybody)
    digits = np.full((b, s, m), model.mask)
    chosen = np.full((b, s), NONE)
    confidence = np.zeros((b, s, m))
    wanted = torch.ones(b, s, dtype=torch.bool, device=device)
    for step in range(steps):
        noisy = torch.from_numpy(digits).to(device)
        logits = model(context, batch, noisy, wanted).double()
        if unguided is not None:
            free = model(unguided, batch, noisy, wanted, hidden=everybody).double()
            logits = free + (1 + config.guidance) * (logits - free)
        log_p = torch.log_softmax(logits, -1).cpu().numpy()
        keep = (step + 1) * s * m // steps
        settled = digits != model.mask
        opened = ~settled.all(-1)  # [B, S]
        taken = [ban | set(row[~free].tolist()) for ban, row, free in zip(banned, chosen, opened, strict=True)]
        proposed = np.full((b, s), NONE)
        for slot in range(s):  # one after the other: what one has drawn the next must not
            rows = np.flatnonzero(opened[:, slot])
            own = log_p[rows, slot] / config.temperature
            uniform, mine = draws[rows, step, slot], [taken[row] for row in rows]
            drawn = items.pick(_settle(own, digits[rows, slot], settled[rows, slot]), uniform, mine)
            again = np.flatnonzero((drawn == NONE) & settled[rows, slot].any(-1))
            if len(again):  # others have taken all items with these digits
                digits[rows[again], slot], settled[rows[again], slot] = model.mask, False
                drawn[again] = items.pick(own[again], uniform[again], [mine[row] for row in again])
            proposed[rows, slot] = drawn
            for row, item in zip(rows, drawn.tolist(), strict=True):
                taken[row].add(item)
        chosen[opened] = proposed[opened]
        sure = np.full((b, s, m), -np.inf)
        new = opened[:, :, None] & ~settled & (proposed >= 0)[:, :, None]
        values = items.codes[np.maximum(proposed, 0)]  # [B, S, M]
        sure[new] = np.take_along_axis(log_p, values[..., None], -1)[..., 0][new]
        order = np.argsort(-sure.reshape(b, -1), axis=1, kind="stable")
        number = np.maximum(keep - settled.sum((1, 2)), 0)
        best = np.zeros((b, s * m), bool)
        np.put_along_axis(best, order, np.arange(s * m)[None] < number[:, None], axis=1)
        kept = best.reshape(b, s, m) & np.isfinite(sure)
        digits[kept], confidence[kept] = values[kept], sure[kept]
    chosen[(digits == model.mask).any(-1)] = NONE
    return chosen, np.where(chosen == NONE, -np.inf, confidence.sum(-1))


@torch.no_grad()
def item_scores(
    model: Denoiser, batch: Batch, items: Items, codes: Tensor, vectors: Tensor, *, block: int = 4
) -> NDArray[np.float32]:
    """log P(an imagined event is item i | history), for all items: [B, I].

    codes: [C, M], vectors: [C, p], of the catalogue the histories are from. The codes of `items` may be shorter, which
    scores whatever these first digits stand for.

    The first digit is summed over exactly, the others are taken as independent given it:
    P(d) = P(d_1) P(d_2 | d_1) ... P(d_M | d_1), and P(item | d) by how often it was had.
    """
    made = np.empty((len(batch.items), items.number), np.float32)
    context = model.encode(batch, codes, vectors)
    codes = torch.from_numpy(items.codes).to(codes.device)
    values = torch.unique(codes[:, 0])
    place = torch.zeros(model.size, dtype=torch.int64, device=codes.device)
    place[values] = torch.arange(len(values), device=codes.device)
    given = torch.full((len(values), model.digits), model.mask, device=codes.device)
    given[:, 0] = values
    first, prior = codes[:, 0], torch.from_numpy(items.log_prior).to(codes.device).float()
    for low in range(0, len(batch.items), block):
        part = Batch(**{name: value[low : low + block] for name, value in vars(batch).items()})
        rows = len(part.items)
        start = torch.full((rows, 1, model.digits), model.mask, device=codes.device)
        own = context[low : low + block]
        log_p = torch.log_softmax(model(own, part, start, None).float(), -1)[:, 0, 0]  # [b, K]
        scores = log_p[:, first] + prior
        if codes.shape[1] > 1:
            rest = torch.log_softmax(model(own, part, given.expand(rows, -1, -1), None).float(), -1)  # [b, V, M, K]
            for digit in range(1, codes.shape[1]):
                scores += rest[:, place[first], digit, codes[:, digit]]
        made[low : low + block] = scores.cpu().numpy()
    return made


def _settle(log_p: NDArray[np.float64], digits: Ints, settled: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The log-probabilities [R, M, K] once some digits [R, M] are known."""
    made = np.where(settled[..., None], -np.inf, log_p)
    row, place = np.nonzero(settled)
    made[row, place, digits[row, place]] = 0.0
    return made


def _draw(scores: NDArray[np.floating], uniform: NDArray[np.float64]) -> Ints:
    """For each column [n, R] an index drawn in proportion to exp(scores), by inversion; NONE if all are -inf: [R]."""
    if not len(scores):
        return np.full(len(uniform), NONE)
    top = scores.max(0)
    some = np.isfinite(top)
    total = np.cumsum(np.exp(scores - np.where(some, top, 0)), axis=0, dtype=np.float64)
    target = uniform * total[-1]
    made = np.array([np.searchsorted(column, one, side="right") for column, one in zip(total.T, target, strict=True)])
    # Rounding must not lead past the last that may be drawn.
    last = len(scores) - 1 - np.argmax(scores[::-1] > -np.inf, axis=0)
    return np.where(some, np.minimum(made.astype(np.int64), last), NONE)
