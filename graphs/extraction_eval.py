"""Extraction over a gold file: each row through extractor, grounding and verifier, without a store's products.

Where the category has a schema, in force or a starter, with all of the gold's attributes, that is used. Otherwise the
schema is the gold's: each attribute takes words of the text, and a few rows, which are not scored, serve as examples.
Other rows whose gold is known (`labelled`) teach what `Learned` learns.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.claims import Claim
from reaseq.agents.extraction_score import GoldRow
from reaseq.agents.labelled import LabelledProduct, Vectors, scattered
from reaseq.agents.learned import Learned, helpful, learnable, worthwhile
from reaseq.agents.verifier import Verifier
from reaseq.documents.document import Document, Sources
from reaseq.graphs.product_graph import ProductAgents, with_repairs
from reaseq.graphs.teaching import of_gold
from reaseq.llm.chat import Chat, EndpointFailed, ReplyError
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.schema import Attribute, CategorySchema, Example, attribute_name, starter_for

_LONGEST_VALUE = 80


@dataclass
class Extracted:
    """scored: the rows that were asked about. failed: row id to reason.

    claims: row id to gold attribute to its likeliest claim that is verified or proposed, its value as the gold would
    have it: a closed one as the schema has it, any other letter for letter as the text does.
    """

    scored: list[GoldRow] = field(default_factory=list)
    claims: dict[str, dict[str, Claim]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def values(self, *, verified: bool) -> dict[str, dict[str, str]]:
        """Row id to gold attribute to value: of verified claims only, or of all that were kept."""
        return {
            row: {name: one["value"] for name, one in claims.items() if one["status"] == "verified" or not verified}
            for row, claims in self.claims.items()
        }


@dataclass(frozen=True)
class GoldCategory:
    """A category's schema, what its attributes are called in the gold, the rows to score, and those to learn from."""

    schema: CategorySchema
    names: dict[str, str]
    rows: list[GoldRow]
    labelled: list[LabelledProduct]


def categories(
    rows: Sequence[GoldRow],
    *,
    examples: int = 0,
    labelled: Sequence[GoldRow] = (),
    schema_of: Callable[[str], CategorySchema | None] = starter_for,
) -> list[GoldCategory]:
    """The gold by category, in the order of their names; `examples` rows of each are taken out to be shown.

    `schema_of` gives a category's schema, if it has one. Which rows are taken depends on their ids alone. At least one
    row is left to score. Rows of `labelled` that are to be scored too, by id or by title, are not learnt from.
    """
    by_category: dict[str, list[GoldRow]] = defaultdict(list)
    teaching: dict[str, list[GoldRow]] = defaultdict(list)
    for row in rows:
        by_category[row.category].append(row)
    scored = {row.id for row in rows} | {row.title for row in rows}
    for row in labelled:
        if row.id not in scored and row.title not in scored:
            teaching[row.category].append(row)
    return [
        _category(name, by_category[name], teaching[name], examples, schema_of(name)) for name in sorted(by_category)
    ]


def _category(
    name: str, rows: list[GoldRow], labelled: list[GoldRow], examples: int, known: CategorySchema | None
) -> GoldCategory:
    attributes = list(dict.fromkeys(attribute for row in (*labelled, *rows) for attribute in row.gold))
    names = {attribute_name(attribute): attribute for attribute in attributes}
    taught = [of_gold(row) for row in labelled]
    if known is not None and all(known.get(slug) for slug in names):
        return GoldCategory(known, names, rows, taught)
    shuffled = sorted(rows, key=lambda row: scattered(row.id))
    shown = [] if labelled else shuffled[: min(examples, len(rows) - 1)]
    schema = CategorySchema(
        category=attribute_name(name),
        description=f"Products of the category {name}.",
        attributes=tuple(
            Attribute(name=slug, description=own, facet="supply", kind="open") for slug, own in names.items()
        ),
        examples=tuple(_example(row) for row in shown),
    )
    ids = {row.id for row in shown}
    return GoldCategory(schema, names, [row for row in rows if row.id not in ids], taught)


def _example(row: GoldRow) -> Example:
    values = {attribute_name(name): forms[0][:_LONGEST_VALUE] for name, forms in row.gold.items() if forms}
    return Example(title=row.title[:400], description=row.description[:400], values=values)


def learner(
    vectors: Vectors, groups: Sequence[GoldCategory] = (), seed: int = 0
) -> Callable[[GoldCategory], Learned | None]:
    """What learns from a category's labelled products, once, if there are enough. vectors: an encoder's. groups: other
    categories, whose labelled products may help."""
    known: dict[str, Learned | None] = {}

    def learn(group: GoldCategory) -> Learned | None:
        name = group.rows[0].category
        if name not in known:
            others = [one for other in groups if other.rows[0].category != name for one in other.labelled]
            beside = helpful(others, group.labelled, learnable(group.labelled, group.schema))
            enough = worthwhile(group.labelled, group.schema)
            learned = Learned.learn(group.labelled, group.schema, vectors, beside=beside, seed=seed) if enough else None
            known[name] = learned
        return known[name]

    return learn


async def extract(
    groups: Sequence[GoldCategory],
    endpoint: Endpoint,
    chat: Chat,
    prompts: PromptLibrary,
    *,
    learn: Callable[[GoldCategory], Learned | None] = lambda group: None,
    repairs: int = 1,
    on_row: Callable[[int, int], None] = lambda done, total: None,
) -> Extracted:
    """What is found in each row. A row whose reply cannot be used counts as one without values.

    `learn`: see `learner`; without one nothing is learnt from labelled products.

    Raises:
        EndpointRefused, BudgetExceeded: what concerns all rows ends it.
    """
    made = Extracted()
    total = sum(len(group.rows) for group in groups)

    async def one(agents: ProductAgents, names: dict[str, str], row: GoldRow) -> None:
        try:
            claims = await _claims(agents, chat, row, repairs)
        except (ReplyError, EndpointFailed) as error:
            made.failed[row.id] = str(error)
            claims = []
        best = made.claims.setdefault(row.id, {})
        for claim in sorted(claims, key=lambda claim: (claim["status"] != "verified", -(claim["confidence"] or 0))):
            if claim["status"] in ("verified", "proposed") and claim["attribute"] in names:
                value = _surface(claim, agents.reading.lexicon.schema, of_gold(row).sources)
                best.setdefault(names[claim["attribute"]], claim | {"value": value})
        on_row(len(made.claims), total)

    for group in groups:
        learned = await asyncio.to_thread(learn, group)
        agents = ProductAgents.build(group.schema, prompts, grammar=endpoint.grammar, learned=learned)
        made.scored += group.rows
        async with asyncio.TaskGroup() as tasks:
            for row in group.rows:
                tasks.create_task(one(agents, group.names, row))
    return made


async def _claims(agents: ProductAgents, chat: Chat, row: GoldRow, repairs: int) -> list[Claim]:
    text = Document(of_gold(row).sources)
    tags = agents.reading.tag(text)
    extractor, verifier = agents.get(AttributeExtractor, row.locale), agents.get(Verifier, row.locale)
    assert extractor is not None, "it is of the agents as shipped"
    assert verifier is not None, "so is this"
    extraction = await with_repairs(
        lambda repair: extractor.extract(chat, text, tags, product_id=row.id, repair=repair), repairs
    )
    claims = agents.reading.ground(text, extraction, tags=tags, all_asked=not extractor.grammar)
    if any(map(verifier.judges, claims)):
        claims = await verifier.judge(chat, text, claims, product_id=row.id)
    return claims


def _surface(claim: Claim, schema: CategorySchema, sources: Sources) -> str:
    attribute = schema.get(claim["attribute"])
    closed = attribute is not None and attribute.kind == "closed"
    literal = closed or any(claim["value"] in text for text in sources.values())
    return claim["value"] if literal else claim["quote"] or claim["value"]
