"""Extraction over a gold file: each row through extractor, grounding and verifier, without a store's products.

Where the category has a schema, in force or a starter, with all of the gold's attributes, that is used. Otherwise the
schema is the gold's: each attribute takes words of the text, and a few rows, which are not scored, serve as examples.
"""

import asyncio
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reaseq.agents.claims import Claim
from reaseq.agents.extraction_score import GoldRow
from reaseq.agents.grounder import ground
from reaseq.graphs.product_graph import ProductAgents, exchange
from reaseq.llm.chat import Chat, EndpointFailed, Message, ReplyError
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Text
from reaseq.taxonomy.schema import Attribute, CategorySchema, Example, starter_for

_LONGEST_VALUE = 80


@dataclass
class Extracted:
    """scored: the rows that were asked about. predicted: row id to gold attribute to value. failed: id to reason."""

    scored: list[GoldRow] = field(default_factory=list)
    predicted: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GoldCategory:
    """A category's schema, what its attributes are called in the gold, and the rows to score."""

    schema: CategorySchema
    names: dict[str, str]
    rows: list[GoldRow]


def categories(
    rows: Sequence[GoldRow], *, examples: int, schema_of: Callable[[str], CategorySchema | None] = starter_for
) -> list[GoldCategory]:
    """The gold by category, in the order of their names; `examples` rows of each are taken out to be shown.

    `schema_of` gives a category's schema, if it has one.
    Which rows are taken depends on their ids alone. At least one row is left to score.
    """
    by_category: dict[str, list[GoldRow]] = defaultdict(list)
    for row in rows:
        by_category[row.category].append(row)
    return [_category(name, by_category[name], examples, schema_of(name)) for name in sorted(by_category)]


def _category(name: str, rows: list[GoldRow], examples: int, known: CategorySchema | None) -> GoldCategory:
    attributes = list(dict.fromkeys(attribute for row in rows for attribute in row.gold))
    names = {_slug(attribute): attribute for attribute in attributes}
    if known is not None and all(known.get(slug) for slug in names):
        return GoldCategory(known, names, rows)
    shuffled = sorted(rows, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    count = min(examples, len(rows) - 1)
    schema = CategorySchema(
        category=_slug(name),
        description=f"Products of the category {name}.",
        attributes=tuple(
            Attribute(name=slug, description=own, facet="supply", kind="open") for slug, own in names.items()
        ),
        examples=tuple(_example(row) for row in shuffled[:count]),
    )
    shown = {row.id for row in shuffled[:count]}
    return GoldCategory(schema, names, [row for row in rows if row.id not in shown])


def _example(row: GoldRow) -> Example:
    values = {_slug(name): forms[0][:_LONGEST_VALUE] for name, forms in row.gold.items() if forms}
    return Example(title=row.title[:400], description=row.description[:400], values=values)


def _slug(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", name.casefold())
    return ("_".join(words) if words and words[0][0].isalpha() else "_".join(["x", *words]))[:40]


async def extract(
    groups: Sequence[GoldCategory],
    endpoint: Endpoint,
    chat: Chat,
    prompts: PromptLibrary,
    *,
    repairs: int = 1,
    on_row: Callable[[int, int], None] = lambda done, total: None,
) -> Extracted:
    """What is verified of each row. A row whose reply cannot be used counts as one without values.

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
        values = made.predicted.setdefault(row.id, {})
        for claim in claims:
            if claim["status"] == "verified" and claim["attribute"] in names:
                values.setdefault(names[claim["attribute"]], _surface(claim, agents.lexicon.schema))
        on_row(len(made.predicted), total)

    for group in groups:
        agents = ProductAgents.build(group.schema, prompts, grammar=endpoint.grammar, logprobs=endpoint.logprobs)
        made.scored += group.rows
        async with asyncio.TaskGroup() as tasks:
            for row in group.rows:
                tasks.create_task(one(agents, group.names, row))
    return made


async def _claims(agents: ProductAgents, chat: Chat, row: GoldRow, repairs: int) -> list[Claim]:
    text = Text({name: value for name, value in (("title", row.title), ("description", row.description)) if value})
    repair: tuple[Message, ...] = ()
    for attempt in range(repairs + 1):
        try:
            extraction = await agents.extractor.extract(chat, text, product_id=row.id, repair=repair)
            break
        except ReplyError as error:
            if attempt == repairs:
                raise
            repair = tuple(exchange(error))
    claims = ground(extraction, text, agents.lexicon)
    if any(claim["status"] == "proposed" for claim in claims):
        claims = await agents.verifier.judge(chat, text, claims, product_id=row.id)
    return claims


def _surface(claim: Claim, schema: CategorySchema) -> str:
    """A closed value as the schema has it, any other as the text does: gold values are words of the text."""
    attribute = schema.get(claim["attribute"])
    closed = attribute is not None and attribute.kind == "closed"
    return claim["value"] if closed else claim["quote"] or claim["value"]
