"""The embedded engine: a small model on llama.cpp's server, in this process, on loopback only."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reaseq.llm.endpoint import Endpoint, EngineError
from reaseq.llm.models import DEFAULT, KNOWN, Progress, resolve, sha256_of

CONTEXT_PER_REQUEST = 4096
"""Tokens of prompt and reply one request may take."""


def fingerprint(model: str | None, models_dir: Path) -> str:
    """What answers: the weights and the runtime. The number of parallel requests is left out, as it
    changes no more than the last digits of a probability."""
    known = KNOWN.get(model or DEFAULT)
    weights = known.sha256 if known else sha256_of(resolve(model, models_dir))
    try:
        runtime = version("xllamacpp")
    except PackageNotFoundError:
        runtime = "not installed"
    return f"{weights[:16]} llama.cpp {runtime}"


@contextmanager
def serve(
    model: str | None, *, models_dir: Path, concurrency: int, progress: Progress | None = None
) -> Iterator[Endpoint]:
    """Serve `model` (see `reaseq.llm.models.resolve`) in this process.

    Raises:
        EngineError: the runtime is not installed, or the model cannot be had or loaded.
    """
    # Waiting threads must sleep: when they spin, a busy machine loses nine tenths of its speed.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError as error:
        raise EngineError(
            "the embedded engine needs xllamacpp",
            hint="pip install 'reaseq[embedded]'   (or: --engine openai --model NAME)",
        ) from error
    path = resolve(model, models_dir, progress)
    key = secrets.token_urlsafe(16)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = concurrency
    params.n_ctx = CONTEXT_PER_REQUEST * concurrency
    params.kv_unified = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # Other pages and users on this machine must not reach the model.
    params.api_keys = [key]
    params.warmup = False
    params.verbosity = 1  # errors only: the terminal belongs to the progress display
    try:
        server = xllamacpp.Server(params)
    except Exception as error:  # the runtime raises bare exceptions of its own
        raise EngineError(f"{path} cannot be loaded: {error}", hint="is it a chat model in GGUF format?") from error
    try:
        yield Endpoint(
            base_url=f"{server.listening_address}/v1",
            model=model or DEFAULT,
            fingerprint=fingerprint(model, models_dir),
            api_key=key,
            grammar=True,
            logprobs=True,
        )
    finally:
        del server


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
