"""Prompt proposer: reads an agent's instructions and products of which its answer was wrong, and writes others.

So a prompt evolves by reflection on what was found and what was wanted, in words, not by a score alone: GEPA
(Agrawal et al. 2025, arXiv 2507.19457).
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from reaseq.agents.claims import Claim
from reaseq.agents.product_text import shown
from reaseq.documents.document import Document
from reaseq.llm.budget import estimate_tokens
from reaseq.llm.chat import Chat, ChatRequest, Message, Reply, ReplyError
from reaseq.llm.json_reply import json_of
from reaseq.prompts.library import Prompt

_PLACEHOLDER = re.compile(r"\{\{\s*[a-z][a-z0-9_]*\s*\}\}")
_LONGEST_TEXT = 600
"""Characters of a product's text."""
_MOST_REFUSED = 3
_OF_A_MISTAKE = 100
"""Tokens that say what is wrong in a product."""
_SENTENCE = 120
"""Tokens for saying what goes wrong."""
_FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "instructions",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"problem": {"type": "string"}, "system": {"type": "string"}},
            "required": ["problem", "system"],
            "additionalProperties": False,
        },
    },
}


class PromptProposer:
    """Built once per run."""

    name = "prompt_proposer"

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt.bind(system={})

    def takes(self, present: Prompt, documents: Sequence[Document], repairs: int) -> list[tuple[int, int]]:
        """Of a proposal that goes back so many times, the tokens of each prompt and of the longest reply to it, about
        and rather more than less. documents: of the products that it is shown."""
        longest = self._longest(present)
        shown_texts = [("user", present.system), *(("user", mistake(one, {}, {}, ())) for one in documents)]
        prompt = estimate_tokens([*self.prompt.messages, ("user", self.prompt.template), *shown_texts])
        prompt += _OF_A_MISTAKE * len(documents)
        return [(prompt, longest), *[(prompt + longest, 2 * longest)] * repairs]

    def _longest(self, present: Prompt) -> int:
        twice = _SENTENCE + 2 * estimate_tokens([("system", present.system)])
        return min(self.prompt.max_tokens, twice)

    async def propose(
        self, chat: Chat, present: Prompt, mistakes: Sequence[str], *, sample: int = 0, repair: tuple[Message, ...] = ()
    ) -> Reply:
        """A reply with other instructions for the agent of `present`; `system_of` reads it. It may have twice the
        length of those that there are. mistakes: see `mistake`. sample: numbers the proposals of a run, of which the
        later ones are drawn.

        Raises:
            ReplyError: nothing usable came.
        """
        kept = dict.fromkeys((*_PLACEHOLDER.findall(present.system), *(text.strip() for text in present.protected)))
        user = self.prompt.user(
            instructions=present.system.rstrip(),
            kept="\n".join(kept) or "(nothing)",
            mistakes="\n\n".join(f"{number}. {text}" for number, text in enumerate(mistakes, 1)),
        )
        return await chat.ask(
            ChatRequest(
                agent=self.name,
                prompt=self.prompt.fingerprint,
                prefix=self.prompt.messages,
                turns=(("user", user), *repair),
                max_tokens=self._longest(present) * (2 if repair else 1),
                response_format=_FORMAT,
                sample=sample,
            )
        )


def system_of(reply: Reply) -> str:
    """The instructions of a reply.

    Raises:
        ReplyError: it holds none.
    """
    data = json_of(reply)
    text = data.get("system") if isinstance(data, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ReplyError('Your reply must be one JSON object with the new instructions as "system".', reply)
    return text.strip() + "\n"


def mistake(
    document: Document,
    wanted: Mapping[str, Sequence[str]],
    found: Mapping[str, Claim],
    wrong: Iterable[str],
    refused: Iterable[Claim] = (),
    failed: Iterable[str] = (),
) -> str:
    """A product as the proposer is shown it, with the attributes that are `wrong`. wanted: of each attribute the
    accepted forms, none where it has none. refused: claims that its text does not bear. failed: why there is no
    answer."""
    fields = {name: text[:_LONGEST_TEXT] for name, text in document.sources.items()}
    lines = [shown(fields)]
    for name in wrong:
        claim = found.get(name)
        right = " or ".join(json.dumps(form, ensure_ascii=False) for form in wanted[name][:2]) or "nothing"
        said = json.dumps(claim["value"], ensure_ascii=False) if claim else "nothing"
        lines.append(f"- {name}: wanted {right}, found {said}")
    for claim in list(refused)[:_MOST_REFUSED]:
        value = json.dumps(claim["value"], ensure_ascii=False)
        lines.append(f"- refused: {claim['attribute']} {value}: {claim['verdict']}")
    lines += [f"- no answer: {why}" for why in failed]
    return "\n".join(lines)
