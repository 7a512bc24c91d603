"""A scorer as ONNX says what the scorer says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reaseq import ReaseqError
from reaseq.knowledge_store.log import Imagined, Sequences
from reaseq.knowledge_store.store import Store
from reaseq.ranker.export import export
from reaseq.ranker.model import ModelConfig, Ranker
from reaseq.ranker.score import case_scores, encode_histories
from reaseq.ranker.scorer import Scorer
from reaseq.ranker.train import Fitted

pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
pytest.importorskip("onnxscript", reason="the extra `onnx` is not installed")
ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
ITEMS = 60
GAPS = [0, 1, 59.5, 60, 180, 420, 900, 3600, 61380, 86400, 2.0e6, 60 * (2**20 - 1), 60 * (2**20 - 1) - 0.5]
"""Seconds; some lie at the edges of buckets, where logarithms differ."""


def scorer(store: Store, **settings: Any) -> Scorer:
    """A model whose every weight tells."""
    torch.manual_seed(0)
    config = ModelConfig(dim=16, blocks=2, heads=2, **settings)
    model = Ranker(config, 8).eval()
    for one in model.parameters():
        torch.nn.init.normal_(one, std=0.3)
    counts = torch.arange(ITEMS)
    knowledge = torch.randn(ITEMS, 8) if "knowledge" in config.features else None
    return Scorer(store, Fitted(model, torch.randn(ITEMS, 16), counts, knowledge), [f"p {n}" for n in range(ITEMS)])


def histories(number: int, longest: int, slots: int = 0) -> Sequences:
    """Of any length from none, with repetition and baskets."""
    random = np.random.default_rng(0)
    lengths = random.integers(0, longest + 1, number)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    items = random.integers(0, ITEMS // 3, offsets[-1])
    at = np.cumsum(random.choice(GAPS, offsets[-1]))
    if not slots:
        return Sequences(offsets, items, at)
    made = random.integers(-1, ITEMS, (offsets[-1], slots))
    confidence = np.where(made < 0, -np.inf, random.normal(size=made.shape)).astype(np.float32)
    return Sequences(offsets, items, at, Imagined(np.arange(offsets[-1]), made, confidence))


def padded(some: Sequences) -> dict[str, Any]:
    width = max(1, int(some.lengths.max()))
    inputs: dict[str, Any] = {
        "items": np.full((len(some), width), -1),
        "at": np.zeros((len(some), width)),
    }
    where = np.arange(width) < some.lengths[:, None]
    inputs["items"][where], inputs["at"][where] = some.items, some.at
    if some.imagined is not None:
        row = some.imagined.row[np.maximum(some.offsets[1:] - 1, 0)]
        inputs["imagined"], inputs["log_confidence"] = some.imagined.items[row], some.imagined.log_confidence[row]
    return inputs


@pytest.mark.slow
@pytest.mark.trial
@pytest.mark.parametrize(
    ("settings", "slots"),
    [
        ({"timed": True}, 0),
        ({"timed": True, "features": ("id", "knowledge", "beyond_log"), "discount": 0.5}, 4),
        ({"repeats": False}, 0),
    ],
    ids=["timed", "everything", "no repeats"],
)
def test_a_thousand_histories(
    store: Store, tmp_path: Path, settings: dict[str, Any], slots: int, all_trials: bool
) -> None:
    if not (slots or all_trials):
        pytest.skip("the model with everything is tried; make trials tries the others too")
    mine = scorer(store, **settings)
    files = export(mine, tmp_path / "ranker.onnx", "3f2a9c")
    assert sorted(tmp_path.glob("ranker*")) == sorted(files)
    session, arrays = ort.InferenceSession(files[0]), np.load(files[1])
    assert session.get_modelmeta().custom_metadata_map["reaseq"] == files[2].read_text().strip()
    told = json.loads(files[2].read_text())
    assert (told["run"], told["products"], told["features"][0]) == ("3f2a9c", ITEMS, "id")
    assert set(told["model"]["inputs"]) == {one.name for one in session.get_inputs()}
    assert set(told["model"]["outputs"]) == {one.name for one in session.get_outputs()}
    assert set(told["arrays"]) == {"file", *arrays.files}
    assert arrays["ids"].tolist() == mine.products
    some = histories(1000, 70, slots)
    assert some.lengths.min() == 0
    user, bonus = session.run(["user", "bonus"], inputs := padded(some))
    h, _ = encode_histories(mine.fitted.model, mine.vectors, some)
    np.testing.assert_allclose(user, h.numpy(), atol=1e-4, rtol=0)
    scores = user @ arrays["vectors"].T + arrays["bias"]
    rows, places = np.nonzero(inputs["items"] >= 0)
    np.add.at(scores, (rows, inputs["items"][rows, places]), bonus[rows, places])
    expected = case_scores(mine.fitted.model, mine.vectors, some)(0, len(some)).numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-4, rtol=0)
    np.testing.assert_allclose(
        arrays["popularity"], mine.score_many(mine.sequences([[]]), torch.arange(ITEMS))[0].numpy()
    )
    # Padding changes nothing.
    alone, _ = session.run(["user", "bonus"], padded(some.select(np.array([1]))))
    np.testing.assert_allclose(alone, user[1:2], atol=1e-4, rtol=0)


def test_what_cannot_be_written_is_said(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = scorer(store)
    with pytest.raises(ReaseqError, match=r"a scorer is written as \.onnx"):
        export(mine, tmp_path / "ranker.pt", "x")
    with pytest.raises(ReaseqError, match="No such file or directory"):
        export(mine, tmp_path / "nowhere" / "ranker.onnx", "x")
    monkeypatch.setattr("reaseq.ranker.export._MOST_BYTES", 1000)
    with pytest.raises(ReaseqError, match=r"the vectors of 60 products are 0\.0 GiB"):
        export(mine, tmp_path / "ranker.onnx", "x")
    monkeypatch.setattr("reaseq.ranker.export.find_spec", lambda name: None)
    with pytest.raises(ReaseqError, match="onnx and onnxscript must be installed") as caught:
        export(mine, tmp_path / "ranker.onnx", "x")
    assert caught.value.hint == "pip install 'reaseq[onnx]'"
    assert not list(tmp_path.glob("*.onnx*"))
