"""A trained run, ready to score: products for a user, new ones included, and why."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq import ReaseqError
from reaseq.knowledge_store.events import histories, history
from reaseq.knowledge_store.imagined import Imagination, find_imagination, imagined_of
from reaseq.knowledge_store.log import Imagined, Sequences
from reaseq.knowledge_store.store import Store
from reaseq.ranker import saved
from reaseq.ranker.dataset import KnowledgeFeatures
from reaseq.ranker.score import ItemVectors, case_scores, encode_histories
from reaseq.ranker.train import Fitted


@dataclass(frozen=True)
class Reason:
    """Why a product scores as it does.

    behaviours: the history's events without which the score would fall most, with the fall (a difference of logits).
    shared: facts that the product has in common with those events' products. repeats: how often the user has had it.
    cold: does the log know nothing of the user?
    """

    behaviours: list[tuple[dict[str, Any], float]]
    shared: list[str]
    repeats: int
    cold: bool = False

    def __str__(self) -> str:
        if self.cold:
            return "the log knows nothing of the user: it is what most others have"
        parts = []
        if self.repeats:
            parts.append(f"had it {'once' if self.repeats == 1 else f'{self.repeats} times'} before")
        others = [event for event, _ in self.behaviours]
        if others:
            parts.append("because of " + " and ".join(f"{event['kind']} of {event['title']!r}" for event in others))
        if self.shared:
            parts.append("in common: " + ", ".join(fact.replace("=", ": ", 1) for fact in self.shared))
        return "; ".join(parts) or "nothing in the history stands out: it is what the model expects of anybody"


class Scorer:
    """Scores products of the store for its users, by the model of a run.

    Products that came after the training are scored too, by what is known of them.
    """

    def __init__(
        self,
        store: Store,
        fitted: Fitted,
        products: Sequence[str],
        kinds: Collection[str] | None = None,
        imagination: Imagination | None = None,
        dataset: str | None = None,
    ) -> None:
        """products: [I], the ids of the model's items. kinds: of events that the model learnt from; none: all.

        imagination: what imagines events, for a model that knows of them. dataset: the fingerprint of the log that it
        learnt from.
        """
        self.store = store
        self.fitted = fitted
        self.products = list(products)
        self.number = {product: index for index, product in enumerate(self.products)}
        self.kinds = kinds
        self.imagination = imagination
        self.dataset = dataset
        self.vectors: ItemVectors = fitted.vectors()
        told = np.zeros(len(self.products), bool)
        if fitted.knowledge is not None:
            told = fitted.knowledge.abs().sum(1).gt(0).numpy()
        self.rankable: NDArray[np.bool_] = told | fitted.counts.gt(0).numpy()
        """[I]: does the model know anything of the product, from the log or by its knowledge?"""

    @classmethod
    def open(cls, folder: Path, store: Store) -> "Scorer":
        """`folder`: of one trained model (`runs/<id>/<variant>/seed-<n>`).

        Raises:
            ReaseqError: there is no model, or it is broken.
        """
        model = saved.read(folder)
        known = set(model.products)
        products = model.products + [product for product in store.product_ids() if product not in known]
        features = KnowledgeFeatures.of_saved(model) if "knowledge" in model.config.features else None
        knowledge = features.of(store, products) if features else None
        kinds = json.loads(model.meta.get("kinds", "null"))
        imagination = find_imagination(store, model.meta["imagination"]) if "imagination" in model.meta else None
        fitted = model.fitted(products, knowledge, torch.device("cpu"))
        return cls(store, fitted, products, kinds, imagination, model.meta.get("dataset"))

    def scores(self, events: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        """Scores of all products after a history (events as `history` gives them, oldest first): [I]."""
        return case_scores(self.fitted.model, self.vectors, self._sequences([events]))(0, 1)[0].numpy()

    def rank(self, user: str, candidates: Sequence[str]) -> list[tuple[str, float]]:
        """The candidates with their scores, best first; for a user of whom the log knows nothing by how often it has
        them.

        Raises:
            ReaseqError: a candidate is not in the catalogue.
        """
        unknown = [product for product in candidates if product not in self.number]
        if unknown:
            raise ReaseqError(f"not in the catalogue: {', '.join(unknown[:5])}", hint="reaseq import FILE")
        wanted = torch.tensor([self.number[product] for product in candidates])
        values = self.score_many(self.histories([user]), wanted)[0]
        order = torch.argsort(values, descending=True, stable=True).tolist()
        return [(candidates[index], float(values[index])) for index in order]

    @torch.no_grad()
    def score_many(self, histories: Sequence[Sequence[Mapping[str, Any]]], items: Tensor) -> Tensor:
        """Scores of some products, by number, after each of some histories: items [C] -> [U, C]. After an empty one
        products stand by how often the log has them."""
        vectors = self.vectors
        # Each product has one place, where repetition is added.
        items, asked = items.unique(return_inverse=True)  # type: ignore[no-untyped-call]
        h, (rows, held, bonus) = encode_histories(self.fitted.model, vectors, self._sequences(histories))
        scores = h @ vectors.keys[items].T + vectors.bias[items]
        place = torch.full((len(vectors.keys),), -1)
        place[items] = torch.arange(len(items))
        at = place[held]
        scores.index_put_((rows[at >= 0], at[at >= 0]), bonus[at >= 0], accumulate=True)
        cold = torch.tensor([not events for events in histories])
        scores[cold] = torch.log1p(self.fitted.counts[items].float())
        return scores[:, asked]

    def histories(self, users: Sequence[str]) -> list[list[dict[str, Any]]]:
        """What the model looks at of each user's events, oldest first; none of a user that the log does not know."""
        found = histories(self.store, users, 2 * self.fitted.model.config.most, self.kinds)
        return [self._looked_at(user, found.get(user, ())) for user in users]

    def _looked_at(self, user: str, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The last of a user's events, with what was imagined of the user. Seen and bought at once is one event to the
        model."""
        most = self.fitted.model.config.most
        events = list({(event["at"], event["product_id"]): event for event in found}.values())[-most:]
        if self.imagination is None or not events:
            return events
        made = imagined_of(self.store, self.imagination, user, events[-1]["at"])
        told = [(one["product_id"], one["log_confidence"]) for one in made]
        return [event | {"imagined": told} for event in events]

    def history(self, user: str) -> list[dict[str, Any]]:
        """The user's last events that the model looks at, oldest first, each with its product's title.

        For a model that knows of imagined events each also has, as `imagined`, what was imagined of the user last.

        Raises:
            ReaseqError: the store knows no events of this user.
        """
        events = self._titled(user)
        if not events:
            raise ReaseqError(f"no events of user {user!r}", hint="reaseq events stats")
        return events

    def _titled(self, user: str) -> list[dict[str, Any]]:
        return self._looked_at(user, history(self.store, user, 2 * self.fitted.model.config.most, self.kinds))

    def recommend(self, user: str, k: int = 10, *, new_only: bool = False) -> list[tuple[str, float, Reason]]:
        """The k products with the highest scores and the reason for each. What the model knows nothing of is left out;
        new_only leaves out what the user had, too. For a user of whom the log knows nothing they are those that it has
        most."""
        events = self._titled(user)
        if not events:
            counts = np.log1p(self.fitted.counts.double().numpy())
            best = np.argsort(-np.where(self.rankable, counts, -np.inf), kind="stable")[:k]
            return [
                (self.products[item], float(counts[item]), Reason([], [], 0, cold=True))
                for item in best
                if self.rankable[item]
            ]
        scores = np.where(self.rankable, self.scores(events), -np.inf)
        if new_only:
            scores[[self.number[event["product_id"]] for event in events]] = -np.inf
        best = np.argsort(-scores, kind="stable")[: min(k, int(np.isfinite(scores).sum()))]
        reasons = self.reasons(events, best)
        return [(self.products[item], float(scores[item]), reason) for item, reason in zip(best, reasons, strict=True)]

    def _sequences(self, histories: Sequence[Sequence[Mapping[str, Any]]]) -> Sequences:
        offsets = np.cumsum([0] + [len(events) for events in histories])
        events = [event for one in histories for event in one]
        items = np.array([self.number[event["product_id"]] for event in events], np.int64)
        at = np.array([event["at"] for event in events], np.float64)
        rows = [event.get("imagined", ()) for event in events]
        width = max(map(len, rows), default=0)
        if not width:
            return Sequences(offsets, items, at)
        imagined = np.full((len(rows), width), -1)
        confidence = np.full((len(rows), width), -np.inf, np.float32)
        for index, row in enumerate(rows):
            known = [(self.number[product], value) for product, value in row if product in self.number]
            imagined[index, : len(known)] = [product for product, _ in known]
            confidence[index, : len(known)] = [value for _, value in known]
        return Sequences(offsets, items, at, Imagined(np.arange(len(rows)), imagined, confidence))

    def reasons(self, events: list[dict[str, Any]], items: NDArray[np.int64], most: int = 2) -> list[Reason]:
        """Occlusion: each event is left out in turn, and what that costs a product is what the event did for it."""
        variants = [events, *([*events[:left], *events[left + 1 :]] for left in range(len(events)))]
        scores = case_scores(self.fitted.model, self.vectors, self._sequences(variants))(0, len(variants))[
            :, torch.from_numpy(items)
        ]
        falls = (scores[0] - scores[1:]).numpy()  # [events, items]
        facts = self.store.facts({self.products[item] for item in items} | {event["product_id"] for event in events})
        made = []
        for column, item in enumerate(items):
            product = self.products[item]
            own = set(facts.get(product, ()))
            order = np.argsort(-falls[:, column], kind="stable")
            drivers: list[tuple[dict[str, Any], float]] = []
            for index in order:
                event = events[index]
                if falls[index, column] > 0 and event["product_id"] not in {one["product_id"] for one, _ in drivers}:
                    drivers.append((event, float(falls[index, column])))
                if len(drivers) == most:
                    break
            theirs = {fact for event, _ in drivers if event["product_id"] != product
                      for fact in facts.get(event["product_id"], ())}  # fmt: skip
            repeats = sum(event["product_id"] == product for event in events)
            made.append(Reason(drivers, sorted(own & theirs), repeats))
        return made
