"""Grounding: code, not a model, decides whether the text states a value, and how far that can be trusted.

A value is kept when its words (or words that mean it, by the category's lexicon) state it somewhere in the document.
What it rests on has a class (`reaseq.taxonomy.evidence`), and each class the trust it has earned: a claim is `verified`
from nine in ten on, and `proposed` below that. A label or a column outweighs prose and titles; where they contradict
each other, the claim is proposed and says so. Where the extractor gave nothing and the lexicon finds a value, that is a
second opinion worth keeping. What code cannot settle is left `proposed` for the verifier.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from reaseq.agents.claims import Claim, ClaimType, Extraction, Found, FoundBy, Status
from reaseq.agents.confidence import Answer, agreed
from reaseq.agents.hypotheses import class_of_reason
from reaseq.agents.labelled import Candidate, Tags
from reaseq.agents.learned import KEPT_FROM, Learned, tagged
from reaseq.agents.model_names import bare_name
from reaseq.documents.document import COLUMN, Document, Sources
from reaseq.documents.language import any_words, words
from reaseq.documents.scopes import Scope
from reaseq.documents.tokens import STOP, stems, tokenize
from reaseq.taxonomy.evidence import Evidence, Labelled, Match, Standing
from reaseq.taxonomy.labels import is_substance
from reaseq.taxonomy.lexicon import QUALITIES, Lexicon
from reaseq.taxonomy.phrases import phrases
from reaseq.taxonomy.said_of import goes_on, tokens_of, with_noun, with_part, with_shade
from reaseq.taxonomy.schema import Attribute
from reaseq.taxonomy.sizes import canonical_size
from reaseq.taxonomy.trust import VERIFIED_FROM, Trust, shipped, sort_of
from reaseq.taxonomy.units import canonical, same
from reaseq.taxonomy.variants import VariantValue

_EVEN = 0.5
"""Confidence of what something contradicts: one of the two is wrong."""
_DOUBTED = 0.85
"""At most the confidence of what something speaks against."""
_ASKED_FOR = frozenset((Evidence.COLUMN, Evidence.LABEL, Evidence.READ))
"""Classes of evidence that stand where the attribute is asked for."""
_CHOICES = re.compile(
    r"^(?:\w+ )?(?:colou?rs|farben|couleurs|coloris|colores|colori|kleuren|färger|farver|farger|kolory|cores|värit)\b"
    r"|^(?:颜色分类|可选颜色|颜色可选|カラー展開|カラーバリエーション|色展開)",
    re.IGNORECASE,
)
"""Labels in the plural that list what a product may be had in."""
_DENIED_WITHIN = 4
"""Tokens from what denies a value to it."""
_DENIALS = ("no", "denies_next", "denies_last", "denies_before", "denies_clause")
_WHOLE_BEFORE = re.compile(r"\b100\s?[%％]\s*(?:\w+\s+)?\Z")
_WHOLE_AFTER = re.compile(r"\s?100\s?[%％]")
_JOINED = re.compile(
    r"\s*(?:[,/&+、・和や]|(?:,\s*)?\b(?:and|or|und|oder|et|ou|y|o|e|en|of|och|eller|og|i|lub)\b)\s*", re.IGNORECASE
)
"""What stands between two members of a list."""
_STARTS_WITH_NUMBER = re.compile(r"\s*\d")
_DISPUTED = frozenset(
    (Evidence.CONTRADICTED, Evidence.OUTWEIGHED, Evidence.HEAD_OUTWEIGHED, Evidence.VARIANTS, Evidence.DENIED)
)
_MOST_PHRASES = 6
"""Of one attribute."""
_NAMED = _ASKED_FOR | {Evidence.HEAD, Evidence.PHRASE, Evidence.PART}


def ground(
    extraction: Extraction,
    document: Document,
    lexicon: Lexicon,
    *,
    trust: Trust | None = None,
    learned: Learned | None = None,
    tags: Tags | None = None,
    all_asked: bool = False,
) -> list[Claim]:
    """The claims that `extraction`, the lexicon and the tagger (`tags`) make about `document`, in schema order.

    trust: in the classes of evidence; that which is shipped if None. all_asked: the model was asked for every
    attribute, not only where lexicon and tagger are unsure.

    Every claim of type `stated` or `normalised` that is not rejected has its quote in the source.
    """
    grounder = _Grounder(document, lexicon, trust or shipped())
    claims: list[Claim] = []
    for attribute in lexicon.schema.asked:
        values = _distinct(extraction.get(attribute.name, []))
        if attribute.kind == "closed":
            claims += grounder.closed(attribute, values)
        elif attribute.kind == "measure":
            claims += grounder.measure(attribute, values)
        else:
            known = grounder.closed(attribute.known, []) if attribute.known else []
            if learned is not None and tagged(attribute):
                candidates = (tags or {}).get(attribute.name, ())
                asked = all_asked or learned.unsure(attribute.name, candidates)
                others = _weighed(attribute, values, candidates, document, lexicon, learned, asked=asked)
            else:
                others = grounder.open(attribute, values)
            claims += known + [claim for claim in others if not _names_one_of(claim, known)]
    return claims + grounder.phrases(claims)


def _names_one_of(claim: Claim, known: Sequence[Claim]) -> bool:
    """Is it said in other words already ("Boost midsole" beside adidas Boost)?"""
    mine = set(stems(claim["value"]))
    return any(
        mine <= said or said <= mine
        for one in known
        for said in (set(stems(one["value"])), set(stems(one["quote"] or one["value"])))
    )


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
                claim = claim.copy()
                claim["status"], claim["verdict"], claim["confidence"] = "proposed", verdict, _EVEN
                claim["evidence"] = Evidence.VARIANTS.value
        held.append(claim)
    return held


def evidence_of(value: str, sources: Sources) -> dict[str, Any]:
    """Where the text states a value that a person gave, as columns of a claim; none where it does not."""
    document = Document(sources)
    for place in document.find(value):
        if not document.fields[place.field].under(place.first, place.last):
            quote = document.quote(place.field, place.start, place.end)
            span = {"field": place.field, "start": place.start, "end": place.end}
            return {"claim_type": "stated", "quote": quote, **span}
    return {}


class _Grounder:
    """Of one product."""

    def __init__(self, document: Document, lexicon: Lexicon, trust: Trust) -> None:
        self.document = document
        self.lexicon = lexicon
        self.trust = trust
        self.found = lexicon.find(document)
        self.head = lexicon.head(document)
        self.language = document.language if self.trust.by_language else ""

    @property
    def _is_other(self) -> bool:
        """Does the title say that it is a thing of another kind?"""
        return self.head is not None and not self.head.covered

    def closed(self, attribute: Attribute, values: Sequence[Found]) -> list[Claim]:
        matches = self.found.get(attribute.name, [])
        if not matches and not values:
            return []
        labelled = self.lexicon.labelled(attribute, self.document)
        if attribute.looks:
            matches = _sold(matches, labelled)
        best: dict[str, Match] = {}
        for match in matches:
            if match.stated and (match.value not in best or self._outranks(attribute, match, best[match.value])):
                best[match.value] = match
        if attribute.facet == "demand":
            best = {value: self._with_its_list(match, matches) for value, match in best.items()}
        if attribute.name in QUALITIES:
            best = {value: with_noun(match, self.document, self.lexicon) for value, match in best.items()}
        elif attribute.looks:
            best = {value: with_shade(match, self.document) for value, match in best.items()}
        elif self.lexicon.parts.needs_cue(attribute.name) and is_substance(attribute):
            best = {value: with_part(match, self.document, self.lexicon, attribute) for value, match in best.items()}
        if is_substance(attribute) and not attribute.multiple:
            best = {value: match for value, match in best.items() if not _is_said_closer(value, best)}
        said = {item["value"] for item in values}
        claims = [self._unstated(attribute, item, matches, labelled) for item in values if item["value"] not in best]
        if any(claim["status"] == "verified" for claim in claims) and not attribute.multiple:
            return claims
        stated = [
            self._weighted(attribute, match, "both" if match.value in said else "lexicon", labelled)
            for match in best.values()
        ]
        vague = set(attribute.vague)
        if any(claim["status"] == "verified" and claim["value"] not in vague for claim in stated):
            # "Multicolour" says nothing where a colour is named.
            stated = [claim for claim in stated if claim["value"] not in vague]
        if attribute.looks:
            stated = self._agreeing(attribute, stated, matches)
        elif is_substance(attribute):
            stated = self._wholly(attribute, stated, matches)
        if not attribute.multiple:
            stated = self._one(attribute, stated, matches, said)
            if stated:
                claims = [claim for claim in claims if claim["status"] != "proposed"]
        denied: dict[str, Match] = {}
        kind = attribute.name == self.lexicon.labels.kind
        if attribute.facet == "supply" and not (kind or attribute.looks or self._is_other):
            # Whom or what a product is not for, sentences say by the way ("no running required").
            denied = {
                match.value: match
                for match in matches
                if match.denied and match.value not in {*best, *said} and self._is_plainly_denied(match)
            }
        return claims + stated + [self._denied(attribute, match) for match in denied.values()]

    def _outranks(self, attribute: Attribute, match: Match, other: Match) -> bool:
        """Is it the better evidence: what a label or column says, else what is trusted more?"""
        asked, other_asked = match.evidence in _ASKED_FOR, other.evidence in _ASKED_FOR
        mine, theirs = self._trust(attribute, match.evidence), self._trust(attribute, other.evidence)
        return (asked, mine) > (other_asked, theirs)

    def _with_its_list(self, match: Match, matches: Sequence[Match]) -> Match:
        """The match with what a list goes on with that means the same value ("handball, volleyball and badminton")."""
        text, end = self.document.fields[match.field].text, match.end
        for other in matches:
            mine = other.stated and (other.field, other.value) == (match.field, match.value)
            if mine and other.start > end and _JOINED.fullmatch(text, end, other.start):
                end = other.end
        return match._replace(end=end)

    def measure(self, attribute: Attribute, values: Sequence[Found]) -> list[Claim]:
        matches = self.lexicon.measures(attribute, self.document)
        stated = [match for match in matches if match.stated]
        claims: list[Claim] = []
        for item in values:
            wanted = " ".join(stems(item["value"]))
            if mine := [match for match in stated if same(match.value, wanted, attribute.units)]:
                claims.append(self._measured(attribute, mine[0], "both"))
            else:
                why = next((m.standing for m in matches if same(m.value, wanted, attribute.units)), None)
                claims.append(_rejected(attribute, item["value"], why or "no such measure in the text", item))
        asked_for = [match for match in stated if match.evidence in _ASKED_FOR]
        alone = {match.value: match for match in reversed(asked_for or stated)}
        if len(alone) == 1 and not any(claim["status"] != "rejected" for claim in claims):
            claims += [self._measured(attribute, match, "lexicon") for match in alone.values()]
        return claims

    def open(self, attribute: Attribute, values: Sequence[Found]) -> list[Claim]:
        claims: list[Claim] = []
        for item in values:
            value = item["value"]
            if attribute.name == "model_name":
                value = bare_name(value, self.document, self.lexicon)
                why = "" if value else "nothing but brand, kind, audience, size or colour"
                if value and self._is_no_model(value):
                    why = "a part's, or half a name"
                if why:
                    claims.append(_rejected(attribute, item["value"], why, item))
                    continue
            spans = self.lexicon.spans(attribute, value, self.document)
            if stated := [match for match in spans if match.stated]:
                best = max(stated, key=lambda match: self._trust(attribute, match.evidence))
                claims.append(self._weighted(attribute, best, "model", ()))
            elif spans:
                claims.append(_rejected(attribute, value, _why(spans[0], self.document), item))
            elif attribute.facet == "demand":
                claims.append(self._hypothesis(attribute, item))
            else:
                claims.append(_rejected(attribute, value, "not in the text", item))
        return claims

    def phrases(self, claims: Sequence[Claim]) -> list[Claim]:
        """What the description says in its own words, and neither the title nor `claims` have said or disputed."""
        if self._is_other:
            return []
        known = set(stems(self.document.sources.get("title", "")))
        disputed = []
        for claim in claims:
            quote = stems(claim["quote"] or "")
            if claim["status"] == "verified":
                known.update(stems(claim["attribute"].replace("_", " ")), stems(claim["value"]), quote)
            elif quote and claim["evidence"] in _DISPUTED:
                disputed.append(set(quote))
        made: list[Claim] = []
        some = [attribute for attribute in self.lexicon.schema.attributes if attribute.kind == "phrase"]
        some.sort(key=lambda one: one.facet)  # "made for" first, which says more than its nouns
        for attribute, found in phrases(self.document, self.lexicon, *some):
            most = _MOST_PHRASES
            for match in found:
                said = stems(match.value)
                told = said if attribute.facet == "demand" else said[:-1]
                new = {stem for stem in told if stem.isalpha() and stem not in STOP and (stem,) not in words("praise")}
                if not new - known or not most or any(others <= set(said) for others in disputed):
                    continue
                if match.denied:
                    made.append(self._denied(attribute, match))
                elif self.lexicon.says_how(tokenize(match.value)):
                    continue
                else:
                    made.append(self._weighted(attribute, match, "lexicon", ()))
                known.update(said)
                most -= 1
        return made

    def _is_no_model(self, name: str) -> bool:
        """Is a name that the title does not have that of a part ("Gambetrax outsole"), or made of the title's words
        with some left out?"""
        title, words_of_name = stems(self.document.sources.get("title", "")), stems(name)
        if any(title[at : at + len(words_of_name)] == words_of_name for at in range(len(title))):
            return False
        if 2 * len(set(words_of_name) & set(title)) > len(set(words_of_name)):
            return True
        places = [place for place in self.document.find(name) if place.field != "title"]
        behind = [(self.document.fields[place.field].tokens, place.last) for place in places]
        return bool(behind) and all(
            last < len(tokens) and self.lexicon.parts.at(tokens, last) for tokens, last in behind
        )

    def _trust(self, attribute: Attribute, evidence: Evidence) -> float:
        return self.trust(evidence, sort_of(attribute, self.lexicon.labels), self.language)

    def _weighted(self, attribute: Attribute, match: Match, found_by: FoundBy, labelled: Sequence[Labelled]) -> Claim:
        """A value that the text states: verified if its evidence has earned that, and nothing outweighs it."""
        claim = _stated(attribute, match, self.document, found_by)
        doubt = ""
        if against := self._contradiction(attribute, match):
            doubt = f"{against} speaks against it"
            match = match._replace(evidence=Evidence.CONTRADICTED)
        elif match.evidence not in _ASKED_FOR:
            if denial := self._denial(attribute, match.value):
                doubt = f"the text denies it: {self.document.quote(denial.field, denial.start, denial.end)!r}"
                match = match._replace(evidence=Evidence.CONTRADICTED)
            elif match.field == "title" and (likeness := self._likeness(attribute, match.value)):
                quote = self.document.quote(likeness.field, likeness.start, likeness.end)
                doubt = f"the {_words(likeness.field)} says that it only looks like {quote!r}"
                match = match._replace(evidence=Evidence.CONTRADICTED)
            elif attribute.facet == "supply" and (other := self._against(attribute, match, labelled)):
                doubt = f"the {_words(other.field, other.label)} says {other.quote!r}"
                # Titles say "gold" of what is gold-tone: of substances they are no surer beside the head.
                at_head = match.evidence in (Evidence.HEAD, Evidence.PHRASE) and not is_substance(attribute)
                match = match._replace(evidence=Evidence.HEAD_OUTWEIGHED if at_head else Evidence.OUTWEIGHED)
            elif self.head is not None and self._is_other and not attribute.looks:
                doubt = f"the title says it is a {self.head.words!r}"
                match = match._replace(evidence=Evidence.OTHER_KIND)
        elif not attribute.multiple and (
            len({one.quote.casefold() for one in labelled if one.label == match.beside}) > 1
            or any(one.several and match.value in one.values for one in labelled)
        ):
            doubt = f"{claim['verdict']}, among others"
            match = match._replace(evidence=Evidence.LISTED)
        confidence = self._trust(attribute, match.evidence)
        claim["evidence"] = match.evidence.value
        if doubt:
            confidence = min(confidence, _DOUBTED)
        elif found_by == "both" and not (match.evidence is Evidence.PROSE and self._is_by_the_way(attribute, match)):
            confidence = agreed(confidence)
        if not doubt and confidence < VERIFIED_FROM:
            doubt = f"{claim['verdict']}; of such claims ({match.evidence}) {int(confidence * 100)}% are right"
        claim["confidence"] = round(confidence, 4)
        if doubt:
            claim["status"], claim["verdict"] = "proposed", doubt
        return claim

    def _is_by_the_way(self, attribute: Attribute, match: Match) -> bool:
        """May a free mention be of what the product is not, or of what only a part is ("a leather cage")?"""
        of_part = is_substance(attribute) and goes_on(match, self.document)
        return of_part or self.lexicon.is_mentioned(attribute.name)

    def _against(self, attribute: Attribute, match: Match, labelled: Sequence[Labelled]) -> Labelled | None:
        """What a label or a column says instead. Words that the lexicon does not know say nothing against a kind of
        thing, as there are as many ways to sort things as there are shops."""
        if attribute.values and set(attribute.values) <= set(attribute.vague):
            return None  # of details there are always more
        stated = {value for one in labelled for value in one.values}
        if match.value in stated or stated & set(attribute.vague):
            return None
        # "Sleeve: short" says nothing against short sleeves, "Length: 115 cm" nothing against midi.
        own = set(stems(match.value)) | set(stems(self.document.quote(match.field, match.start, match.end)))
        labelled = [
            one
            for one in labelled
            if one.values or not (own & set(stems(one.quote)) or _STARTS_WITH_NUMBER.match(one.quote))
        ]
        known = [one for one in labelled if one.values]
        if attribute.name == self.lexicon.labels.kind:
            return known[0] if known else None
        return next(iter(known or labelled), None)

    def _denial(self, attribute: Attribute, value: str) -> Match | None:
        """Where the text says that it is not so; of all of them ("all hobs"), that one is not."""
        matches = self.found.get(attribute.name, ())
        whole = stems(value)[:1] in words("wholes")
        return next((one for one in matches if one.denied and (whole or one.value == value)), None)

    def _contradiction(self, attribute: Attribute, match: Match) -> str:
        """Words that by the schema speak against the value, with their field; "" if none stand anywhere."""
        words = self.lexicon.contradicting.get((attribute.name, match.value))
        if words is None:
            return ""
        for name, field in self.document.fields.items():
            if words.firsts.isdisjoint(field.words):
                continue
            for index, token in enumerate(field.tokens):
                width = words.at(field.tokens, index)
                own = name == match.field and token.start < match.end and match.start < token.end
                if width and not own and field.under(index, index + width) == Scope.NONE:
                    return f"{field.quote(index, index + width)!r} in the {_words(name)}"
        return ""

    def _likeness(self, attribute: Attribute, value: str) -> Match | None:
        """Where the text says that the product only looks as if it were made of it, and nowhere but in the title that
        it is: "Silver brooch", "pewter with a silver finish"."""
        matches = [match for match in self.found.get(attribute.name, ()) if match.value == value]
        if not self.lexicon.labels.is_of_substances(attribute) or any(
            match.stated and match.field != "title" for match in matches
        ):
            return None
        return next((match for match in matches if match.standing is Standing.LIKENESS), None)

    def _measured(self, attribute: Attribute, match: Match, found_by: FoundBy) -> Claim:
        """In the attribute's own unit; the quote is what the text says."""
        return self._weighted(attribute, match._replace(value=canonical(match.value, attribute.units)), found_by, ())

    def _contradicted(self, attribute: Attribute, claim: Claim, other: Claim) -> Claim:
        """One of two that are stated and cannot both be so."""
        mine = f"the {_words(claim['field'] or 'text')} says {claim['quote']!r}"
        return self._doubted(attribute, claim, f"{mine}, the {_words(other['field'] or 'text')} {other['quote']!r}")

    def _doubted(self, attribute: Attribute, claim: Claim, verdict: str) -> Claim:
        """The claim, left to be judged as what the text says elsewhere contradicts it."""
        claim["status"] = "proposed"
        claim["evidence"] = Evidence.CONTRADICTED.value
        claim["confidence"] = round(min(self._trust(attribute, Evidence.CONTRADICTED), _DOUBTED), 4)
        claim["verdict"] = verdict
        return claim

    def _agreeing(self, attribute: Attribute, stated: list[Claim], matches: Sequence[Match]) -> list[Claim]:
        """Looks of which the title says one and the text others contradict each other: "boot black", "in brown". So
        does what a column says alone, and the title and the text say another."""
        said_in = {
            name: {match.value for match in matches if match.stated and match.field == name}
            for name in ("title", "description")
        }
        agreed_on = next((claim for claim in stated if all(claim["value"] in said for said in said_in.values())), None)
        asked_for = [claim for claim in stated if claim["evidence"] in _ASKED_FOR]
        if agreed_on and asked_for and not any(claim["value"] in set().union(*said_in.values()) for claim in asked_for):
            return [
                self._contradicted(attribute, claim, agreed_on) if claim in asked_for else claim for claim in stated
            ]
        sure = [claim for claim in stated if claim["status"] == "verified"]
        titles = [claim for claim in sure if claim["field"] == "title"]
        texts = [claim for claim in sure if claim["field"] == "description"]
        if not titles or not texts or any(claim["value"] in said_in["description"] for claim in titles):
            return stated
        return [
            self._contradicted(attribute, claim, texts[0] if claim in titles else titles[0])
            if claim in titles or claim in texts
            else claim
            for claim in stated
        ]

    def _wholly(self, attribute: Attribute, stated: list[Claim], matches: Sequence[Match]) -> list[Claim]:
        """What is "100 % cotton" is of nothing else that its title may be stuffed with."""
        whole = {match.value: match for match in matches if match.stated and self._is_whole(match)}
        if len(whole) != 1:
            return stated
        ((value, match),) = whole.items()
        said = self.document.quote(match.field, match.start, match.end)
        for claim in stated:
            if claim["value"] != value and claim["field"] == "title" and claim["status"] == "verified":
                self._doubted(attribute, claim, f"the {_words(match.field)} says '100 % {said}'")
        return stated

    def _is_whole(self, match: Match) -> bool:
        text = self.document.fields[match.field].text
        return bool(_WHOLE_BEFORE.search(text, 0, match.start) or _WHOLE_AFTER.match(text, match.end))

    def _one(self, attribute: Attribute, stated: list[Claim], matches: Sequence[Match], said: set[str]) -> list[Claim]:
        """Of the values of a one-valued attribute that the text states, the one that is believed, and those that are
        left to be judged: what a label or a column says outweighs the rest, title and description do not each other."""
        if len(stated) < 2:
            return stated
        asked_for = [claim for claim in stated if claim["evidence"] in _ASKED_FOR]
        if not asked_for and (head := [claim for claim in stated if claim["evidence"] == Evidence.HEAD]):
            # "Polo T-shirt" says two kinds.
            rival = next((claim for claim in stated if claim["field"] == "title" and claim not in head), None)
            if rival is None and (narrower := _narrower(head[0], matches, self.document)):
                narrower = narrower._replace(evidence=Evidence.HEAD)
                both: FoundBy = "both" if narrower.value in said else "lexicon"
                return [self._weighted(attribute, narrower, both, self.lexicon.labelled(attribute, self.document))]
            return (
                head
                if rival is None
                else [self._contradicted(attribute, head[0], rival), self._contradicted(attribute, rival, head[0])]
            )
        if len(asked_for) == 1:
            others = [claim for claim in stated if claim not in asked_for]
            return asked_for + [
                self._contradicted(attribute, claim, asked_for[0]) if claim["status"] == "verified" else claim
                for claim in others
            ]
        if asked_for:
            return [
                self._contradicted(attribute, claim, asked_for[0 if claim is not asked_for[0] else 1])
                for claim in asked_for
            ]
        chosen = [claim for claim in stated if claim["value"] in said] or stated
        titled = [claim for claim in chosen if claim["field"] == "title" and claim["status"] == "verified"]
        if titled:  # "Unisex necklace" on the shelf "Men" is what its title says.
            chosen = [claim for claim in chosen if claim["evidence"] != Evidence.PATH or claim in titled]
        first = max(chosen, key=lambda claim: (claim["evidence"] in _NAMED, claim["confidence"] or 0))
        everywhere = {match.value: set[bool]() for match in matches if match.stated}
        for match in matches:
            if match.stated:
                everywhere[match.value].add(match.field == "title")
        in_title = {value for value, where in everywhere.items() if True in where}
        elsewhere = {value for value, where in everywhere.items() if False in where}
        if in_title and elsewhere and not in_title & elsewhere:
            title = next(claim for claim in stated if claim["field"] == "title")
            other = next(claim for claim in stated if claim["field"] != "title")
            return [self._contradicted(attribute, title, other), self._contradicted(attribute, other, title)]
        if len(chosen) > 1 and not said:
            rival = next(claim for claim in chosen if claim is not first)
            return (
                [self._contradicted(attribute, first, rival)] if rival["confidence"] == first["confidence"] else [first]
            )
        return [first]

    def _unstated(
        self, attribute: Attribute, item: Found, matches: Sequence[Match], labelled: Sequence[Labelled]
    ) -> Claim:
        """What the model says and no words of the lexicon state."""
        mine = [match for match in matches if match.value == item["value"]]
        if denied := [match for match in mine if match.denied]:
            return _rejected(attribute, item["value"], _why(denied[0], self.document), item, denied[0], self.document)
        if attribute.facet == "supply" and (read := [one for one in labelled if not one.values]):
            # Under a label that asks for it stand words that the lexicon does not know: the model has read them. What a
            # word for a style or a need is nearest to, it only guesses ("funky").
            place = read[0]
            match = Match(item["value"], place.field, place.start, place.end, Evidence.READ, beside=place.label)
            return self._weighted(attribute, match, "model", ())
        if attribute.may_infer:
            return self._hypothesis(attribute, item)
        why = _why(mine[0], self.document) if mine else "no words in the text state it"
        return _rejected(attribute, item["value"], why, item)

    def _hypothesis(self, attribute: Attribute, item: Found) -> Claim:
        """A value the text does not state. What is given as its reason must stand in the text: small models make
        reasons up, or copy them from an example."""
        why = item.get("why") or None
        cited = next(iter(self.document.find(why)), None) if why else None
        evidence = None
        if attribute.facet == "demand":
            if cited is None:
                verdict = "its reason is not in the text" if why else "no reason given"
                return _rejected(attribute, item["value"], verdict, item)
            others = (
                match
                for name, matches in self.found.items()
                for match in matches
                if (name, match.value) != (attribute.name, item["value"])
            )
            evidence = class_of_reason(cited, others, self.document, self.lexicon)
        claim = _claim(
            attribute,
            item["value"],
            "demand" if attribute.facet == "demand" else "inferred",
            "proposed",
            "to be judged",
            "model",
            reason=why,
        )
        claim["evidence"] = None if evidence is None else evidence.value
        if cited is not None:
            claim["field"], claim["start"], claim["end"] = cited.field, cited.start, cited.end
            claim["quote"] = self.document.quote(cited.field, cited.start, cited.end)
        return claim

    def _is_plainly_denied(self, match: Match) -> bool:
        """Does what denies it stand close by, or a label ask for it? Of "no need to tell when you have them laced up"
        nobody would say that the shoe has no laces."""
        if self.lexicon.says_more(self.document.quote(match.field, match.start, match.end), match.value):
            return False  # "Without a Gore-Tex membrane" denies no more than that.
        if match.evidence in _ASKED_FOR:
            return True
        field = self.document.fields[match.field]
        tokens, (first, last) = field.tokens, tokens_of(match, field)
        near = [*range(max(0, first - _DENIED_WITHIN), last), *range(last, min(len(tokens), last + _DENIED_WITHIN))]
        return any_words(*_DENIALS).at_any(tokens, near)

    def _denied(self, attribute: Attribute, match: Match) -> Claim:
        """What the text says that it is not."""
        return _rejected(attribute, match.value, _why(match, self.document), None, match, self.document)


def _sold(matches: Sequence[Match], labelled: Sequence[Labelled]) -> list[Match]:
    """Where a column or label gives one look, and a label in the plural several ("Colours: black, brown"), these are
    what it may be had in."""
    chosen = {value for one in labelled if not _CHOICES.search(one.label) for value in one.values}
    offers = [one for one in labelled if _CHOICES.search(one.label)]
    if not chosen or not offers:
        return list(matches)
    offered = {one.label for one in offers}
    return [
        match._replace(standing=Standing.ASIDE)
        if match.stated and match.beside in offered and match.value not in chosen
        else match
        for match in matches
    ]


def _is_said_closer(value: str, others: Iterable[str]) -> bool:
    """Does another value say the same more closely: "stainless steel" steel?"""
    own = set(stems(value))
    return any(own < set(stems(other)) for other in others)


def _narrower(claim: Claim, matches: Sequence[Match], document: Document) -> Match | None:
    """What says it more closely with the same last words: "football boots" where the title says "boots"."""
    own = stems(claim["quote"] or "")
    for match in matches:
        said = stems(document.quote(match.field, match.start, match.end))
        if match.stated and len(said) > len(own) and said[-len(own) :] == own:
            return match
    return None


def _why(match: Match, document: Document) -> str:
    """Why a value is not taken where its words stand."""
    quote = document.quote(match.field, match.start, match.end)
    if match.standing is Standing.DENIED:
        return f"the text denies it: {quote!r}"
    return f"{match.standing}: {quote!r}" + (f" ({match.beside})" if match.beside else "")


def _weighed(
    attribute: Attribute,
    values: Sequence[Found],
    candidates: Sequence[Candidate],
    document: Document,
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
        if any(match.stated for match in lexicon.spans(attribute, document.sources[field][start:end], document)):
            options.setdefault(stems(value), (Match(value, field, start, end, Evidence.TAGGED), probability))
    for item in _distinct(values):
        spans = lexicon.spans(attribute, item["value"], document)
        if (key := stems(item["value"])) in options:
            said[key] = item
        elif asserted := [match for match in spans if match.stated]:
            said[key] = item
            options[key] = (asserted[0]._replace(evidence=Evidence.TAGGED), 0.0)
        else:
            claims.append(
                _rejected(attribute, item["value"], _why(spans[0], document) if spans else "not in the text", item)
            )
    weighed = []
    for key, (match, probability) in options.items():
        answer = Answer.NOT_ASKED
        if asked:
            answer = Answer.SAME if key in said else Answer.OTHER if said else Answer.NONE
        weighed.append((learned.confidence(attribute.name, probability, answer), answer, match))
    weighed.sort(key=lambda one: -one[0])
    for place, (confidence, answer, match) in enumerate(weighed):
        found_by: FoundBy = "tagger"
        if answer is Answer.SAME:
            found_by = "both" if any(stems(one.value) == stems(match.value) for one in candidates) else "model"
        kept = confidence >= KEPT_FROM and (attribute.multiple or place == 0)
        if not kept and answer is not Answer.SAME:
            continue
        claim = _stated(attribute, match, document, found_by)
        claim["confidence"] = round(confidence, 4)
        if confidence < VERIFIED_FROM or not kept:
            claim["status"] = "proposed" if kept else "rejected"
            claim["verdict"] = (
                f"likely, not sure (p = {confidence:.2f})" if kept else f"unlikely (p = {confidence:.2f})"
            )
        claims.append(claim)
    return claims


def _stated(attribute: Attribute, match: Match, document: Document, found_by: FoundBy) -> Claim:
    quote = document.quote(match.field, match.start, match.end)
    literal = stems(quote) == stems(match.value)
    where = _words(match.field, match.beside if match.evidence in _ASKED_FOR else "")
    return _claim(
        attribute,
        match.value,
        "stated" if literal else "normalised",
        "verified",
        f"the {where} says so" if literal else f"the {where} says {quote!r}",
        found_by,
        match=match,
        quote=quote,
    )


def _rejected(
    attribute: Attribute,
    value: str,
    verdict: str,
    item: Found | None,
    match: Match | None = None,
    document: Document | None = None,
) -> Claim:
    """`match`: the words that deny it. item: as the model gave it, None if it did not."""
    match = match._replace(evidence=Evidence.DENIED) if match else None
    kind: ClaimType = "demand" if attribute.facet == "demand" else "stated"
    quote = document.quote(match.field, match.start, match.end) if match and document else None
    found_by: FoundBy = "model" if item else "lexicon"
    reason = (item.get("why") or None) if item else None
    return _claim(attribute, value, kind, "rejected", str(verdict), found_by, match=match, quote=quote, reason=reason)


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
        evidence=match.evidence.value if match else None,
    )


def _distinct(values: Sequence[Found]) -> list[Found]:
    first: dict[str, Found] = {}
    for item in values:
        first.setdefault(item["value"], item)
    return list(first.values())


def _words(field: str, label: str = "") -> str:
    """Where it stands, in words: the label that asks for it, else the field."""
    return label or field.removeprefix(COLUMN)
