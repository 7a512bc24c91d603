"""`reaseq embed`, `similar` and `embeddings export`, mostly with an encoder that is made here and knows a few words."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.store import EMBEDDING, PRODUCT, ProductKnowledge, Store

Run = Callable[..., str]
MODELS = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models")).resolve()
STORE = "sqlite:///.reaseq/store.sqlite"
FIRST, *_, LAST = IDS = [f"made-{number:06}" for number in range(1, 6)]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a sentence-transformers model: a random vector a word, a text is their mean."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    known = ["?", "black", "leather", "boots", "canvas", "sandals", "Men", "Women", "Kids", "Unisex", *"0123456789"]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(known)}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.random.default_rng(0).standard_normal((len(known), 16)).astype(np.float32)
    folder = tmp_path_factory.mktemp("models") / "words"
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu").save(str(folder))
    return str(folder)


@pytest.fixture
def filled(run: Run) -> Run:
    """`run`, in a folder whose store holds five shoes."""
    with Store.open(STORE) as store:
        fill(store, len(IDS))
    return run


def known_as(product_id: str, text: str) -> None:
    """A claim whose value is that text."""
    claim = {
        "attribute": "?", "value": text, "facet": "supply", "claim_type": "stated", "verdict": "",
        "status": "verified", "found_by": "both", "quote": text,
    }  # fmt: skip
    with Store.open(STORE) as store:
        run_id = store.start_run(command="distill", model="m", engine="e", settings={}, versions={})
        store.save_knowledge(ProductKnowledge(product_id, {}, claims=[claim]), run_id=run_id)


def vectors() -> dict[str, bytes]:
    with Store.open(STORE) as store, store.reading() as connection:
        return {row.product_id: row.vector for row in connection.execute(EMBEDDING.select())}


def test_only_what_changed_is_embedded(filled: Run, words: str) -> None:
    assert "│ title │ 5 │ 0 │" in filled("embed", "--model", words, "--dry-run")
    assert vectors() == {}
    output = filled("embed", "--model", words)
    assert "│ title │ 5 │ 0 │" in output
    assert "16 dimensions" in output
    assert "Next: reaseq similar ID, or reaseq train-ranker" in output
    before = vectors()
    assert "│ title │ 0 │ 5 │" in filled("embed", "--model", words)
    known_as(FIRST, "black leather boots")
    output = filled("embed", "--model", words)
    assert "│ claims │ 1 │ 0 │" in output
    assert "│ title │ 0 │ 4 │" in output
    after = vectors()
    assert [product for product in IDS if after[product] != before[product]] == [FIRST]


def test_an_interrupted_run_goes_on(filled: Run, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "_CHUNK", 2)
    with monkeypatch.context() as cut_short:
        whole = Encoder.encode
        calls = iter(range(10))

        def stopped(*arguments: object, **options: object) -> object:
            if next(calls) == 1:
                raise KeyboardInterrupt
            return whole(*arguments, **options)  # type: ignore[arg-type]

        cut_short.setattr(Encoder, "encode", stopped)
        filled("embed", "--model", words, status=130)
    assert list(vectors()) == IDS[:2]
    assert "│ title │ 3 │ 2 │" in filled("embed", "--model", words)
    assert list(vectors()) == IDS


def test_one_category(filled: Run, words: str) -> None:
    with Store.open(STORE) as store, store.writing() as connection:
        connection.execute(update(PRODUCT).where(PRODUCT.c.id == LAST).values(category="bags"))
    assert "│ title │ 4 │ 0 │" in filled("embed", "--category", "Shoe", "--model", words)  # as distill takes it
    assert list(vectors()) == IDS[:-1]
    with pytest.raises(ReaseqError, match=r"no products of category 'coffee' in the store; it holds: bags \(1\)"):
        filled("embed", "--category", "coffee", "--model", words)


def test_similar_products(filled: Run, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReaseqError, match="'made-000001' has no embedding yet"):
        filled("similar", FIRST)
    texts = ["black leather boots", "leather boots", "canvas sandals", "canvas sandals black", "sandals canvas boots"]
    for product, text in zip(IDS, texts, strict=True):
        known_as(product, text)
    with Store.open(STORE) as store, store.writing() as connection:
        hostile = "\x1b[2J[red]Boots[/red]"
        connection.execute(update(PRODUCT).values(title="shoe", brand=None))
        connection.execute(update(PRODUCT).where(PRODUCT.c.id == IDS[1]).values(title=hostile))
    filled("embed", "--model", words)
    output = filled("similar", FIRST, "-k", "2")
    assert output.index(IDS[1]) == min(output.find(product) for product in IDS if product in output)
    assert f"│ {IDS[1]} │ shoes │ \N{REPLACEMENT CHARACTER}[2J[red]Boots[/red] │ 0." in output
    assert FIRST not in output
    assert output.count("made-") == 2
    assert f"embeddings by {words}, the newest. For those by all-MiniLM-L6-v2: reaseq embed" in output
    monkeypatch.setenv("REASEQ_ENCODER", words)
    output = filled("similar", FIRST, "-k", "100")
    assert output.count("made-") == 4
    assert "embeddings by" not in output
    with pytest.raises(ReaseqError, match="no product with id 'boots' in the store"):
        filled("similar", "boots")


def test_export(filled: Run, words: str) -> None:
    with pytest.raises(ReaseqError, match="no embeddings yet"):
        filled("embeddings", "export", "items.npz")
    filled("embed", "--model", words)
    assert "5 embeddings written to items.npz" in filled("embeddings", "export", "items.npz")
    filled("embeddings", "export", "white.npz", "--whitened")
    with np.load("items.npz", allow_pickle=False) as raw, np.load("white.npz", allow_pickle=False) as white:
        assert raw["ids"].tolist() == white["ids"].tolist() == IDS
        np.testing.assert_allclose((raw["vectors"] ** 2).sum(1), 1, atol=2e-3)
        np.testing.assert_allclose((white["vectors"] ** 2).mean(1), 1, atol=1e-3)
    with pytest.raises(ReaseqError, match=r"missing/items\.npz: No such file"):
        filled("embeddings", "export", "missing/items.npz")


def test_nothing_to_embed(run: Run) -> None:
    with pytest.raises(ReaseqError, match="no products yet"):
        run("embed")


def test_a_model_that_is_none(filled: Run) -> None:
    Path("empty").mkdir()
    with pytest.raises(ReaseqError, match="cannot load the text encoder 'empty'"):
        filled("embed", "--model", "empty")
    assert vectors() == {}


@pytest.mark.parametrize("command", [["embed"], ["similar"], ["embeddings", "export"]])
def test_help_has_an_example(run: Run, command: list[str]) -> None:
    assert f"Example: reaseq {' '.join(command)}" in run(*command, "--help")


@pytest.mark.embedded
def test_with_the_default_encoder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASEQ_MODELS_DIR", str(MODELS))
    run("import", "--sample")
    output = run("embed")
    assert "│ title │ 60 │ 0 │" in output
    assert "all-MiniLM-L6-v2:" in output
    assert "384 dimensions" in output
    assert run("similar", "FS-1001", "-k", "3").count("│ shoes │") == 3
