"""The known text encoders side by side: `python -m reaseq.bench.encoders --ave FOLDER --catalogs FOLDER`.

Labels are taken to attributes (`label_meanings`, the categories on which nothing was chosen), titles put under
categories (the reported quarter of `categorization`, without the model), and titles of `encoder_titles.yaml` compared
across languages: is the nearest English title one of the same kind, and where does a title go among the bundled
categories? Each encoder has the thresholds of `reaseq.taxonomy.likeness`. `--tune` scores what these were chosen on.
"""

import argparse
import json
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from reaseq.bench.categorization import Row, chosen, titles
from reaseq.bench.label_meanings import CHOSEN_ON, taken
from reaseq.knowledge_store.encoder import Encoder
from reaseq.llm import encoders
from reaseq.taxonomy.likeness import Likeness, likeness_of
from reaseq.taxonomy.nearest import Categories
from reaseq.taxonomy.proposals import Encode
from reaseq.taxonomy.schema import starters

TITLES = Path(__file__).with_name("encoder_titles.yaml")
RESULTS = Path(__file__).parent / "results"
_FEWEST = 64
"""Texts with which a model is warmed up before it is timed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ave", type=Path, required=True, help="the folder of oa-mine.jsonl.gz and ae-110k.jsonl.gz")
    parser.add_argument("--catalogs", type=Path, required=True, help="the folder of myntra_styles_15k.csv")
    parser.add_argument("--rows", type=int, default=4, help="titles of each kind and source at most")
    parser.add_argument("--tune", action="store_true", help="score what the thresholds were chosen on")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoders' weights live")
    arguments = parser.parse_args()
    rows = chosen(list(titles(arguments.ave, arguments.catalogs)), arguments.rows, tune=arguments.tune)
    kinds: dict[str, dict[str, str]] = yaml.safe_load(TITLES.read_text(encoding="utf-8"))
    found = {name: measured(name, arguments.models, rows, kinds, tune=arguments.tune) for name in encoders.KNOWN}
    console = Console()
    table = Table("", *found, title="Encoders" + (" (tuning)" if arguments.tune else ""), title_justify="left")
    for key in next(iter(found.values())):
        table.add_row(key, *(str(one[key]) for one in found.values()))
    console.print(table)
    RESULTS.mkdir(exist_ok=True)
    made = {
        "machine": platform.processor() or platform.machine(),
        "versions": {package: version(package) for package in ("reaseq", "torch", "sentence-transformers")},
        "titles": len(rows),
        "encoders": found,
    }
    path = RESULTS / f"encoders{'_tune' if arguments.tune else ''}.json"
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"written: {path}", highlight=False)


def measured(
    model: str, models_dir: Path, rows: Sequence[Row], kinds: dict[str, dict[str, str]], *, tune: bool
) -> dict[str, Any]:
    """All that the table says of an encoder."""
    name, folder = encoders.resolve(models_dir, model)
    encoder, likeness = Encoder(name, folder), likeness_of(name)
    texts = [title for title, _ in rows]
    encoder.encode(texts[:_FEWEST])
    started = time.perf_counter()
    encoder.encode(texts)
    seconds = time.perf_counter() - started
    size = (Path(folder) / encoders.WEIGHTS).stat().st_size
    return {
        "weights": encoders.source_of(Path(folder)) or "the hub's",
        "MB": round(size / 1e6),
        "texts/s": round(len(texts) / seconds),
        **labels(encoder.encode, likeness, tune=tune),
        **categories(encoder.encode, likeness, rows, kinds),
        **languages(encoder.encode, kinds),
    }


def labels(encode: Encode, likeness: Likeness, *, tune: bool) -> dict[str, Any]:
    counts = [part for category, part, _ in taken(encode, likeness) if (category in CHOSEN_ON) == tune]
    unknown, some, all_, rightly = np.sum(counts, axis=0).tolist()
    return {f"labels taken, of {some} of {unknown} with an attribute": all_, "of these rightly": rightly}


def categories(
    encode: Encode, likeness: Likeness, rows: Sequence[Row], kinds: dict[str, dict[str, str]]
) -> dict[str, Any]:
    known = Categories([schema for _, schema in starters() if schema.category != "general"], {}, encode, likeness)
    near = known.nearest([title for title, _ in rows])
    first = [one.categories[0] == category for one, (_, category) in zip(near, rows, strict=True) if category]
    five = [category in one.categories for one, (_, category) in zip(near, rows, strict=True) if category]
    placed = [one.categories[0] == category for one, (_, category) in zip(near, rows, strict=True) if one.sure]
    made: dict[str, Any] = {
        "nearest category right": share(first),
        "among the nearest five": share(five),
        f"titles placed, of {len(rows)}": len(placed),
        "placed rightly": share(placed),
    }
    for name, chosen_ones in (("English", ["en"]), ("other languages", others(kinds))):
        asked = [(kind, kinds[kind][language]) for language in chosen_ones for kind in kinds]
        found = known.nearest([title for _, title in asked])
        sure = [one.categories[0] == kind for one, (kind, _) in zip(found, asked, strict=True) if one.sure]
        made[f"{name}: nearest category right"] = share(
            [one.categories[0] == kind for one, (kind, _) in zip(found, asked, strict=True)]
        )
        made[f"{name}: placed, of {len(asked)}"] = f"{len(sure)}, {sum(sure)} rightly"
    return made


def languages(encode: Encode, kinds: dict[str, dict[str, str]]) -> dict[str, Any]:
    """For each language the share of titles whose nearest English one is of the same kind."""
    english = np.asarray(encode([titles["en"] for titles in kinds.values()]), np.float32)
    made = {}
    every = []
    for language in others(kinds):
        near = np.asarray(encode([titles[language] for titles in kinds.values()]), np.float32) @ english.T
        right = (near.argmax(1) == np.arange(len(kinds))).tolist()
        made[f"nearest English title of its kind: {language}"] = share(right)
        every += right
    return made | {"nearest English title of its kind: all": share(every)}


def others(kinds: dict[str, dict[str, str]]) -> list[str]:
    return [language for language in next(iter(kinds.values())) if language != "en"]


def share(right: Sequence[bool]) -> str:
    return f"{sum(right) / max(1, len(right)):.3f}"


if __name__ == "__main__":
    main()
