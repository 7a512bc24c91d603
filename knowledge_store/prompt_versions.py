"""Versions of prompts: each text that a run was made with, by its fingerprint, and what was made with it.

A version's fingerprint is that of all in its file that shapes a request. A product depends on a version as it is
bound to a category, with its attributes filled in; which bound prompt is of which version is kept here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from reaseq import ReaseqError
from reaseq.knowledge_store.store import CALL, DISTILLATION, Store
from reaseq.knowledge_store.store import PROMPT_BINDING as BINDING
from reaseq.knowledge_store.store import PROMPT_VERSION as VERSION
from reaseq.knowledge_store.tables import now

_NAME = re.compile(r"\w[\w-]*")
_FINGERPRINT = re.compile("[0-9a-f]{4,16}")
_RESERVED = frozenset(("bundled", "in-force"))
_SHORTEST = 4
"""Letters of a fingerprint that are enough to name a version, if there is no other."""


@dataclass(frozen=True)
class Version:
    """A prompt's text, and what was made with it: `products` stand on it now; calls, tokens and cost (in the
    currency of the prices; None: one had no price) so far."""

    agent: str
    fingerprint: str
    name: str | None
    text: str
    created_at: datetime
    products: int
    calls: int
    tokens: int
    cost: float | None


def keep(store: Store, agent: str, text: str, *, version: str, bound: str, category: str | None) -> None:
    """Keep a prompt that a run is made with, unless it is there."""
    with store.writing() as connection:
        known = select(VERSION.c.agent).where(VERSION.c.fingerprint == version, VERSION.c.agent == agent)
        if connection.execute(known).first() is None:
            row = {"fingerprint": version, "agent": agent, "text": text, "name": None, "created_at": now()}
            connection.execute(insert(VERSION), row)
        known = select(BINDING.c.version).where(BINDING.c.bound == bound, BINDING.c.agent == agent)
        if connection.execute(known).first() is None:
            row = {"bound": bound, "agent": agent, "version": version, "category": category}
            connection.execute(insert(BINDING), row)


def versions(store: Store, agent: str | None = None) -> list[Version]:
    """Those of an agent, or of all, the newest first."""
    query = select(VERSION).order_by(VERSION.c.created_at.desc(), VERSION.c.agent)
    with store.reading() as connection:
        rows = connection.execute(query if agent is None else query.where(VERSION.c.agent == agent)).all()
        bound: dict[tuple[str, str], list[str]] = {}
        for row in connection.execute(select(BINDING)):
            bound.setdefault((row.agent, row.version), []).append(row.bound)
        used = {
            (row.agent, row.prompt): row
            for row in connection.execute(
                select(
                    CALL.c.agent,
                    CALL.c.prompt,
                    func.count().label("calls"),
                    func.sum(CALL.c.prompt_tokens + CALL.c.completion_tokens).label("tokens"),
                    func.sum(CALL.c.cost).label("cost"),
                    func.count(CALL.c.cost).label("priced"),
                ).group_by(CALL.c.agent, CALL.c.prompt)
            )
        }
        standing: dict[str, dict[str, int]] = {}
        for name in {row.agent for row in rows}:
            part = DISTILLATION.c.parts[f"prompt {name}"].as_string()
            counted = connection.execute(select(part, func.count()).group_by(part))
            standing[name] = {str(one): count for one, count in counted}
    made = []
    for row in rows:
        mine = bound.get((row.agent, row.fingerprint), [])
        calls: Sequence[Any] = [used[row.agent, one] for one in mine if (row.agent, one) in used]
        priced = all(one.priced == one.calls for one in calls)
        made.append(
            Version(
                row.agent,
                row.fingerprint,
                row.name,
                row.text,
                row.created_at,
                sum(standing[row.agent].get(one, 0) for one in mine),
                sum(one.calls for one in calls),
                sum(one.tokens for one in calls),
                sum(one.cost or 0.0 for one in calls) if priced else None,
            )
        )
    return made


def find(store: Store, named: str) -> Version:
    """The version of that name, or whose fingerprint begins so.

    Raises:
        ReaseqError: there is none, or several.
    """
    known = versions(store)
    found = [one for one in known if one.name == named]
    if not found and len(named) >= _SHORTEST:
        found = [one for one in known if one.fingerprint.startswith(named.casefold())]
    if not found:
        too_short = len(named) < _SHORTEST and any(one.fingerprint.startswith(named.casefold()) for one in known)
        more = f"; of a fingerprint {_SHORTEST} letters at least are needed" if too_short else ""
        raise ReaseqError(f"no version of a prompt is called {named!r}{more}", hint="reaseq prompts versions")
    if len(found) > 1:
        meant = ", ".join(f"{one.fingerprint} ({one.agent}{f', {one.name}' if one.name else ''})" for one in found)
        raise ReaseqError(f"{named!r} may mean several versions: {meant}", hint="give more letters, or its name")
    return found[0]


def call_it(store: Store, version: Version, name: str) -> None:
    """Give a version a name.

    Raises:
        ReaseqError: another version has it, or it means something else.
    """
    if not _NAME.fullmatch(name) or name in _RESERVED or _FINGERPRINT.fullmatch(name):
        raise ReaseqError(
            f"{name!r} is no name for a version: letters, digits, - and _, and no word that means another",
            hint=f"reaseq prompts name {version.fingerprint[:8]} before-summer",
        )
    with store.writing() as connection:
        query = select(VERSION.c.fingerprint).where(VERSION.c.name == name)
        if any(row.fingerprint != version.fingerprint for row in connection.execute(query)):
            raise ReaseqError(f"another version is called {name!r}", hint="reaseq prompts versions")
        mine = VERSION.c.fingerprint == version.fingerprint
        connection.execute(update(VERSION).where(mine, VERSION.c.agent == version.agent).values(name=name))
