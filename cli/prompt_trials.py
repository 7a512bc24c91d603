"""`reaseq prompts try` and `compare`: what an edit of a prompt changes, before anybody pays for all of it."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.distill import EngineOption, MaxCostOption, MaxTokensOption, ModelOption
from reaseq.cli.progress import ends_with
from reaseq.cli.tables import Column, ReportOption, Row, Telling

if TYPE_CHECKING:
    from reaseq.api.prompt_trials import Bench, Candidate, Watched
    from reaseq.graphs.comparison import AttributeChange, Comparison, Difference, Side
    from reaseq.graphs.ranker_effect import Judge
    from reaseq.graphs.trial import Pair, Subject
    from reaseq.knowledge_store.store import Store

_SHOWN = 20
"""Differences in the terminal; all are in the page and in JSON."""
_LONGEST = 60

VersionArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROMPT", help="A file, a version by its fingerprint or name, or an agent: its prompt in force."
    ),
]
OtherArgument = Annotated[
    str | None,
    typer.Argument(metavar="[OTHER]", help="What to hold PROMPT against: PROMPT is before, OTHER after."),
]


def try_(
    prompt: VersionArgument,
    other: OtherArgument = None,
    product: Annotated[
        list[str] | None, typer.Option("--product", "-p", help="A product, by any of its names; may be repeated.")
    ] = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    max_tokens: MaxTokensOption = None,
    max_cost: MaxCostOption = None,
    json_: ReportOption = False,
) -> None:
    """Read a few products with an edited prompt, beside the version that stands: replies, values, what they take.

    A file is held against the prompt in force; an agent's name means its prompt in force, held against the version on
    which its products stand, or the bundled one. Nothing is stored but the replies, so that the same need not be asked
    again.

    Examples:

        reaseq prompts try my-prompts/verifier.yaml --product AH2430

        reaseq prompts try attribute_extractor --product AH2430 --product BB1234

        reaseq prompts try bundled my-prompts/verifier.yaml --product AH2430
    """
    from reaseq import ReaseqError
    from reaseq.api.prompt_trials import bench_of, candidates, reads
    from reaseq.api.settings import load
    from reaseq.graphs.comparison import subjects_of
    from reaseq.knowledge_store.feeds.rows import identifier
    from reaseq.knowledge_store.names import find_product
    from reaseq.knowledge_store.store import Store

    settings = load(engine=engine, model=model)
    if not product:
        raise ReaseqError(
            "on which products?", hint=f"reaseq prompts try {prompt} --product ID   (see: reaseq knowledge list)"
        )
    say = Telling(json_)
    with Store.open(settings.store_url) as store:
        found = [find_product(store, identifier(one)) for one in product]
        kinds = list(dict.fromkeys(one["category"] for one in found))
        if len(kinds) > 1 or kinds[0] is None:
            said = ", ".join(f"{one['id']}: {one['category'] or 'none'}" for one in found)
            raise ReaseqError(f"the products must be of one category ({said})", hint="try one category's at a time")
        bench = bench_of(store, settings, kinds[0])
        before, after = candidates(store, bench.library, prompt, other)
        bench.require(after.agent)
        subjects = subjects_of(store, list(dict.fromkeys(one["id"] for one in found)))
        fits = reads(bench.library, after)
        for one in subjects:
            if not fits(one.locale):
                said = f"{one.product_id} is {f'of {one.locale}' if one.locale else 'of no known locale'}"
                say.print(f"{said}, and is read with another prompt than this once it is in force.", style="yellow")
        made, watched = _compare(bench, subjects, before or after, after, max_tokens, max_cost, None)
        _tell_pairs(say, store, watched.pairs.done, made, alone=before is None, several=bench.several)
        _end(say, made)


def compare(
    prompt: VersionArgument,
    other: OtherArgument = None,
    category: Annotated[str | None, typer.Option("--category", "-c", help="Whose products are read.")] = None,
    size: Annotated[int, typer.Option("--sample", min=1, help="So many products at most.")] = 200,
    gold: Annotated[
        Path | None,
        typer.Option("--gold", help="Read rows of this gold file instead, and judge by it (see: eval-extraction)."),
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(
            "--within", min=0.001, max=0.5, help="End once the difference in F1 is known to this on either side."
        ),
    ] = None,
    ranker: Annotated[
        str | None,
        typer.Option(
            "--ranker", metavar="RUN", help="Also what it does to this run's ranker, by its id (see: reaseq runs)."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write a page of HTML there, of all that is otherwise.")
    ] = None,
    model: ModelOption = None,
    engine: EngineOption = None,
    max_tokens: MaxTokensOption = None,
    max_cost: MaxCostOption = None,
    json_: ReportOption = False,
) -> None:
    """Read a sample of a category with two versions of a prompt, and tell what is otherwise, from noise.

    Each product is read with both. Told are the values that are lost, changed and gained, each with its evidence; F1 of
    what people decided (reaseq review) or a gold file says, with a 95 % interval (bootstrap over products) and p
    (permutation test); tokens, cost and time; and about what a run over the whole category would take. Nothing is
    stored but the replies; of what people decided of these products nothing is learnt.

    With --ranker the products are embedded with what either version finds, the rest of the catalogue as it stands, and
    the run's model, not trained anew, ranks its test cases with both: told is the difference in NDCG@10, paired by
    case, and how many cases touch a changed product at all. Run and store stay as they are.

    The sample is stratified by what is known of products, half of it those on which people decided. Ctrl-C ends it
    with what is there; the same command later asks only what is missing.

    Examples:

        reaseq prompts compare my-prompts/verifier.yaml --category shoes --out compared.html

        reaseq prompts compare 1a2b3c4d in-force --category shoes --sample 100 --max-cost 1.50

        reaseq prompts compare bundled my-prompts/verifier.yaml --gold gold.jsonl --category shoes

        reaseq prompts compare bundled my-prompts/verifier.yaml --category shoes --ranker 3f2a9c
    """
    from reaseq import ReaseqError
    from reaseq.agents.extraction_score import read_gold
    from reaseq.api.engine import prompts_of
    from reaseq.api.prompt_trials import bench_of, bench_of_gold, candidates, reads
    from reaseq.api.settings import load
    from reaseq.graphs.comparison import sample, subjects_of
    from reaseq.graphs.options import require_products
    from reaseq.knowledge_store.export import check_writable
    from reaseq.knowledge_store.store import Store

    settings = load(engine=engine, model=model)
    if category is None:
        raise ReaseqError("of which category?", hint=f"reaseq prompts compare {prompt} --category NAME")
    if out is not None:
        check_writable(out)
    if ranker is not None and gold is not None:
        raise ReaseqError(
            "a ranker knows the catalogue's products, and the rows of a gold file are none",
            hint=f"reaseq prompts compare {prompt} --category {category} --ranker {ranker}   (without --gold)",
        )
    say = Telling(json_)
    with Store.open(settings.store_url) as store:
        if gold is not None:
            rows = list(read_gold(gold))
            bench, subjects = bench_of_gold(store, settings, rows, category, len(rows))
            before, after = candidates(store, bench.library, prompt, other)
            fits = reads(bench.library, after)
            subjects = [one for one in subjects if fits(one.locale)][:size]
        else:
            category = require_products(store, category)
            library = prompts_of(settings).of(category)
            before, after = candidates(store, library, prompt, other)
            chosen = sample(store, category, size, reads(library, after))
            bench, subjects = bench_of(store, settings, category, leave_out=chosen), subjects_of(store, chosen)
        bench.require(after.agent)
        _tell_locales(say, bench, after, found=bool(subjects))
        if before is None:
            raise ReaseqError(
                f"{after.agent}: the prompt in force is the bundled one, and products stand on no other",
                hint=f"reaseq prompts eject my-prompts {after.agent}   (edit it there, and compare the file; or name a "
                "version: reaseq prompts versions)",
            )
        if before.fingerprint == after.fingerprint:
            both = f"{before.label} and {after.label} are the same"
            if before.label == after.label:
                both = f"Both are the same version of {after.agent}, {after.label}"
            say.print(f"{both}: nothing changes.")
            say.print(f"Next: edit one, or name another version: reaseq prompts versions {after.agent}")
            return
        judge = None
        if ranker is not None:
            from reaseq.graphs.ranker_effect import judge_of

            judge = judge_of(store, settings.runs_dir, settings.weights_dir, ranker)
        made, _ = _compare(bench, subjects, before, after, max_tokens, max_cost, within, judge)
    _tell(say, made)
    if out is not None:
        from reaseq.api.comparison_page import page
        from reaseq.knowledge_store.export import whole

        text = page(made)
        whole(out, lambda partial: partial.write_text(text, encoding="utf-8"))
        say.print(f"Written: {out}")
    _end(say, made)


def _tell_locales(say: Telling, bench: Bench, after: Candidate, *, found: bool) -> None:
    """Of which locales products are read, where prompts tell them apart."""
    from reaseq import ReaseqError

    own = [one for one in bench.library.locales(after.agent, bench.schema.category) if one != after.locale]
    if after.locale is not None and not found:
        raise ReaseqError(
            f"no products of {bench.schema.category} are of {after.locale}",
            hint=f"reaseq import FILE --locale {after.locale}   (says it of a feed whose columns do not)",
        )
    if after.locale is not None:
        say.print(f"Only products of {after.locale} are read.")
    elif own:
        say.print(f"Products of {', '.join(own)} have a prompt of their own, and are left out.")


def _compare(
    bench: Bench,
    subjects: Sequence[Subject],
    before: Candidate,
    after: Candidate,
    max_tokens: int | None,
    max_cost: float | None,
    within: float | None,
    ranker: Judge | None = None,
) -> tuple[Comparison, Watched]:
    import asyncio

    from rich.console import Console

    from reaseq.api.prompt_trials import Watched
    from reaseq.api.prompt_trials import compare as run
    from reaseq.cli.engine import start_engines
    from reaseq.cli.progress import StepBar
    from reaseq.graphs.workers import drained_on_signals
    from reaseq.llm.budget import Budget

    async def go(work: Coroutine[Any, Any, Comparison], watched: Watched) -> Comparison:
        with drained_on_signals(watched.stop):
            return await work

    async def started() -> tuple[Comparison, Watched]:
        watched = Watched()
        with StepBar(Console(stderr=True), "products, read in both ways") as bar:
            work = run(
                bench,
                subjects,
                before,
                after,
                endpoint,
                endpoints,
                budget=Budget(max_tokens=max_tokens, max_cost=max_cost),
                within=within,
                ranker=ranker,
                watched=watched,
                on_pair=bar.step,
            )
            return await go(work, watched), watched

    with start_engines(bench.settings, bench.pipeline) as (endpoint, endpoints):
        return asyncio.run(started())


def _tell(say: Telling, made: Comparison) -> None:
    say.print(f"{made.agent} on {made.category}: before is {made.before.label}, after is {made.after.label}.")
    say.part(
        "attributes",
        [_attribute(one) for one in made.attributes if say.json or one.f1 or one.otherwise],
        Column("attribute", "attribute"),
        Column("kept", lambda row: _arrow(row["before"], row["after"])),
        Column("lost", "lost"),
        Column("changed", "changed"),
        Column("verdict", "verdict"),
        Column("gained", "gained"),
        *(
            (
                Column("F1", lambda row: _arrow(row["f1_before"], row["f1_after"], ".2f")),
                Column("p (Holm)", "p", ".3f", none="-"),
            )
            if made.f1
            else ()
        ),
        title="Values that are kept (verified or proposed), and what is otherwise",
    )
    _tell_differences(say, made)
    _tell_sides(say, made)
    say.print(made.in_words())
    _tell_ranker(say, made)
    if full_run := made.full_run():
        say.print(full_run)
    if made.failed:
        some = next(iter(made.failed.items()))
        say.print(f"Left out: {len(made.failed):,} products failed ({some[0]}: {some[1]})", style="yellow")
    if cut_short := made.cut_short():
        say.print(cut_short, style="yellow")


def _tell_ranker(say: Telling, made: Comparison) -> None:
    from reaseq.cli.tables import table_of

    if made.ranker is not None:
        if made.ranker.changed:
            columns = [
                Column("ranker's metric", "metric"),
                Column("before", "before", ".4f"),
                Column("after", "after", ".4f"),
                Column("difference", "difference", "+.4f"),
                Column("95 % over cases", lambda row: f"{row['low']:+.4f} to {row['high']:+.4f}"),
                Column("permutation p", "p", ".3f"),
                Column("test cases", "cases"),
                Column("touch a changed product", "touched"),
            ]
            say.show(table_of([vars(made.ranker)], columns, f"Run {made.ranker.run}, not trained anew"))
        say.print(made.ranker.in_words())
    if made.ranker_left_out is not None:
        say.print(f"The ranker was not judged: {made.ranker_left_out}.", style="yellow")


def _end(say: Telling, made: Comparison) -> None:
    from dataclasses import asdict

    facts = asdict(made)
    for name in ("attributes", "differences", "before", "after"):
        facts.pop(name)
    if made.stopped_by:
        say.print("Next: the same command, which goes on from there.")
    say.end(**facts, in_words=made.in_words(), **say.said)
    ends_with(made.stopped_by, failed=not made.products)


def _attribute(one: AttributeChange) -> dict[str, Any]:
    names = ("attribute", "before", "after", "lost", "changed", "verdict", "gained", "p")
    f1 = one.f1
    figures = ("difference", "low", "high")
    return {name: getattr(one, name) for name in names} | {
        "f1_before": f1.before if f1 else None,
        "f1_after": f1.after if f1 else None,
        **{f"f1_{name}": getattr(f1, name) if f1 else None for name in figures},
    }


def _difference(one: Difference) -> dict[str, Any]:
    return one._asdict() | {
        name: side._asdict() if (side := getattr(one, name)) else None for name in ("before", "after")
    }


def _tell_differences(say: Telling, made: Comparison) -> None:
    shown = made.differences if say.json else made.differences[:_SHOWN]
    say.part(
        "differences",
        [_difference(one) for one in shown],
        Column("product", "product_id"),
        Column("attribute", "attribute"),
        Column("", lambda row: row["kind"] + (f", {row['judged']}" if row["judged"] else "")),
        Column("before", lambda row: _said(row["before"])),
        Column("after", lambda row: _said(row["after"])),
        title=f"What is otherwise, worst first: {len(shown):,} of {len(made.differences):,}",
    )
    if len(made.differences) > len(shown):
        say.print("All of it: --out FILE.html, or --json")


def _arrow(before: float | None, after: float | None, form: str = ",") -> str:
    if before is None or after is None:
        return "-"
    return f"{before:{form}}" if before == after else f"{before:{form}} → {after:{form}}"


def _said(value: Row | None) -> str:
    if value is None:
        return "-"
    quote = value["quote"] or ""
    words = f' "{quote[:_LONGEST]}"' if quote and quote.casefold() != value["value"].casefold() else ""
    return f"{value['value']}{words} ({value['status']})"


def _tell_sides(say: Telling, made: Comparison) -> None:
    def side(name: str, one: Side) -> dict[str, Any]:
        return {"side": name} | vars(one) | {"tokens": one.prompt_tokens + one.completion_tokens}

    say.part(
        "sides",
        [side("before", made.before), side("after", made.after)],
        Column("", "side"),
        Column("prompt", "label"),
        Column("verified", "verified"),
        Column("proposed", "proposed"),
        *((Column("failed at", "failed"),) if made.before.failed or made.after.failed else ()),
        Column("calls", "calls"),
        Column("tokens", "tokens"),
        Column("seconds each", "seconds", ".1f"),
        Column("cost", "cost", ",.4f", none="-"),
        title=f"Of {made.products:,} products",
    )


def _tell_pairs(
    say: Telling, store: Store, pairs: Sequence[Pair], made: Comparison, *, alone: bool, several: frozenset[str]
) -> None:
    from rich.rule import Rule
    from rich.text import Text

    from reaseq.cli.progress import printable
    from reaseq.cli.tables import table_of
    from reaseq.graphs.comparison import differences
    from reaseq.knowledge_store.calls import find

    told = []
    for pair in pairs:
        changed = {one.attribute: one.kind for one in differences(pair, several)}
        rows = [
            {
                "attribute": name,
                "before": [_plain(one) for one in pair.before.claims if one["attribute"] == name],
                "after": [_plain(one) for one in pair.after.claims if one["attribute"] == name],
                "kind": changed.get(name),
            }
            for name in dict.fromkeys(one["attribute"] for read in (pair.before, pair.after) for one in read.claims)
        ]
        replies = {
            side: [
                call
                for number in read.calls
                if (call := find(store, number)) is not None and call["agent"] == made.agent
            ]
            for side, read in (("before", pair.before), ("after", pair.after))
        }
        told.append(
            {
                "product_id": pair.subject.product_id,
                "title": pair.subject.title,
                "values": rows,
                "replies": {
                    side: [call["reply"].get("content", "") for call in some] for side, some in replies.items()
                },
                "failures": {"before": pair.before.failures, "after": pair.after.failures},
            }
        )
        if say.json:
            continue
        say.show(Rule(Text(printable(f"{pair.subject.product_id}: {pair.subject.title}")), align="left"))
        columns = [
            Column("attribute", "attribute"),
            Column("before", lambda row: "\n".join(map(_said, row["before"])) or "-"),
            Column("after", lambda row: "\n".join(map(_said, row["after"])) or "-"),
            Column("", lambda row: row["kind"] or ""),
        ]
        say.show(table_of(rows, columns[:1] + columns[2:3] if alone else columns))
        for side in ("after",) if alone else ("before", "after"):
            for call in replies[side]:
                tokens = f"{call['prompt_tokens']:,} + {call['completion_tokens']:,} tokens, {call['seconds']:.1f} s"
                cost = "" if call["cost"] is None else f", {call['cost']:.5f}"
                say.show(Text(f"Reply {side} (call {call['id']}; {tokens}{cost}):", style="bold"))
                say.show(Text(printable(call["reply"].get("content", ""))))
            if not replies[side]:
                say.show(Text(f"Reply {side}: the agent was not asked, there was nothing for it to do.", style="dim"))
        for failure in pair.after.failures:
            say.print(f"Failed: {failure['stage']}: {failure['reason']}", style="yellow")
    if say.json:
        say.part("products", told)
    _tell_sides(say, made)
    for product_id, why in made.failed.items():
        say.print(f"Left out: {product_id} failed: {why}", style="yellow")
    if cut_short := made.cut_short():
        say.print(cut_short, style="yellow")
    if alone:
        say.print(f"There is no other version of {made.agent} to hold it against.")


def _plain(claim: Any) -> dict[str, Any]:
    names = ("value", "status", "confidence", "field", "start", "end", "quote", "verdict", "found_by")
    return {name: claim[name] for name in names}
