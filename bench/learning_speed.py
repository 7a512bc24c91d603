"""How fast labelled products are learnt from: `python -m reaseq.bench.learning_speed --ave FOLDER`.

FOLDER holds the gold files of `reaseq.bench.extraction_quality`. Of the category with most rows of each, `--products`
are learnt from as `reaseq distill` does, cross-validation included: once with the encoder's vectors made anew, and once
more when nothing has changed, from what was kept. Without vectors: the same, these made before.
"""

import argparse
import json
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reaseq.agents.extraction_score import read_gold
from reaseq.agents.labelled import Spans
from reaseq.agents.learned import Learned
from reaseq.agents.student import learnt
from reaseq.bench.extraction_quality import DATA, RESULTS
from reaseq.graphs.extraction_eval import categories
from reaseq.graphs.teaching import of_gold
from reaseq.knowledge_store.encoder import Encoder
from reaseq.llm import encoders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ave", type=Path, required=True, help="the folder of the gold files")
    parser.add_argument("--products", type=int, default=150, help="labelled products of a category")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    arguments = parser.parse_args()
    encoder = Encoder(*encoders.resolve(arguments.models))
    encoder.span_vectors([("warm", ((0, 4),))])
    heads = ("products", "attributes", "learning", "of it vectors", "kept", "held-out F1")
    print(f"{'':10} " + " ".join(f"{head:>13}" for head in heads))
    made = [measured(name, arguments.ave, arguments.products, encoder) for name in DATA]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "learning_speed.json"
    versions = {package: version(package) for package in ("reaseq", "numpy", "torch")}
    path.write_text(json.dumps({"machine": platform.machine(), "versions": versions, "runs": made}, indent=1))
    print(f"\nwritten: {path}")


def measured(name: str, folder: Path, count: int, encoder: Encoder) -> dict[str, Any]:
    rows = list(read_gold(folder / f"{name}.jsonl.gz"))
    largest = Counter(row.category for row in rows).most_common(1)[0][0]
    mine = [row for row in rows if row.category == largest][:count]
    (group,) = categories(mine, labelled=mine, schema_of=lambda category: None)
    products = [of_gold(row) for row in mine]
    seconds = 0.0

    def vectors(texts: Sequence[tuple[str, Spans]]) -> list[NDArray[np.float32]]:
        nonlocal seconds
        started = time.perf_counter()
        found = encoder.span_vectors(texts)
        seconds += time.perf_counter() - started
        return found

    with tempfile.TemporaryDirectory() as kept:
        times = []
        learned: Learned | None = None
        for _ in range(2):
            started = time.perf_counter()
            learned, _ = learnt(Path(kept), products, "the same", group.schema, vectors)
            times.append(time.perf_counter() - started)
    assert learned is not None
    attributes = len(learned.tagger.attributes)
    cells = (
        *(f"{len(products)}", f"{attributes}", f"{times[0]:.1f} s", f"{seconds:.1f} s", f"{1000 * times[1]:.0f} ms"),
        f"{learned.f1:.3f}",
    )
    print(f"{name:10} " + " ".join(f"{cell:>13}" for cell in cells), flush=True)
    return {
        "data": name,
        "category": largest,
        "products": len(products),
        "attributes": attributes,
        "learning seconds": times[0],
        "vectors seconds": seconds,
        "kept seconds": times[1],
        "held-out f1": learned.f1,
    }


if __name__ == "__main__":
    main()
