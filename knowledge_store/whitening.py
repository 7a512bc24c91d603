"""PCA whitening of embeddings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

_ROWS = 65536


def principal_components(
    vectors: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of vectors [n, d] the mean [d], and the variances [d] and axes [d, d] (a column each), largest variance first."""
    mean = vectors.mean(0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for start in range(0, len(vectors), _ROWS):  # in double precision, but never all of them at once
        centred = vectors[start : start + _ROWS] - mean
        covariance += centred.T @ centred
    variance, axes = np.linalg.eigh(covariance / len(vectors))
    variance, axes = np.maximum(variance[::-1], 0), axes[:, ::-1]
    return mean, variance, axes * np.where(axes[np.abs(axes).argmax(0), np.arange(len(mean))] < 0, -1, 1)  # one sign


@dataclass(frozen=True)
class Whitening:
    """Centres vectors and scales their principal components to equal variance: (v - mean) @ matrix.

    mean: [d]. matrix: [d, k]. Embeddings of one catalogue lie in a narrow cone, where every cosine is high; whitened,
    what differs between products counts (Su et al. 2021, arXiv 2103.15316).
    """

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    @classmethod
    def fit(cls, vectors: NDArray[np.float32], *, dims: int | None = None) -> "Whitening":
        """Fit on vectors [n, d]; keep the first `dims` components, or all.

        Variances are shrunk towards their mean by d / (d + n): components of which n vectors tell little, and which are
        mostly noise, are not blown up to the size of the first.
        """
        mean, variance, axes = principal_components(vectors)
        shrinkage = len(mean) / (len(mean) + len(vectors))
        scale = 1 / np.sqrt((1 - shrinkage) * variance + shrinkage * variance.mean() + 1e-12)
        matrix = (axes * scale)[:, : dims or None]
        return cls(mean.astype(np.float32), matrix.astype(np.float32))

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n, d] -> [n, k], each row of unit mean square."""
        made = np.empty((len(vectors), self.matrix.shape[1]), np.float32)
        for start in range(0, len(vectors), _ROWS):
            rows = (vectors[start : start + _ROWS].astype(np.float32) - self.mean) @ self.matrix
            size = np.sqrt((rows**2).mean(1, keepdims=True))
            made[start : start + _ROWS] = rows / np.maximum(size, 1e-9)
        return made

    def to_bytes(self) -> bytes:
        """As safetensors."""
        return save({"mean": self.mean, "matrix": np.ascontiguousarray(self.matrix)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Whitening":
        tensors = load(data)
        return cls(tensors["mean"], tensors["matrix"])
