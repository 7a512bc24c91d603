"""What the columns of a behaviour log mean: by their names, and by what stands in them."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from functools import lru_cache
from itertools import chain, islice, takewhile
from typing import Any

from reaseq.knowledge_store.adobe import of_adobe
from reaseq.knowledge_store.bulk_orders import of_bulk
from reaseq.knowledge_store.feeds.columns import folded, guess
from reaseq.knowledge_store.feeds.mixed import in_one, in_parts
from reaseq.knowledge_store.feeds.price_names import price_kind
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.kind_columns import with_kind
from reaseq.knowledge_store.matomo import of_matomo
from reaseq.knowledge_store.names import Names
from reaseq.knowledge_store.order_lines import is_of_before, of_impressions, of_lines
from reaseq.knowledge_store.order_states import (
    RETURNED,
    came_back,
    counts_returns,
    flags_returns,
    is_a_state,
    is_negative,
    never_came_about,
    number_of,
    taken_back,
    truth,
)
from reaseq.knowledge_store.times import Clock
from reaseq.knowledge_store.wordlists import words

FIELDS = (
    *("user", "item", "time", "position", "kind", "impressions", "label", "quantity", "invoice", "status"),
    *("cancelled", "returned", "left", "zone", "bought", "carted"),
)
"""`label` is 1 where an item that was shown was acted on and 0 where not; `impressions` lists what was shown beside. A
`quantity` below 0, an `invoice` that begins with C and a `status` that says so mean that something came back; so do
`cancelled` and `returned` (a day, a flag, or as many as the quantity), and 0 that are `left`. `bought` and `carted` are
flags as `label` is; the strongest that is set counts."""
_NAMES: dict[str, tuple[str, ...]] = {
    "user": (
        "user", "user id", "userid", "customer id", "visitor id", "visitorid", "reviewer id", "client id",
        "account id", "member id", "uid", "kunden nr", "kundennr", "kundennummer", "customer number", "customer no",
        "kdnr", "kd nr", "kundnr", "debitor nr", "debitorennummer", "klantnummer", "customer customer number",
        "customer", "email", "customer email",
        "e mail", "e mail adresse", "kunden e mail", "mail", "session id", "session", "kunde", "id client", "cliente",
        "user pseudo id", "user token", "debitor", "buyer username", "code client", "n client",
        "no client", "numéro client", "codice cliente", "benutzer", "nutzer", "client",
        "anonymous id", "distinct id", "visid", "visid high", "cookie id", "buyer", "buyer id", "buyer email",
        "billing email",
        "billing email address", "customer email address", "email address", "e mail address", "domain userid",
        "domain user id",
        "network userid", "network user id", "domain sessionid", "domain session id", "device id",
    ),
    "item": (
        "item", "item id", "itemid", "product id", "productid", "product", "asin", "parent asin", "sku", "article id",
        "stock code", "product code", "lineitem sku", "line item sku", "product sku", "variant sku", "item sku",
        "sku code", "iid", "artikel", "artikel nr", "artikelnr", "artikelnummer", "article", "id produit", "producto",
        "ean", "ean13", "gtin", "barcode", "product reference", "reference", "aid", "object id", "object ids",
        "objectids", "id",
    ),
    "time": (
        "timestamp", "at", "epoch", "event timestamp", "original timestamp", "time", "event time", "datetime",
        "date time", "date",
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
        "quantity ordered", "quantity purchased", "lineitem quantity", "bestellmenge", "product qty",
        "product quantity",
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
    "bought": (),
    "carted": (),
}  # fmt: skip
_FLAGS = ("label", "bought", "carted")
_USERS = frozenset("user customer client buyer visitor member account reviewer shopper kunde kunden benutzer".split())
_IDS = frozenset("id ids guid uuid number nr no code key hash token email mail name".split())
_OF_ITEMS = frozenset("item product sku article part artikel".split())
_CODE = re.compile(r"[A-Z]{2,3}")
_INTEGER = re.compile(r"[-−]?\d{1,3}(?:[.,]0+)?")
_OF_PEOPLE = frozenset("customer user account email mail subscription abo consent kunden konto".split())
"""Whose status says nothing of an order."""
_OF_DEVICES = frozenset("dvce device client browser".split())
_STAMPS = frozenset("tstamp timestamp ts".split())
_CLOCKS = frozenset("tstamp timestamp time ts date datetime clock at".split())
"""Words of columns of times by the clock of whoever's device it is, which may be wrong."""
_DEVICES = frozenset(
    (
        *("customer email", "email", "buyer email", "billing email", "contact email", "mail"),
        *("e mail", "e mail adresse", "kunden e mail", "rechnungs e mail"),
        *("user pseudo id", "anonymous id", "client id", "visitor id", "visitorid", "cookie id", "distinct id"),
        *("domain userid", "domain user id", "network userid", "network user id", "domain sessionid"),
        *("device id", "session id", "session", "visid"),
    )
)
"""Columns of what stands for a user who has no account: an address, a browser, an app."""
_PEEKED = 1000
"""Rows whose values tell which column is the item."""
_HOUR, _HALF = r"(?:[01]?\d|2[0-4])", r"\s*[AaPp]\.?[Mm]\.?"
_OF_DAY = re.compile(
    rf"{_HOUR}(?:\s?(?:[hH]|Uhr)|{_HALF})"
    rf"|{_HOUR}[:.h][0-5]\d(?:[:.][0-6]\d(?:\.\d+)?)?(?:\s*Uhr)?(?:{_HALF})?"
)
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
_UNNAMED = re.compile(r"column \d+")
_FEWEST_OF_CLOCKS, _DIGITS_OF_CLOCKS = 3, 6
_FAR_MORE = 4
_NEARLY_ALL, _MOST, _MORE = 0.9, 0.8, 0.6
_LARGEST_COUNT = 1000
_DAY, _FURTHEST_ZONE = 86_400, 14 * 3600
"""Seconds."""
_MINUTE, _QUARTER = 60, 900
"""Seconds that zones are apart, or several times as many."""
_OF_UTC = frozenset(("utc", "gmt"))
_ELSEWHERE = timezone(timedelta(hours=7))
_FEW = 20
"""Rows that are looked at before all are."""
_LONGEST_STATE = 60
"""Characters."""
_MIDNIGHT = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?$")


def by_lines(feed: Feed, names: Names | None = None, overrides: Mapping[str, str] | None = None) -> Feed:
    """The feed with an event of each item that its records list; see `order_lines`."""
    return of_lines(of_matomo(of_adobe(of_bulk(feed))), _names(), names, overrides)


@lru_cache
def _names() -> Mapping[str, Sequence[str]]:
    """What columns of each field are called: names above, then those of `words/`."""
    more = dict(words("log_columns"))
    more["user"] = (*more["user"], *more["addresses"])
    return {
        field: (*names, *(one for one in more.get(field, ()) if one not in names)) for field, names in _NAMES.items()
    }


def understood(feed: Feed, overrides: Mapping[str, str], names: Names) -> tuple[Feed, dict[str, str]]:
    """The feed, an event a row, and field to column: by the columns' names and what stands in them; `overrides` win.

    Raises:
        FeedError: an override names no field or column, or no column can be the user or the item.
    """
    feed = by_lines(feed, names, overrides)
    fields = guess_fields(feed.columns, overrides, by_name="item" in overrides)
    columns = in_parts(feed.columns, fields, overrides, lambda some: guess(some, _NAMES, overrides))
    if len(columns) < len(feed.columns):
        feed = replace(feed, columns=columns)
        fields = guess_fields(columns, overrides, by_name="item" in overrides)
    feed = in_one(feed, fields, lambda some: guess(some, _NAMES, {}))
    told = set(overrides)
    if "impressions" in fields:
        feed, acted, shown = of_impressions(feed, fields["impressions"], fields.get("item", ""), names)
        told |= {"item"} if acted and "item" not in fields else set()
        fields = fields | ({"item": acted, "impressions": shown} if acted else {})
    feed, fields = by_values(feed, fields, names, told=told)
    if "item" not in overrides:
        guess_fields(feed.columns, {**overrides, **fields})  # is there a column of items by now?
    return feed, fields


def by_name(columns: Sequence[str]) -> dict[str, str]:
    """Field to column, of those that a log's column of this name would be."""
    return guess(columns, _names(), {})


def guess_fields(
    columns: Sequence[str], overrides: Mapping[str, str] | None = None, *, by_name: bool = True
) -> dict[str, str]:
    """Field to column, by name; `overrides` win, and an empty one leaves the field out. by_name: is the item to be told
    by that alone? Else its column may be found by `by_values`.

    Raises:
        FeedError: an override names no field or column, or no column can be the user or the item.
    """
    mapping = guess(columns, _names(), overrides or {})
    if "kind" in mapping and "kind" not in (overrides or {}) and _is_of_line(mapping):
        del mapping["kind"]  # what sort of line it is
    counts = [one for one in columns if one not in mapping.values() and counts_returns(one)]
    free = [field for field in ("returned", "cancelled") if field not in mapping and field not in (overrides or {})]
    mapping |= dict(zip(free, counts, strict=False))
    if "status" not in (overrides or {}) and "status" not in mapping:
        status = next((one for one in columns if names_a_status(one) and one not in mapping.values()), "")
        mapping |= {"status": status} if status else {}
    # A log may say but what was shown.
    for needed in ("user", "item") if by_name and "impressions" not in mapping else ("user",):
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
        if "time" not in (overrides or {}) and _is_of_a_device(mapping["time"]):
            free = [one for one in columns if not _is_of_a_device(one) and one not in mapping.values()]
            stamps = [one for one in free if not _STAMPS.isdisjoint(folded(one).split())]
            better = guess(free, _names(), {}).get("time") or next(iter(stamps), "")
            mapping |= {"time": better} if better else {}
        if "time" not in (overrides or {}):
            mapping["time"] = _in_utc(columns, mapping["time"])
    return mapping


def _is_of_a_user(column: str) -> bool:
    """Is it called an id of somebody (`CustomerGuid`), whatever else stands in it?"""
    said = folded(column.rpartition(".")[2]).split()
    whose = said[0] if said else ""
    return whose in _USERS and (len(said) == 1 or not _IDS.isdisjoint(said[1:])) and _OF_ITEMS.isdisjoint(said)


def _is_of_a_device(column: str) -> bool:
    """Is it called a time by the clock of a device (`dvce_created_tstamp`), which counts where there is no other?"""
    said = folded(column).split()
    return not _OF_DEVICES.isdisjoint(said) and not _CLOCKS.isdisjoint(said)


def _in_utc(columns: Sequence[str], time: str) -> str:
    """The column that says the same time of the world, where there is one beside that of the place."""
    name = folded(time)
    same = (one for one in columns if folded(one) in (f"{name} gmt", f"{name} utc", f"gmt {name}", f"utc {name}"))
    return next(same, time)


def _is_of_line(mapping: Mapping[str, str]) -> bool:
    """`lineItems.type` beside `lineItems.payload.productNumber`; but what has a time of its own is an event."""
    within, _, name = mapping["kind"].rpartition(".")
    inside = f"{within}."
    of_item, of_time = (mapping.get(field, "").startswith(inside) for field in ("item", "time"))
    return within != "" and folded(name) == "type" and of_item and not of_time


def names_a_status(column: str) -> bool:
    """`fulfillment_status`, `Lieferstatus`, `order state`; not where it is that of a person."""
    said = folded(column).split()
    last = said[-1] if said else ""
    called = words("log_columns")["status"]
    named = last.endswith("status") or last in ("statut", "estado", "stato") or (last == "state" and len(said) > 1)
    named = named or folded(column) in called or last in called or (not last.isascii() and last.endswith(called))
    return named and _OF_PEOPLE.isdisjoint(said) and not last.startswith(tuple(_OF_PEOPLE))


def names_a_user(columns: Sequence[str], overrides: Mapping[str, str] | None = None) -> bool:
    """Is one of these the user of an event, or a column that `overrides` name?"""
    named = set((overrides or {}).values()) & set(columns)
    return bool(named) or "user" in guess(columns, _names(), {})


def by_values(
    feed: Feed, mapping: Mapping[str, str], names: Names, told: Collection[str] = ()
) -> tuple[Feed, dict[str, str]]:
    """The feed and its fields; the item is another column where that one's values are items of the catalogue: of "id"
    and "product_sku" names cannot tell which. Where none is called a time, it is the column of which most values
    are days or times in words; of several the first, as things happen. A column that is called a flag, a number or a
    status and holds something else is none, and one of states of orders is a status whatever it is called. told: fields
    that somebody has named."""
    peeked = list(islice(feed.rows, _PEEKED))
    rows = [row.values for row in peeked if isinstance(row, Record)]
    feed = replace(feed, rows=chain(peeked, feed.rows))

    def known(column: str) -> int:
        return sum(names.find(identifier(values.get(column))) is not None for values in rows)

    made = _without_misnomers(mapping, rows, told)
    if "item" not in told:
        free = [column for column in feed.columns if column not in made.values() and not is_of_before(column)]
        free = [column for column in free if not _is_of_a_user(column)]
        best = max(free, key=known, default=None)
        by_name = known(made["item"]) if "item" in made else 0
        if best is not None and known(best) > _FAR_MORE * by_name and known(best) > len(rows) / _FAR_MORE:
            made["item"] = best
        feed, made = _with_other_items(feed, made, rows, names)
    if "time" not in made and "position" not in made:
        dated = [made[name] for name in ("returned", "cancelled") if name in made and name not in told]
        free = [column for column in feed.columns if column in dated or column not in made.values()]
        timed = [column for column in free if _are_times([values.get(column) for values in rows])]
        timed = [one for one in timed if not _is_of_a_device(one)] or timed
        if timed:
            made["time"] = _first_of(timed, rows)
            made = {name: column for name, column in made.items() if name == "time" or column != made["time"]}
    if "kind" not in told:
        feed, made = with_kind(feed, made, rows, _names()["kind"])
    made, doubts = _with_numbers_and_states(feed.columns, made, rows, told)
    before = made.get("time")
    feed, made = _with_clock(replace(feed, doubts=(*feed.doubts, *doubts)), made, rows)
    if "time" in made and "time" not in told and "zone" not in made:
        peeked = list(islice(feed.rows, _PEEKED))  # a day and a time of day stand in one column by now
        feed = replace(feed, rows=chain(peeked, feed.rows))
        made["time"] = _exact(feed.columns, made, [row.values for row in peeked if isinstance(row, Record)])
    if before and made["time"] == before and "time" not in told:
        made["time"] = _with_time_of_day(feed.columns, made, rows)
    return feed, made


def _without_misnomers(
    mapping: Mapping[str, str], rows: Sequence[Mapping[str, Any]], told: Collection[str]
) -> dict[str, str]:
    """Without columns that are called what their values are not: flags that are texts, a time that is a flag."""
    made = dict(mapping)
    if "time" in made and "time" not in told and _are_flags(made["time"], rows):
        called = folded(made.pop("time"))
        if "bought" not in made and called in _names()["bought"]:
            made["bought"] = mapping["time"]
    for flag in _FLAGS:
        if flag in made and (flag == "label" or flag not in told) and not _are_flags(made[flag], rows):
            del made[flag]
    if "quantity" in made and "quantity" not in told:
        said = _said(made["quantity"], rows)
        if said and not any(any(map(str.isdigit, one)) for one in said):
            del made["quantity"]
    return made


def _said(column: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [text_of(values.get(column)).strip() for values in rows if not is_empty(values.get(column))]


def _are_flags(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Are nearly all values yes, no, or small numbers, in words or digits?"""
    said = [values.get(column) for values in rows if not is_empty(values.get(column))]
    flags = [value for value in said if truth(value) is not None and (number_of(value) or 0) < _LARGEST_COUNT]
    return len(flags) >= _NEARLY_ALL * len(said)


def _with_other_items(
    feed: Feed, mapping: dict[str, str], rows: Sequence[Mapping[str, Any]], names: Names
) -> tuple[Feed, dict[str, str]]:
    """The same with one column for the item, where rows whose cell of it the catalogue does not know name one in
    others: a page's product beside an order's lines."""
    item = mapping.get("item", "")
    used = {column for field, column in mapping.items() if field != "item"}
    others: list[str] = []
    left = [values for values in rows if names.find(identifier(values.get(item))) is None]
    free = [column for column in feed.columns if column not in used and column != item and _may_be_an_item(column)]
    while left and free:
        known = {one: [names.find(identifier(values.get(one))) is not None for values in left] for one in free}
        best = max(free, key=lambda one: sum(known[one]))
        if not any(known[best]):
            break
        others.append(best)
        free.remove(best)
        left = [values for values, is_known in zip(left, known[best], strict=True) if not is_known]
    if not item or not others:
        return feed, mapping
    columns, joined = (item, *others), " or ".join((item, *others))

    def filled() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                said = [row.values.get(one) for one in columns if not is_empty(row.values.get(one))]
                own = next((one for one in said if names.find(identifier(one)) is not None), said[0] if said else None)
                row = row._replace(values={**row.values, joined: own})
            yield row

    return replace(feed, columns=[*feed.columns, joined], rows=filled()), mapping | {"item": joined}


def _may_be_an_item(column: str) -> bool:
    """By its last step, which may be called `id` within something that is an item."""
    called, items = folded(column.rpartition(".")[2]), _names()["item"]
    return (called in items and called != "id") or folded(column) in items


def _with_numbers_and_states(
    columns: Sequence[str], mapping: dict[str, str], rows: Sequence[Mapping[str, Any]], told: Collection[str]
) -> tuple[dict[str, str], list[str]]:
    """The same with the column of states of orders, and what is to be told of columns of numbers below zero."""
    made = dict(mapping)
    free = [one for one in columns if one not in made.values()]
    if "status" not in told:
        own = made.get("status", "")
        if own and all(map(_CODE.fullmatch, _said(own, rows))) and not any(map(_is_told, _said(own, rows))):
            del made["status"]  # of the country
        if "status" not in made or not any(map(_is_told, _said(own, rows))):
            better = next((one for one in free if _are_states(one, rows)), "")
            made |= {"status": better} if better else {}
    if "returned" not in made and "returned" not in told:
        named = [one for one in free if one not in made.values() and flags_returns(one)]
        flag = next((one for one in named if _said(one, rows) and _are_flags(one, rows)), "")
        made |= {"returned": flag} if flag else {}
    return made, _sums_below_zero(columns, made, rows, told)


def _sums_below_zero(
    columns: Sequence[str], mapping: Mapping[str, str], rows: Sequence[Mapping[str, Any]], told: Collection[str]
) -> list[str]:
    """What to say of columns whose negative numbers may mean that something came back, where nothing else says so."""
    if "quantity" in told:
        return []
    bought = [values for values in rows if not _says_that_it_came_back(values, mapping)]
    doubts = []
    for column in (one for one in columns if one not in mapping.values()):
        said = _said(column, bought)
        below = sum(map(is_negative, said))
        if not below or _is_no_payment(column):
            continue
        if names_an_amount(folded(column)):
            doubts.append(
                f"{column} is below zero in {below:,} rows that count as what they say otherwise; if these came back: "
                f'--map quantity="{column}"'
            )
        elif "quantity" not in mapping and len(said) > 1 and all(map(_INTEGER.fullmatch, said)):
            doubts.append(
                f"{column} has negative numbers and is not used; if it is the quantity, rows below 0 came back: "
                f'--map quantity="{column}"'
            )
    return doubts


def _says_that_it_came_back(values: Mapping[str, Any], mapping: Mapping[str, str]) -> bool:
    told = {field: text_of(values.get(mapping.get(field, ""))).strip() for field in ("kind", "status", "invoice")}
    in_words = came_back(told["kind"].casefold()) or came_back(told["status"].casefold())
    by_number = RETURNED.fullmatch(told["invoice"]) is not None or is_negative(values.get(mapping.get("quantity", "")))
    return in_words or by_number or taken_back(values, mapping)


def _is_no_payment(column: str) -> bool:
    """Is it a sum that is below zero where a thing was bought, too: a discount, a fee, a tax?"""
    parts = words("log_columns")["no_payments"]
    return any(part in word for word in folded(column).split() for part in parts)


def _is_told(said: str) -> bool:
    return is_a_state(said.casefold())


def _are_states(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Are nearly all values states of orders, some of which did not come to what they were to be?"""
    name = folded(column).split()
    if not _OF_PEOPLE.isdisjoint(name) or column.rpartition(".")[2].casefold() in ("id", "name"):
        return False
    counts = Counter(one.casefold() for one in _said(column, rows))
    if any(len(one) > _LONGEST_STATE for one in counts):
        return False
    known = sum(count for one, count in counts.items() if is_a_state(one))
    ends = any(came_back(one) or never_came_about(one) for one in counts)
    return ends and known >= _NEARLY_ALL * counts.total()


def _first_of(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Of several columns of times the one that the most rows say, and of these the one that comes first in most: things
    are ordered before they are sent, paid and sent back."""
    read = {column: _read(column, rows) for column in columns}
    firsts = Counter(min(columns, key=lambda column: read[column][row]) for row in range(len(rows)))
    said = {column: sum(map(math.isfinite, read[column])) for column in columns}
    return max(columns, key=lambda column: (said[column], firsts[column]))


def _exact(columns: Sequence[str], mapping: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The column of times; where these name no zone, another that says the same moments and leaves no doubt of it (a
    Unix time, or one with its zone), if there is one: `hit_time_gmt` beside `date_time`."""
    time = mapping["time"]
    local = _read(time, rows)
    if _is_exact(time, rows) or not any(at % _DAY for at in local if math.isfinite(at)):
        return time

    in_minutes = not any(at % _MINUTE for at in local if math.isfinite(at))

    def says_the_same(column: str) -> bool:
        both = [(at, mine) for at, mine in zip(_read(column, rows), local, strict=True) if math.isfinite(mine)]
        within = _MINUTE if in_minutes and len(both) >= _FEWEST_OF_CLOCKS else 2
        apart = [at - mine for at, mine in both]
        whole = [abs(one) <= _FURTHEST_ZONE + _MINUTE and (one + 1) % _QUARTER <= within for one in apart]
        return sum(whole) >= _NEARLY_ALL * len(both)

    free = [column for column in columns if column not in mapping.values() and not _is_of_a_device(column)]
    same = [one for one in free if _is_exact(one, rows[:_FEW]) and says_the_same(one) and _is_exact(one, rows)]
    return next((one for one in same if folded(one) in _names()["time"]), next(iter(same), time))


def _is_exact(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Are nearly all times of a column of one moment wherever they were written?"""
    if not _OF_UTC.isdisjoint(folded(column).split()):
        return True
    values = [values.get(column) for values in rows if not is_empty(values.get(column))]
    clock = Clock.of(values, column)
    if clock.zone is not UTC:
        return True
    other = clock._replace(zone=_ELSEWHERE)
    read = [(clock.read(value), other.read(value)) for value in values]
    exact = [isinstance(here, float | int) and here == there for here, there in read]
    return bool(read) and sum(exact) >= _NEARLY_ALL * len(read)


def _with_time_of_day(columns: Sequence[str], mapping: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The column of times; where it says days alone, another that says when on that day it was, if there is one."""
    days = _read(mapping["time"], rows)
    dated = [(row, day) for row, day in enumerate(days) if math.isfinite(day)]
    if not dated or any(day % _DAY for _, day in dated):
        return mapping["time"]

    def is_of_these_days(column: str, some: Sequence[tuple[int, float]]) -> bool:
        read = _read(column, [rows[row] for row, _ in some])
        both = [(at, day) for at, (_, day) in zip(read, some, strict=True) if math.isfinite(at)]
        near = [abs(at - day - _DAY / 2) <= _DAY / 2 + _FURTHEST_ZONE for at, day in both]
        return len(near) >= max(1, _MORE * len(some)) and sum(near) >= _NEARLY_ALL * len(near)

    free = [column for column in columns if column not in mapping.values()]
    finer = [column for column in free if is_of_these_days(column, dated[:_FEW]) and is_of_these_days(column, dated)]
    finer = [column for column in finer if any(at % _DAY for at in _read(column, rows) if math.isfinite(at))]
    finer = [column for column in finer if not _is_of_a_device(column)] or finer
    finer = [column for column in finer if folded(column) in _names()["time"]] or finer
    return _first_of(finer, rows) if finer else mapping["time"]


def _read(column: str, rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """The times of a column; infinite where there is none."""
    clock = Clock.of(values.get(column) for values in rows)
    times = (clock.read(values.get(column)) for values in rows)
    return [time if isinstance(time, float | int) else math.inf for time in times]


def _with_clock(feed: Feed, mapping: dict[str, str], rows: Sequence[Mapping[str, Any]]) -> tuple[Feed, dict[str, str]]:
    """The same with one column for a day and a time of day that stand in two."""
    whose = [mapping[field] for field in ("user", "item") if field in mapping]
    rows = [values for values in rows if any(not is_empty(values.get(column)) for column in whose)]  # no line of totals
    called = [column for column in feed.columns if _DAYS.search(column)]
    clocks = [column for column in feed.columns if _may_be_a_clock(column) and _match(_OF_DAY, column, rows)]
    if not clocks and _may_be_a_clock(mapping.get("time", "")) and _match(_OF_ANY, mapping["time"], rows):
        clocks = [mapping["time"]]
    days = [column for column in called if column not in clocks]
    days = [column for column in days if _are_times([values.get(column) for values in rows], _MOST)]
    if len(clocks) == 1 and len(days) > 1:  # the one that is called most like it, as they are ordered by
        alike = {column: _begin_alike(folded(column), folded(clocks[0])) for column in days}
        days = [column for column in days if alike[column] == max(alike.values())]
        days = [column for column in days if column == mapping.get("time")] or days
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


def _begin_alike(one: str, other: str) -> int:
    """How many letters two names have before they differ."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _clock_in(value: Any) -> str:
    """What a cell of a time of day says: nothing where a sign stands for that ("-", "n/a")."""
    return "" if is_empty(value) else text_of(value).strip()


def _day_alone(value: Any) -> str:
    """What a cell of a day says, without the midnight that a spreadsheet adds to it."""
    return _MIDNIGHT.sub("", text_of(value))


def _may_be_a_clock(column: str) -> bool:
    """Is it called a time, and not a price? 10.00 is either, and 00:35 may be how long something took."""
    said, (begins, whole) = folded(column), _words_of_clocks()
    if names_an_amount(said):
        return False
    named = any(word in whole or any(part in word for part in begins) for word in said.split())
    return named or _UNNAMED.fullmatch(column) is not None


def names_an_amount(said: str) -> bool:
    """Does a folded name say that its column holds prices or sums of money?"""
    amounts = (*words("price_words")["amounts"], *words("log_columns")["amounts"])
    joined = words("log_columns")["amounts_end"]  # Zeitwert
    return price_kind(said) is not None or any(word in amounts or word.endswith(joined) for word in said.split())


@lru_cache
def _words_of_clocks() -> tuple[tuple[str, ...], frozenset[str]]:
    """Words that count as a part of another ("Bestellzeit"), and those that count alone."""
    of = words("log_columns")
    return of["clocks"], frozenset(of["clocks_alone"])


def _match(pattern: re.Pattern[str], column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Are all values such? Of times with a colon most will do: what cannot be read of them costs its row alone."""
    said = [text for values in rows if (text := _clock_in(values.get(column)))]
    share = _MOST if any(":" in text for text in said) and _UNNAMED.fullmatch(column) is None else 1
    return sum(pattern.fullmatch(text) is not None for text in said) >= max(1, share * len(said))


def _are_times(values: Sequence[Any], share: float = _MORE) -> bool:
    """Does this share of what stands there say a time, in more than digits? What cannot be read is set aside later."""
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
    known = _DEVICES.union(words("log_columns")["addresses"])
    free = [column for column in columns if column not in mapping.values() and _plain_name(column) in known]
    return min(free, key=lambda column: _plain_name(column).startswith("session"), default="")  # a visit is the least


def _plain_name(column: str) -> str:
    """Without what it stands in, and without a remark: `E-Mail (Rechnung)`."""
    return folded(re.sub(r"\([^()]*\)", " ", column.rpartition(".")[2]))
