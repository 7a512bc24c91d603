"""What the rows of a log say that became of orders: what came back, what never came about, what is true by now."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.times import Clock
from reaseq.knowledge_store.wordlists import words

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
_MONEY, _DIGITS = r"(?:[A-Z]{3}|[A-Z]{0,2}[$€£¥₹₽₺₩฿₫₴₪]|kr\.?)?\s*", r"\d+(?:[.,' \u00a0]\d{3})*(?:[.,]\d+)?"
_NEGATIVE = re.compile(
    rf"[-−–]\s*{_MONEY}{_DIGITS}(?:\s*\D*)?|{_MONEY}[-−–]\s*{_DIGITS}|{_DIGITS}\s*[-−]|\({_MONEY}{_DIGITS}\)"
)
_OF_NO_BLANKS = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Scripts whose words are not parted by blanks, or whose endings hang on (Korean)."""
_COUNTED = re.compile(r"(\d+(?:[.,]\d+)?)\s*\D*")
RETURNED = re.compile(r"C\d+")
TAKEN_BACK = ("cancelled", "returned", "left")
_NO_DAYS = ("0000-00-00 00:00:00", "0000-00-00")


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


@lru_cache
def _stems(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Beginnings of words, and what counts wherever it stands in a word."""
    of = words("order_states")[name]
    return tuple(one for one in of if not _OF_NO_BLANKS.search(one)), tuple(filter(_OF_NO_BLANKS.search, of))


def _says(word: str, name: str, *, whole: bool = False) -> bool:
    """Is it one of the words of this list? whole: not only by how it begins."""
    begins, within = _stems(name)
    return (word in begins if whole else word.startswith(begins)) or any(one in word for one in within)


@lru_cache(maxsize=1000)
def came_back(said: str) -> bool:
    """Does it say that something came back ("refunded", "Order Refunded", "order_cancelled")? Not where it says that a
    part did, or that nothing did."""
    said_of = _words_of(said)
    if any(_says(word, "part") for word in said_of) or _refused(said_of):
        return False
    if any(f" {several} " in f" {' '.join(said_of)} " for several in words("order_states")["pairs"]):
        return True
    if any(_says(word, name, whole=True) for word in said_of for name in ("denied", "about")):
        return False
    by = words("order_states")["by"]
    for at, word in enumerate(said_of):
        if _says(word, "people", whole=True) and not any(one in by or one.endswith("ed") for one in said_of[:at]):
            return False
    return any(map(_is_back, said_of))


def _is_back(word: str) -> bool:
    of = words("order_states")
    return _says(word, "back") or word in of["whole"] or word.endswith(of["ends"])


def _refused(said: Sequence[str]) -> bool:
    """Was it refused to take something back ("return rejected", "Rücksendung abgelehnt", 返品不可)?"""
    begins, within = _stems("refused")
    back = any(_is_back(word) and not word.startswith(begins) for word in said)
    return back and any(word.startswith(begins) or any(one in word for one in within) for word in said)


def _words_of(said: str) -> list[str]:
    """In lower case, which parts the dot from a Turkish capital I ("İade")."""
    parts = re.split(r"[\s_.:,;()/、。（）-]+", said.replace("i\u0307", "i"))
    return [word for word in parts if word]


def _named(column: str) -> list[str]:
    """The words of a column's name."""
    return _words_of(folded(column.replace("İ", "I")))


@lru_cache(maxsize=1000)
def is_a_state(said: str) -> bool:
    """Is it understood what it says of an order: that it came back or not, never came about, or stands?"""
    understood = any(_says(word, "stands") or _is_back(word) or _says(word, "part") for word in _words_of(said))
    return understood or came_back(said) or never_came_about(said)


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


def count_of(quantity: Any) -> float | None:
    """How many, by a number with or without what is counted: 2, 2,00, 0 pcs."""
    number = number_of(quantity)
    if number is None and (said := _COUNTED.fullmatch(text_of(quantity).strip())):
        number = float(said[1].replace(",", "."))
    return number


def truth(value: Any) -> bool | None:
    """What a flag says, by a number or in words; None where it says nothing, or something else."""
    number = None if isinstance(value, bool) else number_of(value)
    if number is not None or isinstance(value, bool):
        return bool(value) if number is None else number > 0
    said = text_of(value).strip().casefold()
    if said in words("order_states")["affirmed"]:
        return True
    return False if said in words("order_states")["negated"] else None


def says_of_returns(column: str) -> bool:
    """Does a column hold what is said of things that came back alone ("RMA", "Return reason", "Retourendatum")?"""
    said, of_logs = _named(column), words("log_columns")
    if " ".join(said) in of_logs["returns"]:
        return True
    beside = of_logs["of_returns"]
    if any(_is_back(word) for word in said):
        return all(_is_back(word) or word in beside for word in said) and (
            len(said) > 1 or any(said[0].endswith(one) and len(one) > 1 for one in beside)
        )
    return False


def counts_returns(column: str) -> bool:
    """Does a column say how many came back ("Menge retourniert", "Stornomenge", "返品数量", "davon
    retourniert")?"""
    counts, said = words("log_columns")["quantity"], _named(column)
    beside = words("log_columns")["of_counts"]
    back = [word for word in said if _is_back(word)]
    whole = f" {' '.join(said)} "
    part_of = (f" {one}" if _OF_NO_BLANKS.search(one) else f" {one} " for one in words("log_columns")["of_which"])
    of_which = next((one for one in part_of if one in whole), "")
    others = [word for word in said if word not in (*back, *beside, *of_which.split())]
    if not back or any(word not in (*counts, *words("log_columns")["quantity_alone"]) for word in others):
        return False
    return bool(others or of_which) or any(
        word.endswith((*counts, *words("log_columns")["quantity_ends"])) for word in back
    )


def flags_returns(column: str) -> bool:
    """May a column say yes where a thing came back, by its name ("Refund", "Is return", "Storno?")?"""
    said, beside = _named(column), words("log_columns")["of_flags"]
    return any(map(_is_back, said)) and all(_is_back(word) or word in beside for word in said)


@lru_cache(maxsize=1000)
def never_came_about(status: str) -> bool:
    """Does an order's status say that it failed, was declined, or is but a draft?"""
    said = _words_of(status)
    if said == ["no", "sale"]:
        return True
    last = bool(said) and _says(said[-1], "never", whole=True) and not _refused(said)
    return last or any(word in words("order_states")["failed"] for word in said)


def taken_back(values: Mapping[str, Any], mapping: Mapping[str, str]) -> bool:
    """Does a day, a flag or a number say that all of it came back?"""
    ordered = count_of(values.get(mapping.get("quantity") or mapping.get("bought", "")))
    taken = 0.0
    for name in ("cancelled", "returned"):
        value = values.get(mapping.get(name, ""))
        count = None if isinstance(value, bool) else count_of(value)
        if count is not None:
            taken += count
        elif not is_empty(value) and text_of(value).strip() not in _NO_DAYS and truth(value) is not False:
            return True
    left = count_of(values.get(mapping.get("left", "")))
    return left == 0 or (taken > 0 and taken >= (ordered if ordered and ordered > 0 else 1))
