"""The beyond-log stage: trained on what the ranker's split leaves to learn from, then asked about every user."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from reaseq import ReaseqError
from reaseq.beyond_log import fit, saved
from reaseq.beyond_log.calibration import Calibration
from reaseq.beyond_log.fit import BeyondLogConfig, Data
from reaseq.beyond_log.imagining import CUTS, Backend, CodesBackend, imagine_users
from reaseq.beyond_log.sampler import SampleConfig
from reaseq.beyond_log.saved import BeyondLog
from reaseq.beyond_log.text import TextBackend, Writer
from reaseq.beyond_log.train import Epoch
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.imagined import Imagination
from reaseq.knowledge_store.log import read_log
from reaseq.knowledge_store.shown import Result
from reaseq.knowledge_store.store import PRODUCT, Store
from reaseq.ranker.runs import SplitName, decided_split


def train_beyond_log(
    store: Store,
    config: BeyondLogConfig,
    root: Path,
    *,
    split: SplitName | None = None,
    on_folder: Callable[[Path], None] = lambda folder: None,
    on_codes: Callable[[str], None] = lambda text: None,
    on_start: Callable[[int], None] = lambda fold: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[Path, BeyondLog]:
    """Train, or find what the same command trained before, below `root`. Returns the model and its folder.

    The split is the ranker's, so that a model never learns from what the ranker will be judged by.

    Raises:
        ReaseqError: there is no log, or no product has an embedding.
    """
    log = read_log(store, config.kinds).log
    decided = decided_split(log, split)
    data = fit.read(store, log)
    train = fit.train_part(data, decided.split.train_until)
    folder = root / fit.identity(data, train, config)
    on_folder(folder)
    if (folder / saved.FILE).is_file():
        (folder / saved.FILE).touch()  # the newest is the one that is used
        return folder, BeyondLog.load(folder)
    made = fit.fit(
        data,
        train,
        config,
        folder,
        split=decided.name,
        cuts=decided.cuts,
        on_start=on_start,
        on_step=on_step,
        on_epoch=on_epoch,
        on_codes=on_codes,
    )
    return folder, made


@dataclass(frozen=True, repr=False)
class Imagined(Result):
    """done: how many users were imagined now, empty: of how many of them nothing came; users: all asked for."""

    imagination: Imagination
    done: int
    empty: int
    users: list[str]

    def told(self) -> str:
        nothing = f", and nothing came of {self.empty:,} of them" if self.empty else ""
        others = "" if self.done == len(self.users) else "; the others were there already, or have no events"
        return f"{self.done:,} of {len(self.users):,} users imagined now{nothing}{others}"

    def records(self) -> list[dict[str, Any]]:
        return [{"users": len(self.users), "imagined": self.done, "empty": self.empty}]


def imagine(
    store: Store,
    root: Path,
    config: SampleConfig,
    *,
    cuts: int = CUTS,
    users: Sequence[str] | None = None,
    on_calibration: Callable[[Calibration], None] = lambda calibration: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Imagined:
    """Imagine for all users of the store's log, or some, by the newest model below `root`.

    Raises:
        ReaseqError: no model is trained yet, or a user has no events.
    """
    folder = saved.find(root)
    model = BeyondLog.load(folder)
    data = fit.read(store, read_log(store, model.meta["kinds"]).log, model.meta["space"])
    return _imagine(
        store,
        data,
        CodesBackend(model, data, config),
        model=folder.name,
        fingerprint=model.fingerprint,
        slots=config.slots,
        seed=config.seed,
        settings=config.model_dump() | {key: model.meta[key] for key in ("split", "cuts", "kinds")},
        cuts=cuts,
        users=users,
        on_calibration=on_calibration,
        on_step=on_step,
    )


def imagine_in_words(
    store: Store,
    writer: Writer,
    encoder: Encoder,
    *,
    slots: int,
    seed: int,
    cuts: int = CUTS,
    users: Sequence[str] | None = None,
    on_calibration: Callable[[Calibration], None] = lambda calibration: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Imagined:
    """Imagine by a text model, and find what it writes among the products. encoder: of the newest embeddings.

    Raises:
        ReaseqError: there is no log, no product has an embedding by this encoder, or a user has no events.
    """
    space = embeddings.find_space(store, encoder.fingerprint)
    data = fit.read(store, read_log(store).log, encoder.fingerprint)
    with store.reading() as connection:
        titles = {row.id: row.title for row in connection.execute(select(PRODUCT.c.id, PRODUCT.c.title))}
    shown = [titles[product] for product in data.log.items]
    return _imagine(
        store,
        data,
        TextBackend(data, shown, writer, encoder, space.whitening if space else None),
        model=writer.name,
        fingerprint=f"{writer.fingerprint} {encoder.fingerprint}",
        slots=slots,
        seed=seed,
        settings={},
        cuts=cuts,
        users=users,
        on_calibration=on_calibration,
        on_step=on_step,
    )


def _imagine(store: Store, data: Data, backend: Backend, *, users: Sequence[str] | None, **named: Any) -> Imagined:
    if unknown := sorted(set(users or ()) - set(data.log.users)):
        raise ReaseqError(f"no events of user {unknown[0]!r}", hint="reaseq events stats")
    imagination, done, empty = imagine_users(store, data, backend, users=users, **named)
    return Imagined(imagination, done, empty, list(users or data.log.users))
