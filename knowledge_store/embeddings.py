"""Knowledge embeddings in the store: what is embedded, what is stale, and the vectors."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert, select, update

from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.store import EMBEDDING, EVENT, PRODUCT, SPACE, Store
from reaseq.knowledge_store.summaries import composed
from reaseq.knowledge_store.tables import now
from reaseq.knowledge_store.whitening import Whitening

_BATCH = 500
_CHUNK = 2048


@dataclass(frozen=True)
class Text:
    """What is embedded of a product. source: claims (its summary is composed of them), or title (with the brand)."""

    product_id: str
    text: str
    source: str

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Space:
    """Vectors of one encoder: see `EmbeddingSpace`."""

    id: int
    model: str
    fingerprint: str
    dimensions: int
    whitening: Whitening | None
    fitted_on: int


def texts(store: Store, category: str | None = None) -> Iterator[Text]:
    """The text of every product, of a category or of all, in the order of ids; read in batches."""
    after = ""
    while True:
        query = (
            select(PRODUCT.c.id, PRODUCT.c.title, PRODUCT.c.brand, PRODUCT.c.description)
            .where(PRODUCT.c.id > after)
            .order_by(PRODUCT.c.id)
            .limit(_BATCH)
        )
        if category is not None:
            # Plain equality would take the index on category and sort all of the category anew for every page.
            query = query.where(func.coalesce(PRODUCT.c.category, "") == category)
        with store.reading() as connection:
            rows = connection.execute(query).all()
        claims = store.summed_up([row.id for row in rows])
        for row in rows:
            yield text_of(row._asdict(), claims.get(row.id, ()))
        if len(rows) < _BATCH:
            return
        after = rows[-1].id


def text_of(product: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]) -> Text:
    """The text of a product with these claims, of which those are given that summaries are composed of."""
    if claims:
        return Text(product["id"], composed(product, claims), "claims")
    title, brand = product["title"], product["brand"]
    return Text(product["id"], title if not brand else f"{title}. {brand}", "title")


def as_kept(vectors: NDArray[Any]) -> NDArray[Any]:
    """Vectors in the precision in which the store keeps them."""
    return vectors.astype("<f2")


def stale(store: Store, space: Space | None, category: str | None = None) -> Iterator[tuple[Text, bool]]:
    """Every text, and whether its vector is missing in the space or was made from another text."""
    there = select(EMBEDDING.c.product_id, EMBEDDING.c.text_fingerprint)
    pages = texts(store, category)
    while page := list(islice(pages, _BATCH)):
        known: dict[str, str] = {}
        if space is not None:
            ids = [text.product_id for text in page]
            mine = there.where(EMBEDDING.c.space_id == space.id, EMBEDDING.c.product_id.in_(ids))
            with store.reading() as connection:
                known = {row.product_id: row.text_fingerprint for row in connection.execute(mine)}
        for text in page:
            yield text, known.get(text.product_id) != text.fingerprint


def embed(
    store: Store,
    encoder: Encoder,
    category: str | None = None,
    *,
    dry_run: bool = False,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, tuple[int, int]]:
    """Embed what is new or changed, of a category or of all, and fit the whitening again.

    Returns for each source (claims, title) how many were embedded and how many are unchanged. Vectors are
    kept a chunk at a time: stop it any way and run it again. A dry run embeds nothing and says what it would.
    """
    space = find_space(store, encoder.fingerprint)
    if not dry_run:
        space = open_space(store, encoder.name, encoder.fingerprint, encoder.dimensions)
    total = store.count_products(category)
    counts = {source: [0, 0] for source in ("claims", "title")}
    seen = 0
    checked = stale(store, space, category)
    while part := list(islice(checked, _CHUNK)):
        wanted = [text for text, is_stale in part if is_stale]
        for text, is_stale in part:
            counts[text.source][not is_stale] += 1
        if wanted and space is not None and not dry_run:
            before = partial(_moved, on_step, seen, total)
            vectors = encoder.encode([text.text for text in wanted], on_progress=before)
            save_vectors(store, space, wanted, vectors)
        seen += len(part)
        on_step(seen, total)
    if space is not None and not dry_run:
        fit_whitening(store, space)
    return {source: (fresh, unchanged) for source, (fresh, unchanged) in counts.items()}


def _moved(on_step: Callable[[int, int], None], seen: int, total: int, now: int) -> None:
    on_step(seen + now, total)


def open_space(store: Store, model: str, fingerprint: str, dimensions: int) -> Space:
    """The space of an encoder, made if it is not there yet; from now on it is the newest."""
    with store.writing() as connection:
        there = connection.execute(select(SPACE.c.id).where(SPACE.c.fingerprint == fingerprint)).scalar()
        columns = {"model": model, "dimensions": dimensions, "created_at": now()}
        if there is None:
            connection.execute(insert(SPACE), columns | {"fingerprint": fingerprint, "fitted_on": 0})
        else:
            connection.execute(update(SPACE).where(SPACE.c.id == there).values(columns))
    made = find_space(store, fingerprint)
    assert made is not None
    return made


def find_space(store: Store, fingerprint: str | None = None) -> Space | None:
    """The space with the fingerprint; the newest without one."""
    query = select(SPACE).order_by(SPACE.c.created_at.desc(), SPACE.c.id.desc()).limit(1)
    if fingerprint is not None:
        query = query.where(SPACE.c.fingerprint == fingerprint)
    with store.reading() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    whitening = Whitening.from_bytes(row.whitening) if row.whitening else None
    return Space(row.id, row.model, row.fingerprint, row.dimensions, whitening, row.fitted_on)


def save_vectors(store: Store, space: Space, made: Sequence[Text], vectors: NDArray[Any]) -> None:
    """Keep the vectors [n, d] of the texts, in one transaction; they replace older ones."""
    stamp = now()
    rows = [
        {
            "product_id": text.product_id,
            "space_id": space.id,
            "source": text.source,
            "text_fingerprint": text.fingerprint,
            "vector": as_kept(vector).tobytes(),
            "created_at": stamp,
        }
        for text, vector in zip(made, vectors, strict=True)
    ]
    with store.writing() as connection:
        ids = [text.product_id for text in made]
        connection.execute(delete(EMBEDDING).where(EMBEDDING.c.space_id == space.id, EMBEDDING.c.product_id.in_(ids)))
        connection.execute(insert(EMBEDDING), rows)


def load_vectors(store: Store, space: Space) -> tuple[list[str], NDArray[np.float32]]:
    """All products that have a vector in the space, in the order of their ids, and the vectors: [n, d]."""
    mine = EMBEDDING.c.space_id == space.id
    query = select(EMBEDDING.c.product_id, EMBEDDING.c.vector).where(mine).order_by(EMBEDDING.c.product_id)
    with store.reading() as connection:
        number = connection.execute(select(func.count()).select_from(EMBEDDING).where(mine)).scalar_one()
        matrix = np.empty((number, space.dimensions), np.float32)
        ids: list[str] = []
        # The limit: another process may have added vectors since they were counted.
        for row in connection.execution_options(yield_per=5000).execute(query.limit(number)):
            matrix[len(ids)] = np.frombuffer(row.vector, "<f2")
            ids.append(row.product_id)
    return ids, matrix[: len(ids)]


def fit_whitening(store: Store, space: Space) -> Space:
    """Fit the space's whitening on the products of the behaviour log (on all without one), and keep it."""
    ids, vectors = load_vectors(store, space)
    with store.reading() as connection:
        logged = set(connection.execute(select(EVENT.c.product_id).distinct()).scalars())
    chosen = np.array([product in logged for product in ids], bool)
    fitted_on = vectors[chosen] if chosen.sum() > 1 else vectors
    whitening = Whitening.fit(fitted_on)
    # From now on it is another state of the store, and of the spaces the newest.
    values = {"whitening": whitening.to_bytes(), "fitted_on": len(fitted_on), "created_at": now()}
    with store.writing() as connection:
        connection.execute(update(SPACE).where(SPACE.c.id == space.id).values(values))
    return Space(space.id, space.model, space.fingerprint, space.dimensions, whitening, len(fitted_on))


def vectors_of(store: Store, space: Space, product_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """The vectors of some products, those that have one: whitened where the space has its whitening, of unit length."""
    query = select(EMBEDDING.c.product_id, EMBEDDING.c.vector).where(EMBEDDING.c.space_id == space.id)
    made: dict[str, NDArray[np.float32]] = {}
    ids = sorted(set(product_ids))
    with store.reading() as connection:
        for start in range(0, len(ids), _BATCH):
            part = query.where(EMBEDDING.c.product_id.in_(ids[start : start + _BATCH]))
            for row in connection.execute(part):
                vector = np.frombuffer(row.vector, "<f2").astype(np.float32)
                if space.whitening is not None:
                    vector = space.whitening.apply(vector[None])[0]
                made[row.product_id] = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return made
