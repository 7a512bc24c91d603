"""Category analyst: refines a category's schema from a sample of its products.

The model proposes, code decides. A proposed value or attribute is taken only if the sample's own
words bear it out, so that an analyst that dreams changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from reaseq.agents.product_text import shown
from reaseq.documents.document import Document
from reaseq.documents.tokens import stems
from reaseq.llm.chat import Chat, ChatRequest, Message, ReplyError
from reaseq.llm.json_reply import json_of
from reaseq.prompts.library import Prompt
from reaseq.taxonomy.schema import Attribute, CategorySchema, attribute_name

SAMPLE_SIZE = 12
_FEWEST_PRODUCTS = 2
_LONGEST_TERM = 3
_MOST_NEW = 6
_LONGEST_SHOWN = 300


class _NewValue(BaseModel):
    model_config = ConfigDict(extra="forbid")

    attribute: str
    value: str


class _NewAttribute(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    description: str
    values: list[str]


class _Proposal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    new_values: list[_NewValue]
    new_attributes: list[_NewAttribute]


class CategoryAnalyst:
    """Built once per run."""

    name = "category_analyst"

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt.bind(system={})

    @property
    def fingerprint(self) -> str:
        return self.prompt.fingerprint

    async def refine(
        self, chat: Chat, starter: CategorySchema, sample: Sequence[Document], *, repair: tuple[Message, ...] = ()
    ) -> CategorySchema:
        """`starter` with the values and attributes that the model proposed and at least two products bear out.

        Raises:
            ReplyError: the reply is not the JSON that was asked for.
        """
        products = "\n\n".join(_brief(text) for text in sample)
        user = self.prompt.user(category=starter.category.replace("_", " "), schema=_listed(starter), products=products)
        reply = await chat.ask(
            ChatRequest(
                agent=self.name,
                prompt=self.fingerprint,
                prefix=self.prompt.messages,
                turns=(("user", user), *repair),
                max_tokens=self.prompt.max_tokens,
                response_format=_response_format(starter),
            )
        )
        try:
            proposal = _Proposal.model_validate(json_of(reply))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the reply"
            raise ReplyError(f"Your reply breaks the schema: {place}: {first['msg']}.", reply) from error
        return _taken(starter, proposal, sample)


def _taken(starter: CategorySchema, proposal: _Proposal, sample: Sequence[Document]) -> CategorySchema:
    known = {
        stems(term)
        for attribute in starter.attributes
        for value, synonyms in attribute.values.items()
        for term in (value, *synonyms)
    }
    brands = {stems(text.sources["brand"]) for text in sample if "brand" in text.sources}

    def borne_out(term: str) -> bool:
        words = stems(term)
        if not 0 < len(words) <= _LONGEST_TERM or words in known or words in brands:
            return False
        return sum(bool(text.find(term)) for text in sample) >= _FEWEST_PRODUCTS

    attributes = {attribute.name: attribute for attribute in starter.attributes}
    for new in proposal.new_values[:_MOST_NEW]:
        attribute = attributes.get(new.attribute)
        value = new.value.strip().casefold()
        if attribute is not None and attribute.kind == "closed" and borne_out(value):
            attributes[attribute.name] = attribute.replace(values=attribute.values | {value: ()})
            known.add(stems(value))
    for added in proposal.new_attributes[:_MOST_NEW]:
        values = [value for value in dict.fromkeys(v.strip().casefold() for v in added.values) if borne_out(value)]
        name = "_".join(stems(added.name)) or "x" if added.name.isascii() else attribute_name(added.name)
        if name in attributes or len(values) < 2:
            continue
        try:
            attributes[name] = Attribute(
                name=name,
                description=added.description,
                facet="supply",
                kind="closed",
                multiple=True,
                values=dict.fromkeys(values, ()),
            )
        except ValidationError:
            continue
        known.update(map(stems, values))
    return starter.replace(attributes=tuple(attributes.values()))


def _brief(text: Document) -> str:
    """Title and description, cut; other columns where there is no description."""
    wanted = {"title", "description"} if "description" in text.sources else set(text.sources)
    return shown({name: value[:_LONGEST_SHOWN] for name, value in text.sources.items() if name in wanted})


def _listed(schema: CategorySchema) -> str:
    return "\n".join(
        f"- {attribute.name}: " + (", ".join(attribute.values) if attribute.kind == "closed" else attribute.kind)
        for attribute in schema.asked
    )


def _response_format(starter: CategorySchema) -> Mapping[str, Any]:
    closed = [attribute.name for attribute in starter.attributes if attribute.kind == "closed"]
    text = {"type": "string"}

    def record(properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    schema = record(
        {
            "new_values": {
                "type": "array",
                "items": record({"attribute": {"type": "string", "enum": closed}, "value": text}),
            },
            "new_attributes": {
                "type": "array",
                "items": record(
                    {"name": text, "description": text, "values": {"type": "array", "items": text}},
                ),
            },
        }
    )
    return {"type": "json_schema", "json_schema": {"name": "refinement", "strict": True, "schema": schema}}


def derived_from(starter: CategorySchema, analyst: CategoryAnalyst, model_fingerprint: str | None) -> str:
    """What a refined schema depends on; None: nothing has refined it. The sample does not count: a growing catalogue
    keeps its schema."""
    refined_by = [] if model_fingerprint is None else [analyst.fingerprint, model_fingerprint]
    return json.dumps([starter.fingerprint, *refined_by])
