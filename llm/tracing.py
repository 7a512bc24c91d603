"""Model calls as OpenTelemetry spans, by the GenAI conventions
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/).

They are made where the process has a tracer provider already (`opentelemetry-instrument`, an application's own), or
where OpenTelemetry's environment variables ask for an exporter: `OTEL_EXPORTER_OTLP_ENDPOINT`, or
`OTEL_TRACES_EXPORTER=console`. Texts leave the machine only with
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

_ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_LOG = logging.getLogger("reaseq.llm")

Tell = Callable[[Mapping[str, Any]], None]
"""Given the reply as the ledger keeps it."""


@contextmanager
def call_span(
    *,
    agent: str,
    model: str,
    base_url: str,
    max_tokens: int,
    product_id: str | None,
    messages: Sequence[tuple[str, str]],
) -> Iterator[Tell]:
    """A span around one call; what is yielded is told of the reply. An error ends it as one."""
    tracer = _tracer()
    if tracer is None:
        yield lambda kept: None
        return
    from opentelemetry.trace import SpanKind

    server = urlsplit(base_url)
    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.request.max_tokens": max_tokens,
        "gen_ai.agent.name": agent,
        "server.address": server.hostname or base_url,
        **({"server.port": server.port} if server.port else {}),
        **({"reaseq.product.id": product_id} if product_id else {}),
    }
    texts = os.environ.get(_CONTENT, "").casefold() == "true"
    if texts:
        about["gen_ai.input.messages"] = json.dumps([_message(role, text) for role, text in messages])
    with tracer.start_as_current_span(f"chat {model}", kind=SpanKind.CLIENT, attributes=about) as span:

        def tell(kept: Mapping[str, Any]) -> None:
            span.set_attribute("gen_ai.usage.input_tokens", kept.get("prompt_tokens", 0))
            span.set_attribute("gen_ai.usage.output_tokens", kept.get("completion_tokens", 0))
            span.set_attribute("gen_ai.response.finish_reasons", [str(kept.get("finish_reason"))])
            if texts:
                said = [_message("assistant", kept.get("content", ""))]
                span.set_attribute("gen_ai.output.messages", json.dumps(said))

        yield tell


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


@cache
def _tracer() -> Any:
    """The process's tracer; None where nobody asks for spans."""
    wanted = any(os.environ.get(name, "none") != "none" for name in _ASKED_BY)
    try:
        from opentelemetry import trace
    except ImportError:
        if wanted:
            _LOG.warning("no spans: OpenTelemetry is not installed (pip install 'reaseq[otel]')")
        return None
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        if not wanted or os.environ.get("OTEL_SDK_DISABLED", "").casefold() == "true":
            return None
        try:
            trace.set_tracer_provider(_provider())
        except ImportError:
            _LOG.warning("no spans: OpenTelemetry's SDK is not installed (pip install 'reaseq[otel]')")
            return None
    return trace.get_tracer("reaseq")


def _provider() -> Any:
    """One that exports as the environment says; what is left is sent when the process ends."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    to_console = os.environ.get("OTEL_TRACES_EXPORTER", "") == "console"
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "reaseq"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter() if to_console else OTLPSpanExporter()))
    return provider
