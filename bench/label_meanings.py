"""Are labels taken to the right attributes by their meaning? `python -m reaseq.bench.label_meanings`.

`labels.yaml` holds labels as feeds write them, each with the attribute that it asks for. Only those are counted that
the schema does not know by its names. The threshold was chosen on the first four categories; the others say how good it
is.
"""

import argparse
import json
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from reaseq.bench.claim_precision import lexicon_of
from reaseq.documents.tokens import stems
from reaseq.knowledge_store.encoder import Encoder
from reaseq.llm import encoders
from reaseq.taxonomy import meanings
from reaseq.taxonomy.labels import Asks
from reaseq.taxonomy.likeness import DEFAULT

LABELS = Path(__file__).with_name("labels.yaml")
RESULTS = Path(__file__).parent / "results"
CHOSEN_ON = ("shoes", "dresses", "headphones", "lamps")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    arguments = parser.parse_args()
    encode = Encoder(*encoders.resolve(arguments.models)).encode
    found: dict[str, list[int]] = {}
    wrong = []
    for category, attributes in yaml.safe_load(LABELS.read_text(encoding="utf-8")).items():
        lexicon = lexicon_of(category)
        asked = {label: name for name, labels in attributes.items() for label in labels}
        unknown = [label for label in asked if lexicon.labels.meaning(stems(label)).asks is Asks.UNKNOWN]
        taken = meanings.by_meaning(lexicon.schema, unknown, encode)
        part = "chosen on" if category in CHOSEN_ON else "measured on"
        wrong += [(category, label, name, asked[label]) for label, name in taken.items() if asked[label] != name]
        counts = [
            len(unknown),
            sum(asked[label] != "none" for label in unknown),
            len(taken),
            sum(asked[label] == name for label, name in taken.items()),
        ]
        found[part] = [one + other for one, other in zip(found.get(part, [0] * 4), counts, strict=True)]
    table = Table("labels", "unknown by name", "of these with an attribute", "taken", "rightly")
    for part, of_part in found.items():
        table.add_row(part, *map(str, of_part))
    console = Console()
    console.print(table)
    for one in wrong:
        console.print("wrong:", *one)
    RESULTS.mkdir(exist_ok=True)
    made = {"counts": found, "wrong": wrong, "from": DEFAULT.label_from, "by": DEFAULT.label_by}
    (RESULTS / "label_meanings.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
