"""From a log to imagined events and a ranker that knows of them, as people type it."""

from collections.abc import Callable

import pytest

from reaseq import ReaseqError
from reaseq.bench.fake_endpoint import FakeEndpoint, Options
from reaseq.knowledge_store.imagined import find_imagination, imagined_of
from reaseq.knowledge_store.store import Store
from tests.cli.test_ranker import QUICK, fake_embeddings

Run = Callable[..., str]
TINY = ("--set", "dim=16", "--set", "heads=2", "--set", "decoder_blocks=1", "--set", "batch=16")
STORE = "sqlite:///.reaseq/store.sqlite"


@pytest.fixture
def embedded(run: Run) -> Run:
    """`run`, in a folder with the sample catalogue, its log and embeddings of titles."""
    run("import", "--sample")
    run("import-events", "--sample")
    with Store.open(STORE) as store:
        fake_embeddings(store)
    return run


def test_imagined_events_reach_the_ranker(embedded: Run) -> None:
    with pytest.raises(ReaseqError, match="no beyond-log model"):
        embedded("imagine")
    output = embedded("train-beyond-log", "--epochs", "2", *TINY)
    assert "2 models, split temporal" in output
    assert "2 models" in embedded("train-beyond-log", "--epochs", "2", *TINY)
    with pytest.raises(ReaseqError, match="no events of user 'nobody'"):
        embedded("imagine", "--users", "nobody")
    with pytest.raises(ReaseqError, match="nothing is imagined of user 'u001'"):
        embedded("imagined", "show", "--user", "u001")

    output = embedded("imagine", "--slots", "4", "--steps", "2")
    assert "400 users imagined, 0 unchanged" in output
    assert "of a kind that the user really had" in output
    assert "0 users imagined, 400 unchanged" in embedded("imagine", "--slots", "4", "--steps", "2")
    shown = embedded("imagined", "show", "--user", "u001")
    assert "by codes model" in shown
    assert "which never saw part" in shown
    with Store.open(STORE) as store:
        imagination = find_imagination(store)
        assert imagination is not None
        found = imagined_of(store, imagination, "u001")
    assert len(found) == 4
    assert all(one["title"].split()[0] in shown and 0 < one["confidence"] < 1 for one in found)

    output = embedded("train-ranker", "--epochs", "2", *QUICK)
    assert "│ id+knowledge+beyond_log, shuffled users │" in output
    assert "over shuffled users: NDCG@10" in output
    table = output[output.index("400 users") : output.index("│ EASE")]
    again = embedded("evaluate")
    assert again[again.index("400 users") : again.index("│ EASE")] == table
    assert embedded("recommend", "--user", "u001", "-k", "3").count("│ 1 │") == 1
    assert "│ 1 │" in embedded("rank", "--user", "u001", "-k", "3")
    with pytest.raises(ReaseqError, match="learnt for the split temporal, this is leave-one-out"):
        embedded("train-ranker", "--features", "id,beyond_log", "--split", "leave-one-out")


def test_an_endpoint_imagines_in_words(embedded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint speaks the real protocol; here one reply in three is broken, and none is lost for it."""
    from reaseq.knowledge_store import encoder

    class Hashed:
        """Embeds as `fake_embeddings` does."""

        name, fingerprint, dimensions = "words", "words", 64

        def __init__(self, *_: object) -> None: ...

        def encode(self, texts: list[str], **_: object) -> object:
            import numpy as np

            vectors = np.zeros((len(texts), 64), np.float32)
            for row, text in zip(vectors, texts, strict=True):
                for word in text.casefold().split():
                    row += np.random.default_rng(sum(map(ord, word))).standard_normal(64)
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    monkeypatch.setattr(encoder, "Encoder", Hashed)
    with FakeEndpoint(Options.faulty(0.3, hang=1.0)) as fake:
        monkeypatch.setenv("REASEQ_ENGINE", "openai")
        monkeypatch.setenv("REASEQ_BASE_URL", fake.base_url)
        text = ("imagine", "--backend", "text", "--model", "fake", "--slots", "3", "--moments", "1")
        users = [f"u{number:03}" for number in range(1, 9)]
        assert "users imagined" in embedded(*text, "--users", ",".join(users))
        with Store.open(STORE) as store:
            imagination = find_imagination(store)
            assert imagination is not None
            known = [user for user in users if imagined_of(store, imagination, user)]
        calls = fake.stats().answered
        again = embedded(*text, "--users", ",".join(known))
        assert f"0 users imagined, {len(known)} unchanged" in again
        assert fake.stats().answered == calls
    assert len(known) >= 4
    assert "by text model fake" in embedded("imagined", "show", "--user", known[0])
    with pytest.raises(ReaseqError, match="there are codes and text"):
        embedded("imagine", "--backend", "smoke")
