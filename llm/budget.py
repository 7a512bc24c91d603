"""Limits on what a run may use. They hold in advance: no request is sent that could pass a limit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from math import ceil

from reaseq import ReaseqError
from reaseq.llm.endpoint import Price


class BudgetExceeded(ReaseqError):
    """The next request could pass a limit. The message states the limit and what was used."""


class Budget:
    """Counts tokens and cost, and lets a request pass only if its worst case still fits.

    Requests in flight count with their worst case (estimated prompt, longest reply). A request that
    does not fit waits until those in flight have told what they really used. Several models, each at
    its price, may share a budget. `estimated`: an endpoint reports no usage, and what it used is an estimate.
    """

    def __init__(self, *, max_tokens: int | None = None, max_cost: float | None = None) -> None:
        self.max_tokens = max_tokens
        self.max_cost = max_cost
        self.tokens = 0
        self.cost = 0.0
        self.estimated = False
        self.largest = 0, 0.0
        self._kept_back = 0, 0.0
        self._ratio = 1.0
        self._reserved: dict[object, tuple[int, float]] = {}
        self._settled = asyncio.Condition()

    def check(self, model: str, price: Price | None) -> None:
        """Raises:
        ReaseqError: cost is limited, and the model has no price.
        """
        if self.max_cost is not None and price is None:
            raise ReaseqError(
                f"a limit on cost needs a price for {model}",
                hint=f"set it in reaseq.toml: [prices.'{model}'] input = …, output = … (per million tokens)",
            )

    def keep_back(self, tokens: int, cost: float) -> None:
        """From now on so much is left for what comes later; 0 of both: nothing is."""
        self._kept_back = tokens, cost

    @asynccontextmanager
    async def reserve(
        self, messages: Sequence[tuple[str, str]], max_reply: int, price: Price | None = None
    ) -> AsyncIterator[Callable[[int, int], None]]:
        """Hold room for one request; inside, call what is yielded with the tokens it really used: prompt, reply.

        Raises:
            BudgetExceeded: it does not fit, and nothing in flight could make room.
        """
        price = price or Price(0.0, 0.0)
        prompt = estimate_tokens(messages)

        def spend(prompt_tokens: int, completion_tokens: int) -> None:
            self._ratio = max(self._ratio, prompt_tokens / prompt)
            self.tokens += prompt_tokens + completion_tokens
            self.cost += price.of(prompt_tokens, completion_tokens)

        if self.max_tokens is None and self.max_cost is None:
            yield spend
            return
        ticket = object()

        def worst_case() -> tuple[int, float]:
            likely = ceil(prompt * self._ratio)
            return likely + max_reply, price.of(likely, max_reply)

        async with self._settled:
            while reason := self._over(worst := worst_case()):
                if not self._reserved:
                    raise BudgetExceeded(reason, hint="raise the limit, and run the same command: it goes on")
                await self._settled.wait()
            self._reserved[ticket] = worst
            self.largest = max(self.largest[0], worst[0]), max(self.largest[1], worst[1])
        try:
            yield spend
        finally:
            async with self._settled:
                del self._reserved[ticket]
                self._settled.notify_all()

    def _over(self, worst: tuple[int, float]) -> str | None:
        kept_tokens, kept_cost = self._kept_back
        tokens = kept_tokens + self.tokens + worst[0] + sum(reserved for reserved, _ in self._reserved.values())
        cost = kept_cost + self.cost + worst[1] + sum(reserved for _, reserved in self._reserved.values())
        used = "used (estimated, as the endpoint reports no usage)" if self.estimated else "used"
        if self.max_tokens is not None and tokens > self.max_tokens:
            used += f", {kept_tokens:,} kept for later" if kept_tokens else ""
            return (
                f"token limit reached: {self.tokens:,} of {self.max_tokens:,} {used}, the next request may take "
                f"{worst[0]:,}"
            )
        if self.max_cost is not None and cost > self.max_cost:
            used += f", {kept_cost:.4f} kept for later" if kept_cost else ""
            return (
                f"cost limit reached: {self.cost:.4f} of {self.max_cost:.4f} {used}, the next request may cost "
                f"{worst[1]:.4f}"
            )
        return None


def estimate_tokens(messages: Sequence[tuple[str, str]]) -> int:
    """A high estimate of a prompt's tokens: three ASCII characters a token, each other character one and a half."""
    total = 8
    for _, content in messages:
        others = 0 if content.isascii() else sum(not char.isascii() for char in content)
        total += 8 + (len(content) - others) // 3 + others * 3 // 2
    return total
