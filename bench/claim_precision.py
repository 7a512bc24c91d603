"""Are verified claims true? `python -m reaseq.bench.claim_precision --catalogs FOLDER [--judged FILE …]`.

FOLDER holds catalogues; each FILE is JSON lines of claims on their products that somebody judged by reading: `source`,
`category`, `product_id`, `attribute`, `value`, `field` and `judgement` (true, partly, false, unsupported; only true is
true). Code alone reads the products, as `reaseq distill` does with a model that finds nothing. Of the judged claims it
says how many are still verified and true, and whether confidences say how often claims are true.

What classes of evidence are trusted by is counted on judged claims (`--fit` prints the counts of all, which
`taxonomy/trust.yaml` holds). Calibration is cross-fitted: claims of one half of the products, by the hash of their ids,
are read with what was counted on the other half. Rows without `product_id` are of the bundled sample, by title. Rows
with `draw` were verified when they were drawn at random, for the precision of just these: nothing is counted on them.

`--draw N` prints about N claims that nobody has judged yet, with all texts of their products, to be judged.
"""

import argparse
import hashlib
import json
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reaseq.agents.claims import Claim
from reaseq.agents.grounder import ground
from reaseq.agents.hypotheses import with_implied
from reaseq.agents.product_text import source_fields
from reaseq.documents.document import COLUMN, Document
from reaseq.knowledge_store import samples
from reaseq.knowledge_store.feeds.columns import guess_columns
from reaseq.knowledge_store.feeds.opening import open_feed
from reaseq.knowledge_store.importing import preview
from reaseq.taxonomy.evidence import Evidence
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for
from reaseq.taxonomy.trust import Trust, shipped, sort_of

GROUPS = (
    ("adidas_vs_nike.csv", "shoes", ()),
    ("adidas_usa.csv", "shoes", ("shoe", "cleat", "slide", "sandal", "boot")),
    ("shein_1000.csv", "dresses", ("dress",)),
    ("shein_1000.csv", "bags", ("bag", "handbag", "backpack")),
    ("shein_1000.csv", "jewellery", ("necklace", "earring", "bracelet", "ring")),
    ("shein_1000.csv", "lamps", ("lamp", "light")),
    ("shein_1000.csv", "shirts", ("shirt", "tee", "blouse")),
    ("myntra_styles_15k.csv", "shoes", ("shoe", "sandal", "heel", "flat", "sneaker")),
    ("myntra_styles_15k.csv", "shirts", ("shirt", "t-shirt", "tshirt", "top")),
    ("myntra_styles_15k.csv", "watches", ("watch",)),
)
"""Of the shared catalogues, which products are read as what: by words of their titles, as the first audit did."""
SAMPLE = Path(samples.__file__).with_name("shoes.csv")
JUDGED = Path(__file__).with_name("judged_claims.jsonl")
DRAWN = Path(__file__).with_name("drawn_claims.jsonl")
"""Claims on the shared catalogues, each judged by a reader; their words are not here, only their places."""
RESULTS = Path(__file__).parent / "results"
_OF_THE_PRODUCT = ("kind", "material", "look", "measure", "words", "fact", "further_details")
"""Sorts of attributes, as `sort_of` gives them; what else it gives is of the buyer."""


@dataclass(frozen=True)
class Judged:
    """A judged claim, and what code makes of it now: None where it no longer finds it."""

    row: Mapping[str, Any]
    now: Claim | None
    sort: str
    evidence: str | None = None
    """The strongest class that it rests on, whatever is trusted how far."""

    @property
    def true(self) -> bool:
        return bool(self.row["judgement"] == "true")

    @property
    def verified(self) -> bool:
        return self.now is not None and self.now["status"] == "verified"

    @property
    def where(self) -> str:
        field = str(self.row["field"])
        return "columns" if field.startswith(COLUMN) else "titles" if field == "title" else "descriptions"


def half(row: Mapping[str, Any]) -> int:
    return int(hashlib.sha256(key_of(row).encode()).hexdigest()[:8], 16) % 2


def key_of(row: Mapping[str, Any]) -> str:
    return str(row.get("product_id") or row["title"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalogs", type=Path, required=True, help="the folder of the catalogues")
    parser.add_argument("--judged", type=Path, nargs="+", default=[JUDGED, DRAWN], help="files of judged claims")
    parser.add_argument("--fit", action="store_true", help="print the counts that trust.yaml is made of")
    parser.add_argument("--draw", type=int, default=0, help="print about so many claims that are not judged yet")
    parser.add_argument("--show", action="store_true", help="print each judged claim that is wrong or lost now")
    arguments = parser.parse_args()
    rows = [
        json.loads(line) | {"file": path.name}
        for path in arguments.judged
        for line in path.read_text("utf-8").splitlines()
    ]
    rows = [row for row in rows if row.get("what", "claim") == "claim" and row.get("claim_type") != "demand"]
    judged = list(looked_at(rows, arguments.catalogs, shipped()))
    if arguments.show:
        show(judged)
    if arguments.fit:
        print_counts(counted(judged))
    if arguments.draw:
        for row in draw(rows, arguments.catalogs, arguments.draw):
            print(json.dumps(row, ensure_ascii=False))
        return
    report(judged, list(cross_fitted(judged, rows, arguments.catalogs)))


def cross_fitted(judged: Sequence[Judged], rows: Sequence[Mapping[str, Any]], catalogs: Path) -> Iterator[Judged]:
    """Each half read with what was counted on the other."""
    for part in (0, 1):
        trust = Trust(counted([one for one in judged if half(one.row) != part]))
        yield from looked_at([row for row in rows if half(row) == part], catalogs, trust)


def counted(judged: Iterable[Judged]) -> dict[tuple[str, str], tuple[int, int]]:
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for one in judged:
        if one.evidence and "draw" not in one.row:
            true, all_ = counts.get((one.evidence, one.sort), (0, 0))
            counts[one.evidence, one.sort] = (true + one.true, all_ + 1)
    return counts


def print_counts(counts: Mapping[tuple[str, str], tuple[int, int]]) -> None:
    for evidence in dict.fromkeys(name for name, _ in counts):
        sorts = (f"{sort}: [{t}, {n}]" for (name, sort), (t, n) in counts.items() if name == evidence)
        print(f"{json.dumps(evidence)}: {{{', '.join(sorts)}}}")


def products_of(path: Path, category: str) -> Iterator[dict[str, Any]]:
    """Products of a catalogue, as an import under that category makes them."""
    feed = open_feed(path)
    yield from preview(feed, guess_columns(feed.columns), category)


def claims_of(product: Mapping[str, Any], lexicon: Lexicon, trust: Trust) -> list[Claim]:
    return read(Document(source_fields(product)), lexicon, trust)


def read(document: Document, lexicon: Lexicon, trust: Trust) -> list[Claim]:
    """What code alone makes of it, hypotheses included."""
    return with_implied(ground({}, document, lexicon, trust=trust), document, lexicon, trust)


def strongest(claim: Claim, document: Document, lexicon: Lexicon) -> str | None:
    """The strongest class of evidence of all places that state a claim, unless something outweighs them."""
    if not claim["evidence"] or claim["status"] == "rejected":
        return None
    matches = lexicon.find(document).get(claim["attribute"], ())
    stated = {match.evidence for match in matches if match.stated and match.value == claim["value"]}
    return next(kind for kind in Evidence if kind in stated) if claim["evidence"] in stated else claim["evidence"]


def looked_at(rows: Sequence[Mapping[str, Any]], catalogs: Path, trust: Trust) -> Iterator[Judged]:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row.get("source", ""), row.get("category", "shoes")].append(row)
    for (source, category), mine in groups.items():
        lexicon = lexicon_of(category)
        found: dict[tuple[str, str, str], tuple[Claim, str | None]] = {}
        keys = {key_of(row) for row in mine}
        for product in products_of(catalogs / source if source else SAMPLE, category):
            key = product["id"] if source else product["title"]
            if key in keys:
                document = Document(source_fields(product))
                for claim in read(document, lexicon, trust):
                    on = strongest(claim, document, lexicon)
                    found.setdefault((key, claim["attribute"], claim["value"]), (claim, on))
        for row in mine:
            attribute = lexicon.schema.get(row["attribute"])
            sort = sort_of(attribute, lexicon.labels) if attribute else "fact"
            now, on = found.get((key_of(row), row["attribute"], row["value"]), (None, None))
            yield Judged(row, now, sort, on)


def lexicon_of(category: str) -> Lexicon:
    schema = starter_for(category)
    assert schema is not None, f"no schema for {category}"
    return Lexicon(schema)


def report(judged: Sequence[Judged], crossed: Sequence[Judged]) -> None:
    table = []
    hypotheses = [one for one in judged if one.row.get("kind") == "hypothesis"]
    judged = [one for one in judged if one.row.get("kind") != "hypothesis"]
    files = sorted({one.row["file"] for one in judged})
    for name, some in (
        ("all", judged),
        *((name, [one for one in judged if one.row["file"] == name]) for name in files),
        *((where, [one for one in judged if one.where == where]) for where in ("titles", "descriptions", "columns")),
        ("what it is", [one for one in judged if one.sort in _OF_THE_PRODUCT]),
        ("whom it suits", [one for one in judged if one.sort not in _OF_THE_PRODUCT]),
        ("hypotheses", hypotheses),
    ):
        verified = [one for one in some if one.verified]
        true = [one for one in some if one.true]
        low, high = wilson(sum(one.true for one in verified), len(verified))
        table.append(
            {
                "claims": name,
                "judged": len(some),
                "verified": len(verified),
                "precision": share(sum(one.true for one in verified), len(verified)),
                "low": round(low, 3),
                "high": round(high, 3),
                "true kept": share(sum(one.verified for one in true), len(true)),
            }
        )
    print_table(table)
    bins = list(calibration(crossed))
    print_table(bins)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "claim_precision.json").write_text(json.dumps({"precision": table, "calibration": bins}, indent=1))


def calibration(judged: Iterable[Judged]) -> Iterator[dict[str, Any]]:
    """By tenths of confidence: its mean, and the share that is true."""
    bins: dict[int, list[Judged]] = defaultdict(list)
    for one in judged:
        if one.now and one.now["confidence"] is not None and one.now["status"] != "rejected":
            bins[min(9, int(one.now["confidence"] * 10))].append(one)
    for tenth, some in sorted(bins.items()):
        mean = sum(one.now["confidence"] or 0 for one in some if one.now) / len(some)
        true = share(sum(one.true for one in some), len(some))
        yield {"confidence": f"{tenth / 10:.1f}", "claims": len(some), "mean": round(mean, 3), "true": true}


def draw(rows: Sequence[Mapping[str, Any]], catalogs: Path, count: int) -> list[dict[str, Any]]:
    """Claims that nobody has judged, in equal shares of all `GROUPS`: two verified ones for each that is left proposed,
    as classes of evidence that nothing is verified by have to be judged too."""
    known = {(key_of(row), row["attribute"], row["value"]) for row in rows}
    drawn = []
    for source, category, words in GROUPS:
        lexicon = lexicon_of(category)
        some: dict[str, list[dict[str, Any]]] = {"verified": [], "proposed": []}
        for product in products_of(catalogs / source, category):
            title = set(re.findall(r"[a-z-]+", product["title"].casefold()))
            if words and not title & {form for word in words for form in (word, f"{word}s", f"{word}es")}:
                continue
            for claim in claims_of(product, lexicon, shipped()):
                key = (product["id"], claim["attribute"], claim["value"])
                if claim["facet"] == "supply" and claim["status"] in some and key not in known:
                    texts = {"title": product["title"], "description": product["description"], **product["attributes"]}
                    some[claim["status"]].append(
                        {"source": source, "category": category, "product_id": product["id"], "texts": texts, **claim}
                    )
        for status, share in (("verified", 2), ("proposed", 1)):
            wanted = min(len(some[status]), count * share // (3 * len(GROUPS)))
            drawn += random.Random(0).sample(some[status], wanted)
    return drawn


def show(judged: Sequence[Judged]) -> None:
    for one in judged:
        if one.verified == one.true:
            continue
        now, row = one.now, one.row
        what = f"{now['status']} {now['confidence']} {now['evidence']}: {now['verdict']}" if now else "not found"
        print(
            "WRONG" if one.verified else "lost", key_of(row), f"{row['attribute']}={row['value']}", row["field"],
            f"| {what} | {row['judgement']}: {row['why']}",
        )  # fmt: skip


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def wilson(true: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % score interval (Wilson 1927) of a share."""
    if not count:
        return 0.0, 1.0
    p = true / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return middle - half, middle + half


def print_table(table: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    made = Table(*table[0])
    for row in table:
        made.add_row(*("" if cell is None else str(cell) for cell in row.values()))
    Console().print(made)


if __name__ == "__main__":
    main()
