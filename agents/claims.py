"""A claim, as plain data: it travels through the graph's state and into the store under the same names."""

from typing import Literal, NotRequired, get_args

from typing_extensions import TypedDict

ClaimType = Literal["stated", "normalised", "inferred", "demand"]
Status = Literal["proposed", "verified", "rejected", "approved", "edited"]
"""No run gives the last two: people do. In the store there is `retired` too: of an agent that is switched off."""

FoundBy = Literal["model", "lexicon", "tagger", "both"]
"""`both`: a model, and the lexicon or the tagger."""
FOUND_BY = frozenset(get_args(FoundBy))
AGENT = "agent "
"""What a product depends on an agent of one's own by, before its name."""


class Claim(TypedDict):
    """One value of one attribute. With evidence, `source[field][start:end] == quote`; `evidence` is its class (see
    `reaseq.taxonomy.evidence`) in words, None where the claim rests on no words that state it. `found_by`: one of
    `FoundBy`, or the name of an agent of one's own."""

    attribute: str
    value: str
    facet: Literal["supply", "demand"]
    claim_type: ClaimType
    status: Status
    verdict: str
    found_by: str
    field: str | None
    start: int | None
    end: int | None
    quote: str | None
    reason: str | None
    confidence: float | None
    evidence: str | None


class Found(TypedDict):
    """One value as the extractor gave it; `why` for demand attributes."""

    value: str
    why: NotRequired[str]


Extraction = dict[str, list[Found]]
"""Attribute to the values the extractor gave it."""
