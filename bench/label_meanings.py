"""Are labels taken to the right attributes by their meaning? `python -m reaseq.bench.label_meanings`.

`labels.yaml` holds labels as feeds write them, each with the attribute that it asks for. Only those are counted that
the schema does not know by its names. The threshold was chosen on the first four categories; the others say how good it
is.
"""

import argparse
import json
from collections.abc import Iterator
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
from reaseq.taxonomy.likeness import Likeness, likeness_of
from reaseq.taxonomy.proposals import Encode

LABELS = Path(__file__).with_name("labels.yaml")
RESULTS = Path(__file__).parent / "results"
CHOSEN_ON = ("shoes", "dresses", "headphones", "lamps")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--encoder", default=encoders.DEFAULT, help="by whose meaning")
    arguments = parser.parse_args()
    name, folder = encoders.resolve(arguments.models, arguments.encoder)
    likeness = likeness_of(name)
    found: dict[str, list[int]] = {}
    wrong = []
    for category, counts, mistaken in taken(Encoder(name, folder).encode, likeness):
        part = "chosen on" if category in CHOSEN_ON else "measured on"
        found[part] = [one + other for one, other in zip(found.get(part, [0] * 4), counts, strict=True)]
        wrong += [(category, *one) for one in mistaken]
    table = Table("labels", "unknown by name", "of these with an attribute", "taken", "rightly")
    for part, of_part in found.items():
        table.add_row(part, *map(str, of_part))
    console = Console()
    console.print(table)
    for one in wrong:
        console.print("wrong:", *one)
    RESULTS.mkdir(exist_ok=True)
    made = {"encoder": name, "counts": found, "wrong": wrong, "from": likeness.label_from, "by": likeness.label_by}
    (RESULTS / "label_meanings.json").write_text(json.dumps(made, indent=1) + "\n")


def taken(encode: Encode, likeness: Likeness) -> Iterator[tuple[str, list[int], list[tuple[str, str, str]]]]:
    """Of each category: how many labels no schema knows by name, how many of these have an attribute, are taken to one,
    and rightly; and what is wrong: the label, whereto it was taken, and where it belongs."""
    for category, attributes in yaml.safe_load(LABELS.read_text(encoding="utf-8")).items():
        lexicon = lexicon_of(category)
        asked = {label: name for name, labels in attributes.items() for label in labels}
        unknown = [label for label in asked if lexicon.labels.meaning(stems(label)).asks is Asks.UNKNOWN]
        found = meanings.by_meaning(lexicon.schema, unknown, encode, likeness)
        wrong = [(label, name, asked[label]) for label, name in found.items() if asked[label] != name]
        some = sum(asked[label] != "none" for label in unknown)
        yield category, [len(unknown), some, len(found), len(found) - len(wrong)], wrong


if __name__ == "__main__":
    main()
