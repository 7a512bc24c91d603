"""Whitening."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reaseq.knowledge_store import whitening
from reaseq.knowledge_store.whitening import Whitening


def cone(number: int, dims: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors that lie close together and differ in few directions, as embeddings of one catalogue do."""
    random = np.random.default_rng(seed)
    vectors = 3 + random.standard_normal((number, dims)) * 0.5 ** np.arange(dims)
    made: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return made


def test_components_come_out_uncorrelated_and_of_like_size() -> None:
    vectors = cone(20_000, 8, 0)
    fitted = Whitening.fit(vectors)
    made = (vectors - fitted.mean) @ fitted.matrix
    covariance = np.cov(made.T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.01
    assert np.diag(covariance)[:4] == pytest.approx(1, abs=0.05)
    cosine = fitted.apply(vectors[:200]) @ fitted.apply(vectors[:200]).T / 8
    assert (vectors[:200] @ vectors[:200].T).min() > 0.8
    assert abs(float(cosine.mean())) < 0.1


@given(st.integers(2, 40), st.integers(2, 12), st.integers(0, 100))
def test_rows_have_unit_mean_square_in_any_order(number: int, dims: int, seed: int) -> None:
    vectors = cone(number, dims, seed)
    order = np.random.default_rng(seed).permutation(number)
    one, other = Whitening.fit(vectors), Whitening.fit(vectors[order])
    made = one.apply(vectors)
    assert np.isfinite(made).all()
    np.testing.assert_allclose((made**2).mean(1), 1, rtol=1e-3)
    np.testing.assert_allclose(made @ made.T, other.apply(vectors) @ other.apply(vectors).T, atol=0.05 * dims)


def test_few_vectors_of_many_dimensions_keep_their_likeness() -> None:
    """With fewer vectors than dimensions full whitening would make all of them equally unlike each other."""
    random = np.random.default_rng(0)
    base = random.standard_normal((10, 64))
    vectors = np.repeat(base, 2, axis=0) + 0.3 * random.standard_normal((20, 64))
    made = Whitening.fit(vectors.astype(np.float32)).apply(vectors.astype(np.float32))
    cosine = made @ made.T / 64
    np.fill_diagonal(cosine, -1)
    assert all(cosine[index].argmax() == index ^ 1 for index in range(20))


def test_rows_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = cone(100, 6, 0)
    whole = Whitening.fit(vectors)
    expected = whole.apply(vectors)
    monkeypatch.setattr(whitening, "_ROWS", 7)
    pieces = Whitening.fit(vectors)
    np.testing.assert_allclose(pieces.matrix, whole.matrix, rtol=1e-4)
    np.testing.assert_allclose(whole.apply(vectors), expected, rtol=1e-4, atol=1e-5)


def test_it_is_kept_as_safetensors() -> None:
    fitted = Whitening.fit(cone(50, 6, 0), dims=4)
    read = Whitening.from_bytes(fitted.to_bytes())
    np.testing.assert_array_equal(read.matrix, fitted.matrix)
    assert fitted.matrix.shape == (6, 4)
