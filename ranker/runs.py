"""Runs: from a store to a folder with trained models, their metrics and a report.

A run's id is made from its configuration and its data. The same command on the same data goes on where it stopped, or
finds everything done; other data is another run.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from reaseq import ReaseqError, __version__
from reaseq.knowledge_store.configured import CONFIGURED, no_such, validated
from reaseq.knowledge_store.embeddings import find_space
from reaseq.knowledge_store.imagined import Imagination, attach, find_imagination
from reaseq.knowledge_store.log import Dataset, Imagined, Log, Sequences, baskets, read_log
from reaseq.knowledge_store.native import native
from reaseq.knowledge_store.store import Store
from reaseq.ranker import experiment, report, saved
from reaseq.ranker.controls import shuffled_users
from reaseq.ranker.dataset import KnowledgeFeatures
from reaseq.ranker.experiment import ImpressionCases, Outcome, Variant
from reaseq.ranker.model import Feature, ModelConfig
from reaseq.ranker.own import Own
from reaseq.ranker.run_names import name_of
from reaseq.ranker.split import Cases, Split, leave_last_out, moments, temporal
from reaseq.ranker.train import Epoch, Fitted, TrainConfig, TrainingData, Workers

SplitName = Literal["temporal", "leave-one-out", "leave-last-basket-out"]
_FINISHED = "finished_at"
_BASKET_SHARE = 0.2
"""From this share of events that share their time with another on, the log is one of baskets."""


class RunConfig(BaseModel):
    """What a run does. `None` is decided by the data when the run is prepared, and recorded."""

    model_config = CONFIGURED

    features: tuple[Feature, ...] | None = Field(None, min_length=1)
    split: SplitName | None = None
    cuts: tuple[float, float] | None = Field(None, description="Of a temporal split: when validation and test begin.")
    kinds: tuple[str, ...] | None = Field(None, min_length=1)
    imagination: str | None = Field(None, description="Fingerprint of what imagined the events that are used.")
    seeds: int = Field(1, ge=1, le=1000)
    ablate: bool = False
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()

    @property
    def all_seeds(self) -> range:
        return range(self.train.seed, self.train.seed + self.seeds)

    def told(self) -> dict[str, Any]:
        """All settings, by their names alone."""
        every = self.model_dump(mode="json")
        parts: dict[str, Any] = every.pop("model") | every.pop("train")
        return every | parts

    def variants(self, imagined: Sequences | None = None) -> list[Variant]:
        """What is trained: the features asked for or, to see what each adds, id first and every part alone.

        Beside a model that knows of imagined events stands one that is shown another user's; `imagined`: the log with
        them.
        """
        wanted = self.features or ("id",)
        sets: list[tuple[Feature, ...]] = [wanted]
        if self.ablate and len(wanted) > 1:
            items = [feature for feature in wanted if feature != "beyond_log"]
            sets = [*((feature,) for feature in items)]
            if "beyond_log" in wanted:
                sets += [tuple(items)] if len(items) > 1 else []
                sets += [(items[0], "beyond_log")] if len(items) > 1 else []
            sets.append(wanted)
        made = [Variant("+".join(one), self.model.model_copy(update={"features": one})) for one in sets]
        if imagined is not None and "beyond_log" in wanted:
            model = self.model.model_copy(update={"features": wanted})
            made.append(Variant(f"{made[-1].name}, shuffled users", model, shuffled_users(imagined)))
        return made


@dataclass(frozen=True)
class Prepared:
    """Everything a run needs, read from the store; `config` has no undecided part left."""

    config: RunConfig
    dataset: Dataset
    data: TrainingData
    knowledge: KnowledgeFeatures | None
    impressions: ImpressionCases | None
    id: str


def prepare(store: Store, config: RunConfig, *, known_by: KnowledgeFeatures | None = None) -> Prepared:
    """Read the log and the knowledge, split, decide what is left open. `known_by` is fitted here if it is not given.

    Raises:
        ReaseqError: there is no log, no embedding or nothing imagined where one is asked for, the log knows no times,
            or what is imagined was learnt from events that are to be predicted.
    """
    dataset = read_log(store, config.kinds)
    decided = decided_split(dataset.log, config.split, config.cuts)
    imagination = find_imagination(store, config.imagination)
    features = config.features or _features(store, imagination, decided, config.kinds)
    if "beyond_log" in features:
        dataset = replace(dataset, log=_with_imagined(store, imagination, decided, config.kinds, dataset.log))
        decided = decided_split(dataset.log, decided.name, decided.cuts)
    log, split = dataset.log, decided.split
    by_basket = decided.name != "leave-one-out" and basket_share(log.events) >= _BASKET_SHARE
    config = config.model_copy(
        update={
            "features": features,
            "split": decided.name,
            "cuts": decided.cuts,
            "imagination": imagination.fingerprint if imagination and "beyond_log" in features else None,
            "model": config.model.model_copy(update={"timed": log.timed, "features": features}),
            "train": config.train.model_copy(update={"by_basket": by_basket}),
        }
    )
    counts = np.bincount(split.train.items, minlength=len(log.items))
    knowledge, matrix = None, None
    if "knowledge" in features:
        knowledge = known_by or KnowledgeFeatures.fit(store, log.items, counts > 0)
        matrix = knowledge.of(store, log.items)
    seen, judged = _impressions(dataset, split)
    data = TrainingData(split, len(log.items), matrix, seen)
    return Prepared(config, dataset, data, knowledge, judged, _run_id(config, dataset, matrix))


def _features(
    store: Store, imagination: Imagination | None, decided: "Decided", kinds: Sequence[str] | None
) -> tuple[Feature, ...]:
    """What items and users can be known by."""
    features: tuple[Feature, ...] = ("id", "knowledge") if find_space(store) else ("id",)
    if imagination is not None and _why_unfit(imagination, decided, kinds) is None:
        features += ("beyond_log",)
    return features


def _why_unfit(imagination: Imagination, decided: "Decided", kinds: Sequence[str] | None) -> str | None:
    """Why what was imagined must not be used with a split, if so: its model may have learnt from held-out events."""
    split, cuts = imagination.settings.get("split"), imagination.settings.get("cuts")
    if split is None:
        return None  # it learnt from no log
    if split != decided.name:
        return f"it was learnt for the split {split}, this is {decided.name}"
    if decided.cuts is not None and (cuts is None or cuts[0] > decided.cuts[0]):
        return "it was learnt from events that this split holds out"
    if decided.cuts is None and imagination.settings.get("kinds") != (list(kinds) if kinds else None):
        return "it was learnt from other kinds of events"
    return None


def _with_imagined(
    store: Store, imagination: Imagination | None, decided: "Decided", kinds: Sequence[str] | None, log: Log
) -> Log:
    if imagination is None:
        raise ReaseqError("nothing is imagined yet", hint="reaseq train-beyond-log, then reaseq imagine")
    if reason := _why_unfit(imagination, decided, kinds):
        raise ReaseqError(
            f"what is imagined cannot be used: {reason}", hint=f"reaseq train-beyond-log --split {decided.name}"
        )
    return attach(store, imagination, log)


@dataclass(frozen=True)
class Decided:
    """A split with all that the data decided about it; cuts: of a temporal one."""

    name: SplitName
    cuts: tuple[float, float] | None
    split: Split


def decided_split(log: Log, name: SplitName | None, cuts: tuple[float, float] | None = None) -> Decided:
    """The split of that name; by default at two moments, after 80 % and 90 % of the events.

    Raises:
        ReaseqError: the log knows no times, and the split needs them.
    """
    name = name or ("temporal" if log.timed else "leave-one-out")
    if name != "temporal":
        return Decided(name, None, leave_last_out(log.events, baskets_whole=name == "leave-last-basket-out"))
    if not log.timed:
        raise ReaseqError(
            "the log has positions, no times: it cannot be split at one moment",
            hint="reaseq train-ranker --split leave-one-out",
        )
    begin, end = cuts or moments(log.events, 0.8, 0.9)
    return Decided(name, (begin, end), temporal(log.events, begin, end))


def basket_share(events: Sequences) -> float:
    """The share of events that share their time with another of the same user."""
    start, _ = baskets(events)
    size = np.bincount(start, minlength=len(start))[start]
    return float((size > 1).mean()) if len(start) else 0.0


def execute(
    prepared: Prepared,
    folder: Path,
    *,
    workers: Workers | None = None,
    on_start: Callable[[str, int], None] = lambda name, seed: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Outcome | None:
    """Train what is not trained yet, evaluate, and write `metrics.json` and `report.html` into `folder`."""
    workers = workers or Workers()
    config = prepared.config
    if workers.first:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(config.model_dump_json(indent=1))
    known = prepared.knowledge
    outcome = experiment.run(
        prepared.data,
        config.variants(prepared.dataset.log.events),
        config.train,
        seeds=config.all_seeds,
        products=prepared.dataset.log.items,
        folder=folder,
        impressions=prepared.impressions,
        extra=known.tensors() if known else None,
        meta={"kinds": json.dumps(config.kinds), "dataset": fingerprint(prepared.dataset.log)}
        | ({"space": known.space} if known else {})
        | ({"imagination": config.imagination} if config.imagination else {}),
        workers=workers,
        on_start=on_start,
        on_step=on_step,
        on_epoch=on_epoch,
    )
    if outcome is not None:
        report.write(outcome, folder / "report.html", title=f"Ranker {prepared.id}", settings=config.told())
        partial = folder / "metrics.partial"
        partial.write_text(json.dumps(asdict(outcome) | {_FINISHED: time.time()}, indent=1))
        os.replace(partial, folder / "metrics.json")
    return outcome


@dataclass(frozen=True)
class Reopened:
    """A finished run on the store's log as it is now: what it was trained and is judged on, and its models by variant,
    one a seed."""

    prepared: Prepared
    models: dict[str, list[Fitted]]
    controls: dict[str, Imagined]

    def judge(self, own: Mapping[str, Own] | None = None) -> Outcome:
        """The models, `own` rankers and baselines on the test cases. Products that came later are ranked too."""
        impressions, controls = self.prepared.impressions, self.controls
        return experiment.judge(
            self.prepared.data, self.models, {}, impressions=impressions, controls=controls, own=own
        )


def reopen(store: Store, folder: Path) -> Reopened:
    """Raises:
    ReaseqError: a model of the run is missing.
    """
    config = read_config(folder)
    kept = {
        variant.name: [saved.read(experiment.model_folder(folder, variant.name, seed)) for seed in config.all_seeds]
        for variant in config.variants()
    }
    features = [KnowledgeFeatures.of_saved(one) for models in kept.values() for one in models]
    prepared = prepare(store, config, known_by=next((one for one in features if one is not None), None))
    data, products = prepared.data, prepared.dataset.log.items
    controls = {}
    for variant in config.variants(prepared.dataset.log.events):
        if variant.control is not None:
            controls[variant.name] = variant.control
            each = [experiment.model_folder(folder, variant.name, seed) for seed in config.all_seeds]
            kept[variant.name] = [saved.read(one) for one in each]
    device = Workers().device
    models = {
        name: [
            one.fitted(products, data.knowledge if "knowledge" in one.config.features else None, device) for one in each
        ]
        for name, each in kept.items()
    }
    return Reopened(prepared, models, controls)


@dataclass(frozen=True)
class Listed:
    """A run's folder: its name, if somebody gave it one, what it knows and, of a finished one (else None), when it was
    finished (seconds since 1970), how many events of whom it learnt from, the size of its test, and NDCG@10 of the
    model that is used. default: is it what `find` takes by itself?"""

    run_id: str
    name: str | None
    features: Sequence[str]
    split: str | None
    finished_at: float | None
    users: int | None
    items: int | None
    events: int | None
    test_cases: int | None
    ndcg_at_10: float | None
    default: bool

    @property
    def finished(self) -> bool:
        return self.finished_at is not None


def listed(runs_dir: Path) -> list[Listed]:
    """The runs that are there: the unfinished, then the finished ones, the newest first."""
    finished = _finished(runs_dir)
    begun = [path.parent for path in sorted(runs_dir.glob("*/config.json")) if path.parent not in finished]
    newest = next(reversed(finished), None)
    return [_listed(folder, finished.get(folder), default=folder == newest) for folder in (*begun, *reversed(finished))]


def _finished(runs_dir: Path) -> dict[Path, float]:
    """Folders of runs that are finished and when they were (seconds since 1970), the newest last."""
    at = {one.parent: _finished_at(one) for one in runs_dir.glob("*/metrics.json")}
    return dict(sorted(at.items(), key=lambda one: (one[1], one[0].name)))


def _finished_at(metrics: Path) -> float:
    """When a run was finished, as its metrics say: a copy of its folder has other file times. Runs of earlier versions
    have nothing else."""
    try:
        return float(json.loads(metrics.read_text())[_FINISHED])
    except (ValueError, KeyError, TypeError):
        return metrics.stat().st_mtime


def _listed(folder: Path, finished_at: float | None, *, default: bool) -> Listed:
    made = None if finished_at is None else Outcome.from_json((folder / "metrics.json").read_text())
    try:
        config = read_config(folder)
    except ReaseqError:  # of another version: it is there all the same
        config = RunConfig()
    used = config.variants()[-1].name
    return Listed(
        run_id=folder.name,
        name=name_of(folder),
        features=config.features or (),
        split=config.split,
        finished_at=finished_at,
        users=made.users if made else None,
        items=made.items if made else None,
        events=made.events if made else None,
        test_cases=made.cases if made else None,
        ndcg_at_10=next((row.metrics["NDCG@10"].mean for row in made.rows if row.name == used), None) if made else None,
        default=default,
    )


def find(runs_dir: Path, run: str | None) -> Path:
    """The folder of a run by its name, its id or the start of that; without one that of the run that was finished last.
    Trained again, a run that was there already is finished anew. Of several that have a name it is the newest.

    Raises:
        ReaseqError: there is none, or several begin so.
    """
    finished = list(_finished(runs_dir))
    fitting = [folder for folder in finished if run is None or folder.name.startswith(run)]
    if named := [folder for folder in finished if run is not None and name_of(folder) == run]:
        fitting = [folder for folder in fitting if folder.name == run] or named[-1:]
    if not fitting:
        what = "no finished run" if run is None else f"no finished run {run!r}"
        names = ", ".join(folder.name for folder in finished[-5:])
        raise ReaseqError(
            f"{runs_dir}: {what}" + (f"; the newest are: {names}" if names else ""),
            hint="reaseq runs" if finished else "reaseq train-ranker",
        )
    if run is not None and len(fitting) > 1 and run not in {folder.name for folder in fitting}:
        names = ", ".join(folder.name for folder in fitting[:5])
        raise ReaseqError(f"{runs_dir}: several runs begin with {run!r}: {names}", hint="reaseq runs")
    return next((folder for folder in fitting if folder.name == run), fitting[-1])


def read_config(folder: Path) -> RunConfig:
    try:
        return RunConfig.model_validate_json((folder / "config.json").read_text())
    except (OSError, ValidationError) as error:
        raise ReaseqError(f"{folder}/config.json: {error}", hint="reaseq train-ranker") from error


def model_folder(folder: Path) -> Path:
    """Of a run the model that is used: all features, first seed."""
    config = read_config(folder)
    return experiment.model_folder(folder, config.variants()[-1].name, config.train.seed)


def _impressions(dataset: Dataset, split: Split) -> tuple[Sequences | None, ImpressionCases | None]:
    """Impressions to learn from, and those to judge by: what was shown from a user's test time on."""
    shown, events = dataset.impressions, dataset.log.events
    if shown is None:
        return None, None
    before = shown.take(shown.at < split.train_until[shown.owner])
    later = shown.take(shown.at >= split.test_from[shown.owner])
    acted = events.take(events.at >= split.test_from[events.owner])
    # Only what was done at the time of an impression was one.
    times = {(user, at) for user, at in zip(later.owner.tolist(), later.at.tolist(), strict=True)}
    at_once = [(user, at) in times for user, at in zip(acted.owner.tolist(), acted.at.tolist(), strict=True)]
    acted = acted.take(np.array(at_once, bool))
    owner = np.concatenate([later.owner, acted.owner])
    if not len(owner):
        return before, None
    labels = np.repeat([0, 1], [len(later.items), len(acted.items)])
    users, case = np.unique(owner, return_inverse=True)
    history = events.take(events.at < split.test_from[events.owner]).select(users)
    nothing = np.zeros(0, np.int64)
    cases = Cases(users, history, np.zeros(len(users) + 1, np.int64), nothing)
    return before, ImpressionCases(cases, case, np.concatenate([later.items, acted.items]), labels)


def _run_id(config: RunConfig, dataset: Dataset, knowledge: NDArray[np.float32] | None) -> str:
    digest = hashlib.sha256(f"{__version__} {config.model_dump_json()}".encode())
    log = dataset.log
    digest.update("\x00".join(log.users).encode() + b"\x01" + "\x00".join(log.items).encode())
    arrays: list[Any] = [log.events.offsets, log.events.items, log.events.at]
    if dataset.impressions is not None:
        arrays += [dataset.impressions.offsets, dataset.impressions.items, dataset.impressions.at]
    if knowledge is not None:
        arrays.append(knowledge)
    if log.events.imagined is not None:
        arrays += [log.events.imagined.row, log.events.imagined.items, log.events.imagined.log_confidence]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:10]


def fingerprint(log: Log) -> str:
    """Of a log: who did what when."""
    digest = hashlib.sha256("\x00".join(log.users).encode() + b"\x01" + "\x00".join(log.items).encode())
    for array in (log.events.offsets, log.events.items, log.events.at):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


_DECIDED = frozenset(("model", "train", "imagination", "cuts", "timed", "by_basket"))
"""Of a configuration what nobody sets."""


def with_settings(config: RunConfig, settings: Mapping[str, Any], *, as_text: bool = False) -> RunConfig:
    """`config` with settings of the run, the model or the training by name. as_text: may numbers be written as text?

    Raises:
        ReaseqError: there is no such setting, or it cannot have this value; the settings are named.
    """
    whole = config.model_dump()
    model, train = whole["model"], whole["train"]
    for key, value in settings.items():
        part = next((one for one in (whole, train, model) if key in one and key not in _DECIDED), None)
        if part is None:
            raise no_such(key, {*whole, *model, *train} - _DECIDED, "--set dim=128")
        part[key] = _several(value) if key in _SEVERAL else native(value)
    return validated(RunConfig, whole, as_text=as_text, hint="reaseq train-ranker --help")


_SEVERAL = frozenset(("features", "kinds"))


def _several(value: Any) -> Any:
    """Several of what has commas between, or is in whatever holds them; each once. Of a set the order is that of the
    alphabet: it has none of its own, and a run's id depends on it."""
    if isinstance(value, str):
        found = [one.strip() for one in value.split(",")]
    elif isinstance(value, set | frozenset):
        found = sorted(value, key=str)
    elif isinstance(value, Mapping) or not isinstance(value, Iterable):
        return value
    else:
        found = [native(one) for one in value]
    return tuple(one for at, one in enumerate(found) if one not in found[:at])
