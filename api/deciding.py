"""One decision of a person: what becomes of a claim, and on what an edit rests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reaseq.agents.grounder import evidence_of
from reaseq.agents.product_text import source_fields
from reaseq.knowledge_store.decisions import Action, attribute_of, decide
from reaseq.knowledge_store.store import Store


def settle(store: Store, claim: Mapping[str, Any], action: Action, value: str | None, *, by: str) -> int:
    """Approve, edit or reject a claim; the decision's number. An edit rests on where the text says its value.

    Raises:
        ReaseqError: there is no such claim any more.
    """
    attribute = attribute_of(store, claim["product_id"], claim["attribute"])
    evidence = None
    if value is not None:
        evidence = evidence_of(value, source_fields(store.product(claim["product_id"]) or {}))
    one_valued = attribute is not None and not attribute.multiple
    return decide(store, claim["id"], action, by=by, value=value, evidence=evidence, one_valued=one_valued)
