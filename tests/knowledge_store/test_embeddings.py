"""Knowledge embeddings: what is embedded, what is done again, and how they leave the store."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from sqlalchemy import update

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.embedding_export import export_embeddings
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.store import PRODUCT, ProductKnowledge, Store
from reaseq.knowledge_store.summaries import composed
from reaseq.llm import encoders

MODELS = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models"))
WORDS = ("a", "black", "leather", "boot", "canvas", "sandal", "for", "rain", "and", "sun")
CLAIM = {
    "attribute": "upper_material", "value": "suede", "facet": "supply", "claim_type": "stated", "verdict": "",
    "status": "verified", "found_by": "both", "quote": "Suede",
}  # fmt: skip


def vectors_of(number: int, seed: int = 0) -> NDArray[np.float32]:
    made = np.random.default_rng(seed).standard_normal((number, 4)).astype(np.float32)
    unit: NDArray[np.float32] = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


@pytest.fixture
def known(store: Store) -> Store:
    """Three products: one with prose, one with claims alone, one with nothing but its title."""
    fill(store, 3)
    run_id = store.start_run(command="distill", model="m", engine="e", settings={}, versions={})
    prose = {"text": "A shoe for muddy trails.", "model": "m", "prompt_fingerprint": ""}
    store.save_knowledge(ProductKnowledge("made-000001", {}, claims=[CLAIM], prose=prose), run_id=run_id)
    rejected = CLAIM | {"attribute": "closure", "value": "zip", "status": "rejected"}
    store.save_knowledge(ProductKnowledge("made-000002", {}, claims=[CLAIM, rejected]), run_id=run_id)
    return store


def test_the_best_text_there_is(known: Store) -> None:
    found = {text.product_id: text for text in embeddings.texts(known)}
    for product_id in ("made-000001", "made-000002"):
        product = known.product(product_id)
        assert product is not None
        assert found[product_id].text == composed(product, [CLAIM])
        assert "Upper material: suede" in found[product_id].text
    assert [found[f"made-00000{number}"].source for number in (1, 2, 3)] == ["claims", "claims", "title"]
    assert list(embeddings.texts(known, "watches")) == []


def test_only_what_changed_is_stale(known: Store) -> None:
    space = embeddings.open_space(known, "model", "f1", 4)
    texts = list(embeddings.texts(known))
    embeddings.save_vectors(known, space, texts[:2], vectors_of(2))  # a run that was stopped here

    def stale(of: embeddings.Space) -> list[str]:
        return [text.product_id for text, wanted in embeddings.stale(known, of) if wanted]

    assert stale(space) == ["made-000003"]
    embeddings.save_vectors(known, space, texts[2:], vectors_of(1))
    assert stale(space) == []
    run_id = known.start_run(command="distill", model="m", engine="e", settings={}, versions={})
    prose = {"text": "Something else.", "model": "m", "prompt_fingerprint": ""}
    known.save_knowledge(ProductKnowledge("made-000001", {}, claims=[CLAIM], prose=prose), run_id=run_id)
    assert stale(space) == [], "what a model wrote is not embedded"
    other = CLAIM | {"value": "nubuck", "quote": "Nubuck"}
    known.save_knowledge(ProductKnowledge("made-000001", {}, claims=[other]), run_id=run_id)
    assert stale(space) == ["made-000001"]
    assert len(stale(embeddings.open_space(known, "model", "f2", 4))) == 3  # other weights, another space


def test_vectors_come_back_in_half_precision(known: Store) -> None:
    space = embeddings.open_space(known, "model", "f1", 4)
    texts, vectors = list(embeddings.texts(known)), vectors_of(3)
    embeddings.save_vectors(known, space, texts[::-1], vectors[::-1])
    ids, found = embeddings.load_vectors(known, space)
    assert ids == [text.product_id for text in texts]
    np.testing.assert_allclose(found, vectors, atol=1e-3)


def test_exports(known: Store, tmp_path: Path) -> None:
    with pytest.raises(ReaseqError, match="no embeddings yet"):
        export_embeddings(known, tmp_path / "a.parquet")
    space = embeddings.open_space(known, "model", "f1", 4)
    vectors = vectors_of(3)
    embeddings.save_vectors(known, space, list(embeddings.texts(known)), vectors)
    ids = [f"made-00000{number}" for number in (1, 2, 3)]
    assert export_embeddings(known, tmp_path / "a.parquet") == 3
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["product_id"].to_pylist() == ids
    np.testing.assert_allclose(np.array(table["vector"].to_pylist()), vectors, atol=1e-3)
    export_embeddings(known, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["ids"].tolist() == ids
        np.testing.assert_allclose(arrays["vectors"], vectors, atol=1e-3)
    export_embeddings(known, tmp_path / "a.itememb")
    head, *lines = (tmp_path / "a.itememb").read_text().splitlines()
    assert head == "iid:token\titem_emb:float_seq"
    assert [line.split("\t")[0] for line in lines] == ids
    np.testing.assert_allclose(
        [[float(v) for v in line.split("\t")[1].split(" ")] for line in lines], vectors, atol=1e-3
    )
    with pytest.raises(ReaseqError, match=r"unknown format '.csv'"):
        export_embeddings(known, tmp_path / "a.csv")
    with pytest.raises(ReaseqError, match="not whitened"):
        export_embeddings(known, tmp_path / "b.npz", whitened=True)
    whitening = embeddings.fit_whitening(known, space).whitening
    assert whitening is not None
    export_embeddings(known, tmp_path / "b.npz", whitened=True)
    with np.load(tmp_path / "b.npz") as arrays:
        np.testing.assert_allclose((arrays["vectors"] ** 2).mean(1), 1, rtol=1e-4)


def test_a_category_is_read_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "_BATCH", 2)
    fill(store, 9)
    with store.writing() as connection:
        connection.execute(update(PRODUCT).where(PRODUCT.c.line % 3 == 0).values(category="bags"))
    every = [text.product_id for text in embeddings.texts(store)]
    bags = [text.product_id for text in embeddings.texts(store, "bags")]
    assert every == [f"made-00000{number}" for number in range(1, 10)]
    assert bags == ["made-000003", "made-000006", "made-000009"]
    assert [text.product_id for text in embeddings.texts(store, "shoes")] == sorted(set(every) - set(bags))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Encoder]:
    """Makes encoders of equal small random weights that differ in their settings."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast  # type: ignore[attr-defined]

    folder = tmp_path_factory.mktemp("small")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)

    def make(name: str, pooling: str = "mean", length: int = 32) -> Encoder:
        path = tmp_path_factory.mktemp("encoder")
        transformer = Transformer(str(folder), max_seq_length=length)
        SentenceTransformer(modules=[transformer, Pooling(16, pooling)], device="cpu").save(str(path))
        return Encoder(name, str(path))

    return make


def test_vectors_are_of_unit_length_in_the_order_of_the_texts(small: Callable[..., Encoder]) -> None:
    encoder = small("small")
    texts = [" ".join(np.random.default_rng(seed).choice(WORDS, 1 + seed % 9)) for seed in range(300)]
    done: list[int] = []
    found = encoder.encode(texts, on_progress=done.append).astype(np.float32)
    assert done == [128, 256, 300]
    assert found.shape == (300, encoder.dimensions) == (300, 16)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=2e-3)
    np.testing.assert_array_equal(found, encoder.encode(texts))
    np.testing.assert_allclose(found[::-1], encoder.encode(texts[::-1]), atol=2e-3)
    assert encoder.encode([]).shape == (0, 16)


def test_encoders_that_give_other_vectors_have_other_fingerprints(small: Callable[..., Encoder]) -> None:
    fingerprint = small("small").fingerprint
    assert small("small").fingerprint == fingerprint
    others = {small("other"), small("small", pooling="cls"), small("small", length=8)}
    assert len({fingerprint, *(other.fingerprint for other in others)}) == 4


def test_an_encoder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ReaseqError, match="cannot load the text encoder"):
        _ = Encoder("mine", str(tmp_path)).dimensions


@pytest.mark.embedded
def test_the_default_encoder_for_real() -> None:
    """Real weights: likeness of meaning, order kept, batches of no influence, bfloat16 close to full precision."""
    from sentence_transformers import SentenceTransformer

    name, folder = encoders.resolve(MODELS)
    encoder = Encoder(name, folder)
    texts = ["trail running shoe", "a shoe to run off road, with deep lugs and a rock plate" * 3, "porcelain teapot"]
    found = encoder.encode(texts).astype(np.float32)
    assert found.shape == (3, 384)
    assert found[0] @ found[1] > found[0] @ found[2] + 0.2
    alone = np.concatenate([encoder.encode([text]) for text in texts]).astype(np.float32)
    assert (found * alone).sum(1).min() > 0.99
    exact = SentenceTransformer(folder, device="cpu").encode(texts, normalize_embeddings=True)
    assert (found * exact).sum(1).min() > 0.99
    assert len(encoder.fingerprint) == 16
