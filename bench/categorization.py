"""How well products find their category: `python -m reaseq.bench.categorization --ave FOLDER --catalogs FOLDER`.

Titles of kinds that one of the bundled schemas is for, and of kinds for which there is none, as their source has them:
oa-mine and ae-110k (`--ave`), Myntra styles (`--catalogs`, `myntra_styles_15k.csv`). A quarter of the titles, by their
hash, is scored; `--tune` scores others instead, for choosing the thresholds in `reaseq.taxonomy.nearest`.

The schemas are all that is known: no product has a category yet.
"""

import argparse
import asyncio
import csv
import hashlib
import json
import platform
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from reaseq.agents.categorizer import Categorizer
from reaseq.agents.extraction_score import read_gold
from reaseq.api.engine import chat_of
from reaseq.api.settings import load
from reaseq.cli.engine import start_engine
from reaseq.graphs.ledger import Ledger, booked
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.store import Store
from reaseq.llm import encoders
from reaseq.llm.chat import ReplyError
from reaseq.llm.endpoint import Endpoint
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.nearest import Categories
from reaseq.taxonomy.schema import starters

RESULTS = Path(__file__).parent / "results"
_NONE = """Safety Mask, Toothbrush, Breakfast Cereal, Laundry Detergent, Vitamin, Eyewear, Guitar, Swimwear, Lure,
Fishing Rod, Baseball Caps, Stove, Helmet, Sunglasses, Belts, Socks, Briefs, Bra, Sarees, Nail Polish, Caps, Lipstick,
Ties, Scarves, Cufflinks, Mufflers, Footballs, Kajal and Eyeliner"""
_SOME = {
    "coffee": "Coffee",
    "tea": "Tea",
    "skin_care": "Sunscreen, Face Moisturisers, Face Wash and Cleanser",
    "hair_care": "Conditioner, Hair Colour",
    "shirts": "Shirts, Tshirts, Tops, Sweatshirts",
    "shoes": "Shoes, Casual Shoes, Sports Shoes, Heels, Flip Flops, Sandals, Formal Shoes, Flats",
    "watches": "Watches",
    "bags": "Handbags, Backpacks, Clutches, Duffel Bag, Laptop Bag",
    "trousers": "Shorts, Jeans, Trousers, Track Pants, Capris, Leggings",
    "dresses": "Dresses",
    "jackets": "Jackets, Rain Jacket",
    "jewellery": "Earrings, Pendant, Necklace and Chains, Ring, Bracelet, Bangle",
    "perfume": "Perfume and Body Mist",
}
KINDS: dict[str, str | None] = {
    kind.strip(): category for category, kinds in [*_SOME.items(), (None, _NONE)] for kind in kinds.split(",")
}
"""Kinds as the sources name them, each with its schema; None where there is none."""
Row = tuple[str, str | None]
"""A title, and the category where it belongs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ave", type=Path, required=True, help="the folder of oa-mine.jsonl.gz and ae-110k.jsonl.gz")
    parser.add_argument("--catalogs", type=Path, required=True, help="the folder of myntra_styles_15k.csv")
    parser.add_argument("--rows", type=int, default=4, help="titles of each kind and source at most")
    parser.add_argument("--tune", action="store_true", help="score titles that are not reported on")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    parser.add_argument("--store", default=f"sqlite:///{RESULTS / 'categorization.sqlite'}", help="keeps replies")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    rows = chosen(list(titles(arguments.ave, arguments.catalogs)), arguments.rows, tune=arguments.tune)
    encoder = Encoder(*encoders.resolve(arguments.models))
    schemas = [schema for _, schema in starters() if schema.category != "general"]
    categories = Categories(schemas, {}, encoder.encode)
    near = categories.nearest([title for title, _ in rows])
    sure = {title: one.categories[0] for (title, _), one in zip(rows, near, strict=True) if one.sure}
    among = {title: one.categories for (title, _), one in zip(rows, near, strict=True)}
    with Store.open(arguments.store) as store, start_engine(load()) as endpoint:
        unsure = [title for title, _ in rows if title not in sure]
        named = asyncio.run(kinds(store, endpoint, unsure))
        report(rows, sure, {title: categories.of_kind(kind, among[title]) for title, kind in named.items()}, named,
               among, endpoint, tune=arguments.tune)  # fmt: skip


def titles(ave: Path, catalogs: Path) -> Iterator[tuple[str, str]]:
    """Every title of a known kind, with its source and kind."""
    for name in ("oa-mine", "ae-110k"):
        for row in read_gold(ave / f"{name}.jsonl.gz"):
            yield f"{name} {row.category}", row.title
    with (catalogs / "myntra_styles_15k.csv").open(encoding="utf-8", newline="") as file:
        for record in csv.DictReader(file):
            yield f"myntra {record['articleType']}", record["productDisplayName"] or ""


def chosen(found: Sequence[tuple[str, str]], most: int, *, tune: bool) -> list[Row]:
    by_kind: dict[str, dict[str, float]] = defaultdict(dict)
    for kind, title in found:
        place = int(hashlib.sha256(title.encode()).hexdigest()[:8], 16) / 2**32
        if title and kind.split(" ", 1)[1] in KINDS and (place < 0.25) != tune:
            by_kind[kind][title] = place
    return [
        (title, KINDS[kind.split(" ", 1)[1]])
        for kind, places in sorted(by_kind.items())
        for title in sorted(places, key=lambda title: places[title])[:most]
    ]


async def kinds(store: Store, endpoint: Endpoint, unsure: Sequence[str]) -> dict[str, str]:
    """What the model says each product is; "" without a usable reply."""
    categorizer, settings = Categorizer(PromptLibrary()[Categorizer.name]), load()

    async def one(ledger: Ledger) -> list[str]:
        async with chat_of(settings, endpoint, ledger) as chat:

            async def kind(title: str) -> str:
                try:
                    return await categorizer.kind(chat, {"title": title})
                except ReplyError:
                    return ""

            return await asyncio.gather(*(kind(title) for title in unsure))

    with booked(store, endpoint, command="bench categorization", engine="bench") as ledger:
        return dict(zip(unsure, await one(ledger), strict=True))


def report(
    rows: Sequence[Row],
    sure: dict[str, str],
    by_model: dict[str, str | None],
    named: dict[str, str],
    among: dict[str, tuple[str, ...]],
    endpoint: Endpoint,
    *,
    tune: bool,
) -> None:
    known = [row for row in rows if row[1]]
    first = sum(among[title][0] == category for title, category in known) / len(known)
    five = sum(category in among[title] for title, category in known) / len(known)
    print(
        f"{len(rows)} titles, {len(known)} of which a schema is for, {endpoint.model}" + (" (tuning)" if tune else "")
    )
    print(f"nearest category right for {first:.3f} of these, among the first five for {five:.3f}")
    print(f"\n{'':14} {'titles':>7} {'placed':>7} {'right':>7} {'left':>7} {'rightly':>7}")
    found: dict[str, dict[str, str | None]] = {
        "by title": dict(sure),
        "by the model": by_model,
        "together": {**sure, **by_model},
    }
    written = {}
    for name, places in found.items():
        mine = [(places[title], category) for title, category in rows if title in places]
        put = [(place, category) for place, category in mine if place]
        left = [category for place, category in mine if not place]
        right, rightly = sum(place == category for place, category in put), sum(category is None for category in left)
        written[name] = {"titles": len(mine), "placed": len(put), "right": right, "left": len(left), "rightly": rightly}
        shares = [right / max(1, len(put)), rightly / max(1, len(left))]
        print(f"{name:14} {len(mine):7} {len(put):7} {shares[0]:7.3f} {len(left):7} {shares[1]:7.3f}")
    path = RESULTS / f"categorization{'_tune' if tune else ''}.json"
    made = {
        "model": endpoint.model,
        "model fingerprint": endpoint.fingerprint,
        "machine": platform.processor() or platform.machine(),
        "versions": {package: version(package) for package in ("reaseq", "torch", "sentence-transformers")},
        "nearest right": first,
        "among five": five,
        "found": written,
        "rows": [[t, category, sure.get(t), named.get(t), by_model.get(t)] for t, category in rows],
    }
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
