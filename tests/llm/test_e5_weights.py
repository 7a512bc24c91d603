"""Four-bit weights are unpacked into a folder that loads; what is broken is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from reaseq.knowledge_store.encoder import Encoder
from reaseq.llm.e5_weights import BrokenWeightsError, unpack
from tests.llm.tiny_e5 import PIECES, sizes, tensors, tiny

VALUES = tensors()
WHOLE = tiny(VALUES)


def unpacked(folder: Path, data: bytes) -> Path:
    (folder / "packed.bin").write_bytes(data)
    unpack(folder / "packed.bin", folder / "made", "query: ")
    return folder / "made"


def test_the_tensors_come_out(tmp_path: Path) -> None:
    found = load_file(unpacked(tmp_path, WHOLE) / "model.safetensors")
    assert {value.dtype for value in found.values()} == {np.dtype(np.float16)}
    layer = "encoder.layer.0."
    for name, short in (
        ("embeddings.word_embeddings.weight", "emb.word"),
        ("embeddings.LayerNorm.bias", "emb.ln.b"),
        (layer + "attention.self.key.weight", "l0.k.w"),
        (layer + "attention.output.LayerNorm.weight", "l0.aln.w"),
        (layer + "intermediate.dense.weight", "l0.fi.w"),
        (layer + "output.dense.bias", "l0.fo.b"),
    ):
        np.testing.assert_array_equal(found[name], VALUES[short].astype(np.float16), err_msg=name)
    assert len(found) == len(sizes()) + 2
    assert not found["pooler.dense.weight"].any()


def test_the_folder_is_an_encoder_that_is_the_same_in_each_load(tmp_path: Path) -> None:
    folder = str(unpacked(tmp_path, WHOLE))
    encoder = Encoder("multilingual-e5-small", folder)
    tokenizer = encoder._model.tokenizer
    ids = tokenizer("red  shoes\u3000ｒｅｄ")["input_ids"]
    assert [PIECES[number] for number in ids] == ["<s>", "▁red", "▁shoe", "s", "▁red", "</s>"]
    made = encoder.encode(["red shoe", "rot"])
    assert made.shape == (2, 32)
    np.testing.assert_array_equal(made, Encoder("multilingual-e5-small", folder).encode(["red shoe", "rot"]))
    assert Encoder("multilingual-e5-small", folder).fingerprint == encoder.fingerprint
    assert encoder._settings()["prompt"] == "query: "
    plain = encoder._model.encode(["query: rot"], prompt="", normalize_embeddings=True)
    np.testing.assert_allclose(made[1:].astype(np.float32), plain, atol=2e-3)


@pytest.mark.parametrize("kept", [*range(0, len(WHOLE), 997), len(WHOLE) - 1])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    with pytest.raises(BrokenWeightsError):
        unpacked(tmp_path, WHOLE[:kept])
    assert not (tmp_path / "made" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("at", "form", "number"),
    [
        (0, "<4s", b"GGUF"),
        (4, "<i", 2),
        *((at, "<i", number) for at in range(8, 36, 4) for number in (-1, 0, 7, 2**31 - 1)),
        (36, "<f", float("nan")),
        (40, "<i", 64),
        *((at, "<i", number) for at in range(44, 64, 4) for number in (-1, 2**31 - 1)),
        (64, "<Q", 2**63),
        (72, "<I", 1),
        (76, "<I", 2**32 - 1),
        (72 + 4 * (len(PIECES) + 1), "<f", float("inf")),
    ],
)
def test_numbers_that_cannot_be_are_refused(tmp_path: Path, at: int, form: str, number: int) -> None:
    data = bytearray(WHOLE)
    struct.pack_into(form, data, at, number)
    with pytest.raises(BrokenWeightsError):
        unpacked(tmp_path, bytes(data))


@pytest.mark.parametrize(
    "entry",
    [
        (2, 1024, 0, 576),
        (0, 1024, 0, 576),
        (1, 1024, 0, 4096),
        (1, 2**32 - 1, 0, 576),
        (1, 1024, 2**63, 576),
        (1, 1024, len(WHOLE) - 575, 576),
    ],
)
def test_tensors_that_cannot_be_are_refused(tmp_path: Path, entry: tuple[int, ...]) -> None:
    data = tiny(VALUES, tensors_in={"l0.q.w": struct.pack("<BIQQ", *entry)})
    with pytest.raises(BrokenWeightsError, match=r"l0\.q\.w|ends at"):
        unpacked(tmp_path, data)


def test_scales_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    scales = VALUES["l0.q.w scales"].copy()
    scales[3] = np.inf
    with np.errstate(all="ignore"), pytest.raises(BrokenWeightsError, match="no number"):
        unpacked(tmp_path, tiny(VALUES | {"l0.q.w scales": scales}))
