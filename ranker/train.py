"""Training: one loop for one process and for several, resumable at every epoch."""

import copy
import gc
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor, nn

from reaseq import ReaseqError
from reaseq.knowledge_store import checkpoint
from reaseq.knowledge_store.configured import CONFIGURED, Seed
from reaseq.knowledge_store.log import Ints, Sequences
from reaseq.ranker.batches import Batch, NegativeSampler, Shown, training_batches
from reaseq.ranker.evaluate import case_metrics, target_ranks
from reaseq.ranker.losses import Objective
from reaseq.ranker.model import ModelConfig, Ranker, seed_dropout
from reaseq.ranker.optim import RowwiseAdam
from reaseq.ranker.score import ItemVectors, case_scores
from reaseq.ranker.split import Split

_STEPS_AN_EPOCH = 32


class TrainConfig(BaseModel):
    """How the model is trained. Everything random comes from `seed`."""

    model_config = CONFIGURED

    seed: Seed = 0
    epochs: int = Field(100, ge=0, description="At most.")
    patience: int = Field(5, gt=0, description="Epochs without a better validation NDCG@10 before it stops.")
    tokens: int = Field(2048, gt=1, description="Events a batch, over all processes; fewer where an epoch is short.")
    lr: float = Field(2e-3, gt=0)
    id_lr: float = Field(2e-3, gt=0, description="Learning rate of the id table.")
    weight_decay: float = Field(0.01, ge=0)
    warmup: int = Field(100, ge=0, description="Steps over which the learning rates rise.")
    negatives: int = Field(512, gt=0, description="Shared negatives a batch.")
    by_basket: bool = Field(False, description="Predict baskets from those before, not each event from the last.")
    skipped: float = Field(0.15, ge=0, lt=1, description="Share of events left out, others each epoch.")
    newest: float = Field(
        0.25, gt=0, le=1, description="Weight of an epoch's parameters in the running mean that is kept; 1: no mean."
    )
    precision: str = Field("auto", pattern="^(auto|fp32|bf16)$", description="auto: bf16 on a GPU, fp32 on a CPU.")
    compile: bool | None = Field(None, description="The encoder, by torch.compile; none: on a GPU.")


@dataclass(frozen=True)
class TrainingData:
    """What is learnt from. items: number I of items. knowledge: whitened embeddings [I, k], float32, or None.

    impressions: for each of the split's users what was shown and not acted on.
    """

    split: Split
    items: int
    knowledge: NDArray[np.float32] | None = None
    impressions: Sequences | None = None

    @property
    def counts(self) -> Ints:
        return np.bincount(self.split.train.items, minlength=self.items)


@dataclass
class Epoch:
    """What one epoch came to; times in seconds."""

    number: int
    loss: float
    predictions: int
    seconds: float
    evaluation_seconds: float
    valid: dict[str, float]
    best: bool


@dataclass(frozen=True)
class Fitted:
    """A trained model: the encoder, the id table [I, d] and what its items are known by."""

    model: Ranker
    table: Tensor
    counts: Tensor
    knowledge: Tensor | None

    def vectors(self) -> ItemVectors:
        return ItemVectors.of(self.model, self.table, self.counts, self.knowledge)

    def discounted(self, discount: float) -> "Fitted":
        """The same weights, popularity discounted: see `ModelConfig.discount`."""
        model = copy.copy(self.model)
        model.config = model.config.model_copy(update={"discount": discount})
        return Fitted(model, self.table, self.counts, self.knowledge)

    def weights(self) -> dict[str, Tensor]:
        """Everything that is learnt, by name."""
        return {f"model.{name}": value for name, value in self.model.state_dict().items()} | {"ids": self.table}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        self.model.load_state_dict(
            {name.removeprefix("model."): value for name, value in weights.items() if name.startswith("model.")}
        )
        self.table.copy_(weights["ids"])


class Workers:
    """This process among those that train together (torchrun's variables), or alone."""

    def __init__(self) -> None:
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        else:
            self.device = torch.device("cpu")
        if self.world > 1 and not dist.is_initialized():
            # Functions of it have the group as a default if it is there by then, and so would hold it for good.
            from torch.distributed import nn as _  # noqa: F401

            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    @property
    def first(self) -> bool:
        return self.rank == 0

    def leave(self) -> None:
        """Part from the others, once all have come to this.

        The group's threads end with the last that holds it; those still there when a process ends may abort it.
        """
        if self.world > 1:
            dist.barrier()
            gc.collect()
            dist.destroy_process_group()

    def total(self, value: float) -> float:
        """The sum over all processes."""
        if self.world == 1:
            return value
        tensor = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return float(tensor.item())

    def from_first(self, value: Any) -> Any:
        """The first process's value, for all."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, 0)
        return box[0]

    def rows(self, ids: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """The union of all processes' rows with their gradients summed. ids: [M] distinct; gradient: [M, d]."""
        if self.world == 1:
            return ids, gradient
        sizes = [torch.zeros(1, dtype=torch.int64, device=ids.device) for _ in range(self.world)]
        dist.all_gather(sizes, torch.tensor([len(ids)], device=ids.device))
        most = int(max(sizes))
        pad = most - len(ids)
        all_ids = [ids.new_empty(most) for _ in range(self.world)]
        all_gradients = [gradient.new_empty(most, gradient.shape[1]) for _ in range(self.world)]
        dist.all_gather(all_ids, nn.functional.pad(ids, (0, pad)))
        dist.all_gather(all_gradients, nn.functional.pad(gradient, (0, 0, 0, pad)))
        joined = torch.cat([part[: int(size)] for part, size in zip(all_ids, sizes, strict=True)])
        values = torch.cat([part[: int(size)] for part, size in zip(all_gradients, sizes, strict=True)])
        union, place = torch.unique(joined, return_inverse=True)
        return union, values.new_zeros(len(union), values.shape[1]).index_add_(0, place, values)


class Trainer:
    """Trains one model on one data set; keeps a checkpoint in `folder` after every epoch, if one is given."""

    def __init__(
        self,
        data: TrainingData,
        model: ModelConfig,
        train: TrainConfig,
        *,
        folder: Path | None = None,
        workers: Workers | None = None,
    ) -> None:
        self.data = data
        self.config = train
        self.folder = folder
        self.workers = workers or Workers()
        device = self.workers.device
        if not len(data.split.train.items):
            raise ReaseqError("there is nothing to train on", hint="reaseq events stats")
        torch.manual_seed(train.seed)
        width = data.knowledge.shape[1] if data.knowledge is not None else 0
        self.model = Ranker(model, width).to(device)
        self.objective: nn.Module = Objective(self.model)
        counts = data.counts
        table = torch.randn(data.items, model.dim) * (0.02 if data.knowledge is None else 0.0)
        table[torch.from_numpy(counts == 0)] = 0.0  # never learnt, so never to be seen
        self.table = table.to(device)
        self.counts = torch.from_numpy(counts.astype(np.float32)).to(device)
        self.knowledge = None if data.knowledge is None else torch.from_numpy(data.knowledge).to(device)
        self.sampler = NegativeSampler(counts, train.negatives)
        self.shown = None if data.impressions is None else Shown.of(data.split.train, data.impressions)
        self.adam = torch.optim.AdamW(
            self.model.parameters(), lr=train.lr, betas=(0.9, 0.98), weight_decay=train.weight_decay, fused=True
        )
        self.id_adam = RowwiseAdam(self.table, lr=train.id_lr)
        self.history: list[Epoch] = []
        self.step = 0
        # At least so many steps an epoch, or a small log's few steps would be judged too often and given up too early.
        self.tokens = max(min(train.tokens, len(data.split.train.items) // _STEPS_AN_EPOCH), 2 * _STEPS_AN_EPOCH)
        self.now = Fitted(self.model, self.table, self.counts, self.knowledge)
        self.mean = Fitted(copy.deepcopy(self.model).eval(), self.table.clone(), self.counts, self.knowledge)
        self.best: dict[str, Tensor] = {}
        self._bf16 = train.precision == "bf16" or (train.precision == "auto" and device.type == "cuda")
        if train.compile if train.compile is not None else device.type == "cuda":
            # The encoder alone: the loss's shapes change with every batch, and would be compiled anew.
            self.model.encode = torch.compile(self.model.encode, dynamic=True)  # type: ignore[method-assign]

    def run(
        self,
        on_step: Callable[[int, int], None] = lambda done, total: None,
        on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    ) -> Fitted:
        """Train until validation stops getting better. Goes on from the folder's checkpoint, if there is one.

        on_step is called with events done and events in all of the epoch.
        """
        self._resume()
        alone = self.objective
        if self.workers.world > 1:
            self.objective = nn.parallel.DistributedDataParallel(alone, find_unused_parameters=True)
        while len(self.history) < self.config.epochs and not self._worn_out():
            epoch = self._epoch(len(self.history), on_step)
            self.history.append(epoch)
            if epoch.best:
                self.best = {name: value.clone() for name, value in self.mean.weights().items()}
            self._checkpoint()
            on_epoch(epoch)
        self.objective = alone  # the other holds the group of processes, which could not be left
        if self.best:
            self.mean.load(self.best)
        return self.mean

    def _worn_out(self) -> bool:
        best = max((epoch.number for epoch in self.history if epoch.best), default=0)
        return len(self.history) > best + self.config.patience

    def _epoch(self, number: int, on_step: Callable[[int, int], None]) -> Epoch:
        # Dropout differs between processes, all else is the same; both depend on nothing before this epoch.
        seed_dropout([self.config.seed, number, self.workers.rank])
        random = np.random.default_rng([self.config.seed, number])
        started = time.perf_counter()
        self.model.train()
        loss, predictions, done = 0.0, 0, 0
        total = len(self.data.split.train.items)
        batches = training_batches(
            self.data.split.train,
            self.sampler,
            most=self.model.config.most,
            tokens=self.tokens,
            by_basket=self.config.by_basket,
            random=random,
            skipped=self.config.skipped,
            shown=self.shown,
            share=(self.workers.rank, self.workers.world),
        )
        for batch in batches:
            loss += self.learn(batch)
            predictions += len(batch.query)
            done += int((batch.segment >= 0).sum()) * self.workers.world
            on_step(min(done, total), total)
        on_step(total, total)  # of what is left out, and of users with one event, no batch comes
        trained = time.perf_counter()
        self._average(number)
        loss, predictions = self.workers.total(loss), int(self.workers.total(predictions))
        valid = self.workers.from_first(self.validate() if self.workers.first else None)
        best = valid["NDCG@10"] > max((epoch.valid["NDCG@10"] for epoch in self.history), default=-1.0)
        return Epoch(number, loss / max(predictions, 1), predictions, trained - started,
                     time.perf_counter() - trained, valid, best)  # fmt: skip

    def learn(self, batch: Batch) -> float:
        """One step; returns the batch's summed loss."""
        batch = batch.to(self.workers.device)
        number = max(self.workers.total(len(batch.query) + len(batch.shown_query)), 1.0)
        rows = self.table[batch.ids].requires_grad_(True)
        knowledge = None if self.knowledge is None else self.knowledge[batch.ids]
        with torch.autocast(self.workers.device.type, torch.bfloat16, enabled=self._bf16):
            loss = self.objective(rows, knowledge, self.counts[batch.ids], batch)
        self.adam.zero_grad(set_to_none=True)
        # DistributedDataParallel averages over processes what is to be a sum.
        (loss * (self.workers.world / number)).backward()
        self.step += 1
        scale = min(1.0, self.step / max(self.config.warmup, 1))
        for group in self.adam.param_groups:
            group["lr"] = self.config.lr * scale
        self.adam.step()
        if rows.grad is not None:
            ids, gradient = self.workers.rows(batch.ids, rows.grad / self.workers.world)
            self.id_adam.step(ids, gradient, scale)
        return float(loss.detach())

    def _average(self, number: int) -> None:
        """Epochs at a constant learning rate scatter around where they go; their running mean is nearer to it."""
        weight = 1.0 if number == 0 else self.config.newest
        mine = self.mean.weights()
        for name, value in self.now.weights().items():
            mine[name].lerp_(value, weight)

    def validate(self) -> dict[str, float]:
        """Means over validation cases."""
        cases = self.data.split.valid
        if not len(cases):
            return {"NDCG@10": 0.0, "HR@10": 0.0}
        ranks = target_ranks(case_scores(self.mean.model, self.mean.vectors(), cases.history), cases)
        return {name: float(values.mean()) for name, values in case_metrics(ranks, cases, (10,)).items()}

    # Checkpoints

    def _checkpoint(self) -> None:
        if self.folder is None or not self.workers.first:
            return
        parts = {
            "now": self.now.weights(),
            "mean": self.mean.weights(),
            "best": self.best,
            "id_adam": self.id_adam.state(),
        }
        meta = {"step": str(self.step), "history": json.dumps([vars(epoch) for epoch in self.history])}
        checkpoint.save(self.folder, parts, self.adam, meta)

    def _resume(self) -> None:
        found = checkpoint.load(self.folder, self.adam, self.workers.device)
        if found is None:
            return
        parts, meta = found
        self.now.load(parts["now"])
        self.mean.load(parts["mean"])
        self.best = dict(parts.get("best", {}))
        for name, value in self.id_adam.state().items():
            value.copy_(parts["id_adam"][name])
        self.step = int(meta["step"])
        self.history = [Epoch(**epoch) for epoch in json.loads(meta["history"])]
