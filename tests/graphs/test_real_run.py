"""A real catalogue through the embedded model: what is in the store afterwards."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reaseq.agents.product_text import source_fields
from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.graphs.distill import distill
from reaseq.graphs.options import Options
from reaseq.knowledge_store.store import Store
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary

PRODUCTS = 2


def assert_every_stated_claim_has_its_quote(store: Store) -> int:
    """The rule the whole store must keep; returns how many claims it was checked on."""
    checked = 0
    sources: dict[str, dict[str, str]] = {}
    for claim in store.claims():
        if claim["claim_type"] not in ("stated", "normalised") or claim["status"] == "rejected":
            continue
        product_id = claim["product_id"]
        if product_id not in sources:
            product = store.product(product_id)
            assert product is not None
            sources[product_id] = source_fields(product)
        quote = sources[product_id][claim["field"]][claim["start"] : claim["end"]]
        assert quote == claim["quote"], claim
        assert quote.strip(), claim
        checked += 1
    return checked


@pytest.mark.realdata
@pytest.mark.embedded
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_embedded_on_a_real_catalogue(tmp_path: Path, realdata: Path) -> None:
    models = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models")).absolute()
    environment = os.environ | {"REASEQ_MODELS_DIR": str(models)}

    def reaseq(*arguments: str) -> str:
        command = [sys.executable, "-m", "reaseq.cli.main", *arguments]
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    reaseq("import", str(realdata / "catalogs" / "adidas_vs_nike.csv"), "--category", "shoes")
    reaseq("distill", "--category", "shoes", "--limit", str(PRODUCTS))
    with Store.open(f"sqlite:///{tmp_path / '.reaseq' / 'store.sqlite'}") as store:
        products = list(store.distilled())
        assert len(products) == PRODUCTS
        for product in products:
            assert product["status"] == "done"
            assert product["verified"] >= 3
        assert assert_every_stated_claim_has_its_quote(store) > 10
    assert f"0 done, 0 failed, {PRODUCTS} unchanged" in reaseq(
        "distill", "--category", "shoes", "--limit", str(PRODUCTS)
    )


def test_quotes_hold_whatever_the_model_invents(store: Store, fake: FakeEndpoint) -> None:
    fill(store, 150)
    endpoint = Endpoint(fake.base_url, "fake", "fake", logprobs=True)
    asyncio.run(distill(store, endpoint, PromptLibrary(), Options("shoes")))
    assert assert_every_stated_claim_has_its_quote(store) > 500
