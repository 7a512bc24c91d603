"""The masked-diffusion objective over digits of codes (LLaDA, arXiv 2502.09992, equation 3; MDLM, arXiv 2406.07524)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from reaseq.beyond_log.denoiser import Denoiser
from reaseq.beyond_log.examples import Batch

EPSILON = 0.05
"""The least share of digits that is masked: below it 1/t would let single digits rule a step."""


@dataclass(frozen=True)
class Noise:
    """What is random about a loss. t: [B] in (EPSILON, 1); uniform: [B, S, M] in [0, 1); hidden: [B]."""

    t: Tensor
    uniform: Tensor
    hidden: Tensor

    @classmethod
    def draw(cls, batch: Batch, digits: int, hidden: float, generator: torch.Generator) -> "Noise":
        b, s = batch.targets.shape
        device = batch.targets.device
        # Stratified over the batch (MDLM, appendix): every b-th part of (0, 1) has one example's t.
        part = (torch.rand(1, generator=generator) + torch.randperm(b, generator=generator) / b) % 1
        t = EPSILON + (1 - EPSILON) * part
        uniform = torch.rand(b, s, digits, generator=generator)
        dropped = torch.rand(b, generator=generator) < hidden
        return cls(t.to(device), uniform.to(device), dropped.to(device))


def loss(model: Denoiser, batch: Batch, codes: Tensor, vectors: Tensor, noise: Noise) -> Tensor:
    """The bound on -log p(targets | history) of each example, per digit: [B]. An example without targets has 0.

    codes: [I, M]; vectors: [I, p].
    """
    # 1. The targets' digits. [B, S, M]
    clean = codes[batch.targets]
    # 2. Each is masked with probability t. [B, S, M]
    real = batch.wanted[..., None].expand_as(clean)
    masked = (noise.uniform < noise.t[:, None, None]) & real
    noisy = torch.where(masked | ~real, model.mask, clean)
    # 3. The denoiser sees the history and what is left. [B, S, M, K]
    context = model.encode(batch, codes, vectors, noise.hidden)
    logits = model(context, batch, noisy, batch.wanted, batch.until, noise.hidden)
    # 4. Cross entropy of the masked digits. [B, S, M]
    entropy = F.cross_entropy(logits.flatten(0, 2).float(), clean.flatten(), reduction="none").view_as(clean)
    # 5. Weighted by 1/t and divided by all digits, masked or not: the expectation is the bound. [B]
    number = real.sum((1, 2)).clamp_min(1)
    return (entropy * masked).sum((1, 2)) / noise.t / number
