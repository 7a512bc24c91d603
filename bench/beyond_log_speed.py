"""How fast it imagines: `python -m reaseq.bench.beyond_log_speed`.

Users per second for training and for imagining, by steps, slots and the size of the catalogue, beside a next-item
model of the same size, which imagines with the same sampler. On a log that is drawn at random; medians of several
rounds, taken in turns, so that a machine that wavers does so for all.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch

from reaseq.beyond_log.denoiser import DenoiserConfig
from reaseq.beyond_log.examples import Catalogue, Example, Objective, collate
from reaseq.beyond_log.sampler import Items, SampleConfig, imagine
from reaseq.beyond_log.train import TrainConfig, Trainer
from reaseq.knowledge_store.log import Sequences

RESULTS = Path(__file__).parent / "results"
GROUPS, SIZE, EVENTS = 32, 256, 24
OBJECTIVES: tuple[Objective, ...] = ("beyond", "next")


def catalogue(items: int) -> Catalogue:
    random = np.random.default_rng(0)
    groups = random.integers(0, GROUPS, items)
    codes = np.concatenate([groups[:, None], random.integers(0, SIZE, (items, 3))], axis=1)
    return Catalogue(codes, random.standard_normal((items, 64)).astype(np.float32), groups, groups, SIZE, GROUPS)


def trainer(known: Catalogue, objective: Objective, slots: int, users: int = 512) -> Trainer:
    random = np.random.default_rng(1)
    items = random.integers(0, len(known.codes), users * EVENTS)
    log = Sequences(np.arange(users + 1) * EVENTS, items, np.tile(np.arange(float(EVENTS)) * 86400, users))
    return Trainer(log, known, DenoiserConfig(objective=objective, slots=slots), TrainConfig())


def training(one: Trainer) -> Callable[[], int]:
    """A round of training: a few steps; returns how many users they took."""
    one.model.train()
    generator = torch.Generator().manual_seed(0)
    batches = [batch for _, batch in zip(range(6), one.batches(one.train, [0], 1), strict=False)]

    def go() -> int:
        for batch in batches:
            one.learn(batch.to(one.device), generator)
        return sum(len(batch.items) for batch in batches)

    return go


def imagining(one: Trainer, known: Catalogue, slots: int, steps: int, users: int = 64) -> Callable[[], int]:
    random = np.random.default_rng(2)
    histories = [
        Example(random.integers(0, len(known.codes), EVENTS), np.arange(float(EVENTS)) * 86400, np.zeros(0, np.int64))
        for _ in range(users)
    ]
    batch = collate(histories, known, history=64, slots=slots).to(one.device)
    items = Items(known.codes, np.ones(len(known.codes), np.int64), SIZE)
    config = SampleConfig(slots=slots, steps=steps)
    banned = [set(one.items.tolist()) for one in histories]

    def go() -> int:
        imagine(one.mean, batch, range(users), items, one.codes, one.vectors, config, banned=banned)
        return users

    return go


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rounds: dict[tuple[str, Objective, int, int, int], Callable[[], int]] = {}
    parameters = {}
    for items in (2_000, 12_000):
        known = catalogue(items)
        for slots in (4, 8, 16):
            for objective in OBJECTIVES:
                one = trainer(known, objective, slots)
                parameters[objective] = sum(value.numel() for value in one.model.parameters())
                if items == 12_000:
                    rounds["train", objective, items, slots, 0] = training(one)
                for steps in (1, 2, 4, 8) if slots == 8 else (4,):
                    rounds["imagine", objective, items, slots, steps] = imagining(one, known, slots, steps)
    taken: dict[tuple[str, Objective, int, int, int], list[float]] = {key: [] for key in rounds}
    for go in rounds.values():
        go()  # whatever is slow only once
    for _ in range(arguments.rounds):
        for key, go in rounds.items():
            started = time.perf_counter()
            users = go()
            taken[key].append(users / (time.perf_counter() - started))
    rows = []
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {parameters}")
    print(f"{'':10} {'items':>8} {'slots':>6} {'steps':>6} {'diffusion':>12} {'next item':>12} {'ratio':>7}   users/s")
    for what, objective, items, slots, steps in rounds:
        if objective != "beyond":
            continue
        ours = median(taken[what, "beyond", items, slots, steps])
        other = median(taken[what, "next", items, slots, steps])
        rows.append({"what": what, "items": items, "slots": slots, "steps": steps, "diffusion": ours, "next": other})
        told = f"{what:10} {items:>8,} {slots:>6} {steps or '':>6} {ours:>12,.0f} {other:>12,.0f} {ours / other:>7.2f}"
        print(told)
    RESULTS.mkdir(exist_ok=True)
    about = {"torch": torch.__version__, "python": platform.python_version(), "device": str(one.device),
             "threads": torch.get_num_threads(), "parameters": parameters, "rows": rows}  # fmt: skip
    path = RESULTS / "beyond_log_speed.json"
    path.write_text(json.dumps(about, indent=1))
    print(f"written: {path}")


if __name__ == "__main__":
    main()
