"""Grounding: code, not a model, decides whether the text states a value.

A value is kept when its words (or words that mean it, by the category's lexicon) stand in the source
and are not negated. Where the extractor gave nothing and the lexicon finds a value, that is a second
opinion worth keeping. What code cannot settle - a hypothesis about need, an inference, a title and a
description that contradict each other - is left `proposed` for the verifier.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reaseq.agents.claims import Claim, ClaimType, Extraction, Found, FoundBy, Status
from reaseq.agents.confidence import Answer
from reaseq.agents.labelled import Candidate, Tags
from reaseq.agents.learned import KEPT_FROM, VERIFIED_FROM, Learned, tagged
from reaseq.taxonomy.lexicon import Lexicon, Match, Sources, Text
from reaseq.taxonomy.schema import Attribute
from reaseq.taxonomy.sizes import canonical_size
from reaseq.taxonomy.text import stems
from reaseq.taxonomy.units import canonical, same
from reaseq.taxonomy.variants import VariantValue

_EVEN = 0.5
"""Confidence of what the variants contradict: one of the two is wrong."""


def ground(
    extraction: Extraction,
    text: Text,
    lexicon: Lexicon,
    *,
    learned: Learned | None = None,
    tags: Tags | None = None,
    all_asked: bool = False,
) -> list[Claim]:
    """The claims that `extraction`, the lexicon and the tagger (`tags`) make about `text`, in schema order.

    all_asked: the model was asked for every attribute, not only where lexicon and tagger are unsure.

    Every claim of type `stated` or `normalised` that is not rejected has its quote in the source.
    """
    found = lexicon.find(text)
    claims: list[Claim] = []
    for attribute in lexicon.schema.attributes:
        values = extraction.get(attribute.name, [])
        if attribute.kind == "closed":
            claims += _closed(attribute, values, found.get(attribute.name, []), text)
        elif attribute.kind == "measure":
            claims += _measure(attribute, values, text, lexicon)
        elif learned is not None and tagged(attribute):
            candidates = (tags or {}).get(attribute.name, ())
            asked = all_asked or learned.unsure(candidates)
            claims += _weighed(attribute, values, candidates, text, lexicon, learned, asked=asked)
        else:
            claims += _open(attribute, values, text, lexicon)
    return claims


def against_variants(claims: Sequence[Claim], variants: Sequence[VariantValue], lexicon: Lexicon) -> list[Claim]:
    """Claims held against what the product's variants differ by.

    A one-valued attribute by which they differ is said of each variant, not of the product. A closed value that no
    variant has contradicts them all: that is left to a person.
    """
    of: dict[str, dict[str, None]] = {}
    for value in variants:
        of.setdefault(value.attribute, {})[value.value] = None
    held = []
    for claim in claims:
        attribute, values = lexicon.schema.get(claim["attribute"]), of.get(claim["attribute"])
        if values and attribute is not None and claim["status"] in ("verified", "proposed"):
            if claim["value"] in values or canonical_size(claim["value"]) in values:
                if not attribute.multiple:
                    continue
            elif attribute.kind == "closed" and set(values) <= set(attribute.values):
                verdict = (
                    f"the {_words(claim['field'] or 'text')} says {claim['quote']!r}, the variants {', '.join(values)}"
                )
                claim = claim | {"status": "proposed", "verdict": verdict, "confidence": _EVEN}
        held.append(claim)
    return held


def evidence_of(value: str, sources: Sources) -> dict[str, Any]:
    """Where the text states a value that a person gave, as columns of a claim; none where it does not."""
    text = Text(sources)
    for match in text.find(value):
        if not match.negated:
            place = {"field": match.field, "start": match.start, "end": match.end}
            return {"claim_type": "stated", "quote": text.quote(match), **place}
    return {}


def _closed(attribute: Attribute, values: Sequence[Found], matches: Sequence[Match], text: Text) -> list[Claim]:
    asserted = [match for match in matches if not match.negated]
    claims: list[Claim] = []
    for item in _distinct(values):
        value = item["value"]
        if mine := [match for match in asserted if match.value == value]:
            claims.append(_stated(attribute, mine[0], text, "both"))
        elif negated := [match for match in matches if match.value == value]:
            claims.append(_rejected(attribute, value, f"the text denies it: {text.quote(negated[0])!r}", item))
        elif attribute.may_infer:
            claims.append(_hypothesis(attribute, item, text))
        else:
            claims.append(_rejected(attribute, value, "no words in the text state it", item))
    given = {claim["value"] for claim in claims if claim["status"] == "verified"}
    if attribute.multiple:
        for match in _distinct_matches(asserted):
            if match.value not in given:
                claims.append(_stated(attribute, match, text, "lexicon"))
    elif not given and asserted:
        claims.append(_stated(attribute, asserted[0], text, "lexicon"))
        claims = [claim for claim in claims if claim["status"] != "proposed"]
    if not attribute.multiple:
        _mark_contradiction(attribute, claims, asserted, text)
    return claims


def _measure(attribute: Attribute, values: Sequence[Found], text: Text, lexicon: Lexicon) -> list[Claim]:
    measured = lexicon.measures(attribute, text)
    claims: list[Claim] = []
    for item in _distinct(values):
        wanted = " ".join(stems(item["value"]))
        if mine := [match for match in measured if same(match.value, wanted, attribute.units)]:
            claims.append(_measured(attribute, mine[0], text, "both"))
        else:
            claims.append(_rejected(attribute, item["value"], "no such measure in the text", item))
    alone = _distinct_matches(measured)
    if len(alone) == 1 and not any(claim["status"] == "verified" for claim in claims):
        claims.append(_measured(attribute, alone[0], text, "lexicon"))
    return claims


def _measured(attribute: Attribute, match: Match, text: Text, found_by: FoundBy) -> Claim:
    """In the attribute's own unit; the quote is what the text says."""
    return _stated(attribute, replace(match, value=canonical(match.value, attribute.units)), text, found_by)


def _open(attribute: Attribute, values: Sequence[Found], text: Text, lexicon: Lexicon) -> list[Claim]:
    claims: list[Claim] = []
    for item in _distinct(values):
        spans = lexicon.spans(attribute, item["value"], text)
        if asserted := [match for match in spans if not match.negated]:
            claims.append(_stated(attribute, asserted[0], text, "model"))
        elif spans:
            claims.append(_rejected(attribute, item["value"], f"the text denies it: {text.quote(spans[0])!r}", item))
        elif attribute.facet == "demand":
            claims.append(_hypothesis(attribute, item, text))
        else:
            claims.append(_rejected(attribute, item["value"], "not in the text", item))
    return claims


def _weighed(
    attribute: Attribute,
    values: Sequence[Found],
    candidates: Sequence[Candidate],
    text: Text,
    lexicon: Lexicon,
    learned: Learned,
    *,
    asked: bool,
) -> list[Claim]:
    """Values of the tagger and of the model, each as likely as both together make it: see `Confidence`."""
    options: dict[tuple[str, ...], tuple[Match, float]] = {}
    said: dict[tuple[str, ...], Found] = {}
    claims: list[Claim] = []
    for value, field, start, end, probability in candidates:
        if any(not match.negated for match in lexicon.spans(attribute, text.sources[field][start:end], text)):
            options.setdefault(stems(value), (Match(value, field, start, end), probability))
    for item in _distinct(values):
        spans = lexicon.spans(attribute, item["value"], text)
        if (key := stems(item["value"])) in options:
            said[key] = item
        elif asserted := [match for match in spans if not match.negated]:
            said[key] = item
            options[key] = (asserted[0], 0.0)
        else:
            claims.append(_rejected(attribute, item["value"], "denied" if spans else "not in the text", item))
    weighed = []
    for key, (match, probability) in options.items():
        answer = Answer.NOT_ASKED
        if asked:
            answer = Answer.SAME if key in said else Answer.OTHER if said else Answer.NONE
        weighed.append((learned.confidence(probability, answer), answer, match))
    weighed.sort(key=lambda one: -one[0])
    for place, (confidence, answer, match) in enumerate(weighed):
        found_by: FoundBy = "tagger"
        if answer is Answer.SAME:
            found_by = "both" if any(stems(one.value) == stems(match.value) for one in candidates) else "model"
        kept = confidence >= KEPT_FROM and (attribute.multiple or place == 0)
        if not kept and answer is not Answer.SAME:
            continue
        claim = _stated(attribute, match, text, found_by)
        claim["confidence"] = round(confidence, 4)
        if confidence < VERIFIED_FROM or not kept:
            claim["status"] = "proposed" if kept else "rejected"
            claim["verdict"] = (
                f"likely, not sure (p = {confidence:.2f})" if kept else f"unlikely (p = {confidence:.2f})"
            )
        claims.append(claim)
    return claims


def _mark_contradiction(attribute: Attribute, claims: list[Claim], asserted: Sequence[Match], text: Text) -> None:
    """Where title and description give a one-valued attribute different values, propose both."""
    first: dict[str, Match] = {}
    in_title = {match.value for match in asserted if match.field == "title"}
    elsewhere = {match.value for match in asserted if match.field != "title"}
    if not in_title or not elsewhere or in_title & elsewhere:
        return
    for match in asserted:
        first.setdefault("title" if match.field == "title" else "elsewhere", match)
    title, other = first["title"], first["elsewhere"]
    verdict = f"the title says {text.quote(title)!r}, the {_words(other.field)} {text.quote(other)!r}"
    kept = {claim["value"]: claim for claim in claims if claim["status"] == "verified"}
    for match in (title, other):
        claim = kept.get(match.value)
        if claim is None:
            claim = _stated(attribute, match, text, "lexicon")
            claims.append(claim)
        claim["status"] = "proposed"
        claim["verdict"] = verdict


def _stated(attribute: Attribute, match: Match, text: Text, found_by: FoundBy) -> Claim:
    quote = text.quote(match)
    literal = stems(quote) == stems(match.value)
    return _claim(
        attribute,
        match.value,
        "stated" if literal else "normalised",
        "verified",
        f"the {_words(match.field)} says so" if literal else f"the {_words(match.field)} says {quote!r}",
        found_by,
        match=match,
        quote=quote,
    )


def _hypothesis(attribute: Attribute, item: Found, text: Text) -> Claim:
    """A value the text does not state. What is given as its reason must stand in the text: small
    models make reasons up, or copy them from an example."""
    why = item.get("why") or None
    cited = text.find(why) if why else []
    if attribute.facet == "demand" and not cited:
        return _rejected(attribute, item["value"], "its reason is not in the text" if why else "no reason given", item)
    return _claim(
        attribute,
        item["value"],
        "demand" if attribute.facet == "demand" else "inferred",
        "proposed",
        "to be judged",
        "model",
        match=cited[0] if cited else None,
        quote=text.quote(cited[0]) if cited else None,
        reason=why,
    )


def _rejected(attribute: Attribute, value: str, verdict: str, item: Found) -> Claim:
    kind: ClaimType = "demand" if attribute.facet == "demand" else "stated"
    return _claim(attribute, value, kind, "rejected", verdict, "model", reason=item.get("why") or None)


def _claim(
    attribute: Attribute,
    value: str,
    claim_type: ClaimType,
    status: Status,
    verdict: str,
    found_by: FoundBy,
    *,
    match: Match | None = None,
    quote: str | None = None,
    reason: str | None = None,
) -> Claim:
    return Claim(
        attribute=attribute.name,
        value=value,
        facet=attribute.facet,
        claim_type=claim_type,
        status=status,
        verdict=verdict,
        found_by=found_by,
        field=match.field if match else None,
        start=match.start if match else None,
        end=match.end if match else None,
        quote=quote,
        reason=reason,
        confidence=None,
    )


def _distinct(values: Sequence[Found]) -> list[Found]:
    first: dict[str, Found] = {}
    for item in values:
        first.setdefault(item["value"], item)
    return list(first.values())


def _distinct_matches(matches: Sequence[Match]) -> list[Match]:
    first: dict[str, Match] = {}
    for match in matches:
        first.setdefault(match.value, match)
    return list(first.values())


def _words(field: str) -> str:
    return field.removeprefix("attributes.")
