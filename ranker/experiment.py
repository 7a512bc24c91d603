"""An experiment: variants of the ranker and the baselines on one split, with seeds, intervals and slices."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from reaseq import ReaseqError
from reaseq.ranker import baselines
from reaseq.ranker.evaluate import (
    Interval,
    bootstrap,
    by_train_count,
    case_metrics,
    impression_metrics,
    target_ranks,
)
from reaseq.ranker.log import Ints
from reaseq.ranker.model import ModelConfig, Ranker
from reaseq.ranker.score import case_scores, click_logits
from reaseq.ranker.split import Cases
from reaseq.ranker.train import Epoch, Fitted, TrainConfig, Trainer, TrainingData, Workers

KS = (5, 10, 20)
_PACKAGES = ("reaseq", "torch", "numpy", "scipy", "sentence-transformers")


@dataclass(frozen=True)
class Variant:
    """A ranker to train: its name in tables, and what it is made of."""

    name: str
    model: ModelConfig


@dataclass
class Row:
    """One line of the result: a model's metrics with intervals, its slices, and its lift over the first variant."""

    name: str
    metrics: dict[str, Interval]
    slices: dict[str, tuple[int, float, float]]
    impressions: dict[str, float] = field(default_factory=dict)
    difference: Interval | None = None
    epochs: float | None = None
    seconds: float | None = None


@dataclass
class Outcome:
    """What came of an experiment."""

    split: str
    users: int
    items: int
    events: int
    cases: int
    rows: list[Row]
    curves: dict[str, list[dict[str, Any]]]
    versions: dict[str, str]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)


@dataclass(frozen=True)
class ImpressionCases:
    """Impressions to judge by: after `history` of case `owner` the item was shown, and acted on or not.

    histories as Cases.history; owner, items, labels: [B].
    """

    cases: Cases
    owner: Ints
    items: Ints
    labels: Ints


def run(
    data: TrainingData,
    variants: Sequence[Variant],
    train: TrainConfig,
    *,
    seeds: Sequence[int],
    folder: Path | None = None,
    impressions: ImpressionCases | None = None,
    with_baselines: bool = True,
    workers: Workers | None = None,
    on_start: Callable[[str, int], None] = lambda name, seed: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Outcome | None:
    """Train every variant with every seed, judge all on the same test cases. Only the first process gets the outcome.

    With a folder, a model is kept in `<folder>/<variant>/seed-<n>/`; one that is finished there is not trained again.
    """
    workers = workers or Workers()
    cases, counts = data.split.test, data.counts
    if not len(cases):
        raise ReaseqError("the split leaves nothing to test on", hint="reaseq train-ranker --split leave-one-out")
    rows: list[Row] = []
    curves: dict[str, list[dict[str, Any]]] = {}
    gains: dict[str, NDArray[np.float64]] = {}
    for variant in variants:
        metrics: list[dict[str, NDArray[np.float64]]] = []
        ranks: list[NDArray[np.float64]] = []
        logits: list[NDArray[np.float64]] = []
        epochs, seconds = [], []
        for seed in seeds:
            on_start(variant.name, seed)
            mine = data if "knowledge" in variant.model.features else without_knowledge(data)
            place = None if folder is None else folder / variant.name / f"seed-{seed}"
            fitted, history = train_one(
                mine, variant.model, train.model_copy(update={"seed": seed}), place, workers, on_step, on_epoch
            )
            if not workers.first:
                continue
            vectors = fitted.vectors()
            ranks.append(target_ranks(case_scores(fitted.model, vectors, cases.history), cases))
            metrics.append(case_metrics(ranks[-1], cases, KS))
            if impressions is not None:
                logits.append(
                    click_logits(fitted.model, vectors, impressions.cases.history, impressions.owner, impressions.items)
                )
            curves[f"{variant.name} {seed}"] = [vars(epoch) for epoch in history]
            epochs.append(len(history))
            seconds.append(sum(epoch.seconds for epoch in history))
        if not workers.first:
            continue
        joined = {name: np.stack([one[name] for one in metrics]) for name in metrics[0]}
        gains[variant.name] = joined["NDCG@10"]
        row = _row(variant.name, joined, ranks, cases, counts)
        row.epochs, row.seconds = float(np.mean(epochs)), float(np.mean(seconds))
        if impressions is not None:
            each = [impression_metrics(one, impressions.labels, impressions.owner) for one in logits]
            row.impressions = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
        if variant is not variants[0]:
            row.difference = bootstrap(gains[variant.name] - gains[variants[0].name])
        rows.append(row)
    if not workers.first:
        return None
    if with_baselines:
        for baseline in baselines.fit_all(data.split.train, data.items, data.split.valid):
            placed = target_ranks(baseline.scores(cases), cases)
            one = {name: values[None] for name, values in case_metrics(placed, cases, KS).items()}
            rows.append(_row(baseline.title, one, [placed], cases, counts))
            if len(variants):
                rows[-1].difference = bootstrap(one["NDCG@10"] - gains[variants[0].name])
    split = data.split
    return Outcome(
        split.name, len(split.train), data.items, len(split.train.items), len(cases), rows, curves, _versions()
    )


def train_one(
    data: TrainingData,
    model: ModelConfig,
    train: TrainConfig,
    folder: Path | None,
    workers: Workers,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[Fitted, list[Epoch]]:
    """One model, trained or, where `folder` holds it finished, loaded; with its epochs."""
    if folder is None:
        trainer = Trainer(data, model, train, workers=workers)
        return trainer.run(on_step, on_epoch), trainer.history
    done = folder / "model.safetensors"
    if done.is_file():
        epochs = [Epoch(**epoch) for epoch in json.loads((folder / "epochs.json").read_text())]
        return load(done, data, model, workers), epochs
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(data, model, train, folder=folder, workers=workers)
    with _TensorBoard(folder if workers.first else None) as board:

        def both(epoch: Epoch) -> None:
            board(epoch)
            on_epoch(epoch)

        fitted = trainer.run(on_step, both)
    if workers.first:
        (folder / "epochs.json").write_text(json.dumps([vars(epoch) for epoch in trainer.history]))
        save(done, fitted)
        (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    workers.from_first(None)
    return fitted, trainer.history


def save(path: Path, fitted: Fitted) -> None:
    """Weights, id table and train counts as safetensors; whole or not at all."""
    tensors = fitted.weights() | {"counts": fitted.counts}
    partial = path.with_suffix(".partial")
    save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, partial)
    os.replace(partial, path)


def load(path: Path, data: TrainingData, model: ModelConfig, workers: Workers) -> Fitted:
    """A saved model over the items of `data`, of which there may be more than were trained on: those come last."""
    tensors = load_file(path, device=str(workers.device))
    width = data.knowledge.shape[1] if data.knowledge is not None else 0
    ranker = Ranker(model, width).to(workers.device)
    ranker.load_state_dict(
        {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    )
    ranker.eval()
    more = (0, data.items - len(tensors["counts"]))
    table = torch.nn.functional.pad(tensors["ids"], (0, 0, *more))
    counts = torch.nn.functional.pad(tensors["counts"], more)
    knowledge = None if data.knowledge is None else torch.from_numpy(data.knowledge).to(workers.device)
    return Fitted(ranker, table, counts, knowledge)


def without_knowledge(data: TrainingData) -> TrainingData:
    return TrainingData(data.split, data.items, None, data.impressions)


def _row(
    name: str,
    metrics: Mapping[str, NDArray[np.float64]],
    ranks: Sequence[NDArray[np.float64]],
    cases: Cases,
    counts: Ints,
) -> Row:
    slices = [by_train_count(one, cases, counts) for one in ranks]
    mean = {
        part: (
            slices[0][part][0],
            float(np.mean([s[part][1] for s in slices])),
            float(np.mean([s[part][2] for s in slices])),
        )
        for part in slices[0]
    }
    return Row(name, {metric: bootstrap(values) for metric, values in metrics.items()}, mean)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


class _TensorBoard:
    """Writes an epoch's figures where TensorBoard reads them; nothing without a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._writer: Any = None
        if folder is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder))

    def __enter__(self) -> "_TensorBoard":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def __call__(self, epoch: Epoch) -> None:
        if self._writer is not None:
            figures = {"train/loss": epoch.loss, "train/events_per_second": epoch.predictions / epoch.seconds}
            figures |= {f"valid/{name}": value for name, value in epoch.valid.items()}
            for name, value in figures.items():
                self._writer.add_scalar(name, value, epoch.number)
            self._writer.flush()
