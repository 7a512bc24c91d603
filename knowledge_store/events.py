"""Behaviour logs: from a file's records to Event rows, and back out in the order they happened."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql

from reaseq import ReaseqError
from reaseq.knowledge_store.event_columns import device_of, order_of
from reaseq.knowledge_store.event_reader import EventReader, is_nobody
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, Record, Row, identifier, is_empty
from reaseq.knowledge_store.importing import RejectedRows
from reaseq.knowledge_store.kind_columns import is_a_kind
from reaseq.knowledge_store.names import UNKNOWN, Names, read_names
from reaseq.knowledge_store.order_states import IMPRESSION, RETURN, Event, History, with_order
from reaseq.knowledge_store.repeats import Repeats
from reaseq.knowledge_store.shown import Result, counted, rows_of
from reaseq.knowledge_store.store import EVENT, EVENT_IMPORT, PRODUCT, Store
from reaseq.knowledge_store.tables import now
from reaseq.knowledge_store.times import Order

PASSIVE = (IMPRESSION, RETURN)
"""Kinds of events that nobody should learn a preference from."""

_BATCH = 100_000
"""Users are spread over the whole table: the more events are written together, the seldomer is a page."""
_PIECE = 1000
"""Rows that are read at once, by the column."""
_PEEKED = 20_000
_USERS = 500
"""Whose histories are read together."""
_TOLD_EVERY = 10_000


_TOLD = ("events", "repeated", "corrected", "set_aside")


@dataclass(repr=False)
class EventReport(Result):
    """What became of every row. `events` counts what is new in the store, impressions included; `by_device` are rows
    without a user that go by the column `device`; `of_zero` those of the user 0, whom many shops call their guests;
    `again` those that report once more what another row has, by an id of theirs, and count as repeated too;
    `rounded` those whose time is written by its power of ten, with too few digits, and the first such;
    `unknown_shown` how many items that were shown the catalogue does not hold, and the first;
    `corrected` those that an earlier file brought and whose order has another status now. kinds: of how many rows what
    they say of their kind or status was taken for which kind. unknown_states: in how many rows a status says what
    nobody understands, by its column and by what it says."""

    import_id: int
    clock: str
    rows: int = 0
    events: int = 0
    repeated: int = 0
    again: int = 0
    rounded: int = 0
    first_rounded: str = ""
    unknown_shown: int = 0
    first_unknown_shown: str = ""
    corrected: int = 0
    set_aside: int = 0
    unknown_items: int = 0
    by_device: int = 0
    of_zero: int = 0
    device: str = ""
    rejected_file: Path | None = None
    first_rejected: list[tuple[int, str]] = field(default_factory=list)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown_states: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def unknown_kinds(self) -> dict[str, int]:
        """Kinds that rows name and that are not understood, beside others that are, and how many rows name them."""
        named: Counter[str] = Counter()
        for (said, what), count in self.kinds.items():
            if said.startswith(what):
                named[what] += count
        unknown = {what: count for what, count in named.most_common() if not is_a_kind(what)}
        understood = any(what not in unknown and said for said, what in self.kinds)
        return unknown if understood else {}

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}

    def told(self) -> str:
        if not self.rows:
            return "nothing imported: there are no rows"
        return f"{rows_of(self.rows)}: {counted(self.counts(), _TOLD) or 'no events'}"

    def records(self) -> list[dict[str, Any]]:
        return [{"rows": self.rows} | {name: self.counts()[name] for name in _TOLD}]


def import_events(
    store: Store,
    feed: Feed,
    mapping: Mapping[str, str],
    *,
    names: Names | None = None,
    kind: str = "purchase",
    dates: Order = "",
    rejected_dir: Path,
    on_progress: Callable[[EventReport], None] = lambda report: None,
) -> EventReport:
    """Read a behaviour log into the store, a transaction a batch; stop it any time and run it again.

    An event that is there already is not added again; an order's that has another status than in an earlier file is
    what it is now. The item may be called by anything that it goes by (`names`; by
    default those of the store), and an event of a variant is one of its product. Without a time or a
    position column the file's order is the order. `kind` is that of rows that name none, `dates` says which of day and
    month comes first where neither the times nor their column do. Rows that cannot be used, or
    whose item is not in the catalogue, go to a CSV file in `rejected_dir` with line number and reason.

    Raises:
        ReaseqError: there are no products yet, the store's events count in another clock, or no row could be used.
    """
    clock = "time" if "time" in mapping else "position"
    there = store.clock()
    if there is not None and there != clock:
        raise ReaseqError(
            f"the store's events are ordered by {there}, this file's by {clock}: they cannot be mixed",
            hint=f'reaseq import-events {feed.path} --map {there}="COLUMN"   (or use another store)',
        )
    names = names or read_names(store)
    if not names.of:
        raise ReaseqError("the catalogue is empty: events of unknown items mean nothing", hint="reaseq import FILE")
    with store.writing() as connection:
        columns = {"source": str(feed.path), "clock": clock, "counts": {}, "started_at": now()}
        result = connection.execute(insert(EVENT_IMPORT), columns)
        import_id = int(result.inserted_primary_key[0])  # type: ignore[index]
    report = EventReport(import_id, clock)
    rejected = RejectedRows(rejected_dir / f"{feed.path.name}-events-{import_id}.csv", report)
    report.device = device_of(feed.columns, mapping)
    order, first = order_of(feed.columns, mapping), None  # the column of orders, and the first line of the one at hand
    history: History | None = None
    try:
        peeked = list(islice(feed.rows, _PEEKED))
        reader = EventReader.of(peeked, mapping, kind, names, report.kinds, report.unknown_states, dates)
        if order and reader.of_orders and reader.clock is not None:
            history = History.of(feed.columns, order, peeked)
        repeats = Repeats.of(feed.columns, mapping, peeked, by_orders=history is None)
        rows = chain(peeked, feed.rows)
        del peeked
        at_once = (
            not order and not report.device and repeats is None
        )  # else a row is told by others or by more than its columns say
        done = -1
        while done < report.rows:
            done = report.rows
            events: dict[Event, None] = {}
            for piece in _pieces(rows):
                made, others = reader.at_once(piece, report.rows + 1) if at_once else ([], range(len(piece)))
                report.of_zero += list(map(itemgetter(0), made)).count("0")
                _add(made, events, report)
                for place in others:
                    row = piece[place]
                    if order and isinstance(row, Record):
                        row, first = with_order(row, order, first, mapping)
                    if report.device and isinstance(row, Record):
                        row = _with_device(row, mapping["user"], report)
                    found = row if isinstance(row, BadRow) else reader.events_of(row, report.rows + place + 1)
                    if isinstance(found, BadRow):
                        rejected.add(found)
                        report.unknown_items += found.reason.startswith(UNKNOWN)
                        continue
                    if repeats is not None and isinstance(row, Record) and repeats.is_one(row, found[0]):
                        report.again += 1
                        report.repeated += len(found)
                        found = []
                    if found and history is not None and isinstance(row, Record):
                        there_already = len(events)
                        left = history.left(row, found, events)
                        report.repeated += len(found) - len(left) + there_already - len(events)
                        found = left
                    report.of_zero += found != [] and found[0][0] == "0"
                    _add(found, events, report)
                report.rows += len(piece)
                if report.rows % _TOLD_EVERY < _PIECE:
                    on_progress(report)
            if there is not None:
                report.corrected += _take_out(store, reader.outdated - events.keys(), import_id)
            reader.outdated.clear()
            if history is not None:
                gone = _take_out(store, history.undone - events.keys(), import_id + 1)
                report.events -= gone
                report.repeated += gone
                history.undone.clear()
            _write(store, events, report)
            report.first_rounded, report.rounded = next(iter(reader.rounded.items()), ("", 0))
            unknown = next(iter(reader.unknown_shown.items()), ("", 0))
            report.first_unknown_shown, report.unknown_shown = unknown
            on_progress(report)
    finally:
        rejected.close()
        with store.writing() as connection:
            counts = update(EVENT_IMPORT).where(EVENT_IMPORT.c.id == import_id).values(counts=report.counts())
            connection.execute(counts)
    if report.rows and report.set_aside == report.rows:
        line, reason = report.first_rejected[0]
        told = f'--map time= --map position="{mapping.get("time", "")}"   (if it is no time but an order)'
        raise ReaseqError(
            f"no row of {feed.path} could be used ({report.rows:,} set aside); line {line}: {reason}",
            hint=told if "its time would" in reason else f"less {report.rejected_file}   (all reasons)",
        )
    return report


def _pieces(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows of a batch, some at a time."""
    left = _BATCH
    while left and (piece := list(islice(rows, min(_PIECE, left)))):
        left -= len(piece)
        yield piece


def _add(made: Sequence[Event], events: dict[Event, None], report: EventReport) -> None:
    there_already = len(events)
    for event in made:
        events[event] = None
    report.repeated += len(made) - (len(events) - there_already)


def _with_device(record: Record, user: str, report: EventReport) -> Record:
    """A row of nobody as one of the browser or app that it came from."""
    device = record.values.get(report.device)
    if is_empty(device) or not is_nobody(identifier(record.values.get(user))):
        return record
    report.by_device += 1
    return record._replace(values={**record.values, user: device})


_KEY = ("user_id", "at", "product_id", "kind", "import_id")
_TOGETHER = 50
"""Events that one statement of SQLite inserts: for each row alone its beginning and end take a third of the time."""


def _write(store: Store, events: Collection[Event], report: EventReport) -> None:
    """By user, as the table is kept: neighbours lie on one page."""
    if not events:
        return
    rows = sorted(events, key=itemgetter(0))
    with store.writing() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size=-262144")  # KiB: users are spread over the whole table
            whole = len(rows) - len(rows) % _TOGETHER
            several = [tuple(chain(*rows[start : start + _TOGETHER])) for start in range(0, whole, _TOGETHER)]
            added = 0
            for count, parameters in ((_TOGETHER, several), (1, rows[whole:])):
                if parameters:
                    statement = _insert_sqlite(count, report.import_id)
                    added += connection.exec_driver_sql(statement, parameters).rowcount
        else:
            named = [dict(zip(_KEY, (*row, report.import_id), strict=True)) for row in rows]
            added = connection.execute(postgresql.insert(EVENT).on_conflict_do_nothing(), named).rowcount
    report.events += added
    report.repeated += len(rows) - added


def _insert_sqlite(count: int, import_id: int) -> str:
    """As the driver takes it: naming a million parameters takes longer than writing them."""
    values = ", ".join([f"(?, ?, ?, ?, {import_id})"] * count)
    return f"insert into event ({', '.join(_KEY)}) values {values} on conflict do nothing"  # noqa: S608 - no text is put in


def _take_out(store: Store, outdated: Collection[Event], before: int) -> int:
    """Events of imports before this number that are none any more; how many there were."""
    if not outdated:
        return 0
    key = [EVENT.c[name] == bindparam(f"its_{name}") for name in _KEY[:4]]
    rows = [dict(zip((f"its_{name}" for name in _KEY), event, strict=False)) for event in outdated]
    with store.writing() as connection:
        return connection.execute(delete(EVENT).where(*key, EVENT.c.import_id < before), rows).rowcount


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
    store: Store,
    user_id: str,
    limit: int | None = None,
    kinds: Collection[str] | None = None,
    without: Collection[str] = PASSIVE,
) -> list[dict[str, Any]]:
    """A user's last `limit` events, oldest first, with products' titles: of some kinds, or all `without` these."""
    wanted = EVENT.c.kind.not_in(without) if kinds is None else EVENT.c.kind.in_(kinds)
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


def histories(
    store: Store, user_ids: Sequence[str], kinds: Collection[str] | None = None
) -> tuple[list[str], list[float], list[str]]:
    """What many users did and when, each product and moment once: columns of user ids, times and product ids, a user's
    together and oldest first. Kinds as for `history`."""
    wanted = EVENT.c.kind.not_in(PASSIVE) if kinds is None else EVENT.c.kind.in_(kinds)
    key = (EVENT.c.user_id, EVENT.c.at, EVENT.c.product_id)
    rows: list[tuple[str, float, str]] = []
    for start in range(0, len(user_ids), _USERS):
        mine = EVENT.c.user_id.in_(user_ids[start : start + _USERS])
        query = select(*key).where(mine, wanted).distinct().order_by(*key)
        with store.reading() as connection:
            # As the driver has them: rows of SQLAlchemy's own take as long again as reading.
            cursor = connection.execute(query).cursor
            rows += cursor.fetchall() if cursor else ()
    users, times, products = zip(*rows, strict=True) if rows else ((), (), ())
    return list(users), list(times), list(products)


def unknown_users(store: Store, user_ids: Sequence[str]) -> list[str]:
    """Those of whom the log has no event."""
    known: set[str] = set()
    for start in range(0, len(user_ids), _USERS):
        mine = EVENT.c.user_id.in_(user_ids[start : start + _USERS])
        with store.reading() as connection:
            known.update(connection.execute(select(EVENT.c.user_id).distinct().where(mine)).scalars())
    return [one for one in user_ids if one not in known]


def users(store: Store, limit: int | None = None) -> list[dict[str, Any]]:
    """Users, those with most events first: user_id, and of what each did the number of events, of products, and when it
    was first and last."""
    count = func.count()
    query = (
        select(
            EVENT.c.user_id,
            count.label("events"),
            func.count(EVENT.c.product_id.distinct()).label("products"),
            func.min(EVENT.c.at).label("first"),
            func.max(EVENT.c.at).label("last"),
        )
        .where(EVENT.c.kind != IMPRESSION)
        .group_by(EVENT.c.user_id)
        .order_by(count.desc(), EVENT.c.user_id)
        .limit(limit)
    )
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


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
