"""What a model answers in JSON, also where a gateway or a habit has put something around it."""

import json
import re
from typing import Any

from reaseq.llm.chat import Reply, ReplyError, whole

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)\n?\s*```", re.DOTALL)
_STARTS = re.compile(r"[{\[]")
_AROUND = 20
"""Characters that are shown before and behind what is wrong."""


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
    tried: list[json.JSONDecodeError] = []
    for text in (reply.text, *(fenced[1] for fenced in _FENCE.finditer(reply.text))):
        try:
            return json.loads(text, strict=False)  # small models leave line breaks in strings as they are
        except json.JSONDecodeError as error:
            tried.append(error)
        except (ValueError, RecursionError):
            continue  # numbers of thousands of digits, thousands of brackets
    decoder = json.JSONDecoder(strict=False)
    failed_at = -1
    for start in _STARTS.finditer(reply.text):
        if start.start() < failed_at:
            continue  # a part of what is broken: not what was asked for
        try:
            found, _ = decoder.raw_decode(reply.text, start.start())
        except json.JSONDecodeError as error:
            tried.append(error)
            failed_at = error.pos
            continue
        except RecursionError:
            break  # thousands of brackets, of which each would be tried
        except ValueError:
            continue
        return found
    # What came furthest into something that begins as JSON does; of prose nothing but that it is none.
    meant = [error for error in tried if error.doc.lstrip()[:1] in ("{", "[") or error.pos > 0]
    best = max(meant, key=lambda error: (error.doc.lstrip()[:1] in ("{", "["), error.pos), default=None)
    said = "there is no JSON object in it" if best is None else _said(best)
    raise ReplyError(f"Your reply is not valid JSON: {said}.", reply)


def _said(error: json.JSONDecodeError) -> str:
    """What is wrong where, also of a comma before the end, which Python calls by what it expected behind it."""
    before, after = error.doc[: error.pos].rstrip(), error.doc[error.pos :].lstrip()
    if before.endswith(",") and after[:1] in ("}", "]"):
        what, pos = f"a comma stands before {after[0]!r}", len(before) - 1
    elif not after:
        what, pos = f"it ends too early ({error.msg})", error.pos
    else:
        what, pos = error.msg, error.pos
    line, column = error.doc.count("\n", 0, pos) + 1, pos - error.doc.rfind("\n", 0, pos)
    near = " ".join(error.doc[max(0, pos - _AROUND) : pos + _AROUND].split())
    return f"{what} (line {line}, column {column}, at: {near})"
