"""The vLLM engine: `vllm serve` as a child process that is always stopped.

https://docs.vllm.ai/en/latest/cli/serve.html
"""

import atexit
import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reaseq.llm.endpoint import EngineError

COMMAND = "REASEQ_VLLM_COMMAND"
"""Environment variable: what to run in place of `vllm serve`, for a vLLM in an environment of its own,
such as `/opt/vllm/bin/python -m vllm.entrypoints.openai.api_server --model`."""

_STARTUP_SECONDS = 900
_GRACE_SECONDS = 15
_LOG_LINES = 15
_PR_SET_PDEATHSIG = 1


@contextmanager
def serve(model: str, *, args: Sequence[str] = (), logs_dir: Path, startup: float = _STARTUP_SECONDS) -> Iterator[str]:
    """Serve `model` on a free port of loopback; yields the base URL once it answers.

    The server's output goes to a file in `logs_dir`. It is stopped when the block ends, however it
    ends, and by the kernel when this process dies (Linux).

    Raises:
        EngineError: vLLM is not installed, exits, or is not up within `startup` seconds.
    """
    port = _free_port()
    command = [*_command(), model, "--host", "127.0.0.1", "--port", str(port), "--served-model-name", model, *args]
    logs_dir.mkdir(parents=True, exist_ok=True)
    log = logs_dir / f"vllm-{time.strftime('%Y%m%d-%H%M%S')}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    stop = _Stop(process)
    atexit.register(stop)
    try:
        _wait_until_up(process, f"http://127.0.0.1:{port}/health", log, time.monotonic() + startup)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        stop()
        atexit.unregister(stop)


def _command() -> list[str]:
    if given := os.environ.get(COMMAND):
        return shlex.split(given)
    if shutil.which("vllm") is None:
        raise EngineError(
            "vLLM is not installed here",
            hint=f"pip install 'reaseq[vllm]', or set {COMMAND} to the command of a vLLM in another environment",
        )
    return ["vllm", "serve"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_up(process: "subprocess.Popen[bytes]", health: str, log: Path, deadline: float) -> None:
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EngineError(
                f"vLLM stopped with status {process.returncode}; the end of its log:\n{_tail(log)}",
                hint=f"see {log}",
            )
        try:
            with urllib.request.urlopen(health, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    raise EngineError(f"vLLM was not up in time; the end of its log:\n{_tail(log)}", hint=f"see {log}")


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (nothing)"


class _Stop:
    """Stops the child and all it started: politely, then for good."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def __call__(self) -> None:
        for number, patience in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, None)):
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                break
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()
