"""Embeddings as files that other toolkits read."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.knowledge_store.atomic_files import floats, token, write
from reaseq.knowledge_store.embeddings import find_space, load_vectors
from reaseq.knowledge_store.export import whole
from reaseq.knowledge_store.store import Store


def export_embeddings(store: Store, path: Path, *, whitened: bool = False) -> int:
    """Write the newest space's vectors to `path`, in the format its ending names; returns how many.

    .parquet: columns product_id and vector (a list of float32). .npz: arrays ids [n] and vectors [n, d].
    .itememb: RecBole's atomic file with the columns iid:token and item_emb:float_seq
    (https://recbole.io/docs/user_guide/data/atomic_files.html), ids as `atomic_files.token` writes them. The file
    appears whole or not at all.

    Raises:
        ReaseqError: there are no embeddings, the ending names no known format, or the file cannot be written.
    """
    writers: dict[str, Callable[[Path, Sequence[str], NDArray[np.float32]], int]] = {
        ".parquet": _parquet,
        ".npz": _npz,
        ".itememb": _itememb,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ReaseqError(
            f"{path}: unknown format {path.suffix or '(no ending)'!r}; known: {', '.join(writers)}",
            hint=f"reaseq embeddings export {path.with_suffix('.parquet')}",
        )
    space = find_space(store)
    ids, vectors = load_vectors(store, space) if space else ([], np.empty((0, 0), np.float32))
    if space is None or not ids:
        raise ReaseqError("there are no embeddings yet", hint="reaseq embed")
    if whitened:
        if space.whitening is None:
            raise ReaseqError("the embeddings are not whitened yet", hint="reaseq embed")
        vectors = space.whitening.apply(vectors)
    return whole(path, lambda target: writer(target, ids, vectors))


def _parquet(path: Path, ids: Sequence[str], vectors: NDArray[np.float32]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = pa.array(vectors.ravel(), pa.float32())
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    pq.write_table(pa.table({"product_id": pa.array(ids, pa.string()), "vector": column}), path)
    return len(ids)


def _npz(path: Path, ids: Sequence[str], vectors: NDArray[np.float32]) -> int:
    with path.open("wb") as file:
        np.savez_compressed(file, ids=np.array(ids, dtype=np.str_), vectors=vectors)
    return len(ids)


def _itememb(path: Path, ids: Sequence[str], vectors: NDArray[np.float32]) -> int:
    rows = ((token(product), floats(vector)) for product, vector in zip(ids, vectors.tolist(), strict=True))
    return write(path, ("iid:token", "item_emb:float_seq"), rows)
