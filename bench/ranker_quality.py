"""How well the ranker ranks, beside strong baselines: `python -m reaseq.bench.ranker_quality --data FOLDER`.

FOLDER holds `amazon14_cross` and `online_retail_ii`. All items are ranked for every test case, items of the history
included. Decays and strengths of baselines, and the number of epochs, are chosen on validation cases.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from reaseq.bench import ranker_data
from reaseq.bench.ranker_data import BenchData
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.whitening import Whitening
from reaseq.llm import encoders
from reaseq.ranker import experiment
from reaseq.ranker.dataset import TEXT_DIM
from reaseq.ranker.evaluate import case_metrics, target_ranks
from reaseq.ranker.experiment import Outcome, Variant
from reaseq.ranker.facts import signatures
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.score import case_scores
from reaseq.ranker.split import Split, leave_last_out
from reaseq.ranker.train import Epoch, Fitted, TrainConfig, TrainingData

RESULTS = Path(__file__).parent / "results"
SETTINGS = {
    "beauty": (ModelConfig(), TrainConfig()),
    "retail-last-basket": (
        ModelConfig(dim=64, heads=2, dropout=0.3, most=64, timed=True),
        TrainConfig(tokens=4096, by_basket=True, skipped=0.0, epochs=8),
    ),
    "retail-last-line": (
        ModelConfig(dim=64, heads=2, dropout=0.3, most=64, timed=True),
        TrainConfig(tokens=4096, skipped=0.0, epochs=6),
    ),
}
DISCOUNTS = (0.25, 0.5, 0.75, 1.0, 1.25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--only", choices=SETTINGS, help="one table of the three")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="at most; default: until validation gets no better")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--runs", type=Path, help="keep models here, and go on from there")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for name in [arguments.only] if arguments.only else SETTINGS:
        data = ranker_data.beauty(arguments.data) if name == "beauty" else ranker_data.online_retail(arguments.data)
        split = leave_last_out(data.log.events, baskets_whole=name == "retail-last-basket")
        outcome = measure(name, data, split, arguments.models, arguments.seeds, arguments.epochs, arguments.runs)
        print_table(f"{data.name}, {split.name}", outcome)
        path = RESULTS / f"ranker_quality_{name}.json"
        path.write_text(outcome.to_json())
        draw(outcome, path.with_suffix(".svg"), f"{data.name}, {split.name}")
        print(f"\nwritten: {path} and the picture beside it\n")


def measure(
    name: str, data: BenchData, split: Split, weights: Path, seeds: int, epochs: int | None, runs: Path | None
) -> Outcome:
    model, train = SETTINGS[name]
    if epochs is not None:
        train = train.model_copy(update={"epochs": epochs})
    trained = np.bincount(split.train.items, minlength=len(data.log.items)) > 0
    training = TrainingData(split, len(data.log.items), knowledge(data, trained, weights))
    variants = [
        Variant("id", model),
        Variant("id+knowledge", model.model_copy(update={"features": ("id", "knowledge")})),
    ]
    started = time.perf_counter()

    def on_epoch(epoch: Epoch) -> None:
        print(
            f"{time.perf_counter() - started:7.0f} s  epoch {epoch.number + 1}: loss {epoch.loss:.3f}, "
            f"validation NDCG@10 {epoch.valid['NDCG@10']:.4f}, {epoch.seconds:.1f} s",
            flush=True,
        )

    models, curves = experiment.train_all(
        training,
        variants,
        train,
        seeds=range(seeds),
        products=data.log.items,
        folder=None if runs is None else runs / name,
        on_start=lambda variant, seed: print(f"{name}: {variant}, seed {seed}", flush=True),
        on_epoch=on_epoch,
    )
    if name == "beauty":
        discount = affordable(training, models["id+knowledge"], models["id"])
        for variant in variants:
            discounted = [one.discounted(discount) for one in models[variant.name]]
            models[f"{variant.name}, discount {discount:g}"] = discounted
    return experiment.judge(training, models, curves)


def affordable(data: TrainingData, models: list[Fitted], floor: list[Fitted]) -> float:
    """The largest discount of popularity at which the models still validate no worse than `floor` without any.

    So the gain from knowledge is spent on rare items, and nothing else is.
    """
    cases = data.split.valid

    def quality(several: list[Fitted]) -> float:
        made = []
        for one in several:
            ranks = target_ranks(case_scores(one.model, one.vectors(), cases.history), cases)
            made.append(case_metrics(ranks, cases, (10,))["NDCG@10"].mean())
        return float(np.mean(made))

    needed, best = quality(floor), 0.0
    for discount in DISCOUNTS:
        reached = quality([one.discounted(discount) for one in models])
        print(f"discount {discount:g}: validation NDCG@10 {reached:.4f}, ids alone {needed:.4f}", flush=True)
        if reached < needed:
            break
        best = discount
    return best


def knowledge(data: BenchData, trained: NDArray[np.bool_], weights: Path) -> NDArray[np.float32]:
    """What the store would make of the items: whitened text embeddings beside the signatures of their facts."""
    vectors = Encoder(*encoders.resolve(weights)).encode(data.texts).astype(np.float32)
    whitening = Whitening.fit(vectors[trained], dims=TEXT_DIM)
    return np.concatenate([whitening.apply(vectors), signatures(data.facts)], axis=1)


def draw(outcome: Outcome, path: Path, title: str) -> None:
    """NDCG@10 with its interval, and by how often the target was seen in training."""
    from matplotlib.figure import Figure

    rows = [row for row in outcome.rows if "discount" not in row.name]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    overall, slices = figure.subplots(1, 2, width_ratios=(2, 3))
    figure.suptitle(title, fontsize=10)
    for place, row in enumerate(rows):
        metric, colour = row.metrics["NDCG@10"], f"C{place}"
        bars = [[metric.mean - metric.low], [metric.high - metric.mean]]
        overall.barh(-place, metric.mean, xerr=bars, color=colour)
        values = [part[2] for name, part in row.slices.items() if part[0]]
        slices.bar([x + place * 0.13 for x in range(len(values))], values, 0.13, color=colour, label=row.name)
    overall.set_yticks([-place for place in range(len(rows))], [row.name.split(",")[0] for row in rows])
    overall.set_xlabel("NDCG@10 among all items")
    names = [f"seen {name}" for name, part in rows[0].slices.items() if part[0]]
    slices.set_xticks([x + 0.3 for x in range(len(names))], names)
    slices.set_ylabel("NDCG@10 by train count")
    slices.legend(fontsize=6, frameon=False)
    figure.savefig(path, metadata={"Date": None})


def print_table(title: str, outcome: Outcome) -> None:
    print(f"\n{title}: {outcome.cases:,} cases, {outcome.items:,} items, torch {torch.__version__}")
    slices = list(outcome.rows[0].slices)
    head = f"{'':30} {'HR@10':>22} {'NDCG@10':>22} {'difference in NDCG@10':>26}"
    print(head + "".join(f"{'seen ' + name:>12}" for name in slices) + f"{'at most 5':>12} {'epochs':>7}")
    for row in outcome.rows:
        change = row.difference
        low = [row.slices[name] for name in slices[:2]]
        number = sum(part[0] for part in low)
        few = sum(part[0] * part[2] for part in low) / number if number else float("nan")
        told = "" if change is None else f"{change.mean:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
        print(
            f"{row.name:30} {row.metrics['HR@10']!s:>22} {row.metrics['NDCG@10']!s:>22} {told:>26}"
            + "".join(f"{row.slices[name][2]:>12.4f}" for name in slices)
            + f"{few:>12.4f} {'' if row.epochs is None else f'{row.epochs:.0f}':>7}"
        )
    print(json.dumps({"versions": outcome.versions}))


if __name__ == "__main__":
    main()
