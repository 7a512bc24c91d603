"""Scores of items after a history: of all items for many cases, or of some for one user."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq.knowledge_store.log import Ints, Sequences
from reaseq.ranker.batches import history_batches
from reaseq.ranker.model import Ranker

UNKNOWN = -1e9
"""The score of an item that the model knows nothing of."""
_TOKENS = 8192


@dataclass(frozen=True)
class ItemVectors:
    """x: [I, d], the items' vectors; keys: [I, d], what encoded histories are compared with; bias: [I], added to the
    scores.

    The bias discounts popularity (the model's `discount`), and puts last the items that nothing is known of.
    """

    x: Tensor
    keys: Tensor
    bias: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, model: Ranker, table: Tensor, counts: Tensor, knowledge: Tensor | None) -> "ItemVectors":
        """table: [I, d]; counts: [I]; knowledge: [I, k] or None. A row of zeros is no knowledge."""
        known = counts > 0 if model.items.use_id else torch.zeros_like(counts, dtype=torch.bool)
        if model.items.use_knowledge and knowledge is not None:
            known = known | knowledge.any(1)
        x = model.items(table, knowledge, counts)
        bias = torch.where(known, -model.config.discount * torch.log1p(counts), UNKNOWN)
        return cls(x, model.keys(x), bias)


@torch.no_grad()
def encode_histories(
    model: Ranker, vectors: ItemVectors, histories: Sequences
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """What each history calls for: h [C, d]; and the history's items with what repetition adds to their scores:
    rows [R], items [R], bonuses [R], in the order of rows. An empty history calls for what an average one does: zero.
    """
    device = vectors.x.device
    h = torch.zeros(len(histories), model.config.dim, device=device)
    some = np.flatnonzero(histories.lengths > 0)
    rows, items, bonuses, done = [], [], [], 0
    for batch in history_batches(histories.select(some), most=model.config.most, tokens=_TOKENS):
        batch = batch.to(device)
        encoded = model.encode(vectors.x[batch.ids[batch.item]], batch)
        encoded = model.swayed(encoded, vectors.keys[batch.ids], batch)
        here = torch.from_numpy(some[done : done + len(batch.last)]).to(device)
        h[here] = encoded[batch.last]
        done += len(batch.last)
        if model.config.repeats:
            newest = torch.nonzero((batch.segment >= 0) & (batch.until >= len(batch.segment))).squeeze(1)
            segment = batch.segment[newest]
            order = torch.argsort(segment, stable=True)
            newest, segment = newest[order], segment[order]
            query = batch.last[segment]
            bonuses.append(model.repeat_bonus(encoded[query], batch, query, newest))
            rows.append(here[segment])
            items.append(batch.ids[batch.item[newest]])
    empty = torch.zeros(0, dtype=torch.int64, device=device)
    return h, (torch.cat([*rows, empty]), torch.cat([*items, empty]), torch.cat([*bonuses, empty.float()]))


def case_scores(model: Ranker, vectors: ItemVectors, histories: Sequences) -> Callable[[int, int], Tensor]:
    """Scores of all items after each history, made block by block: a function of [low, high)."""
    h, (rows, items, bonuses) = encode_histories(model, vectors, histories)
    bounds = torch.searchsorted(rows, torch.arange(len(histories) + 1, device=rows.device)).tolist()
    x = vectors.keys.T.contiguous()
    biased = bool(vectors.bias.any())

    def block(low: int, high: int) -> Tensor:
        scores = h[low:high] @ x
        mine = slice(bounds[low], bounds[high])
        scores.index_put_((rows[mine] - low, items[mine]), bonuses[mine], accumulate=True)
        return scores.add_(vectors.bias) if biased else scores

    return block


@torch.no_grad()
def click_logits(
    model: Ranker, vectors: ItemVectors, histories: Sequences, owner: Ints, items: Ints
) -> NDArray[np.float64]:
    """Log-odds that items [B] shown after the histories owner [B] are acted on: [B]."""
    h, bonus = encode_histories(model, vectors, histories)
    shown, after = torch.from_numpy(items).to(h.device), torch.from_numpy(owner).to(h.device)
    score = (h[after] * vectors.keys[shown]).sum(-1) + _bonus_of(bonus, after, shown, len(vectors.x))
    return model.click_logit(score).double().cpu().numpy()


def _bonus_of(bonus: tuple[Tensor, Tensor, Tensor], rows: Tensor, items: Tensor, number: int) -> Tensor:
    """What repetition adds to items [B] after the histories rows [B]; zero for those that are not in them."""
    have_rows, have_items, values = bonus
    if not len(values):
        return torch.zeros(len(rows), device=rows.device)
    keys, order = torch.sort(have_rows * number + have_items)
    wanted = rows * number + items
    place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
    return torch.where(keys[place] == wanted, values[order[place]], 0.0)
