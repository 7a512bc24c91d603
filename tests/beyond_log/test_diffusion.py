"""Codes, loss and sampler: what is imagined exists, and neither padding nor company changes a number."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reaseq.beyond_log.codes import SemanticCodes, collisions
from reaseq.beyond_log.denoiser import Denoiser, DenoiserConfig
from reaseq.beyond_log.diffusion import Noise, loss
from reaseq.beyond_log.examples import Batch, Catalogue, Example, Objective, collate, hide
from reaseq.beyond_log.sampler import NONE, Items, SampleConfig, imagine, item_scores

ITEMS, GROUPS, SIZE = 60, 5, 8


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    random = np.random.default_rng(0)
    groups = random.integers(0, GROUPS, ITEMS)
    centres = 2 * random.standard_normal((GROUPS, 16))
    vectors = (random.standard_normal((ITEMS, 16)) + centres[groups]).astype(np.float32)
    codes = SemanticCodes.fit(vectors, groups, digits=4, size=SIZE, dims=12).encode(vectors, groups)
    return Catalogue(codes, vectors, groups, groups, SIZE, GROUPS)


def denoiser(catalogue: Catalogue, objective: Objective = "beyond") -> Denoiser:
    torch.manual_seed(0)
    config = DenoiserConfig(objective=objective, dim=16, heads=2, encoder_blocks=1, decoder_blocks=1, slots=4)
    made = Denoiser(config, 4, SIZE, catalogue.vectors.shape[1], GROUPS).double().eval()
    torch.nn.init.normal_(made.novelty)
    return made


def examples(number: int) -> list[Example]:
    random = np.random.default_rng(1)
    lengths = random.integers(1, 12, number)
    return [
        Example(random.integers(0, ITEMS, n), np.sort(random.random(n)) * 1e6, random.permutation(ITEMS)[: 1 + n % 4])
        for n in lengths
    ]


def had(many: list[Example]) -> list[set[int]]:
    return [set(one.items.tolist()) for one in many]


def doubled(batch: Batch) -> Batch:
    names = ("age", "profile", "first", "around")
    return replace(batch, **{name: getattr(batch, name).double() for name in names})


def test_codes_survive_saving_and_place_new_items_near_their_like(catalogue: Catalogue) -> None:
    fitted = SemanticCodes.fit(catalogue.vectors, digits=4, size=SIZE, dims=12)
    again = SemanticCodes.of_tensors(fitted.tensors())
    assert again.fingerprint == fitted.fingerprint
    np.testing.assert_array_equal(again.encode(catalogue.vectors), fitted.encode(catalogue.vectors))
    # An item of unknown category takes the digits of the nearest one.
    first = SemanticCodes.fit(catalogue.vectors, catalogue.groups, digits=4, size=SIZE, dims=12)
    guessed = first.encode(catalogue.vectors, np.full(ITEMS, -1))[:, 0]
    assert (guessed == catalogue.groups).mean() > 0.9


def test_collisions_are_counted() -> None:
    found = collisions(np.array([[1, 2], [1, 2], [1, 2], [0, 2], [3, 3]]))
    assert (found.items, found.codes, found.sharing, found.largest) == (5, 3, 3, 3)


def test_whole_groups_or_a_span_are_hidden(catalogue: Catalogue) -> None:
    random = np.random.default_rng(2)
    items, at = random.integers(0, ITEMS, 40), np.arange(40.0)
    spans = 0
    for _ in range(200):
        one = hide(items, at, catalogue, random, slots=4, spans=0.0)
        assert one is not None
        assert not set(catalogue.groups[one.targets]) & set(catalogue.groups[one.items])
        span = hide(items, at, catalogue, random, slots=4, spans=1.0)
        assert span is None or not set(span.targets) & set(span.items)
        spans += span is not None
    assert spans > 100


@pytest.mark.parametrize("objective", ["beyond", "next"])
def test_neither_padding_nor_company_changes_a_loss(catalogue: Catalogue, objective: Objective) -> None:
    model = denoiser(catalogue, objective)
    codes, vectors = torch.from_numpy(catalogue.codes), torch.from_numpy(catalogue.vectors).double()
    many = examples(6)
    together = doubled(collate(many, catalogue, history=16, slots=4))
    noise = Noise.draw(together, 4, 0.0, torch.Generator().manual_seed(0))
    expected = loss(model, together, codes, vectors, noise)
    assert (expected > 0).any()
    for index, one in enumerate(many):
        alone = doubled(collate([one], catalogue, history=16, slots=len(one.targets)))
        own = Noise(noise.t[[index]], noise.uniform[[index], : len(one.targets)], noise.hidden[[index]])
        torch.testing.assert_close(loss(model, alone, codes, vectors, own)[0], expected[index])


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("steps", [1, 3, 16])
def test_what_is_imagined_exists_and_is_new(catalogue: Catalogue, exact: bool, steps: int) -> None:
    model = denoiser(catalogue)
    codes, vectors = torch.from_numpy(catalogue.codes), torch.from_numpy(catalogue.vectors).double()
    items = Items(catalogue.codes, np.ones(ITEMS, np.int64), SIZE, exact=exact)
    many = examples(5)
    batch = doubled(collate(many, catalogue, history=16, slots=4))
    config = SampleConfig(slots=4, steps=steps, guidance=0.5, temperature=0.8)
    chosen, confidence = imagine(model, batch, range(5), items, codes, vectors, config, banned=had(many))
    assert (chosen != NONE).all()
    for row, sure, one in zip(chosen, confidence, many, strict=True):
        assert len(set(row.tolist())) == len(row)
        assert not set(row.tolist()) & set(one.items.tolist())
        assert np.isfinite(sure).all()
        assert (sure < 0).all()
    for index, one in enumerate(many):
        alone = doubled(collate([one], catalogue, history=16, slots=4))
        mine, _ = imagine(model, alone, [index], items, codes, vectors, config, banned=had([one]))
        np.testing.assert_array_equal(mine[0], chosen[index])


@pytest.mark.trial
@pytest.mark.slow
@pytest.mark.parametrize("exact", [True, False])
def test_ten_thousand_generations_are_items(catalogue: Catalogue, exact: bool) -> None:
    """Of 1,250 users eight each: every code is some item's, every item is another and new to the user."""
    random = np.random.default_rng(4)
    lengths = random.integers(1, 20, 1250)
    many = [Example(random.integers(0, ITEMS, n), np.arange(float(n)), np.zeros(0, np.int64)) for n in lengths]
    torch.manual_seed(1)
    config = DenoiserConfig(dim=16, heads=2, encoder_blocks=1, decoder_blocks=1, slots=8)
    model = Denoiser(config, 4, SIZE, catalogue.vectors.shape[1], GROUPS).eval()
    codes, vectors = torch.from_numpy(catalogue.codes), torch.from_numpy(catalogue.vectors)
    items = Items(catalogue.codes, np.ones(ITEMS, np.int64), SIZE, exact=exact)
    known = {tuple(code) for code in catalogue.codes.tolist()}
    made = 0
    for low in range(0, len(many), 250):
        part = many[low : low + 250]
        batch = collate(part, catalogue, history=16, slots=8)
        sample = SampleConfig(slots=8, steps=3, temperature=1.5)
        chosen, _ = imagine(model, batch, range(low, low + 250), items, codes, vectors, sample, banned=had(part))
        for one, row in zip(part, chosen.tolist(), strict=True):
            assert len(set(row)) == 8
            assert not set(row) & set(one.items.tolist())
            assert all(tuple(catalogue.codes[item].tolist()) in known for item in row)
            made += len(row)
    assert made == 10_000


def test_a_slot_stays_empty_when_no_item_is_left(catalogue: Catalogue) -> None:
    model = denoiser(catalogue)
    codes, vectors = torch.from_numpy(catalogue.codes), torch.from_numpy(catalogue.vectors).double()
    batch = doubled(collate(examples(1), catalogue, history=16, slots=4))
    for exact in (True, False):
        items = Items(catalogue.codes, np.ones(ITEMS, np.int64), SIZE, exact=exact)
        chosen, confidence = imagine(
            model, batch, [0], items, codes, vectors, SampleConfig(slots=4), banned=[set(range(2, ITEMS))]
        )
        assert set(chosen[0].tolist()) == {0, 1, NONE}
        assert (np.isfinite(confidence[0]) == (chosen[0] != NONE)).all()


def test_item_scores_are_probabilities(catalogue: Catalogue) -> None:
    """Summed over all codes that could be, they would be one; over the items that are they are less."""
    model = denoiser(catalogue)
    codes, vectors = torch.from_numpy(catalogue.codes), torch.from_numpy(catalogue.vectors).double()
    items = Items(catalogue.codes, np.arange(ITEMS), SIZE)
    batch = doubled(collate(examples(3), catalogue, history=16, slots=4))
    total = np.exp(item_scores(model, batch, items, codes, vectors)).sum(1)
    assert ((total > 0) & (total <= 1)).all()
