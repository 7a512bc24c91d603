"""Limits hold in advance."""

import asyncio

import pytest

from reaseq import ReaseqError
from reaseq.llm.budget import Budget, BudgetExceeded, estimate_tokens
from reaseq.llm.endpoint import Price

MESSAGES = [("user", "x" * 300)]
WORST = estimate_tokens(MESSAGES) + 50


def test_what_does_not_fit_waits_for_what_is_in_flight() -> None:
    async def scenario() -> list[str]:
        budget = Budget(max_tokens=WORST + 29)
        order: list[str] = []

        async def request(name: str, used: int) -> None:
            async with budget.reserve(MESSAGES, 50) as spend:
                order.append(f"{name} starts")
                await asyncio.sleep(0.01)
                spend(used, 0)
            order.append(f"{name} ends")

        await asyncio.gather(request("first", 20), request("second", 10))
        with pytest.raises(BudgetExceeded, match="token limit reached: 30 of"):
            await request("third", 10)
        return order

    assert asyncio.run(scenario()) == ["first starts", "first ends", "second starts", "second ends"]


def test_a_failed_request_gives_its_room_back() -> None:
    async def scenario() -> None:
        budget = Budget(max_tokens=WORST)
        for _ in range(3):
            with pytest.raises(OSError, match="down"):
                async with budget.reserve(MESSAGES, 50):
                    raise OSError("down")
        async with budget.reserve(MESSAGES, 50) as spend:
            spend(WORST, 0)
        assert budget.tokens == WORST

    asyncio.run(scenario())


def test_cost() -> None:
    budget, price = Budget(max_cost=0.01), Price(10.0, 20.0)

    async def scenario() -> None:
        async with budget.reserve(MESSAGES, 50, price) as spend:
            spend(500, 100)
        assert budget.cost == pytest.approx(0.007)
        async with budget.reserve(MESSAGES, 50, Price(0.0, 0.0)) as spend:
            spend(9999, 9999)
        with pytest.raises(BudgetExceeded, match=r"cost limit reached: 0\.0070 of 0\.0100 used"):
            async with budget.reserve([("user", "x" * 3000)], 500, price):
                pass

    asyncio.run(scenario())
    with pytest.raises(ReaseqError, match="needs a price"):
        Budget(max_cost=1.0).check("model", None)


@pytest.mark.parametrize(("text", "at_least"), [("plain words here", 4), ("防水の本革パンプス", 9), ("", 0)])
def test_estimates_are_high(text: str, at_least: int) -> None:
    assert estimate_tokens([("user", text)]) >= at_least
