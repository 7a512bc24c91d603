"""A model that says what a test wants."""

import json
from typing import Any

from reaseq.llm.chat import ChatRequest, Reply


class Answering:
    """A chat that gives one answer, and keeps what it was asked."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: list[ChatRequest] = []

    async def ask(self, request: ChatRequest) -> Reply:
        self.asked.append(request)
        return Reply(json.dumps(self.answer), "stop")

    @property
    def properties(self) -> dict[str, Any]:
        assert self.asked[0].response_format is not None
        found: dict[str, Any] = self.asked[0].response_format["json_schema"]["schema"]["properties"]
        return found
