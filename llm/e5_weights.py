"""A file of 4-bit weights of multilingual-e5-small, made into a folder that sentence-transformers loads.

All numbers are little-endian. The file begins with `E5S1` and a version, 1. Then:

- eight 32-bit integers, a float before the last: width, layers, heads, inner width, words, positions, types, (the
  float) the epsilon of norms, and how many weights share a scale: 32;
- the vocabulary: five integers (its pieces, and the numbers of those that begin and end a text, pad it and are
  unknown), the length of all pieces together (64 bits), where each begins and the last ends (32 bits each), their
  scores (floats), and the pieces, one after the other in UTF-8;
- the normaliser: how many characters it maps and how many bytes that takes, then these bytes. They are passed over:
  `Nmt` and NFKC do the same for all characters but two, U+FF5E and U+1F23B;
- the tensors: how many there are, and of each the length of its name (16 bits), the name, its kind (a byte), how many
  numbers it has (32 bits), where in the file they begin and how many bytes they take (64 bits each).

Tensors of kind 0 are floats. Those of kind 1 have 18 bytes for every 32 numbers: a scale in half precision, and 16
bytes whose lower halves are the first 16 numbers and whose upper halves are the other 16, each 8 more than it means.
"""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC, _VERSION = b"E5S1", 1
_FLOATS, _FOUR_BITS = 0, 1
_SHARE, _BYTES = 32, 18
_AT_ONCE = 1 << 16
"""Groups of numbers that are unpacked together: what is unpacked in full precision stays small."""
_MOST = 1 << 20
"""Pieces, tensors, layers: no such file has more."""
_OF_LAYERS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
_LONGEST = 512


class BrokenWeightsError(Exception):
    """The file is not in the format that it should be in; says why."""


def unpack(source: Path, target: Path, prompt: str) -> None:
    """Write the folder `target`: weights in half precision, tokenizer, configuration; the weights come last.

    prompt: stands before every text that is embedded.

    Raises:
        BrokenWeightsError: the file is broken. OSError: the folder cannot be written.
    """
    from safetensors.numpy import save_file

    file = _File.read(source)
    target.mkdir(parents=True, exist_ok=True)
    for name, said in _configs(file, prompt).items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    _save_tokenizer(file, target / "tokenizer.json")
    weights = target / "model.safetensors"
    save_file(_state(file), weights, {"format": "pt"})
    weights.chmod((target / "config.json").stat().st_mode)  # the library lets nobody else read it


@dataclass(frozen=True)
class _Tensor:
    kind: int
    count: int
    start: int
    size: int


class _Reader:
    """Reads on from where it stands; never beyond the end."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> NDArray[np.uint8]:
        if size < 0 or self.at + size > len(self.data):
            raise BrokenWeightsError(f"it ends at byte {len(self.data):,}, before what begins at {self.at:,}")
        self.at += size
        return self.data[self.at - size : self.at]

    def numbers(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)).tobytes())

    def count(self, form: str = "<i") -> int:
        (number,) = self.numbers(form)
        if not 0 <= number <= _MOST:
            raise BrokenWeightsError(f"{number:,} at byte {self.at:,} is no count")
        return int(number)


@dataclass(frozen=True)
class _File:
    """All that is in the file; tensors are unpacked when they are asked for."""

    data: NDArray[np.uint8]
    width: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    types: int
    epsilon: float
    special: dict[str, int]
    pieces: list[tuple[str, float]]
    tensors: Mapping[str, _Tensor]

    @classmethod
    def read(cls, path: Path) -> "_File":
        reader = _Reader(np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8))
        if reader.take(4).tobytes() != _MAGIC or reader.count() != _VERSION:
            raise BrokenWeightsError("it is no file of 4-bit weights that is known")
        width, layers, heads, inner, words, positions, types = sizes = [reader.count() for _ in range(7)]
        (epsilon,) = reader.numbers("<f")
        if reader.count() != _SHARE or 0 in sizes or width % heads or not math.isfinite(epsilon):
            raise BrokenWeightsError("its sizes are impossible")
        pieces, special = _pieces(reader)
        reader.count()  # characters that the normaliser maps
        reader.take(reader.count("<I"))
        return cls(
            reader.data,
            width,
            layers,
            heads,
            inner,
            words,
            positions,
            types,
            epsilon,
            special,
            pieces,
            _tensors(reader),
        )

    def tensor(self, name: str, *shape: int) -> NDArray[np.float16]:
        found, count = self.tensors.get(name), math.prod(shape)
        if found is None or found.count != count:
            raise BrokenWeightsError(f"tensor {name!r} of {count:,} numbers is missing")
        needed = 4 * count if found.kind == _FLOATS else count // _SHARE * _BYTES
        if found.kind not in (_FLOATS, _FOUR_BITS) or found.size != needed or (found.kind and count % _SHARE):
            raise BrokenWeightsError(f"tensor {name!r} is of a kind or a size that cannot be")
        reader = _Reader(self.data)
        reader.at = found.start
        data = reader.take(found.size)
        made = data.view("<f4").astype(np.float16) if found.kind == _FLOATS else _unpacked(data)
        if not np.isfinite(made).all():
            raise BrokenWeightsError(f"tensor {name!r} holds what is no number")
        return made.reshape(shape)


def _pieces(reader: _Reader) -> tuple[list[tuple[str, float]], dict[str, int]]:
    """The vocabulary's pieces with their scores, and the numbers of the special ones."""
    count = reader.count()
    special = dict(zip(("<s>", "</s>", "<pad>", "<unk>"), (reader.count() for _ in range(4)), strict=True))
    (length,) = reader.numbers("<Q")
    bounds = reader.take(4 * (count + 1)).view("<u4").astype(np.int64)
    scores = reader.take(4 * count).view("<f4")
    text = reader.take(length).tobytes()
    if (np.diff(bounds) < 0).any() or bounds[0] or bounds[-1] > length or not np.isfinite(scores).all():
        raise BrokenWeightsError("its vocabulary is broken")
    pieces = [text[start:end].decode("utf-8", "replace") for start, end in pairwise(bounds)]
    if any(number >= count or pieces[number] != piece for piece, number in special.items()):
        raise BrokenWeightsError(f"its vocabulary lacks one of {', '.join(special)}")
    return list(zip(pieces, scores.tolist(), strict=True)), special


def _tensors(reader: _Reader) -> dict[str, _Tensor]:
    made = {}
    for _ in range(reader.count()):
        name = reader.take(reader.count("<H")).tobytes().decode("utf-8", "replace")
        made[name] = _Tensor(*reader.numbers("<BIQQ"))
    return made


def _unpacked(data: NDArray[np.uint8]) -> NDArray[np.float16]:
    groups = data.reshape(-1, _BYTES)
    made = np.empty((len(groups), _SHARE), np.float16)
    for start in range(0, len(groups), _AT_ONCE):
        part = groups[start : start + _AT_ONCE]
        scales = part[:, :2].copy().view("<f2").astype(np.float32)
        numbers = np.concatenate([part[:, 2:] & 15, part[:, 2:] >> 4], 1).astype(np.float32) - 8
        made[start : start + len(part)] = numbers * scales
    return made


def _state(file: _File) -> dict[str, NDArray[np.float16]]:
    """The weights by their names in transformers' BertModel."""
    width = file.width
    sizes = {"fi": (file.inner, width), "fo": (width, file.inner)}
    made = {
        "embeddings.word_embeddings.weight": file.tensor("emb.word", file.words, width),
        "embeddings.position_embeddings.weight": file.tensor("emb.pos", file.positions, width),
        "embeddings.token_type_embeddings.weight": file.tensor("emb.type", file.types, width),
        "embeddings.LayerNorm.weight": file.tensor("emb.ln.w", width),
        "embeddings.LayerNorm.bias": file.tensor("emb.ln.b", width),
        # Not used and not in the file; where it is missing, each load draws another one: another fingerprint.
        "pooler.dense.weight": np.zeros((width, width), np.float16),
        "pooler.dense.bias": np.zeros(width, np.float16),
    }
    for layer in range(file.layers):
        for short, name in _OF_LAYERS.items():
            shape = sizes.get(short, (width, width))
            made[f"encoder.layer.{layer}.{name}.weight"] = file.tensor(f"l{layer}.{short}.w", *shape)
            made[f"encoder.layer.{layer}.{name}.bias"] = file.tensor(f"l{layer}.{short}.b", shape[0])
        for short, name in _NORMS.items():
            made[f"encoder.layer.{layer}.{name}.weight"] = file.tensor(f"l{layer}.{short}.w", width)
            made[f"encoder.layer.{layer}.{name}.bias"] = file.tensor(f"l{layer}.{short}.b", width)
    return made


def _configs(file: _File, prompt: str) -> dict[str, Any]:
    longest = min(_LONGEST, file.positions)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": file.width,
            "num_hidden_layers": file.layers,
            "num_attention_heads": file.heads,
            "intermediate_size": file.inner,
            "vocab_size": file.words,
            "max_position_embeddings": file.positions,
            "type_vocab_size": file.types,
            "layer_norm_eps": file.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": file.special["<pad>"],
            "torch_dtype": "float32",
        },
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (path, kind) in enumerate(modules)
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": file.width,
            **{f"pooling_mode_{mode}": mode == "mean_tokens" for mode in ("cls_token", "mean_tokens", "max_tokens")},
        },
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
        "config_sentence_transformers.json": prompts(prompt),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "model_max_length": longest,
            "model_input_names": ["input_ids", "attention_mask"],
        },
    }


def prompts(prompt: str) -> dict[str, Any]:
    """What sentence-transformers reads in `config_sentence_transformers.json` to put the prompt before every text."""
    return {"prompts": {"query": prompt}, "default_prompt_name": "query"}


def _save_tokenizer(file: _File, path: Path) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(file.pieces, unk_id=file.special["<unk>"]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in file.special])
    ends: Sequence[tuple[str, int]] = [(piece, file.special[piece]) for piece in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    tokenizer.save(str(path))
