"""The schema of a category: which attributes its products have, which values, and how to find them in text.

A schema is a YAML file people can read and edit. Starter schemas ship in `taxonomy/starters/`; the
category analyst refines one into the schema that a run uses, and the store keeps every version.
"""

import hashlib
import json
import logging
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from reaseq import ReaseqError
from reaseq.documents.listed import listed
from reaseq.documents.tokens import stems

_LOG = logging.getLogger(__name__)
STARTERS = Path(__file__).parent / "starters"
VOCABULARY = Path(__file__).parent / "vocabulary.yaml"
"""Attributes that several categories share: `- like: color` takes one over."""

_LONGEST_NAME = 40


def attribute_name(words: str) -> str:
    """`words` as a schema names an attribute: lower case, letters and digits of any script joined by underscores, forty
    characters at most; "x" of words that have none."""
    parts = "".join(one if _in_a_word(one) else " " for one in _folded(words)).split()
    return ("_".join(parts) if parts and parts[0][0].isalpha() else "_".join(["x", *parts]))[:_LONGEST_NAME]


def _folded(words: str) -> str:
    """Without what letters may differ by: case, width, how an accent is written."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).casefold())


def _in_a_word(character: str) -> bool:
    """Vowel signs of many scripts are marks, no letters."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _an_attributes(name: str) -> str:
    if not 0 < len(name) <= _LONGEST_NAME or not name[0].isalpha() or _folded(name) != name:
        right = False
    else:
        right = all(one == "_" or _in_a_word(one) for one in name)
    if not right:
        raise ValueError(
            f"{name!r} is no attribute's name: small letters, digits and underscores, a letter first, forty at most; "
            f"{attribute_name(name)!r} is one"
        )
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
AttributeName = Annotated[str, AfterValidator(_an_attributes)]
CategoryName = Annotated[str, StringConstraints(pattern=r"^\w{1,200}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Term = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]

Facet = Literal["supply", "demand"]
Kind = Literal["closed", "open", "measure", "phrase"]


class SchemaError(ReaseqError):
    """A category schema that cannot be used; the message names the file, the place and the reason."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Attribute(_Strict):
    """One attribute of a category.

    `facet` says which side it describes: *supply* (what the product is: material, closure, heel
    height) or *demand* (whom and what for: audience, scenario, need, style).

    `kind` says what a value looks like: *closed* (one of `values`), *open* (any words of the source
    text, a model name for instance; `values` may list those known by name), *measure* (a number with one of `units`),
    *phrase* (what the description says in its own words around the words of `around`; read by code, no model is asked).
    """

    name: AttributeName
    description: Text
    facet: Facet
    kind: Kind
    multiple: bool = Field(default=False, description="May a product have several values at once?")
    values: dict[Term, tuple[Term, ...]] = Field(
        default_factory=dict,
        description="Closed values, each with the other words that mean the same; of an open attribute those that "
        "are known by name, beside which other words of a text count too.",
    )
    ignored: tuple[Term, ...] = Field(
        default=(), description="Values that feeds give and that mean nothing here; they are not proposed again."
    )
    cues: tuple[Term, ...] = Field(
        default=(),
        description="Words one of which must stand in the same sentence as a value for it to count "
        "(a sole material needs a sole in its sentence).",
    )
    labels: tuple[Term, ...] = Field(
        default=(), description='Other names that tables, columns and "label: value" lines give it, in any language.'
    )
    near_labels: tuple[Term, ...] = Field(
        default=(), description="Labels that feeds use and that were taken to it by their meaning."
    )
    parts: tuple[Term, ...] = Field(
        default=(),
        description="Parts of a product whose value is the attribute's too (a hook-and-loop strap is a closure).",
    )
    only_with: dict[Term, tuple[Term, ...]] = Field(
        default_factory=dict,
        description="Words among `values` that mean several things, each with words one of which must stand in the "
        "same sentence (a tee with a neckline is a shirt).",
    )
    looks: bool = Field(
        default=False, description="Is it about how the product looks? Then a gold-tone ring is gold, else it is not."
    )
    vague: tuple[Term, ...] = Field(
        default=(), description="Values that contradict no other (what is multicoloured may well be blue)."
    )
    suggested_by: dict[Term, dict[AttributeName, tuple[Term, ...]]] = Field(
        default_factory=dict,
        description="Of a demand attribute: values of other attributes that suggest a value of it (a waterproof shoe "
        "keeps feet dry). What they suggest is a hypothesis.",
    )
    contradicted_by: dict[Term, tuple[Term, ...]] = Field(
        default_factory=dict,
        description="Closed values, each with words that speak against it wherever they stand (what lists beeswax is "
        "not vegan). It is left to be judged then.",
    )
    units: tuple[Term, ...] = Field(default=(), description="Units a measure may have.")
    around: tuple[Term, ...] = Field(
        default=(),
        description="The words a phrase is read around: nouns beside those for parts and substances; of a demand "
        "attribute what stands before it (built for).",
    )
    bare_in_title: bool = Field(
        default=False,
        description='Do titles give this measure without its name ("frying pan 28 cm")? It needs no cue there.',
    )
    inferable: bool = Field(
        default=False,
        description="May a value be inferred from world knowledge when no words state it? The "
        "verifier then judges it. Demand attributes always may.",
    )

    @model_validator(mode="after")
    def _kind_has_what_it_needs(self) -> Self:
        if self.kind == "closed" and not self.values:
            raise ValueError(f"attribute {self.name!r}: a closed attribute lists `values`")
        if self.kind == "measure" and self.values:
            raise ValueError(f"attribute {self.name!r}: a measure lists `units` and no `values`")
        if (self.kind == "measure") != bool(self.units):
            raise ValueError(f"attribute {self.name!r}: a measure lists `units`, and no other kind does")
        if (self.kind == "phrase") != bool(self.around) or (self.kind == "phrase" and self.values):
            raise ValueError(f"attribute {self.name!r}: a phrase lists `around` and no `values`; no other kind does")
        owner: dict[str, str] = {}
        for value, synonyms in self.values.items():
            for term in (value, *synonyms):
                key = term.casefold()
                if owner.setdefault(key, value) != value:
                    raise ValueError(f"attribute {self.name!r}: {term!r} stands for both {owner[key]!r} and {value!r}")
        if stray := [term for term in self.only_with if term.casefold() not in owner]:
            raise ValueError(f"attribute {self.name!r}: only_with: {stray[0]!r} is none of its values' words")
        if stray := [value for value in self.contradicted_by if value not in self.values]:
            raise ValueError(f"attribute {self.name!r}: contradicted_by: {stray[0]!r} is not one of its values")
        if self.suggested_by and self.facet != "demand":
            raise ValueError(f"attribute {self.name!r}: only what is for the buyer (`facet: demand`) is `suggested_by`")
        return self

    def value_of(self, term: str) -> str | None:
        """The closed value that `term` is or means; None if there is none."""
        return self._by_term.get(stems(term))

    @cached_property
    def _by_term(self) -> dict[tuple[str, ...], str]:
        return {stems(term): value for value, synonyms in self.values.items() for term in (value, *synonyms)}

    @cached_property
    def known(self) -> "Attribute | None":
        """Of an open attribute that lists values: the closed attribute that they are."""
        return self.replace(kind="closed") if self.kind == "open" and self.values else None

    def replace(self, **changes: Any) -> "Attribute":
        """A copy with other fields, checked anew. (`model_copy` would carry along what is cached, as the terms are.)"""
        return Attribute.model_validate({name: getattr(self, name) for name in type(self).model_fields} | changes)

    @property
    def may_infer(self) -> bool:
        return self.inferable or self.facet == "demand"


class Example(_Strict):
    """A worked product of the category, shown to the extractor. Attributes it leaves out are absent (null)."""

    title: Text
    description: str = ""
    brand: str | None = None
    values: dict[AttributeName, str | list[str]]
    why: dict[AttributeName, str | list[str]] = Field(
        default_factory=dict, description="For demand attributes: the words that suggest each value, in order."
    )

    def items(self, name: str) -> list[tuple[str, str]]:
        """Each value of an attribute with its why (or "")."""
        value, why = self.values.get(name, []), self.why.get(name, [])
        values = value if isinstance(value, list) else [value]
        whys = why if isinstance(why, list) else [why]
        return list(zip(values, whys + [""] * (len(values) - len(whys)), strict=True))


class CategorySchema(_Strict):
    """The attributes of one category, with examples. Immutable; its fingerprint identifies it."""

    category: CategoryName
    department: Name | None = None
    description: Text
    aliases: tuple[Term, ...] = ()
    elsewhere: tuple[Term, ...] = Field(
        default=(),
        description="Values of its kind that are sold as other things too (a notebook may be of paper): what a shop "
        "calls so need not be of this category.",
    )
    whole: tuple[Term, ...] = Field(
        default=(),
        description="Words for the product as a whole or for its main part: what it is made of, it is made of.",
    )
    attributes: Annotated[tuple[Attribute, ...], Field(min_length=1, max_length=40)]
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [attribute.name for attribute in self.attributes]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"attributes named twice: {', '.join(sorted(twice))}")
        for one in self.attributes:
            self._check_suggestions(one)
        for number, example in enumerate(self.examples, 1):
            for name, value in example.values.items():
                where = f"example {number} ({example.title!r}), {name}"
                attribute = self.get(name)
                if attribute is None:
                    raise ValueError(f"{where}: no such attribute")
                if isinstance(value, list) and not attribute.multiple:
                    raise ValueError(f"{where}: takes one value, not a list")
                why = example.why.get(name, [])
                if len(why if isinstance(why, list) else [why]) > len(value if isinstance(value, list) else [value]):
                    raise ValueError(f"{where}: more whys than values")
                for term in value if isinstance(value, list) else [value]:
                    if attribute.kind == "closed" and term not in attribute.values:
                        raise ValueError(f"{where}: {term!r} is not one of its values")
        return self

    def _check_suggestions(self, attribute: Attribute) -> None:
        where = f"attribute {attribute.name!r}: suggested_by"
        for value, by in attribute.suggested_by.items():
            if value not in attribute.values:
                raise ValueError(f"{where}: {value!r} is not one of its values")
            for name, values in by.items():
                other = self.get(name)
                if other is None or other.kind != "closed" or name == attribute.name:
                    raise ValueError(f"{where}: {value}: no other closed attribute {name!r}")
                if stray := [one for one in values if one not in other.values]:
                    raise ValueError(f"{where}: {value}: {stray[0]!r} is not one of the values of {name}")

    def replace(self, **changes: Any) -> "CategorySchema":
        """A copy with other fields, checked anew. (`model_copy` would carry the cached fingerprint along.)"""
        return CategorySchema.model_validate({name: getattr(self, name) for name in type(self).model_fields} | changes)

    def get(self, name: str) -> Attribute | None:
        return self._by_name.get(name)

    @cached_property
    def asked(self) -> tuple[Attribute, ...]:
        """The attributes that a model is asked for."""
        return tuple(attribute for attribute in self.attributes if attribute.kind != "phrase")

    @cached_property
    def _by_name(self) -> dict[str, Attribute]:
        return {attribute.name: attribute for attribute in self.attributes}

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the SHA-256 of the schema's canonical JSON, but for what changes no result."""
        body = self.model_dump(mode="json", exclude={"attributes": {"__all__": {"ignored"}}, "elsewhere": True})
        canonical = json.dumps(body, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def load_schema(path: Path) -> CategorySchema:
    """Read a category schema from a YAML file.

    Raises:
        SchemaError: the file is missing, is no YAML, or breaks a rule; the message lists every breach.
    """
    try:
        raw: Any = listed(path, texts=True)
    except OSError as error:
        raise SchemaError(f"{path}: {error.strerror or error}") from error
    except yaml.YAMLError as error:
        raise SchemaError(f"{path}: not valid YAML: {error}") from error
    try:
        return CategorySchema.model_validate(_spelt_out(path, raw))
    except ValidationError as error:
        lines = "\n".join(
            f"  {'.'.join(map(str, issue['loc'])) or 'file'}: {issue['msg'].removeprefix('Value error, ')}"
            for issue in error.errors()
        )
        raise SchemaError(f"{path}: not a category schema:\n{lines}") from error


def _spelt_out(path: Path, raw: Any) -> Any:
    """The schema with its attributes `like: NAME` written out; what else such an attribute says wins."""
    if not isinstance(raw, dict) or not isinstance(raw.get("attributes"), list):
        return raw
    made = []
    for attribute in raw["attributes"]:
        if isinstance(attribute, dict) and "like" in attribute:
            name = attribute["like"]
            if name not in vocabulary():
                known = ", ".join(vocabulary())
                raise SchemaError(f"{path}: like: {name}: no such shared attribute; there are: {known}")
            changes = {key: value for key, value in attribute.items() if key != "like"}
            attribute = {"name": name, **vocabulary()[name], **changes}
        made.append(attribute)
    return raw | {"attributes": made}


@lru_cache
def vocabulary() -> dict[str, Any]:
    """The attributes that several categories share, by name, as their file has them."""
    shared: dict[str, Any] = listed(VOCABULARY, texts=True)
    return shared


def dump_schema(schema: CategorySchema) -> str:
    """The schema as a YAML file that `load_schema` reads as the same schema."""
    body = schema.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


def starters(folder: Path | None = None) -> Iterator[tuple[Path, CategorySchema]]:
    """Every schema that a category can begin from, with its file: those of `folder`, then the bundled ones that these
    do not replace. An empty file is passed over, with a warning.

    Raises:
        SchemaError: a file of the folder is no schema.
    """
    mine: set[str] = set()
    if folder is not None:
        for path in sorted(folder.glob("*.y*ml")):
            if _is_empty(path):
                continue
            schema = load_schema(path)
            mine.add(schema.category)
            yield path, schema
    for path in sorted(STARTERS.glob("*.yaml")):
        schema = _load_bundled(path)
        if schema.category not in mine:
            yield path, schema


def _is_empty(path: Path) -> bool:
    try:
        empty = not path.read_bytes().strip()
    except OSError:
        return False  # reading it says what is wrong
    if empty:
        _tell(f"{path}: empty, passed over")
    return empty


@lru_cache
def _tell(message: str) -> None:
    """Once."""
    _LOG.warning(message)


@lru_cache
def _load_bundled(path: Path) -> CategorySchema:
    return load_schema(path)


def starter_for(category: str, folder: Path | None = None) -> CategorySchema | None:
    """The schema whose name or alias is `category` (case folded), or None; see `starters`."""
    key = category.strip().casefold().replace(" ", "_")
    for _, schema in starters(folder):
        if key == schema.category or key in {alias.casefold().replace(" ", "_") for alias in schema.aliases}:
            return schema
    return None
