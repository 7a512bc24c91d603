"""Verifier: judges what code cannot settle - hypotheses, inferences, contradictions.

One call a product: the claims are numbered, each is answered yes or no. Where the endpoint returns
token log-probabilities, the probability of *yes* against *no* at each answer is the confidence; a
hypothesis it is not sure of stays `proposed`, for a person to decide. Elsewhere the word alone
decides and the confidence stays unmeasured.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Self

from reaseq.agents.agent import Findings, ProductAgent, ReadProduct, Setup
from reaseq.agents.claims import FOUND_BY, Claim
from reaseq.agents.confidence import suggested, with_verdict
from reaseq.agents.product_text import MOST_COLUMNS, shown
from reaseq.documents.document import Document
from reaseq.llm.chat import Chat, ChatRequest, Message, Reply, ReplyError
from reaseq.llm.json_reply import json_of
from reaseq.prompts.library import Prompt
from reaseq.taxonomy.evidence import GUESSED, Evidence
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.trust import VERIFIED_FROM

_ANSWER = re.compile(r'"(\d+)"\s*:\s*"(yes|no)"')
_EVEN = 0.5
_KEPT_FROM = 0.5
"""The chance from which a hypothesis is kept for somebody to decide."""
_TOP_LOGPROBS = 8


def to_be_judged(claim: Claim) -> bool:
    """Is it proposed, and for a model to say whether it is right? The tagger's confidence counts the model's answer
    already, what the variants contradict is for a person, and what known values suggest is worth no call of its own.
    Nor is what an agent of one's own has but inferred: it would be verified on a model's word about another's."""
    settled = (Evidence.TAGGED, Evidence.VARIANTS, Evidence.IMPLIED)
    guessed = claim["claim_type"] in GUESSED and claim["found_by"] not in FOUND_BY
    return claim["status"] == "proposed" and claim["evidence"] not in settled and not guessed


def unsure(claim: Claim) -> bool:
    """Is it still proposed, whatever was measured?"""
    return claim["status"] == "proposed"


class Verifier(ProductAgent):
    """Built once per category. `judges` says which claims it is asked about."""

    name = "verifier"
    reads_claims = True
    usual_reply = 20

    def __init__(
        self,
        prompt: Prompt,
        lexicon: Lexicon,
        *,
        columns: int = MOST_COLUMNS,
        judges: Callable[[Claim], bool] = to_be_judged,
    ) -> None:
        self.lexicon = lexicon
        self.judges = judges
        self.schema = lexicon.schema
        self.columns = columns
        self.prompt = prompt.bind(system={"category": self.schema.category.replace("_", " ")})

    @classmethod
    def build(cls, setup: Setup) -> Self:
        return cls(setup.prompts[cls.name], setup.lexicon, columns=setup.columns)

    def of_the_unsure(self) -> Self:
        """The same, asked about whatever is still proposed."""
        other = copy(self)
        other.judges = unsure
        return other

    def is_due(self, found: Findings) -> bool:
        return any(map(self.judges, found["claims"]))

    async def work(
        self, chat: Chat, product: ReadProduct, found: Findings, *, repair: tuple[Message, ...] = ()
    ) -> Findings:
        """The product's `claims`, judged."""
        return {"claims": await self.judge(chat, product.text, found["claims"], product_id=product.id, repair=repair)}

    async def judge(
        self,
        chat: Chat,
        text: Document,
        claims: Sequence[Claim],
        *,
        product_id: str | None = None,
        repair: tuple[Message, ...] = (),
    ) -> list[Claim]:
        """`claims`, of which those that it is asked about are now verified, rejected, or left with a verdict of doubt.

        Raises:
            ReplyError: the reply does not answer every claim.
        """
        open_claims = [claim for claim in claims if self.judges(claim)]
        listed = "\n".join(f"{number}. {said_of(claim)}" for number, claim in enumerate(open_claims, 1))
        product = shown(text, first=self.lexicon.known_columns(text), most=self.columns)
        reply = await chat.ask(
            ChatRequest(
                agent=self.name,
                prompt=self.fingerprint,
                prefix=self.prompt.messages,
                turns=(("user", self.prompt.user(product=product, claims=listed)), *repair),
                max_tokens=max(self.prompt.max_tokens, 12 * len(open_claims)) * (2 if repair else 1),
                response_format=_response_format(len(open_claims)),
                top_logprobs=_TOP_LOGPROBS if chat.endpoint.logprobs else 0,
                product_id=product_id,
            )
        )
        answers = _answers(reply, len(open_claims))
        judged = iter(answers)
        return self._settled([self._judged(c, *next(judged)) if self.judges(c) else c for c in claims])

    def _judged(self, claim: Claim, yes: bool, confidence: float | None) -> Claim:
        judged = claim.copy()
        basis = "by word" if confidence is None else f"p(yes) = {confidence:.2f}"
        verdict = f"the verifier {'agrees' if yes else 'disagrees'} ({basis})"
        if claim["claim_type"] not in GUESSED or claim["evidence"] == Evidence.IMPLIED:
            # Of 38 styles, uses and seasons that texts but mention and the embedded model agreed with, 25 were true; of
            # 80 real products four had the kind of a predecessor, by its yes or as the extractor named it too.
            mentioned = self.lexicon.is_mentioned(claim["attribute"])
            if yes and mentioned and claim["evidence"] in (Evidence.PROSE, Evidence.OTHER):
                judged["verdict"] = f"{claim['verdict']}; {verdict}, as with most of what is mentioned by the way"
                return judged
            # What the text states, or known values suggest: as likely as that and the verifier's answer make it.
            together = with_verdict(claim["confidence"] or _EVEN, yes, confidence)
            judged["confidence"] = round(together, 4)
            judged["status"] = "verified" if together >= VERIFIED_FROM else "proposed" if yes else "rejected"
            judged["verdict"] = f"{claim['verdict']}; {verdict}"
            return judged
        answer_yes = yes
        if claim["claim_type"] == "demand" and confidence is not None:
            confidence = suggested(confidence, indirect=claim["evidence"] == Evidence.INDIRECT)
            yes = yes and confidence >= _KEPT_FROM
        judged["confidence"] = confidence
        if answer_yes and not yes:
            verdict += ", but few such hypotheses are sensible"
        if yes and not _is_sure(claim, confidence):
            judged["verdict"] = f"{verdict}, which is not sure enough"
            return judged
        judged["status"] = "verified" if yes else "rejected"
        judged["verdict"] = verdict
        return judged

    def _settled(self, claims: list[Claim]) -> list[Claim]:
        """Of rival values of a one-valued attribute, at most one stays: the likeliest, the title's in a tie. Who agrees
        with both sides of a contradiction has settled none."""
        both = Counter(
            claim["attribute"]
            for claim in claims
            if claim["evidence"] == Evidence.CONTRADICTED and claim["status"] in ("verified", "proposed")
        )
        best: dict[str, Claim] = {}
        for claim in claims:
            attribute = self.schema.get(claim["attribute"])
            if attribute is None or claim["status"] != "verified":
                continue
            if attribute.multiple:
                if claim["evidence"] == Evidence.CONTRADICTED and both[attribute.name] > 1:
                    claim["status"] = "proposed"
                continue
            rival = best.get(claim["attribute"])
            if rival is None:
                best[claim["attribute"]] = claim
                continue
            loser = max((rival, claim), key=_weakness)
            winner = claim if loser is rival else rival
            loser["status"] = "rejected"
            loser["verdict"] += f"; {winner['value']!r} is likelier"
            best[claim["attribute"]] = winner
        return claims


def _weakness(claim: Claim) -> tuple[float, bool]:
    return -(claim["confidence"] if claim["confidence"] is not None else 1.0), claim["field"] != "title"


def said_of(claim: Mapping[str, Any]) -> str:
    """A claim in words, with what it rests on."""
    name = claim["attribute"].replace("_", " ")
    if claim["claim_type"] in GUESSED:
        because = f" (because: {json.dumps(claim['reason'], ensure_ascii=False)})" if claim["reason"] else ""
        return f"{name}: {claim['value']}{because}"
    return f"{name}: {claim['value']} (from: {json.dumps(claim['quote'], ensure_ascii=False)})"


def _is_sure(claim: Claim, confidence: float | None) -> bool:
    """By its word alone a verifier is not believed where a reason says something else."""
    return claim["evidence"] != Evidence.INDIRECT if confidence is None else confidence >= VERIFIED_FROM


def _answers(reply: Reply, count: int) -> list[tuple[bool, float | None]]:
    said = json_of(reply)
    wanted = [str(number) for number in range(1, count + 1)]
    if not isinstance(said, dict) or any(said.get(number) not in ("yes", "no") for number in wanted):
        raise ReplyError(f'Answer each of the claims 1 to {count} with "yes" or "no".', reply)
    measured = _confidences(reply)
    answers = []
    for number in wanted:
        p = measured.get(number)
        answers.append((said[number] == "yes" if p is None else p >= 0.5, p))
    return answers


def _confidences(reply: Reply) -> dict[str, float]:
    """P(yes) against P(no) at the token where each answer begins, for the answers where it can be read."""
    if not reply.logprobs:
        return {}
    ends: list[int] = []
    text = ""
    for token in reply.logprobs:
        text += token.token
        ends.append(len(text))
    confidences: dict[str, float] = {}
    for match in _ANSWER.finditer(text):
        index = next(i for i, end in enumerate(ends) if end > match.start(2))
        mass = {"y": 0.0, "n": 0.0}
        for alternative, logprob in reply.logprobs[index].top:
            first = alternative.strip(' "\n:').casefold()[:1]
            if first in mass:
                mass[first] += math.exp(logprob)
        if (total := sum(mass.values())) > 0:
            confidences[match.group(1)] = round(mass["y"] / total, 4)
    return confidences


def _response_format(count: int) -> Mapping[str, Any]:
    numbers = [str(number) for number in range(1, count + 1)]
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "verdicts",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {number: {"type": "string", "enum": ["yes", "no"]} for number in numbers},
                "required": numbers,
                "additionalProperties": False,
            },
        },
    }
