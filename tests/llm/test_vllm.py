"""The vLLM engine: its child is waited for, and gone in the end, whatever happens."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import jsonschema
import openai
import pytest

from reaseq.llm import vllm
from reaseq.llm.endpoint import Endpoint, EngineError

FAKE = """\
import http.server, json, os, signal, subprocess, sys, time
mode, rest = sys.argv[1], sys.argv[2:]
print("fake vllm", *rest, flush=True)
if mode == "dies":
    sys.exit("no such model")
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[0]])
if mode == "slow":
    time.sleep(1.5)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers["Authorization"] == "Bearer " + os.environ["VLLM_API_KEY"]
        message = {"role": "assistant", "content": "from " + asked["model"]}
        reply = {"id": "1", "object": "chat.completion", "created": 0, "model": asked["model"],
                 "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        self.send_response(200 if allowed and self.path == "/v1/chat/completions" else 401)
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())
    def log_message(self, *_): ...
http.server.HTTPServer(("127.0.0.1", int(rest[rest.index("--port") + 1])), Handler).serve_forever()
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "pytest.MonkeyPatch":
    (tmp_path / "fake.py").write_text(FAKE)
    return monkeypatch


def use(command: pytest.MonkeyPatch, tmp_path: Path, mode: str) -> None:
    command.setenv(vllm.COMMAND, f"{sys.executable} {tmp_path / 'fake.py'} {mode}")


def serve(tmp_path: Path, model: str = "m", **options: Any) -> AbstractContextManager[Endpoint]:
    return vllm.serve(model, logs_dir=tmp_path / "logs", fingerprint="f", **{"grace": 0.5, **options})


def running(tmp_path: Path) -> list[str]:
    """Processes that were started with the fake's file, or by it."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if state != "Z" and str(tmp_path) in line:
                found.append(line)
    return found


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


@linux
@pytest.mark.parametrize("mode", ["quick", "slow", "stubborn"])
def test_up_used_and_gone(command: pytest.MonkeyPatch, tmp_path: Path, mode: str) -> None:
    use(command, tmp_path, mode)
    with serve(tmp_path, "org/model", args=["--max-model-len", "4096"]) as endpoint:
        with openai.OpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key, max_retries=0) as client:
            reply = client.chat.completions.create(model=endpoint.model, messages=[{"role": "user", "content": "hi"}])
        assert reply.choices[0].message.content == "from org/model"
        assert running(tmp_path)
    assert not running(tmp_path)
    (log,) = (tmp_path / "logs").iterdir()
    assert "org/model --max-model-len 4096 --host 127.0.0.1 --port" in log.read_text()


@linux
def test_gone_after_an_error(command: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(command, tmp_path, "quick")
    with pytest.raises(ZeroDivisionError), serve(tmp_path):
        _ = 1 / 0
    assert not running(tmp_path)


def test_a_server_that_dies_shows_its_log(command: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(command, tmp_path, "dies")
    with pytest.raises(EngineError, match="no such model") as caught, serve(tmp_path):
        pass
    assert "vllm-" in (caught.value.hint or "")


@linux
def test_a_server_that_is_not_up_in_time(command: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(command, tmp_path, "slow")
    with pytest.raises(EngineError, match="not up in time"), serve(tmp_path, startup=0.3):
        pass
    assert not running(tmp_path)


@linux
@pytest.mark.parametrize("mode", ["quick", "stubborn"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_gone_when_the_parent_is_killed(
    command: pytest.MonkeyPatch, tmp_path: Path, mode: str, how: signal.Signals
) -> None:
    use(command, tmp_path, mode)
    code = f"""
        from pathlib import Path
        from reaseq.llm import vllm
        with vllm.serve("m", logs_dir=Path({str(tmp_path / "logs")!r}), fingerprint="f", grace=0.5):
            print("up", flush=True)
            import time; time.sleep(600.0)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    parent.send_signal(how)
    parent.communicate()
    until = time.monotonic() + 20
    while running(tmp_path) and time.monotonic() < until:
        time.sleep(0.1)
    assert not running(tmp_path)


def test_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(vllm.COMMAND, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="not installed") as caught, serve(tmp_path):
        pass
    assert "pip install 'reaseq[vllm]'" in (caught.value.hint or "")


def tiny_model(folder: Path) -> Path:
    """A Qwen2 of random weights, with a tokenizer and a chat template: talks nonsense, but within a grammar."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = special + sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(alphabet)}, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "<|im_start|>assistant\n"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(alphabet),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        eos_token_id=2,
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


@linux
@pytest.mark.vllm
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_real_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = os.environ.get("REASEQ_TEST_VLLM_PYTHON")
    if not python:
        pytest.skip("REASEQ_TEST_VLLM_PYTHON names no Python that has vLLM")
    monkeypatch.setenv(vllm.COMMAND, f"{python} -m vllm.entrypoints.openai.api_server --model")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    grammar = '{"backend": "xgrammar", "disable_any_whitespace": true}'
    args = ["--enforce-eager", "--max-model-len", "1024", "--structured-outputs-config", grammar]
    schema = {
        "type": "object",
        "properties": {
            "colour": {"anyOf": [{"type": "null"}, {"enum": ["red", "blue"]}]},
            "note": {"type": "string", "maxLength": 8},
        },
        "required": ["colour", "note"],
        "additionalProperties": False,
    }
    with serve(tmp_path, str(tiny_model(tmp_path / "model")), args=args, grace=15.0) as endpoint:
        stranger = openai.OpenAI(base_url=endpoint.base_url, api_key="wrong", max_retries=0)
        with stranger, pytest.raises(openai.AuthenticationError):
            stranger.models.list()
        with openai.OpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key, max_retries=0) as client:
            reply = client.chat.completions.create(
                model=endpoint.model,
                messages=[{"role": "user", "content": "What colour?"}],
                max_completion_tokens=200,
                temperature=0.0,
                seed=0,
                logprobs=True,
                top_logprobs=8,
                response_format={"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}},
            )
    choice = reply.choices[0]
    assert choice.finish_reason == "stop"
    jsonschema.validate(json.loads(choice.message.content or ""), schema)
    assert choice.logprobs
    assert choice.logprobs.content
    assert len(choice.logprobs.content[0].top_logprobs) == 8
    assert not running(tmp_path)
