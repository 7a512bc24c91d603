"""The ledger of model calls, read back: what was asked, what came, what it took."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from reaseq.knowledge_store.store import CALL, Store

_PART = 500


def listed(
    store: Store,
    *,
    run_id: int | None = None,
    agent: str | None = None,
    product_ids: Collection[str] | None = None,
    failed: bool = False,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The newest calls first. product_ids: of these products, or rows of gold files. failed: those alone on which a
    failure rests."""
    query = select(CALL).order_by(CALL.c.id.desc()).limit(limit)
    for column, value in ((CALL.c.run_id, run_id), (CALL.c.agent, agent)):
        if value is not None:
            query = query.where(column == value)
    if product_ids is not None:
        query = query.where(CALL.c.product_id.in_(product_ids))
    if failed:
        query = query.where(CALL.c.reusable.is_(False))
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def find(store: Store, call_id: int) -> dict[str, Any] | None:
    """A call by its number."""
    with store.reading() as connection:
        row = connection.execute(select(CALL).where(CALL.c.id == call_id)).first()
    return dict(row._mapping) if row else None


def taken(store: Store, call_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What calls took, by their numbers: agent, tokens, cost and seconds."""
    columns = (CALL.c.id, CALL.c.agent, CALL.c.prompt_tokens, CALL.c.completion_tokens, CALL.c.cost, CALL.c.seconds)
    ids, made = sorted(call_ids), {}
    with store.reading() as connection:
        for start in range(0, len(ids), _PART):
            query = select(*columns).where(CALL.c.id.in_(ids[start : start + _PART]))
            made.update({row.id: dict(row._mapping) for row in connection.execute(query)})
    return made
