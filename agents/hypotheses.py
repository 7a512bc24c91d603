"""Hypotheses about the buyer: those that known values suggest, and whether the words given as the reason of one may
suggest it.

What suggests what, schemas say (`Attribute.suggested_by`): a waterproof shoe keeps feet dry.

Small models give any words as their reason: "almond toe" for arch support, "suede" for breathability, "super
comfortable" for a sporty style. What is understood as something else - a material, a part, the kind of thing, another
need - suggests that, and seldom anything more.
"""

from collections.abc import Collection, Iterable, Sequence

from reaseq.agents.claims import Claim
from reaseq.documents.document import Document, Place
from reaseq.documents.language import words
from reaseq.documents.tokens import STOP
from reaseq.taxonomy.evidence import Evidence, Match
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import Attribute
from reaseq.taxonomy.trust import VERIFIED_FROM, Trust, sort_of

_KNOWN = ("verified", "approved", "edited")

_SAID = (*_KNOWN, "proposed")
_DOUBTED = 0.8
"""The most that is trusted in what a value suggests where the text names another of the same attribute."""
_EMPTY = ("links", "joins", "grades")
"""Kinds of words that suggest nothing by themselves."""


def class_of_reason(cited: Place, others: Iterable[Match], document: Document, lexicon: Lexicon) -> Evidence:
    """What class of evidence the cited words are: do they say anything but what is understood as something else?
    others: what the lexicon finds in `document`, stated or not, besides the hypothesis's own value."""
    tokens = document.fields[cited.field].tokens
    said = [(match.start, match.end) for match in others if match.field == cited.field]
    index = cited.first
    while index < cited.last:
        token = tokens[index]
        named = max(lexicon.parts.at(tokens, index), lexicon.labels.whole.at(tokens, index))
        width = max(named, *(words(empty).at(tokens, index) for empty in _EMPTY))
        if (
            not width
            and token.stem not in STOP
            and not any(start <= token.start and token.end <= end for start, end in said)
        ):
            return Evidence.SUGGESTED
        index += width or 1
    return Evidence.INDIRECT


def with_implied(
    claims: Sequence[Claim],
    document: Document,
    lexicon: Lexicon,
    trust: Trust,
    *,
    decided: Collection[tuple[str, str]] = (),
) -> list[Claim]:
    """`claims`, and the hypotheses that known values among them suggest. One that a model makes as well is replaced by
    this better founded one; what the text says, or denies, wins over both. decided: attributes with values that
    somebody has decided on already, in any way."""
    known = {(claim["attribute"], claim["value"]): claim for claim in claims if claim["status"] in _KNOWN}
    told = {(claim["attribute"], claim["value"]): claim for claim in claims}
    made: dict[tuple[str, str], Claim] = {}
    suggested = {one for basis in known for one in lexicon.suggested.get(basis, ())}
    names = {name for name, _ in suggested}
    for attribute in (one for one in lexicon.schema.attributes if one.name in names):
        denied = {match.value for match in lexicon.find(document).get(attribute.name, ()) if match.denied}
        confidence = trust(Evidence.IMPLIED, sort_of(attribute, lexicon.labels))
        if attribute.name == "season" and any(
            claim["attribute"] == "season"
            and claim["claim_type"] in ("stated", "normalised")
            and claim["status"] in _SAID
            for claim in claims
        ):
            confidence = min(confidence, _DOUBTED)  # "a down jacket for cool spring days"
        for value, by in attribute.suggested_by.items():
            if (attribute.name, value) not in suggested:
                continue
            basis = next(known[name, one] for name, some in by.items() for one in some if (name, one) in known)
            supposed = told.get((attribute.name, value))
            is_told = supposed is not None and (supposed["claim_type"] != "demand" or supposed["status"] in _KNOWN)
            if not is_told and value not in denied and (attribute.name, value) not in decided:
                found_by_both = supposed is not None and supposed["status"] == "proposed"
                made[attribute.name, value] = _implied(attribute, value, basis, confidence, found_by_both)
    return [claim for claim in claims if (claim["attribute"], claim["value"]) not in made] + list(made.values())


def _implied(attribute: Attribute, value: str, basis: Claim, confidence: float, found_by_both: bool) -> Claim:
    return Claim(
        attribute=attribute.name,
        value=value,
        facet=attribute.facet,
        claim_type="demand",
        status="verified" if confidence >= VERIFIED_FROM else "proposed",
        verdict=f"{basis['attribute'].replace('_', ' ')} {basis['value']!r} suggests it",
        found_by="both" if found_by_both else "lexicon",
        field=basis["field"],
        start=basis["start"],
        end=basis["end"],
        quote=basis["quote"],
        reason=basis["quote"],
        confidence=round(confidence, 4),
        evidence=Evidence.IMPLIED.value,
    )
