"""How long code takes to read a product: `python -m reaseq.bench.reading_speed --feed FILE --category shoes`.

Milliseconds of processor time: a text made a document (markup, sentences that give orders, tokens, labels), a product's
values found in it by the category's lexicon, and its claims grounded, for a model that finds nothing.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from reaseq.agents.grounder import ground
from reaseq.agents.product_text import source_fields
from reaseq.bench.claim_precision import lexicon_of, products_of
from reaseq.documents.document import Document

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feed", type=Path, required=True, help="a catalogue's file")
    parser.add_argument("--category", required=True, help="under which it is read")
    parser.add_argument("--rounds", type=int, default=3, help="of which the quickest counts")
    arguments = parser.parse_args()
    lexicon = lexicon_of(arguments.category)
    sources = [source_fields(product) for product in products_of(arguments.feed, arguments.category)]
    texts = sum(map(len, sources))
    best: dict[str, float] = {}
    for _ in range(arguments.rounds):
        taken: dict[str, float] = {}
        started = time.process_time()
        documents = [Document(fields) for fields in sources]
        taken["read, ms a text"] = (time.process_time() - started) / texts
        started = time.process_time()
        for document in documents:
            lexicon.find(document)
        taken["values found, ms a product"] = (time.process_time() - started) / len(sources)
        started = time.process_time()
        for document in documents:
            ground({}, document, lexicon)
        taken["claims grounded, ms a product"] = (time.process_time() - started) / len(sources)
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in taken.items()}
    row: dict[str, Any] = {"products": len(sources), "texts": texts}
    row |= {name: round(1e3 * seconds, 3) for name, seconds in best.items()}
    for name, value in row.items():
        print(f"{name:>32}  {value}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "reading_speed.json").write_text(json.dumps(row, indent=1))


if __name__ == "__main__":
    main()
