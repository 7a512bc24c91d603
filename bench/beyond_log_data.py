"""The logs that the beyond-log benchmark hides parts of, with the embeddings of their items."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.log import Ints, Log
from reaseq.llm import encoders

_SHOWN = 200
"""Characters of a title that are embedded: what follows tells little more, and costs time."""


@dataclass(frozen=True)
class HiddenData:
    """A log over several domains. vectors: [I, d]; domains, kinds: [I], each kind lies in one domain.

    judged: [I], items that enough users had to be judged one by one. typed: whether kinds are product types, or only
    the domains again.
    """

    name: str
    log: Log
    vectors: NDArray[np.float32]
    domains: Ints
    kinds: Ints
    domain_names: list[str]
    judged: NDArray[np.bool_]
    typed: bool


def oec_us(folder: Path, weights: Path, cache: Path) -> HiddenData:
    """Open e-commerce 1.0: purchases of 1,165 people in 16 domains, with times and product types."""
    rows = pq.read_table(folder / "oec_us" / "items.parquet").to_pydict()
    events = pq.read_table(folder / "oec_us" / "interactions.parquet")
    texts = [
        (title or kind.replace("_", " ").lower())[:_SHOWN]
        for title, kind in zip(rows["title"], rows["product_type"], strict=True)
    ]
    item_names, kinds = np.array(rows["item_id"]), np.unique(np.array(rows["product_type"]), return_inverse=True)[1]
    return _data("Open e-commerce", events, events["timestamp"].to_numpy(), item_names, texts, rows["domain"], kinds,
                 weights, cache, timed=True, typed=True, enough=3)  # fmt: skip


def amazon14_cross(folder: Path, weights: Path, cache: Path, domains: int = 2) -> HiddenData:
    """Amazon 2014: the users who are found in so many domains or more of Beauty, Sports, Toys and Office.

    Order is known within a domain only; across domains events are merged by how far in its domain's sequence each
    lies. There are no product types: kinds are the domains.
    """
    rows = pq.read_table(folder / "amazon14_cross" / "items.parquet").to_pydict()
    events = pq.read_table(folder / "amazon14_cross" / "interactions.parquet")
    events = events.set_column(events.schema.get_field_index("domain"), "domain", events["domain"].cast("string"))
    pairs = events.group_by(["user_id", "domain"]).aggregate([("item_id", "count")])
    users = pairs.group_by("user_id").aggregate([("domain", "count")])
    several = users.filter(pc.greater_equal(users["domain_count"], domains))["user_id"]
    events = events.filter(pc.is_in(events["user_id"], several.combine_chunks()))
    user, domain = events["user_id"].to_numpy(), np.unique(events["domain"].to_numpy(), return_inverse=True)[1]
    _, sequence = np.unique(user * 16 + domain, return_inverse=True)
    share = (events["position"].to_numpy() + 0.5) / np.bincount(sequence)[sequence]
    order = np.lexsort((domain, share, user))
    at = np.empty(len(order))
    start = np.concatenate([[True], user[order][1:] != user[order][:-1]])
    at[order] = np.arange(len(order)) - np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
    texts = [
        ". ".join(part for part in parts if part)
        for parts in zip(*(rows[name] for name in ("title", "brand", "category", "extra_keywords")), strict=True)
    ]
    kinds = np.unique(np.array(rows["domain"]), return_inverse=True)[1]
    name = f"Amazon 2014, {domains} domains or more"
    return _data(name, events, at, np.array(rows["item_id"]), texts, rows["domain"], kinds, weights, cache,
                 timed=False, typed=False, enough=10)  # fmt: skip


def _data(
    name: str, events: Any, at: NDArray[np.float64], item_names: NDArray[np.int64], texts: list[str],
    domains: list[str], kinds: Ints, weights: Path, cache: Path, *, timed: bool, typed: bool, enough: int,
) -> HiddenData:  # fmt: skip
    vectors = embedded(texts, weights, cache)
    user_names, user = np.unique(events["user_id"].to_numpy(), return_inverse=True)
    order = np.argsort(item_names)
    item = order[np.searchsorted(item_names[order], events["item_id"].to_numpy())]
    _, first = np.unique(np.stack([user, at.astype(np.int64), item]), axis=1, return_index=True)
    first.sort()
    names = ([str(one) for one in user_names], [str(one) for one in item_names])
    log = Log.of(user[first], item[first], at[first].astype(np.float64), names=names, timed=timed)
    pairs = np.unique(np.stack([user, item]), axis=1)
    judged = np.bincount(pairs[1], minlength=len(item_names)) >= enough
    domain_names, domain = np.unique(np.array(domains), return_inverse=True)
    return HiddenData(name, log, vectors, domain, kinds, [str(one) for one in domain_names], judged, typed)


def embedded(texts: list[str], weights: Path, cache: Path) -> NDArray[np.float32]:
    """Embeddings of the texts [n, d], made once and kept in `cache`."""
    encoder = Encoder(*encoders.resolve(weights))
    digest = hashlib.sha256((encoder.fingerprint + "\x00".join(texts)).encode()).hexdigest()[:16]
    path = cache / f"{digest}.npy"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        print(f"embedding {len(texts):,} texts, which are kept in {path}", flush=True)
        np.save(path, encoder.encode(texts).astype(np.float16))
    made: NDArray[np.float32] = np.load(path).astype(np.float32)
    return made
