"""The denoiser: reads a history, and says what each masked digit of the imagined events may be.

Shapes: B examples, N history events, S slots, M digits, K values a digit, d width, H heads, G groups.
"""

import math
from typing import Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from reaseq.beyond_log.examples import Batch, Objective
from reaseq.knowledge_store.configured import CONFIGURED, DEEPEST, WIDEST, shared

_AGES = 32
"""Buckets of an age in hours, or in positions: two thirds of an octave each."""


class DenoiserConfig(BaseModel):
    """What the model is made of."""

    model_config = CONFIGURED

    objective: Objective = Field("beyond", description="beyond: infer what is hidden; next: the event that follows.")
    dim: int = Field(64, gt=0, le=WIDEST)
    encoder_blocks: int = Field(1, ge=0, le=DEEPEST)
    decoder_blocks: int = Field(2, gt=0, le=DEEPEST)
    heads: int = Field(4, gt=0)
    history: int = Field(64, gt=0, description="Events of a history that are looked at.")
    slots: int = Field(8, gt=0, description="Events that are imagined together.")
    dropout: float = Field(0.2, ge=0, lt=1)
    condition_dropout: float = Field(
        0.1, ge=0, lt=1, description="How often the history is not shown, which classifier-free guidance needs."
    )
    seconds: bool = Field(True, description="Whether ages are seconds; else they are positions.")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        return shared(self, self.dim, self.heads)


class Attention(nn.Module):
    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.dim, config.dim)
        self.mix = nn.Linear(config.dim, 2 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)

    def forward(self, x: Tensor, context: Tensor, seen: Tensor | None) -> Tensor:
        """x: [B, Q, d] looks at context: [B, C, d] where seen: [B, 1 or Q, C], or everywhere. Every query must see
        something."""
        b, q, d = x.shape
        query = self.query(x).view(b, q, self.heads, -1).transpose(1, 2)
        key, value = self.mix(context).view(b, context.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        made = F.scaled_dot_product_attention(query, key, value, attn_mask=None if seen is None else seen[:, None])
        return self.out(made.transpose(1, 2).reshape(b, q, d))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Self-attention, attention to a context if there is one, feed-forward; normed before each."""

    def __init__(self, config: DenoiserConfig, *, context: bool) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(config.dim) for _ in range(3 if context else 2))
        self.own = Attention(config)
        self.other = Attention(config) if context else None
        self.feed = nn.Sequential(
            nn.Linear(config.dim, 4 * config.dim), nn.GELU(), nn.Linear(4 * config.dim, config.dim)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        seen: Tensor | None,
        context: Tensor | None = None,
        shown: Tensor | None = None,
        width: int | None = None,
    ) -> Tensor:
        """x: [B, Q, d]; seen: as in Attention. width: x is pieces of so many tokens that know nothing of each other."""
        y = self.norms[0](x)
        if width is not None:
            y = y.view(-1, width, y.shape[-1])
        x = x + self.dropout(self.own(y, y, seen).view_as(x))
        if self.other is not None:
            assert context is not None
            assert shown is not None
            x = x + self.dropout(self.other(self.norms[1](x), context, shown))
        return x + self.dropout(self.feed(self.norms[-1](x)))  # type: ignore[no-any-return]


class Denoiser(nn.Module):
    """Encoder over the history, one token an event, and a bidirectional decoder over S slots of M digits each.

    As LLaDA (arXiv 2502.09992) it is told no time step: how much is masked it can see.
    """

    def __init__(self, config: DenoiserConfig, digits: int, size: int, vector_dim: int, groups: int) -> None:
        super().__init__()
        self.config, self.digits, self.size = config, digits, size
        self.values = nn.Parameter(torch.randn(digits, size + 1, config.dim) * 0.02)  # the last value is the mask
        self.vector = nn.Linear(vector_dim, config.dim, bias=False)
        self.age = nn.Embedding(_AGES, config.dim)
        self.profile = nn.Linear(2 * groups + size, config.dim)
        self.novelty = nn.Parameter(torch.zeros(4))
        self.nothing = nn.Parameter(torch.randn(config.dim) * 0.02)
        self.place = nn.Parameter(torch.randn(digits, config.dim) * 0.02)
        self.slot = nn.Parameter(torch.randn(config.slots, config.dim) * 0.02)
        self.encoder = nn.ModuleList(Block(config, context=False) for _ in range(config.encoder_blocks))
        self.decoder = nn.ModuleList(Block(config, context=True) for _ in range(config.decoder_blocks))
        self.whole = nn.Linear(config.dim, config.dim)
        self.encoded = nn.LayerNorm(config.dim)
        self.decoded = nn.LayerNorm(config.dim)
        self.bias = nn.Parameter(torch.zeros(digits, size))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    @property
    def mask(self) -> int:
        """The value of a digit that is not known: K."""
        return self.size

    def encode(self, batch: Batch, codes: Tensor, vectors: Tensor, hidden: Tensor | None = None) -> Tensor:
        """The context: [B, 1 + N, d], the profile's token first. codes: [I, M]; vectors: [I, p], of all items.

        hidden: [B], histories that are not shown at all (classifier-free guidance, arXiv 2207.12598).
        """
        digits = codes[batch.items]  # [B, N, M]
        x = self.vector(vectors[batch.items]) + self.age(self._bucket(batch.age))
        for place in range(self.digits):
            x = x + self.values[place][digits[..., place]]
        profile = self.profile(torch.cat([batch.profile, (batch.profile > 0).to(x.dtype), batch.first], -1))
        x = torch.cat([profile[:, None], x * math.sqrt(self.config.dim) * 0.1], 1)
        seen = self._there(batch)[:, None]
        if self.config.objective == "next":
            # The profile tells of all events, later ones too.
            x = torch.cat([torch.zeros_like(x[:, :1]), x[:, 1:]], 1)
            order = torch.arange(x.shape[1], device=x.device)
            seen = seen & (order[None, :] <= order[:, None])[None]
        for block in self.encoder:
            x = block(x, seen)
        made: Tensor = self.encoded(x)
        return made if hidden is None else torch.where(hidden[:, None, None], self.nothing, made)

    def forward(
        self,
        context: Tensor,
        batch: Batch,
        digits: Tensor,
        wanted: Tensor | None,
        until: Tensor | None = None,
        hidden: Tensor | None = None,
    ) -> Tensor:
        """Logits of every digit's value: [B, S, M, K].

        digits: [B, S, M], masked ones hold `mask`. wanted: [B, S], the slots that are there; None: any number of slots
        that know nothing of each other. until: [B, S], for next-item models the history events a slot looks at.
        hidden: [B], as given to `encode`.
        """
        b, s, m = digits.shape
        x = torch.stack([self.values[place][digits[..., place]] for place in range(m)], 2)
        x = (x + self.place + self.slot[: s if wanted is not None else 1, None]).view(b, s * m, -1)
        # What the history is like as a whole reaches every digit at once, and need not be looked up first.
        x = x + self.whole(context[:, :1])
        shown = self._there(batch)[:, None, :]
        seen, width = None, None
        if self.config.objective == "next" or wanted is None:
            width = m
            if self.config.objective == "next" and until is not None:
                place = torch.arange(context.shape[1], device=x.device)
                shown = shown & (place <= until.repeat_interleave(m, 1)[..., None])
        else:
            slot = torch.arange(s, device=x.device).repeat_interleave(m)
            seen = (slot[:, None] == slot) | wanted.repeat_interleave(m, 1)[:, None, :]
        for block in self.decoder:
            x = block(x, seen, context, shown, width)
        x = self.decoded(x).view(b, s, m, -1)
        logits: Tensor = torch.einsum("bsmd,mkd->bsmk", x, self.values[:, : self.size]) + self.bias
        if self.config.objective == "beyond":
            # What is visible of a first digit's value, and of its group, tells more than all else whether it is hidden.
            told = torch.stack([batch.first, batch.first > 0, batch.around, batch.around > 0], -1) @ (8 * self.novelty)
            if hidden is not None:
                told = told * ~hidden[:, None]
            logits = torch.cat([logits[:, :, :1] + told[:, None, None], logits[:, :, 1:]], 2)
        return logits

    def _there(self, batch: Batch) -> Tensor:
        """What of the context is not padding: [B, 1 + N]."""
        return F.pad(batch.there, (1, 0), value=True)

    def _bucket(self, age: Tensor) -> Tensor:
        unit = age / 3600 if self.config.seconds else age
        return torch.log2(1 + unit.clamp_min(0)).mul(1.5).long().clamp_max(_AGES - 1)
