"""A trained beyond-log model: codes, a denoiser for each fold of the users, and what is needed to use them."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes

from reaseq import ReaseqError
from reaseq.beyond_log.codes import UNKNOWN, SemanticCodes
from reaseq.beyond_log.denoiser import Denoiser, DenoiserConfig
from reaseq.beyond_log.examples import Catalogue
from reaseq.knowledge_store.log import Ints

FILE = "model.safetensors"
_META = "reaseq"


@dataclass(frozen=True)
class Categories:
    """What products are grouped by: names of categories, or nothing but clusters of embeddings.

    names: of the categories, or empty where they are clusters. groups: [C], what each is hidden with.
    """

    names: tuple[str, ...]
    groups: Ints

    def of(self, names: Sequence[str | None]) -> Ints | None:
        """Numbers of categories by name [n], UNKNOWN for those never seen; None for clusters."""
        if not self.names:
            return None
        number = {name: index for index, name in enumerate(self.names)}
        return np.array([number.get(name or "", UNKNOWN) for name in names], np.int64)


@dataclass(frozen=True)
class BeyondLog:
    """A trained model. counts: events in training by product id. meta: what it was made from, as text.

    The denoiser of fold f never saw a user of that fold.
    """

    codes: SemanticCodes
    categories: Categories
    denoisers: Sequence[Denoiser]
    counts: Mapping[str, int]
    meta: Mapping[str, Any]

    def catalogue(self, vectors: NDArray[np.float32], names: Sequence[str | None]) -> Catalogue:
        """Products by their embeddings [I, d] and the names of their categories; new ones included."""
        return catalogue(self.codes, self.categories, vectors, names)

    @property
    def fingerprint(self) -> str:
        """Of all that is learnt."""
        digest = hashlib.sha256(self.codes.fingerprint.encode())
        for denoiser in self.denoisers:
            for name, value in denoiser.state_dict().items():
                digest.update(name.encode() + value.cpu().numpy().tobytes())
        return digest.hexdigest()[:16]

    def save(self, folder: Path) -> None:
        """Write `folder`/model.safetensors whole or not at all."""
        tensors = {f"codes.{name}": torch.from_numpy(np.ascontiguousarray(value)) for name, value in
                   self.codes.tensors().items()}  # fmt: skip
        tensors["groups"] = torch.from_numpy(self.categories.groups)
        for fold, denoiser in enumerate(self.denoisers):
            tensors |= {
                f"{fold}.{name}": value.detach().cpu().contiguous() for name, value in denoiser.state_dict().items()
            }
        texts = {
            **self.meta,
            "model": self.denoisers[0].config.model_dump(),
            "names": self.categories.names,
            "counts": dict(self.counts),
        }
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / "model.partial"
        partial.write_bytes(as_bytes(tensors, {_META: json.dumps(texts, sort_keys=True)}))
        os.replace(partial, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "BeyondLog":
        """The model of a folder, ready to imagine.

        Raises:
            ReaseqError: there is none, or it is broken.
        """
        path = folder / FILE
        if not path.is_file():
            raise ReaseqError(f"{folder} holds no beyond-log model", hint="reaseq train-beyond-log")
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            with safe_open(path, "pt") as file:
                meta = json.loads(file.metadata()[_META])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            codes = SemanticCodes.of_tensors(
                {name.removeprefix("codes."): value.numpy() for name, value in tensors.items() if "codes." in name}
            )
            config = DenoiserConfig.model_validate(meta.pop("model"))
            groups = tensors["groups"].numpy()
            denoisers = []
            for fold in range(meta["folds"]):
                state = {name.removeprefix(f"{fold}."): value for name, value in tensors.items()
                         if name.startswith(f"{fold}.")}  # fmt: skip
                width = state["vector.weight"].shape[1]
                denoiser = Denoiser(config, codes.digits, codes.size, width, int(groups.max()) + 1)
                denoiser.load_state_dict(state)
                denoisers.append(denoiser.to(device).eval())
            return cls(codes, Categories(tuple(meta.pop("names")), groups), denoisers, meta.pop("counts"), meta)
        except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError, ValidationError) as error:
            raise ReaseqError(f"{path} is not a beyond-log model: {error}", hint="reaseq train-beyond-log") from error


def catalogue(
    codes: SemanticCodes, categories: Categories, vectors: NDArray[np.float32], names: Sequence[str | None]
) -> Catalogue:
    """Products as the denoiser knows them: see `BeyondLog.catalogue`."""
    mine = codes.categories(vectors, categories.of(names))
    number = int(categories.groups.max()) + 1
    made = codes.encode(vectors, mine)
    return Catalogue(made, codes.points(vectors), categories.groups[mine], mine, codes.size, number)


def fold_of(user: str, folds: int) -> int:
    """The part of the users that this one belongs to, always the same."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:8], "big") % folds


def find(folder: Path) -> Path:
    """The newest trained model below `folder`.

    Raises:
        ReaseqError: there is none.
    """
    there = sorted(folder.glob(f"*/{FILE}"), key=lambda path: path.stat().st_mtime)
    if not there:
        raise ReaseqError("no beyond-log model is trained yet", hint="reaseq train-beyond-log")
    return there[-1].parent
