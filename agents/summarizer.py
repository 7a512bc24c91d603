"""Summarizer: the dense text that is embedded, from the product's claims that hold and the words they rest on.

Of the product's text it reads title and brand, and of the rest the sentences that hold evidence of a claim: a sentence
that none rests on, and be it an order in a language that nobody foresaw, has no say in the summary.

The summary is held to what was shown as claims are held to the text: a sentence with a number or a value of the
category's lexicon that neither those words nor a claim bears out is left out. The first sentence says what the product
is; where that one goes, the product's title takes its place. Asking again was tried: of six products, three got no
better answer.
"""

import re
from collections.abc import Sequence

from reaseq.agents.claims import Claim
from reaseq.agents.product_text import plain, shown
from reaseq.documents.document import Document
from reaseq.documents.tokens import tokenize
from reaseq.llm.chat import Chat, ChatRequest, Message, ReplyError
from reaseq.prompts.library import Prompt
from reaseq.taxonomy.lexicon import Lexicon

_SHORTEST = 10
_LONGEST = 1200
_SENTENCE = re.compile(r".+?(?:[.!?]+(?=\s|$)|[。！？]+|$)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069]")


class Summarizer:
    """Built once per category."""

    name = "summarizer"

    def __init__(self, prompt: Prompt, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.prompt = prompt.bind(system={"category": lexicon.schema.category.replace("_", " ")})

    @property
    def fingerprint(self) -> str:
        return self.prompt.fingerprint

    async def summarize(
        self,
        chat: Chat,
        text: Document,
        claims: Sequence[Claim],
        *,
        product_id: str | None = None,
        repair: tuple[Message, ...] = (),
    ) -> str:
        """One paragraph about the product.

        Raises:
            ReplyError: it is too short or long, or nothing of it is borne out and there is no title.
        """
        claims = [claim for claim in claims if claim["status"] in ("verified", "approved", "edited")]
        read = Document(_evidence(text, claims))
        product, facts = shown(read), _facts(claims)
        reply = await chat.ask(
            ChatRequest(
                agent=self.name,
                prefix=self.prompt.messages,
                turns=(("user", self.prompt.user(product=product, facts=facts)), *repair),
                max_tokens=self.prompt.max_tokens * (2 if repair else 1),
                product_id=product_id,
            )
        )
        summary = _SPACE.sub(" ", _CONTROL.sub("", reply.text)).strip()
        if not _SHORTEST <= len(summary) <= _LONGEST:
            raise ReplyError(
                f"The summary has {len(summary)} characters; write between {_SHORTEST} and {_LONGEST}.", reply
            )
        sentences = _SENTENCE.findall(summary)
        borne_out = self._values(read) | {(claim["attribute"], claim["value"]) for claim in claims}
        numbers = _numbers(product) | _numbers(facts)
        kept, invented = [], []
        for sentence in sentences:
            values = self._values(Document({"summary": sentence})) - borne_out
            found = sorted(_numbers(sentence) - numbers) + sorted(value for _, value in values)
            invented += found
            if not found:
                kept.append(sentence)
        title = plain(text.sources.get("title", ""))
        if title and kept[:1] != sentences[:1]:
            kept.insert(0, title.rstrip(".!?") + ".")
        if not kept:
            raise ReplyError(
                f"The product's text does not say {', '.join(dict.fromkeys(invented))}: leave it out.", reply
            )
        return "".join(kept).strip()

    def _values(self, text: Document) -> set[tuple[str, str]]:
        """The lexicon's values that `text` states, each with its attribute."""
        found = self.lexicon.find(text)
        return {(name, match.value) for name, matches in found.items() for match in matches if match.stated}


def _evidence(text: Document, claims: Sequence[Claim]) -> dict[str, str]:
    """Title and brand, and of each other field the sentences in which evidence of a claim stands."""
    places = [
        (field, claim["start"] or 0, claim["end"] or 0) for claim in claims if (field := claim["field"]) is not None
    ]
    said = text.sentences(places) | {name: text.sources[name] for name in ("title", "brand") if name in text.sources}
    return {name: said[name] for name in text.sources if name in said}


def _facts(claims: Sequence[Claim]) -> str:
    """Values by attribute, a line each."""
    values: dict[str, list[str]] = {}
    for claim in claims:
        values.setdefault(claim["attribute"].replace("_", " "), []).append(claim["value"])
    return "\n".join(f"{name}: {', '.join(found)}" for name, found in values.items()) or "(none)"


def _numbers(text: str) -> set[str]:
    return {token.stem for token in tokenize(text) if token.stem[0].isdigit()}
