"""The vLLM engine: `vllm serve` as a child process that is always stopped.

https://docs.vllm.ai/en/latest/cli/serve.html
"""

import os
import secrets
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reaseq.llm.endpoint import Endpoint, EngineError, Price
from reaseq.llm.server_process import free_port, running

COMMAND = "REASEQ_VLLM_COMMAND"
"""Environment variable: what to run in place of `vllm serve`, for a vLLM in an environment of its own,
such as `/opt/vllm/bin/python -m vllm.entrypoints.openai.api_server --model`."""

_STARTUP_SECONDS = 1800.0  # a first start downloads the weights and compiles
_GRACE_SECONDS = 15.0


@contextmanager
def serve(
    model: str,
    *,
    args: Sequence[str] = (),
    logs_dir: Path,
    fingerprint: str,
    price: Price | None = None,
    startup: float = _STARTUP_SECONDS,
    grace: float = _GRACE_SECONDS,
) -> Iterator[Endpoint]:
    """Serve `model` on a free port of loopback until the block ends, with a key of its own.

    The server's output goes to a file in `logs_dir`. `startup` and `grace` are seconds, see
    `reaseq.llm.server_process.running`.

    Raises:
        EngineError: vLLM is not installed, exits, or is not up within `startup` seconds.
    """
    port = free_port()
    key = secrets.token_urlsafe(16)
    own = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", model]
    with running(
        [*_command(), model, *args, *own],
        name="vLLM",
        health=f"http://127.0.0.1:{port}/health",
        log=logs_dir / f"vllm-{time.strftime('%Y%m%d-%H%M%S')}-{port}.log",
        startup=startup,
        grace=grace,
        env={"VLLM_API_KEY": key},
    ):
        yield Endpoint(
            base_url=f"http://127.0.0.1:{port}/v1",
            model=model,
            fingerprint=fingerprint,
            api_key=key,
            grammar=True,
            logprobs=True,
            price=price,
        )


def _command() -> list[str]:
    command = shlex.split(os.environ.get(COMMAND, "")) or ["vllm", "serve"]
    if shutil.which(command[0]) is None:
        raise EngineError(
            f"vLLM is not installed here: no command {command[0]!r}",
            hint=f"pip install 'reaseq[vllm]', or set {COMMAND} to the command of a vLLM in another environment",
        )
    return command
