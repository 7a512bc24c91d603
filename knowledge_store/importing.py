"""From a feed's records to Product rows: idempotent, streaming, nothing lost."""

import csv
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from reaseq.knowledge_store.export import defused
from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.records import BadRow, Feed, Record
from reaseq.knowledge_store.store import IMPORT, PRODUCT, Store
from reaseq.knowledge_store.tables import now
from reaseq.taxonomy.schema import starter_for

_BATCH = 500
_SHOWN = 5
_EMPTY = frozenset({"", "null", "none", "nan", "n/a"})
_COMPARED = ("title", "description", "brand", "price")
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
        value = values.get(mapping.get(name, ""))
        return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)

    title = text("title")
    if title.strip().casefold() in _EMPTY:
        return BadRow(record.line, "has no title", json.dumps(values, ensure_ascii=False, default=str))
    price, symbol = parse_price(text("price"))
    brand = text("brand")
    used = set(mapping.values())
    product: dict[str, Any] = {
        "category": category or category_name(text("category")),
        "title": title,
        "description": "" if text("description").strip().casefold() in _EMPTY else text("description"),
        "brand": None if brand.strip().casefold() in _EMPTY else brand,
        "price": price,
        "currency": text("currency").strip() or symbol,
        "attributes": {
            str(name): _plain(value)
            for name, value in values.items()
            if name not in used and value is not None and str(value).strip().casefold() not in _EMPTY
        },
    }
    canonical = json.dumps([product[name] for name in _CONTENT], sort_keys=True, ensure_ascii=False)
    product["fingerprint"] = hashlib.sha256(canonical.encode()).hexdigest()[:16]
    made = hashlib.sha256("\x00".join([title, brand, product["description"]]).encode()).hexdigest()[:16]
    product["id"] = text("id").strip() or made
    product["line"] = record.line
    return product


def category_name(text: str) -> str | None:
    """A category as the store names it: the starter schema's name where one matches, else the words joined."""
    if text.strip().casefold() in _EMPTY:
        return None
    starter = starter_for(text)
    return starter.category if starter else "_".join(re.findall(r"[^\W_]+", text.casefold())) or None


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
    used = set(mapping.values())
    report = ImportReport(import_id, dict(mapping), [column for column in feed.columns if column not in used])
    rejected = _Rejected(rejected_dir / f"{feed.path.name}-{import_id}.csv", report)
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
    store: Store, products: Sequence[dict[str, Any]], source: str, report: ImportReport, rejected: "_Rejected"
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
                    raw = json.dumps({"id": product_id, "title": product["title"]}, ensure_ascii=False)
                    reason = f"repeats the id {product_id!r} of line {first['line']} with another text or price"
                    rejected.add(BadRow(product["line"], reason, raw))
                continue
            seen[product_id] = product
            report.empty_descriptions += not product["description"].strip()
            report.unknown_prices += product["price"] is None
            written = product | {"source": source, "import_id": report.import_id, "updated_at": stamp}
            if product_id not in there:
                new.append(written | {"created_at": stamp})
            elif there[product_id]["fingerprint"] != product["fingerprint"]:
                updated.append(written | {"key": product_id})
            else:
                unchanged.append({"key": product_id, "import_id": report.import_id})
        if new:
            connection.execute(insert(PRODUCT), new)
        by_key = update(PRODUCT).where(PRODUCT.c.id == bindparam("key"))
        if updated:
            columns = (*_CONTENT, "fingerprint", "source", "line", "import_id", "updated_at")
            connection.execute(by_key.values({name: bindparam(name) for name in columns}), updated)
        if unchanged:
            # Only the mark that this import saw it, which is how a repeat further down is known.
            connection.execute(by_key.values(import_id=bindparam("import_id")), unchanged)
    report.new += len(new)
    report.updated += len(updated)
    report.unchanged += len(unchanged)


class _Rejected:
    """The file of rows set aside; made only if there is one."""

    def __init__(self, path: Path, report: ImportReport) -> None:
        self.path = path
        self.report = report
        self._file: Any = None

    def add(self, row: BadRow) -> None:
        self.report.set_aside += 1
        if len(self.report.first_rejected) < _SHOWN:
            self.report.first_rejected.append((row.line, row.reason))
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
            self.report.rejected_file = self.path
            csv.writer(self._file).writerow(["line", "reason", "row"])
        csv.writer(self._file).writerow([row.line, row.reason, defused(row.raw.replace("\x00", "\\0"))])

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


def _plain(value: Any) -> Any:
    """`value` as JSON holds it: dates and decimals of a Parquet file as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
