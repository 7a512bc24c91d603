"""Summarizer: a model's prose about a product, which stands beside the summary that is composed from claims.

Of the product's text it reads title and brand, and of the rest the sentences that hold evidence of a claim: a sentence
that none rests on, and be it an order in a language that nobody foresaw, has no say in it.

The prose is held to what was shown, statement by statement: its numbers, its values of the category's lexicon and what
it denies must be claims, and the words it describes things with must stand there: those beside a part beside it
("durable leather sole"), others close to each other, and what it is said to be for where the text says so, too.
Sentences that are not borne out are left out; where the first one is not, there is no prose.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Self

from reaseq.agents.agent import Findings, ProductAgent, ReadProduct, Setup
from reaseq.agents.claims import Claim
from reaseq.agents.product_text import shown
from reaseq.documents.document import Document
from reaseq.documents.language import words
from reaseq.documents.tokens import STOP, Token, stems, tokenize
from reaseq.llm.chat import Chat, ChatRequest, Message, ReplyError
from reaseq.prompts.library import Prompt
from reaseq.taxonomy.evidence import GUESSED, Evidence
from reaseq.taxonomy.lexicon import QUALITIES, Lexicon

_SHORTEST = 10
_LONGEST = 1200
_SENTENCE = re.compile(r".+?(?:[.!?]+(?=\s|$)|[。！？]+|$)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069]")
_ROOT = 5
"""Letters: words that share so many at their beginning say the same ("cushioned", "cushioning")."""
_NEAR = 3
"""Tokens, from one describing word of the text to the next that may be told in one breath with it."""
_SAYING = frozenset(
    stem
    for word in (
        "suit suitable ideal great good design feature featuring provide offer give have has use fit well both"
        " also which who them they made make look type kind style product item pair colour color"
    ).split()
    for stem in stems(word)
)
"""Words in which prose says what a product is, and which state nothing."""

_THINGS = frozenset(stem for word in ("pair", "product", "item", "model") for stem in stems(word))
_BEING = frozenset(stem for word in ("is", "are") for stem in stems(word))


class Summarizer(ProductAgent):
    """Built once per category."""

    name = "summarizer"
    usual_reply = 80

    def __init__(self, prompt: Prompt, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.prompt = prompt.bind(system={"category": lexicon.schema.category.replace("_", " ")})

    @classmethod
    def build(cls, setup: Setup) -> Self:
        return cls(setup.prompts[cls.name], setup.lexicon)

    async def work(
        self, chat: Chat, product: ReadProduct, found: Findings, *, repair: tuple[Message, ...] = ()
    ) -> Findings:
        """The product's `prose`; nothing, if what the model wrote is not borne out."""
        prose = await self.write(chat, product.text, found["claims"], product_id=product.id, repair=repair)
        return {"prose": prose} if prose else {}

    async def write(
        self,
        chat: Chat,
        text: Document,
        claims: Sequence[Claim],
        *,
        product_id: str | None = None,
        repair: tuple[Message, ...] = (),
    ) -> str | None:
        """One paragraph about the product; None if what the model wrote is not borne out.

        Raises:
            ReplyError: it is too short or long.
        """
        # The text's own words are prose already, and a guess is no fact.
        held = [
            claim
            for claim in claims
            if claim["status"] in ("approved", "edited")
            or (
                claim["status"] == "verified"
                and claim["evidence"] != Evidence.WORDS
                and claim["claim_type"] not in GUESSED
            )
        ]
        denied = [claim for claim in claims if claim["evidence"] == Evidence.DENIED and claim not in held]
        read = Document(_evidence(text, [*held, *denied]))
        product, facts = shown(read), _facts(held, denied)
        reply = await chat.ask(
            ChatRequest(
                agent=self.name,
                prompt=self.fingerprint,
                prefix=self.prompt.messages,
                turns=(("user", self.prompt.user(product=product, facts=facts)), *repair),
                max_tokens=self.prompt.max_tokens * (2 if repair else 1),
                product_id=product_id,
            )
        )
        prose = _SPACE.sub(" ", _CONTROL.sub("", reply.text)).strip()
        if not _SHORTEST <= len(prose) <= _LONGEST:
            raise ReplyError(
                f"The summary has {len(prose)} characters; write between {_SHORTEST} and {_LONGEST}.", reply
            )
        grounds = _Grounds(self.lexicon, read, held, denied)
        sentences: list[str] = _SENTENCE.findall(prose)
        kept = [sentence for sentence in sentences if grounds.bear_out(sentence)]
        if kept[:1] != sentences[:1] or grounds.repeats_title("".join(kept)):
            return None
        return "".join(kept).strip()


class _Grounds:
    """What prose about one product may say."""

    def __init__(self, lexicon: Lexicon, read: Document, held: Sequence[Claim], denied: Sequence[Claim]) -> None:
        self.lexicon = lexicon
        self.values = {(claim["attribute"], claim["value"]) for claim in held}
        self.of_parts: dict[tuple[str, str], frozenset[str]] = {}
        for claim in held:
            if not lexicon.parts.needs_cue(claim["attribute"]):
                self.of_parts[claim["attribute"], claim["value"]] = self._parts(tokenize(claim["quote"] or ""))
        self.denied = {(claim["attribute"], claim["value"]) for claim in denied}
        self.units = [
            _roots(group)
            for field in read.fields.values()
            for _, group in groupby(field.tokens, key=lambda token: token.sentence)
        ]
        self.units += [_roots(tokenize(_in_words(claim))) for claim in (*held, *denied)]
        self.all = frozenset().union(*self.units)
        titles = [token for name in ("title", "brand") if name in read.fields for token in read.fields[name].tokens]
        self.title = _roots(titles)
        self.known = frozenset(token.stem for token in [*_words_of(held), *titles])
        self.pairs = frozenset(
            frozenset(_roots((token, other)))
            for field in read.fields.values()
            for index, token in enumerate(field.tokens)
            for other in field.tokens[index + 1 : index + 1 + _NEAR]
        )
        for_whom = [claim for claim in held if claim["attribute"] not in QUALITIES and _is_demand(lexicon, claim)]
        self.purposes = _roots(_words_of(for_whom)) | _roots(
            token
            for field in read.fields.values()
            for index, token in enumerate(field.tokens)
            if any(
                words("purposes").at(field.tokens, at, index) and field.tokens[at].sentence == token.sentence
                for at in range(index)
            )
        )

    def _parts(self, tokens: Sequence[Token]) -> frozenset[str]:
        return _roots(token for at, token in enumerate(tokens) if self.lexicon.parts.at(tokens, at))

    def repeats_title(self, prose: str) -> bool:
        """Does it say nothing that the title does not, as half a sentence after "Jr." does?"""
        said = [token for token in tokenize(prose) if token.stem not in STOP and token.stem not in _SAYING]
        return _roots(said) <= self.title

    def bear_out(self, sentence: str) -> bool:
        read = Document({"summary": sentence})
        said, denied = _values(self.lexicon, read)
        if not said <= self.values or not denied <= self.denied:
            return False
        parts = self._parts([token for field in read.fields.values() for token in field.tokens])
        if any(self.of_parts.get(value, parts) - parts for value in said):
            return False  # A shoe with a "lightweight midsole" is not lightweight for that.
        return all(self._is_said(field.tokens, *run) for field in read.fields.values() for run in _runs(field.tokens))

    def _is_said(self, tokens: Sequence[Token], first: int, last: int) -> bool:
        """Do the words from `first` to `last` (exclusive) stand so in what was shown?"""
        run = tokens[first:last]
        roots = _roots(run)
        parts = [index for index in range(len(run)) if self.lexicon.parts.at(run, index)]
        if not roots <= self.all or (parts and not any(roots <= unit for unit in self.units)):
            return False
        if last < len(tokens) and tokens[last].stem in _THINGS and not {token.stem for token in run} <= self.known:
            return False  # "a signature pair"
        before = first - 1
        while before >= 0 and words("articles").at(tokens, before, first):
            before -= 1
        if before >= 0 and words("purposes").at(tokens, before, first):
            whole = self._parts(tokens[max(0, before - 1) : before])
            if not roots & self.purposes or not any(whole <= unit and roots & unit for unit in self.units):
                return False  # "A mesh upper and a rubber outsole for breathability"
        if parts and parts[-1] == len(run) - 1 and before >= 0 and tokens[before].stem in _BEING:
            return False  # "the shoe is a stealthy upper"
        return all(
            {one.stem, other.stem} <= self.known or frozenset(_roots((one, other))) in self.pairs
            for one, other in pairwise(run)
        )


def _runs(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) of each run of describing words."""
    first: int | None = None
    for index, token in enumerate(tokens):
        empty = token.stem in STOP or token.stem in _SAYING or words("links").at(tokens, index)
        if first is not None and (empty or token.clause != tokens[first].clause):
            yield first, index
            first = None
        if first is None and not empty:
            first = index
    if first is not None:
        yield first, len(tokens)


def _is_demand(lexicon: Lexicon, claim: Claim) -> bool:
    attribute = lexicon.schema.get(claim["attribute"])
    return attribute is not None and attribute.facet == "demand"


def _words_of(claims: Iterable[Claim]) -> Iterator[Token]:
    for claim in claims:
        yield from tokenize(_in_words(claim))


def _in_words(claim: Claim) -> str:
    """What may be told of it. Of "indoors and outdoors" that is only what the text says, as of a quality: what has
    "recycled straps" is for its seller to call sustainable."""
    quote = claim["quote"] or ""
    value = quote if quote and (" and " in claim["value"] or claim["attribute"] in QUALITIES) else claim["value"]
    # "Needs comfort" is no way to say it.
    named = "" if claim["facet"] == "demand" else claim["attribute"].replace("_", " ")
    return " ".join((named, value, quote))


def _roots(tokens: Iterable[Token]) -> frozenset[str]:
    """Numbers as they are, words by how they begin."""
    return frozenset(token.stem if token.stem[0].isdigit() else token.stem[:_ROOT] for token in tokens)


def _values(lexicon: Lexicon, text: Document) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The lexicon's values that `text` states, and those that it denies, each with its attribute."""
    found = [(name, match) for name, matches in lexicon.find(text).items() for match in matches]
    return (
        {(name, match.value) for name, match in found if match.stated},
        {(name, match.value) for name, match in found if match.denied},
    )


def _evidence(text: Document, claims: Sequence[Claim]) -> dict[str, str]:
    """Title and brand, and of each other field the sentences in which evidence of a claim stands."""
    places = [
        (field, claim["start"] or 0, claim["end"] or 0) for claim in claims if (field := claim["field"]) is not None
    ]
    said = text.sentences(places) | {name: text.sources[name] for name in ("title", "brand") if name in text.sources}
    return {name: said[name] for name in text.sources if name in said}


def _facts(held: Sequence[Claim], denied: Sequence[Claim]) -> str:
    """Values by attribute, a line each."""
    values: dict[str, list[str]] = {}
    for claim in held:
        values.setdefault(claim["attribute"].replace("_", " "), []).append(claim["value"])
    for claim in denied:
        values.setdefault(claim["attribute"].replace("_", " "), []).append(f"not {claim['value']}")
    return "\n".join(f"{name}: {', '.join(found)}" for name, found in values.items()) or "(none)"
