"""Train and evaluate RecTools' SASRec, for `ranker_speed`. Run by a Python that has `rectools[torch]`; prints JSON.

It stands alone on purpose: RecTools pins packages of its own, so it lives in an environment of its own.
"""

import argparse
import json
import time
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, LightningModule, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.item_net import IdEmbeddingsItemNet


class Clock(Callback):  # type: ignore[misc]
    """Wall and CPU seconds of each epoch."""

    seconds: ClassVar[list[tuple[float, float]]] = []  # of the class: RecTools works on copies of the trainer
    _start = (0.0, 0.0)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = (time.perf_counter(), time.process_time())

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.seconds.append((time.perf_counter() - self._start[0], time.process_time() - self._start[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", required=True, help="npz: user, item, order of training; more_*; test_user, test_item"
    )
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--max-len", type=int, default=50)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--loss", default="BCE")
    parser.add_argument("--negatives", type=int, default=1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    data = np.load(options.data)
    train = frame(data["user"], data["item"], data["order"])

    def trainer(**_: Any) -> Trainer:
        return Trainer(
            max_epochs=options.epochs,
            min_epochs=options.epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[Clock()],
        )

    model = SASRecModel(
        n_factors=options.dim,
        n_blocks=options.blocks,
        n_heads=options.heads,
        session_max_len=options.max_len,
        dropout_rate=options.dropout,
        batch_size=options.batch_size,
        loss=options.loss,
        n_negatives=options.negatives,
        lr=options.lr,
        item_net_block_types=(IdEmbeddingsItemNet,),
        get_trainer_func=trainer,
        recommend_batch_size=256,
    )
    started = time.perf_counter()
    model.fit(Dataset.construct(train))
    fitted = time.perf_counter() - started
    # The history of a test case holds what came between training and test.
    whole = pd.concat([train, frame(data["more_user"], data["more_item"], data["more_order"])])
    whole = whole[whole[Columns.Item].isin(train[Columns.Item].unique())]
    users = data["test_user"]
    started, cpu = time.perf_counter(), time.process_time()
    made = model.recommend(users=users, dataset=Dataset.construct(whole), k=10, filter_viewed=False)
    evaluated, evaluated_cpu = time.perf_counter() - started, time.process_time() - cpu
    target = pd.Series(data["test_item"], index=users)
    hit = made[made[Columns.Item] == made[Columns.User].map(target)]
    ranks = hit[Columns.Rank].to_numpy()
    seconds = Clock.seconds[1:] or Clock.seconds
    print(
        json.dumps(
            {
                "versions": {name: version(name) for name in ("rectools", "torch", "pytorch-lightning")},
                "loss": options.loss,
                "negatives": options.negatives,
                "epoch_seconds": float(np.median([wall for wall, _ in seconds])),
                "epoch_cpu_seconds": float(np.median([cpu for _, cpu in seconds])),
                "preparation_seconds": fitted - sum(wall for wall, _ in Clock.seconds),
                "evaluation_seconds": evaluated,
                "evaluation_cpu_seconds": evaluated_cpu,
                "HR@10": len(ranks) / len(users),
                "NDCG@10": float((1 / np.log2(ranks + 1)).sum() / len(users)),
                "epochs": options.epochs,
            }
        )
    )


def frame(user: Any, item: Any, order: Any) -> pd.DataFrame:
    when = pd.Timestamp("2020-01-01") + pd.to_timedelta(order, unit="s")
    columns = {Columns.User: user, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: when}
    return pd.DataFrame(columns)


if __name__ == "__main__":
    main()
