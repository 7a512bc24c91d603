"""Earlier replies, looked up and never asked for."""

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage

from reaseq import ReaseqError
from reaseq.knowledge_store.store import Store
from reaseq.llm.chat import Call, Chat, ChatRequest, Reply
from reaseq.llm.endpoint import Endpoint


class NotRecorded(ReaseqError):
    """No model has answered this request yet."""


@dataclass(frozen=True)
class _Replies:
    """A call log that is read only."""

    store: Store

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        return self.store.find_call(request_key, model_fingerprint)

    def record_call(self, call: Call) -> int:
        raise NotImplementedError("nothing is asked, so nothing is answered")

    def waits(self, why: str, seconds: float) -> None:
        pass


class RecordedChat(Chat):
    """A chat that knows the store's replies of an endpoint, and asks nobody. `asked` are the requests so far."""

    def __init__(self, store: Store, endpoint: Endpoint, *, seed: int, temperature: float | None) -> None:
        super().__init__(
            endpoint, _Replies(store), concurrency=1, timeout=1, retries=0, seed=seed, temperature=temperature
        )
        self.asked: list[ChatRequest] = []

    async def ask(self, request: ChatRequest) -> Reply:
        """The reply of an equal request.

        Raises:
            NotRecorded: there is none.
            ReplyError: it could not be used.
        """
        self.asked.append(request)
        return await super().ask(request)

    async def _send(self, request: ChatRequest) -> AIMessage:
        raise NotRecorded(
            f"{request.agent} is asked what no model has answered yet",
            hint=f"reaseq prompts try {request.agent} --product {request.product_id or 'ID'}   (asks it)",
        )
