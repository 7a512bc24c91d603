"""Which products a strong model should read, to learn most from: those that between them are like all the others.

Greedy facility location: each next product is the one that brings the most products nearer to a chosen one. It finds at
least 63 % of what the best choice reaches (Nemhauser, Wolsey and Fisher 1978; lazily: Minoux 1978). Products of which
little is settled count more.
"""

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def choose(
    vectors: NDArray[np.float32],
    count: int,
    *,
    weights: Sequence[float] | None = None,
    chosen: Sequence[int] = (),
) -> list[int]:
    """Numbers of `count` more products beside those that are `chosen`, the most telling first; all, if there are fewer.

    vectors: of unit length, [n, d]. weights: how much it counts that a product has one like it. Memory grows with n².
    """
    total = len(vectors)
    likeness = np.maximum(0, np.asarray(vectors, np.float32) @ np.asarray(vectors, np.float32).T)
    weight = np.ones(total, np.float32) if weights is None else np.asarray(weights, np.float32)
    nearest = likeness[:, list(chosen)].max(1) if len(chosen) else np.zeros(total, np.float32)

    def gain(one: int) -> float:
        return float(weight @ np.maximum(0, likeness[:, one] - nearest))

    left = [(-gain(one), one) for one in range(total) if one not in set(chosen)]
    heapq.heapify(left)
    made: list[int] = []
    while left and len(made) < count:
        _, one = heapq.heappop(left)
        again = gain(one)  # what others brought since counts for less: gains only fall
        if left and again < -left[0][0]:
            heapq.heappush(left, (-again, one))
            continue
        made.append(one)
        nearest = np.maximum(nearest, likeness[:, one])
    return made
