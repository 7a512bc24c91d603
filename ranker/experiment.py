"""An experiment: variants of the ranker and the baselines on one split, with seeds, intervals and slices."""

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.knowledge_store import checkpoint
from reaseq.knowledge_store.log import Imagined, Ints
from reaseq.knowledge_store.shown import Result
from reaseq.ranker import baselines, saved
from reaseq.ranker.evaluate import (
    Interval,
    bootstrap,
    by_train_count,
    case_metrics,
    impression_metrics,
    target_ranks,
)
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.own import Own
from reaseq.ranker.score import case_scores, click_logits
from reaseq.ranker.split import Cases
from reaseq.ranker.train import Epoch, Fitted, TrainConfig, Trainer, TrainingData, Workers

KS = (5, 10, 20)
_PACKAGES = ("reaseq", "torch", "numpy", "scipy", "sentence-transformers")


@dataclass(frozen=True)
class Variant:
    """A ranker to train: its name in tables, what it is made of, and what takes the place of the imagined events."""

    name: str
    model: ModelConfig
    control: Imagined | None = None


@dataclass
class Row:
    """One line of the result: a model's metrics with intervals, its slices, and its lift over the first variant.

    over: by how much NDCG@10 is above that of each control of this variant.
    """

    name: str
    metrics: dict[str, Interval]
    slices: dict[str, tuple[int, float, float]]
    impressions: dict[str, float] = field(default_factory=dict)
    difference: Interval | None = None
    over: dict[str, Interval] = field(default_factory=dict)
    epochs: float | None = None
    seconds: float | None = None


@dataclass(repr=False)
class Outcome(Result):
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

    def told(self) -> str:
        best = max(self.rows, key=lambda row: row.metrics["NDCG@10"].mean)
        of = f"{self.events:,} events of {self.users:,} users with {self.items:,} items"
        first = f"best NDCG@10 {best.metrics['NDCG@10']} by {best.name}"
        return f"{of}; {self.split} split, {self.cases:,} test cases; {first}"

    def records(self) -> list[dict[str, Any]]:
        """One a ranker: its name, means of the metrics, the ends of NDCG@10's 95 % interval, and the difference to the
        first ranker."""
        return [
            {"name": row.name}
            | {metric: value.mean for metric, value in row.metrics.items()}
            | {"NDCG@10 low": row.metrics["NDCG@10"].low, "NDCG@10 high": row.metrics["NDCG@10"].high}
            | {"difference": row.difference.mean if row.difference else None}
            for row in self.rows
        ]

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        """Of what `to_json` wrote; what else stands there is left out."""
        said = json.loads(text)
        known = {one.name: said[one.name] for one in fields(cls)}
        rows = [
            Row(**row | {"metrics": {name: Interval(**value) for name, value in row["metrics"].items()},
                         "slices": {name: tuple(value) for name, value in row["slices"].items()},
                         "difference": Interval(**row["difference"]) if row["difference"] else None,
                         "over": {name: Interval(**value) for name, value in row["over"].items()}})
            for row in known["rows"]
        ]  # fmt: skip
        return cls(**known | {"rows": rows})


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
    products: Sequence[str] = (),
    folder: Path | None = None,
    impressions: ImpressionCases | None = None,
    extra: Mapping[str, torch.Tensor] | None = None,
    meta: Mapping[str, str] | None = None,
    workers: Workers | None = None,
    on_start: Callable[[str, int], None] = lambda name, seed: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Outcome | None:
    """Train every variant with every seed, judge all on the same test cases. Only the first process gets the outcome.

    See `train_all` for the arguments.
    """
    workers = workers or Workers()
    if not len(data.split.test):
        raise ReaseqError("the split leaves nothing to test on", hint="reaseq train-ranker --split leave-one-out")
    models, curves = train_all(
        data,
        variants,
        train,
        seeds=seeds,
        products=products,
        folder=folder,
        extra=extra,
        meta=meta,
        workers=workers,
        on_start=on_start,
        on_step=on_step,
        on_epoch=on_epoch,
    )
    controls = {variant.name: variant.control for variant in variants if variant.control is not None}
    return judge(data, models, curves, impressions=impressions, controls=controls) if workers.first else None


def train_all(
    data: TrainingData,
    variants: Sequence[Variant],
    train: TrainConfig,
    *,
    seeds: Sequence[int],
    products: Sequence[str] = (),
    folder: Path | None = None,
    extra: Mapping[str, torch.Tensor] | None = None,
    meta: Mapping[str, str] | None = None,
    workers: Workers | None = None,
    on_start: Callable[[str, int], None] = lambda name, seed: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[dict[str, list[Fitted]], dict[str, list[list[Epoch]]]]:
    """Every variant with every seed: by its name its models, and their epochs.

    With a folder, a model is kept in `<folder>/<variant>/seed-<n>/`, with the `extra` tensors and `meta` texts that
    whoever loads it needs; one that is finished there is not trained again. products: the items' ids.
    """
    workers = workers or Workers()
    models: dict[str, list[Fitted]] = {}
    curves: dict[str, list[list[Epoch]]] = {}
    for variant in variants:
        mine = data if "knowledge" in variant.model.features else without_knowledge(data)
        if variant.control is not None:
            mine = replace(mine, split=mine.split.imagining(variant.control))
        for seed in seeds:
            on_start(variant.name, seed)
            configured = train.model_copy(update={"seed": seed})
            place = None if folder is None else model_folder(folder, variant.name, seed)
            if place is not None and (place / saved.FILE).is_file():
                fitted = saved.read(place).fitted(products, mine.knowledge, workers.device)
                epochs = [Epoch(**epoch) for epoch in json.loads((place / "epochs.json").read_text())]
            else:
                fitted, epochs = _train(mine, variant.model, configured, place, workers, on_step, on_epoch)
                if place is not None and workers.first:
                    saved.save(place, fitted, products, extra or {}, meta or {})
                    checkpoint.remove(place)
            models.setdefault(variant.name, []).append(fitted)
            curves.setdefault(variant.name, []).append(epochs)
    return models, curves


def judge(
    data: TrainingData,
    models: Mapping[str, Sequence[Fitted]],
    curves: Mapping[str, Sequence[Sequence[Epoch]]],
    *,
    impressions: ImpressionCases | None = None,
    controls: Mapping[str, Imagined] | None = None,
    own: Mapping[str, Own] | None = None,
) -> Outcome:
    """Models (a variant's name -> one a seed), rankers of somebody's own and baselines on the test cases.

    controls: of variants that see something else in place of the imagined events. The control `x, shuffled users` is
    one of the variant `x`.
    """
    cases, counts = data.split.test, data.counts
    rows: list[Row] = []
    first: NDArray[np.float64] | None = None
    gains: dict[str, NDArray[np.float64]] = {}
    for name, seeds in models.items():
        control = (controls or {}).get(name)
        history = cases.history if control is None else cases.history.imagining(control)
        ranks = [target_ranks(case_scores(one.model, one.vectors(), history), cases) for one in seeds]
        each = [case_metrics(one, cases, KS) for one in ranks]
        row, gain = _row(name, each, ranks, cases, counts)
        if impressions is not None:
            judged = [_judge_impressions(one, impressions) for one in seeds]
            row.impressions = {metric: float(np.mean([one[metric] for one in judged])) for metric in judged[0]}
        if curves.get(name):
            row.epochs = float(np.mean([len(epochs) for epochs in curves[name]]))
            row.seconds = float(np.mean([sum(epoch.seconds for epoch in epochs) for epochs in curves[name]]))
        if first is None:
            first = gain
        else:
            row.difference = bootstrap(gain - first)
        gains[name] = gain
        rows.append(row)
    for row in rows:
        mine = [name for name in controls or () if name.split(",")[0] == row.name]
        row.over = {name: bootstrap(gains[row.name] - gains[name]) for name in mine}
    fitted = baselines.fit_all(data.split.train, data.items, data.split.valid)
    others = {**(own or {}), **{baseline.title: baseline.scores for baseline in fitted}}
    for title, scores in others.items():
        placed = target_ranks(scores(cases), cases)
        row, gain = _row(title, [case_metrics(placed, cases, KS)], [placed], cases, counts)
        if first is not None:
            row.difference = bootstrap(gain - first)
        rows.append(row)
    split = data.split
    drawn = {
        f"{name} {seed}": [vars(epoch) for epoch in epochs]
        for name, runs in curves.items()
        for seed, epochs in enumerate(runs)
    }
    return Outcome(
        split.name, len(split.train), data.items, len(split.train.items), len(cases), rows, drawn, _versions()
    )


def model_folder(folder: Path, variant: str, seed: int) -> Path:
    return folder / variant / f"seed-{seed}"


def _judge_impressions(fitted: Fitted, shown: ImpressionCases) -> dict[str, float]:
    logits = click_logits(fitted.model, fitted.vectors(), shown.cases.history, shown.owner, shown.items)
    return impression_metrics(logits, shown.labels, shown.owner)


def _train(
    data: TrainingData,
    model: ModelConfig,
    train: TrainConfig,
    folder: Path | None,
    workers: Workers,
    on_step: Callable[[int, int], None],
    on_epoch: Callable[[Epoch], None],
) -> tuple[Fitted, list[Epoch]]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(data, model, train, folder=folder, workers=workers)
    with _TensorBoard(folder if workers.first else None) as board:

        def both(epoch: Epoch) -> None:
            board(epoch)
            on_epoch(epoch)

        fitted = trainer.run(on_step, both)
    if folder is not None and workers.first:
        (folder / "epochs.json").write_text(json.dumps([vars(epoch) for epoch in trainer.history]))
    return fitted, trainer.history


def without_knowledge(data: TrainingData) -> TrainingData:
    return TrainingData(data.split, data.items, None, data.impressions)


def _row(
    name: str,
    metrics: Sequence[Mapping[str, NDArray[np.float64]]],
    ranks: Sequence[NDArray[np.float64]],
    cases: Cases,
    counts: Ints,
) -> tuple[Row, NDArray[np.float64]]:
    """A row of means over seeds, and NDCG@10 of each seed and case: [seeds, C]."""
    joined = {metric: np.stack([one[metric] for one in metrics]) for metric in metrics[0]}
    slices = [by_train_count(one, cases, counts) for one in ranks]
    means = {
        part: (
            number,
            float(np.mean([one[part][1] for one in slices])),
            float(np.mean([one[part][2] for one in slices])),
        )
        for part, (number, _, _) in slices[0].items()
    }
    return Row(name, {metric: bootstrap(values) for metric, values in joined.items()}, means), joined["NDCG@10"]


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
