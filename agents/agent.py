"""What a stage of the product graph is that asks a model, whoever wrote it.

The bundled agents and people's own are alike to the graph: built once a category from a `Setup`, asked whether they
are due, and given a product, what is found of it so far and the last exchange that could not be used.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from typing_extensions import TypedDict

from reaseq.agents.claims import Claim, Extraction
from reaseq.agents.labelled import Tags
from reaseq.agents.learned import Learned
from reaseq.agents.product_text import MOST_COLUMNS
from reaseq.documents.document import Document
from reaseq.llm.chat import Chat, Message
from reaseq.prompts.library import BoundPrompt, PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.variants import VariantValue


@dataclass(frozen=True)
class Setup:
    """What the agents of one category are made from. grammar: does the endpoint compile any JSON Schema? columns: how
    many of a feed's other columns a prompt shows, at most; votes: how often a product is read."""

    prompts: PromptLibrary
    lexicon: Lexicon
    grammar: bool = False
    learned: Learned | None = None
    columns: int = MOST_COLUMNS
    votes: int = 1


@dataclass(frozen=True)
class ReadProduct:
    """A product as the agents see it, which none of them changes; its text is tokenised and tagged once. `decided` are
    the claims that people have settled: they stand beside those that the run finds, and no run's claim reopens them.
    `variants` is what its variants differ by. locale: of its text, if that is known."""

    id: str
    text: Document
    tags: Tags
    decided: Sequence[Mapping[str, Any]] = ()
    variants: Sequence[VariantValue] = ()
    locale: str | None = None


class Findings(TypedDict, total=False):
    """What is found of a product: `extraction` as a model gave it, `claims` as grounded and judged, and a model's
    `prose`."""

    extraction: Extraction
    claims: list[Claim]
    prose: str


class ProductAgent(ABC):
    """Built once per category, by `build`."""

    name: ClassVar[str]
    reads_claims: ClassVar[bool] = False
    """Does what it finds rest on claims of people's own agents before it? Then it is asked anew when they change."""
    prompt: BoundPrompt

    @classmethod
    @abstractmethod
    def build(cls, setup: Setup) -> Self:
        """The agent of one category.

        Raises:
            PromptError: its prompt is not there, or wrong.
        """

    @property
    def fingerprint(self) -> str:
        """Of its prompt, as all requests of a category share it."""
        return self.prompt.fingerprint

    @property
    def parts(self) -> dict[str, str]:
        """What its findings depend on, by name, in fingerprints."""
        return {f"prompt {self.name}": self.fingerprint}

    @property
    def usual_reply(self) -> int:
        """Tokens of a reply, about."""
        return self.prompt.max_tokens // 2

    def applies(self, sources: Mapping[str, str]) -> bool:
        """Is it ever asked about a product with these texts?"""
        return True

    def is_for(self, sources: Mapping[str, str]) -> bool:
        """The same, whoever wrote `applies`: one that fails is asked, so that the product's failure says why."""
        return self.applies(sources)

    def is_due(self, found: Findings) -> bool:
        """Is there something to ask?"""
        return True

    @abstractmethod
    async def work(
        self, chat: Chat, product: ReadProduct, found: Findings, *, repair: tuple[Message, ...] = ()
    ) -> Findings:
        """What it adds, or has changed, of what is `found`.

        Raises:
            ReplyError: the reply cannot be used; its message goes back to the model.
        """
