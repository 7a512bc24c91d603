"""Histories that somebody gives: products in whatever holds them, with times as logs write them."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from reaseq import ReaseqError
from reaseq.knowledge_store.event_columns import by_name
from reaseq.knowledge_store.feeds.rows import identifier
from reaseq.knowledge_store.native import native, record_in
from reaseq.knowledge_store.times import Clock

_NAMES = {
    "item": ("product_id", "item_id", "product", "item", "sku"),
    "time": ("at", "time", "timestamp", "datetime", "date", "position"),
    "kind": ("kind", "event"),
}
"""Keys of dictionaries, by field; those that a log's column may have come behind."""
_USER = ("user_id", "user", "userid", "customer_id", "visitor_id", "visitorid")
"""Not whatever a log knows users by: one person has several sessions."""
_GIVE = "give ids, pairs of an id and a time, or a data frame with the columns product_id and at"


def events_given(given: Any, *, timed: bool) -> list[dict[str, Any]]:
    """What a history given by hand says: of each event product_id (what the product is called), at (Unix seconds, or
    the position in a log that is not `timed`; None where nothing is said) and kind (None likewise).

    given: a product, or several, oldest first: products, pairs of a product and when, dictionaries or rows of a data
    frame with product_id, and at and kind if known, by whatever names a log may have them.

    Raises:
        ReaseqError: it has no order or is no history, it is several users', an event names no product, or a time is
            none.
    """
    said = [native(record_in(one)) for one in _listed(given)]
    keys = dict.fromkeys(key for one in said if isinstance(one, Mapping) for key in one)
    columns = by_name(list(keys)) if keys else {}
    named = {field: (*own, *filter(None, [columns.get(field)])) for field, own in _NAMES.items()}
    users = {str(user) for one in said if isinstance(one, Mapping) and (user := _first(one, _USER)) is not None}
    if len(users) > 1:
        raise ReaseqError(
            f"a history is one person's, and these are events of {len(users):,} users",
            hint="the rows of one user, or, of users of the log, ranker.rank(users)",
        )
    events = [_event(one, number, named) for number, one in enumerate(said, 1)]
    clock = Clock.of(event["at"] for event in events if isinstance(event["at"], str))
    for number, event in enumerate(events, 1):
        if event["at"] is not None:
            event["at"] = _moment(event["at"], number, clock if timed else None)
    return events


def _listed(given: Any) -> Iterable[Any]:
    """Its events, one by one."""
    if isinstance(given, set | frozenset):
        raise ReaseqError("a set has no order: what was first?", hint="give a list, oldest first")
    if hasattr(given, "columns"):
        return _rows(given)
    if hasattr(given, "to_pylist"):
        return given.to_pylist()  # type: ignore[no-any-return]
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        return [given]
    return given


def _rows(frame: Any) -> list[dict[str, Any]]:
    """A data frame's rows as dictionaries."""
    import pyarrow as pa

    if hasattr(frame, "reset_index") and any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    try:
        table = frame if isinstance(frame, pa.Table) else pa.table(frame)
        return table.to_pylist()  # type: ignore[no-any-return]
    except (pa.ArrowException, ValueError, TypeError):  # columns of several types, or two of one name
        return frame.to_dict("records")  # type: ignore[no-any-return]


def _event(said: Any, number: int, named: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """What stands at a place, from 1; named: by which keys, where it is a dictionary."""
    kind = None
    if isinstance(said, Mapping):
        product, at, kind = (_first(said, named[field]) for field in ("item", "time", "kind"))
    elif isinstance(said, list):
        product, at = said if len(said) == 2 else (None, None)
    else:
        product, at = said, None
    called = identifier(product) if isinstance(product, str | int | float) and not isinstance(product, bool) else ""
    if not called:
        raise ReaseqError(f"event {number} of the history names no product: {said!r}", hint=_GIVE)
    return {"product_id": called, "at": at, "kind": None if kind is None else str(kind)}


def _first(event: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((event[name] for name in names if event.get(name) is not None), None)


def _moment(at: Any, number: int, clock: Clock | None) -> float:
    """When an event was, as a log would have it; clock: None where positions count."""
    if isinstance(at, bool):
        found: float | str = "it is neither a time nor a number"
    elif clock is not None:
        found = clock.read(at)
    else:
        found = (
            float(at) if isinstance(at, int | float) and isfinite(at) else "the log has positions, which are numbers"
        )
    if isinstance(found, str):
        hint = "give seconds since 1970, a datetime, or a time as logs write it"
        raise ReaseqError(f"event {number} of the history has no time: {at!r} ({found})", hint=hint)
    return float(found)
