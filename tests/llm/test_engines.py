"""Which engine is started, what it is called, and what it says when a setting is missing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reaseq.llm import engines
from reaseq.llm.endpoint import EngineError, Price
from reaseq.llm.engines import EngineConfig


@pytest.fixture
def config(tmp_path: Path) -> EngineConfig:
    return EngineConfig(
        engine="openai",
        model="some-model",
        base_url="http://127.0.0.1:1/v1/",
        api_key_env="SOME_KEY",
        replay_file=None,
        vllm_args=(),
        models_dir=tmp_path,
        logs_dir=tmp_path,
        concurrency=2,
        prices={"some-model": Price(1.0, 2.0)},
    )


def test_openai(config: EngineConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    with engines.start(config) as endpoint:
        assert endpoint.base_url == "http://127.0.0.1:1/v1"
        assert endpoint.api_key == "secret"
        assert endpoint.price == Price(1.0, 2.0)
        assert endpoint.fingerprint == engines.fingerprint(config)
        assert "secret" not in repr(endpoint)
    assert engines.fingerprint(replace(config, model="other")) != engines.fingerprint(config)


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        ({"model": None}, "needs a model's name", "--model NAME"),
        ({"base_url": "https://api.openai.com/v1"}, "SOME_KEY is not set", "export SOME_KEY"),
        ({"engine": "replay"}, "needs a file of recorded replies", "replay_file"),
        ({"engine": "vllm", "model": None}, "the vllm engine needs a model's name", "--model NAME"),
    ],
)
def test_what_is_missing_is_named(
    config: EngineConfig, monkeypatch: pytest.MonkeyPatch, change: dict[str, str | None], message: str, hint: str
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(EngineError) as caught, engines.start(replace(config, **change)):  # type: ignore[arg-type]
        pass
    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_replay_changes_with_its_recording(config: EngineConfig, tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    file.write_text(json.dumps({"request_key": "k", "reply": {"content": "a"}}) + "\n")
    recorded = replace(config, engine="replay", model=None, replay_file=file)
    with engines.start(recorded) as endpoint:
        assert endpoint.model == "recorded"
        assert endpoint.fingerprint == engines.fingerprint(recorded)
    file.write_text(json.dumps({"request_key": "k", "reply": {"content": "b"}}) + "\n")
    assert engines.fingerprint(recorded) != endpoint.fingerprint


def test_the_embedded_model_is_known_without_its_weights(config: EngineConfig) -> None:
    fingerprint = engines.fingerprint(replace(config, engine="embedded", model=None))
    assert fingerprint.startswith("cc324af070c2ecbf llama.cpp ")
