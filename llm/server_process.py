"""A model server as a child process that never outlives us, however we end.

Between us and the server stands a supervisor (this module, run as a program). It holds the other end
of a pipe: when we are done, crash or are killed, the pipe closes, and the supervisor stops the server
and all it started, politely first, then for good. This needs no help from the operating system beyond
POSIX process groups, so it also holds where a parent's death sends no signal.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from reaseq.llm.endpoint import EngineError

_POLL_SECONDS = 0.1
_LOG_LINES = 15


@contextmanager
def running(
    command: Sequence[str],
    *,
    name: str,
    health: str,
    log: Path,
    startup: float,
    grace: float,
    env: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run `command` until the block ends; enter the block once the address `health` answers 200.

    What the server prints goes to the file `log`. `startup` and `grace` are seconds: how long it may
    take to come up, and to stop before it is killed. `env` is added to our environment.

    Raises:
        EngineError: the server stopped, or was not up in time. The message has the end of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "reaseq.llm.server_process", str(grace), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,  # Ctrl-C is for us; the server goes on until we are done with it
        )
    assert supervisor.stdin is not None
    try:
        _wait_until_up(supervisor, name, health, log, time.monotonic() + startup)
        yield
    finally:
        supervisor.stdin.close()
        supervisor.wait()


def free_port() -> int:
    """A port of loopback that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(supervisor: "subprocess.Popen[bytes]", name: str, health: str, log: Path, deadline: float) -> None:
    while time.monotonic() < deadline:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(health, timeout=2) as answer:
            if answer.status == 200:
                return
        if supervisor.poll() is not None:
            raise EngineError(f"{name} stopped; the end of its log:\n{_tail(log)}", hint=f"see {log}")
        time.sleep(_POLL_SECONDS)
    raise EngineError(f"{name} was not up in time; the end of its log:\n{_tail(log)}", hint=f"see {log}")


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (nothing)"


def _supervise(grace: float, command: Sequence[str]) -> int:
    """Run `command` in a process group of its own until it ends or standard input does."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop_when_left_alone() -> None:
        sys.stdin.buffer.read()
        _signal_group(server, signal.SIGTERM)
        time.sleep(grace)
        _signal_group(server, signal.SIGKILL)

    threading.Thread(target=stop_when_left_alone, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: _signal_group(server, signal.SIGTERM))
    status = server.wait()
    _signal_group(server, signal.SIGKILL)  # what it started and left behind
    return status


def _signal_group(server: "subprocess.Popen[bytes]", number: int) -> None:
    # PermissionError is macOS's answer for a group of which only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, number)


if __name__ == "__main__":
    sys.exit(_supervise(float(sys.argv[1]), sys.argv[2:]) and 1)
