"""What imagined events add to the ranker: `python -m reaseq.bench.ablation --data FOLDER`.

FOLDER holds `amazon14_cross`: its Office domain, and the users that are found in three domains or more. The last item
of each user is held out, the one before it is for validation, all items are ranked. Rankers know ids; ids and
knowledge; ids and imagined events; all. Beside those that know of imagined events stand controls that are shown another
user's, popular items, or what a next-item model of the same size and data would have imagined.

Users are imagined by models that were trained on other users, on the part of the log that rankers train on.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from reaseq.bench import beyond_log_data, ranker_data
from reaseq.bench.beyond_log_data import embedded
from reaseq.bench.ranker_quality import draw
from reaseq.beyond_log import fit
from reaseq.beyond_log.denoiser import DenoiserConfig
from reaseq.beyond_log.examples import Objective
from reaseq.beyond_log.fit import BeyondLogConfig, Data
from reaseq.beyond_log.imagining import CodesBackend, imagined_at_moments
from reaseq.beyond_log.sampler import SampleConfig
from reaseq.beyond_log.saved import FILE, BeyondLog
from reaseq.beyond_log.train import TrainConfig as BeyondLogTraining
from reaseq.knowledge_store.log import Imagined, Ints
from reaseq.knowledge_store.whitening import Whitening
from reaseq.ranker import experiment, report
from reaseq.ranker.controls import popular_items, shuffled_users
from reaseq.ranker.dataset import TEXT_DIM
from reaseq.ranker.experiment import Variant
from reaseq.ranker.facts import signatures
from reaseq.ranker.model import Feature, ModelConfig
from reaseq.ranker.split import Cases, leave_last_out
from reaseq.ranker.train import TrainConfig, TrainingData

RESULTS = Path(__file__).parent / "results"
SLOTS, STEPS, BATCH = 8, 4, 256
SPANS = 0.6
"""How often a span of time is hidden in training: rankers are judged by what comes next, mostly of a known kind."""


@dataclass(frozen=True)
class Logged:
    """A log, its items' vectors, facts, and the names of their categories."""

    name: str
    data: Data
    facts: list[list[str]]


def office(arguments: argparse.Namespace) -> Logged:
    one = ranker_data.beauty(arguments.data, "Office")
    vectors = embedded(one.texts, arguments.models, arguments.cache)
    categories = [next((fact for fact in facts if fact.startswith("category=")), None) for facts in one.facts]
    return Logged(one.name, Data(one.log, vectors, categories, ""), one.facts)


def cross(arguments: argparse.Namespace) -> Logged:
    one = beyond_log_data.amazon14_cross(arguments.data, arguments.models, arguments.cache, domains=3)
    names = [one.domain_names[domain] for domain in one.domains]
    return Logged(one.name, Data(one.log, one.vectors, names, ""), [[f"domain={name}"] for name in names])


DATA = {"office": office, "cross": cross}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--only", choices=DATA)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100, help="of rankers, at most")
    parser.add_argument("--beyond-log-epochs", type=int, default=60, help="of the models that imagine, at most")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--cache", type=Path, default=Path(".reaseq/bench"), help="what is kept from run to run")
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else DATA:
        measure(name, DATA[name](arguments), arguments)


def measure(name: str, logged: Logged, arguments: argparse.Namespace) -> None:
    log = logged.data.log
    print(f"{logged.name}: {len(log.users):,} users, {len(log.items):,} items, {len(log.events.items):,} events")
    place = arguments.cache / f"ablation-{name}"
    row, real = imagined(logged, "beyond", place, arguments.beyond_log_epochs)
    _, following = imagined(logged, "next", place, arguments.beyond_log_epochs)
    events = replace(log.events, imagined=replace(real, row=row))
    split = leave_last_out(events)
    counts = np.bincount(split.train.items, minlength=len(log.items))
    whitening = Whitening.fit(logged.data.vectors[counts > 0], dims=TEXT_DIM)
    knowledge = np.concatenate([whitening.apply(logged.data.vectors), signatures(logged.facts)], axis=1)
    found = {title: came_true(split.test, one) for title, one in (("diffusion", real), ("next item", following))}
    for title, share in found.items():
        print(f"{title}: the held-out item is among the imagined ones of {share:.2%} of the users")

    def variant(features: tuple[Feature, ...], title: str = "", control: Imagined | None = None) -> Variant:
        model = ModelConfig(features=features)
        return Variant("+".join(features) + title, model, control)

    everything: tuple[Feature, ...] = ("id", "knowledge", "beyond_log")
    shuffled, popular = shuffled_users(events), popular_items(events, counts)
    variants = [
        variant(("id",)),
        variant(("id", "knowledge")),
        variant(("id", "beyond_log")),
        variant(("id", "beyond_log"), ", shuffled users", shuffled),
        variant(("id", "beyond_log"), ", popular items", popular),
        variant(("id", "beyond_log"), ", next-item model", following),
        variant(everything),
    ]
    outcome = experiment.run(
        TrainingData(split, len(log.items), knowledge),
        variants,
        TrainConfig(epochs=arguments.epochs),
        seeds=range(arguments.seeds),
        products=log.items,
        folder=place / f"rankers-{arguments.epochs}",
        on_start=lambda variant, seed: print(f"{name}: {variant}, seed {seed}", flush=True),
    )
    assert outcome is not None
    print(f"\n{logged.name}, {outcome.cases:,} cases, torch {torch.__version__}")
    first = outcome.rows[0]
    print(f"{'':46} {'HR@10':>24} {'NDCG@10':>24} {'lift over ids, %':>18} {'difference in NDCG@10':>28}")
    for line in outcome.rows:
        lift = 100 * (line.metrics["NDCG@10"].mean / first.metrics["NDCG@10"].mean - 1)
        change = line.difference
        told = "" if change is None else f"{change.mean:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
        cells = f"{line.metrics['HR@10']!s:>24} {line.metrics['NDCG@10']!s:>24}"
        print(f"{line.name:46} {cells} {lift:>+18.1f} {told:>28}")
    for text in report.over_controls(outcome.rows):
        print(text)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"ablation_{name}.json"
    path.write_text(json.dumps(json.loads(outcome.to_json()) | {"imagined": found}, indent=1))
    draw(outcome, path.with_suffix(".svg"), logged.name)
    print(f"written: {path} and the picture beside it")


def imagined(logged: Logged, objective: Objective, place: Path, epochs: int) -> tuple[Ints, Imagined]:
    """Rows of the log's events [N], and what is imagined in each row; kept in `place`."""
    data, log = logged.data, logged.data.log
    folder = place / f"{objective}-{epochs}"
    kept = folder / "imagined.npz"
    if kept.is_file():
        with np.load(kept) as arrays:
            return arrays["row"], Imagined(arrays["row"], arrays["items"], arrays["log_confidence"])
    split = leave_last_out(log.events)
    config = BeyondLogConfig(
        model=DenoiserConfig(objective=objective, slots=SLOTS), train=BeyondLogTraining(epochs=epochs, spans=SPANS)
    )
    started = time.perf_counter()
    if (folder / FILE).is_file():
        model = BeyondLog.load(folder)
    else:
        model = fit.fit(
            data, fit.train_part(data, split.train_until), config, folder, split=split.name, cuts=None,
            on_codes=print,
            on_epoch=lambda epoch: print(f"  {objective}, epoch {epoch.number + 1}: {epoch.valid:.4f}", flush=True),
        )  # fmt: skip
    print(f"{objective}: trained in {time.perf_counter() - started:.0f} s", flush=True)
    started = time.perf_counter()
    backend = CodesBackend(model, data, SampleConfig(steps=STEPS))
    row = np.full(len(log.events.items), -1)
    items, confidence, number = [], [], 0
    owner_of = {user: owner for owner, user in enumerate(log.users)}
    for low in range(0, len(log.users), BATCH):
        part = range(low, min(low + BATCH, len(log.users)))
        users, untils, chosen, log_confidence = imagined_at_moments(log, backend, part, SLOTS, 0)
        items.append(chosen)
        confidence.append(log_confidence)
        for user, until in zip(users, untils, strict=True):
            mine = slice(log.events.offsets[owner_of[user]], log.events.offsets[owner_of[user] + 1])
            row[mine] = np.where(log.events.at[mine] >= until, number, row[mine])
            number += 1
    print(f"{objective}: {number:,} histories imagined in {time.perf_counter() - started:.0f} s", flush=True)
    made = Imagined(row, np.concatenate(items), np.concatenate(confidence).astype(np.float32))
    np.savez(kept, row=row, items=made.items, log_confidence=made.log_confidence)
    return row, made


def came_true(cases: Cases, made: Imagined) -> float:
    """The share of cases of which a target is among what was imagined after the history."""
    rows = cases.history.imagining(made).imagined
    assert rows is not None
    last = rows.row[cases.history.offsets[1:] - 1]
    hits = [
        last[case] >= 0 and bool(np.isin(cases.targets[low:high], made.items[last[case]]).any())
        for case, (low, high) in enumerate(pairwise(cases.offsets))
    ]
    return float(np.mean(hits))


if __name__ == "__main__":
    main()
