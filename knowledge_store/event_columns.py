"""What the columns of a behaviour log mean: by their names, and by what stands in them."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded, guess
from reaseq.knowledge_store.feeds.mixed import in_one, in_parts
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.names import Names
from reaseq.knowledge_store.order_lines import of_lines
from reaseq.knowledge_store.order_states import number_of
from reaseq.knowledge_store.times import Clock

FIELDS = (
    *("user", "item", "time", "position", "kind", "impressions", "label", "quantity", "invoice", "status"),
    *("cancelled", "returned", "left", "zone"),
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
        "user pseudo id", "user token", "debitor", "buyer username", "code client", "n client",
        "no client", "numéro client", "codice cliente", "benutzer", "nutzer", "client",
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
    "zone": (
        "timezone", "time zone", "tz", "zeitzone", "fuseau horaire", "zona horaria", "fuso orario", "tijdzone",
        "fuso horário", "tidszon",
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
        *("domain userid", "domain user id", "network userid", "network user id", "domain sessionid"),
        *("device id", "session id", "session"),
    )
)
"""Columns of what stands for a user who has no account: an address, a browser, an app."""
_PEEKED = 1000
"""Rows whose values tell which column is the item."""
_OF_DAY = re.compile(r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?(?:\s*Uhr)?(?:\s*[AaPp]\.?[Mm]\.?)?")
_IN_DIGITS = re.compile(r"(?:[01]?\d|2[0-4])?[0-5]?\d|(?:[01]?\d|2[0-4])[0-5]\d[0-5]\d")
"""Of days too, where their column is called a time: 930, 0005, 5 (what a spreadsheet leaves of that), 093000."""
_ORDERS = frozenset(
    (
        *("name", "order id", "order number", "order no", "order", "increment id", "order name", "transaction id"),
        *("invoice", "invoice no", "bestellnummer", "bestellnr", "auftragsnummer", "bon", "bonnummer", "receipt"),
    )
)
"""Columns of the order that a row is a line of: its further lines may leave out who bought, and when."""
_DAYS = re.compile(r"date|datum|day|tag|fecha|jour|giorno|data", re.IGNORECASE)
_OF_ANY = re.compile(f"(?:{_OF_DAY.pattern})|(?:{_IN_DIGITS.pattern})")
_TIMES = re.compile(r"time|zeit|uhr|heure|hora|ora\b|clock|tid\b", re.IGNORECASE)
_FEWEST_OF_CLOCKS, _DIGITS_OF_CLOCKS = 3, 6
_LABELS = (0, 1, "0", "1", "0.0", "1.0", "", None)
_FAR_MORE = 4
_NEARLY_ALL, _MOST = 0.9, 0.8
_MIDNIGHT = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?$")


def by_lines(feed: Feed) -> Feed:
    """The feed with an event of each item that its records list; see `order_lines`."""
    return of_lines(feed, _NAMES["item"])


def understood(feed: Feed, overrides: Mapping[str, str], names: Names) -> tuple[Feed, dict[str, str]]:
    """The feed, an event a row, and field to column: by the columns' names and what stands in them; `overrides` win.

    Raises:
        FeedError: an override names no field or column, or no column can be the user or the item.
    """
    feed = by_lines(feed)
    fields = guess_fields(feed.columns, overrides, by_name="item" in overrides)
    columns = in_parts(feed.columns, fields, overrides, lambda some: guess(some, _NAMES, overrides))
    if len(columns) < len(feed.columns):
        feed = replace(feed, columns=columns)
        fields = guess_fields(columns, overrides, by_name="item" in overrides)
    feed = in_one(feed, fields, lambda some: guess(some, _NAMES, {}))
    if "item" not in overrides:
        feed, fields = by_values(feed, fields, names)
        guess_fields(feed.columns, dict(overrides) | fields)  # is there a column of items by now?
    return feed, fields


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
        status = next((one for one in columns if names_a_status(one) and one not in mapping.values()), "")
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


def names_a_status(column: str) -> bool:
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
    are days or times in words; of several the first, as things happen."""
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
    clocks = [column for column in feed.columns if column not in called and _most_match(_OF_DAY, column, rows)]
    if not clocks and _TIMES.search(mapping.get("time", "")) and _most_match(_OF_ANY, mapping["time"], rows):
        clocks = [mapping["time"]]
    days = [column for column in called if column not in clocks]
    days = [column for column in days if _are_times([values.get(column) for values in rows], _MOST)]
    if len(clocks) != 1 or len(days) != 1 or mapping.get("time") not in (*clocks, *days):
        return feed, mapping
    (clock,), (day,) = clocks, days
    if any(":" in _day_alone(values.get(day)) for values in rows if not is_empty(values.get(clock))):
        return feed, mapping
    both = f"{day} + {clock}"
    digits = max((len(said) for values in rows if (said := _clock_in(values.get(clock))).isdecimal()), default=0)
    if 0 < digits < _FEWEST_OF_CLOCKS:
        return feed, mapping  # hours, or minutes?

    def joined() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                at = _clock_in(row.values.get(clock))
                if at.isdecimal() and len(at) <= digits <= _DIGITS_OF_CLOCKS:
                    at = at.zfill(4 if digits <= 4 else 6)
                    at = ":".join(re.findall("..", at))
                said = f"{_day_alone(row.values.get(day))} {at}".strip()
                row = row._replace(values={**row.values, both: said})
            yield row

    return replace(feed, columns=[*feed.columns, both], rows=joined()), mapping | {"time": both}


def _clock_in(value: Any) -> str:
    """What a cell of a time of day says: nothing where a sign stands for that ("-", "n/a")."""
    return "" if is_empty(value) else text_of(value).strip()


def _day_alone(value: Any) -> str:
    """What a cell of a day says, without the midnight that a spreadsheet adds to it."""
    return _MIDNIGHT.sub("", text_of(value))


def _most_match(pattern: re.Pattern[str], column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    said = [text for values in rows if (text := _clock_in(values.get(column)))]
    return sum(pattern.fullmatch(text) is not None for text in said) >= max(1, _MOST * len(said))


def _are_times(values: Sequence[Any], share: float = _NEARLY_ALL) -> bool:
    """Does this share of what stands there say a time, in more than digits?"""
    said = [value for value in values if not is_empty(value)]
    clock = Clock.of(said)
    read = [value for value in said if not isinstance(value, int | float) and isinstance(clock.read(value), float)]
    worded = [value for value in read if number_of(value) is None]
    return len(said) > 0 and len(worded) >= share * len(said)


def order_of(columns: Sequence[str], mapping: Mapping[str, str]) -> str:
    """The column of orders, where rows are their lines."""
    used = {column for field, column in mapping.items() if field != "invoice"}
    free = (column for column in columns if column not in used)
    return next((column for column in free if folded(column) in _ORDERS), "")


def device_of(columns: Sequence[str], mapping: Mapping[str, str]) -> str:
    """The column of browsers or apps, beside that of users."""
    free = [column for column in columns if column not in mapping.values() and _plain_name(column) in _DEVICES]
    return min(free, key=lambda column: _plain_name(column).startswith("session"), default="")  # a visit is the least


def _plain_name(column: str) -> str:
    """Without what it stands in, and without a remark: `E-Mail (Rechnung)`."""
    return folded(re.sub(r"\([^()]*\)", " ", column.rpartition(".")[2]))
