"""Imagining in words: a diffusion language model writes what a shopper does elsewhere, embeddings find it here.

It learns from no log, so what it imagines may be used with any split. Two writers: any OpenAI-compatible endpoint,
and a masked-diffusion model of the LLaDA family through transformers.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import jsonschema
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq import ReaseqError
from reaseq.beyond_log.examples import Catalogue, Example
from reaseq.beyond_log.fit import Data, categories_of
from reaseq.beyond_log.sampler import NONE
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.log import Ints
from reaseq.knowledge_store.whitening import Whitening
from reaseq.llm.chat import CallLog, Chat, ChatRequest, ReplyError
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import Prompt

_SHOWN = 20
"""The newest events of a history that are put into words."""
Written = list[tuple[str, float]]
"""Descriptions of products, each with the log of how sure the writer is of it."""


class Writer(Protocol):
    """Writes what a shopper may do, given the titles of what the shopper did."""

    name: str
    fingerprint: str

    def write(self, histories: Sequence[Sequence[str]], slots: int, seeds: Sequence[int]) -> list[Written]:
        """For each history (titles, oldest first) at most `slots` descriptions."""


class TextBackend:
    """Imagines in words and matches them with the catalogue: a `Backend` of `imagining`."""

    name = "text"

    def __init__(
        self, data: Data, titles: Sequence[str], writer: Writer, encoder: Encoder, whitening: Whitening | None
    ) -> None:
        """titles: [I], of the products of `data`. encoder: the one that their vectors come from."""
        self.data, self.titles, self.writer, self.encoder, self.whitening = data, titles, writer, encoder, whitening
        self.vectors = self._unit(data.vectors)
        categories, mine = categories_of(data, np.unique(data.log.events.items))
        kinds = np.maximum(mine, 0)
        number = int(categories.groups.max()) + 1
        nothing = np.zeros((len(titles), 1), np.int64)
        self.catalogue = Catalogue(nothing, self.vectors, categories.groups[kinds], kinds, 1, number)

    def fold(self, user: str) -> None:
        return None

    def imagine(
        self, users: Sequence[str], histories: Sequence[Example], seeds: Sequence[int], slots: int
    ) -> tuple[Ints, NDArray[np.float64]]:
        shown = [[self.titles[item] for item in _last_distinct(one.items)] for one in histories]
        written = self.writer.write(shown, slots, seeds)
        texts = sorted({text for row in written for text, _ in row})
        place = {text: index for index, text in enumerate(texts)}
        found = self._unit(self.encoder.encode(texts).astype(np.float32)) if texts else np.zeros((0, 1), np.float32)
        chosen = np.full((len(users), slots), NONE)
        confidence = np.full((len(users), slots), -np.inf)
        for row, (one, descriptions) in enumerate(zip(histories, written, strict=True)):
            taken = np.zeros(len(self.vectors), bool)
            taken[one.items] = True
            for slot, (text, log_p) in enumerate(descriptions[:slots]):
                likeness = np.where(taken, -np.inf, self.vectors @ found[place[text]])
                best = int(likeness.argmax())
                if not np.isfinite(likeness[best]):
                    break
                taken[best] = True
                chosen[row, slot] = best
                confidence[row, slot] = log_p + np.log(max((1 + likeness[best]) / 2, 1e-6))
        return chosen, confidence

    def _unit(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        made = vectors if self.whitening is None else self.whitening.apply(vectors)
        unit: NDArray[np.float32] = made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)
        return unit


class EndpointWriter:
    """A language model behind an OpenAI-compatible address; diffusion models are served that way too.

    Few such endpoints tell probabilities, so how sure it is is taken from the order that is asked for: the r-th
    description counts as log(1 / r).
    """

    def __init__(
        self, endpoint: Endpoint, calls: CallLog, prompt: Prompt, *, concurrency: int, timeout: float, retries: int,
        seed: int, temperature: float | None,
    ) -> None:  # fmt: skip
        self.endpoint, self.calls, self.prompt = endpoint, calls, prompt.bind(system={})
        self.schema = prompt.reply_schema
        self.options: dict[str, Any] = {
            "concurrency": concurrency,
            "timeout": timeout,
            "retries": retries,
            "seed": seed,
            "temperature": temperature,
        }
        self.retired: list[int] = []  # replies that could not be used
        self.name = endpoint.model
        digest = hashlib.sha256(f"{endpoint.fingerprint} {self.prompt.fingerprint} {seed} {temperature}".encode())
        self.fingerprint = digest.hexdigest()[:16]

    def write(self, histories: Sequence[Sequence[str]], slots: int, seeds: Sequence[int]) -> list[Written]:
        return asyncio.run(self._all(histories, slots))

    async def _all(self, histories: Sequence[Sequence[str]], slots: int) -> list[Written]:
        async with Chat(self.endpoint, self.calls, **self.options) as chat:
            return await asyncio.gather(*(self._one(chat, titles, slots) for titles in histories))

    async def _one(self, chat: Chat, titles: Sequence[str], slots: int) -> Written:
        """What the model wrote; nothing if two replies cannot be used."""
        turns: tuple[tuple[str, str], ...] = (
            ("user", self.prompt.user(number=str(slots), history=_verbalised(titles))),
        )
        assert self.schema is not None
        for _ in range(2):
            request = ChatRequest(
                agent="beyond_log",
                prefix=self.prompt.messages,
                turns=turns,
                max_tokens=self.prompt.max_tokens,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "beyond_log", "strict": True, "schema": self.schema},
                },
            )
            try:
                reply = await chat.ask(request)
                try:
                    products = _products(reply.text, self.schema)
                except ReplyError as error:
                    raise ReplyError(str(error), reply) from error
                return [(text, -float(np.log(rank))) for rank, text in enumerate(products[:slots], 1)]
            except ReplyError as error:
                self.retired += [error.reply.call_id] if error.reply else []
                said = error.reply.text if error.reply else ""
                turns = (turns[0], ("assistant", said or "(nothing)"), ("user", f"{error} Answer again."))
        return []


class LocalWriter:
    """A masked-diffusion language model of the LLaDA family, through transformers.

    The model must predict a masked token at its own place (LLaDA does; Dream, which predicts the next place, does
    not). It is given the history and a line for each slot that holds nothing but masks.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, name: str, words: int = 10, steps: int = 32, temperature: float = 0.0
    ) -> None:
        """words: tokens a description may take. Raises ReaseqError if model and tokenizer know no mask."""
        mask = getattr(model.config, "mask_token_id", None) or tokenizer.mask_token_id
        if mask is None:
            raise ReaseqError(f"{name} has no mask token: it is no masked-diffusion model")
        self.model, self.tokenizer, self.mask = model.eval(), tokenizer, int(mask)
        self.name, self.words, self.steps, self.temperature = name, words, steps, temperature
        self.fingerprint = hashlib.sha256(f"{name} {words} {steps} {temperature}".encode()).hexdigest()[:16]

    @classmethod
    def load(cls, name: str, *, trust_remote_code: bool = False, **options: Any) -> "LocalWriter":
        """By folder or hub name; weights must be safetensors.

        Raises:
            ReaseqError: it cannot be loaded, or brings code of its own and is not trusted.
        """
        from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

        loaded: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": trust_remote_code}
        # A model with code of its own registers with AutoModel (LLaDA does), one of transformers with the masked class.
        kind = AutoModel if trust_remote_code else AutoModelForMaskedLM
        try:
            tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=trust_remote_code)
            model = kind.from_pretrained(name, dtype="auto" if torch.cuda.is_available() else torch.float32, **loaded)
        except (OSError, ValueError, KeyError) as error:
            raise ReaseqError(
                f"cannot load {name}: {error}",
                hint="name a folder or a hub id; --trust-remote-code lets a model run code of its own",
            ) from error
        if torch.cuda.is_available():
            model = model.cuda()
        return cls(model, tokenizer, name=Path(name).name, **options)

    def write(self, histories: Sequence[Sequence[str]], slots: int, seeds: Sequence[int]) -> list[Written]:
        return [self._one(titles, slots, seed) for titles, seed in zip(histories, seeds, strict=True)]

    def _one(self, titles: Sequence[str], slots: int, seed: int) -> Written:
        def ids(text: str) -> list[int]:
            found: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            return found

        before = ids(f"A shopper looked at or bought:\n{_verbalised(titles)}\nThe shopper also buys elsewhere:\n")
        tokens, starts = list(before), []
        for _ in range(slots):
            tokens += ids("- ")
            starts.append(len(tokens))
            tokens += [self.mask] * self.words + ids("\n")
        generator = torch.Generator().manual_seed(seed % 2**63)
        device = next(self.model.parameters()).device
        made, log_p = unmask(
            self.model, torch.tensor([tokens], device=device), self.mask, steps=self.steps,
            temperature=self.temperature, generator=generator, never=self.tokenizer.all_special_ids,
        )  # fmt: skip
        written = []
        for start in starts:
            text = self.tokenizer.decode(made[0, start : start + self.words], skip_special_tokens=True)
            text = " ".join(text.split("\n")[0].split())
            if len(text) >= 3:
                written.append((text, float(log_p[0, start : start + self.words].mean())))
        return sorted(written, key=lambda pair: -pair[1])


@torch.no_grad()
def unmask(
    model: Any,
    tokens: Tensor,
    mask: int,
    *,
    steps: int,
    temperature: float,
    generator: torch.Generator,
    never: Sequence[int] = (),
) -> tuple[Tensor, Tensor]:
    """Fill the masks of tokens [B, T] (arXiv 2502.09992, algorithm 5: low-confidence remasking).

    Returns the tokens [B, T] and the log-probability that each had when it was kept [B, T]; 0 for those given.
    never: ids that are not generated.

    1. The model predicts every masked token from all others.
    2. A token is drawn in each place: the likeliest or, at a temperature, by Gumbel's trick in double precision
       (in single precision it favours likely tokens, arXiv 2409.02908).
    3. The surest of them are kept, so many that all masks are gone after `steps`; the others are masked again.
    """
    tokens = tokens.clone()
    log_p = torch.zeros(tokens.shape, dtype=torch.float64)
    number = (tokens == mask).sum(1)
    steps = min(steps, int(number.max()))  # more would change nothing
    for step in range(steps):
        masked = tokens == mask
        logits = model(input_ids=tokens).logits.double().cpu()
        logits[..., [mask, *never]] = -torch.inf
        scores = torch.log_softmax(logits, -1)
        noisy = scores
        if temperature:
            uniform = torch.rand(scores.shape, generator=generator, dtype=torch.float64).clamp_min(1e-12)
            noisy = scores / temperature - torch.log(-torch.log(uniform))
        drawn = noisy.argmax(-1)
        sure = scores.gather(-1, drawn[..., None])[..., 0].masked_fill(~masked.cpu(), -torch.inf)
        for row in range(len(tokens)):
            left = int(masked[row].sum())
            keep = left - int(number[row]) * (steps - 1 - step) // steps
            best = sure[row].topk(max(min(keep, left), 0)).indices
            tokens[row, best] = drawn[row, best].to(tokens.device)
            log_p[row, best] = sure[row, best]
    return tokens, log_p


def _last_distinct(items: Ints) -> list[int]:
    """The newest distinct items, oldest first."""
    newest = list(dict.fromkeys(items[::-1].tolist()))[:_SHOWN]
    return newest[::-1]


def _verbalised(titles: Sequence[str]) -> str:
    """Titles as JSON strings, a line each: strangers' text cannot end its line or its quotes."""
    return "\n".join(json.dumps(title[:200], ensure_ascii=False) for title in titles)


def _products(text: str, schema: dict[str, Any]) -> list[str]:
    """The descriptions of a reply.

    Raises:
        ReplyError: it is not what was asked for.
    """
    try:
        reply = json.loads(text)
        jsonschema.validate(reply, schema)
    except (ValueError, jsonschema.ValidationError) as error:
        raise ReplyError(f"Your reply is not what was asked for: {str(error).splitlines()[0]}.") from error
    if not reply["products"]:
        raise ReplyError("Your reply names no product.")
    return list(dict.fromkeys(reply["products"]))
