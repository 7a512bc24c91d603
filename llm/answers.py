"""What endpoints answer, made what OpenAI would have answered: gateways and servers have habits of their own.

`mend` sees to it that a response has the status and the wait it means, before the SDK decides whether to send the
request again; `completion` makes one chat completion of what came.
"""

import json
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from reaseq.llm.budget import estimate_tokens

BUSY = frozenset((408, 409, 429, 500, 502, 503, 504, 529))
"""Statuses of what may pass."""
_BY_WORD = {"rate_limit_exceeded": 429, "rate_limit_error": 429, "server_error": 500, "overloaded_error": 529}
_NO_MONEY = frozenset(
    ("insufficient_quota", "insufficient_balance", "billing_hard_limit_reached", "billing_not_active")
)
_MOMENT, _MOMENT_IN_MS = 1e9, 1e11
"""From here on a number of seconds is no wait but a moment."""
_REASONING = ("reasoning_content", "reasoning")
_LONGEST_SHOWN = 200
_BROKE_OFF = {"message": "the stream broke off"}


class NoCompletion(Exception):
    """What came is no chat completion. The message says in plain words what it is instead."""


async def mend(response: httpx.Response) -> None:
    """Say by the status and headers what else only the body says, or only people understand: an error under status 200
    gets the status that it names, a wait is told in seconds, an account without money is not worth a second try, and
    text is no JSON."""
    content = await response.aread()
    if response.status_code == 200:
        if b'"error"' in content and (status := _status(error_of(_read(response.text)))):
            response.status_code = status
        elif not content.lstrip().startswith(b"{"):
            response.headers["content-type"] = "text/plain; charset=utf-8"
    if response.status_code in BUSY:
        seconds = seconds_to_wait(response.headers)
        response.headers.pop("retry-after-ms", None)
        response.headers["retry-after"] = f"{seconds:.3f}"
        if no_money(response.status_code, response.text):
            response.headers["x-should-retry"] = "false"


def no_money(status: int, text: str) -> bool:
    """Does a response say that nothing is paid for? No waiting helps, though it may come as 429."""
    error = error_of(_read(text))
    return status == 402 or not _NO_MONEY.isdisjoint((str(error.get("code")), str(error.get("type"))))


def seconds_to_wait(headers: Mapping[str, str]) -> float:
    """What Retry-After says - in seconds, as a date or as a Unix time; 0 if it says nothing."""
    for name, parts in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            number = float(headers.get(name, "")) / parts
            if number >= _MOMENT:
                number = number / (1000 if number >= _MOMENT_IN_MS else 1) - time.time()
            return max(0.0, number) if math.isfinite(number) else 0.0
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def named(status: int) -> str:
    """A status in numbers and, where it has a name, words."""
    with suppress(ValueError):
        return f"{status} {HTTPStatus(status).phrase}"
    return str(status)


def error_in(text: str) -> str:
    """What a response's body says in plain words; "" if it says nothing where OpenAI or a gateway does."""
    return _message(error_of(_read(text)))


def error_of(answer: Any) -> dict[str, Any]:
    """What an answer says went wrong, or the error of an upstream that came instead of text; {} if it says nothing."""
    if not isinstance(answer, dict):
        return {}
    choice = _first(answer)
    upstream = None if _first_message(choice).get("content") else choice.get("error")
    return _error(answer.get("error") or upstream)


def completion(answer: Any, messages: list[dict[str, Any]], wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    """The answer to `messages`, as OpenAI would have given it. wanted: the response format that was asked for.

    A reply stands in `content`, whatever field it came in; `usage` has both counts, and `estimated` if one is not the
    endpoint's. `why` says why there is no reply, where that is known; `reasoned`, whether the model reasoned before it.

    Raises:
        NoCompletion: it is none.
    """
    if isinstance(answer, str):
        answer = _joined(answer)
    if not isinstance(answer, dict):
        raise NoCompletion("it is no object")
    choice = _first(answer)
    said, failed = _first_message(choice), choice.get("error")
    if error := answer.get("error"):
        raise NoCompletion(_message(_error(error)) or str(error))
    if not choice:
        raise NoCompletion("it holds no choice")
    if not said and not failed:
        raise NoCompletion("its choice holds no message")
    content = said.get("content")
    thoughts = next((said[name] for name in _REASONING if isinstance(said.get(name), str) and said[name].strip()), "")
    arguments, why = _arguments(said), ""
    if not content or (isinstance(content, str) and not content.strip()):
        if wanted and arguments:
            content = arguments
        elif wanted and _is(thoughts, wanted):
            content = thoughts
        elif said.get("refusal"):
            why = f"It was refused: {said['refusal']}"
        elif thoughts:
            why = "What there is of it stands among the reasoning."
        elif answer.get("failed"):
            why = f"The provider says: {answer['failed']}"
    if failed == _BROKE_OFF and wanted and isinstance(content, str) and _is(content, wanted):
        choice, failed = choice | {"finish_reason": "stop"}, None  # all of it had come
    if failed:
        why = f"The provider says: {_message(_error(failed)) or failed}"
    usage = _usage(answer.get("usage"), messages, f"{content or ''}{thoughts}")
    details = usage.get("completion_tokens_details")
    counted = isinstance(details, dict) and _number(details.get("reasoning_tokens"))
    in_parts = isinstance(content, list) and any("thinking" in one for one in content if isinstance(one, dict))
    reasoned = bool(thoughts or counted or in_parts)
    message = {"role": "assistant", "content": content}
    finish = {"finish_reason": "error"} if failed else {}
    choices = [choice | {"message": message} | finish]
    return answer | {"choices": choices, "usage": usage, "why": why, "reasoned": reasoned}


def failed_json(text: str) -> dict[str, Any] | None:
    """Of a refusal that says that the model's own JSON was none (Groq's `json_validate_failed`) the completion that it
    is about; None where it says no such thing."""
    error = error_of(_read(text))
    made = error.get("failed_generation")
    if error.get("code") != "json_validate_failed" and not isinstance(made, str):
        return None
    content = made if isinstance(made, str) else json.dumps(made) if made else ""
    said = _message(error)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content},
        "finish_reason": "length" if "max completion tokens" in said.casefold() else "stop",
    }
    # Without usage, which is estimated: such a reply is paid for, too.
    return {"object": "chat.completion", "choices": [choice], "failed": said}


def _read(text: str) -> Any:
    try:
        found = json.loads(text) if text.lstrip()[:1] in ("{", "[") else _joined(text)
    except (ValueError, NoCompletion):
        return None
    return found[0] if isinstance(found, list) and found else found


def _first(answer: Mapping[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _first_message(choice: Mapping[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def _error(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else {"message": said} if isinstance(said, str) else {}


def _status(error: Mapping[str, Any]) -> int:
    """The status that an error names, by number or word; 0 if none."""
    for said in (error.get("code"), error.get("type")):
        number = _BY_WORD.get(str(said)) or (429 if said in _NO_MONEY else _number(said))
        if number and 400 <= number < 600:
            return number
    return 0


def _message(error: Mapping[str, Any]) -> str:
    """An error's message, with what stands behind it where a gateway hands it on."""
    more = error.get("metadata")
    parts = [error.get("message"), more.get("raw") if isinstance(more, dict) else None]
    return ": ".join(" ".join(str(part).split()) for part in parts if part)


def _arguments(message: Mapping[str, Any]) -> str:
    """What a tool was to be called with: some gateways make a tool of a response format."""
    calls = message.get("tool_calls")
    call = calls[0].get("function") if isinstance(calls, list) and calls and isinstance(calls[0], dict) else None
    call = call or message.get("function_call")
    arguments = call.get("arguments") if isinstance(call, dict) else None
    return json.dumps(arguments) if isinstance(arguments, dict) else str(arguments or "")


def _is(text: str, wanted: Mapping[str, Any]) -> bool:
    """Is all of it an object with what must be in it?"""
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    required = wanted.get("json_schema", {}).get("schema", {}).get("required", ())
    return isinstance(found, dict) and all(name in found for name in required)


def _usage(said: Any, messages: list[dict[str, Any]], reply: str) -> dict[str, Any]:
    """The tokens of prompt and reply. What an endpoint does not report follows from the total, or is estimated."""
    usage = said if isinstance(said, dict) else {}
    # No prompt takes no token: 0 is how some say that they do not know.
    prompt = _number(usage.get("prompt_tokens", usage.get("input_tokens"))) or None
    made = _number(usage.get("completion_tokens", usage.get("output_tokens")))
    total = _number(usage.get("total_tokens")) or None
    made = None if made == 0 and reply else made
    if total and prompt and made is None:
        made = max(0, total - prompt)
    elif total and made is not None and prompt is None:
        prompt = max(0, total - made) or None
    estimated = prompt is None or made is None
    if prompt is None:
        prompt = estimate_tokens([(message["role"], str(message["content"])) for message in messages])
        prompt = min(prompt, total) if total and made is None else prompt
    if made is None:
        made = total - prompt if total else estimate_tokens([("assistant", reply)])
    return usage | {
        "prompt_tokens": prompt,
        "completion_tokens": made,
        "total_tokens": prompt + made,
        "estimated": estimated,
    }


def _number(said: Any) -> int | None:
    """A count, by any type."""
    try:
        return max(0, int(float(said)))
    except (TypeError, ValueError, OverflowError):
        return None


def _joined(text: str) -> dict[str, Any]:
    """One completion of a stream's chunks: some gateways stream whatever they are asked for."""
    lines = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    try:
        chunks = [json.loads(line) for line in lines if line and line != "[DONE]"]
    except ValueError:
        chunks = []
    if not chunks:
        raise NoCompletion(f"it is no JSON, but {' '.join(text.split())[:_LONGEST_SHOWN] or 'nothing'}")
    made: dict[str, Any] = {}
    message: dict[str, Any] = {}
    choice: dict[str, Any] = {"index": 0, "message": message}
    arguments = ""
    logprobs: list[Any] = []
    for chunk in chunks:
        made |= {name: value for name, value in chunk.items() if value is not None}
        part = _first(chunk)
        delta = part.get("delta") or _first_message(part)
        for name in ("content", "refusal", *_REASONING):
            if isinstance(delta.get(name), str):
                message[name] = message.get(name, "") + delta[name]
        arguments += _arguments(delta)
        logprobs += (part.get("logprobs") or {}).get("content") or []
        choice |= {name: part[name] for name in ("finish_reason", "error") if part.get(name)}
    if arguments:
        message["tool_calls"] = [{"function": {"arguments": arguments}}]
    if logprobs:
        choice["logprobs"] = {"content": logprobs}
    if lines[-1] != "[DONE]" and "finish_reason" not in choice:
        choice |= {"finish_reason": "error", "error": _BROKE_OFF}
    return made | {"object": "chat.completion", "choices": [choice]}
