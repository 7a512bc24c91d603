"""From a log's rows to events: row by row, or many at once by the column, as far as they are of the commonest sort."""

import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, cast

from reaseq.knowledge_store.event_columns import names_a_status
from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, identifier, is_empty, text_of
from reaseq.knowledge_store.names import ROUNDED, Names
from reaseq.knowledge_store.order_lines import ids_in
from reaseq.knowledge_store.order_states import (
    IMPRESSION,
    RETURN,
    RETURNED,
    TAKEN_BACK,
    Event,
    came_back,
    count_of,
    is_a_state,
    is_negative,
    never_came_about,
    number_of,
    says_of_returns,
    taken_back,
    truth,
)
from reaseq.knowledge_store.times import Clock, Order, zone_of
from reaseq.knowledge_store.wordlists import words

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
_SIGNS = f"{string.punctuation}–—−…"
"""Web servers write "-" for who is not known: no id is made of signs alone."""
USUAL = "purchase"
"""The kind of rows that name none."""
_SECONDS_POWER = 8
"""The least power of ten of Unix times in seconds that count."""
_MOST_KINDS = 1000
"""That are told apart in a report."""
_FLAGS = {"bought": "purchase", "carted": "cart", "label": "click"}
"""Fields that are flags, the strongest first, and what it is where they are set."""
_KINDS_OF_ITEMS = {"click": "clicks", "view": "views"}
"""Kinds of rows whose item's column says what was done, and how `words/` calls such columns."""
_OF_RETURNS = ("status", "quantity", "invoice")
"""Fields that say of some rows that a thing came back, beside `TAKEN_BACK`."""
_PEEKED_STATES = 1000
_REMEMBERED = 100_000
_SIMPLE = {str, int, float, type(None)}
"""Types of which equal values name the same (True, which equals 1, does not)."""


def is_nobody(user: str) -> bool:
    """0 is nobody where something else says who it was (WooCommerce's guests)."""
    return user in ("", "0") or user.casefold() in _NOBODY or not user.strip(_SIGNS)


def tells_of_returns(columns: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """The columns that may say of a row that a thing came back."""
    named = [mapping[field] for field in (*_OF_RETURNS, *TAKEN_BACK) if field in mapping]
    return [*named, *(one for one in columns if says_of_returns(one) and one not in named)]


class _Remembered(dict[Any, Any]):
    """What `find` says of values, of many all of which are forgotten again: memory does not grow with the log."""

    def __init__(self, find: Callable[[Any], Any]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, value: Any) -> Any:
        found = self[value] = self._find(value)
        return found

    def each(self, values: Iterable[Any]) -> list[Any]:
        if len(self) > _REMEMBERED:
            self.clear()
        return list(map(self.__getitem__, values))


@dataclass(frozen=True)
class EventReader:
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
    exact: bool
    """Are times that are written by their power of ten not rounded? A number as a program writes it ends where its
    zeros begin, which few do early; a spreadsheet cuts all of a column."""
    rounded: Counter[str] = field(default_factory=Counter)
    """How many times are, by the first of them."""
    unknown_shown: Counter[str] = field(default_factory=Counter)
    """How many items that were shown the catalogue does not hold, by the first of them."""
    outdated: set[Event] = field(default_factory=set)
    """What an earlier file may have said of the rows whose status is told."""

    @classmethod
    def of(
        cls,
        rows: Sequence[Row],
        mapping: Mapping[str, str],
        kind: str,
        names: Names,
        kinds: Counter[tuple[str, str]],
        unknown_states: Counter[tuple[str, str]],
        dates: Order = "",
    ) -> "EventReader":
        """rows: the first ones, which tell how times are written. kinds: counts what rows were taken for;
        unknown_states: what statuses say that nobody understands."""
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
        kind = kind_of(mapping, kind)
        powers = [values[time] for values in records if _in_powers(values.get(time))]
        whole = [one for one in powers if not _is_rounded(one) and one.strip().upper().partition("E")[0][-1] != "0"]
        exact = 2 * len(whole) > len(powers)
        statuses = [own, *more] if own else []
        return cls(
            *(mapping, kind, names, clock, kinds, unknown_states),
            *(statuses, understood, back, of_orders, of_returns, plain),
            exact=exact,
        )

    def events_of(self, record: Record, number: int) -> list[Event] | BadRow:
        """number: the row's, from 1: its time where the log has none."""
        made = self._made_of(record, number)
        if self.clock is not None and isinstance(made, list):
            written = record.values.get(self.mapping["time"])
            if not self.exact and _is_rounded(written):
                self.rounded[next(iter(self.rounded), str(written).strip())] += 1
        return made

    def _made_of(self, record: Record, number: int) -> list[Event] | BadRow:
        column, values = self.mapping, record.values
        user = _user_of(values.get(column["user"]))
        if user is None:
            called = identifier(values.get(column["user"]))
            return record.set_aside(f"its user is unknown: {called}" if called else "has no user")
        said = values.get(column.get("item", ""))
        item = self._item_of(said)
        shown = self._shown(values) if "impressions" in column else []
        if item is None and (not shown or identifier(said)):
            called = identifier(said) or next(iter(ids_in(values.get(column.get("impressions", "")))), "")
            return record.set_aside(self.names.why_not(called) if called else "has no item")
        if self.clock is not None:
            clock = self.clock
            if "zone" in column and not is_empty(said := values.get(column["zone"])):
                zone = zone_of(text_of(said))
                if zone is None:
                    return record.set_aside(
                        f"its time zone cannot be read: {said} (a place says which: America/New_York; or a distance "
                        "from UTC: -05:00)"
                    )
                clock = clock._replace(zone=zone)
            time = clock.read(values.get(column["time"]))
            if isinstance(time, str):
                return record.set_aside(time)
            at: float | None = time
        else:
            at = number_of(values.get(column["position"])) if "position" in column else float(number)
        if at is None:
            return record.set_aside("its position is no number")
        if item is None:  # nothing of what was shown was acted on
            self._count("", IMPRESSION)
            return [(user, at, other, IMPRESSION) for other in shown]
        named, what = self._kind_of(values.get(column["kind"]) if "kind" in column else None)
        if what is None:
            return record.set_aside(f"it never came about: {named}")
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
                return record.set_aside(f"its order never came about: {status}")
            if any(map(came_back, told)) or taken_back(values, self.mapping) or self._came_back(values):
                what = RETURN
        if "quantity" in column:
            quantity = values.get(column["quantity"])
            if not named and count_of(quantity) == 0:
                return record.set_aside("its quantity is 0")
            if is_negative(quantity):
                what = RETURN
        if "invoice" in column and RETURNED.fullmatch(identifier(values.get(column["invoice"]))):
            what = RETURN
        if any(flag in column for flag in _FLAGS):
            set_flags = {flag: truth(values.get(column[flag])) for flag in _FLAGS if flag in column}
            if set_flags.keys() == {"label"} and set_flags["label"] is None:
                return record.set_aside("its label is neither 0 nor 1")
            happened = next((kind for flag, kind in _FLAGS.items() if set_flags.get(flag)), "")
            if not happened:
                what = named if named and what != IMPRESSION and "label" not in column else IMPRESSION
            elif what != RETURN:
                what = named if named and what != IMPRESSION and happened == _FLAGS["label"] else happened
        self._count(f"{named} {status}".strip() if status else named, what)
        return [(user, at, item, what), *((user, at, other, IMPRESSION) for other in shown if other != item)]

    def _shown(self, values: Mapping[str, Any]) -> list[str]:
        """Known items that a row says were shown."""
        listed = ids_in(values.get(self.mapping["impressions"]))
        found = [one for name in listed if (one := self.names.find(name)) is not None]
        if len(found) < len(listed):
            first = next(name for name in listed if self.names.find(name) is None)
            self.unknown_shown[next(iter(self.unknown_shown), first)] += len(listed) - len(found)
        return found

    def _came_back(self, values: Mapping[str, Any]) -> bool:
        return any(not is_empty(values.get(name)) and truth(values.get(name)) is not False for name in self.back)

    def at_once(self, rows: Sequence[Row], first: int) -> tuple[list[Event], Sequence[int]]:
        """The events of those rows to which there is nothing out of the ordinary, and the places of the others, which
        `events_of` is to be asked about. first: the number of the first row."""
        everywhere = range(len(rows))
        if not self.plain:
            return [], everywhere
        values = [row.values if isinstance(row, Record) else {} for row in rows]
        said = {name: _cells(column, values) for name, column in self.mapping.items()}
        if any(not set(map(type, said[name])) <= _SIMPLE for name in ("user", "item", "kind") if name in said):
            return [], everywhere
        users, items = self._users.each(said["user"]), self._items.each(said["item"])
        kinds = self._kinds.each(said["kind"]) if "kind" in said else [self._kind_of(None)] * len(rows)
        times: Iterable[Any]
        if self.clock is not None and (plain := self.clock.all_seconds(said["time"])) is not None:
            if None not in users and None not in items and all(what is not None for _, what in set(kinds)):
                for (named, what), count in Counter(kinds).items():
                    self._count(named, cast(str, what), count)
                return list(zip(users, plain, items, cast(list[str], [what for _, what in kinds]), strict=True)), []
            times = plain
        elif self.clock is not None:
            read = self.clock.read
            times = (None if not self.exact and _is_rounded(one) else read(one) for one in said["time"])
        else:
            times = map(number_of, said["position"] if "position" in said else range(first, first + len(rows)))
        made: list[Event] = []
        others = []
        counted = []
        for place, user, at, item, kind in zip(everywhere, users, times, items, kinds, strict=True):
            if user is None or item is None or kind[1] is None or at is None or isinstance(at, str):
                others.append(place)
            else:
                made.append((user, at, item, kind[1]))
                counted.append(kind)
        for (named, what), count in Counter(counted).items():
            self._count(named, what, count)
        return made, others

    @cached_property
    def _users(self) -> _Remembered:
        return _Remembered(_user_of)

    @cached_property
    def _items(self) -> _Remembered:
        return _Remembered(self._item_of)

    @cached_property
    def _kinds(self) -> _Remembered:
        return _Remembered(self._kind_of)

    def _item_of(self, said: Any) -> str | None:
        """The product's id; None where the catalogue knows none."""
        found = self.names.of.get(said) if isinstance(said, str) else None
        if found is None and (called := identifier(said)):
            found = self.names.find(called)
        return found

    def _kind_of(self, said: Any) -> tuple[str, str | None]:
        """What a kind is called, "" if it is not, and what it is; None where it never came about."""
        named = _called_kind(said) if isinstance(said, str) else identifier(said).casefold()
        if named and never_came_about(named):
            return named, None
        if _is_shown(named):
            return named, IMPRESSION
        return named, RETURN if self.of_returns or (named and came_back(named)) else named or self.kind

    def _count(self, said: str, what: str, times: int = 1) -> None:
        key = said, what
        if key in self.kinds or len(self.kinds) < _MOST_KINDS:
            self.kinds[key] += times


def _cells(column: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    try:
        return list(map(itemgetter(column), rows))
    except KeyError:
        return [row.get(column) for row in rows]


def _user_of(said: Any) -> str | None:
    """None where nobody is known."""
    user = identifier(said)
    lowered = user.casefold()
    if not user.strip(_SIGNS) or lowered in _NOBODY:
        return None
    return lowered if "@" in user else user


def kind_of(mapping: Mapping[str, str], kind: str) -> str:
    """The kind of rows that name none: what their item's column says that was done to it (`clicked`), unless another
    than the usual `kind` is told."""
    called = folded(mapping.get("item", "").rpartition(".")[2])
    if kind != USUAL or "kind" in mapping:
        return kind
    return next((one for one, names in _KINDS_OF_ITEMS.items() if called in words("log_columns")[names]), kind)


def _in_powers(time: Any) -> bool:
    return type(time) is str and ("E" in time or "e" in time) and ROUNDED.fullmatch(time.strip()) is not None


def _is_rounded(time: Any) -> bool:
    """Is it written by its power of ten, with fewer digits than a second needs, whatever parts of one it counts
    ("1.77262E+12")?"""
    if not _in_powers(time):
        return False
    digits, _, power = time.strip().upper().partition("E")
    return len(digits) - 2 < int(power) - 3 * max(0, (int(power) - _SECONDS_POWER) // 3)


@lru_cache(maxsize=1000)
def _is_shown(named: str) -> bool:
    """Is it the kind of what was but shown in a list ("view_item_list", "Product List Viewed")?"""
    return "".join(filter(str.isalnum, named)) in words("log_columns")["shown"]


@lru_cache(maxsize=1000)
def _called_kind(given: str) -> str:
    return identifier(given).casefold()
