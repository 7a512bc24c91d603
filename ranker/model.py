"""The model: an item encoder, a causal transformer over packed histories, and what repetition adds.

Shapes: T tokens, M distinct items of a batch, P predictions, K negatives, d width, H heads, w row width.
"""

import math
from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from reaseq.knowledge_store.configured import CONFIGURED, DEEPEST, WIDEST, shared
from reaseq.ranker.batches import Batch, Block

Feature = Literal["id", "knowledge", "beyond_log"]
_GAPS = 32
"""Buckets of a time gap: powers of two of a minute."""
_STEPS = 32
"""Buckets of a distance in events or baskets."""


class ModelConfig(BaseModel):
    """What the model is made of."""

    model_config = CONFIGURED

    features: tuple[Feature, ...] = ("id",)
    dim: int = Field(128, gt=0, le=WIDEST)
    blocks: int = Field(2, ge=0, le=DEEPEST)
    heads: int = Field(4, gt=0)
    hidden: int = Field(2, gt=0, le=64, description="Width of the feed-forward layer, in units of dim.")
    most: int = Field(50, gt=1, description="Events of a history that are looked at.")
    dropout: float = Field(0.4, ge=0, lt=1)
    id_dropout: float = Field(0.1, ge=0, lt=1, description="How often an item is known by its knowledge alone.")
    temperature: float = Field(0.06, gt=0, description="Of the cosine scores.")
    knowledge_norm: float = Field(0.7, gt=0, description="Length of what knowledge adds to an item's vector.")
    discount: float = Field(
        0.0, ge=0, description="Taken off a score for each e-fold of an item's train count: favours rare items."
    )
    imagined_gate: float = Field(0.1, gt=0, lt=1, description="How far imagined events sway a history at first.")
    imagined_dropout: float = Field(0.2, ge=0, lt=1, description="How often a whole sequence is seen without them.")
    timed: bool = False
    repeats: bool = True

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        return shared(self, self.dim, self.heads)


class Dropout(nn.Module):
    """Dropout, drawn from random bytes on a CPU: there torch's own draws took a fifth of a training step.

    The rate is then a whole number of 256ths. Seeded by `seed_dropout`, apart from torch's generators.
    """

    _random = np.random.Generator(np.random.SFC64(0))

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        if x.device.type != "cpu" or torch.compiler.is_compiling():
            return F.dropout(x, self.rate)
        dropped = round(self.rate * 256)
        drawn = torch.frombuffer(bytearray(Dropout._random.bytes(x.numel())), dtype=torch.uint8)
        kept = (drawn >= dropped).to(x.dtype).mul_(256 / (256 - dropped))
        return x * kept.view(x.shape)


def seed_dropout(seed: Sequence[int]) -> None:
    """Make all that follows depend on these numbers alone."""
    Dropout._random = np.random.Generator(np.random.SFC64(list(seed)))
    torch.manual_seed(int(np.random.SeedSequence(list(seed)).generate_state(1, np.uint64)[0] >> 1))


class ItemEncoder(nn.Module):
    """x_i = g_i E[i] + W s_i: an id's vector behind a gate on how often it was seen, and its knowledge.

    g_i = sigmoid(a + b log(1 + count_i)). A cold item has no id vector of worth, and falls back on its knowledge; so
    that the model has met that, in training ids are dropped now and then.
    """

    def __init__(self, config: ModelConfig, knowledge_dim: int) -> None:
        super().__init__()
        self.config = config
        self.use_id = "id" in config.features
        self.use_knowledge = "knowledge" in config.features
        if self.use_knowledge:
            self.project = nn.Linear(knowledge_dim, config.dim, bias=False)
            nn.init.normal_(self.project.weight, std=0.02 / math.sqrt(knowledge_dim))
            self.gate = nn.Parameter(torch.tensor([-1.0, 1.0]))

    def forward(self, ids: Tensor, knowledge: Tensor | None, counts: Tensor) -> Tensor:
        """ids: [M, d], rows of the id table; knowledge: [M, k]; counts: [M], in training. Returns [M, d]."""
        if not self.use_knowledge:
            return ids
        assert knowledge is not None
        known = F.normalize(self.project(knowledge), dim=-1) * self.config.knowledge_norm
        if not self.use_id:
            return known
        gate = torch.sigmoid(self.gate[0] + self.gate[1] * torch.log1p(counts)) * (counts > 0)
        if self.training and self.config.id_dropout:
            gate = gate * (torch.rand_like(gate) >= self.config.id_dropout)
        return gate[:, None] * ids + known


class Attention(nn.Module):
    """Causal multi-head attention within the rows of each block, biased by distance and time gap."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.mix = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor, blocks: list[Block], biases: list[Tensor]) -> Tensor:
        """x: [T, d]; biases: a block's [rows or 1, H, w, w], -inf where one must not look."""
        parts = []
        for block, rows, bias in zip(blocks, cut(self.mix(x), blocks), biases, strict=True):
            q, k, v = rows.view(block.rows, block.width, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
            weights = self.dropout(torch.softmax(scores, -1))
            parts.append((weights @ v).transpose(1, 2).reshape(block.rows * block.width, -1))
        return self.out(torch.cat(parts))  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(config.dim)
        self.attention = Attention(config)
        self.before_feed = nn.LayerNorm(config.dim)
        self.feed = nn.Sequential(
            nn.Linear(config.dim, config.hidden * config.dim),
            nn.GELU(),
            Dropout(config.dropout),
            nn.Linear(config.hidden * config.dim, config.dim),
        )
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor, blocks: list[Block], biases: list[Tensor]) -> Tensor:
        x = x + self.dropout(self.attention(self.before_attention(x), blocks, biases))
        return x + self.dropout(self.feed(self.before_feed(x)))  # type: ignore[no-any-return]


class BeyondLog(nn.Module):
    """What is imagined of a user sways what the history calls for.

    h' = |h + g sum_j w_j k_j|, w = softmax over the imagined items and nothing of (A h) . k_j + a log confidence_j,
    with h and the items' keys k of unit length and g a gate that starts small (the paper's fusion of beyond-log
    behaviours, arXiv 2512.21257). In training whole sequences do without, so that the log alone stays enough.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.query = nn.Parameter(torch.eye(config.dim))
        self.sharpness = nn.Parameter(torch.tensor(4.0))
        self.trust = nn.Parameter(torch.tensor(0.3))
        self.nothing = nn.Parameter(torch.tensor(0.0))
        self.gate = nn.Parameter(torch.logit(torch.tensor(config.imagined_gate)))

    def forward(self, h: Tensor, keys: Tensor, batch: Batch) -> Tensor:
        """h: [T, d], unit length; keys: [M, d], of the batch's items. Returns [T, d]."""
        there = batch.imagined >= 0
        if self.training and self.config.imagined_dropout:
            kept = torch.rand(len(batch.last), device=h.device) >= self.config.imagined_dropout
            there = there & kept[batch.segment.clamp_min(0)]
        tokens = torch.nonzero(there).squeeze(1)
        if not len(tokens):
            return h
        row = batch.imagined[tokens]
        k = take(take(keys, batch.imagined_item), row)
        added = self.added(h[tokens], k, take(batch.imagined_log_confidence, row))
        return F.normalize(h.index_add(0, tokens, added), dim=-1)

    def added(self, h: Tensor, k: Tensor, log_confidence: Tensor) -> Tensor:
        """What is added to histories h [t, d], by the keys of what is imagined after them, k [t, S, d], with
        log_confidence [t, S], -inf where a slot is empty: [t, d]."""
        scores = self.sharpness * torch.einsum("td,tsd->ts", h @ self.query, k)
        scores = scores + self.trust * log_confidence.clamp_min(-30.0)
        scores = scores.masked_fill(log_confidence == -torch.inf, -1e9)
        weights = torch.softmax(torch.cat([scores, self.nothing.expand(h.shape[0], 1)], 1), 1)[:, :-1]
        return torch.sigmoid(self.gate) * torch.einsum("ts,tsd->td", weights, k)


class Ranker(nn.Module):
    """Scores an item after a history: h . x_i, and for an item of the history what its repetition adds."""

    def __init__(self, config: ModelConfig, knowledge_dim: int = 0) -> None:
        super().__init__()
        self.config = config
        self.items = ItemEncoder(config, knowledge_dim)
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.dim)
        self.dropout = Dropout(config.dropout)
        self.distance = nn.Parameter(torch.zeros(_STEPS, config.heads))
        self.baskets = nn.Parameter(torch.zeros(_STEPS, config.heads)) if config.timed else None
        self.gap = nn.Parameter(torch.zeros(_GAPS, config.heads)) if config.timed else None
        self.beyond_log = BeyondLog(config) if "beyond_log" in config.features else None
        self.click = nn.Parameter(torch.tensor([1.0, 0.0]))
        if config.repeats:
            self.repeat_distance = nn.Parameter(torch.zeros(_STEPS))
            self.repeat_basket = nn.Parameter(torch.zeros(_STEPS))
            self.repeat_gap = nn.Parameter(torch.zeros(_GAPS))
            self.repeat_count = nn.Parameter(torch.zeros(_STEPS))
            self.repeat_taste = nn.Linear(config.dim, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear) and module is not getattr(self.items, "project", None):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def click_logit(self, score: Tensor) -> Tensor:
        """The log-odds that a shown item is acted on (Platt's scaling, learnt with the rest)."""
        return self.click[0] * score + self.click[1]

    def encode(self, x: Tensor, batch: Batch) -> Tensor:
        """x: [T, d], the items' vectors. Returns [T, d]: what each token, with all before it, calls for."""
        biases = self._biases(batch)
        x = self.dropout(x * math.sqrt(self.config.dim))
        for block in self.blocks:
            x = block(x, batch.blocks, biases)
        return F.normalize(self.norm(x), dim=-1) / self.config.temperature

    def swayed(self, h: Tensor, keys: Tensor, batch: Batch) -> Tensor:
        """Encoded tokens [T, d] with what is imagined after them, if the model knows of it. keys: [M, d]."""
        if self.beyond_log is None or not len(batch.imagined_item):
            return h
        return self.beyond_log(h * self.config.temperature, keys, batch) / self.config.temperature  # type: ignore[no-any-return]

    def keys(self, x: Tensor) -> Tensor:
        """What encoded histories are compared with, by their cosine: [M, d] -> [M, d]."""
        return F.normalize(x, dim=-1)

    def repeat_bonus(self, h: Tensor, batch: Batch, query: Tensor, copied: Tensor) -> Tensor:
        """What is added to an item's score because token `copied` before token `query` is that item.

        h: [P, d], of the queries; query, copied: [P], tokens. Returns [P].
        """
        bonus = (
            take(self.repeat_distance, _steps(query - copied))
            + take(self.repeat_basket, _steps(batch.basket[query] - batch.basket[copied]))
            + take(self.repeat_count, _steps(batch.nth[copied]))
            + self.repeat_taste(h).squeeze(-1)
        )
        if self.config.timed:
            bonus = bonus + take(self.repeat_gap, _minutes(batch.at[query] - batch.at[copied]))
        return bonus  # type: ignore[no-any-return]

    def history_scores(self, h: Tensor, x: Tensor, batch: Batch) -> Tensor:
        """The log of the summed exponentials of the scores of every history's items, each once: [T].

        h, x: [T, d]: encoded tokens and their items' vectors. A history's items are known exactly, so no sampling
        has to stand for them.
        """
        parts = []
        taste = self.repeat_taste(h)
        pieces = zip(batch.blocks, cut(h, batch.blocks), cut(x, batch.blocks), cut(taste, batch.blocks), strict=True)
        for block, queries, keys, tastes in pieces:
            tokens, rows = self._view(block, batch)
            scores = queries.view(rows, block.width, -1) @ keys.view(rows, block.width, -1).transpose(1, 2)
            scores = scores + tastes.view(rows, block.width, 1) + self._block_bonus(block, batch)
            segment = batch.segment[tokens].view(rows, block.width)
            until = batch.until[tokens].view(rows, 1, block.width)
            index = torch.arange(block.start, block.start + rows * block.width, device=h.device).view(rows, -1)
            seen = (segment[:, :, None] == segment[:, None, :]) & (index[:, None, :] <= index[:, :, None])
            seen &= (until > index[:, :, None]) & (segment >= 0)[:, :, None]
            parts.append(torch.logsumexp(scores.masked_fill(~seen, -1e9), -1).flatten())
        return torch.cat(parts)

    def _block_bonus(self, block: Block, batch: Batch) -> Tensor:
        """`repeat_bonus`, but for the taste, for every pair of tokens of a block's rows: [rows, w, w]."""
        tokens, rows = self._view(block, batch)
        width = block.width
        step = torch.arange(width, device=batch.segment.device)
        bonus = take(self.repeat_distance, _steps(step[:, None] - step))
        basket = batch.basket[tokens].view(rows, width)
        bonus = bonus + take(self.repeat_basket, _steps(basket[:, :, None] - basket[:, None, :]))
        bonus = bonus + take(self.repeat_count, _steps(batch.nth[tokens])).view(rows, 1, width)
        if self.config.timed:
            at = batch.at[tokens].view(rows, width)
            bonus = bonus + take(self.repeat_gap, _minutes(at[:, :, None] - at[:, None, :]))
        return bonus

    def _view(self, block: Block, batch: Batch) -> tuple[slice, int]:
        return slice(block.start, block.start + block.rows * block.width), block.rows

    def _biases(self, batch: Batch) -> list[Tensor]:
        """For each block [rows, H, w, w]: learned biases of distance, basket distance and time gap, and the mask."""
        biases = []
        for block in batch.blocks:
            tokens, rows = self._view(block, batch)
            step = torch.arange(block.width, device=batch.segment.device)
            bias = take(self.distance, _steps(step[:, None] - step)).permute(2, 0, 1)[None]
            if self.gap is not None and self.baskets is not None:
                at = batch.at[tokens].view(rows, -1)
                basket = batch.basket[tokens].view(rows, -1)
                bias = bias + take(self.gap, _minutes(at[:, :, None] - at[:, None, :])).permute(0, 3, 1, 2)
                bias = bias + take(self.baskets, _steps(basket[:, :, None] - basket[:, None, :])).permute(0, 3, 1, 2)
            segment = batch.segment[tokens].view(rows, -1)
            hidden = (segment[:, :, None] != segment[:, None, :]) | (step[:, None] < step)
            biases.append(bias.masked_fill(hidden[:, None], float("-inf")))
        return biases


def take(table: Tensor, index: Tensor) -> Tensor:
    """table[index], with a gradient that is several times as fast to work out: [n, ...], [...] -> [..., ...]."""
    return table.index_select(0, index.flatten()).view(index.shape + table.shape[1:])


def cut(run: Tensor, blocks: list[Block]) -> Sequence[Tensor]:
    """The pieces of a run [T, ...] that belong to each block."""
    return torch.split(run, [block.rows * block.width for block in blocks])


def _steps(distance: Tensor) -> Tensor:
    """Buckets of a distance: exact to 15, then a quarter of an octave each."""
    distance = distance.clamp_min(0)
    # Only powers of two lie on an edge. What is added keeps them above it where a runtime's logarithm falls short.
    far = 16 + (torch.log2(distance.clamp_min(16).float() / 16) * 4 + 1e-4).long()
    return torch.where(distance < 16, distance, far).clamp_max(_STEPS - 1)


def _minutes(seconds: Tensor) -> Tensor:
    """Buckets of a time gap: 0 for less than a minute, then an octave each."""
    return _octave(1 + seconds.clamp_min(0).float() / 60).clamp_max(_GAPS - 1)


def _octave(value: Tensor) -> Tensor:
    """The power of two that a value from 1 on has reached, exactly: near one, runtimes' logarithms differ."""
    if not torch.compiler.is_exporting():
        return (value.view(torch.int32) >> 23).long() - 127  # the exponent, as IEEE 754 writes it
    near = torch.log2(value).long().clamp(0, _GAPS - 1)  # ONNX cannot look at bits
    powers = torch.exp2(torch.arange(_GAPS + 1, device=value.device))
    return near + (value >= take(powers, near + 1)).long() - (value < take(powers, near)).long()
