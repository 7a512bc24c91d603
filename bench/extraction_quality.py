"""How well values are extracted: `python -m reaseq.bench.extraction_quality --ave FOLDER`.

FOLDER holds `oa-mine.jsonl.gz`, `ae-110k.jsonl.gz` and `wdc-pave.jsonl.gz` (gold files, see `reaseq eval-extraction`).
A quarter of the rows, by the hash of their ids, is scored; from the others the pipeline learns, and from them come all
examples. `--tune` scores other rows instead, an eighth, which nothing that is reported has seen.

Compared, with the same model, the same attributes and examples from the same rows:

    plain         one prompt with the same four examples for all products of a category; JSON of all attributes back
    plain-alike   the same, its examples being the four labelled products most like the one at hand
    tagger        what the tagger finds, no model asked; with `--labels N` learnt from N rows of each category alone
    pipeline      what `reaseq distill` does where labelled products are there

The metric is that of ExtractGPT (arXiv 2310.12537): micro precision, recall and F1 over (product, attribute) pairs
that the gold names, a value being right if it equals one of the gold's forms. Replies are kept in `--store`: a bench
that was stopped goes on.
"""

import argparse
import asyncio
import hashlib
import itertools
import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reaseq.agents.extraction_score import GoldRow, read_gold, score
from reaseq.agents.labelled import LabelledProduct, Neighbours
from reaseq.agents.learned import KEPT_FROM, Learned
from reaseq.agents.product_text import shown
from reaseq.api.engine import chat_of
from reaseq.api.settings import load
from reaseq.cli.engine import start_engine
from reaseq.graphs.extraction_eval import GoldCategory, categories, extract, learner
from reaseq.graphs.ledger import Counts, booked
from reaseq.graphs.teaching import of_gold
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.store import Store
from reaseq.llm import encoders
from reaseq.llm.chat import Chat, ChatRequest, Message, ReplyError
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.trust import VERIFIED_FROM

RESULTS = Path(__file__).parent / "results"
DATA = ("oa-mine", "ae-110k", "wdc-pave")
EXAMPLES = 4
PUBLISHED = {"oa-mine": (0.8526, 0.8168, 0.8343), "ae-110k": (0.9123, 0.8427, 0.8761)}
"""GPT-4-0613 on the authors' test rows, ten similar examples, shuffled ensemble: precision, recall, F1 (ExtractGPT)."""
METHODS = ("plain", "plain-alike", "tagger", "pipeline")
SHARES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
_BINS = np.linspace(0, 1, 11)
Learn = Callable[[GoldCategory], Learned | None]


@dataclass(frozen=True)
class Found:
    """row: attribute to value and confidence, None where nothing measured it."""

    values: Mapping[str, Mapping[str, tuple[str, float | None]]]
    counts: Counts
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ave", type=Path, required=True, help="the folder of the gold files")
    parser.add_argument("--only", choices=DATA, help="one data set of the three")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--rows", type=int, default=100, help="rows scored, of all categories as they come; 0: all")
    parser.add_argument("--of-each", type=int, default=0, help="rows scored of each category at most; 0: any number")
    parser.add_argument("--labels", type=int, default=0, help="rows of each category to learn from; 0: all")
    parser.add_argument("--alone", action="store_true", help="learn nothing from other categories' rows")
    parser.add_argument("--tune", action="store_true", help="score rows that are not reported on")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--store", default=f"sqlite:///{RESULTS / 'extraction_quality.sqlite'}", help="keeps replies")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    settings = load()
    encoder = Encoder(*encoders.resolve(arguments.models))
    with Store.open(arguments.store) as store, start_engine(settings) as endpoint:
        for name in [arguments.only] if arguments.only else DATA:
            rows = list(read_gold(arguments.ave / f"{name}.jsonl.gz"))
            groups = split(rows, arguments.rows, of_each=arguments.of_each, tune=arguments.tune)
            if arguments.labels:
                groups = [replace(one, labelled=one.labelled[: arguments.labels]) for one in groups]
            learn = learner(encoder.span_vectors, [] if arguments.alone else groups)
            found = {method: asyncio.run(run(method, groups, endpoint, store, learn)) for method in arguments.methods}
            suffix = f"_{arguments.labels}" if arguments.labels else ""
            report(name, groups, found, endpoint, tune=arguments.tune, suffix=suffix + "_alone" * arguments.alone)


def split(rows: Sequence[GoldRow], most: int, *, of_each: int = 0, tune: bool = False) -> list[GoldCategory]:
    """Rows to score, at most `most` and of no category more than `of_each` (0: all), and rows to learn from."""
    low, high = (0.25, 0.375) if tune else (0.0, 0.25)
    ordered = sorted(rows, key=place)
    scored = [row for row in ordered if low <= place(row) < high]
    labelled = [row for row in ordered if place(row) >= max(0.25, high)]
    if of_each:
        names = {row.category for row in scored}
        scored = [row for name in sorted(names) for row in [one for one in scored if one.category == name][:of_each]]
    scored = scored[: most or None]
    return categories(scored, labelled=labelled, schema_of=lambda category: None)


def place(row: GoldRow) -> float:
    """Where the row falls in [0, 1), by the hash of its id."""
    return int(hashlib.sha256(row.id.encode()).hexdigest()[:8], 16) / 2**32


async def run(method: str, groups: Sequence[GoldCategory], endpoint: Endpoint, store: Store, learn: Learn) -> Found:
    started = time.perf_counter()
    values: dict[str, dict[str, tuple[str, float | None]]] = {}
    if method == "tagger":
        for group in groups:
            values |= tagged(group, learn)
        return Found(values, Counts(), time.perf_counter() - started)
    with booked(store, endpoint, command=f"bench {method}", engine="bench") as ledger:
        async with chat_of(load(), endpoint, ledger) as chat:
            values = await asked(method, groups, endpoint, chat, learn)
    return Found(values, ledger.counts, time.perf_counter() - started)


async def asked(
    method: str, groups: Sequence[GoldCategory], endpoint: Endpoint, chat: Chat, learn: Learn
) -> dict[str, dict[str, tuple[str, float | None]]]:
    if method == "pipeline":
        made = await extract(groups, endpoint, chat, PromptLibrary(), learn=learn)
        return {
            row: {name: (claim["value"], claim["confidence"]) for name, claim in claims.items()}
            for row, claims in made.claims.items()
        }
    values: dict[str, dict[str, tuple[str, float | None]]] = {}
    for group in groups:
        alike = Neighbours(group.labelled) if method == "plain-alike" else None
        found = await asyncio.gather(*(plain(chat, group, row, alike) for row in group.rows))
        values |= {row.id: mine for row, mine in zip(group.rows, found, strict=True)}
    return values


def tagged(group: GoldCategory, learn: Learn) -> Iterator[tuple[str, dict[str, tuple[str, float | None]]]]:
    learned = learn(group)
    for row in group.rows if learned else ():
        assert learned is not None
        weighed = {
            group.names[name]: (candidates[0].value, learned.confidence(name, candidates[0].probability))
            for name, candidates in learned.tag(of_gold(row).sources).items()
        }
        yield row.id, {name: found for name, found in weighed.items() if found[1] >= KEPT_FROM}


async def plain(
    chat: Chat, group: GoldCategory, row: GoldRow, alike: Neighbours | None
) -> dict[str, tuple[str, float | None]]:
    """One prompt, as in ExtractGPT: JSON of all attributes, "n/a" for what is not there."""
    own = list(group.names.values())
    examples = alike.nearest(of_gold(row).sources, EXAMPLES) if alike else group.labelled[:EXAMPLES]
    system = (
        "Read the product and write the values of its attributes as JSON. "
        f"The attributes are: {', '.join(own)}. "
        'The value of an attribute that the product does not state is "n/a".'
    )
    turns: list[Message] = []
    for example in examples:
        turns += [("user", shown(example.sources)), ("assistant", answer(group, example))]
    body = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in own},
        "required": own,
        "additionalProperties": False,
    }
    request = ChatRequest(
        agent="plain",
        prefix=(("system", system),) if alike else (("system", system), *turns),
        turns=(*(turns if alike else ()), ("user", shown(of_gold(row).sources))),
        max_tokens=40 * len(own),
        response_format={"type": "json_schema", "json_schema": {"name": "attributes", "strict": True, "schema": body}},
        product_id=row.id,
    )
    try:
        said: Any = json.loads((await chat.ask(request)).text)
    except (ReplyError, ValueError):
        return {}
    return {name: (value, None) for name, value in said.items() if value not in ("", "n/a")}


def answer(group: GoldCategory, example: LabelledProduct) -> str:
    values = {own: (example.values.get(name) or ("n/a",))[0] for name, own in group.names.items()}
    return json.dumps(values, ensure_ascii=False)


def report(
    name: str,
    groups: Sequence[GoldCategory],
    found: Mapping[str, Found],
    endpoint: Endpoint,
    *,
    tune: bool,
    suffix: str = "",
) -> None:
    rows = [row for group in groups for row in group.rows]
    learnt = sum(len(group.labelled) for group in groups)
    print(
        f"\n{name}: {len(rows)} rows scored, {learnt} to learn from, {endpoint.model}" + (" (tuning)" if tune else "")
    )
    print(f"{'':12} {'P':>6} {'R':>6} {'F1':>6}  95 %             calls  prompt tokens  reply tokens")
    written: dict[str, Any] = {
        "data": name,
        "rows": len(rows),
        "labelled": learnt,
        "model": endpoint.model,
        "model fingerprint": endpoint.fingerprint,
        "machine": platform.processor() or platform.machine(),
        "versions": {package: version(package) for package in ("reaseq", "torch", "sentence-transformers")},
        "methods": {},
    }
    for method, made in found.items():
        values = {row: {a: value for a, (value, _) in mine.items()} for row, mine in made.values.items()}
        result = score(rows, values)
        whole, (low, high), counts = result.overall, result.interval, made.counts
        print(
            f"{method:12} {whole.precision:6.3f} {whole.recall:6.3f} {whole.f1:6.3f}  {low:.3f} to {high:.3f}"
            f"  {counts.calls + counts.reused:6,}  {counts.prompt_tokens:13,}  {counts.completion_tokens:12,}"
        )
        written["methods"][method] = {
            "precision": whole.precision,
            "recall": whole.recall,
            "f1": whole.f1,
            "f1 95 %": [low, high],
            "by category": {category: one.f1 for category, one in result.by_category.items()},
            "calls": counts.calls + counts.reused,
            "seconds": made.seconds,
            "values": made.values,
        }
    if name in PUBLISHED:
        p, r, f1 = PUBLISHED[name]
        print(f"{'GPT-4':12} {p:6.3f} {r:6.3f} {f1:6.3f}  published, on the authors' test rows")
    for method in ("tagger", "pipeline"):
        if method in found:
            written["methods"][method] |= confidences(method, rows, found[method])
    if {"tagger", "pipeline"} <= found.keys():
        written["asked"] = asked_shares(rows, found["tagger"], found["pipeline"])
    path = RESULTS / f"extraction_quality_{name}{suffix}{'_tune' if tune else ''}.json"
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"written: {path}")


def asked_shares(rows: Sequence[GoldRow], tagger: Found, pipeline: Found) -> list[dict[str, float]]:
    """F1 by the share of products for which the model is asked at all, those first whose values the tagger is least
    sure of; the others keep what the tagger found."""

    def doubt(row: GoldRow) -> float:
        return sum(1 - (confidence or 0) for _, confidence in tagger.values.get(row.id, {}).values())

    order = sorted(rows, key=doubt, reverse=True)
    made = []
    for share in SHARES:
        asked = {row.id for row in order[: round(share * len(order))]}
        values = {
            row.id: {
                a: value for a, (value, _) in (pipeline if row.id in asked else tagger).values.get(row.id, {}).items()
            }
            for row in rows
        }
        made.append({"asked": share, "f1": score(rows, values).overall.f1})
    gain = made[-1]["f1"] - made[0]["f1"]
    print("asked of the products, least sure first:")
    for one in made:
        of_gain = f"  {(one['f1'] - made[0]['f1']) / gain:6.0%} of the gain" if gain > 0 else ""
        print(f"  {one['asked']:4.0%}  F1 {one['f1']:.3f}{of_gain}")
    return made


def confidences(method: str, rows: Sequence[GoldRow], found: Found) -> dict[str, Any]:
    """Precision and coverage of what is verified, the reliability table, and the expected calibration error."""
    sure, right, named = [], [], 0
    for row in rows:
        named += sum(bool(forms) for forms in row.gold.values())
        for attribute, (value, confidence) in found.values.get(row.id, {}).items():
            if attribute in row.gold and confidence is not None:
                sure.append(confidence)
                right.append(value in row.gold[attribute])
    p, y = np.array(sure), np.array(right, float)
    verified = p >= VERIFIED_FROM
    precision, coverage = float(y[verified].mean()), float(y[verified].sum() / named)
    print(f"{method}: of what is verified (confidence from {VERIFIED_FROM}) {precision:.3f} are right; ", end="")
    print(f"these are {coverage:.3f} of all values. Reliability:")
    table, error = [], 0.0
    for low, high in itertools.pairwise(_BINS):
        inside = (p >= low) & (p < high if high < 1 else p <= high)
        if inside.any():
            mean, share = float(p[inside].mean()), float(y[inside].mean())
            table.append([float(low), int(inside.sum()), mean, share])
            error += inside.sum() / len(p) * abs(mean - share)
            print(f"  {low:.1f}-{high:.1f}  {int(inside.sum()):5}  confidence {mean:.3f}  right {share:.3f}")
    print(f"  expected calibration error {error:.3f}")
    return {"verified precision": precision, "verified coverage": coverage, "reliability": table, "ece": error}


if __name__ == "__main__":
    main()
