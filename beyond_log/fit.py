"""From a store to a beyond-log model: what is read, how users are parted, what is trained."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from sqlalchemy import select

from reaseq import ReaseqError, __version__
from reaseq.beyond_log.codes import SemanticCodes, clusters, collisions
from reaseq.beyond_log.denoiser import DenoiserConfig
from reaseq.beyond_log.saved import BeyondLog, Categories, catalogue, fold_of
from reaseq.beyond_log.train import Epoch, TrainConfig, Trainer
from reaseq.knowledge_store import checkpoint, embeddings
from reaseq.knowledge_store.configured import CONFIGURED, no_such, validated
from reaseq.knowledge_store.log import Floats, Log, Sequences
from reaseq.knowledge_store.native import native
from reaseq.knowledge_store.store import PRODUCT, Store

_ENOUGH_CATEGORIES = 8
"""With fewer there is too little to hide whole categories of: clusters of embeddings take their place."""
_CLUSTERS = 32


class BeyondLogConfig(BaseModel):
    """What a model is made of and how it is trained."""

    model_config = CONFIGURED

    folds: int = Field(2, ge=2, description="Parts of the users: what is imagined of one is learnt from the others.")
    digits: int = Field(4, gt=1, le=64, description="Digits of a semantic code.")
    size: int = Field(256, gt=1, le=65_536, description="Values of a digit.")
    kinds: tuple[str, ...] | None = None
    model: DenoiserConfig = DenoiserConfig()
    train: TrainConfig = TrainConfig()


@dataclass(frozen=True)
class Data:
    """The store's log over the products that have an embedding. vectors: [I, d]; names: [I], of categories."""

    log: Log
    vectors: NDArray[np.float32]
    names: Sequence[str | None]
    space: str


def read(store: Store, log: Log, space: str | None = None) -> Data:
    """The store's log and the products' embeddings in a space, by default the newest.

    Raises:
        ReaseqError: no product of the log has an embedding.
    """
    found = embeddings.find_space(store, space)
    if found is None:
        raise ReaseqError("no product has an embedding yet", hint="reaseq embed")
    ids, vectors = embeddings.load_vectors(store, found)
    with store.reading() as connection:
        category = {row.id: row.category for row in connection.execute(select(PRODUCT.c.id, PRODUCT.c.category))}
    number = {product: index for index, product in enumerate(ids)}
    place = np.array([number.get(product, -1) for product in log.items], np.int64)
    kept = log.events.take(place[log.events.items] >= 0)
    if not len(kept.items):
        raise ReaseqError("no product of the behaviour log has an embedding yet", hint="reaseq embed")
    events = Sequences(kept.offsets, place[kept.items], kept.at)
    names = [category.get(product) for product in ids]
    return Data(Log(log.users, ids, events, log.timed), vectors, names, found.fingerprint)


def train_part(data: Data, until: Floats) -> Sequences:
    """The events before `until` [U], a moment for each user."""
    events = data.log.events
    return events.take(events.at < until[events.owner])


def identity(data: Data, train: Sequences, config: BeyondLogConfig) -> str:
    """Of a model before it is trained: its settings and all it will learn from."""
    digest = hashlib.sha256(f"{__version__} {config.model_dump_json()} {data.space}".encode())
    digest.update("\x00".join([*data.log.users, *data.log.items, *map(str, data.names)]).encode())
    for array in (train.offsets, train.items, train.at, data.vectors):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:10]


def fit(
    data: Data,
    train: Sequences,
    config: BeyondLogConfig,
    folder: Path,
    *,
    split: str,
    cuts: Sequence[float] | None,
    on_start: Callable[[int], None] = lambda fold: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_codes: Callable[[str], None] = lambda text: None,
) -> BeyondLog:
    """Train a denoiser for each fold, on the users of the other folds, and keep all in `folder`.

    A fold that was stopped goes on at its last epoch. train: the events to learn from; split, cuts: where they come
    from, so that a ranker can tell whether it may use what comes of them.
    """
    seen = np.unique(train.items)
    counts = np.bincount(train.items, minlength=len(data.log.items))
    categories, number_of = categories_of(data, seen)
    codes = SemanticCodes.fit(
        data.vectors[seen], number_of[seen], digits=config.digits, size=config.size, seed=config.train.seed
    )
    known = catalogue(codes, categories, data.vectors, data.names)
    on_codes(str(collisions(known.codes)))
    model = config.model.model_copy(update={"seconds": data.log.timed})
    fold = np.array([fold_of(user, config.folds) for user in data.log.users])
    denoisers, curves = [], []
    for number in range(config.folds):
        on_start(number)
        place = folder / f"fold-{number}"
        place.mkdir(parents=True, exist_ok=True)
        users = np.flatnonzero(fold != number)
        trainer = Trainer(train.select(users), known, model, config.train, folder=place)
        denoisers.append(trainer.run(on_step, on_epoch))
        curves.append([vars(epoch) for epoch in trainer.history])
    made = BeyondLog(
        codes,
        categories,
        denoisers,
        {data.log.items[item]: int(counts[item]) for item in seen},
        {"folds": config.folds, "space": data.space, "split": split, "cuts": cuts, "kinds": config.kinds},
    )
    (folder / "epochs.json").write_text(json.dumps(curves))
    made.save(folder)
    for number in range(config.folds):
        checkpoint.remove(folder / f"fold-{number}")
    return made


def categories_of(data: Data, seen: NDArray[np.int64]) -> tuple[Categories, NDArray[np.int64]]:
    """Categories of the products that were seen [I]: by their names, or clusters where there are hardly any."""
    names = sorted({data.names[item] for item in seen} - {None}, key=str)
    if len(names) >= _ENOUGH_CATEGORIES:
        number = {name: index for index, name in enumerate(names)}
        mine = np.array([number.get(name, -1) for name in data.names], np.int64)
        groups = np.arange(len(names))
        if len(names) > 2 * _CLUSTERS:
            means = np.stack([data.vectors[seen[mine[seen] == index]].mean(0) for index in range(len(names))])
            groups = clusters(means, means, _CLUSTERS)
        return Categories(tuple(str(name) for name in names), groups), mine
    mine = clusters(data.vectors[seen], data.vectors, min(_CLUSTERS, max(len(seen) // 4, 2)))
    return Categories((), np.arange(int(mine.max()) + 1)), mine


def with_settings(config: BeyondLogConfig, settings: Mapping[str, Any], *, as_text: bool = False) -> BeyondLogConfig:
    """`config` with settings of its own, of the denoiser or of training by name. as_text: may numbers be written as
    text?

    Raises:
        ReaseqError: there is no such setting, or it cannot have this value; the settings are named.
    """
    whole = config.model_dump()
    model, train = whole["model"], whole["train"]
    fixed = {"model", "train", "kinds", "objective", "seconds"}
    for key, value in settings.items():
        part = next((one for one in (whole, model, train) if key in one and key not in fixed), None)
        if part is None:
            raise no_such(key, {*whole, *model, *train} - fixed, "--set dim=64")
        part[key] = native(value)
    return validated(BeyondLogConfig, whole, as_text=as_text, hint="reaseq train-beyond-log --help")
