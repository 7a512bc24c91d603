"""What a version of a prompt changes: the same products read with two versions, value by value and as figures."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum, isnan, nan
from typing import Any, Literal, NamedTuple

import numpy as np
from sqlalchemy import select

from reaseq.agents.claims import Claim
from reaseq.agents.extraction_score import GoldRow, Outcomes
from reaseq.agents.labelled import scattered
from reaseq.agents.paired_score import LEVEL, Paired, counts_of, f1, holm, mean, paired
from reaseq.agents.product_text import source_fields
from reaseq.documents.document import Document
from reaseq.graphs.teaching import of_gold
from reaseq.graphs.trial import KEPT, Judged, Pair, Pairs, Read, Subject
from reaseq.knowledge_store.calls import taken
from reaseq.knowledge_store.decisions import decided_products
from reaseq.knowledge_store.store import DISTILLATION, PRODUCT, Store
from reaseq.knowledge_store.tables import LOCKED

Kind = Literal["lost", "changed", "verdict", "gained"]
_AROUND = 60
"""Characters of a text on either side of what is quoted."""
ATTRIBUTE_LEVEL = 0.01
"""From which p on an attribute is called better or worse. With .05 for F1 over all, chance alone calls a change in six
of a hundred comparisons at most."""
_FEWEST = 50
"""Pairs before the width of an interval says that it is enough."""


class Value(NamedTuple):
    """A value as one version has it. around: what stands before and after `quote` in the text."""

    value: str
    status: str
    confidence: float | None
    field: str | None
    quote: str | None
    around: tuple[str, str]
    verdict: str
    found_by: str


class Difference(NamedTuple):
    """One value that is otherwise. kind "lost" and "gained": of those that are kept (verified or proposed); "verdict":
    kept in both, with another status. judged: whether that is better or worse by `right`, the accepted forms."""

    product_id: str
    title: str
    attribute: str
    kind: Kind
    before: Value | None
    after: Value | None
    judged: Literal["better", "worse"] | None
    right: tuple[str, ...]


@dataclass
class AttributeChange:
    """Of one attribute: how many values are kept, and what became of them. p: of the difference in F1, held against all
    attributes (Holm); None: nothing is judged."""

    attribute: str
    before: int = 0
    after: int = 0
    lost: int = 0
    changed: int = 0
    verdict: int = 0
    gained: int = 0
    f1: Paired | None = None
    p: float | None = None

    @property
    def otherwise(self) -> int:
        """How many values are."""
        return self.lost + self.changed + self.verdict + self.gained


@dataclass
class Side:
    """One version: what its calls take for these products, earlier ones to equal requests among them. seconds: of a
    product, the median. cost: None if a call had no price."""

    label: str
    fingerprint: str
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    seconds: float = 0.0
    verified: int = 0
    proposed: int = 0
    failed: int = 0


@dataclass(frozen=True)
class RankerEffect:
    """What the changed knowledge does to a ranker, which is not trained anew: `metric` of the run's test cases with
    what either version finds, the mean over cases and seeds. low, high: 95 % of the difference, by drawing cases (and
    seeds) anew; p: of a permutation test that swaps both versions within cases. touched: cases with a changed product
    as a target, in their history or imagined of their user. Of the products `read`, so many are `in_log`, and of
    these so many are `changed`: known to the model by something else."""

    run: str
    variant: str
    metric: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    seeds: int
    cases: int
    touched: int
    read: int
    in_log: int
    changed: int

    def in_words(self) -> str:
        """What it comes to, in a few sentences."""
        of = f"{self.in_log:,} of the {self.read:,} products read are in the log of run {self.run} ({self.variant})"
        if not self.changed:
            return f"Ranker: {of}, and both versions come to the same of them: its scores stay as they are."
        touched = f"{self.touched:,} of {self.cases:,} test cases touch one of these"
        figures = (
            f"{self.metric} {self.before:.4f} → {self.after:.4f} ({self.difference:+.4f}; 95 % over cases: "
            f"{self.low:+.4f} to {self.high:+.4f}; permutation p {self.p:.3f})"
        )
        told = "" if self.p < 1 - LEVEL else ", no difference that is not noise"
        return f"Ranker: {of}, {self.changed:,} with other knowledge; {touched}. {figures}{told}."


@dataclass
class Comparison:
    """products: read in both ways. judged: of which something is known to be right or wrong. f1: of what is kept, over
    those. verified: values a product. new_calls, new_tokens, new_cost: of the calls that `after` alone needs; for a
    full run, of all `category_products`. stopped: why not all of the sample were read; stopped_by: see `Stopped`.
    ranker: what it does to one, if that was asked for; ranker_left_out: why that was not found out."""

    agent: str
    category: str
    before: Side
    after: Side
    products: int = 0
    judged: int = 0
    f1: Paired | None = None
    verified: Paired | None = None
    attributes: list[AttributeChange] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    sampled: int = 0
    stopped: str | None = None
    stopped_by: str | None = None
    category_products: int = 0
    new_calls: int = 0
    new_tokens: int = 0
    new_cost: float | None = 0.0
    ranker: RankerEffect | None = None
    ranker_left_out: str | None = None

    def full_run(self) -> str | None:
        """About what a run over the whole category would take, in a sentence; None: nothing is asked anew."""
        if not self.new_calls:
            return None
        share = self.category_products / self.products
        cost = "" if self.new_cost is None else f", {share * self.new_cost:,.2f} in cost"
        return (
            f"A run over all {self.category_products:,} products of {self.category} would take about "
            f"{share * self.new_calls:,.0f} calls and {share * self.new_tokens:,.0f} tokens{cost}."
        )

    def cut_short(self) -> str | None:
        """Why not all of the sample were read, in a sentence; None: all were."""
        read = f"{self.products:,} of {self.sampled:,} products were read"
        return f"{read}: {self.stopped.removesuffix('.')}." if self.stopped else None

    def in_words(self) -> str:
        """What came of it, in a sentence or two."""
        if not self.products:
            return "No product was read in both ways."
        if not self.new_calls and not self.differences:
            return "Every request is the same in both: nothing changes."
        said = []
        if self.f1 is not None and self.f1.p == 1 and not self.f1.difference:
            said.append(f"Of {self.judged:,} products that are judged F1 is {self.f1.before:.3f} in both.")
        elif self.f1 is not None:
            what = (
                ("Better" if self.f1.difference > 0 else "Worse") if self.f1.told else "No difference that is not noise"
            )
            said.append(f"{what}: F1 {_figures(self.f1)}, of {self.judged:,} products that are judged.")
        else:
            said.append(
                "Nothing says which values are right; decide on some (reaseq review), or name a file: --gold FILE."
            )
        worse, better = (
            [_attribute_in_words(one) for one in self.attributes if _told(one, worse=side)] for side in (True, False)
        )
        said += [f"Worse: {', '.join(worse)}."] if worse else []
        said += [f"Better: {', '.join(better)}."] if better else []
        if self.verified is not None and self.verified.difference:
            told = "" if self.verified.told else ", which may be noise"
            said.append(f"Verified values a product: {_figures(self.verified, '.2f')}{told}.")
        return " ".join(said)


def _told(one: AttributeChange, *, worse: bool = False) -> bool:
    return one.p is not None and one.p < ATTRIBUTE_LEVEL and one.f1 is not None and (one.f1.difference < 0) is worse


def _attribute_in_words(one: AttributeChange) -> str:
    assert one.f1 is not None, "a difference is told of it"
    return f"{one.attribute} ({_figures(one.f1, p=f'p {one.p:.3f}, held against all attributes (Holm)')})"


def _figures(one: Paired, form: str = ".3f", p: str | None = None) -> str:
    """p: in words, where it is another than that of a permutation test of this alone."""
    interval = "too few for an interval" if isnan(one.low) else f"95 %: {one.low:+{form}} to {one.high:+{form}}"
    said = p or f"permutation p {one.p:.3f}"
    return f"{one.before:{form}} → {one.after:{form}} ({one.difference:+{form}}; {interval}; {said})"


def sample(
    store: Store, category: str, size: int, fits: Callable[[str | None], bool] = lambda locale: True
) -> list[str]:
    """`size` products of a category, the same every time, in an order whose beginnings are samples too. fits: are
    products of this locale (None: not known) to be read?

    Half are products on which people decided, as far as there are such. The others are drawn from strata by what is
    known, a share of each: read by a model, by code or not at all, and with values that are unsettled or without.
    """
    decided = {product["id"] for product, _ in decided_products(store, category=category) if fits(product["locale"])}
    unsettled = store.unsettled(category)
    model = DISTILLATION.c.parts["model"].as_string()
    query = select(PRODUCT.c.id, PRODUCT.c.locale, DISTILLATION.c.status, model.label("model")).outerjoin(
        DISTILLATION, DISTILLATION.c.product_id == PRODUCT.c.id
    )
    strata: dict[tuple[bool, bool, bool], list[str]] = defaultdict(list)
    with store.reading() as connection:
        for row in connection.execute(query.where(PRODUCT.c.category == category)):
            if row.id not in decided and fits(row.locale):
                known = row.status is not None, row.model is not None, bool(unsettled.get(row.id))
                strata[known].append(row.id)
    rest = sum(map(len, strata.values()))
    chosen = sorted(decided, key=scattered)[: max(size // 2, size - rest)]
    left = min(size - len(chosen), rest)
    drawn = [(left * len(ids) / rest, key) for key, ids in strata.items()] if rest else []
    taken_of = {key: int(share) for share, key in drawn}
    for _, key in sorted(drawn, key=lambda one: one[0] % 1, reverse=True)[: left - sum(taken_of.values())]:
        taken_of[key] += 1
    for key, ids in strata.items():
        chosen += sorted(ids, key=scattered)[: taken_of[key]]
    return sorted(chosen, key=scattered)


def subjects_of(store: Store, product_ids: Sequence[str]) -> list[Subject]:
    """Products of the store, and what people decided of them."""
    judged: dict[str, dict[str, Judged]] = {}
    decided = store.decided_of(product_ids)
    for product_id, claims in decided.items():
        mine: dict[str, Judged] = {}
        for claim in claims:
            before = mine.get(claim["attribute"], Judged(whole=False))
            forms = tuple(filter(None, (claim["value"], claim["quote"])))
            if claim["status"] in LOCKED:
                mine[claim["attribute"]] = before._replace(right=(*before.right, *forms))
            else:
                mine[claim["attribute"]] = before._replace(wrong=(*before.wrong, claim["value"]))
        judged[product_id] = mine
    return [
        Subject(
            product["id"],
            product["title"],
            Document(source_fields(product)),
            product["variants"],
            judged.get(product["id"], {}),
            product["locale"],
        )
        for product, _, _ in store.products_of(product_ids)
    ]


def subjects_of_gold(rows: Iterable[GoldRow], names: Mapping[str, str], size: int) -> list[Subject]:
    """`size` rows of a gold file, the same every time. names: what the schema's attributes are called in it."""
    chosen = sorted(rows, key=lambda row: scattered(row.id))[:size]
    return [
        Subject(
            row.id,
            row.title,
            Document(of_gold(row).sources),
            row.variants,
            {name: Judged(row.gold[gold]) for name, gold in names.items() if gold in row.gold},
            row.locale,
        )
        for row in chosen
    ]


def narrow_enough(within: float) -> Any:
    """Says that it is enough once F1's difference is known to `within` on either side; see `read_in_pairs`."""

    def enough(pairs: list[Pair]) -> str | None:
        if len(pairs) < _FEWEST or len(pairs) % 10:
            return None
        found = f1_of(pairs)
        half = (found.high - found.low) / 2 if found is not None else nan
        if isnan(half) or half > within or found is None or found.before == found.after == 0:
            return None
        return f"the difference is known to {half:.3f}, which was asked for"

    return enough


def compared(
    store: Store, pairs: Pairs, agent: str, category: str, before: Side, after: Side, *, several: frozenset[str]
) -> Comparison:
    """All that can be said of what was read. several: the attributes that may have several values."""
    done = sorted(pairs.done, key=lambda pair: pair.subject.product_id)
    made = Comparison(agent, category, before, after, len(done), failed=pairs.failed)
    made.stopped, made.stopped_by = pairs.stopped or (None, None)
    made.judged = sum(any(_outcomes(pair)) for pair in done)
    made.f1 = f1_of(done)
    made.verified = _verified(done)
    made.attributes = attribute_changes(done, several)
    made.differences = sorted((one for pair in done for one in differences(pair, several)), key=_weight)
    calls = taken(store, {number for pair in done for read in (pair.before, pair.after) for number in read.calls})
    _count(before, [pair.before for pair in done], calls)
    _count(after, [pair.after for pair in done], calls)
    made.category_products = store.count_products(category)
    new = [calls[number] for pair in done for number in set(pair.after.calls) - set(pair.before.calls)]
    made.new_calls = len(new)
    made.new_tokens = sum(one["prompt_tokens"] + one["completion_tokens"] for one in new)
    made.new_cost = _cost(new)
    return made


def _cost(calls: Sequence[Mapping[str, Any]]) -> float | None:
    costs = [one["cost"] for one in calls]
    return None if None in costs else fsum(costs)


def _count(side: Side, reads: Sequence[Read], calls: Mapping[int, Mapping[str, Any]]) -> None:
    mine = [calls[number] for read in reads for number in read.calls]
    side.calls = len(mine)
    side.prompt_tokens = sum(one["prompt_tokens"] for one in mine)
    side.completion_tokens = sum(one["completion_tokens"] for one in mine)
    side.cost = _cost(mine)
    seconds = [sum(calls[number]["seconds"] for number in read.calls) for read in reads]
    side.seconds = float(np.median(seconds)) if seconds else 0.0
    side.verified = sum(claim["status"] == "verified" for read in reads for claim in read.claims)
    side.proposed = sum(claim["status"] == "proposed" for read in reads for claim in read.claims)
    side.failed = sum(bool(read.failures) for read in reads)


def _outcomes(pair: Pair, attribute: str | None = None) -> tuple[Outcomes, Outcomes] | tuple[()]:
    """How both ways do on what is judged of a product, or of one attribute of it."""
    judged = {name: one for name, one in pair.subject.judged.items() if attribute in (None, name)}
    if not judged:
        return ()
    made = Outcomes(), Outcomes()
    for read, outcomes in zip((pair.before, pair.after), made, strict=True):
        best = read.best()
        for name, one in judged.items():
            outcomes += one.outcome(best.get(name))
    return made


def f1_of(pairs: Sequence[Pair], attribute: str | None = None) -> Paired | None:
    """F1 of what is judged, or of one attribute of it; None: nothing is."""
    rows = [outcomes for pair in pairs if (outcomes := _outcomes(pair, attribute))]
    if not rows:
        return None
    return paired(counts_of([before for before, _ in rows]), counts_of([after for _, after in rows]), f1)


def _verified(pairs: Sequence[Pair]) -> Paired | None:
    if not pairs:
        return None
    counts = np.array(
        [
            [sum(claim["status"] == "verified" for claim in read.claims) for read in (pair.before, pair.after)]
            for pair in pairs
        ],
        dtype=np.float64,
    )
    one = np.ones((len(pairs), 1))
    return paired(
        np.hstack([counts[:, :1], one]),
        np.hstack([counts[:, 1:], one]),
        mean,
    )


def attribute_changes(pairs: Sequence[Pair], several: frozenset[str]) -> list[AttributeChange]:
    """Of each attribute, those first of which F1 fell most."""
    made: dict[str, AttributeChange] = {}
    for pair in pairs:
        for read, side in ((pair.before, "before"), (pair.after, "after")):
            for claim in read.claims:
                if claim["status"] in KEPT:
                    one = made.setdefault(claim["attribute"], AttributeChange(claim["attribute"]))
                    setattr(one, side, getattr(one, side) + 1)
        for difference in differences(pair, several):
            one = made.setdefault(difference.attribute, AttributeChange(difference.attribute))
            setattr(one, difference.kind, getattr(one, difference.kind) + 1)
    for one in made.values():
        one.f1 = f1_of(pairs, one.attribute)
    judged = [one for one in made.values() if one.f1 is not None]
    for one, p in zip(judged, holm([one.f1.p for one in judged if one.f1]), strict=True):
        one.p = p
    return sorted(made.values(), key=lambda one: (one.f1.difference if one.f1 else 0, -one.lost, one.attribute))


def differences(pair: Pair, several: frozenset[str]) -> list[Difference]:
    """What is otherwise in a product. Where an attribute has one value, one that is lost and one that is gained are one
    that is changed."""
    subject = pair.subject
    sides = [_by_attribute(read) for read in (pair.before, pair.after)]
    bests = [read.best() for read in (pair.before, pair.after)]
    found: list[Difference] = []
    for attribute in dict.fromkeys((*sides[0], *sides[1])):
        before, after = (side.get(attribute, {}) for side in sides)
        kept = [{key for key, claim in side.items() if claim["status"] in KEPT} for side in (before, after)]
        lost, gained = sorted(kept[0] - kept[1]), sorted(kept[1] - kept[0])
        judged, right = _judged(subject.judged.get(attribute), *(best.get(attribute) for best in bests))
        changes: list[tuple[Kind, Claim | None, Claim | None]] = []
        if attribute not in several and lost and gained:
            changes.append(("changed", before[lost.pop(0)], after[gained.pop(0)]))
        changes += [("lost", before[key], after.get(key)) for key in lost]
        changes += [("gained", before.get(key), after[key]) for key in gained]
        both = sorted(kept[0] & kept[1])
        changes += [
            ("verdict", before[key], after[key]) for key in both if before[key]["status"] != after[key]["status"]
        ]
        for kind, *claims in changes:
            one, other = (None if claim is None else _value(claim, subject.document) for claim in claims)
            found.append(Difference(subject.product_id, subject.title, attribute, kind, one, other, judged, right))
    return found


def _by_attribute(read: Read) -> dict[str, dict[str, Claim]]:
    made: dict[str, dict[str, Claim]] = {}
    for claim in read.claims:
        made.setdefault(claim["attribute"], {})[claim["value"].casefold()] = claim
    return made


def _judged(
    known: Judged | None, before: Claim | None, after: Claim | None
) -> tuple[Literal["better", "worse"] | None, tuple[str, ...]]:
    if known is None:
        return None, ()
    first, second = (known.outcome(claim) for claim in (before, after))

    def good(one: Outcomes) -> int:
        return one.right - one.wrong - one.invented

    change = good(second) - good(first)
    return (None if not change else "better" if change > 0 else "worse"), known.right


def _value(claim: Claim, document: Document) -> Value:
    text = document.sources.get(claim["field"] or "", "")
    start, end = claim["start"], claim["end"]
    around = ("", "")
    if claim["quote"] and start is not None and end is not None:
        around = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return Value(
        claim["value"],
        claim["status"],
        claim["confidence"],
        claim["field"],
        claim["quote"],
        around,
        claim["verdict"],
        claim["found_by"],
    )


def _weight(one: Difference) -> tuple[Any, ...]:
    """Worst losses first: what is worse by what is known, then what was verified and is no more."""
    was = one.before is not None and one.before.status == "verified"
    holds = one.after is not None and one.after.status == "verified"
    kinds = ("lost", "changed", "verdict", "gained")
    worse = {"worse": 0, None: 1, "better": 2}[one.judged]
    return worse, holds - was, kinds.index(one.kind), one.attribute, one.product_id
