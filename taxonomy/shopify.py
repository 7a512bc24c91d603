"""Category schemas out of the files of the Shopify product taxonomy (https://github.com/Shopify/product-taxonomy, MIT).

Its releases hold, per language, `categories.json` (verticals, their categories, and which attributes a category has)
and `attributes.json` (attributes and their values); `taxonomy.json` holds both.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reaseq.documents.tokens import stems
from reaseq.taxonomy.schema import CategorySchema, SchemaError, attribute_name, vocabulary

_DEMAND = re.compile(
    r"(?:^|-)(?:age-group|gender|activity|audience|occasion|season|suitable|recommended|skill-level|best-uses|usage|use"
    r"|skin-type|hair-type|compatible-skill|dietary-use)(?:$|-)"
)
_MEANINGLESS = {"other", "n/a", "none", "unknown"}
_MOST_ATTRIBUTES = 40
_LONGEST = 80


@dataclass(frozen=True)
class Node:
    """A category of the taxonomy; `attributes` are handles."""

    id: str
    full_name: str
    attributes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.full_name.rsplit(" > ", 1)[-1]


@dataclass(frozen=True)
class Taxonomy:
    """nodes: by full name, in the file's order. attributes: by handle, as the file has them."""

    version: str
    nodes: Mapping[str, Node]
    attributes: Mapping[str, Mapping[str, Any]]

    def node(self, name: str) -> Node:
        """The category of that full name, id, or name if only one is called so; case does not matter.

        Raises:
            SchemaError: there is none, or several; the message names what is near.
        """
        wanted = name.strip().casefold()
        exact = [node for node in self.nodes.values() if wanted in (node.full_name.casefold(), node.id.casefold())]
        called = exact or [node for node in self.nodes.values() if node.name.casefold() == wanted]
        if len(called) == 1:
            return called[0]
        near = [node.full_name for node in called] or [node.full_name for node in self.search(name)]
        names = {node.name.casefold(): node.full_name for node in self.nodes.values()}
        near = near or [names[close] for close in get_close_matches(wanted.rsplit(" > ", 1)[-1], names, 5)]
        what = "several categories are called so" if called else "no such category"
        raise SchemaError(
            f"{name!r}: {what} in the taxonomy" + (f"; there are: {'; '.join(near[:8])}" if near else ""),
            hint="reaseq taxonomy search FOLDER WORDS",
        )

    def search(self, words: str) -> Iterator[Node]:
        """Categories whose full name holds every one of the words."""
        wanted = set(stems(words))
        return (node for node in self.nodes.values() if wanted <= set(stems(node.full_name)))


def read(path: Path) -> Taxonomy:
    """Read `taxonomy.json`, or a folder that holds it or `categories.json` and `attributes.json`.

    Raises:
        SchemaError: a file is missing or is something else.
    """
    files = [path]
    if path.is_dir():
        whole = path / "taxonomy.json"
        files = [whole] if whole.is_file() else [path / "categories.json", path / "attributes.json"]
    merged: dict[str, Any] = {}
    for file in files:
        try:
            merged |= json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError) as error:
            raise SchemaError(
                f"{file}: cannot be read as a taxonomy: {error}",
                hint="name the folder dist/en of a copy of github.com/Shopify/product-taxonomy",
            ) from error
    try:
        attributes = {str(one["handle"]): one for one in merged["attributes"]}
        by_id = {str(one["id"]): handle for handle, one in attributes.items()}
        nodes = {}
        for vertical in merged["verticals"]:
            for category in vertical["categories"]:
                handles = (by_id.get(str(one["id"]), str(one["handle"])) for one in category["attributes"])
                node = Node(str(category["id"]), str(category["full_name"]), tuple(dict.fromkeys(handles)))
                nodes[node.full_name] = node
    except (KeyError, TypeError) as error:
        raise SchemaError(
            f"{path}: not the files of the Shopify product taxonomy: {error!r} is missing or out of place",
            hint="categories.json and attributes.json of one release belong together",
        ) from error
    return Taxonomy(str(merged.get("version", "")), nodes, attributes)


def schema_of(taxonomy: Taxonomy, node: Node, category: str | None = None) -> CategorySchema:
    """The schema of a category, under the name `category` (else its own).

    Attributes that list no values take words of the text. Whom and what a product is for is the demand side. Words that
    mean a value are those of reaseq's shared vocabulary for values of the same name, and what stands beside brackets.

    Raises:
        SchemaError: the category has no attributes.
    """
    name = category or attribute_name(node.name)
    made: list[dict[str, Any]] = []
    for handle in node.attributes:
        source = taxonomy.attributes.get(handle, {})
        values = _values([str(value["name"]) for value in source.get("values", ())])
        attribute = {
            "name": attribute_name(str(source.get("name", handle))),
            "description": str(source.get("description") or source.get("name") or handle)[:400],
            "facet": "demand" if _DEMAND.search(handle) else "supply",
            "kind": "closed" if values else "open",
            "multiple": bool(values),
            "values": values,
        }
        if all(attribute["name"] != other["name"] for other in made):
            made.append(attribute)
    if not made:
        raise SchemaError(f"{node.full_name!r} has no attributes in the taxonomy", hint="name one of its subcategories")
    return CategorySchema.model_validate(
        {
            "category": name,
            "description": f"{node.full_name} (Shopify product taxonomy {taxonomy.version}).",
            "aliases": [node.name] if attribute_name(node.name) != name else [],
            "attributes": made[:_MOST_ATTRIBUTES],
        }
    )


def _values(names: Sequence[str]) -> dict[str, list[str]]:
    """Values in lower case, each with other words for it; a word that could mean two values is left to the first."""
    synonyms = {
        value: words for attribute in vocabulary().values() for value, words in (attribute.get("values") or {}).items()
    }
    values = {
        name.lower(): name.lower()
        for name in names
        if name.strip().casefold() not in _MEANINGLESS and len(name) <= _LONGEST and stems(name)
    }
    taken = {value.casefold() for value in values}
    made: dict[str, list[str]] = {}
    for value in values:
        others = [*synonyms.get(value, ()), re.sub(r"\s*\([^)]*\)", "", value).strip()]
        kept = []
        for other in others:
            if other and other.casefold() not in taken:
                taken.add(other.casefold())
                kept.append(other)
        made[value] = kept
    return made
