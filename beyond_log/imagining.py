"""Imagining for a store's users: at which moments, by which model, and what of it is kept."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from reaseq.beyond_log.calibration import Calibration, calibrate
from reaseq.beyond_log.examples import Catalogue, Example, collate, hide
from reaseq.beyond_log.fit import Data
from reaseq.beyond_log.sampler import NONE, Items, SampleConfig, imagine
from reaseq.beyond_log.saved import BeyondLog, fold_of
from reaseq.knowledge_store import imagined
from reaseq.knowledge_store.imagined import Imagination
from reaseq.knowledge_store.log import Floats, Ints, Log
from reaseq.knowledge_store.store import Store

_BATCH = 64
_CALIBRATED_ON = 400
"""Users whose hidden events tell how far confidence can be trusted."""
CUTS = 6
"""Moments of a history that are imagined from."""


class Backend(Protocol):
    """What imagines: the codes' diffusion model, or a text diffusion model."""

    name: str
    catalogue: Catalogue

    def imagine(
        self, users: Sequence[str], histories: Sequence[Example], seeds: Sequence[int], slots: int
    ) -> tuple[Ints, NDArray[np.float64]]:
        """For each user's history distinct items that are not in it [B, S] (or NONE), with log-confidences [B, S]."""

    def fold(self, user: str) -> int | None:
        """The part of the users that was not learnt from when this one is imagined."""


class CodesBackend:
    """The diffusion model over semantic codes."""

    name = "codes"

    def __init__(self, model: BeyondLog, data: Data, config: SampleConfig) -> None:
        self.model, self.config = model, config
        self.catalogue = model.catalogue(data.vectors, data.names)
        counts = np.array([model.counts.get(product, 0) for product in data.log.items], np.int64)
        self.items = Items(self.catalogue.codes, counts, model.codes.size)
        device = next(model.denoisers[0].parameters()).device
        self.codes = torch.from_numpy(self.catalogue.codes).to(device)
        self.vectors = torch.from_numpy(self.catalogue.vectors).to(device)

    def fold(self, user: str) -> int:
        return fold_of(user, len(self.model.denoisers))

    def imagine(
        self, users: Sequence[str], histories: Sequence[Example], seeds: Sequence[int], slots: int
    ) -> tuple[Ints, NDArray[np.float64]]:
        chosen = np.full((len(users), slots), NONE)
        confidence = np.full((len(users), slots), -np.inf)
        fold = np.array([self.fold(user) for user in users])
        config = self.config.model_copy(update={"slots": slots})
        for number, denoiser in enumerate(self.model.denoisers):
            mine = np.flatnonzero(fold == number)
            for low in range(0, len(mine), _BATCH):
                rows = mine[low : low + _BATCH]
                shown = [histories[row] for row in rows]
                batch = collate(shown, self.catalogue, history=denoiser.config.history, slots=slots)
                banned = [set(one.items.tolist()) for one in shown]
                chosen[rows], confidence[rows] = imagine(
                    denoiser, batch.to(self.codes.device), [seeds[row] for row in rows], self.items, self.codes,
                    self.vectors, config, banned=banned,
                )  # fmt: skip
        return chosen, confidence


def moments(at: Floats, most: int = CUTS) -> Floats:
    """From when on a user is imagined anew: after the last event, the last but one, but two, but four, but eight ...

    So whoever trains on the log finds at each event something that was inferred from no later ones, and what held
    out events are judged by is as fresh as can be. at: [n], rising. Returns at most so many moments, rising.
    """
    back = [0, *(2**power for power in range(most - 1))]
    return np.unique([at[len(at) - 1 - step] for step in back if step < len(at)])


def imagine_users(
    store: Store,
    data: Data,
    backend: Backend,
    *,
    model: str,
    fingerprint: str,
    slots: int,
    seed: int,
    settings: dict[str, Any],
    cuts: int = CUTS,
    users: Sequence[str] | None = None,
    on_calibration: Callable[[Calibration], None] = lambda calibration: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Imagination, int, int]:
    """Imagine for all users or some, at their moments, and keep it; users done before are not done again.

    Returns the imagination, for how many users it was done now, and how many of them came out with nothing: they are
    tried again next time. Users are done and committed in blocks that are always the same, so that a run that was
    stopped ends as it would have.
    """
    settings = settings | {"slots": slots, "seed": seed, "moments": cuts}
    digest = hashlib.sha256(f"{backend.name} {fingerprint} {sorted(settings.items())}".encode()).hexdigest()[:16]
    there = imagined.find_imagination(store, digest)
    if there is None:
        calibration = calibrated(data, backend, slots, seed)
        parts = calibration.to_dict()
    else:
        parts = dict(there.calibration)
        calibration = Calibration(**parts)
    imagination = imagined.open_imagination(
        store, backend=backend.name, model=model, fingerprint=digest, settings=settings, calibration=parts
    )
    on_calibration(calibration)
    events, done = data.log.events, imagined.imagined_until(store, imagination)
    wanted = None if users is None else set(users)
    todo = [
        number
        for number, user in enumerate(data.log.users)
        if events.lengths[number]
        and (wanted is None or user in wanted)
        and done.get(user) != events.at[events.offsets[number + 1] - 1]
    ]
    seen, empty = 0, 0
    for _, block in groupby(todo, key=lambda number: number // _BATCH):
        part = list(block)
        on_step(seen, len(todo))
        rows = list(_imagined(data, backend, calibration, part, slots, seed, cuts))
        imagined.save_imagined(store, imagination, [data.log.users[number] for number in part], rows)
        seen += len(part)
        empty += len(part) - len({row["user_id"] for row in rows})
    on_step(len(todo), len(todo))
    return imagination, len(todo), empty


def _imagined(
    data: Data, backend: Backend, calibration: Calibration, part: Sequence[int], slots: int, seed: int, cuts: int
) -> Iterator[dict[str, Any]]:
    users, untils, chosen, log_confidence = imagined_at_moments(data.log, backend, part, slots, seed, cuts)
    chance = calibration.probability(log_confidence)
    for row, (user, until) in enumerate(zip(users, untils, strict=True)):
        for slot in np.flatnonzero(chosen[row] != NONE):
            yield {
                "user_id": user,
                "until": until,
                "slot": int(slot),
                "product_id": data.log.items[chosen[row, slot]],
                "confidence": float(chance[row, slot]),
                "log_confidence": float(log_confidence[row, slot]),
                "fold": backend.fold(user),
            }


def imagined_at_moments(
    log: Log, backend: Backend, part: Sequence[int], slots: int, seed: int, cuts: int = CUTS
) -> tuple[list[str], list[float], Ints, NDArray[np.float64]]:
    """What is imagined of some of a log's users, by number, at each of their moments.

    Returns R users and moments, and for each items [R, S] (or NONE) and log-confidences [R, S].
    """
    events = log.events
    users, histories, untils = [], [], []
    for number in part:
        mine = slice(events.offsets[number], events.offsets[number + 1])
        items, at = events.items[mine], events.at[mine]
        for until in moments(at, cuts):
            users.append(log.users[number])
            untils.append(float(until))
            histories.append(Example(items[at <= until], at[at <= until], np.zeros(0, np.int64)))
    seeds = [_seed(seed, user, until) for user, until in zip(users, untils, strict=True)]
    return users, untils, *backend.imagine(users, histories, seeds, slots)


def calibrated(data: Data, backend: Backend, slots: int, seed: int) -> Calibration:
    """How far the backend's confidence can be trusted: parts of users' logs are hidden, and imagined.

    An imagined event came true if what was hidden holds an item of its kind. Of each user the older four fifths are
    looked at, the newest being what rankers are judged by.
    """
    events = data.log.events
    random = np.random.default_rng([seed, 11])
    users, histories, kinds = [], [], []
    for number in random.permutation(np.flatnonzero(events.lengths >= 5)):
        start, end = events.offsets[number], events.offsets[number + 1]
        mine = slice(start, start + (end - start) * 4 // 5)
        items, at = events.items[mine], events.at[mine]
        one = hide(items, at, backend.catalogue, random, slots=len(items), spans=0.3)
        if one is None:
            continue
        users.append(data.log.users[number])
        histories.append(Example(one.items, one.at, one.targets[:0]))
        kinds.append(set(backend.catalogue.kinds[one.targets].tolist()))
        if len(users) == _CALIBRATED_ON:
            break
    if not users:
        return Calibration(0.0, 0.0, 0.0, 0.0, 0)
    seeds = [_seed(seed, user, -1.0) for user in users]
    chosen, log_confidence = backend.imagine(users, histories, seeds, slots)
    row, slot = np.nonzero(chosen != NONE)
    true = np.array(
        [int(backend.catalogue.kinds[chosen[i, j]]) in kinds[i] for i, j in zip(row, slot, strict=True)], bool
    )
    return calibrate(log_confidence[row, slot], true, row)


def _seed(seed: int, user: str, until: float) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\x00{user}\x00{until}".encode()).digest()[:8], "big")
