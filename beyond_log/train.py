"""Training of a denoiser: one loop, resumable at every epoch."""

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor

from reaseq import ReaseqError
from reaseq.beyond_log.denoiser import Denoiser, DenoiserConfig
from reaseq.beyond_log.diffusion import Noise, loss
from reaseq.beyond_log.examples import Batch, Catalogue, epoch
from reaseq.knowledge_store import checkpoint
from reaseq.knowledge_store.configured import CONFIGURED, Seed
from reaseq.knowledge_store.log import Ints, Sequences

_STEPS_AN_EPOCH = 48
_JUDGED = 4
"""How often each held-out user is judged, each time with another part hidden and other noise."""


class TrainConfig(BaseModel):
    """How a denoiser is trained. Everything random comes from `seed`."""

    model_config = CONFIGURED

    seed: Seed = 0
    epochs: int = Field(60, ge=0, description="At most.")
    patience: int = Field(5, gt=0, description="Epochs without a better validation loss before it stops.")
    batch: int = Field(32, gt=0, description="Users a batch.")
    lr: float = Field(2e-3, gt=0)
    weight_decay: float = Field(0.05, ge=0)
    warmup: int = Field(100, ge=0, description="Steps over which the learning rate rises.")
    spans: float = Field(0.5, ge=0, le=1, description="How often a span of time is hidden, not whole groups.")
    newest: float = Field(0.25, gt=0, le=1, description="Weight of an epoch's parameters in the running mean kept.")
    held_out: float = Field(0.1, gt=0, lt=1, description="Share of users that tell when to stop.")


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to. loss, valid: the bound per digit, in nats; seconds: of training alone."""

    number: int
    loss: float
    valid: float
    examples: int
    seconds: float
    best: bool


class Trainer:
    """Trains one denoiser on the users of a log; keeps a checkpoint in `folder` after every epoch, if one is given."""

    def __init__(
        self,
        sequences: Sequences,
        catalogue: Catalogue,
        model: DenoiserConfig,
        train: TrainConfig,
        *,
        folder: Path | None = None,
    ) -> None:
        """
        Raises:
            ReaseqError: hardly any user has two events.
        """
        self.catalogue, self.config, self.folder = catalogue, train, folder
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        useful = np.flatnonzero(sequences.lengths > 1)
        if len(useful) < 2:
            raise ReaseqError("beyond-log training needs users with two events or more", hint="reaseq events stats")
        order = np.random.default_rng([train.seed, 7]).permutation(useful)
        number = max(round(train.held_out * len(order)), 1)
        self.held_out, self.users = np.sort(order[:number]), np.sort(order[number:])
        self.train, self.valid = sequences.select(self.users), sequences.select(self.held_out)
        torch.manual_seed(train.seed)
        digits, width = catalogue.codes.shape[1], catalogue.vectors.shape[1]
        self.model = Denoiser(model, digits, catalogue.size, width, catalogue.number_of_groups).to(self.device)
        with torch.no_grad():  # begin with how often each value occurs: what everybody does is learnt at once
            self.model.bias.copy_(_log_shares(self.train, catalogue.codes, catalogue.size))
        self.mean = copy.deepcopy(self.model).eval()
        self.codes = torch.from_numpy(catalogue.codes).to(self.device)
        self.vectors = torch.from_numpy(catalogue.vectors).to(self.device)
        self.adam = torch.optim.AdamW(
            self.model.parameters(), lr=train.lr, betas=(0.9, 0.98), weight_decay=train.weight_decay
        )
        self.repeats = max(1, -(-_STEPS_AN_EPOCH * train.batch // len(self.users)))
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self.step = 0

    def run(
        self,
        on_step: Callable[[int, int], None] = lambda done, total: None,
        on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    ) -> Denoiser:
        """Train until the loss on held-out users falls no further. Goes on from the folder's checkpoint.

        on_step is called with examples done and examples in all of the epoch.
        """
        self._resume()
        while len(self.history) < self.config.epochs and not self._worn_out():
            made = self._epoch(len(self.history), on_step)
            self.history.append(made)
            if made.best:
                self.best = {name: value.clone() for name, value in self.mean.state_dict().items()}
            self._checkpoint()
            on_epoch(made)
        if self.best:
            self.mean.load_state_dict(self.best)
        return self.mean

    def _worn_out(self) -> bool:
        best = max((epoch.number for epoch in self.history if epoch.best), default=0)
        return len(self.history) > best + self.config.patience

    def batches(self, sequences: Sequences, seed: list[int], repeats: int) -> Iterator[Batch]:
        """Batches of these users, always the same for the same seed, each user `repeats` times."""
        config = self.model.config
        return epoch(
            sequences,
            self.catalogue,
            np.random.default_rng(seed),
            objective=config.objective,
            history=config.history,
            slots=config.slots,
            spans=self.config.spans,
            batch=self.config.batch,
            repeats=repeats,
        )

    def _epoch(self, number: int, on_step: Callable[[int, int], None]) -> Epoch:
        torch.manual_seed(self.config.seed * 100_003 + number)  # of dropout
        generator = torch.Generator().manual_seed(self.config.seed * 100_003 + number)
        started = time.perf_counter()
        self.model.train()
        total, done, whole = 0.0, 0, len(self.users) * self.repeats
        for batch in self.batches(self.train, [self.config.seed, number], self.repeats):
            total += self.learn(batch.to(self.device), generator)
            done += len(batch.items)
            on_step(done, whole)
        on_step(whole, whole)  # of users with one event no batch comes
        seconds = time.perf_counter() - started
        weight = 1.0 if number == 0 else self.config.newest
        for mine, newest in zip(self.mean.state_dict().values(), self.model.state_dict().values(), strict=True):
            mine.lerp_(newest, weight)
        valid = self.validate()
        best = valid < min((epoch.valid for epoch in self.history), default=float("inf"))
        return Epoch(number, total / max(done, 1), valid, done, seconds, best)

    def learn(self, batch: Batch, generator: torch.Generator) -> float:
        """One step; returns the batch's summed loss."""
        hidden = self.model.config.condition_dropout if self.model.config.objective == "beyond" else 0.0
        noise = Noise.draw(batch, self.model.digits, hidden, generator)
        made = loss(self.model, batch, self.codes, self.vectors, noise)
        self.adam.zero_grad(set_to_none=True)
        made.mean().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.step += 1
        for group in self.adam.param_groups:
            group["lr"] = self.config.lr * min(1.0, self.step / max(self.config.warmup, 1))
        self.adam.step()
        return float(made.detach().sum())

    @torch.no_grad()
    def validate(self) -> float:
        """The mean loss of held-out users, always with the same parts hidden and the same noise."""
        generator = torch.Generator().manual_seed(self.config.seed)
        total, number = 0.0, 0
        for batch in self.batches(self.valid, [self.config.seed, 1 << 20], _JUDGED):
            batch = batch.to(self.device)
            noise = Noise.draw(batch, self.model.digits, 0.0, generator)
            total += float(loss(self.mean, batch, self.codes, self.vectors, noise).sum())
            number += len(batch.items)
        return total / max(number, 1)

    # Checkpoints

    def _checkpoint(self) -> None:
        if self.folder is None:
            return
        parts = {"now": self.model.state_dict(), "mean": self.mean.state_dict(), "best": self.best}
        meta = {"step": str(self.step), "history": json.dumps([vars(epoch) for epoch in self.history])}
        checkpoint.save(self.folder, parts, self.adam, meta)

    def _resume(self) -> None:
        found = checkpoint.load(self.folder, self.adam, self.device)
        if found is None:
            return
        parts, meta = found
        self.model.load_state_dict(parts["now"])
        self.mean.load_state_dict(parts["mean"])
        self.best = dict(parts.get("best", {}))
        self.step = int(meta["step"])
        self.history = [Epoch(**epoch) for epoch in json.loads(meta["history"])]


def _log_shares(sequences: Sequences, codes: Ints, size: int) -> Tensor:
    """Of each digit the log of the share of its values, each counted once a user: [M, K]. codes: [I, M]."""
    owner, made = sequences.owner, []
    for column in codes.T:
        pairs = np.unique(np.stack([owner, column[sequences.items]]), axis=1)
        made.append(np.bincount(pairs[1], minlength=size) + 0.5)
    counts = np.stack(made)
    return torch.from_numpy(np.log(counts / counts.sum(1, keepdims=True))).float()
