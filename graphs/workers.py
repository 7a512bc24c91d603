"""Workers that share a run."""

import asyncio

from reaseq.llm.budget import BudgetExceeded

FAILURES_IN_A_ROW = 10
"""So many products failing one after the other because the endpoint does end a run."""


async def all_or_first_error(workers: list[asyncio.Task[None]]) -> None:
    """Wait for all workers. When one fails the others are cancelled - but when it failed for want of
    budget they finish what they have under way, which is paid for."""
    try:
        finished, others = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        errors = [error for worker in finished if (error := worker.exception())]
        if others and all(isinstance(error, BudgetExceeded) for error in errors):
            await asyncio.wait(others)
        if errors:
            raise errors[0]
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
