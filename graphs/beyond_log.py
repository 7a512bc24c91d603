"""The beyond-log stage: trained on what the ranker's split leaves to learn from, then asked about every user."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reaseq import ReaseqError
from reaseq.beyond_log import fit, saved
from reaseq.beyond_log.calibration import Calibration
from reaseq.beyond_log.fit import BeyondLogConfig
from reaseq.beyond_log.imagining import CodesBackend, imagine_users
from reaseq.beyond_log.sampler import SampleConfig
from reaseq.beyond_log.saved import BeyondLog
from reaseq.beyond_log.train import Epoch
from reaseq.knowledge_store.imagined import Imagination
from reaseq.knowledge_store.log import read_log
from reaseq.knowledge_store.store import Store
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
    decided = decided_split(read_log(store, config.kinds).log, split)
    data = fit.read(store, config.kinds)
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


@dataclass(frozen=True)
class Imagined:
    """done: how many users were imagined now; users: all that were asked for."""

    imagination: Imagination
    done: int
    users: list[str]


def imagine(
    store: Store,
    root: Path,
    config: SampleConfig,
    *,
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
    data = fit.read(store, model.meta["kinds"], model.meta["space"])
    if unknown := sorted(set(users or ()) - set(data.log.users)):
        raise ReaseqError(f"no events of user {unknown[0]!r}", hint="reaseq events stats")
    imagination, done = imagine_users(
        store,
        data,
        CodesBackend(model, data, config),
        model=folder.name,
        fingerprint=model.fingerprint,
        slots=config.slots,
        seed=config.seed,
        settings=config.model_dump() | {key: model.meta[key] for key in ("split", "cuts", "kinds")},
        users=users,
        on_calibration=on_calibration,
        on_step=on_step,
    )
    return Imagined(imagination, done, list(users or data.log.users))
