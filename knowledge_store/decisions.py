"""What people decide on claims. Decisions are kept apart in an audit log, hold against every run, and can be taken
back."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select, update

from reaseq import ReaseqError
from reaseq.knowledge_store.store import CLAIM, DECISION, DISTILLATION, EVENT, PRODUCT, Store
from reaseq.knowledge_store.tables import ClaimStatus, now
from reaseq.knowledge_store.thresholds import hold
from reaseq.taxonomy.evidence import Evidence
from reaseq.taxonomy.schema import Attribute

_KEPT = ("status", "verdict", "decided_by")
_MOST_CONTRADICTED = 10_000
_UNMEASURED = {ClaimStatus.PROPOSED: 1.0, ClaimStatus.VERIFIED: 0.1, ClaimStatus.REJECTED: 0.05}
"""How unsure a claim without a confidence is."""


class Action(StrEnum):
    """What can be decided."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    WITHDRAW = "withdraw"


BECOMES = {
    Action.APPROVE: ClaimStatus.APPROVED,
    Action.EDIT: ClaimStatus.REJECTED,
    Action.REJECT: ClaimStatus.REJECTED,
}


def attribute_of(store: Store, product_id: str, name: str) -> Attribute | None:
    """The attribute in the schema of the product's category; None if there is none."""
    product = store.product(product_id)
    stored = store.latest_schema(product["category"]) if product and product["category"] else None
    return stored.schema.get(name) if stored else None


def to_review(
    store: Store,
    *,
    category: str | None = None,
    product_id: str | None = None,
    attribute: str | None = None,
    status: ClaimStatus | None = None,
    contradicted: Collection[int] = (),
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Claims that nobody has decided, with `traffic` (the product's events) and `uncertainty` in [0, 1].

    First come those with the highest uncertainty x (1 + traffic). The uncertainty is 1 - |2 c - 1| of a confidence c;
    a proposed claim that has none is wholly uncertain, and so are those `contradicted`, by id. Without `status`, claims
    that were rejected are left out.
    """
    traffic = select(EVENT.c.product_id, func.count().label("events")).group_by(EVENT.c.product_id).subquery("traffic")
    events = func.coalesce(traffic.c.events, 0)
    measured = 1 - func.abs(2 * CLAIM.c.confidence - 1)
    uncertainty = case(
        (CLAIM.c.id.in_(list(contradicted)[:_MOST_CONTRADICTED]), 1.0),
        (CLAIM.c.confidence.is_(None), case(_UNMEASURED, value=CLAIM.c.status, else_=0.0)),
        else_=measured,
    )
    query = (
        select(CLAIM, events.label("traffic"), uncertainty.label("uncertainty"))
        .join(PRODUCT, PRODUCT.c.id == CLAIM.c.product_id)
        .outerjoin(traffic, traffic.c.product_id == CLAIM.c.product_id)
        .where(CLAIM.c.decided_by.is_(None))
        .order_by((uncertainty * (1 + events)).desc(), CLAIM.c.id)
    )
    statuses = [status] if status else [ClaimStatus.PROPOSED, ClaimStatus.VERIFIED]
    query = query.where(CLAIM.c.status.in_(statuses))
    if category is not None:
        query = query.where(PRODUCT.c.category == category)
    if product_id is not None:
        query = query.where(CLAIM.c.product_id == product_id)
    if attribute is not None:
        query = query.where(CLAIM.c.attribute == attribute)
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query.limit(limit))]


def decide(
    store: Store,
    claim_id: int,
    action: Action,
    *,
    by: str,
    value: str | None = None,
    evidence: Mapping[str, Any] | None = None,
    one_valued: bool = False,
    source: str | None = None,
) -> int:
    """Approve, edit or reject a claim; returns the decision's number. The product is distilled anew by the next run,
    because its summary rests on its claims.

    An edit rejects the claim and adds one with `value`, resting on `evidence` (claim_type, field, start, end, quote).
    Where the attribute is `one_valued`, settling on a value rejects the undecided others. source: the file it is in.

    Raises:
        ReaseqError: there is no such claim, or no longer.
    """
    if (action is Action.EDIT) != (value is not None):
        raise ValueError("an edit, and nothing else, has a value")
    with store.writing() as connection:
        row = connection.execute(select(CLAIM).where(CLAIM.c.id == claim_id)).first()
        if row is None:
            raise ReaseqError(f"claim {claim_id} is gone: a run has replaced it", hint="reaseq review")
        claim = dict(row._mapping)
        touched = [claim]
        if one_valued and action is not Action.REJECT:
            rivals = select(CLAIM).where(
                CLAIM.c.product_id == claim["product_id"],
                CLAIM.c.attribute == claim["attribute"],
                CLAIM.c.id != claim_id,
                CLAIM.c.decided_by.is_(None),
                CLAIM.c.status != ClaimStatus.REJECTED,
            )
            others = [dict(rival._mapping) for rival in connection.execute(rivals)]
            verdict = f"{by} settled on {value or claim['value']!r}"
            for other in others:
                _change(connection, other["id"], status=ClaimStatus.REJECTED, verdict=verdict)
            touched += others
        said = {Action.APPROVE: f"approved by {by}", Action.REJECT: f"rejected by {by}"}
        verdict = said.get(action, f"{by} edited it to {value!r}")
        _change(connection, claim_id, status=BECOMES[action], verdict=verdict, decided_by=by)
        added = None
        if value is not None:
            added = _added(connection, claim, value, evidence or {}, by)
        return _log(connection, claim, action, by, touched=touched, decided=value, added=added, source=source)


def find_claim(store: Store, claim_id: int) -> dict[str, Any]:
    """The claim of this number.

    Raises:
        ReaseqError: there is no such claim, or no longer.
    """
    with store.reading() as connection:
        row = connection.execute(select(CLAIM).where(CLAIM.c.id == claim_id)).first()
    if row is None:
        raise ReaseqError(f"claim {claim_id} is gone: a run has replaced it", hint="reaseq review")
    return dict(row._mapping)


def decision_on(store: Store, claim: Mapping[str, Any]) -> dict[str, Any] | None:
    """The decision that a claim, as it is stored, stands by; None if nobody has decided on it."""
    of_claim = select(DECISION).where(
        DECISION.c.product_id == claim["product_id"],
        DECISION.c.attribute == claim["attribute"],
        DECISION.c.value == claim["value"],
        DECISION.c.withdrawn.is_(False),
        DECISION.c.action != Action.WITHDRAW,
    )
    with store.reading() as connection:
        rows = connection.execute(of_claim.order_by(DECISION.c.id.desc())).all()
    return next((dict(row._mapping) for row in rows if str(claim["id"]) in row.touched), None)


def withdraw(store: Store, decision_id: int, *, by: str) -> int:
    """Take a decision back: the claims are as they were before it, but for what the threshold would not verify now.
    Returns the number of this decision.

    Raises:
        ReaseqError: there is no such decision, it is withdrawn already, or a later one rests on it.
    """
    with store.writing() as connection:
        row = connection.execute(select(DECISION).where(DECISION.c.id == decision_id)).first()
        if row is None or row.withdrawn or row.action == Action.WITHDRAW:
            why = "there is no such decision" if row is None else "it is withdrawn, or withdraws another"
            raise ReaseqError(f"decision {decision_id} cannot be taken back: {why}", hint="reaseq review log")
        later = select(DECISION).where(
            DECISION.c.product_id == row.product_id,
            DECISION.c.attribute == row.attribute,
            DECISION.c.id > decision_id,
            DECISION.c.withdrawn.is_(False),
            DECISION.c.action != Action.WITHDRAW,
        )
        if (after := connection.execute(later.order_by(DECISION.c.id.desc())).first()) is not None:
            raise ReaseqError(
                f"decision {decision_id} cannot be taken back: decision {after.id} on {row.attribute!r} came after it",
                hint=f"reaseq review undo {after.id}",
            )
        if row.added is not None:
            connection.execute(delete(CLAIM).where(CLAIM.c.id == row.added))
        for claim_id, before in row.touched.items():
            _change(connection, int(claim_id), **before)
        hold(connection, row.product_id)
        connection.execute(update(DECISION).where(DECISION.c.id == decision_id).values(withdrawn=True))
        claim = {"product_id": row.product_id, "attribute": row.attribute, "value": row.decided or row.value}
        return _log(connection, claim, Action.WITHDRAW, by, touched=[], decided=row.value)


def decisions(store: Store, *, product_id: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
    """The audit log, newest first, each with the product's title."""
    query = select(DECISION, PRODUCT.c.title).join(PRODUCT, PRODUCT.c.id == DECISION.c.product_id)
    if product_id is not None:
        query = query.where(DECISION.c.product_id == product_id)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(DECISION.c.id.desc()).limit(limit))
        return [dict(row._mapping) for row in rows]


def decided_products(
    store: Store, *, category: str | None = None
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Products on which somebody decided, each with the claims that were decided."""
    query = (
        select(PRODUCT)
        .where(PRODUCT.c.id.in_(select(CLAIM.c.product_id).where(CLAIM.c.decided_by.is_not(None))))
        .order_by(PRODUCT.c.id)
    )
    if category is not None:
        query = query.where(PRODUCT.c.category == category)
    with store.reading() as connection:
        products = [dict(row._mapping) for row in connection.execute(query)]
    for product in products:
        yield product, store.decided(product["id"])


def decided_evidence(store: Store, category: str) -> list[tuple[str, str, str, bool]]:
    """Of each claim that code made and somebody decided: product, class of evidence, attribute, and whether it was
    right."""
    query = (
        select(CLAIM.c.product_id, CLAIM.c.evidence, CLAIM.c.attribute, CLAIM.c.status)
        .join(PRODUCT, PRODUCT.c.id == CLAIM.c.product_id)
        .where(PRODUCT.c.category == category, CLAIM.c.decided_by.is_not(None), CLAIM.c.evidence.is_not(None))
        .order_by(CLAIM.c.id)
    )
    with store.reading() as connection:
        return [
            (row.product_id, row.evidence, row.attribute, row.status == ClaimStatus.APPROVED)
            for row in connection.execute(query)
            if row.evidence != Evidence.DENIED
        ]


def _change(connection: Connection, claim_id: int, **columns: Any) -> None:
    connection.execute(update(CLAIM).where(CLAIM.c.id == claim_id).values(**columns))


def _added(connection: Connection, claim: Mapping[str, Any], value: str, evidence: Mapping[str, Any], by: str) -> int:
    rests_on = {"claim_type": claim["claim_type"], "field": None, "start": None, "end": None, "quote": None}
    columns = (
        {name: held for name, held in claim.items() if name != "id"}
        | rests_on
        | dict(evidence)
        | {"value": value, "status": ClaimStatus.EDITED, "found_by": "person", "decided_by": by, "reason": None}
        | {
            "verdict": f"{by} edited {claim['value']!r}",
            "confidence": None,
            "evidence": None,
            "model": "",
            "created_at": now(),
        }
    )
    return int(connection.execute(insert(CLAIM), columns).inserted_primary_key[0])  # type: ignore[index]


def _log(
    connection: Connection,
    claim: Mapping[str, Any],
    action: Action,
    by: str,
    *,
    touched: list[dict[str, Any]],
    decided: str | None = None,
    added: int | None = None,
    source: str | None = None,
) -> int:
    columns = {
        "at": now(),
        "by": by,
        "action": action,
        "product_id": claim["product_id"],
        "attribute": claim["attribute"],
        "value": claim["value"],
        "decided": decided,
        "touched": {str(one["id"]): {name: one[name] for name in _KEPT} for one in touched},
        "added": added,
        "source": source,
        "withdrawn": False,
    }
    number = int(connection.execute(insert(DECISION), columns).inserted_primary_key[0])  # type: ignore[index]
    # What its knowledge was made from now includes the decision, which makes it stale: see graphs/staleness.py.
    of_product = DISTILLATION.c.product_id == claim["product_id"]
    parts = connection.execute(select(DISTILLATION.c.parts).where(of_product)).scalar()
    if parts is not None:
        changed = parts | {"decision": str(number)}
        connection.execute(update(DISTILLATION).where(of_product).values(parts=changed))
    return number
