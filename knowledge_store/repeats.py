"""Events that a log reports twice: sent once more under the same id, or a line of an order that is listed again."""

import re
from collections.abc import Mapping, Sequence

from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import Record, Row, identifier, is_empty
from reaseq.knowledge_store.order_states import RETURN, Event

_MESSAGES = frozenset(
    ("event id", "eventid", "message id", "messageid", "insert id", "event uuid", "hit id", "event fingerprint")
)
_ORDERS = frozenset(
    (
        *("order id", "order number", "order no", "order name", "transaction id", "increment id", "invoice no"),
        *("bestellnummer", "bestellnr", "auftragsnummer", "bonnummer", "invoice number", "rechnungsnummer"),
    )
)
_NUMBERED = re.compile(r"#?[\w./-]*\d[\w./-]*")
_NEARLY_ALL, _MOST = 0.95, 0.5
_KEPT = 2_000_000
"""Ids that are remembered twice over: what is sent again stands soon behind."""


class Repeats:
    """messages: the column of an id that each event has. orders: that of orders, whose lines name one item each."""

    def __init__(self, messages: str, orders: str) -> None:
        self._messages, self._orders = messages, orders
        self._seen: set[int] = set()
        self._before: set[int] = set()
        self._at: dict[int, float] = {}
        self._at_before: dict[int, float] = {}

    @classmethod
    def of(
        cls, columns: Sequence[str], mapping: Mapping[str, str], rows: Sequence[Row], *, by_orders: bool
    ) -> "Repeats | None":
        """None where no column tells. rows: the first ones: an id of events that most of these share is one of their
        kind, and an order is one user's. by_orders: False where a status says what became of orders' lines."""
        records = [row.values for row in rows if isinstance(row, Record)]
        when, user = mapping.get("time", ""), mapping["user"]
        used = {column for field, column in mapping.items() if field != "invoice"}
        free = [column for column in columns if column not in used]

        def named(names: frozenset[str]) -> list[str]:
            return [one for one in free if {folded(one), folded(one.rpartition(".")[2])} & names]

        def is_of_events(column: str) -> bool:
            said = [values for values in records if not is_empty(values.get(column))]
            moments = {(str(values.get(user)), str(values.get(when))) for values in said}
            return len({str(values[column]) for values in said}) >= max(1, _MOST * len(moments))

        def is_of_orders(column: str) -> bool:
            users: dict[str, set[str]] = {}
            for values in records:
                if not is_empty(values.get(column)) and not is_empty(values.get(user)):
                    users.setdefault(str(values[column]), set()).add(str(values[user]))
            return sum(len(one) == 1 for one in users.values()) >= _NEARLY_ALL * len(users)

        messages = next(filter(is_of_events, named(_MESSAGES)), "")
        orders = next(filter(is_of_orders, named(_ORDERS)), "") if when and by_orders else ""
        return cls(messages, orders) if messages or orders else None

    def is_one(self, row: Record, event: Event) -> bool:
        """Has an earlier row reported this event?"""
        if self._messages and not is_empty(own := row.values.get(self._messages)):
            key = hash((str(own), event[0], event[2], event[3]))
            if key in self._seen or key in self._before:
                return True
            if len(self._seen) >= _KEPT:
                self._before, self._seen = self._seen, set()
            self._seen.add(key)
        said = identifier(row.values.get(self._orders)) if self._orders and event[3] != RETURN else ""
        if _NUMBERED.fullmatch(said):
            key = hash((said, event[0], event[2], event[3]))
            at = self._at.get(key, self._at_before.get(key))
            if at is not None:
                return at != event[1]  # two lines of one moment are told by their key
            if len(self._at) >= _KEPT:
                self._at_before, self._at = self._at, {}
            self._at[key] = event[1]
        return False
