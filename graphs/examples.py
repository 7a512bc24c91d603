"""Worked examples that prompts show: made of what people decided, and held to the rules that products are held to."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reaseq.agents.product_text import shown
from reaseq.agents.verifier import said_of
from reaseq.documents.document import Document
from reaseq.graphs.reading import Reading
from reaseq.prompts.library import Example as PromptExample
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import CategorySchema, Example


class Ungrounded(NamedTuple):
    """A value of an example, counted from 1, of which no product with its text could keep it, and why."""

    example: int
    attribute: str
    value: str
    why: str


def ungrounded(schema: CategorySchema) -> Iterator[Ungrounded]:
    """The values of a schema's examples that grounding would reject: a model that is shown them learns to invent."""
    reading = Reading(Lexicon(schema))
    for number, example in enumerate(schema.examples, 1):
        texts = {"title": example.title, "brand": example.brand or "", "description": example.description}
        extraction: dict[str, Any] = {
            name: [{"value": value, "why": why} if why else {"value": value} for value, why in example.items(name)]
            for name in example.values
        }
        for claim in reading.ground(Document({key: text for key, text in texts.items() if text}), extraction, tags={}):
            given = {value.casefold() for value, _ in example.items(claim["attribute"])}
            if claim["status"] == "rejected" and claim["value"].casefold() in given:
                yield Ungrounded(number, claim["attribute"], claim["value"], claim["verdict"])


def for_verifier(product: Mapping[str, str], claim: Mapping[str, Any], *, right: bool) -> PromptExample:
    """A claim that somebody judged, as the verifier would be asked about it. product: its texts by field."""
    return PromptExample(
        input={"product": shown(dict(product)), "claims": f"1. {said_of(claim)}"},
        reply={"1": "yes" if right else "no"},
    )


def for_extractor(product: Mapping[str, Any], decided: list[dict[str, Any]], schema: CategorySchema) -> Example:
    """A product of which people settled values, as its category's schema has examples."""
    values: dict[str, str | list[str]] = {}
    whys: dict[str, str | list[str]] = {}
    for attribute in schema.attributes:
        mine = [one for one in decided if one["attribute"] == attribute.name]
        if mine:
            said = [one["value"] for one in mine]
            values[attribute.name] = said if attribute.multiple else said[0]
            if attribute.facet == "demand":
                reasons = [one["reason"] or one["quote"] or "" for one in mine]
                whys[attribute.name] = reasons if attribute.multiple else reasons[0]
    return Example(
        title=product["title"],
        description=product["description"] or "",
        brand=product["brand"],
        values=values,
        why=whys,
    )
