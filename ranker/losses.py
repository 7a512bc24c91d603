"""What is minimised: the next item's cross entropy, its denominator estimated from shared negatives."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd
from torch.nn import functional as F

from reaseq.ranker.batches import Batch
from reaseq.ranker.model import Ranker, take


class SharedNegatives(torch.autograd.Function):
    """log sum_k exp(h_p . n_k - log_q_k) over the negatives not hidden from p, with its gradient in closed form.

    The [P, K] matrix is by far the largest thing of a step. Written out, it is kept once and passed over four times;
    autograd would keep it five times.
    """

    @staticmethod
    @custom_fwd(device_type="cuda")  # type: ignore[untyped-decorator]
    def forward(ctx: Any, h: Tensor, negatives: Tensor, log_q: Tensor, hidden: Tensor) -> Tensor:
        """h: [P, d]; negatives: [K, d]; log_q: [K]; hidden: [P, K]. Returns [P]."""
        scores = torch.addmm(-log_q.to(h.dtype), h, negatives.T).float()
        scores.masked_fill_(hidden, -1e9)
        top = scores.amax(1, keepdim=True)
        chances = scores.sub_(top).exp_()
        total = chances.sum(1, keepdim=True)
        ctx.save_for_backward(h, negatives, chances.div_(total))
        return (total.log() + top).squeeze(1)

    @staticmethod
    @custom_bwd(device_type="cuda")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        h, negatives, chances = ctx.saved_tensors
        inner = (chances * gradients[0][:, None]).to(h.dtype)
        return inner @ negatives, inner.T @ h, None, None


class Objective(nn.Module):
    """The training loss as a module's forward, which is what DistributedDataParallel and torch.compile wrap."""

    def __init__(self, model: Ranker) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, knowledge: Tensor | None, counts: Tensor, batch: Batch) -> Tensor:
        """ids: [M, d], knowledge: [M, k] or None, counts: [M], of the batch's items. Returns the summed loss."""
        x = self.model.items(ids, knowledge, counts)
        tokens = take(x, batch.item)
        encoded = self.model.encode(tokens, batch)
        x = self.model.keys(x)
        encoded = self.model.swayed(encoded, x, batch)
        tokens = take(x, batch.item)
        loss = next_item_loss(self.model, encoded, tokens, x, batch)
        if len(batch.shown_query):
            loss = loss + impression_loss(self.model, encoded, x, batch)
        return loss


def next_item_loss(model: Ranker, encoded: Tensor, tokens: Tensor, x: Tensor, batch: Batch) -> Tensor:
    """Sum over the batch's predictions of -log p(target | history).

    encoded: [T, d], what each token calls for; tokens: [T, d], the vectors of their items; x: [M, d], of all items.

    1. h [P, d] are the encoded queries.
    2. The items of the history are scored exactly, each once, with what their repetition adds.
    3. K shared negatives stand for all other items: exp(score) / expected number of draws is an unbiased
       estimate of their sum. Those that the sequence holds are masked, the target among them.
    4. The target is added, unless the history holds it.
    """
    h = take(encoded, batch.query)  # [P, d]
    score = (h * take(x, batch.target)).sum(-1)
    held = torch.zeros(len(batch.last), len(batch.ids), dtype=torch.bool, device=x.device)
    real = batch.segment >= 0
    held[batch.segment[real], batch.item[real]] = True
    hidden = held[:, batch.negatives][batch.segment[batch.query]]
    drawn = SharedNegatives.apply(h, take(x, batch.negatives), batch.log_q, hidden)  # type: ignore[no-untyped-call]
    if model.config.repeats:
        history = take(model.history_scores(encoded, tokens, batch), batch.query)
        again = batch.copied >= 0
        bonus = model.repeat_bonus(h, batch, batch.query, batch.copied.clamp_min(0))
        score = score + torch.where(again, bonus, 0.0)
        # -1e9 and not -inf: a token always sees itself, but a masked gradient must not become nan.
        fresh = torch.where(again, -1e9, score)
        total = torch.logaddexp(torch.logaddexp(drawn, history), fresh)
    else:
        total = torch.logaddexp(drawn, score)
    return (total - score).sum()


def impression_loss(model: Ranker, encoded: Tensor, x: Tensor, batch: Batch) -> Tensor:
    """Summed binary cross entropy of the batch's impressions. encoded: [T, d]; x: [M, d]."""
    h = take(encoded, batch.shown_query)
    score = (h * take(x, batch.shown_item)).sum(-1)
    if model.config.repeats:
        bonus = model.repeat_bonus(h, batch, batch.shown_query, batch.shown_copied.clamp_min(0))
        score = score + torch.where(batch.shown_copied >= 0, bonus, 0.0)
    return F.binary_cross_entropy_with_logits(model.click_logit(score), batch.shown_label, reduction="sum")
