"""A product's text: the source fields that claims rest on, and how a prompt shows them.

Product text comes from strangers. A prompt shows every field as one JSON string, so that nothing in
it can look like another field or another speaker; the prompt renderer breaks up control tokens.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reaseq.documents.columns import LONGEST, cell_text, is_plumbing, said_cells, says_something
from reaseq.documents.document import COLUMN, Document, Sources, read_field

LONGEST_SHOWN = 1500
MOST_COLUMNS = 12


def source_fields(product: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a product that may state something, as received: title, brand, description, and those of its other
    columns that say something (`attributes.NAME`, see `said_cells`); lists and objects as JSON. No ids, links, dates,
    bare numbers, and nothing that a shop's system keeps for itself."""
    fields = {name: product[name] for name in ("title", "brand", "description") if (product.get(name) or "").strip()}
    for name, value in said_cells(product).items():
        text = cell_text(value)
        if len(text) <= LONGEST and says_something(name, text) and not is_plumbing(name, text):
            fields[f"{COLUMN}{name}"] = text
    return fields


def fingerprint(fields: Mapping[str, Any]) -> str:
    """Sixteen hex digits of the SHA-256 of what a product's claims can rest on."""
    canonical = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:16]


def plain(text: str) -> str:
    """`text` as a prompt shows it: see `shown`."""
    return _cut(read_field("text", text).shown())[0]


@dataclass(frozen=True)
class Shown:
    """What a prompt shows of a document. columns: those that it has no room for; cut: fields that it shows in part."""

    text: str
    columns: tuple[str, ...]
    cut: tuple[str, ...]


def shown(fields: Document | Sources, *, first: Collection[str] = (), most: int = MOST_COLUMNS) -> str:
    """The text of `showing`."""
    return showing(fields, first=first, most=most).text


def showing(fields: Document | Sources, *, first: Collection[str] = (), most: int = MOST_COLUMNS) -> Shown:
    """The fields as a prompt shows them: a line each, each value a JSON string of what a reader sees, without sentences
    that give orders. Of other columns at most `most`, those of `first` before all others; very long text is cut."""
    document = fields if isinstance(fields, Document) else Document(fields)
    columns = [name for name, field in document.fields.items() if field.column is not None]
    ranked = sorted(columns, key=lambda name: name not in first)
    left_out = set(ranked[most:])
    lines, cut = [], []
    for name, field in document.fields.items():
        if name in left_out:
            continue
        text, was_cut = _cut(field.shown())
        if was_cut:
            cut.append(name)
        lines.append(f"{name.removeprefix(COLUMN)}: {json.dumps(text, ensure_ascii=False)}")
    return Shown("\n".join(lines), tuple(name.removeprefix(COLUMN) for name in ranked[most:]), tuple(cut))


def _cut(text: str) -> tuple[str, bool]:
    if len(text) <= LONGEST_SHOWN:
        return text, False
    return text[:LONGEST_SHOWN].rsplit(" ", 1)[0] + " …", True
