"""Behaviour logs: from a file's records to Event rows, and back out in the order they happened."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql

from reaseq import ReaseqError
from reaseq.knowledge_store.feeds.columns import folded, guess
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.importing import RejectedRows
from reaseq.knowledge_store.names import UNKNOWN, Names, read_names
from reaseq.knowledge_store.order_lines import of_lines
from reaseq.knowledge_store.store import EVENT, EVENT_IMPORT, PRODUCT, Store
from reaseq.knowledge_store.tables import now
from reaseq.knowledge_store.times import Clock, Order

IMPRESSION, RETURN = "impression", "return"
PASSIVE = (IMPRESSION, RETURN)
"""Kinds of events that nobody should learn a preference from."""
FIELDS = (
    *("user", "item", "time", "position", "kind", "impressions", "label", "quantity", "invoice", "status"),
    *("cancelled", "returned", "left"),
)
"""`label` is 1 where an item that was shown was acted on and 0 where not; `impressions` lists what was shown beside. A
`quantity` below 0, an `invoice` that begins with C and a `status` that says so mean that something came back; so do
`cancelled` and `returned` (a day, a flag, or as many as the quantity), and 0 that are `left`."""

_NAMES: dict[str, tuple[str, ...]] = {
    "user": (
        "user", "user id", "userid", "customer id", "visitor id", "visitorid", "reviewer id", "client id",
        "account id", "member id", "uid", "kunden nr", "kundennr", "kundennummer", "customer number", "customer no",
        "kdnr", "kd nr", "kundnr", "debitor nr", "debitorennummer", "klantnummer", "customer customer number",
        "customer", "email", "customer email",
        "e mail", "e mail adresse", "kunden e mail", "mail", "session id", "session", "kunde", "id client", "cliente",
        "user pseudo id", "user token", "debitor", "buyer username",
        "anonymous id", "distinct id", "cookie id", "buyer", "buyer id", "buyer email", "billing email",
    ),
    "item": (
        "item", "item id", "itemid", "product id", "productid", "product", "asin", "parent asin", "sku", "article id",
        "stock code", "product code", "lineitem sku", "line item sku", "product sku", "variant sku", "item sku",
        "sku code", "iid", "artikel", "artikel nr", "artikelnr", "artikelnummer", "article", "id produit", "producto",
        "ean", "ean13", "gtin", "barcode", "object id", "object ids", "objectids", "id",
    ),
    "time": (
        "timestamp", "event timestamp", "original timestamp", "time", "event time", "datetime", "date time", "date",
        "event date", "event ts", "event at", "created at", "created", "occurred at", "purchased at", "purchased",
        "date created", "creation date", "created date", "transaction date",
        "bought at", "paid at", "placed at", "ordered at", "order creation date", "order completed at", "completed at",
        "auftragsdatum", "verkauft am", "gekauft am", "bestellt am", "belegdatum", "rechnungsdatum", "erstellt am",
        "kaufdatum", "tidpunkt", "data ordine", "day", "unix review time", "invoice date", "order date",
        "purchase date", "t dat", "return date", "ts", "datum", "zeit", "zeitpunkt", "zeitstempel", "bestelldatum",
        "fecha",
    ),
    "position": ("position", "pos", "order", "rank", "sequence", "seq", "step", "index"),
    "kind": (
        "kind", "event", "event type", "eventtype", "event name", "action", "action type", "behavior", "behaviour",
        "aktion", "ereignis", "type", "typ", "ereignistyp", "vorgang", "bonart",
    ),
    "impressions": ("impressions", "shown", "inview", "article ids inview", "exposed", "slate"),
    "label": ("label", "click", "clicked", "is click"),
    "quantity": (
        "quantity", "qty", "units", "menge", "anzahl", "quantité", "cantidad", "quantità", "aantal", "qty ordered",
        "quantity ordered", "quantity purchased", "lineitem quantity", "bestellmenge",
    ),
    "invoice": ("invoice", "invoice no", "invoiceno", "invoice number", "rechnungsnummer"),
    "status": (
        "item status", "order item status", "financial status", "order status", "status", "state", "bestellstatus",
        "state machine state technical name", "auftragsstatus", "belegart", "zahlungsstatus", "statut", "estado",
        "stato",
    ),
    "cancelled": (
        "cancelled at", "canceled at", "cancelled", "canceled", "is cancelled", "is canceled", "cancelled on",
        "canceled on", "date cancelled", "date canceled", "cancellation date", "qty canceled", "qty cancelled",
        "quantity canceled", "quantity cancelled", "storniert am", "stornodatum", "stornomenge", "storniert",
    ),
    "returned": (
        "qty refunded", "qty returned", "quantity refunded", "quantity returned", "refunded quantity",
        "returned quantity", "retourenmenge", "retourmenge", "returned", "is returned", "refunded", "is refunded",
        "returned at", "refunded at", "retourniert am", "refund qty", "return qty", "returned qty", "refunded qty",
        "erstattet am", "return date", "retourdatum", "retourendatum", "rücksendedatum", "date returned",
        "date refunded",
    ),
    "left": ("current quantity", "line items current quantity", "net quantity"),
}  # fmt: skip
_OF_PEOPLE = frozenset("customer user account email mail subscription abo consent kunden konto".split())
"""Whose status says nothing of an order."""
_DEVICES = frozenset(
    (
        *("customer email", "email", "buyer email", "billing email", "contact email", "mail"),
        *("e mail", "e mail adresse", "kunden e mail", "rechnungs e mail"),
        *("user pseudo id", "anonymous id", "client id", "visitor id", "visitorid", "cookie id", "distinct id"),
        *("device id", "session id", "session"),
    )
)
"""Columns of what stands for a user who has no account: an address, a browser, an app."""
_Event = tuple[str, float, str, str]
"""User, time, item, kind."""
_BATCH = 20_000
_PEEKED = 1000
"""Rows whose values tell which column is the item."""
_NUMBERED = re.compile(r"#?[\w./-]*\d[\w./-]*")
"""What orders are called: no product's name."""
_OF_DAY = re.compile(r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?(?:\s*Uhr)?(?:\s*[AaPp]\.?[Mm]\.?)?")
_ORDERS = frozenset(
    (
        *("name", "order id", "order number", "order no", "order", "increment id", "order name", "transaction id"),
        *("invoice", "invoice no", "bestellnummer", "bestellnr", "auftragsnummer", "bon", "bonnummer", "receipt"),
    )
)
"""Columns of the order that a row is a line of: its further lines may leave out who bought, and when."""
_CHANGED = frozenset(
    (
        *("updated at", "updated", "date updated", "date modified", "modified at", "modified", "last modified"),
        *("date modified gmt", "status date", "status changed at", "geändert am", "geaendert am", "aktualisiert am"),
    )
)
"""Columns of when a row was written, folded."""
_DAYS = re.compile(r"date|datum|day|tag|fecha|jour|giorno|data", re.IGNORECASE)
_NEGATIVE = re.compile(r"[-−–]\s*\d+(?:[.,]\d+)?(?:\s*\D*)?|\d+(?:[.,]\d+)?\s*[-−]|\(\d+(?:[.,]\d+)?\)")
_LABELS = (0, 1, "0", "1", "0.0", "1.0", "", None)
_FAR_MORE = 4
_NEARLY_ALL = 0.9
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
    without a user that go by the column `device`; `corrected` those that an earlier file brought and whose order has
    another status now. kinds: of how many rows what they say of their kind or status was taken for which kind."""

    import_id: int
    clock: str
    rows: int = 0
    events: int = 0
    repeated: int = 0
    corrected: int = 0
    set_aside: int = 0
    unknown_items: int = 0
    by_device: int = 0
    device: str = ""
    rejected_file: Path | None = None
    first_rejected: list[tuple[int, str]] = field(default_factory=list)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}


def by_lines(feed: Feed) -> Feed:
    """The feed with an event of each item that its records list; see `order_lines`."""
    return of_lines(feed, _NAMES["item"])


def guess_fields(
    columns: Sequence[str], overrides: Mapping[str, str] | None = None, *, by_name: bool = True
) -> dict[str, str]:
    """Field to column, by name; `overrides` win, and an empty one leaves the field out. by_name: is the item to be told
    by that alone? Else its column may be found by `by_values`.

    Raises:
        FeedError: an override names no field or column, or no column can be the user or the item.
    """
    mapping = guess(columns, _NAMES, overrides or {})
    if "kind" in mapping and "kind" not in (overrides or {}) and _is_of_line(mapping["kind"], mapping.get("item", "")):
        del mapping["kind"]  # what sort of line it is
    if "status" not in (overrides or {}) and "status" not in mapping:
        status = next((one for one in columns if _names_a_status(one) and one not in mapping.values()), "")
        mapping |= {"status": status} if status else {}
    for needed in ("user", "item") if by_name else ("user",):
        if needed not in mapping:
            named = sum(any(map(str.isalpha, column)) for column in columns)
            data = "" if named > len(columns) / 2 else " (or is that no header but data?)"
            raise FeedError(
                f"no column looks like the {needed}; columns are: {', '.join(columns)}{data}",
                hint=f'reaseq import-events FILE --header-row 0 --map {needed}="column 1"   (columns without names)'
                if data
                else f'reaseq import-events FILE --map {needed}="COLUMN"',
            )
    if "time" in mapping:
        mapping.pop("position", None)
        if "time" not in (overrides or {}):
            mapping["time"] = _in_utc(columns, mapping["time"])
    return mapping


def _in_utc(columns: Sequence[str], time: str) -> str:
    """The column that says the same time of the world, where there is one beside that of the place."""
    name = folded(time)
    same = (one for one in columns if folded(one) in (f"{name} gmt", f"{name} utc", f"gmt {name}", f"utc {name}"))
    return next(same, time)


def _is_of_line(column: str, item: str) -> bool:
    """`lineItems.type` beside `lineItems.payload.productNumber`."""
    within, _, name = column.rpartition(".")
    return within != "" and folded(name) == "type" and item.startswith(f"{within}.")


def _names_a_status(column: str) -> bool:
    """`fulfillment_status`, `Lieferstatus`, `order state`; not where it is that of a person."""
    words = folded(column).split()
    last = words[-1] if words else ""
    named = last.endswith("status") or last in ("statut", "estado", "stato") or (last == "state" and len(words) > 1)
    return named and _OF_PEOPLE.isdisjoint(words) and not last.startswith(tuple(_OF_PEOPLE))


def names_a_user(columns: Sequence[str], overrides: Mapping[str, str] | None = None) -> bool:
    """Is one of these the user of an event, or a column that `overrides` name?"""
    named = set((overrides or {}).values()) & set(columns)
    return bool(named) or "user" in guess(columns, _NAMES, {})


def by_values(feed: Feed, mapping: Mapping[str, str], names: Names) -> tuple[Feed, dict[str, str]]:
    """The feed and its fields; the item is another column where that one's values are items of the catalogue: of "id"
    and "product_sku" names cannot tell which. Where none is called a time, it is the column of which nearly all values
    are days or times in words, if there is one."""
    peeked = list(islice(feed.rows, _PEEKED))
    rows = [row.values for row in peeked if isinstance(row, Record)]

    def known(column: str) -> int:
        return sum(names.find(identifier(values.get(column))) is not None for values in rows)

    if (label := mapping.get("label")) and not all(values.get(label) in _LABELS for values in rows):
        mapping = {field: column for field, column in mapping.items() if field != "label"}  # a text
    free = [column for column in feed.columns if column not in mapping.values()]
    best = max(free, key=known, default=None)
    made = dict(mapping)
    by_name = known(mapping["item"]) if "item" in mapping else 0
    if best is not None and known(best) > _FAR_MORE * by_name and known(best) > len(rows) / _FAR_MORE:
        made["item"] = best
    if "time" not in made and "position" not in made:
        free = [column for column in feed.columns if column not in made.values()]
        timed = [column for column in free if _are_times([values.get(column) for values in rows])]
        if timed:
            made["time"] = _first_of(timed, rows)
    feed = replace(feed, rows=chain(peeked, feed.rows))
    return _with_clock(feed, made, rows)


def _first_of(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Of several columns of times the one that the most rows say, and of these the one that comes first in most: things
    are ordered before they are sent, paid and sent back."""
    read = {}
    for column in columns:
        clock = Clock.of(values.get(column) for values in rows)
        times = (clock.read(values.get(column)) for values in rows)
        read[column] = [time if isinstance(time, float) else math.inf for time in times]
    firsts = Counter(min(columns, key=lambda column: read[column][row]) for row in range(len(rows)))
    said = {column: sum(map(math.isfinite, read[column])) for column in columns}
    return max(columns, key=lambda column: (said[column], firsts[column]))


def _with_clock(feed: Feed, mapping: dict[str, str], rows: Sequence[Mapping[str, Any]]) -> tuple[Feed, dict[str, str]]:
    """The same with one column for a day and a time of day that stand in two."""
    called = [column for column in feed.columns if _DAYS.search(column)]
    clocks = [column for column in feed.columns if column not in called and _all_match(_OF_DAY, column, rows)]
    days = [column for column in called if column not in clocks]
    days = [column for column in days if _are_times([values.get(column) for values in rows])]
    if len(clocks) != 1 or len(days) != 1 or mapping.get("time") not in (*clocks, *days):
        return feed, mapping
    (clock,), (day,) = clocks, days
    if any(":" in text_of(values.get(day)) for values in rows):
        return feed, mapping
    both = f"{day} + {clock}"

    def joined() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                said = f"{text_of(row.values.get(day))} {text_of(row.values.get(clock))}".strip()
                row = row._replace(values={**row.values, both: said})
            yield row

    return replace(feed, columns=[*feed.columns, both], rows=joined()), mapping | {"time": both}


def _all_match(pattern: re.Pattern[str], column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    said = [text for values in rows if (text := text_of(values.get(column)).strip())]
    return bool(said) and all(map(pattern.fullmatch, said))


def _are_times(values: Sequence[Any]) -> bool:
    """Do nearly all of these say a time, in more than digits?"""
    said = [value for value in values if not is_empty(value)]
    clock = Clock.of(said)
    read = [value for value in said if not isinstance(value, int | float) and isinstance(clock.read(value), float)]
    worded = [value for value in read if _number(value) is None]
    return len(said) > 0 and len(worded) >= _NEARLY_ALL * len(said)


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
    rows = iter(feed.rows)
    reader: _Reader | None = None
    history: _History | None = None
    order, first = "", None  # the column of orders, and the first line of the one at hand
    try:
        while batch := list(islice(rows, _BATCH)):
            if reader is None:
                reader = _Reader.of(batch, mapping, kind, names, report.kinds, dates)
                report.device = _device(feed.columns, mapping)
                order = _order_of(feed.columns, mapping)
                if order and reader.of_orders and reader.clock is not None:
                    history = _History.of(feed.columns, order, batch)
            events: dict[_Event, None] = {}
            for row in batch:
                report.rows += 1
                if order and isinstance(row, Record):
                    row, first = _with_order(row, order, first, mapping)
                if report.device and isinstance(row, Record):
                    row = _with_device(row, mapping["user"], report)
                made = row if isinstance(row, BadRow) else reader.events_of(row, report.rows)
                if isinstance(made, BadRow):
                    rejected.add(made)
                    report.unknown_items += made.reason.startswith(UNKNOWN)
                else:
                    if history is not None and isinstance(row, Record):
                        made = history.left(row, made, events)
                    for event in made:
                        if event in events:
                            report.repeated += 1
                        else:
                            events[event] = None
            if there is not None:
                report.corrected += _take_out(store, reader.outdated - events.keys(), import_id)
            reader.outdated.clear()
            _write(store, sorted(events), report)
            on_progress(report)
    finally:
        rejected.close()
        with store.writing() as connection:
            done = update(EVENT_IMPORT).where(EVENT_IMPORT.c.id == import_id).values(counts=report.counts())
            connection.execute(done)
    if report.rows and report.set_aside == report.rows:
        line, reason = report.first_rejected[0]
        told = f'--map time= --map position="{mapping["time"]}"   (if it is no time but an order)'
        raise ReaseqError(
            f"no row of {feed.path} could be used ({report.rows:,} set aside); line {line}: {reason}",
            hint=told if "its time would" in reason else f"less {report.rejected_file}   (all reasons)",
        )
    return report


class _History:
    """Of a log that lists what became of its orders, what they are now: a line of an order is bought once, whatever
    states it went through. changed: the column of when a row was written, if there is one."""

    def __init__(self, order: str, changed: str, clock: Clock) -> None:
        self._order, self._changed, self._clock = order, changed, clock
        self._seen: dict[int, tuple[float, _Event]] = {}

    @classmethod
    def of(cls, columns: Sequence[str], order: str, rows: Sequence[Row]) -> "_History":
        changed = next((one for one in columns if folded(one) in _CHANGED), "")
        return cls(order, changed, Clock.of(row.values.get(changed) for row in rows if isinstance(row, Record)))

    def left(self, row: Record, made: list[_Event], events: dict[_Event, None]) -> list[_Event]:
        """The events of a row that count; takes out of `events` what they take the place of."""
        own = identifier(row.values.get(self._order))
        if not _NUMBERED.fullmatch(own) or (folded(self._order) == "name" and not own.startswith("#")):
            return made
        now = made[0]
        key = hash((own, now[0], now[2]))
        when = self._clock.read(row.values.get(self._changed)) if self._changed else 0.0
        at = when if isinstance(when, float) else 0.0
        if key not in self._seen:
            self._seen[key] = at, now
            return made
        before_at, before = self._seen[key]
        if now[1] == before[1] and now[3] != before[3] and self._changed and at != before_at:
            if at < before_at:
                return []
            events.pop(before, None)
            self._seen[key] = at, now
        elif now[1] != before[1] and now[3] == before[3] != RETURN:
            return []
        return made


def _with_order(record: Record, order: str, first: Record | None, mapping: Mapping[str, str]) -> tuple[Record, Record]:
    """A line of an order with the user and the time that only the order's first line says; and that line."""
    own = identifier(record.values.get(order))
    if not _NUMBERED.fullmatch(own) or first is None or own != identifier(first.values.get(order)):
        return record, record
    when = mapping.get("time", "")
    if not is_empty(record.values.get(when)) and record.values.get(when) != first.values.get(when):
        return record, record
    missing = [column for name in ("user", "time", "status", "cancelled") if (column := mapping.get(name))]
    told = {column: first.values.get(column) for column in missing if is_empty(record.values.get(column))}
    return (record._replace(values=record.values | told), first) if told else (record, first)


@lru_cache(maxsize=1000)
def _came_back(said: str) -> bool:
    """Does it say that something came back ("refunded", "Order Refunded", "order_cancelled")? Not where it says that a
    part did, or that nothing did."""
    words = _words_of(said)
    if any(word in _DENIED or word.startswith(_IN_PART) for word in words):
        return False
    if _refused(words):
        return False
    return any(word in _CAME_BACK or word.startswith(_BACK) for word in words) or {"thumbs", "down"} <= {*words}


def _refused(words: Sequence[str]) -> bool:
    """Was it refused to take something back ("return rejected", "Rücksendung abgelehnt")?"""
    back = [word for word in words if (word in _CAME_BACK or word.startswith(_BACK)) and not word.startswith(_REFUSED)]
    return bool(back) and any(word.startswith(_REFUSED) for word in words)


def _words_of(said: str) -> list[str]:
    return [word for word in re.split(r"[\s_.:/-]+", said) if word]


def _order_of(columns: Sequence[str], mapping: Mapping[str, str]) -> str:
    """The column of orders, where rows are their lines."""
    used = {column for field, column in mapping.items() if field != "invoice"}
    free = (column for column in columns if column not in used)
    return next((column for column in free if folded(column) in _ORDERS), "")


def _device(columns: Sequence[str], mapping: Mapping[str, str]) -> str:
    """The column of browsers or apps, beside that of users."""
    free = [column for column in columns if column not in mapping.values() and _plain_name(column) in _DEVICES]
    return min(free, key=lambda column: _plain_name(column).startswith("session"), default="")  # a visit is the least


def _plain_name(column: str) -> str:
    """Without what it stands in, and without a remark: `E-Mail (Rechnung)`."""
    return folded(re.sub(r"\([^()]*\)", " ", column.rpartition(".")[2]))


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


_CAME_BACK = frozenset(("voided", "gutschrift", "reso", "返品"))
"""What logs call it."""
_BACK = (
    *("rücksend", "zurückgesch", "zurückgesend", "rückgabe", "retour", "storn", "widerruf", "erstatt", "rückerstatt"),
    *("gutgeschr", "umgetauscht", "abgebrochen", "rechnungskorrektur", "rembours", "annul", "rétrofact", "devuel"),
    *("devol", "reembols", "cancel", "anul", "rimbors", "restitu", "geannuleerd", "terugbetaal", "retur", "refund"),
    *("remov", "dislik", "unlik", "unfav", "downvot", "entfern"),
    *("reject", "reklamation", "umtausch", "återbetal", "avbruten", "zwrot", "zwróc", "возвра", "отмен", "chargeback"),
)
"""Beginnings of words that say so, in a dozen languages."""
_REFUSED = ("reject", "declin", "denied", "abgelehnt", "refus", "rechaz", "rifiut", "afgewezen", "avslag")
_DENIED = frozenset("not nicht non no kein keine pas sin ohne without never nie".split())
_IN_PART = ("partial", "partly", "teil", "partiel", "parcial", "parzial", "delvis", "gedeeltelijk", "częściow")
_NEVER = frozenset(
    (
        *("failed", "declined", "abandoned", "trash", "expired", "draft", "unfulfillable", "fraud", "angebot", "quote"),
        *("quotation", "fehlgeschlagen", "abgelehnt", "entwurf", "échoué", "échouée", "fallido", "fallita", "mislukt"),
    )
)
"""Orders that never came about, by the last word of their status."""
_FAILED = frozenset("error erreur fehler errore fout".split())
"""The same by any word ("Fehler bei der Bezahlung")."""
_RETURNED = re.compile(r"C\d+")
_TAKEN_BACK = ("cancelled", "returned", "left")
_MOST_KINDS = 1000
"""That are told apart in a report."""
_FALSE = frozenset(("false", "no", "nein", "non", "n", "f", "0000-00-00 00:00:00", "0000-00-00"))
_KEY = ("user_id", "at", "product_id", "kind", "import_id")
_INSERT_SQLITE = (
    "insert into event (user_id, at, product_id, kind, import_id) values (?, ?, ?, ?, ?) on conflict do nothing"
)
"""As the driver takes it: naming a million parameters takes longer than writing them."""


def _write(store: Store, events: list[_Event], report: EventReport) -> None:
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


def _take_out(store: Store, outdated: Collection[_Event], import_id: int) -> int:
    """Events of earlier imports that are none any more; how many there were."""
    if not outdated:
        return 0
    key = [EVENT.c[name] == bindparam(f"its_{name}") for name in _KEY[:4]]
    rows = [dict(zip((f"its_{name}" for name in _KEY), event, strict=False)) for event in outdated]
    with store.writing() as connection:
        return connection.execute(delete(EVENT).where(*key, EVENT.c.import_id < import_id), rows).rowcount


@dataclass(frozen=True)
class _Reader:
    """Makes events of a log's rows."""

    mapping: Mapping[str, str]
    kind: str
    names: Names
    clock: Clock | None
    kinds: Counter[tuple[str, str]]
    statuses: Sequence[str]
    of_orders: bool
    """Do rows say what became of an order?"""
    of_returns: bool
    outdated: set[_Event] = field(default_factory=set)
    """What an earlier file may have said of the rows whose status is told."""

    @classmethod
    def of(
        cls,
        rows: Sequence[Row],
        mapping: Mapping[str, str],
        kind: str,
        names: Names,
        kinds: Counter[tuple[str, str]],
        dates: Order = "",
    ) -> "_Reader":
        """rows: the first ones, which tell how times are written. kinds: counts what rows were taken for."""
        times = (row.values.get(mapping.get("time", "")) for row in rows if isinstance(row, Record))
        own = mapping.get("status", "")
        # Of an order and of what it holds there may be a status each.
        there = next((row.values for row in rows if isinstance(row, Record)), {})
        more = [name for name in there if _names_a_status(name) and name not in mapping.values()]
        clock = Clock.of(times) if "time" in mapping else None
        if clock is not None and not clock.order:
            clock = clock._replace(order=dates)
        of_orders = any(name in mapping for name in ("status", *_TAKEN_BACK))
        of_returns = folded(mapping.get("time", "")) == "return date"
        return cls(mapping, kind, names, clock, kinds, [own, *more] if own else [], of_orders, of_returns)

    def events_of(self, record: Record, number: int) -> list[_Event] | BadRow:
        """number: the row's, from 1: its time where the log has none."""
        column, values = self.mapping, record.values
        user, called = identifier(values.get(column["user"])), identifier(values.get(column["item"]))
        lowered = user.casefold()
        if lowered in _NOBODY:
            return _bad(record, f"its user is unknown: {user}")
        if not user or not called:
            return _bad(record, f"has no {'item' if user else 'user'}")
        if "@" in user:
            user = lowered
        item = self.names.find(called)
        if item is None:
            return _bad(record, self.names.why_not(called))
        if self.clock is not None:
            time = self.clock.read(values.get(column["time"]))
            if isinstance(time, str):
                return _bad(record, time)
            at: float | None = time
        else:
            at = _number(values.get(column["position"])) if "position" in column else float(number)
        if at is None:
            return _bad(record, "its position is no number")
        named = ""
        if "kind" in column:
            given = values.get(column["kind"])
            named = _called_kind(given) if isinstance(given, str) else identifier(given).casefold()
        what = RETURN if self.of_returns or (named and _came_back(named)) else named or self.kind
        status = ""
        if self.of_orders:
            if self.clock is not None:
                self.outdated.update((user, at, item, one) for one in (named or self.kind, RETURN))
            status = " ".join(filter(None, (identifier(values.get(name)).casefold() for name in self.statuses)))
            words = _words_of(status)
            if (words and words[-1] in _NEVER and not _refused(words)) or not _FAILED.isdisjoint(words):
                return _bad(record, f"its order never came about: {status}")
            if _came_back(status) or self._taken_back(values):
                what = RETURN
        if "quantity" in column and _is_negative(values.get(column["quantity"])):
            what = RETURN
        if "invoice" in column and _RETURNED.fullmatch(identifier(values.get(column["invoice"]))):
            what = RETURN
        if "label" in column:
            label = _number(values.get(column["label"]))
            if label not in (0.0, 1.0):
                return _bad(record, "its label is neither 0 nor 1")
            what = IMPRESSION if label == 0.0 else named or "click"
        key = f"{named} {status}".strip() if status else named, what
        if len(self.kinds) < _MOST_KINDS or key in self.kinds:
            self.kinds[key] += 1
        made = [(user, at, item, what)]
        if "impressions" in column:
            shown = map(self.names.find, _ids(values.get(column["impressions"])))
            made += [(user, at, other, IMPRESSION) for other in shown if other and other != item]
        return made

    def _taken_back(self, values: Mapping[str, Any]) -> bool:
        """Does a day, a flag or a number say that all of it came back?"""
        ordered = _number(values.get(self.mapping.get("quantity", "")))
        taken = 0.0
        for name in ("cancelled", "returned"):
            value = values.get(self.mapping.get(name, ""))
            count = None if isinstance(value, bool) else _number(value)
            if count is not None:
                taken += count
            elif not is_empty(value) and text_of(value).strip().casefold() not in _FALSE:
                return True
        left = _number(values.get(self.mapping.get("left", "")))
        return left == 0 or (taken > 0 and taken >= (ordered if ordered and ordered > 0 else 1))


def _bad(record: Record, reason: str) -> BadRow:
    return BadRow(record.line, reason, json.dumps(record.values, ensure_ascii=False, default=str))


@lru_cache(maxsize=1000)
def _called_kind(given: str) -> str:
    return identifier(given).casefold()


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _is_negative(quantity: Any) -> bool:
    """By its sign, wherever systems put it: -1, −1, 1- (SAP), (1)."""
    number = _number(quantity)
    return number < 0 if number is not None else bool(_NEGATIVE.fullmatch(str(quantity).strip()))


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
