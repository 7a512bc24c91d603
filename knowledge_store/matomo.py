"""Visits as Matomo's Live API tells them: what was done in them is called as nobody else calls it.

https://developer.matomo.org/api-reference/reporting-api (Live.getLastVisitsDetails)
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reaseq.knowledge_store.feeds.rows import Feed, Record, Row

_ACTIONS = "actionDetails"
_KINDS = {"action": "view", "ecommerceOrder": "purchase", "ecommerceAbandonedCart": "cart abandoned"}
"""What types of actions are: a page that was seen, an order, and a cart of which no order came about."""


def of_matomo(feed: Feed) -> Feed:
    """The feed with kinds in the place of types of actions; as it is where it lists none."""
    if _ACTIONS not in feed.columns:
        return feed

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record) and isinstance(done := row.values.get(_ACTIONS), list):
                row = row._replace(values={**row.values, _ACTIONS: [_with_kind(one) for one in done]})
            yield row

    told = ", ".join(f"{said}: {kind}" for said, kind in _KINDS.items())
    return replace(feed, rows=rows(), taken={**feed.taken, "what was done by": f"{_ACTIONS}.type ({told})"})


def _with_kind(action: Any) -> Any:
    if not isinstance(action, dict):
        return action
    said = action.get("type")
    return {**action, "type": _KINDS.get(said, said)} if isinstance(said, str) else action
