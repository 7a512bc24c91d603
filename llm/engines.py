"""The engines: each a context manager that yields an `Endpoint` that is up.

An engine's identity - model name and fingerprint - is known without starting it, so that a plan can
say what is stale while nothing runs.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from reaseq.llm import embedded, vllm
from reaseq.llm.endpoint import Endpoint, EngineError, Price
from reaseq.llm.models import DEFAULT, Progress
from reaseq.llm.replay import MODEL as RECORDED
from reaseq.llm.replay import ReplayServer, load_replies, replies_fingerprint

_KEYLESS = "none"


@dataclass(frozen=True)
class EngineConfig:
    """Everything an engine may need; see the settings of the same names."""

    engine: str
    model: str | None
    base_url: str
    api_key_env: str
    replay_file: Path | None
    vllm_args: tuple[str, ...]
    models_dir: Path
    logs_dir: Path
    concurrency: int
    prices: dict[str, Price] = field(default_factory=dict)
    leave_off: tuple[str, ...] = ()

    @property
    def price(self) -> Price | None:
        return self.prices.get(self.model_name)

    @property
    def model_name(self) -> str:
        """The model's name, as the endpoint will be asked for it."""
        if self.engine == "none":
            return ""
        if self.engine == "embedded":
            return self.model or DEFAULT
        if self.engine == "replay":
            return self.model or RECORDED
        if not self.model:
            raise EngineError(
                f"the {self.engine} engine needs a model's name", hint="--model NAME, or model = 'NAME' in reaseq.toml"
            )
        return self.model


def fingerprint(config: EngineConfig) -> str:
    """What answers, without starting it. Embedded weights that are not here yet count as their pinned hash.

    Raises:
        EngineError: the engine lacks a setting, or its model's file is missing.
    """
    if config.engine == "none":
        return ""
    if config.engine == "embedded":
        return embedded.fingerprint(config.model, config.models_dir)
    if config.engine == "replay":
        return replies_fingerprint(load_replies(_replay_file(config)))
    if config.engine == "vllm":
        return _hash("vllm", config.model_name, *config.vllm_args)
    return _hash(config.base_url, config.model_name)


def not_started(config: EngineConfig) -> Endpoint:
    """The endpoint that the engine would have, by which earlier replies of it are found. Nothing listens there.

    Raises:
        EngineError: the engine lacks a setting, or its model's file is missing.
    """
    grammar = config.engine in ("embedded", "vllm")
    if config.engine == "replay":
        grammar = all(row.get("grammar", True) for row in load_replies(_replay_file(config)).values())
    return Endpoint(
        "http://127.0.0.1:9/v1",
        config.model_name,
        fingerprint(config),
        grammar=grammar,
        logprobs=True,
        price=config.price,
    )


@contextmanager
def start(config: EngineConfig, progress: Progress | None = None) -> Iterator[Endpoint]:
    """Start the engine, or reach it, and yield its endpoint; always stopped at the end.

    Raises:
        EngineError: it lacks a setting, or could not be started.
    """
    if config.engine == "none":
        raise EngineError(
            "the engine is `none`, and this needs a model", hint="the same command with --engine embedded   (or openai)"
        )
    if config.engine == "embedded":
        with embedded.serve(
            config.model,
            models_dir=config.models_dir,
            logs_dir=config.logs_dir,
            concurrency=config.concurrency,
            price=config.price,
            progress=progress,
        ) as endpoint:
            yield endpoint
    elif config.engine == "replay":
        replies = load_replies(_replay_file(config))
        grammar = all(row.get("grammar", True) for row in replies.values())
        with ReplayServer(replies, model=config.model_name, grammar=grammar, price=config.price) as endpoint:
            yield endpoint
    elif config.engine == "vllm":
        with vllm.serve(
            config.model_name,
            args=config.vllm_args,
            logs_dir=config.logs_dir,
            fingerprint=fingerprint(config),
            price=config.price,
        ) as endpoint:
            yield endpoint
    else:
        yield Endpoint(
            config.base_url.rstrip("/"),
            config.model_name,
            fingerprint(config),
            api_key=_key(config),
            logprobs=True,
            price=config.price,
            leave_off=config.leave_off,
        )


@contextmanager
def start_several(
    config: EngineConfig, others: Mapping[str, EngineConfig], progress: Progress | None = None
) -> Iterator[tuple[Endpoint, dict[str, Endpoint]]]:
    """The endpoint of `config`, and those of `others` by their names; equal ones are started once.

    Raises:
        EngineError: one lacks a setting, or could not be started.
    """
    started: list[tuple[EngineConfig, Endpoint]] = []
    with ExitStack() as engines:

        def endpoint_of(one: EngineConfig) -> Endpoint:
            for known, endpoint in started:
                if known == one:
                    return endpoint
            apart = replace(one, logs_dir=one.logs_dir / str(len(started))) if started else one
            started.append((one, engines.enter_context(start(apart, progress))))
            return started[-1][1]

        yield endpoint_of(config), {name: endpoint_of(one) for name, one in others.items()}


def _replay_file(config: EngineConfig) -> Path:
    if config.replay_file is None:
        raise EngineError(
            "the replay engine needs a file of recorded replies", hint="replay_file = 'FILE.jsonl' in reaseq.toml"
        )
    return config.replay_file


def _key(config: EngineConfig) -> str:
    key = os.environ.get(config.api_key_env, "")
    if not key and "api.openai.com" in config.base_url:
        raise EngineError(
            f"{config.base_url} needs a key, and the variable {config.api_key_env} is not set",
            hint=f"export {config.api_key_env}=…   (or run a local model: --engine embedded)",
        )
    return key or _KEYLESS


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]
