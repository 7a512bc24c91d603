"""A trained run, ready to score: products for a user, new ones included, and why."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reaseq import ReaseqError
from reaseq.knowledge_store.events import PASSIVE, histories, history
from reaseq.knowledge_store.imagined import Imagination, find_imagination, imagined_of
from reaseq.knowledge_store.log import Imagined, Sequences
from reaseq.knowledge_store.names import Names, read_names
from reaseq.knowledge_store.store import Store
from reaseq.ranker import saved
from reaseq.ranker.dataset import KnowledgeFeatures
from reaseq.ranker.score import ItemVectors, case_scores, encode_histories
from reaseq.ranker.session import events_given
from reaseq.ranker.train import Fitted

_READ = 500
"""Products whose titles are read at once."""
_APART = 60.0
"""Seconds between the events of a session that says no times: each is a step of its own within one sitting."""

_OF_NO_KIND = "event"


@dataclass(frozen=True)
class Reason:
    """Why a product scores as it does.

    behaviours: the history's events without which the score would fall most, with the fall (a difference of logits).
    shared: facts that the product has in common with those events' products. repeats: how often the user has had it.
    trained_on: where there is no history, how many events of the product the training had, by which it stands; else
    None.
    """

    behaviours: list[tuple[dict[str, Any], float]]
    shared: list[str]
    repeats: int
    trained_on: int | None = None

    def __str__(self) -> str:
        if self.trained_on is not None:
            stands = "products stand by how many training events have them"
            return f"no event of the user counts: {stands}, this one by {self.trained_on:,}"
        parts = []
        if self.repeats:
            parts.append(f"had it {'once' if self.repeats == 1 else f'{self.repeats} times'} before")
        others = [event for event, _ in self.behaviours]
        if others:
            parts.append("because of " + " and ".join(map(_called, others)))
        if self.shared:
            parts.append("in common: " + ", ".join(fact.replace("=", ": ", 1) for fact in self.shared))
        return "; ".join(parts) or "nothing in the history stands out: it is what the model expects of anybody"


def _called(event: Mapping[str, Any]) -> str:
    """An event in words."""
    title = repr(event["title"])
    return title if event["kind"] == _OF_NO_KIND else f"{event['kind']} of {title}"


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
        return case_scores(self.fitted.model, self.vectors, self.sequences([events]))(0, 1)[0].numpy()

    @cached_property
    def _names(self) -> Names:
        return read_names(self.store)

    def everything(self) -> list[str]:
        """The ids of the products that the model knows anything of."""
        return [one for one, fits in zip(self.products, self.rankable, strict=True) if fits]

    def found(self, called: Iterable[str]) -> tuple[list[str], list[str]]:
        """The ids of the products that these are the ids, SKUs, barcodes or other names of, each once, and names of
        none, of several, or of one that the model knows nothing of."""
        known: dict[str, None] = {}
        unknown: dict[str, None] = {}
        for name in called:
            product = name if name in self.number else self._names.find(name)
            if product in self.number and self.rankable[self.number[product]]:
                known[product] = None
            else:
                unknown[name] = None
        return list(known), list(unknown)

    def product(self, called: str) -> str:
        """The id of the product that goes by this name.

        Raises:
            ReaseqError: none does, or several do.
        """
        known, _ = self.found([called])
        of = called if called in self.number else self._names.find(called)
        if not known and of in self.number:
            raise ReaseqError(
                f"the model knows nothing of {called}: no event was there, and no knowledge that it uses",
                hint="reaseq embed, then train-ranker with knowledge   (or leave it out)",
            )
        if not known:
            why = self._names.why_not(called) if called not in self._names.of else f"not in the catalogue: {called}"
            raise ReaseqError(why, hint="reaseq knowledge list")
        return known[0]

    def rank(self, user: str, candidates: Sequence[str]) -> list[tuple[str, float]]:
        """The candidates with their scores, best first; for a user of whom the log knows nothing by how many
        training events have them.

        Raises:
            ReaseqError: a candidate is not in the catalogue.
        """
        return next(self.ranked(self.histories([user]), candidates))

    def ranked(self, histories: Sequences, candidates: Sequence[str]) -> Iterator[list[tuple[str, float]]]:
        """After each history the candidates with their scores, best first.

        Raises:
            ReaseqError: a candidate is not in the catalogue.
        """
        unknown = [product for product in candidates if product not in self.number]
        if unknown:
            raise ReaseqError(f"not in the catalogue: {', '.join(unknown[:5])}", hint="reaseq import FILE")
        wanted = torch.tensor([self.number[product] for product in candidates], dtype=torch.int64)
        scores = self.score_many(histories, wanted)
        for values, order in zip(scores, torch.argsort(scores, dim=1, descending=True, stable=True), strict=True):
            yield [(candidates[index], float(values[index])) for index in order.tolist()]

    @torch.no_grad()
    def score_many(self, histories: Sequences, items: Tensor) -> Tensor:
        """Scores of some products, by number, after each of some histories: items [C] -> [U, C]. After an empty one
        products stand by how many training events have them."""
        vectors = self.vectors
        # Each product has one place, where repetition is added.
        items, asked = items.unique(return_inverse=True)  # type: ignore[no-untyped-call]
        h, (rows, held, bonus) = encode_histories(self.fitted.model, vectors, histories)
        scores = h @ vectors.keys[items].T + vectors.bias[items]
        place = torch.full((len(vectors.keys),), -1)
        place[items] = torch.arange(len(items))
        at = place[held]
        scores.index_put_((rows[at >= 0], at[at >= 0]), bonus[at >= 0], accumulate=True)
        cold = torch.from_numpy(histories.lengths == 0)
        scores[cold] = torch.log1p(self.fitted.counts[items].float())
        return scores[:, asked]

    def histories(self, users: Sequence[str]) -> Sequences:
        """Each user's events of the kinds that the model looks at, oldest first; none of a user that the log does not
        know. All of them: a model looks at the last `most`, but how often an item was repeated is counted over all, as
        in evaluation."""
        if self.imagination is not None:
            return self.sequences([self.known_history(user) for user in users])
        owners, at, products = histories(self.store, users, self.kinds)
        events = Counter(owners)
        items = np.fromiter(map(self.number.__getitem__, products), np.int64, len(products))
        of_users = Sequences(np.cumsum([0, *events.values(), 0]), items, np.array(at, np.float64))
        place = {user: index for index, user in enumerate(events)}
        return of_users.select(np.array([place.get(user, len(events)) for user in users], np.int64))

    def looked_at(self, events: int) -> int:
        """How many events the model looks at in a history of so many."""
        return min(events, self.fitted.model.config.most)

    def _with_imagined(self, user: str, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """A user's events, with what was imagined of the user."""
        events = _distinct(found)
        if self.imagination is None or not events:
            return events
        made = imagined_of(self.store, self.imagination, user, events[-1]["at"])
        told = [(one["product_id"], one["log_confidence"]) for one in made]
        return [event | {"imagined": told} for event in events]

    def session(self, given: Any) -> list[dict[str, Any]]:
        """The history that somebody gives who is not in the log, as `history` has them: see `events_given`. Those of a
        kind that the model does not look at are left out. Without times the events are a minute apart.

        Raises:
            ReaseqError: a product is not in the catalogue, a time is none, or only some have one.
        """
        events = [
            event | {"product_id": self.product(event["product_id"]), "kind": event["kind"] or _OF_NO_KIND}
            for event in events_given(given, timed=self.fitted.model.config.timed)
            if event["kind"] is None or self._counts(event["kind"])
        ]
        untimed = [event for event in events if event["at"] is None]
        if untimed and len(untimed) < len(events):
            raise ReaseqError(
                f"only {len(events) - len(untimed)} of {len(events)} events have a time", hint="give all one, or none"
            )
        apart = _APART if self.fitted.model.config.timed else 1.0
        for number, event in enumerate(untimed):
            event["at"] = number * apart
        events = _distinct(sorted(events, key=lambda event: (event["at"], event["product_id"])))
        titles = self.titles(event["product_id"] for event in events)
        return [event | {"title": titles[event["product_id"]]} for event in events]

    def _counts(self, kind: str) -> bool:
        """Does the model look at events of this kind in the log?"""
        return kind not in PASSIVE if self.kinds is None else kind in self.kinds

    def titles(self, products: Iterable[str]) -> dict[str, str]:
        """By product id."""
        wanted = list(products)
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _READ):
            texts = self.store.texts(wanted[start : start + _READ])
            found |= {product: text["title"] or "" for product, text in texts.items()}
        return found

    def history(self, user: str) -> list[dict[str, Any]]:
        """The user's events of the kinds that the model looks at, oldest first, each with its product's title.

        For a model that knows of imagined events each also has, as `imagined`, what was imagined of the user last.

        Raises:
            ReaseqError: the store knows no events of this user.
        """
        events = self.known_history(user)
        if not events:
            raise ReaseqError(f"no events of user {user!r}", hint="reaseq events users")
        return events

    def known_history(self, user: str) -> list[dict[str, Any]]:
        """The same; none of a user that the log does not know."""
        return self._with_imagined(user, history(self.store, user, None, self.kinds))

    def recommend(self, user: str, k: int = 10, *, new_only: bool = False) -> list[tuple[str, float, Reason]]:
        """The k products with the highest scores and the reason for each. What the model knows nothing of is left out;
        new_only leaves out what the user had, too. For a user of whom the log knows nothing they are those that most
        training events have."""
        return self.recommend_after(self.known_history(user), k, new_only=new_only)

    def recommend_after(
        self, events: list[dict[str, Any]], k: int = 10, *, new_only: bool = False
    ) -> list[tuple[str, float, Reason]]:
        """The same after a history, as `history` or `session` gives it."""
        if not events:
            counts = np.log1p(self.fitted.counts.double().numpy())
            best = np.argsort(-np.where(self.rankable, counts, -np.inf), kind="stable")[:k]
            return [
                (self.products[item], float(counts[item]), Reason([], [], 0, trained_on=int(self.fitted.counts[item])))
                for item in best
                if self.rankable[item]
            ]
        scores = np.where(self.rankable, self.scores(events), -np.inf)
        if new_only:
            scores[[self.number[event["product_id"]] for event in events]] = -np.inf
        best = np.argsort(-scores, kind="stable")[: min(k, int(np.isfinite(scores).sum()))]
        reasons = self.reasons(events, best)
        return [(self.products[item], float(scores[item]), reason) for item, reason in zip(best, reasons, strict=True)]

    def explain(self, events: list[dict[str, Any]], products: Sequence[str]) -> list[tuple[int, str, float, Reason]]:
        """Why products, by their ids, score as they do after a history, as `history` or `session` gives it, the best
        first: their places, from 1, among all that the model ranks, ids, scores and reasons.

        Raises:
            ReaseqError: the history is empty: nothing explains a score but how many training events have the product.
        """
        if not events:
            raise ReaseqError("the history is empty: there is nothing to explain by", hint="reaseq events stats")
        items = np.array([self.number[one] for one in dict.fromkeys(products)], np.int64)
        scores = np.where(self.rankable, self.scores(events), -np.inf)
        place = np.empty(len(scores), np.int64)
        place[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
        items = items[np.argsort(place[items])]
        reasons = self.reasons(events, items) if len(items) else []
        return [
            (int(place[item]), self.products[item], float(scores[item]), why)
            for item, why in zip(items, reasons, strict=True)
        ]

    def sequences(self, histories: Sequence[Sequence[Mapping[str, Any]]]) -> Sequences:
        """Of histories as `history` or `session` gives them."""
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
        """Occlusion: each event that is looked at is left out in turn, and what that costs a product is what the event
        did for it."""
        repeats = Counter(event["product_id"] for event in events)
        events = self._telling(events)
        whole = self.sequences([events])
        every = np.arange(len(events))
        window = every[-self.looked_at(len(events)) :]
        without = [every, *(np.delete(every, left) for left in window)]
        index, offsets = np.concatenate(without), np.cumsum([0, *map(len, without)])
        imagined = whole.imagined and whole.imagined.of(index)
        variants = Sequences(offsets, whole.items[index], whole.at[index], imagined)
        scores = case_scores(self.fitted.model, self.vectors, variants)(0, len(without))[:, torch.from_numpy(items)]
        falls = (scores[0] - scores[1:]).numpy()  # [events that are looked at, items]
        facts = self.store.facts({self.products[item] for item in items} | {event["product_id"] for event in events})
        made = []
        for column, item in enumerate(items):
            product = self.products[item]
            own = set(facts.get(product, ()))
            order = np.argsort(-falls[:, column], kind="stable")
            drivers: list[tuple[dict[str, Any], float]] = []
            for index in order:
                event = events[window[index]]
                if falls[index, column] > 0 and event["product_id"] not in {one["product_id"] for one, _ in drivers}:
                    drivers.append((event, float(falls[index, column])))
                if len(drivers) == most:
                    break
            theirs = {fact for event, _ in drivers if event["product_id"] != product
                      for fact in facts.get(event["product_id"], ())}  # fmt: skip
            made.append(Reason(drivers, sorted(own & theirs), repeats[product]))
        return made

    def _telling(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The events that have a say in scores, with any of them left out: those that are looked at, the one before
        them, and earlier ones with a product of these, which count as its repetitions."""
        begin = max(0, len(events) - self.fitted.model.config.most - 1)
        late = {event["product_id"] for event in events[begin:]}
        return [event for event in events[:begin] if event["product_id"] in late] + events[begin:]


def _distinct(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Seen and bought at once is one event to a model."""
    return list({(event["at"], event["product_id"]): event for event in found}.values())
