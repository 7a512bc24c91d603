"""What is true of a variant and not of its product as a whole: the options by which variants differ, in the words of
the category's schema. It is worked out whenever it is asked for, and stored nowhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reaseq.documents.document import Document
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import CategorySchema, attribute_name
from reaseq.taxonomy.sizes import canonical_size
from reaseq.taxonomy.units import canonical

_ALSO = {"colour": "color", "farbe": "color", "couleur": "color", "color_name": "color"} | dict.fromkeys(
    ("size_name", "taille", "grösse"), "size"
)


@dataclass(frozen=True)
class VariantValue:
    """`option` and `quote` are what the feed has; `attribute` and `value` are the schema's words where it has them."""

    variant_id: str
    attribute: str
    value: str
    option: str
    quote: str


def cells_of(schema: CategorySchema, variant: Mapping[str, Any]) -> dict[str, Any]:
    """What a variant's row says that counts: its options, and cells that are called like an attribute."""
    known = {name: said for name, said in variant["attributes"].items() if schema.get(attribute_name(name)) is not None}
    return {**known, **variant["options"]}


def variant_values(lexicon: Lexicon, variants: Sequence[Mapping[str, Any]]) -> list[VariantValue]:
    """Of `variants` (rows with `id`, `options` and `attributes`), what they have in options by which they differ, in
    their order; other cells count where the schema has an attribute of that name."""
    options: dict[str, dict[str, str]] = defaultdict(dict)
    lacking = set()  # a variant has nothing in a cell that its product has something in
    for variant in variants:
        for option, quote in cells_of(lexicon.schema, variant).items():
            if str(quote).strip():
                options[option][str(variant["id"])] = str(quote).strip()
            elif quote == "":
                lacking.add(option)
    made = []
    for option, quotes in options.items():
        if len(set(quotes.values())) < 2 and option not in lacking:
            continue
        name = attribute_name(option)
        name = _ALSO.get(name, name)
        made += [VariantValue(id_, name, _value(lexicon, name, quote), option, quote) for id_, quote in quotes.items()]
    place = {str(variant["id"]): number for number, variant in enumerate(variants)}
    return sorted(made, key=lambda value: place[value.variant_id])


def _value(lexicon: Lexicon, name: str, quote: str) -> str:
    attribute = lexicon.schema.get(name)
    if attribute is None or attribute.kind == "open":
        return canonical_size(quote) if name.endswith("size") else quote
    text = Document({"option": quote})
    if attribute.kind == "measure":
        measured = [match for match in lexicon.measures(attribute, text) if match.stated]
        return canonical(measured[0].value, attribute.units) if measured else quote
    stated = [match.value for match in lexicon.find(text).get(name, []) if match.stated]
    return attribute.value_of(quote) or (stated[0] if stated else quote)
