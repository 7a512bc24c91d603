"""What teaching some products brings: `python -m reaseq.bench.teaching_curve --ave FOLDER`.

FOLDER holds gold files (see `reaseq.bench.extraction_quality`, whose rows are scored). Of each category's other rows a
teacher labels 25, 50, 100 or all, and the tagger learns from these alone: chosen as `reaseq distill --teach` does (half
of them like all others between them, the rest by what the tagger doubts then), or at random. The teacher is simulated:
of the gold's values it finds `--recall`, and of what it finds `--precision` is right, the rest other words of the
title. With `--teacher` the embedded model teaches, without any example: what of its claims is verified. Of each count
it says F1 and its spread over seeds; `--tune` scores rows that nothing is reported on.
"""

import argparse
import asyncio
import json
import platform
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from reaseq.agents.choosing import choose
from reaseq.agents.extraction_score import GoldRow, read_gold, score
from reaseq.agents.labelled import LabelledProduct, Vectors
from reaseq.agents.learned import FEWEST, Learned
from reaseq.api.engine import chat_of
from reaseq.api.settings import load
from reaseq.bench.extraction_quality import RESULTS, split, tagged
from reaseq.cli.engine import start_engine
from reaseq.graphs.extraction_eval import GoldCategory, extract
from reaseq.graphs.ledger import booked
from reaseq.graphs.teacher import doubts
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.store import Store
from reaseq.llm import encoders
from reaseq.prompts.library import PromptLibrary

COUNTS = (25, 50, 100, 0)
METHODS = ("random", "chosen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ave", type=Path, required=True, help="the folder of the gold files")
    parser.add_argument("--only", nargs="+", default=["oa-mine", "ae-110k"], help="data sets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--precision", type=float, default=0.9, help="of the simulated teacher")
    parser.add_argument("--recall", type=float, default=0.8, help="of the simulated teacher")
    parser.add_argument("--teacher", action="store_true", help="let the embedded model teach")
    parser.add_argument("--categories", type=int, default=0, help="only the first so many of each data set; 0: all")
    parser.add_argument("--most", type=int, default=0, help="only so many rows of each that may be taught; 0: all")
    parser.add_argument("--tune", action="store_true", help="score rows that are not reported on")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--store", default=f"sqlite:///{RESULTS / 'teaching_curve.sqlite'}", help="keeps replies")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    encoder = Encoder(*encoders.resolve(arguments.models))
    vectors, known = remembered(encoder.span_vectors), {}
    for name in arguments.only:
        groups = split(list(read_gold(arguments.ave / f"{name}.jsonl.gz")), 0, tune=arguments.tune)
        groups = [replace(one, labelled=one.labelled[: arguments.most or None]) for one in groups]
        groups = groups[: arguments.categories or None]
        for group in groups:
            titles = [product.sources["title"] for product in group.labelled]
            known[group.schema.category] = np.asarray(encoder.encode(titles), np.float32)
        read = asyncio.run(embedded(groups, arguments.store)) if arguments.teacher else None
        report(name, groups, vectors, known, read, arguments)


def report(
    name: str,
    groups: Sequence[GoldCategory],
    vectors: Vectors,
    known: Mapping[str, np.ndarray],
    read: Mapping[str, LabelledProduct] | None,
    arguments: argparse.Namespace,
) -> None:
    rows = [row for group in groups for row in group.rows]
    pool = sum(len(group.labelled) for group in groups)
    teacher = "the embedded model" if read is not None else f"P {arguments.precision}, R {arguments.recall}"
    print(f"\n{name}: {len(rows)} rows scored, {len(groups)} categories, {pool} rows that may be taught by {teacher}")
    print(f"{'taught of each':>14} {'':8} {'F1':>6}  over seeds")
    table = []
    for count in COUNTS:
        for method in METHODS if count else METHODS[:1]:
            found = []
            for seed in range(arguments.seeds):
                values: dict[str, dict[str, tuple[str, float | None]]] = {}
                for group in groups:
                    taught = [
                        read[one.id] if read is not None else corrupted(one, arguments, f"{seed} {one.id}")
                        for one in group.labelled
                    ]
                    learned = learnt(group, taught, method, count, vectors, known[group.schema.category], seed)
                    values |= dict(tagged(group, partial(_same, learned)))
                said = {row: {name: value for name, (value, _) in mine.items()} for row, mine in values.items()}
                found.append(score(rows, said).overall.f1)
            mean, low, high = float(np.mean(found)), min(found), max(found)
            print(f"{count or 'all':>14} {method if count else '':8} {mean:6.3f}  {low:.3f} to {high:.3f}", flush=True)
            table.append({"taught": count or pool / len(groups), "method": method, "f1": mean, "seeds": found})
    written = {
        "data": name,
        "teacher": teacher,
        "rows": len(rows),
        "tune": arguments.tune,
        "machine": platform.processor() or platform.machine(),
        "versions": {package: version(package) for package in ("reaseq", "torch", "sentence-transformers")},
        "curve": table,
    }
    path = RESULTS / f"teaching_curve_{name}{'_embedded' if read is not None else ''}.json"
    path.write_text(json.dumps(written, indent=1), encoding="utf-8")
    print(f"written: {path}")


def learnt(
    group: GoldCategory,
    taught: Sequence[LabelledProduct],
    method: str,
    count: int,
    vectors: Vectors,
    known: np.ndarray,
    seed: int,
) -> Learned:
    """What `count` of the products teach, by whatever way they are chosen; 0: all."""

    def learn(which: Sequence[int]) -> Learned:
        return Learned.learn([taught[at] for at in which], group.schema, vectors, seed=seed)

    if not count or count >= len(taught):
        return learn(range(len(taught)))
    if method == "random":
        return learn(random.Random(f"{seed} {group.schema.category}").sample(range(len(taught)), count))
    first = choose(known, max(FEWEST, -(-count // 2)))
    weights = doubts(learn(first), [dict(product.sources) for product in taught])
    return learn([*first, *choose(known, count - len(first), weights=weights, chosen=first)])


def _same(learned: Learned, group: GoldCategory) -> Learned:
    return learned


def corrupted(product: LabelledProduct, arguments: argparse.Namespace, seed: str) -> LabelledProduct:
    """The product as a teacher of that precision and recall would label it."""
    draw = random.Random(seed)
    named = [name for name, forms in product.values.items() if forms]
    values = {name: product.values[name] for name in named if draw.random() < arguments.recall}
    wrong = len(named) * arguments.recall * (1 / arguments.precision - 1)
    left = [name for name in product.values if name not in values]
    words = product.sources["title"].split()
    for name in left:
        if draw.random() < wrong / len(left):
            at = draw.randrange(len(words))
            values[name] = (" ".join(words[at : at + draw.choice((1, 1, 2))]).strip(",.()"),)
    return LabelledProduct(product.id, product.sources, values, whole=False)


async def embedded(groups: Sequence[GoldCategory], url: str) -> dict[str, LabelledProduct]:
    """What the embedded model finds in the rows that may be taught, and grounding verifies."""
    with Store.open(url) as store, start_engine(load()) as endpoint:
        asked = [replace(group, rows=[unlabelled(one, group) for one in group.labelled]) for group in groups]
        with booked(store, endpoint, command="bench teaching_curve", engine="bench") as ledger:
            async with chat_of(load(), endpoint, ledger) as chat:
                made = await extract(asked, endpoint, chat, PromptLibrary())
    own = {group.names[slug]: slug for group in groups for slug in group.names}
    found = {}
    for group in groups:
        for one in group.labelled:
            claims = made.claims.get(one.id, {})
            values = {own[name]: (claim["value"],) for name, claim in claims.items() if claim["status"] == "verified"}
            found[one.id] = LabelledProduct(one.id, one.sources, values, whole=False)
    return found


def unlabelled(product: LabelledProduct, group: GoldCategory) -> GoldRow:
    sources = product.sources
    return GoldRow(product.id, group.rows[0].category, sources["title"], sources.get("description", ""), {})


def remembered(vectors: Vectors) -> Vectors:
    """The same, each text encoded once."""
    known: dict[tuple[str, tuple[tuple[int, int], ...]], np.ndarray] = {}

    def of(texts: Sequence[tuple[str, tuple[tuple[int, int], ...]]]) -> list[np.ndarray]:
        if new := [one for one in dict.fromkeys(texts) if one not in known]:
            known.update(zip(new, vectors(new), strict=True))
        return [known[one] for one in texts]

    return of


if __name__ == "__main__":
    main()
