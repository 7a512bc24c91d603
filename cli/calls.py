"""`reaseq calls`: every call to a model, what was asked of it and what it said."""

from __future__ import annotations

from typing import Annotated

import typer

from reaseq.cli.tables import Column, LinesOption, ReportOption, Row, Telling, dumped

_SHOWN = 24
"""Characters of a reply in a list."""

app = typer.Typer(no_args_is_help=True, help="Calls to models: list them, look at one.")


@app.command("list")
def list_(
    run: Annotated[int | None, typer.Option("--run", help="Of this run.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="Of this agent.")] = None,
    product: Annotated[
        str | None,
        typer.Option("--product", help="About this product, by any of its names, or this row of a gold file."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those on whose replies a failure rests.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 50,
    json_: LinesOption = False,
) -> None:
    """List calls, the newest first.

    Examples:

        reaseq calls list --agent verifier --failed

        reaseq calls list --product AH2430 --json
    """
    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.progress import printable
    from reaseq.knowledge_store import calls
    from reaseq.knowledge_store.feeds.rows import identifier
    from reaseq.knowledge_store.names import find_product
    from reaseq.knowledge_store.store import Store

    say = Telling(json_)
    with Store.open(load().store_url) as store:
        wanted = None if product is None else {product, identifier(product)}
        if wanted is not None:
            try:
                wanted.add(find_product(store, identifier(product))["id"])
            except ReaseqError:
                if not calls.listed(store, product_ids=wanted, limit=1):  # nor is it a row of a gold file
                    raise
        found = calls.listed(store, run_id=run, agent=agent, product_ids=wanted, failed=failed, limit=limit)
    if not found:
        say.print("No calls. Next: reaseq distill --category NAME")
        return

    def reply(row: Row) -> Text:
        shown = " ".join(str(row["reply"].get("content", "")).split())
        return Text(printable(shown[:_SHOWN]), style="" if row["reusable"] else "red")

    say.rows(
        found,
        Column("no.", "id", form=""),
        Column("run", "run_id", form=""),
        Column("agent", "agent"),
        Column("product", "product_id"),
        Column("tokens", lambda row: row["prompt_tokens"] + row["completion_tokens"]),
        Column("seconds", "seconds", ".1f"),
        Column("cost", "cost", ".4f", none="-"),
        Column("reply", reply),
        title="Calls, newest first",
        narrow=True,
    )
    say.print(f"Next: reaseq calls show {found[0]['id']}")


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="The call's number.")],
    json_: ReportOption = False,
) -> None:
    """Show a call: which model, what it took, and its reply in full.

    Example: reaseq calls show 1
    """
    from rich.console import Console
    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.cli.progress import printable
    from reaseq.knowledge_store import calls
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        row = calls.find(store, number)
    if row is None:
        raise ReaseqError(f"no call {number}", hint="reaseq calls list")
    if json_:
        typer.echo(dumped(row))
        return
    console = Console(soft_wrap=True, highlight=False)
    cost = "no price configured" if row["cost"] is None else f"{row['cost']:.4f}"
    about = {
        "agent": row["agent"],
        "product": row["product_id"] or "",
        "model": row["model"],
        "run": str(row["run_id"] or ""),
        "at": str(row["created_at"]),
        "took": f"{row['prompt_tokens']:,} + {row['completion_tokens']:,} tokens, {row['seconds']:.1f} s, {cost}",
        "ended": str(row["reply"].get("finish_reason", "")),
        "request": row["request_key"],
        "reused": "if it is asked again" if row["reusable"] else "never: a failure rests on it",
    }
    for name, value in about.items():
        console.print(Text(f"{name:8} ", style="dim") + Text(printable(value)))
    console.rule()
    console.print(Text(printable(str(row["reply"].get("content", "")))))
