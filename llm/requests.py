"""What makes two chat requests the same."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_FIELDS = ("messages", "response_format", "temperature", "seed", "logprobs", "top_logprobs", "stop")


def request_key(body: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a chat request's canonical JSON.

    Counts what shapes the reply: messages, response format, sampling, log-probabilities, the longest
    reply (under either of its names). The model's name does not count: a recorded reply serves under
    any, and a cache keeps the model's fingerprint beside the key.
    """
    canonical = {name: body[name] for name in _FIELDS if body.get(name) is not None}
    canonical["max_tokens"] = body.get("max_completion_tokens", body.get("max_tokens"))
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
