"""A trained model on disk: one safetensors file that holds all that scoring needs."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from reaseq import ReaseqError
from reaseq.ranker.model import ModelConfig, Ranker
from reaseq.ranker.train import Fitted

FILE = "model.safetensors"
_META = "reaseq"


@dataclass(frozen=True)
class Saved:
    """What the file holds. products: ids of the model's items; meta: the texts it was saved with."""

    config: ModelConfig
    products: list[str]
    tensors: Mapping[str, Tensor]
    meta: Mapping[str, str]

    def fitted(self, products: Sequence[str], knowledge: NDArray[np.float32] | None, device: torch.device) -> Fitted:
        """The model over `products` [I], of which some may be unknown to it, with their knowledge [I, k]."""
        ranker = Ranker(self.config, 0 if knowledge is None else knowledge.shape[1])
        ranker.load_state_dict(
            {name.removeprefix("model."): value for name, value in self.tensors.items() if name.startswith("model.")}
        )
        place = {product: index for index, product in enumerate(self.products)}
        rows = torch.tensor([place.get(product, len(self.products)) for product in products])
        table = torch.nn.functional.pad(self.tensors["ids"], (0, 0, 0, 1))[rows]  # the row added is for unknown ones
        counts = torch.nn.functional.pad(self.tensors["counts"], (0, 1))[rows]
        known = None if knowledge is None else torch.from_numpy(knowledge).to(device)
        return Fitted(ranker.to(device).eval(), table.to(device), counts.to(device), known)


def save(
    folder: Path, fitted: Fitted, products: Sequence[str], extra: Mapping[str, Tensor], meta: Mapping[str, str]
) -> None:
    """Write the file whole or not at all; `extra` tensors and `meta` texts go with it."""
    tensors = {**fitted.weights(), "counts": fitted.counts, **extra}
    texts = {**meta, "model": fitted.model.config.model_dump_json(), "products": json.dumps(list(products))}
    # One entry: safetensors writes several in random order, and equal models should be equal files.
    metadata = {_META: json.dumps(texts, sort_keys=True)}
    partial = folder / "model.partial"
    # Written by ourselves it is for whoever the umask lets read; `save_file` makes it for its owner alone.
    partial.write_bytes(as_bytes({name: one.detach().cpu().contiguous() for name, one in tensors.items()}, metadata))
    os.replace(partial, folder / FILE)


def read(folder: Path) -> Saved:
    """The model of a folder.

    Raises:
        ReaseqError: there is none, or it is broken.
    """
    path = folder / FILE
    if not path.is_file():
        raise ReaseqError(f"{folder} holds no trained model", hint="reaseq train-ranker")
    try:
        with safe_open(path, "pt") as file:
            meta = json.loads(file.metadata()[_META])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = ModelConfig.model_validate_json(meta["model"])
        return Saved(config, json.loads(meta["products"]), tensors, meta)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, ValidationError) as error:
        raise ReaseqError(f"{path} is not a model of reaseq: {error}", hint="reaseq train-ranker") from error
