"""A product's summary: its title, and what is known of it, composed from claims in a fixed order.

No model has written any of it: every statement is a claim that holds, in the order of the schema, with the words of
the text where they say more than the value ("green (olive)"), or what the text denies ("not waterproof"). Last come
sentences of the description on which claims rest, as they say more than claims can. It is what people read first and
what is embedded. As it is composed when it is asked for, a decision tells on it at once.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

from reaseq.documents.document import as_seen, read_field
from reaseq.documents.language import answer, words
from reaseq.documents.tokens import STOP, Token, bracketed_end, stems, tokenize
from reaseq.knowledge_store.siblings import MODEL
from reaseq.knowledge_store.tables import LOCKED, ClaimStatus
from reaseq.taxonomy.evidence import GUESSED, Evidence

_LONGEST_TITLE = 200
_PARTED = re.compile(r"\s[-–—|:•]\s")
_FREE = re.compile(r"-free\b")
_LONGEST_QUOTE = 40
_MOST_SENTENCES, _LONGEST_SENTENCE = 3, 300
"""Sentences of the description, and characters of each."""
_ENDS = (".", "!", "?", "。", "！", "？")
_CLOSES = re.compile(r"""["'”’»)\]]*[.!?。！？…]+["'”’»)\]]*""")
_SENTENCE = attrgetter("sentence")
_SEMICOLON = re.compile(r"\s*[;；]\s*")
_ALIKE = 4
"""Letters that words of one stem begin with: breathable, breathability."""
_FEWEST_NEW = 2
"""Words that a sentence must add to what is said."""


def composed(product: Mapping[str, Any], claims: Iterable[Mapping[str, Any]]) -> str:
    """The summary of a product, of which `title`, `brand` and `description` count; `claims` are all of its claims, in
    schema order.

    First the title, with the brand if that is not in it; then what the product is ("color: green (olive), black"); then
    what suits whom, of which guesses are marked as such; then the sentences that say most that nothing before has said.
    What these sentences say, and what the title says of whom it suits, is not said twice.
    """
    title, brand, description = product["title"], product.get("brand"), product.get("description") or ""
    shown = _shown_title(title)
    name = shown[:_LONGEST_TITLE]
    brand = as_seen("brand", brand or "")
    if brand and not _within(stems(brand), stems(name)):
        name = f"{name} ({brand})"
    left = [claim for claim in claims if not (_is_of_use(claim, "title") and _tells(tokenize(name), claim))]
    elsewhere = [claim for claim in left if claim.get("field") != "description"]
    told = _told(description, left, shown, stems(f"{title} {' '.join(_statements(name, elsewhere))}"))
    lines = _statements(name, _untold(left, told))
    if name:
        lines.insert(0, name if name.endswith((".", "!", "?")) else f"{name}.")
    if told:
        lines.append(f"In its words: {' '.join(_sentence(description, some) for some in told)}")
    return " ".join(lines)


def _statements(title: str, claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """What they say, a sentence for each attribute, and for each limit."""
    none = {claim["attribute"] for claim in claims if holds(claim) and claim["value"].startswith("no ")}
    said: dict[tuple[bool, str], dict[str, str]] = {}
    for claim in claims:
        if is_denied(claim) and claim["attribute"] in none:
            continue  # "Hood: no hood" says it all.
        if claim["attribute"] in MODEL and _within(stems(claim["value"]), stems(title)):
            continue  # The title begins the summary.
        if value := _said(claim):
            of_attribute = said.setdefault((claim["facet"] == "demand", claim["attribute"]), {})
            of_attribute.setdefault(claim["value"], value)
    lines = []
    for (_, attribute), values in sorted(said.items(), key=lambda one: one[0][0]):
        if is_so := [shown for shown in values.values() if not _is_limit(shown)]:
            lines += _under(attribute.replace("_", " ").capitalize(), is_so)
        lines += [f"{shown[0].upper()}{shown[1:]}." for shown in values.values() if _is_limit(shown)]
    return lines


def _under(label: str, values: Sequence[str]) -> list[str]:
    """The sentences that say values under a label. Under "Free of" stands what a thing is free of, and no "vegan"."""
    if not label.startswith("Free"):
        return [f"{label}: {', '.join(values)}."]
    without = [_FREE.sub("", value, count=1) for value in values if _FREE.search(value)]
    others = [f"{value[0].upper()}{value[1:]}." for value in values if not _FREE.search(value)]
    return ([f"{label}: {', '.join(without)}."] if without else []) + others


def _untold(claims: Sequence[Mapping[str, Any]], sentences: Sequence[Sequence[Token]]) -> list[Mapping[str, Any]]:
    """Without those that the sentences say. Of what a thing is made of that is all or none: "elastane" alone would say
    that it is nothing else."""
    told = [any(_is_told(some, claim) for some in sentences) for claim in claims]
    halved = {
        claim["attribute"]
        for claim, is_told in zip(claims, told, strict=True)
        if not is_told and claim["facet"] != "demand" and holds(claim)
    }
    return [
        claim
        for claim, is_told in zip(claims, told, strict=True)
        if not is_told or (claim["attribute"] in halved and claim.get("evidence") != Evidence.WORDS)
    ]


def _is_told(sentence: Sequence[Token], claim: Mapping[str, Any]) -> bool:
    """Does the claim rest on a sentence that is quoted and says it? What is of use, or in the text's own words, it says
    in whatever words."""
    rests = claim.get("field") == "description" and sentence[0].start <= claim["start"] < sentence[-1].end
    in_words = _is_of_use(claim, "description") or claim.get("evidence") == Evidence.WORDS
    return rests and (_is_stated(claim) if in_words else _tells(sentence, claim))


def _is_of_use(claim: Mapping[str, Any], field: str) -> bool:
    """Does the field say whom or what for?"""
    return bool(claim["facet"] == "demand" and claim.get("field") == field)


def _tells(sentence: Sequence[Token], claim: Mapping[str, Any]) -> bool:
    """Has it words like all of the value's ("a breathable mesh upper": mesh)?"""
    begins = {token.stem[:_ALIKE] for token in sentence}
    return _is_stated(claim) and all(word[:_ALIKE] in begins for word in stems(claim["value"]))


def _is_stated(claim: Mapping[str, Any]) -> bool:
    """Do the texts state it, and it is nobody's guess or decision?"""
    return bool(claim["status"] == ClaimStatus.VERIFIED and claim["claim_type"] not in GUESSED)


def _told(
    description: str, claims: Sequence[Mapping[str, Any]], title: str, known: tuple[str, ...]
) -> list[list[Token]]:
    """Of the sentences on which claims that hold rest those on which most do, then of those that name the product those
    that say most that is not known, in their order."""
    if not description:
        return []
    rests = [claim["start"] for claim in claims if claim.get("field") == "description" and holds(claim)]
    named, said = set(pairwise(stems(title))), set(known)
    sentences = _sentences(description)
    asked = {some[0].start for some in sentences if "?" in _closing(description, some[-1].end)}
    fit = [some for some in sentences if some[0].start not in asked and _may_be_quoted(some, stems(title))]
    on_it = [some for some in fit if _bears(some, rests)]
    of_it = [some for some in fit if named & set(pairwise(token.stem for token in some)) or _goods(some) is not None]
    chosen: list[list[Token]] = []
    for left in (on_it, of_it):
        while left and len(chosen) < _MOST_SENTENCES:
            best = max(left, key=lambda some: (_bears(some, rests), len(_content(some) - said)))
            left.remove(best)
            if len(_content(best) - said) >= _FEWEST_NEW:
                chosen.append(best)
                said |= _content(best)
    return sorted(chosen, key=lambda some: some[0].start)


def _sentences(text: str) -> list[list[Token]]:
    """Its sentences; what a semicolon parts is one ("warm; not windproof by itself")."""
    found: list[list[Token]] = []
    for _, some in groupby(read_field("description", text).tokens, key=_SENTENCE):
        tokens = list(some)
        if found and _SEMICOLON.fullmatch(text, found[-1][-1].end, tokens[0].start):
            found[-1] += tokens
        else:
            found.append(tokens)
    return found


def _may_be_quoted(sentence: Sequence[Token], title: tuple[str, ...]) -> bool:
    """Is it short enough, told of no person ("gives his game an edge") and nothing that stands before it ("harness its
    energy in these shoes"), and the title not most of it ("Fell shoes for women - shoes at Acme")?"""
    said = tuple(token.stem for token in sentence)
    repeats = 2 * len(title) > len(said) and _within(title, said)
    is_short = sentence[-1].end - sentence[0].start <= _LONGEST_SENTENCE
    others = [("persons", len(sentence)), ("refers_back", _goods(sentence) or 0)]
    of_others = any(words(kind).at(sentence, at) for kind, end in others for at in range(end))
    return is_short and not repeats and not of_others


def _bears(sentence: Sequence[Token], places: Sequence[int]) -> int:
    """How many of the places are in it?"""
    return sum(sentence[0].start <= place < sentence[-1].end for place in places)


def _goods(tokens: Sequence[Token]) -> int | None:
    """Where it points to the product: "these shoes", "this training tee"."""
    for at in range(len(tokens)):
        nouns = range(at + 1, min(at + 4, len(tokens)))
        if words("pointing").at(tokens, at) and any(words("goods").at(tokens, noun) for noun in nouns):
            return at
    return None


def _content(tokens: Sequence[Token]) -> set[str]:
    """Stems of the words that may say something."""
    empty = [words(kind) for kind in ("praise", "verbs", "pronouns", "articles", "adverbs", "made_for")]
    stems_of = {token.stem for token in tokens if token.stem not in STOP}
    return {stem for stem in stems_of if not any((stem,) in kind for kind in empty)}


def _sentence(text: str, tokens: Sequence[Token]) -> str:
    """As people see it, with the sign that ends it, or a full stop."""
    end = bracketed_end(text, tokens[0].start, tokens[-1].end)
    end += len(_closing(text, end))
    said = html.unescape(as_seen("description", text[tokens[0].start : end]))
    said = f"… {said}" if said[:1].islower() else said
    return said if said.endswith(_ENDS) else f"{said}."


def _closing(text: str, end: int) -> str:
    """The signs that end a sentence behind its last word."""
    closing = _CLOSES.match(text, end)
    return closing.group() if closing else ""


def _shown_title(title: str) -> str:
    """The title as people see it; of one that speaks to a machine ("Fell - dear model, call this ...") its first part
    that does not, or nothing."""
    for part in (title, *_PARTED.split(title)):
        if shown := as_seen("title", part):
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
        quote = as_seen("quote", claim["quote"] or "")
        return quote if _is_limit(quote) else f"not {value}"
    if not holds(claim):
        return ""
    if claim["claim_type"] in GUESSED and claim["status"] not in LOCKED:
        return f"{value} (likely)"
    quote = as_seen("quote", claim["quote"] or "").rpartition(": ")[2]  # "Construction: Goodyear"
    if not quote or len(quote) > _LONGEST_QUOTE or _says_the_same(quote, value, claim.get("evidence")):
        return value
    if value[0].isdigit() and quote[0].isdigit():
        return quote  # "68 kg" rather than 68000 g
    last = stems(quote)[-1:]  # a "down jacket" is no down
    if claim["facet"] != "demand" and _within(stems(value), stems(quote)) and set(last) <= set(stems(value)):
        # "Upper material: synthetic upper" says no more than the value.
        return value if set(stems(quote)) & set(stems(claim["attribute"].replace("_", " "))) else quote
    if claim["facet"] == "demand" and _names(quote, value):
        # What is said of a part, its words say: "breathable mesh tongue (breathability)".
        return quote if _within(stems(value), stems(quote)) else f"{quote} ({value})"
    return f"{value} ({quote})"


def _says_the_same(quote: str, value: str, evidence: str | None) -> bool:
    tokens = tokenize(quote)
    # "removable insole (removable)" says no more, "indoors and outdoors (indoors)" less.
    known = stems(quote) == stems(value) or (_within(stems(quote), stems(value)) and " and " not in value)
    return known or evidence == Evidence.READ or answer(tokens, 0, len(tokens)) is not None


def _names(quote: str, value: str) -> bool:
    """Is it a phrase of its own that has a word like the value's: "breathable mesh tongue", not "from wind" or "cushion
    your"?"""
    tokens = tokenize(quote)
    small = any(token.stem in STOP for token in (tokens[0], tokens[-1]))
    alike = {word[:_ALIKE] for word in stems(value)} & {token.stem[:_ALIKE] for token in tokens}
    return len(tokens) > 1 and " " in quote and bool(alike) and not small


def _is_limit(value: str) -> bool:
    """Is it a sentence that says what the product is not for ("Not made for hiking")?"""
    tokens = tokenize(value)
    return words("denies_next").at(tokens, 0) > 0 and any(words("purposes").at(tokens, at) for at in range(len(tokens)))


def _within(inner: tuple[str, ...], text: tuple[str, ...]) -> bool:
    return any(text[at : at + len(inner)] == inner for at in range(len(text) - len(inner) + 1))
