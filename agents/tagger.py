"""A sequence tagger that learns from labelled products where in a text an attribute's value stands.

For each attribute a linear-chain conditional random field over the words of a field (`reaseq.agents.crf`), which sees
sparse features of the word (`token_features`) and its vectors in three layers of a frozen text encoder. Attributes
share nothing but these inputs, so that values may overlap, and a product that nobody judged for an attribute teaches
little about it.

It takes seconds to learn a category and milliseconds a product: the pass before a language model is asked.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reaseq.agents.crf import BEGIN, INSIDE, Batch, Chains, FitConfig, Weights, fit
from reaseq.agents.labelled import Candidate, LabelledProduct, Vectors
from reaseq.agents.token_features import Gazetteer, Word, features, gazetteer, phrase, words
from reaseq.documents.document import Document

_LONGEST = 12
_SHORTEST_STEM = 4
_LONGEST_ENDING = 3
"""Letters: a value may stand in the text with another ending ("Print": "Printed")."""
_LEAST = 1e-3
_MOST_CANDIDATES = 6
_UNJUDGED = 0.2
"""How much a product counts for an attribute that nobody judged it for."""
_FEWEST_TEXTS = 1
"""Texts that a feature must be said in, to be learnt."""
_TOGETHER = 64
"""Texts that are tagged at once."""


class _Text(NamedTuple):
    """One field of a product: row of the product, the field, its words, what is said of them."""

    row: int
    field: str
    found: list[Word]
    said: list[list[str]]


@dataclass(frozen=True)
class _Labels:
    """Of one text: tags [n, attributes]; counts [attributes]: how much it counts for each, -1 where nothing is known;
    written: what the values marked in it are called."""

    tags: NDArray[np.int8]
    counts: NDArray[np.float32]
    written: dict[tuple[str, str], str]


class Tagger:
    """Made by `learn`."""

    def __init__(
        self, attributes: Sequence[str], known: Gazetteer, vocabulary: Mapping[str, int], vectors: Vectors
    ) -> None:
        self.attributes = list(attributes)
        self.known = known
        self.vocabulary = vocabulary
        self.vectors = vectors
        self.written: dict[tuple[str, str], Counter[str]] = {}
        """Attribute and words of a text to the values that labelled products give for them ("Mens": "Men")."""
        self.weights: Weights

    @classmethod
    def learn(
        cls,
        products: Sequence[LabelledProduct],
        attributes: Sequence[str],
        vectors: Vectors,
        *,
        seed: int = 0,
        config: FitConfig | None = None,
    ) -> "Tagger":
        """From products whose values, as far as they stand in the text, are marked there. Deterministic on one machine.

        Raises:
            ValueError: there are no products or no attributes.
        """
        return cls.learn_and_try(products, attributes, vectors, folds=0, seed=seed, config=config)[0]

    @classmethod
    def learn_and_try(
        cls,
        products: Sequence[LabelledProduct],
        attributes: Sequence[str],
        vectors: Vectors,
        *,
        folds: int = 3,
        seed: int = 0,
        config: FitConfig | None = None,
    ) -> tuple["Tagger", list[dict[str, list[Candidate]]]]:
        """The same, and the tags of each product by one of `folds` others that have not learnt from it
        (cross-validation); none, where there are fewer products than that. All learn at once.

        Raises:
            ValueError: there are no products or no attributes.
        """
        if not products or not attributes:
            raise ValueError("nothing to learn from")
        folds = folds if len(products) >= folds else 0
        known = gazetteer((name, forms[0]) for product in products for name, forms in product.values.items() if forms)
        texts: list[_Text] = []
        seen: Counter[str] = Counter()
        for row, product in enumerate(products):
            own = {name: {phrase(words(form)) for form in forms[:1]} for name, forms in product.values.items()}
            for field, text in product.sources.items():
                if found := words(text):
                    said = features(found, field, known, own)
                    texts.append(_Text(row, field, found, said))
                    seen.update({feature for word in said for feature in word})
        learnt = (feature for feature, times in seen.items() if times >= _FEWEST_TEXTS)
        tagger = cls(attributes, known, {feature: number for number, feature in enumerate(learnt)}, vectors)
        labels = [tagger._labels(products[text.row], text.field, text.found) for text in texts]
        for label in labels:
            for key, form in label.written.items():
                tagger.written.setdefault(key, Counter())[form] += 1
        tags: list[dict[str, list[Candidate]]] = [{} for _ in products]
        if texts:
            batch = tagger.batch([(products[text.row].sources[text.field], text.found, text.said) for text in texts])
            parts = tagger._fit(texts, batch, labels, folds, seed, config or FitConfig())
            tagger.weights = parts[-1]
            for fold, weights in enumerate(parts[:-1]):
                tagger._try(products, texts, labels, batch, weights, (folds, fold), tags)
        return tagger, tags

    def tag(self, sources: Mapping[str, str]) -> dict[str, list[Candidate]]:
        """The likeliest values of each attribute; none where every span has less than a thousandth."""
        return self.tag_all([sources])[0]

    def tag_all(self, products: Sequence[Mapping[str, str]]) -> list[dict[str, list[Candidate]]]:
        """The same of several products, which is quicker than one by one; a text that they share is read once."""
        rows_of: dict[tuple[str, str], list[int]] = {}
        for row, sources in enumerate(products):
            for said in sources.items():
                rows_of.setdefault(said, []).append(row)
        texts = [(rows, field, text, found) for (field, text), rows in rows_of.items() if (found := words(text))]
        best: list[dict[str, dict[str, Candidate]]] = [{} for _ in products]
        order = sorted(range(len(texts)), key=lambda one: len(texts[one][3]))
        for start in range(0, len(order), _TOGETHER):
            together = [texts[one] for one in order[start : start + _TOGETHER]]
            batch = self.batch(
                [(text, found, features(found, field, self.known)) for _, field, text, found in together]
            )
            for number, span in self._spans(self.weights, batch):
                rows, field, text, found = together[number]
                for row in rows:
                    _keep(best[row], field, text, found, span, self._called)
        return [_likeliest(one) for one in best]

    def _called(self, attribute: str, said: str) -> str:
        """The value that these words of a text are, as most labelled products call it."""
        written = self.written.get((attribute, said))
        return written.most_common(1)[0][0] if written else said

    def batch(self, texts: Sequence[tuple[str, list[Word], list[list[str]]]]) -> Batch:
        """What is known of the words of texts, given with their words and what is said of them."""
        from scipy.sparse import csr_matrix

        ids: list[int] = []
        ends = [0]
        for _, _, said in texts:
            for word in said:
                ids += {self.vocabulary[feature] for feature in word if feature in self.vocabulary}
                ends.append(len(ids))
        ones = np.ones(len(ids), np.float32)
        matrix = csr_matrix((ones, ids, ends), shape=(len(ends) - 1, max(1, len(self.vocabulary))))
        spans = [(text, tuple((word.start, word.end) for word in found)) for text, found, _ in texts]
        vectors = np.concatenate(self.vectors(spans))
        return Batch(matrix, vectors, np.array([len(found) for _, found, _ in texts]))

    def _labels(self, product: LabelledProduct, field: str, found: list[Word]) -> _Labels:
        text = Document({field: product.sources[field]})
        tags = np.zeros((len(found), len(self.attributes)), np.int8)
        counts = np.full(len(self.attributes), -1.0, np.float32)
        written = {}
        for column, attribute in enumerate(self.attributes):
            forms = product.values.get(attribute)
            if forms is None:
                continue
            if not forms:
                counts[column] = 1.0
                continue
            elsewhere = any(form in other for form in forms for name, other in product.sources.items() if name != field)
            counts[column] = 1.0 if elsewhere else 0.0
            if place := _place(text, field, found, forms):
                first, last, form = place
                tags[first : last + 1, column] = INSIDE
                tags[first, column] = BEGIN
                counts[column] = 1.0
                written[attribute, product.sources[field][found[first].start : found[last].end]] = form
        return _Labels(tags, np.where(counts > 0, counts * np.float32(product.weight), counts), written)

    def _fit(
        self, texts: Sequence[_Text], batch: Batch, labels: Sequence[_Labels], folds: int, seed: int, config: FitConfig
    ) -> list[Weights]:
        """Those of each fold, which have not seen its products, and last those that have seen all."""
        random = np.random.default_rng(seed)
        counts = np.stack([label.counts for label in labels])
        counts = np.where(counts < 0, np.float32(_UNJUDGED), counts)
        tags = np.concatenate([label.tags for label in labels])
        size = len(self.attributes)
        rows = np.array([text.row for text in texts])
        several = [np.where((rows % folds != fold)[:, None], counts, 0) for fold in range(folds)]
        weights = Weights.zero(batch.said.shape[1], batch.vectors.shape[1], size * (folds + 1), random)
        whole = np.concatenate([*several, counts], 1).astype(np.float32)
        fit(weights, batch, np.tile(tags, folds + 1), whole, config, random)
        return [weights.of(size * part, size * (part + 1)) for part in range(folds + 1)]

    def _try(
        self,
        products: Sequence[LabelledProduct],
        texts: Sequence[_Text],
        labels: Sequence[_Labels],
        batch: Batch,
        weights: Weights,
        which: tuple[int, int],
        tags: list[dict[str, list[Candidate]]],
    ) -> None:
        """Tag the products of a fold. which: of how many folds the which-th."""
        folds, fold = which
        starts = np.cumsum(batch.lengths) - batch.lengths
        mine = sorted(
            (n for n, text in enumerate(texts) if text.row % folds == fold), key=lambda n: len(texts[n].found)
        )
        own: dict[int, Counter[tuple[tuple[str, str], str]]] = {}
        for text, label in zip(texts, labels, strict=True):
            own.setdefault(text.row, Counter()).update(label.written.items())
        best: dict[int, dict[str, dict[str, Candidate]]] = {}
        for start in range(0, len(mine), _TOGETHER):
            together = mine[start : start + _TOGETHER]
            at = np.concatenate([np.arange(starts[n], starts[n] + batch.lengths[n]) for n in together])
            part = Batch(batch.said[at], batch.vectors[at], batch.lengths[together])
            for number, span in self._spans(weights, part):
                text = texts[together[number]]

                def called(attribute: str, said: str, row: int = text.row) -> str:
                    """As other products call it."""
                    key = attribute, said
                    left = {form: count - own[row][key, form] for form, count in self.written.get(key, {}).items()}
                    return max(left, key=lambda form: left[form]) if any(left.values()) else said

                source = products[text.row].sources[text.field]
                _keep(best.setdefault(text.row, {}), text.field, source, text.found, span, called)
        for row, found in best.items():
            tags[row] = _likeliest(found)

    def _spans(self, weights: Weights, batch: Batch) -> Iterator[tuple[int, "_Span"]]:
        """Of each text's number, the spans worth naming."""
        chains = Chains(weights.scores(batch), batch, weights.moves)
        moves, longest = chains.moves, len(chains.alpha)
        alive = chains.alpha[..., BEGIN]
        scaled = chains.emitted / chains.scales[..., None]
        onward = scaled * chains.beta
        for width in range(min(_LONGEST, longest)):
            # alive[i]: all ways in which a value begins at word i and goes on to word i + width.
            last = BEGIN if width == 0 else INSIDE
            stops = (moves[:, None, last, :INSIDE] * onward[width + 1 :, ..., :INSIDE]).sum(-1)
            stopped = np.concatenate([alive[:-1] * stops, alive[-1:]])
            ended = np.arange(longest - width)[:, None] + width == batch.lengths - 1
            stopped = np.where(ended[:, None], alive, stopped)
            inside = np.arange(longest - width)[:, None] + width < batch.lengths
            for first, column, number in np.argwhere((stopped >= _LEAST) & inside[:, None]).tolist():
                chance = min(1.0, float(stopped[first, column, number]))
                yield number, _Span(self.attributes[column], first, first + width, chance)
            alive = alive[:-1] * moves[:, None, last, INSIDE] * scaled[width + 1 :, ..., INSIDE]


class _Span(NamedTuple):
    """An attribute, its value's first and last word, and how likely it is."""

    attribute: str
    first: int
    last: int
    probability: float


def _keep(
    best: dict[str, dict[str, Candidate]],
    field: str,
    text: str,
    found: Sequence[Word],
    span: _Span,
    called: Callable[[str, str], str],
) -> None:
    start, end = found[span.first].start, found[span.last].end
    value = called(span.attribute, text[start:end])
    mine = best.setdefault(span.attribute, {})
    if value not in mine or mine[value].probability < span.probability:
        mine[value] = Candidate(value, field, start, end, span.probability)


def _likeliest(best: Mapping[str, Mapping[str, Candidate]]) -> dict[str, list[Candidate]]:
    return {
        name: sorted(found.values(), key=lambda one: -one.probability)[:_MOST_CANDIDATES]
        for name, found in best.items()
    }


def _place(text: Document, field: str, found: Sequence[Word], forms: Sequence[str]) -> tuple[int, int, str] | None:
    """First and last word of the first place of a form, and which: as whole words, or else in another inflection."""
    source = text.sources[field]
    begins = {word.start: index for index, word in enumerate(found)}
    ends = {word.end: index for index, word in enumerate(found)}
    for form in forms:
        start = source.find(form)
        while form and start >= 0:
            if start in begins and start + len(form) in ends:
                return begins[start], ends[start + len(form)], form
            start = source.find(form, start + 1)
    for form in forms:
        for match in text.find(form):
            if match.start in begins and match.end in ends:
                return begins[match.start], ends[match.end], form
    for form in forms:
        start = source.find(form) if len(form) >= _SHORTEST_STEM else -1
        fitting = [end for end in ends if 0 <= end - start - len(form) <= _LONGEST_ENDING]
        if start in begins and fitting:
            return begins[start], ends[min(fitting)], form
    return None
