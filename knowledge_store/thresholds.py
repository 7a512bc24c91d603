"""From which confidence claims are verified: where an audit, or somebody, moved it, of a category or of all.

What is less sure is proposed, at once and by every later run.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from reaseq import ReaseqError
from reaseq.knowledge_store.store import CLAIM, PRODUCT, THRESHOLD, Store
from reaseq.knowledge_store.tables import ClaimStatus, now
from reaseq.taxonomy.trust import VERIFIED_FROM

NOTHING = 1.01
"""A threshold from which nothing is verified."""


def verified_from(store: Store, category: str | None) -> float:
    """The confidence from which the category's claims are verified: its own threshold, else that of all."""
    with store.reading() as connection:
        return _verified_from(connection, category)


def _verified_from(connection: Connection, category: str | None) -> float:
    column = THRESHOLD.c.category
    of = column.is_(None) if category is None else or_(column == category, column.is_(None))
    own_first = select(THRESHOLD.c.verified_from).where(of).order_by(column.is_(None), THRESHOLD.c.id.desc())
    moved = connection.execute(own_first.limit(1)).scalar()
    return VERIFIED_FROM if moved is None else float(moved)


def move_threshold(store: Store, category: str | None, verified_from: float, *, by: str) -> int:
    """Verify a category's claims, or all, from another confidence on. Verified claims below it are proposed at once,
    which are counted; those above it are verified by the next `distill`.

    Raises:
        ReaseqError: it is no confidence, or one from which nobody ever verified.
    """
    if not VERIFIED_FROM <= verified_from <= NOTHING:
        raise ReaseqError(
            f"a threshold of {verified_from}: it is a confidence from {VERIFIED_FROM} to 1",
            hint=f"reaseq review threshold {VERIFIED_FROM}",
        )
    with store.writing() as connection:
        return move(connection, category, verified_from, by=by, audit=None)


def thresholds(store: Store) -> list[Mapping[str, Any]]:
    """How thresholds were moved, newest first: at, by, category, verified_from, audit_id."""
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(select(THRESHOLD).order_by(THRESHOLD.c.id.desc()))]


def hold(connection: Connection, product_id: str) -> None:
    """Propose what of a product is verified again, though the threshold has moved above it: a decision was undone."""
    category = connection.execute(select(PRODUCT.c.category).where(PRODUCT.c.id == product_id)).scalar()
    least = _verified_from(connection, category)
    if least > VERIFIED_FROM:
        _demote(connection, CLAIM.c.product_id == product_id, least, "the threshold")


def move(connection: Connection, category: str | None, to: float, *, by: str, audit: int | None) -> int:
    """`move_threshold` within a transaction. audit: the number of the one that asks for it."""
    moved = {"at": now(), "by": by, "category": category, "verified_from": to, "audit_id": audit}
    connection.execute(insert(THRESHOLD), moved)
    products = select(PRODUCT.c.id)
    if category is not None:
        products = products.where(PRODUCT.c.category == category)
    else:  # those with a threshold of their own keep it
        own = select(THRESHOLD.c.category).where(THRESHOLD.c.category.is_not(None))
        products = products.where(or_(PRODUCT.c.category.is_(None), PRODUCT.c.category.not_in(own)))
    why = f"audit {audit}" if audit is not None else by
    return _demote(connection, CLAIM.c.product_id.in_(products), to, why)


def _demote(connection: Connection, which: ColumnElement[bool], to: float, why: str) -> int:
    below = and_(
        CLAIM.c.status == ClaimStatus.VERIFIED,
        CLAIM.c.decided_by.is_(None),
        func.coalesce(CLAIM.c.confidence, VERIFIED_FROM) < to,
        which,
    )
    changed = connection.execute(
        update(CLAIM)
        .where(below)
        .values(status=ClaimStatus.PROPOSED, verdict=CLAIM.c.verdict + f"; less sure than {why} asks for ({to:.3g})")
    )
    return int(changed.rowcount)
