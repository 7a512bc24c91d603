"""What a product's knowledge depends on, and why it has to be made again."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reaseq.agents.claims import AGENT
from reaseq.agents.product_text import MOST_COLUMNS, fingerprint, source_fields
from reaseq.documents.locales import nearest
from reaseq.knowledge_store.retiring import Retired, read_by
from reaseq.knowledge_store.retiring import retire as set_aside
from reaseq.knowledge_store.store import TAUGHT, Store
from reaseq.taxonomy.schema import CategorySchema
from reaseq.taxonomy.trust import VERIFIED_FROM
from reaseq.taxonomy.variants import cells_of

CODE_VERSION = "21"
"""Raised when a change of code changes what a distillation finds."""

if TYPE_CHECKING:
    from reaseq.agents.agent import ProductAgent

_BATCH = 500
TEXT_CHANGED = "text changed"
_OF_TEXT = ("product", "variants")
_WORDS = {
    "product": TEXT_CHANGED,
    "variants": "variants changed",
    "schema": "schema changed",
    "model": "model changed",
    "code": "reaseq changed",
    "decision": "somebody decided on a claim",
    "escalated": "not escalated to this model",
    "votes": "number of votes changed",
    "columns": "number of columns shown changed",
    "labelled": "more is known of other products",
    "verified from": "threshold moved",
}


@dataclass(frozen=True)
class Inputs:
    """What all products of a run share: the schema, the agents (by_locale: see `ProductAgents`), and fingerprints.
    models: of the models of agents that have one of their own, by agent; labelled: of the products it learnt from, if
    any; escalated: of the model to which it escalates, if any. taught: is the model a teacher?"""

    schema: CategorySchema
    model: str
    agents: Sequence["ProductAgent"]
    models: Mapping[str, str] = field(default_factory=dict)
    labelled: str | None = None
    escalated: str | None = None
    votes: int = 1
    columns: int = MOST_COLUMNS
    verified_from: float = VERIFIED_FROM
    taught: bool = False
    by_locale: Mapping[str, Mapping[str, "ProductAgent"]] = field(default_factory=dict)

    def parts(
        self, sources: Mapping[str, str], variants: Sequence[Mapping[str, Any]] = (), locale: str | None = None
    ) -> dict[str, str]:
        """Everything one product's knowledge depends on, by name."""
        return {
            **code_parts(self.schema, sources, variants, self.verified_from),
            "model": self.model,
            **self._of_agents(sources, locale),
            **({"labelled": self.labelled} if self.labelled else {}),
            **({"votes": str(self.votes)} if self.votes > 1 else {}),
            **({"columns": str(self.columns)} if self.columns != MOST_COLUMNS else {}),
            **({"escalated": self.escalated} if self.escalated else {}),
            **({TAUGHT: self.model} if self.taught else {}),
        }

    def _of_agents(self, sources: Mapping[str, str], locale: str | None) -> dict[str, str]:
        parts: dict[str, str] = {}
        own: dict[str, str] = {}
        """Those of people's own agents so far."""
        theirs = self.by_locale.get(nearest(locale, self.by_locale) or "", {})
        for agent in (theirs.get(one.name, one) for one in self.agents):
            if not agent.is_for(sources):
                continue
            mine = dict(agent.parts)
            if agent.name in self.models:
                mine[f"model {agent.name}"] = self.models[agent.name]
            if agent.reads_claims and own:
                mine[f"before {agent.name}"] = fingerprint(own)
            if f"{AGENT}{agent.name}" in mine:
                own |= mine
            parts |= mine
        return parts


def retire(store: Store, category: str, agents: Sequence["ProductAgent"]) -> int:
    """Mark the claims of agents of one's own that are switched off, or for other products now, as no longer in force;
    what people decided stays. It makes stale only what agents found that read those claims. Of how many products there
    were some."""
    gone = []
    for product, before, _ in store.products_of(read_by(store, category, AGENT)):
        sources = source_fields(product)
        there = {agent.name for agent in agents if agent.is_for(sources)}
        parts = before or {}
        if names := _own(parts) - there:
            left = {name: part for name, part in parts.items() if name not in parts_of(names)}
            gone.append(Retired(product["id"], names, left))
    return sum(set_aside(store, gone[start : start + _BATCH]) for start in range(0, len(gone), _BATCH))


def _in_words(part: str) -> str:
    what, _, agent = part.partition(" ")
    return f"agents before {agent} changed" if what == "before" else f"{part} changed"


def _own(parts: Mapping[str, str]) -> set[str]:
    """The agents of one's own that parts name."""
    return {name.removeprefix(AGENT) for name in parts if name.startswith(AGENT)}


def parts_of(agents: Collection[str]) -> set[str]:
    """The names of the parts that agents' prompts, code and models may have."""
    return {f"{what} {agent}" for agent in agents for what in ("agent", "prompt", "model", "before")}


def code_parts(
    schema: CategorySchema,
    sources: Mapping[str, str],
    variants: Sequence[Mapping[str, Any]],
    verified_from: float,
) -> dict[str, str]:
    """What a product's knowledge depends on where no model was asked."""
    options = {variant["id"]: cells_of(schema, variant) for variant in variants}
    return {
        "product": fingerprint(sources),
        **({"variants": fingerprint(options)} if options else {}),
        "schema": schema.fingerprint,
        "code": CODE_VERSION,
        **({"verified from": str(verified_from)} if verified_from != VERIFIED_FROM else {}),
    }


def by_code_alone(parts: Mapping[str, str]) -> bool:
    """Has no model read what has these parts?"""
    return "model" not in parts


def due_by_code(parts: Mapping[str, str], before: Mapping[str, str] | None, *, again: bool = False) -> bool:
    """Is a product to be read by code: is nothing known of it, or of another text, or by code that read otherwise? What
    a model has found of the same text is more. again: also where more is known of other products now?"""
    if before is None or any(parts.get(name) != before.get(name) for name in _OF_TEXT):
        return True
    ignored = set() if again else {"labelled"}
    mine, theirs = ({name: part for name, part in one.items() if name not in ignored} for one in (parts, before))
    return by_code_alone(before) and mine != theirs


@dataclass(frozen=True)
class Checked:
    """A product, what its knowledge is to be made from (`parts`: in fingerprints) and was made from, and `why` it
    has to be made again; None: it has not. locale: of its text, if that is known."""

    product_id: str
    sources: dict[str, str]
    variants: list[dict[str, Any]]
    locale: str | None
    parts: dict[str, str]
    before: Mapping[str, str] | None
    why: str | None


def checked(
    store: Store,
    category: str,
    inputs: Inputs,
    *,
    limit: int | None,
    again: bool,
    only: Sequence[str] | None = None,
) -> Iterator[Checked]:
    """The first `limit` products of the category, those first that need it most, or `only` these. again: see
    `reason`."""
    for product, before, status in store.products_of(store.by_need(category, limit) if only is None else only):
        sources, variants = source_fields(product), product["variants"]
        locale = product["locale"]
        parts = inputs.parts(sources, variants, locale)
        why = reason(parts, before, status, again=again)
        yield Checked(product["id"], sources, variants, locale, parts, before, why)


def reason(
    parts: Mapping[str, str], before: Mapping[str, str] | None, status: str | None, *, again: bool = False
) -> str | None:
    """Why a product is stale, in words; None if nothing it depends on has changed.

    Whatever is decided of one product teaches something about all others. That alone makes them stale only if they are
    to be distilled `again`: after each decision everything would be. What was escalated need not be done again without.
    """
    if before is None:
        return "new"
    if by_code_alone(before):
        return "no model has read it"
    ignored = (set() if again else {"labelled"}) | ({"escalated"} - parts.keys())
    if TAUGHT in before and TAUGHT not in parts:  # what a teacher has read no lesser model reads again
        ignored |= {name for name in {*parts, *before} if name not in (*_OF_TEXT, "schema", "code", "decision")}
    ignored |= parts_of(_own(before) - _own(parts))  # what is switched off is retired, which asks no model
    new = sorted(_own(parts) - _own(before) - {name.removeprefix(AGENT) for name in ignored})
    names = sorted({*parts, *before} - ignored - parts_of(new))
    changed = [name for name in names if parts.get(name) != before.get(name)]
    if changed or new:
        said = [_WORDS.get(name, _in_words(name)) for name in changed]
        return ", ".join([*said, *(f"{AGENT}{name} is new" for name in new)])
    return "failed last time" if status == "failed" else None
