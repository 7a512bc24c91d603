"""The embedded engine: a small model on llama.cpp's server, in a child process, on loopback only.

A process of its own, although the runtime could serve from within ours: there its shutdown waits for
ever when a reply is under way, its faults would take the run along, and it writes to the terminal.
"""

import os
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from reaseq.llm.endpoint import Endpoint, EngineError, Price
from reaseq.llm.models import DEFAULT, KNOWN, Progress, find, resolve, sha256_of
from reaseq.llm.server_process import free_port, running

CONTEXT_PER_REQUEST = 5120
"""Tokens of prompt and reply one request may take."""

_SLOTS_PER_REQUEST = 3
"""Prompts held for every request at a time: one for each agent that asks about a product."""

_MOST_SLOTS = 24
"""Unless there are more requests at a time: each takes 140 MB with the default model."""

_KEY = "REASEQ_EMBEDDED_KEY"
_STARTUP_SECONDS = 300


def fingerprint(model: str | None, models_dir: Path) -> str:
    """What answers: the weights and the runtime. The number of parallel requests is left out, as it
    changes no more than the last digits of a probability. Nothing is downloaded to find out."""
    known = KNOWN.get(model or DEFAULT)
    path = None if known else find(model, models_dir)
    weights = known.sha256 if known else sha256_of(path) if path else f"{model} (not here yet)"
    try:
        runtime = version("xllamacpp")
    except PackageNotFoundError:
        runtime = "not installed"
    return f"{weights[:16]} llama.cpp {runtime}"


@contextmanager
def serve(
    model: str | None,
    *,
    models_dir: Path,
    logs_dir: Path,
    concurrency: int,
    price: Price | None = None,
    progress: Progress | None = None,
) -> Iterator[Endpoint]:
    """Serve `model` (see `reaseq.llm.models.resolve`) until the block ends. Its log is `embedded.log`.

    Raises:
        EngineError: the runtime is not installed, or the model cannot be had or loaded.
    """
    try:
        version("xllamacpp")
    except PackageNotFoundError as error:
        raise EngineError(
            "the embedded engine needs xllamacpp",
            hint="pip install 'reaseq[embedded]'   (or: --engine openai --model NAME)",
        ) from error
    path = resolve(model, models_dir, progress)
    port = free_port()
    slots = max(concurrency, min(_SLOTS_PER_REQUEST * concurrency, _MOST_SLOTS))
    key = secrets.token_urlsafe(16)  # other users and web pages on this machine must not reach the model
    command = [sys.executable, "-m", "reaseq.llm.embedded", str(path), str(port), str(slots)]
    with (
        TemporaryDirectory(prefix="reaseq-") as saved,
        running(
            [*command, f"{saved}{os.sep}"],
            name=f"the server of {path.name}",
            health=f"http://127.0.0.1:{port}/health",
            log=logs_dir / "embedded.log",
            startup=_STARTUP_SECONDS,
            grace=0,  # it holds nothing that could be lost
            env={_KEY: key},
        ),
    ):
        yield Endpoint(
            base_url=f"http://127.0.0.1:{port}/v1",
            model=model or DEFAULT,
            fingerprint=fingerprint(model, models_dir),
            api_key=key,
            grammar=True,
            logprobs=True,
            slots=slots,
            price=price,
        )


def _serve_until_killed(path: str, port: int, slots: int, saved: str) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_parallel = slots
    # Measured with the prompts of a run, four at a time: flash attention, batch sizes and n-gram speculation gain
    # nothing. A cache for all slots together would be smaller, but then attention passes over what all of them hold,
    # which took a quarter of the time.
    params.n_ctx = CONTEXT_PER_REQUEST * slots
    params.kv_unified = False
    params.cache_ram_mib = 0
    params.endpoint_slots = True
    params.slot_save_path = saved
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.api_keys = [os.environ.pop(_KEY)]
    params.warmup = False
    params.verbosity = 2  # warnings and errors
    _server = xllamacpp.Server(params)
    threading.Event().wait()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    _serve_until_killed(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
