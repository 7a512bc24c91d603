"""Behaviour logs: from a file's records to Event rows, and back out in the order they happened."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from reaseq import ReaseqError
from reaseq.knowledge_store.feeds.columns import folded, guess
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Record
from reaseq.knowledge_store.importing import RejectedRows
from reaseq.knowledge_store.store import EVENT, EVENT_IMPORT, PRODUCT, Store
from reaseq.knowledge_store.tables import now

IMPRESSION = "impression"
FIELDS = ("user", "item", "time", "position", "kind", "impressions", "label")
"""`label` is 1 where an item that was shown was acted on and 0 where not; `impressions` lists what was shown beside."""

_NAMES: dict[str, tuple[str, ...]] = {
    "user": (
        "user", "user id", "userid", "customer id", "customer", "visitor id", "visitorid", "reviewer id", "client id",
        "account id", "member id", "uid", "session id", "session", "kunde", "kunden nr", "id client", "cliente",
    ),
    "item": (
        "item", "item id", "itemid", "product id", "productid", "product", "asin", "parent asin", "sku", "article id",
        "stock code", "product code", "iid", "artikel", "artikel nr", "id produit", "producto", "id",
    ),
    "time": (
        "timestamp", "time", "event time", "datetime", "date time", "date", "event date", "created at",
        "unix review time", "invoice date", "order date", "purchase date", "t dat", "ts", "datum", "zeit", "fecha",
    ),
    "position": ("position", "pos", "order", "rank", "sequence", "seq", "step", "index"),
    "kind": ("kind", "event", "event type", "eventtype", "action", "action type", "behavior", "behaviour", "type"),
    "impressions": ("impressions", "shown", "inview", "article ids inview", "exposed", "slate"),
    "label": ("label", "click", "clicked", "is click"),
}  # fmt: skip
_DATES = (
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%Y%m%d",
)
_BATCH = 20_000
_LARGEST_SECONDS = 1e11
"""Unix times beyond this (the year 5138) count milliseconds or smaller parts."""


@dataclass
class EventReport:
    """What became of every row. `events` counts what is new in the store, impressions included."""

    import_id: int
    clock: str
    rows: int = 0
    events: int = 0
    repeated: int = 0
    set_aside: int = 0
    unknown_items: int = 0
    rejected_file: Path | None = None
    first_rejected: list[tuple[int, str]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}


def guess_fields(columns: Sequence[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Field to column, by name; `overrides` win, and an empty one leaves the field out.

    Raises:
        FeedError: an override names no field or column, or no column can be the user or the item.
    """
    mapping = guess(columns, _NAMES, overrides or {})
    for needed in ("user", "item"):
        if needed not in mapping:
            raise FeedError(
                f"no column looks like the {needed}; columns are: {', '.join(columns)}",
                hint=f'reaseq import-events FILE --map {needed}="{columns[0]}"',
            )
    if "time" in mapping:
        mapping.pop("position", None)
    return mapping


def names_a_user(columns: Sequence[str], overrides: Mapping[str, str] | None = None) -> bool:
    """Is one of these the user of an event, or a column that `overrides` name?"""
    named = set((overrides or {}).values()) & set(columns)
    return bool(named) or not {folded(column) for column in columns}.isdisjoint(_NAMES["user"])


def import_events(
    store: Store,
    feed: Feed,
    mapping: Mapping[str, str],
    *,
    kind: str = "purchase",
    rejected_dir: Path,
    on_progress: Callable[[EventReport], None] = lambda report: None,
) -> EventReport:
    """Read a behaviour log into the store, a transaction a batch; stop it any time and run it again.

    An event that is there already is not added again, and one of a variant is one of its product. Without a time or a
    position column the file's order is the order. `kind` is that of rows that name none. Rows that cannot be used, or
    whose item is not in the catalogue, go to a CSV file in `rejected_dir` with line number and reason.

    Raises:
        ReaseqError: there are no products yet, or the store's events count in another clock.
    """
    clock = "time" if "time" in mapping else "position"
    there = store.clock()
    if there is not None and there != clock:
        raise ReaseqError(
            f"the store's events are ordered by {there}, this file's by {clock}: they cannot be mixed",
            hint=f'reaseq import-events {feed.path} --map {there}="COLUMN"   (or use another store)',
        )
    products = store.product_of()
    if not products:
        raise ReaseqError("the catalogue is empty: events of unknown items mean nothing", hint="reaseq import FILE")
    with store.writing() as connection:
        columns = {"source": str(feed.path), "clock": clock, "counts": {}, "started_at": now()}
        result = connection.execute(insert(EVENT_IMPORT), columns)
        import_id = int(result.inserted_primary_key[0])  # type: ignore[index]
    report = EventReport(import_id, clock)
    rejected = RejectedRows(rejected_dir / f"{feed.path.name}-events-{import_id}.csv", report)
    rows = iter(feed.rows)
    try:
        while batch := list(islice(rows, _BATCH)):
            events: dict[tuple[str, float, str, str], None] = {}
            for row in batch:
                report.rows += 1
                made = row if isinstance(row, BadRow) else _events_of(row, mapping, kind, report.rows, products)
                if isinstance(made, BadRow):
                    rejected.add(made)
                    report.unknown_items += made.reason.startswith(_UNKNOWN)
                else:
                    before = len(events)
                    events.update(dict.fromkeys(made))
                    report.repeated += len(made) - (len(events) - before)
            _write(store, sorted(events), report)
            on_progress(report)
    finally:
        rejected.close()
        with store.writing() as connection:
            done = update(EVENT_IMPORT).where(EVENT_IMPORT.c.id == import_id).values(counts=report.counts())
            connection.execute(done)
    return report


_UNKNOWN = "the item is not in the catalogue"
_INSERT = {
    "sqlite": sqlite.insert(EVENT).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(EVENT).on_conflict_do_nothing(),
}


def _write(store: Store, events: list[tuple[str, float, str, str]], report: EventReport) -> None:
    """In the order of the key, which is the order of the table: neighbours lie on one page."""
    if not events:
        return
    rows = [
        {"user_id": user, "at": at, "product_id": item, "kind": kind, "import_id": report.import_id}
        for user, at, item, kind in events
    ]
    with store.writing() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size=-262144")  # KiB: users are spread over the whole table
        added = connection.execute(_INSERT[connection.dialect.name], rows).rowcount
    report.events += added
    report.repeated += len(rows) - added


def _events_of(
    record: Record, mapping: Mapping[str, str], kind: str, number: int, products: Mapping[str, str]
) -> list[tuple[str, float, str, str]] | BadRow:
    values = record.values

    def text(name: str) -> str:
        value = values.get(mapping.get(name, ""))
        return "" if value is None else _plain(value).strip()

    def bad(reason: str) -> BadRow:
        return BadRow(record.line, reason, json.dumps(values, ensure_ascii=False, default=str))

    user, item = text("user"), text("item")
    if not user or not item:
        return bad(f"has no {'item' if user else 'user'}")
    if item not in products:
        return bad(f"{_UNKNOWN}: {item}")
    item = products[item]
    if "time" in mapping:
        at = parse_time(values.get(mapping["time"]))
    else:
        at = _number(values.get(mapping["position"])) if "position" in mapping else float(number)
    if at is None:
        return bad("its time cannot be read" if "time" in mapping else "its position is no number")
    what = text("kind").casefold() or kind
    if "label" in mapping:
        label = _number(values.get(mapping["label"]))
        if label not in (0.0, 1.0):
            return bad("its label is neither 0 nor 1")
        what = IMPRESSION if label == 0.0 else text("kind").casefold() or "click"
    made = [(user, at, item, what)]
    shown = _ids(values.get(mapping.get("impressions", "")))
    made += [(user, at, other, IMPRESSION) for other in map(products.get, shown) if other and other != item]
    return made


def parse_time(value: Any) -> float | None:
    """Unix seconds of a time as logs write it, or None: a number of seconds (or milli-, micro-, nanoseconds, by its
    size), ISO 8601 with zone or in UTC, or a day in an order that cannot be misread.
    """
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    number = _number(value)
    if number is not None and not re.fullmatch(r"(19|20)\d{6}", str(value).strip()):
        while abs(number) > _LARGEST_SECONDS:
            number /= 1000
        return number
    text = str(value).strip()
    for reader in (datetime.fromisoformat, *(lambda text, form=form: datetime.strptime(text, form) for form in _DATES)):
        try:
            return parse_time(reader(text))
        except ValueError:
            continue
    return None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _plain(value: Any) -> str:
    """A whole number without the decimals that a data frame gave it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _ids(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else re.split(r"[\s,;|]+", value)
        except ValueError:
            value = re.findall(r"[^\s,\[\]'\"]+", value)
    return (
        [_plain(one).strip() for one in value if one is not None and str(one).strip()]
        if isinstance(value, list)
        else []
    )


# Reading


def read_events(store: Store, *, batch: int = 50_000) -> Iterator[tuple[list[str], list[float], list[str], list[str]]]:
    """All events by user, then time: columns of user ids, times, product ids and kinds, a batch at a time.

    Each batch is a query of its own: memory does not grow with the log.
    """
    key = (EVENT.c.user_id, EVENT.c.at, EVENT.c.product_id, EVENT.c.kind)
    query = select(*key).order_by(*key).limit(batch)
    after: tuple[Any, ...] | None = None
    while True:
        page = query if after is None else query.where(tuple_(*key) > tuple_(*after))
        with store.reading() as connection:
            rows = connection.execute(page).all()
        if rows:
            users, times, products, kinds = zip(*rows, strict=True)
            yield list(users), list(times), list(products), list(kinds)
        if len(rows) < batch:
            return
        after = tuple(rows[-1])


def history(
    store: Store, user_id: str, limit: int | None = None, kinds: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """A user's last `limit` events, oldest first, with products' titles: of some kinds, or all but impressions."""
    wanted = EVENT.c.kind != IMPRESSION if kinds is None else EVENT.c.kind.in_(kinds)
    query = (
        select(EVENT.c.at, EVENT.c.product_id, EVENT.c.kind, PRODUCT.c.title)
        .join(PRODUCT, PRODUCT.c.id == EVENT.c.product_id)
        .where(EVENT.c.user_id == user_id, wanted)
        .order_by(EVENT.c.at.desc(), EVENT.c.product_id.desc(), EVENT.c.kind.desc())
        .limit(limit)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return [dict(row._mapping) for row in reversed(rows)]


def event_stats(store: Store) -> dict[str, Any]:
    """What the log is like: events by kind, users, items, how many events users and items have, baskets, repeats."""
    import numpy as np

    with store.reading() as connection:
        kinds = {
            row[0]: row[1] for row in connection.execute(select(EVENT.c.kind, func.count()).group_by(EVENT.c.kind))
        }
        acted = EVENT.c.kind != IMPRESSION
        users = connection.execute(
            select(
                func.count().label("events"),
                func.count(EVENT.c.product_id.distinct()),
                func.count(EVENT.c.at.distinct()),
            )
            .where(acted)
            .group_by(EVENT.c.user_id)
        ).all()
        items = connection.execute(select(func.count()).where(acted).group_by(EVENT.c.product_id)).scalars().all()
        first, last = connection.execute(select(func.min(EVENT.c.at), func.max(EVENT.c.at))).one()
    events = np.array([row[0] for row in users] or [0])
    total, catalogue = int(events.sum()), store.count_products()
    counts = np.array(items or [0])
    return {
        "kinds": kinds,
        "clock": store.clock(),
        "first": first,
        "last": last,
        "events": total,
        "users": len(users),
        "items": len(items),
        "items never seen": catalogue - len(items),
        "density": total / max(len(users) * len(items), 1),
        "events a user": {
            name: float(np.quantile(events, q)) for name, q in (("median", 0.5), ("90 %", 0.9), ("most", 1.0))
        },
        "items by events": {
            "0": catalogue - len(items),
            "1-5": int(((counts >= 1) & (counts <= 5)).sum()),
            "6-20": int(((counts >= 6) & (counts <= 20)).sum()),
            "more": int((counts > 20).sum()),
        },
        "repeated": (total - sum(row[1] for row in users)) / max(total, 1),
        "events a basket": total / max(sum(row[2] for row in users), 1),
    }


def months(store: Store) -> dict[str, int]:
    """Events a month, for a log with times."""
    made: dict[str, int] = {}
    day = func.floor(EVENT.c.at / 86400.0)
    with store.reading() as connection:
        for number, count in connection.execute(select(day, func.count()).group_by(day).order_by(day)):
            month = datetime.fromtimestamp(float(number) * 86400, UTC).strftime("%Y-%m")
            made[month] = made.get(month, 0) + count
    return made
