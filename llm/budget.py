"""Limits on what a run may use. They hold in advance: no request is sent that could pass a limit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from reaseq import ReaseqError
from reaseq.llm.endpoint import Price


class BudgetExceeded(ReaseqError):
    """The next request could pass a limit. The message states the limit and what was used."""


class Budget:
    """Counts tokens and cost, and lets a request pass only if its worst case still fits.

    Requests in flight count with their worst case (estimated prompt, longest reply). A request that
    does not fit waits until those in flight have told what they really used.
    """

    def __init__(
        self, *, max_tokens: int | None = None, max_cost: float | None = None, price: Price | None = None
    ) -> None:
        if max_cost is not None and price is None:
            raise ReaseqError(
                "a limit on cost needs a price for this model",
                hint="set it in reaseq.toml: [prices.'MODEL'] input = …, output = … (per million tokens)",
            )
        self.max_tokens = max_tokens
        self.max_cost = max_cost
        self.price = price or Price(0.0, 0.0)
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self._reserved: dict[object, tuple[int, int]] = {}
        self._settled = asyncio.Condition()

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost(self) -> float:
        return self.price.of(self.prompt_tokens, self.completion_tokens)

    @asynccontextmanager
    async def reserve(
        self, messages: Sequence[tuple[str, str]], max_reply: int
    ) -> AsyncIterator[Callable[[int, int], None]]:
        """Hold room for one request; inside, call what is yielded with the tokens it really used.

        Raises:
            BudgetExceeded: it does not fit, and nothing in flight could make room.
        """
        if self.max_tokens is None and self.max_cost is None:
            yield self._spend
            return
        ticket = object()
        worst = estimate_tokens(messages), max_reply
        async with self._settled:
            while reason := self._over(worst):
                if not self._reserved:
                    raise BudgetExceeded(reason, hint="raise the limit, and run the same command: it goes on")
                await self._settled.wait()
            self._reserved[ticket] = worst
        try:
            yield self._spend
        finally:
            async with self._settled:
                del self._reserved[ticket]
                self._settled.notify_all()

    def _spend(self, prompt_tokens: int, completion_tokens: int) -> None:
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens

    def _over(self, worst: tuple[int, int]) -> str | None:
        prompt = self.prompt_tokens + worst[0] + sum(reserved[0] for reserved in self._reserved.values())
        reply = self.completion_tokens + worst[1] + sum(reserved[1] for reserved in self._reserved.values())
        if self.max_tokens is not None and prompt + reply > self.max_tokens:
            return (
                f"token limit reached: {self.tokens:,} of {self.max_tokens:,} used, the next request may take "
                f"{sum(worst):,}"
            )
        if self.max_cost is not None and self.price.of(prompt, reply) > self.max_cost:
            return (
                f"cost limit reached: {self.cost:.4f} of {self.max_cost:.4f} used, the next request may cost "
                f"{self.price.of(*worst):.4f}"
            )
        return None


def estimate_tokens(messages: Sequence[tuple[str, str]]) -> int:
    """A high estimate of a prompt's tokens: three ASCII characters a token, each other character one and a half."""
    total = 8
    for _, content in messages:
        others = 0 if content.isascii() else sum(not char.isascii() for char in content)
        total += 8 + (len(content) - others) // 3 + others * 3 // 2
    return total
