"""Decisions without a terminal: claims as a sheet that people fill in, and the filled-in sheet back into the store."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from reaseq import ReaseqError
from reaseq.knowledge_store.decisions import BECOMES, Action, attribute_of, decide
from reaseq.knowledge_store.evidence import still_stands
from reaseq.knowledge_store.export import defused, undefused, whole
from reaseq.knowledge_store.feeds.columns import guess
from reaseq.knowledge_store.feeds.rows import BadRow, Feed, FeedError, Record, identifier, is_empty, text_of
from reaseq.knowledge_store.importing import RejectedRows
from reaseq.knowledge_store.names import Names, read_names
from reaseq.knowledge_store.store import CLAIM, Store
from reaseq.knowledge_store.tables import LOCKED
from reaseq.taxonomy.schema import Attribute, attribute_name
from reaseq.taxonomy.units import canonical, is_in

COLUMNS = (
    *("product_id", "title", "category", "attribute", "value", "decision", "new_value"),
    *("status", "confidence", "quote", "verdict", "reason"),
)
"""Of a sheet; `decision` and `new_value` are for people to fill in."""
_NAMES: dict[str, tuple[str, ...]] = {
    "product": (
        *("product id", "product", "id", "sku", "item", "article number", "artikelnummer", "handle", "barcode", "ean"),
        *("gtin", "variant sku", "asin", "item number"),
    ),
    "attribute": ("attribute",),
    "value": ("value",),
    "decision": ("decision", "action", "decide"),
    "new value": ("new value", "decided", "corrected", "correction"),
    "title": ("title",),
}
_WORDS = {
    **dict.fromkeys(
        ("a", "approve", "approved", "yes", "y", "ok", "true", "ja", "richtig", "oui", "sí", "si"), Action.APPROVE
    ),
    **dict.fromkeys(("r", "reject", "rejected", "no", "n", "false", "nein", "falsch", "non"), Action.REJECT),
    **dict.fromkeys(("e", "edit", "edited"), Action.EDIT),
}
Evidence = Callable[[Mapping[str, Any], str], Mapping[str, Any] | None]
"""What a value rests on in a product's text: see `reaseq.agents.grounder.evidence_of`."""


@dataclass
class SheetReport:
    """What became of every row: `rows` is the sum of approved, edited, rejected, `there` (decided so already), `open`
    (nothing was filled in) and set aside."""

    rows: int = 0
    approved: int = 0
    edited: int = 0
    rejected: int = 0
    there: int = 0
    open: int = 0
    set_aside: int = 0
    rejected_file: Path | None = None
    first_rejected: list[tuple[int, str]] = field(default_factory=list)

    @property
    def decided(self) -> int:
        return self.approved + self.edited + self.rejected


def write_sheet(store: Store, path: Path, claims: Sequence[Mapping[str, Any]]) -> int:
    """Write claims as a sheet, CSV or JSON lines by its ending; returns their number. In CSV a quote mark stands before
    what a spreadsheet would run as a formula.

    Raises:
        ReaseqError: the ending names another format, or the file cannot be written.
    """

    def rows() -> Iterable[dict[str, Any]]:
        for claim in claims:
            product = store.product(claim["product_id"]) or {}
            known = {**claim, "title": product.get("title", ""), "category": product.get("category") or ""}
            yield {name: "" if known.get(name) is None else known[name] for name in COLUMNS}

    def as_csv(target: Path) -> int:
        with target.open("w", encoding="utf-8-sig", newline="") as file:  # the mark tells Excel that it is UTF-8
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows([defused(str(row[name])) for name in COLUMNS] for row in rows())
        return len(claims)

    def as_lines(target: Path) -> int:
        with target.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows())
        return len(claims)

    writers = {".csv": as_csv, ".jsonl": as_lines}
    if (writer := writers.get(path.suffix.casefold())) is None:
        raise ReaseqError(
            f"{path}: a sheet is written as {' or '.join(writers)}",
            hint=f"reaseq review export {path.with_suffix('.csv')}",
        )
    return whole(path, writer)


def sheet_columns(columns: Sequence[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a sheet's columns are; the new value's may be missing.

    Raises:
        FeedError: an override names no field or column, or a column is missing.
    """
    mapping = guess(columns, _NAMES, overrides or {})
    for name, column in mapping.items():
        if name not in (overrides or {}) and (twice := [one for one in columns if _same(one, column)])[1:]:
            raise FeedError(
                f"several columns may be the {name}: {', '.join(twice)}",
                hint=f'reaseq review apply FILE --map {name.replace(" ", "_")}="{twice[0]}"',
            )
    if missing := [name for name in ("product", "attribute", "value", "decision") if name not in mapping]:
        raise FeedError(
            f"no column looks like the {missing[0]}; columns are: {', '.join(columns)}",
            hint=f'reaseq review apply FILE --map {missing[0].replace(" ", "_")}="COLUMN"',
        )
    return mapping


def _same(one: str, other: str) -> bool:
    """Are two columns called the same, but for the number that parts them?"""
    first, second = (re.sub(r"[ _.]\(?\d+\)?$", "", name).casefold() for name in (one, other))
    return first == second


def as_value(attribute: Attribute, said: str) -> str | None:
    """What somebody says as a value of the attribute: of a closed one as it is called, of a measure in its unit; None
    if it is none."""
    if attribute.values:
        return attribute.value_of(said)
    if attribute.kind != "measure":
        return said
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(\D.*?)\s*", said)
    if found is None:
        return None
    made = canonical(f"{found[1].replace(',', '.')} {found[2]}", attribute.units)
    return made if is_in(made, attribute.units) else None


def takes(attribute: Attribute) -> str:
    """What an attribute takes, in words."""
    return ", ".join(attribute.values) or f"a number and a unit ({', '.join(attribute.units)})"


def names_a_decision(columns: Sequence[str]) -> bool:
    return bool(guess(columns, {"decision": _NAMES["decision"]}, {}))


def apply_sheet(
    store: Store,
    feed: Feed,
    mapping: Mapping[str, str],
    *,
    by: str,
    evidence_of: Evidence,
    any_value: bool = False,
    rejected_dir: Path,
    on_progress: Callable[[SheetReport], None] = lambda report: None,
) -> SheetReport:
    """Decide as a sheet says, each decision kept as soon as it is taken: stop it any time and apply it again. A product
    may be called by anything that it goes by. Of an edit, another word for a closed value becomes that value; one that
    the attribute does not know is set aside, unless `any_value`.

    Rows that cannot be followed go to a CSV file in `rejected_dir` with line number and reason.
    """
    report = SheetReport()
    rejected = RejectedRows(rejected_dir / f"{feed.path.name}-decisions.csv", report)
    sitting = _Sitting(store, read_names(store), mapping, by, feed.path.name, evidence_of, any_value)
    try:
        for row in feed.rows:
            report.rows += 1
            problem = row.reason if isinstance(row, BadRow) else sitting.follow(row, report)
            if problem:
                raw = row.raw if isinstance(row, BadRow) else json.dumps(row.values, ensure_ascii=False, default=str)
                rejected.add(BadRow(row.line, problem, raw))
            on_progress(report)
    finally:
        rejected.close()
    return report


@dataclass(frozen=True)
class _Sitting:
    store: Store
    names: Names
    mapping: Mapping[str, str]
    by: str
    source: str
    evidence_of: Evidence
    any_value: bool

    def follow(self, row: Record, report: SheetReport) -> str | None:
        """Decide as the row says, and count it; or why that cannot be done."""

        def cell(name: str) -> str:
            value = row.values.get(self.mapping.get(name, ""))
            return "" if is_empty(value) else undefused(text_of(value).strip())

        said, new = cell("decision").casefold(), cell("new value")
        if said in ("", "skip", "open") and not new:
            report.open += 1
            return None
        action = _WORDS.get(said)
        if action is None:
            return (
                f"its decision is neither approve nor edit nor reject: {said!r}" if said else "a new value, no decision"
            )
        if (action is Action.EDIT) != bool(new):
            return "an edit without a new value" if action is Action.EDIT else f"a new value, and the decision {said!r}"
        called = identifier(undefused(text_of(row.values.get(self.mapping["product"]))))
        product_id = self.names.find(called)
        if product_id is None:
            return self.names.why_not(called)
        product = self.store.product(product_id) or {}
        title = cell("title")
        if title and title.split() != str(product.get("title", "")).split():
            return f"{product_id} is called {product.get('title')!r}, not {title!r}: is the id right?"
        named = attribute_name(cell("attribute"))
        claims = self._claims(product_id, named, cell("value"))
        if not claims:
            return f"{product_id} has no claim {named}: {cell('value')} (was it replaced by a run?)"
        if not all(claim["decided_by"] or still_stands(claim, product) for claim in claims):
            return f"{product_id}: the words that {named}: {cell('value')} rests on are gone; reaseq distill first"
        attribute = attribute_of(self.store, product_id, named)
        if action is Action.EDIT and attribute is not None and not self.any_value:
            known = as_value(attribute, new)
            if known is None:
                return f"{new!r} is none of the values of {attribute.name}: {takes(attribute)}"
            if known.casefold() == cell("value").casefold() and known.casefold() != new.casefold():
                return (
                    f"{new!r} is another word for {known!r}, so that nothing would change: approve it, "
                    f"or take {new!r} for a value of its own: --any-value"
                )
            new = known
        if action is Action.EDIT and new == claims[0]["value"]:
            return f"an edit to the value that is there, {new!r}, so that nothing would change: approve it"
        return self._decide(claims, action, new, attribute, report)

    def _decide(
        self, claims: list[dict[str, Any]], action: Action, new: str, attribute: Attribute | None, report: SheetReport
    ) -> str | None:
        open_ones = [claim for claim in claims if claim["decided_by"] is None]
        if not open_ones:
            decided = claims[0]
            same = decided["status"] == BECOMES[action]
            others = self._claims(decided["product_id"], decided["attribute"], new) if new else []
            if same and (not new or any(claim["status"] in LOCKED for claim in others)):
                report.there += 1
                return None
            who, status = decided["decided_by"], decided["status"]
            return f"{who} has decided otherwise ({status}): reaseq review undo takes it back"
        for claim in open_ones:
            product = self.store.product(claim["product_id"]) or {}
            decide(
                self.store,
                claim["id"],
                action,
                by=self.by,
                value=new or None,
                evidence=self.evidence_of(product, new) if new else None,
                one_valued=attribute is not None and not attribute.multiple,
                source=self.source,
            )
        report.approved += action is Action.APPROVE
        report.edited += action is Action.EDIT
        report.rejected += action is Action.REJECT
        return None

    def _claims(self, product_id: str, attribute: str, value: str) -> list[dict[str, Any]]:
        query = select(CLAIM).where(CLAIM.c.product_id == product_id, CLAIM.c.attribute == attribute)
        with self.store.reading() as connection:
            found = connection.execute(query.order_by(CLAIM.c.id)).all()
        return [dict(claim._mapping) for claim in found if claim.value.casefold() == value.casefold()]
