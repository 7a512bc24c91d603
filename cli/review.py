"""`reaseq review`: people decide on claims."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reaseq.cli.audit import (
    Audited,
    Promise,
    as_data,
    audited,
    audits,
    of_sample,
    print_report,
    refuse_filters,
    threshold,
    told,
)
from reaseq.cli.knowledge import Category, category_as_stored, known_category, open_store
from reaseq.cli.reading import Delimiter, Encoding, HeaderRow, Records, Sheet, add_taken, read_as_json, reading
from reaseq.cli.tables import Column, LinesOption, ReportOption, Telling

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text as Styled

    from reaseq.knowledge_store.store import Store
    from reaseq.taxonomy.schema import Attribute

app = typer.Typer(help="Decide on what was found: approve, edit, reject. No run changes what was decided.")

By = Annotated[str | None, typer.Option("--by", help="Who decides.", show_default="the user that is logged in")]
OfProduct = Annotated[str | None, typer.Option("--product", metavar="ID", help="Only this product.")]
OfAttribute = Annotated[str | None, typer.Option("--attribute", help="Only this attribute.")]
Status = Annotated[
    str | None,
    typer.Option(
        "--status", help="Only claims that are proposed, verified or rejected.", show_default="proposed, verified"
    ),
]
_AROUND = 100
_KEYS = "  ".join(f"[bold]{word[0]}[/bold]{word[1:]}" for word in ("approve", "edit", "reject", "skip", "undo", "quit"))


@app.callback(invoke_without_command=True)
def review(
    context: typer.Context,
    category: Category = None,
    product: OfProduct = None,
    attribute: OfAttribute = None,
    status: Status = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many claims.")] = 50,
    audit: Audited = None,
    promise: Promise = None,
    by: By = None,
) -> None:
    """Go through claims, those first that are least certain and of the products with most events. Where products of one
    brand and model disagree, none is certain.

    What is approved or edited stays through every later run, import and change of prompts or schema; a value that was
    rejected does not come back. Every decision is kept with who took it and when: see `reaseq review log`. It is saved
    at once, so stop whenever you like.

    With --audit so many verified claims are drawn at random instead, to find out how many are right: see
    `reaseq review audits --help`.

    Examples:

        reaseq review --category shoes

        reaseq review --category shoes --audit 50
    """
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    console, who = Console(highlight=False), by or getpass.getuser()
    with open_store() as store:
        if audit is not None:
            refuse_filters(product, attribute, status)
            sample = audited(store, console, audit, category, promise, who)
            _Sitting(console, store, of_sample(store, sample), who).go()
            told(store, sample.number, who)
            return
        claims = _open_claims(store, category, product, attribute, status, limit)
        if not claims:
            console.print("Nothing to review: every such claim is decided, or nothing is distilled yet.")
            return
        _Sitting(console, store, claims, who).go()


def _open_claims(
    store: Store,
    category: str | None,
    product: str | None,
    attribute: str | None,
    status: str | None,
    limit: int | None,
) -> list[dict[str, Any]]:
    """What is to be reviewed, in its order, with what the siblings say in the verdict."""
    from difflib import get_close_matches

    from reaseq import ReaseqError
    from reaseq.knowledge_store.decisions import to_review
    from reaseq.knowledge_store.names import find_product
    from reaseq.knowledge_store.tables import ClaimStatus
    from reaseq.taxonomy.schema import attribute_name

    open_statuses = (ClaimStatus.PROPOSED, ClaimStatus.VERIFIED, ClaimStatus.REJECTED)
    if status is not None and status not in open_statuses:
        raise ReaseqError(
            f"--status {status}: it is one of {', '.join(open_statuses)}", hint="reaseq review --status proposed"
        )
    category = known_category(store, category)
    if attribute is not None:
        attribute = attribute_name(attribute)
        known = sorted({row["attribute"] for row in store.attribute_counts(category)})
        if attribute not in known:
            near = (get_close_matches(attribute, known, 1) or known or ["color"])[0]
            raise ReaseqError(
                f"no claim is of an attribute {attribute!r}; there are: {', '.join(known) or 'none'}",
                hint=f"reaseq review --attribute {near}",
            )
    contradicted = _contradicted(store, category)
    claims = to_review(
        store,
        category=category,
        product_id=find_product(store, product)["id"] if product else None,
        attribute=attribute,
        status=ClaimStatus(status) if status else None,
        contradicted=contradicted,
        limit=limit,
    )
    for claim in claims:
        if claim["id"] in contradicted:
            claim["verdict"] += f"; {contradicted[claim['id']]}"
    return claims


def _contradicted(store: Store, category: str | None) -> dict[int, str]:
    """Claims on which products of one brand and model disagree, of one category or of all."""
    from reaseq.knowledge_store.siblings import disagreements

    found: dict[int, str] = {}
    for name in [category] if category else filter(None, store.categories()):
        if stored := store.latest_schema(name):
            attributes = stored.schema.attributes
            shared = [a.name for a in attributes if a.kind == "closed" and a.facet == "supply" and not a.multiple]
            found |= disagreements(store, name, shared)
    return found


@app.command()
def log(
    product: OfProduct = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many decisions.")] = 50,
    json_: LinesOption = False,
) -> None:
    """Show who decided what, newest first.

    Example: reaseq review log --product AH2430
    """
    from reaseq.knowledge_store.decisions import decisions
    from reaseq.knowledge_store.names import find_product

    say = Telling(json_)
    with open_store() as store:
        own = find_product(store, product)["id"] if product else None
        rows = decisions(store, product_id=own, limit=limit)
    if not rows:
        say.print("Nobody has decided anything yet. Next: reaseq review")
        return
    say.rows(
        [{name: value for name, value in row.items() if name not in ("touched", "added")} for row in rows],
        Column("no.", "id", form=""),
        Column("when", lambda row: f"{row['at']:%Y-%m-%d %H:%M}"),
        Column("by", lambda row: row["by"] + (f" ({row['source']})" if row["source"] else "")),
        Column("what", lambda row: row["action"] + (" (withdrawn)" if row["withdrawn"] else "")),
        Column("product", "product_id"),
        Column("attribute", "attribute"),
        Column("value", "value"),
        Column("decided", "decided"),
        title="Decisions",
        narrow=True,
    )


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to, as CSV or JSON lines.")],
    category: Category = None,
    product: OfProduct = None,
    attribute: OfAttribute = None,
    status: Status = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many claims.")] = None,
    audit: Audited = None,
    promise: Promise = None,
    by: By = None,
) -> None:
    """Write what is open as a sheet to fill in, in the order of a review: approve, edit or reject in the column
    `decision`, and what is right instead in `new_value`. What is left empty stays open. With --audit it is a random
    sample of what is verified: see `reaseq review audits --help`.

    Example: reaseq review export open.csv --category shoes, then reaseq review apply open.csv
    """
    from rich.console import Console

    from reaseq import ReaseqError
    from reaseq.knowledge_store.decision_sheet import write_sheet

    with open_store() as store:
        if audit is not None:
            refuse_filters(product, attribute, status)
            sample = audited(store, Console(highlight=False), audit, category, promise, by or getpass.getuser())
            claims = of_sample(store, sample)
        else:
            claims = _open_claims(store, category, product, attribute, status, limit)
        if not claims:
            raise ReaseqError("nothing is open: such claims are decided, or not there", hint="reaseq distill")
        count = write_sheet(store, file, claims)
    typer.echo(f"{count:,} claims written to {file}. Fill in `decision`, then: reaseq review apply {file}")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="A sheet: CSV, TSV, Excel or JSON lines.")],
    by: By = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="What a column means; may be given several times."),
    ] = None,
    any_value: Annotated[
        bool, typer.Option("--any-value", help="Take new values that an attribute does not know.")
    ] = False,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    header_row: HeaderRow = None,
    sheet: Sheet = None,
    records: Records = None,
    json_: ReportOption = False,
) -> None:
    """Decide as a sheet says: a row for each claim, with the product (by id, SKU or barcode), attribute, value,
    decision (approve, edit, reject) and, of an edit, the new value. `reaseq review export` writes such a sheet.

    Every decision is kept as soon as it is taken, and `reaseq review log` names the file. Apply it again any time: what
    is decided so already is left alone. Rows that cannot be followed are set aside with line number and reason.

    Example: reaseq review apply decisions.csv --by ann
    """
    from rich.table import Table
    from rich.text import Text

    from reaseq import ReaseqError
    from reaseq.agents.grounder import evidence_of
    from reaseq.agents.product_text import source_fields
    from reaseq.api.settings import load
    from reaseq.cli.import_cmd import overrides
    from reaseq.cli.progress import FeedBar, printable
    from reaseq.knowledge_store.audits import conclude_judged
    from reaseq.knowledge_store.decision_sheet import apply_sheet, names_a_decision, sheet_columns
    from reaseq.knowledge_store.feeds.opening import open_feed

    named = {field.replace("_", " "): column for field, column in overrides(mapping or []).items()}
    if not file.exists():
        raise ReaseqError(f"{file} is not there", hint=f"reaseq review export {file}   (to fill in)")
    feed = open_feed(file, reading(encoding, delimiter, header_row, sheet, records), names_a_decision)
    columns = sheet_columns(feed.columns, named)
    say = Telling(json_)
    table = Table("field", "column", title=Text(f"{file.name} ({feed.format})"), title_justify="left")
    add_taken(table, feed.taken)
    for name, column in columns.items():
        table.add_row(name, Text(printable(column)))
    say.show(table)
    with open_store() as store, FeedBar(feed, "deciding") as on_progress:
        report = apply_sheet(
            store,
            feed,
            columns,
            by=by or getpass.getuser(),
            evidence_of=lambda product, value: evidence_of(value, source_fields(product)),
            any_value=any_value,
            rejected_dir=load().state_dir / "rejected",
            on_progress=on_progress,
        )
        concluded = conclude_judged(store, by=by or getpass.getuser())
    table = Table("", "rows")
    for name, count in (
        ("approved", report.approved),
        ("edited", report.edited),
        ("rejected", report.rejected),
        ("decided so already", report.there),
        ("left open", report.open),
        ("set aside", report.set_aside),
    ):
        table.add_row(name, f"{count:,}")
    say.show(table)
    for line, reason in report.first_rejected:
        say.print(f"  line {line}: {printable(reason)}", style="yellow")
    if report.rejected_file:
        say.print(f"Rows set aside, with reasons: {report.rejected_file}")
    for one, demoted in () if json_ else concluded:
        print_report(one, demoted)
    if report.decided:
        say.print("Next: reaseq distill, which writes the summaries anew.")
    counts = {name: value for name, value in vars(report).items() if isinstance(value, int)}
    say.end(
        **read_as_json(feed),
        mapping=columns,
        **counts | {"rejected_rows": [{"line": line, "reason": reason} for line, reason in report.first_rejected]},
        rejected_file=report.rejected_file,
        audits=[as_data(one) for one, _ in concluded],
    )


@app.command()
def undo(
    number: Annotated[int, typer.Argument(help="The decision's number, as `reaseq review log` shows it.")],
    by: By = None,
) -> None:
    """Take a decision back: the claim is open again, and the next run may change it.

    Example: reaseq review undo 12
    """
    from reaseq.knowledge_store.decisions import withdraw

    with open_store() as store:
        withdraw(store, number, by=by or getpass.getuser())
    typer.echo(f"Decision {number} is withdrawn.")


@app.command()
def gold(
    file: Annotated[Path, typer.Argument(help="Where to, as JSON lines.")],
    category: Category = None,
) -> None:
    """Write what was decided as a gold file: the products, and the values that hold. Of an edit or a rejection of every
    value, what was rejected counts as wrong from then on.

    Example: reaseq review gold gold.jsonl, then reaseq eval-extraction --gold gold.jsonl
    """
    from reaseq import ReaseqError
    from reaseq.knowledge_store.export import export_gold

    with open_store() as store:
        count = export_gold(store, file, category=category_as_stored(category))
    if not count:
        raise ReaseqError("nobody has decided anything yet", hint="reaseq review")
    typer.echo(f"{count:,} products written to {file}")


app.command()(audits)
app.command()(threshold)


class _Sitting:
    """One person going through a list of claims."""

    def __init__(self, console: Console, store: Store, claims: list[dict[str, Any]], by: str) -> None:
        self.console, self.store, self.claims, self.by = console, store, claims, by
        self.taken: list[tuple[int, int]] = []
        """Place in the list and number of each decision."""

    def go(self) -> None:
        from reaseq import ReaseqError

        place = 0
        try:
            while place < len(self.claims):
                self._show(place)
                match self._key():
                    case "q":
                        break
                    case "u":
                        place = self._undone(place)
                        continue
                    case "s":
                        pass
                    case key:
                        try:
                            if not self._decided(place, key):
                                continue
                        except ReaseqError as error:
                            self.console.print(f"{error}", style="red", markup=False)
                place += 1
        except (KeyboardInterrupt, EOFError, typer.Abort):
            self.console.print()
        left = len(self.claims) - place
        self.console.print(
            f"{len(self.taken):,} decided by {self.by}"
            + (f", {left:,} of this list left" if left else "")
            + (". Next: reaseq distill, which writes the summaries anew." if self.taken else "."),
            markup=False,
        )

    def _key(self) -> str:
        while True:
            self.console.print(f"  {_KEYS}  ", end="")
            try:
                key = typer.getchar().casefold()
            except OSError as error:  # there is none where input and output are pipes
                from reaseq import ReaseqError

                raise ReaseqError(
                    "a review asks for one key at a time, and there is no terminal",
                    hint="reaseq review export open.csv, fill it in, then reaseq review apply open.csv",
                ) from error
            self.console.print(key if key.isprintable() else "", markup=False)
            if key in ("\x03", "\x04", ""):
                return "q"
            if key in "aersuq":
                return key

    def _decided(self, place: int, key: str) -> bool:
        from reaseq.api.deciding import settle
        from reaseq.knowledge_store.decisions import Action, attribute_of

        claim = self.claims[place]
        action = {"a": Action.APPROVE, "e": Action.EDIT, "r": Action.REJECT}[key]
        value = None
        if action is Action.EDIT:
            value = self._value(claim, attribute_of(self.store, claim["product_id"], claim["attribute"]))
            if not value:
                return False
        number = settle(self.store, claim, action, value, by=self.by)
        self.taken.append((place, number))
        return True

    def _value(self, claim: dict[str, Any], attribute: Attribute | None) -> str | None:
        """The new value; None if the person thinks better of it. A closed attribute's synonyms become its values."""
        from reaseq.cli.progress import printable
        from reaseq.knowledge_store.decision_sheet import as_value, takes

        if attribute is not None and (attribute.values or attribute.kind == "measure"):
            self.console.print(f"  one of: {takes(attribute)}", style="dim", markup=False)
        said = str(typer.prompt("  new value", default=printable(claim["value"]))).strip()
        known = as_value(attribute, said) if attribute is not None else said
        value = known or said
        if known is None and not typer.confirm(f"  {said!r} is not one of them: take it all the same?"):
            return None
        if value == claim["value"]:
            other = f"{said!r} is another word for {value!r}: " if said.casefold() != value.casefold() else ""
            self.console.print(f"  {other}nothing would change", style="dim", markup=False)
            return None
        return value

    def _undone(self, place: int) -> int:
        from reaseq.knowledge_store.decisions import withdraw

        if not self.taken:
            self.console.print("  nothing to undo in this sitting; see: reaseq review log", style="dim")
            return place
        before, number = self.taken.pop()
        withdraw(self.store, number, by=self.by)
        return before

    def _show(self, place: int) -> None:
        from rich.text import Text

        from reaseq.cli.progress import printable

        claim = self.claims[place]
        product = self.store.product(claim["product_id"]) or {"category": None, "title": ""}
        events = f", {claim['traffic']:,} events" if claim["traffic"] else ""
        where = (
            f"{place + 1}/{len(self.claims)}  {product['category'] or '(no category)'}{events}  {claim['product_id']}"
        )
        self.console.print()
        self.console.print(Text(printable(where), style="dim"))
        self.console.print(self._marked("title", product["title"], claim))
        if claim["field"] not in (None, "title"):
            self.console.print(self._marked(claim["field"], _field(product, claim["field"]), claim))
        said = Text("  ")
        said.append(printable(f"{claim['attribute']}: {claim['value']}"), style="bold")
        confidence = "" if claim["confidence"] is None else f", confidence {claim['confidence']:.2f}"
        said.append(f"   {claim['claim_type']}, {claim['status']}{confidence}", style="yellow")
        self.console.print(said)
        because = f" because {claim['reason']!r};" if claim["reason"] else ""
        self.console.print(Text(printable(f" {because} {claim['verdict']}"), style="dim"))

    def _marked(self, field: str, text: str, claim: dict[str, Any]) -> Styled:
        """The field's text around the evidence, which is marked."""
        from rich.text import Text

        from reaseq.cli.progress import printable

        low, high = 0, 4 * _AROUND
        marked = Text(printable(text))
        if holds_evidence(claim, field, text):
            marked.stylize("bold black on yellow", claim["start"], claim["end"])
            low, high = max(0, claim["start"] - 2 * _AROUND), claim["end"] + 2 * _AROUND
        shown = marked[low:high]
        return Text.assemble(
            *([] if field == "title" else [(f"{field}: ", "dim")]),
            "… " if low else "",
            shown,
            " …" if high < len(text) else "",
        )


def holds_evidence(claim: dict[str, Any], field: str, text: str) -> bool:
    """Whether the claim rests on this field, as it is now: an import may have changed it since."""
    return bool(claim["field"] == field and text[claim["start"] : claim["end"]] == claim["quote"])


def _field(product: dict[str, Any], field: str) -> str:
    from reaseq.agents.product_text import source_fields

    return source_fields(product).get(field, "")
