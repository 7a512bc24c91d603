"""Prompts that begin alike are read once: the slots of llama.cpp's server share what one of them has read.

A slot keeps the prompt it read last, and a request goes to the slot that knows most of it. Slots do not share by
themselves: at the start of a run each would read every agent's instructions anew. So one slot reads them, saves its
state, and others take that over (https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, "slots").
"""

import json
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

from reaseq.llm.chat import Message
from reaseq.llm.endpoint import Endpoint

_SECONDS = 600
_FILE = "beginning"


def share(endpoint: Endpoint, beginnings: Sequence[tuple[Message, ...]]) -> None:
    """Let the slots of `endpoint` know these beginnings of prompts, as many slots each. Whatever goes wrong here only
    costs time later, so it is passed over."""
    each = endpoint.slots // max(len(beginnings), 1)
    if each < 2:
        return
    server = endpoint.base_url.removesuffix("/v1")
    try:
        for number, beginning in enumerate(beginnings):
            first = number * each
            messages = [{"role": role, "content": content} for role, content in (*beginning, ("user", ""))]
            asked = {"messages": messages, "max_tokens": 1, "id_slot": first}
            _post(endpoint, f"{server}/v1/chat/completions", asked)
            _post(endpoint, f"{server}/slots/{first}?action=save", {"filename": _FILE})
            for slot in range(first + 1, first + each):
                _post(endpoint, f"{server}/slots/{slot}?action=restore", {"filename": _FILE})
    except (OSError, HTTPException):
        return


def _post(endpoint: Endpoint, address: str, body: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {endpoint.api_key}"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        answer.read()
