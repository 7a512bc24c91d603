"""Export of claims and summaries to CSV, JSONL and Parquet."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from reaseq import ReaseqError
from reaseq.knowledge_store.decisions import decided_products
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.summaries import composed
from reaseq.knowledge_store.tables import LOCKED
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.variants import variant_values

COLUMNS = (
    "product_id",
    "variant_id",
    "title",
    "category",
    "attribute",
    "value",
    "facet",
    "claim_type",
    "status",
    "verdict",
    "confidence",
    "field",
    "start",
    "end",
    "quote",
    "reason",
    "found_by",
    "read_by",
    "decided_by",
    "model",
    "prompt_fingerprint",
    "schema_version",
    "run_id",
    "created_at",
)
_BATCH = 5000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_claims(store: Store, path: Path, *, category: str | None = None, defuse: bool = False) -> int:
    """Write every claim to `path`, a row each, in the format its ending names; returns the number of rows.

    The summary of a product stands in rows of its own, under the attribute `summary`, what a model wrote about it under
    `prose`; what its variants differ by has a variant's id. The file appears whole or not at all. `defuse` puts a quote
    mark before CSV cells that a spreadsheet would run as a formula
    (https://owasp.org/www-community/attacks/CSV_Injection).

    Raises:
        ReaseqError: the ending names no known format, nothing is known, or the file cannot be written.
    """
    writers: dict[str, Callable[[Path, Iterable[dict[str, Any]]], int]] = {
        ".csv": lambda target, rows: _csv(target, rows, defuse=defuse),
        ".jsonl": _jsonl,
        ".parquet": _parquet,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ReaseqError(
            f"{path}: unknown format {path.suffix or '(no ending)'!r}; known: {', '.join(writers)}",
            hint=f"reaseq knowledge export {path.with_suffix('.csv')}",
        )

    def written(partial: Path) -> int:
        if count := writer(partial, _rows(store, category)):
            return count
        of = f" in category {category!r}" if category else ""
        raise ReaseqError(
            f"nothing has been distilled yet{of}", hint=f"reaseq distill --category {category or 'CATEGORY'}"
        )

    return whole(path, written)


def export_replies(store: Store, path: Path) -> int:
    """Write every reusable reply as a line of a recording that the replay engine serves; returns their number.

    Raises:
        ReaseqError: the file cannot be written.
    """

    def lines() -> Iterator[dict[str, Any]]:
        for reply in store.replies():
            # Endpoints that compile grammars are asked differently, so the recording says which it was.
            reply["grammar"] = reply.pop("engine") != "openai"
            yield reply

    return whole(path, lambda partial: _jsonl(partial, lines()))


def export_gold(store: Store, path: Path, *, category: str | None = None) -> int:
    """Write the products on which somebody decided, each with the values that hold, as a gold file; returns their
    number. An attribute of which every value was rejected has none. All that prompts show of a product is in it: what
    is asked about a row is what a run asks about the product.

    Raises:
        ReaseqError: the file cannot be written.
    """

    def rows() -> Iterator[dict[str, Any]]:
        for product, decided in decided_products(store, category=category):
            values: dict[str, list[str]] = {}
            for claim in decided:
                held = values.setdefault(claim["attribute"], [])
                if claim["status"] in LOCKED and claim["value"] not in held:
                    held.append(claim["value"])
            text = {name: product[name] for name in ("id", "title", "description")}
            more = {name: product[name] for name in ("brand", "attributes", "locale") if product[name]}
            if variants := store.variants([product["id"]]).get(product["id"]):
                more["variants"] = [{name: one[name] for name in ("id", "options", "attributes")} for one in variants]
            gold = {name: held or "n/a" for name, held in values.items()}
            yield {"category": product["category"] or "general", **text, **more, "gold": gold}

    return whole(path, lambda partial: _jsonl(partial, rows()))


def whole(path: Path, write: Callable[[Path], int]) -> int:
    """Write a file that appears whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    try:
        count = write(partial)
        os.replace(partial, path)
    except OSError as error:
        raise ReaseqError(f"{path}: {error.strerror or error}", hint="name a file that can be written") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def check_writable(path: Path) -> None:
    """Try whether a file can be written or appended to, before anything is paid for that is to stand in it.

    Raises:
        ReaseqError: it cannot.
    """
    there, hint = path.exists(), "name a file that can be written"
    if path.is_dir():
        raise ReaseqError(f"{path}: a folder", hint=hint)
    if not path.absolute().parent.is_dir():
        raise ReaseqError(f"{path}: its folder is not there", hint=hint)
    try:
        path.open("ab").close()
    except OSError as error:
        raise ReaseqError(f"{path}: {error.strerror or error}", hint=hint) from error
    if not there:
        path.unlink()


def defused(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def undefused(cell: str) -> str:
    """The cell that `defused` made this of."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def _rows(store: Store, category: str | None) -> Iterator[dict[str, Any]]:
    for claim in store.claims(category=category):
        yield {name: claim.get(name) for name in COLUMNS}
    lexicons: dict[str | None, Lexicon | None] = {}
    products = store.distilled(category=category)
    while batch := list(islice(products, _BATCH)):
        ids = [product["id"] for product in batch]
        variants, known = store.variants(ids), store.summed_up(ids)
        for product in batch:
            of_product = dict.fromkeys(COLUMNS) | {
                "product_id": product["id"],
                "title": product["title"],
                "category": product["category"],
                "read_by": product["read_by"],
            }
            of_product["created_at"] = product["finished_at"]
            if claims := known.get(product["id"]):
                said = composed(product, claims)
                yield of_product | {"attribute": "summary", "value": said}
            if product["prose"]:
                yield of_product | {"attribute": "prose", "value": product["prose"]}
            if mine := variants.get(product["id"]):
                for value in _of_variants(store, product["category"], mine, lexicons):
                    yield of_product | value


def _of_variants(
    store: Store,
    category: str | None,
    variants: Sequence[Mapping[str, Any]],
    lexicons: dict[str | None, Lexicon | None],
) -> Iterator[dict[str, Any]]:
    """None of a product that an import has put, since it was distilled, under a category without a schema."""
    if category not in lexicons:
        stored = store.latest_schema(category) if category else None
        lexicons[category] = Lexicon(stored.schema) if stored else None
    lexicon = lexicons[category]
    for value in variant_values(lexicon, variants) if lexicon else ():
        yield {
            "variant_id": value.variant_id,
            "attribute": value.attribute,
            "value": value.value,
            "facet": "supply",
            "claim_type": "stated" if value.value == value.quote else "normalised",
            "status": "verified",
            "field": f"variant.{value.option}",
            "start": 0,
            "end": len(value.quote),
            "quote": value.quote,
            "found_by": "lexicon",
        }


def _csv(path: Path, rows: Iterable[dict[str, Any]], *, defuse: bool) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            cells = ["" if row[name] is None else str(row[name]) for name in COLUMNS]
            writer.writerow(map(defused, cells) if defuse else cells)
            count += 1
    return count


def _jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
            count += 1
    return count


def _parquet(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = {"start": pa.int64(), "end": pa.int64(), "schema_version": pa.int64(), "run_id": pa.int64()}
    types = whole | {"confidence": pa.float64(), "created_at": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    count = 0
    remaining = iter(rows)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(remaining, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count
