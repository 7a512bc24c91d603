"""A trained scorer for whoever serves it without reaseq: an ONNX file, the products' vectors, and what both mean."""

import json
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reaseq import ReaseqError, __version__
from reaseq.knowledge_store.export import whole
from reaseq.ranker.batches import Batch, Block
from reaseq.ranker.model import Ranker
from reaseq.ranker.score import ItemVectors
from reaseq.ranker.scorer import Scorer

PADDING = -1
_MOST_BYTES = 2**31 - 2**24
"""Of the vectors in an ONNX file: protobuf ends at 2 GiB, and the rest of the model needs some of it."""


def export(scorer: Scorer, path: Path, run: str) -> list[Path]:
    """Write the scorer to `path` (.onnx), beside it `<path>.npz` with the products and `<path>.json` with what inputs,
    outputs and arrays mean; run: the run's id. Returns the files. Each appears whole or not at all.

    The graph is `Padded`; the score of a product is `user @ vectors.T + bias`, and what repetition adds. The arrays,
    all in the order of `ids` [I]: vectors [I, d], bias [I], popularity [I] (the scores after an empty history). The
    JSON stands in the ONNX file's metadata, too, under the key `reaseq`.

    Raises:
        ReaseqError: onnx is not installed, the ending is another, the products are too many for one file, or a file
            cannot be written.
    """
    if path.suffix.lower() != ".onnx":
        raise ReaseqError(f"{path}: a scorer is written as .onnx", hint=f"--out {path.name}.onnx")
    if missing := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise ReaseqError(f"{' and '.join(missing)} must be installed for that", hint="pip install 'reaseq[onnx]'")
    vectors = scorer.vectors
    if (size := vectors.x.numel() * vectors.x.element_size()) > _MOST_BYTES:
        raise ReaseqError(
            f"the vectors of {len(vectors.x):,} products are {size / 2**30:.1f} GiB, and an ONNX file holds 2",
            hint="reaseq train-ranker --set dim=64   (halves what 128 take)",
        )
    arrays, about = path.with_name(f"{path.name}.npz"), path.with_name(f"{path.name}.json")
    told = json.dumps(_told(scorer, run, path.name, arrays.name), indent=1)
    whole(arrays, lambda part: _write_arrays(part, scorer))
    whole(about, lambda part: part.write_text(f"{told}\n", encoding="utf-8"))
    whole(path, lambda part: part.write_bytes(_graph(scorer.fitted.model, vectors, told)))
    return [path, arrays, about]


def _told(scorer: Scorer, run: str, model: str, arrays: str) -> dict[str, Any]:
    """What somebody must know who serves it."""
    config = scorer.fitted.model.config
    inputs = {
        "items": f"int64 [histories, events]: numbers of the events' products, oldest first, then {PADDING}; the "
        f"number of a product is its place in `ids`. The last {config.most} are looked at.",
        "at": "float64 [histories, events]: when, in seconds since 1970, UTC"
        if config.timed
        else "float64 [histories, events]: the events' positions; equal ones are one basket",
    }
    if scorer.fitted.model.beyond_log is not None:
        inputs["imagined"] = (
            f"int64 [histories, slots]: numbers of the products of the newest imagined events, or {PADDING}"
        )
        inputs["log_confidence"] = "float32 [histories, slots]: the logarithms of their confidences"
    return {
        "format": 1,
        "reaseq": __version__,
        "run": run,
        "dataset": scorer.dataset,
        "features": list(config.features),
        "kinds": sorted(scorer.kinds) if scorer.kinds else None,
        "products": len(scorer.products),
        "model": {
            "file": model,
            "inputs": inputs,
            "outputs": {
                "user": f"float32 [histories, {config.dim}]: what each history calls for; zero after an empty one",
                "bonus": "float32 [histories, events]: what repetition adds to the score of each event's product; zero "
                "but at the last event with the product",
            },
        },
        "arrays": {
            "file": arrays,
            "ids": "text [products]: ids of the products, by their numbers",
            "vectors": f"float32 [products, {config.dim}]",
            "bias": "float32 [products]: what is taken off for popularity; -1e9 where nothing is known of the product",
            "popularity": "float32 [products]: the scores after an empty history",
        },
        "score": "user @ vectors.T + bias, and each event's bonus added to the score of its product",
        "events": "The same product at the same time is one event. Within one time events stand by their ids.",
    }


def _write_arrays(path: Path, scorer: Scorer) -> int:
    with path.open("wb") as file:
        np.savez(
            file,
            ids=np.array(scorer.products, np.str_),
            vectors=scorer.vectors.keys.numpy(),
            bias=scorer.vectors.bias.numpy(),
            popularity=torch.log1p(scorer.fitted.counts.float()).numpy(),
        )
    return len(scorer.products)


def _graph(model: Ranker, vectors: ItemVectors, told: str) -> bytes:
    """The ONNX file."""
    two = torch.tensor([[0, 0, 0], [0, PADDING, PADDING]])
    names, inputs, axes = ["items", "at"], [two, two.double()], [{0: "histories", 1: "events"}] * 2
    if model.beyond_log is not None:
        names += ["imagined", "log_confidence"]
        slots = torch.zeros(2, 5, dtype=torch.int64)  # axes of one size would be taken for one
        inputs += [slots, slots.float()]
        axes += [{0: "histories", 1: "slots"}] * 2
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, of names of axes and of packages that are not needed
        logger.setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                Padded(model, vectors.x).eval(),
                tuple(inputs),
                dynamo=True,
                input_names=names,
                output_names=["user", "bonus"],
                dynamic_shapes=tuple({at: torch.export.Dim(name) for at, name in one.items()} for one in axes),
                verbose=False,
            )
        finally:
            logger.setLevel(level)
    assert program is not None
    proto = program.model_proto
    entry = proto.metadata_props.add()
    entry.key, entry.value = "reaseq", told
    made: bytes = proto.SerializeToString()
    return made


class Padded(nn.Module):
    """The model over histories that are padded, not packed: what they call for, and what repetition adds.

    The last `most` events of a history are looked at, as `encode_histories` does.
    """

    vectors: Tensor

    def __init__(self, model: Ranker, vectors: Tensor) -> None:
        """vectors: [I, d], the items'."""
        super().__init__()
        self.model = model
        self.register_buffer("vectors", vectors)

    def forward(
        self, items: Tensor, at: Tensor, imagined: Tensor | None = None, log_confidence: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """items: [B, L], numbers of items, oldest first, then -1; at: [B, L], when; imagined: [B, S], numbers of items
        or -1, with log_confidence [B, S], for a model that knows of them.

        Returns the users' vectors [B, d], zero after an empty history, and [B, L] what is added to the score of each
        event's item: zero but at its last occurrence.
        """
        people, width = items.shape
        there = items >= 0
        length = there.sum(1)
        place = torch.arange(width, device=items.device)
        seen = there & (place >= (length - self.model.config.most)[:, None])
        owner = torch.arange(people, device=items.device)[:, None].expand(people, width)
        same = (items[:, :, None] == items[:, None, :]) & there[:, None, :]
        before = place[:, None] > place
        changed = torch.cat([torch.zeros_like(there[:, :1]), at[:, 1:] != at[:, :-1]], 1)
        batch = _batch(
            Block(0, people, width),
            segment=torch.where(seen, owner, -1).flatten(),
            at=at.flatten(),
            basket=changed.long().cumsum(1).flatten(),
            nth=(same & before).sum(2).flatten(),
        )
        encoded = self.model.encode(self.vectors[items.clamp_min(0).flatten()], batch)
        last = torch.arange(people, device=items.device) * width + (length - 1).clamp_min(0)
        h = encoded[last]
        sway, temperature = self.model.beyond_log, self.model.config.temperature
        if sway is not None and imagined is not None and log_confidence is not None:
            k = self.model.keys(self.vectors[imagined.clamp_min(0).flatten()]).view(*imagined.shape, -1)
            unit = h * temperature
            confidence = torch.where(imagined >= 0, log_confidence, -torch.inf)
            h = F.normalize(unit + sway.added(unit, k, confidence), dim=-1) / temperature
        h = h * (length > 0)[:, None]
        if not self.model.config.repeats:
            return h, torch.zeros_like(at, dtype=h.dtype)
        newest = seen & ~(same & before.T).any(2)
        every = owner.flatten()
        bonus = self.model.repeat_bonus(h[every], batch, last[every], torch.arange(people * width, device=h.device))
        return h, torch.where(newest, bonus.view(people, width), 0.0)


def _batch(block: Block, **known: Tensor) -> Batch:
    """A batch of one block that is only encoded: nothing is learnt from it."""
    nothing = torch.zeros(0, dtype=torch.int64)
    names = (name for name in Batch.__dataclass_fields__ if name != "blocks")
    return Batch([block], **{name: known.get(name, nothing) for name in names})
