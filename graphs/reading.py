"""What code makes of a product: before any model is asked, and of a model's reply."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reaseq.agents.claims import Claim, Extraction
from reaseq.agents.grounder import against_variants, ground
from reaseq.agents.hypotheses import with_implied
from reaseq.agents.labelled import Tags
from reaseq.agents.learned import Learned
from reaseq.documents.document import Document
from reaseq.knowledge_store.store import undecided
from reaseq.knowledge_store.tables import LOCKED
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import CategorySchema
from reaseq.taxonomy.trust import VERIFIED_FROM, Trust, shipped
from reaseq.taxonomy.variants import VariantValue, variant_values


@dataclass(frozen=True)
class ToRead:
    """A product as code reads it; `parts` are what its knowledge will depend on."""

    product_id: str
    sources: dict[str, str]
    variants: list[dict[str, Any]]
    decided: list[dict[str, Any]]
    parts: dict[str, str]


@dataclass(frozen=True)
class Reading:
    """Of one category's products. `learned` is what labelled products taught, `trust` how far classes of evidence are
    trusted; by default as shipped."""

    lexicon: Lexicon
    learned: Learned | None = None
    trust: Trust | None = None

    def tag(self, text: Document) -> Tags:
        return self.learned.tag(text.sources) if self.learned else {}

    def ground(
        self, text: Document, extraction: Extraction | None, *, tags: Tags, all_asked: bool = False
    ) -> list[Claim]:
        """What the text bears out of a model's `extraction`, and what code finds (`reaseq.agents.grounder`). None: no
        model has answered."""
        return ground(
            extraction or {},
            text,
            self.lexicon,
            trust=self.trust,
            learned=self.learned,
            tags=tags,
            all_asked=extraction is not None and all_asked,
        )

    def claims(
        self,
        text: Document,
        extraction: Extraction | None = None,
        *,
        tags: Tags,
        decided: Sequence[Mapping[str, Any]] = (),
        variants: Sequence[VariantValue] = (),
        all_asked: bool = False,
    ) -> list[Claim]:
        """The same, held against variants and people's decisions, whose settled claims are among them, and with what
        they imply."""
        found = self.ground(text, extraction, tags=tags, all_asked=all_asked)
        found = against_variants(found, variants, self.lexicon)
        settled: list[Any] = [claim for claim in decided if claim["status"] in LOCKED]
        claims = undecided(found, decided, self.several) + settled
        values = {(claim["attribute"], claim["value"]) for claim in decided}
        return self.held(with_implied(claims, text, self.lexicon, self.trust or shipped(), decided=values))

    def held(self, claims: Sequence[Claim]) -> list[Claim]:
        """Verified claims that are less sure than is asked for, where an audit moved the threshold, but proposed."""
        least = (self.trust or shipped()).verified_from
        if least <= VERIFIED_FROM:
            return list(claims)
        return [
            Claim(**claim | {"status": "proposed", "verdict": f"{claim['verdict']}; less sure than {least:.3g}"})
            if claim["status"] == "verified" and (claim["confidence"] or VERIFIED_FROM) < least
            else claim
            for claim in claims
        ]

    @property
    def several(self) -> set[str]:
        """The attributes that may have several values."""
        return {attribute.name for attribute in self.lexicon.schema.attributes if attribute.multiple}

    def read(self, products: Sequence[ToRead]) -> list[list[Claim]]:
        """What code alone finds of each product."""
        tags: Sequence[Tags] = [{}] * len(products)
        if self.learned:
            tags = self.learned.tag_all([product.sources for product in products])
        return [
            self.claims(
                Document(product.sources),
                tags=mine,
                decided=product.decided,
                variants=variant_values(self.lexicon, product.variants),
            )
            for product, mine in zip(products, tags, strict=True)
        ]


_reading: Reading | None = None
"""Of a process that reads beside others."""


def begin_reading(schema: CategorySchema, trust: Trust | None) -> None:
    """Make this process ready for `read_all`."""
    global _reading
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    _reading = Reading(Lexicon(schema), trust=trust)


def read_all(batch: Sequence[ToRead]) -> list[list[Claim]]:
    """What code alone finds of products, in a process of its own."""
    assert _reading is not None
    return _reading.read(batch)
