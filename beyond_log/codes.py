"""Semantic codes: M digits an item, near items sharing digits, made from knowledge embeddings.

Plain codes are a product quantisation (Jégou et al. 2011, https://doi.org/10.1109/TPAMI.2010.57): digits are parallel,
each tells of another part of the vector. Category-first codes spend the first digits on the category, and quantise how
an item differs from its category's mean.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.knowledge_store.log import Ints
from reaseq.knowledge_store.whitening import principal_components

Floats32 = NDArray[np.float32]
VERSION = 1
"""Of the way codes are made; part of their fingerprint."""
UNKNOWN = -1
"""The category of an item of which none is known."""
_FAR = 1e3
_DIRECT = 4096
"""Up to so many categories are told apart by one digit: its values are learnt directly, which is far quicker than a
cluster and a place in it, where the place means something else in every cluster."""


@dataclass(frozen=True)
class Collisions:
    """How many items share their code with another: what a code alone cannot tell apart."""

    items: int
    codes: int
    sharing: int
    largest: int

    def __str__(self) -> str:
        return (
            f"{self.items:,} items have {self.codes:,} codes; {self.sharing:,} items share theirs, "
            f"at most {self.largest:,} with each other"
        )


@dataclass(frozen=True)
class SemanticCodes:
    """A fitted code book.

    mean: [d]; axes: [d, p], PCA with its components dealt out to the parts; books: [Q, K, p / Q], the centroids of the
    Q quantised digits. centres: [C, p], the means of the categories (C = 0 for plain codes); places: [C, L], their
    digits. M = L + Q digits.
    """

    mean: Floats32
    axes: Floats32
    books: Floats32
    centres: Floats32
    places: Ints

    @property
    def digits(self) -> int:
        return int(self.places.shape[1]) + len(self.books)

    @property
    def size(self) -> int:
        """Values a digit may take: K. Quantised digits take no more than their books have; categories may be more."""
        return max(int(self.books.shape[1]), int(self.places.max(initial=0)) + 1)

    @classmethod
    def fit(
        cls,
        vectors: Floats32,
        categories: Ints | None = None,
        *,
        digits: int = 4,
        size: int = 256,
        dims: int = 64,
        seed: int = 0,
    ) -> "SemanticCodes":
        """Fit on the vectors [n, d] of the training period's items and, for category-first codes, their categories [n].

        Up to 4,096 categories take one digit. More take two: the first is a cluster of categories (of which those
        beyond the `size`-th share the second digit with another).

        Raises:
            ReaseqError: fewer than two items, or too few digits or dimensions.
        """
        if len(vectors) < 2:
            raise ReaseqError("semantic codes need at least two products with an embedding", hint="reaseq embed")
        size = min(size, len(vectors))
        mean, variance, axes = principal_components(vectors)
        number = 0 if categories is None else int(categories.max(initial=-1)) + 1
        levels = 0 if not number else 1 if number <= _DIRECT else 2
        parts = digits - levels
        if parts < 1:
            raise ReaseqError(f"{digits} digits are too few: {number:,} categories take {levels}")
        dims = max(min(dims, len(variance)) // parts, 1) * parts
        if dims > len(variance):
            raise ReaseqError(f"{parts} digits need embeddings of at least {parts} dimensions, not {len(variance)}")
        axes = axes[:, _deal(variance[:dims], parts)]
        points = (vectors - mean) @ axes
        centres, places = np.zeros((0, dims)), np.zeros((0, 0), np.int64)
        if categories is not None and levels:
            known = categories != UNKNOWN
            count = np.bincount(categories[known], minlength=number)
            centres = np.zeros((number, dims))
            np.add.at(centres, categories[known], points[known])
            centres /= np.maximum(count, 1)[:, None]
            centres[count == 0] = _FAR  # nothing is near a category of which nothing is known
            places = _places(centres, count, size, levels, seed)
            points = points - centres[_category_of(points, centres, categories)]
        split = np.split(points, parts, axis=1)
        books = np.stack([_kmeans(part, size, seed + index) for index, part in enumerate(split)])
        return cls(_small(mean), _small(axes), _small(books), _small(centres), places)

    def points(self, vectors: Floats32) -> Floats32:
        """Vectors [n, d] as what is quantised of them, each of unit mean square: [n, p]."""
        made = (vectors - self.mean) @ self.axes
        return _small(made / np.maximum(np.sqrt((made**2).mean(1, keepdims=True)), 1e-9))

    def categories(self, vectors: Floats32, categories: Ints | None = None) -> Ints:
        """The given categories [n]; for an item of unknown or new category the one with the nearest mean: [n]."""
        return _category_of((vectors - self.mean) @ self.axes, self.centres, categories)

    def encode(self, vectors: Floats32, categories: Ints | None = None) -> Ints:
        """The codes of vectors [n, d]: [n, M]. An item of unknown or new category gets the nearest one's digits."""
        points = (vectors - self.mean) @ self.axes
        made = []
        if len(self.centres):
            mine = _category_of(points, self.centres, categories)
            points = points - self.centres[mine]
            made += list(self.places[mine].T)
        for book, part in zip(self.books, np.split(points, len(self.books), axis=1), strict=True):
            made.append(_nearest(part, book))
        return np.stack(made, axis=1)

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """What `of_tensors` makes it from again."""
        return {
            "mean": self.mean,
            "axes": self.axes,
            "books": self.books,
            "centres": self.centres,
            "places": self.places,
        }

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> "SemanticCodes":
        names = ("mean", "axes", "books", "centres", "places")
        return cls(*(np.ascontiguousarray(tensors[name]) for name in names))

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(str(VERSION).encode())
        for name, value in self.tensors().items():
            digest.update(f"{name}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()[:16]


def _small(values: NDArray[np.floating]) -> Floats32:
    return values.astype(np.float32)


def collisions(codes: Ints) -> Collisions:
    """codes: [n, M]."""
    _, count = np.unique(codes, axis=0, return_counts=True)
    return Collisions(len(codes), len(count), int(count[count > 1].sum()), int(count.max(initial=0)))


def _deal(variance: NDArray[np.float64], parts: int) -> Ints:
    """Which component goes where, so that every part has its share of the variance: [p], part after part.

    The largest that is left goes to the part with the least log-variance that has room (Ge et al. 2013, OPQ's
    "eigenvalue allocation", https://doi.org/10.1109/CVPR.2013.379).
    """
    room = len(variance) // parts
    dealt: list[list[int]] = [[] for _ in range(parts)]
    weight = np.zeros(parts)
    log = np.log(np.maximum(variance, 1e-12) / max(variance.max(), 1e-12) + 1e-9)
    log -= log.min()
    for component in range(len(variance)):
        part = min((part for part in range(parts) if len(dealt[part]) < room), key=lambda part: (weight[part], part))
        dealt[part].append(component)
        weight[part] += log[component]
    return np.array([component for part in dealt for component in part])


def _category_of(points: NDArray[np.floating], centres: NDArray[np.floating], categories: Ints | None) -> Ints:
    """The given categories [n], and for a point of unknown or new category the one with the nearest centre: [n]."""
    made = np.full(len(points), UNKNOWN) if categories is None else categories.copy()
    guessed = np.flatnonzero((made < 0) | (made >= len(centres)))
    made[guessed] = _nearest(points[guessed], centres)
    return made


def _places(centres: NDArray[np.float64], count: Ints, size: int, levels: int, seed: int) -> Ints:
    """Digits of each category: [C, L]."""
    number = len(centres)
    if levels == 1:
        return np.arange(number)[:, None]
    first = _nearest(centres, _kmeans(centres[count > 0], size, seed))
    second = np.zeros(number, np.int64)
    for cluster in np.unique(first):
        mine = np.flatnonzero(first == cluster)
        second[mine] = np.arange(len(mine)) % size
    return np.stack([first, second], axis=1)


def _kmeans(points: NDArray[np.float64], size: int, seed: int) -> NDArray[np.float64]:
    """Centroids: [size, p]; where there are fewer distinct points, the last ones repeat the first."""
    from sklearn.cluster import KMeans

    if len(points) > 50_000:
        points = points[np.random.default_rng(seed).choice(len(points), 50_000, replace=False)]
    distinct = np.unique(points, axis=0)
    if len(distinct) <= size:
        return np.concatenate([distinct, np.repeat(distinct[:1], size - len(distinct), axis=0)])
    model = KMeans(size, init="random" if size > 64 else "k-means++", n_init=1, max_iter=30, random_state=seed)
    return model.fit(points).cluster_centers_  # type: ignore[no-any-return]


def clusters(vectors: Floats32, others: Floats32, number: int, seed: int = 0) -> Ints:
    """k-means clusters of vectors [n, d], and which of them each of `others` [m, d] is nearest to: [m].

    Clusters are numbered without gaps by `others`.
    """
    found = _nearest(others, _kmeans(vectors.astype(np.float64), number, seed))
    made: Ints = np.unique(found, return_inverse=True)[1]
    return made


def _nearest(points: NDArray[np.floating], centres: NDArray[np.floating], block: int = 8192) -> Ints:
    """For each point [n, p] the number of the nearest centre [K, p], the first of equals: [n]."""
    size = (centres**2).sum(1)
    made = np.empty(len(points), np.int64)
    for start in range(0, len(points), block):
        made[start : start + block] = (size - 2 * points[start : start + block] @ centres.T).argmin(1)
    return made
