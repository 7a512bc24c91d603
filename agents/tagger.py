"""A sequence tagger that learns from labelled products where in a text an attribute's value stands.

For each attribute a linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) over the words of a
field, with the tags outside, begin, inside. A tag's score is the sum of sparse features of the word (`token_features`)
and a linear map of its vectors in three layers of a frozen text encoder. Attributes share nothing but these inputs, so
that values may overlap, and a product that nobody judged for an attribute teaches little about it.

It takes seconds to learn a category and milliseconds a product: the pass before a language model is asked.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag
from torch.nn.utils.rnn import pad_sequence

from reaseq.agents.labelled import Candidate, LabelledProduct, Vectors
from reaseq.agents.token_features import Gazetteer, Word, features, gazetteer, phrase, words
from reaseq.documents.document import Document

_OUTSIDE, _BEGIN, _INSIDE = range(3)
_NEVER = -1e4
_LONGEST = 12
_SHORTEST_STEM = 4
_LONGEST_ENDING = 3
"""Letters: a value may stand in the text with another ending ("Print": "Printed")."""
_LEAST = 1e-3
_MOST_CANDIDATES = 6


@dataclass(frozen=True)
class TaggerConfig:
    """How it learns. `unjudged`: how much a product counts for an attribute that nobody judged it for."""

    epochs: int = 20
    batch: int = 16
    sparse_rate: float = 0.02
    dense_rate: float = 0.002
    dropout: float = 0.2
    decay: float = 1e-4
    unjudged: float = 0.2


@dataclass(frozen=True)
class _Sequence:
    """One field. ids: the sparse features of all words in a row, a word's from `starts` on; vectors: [n, d]."""

    found: list[Word]
    ids: Tensor
    starts: Tensor
    vectors: Tensor


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
        self.weights: _Weights

    @classmethod
    def learn(
        cls,
        products: Sequence[LabelledProduct],
        attributes: Sequence[str],
        vectors: Vectors,
        *,
        seed: int = 0,
        config: TaggerConfig | None = None,
    ) -> "Tagger":
        """From products whose values, as far as they stand in the text, are marked there. Deterministic on one machine.

        Raises:
            ValueError: there are no products or no attributes.
        """
        if not products or not attributes:
            raise ValueError("nothing to learn from")
        known = gazetteer((name, forms[0]) for product in products for name, forms in product.values.items() if forms)
        described = []
        vocabulary: dict[str, int] = {}
        for product in products:
            own = {name: {phrase(words(form)) for form in forms[:1]} for name, forms in product.values.items()}
            for field, text in product.sources.items():
                if found := words(text):
                    said = features(found, field, known, own)
                    described.append((product, field, found, said))
                    for feature in (feature for word in said for feature in word):
                        vocabulary.setdefault(feature, len(vocabulary))
        tagger = cls(attributes, known, vocabulary, vectors)
        cases = [
            (tagger._sequence(product.sources[field], found, said), *tagger._labels(product, field, found))
            for product, field, found, said in described
        ]
        tagger._fit(cases, seed, config or TaggerConfig())
        return tagger

    def tag(self, sources: Mapping[str, str]) -> dict[str, list[Candidate]]:
        """The likeliest values of each attribute; none where every span has less than a thousandth."""
        best: dict[str, dict[str, Candidate]] = {}
        for field, text in sources.items():
            if not (found := words(text)):
                continue
            sequence = self._sequence(text, found, features(found, field, self.known))
            for attribute, first, last, probability in self._spans(sequence):
                start, end = found[first].start, found[last].end
                written = self.written.get((attribute, text[start:end]))
                value = written.most_common(1)[0][0] if written else text[start:end]
                candidate = Candidate(value, field, start, end, probability)
                mine = best.setdefault(attribute, {})
                if candidate.value not in mine or mine[candidate.value].probability < probability:
                    mine[candidate.value] = candidate
        return {
            name: sorted(found_here.values(), key=lambda one: -one.probability)[:_MOST_CANDIDATES]
            for name, found_here in best.items()
        }

    def _sequence(self, text: str, found: list[Word], said: list[list[str]]) -> _Sequence:
        ids: list[int] = []
        starts: list[int] = []
        for word in said:
            starts.append(len(ids))
            ids += [self.vocabulary[feature] for feature in word if feature in self.vocabulary]
        vectors = torch.from_numpy(self.vectors(text, tuple((word.start, word.end) for word in found)))
        return _Sequence(found, torch.tensor(ids, dtype=torch.long), torch.tensor(starts), vectors)

    def _labels(self, product: LabelledProduct, field: str, found: list[Word]) -> tuple[Tensor, Tensor]:
        """Tags [n, attributes], and how much each attribute counts here: [attributes]; -1 where nothing is known."""
        text = Document({field: product.sources[field]})
        tags = torch.zeros(len(found), len(self.attributes), dtype=torch.long)
        counts = torch.full((len(self.attributes),), -1.0)
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
                tags[first : last + 1, column] = _INSIDE
                tags[first, column] = _BEGIN
                counts[column] = 1.0
                said = product.sources[field][found[first].start : found[last].end]
                self.written.setdefault((attribute, said), Counter())[form] += 1
        return tags, counts

    def _fit(self, cases: list[tuple[_Sequence, Tensor, Tensor]], seed: int, config: TaggerConfig) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            weights = _Weights(len(self.vocabulary), cases[0][0].vectors.shape[1], len(self.attributes), config.dropout)
            sparse = [weights.sparse, weights.moves]
            optimiser = torch.optim.Adam(
                [
                    {"params": sparse, "lr": config.sparse_rate},
                    {"params": weights.dense.parameters(), "lr": config.dense_rate},
                ]
            )
            steps = config.epochs * -(-len(cases) // config.batch)
            schedule = torch.optim.lr_scheduler.LambdaLR(
                optimiser, lambda step: min(1.0, (step + 1) / (0.1 * steps)) * (1 - step / steps)
            )
            order = list(range(len(cases)))
            shuffle = random.Random(seed).shuffle
            for _ in range(config.epochs):
                shuffle(order)
                for start in range(0, len(order), config.batch):
                    batch = [cases[row] for row in order[start : start + config.batch]]
                    counts = torch.stack([count for _, _, count in batch])
                    counts = torch.where(counts < 0, config.unjudged, counts)
                    scores, lengths = weights([sequence for sequence, _, _ in batch])
                    tags = pad_sequence([tag for _, tag, _ in batch], batch_first=True)
                    lost = _negative_log_likelihood(scores, tags, lengths, weights.transitions())
                    loss = (lost * counts).sum() / len(batch) + config.decay * weights.sparse.square().sum()
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                    schedule.step()
        self.weights = weights.eval()

    @torch.no_grad()
    def _spans(self, sequence: _Sequence) -> list[tuple[str, int, int, float]]:
        """Attribute, first and last word, and marginal probability of each span worth naming."""
        scores = self.weights([sequence])[0][0]
        moves = self.weights.transitions()
        forward, backward = _forward(scores, moves), _backward(scores, moves)
        total = forward[-1].logsumexp(-1)
        count = len(scores)
        spans = []
        alive = forward[:, :, _BEGIN]
        for width in range(min(_LONGEST, count)):
            # alive[i]: all ways in which a value begins at word i and goes on to word i + width.
            ends = torch.arange(width, count)
            inner = ends + 1 < count
            after = ends[inner] + 1
            going_on = alive[inner].unsqueeze(-1) + moves[:, _BEGIN if width == 0 else _INSIDE] + scores[after]
            stopped = alive.clone()
            stopped[inner] = (going_on + backward[after])[..., :_INSIDE].logsumexp(-1)
            probability = (stopped - total).exp()
            for first, column in (probability >= _LEAST).nonzero().tolist():
                spans.append((self.attributes[column], first, first + width, float(probability[first, column])))
            alive = going_on[..., _INSIDE]
            if not len(alive):
                break
        return spans


class _Weights(nn.Module):
    """sparse: [features, attributes * 3]; moves: [attributes, from, to]."""

    def __init__(self, features_: int, width: int, attributes: int, dropout: float) -> None:
        super().__init__()
        self.sparse = nn.Parameter(torch.zeros(features_, attributes * 3))
        self.moves = nn.Parameter(torch.zeros(attributes, 3, 3))
        self.dense = nn.Linear(width, attributes * 3)
        self.dropout = dropout

    def forward(self, sequences: Sequence[_Sequence]) -> tuple[Tensor, Tensor]:
        """Scores [batch, words, attributes, 3] and lengths [batch]. A first word cannot be inside a value."""
        vectors = pad_sequence([one.vectors for one in sequences], batch_first=True)
        bags = [embedding_bag(one.ids, self.sparse, one.starts, mode="sum") for one in sequences]
        if self.training:
            # What is left out is the same for all words of a text (Gal and Ghahramani 2016), which is also quicker.
            kept = torch.rand(vectors.shape[0], 1, vectors.shape[2]) >= self.dropout
            vectors = vectors * kept / (1 - self.dropout)
        scores = self.dense(vectors) + pad_sequence(bags, batch_first=True)
        scores = scores.view(*scores.shape[:2], -1, 3)
        first = torch.tensor([0.0, 0.0, _NEVER])
        scores = torch.cat([scores[:, :1] + first, scores[:, 1:]], 1)
        return scores, torch.tensor([len(one.found) for one in sequences])

    def transitions(self) -> Tensor:
        forbidden = torch.zeros(3, 3)
        forbidden[_OUTSIDE, _INSIDE] = _NEVER
        return self.moves + forbidden


def _negative_log_likelihood(scores: Tensor, tags: Tensor, lengths: Tensor, moves: Tensor) -> Tensor:
    """[batch, attributes]."""
    columns = torch.arange(scores.shape[2])
    gained = scores.gather(3, tags.unsqueeze(3)).squeeze(3)
    alpha, path = scores[:, 0], gained[:, 0]
    for here in range(1, scores.shape[1]):
        inside = (here < lengths).unsqueeze(1)
        further = (alpha.unsqueeze(3) + moves).logsumexp(2) + scores[:, here]
        alpha = torch.where(inside.unsqueeze(2), further, alpha)
        step = moves[columns, tags[:, here - 1], tags[:, here]] + gained[:, here]
        path = path + torch.where(inside, step, 0.0)
    return alpha.logsumexp(2) - path


def _forward(scores: Tensor, moves: Tensor) -> Tensor:
    """scores: [words, attributes, 3]."""
    alpha = [scores[0]]
    for here in scores[1:]:
        alpha.append((alpha[-1].unsqueeze(2) + moves).logsumexp(1) + here)
    return torch.stack(alpha)


def _backward(scores: Tensor, moves: Tensor) -> Tensor:
    beta = [torch.zeros_like(scores[0])]
    for after in scores[1:].flip(0):
        beta.append((moves + (after + beta[-1]).unsqueeze(1)).logsumexp(2))
    return torch.stack(beta[::-1])


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


def held_out(
    products: Sequence[LabelledProduct],
    attributes: Sequence[str],
    vectors: Vectors,
    *,
    folds: int = 3,
    seed: int = 0,
    config: TaggerConfig | None = None,
) -> list[dict[str, list[Candidate]]]:
    """The tags of each product by a tagger that has not learnt from it (cross-validation)."""
    tags: list[dict[str, list[Candidate]]] = [{} for _ in products]
    folds = min(folds, len(products))
    for fold in range(folds) if folds > 1 else ():
        others = [product for row, product in enumerate(products) if row % folds != fold]
        tagger = Tagger.learn(others, attributes, vectors, seed=seed, config=config)
        for row in range(fold, len(products), folds):
            tags[row] = tagger.tag(products[row].sources)
    return tags
