"""What an engine yields: where to send chat requests, and what the server there can do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

from reaseq import ReaseqError


def _an_address(url: str) -> str:
    """Raises:
    ValueError: it is no address of HTTP.
    """
    said = url.strip()
    try:
        parts = urlsplit(said)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right:
        near = said.partition("://")[2] if "://" in said else said.lstrip("/")
        told = f" (do you mean http://{near}?)" if near and not said.startswith(("http:", "https:")) else ""
        raise ValueError(f"{url!r} is no address: it begins with http:// or https://, and a host follows{told}")
    return said


Address = Annotated[str, AfterValidator(_an_address)]
"""Where an OpenAI-compatible server listens."""


def said_of(issue: Mapping[str, Any]) -> str:
    """What is wrong with a setting, of one of pydantic's errors, in words."""
    if issue["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", issue["ctx"]["expected"])
        near = get_close_matches(str(issue["input"]), known, 1)
        mean = f"; did you mean {near[0]}?" if near else ""
        return f"{issue['input']!r} is none of {', '.join(known)}{mean}"
    return str(issue["msg"]).removeprefix("Value error, ")


class EngineError(ReaseqError):
    """An engine could not be started or reached."""


@dataclass(frozen=True)
class Price:
    """Price of a million tokens, in any one currency."""

    input: float
    output: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1_000_000


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible chat endpoint that is up.

    `fingerprint` identifies what answers: model name, weights and whatever settings change a reply.
    `grammar` says that the server compiles any JSON Schema (long enums, string lengths) into a
    grammar that the reply cannot leave; `logprobs`, that it returns token log-probabilities; `slots`, that
    it is llama.cpp's server and holds so many prompts (see `reaseq.llm.slots`). `leave_off` names what requests do not
    hold, as it refuses it (see `reaseq.llm.chat.MAY_LEAVE_OFF`).
    """

    base_url: str
    model: str
    fingerprint: str
    api_key: str = field(default="none", repr=False)
    grammar: bool = False
    logprobs: bool = False
    slots: int = 0
    price: Price | None = None
    leave_off: tuple[str, ...] = ()
