"""Checkpoints of a training on disk: one safetensors file, written whole or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, device
from torch.optim import Optimizer

from reaseq import ReaseqError

FILE = "checkpoint.safetensors"
Parts = Mapping[str, Mapping[str, Tensor]]


def save(folder: Path, parts: Parts, optimizer: Optimizer, meta: Mapping[str, str]) -> None:
    """Write named parts of tensors, an optimizer's state and texts.

    Raises:
        ReaseqError: the disk is full, or the folder cannot be written.
    """
    tensors = {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    path = folder / FILE
    partial = path.with_suffix(".partial")
    try:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, partial, dict(meta))
        os.replace(partial, path)
    except Exception as error:  # safetensors raises its own kind for a full disk
        partial.unlink(missing_ok=True)
        raise ReaseqError(
            f"cannot write {path}: {error}", hint="free some space, and run the same command: it goes on"
        ) from error


def load(folder: Path | None, optimizer: Optimizer, on: device) -> tuple[Parts, dict[str, str]] | None:
    """The parts and texts of the folder's checkpoint, the optimizer's state put back; None where there is none."""
    path = None if folder is None else folder / FILE
    if path is None or not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        meta = file.metadata()
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in load_file(path, device=str(on)).items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = value
    state = optimizer.state_dict()
    for name, value in parts.pop("optimizer", {}).items():
        index, _, key = name.partition(".")
        state["state"].setdefault(int(index), {})[key] = value
    optimizer.load_state_dict(state)
    return parts, meta


def remove(folder: Path) -> None:
    """Once the training is over."""
    (folder / FILE).unlink(missing_ok=True)
