"""What the rows of a log say that became of orders: what came back, what never came about, what is true by now."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.times import Clock

IMPRESSION = "impression"
RETURN = "return"
Event = tuple[str, float, str, str]
"""User, time, item, kind."""
_NUMBERED = re.compile(r"#?[\w./-]*\d[\w./-]*")
"""What orders are called: no product's name."""
_CHANGED = frozenset(
    (
        *("updated at", "updated", "date updated", "date modified", "modified at", "modified", "last modified"),
        *("date modified gmt", "status date", "status changed at", "geändert am", "geaendert am", "aktualisiert am"),
    )
)
"""Columns of when a row was written, folded."""
_NEGATIVE = re.compile(r"[-−–]\s*\d+(?:[.,]\d+)?(?:\s*\D*)?|\d+(?:[.,]\d+)?\s*[-−]|\(\d+(?:[.,]\d+)?\)")
_CAME_BACK = frozenset(("void", "voided", "gutschrift", "avoir", "reso", "返品"))
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
_DENIED = frozenset(
    "not nicht non no kein keine pas sin ohne without never nie aufgehoben reversed revoked undone".split()
)
_ABOUT = frozenset(
    "policy policies page faq info help form label address customer customers visitor visitors user users buyer view "
    "viewed richtlinie richtlinien seite kunde kunden besucher".split()
)
"""Words beside it that make of it what somebody reads or who somebody is ("return_policy_view")."""
_IN_PART = ("partial", "partly", "teil", "partiel", "parcial", "parzial", "delvis", "gedeeltelijk", "częściow")
_NEVER = frozenset(
    (
        *("failed", "declined", "abandoned", "trash", "expired", "draft", "unfulfillable", "fraud", "angebot", "quote"),
        *("quotation", "fehlgeschlagen", "abgelehnt", "entwurf", "échoué", "échouée", "fallido", "fallita", "mislukt"),
        *(
            "refusé",
            "refusée",
            "expiré",
            "expirée",
            "abandonné",
            "abandonnée",
            "abgelaufen",
            "rechazado",
        ),
        *("rechazada", "caducado", "abandonado", "rifiutato", "rifiutata", "scaduto", "abbandonato", "geweigerd"),
        *("verlopen", "odrzucono", "odrzucona", "nieudana", "misslyckades", "mislykket"),
    )
)
"""Orders that never came about, by the last word of their status."""
_FAILED = frozenset("error erreur fehler errore fout".split())
"""The same by any word ("Fehler bei der Bezahlung")."""
RETURNED = re.compile(r"C\d+")
TAKEN_BACK = ("cancelled", "returned", "left")
_FALSE = frozenset(("false", "no", "nein", "non", "n", "f", "0000-00-00 00:00:00", "0000-00-00"))


class History:
    """Of a log that lists what became of its orders, what they are now: a line of an order is bought once, whatever
    states it went through. changed: the column of when a row was written, if there is one."""

    def __init__(self, order: str, changed: str, clock: Clock) -> None:
        self._order, self._changed, self._clock = order, changed, clock
        self._seen: dict[int, tuple[float, Event]] = {}
        self.undone: set[Event] = set()
        """Events of rows further up that another has taken the place of, and that are none any more."""

    @classmethod
    def of(cls, columns: Sequence[str], order: str, rows: Sequence[Row]) -> "History":
        changed = next((one for one in columns if folded(one) in _CHANGED), "")
        return cls(order, changed, Clock.of(row.values.get(changed) for row in rows if isinstance(row, Record)))

    def left(self, row: Record, made: list[Event], events: dict[Event, None]) -> list[Event]:
        """The events of a row that count; what they take the place of goes out of `events`, or is `undone`."""
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
            if before in events:
                del events[before]
            else:
                self.undone.add(before)
            self._seen[key] = at, now
        elif now[1] != before[1] and now[3] == before[3] != RETURN:
            return []
        return made


def with_order(record: Record, order: str, first: Record | None, mapping: Mapping[str, str]) -> tuple[Record, Record]:
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
def came_back(said: str) -> bool:
    """Does it say that something came back ("refunded", "Order Refunded", "order_cancelled")? Not where it says that a
    part did, or that nothing did."""
    words = _words_of(said)
    if any(word in _DENIED or word in _ABOUT or word.startswith(_IN_PART) for word in words):
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


def is_negative(quantity: Any) -> bool:
    """By its sign, wherever systems put it: -1, −1, 1- (SAP), (1)."""
    number = number_of(quantity)
    return number < 0 if number is not None else bool(_NEGATIVE.fullmatch(str(quantity).strip()))


def number_of(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


@lru_cache(maxsize=1000)
def never_came_about(status: str) -> bool:
    """Does an order's status say that it failed, was declined, or is but a draft?"""
    words = _words_of(status)
    if words == ["no", "sale"]:
        return True
    return (bool(words) and words[-1] in _NEVER and not _refused(words)) or not _FAILED.isdisjoint(words)


def taken_back(values: Mapping[str, Any], mapping: Mapping[str, str]) -> bool:
    """Does a day, a flag or a number say that all of it came back?"""
    ordered = number_of(values.get(mapping.get("quantity", "")))
    taken = 0.0
    for name in ("cancelled", "returned"):
        value = values.get(mapping.get(name, ""))
        count = None if isinstance(value, bool) else number_of(value)
        if count is not None:
            taken += count
        elif not is_empty(value) and text_of(value).strip().casefold() not in _FALSE:
            return True
    left = number_of(values.get(mapping.get("left", "")))
    return left == 0 or (taken > 0 and taken >= (ordered if ordered and ordered > 0 else 1))
