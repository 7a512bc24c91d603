"""`reaseq eval-extraction`: extracted values against a gold file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reaseq.cli.distill import EngineOption, ModelOption
from reaseq.cli.tables import Column, ReportOption, Row, Telling

if TYPE_CHECKING:
    from reaseq.agents.extraction_score import GoldRow, Outcomes, Score
    from reaseq.api.settings import Settings
    from reaseq.graphs.extraction_eval import Extracted

_CONFUSED = 15


def eval_extraction(
    gold: Annotated[Path, typer.Option("--gold", help="JSON lines: id, category, title, description, gold.")],
    category: Annotated[str | None, typer.Option("--category", "-c", help="Only rows of this category.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many rows of each category.")
    ] = None,
    examples: Annotated[
        int,
        typer.Option("--examples", min=0, help="Rows of each category that are shown to the model, and not scored."),
    ] = 2,
    learn: Annotated[
        Path | None, typer.Option("--learn", help="Another gold file to learn from; rows that are scored do not count.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write figures and predictions there, as JSON.")] = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    json_: ReportOption = False,
) -> None:
    """Extract the attributes of a gold file's products and score them: micro precision, recall, F1.

    A row is {"id", "category", "title", "description", "gold": {attribute: \\[accepted values] or "n/a"}}. A value
    counts if it equals one of the accepted ones. Nothing is written to the catalogue; replies are kept, so that a run
    that was stopped goes on where it was.

    Examples:

        reaseq eval-extraction --gold gold.jsonl --limit 50

        reaseq eval-extraction --gold new.jsonl --learn gold.jsonl
    """
    import json

    from reaseq import ReaseqError
    from reaseq.agents.extraction_score import read_gold, score
    from reaseq.api.settings import load
    from reaseq.knowledge_store.export import check_writable

    if out is not None:
        check_writable(out)
    settings = load(engine=engine, model=model)
    rows = [row for row in read_gold(gold) if category is None or row.category.casefold() == category.casefold()]
    if not rows:
        raise ReaseqError(
            f"{gold} has no rows" + (f" of category {category!r}" if category else ""), hint=f"head {gold}"
        )
    rows = _limited(rows, None if limit is None else limit + examples)
    extracted = _extract(settings, rows, list(read_gold(learn)) if learn else [], examples)
    result = score(extracted.scored, extracted.values(verified=False), seed=settings.seed)
    verified = score(extracted.scored, extracted.values(verified=True), seed=settings.seed).overall
    say = Telling(json_)
    _tell(say, result, verified, extracted)
    made = {
        "gold": gold.name,
        "rows": len(extracted.scored),
        "precision": result.overall.precision,
        "recall": result.overall.recall,
        "f1": result.overall.f1,
        "f1_interval": result.interval,
        "verified": {"precision": verified.precision, "recall": verified.recall},
        "failed": extracted.failed,
        "predicted": extracted.values(verified=False),
    }
    say.end(**made)
    if out is not None:
        try:
            out.write_text(json.dumps(made, indent=1, ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            raise ReaseqError(f"{out}: {error.strerror or error}", hint="name a file that can be written") from error
        say.print(f"Written: {out}")


def _limited(rows: list[GoldRow], most: int | None) -> list[GoldRow]:
    from collections import Counter

    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[row.category] += 1
        if most is None or seen[row.category] <= most:
            kept.append(row)
    return kept


def _extract(settings: Settings, rows: list[GoldRow], labelled: list[GoldRow], examples: int) -> Extracted:
    import asyncio

    from rich.console import Console

    from reaseq.api.engine import chat_of, prompts_of
    from reaseq.cli.engine import start_engine
    from reaseq.cli.progress import StepBar
    from reaseq.graphs.extraction_eval import categories, extract, learner
    from reaseq.graphs.ledger import Ledger, booked
    from reaseq.graphs.options import schema_in_force
    from reaseq.graphs.teaching import Teaching
    from reaseq.knowledge_store.store import Store

    with Store.open(settings.store_url) as store, start_engine(settings) as endpoint:
        groups = categories(
            rows,
            examples=examples,
            labelled=labelled,
            schema_of=lambda name: schema_in_force(store, name, settings.schemas_dir),
        )
        vectors = Teaching(settings.weights_dir, encoder=settings.encoder).vectors() if labelled else None
        learn = learner(vectors, groups, settings.seed) if vectors else lambda group: None

        async def go(ledger: Ledger) -> Extracted:
            with StepBar(Console(stderr=True), "rows") as bar:
                async with chat_of(settings, endpoint, ledger) as chat:
                    return await extract(
                        groups,
                        endpoint,
                        chat,
                        prompts_of(settings),
                        learn=learn,
                        on_row=bar.step,
                    )

        kept = {"seed": settings.seed}
        with booked(store, endpoint, command="eval-extraction", engine=settings.engine, settings=kept) as ledger:
            return asyncio.run(go(ledger))


def _tell(say: Telling, result: Score, verified: Outcomes, extracted: Extracted) -> None:
    shares, counts = ("precision", "recall", "f1"), ("right", "wrong", "invented", "missed")

    def part(key: str, title: str, name: Callable[[Row], str], parts: list[tuple[dict[str, str], Outcomes]]) -> None:
        say.part(
            key,
            [named | {one: getattr(found, one) for one in (*shares, *counts)} for named, found in parts],
            Column("", name),
            *(Column({"f1": "F1"}.get(one, one), one, ".3f") for one in shares),
            *(Column(one, one) for one in counts),
            title=title,
        )

    by_category = [({"category": name}, found) for name, found in result.by_category.items()]
    part("by_category", "By category", lambda row: row["category"], by_category)
    by_attribute = [({"category": one, "attribute": name}, found) for (one, name), found in result.by_attribute.items()]
    part("by_attribute", "By attribute", lambda row: f"{row['category']}: {row['attribute']}", by_attribute)
    confused = [
        {"attribute": attribute, "gold": gold or None, "extracted": value or None, "times": times}
        for (attribute, gold, value), times in result.confused.most_common(_CONFUSED)
    ]
    say.part(
        "confused",
        confused,
        Column("attribute", "attribute"),
        Column("gold", "gold", none="–"),
        Column("extracted", "extracted", none="–"),
        Column("times", "times"),
        title="Most often confused",
    )
    found = result.overall
    low, high = result.interval
    say.print(
        f"{len(extracted.scored):,} products, {len(extracted.failed):,} failed: precision {found.precision:.3f}, "
        f"recall {found.recall:.3f}, F1 {found.f1:.3f} (95 %: {low:.3f} to {high:.3f}). "
        f"Of what is verified {verified.precision:.3f} are right, and these are {verified.recall:.3f} of all values."
    )
