"""How right verified claims are, found out by people who judge a random few of them.

An audit only stores what was drawn. Whether a drawn claim is right, people's decisions say, however they are taken
(`reaseq review --audit`, a sheet): approved is right; rejected, edited, or settled otherwise is wrong. Where the
promise is broken the threshold moves: claims below it are proposed from then on, until people judge better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import bindparam, func, insert, select, update

from reaseq import ReaseqError
from reaseq.knowledge_store.acceptance import Estimate, allocated, edges, estimate, stratum_of
from reaseq.knowledge_store.decisions import Action, attribute_of
from reaseq.knowledge_store.store import AUDIT, AUDITED, CLAIM, DECISION, PRODUCT, THRESHOLD, Store
from reaseq.knowledge_store.tables import ClaimStatus, now
from reaseq.knowledge_store.thresholds import NOTHING, move, verified_from
from reaseq.taxonomy.trust import PROMISE, VERIFIED_FROM

_FEWEST = 20
"""Claims that must be judged for a threshold to move."""
_BROKEN_BELOW = 0.25
"""A promise counts as broken where the chance that it is kept is less."""
_MOST_STRATA = 4


@dataclass(frozen=True)
class Drawn:
    """A claim that was drawn. right: as people judged it; None: nobody has yet. claim: as it is now, None if a later
    run took it back."""

    place: int
    stratum: int
    product_id: str
    attribute: str
    value: str
    confidence: float | None
    found_by: str
    right: bool | None
    claim: Mapping[str, Any] | None


@dataclass(frozen=True)
class Part:
    """Of what an audit says: of how many verified claims, and the estimate. unseen: how many of them are in strata of
    which nobody has judged any, and of which the estimate says nothing."""

    name: str
    claims: int
    estimate: Estimate | None
    unseen: int = 0


@dataclass(frozen=True)
class AuditReport:
    """What an audit says so far. moved_to: the threshold that it moved to, if it did; demoted: see `conclude`."""

    number: int
    at: datetime
    by: str
    category: str | None
    promise: float
    verified_from: float
    concluded_at: datetime | None
    drawn: Sequence[Drawn]
    whole: Part
    by_confidence: Sequence[Part]
    by_attribute: Sequence[Part]
    by_source: Sequence[Part]
    moved_to: float | None

    @property
    def open(self) -> list[Drawn]:
        """What can still be judged."""
        return [one for one in self.drawn if one.right is None and one.claim is not None]

    @property
    def gone(self) -> int:
        """How many claims were taken back before anybody judged them."""
        return sum(one.right is None and one.claim is None for one in self.drawn)

    @property
    def chance(self) -> float | None:
        """That the promise is kept."""
        return self.whole.estimate.chance_from(self.promise) if self.whole.estimate else None

    @property
    def broken(self) -> bool:
        return self.chance is not None and self.chance < _BROKEN_BELOW

    @property
    def tells(self) -> bool:
        """Is enough judged for a threshold to move?"""
        judged = self.whole.estimate.judged if self.whole.estimate else 0
        return judged >= min(_FEWEST, len(self.drawn)) and judged >= min(_FEWEST, self.whole.claims)

    @property
    def worst(self) -> float | None:
        """The share that is right, were all that nobody has judged wrong."""
        drawn = [replace(one, right=bool(one.right)) for one in self.drawn]
        sizes = [part.claims for part in reversed(self.by_confidence)]
        found = _part("", sizes, drawn).estimate
        return found.rate if found else None


def draw(
    store: Store, count: int, *, by: str, category: str | None = None, promise: float = PROMISE, seed: int | None = None
) -> AuditReport:
    """Draw `count` verified claims of a category, or of all, that nobody has decided on; more where confidence is
    lower.

    Raises:
        ReaseqError: there are none.
    """
    if not 0 < promise < 1:
        raise ReaseqError(f"a promise of {promise}: it is a share between 0 and 1", hint="reaseq review --audit 50")
    query = (
        select(CLAIM.c.id, CLAIM.c.attribute, CLAIM.c.found_by, func.coalesce(CLAIM.c.confidence, VERIFIED_FROM))
        .join(PRODUCT, PRODUCT.c.id == CLAIM.c.product_id)
        .where(CLAIM.c.status == ClaimStatus.VERIFIED, CLAIM.c.decided_by.is_(None))
        .order_by(CLAIM.c.id)
    )
    if category is not None:
        query = query.where(PRODUCT.c.category == category)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    if not rows:
        moved = verified_from(store, category)
        because = f", and the threshold is {moved:.3g}" if moved > VERIFIED_FROM else ""
        raise ReaseqError(
            f"there is no verified claim to draw{because}",
            hint="reaseq review threshold" if because else f"reaseq distill --category {category or 'shoes'}",
        )
    confidences = np.array([row[3] for row in rows], float)
    begins = edges(confidences, max(1, min(_MOST_STRATA, count // 2)))
    strata = stratum_of(confidences, begins)
    random = np.random.default_rng(seed)
    rates = [float(confidences[strata == one].mean()) for one in range(len(begins))]
    sizes = np.bincount(strata, minlength=len(begins)).tolist()
    chosen = np.concatenate(
        [
            random.choice(np.flatnonzero(strata == one), number, replace=False)
            for one, number in enumerate(allocated(sizes, rates, count))
        ]
    )
    of: dict[str, dict[str, list[int]]] = {"attribute": {}, "found_by": {}}
    for row, stratum in zip(rows, strata.tolist(), strict=True):
        for name, key in (("attribute", row.attribute), ("found_by", row.found_by)):
            of[name].setdefault(key, [0] * len(begins))[stratum] += 1
    with store.writing() as connection:
        audit = {
            "at": now(),
            "by": by,
            "category": category,
            "promise": promise,
            "verified_from": verified_from(store, category),
            "strata": begins,
            "sizes": {"all": sizes, **of},
            "after": connection.execute(select(func.max(DECISION.c.id))).scalar() or 0,
        }
        number = int(connection.execute(insert(AUDIT), audit).inserted_primary_key[0])  # type: ignore[index]
        claims = []
        for place, at in enumerate(random.permutation(chosen).tolist()):
            claim = connection.execute(select(CLAIM).where(CLAIM.c.id == rows[at].id)).one()._mapping
            named = {name: claim[name] for name in ("product_id", "attribute", "value", "confidence", "found_by")}
            claims.append({"audit_id": number, "place": place, "stratum": int(strata[at]), **named})
        connection.execute(insert(AUDITED), claims)
    return report(store, number)


def audits(store: Store) -> list[Mapping[str, Any]]:
    """All, newest first: id, at, by, category, concluded_at."""
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id.desc()))]


def open_audit(store: Store, category: str | None) -> AuditReport | None:
    """The newest audit of just this category, or of all, that is not concluded."""
    for row in audits(store):
        if row["category"] == category and row["concluded_at"] is None:
            return report(store, row["id"])
    return None


def report(store: Store, number: int) -> AuditReport:
    """What an audit says so far.

    Raises:
        ReaseqError: there is no such audit.
    """
    with store.reading() as connection:
        row = connection.execute(select(AUDIT).where(AUDIT.c.id == number)).first()
        moved = connection.execute(
            select(THRESHOLD.c.verified_from).where(THRESHOLD.c.audit_id == number).order_by(THRESHOLD.c.id.desc())
        ).scalar()
    if row is None:
        raise ReaseqError(f"there is no audit {number}", hint="reaseq review audits")
    drawn = _drawn(store, number, row.after, concluded=row.concluded_at is not None)
    strata = range(len(row.strata))
    edge = [*row.strata, 1.0]
    named = [f"{edge[one]:.3g} to {edge[one + 1]:.3g}" for one in strata]
    return AuditReport(
        number,
        row.at,
        row.by,
        row.category,
        row.promise,
        row.verified_from,
        row.concluded_at,
        drawn,
        _part("all", row.sizes["all"], drawn),
        [_part(named[one], [row.sizes["all"][one]], _only(drawn, stratum=one)) for one in reversed(strata)],
        [
            _part(name, sizes, [one for one in drawn if one.attribute == name])
            for name, sizes in sorted(row.sizes["attribute"].items())
        ],
        [
            _part(name, sizes, [one for one in drawn if one.found_by == name])
            for name, sizes in sorted(row.sizes["found_by"].items())
        ],
        None if moved is None else float(moved),
    )


def conclude(store: Store, number: int, *, by: str) -> tuple[AuditReport, int]:
    """End an audit, with what was judged. Where the promise is broken, the threshold moves to the lowest confidence
    from which it is not, or to where nothing is verified by itself, and verified claims below that are proposed from
    now on: their number is returned too. Fewer than twenty judgements move nothing.

    Raises:
        ReaseqError: of some stratum nothing was judged, or the audit is concluded already.
    """
    made = report(store, number)
    if made.concluded_at is not None:
        raise ReaseqError(f"audit {number} is concluded already", hint=f"reaseq review audits {number}")
    if made.whole.estimate is None:
        raise ReaseqError(f"nobody has judged a claim of audit {number}", hint="reaseq review --audit 50")
    if unseen := [part.name for part in made.by_confidence if part.claims and part.estimate is None]:
        raise ReaseqError(
            f"of claims with confidence {', '.join(unseen)} nobody has judged any: nothing would be said of them",
            hint=f"reaseq review --audit 50{f' --category {made.category}' if made.category else ''}",
        )
    demoted = 0
    with store.writing() as connection:
        connection.execute(update(AUDIT).where(AUDIT.c.id == number).values(concluded_at=now()))
        mine = (AUDITED.c.audit_id == number) & (AUDITED.c.place == bindparam("its_place"))
        judged = [{"its_place": one.place, "judged": one.right} for one in made.drawn]
        connection.execute(update(AUDITED).where(mine).values(right=bindparam("judged")), judged)
        if made.broken and made.tells:
            strata = connection.execute(select(AUDIT.c.strata).where(AUDIT.c.id == number)).scalar_one()
            to = _kept_from(made, strata)
            demoted = move(connection, made.category, to, by=by, audit=number)
    return report(store, number), demoted


def conclude_judged(store: Store, *, by: str) -> list[tuple[AuditReport, int]]:
    """Conclude the audits of which everything that can be judged is."""
    waiting = [report(store, row["id"]) for row in audits(store) if row["concluded_at"] is None]
    whole = [one for one in waiting if not one.open and one.whole.estimate and not one.whole.unseen]
    return [conclude(store, one.number, by=by) for one in whole]


def _kept_from(made: AuditReport, strata: Sequence[float]) -> float:
    """The lowest beginning of a stratum from which on the promise is not broken."""
    parts = list(reversed(made.by_confidence))  # as the strata, ascending
    for first in range(1, len(strata)):
        some = [one for one in made.drawn if one.stratum >= first]
        sizes = [0] * first + [part.claims for part in parts[first:]]
        found = _part("", sizes, some).estimate
        if found is not None and found.chance_from(made.promise) >= _BROKEN_BELOW:
            return strata[first]
    return NOTHING


def _drawn(store: Store, number: int, after: int, *, concluded: bool) -> list[Drawn]:
    """What was drawn; once the audit is concluded, as it was judged then."""
    with store.reading() as connection:
        rows = connection.execute(select(AUDITED).where(AUDITED.c.audit_id == number).order_by(AUDITED.c.place)).all()
        ids = {row.product_id for row in rows}
        later = connection.execute(
            select(DECISION)
            .where(
                DECISION.c.product_id.in_(ids),
                DECISION.c.id > after,
                DECISION.c.withdrawn.is_(False),
                DECISION.c.action != Action.WITHDRAW,
            )
            .order_by(DECISION.c.id)
        ).all()
        claims = connection.execute(select(CLAIM).where(CLAIM.c.product_id.in_(ids))).all()
    standing = {(claim.product_id, claim.attribute, claim.value): dict(claim._mapping) for claim in claims}
    judged: dict[tuple[str, str], list[Any]] = {}
    for decision in later:
        judged.setdefault((decision.product_id, decision.attribute), []).append(decision)
    made = []
    for row in rows:
        key = (row.product_id, row.attribute, row.value)
        right = row.right
        if not concluded and (decided := judged.get(key[:2])):
            attribute = attribute_of(store, row.product_id, row.attribute)
            right = _right(row.value, decided, several=attribute is not None and attribute.multiple)
        claim = standing.get(key)
        if right is None and claim is not None and claim["status"] == ClaimStatus.REJECTED:
            claim = None
        named = (row.place, row.stratum, row.product_id, row.attribute, row.value, row.confidence, row.found_by)
        made.append(Drawn(*named, right, claim))
    return made


def _right(value: str, decided: Sequence[Any], *, several: bool) -> bool | None:
    """What the last decision says that tells on a value; None: none does."""
    right = None
    for one in decided:
        settled = one.decided if one.action == Action.EDIT else one.value
        if one.action == Action.REJECT:
            right = False if one.value == value else right
        elif settled == value:
            right = True
        elif one.value == value or not several:
            right = False
    return right


def _part(name: str, sizes: Sequence[int], drawn: Sequence[Drawn]) -> Part:
    judged, right = [0] * len(sizes), [0] * len(sizes)
    for one in drawn:
        if one.right is not None:
            at = one.stratum if len(sizes) > 1 else 0
            judged[at] += 1
            right[at] += one.right
    used = [at for at, size in enumerate(sizes) if size or judged[at]]
    found = estimate([sizes[at] for at in used], [judged[at] for at in used], [right[at] for at in used])
    return Part(name, sum(sizes), found, sum(sizes[at] for at in used if not judged[at]))


def _only(drawn: Sequence[Drawn], *, stratum: int) -> list[Drawn]:
    return [one for one in drawn if one.stratum == stratum]
