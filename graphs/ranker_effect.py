"""What a version of a prompt does to a ranker: a run's model and test cases, with what either version finds out in
place of what the store has of the products that were read. Nothing is stored, and the model is not trained anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.paired_score import chance, mean
from reaseq.graphs.comparison import RankerEffect
from reaseq.graphs.trial import Pair, Read
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.log import Ints
from reaseq.knowledge_store.store import Store, fact, own_facts, undecided
from reaseq.knowledge_store.summaries import holds, is_denied
from reaseq.llm import encoders
from reaseq.ranker import runs
from reaseq.ranker.dataset import KnowledgeFeatures
from reaseq.ranker.evaluate import bootstrap, case_metrics, target_ranks
from reaseq.ranker.score import case_scores
from reaseq.ranker.split import Cases
from reaseq.ranker.train import Fitted
from reaseq.taxonomy.schema import CategorySchema

_K = 10
_METRIC = f"NDCG@{_K}"


@dataclass(frozen=True)
class Judge:
    """A run, opened: its models with all of its features, one a seed, and the encoder that its products are embedded
    with."""

    store: Store
    run: str
    variant: str
    opened: runs.Reopened
    features: KnowledgeFeatures
    encoder: Encoder

    def effect(self, pairs: Sequence[Pair], schema: CategorySchema) -> RankerEffect:
        """How the models place the test cases' targets with what `before` found, and with what `after` found. The rest
        of the catalogue keeps what the store has."""
        data, log = self.opened.prepared.data, self.opened.prepared.dataset.log
        assert data.knowledge is not None, "the run's features have it"
        place = {product: index for index, product in enumerate(log.items)}
        mine = [pair for pair in pairs if pair.subject.product_id in place]
        rows = np.array([place[pair.subject.product_id] for pair in mine], np.int64)
        sides = self._sides(mine, schema)
        changed = rows[(sides[0] != sides[1]).any(1)]
        cases, models = data.split.test, self.opened.models[self.variant]
        touched = _touched(cases, changed, len(log.items))
        values = [_metric(models, data.knowledge, rows, side, cases) for side in (sides if len(changed) else sides[:1])]
        before, after = values[0], values[-1]
        interval = bootstrap(after - before)
        p = 1.0
        if (before != after).any():
            first, second = (np.stack([one.mean(0), np.ones(len(cases))], axis=1) for one in (before, after))
            p = chance(first, second, mean, interval.mean, np.random.default_rng(0))
        return RankerEffect(
            self.run,
            self.variant,
            _METRIC,
            float(before.mean()),
            float(after.mean()),
            interval.mean,
            interval.low,
            interval.high,
            p,
            seeds=len(models),
            cases=len(cases),
            touched=int(touched.sum()),
            read=len(pairs),
            in_log=len(mine),
            changed=len(changed),
        )

    def _sides(self, pairs: Sequence[Pair], schema: CategorySchema) -> list[NDArray[np.float32]]:
        """What the products are known by to the model, with each side's claims: two of [n, k]."""
        ids = [pair.subject.product_id for pair in pairs]
        products = {product["id"]: product for product, _, _ in self.store.products_of(ids)}
        stored = {one: sorted(self.store.knowledge(one)[0], key=itemgetter("id")) for one in ids}
        claims = [
            [_known(getattr(pair, side), stored[pair.subject.product_id], schema) for pair in pairs]
            for side in ("before", "after")
        ]
        texts = [
            [
                embeddings.text_of(products[one], [claim for claim in some if holds(claim) or is_denied(claim)]).text
                for one, some in zip(ids, side, strict=True)
            ]
            for side in claims
        ]
        # In one piece: what a text's vector is depends a little on those beside it.
        distinct = list(dict.fromkeys(text for side in texts for text in side))
        vectors = embeddings.as_kept(self.encoder.encode(distinct)) if distinct else np.zeros((0, 0))
        number = {text: index for index, text in enumerate(distinct)}
        there = np.ones(len(ids), bool)
        made = []
        for side, mine in zip(texts, claims, strict=True):
            facts = [
                [
                    *own_facts(products[one]),
                    *(fact(claim["attribute"], claim["value"]) for claim in some if holds(claim)),
                ]
                for one, some in zip(ids, mine, strict=True)
            ]
            chosen = vectors[[number[text] for text in side]].astype(np.float32)
            made.append(self.features.rows(chosen, there, facts) if ids else np.zeros((0, 0), np.float32))
        return made


def judge_of(store: Store, runs_dir: Path, weights_dir: Path, run: str) -> Judge:
    """Open a finished run, by its id or the start of it.

    Raises:
        ReaseqError: there is no such run, it does not look at what is known of products, it has no test cases, a model
            is missing, or the encoder is not the one that its products were embedded with.
        EngineError: the encoder cannot be had.
    """
    folder = runs.find(runs_dir, run)
    config = runs.read_config(folder)
    variant = config.variants()[-1].name
    if "knowledge" not in (config.features or ()):
        raise ReaseqError(
            f"run {folder.name} does not look at what is known of products (its features: {variant}), so no prompt "
            "changes its scores",
            hint="reaseq runs",
        )
    opened = runs.reopen(store, folder)
    features = opened.prepared.knowledge
    assert features is not None, "it was trained with them"
    if not len(opened.prepared.data.split.test):
        raise ReaseqError(f"run {folder.name} has no test cases", hint="reaseq runs")
    space = embeddings.find_space(store, features.space)
    assert space is not None, "they were read from it"
    encoder = Encoder(*encoders.resolve(weights_dir, space.model))
    if encoder.fingerprint != features.space:
        raise ReaseqError(
            f"run {folder.name} was trained on embeddings of another state of {space.model} than the one at hand",
            hint="reaseq train-ranker",
        )
    return Judge(store, folder.name, variant, opened, features, encoder)


def _known(read: Read, stored: Sequence[Mapping[str, Any]], schema: CategorySchema) -> list[Mapping[str, Any]]:
    """A product's claims once a distillation had found this: what people decided stays, and what was known where an
    agent failed."""
    failed = {failure["stage"] for failure in read.failures}
    if AttributeExtractor.name in failed and stored:
        return list(stored)
    decided = [claim for claim in stored if claim["decided_by"] is not None]
    kept = [claim for claim in stored if claim["decided_by"] is None and claim["found_by"] in failed]
    several = {
        claim["attribute"] for claim in read.claims if (one := schema.get(claim["attribute"])) is None or one.multiple
    }
    return [*decided, *kept, *undecided(read.claims, decided, several)]


def _metric(
    models: Sequence[Fitted], knowledge: NDArray[np.float32], rows: Ints, known: NDArray[np.float32], cases: Cases
) -> NDArray[np.float64]:
    """The metric of each seed's model and case, with other knowledge of the items `rows`: [seeds, C]."""
    matrix = knowledge.copy()
    if len(rows):
        matrix[rows] = known
    made = []
    for one in models:
        fitted = replace(one, knowledge=torch.from_numpy(matrix).to(one.table.device))
        ranks = target_ranks(case_scores(fitted.model, fitted.vectors(), cases.history), cases)
        made.append(case_metrics(ranks, cases, (_K,))[_METRIC])
    return np.stack(made)


def _touched(cases: Cases, changed: Ints, items: int) -> NDArray[np.bool_]:
    """Which cases have one of the items as a target, in their history, or imagined of their user: [C]."""
    is_changed = np.zeros(items, bool)
    is_changed[changed] = True
    history = cases.history
    found = np.zeros(len(cases), bool)
    found[cases.owner[is_changed[cases.targets]]] = True
    found[history.owner[is_changed[history.items]]] = True
    if (imagined := history.imagined) is not None and len(imagined.items):
        rows = np.asarray((is_changed[imagined.items] & (imagined.items >= 0)).any(1))
        found[history.owner[(imagined.row >= 0) & rows[imagined.row]]] = True
    return found
