"""The labelled products that a category learns from: those of gold files, and those on which people decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reaseq.agents import product_text
from reaseq.agents.extraction_score import GoldRow
from reaseq.agents.labelled import LabelledProduct, Vectors
from reaseq.agents.learned import ENOUGH, Learned, tagged, worthwhile
from reaseq.agents.product_text import source_fields
from reaseq.agents.student import learnt, takes_over
from reaseq.documents.document import Document
from reaseq.documents.tokens import stems
from reaseq.knowledge_store.decisions import decided_evidence, decided_products
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.importing import category_name
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.tables import LOCKED
from reaseq.knowledge_store.thresholds import verified_from
from reaseq.llm import encoders
from reaseq.taxonomy.labels import Labels
from reaseq.taxonomy.likeness import Likeness, likeness_of
from reaseq.taxonomy.proposals import Encode
from reaseq.taxonomy.schema import CategorySchema, attribute_name
from reaseq.taxonomy.trust import Trust, shipped, sort_of

_OF_TEACHERS = 0.5
"""How much a product counts that a model labelled, beside one that people did."""


@dataclass(frozen=True)
class Teaching:
    """What `distill` learns from beside the store's decisions. again: products that were distilled when less was known
    are distilled anew. students_dir: where what was learnt is kept; None: it is not. encoder: a text encoder's name."""

    models_dir: Path
    gold: Sequence[GoldRow] = ()
    again: bool = False
    students_dir: Path | None = None
    encoder: str = encoders.DEFAULT

    def learn(
        self,
        store: Store,
        schema: CategorySchema,
        *,
        seed: int = 0,
        on_learning: Callable[[int], None] = lambda _: None,
    ) -> tuple[Learned | None, str | None]:
        """What is taught of the schema's category, and the fingerprint of the labelled products; nothing where there
        are too few, and none was taken over. on_learning: told of how many products, before seconds pass.

        Raises:
            EngineError: the text encoder cannot be had.
        """
        products = self.products(store, schema)
        kept = self.students_dir is not None and takes_over(self.students_dir, schema.category)
        if not worthwhile(products, schema) and not kept:
            return None, None
        vectors = self.vectors()  # before the mark, which says whose weights are there
        return learnt(
            self.students_dir,
            products,
            fingerprint(products),
            schema,
            vectors,
            encoder=encoders.mark(encoders.name_of(self.encoder), self.models_dir),
            others=self.others(store, schema) if len(products) < ENOUGH else (),
            seed=seed,
            on_learning=lambda: on_learning(len(products)),
        )

    def others(self, store: Store, schema: CategorySchema) -> list[LabelledProduct]:
        """Labelled products of other categories: gold rows, and what people decided."""
        made = [of_gold(row) for row in self.gold if (category_name(row.category) or "") != schema.category]
        return made + [
            one
            for product, decided in decided_products(store)
            if product["category"] != schema.category and (one := of_decisions(product, decided)) is not None
        ]

    def vectors(self) -> Vectors:
        """Those of the text encoder, which is downloaded if need be.

        Raises:
            EngineError: it cannot be had.
        """
        return Encoder(*encoders.resolve(self.models_dir, self.encoder)).span_vectors

    def encode(self) -> Encode:
        """Vectors of texts by the same encoder.

        Raises:
            EngineError: it cannot be had.
        """
        return Encoder(*encoders.resolve(self.models_dir, self.encoder)).encode

    @property
    def likeness(self) -> Likeness:
        """From which cosines on that encoder's texts are alike."""
        return likeness_of(encoders.name_of(self.encoder))

    def products(self, store: Store, schema: CategorySchema) -> list[LabelledProduct]:
        """Of the schema's category: gold rows, what people decided (which counts more), and what a teacher read."""
        taught = {
            product["id"]: of_teacher(product, claims, schema) for product, claims in store.taught(schema.category)
        }
        made = {row.id: of_gold(row) for row in self.gold if (category_name(row.category) or "") == schema.category}
        for product, decided in decided_products(store, category=schema.category):
            if (one := of_decisions(product, decided)) is not None:
                made[product["id"]] = one
        # What people judged of a product does not say what else is true of it: what the teacher found stands beside it.
        left = [
            replace(one, values={name: forms for name, forms in one.values.items() if name not in made[key].values})
            if key in made
            else one
            for key, one in sorted(taught.items())
            if key not in made or not made[key].whole
        ]
        return [*(made[key] for key in sorted(made)), *left]


def trust_of(store: Store, schema: CategorySchema) -> Trust:
    """The trust that classes of evidence have earned: as shipped, and by what people decided on the category's claims.
    A decision makes no other product stale by that. And the threshold, which audits may have moved."""
    counts: dict[tuple[str, str, str], tuple[int, int]] = {}
    labels = Labels(schema)
    languages: dict[str, str] = {}
    for product_id, evidence, name, right in decided_evidence(store, schema.category):
        attribute, product = schema.get(name), store.product(product_id)
        if attribute is not None and product is not None:
            if product_id not in languages:
                languages[product_id] = Document(source_fields(product)).language
            key = (evidence, sort_of(attribute, labels), languages[product_id])
            true, judged = counts.get(key, (0, 0))
            counts[key] = (true + right, judged + 1)
    return replace(shipped().with_counts(counts), verified_from=verified_from(store, schema.category))


def of_teacher(
    product: Mapping[str, Any], claims: Sequence[Mapping[str, Any]], schema: CategorySchema
) -> LabelledProduct:
    """What a strong model found in a product and grounding verified. It may have overlooked something."""
    values: dict[str, tuple[str, ...]] = {}
    for claim in claims:
        attribute = schema.get(claim["attribute"])
        if attribute is not None and tagged(attribute) and claim["status"] == "verified":
            forms = {stems(form): form for form in (claim["value"], claim["quote"] or claim["value"])}
            values[claim["attribute"]] = (*values.get(claim["attribute"], ()), *forms.values())
    return LabelledProduct(product["id"], source_fields(product), values, whole=False, weight=_OF_TEACHERS)


def of_decisions(product: Mapping[str, Any], decided: Sequence[Mapping[str, Any]]) -> LabelledProduct | None:
    """What people settled of a product; None if they settled nothing."""
    values: dict[str, tuple[str, ...]] = {}
    for claim in decided:
        if claim["status"] in LOCKED:
            forms = {stems(form): form for form in (claim["value"], claim["quote"] or claim["value"])}
            values[claim["attribute"]] = (*values.get(claim["attribute"], ()), *forms.values())
    return LabelledProduct(product["id"], source_fields(product), values, whole=False) if values else None


def of_gold(row: GoldRow) -> LabelledProduct:
    """A gold row with its attributes named as a schema names them."""
    return LabelledProduct(
        row.id, source_fields(vars(row)), {attribute_name(name): forms for name, forms in row.gold.items()}
    )


def fingerprint(products: Sequence[LabelledProduct]) -> str:
    """Sixteen hex digits of the SHA-256 of all that is learnt from."""
    # What people decided of a product and what a teacher found of it are two.
    said = {
        product.id if product.weight == 1 else f"{product.id} at {product.weight}": [product.sources, product.values]
        for product in products
    }
    return product_text.fingerprint(said)
