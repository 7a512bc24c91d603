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


def test_what_is_kept_back_is_left_for_later() -> None:
    async def scenario() -> None:
        budget = Budget(max_tokens=2 * WORST)
        budget.keep_back(WORST + 1, 0.0)
        with pytest.raises(BudgetExceeded, match="kept for later"):
            async with budget.reserve(MESSAGES, 50):
                pass
        budget.keep_back(0, 0.0)
        async with budget.reserve(MESSAGES, 50) as spend:
            spend(1, 1)
        assert budget.largest == (WORST, 0.0)

    asyncio.run(scenario())


def test_an_endpoint_that_counts_more_is_estimated_higher() -> None:
    async def scenario() -> None:
        estimate = WORST - 50
        budget = Budget(max_tokens=5 * estimate)
        async with budget.reserve(MESSAGES, 0) as spend:
            spend(2 * estimate, 0)
        async with budget.reserve(MESSAGES, 0) as spend:
            spend(2 * estimate, 0)
        with pytest.raises(BudgetExceeded):
            async with budget.reserve(MESSAGES, 0):
                pass

    asyncio.run(scenario())
