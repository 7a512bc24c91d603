"""What an engine yields: where to send chat requests, and what the server there can do."""

from dataclasses import dataclass, field

from reaseq import ReaseqError


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
