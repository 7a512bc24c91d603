"""Categorizer: says what kind of thing a product is.

Asked for a category out of a list, a small model takes one that is near even where none fits; asked what the product
is, it says so. What category that kind belongs to is then a matter of words (`reaseq.taxonomy.nearest`).
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reaseq.agents.product_text import shown
from reaseq.llm.chat import Chat, ChatRequest, Message, ReplyError
from reaseq.llm.json_reply import json_of
from reaseq.prompts.library import Prompt

_LONGEST = 60


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str = Field(min_length=1, max_length=_LONGEST)


class Categorizer:
    """Built once per run."""

    name = "categorizer"

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt.bind(system={})

    async def kind(
        self,
        chat: Chat,
        sources: Mapping[str, str],
        *,
        product_id: str | None = None,
        repair: tuple[Message, ...] = (),
    ) -> str:
        """What the product is, in a noun or two, on one line.

        Raises:
            ReplyError: the reply is not the JSON that was asked for.
        """
        reply = await chat.ask(
            ChatRequest(
                agent=self.name,
                prompt=self.prompt.fingerprint,
                prefix=self.prompt.messages,
                turns=(("user", self.prompt.user(product=shown(sources))), *repair),
                max_tokens=self.prompt.max_tokens,
                response_format=_RESPONSE_FORMAT,
                product_id=product_id,
            )
        )
        try:
            kind = " ".join(_Named.model_validate(json_of(reply)).kind.split())
        except ValidationError as error:
            raise ReplyError(f"Your reply breaks the schema: kind: {error.errors()[0]['msg']}.", reply) from error
        if not kind:
            raise ReplyError("Say what the product is.", reply)
        return kind


_RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "kind",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"kind": {"type": "string", "minLength": 1, "maxLength": _LONGEST}},
            "required": ["kind"],
            "additionalProperties": False,
        },
    },
}
