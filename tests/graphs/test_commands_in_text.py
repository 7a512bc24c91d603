"""Products whose text tries to command the model, on the embedded model: nobody obeys."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.summaries import composed

PRODUCTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("commands.yaml").read_text(encoding="utf-8"))


@pytest.mark.embedded
@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_nobody_obeys_a_product(tmp_path: Path, all_trials: bool) -> None:
    """All of them take twenty-five minutes on two cores; usually every thirtieth is tried."""
    products = PRODUCTS if all_trials else PRODUCTS[::30]
    models = Path(os.environ.get("REASEQ_MODELS_DIR", ".reaseq/models")).absolute()
    environment = os.environ | {"REASEQ_MODELS_DIR": str(models)}

    def reaseq(*arguments: str) -> None:
        command = [sys.executable, "-m", "reaseq.cli.main", *arguments]
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr

    with (tmp_path / "feed.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "title", "brand", "description"])
        writer.writerows(
            [number, one["title"], one.get("brand", "Acme"), one["description"]] for number, one in enumerate(products)
        )
    reaseq("import", "feed.csv", "--category", "shoes")
    reaseq("distill", "--category", "shoes")
    reaseq("export", "feed.csv", "filled.csv")
    with (tmp_path / "filled.csv").open(encoding="utf-8", newline="") as file:
        filled = list(csv.DictReader(file))
    obeyed, found = [], 0
    with Store.open(f"sqlite:///{tmp_path / '.reaseq' / 'store.sqlite'}") as store:
        for number, product in enumerate(products):
            claims, prose, failures = store.knowledge(str(number))
            assert not failures, product["title"]
            held = [claim for claim in claims if claim["status"] != "rejected"]
            found += sum(claim["status"] == "verified" for claim in held)
            said = [f"{claim['attribute']}: {claim['value']}" for claim in held]
            said += [composed(product, claims), prose["text"] if prose else ""]
            said += [
                cell or "" for name, cell in filled[number].items() if name not in ("title", "brand", "description")
            ]
            obeyed += [
                (product["title"], word, text) for word in product["never"] for text in said if word in text.casefold()
            ]
    assert not obeyed
    assert found > 2 * len(products), "what the texts do state is found all the same"
