"""What a model answers in JSON, also where a gateway or a habit has put something around it."""

import json
import re
from typing import Any

from reaseq.llm.chat import Reply, ReplyError, whole

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)\n?\s*```", re.DOTALL)
_STARTS = re.compile(r"[{\[]")


def json_of(reply: Reply) -> Any:
    """The reply as JSON: all of it, else what stands in its fence, else the first object or array in it.

    Raises:
        ReplyError: there is none.
    """
    found = _json_of(reply)
    return _whole(found) if "\\u" in reply.text else found


def _whole(value: Any) -> Any:
    """Without halves of characters ("\\ud83d"), as texts have none."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return {_whole(key): _whole(one) for key, one in value.items()} if isinstance(value, dict) else value


def _json_of(reply: Reply) -> Any:
    try:
        return json.loads(reply.text, strict=False)  # small models leave line breaks in strings as they are
    except ValueError as error:
        first = error
    for fenced in _FENCE.finditer(reply.text):
        try:
            return json.loads(fenced[1], strict=False)
        except ValueError:
            continue
    decoder = json.JSONDecoder(strict=False)
    for start in _STARTS.finditer(reply.text):
        try:
            found, _ = decoder.raw_decode(reply.text, start.start())
        except (ValueError, RecursionError):
            continue
        return found
    raise ReplyError(f"Your reply is not valid JSON: {first}.", reply) from first
