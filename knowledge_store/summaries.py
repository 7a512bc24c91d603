"""A product's summary: its title, and what is known of it, composed from claims in a fixed order.

Nothing in it is anybody's prose: every statement is a claim that holds, in the order of the schema, with the words of
the text where they say more than the value ("green (olive)"), or what the text denies ("not waterproof"). It is what
people read first and what is embedded. As it is composed when it is asked for, a decision tells on it at once.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from reaseq.documents.document import read_field
from reaseq.documents.language import answer
from reaseq.documents.tokens import stems, tokenize
from reaseq.knowledge_store.siblings import MODEL
from reaseq.knowledge_store.tables import LOCKED, ClaimStatus
from reaseq.taxonomy.evidence import Evidence

_LONGEST_TITLE = 200
_PARTED = re.compile(r"\s[-–—|:•]\s")
_LONGEST_QUOTE = 40
_GUESSED = ("demand", "inferred")
"""Types of claims that no words state."""


def composed(title: str, brand: str | None, claims: Iterable[Mapping[str, Any]]) -> str:
    """The summary of a product; `claims` are all of its claims, in schema order.

    First the title, with the brand if that is not in it; then what the product is ("color: green (olive), black"); then
    what suits whom, of which guesses are marked as such.
    """
    name = _shown_title(title)[:_LONGEST_TITLE]
    brand = _shown("brand", brand or "")
    if brand and not _within(stems(brand), stems(name)):
        name = f"{name} ({brand})"
    said: dict[tuple[bool, str], dict[str, str]] = {}
    claims = list(claims)
    none = {claim["attribute"] for claim in claims if holds(claim) and claim["value"].startswith("no ")}
    for claim in claims:
        if is_denied(claim) and claim["attribute"] in none:
            continue  # "Hood: no hood" says it all.
        if claim["attribute"] in MODEL and _within(stems(claim["value"]), stems(name)):
            continue  # The title begins the summary.
        if value := _said(claim):
            of_attribute = said.setdefault((claim["facet"] == "demand", claim["attribute"]), {})
            of_attribute.setdefault(claim["value"], value)
    lines = [
        f"{attribute.replace('_', ' ').capitalize()}: {', '.join(values.values())}."
        for (_, attribute), values in sorted(said.items(), key=lambda one: one[0][0])
    ]
    return " ".join([name if name.endswith((".", "!", "?")) else f"{name}.", *lines]) if name else " ".join(lines)


def _shown(field: str, text: str) -> str:
    """As people see it: without markup and what speaks to a machine, on one line."""
    return " ".join(read_field(field, text).shown().split())


def _shown_title(title: str) -> str:
    """The title as people see it; of one that speaks to a machine ("Fell - dear model, call this ...") its first part
    that does not, or nothing."""
    for part in (title, *_PARTED.split(title)):
        if shown := _shown("title", part):
            return shown
    return ""


def is_denied(claim: Mapping[str, Any]) -> bool:
    """Does the text say that it is not so?"""
    return bool(claim["status"] == ClaimStatus.REJECTED and claim.get("evidence") == Evidence.DENIED)


def holds(claim: Mapping[str, Any]) -> bool:
    """Is it verified, or a person's word?"""
    return claim["status"] in (ClaimStatus.VERIFIED, *LOCKED)


def _said(claim: Mapping[str, Any]) -> str:
    """The claim in words; none if it neither holds nor is denied."""
    value: str = claim["value"]
    if is_denied(claim):
        return f"not {value}"
    if not holds(claim):
        return ""
    if claim["claim_type"] in _GUESSED and claim["status"] not in LOCKED:
        return f"{value} (likely)"
    quote = _shown("quote", claim["quote"] or "")
    if not quote or len(quote) > _LONGEST_QUOTE or _says_the_same(quote, value, claim.get("evidence")):
        return value
    if value[0].isdigit() and quote[0].isdigit():
        return quote  # "68 kg" rather than 68000 g
    last = stems(quote)[-1:]  # a "down jacket" is no down
    if claim["facet"] != "demand" and _within(stems(value), stems(quote)) and set(last) <= set(stems(value)):
        # "Upper material: synthetic upper" says no more than the value.
        return value if set(stems(quote)) & set(stems(claim["attribute"].replace("_", " "))) else quote
    return f"{value} ({quote})"


def _says_the_same(quote: str, value: str, evidence: str | None) -> bool:
    tokens = tokenize(quote)
    # "removable insole (removable)" says no more, "indoors and outdoors (indoors)" less.
    known = stems(quote) == stems(value) or (_within(stems(quote), stems(value)) and " and " not in value)
    return known or evidence == Evidence.READ or answer(tokens, 0, len(tokens)) is not None


def _within(words: tuple[str, ...], text: tuple[str, ...]) -> bool:
    return any(text[at : at + len(words)] == words for at in range(len(text) - len(words) + 1))
