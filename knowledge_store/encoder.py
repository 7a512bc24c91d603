"""Texts to vectors, through sentence-transformers."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reaseq import ReaseqError

_BATCH = 128
_TEXTS = 32
"""Whose words' vectors are made together: three layers of them are kept."""
_HALF_ON_CPU = {"all-MiniLM-L6-v2"}
"""For which bfloat16 was measured: 2.8 times the texts a second on a CPU that knows it, at a cosine above .99 to full
precision. Where it has to be imitated (AVX2 alone) it makes a seventh of the texts."""


def without_bars() -> None:
    """Transformers draws a bar of its own while weights are loaded, whoever asked for none."""
    from transformers.utils import logging as of_transformers

    of_transformers.disable_progress_bar()  # type: ignore[no-untyped-call]


class Encoder:
    """A sentence-transformers model; loaded when it is first needed. On the GPU if there is one."""

    def __init__(self, name: str, path: str) -> None:
        """name: as it is shown and stored. path: a folder, or whatever sentence-transformers knows by that name."""
        self.name = name
        self.path = path

    @cached_property
    def _model(self) -> Any:
        import torch
        from sentence_transformers import SentenceTransformer

        # It warns of every encoder that has a prompt for all texts, which is what such an encoder is for.
        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
        without_bars()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model = SentenceTransformer(self.path, device=device)
        except Exception as error:  # the library lets through whatever its parts raise
            first = str(error).strip().splitlines()
            raise ReaseqError(
                f"cannot load the text encoder {self.path!r}: {first[0] if first else type(error).__name__}",
                hint="reaseq models list   (shows the known encoders; see the setting `encoder`)",
            ) from error
        half = device == "cpu" and self.name in _HALF_ON_CPU and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return model.to(torch.bfloat16) if half else model

    @cached_property
    def dimensions(self) -> int:
        # Found by trying: what the method is called changed between versions, and some modules do not know it.
        return int(self._model.encode(["a"], convert_to_tensor=True, show_progress_bar=False).shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Of name, weights in their precision, and settings that change vectors: 16 hex digits.

        Equal names with other weights are other spaces, and so are bfloat16 and full precision.
        """
        import torch

        digest = hashlib.sha256(self.name.encode())
        digest.update(json.dumps(self._settings(), sort_keys=True, default=str).encode())
        for name, value in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().data)
        return digest.hexdigest()[:16]

    def _settings(self) -> dict[str, Any]:
        """What decides about vectors beside the weights: where texts are cut, what is put before them, the pooling."""
        configs = [module.get_config_dict() for module in self._model if hasattr(module, "get_config_dict")]
        return {
            "length": self._model.max_seq_length,
            "prompt": self._model.prompts.get(self._model.default_prompt_name),
            "pooling": [{key: config[key] for key in config if key.startswith("pooling_mode")} for config in configs],
        }

    def encode(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] = lambda done: None
    ) -> NDArray[np.float16]:
        """Unit vectors of the texts, in their order: [n, d]. Texts of like length share a batch, to pad little."""
        made = np.empty((len(texts), self.dimensions), np.float16)
        order = np.argsort([-len(text) for text in texts], kind="stable")
        for start in range(0, len(texts), _BATCH):
            rows = order[start : start + _BATCH]
            batch = [texts[row] for row in rows]
            vectors = self._model.encode(batch, batch_size=_BATCH, convert_to_tensor=True, show_progress_bar=False)
            values = vectors.float().cpu().numpy()
            made[rows] = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
            on_progress(start + len(rows))
        return made

    def span_vectors(self, texts: Sequence[tuple[str, Sequence[tuple[int, int]]]]) -> list[NDArray[np.float32]]:
        """The vectors of spans (characters) of texts, in their context: for each text [n, 3 d].

        Of an early, a middle and the last layer, each of unit variance, and averaged over the pieces that overlap the
        span; zeros for spans beyond what the model reads. Texts of like length share a batch, to pad little.
        """
        made: list[NDArray[np.float32]] = [np.zeros((0, 0), np.float32)] * len(texts)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row][0]))
        for start in range(0, len(order), _TEXTS):
            rows = order[start : start + _TEXTS]
            for row, vectors in zip(rows, self._span_vectors([texts[row] for row in rows]), strict=True):
                made[row] = vectors
        return made

    def _span_vectors(self, texts: Sequence[tuple[str, Sequence[tuple[int, int]]]]) -> Iterator[NDArray[np.float32]]:
        import torch

        tokenizer = self._model.tokenizer
        pieces = tokenizer(
            [text for text, _ in texts],
            return_offsets_mapping=True,
            truncation=True,
            padding=True,
            return_tensors="pt",
        )
        bounds = pieces.pop("offset_mapping").numpy()
        counts = pieces["attention_mask"].sum(1).tolist()
        with torch.no_grad():
            states = (
                self._model[0]
                .auto_model(
                    **{name: tensor.to(self._model.device) for name, tensor in pieces.items()},
                    output_hidden_states=True,
                )
                .hidden_states
            )
        layers = len(states) - 1
        chosen = [states[-(-layers * third // 3)].float().cpu().numpy() for third in (1, 2, 3)]
        for row, (_, spans) in enumerate(texts):
            mine = [one[row, : counts[row]] for one in chosen]
            mine = [(one - one.mean(1, keepdims=True)) / (one.std(1, keepdims=True) + 1e-5) for one in mine]
            starts, ends = np.asarray(spans, int).reshape(-1, 2).T
            first, last = bounds[row, : counts[row]].T
            overlap = (first < ends[:, None]) & (last > starts[:, None])
            shares = overlap / np.maximum(1, overlap.sum(1, keepdims=True))
            yield np.asarray(shares.astype(np.float32) @ np.concatenate(mine, 1), np.float32)
