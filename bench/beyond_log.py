"""What people do where nobody looked: `python -m reaseq.bench.beyond_log --data FOLDER`.

FOLDER holds `oec_us` and `amazon14_cross`. Of each test user one domain (`one`) or half of the domains (`half`) is
hidden, and what was bought there is to be predicted from the rest, by recall and NDCG at 50: product types, and items
that three users or more have bought (ten for `amazon14_cross`). `told` ranks within the hidden domains only; `open`
ranks all that the rest of the history does not hold, which is the question that beyond-log inference is asked.

A fifth of the users, chosen by hash, is for tuning (`--tune` reports on it); the users reported on are seen by nothing
that is tuned. Intervals come from resampling users.
"""

import argparse
import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reaseq.bench import beyond_log_data
from reaseq.bench.beyond_log_data import HiddenData
from reaseq.beyond_log.codes import SemanticCodes, collisions
from reaseq.beyond_log.denoiser import Denoiser, DenoiserConfig
from reaseq.beyond_log.examples import Catalogue, Example, collate
from reaseq.beyond_log.sampler import Items, item_scores
from reaseq.beyond_log.train import Epoch, TrainConfig, Trainer
from reaseq.knowledge_store.log import Ints, Sequences

RESULTS = Path(__file__).parent / "results"
K = 50
Floats = NDArray[np.float64]
DATA = {"oec_us": beyond_log_data.oec_us, "amazon14_cross": beyond_log_data.amazon14_cross}
MODELS = {
    "oec_us": (DenoiserConfig(slots=16), TrainConfig(spans=0.1)),
    "amazon14_cross": (DenoiserConfig(seconds=False), TrainConfig(spans=0.1)),
}


@dataclass(frozen=True)
class Case:
    """A user of whom some domains are hidden."""

    user: int
    hidden: tuple[int, ...]


@dataclass(frozen=True)
class Level:
    """What is ranked. of_item: [I], the column of each item, or -1; domains: [C], of the columns."""

    name: str
    of_item: Ints
    domains: Ints

    @property
    def columns(self) -> int:
        return len(self.domains)

    def held(self, items: Ints) -> NDArray[np.bool_]:
        made = np.zeros(self.columns, bool)
        columns = self.of_item[items]
        made[columns[columns >= 0]] = True
        return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--only", choices=DATA)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tune", action="store_true", help="report on the users for tuning, and write nothing")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the denoiser or training")
    parser.add_argument("--plain-codes", action="store_true", help="no category digits")
    parser.add_argument("--without-next", action="store_true", help="no next-item model")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--cache", type=Path, default=Path(".reaseq/bench"), help="where embeddings are kept")
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else DATA:
        data = DATA[name](arguments.data, arguments.models, arguments.cache)
        measure(name, data, arguments)


def measure(name: str, data: HiddenData, arguments: argparse.Namespace) -> None:
    model, train = configured(*MODELS[name], arguments.set)
    parts = parts_of(data.log.users)
    tuning, tested = np.flatnonzero(parts == 0), np.flatnonzero(parts == 1)
    trained = np.flatnonzero(parts == 2) if arguments.tune else np.flatnonzero(parts != 1)
    judged = tuning if arguments.tune else tested
    events = data.log.events
    print(f"{data.name}: {len(trained):,} users trained on, {len(judged):,} judged, {len(data.domains):,} items")
    levels = levels_of(data)
    cases = {kind: list(cases_of(data, judged, kind)) for kind in ("one", "half")}
    scores: dict[str, list[Scorer]] = {}
    for method, scorer in baselines(data, levels, trained, cases_of(data, tuning, "half"), events).items():
        scores[method] = [scorer]
    catalogue, codes = catalogue_of(data, events, trained, plain=arguments.plain_codes)
    print(f"codes: {collisions(catalogue.codes)}")
    for seed in range(arguments.seeds):
        for objective in ("beyond",) if arguments.without_next else ("beyond", "next"):
            config = model.model_copy(update={"objective": objective})
            started = time.perf_counter()
            seeded = train.model_copy(update={"seed": seed})
            # Trained once: with equal settings a second call finds the last checkpoint.
            wish = f"{arguments.tune} {arguments.plain_codes} {config} {seeded} {codes.fingerprint}"
            place = arguments.cache / f"beyond_log-{name}-{hashlib.sha256(wish.encode()).hexdigest()[:10]}"
            place.mkdir(parents=True, exist_ok=True)
            trainer = Trainer(events.select(trained), catalogue, config, seeded, folder=place)
            fitted = trainer.run(on_epoch=lambda epoch, what=objective: said(what, epoch))  # type: ignore[misc]
            print(f"{objective}, seed {seed}: {time.perf_counter() - started:.0f} s", flush=True)
            title = "diffusion" if objective == "beyond" else "next item"
            scores.setdefault(title, []).append(Learnt(fitted, catalogue, codes, events, trained, levels))
    result = judge(data, levels, cases, scores)
    print_table(result)
    if not arguments.tune:
        RESULTS.mkdir(exist_ok=True)
        about = {"data": data.name, "users": len(judged), "trained": len(trained), "seeds": arguments.seeds,
                 "model": model.model_dump(), "train": train.model_dump(), "torch": torch.__version__,
                 "python": platform.python_version(), "rows": result}  # fmt: skip
        path = RESULTS / f"beyond_log_{name}.json"
        path.write_text(json.dumps(about, indent=1))
        draw(result, path.with_suffix(".svg"), data.name)
        print(f"written: {path} and the picture beside it")


def configured(
    model: DenoiserConfig, train: TrainConfig, settings: Sequence[str]
) -> tuple[DenoiserConfig, TrainConfig]:
    for setting in settings:
        key, _, value = setting.partition("=")
        if key in DenoiserConfig.model_fields:
            model = DenoiserConfig.model_validate(model.model_dump() | {key: value})
        else:
            train = TrainConfig.model_validate(train.model_dump() | {key: value})
    return model, train


def said(what: str, epoch: Epoch) -> None:
    print(
        f"  {what}, epoch {epoch.number + 1}: loss {epoch.loss:.4f}, held-out users {epoch.valid:.4f}"
        f"{' (best)' if epoch.best else ''}, {epoch.examples / epoch.seconds:.0f} users/s",
        flush=True,
    )


def parts_of(users: Sequence[str]) -> Ints:
    """0: for tuning (a fifth), 1: reported on (three tenths), 2: the rest. By a hash of the user's id."""
    share = np.array([int.from_bytes(hashlib.sha256(user.encode()).digest()[:4], "big") / 2**32 for user in users])
    made: Ints = np.digitize(share, [0.2, 0.5])
    return made


def levels_of(data: HiddenData) -> list[Level]:
    of_item = np.full(len(data.domains), -1)
    of_item[data.judged] = np.arange(int(data.judged.sum()))
    levels = [Level("item", of_item, data.domains[data.judged])]
    if data.typed:
        of_kind = np.zeros(int(data.kinds.max()) + 1, np.int64)
        of_kind[data.kinds] = data.domains
        levels.insert(0, Level("type", data.kinds, of_kind))
    return levels


def cases_of(data: HiddenData, users: Ints, hidden: str) -> Iterator[Case]:
    """`one`: domains that hold three items or more, each alone, up to three drawn for a user; `half`: half of the
    user's domains, drawn."""
    events = data.log.events
    for user in users:
        domains, count = np.unique(data.domains[_items(events, user)], return_counts=True)
        if len(domains) < 2:
            continue
        random = np.random.default_rng([3, int(user)])
        if hidden == "one":
            for domain in random.permutation(domains[count >= min(3, count.max())])[:3]:
                yield Case(int(user), (int(domain),))
        else:
            chosen = random.permutation(domains)[: len(domains) // 2]
            yield Case(int(user), tuple(int(one) for one in chosen))


def _items(events: Sequences, user: int) -> Ints:
    return events.items[events.offsets[user] : events.offsets[user + 1]]


Scorer = Callable[[Level, Sequence[Case]], Floats]
"""Scores of a level's columns for the cases: [cases, columns]."""


def baselines(
    data: HiddenData, levels: Sequence[Level], trained: Ints, tuning: Iterator[Case], events: Sequences
) -> dict[str, Scorer]:
    """Popularity, semantic kNN, co-occurrence, EASE, user kNN; each with what did best on the users for tuning."""
    cases = list(tuning)
    made: dict[str, dict[str, Scorer]] = {}
    for level in levels:
        b = np.stack([level.held(_items(events, user)) for user in trained]).astype(np.float32)
        for method, choices in _fitted(data, level, b, events).items():
            best, quality = None, -1.0
            for choice in choices:
                reached = float(np.nanmean(metrics(data, level, cases, choice(level, cases), "open")["recall"]))
                if reached > quality:
                    best, quality = choice, reached
            assert best is not None
            made.setdefault(method, {})[level.name] = best
    return {
        method: (lambda level, cases, by=by: by[level.name](level, cases))  # type: ignore[misc]
        for method, by in made.items()
    }


def _fitted(data: HiddenData, level: Level, b: NDArray[np.float32], events: Sequences) -> dict[str, list[Scorer]]:
    popularity = b.sum(0)
    gram = b.T @ b
    norms = np.sqrt(np.maximum(np.diag(gram), 1e-9))
    together = gram / np.outer(norms, norms)
    np.fill_diagonal(together, 0)
    means = np.zeros((level.columns, data.vectors.shape[1]))
    mine = level.of_item >= 0
    np.add.at(means, level.of_item[mine], data.vectors[mine])
    means -= means.mean(0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)

    def visible(cases: Sequence[Case]) -> NDArray[np.float32]:
        return np.stack([level.held(shown(data, events, case)) for case in cases]).astype(np.float32)

    def ease(strength: float) -> Scorer:
        inverse = np.linalg.inv(gram + strength * np.eye(len(gram), dtype=np.float32))
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0)
        return lambda _, cases: visible(cases) @ weights

    def neighbours(number: int) -> Scorer:
        def scores(_: Level, cases: Sequence[Case]) -> Floats:
            h = visible(cases)
            close = h @ b.T / (np.sqrt((b**2).sum(1)) + 1e-9)
            rows = np.zeros((len(cases), level.columns))
            for row, near in enumerate(close):
                best = np.argsort(-near, kind="stable")[:number]
                rows[row] = near[best] @ b[best]
            return rows

        return scores

    def semantic(sharpness: float) -> Scorer:
        near = np.exp(sharpness * (means @ means.T).astype(np.float32))
        return lambda _, cases: visible(cases) @ near

    def absent(_: Level, cases: Sequence[Case]) -> Floats:
        rows = np.tile(popularity.astype(np.float64), (len(cases), 1))
        for row, case in zip(rows, cases, strict=True):
            row[np.isin(level.domains, data.domains[shown(data, events, case)])] -= 1e6
        return rows

    return {
        "popularity": [lambda _, cases: np.tile(popularity, (len(cases), 1))],
        "semantic kNN": [semantic(sharpness) for sharpness in (1.0, 5.0, 20.0)],
        "co-occurrence": [lambda _, cases: visible(cases) @ together],
        "EASE": [ease(strength) for strength in (100.0, 300.0, 1000.0, 3000.0)],
        "user kNN": [neighbours(number) for number in (50, 200)],
        "popularity in absent domains": [absent],
    }


def shown(data: HiddenData, events: Sequences, case: Case) -> Ints:
    items = _items(events, case.user)
    return items[~np.isin(data.domains[items], case.hidden)]


def catalogue_of(
    data: HiddenData, events: Sequences, trained: Ints, *, plain: bool = False
) -> tuple[Catalogue, SemanticCodes]:
    """Codes are fitted on what the trained users had, and made for all items."""
    seen = np.unique(events.select(trained).items)
    categories = None if plain else data.kinds
    codes = SemanticCodes.fit(data.vectors[seen], None if plain else data.kinds[seen])
    made = codes.encode(data.vectors, categories)
    groups = len(data.domain_names)
    return Catalogue(made, codes.points(data.vectors), data.domains, data.kinds, codes.size, groups), codes


class Learnt:
    """A denoiser as a scorer."""

    def __init__(self, model: Denoiser, catalogue: Catalogue, codes: SemanticCodes, events: Sequences, trained: Ints,
                 levels: Sequence[Level]) -> None:  # fmt: skip
        self.model, self.catalogue, self.events = model, catalogue, events
        count = np.bincount(events.select(trained).items, minlength=len(catalogue.codes))
        self.items: dict[str, Items] = {}
        for level in levels:
            if level.name == "type" and len(codes.places):
                digits = np.zeros((level.columns, codes.places.shape[1]), np.int64)
                digits[: len(codes.places)] = codes.places[: level.columns]
                had = np.bincount(level.of_item, count, minlength=level.columns).astype(np.int64)
                self.items[level.name] = Items(digits, had, codes.size)
            else:
                order = np.argsort(np.where(level.of_item < 0, len(level.of_item), level.of_item), kind="stable")
                judged = order[: level.columns]
                self.items[level.name] = Items(catalogue.codes[judged], count[judged], codes.size)
                self.items[level.name].log_prior = Items(catalogue.codes, count, codes.size).log_prior[judged]

    def __call__(self, level: Level, cases: Sequence[Case]) -> Floats:
        config, catalogue, events = self.model.config, self.catalogue, self.events
        examples = []
        for case in cases:
            mine = slice(events.offsets[case.user], events.offsets[case.user + 1])
            items, at = events.items[mine], events.at[mine]
            seen = ~np.isin(catalogue.groups[items], case.hidden)
            newest = slice(-config.history if config.objective == "next" else None, None)
            examples.append(Example(items[seen][newest], at[seen][newest], np.zeros(0, np.int64)))
        codes, vectors = torch.from_numpy(catalogue.codes), torch.from_numpy(catalogue.vectors)
        rows = []
        for low in range(0, len(examples), 64):
            batch = collate(examples[low : low + 64], catalogue, history=config.history, slots=1)
            scores = item_scores(self.model, batch, self.items[level.name], codes, vectors).astype(np.float64)
            rows.append(scores)
        return np.concatenate(rows)


def metrics(data: HiddenData, level: Level, cases: Sequence[Case], scores: Floats, mode: str) -> dict[str, Floats]:
    """Recall and NDCG at 50 of each case; NaN where nothing is to be found."""
    events = data.log.events
    recall, ndcg = np.full(len(cases), np.nan), np.full(len(cases), np.nan)
    discount = 1 / np.log2(np.arange(2, K + 2))
    for row, case in enumerate(cases):
        items = _items(events, case.user)
        hidden = np.isin(data.domains[items], case.hidden)
        held = level.held(items[~hidden])
        target = level.held(items[hidden]) & ~held
        number = int(target.sum())
        if not number:
            continue
        excluded = held if mode == "open" else ~np.isin(level.domains, case.hidden) | held
        ranked = np.where(excluded, -np.inf, scores[row])
        best = np.argpartition(-ranked, min(K, len(ranked) - 1))[:K]
        best = best[np.argsort(-ranked[best], kind="stable")]
        hit = target[best] & ~excluded[best]
        recall[row] = hit.sum() / number
        ndcg[row] = (hit * discount[: len(hit)]).sum() / discount[: min(number, K)].sum()
    return {"recall": recall, "ndcg": ndcg}


def judge(
    data: HiddenData, levels: Sequence[Level], cases: dict[str, list[Case]], scores: dict[str, list[Scorer]]
) -> list[dict[str, Any]]:
    """A row for every level, protocol and method, with intervals; and the diffusion model's ratio to each method."""
    rows = []
    for level in levels:
        for hidden, mine in cases.items():
            users = np.array([case.user for case in mine])
            values: dict[tuple[str, str], dict[str, Floats]] = {}
            for method, several in scores.items():
                each = [scorer(level, mine) for scorer in several]
                for mode in ("open", "told"):
                    found = [metrics(data, level, mine, one, mode) for one in each]
                    values[mode, method] = {
                        name: by_user(np.mean([one[name] for one in found], axis=0), users) for name in found[0]
                    }
            for (mode, method), one in sorted(values.items(), key=lambda entry: entry[0][0]):
                ours = values[mode, "diffusion"]["recall"]
                row = {"level": level.name, "hidden": hidden, "mode": mode, "method": method, "users": len(ours)}
                for name, of_users in one.items():
                    row[name] = interval(of_users)
                row["ratio"] = interval(ours, one["recall"])
                rows.append(row)
    return rows


def by_user(values: Floats, users: Ints) -> Floats:
    """Means over each user's cases, of those users who have something to be found."""
    known = ~np.isnan(values)
    _, user = np.unique(users[known], return_inverse=True)
    return np.bincount(user, values[known]) / np.bincount(user)


def interval(values: Floats, beside: Floats | None = None, times: int = 1000) -> list[float]:
    """Mean of values [U], or its ratio to that of others, with a 95 % interval from resampling users."""
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(values), (times, len(values)))
    means = values[drawn].mean(1)
    mean = values.mean()
    if beside is not None:
        means, mean = means / np.maximum(beside[drawn].mean(1), 1e-9), mean / max(beside.mean(), 1e-9)
    return [float(mean), *(float(one) for one in np.quantile(means, [0.025, 0.975]))]


def draw(rows: Sequence[dict[str, Any]], path: Path, title: str) -> None:
    """Recall at 50 of what is hidden when nothing tells where it lies, with intervals."""
    from matplotlib.figure import Figure

    level = rows[0]["level"]
    shown = [row for row in rows if row["level"] == level and row["mode"] == "open"]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    figure.suptitle(f"{title}: recall@50 of hidden {level}s", fontsize=10)
    for axis, hidden in zip(axes, ("one", "half"), strict=True):
        mine = [row for row in shown if row["hidden"] == hidden]
        for place, row in enumerate(mine):
            mean, low, high = row["recall"]
            colour = "C1" if row["method"] == "diffusion" else "C0"
            axis.barh(-place, mean, xerr=[[mean - low], [high - mean]], color=colour)
        axis.set_yticks([-place for place in range(len(mine))], [row["method"] for row in mine])
        axis.set_title("one domain hidden" if hidden == "one" else "half of the domains hidden", fontsize=9)
    figure.savefig(path, metadata={"Date": None})


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    last = None
    for row in rows:
        head = f"{row['level']} level, {row['hidden']} hidden, {row['mode']}, {row['users']:,} users"
        if head != last:
            print(f"\n{head}\n{'':30} {'recall@50':>24} {'NDCG@50':>24} {'diffusion : this':>22}")
            last = head
        cells = [f"{row[name][0]:.4f} [{row[name][1]:.4f}, {row[name][2]:.4f}]" for name in ("recall", "ndcg")]
        ratio = f"{row['ratio'][0]:.2f} [{row['ratio'][1]:.2f}, {row['ratio'][2]:.2f}]"
        print(f"{row['method']:30} {cells[0]:>24} {cells[1]:>24} {ratio:>22}", flush=True)


if __name__ == "__main__":
    main()
