"""A file of 4-bit weights as small as can be, in the format of `reaseq.llm.e5_weights`."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

WIDTH, LAYERS, INNER, POSITIONS = 32, 1, 64, 16
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁red", "▁shoe", "▁", "s", "rot")


def sizes() -> dict[str, tuple[int, ...]]:
    """The tensors of the file."""
    made: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES) + 3, WIDTH),
        "emb.pos": (POSITIONS, WIDTH),
        "emb.type": (2, WIDTH),
        "emb.ln.w": (WIDTH,),
        "emb.ln.b": (WIDTH,),
    }
    for short, shape in (("fi", (INNER, WIDTH)), ("fo", (WIDTH, INNER)), *((s, (WIDTH, WIDTH)) for s in "qkv"),
                         ("ao", (WIDTH, WIDTH))):  # fmt: skip
        made |= {f"l0.{short}.w": shape, f"l0.{short}.b": shape[:1]}
    return made | {f"l0.{norm}.{part}": (WIDTH,) for norm in ("aln", "oln") for part in "wb"}


def tensors() -> dict[str, Any]:
    """Numbers that four bits hold exactly, for those that are kept in four bits; any for the others."""
    random = np.random.default_rng(0)
    made: dict[str, Any] = {}
    for name, shape in sizes().items():
        made[name] = random.standard_normal(shape).astype(np.float32)
        if _packed(name):
            scales = random.integers(1, 9, (int(np.prod(shape)) // 32, 1)) / 64
            made[name] = (random.integers(-8, 8, (len(scales), 32)) * scales).reshape(shape).astype(np.float32)
            made[f"{name} scales"] = scales
    return made


def tiny(values: Mapping[str, Any], *, tensors_in: Mapping[str, bytes] | None = None) -> bytes:
    """The file. tensors_in: what stands in the directory of tensors instead."""
    texts = [piece.encode() for piece in PIECES]
    bounds = np.cumsum([0, *map(len, texts)])
    head = b"E5S1" + struct.pack("<8i", 1, WIDTH, LAYERS, 2, INNER, len(PIECES) + 3, POSITIONS, 2)
    head += struct.pack("<fi", 1e-12, 32) + struct.pack("<5i", len(PIECES), 0, 2, 1, 3)
    head += struct.pack("<Q", bounds[-1]) + bounds.astype("<u4").tobytes()
    head += np.arange(0, -len(PIECES), -1).astype("<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xA0, 1, 0x20)
    data = {name: _bytes(values, name) for name in sizes()}
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in data)
    head += struct.pack("<i", len(data))
    for name, one in data.items():
        entry = struct.pack("<BIQQ", _packed(name), values[name].size, start, len(one))
        head += struct.pack("<H", len(name)) + name.encode() + (tensors_in or {}).get(name, entry)
        start += len(one)
    return head + b"".join(data.values())


def _packed(name: str) -> bool:
    return name == "emb.word" or (name.startswith("l0") and name.endswith("w") and "ln" not in name)


def _bytes(values: Mapping[str, Any], name: str) -> bytes:
    if not _packed(name):
        return bytes(values[name].astype("<f4").tobytes())
    scales = values[f"{name} scales"]
    numbers = np.rint(values[name].reshape(-1, 32) / scales).astype(np.int8) + 8
    halves = (numbers[:, :16] | numbers[:, 16:] << 4).astype(np.uint8)
    return b"".join(
        np.float16(scale).tobytes() + half.tobytes() for scale, half in zip(scales[:, 0], halves, strict=True)
    )
