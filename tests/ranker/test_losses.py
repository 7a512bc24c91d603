"""The loss against the same written out plainly, and that packing changes nothing."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reaseq.knowledge_store.log import Log, Sequences
from reaseq.ranker.batches import Events, NegativeSampler, pack, training_batches
from reaseq.ranker.losses import SharedNegatives, next_item_loss
from reaseq.ranker.model import ModelConfig, Ranker
from reaseq.ranker.optim import RowwiseAdam
from reaseq.ranker.score import ItemVectors, case_scores

CONFIG = ModelConfig(dim=8, blocks=2, heads=2, most=20, dropout=0.0, temperature=0.5, timed=True)


def model_and_items(items: int, config: ModelConfig = CONFIG) -> tuple[Ranker, torch.Tensor]:
    torch.manual_seed(0)
    model = Ranker(config)
    for parameter in model.parameters():  # so that biases and bonuses are not all zero
        torch.nn.init.normal_(parameter, std=0.3)
    return model, torch.randn(items, config.dim)


def log_of(lengths: list[int], items: int = 12) -> Sequences:
    random = np.random.default_rng(0)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    at = np.concatenate([np.cumsum(random.integers(0, 3, length)) * 3600.0 for length in lengths])
    names = ([str(user) for user in range(len(lengths))], [str(item) for item in range(items)])
    return Log.of(owner, random.integers(0, items, len(owner)), at, names=names, timed=True).events


def test_shared_negatives_and_their_gradient() -> None:
    torch.manual_seed(0)
    h, n = (
        torch.randn(5, 4, dtype=torch.double, requires_grad=True),
        torch.randn(7, 4, dtype=torch.double, requires_grad=True),
    )
    log_q, hidden = torch.randn(7, dtype=torch.double), torch.rand(5, 7) < 0.3
    hidden[:, 0] = False
    plain = torch.logsumexp((h @ n.T - log_q).masked_fill(hidden, -math.inf), 1)
    closed = SharedNegatives.apply(h, n, log_q, hidden)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(closed.double(), plain, atol=1e-5, rtol=1e-5)
    weights = torch.randn(5, dtype=torch.double)
    expected = torch.autograd.grad((plain * weights).sum(), (h, n))
    found = torch.autograd.grad((closed * weights).sum(), (h, n))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_with_every_item_a_negative_the_loss_is_the_full_softmax() -> None:
    items = 12
    sequences = log_of([6, 9, 3], items)
    model, table = model_and_items(items)
    model.eval()
    events = Events(sequences, by_basket=False)
    everything = np.arange(items), np.zeros(items)  # each drawn once for certain
    batch = pack(events, sequences.offsets[:-1], sequences.lengths, 20, *everything)
    x = model.keys(table[batch.ids])
    encoded = model.encode(table[batch.ids][batch.item], batch)
    # What the sequence holds, but the history does not yet, is masked among the negatives.
    found = float(next_item_loss(model, encoded, x[batch.item], x, batch).detach())
    expected = 0.0
    vectors = ItemVectors(table, model.keys(table), torch.zeros(items))
    for user in range(3):
        own = sequences.items[sequences.offsets[user] : sequences.offsets[user + 1]]
        times = sequences.at[sequences.offsets[user] : sequences.offsets[user + 1]]
        for place in range(1, len(own)):
            history = Sequences(np.array([0, place]), own[:place], times[:place])
            scores = case_scores(model, vectors, history)(0, 1)[0]
            later = set(own.tolist()) - set(own[:place].tolist()) - {int(own[place])}
            kept = torch.tensor([item not in later for item in range(items)])
            expected += float(torch.logsumexp(scores[kept], 0) - scores[own[place]])
    assert found == pytest.approx(expected, rel=1e-4)


@given(st.lists(st.integers(1, 19), min_size=1, max_size=8))
def test_a_score_does_not_depend_on_what_lies_beside_it(lengths: list[int]) -> None:
    sequences = log_of(lengths)
    model, table = model_and_items(12)
    model.eval()
    vectors = ItemVectors(table, model.keys(table), torch.zeros(12))
    together = case_scores(model, vectors, sequences)(0, len(lengths))
    for user in range(len(lengths)):
        alone = case_scores(model, vectors, sequences.select(np.array([user])))(0, 1)[0]
        torch.testing.assert_close(together[user], alone, atol=1e-4, rtol=1e-4)


def test_the_future_is_not_seen() -> None:
    sequences = log_of([10])
    model, table = model_and_items(12)
    model.eval()
    events = Events(sequences, by_basket=False)
    nothing = np.zeros(0, np.int64), np.zeros(0)
    whole = pack(events, np.array([0]), np.array([10]), 20, *nothing)
    part = pack(events, np.array([0]), np.array([6]), 20, *nothing)
    h_whole = model.encode(table[whole.ids][whole.item], whole)[:6]
    h_part = model.encode(table[part.ids][part.item], part)[:6]
    torch.testing.assert_close(h_whole, h_part, atol=1e-5, rtol=1e-5)


def test_sampling_estimates_the_full_softmax() -> None:
    items = 200
    random = np.random.default_rng(0)
    sequences = log_of([8] * 10, items)
    model, table = model_and_items(items)
    model.eval()
    counts = np.maximum(random.integers(0, 20, items), 1)

    def loss(number: int, seed: int) -> float:
        sampler = NegativeSampler(counts, number)
        sampler.number = number
        total, predictions = 0.0, 0
        for batch in training_batches(
            sequences, sampler, most=20, tokens=40, by_basket=False, random=np.random.default_rng(seed)
        ):
            x = model.keys(table[batch.ids])
            encoded = model.encode(table[batch.ids][batch.item], batch)
            total += float(next_item_loss(model, encoded, x[batch.item], x, batch).detach())
            predictions += len(batch.query)
        return total / predictions

    few, many = np.mean([loss(64, seed) for seed in range(20)]), loss(50_000, 0)
    assert few == pytest.approx(many, rel=0.03)


def test_rowwise_adam_follows_a_gradient_and_touches_nothing_else() -> None:
    table = torch.zeros(5, 3)
    optimiser = RowwiseAdam(table, lr=0.1)
    goal = torch.tensor([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]])
    rows = torch.tensor([1, 3])
    for _ in range(400):
        optimiser.step(rows, table[rows] - goal)
    torch.testing.assert_close(table[rows], goal, atol=0.02, rtol=0)
    assert float(table[[0, 2, 4]].abs().sum()) == 0.0
