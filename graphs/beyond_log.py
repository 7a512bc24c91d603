"""Training of a beyond-log model on what the ranker's split leaves to learn from."""

from collections.abc import Callable
from pathlib import Path

from reaseq.beyond_log import fit, saved
from reaseq.beyond_log.fit import BeyondLogConfig
from reaseq.beyond_log.saved import BeyondLog
from reaseq.beyond_log.train import Epoch
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
