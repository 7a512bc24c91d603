"""Attribute extractor: one call a product, a JSON object out, leaving an attribute out the easy choice.

The JSON Schema comes from the category schema: closed attributes are enums. Where the endpoint compiles a
grammar for each request, open ones are enums of the source's own spans, so that nothing can be invented, and a
product is asked only for what the lexicon has not settled: nothing else could become of the answer. Where labelled
products have taught a tagger, the model is asked for what that is unsure of, and not told what it thinks possible: the
agreement of two that read each by itself is worth more than a choice. The examples are the labelled products most like
the one at hand.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

from reaseq.agents.agent import Findings, ProductAgent, ReadProduct, Setup
from reaseq.agents.claims import Extraction, Found
from reaseq.agents.labelled import LabelledProduct, Tags
from reaseq.agents.learned import Learned, tagged
from reaseq.agents.product_text import MOST_COLUMNS, shown
from reaseq.documents.document import Document
from reaseq.documents.tokens import stems
from reaseq.llm.chat import Chat, ChatRequest, Message, Reply, ReplyError
from reaseq.llm.json_reply import json_of
from reaseq.prompts.library import Example, Prompt
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import Attribute, CategorySchema

_MOST_VALUES = {"supply": 3, "demand": 2}
_LONGEST_OPEN = 60
_LONGEST_WHY = 40
_MOST_PROBLEMS = 5
_NEIGHBOURS = 4


class AttributeExtractor(ProductAgent):
    """Built once per category: the system text and the JSON Schema are shared by all products, and so are the examples
    where there are no labelled products."""

    name = "attribute_extractor"

    def __init__(
        self,
        prompt: Prompt,
        lexicon: Lexicon,
        *,
        grammar: bool,
        learned: Learned | None = None,
        columns: int = MOST_COLUMNS,
        votes: int = 1,
    ) -> None:
        self.lexicon = lexicon
        self.votes = votes
        self.columns = columns
        self.learned = learned
        self.schema = lexicon.schema
        self.grammar = grammar
        system = {"category": self.schema.category.replace("_", " "), "attributes": _listed(self.schema)}
        by_hand = prompt.bind(system=system, examples=[*prompt.examples, *examples_of(self.schema, grammar=grammar)])
        self.prompt = prompt.bind(system=system, examples=()) if learned else by_hand
        self._by_hand = by_hand.fingerprint
        self.response_format = _response_format(self.schema)

    @classmethod
    def build(cls, setup: Setup) -> Self:
        return cls(
            setup.prompts[cls.name],
            setup.lexicon,
            grammar=setup.grammar,
            learned=setup.learned,
            columns=setup.columns,
            votes=setup.votes,
        )

    @property
    def fingerprint(self) -> str:
        return self._by_hand

    @property
    def usual_reply(self) -> int:
        return 10 * len(self.schema.asked)

    async def work(
        self, chat: Chat, product: ReadProduct, found: Findings, *, repair: tuple[Message, ...] = ()
    ) -> Findings:
        """The product's `extraction`; of several readings, what most agree on."""
        readings = (
            self.extract(chat, product.text, product.tags, product_id=product.id, repair=repair, sample=sample)
            for sample in range(self.votes)
        )
        made = await asyncio.gather(*readings)
        return {"extraction": vote(made) if self.votes > 1 else made[0]}

    async def extract(
        self,
        chat: Chat,
        text: Document,
        tags: Tags | None = None,
        *,
        product_id: str | None = None,
        repair: tuple[Message, ...] = (),
        sample: int = 0,
    ) -> Extraction:
        """What the model finds in `text`. `repair` is the exchange so far, if a reply could not be used; `sample`
        numbers the readings of one product (see `vote`).

        Nothing is asked if lexicon and tagger (`tags`) settle everything.

        Raises:
            ReplyError: the reply is not the JSON that was asked for; its message says what is wrong.
        """
        response_format = self._format_for(text, tags or {}) if self.grammar else self.response_format
        asked = response_format["json_schema"]["schema"]["properties"]
        if not asked:
            return {}
        reply = await chat.ask(
            ChatRequest(
                agent=self.name,
                prompt=self.fingerprint,
                prefix=self.prompt.messages,
                turns=(*self._alike(text, asked, product_id), self._request(text), *repair),
                max_tokens=self.prompt.max_tokens * (2 if repair else 1),
                response_format=response_format,
                sample=sample,
                product_id=product_id,
            )
        )
        return self._parse(reply)

    def _alike(self, text: Document, asked: Mapping[str, Any], product_id: str | None) -> list[Message]:
        """The labelled products most like this one, each with those of its values that are asked for here."""
        if self.learned is None:
            return []
        turns: list[Message] = []
        for product in self.learned.neighbours.nearest(text.sources, _NEIGHBOURS, leave_out=product_id):
            values = self._shown_values(product, asked)
            turns += [self._request(product.sources), ("assistant", json.dumps(values, ensure_ascii=False))]
        return turns

    def _shown_values(self, product: LabelledProduct, asked: Mapping[str, Any]) -> dict[str, str | list[str] | None]:
        """Of what is asked: its values and, of attributes that the reply must name, that it has none."""
        values: dict[str, str | list[str] | None] = {}
        for attribute in self.schema.asked:
            forms = product.values.get(attribute.name)
            if attribute.name not in asked:
                continue
            if forms:
                values[attribute.name] = list(forms) if attribute.multiple else forms[0]
            elif tagged(attribute) and (product.whole or forms is not None):
                values[attribute.name] = None
        return values

    def _request(self, product: Document | Mapping[str, str]) -> Message:
        document = product if isinstance(product, Document) else Document(product)
        read = shown(document, first=self.lexicon.known_columns(document), most=self.columns)
        return "user", self.prompt.user(product=read)

    def _format_for(self, text: Document, tags: Tags) -> Mapping[str, Any]:
        """The reply's schema for one product: of each attribute, what grounding would not decide alone.

        A value of a closed supply attribute counts only if the lexicon finds it, so a model has a say only where rival
        values of a one-valued attribute are found; the same holds for measures. Of hypotheses, those are left that the
        text neither states nor denies.

        The first attribute says what kind of thing it is. A model that has written that down names the rest better, so
        it writes it down even if there is no choice.
        """
        found = self.lexicon.find(text)
        kind = self.schema.attributes[0]
        spans: list[str] | None = None
        properties: dict[str, Any] = {}
        required: list[str] = []
        for attribute in self.schema.asked:
            most = _MOST_VALUES[attribute.facet]
            if attribute.kind == "closed":
                matches = found.get(attribute.name, [])
                stated = {match.value for match in matches if match.stated}
                values = list(attribute.values)
                if attribute.may_infer:
                    most -= len(stated)
                    values = [value for value in values if value not in {match.value for match in matches}]
                    settled = not values or most <= 0 or bool(stated and not attribute.multiple)
                else:
                    values = [value for value in values if value in stated]
                    settled = not values if attribute is kind else attribute.multiple or len(values) < 2
                value: dict[str, Any] = {"enum": values}
            elif attribute.kind == "measure":
                measures = {match.value for match in self.lexicon.measures(attribute, text) if match.stated}
                settled = len(measures) < 2
                value = {"enum": sorted(measures)}
            elif self.learned is not None and tagged(attribute):
                settled = not self.learned.unsure(attribute.name, tags.get(attribute.name, ()))
                value = {"type": "string", "maxLength": _LONGEST_OPEN}
            elif attribute.facet == "supply":
                if spans is None:
                    spans = [span for span in self.lexicon.candidate_spans(text) if len(span) <= _LONGEST_OPEN]
                settled, value = not spans, {"enum": spans}
            else:
                settled, value = False, {"type": "string", "maxLength": _LONGEST_OPEN}
            if not settled:
                value = _values(attribute, value, most=most)
                if self.learned is not None and tagged(attribute):
                    value = {"anyOf": [{"type": "null"}, value]}
                    required.append(attribute.name)
                properties[attribute.name] = value
        return _json_schema(properties, required=required)

    def _parse(self, reply: Reply) -> Extraction:
        data = json_of(reply)
        if not isinstance(data, dict):
            raise ReplyError("Your reply must be one JSON object.", reply)
        problems: list[str] = []
        extraction: Extraction = {}
        for name, given in data.items():
            attribute = self.schema.get(name)
            if attribute is None or attribute.kind == "phrase":
                problems.append(f"{name!r} is not one of the attributes")
            elif given not in (None, []):
                found = self._found(attribute, given, problems)
                if found:
                    extraction[name] = found
        if problems:
            raise ReplyError("Your reply breaks the schema: " + "; ".join(problems[:_MOST_PROBLEMS]) + ".", reply)
        return extraction

    def _found(self, attribute: Attribute, given: Any, problems: list[str]) -> list[Found]:
        pair = self.grammar and attribute.facet == "demand" and not attribute.multiple
        if isinstance(given, list) and not attribute.multiple and not pair:
            problems.append(f"{attribute.name!r} takes one value, not a list")
            return []
        found: list[Found] = []
        for item in given if isinstance(given, list) and not pair else [given]:
            value, why = item, None
            if attribute.facet == "demand" and isinstance(item, dict) and set(item) <= {"value", "why"}:
                value, why = item.get("value"), item.get("why")
            elif self.grammar and attribute.facet == "demand" and isinstance(item, list) and len(item) == 2:
                value, why = item
            if not isinstance(value, str) or not isinstance(why, str | None):
                problems.append(f"{attribute.name!r} must be {_shape(attribute, grammar=self.grammar)}")
                continue
            value = value.strip()
            if attribute.kind == "closed":
                known = attribute.value_of(value)
                if known is None:
                    problems.append(f"{value[:40]!r} is not one of the values of {attribute.name!r}")
                    continue
                value = known
            if value:
                found.append(Found(value=value, why=why.strip()) if why else Found(value=value))
        return found


def vote(extractions: Sequence[Extraction]) -> Extraction:
    """The values that more than half of the extractions give, each as first given: self-consistency (Wang et al. 2023,
    arXiv 2203.11171)."""
    votes: dict[str, dict[tuple[str, ...], list[Found]]] = {}
    for extraction in extractions:
        for name, found in extraction.items():
            for key, item in {stems(item["value"]): item for item in found}.items():
                votes.setdefault(name, {}).setdefault(key, []).append(item)
    agreed = {
        name: [items[0] for items in given.values() if 2 * len(items) > len(extractions)]
        for name, given in votes.items()
    }
    return {name: found for name, found in agreed.items() if found}


def _shape(attribute: Attribute, *, grammar: bool) -> str:
    hypothesis = "[value, why]" if grammar else '{"value": string, "why": string}'
    one = hypothesis if attribute.facet == "demand" else "a string"
    return f"a list of such: {one}" if attribute.multiple else one


def _listed(schema: CategorySchema) -> str:
    """The attributes as the system text lists them."""
    lines = []
    for attribute in schema.asked:
        if attribute.kind == "closed":
            kind = ("any of: " if attribute.multiple else "one of: ") + ", ".join(attribute.values)
        elif attribute.kind == "measure":
            kind = "a number with its unit: " + ", ".join(attribute.units)
        else:
            kind = "words of the text"
        hypothesis = " (a hypothesis, with why)" if attribute.facet == "demand" else ""
        lines.append(f"- {attribute.name}: {attribute.description.rstrip('.')}{hypothesis}; {kind}")
    return "\n".join(lines)


def examples_of(schema: CategorySchema, *, grammar: bool) -> list[Example]:
    """A schema's examples, as the extractor shows them."""
    made = []
    for example in schema.examples:
        fields = {"title": example.title, "brand": example.brand or "", "description": example.description}
        reply: dict[str, Any] = {}
        for attribute in schema.asked:
            given = example.items(attribute.name)
            items: list[Any] = [value for value, _ in given]
            if attribute.facet == "demand":
                items = [[value, why] if grammar else {"value": value, "why": why} for value, why in given]
            if items:
                reply[attribute.name] = items if attribute.multiple else items[0]
        made.append(Example(input={"product": shown({k: v for k, v in fields.items() if v})}, reply=reply))
    return made


def _response_format(schema: CategorySchema) -> Mapping[str, Any]:
    """What the reply must look like where no grammar is compiled for each request.

    Hosted endpoints in strict mode refuse lengths and want every key, so absent is null
    (https://platform.openai.com/docs/guides/structured-outputs).
    """
    properties: dict[str, Any] = {}
    for attribute in schema.asked:
        value: dict[str, Any] = {"enum": list(attribute.values)} if attribute.kind == "closed" else {"type": "string"}
        if attribute.facet == "demand":
            value = {
                "type": "object",
                "properties": {"value": value, "why": {"type": "string"}},
                "required": ["value", "why"],
                "additionalProperties": False,
            }
        if attribute.multiple:
            value = {"type": "array", "items": value}
        properties[attribute.name] = {"anyOf": [{"type": "null"}, value]}
    return _json_schema(properties, required=list(properties))


def _json_schema(properties: Mapping[str, Any], required: Sequence[str]) -> Mapping[str, Any]:
    body = {"type": "object", "properties": properties, "additionalProperties": False, "required": list(required)}
    return {"type": "json_schema", "json_schema": {"name": "attributes", "strict": True, "schema": body}}


def _values(attribute: Attribute, value: dict[str, Any], most: int) -> dict[str, Any]:
    """What a grammar enforces of one attribute: lengths, and a pair of a hypothesis and its reason, which saves the
    tokens of their names."""
    if attribute.facet == "demand":
        pair = [value, {"type": "string", "maxLength": _LONGEST_WHY}]
        value = {"type": "array", "prefixItems": pair, "minItems": 2, "maxItems": 2}
    if attribute.multiple:
        return {"type": "array", "items": value, "minItems": 1, "maxItems": most}
    return value
