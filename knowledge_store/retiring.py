"""Claims of agents of one's own that are asked no more: marked as no longer in force, and kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, bindparam, cast, select, update

from reaseq.knowledge_store.store import CLAIM, DISTILLATION, PRODUCT, Store
from reaseq.knowledge_store.tables import ClaimStatus


@dataclass(frozen=True)
class Retired:
    """A product, the agents whose claims on it hold no longer, and what is left of its parts."""

    product_id: str
    agents: Collection[str]
    parts: Mapping[str, str]


def read_by(store: Store, category: str, prefix: str) -> list[str]:
    """The ids of a category's products that have a part whose name begins with `prefix`."""
    says_so = cast(DISTILLATION.c.parts, Text).contains(f'"{prefix}', autoescape=True)
    query = select(PRODUCT.c.id).join(DISTILLATION, DISTILLATION.c.product_id == PRODUCT.c.id)
    with store.reading() as connection:
        return list(connection.execute(query.where(PRODUCT.c.category == category, says_so)).scalars())


def retire(store: Store, some: Sequence[Retired]) -> int:
    """Mark the claims, but for those on which somebody decided, in one transaction. Of how many products there were
    some."""
    mine = CLAIM.c.product_id == bindparam("product")
    mark = (
        update(CLAIM)
        .where(mine, CLAIM.c.found_by == bindparam("agent"), CLAIM.c.decided_by.is_(None))
        .where(CLAIM.c.status != ClaimStatus.RETIRED)
        .values(status=ClaimStatus.RETIRED, verdict=CLAIM.c.verdict + bindparam("why"))
    )
    left = update(DISTILLATION).where(DISTILLATION.c.product_id == bindparam("product"))
    rows = [
        {"product": one.product_id, "agent": agent, "why": f"; {agent} is switched off"}
        for one in some
        for agent in one.agents
    ]
    agents = {agent for one in some for agent in one.agents}
    there = select(CLAIM.c.product_id).distinct().where(CLAIM.c.product_id.in_([one.product_id for one in some]))
    there = there.where(CLAIM.c.found_by.in_(agents), CLAIM.c.decided_by.is_(None))
    there = there.where(CLAIM.c.status != ClaimStatus.RETIRED)
    with store.writing() as connection:
        count = len(connection.execute(there).all())
        connection.execute(mark, rows)
        connection.execute(left, [{"product": one.product_id, "parts": dict(one.parts)} for one in some])
    return count
