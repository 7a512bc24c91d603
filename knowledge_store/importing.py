"""From a feed's records to Product rows: idempotent, streaming, nothing lost."""

import csv
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import bindparam, insert, select, update

from reaseq import ReaseqError
from reaseq.knowledge_store.export import defused
from reaseq.knowledge_store.feeds.prices import currency_in, parse_price
from reaseq.knowledge_store.feeds.records import BadRow, Feed, Record
from reaseq.knowledge_store.store import IMPORT, PRODUCT, Store
from reaseq.knowledge_store.tables import now
from reaseq.taxonomy.schema import starter_for

_BATCH = 500
_SHOWN = 5
_EMPTY = frozenset({"", "null", "none", "nan", "n/a"})
_COMPARED = ("title", "description", "brand", "price")
_SEEN = ("import_id", "source", "line")
_CONTENT = ("category", "title", "description", "brand", "price", "currency", "attributes")


@dataclass
class ImportReport:
    """What became of every row: `rows` is the sum of new, updated, unchanged, repeated and set aside."""

    import_id: int
    mapping: dict[str, str]
    kept_as_attributes: list[str]
    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    set_aside: int = 0
    empty_descriptions: int = 0
    unknown_prices: int = 0
    made_ids: int = 0
    rejected_file: Path | None = None
    first_rejected: list[tuple[int, str]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}


def product_from(record: Record, mapping: Mapping[str, str], category: str | None) -> dict[str, Any] | BadRow:
    """The product columns of a record; its other columns go to `attributes`, raw, but for empty ones."""
    values = record.values

    def text(name: str) -> str:
        """As received, or "" for nothing and for the words that stand for it."""
        value = values.get(mapping.get(name, ""))
        return "" if _empty(value) else _text(value)

    title = text("title")
    if not title:
        return BadRow(record.line, "has no title", json.dumps(values, ensure_ascii=False, default=str))
    price, currency = None, None
    for name in ("price", "list_price"):
        if price is None and not _empty(value := values.get(mapping.get(name, ""))):
            price, named = parse_price(value)
            currency = named or currency_in(mapping[name])
    used = _used(mapping)
    product: dict[str, Any] = {
        "category": category or category_name(text("category")),
        "title": title,
        "description": text("description"),
        "brand": text("brand") or None,
        "price": price,
        "currency": text("currency").strip() or currency,
        "attributes": {
            str(name): _plain(value) for name, value in values.items() if name not in used and not _empty(value)
        },
    }
    canonical = json.dumps([product[name] for name in _CONTENT], sort_keys=True, ensure_ascii=False)
    product["fingerprint"] = hashlib.sha256(canonical.encode()).hexdigest()[:16]
    product["id"] = text("id").strip() or _made_id(product)
    product["line"] = record.line
    return product


def _made_id(product: Mapping[str, Any]) -> str:
    """The id of a product whose feed gives none: the same text has the same id in every import."""
    text = "\x00".join([product["title"], product["brand"] or "", product["description"]])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _used(mapping: Mapping[str, str]) -> set[str]:
    """The columns that do not also go to `attributes`: a list price says what the price does not."""
    return {column for field, column in mapping.items() if field != "list_price"}


@lru_cache(maxsize=1024)
def category_name(text: str) -> str | None:
    """A category as the store names it: the starter schema's name where one matches, else the words joined."""
    if text.strip().casefold() in _EMPTY:
        return None
    starter = starter_for(text)
    return starter.category if starter else "_".join(re.findall(r"[^\W_]+", text.casefold()))[:200] or None


def import_feed(
    store: Store,
    feed: Feed,
    mapping: Mapping[str, str],
    *,
    category: str | None = None,
    rejected_dir: Path,
    on_progress: Callable[[ImportReport], None] = lambda report: None,
) -> ImportReport:
    """Read `feed` into the store, a transaction a batch; stop it any time and run it again.

    A product whose content changed is updated, an unchanged one left alone. Of rows that repeat an id
    within the feed the first counts: a repeat with the same text and price is counted (other columns
    may differ, a time of crawling for instance), any other set aside. Rows set aside go to a CSV file
    in `rejected_dir` with line number and reason.
    """
    with store.writing() as connection:
        result = connection.execute(insert(IMPORT), {"source": str(feed.path), "counts": {}, "started_at": now()})
        import_id = int(result.inserted_primary_key[0])  # type: ignore[index]
    used = _used(mapping)
    report = ImportReport(import_id, dict(mapping), [column for column in feed.columns if column not in used])
    rejected = RejectedRows(rejected_dir / f"{feed.path.name}-{import_id}.csv", report)
    name = category_name(category) if category else None
    rows = iter(feed.rows)
    try:
        while batch := list(islice(rows, _BATCH)):
            report.rows += len(batch)
            products = []
            for row in batch:
                made = product_from(row, mapping, name) if isinstance(row, Record) else row
                if isinstance(made, BadRow):
                    rejected.add(made)
                else:
                    products.append(made)
            _write(store, products, feed.path.name, report, rejected)
            on_progress(report)
    finally:
        rejected.close()
        with store.writing() as connection:
            connection.execute(update(IMPORT).where(IMPORT.c.id == import_id).values(counts=report.counts()))
    return report


def _write(
    store: Store, products: Sequence[dict[str, Any]], source: str, report: ImportReport, rejected: "RejectedRows"
) -> None:
    stamp = now()
    with store.writing() as connection:
        ids = {product["id"] for product in products}
        compared = [PRODUCT.c[name] for name in _COMPARED]
        query = select(PRODUCT.c.id, PRODUCT.c.line, PRODUCT.c.fingerprint, PRODUCT.c.import_id, *compared)
        there = {row.id: row._mapping for row in connection.execute(query.where(PRODUCT.c.id.in_(ids)))}
        seen: dict[str, Mapping[Any, Any]] = {
            key: row for key, row in there.items() if row["import_id"] == report.import_id
        }
        new, updated, unchanged = [], [], []
        for product in products:
            product_id = product["id"]
            first = seen.get(product_id)
            if first is not None:
                if all(first[name] == product[name] for name in _COMPARED):
                    report.repeated += 1
                else:
                    raw = json.dumps({name: product[name] for name in ("id", *_CONTENT)}, ensure_ascii=False)
                    reason = f"repeats the id {product_id!r} of line {first['line']} with another text or price"
                    rejected.add(BadRow(product["line"], reason, raw))
                continue
            seen[product_id] = product
            report.empty_descriptions += not product["description"].strip()
            report.unknown_prices += product["price"] is None
            report.made_ids += product_id == _made_id(product)
            written = product | {"source": source, "import_id": report.import_id, "updated_at": stamp}
            if product_id not in there:
                new.append(written | {"created_at": stamp})
            elif there[product_id]["fingerprint"] != product["fingerprint"]:
                updated.append(written | {"key": product_id})
            else:
                unchanged.append({"key": product_id, **{name: written[name] for name in _SEEN}})
        if new:
            connection.execute(insert(PRODUCT), new)
        by_key = update(PRODUCT).where(PRODUCT.c.id == bindparam("key"))
        if updated:
            columns = (*_CONTENT, "fingerprint", "source", "line", "import_id", "updated_at")
            connection.execute(by_key.values({name: bindparam(name) for name in columns}), updated)
        if unchanged:
            # Only the mark that this import saw it, which is how a repeat further down is known.
            connection.execute(by_key.values({name: bindparam(name) for name in _SEEN}), unchanged)
    report.new += len(new)
    report.updated += len(updated)
    report.unchanged += len(unchanged)


class _Counts(Protocol):
    set_aside: int
    rejected_file: Path | None
    first_rejected: list[tuple[int, str]]


class RejectedRows:
    """The file of rows set aside; made only if there is one. Counts them in a report."""

    def __init__(self, path: Path, report: _Counts) -> None:
        self.path = path
        self.report = report
        self._file: Any = None

    def add(self, row: BadRow) -> None:
        self.report.set_aside += 1
        if len(self.report.first_rejected) < _SHOWN:
            self.report.first_rejected.append((row.line, row.reason))
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
                self.report.rejected_file = self.path
                csv.writer(self._file).writerow(["line", "reason", "row"])
            csv.writer(self._file).writerow([row.line, row.reason, defused(row.raw.replace("\x00", "\\0"))])
        except OSError as error:
            raise ReaseqError(
                f"{self.path}: cannot set line {row.line} aside: {error.strerror or error}",
                hint="make room or give write access there, and run the same command: it goes on",
            ) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def preview(rows: Iterable[Any], mapping: Mapping[str, str], category: str | None) -> Iterator[dict[str, Any]]:
    """The products the first rows would become; bad rows are passed over."""
    for row in rows:
        made = (
            product_from(row, mapping, category_name(category) if category else None)
            if isinstance(row, Record)
            else row
        )
        if not isinstance(made, BadRow):
            yield made


def _empty(value: Any) -> bool:
    return value is None or value in ([], {}) or str(value).strip().casefold() in _EMPTY


def _text(value: Any) -> str:
    """A cell as text: the strings of a list stand on lines of their own, other JSON stays JSON."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(_plain(value), ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _plain(value: Any) -> Any:
    """`value` as JSON holds it: dates and decimals of a Parquet file as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
