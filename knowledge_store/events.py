"""Behaviour logs: from a file's records to Event rows, and back out in the order they happened."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql

from reaseq import ReaseqError
from reaseq.knowledge_store.event_columns import device_of, names_a_status, order_of
from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.importing import RejectedRows
from reaseq.knowledge_store.names import UNKNOWN, Names, read_names
from reaseq.knowledge_store.order_states import (
    RETURN,
    RETURNED,
    TAKEN_BACK,
    Event,
    History,
    came_back,
    is_a_state,
    is_negative,
    never_came_about,
    number_of,
    says_of_returns,
    taken_back,
    truth,
    with_order,
)
from reaseq.knowledge_store.store import EVENT, EVENT_IMPORT, PRODUCT, Store
from reaseq.knowledge_store.tables import now
from reaseq.knowledge_store.times import Clock, Order, zone_of
from reaseq.knowledge_store.wordlists import words

IMPRESSION = "impression"
PASSIVE = (IMPRESSION, RETURN)
"""Kinds of events that nobody should learn a preference from."""

_BATCH = 100_000
"""Users are spread over the whole table: the more events are written together, the seldomer is a page."""
_PEEKED, _PEEKED_STATES = 20_000, 1000
_USERS = 500
"""Whose histories are read together."""
_TOLD_EVERY = 10_000
_NOBODY = frozenset(
    (
        "gast",
        "laufkundschaft",
        "null",
        "nil",
        "none",
        "nan",
        "n/a",
        "na",
        "-1",
        "undefined",
        "guest",
        "anonymous",
        "(not set)",
        "(none)",
        r"\n",
    )
)
"""What logs write where nobody is known: it is nobody's id."""


@dataclass
class EventReport:
    """What became of every row. `events` counts what is new in the store, impressions included; `by_device` are rows
    without a user that go by the column `device`; `of_zero` those of the user 0, whom many shops call their guests;
    `corrected` those that an earlier file brought and whose order has another status now. kinds: of how many rows what
    they say of their kind or status was taken for which kind. unknown_states: in how many rows a status says what
    nobody understands, by its column and by what it says."""

    import_id: int
    clock: str
    rows: int = 0
    events: int = 0
    repeated: int = 0
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

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}


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
        reader = _Reader.of(peeked, mapping, kind, names, report, dates)
        if order and reader.of_orders and reader.clock is not None:
            history = History.of(feed.columns, order, peeked)
        rows = chain(peeked, feed.rows)
        del peeked
        done = -1
        while done < report.rows:
            done = report.rows
            events: dict[Event, None] = {}
            for row in islice(rows, _BATCH):
                report.rows += 1
                if report.rows % _TOLD_EVERY == 0:
                    on_progress(report)
                if order and isinstance(row, Record):
                    row, first = with_order(row, order, first, mapping)
                if report.device and isinstance(row, Record):
                    row = _with_device(row, mapping["user"], report)
                made = row if isinstance(row, BadRow) else reader.events_of(row, report.rows)
                if isinstance(made, BadRow):
                    rejected.add(made)
                    report.unknown_items += made.reason.startswith(UNKNOWN)
                else:
                    if history is not None and isinstance(row, Record):
                        there_already = len(events)
                        left = history.left(row, made, events)
                        report.repeated += len(made) - len(left) + there_already - len(events)
                        made = left
                    report.of_zero += made != [] and made[0][0] == "0"
                    for event in made:
                        if event in events:
                            report.repeated += 1
                        else:
                            events[event] = None
            if there is not None:
                report.corrected += _take_out(store, reader.outdated - events.keys(), import_id)
            reader.outdated.clear()
            if history is not None:
                gone = _take_out(store, history.undone - events.keys(), import_id + 1)
                report.events -= gone
                report.repeated += gone
                history.undone.clear()
            _write(store, sorted(events), report)
            on_progress(report)
    finally:
        rejected.close()
        with store.writing() as connection:
            counts = update(EVENT_IMPORT).where(EVENT_IMPORT.c.id == import_id).values(counts=report.counts())
            connection.execute(counts)
    if report.rows and report.set_aside == report.rows:
        line, reason = report.first_rejected[0]
        told = f'--map time= --map position="{mapping["time"]}"   (if it is no time but an order)'
        raise ReaseqError(
            f"no row of {feed.path} could be used ({report.rows:,} set aside); line {line}: {reason}",
            hint=told if "its time would" in reason else f"less {report.rejected_file}   (all reasons)",
        )
    return report


def _with_device(record: Record, user: str, report: EventReport) -> Record:
    """A row of nobody as one of the browser or app that it came from."""
    device = record.values.get(report.device)
    if is_empty(device) or not _is_nobody(identifier(record.values.get(user))):
        return record
    report.by_device += 1
    return record._replace(values={**record.values, user: device})


def _is_nobody(user: str) -> bool:
    """0 is nobody where something else says who it was (WooCommerce's guests)."""
    return user in ("", "0") or user.casefold() in _NOBODY


_FLAGS = {"bought": "purchase", "carted": "cart", "label": "click"}
"""Fields that are flags, the strongest first, and what it is where they are set."""
_KINDS_OF_ITEMS = {"click": "clicks", "view": "views"}
"""Kinds of rows whose item's column says what was done, and how `words/` calls such columns."""
_MOST_KINDS = 1000
"""That are told apart in a report."""
_KEY = ("user_id", "at", "product_id", "kind", "import_id")
_INSERT_SQLITE = (
    "insert into event (user_id, at, product_id, kind, import_id) values (?, ?, ?, ?, ?) on conflict do nothing"
)
"""As the driver takes it: naming a million parameters takes longer than writing them."""


def _write(store: Store, events: list[Event], report: EventReport) -> None:
    """In the order of the key, which is the order of the table: neighbours lie on one page."""
    if not events:
        return
    rows = [(*event, report.import_id) for event in events]
    with store.writing() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size=-262144")  # KiB: users are spread over the whole table
            added = connection.exec_driver_sql(_INSERT_SQLITE, rows).rowcount
        else:
            named = [dict(zip(_KEY, row, strict=True)) for row in rows]
            added = connection.execute(postgresql.insert(EVENT).on_conflict_do_nothing(), named).rowcount
    report.events += added
    report.repeated += len(rows) - added


def _take_out(store: Store, outdated: Collection[Event], before: int) -> int:
    """Events of imports before this number that are none any more; how many there were."""
    if not outdated:
        return 0
    key = [EVENT.c[name] == bindparam(f"its_{name}") for name in _KEY[:4]]
    rows = [dict(zip((f"its_{name}" for name in _KEY), event, strict=False)) for event in outdated]
    with store.writing() as connection:
        return connection.execute(delete(EVENT).where(*key, EVENT.c.import_id < before), rows).rowcount


@dataclass(frozen=True)
class _Reader:
    """Makes events of a log's rows."""

    mapping: Mapping[str, str]
    kind: str
    names: Names
    clock: Clock | None
    kinds: Counter[tuple[str, str]]
    unknown_states: Counter[tuple[str, str]]
    statuses: Sequence[str]
    """Columns; that of the order comes first."""
    understood: Sequence[str]
    """Those of which what is not understood is told."""
    back: Sequence[str]
    """Columns that are filled where a thing came back, and hold why, or by which number."""
    of_orders: bool
    """Do rows say what became of an order?"""
    of_returns: bool
    plain: bool
    """Is there nothing to a row but who, what, when and of which kind?"""
    outdated: set[Event] = field(default_factory=set)
    """What an earlier file may have said of the rows whose status is told."""

    @classmethod
    def of(
        cls,
        rows: Sequence[Row],
        mapping: Mapping[str, str],
        kind: str,
        names: Names,
        report: EventReport,
        dates: Order = "",
    ) -> "_Reader":
        """rows: the first ones, which tell how times are written. report: counts what rows were taken for."""
        times = (row.values.get(mapping.get("time", "")) for row in rows if isinstance(row, Record))
        own = mapping.get("status", "")
        # Of an order and of what it holds there may be a status each.
        there = next((row.values for row in rows if isinstance(row, Record)), {})
        more = [name for name in there if names_a_status(name) and name not in mapping.values()]
        records = [row.values for row in rows[:_PEEKED_STATES] if isinstance(row, Record)]
        states = {name: {identifier(values.get(name)).casefold() for values in records} - {""} for name in more}
        understood = [own, *(name for name, said in states.items() if any(map(is_a_state, said)))]
        clock = Clock.of(times, mapping["time"]) if "time" in mapping else None
        if clock is not None and not clock.order:
            clock = clock._replace(order=dates)
        time = mapping.get("time", "")
        back = [name for name in there if says_of_returns(name) and name not in mapping.values()]
        of_orders = any(name in mapping for name in ("status", *TAKEN_BACK)) or bool(back)
        of_returns = folded(time) == "return date" or says_of_returns(time)
        plain = mapping.keys() <= {"user", "item", "time", "position", "kind"} and not back
        called = folded(mapping["item"].rpartition(".")[2])
        if kind == "purchase" and "kind" not in mapping:
            kind = next(
                (one for one, names_of in _KINDS_OF_ITEMS.items() if called in words("log_columns")[names_of]), kind
            )
        return cls(
            mapping, kind, names, clock, report.kinds, report.unknown_states,
            [own, *more] if own else [], understood, back, of_orders, of_returns, plain,
        )  # fmt: skip

    def events_of(self, record: Record, number: int) -> list[Event] | BadRow:
        """number: the row's, from 1: its time where the log has none."""
        column, values = self.mapping, record.values
        user, called = identifier(values.get(column["user"])), values.get(column["item"])
        lowered = user.casefold()
        if lowered in _NOBODY:
            return _bad(record, f"its user is unknown: {user}")
        item = self.names.of.get(called) if isinstance(called, str) else None
        if item is None:
            called = identifier(called)
            if user and called and (item := self.names.find(called)) is None:
                return _bad(record, self.names.why_not(called))
        shown = self._shown(values) if "impressions" in column else []
        if not user or (item is None and not shown):
            return _bad(record, f"has no {'item' if user else 'user'}")
        if "@" in user:
            user = lowered
        if self.clock is not None:
            clock = self.clock
            if "zone" in column and not is_empty(said := values.get(column["zone"])):
                zone = zone_of(text_of(said))
                if zone is None:
                    return _bad(record, f"its time zone cannot be read: {said}")
                clock = clock._replace(zone=zone)
            time = clock.read(values.get(column["time"]))
            if isinstance(time, str):
                return _bad(record, time)
            at: float | None = time
        else:
            at = number_of(values.get(column["position"])) if "position" in column else float(number)
        if at is None:
            return _bad(record, "its position is no number")
        if item is None:  # nothing of what was shown was acted on
            self._count("", IMPRESSION)
            return [(user, at, other, IMPRESSION) for other in shown]
        named = ""
        if "kind" in column:
            given = values.get(column["kind"])
            named = _called_kind(given) if isinstance(given, str) else identifier(given).casefold()
        what = RETURN if self.of_returns or (named and came_back(named)) else named or self.kind
        if named and never_came_about(named):
            return _bad(record, f"it never came about: {named}")
        if self.plain:
            self._count(named, what)
            return [(user, at, item, what)]
        status = ""
        if self.of_orders:
            if self.clock is not None:
                self.outdated.update((user, at, item, one) for one in (named or self.kind, RETURN))
            told = [identifier(values.get(name)).casefold() for name in self.statuses]
            status = " ".join(filter(None, told))
            for name, said in zip(self.statuses, told, strict=True):
                if said and name in self.understood and not is_a_state(said) and len(self.unknown_states) < _MOST_KINDS:
                    self.unknown_states[name, said] += 1
            if any(map(never_came_about, told)):
                return _bad(record, f"its order never came about: {status}")
            if any(map(came_back, told)) or taken_back(values, self.mapping) or self._came_back(values):
                what = RETURN
        if "quantity" in column:
            quantity = values.get(column["quantity"])
            if not named and number_of(quantity) == 0:
                return _bad(record, "its quantity is 0")
            if is_negative(quantity):
                what = RETURN
        if "invoice" in column and RETURNED.fullmatch(identifier(values.get(column["invoice"]))):
            what = RETURN
        if any(flag in column for flag in _FLAGS):
            set_flags = {flag: truth(values.get(column[flag])) for flag in _FLAGS if flag in column}
            if set_flags.keys() == {"label"} and set_flags["label"] is None:
                return _bad(record, "its label is neither 0 nor 1")
            happened = next((kind for flag, kind in _FLAGS.items() if set_flags.get(flag)), "")
            if not happened:
                what = named if named and "label" not in column else IMPRESSION
            elif what != RETURN:
                what = named if named and happened == _FLAGS["label"] else happened
        self._count(f"{named} {status}".strip() if status else named, what)
        return [(user, at, item, what), *((user, at, other, IMPRESSION) for other in shown if other != item)]

    def _shown(self, values: Mapping[str, Any]) -> list[str]:
        """Known items that a row says were shown."""
        return list(filter(None, map(self.names.find, _ids(values.get(self.mapping["impressions"])))))

    def _came_back(self, values: Mapping[str, Any]) -> bool:
        return any(not is_empty(values.get(name)) and truth(values.get(name)) is not False for name in self.back)

    def _count(self, said: str, what: str) -> None:
        key = said, what
        if key in self.kinds or len(self.kinds) < _MOST_KINDS:
            self.kinds[key] += 1


def _bad(record: Record, reason: str) -> BadRow:
    return BadRow(record.line, reason, json.dumps(record.values, ensure_ascii=False, default=str))


@lru_cache(maxsize=1000)
def _called_kind(given: str) -> str:
    return identifier(given).casefold()


def _ids(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else re.split(r"[\s,;|{}]+", value.strip("{} "))
        except ValueError:
            value = re.findall(r"[^\s,\[\]'\"]+", value)
    return [name for one in value if (name := identifier(one))] if isinstance(value, list) else []


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
    store: Store, user_ids: Sequence[str], limit: int, kinds: Collection[str] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """The same of many users, without titles: each one's last `limit` events, oldest first; none of those that the log
    does not know."""
    wanted = EVENT.c.kind.not_in(PASSIVE) if kinds is None else EVENT.c.kind.in_(kinds)
    key = (EVENT.c.at, EVENT.c.product_id, EVENT.c.kind)
    place = func.row_number().over(partition_by=EVENT.c.user_id, order_by=[one.desc() for one in key])
    found: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(user_ids), _USERS):
        mine = EVENT.c.user_id.in_(user_ids[start : start + _USERS])
        ranked = select(EVENT.c.user_id, *key, place.label("place")).where(mine, wanted).subquery()
        query = select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.user_id, ranked.c.place.desc())
        with store.reading() as connection:
            for user, at, product, kind, _ in connection.execute(query):
                found.setdefault(user, []).append({"at": at, "product_id": product, "kind": kind})
    return found


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
