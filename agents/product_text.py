"""A product's text: the source fields that claims rest on, and how a prompt shows them.

Product text comes from strangers. A prompt shows every field as one JSON string, so that nothing in
it can look like another field or another speaker; the prompt renderer breaks up control tokens.
"""

import hashlib
import html
import json
import re
from collections.abc import Mapping
from typing import Any

from reaseq.taxonomy.orders import without_orders

_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,300}>")
_SPACE = re.compile(r"\s+")
_NOT_PROSE = re.compile(r"^[\W\d_]*$|://|\.(?:jpe?g|png|webp|gif)\b", re.IGNORECASE)
_DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_PLUMBING = re.compile(
    r"(?:^|[_ ])(?:id|ids|sku|url|link|image|images|img|index|rating|reviews?|stock|availability|currency|"
    r"country|language|domain|source|website|crawled|visited|date|time|timestamp|breadcrumbs?)(?:$|[_ ])",
    re.IGNORECASE,
)
_MOST_ATTRIBUTES = 12
_LONGEST_ATTRIBUTE = 80
_LONGEST_SHOWN = 1500


def source_fields(product: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a product that may state something, as received: title, brand, description, and
    those of its other columns that hold a few words (`attributes.NAME`); no ids, links, dates or numbers."""
    fields = {name: product[name] for name in ("title", "brand", "description") if (product.get(name) or "").strip()}
    others = 0
    for name, value in (product.get("attributes") or {}).items():
        if (
            isinstance(value, str)
            and others < _MOST_ATTRIBUTES
            and 0 < len(value.strip()) <= _LONGEST_ATTRIBUTE
            and not _NOT_PROSE.search(value)
            and not _DATE.match(value)
            and not _PLUMBING.search(name)
        ):
            fields[f"attributes.{name}"] = value
            others += 1
    return fields


def fingerprint(fields: Mapping[str, Any]) -> str:
    """Sixteen hex digits of the SHA-256 of what a product's claims can rest on."""
    canonical = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:16]


def plain(text: str) -> str:
    """One line of `text` as a prompt shows it: without markup and without sentences that give orders
    (`reaseq.taxonomy.orders`); very long text is cut."""
    line = _SPACE.sub(" ", html.unescape(_TAG.sub(" ", without_orders(text)))).strip()
    return line[:_LONGEST_SHOWN].rsplit(" ", 1)[0] + " …" if len(line) > _LONGEST_SHOWN else line


def shown(fields: Mapping[str, str]) -> str:
    """The fields as a prompt shows them: a line each, each value a JSON string of what is `plain` in it."""
    return "\n".join(
        f"{name.removeprefix('attributes.')}: {json.dumps(plain(text), ensure_ascii=False)}"
        for name, text in fields.items()
    )
